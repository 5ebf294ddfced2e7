"""Nearest subsets in two dimensions and more, the common case: one half in the cells of a grid, the other half asks.

The 2**h sums of the first h samples are sorted into the cells of a grid over a few coordinates, no finer than the
search radius asks for and with about as many cells as points. Each sum of the other samples, taken from the target,
looks into the cells within the best error so far: for radii that fit the sample a question meets a few cells and a few
points. The radius starts where about one sum is expected and widens until one is found. Where a question would meet too
many points (a target far outside, or lattice samples with many equal sums) the kernel declines: the k-d tree of
`neighbours`, slower in the common case, has no such worst case.
"""

from __future__ import annotations

import math

import numpy as np

from rssp._jit import kernel

__all__ = ["DECLINED", "FOUND", "NONE", "TODO", "nearest_grid"]

TODO, FOUND, NONE, DECLINED = 0, 1, 2, 3

_MAX_AXES = 6
_MAX_COST = 3000.0  # points and cells a question; the tree is better beyond


@kernel(inner=True)
def _plan(points, reach, axes, cells, low, scale):
    """Choose the grid's axes, numbers of cells, origins and cells per unit; returns how many axes it has.

    All coordinates come back in `axes`, widest first; the grid takes the first few.
    """
    total, dim = points.shape
    width = np.empty(dim)
    for j in range(dim):
        mean, square = 0.0, 0.0
        small, large = points[0, j], points[0, j]
        for i in range(total):
            value = points[i, j]
            small, large = min(small, value), max(large, value)
            mean += value
            square += float(value) * value
        mean /= total
        spread = 3 * math.sqrt(max(square / total - mean * mean, 0.0))
        low[j] = max(float(small), mean - spread)
        width[j] = max(min(float(large), mean + spread) - low[j], 1.0)
        axes[j] = j
    for j in range(1, dim):
        k = j
        while k > 0 and width[axes[k]] > width[axes[k - 1]]:
            axes[k], axes[k - 1] = axes[k - 1], axes[k]
            k -= 1
    best_cost, best_count = np.inf, 1
    for count in range(1, min(dim, _MAX_AXES) + 1):
        room = (2.0 * total + 16) ** (1 / count)
        runs, met = 1.0, float(total)
        for j in range(count):
            w = width[axes[j]]
            c = max(1.0, math.floor(min(w / (2 * reach), room)))
            met *= min(1.0, (2 * reach + w / c) / (0.6 * w))
            if j < count - 1:
                runs *= 1 + 2 * reach * c / w
        if 6 * runs + met < best_cost:
            best_cost, best_count = 6 * runs + met, count
    room = (2.0 * total + 16) ** (1 / best_count)
    for j in range(best_count):
        w = width[axes[j]]
        cells[j] = np.int64(max(1.0, math.floor(min(w / (2 * reach), room))))
        scale[j] = cells[j] / w
    return best_count


@kernel(inner=True)
def _cell(value, low, scale, cells):
    """Monotone in the value, so that every point between two values is in their cells or between them."""
    return np.int64(min(max((value - low) * scale, 0.0), cells - 1.0))


@kernel(inner=True)
def _fill(points, reach, axes, cells, low, scale, first, order, flat):
    """Sort the points into cells; returns the number of axes, or -1 where a question would meet too many points."""
    total, dim = points.shape
    count = _plan(points, reach, axes, cells, low, scale)
    size = 1
    for j in range(count):
        size *= cells[j]
    first[: size + 1] = 0
    key = np.empty(total, np.int64)
    for i in range(total):
        k = 0
        for j in range(count):
            k = k * cells[j] + _cell(points[i, axes[j]], low[axes[j]], scale[j], cells[j])
        key[i] = k
        first[k + 1] += 1
    met = 0.0
    for k in range(size):
        met += float(first[k + 1]) ** 2
        first[k + 1] += first[k]
    met /= total
    for j in range(count):
        met *= 1 + min(2 * reach * scale[j], float(cells[j]))
    if met > _MAX_COST:
        return -1
    for i in range(total - 1, -1, -1):
        k = key[i]
        first[k + 1] -= 1
        at = first[k + 1]
        order[at] = i
        for j in range(dim):
            flat[at, j] = points[i, axes[j]]
    # after the scatter first[k + 1] is the start of cell k: move it down one place
    for k in range(size):
        first[k] = first[k + 1]
    first[size] = total
    return count


