"""A claim without open constants at every point of a table: what each point says for and against it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rssp.claims.selection import COVER, THRESHOLDS
from rssp.claims.significance import (
    Tails,
    interval_tails,
    probability_tails,
    smallest_tail,
    tails_of_sequence,
    whole_tails,
)
from rssp.claims.statement import Claim, Sense
from rssp.estimates import Evidence
from rssp.intervals import clopper_pearson
from rssp.schemas import IDENTITY

__all__ = ["Judged", "evaluated", "judge", "whole_numbers"]

_Floats = NDArray[np.float64]
_Ints = NDArray[np.int64]
_ROUNDING = 1e-9  # a bound of 7 + 1e-12 is 7


@dataclass(frozen=True)
class Judged:
    """What the points say.

    Attributes
    ----------
    points : DataFrame, one row a point, with the claim's variables, `value` (the formula's), low, best, high and
        `seen`, the numbers in words
    against : p-value at each point of "the claim is true here"
    support : p-value at each point of "the claim is false here"; nan for an equality, which no data prove
    """

    points: pd.DataFrame
    against: _Floats
    support: _Floats


def evaluated(claim: Claim, rows: pd.DataFrame, constants: Mapping[str, Any]) -> _Floats:
    """The formula at every row: a column of a setting is used in place of its usual value."""
    names = [*claim.variables, *(n for n in claim.settings if n in rows.columns and n not in constants)]
    columns = {name: rows[name].to_numpy(dtype=np.float64) for name in names}
    return np.broadcast_to(claim.bound(**columns, **constants), (len(rows),)).astype(np.float64)


def whole_numbers(rows: pd.DataFrame, quantity: str) -> bool:
    """Whether the rows are whole-number n* (not their interpolation)."""
    best = rows["best"].to_numpy(dtype=np.float64)
    finite = best[np.isfinite(best)]
    counts = quantity in THRESHOLDS or quantity.startswith("n with ")
    return counts and bool((finite == np.round(finite)).all())


def judge(claim: Claim, rows: pd.DataFrame, quantity: str, constants: Mapping[str, Any]) -> Judged:
    """Hold the formula against every point."""
    if quantity == COVER and claim.quantity in THRESHOLDS:
        return _on_counts(claim, rows, constants)
    value = evaluated(claim, rows, constants)
    error, sigma = claim.allowance(value)
    complement = quantity == COVER and claim.quantity != COVER
    points = _points(rows, value, complement)
    low, best, high = (points[c].to_numpy(dtype=np.float64) for c in ("low", "best", "high"))
    if whole_numbers(rows, quantity):
        sides = _on_whole(claim, rows, value, error)
        value = np.ceil(value) if claim.sense is not Sense.EQUAL else value
    elif {"trials", "successes"} <= set(rows.columns) and claim.quantity.startswith("P(") and not sigma.any():
        sides = _sides(claim, lambda v: _binomial(rows, _event(rows, complement), v), value, error)
    else:
        if claim.quantity in THRESHOLDS and claim.sense is not Sense.EQUAL:
            # enough is the next whole number; n* is that whole number's interpolation, in the interval before it
            value = _ceil(value) - (claim.sense is Sense.AT_LEAST)
        level = rows["confidence"].to_numpy(dtype=np.float64) if "confidence" in rows.columns else 0.95
        sides = _sides(claim, lambda v: interval_tails(low, best, high, level, v, sigma), value, error)
    computed = (rows["evidence"].astype(str) == str(Evidence.COMPUTED)).to_numpy()
    proved = _proved(claim, low, high, value, error)
    return Judged(points, np.where(computed, proved[0], sides[0]), np.where(computed, proved[1], sides[1]))


def _sides(claim: Claim, tails: Callable[[_Floats], Tails], value: _Floats, error: _Floats) -> tuple[_Floats, _Floats]:
    below, above = tails(value + error), tails(value - error)
    if claim.sense is Sense.AT_MOST:
        return below.at_most, below.at_least
    if claim.sense is Sense.AT_LEAST:
        return above.at_least, above.at_most
    return np.minimum(1.0, 2 * np.minimum(below.at_most, above.at_least)), np.full(len(value), np.nan)


def _proved(claim: Claim, low: _Floats, high: _Floats, value: _Floats, error: _Floats) -> tuple[_Floats, _Floats]:
    """Where the ends are computed there is no chance in them: 0 or 1."""
    slack = _ROUNDING * np.maximum(1.0, np.abs(value))
    over, under = low > value + error + slack, high < value - error - slack
    within, beyond = high <= value + error + slack, low >= value - error - slack
    sides = {
        Sense.AT_MOST: (over, within),
        Sense.AT_LEAST: (under, beyond),
        Sense.EQUAL: (over | under, within & beyond),
    }
    against, support = sides[claim.sense or Sense.EQUAL]
    return np.where(against, 0.0, 1.0), np.where(support, 0.0, 1.0)


def _points(rows: pd.DataFrame, value: _Floats, complement: bool) -> pd.DataFrame:
    points = rows.assign(value=value)
    if complement and "best" in points.columns:
        points = points.assign(low=1 - rows["high"], best=1 - rows["best"], high=1 - rows["low"])
    ends = (points[c].to_numpy(dtype=np.float64) for c in ("low", "best", "high"))
    seen = [f"measured {b:.4g} [{lo:.4g}, {h:.4g}]" for lo, b, h in zip(*ends, strict=True)]
    return points.assign(seen=[f"{s}, claimed {v:.4g}" for s, v in zip(seen, value, strict=True)])


def _stopped_by_sight(rows: pd.DataFrame) -> NDArray[np.bool_]:
    """Rows whose interval is not the exact one of their counts: it is one that stays valid under optional stopping."""
    wider = np.zeros(len(rows), dtype=np.bool_)
    if not {"low", "high", "confidence"} <= set(rows.columns):
        return wider
    for level, part in rows.reset_index(drop=True).groupby("confidence"):
        undecided = part["undecided"] if "undecided" in part.columns else 0
        low, high = clopper_pearson(part["successes"], part["trials"], undecided, confidence=float(str(level)))
        # of the event counted or of its complement
        same = np.isclose(part["low"], low, atol=1e-6) & np.isclose(part["high"], high, atol=1e-6)
        other = np.isclose(part["low"], 1 - high, atol=1e-6) & np.isclose(part["high"], 1 - low, atol=1e-6)
        wider[part.index] = ~(same | other)
    return wider


def _event(rows: pd.DataFrame, complement: bool) -> bool:
    """Whether the event whose probability the rows give is that a trial did *not* succeed."""
    if complement or "best" not in rows.columns:
        return complement
    share = rows["successes"] / rows["trials"]
    return bool(((rows["best"] - share).abs() > (1 - rows["best"] - share).abs()).all())


def _binomial(rows: pd.DataFrame, failures: bool, value: _Floats) -> Tails:
    """Tails of the probability of a failure, or of a success, from counts."""
    trials, successes = (rows[c].to_numpy(dtype=np.float64) for c in ("trials", "successes"))
    undecided = rows["undecided"].to_numpy(dtype=np.float64) if "undecided" in rows.columns else np.zeros(len(rows))
    events = trials - successes - undecided if failures else successes
    exact = probability_tails(events, trials, value, undecided)
    seen = _stopped_by_sight(rows)
    if not seen.any():
        return exact
    loose = tails_of_sequence(events, trials, value, undecided)
    return Tails(np.where(seen, loose.at_most, exact.at_most), np.where(seen, loose.at_least, exact.at_least))


def _ceil(value: _Floats) -> _Floats:
    return np.ceil(value - _ROUNDING * np.maximum(1.0, np.abs(value)))


def _floor(value: _Floats) -> _Floats:
    return np.floor(value + _ROUNDING * np.maximum(1.0, np.abs(value)))


def _limits(claim: Claim, value: _Floats, error: _Floats) -> tuple[_Floats, _Floats]:
    """The first and the last whole n* that the claim allows."""
    first, last = np.zeros(len(value)), np.full(len(value), np.inf)
    if claim.sense is Sense.AT_MOST:
        last = _ceil(value + error)
    elif claim.sense is Sense.AT_LEAST:
        first = _ceil(value - error)
    else:
        first, last = _ceil(value - error), _floor(value + error)
    return first, last


def _combined(claim: Claim, last: tuple[_Floats, _Floats], first: tuple[_Floats, _Floats]) -> tuple[_Floats, _Floats]:
    if claim.sense is Sense.AT_MOST:
        return last
    if claim.sense is Sense.AT_LEAST:
        return first
    return np.minimum(1.0, 2 * np.minimum(last[0], first[0])), np.maximum(last[1], first[1])


def _on_whole(claim: Claim, rows: pd.DataFrame, value: _Floats, error: _Floats) -> tuple[_Floats, _Floats]:
    """Whole n* with intervals of order statistics."""
    first, last = _limits(claim, value, error)
    low, best, high = (rows[c].to_numpy(dtype=np.float64) for c in ("low", "best", "high"))
    level = rows["confidence"].to_numpy(dtype=np.float64) if "confidence" in rows.columns else 0.95
    true = whole_tails(low, best, high, level, first, last)
    false = whole_tails(low, best, high, level, last + 1, first - 1)
    at_least = true.at_least
    if {"trials", "delta"} <= set(rows.columns):  # fewer failures than none cannot be seen
        at_least = np.maximum(at_least, smallest_tail(rows["trials"], rows["delta"]))
    return _combined(claim, (true.at_most, false.at_least), (at_least, false.at_most))


def _on_counts(claim: Claim, rows: pd.DataFrame, constants: Mapping[str, Any]) -> Judged:
    """P(fail) at the whole n that the bound names, by its count: exact at every number of trials."""
    names = dict.fromkeys((*IDENTITY.names, *claim.variables, *claim.settings, "eps", "delta"))
    keys = [name for name in names if name in rows.columns and name != "n"]
    group = rows.groupby(keys, sort=False, dropna=False).ngroup().to_numpy()
    order = np.lexsort((rows["n"].to_numpy(), group))
    rows, group = rows.iloc[order].reset_index(drop=True), group[order]
    starts = np.flatnonzero(np.diff(group, prepend=-1))
    points = rows.iloc[starts].reset_index(drop=True)
    value = evaluated(claim, points, constants)
    error, _ = claim.allowance(value)
    first, last = _limits(claim, value, error)
    delta = points["delta"].to_numpy(dtype=np.float64)
    n, ends = rows["n"].to_numpy(dtype=np.float64), np.append(starts[1:], len(rows))
    above_last, below_last = _rows_at(n, starts, ends, last)
    above_first, below_first = _rows_at(n, starts, ends, first - 1)
    # "n* <= last": P(fail at last) <= delta. "n* >= first": P(fail at first - 1) > delta
    most = _counted(rows, above_last, delta, True), _counted(rows, below_last, delta, False)
    least = _counted(rows, below_first, delta, False), _counted(rows, above_first, delta, True)
    least = (np.where(first <= 0, 1.0, least[0]), np.where(first <= 0, 0.0, least[1]))
    against, support = _combined(claim, most, least)
    pair = (above_first, below_first) if claim.sense is Sense.AT_LEAST else (above_last, below_last)
    shown = _shown(rows, np.where(pair[0] >= 0, pair[0], pair[1]))
    measured = _first_enough(rows, starts, ends, delta)
    word = "claimed" if claim.sense is Sense.EQUAL else "bound"
    texts = [
        f"{s}, {d:g} allowed; {word} {v:.4g}, n* about {n:g}"
        for s, d, v, n in zip(shown, delta, value, measured, strict=True)
    ]
    points = points.assign(value=value, low=measured, best=measured, high=measured, seen=texts)
    return Judged(points, against, support)


def _rows_at(n: _Floats, starts: _Ints, ends: _Ints, wanted: _Floats) -> tuple[_Ints, _Ints]:
    """For each group the row at the n wanted, or the next above and below where it was not measured; -1: none.

    P(fail) falls with n: against P(fail at n) <= delta speaks a larger n, for it a smaller one.
    """
    pairs = list(zip(starts, ends, wanted, strict=True))
    above = np.array([a + int(np.searchsorted(n[a:b], w, side="left")) for a, b, w in pairs], dtype=np.int64)
    below = np.array([a + int(np.searchsorted(n[a:b], w, side="right")) - 1 for a, b, w in pairs], dtype=np.int64)
    return np.where(above < ends, above, -1), np.where(below >= starts, below, -1)


def _counted(rows: pd.DataFrame, at: _Ints, delta: _Floats, against: bool) -> _Floats:
    """p-values of P(fail) <= delta (`against`) or P(fail) >= delta at these rows; 1 where there is none."""
    p, have = np.ones(len(at)), at >= 0
    if have.any():
        tails = _binomial(rows.iloc[at[have]].reset_index(drop=True), True, delta[have])
        p[have] = tails.at_most if against else tails.at_least
    return p


def _shown(rows: pd.DataFrame, at: _Ints) -> list[str]:
    n, trials, successes = (rows[c].to_numpy(dtype=np.float64) for c in ("n", "trials", "successes"))
    failures = trials - successes
    return [
        f"P(fail at n = {n[i]:g}) = {failures[i] / trials[i]:.3g} ({failures[i]:g} of {trials[i]:g})"
        if i >= 0
        else "no n measured there"
        for i in at
    ]


def _first_enough(rows: pd.DataFrame, starts: _Ints, ends: _Ints, delta: _Floats) -> _Floats:
    failed = 1 - rows["successes"].to_numpy(dtype=np.float64) / rows["trials"].to_numpy(dtype=np.float64)
    n, found = rows["n"].to_numpy(dtype=np.float64), []
    for a, b, d in zip(starts, ends, delta, strict=True):
        enough = failed[a:b] <= d + _ROUNDING
        found.append(n[a + int(enough.argmax())] if enough.any() else np.inf)
    return np.array(found)
