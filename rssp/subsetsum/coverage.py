"""Coverage of many samples at one eps: the question of an estimated probability, without the radius."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rssp._checks import positive
from rssp.balls import Ball
from rssp.errors import ArgumentError
from rssp.subsetsum._line_bitset import COVERED, OPEN, decide
from rssp.subsetsum.covering import covers
from rssp.subsetsum.fixedpoint import FixedPoint

__all__ = ["covers_each"]

_FINENESS = (24, 192, 1536, 12288, 98304)  # cells an eps: each step settles seven of eight that the last left open
_MOST_CELLS = 2**30
_UNIT_ROOM = 2**61


def covers_each(samples: NDArray[np.float64], ball: Ball, eps: float) -> NDArray[np.bool_]:
    """For each sample, whether every target of the ball is within eps (max norm) of a subset sum; exact.

    In one dimension the cost is that of a bitmap of the sums with a few dozen cells an eps, n word operations for 64
    cells, whatever 2^n is: 0.1 ms for n = 47 and eps = 1e-3. Samples whose radius is too near to eps for that are
    decided on finer cells, and the few left by `covers`. In more dimensions each sample is decided by `covers`.

    Parameters
    ----------
    samples : float64 array (trials, n, dim)
    ball : Ball of that dimension
    eps : float > 0

    Returns
    -------
    bool array (trials,)

    Examples
    --------
    >>> covers_each(np.array([[[0.5], [1.0]], [[0.5], [0.5]]]), Ball.interval(0, 1.5), 0.25)
    array([ True, False])
    """
    eps = positive("eps", eps)
    samples = np.asarray(samples, dtype=np.float64)
    if samples.ndim != 3 or samples.shape[1] < 1 or samples.shape[2] != ball.dim:
        raise ArgumentError("samples", f"shape {samples.shape}", f"shape (trials, n, {ball.dim}), n >= 1")
    if not np.isfinite(samples).all():
        raise ArgumentError("samples", "numbers that are not finite", "finite numbers")
    if ball.dim > 1:
        return np.array([covers(sample, ball, eps) for sample in samples], dtype=np.bool_)
    low, high = (float(end[0]) for end in ball.bounds)
    grid = FixedPoint.for_sample(samples, max(abs(low), abs(high)))
    units = grid.to_int(samples[:, :, 0])
    ends = int(grid.to_int(np.array(low))), int(grid.to_int(np.array(high)))
    eps_units = grid.floor(eps)
    result = np.zeros(len(samples), dtype=np.bool_)
    open_trials = np.arange(len(samples))
    for fineness in _FINENESS if 0 < eps_units < _UNIT_ROOM else ():
        decision = decide(units[open_trials], *ends, eps_units, fineness, _MOST_CELLS)
        result[open_trials] = decision == COVERED
        open_trials = open_trials[decision == OPEN]
        if not open_trials.size:
            break
    for trial in open_trials:
        result[trial] = covers(samples[trial], ball, eps)
    return result
