"""Coverage at an eps far above the spacing of the sums, for many samples of any n: a bitmap of the sums, doubled.

A bitmap of cells of width w holds the sums of the vectors taken so far; the next vector of absolute value a adds the
bitmap shifted by s = round(a / w). No cell stands for a sum it does not have up to an error known exactly: after all
vectors, a set cell p holds a sum within [p w + E-, p w + E+], where E- and E+ add up the negative and the positive
residues a - s w. With D = E+ - E-, neighbouring cells further apart than 2 eps + D leave a target uncovered for
certain, and if all are nearer than 2 eps - D every target is covered for certain; in between, a smaller w decides.

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
def _verdict(bits, cells, width, error_low, error_high, near, far, eps):
    """From the bitmap (cell p at depth p * width below the largest sum) to a decision for depths near to far.

    error_low <= 0 <= error_high bound the true depth of a set cell minus p * width. The true eps lies in
    [eps, eps + 1): covered is said of eps, uncovered of eps + 1.
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
            if last < 0:
                if depth + error_low - near > eps + 1:
                    return UNCOVERED
                if depth + error_high - near > eps:
                    open_gap = True
            else:
                before = last * width
                gap = depth - before
                if gap > 2 * eps - spread:
                    # the hole reaches from before + eps to depth - eps; it matters where it meets the targets
                    if max(before + eps + 1 + error_high, near) < min(depth - eps - 1 + error_low, far):
                        return UNCOVERED
                    if max(before + eps + error_low, near) <= min(depth - eps + error_high, far):
                        open_gap = True
            last = p
            if depth + error_low >= far:
                return OPEN if open_gap else COVERED
    if last < 0 or far - (last * width + error_high) > eps + 1:
        return UNCOVERED
    if far - (last * width + error_low) > eps:
        open_gap = True
    return OPEN if open_gap else COVERED


@njit(nogil=True, cache=True)
def _decide_one(sample, low, high, eps, fineness, most_cells):
    """Whether one sample covers [low, high] at eps, all in units; OPEN where `fineness` cells an eps do not tell."""
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
    return _verdict(bits, words * 64, width, error_low, error_high, near, far, eps)


@njit(nogil=True, cache=True)
def _decide_many(samples, low, high, eps, fineness, most_cells):
    result = np.empty(samples.shape[0], np.int64)
    for t in range(samples.shape[0]):
        result[t] = _decide_one(samples[t], low, high, eps, fineness, most_cells)
    return result


def decide(
    samples: NDArray[np.int64], low: int, high: int, eps: int, fineness: int, most_cells: int
) -> NDArray[np.int64]:
    """COVERED, UNCOVERED or OPEN for each of the samples (trials, n), all numbers in units of the fixed point.

    The answer holds for every real eps in [eps, eps + 1). Sums, `low`, `high` and `eps` stay below 2**61 in absolute
    value.
    """
    return np.asarray(_decide_many(samples, low, high, eps, fineness, most_cells))
