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
from rssp.subsetsum.nearest.best import FOUND, NONE, TODO, again, offer, step_mask
from rssp.subsetsum.nearest.tree import build, new_tree

__all__ = ["count_space", "nearest_space"]


@kernel(hot=True)
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


@kernel(hot=True)
def _measure_leaf(tree, low, many, q, euclid):
    """tree.near[:many] = the distances (in the 2-norm their squares) of q to the points of the leaf at `low`."""
    near, flat = tree.near, tree.flat
    for i in range(many):
        near[i] = 0
    for j in range(len(q)):
        qj = q[j]
        base = low * len(q) + j * many
        if euclid:
            for i in range(many):
                out = flat[base + i] - qj
                near[i] += out * out
        else:
            for i in range(many):
                near[i] = max(near[i], abs(flat[base + i] - qj))


@kernel(hot=True)
def _ask_tree(tree, root, q, outer, ordered, best, euclid):
    """The best once all tree points nearer to q than best.error are looked at.

    ordered : the smallest mask among those not farther, and best.error stays.
    """
    nodes, distances, box, near = tree.nodes, tree.distances, tree.box, tree.near
    order, child, first, last = tree.order, tree.child, tree.first, tree.last
    dim = q.shape[0]
    nodes[0], distances[0] = root, 0
    top = 1
    while top:
        top -= 1
        node = nodes[top]
        if distances[top] > best.error or (best.tied and distances[top] == best.error):
            continue
        inner = child[node]
        if inner >= 0:
            one = _distance(box, inner, q, dim, euclid)
            two = _distance(box, inner + 1, q, dim, euclid)
            if one < two:
                nodes[top], distances[top] = inner + 1, two
                nodes[top + 1], distances[top + 1] = inner, one
            else:
                nodes[top], distances[top] = inner, one
                nodes[top + 1], distances[top + 1] = inner + 1, two
            top += 2
            continue
        low = first[node]
        many = last[node] - low
        _measure_leaf(tree, low, many, q, euclid)
        for i in range(many):
            if near[i] <= best.error:
                best = offer(best, near[i], order[low + i], outer, ordered)
    return best


@kernel(inner=True)
def _ask_all_of_tree(tree, x, target, sizes, ordered, best, q, euclid):
    """The best once every subset of the samples beyond the tree's has asked, in the order of masks.

    sizes : (sized, size): only subsets of `size` samples in all, if sized.
    """
    n, dim = x.shape
    sized, size = sizes
    h = (n + 1) // 2
    total = np.zeros(dim, np.int64)
    taken = 0
    for outer in range(1 << (n - h)):
        for j in range(dim):
            q[j] = target[j] - total[j]
        root = size - taken if sized else 0
        if 0 <= root <= h:
            best = _ask_tree(tree, root, q, outer, ordered, best, euclid)
        if ordered and best.found:
            return best
        taken += step_mask(x, h, outer, total)
    return best


@kernel(inner=True)
def _error_of_first(x, target, count, q, euclid):
    """The error of the first `count` samples; in the 2-norm a hair more, as the tree adds in another order."""
    for j in range(len(q)):
        q[j] = target[j]
        for i in range(count):
            q[j] -= x[i, j]
    error = np.zeros(1, q.dtype)
    for j in range(len(q)):
        if euclid:
            error[0] += q[j] * q[j]
        else:
            error[0] = max(error[0], abs(q[j]))
    if euclid:
        error[0] *= 1 + 1e-9
    return error


