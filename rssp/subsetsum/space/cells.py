"""The grid of cells over a ball's bounding cube: which cells no sum marks, and the sums that lie about those.

A grid is (corner, side, cells along each axis, margin); a cell's number counts with the last axis fastest. The margin
is the number of cells, 0 or 1, that lie outside the bounding cube at either end of an axis: sums there cover too.
"""

from __future__ import annotations

import numpy as np

from rssp._jit import kernel
from rssp.subsetsum.space.pieces import room, sort
from rssp.subsetsum.space.sums import fill

__all__ = ["cell_box", "cells_left", "crowd_order", "near_sums", "sums_about"]


_STORED = 1 << 22  # sums about empty cells that are stored at most


@kernel(inner=True)
def cells_left(slot, grid, ball, middle):
    """The cells that meet the ball and hold no sum: (how many, rows (number, squared way to the middle of the sums)).

    The way is in hundredths of squared sides. Branches outside the ball are skipped as a whole.
    """
    corner, h, cells, margin = grid
    centre, r, norm = ball
    d = len(cells)
    out = np.empty((64, 2), np.int64)
    found = 0
    place = np.full(d, margin)
    base = np.zeros(d + 1, np.int64)
    part = np.zeros(d + 1)
    away_from_middle = np.zeros(d + 1)
    level = 0
    while level >= 0:
        if place[level] == cells[level] - margin:
            level -= 1
            if level >= 0:
                place[level] += 1
            continue
        low = corner[level] + place[level] * h
        away = float(max(low - centre[level], centre[level] - low - h, 0)) / float(r)
        total = part[level]
        if norm == 1:
            total += away
        elif norm == 2:
            total += away * away
        if total > 1.0 + 1e-9:
            place[level] += 1
            continue
        number = base[level] * cells[level] + place[level]
        w = float(low + (h >> 1) - middle[level]) / float(h)
        if level == d - 1:
            if slot[number] == 0:
                out = room(out, found)
                out[found, 0] = number
                out[found, 1] = np.int64(min(away_from_middle[level] + w * w, 1e6) * 100)
                found += 1
            place[level] += 1
        else:
            away_from_middle[level + 1] = away_from_middle[level] + w * w
            level += 1
            part[level] = total
            base[level] = number
            place[level] = margin
    return found, out


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
def crowd_order(slot, grid, left, numbers, stride):
    """The order of every stride-th cell left: the fewest sums in and around them first, then those far from the middle.

    A hole is most likely, and largest, where no sums are about.
    """
    d = len(grid[2])
    place, offset, around = np.empty(d, np.int64), np.empty(d, np.int64), np.empty(3**d, np.int64)
    size = (left + stride - 1) // stride
    order, keys = np.empty(size, np.int64), np.empty(left, np.int64)
    for m in range(size):
        crowd, k = np.int64(0), m * stride
        for i in range(_neighbours(numbers[k, 0], grid[2], place, offset, around)):
            crowd += slot[around[i]]
        keys[k] = (min(crowd, np.int64(1) << 32) << 28) - min(numbers[k, 1], (np.int64(1) << 28) - 1)
        order[m] = k
    sort(order, 0, size, keys)
    return order


@kernel(inner=True)
def near_sums(tree, slot, grid, left, numbers):
    """The sums in and around the cells left, by cell: (start of each list, how many it holds, the sums).

    `slot` gets the numbers of the lists. A list is cut off at the largest power of two for which all of them hold at
    most `_STORED` sums. One pass over the sums of the window that the lists span.
    """
    d = len(grid[2])
    place, offset, around = np.empty(d, np.int64), np.empty(d, np.int64), np.empty(3**d, np.int64)
    low, high = np.empty(d), np.zeros(d)
    for j in range(d):
        low[j] = float(grid[2][j])
    sizes = np.empty((64, 1), np.int64)
    lists = 0
    for k in range(left):
        for i in range(_neighbours(numbers[k, 0], grid[2], place, offset, around)):
            held = np.int64(slot[around[i]])
            if held > 0:
                sizes = room(sizes, lists)
                sizes[lists, 0] = held
                lists += 1
                slot[around[i]] = -lists
        for j in range(d):
            low[j] = min(low[j], float(place[j] - 1))
            high[j] = max(high[j], float(place[j] + 2))
    for j in range(d):
        low[j], high[j] = max(low[j], 0.0), min(high[j], float(grid[2][j]))
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
    fill(tree, grid, slot, low, high, start, used, store)
    return start, used, store


@kernel(inner=True)
def sums_about(number, piece, t, slot, grid, lists, points):
    """The sums stored in and around a cell whose boxes at t meet the piece: (how many, points, perhaps grown)."""
    start, used, store = lists
    d = len(grid[2])
    place, offset, around = np.empty(d, np.int64), np.empty(d, np.int64), np.empty(3**d, np.int64)
    count = 0
    for i in range(_neighbours(number, grid[2], place, offset, around)):
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
                points = room(points, count)
                for j in range(d):
                    points[count, j] = store[m, j]
                count += 1
    return count, points
