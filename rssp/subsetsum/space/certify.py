"""One pass of the certified covering in any dimension, in int64 units of 2^(-q-1): half a unit of the fixed point.

Whether the sums cover the ball at t is answered cell by cell. A cell of side at most t that holds a sum is covered by
it; counting the sums of each cell is one pass over the sums of two halves, without storing any. Only the empty cells
are looked at again: the sums in and around them are stored in a second pass, and each empty cell is split at the faces
of the boxes about these sums (`pieces`). What stays open is a hole: the distance of a target in it to all sums is a
lower bound of the radius, and t grows to (1 + resolution) times that distance. Empty cells with few sums about them
come first, and a short climb from their middles gives a good lower bound before any is split.

Memory: the halves, four bytes a cell, and the sums stored (at most 2^22).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rssp._jit import kernel
from rssp.subsetsum.space.cells import Empty, Grid, cell_box, crowd_order, empty_cells, near_sums, sums_about
from rssp.subsetsum.space.pieces import (
    Region,
    Stacks,
    copy_boxes,
    excess,
    misses_ball,
    new_stacks,
    split,
    target_in,
)
from rssp.subsetsum.space.sums import Sums, fill, gather, nearest

__all__ = ["CELLS", "COVERED", "LIST", "Problem", "Progress", "Work", "certify", "copy"]

COVERED, _UNCOVERED, _GREW, CELLS = 0, 1, 2, 3
_MAX_CELLS = 1 << 28  # counts of 1 GB; a grid that needs more asks for larger cells
# Tuned with the part `space` of benchmarks/speed.py, d = 2 to 9; measure again when a pass over the sums or `split`
# changes its speed. None of them changes an answer to `covers`; brackets stay certified, but other ones.
_WITH_MARGIN = 1 << 26  # cells up to which a margin is laid about them
LIST = 2048  # sums near an open piece; where there are more, only the nearest is taken
_GROWTH = 1.35  # of t in a pass, beyond which it is better to begin again with larger cells
_GROWTH_UNSTORED = 1.2  # the same while the sums about empty cells are not stored yet
_FIRST = 12  # cells that are looked at before the sums about all of them are stored
_CLIMBS = 24  # cells that a climb is begun from
_DOUBTFUL = 64  # open pieces that sums not stored may cover, before a pass with larger cells is better
_ONE = np.int64(1)


class Problem(NamedTuple):
    """The first vectors of a sample against a ball."""

    sums: Sums
    middle: NDArray[np.int64]
    """(d,), half the sum of all vectors"""
    ball: Region
    euclid: bool
    """the norm of the error: 2 or inf"""
    deciding: bool
    """stop at the first hole; otherwise t grows to (1 + resolution) times the distance of each, and all that was
    certified before stays so"""
    resolution: float


class Progress(NamedTuple):
    """Where a pass stands."""

    state: np.int64
    t: np.int64
    low: np.int64
    """the largest distance of a target known so far"""


class Work(NamedTuple):
    """What all passes share."""

    points: NDArray[np.int64]
    """(LIST + 1, d), sums near a piece"""
    few: NDArray[np.int64]
    """(128, d)"""
    witness: NDArray[np.int64]
    """(d,), the target that `low` is the distance of"""
    z: NDArray[np.int64]
    """(d,), a target; and so `v`, ways from the ball's centre, and `x`, a sum: all three for one step of the work"""
    v: NDArray[np.int64]
    x: NDArray[np.int64]
    piece: NDArray[np.int64]
    """(2 d,), a cell as a box"""


@kernel(hot=True)
def _grown_t(t, low, resolution):
    """t, or if that is more (1 + resolution) low."""
    return max(t, np.int64(np.ceil(float(low) * (1.0 + resolution))))


@kernel(hot=True)
def copy(source, out):
    for j in range(len(out)):
        out[j] = source[j]


@kernel(hot=True)
def _gather_near(problem, lo, hi, t, work):
    """(how many, whether all): the sums whose boxes meet the piece, in work.points; none if one box holds all of it."""
    sums, euclid = problem.sums, problem.euclid
    count = gather(sums, lo, hi, t, euclid, work.points, np.int64(LIST))
    if count < LIST:
        return count, True
    # many sums are near: one whose box holds the whole piece is the likely case
    if not euclid and gather(sums, hi, lo, t, euclid, work.few, _ONE) > 0:
        return 0, False
    target_in(lo, hi, problem.ball, work.v, work.z)
    nearest(sums, work.z, t, euclid, work.few, work.x)
    copy(work.x, work.points[count])
    return count + 1, False


