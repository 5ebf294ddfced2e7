"""How many numbers uniform on [-1, 1] are enough for all targets of [-R, R], proved, by the better of two routes.

**Restricted** (G1 to G4): the recursion of `restricted` on [-1/2, 1/2], then m further numbers whose positive ones add
up to R - 1/2 and whose negative ones to -(R - 1/2): their partial sums, in steps of at most 1, shift the interval all
over [-R, R]. It serves every eps and delta.

**Moments** (M1 to M6): r groups of n_1 numbers leave on average only a little of [-A, A] uncovered, A <= R + 1, by
`conditioned`. K further numbers finish: a target z near the middle stays uncovered after a number X only if z - X was
uncovered before it. One group may happen to be lopsided, with most of its sums on one side; r groups are rarely
lopsided all at once, which is why small delta asks for more of them.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from rssp.errors import ArgumentError
from rssp.prediction.conditioned import LARGEST_K, misses_of
from rssp.prediction.restricted import failure_curve, mean_uncovered
from rssp.prediction.shifts import MOST_SHIFTS, one_sided_failures

__all__ = [
    "Route",
    "finishing_failures",
    "moments_failures",
    "restricted_fewest",
    "uniform_failure",
    "uniform_miss",
    "uniform_samples",
]

Floats = NDArray[np.float64]

_FINISH = 14  # the most numbers K that finish
_FINISH_TRIED = (3, 5, 7, 10, 14)  # with one group every K asks for moments of another size
_GROUPS = 4  # tried at most; each number of them is a proof of its own
_BEYOND = 10**9  # stands for "no n": a thousand times the largest that is given
_SMALLEST_EPS = 1e-250  # products of two of them stay above the smallest float
_SHARES = (0.5, 0.65, 0.75)  # parts of eps given to the start; the rest is for the targets in between
_LARGEST_SPLIT = 0.4  # all of [-1/2, 1/2] is within 1/2 of 0
_LARGEST_WINDOW = 0.33  # the moments of `conditioned` are proved for eps below 1/3; a smaller window proves more
_SMALLEST_WINDOW = 2.0**-40  # `conditioned` gives up the gaps around its knots below 2^-36
_LARGEST_RADIUS = 6.0  # beyond, sums of k numbers are rare and the cells of targets many: the shifts serve


@dataclass(frozen=True)
class Route:
    """How a bound was proved: the failure probability and what it was spent on, in words."""

    failure: float
    how: str


def _restricted_failures(eps: float, floor: float) -> Iterator[tuple[Floats, float, bool, float]]:
    """For each split of eps: the curve h_k, eps_2, whether only inner targets count, and the failure by long steps.

    Inner targets, at least eps_2 inside [-1/2, 1/2], are within eps_2 of what is covered as soon as less than 2 eps_2
    is uncovered; the shifts must then leave no step longer than 1 - 2 eps_2.
    """
    if eps < _SMALLEST_EPS:
        allowed = f"at least {_SMALLEST_EPS:g} of the length on which the law has a density"
        raise ArgumentError("eps", f"{eps:.3g} of it", allowed)
    eps = min(eps, _LARGEST_SPLIT)
    for share in _SHARES:
        one, two = share * eps, (1 - share) * eps * (1 - 1e-15)
        yield failure_curve(2 * one, two, 0.5, floor), two, False, 0.0
        yield failure_curve(2 * one, 2 * two, 0.5, floor), two, True, 2 * two


def _restricted(n: int, eps: float, radius: float, floor: float) -> Route:
    best = Route(1.0, "nothing is proved of so few numbers")
    for curve, two, inner, long_step in _restricted_failures(eps, floor):
        needed = radius - 0.5 + (two if inner else 0.0)
        most = min(n, MOST_SHIFTS) if needed > 0 else 0
        grown = curve[np.minimum(n - np.arange(most + 1), len(curve) - 1)]
        totals = (grown + _shift_failures(most, needed, long_step)) * (1 + 1e-12)
        m = int(np.argmin(totals))
        if totals[m] < best.failure:
            best = Route(float(totals[m]), f"the restricted process ({n - m} numbers) and shifts ({m} numbers)")
    return best


def _shift_failures(most: int, needed: float, long_step: float) -> Floats:
    """Bounds on P(m numbers do not shift far enough on both sides, or one is longer than 1 - long_step)."""
    if needed <= 0:
        return np.zeros(most + 1)
    return 2 * one_sided_failures(most, needed) + np.arange(most + 1) * long_step


def finishing_failures(total: float, inner: float, gap: float, window: float, most: int = _FINISH) -> Floats:
    """Bounds on P(some target is not within eps_1 + eps_2 after K further numbers), K = 1 ... most.

    Parameters
    ----------
    total : E[uncovered length of [-A, A]], 1/2 <= A
    inner : the same of [-R', R'], R' = R + eps_2 <= A
    gap : the largest P(z - X falls outside [-A, A]), z in [-R', R']
    window : 2 eps_2, a length that contains a covered target if less is uncovered

    While the uncovered length is at most C kappa_j after j numbers, its mean falls by (1 + C kappa_j)/2 =
    kappa_(j+1)/kappa_j, and that of the inner part by gap + C kappa_j / 2; P(ever above C kappa_j) <= total / C (M5).

    >>> bool(finishing_failures(0.01, 0.005, 0.0, 2.0**-12)[5] < 0.02)
    True
    """
    best = np.ones(most)
    if not 0 < total < 1:
        return best if total > 0 else np.zeros(most)
    for level in np.geomspace(total, 1.0, 33)[1:]:
        kappa, product = 1.0, inner
        for j in range(most):
            product *= min(1.0, gap + level * kappa / 2)
            kappa *= min(1.0, 0.5 + level * kappa / 2)
            best[j] = min(best[j], (total / level + product / window) * (1 + 1e-12))
    return best


def _k_of(n: int) -> int:
    """A subset size that does well: what the sizes lose by chance grows with k / n, their number with k."""
    return min(max(2, round(0.37 * n)), LARGEST_K)


def moments_failures(n: int, groups: int, eps: float, radius: float) -> Floats:
    """Bounds on the failure of `groups` groups of n numbers and K = 1 ... more, as an array over K."""
    window = min(eps, _LARGEST_WINDOW)
    two = (0.25 if window > 2.0**-6 else 0.125) * window
    return _finished(n, groups, window - two, radius, two, 2 * two)[1:]


def _finished(n: int, groups: int, eps: float, radius: float, margin: float, window: float) -> Floats:
    """Bounds on P(`window` or more of [-radius - margin, radius + margin] is missed after K more), K = 0 ... more.

    The bound is that of a mean over `window`, whence it serves a random target of a `window` of the whole length, too.
    """
    reach = radius + 1.0
    misses = misses_of(n, _k_of(n), eps, reach)
    others = (misses,) * (groups - 1)
    inner_reach = radius + margin
    inner = misses.uncovered(others, inner_reach)
    best = np.append(min(1.0, inner / window), np.ones(_FINISH))
    for outer in np.linspace(max(1.0, inner_reach), reach, 8):
        gap = max(0.0, inner_reach + 1 - outer) / 2 * (1 + 1e-12)
        total = misses.uncovered(others, outer)
        best[1:] = np.minimum(best[1:], finishing_failures(total, inner, gap, window * (1 - 1e-12)))
    return best


def _has_moments(eps: float, radius: float) -> bool:
    return eps >= _SMALLEST_WINDOW and radius <= _LARGEST_RADIUS


def _moments(n: int, eps: float, radius: float) -> Route:
    best = Route(1.0, "")
    if not _has_moments(eps, radius):
        return best
    for groups in range(1, _GROUPS + 1):
        for k in range(1, _FINISH + 1) if groups > 1 else _FINISH_TRIED:
            size, rest = divmod(n - k, groups)
            if rest == 0 and _smallest_group(eps) <= size <= _largest_group(eps):
                failure = float(moments_failures(size, groups, eps, radius)[k - 1])
                if failure < best.failure:
                    best = Route(failure, _words(groups, size, k))
    return best


def _words(groups: int, size: int, k: int) -> str:
    each = f"{groups} groups of {size}" if groups > 1 else f"{size}"
    return f"the conditioned second moment ({each} numbers) and {k} numbers that finish"


def _smallest_group(eps: float) -> int:
    """Fewer numbers have too few sums: their expected number within eps of a target is below 2."""
    return max(6, math.ceil(math.log2(1 / min(eps, _LARGEST_WINDOW))) + 2)


def _largest_group(eps: float) -> int:
    return 2 * math.ceil(math.log2(1 / min(eps, _LARGEST_WINDOW))) + 24


@lru_cache(maxsize=4096)
def uniform_failure(n: int, eps: float, radius: float) -> Route:
    """A bound on P(some target of [-radius, radius] is not within eps of a sum of n numbers uniform on [-1, 1])."""
    if eps >= radius:
        return Route(0.0, "the empty sum is within eps of every target")
    return min(_restricted(n, eps, radius, 1e-15), _moments(n, eps, radius), key=lambda route: route.failure)


@lru_cache(maxsize=4096)
def uniform_miss(n: int, eps: float, radius: float) -> float:
    """A bound on P(a random target of [-radius, radius] is not within eps of a sum of n numbers uniform on [-1, 1]).

    The mean of the uncovered part: by the restricted process up to radius 1/2, on the interval itself or on
    [-1/2, 1/2], by the conditioned second moment, or by what is proved of all targets.

    >>> uniform_miss(20, 2.0**-6, 1.0) < uniform_failure(20, 2.0**-6, 1.0).failure / 4
    True
    """
    if eps >= radius:
        return 0.0
    found = [1.0]
    if radius <= 0.5:
        found += [mean_uncovered(eps / radius, n, radius), mean_uncovered(2 * eps, n, 0.5) / (2 * radius)]
    else:
        found += [uniform_failure(n, eps, radius).failure]
    if _has_moments(eps, radius):
        window = min(eps, _LARGEST_WINDOW)
        for groups in range(1, _GROUPS + 1):
            for k in range(n % groups, _FINISH + 1, groups) if groups > 1 else (0, *_FINISH_TRIED):
                size = (n - k) // groups
                if _smallest_group(eps) <= size <= _largest_group(eps):
                    found.append(float(_finished(size, groups, window, radius, 0.0, 2 * radius)[k]))
    return min(found) * (1 + 1e-12)


@lru_cache(maxsize=4096)
def uniform_samples(eps: float, radius: float, delta: float) -> tuple[int, Route]:
    """The smallest n that one of the routes proves to be enough, with the route."""
    if eps >= radius:
        return 0, Route(0.0, "the empty sum is within eps of every target")
    best_n, best = restricted_fewest(eps, radius, delta)
    if not _has_moments(eps, radius):
        return best_n, best
    likely = 1 if delta >= 0.03 else 2 if delta >= 1e-4 else 3
    for groups in sorted(range(1, _GROUPS + 1), key=lambda g: abs(g - likely)):
        found = _fewest_moments(groups, eps, radius, delta, best_n)
        if found is not None:
            best_n, best = found
    return best_n, best


def restricted_fewest(eps: float, radius: float, delta: float) -> tuple[int, Route]:
    """The smallest n that the restricted process proves to be enough, beyond a million where it does not."""
    best_n, best = _BEYOND, Route(1.0, "")
    for curve, two, inner, long_step in _restricted_failures(eps, delta / 64):
        needed = radius - 0.5 + (two if inner else 0.0)
        most = 0
        if needed > 0:
            most = 32
            while most < MOST_SHIFTS and 2 * one_sided_failures(most, needed)[-1] > delta / 64:
                most = min(2 * most, MOST_SHIFTS)
        shifts = _shift_failures(most, needed, long_step)
        for m, shift in enumerate(shifts):
            left = delta / (1 + 1e-12) - shift
            if left <= 0 or curve[-1] > left:
                continue
            k = int(np.argmax(curve <= left))
            if k + m < best_n:
                best_n = k + m
                how = f"the restricted process ({k} numbers) and shifts ({m} numbers)"
                best = Route(float(curve[k] + shift) * (1 + 1e-12), how)
    return best_n, best


def _fewest_moments(groups: int, eps: float, radius: float, delta: float, below: int) -> tuple[int, Route] | None:
    """The smallest groups x size + K below `below`, if any: the size by steps, halved, then a few larger ones.

    The time is that of the largest size tried, hence the start from below.
    """
    fails = _smallest_group(eps) - 1
    largest = min(_largest_group(eps), (below - 2) // groups)
    low = fails + 4
    while low <= largest and moments_failures(low, groups, eps, radius).min() > delta:
        fails, low = low, low + 4
    if low > largest:
        low = largest
        if low <= fails or moments_failures(low, groups, eps, radius).min() > delta:
            return None
    while low - fails > 1:
        middle = (low + fails) // 2
        if moments_failures(middle, groups, eps, radius).min() <= delta:
            low = middle
        else:
            fails = middle
    found = None
    for size in range(low, low + 5):
        if groups * size + 1 >= below:
            break
        failures = moments_failures(size, groups, eps, radius)
        if failures.min() <= delta:
            k = int(np.argmax(failures <= delta)) + 1
            if groups * size + k < below:
                below = groups * size + k
                found = below, Route(float(failures[k - 1]), _words(groups, size, k))
    return found
