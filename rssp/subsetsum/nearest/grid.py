"""Nearest subsets in two dimensions and more, the common case: one half in the cells of a grid, the other half asks.

The 2**h sums of the first h samples are sorted into the cells of a grid over a few coordinates, no finer than the
search radius asks for and with about as many cells as points. Each sum of the other samples, taken from the target,
looks into the cells within the best error so far: for radii that fit the sample a question meets a few cells and a few
points. The radius starts where about one sum is expected and widens until one is found. Where a question would meet too
many points (a target far outside, or lattice samples with many equal sums) the kernel declines: the k-d tree of
`neighbours`, slower in the common case, has no such worst case.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rssp._jit import kernel
from rssp.subsetsum.nearest.best import DECLINED, FOUND, NONE, TODO, again, offer

__all__ = ["nearest_grid"]

# Axes that are cut into cells, and points and cells that a question may meet before the tree is better; found with the
# part `nearest` of benchmarks/speed.py at dim = 2 to 9, to be measured again when `_ask_cells` or the tree changes its
# speed.
_MAX_AXES = 6
_MAX_COST = 3000.0


class Grid(NamedTuple):
    """The sums of the first half, in cells; it is laid anew for each search radius that differs much from the last."""

    points: NDArray[np.int64]
    """(2**h, dim), in the order of their masks"""
    flat: NDArray[np.generic]
    """(2**h, dim), cell by cell, the coordinates as in `axes`; in the arithmetic of the errors, int64 or float64"""
    order: NDArray[np.int64]
    """(2**h,), the masks cell by cell"""
    first: NDArray[np.int64]
    """where each cell begins in `order`"""
    axes: NDArray[np.int64]
    """(dim,), all coordinates, widest first; the grid takes the first few"""
    cells: NDArray[np.int64]
    """how many along each axis"""
    low: NDArray[np.float64]
    """(dim,), by coordinate: where the cells begin"""
    scale: NDArray[np.float64]
    """cells a unit, along each axis"""


class Laid(NamedTuple):
    """The grid as it lies: for this search radius, over so many axes; 0 where a question would meet too many points."""

    reach: float
    depth: np.int64


class Question(NamedTuple):
    """What one sum of the other half asks with."""

    point: NDArray[np.generic]
    """(dim,), in the order of `axes`, in the arithmetic of the errors"""
    away: NDArray[np.int64]
    """(dim,), the same as whole numbers, by coordinate"""
    start: NDArray[np.int64]
    """along each axis: the first cell to look into, ..."""
    now: NDArray[np.int64]
    stop: NDArray[np.int64]
    """... and the last"""


@kernel(inner=True)
def _cells_along(width, reach, total, count):
    """Cells along an axis of this width, for a grid of `count` axes with about twice as many cells as points."""
    most = (2.0 * total + 16) ** (1 / count)
    return max(1.0, math.floor(min(width / (2 * reach), most)))


@kernel(inner=True)
def _measure(points, axes, low, width):
    """The points' origin and width by coordinate, without the far ones; axes : the coordinates, widest first."""
    total, dim = points.shape
    for j in range(dim):
        mean, square = 0.0, 0.0
        small, large = points[0, j], points[0, j]
        for i in range(total):
            value = points[i, j]
            small, large = min(small, value), max(large, value)
            mean += value
            square += float(value) * value
        mean /= total
        spread = 3 * math.sqrt(max(square / total - mean * mean, 0.0))
        low[j] = max(float(small), mean - spread)
        width[j] = max(min(float(large), mean + spread) - low[j], 1.0)
        axes[j] = j
    for j in range(1, dim):
        k = j
        while k > 0 and width[axes[k]] > width[axes[k - 1]]:
            axes[k], axes[k - 1] = axes[k - 1], axes[k]
            k -= 1