@kernel(hot=True)
def _note_holes(problem, holes, found, progress, work):
    """Take the targets in holes, in the 2-norm in the first of them, for `low` and the witness."""
    d, z, v, x = len(work.z), work.z, work.v, work.x
    t, low = progress.t, progress.low
    for i in range(1 if problem.euclid else found):
        target_in(holes[i, :d], holes[i, d:], problem.ball, v, z)
        distance = nearest(problem.sums, z, t, problem.euclid, work.few, x)
        if distance > low or problem.deciding:
            low = distance
            copy(z, work.witness)
        if problem.deciding:
            return Progress(np.int64(_UNCOVERED), t, low)
    return Progress(np.int64(COVERED), _grown_t(t + 1, low, problem.resolution), low)


@kernel(hot=True)
def _open(stacks, found, place):
    """The stacks, with the holes found as open pieces, rows[place : place + found]."""
    rows = copy_boxes(stacks.holes, found, stacks.rows, place)
    return Stacks(rows, stacks.holes, stacks.stack, stacks.arena, stacks.near)


@kernel(inner=True)
def _settle_pieces(problem, pieces, limit, progress, stacks, work):
    """Settle the open pieces stacks.rows[:pieces] from all sums: (progress, stacks).

    Beyond t = limit it is better to begin again.
    """
    d = len(work.witness)
    lo, hi = np.empty(d, np.int64), np.empty(d, np.int64)
    v = work.v
    while pieces > 0:
        pieces -= 1
        rows = stacks.rows
        for j in range(d):
            lo[j], hi[j] = rows[pieces, j], rows[pieces, d + j]
        if misses_ball(lo, hi, problem.ball, v):
            continue
        count, complete = _gather_near(problem, lo, hi, progress.t, work)
        if count == 0 and not complete:
            continue
        found, stacks = split(rows[pieces], work.points, count, progress.t, problem.euclid, problem.ball, stacks)
        if found == 0:
            continue
        stacks = _open(stacks, found, pieces)
        pieces += found
        if not complete:
            continue
        progress = _note_holes(problem, stacks.holes, found, progress, work)
        if progress.state == _UNCOVERED:
            return progress, stacks
        if progress.t > limit:
            return Progress(np.int64(_GREW), progress.t, progress.low), stacks
    return Progress(np.int64(COVERED), progress.t, progress.low), stacks


@kernel(hot=True)
def _least_distance(points, count, z, piece, known):
    """The max-norm distance of z to all sums, or less: the points are those within `known` of the piece."""
    best, outside = known, np.int64(0)
    for j in range(len(z)):
        outside = max(outside, piece[j] - z[j], z[j] - piece[len(z) + j])
    best -= outside
    for i in range(count):
        far = np.int64(0)
        for j in range(len(z)):
            far = max(far, abs(points[i, j] - z[j]))
            if far >= best:
                break
        best = min(best, far)
    return best


@kernel(inner=True)
def _climb(points, count, piece, h, ball, z, v):
    """Move the target z along the axes, in ever smaller steps, while its distance to all sums grows; the distance."""
    centre, r, norm = ball
    d = len(z)
    best, step = _least_distance(points, count, z, piece, h), h >> 2
    for _ in range(6):
        moved = True
        rounds = 0
        while moved and rounds < 4:
            moved = False
            rounds += 1
            for j in range(2 * d):
                axis, old = j >> 1, z[j >> 1]
                z[axis] = old + (step if j & 1 else -step)
                for i in range(d):
                    v[i] = abs(z[i] - centre[i])
                if excess(v, r, norm) <= 0:
                    distance = _least_distance(points, count, z, piece, h)
                    if distance > best:
                        best, moved = distance, True
                        continue
                z[axis] = old
        step >>= 1
    return best


