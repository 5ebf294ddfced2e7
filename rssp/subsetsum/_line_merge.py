"""Kernels on the sorted list of all subset sums: exact covering radii of many small samples.

The sums of n + 1 numbers are the sorted merge of the sums L of the first n and of L + x: 2^(n+1) steps of about 1 ns,
and 8 * 2^(n+1) bytes. Everything is int64, so a gap between neighbours is exact.

Lengths are counted in half units (2^(-q-1)): the target farthest from the sums is the middle of a gap, or an end of the
ball.
"""

from __future__ import annotations

import numpy as np
from numba import njit

__all__ = ["profiles_by_merging"]


@njit(nogil=True, cache=True)
def _merge(old, size, x, new):
    """new[:2 * size] = the sorted union of old[:size] and old[:size] + x.

    From both ends at once, `size` steps each: neither runs out of its lists, and the two chains of steps overlap.
    """
    less, more = min(x, 0), max(x, 0)  # old + less is the list that begins first
    i, j = 0, 0
    k, m = size - 1, size - 1
    for step in range(size):
        a, b = old[i] + less, old[j] + more
        first = a <= b
        new[step] = a if first else b
        i += first
        j += not first
        c, d = old[k] + less, old[m] + more
        last = c > d
        new[2 * size - 1 - step] = c if last else d
        k -= last
        m -= not last


@njit(nogil=True, cache=True)
def _gap_radius(a, b, lo, hi):
    """(radius, witness) in half units of the targets in [lo, hi] between the neighbouring sums a < b."""
    middle = a + b
    if middle < 2 * lo:
        return 2 * (b - lo), 2 * lo
    if middle > 2 * hi:
        return 2 * (hi - a), 2 * hi
    return b - a, middle


@njit(nogil=True, cache=True)
def _first_beyond(sums, size, value):
    """The first index whose sum is > value."""
    low, high = 0, size
    while low < high:
        middle = (low + high) >> 1
        if sums[middle] <= value:
            low = middle + 1
        else:
            high = middle
    return low


@njit(nogil=True, cache=True)
def _sorted_radius(sums, size, lo, hi):
    """(radius, witness) in half units, from all sums in ascending order."""
    first, last = _first_beyond(sums, size, lo - 1), _first_beyond(sums, size, hi)  # sums[first:last] lie in the ball
    best = np.int64(0)
    for k in range(first + 1, last):
        best = max(best, sums[k] - sums[k - 1])
    witness = 2 * lo
    for k in range(first + 1, last):
        if sums[k] - sums[k - 1] == best:
            witness = sums[k] + sums[k - 1]
            break
    for k in (first, last):  # the gaps that hold the ends of the ball
        if k == 0:
            radius, z = 2 * (sums[0] - lo), 2 * lo
        elif k == size:
            radius, z = 2 * (hi - sums[size - 1]), 2 * hi
        else:
            radius, z = _gap_radius(sums[k - 1], sums[k], lo, hi)
        if radius > best:
            best, witness = radius, z
    return best, witness


@njit(nogil=True, cache=True)
def profiles_by_merging(samples, lo, hi, n_min, radius, witness):
    """Fill radius, witness (trials, n_max - n_min + 1) for the first n_min .. n_max numbers of samples (trials, n).

    lo, hi : int64 (trials,), the ball of each trial in units.
    """
    trials, columns = radius.shape
    n_max = n_min + columns - 1
    sums = np.empty(1 << n_max, np.int64)
    other = np.empty(1 << n_max, np.int64)
    for t in range(trials):
        sums[0] = 0
        for n in range(n_max + 1):
            if n > 0:
                _merge(sums, 1 << (n - 1), samples[t, n - 1], other)
                sums, other = other, sums
            if n >= n_min:
                radius[t, n - n_min], witness[t, n - n_min] = _sorted_radius(sums, 1 << n, lo[t], hi[t])
