"""How fast the covered fraction grows, measured: the key step of Lueker (1998) and of da Cunha et al. (ESA 2023).

v_t is the fraction of the targets that are within eps of a subset sum of the first t samples. The proofs bound
E[v_{t+1} - v_t | v_t] from below by c v_t (1 - v_t); here c is estimated from arrays of v_t.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from rssp._arguments import integer, probability
from rssp.errors import ArgumentError
from rssp.estimates import Estimate, Evidence
from rssp.inference.points import estimate_columns
from rssp.intervals import student_reach
from rssp.schemas import INTERVAL, Column, Schema, require_columns

__all__ = ["GROWTH", "covered_growth", "smallest_growth"]

_QUANTITY = "E[dv]/(v(1-v))"
GROWTH = Schema(
    Column("v_low", "float", meaning="lower edge of the bin of the covered fraction"),
    Column("v_high", "float", meaning="upper edge of the bin"),
    Column("trials", "int", meaning="those that entered the bin"),
    *INTERVAL,
)
"""what `covered_growth` gives: a row a bin, nan where fewer than two trials entered it"""


def covered_growth(fractions: ArrayLike, bins: int | ArrayLike = 10, *, confidence: float = 0.95) -> pd.DataFrame:
    """The growth constant from covered fractions.

    Parameters
    ----------
    fractions : array (trials, n), the covered fraction v_t of each trial for consecutive t, non-decreasing in t
    bins : int >= 1, equal bins of v_t in (0, 1), or their ascending edges from 0 to 1; steps from v_t = 0 or 1 say
        nothing and are left out
    confidence : of each interval alone

    Returns
    -------
    DataFrame with the columns of `GROWTH`, one row a bin: E[v_{t+1} - v_t | v_t] / (v_t (1 - v_t)), by mean increments
    over mean v (1 - v). The interval is the ratio estimator's: residuals ``dv - c v (1 - v)`` summed
    within each trial, whose steps are dependent, Student's law over trials.

    Raises
    ------
    ArgumentError if `fractions` has not two axes, leaves [0, 1] or decreases, or the edges do not ascend from 0 to 1.

    Examples
    --------
    >>> v = np.array([[0.1, 0.19, 0.3439]] * 3)        # v + v (1 - v), exactly
    >>> covered_growth(v, bins=1)[["v_low", "v_high", "trials", "best"]].round(6)
       v_low  v_high  trials  best
    0    0.0     1.0       3   1.0
    """
    v, edges = np.asarray(fractions, dtype=np.float64), _edges(bins)
    if v.ndim != 2 or v.shape[1] < 2:
        raise ArgumentError("fractions", f"shape {v.shape}", "shape (trials, n) with n >= 2")
    if not ((v >= 0) & (v <= 1)).all():
        raise ArgumentError("fractions", "values outside [0, 1] or nan", "fractions from 0 to 1")
    confidence = probability("confidence", confidence)
    increment, start = np.diff(v, axis=1), v[:, :-1]
    if (increment < 0).any():
        raise ArgumentError("fractions", "a fraction that decreases", "fractions non-decreasing along the last axis")
    scale = start * (1 - start)
    count = edges.size - 1
    which = np.where(scale > 0, np.searchsorted(edges, start, side="right") - 1, -1)
    best, half, trials = np.full(count, np.nan), np.full(count, np.nan), np.zeros(count, dtype=np.int64)
    for j in range(count):
        inside = which == j
        rows = inside.any(axis=1)
        trials[j] = rows.sum()
        if trials[j] < 2:
            continue
        total = (scale * inside)[rows].sum(axis=1)
        best[j] = (increment * inside).sum() / total.sum()
        residual = ((increment - best[j] * scale) * inside)[rows].sum(axis=1)
        own = np.sqrt((residual**2).sum() * trials[j] / (trials[j] - 1)) / total.sum()
        half[j] = student_reach(confidence, trials[j] - 1) * own
    table = pd.DataFrame({"v_low": edges[:-1], "v_high": edges[1:], "trials": trials})
    table = table.assign(low=best - half, best=best, high=best + half, quantity=_QUANTITY)
    return GROWTH.checked(table.assign(confidence=confidence, evidence=str(Evidence.MEASURED)), "growth")


def smallest_growth(growth: pd.DataFrame) -> Estimate:
    """The constant of the bin where it is smallest: the largest that a bound c v (1 - v) for all v could have.

    Parameters
    ----------
    growth : DataFrame, from `covered_growth`; ArgumentError where no bin has two trials

    Examples
    --------
    >>> round(smallest_growth(covered_growth([[0.1, 0.19, 0.3439]] * 3)).best, 6)     # v + v (1 - v), exactly
    1.0
    """
    require_columns(growth, GROWTH.names, "growth")
    _, best, _ = estimate_columns(growth)
    if np.isnan(best).all():
        raise ArgumentError("growth", "no bin with two trials", "more trials or fewer bins")
    row = growth.iloc[int(np.nanargmin(best))]
    details = {name: float(row[name]) for name in ("v_low", "v_high", "trials")}
    return Estimate(row["low"], row["best"], row["high"], row["confidence"], row["evidence"], _QUANTITY, details)


def _edges(bins: int | ArrayLike) -> NDArray[np.float64]:
    if np.ndim(bins) == 0:
        return np.linspace(0.0, 1.0, integer("bins", bins, 1) + 1)
    edges = np.asarray(bins, dtype=np.float64)
    if edges.ndim != 1 or edges.size < 2 or edges[0] != 0 or edges[-1] != 1 or not (np.diff(edges) > 0).all():
        raise ArgumentError("bins", bins, "a whole number >= 1, or ascending edges from 0 to 1")
    return edges
