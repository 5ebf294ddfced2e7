"""Kernels on the sorted list of subset sums: exact covering radii of many small samples.

The sums of n + 1 numbers are the sorted merge of the sums L of the first n and of L + x. Only those are kept that later
numbers can still move into the ball, and the nearest beyond on each side; a step of the merge is a comparison and an
addition, without a branch. Everything is int64, so a gap between neighbours is exact.

Lengths are counted in half units (2^(-q-1)): the target farthest from the sums is the middle of a gap, or an end of the
ball.
"""

from __future__ import annotations

import numpy as np

from rssp._jit import kernel

__all__ = ["profiles_by_merging"]


_BEYOND = np.int64(2**62)  # on both sides of each list: beyond every sum, even moved by a number


@kernel(inner=True)
def _first_beyond(sums, size, value):
    """The first index from 1 to size whose sum is > value, else size + 1."""
    low, high = 1, size + 1
    while low < high:
        middle = (low + high) >> 1
        if sums[middle] <= value:
            low = middle + 1
        else:
            high = middle
    return low


@kernel(inner=True)
def _merge(old, size, x, low, high, new):
    """Merge the sorted old[1 : size + 1] with itself moved by x, into new[1 : m + 1]; returns m.

    Kept are the values in [low, high] and the nearest beyond it on each side: of 0, 2, 4 and x = 3 in [1, 4], which are
    0, 2, 3, 4, 5, 7, they are 0, 2, 3, 4, 5. They are taken from both ends at once, half of them each: the two chains
    of steps overlap. Neither runs out of its lists: beyond the sums wanted there are others, and at last _BEYOND.
    """
    i, j = max(_first_beyond(old, size, low - 1) - 1, 1), max(_first_beyond(old, size, low - 1 - x) - 1, 1)
    k, m = min(_first_beyond(old, size, high), size), min(_first_beyond(old, size, high - x), size)
    count = k - i + m - j + 2
    half = count // 2 if count >= 8 else 0  # at most two of them lie beyond each end, where the chains may differ
    for step in range(half):
        c, d = old[k], old[m] + x
        last = c > d
        new[count - step] = c if last else d
        k -= last
        m -= not last
        a, b = old[i], old[j] + x
        first = a <= b
        new[1 + step] = a if first else b
        i += first
        j += not first
    for place in range(1 + half, count - half + 1):
        a, b = old[i], old[j] + x
        first = a <= b
        new[place] = a if first else b
        i += first
        j += not first
    new[0], new[count + 1] = -_BEYOND, _BEYOND
    return count


@kernel(inner=True)
def _gap_radius(a, b, lo, hi):
    """(radius, witness) in half units of the targets in [lo, hi] between the neighbouring sums a < b."""
    middle = a + b
    if middle < 2 * lo:
        return 2 * (b - lo), 2 * lo
    if middle > 2 * hi:
        return 2 * (hi - a), 2 * hi
    return b - a, middle


@kernel(inner=True)
def _sorted_radius(sums, size, lo, hi):
    """(radius, witness) in half units, from sums[1 : size + 1] ascending: all in the ball and the next on each side."""
    first, last = _first_beyond(sums, size, lo - 1), _first_beyond(sums, size, hi)  # sums[first:last] lie in the ball
    best, witness, where = np.int64(0), 2 * lo, last
    for start in range(first, last - 1, 256):  # in blocks, so that the place of the longest gap costs little to find
        stop = min(start + 256, last - 1)
        left, right = sums[start:stop], sums[start + 1 : stop + 1]
        longest = np.int64(0)
        for k in range(len(left)):
            longest = max(longest, right[k] - left[k])
        if longest > best:
            best, where = longest, start
    for k in range(where, last - 1):
        if sums[k + 1] - sums[k] == best:
            witness = sums[k] + sums[k + 1]
            break
    for k in (first, last):  # the gaps that hold the ends of the ball
        if k == 1:
            radius, z = 2 * (sums[1] - lo), 2 * lo
        elif k == size + 1:
            radius, z = 2 * (hi - sums[size]), 2 * hi
        else:
            radius, z = _gap_radius(sums[k - 1], sums[k], lo, hi)
        if radius > best:
            best, witness = radius, z
    return best, witness


@kernel
def profiles_by_merging(samples, lo, hi, n_min, radius, witness):
    """Fill radius, witness (trials, n_max - n_min + 1) for the first n_min .. n_max numbers of samples (trials, n).

    lo, hi : int64 (trials,), the ball of each trial in units.
    """
    trials, columns = radius.shape
    n_max = n_min + columns - 1
    sums = np.empty((1 << n_max) + 2, np.int64)
    other = np.empty((1 << n_max) + 2, np.int64)
    for t in range(trials):
        low, high = lo[t], hi[t]
        for n in range(n_max):
            low -= max(samples[t, n], 0)
            high -= min(samples[t, n], 0)
        sums[0], sums[1], sums[2], size = -_BEYOND, 0, _BEYOND, np.int64(1)
        for n in range(n_max + 1):
            if n > 0:
                x = samples[t, n - 1]
                low += max(x, 0)
                high += min(x, 0)
                # no sum is farther than 2^61 from 0
                size = _merge(sums, size, x, max(low, -_BEYOND >> 1), min(high, _BEYOND >> 1), other)
                sums, other = other, sums
            if n >= n_min:
                radius[t, n - n_min], witness[t, n - n_min] = _sorted_radius(sums, size, lo[t], hi[t])
