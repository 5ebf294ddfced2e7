"""Nearest subsets and hits: the public verbs, in any dimension.

Everything is computed on a fixed point (see `rssp.subsetsum.fixedpoint`): exact, and the same whatever the method, the
number of targets or of workers.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rssp._arguments import choice, integer, positive
from rssp.errors import ArgumentError
from rssp.subsetsum.fixedpoint import FixedPoint
from rssp.subsetsum.nearest.best import DECLINED, FOUND, NONE, TODO
from rssp.subsetsum.nearest.grid import nearest_grid
from rssp.subsetsum.nearest.halves import MAX_HALF
from rssp.subsetsum.nearest.inputs import check_cost, in_chunks, rounding, shapes
from rssp.subsetsum.nearest.line import FIRST_LEVEL, LEVEL_STEP, Wanted, count_line, nearest_line
from rssp.subsetsum.nearest.neighbours import count_space, nearest_space

__all__ = ["NearestSubset", "hits", "nearest_subset"]


@dataclass(frozen=True)
class NearestSubset:
    """Subsets found for m targets.

    Attributes
    ----------
    mask : bool array (m, n), which samples are taken
    sum : float64 array (m, dim), the sum of the samples taken, recomputed from the mask
    error : float64 array (m,), the norm of target - sum, recomputed from the mask
    solved : bool array (m,), error <= tolerance; all True where no tolerance was asked for
    rounding : float, the largest difference between a sum of this sample on the fixed point and the same sum of the
        float64 numbers given, target included: 0.0 if all of them lie on the grid. An error far above it has
        all its digits; one below it is that of the rounded numbers.

    With targets (g, t, dim) the leading axis m is the two axes (g, t).
    """

    mask: NDArray[np.bool_]
    sum: NDArray[np.float64]
    error: NDArray[np.float64]
    solved: NDArray[np.bool_]
    rounding: float = 0.0

    @property
    def size(self) -> NDArray[np.int64]:
        """How many samples each subset has, int64 (m,)."""
        return self.mask.sum(axis=-1, dtype=np.int64)


def nearest_subset(
    sample: ArrayLike,
    targets: ArrayLike,
    *,
    size: int | None = None,
    tolerance: float | None = None,
    smallest: bool = False,
    error_norm: float = math.inf,
    workers: int = 1,
) -> NearestSubset:
    """The subset of a sample whose sum is nearest to each target, exactly.

    Parameters
    ----------
    sample : array (n, dim), shared by all targets, or (m, n, dim), one a target; (n,) in one dimension. n is at most 56
        in one dimension, 44 in more.
    targets : array (m, dim), or (m,) in one dimension. With a sample (g, n, dim) also (g, t, dim): t targets for each
        of g samples. The empty subset is a subset.
    size : int from 0 to n, optional: only subsets of exactly that many samples
    tolerance : float > 0, optional. The nearest among the first m samples, for the first m = 8, 11, 14, ..., n (from
        m = size on) at which the error is <= tolerance: where it is far above 2**-n, that costs microseconds at any n.
        If no m will do, the nearest of all is returned and `solved` is False: that no subset is within the tolerance is
        then certain.
    smallest : bool. With a tolerance: the subset of the smallest size that has one within the tolerance, and of these
        the nearest (the search by increasing size of Burkholz, ICML 2022); if there is none, the nearest of all.
    error_norm : inf or 2
    workers : int >= 1, threads; the result does not depend on it

    Returns
    -------
    NearestSubset, with sum and error recomputed from the mask. Of several subsets with the least error it is the one
    whose mask, read as a number with bit i for sample i, is smallest.

    Raises
    ------
    ArgumentError, ArgumentTypeError : wrong shapes, numbers that are not finite, options out of range
    InfeasibleError : n or the results beyond time or memory; raised before anything is allocated

    Notes
    -----
    Exact on the fixed point of the sample, whose unit is about n 2**-62 of the largest number: `rounding` of the result
    says how far its sums may be from those of the float64 numbers given, 0.0 where these are multiples of the unit, as
    NumPy's uniform numbers in [-1, 1] are for n <= 56. For other numbers of size 1 it is about n**2 2**-62, and the
    optimum, about sqrt(n) 2**-n, is exact in its leading digits up to about n = 48. One grid serves all samples and
    targets of a call: give those that differ by many orders of magnitude to calls of their own. In the 2-norm with
    dim >= 2 errors are compared as float64.

    One dimension: two sorted halves, some 5 * 2**(n/2) steps; a shared sample is sorted once. Beyond n = 48 the halves
    stay at 24 samples (0.5 GB) and are passed through for each of the 2**(n-48) subsets of the others, in bounded
    memory without the heap of four lists (Schroeppel and Shamir, SIAM J. Comput. 1981). More dimensions: a grid of one
    half asked by the other, 2**(n/2) questions that meet some cells and points each, and 16 (dim + 3) 2**(n/2) bytes;
    with `size` or `smallest` and for targets far outside a k-d tree, whose questions take several times longer.
    What that comes to on a machine: the part `nearest` of benchmarks/speed.py.

    Examples
    --------
    >>> found = nearest_subset([0.5, -0.25, 0.3], [0.3, 0.1])
    >>> found.mask
    array([[False, False,  True],
           [False,  True,  True]])
    >>> found.error.round(3)
    array([0.  , 0.05])
    >>> nearest_subset([0.5, -0.25, 0.3], [0.3, 0.1], size=2).size
    array([2, 2])
    """
    x, z, leading = shapes(sample, targets)
    groups, n, dim = x.shape
    many = z.shape[1]
    size = None if size is None else integer("size", size, 0, n)
    choice("error_norm", error_norm, (2, math.inf))
    workers = integer("workers", workers, 1)
    if tolerance is not None:
        tolerance = positive("tolerance", tolerance)
    if smallest and (tolerance is None or size is not None):
        raise ArgumentError(
            "smallest",
            f"True with tolerance={tolerance}, size={size}",
            "a tolerance and no size",
            "Give tolerance=eps.",
        )
    check_cost(groups, many, n, dim, workers)
    grid = FixedPoint.for_sample(x, float(np.abs(z).max(initial=0.0)))
    xi, zi = grid.to_int(x), grid.to_int(z)
    mask = np.zeros((groups, many, n), np.bool_)
    if dim == 1:
        search = _line_search(xi[..., 0], zi[..., 0], _wanted(grid, n, size, tolerance, smallest))
    else:
        search = _space_search(grid, xi, zi, _levels(grid, n, size, tolerance, smallest, error_norm), error_norm == 2)
    in_chunks(lambda g, t: search(g, t, mask[g, t]), groups, many, workers)
    total = np.matmul(mask.astype(np.int64), xi)
    away = np.abs(total - zi)
    error = np.linalg.norm(grid.to_float(away), axis=-1) if error_norm == 2 else grid.to_float(away.max(axis=-1))
    solved = np.ones((groups, many), np.bool_) if tolerance is None else error <= tolerance
    return NearestSubset(
        mask.reshape(*leading, n),
        grid.to_float(total).reshape(*leading, dim),
        error.reshape(leading),
        solved.reshape(leading),
        rounding(grid, x, z, xi, zi),
    )


_Search = Callable[[slice, slice, NDArray[np.bool_]], None]


def _wanted(grid: FixedPoint, n: int, size: int | None, tolerance: float | None, smallest: bool) -> Wanted:
    """In one dimension: with a tolerance and no smallest size, a few samples are tried before all of them."""
    first = n if tolerance is None or smallest else min(n, max(FIRST_LEVEL, size or 0))
    within = 0 if tolerance is None else grid.floor(tolerance)
    return Wanted(*_sizes(size), smallest, first, within)


def _line_search(x: NDArray[np.int64], z: NDArray[np.int64], wanted: Wanted) -> _Search:
    def search(g: slice, t: slice, mask: NDArray[np.bool_]) -> None:
        samples, targets = np.ascontiguousarray(x[g]), np.ascontiguousarray(z[g, t])
        found = np.zeros((*targets.shape, samples.shape[1]), np.bool_)
        nearest_line(samples, targets, tuple(wanted), MAX_HALF, found)  # a plain tuple: numba knows it at a glance
        mask[...] = found

    return search


class _Level(NamedTuple):
    """One step of a search: among the first so many samples, of one size or any, within a limit in units."""

    samples: int
    size: int | None
    limit: float


def _levels(
    grid: FixedPoint, n: int, size: int | None, tolerance: float | None, smallest: bool, error_norm: float
) -> list[_Level]:
    """Dimension 2 and more: the levels of the tolerance, or the sizes, one after another; at the end without limit."""
    if tolerance is None:
        return [_Level(n, size, math.inf)]
    if error_norm == 2:
        # a hair inside, so that what the kernel takes is within the tolerance after the root
        limit = math.ldexp(tolerance, grid.q) * (1 - 2.0**-50)
    else:
        limit = float(grid.floor(tolerance))  # exact: no more than the 53 bits of the tolerance itself
    if smallest:
        return [*(_Level(n, k, limit) for k in range(n + 1)), _Level(n, None, math.inf)]
    counts = [*range(max(FIRST_LEVEL, size or 0), n, LEVEL_STEP), n]
    return [*(_Level(m, size, limit) for m in counts), _Level(n, size, math.inf)]


def _space_search(
    grid: FixedPoint, x: NDArray[np.int64], z: NDArray[np.int64], levels: list[_Level], euclid: bool
) -> _Search:
    """Level by level, for the targets that have no subset yet."""

    def search(g: slice, t: slice, mask: NDArray[np.bool_]) -> None:
        samples, targets = x[g], z[g, t]
        todo = np.ones(targets.shape[:2], np.bool_)
        for level in levels:
            rows = np.flatnonzero(todo.any(axis=1))
            if len(rows) == 0:
                return
            m = level.samples
            found = np.zeros((len(rows), targets.shape[1], m), np.bool_)
            status = np.where(todo[rows], TODO, NONE)
            part = np.ascontiguousarray(samples[rows, :m]), np.ascontiguousarray(targets[rows])
            _space_kernels(*part, level, euclid, found, status)
            done = status == FOUND
            at = np.nonzero(done)
            mask[rows[at[0]], at[1], :m] = found[done]
            todo[rows] &= ~done

    return search


def _space_kernels(
    x: NDArray[np.int64],
    z: NDArray[np.int64],
    level: _Level,
    euclid: bool,
    mask: NDArray[np.bool_],
    status: NDArray[np.int64],
) -> None:
    """The grid first; the tree for what it declines and for subsets of a given size."""
    point = _point(x.shape[2], euclid)
    ends = _expected_radius(x.astype(np.float64), z.astype(np.float64), level.size), level.limit
    if level.size is None:
        nearest_grid(x, z, ends, euclid, point, mask, status)
        if not (status == DECLINED).any():
            return
        status[status == DECLINED] = TODO
    nearest_space(x, z, ends, _sizes(level.size), euclid, point, mask, status)


def _point(dim: int, euclid: bool) -> NDArray[Any]:
    """What kernels ask with: whole numbers for the max norm, float64 for the 2-norm."""
    return np.empty(dim, np.float64 if euclid else np.int64)


def _sizes(size: int | None) -> tuple[bool, int]:
    """(whether a size is given, the size), as kernels want it."""
    return size is not None, size or 0


def _expected_radius(x: NDArray[np.float64], z: NDArray[np.float64], size: int | None) -> NDArray[np.float64]:
    """Half the side of the cube around a target in which one sum is expected, by the normal approximation; (g, t)."""
    n, dim = x.shape[1:]
    share = 0.5 if size is None else min(max(size / n, 0.5 / n), 1 - 0.5 / n)
    log_count = n * math.log(2.0) if size is None else math.log(math.comb(n, size))
    scale = max(float(np.abs(x).max()), 1.0)
    x, z = x / scale, z / scale
    cov = share * (1 - share) * np.einsum("gni,gnj->gij", x, x) + 1e-9 * np.eye(dim)
    root = np.linalg.cholesky(cov)
    away = np.linalg.solve(root, np.swapaxes(z - share * x.sum(axis=1)[:, None], 1, 2))
    log_det = np.log(np.diagonal(root, axis1=1, axis2=2)).sum(axis=1)
    log_density = log_count - dim / 2 * math.log(2 * math.pi) - log_det[:, None] - (away**2).sum(axis=1) / 2
    return np.asarray(scale / 2 * np.exp(np.clip(-log_density / dim, -100, 100)))


def hits(
    sample: ArrayLike,
    targets: ArrayLike,
    eps: float,
    *,
    size: int | None = None,
    error_norm: float = math.inf,
    workers: int = 1,
) -> NDArray[np.int64]:
    """How many subsets of the sample have a sum within eps of each target (boundary included), exactly.

    Shapes, limits on n and errors as in `nearest_subset`; the empty subset counts. With `size`, only subsets of that
    many samples. The result is int64, one number a target. In one dimension two sorted halves are passed through twice
    a target, whatever the count; in more, a k-d tree of one half is asked 2**(n/2) times, which takes longer the more
    boxes the eps-ball's border crosses.

    >>> hits([0.5, -0.25, 0.3], [0.3, 0.0], 0.26)
    array([5, 4])
    """
    x, z, leading = shapes(sample, targets)
    groups, n, dim = x.shape
    size = None if size is None else integer("size", size, 0, n)
    eps = positive("eps", eps)
    choice("error_norm", error_norm, (2, math.inf))
    workers = integer("workers", workers, 1)
    check_cost(groups, z.shape[1], n, dim, workers)
    grid = FixedPoint.for_sample(x, float(np.abs(z).max(initial=0.0)) + eps)
    xi, zi = grid.to_int(x), grid.to_int(z)
    counts = np.zeros(z.shape[:2], np.int64)
    euclid = error_norm == 2 and dim > 1
    within = math.ldexp(eps, grid.q) ** 2 if euclid else grid.floor(eps)

    def count(g: slice, t: slice) -> None:
        part = np.zeros_like(counts[g, t])
        if dim == 1:
            line, goals = np.ascontiguousarray(xi[g, :, 0]), np.ascontiguousarray(zi[g, t, 0])
            count_line(line, goals, within, *_sizes(size), MAX_HALF, part)
        else:
            point = _point(dim, euclid)
            count_space(
                np.ascontiguousarray(xi[g]), np.ascontiguousarray(zi[g, t]), within, _sizes(size), euclid, point, part
            )
        counts[g, t] = part

    in_chunks(count, groups, z.shape[1], workers)
    return counts.reshape(leading)
