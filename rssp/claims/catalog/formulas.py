"""Formulas that several claims share."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln, lambertw, xlogy

__all__ = ["NOTES", "bits", "entropy", "joint", "log2_ball", "log_choose", "lookup", "self_consistent_n"]

NOTES = "rssp, docs/theory.md"
"""The paper of the claims that are derived here: a section of it holds the derivation and what checks it."""

Values = Any
"""A number or an array of numbers."""


def bits(eps: Values) -> NDArray[np.float64]:
    """log2(1/eps)."""
    return -np.log2(np.asarray(eps, dtype=np.float64))


def joint(eps: Values, delta: Values) -> NDArray[np.float64]:
    """min(eps, delta): what holds at an error e with probability 1 - e holds at any larger error and delta."""
    smaller: NDArray[np.float64] = np.minimum(eps, np.asarray(delta, dtype=np.float64))
    return smaller


def entropy(fraction: Values) -> NDArray[np.float64]:
    """The binary entropy H2 in bits."""
    x = np.asarray(fraction, dtype=np.float64)
    return np.asarray(xlogy(x, x) + xlogy(1 - x, 1 - x), dtype=np.float64) / -math.log(2)


def log2_ball(d: Values, radius: Values, norm: float) -> NDArray[np.float64]:
    """log2 of the volume of a ball in R^d of the 1-, 2- or max-norm; d may be an array."""
    d = np.asarray(d, dtype=np.float64)
    if norm == 2:
        unit = d / 2 * math.log2(math.pi) - gammaln(d / 2 + 1) / math.log(2)
    elif norm == 1:
        unit = d - gammaln(d + 1) / math.log(2)
    else:
        unit = d
    return unit + d * np.log2(radius)


def log_choose(n: Values, k: Values) -> NDArray[np.float64]:
    """Natural logarithm of the binomial coefficient n over k."""
    n, k = np.asarray(n, dtype=np.float64), np.asarray(k, dtype=np.float64)
    return np.asarray(gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1), dtype=np.float64)


def self_consistent_n(factor: Values, scale: Values) -> NDArray[np.float64]:
    """The larger n with ``n = factor * log2(scale * n)``; every n from there on is above the right side.

    Where no n solves it, the right side is below n everywhere and the answer is 0.
    """
    factor, scale = np.broadcast_arrays(np.asarray(factor, dtype=np.float64), np.asarray(scale, dtype=np.float64))
    # with y = n log(2) / factor the equation is -y exp(-y) = -log(2) / (factor scale): Lambert's W, branch -1
    argument = -math.log(2) / (factor * scale)
    solvable = argument > -math.exp(-1)  # this float lies below -1/e itself, and scipy's W is nan there
    y = -lambertw(np.where(solvable, argument, -0.1), -1).real
    return np.where(solvable, y * factor / math.log(2), 0.0)


def lookup(table: Mapping[int, float] | Mapping[float, float]) -> Callable[[Values], NDArray[np.float64]]:
    """The function that reads a printed table: nan beside its entries."""
    entries = {float(key): value for key, value in table.items()}
    return np.vectorize(lambda x: entries.get(float(x), math.nan), otypes=[np.float64])
