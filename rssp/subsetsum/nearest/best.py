"""The best subset found so far, as the grid and the tree of `nearest` hand it on."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from rssp._jit import kernel

__all__ = ["DECLINED", "FOUND", "NONE", "TODO", "Best", "again", "offer", "step_mask"]

TODO, FOUND, NONE, DECLINED = 0, 1, 2, 3  # the status of a target


class Best(NamedTuple):
    """A subset, by two masks: of the samples whose sums are stored, and of the others, whose sums ask."""

    error: np.int64 | np.float64
    """its error, in the 2-norm the square of it as float64; without a subset the largest error wanted"""
    inner: np.int64
    outer: np.int64
    found: bool
    tied: bool
    """another subset is as near"""


@kernel(hot=True)
def offer(best, error, inner, outer, ordered):
    """The better of two subsets; error <= best.error. ordered : the one of smaller mask, and the error stays."""
    if ordered:
        if not best.found or inner < best.inner:
            return Best(best.error, inner, outer, True, best.tied)
        return best
    if error < best.error or not best.found:
        return Best(error, inner, outer, True, False)
    if best.inner != inner or best.outer != outer:
        return Best(best.error, best.inner, best.outer, True, True)
    return best


@kernel(hot=True)
def again(error):
    """Nothing found yet; errors up to this one are wanted."""
    return Best(error, np.int64(0), np.int64(0), False, False)


@kernel(hot=True)
def step_mask(x, first, mask, total):
    """Turn the sum of the subset `mask` of x[first:] into that of mask + 1; returns by how much its size changes."""
    n, dim = x.shape
    k = 0
    while (mask >> k) & 1:
        for j in range(dim):
            total[j] -= x[first + k, j]
        k += 1
    if first + k >= n:
        return 0
    for j in range(dim):
        total[j] += x[first + k, j]
    return 1 - k
