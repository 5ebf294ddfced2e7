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

import numpy as np
from numba import njit

__all__ = ["count_space", "nearest_space"]

_LEAF = 16

# helpers are compiled into their callers only: no entry points from Python, no cache files of their own
_helper = njit(nogil=True, no_cpython_wrapper=True, no_cfunc_wrapper=True)


@_helper
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


@_helper
def _bits(mask):
    count = 0
    while mask:
        mask &= mask - 1
        count += 1
    return count


@_helper
def _sums(x, count, points):
    """points[mask] = the sum of the subset `mask` of x[:count]."""
    dim = x.shape[1]
    points[0] = 0
    for k in range(count):
        for i in range(1 << k):
            for j in range(dim):
                points[(1 << k) + i, j] = points[i, j] + x[k, j]


@_helper
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


@_helper
def _room(count, dim, like):
    """The arrays of a tree of 2**count points: 8 (2 dim + 3) bytes a point and 1/4 of a node each."""
    total = 1 << count
    nodes = total // 4 + 4 * count + 8
    points, keys = np.empty((total, dim), np.int64), np.empty(total, np.int64)
    order, child, weight = np.empty(total, np.int64), np.empty(nodes, np.int64), np.empty(nodes, np.int64)
    box, flat = np.empty((nodes, 2 * dim), like.dtype), np.empty(total * dim, like.dtype)
    near, dists = np.empty(_LEAF, like.dtype), np.empty(128, like.dtype)
    span, stack = np.empty((nodes, 2), np.int64), np.empty(128, np.int64)
    return (order, flat, box, child, span, stack, dists, near), points, keys, weight


@_helper
def _build(x, count, grouped, points, keys, weight, tree):
    """The tree, or with `grouped` one tree for each subset size p with root p. 2**count log steps."""
    order, flat, box, child, span = tree[:5]
    total, dim = 1 << count, x.shape[1]
    _sums(x, count, points)
    groups = 1 + count * grouped
    starts = np.zeros(groups + 1, np.int64)
    for i in range(total):
        starts[1 + _bits(i) * grouped] += 1
    for p in range(groups):
        starts[p + 1] += starts[p]
    place = starts.copy()
    for i in range(total):
        p = _bits(i) * grouped
        order[place[p]] = i
        place[p] += 1
    used = groups
    for p in range(groups):
        used = _grow(points, order, keys, p, starts[p], starts[p + 1], box, child, span, weight, used)
    for node in range(used):
        low, high = span[node, 0], span[node, 1]
        if child[node] < 0:
            # a leaf's points lie together, coordinate by coordinate
            for j in range(dim):
                for i in range(low, high):
                    flat[low * dim + j * (high - low) + i - low] = points[order[i], j]


@_helper
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


@_helper
def _ask(tree, root, q, b, ordered, best, found, euclid):
    """Look for tree points nearer to q than best[0]; ordered: the smallest mask among those not farther."""
    order, flat, box, child, span, nodes, dists, near = tree
    dim = q.shape[0]
    nodes[0], dists[0] = root, 0
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


@_helper
def _next_subset(x, first, b, total):
    """Turn the sum of the subset b of x[first:] into that of b + 1; returns by how much its size changes."""
    n, dim = x.shape
    k = 0
    while (b >> k) & 1:
        for j in range(dim):
            total[j] -= x[first + k, j]
        k += 1
    if first + k >= n:
        return 0
    for j in range(dim):
        total[j] += x[first + k, j]
    return 1 - k


@_helper
def _ask_all(tree, x, count, grouped, target, size, ordered, best, found, q, euclid):
    """Every subset of the samples beyond the tree's, in the order of masks, asks the tree."""
    n, dim = x.shape
    others = n - count
    total = np.zeros(dim, np.int64)
    taken = 0
    for b in range(1 << others):
        for j in range(dim):
            q[j] = target[j] - total[j]
        p_low = 0 if size < 0 else size - taken
        p_high = count * grouped if size < 0 else size - taken
        for p in range(max(p_low, 0), min(p_high, count) + 1):
            _ask(tree, p, q, b, ordered, best, found, euclid)
        if ordered and found[0] >= 0:
            return
        taken += _next_subset(x, count, b, total)


