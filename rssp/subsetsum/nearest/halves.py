"""Nearest subsets and counts in one dimension: two sorted halves meet in the middle.

A sample of m = 2 h + r integers is cut into two halves of h and a rest of r. The 2**h sums of a half are made in order
by merging, 2**(h+1) steps and no sort; for each of the 2**r subsets of the rest a staircase through (half, half) looks
at no more than 2**(h+1) pairs. Every chain of dependent steps (merging from both ends; the staircase from both ends,
two targets at a time) is free of unpredictable branches, so that they overlap. All arithmetic is on int64 and exact.

With the sums of a half grouped by subset size the same two steps serve subsets of a given size.

A mask is a number whose bit i is sample i. Of the subsets with the least error the one with the smallest mask is
returned: a tie is noticed in the staircase, and only then are the masks gone through in order (`_nearest_ties`).
"""

from __future__ import annotations

import numpy as np

from rssp._jit import kernel

__all__ = [
    "FIRST_LEVEL",
    "LEVEL_STEP",
    "MAX_HALF",
    "bits",
    "first_mask",
    "nearest_line",
    "rest_sums",
    "sorted_halves",
]

MAX_HALF = 24  # 2**24 int64 a list, four lists: half a gigabyte
FIRST_LEVEL = 8  # a search within a tolerance looks at the first 8, 11, 14, ... samples
LEVEL_STEP = 3
_U = np.uint64


@kernel(inner=True)
def _finish(out, src, x, p, q, a, a_end, b, b_end, o):
    """The middle of a merge of unequal lengths, with its bounds checked."""
    for k in range(o, o + a_end - a + b_end - b):
        if b >= b_end or (a < a_end and src[p + a] <= src[q + b] + x):
            out[k] = src[p + a]
            a += 1
        else:
            out[k] = src[q + b] + x
            b += 1


@kernel(inner=True)
def _merge(A, source_a, x, B, source_b, y, o, p, m1, q, m2):
    """A[o:o+m1+m2] = the sorted union of source_a[p:p+m1] and source_a[q:q+m2] + x; the same for B with y.

    m1 + m2 steps for each; from both ends of both, which makes four chains that overlap.
    """
    h = min(m1, m2)
    first, second, start = _U(p), _U(q), _U(o)
    last1, last2, end = _U(p + m1 - 1), _U(q + m2 - 1), _U(o + m1 + m2 - 1)
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
        _finish(A, source_a, x, p, q, a, m1 - b, h - a, m2 - (h - b), o + h)
        a, b = np.int64(j), np.int64(v)
        _finish(B, source_b, y, p, q, a, m1 - b, h - a, m2 - (h - b), o + h)


@kernel(inner=True)
def sorted_halves(x, h, grouped, A, A2, B, B2, off):
    """The sums of all subsets of x[:h] and of x[h:2h], sorted; if grouped, sorted within each subset size.

    Group p of a half is half[off[p]:off[p+1]]; without groups there is one, p = 0. A, A2, B, B2 are scratch of 2**h;
    the two halves are among them.
    """
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
            _merge(A2, A, x[k], B2, B, x[h + k], o, start, length, before, previous)
            o += length + previous
            before, previous = start, length
        groups += grouped
        off[groups] = o
        A, A2 = A2, A
        B, B2 = B2, B
    return A, B


@kernel(inner=True)
def _note(state, row, error, a, b, rest, sizes):
    """Keep the best pair of a target; remember whether another pair is as good. Returns the best error.

    The rest is the leading part of the mask: of two equal errors the smaller rest wins, and only pairs with the same
    rest are a tie.
    """
    if error < state[row, 0] or (error == state[row, 0] and rest < state[row, 3]):
        state[row, 0] = error
        state[row, 1] = a
        state[row, 2] = b
        state[row, 3] = rest
        state[row, 4] = sizes
        state[row, 5] = 0
    elif (
        error == state[row, 0]
        and rest == state[row, 3]
        and not (state[row, 1] == a and state[row, 2] == b and state[row, 4] == sizes)
    ):
        state[row, 5] = 1
    return state[row, 0]


