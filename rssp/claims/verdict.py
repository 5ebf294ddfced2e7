"""Verdicts: a claim against estimates inside its scope, at a stated error."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from rssp._arguments import probability
from rssp.claims.forms import fit_constant
from rssp.claims.judging import Judged, judge, without_error
from rssp.claims.selection import COVER, THRESHOLDS, USUAL_DELTAS, select
from rssp.claims.significance import FALSE_ALARM, holm
from rssp.claims.statement import Claim, Kind, Sense
from rssp.errors import ArgumentError
from rssp.estimates import Estimate

__all__ = ["Status", "Verdict", "check", "in_error", "not_measured", "out_of_reach"]


class Status(enum.Enum):
    """The members are the words that a person reads."""

    HOLDS = "holds"
    VIOLATED = "violated"
    CONSISTENT = "consistent"
    NO_FORM = "form not supported"
    OPEN = "undecided"
    NOT_MEASURED = "not measured yet"
    OUT_OF_REACH = "out of reach"
    ERROR = "error"


@dataclass(frozen=True)
class Verdict:
    """What the data say of a claim.

    Attributes
    ----------
    claim : Claim
    status : Status
    text : str, one line: why
    measured : str, what was measured and over which range
    constant : Estimate or None, the smallest constant that the data allow (the largest, for a lower bound)
    slack : float, the median of bound over measurement (upper bounds) or its inverse; nan where not a bound
    points : int, at how many points the claim was tested
    false_alarm : float, with which probability at most a true claim gets "violated" or "form not supported"; 0 where
        nothing was tested
    left_out : str, how many rows lay outside the claim's scope or were predictions, and why; "" for none
    prediction : str, what the predictions in the table say of the claim; "" where there are none
    proved : str, what is proved here of a constant that the paper leaves open, and where; "" where nothing is
    """

    claim: Claim
    status: Status
    text: str
    measured: str = ""
    constant: Estimate | None = None
    slack: float = float("nan")
    points: int = 0
    false_alarm: float = 0.0
    left_out: str = ""
    prediction: str = ""
    proved: str = ""

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
            "points": self.points,
            "false_alarm": self.false_alarm,
            "left_out": self.left_out,
            "prediction": self.prediction,
            "proved": self.proved_and_measured,
        }

    @property
    def proved_and_measured(self) -> str:
        """What is proved of the claim's constant beside what the data say of it; "" where nothing is proved."""
        c = self.constant
        measured = f"; measured: C >= {c.low:.3g}" if c is not None and self.proved else ""
        return self.proved + measured

    def __str__(self) -> str:
        lines = [f"{self.claim.id}: {self.status.value}: {self.text}"]
        lines += [f"  {self.measured}"] if self.measured else []
        lines += [f"  left out: {self.left_out}"] if self.left_out else []
        lines += [f"  predicted: {self.prediction}"] if self.prediction else []
        lines += [f"  proved: {self.proved_and_measured}"] if self.proved else []
        return "\n".join(lines)


def out_of_reach(claim: Claim, reason: str = "") -> Verdict:
    """The verdict of a claim that nothing here can measure; the reason is the claim's own unless given."""
    return Verdict(claim, Status.OUT_OF_REACH, reason or claim.unreachable or "no experiment here speaks of it")


def in_error(claim: Claim, message: str) -> Verdict:
    """The verdict of a claim that cannot be held against its rows: its formula fails, or a column is missing."""
    return Verdict(claim, Status.ERROR, message)


def not_measured(claim: Claim, command: str = "", why: str = "") -> Verdict:
    """The verdict of a claim of which nothing is stored yet, with the command that would measure it, or the reason."""
    why = why or claim.unmeasured
    if not (command or why) and claim.scope is not None:
        command = claim.scope.command() if claim.quantity == "n*" else ""
        why = f"no stored row lies in its scope: {claim.scope.text}"
    return Verdict(claim, Status.NOT_MEASURED, f"measure it: {command}" if command else why or "nothing is stored")


