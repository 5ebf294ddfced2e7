"""Intervals: of probabilities from counts, exact or valid under optional stopping; of means, by the normal law.

Those of counts know about undecided trials. A trial whose covering radius is only known to lie in [lower, upper] is a
success at eps if upper <= eps, a failure if lower > eps, and undecided otherwise. The lower end of an interval then
counts the certain successes alone, the upper end takes the undecided trials for successes: whatever the undecided ones
are, the interval holds.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import betaincinv, betaln, ndtri, stdtrit, xlog1py, xlogy

from rssp._arguments import choice, probability, real_array
from rssp.errors import ArgumentError
from rssp.estimates import Estimate

__all__ = [
    "METHODS",
    "clopper_pearson",
    "confidence_sequence",
    "normal_reach",
    "proportion",
    "proportion_interval",
    "student_reach",
    "z_value",
]

METHODS = ("exact", "sequential")
_Floats = NDArray[np.float64]
_ROUNDED = {0.95: 1.96, 0.9973: 3.0}


def z_value(confidence: float) -> float:
    """Half the width of a normal interval of this confidence, in standard errors: 1.959964 for 0.95."""
    return float(ndtri((1 + probability("confidence", confidence)) / 2))


def normal_reach(confidence: float) -> float:
    """`z_value`, but 1.96 for 0.95 and 3 for 0.9973: the figures that tables of means are made with.

    >>> normal_reach(0.95), round(normal_reach(0.9), 4)
    (1.96, 1.6449)
    """
    # stored tables were made with the rounded figures, and must come out byte for byte again
    return _ROUNDED.get(confidence, z_value(confidence))


def student_reach(confidence: float, dof: float) -> float:
    """Half the width of Student's interval, in standard errors estimated with `dof` degrees of freedom."""
    return float(stdtrit(dof, (1 + probability("confidence", confidence)) / 2))


def _counts(successes: ArrayLike, trials: ArrayLike, undecided: ArrayLike) -> tuple[_Floats, _Floats, _Floats]:
    arrays = []
    for name, value in (("successes", successes), ("trials", trials), ("undecided", undecided)):
        array = real_array(name, value)
        bad = ~((array >= 0) & (array == np.floor(array)) & np.isfinite(array))
        if bad.any():
            raise ArgumentError(name, array[bad].flat[0], "whole numbers >= 0")
        arrays.append(array)
    try:
        s, m, u = np.broadcast_arrays(*arrays)
    except ValueError as cause:
        shapes = ", ".join(str(a.shape) for a in arrays)
        raise ArgumentError("successes, trials, undecided", f"shapes {shapes}", "shapes that broadcast") from cause
    if (s + u > m).any():
        raise ArgumentError("successes + undecided", f"{(s + u)[s + u > m].flat[0]:g}", "at most the number of trials")
    return s, m, u


def clopper_pearson(
    successes: ArrayLike, trials: ArrayLike, undecided: ArrayLike = 0, *, confidence: float = 0.95
) -> tuple[_Floats, _Floats]:
    """Exact two-sided intervals of probabilities from counts (Clopper and Pearson, Biometrika 26, 1934).

    Each end errs with probability at most (1 - confidence) / 2, for every n and every true probability. Only for a
    number of trials that did not depend on the outcomes; otherwise use `confidence_sequence`.

    Parameters
    ----------
    successes, trials, undecided : arrays of whole numbers that broadcast, successes + undecided <= trials
    confidence : float in (0, 1)

    Returns
    -------
    low, high : float64 arrays; [0, 1] where there are no trials

    Examples
    --------
    >>> low, high = clopper_pearson([0, 5, 10], 10)
    >>> low.round(4), high.round(4)
    (array([0.    , 0.1871, 0.6915]), array([0.3085, 0.8129, 1.    ]))
    """
    s, m, u = _counts(successes, trials, undecided)
    tail = (1 - probability("confidence", confidence)) / 2
    most = s + u
    low = np.where(s > 0, betaincinv(np.maximum(s, 1), m - s + 1, tail), 0.0)
    high = np.where(most < m, betaincinv(most + 1, np.maximum(m - most, 1), 1 - tail), 1.0)
    return low, high


