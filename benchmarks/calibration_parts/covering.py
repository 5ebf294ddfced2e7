"""The covering law's interval, against new measurements at n that its error was not fitted to.

For each law and dimension P(cover) is measured once at n between those of the study `covering_law` (held out: its table
gives the law's own error, `rssp.prediction.model_error`). Each simulation is a prediction of its own, averaged over new
samples, at one measured quantile of the covering radius. It counts as held where measured and predicted P(cover) differ
by no more than the two intervals together allow, in quadrature: the measurement's own error, which is not small for
d >= 2, is not held against the prediction, nor does it excuse more than itself.
"""

from __future__ import annotations

import math
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
# dimension: (n, trials measured, samples a prediction averages over)
RUNS = {
    1: ((13, 4000, 200), (15, 4000, 200), (17, 4000, 200), (19, 2000, 200)),
    2: ((17, 600, 40), (18, 600, 40), (19, 400, 40)),
    3: ((19, 600, 40),),
    4: ((19, 400, 40),),
}
HELD = 0.93


def against_measurements(simulations: int, seed: int) -> list[dict[str, Any]]:
    """The rows of each law and dimension: simulations by 8 levels at a time, trials fewer below 400 simulations."""
    rows = []
    for d, runs in RUNS.items():
        for law, make in LAWS.items():
            inside: list[bool] = []
            predictions = math.ceil(simulations / len(LEVELS) / len(runs))
            for n, trials, samples in runs:
                scale = min(simulations / 400, 1.0)
                sizes = max(round(trials * scale), 4), max(round(samples * scale), 4)
                inside += _held(make(dim=d), n, *sizes, predictions, seed)
            ns = ", ".join(str(n) for n, _, _ in runs)
            name = f"covering law, {law}, d = {d}, n = {ns} held out"
            rows.append(frequency(name, "interval holds P(cover)", 0.95, inside, HELD))
    return rows


def _held(law: rssp.Law, n: int, trials: int, samples: int, predictions: int, seed: int) -> list[bool]:
    ball = rssp.Ball(law.dim)
    measurement = CoveringProfiles(n_max=n, n_min=n, resolution=0.02)
    table = run(Experiment(law, ball, measurement, 1000 + seed), trials, progress=False).table
    radius = (table["lower"] + table["upper"]).to_numpy() / 2
    eps = np.unique(np.quantile(radius, LEVELS, method="inverted_cdf"))
    covered = (radius[:, None] <= eps).sum(axis=0)
    low, high = clopper_pearson(covered, len(radius))
    measured = covered / len(radius)
    held: list[bool] = []
    for i in range(predictions):
        seen = predicted_coverage(law, n, eps, ball, samples=samples, seed=1000 * (seed + 1) + i)
        best = seen["best"].to_numpy()
        above = np.hypot(seen["high"].to_numpy() - best, measured - low)
        below = np.hypot(best - seen["low"].to_numpy(), high - measured)
        held += list((measured - best <= above) & (best - measured <= below))
    return held


ROWS = (against_measurements,)
