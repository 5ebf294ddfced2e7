"""The constant that a claim leaves open: what the data need it to be, and whether one constant can do.

A bound n >= C g promises ceil(C g) numbers: the smallest C is the one whose whole n passes the exact test of its count
at every point, (n* - 1)/g at the point that decides, and any C above it does.

Such a bound fits any finite table once C is large enough; what it says is that one C does as eps goes to 0. So the C
needed at the far end of a range is held against the C needed in its nearer half. If n* is 4, 9, 16, 25 at log2(1/eps) =
2, 3, 4, 5, a bound C log2(1/eps) needs C = 2, 3, 4, 5: it grows, and the form is not supported. This is done along
every variable that goes to a limit in the claim: eps, delta and step to 0, dimensions and widths to infinity. Of
several points at which the bound is the same, the one that needs the largest C stands for all.

C has grown if the far end needs more, beyond chance, than every point of the nearer half: an intersection-union test,
which needs no correction for their number. Ranges of several variables, and the rows of several laws or dimensions, are
corrected by Holm. Errors that two points share are taken from their covariance; without one they are added up, which is
right however the points are correlated.

A drift is a statement on the range measured: that C stays bounded in the limit no finite range can exclude, and a
theorem with a proof is not refuted by it. Bounds from below are not tested: some small C always fits, and the largest
that does falls as soon as n* has a constant term, whatever its growth. Nor are bounds that a C enters otherwise than as
a factor, such as exponential tails that are 1 up to n = C log(1/eps): a large C makes them say nothing about a finite
table.
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
from rssp.claims.counted import thresholds_of_counts
from rssp.claims.judging import evaluated, whole_numbers
from rssp.claims.selection import COVER, NUMBERS, THRESHOLDS
from rssp.claims.significance import holm
from rssp.claims.statement import Claim, Sense
from rssp.errors import ArgumentError
from rssp.estimates import Estimate, Evidence
from rssp.inference import smallest_constant
from rssp.inference.points import checked_covariance, side_errors
from rssp.schemas import IDENTITY

__all__ = ["Fitted", "Growth", "fit_constant", "needed_constants"]

_Floats = NDArray[np.float64]
_SMALL = ("eps", "delta", "step")
"""variables whose limit is 0"""
_LARGE = ("d", "d_in", "d_out", "width", "kernel", "c", "c_in", "c_out", "l", "m_t", "M", "k", "n", "basis", "heads")
"""variables whose limit is infinity; others, such as a density, have none"""
_LARGEST, _STEPS = 2.0**20, 80
_ENDS = ("low", "best", "high")
_ROUNDING = 1e-9
_RIPPLE = 0.02
"""how far the interpolation of n* between whole numbers may move it, in samples (see rssp.inference.thresholds)"""


@dataclass(frozen=True)
class Growth:
    """How much more C is needed at the far end of a variable's range than at the near end.

    Attributes
    ----------
    along : str, the variable
    rate : float, d ln C per halving of eps, delta or step, per doubling of another variable
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


def _whole_steps(claim: Claim, rows: pd.DataFrame) -> pd.DataFrame:
    """The rows with the real number that a bound must exceed (from below: reach) for its whole n to be right.

    The whole n* is the ceiling of the interpolated one; ceil(b) >= n* says b > n* - 1, and n* >= ceil(b) says b <= n*.
    """
    if claim.quantity not in NUMBERS or claim.sense is Sense.EQUAL:
        return rows
    down = float(claim.sense is Sense.AT_MOST)
    ends = {c: np.maximum(np.ceil(rows[c].to_numpy(dtype=np.float64) - _ROUNDING) - down, 0.0) for c in _ENDS}
    return rows.assign(**ends)


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
    numbers, smooth = rows, claim.quantity in THRESHOLDS
    if quantity == COVER and claim.quantity in THRESHOLDS:
        numbers, rows = thresholds_of_counts(claim, rows, all_at_once=claim.sense)
        quantity, covariance = claim.quantity, None
    elif quantity == COVER and claim.quantity != COVER:  # what is claimed is the complement
        rows = numbers = rows.assign(low=1 - rows["high"], best=1 - rows["best"], high=1 - rows["low"])
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
    reached = numbers.loc[np.isfinite(numbers["best"].to_numpy(dtype=np.float64))].reset_index(drop=True)
    enough = needed_constants(claim, _whole_steps(claim, reached), constant, constants)
    estimate = _constant(claim, enough, level, _proportional(claim, enough, constant, constants))
    errors = _Errors(part, level, whole, smooth and not whole)
    factor = _proportional(claim, points, constant, constants)
    growths = _growths(claim, points, errors, {**constants, constant: 1.0}) if factor else []
    adjusted = holm([g.p_value for g in growths])
    return Fitted(
        estimate, tuple(Growth(g.along, g.rate, float(p), g.where) for g, p in zip(growths, adjusted, strict=True))
    )


