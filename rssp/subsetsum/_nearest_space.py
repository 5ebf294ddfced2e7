"""Nearest subsets and counts in two dimensions and more: a k-d tree of one half is asked by the other half.

The 2**a subset sums of the first a samples stand in a k-d tree with tight boxes; the sums of the other samples are
never stored: each is taken from the target and its nearest tree point sought, within the best error so far. The search
starts from the radius in which about one sum is expected (normal approximation) and widens it until one is found, so
that the first questions are as cheap as the last. Sums and errors in the max norm are int64 and exact; errors in the
2-norm are float64.

A mask is a number whose bit i is sample i. Ties are noticed on the way; then the masks are gone through in order, and
the smallest at the least error is returned.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

__all__ = ["MAX_TREE", "nearest_space"]

MAX_TREE = 22
_LEAF = 16
_FIRST_LEVEL = 8
_LEVEL_STEP = 3


@njit(nogil=True, cache=True)
def _select(keys, order, low, high, middle):
    """Order keys[low:high] (and `order` with them) so that keys[middle] has its place and smaller ones stand before."""
    high -= 1
    while low < high:
        pivot = keys[(low + high) >> 1]
        i, j = low, high
        while i <= j:
            while keys[i] < pivot:
                i += 1
            while keys[j] > pivot:
                j -= 1
            if i <= j:
                keys[i], keys[j] = keys[j], keys[i]
                order[i], order[j] = order[j], order[i]
                i += 1
                j -= 1
        if middle <= j:
            high = j
        elif middle >= i:
            low = i
        else:
            return


@njit(nogil=True, cache=True)
def _bits(mask):
    count = 0
    while mask:
        mask &= mask - 1
        count += 1
    return count


@njit(nogil=True, cache=True)
def _sums(x, count, points):
    """points[mask] = the sum of the subset `mask` of x[:count]."""
    dim = x.shape[1]
    points[0] = 0
    for k in range(count):
        for i in range(1 << k):
            for j in range(dim):
                points[(1 << k) + i, j] = points[i, j] + x[k, j]


@njit(nogil=True, cache=True)
def _grow(points, order, keys, node, low, high, box, child, span, weight, used):
    """The tree of order[low:high] under `node`; returns the number of nodes used. Median cuts of the widest side."""
    dim = points.shape[1]
    todo = np.empty((64, 3), np.int64)
    todo[0, 0], todo[0, 1], todo[0, 2] = node, low, high
    top = 1
    while top:
        top -= 1
        node, low, high = todo[top, 0], todo[top, 1], todo[top, 2]
        for j in range(dim):
            box[node, j] = points[order[low], j]
            box[node, dim + j] = points[order[low], j]
        for i in range(low + 1, high):
            for j in range(dim):
                value = points[order[i], j]
                box[node, j] = min(box[node, j], value)
                box[node, dim + j] = max(box[node, dim + j], value)
        widest = 0
        for j in range(1, dim):
            if box[node, dim + j] - box[node, j] > box[node, dim + widest] - box[node, widest]:
                widest = j
        span[node, 0], span[node, 1] = low, high
        child[node] = -1
        weight[node] = high - low
        if box[node, dim + widest] == box[node, widest]:
            # equal points: the smallest mask stands for all of them
            for i in range(low + 1, high):
                if order[i] < order[low]:
                    order[low], order[i] = order[i], order[low]
            span[node, 1] = low + 1
            continue
        if high - low <= _LEAF:
            continue
        for i in range(low, high):
            keys[i] = points[order[i], widest]
        middle = (low + high) >> 1
        _select(keys, order, low, high, middle)
        child[node] = used
        todo[top, 0], todo[top, 1], todo[top, 2] = used, low, middle
        todo[top + 1, 0], todo[top + 1, 1], todo[top + 1, 2] = used + 1, middle, high
        top += 2
        used += 2
    return used


@njit(nogil=True, cache=True)
def _build(x, count, grouped, points, order, keys, flat, box, child, span, weight):
    """The tree, or with `grouped` one tree for each subset size p with root p. 2**count log steps."""
    total, dim = 1 << count, x.shape[1]
    _sums(x, count, points)
    used = 1
    if not grouped:
        for i in range(total):
            order[i] = i
        used = _grow(points, order, keys, 0, 0, total, box, child, span, weight, used)
    else:
        starts = np.zeros(count + 2, np.int64)
        for i in range(total):
            starts[_bits(i) + 1] += 1
        for p in range(count + 1):
            starts[p + 1] += starts[p]
        place = starts.copy()
        for i in range(total):
            p = _bits(i)
            order[place[p]] = i
            place[p] += 1
        used = count + 1
        for p in range(count + 1):
            used = _grow(points, order, keys, p, starts[p], starts[p + 1], box, child, span, weight, used)
    for node in range(used):
        low, high = span[node, 0], span[node, 1]
        if child[node] < 0:
            # a leaf's points lie together, coordinate by coordinate
            for j in range(dim):
                for i in range(low, high):
                    flat[low * dim + j * (high - low) + i - low] = points[order[i], j]


@njit(nogil=True, cache=True)
def _distance(box, node, q, dim, euclid):
    """From q to the nearest place in the box of a node (its square in the 2-norm)."""
    far = q[0] - q[0]
    for j in range(dim):
        out = max(max(box[node, j] - q[j], q[j] - box[node, dim + j]), far - far)
        if euclid:
            far += out * out
        else:
            far = max(far, out)
    return far


@njit(nogil=True, cache=True)
def _ask(tree, root, q, b, ordered, best, found, euclid):
    """Look for tree points nearer to q than best[0]; ordered: the smallest mask among those not farther."""
    order, flat, box, child, span, nodes, dists, near = tree
    dim = q.shape[0]
    first = _distance(box, root, q, dim, euclid)
    if first > best[0]:
        return
    nodes[0], dists[0] = root, first
    top = 1
    while top:
        top -= 1
        node = nodes[top]
        if dists[top] > best[0] or (found[2] and dists[top] == best[0]):
            continue
        inner = child[node]
        if inner >= 0:
            one = _distance(box, inner, q, dim, euclid)
            two = _distance(box, inner + 1, q, dim, euclid)
            if one < two:
                nodes[top], dists[top] = inner + 1, two
                nodes[top + 1], dists[top + 1] = inner, one
            else:
                nodes[top], dists[top] = inner, one
                nodes[top + 1], dists[top + 1] = inner + 1, two
            top += 2
            continue
        low = span[node, 0]
        many = span[node, 1] - low
        for i in range(many):
            near[i] = 0
        for j in range(dim):
            qj = q[j]
            base = low * dim + j * many
            if euclid:
                for i in range(many):
                    out = flat[base + i] - qj
                    near[i] += out * out
            else:
                for i in range(many):
                    near[i] = max(near[i], abs(flat[base + i] - qj))
        for i in range(many):
            if near[i] > best[0]:
                continue
            a = order[low + i]
            if ordered:
                if found[0] < 0 or a < found[0]:
                    found[0], found[1] = a, b
            elif near[i] < best[0] or found[0] < 0:
                best[0] = near[i]
                found[0], found[1], found[2] = a, b, 0
            elif found[0] != a or found[1] != b:
                found[2] = 1


@njit(nogil=True, cache=True)
def _ask_all(tree, x, count, grouped, target, size, ordered, best, found, q, euclid):
    """Every subset of the samples beyond the tree's, in the order of masks, asks the tree."""
    n, dim = x.shape
    others = n - count
    total = np.zeros(dim, np.int64)
    taken = 0
    for b in range(1 << others):
        for j in range(dim):
            q[j] = target[j] - total[j]
        if not grouped:
            _ask(tree, 0, q, b, ordered, best, found, euclid)
        else:
            p_low = 0 if size < 0 else size - taken
            p_high = count if size < 0 else size - taken
            for p in range(max(p_low, 0), min(p_high, count) + 1):
                _ask(tree, p, q, b, ordered, best, found, euclid)
        if ordered and found[0] >= 0:
            return
        k = 0
        while (b >> k) & 1:
            for j in range(dim):
                total[j] -= x[count + k, j]
            taken -= 1
            k += 1
        if k < others:
            for j in range(dim):
                total[j] += x[count + k, j]
            taken += 1


