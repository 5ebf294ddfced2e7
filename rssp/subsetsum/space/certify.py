"""Kernels of the certified covering in any dimension, in int64 units of 2^(-q-1): half a unit of the fixed point.

Whether the sums cover the ball at t is answered cell by cell. A cell of side at most t that holds a sum is covered by
it; counting the sums of each cell is one pass over the sums of two halves, without storing any. Only the empty cells
are looked at again: the sums in and around them are stored in a second pass, and each empty cell is split at the faces
of the boxes about these sums (`_space_pieces`). What stays open is a hole: the distance of a target in it to all sums
is a lower bound of the radius, and t grows to (1 + resolution) times that distance. Empty cells with few sums about
them come first, and a short climb from their middles gives a good lower bound before any is split.

Memory: the halves, four bytes a cell, and the sums stored (at most 2^22).
"""

from __future__ import annotations

import numpy as np

from rssp._jit import kernel
from rssp.subsetsum.space.cells import cell_box, cells_left, crowd_order, near_sums, sums_about
from rssp.subsetsum.space.pieces import excess, misses_ball, room, split, target
from rssp.subsetsum.space.sums import fill, gather, halves, middle, nearest

__all__ = ["FINISHED", "TOO_MANY_CELLS", "hits", "radii"]


FINISHED, TOO_MANY_CELLS = 0, 1
_COVERED, _UNCOVERED, _GREW, _CELLS = 0, 1, 2, 3
_MAX_CELLS = 1 << 28
_WITH_MARGIN = 1 << 26
_LIST = 2048
_GROWTH = 1.35
_FIRST = 12  # cells that are looked at before the sums about all of them are stored
_CLIMBS = 24  # cells that a climb is begun from
_DOUBTFUL = 64  # open pieces that sums not stored may cover, before a pass with larger cells is better
_ONE = np.int64(1)


@kernel(inner=True)
def _settle(tree, rows, pieces, t, limit, low, euclid, ball, resolution, holes, stack, arena, work, witness):
    """Settle open pieces (rows) from all sums: (state, t, largest distance found, arrays that may have grown).

    resolution < 0: stop at the first hole. Otherwise t grows to (1 + resolution) times the distance of each hole found,
    and everything certified before stays so; beyond `limit` it is better to begin again.
    """
    d = len(witness)
    points, few = work
    lo, hi = np.empty(d, np.int64), np.empty(d, np.int64)
    z, v, x = np.empty(d, np.int64), np.empty(d, np.int64), np.empty(d, np.int64)
    while pieces > 0:
        pieces -= 1
        for j in range(d):
            lo[j], hi[j] = rows[pieces, j], rows[pieces, d + j]
        if misses_ball(lo, hi, ball, v):
            continue
        count = gather(tree, lo, hi, t, euclid, points, np.int64(_LIST))
        complete = count < _LIST
        if not complete:
            # many sums are near: one whose box holds the whole piece is the likely case
            if not euclid and gather(tree, hi, lo, t, euclid, few, _ONE) > 0:
                continue
            target(lo, hi, ball, v, z)
            nearest(tree, z, t, euclid, few, x)
            for j in range(d):
                points[count, j] = x[j]
            count += 1
        found, holes, stack, arena = split(rows[pieces], points, count, t, euclid, ball, holes, stack, arena)
        for i in range(found):
            rows = room(rows, pieces)
            for j in range(2 * d):
                rows[pieces, j] = holes[i, j]
            pieces += 1
        if not complete or found == 0:
            continue
        for i in range(1 if euclid else found):
            for j in range(d):
                lo[j], hi[j] = holes[i, j], holes[i, d + j]
            target(lo, hi, ball, v, z)
            distance = nearest(tree, z, t, euclid, few, x)
            if distance > low or resolution < 0:
                low = distance
                for j in range(d):
                    witness[j] = z[j]
            if resolution < 0:
                return _UNCOVERED, t, low, rows, holes, stack, arena
        t = max(t + 1, np.int64(np.ceil(float(low) * (1.0 + resolution))))
        if t > limit:
            return _GREW, t, low, rows, holes, stack, arena
    return _COVERED, t, low, rows, holes, stack, arena


@kernel(inner=True)
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
def _hunt(tree, slot, grid, lists, left, numbers, order, t, low, euclid, ball, work, witness):
    """The largest distance, from `low` up, of a target to all sums that climbs from the least crowded cells find."""
    d = len(witness)
    points, few = work
    h, r = grid[1], ball[1]
    piece = np.empty(2 * d, np.int64)
    z, v, best = np.empty(d, np.int64), np.empty(d, np.int64), np.empty(d, np.int64)
    most = low
    for k in range(min(left, _CLIMBS)):
        cell = numbers[order[k], 0]
        cell_box(cell, grid, r, piece)
        count, points = sums_about(cell, piece, 2 * t, slot, grid, lists, points)
        target(piece[:d], piece[d:], ball, v, z)
        distance = _climb(points, count, piece, h, ball, z, v)
        if distance > most:
            most = distance
            for j in range(d):
                best[j] = z[j]
    if most > low:
        # lists may be cut off, and at the least crowded cells sums outside the grid are not in any
        distance = nearest(tree, best, min(most, t), euclid, few, v)
        if distance > low:
            low = distance
            for j in range(d):
                witness[j] = best[j]
    return low, points