@kernel(inner=True)
def _plan(grid, reach):
    """Choose the grid's axes, numbers of cells, origins and cells per unit; returns how many axes it has."""
    total, dim = grid.points.shape
    width = np.empty(dim)
    _measure(grid.points, grid.axes, grid.low, width)
    best_cost, best_count = np.inf, 1
    for count in range(1, min(dim, _MAX_AXES) + 1):
        runs, met = 1.0, float(total)
        for j in range(count):
            w = width[grid.axes[j]]
            c = _cells_along(w, reach, total, count)
            met *= min(1.0, (2 * reach + w / c) / (0.6 * w))
            if j < count - 1:
                runs *= 1 + 2 * reach * c / w
        if 6 * runs + met < best_cost:  # finding a row of cells takes the time of six points
            best_cost, best_count = 6 * runs + met, count
    for j in range(best_count):
        w = width[grid.axes[j]]
        grid.cells[j] = np.int64(_cells_along(w, reach, total, best_count))
        grid.scale[j] = grid.cells[j] / w
    return best_count


@kernel(hot=True)
def _cell(value, low, scale, cells):
    """Monotone in the value, so that every point between two values is in their cells or between them."""
    return np.int64(min(max((value - low) * scale, 0.0), cells - 1.0))


@kernel(inner=True)
def _lay(grid, reach):
    """Sort the points into cells made for this search radius."""
    points, flat, order, first, axes, cells, low, scale = grid
    total, dim = points.shape
    count = _plan(grid, reach)
    size = 1
    for j in range(count):
        size *= cells[j]
    first[: size + 1] = 0
    key = np.empty(total, np.int64)
    for i in range(total):
        k = 0
        for j in range(count):
            k = k * cells[j] + _cell(points[i, axes[j]], low[axes[j]], scale[j], cells[j])
        key[i] = k
        first[k + 1] += 1
    met = 0.0
    for k in range(size):
        met += float(first[k + 1]) ** 2
        first[k + 1] += first[k]
    met /= total
    for j in range(count):
        met *= 1 + min(2 * reach * scale[j], float(cells[j]))
    if met > _MAX_COST:
        return Laid(reach, np.int64(0))
    for i in range(total - 1, -1, -1):
        k = key[i]
        first[k + 1] -= 1
        at = first[k + 1]
        order[at] = i
        for j in range(dim):
            flat[at, j] = points[i, axes[j]]
    # after the scatter first[k + 1] is the start of cell k: move it down one place
    for k in range(size):
        first[k] = first[k + 1]
    first[size] = total
    return Laid(reach, np.int64(count))


@kernel(hot=True)
def _ask_cells(grid, count, question, outer, ordered, best, euclid):
    """The best once the points in the cells within best.error of the question are looked at.

    ordered : the smallest mask among those within best.error, which stays.
    """
    q, _, start, now, stop = question
    _, flat, order, first, axes, cells, low, scale = grid  # once: in a loop every look into a tuple is counted
    dim = len(q)
    reach = math.sqrt(best.error) * (1 + 1e-15) if euclid else best.error
    for j in range(count):
        begin = low[axes[j]]
        start[j] = _cell(q[j] - reach, begin, scale[j], cells[j])
        stop[j] = _cell(q[j] + reach, begin, scale[j], cells[j])
        now[j] = start[j]
    last = count - 1
    while True:
        row = 0
        for j in range(last):
            row = (row + now[j]) * cells[j + 1]
        for i in range(first[row + start[last]], first[row + stop[last] + 1]):
            far = q[0] - q[0]
            for j in range(dim - 1, -1, -1):
                out = abs(flat[i, j] - q[j])
                if euclid:
                    far += out * out
                else:
                    far = max(far, out)
                if far > best.error:
                    break
            if far <= best.error:
                best = offer(best, far, order[i], outer, ordered)
        j = last - 1
        while j >= 0 and now[j] == stop[j]:
            now[j] = start[j]
            j -= 1
        if j < 0:
            return best
        now[j] += 1


