"""From the tables of trials to counts: how many trials covered with n vectors at eps.

Two tables are read, those of the measurements `CoveringProfiles` (columns batch, trial, n, lower, upper) and
`HittingTimes` (columns batch, trial, eps, n, with n = -1 where the trial was cut off at n_max). Each trial's first n
that covers at eps lies between `first_possible` (lower <= eps) and `first_certain` (upper <= eps); the two differ only
where the covering radius is a bracket, in two dimensions and more. Everything in this folder is computed from those.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from rssp._arguments import array_of_eps, integer
from rssp.errors import ArgumentError, ArgumentTypeError
from rssp.inference.points import float_column

__all__ = ["Counts", "count_trials", "hitting_times_of"]

_Ints = NDArray[np.int64]
_PROFILE = ("n", "lower", "upper")
_HITTING = ("eps", "n")


@dataclass(frozen=True)
class Counts:
    """How many trials cover at each eps with each n.

    Attributes
    ----------
    eps : float64 array (E,)
    n : int64 array (K,), consecutive
    trials : int, those that count
    failed : int, trials that ended in an error and are left out
    certain, middle, possible : int64 arrays (E, K), non-decreasing along n; trials whose radius is <= eps by the upper
        end, the middle and the lower end of its bracket (all equal where the radius is exact)
    first_n_open : bool, whether smaller n exist that were not looked at
    """

    eps: NDArray[np.float64]
    n: _Ints
    trials: int
    failed: int
    certain: _Ints
    middle: _Ints
    possible: _Ints
    first_n_open: bool


def _checked(table: pd.DataFrame) -> tuple[pd.DataFrame, int, bool]:
    """The rows of the trials that did not fail, the number of those that did, and whether it is a profile table."""
    if not isinstance(table, pd.DataFrame):
        raise ArgumentTypeError("table", table, "a DataFrame of trials, such as run(...).table")
    failed = 0
    if "error" in table.columns:
        bad = table["error"].notna()
        if bad.any():
            failed = _count_trials_in(table.loc[bad])
            if bad.all():
                first = table["error"].iloc[0]
                raise ArgumentError("table", f"{failed} trials that all failed ({first})", "at least one that did not")
            table = table.loc[~bad]
    profile = set(_PROFILE) <= set(table.columns)
    if not profile and not set(_HITTING) <= set(table.columns):
        raise ArgumentError(
            "table",
            "columns " + ", ".join(map(str, table.columns)),
            f"the columns {', '.join(_PROFILE)} (CoveringProfiles) or {', '.join(_HITTING)} (HittingTimes)",
            "Pass the table of a run of one of these two measurements.",
        )
    if table.empty:
        raise ArgumentError("table", "no trials", "at least one", "Run more trials.")
    return table, failed, profile


def _trial_ids(table: pd.DataFrame) -> NDArray[np.int64]:
    """One number for each (batch, trial)."""
    if "trial" not in table.columns:
        raise ArgumentError("table", "no column trial", "a column that tells the trials apart", "Add one.")
    columns = [c for c in ("batch", "trial") if c in table.columns]
    ids = np.zeros(len(table), dtype=np.int64)
    for column in columns:
        values = table[column].to_numpy()
        if not np.issubdtype(values.dtype, np.integer):
            values = pd.factorize(values)[0]
        values = values - values.min()
        ids = ids * (int(values.max()) + 1) + values
    return ids


def _dense(ids: NDArray[np.int64]) -> tuple[NDArray[np.int64], int]:
    """The ids renumbered 0, 1, ... and how many there are; without a sort where they are compact."""
    span = int(ids.max()) + 1
    if span > 8 * len(ids) + 1000:
        unique, dense = np.unique(ids, return_inverse=True)
        return dense.reshape(-1), len(unique)
    seen = np.zeros(span, dtype=np.bool_)
    seen[ids] = True
    number = np.cumsum(seen) - 1
    return number[ids], int(seen.sum())


def _count_trials_in(table: pd.DataFrame) -> int:
    return _dense(_trial_ids(table))[1]


def _whole(table: pd.DataFrame, column: str, low: int) -> NDArray[np.int64]:
    values = table[column].to_numpy()
    if not np.issubdtype(values.dtype, np.integer):
        whole = float_column(table, column)
        if not (np.isfinite(whole) & (whole == np.floor(whole))).all():
            raise ArgumentError("table", f"column {column} with values that are not whole", "whole numbers")
        values = whole
    values = values.astype(np.int64)
    if values.min() < low:
        raise ArgumentError("table", f"{column} = {values.min()}", f"{column} >= {low}")
    return values


def _eps_column(table: pd.DataFrame) -> NDArray[np.float64]:
    eps = float_column(table, "eps")
    if not (np.isfinite(eps) & (eps > 0)).all():
        raise ArgumentError("table", "column eps with values that are not finite and > 0", "finite numbers > 0")
    return eps


def _repeated(what: str) -> ArgumentError:
    return ArgumentError(
        "table",
        what,
        "each trial once with the same rows as the others",
        "Pass the table of one experiment; estimate different experiments one by one.",
    )


def count_trials(table: pd.DataFrame, eps: ArrayLike | None, n_max: int | None = None) -> Counts:
    """The counts behind every estimate; time linear in the rows, about 0.1 s for a million.

    Parameters
    ----------
    table : DataFrame of trials of one experiment
    eps : float or array (E,); may be None for a table of hitting times: then all its eps
    n_max : where the trials were cut off, for hitting times; the largest n seen unless given
    """
    rows, failed, profile = _checked(table)
    if profile:
        if eps is None:
            raise ArgumentError("eps", None, "one number > 0 or a list of them")
        return _count_profiles(rows, failed, array_of_eps(eps))
    wanted = np.unique(_eps_column(rows))[::-1] if eps is None else array_of_eps(eps)
    return _count_hits(rows, failed, wanted, n_max)


def _count_profiles(rows: pd.DataFrame, failed: int, eps: NDArray[np.float64]) -> Counts:
    n = _whole(rows, "n", 0)
    lower, upper = (float_column(rows, c) for c in ("lower", "upper"))
    if not (lower <= upper).all():
        raise ArgumentError("table", "a row with lower > upper, or not a number", "lower <= upper")
    first, last = int(n.min()), int(n.max())
    trials = _count_trials_in(rows)
    per_n = np.bincount(n - first)
    if not (per_n == trials).all():
        raise _repeated(f"{trials} trials, but {per_n.min()} to {per_n.max()} rows for one n")
    order = np.argsort(eps, kind="stable")

    def counts(radius: NDArray[np.float64]) -> _Ints:
        # smallest eps that the radius meets; then one histogram over (that eps, n) and its running sum
        place = np.searchsorted(eps[order], radius, side="left")
        width = last - first + 1
        histogram = np.bincount(place * width + (n - first), minlength=(len(eps) + 1) * width)
        running = np.cumsum(histogram.reshape(len(eps) + 1, width)[:-1], axis=0)
        result = np.empty_like(running)
        result[order] = running
        return result

    certain = counts(upper)
    exact = bool((lower == upper).all())
    possible = certain if exact else counts(lower)
    middle = certain if exact else counts((lower + upper) / 2)
    ns = np.arange(first, last + 1)
    # a profile need not be monotone to the last bit of its bracket; what was covered once stays covered
    certain, middle, possible = (np.maximum.accumulate(c, axis=1) for c in (certain, middle, possible))
    return Counts(eps, ns, trials, failed, certain, middle, possible, first > 1)


def _count_hits(rows: pd.DataFrame, failed: int, eps: NDArray[np.float64], n_max: int | None) -> Counts:
    n, column = _whole(rows, "n", -1), _eps_column(rows)
    seen = max(int(n.max()), 0)
    last = seen if n_max is None else integer("n_max", n_max, seen)
    trials = _count_trials_in(rows)
    certain = np.empty((len(eps), last + 1), dtype=np.int64)
    for i, value in enumerate(eps):
        mine = n[column == value]
        if mine.size == 0:
            known = ", ".join(f"{v:g}" for v in np.unique(column)[::-1])
            raise ArgumentError("eps", value, f"those in the table: {known}", "Measure it with HittingTimes(eps=...).")
        if mine.size != trials:
            raise _repeated(f"{trials} trials, but {mine.size} rows for eps = {value:g}")
        certain[i] = np.cumsum(np.bincount(mine[mine >= 0], minlength=last + 1))
    return Counts(eps, np.arange(last + 1), trials, failed, certain, certain, certain, False)


def hitting_times_of(table: pd.DataFrame, eps: ArrayLike | None) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Each trial's first n that covers, by the middle of the bracket: the eps (E,) and the times (trials, E).

    inf where the trial did not cover by its last n. Time: a sort of the rows.
    """
    rows, _, profile = _checked(table)
    if profile and eps is None:
        raise ArgumentError("eps", None, "one number > 0 or a list of them")
    trial, trials = _dense(_trial_ids(rows))
    n = _whole(rows, "n", -1).astype(np.float64)
    if not profile:
        column = _eps_column(rows)
        wanted = np.unique(column)[::-1] if eps is None else array_of_eps(eps)
        times = np.full((trials, len(wanted)), np.inf)
        for i, value in enumerate(wanted):
            hit = (column == value) & (n >= 0)
            times[trial[hit], i] = n[hit]
        return wanted, times
    wanted = array_of_eps(eps if eps is not None else ())
    radius = (float_column(rows, "lower") + float_column(rows, "upper")) / 2
    times = np.full((trials, len(wanted)), np.inf)
    for i, value in enumerate(wanted):
        hit = radius <= value
        np.minimum.at(times[:, i], trial[hit], n[hit])
    return wanted, times
