"""Step G5 of docs/theory/guarantees.md: sizes and tails that are proved for every eps and delta, in closed form."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rssp.errors import ArgumentError

__all__ = ["TILT", "UP", "closed_form_samples", "proved_tail", "tilted_mean"]

TILT = 4.0
"""the exponent of the moment that bounds how rarely numbers shift far enough"""
UP = 1 + 1e-12
"""for rounding"""


def tilted_mean(p: ArrayLike) -> NDArray[np.float64]:
    """E exp(-4 U^+ / w), U the number on [-w, w], 0 where it is not of the uniform part (probability 1 - p)."""
    return np.asarray(1 - np.asarray(p) * (1 - (1 + -math.expm1(-TILT) / TILT) / 2), dtype=np.float64)


def closed_form_samples(
    eps: ArrayLike, delta: ArrayLike, p: float = 1.0, w: float = 1.0, radius: float = 1.0
) -> NDArray[np.float64]:
    """An n that is enough for [-radius, radius], of a law that is uniform on [-w, w] with probability p (G5, G4, L1).

    Numbers for the restricted process on [-w/2, w/2] and numbers that shift it over [-radius, radius], delta/2 for
    each; 0 < eps < w, 0 < delta < 1.

    >>> float(closed_form_samples(2.0**-10, 0.5))  # guaranteed_samples proves 26
    65.0
    """
    eps, delta = np.asarray(eps, dtype=np.float64) / w, np.asarray(delta, dtype=np.float64)
    grow = np.ceil(np.log(4 / (eps**2 * delta)) / -math.log1p(-p / 4))
    reach = radius / w - 0.5
    if reach <= 0:
        return np.asarray(grow)
    return np.asarray(grow + np.ceil(np.log(4 * math.exp(TILT * reach) / delta) / -np.log(tilted_mean(p))))


def proved_tail(p: float = 1.0) -> tuple[float, float]:
    """C, kappa with P(some target of [-w/2, w/2] is missed) <= 2 exp(-(n - C log2(w/eps))^2 / (kappa n)), n > C log2.

    The closed form of G5, 2 (w/eps)^2 (1 - p/4)^n, is 2 exp(-(n - C bits)/kappa) with kappa = -1/ln(1 - p/4) and
    C = 2 kappa ln 2, and (n - C bits)/n is at most 1.

    >>> C, kappa = proved_tail()
    >>> round(C, 3), round(kappa, 3)
    (4.819, 3.476)
    """
    if not 0 < p <= 1:
        raise ArgumentError("p", p, "a probability > 0")
    kappa = -1 / math.log1p(-p / 4)
    return 2 * kappa * math.log(2) * UP, kappa * UP
