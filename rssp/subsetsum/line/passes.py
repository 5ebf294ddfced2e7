"""The covering radius by passes over a bitmap (`bitmap`): which cells each pass takes, and when it is enough.

Radii and witnesses are int64 halves of the unit 2^-q in which samples and balls are counted.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rssp._jit import kernel
from rssp.subsetsum.line.bitmap import Cut, settle_ends, settle_on_cells
from rssp.subsetsum.results import NEVER, OPEN

__all__ = ["coverings_by_bitmap", "covers_by_bitmap", "profiles_by_bitmap", "radius_by_bitmap"]

Ints = NDArray[np.int64]
Whole = int | np.int64

_FARTHEST = 2**62  # half units; the empty sum is nearer to every target
_WIDEST = np.int64(2**53)  # cell: the ends of the bitmap stay in int64


@kernel(inner=True)
def _tune(small, w, tries):
    """(width, E): the cell width in [w, 1.25 w] for which E = sum |x / w - round(x / w)| is least."""
    best, chosen = np.inf, w
    for t in range(tries):
        trial = w + (w * t) // (4 * tries)
        inverse = 1.0 / trial
        error = 0.0
        for x in small:
            cells = x * inverse
            error += abs(cells - np.rint(cells))
        if error < best:
            best, chosen = error, trial
    return chosen, best


@kernel(inner=True)
def _how_many_to_shift(a, w, width, spread, max_cells):
    """j: how many of the smallest numbers go by shifts, balancing the time of scattering and of shifting.

    Counted in the time of placing a sum: 1.5 for a pair of sums that is met, 0.006 for a cell shifted (64 cells a word)
    or searched, as the part `line` of benchmarks/speed.py gave them at n = 20 to 34; measure again with `_scatter`.
    """
    n = len(a)
    best, chosen, halo = np.inf, 0, 0.0
    for j in range(min(n, 14) + 1):
        if j > 0:
            halo += a[j - 1]
        cells = (width + halo) / w
        windows = 1.0
        if cells > max_cells:
            free = max_cells - halo / w
            if free < 0.1 * max_cells:
                break
            windows = math.ceil(width / w / free)
        scatter = 1.5 * 2.0 ** (n - j) * min(1.0, (width / windows + halo) / spread) * windows
        cost = scatter + (j + 2) * 0.006 * (width / windows + halo) / w * windows
        if cost < best:
            best, chosen = cost, j
    return chosen


@kernel(inner=True)
def _cells_a_gap(n):
    """Cells a mean gap where sums are sparsest: fewer make the bitmap cheaper, more leave fewer runs to settle.

    The best at n = 20 to 34 by the part `line` of benchmarks/speed.py; measure again when `_shift_or` or the settling
    of runs changes.
    """
    return min(max(2.0 - (n - 26) / 6, 1.0), 2.0)


class Positive(NamedTuple):
    """Numbers > 0, and what is known of their sums."""

    a: Ints
    """ascending"""
    moved: np.int64
    """the sum of the negative numbers of x: the sums of x are those of a, moved by it"""
    divisor: np.int64
    """the greatest common one; 0 without numbers"""
    total: np.int64
    spread: float
    """the standard deviation of the sums"""


@kernel(inner=True)
def _flip(x):
    """The sums of x (n,), with its negative numbers turned positive."""
    a = np.empty(len(x), np.int64)
    n, moved, divisor, total, squares = 0, np.int64(0), np.int64(0), np.int64(0), 0.0
    for value in x:
        if value < 0:
            moved += value
            value = -value
        if value > 0:
            k = n
            while k > 0 and a[k - 1] > value:
                a[k] = a[k - 1]
                k -= 1
            a[k] = value
            n += 1
            total += value
            squares += float(value) * float(value)
            while value > 0 and divisor != 1:
                divisor, value = value, divisor % value
    return Positive(a[:n], moved, divisor, total, math.sqrt(squares) / 2)


@kernel(inner=True)
def _cell_width(n, best, width, far, spread, at_one_eps):
    """A width that makes the gaps beyond `best` runs of enough cells; a guess, on which only the cost depends.

    far : the distance of the ball's farther end from the mean of the sums, whose density is taken to be normal there.
    """
    # neighbours among 2^n sums that far from their mean
    mean_gap = 2.51 * spread * math.exp(min(far * far / (2 * spread * spread), 600.0) - n * 0.6931471805599453)
    runs = 16.0
    if at_one_eps:  # cells may be coarser where so many sums are expected that hardly a run stays open
        crowding = (math.log(max(width / mean_gap, 1.0)) + 2) * mean_gap / best
        runs = min(max(2.8 / max(1 - crowding, 0.1), 4.5), 16.0)
    w = max(min(mean_gap / _cells_a_gap(n), width / 16), best / runs)
    return min(np.int64(w), _WIDEST)


@kernel(inner=True)
def _next_cells(sums, width, w, best, at_one_eps, max_cells):
    """The `Cut` of a pass through a ball of this width, with cells no wider than about w."""
    while True:
        w = max(w, 1)
        exact = w <= sums.divisor <= _WIDEST
        w = sums.divisor if exact else w
        shifted = _how_many_to_shift(sums.a, w, width, 5 * sums.spread, max_cells)
        if not exact:
            w, error = _tune(sums.a[:shifted], w, min(max((1 << min(len(sums.a), 40)) >> 12, 1), 4096))
            if at_one_eps and w > 1 and best < (2.1 + 2 * error) * w:
                w = 3 * w // 5  # this pass would not be sure
                continue
        return Cut(w, shifted, exact, 0.75 * _cells_a_gap(len(sums.a)) * math.log(max(width / w, 2.0)))


@kernel
def radius_by_bitmap(x, lo, hi, known, enough, max_cells):
    """(radius, witness) in half units of the targets in [lo, hi], for the sums of x (n,).

    Targets no farther than `known` do not interest: if there are no others, the witness is 2 * lo - 1, which is none.
    The first target farther than `enough` is returned, if any. max_cells : the size of the bitmap in cells.
    """
    sums = _flip(x)
    lo, hi = lo - sums.moved, hi - sums.moved
    best, witness, left, right = settle_ends(sums.a, lo, hi, sums.divisor, known)
    # a gap between two sums inside the ball is no longer than the ball
    if len(sums.a) > 0 and best <= enough and best < hi - lo and hi > 0 and lo < sums.total:
        far, at_one_eps, done = max(abs(lo - sums.total * 0.5), abs(hi - sums.total * 0.5)), known > 0, False
        w = _cell_width(len(sums.a), best, float(hi - lo), far, sums.spread, at_one_eps)
        while not done:
            cut = _next_cells(sums, float(hi - lo), w, best, at_one_eps, max_cells)
            done, best, witness = settle_on_cells(
                sums.a, (left, right), (lo, hi), cut, best, witness, enough, max_cells
            )
            w = max(cut.width // 3, 1)
    return best, witness + 2 * sums.moved


def profiles_by_bitmap(
    samples: Ints, lo: Ints, hi: Ints, n_min: Whole, max_cells: Whole, radius: Ints, witness: Ints
) -> None:
    """Fill radius, witness (trials, columns), in half units, for the first n_min, n_min + 1, ... numbers of samples."""
    for t in range(radius.shape[0]):
        for c in range(radius.shape[1]):
            x = samples[t, : n_min + c]
            radius[t, c], witness[t, c] = radius_by_bitmap(x, lo[t], hi[t], -1, _FARTHEST, max_cells)


def covers_by_bitmap(x: Ints, lo: Whole, hi: Whole, limit: Whole, max_cells: Whole) -> bool:
    """Whether the sums of x leave no target in [lo, hi] (units) farther than limit (half units).

    The first look is at the eighth of the ball where the sums are sparsest: most holes are there.
    """
    part, total = (hi - lo) >> 3, x.sum()
    if part >> 9 > limit:
        low, high = (hi - part, hi) if abs(2 * hi - total) > abs(2 * lo - total) else (lo, lo + part)
        if radius_by_bitmap(x, low, high, limit, limit, max_cells)[0] > limit:
            return False
    return bool(radius_by_bitmap(x, lo, hi, limit, limit, max_cells)[0] <= limit)


def coverings_by_bitmap(
    samples: Ints,
    counts: Ints,
    ends: tuple[Ints, Ints],
    limits: Ints,
    stop: Ints,
    first: Whole,
    max_cells: Whole,
    times: Ints,
) -> None:
    """Replace NEVER in times (trials, m) by the least n >= first whose sums leave no target farther than the limit.

    ends : (lo, hi), each (trials,), units; limits (trials, m) : half units, descending, so that times ascend; NEVER
    stays where no n <= counts[t] does; OPEN: none up to stop (trials, m), where there are more numbers.
    """
    for t in range(len(times)):
        n, low, high = first, ends[0][t], ends[1][t]
        for e in np.flatnonzero(times[t] < 0):
            limit = limits[t, e]
            while n <= counts[t] and times[t, e] == NEVER:
                if n > stop[t, e]:
                    times[t, e] = OPEN
                elif (high - low) >> min(n, 62) > limit:  # 2^n times 2 eps are too short in all
                    n += 1
                elif radius_by_bitmap(samples[t, :n], low, high, limit, limit, max_cells)[0] <= limit:
                    times[t, e] = n
                else:
                    n += 1