@kernel(inner=True)
def _staircase(A, a0, na, B, b0, nb, i, h, target, rest, sizes, state, row):
    """The antidiagonals h <= i + (nb - 1 - j) < na + nb - 1 - h of the staircase, with its bounds checked."""
    best = state[row, 0]
    j = nb - 1 - (h - i)
    for _ in range(na + nb - 1 - 2 * h):
        if i >= na or j < 0:
            return
        error = A[a0 + i] + B[b0 + j] - target
        if abs(error) <= best:
            best = _note(state, row, abs(error), A[a0 + i], B[b0 + j], rest, sizes)
        if error < 0:
            i += 1
        else:
            j -= 1


@kernel(inner=True)
def _sweep(A, a0, na, B, b0, nb, sizes, target1, rest1, row1, target2, rest2, row2, state):
    """Note the best pairs of A[a0:a0+na] + B[b0:b0+nb] for two targets; at most na + nb steps.

    For a target the pairs with sums below and above it are parted by a staircase. It is walked from both ends: cell
    (i, j) lies on antidiagonal i + (nb - 1 - j), and both walks meet every pair of values that can be nearest.
    """
    h = min(na, nb)
    first_a, last_a = _U(a0), _U(a0 + na - 1)
    first_b, last_b = _U(b0), _U(b0 + nb - 1)
    i, j, u, v = _U(0), _U(0), _U(0), _U(0)
    best1, best2 = state[row1, 0], state[row2, 0]
    for step in range(h):
        k = _U(step)
        front = A[first_a + i] + B[last_b - (k - i)] - target1
        back = A[last_a - (k - u)] + B[first_b + u] - target1
        if min(abs(front), abs(back)) <= best1:
            _note(state, row1, abs(front), A[first_a + i], B[last_b - (k - i)], rest1, sizes)
            best1 = _note(state, row1, abs(back), A[last_a - (k - u)], B[first_b + u], rest1, sizes)
        i += _U(front < 0)
        u += _U(back < 0)
        front = A[first_a + j] + B[last_b - (k - j)] - target2
        back = A[last_a - (k - v)] + B[first_b + v] - target2
        if min(abs(front), abs(back)) <= best2:
            _note(state, row2, abs(front), A[first_a + j], B[last_b - (k - j)], rest2, sizes)
            best2 = _note(state, row2, abs(back), A[last_a - (k - v)], B[first_b + v], rest2, sizes)
        j += _U(front < 0)
        v += _U(back < 0)
    if na == nb:
        return
    a, target, rest, row = np.int64(i), target1, rest1, row1
    for _ in range(2):
        _staircase(A, a0, na, B, b0, nb, a, h, target, rest, sizes, state, row)
        a, target, rest, row = np.int64(j), target2, rest2, row2


@kernel(inner=True)
def bits(mask):
    count = 0
    while mask:
        mask &= mask - 1
        count += 1
    return count


@kernel(inner=True)
def first_mask(x, count, value, size, table):
    """The smallest mask of x[:count] with this sum (and this size unless size < 0); -1 if there is none."""
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
                if table[i] == wanted and (size < 0 or bits(mask) == size):
                    return mask
        k = low
        while (high >> (k - low)) & 1:
            base -= x[k]
            k += 1
        if k < count:
            base += x[k]
    return -1


@kernel(inner=True)
def rest_sums(x, start, r, sums, counts):
    sums[0], counts[0] = 0, 0
    for k in range(r):
        for i in range(1 << k):
            sums[(1 << k) + i] = sums[i] + x[start + k]
            counts[(1 << k) + i] = counts[i] + 1


@kernel(inner=True)
def _split(m, one_target, max_half):
    """(h, r): shorter halves and more staircases where one target pays for the merging."""
    r = m & 1
    if one_target and r == 0 and m >= 4:
        r = 2
    h = (m - r) // 2
    if h > max_half:
        h, r = max_half, m - 2 * max_half
    return h, r