@kernel(inner=True)
def _ask(q, b, ordered, count, cells, low, scale, axes, first, order, flat, best, found, euclid, at):
    """Look for points within best[0] of q; ordered: the smallest mask among them, and best stays."""
    dim = q.shape[0]
    for j in range(count):
        if euclid:
            reach = math.sqrt(best[0]) * (1 + 1e-15)
            at[j, 0] = _cell(q[j] - reach, low[axes[j]], scale[j], cells[j])
            at[j, 2] = _cell(q[j] + reach, low[axes[j]], scale[j], cells[j])
        else:
            at[j, 0] = _cell(q[j] - best[0], low[axes[j]], scale[j], cells[j])
            at[j, 2] = _cell(q[j] + best[0], low[axes[j]], scale[j], cells[j])
        at[j, 1] = at[j, 0]
    last = count - 1
    while True:
        start = 0
        for j in range(last):
            start = (start + at[j, 1]) * cells[j + 1]
        for i in range(first[start + at[last, 0]], first[start + at[last, 2] + 1]):
            far = q[0] - q[0]
            for j in range(dim - 1, -1, -1):
                out = abs(flat[i, j] - q[j])
                if euclid:
                    far += out * out
                else:
                    far = max(far, out)
                if far > best[0]:
                    break
            if far > best[0]:
                continue
            a = order[i]
            if ordered:
                if found[0] < 0 or a < found[0]:
                    found[0], found[1] = a, b
            elif far < best[0] or found[0] < 0:
                best[0] = far
                found[0], found[1], found[2] = a, b, 0
            elif found[0] != a or found[1] != b:
                found[2] = 1
        j = last - 1
        while j >= 0 and at[j, 1] == at[j, 2]:
            at[j, 1] = at[j, 0]
            j -= 1
        if j < 0:
            return
        at[j, 1] += 1


@kernel
def nearest_grid(samples, targets, radius, limit, euclid, like, masks, status):
    """Nearest subsets of samples int64 (g, n, d) to targets int64 (g, t, d); fills masks (g, t, n) and status (g, t).

    radius, float64 (g, t): where to start. limit: the largest error wanted, float64, or inf. `like` is an int64 array
    for the max norm; for the 2-norm (`euclid`) a float64 array. Only targets with status TODO are taken; it becomes
    FOUND, NONE (nothing within the limit) or DECLINED. Time: 2**h steps to build and 2**(n-h) questions of some 50 to
    300 ns a target; memory 16 (d + 3) 2**h bytes with h = n/2.
    """
    groups, n, dim = samples.shape
    h = (n + 1) // 2
    others = n - h
    total = 1 << h
    points, flat = np.empty((total, dim), np.int64), np.empty((total, dim), like.dtype)
    order, first = np.empty(total, np.int64), np.empty(2 * total + 32, np.int64)
    axes, cells = np.empty(dim, np.int64), np.empty(dim, np.int64)
    low, scale = np.empty(dim), np.empty(dim)
    q, best = np.empty(dim, like.dtype), np.empty(1, like.dtype)
    at = np.empty((dim, 3), np.int64)
    found = np.empty(3, np.int64)
    away = np.empty(dim, np.int64)
    for g in range(groups):
        x = samples[g]
        points[0] = 0
        for k in range(h):
            for i in range(1 << k):
                for j in range(dim):
                    points[(1 << k) + i, j] = points[i, j] + x[k, j]
        built, count = 0.0, 0
        for t in range(targets.shape[1]):
            if status[g, t] != 0:
                continue
            found[0], found[1], found[2] = -1, -1, 0
            growth = 8.0 ** (1 / dim)
            reach = radius[g, t]
            ordered = 0
            status[g, t] = 1
            while True:
                if found[0] < 0:
                    reach = min(max(reach, 1.0), limit)
                    if reach > 2.0**61:
                        status[g, t] = 3
                        break
                    best[0] = reach
                    if euclid:
                        best[0] = reach * reach
                    if built == 0 or reach > 1.5 * built or reach < built / 3:
                        count = _fill(points, reach, axes, cells, low, scale, first, order, flat)
                        built = reach
                    if count < 0:
                        status[g, t] = 3
                        break
                else:
                    found[0] = -1
                for j in range(dim):
                    away[j] = targets[g, t, j]
                for b in range(1 << others):
                    for j in range(dim):
                        q[j] = away[axes[j]]
                    _ask(q, b, ordered, count, cells, low, scale, axes, first, order, flat, best, found, euclid, at)
                    if found[0] >= 0 and (ordered or (best[0] == 0 and found[2])):
                        break
                    k = 0
                    while (b >> k) & 1:
                        for j in range(dim):
                            away[j] += x[h + k, j]
                        k += 1
                    if k < others:
                        for j in range(dim):
                            away[j] -= x[h + k, j]
                if found[0] < 0:
                    if reach >= limit:
                        status[g, t] = 2
                        break
                    reach *= growth
                    growth *= growth
                elif found[2]:
                    found[2] = 0
                    ordered = 1
                else:
                    break
            if status[g, t] == 1:
                mask = found[0] + (found[1] << h)
                for i in range(n):
                    masks[g, t, i] = (mask >> i) & 1
