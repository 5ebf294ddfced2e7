"""The sums of two halves of the vectors, looked up by window without storing all of them.

A and B hold the sums of the two halves. B is kept in stripes of the first coordinate, sorted by the last one within a
stripe, so that the sums in a window are found by a binary search for each member of A and stripe. Memory: the halves.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rssp._jit import kernel
from rssp.subsetsum.space.pieces import sort

__all__ = ["Sums", "fill", "gather", "halves", "middle", "nearest"]


_ONE = np.int64(1)
_MOST = 1 << 30  # sums counted in a cell: more are not told apart, and int32 holds it


class Sums(NamedTuple):
    """All sums, as those of two halves."""

    a: NDArray[np.int64]
    """(|A|, d), in the order of their making"""
    b: NDArray[np.int64]
    """(|B|, d), in stripes of the first coordinate, within a stripe ascending in the last"""
    start: NDArray[np.int64]
    """(stripes + 1,), where each stripe begins"""
    least: NDArray[np.int64]
    """(stripes,), of the first coordinate, and so `largest`"""
    largest: NDArray[np.int64]


@kernel(inner=True)
def _extend(known, row, count):
    """Each sum plus 0, 1, ..., count times the row."""
    m, d = known.shape
    out = np.empty((m * (count + 1), d), np.int64)
    for k in range(count + 1):
        for i in range(m):
            for j in range(d):
                out[k * m + i, j] = known[i, j] + k * row[j]
    return out


@kernel(inner=True)
def halves(x, n):
    """The sums of two halves of the first n vectors.

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
    sort(order, 0, nb, keys)
    for s in range(stripes):
        first, last = s * nb // stripes, (s + 1) * nb // stripes
        start[s], start[s + 1] = first, last
        least[s], largest[s] = keys[order[first]], keys[order[last - 1]]
    for i in range(nb):
        keys[i] = b[i, d - 1]
    for s in range(stripes):
        sort(order, start[s], start[s + 1], keys)
    for i in range(nb):
        for j in range(d):
            out[i, j] = b[order[i], j]
    return Sums(a, out, start, least, largest)


@kernel(inner=True)
def middle(x, n):
    """Half the sum of the first n vectors: the middle of all their sums."""
    out = np.zeros(x.shape[1], np.int64)
    for j in range(x.shape[1]):
        total = np.int64(0)
        for i in range(n):
            total += x[i, j]
        out[j] = total >> 1
    return out


@kernel(inner=True)
def gather(sums, lo, hi, t, euclid, out, cap):
    """The sums at a distance of at most t from the closed box [lo, hi], into `out`; stops at `cap`. Returns how many.

    A negative t shrinks the box (lo - t to hi + t is what is searched). Time: |A| binary searches a stripe that is met,
    and the sums whose first and last coordinate fit.
    """
    a, b, start, least, largest = sums
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


@kernel(inner=True)
def nearest(sums, z, guess, euclid, out, point):
    """The distance of z to the nearest of all sums, which is put in `point`; `guess` sets the first window only.

    Whole units in the max norm, rounded in the 2-norm.
    """
    best = np.int64(-1)
    g = max(guess, _ONE)
    while True:
        count = gather(sums, z, z, g, euclid, out, len(out))
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


@kernel(inner=True)
def fill(sums, grid, slot, low, high, start, used, store):
    """One pass over the sums: count those of each cell, and store those of the cells with a list.

    slot[cell]: how many sums it holds, or -k - 1 for list k, which stores its sums in the rows of `store` from start[k]
    on, as many as fit before start[k + 1]; used[k] is how many. Only sums whose first and last coordinate, in cells,
    are in [low, high] are looked at. Cell numbers are computed in float64. For sums of up to 2^28 sides their error is
    below 2^-22 of a side, which the caller allows for: t exceeds the side by 2^-20 of itself.
    """
    a, b, stripe, least, largest = sums
    corner, h, cells, _ = grid
    d = a.shape[1]
    last = d - 1
    scale = 1.0 / float(h)
    fa = np.empty(d)
    size = np.empty(d)
    fb = np.empty((len(b), d))
    for j in range(d):
        size[j] = float(cells[j])
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
            x, y = stripe[s], stripe[s + 1]
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
                    if v < 0.0 or v >= size[j]:
                        inside = False
                        break
                    number = number * cells[j] + np.int64(v)
                if inside:
                    k = slot[number]
                    if k >= 0:
                        if k < _MOST:
                            slot[number] = k + 1
                    else:
                        k = -k - 1
                        m = start[k] + used[k]
                        if m < start[k + 1]:
                            for j in range(d):
                                store[m, j] = a[i, j] + b[x, j]
                            used[k] += 1
                x += 1