def check(
    claim: Claim,
    table: pd.DataFrame,
    *,
    measured: str = "",
    constant: str = "C",
    deltas: Sequence[float] | None = None,
    covariance: ArrayLike | None = None,
    false_alarm: float = FALSE_ALARM,
    **constants: float,
) -> Verdict:
    """Hold a claim against the rows of a table that lie inside its scope.

    Parameters
    ----------
    claim : Claim
    table : DataFrame with a column for each variable of the claim and each restriction of its scope, `evidence`, and
        either `low`, `best`, `high` (and `confidence`, 0.95 unless there) of its quantity, or the counts `trials` and
        `successes` of P(cover). A column `quantity` says what the rows are; others than the claim's are left out
    measured : how the table is named in the verdict; the ranges of the variables are added
    constant : the unknown constant to fit, where the claim has one
    deltas : the failure probabilities at which an n* is judged on counts of P(cover); a column `delta` comes first.
        None for 0.5, 0.1 and 0.01, and for powers of 1/2 as well where a constant is open, as far as the trials go
    covariance : array (rows, rows) of the errors of `best`, for the growth of a fitted constant; without it errors are
        taken to be as correlated as they can be
    false_alarm : with which probability a true claim may get "violated" or "form not supported", over all its points
    **constants : values for other constants, or for `constant` itself when it is not to be fitted

    Returns
    -------
    Verdict. "violated" is said with a family-wise error of at most `false_alarm` (Holm); "holds", of a bound, where
    every point by itself says so with that error; of an equality, where no point contradicts it. A claim on n* is
    judged on counts where there are any: P(fail) at the whole n that the bound names, by the exact binomial tail.

    Raises
    ------
    ArgumentError
        For a table without a column that the claim or its scope needs (the near miss is named), with one that bears
        the name of its constant, without a row; for a formula that fails (with the claim's id); and for a constant
        that is neither known, given, nor the one to fit.

    Examples
    --------
    >>> from rssp.claims import claim
    >>> seen = pd.DataFrame({"n": range(3, 9), "trials": 1000, "successes": [0, 2, 150, 600, 900, 990]})
    >>> seen = seen.assign(eps=2.0**-4, d=1, radius=1.0, targets="all", quantity="P(cover)", evidence="measured")
    >>> print(check(claim("counting-1d"), seen, deltas=[0.5]).text)
    at the one point; n* over bound: 1.5
    """
    false_alarm = probability("false_alarm", false_alarm)
    chosen = select(claim, table, deltas, constants)
    open_constants = [name for name in claim.unknown if name not in constants]
    if open_constants not in ([], [constant]):
        left = ", ".join(name for name in open_constants if name != constant) or constant
        raise ArgumentError(left, "nothing", "a value: the paper leaves it open", f"Pass {left}=... to check().")
    left_out = ", ".join(f"{count} with {reason}" for reason, count in chosen.left_out.items())
    positions = chosen.rows.index.to_numpy()
    part = None if covariance is None else np.asarray(covariance, dtype=np.float64)[np.ix_(positions, positions)]

    def verdict_on(rows: pd.DataFrame, among: np.ndarray | None) -> Verdict:
        label = _label(claim, rows, measured)
        rows = rows.reset_index(drop=True)
        if open_constants:
            return _fitted(claim, rows, chosen.quantity, label, constant, constants, among, false_alarm)
        return _known(claim, judge(claim, rows, chosen.quantity, constants, false_alarm), label, false_alarm)

    prediction = ""
    if len(chosen.predicted):
        predicted = verdict_on(chosen.predicted, None)
        prediction = f"{predicted.status.value}: {predicted.text}"
    if chosen.rows.empty:
        why = f"only predictions speak of it: {prediction}" if prediction else ""
        return replace(not_measured(claim, why=why), left_out=left_out, prediction=prediction, measured=measured)
    verdict = verdict_on(chosen.rows, part)
    if verdict.status is Status.CONSISTENT and deltas is None and _looked_up(claim, table, chosen.quantity):
        options: dict[str, Any] = {"constant": constant, "deltas": USUAL_DELTAS, "false_alarm": false_alarm}
        coarse = check(claim, table, **(options | constants))
        if coarse.status is Status.NO_FORM:
            against = coarse.text.split("; ")[0]
            verdict = replace(verdict, text=f"{verdict.text}; not an independent test: {_GRID}: {against}")
    return replace(verdict, left_out=left_out, prediction=prediction)


