"""One dimension, after the search: where other subsets are as near as the one found, the smallest mask is taken."""

from __future__ import annotations

import numpy as np

from rssp._jit import kernel
from rssp.subsetsum.nearest.halves import first_mask, group, sorted_halves

__all__ = ["TIE", "settle_tie"]


TIE = np.dtype(
    [
        ("tied", np.bool_),
        ("samples", np.int64),
        ("half", np.int64),
        ("sized", np.bool_),
        ("size", np.int64),
    ]
)
"""Where the nearest subset is not the only one: of how many samples, in halves of how many, and of which size."""


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
    A, B = halves.left, halves.right
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


@kernel(inner=True)
def settle_tie(x, target, error, tie, lists, mask):
    """Put the smallest of the masks at this error in place of mask (n,).

    The rest in the mask is the smallest already; one more staircase finds which sums of the right half take part, and
    the masks of that half are gone through in order. The lists are written over.
    """
    h, size = tie["half"], tie["size"]
    for i in range(2 * h, tie["samples"]):
        if mask[i]:
            target -= x[i]
            size -= 1
    table, marks = np.zeros(256, np.int64), np.zeros(1 << 16, np.int64)
    halves = sorted_halves(x, h, np.int64(tie["sized"]), lists)
    number = _smallest_mask(x, halves, target, error, size, marks, table)
    for i in range(2 * h):
        mask[i] = (number >> i) & 1
