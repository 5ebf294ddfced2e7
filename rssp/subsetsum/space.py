"""Certified covering in two and more dimensions: what `covering` calls there, on arrays that it has checked.

The answer is a bracket: `lower` is the distance of one target, the witness, to all sums; at `upper` every target of the
ball is certified, by a finite case distinction on whole numbers, never by sampled targets. Lengths are int64 multiples of
2^(-q-1), with q two bits short of the fixed point's, which leaves room for differences; `covers` compares eps with the
same units, so that its answer is exact for the sample on that grid (in the 2-norm error: up to 2^-32 of eps).
The general code also holds in one dimension, where `line` is faster and exact.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from rssp.balls import Ball
from rssp.errors import ArgumentError, InfeasibleError
from rssp.subsetsum._space_kernels import COVERED, TOO_MANY_CELLS, decide, radii
from rssp.subsetsum.budget import require_feasible
from rssp.subsetsum.fixedpoint import FixedPoint
from rssp.subsetsum.results import CoveringProfile, CoveringRadius

__all__ = ["covering_profile", "covering_radius", "covers", "hitting_time"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
_SPARE_BITS = 2


class _Units:
    """A sample and its ball in whole units of 2^(-q-1)."""

    def __init__(self, sample: Floats, ball: Ball, error_norm: float) -> None:
        n, d = sample.shape
        reach = float(max(np.abs(end).max() for end in ball.bounds))
        self.grid = FixedPoint(FixedPoint.for_sample(sample, reach).q - _SPARE_BITS)
        self.x = 2 * self.grid.to_int(sample)
        self.centre = 2 * self.grid.to_int(ball.centre_vector)
        self.radius = max(1, int(2 * self.grid.to_int(np.array(ball.radius))))
        self.norm = 0 if ball.norm == math.inf else int(ball.norm)
        self.euclid = error_norm == 2
        self.log_volume = ball.log_volume + d * (self.grid.q + 1) * math.log(2)
        self.log_ball = Ball(d, norm=error_norm).log_volume

    def counted_out(self, n: int, eps: float) -> bool:
        """Whether 2^n error balls of radius eps have less volume than the ball of targets."""
        d = self.x.shape[1]
        log_unit = -(self.grid.q + 1) * math.log(2)
        return n * math.log(2) + d * (math.log(eps) - log_unit) + self.log_ball < self.log_volume - 1e-9 * d

    def to_float(self, units: Ints) -> Floats:
        return self.grid.to_float(units, 1)

    def radii(self, schedule: list[int], resolution: float) -> tuple[Floats, Floats, Floats]:
        if not 0 < resolution < 1:
            raise ArgumentError("resolution", resolution, "a number strictly between 0 and 1")
        steps = np.array(schedule, np.int64)
        lower, upper = np.empty((2, len(steps)), np.int64)
        witness = np.empty((len(steps), self.x.shape[1]), np.int64)
        state = radii(
            self.x,
            self.centre,
            self.radius,
            self.norm,
            self.euclid,
            resolution,
            self.log_volume,
            self.log_ball,
            steps,
            lower,
            upper,
            witness,
        )
        _check(state, self.x.shape[1])
        return self.to_float(lower), self.to_float(upper), self.to_float(witness)

    def covered(self, n: int, eps: float, witness: Ints) -> bool:
        if self.counted_out(n, eps):
            return False
        t = self.grid.floor(eps, 1)
        if t < 1:
            return False
        state = decide(self.x[:n], self.centre, self.radius, self.norm, t, self.euclid, witness)
        _check(state, self.x.shape[1])
        return bool(state == COVERED)


def _check(state: int, d: int) -> None:
    if state == TOO_MANY_CELLS:
        raise InfeasibleError(
            f"a ball in {d} dimensions at this error",
            "more than 2^29 cells",
            "2^29 cells",
            "Use a larger eps or fewer vectors.",
        )


def _require(n: int, d: int) -> None:
    half = 2.0 ** ((n + 1) // 2)
    require_feasible(
        f"covering with n = {n} vectors in dimension {d}",
        memory_bytes=half * d * 64 + 2.0**n * 0.5,
        seconds=2.0**n * 1e-8,
        remedy="Use fewer vectors.",
    )


def covering_radius(
    sample: Floats, ball: Ball, *, resolution: float = 0.05, error_norm: float = math.inf
) -> CoveringRadius:
    """See `covering.covering_radius`."""
    n, d = sample.shape
    _require(n, d)
    schedule = sorted({n, *(k for k in (n - 3, n - 6, n - 10) if k >= 1)})
    lower, upper, witness = _Units(sample, ball, error_norm).radii(schedule, resolution)
    return CoveringRadius(float(lower[-1]), float(upper[-1]), witness[-1])


def covers(sample: Floats, ball: Ball, eps: float, *, error_norm: float = math.inf) -> bool:
    """See `covering.covers`."""
    n, d = sample.shape
    _require(n, d)
    return _Units(sample, ball, error_norm).covered(n, eps, np.empty(d, np.int64))


def covering_profile(
    sample: Floats,
    ball: Ball,
    n_min: int = 1,
    n_max: int | None = None,
    *,
    resolution: float = 0.05,
    error_norm: float = math.inf,
) -> CoveringProfile:
    """See `covering.covering_profile`."""
    n = len(sample) if n_max is None else n_max
    _require(n, sample.shape[1])
    steps = list(range(n_min, n + 1))
    lower, upper, _ = _Units(sample[:n], ball, error_norm).radii(steps, resolution)
    # a later bracket may reach above an earlier one of the same radius: the radius does not increase
    return CoveringProfile(
        np.array(steps, np.int64), np.maximum.accumulate(lower[::-1])[::-1], np.minimum.accumulate(upper)
    )


def hitting_time(sample: Floats, ball: Ball, eps: Floats, *, error_norm: float = math.inf) -> Ints:
    """See `covering.hitting_time`."""
    units = _Units(sample, ball, error_norm)
    witness = np.empty(sample.shape[1], np.int64)
    out = np.full(len(eps), -1, np.int64)
    n = 0
    for k in np.argsort(-eps, kind="stable"):
        while n <= len(sample):
            _require(n, sample.shape[1])
            if units.covered(n, float(eps[k]), witness):
                out[k] = n
                break
            n += 1
        else:
            break
    return out
