"""Kernels of the certified covering in any dimension: everything in int64 units of 2^(-q-1), half a unit of the fixed point.

A set of sums covers the ball at t iff the closed boxes (or Euclidean balls) of half side t about the sums cover it. The
question is answered cell by cell. A cell of side at most t that holds a sum is covered by it; marking the cells is one
pass over the sums of two halves, without storing any. Only the cells left over are looked at again: the sums near such a
cell are collected, and the cell is split at the faces of their boxes until each piece lies in one box or meets none.
Pieces that meet none are holes. All of this is integer arithmetic, so that the answer is exact: an open piece is in a
closed box, disjoint from it, or cut by one of its faces, and there are finitely many faces.

Two halves: A and B hold the sums of the two halves of the vectors. B is kept in stripes of the first coordinate, sorted
by the last one within a stripe, so that the sums in a window are found by a binary search for each member of A and
stripe. Memory: the halves, a byte a cell, and the sums next to empty cells (at most `_PER_CELL` a cell).
"""

from __future__ import annotations

import numpy as np
from numba import njit

__all__ = ["COVERED", "TOO_MANY_CELLS", "UNCOVERED", "decide", "radii"]

COVERED, UNCOVERED, GREW, TOO_MANY_CELLS = 0, 1, 2, 3
_MAX_CELLS = 1 << 29
_PER_CELL = 12
_LIST = 2048
_GROWTH = 1.35


@njit(nogil=True, cache=True)
def _multiples_of_distinct(x):
    """Distinct non-zero rows and how often each occurs: equal vectors need multiples, not subsets."""
    n, d = x.shape
    rows = np.empty((n, d), np.int64)
    count = np.zeros(n, np.int64)
    m = 0
    for i in range(n):
        if not np.any(x[i]):
            continue
        found = -1
        for k in range(m):
            if np.all(rows[k] == x[i]):
                found = k
        if found < 0:
            rows[m] = x[i]
            found = m
            m += 1
        count[found] += 1
    return rows[:m], count[:m]


@njit(nogil=True, cache=True)
def _extend(sums, row, count):
    m, d = sums.shape
    out = np.empty((m * (count + 1), d), np.int64)
    for k in range(count + 1):
        for i in range(m):
            for j in range(d):
                out[k * m + i, j] = sums[i, j] + k * row[j]
    return out


@njit(nogil=True, cache=True)
def _halves(x):
    """The sums of two halves, the second in stripes: (A, B, start of each stripe, its least and largest coordinate 0)."""
    d = x.shape[1]
    rows, count = _multiples_of_distinct(x)
    a = np.zeros((1, d), np.int64)
    b = np.zeros((1, d), np.int64)
    for i in range(len(rows)):
        if len(a) < len(b):
            a = _extend(a, rows[i], count[i])
        else:
            b = _extend(b, rows[i], count[i])
    nb = len(b)
    stripes = 1 if d == 1 else max(1, int(np.sqrt(nb) / 3))
    order = np.argsort(b[:, 0])
    start = np.empty(stripes + 1, np.int64)
    least = np.empty(stripes, np.int64)
    largest = np.empty(stripes, np.int64)
    out = np.empty_like(b)
    start[0] = 0
    for s in range(stripes):
        first, last = start[s], (s + 1) * nb // stripes
        start[s + 1] = last
        part = order[first:last]
        least[s], largest[s] = b[part[0], 0], b[part[-1], 0]
        inner = np.argsort(b[part, d - 1])
        for i in range(last - first):
            for j in range(d):
                out[first + i, j] = b[part[inner[i]], j]
    return a, out, start, least, largest


@njit(nogil=True, cache=True)
def _gather(tree, low, high, lo, hi, t, euclid, out):
    """Sums in the closed box [low, high]; for the 2-norm only those nearer than t to [lo, hi]. Stops when `out` is full."""
    a, b, start, least, largest = tree
    d = a.shape[1]
    cap, count = len(out), 0
    last = d - 1
    for i in range(len(a)):
        for s in range(len(least)):
            if a[i, 0] + largest[s] < low[0]:
                continue
            if a[i, 0] + least[s] > high[0]:
                break
            x, y = start[s], start[s + 1]
            end = y
            bound = low[last] - a[i, last]
            while x < y:
                m = (x + y) >> 1
                if b[m, last] < bound:
                    x = m + 1
                else:
                    y = m
            bound = high[last] - a[i, last]
            while x < end and b[x, last] <= bound:
                inside = True
                for j in range(last):
                    v = a[i, j] + b[x, j]
                    if v < low[j] or v > high[j]:
                        inside = False
                        break
                if inside and euclid:
                    far = 0.0
                    for j in range(d):
                        v = a[i, j] + b[x, j]
                        w = float(max(lo[j] - v, v - hi[j], 0))
                        far += w * w
                    inside = far <= float(t) * float(t)
                if inside:
                    for j in range(d):
                        out[count, j] = a[i, j] + b[x, j]
                    count += 1
                    if count == cap:
                        return count
                x += 1
    return count


