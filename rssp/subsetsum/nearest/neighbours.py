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

from rssp._jit import kernel
from rssp.subsetsum.nearest.tree import build, room

__all__ = ["count_space", "nearest_space"]


@kernel(inner=True)
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


@kernel(inner=True)
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


@kernel(inner=True)
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


@kernel(inner=True)
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


@kernel(inner=True)
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


@kernel
def nearest_space(samples, targets, radius, limit, size, euclid, like, masks, status):
    """Nearest subsets of samples int64 (g, n, d) to targets int64 (g, t, d); fills masks (g, t, n) and status (g, t).

    The arguments are those of `nearest_grid`; size < 0: any. Only targets with status 0 (to do) are taken; it becomes 1
    (found) or 2 (nothing within the limit). Time: 2**(n-h) questions of some microseconds a target to a tree of 2**h
    points, h = n/2, and h 2**h steps to build it once a sample.
    """
    groups, n, dim = samples.shape
    h = (n + 1) // 2
    tree, points, keys, weight = room(h, dim, like)
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
                build(x, h, grouped, points, keys, weight, tree)
                built = True
            mask = _nearest_in(tree, x, h, grouped, targets[g, t], size, radius[g, t], limit, best, found, q, euclid)
            status[g, t] = 1 if mask >= 0 else 2
            for i in range(n):
                masks[g, t, i] = mask >= 0 and (mask >> i) & 1


@kernel(inner=True)
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


@kernel
def count_space(samples, targets, eps, size, euclid, like, counts):
    """How many subsets (of this size unless size < 0) are within eps; fills counts int64 (g, t).

    The arguments are those of `nearest_space`; eps is squared in the 2-norm. Time: 2**(n - h) questions to a tree of
    2**h points and about one step a box or leaf on the border of the eps-cube.
    """
    groups, n, dim = samples.shape
    h = (n + 1) // 2
    grouped = np.int64(size >= 0)
    tree, points, keys, weight = room(h, dim, like)
    q = np.empty(dim, like.dtype)
    total = np.zeros(dim, np.int64)
    for g in range(groups):
        x = samples[g]
        build(x, h, grouped, points, keys, weight, tree)
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
