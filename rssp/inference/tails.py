"""Small probabilities of failure: their estimate from weighted draws, and the slope and the crossings of their tail."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd

from rssp._arguments import probability
from rssp.errors import ArgumentError
from rssp.estimates import Estimate
from rssp.inference._algebra import straight_line
from rssp.inference.points import estimate_columns, float_column, weakest_evidence
from rssp.intervals import normal_reach, z_value
from rssp.trials import Trials, as_trials

__all__ = ["tail_crossing", "tail_slopes", "weighted_failure"]


def weighted_failure(trials: Trials, *, confidence: float = 0.95) -> Estimate:
    """P(fail) from trials of `WeightedFailures`: each failure counts with its likelihood ratio.

    Parameters
    ----------
    trials : Trials with columns failed, undecided, log_weight; none may have failed to be measured
    confidence : float in (0, 1)

    Returns
    -------
    Estimate of P(fail), with an interval by the central limit theorem on the scale of the logarithm. Undecided samples
    count as covered in `low`, as failed in `high` and half in `best`. Its details: relative_error (standard error over
    the estimate), effective_size (the number of equally weighted failures that would tell as much; below 100 the
    interval is not to be trusted), trials, failures, undecided. Without a failure the data do not bound P(fail) from
    above: `high` is 1.

    Raises
    ------
    ArgumentError
        Where trials ended in an error (they would bias the estimate), or columns are missing.

    Examples
    --------
    >>> table = pd.DataFrame({"trial": range(4), "failed": [True, True, False, False], "undecided": False,
    ...                       "log_weight": np.log([0.5, 0.25, 1, 1])})
    >>> seen = weighted_failure(Trials.of(table))
    >>> seen.best, round(seen.details["effective_size"], 3)
    (0.1875, 1.8)
    """
    confidence, table = probability("confidence", confidence), as_trials(trials).table
    missing = sorted({"failed", "undecided", "log_weight"} - set(table.columns))
    if missing:
        raise ArgumentError("trials", f"no column {', '.join(missing)}", "trials of WeightedFailures")
    lost = int(table["error"].notna().sum()) if "error" in table.columns else 0
    if lost:
        raise ArgumentError("trials", f"{lost} failed trials", "none: they would bias the estimate")
    weight = np.exp(table["log_weight"].to_numpy(dtype=float))
    failed, undecided = (table[c].to_numpy(dtype=bool) for c in ("failed", "undecided"))
    details: dict[str, Any] = {"relative_error": math.nan, "effective_size": 0.0, "trials": len(weight)}
    details |= {"failures": int(failed.sum()), "undecided": int(undecided.sum())}
    value = weight * (failed + 0.5 * undecided)
    total = float(value.sum())
    if total == 0.0:
        return Estimate(0.0, 0.0, 1.0, confidence, quantity="P(fail)", details=details)
    best = total / len(weight)
    relative = float(value.std(ddof=1)) / math.sqrt(len(weight)) / best
    reach = math.exp(z_value(confidence) * relative)
    half_open = float((weight * undecided).sum()) / len(weight) / 2
    details |= {"relative_error": relative, "effective_size": total**2 / float((value**2).sum())}
    low, high = (best - half_open) / reach, (best + half_open) * reach
    low, best, high = (min(end, 1.0) for end in (low, best, high))  # weights may add up to more
    return Estimate(low, best, high, confidence, quantity="P(fail)", details=details)


def _reached(table: pd.DataFrame) -> tuple[pd.DataFrame, np.ndarray, np.ndarray, np.ndarray]:
    """The rows with P > 0, their n, log2 P and its standard error."""
    estimate_columns(table, ("n", "relative_error"))
    rows = table[table["best"] > 0]
    error = float_column(rows, "relative_error") / math.log(2)
    return rows, float_column(rows, "n"), np.log2(float_column(rows, "best")), error


def tail_slopes(table: pd.DataFrame, *, confidence: float = 0.95) -> pd.DataFrame:
    """By how much log2 P(fail) changes with a further vector, between neighbouring n.

    Parameters
    ----------
    table : DataFrame with columns n (ascending), low, best, high, relative_error: independent estimates of P(fail)
    confidence : of each interval alone

    Returns
    -------
    DataFrame with columns n_low, n_high, quantity, low, best, high, confidence, evidence: a row for each pair of
    neighbours, points without a failure left out. The interval is a normal one.

    Examples
    --------
    >>> seen = pd.DataFrame({"n": [10, 20], "best": [0.25, 2**-12], "relative_error": 0.01})
    >>> tail_slopes(seen.assign(low=seen.best, high=seen.best)).round(4)[["n_low", "n_high", "low", "best", "high"]]
       n_low  n_high    low  best   high
    0     10      20 -1.004  -1.0 -0.996
    """
    rows, n, level, error = _reached(table)
    step, reach = np.diff(n), normal_reach(confidence)
    slope, half = np.diff(level) / step, reach * np.hypot(error[:-1], error[1:]) / step
    numbers = rows["n"].to_numpy()
    result = pd.DataFrame({"n_low": numbers[:-1], "n_high": numbers[1:], "quantity": "slope of log2 P(fail)"})
    result = result.assign(low=slope - half, best=slope, high=slope + half)
    return result.assign(confidence=confidence, evidence=str(weakest_evidence(rows)))


def tail_crossing(table: pd.DataFrame, level: float, *, confidence: float = 0.95) -> Estimate:
    """The n at which P(fail) is `level`, by a weighted straight line through log2 P(fail) at a few n around it.

    Parameters
    ----------
    table : DataFrame with columns n, low, best, high, relative_error: independent estimates of P(fail)
    level : float in (0, 1)
    confidence : of the normal interval

    Returns
    -------
    Estimate of n*, interpolated; nothing is known of it (`best` is nan) where fewer than two points have a failure.

    Examples
    --------
    >>> seen = pd.DataFrame({"n": [10, 12, 14], "best": [2**-4.0, 2**-5.0, 2**-6.0], "relative_error": 0.1})
    >>> print(tail_crossing(seen.assign(low=seen.best, high=seen.best), 2**-5.5))
    13.00 [12.62, 13.38]
    """
    rows, n, value, error = _reached(table)
    level, reach = math.log2(probability("level", level)), normal_reach(confidence)
    evidence, quantity = weakest_evidence(rows), "n* interpolated"
    if len(rows) < 2:
        return Estimate(-math.inf, math.nan, math.inf, confidence, evidence, quantity)
    error = np.maximum(error, 1e-6)
    middle = float((n * error**-2).sum() / (error**-2).sum())
    slope, height, of_slope, of_height = straight_line(n, value, error**-2)
    away = (level - height) / slope
    half = reach * math.sqrt(of_height + away**2 * of_slope) / abs(slope)
    best = middle + away
    return Estimate(best - half, best, best + half, confidence, evidence, quantity, {"points": len(rows)})
