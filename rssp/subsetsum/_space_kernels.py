"""Kernels of the certified covering in any dimension, in int64 units of 2^(-q-1): half a unit of the fixed point.

A set of sums covers the ball at t iff the closed boxes (or Euclidean balls) of half side t about the sums cover it. The
question is answered cell by cell. A cell of side at most t that holds a sum is covered by it; marking the cells is one
pass over the sums of two halves, without storing any. Only the cells left over are looked at again: the sums near such
a cell are collected, and the cell is split at the faces of their boxes until each piece lies in one box or meets none.
Pieces that meet none are holes. All of this is integer arithmetic, so that the answer is exact: an open piece is in a
closed box, disjoint from it, or cut by one of its faces, and there are finitely many faces.

Two halves: A and B hold the sums of the two halves of the vectors. B is kept in stripes of the first coordinate, sorted
by the last one within a stripe, so that the sums in a window are found by a binary search for each member of A and
stripe. Memory: the halves, four bytes a cell, and the sums next to empty cells (at most `_PER_CELL` a cell).

Arrays are copied by loops and sorted here: numba compiles that several times faster than its array expressions.
"""

from __future__ import annotations

import numpy as np
from numba import njit

__all__ = ["FINISHED", "TOO_MANY_CELLS", "hits", "radii"]

FINISHED, TOO_MANY_CELLS = 0, 1
_COVERED, _UNCOVERED, _GREW, _CELLS = 0, 1, 2, 3
_MAX_CELLS = 1 << 28
_PER_CELL = 12
_LIST = 2048
_GROWTH = 1.35
_ONE = np.int64(1)


@njit(nogil=True, cache=True)
def _sort(order, first, last, keys):
    """Heap sort of order[first:last] by keys[order[.]]."""
    size = last - first
    start, end = size >> 1, size
    while end > 1:
        if start > 0:
            start -= 1
            item = order[first + start]
        else:
            end -= 1
            item = order[first + end]
            order[first + end] = order[first]
        root = start
        child = 2 * root + 1
        while child < end:
            if child + 1 < end and keys[order[first + child + 1]] > keys[order[first + child]]:
                child += 1
            if keys[order[first + child]] <= keys[item]:
                break
            order[first + root] = order[first + child]
            root = child
            child = 2 * root + 1
        order[first + root] = item


@njit(nogil=True, cache=True)
def _extend(sums, row, count):
    """Each sum plus 0, 1, ..., count times the row."""
    m, d = sums.shape
    out = np.empty((m * (count + 1), d), np.int64)
    for k in range(count + 1):
        for i in range(m):
            for j in range(d):
                out[k * m + i, j] = sums[i, j] + k * row[j]
    return out


@njit(nogil=True, cache=True)
def _halves(x, n):
    """The sums of two halves of n vectors: (A, B, start of each stripe of B, its least and largest coordinate 0).

    Of equal vectors the multiples are taken, not the subsets, and vectors 0 are left out.
    """
    d = x.shape[1]
    a = np.zeros((1, d), np.int64)
    b = np.zeros((1, d), np.int64)
    for i in range(n):
        zero, seen, count = True, False, 1
        for j in range(d):
            if x[i, j] != 0:
                zero = False
        for k in range(n):
            same = k != i
            for j in range(d):
                if x[k, j] != x[i, j]:
                    same = False
                    break
            if same:
                if k < i:
                    seen = True
                count += 1
        if zero or seen:
            continue
        if len(a) < len(b):
            a = _extend(a, x[i], count)
        else:
            b = _extend(b, x[i], count)
    nb = len(b)
    stripes = 1 if d == 1 else max(1, int(np.sqrt(nb) / 3))
    start = np.empty(stripes + 1, np.int64)
    least = np.empty(stripes, np.int64)
    largest = np.empty(stripes, np.int64)
    out = np.empty((nb, d), np.int64)
    order = np.empty(nb, np.int64)
    keys = np.empty(nb, np.int64)
    for i in range(nb):
        order[i] = i
        keys[i] = b[i, 0]
    _sort(order, 0, nb, keys)
    for s in range(stripes):
        first, last = s * nb // stripes, (s + 1) * nb // stripes
        start[s], start[s + 1] = first, last
        least[s], largest[s] = keys[order[first]], keys[order[last - 1]]
    for i in range(nb):
        keys[i] = b[i, d - 1]
    for s in range(stripes):
        _sort(order, start[s], start[s + 1], keys)
    for i in range(nb):
        for j in range(d):
            out[i, j] = b[order[i], j]
    return a, out, start, least, largest


