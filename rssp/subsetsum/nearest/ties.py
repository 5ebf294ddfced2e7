"""One dimension, beside the search: ties settled by the smallest mask, and pairs of two halves counted.

Built on the sorted halves of `_nearest_line`.
"""

from __future__ import annotations

import numpy as np

from rssp._jit import kernel
from rssp.subsetsum.nearest.halves import first_mask, rest_sums, sorted_halves

__all__ = ["count_line", "settle_ties"]


@kernel(inner=True)
def _contains(A, start, end, value):
    while start < end:
        middle = (start + end) >> 1
        if A[middle] < value:
            start = middle + 1
        elif A[middle] > value:
            end = middle
        else:
            return True
    return False


@kernel(inner=True)
def _mark(A, a0, na, B, b0, nb, target, error, marks):
    """Mark (by a hash) the values of B that are part of a pair at this error."""
    i, j = 0, nb - 1
    while i < na and j >= 0:
        away = A[a0 + i] + B[b0 + j] - target
        if abs(away) == error:
            marks[_hash(B[b0 + j])] = 1
        if away < 0:
            i += 1
        else:
            j -= 1


@kernel(inner=True)
def _hash(value):
    return ((value * 0x1E3779B97F4A7C15) >> 40) & 0xFFFF


@kernel(inner=True)
def _smallest_mask(x, h, A, B, off, grouped, target, error, size, marks, table):
    """The smallest mask of the two halves x[:2 h] at this error, of this size unless size < 0."""
    marks[:] = 0
    for p in range(1 + h * grouped):
        for q in range(1 + h * grouped):
            if size < 0 or p + q == size:
                na, nb = off[p + 1] - off[p], off[q + 1] - off[q]
                _mark(A, off[p], na, B, off[q], nb, target, error, marks)
    total, count = 0, 0
    for high in range(1 << h):
        best = -1
        if marks[_hash(total)]:
            for p in range(1 + h * grouped):
                if size >= 0 and count + p != size:
                    continue
                for sign in range(-1, 2, 2):
                    wanted = target + sign * error - total
                    if _contains(A, off[p], off[p + 1], wanted):
                        low = first_mask(x, h, wanted, p if grouped else -1, table)
                        if best < 0 or low < best:
                            best = low
        if best >= 0:
            return (high << h) + best
        k = 0
        while (high >> k) & 1:
            total -= x[h + k]
            count -= 1
            k += 1
        if k < h:
            total += x[h + k]
            count += 1
    return -1


@kernel
def settle_ties(samples, targets, errors, ties, max_half, masks):
    """Where `ties` (from `nearest_line`) says so, put the smallest of the masks at this error in place.

    The rest in the mask is the smallest already; one more staircase finds which sums of the second half take part, and
    the masks of that half are gone through in order. Shapes as in `nearest_line`, errors int64 (g, t).
    """
    groups, many, n = masks.shape
    length = 1 << min(n // 2, max_half)
    A1, A2 = np.empty(length, np.int64), np.empty(length, np.int64)
    B1, B2 = np.empty(length, np.int64), np.empty(length, np.int64)
    off = np.zeros(n + 3, np.int64)
    table, marks = np.zeros(256, np.int64), np.zeros(1 << 16, np.int64)
    for g in range(groups):
        for t in range(many):
            if ties[g, t] == 0:
                continue
            m, h, size = ties[g, t] >> 12, (ties[g, t] >> 6) & 63, (ties[g, t] & 63) - 1
            x = samples[g]
            target = targets[g, t]
            for i in range(2 * h, m):
                if masks[g, t, i]:
                    target -= x[i]
                    if size >= 0:
                        size -= 1
            grouped = np.int64(size >= 0)
            A, B = sorted_halves(x, h, grouped, A1, A2, B1, B2, off)
            mask = _smallest_mask(x, h, A, B, off, grouped, target, errors[g, t], size, marks, table)
            for i in range(2 * h):
                masks[g, t, i] = (mask >> i) & 1


@kernel(inner=True)
def _pairs_up_to(A, a0, na, B, b0, nb, bound):
    """How many pairs of A[a0:a0+na] + B[b0:b0+nb] are <= bound; na + nb steps."""
    i, j, count = 0, nb - 1, 0
    while i < na and j >= 0:
        if A[a0 + i] + B[b0 + j] <= bound:
            count += j + 1
            i += 1
        else:
            j -= 1
    return count


@kernel
def count_line(samples, targets, eps, size, max_half, counts):
    """How many subsets (of this size unless size < 0) have |sum - target| <= eps; fills counts int64 (g, t).

    Time and memory as in `nearest_line`, about 3 ns a step.
    """
    groups, n = samples.shape
    h = min(n // 2, max_half)
    r = n - 2 * h
    A1, A2 = np.empty(1 << h, np.int64), np.empty(1 << h, np.int64)
    B1, B2 = np.empty(1 << h, np.int64), np.empty(1 << h, np.int64)
    off = np.zeros(h + 3, np.int64)
    rest, rest_count = np.zeros(1 << r, np.int64), np.zeros(1 << r, np.int64)
    grouped = np.int64(size >= 0)
    for g in range(groups):
        x = samples[g]
        A, B = sorted_halves(x, h, grouped, A1, A2, B1, B2, off)
        rest_sums(x, 2 * h, r, rest, rest_count)
        for t in range(targets.shape[1]):
            total = 0
            for task in range(2 << r):
                sign, c = 2 * (task & 1) - 1, rest_count[task >> 1]
                # sums <= target + eps, less those <= target - eps - 1
                bound = targets[g, t] - rest[task >> 1] + (eps if sign > 0 else -eps - 1)
                for p in range(1 + h * grouped):
                    q = size - c - p if grouped else 0
                    if 0 <= q <= h * grouped:
                        na, nb = off[p + 1] - off[p], off[q + 1] - off[q]
                        total += sign * _pairs_up_to(A, off[p], na, B, off[q], nb, bound)
            counts[g, t] = total
