"""Verdicts: a claim against estimates."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from rssp.claims.statement import Claim, Kind
from rssp.errors import ArgumentError
from rssp.inference import Estimate, smallest_constant

__all__ = ["Status", "Verdict", "check", "out_of_reach"]


class Status(enum.Enum):
    """The members are the words that a person reads."""

    HOLDS = "holds"
    VIOLATED = "violated"
    CONSISTENT = "consistent"
    OPEN = "undecided by these data"
    OUT_OF_REACH = "out of reach here"


@dataclass(frozen=True)
class Verdict:
    """What the data say of a claim.

    Attributes
    ----------
    claim : Claim
    status : Status
    text : str, the verdict in one sentence, with the numbers that say so
    measured : str, what was measured and over which range
    constant : Estimate or None, the smallest constant that the data allow (the largest, for a lower bound)
    slack : float, the median of bound over measurement (upper bounds) or its inverse; nan where not a bound
    """

    claim: Claim
    status: Status
    text: str
    measured: str = ""
    constant: Estimate | None = None
    slack: float = float("nan")

    def row(self) -> dict[str, Any]:
        """The verdict as one row of a table, all plain values."""
        c = self.constant
        return {
            "claim": self.claim.id,
            "paper": self.claim.paper,
            "number": self.claim.number,
            "kind": self.claim.kind.value,
            "wording": self.claim.wording.value,
            "measured": self.measured,
            "verdict": self.status.value,
            "detail": self.text,
            "constant": None if c is None else c.best,
            "constant_low": None if c is None else c.low,
            "constant_high": None if c is None else c.high,
        }


def out_of_reach(claim: Claim, reason: str = "") -> Verdict:
    """The verdict of a claim that nothing here measures; the reason is the claim's own unless given."""
    reason = reason or claim.unreachable or "no stored result speaks of it"
    return Verdict(claim, Status.OUT_OF_REACH, reason)


def check(
    claim: Claim, estimates: pd.DataFrame, *, constant: str = "C", measured: str = "", **constants: float
) -> Verdict:
    """Hold a claim against a table of estimates.

    Parameters
    ----------
    claim : Claim
    estimates : DataFrame with a column for each variable of the claim and `low`, `best`, `high` of its quantity
    constant : the unknown constant to fit, where the claim has one
    measured : how the table is named in the verdict; the ranges of the variables are added
    **constants : values for other constants, or for `constant` itself when it is not to be fitted

    Raises
    ------
    ArgumentError
        For a missing column, an empty table, or a constant that is neither known, given, nor the one to fit.

    Examples
    --------
    >>> from rssp.claims import claim
    >>> seen = pd.DataFrame({"eps": [0.25, 0.01], "low": [4, 11], "best": [4, 12], "high": [5, 12]})
    >>> print(check(claim("counting-1d"), seen).text)
    holds at all 2 points; measured over bound: 1.9 (median)
    """
    table = _usable(claim, estimates)
    label = _label(claim, table, measured)
    open_constants = [name for name in claim.unknown if name not in constants]
    if not open_constants:
        return _check_known(claim, table, label, constants)
    if open_constants != [constant]:
        left = ", ".join(name for name in open_constants if name != constant) or constant
        raise ArgumentError(left, "nothing", "a value: the paper leaves it open", f"Pass {left}=... to check().")
    return _check_fitted(claim, table, label, constant, constants)


def _usable(claim: Claim, estimates: pd.DataFrame) -> pd.DataFrame:
    missing = [c for c in (*claim.variables, "low", "best", "high") if c not in estimates.columns]
    if missing:
        raise ArgumentError("estimates", "columns " + ", ".join(map(str, estimates.columns)), f"also {missing}")
    table = estimates.loc[estimates["best"].notna()]
    if table.empty:
        raise ArgumentError("estimates", "no row with a value", "at least one row", "Run more trials.")
    return table


def _label(claim: Claim, table: pd.DataFrame, measured: str) -> str:
    ranges = []
    for name in claim.variables:
        low, high = table[name].min(), table[name].max()
        ranges.append(f"{name} = {low:.4g}" if low == high else f"{name} = {low:.4g} to {high:.4g}")
    return "; ".join([measured or claim.quantity, *ranges])


def _values(claim: Claim, table: pd.DataFrame, constants: Mapping[str, Any]) -> np.ndarray:
    variables = {name: table[name].to_numpy() for name in claim.variables}
    return np.broadcast_to(claim.bound(**variables, **constants), (len(table),))


