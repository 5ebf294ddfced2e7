"""The constant that a bound n >= C g leaves open: the smallest that the measurements allow, and whether it drifts."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtr, ndtri, stdtr

from rssp._arguments import probability
from rssp.errors import ArgumentError
from rssp.estimates import Estimate
from rssp.inference._algebra import cholesky, inverse, product, solve_lower
from rssp.inference.points import (
    checked_covariance,
    confidences,
    estimate_columns,
    float_column,
    side_errors,
    weakest_evidence,
)
from rssp.intervals import student_reach, z_value

__all__ = ["SmallestConstant", "smallest_constant"]

_Floats = NDArray[np.float64]
_LARGE_DRIFT = 0.3  # in the logarithm: beyond this a percentage misleads
_GROUPS = ("d", "dim", "delta", "k", "law", "interval", "norm")  # columns whose values have a constant of their own


@dataclass(frozen=True)
class SmallestConstant:
    """What measured n* say of the C in n >= C g.

    Attributes
    ----------
    constant : Estimate of the largest n* / g over the range tested (the smallest, for a lower bound on n)
    points : DataFrame, the table's rows that count, with g, C_low, C_best, C_high
    decided_at : int, the row of `points` where best n* / g is that extreme
    censored : int, rows left out because their n* is not reached by the trials
    along : str, the variable whose drift was tested, "" where there were not three of its values
    drift : Estimate of d ln C per halving of eps (per doubling of another variable); None where not tested
    p_value : float, of "C does not depend on it"; nan where not tested
    untested : str, why the drift was not tested; "" where it was
    """

    constant: Estimate
    points: pd.DataFrame
    decided_at: int
    censored: int
    along: str
    drift: Estimate | None
    p_value: float
    untested: str = ""

    @property
    def drift_text(self) -> str:
        """The drift in words; empty where it could not be tested."""
        if self.drift is None:
            return ""
        d = self.drift
        per = "halving of eps" if self.along == "eps" else f"doubling of {self.along}"
        if abs(d.best) > _LARGE_DRIFT and not d.contains(0):
            word = "falls" if d.best < 0 else "grows"
            return f"it {word} by a factor {math.exp(abs(d.best)):.3g} per {per} (p = {self.p_value:.2g})"
        percent = (d / 0.01).digits
        word = "does not measurably drift:" if d.contains(0) else "drifts"
        return f"it {word} by {percent} % per {per} (p = {self.p_value:.2g})"


def smallest_constant(
    table: pd.DataFrame,
    g: ArrayLike | Callable[[pd.DataFrame], ArrayLike],
    *,
    lower_bound: bool = False,
    along: str | None = None,
    covariance: ArrayLike | None = None,
    confidence: float = 0.95,
) -> SmallestConstant:
    """The smallest C for which n >= C g is enough at every point measured.

    Parameters
    ----------
    table : DataFrame with columns low, best, high of n* and those of its variables (eps, delta, d, ...)
    g : array (rows,) or function of the table, > 0: the bound without its constant
    lower_bound : True for a bound that says n >= C g is necessary: then the largest C that no point contradicts
    along : the variable to test for drift; eps unless given, else d or dim
    covariance : array (rows, rows) of the errors of `best`, for the drift (`points_covariance`); needed where the
        table's column `experiment` says that points come from the same trials. Without that column and without a
        covariance the points are taken for independent
    confidence : that of the result; and of the intervals in the table where it has no column `confidence`

    Returns
    -------
    SmallestConstant. Its `constant.high` is the largest upper end of n* / g: it holds for the supremum as each interval
    holds for its point. `constant.low` is the largest lower end after each was lowered to the confidence that makes
    all hold at once (Bonferroni, by the normal law; whole numbers by one at least, since their intervals do not follow
    it). A table made at that confidence already, ``required_n(..., confidence=1 - (1 - confidence) / rows)``, needs no
    lowering. The drift is the slope of ln(n*/g) against log2(1/eps) by weighted least squares, with a free level for
    each combination of the other variables; where the points scatter about the line more than their errors say, the
    errors are enlarged to match (Birge). Whole-number n* are not tested for drift: rounding moves them by more than
    their errors, in steps.

    Raises
    ------
    ArgumentError
        For missing columns, g that is not positive, or no point that the trials reach.

    Examples
    --------
    >>> n_star = np.array([8.0, 10.5, 13.0, 15.5, 18.0])
    >>> seen = pd.DataFrame({"eps": 2.0 ** -np.array([4, 6, 8, 10, 12]),
    ...                      "low": n_star - 0.1, "best": n_star, "high": n_star + 0.1})
    >>> fit = smallest_constant(seen, lambda points: np.log2(1 / points.eps))
    >>> print(fit.constant)
    2.000 [1.967, 2.025]
    >>> fit.drift_text
    'it drifts by -3.0 [-4.7, -1.3] % per halving of eps (p = 0.011)'
    """
    low, best, high = estimate_columns(table)
    values = np.asarray(g(table) if callable(g) else g, dtype=np.float64)
    if values.shape not in ((), (len(table),)):
        raise ArgumentError("g", f"shape {values.shape}", f"one number, or one for each of the {len(table)} points")
    values = np.broadcast_to(values, (len(table),))
    keep = np.isfinite(best)
    if not keep.any():
        raise ArgumentError(
            "table", f"{len(table)} points, all cut off", "at least one n* that is reached", "Use larger n_max or eps."
        )
    if not (np.isfinite(values) & (values > 0))[keep].all():
        raise ArgumentError("g", values[keep & ~(values > 0)][:1], "finite numbers > 0 at every point")
    points = table.loc[keep].reset_index(drop=True)
    low, best, high, values = low[keep], best[keep], high[keep], values[keep]
    points = points.assign(g=values, C_low=low / values, C_best=best / values, C_high=high / values)
    levels = confidences(table, confidence)[keep]
    constant, decided = _extreme(points, levels, confidence, lower_bound)
    name = _drift_variable(points) if along is None else along
    if name and name not in points.columns:
        raise ArgumentError("along", name, "a column of the table: " + ", ".join(map(str, table.columns)))
    part = None if covariance is None else checked_covariance(covariance, keep)
    untested = _untestable(points, name, part is not None)
    drift, p_value = (None, np.nan) if untested else _drift(points, name, part, levels, confidence)
    if not untested and drift is None:
        untested = "too few points, or none with an error"
    count = int((~keep).sum())
    return SmallestConstant(constant, points, decided, count, "" if untested else name, drift, p_value, untested)


def _untestable(points: pd.DataFrame, along: str, known: bool) -> str:
    """Why a drift cannot be tested; empty where it can."""
    if not along:
        return "fewer than three values of eps, d or dim"
    if _whole(points):
        return "whole-number n*: use required_n(..., interpolated=True)"
    if not known and "experiment" in points.columns and points["experiment"].duplicated().any():
        return "points of the same trials without a covariance: use points_covariance"
    return ""


def _whole(points: pd.DataFrame) -> bool:
    numbers = points[["low", "best", "high"]].to_numpy(dtype=np.float64)
    numbers = numbers[np.isfinite(numbers)]
    return bool((numbers == np.round(numbers)).all())


def _extreme(points: pd.DataFrame, levels: _Floats, confidence: float, lower_bound: bool) -> tuple[Estimate, int]:
    low, best, high, g = (float_column(points, c) for c in ("low", "best", "high", "g"))
    evidence = weakest_evidence(points)
    needed = -float(ndtri((1 - probability("confidence", confidence)) / 2 / len(points)))
    stretch = np.maximum(needed / ndtri((1 + levels) / 2), 1.0)
    step = np.where((stretch > 1 + 1e-9) & _whole(points), 1.0, 0.0)
    if lower_bound:
        decided = int((best / g).argmin())
        value = float(best[decided] / g[decided])
        raised = np.maximum(best + stretch * (high - best), high + step)
        top = float((raised / g).min())
        return Estimate(float((low / g).min()), value, max(top, value), confidence, evidence, "C"), decided
    decided = int((best / g).argmax())
    value = float(best[decided] / g[decided])
    lowered = np.minimum(best - stretch * (best - low), low - step)
    bottom = float(np.maximum(lowered / g, 0.0).max())
    return Estimate(min(bottom, value), value, float((high / g).max()), confidence, evidence, "C"), decided


def _drift_variable(points: pd.DataFrame) -> str:
    for name in ("eps", "d", "dim"):
        if name in points.columns and points[name].nunique() >= 3:
            return name
    return ""


def _drift(
    points: pd.DataFrame, along: str, covariance: _Floats | None, known: _Floats, confidence: float
) -> tuple[Estimate | None, float]:
    """Slope of ln C, with a level for each group of the other variables."""
    variable = float_column(points, along)
    if not (np.isfinite(variable) & (variable > 0)).all():
        raise ArgumentError("along", f"{along} with values that are not > 0", "a column of positive numbers")
    x = np.log2(1 / variable) if along == "eps" else np.log2(variable)
    others = [c for c in _GROUPS if c in points.columns and c != along]
    group = points.groupby(others, sort=False).ngroup().to_numpy() if others else np.zeros(len(points), dtype=int)
    levels = (group[:, None] == np.arange(group.max() + 1)).astype(np.float64)
    dof = len(x) - levels.shape[1] - 1
    within = x - product(levels, product(levels.T, x) / levels.sum(axis=0))
    best = float_column(points, "best")
    if dof < 1 or not np.abs(within).max() > 0 or not (best > 0).all():
        return None, np.nan
    if covariance is None:
        low, high = (float_column(points, c) for c in ("low", "high"))
        down, up = side_errors(low, best, high, known)
        variance = ((down + up) / 2) ** 2
        if not (np.isfinite(variance) & (variance > 0)).all():
            return None, np.nan
        covariance = np.diag(variance)
    whiten = cholesky(covariance / np.outer(best, best))
    design = solve_lower(whiten, np.column_stack([levels, x - x.mean()]))
    response = solve_lower(whiten, np.log(points["C_best"].to_numpy()))
    variance = inverse(product(design.T, design))
    fitted = product(variance, product(design.T, response))
    scatter = float(((response - product(design, fitted)) ** 2).sum()) / dof
    slope, error = float(fitted[-1]), float(np.sqrt(variance[-1, -1] * max(1.0, scatter)))
    if scatter > 1:  # errors estimated from the scatter: Student's law
        half, p_value = student_reach(confidence, dof) * error, 2 * stdtr(dof, -abs(slope) / error)
    else:
        half, p_value = z_value(confidence) * error, 2 * ndtr(-abs(slope) / error)
    drift = Estimate(slope - half, slope, slope + half, confidence, weakest_evidence(points), "d ln C")
    return drift, float(p_value)
