"""Coverage at an eps far above the spacing of the sums, for many samples of any n: a bitmap of the sums, doubled.

A bitmap of cells of width w holds the sums of the vectors taken so far; the next vector of absolute value a adds the
bitmap shifted by s = round(a / w). No cell stands for a sum it does not have up to an error known exactly: after all
vectors, a set cell p holds a sum within [p w + E-, p w + E+], where E- and E+ add up the negative and the positive
residues a - s w. With D = E+ - E-, neighbouring cells further apart than 2 eps + D leave a target uncovered for
certain, and if all are nearer than 2 eps - D every target is covered for certain. In between, a smaller w decides, or
the two exact sums beside the hole, found by going through the subsets whose sums can still end there: near the
largest sum, where holes are, there are few.

Sums are counted downwards from the largest one (or upwards from the smallest, whichever lies nearer to the targets):
they then only move away, and those beyond the far end of the targets are dropped at once.

Cost: n word operations for each 64 cells of the way from the largest sum to the far end of the targets; memory 1/4 byte
a cell. It does not grow with 2^n.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

__all__ = ["COVERED", "OPEN", "UNCOVERED", "decide"]

UNCOVERED, COVERED, OPEN = 0, 1, 2


@njit(nogil=True, cache=True)
def _cell_width(sizes, wanted):
    """The cell width in (0.75 wanted, wanted] whose residues add up to the least, and that sum D in units."""
    best_width, best_error = wanted, np.int64(2**62)
    tries = 48 if wanted >= 256 else 1
    for t in range(tries):
        width = wanted - (wanted * t) // (4 * tries)
        error = np.int64(0)
        for a in sizes:
            rest = a % width
            error += min(rest, width - rest)
        if error * best_width < best_error * width or t == 0:
            best_width, best_error = width, error
    return best_width, best_error


@njit(nogil=True, cache=True)
def _double(old, new, shift):
    """new = old | old << shift, word by word."""
    words = old.size
    whole, part = shift >> 6, np.uint64(shift & 63)
    for i in range(min(whole, words)):
        new[i] = old[i]
    if whole >= words:
        return
    if part == 0:
        for i in range(whole, words):
            new[i] = old[i] | old[i - whole]
        return
    back = np.uint64(64) - part
    new[whole] = old[whole] | (old[0] << part)
    for i in range(whole + 1, words):
        new[i] = old[i] | (old[i - whole] << part) | (old[i - whole - 1] >> back)


@njit(nogil=True, cache=True)
def _nearest_sum(sizes, rest, low, high, largest, nodes):
    """The largest (or smallest) subset sum of `sizes` in [low, high]; -1 where there is none, -2 after `nodes` steps.

    sizes descend and rest[i] is the sum of those from i on. Depth first, the number i taken before it is left out;
    what can no longer end in [low, high] is cut off, and the interval shrinks to what would be better.
    """
    n = sizes.size
    taken = np.zeros(n, np.bool_)
    best = np.int64(-1)
    i, partial = 0, np.int64(0)
    while nodes > 0:
        nodes -= 1
        inside = partial <= high and partial + rest[i] >= low
        if inside and i < n:
            taken[i] = True
            partial += sizes[i]
            i += 1
            continue
        if inside:  # low <= partial <= high
            best = partial
            if largest:
                low = partial + 1
            else:
                high = partial - 1
            if low > high:
                return best
        i -= 1
        while i >= 0 and not taken[i]:
            i -= 1
        if i < 0:
            return best
        taken[i] = False
        partial -= sizes[i]
        i += 1
    return np.int64(-2)


@njit(nogil=True, cache=True)
def _hole(sizes, rest, left, right, spread, near, far, eps, twice_eps, nodes):
    """Whether targets from near to far lie in the hole between two neighbouring sums: UNCOVERED, COVERED or OPEN.

    The lower sum is the largest one <= left, known to be >= left - spread; the upper one the smallest >= right, known
    to be <= right + spread. left < 0: there is no lower one; right < 0: no upper one.
    """
    if nodes == 0:
        return OPEN
    before, after = np.int64(-1), np.int64(-1)
    if left >= 0:
        before = _nearest_sum(sizes, rest, max(left - spread, 0), left, True, nodes)
    if right >= 0 and before != -2:
        after = _nearest_sum(sizes, rest, right, right + spread, False, nodes)
    if before == -2 or after == -2:
        return OPEN
    if (left >= 0 and far - before <= eps) or (right >= 0 and after - near <= eps):
        return COVERED
    if left >= 0 and right >= 0 and after - before <= twice_eps:
        return COVERED
    return UNCOVERED


@njit(nogil=True, cache=True)
def _verdict(bits, cells, width, error_low, error_high, near, far, eps, twice_eps, sizes, rest, nodes):
    """From the bitmap (cell p at depth p * width below the largest sum) to a decision for depths near to far.

    error_low <= 0 <= error_high bound the true depth of a set cell minus p * width. The true eps lies in
    [eps, eps + 1) and twice of it in [twice_eps, twice_eps + 1).
    """
    spread = error_high - error_low
    open_gap = False
    # the last set cell that may lie before the targets stands for a sum at depth -infinity until one is seen
    last = np.int64(-1)
    for word in range((cells + 63) >> 6):
        value = bits[word]
        while value:
            low_bit = value & (~value + np.uint64(1))
            p = np.int64(word) * 64
            probe = low_bit
            step = np.int64(32)
            while step:  # position of the lowest set bit
                if probe >> np.uint64(step):
                    probe >>= np.uint64(step)
                    p += step
                step >>= 1
            value ^= low_bit
            depth = p * width
            if last < 0:  # the largest sum itself, at depth 0
                if -near > eps:
                    return UNCOVERED
            else:
                before = last * width
                gap = depth - before
                if gap > 2 * eps - spread:
                    # the hole reaches from before + eps to depth - eps; it matters where it meets the targets
                    if max(before + eps + 1 + error_high, near) < min(depth - eps - 1 + error_low, far):
                        return UNCOVERED
                    if max(before + eps + error_low, near) <= min(depth - eps + error_high, far):
                        left, right = before + error_high, depth + error_low
                        found = OPEN
                        if left < right:
                            found = _hole(sizes, rest, left, right, spread, near, far, eps, twice_eps, nodes)
                        if found == UNCOVERED:
                            return UNCOVERED
                        open_gap = open_gap or found == OPEN
            last = p
            if depth + error_low >= far:
                return OPEN if open_gap else COVERED
    if far - (last * width + error_high) > eps + 1:
        return UNCOVERED
    if far - (last * width + error_low) > eps:
        left = last * width + error_high
        found = _hole(sizes, rest, left, np.int64(-1), spread, near, far, eps, twice_eps, nodes)
        if found == UNCOVERED:
            return UNCOVERED
        open_gap = open_gap or found == OPEN
    return OPEN if open_gap else COVERED


@njit(nogil=True, cache=True)
def _decide_one(sample, low, high, eps, twice_eps, fineness, most_cells, nodes):
    """Whether one sample covers [low, high] at eps, all in units; OPEN where neither cells nor `nodes` steps tell."""
    top = np.int64(0)
    bottom = np.int64(0)
    for x in sample:
        if x > 0:
            top += x
        else:
            bottom += x
    near, far = top - high, top - low
    if high - bottom < far:  # the smallest sum is nearer to the far end: look from below
        near, far = low - bottom, high - bottom
    if far + eps < 0:
        return UNCOVERED
    sizes = np.sort(np.abs(sample[sample != 0]))[::-1]
    width, spread = _cell_width(sizes, max(np.int64(1), eps // fineness))
    # one eps and the largest error beyond the far end: what lies there can still cover it
    reach = far + eps + spread
    cells = reach // width + 2
    if cells > most_cells:
        return OPEN
    words = (cells + 63) >> 6
    bits, other = np.zeros(words, np.uint64), np.zeros(words, np.uint64)
    bits[0] = 1
    error_low = np.int64(0)
    error_high = np.int64(0)
    for a in sizes:
        shift = (a + width // 2) // width
        residue = a - shift * width
        error_low += min(residue, np.int64(0))
        error_high += max(residue, np.int64(0))
        if shift:
            _double(bits, other, shift)
            bits, other = other, bits
    rest = np.zeros(sizes.size + 1, np.int64)
    for i in range(sizes.size - 1, -1, -1):
        rest[i] = rest[i + 1] + sizes[i]
    return _verdict(
        bits, words * 64, width, error_low, error_high, near, far, eps, twice_eps, sizes, rest, np.int64(nodes)
    )


@njit(nogil=True, cache=True)
def _decide_many(samples, low, high, eps, twice_eps, fineness, most_cells, nodes):
    result = np.empty(samples.shape[0], np.int64)
    for t in range(samples.shape[0]):
        result[t] = _decide_one(samples[t], low, high, eps, twice_eps, fineness, most_cells, nodes)
    return result


def decide(
    samples: NDArray[np.int64],
    low: int,
    high: int,
    eps: int,
    twice_eps: int,
    fineness: int,
    most_cells: int,
    nodes: int,
) -> NDArray[np.int64]:
    """COVERED, UNCOVERED or OPEN for each of the samples (trials, n), all numbers in units of the fixed point.

    The answer holds for every real eps in [eps, eps + 1) with 2 eps in [twice_eps, twice_eps + 1). Sums, `low`, `high`
    and `eps` stay below 2**61 in absolute value. `nodes` steps may be spent on each exact sum beside a hole.
    """
    return np.asarray(_decide_many(samples, low, high, eps, twice_eps, fineness, most_cells, nodes))