_GRID = f"at delta = {', '.join(f'{d:g}' for d in USUAL_DELTAS)} alone, before the grid of delta was refined"


def _looked_up(claim: Claim, table: pd.DataFrame, quantity: str) -> bool:
    """Whether the failure probabilities at which n* is read from counts are this module's choice."""
    return quantity == COVER and claim.quantity in THRESHOLDS and "delta" not in table.columns


def _label(claim: Claim, table: pd.DataFrame, measured: str) -> str:
    ranges = []
    for name in claim.variables:
        if name not in table.columns:
            continue
        low, high = table[name].min(), table[name].max()
        ranges.append(f"{name} = {low:.4g}" if low == high else f"{name} = {low:.4g} to {high:.4g}")
    return "; ".join([measured or claim.quantity, *ranges])


def _known(claim: Claim, judged: Judged, label: str, false_alarm: float) -> Verdict:
    adjusted, points, count = holm(judged.against), judged.points, len(judged.points)
    bad = adjusted <= false_alarm
    slack = _slack(claim, points)
    over = {Sense.AT_MOST: "bound over measured", Sense.AT_LEAST: "measured over bound"}.get(
        claim.sense or Sense.EQUAL, ""
    )
    kinds = set(points["evidence"].astype(str))
    over = over.replace("measured", "n*" if claim.quantity.startswith("n*") else " or ".join(sorted(kinds)))
    tail = f"; {over}: {slack:.3g}{' (median)' if count > 1 else ''}" if np.isfinite(slack) else ""
    every = f"all {count} points" if count > 1 else "the one point"
    equal = claim.sense is Sense.EQUAL
    good = judged.fine if equal else judged.support <= false_alarm
    tail = _resolution(judged) + _allowed(claim, points) if equal else tail
    if bad.any():
        worst = _worst(points, np.where(bad, judged.against, np.inf))
        share = f"at {int(bad.sum())} of {count}, most" if count > 1 else ""
        text = f"{share}{_place(claim, points, worst)}: {points['seen'].iloc[worst]}".strip(": ")
        status = Status.VIOLATED
    elif good.all():
        status, text = Status.HOLDS, f"at {every}{tail}"
    elif judged.silent.all():
        status, text = Status.OPEN, f"rows carry no error{tail}"
    else:
        status, text = Status.OPEN, f"{_open(judged, good, equal)}{tail}"
    return Verdict(claim, status, text, label, slack=slack, points=count, false_alarm=false_alarm)


def _open(judged: Judged, good: np.ndarray, equal: bool) -> str:
    """Why neither side is shown."""
    count, bare = len(good), int(judged.silent.sum())
    if equal and not np.isfinite(judged.off[~judged.silent]).any():
        return f"nothing was measured near {'it' if count == 1 else 'them'}"
    why = "too coarse to see a factor of 2" if equal else "too close to call"
    held = f"holds at {int(good.sum())} of {count}, {why} at the others"
    return f"{held}; {bare} rows carry no error" if bare else held


def _worst(points: pd.DataFrame, against: np.ndarray) -> int:
    """The point of least chance; of several so far off that their chances are all 0, the one of the largest gap."""
    value, low, best, high = (points[c].to_numpy(dtype=np.float64) for c in ("value", "low", "best", "high"))
    with np.errstate(all="ignore"):
        gap = np.nan_to_num(np.abs(value - best) / (high - low), nan=0.0)
    return int(np.argmax(np.where(against == against.min(), gap, -1.0)))


