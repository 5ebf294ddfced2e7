"""Coverage of many samples at one eps: the question of an estimated probability, without the radius."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from rssp._arguments import positive
from rssp.balls import Ball
from rssp.errors import ArgumentError, InfeasibleError
from rssp.subsetsum.covering import covers
from rssp.subsetsum.line.method import COVERED, OPEN, UNCOVERED, decide

__all__ = ["COVERED", "OPEN", "UNCOVERED", "covers_each", "decide_each"]


def covers_each(
    samples: NDArray[np.float64], ball: Ball, eps: float, *, error_norm: float = math.inf
) -> NDArray[np.bool_]:
    """For each sample, whether every target of the ball is within eps of a subset sum; exact.

    In one dimension the cheaper of two ways is taken: a bitmap of the sums, some 2e-9 * 2^(n - 14) s and more for small
    eps (3 ms for n = 26 and eps = 1e-6), or the union of the intervals of length 2 eps about the sums, some 2e-8 s for
    each that fits between the sums, whatever 2^n is: 0.05 ms for n = 47 and eps = 1e-3, 10 ms for n = 100 and eps =
    1.5e-5. In more dimensions each sample is decided by `covers`.

    Parameters
    ----------
    samples : float64 array (trials, n, dim)
    ball : Ball of that dimension
    eps : float > 0
    error_norm : 2 or inf, the norm of the error; in one dimension they are the same

    Returns
    -------
    bool array (trials,)

    Raises
    ------
    ArgumentError : eps <= 0, wrong shapes, NaN or infinite numbers
    InfeasibleError : a sample costs too much memory or time

    Examples
    --------
    >>> covers_each(np.array([[[0.5], [1.0]], [[0.5], [0.5]]]), Ball.interval(0, 1.5), 0.25)
    array([ True, False])
    """
    decision = decide_each(samples, ball, eps, error_norm=error_norm)
    for trial in np.flatnonzero(decision == OPEN):  # raises the error that says why
        decision[trial] = covers(samples[trial], ball, eps, error_norm=error_norm)
    return decision == COVERED


def decide_each(
    samples: NDArray[np.float64], ball: Ball, eps: float, *, error_norm: float = math.inf
) -> NDArray[np.int64]:
    """COVERED, UNCOVERED or OPEN for each sample (trials, n, dim); as `covers_each`, but never infeasible.

    OPEN (rare) are the samples whose decision costs too much memory or time.
    """
    eps = positive("eps", eps)
    samples = np.asarray(samples, dtype=np.float64)
    if samples.ndim != 3 or samples.shape[1] < 1 or samples.shape[2] != ball.dim:
        raise ArgumentError("samples", f"shape {samples.shape}", f"shape (trials, n, {ball.dim}), n >= 1")
    if not np.isfinite(samples).all():
        raise ArgumentError("samples", "numbers that are not finite", "finite numbers")
    if ball.dim == 1:
        return decide(samples, ball, eps)
    result = np.full(len(samples), OPEN, dtype=np.int64)
    for trial, sample in enumerate(samples):
        try:
            result[trial] = COVERED if covers(sample, ball, eps, error_norm=error_norm) else UNCOVERED
        except InfeasibleError:
            continue
    return result
