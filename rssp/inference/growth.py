"""How fast the covered fraction grows, measured: the key step of Lueker (1998) and of da Cunha et al. (ESA 2023).

v_t is the fraction of the targets that are within eps of a subset sum of the first t samples. The proofs bound
E[v_{t+1} - v_t | v_t] from below by c v_t (1 - v_t); here c is estimated from arrays of v_t.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rssp._arguments import integer
from rssp.errors import ArgumentError

__all__ = ["Growth", "covered_growth"]


@dataclass(frozen=True)
class Growth:
    """E[v_{t+1} - v_t | v_t] / (v_t (1 - v_t)) by bins of v_t.

    Attributes
    ----------
    edges : array (bins + 1,), the bins of v_t
    best, low, high : arrays (bins,), the ratio of mean increments to mean v (1 - v) with its 95 % interval, in which
        trials count as the independent units; nan where fewer than two trials fall in a bin
    trials : int64 array (bins,), how many trials entered a bin
    """

    edges: NDArray[np.float64]
    best: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    trials: NDArray[np.int64]

    @property
    def smallest(self) -> tuple[float, float, float]:
        """low, best, high of the bin with the smallest constant: what a bound c v (1 - v) for all v could have."""
        if np.isnan(self.best).all():
            raise ArgumentError("fractions", "no bin with two trials", "more trials or fewer bins")
        at = int(np.nanargmin(self.best))
        return float(self.low[at]), float(self.best[at]), float(self.high[at])


def covered_growth(fractions: ArrayLike, bins: int | ArrayLike = 10) -> Growth:
    """The growth constant from covered fractions.

    Parameters
    ----------
    fractions : array (trials, n), the covered fraction v_t of each trial for consecutive t, non-decreasing in t
    bins : int >= 1, equal bins of v_t in (0, 1), or their ascending edges from 0 to 1; steps from v_t = 0 or 1 say
        nothing and are left out

    Returns
    -------
    Growth. The interval is the ratio estimator's: residuals ``dv - c v (1 - v)`` summed within each trial, whose steps
    are dependent, normal over trials.

    Raises
    ------
    ArgumentError if `fractions` has not two axes, leaves [0, 1] or decreases, or the edges do not ascend from 0 to 1.

    Examples
    --------
    >>> v = np.array([[0.1, 0.19, 0.3439]] * 3)        # v + v (1 - v), exactly
    >>> covered_growth(v, bins=1).best.round(6).tolist()
    [1.0]
    """
    v, edges = np.asarray(fractions, dtype=np.float64), _edges(bins)
    if v.ndim != 2 or v.shape[1] < 2:
        raise ArgumentError("fractions", f"shape {v.shape}", "shape (trials, n) with n >= 2")
    if not ((v >= 0) & (v <= 1)).all():
        raise ArgumentError("fractions", "values outside [0, 1] or nan", "fractions from 0 to 1")
    increment, start = np.diff(v, axis=1), v[:, :-1]
    if (increment < 0).any():
        raise ArgumentError("fractions", "a fraction that decreases", "fractions non-decreasing along the last axis")
    scale = start * (1 - start)
    count = edges.size - 1
    which = np.where(scale > 0, np.searchsorted(edges, start, side="right") - 1, -1)
    best, error, trials = np.full(count, np.nan), np.full(count, np.nan), np.zeros(count, dtype=np.int64)
    for j in range(count):
        inside = which == j
        rows = inside.any(axis=1)
        trials[j] = rows.sum()
        if trials[j] < 2:
            continue
        total = (scale * inside)[rows].sum(axis=1)
        best[j] = (increment * inside).sum() / total.sum()
        residual = ((increment - best[j] * scale) * inside)[rows].sum(axis=1)
        error[j] = np.sqrt((residual**2).sum() * trials[j] / (trials[j] - 1)) / total.sum()
    return Growth(edges, best, best - 1.96 * error, best + 1.96 * error, trials)


def _edges(bins: int | ArrayLike) -> NDArray[np.float64]:
    if np.ndim(bins) == 0:
        return np.linspace(0.0, 1.0, integer("bins", bins, 1) + 1)
    edges = np.asarray(bins, dtype=np.float64)
    if edges.ndim != 1 or edges.size < 2 or edges[0] != 0 or edges[-1] != 1 or not (np.diff(edges) > 0).all():
        raise ArgumentError("bins", bins, "a whole number >= 1, or ascending edges from 0 to 1")
    return edges