@njit(nogil=True, cache=True)
def _expected_radius(x, target, size):
    """log of the half side of the cube in which one sum is expected, by the normal approximation; d times it."""
    n, dim = x.shape
    share = 0.5 if size < 0 else min(max(size / n, 0.5 / n), 1 - 0.5 / n)
    log_count = n * math.log(2.0)
    if size >= 0:
        log_count = math.lgamma(n + 1.0) - math.lgamma(size + 1.0) - math.lgamma(n - size + 1.0)
    scale = 1.0
    for i in range(n):
        for j in range(dim):
            scale = max(scale, abs(float(x[i, j])))
    C = np.zeros((dim, dim))
    away = np.zeros(dim)
    for j in range(dim):
        away[j] = target[j] / scale
    for i in range(n):
        for j in range(dim):
            away[j] -= share * (x[i, j] / scale)
            for k in range(j + 1):
                C[j, k] += share * (1 - share) * (x[i, j] / scale) * (x[i, k] / scale)
    log_density = log_count - dim * math.log(2.0)
    # Cholesky: its diagonal gives the determinant, forward substitution the Mahalanobis length
    for j in range(dim):
        for k in range(j + 1):
            value = C[j, k]
            for i in range(k):
                value -= C[j, i] * C[k, i]
            C[j, k] = math.sqrt(max(value, 1e-9)) if j == k else value / C[k, k]
        for k in range(j):
            away[j] -= C[j, k] * away[k]
        away[j] /= C[j, j]
        log_density -= math.log(C[j, j]) + 0.5 * math.log(2 * math.pi) + 0.5 * away[j] ** 2 - math.log(2.0)
    return dim * math.log(scale) - dim * math.log(2.0) - (log_density + dim * math.log(2.0))


