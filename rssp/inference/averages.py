"""Of independent numbers: their mean, their median and their second moment over the square of the mean."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import bdtr, bdtrik

from rssp._arguments import probability, real_array
from rssp.errors import ArgumentError
from rssp.estimates import Estimate
from rssp.intervals import normal_reach, student_reach

__all__ = ["mean", "median", "moment_ratio"]


def _values(values: ArrayLike) -> NDArray[np.float64]:
    array = real_array("values", values)
    if array.ndim != 1:
        raise ArgumentError("values", f"shape {array.shape}", "one axis: a number for each trial")
    if np.isnan(array).any():
        raise ArgumentError("values", "nan", "numbers", "Leave out the trials without a value.")
    return array


def _unknown(confidence: float, quantity: str, best: float = math.nan) -> Estimate:
    return Estimate(-math.inf, best, math.inf, confidence, quantity=quantity)


def mean(values: ArrayLike, *, confidence: float = 0.95, quantity: str = "mean") -> Estimate:
    """The mean with Student's interval of its standard error (in its details); open with fewer than two values.

    Exact for normal values, however few; for others as good as their mean is normal.

    >>> print(mean([1.0, 2.0, 3.0, 4.0]))
    2.5 [0.4, 4.6]
    """
    x, confidence = _values(values), probability("confidence", confidence)
    if x.size < 2:
        return _unknown(confidence, quantity, float(x.mean()) if x.size else math.nan)
    best, error = float(x.mean()), float(x.std(ddof=1)) / math.sqrt(x.size)
    reach = student_reach(confidence, x.size - 1)
    details = {"standard_error": error, "trials": x.size}
    return Estimate(best - reach * error, best, best + reach * error, confidence, quantity=quantity, details=details)


def median(values: ArrayLike, *, confidence: float = 0.95, quantity: str = "median") -> Estimate:
    """The median between two order statistics: exact for any law, by the binomial law of how many lie below it.

    Open on both sides where even the smallest and the largest do not hold it with that confidence: with fewer than six
    values for 95 %.

    >>> median(np.arange(101.0)).row()["low"], median(np.arange(101.0)).row()["high"]
    (40.0, 60.0)
    >>> median(np.arange(5.0)).row()["high"]
    inf
    """
    x, confidence = np.sort(_values(values)), probability("confidence", confidence)
    if not x.size:
        return _unknown(confidence, quantity)
    rank, details = _outer_rank(x.size, (1 - confidence) / 2), {"trials": x.size}
    low, high = (x[rank - 1], x[x.size - rank]) if rank else (-math.inf, math.inf)
    return Estimate(low, float(np.median(x)), high, confidence, quantity=quantity, details=details)


def _outer_rank(count: int, tail: float) -> int:
    """The largest r with P(fewer than r of `count` values lie below the median) <= tail; 0 where there is none."""
    rank = max(int(bdtrik(tail, count, 0.5)) - 1, 0)
    while rank < count and bdtr(rank, count, 0.5) <= tail:
        rank += 1
    return rank if rank and bdtr(rank - 1, count, 0.5) <= tail else 0


def moment_ratio(values: ArrayLike, *, confidence: float = 0.95, quantity: str = "E[Y^2]/E[Y]^2") -> Estimate:
    """E[Y^2] / E[Y]^2 of independent Y >= 0, of the second moment method; open where all are 0.

    The interval is a normal one, its error that of the ratio's linearization:
    std(y^2 / m^2 - 2 ratio y / m) / sqrt(trials), m the mean.

    >>> seen = moment_ratio([0, 1, 2, 1])
    >>> seen.best, seen.details["mean"]
    (1.5, 1.0)
    """
    y, reach = _values(values), normal_reach(probability("confidence", confidence))
    if y.size < 2 or not (y >= 0).all():
        raise ArgumentError("values", f"{y.size} numbers", "two or more numbers >= 0")
    m, second = y.mean(), (y**2).mean()
    if not m:
        return _unknown(confidence, quantity)
    ratio = float(second / m**2)
    error = float(np.std(y**2 / m**2 - 2 * ratio * y / m) / math.sqrt(y.size))
    details = {"mean": float(m), "standard_error": error, "trials": y.size}
    return Estimate(ratio - reach * error, ratio, ratio + reach * error, confidence, quantity=quantity, details=details)