def _slack(claim: Claim, points: pd.DataFrame) -> float:
    value, best = (points[c].to_numpy(dtype=np.float64) for c in ("value", "best"))
    finite = np.isfinite(best) & (best > 0) & np.isfinite(value) & (value > 0)
    if claim.sense is Sense.EQUAL or not finite.any():
        return float("nan")
    with np.errstate(over="ignore"):  # a measurement of 1e-310 leaves any bound infinitely far
        ratio = value[finite] / best[finite]
    return float(np.median(ratio if claim.sense is Sense.AT_MOST else 1 / ratio))


def _resolution(judged: Judged) -> str:
    """How far off the claim may be for all that the points say: an equality is only as good as that."""
    off, value = judged.off[np.isfinite(judged.off)], judged.points["value"].to_numpy(dtype=np.float64)
    if not len(off):
        return ""
    if not (off > 0).any():
        return ", exactly"
    if (value == 0).any():
        half, most = (f"{v:.2g}" for v in (np.median(off), off.max()))
    else:
        share = 100 * off / np.abs(value[np.isfinite(judged.off)])
        half, most = (_percent(v) for v in (np.median(share), share.max()))
    return f", off by at most {most}" + (f" (median {half})" if len(off) > 1 else "")


def _allowed(claim: Claim, points: pd.DataFrame) -> str:
    """How far off a heuristic says that it is: without it "holds" would be read as exact."""
    value = points["value"].to_numpy(dtype=np.float64)
    error, _ = claim.allowance(value)
    if claim.kind is Kind.PUBLISHED or not (error > 0).any() or (value == 0).any():
        return ""
    share = 100 * (error / np.abs(value)).max()
    return f"; it allows itself {_percent(share)}"


def _percent(share: float) -> str:
    return f"{share:.2g} %" if share < 100 else f"{share:.0f} %"


def _place(claim: Claim, table: pd.DataFrame, i: int) -> str:
    names = [
        n for n in dict.fromkeys((*claim.variables, "eps", "delta")) if n in table.columns and table[n].notna().iloc[i]
    ]
    at = ", ".join(f"{name} = {table[name].iloc[i]:.4g}" for name in names)
    return f" at {at}" if at else ""


def _fitted(
    claim: Claim,
    rows: pd.DataFrame,
    quantity: str,
    label: str,
    constant: str,
    constants: dict[str, float],
    covariance: np.ndarray | None,
    false_alarm: float,
) -> Verdict:
    """An unknown constant: the smallest (for a lower bound, the largest) that the data allow, if one can do."""
    silent = without_error(rows, quantity)
    if silent.any() and not silent.all():
        rows = rows.loc[~silent]
        covariance = None if covariance is None else covariance[np.ix_(~silent, ~silent)]
    fit = fit_constant(claim, rows, quantity, constant, constants, covariance)
    c, worst = fit.constant, fit.worst
    word = {Sense.AT_MOST: "at least ", Sense.AT_LEAST: "at most ", Sense.EQUAL: ""}[claim.sense or Sense.EQUAL]
    size = {Sense.AT_MOST: "large ", Sense.AT_LEAST: "small "}.get(claim.sense or Sense.EQUAL, "")
    given = "".join(f" at {name} = {value:g}" for name, value in constants.items())
    needed = f"{constant} {word}{c.best:.3g} [{c.low:.3g}, {c.high:.3g}]{given}"
    tested = worst is not None and not silent.all()
    if silent.all():
        status, text = Status.OPEN, f"rows carry no error; as they stand, {needed}"
    elif worst is None:
        status, text = Status.OPEN, f"cannot be tested here: any {size}{constant} fits; {needed}"
    elif worst.p_value <= false_alarm:
        where = f" at {worst.where}" if worst.where else ""
        grows = worst.text.replace("C ", f"{constant} ", 1)
        status, text = Status.NO_FORM, f"{grows}{where}; {needed} up to there"
    else:
        status, text = Status.CONSISTENT, needed
    level = false_alarm if tested else 0.0
    return Verdict(claim, status, text, label, constant=c, points=len(rows), false_alarm=level)