@njit(nogil=True, cache=True)
def _distance(x, z, euclid):
    """The distance of two points: whole units in the max norm, rounded in the 2-norm."""
    if euclid:
        total = 0.0
        for j in range(len(z)):
            v = float(x[j] - z[j])
            total += v * v
        return np.int64(np.rint(np.sqrt(total)))
    best = np.int64(0)
    for j in range(len(z)):
        best = max(best, abs(x[j] - z[j]))
    return best


@njit(nogil=True, cache=True)
def _nearest(tree, z, guess, euclid, out, point):
    """The distance of z to the nearest of all sums, which is put in `point`; `guess` sets the first window only."""
    best = np.int64(-1)
    g = max(guess, np.int64(1))
    while True:
        count = _gather(tree, z - g, z + g, z, z, g, euclid, out)
        if count == 0:
            if best >= 0:
                return best
            g = min(4 * g, np.int64(1) << 61)
            continue
        for i in range(count):
            v = _distance(out[i], z, euclid)
            if best < 0 or v < best:
                best = v
                point[:] = out[i]
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
def _misses_ball(lo, hi, centre, r, norm, v):
    """Whether the open box (lo, hi), inside the ball's bounding cube, has no point of the open ball."""
    if norm == 0:
        return False
    for j in range(len(lo)):
        v[j] = max(lo[j] - centre[j], centre[j] - hi[j], 0)
    return _excess(v, r, norm) >= 0


@njit(nogil=True, cache=True)
def _target(lo, hi, centre, r, norm, v, z):
    """A target of the ball in the box [lo, hi]: its middle, or the nearest to it on the way to the ball's centre."""
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
    """The array, or one twice as long with the same beginning, if all but 2 of its places are used."""
    if used + 2 < len(array):
        return array
    out = np.empty((2 * len(array), array.shape[1]), np.int64)
    out[: len(array)] = array
    return out


@njit(nogil=True, cache=True)
def _split(lo, hi, points, count, t, euclid, ball, holes):
    """Split the box (lo, hi) at the faces of the points' boxes until each piece is in one box or meets none.

    Pieces that meet none (in the 2-norm: whose middle is farther than t from every point) are put in `holes`, as rows
    (lo, hi). Returns (number of holes, holes). Depth first; a piece keeps only the points whose box meets it.
    """
    centre, r, norm = ball
    d = len(lo)
    stack = np.empty((64, 2 * d + 2), np.int64)
    arena = np.empty((max(4 * count, 64), 1), np.int64)
    for i in range(count):
        arena[i, 0] = i
    stack[0, :d] = lo
    stack[0, d : 2 * d] = hi
    stack[0, 2 * d], stack[0, 2 * d + 1] = 0, count
    depth, found = 1, 0
    v = np.empty(d, np.int64)
    z = np.empty(d, np.int64)
    tt = float(t) * float(t)
    while depth > 0:
        depth -= 1
        low = stack[depth, :d].copy()
        high = stack[depth, d : 2 * d].copy()
        first, number = stack[depth, 2 * d], stack[depth, 2 * d + 1]
        if _misses_ball(low, high, centre, r, norm, v):
            continue
        while first + 2 * number + 2 > len(arena):
            arena = _room(arena, len(arena))
        top = first + number
        kept, best, best_share, covered = 0, -1, -1.0, False
        nearest = np.inf
        if euclid:
            _target(low, high, centre, r, norm, v, z)
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
        axis, face = 0, np.int64(0)
        if euclid:
            for j in range(d):
                if high[j] - low[j] > high[axis] - low[axis]:
                    axis = j
            face = low[axis] + ((high[axis] - low[axis]) >> 1)
            # a piece this small whose middle is covered is covered up to a part in 2^32 of t
            if nearest <= tt and float(high[axis] - low[axis]) * (1 << 32) < float(t):
                continue
        if kept == 0 or (euclid and nearest > tt):
            holes = _room(holes, found)
            holes[found, :d] = low
            holes[found, d : 2 * d] = high
            found += 1
            continue
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
            stack[depth, :d] = low
            stack[depth, d : 2 * d] = high
            if side == 0:
                stack[depth, d + axis] = face
            else:
                stack[depth, axis] = face
            stack[depth, 2 * d], stack[depth, 2 * d + 1] = top, kept
            depth += 1
    return found, holes


