"""How surely a few further numbers shift [-1/2, 1/2] all over a longer interval (G4 of docs/theory/guarantees.md)."""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

__all__ = ["MOST_SHIFTS", "one_sided_failures"]

Floats = NDArray[np.float64]

MOST_SHIFTS = 4000
"""more numbers are not spent on shifts; they go 1,000 half-lengths far"""
_EACH = 2.0**-49
"""a step of either recursion rounds five times, by 2^-53 of a sum of positive terms each"""
_UNDERFLOW = 1e-290
"""what numbers below 1e-308 may lose: 1e-323 each, fewer than 1e9 of them, with weights whose sums are at most 4000"""


@lru_cache(maxsize=256)
def one_sided_failures(most: int, reach: float) -> Floats:
    """P(the positive ones among m numbers uniform on [-1, 1] add up to less than `reach`), m = 0 ... most, from above.

    2^-m sum_j C(m, j) F_j(reach), F_j the distribution function of a sum of j numbers uniform on [0, 1]; where
    reach <= 1 this is 2^-m L_m(-reach), L_m Laguerre's polynomial. F_j(y) = sum_i f_(j+1)(y - i), and
    n f_(n+1)(x) = x f_n(x) + (n + 1 - x) f_n(x - 1): all terms are positive, so that rounding is relative and small.
    Time most (most + reach).

    >>> one_sided_failures(2, 0.5)
    array([1.     , 0.75   , 0.53125])
    """
    if reach <= 0:
        return np.zeros(most + 1)
    if reach >= most:  # not even numbers that are all 1 get there
        return np.ones(most + 1)
    # x = reach - i is exact: a multiple of reach's last digit, and smaller
    x = reach - np.arange(math.floor(reach) + 1)
    density = ((x >= 0) & (x < 1)).astype(np.float64)
    below = np.ones(most + 1)
    for j in range(1, most + 1):
        before = np.append(density[1:], 0.0)  # at x - 1
        density = (x * density + np.maximum(j + 1 - x, 0.0) * before) / j
        below[j] = min(1.0, float(density.sum()))
    chances = np.zeros(most + 1)  # C(m, j) / 2^m
    chances[0] = 1.0
    failures = np.ones(most + 1)
    for m in range(1, most + 1):
        chances[1:] = (chances[1:] + chances[:-1]) / 2
        chances[0] /= 2
        failures[m] = chances[: m + 1] @ below[: m + 1]
    rounded = failures * (1 + (2 * most + len(x) + 16) * _EACH) + _UNDERFLOW
    failures = np.minimum(rounded, 1.0)
    failures.setflags(write=False)
    return failures
