"""The grid of cells over a ball's bounding cube: which cells no sum marks, and the sums that lie about those.

Cells are numbered with the last axis fastest. A margin of cells outside the bounding cube may be laid at either end of
each axis: sums there cover too.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rssp._jit import kernel
from rssp.subsetsum.space.pieces import grown, sort
from rssp.subsetsum.space.sums import fill

__all__ = ["Empty", "Grid", "Lists", "cell_box", "crowd_order", "empty_cells", "near_sums", "sums_about"]
_STORED = 1 << 22  # sums about empty cells that are stored at most: 32 MB an axis
_FARTHEST = 1e6  # squared sides; cells beyond it are all as far

EMPTY = np.dtype([("cell", np.int64), ("distance", np.int64)])
"""An empty cell's number, and its squared distance from the middle of the sums in hundredths of a squared side."""


class Grid(NamedTuple):
    """Cells over the ball's bounding cube."""

    corner: NDArray[np.int64]
    """(d,), where the first cell begins"""
    side: np.int64
    cells: NDArray[np.int64]
    """(d,), how many there are along each axis"""
    margin: np.int64
    """how many of them, 0 or 1, lie outside the cube at either end"""


class Empty(NamedTuple):
    """The cells that meet the ball and hold no sum."""

    grid: Grid
    slot: NDArray[np.int32]
    """how many sums each cell of the grid holds; after `near_sums` -k - 1 for list k"""
    left: np.int64
    """how many cells are empty"""
    at: NDArray[np.void]
    """of `EMPTY`, the first `left` in use"""
    order: NDArray[np.int64]
    """in which order they are looked at"""


class Lists(NamedTuple):
    """The sums in and around the empty cells, a list for each cell that holds some."""

    start: NDArray[np.int64]
    used: NDArray[np.int64]
    store: NDArray[np.int64]
    """(m, d); list k is store[start[k] : start[k] + used[k]]"""


@kernel(hot=True)
def _with_cell(at, used, cell, distance):
    """The empty cells and one more; an array that is full is copied into one twice as long."""
    if used == len(at):
        longer = np.empty(2 * used, EMPTY)
        for i in range(used):
            longer[i]["cell"] = at[i]["cell"]
            longer[i]["distance"] = at[i]["distance"]
        at = longer
    at[used]["cell"] = cell
    at[used]["distance"] = np.int64(min(distance, _FARTHEST) * 100)
    return at


@kernel(hot=True)
def _share_used(low, h, centre, r, norm):
    """What a cell that begins at `low` takes of the ball's radius on one axis: the sum over axes is <= 1 if it meets.

    In the max norm 0: every cell of the grid, but for its margin, meets the ball.
    """
    away = float(max(low - centre, centre - low - h, 0)) / float(r)
    if norm == 1:
        return away
    return away * away if norm == 2 else 0.0


@kernel(inner=True)
def empty_cells(slot, grid, ball, middle):
    """(how many, which): the cells that meet the ball and hold no sum, in order of their numbers, as `EMPTY`.

    middle (d,) : half the sum of all vectors. Axis by axis, depth first: if a cell's first coordinates alone are too
    far from the centre, all cells that share them are left out at once.
    """
    corner, h, cells, margin = grid
    centre, r, norm = ball
    d = len(cells)
    at = np.empty(64, EMPTY)
    found = 0
    place = np.full(d, margin)
    base = np.zeros(d + 1, np.int64)
    part = np.zeros(d + 1)
    from_middle = np.zeros(d + 1)
    level = 0
    while level >= 0:
        if place[level] == cells[level] - margin:
            level -= 1
            if level >= 0:
                place[level] += 1
            continue
        low = corner[level] + place[level] * h
        total = part[level] + _share_used(low, h, centre[level], r, norm)
        if total > 1.0 + 1e-9:
            place[level] += 1
            continue
        number = base[level] * cells[level] + place[level]
        w = float(low + (h >> 1) - middle[level]) / float(h)
        distance = from_middle[level] + w * w
        if level < d - 1:
            level += 1
            from_middle[level], part[level], base[level], place[level] = distance, total, number, margin
            continue
        if slot[number] == 0:
            at = _with_cell(at, found, number, distance)
            found += 1
        place[level] += 1
    return found, at


@kernel(inner=True)
def cell_box(number, grid, r, piece):
    """The cell as a box (lo, hi), cut off at the ball's bounding cube."""
    corner, h, cells, margin = grid
    d = len(cells)
    for j in range(d - 1, -1, -1):
        piece[j] = corner[j] + (number % cells[j]) * h
        piece[d + j] = min(piece[j] + h, corner[j] + margin * h + 2 * r)
        number //= cells[j]