@njit(nogil=True, cache=True)
def _mark(tree, corner, h, cells, occupied):
    """Set the byte of every cell of side h (from `corner` on) that holds a sum; returns nothing.

    Cell numbers are computed in float64. For sums of up to 2^28 sides their error is below 2^-22 of a side, which the
    caller allows for: t exceeds h by 2^-20 of itself.
    """
    a, b, start, least, largest = tree
    d = a.shape[1]
    last = d - 1
    fa = (a - corner) / float(h)
    fb = b / float(h)
    for i in range(len(fa)):
        for s in range(len(least)):
            if fa[i, 0] + largest[s] / float(h) < -1e-3:
                continue
            if fa[i, 0] + least[s] / float(h) > cells[0] + 1e-3:
                break
            x, y = start[s], start[s + 1]
            end = y
            bound = -fa[i, last]
            while x < y:
                m = (x + y) >> 1
                if fb[m, last] < bound:
                    x = m + 1
                else:
                    y = m
            bound = cells[last] - fa[i, last]
            while x < end and fb[x, last] < bound:
                number = np.int64(0)
                inside = True
                for j in range(d):
                    v = fa[i, j] + fb[x, j]
                    if v < 0.0 or v >= cells[j]:
                        inside = False
                        break
                    number = number * cells[j] + np.int64(v)
                if inside:
                    occupied[number] = 1
                x += 1


@njit(nogil=True, cache=True)
def _collect(tree, corner, h, cells, slot, count, store):
    """Put the sums of each cell with a slot into `store`, as long as there is room; the rest are left out."""
    a, b, start, least, largest = tree
    d = a.shape[1]
    last = d - 1
    fa = (a - corner) / float(h)
    fb = b / float(h)
    for i in range(len(fa)):
        for s in range(len(least)):
            if fa[i, 0] + largest[s] / float(h) < -1e-3:
                continue
            if fa[i, 0] + least[s] / float(h) > cells[0] + 1e-3:
                break
            x, y = start[s], start[s + 1]
            end = y
            bound = -fa[i, last]
            while x < y:
                m = (x + y) >> 1
                if fb[m, last] < bound:
                    x = m + 1
                else:
                    y = m
            bound = cells[last] - fa[i, last]
            while x < end and fb[x, last] < bound:
                number = np.int64(0)
                inside = True
                for j in range(d):
                    v = fa[i, j] + fb[x, j]
                    if v < 0.0 or v >= cells[j]:
                        inside = False
                        break
                    number = number * cells[j] + np.int64(v)
                if inside and slot[number] >= 0:
                    k = slot[number]
                    if count[k] < _PER_CELL:
                        for j in range(d):
                            store[k * _PER_CELL + count[k], j] = a[i, j] + b[x, j]
                        count[k] += 1
                x += 1


@njit(nogil=True, cache=True)
def _cells_left(occupied, corner, h, cells, ball):
    """The numbers of the cells that meet the ball and hold no sum; whole branches outside the ball are skipped."""
    centre, r, norm = ball
    d = len(cells)
    out = np.empty((64, 1), np.int64)
    found = 0
    place = np.zeros(d, np.int64)
    base = np.zeros(d + 1, np.int64)
    part = np.zeros(d + 1)
    limit = 1.0 + 1e-9
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
        if total > limit:
            place[level] += 1
            continue
        number = base[level] * cells[level] + place[level]
        if level == d - 1:
            if occupied[number] == 0:
                out = _room(out, found)
                out[found, 0] = number
                found += 1
            place[level] += 1
        else:
            level += 1
            part[level] = total
            base[level] = number
            place[level] = 0
    return out[:found, 0]


