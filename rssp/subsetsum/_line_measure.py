"""Kernel on unions of intervals: how much of the ball lies within eps of the sums of the first n numbers.

The targets covered after n + 1 numbers are C and C + x, if those after n are C. C is a sorted list of disjoint
intervals, each at least 2 eps long, so that there are at most reach / (2 eps) of them, however large 2^n is; int64,
hence exact.
"""

from __future__ import annotations

import numpy as np
from numba import njit

__all__ = ["fractions_of_trials"]


@njit(nogil=True, cache=True)
def _union_with_shifted(start, end, count, x, low, high, new_start, new_end):
    """The union of the intervals and of those moved by x, without those outside [low, high]: how many there are."""
    i, k, size = 0, 0, 0
    while i < count or k < count:
        if k >= count or (i < count and start[i] <= start[k] + x):
            a, b = start[i], end[i]
            i += 1
        else:
            a, b = start[k] + x, end[k] + x
            k += 1
        if b < low or a > high:
            continue
        if size > 0 and a <= new_end[size - 1]:
            new_end[size - 1] = max(new_end[size - 1], b)
        else:
            new_start[size], new_end[size] = a, b
            size += 1
    return size


@njit(nogil=True, cache=True)
def fractions_of_trials(samples, lo, hi, eps, n_min, room, fraction):
    """Fill fraction (trials, columns) for the first n_min, n_min + 1, ... numbers of samples (trials, n).

    lo, hi, eps : int64 (trials,); room : no fewer than the intervals there can be at a time.
    """
    start, end = np.empty(room, np.int64), np.empty(room, np.int64)
    new_start, new_end = np.empty(room, np.int64), np.empty(room, np.int64)
    columns = fraction.shape[1]
    n_max = n_min + columns - 1
    for t in range(fraction.shape[0]):
        # what later numbers can still move into the ball
        low, high = lo[t], hi[t]
        for n in range(n_max):
            low -= max(samples[t, n], 0)
            high -= min(samples[t, n], 0)
        start[0], end[0], count = -eps[t], eps[t], 1
        for n in range(1, n_max + 1):
            x = samples[t, n - 1]
            low += max(x, 0)
            high += min(x, 0)
            count = _union_with_shifted(start, end, count, x, low, high, new_start, new_end)
            start, new_start = new_start, start
            end, new_end = new_end, end
            if n >= n_min:
                covered = 0.0
                for k in range(count):
                    covered += max(min(end[k], hi[t]) - max(start[k], lo[t]), 0)
                fraction[t, n - n_min] = covered / (hi[t] - lo[t])