def _sequence_end(s: _Floats, m: _Floats, log_threshold: _Floats, *, upper: bool) -> _Floats:
    """The p on one side of s / m where the evidence against p reaches the threshold, by bisection.

    The evidence is (likelihood of the outcomes averaged over p ~ Beta(1/2, 1/2)) / (likelihood at p): a martingale if p
    is true, and growing away from s / m.
    """
    failures = m - s
    needed = betaln(s + 0.5, failures + 0.5) - betaln(0.5, 0.5) - log_threshold
    inside = s / np.maximum(m, 1)
    outside = np.full_like(inside, 1.0 if upper else 0.0)
    for _ in range(80):
        middle = (inside + outside) / 2
        rejected = xlogy(s, middle) + xlog1py(failures, -middle) <= needed
        outside = np.where(rejected, middle, outside)
        inside = np.where(rejected, inside, middle)
    open_end = (s >= m) if upper else (s <= 0)
    return np.where(open_end, 1.0 if upper else 0.0, outside)


def confidence_sequence(
    successes: ArrayLike, trials: ArrayLike, undecided: ArrayLike = 0, *, confidence: float = 0.95
) -> tuple[_Floats, _Floats]:
    """Intervals that hold at all numbers of trials at once, so also at one chosen by looking at the outcomes.

    For the true p, the ratio of the outcomes' likelihood averaged over p ~ Beta(1/2, 1/2) to that at p is a martingale
    of mean 1; by Ville's inequality it ever reaches 1 / (1 - confidence) with probability at most 1 - confidence
    (Robbins, Ann. Math. Stat. 41, 1970). The interval is the set of p for which it has not. It is 1.6
    (100 trials) to 2.2 (100,000 trials) times as wide as Clopper-Pearson's: the price of stopping when one likes.

    Parameters and returns are those of `clopper_pearson`.

    Examples
    --------
    >>> low, high = confidence_sequence(50, 100)
    >>> float(low.round(3)), float(high.round(3))
    (0.338, 0.662)
    """
    s, m, u = _counts(successes, trials, undecided)
    alpha = 1 - probability("confidence", confidence)
    # with undecided trials the two ends come from two martingales: half the error for each
    threshold: _Floats = np.log(np.where(u > 0, 2.0, 1.0) / alpha)
    return _sequence_end(s, m, threshold, upper=False), _sequence_end(s + u, m, threshold, upper=True)


def proportion_interval(
    successes: ArrayLike,
    trials: ArrayLike,
    undecided: ArrayLike = 0,
    *,
    confidence: float = 0.95,
    method: str = "exact",
) -> tuple[_Floats, _Floats]:
    """`clopper_pearson` (method "exact") or `confidence_sequence` (method "sequential")."""
    choice("method", method, METHODS)
    interval = clopper_pearson if method == "exact" else confidence_sequence
    return interval(successes, trials, undecided, confidence=confidence)


def proportion(
    successes: int,
    trials: int,
    undecided: int = 0,
    *,
    confidence: float = 0.95,
    method: str = "exact",
    quantity: str = "",
) -> Estimate:
    """One probability from counts, with its interval; `best` counts half of the undecided trials.

    >>> proportion(95, 100)
    Estimate(low=0.887..., best=0.95, high=0.983..., confidence=0.95, evidence='measured')
    """
    low, high = proportion_interval(successes, trials, undecided, confidence=confidence, method=method)
    best: Any = (successes + undecided / 2) / trials if trials else np.nan
    details = {"trials": trials, "successes": successes, "undecided": undecided}
    return Estimate(float(low), best, float(high), confidence, quantity=quantity, details=details)
