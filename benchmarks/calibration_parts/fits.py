"""Scaling forms fitted to correlated n*: their intervals and their p-values."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from calibration_parts.judging import frequency, generator
from calibration_parts.simulated import BITS, hitting_trials, median_at
from rssp.errors import ArgumentError
from rssp.inference import (
    SCALING_FORMS,
    Unfit,
    attempt_scaling,
    power_form,
    required_n,
    threshold_covariance,
)

__all__ = ["ROWS"]

_Rows = list[dict[str, Any]]
TRUTHS = {"log": (3.0, 1.25), "log+loglog": (2.1, 1.0, 0.8)}
FAR = 40.0
"""n* is asked at this log2(1/eps), twice the largest that was measured"""
SETTINGS = (
    ("log", 0.5, 1000, 17),
    ("log", 0.01, 1000, 17),
    ("log", 0.01, 4000, 17),
    ("log+loglog", 0.01, 4000, 17),
    ("log", 0.5, 1000, 4),
    ("log", 0.5, 1000, 3),
)
"""form, delta, trials, points"""
EXPONENT, DIMENSIONS = 1.1, (1, 2, 3, 4)
# of a covariance with 20 to 80 degrees of freedom, and of points whose errors are only nearly normal
FITTED, REJECTED = 0.93, (0.03, 0.07)


def _locations(form: str, delta: float, points: int = len(BITS)) -> np.ndarray:
    return median_at(SCALING_FORMS[form].formula(2.0 ** -BITS[:points], *TRUTHS[form]), delta)


def with_covariance(simulations: int, seed: int) -> _Rows:
    """The form that is true, fitted with the covariance that the trials themselves give."""
    rows = []
    for form, delta, trials, count in SETTINGS:
        name = f"fit of {form} with covariance, delta = {delta:g}, {trials} trials"
        name += "" if count == len(BITS) else f", {count} points"
        rng, truth = generator(seed, name), TRUTHS[form]
        inside: list[list[bool]] = []
        ahead, rejected, refused = [], [], 0
        for _ in range(simulations):
            seen = hitting_trials(rng, _locations(form, delta, count), trials)
            points = required_n(seen, delta=delta, interpolated=True)
            fit = attempt_scaling(points, form, covariance=threshold_covariance(seen, delta=delta))
            if isinstance(fit, Unfit):
                refused += 1
                continue
            pairs = zip(fit.parameters.values(), truth, strict=True)
            inside.append([estimate.contains(value) for estimate, value in pairs])
            band, at = fit.predict(eps=2.0**-FAR).iloc[0], float(SCALING_FORMS[form].formula(2.0**-FAR, *truth))
            ahead.append(band["low"] <= at <= band["high"])
            rejected.append(fit.p_value < 0.05)
        if refused:
            outcome = [True] * refused + [False] * (simulations - refused)
            rows.append(frequency(name, "refused for want of failures", "", outcome, 1.0))
            continue
        for j, parameter in enumerate(SCALING_FORMS[form].parameters):
            rows.append(frequency(name, f"interval holds {parameter}", 0.95, [i[j] for i in inside], FITTED))
        rows.append(frequency(name, f"band holds n* at eps = 2^-{FAR:g}", 0.95, ahead, FITTED))
        rows.append(frequency(name, "p < 0.05", 0.05, rejected, *REJECTED))
    return rows


def exponents(simulations: int, seed: int) -> _Rows:
    """The exponent of d from few points, each of its own trials: what `compare_exponents` fits."""
    d = np.array(DIMENSIONS, dtype=np.float64)
    name = f"exponent of d from {len(d)} points of their own trials, 400 trials"
    rng, inside, rejected = generator(seed, name), [], []
    for _ in range(simulations):
        parts = [
            required_n(hitting_trials(rng, median_at(5 * v**EXPONENT), 400), interpolated=True).assign(d=v) for v in d
        ]
        points = pd.concat(parts, ignore_index=True).drop(columns="experiment", errors="ignore")
        fit = attempt_scaling(points, power_form("d"))
        inside.append(not isinstance(fit, Unfit) and fit["exponent"].contains(EXPONENT))
        rejected.append(not isinstance(fit, Unfit) and fit.p_value < 0.05)
    return [
        frequency(name, "interval holds it", 0.95, inside, FITTED),
        frequency(name, "p < 0.05", 0.05, rejected, 0.0, REJECTED[1]),
    ]


def without_covariance(simulations: int, seed: int) -> _Rows:
    """Points of the same trials, whose covariance is not given."""
    name = "fit without covariance, points of the same trials"
    rng, refused = generator(seed, name), []
    for _ in range(min(simulations, 400)):
        points = required_n(hitting_trials(rng, _locations("log", 0.5), 200), interpolated=True)
        try:
            attempt_scaling(points, "log")
            refused.append(False)
        except ArgumentError:
            refused.append(True)
    return [frequency(name, "refused", "", refused, 1.0)]


ROWS = (with_covariance, exponents, without_covariance)
