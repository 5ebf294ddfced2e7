"""Boxes and points in int64: which pieces of a box the boxes about some points leave open.

A set of sums covers a box at t iff the closed boxes (or Euclidean balls) of half side t about the sums cover it. The
box is split at the faces of their boxes until each piece lies in one of them or meets none; pieces that meet none are
holes. All of this is integer arithmetic, so that the answer is exact: an open piece is in a closed box, disjoint from
it, or cut by one of its faces, and there are finitely many faces.

Arrays are copied by loops and sorted here: numba compiles that several times faster than its array expressions.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rssp._jit import kernel

__all__ = [
    "MAX_NORM",
    "Region",
    "Stacks",
    "copy_boxes",
    "excess",
    "grown",
    "misses_ball",
    "new_stacks",
    "sort",
    "split",
    "target_in",
]


MAX_NORM = 0  # the norm of a Region, else 1 or 2


class Region(NamedTuple):
    """A ball of targets in whole units."""

    centre: NDArray[np.int64]
    radius: int
    norm: int


@kernel(inner=True)
def sort(order, first, last, keys):
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


@kernel(hot=True)
def grown(array, used):
    """The array, or one twice as long with the same beginning, if all but 2 of its rows are used."""
    if used + 2 < len(array):
        return array
    out = np.empty((2 * len(array), array.shape[1]), np.int64)
    for i in range(len(array)):
        for j in range(array.shape[1]):
            out[i, j] = array[i, j]
    return out


@kernel(inner=True)
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


@kernel(inner=True)
def excess(v, r, norm):
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


@kernel(hot=True)
def misses_ball(lo, hi, ball, v):
    """Whether the open box (lo, hi), inside the ball's bounding cube, has no point of the open ball."""
    centre, r, norm = ball
    if norm == MAX_NORM:
        return False
    for j in range(len(lo)):
        v[j] = max(lo[j] - centre[j], centre[j] - hi[j], 0)
    return excess(v, r, norm) >= 0


@kernel(inner=True)
def target_in(lo, hi, ball, v, z):
    """A target of the ball in the box [lo, hi]: its middle, or the nearest to it on the way to the ball's centre."""
    centre, r, norm = ball
    d = len(lo)
    for j in range(d):
        z[j] = lo[j] + ((hi[j] - lo[j]) >> 1)
        v[j] = abs(z[j] - centre[j])
    if excess(v, r, norm) <= 0:
        return
    inner, outer = 0.0, 1.0
    for _ in range(50):
        share = 0.5 * (inner + outer)
        for j in range(d):
            p = min(max(centre[j], lo[j]), hi[j])
            m = lo[j] + ((hi[j] - lo[j]) >> 1)
            v[j] = abs(p + np.int64(share * float(m - p)) - centre[j])
        if excess(v, r, norm) <= 0:
            inner = share
        else:
            outer = share
    for j in range(d):
        p = min(max(centre[j], lo[j]), hi[j])
        m = lo[j] + ((hi[j] - lo[j]) >> 1)
        z[j] = p + np.int64(inner * float(m - p))


class Stacks(NamedTuple):
    """Arrays that grow as needed: functions that may have to grow one return the tuple anew."""

    rows: NDArray[np.int64]
    """(m, 2 d), boxes (lo, hi) that are open, to be settled"""
    holes: NDArray[np.int64]
    """(m, 2 d), what `split` found"""
    stack: NDArray[np.int64]
    """(m, 2 d + 2), boxes to be looked at, each with the place of its points in `arena`: (lo, hi, first, how many)"""
    arena: NDArray[np.int64]
    """(m, 1), numbers of points"""
    near: NDArray[np.int64]
    """(m, d), sums near a cell"""


@kernel(inner=True)
def new_stacks(d, points):
    return Stacks(
        np.empty((64, 2 * d), np.int64), np.empty((64, 2 * d), np.int64), np.empty((64, 2 * d + 2), np.int64),
        np.empty((4096, 1), np.int64), np.empty((points, d), np.int64),
    )  # fmt: skip


@kernel(hot=True)
def _longer(arena, size):
    while size > len(arena):
        arena = grown(arena, len(arena))
    return arena


@kernel(hot=True)
def _sift_boxes(points, arena, place, low, high, t):
    """(covered, kept, best): which of the points in the arena have boxes at t that meet the piece (low, high).

    place : (first, number), where they are; the `kept` of them that meet it follow there. covered : one of the boxes
    contains the piece, and the rest does not matter; best : the point whose box is the largest part of it.
    """
    first, number = place
    top, kept, best, best_share = first + number, 0, np.int64(-1), -1.0
    for k in range(first, top):
        i = arena[k, 0]
        meets, contains, share = True, True, 1.0
        for j in range(len(low)):
            under, over = points[i, j] - t, points[i, j] + t
            if under >= high[j] or over <= low[j]:
                meets = False
                break
            if under > low[j] or over < high[j]:
                contains = False
                share *= float(min(over, high[j]) - max(under, low[j])) / float(high[j] - low[j])
        if not meets:
            continue
        if contains:
            return True, kept, best
        arena[top + kept, 0] = i
        kept += 1
        if share > best_share:
            best, best_share = i, share
    return False, kept, best


