"""Nearest subsets and counts in one dimension: two sorted halves meet in the middle.

A sample of m = 2 h + r integers is cut into two halves of h and a rest of r. The 2**h sums of a half are made in order
by merging, 2**(h+1) steps and no sort; for each of the 2**r subsets of the rest a staircase through (half, half) looks
at no more than 2**(h+1) pairs. Every chain of dependent steps (merging from both ends; the staircase from both ends,
two targets at a time) is free of unpredictable branches, so that they overlap. All arithmetic is on int64 and exact.

With the sums of a half grouped by subset size the same two steps serve subsets of a given size.

A mask is a number whose bit i is sample i. Of the subsets with the least error the one with the smallest mask is
returned: a tie is noticed in the staircase, and only then are the masks gone through in order (`ties`).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rssp._jit import kernel

__all__ = [
    "BEST",
    "MAX_HALF",
    "Goal",
    "Halves",
    "Rest",
    "bits",
    "first_mask",
    "group",
    "half_lists",
    "rest_sums",
    "sorted_halves",
    "sweep",
]

MAX_HALF = 24  # 2**24 int64 a list, four lists: half a gigabyte
_U = np.uint64

Ints = NDArray[np.int64]


class Halves(NamedTuple):
    """The sums of two halves, sorted, or sorted within each subset size if grouped.

    Group p of a half is left[start[p] : start[p + 1]], or right; without groups there is one, p = 0.
    """

    left: Ints
    right: Ints
    start: Ints
    size: np.int64
    """samples in a half"""
    grouped: np.int64
    """1 or 0"""


class Lists(NamedTuple):
    """Where halves are merged: two lists for each, from one to the other and back, and the starts of their groups."""

    left: Ints
    other_left: Ints
    right: Ints
    other_right: Ints
    start: Ints


class Rest(NamedTuple):
    """The subsets of the samples beyond both halves: their sums and sizes, by mask; 2**samples are in use."""

    sums: Ints
    sizes: Ints
    samples: np.int64


class Goal(NamedTuple):
    """What the pairs of a sweep are held against: a target less the sum of a subset of the rest."""

    target: np.int64
    rest: np.int64
    """that subset's mask"""
    row: np.int64
    """the target's row"""


BEST = np.dtype(
    [
        ("error", np.int64),
        ("left", np.int64),
        ("right", np.int64),
        ("rest", np.int64),
        ("left_group", np.int64),
        ("right_group", np.int64),
        ("tied", np.bool_),
    ]
)
"""The best of a target: its error, the sums of both halves and their groups, the mask of the rest, and whether another
pair is as good."""


@kernel(hot=True)
def _index(i):
    """As uint64: numba does not ask then whether it counts from the end. Of an empty group it is -1, and not used."""
    return _U(np.int64(i))


@kernel(inner=True)
def _finish(out, source, x, i, i_stop, j, j_stop, k):
    """The middle of a merge of unequal lengths into out[k:], with its bounds checked."""
    for place in range(k, k + i_stop - i + j_stop - j):
        if j >= j_stop or (i < i_stop and source[i] <= source[j] + x):
            out[place] = source[i]
            i += 1
        else:
            out[place] = source[j] + x
            j += 1


@kernel(inner=True)
def _merge_two(A, source_a, x, B, source_b, y, place):
    """A[o:o+m1+m2] = the sorted union of source_a[p:p+m1] and source_a[q:q+m2] + x; the same for B with y.

    place : (o, p, m1, q, m2). m1 + m2 steps for each; from both ends of both, which makes four chains that overlap.
    """
    o, p, m1, q, m2 = place
    h = min(m1, m2)
    first, second, start = _U(p), _U(q), _U(o)
    last1, last2, end = _index(p + m1 - 1), _index(q + m2 - 1), _index(o + m1 + m2 - 1)
    i, j, u, v = _U(0), _U(0), _U(0), _U(0)
    for step in range(h):
        k = _U(step)
        f = source_a[first + i]
        g = source_a[second + (k - i)] + x
        A[start + k] = min(f, g)
        i += _U(f <= g)
        f = source_a[last1 - u]
        g = source_a[last2 - (k - u)] + x
        A[end - k] = max(f, g)
        u += _U(f > g)
        f = source_b[first + j]
        g = source_b[second + (k - j)] + y
        B[start + k] = min(f, g)
        j += _U(f <= g)
        f = source_b[last1 - v]
        g = source_b[last2 - (k - v)] + y
        B[end - k] = max(f, g)
        v += _U(f > g)
    if m1 != m2:
        a, b = np.int64(i), np.int64(u)
        _finish(A, source_a, x, p + a, p + m1 - b, q + h - a, q + m2 - (h - b), o + h)
        a, b = np.int64(j), np.int64(v)
        _finish(B, source_b, y, p + a, p + m1 - b, q + h - a, q + m2 - (h - b), o + h)


@kernel(inner=True)
def half_lists(h):
    """Lists for halves of up to h samples: 2**h numbers each."""
    length = 1 << h
    return Lists(
        np.empty(length, np.int64), np.empty(length, np.int64), np.empty(length, np.int64), np.empty(length, np.int64),
        np.zeros(h + 3, np.int64),
    )  # fmt: skip


