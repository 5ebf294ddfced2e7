"""A heuristic for samples beyond exact search: greedy choices for most of the sample, exact search in a part of it."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rssp._arguments import choice, integer
from rssp.subsetsum.fixedpoint import FixedPoint
from rssp.subsetsum.nearest.inputs import MAX_N_LINE, MAX_N_SPACE, rounding, shapes
from rssp.subsetsum.nearest.verbs import NearestSubset, nearest_subset

__all__ = ["GreedySubset", "greedy_subset"]


@dataclass(frozen=True)
class GreedySubset(NearestSubset):
    """Subsets found by a heuristic; in addition to the fields of `NearestSubset` (`solved` is all True)

    Attributes
    ----------
    lower_bound : float64 array (m,): no subset of the sample has a smaller error. It is the distance of the target to
        the box of the sums' coordinates, 0 inside it; the optimum lies between it and `error`.
    """

    lower_bound: NDArray[np.float64] | float = 0.0


def greedy_subset(
    sample: ArrayLike,
    targets: ArrayLike,
    *,
    exact: int | None = None,
    error_norm: float = math.inf,
    workers: int = 1,
) -> GreedySubset:
    """A subset near each target for any n: a heuristic, with a lower bound of the error beside the error.

    All but the first `exact` samples are taken or left one by one, the longest first, so that what remains of the
    target is brought to the middle of the sums of the first ones; among those the search is exact. The error is then
    about that of the best of 2**exact sums, not of 2**n.

    Parameters
    ----------
    sample, targets, error_norm, workers : as in `nearest_subset`, but n has no limit
    exact : int >= 1, how many samples are searched exactly; by default 32 in one dimension, 24 in more

    Raises
    ------
    ArgumentError, ArgumentTypeError, InfeasibleError : as `nearest_subset`

    Time: n - exact vector operations a target, and the exact search.

    >>> rng = np.random.default_rng(0)
    >>> found = greedy_subset(rng.uniform(-1, 1, 200), [0.3])
    >>> bool(found.lower_bound[0] == 0.0 and found.error[0] < 1e-6)
    True
    """
    x, z, leading = shapes(sample, targets)
    n, dim = x.shape[1:]
    choice("error_norm", error_norm, (2, math.inf))
    block = min(n, integer("exact", exact, 1, MAX_N_LINE if dim == 1 else MAX_N_SPACE) if exact is not None else 0)
    block = block or min(n, 32 if dim == 1 else 24)
    grid = FixedPoint.for_sample(x, float(np.abs(z).max(initial=0.0)))
    xi, zi = grid.to_int(x), grid.to_int(z)
    mask = np.zeros((*z.shape[:2], n), np.bool_)
    left = z - x[:, :block].sum(axis=1)[:, None] / 2
    order = block + np.argsort(-np.linalg.norm(x[:, block:], axis=2), axis=1, kind="stable")
    groups = np.arange(len(x))
    for step in range(n - block):
        index = order[:, step]
        vector = x[groups, index][:, None]
        # taking it shortens what is left
        take = (vector * (2 * left - vector)).sum(axis=2) > 0
        left -= np.where(take[..., None], vector, 0.0)
        mask[groups, :, index] = take
    taken = np.matmul(mask.astype(np.int64), xi)
    inner = nearest_subset(x[:, :block], grid.to_float(zi - taken), error_norm=error_norm, workers=workers)
    mask[..., :block] = inner.mask
    total = np.matmul(mask.astype(np.int64), xi)
    away = grid.to_float(np.abs(total - zi))
    low, high = np.minimum(xi, 0).sum(axis=1)[:, None], np.maximum(xi, 0).sum(axis=1)[:, None]
    outside = grid.to_float(np.maximum(np.maximum(low - zi, zi - high), 0))
    norm = np.inf if error_norm != 2 else 2
    return GreedySubset(
        mask.reshape(*leading, n),
        grid.to_float(total).reshape(*leading, dim),
        np.linalg.norm(away, ord=norm, axis=-1).reshape(leading),
        np.ones(leading, np.bool_),
        rounding(grid, x, z, xi, zi),
        np.linalg.norm(outside, ord=norm, axis=-1).reshape(leading),
    )
