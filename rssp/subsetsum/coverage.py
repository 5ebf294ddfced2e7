"""Coverage of many samples at one eps: the question of an estimated probability, without the radius."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rssp._checks import positive
from rssp.balls import Ball
from rssp.errors import ArgumentError, InfeasibleError
from rssp.subsetsum._line_bitset import COVERED, OPEN, UNCOVERED, decide
from rssp.subsetsum.covering import covers
from rssp.subsetsum.fixedpoint import FixedPoint

__all__ = ["COVERED", "OPEN", "UNCOVERED", "covers_each", "decide_each"]

# cells an eps, and how many partial sums may be visited for each hole that is not clear on these cells
_STEPS = ((12, 2**12), (96, 2**16), (768, 2**20), (6144, 2**24))
_MOST_CELLS = 2**30
_UNIT_ROOM = 2**61


def covers_each(samples: NDArray[np.float64], ball: Ball, eps: float) -> NDArray[np.bool_]:
    """For each sample, whether every target of the ball is within eps (max norm) of a subset sum; exact.

    In one dimension the cost is that of a bitmap of the sums with a few dozen cells an eps, n word operations for 64
    cells, whatever 2^n is: 0.1 ms for n = 47 and eps = 1e-3. Samples whose radius is too near to eps for that are
    decided on finer cells and by the exact sums beside the hole in question, the few left by `covers`. In more
    dimensions each sample is decided by `covers`.

    Parameters
    ----------
    samples : float64 array (trials, n, dim)
    ball : Ball of that dimension
    eps : float > 0

    Returns
    -------
    bool array (trials,)

    Raises
    ------
    InfeasibleError
        If a sample stays undecided for want of memory or time (see `decide_each`).

    Examples
    --------
    >>> covers_each(np.array([[[0.5], [1.0]], [[0.5], [0.5]]]), Ball.interval(0, 1.5), 0.25)
    array([ True, False])
    """
    decision = decide_each(samples, ball, eps)
    for trial in np.flatnonzero(decision == OPEN):
        decision[trial] = COVERED if covers(samples[trial], ball, eps) else UNCOVERED
    return decision == COVERED


def decide_each(samples: NDArray[np.float64], ball: Ball, eps: float) -> NDArray[np.int64]:
    """COVERED, UNCOVERED or OPEN for each sample (trials, n, dim); as `covers_each`, but never infeasible.

    OPEN (rare) are samples whose radius is so close to eps that the exact sums beside a hole cost too much.
    """
    eps = positive("eps", eps)
    samples = np.asarray(samples, dtype=np.float64)
    if samples.ndim != 3 or samples.shape[1] < 1 or samples.shape[2] != ball.dim:
        raise ArgumentError("samples", f"shape {samples.shape}", f"shape (trials, n, {ball.dim}), n >= 1")
    if not np.isfinite(samples).all():
        raise ArgumentError("samples", "numbers that are not finite", "finite numbers")
    result = np.full(len(samples), OPEN, dtype=np.int64)
    if ball.dim == 1:
        low, high = (float(end[0]) for end in ball.bounds)
        grid = FixedPoint.for_sample(samples, max(abs(low), abs(high)))
        units = grid.to_int(samples[:, :, 0])
        ends = int(grid.to_int(np.array(low))), int(grid.to_int(np.array(high)))
        for fineness, nodes in _STEPS if 0 < grid.floor(eps) < _UNIT_ROOM else ():
            left = np.flatnonzero(result == OPEN)
            if not left.size:
                break
            result[left] = decide(units[left], *ends, grid.floor(eps), grid.floor(eps, 1), fineness, _MOST_CELLS, nodes)
    for trial in np.flatnonzero(result == OPEN):
        try:
            result[trial] = COVERED if covers(samples[trial], ball, eps) else UNCOVERED
        except InfeasibleError:
            continue
    return result