def _confidence(points: pd.DataFrame) -> float:
    levels = set(points["confidence"].astype(float)) if "confidence" in points.columns else {0.95}
    if len(levels) > 1:
        raise ArgumentError("confidence", sorted(levels), "one confidence in all rows", "Make the rows at one.")
    return probability("confidence", levels.pop())


def _constant(claim: Claim, points: pd.DataFrame, level: float, factor: bool) -> Estimate:
    evidence = Evidence.COMPUTED if set(points["evidence"]) == {str(Evidence.COMPUTED)} else Evidence.MEASURED
    if claim.sense is Sense.EQUAL:
        low, high = float(points["C_low"].min()), float(points["C_high"].max())
        return Estimate(low, float(points["C_best"].median()), high, level, evidence, "C")
    solved = points.assign(low=points["C_low"], best=points["C_best"], high=points["C_high"], g=1.0)
    table = points if factor else solved
    lower = claim.sense is Sense.AT_LEAST
    columns = [c for c in (*_ENDS, "confidence") if c in table.columns]
    c = smallest_constant(table[columns], table["g"], lower_bound=lower, confidence=level).constant
    return Estimate(c.low, c.best, c.high, level, evidence, "C")


@dataclass(frozen=True)
class _Errors:
    """What is known of the errors of C, beside each point's own interval."""

    covariance: _Floats | None
    level: float
    whole: bool
    smooth: bool


def _growths(claim: Claim, points: pd.DataFrame, errors: _Errors, given: Mapping[str, Any]) -> list[Growth]:
    if claim.sense is Sense.AT_LEAST:
        return []
    columns = [n for n in dict.fromkeys((*claim.variables, *claim.settings, *IDENTITY.names)) if n in points.columns]
    varied = [n for n in columns if points[n].nunique(dropna=False) > 1]
    found: list[Growth] = []
    tested: list[pd.Series] = []
    for along in varied:
        if along not in claim.variables or along not in (*_SMALL, *_LARGE) or not (points[along] > 0).all():
            continue
        if any((points[along] == seen).all() for seen in tested):  # d_in and d_out of square layers: one variable
            continue
        tested.append(points[along])
        others = [n for n in varied if n not in (along, "norm") and not (points[n] == points[along]).all()]
        groups = points.groupby(others, sort=False, dropna=False) if others else [((), points)]
        for key, part in groups:
            worst = _where_it_moves(claim, part, along, given)
            if len(worst) > 1:
                where = ", ".join(f"{n} = {_short(v)}" for n, v in zip(others, key, strict=True))
                found += _compared(claim, worst, along, where, errors)
    return found


def _where_it_moves(claim: Claim, part: pd.DataFrame, along: str, given: Mapping[str, Any]) -> pd.DataFrame:
    """One row for each value of the bound, towards the limit: where it is the same, the one that needs the largest C.

    A bound that is constant up to the limit keeps all its rows: there C itself may not grow. One that is the same at
    all rows but moves beyond them, as log(1/min(eps, delta)) does once delta is below eps, has not been followed
    towards its limit at all: one row.
    """
    towards = part.sort_values(along, ascending=along not in _SMALL)
    beyond = towards.iloc[[-1]].assign(**{along: towards[along].iloc[-1] * (2.0**-40 if along in _SMALL else 2.0**10)})
    bound = np.append(towards["g"].to_numpy(), evaluated(claim, beyond, given))
    flat = np.isclose(bound[1:], bound[:-1], rtol=_ROUNDING, atol=0.0)
    if flat.all():
        return towards.loc[towards.groupby(along)["C_best"].idxmax()].sort_values(along, ascending=along not in _SMALL)
    level = np.append(0, (~flat[:-1]).cumsum())
    return towards.loc[towards.groupby(level)["C_best"].idxmax()]


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
