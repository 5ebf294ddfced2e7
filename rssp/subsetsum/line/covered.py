"""Kernels on unions of intervals: which targets lie within eps of the sums of the first n numbers.

The targets covered after n + 1 numbers are C and C + x, if those after n are C. C is a sorted list of disjoint
intervals, each at least 2 eps long, so that there are at most reach / (2 eps) of them, however large 2^n is, and few
once the sums crowd. Only targets that later numbers can still move into the ball are kept. Everything is int64, hence
exact.
"""

from __future__ import annotations

import numpy as np

from rssp._jit import kernel
from rssp.subsetsum.results import NEVER, OPEN

__all__ = ["coverings_by_intervals", "fractions_by_intervals"]

_LEAST = np.int64(-(2**63) + 1)
_REACH = np.int64(2**61)  # units: no sum and no target is farther from 0


@kernel(inner=True)
def _first_not_below(ascending, size, value):
    """The first index below size whose entry is >= value, else size."""
    low, high = 0, size
    while low < high:
        middle = (low + high) >> 1
        if ascending[middle] < value:
            low = middle + 1
        else:
            high = middle
    return low


@kernel(inner=True)
def _union_with_shifted(start, end, count, x, low, high, new_start, new_end):
    """The union of the intervals and of those moved by x, less what lies outside [low, high]; returns how many it has.

    [0, 2] and [6, 8] moved by x = 1 are [1, 3] and [7, 9]: the union is [0, 3] and [6, 9]. The intervals of both lists
    are taken in the order of their starts; each opens a new one or prolongs the one before, without a branch: about a
    dozen operations an interval.
    """
    i, i_stop = _first_not_below(end, count, low), _first_not_below(start, count, high + 1)
    k, k_stop = _first_not_below(end, count, low - x), _first_not_below(start, count, high + 1 - x)
    begin, upto, size = _LEAST, _LEAST, -1
    while i < i_stop and k < k_stop:
        a, b = start[i], start[k] + x
        first = a <= b
        s = a if first else b
        e = end[i] if first else end[k] + x
        i += first
        k += not first
        fresh = s > upto
        size += fresh
        begin = s if fresh else begin
        upto = max(upto, e)
        new_start[size] = begin
        new_end[size] = upto
    shift = np.int64(0)
    if i == i_stop:
        i, i_stop, shift = k, k_stop, x
    while i < i_stop:
        s = start[i] + shift
        fresh = s > upto
        size += fresh
        begin = s if fresh else begin
        upto = max(upto, end[i] + shift)
        new_start[size] = begin
        new_end[size] = upto
        i += 1
    return size + 1


@kernel(inner=True)
def _with_space(array, count, most):
    """The array, or a larger one, with space for the union of two lists of `count` intervals."""
    return array if 2 * count <= len(array) else np.empty(min(4 * count, most), np.int64)


@kernel
def coverings_by_intervals(samples, counts, ends, limit, most, times):
    """Fill times (trials,) with the first n whose sums leave no target in [lo, hi] farther than limit.

    NEVER : none of the first counts[t] numbers does; OPEN : more than `most` intervals would be needed, 32 bytes each.
    samples (trials, n), ends = (lo, hi), each (trials,) : units; limit (trials,) : half units, as the intervals are.
    """
    lo, hi = ends
    start, end = np.empty(1024, np.int64), np.empty(1024, np.int64)
    new_start, new_end = np.empty(1024, np.int64), np.empty(1024, np.int64)
    for t in range(samples.shape[0]):
        negative, positive = np.int64(0), np.int64(0)
        for n in range(counts[t]):
            negative += min(samples[t, n], 0)
            positive += max(samples[t, n], 0)
        times[t] = NEVER
        if 2 * hi[t] > 2 * positive + limit[t] or 2 * lo[t] < 2 * negative - limit[t]:
            continue
        start[0], end[0], count = -limit[t], limit[t], 1
        for n in range(counts[t] + 1):
            if n > 0:
                x = samples[t, n - 1]
                negative -= min(x, 0)
                positive -= max(x, 0)
                if 2 * count > most:
                    times[t] = OPEN
                    break
                new_start, new_end = _with_space(new_start, count, most), _with_space(new_end, count, most)
                low, high = max(lo[t] - positive, -_REACH), min(hi[t] - negative, _REACH)
                count = _union_with_shifted(start, end, count, 2 * x, 2 * low, 2 * high, new_start, new_end)
                start, new_start = new_start, start
                end, new_end = new_end, end
            k = _first_not_below(end, count, 2 * hi[t])
            if k < count and start[k] <= 2 * lo[t]:
                times[t] = n
                break


@kernel
def fractions_by_intervals(samples, ends, eps, n_min, most, fraction):
    """Fill fraction (trials, columns) for the first n_min, n_min + 1, ... numbers of samples (trials, n).

    ends : (lo, hi), each int64 (trials,), the ball in units; eps (trials,), in units; most : no fewer than the
    intervals there can be at a time.
    """
    lo, hi = ends
    start, end = np.empty(most, np.int64), np.empty(most, np.int64)
    new_start, new_end = np.empty(most, np.int64), np.empty(most, np.int64)
    columns = fraction.shape[1]
    n_max = n_min + columns - 1
    for t in range(fraction.shape[0]):
        low, high = lo[t], hi[t]
        for n in range(n_max):
            low -= max(samples[t, n], 0)
            high -= min(samples[t, n], 0)
        start[0], end[0], count = -eps[t], eps[t], 1
        for n in range(n_max + 1):
            if n > 0:
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
