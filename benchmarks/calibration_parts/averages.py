"""Averages of few values, and what is computed from weighted failures."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from calibration_parts.judging import frequency, generator
from rssp.inference import mean, median, moment_ratio, tail_slopes, weighted_failure
from rssp.prediction.model_error import cover_interval
from rssp.trials import Trials

__all__ = ["ROWS"]

_Rows = list[dict[str, Any]]


def means(simulations: int, seed: int) -> _Rows:
    """The mean of 2, 3, 5 and 30 normal values: Student's law."""
    rows = []
    for size in (2, 3, 5, 30):
        name = f"mean of {size} normal values"
        seen = generator(seed, name).standard_normal((simulations, size))
        rows.append(frequency(name, "interval holds it", 0.95, [mean(x).contains(0.0) for x in seen], 0.94))
    return rows


def medians(simulations: int, seed: int) -> _Rows:
    rows = []
    for size in (5, 30, 200):
        name = f"median of {size} values"
        seen = generator(seed, name).exponential(size=(simulations, size))
        held = [median(x).contains(float(np.log(2))) for x in seen]
        rows.append(frequency(name, "interval holds it", 0.95, held, 0.94))
    return rows


def ratios(simulations: int, seed: int) -> _Rows:
    """E[Y^2] / E[Y]^2 = 1 + 1/3 of Poisson counts of mean 3."""
    name = "E[Y^2]/E[Y]^2 of 300 Poisson counts"
    seen = generator(seed, name).poisson(3.0, (simulations, 300))
    held = [moment_ratio(y).contains(4 / 3) for y in seen]
    return [frequency(name, "interval holds it", 0.95, held, 0.93)]


def failures(simulations: int, seed: int) -> _Rows:
    """P(fail) from weighted draws, and the slope of its tail between two n."""
    name = "weighted failures, 400 draws of weights exp(G)"
    rng, held, slopes = generator(seed, name), [], []
    for _ in range(simulations):
        estimates = [_weighted(rng, p) for p in (0.4, 0.1)]
        held.append(estimates[0].contains(0.4 * np.exp(0.5)))
        table = pd.DataFrame([e.row() | {"relative_error": e.details["relative_error"]} for e in estimates])
        slope = tail_slopes(table.assign(n=[10, 12])).iloc[0]
        slopes.append(slope["low"] <= -1.0 <= slope["high"])
    return [
        frequency(name, "interval holds P(fail)", 0.95, held, 0.93),
        frequency("slope of log2 P(fail) between two such", "interval holds it", 0.95, slopes, 0.93),
    ]


def _weighted(rng: np.random.Generator, p: float):
    table = pd.DataFrame(
        {"trial": range(400), "failed": rng.random(400) < p, "undecided": False, "log_weight": rng.normal(size=400)}
    )
    return weighted_failure(Trials.of(table))


def few_samples(simulations: int, seed: int) -> _Rows:
    """The covering law's average over few samples, its own error left aside (a law without one: P near 0 or 1)."""
    rows = []
    for size in (2, 6, 16):
        name = f"covering law averaged over {size} samples"
        values = 0.5 + 0.2 * generator(seed, name).standard_normal((simulations, size))
        best, error = values.mean(axis=1), values.std(axis=1, ddof=1) / np.sqrt(size)
        low, high = cover_interval(best.clip(0, 1), error, size, 0.95, "uniform", 1)
        held = (low <= 0.5) & (high >= 0.5)
        rows.append(frequency(name, "interval holds the mean", 0.95, held, 0.94))
    return rows


ROWS = (means, medians, ratios, failures, few_samples)