@njit(nogil=True, cache=True)
def _gather(tree, lo, hi, t, euclid, out, cap):
    """Sums nearer than or at t to the closed box [lo, hi], into `out`; stops at `cap`. Returns how many.

    A negative t shrinks the box (lo - t to hi + t is what is searched). Time: |A| binary searches a stripe that is met,
    and the sums whose first and last coordinate fit.
    """
    a, b, start, least, largest = tree
    d = a.shape[1]
    count = 0
    last = d - 1
    tt = float(t) * float(t)
    low_first, high_first, low_last, high_last = lo[0] - t, hi[0] + t, lo[last] - t, hi[last] + t
    for i in range(len(a)):
        for s in range(len(least)):
            if a[i, 0] + largest[s] < low_first:
                continue
            if a[i, 0] + least[s] > high_first:
                break
            x, y = start[s], start[s + 1]
            end = y
            bound = low_last - a[i, last]
            while x < y:
                m = (x + y) >> 1
                if b[m, last] < bound:
                    x = m + 1
                else:
                    y = m
            bound = high_last - a[i, last]
            while x < end and b[x, last] <= bound:
                inside, far = True, 0.0
                for j in range(d):
                    v = a[i, j] + b[x, j]
                    if v < lo[j] - t or v > hi[j] + t:
                        inside = False
                        break
                    if euclid:
                        w = float(max(lo[j] - v, v - hi[j], 0))
                        far += w * w
                if inside and far <= tt:
                    for j in range(d):
                        out[count, j] = a[i, j] + b[x, j]
                    count += 1
                    if count == cap:
                        return count
                x += 1
    return count


@njit(nogil=True, cache=True)
def _nearest(tree, z, guess, euclid, out, point):
    """The distance of z to the nearest of all sums, which is put in `point`; `guess` sets the first window only.

    Whole units in the max norm, rounded in the 2-norm.
    """
    best = np.int64(-1)
    g = max(guess, _ONE)
    while True:
        count = _gather(tree, z, z, g, euclid, out, len(out))
        if count == 0:
            if best >= 0:
                return best
            g = min(4 * g, _ONE << 61)
            continue
        for i in range(count):
            largest, total = np.int64(0), 0.0
            for j in range(len(z)):
                v = abs(out[i, j] - z[j])
                largest = max(largest, v)
                total += float(v) * float(v)
            if euclid:
                largest = np.int64(np.rint(np.sqrt(total)))
            if best < 0 or largest < best:
                best = largest
                for j in range(len(z)):
                    point[j] = out[i, j]
        if count < len(out) or best == 0:
            return best
        g = best - 1


@njit(nogil=True, cache=True)
def _square(v):
    """v^2 as two 64-bit words, v < 2^63."""
    u = np.uint64(v)
    mask = np.uint64(0xFFFFFFFF)
    shift = np.uint64(32)
    low, high = u & mask, u >> shift
    cross = low * high
    word = low * low
    carry = (cross & np.uint64(0x7FFFFFFF)) << np.uint64(33)
    total = word + carry
    top = high * high + (cross >> np.uint64(31))
    if total < word:
        top += np.uint64(1)
    return top, total


@njit(nogil=True, cache=True)
def _excess(v, r, norm):
    """The sign of ||v|| - r, exactly; v >= 0."""
    if norm == 1:
        rest = r
        for j in range(len(v)):
            rest -= v[j]
            if rest < 0:
                return 1
        return 0 if rest == 0 else -1
    if norm == 2:
        total = 0.0
        for j in range(len(v)):
            total += float(v[j]) * float(v[j])
        square = float(r) * float(r)
        if total < square * (1 - 1e-12):
            return -1
        if total > square * (1 + 1e-12):
            return 1
        top, low = np.uint64(0), np.uint64(0)
        for j in range(len(v)):
            t, w = _square(v[j])
            low += w
            top += t
            if low < w:
                top += np.uint64(1)
        rt, rl = _square(r)
        if top == rt and low == rl:
            return 0
        return -1 if top < rt or (top == rt and low < rl) else 1
    largest = np.int64(0)
    for j in range(len(v)):
        largest = max(largest, v[j])
    return 0 if largest == r else (-1 if largest < r else 1)


