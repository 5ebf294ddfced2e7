"""Tests of one claim at many points, with an error that is stated.

At every point there are two one-sided tests: how surprising the data would be if the claim were true there, and how
surprising if it were false. The first are corrected over all points (Holm, Scand. J. Stat. 6, 1979), so that a true
claim is called violated with at most the probability asked for, whatever the points share. The second need none: that
the claim holds at *every* point is said only where each point says so by itself (an intersection-union test; Berger,
Technometrics 24, 1982).

On counts the tests are exact binomial tails. On intervals they are normal tails with the standard errors of either
side; a whole-number n* is known to within its neighbours, which the interval excludes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import betainc, betaln, ndtr, ndtri, xlog1py, xlogy

from rssp.errors import ArgumentError
from rssp.inference.points import checked_levels, side_errors

__all__ = ["FALSE_ALARM", "Tails", "holm", "interval_tails", "probability_tails", "tails_of_sequence", "whole_tails"]

FALSE_ALARM = 1e-3
"""with which probability a true claim may be called violated, over all its points, unless told otherwise"""

_Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Tails:
    """One-sided p-values at each point.

    Attributes
    ----------
    at_most, at_least : float64 arrays, the p-value of "the quantity is at most (at least) the value": small where the
        data speak against it
    """

    at_most: _Floats
    at_least: _Floats


def holm(p_values: ArrayLike) -> _Floats:
    """Holm's adjusted p-values: those below a are rejected with a family-wise error of at most a.

    >>> holm([0.01, 0.04, 0.5]).tolist()
    [0.03, 0.08, 0.5]
    """
    p = np.asarray(p_values, dtype=np.float64)
    order = np.argsort(p, kind="stable")
    steps = np.maximum.accumulate(np.minimum(p[order] * (len(p) - np.arange(len(p))), 1.0))
    adjusted = np.empty_like(steps)
    adjusted[order] = steps
    return adjusted


def probability_tails(events: ArrayLike, trials: ArrayLike, value: ArrayLike, undecided: ArrayLike = 0) -> Tails:
    """Exact binomial tails for a probability and a value.

    Parameters
    ----------
    events : how many of the trials certainly showed the event
    undecided : how many more may have
    value : the probability claimed; outside [0, 1] it is never (or always) exceeded

    Examples
    --------
    >>> tails = probability_tails(events=[0, 30], trials=100, value=0.1)
    >>> tails.at_most.round(4).tolist(), tails.at_least.round(4).tolist()
    ([1.0, 0.0], [0.0, 1.0])
    """
    k, m, p, u = np.broadcast_arrays(*(np.asarray(x, dtype=np.float64) for x in (events, trials, value, undecided)))
    if ((k < 0) | (k + u > m)).any():
        raise ArgumentError(
            "events", "counts that are negative or exceed the trials", "0 <= events + undecided <= trials"
        )
    inside, most = np.clip(p, 0.0, 1.0), k + u
    above = np.where(k > 0, betainc(np.maximum(k, 1), m - k + 1, inside), 1.0)  # P(Bin >= k)
    below = np.where(most < m, betainc(np.maximum(m - most, 1), most + 1, 1 - inside), 1.0)  # P(Bin <= k + u)
    # a probability lies in [0, 1] whatever the data say
    return Tails(np.where(p >= 1, 1.0, np.where(p < 0, 0.0, above)), np.where(p <= 0, 1.0, np.where(p > 1, 0.0, below)))


def tails_of_sequence(events: ArrayLike, trials: ArrayLike, value: ArrayLike, undecided: ArrayLike = 0) -> Tails:
    """The same where the outcomes decided when to stop: 1 over the martingale of `rssp.intervals.confidence_sequence`.

    By Ville's inequality that is a p-value at any number of trials, however it was chosen.
    """
    k, m, p, u = np.broadcast_arrays(*(np.asarray(x, dtype=np.float64) for x in (events, trials, value, undecided)))
    inside = np.clip(p, 0.0, 1.0)

    def one(count: _Floats) -> _Floats:
        rest = m - count
        log_ratio = betaln(count + 0.5, rest + 0.5) - betaln(0.5, 0.5) - xlogy(count, inside) - xlog1py(rest, -inside)
        return np.asarray(np.exp(-np.maximum(log_ratio, 0.0)))

    above = np.where(k > m * inside, one(k), 1.0)
    below = np.where(k + u < m * inside, one(k + u), 1.0)
    return Tails(np.where(p >= 1, 1.0, np.where(p < 0, 0.0, above)), np.where(p <= 0, 1.0, np.where(p > 1, 0.0, below)))


def _tail(distance: _Floats, sigma: _Floats) -> _Floats:
    """The normal tail beyond a distance; without any error a distance > 0 is certain."""
    with np.errstate(divide="ignore", invalid="ignore"):
        z = np.where(sigma > 0, distance / np.maximum(sigma, 1e-300), np.where(distance > 0, np.inf, -np.inf))
    return np.where(z > 0, ndtr(-z), 1.0)


def interval_tails(
    low: ArrayLike, best: ArrayLike, high: ArrayLike, confidence: ArrayLike, value: ArrayLike, sigma: ArrayLike = 0.0
) -> Tails:
    """Normal tails for a number with an interval; an open side takes the error of the other one.

    `best` may be inf, where all that is known is a lower end: then the interval's own confidence is all it says.

    >>> interval_tails(9.8, 10.0, 10.2, 0.95, [10.0, 9.5]).at_most.round(6).tolist()
    [1.0, 0.0]
    """
    arrays = np.broadcast_arrays(
        *(np.asarray(x, dtype=np.float64) for x in (low, best, high, confidence, value, sigma))
    )
    lo, mid, hi, level, claimed, own = arrays
    with np.errstate(invalid="ignore"):
        down, up = (np.hypot(side, own) for side in side_errors(lo, mid, hi, level))
    reached = np.isfinite(mid)
    tail = (1 - level) / 2
    with np.errstate(invalid="ignore"):
        at_most = np.where(reached, _tail(mid - claimed, down), np.where(lo > claimed, tail, 1.0))
        at_least = np.where(reached, _tail(claimed - mid, up), 1.0)
    return Tails(at_most, at_least)


def whole_tails(
    low: ArrayLike, best: ArrayLike, high: ArrayLike, confidence: ArrayLike, first: ArrayLike, last: ArrayLike
) -> Tails:
    """Tails of "n* <= last" and "n* >= first" for whole n* with an interval of order statistics.

    The interval excludes low - 1 and high + 1: one step beyond an end is as far as the confidence says.
    """
    lo, mid, hi, level, b, e = np.broadcast_arrays(
        *(np.asarray(x, dtype=np.float64) for x in (low, best, high, confidence, first, last))
    )
    reached, tail = np.isfinite(mid), (1 - checked_levels(level)) / 2
    with np.errstate(invalid="ignore"):
        z = ndtri((1 + level) / 2)
        down, up = (mid - lo + 1) / z, (hi - mid + 1) / z
        at_most = np.where(reached, _tail(mid - e, down), np.where(lo > e, tail, 1.0))
        known = reached & np.isfinite(hi)
        at_least = np.where(known, _tail(b - mid, np.where(known, up, 1.0)), 1.0)
    return Tails(at_most, at_least)


def smallest_tail(trials: ArrayLike, delta: ArrayLike) -> _Floats:
    """The smallest p-value that these many trials can give against P(fail) > delta: no failure at all.

    >>> float(smallest_tail(100, 0.01).round(3))
    0.366
    """
    m, d = np.asarray(trials, dtype=np.float64), np.asarray(delta, dtype=np.float64)
    return np.asarray((1 - np.clip(d, 0.0, 1.0)) ** m)