@njit(nogil=True, cache=True)
def _nearest_in(tree, x, count, grouped, target, size, limit, best, found, q, euclid):
    """The nearest subset of x (of this size unless size < 0), error <= limit unless limit < 0; its mask or -1."""
    dim = x.shape[1]
    # the error of one subset bounds the search
    for j in range(dim):
        q[j] = target[j]
        for i in range(max(size, 0)):
            q[j] -= x[i, j]
    cap = q[0] - q[0]
    for j in range(dim):
        if euclid:
            cap += q[j] * q[j]
        else:
            cap = max(cap, abs(q[j]))
    if euclid:  # the tree adds in another order
        best[0] = cap
        best[0] *= 1 + 1e-9
        cap = best[0]
    if limit >= 0:
        cap = min(cap, limit)
    log_cube = _expected_radius(x, target, size)
    found[0], found[1], found[2] = -1, -1, 0
    widen = 0.0
    while True:
        radius = math.exp(min((log_cube + widen) / dim, 600.0))
        if euclid:
            radius = radius * radius
        last = radius >= cap
        if last:
            best[0] = cap
        else:
            best[0] = radius
        _ask_all(tree, x, count, grouped, target, size, False, best, found, q, euclid)
        if found[0] >= 0 or last:
            break
        widen = 2.0 * widen + math.log(8.0)
    if found[0] < 0:
        return -1
    if found[2]:
        found[0], found[2] = -1, 0
        _ask_all(tree, x, count, grouped, target, size, True, best, found, q, euclid)
    return found[0] + (found[1] << count)


@njit(nogil=True, cache=True)
def nearest_space(samples, targets, size, limit, smallest, bonus, euclid, like, masks):
    """Nearest subsets: samples int64 (g, n, d), targets int64 (g, t, d); fills masks (g, t, n).

    `like` is an int64 array for the max norm; for the 2-norm (`euclid`) a float64 array, and `limit`, the tolerance, is
    squared. size, limit < 0, smallest and the levels m = 8, 11, ... are those of `nearest_line`. The tree has
    (m + bonus) / 2 of the m samples, MAX_TREE at most.
    """
    groups, n, dim = samples.shape
    many = targets.shape[1]
    top = min((n + bonus + 1) // 2, MAX_TREE, n)
    total = 1 << top
    nodes = 4 * (total // _LEAF) + 4 * top + 8
    points, keys = np.empty((total, dim), np.int64), np.empty(total, np.int64)
    order, child = np.empty(total, np.int64), np.empty(nodes, np.int64)
    span, weight = np.empty((nodes, 2), np.int64), np.empty(nodes, np.int64)
    box, flat = np.empty((nodes, 2 * dim), like.dtype), np.empty(total * dim, like.dtype)
    q, best = np.empty(dim, like.dtype), np.empty(1, like.dtype)
    near, dists = np.empty(_LEAF, like.dtype), np.empty(128, like.dtype)
    tree = (order, flat, box, child, span, np.empty(128, np.int64), dists, near)
    found = np.zeros(3, np.int64)
    rows = np.zeros(many, np.int64)
    grouped = smallest or size >= 0
    for g in range(groups):
        for t in range(many):
            rows[t] = t
        pending = many
        m = n if limit < 0 or smallest else min(n, max(_FIRST_LEVEL, size))
        while pending:
            x = samples[g, :m]
            count = min((m + bonus) // 2, top, m)
            _build(x, count, grouped, points, order, keys, flat, box, child, span, weight)
            left = 0
            for index in range(pending):
                row = rows[index]
                target = targets[g, row]
                mask = -1
                if smallest:
                    for wanted in range(n + 1):
                        mask = _nearest_in(tree, x, count, True, target, wanted, limit, best, found, q, euclid)
                        if mask >= 0:
                            break
                elif limit >= 0:
                    mask = _nearest_in(tree, x, count, grouped, target, size, limit, best, found, q, euclid)
                if mask < 0 and m < n:
                    rows[left] = row
                    left += 1
                    continue
                if mask < 0:
                    mask = _nearest_in(
                        tree, x, count, grouped, target, size, best[0] - best[0] - 1, best, found, q, euclid
                    )
                for i in range(n):
                    masks[g, row, i] = (mask >> i) & 1
            pending = left
            m = min(n, m + _LEVEL_STEP)