@_helper
def _nearest_in(tree, x, count, grouped, target, size, radius, limit, best, found, q, euclid):
    """The mask of the nearest subset (of this size unless size < 0) with error <= limit, or -1."""
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
    bound = limit * limit if euclid else limit
    if bound < cap:
        best[0] = bound
        cap = best[0]
    found[0], found[1], found[2] = -1, -1, 0
    growth = 8.0 ** (1 / dim)
    ordered = 0
    while ordered < 2:
        if found[0] < 0:
            bound = radius * radius if euclid else radius
            last = bound >= cap
            best[0] = cap
            if not last:
                best[0] = bound
            radius *= growth
            growth *= growth
        else:
            found[0] = -1
        _ask_all(tree, x, count, grouped, target, size, ordered, best, found, q, euclid)
        if found[0] < 0 and last:
            return -1
        if found[0] >= 0:
            if not found[2]:
                break
            found[2] = 0
            ordered += 1
    return found[0] + (found[1] << count)


@njit(nogil=True, cache=True)
def nearest_space(samples, targets, radius, limit, size, euclid, like, masks, status):
    """Nearest subsets of samples int64 (g, n, d) to targets int64 (g, t, d); fills masks (g, t, n) and status (g, t).

    The arguments are those of `nearest_grid`; size < 0: any. Only targets with status 0 (to do) are taken; it becomes 1
    (found) or 2 (nothing within the limit). Time: 2**(n-h) questions of some microseconds a target to a tree of 2**h
    points, h = n/2, and h 2**h steps to build it once a sample.
    """
    groups, n, dim = samples.shape
    h = (n + 1) // 2
    tree, points, keys, weight = _room(h, dim, like)
    q, best = np.empty(dim, like.dtype), np.empty(1, like.dtype)
    found = np.zeros(3, np.int64)
    grouped = np.int64(size >= 0)
    for g in range(groups):
        x = samples[g]
        built = False
        for t in range(targets.shape[1]):
            if status[g, t] != 0:
                continue
            if not built:
                _build(x, h, grouped, points, keys, weight, tree)
                built = True
            mask = _nearest_in(tree, x, h, grouped, targets[g, t], size, radius[g, t], limit, best, found, q, euclid)
            status[g, t] = 1 if mask >= 0 else 2
            for i in range(n):
                masks[g, t, i] = mask >= 0 and (mask >> i) & 1


@_helper
def _count_near(tree, weight, root, q, eps, euclid):
    """How many tree points are within eps of q (its square in the 2-norm); boxes inside are counted whole."""
    _, flat, box, child, span, nodes, _, near = tree
    dim = q.shape[0]
    nodes[0] = root
    top, count = 1, 0
    while top:
        top -= 1
        node = nodes[top]
        low = span[node, 0]
        many = span[node, 1] - low
        nearest = farthest = q[0] - q[0]
        for j in range(dim):
            below, above = box[node, j] - q[j], q[j] - box[node, dim + j]
            inside = max(max(below, above), nearest - nearest)
            outside = max(-below, -above)
            if euclid:
                nearest += inside * inside
                farthest += outside * outside
            else:
                nearest, farthest = max(nearest, inside), max(farthest, outside)
        if nearest > eps:
            continue
        if farthest <= eps:
            count += weight[node]
        elif child[node] >= 0:
            nodes[top], nodes[top + 1] = child[node], child[node] + 1
            top += 2
        else:
            for i in range(many):
                near[i] = 0
            for j in range(dim):
                for i in range(many):
                    out = abs(flat[low * dim + j * many + i] - q[j])
                    if euclid:
                        near[i] += out * out
                    else:
                        near[i] = max(near[i], out)
            for i in range(many):
                count += near[i] <= eps
    return count


@njit(nogil=True, cache=True)
def count_space(samples, targets, eps, size, euclid, like, counts):
    """How many subsets (of this size unless size < 0) are within eps; fills counts int64 (g, t).

    The arguments are those of `nearest_space`; eps is squared in the 2-norm. Time: 2**(n - h) questions to a tree of
    2**h points and about one step a box or leaf on the border of the eps-cube.
    """
    groups, n, dim = samples.shape
    h = (n + 1) // 2
    grouped = np.int64(size >= 0)
    tree, points, keys, weight = _room(h, dim, like)
    q = np.empty(dim, like.dtype)
    total = np.zeros(dim, np.int64)
    for g in range(groups):
        x = samples[g]
        _build(x, h, grouped, points, keys, weight, tree)
        for t in range(targets.shape[1]):
            counts[g, t] = 0
            total[:] = 0
            taken = 0
            for b in range(1 << (n - h)):
                for j in range(dim):
                    q[j] = targets[g, t, j] - total[j]
                root = (size - taken) * grouped
                if 0 <= root <= h:
                    counts[g, t] += _count_near(tree, weight, root, q, eps, euclid)
                taken += _next_subset(x, h, b, total)