@kernel(inner=True)
def _ask_all_of_grid(grid, laid, x, target, question, ordered, best, euclid):
    """The best once every subset of the second half has asked, in the order of their masks."""
    n, dim = x.shape
    away, point, axes = question.away, question.point, grid.axes
    h = (n + 1) // 2
    for j in range(dim):
        away[j] = target[j]
    for outer in range(1 << (n - h)):
        for j in range(dim):
            point[j] = away[axes[j]]
        best = _ask_cells(grid, laid.depth, question, outer, ordered, best, euclid)
        if best.found and (ordered or (best.error == 0 and best.tied)):
            break
        k = 0
        while (outer >> k) & 1:
            for j in range(dim):
                away[j] += x[h + k, j]
            k += 1
        if h + k < n:
            for j in range(dim):
                away[j] -= x[h + k, j]
    return best


@kernel(inner=True)
def _search_grid(grid, laid, x, target, question, ends, euclid):
    """(status, best, laid) of one target; ends : (radius to start with, the largest error wanted)."""
    dim = x.shape[1]
    reach, limit = ends
    growth, ordered = 8.0 ** (1 / dim), False
    error = question.point[:1].copy()
    best = again(error[0])
    while True:
        if best.found:
            best = again(best.error)
        else:
            reach = min(max(reach, 1.0), limit)
            if reach > 2.0**61:
                return DECLINED, best, laid
            if laid.reach == 0 or reach > 1.5 * laid.reach or reach < laid.reach / 3:
                laid = _lay(grid, reach)
            if laid.depth == 0:
                return DECLINED, best, laid
            error[0] = reach * reach if euclid else reach
            best = again(error[0])
        best = _ask_all_of_grid(grid, laid, x, target, question, ordered, best, euclid)
        if not best.found:
            if reach >= limit:
                return NONE, best, laid
            reach *= growth
            growth *= growth
        elif best.tied:
            ordered = True
        else:
            return FOUND, best, laid


@kernel(inner=True)
def _new_grid(h, point):
    total, dim = 1 << h, len(point)
    return Grid(
        np.empty((total, dim), np.int64), np.empty((total, dim), point.dtype), np.empty(total, np.int64),
        np.empty(2 * total + 32, np.int64), np.empty(dim, np.int64), np.empty(dim, np.int64), np.empty(dim),
        np.empty(dim),
    )  # fmt: skip


@kernel
def nearest_grid(samples, targets, ends, euclid, point, masks, status):
    """Nearest subsets of samples int64 (g, n, d) to targets int64 (g, t, d); fills masks (g, t, n) and status (g, t).

    ends : (radius to start with, float64 (g, t), the largest error wanted, or inf). point (d,): questions are asked
    with it, in int64 for the max norm, in float64 for the 2-norm (`euclid`). Only targets with status TODO are taken;
    it becomes FOUND, NONE (nothing within the limit) or DECLINED. Time: 2**h steps to build and 2**(n-h) questions a
    target, each for some cells and points; memory 16 (d + 3) 2**h bytes with h = n/2.
    """
    groups, n, dim = samples.shape
    h = (n + 1) // 2
    radius, limit = ends
    grid = _new_grid(h, point)
    cells = np.empty(dim, np.int64), np.empty(dim, np.int64), np.empty(dim, np.int64)
    question = Question(point, np.empty(dim, np.int64), *cells)
    points = grid.points
    for g in range(groups):
        x = samples[g]
        points[0] = 0
        for k in range(h):
            for i in range(1 << k):
                for j in range(dim):
                    points[(1 << k) + i, j] = points[i, j] + x[k, j]
        laid = Laid(0.0, np.int64(0))
        for t in range(targets.shape[1]):
            if status[g, t] != TODO:
                continue
            one = radius[g, t], limit
            status[g, t], best, laid = _search_grid(grid, laid, x, targets[g, t], question, one, euclid)
            if status[g, t] == FOUND:
                mask = best.inner + (best.outer << h)
                for i in range(n):
                    masks[g, t, i] = (mask >> i) & 1