@kernel(inner=True)
def _pass(tree, centre_of_sums, ball, t, low, euclid, resolution, work, witness):
    """Whether the sums cover the ball at t; with resolution >= 0, at which larger t they do: see `_settle`.

    `low` is the largest distance of a target known so far. Returns (state, t, low, cells left).
    """
    centre, r = ball[0], ball[1]
    d = len(centre)
    shrink = 1.0 - 2.0**-20
    if euclid:
        shrink /= np.sqrt(d)
    h = max(_ONE, np.int64(float(t) * shrink))
    corner, cells = np.empty(d, np.int64), np.empty(d, np.int64)
    least_cell, last_cell = np.zeros(d), np.empty(d)
    total, reach = 1.0, 0.0
    for j in range(d):
        cells[j] = (2 * r + h - 1) // h + 2
        total *= cells[j]
    margin = _ONE if total <= _WITH_MARGIN else _ONE - 1
    total = 1.0
    for j in range(d):
        cells[j] -= 2 - 2 * margin
        corner[j] = centre[j] - r - margin * h
        last_cell[j] = cells[j]
        total *= cells[j]
        reach = max(reach, abs(float(corner[j])))
        for i in range(len(tree[0])):
            reach = max(reach, abs(float(tree[0][i, j])))
        for i in range(len(tree[1])):
            reach = max(reach, abs(float(tree[1][i, j])))
    if total > _MAX_CELLS:
        return _CELLS, t, low, 0
    grid = (corner, h, cells, margin)
    slot = np.zeros(int(total), np.int32)
    nothing = np.zeros(1, np.int64)
    countable = 3 * reach / float(h) < 2.0**28 and h > 1 << 24
    if countable:
        fill(tree, grid, slot, least_cell, last_cell, nothing, nothing, work[1])
    left, numbers = cells_left(slot, grid, ball, centre_of_sums)
    stride = 1 + ((left * 3**d) >> 27) if countable else 1  # with very many empty cells, a sample of them comes first
    order = crowd_order(slot, grid, left, numbers, stride)
    piece = np.empty(2 * d, np.int64)
    rows = np.empty((64, 2 * d), np.int64)
    holes = np.empty((64, 2 * d), np.int64)
    stack = np.empty((64, 2 * d + 2), np.int64)
    arena = np.empty((4096, 1), np.int64)
    z, v = np.empty(d, np.int64), np.empty(d, np.int64)
    points = np.empty((_LIST, d), np.int64)
    limit = np.int64(_GROWTH * float(t))
    first = left
    if countable and left > _FIRST:
        first = min(_FIRST, len(order)) if resolution < 0 else 0
    for k in range(first):
        cell_box(numbers[order[k], 0], grid, r, rows[0])
        state, t, low, rows, holes, stack, arena = _settle(
            tree, rows, _ONE, t, limit, low, euclid, ball, resolution, holes, stack, arena, work, witness
        )
        if state != _COVERED:
            return state, t, low, left
    if first == left:
        return _COVERED, t, low, left
    if resolution >= 0:
        # far below the radius the first cell says so, before anything is stored
        cell_box(numbers[order[0], 0], grid, r, piece)
        target(piece[:d], piece[d:], ball, v, z)
        distance = nearest(tree, z, t, euclid, work[1], v)
        if distance > low:
            low = distance
            for j in range(d):
                witness[j] = z[j]
            t = max(t, np.int64(np.ceil(float(low) * (1.0 + resolution))))
            if float(t) > 1.2 * float(h) and not euclid:
                return _GREW, t, low, left
    if stride > 1:
        order, first = crowd_order(slot, grid, left, numbers, _ONE), 0
    lists = near_sums(tree, slot, grid, left, numbers)
    if resolution >= 0 and not euclid:
        both = (points, work[1])
        low, points = _hunt(tree, slot, grid, lists, left, numbers, order, t, low, euclid, ball, both, witness)
        t = max(t, np.int64(np.ceil(float(low) * (1.0 + resolution))))
        if float(t) > 1.2 * float(h):
            return _GREW, t, low, left
    doubtful = 0
    for k in range(first, left):
        cell = numbers[order[k], 0]
        cell_box(cell, grid, r, piece)
        while True:
            count, points = sums_about(cell, piece, t, slot, grid, lists, points)
            found, holes, stack, arena = split(piece, points, count, t, euclid, ball, holes, stack, arena)
            if found == 0 or euclid:
                break
            widest = 0
            for i in range(found):
                if holes[i, d] - holes[i, 0] > holes[widest, d] - holes[widest, 0]:
                    widest = i
            target(holes[widest, :d], holes[widest, d:], ball, v, z)
            distance = nearest(tree, z, t, euclid, work[1], v)
            if distance <= t:
                break  # a sum that is not stored is near
            if distance > low or resolution < 0:
                low = distance
                for j in range(d):
                    witness[j] = z[j]
            if resolution < 0:
                return _UNCOVERED, t, low, left
            t = max(t + 1, np.int64(np.ceil(float(low) * (1.0 + resolution))))
            if t > limit:
                return _GREW, t, low, left
        if found == 0:
            continue
        doubtful += found
        if doubtful > _DOUBTFUL and float(t) > 1.02 * float(h) and not euclid:
            return _GREW, t, low, left
        for i in range(found):
            rows = room(rows, i)
            for j in range(2 * d):
                rows[i, j] = holes[i, j]
        state, t, low, rows, holes, stack, arena = _settle(
            tree, rows, np.int64(found), t, limit, low, euclid, ball, resolution, holes, stack, arena, work, witness
        )
        if state != _COVERED:
            return state, t, low, left
    return _COVERED, t, low, left