@kernel(inner=True)
def _search_tree(tree, x, target, sizes, ends, q, euclid):
    """The best with an error within the limit; ends : (radius to start with, limit). Not found: there is none."""
    sized, size = sizes
    radius, limit = ends
    # the error of one subset bounds the search
    error = _error_of_first(x, target, size if sized else 0, q, euclid)
    bound = limit * limit if euclid else limit
    if bound < error[0]:
        error[0] = bound
    most = error[0]
    growth = 8.0 ** (1 / x.shape[1])
    best, last = again(most), False
    while not best.found and not last:
        bound = radius * radius if euclid else radius
        last = bound >= most
        error[0] = most
        if not last:
            error[0] = bound
        best = _ask_all_of_tree(tree, x, target, sizes, False, again(error[0]), q, euclid)
        radius *= growth
        growth *= growth
    if best.found and best.tied:
        best = _ask_all_of_tree(tree, x, target, sizes, True, again(best.error), q, euclid)
    return best


@kernel
def nearest_space(samples, targets, ends, sizes, euclid, point, masks, status):
    """Nearest subsets of samples int64 (g, n, d) to targets int64 (g, t, d); fills masks (g, t, n) and status (g, t).

    The arguments are those of `nearest_grid`; sizes : (sized, size), only subsets of `size` samples if sized. Only
    targets with status TODO are taken; it becomes FOUND, or NONE (nothing within the limit). Time: 2**(n-h) questions a
    target to a tree of 2**h points, h = n/2, and h 2**h steps to build it once a sample.
    """
    groups, n, _ = samples.shape
    h = (n + 1) // 2
    radius, limit = ends
    tree = new_tree(h, point)
    for g in range(groups):
        x = samples[g]
        built = False
        for t in range(targets.shape[1]):
            if status[g, t] != TODO:
                continue
            if not built:
                build(x, h, np.int64(sizes[0]), tree)
                built = True
            best = _search_tree(tree, x, targets[g, t], sizes, (radius[g, t], limit), point, euclid)
            status[g, t] = FOUND if best.found else NONE
            mask = best.inner + (best.outer << h)
            for i in range(n):
                masks[g, t, i] = best.found and (mask >> i) & 1


@kernel(hot=True)
def _between(box, node, q, euclid):
    """The distances of q to the nearest and to the farthest place in the box of a node (squares in the 2-norm)."""
    dim = len(q)
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
    return nearest, farthest


@kernel(hot=True)
def _count_near(tree, root, q, eps, euclid):
    """How many tree points are within eps of q (its square in the 2-norm); boxes inside are counted whole."""
    nodes, box, near, weight = tree.nodes, tree.box, tree.near, tree.weight
    child, first, last = tree.child, tree.first, tree.last
    nodes[0] = root
    top, count = 1, 0
    while top:
        top -= 1
        node = nodes[top]
        nearest, farthest = _between(box, node, q, euclid)
        if nearest > eps:
            continue
        if farthest <= eps:
            count += weight[node]
        elif child[node] >= 0:
            nodes[top], nodes[top + 1] = child[node], child[node] + 1
            top += 2
        else:
            low = first[node]
            many = last[node] - low
            _measure_leaf(tree, low, many, q, euclid)
            for i in range(many):
                count += near[i] <= eps
    return count


@kernel
def count_space(samples, targets, eps, sizes, euclid, point, counts):
    """How many subsets (of one size, if sized) are within eps; fills counts int64 (g, t).

    The arguments are those of `nearest_space`; eps is squared in the 2-norm. Time: 2**(n - h) questions to a tree of
    2**h points and about one step a box or leaf on the border of the eps-cube.
    """
    groups, n, dim = samples.shape
    sized, size = sizes
    h = (n + 1) // 2
    tree, total = new_tree(h, point), np.zeros(dim, np.int64)
    for g in range(groups):
        x = samples[g]
        build(x, h, np.int64(sized), tree)
        for t in range(targets.shape[1]):
            counts[g, t] = 0
            total[:] = 0
            taken = 0
            for outer in range(1 << (n - h)):
                for j in range(dim):
                    point[j] = targets[g, t, j] - total[j]
                root = size - taken if sized else 0
                if 0 <= root <= h:
                    counts[g, t] += _count_near(tree, root, point, eps, euclid)
                taken += step_mask(x, h, outer, total)