@njit(nogil=True, cache=True)
def _misses_ball(lo, hi, ball, v):
    """Whether the open box (lo, hi), inside the ball's bounding cube, has no point of the open ball."""
    centre, r, norm = ball
    if norm == 0:
        return False
    for j in range(len(lo)):
        v[j] = max(lo[j] - centre[j], centre[j] - hi[j], 0)
    return _excess(v, r, norm) >= 0


@njit(nogil=True, cache=True)
def _target(lo, hi, ball, v, z):
    """A target of the ball in the box [lo, hi]: its middle, or the nearest to it on the way to the ball's centre."""
    centre, r, norm = ball
    d = len(lo)
    for j in range(d):
        z[j] = lo[j] + ((hi[j] - lo[j]) >> 1)
        v[j] = abs(z[j] - centre[j])
    if _excess(v, r, norm) <= 0:
        return
    inner, outer = 0.0, 1.0
    for _ in range(50):
        share = 0.5 * (inner + outer)
        for j in range(d):
            p = min(max(centre[j], lo[j]), hi[j])
            m = lo[j] + ((hi[j] - lo[j]) >> 1)
            v[j] = abs(p + np.int64(share * float(m - p)) - centre[j])
        if _excess(v, r, norm) <= 0:
            inner = share
        else:
            outer = share
    for j in range(d):
        p = min(max(centre[j], lo[j]), hi[j])
        m = lo[j] + ((hi[j] - lo[j]) >> 1)
        z[j] = p + np.int64(inner * float(m - p))


@njit(nogil=True, cache=True)
def _room(array, used):
    """The array, or one twice as long with the same beginning, if all but 2 of its rows are used."""
    if used + 2 < len(array):
        return array
    out = np.empty((2 * len(array), array.shape[1]), np.int64)
    for i in range(len(array)):
        for j in range(array.shape[1]):
            out[i, j] = array[i, j]
    return out


@njit(nogil=True, cache=True)
def _split(piece, points, count, t, euclid, ball, holes, stack, arena):
    """Split a box at the faces of the points' boxes until each piece is in one box or meets none.

    A box is a row (lo, hi) and stands for its interior. Pieces that meet no box (in the 2-norm: whose middle is farther
    than t from every point) are put in `holes`; in the 2-norm the work ends with the first of them, and the pieces not
    yet looked at follow it. Depth first; a piece keeps only the points whose box meets it.
    Returns (number of holes, holes, stack, arena); the arrays grow as needed.
    """
    d = len(piece) // 2
    low, high = np.empty(d, np.int64), np.empty(d, np.int64)
    v, z = np.empty(d, np.int64), np.empty(d, np.int64)
    arena = _room(arena, max(count, 1))
    while 2 * count + 2 > len(arena):
        arena = _room(arena, len(arena))
    for i in range(count):
        arena[i, 0] = i
    for j in range(2 * d):
        stack[0, j] = piece[j]
    stack[0, 2 * d], stack[0, 2 * d + 1] = 0, count
    depth, found = 1, 0
    tt = float(t) * float(t)
    while depth > 0:
        depth -= 1
        for j in range(d):
            low[j], high[j] = stack[depth, j], stack[depth, d + j]
        first, number = stack[depth, 2 * d], stack[depth, 2 * d + 1]
        if _misses_ball(low, high, ball, v):
            continue
        top = first + number
        while top + number + 2 > len(arena):
            arena = _room(arena, len(arena))
        kept, best, best_share, covered, nearest = 0, np.int64(-1), -1.0, False, np.inf
        if euclid:
            _target(low, high, ball, v, z)
        for k in range(number):
            i = arena[first + k, 0]
            meets, contains, share = True, True, 1.0
            if euclid:
                near, far, mid = 0.0, 0.0, 0.0
                for j in range(d):
                    p = points[i, j]
                    w = float(max(low[j] - p, p - high[j], 0))
                    near += w * w
                    w = float(max(p - low[j], high[j] - p))
                    far += w * w
                    w = float(p - z[j])
                    mid += w * w
                meets, contains = near < tt, far <= tt
                nearest = min(nearest, mid)
            else:
                for j in range(d):
                    under, over = points[i, j] - t, points[i, j] + t
                    if under >= high[j] or over <= low[j]:
                        meets = False
                        break
                    if under > low[j] or over < high[j]:
                        contains = False
                        share *= float(min(over, high[j]) - max(under, low[j])) / float(high[j] - low[j])
                contains = contains and meets
            if contains:
                covered = True
                break
            if meets:
                arena[top + kept, 0] = i
                kept += 1
                if share > best_share:
                    best, best_share = i, share
        if covered:
            continue
        axis = 0
        for j in range(d):
            if high[j] - low[j] > high[axis] - low[axis]:
                axis = j
        width = float(high[axis] - low[axis])
        # a piece this small whose middle is covered is covered up to a part in 2^32 of t
        if euclid and nearest <= tt and width * 2.0**32 < float(t):
            continue
        if kept == 0 or (euclid and nearest > tt):
            holes = _room(holes, found)
            for j in range(d):
                holes[found, j], holes[found, d + j] = low[j], high[j]
            found += 1
            if not euclid:
                continue
            # the rim of a round hole has pieces of every size: all that is left stays open
            for i in range(depth):
                holes = _room(holes, found)
                for j in range(2 * d):
                    holes[found, j] = stack[i, j]
                found += 1
            break
        face = low[axis] + ((high[axis] - low[axis]) >> 1)
        if not euclid:
            smallest = 2.0
            for j in range(d):
                under, over = points[best, j] - t, points[best, j] + t
                if under > low[j] or over < high[j]:
                    part = float(min(over, high[j]) - max(under, low[j])) / float(high[j] - low[j])
                    if part < smallest:
                        smallest, axis = part, j
                        face = over if over < high[j] else under
        stack = _room(stack, depth)
        for side in range(2):
            for j in range(d):
                stack[depth, j], stack[depth, d + j] = low[j], high[j]
            stack[depth, axis + (d if side == 0 else 0)] = face
            stack[depth, 2 * d], stack[depth, 2 * d + 1] = top, kept
            depth += 1
    return found, holes, stack, arena


