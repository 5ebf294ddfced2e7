"""Certified covering in two and more dimensions: what `covering` calls there, on arrays that it has checked.

The answer is a bracket: `lower` is the distance of one target, the witness, to all sums; at `upper` every target of the
ball is certified, by a finite case distinction on whole numbers, never by sampled targets. Lengths are int64 multiples
of 2^(-q-1), with q two bits short of the fixed point's, which leaves room for differences; `covers` compares eps with
the same units, so that its answer is exact for the sample on that grid (in the 2-norm error: up to 2^-32 of eps).
The general code also holds in one dimension, where `line` is faster and exact.

Cost: a pass over the sums in the window of the ball takes 1 to 5 ns for each; a bracket takes two to eight passes, and
what is left between them is small unless d >= 7, where a cell has 3^d cells about it. Memory: the two halves, four
bytes a cell of the ball's bounding cube at side rho (at most 2^28 cells), at most 2^22 sums near empty cells.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from rssp._costs import require_feasible
from rssp.balls import Ball
from rssp.errors import ArgumentError, InfeasibleError
from rssp.subsetsum.fixedpoint import FixedPoint
from rssp.subsetsum.results import CoveringProfile, CoveringRadius
from rssp.subsetsum.space.certify import TOO_MANY_CELLS, hits, radii

__all__ = ["covering_profile", "covering_radius", "covers", "hitting_time"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
_SPARE_BITS = 2


class _Units:
    """A sample and its ball in whole units of 2^(-q-1)."""

    def __init__(self, sample: Floats, ball: Ball, error_norm: float) -> None:
        d = sample.shape[1]
        reach = float(max(np.abs(end).max() for end in ball.bounds))
        self.grid = FixedPoint(FixedPoint.for_sample(sample, reach).q - _SPARE_BITS)
        self.x = 2 * self.grid.to_int(sample)
        radius = max(1, 2 * int(self.grid.to_int(np.array(ball.radius))))
        self.ball = (2 * self.grid.to_int(ball.centre_vector), radius, 0 if ball.norm == math.inf else int(ball.norm))
        self.euclid = error_norm == 2
        # logarithm of the ball's volume over that of an error ball of one unit
        log_unit = -(self.grid.q + 1) * math.log(2)
        self.log_cells = ball.log_volume - d * log_unit - Ball(d, norm=error_norm).log_volume

    def radii(self, schedule: list[int], resolution: float) -> tuple[Floats, Floats, Floats]:
        if not 0 < resolution < 1:
            raise ArgumentError("resolution", resolution, "a number strictly between 0 and 1")
        steps = np.array(schedule, np.int64)
        lower, upper = np.empty((2, len(steps)), np.int64)
        witness = np.empty((len(steps), self.x.shape[1]), np.int64)
        _check(radii(self.x, self.ball, self.euclid, resolution, self.log_cells, steps, lower, upper, witness), witness)
        return self.grid.to_float(lower, 1), self.grid.to_float(upper, 1), self.grid.to_float(witness, 1)

    def hits(self, n_first: int, n_last: int, eps: Floats) -> Ints:
        """The first n in the range that covers at eps, non-increasing; -1 for none."""
        errors = np.array([self.grid.floor(e, 1) for e in eps.tolist()], np.int64)
        out = np.empty(len(errors), np.int64)
        _check(hits(self.x, self.ball, self.euclid, self.log_cells, n_first, n_last, errors, out), self.x)
        return out


def _check(state: int, vectors: Ints) -> None:
    if state == TOO_MANY_CELLS:
        raise InfeasibleError(
            f"a ball in {vectors.shape[1]} dimensions at this error",
            "more than 2^28 cells (1 GB)",
            "2^28 cells",
            "Use a larger eps, a smaller ball or fewer vectors.",
        )


def _require(n: int, d: int) -> None:
    """Refuse what does not end. Seconds as the slowest measured, d = 2 to 9; each empty cell has 3^d cells about it."""
    half, about, n_sums = 2.0 ** min((n + 1) // 2, 500), 3.0 ** min(d, 500), 2.0 ** min(n, 1000)
    require_feasible(
        f"covering with n = {n} vectors in dimension {d}",
        memory_bytes=half * d * 32 + 4 * min(n_sums, 2.0**28) + min(n_sums, 2.0**22) * d * 8 + 24 * about,
        seconds=n_sums * 2e-8 * (1 + (d / 6) ** 7) + about * 2e-4,
        remedy="Use fewer vectors, or fewer dimensions.",
    )


def covering_radius(
    sample: Floats, ball: Ball, *, resolution: float = 0.05, error_norm: float = math.inf
) -> CoveringRadius:
    """A bracket with ``upper <= (1 + resolution) lower`` up to one unit, and the target that is `lower` from all sums.

    sample float64 (n, d), d >= 2; see `covering.covering_radius`. Certified: no target of the ball is farther than
    `upper` from every sum. Processor time measured for uniform vectors, unit cube, resolution 5 %, in seconds on one
    busy core: 0.2 at (d, n) = (2, 24), 0.15 at (3, 24), 0.25 at (4, 24), 2 to 6 at n = 28 with d = 2 to 4, 1 to 5 at
    (6, 27); at most 0.4 GB. In the unit ball of the 1-norm at d = 9 it depends on the sample: 5 to 19 at n = 24, 11 to
    31 at n = 26, 14 to over 100 at n = 28. So n = 26 is what a minute allows (the radius is about 1/2 there); time is
    the limit, not 24 GB of memory.

    Raises
    ------
    ArgumentError : a resolution outside (0, 1)
    InfeasibleError : n or d so large that the estimated memory or time passes the limit; before anything is allocated

    Examples
    --------
    >>> covering_radius(np.eye(2), Ball(2, 0.5, centre=0.5)).lower
    0.5
    """
    n, d = sample.shape
    _require(n, d)
    schedule = sorted({n, *(k for k in (n - 3, n - 6, n - 10) if k >= 1)})
    lower, upper, witness = _Units(sample, ball, error_norm).radii(schedule, resolution)
    return CoveringRadius(float(lower[-1]), float(upper[-1]), witness[-1])


def covers(sample: Floats, ball: Ball, eps: float, *, error_norm: float = math.inf) -> bool:
    """Whether every target is within eps of a sum: decided exactly for the sample on its grid.

    One pass over the sums where some target is far from all of them, two where none is; memory as above, with cells of
    side eps. Raises InfeasibleError also for more than 2^28 such cells, unless there are too few sums by volume.

    Examples
    --------
    >>> covers(np.eye(2), Ball(2, 0.5, centre=0.5), 0.5), covers(np.eye(2), Ball(2, 0.5, centre=0.5), 0.499)
    (True, False)
    """
    n, d = sample.shape
    _require(n, d)
    return bool(_Units(sample, ball, error_norm).hits(n, n, np.array([eps]))[0] == n)


def covering_profile(
    sample: Floats,
    ball: Ball,
    n_min: int = 1,
    n_max: int | None = None,
    *,
    resolution: float = 0.05,
    error_norm: float = math.inf,
) -> CoveringProfile:
    """The brackets of the first n_min, ..., n_max vectors; costs up to about twice the last of them.

    See `covering.covering_profile`; raises as `covering_radius` does. Each n starts from the bracket and the witness of
    the one before.

    Examples
    --------
    >>> covering_profile(np.eye(2), Ball(2, 0.5, centre=0.5)).lower
    array([1. , 0.5])
    """
    n = len(sample) if n_max is None else n_max
    _require(n, sample.shape[1])
    steps = list(range(n_min, n + 1))
    lower, upper, _ = _Units(sample[:n], ball, error_norm).radii(steps, resolution)
    # a later bracket may reach above an earlier one of the same radius: the radius does not increase
    return CoveringProfile(
        np.array(steps, np.int64), np.maximum.accumulate(lower[::-1])[::-1], np.minimum.accumulate(upper)
    )


def hitting_time(sample: Floats, ball: Ball, eps: Floats, *, error_norm: float = math.inf) -> Ints:
    """The first n that covers at each eps, -1 if none does: a decision as in `covers` for each n that volume allows.

    See `covering.hitting_time`; raises as `covers` does. Vectors that are zero add no sum and cost nothing. Mostly a
    first n fails at the witness of the one before, by a look-up; a trial of normal vectors followed to n = 26 takes
    0.03 s at d = 4, eps = 1/4 and 0.25 s at d = 5, eps = 1/2.

    Examples
    --------
    >>> hitting_time(np.eye(2), Ball(2, 0.5, centre=0.5), np.array([1.0, 0.5, 0.1]))
    array([ 0,  2, -1])
    """
    moving = np.flatnonzero(sample.any(axis=1))
    if not len(moving):
        moving = np.arange(1)
    _require(len(moving), sample.shape[1])
    order = np.argsort(-eps, kind="stable")
    out = np.empty(len(eps), np.int64)
    out[order] = _Units(sample[moving], ball, error_norm).hits(0, len(moving), eps[order])
    return np.where(out > 0, moving[np.maximum(out - 1, 0)] + 1, out)
