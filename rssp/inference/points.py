"""Checks shared by everything that is fitted to a table of estimates with columns low, best, high."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtri

from rssp._arguments import probability
from rssp.errors import ArgumentError
from rssp.estimates import Evidence
from rssp.inference._algebra import cholesky, straight_line
from rssp.schemas import require_columns

__all__ = [
    "checked_covariance",
    "checked_levels",
    "confidences",
    "covariance_dof",
    "estimate_columns",
    "float_column",
    "positive_definite",
    "probabilities",
    "rarer_trials",
    "refuse_shared_errors",
    "side_errors",
    "steady_errors",
    "weakest_evidence",
]

_Floats = NDArray[np.float64]
_STEADY = 4
"""points that a power of n* is drawn through"""


def float_column(table: pd.DataFrame, name: str) -> _Floats:
    """A column as float64; nan is let through."""
    try:
        return np.asarray(table[name].to_numpy(dtype=np.float64))
    except (TypeError, ValueError) as cause:
        raise ArgumentError("table", f"column {name} with values that are not numbers", "real numbers") from cause


def probabilities(name: str, value: ArrayLike) -> list[float]:
    """One number strictly between 0 and 1, or several."""
    values = np.atleast_1d(np.asarray(value)).ravel().tolist()
    if not values:
        raise ArgumentError(name, "nothing", "one number strictly between 0 and 1, or a list of them")
    return [probability(name, v) for v in values]


def estimate_columns(table: pd.DataFrame, columns: tuple[str, ...] = ()) -> tuple[_Floats, _Floats, _Floats]:
    """The columns low, best, high of a table as float64 arrays; refuses a table that lacks them or those named."""
    require_columns(table, ("low", "best", "high", *columns))
    low, best, high = (float_column(table, c) for c in ("low", "best", "high"))
    with np.errstate(invalid="ignore"):
        bad = ~((low <= best) & (best <= high)) & ~np.isnan(best)
    if bad.any():
        i = int(bad.argmax())
        raise ArgumentError("table", f"a row with {low[i]:g}, {best[i]:g}, {high[i]:g}", "low <= best <= high")
    return low, best, high


def confidences(table: pd.DataFrame, confidence: float) -> _Floats:
    """The confidence of each row's interval: that of the column `confidence`, else the one given."""
    if "confidence" not in table.columns:
        return np.full(len(table), probability("confidence", confidence))
    levels = float_column(table, "confidence")
    bad = ~((levels > 0) & (levels < 1))
    if bad.any():
        raise ArgumentError("table", f"confidence {levels[bad][0]:g}", "a confidence strictly between 0 and 1")
    return levels


def checked_levels(confidence: ArrayLike) -> _Floats:
    """One confidence or several as an array; ArgumentError where one is not strictly between 0 and 1."""
    levels = np.asarray(confidence, dtype=np.float64)
    bad = ~((levels > 0) & (levels < 1))
    if bad.any():
        raise ArgumentError("confidence", f"{levels[bad].flat[0]:g}", "a number strictly between 0 and 1")
    return levels


def refuse_shared_errors(table: pd.DataFrame, covariance: ArrayLike | None) -> None:
    """ArgumentError where points come from the same trials, by their column `experiment`, and no covariance is given.

    >>> refuse_shared_errors(pd.DataFrame({"experiment": ["a", "b"]}), None)
    >>> refuse_shared_errors(pd.DataFrame({"experiment": ["a", "a"]}), None)
    Traceback (most recent call last):
    rssp.errors.ArgumentError: covariance: got None for 2 points of the same trials (experiment a); allowed: the \
covariance of their errors. Use points_covariance(points, trials), or leave one point of each experiment.
    """
    if covariance is not None or "experiment" not in table.columns:
        return
    count = table["experiment"].value_counts()
    if len(count) and count.iloc[0] > 1:
        raise ArgumentError(
            "covariance",
            f"None for {count.iloc[0]} points of the same trials (experiment {count.index[0]})",
            "the covariance of their errors",
            "Use points_covariance(points, trials), or leave one point of each experiment.",
        )


def rarer_trials(table: pd.DataFrame) -> float:
    """The fewest trials that any of these n* has on the rarer side of its level; inf where that is not known.

    >>> rarer_trials(pd.DataFrame({"trials": [1000, 500], "delta": [0.5, 0.01]}))
    5.0
    """
    if not {"trials", "delta"} <= set(table.columns):
        return math.inf
    delta = float_column(table, "delta")
    return float((float_column(table, "trials") * np.minimum(delta, 1 - delta)).min())