@njit(nogil=True, cache=True)
def _fill(tree, corner, h, cells, slot, low, high, count, store):
    """One pass over the sums: mark each cell that holds one, and store those of the cells with a slot.

    slot[cell]: 0 unmarked (becomes 1), 1 marked, k + 2 for slot k, which stores the first `_PER_CELL` of its sums.
    Only sums whose first and last coordinate, in cells, are in [low, high] are looked at.
    Cell numbers are computed in float64. For sums of up to 2^28 sides their error is below 2^-22 of a side, which the
    caller allows for: t exceeds h by 2^-20 of itself.
    """
    a, b, start, least, largest = tree
    d = a.shape[1]
    last = d - 1
    scale = 1.0 / float(h)
    fa = np.empty(d)
    fb = np.empty((len(b), d))
    for x in range(len(b)):
        for j in range(d):
            fb[x, j] = float(b[x, j]) * scale
    for i in range(len(a)):
        for j in range(d):
            fa[j] = float(a[i, j] - corner[j]) * scale
        for s in range(len(least)):
            if fa[0] + float(largest[s]) * scale < low[0] - 1e-3:
                continue
            if fa[0] + float(least[s]) * scale > high[0] + 1e-3:
                break
            x, y = start[s], start[s + 1]
            end = y
            bound = low[last] - fa[last]
            while x < y:
                m = (x + y) >> 1
                if fb[m, last] < bound:
                    x = m + 1
                else:
                    y = m
            bound = high[last] - fa[last]
            while x < end and fb[x, last] < bound:
                number = np.int64(0)
                inside = True
                for j in range(d):
                    v = fa[j] + fb[x, j]
                    if v < 0.0 or v >= cells[j]:
                        inside = False
                        break
                    number = number * cells[j] + np.int64(v)
                if inside:
                    k = slot[number] - 2
                    if k < -1:
                        slot[number] = 1
                    elif k >= 0 and count[k] < _PER_CELL:
                        for j in range(d):
                            store[k * _PER_CELL + count[k], j] = a[i, j] + b[x, j]
                        count[k] += 1
                x += 1


