"""How many vectors are needed: P(cover) over n and eps, and n*(eps, delta), with intervals.

Two readings of n* are offered. The whole number n* = min {n : P(cover at n, eps) >= 1 - delta} is the (1 - delta)
quantile of the hitting time N(eps); its interval is made of order statistics and is exact. For scaling forms it is too
coarse: rounding moves it by up to one, far more than the statistical error of a few thousand trials. The interpolated
n* is the real number at which P crosses 1 - delta when it is joined between neighbouring n by straight lines of
-ln(-ln P): the scale on which the limit law of coverings (Gumbel) is a straight line, as in Stevens' covering of the
circle. Its ceiling is the whole-number n*, and it moves smoothly with eps: for uniform samples and [-1, 1] the
convention leaves a ripple of up to 0.04 (median; a cubic through four n tells by how much the line is off), against 0.3
of rounding. `interpolated_crossing` puts predictions on the same footing, ripple and all.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.special import bdtr, bdtrik

from rssp._arguments import integer, probability
from rssp.errors import ArgumentError
from rssp.estimates import Evidence
from rssp.inference.counts import Counts, count_trials, hitting_times_of
from rssp.inference.points import probabilities
from rssp.inference.stopped import stopped_proportion
from rssp.intervals import proportion_interval
from rssp.laws.parse import identity_columns
from rssp.schemas import require_columns
from rssp.trials import Trials

__all__ = ["coverage", "interpolated_crossing", "points_covariance", "required_n", "threshold_covariance"]

_Floats = NDArray[np.float64]


def coverage(
    trials: Trials,
    eps: ArrayLike | None = None,
    n: ArrayLike | None = None,
    *,
    confidence: float = 0.95,
) -> pd.DataFrame:
    """P(every target is covered at eps with n vectors).

    Parameters
    ----------
    trials : Trials of `CoveringProfiles`, `HittingTimes` or `Coverage`
    eps : float or array; may be left out except for covering profiles: then all eps that were measured
    n : int or array; all n that the trials looked at unless given
    confidence : of each interval alone. Intervals are exact (Clopper-Pearson) where the number of trials was fixed, and
        valid under any stopping rule where what was seen decided when to stop

    Returns
    -------
    DataFrame with columns n, eps, trials, successes, undecided, failed, low, best, high, quantity ("P(cover)"),
    confidence, evidence, and where the experiment is known law, d, norm, radius, targets; one row an eps and n.
    Where what was seen decided when to stop there is a column `biased` too: `best` of the event that an `IntervalWidth`
    looked at is free of the bias of stopping, that of any other row is the plain proportion, which is not.
    `undecided` trials have eps inside the bracket of their radius: they widen the interval; `best` goes by the middle
    of the bracket. `failed` trials ended in an error and are not among `trials`.

    Raises
    ------
    ArgumentTypeError
        For a bare table: make Trials of it, ``Trials.of(table, n_max=...)``.
    ArgumentError
        For trials of another measurement, an eps or n that they do not hold.

    Examples
    --------
    >>> table = pd.DataFrame({"trial": [0, 1, 2, 3], "eps": 0.1, "n": [5, 6, 6, -1]})
    >>> seen = coverage(Trials.of(table, n_max=10), n=[5, 6])
    >>> seen[["n", "eps", "successes", "trials", "low", "best", "high", "quantity", "evidence"]].round(3)
       n  eps  successes  trials    low  best   high  quantity  evidence
    0  5  0.1          1       4  0.006  0.25  0.806  P(cover)  measured
    1  6  0.1          3       4  0.194  0.75  0.994  P(cover)  measured
    """
    counts = count_trials(trials, eps)
    if n is None:
        wanted = counts.n
    else:
        values = np.atleast_1d(np.asarray(n)).ravel().tolist()
        wanted = np.array([integer("n", v, int(counts.n[0]), int(counts.n[-1])) for v in values], dtype=np.int64)
    columns = wanted - counts.n[0]
    certain, middle, possible = (c[:, columns] for c in (counts.certain, counts.middle, counts.possible))
    method = _method(trials)
    low, high = proportion_interval(certain, counts.trials, possible - certain, confidence=confidence, method=method)
    e, k = certain.shape
    table = pd.DataFrame(
        {
            "n": np.tile(wanted, e),
            "eps": np.repeat(counts.eps, k),
            "trials": counts.trials,
            "successes": certain.ravel(),
            "undecided": (possible - certain).ravel(),
            "failed": counts.failed,
            "low": low.ravel(),
            "best": (middle / counts.trials).ravel(),
            "high": high.ravel(),
        }
    )
    if trials.optional_stopping:
        table = _without_stopping_bias(table, trials)
    return table.assign(**_what("P(cover)", trials, confidence))


def _without_stopping_bias(table: pd.DataFrame, trials: Trials) -> pd.DataFrame:
    """`best` of the event that the rule looked at by `stopped_proportion`, and which rows are left as they are."""
    judges, only = getattr(trials.stop, "judges", None), len(table) == 1
    pairs = zip(table["n"], table["eps"], table["undecided"], strict=True)
    event = [judges is not None and not unsure and judges(n, eps, only) for n, eps, unsure in pairs]
    biased = table.assign(biased=~np.array(event, dtype=bool))
    if "batch" not in trials.table.columns:
        return biased.assign(biased=True)
    sizes = trials.succeeded.drop_duplicates(["batch", "trial"]).groupby("batch").size().to_list()
    for i in np.flatnonzero(event):
        best = stopped_proportion(int(table["successes"].iloc[i]), sizes, trials.stop.stops)
        biased.loc[i, ["low", "best", "high"]] = min(best, table["low"].iloc[i]), best, max(best, table["high"].iloc[i])
    return biased


def _method(trials: Trials) -> str:
    return "sequential" if trials.optional_stopping else "exact"


def _what(quantity: str, trials: Trials, confidence: float) -> dict[str, Any]:
    """The columns that say what a row of low, best, high is, and of which sums and targets."""
    columns: dict[str, Any] = {"quantity": quantity, "confidence": confidence, "evidence": str(Evidence.MEASURED)}
    if trials.experiment is None:
        return columns
    return columns | identity_columns(trials.law, trials.ball, getattr(trials.measurement, "targets", "all"))


def _gumbel_scale(p: ArrayLike, resolution: float = 0.0) -> _Floats:
    clipped = np.clip(np.asarray(p, dtype=np.float64), resolution, 1 - resolution)
    return np.asarray(-np.log(-np.log(clipped)))


def interpolated_crossing(n: ArrayLike, probability: ArrayLike, level: float, resolution: float = 1e-12) -> float:
    """The real n at which P, joined between whole n by lines of -ln(-ln P), crosses a level.

    Parameters
    ----------
    n : array (K,), increasing
    probability : array (K,), non-decreasing, P(cover at n)
    level : float in (0, 1)
    resolution : probabilities nearer to 0 or 1 than this are taken to be that near (they are infinite on that scale)

    Returns
    -------
    float; n[0] where P starts above the level, inf where it ends below.

    >>> round(interpolated_crossing([4, 5, 6], [0.1, 0.4, 0.6], 0.5), 3)
    5.478
    """
    p = np.asarray(probability, dtype=np.float64)
    where = int(np.searchsorted(p, level, side="left"))
    grid = np.asarray(n, dtype=np.float64)
    if where == len(p):
        return float("inf")
    if where == 0:
        return float(grid[0])
    a, b = _gumbel_scale(p[where - 1 : where + 1], resolution)
    step = (float(_gumbel_scale(level)) - a) / (b - a) if b > a else 1.0
    return float(grid[where - 1] + (grid[where] - grid[where - 1]) * np.clip(step, 0.0, 1.0))


def required_n(
    trials: Trials,
    eps: ArrayLike | None = None,
    delta: ArrayLike = 0.5,
    *,
    confidence: float = 0.95,
    interpolated: bool = False,
) -> pd.DataFrame:
    """n*(eps, delta): the smallest n with P(every target is covered at eps) >= 1 - delta.

    Parameters
    ----------
    trials, eps, confidence : as in `coverage`
    delta : float or array, each in (0, 1)
    interpolated : the real-valued n* (see the head of this module), for scaling forms, instead of the whole number

    Returns
    -------
    DataFrame with columns eps, delta, trials, failed, low, best, high, quantity ("n*" or "n* interpolated"),
    confidence, evidence, where the experiment is known law, d, norm, radius, targets, and experiment: one row an eps
    and delta. Rows with the same `experiment` come from the same trials and share their errors: a fit to them needs
    `points_covariance`.

    The whole-number interval consists of order statistics of the hitting times (exact, as
    ``scipy.stats.quantile_test``). The interpolated interval is where the two curves of pointwise bounds of P(n) cross
    1 - delta. `high` and `best` are inf where the trials were cut off before them; `low` is then the first n that they
    leave open: n_max + 1, and n_max itself for the real-valued n*. It is 0 where the trials began above it.

    Examples
    --------
    >>> table = pd.DataFrame({"trial": range(20), "eps": 0.1, "n": [5] * 8 + [6] * 8 + [7] * 3 + [-1]})
    >>> trials = Trials.of(table, n_max=10)
    >>> required_n(trials, delta=[0.5, 0.1])[["eps", "delta", "low", "best", "high", "quantity"]]
       eps  delta  low  best  high quantity
    0  0.1    0.5  5.0   6.0   6.0       n*
    1  0.1    0.1  6.0   7.0   inf       n*
    >>> required_n(trials, interpolated=True)[["eps", "low", "best", "high", "quantity"]].round(2)
       eps   low  best  high         quantity
    0  0.1  4.68   5.2  5.82  n* interpolated
    """
    counts = count_trials(trials, eps)
    if interpolated:
        counts = _from_zero(counts)
    confidence = probability("confidence", confidence)
    method = _method(trials)
    deltas = probabilities("delta", delta)
    rows = []
    for i in range(len(counts.eps)):
        curves = _bounds(counts, i, confidence, method) if interpolated or method == "sequential" else None
        for value in deltas:
            if interpolated and curves is not None:
                low, best, high = _crossings(counts, i, value, curves)
            elif curves is not None:
                low, best, high = _steps(counts, i, value, curves)
            else:
                low, best, high = _order_statistics(counts, i, value, confidence)
            rows.append((counts.eps[i], value, counts.trials, counts.failed, low, best, high))
    found = pd.DataFrame(rows, columns=["eps", "delta", "trials", "failed", "low", "best", "high"])
    what = _what("n* interpolated" if interpolated else "n*", trials, confidence)
    return found.assign(**what, experiment=trials.label)


def _first(counts: Counts, reached: NDArray[np.bool_]) -> float:
    """The first n at which it is so, inf where there is none; 0 where smaller n might do but were not looked at."""
    return float(counts.n[int(reached.argmax())]) if reached.any() else float("inf")


def _low(counts: Counts, value: float) -> float:
    return 0.0 if counts.first_n_open and value <= counts.n[0] else value


def _cut_off(counts: Counts, value: float) -> float:
    """A lower end past the last n: all that is known is that it is larger than that."""
    return float(counts.n[-1] + 1) if np.isinf(value) else value


def _binomial_quantile(tail: float, trials: int, p: float) -> int:
    """The smallest k with P(Binomial(trials, p) <= k) >= tail; scipy.stats takes a second to import."""
    k = max(int(bdtrik(tail, trials, p)) - 1, 0)
    while bdtr(k, trials, p) < tail:
        k += 1
    return k


def _order_statistics(counts: Counts, i: int, delta: float, confidence: float) -> tuple[float, float, float]:
    m, level, tail = counts.trials, 1 - delta, (1 - confidence) / 2
    # among m hitting times, Binomial(m, level) are <= the true n*
    rank_low, rank_high = _binomial_quantile(tail, m, level), m - _binomial_quantile(tail, m, delta) + 1
    # the smallest whole count c with c / m >= level, safe against level * m being off by a rounding
    rank = int(np.ceil(level * m - 1e-9 * m))
    low = _cut_off(counts, _first(counts, counts.possible[i] >= rank_low)) if rank_low > 0 else 0.0
    best = _first(counts, counts.middle[i] >= rank)
    high = _first(counts, counts.certain[i] >= rank_high) if rank_high <= m else float("inf")
    low = _low(counts, low)
    return min(low, best), best, max(high, best)


def _bounds(counts: Counts, i: int, confidence: float, method: str) -> tuple[_Floats, _Floats]:
    certain, possible = counts.certain[i], counts.possible[i]
    return proportion_interval(certain, counts.trials, possible - certain, confidence=confidence, method=method)


def _steps(counts: Counts, i: int, delta: float, curves: tuple[_Floats, _Floats]) -> tuple[float, float, float]:
    level = 1 - delta
    best = _first(counts, counts.middle[i] / counts.trials >= level - 1e-9)
    low = _low(counts, _cut_off(counts, _first(counts, curves[1] >= level)))
    return min(low, best), best, max(_first(counts, curves[0] >= level), best)


def _from_zero(counts: Counts) -> Counts:
    """With the column n = 0, where no vector covers, so that a crossing below n = 1 is a number too."""
    if counts.n[0] != 1:
        return counts
    certain, middle, possible = (np.pad(c, ((0, 0), (1, 0))) for c in (counts.certain, counts.middle, counts.possible))
    return replace(counts, n=np.arange(counts.n[-1] + 1), certain=certain, middle=middle, possible=possible)


def _crossings(counts: Counts, i: int, delta: float, curves: tuple[_Floats, _Floats]) -> tuple[float, float, float]:
    level, half = 1 - delta, 0.5 / counts.trials
    best = interpolated_crossing(counts.n, counts.middle[i] / counts.trials, level, half)
    # the real n* lies above n_max where P(n_max) is below the level, perhaps by little: no end may pass n_max
    low = _low(counts, min(interpolated_crossing(counts.n, curves[1], level), float(counts.n[-1])))
    high = interpolated_crossing(counts.n, curves[0], level)
    return min(low, best), best, max(high, best)


def threshold_covariance(trials: Trials, eps: ArrayLike | None = None, delta: float = 0.5) -> _Floats:
    """The covariance of the interpolated n* at different eps, which come from the same trials.

    A sample that is late at one eps is late at the next: the errors of neighbouring n* are strongly correlated, and a
    fit that takes them for independent claims too much for some parameters and too little for others. This is the
    large-sample covariance, from each trial's influence on each n* (what a bootstrap over trials converges to,
    without its noise and in one pass).

    Parameters
    ----------
    trials, eps : as in `required_n`
    delta : float in (0, 1)

    Returns
    -------
    float64 array (E, E), in the order of the rows of ``required_n(trials, eps, delta, interpolated=True)``; nan in the
    rows and columns of an n* that the trials do not reach. For points of several experiments or several delta there
    is `points_covariance`.
    """
    eps_of_rows = count_trials(trials, eps).eps
    return _covariance(trials, eps_of_rows, np.full(len(eps_of_rows), probability("delta", delta)))


def _covariance(trials: Trials, eps: _Floats, delta: _Floats) -> _Floats:
    """The covariance of the interpolated n* at pairs of eps and delta; nan where one is not reached.

    An n* depends on its trials by two counts, those of the n on either side of it. How often two of these counts come
    from the same trial is a whole number, so that no order of summation shows in the last digits.
    """
    level = 1 - delta
    values, which = np.unique(eps, return_inverse=True)
    counts = _from_zero(count_trials(trials, values))
    _, times = hitting_times_of(trials, counts.eps)
    half, size = 0.5 / counts.trials, len(eps)
    weights, p, seen = np.full((2, size), np.nan), np.zeros((2, size)), np.zeros((2, size, len(times)), dtype=np.int64)
    for i in range(size):
        row = counts.middle[which[i]] / counts.trials
        where = int(np.searchsorted(row, level[i], side="left"))
        if where in (0, len(row)):
            continue
        pair = np.clip(row[where - 1 : where + 1], half, 1 - half)
        a, b = _gumbel_scale(pair)
        w = np.clip((float(_gumbel_scale(level[i])) - a) / (b - a), 0, 1) if b > a else 1.0
        weights[:, i] = np.array([1 - w, w]) / (-pair * np.log(pair)) / max(b - a, 1e-300)
        p[:, i] = row[where - 1 : where + 1]
        seen[:, i] = times[:, which[i]] <= counts.n[where - 1 : where + 1, None]
    result = np.zeros((size, size))
    for j in range(2):
        for k in range(2):
            both = (seen[j] @ seen[k].T) / len(times) - np.outer(p[j], p[k])
            result += np.outer(weights[j], weights[k]) * both / len(times)
    return result


def points_covariance(points: pd.DataFrame, *trials: Trials) -> _Floats:
    """The covariance of the interpolated n* in a table, by the trials that its column `experiment` names.

    Parameters
    ----------
    points : DataFrame with columns eps, delta, experiment: rows of ``required_n(..., interpolated=True)``, of one run
        or of several put together
    trials : the Trials that the rows come from, in any order

    Returns
    -------
    float64 array (rows, rows): what `threshold_covariance` gives for rows of the same trials, zero between different
    ones; nan where an n* is not reached.

    Raises
    ------
    ArgumentError
        Where the table lacks a column, or rows come from trials that were not given.

    Examples
    --------
    >>> table = pd.DataFrame({"trial": range(20), "eps": 0.1, "n": [5] * 8 + [6] * 8 + [7] * 3 + [8]})
    >>> one, other = Trials.of(table), Trials.of(table.assign(n=table.n + 1))
    >>> points = pd.concat([required_n(t, interpolated=True) for t in (one, other)])
    >>> points_covariance(points, one, other).round(3).tolist()
    [[0.043, 0.0], [0.0, 0.043]]
    """
    require_columns(points, ("eps", "delta", "experiment"), "points, rows of required_n(..., interpolated=True)")
    known = {t.label: t for t in trials}
    label = points["experiment"].to_numpy()
    strange = sorted(set(label) - set(known))
    if strange:
        raise ArgumentError("trials", f"none for the experiment {strange[0]}", "the trials of every row")
    eps, delta = (points[c].to_numpy(dtype=np.float64) for c in ("eps", "delta"))
    full = np.zeros((len(points), len(points)))
    for name, seen in known.items():
        rows = np.flatnonzero(label == name)
        if rows.size:
            full[np.ix_(rows, rows)] = _covariance(seen, eps[rows], delta[rows])
    return full