@kernel(hot=True)
def _sift_balls(points, arena, place, low, high, t, z):
    """(covered, kept, nearest): the same for Euclidean balls; nearest : the least squared distance of z to a point."""
    first, number = place
    top, kept, nearest, tt = first + number, 0, np.inf, float(t) * float(t)
    for k in range(first, top):
        i = arena[k, 0]
        near, far, mid = 0.0, 0.0, 0.0
        for j in range(len(low)):
            p = points[i, j]
            w = float(max(low[j] - p, p - high[j], 0))
            near += w * w
            w = float(max(p - low[j], high[j] - p))
            far += w * w
            w = float(p - z[j])
            mid += w * w
        nearest = min(nearest, mid)
        if far <= tt:
            return True, kept, nearest
        if near < tt:
            arena[top + kept, 0] = i
            kept += 1
    return False, kept, nearest


@kernel(hot=True)
def _face_of(points, i, low, high, t):
    """(axis, where): the face of the box about point i that cuts off most of the piece."""
    axis, where, smallest = 0, np.int64(0), 2.0
    for j in range(len(low)):
        under, over = points[i, j] - t, points[i, j] + t
        if under > low[j] or over < high[j]:
            part = float(min(over, high[j]) - max(under, low[j])) / float(high[j] - low[j])
            if part < smallest:
                smallest, axis = part, j
                where = over if over < high[j] else under
    return axis, where


@kernel(hot=True)
def _widest(low, high):
    axis = 0
    for j in range(len(low)):
        if high[j] - low[j] > high[axis] - low[axis]:
            axis = j
    return axis


@kernel(hot=True)
def _push_halves(stack, depth, low, high, axis, where, first, number):
    """Cut the piece in two and put both on the stack, with their points arena[first : first + number]."""
    d = len(low)
    stack = grown(stack, depth)
    for side in range(2):
        for j in range(d):
            stack[depth + side, j], stack[depth + side, d + j] = low[j], high[j]
        stack[depth + side, axis + (d if side == 0 else 0)] = where
        stack[depth + side, 2 * d], stack[depth + side, 2 * d + 1] = first, number
    return stack


@kernel(hot=True)
def copy_boxes(source, count, out, used):
    """out[used : used + count] = the boxes source[:count]; `out`, perhaps grown."""
    for i in range(count):
        out = grown(out, used + i)
        for j in range(out.shape[1]):
            out[used + i, j] = source[i, j]
    return out


@kernel(inner=True)
def split(piece, points, count, t, euclid, ball, stacks):
    """Split a box at the faces of the points' boxes until each piece is in one box or meets none.

    A box is a row (lo, hi) and stands for its interior. Pieces that meet no box (in the 2-norm: whose middle is farther
    than t from every point) are put in `holes`; in the 2-norm the work ends with the first of them, and the pieces not
    yet looked at follow it. Depth first; a piece keeps only the points whose box meets it.
    Returns (number of holes, stacks).
    """
    rows, holes, stack, arena, near = stacks
    d = len(piece) // 2
    low, high = np.empty(d, np.int64), np.empty(d, np.int64)
    v, z = np.empty(d, np.int64), np.empty(d, np.int64)
    arena = _longer(grown(arena, max(count, 1)), 2 * count + 2)
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
        if misses_ball(low, high, ball, v):
            continue
        top = first + number
        arena = _longer(arena, top + number + 2)
        best, nearest = np.int64(-1), np.inf
        if euclid:
            target_in(low, high, ball, v, z)
            covered, kept, nearest = _sift_balls(points, arena, (first, number), low, high, t, z)
        else:
            covered, kept, best = _sift_boxes(points, arena, (first, number), low, high, t)
        if covered:
            continue
        axis = _widest(low, high)
        # a piece this small whose middle is covered is covered up to a part in 2^32 of t
        if euclid and nearest <= tt and float(high[axis] - low[axis]) * 2.0**32 < float(t):
            continue
        if kept == 0 or (euclid and nearest > tt):
            holes = grown(holes, found)
            for j in range(d):
                holes[found, j], holes[found, d + j] = low[j], high[j]
            found += 1
            if not euclid:
                continue
            # the rim of a round hole has pieces of every size: all that is left stays open
            holes = copy_boxes(stack, depth, holes, found)
            found += depth
            break
        where = low[axis] + ((high[axis] - low[axis]) >> 1)
        if not euclid:
            axis, where = _face_of(points, best, low, high, t)
        stack = _push_halves(stack, depth, low, high, axis, where, top, kept)
        depth += 2
    return found, Stacks(rows, holes, stack, arena, near)
