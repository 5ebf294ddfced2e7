"""A k-d tree of subset sums with tight boxes, made in place and without recursion into Python.

Asked by `neighbours`.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rssp._jit import kernel
from rssp.subsetsum.nearest.halves import bits

__all__ = ["Tree", "build", "new_tree"]

_LEAF = 16  # points in a leaf: looking at them all takes about the time of looking at two boxes


class Tree(NamedTuple):
    """A k-d tree of sums, and the arrays that it is made with."""

    order: NDArray[np.int64]
    """(2**h,), masks, leaf by leaf"""
    flat: NDArray[np.generic]
    """the points of each leaf, coordinate by coordinate, in the arithmetic of the errors"""
    box: NDArray[np.generic]
    """(nodes, 2 dim), tight: (low, high)"""
    child: NDArray[np.int64]
    """the first of two children, which lie side by side; -1 for a leaf"""
    first: NDArray[np.int64]
    """which part of `order` lies under a node: from here ..."""
    last: NDArray[np.int64]
    """... to here; of equal points only one is kept"""
    weight: NDArray[np.int64]
    """how many points lie under a node, all of the equal ones"""
    nodes: NDArray[np.int64]
    """(128,), to be looked at"""
    distances: NDArray[np.generic]
    """(128,), of their boxes"""
    near: NDArray[np.generic]
    """the distances of a leaf's points"""
    points: NDArray[np.int64]
    """(2**h, dim), in the order of masks"""
    keys: NDArray[np.int64]


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
def _bound(tree, node, low, high):
    """The tight box of order[low:high]; returns its widest side."""
    points, order, box = tree.points, tree.order, tree.box
    dim = points.shape[1]
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
    return widest


@kernel(inner=True)
def _grow(tree, node, low, high, used):
    """The tree of order[low:high] under `node`; returns the number of nodes used. Median cuts of the widest side."""
    order, box, points, keys = tree.order, tree.box, tree.points, tree.keys
    child, first, last, weight = tree.child, tree.first, tree.last, tree.weight
    dim = points.shape[1]
    nodes, lows, highs = np.empty(64, np.int64), np.empty(64, np.int64), np.empty(64, np.int64)
    nodes[0], lows[0], highs[0] = node, low, high
    top = 1
    while top:
        top -= 1
        node, low, high = nodes[top], lows[top], highs[top]
        widest = _bound(tree, node, low, high)
        first[node], last[node] = low, high
        child[node] = -1
        weight[node] = high - low
        if box[node, dim + widest] == box[node, widest]:
            # equal points: the smallest mask stands for all of them
            for i in range(low + 1, high):
                if order[i] < order[low]:
                    order[low], order[i] = order[i], order[low]
            last[node] = low + 1
            continue
        if high - low <= _LEAF:
            continue
        for i in range(low, high):
            keys[i] = points[order[i], widest]
        middle = (low + high) >> 1
        _select(keys, order, low, high, middle)
        child[node] = used
        nodes[top], lows[top], highs[top] = used, low, middle
        nodes[top + 1], lows[top + 1], highs[top + 1] = used + 1, middle, high
        top += 2
        used += 2
    return used


@kernel(inner=True)
def new_tree(count, point):
    """Arrays for a tree of 2**count points: 8 (2 dim + 3) bytes a point and 1/4 of a node each.

    point (dim,) : what asks the tree, int64 or float64; the tree calculates as it does.
    """
    total, dim = 1 << count, len(point)
    nodes = total // 4 + 4 * count + 8
    return Tree(
        np.empty(total, np.int64), np.empty(total * dim, point.dtype), np.empty((nodes, 2 * dim), point.dtype),
        np.empty(nodes, np.int64), np.empty(nodes, np.int64), np.empty(nodes, np.int64), np.empty(nodes, np.int64),
        np.empty(128, np.int64), np.empty(128, point.dtype), np.empty(_LEAF, point.dtype),
        np.empty((total, dim), np.int64), np.empty(total, np.int64),
    )  # fmt: skip


@kernel(inner=True)
def build(x, count, grouped, tree):
    """The tree, or if grouped (1, else 0) one tree for each subset size p with root p. 2**count log steps."""
    order, flat, points, child, first, last = tree.order, tree.flat, tree.points, tree.child, tree.first, tree.last
    dim, total = x.shape[1], 1 << count
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
        used = _grow(tree, p, starts[p], starts[p + 1], used)
    for node in range(used):
        low, high = first[node], last[node]
        if child[node] < 0:
            # a leaf's points lie together, coordinate by coordinate
            for j in range(dim):
                for i in range(low, high):
                    flat[low * dim + j * (high - low) + i - low] = points[order[i], j]