@njit(nogil=True, cache=True)
def _cell_box(number, corner, h, cells, r, lo, hi):
    """The cell as a box, cut off at the ball's bounding cube; its place on the grid is left in `hi` only for a moment."""
    for j in range(len(cells) - 1, -1, -1):
        place = number % cells[j]
        number //= cells[j]
        lo[j] = corner[j] + place * h
        hi[j] = min(lo[j] + h, corner[j] + 2 * r)


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
def _near_cells(tree, left, corner, h, cells, t, euclid, ball):
    """Look at the cells without a sum again, with the sums of the cells around each; returns what is still open.

    The sums around a cell may be incomplete (those beyond `_PER_CELL` are left out), so that a piece is only ever
    certified here; the pieces left, as rows (lo, hi), are settled from all sums.
    """
    d = len(cells)
    total = 1
    for j in range(d):
        total *= cells[j]
    around = np.empty(3**d, np.int64)
    place, offset = np.empty(d, np.int64), np.empty(d, np.int64)
    slot = np.full(total, -1, np.int32)
    slots = 0
    for k in range(len(left)):
        for i in range(_neighbours(left[k], cells, place, offset, around)):
            if slot[around[i]] < 0:
                slot[around[i]] = slots
                slots += 1
    store = np.empty((slots * _PER_CELL, d), np.int64)
    count = np.zeros(slots, np.int32)
    _collect(tree, corner, h, cells, slot, count, store)
    open_pieces = np.empty((64, 2 * d), np.int64)
    pieces = 0
    holes = np.empty((64, 2 * d), np.int64)
    points = np.empty((3**d * _PER_CELL, d), np.int64)
    lo, hi = np.empty(d, np.int64), np.empty(d, np.int64)
    for k in range(len(left)):
        number = 0
        for i in range(_neighbours(left[k], cells, place, offset, around)):
            s = slot[around[i]]
            for m in range(count[s]):
                points[number] = store[s * _PER_CELL + m]
                number += 1
        _cell_box(left[k], corner, h, cells, ball[1], lo, hi)
        found, holes = _split(lo, hi, points, number, t, euclid, ball, holes)
        for i in range(found):
            open_pieces = _room(open_pieces, pieces)
            open_pieces[pieces] = holes[i]
            pieces += 1
    return pieces, open_pieces


@njit(nogil=True, cache=True)
def _settle(tree, pieces, rows, t, euclid, ball, resolution, start, witness):
    """Settle the open pieces from all sums: (state, t, largest distance found, or -1).

    resolution < 0: stop at the first hole. Otherwise t grows to (1 + resolution) times the distance of each hole found,
    and everything certified before stays so.
    """
    centre, r, norm = ball
    d = len(centre)
    points = np.empty((_LIST + 1, d), np.int64)
    few = np.empty((128, d), np.int64)
    one = np.empty((1, d), np.int64)
    z, v, x = np.empty(d, np.int64), np.empty(d, np.int64), np.empty(d, np.int64)
    holes = np.empty((64, 2 * d), np.int64)
    lower = np.int64(-1)
    while pieces > 0:
        pieces -= 1
        lo, hi = rows[pieces, :d].copy(), rows[pieces, d:].copy()
        if _misses_ball(lo, hi, centre, r, norm, v):
            continue
        count = _gather(tree, lo - (t - 1), hi + (t - 1), lo, hi, t, euclid, points[:_LIST])
        complete = count < _LIST
        if not complete:
            if not euclid and _gather(tree, hi - t, lo + t, lo, hi, t, False, one) > 0:
                continue
            _target(lo, hi, centre, r, norm, v, z)
            _nearest(tree, z, t, euclid, few, x)
            points[count] = x
            count += 1
        found, holes = _split(lo, hi, points, count, t, euclid, ball, holes)
        for i in range(found):
            rows = _room(rows, pieces)
            rows[pieces] = holes[i]
            pieces += 1
        if not complete:
            continue
        for i in range(found):
            _target(holes[i, :d], holes[i, d:], centre, r, norm, v, z)
            distance = _nearest(tree, z, t, euclid, few, x)
            if resolution < 0:
                witness[:] = z
                return UNCOVERED, t, distance
            if distance > lower:
                lower = distance
                witness[:] = z
        if found > 0:
            t = max(t + 1, np.int64(np.ceil(float(lower) * (1.0 + resolution))))
            if t > _GROWTH * start:
                return GREW, t, lower
    return COVERED, t, lower


