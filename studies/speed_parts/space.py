"""Cost of the certified covering radius in d dimensions, against all sums, a k-d tree and branch and bound on cubes."""

from __future__ import annotations

import itertools
import math
import time

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from rssp.balls import Ball
from rssp.subsetsum import space

__all__ = ["baseline_radius", "space_rows"]

_CASES = ((2, 24), (3, 24), (4, 24))


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


def space_rows(cases: tuple[tuple[int, int], ...] = _CASES) -> list[dict]:
    """One row a case (d, n): seconds of processor time of the two, uniform vectors, unit cube, resolution 5 %.

    The same seed's sample is given to both; what is compiled is warmed up first.
    """
    rows = []
    for d, n in cases:
        sample = np.random.default_rng(d).uniform(-1, 1, (n, d))
        ball = Ball(d)
        space.covering_radius(sample[:8], ball)
        start = time.process_time()
        ours = space.covering_radius(sample, ball)
        seconds = time.process_time() - start
        start = time.process_time()
        lower, upper = baseline_radius(sample, ball)
        baseline = time.process_time() - start
        agree = ours.lower <= upper * (1 + 1e-9) and lower <= ours.upper * (1 + 1e-9)
        rows.append(
            {
                "what": f"covering radius, d = {d}, n = {n}, unit cube",
                "ours": seconds,
                "baseline": baseline,
                "ratio": baseline / seconds,
                "unit": "s",
                "note": "NumPy sums, cKDTree, branch and bound" + ("" if agree else "; THE BRACKETS DISAGREE"),
            }
        )
    return rows


if __name__ == "__main__":
    for row in space_rows():
        print(row)