@kernel(inner=True)
def _far_target(centre_of_sums, ball, z):
    """The target farthest from the middle of the sums: a corner of a cube, of the other balls the end of an axis."""
    centre, r, norm = ball
    axis = 0
    for j in range(len(z)):
        z[j] = centre[j]
        if abs(centre[j] - centre_of_sums[j]) > abs(centre[axis] - centre_of_sums[axis]):
            axis = j
    for j in range(len(z)):
        if norm == 0 or j == axis:
            z[j] += r if centre[j] >= centre_of_sums[j] else -r


@kernel
def radii(x, ball, euclid, resolution, log_cells, schedule, lower, upper, witness):
    """Brackets of the covering radius of the first schedule[k] vectors, k = 0, 1, ...; returns FINISHED or not.

    Lengths in units; `witness` (len(schedule), d) attains `lower`. `log_cells` is the logarithm of the number of error
    balls of radius one unit in the ball's volume: 2^n of radius rho have at least that volume. The bracket for one n
    starts the search for the next: the radius does not increase, and the last witness is often still far from any sum.
    """
    d = x.shape[1]
    z, point = np.empty(d, np.int64), np.empty(d, np.int64)
    work = (np.empty((_LIST + 1, d), np.int64), np.empty((128, d), np.int64))
    bound, before = np.int64(0), 0
    for j in range(d):
        reach = abs(ball[0][j]) + ball[1]  # the empty sum's distance to a corner of the bounding cube
        bound = bound + reach + 1 if euclid else max(bound, reach)
    for k in range(len(schedule)):
        n = schedule[k]
        tree = halves(x, n)
        centre_of_sums = middle(x, n)
        counting = (log_cells - np.log(len(tree[0])) - np.log(len(tree[1]))) / d
        least = max(_ONE, np.int64(np.exp(min(counting, 41.0)) * (1 - 1e-9)))
        high = bound
        _far_target(centre_of_sums, ball, z)
        low = nearest(tree, z, max(least, bound // 8), euclid, work[1], point)
        for j in range(d):
            witness[k, j] = z[j]
        if k > 0:
            distance = nearest(tree, witness[k - 1], max(least, bound // 8), euclid, work[1], point)
            if distance > low:
                low = distance
                for j in range(d):
                    witness[k, j] = witness[k - 1, j]
        t = np.int64(float(high) * 2.0 ** (-(n - before) / d))
        while True:
            wanted = max(low + 1, np.int64(np.ceil(float(low) * (1.0 + resolution))))
            if high <= wanted:
                break
            t = min(max(t, wanted, least), high - 1)
            state, t, low, left = _pass(tree, centre_of_sums, ball, t, low, euclid, resolution, work, witness[k])
            if state == _CELLS:
                return TOO_MANY_CELLS
            if state == _COVERED:
                high = min(high, t)
                # the lower bound found is near the radius if there were empty cells; else the radius is far below
                t = np.int64(float(high) * (0.6 if left == 0 else 0.7))
        lower[k], upper[k] = low, high
        bound, before = high, n
    return FINISHED


@kernel
def hits(x, ball, euclid, log_cells, n_first, n_last, errors, out):
    """The first n from n_first to n_last whose vectors cover at errors[k], non-increasing, into out[k], else -1."""
    d = x.shape[1]
    z, point = np.empty(d, np.int64), np.empty(d, np.int64)
    work = (np.empty((_LIST + 1, d), np.int64), np.empty((128, d), np.int64))
    n, built = n_first, n_first
    tree = halves(x, n)
    centre_of_sums = middle(x, n)
    known = False
    for k in range(len(errors)):
        out[k] = -1
    for k in range(len(errors)):
        t = errors[k]
        if t < 1:
            return FINISHED
        while n <= n_last:
            if n * np.log(2.0) + d * np.log(float(t)) < log_cells - 1e-6:
                n += 1  # too few sums, by volume
                continue
            if built != n:
                tree = halves(x, n)
                centre_of_sums = middle(x, n)
                built = n
            if not known or nearest(tree, z, t, euclid, work[1], point) <= t:
                state, _, _, _ = _pass(tree, centre_of_sums, ball, t, np.int64(-1), euclid, -1.0, work, z)
                if state == _CELLS:
                    return TOO_MANY_CELLS
                if state == _COVERED:
                    out[k] = n
                    break
                known = True
            n += 1
        if n > n_last:
            break
    return FINISHED