@njit(nogil=True, cache=True)
def _pass(tree, ball, t, euclid, resolution, witness):
    """Whether the sums cover the ball at t; with resolution >= 0, at which larger t they do: see `_settle`."""
    centre, r, norm = ball
    d = len(centre)
    shrink = 1.0 - 2.0**-20
    if euclid:
        shrink /= np.sqrt(d)
    h = max(np.int64(1), np.int64(float(t) * shrink))
    corner = centre - r
    cells = np.empty(d, np.int64)
    total, size = 1, 1.0
    for j in range(d):
        cells[j] = (2 * r + h - 1) // h
        size *= cells[j]
        if size > _MAX_CELLS:
            return TOO_MANY_CELLS, t, np.int64(-1)
        total *= cells[j]
    occupied = np.zeros(total, np.uint8)
    reach = 0.0
    for j in range(d):
        reach = max(reach, float(np.abs(tree[0][:, j]).max()) + float(np.abs(tree[1][:, j]).max()) + abs(corner[j]))
    exact_enough = reach / float(h) < 2.0**28 and h > 1 << 24
    if exact_enough:
        _mark(tree, corner, h, cells, occupied)
    left = _cells_left(occupied, corner, h, cells, ball)
    if len(left) == 0:
        return COVERED, t, np.int64(-1)
    if exact_enough and len(left) > len(tree[1]) // 16:
        pieces, rows = _near_cells(tree, left, corner, h, cells, t, euclid, ball)
    else:
        pieces, rows = len(left), np.empty((len(left), 2 * d), np.int64)
        for k in range(pieces):
            _cell_box(left[k], corner, h, cells, r, rows[k, :d], rows[k, d:])
    return _settle(tree, pieces, rows, t, euclid, ball, resolution, t, witness)


@njit(nogil=True, cache=True)
def decide(x, centre, r, norm, t, euclid, witness):
    """COVERED or UNCOVERED at t (then `witness` is a target not covered), or TOO_MANY_CELLS."""
    state, _, _ = _pass(_halves(x), (centre, r, norm), t, euclid, -1.0, witness)
    return state


@njit(nogil=True, cache=True)
def _least_radius(sums, log_volume, d, log_ball):
    """Counting: `sums` cubes or balls of radius t have at least the ball's volume; a t that cannot be undercut."""
    return np.exp((log_volume - np.log(sums) - log_ball) / d) * (1 - 1e-9)


@njit(nogil=True, cache=True)
def _far_target(half_total, ball, z):
    """The target of the ball that is farthest from the middle of all sums: a corner, or an end of an axis."""
    centre, r, norm = ball
    z[:] = centre
    away = centre - half_total
    if norm == 0:
        for j in range(len(z)):
            z[j] += r if away[j] >= 0 else -r
        return
    j = np.argmax(np.abs(away))
    z[j] += r if away[j] >= 0 else -r


@njit(nogil=True, cache=True)
def radii(x, centre, r, norm, euclid, resolution, log_volume, log_ball, schedule, lower, upper, witness):
    """Brackets of the covering radius of the first schedule[k] vectors, k = 0, 1, ...; returns the state.

    Lengths in units; `witness` (len(schedule), d) attains `lower`. The bracket for one n starts the search for the next:
    the radius does not increase with n, and the last witness is often still far from every sum.
    """
    d = x.shape[1]
    ball = (centre, r, norm)
    z, point = np.empty(d, np.int64), np.empty(d, np.int64)
    few = np.empty((128, d), np.int64)
    top = np.abs(centre) + r
    bound = _distance(top, np.zeros(d, np.int64), euclid) + 1
    before = 0
    for k in range(len(schedule)):
        n = schedule[k]
        tree = _halves(x[:n])
        sums = float(len(tree[0])) * float(len(tree[1]))
        least = np.int64(_least_radius(sums, log_volume, d, log_ball))
        half_total = np.empty(d, np.int64)
        for j in range(d):
            half_total[j] = x[:n, j].sum() // 2
        high = bound
        _far_target(half_total, ball, z)
        witness[k] = z
        low = _nearest(tree, z, max(least, bound // 4), euclid, few, point)
        if k > 0:
            distance = _nearest(tree, witness[k - 1], max(least, bound // 4), euclid, few, point)
            if distance > low:
                low = distance
                witness[k] = witness[k - 1]
        t = max(np.int64(float(high) * 2.0 ** (-(n - before) / d)), least, np.int64(1))
        step = 0.8
        z = z.copy()
        while True:
            wanted = max(low + 1, np.int64(np.ceil(float(low) * (1.0 + resolution))))
            if high <= wanted:
                break
            t = min(max(t, wanted, least), high - 1)
            state, reached, distance = _pass(tree, ball, t, euclid, resolution, z)
            if state == TOO_MANY_CELLS:
                return state
            if distance > low:
                low = distance
                witness[k] = z
            if state == COVERED:
                high = min(high, reached)
                t = np.int64(float(high) * step)
                step *= step
            else:
                t = reached
        lower[k], upper[k] = low, high
        bound, before = high, n
    return COVERED