@kernel(inner=True)
def sorted_halves(x, h, grouped, lists):
    """The sums of all subsets of x[:h] and of x[h:2h]: `Halves` in two of the lists."""
    A, A2, B, B2, off = lists
    A[0], B[0] = 0, 0
    off[0], off[1] = 0, 1
    groups = 1
    for k in range(h):
        # sizes of k samples -> sizes of k + 1: C(k+1, p) = C(k, p) + C(k, p-1); old offsets are read before they move
        o = 0
        before, previous = 0, 0  # start and length of the old group p - 1
        if not grouped:
            previous = off[1]
        for p in range(groups + grouped):
            start = off[p]
            length = off[p + 1] - start if p < groups else 0
            off[p] = o
            _merge_two(A2, A, x[k], B2, B, x[h + k], (o, start, length, before, previous))
            o += length + previous
            before, previous = start, length
        groups += grouped
        off[groups] = o
        A, A2 = A2, A
        B, B2 = B2, B
    return Halves(A, B, off, h, grouped)


@kernel(hot=True)
def group(halves, p):
    """(start, length) of the sums of p samples, in either half."""
    return halves.start[p], halves.start[p + 1] - halves.start[p]


@kernel(inner=True)
def _note(best, goal, error, a, b, p, q):
    """Keep the best pair of a target; remember whether another pair is as good. Returns the best error.

    The rest is the leading part of the mask: of two equal errors the smaller rest wins, and only pairs with the same
    rest are a tie.
    """
    now = best[goal.row]
    if error < now["error"] or (error == now["error"] and goal.rest < now["rest"]):
        now["error"] = error
        now["left"] = a
        now["right"] = b
        now["rest"] = goal.rest
        now["left_group"] = p
        now["right_group"] = q
        now["tied"] = False
    elif (
        error == now["error"]
        and goal.rest == now["rest"]
        and not (now["left"] == a and now["right"] == b and now["left_group"] == p and now["right_group"] == q)
    ):
        now["tied"] = True
    return now["error"]


@kernel(inner=True)
def _staircase(halves, p, q, goal, i, h, best):
    """The antidiagonals h <= i + (nb - 1 - j) < na + nb - 1 - h of the staircase, with its bounds checked."""
    a0, na = group(halves, p)
    b0, nb = group(halves, q)
    A, B, nearest = halves.left, halves.right, best[goal.row]["error"]
    j = nb - 1 - (h - i)
    for _ in range(na + nb - 1 - 2 * h):
        if i >= na or j < 0:
            return
        a, b = A[a0 + i], B[b0 + j]
        error = a + b - goal.target
        if abs(error) <= nearest:
            nearest = _note(best, goal, abs(error), a, b, p, q)
        if error < 0:
            i += 1
        else:
            j -= 1


@kernel(inner=True)
def sweep(halves, p, q, one, two, best):
    """Note the best pairs of group p of the left half and group q of the right for two goals; at most na + nb steps.

    For a target the pairs with sums below and above it are parted by a staircase. It is walked from both ends: cell
    (i, j) lies on antidiagonal i + (nb - 1 - j), and both walks meet every pair of values that can be nearest.
    """
    A, B = halves.left, halves.right
    a0, na = group(halves, p)
    b0, nb = group(halves, q)
    h = min(na, nb)
    first_a, last_a = _index(a0), _index(a0 + na - 1)
    first_b, last_b = _index(b0), _index(b0 + nb - 1)
    i, j, u, v = _U(0), _U(0), _U(0), _U(0)
    best1, best2 = best[one.row]["error"], best[two.row]["error"]
    target1, target2 = one.target, two.target
    for step in range(h):
        k = _U(step)
        front = A[first_a + i] + B[last_b - (k - i)] - target1
        back = A[last_a - (k - u)] + B[first_b + u] - target1
        if min(abs(front), abs(back)) <= best1:
            _note(best, one, abs(front), A[first_a + i], B[last_b - (k - i)], p, q)
            best1 = _note(best, one, abs(back), A[last_a - (k - u)], B[first_b + u], p, q)
        i += _U(front < 0)
        u += _U(back < 0)
        front = A[first_a + j] + B[last_b - (k - j)] - target2
        back = A[last_a - (k - v)] + B[first_b + v] - target2
        if min(abs(front), abs(back)) <= best2:
            _note(best, two, abs(front), A[first_a + j], B[last_b - (k - j)], p, q)
            best2 = _note(best, two, abs(back), A[last_a - (k - v)], B[first_b + v], p, q)
        j += _U(front < 0)
        v += _U(back < 0)
    if na != nb:
        _staircase(halves, p, q, one, np.int64(i), h, best)
        _staircase(halves, p, q, two, np.int64(j), h, best)


@kernel(inner=True)
def bits(mask):
    count = 0
    while mask:
        mask &= mask - 1
        count += 1
    return count


@kernel(inner=True)
def first_mask(x, count, value, sized, size, table):
    """The smallest mask of x[:count] with this sum, if sized of this size; -1 if there is none."""
    low = min(count, 8)
    table[0] = 0
    for k in range(low):
        for i in range(1 << k):
            table[(1 << k) + i] = table[i] + x[k]
    base = 0
    for high in range(1 << (count - low)):
        wanted = value - base
        found = 0
        for i in range(1 << low):
            found |= table[i] == wanted
        if found:
            for i in range(1 << low):
                mask = (high << low) + i
                if table[i] == wanted and (not sized or bits(mask) == size):
                    return mask
        k = low
        while (high >> (k - low)) & 1:
            base -= x[k]
            k += 1
        if k < count:
            base += x[k]
    return -1


@kernel(hot=True)
def rest_sums(x, start, r, sums, sizes):
    """The `Rest` of the r samples from x[start] on, in the arrays given."""
    sums[0], sizes[0] = 0, 0
    for k in range(r):
        for i in range(1 << k):
            sums[(1 << k) + i] = sums[i] + x[start + k]
            sizes[(1 << k) + i] = sizes[i] + 1
    return Rest(sums, sizes, r)
