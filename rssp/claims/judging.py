"""A claim without open constants at every point of a table: what each point says for and against it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import ndtri

from rssp.claims.counted import binomial, curves_of
from rssp.claims.selection import COVER, THRESHOLDS
from rssp.claims.significance import (
    FALSE_ALARM,
    Tails,
    interval_tails,
    smallest_tail,
    whole_tails,
)
from rssp.claims.statement import Claim, Sense
from rssp.estimates import Evidence
from rssp.inference.points import side_errors
from rssp.intervals import clopper_pearson

__all__ = ["Judged", "evaluated", "judge", "whole_numbers", "without_error"]

_Floats = NDArray[np.float64]
_Bools = NDArray[np.bool_]
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
    off : of an equality, how far the truth may be from the claimed value for all that the point says, but for the
        error asked for; inf where the point says nothing; nan for a bound
    fine : of an equality, whether `off` is fine enough to mean something: less than the value itself (a factor of 2
        would have been seen), or one whole number, or what the claim itself leaves open by its own sample
    silent : points whose row was measured and carries no error: it decides nothing
    """

    points: pd.DataFrame
    against: _Floats
    support: _Floats
    off: _Floats
    fine: _Bools
    silent: _Bools


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


def without_error(rows: pd.DataFrame, quantity: str) -> _Bools:
    """Rows that were measured and carry neither counts nor an interval: a median, an extreme, a single run.

    A whole n* is an interval by itself where its confidence is said: the order statistics next to it may be the same.
    """
    measured = (rows["evidence"].astype(str) == str(Evidence.MEASURED)).to_numpy()
    if {"trials", "successes"} <= set(rows.columns):
        return np.zeros(len(rows), dtype=np.bool_)
    low, best, high = (rows[c].to_numpy(dtype=np.float64) for c in ("low", "best", "high"))
    bare = np.isfinite(best) & ((low == best) & (best == high) | np.isnan(low) & np.isnan(high))
    if whole_numbers(rows, quantity) and "confidence" in rows.columns:
        bare &= rows["confidence"].isna().to_numpy()
    return np.asarray(measured & bare, dtype=np.bool_)


def judge(
    claim: Claim,
    rows: pd.DataFrame,
    quantity: str,
    constants: Mapping[str, Any],
    false_alarm: float = FALSE_ALARM,
) -> Judged:
    """Hold the formula against every point; `false_alarm` is the error, over all of them, of `off`."""
    if quantity == COVER and claim.quantity in THRESHOLDS:
        return _on_counts(claim, rows, constants, false_alarm)
    value = evaluated(claim, rows, constants)
    error, sigma = claim.allowance(value)
    tail = false_alarm / 2 / len(rows)
    complement = quantity == COVER and claim.quantity != COVER
    points = _points(rows, value, complement)
    low, best, high = (points[c].to_numpy(dtype=np.float64) for c in ("low", "best", "high"))
    level = rows["confidence"].to_numpy(dtype=np.float64) if "confidence" in rows.columns else np.full(len(rows), 0.95)
    level = np.where(np.isnan(level), 0.95, level)
    claimed = value
    if whole_numbers(rows, quantity):
        sides = _on_whole(claim, rows, value, error, level)
        value = np.ceil(value) if claim.sense is not Sense.EQUAL else value
        ends = _stretched(low - 1, best, high + 1, level, tail)
        ends = ends[0] + 1, ends[1] - 1
    elif {"trials", "successes"} <= set(rows.columns) and claim.quantity.startswith("P(") and not sigma.any():
        failures = _event(rows, complement)
        sides = _sides(claim, lambda v: binomial(rows, failures, v), value, error)
        ends = _of_counts(rows, failures, tail)
    else:
        if claim.quantity in THRESHOLDS and claim.sense is not Sense.EQUAL:
            # enough is the next whole number; n* is that whole number's interpolation, in the interval before it
            value = _ceil(value) - (claim.sense is Sense.AT_LEAST)
        sides = _sides(claim, lambda v: interval_tails(low, best, high, level, v, sigma), value, error)
        ends = _stretched(low, best, high, level, tail)
    computed = (rows["evidence"].astype(str) == str(Evidence.COMPUTED)).to_numpy()
    proved = _proved(claim, low, high, value, error)
    silent = without_error(rows, quantity)
    against, support = (np.where(silent, 1.0, np.where(computed, p, s)) for p, s in zip(proved, sides, strict=True))
    ends = np.where(computed, low, ends[0]), np.where(computed, high, ends[1])
    off = _off(claim, claimed, ends, silent)
    own = (ends[1] - ends[0]) / 2
    known = own <= 2 * (error - sigma * ndtri(tail))  # as fine as the claim's own sample
    fine = np.isfinite(off) & ((off < np.abs(claimed)) | (claimed == 0) | known | _next_number(claim, off))
    return Judged(points, against, support, off, fine, silent)


def _next_number(claim: Claim, off: _Floats) -> _Bools:
    """Of numbers of samples, one is as fine as they go."""
    return np.asarray((off <= 1) & claim.quantity.startswith("n"), dtype=np.bool_)


def _off(claim: Claim, value: _Floats, ends: tuple[_Floats, _Floats], silent: _Bools) -> _Floats:
    if claim.sense is not Sense.EQUAL:
        return np.full(len(value), np.nan)
    with np.errstate(invalid="ignore"):
        off = np.maximum(np.abs(value - ends[0]), np.abs(ends[1] - value))
    return np.where(silent | np.isnan(off), np.inf, off)


