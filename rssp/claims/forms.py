"""The constant that a claim leaves open: what the data need it to be, and whether one constant can do.

A bound n >= C g fits any finite table once C is large enough; it says something only because C may not grow where the
claim is about limits: towards small eps, large d. So the test is whether the C needed at the far end of a variable's
range exceeds, beyond chance, the C needed everywhere in its nearer half. Each comparison is one-sided, and the claim
on all of them is an intersection-union test: it needs no correction; ranges of several variables, and the rows of
several laws or dimensions, are corrected by Holm. Errors that two points share are taken from their covariance; without
one they are added up, which is right however the points are correlated.

delta is no such variable: a theorem at min(eps, delta) needs the C of the worst delta, and gets it. Bounds from below
are not tested: the largest C that they allow falls as soon as n* has a constant term, whatever its growth, and only
the limit would decide. Nor are bounds that a C enters otherwise than as a factor, such as exponential tails that are 1
up to n = C log(1/eps): a large C makes them say nothing about a finite table.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtr

from rssp._arguments import probability
from rssp.claims.judging import evaluated, whole_numbers
from rssp.claims.selection import COVER, THRESHOLDS
from rssp.claims.significance import holm
from rssp.claims.statement import Claim, Sense
from rssp.errors import ArgumentError
from rssp.estimates import Estimate, Evidence
from rssp.inference import smallest_constant
from rssp.inference.points import checked_covariance, side_errors
from rssp.schemas import IDENTITY

__all__ = ["Fitted", "Growth", "fit_constant", "needed_constants"]

_Floats = NDArray[np.float64]
_SMALL = ("eps", "step")
"""variables whose far end is the small one"""
_LARGEST, _STEPS = 2.0**20, 80
_RIPPLE = 0.02
"""how far the interpolation of n* between whole numbers may move it, in samples (see rssp.inference.thresholds)"""


@dataclass(frozen=True)
class Growth:
    """How much more C is needed at the far end of a variable's range than at the near end.

    Attributes
    ----------
    along : str, the variable
    rate : float, d ln C per halving of eps (delta, step), per doubling of another variable
    p_value : float, of "one C does everywhere"
    where : str, the values of the other variables
    """

    along: str
    rate: float
    p_value: float
    where: str

    @property
    def text(self) -> str:
        """In words: "grows by 3.1 % per halving of eps"."""
        per = f"halving of {self.along}" if self.along in _SMALL else f"doubling of {self.along}"
        word = "grows" if self.rate > 0 else "falls"
        return f"C {word} by {100 * abs(np.expm1(self.rate)):.2g} % per {per} (p = {self.p_value:.1g})"


@dataclass(frozen=True)
class Fitted:
    """The constant needed, and whether one constant can do.

    Attributes
    ----------
    constant : Estimate
    growths : every comparison that could be made, the p-values corrected for their number
    """

    constant: Estimate
    growths: tuple[Growth, ...]

    @property
    def worst(self) -> Growth | None:
        """The comparison that speaks loudest against one constant; None where nothing could be compared."""
        return min(self.growths, key=lambda g: g.p_value, default=None)


def needed_constants(claim: Claim, rows: pd.DataFrame, constant: str, constants: Mapping[str, Any]) -> pd.DataFrame:
    """The rows with C_low, C_best, C_high: the constant with which the bound meets the ends of each interval.

    Where the bound is not proportional to the constant it is solved for, for bounds from above that grow with it.
    """
    one = evaluated(claim, rows, {**constants, constant: 1.0})
    ends = [rows[c].to_numpy(dtype=np.float64) for c in ("low", "best", "high")]
    if _proportional(claim, rows, constant, constants):
        if not (np.isfinite(one) & (one > 0)).all():
            raise ArgumentError(f"claim {claim.id}: formula", one[~(one > 0)][:1], "finite numbers > 0 at every point")
        solved = [end / one for end in ends]
    elif claim.sense is Sense.AT_MOST:
        solved = [_solved(lambda c: evaluated(claim, rows, {**constants, constant: c}), end, constant) for end in ends]
    else:
        raise ArgumentError(constant, "a constant that does not multiply the bound", "a value", f"Pass {constant}=...")
    return rows.assign(g=one, **dict(zip(("C_low", "C_best", "C_high"), solved, strict=True)))


def _proportional(claim: Claim, rows: pd.DataFrame, constant: str, constants: Mapping[str, Any]) -> bool:
    one, two = (evaluated(claim, rows, {**constants, constant: c}) for c in (1.0, 2.0))
    return bool(np.allclose(two, 2 * one, rtol=1e-9))


def _solved(bound: Callable[[_Floats], _Floats], value: _Floats, constant: str) -> _Floats:
    small, large = np.zeros(len(value)), np.full(len(value), _LARGEST)
    if (bound(large) < value).any():
        raise ArgumentError(constant, "a bound that no value lifts above the data", "a value", f"Pass {constant}=...")
    for _ in range(_STEPS):
        middle = (small + large) / 2
        enough = bound(middle) >= value
        small, large = np.where(enough, small, middle), np.where(enough, middle, large)
    return large


def fit_constant(
    claim: Claim,
    rows: pd.DataFrame,
    quantity: str,
    constant: str,
    constants: Mapping[str, Any],
    covariance: ArrayLike | None = None,
) -> Fitted:
    """The smallest constant that every point allows (the largest, for a bound from below), and whether it grows.

    Parameters
    ----------
    rows : with low, best, high, confidence
    covariance : array (rows, rows) of the errors of `best`, such as `threshold_covariance` gives; rows of independent
        experiments have zeros between them
    """
    if quantity == COVER and claim.quantity not in (COVER, *THRESHOLDS):  # what is claimed is the complement
        rows = rows.assign(low=1 - rows["high"], best=1 - rows["best"], high=1 - rows["low"])
    finite = np.isfinite(rows["best"].to_numpy(dtype=np.float64))
    part = None if covariance is None else checked_covariance(covariance, finite)
    points = needed_constants(claim, rows.loc[finite], constant, constants).reset_index(drop=True)
    if points.empty:
        raise ArgumentError(
            f"claim {claim.id}: table",
            f"{len(rows)} rows, all cut off",
            "one that is reached",
            "Use larger n_max or eps.",
        )
    level = _confidence(points)
    whole = whole_numbers(points, quantity)
    estimate = _constant(claim, points, level)
    smooth = claim.quantity in THRESHOLDS and not whole
    factor = _proportional(claim, points, constant, constants)
    growths = _growths(claim, points, _Errors(part, level, whole, smooth)) if factor else []
    adjusted = holm([g.p_value for g in growths])
    return Fitted(
        estimate, tuple(Growth(g.along, g.rate, float(p), g.where) for g, p in zip(growths, adjusted, strict=True))
    )


def _confidence(points: pd.DataFrame) -> float:
    levels = set(points["confidence"].astype(float)) if "confidence" in points.columns else {0.95}
    if len(levels) > 1:
        raise ArgumentError("confidence", sorted(levels), "one confidence in all rows", "Make the rows at one.")
    return probability("confidence", levels.pop())


def _constant(claim: Claim, points: pd.DataFrame, level: float) -> Estimate:
    table = points.assign(low=points["C_low"], best=points["C_best"], high=points["C_high"])
    evidence = Evidence.COMPUTED if set(points["evidence"]) == {str(Evidence.COMPUTED)} else Evidence.MEASURED
    if claim.sense is Sense.EQUAL:
        low, high = float(points["C_low"].min()), float(points["C_high"].max())
        return Estimate(low, float(points["C_best"].median()), high, level, evidence, "C")
    fit = smallest_constant(
        table[["low", "best", "high"]],
        np.ones(len(table)),
        lower_bound=claim.sense is Sense.AT_LEAST,
        confidence=level,
    )
    c = fit.constant
    return Estimate(c.low, c.best, c.high, level, evidence, "C")


@dataclass(frozen=True)
class _Errors:
    """What is known of the errors of C, beside each point's own interval."""

    covariance: _Floats | None
    level: float
    whole: bool
    smooth: bool