@kernel(inner=True)
def _hunt(problem, empty, lists, progress, stacks, work):
    """(low, stacks): the largest distance, from `low` up, of a target that climbs from the least crowded cells find."""
    d = len(work.witness)
    t, low, points = progress.t, progress.low, stacks.near
    h, r = empty.grid.side, problem.ball.radius
    piece = np.empty(2 * d, np.int64)
    z, v, best = np.empty(d, np.int64), np.empty(d, np.int64), np.empty(d, np.int64)
    most = low
    for k in range(min(empty.left, _CLIMBS)):
        cell = empty.at[empty.order[k]]["cell"]
        cell_box(cell, empty.grid, r, piece)
        count, points = sums_about(cell, piece, 2 * t, empty, lists, points)
        target_in(piece[:d], piece[d:], problem.ball, v, z)
        distance = _climb(points, count, piece, h, problem.ball, z, v)
        if distance > most:
            most = distance
            copy(z, best)
    if most > low:
        # lists may be cut off, and at the least crowded cells sums outside the grid are not in any
        distance = nearest(problem.sums, best, min(most, t), problem.euclid, work.few, v)
        if distance > low:
            low = distance
            copy(best, work.witness)
    return low, Stacks(stacks.rows, stacks.holes, stacks.stack, stacks.arena, points)


@kernel(inner=True)
def _lay_grid(problem, t):
    """(grid, how many cells, the largest coordinate of a corner or of a sum of a half), for cells of side up to t."""
    centre, r = problem.ball.centre, problem.ball.radius
    a, b = problem.sums.a, problem.sums.b
    d = len(centre)
    shrink = 1.0 - 2.0**-20
    if problem.euclid:
        shrink /= np.sqrt(d)
    h = max(_ONE, np.int64(float(t) * shrink))
    corner, cells = np.empty(d, np.int64), np.empty(d, np.int64)
    total, reach = 1.0, 0.0
    for j in range(d):
        cells[j] = (2 * r + h - 1) // h + 2
        total *= cells[j]
    margin = _ONE if total <= _WITH_MARGIN else _ONE - 1
    total = 1.0
    for j in range(d):
        cells[j] -= 2 - 2 * margin
        corner[j] = centre[j] - r - margin * h
        total *= cells[j]
        reach = max(reach, abs(float(corner[j])))
        for i in range(len(a)):
            reach = max(reach, abs(float(a[i, j])))
        for i in range(len(b)):
            reach = max(reach, abs(float(b[i, j])))
    return Grid(corner, h, cells, margin), total, reach


@kernel(inner=True)
def _count_sums(problem, grid, slot, work):
    """Fill slot with how many sums each cell holds."""
    d = len(grid.cells)
    last_cell = np.empty(d)
    for j in range(d):
        last_cell[j] = grid.cells[j]
    nothing = np.zeros(1, np.int64)
    fill(problem.sums, grid, slot, np.zeros(d), last_cell, nothing, nothing, work.few)


@kernel(inner=True)
def _settle_first(problem, empty, first, limit, progress, stacks, work):
    """Settle the first cells in order from all sums, one after the other: (progress, stacks)."""
    for k in range(first):
        cell_box(empty.at[empty.order[k]]["cell"], empty.grid, problem.ball.radius, stacks.rows[0])
        progress, stacks = _settle_pieces(problem, _ONE, limit, progress, stacks, work)
        if progress.state != COVERED:
            break
    return progress, stacks


@kernel(inner=True)
def _look_at_first(problem, empty, progress, work):
    """Far below the radius the first cell says so, before anything is stored."""
    d, piece, z, v = len(work.z), work.piece, work.z, work.v
    cell_box(empty.at[empty.order[0]]["cell"], empty.grid, problem.ball.radius, piece)
    target_in(piece[:d], piece[d:], problem.ball, v, z)
    distance = nearest(problem.sums, z, progress.t, problem.euclid, work.few, v)
    if distance <= progress.low:
        return progress
    copy(z, work.witness)
    return _if_not_outgrown(problem, empty, distance, progress)


@kernel(inner=True)
def _if_not_outgrown(problem, empty, low, progress):
    """t for this `low`; in the max norm it may be too much for these cells."""
    t = _grown_t(progress.t, low, problem.resolution)
    outgrown = float(t) > _GROWTH_UNSTORED * float(empty.grid.side) and not problem.euclid
    return Progress(np.int64(_GREW if outgrown else COVERED), t, low)


@kernel(inner=True)
def _widest_hole(holes, found):
    """The hole that is widest along the first axis."""
    d, widest = holes.shape[1] // 2, 0
    for i in range(found):
        if holes[i, d] - holes[i, 0] > holes[widest, d] - holes[widest, 0]:
            widest = i
    return holes[widest]


