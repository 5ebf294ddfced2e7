"""What `nearest_subset`, `hits` and `greedy_subset` share: shapes, the cost before it is paid, threads."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rssp._arguments import real_array
from rssp._costs import require_feasible
from rssp.errors import ArgumentError, InfeasibleError
from rssp.subsetsum.fixedpoint import FixedPoint
from rssp.subsetsum.nearest.halves import MAX_HALF

__all__ = ["MAX_N_LINE", "MAX_N_SPACE", "check_cost", "in_chunks", "rounding", "shapes"]

MAX_N_LINE = 56  # 2^`MAX_HALF` sums in a list, and 2^32 questions to it: what `check_cost` counts
MAX_N_SPACE = 44  # 2^22 sums of the first half in memory, and 2^22 questions to them


def _array(name: str, value: ArrayLike) -> NDArray[np.float64]:
    array = real_array(name, value)
    if not np.isfinite(array).all():
        place = tuple(int(i) for i in np.argwhere(~np.isfinite(array))[0])
        raise ArgumentError(name, f"{array[place]} at index {place}", "finite numbers", "Remove such entries.")
    return array


def shapes(sample: ArrayLike, targets: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64], tuple[int, ...]]:
    """Sample (g, n, d), targets (g, t, d) and the leading shape of the results."""
    x = _array("sample", sample)
    z = _array("targets", targets)
    if x.ndim == 1:
        x = x[:, None]
    if x.ndim not in (2, 3) or 0 in x.shape[-2:]:
        raise ArgumentError(
            "sample", f"an array of shape {x.shape}", "shape (n,), (n, dim) or (m, n, dim), n, dim >= 1"
        )
    dim = x.shape[-1]
    if z.ndim <= 1 and dim == 1:
        z = z.reshape(-1, 1)
    allowed = f"shape (m, {dim})" if x.ndim == 2 else f"shape ({len(x)}, {dim}) or ({len(x)}, t, {dim})"
    if z.ndim not in (2, x.ndim) or z.shape[-1] != dim or (x.ndim == 3 and len(z) != len(x)):
        raise ArgumentError(
            "targets", f"an array of shape {z.shape}", allowed, "The sample's last axis is the dimension."
        )
    leading = z.shape[:-1]
    if x.ndim == 2:
        return np.ascontiguousarray(x[None]), np.ascontiguousarray(z[None]), leading
    if z.ndim == 2:
        z = z[:, None]
    return np.ascontiguousarray(x), np.ascontiguousarray(z), leading


def rounding(
    grid: FixedPoint, x: NDArray[np.float64], z: NDArray[np.float64], x_int: NDArray[np.int64], z_int: NDArray[np.int64]
) -> float:
    exact_x = bool((np.ldexp(x_int.astype(np.float64), -grid.q) == x).all())
    exact_z = bool((np.ldexp(z_int.astype(np.float64), -grid.q) == z).all())
    return math.ldexp(((0 if exact_x else x.shape[1]) + (0 if exact_z else 1)) / 2, -grid.q)


def in_chunks(work: Callable[[slice, slice], None], groups: int, many: int, workers: int) -> None:
    """work(groups, targets) over equal parts, in threads; every part writes its own rows."""
    if workers == 1 or groups * many == 1:
        work(slice(0, groups), slice(0, many))
        return
    along, axis = (groups, 0) if groups >= many else (many, 1)
    cuts = np.linspace(0, along, min(along, 4 * workers if axis == 0 else workers) + 1).astype(int)
    parts = [slice(int(a), int(b)) for a, b in itertools.pairwise(cuts) if b > a]
    with ThreadPoolExecutor(workers) as pool:
        full = slice(0, many if axis == 0 else groups)
        list(pool.map(lambda part: work(part, full) if axis == 0 else work(full, part), parts))


def check_cost(groups: int, many: int, n: int, dim: int, workers: int) -> None:
    """Raise InfeasibleError, with the memory and time it would take, before anything is allocated."""
    limit = MAX_N_LINE if dim == 1 else MAX_N_SPACE
    threads = min(workers, groups * many)
    if dim == 1:
        half = min(n // 2, MAX_HALF)
        memory, seconds = 4 * 8 * 2.0**half, 1.4e-9 * 2.0 ** (n - half)
    else:
        half = (n + 1) // 2
        memory, seconds = 16.0 * (dim + 3) * 2.0**half, 1e-6 * 2.0 ** (n - half)
    masks = 9.0 * groups * many * n
    what = f"An exact search among 2**{n} subsets in dimension {dim}"
    remedy = f"Use fewer samples (n <= {limit}), targets or workers, or greedy_subset, which is a heuristic."
    require_feasible(what, threads * memory + masks, seconds if n > limit else 0.0, remedy)
    if n > limit:
        needs = f"about {memory / 1e9:.2g} GB and {seconds:.2g} s a target"
        raise InfeasibleError(what, needs, f"n = {limit} in dimension {dim}", remedy)