def _check_known(claim: Claim, table: pd.DataFrame, label: str, constants: Mapping[str, float]) -> Verdict:
    value = _values(claim, table, constants)
    low, best, high = (table[c].to_numpy(dtype=float) for c in ("low", "best", "high"))
    upper = claim.kind is Kind.SUFFICIENT
    if claim.kind in (Kind.EQUALITY, Kind.PUBLISHED):
        error = claim.error(value) if callable(claim.error) else claim.error
        good, bad = (low <= value + error) & (value - error <= high), None
        slack = float("nan")
    else:
        good = high <= value if upper else low >= value
        bad = low > value if upper else high < value
        finite = np.isfinite(best) & (best > 0) & (value > 0)
        factor = value[finite] / best[finite] if upper else best[finite] / value[finite]
        slack = float(np.median(factor)) if finite.any() else float("nan")
    names = ("bound over measured" if upper else "measured over bound") if bad is not None else ""
    tail = f"; {names}: {slack:.3g} (median)" if np.isfinite(slack) else ""
    count = len(table)
    if good.all():
        text, status = f"holds at all {count} points{tail}", Status.HOLDS
    elif bad is None:
        worst = int(np.argmax(np.where(good, -np.inf, np.maximum(low - value, value - high))))
        where = _place(claim, table, worst)
        text = f"differs at {int((~good).sum())} of {count} points, most{where}: measured {best[worst]:.4g} "
        text += f"[{low[worst]:.4g}, {high[worst]:.4g}], claimed {value[worst]:.4g}"
        status = Status.VIOLATED
    elif bad.any():
        worst = int(np.argmax(bad))
        text = f"violated at {int(bad.sum())} of {count} points, first{_place(claim, table, worst)}: "
        text += f"measured {best[worst]:.4g} [{low[worst]:.4g}, {high[worst]:.4g}], bound {value[worst]:.4g}"
        status = Status.VIOLATED
    else:
        text = f"holds at {int(good.sum())} of {count} points, within the interval at the others{tail}"
        status = Status.OPEN
    return Verdict(claim, status, text, label, slack=slack)


def _place(claim: Claim, table: pd.DataFrame, i: int) -> str:
    at = ", ".join(f"{name} = {table[name].iloc[i]:.4g}" for name in claim.variables)
    return f" at {at}" if at else ""


def _check_fitted(
    claim: Claim, table: pd.DataFrame, label: str, constant: str, constants: Mapping[str, float]
) -> Verdict:
    """An unknown constant: the smallest (for a lower bound, the largest) that the data allow."""
    lower_bound = claim.kind is Kind.NECESSARY
    one = _values(claim, table, {**constants, constant: 1.0})
    two = _values(claim, table, {**constants, constant: 2.0})
    drift = ""
    if np.allclose(two, 2 * one, rtol=1e-9):
        fit = smallest_constant(table, one, lower_bound=lower_bound)
        estimate, drift = fit.constant, fit.drift_text
    else:
        estimate = _solved_constant(claim, table, constant, constants)
    word = "at most" if lower_bound else "at least"
    given = "".join(f" at {name} = {value:g}" for name, value in constants.items())
    text = f"consistent with {constant} {word} {estimate.best:.3g} [{estimate.low:.3g}, {estimate.high:.3g}]{given}"
    return Verdict(claim, Status.CONSISTENT, f"{text}; {drift}" if drift else text, label, constant=estimate)


def _solved_constant(claim: Claim, table: pd.DataFrame, constant: str, constants: Mapping[str, float]) -> Estimate:
    """The smallest constant by bisection, for a bound that grows with it otherwise than in proportion."""
    if claim.kind is not Kind.SUFFICIENT:
        raise ArgumentError(constant, "a constant that does not multiply a lower bound", "a value", f"Pass {constant}=")
    ends = []
    for column in ("low", "best", "high"):
        value = table[column].to_numpy(dtype=float)
        small, large = np.zeros(len(table)), np.full(len(table), 2.0**20)
        if (_values(claim, table, {**constants, constant: large}) < value).any():
            raise ArgumentError(constant, "a bound that no value lifts above the data", "a value", f"Pass {constant}=")
        for _ in range(80):
            middle = (small + large) / 2
            enough = _values(claim, table, {**constants, constant: middle}) >= value
            small, large = np.where(enough, small, middle), np.where(enough, middle, large)
        ends.append(float(large.max()))
    low, best, high = ends
    return Estimate(low, best, high)
