"""One dimension, beside the search: ties settled by the smallest mask, and pairs of two halves counted.

Built on the sorted halves of `halves`.
"""

from __future__ import annotations

import numpy as np

from rssp._jit import kernel
from rssp.subsetsum.nearest.halves import first_mask, group, half_lists, rest_sums, sorted_halves

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
def _mark(halves, p, q, target, error, marks):
    """Mark (by a hash) the sums of the right half that are part of a pair at this error."""
    a0, na = group(halves, p)
    b0, nb = group(halves, q)
    i, j = 0, nb - 1
    while i < na and j >= 0:
        away = halves.left[a0 + i] + halves.right[b0 + j] - target
        if abs(away) == error:
            marks[_hash(halves.right[b0 + j])] = 1
        if away < 0:
            i += 1
        else:
            j -= 1


@kernel(inner=True)
def _hash(value):
    return ((value * 0x1E3779B97F4A7C15) >> 40) & 0xFFFF


@kernel(inner=True)
def _smallest_left(x, halves, wanted, error, size, table):
    """The smallest mask of the left half that is this far from `wanted`, of this size if grouped; -1: none is."""
    best = -1
    for p in range(1 + halves.size * halves.grouped):
        if halves.grouped and p != size:
            continue
        for sign in range(-1, 2, 2):
            value = wanted + sign * error
            if _contains(halves.left, halves.start[p], halves.start[p + 1], value):
                low = first_mask(x, halves.size, value, halves.grouped, p, table)
                if best < 0 or low < best:
                    best = low
    return best


@kernel(inner=True)
def _smallest_mask(x, halves, target, error, size, marks, table):
    """The smallest mask of the two halves x[:2 h] at this error, of this size if grouped; -1 if there is none."""
    h = halves.size
    marks[:] = 0
    for p in range(1 + h * halves.grouped):
        for q in range(1 + h * halves.grouped):
            if not halves.grouped or p + q == size:
                _mark(halves, p, q, target, error, marks)
    total, count = 0, 0
    for high in range(1 << h):
        if marks[_hash(total)]:
            low = _smallest_left(x, halves, target - total, error, size - count, table)
            if low >= 0:
                return (high << h) + low
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

    The rest in the mask is the smallest already; one more staircase finds which sums of the right half take part, and
    the masks of that half are gone through in order. Shapes as in `nearest_line`, errors int64 (g, t).
    """
    groups, many, n = masks.shape
    lists = half_lists(min(n // 2, max_half))
    table, marks = np.zeros(256, np.int64), np.zeros(1 << 16, np.int64)
    for g in range(groups):
        for t in range(many):
            tie = ties[g, t]
            if not tie["tied"]:
                continue
            x, h = samples[g], tie["half"]
            target, size = targets[g, t], tie["size"]
            for i in range(2 * h, tie["samples"]):
                if masks[g, t, i]:
                    target -= x[i]
                    size -= 1
            halves = sorted_halves(x, h, np.int64(tie["sized"]), lists)
            mask = _smallest_mask(x, halves, target, errors[g, t], size, marks, table)
            for i in range(2 * h):
                masks[g, t, i] = (mask >> i) & 1


@kernel(inner=True)
def _pairs_up_to(halves, p, q, bound):
    """How many pairs of group p of the left half and group q of the right have sums <= bound; na + nb steps."""
    a0, na = group(halves, p)
    b0, nb = group(halves, q)
    i, j, count = 0, nb - 1, 0
    while i < na and j >= 0:
        if halves.left[a0 + i] + halves.right[b0 + j] <= bound:
            count += j + 1
            i += 1
        else:
            j -= 1
    return count


@kernel(inner=True)
def _pairs_of_size(halves, size, bound):
    """How many pairs have sums <= bound, if grouped those of this size in all."""
    total = 0
    for p in range(1 + halves.size * halves.grouped):
        q = size - p if halves.grouped else 0
        if 0 <= q <= halves.size * halves.grouped:
            total += _pairs_up_to(halves, p, q, bound)
    return total


@kernel
def count_line(samples, targets, eps, sized, size, max_half, counts):
    """How many subsets (of this size if sized) have |sum - target| <= eps; fills counts int64 (g, t).

    Time and memory as in `nearest_line`, with twice the staircases.
    """
    groups, n = samples.shape
    h = min(n // 2, max_half)
    r = n - 2 * h
    lists = half_lists(h)
    rest_lists = np.zeros(1 << r, np.int64), np.zeros(1 << r, np.int64)
    for g in range(groups):
        x = samples[g]
        halves = sorted_halves(x, h, np.int64(sized), lists)
        rest = rest_sums(x, 2 * h, r, *rest_lists)
        for t in range(targets.shape[1]):
            counts[g, t] = 0
            for subset in range(1 << r):
                left, target = size - rest.sizes[subset], targets[g, t] - rest.sums[subset]
                # sums <= target + eps, less those <= target - eps - 1
                counts[g, t] += _pairs_of_size(halves, left, target + eps)
                counts[g, t] -= _pairs_of_size(halves, left, target - eps - 1)