@kernel(inner=True)
def _search(A, B, off, h, grouped, size, targets, rows, many, rest, rest_count, r, state):
    """Every (target, subset of the rest) against the halves, two at a time where both need the same sizes."""
    tasks = many << r
    for task in range(0, tasks, 2):
        other = min(task + 1, tasks - 1)
        r1, r2 = task & ((1 << r) - 1), other & ((1 << r) - 1)
        row1, row2 = rows[task >> r], rows[other >> r]
        if state[row1, 0] == 0 and state[row2, 0] == 0:
            continue  # solved without error by a smaller rest
        together = not grouped or rest_count[r1] == rest_count[r2]
        for turn in range(1 if together else 2):
            if not together:
                alone = other if turn else task
                r1, row1 = alone & ((1 << r) - 1), rows[alone >> r]
                r2, row2 = r1, row1
            t1, t2 = targets[row1] - rest[r1], targets[row2] - rest[r2]
            for p in range(1 + h * grouped):
                q = size - rest_count[r1] - p if grouped else 0
                if 0 <= q <= h * grouped:
                    na, nb = off[p + 1] - off[p], off[q + 1] - off[q]
                    _sweep(A, off[p], na, B, off[q], nb, p * 64 + q, t1, r1, row1, t2, r2, row2, state)


@kernel
def nearest_line(samples, targets, size, tolerance, smallest, max_half, masks, ties):
    """Nearest subsets: samples int64 (g, n), targets int64 (g, t); fills masks (g, t, n) and
    ties (g, t): 0, or what `settle_ties` needs to know where the nearest subset is not the only one.

    size < 0: any. tolerance < 0: the nearest of all; else the nearest among the first m samples, for the first
    m = 8, 11, 14, ..., n at which it is within the tolerance. smallest: of the smallest size that is within it.
    A target: 2**(h+2) steps of merging (once a sample) and 2**(h+r+1) of staircase, about 0.7 ns each; memory
    4 * 2**h * 8 bytes.
    """
    groups, n = samples.shape
    many = targets.shape[1]
    h_top = min(n // 2, max_half)
    r_top = max(2, n - 2 * h_top)
    length = 1 << h_top
    A1, A2 = np.empty(length, np.int64), np.empty(length, np.int64)
    B1, B2 = np.empty(length, np.int64), np.empty(length, np.int64)
    off = np.zeros(h_top + 3, np.int64)
    rest, rest_count = np.zeros(1 << r_top, np.int64), np.zeros(1 << r_top, np.int64)
    table = np.zeros(256, np.int64)
    state = np.zeros((many, 6), np.int64)
    rows = np.zeros(many, np.int64)
    grouped = np.int64(smallest or size >= 0)
    for g in range(groups):
        x = samples[g]
        for t in range(many):
            rows[t] = t
            state[t, 0] = np.iinfo(np.int64).max
        pending = many
        m = n if tolerance < 0 or smallest else min(n, max(FIRST_LEVEL, size))
        while pending:
            h, r = _split(m, pending == 1, max_half)
            A, B = sorted_halves(x, h, grouped, A1, A2, B1, B2, off)
            rest_sums(x, 2 * h, r, rest, rest_count)
            wanted = 0 if smallest else size
            while pending:
                _search(A, B, off, h, grouped, wanted, targets[g], rows, pending, rest, rest_count, r, state)
                last = m == n and (not smallest or wanted == n)
                left = 0
                for index in range(pending):
                    row = rows[index]
                    if not last and state[row, 0] > tolerance:
                        rows[left] = row
                        left += 1
                        continue
                    p, q = (state[row, 4] >> 6, state[row, 4] & 63) if grouped else (-1, -1)
                    mask = state[row, 3] << (2 * h)
                    for half in range(2):
                        start = half * h
                        mask += first_mask(x[start:], h, state[row, 1 + half], p, table) << start
                        p = q
                    if state[row, 5]:
                        any_size = smallest and state[row, 0] > tolerance
                        ties[g, row] = (m << 12) + (h << 6) + (0 if any_size else 1 + wanted)
                    for i in range(n):
                        masks[g, row, i] = (mask >> i) & 1
                pending = left
                if not smallest:
                    break
                wanted += 1
            m = min(n, m + LEVEL_STEP)
            for index in range(pending):
                state[rows[index], 0] = np.iinfo(np.int64).max
