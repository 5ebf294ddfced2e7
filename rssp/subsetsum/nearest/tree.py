"""A k-d tree of subset sums with tight boxes, made in place and without recursion into Python.

Asked by `neighbours`.
"""

from __future__ import annotations

import numpy as np

from rssp._jit import kernel
from rssp.subsetsum.nearest.halves import bits

__all__ = ["build", "room"]

_LEAF = 16


@kernel(inner=True)
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


@kernel(inner=True)
def _sums(x, count, points):
    """points[mask] = the sum of the subset `mask` of x[:count]."""
    dim = x.shape[1]
    points[0] = 0
    for k in range(count):
        for i in range(1 << k):
            for j in range(dim):
                points[(1 << k) + i, j] = points[i, j] + x[k, j]


@kernel(inner=True)
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


@kernel(inner=True)
def room(count, dim, like):
    """The arrays of a tree of 2**count points: 8 (2 dim + 3) bytes a point and 1/4 of a node each."""
    total = 1 << count
    nodes = total // 4 + 4 * count + 8
    points, keys = np.empty((total, dim), np.int64), np.empty(total, np.int64)
    order, child, weight = np.empty(total, np.int64), np.empty(nodes, np.int64), np.empty(nodes, np.int64)
    box, flat = np.empty((nodes, 2 * dim), like.dtype), np.empty(total * dim, like.dtype)
    near, dists = np.empty(_LEAF, like.dtype), np.empty(128, like.dtype)
    span, stack = np.empty((nodes, 2), np.int64), np.empty(128, np.int64)
    return (order, flat, box, child, span, stack, dists, near), points, keys, weight


@kernel(inner=True)
def build(x, count, grouped, points, keys, weight, tree):
    """The tree, or with `grouped` one tree for each subset size p with root p. 2**count log steps."""
    order, flat, box, child, span = tree[:5]
    total, dim = 1 << count, x.shape[1]
    _sums(x, count, points)
    groups = 1 + count * grouped
    starts = np.zeros(groups + 1, np.int64)
    for i in range(total):
        starts[1 + bits(i) * grouped] += 1
    for p in range(groups):
        starts[p + 1] += starts[p]
    place = starts.copy()
    for i in range(total):
        p = bits(i) * grouped
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