@kernel(inner=True)
def _split_cell(problem, cell, empty, lists, limit, progress, stacks, work):
    """(holes found, progress, stacks): one cell split at the boxes of the sums stored, while t grows with its holes.

    In the max norm it ends where no hole is left, or where a sum that is not stored is near the widest.
    """
    d, piece, z, v = len(work.z), work.piece, work.z, work.v
    cell_box(cell, empty.grid, problem.ball.radius, piece)
    while True:
        t = progress.t
        count, near = sums_about(cell, piece, t, empty, lists, stacks.near)
        stacks = Stacks(stacks.rows, stacks.holes, stacks.stack, stacks.arena, near)
        found, stacks = split(piece, near, count, t, problem.euclid, problem.ball, stacks)
        if found == 0 or problem.euclid:
            return found, progress, stacks
        hole = _widest_hole(stacks.holes, found)
        target_in(hole[:d], hole[d:], problem.ball, v, z)
        distance = nearest(problem.sums, z, t, problem.euclid, work.few, v)
        if distance <= t:
            return found, progress, stacks
        low = progress.low
        if distance > low or problem.deciding:
            low = distance
            copy(z, work.witness)
        if problem.deciding:
            return found, Progress(np.int64(_UNCOVERED), t, low), stacks
        t = _grown_t(t + 1, low, problem.resolution)
        progress = Progress(np.int64(_GREW if t > limit else COVERED), t, low)
        if progress.state == _GREW:
            return found, progress, stacks


@kernel(inner=True)
def _certify_cells(problem, empty, lists, first, limit, progress, stacks, work):
    """Settle the empty cells from place `first` in order on, with the sums stored, then with all: the progress."""
    doubtful = 0
    for k in range(first, empty.left):
        cell = empty.at[empty.order[k]]["cell"]
        found, progress, stacks = _split_cell(problem, cell, empty, lists, limit, progress, stacks, work)
        if progress.state != COVERED:
            return progress
        if found == 0:
            continue
        doubtful += found
        if doubtful > _DOUBTFUL and float(progress.t) > 1.02 * float(empty.grid.side) and not problem.euclid:
            return Progress(np.int64(_GREW), progress.t, progress.low)
        stacks = _open(stacks, found, 0)
        progress, stacks = _settle_pieces(problem, np.int64(found), limit, progress, stacks, work)
        if progress.state != COVERED:
            return progress
    return progress


@kernel(inner=True)
def certify(problem, t, low, work):
    """Whether the sums cover the ball at t, and if not deciding at which larger t they do: (progress, empty cells).

    `low` is the largest distance of a target known so far.
    """
    d = len(work.witness)
    progress = Progress(np.int64(COVERED), t, low)
    grid, total, reach = _lay_grid(problem, t)
    if total > _MAX_CELLS:
        return Progress(np.int64(CELLS), t, low), 0
    slot = np.zeros(int(total), np.int32)
    countable = 3 * reach / float(grid.side) < 2.0**28 and grid.side > 1 << 24
    if countable:
        _count_sums(problem, grid, slot, work)
    left, at = empty_cells(slot, grid, problem.ball, problem.middle)
    stride = 1 + ((left * 3**d) >> 27) if countable else 1  # with very many empty cells, a sample of them comes first
    empty = Empty(grid, slot, left, at, crowd_order(slot, grid, left, at, stride))
    stacks, limit = new_stacks(d, LIST), np.int64(_GROWTH * float(t))
    first = left
    if countable and left > _FIRST:
        first = min(_FIRST, len(empty.order)) if problem.deciding else 0
    progress, stacks = _settle_first(problem, empty, first, limit, progress, stacks, work)
    if progress.state != COVERED or first == left:
        return progress, left
    if not problem.deciding:
        progress = _look_at_first(problem, empty, progress, work)
        if progress.state != COVERED:
            return progress, left
    if stride > 1:
        empty, first = Empty(grid, slot, left, at, crowd_order(slot, grid, left, at, _ONE)), 0
    lists = near_sums(problem.sums, empty)
    if not problem.deciding and not problem.euclid:
        low, stacks = _hunt(problem, empty, lists, progress, stacks, work)
        progress = _if_not_outgrown(problem, empty, low, progress)
        if progress.state != COVERED:
            return progress, left
    return _certify_cells(problem, empty, lists, first, limit, progress, stacks, work), left