def covariance_dof(table: pd.DataFrame) -> float:
    """How many degrees of freedom a covariance of these n* has that was estimated from their trials; inf if unknown.

    Three times the trials F on the rarer side of the least certain level. The relative variance of a Poisson count F is
    1/F and that of an estimated variance 2 over its degrees of freedom, which would be 2 F; but an n* leans on the
    counts at two n. With 3 F, p-values of true forms are below 0.05 in 5 to 6 % of simulated cases for F = 20 to 100,
    with 2 F in 1 to 4 %.

    >>> covariance_dof(pd.DataFrame({"trials": [1000, 500], "delta": [0.5, 0.01]}))
    15.0
    """
    return 3 * rarer_trials(table)


def steady_errors(covariance: _Floats, table: pd.DataFrame) -> _Floats:
    """An estimated covariance with standard errors that follow a power of n*, its correlations as they are.

    An n* that comes out low by chance comes out with a small error by the same chance, which a fit then believes: with
    40 trials on the rarer side of the level the intercept of a true form lay outside its interval in 22 % of simulated
    cases, with errors smoothed over the points of one level and experiment in 4 % (benchmarks/calibration.py). Points
    of which fewer than `_STEADY` share a level and an experiment, and covariances that were not estimated from trials,
    are left alone.

    Parameters
    ----------
    covariance : array (rows, rows), positive on its diagonal
    table : the rows, with `best`
    """
    if math.isinf(covariance_dof(table)):
        return covariance
    best, error = float_column(table, "best"), np.sqrt(np.diag(covariance))
    keys = [name for name in ("experiment", "delta", "trials") if name in table.columns]
    steady = error.copy()
    for rows in table.reset_index(drop=True).groupby(keys, dropna=False).indices.values():
        if len(rows) >= _STEADY and (best[rows] > 0).all() and len(np.unique(best[rows])) > 1:
            x, y = np.log(best[rows]), np.log(error[rows])
            slope, height, _, _ = straight_line(x, y, np.ones(len(x)))
            steady[rows] = np.exp(height + slope * (x - float(x.mean())))
    return covariance * np.outer(steady / error, steady / error)


def side_errors(low: _Floats, best: _Floats, high: _Floats, confidence: float | _Floats) -> tuple[_Floats, _Floats]:
    """Standard errors downwards and upwards from intervals of one confidence, or each of its own.

    An open side takes the other's.
    """
    z = ndtri((1 + checked_levels(confidence)) / 2)
    with np.errstate(invalid="ignore"):  # an n* that was not reached: inf - inf
        down, up = (best - low) / z, (high - best) / z
    return np.where(np.isfinite(down), down, up), np.where(np.isfinite(up), up, down)


def weakest_evidence(table: pd.DataFrame) -> Evidence:
    """What a fit to these points rests on: their column evidence, the weakest where it differs; else measured."""
    order = (Evidence.PREDICTED, Evidence.MEASURED, Evidence.COMPUTED)
    seen = set(table["evidence"].dropna()) if "evidence" in table.columns else set()
    return next((kind for kind in order if kind in seen), Evidence.MEASURED)


def _part(covariance: ArrayLike, keep: NDArray[np.bool_]) -> _Floats:
    """The covariance of the rows kept."""
    full = np.asarray(covariance, dtype=np.float64)
    size = len(keep)
    if full.shape != (size, size):
        raise ArgumentError("covariance", f"shape {full.shape}", f"({size}, {size}), a row and column for each point")
    part = full[np.ix_(keep, keep)]
    if not np.isfinite(part).all() or not np.allclose(part, part.T, rtol=1e-6):
        raise ArgumentError("covariance", "entries that are not finite, or not symmetric", "a covariance matrix")
    return part


def _has_cholesky(matrix: _Floats) -> bool:
    try:
        cholesky(matrix)
    except np.linalg.LinAlgError:
        return False
    return True


def positive_definite(covariance: ArrayLike, table: pd.DataFrame) -> bool:
    """Whether a covariance can weigh the points of a table that are reached: few trials leave it singular.

    >>> table = pd.DataFrame({"low": [1, 2, 9], "best": [1.5, 2.5, np.inf], "high": [2, 3, np.inf]})
    >>> shared = np.array([[1, 1, np.nan], [1, 1, np.nan], [np.nan] * 3])
    >>> positive_definite(shared, table), positive_definite(shared + np.eye(3), table)
    (False, True)
    """
    return _has_cholesky(_part(covariance, np.isfinite(estimate_columns(table)[1])))


def checked_covariance(covariance: ArrayLike, keep: NDArray[np.bool_]) -> _Floats:
    """The covariance of the rows kept, symmetric and positive definite."""
    part = _part(covariance, keep)
    if not _has_cholesky(part):
        raise ArgumentError(*SINGULAR)
    return part


SINGULAR = (
    "covariance",
    "a matrix that is not positive definite",
    "a positive definite one",
    "Use fewer points, further apart, or more trials; points without any scatter cannot be weighted.",
)
