"""Cost of the certified covering radius in d dimensions, against all sums, a k-d tree and branch and bound on cubes."""

from __future__ import annotations

import itertools
import math
import time

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from rssp.balls import Ball
from rssp.subsetsum import CoveringRadius, covering_radius

__all__ = ["baseline_radius", "space_rows"]

_CASES = ((2, 24), (3, 24), (4, 24))
_ALONE = ((4, 28, math.inf), (6, 27, math.inf), (9, 24, 1.0))  # the k-d tree would need tens of gigabytes here
_REPEATS = 3


def baseline_radius(sample: NDArray[np.float64], ball: Ball, resolution: float = 0.05) -> tuple[float, float]:
    """The bracket of a cube's covering radius, max norm: NumPy sums, a k-d tree, cubes halved level by level."""
    sums = np.zeros((1, ball.dim))
    for vector in sample:
        sums = np.concatenate([sums, sums + vector])
    low, high = ball.bounds
    near = np.all((sums > low - ball.radius) & (sums < high + ball.radius), axis=1)
    tree = cKDTree(sums[near] if near.any() else sums)
    half, lower = ball.radius, 0.0
    centres = ball.centre_vector[None]
    corners = np.array(list(itertools.product((-0.5, 0.5), repeat=ball.dim)))
    while len(centres):  # level by level: one vectorised query for all cubes of a size
        distances = np.asarray(tree.query(centres, p=math.inf)[0])
        lower = max(lower, float(distances.max()))
        centres = centres[distances + half > lower * (1 + resolution)]
        centres = (centres[:, None] + half * corners).reshape(-1, ball.dim)
        half /= 2
    return lower, lower * (1 + resolution)


def _seconds(sample: NDArray[np.float64], ball: Ball, repeats: int) -> tuple[float, CoveringRadius]:
    """The least processor time of some repeats, after a warm-up, and the bracket."""
    covering_radius(sample[:8], ball)
    times = []
    for _ in range(repeats):
        start = time.process_time()
        bracket = covering_radius(sample, ball)
        times.append(time.process_time() - start)
    return min(times), bracket


def space_rows(
    cases: tuple[tuple[int, int], ...] = _CASES, alone: tuple[tuple[int, int, float], ...] = _ALONE
) -> list[dict]:
    """One row a case (d, n): seconds of processor time, uniform vectors, unit ball, resolution 5 %.

    The same seed's sample is given to both; the cases `alone` (d, n, norm of the ball) are too large for the baseline.
    """
    rows = []
    for d, n in cases:
        sample, ball = np.random.default_rng(d).uniform(-1, 1, (n, d)), Ball(d)
        seconds, ours = _seconds(sample, ball, _REPEATS)
        start = time.process_time()
        lower, upper = baseline_radius(sample, ball)
        baseline = time.process_time() - start
        agree = ours.lower <= upper * (1 + 1e-9) and lower <= ours.upper * (1 + 1e-9)
        note = "NumPy sums, cKDTree, branch and bound" + ("" if agree else "; THE BRACKETS DISAGREE")
        rows.append(_row(d, n, math.inf, seconds, baseline, note))
    for d, n, norm in alone:
        sample = np.random.default_rng(1).uniform(-1, 1, (n, d))
        seconds, ours = _seconds(sample, Ball(d, norm=norm), 1)
        rows.append(_row(d, n, norm, seconds, math.nan, f"radius {ours.lower:.4f} to {ours.upper:.4f}"))
    return rows


def _row(d: int, n: int, norm: float, seconds: float, baseline: float, note: str) -> dict:
    shape = "unit cube" if norm == math.inf else f"unit {norm:.0f}-norm ball"
    return {
        "what": f"covering radius, d = {d}, n = {n}, {shape}",
        "ours": seconds,
        "baseline": baseline,
        "ratio": baseline / seconds,
        "unit": "s",
        "note": note,
    }


if __name__ == "__main__":
    for row in space_rows():
        print(row)
