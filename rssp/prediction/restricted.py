"""The largest failure probability that the growth of the covered part allows: a recursion, rounded outwards.

Let v be the covered fraction of a set I of targets, u = 1 - v. If a further random vector adds at least c v (1 - v) in
the mean and at most doubles v, then P(u >= goal after k more) <= h_k(v), where h_0 is the step at u = goal and
h_(k+1)(v) the concave envelope of h_k over [v, min(2 v, 1)] at v + c v (1 - v) (G1 to G3 in docs/theory/guarantees.md).
For numbers uniform on [-1, 1] and I = [-1/2, 1/2], c = 1/2; for the uniform law on a finite group, c = 1.

h_k is kept as a step function above it, on a grid that is geometric in v up to 1/2 and in u from there: h[j] holds for
all v from v[j] to v[j + 1]. Each value is an envelope over a window that is, for every v of its step, at least as wide,
taken at the smallest mean, so that it is a bound for the whole step.
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from rssp._jit import kernel

__all__ = [
    "closed_form_failure",
    "envelope_step",
    "failure_curve",
    "growth_grid",
    "lattice_failure",
    "lattice_mean_uncovered",
    "mean_uncovered",
]

Floats = NDArray[np.float64]

# points of the grid a factor 2: 80 and 320 give the same guaranteed_samples as 160 for uniform numbers at eps = 2^-10,
# delta = 0.5 and 0.01; in the far tail (c = 1/4, v = 2^-20 to u = 2^-21 but for 1e-6) 80, 160, 320 prove 273, 266
# and 262 numbers. Any number of points gives a proved bound; measure again when the envelope's step changes
_PER_BIT = 160
_FEW_BITS = 200  # beyond them the grid keeps its size, or steps, of which there are as many as bits, take too long
_UP = 1e-13  # relative rounding of one envelope, and more
_LONGEST = 1_000_000  # steps of a curve before it is given up
_LONG = 1_000  # steps of a mean before the closed form is asked too: each costs as many operations as grid points
_LEAST_MEAN = 1e-12  # the smallest mean that the grid tells


@kernel
def _distance(va: float, ua: float, vb: float, ub: float) -> float:
    """vb - va without cancellation at either end."""
    return vb - va if vb <= 0.5 else ua - ub


@kernel
def _between(x: Floats, y: Floats, xv: float, xu: float) -> float:
    """The chord from x to y (rows of v, u, value) at (xv, xu), rounded upwards."""
    whole = _distance(x[0], x[1], y[0], y[1])
    if whole <= 0:
        return max(x[2], y[2])
    slack = 4e-16 * min(y[0], x[1])
    left = max(_distance(xv, xu, y[0], y[1]), 0.0) + slack
    right = max(_distance(x[0], x[1], xv, xu), 0.0) + slack
    return min((x[2] * left + y[2] * right) / whole * (1 + _UP), max(x[2], y[2]))


@kernel
def _push_right(hull: Floats, top: int, v: float, u: float, value: float) -> int:
    """Add a point to the right of an upper hull, dropping those that come to lie below a chord."""
    while top >= 2:
        a, b = hull[top - 2], hull[top - 1]
        if (b[2] - a[2]) * _distance(a[0], a[1], v, u) <= (value - a[2]) * _distance(a[0], a[1], b[0], b[1]):
            top -= 1
        else:
            break
    hull[top, 0], hull[top, 1], hull[top, 2] = v, u, value
    return top + 1


@kernel
def _push_left(hull: Floats, top: int, v: float, u: float, value: float) -> int:
    """The same for points that come from right to left."""
    while top >= 2:
        a, b = hull[top - 2], hull[top - 1]
        if (b[2] - a[2]) * _distance(v, u, a[0], a[1]) <= (value - a[2]) * _distance(b[0], b[1], a[0], a[1]):
            top -= 1
        else:
            break
    hull[top, 0], hull[top, 1], hull[top, 2] = v, u, value
    return top + 1


@kernel
def envelope_step(v: Floats, u: Floats, h: Floats, c: float, lattice: bool, out: Floats) -> None:
    """out = h_(k+1) from h = h_k on the grid v, u = 1 - v, both (m,); the last step reaches to v = 1.

    With `lattice`, v takes the grid's values only; else h[j] stands for the step from v[j] to v[j + 1]. h does not
    increase. Time O(m) for v >= 1/2, O(m) a point below.
    """
    m = len(v)
    hull = np.empty((m + 3, 3))
    top = _push_left(hull, 0, 1.0, 0.0, h[m - 1])
    out[m - 1] = h[m - 1]
    for j in range(m - 2, -1, -1):
        mean_v, mean_u = v[j] * (1 + c * u[j]), u[j] * (1 - c * v[j])
        last = j if lattice else j + 1
        if 2 * v[last] >= 1:
            top = _push_left(hull, top, v[last], u[last], h[j])
            first, end = 0, top - 1  # the hull's points run from right to left
            while end - first > 1:
                middle = (first + end) // 2
                if _distance(hull[middle, 0], hull[middle, 1], mean_v, mean_u) <= 0:
                    first = middle
                else:
                    end = middle
            if end == first or _distance(mean_v, mean_u, hull[end, 0], hull[end, 1]) > 0:
                value = hull[end, 2]
            else:
                value = _between(hull[end], hull[first], mean_v, mean_u)
        else:
            value = _window(v, u, h, j, mean_v, mean_u, lattice)
        # a hull's point may be dropped that lies above its chord by rounding: by less than 1e-15 of h[j]
        out[j] = min(max(value + 1e-14 * h[j], out[j + 1]), h[j])


@kernel
def _window(v: Floats, u: Floats, h: Floats, j: int, mean_v: float, mean_u: float, lattice: bool) -> float:
    """The envelope over [v_j, 2 v_j] (to 2 v_(j+1) for a step) where that is less than 1."""
    limit = 2 * v[j] if lattice else 2 * v[j + 1] * (1 + 4e-16)
    hull = np.empty((len(v) + 3, 3))
    top, i = 0, j
    while i < len(v) and v[i] <= limit:
        if lattice:
            top = _push_right(hull, top, v[i], u[i], h[i])
        else:
            end = min(v[i + 1], limit) if i + 1 < len(v) else limit
            top = _push_right(hull, top, end, 1 - end if end == limit else u[i + 1], h[i])
        i += 1
    if _distance(mean_v, mean_u, hull[0, 0], hull[0, 1]) >= 0:
        return hull[0, 2]
    for a in range(1, top):
        if _distance(mean_v, mean_u, hull[a, 0], hull[a, 1]) >= 0:
            return _between(hull[a - 1], hull[a], mean_v, mean_u)
    return hull[top - 1, 2]


def growth_grid(start: float, goal: float) -> tuple[Floats, Floats]:
    """The grid from v = start to u = goal: arrays v and u = 1 - v, each accurate where small.

    The last point stands for all u < goal.
    """
    top = min(0.5, 1 - start)
    up, down = (math.log2(max(1.0, ratio)) for ratio in (0.5 / start, top / goal))
    per_bit = _PER_BIT * min(1.0, max(_FEW_BITS / (up + down + 1), 0.05))
    low = np.empty(0)
    if start < 0.5:
        low = np.geomspace(start, 0.5, max(2, math.ceil(per_bit * up) + 1))
    high = np.array([goal])
    if top > goal:
        high = np.geomspace(top, goal, max(2, math.ceil(per_bit * down) + 1))
    u = np.concatenate([1 - low[:-1], high, [goal]])
    v = np.concatenate([low[:-1], 1 - high, [1 - goal]])
    u[-2] = goal
    if start < 0.5:
        v[0] = start
    return v, u


@lru_cache(maxsize=256)
def failure_curve(start: float, goal: float, c: float, floor: float) -> Floats:
    """h_k(start) for k = 0, 1, ... until it is at most `floor`: bounds on P(uncovered fraction >= goal after k more).

    start, goal in (0, 1), c in (0, 1], floor > 0. The array ends before that where a million steps are not enough.

    >>> curve = failure_curve(2.0**-10, 2.0**-11, 0.5, 0.1)  # numbers uniform on [-1, 1], I = [-1/2, 1/2]
    >>> len(curve) - 1
    44
    """
    if start > 1 - goal:
        return np.zeros(1)
    v, u = growth_grid(start, goal)
    h, after = np.ones(len(v)), np.empty(len(v))
    h[-1] = 0.0
    curve = [1.0]
    while curve[-1] > floor and len(curve) < _LONGEST:
        envelope_step(v, u, h, c, False, after)
        h, after = after, h
        curve.append(float(h[0]))
    return np.array(curve)


@lru_cache(maxsize=4096)
def mean_uncovered(start: float, k: int, c: float) -> float:
    """A bound on E[uncovered fraction after k more]: the probability that one random target of I is not reached.

    The recursion from h_0 = u; beyond 1,000 steps also the closed form of G5, u being at most u/v.

    >>> 0.3 < mean_uncovered(2.0**-6, 12, 0.5) < 0.6
    True
    """
    if start >= 1:
        return 0.0
    odds = math.log1p(-start) - math.log(start) if start > 0 else math.inf
    closed = min(1.0, math.exp(min(odds + k * math.log1p(-c / 2), 0.0)) * (1 + 1e-12))
    if start < 1e-300:  # no grid for that
        return closed
    v, u = growth_grid(start, _LEAST_MEAN)
    h, after = u.copy(), np.empty(len(v))  # a step's value is that of its left end
    for _ in range(min(k, _LONG)):
        if h[0] <= 2 * _LEAST_MEAN:  # all that the grid tells
            break
        envelope_step(v, u, h, c, False, after)
        h, after = after, h
    return min(float(h[0]), closed if k > _LONG else 1.0)


def lattice_failure(size: int, start: int, goal: int, k: int, c: float = 1.0) -> float:
    """The bound on P(`goal` or more of `size` group elements are no subset sum after k more), `start` being sums.

    The uniform law on a finite group: z is reached next if z - X is, so that c = 1.

    >>> lattice_failure(7, 1, 1, 2)  # two numbers have at most four sums
    1.0
    """
    left = np.arange(size - start, -1, -1)
    return _on_lattice(size, (left >= goal).astype(np.float64), k, c)


def lattice_mean_uncovered(size: int, start: int, k: int, c: float = 1.0) -> float:
    """A bound on P(a random one of `size` group elements is no subset sum after k more), `start` being sums.

    >>> lattice_mean_uncovered(7, 1, 1)  # exactly: the number is another sum unless it is 0
    0.73469...
    """
    return _on_lattice(size, np.arange(size - start, -1, -1) / size, k, c)


def _on_lattice(size: int, h: Floats, k: int, c: float) -> float:
    """h_k at the first point, from h = h_0 at the points that are left, from the most uncovered to none."""
    u = np.arange(len(h) - 1, -1, -1) / size
    v = (size - np.arange(len(h) - 1, -1, -1)) / size
    for _ in range(k):
        after = np.empty(len(v))
        envelope_step(v, u, h, c, True, after)
        h = after
    return float(h[0])


def closed_form_failure(start: float, goal: float, c: float, k: int) -> float:
    """(1 - c/2)^k (1 - start) (1 - goal) / (start goal), at least P(uncovered >= goal after k more) (G5).

    u/v is a supermartingale: its mean falls by the factor 1 - c/2 at least.

    >>> round(closed_form_failure(0.25, 0.25, 0.5, 1), 9)  # 9 times 3/4: no bound yet
    6.75
    """
    log_odds = math.log1p(-start) + math.log1p(-goal) - math.log(start) - math.log(goal)
    return math.exp(min(log_odds + k * math.log1p(-c / 2), 700.0)) * (1 + 1e-12)
