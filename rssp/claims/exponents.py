"""Measured exponents against claimed ones, and the factor between a bound and a measurement."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from rssp._arguments import choice
from rssp.claims.significance import FALSE_ALARM, holm, interval_tails
from rssp.claims.statement import Claim, Sense
from rssp.claims.verdict import Status, Verdict
from rssp.errors import ArgumentError
from rssp.inference import Unfit, attempt_scaling, power_form
from rssp.inference._algebra import straight_line
from rssp.inference.points import weakest_evidence
from rssp.schemas import require_columns

__all__ = ["bound_factor", "claimed_exponent", "compare_exponents", "exponent_verdict", "joint_exponents"]

_AXES = {"d": "d", "eps": "log2(1/eps)"}
_ENDS = ("low", "best", "high")


def _axis(table: pd.DataFrame, variable: str) -> np.ndarray:
    values = table[variable].to_numpy(dtype=float)
    return np.log2(1 / values) if variable == "eps" else values


def claimed_exponent(claim: Claim, table: pd.DataFrame, variable: str, **constants: float) -> float:
    """The exponent that a claim's bound has over the points of a table: its log-log slope in one variable.

    Logarithmic factors of the claim count with what they add over the range: d^3 log(d) has a slope above 3. A constant
    that multiplies the bound does not matter and may be left out.

    Parameters
    ----------
    claim : Claim with a formula
    table : DataFrame with the claim's variables, one value of each but `variable`
    variable : "d", or "eps" for the exponent of log2(1/eps)

    Examples
    --------
    >>> from rssp.claims import claim
    >>> points = pd.DataFrame({"d": [1, 2, 4], "eps": 0.1})
    >>> round(claimed_exponent(claim("counting-cube"), points, "d"), 6)
    1.0
    """
    require_columns(table, (*claim.variables, variable))
    values = dict.fromkeys(claim.unknown, 1.0) | constants
    bound = claim.bound(**{name: table[name].to_numpy() for name in claim.variables}, **values)
    axis = np.log(_axis(table, variable))
    if len(np.unique(axis)) < 2 or not (bound > 0).all():
        return float("nan")
    return straight_line(axis, np.log(bound), np.ones(len(axis)))[0]


def compare_exponents(
    table: pd.DataFrame,
    claims: Sequence[Claim],
    variable: str,
    by: str,
    constants: Mapping[str, Mapping[str, float]] | None = None,
    covariance: ArrayLike | None = None,
) -> pd.DataFrame:
    """The measured exponent of one variable beside those claimed, for each value of another.

    Parameters
    ----------
    table : DataFrame with columns d, eps, low, best, high (one delta, one law)
    claims : the claims to compare with
    variable, by : "d" and "eps", or "eps" and "d"
    constants : values for constants of a claim that do not multiply it, by the claim's id
    covariance : array (rows, rows) of the errors of `best`, such as `rssp.inference.points_covariance` gives; needed
        where points of one value of `by` come from the same trials, and used only there

    Returns
    -------
    DataFrame with columns variable, `by`, points, from, to, low, best, high, p_value (of a pure power over this range),
    confidence, evidence, and for each claim its exponent over the same points, in a column of the claim's id. Values of
    `by` at which fewer than three points are reached are left out, and those whose trials are too few to say how their
    points hang together.
    """
    choice("variable", variable, tuple(_AXES))
    choice("by", by, tuple(_AXES))
    require_columns(table, (variable, by, *_ENDS))
    table = table.reset_index(drop=True)
    rows = []
    for value, points in table.groupby(by):
        points = points[np.isfinite(points["best"]) & (points["best"] > 0)]
        if points[variable].nunique() < 3:
            continue
        # points of different trials are independent, and their intervals say more than a variance: the sides differ
        part = _covariance_of(points, covariance) if _share_trials(points) else None
        fit = attempt_scaling(points, power_form(_AXES[variable]), covariance=part)
        if isinstance(fit, Unfit):  # no scatter at all, or too few trials for a covariance: nothing to weigh by
            continue
        axis, e = _axis(points, variable), fit["exponent"]
        row = {"variable": _AXES[variable], by: value, "points": len(points), "from": axis.min(), "to": axis.max()}
        row |= {"low": e.low, "best": e.best, "high": e.high, "p_value": fit.p_value}
        row |= {"confidence": e.confidence, "evidence": str(weakest_evidence(points))}
        known = constants or {}
        row |= {c.id: claimed_exponent(c, points, variable, **known.get(c.id, {})) for c in claims}
        rows.append(row)
    return pd.DataFrame(rows)


def _share_trials(points: pd.DataFrame) -> bool:
    """Whether two of the points come from the same trials, by their column `experiment`."""
    return "experiment" in points.columns and bool(points["experiment"].duplicated().any())


def _covariance_of(points: pd.DataFrame, covariance: ArrayLike | None) -> NDArray[np.float64] | None:
    """The part of the covariance of a table for some of its rows, which the index of `points` names."""
    places = points.index.to_numpy()
    return None if covariance is None else np.asarray(covariance, dtype=np.float64)[np.ix_(places, places)]


def exponent_verdict(
    claim: Claim, exponents: pd.DataFrame, measured: str, *, false_alarm: float = FALSE_ALARM
) -> Verdict:
    """A claim's exponent against the measured one, over all rows of `compare_exponents`.

    An upper bound has the form of the data where its exponent is at least the measured one, a lower bound where it is
    at most that; the exponent of the claim is taken over the same points, its logarithms included. Over a finite range
    an exponent on the wrong side does not contradict a theorem, but its form: then the verdict is "form not supported".

    Parameters
    ----------
    exponents : rows of `compare_exponents`, at least one
    measured : how they are named in the verdict
    false_alarm : the family-wise error of that verdict over the rows (Holm)
    """
    require_columns(exponents, ("variable", "from", "to", *_ENDS, claim.id), "exponents")
    rows = exponents.reset_index(drop=True)
    claimed = rows[claim.id].to_numpy(dtype=np.float64)
    low, best, high = (rows[c].to_numpy(dtype=np.float64) for c in ("low", "best", "high"))
    level = rows["confidence"].to_numpy(dtype=np.float64) if "confidence" in rows.columns else 0.95
    tails = interval_tails(low, best, high, level, claimed)
    upper = claim.sense is Sense.AT_MOST
    against, support = (tails.at_most, tails.at_least) if upper else (tails.at_least, tails.at_most)
    bad, good = holm(against) <= false_alarm, support <= false_alarm
    worst = int(np.argmax(best - claimed if upper else claimed - best))
    by = next(name for name in ("eps", "d") if name in rows.columns)
    name = rows["variable"].iloc[worst]
    text = (
        f"exponent of {name} {best[worst]:.2f} [{low[worst]:.2f}, {high[worst]:.2f}], claimed {claimed[worst]:.2f} "
        f"over the same points, at {by} = {rows[by].iloc[worst]:.4g}"
    )
    count = f"{len(rows)} values of {by}"
    if bad.any():
        status, text = Status.NO_FORM, f"at {int(bad.sum())} of {count}: {text}"
    elif good.all():
        status, text = Status.HOLDS, f"at all {count}; nearest: {text}"
    else:
        status, text = Status.OPEN, f"holds at {int(good.sum())} of {count}; {text}"
    span = f"{measured}; {name} = {rows['from'].min():.4g} to {rows['to'].max():.4g}"
    return Verdict(claim, status, text, span, points=len(rows), false_alarm=false_alarm)


def joint_exponents(table: pd.DataFrame, covariance: ArrayLike | None = None) -> pd.DataFrame:
    """The exponents of n* = a d^alpha log2(1/eps)^beta, with and without an offset: one row a form and parameter.

    Parameters
    ----------
    table : DataFrame with columns d, eps, low, best, high (one delta, one law)
    covariance : as in `compare_exponents`: points at different eps of the same trials share their errors

    Returns
    -------
    DataFrame with columns fit, parameter, low, best, high, chi2, dof, p_value, confidence, evidence; empty where the
    points do not suffice, or their trials do not suffice for a covariance.
    """
    require_columns(table, ("d", "eps", *_ENDS))
    table = table.reset_index(drop=True)
    points = table[np.isfinite(table["best"]) & (table["best"] > 0)]
    part = _covariance_of(points, covariance) if _share_trials(points) else None
    rows = []
    for name in ("joint", "joint+offset", "joint-linear"):
        fit = attempt_scaling(points, name, covariance=part)
        if isinstance(fit, Unfit):
            continue
        for parameter, e in fit.parameters.items():
            row = {"fit": name, "parameter": parameter, "low": e.low, "best": e.best, "high": e.high}
            row |= {"chi2": fit.chi2, "dof": fit.dof, "p_value": fit.p_value}
            rows.append(row | {"confidence": e.confidence, "evidence": str(weakest_evidence(points))})
    names = ["fit", "parameter", "low", "best", "high", "chi2", "dof", "p_value", "confidence", "evidence"]
    return pd.DataFrame(rows, columns=names)


def bound_factor(
    claim: Claim, table: pd.DataFrame, corner: Mapping[str, float], constant: str = "C", **constants: float
) -> pd.DataFrame:
    """Bound over measurement on a grid, the bound's unknown constant fitted at one corner.

    Parameters
    ----------
    claim : Claim; where it leaves `constant` open, that is chosen so that bound and measurement agree at the corner
    table : DataFrame with the claim's variables and low, best, high
    corner : the point at which they agree, such as {"d": 1, "eps": 0.25}

    Returns
    -------
    DataFrame: the claim's variables, C, bound, low, best, high (of bound over measurement; the interval is the
    measurement's, with its confidence and evidence). Rows not reached are left out.
    """
    require_columns(table, (*claim.variables, *corner, *_ENDS))
    points = table[np.isfinite(table["best"]) & (table["best"] > 0)]
    values = dict(constants)
    if constant in claim.unknown and constant not in values:
        at = np.logical_and.reduce([np.isclose(points[name], value) for name, value in corner.items()])
        if at.sum() != 1:
            raise ArgumentError("corner", dict(corner), "exactly one row of the table that is reached")
        row = points[at]
        unit = claim.bound(**{n: row[n].to_numpy() for n in claim.variables}, **values, **{constant: 1.0})
        values[constant] = float(row["best"].iloc[0] / unit[0])
    bound = claim.bound(**{n: points[n].to_numpy() for n in claim.variables}, **values)
    columns = {name: points[name].to_numpy() for name in claim.variables}
    columns |= {"claim": claim.id, "C": values.get(constant, np.nan), "bound": bound}
    columns |= {
        end: bound / points[other].to_numpy() for end, other in (("low", "high"), ("best", "best"), ("high", "low"))
    }
    columns |= {name: points[name].to_numpy() for name in ("confidence", "evidence") if name in points}
    return pd.DataFrame(columns)
