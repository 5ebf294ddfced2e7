"""The covering law's interval, against new measurements at n that its error was not fitted to.

A point is P(cover) at one measured quantile of the covering radius; points of one run share its trials, so that the
interval of the frequency is too narrow here. The measurement's own error is small for d = 1 and not for d >= 2, where
few trials are affordable: a point counts as held where the two intervals overlap.
"""

from __future__ import annotations

from typing import Any

import numpy as np

import rssp
from calibration_parts.judging import frequency
from rssp.inference import clopper_pearson
from rssp.montecarlo import CoveringProfiles, Experiment, run
from rssp.prediction.covering_law import predicted_coverage

__all__ = ["ROWS"]

LEVELS = (0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.98)
LAWS = {"uniform": rssp.Uniform, "normal": rssp.Normal, "normally-scaled": rssp.NormallyScaledNormal}
# dimension: (n, trials, predicted samples); n between those of the study covering_law
RUNS = {
    1: ((13, 2000, 300), (15, 2000, 300), (17, 1000, 300)),
    2: ((17, 150, 100), (18, 150, 100), (19, 100, 60)),
    3: ((19, 60, 40),),
    4: ((19, 20, 30),),
}


def against_measurements(simulations: int, seed: int) -> list[dict[str, Any]]:
    """The rows of each law and dimension; trials are fewer where fewer simulations are asked for."""
    rows = []
    for d, runs in RUNS.items():
        for law, make in LAWS.items():
            inside: list[bool] = []
            for n, trials, samples in runs:
                scale = min(simulations / 1000, 1.0)
                inside += _held(make(dim=d), n, max(round(trials * scale), 4), max(round(samples * scale), 4), seed)
            ns = ", ".join(str(n) for n, _, _ in runs)
            name = f"covering law, {law}, d = {d}, n = {ns}"
            rows.append(frequency(name, "interval holds P(cover)", 0.95, inside, 0.9))
    return rows


def _held(law: rssp.Law, n: int, trials: int, samples: int, seed: int) -> list[bool]:
    ball = rssp.Ball(law.dim)
    measurement = CoveringProfiles(n_max=n, n_min=n, resolution=0.02)
    table = run(Experiment(law, ball, measurement, 1000 + seed), trials, progress=False).table
    radius = (table["lower"] + table["upper"]).to_numpy() / 2
    eps = np.unique(np.quantile(radius, LEVELS, method="inverted_cdf"))
    low, high = clopper_pearson((radius[:, None] <= eps).sum(axis=0), len(radius))
    seen = predicted_coverage(law, n, eps, ball, samples=samples, seed=1000 + seed)
    return list((low <= seen["high"].to_numpy()) & (high >= seen["low"].to_numpy()))


ROWS = (against_measurements,)
