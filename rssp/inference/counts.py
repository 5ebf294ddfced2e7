"""From trials to counts: how many trials covered with n vectors at eps.

Three kinds of measurement tell it: covering profiles (columns batch, trial, n, lower, upper), hitting times (columns
batch, trial, eps, n, with n = -1 where the trial was cut off at n_max) and coverage (column covered, at the one n and
eps of the measurement). A measurement says which kind it is; a table made by hand, whose measurement is not known, is
read by its columns. Each trial's first n that covers at eps lies between the first with lower <= eps and the first
with upper <= eps; the two differ only where the covering radius is a bracket, in two dimensions and more. Everything
in this folder is computed from those.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from rssp._arguments import array_of_eps, integer
from rssp.errors import ArgumentError
from rssp.inference.points import float_column
from rssp.trials import Trials, as_trials

__all__ = ["Counts", "count_trials", "hitting_times_of"]

_Ints = NDArray[np.int64]
_COLUMNS = {"covering profiles": ("n", "lower", "upper"), "hitting times": ("eps", "n"), "coverage": ("covered",)}


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


def _kind(trials: Trials) -> str:
    """Which kind of measurement the trials are of."""
    if trials.measurement is not None:
        kind = getattr(trials.measurement, "kind", "")
    else:
        columns = set(trials.table.columns)
        kind = next((kind for kind, needed in _COLUMNS.items() if set(needed) <= columns), "")
        kind = "" if kind == "coverage" else kind  # its n and eps are the measurement's
    missing = [c for c in _COLUMNS.get(kind, ()) if c not in trials.table.columns]
    if not kind or missing:
        raise ArgumentError(
            "trials",
            f"columns {', '.join(map(str, trials.table.columns))}",
            "trials of CoveringProfiles (columns n, lower, upper), of HittingTimes (columns eps, n) or of Coverage",
            "Run one of these measurements.",
        )
    return str(kind)


def _rows(trials: Trials) -> tuple[pd.DataFrame, int]:
    """The rows of the trials that did not fail, and the number of those that did."""
    rows = as_trials(trials).succeeded
    failed = _count_trials_in(trials.table[trials.table["error"].notna()]) if len(rows) < len(trials.table) else 0
    if rows.empty:
        raise ArgumentError("trials", "a table without rows", "at least one trial", "Run more trials.")
    return rows, failed


def _trial_ids(table: pd.DataFrame) -> NDArray[np.int64]:
    """One number for each (batch, trial)."""
    if "trial" not in table.columns:
        raise ArgumentError("trials", "no column trial", "a column that tells the trials apart", "Add one.")
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


def count_trials(trials: Trials, eps: ArrayLike | None) -> Counts:
    """The counts behind every estimate; time linear in the rows.

    Parameters
    ----------
    trials : Trials; hitting times were cut off at its n_max, or the largest n seen where it does not say
    eps : float or array (E,); may be None where the trials themselves tell: not for covering profiles
    """
    rows, failed = _rows(trials)
    kind = _kind(trials)
    if kind == "covering profiles":
        return _count_profiles(rows, failed, _wanted(eps))
    if kind == "coverage":
        return _count_covered(trials, rows, failed, eps)
    wanted = np.unique(_eps_column(rows))[::-1] if eps is None else array_of_eps(eps)
    return _count_hits(rows, failed, wanted, trials.n_max)


def _wanted(eps: ArrayLike | None) -> NDArray[np.float64]:
    if eps is None:
        raise ArgumentError("eps", None, "one number > 0 or a list of them", "Covering profiles are read at any eps.")
    return array_of_eps(eps)


def _count_covered(trials: Trials, rows: pd.DataFrame, failed: int, eps: ArrayLike | None) -> Counts:
    own = np.array([trials.measurement.eps], dtype=np.float64)
    if eps is not None and not np.array_equal(array_of_eps(eps), own):
        raise ArgumentError("eps", eps, f"{own[0]:g}, that of the measurement")
    covered = np.array([[int(rows["covered"].to_numpy(dtype=bool).sum())]])
    n = np.array([trials.measurement.n])
    return Counts(own, n, len(rows), failed, covered, covered, covered, int(n[0]) > 1)


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


def hitting_times_of(trials: Trials, eps: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Each trial's first n that covers, by the middle of the bracket: the eps (E,) and the times (trials, E).

    inf where the trial did not cover by its last n. Time: a sort of the rows.
    """
    rows, _ = _rows(trials)
    kind = _kind(trials)
    if kind == "coverage":
        raise ArgumentError("trials", "coverage at one n", "trials of CoveringProfiles or HittingTimes")
    wanted = array_of_eps(eps)
    trial, count = _dense(_trial_ids(rows))
    n = _whole(rows, "n", -1).astype(np.float64)
    times = np.full((count, len(wanted)), np.inf)
    if kind == "hitting times":
        column = _eps_column(rows)
        for i, value in enumerate(wanted):
            hit = (column == value) & (n >= 0)
            times[trial[hit], i] = n[hit]
        return wanted, times
    radius = (float_column(rows, "lower") + float_column(rows, "upper")) / 2
    for i, value in enumerate(wanted):
        hit = radius <= value
        np.minimum.at(times[:, i], trial[hit], n[hit])
    return wanted, times
