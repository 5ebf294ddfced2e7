"""Simulated runs whose n* is known.

A trial's hitting time at eps_j is the ceiling of m_j + s G_j, with G_j of Gumbel's law: ln(-ln P(N <= n)) is then a
straight line in n, so that the n* which `required_n` interpolates on that scale is m_j + s g, g the quantile of G,
without any error of interpolation. The G_j of one trial share a normal factor: neighbouring n* are correlated as those
of real runs are. Without that factor each eps is a run of its own: many runs in one table.
"""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtr

from rssp.trials import Trials

__all__ = ["BITS", "hitting_trials", "median_at"]

BITS = np.arange(4.0, 21.0)
"""log2(1/eps) of the points: those of the study lueker_1998 at its standard scale"""
SHARED = 0.9
"""of the variance of the normal factor of two eps"""


def median_at(n_star: ArrayLike, delta: float = 0.5) -> NDArray[np.float64]:
    """The locations m for which n*(delta) is as given, at scale 1."""
    return np.asarray(n_star, dtype=np.float64) + math.log(-math.log(1 - delta))


def hitting_trials(
    rng: np.random.Generator, locations: ArrayLike, trials: int, *, n_max: int = 60, shared: float = SHARED
) -> Trials:
    """Trials with a hitting time at each location, cut off at n_max; eps is 2^-4, 2^-5, ..."""
    m = np.atleast_1d(np.asarray(locations, dtype=np.float64))
    common, own = rng.standard_normal((trials, 1)), rng.standard_normal((trials, len(m)))
    gumbel = -np.log(-np.log(ndtr(math.sqrt(shared) * common + math.sqrt(1 - shared) * own)))
    times = np.maximum(np.ceil(m + gumbel), 0).astype(np.int64)
    eps = 2.0 ** -(BITS[0] + np.arange(len(m)))
    table = pd.DataFrame(
        {
            "trial": np.repeat(np.arange(trials), len(m)),
            "eps": np.tile(eps, trials),
            "n": np.where(times > n_max, -1, times).ravel(),
        }
    )
    return Trials.of(table, n_max=n_max)
