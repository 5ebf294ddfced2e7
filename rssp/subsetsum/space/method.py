"""Certified covering in any dimension: the method behind the verbs of `covering`, which check the arguments.

The answer is a bracket: `lower` is the distance of one target, the witness, to all sums; at `upper` every target of the
ball is certified, by a finite case distinction on whole numbers, never by sampled targets. Lengths are int64 multiples
of 2^(-q-1), with q two bits short of the fixed point's, which leaves space for differences; decisions compare eps with
the same units, so that they are exact for the sample on that grid (in the 2-norm error: up to 2^-32 of eps).
All of it also holds in one dimension, where `line` is faster and exact.

Cost: a pass over the sums in the window of the ball, of which a bracket takes two to eight. Memory: the two halves,
four bytes a cell of the ball's bounding cube at side rho (at most 2^28 cells), at most 2^22 sums near empty cells.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from rssp._costs import refusal
from rssp.balls import Ball
from rssp.errors import InfeasibleError
from rssp.subsetsum.fixedpoint import FixedPoint
from rssp.subsetsum.results import NEVER, OPEN, Coverings, Radii
from rssp.subsetsum.space.pieces import MAX_NORM
from rssp.subsetsum.space.search import TOO_MANY_CELLS, brackets, first_coverings

__all__ = ["Space"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
_SPARE_BITS = 2  # one is taken by the doubling in `_Units`


class Space:
    """Samples (trials, n, dim) and a ball, covered one sample after the other. A `Method`."""

    run_up: ClassVar[tuple[int, ...]] = (10, 6, 3)
    """Each bracket starts from the one before: three short ones halve the passes of the last. Tuned with the part
    `space` of benchmarks/speed.py; measure again when the passes of `certify` change."""

    def __init__(self, samples: Floats, ball: Ball, error_norm: float = math.inf) -> None:
        self.samples, self.ball, self.error_norm = samples, ball, error_norm

    def radii(self, schedule: Sequence[int], resolution: float) -> Radii:
        """Brackets with ``upper <= (1 + resolution) lower`` up to one unit; see `Method`.

        Each n starts from the bracket and the witness of the one before.
        """
        trials, _, dim = self.samples.shape
        last = max(schedule)
        refused = _too_much(last, dim)
        if refused is not None:
            raise refused
        lower, upper = np.empty((2, trials, len(schedule)))
        witness = np.empty((trials, len(schedule), dim))
        for t, sample in enumerate(self.samples):
            units = _Units(sample[:last], self.ball, self.error_norm)
            lower[t], upper[t], witness[t] = units.brackets(schedule, resolution)
        # a later bracket may reach above an earlier one of the same radius: the radius does not increase
        lower = np.maximum.accumulate(lower[:, ::-1], axis=1)[:, ::-1]
        return Radii(lower, np.minimum.accumulate(upper, axis=1), witness)

    def coverings(self, eps: Floats, n_min: int) -> Coverings:
        """The least n >= n_min that covers at each eps (descending); see `Method`."""
        n = np.empty((len(self.samples), len(eps)), np.int64)
        refusals = [self._coverings_of_one(sample, eps, n_min, n[t]) for t, sample in enumerate(self.samples)]
        return Coverings(n, next((refused for refused in refusals if refused is not None), None))

    def _coverings_of_one(self, sample: Floats, eps: Floats, n_min: int, n: Ints) -> InfeasibleError | None:
        moving = np.flatnonzero(sample.any(axis=1))  # vectors that are zero add no sum
        refused = _too_much(len(moving), sample.shape[1])
        if refused is None:
            first = int(np.searchsorted(moving, n_min))  # so many of them are among the first n_min vectors
            units = _Units(sample[moving] if len(moving) else sample[:1], self.ball, self.error_norm)
            refused = units.first_coverings(first, len(moving), eps, n)
        if refused is not None:
            n[:] = OPEN
            return refused
        given = n if len(moving) == len(sample) else np.append(0, moving + 1)[n]
        n[:] = np.where(n == NEVER, NEVER, np.maximum(given, n_min))
        return None


class _Units:
    """A sample and its ball in whole units of 2^(-q-1)."""

    def __init__(self, sample: Floats, ball: Ball, error_norm: float) -> None:
        d = sample.shape[1]
        reach = float(max(np.abs(end).max() for end in ball.bounds))
        self.grid = FixedPoint(FixedPoint.for_sample(sample, reach).q - _SPARE_BITS)
        self.x = 2 * self.grid.to_int(sample)
        radius = max(1, 2 * int(self.grid.to_int(np.array(ball.radius))))
        region = 2 * self.grid.to_int(ball.centre_vector), radius, MAX_NORM if ball.norm == math.inf else int(ball.norm)
        # logarithm of the ball's volume over that of an error ball of one unit
        log_unit = -(self.grid.q + 1) * math.log(2)
        log_cells = ball.log_volume - d * log_unit - Ball(d, norm=error_norm).log_volume
        self._task = self.x, region, error_norm == 2, log_cells

    def brackets(self, schedule: Sequence[int], resolution: float) -> tuple[Floats, Floats, Floats]:
        """(lower, upper, witness) for each n of the schedule."""
        steps = np.array(schedule, np.int64)
        lower, upper = np.empty((2, len(steps)), np.int64)
        witness = np.empty((len(steps), self.x.shape[1]), np.int64)
        if brackets(self._task, resolution, steps, lower, upper, witness) == TOO_MANY_CELLS:
            raise self._too_many_cells()
        return self.grid.to_float(lower, 1), self.grid.to_float(upper, 1), self.grid.to_float(witness, 1)

    def first_coverings(self, n_first: int, n_last: int, eps: Floats, n: Ints) -> InfeasibleError | None:
        """Fill n with the first in the range that covers at eps, non-increasing, or NEVER."""
        errors = np.array([self.grid.floor(e, 1) for e in eps.tolist()], np.int64)
        if first_coverings(self._task, n_first, n_last, errors, n) == TOO_MANY_CELLS:
            return self._too_many_cells()
        return None

    def _too_many_cells(self) -> InfeasibleError:
        return InfeasibleError(
            f"a ball in {self.x.shape[1]} dimensions at this error",
            "more than 2^28 cells (1 GB)",
            "2^28 cells",
            "Use a larger eps, a smaller ball or fewer vectors.",
        )


def _too_much(n: int, d: int) -> InfeasibleError | None:
    """Refuse what does not end.

    The seconds are the slowest measured, d = 2 to 9, where each empty cell has 3^d cells about it; only what is refused
    depends on them. The part `space` of benchmarks/speed.py measures them again.
    """
    half, about, n_sums = 2.0 ** min((n + 1) // 2, 500), 3.0 ** min(d, 500), 2.0 ** min(n, 1000)
    return refusal(
        f"covering with n = {n} vectors in dimension {d}",
        memory_bytes=half * d * 32 + 4 * min(n_sums, 2.0**28) + min(n_sums, 2.0**22) * d * 8 + 24 * about,
        seconds=n_sums * 2e-8 * (1 + (d / 6) ** 7) + about * 2e-4,
        remedy="Use fewer vectors, or fewer dimensions.",
    )
