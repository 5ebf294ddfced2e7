"""Nearest subsets and counts in one dimension: the search level by level, size by size, on sorted halves."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from rssp._jit import kernel
from rssp.subsetsum.nearest.halves import (
    BEST,
    Goal,
    first_mask,
    group,
    half_lists,
    rest_sums,
    sorted_halves,
    sweep,
)
from rssp.subsetsum.nearest.ties import TIE, settle_tie

__all__ = ["FIRST_LEVEL", "LEVEL_STEP", "Wanted", "count_line", "nearest_line"]

# Least time for tolerances from 1e-2 to 1e-6 of the numbers' size; measure again, with the part `nearest` of
# benchmarks/speed.py, when merging or the staircase changes its speed.
FIRST_LEVEL = 8  # a search within a tolerance looks at the first 8, 11, 14, ... samples
LEVEL_STEP = 3
_FARTHEST = np.iinfo(np.int64).max


class Wanted(NamedTuple):
    """Which subsets are sought."""

    sized: bool
    """only those of `size` samples"""
    size: int
    smallest: bool
    """those of the smallest size that has one within the tolerance"""
    first: int
    """the first so many samples are tried first, then `LEVEL_STEP` more, until the error is within the tolerance"""
    tolerance: int


@kernel(hot=True)
def _split(m, one_target, max_half):
    """(h, r): shorter halves and more staircases where one target pays for the merging."""
    r = m & 1
    if one_target and r == 0 and m >= 4:
        r = 2
    h = (m - r) // 2
    if h > max_half:
        h, r = max_half, m - 2 * max_half
    return h, r


@kernel(hot=True)
def _goal(targets, rows, rest, task):
    """Task number t << r + mask: that subset of the rest for the target in row rows[t]."""
    subset, row = task & ((1 << rest.samples) - 1), rows[task >> rest.samples]
    return Goal(targets[row] - rest.sums[subset], subset, row)


@kernel(hot=True)
def _sweep_sizes(halves, size, one, two, best):
    """Sweep every two groups of the halves that make up this size; without groups, both halves."""
    for p in range(1 + halves.size * halves.grouped):
        q = size - p if halves.grouped else 0
        if 0 <= q <= halves.size * halves.grouped:
            sweep(halves, p, q, one, two, best)


@kernel(inner=True)
def _search_halves(halves, rest, size, targets, rows, best):
    """Every (target, subset of the rest) against the halves, two at a time where both need the same sizes."""
    tasks = len(rows) << rest.samples
    for task in range(0, tasks, 2):
        one = _goal(targets, rows, rest, task)
        two = _goal(targets, rows, rest, min(task + 1, tasks - 1))
        if best[one.row]["error"] == 0 and best[two.row]["error"] == 0:
            continue  # solved without error by a smaller rest
        if not halves.grouped or rest.sizes[one.rest] == rest.sizes[two.rest]:
            _sweep_sizes(halves, size - rest.sizes[one.rest], one, two, best)
        else:
            for goal in (one, two):
                _sweep_sizes(halves, size - rest.sizes[goal.rest], goal, goal, best)


@kernel(hot=True)
def _write(found, x, halves, table, mask):
    """The subset found, as bool mask (n,)."""
    h = halves.size
    number = found["rest"] << (2 * h)
    number += first_mask(x, h, found["left"], halves.grouped, found["left_group"], table)
    number += first_mask(x[h:], h, found["right"], halves.grouped, found["right_group"], table) << h
    for i in range(len(mask)):
        mask[i] = (number >> i) & 1


@kernel
def nearest_line(samples, targets, wanted, max_half, masks):
    """Nearest subsets: samples int64 (g, n), targets int64 (g, t); fills masks (g, t, n).

    wanted : the fields of `Wanted`: the nearest subset among the first `first` samples, then among `LEVEL_STEP` more,
    until the error is within the tolerance or all are in; of a given size, or of the smallest that is within the
    tolerance. A target: 2**(h+2) steps of merging (once a sample) and 2**(h+r+1) of staircase; memory 4 * 2**h * 8
    bytes.
    """
    sized, size_wanted, smallest, first, tolerance = wanted
    groups, n = samples.shape
    many = targets.shape[1]
    h_top = min(n // 2, max_half)
    r_top = max(2, n - 2 * h_top)
    lists = half_lists(h_top)
    rest_lists = np.zeros(1 << r_top, np.int64), np.zeros(1 << r_top, np.int64)
    table = np.zeros(256, np.int64)
    best, ties = np.zeros(many, BEST), np.zeros(many, TIE)
    rows = np.zeros(many, np.int64)
    grouped = np.int64(smallest or sized)
    for g in range(groups):
        x = samples[g]
        pending = many
        for t in range(many):
            rows[t] = t
            best[t]["error"] = _FARTHEST
            ties[t]["tied"] = False
        m = first
        while pending:
            h, r = _split(m, pending == 1, max_half)
            halves = sorted_halves(x, h, grouped, lists)
            rest = rest_sums(x, 2 * h, r, *rest_lists)
            size = 0 if smallest else size_wanted
            while pending:
                _search_halves(halves, rest, size, targets[g], rows[:pending], best)
                last = m == n and (not smallest or size == n)
                left = 0
                for index in range(pending):
                    row = rows[index]
                    within = best[row]["error"] <= tolerance
                    if not last and not within:
                        rows[left] = row
                        left += 1
                        continue
                    _write(best[row], x, halves, table, masks[g, row])
                    if best[row]["tied"]:
                        tie = ties[row]
                        tie["tied"], tie["samples"], tie["half"] = True, m, h
                        tie["sized"], tie["size"] = grouped == 1 and (within or not smallest), size
                pending = left
                if not smallest:
                    break
                size += 1
            m = min(n, m + LEVEL_STEP)
            for index in range(pending):
                best[rows[index]]["error"] = _FARTHEST
        for t in range(many):
            if ties[t]["tied"]:
                settle_tie(x, targets[g, t], best[t]["error"], ties[t], lists, masks[g, t])


@kernel(inner=True)
def _pairs_up_to(halves, p, q, bound):
    """How many pairs of group p of the left half and group q of the right have sums <= bound; na + nb steps."""
    a0, na = group(halves, p)
    b0, nb = group(halves, q)
    A, B = halves.left, halves.right
    i, j, count = 0, nb - 1, 0
    while i < na and j >= 0:
        if A[a0 + i] + B[b0 + j] <= bound:
            count += j + 1
            i += 1
        else:
            j -= 1
    return count


@kernel(inner=True)
def _pairs_of_size(halves, size, bound):
    """How many pairs have sums <= bound, if grouped those of this size in all."""
    total = 0
    for p in range(1 + halves.size * halves.grouped):
        q = size - p if halves.grouped else 0
        if 0 <= q <= halves.size * halves.grouped:
            total += _pairs_up_to(halves, p, q, bound)
    return total


@kernel
def count_line(samples, targets, eps, sized, size, max_half, counts):
    """How many subsets (of this size if sized) have |sum - target| <= eps; fills counts int64 (g, t).

    Time and memory as in `nearest_line`, with twice the staircases.
    """
    groups, n = samples.shape
    h = min(n // 2, max_half)
    r = n - 2 * h
    lists = half_lists(h)
    rest_lists = np.zeros(1 << r, np.int64), np.zeros(1 << r, np.int64)
    for g in range(groups):
        x = samples[g]
        halves = sorted_halves(x, h, np.int64(sized), lists)
        rest = rest_sums(x, 2 * h, r, *rest_lists)
        for t in range(targets.shape[1]):
            counts[g, t] = 0
            for subset in range(1 << r):
                left, target = size - rest.sizes[subset], targets[g, t] - rest.sums[subset]
                # sums <= target + eps, less those <= target - eps - 1
                counts[g, t] += _pairs_of_size(halves, left, target + eps)
                counts[g, t] -= _pairs_of_size(halves, left, target - eps - 1)