def _growths(claim: Claim, points: pd.DataFrame, errors: _Errors) -> list[Growth]:
    if claim.sense is Sense.AT_LEAST:
        return []
    columns = [n for n in dict.fromkeys((*claim.variables, *claim.settings, *IDENTITY.names)) if n in points.columns]
    varied = [n for n in columns if n != "delta" and points[n].nunique(dropna=False) > 1]
    found: list[Growth] = []
    for along in varied:
        if along not in claim.variables or not (points[along].astype(float) > 0).all():
            continue
        others = [n for n in varied if n != along and n != "norm"]
        groups = points.groupby(others, sort=False, dropna=False) if others else [((), points)]
        for key, part in groups:
            if part[along].nunique() > 1:
                where = ", ".join(f"{n} = {_short(v)}" for n, v in zip(others, key, strict=True))
                worst = part.loc[part.groupby(along)["C_best"].idxmax()]
                found += _compared(claim, worst.sort_values(along, ascending=along not in _SMALL), along, where, errors)
    return found


def _short(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _compared(claim: Claim, at: pd.DataFrame, along: str, where: str, errors: _Errors) -> list[Growth]:
    """The far end of one range against its nearer half, in the directions that speak against the claim."""
    low, best, high = (at[c].to_numpy(dtype=np.float64) for c in ("C_low", "C_best", "C_high"))
    if not (best > 0).all():
        return []
    log_c, axis = np.log(best), np.log2(at[along].to_numpy(dtype=np.float64))
    near, far = np.arange(max(1, len(at) // 2)), len(at) - 1
    with np.errstate(divide="ignore"):
        down, up = side_errors(np.log(np.maximum(low, 0.0)), log_c, np.log(high), errors.level)
    down = np.where(np.isfinite(down), down, up)
    rate = float((log_c[far] - log_c[0]) / abs(axis[far] - axis[0]))
    found = []
    measured = (at["evidence"].astype(str) == str(Evidence.MEASURED)).to_numpy()
    for sign in (1,) if claim.sense is Sense.AT_MOST else (1, -1):
        if errors.covariance is None:
            sigma = down[far] + up[near] if sign > 0 else up[far] + down[near]
        else:
            value, index = at["best"].to_numpy(dtype=np.float64), at.index.to_numpy()
            relative = errors.covariance[np.ix_(index, index)] / np.outer(value, value)
            variance = relative[far, far] + np.diag(relative)[near] - 2 * relative[far, near]
            sigma = np.sqrt(np.maximum(variance, 0.0))
        gap = sign * (log_c[far] - log_c[near]) - _reading(at, errors, sign, near)
        with np.errstate(divide="ignore", invalid="ignore"):
            certain = np.where((gap > 0) & ~(measured[far] | measured[near]), np.inf, -np.inf)
            # what was measured without an error of its own, such as a typical value, decides nothing
            z = np.where(sigma > 0, gap / np.maximum(sigma, 1e-300), certain)
        found.append(Growth(along, rate, float(np.where(z > 0, ndtr(-z), 1.0).max()), where))
    return found


def _reading(at: pd.DataFrame, errors: _Errors, sign: int, near: NDArray[np.int64]) -> _Floats:
    """How much of a growth may come from reading n* to whole numbers, or between them, in ln C."""
    n = at["best"].to_numpy(dtype=np.float64)
    if errors.whole:  # the real n* lies in the interval before the whole one
        with np.errstate(divide="ignore", invalid="ignore"):
            step = np.where(n > 1, -np.log1p(-1 / np.maximum(n, 1.0)), np.inf)
        return np.full(len(near), step[-1]) if sign > 0 else step[near]
    return _RIPPLE / n[-1] + _RIPPLE / n[near] if errors.smooth else np.zeros(len(near))