@kernel(inner=True)
def _neighbours(number, cells, place, offset, out):
    """The numbers of the cells around one, itself included, into `out`; returns how many."""
    d = len(cells)
    rest = number
    for j in range(d - 1, -1, -1):
        place[j] = rest % cells[j]
        rest //= cells[j]
        offset[j] = -1
    found = 0
    while True:
        inside, value = True, np.int64(0)
        for j in range(d):
            p = place[j] + offset[j]
            if p < 0 or p >= cells[j]:
                inside = False
                break
            value = value * cells[j] + p
        if inside:
            out[found] = value
            found += 1
        j = d - 1
        while j >= 0 and offset[j] == 1:
            offset[j] = -1
            j -= 1
        if j < 0:
            return found
        offset[j] += 1


@kernel(inner=True)
def crowd_order(slot, grid, left, at, stride):
    """The order of every stride-th empty cell: those with few sums in and around them first, then those far out.

    A hole is most likely, and largest, where no sums are about.
    """
    d = len(grid.cells)
    place, offset, around = np.empty(d, np.int64), np.empty(d, np.int64), np.empty(3**d, np.int64)
    size = (left + stride - 1) // stride
    order, keys = np.empty(size, np.int64), np.empty(left)
    for m in range(size):
        crowd, k = np.int64(0), m * stride
        for i in range(_neighbours(at[k]["cell"], grid.cells, place, offset, around)):
            crowd += slot[around[i]]
        keys[k] = float(crowd) - float(at[k]["distance"]) / (
            200 * _FARTHEST
        )  # a distance counts for half a sum at most
        order[m] = k
    sort(order, 0, size, keys)
    return order


@kernel(inner=True)
def near_sums(sums, empty):
    """The `Lists` of the sums in and around the empty cells.

    `slot` gets the numbers of the lists. A list is cut off at the largest power of two for which all of them hold at
    most `_STORED` sums. One pass over the sums of the window that the lists span.
    """
    slot, grid = empty.slot, empty.grid
    d = len(grid.cells)
    place, offset, around = np.empty(d, np.int64), np.empty(d, np.int64), np.empty(3**d, np.int64)
    low, high = np.empty(d), np.zeros(d)
    for j in range(d):
        low[j] = float(grid.cells[j])
    sizes = np.empty((64, 1), np.int64)
    lists = 0
    for k in range(empty.left):
        for i in range(_neighbours(empty.at[k]["cell"], grid.cells, place, offset, around)):
            held = np.int64(slot[around[i]])
            if held > 0:
                sizes = grown(sizes, lists)
                sizes[lists, 0] = held
                lists += 1
                slot[around[i]] = -lists
        for j in range(d):
            low[j] = min(low[j], float(place[j] - 1))
            high[j] = max(high[j], float(place[j] + 2))
    for j in range(d):
        low[j], high[j] = max(low[j], 0.0), min(high[j], float(grid.cells[j]))
    cap = np.int64(1) << 30
    total = np.int64(_STORED + 1)
    while total > _STORED:
        cap >>= 1
        total = np.int64(0)
        for k in range(lists):
            total += min(sizes[k, 0], cap)
        if cap == 1:
            break
    start, used = np.empty(lists + 1, np.int64), np.zeros(lists, np.int64)
    start[0] = 0
    for k in range(lists):
        start[k + 1] = start[k] + min(sizes[k, 0], cap)
    store = np.empty((total, d), np.int64)
    fill(sums, grid, slot, low, high, start, used, store)
    return Lists(start, used, store)


@kernel(inner=True)
def sums_about(number, piece, t, empty, lists, points):
    """The sums stored in and around a cell whose boxes at t meet the piece: (how many, points, perhaps grown)."""
    start, used, store = lists
    slot, grid = empty.slot, empty.grid
    d = len(grid.cells)
    place, offset, around = np.empty(d, np.int64), np.empty(d, np.int64), np.empty(3**d, np.int64)
    count = 0
    for i in range(_neighbours(number, grid.cells, place, offset, around)):
        k = -np.int64(slot[around[i]]) - 1
        if k < 0:
            continue
        for m in range(start[k], start[k] + used[k]):
            meets = True
            for j in range(d):
                if store[m, j] <= piece[j] - t or store[m, j] >= piece[d + j] + t:
                    meets = False
                    break
            if meets:
                points = grown(points, count)
                for j in range(d):
                    points[count, j] = store[m, j]
                count += 1
    return count, points