@njit(nogil=True, cache=True)
def _cells_left(slot, corner, h, cells, ball, middle):
    """The cells that meet the ball and hold no sum, those farthest from the middle of the sums first.

    Returns (how many, their numbers, their order). Branches outside the ball are skipped as a whole.
    """
    centre, r, norm = ball
    d = len(cells)
    out = np.empty((64, 2), np.int64)
    found = 0
    place = np.zeros(d, np.int64)
    base = np.zeros(d + 1, np.int64)
    part = np.zeros(d + 1)
    away_from_middle = np.zeros(d + 1)
    level = 0
    while level >= 0:
        if place[level] == cells[level]:
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
                out = _room(out, found)
                out[found, 0] = number
                out[found, 1] = -np.int64(min(away_from_middle[level] + w * w, 1e15) * 100)
                found += 1
            place[level] += 1
        else:
            away_from_middle[level + 1] = away_from_middle[level] + w * w
            level += 1
            part[level] = total
            base[level] = number
            place[level] = 0
    order = np.empty(found, np.int64)
    for i in range(found):
        order[i] = i
    _sort(order, 0, found, out[:, 1])
    return found, out, order


@njit(nogil=True, cache=True)
def _cell_box(number, corner, h, cells, r, piece):
    """The cell as a box (lo, hi), cut off at the ball's bounding cube."""
    d = len(cells)
    for j in range(d - 1, -1, -1):
        piece[j] = corner[j] + (number % cells[j]) * h
        piece[d + j] = min(piece[j] + h, corner[j] + 2 * r)
        number //= cells[j]


@njit(nogil=True, cache=True)
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


@njit(nogil=True, cache=True)
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
        if _misses_ball(lo, hi, ball, v):
            continue
        count = _gather(tree, lo, hi, t, euclid, points, np.int64(_LIST))
        complete = count < _LIST
        if not complete:
            # many sums are near: one whose box holds the whole piece is the likely case
            if not euclid and _gather(tree, hi, lo, t, euclid, few, _ONE) > 0:
                continue
            _target(lo, hi, ball, v, z)
            _nearest(tree, z, t, euclid, few, x)
            for j in range(d):
                points[count, j] = x[j]
            count += 1
        found, holes, stack, arena = _split(rows[pieces], points, count, t, euclid, ball, holes, stack, arena)
        for i in range(found):
            rows = _room(rows, pieces)
            for j in range(2 * d):
                rows[pieces, j] = holes[i, j]
            pieces += 1
        if not complete or found == 0:
            continue
        for i in range(1 if euclid else found):
            for j in range(d):
                lo[j], hi[j] = holes[i, j], holes[i, d + j]
            _target(lo, hi, ball, v, z)
            distance = _nearest(tree, z, t, euclid, few, x)
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


@njit(nogil=True, cache=True)
def _pass(tree, middle, ball, t, low, euclid, resolution, work, witness):
    """Whether the sums cover the ball at t; with resolution >= 0, at which larger t they do: see `_settle`.

    `low` is the largest distance of a target known so far. Returns (state, t, low).
    """
    centre, r = ball[0], ball[1]
    d = len(centre)
    shrink = 1.0 - 2.0**-20
    if euclid:
        shrink /= np.sqrt(d)
    h = max(_ONE, np.int64(float(t) * shrink))
    corner = np.empty(d, np.int64)
    cells = np.empty(d, np.int64)
    least_cell, last_cell = np.zeros(d), np.empty(d)
    total, reach = 1.0, 0.0
    for j in range(d):
        corner[j] = centre[j] - r
        cells[j] = (2 * r + h - 1) // h
        last_cell[j] = cells[j]
        total *= cells[j]
        reach = max(reach, abs(float(corner[j])))
        for i in range(len(tree[0])):
            reach = max(reach, abs(float(tree[0][i, j])))
        for i in range(len(tree[1])):
            reach = max(reach, abs(float(tree[1][i, j])))
    if total > _MAX_CELLS:
        return _CELLS, t, low
    slot = np.zeros(int(total), np.int32)
    count = np.zeros(1, np.int32)
    store = np.empty((1, d), np.int64)
    countable = 3 * reach / float(h) < 2.0**28 and h > 1 << 24
    if countable:
        _fill(tree, corner, h, cells, slot, least_cell, last_cell, count, store)
    left, numbers, order = _cells_left(slot, corner, h, cells, ball, middle)
    piece = np.empty(2 * d, np.int64)
    rows = np.empty((64, 2 * d), np.int64)
    holes = np.empty((64, 2 * d), np.int64)
    stack = np.empty((64, 2 * d + 2), np.int64)
    arena = np.empty((4096, 1), np.int64)
    around = np.empty(3**d, np.int64)
    place, offset = np.empty(d, np.int64), np.empty(d, np.int64)
    near = countable and left > len(tree[1]) // 16
    points = np.empty((3**d * _PER_CELL if near else 1, d), np.int64)
    if near:
        # the sums of the cells around each cell left: they may be incomplete (`_PER_CELL`), and serve to certify only
        slots = 0
        for k in range(left):
            for i in range(_neighbours(numbers[k, 0], cells, place, offset, around)):
                if slot[around[i]] < 2:
                    slot[around[i]] = slots + 2
                    slots += 1
        store = np.empty((slots * _PER_CELL, d), np.int64)
        count = np.zeros(slots, np.int32)
        _fill(tree, corner, h, cells, slot, least_cell, last_cell, count, store)
    limit = np.int64(_GROWTH * float(t))
    for k in range(left):
        cell = numbers[order[k], 0]
        _cell_box(cell, corner, h, cells, r, piece)
        open_pieces = np.int64(1)
        if near:
            number = np.int64(0)
            for i in range(_neighbours(cell, cells, place, offset, around)):
                s = slot[around[i]] - 2
                for m in range(count[s]):
                    for j in range(d):
                        points[number, j] = store[s * _PER_CELL + m, j]
                    number += 1
            open_pieces, holes, stack, arena = _split(piece, points, number, t, euclid, ball, holes, stack, arena)
            for i in range(open_pieces):
                rows = _room(rows, i)
                for j in range(2 * d):
                    rows[i, j] = holes[i, j]
        else:
            for j in range(2 * d):
                rows[0, j] = piece[j]
        if open_pieces > 0:
            state, t, low, rows, holes, stack, arena = _settle(
                tree, rows, open_pieces, t, limit, low, euclid, ball, resolution, holes, stack, arena, work, witness
            )
            if state != _COVERED:
                return state, t, low
    return _COVERED, t, low