def _stretched(low: _Floats, best: _Floats, high: _Floats, level: _Floats, tail: float) -> tuple[_Floats, _Floats]:
    """The ends of intervals that leave out `tail` on either side, by the normal law; inf where they are open."""
    down, up = side_errors(low, best, high, level)
    with np.errstate(invalid="ignore"):
        lower, upper = best + ndtri(tail) * down, best - ndtri(tail) * up
    return np.where(np.isfinite(best), lower, -np.inf), np.where(np.isfinite(best), upper, np.inf)


def _of_counts(rows: pd.DataFrame, failures: bool, tail: float) -> tuple[_Floats, _Floats]:
    undecided = rows["undecided"] if "undecided" in rows.columns else 0
    low, high = clopper_pearson(rows["successes"], rows["trials"], undecided, confidence=1 - 2 * tail)
    return (1 - high, 1 - low) if failures else (low, high)


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
    kinds = rows["evidence"].astype(str)
    seen = [f"{e} {b:.4g} [{lo:.4g}, {h:.4g}]" for e, lo, b, h in zip(kinds, *ends, strict=True)]
    return points.assign(seen=[f"{s}, claimed {v:.4g}" for s, v in zip(seen, value, strict=True)])


def _event(rows: pd.DataFrame, complement: bool) -> bool:
    """Whether the event whose probability the rows give is that a trial did *not* succeed."""
    if complement or "best" not in rows.columns:
        return complement
    share = rows["successes"] / rows["trials"]
    return bool(((rows["best"] - share).abs() > (1 - rows["best"] - share).abs()).all())


def _ceil(value: _Floats) -> _Floats:
    return np.ceil(value - _ROUNDING * np.maximum(1.0, np.abs(value)))


def _limits(claim: Claim, value: _Floats, error: _Floats) -> tuple[_Floats, _Floats]:
    """The first and the last whole n* that the claim allows."""
    first, last = np.zeros(len(value)), np.full(len(value), np.inf)
    if claim.sense is Sense.AT_MOST:
        last = _ceil(value + error)
    elif claim.sense is Sense.AT_LEAST:
        first = _ceil(value - error)
    else:
        first, last = _ceil(value - error), _ceil(value + error)  # n* is the ceiling of a real threshold
    return first, last


def _combined(claim: Claim, last: tuple[_Floats, _Floats], first: tuple[_Floats, _Floats]) -> tuple[_Floats, _Floats]:
    if claim.sense is Sense.AT_MOST:
        return last
    if claim.sense is Sense.AT_LEAST:
        return first
    return np.minimum(1.0, 2 * np.minimum(last[0], first[0])), np.maximum(last[1], first[1])


def _on_whole(
    claim: Claim, rows: pd.DataFrame, value: _Floats, error: _Floats, level: _Floats
) -> tuple[_Floats, _Floats]:
    """Whole n* with intervals of order statistics."""
    first, last = _limits(claim, value, error)
    low, best, high = (rows[c].to_numpy(dtype=np.float64) for c in ("low", "best", "high"))
    true = whole_tails(low, best, high, level, first, last)
    false = whole_tails(low, best, high, level, last + 1, first - 1)
    at_least = true.at_least
    if {"trials", "delta"} <= set(rows.columns):  # fewer failures than none cannot be seen
        at_least = np.maximum(at_least, smallest_tail(rows["trials"], rows["delta"]))
    return _combined(claim, (true.at_most, false.at_least), (at_least, false.at_most))


def _on_counts(claim: Claim, rows: pd.DataFrame, constants: Mapping[str, Any], false_alarm: float) -> Judged:
    """P(fail) at the whole n that the bound names, by its count: exact at every number of trials."""
    curves = curves_of(claim, rows)
    points, delta = curves.points, curves.delta
    value = evaluated(claim, points, constants)
    error, _ = claim.allowance(value)
    first, last = _limits(claim, value, error)
    above_last, below_last = curves.rows_at(last)
    above_first, below_first = curves.rows_at(first - 1)
    # "n* <= last": P(fail at last) <= delta. "n* >= first": P(fail at first - 1) > delta
    most = curves.p_values(above_last, True), curves.p_values(below_last, False)
    least = curves.p_values(below_first, False), curves.p_values(above_first, True)
    least = (np.where(first <= 0, 1.0, least[0]), np.where(first <= 0, 0.0, least[1]))
    against, support = _combined(claim, most, least)
    pair = (above_first, below_first) if claim.sense is Sense.AT_LEAST else (above_last, below_last)
    shown = curves.shown(np.where(pair[0] >= 0, pair[0], pair[1]))
    measured = curves.first_enough()
    word = "claimed" if claim.sense is Sense.EQUAL else "bound"
    texts = [
        f"{s}, {d:g} allowed; {word} {v:.4g}, n* about {n:g}"
        for s, d, v, n in zip(shown, delta, value, measured, strict=True)
    ]
    points = points.assign(value=value, low=measured, best=measured, high=measured, seen=texts)
    silent = np.zeros(len(points), dtype=np.bool_)
    off = _off(claim, value, curves.between(false_alarm / 2 / len(points)), silent)
    fine = np.isfinite(off) & ((off < np.abs(value)) | _next_number(claim, off))
    return Judged(points, against, support, off, fine, silent)