@njit(nogil=True, cache=True)
def _middle(x, n):
    """Half the sum of the first n vectors: the middle of all their sums."""
    out = np.zeros(x.shape[1], np.int64)
    for j in range(x.shape[1]):
        total = np.int64(0)
        for i in range(n):
            total += x[i, j]
        out[j] = total >> 1
    return out


@njit(nogil=True, cache=True)
def _far_target(middle, ball, z):
    """The target farthest from the middle of the sums: a corner of a cube, of the other balls the end of an axis."""
    centre, r, norm = ball
    axis = 0
    for j in range(len(z)):
        z[j] = centre[j]
        if abs(centre[j] - middle[j]) > abs(centre[axis] - middle[axis]):
            axis = j
    for j in range(len(z)):
        if norm == 0 or j == axis:
            z[j] += r if centre[j] >= middle[j] else -r


@njit(nogil=True, cache=True)
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
        tree = _halves(x, n)
        middle = _middle(x, n)
        counting = (log_cells - np.log(len(tree[0])) - np.log(len(tree[1]))) / d
        least = max(_ONE, np.int64(np.exp(min(counting, 41.0)) * (1 - 1e-9)))
        high, step = bound, 0.8
        _far_target(middle, ball, z)
        low = _nearest(tree, z, max(least, bound // 8), euclid, work[1], point)
        for j in range(d):
            witness[k, j] = z[j]
        if k > 0:
            distance = _nearest(tree, witness[k - 1], max(least, bound // 8), euclid, work[1], point)
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
            state, t, low = _pass(tree, middle, ball, t, low, euclid, resolution, work, witness[k])
            if state == _CELLS:
                return TOO_MANY_CELLS
            if state == _COVERED:
                high = min(high, t)
                t = np.int64(float(high) * step)
                step *= step
        lower[k], upper[k] = low, high
        bound, before = high, n
    return FINISHED


@njit(nogil=True, cache=True)
def hits(x, ball, euclid, log_cells, n_first, n_last, errors, out):
    """The first n from n_first to n_last whose vectors cover at errors[k], non-increasing, into out[k], else -1."""
    d = x.shape[1]
    z, point = np.empty(d, np.int64), np.empty(d, np.int64)
    work = (np.empty((_LIST + 1, d), np.int64), np.empty((128, d), np.int64))
    n, built = n_first, -1
    tree = _halves(x, 0)
    middle = _middle(x, 0)
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
                tree = _halves(x, n)
                middle = _middle(x, n)
                built = n
            if not known or _nearest(tree, z, t, euclid, work[1], point) <= t:
                state, _, _ = _pass(tree, middle, ball, t, np.int64(-1), euclid, -1.0, work, z)
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
