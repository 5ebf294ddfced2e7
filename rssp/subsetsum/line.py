"""Exact covering in one dimension: what the distance from a target to the nearest subset sum can be at most.

All lengths are int64 multiples of 2^(-q-1) (half a unit of the fixed point), so that the middle of a gap between two sums
is a whole number and every result is exact; a float64 is made of it once, at the end. `covering` checks the arguments.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from rssp.balls import Ball
from rssp.subsetsum._line_merge import profiles_by_merging
from rssp.subsetsum.budget import require_feasible
from rssp.subsetsum.fixedpoint import FixedPoint
from rssp.subsetsum.results import CoveringProfile, CoveringRadius

__all__ = ["covering_profile", "covering_profiles", "covering_radius", "covers", "hitting_time", "hitting_times"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def _in_units(samples: Floats, ball: Ball) -> tuple[list[FixedPoint], Ints, Ints, Ints]:
    """The grid of each trial, and samples (trials, n), lower and upper ends (trials,) in its units."""
    low, high = (float(end[0]) for end in ball.bounds)
    reach = max(abs(low), abs(high))
    grids = [FixedPoint.for_sample(sample, reach) for sample in samples]
    q = np.array([grid.q for grid in grids])
    units = np.rint(np.ldexp(samples[:, :, 0], q[:, None])).astype(np.int64)
    ends = np.rint(np.ldexp(np.array([[low], [high]]), q)).astype(np.int64)
    return grids, units, ends[0], ends[1]


def _profiles(samples: Floats, ball: Ball, n_min: int, n_max: int) -> tuple[list[FixedPoint], Ints, Ints]:
    require_feasible(
        f"the covering radius of n = {n_max} numbers",
        memory_bytes=16 * 2.0**n_max,
        seconds=len(samples) * 4e-9 * 2.0**n_max,
    )
    grids, units, low, high = _in_units(samples, ball)
    radius = np.empty((len(samples), n_max - n_min + 1), np.int64)
    witness = np.empty_like(radius)
    profiles_by_merging(units, low, high, n_min, radius, witness)
    return grids, radius, witness


def covering_radius(
    sample: Floats, ball: Ball, *, resolution: float = 0.05, error_norm: float = math.inf
) -> CoveringRadius:
    n = len(sample)
    grids, radius, witness = _profiles(sample[None], ball, n, n)
    value = float(grids[0].to_float(radius[0, 0], 1))
    return CoveringRadius(value, value, np.atleast_1d(grids[0].to_float(witness[0, 0], 1)))


def covers(sample: Floats, ball: Ball, eps: float, *, error_norm: float = math.inf) -> bool:
    n = len(sample)
    grids, radius, _ = _profiles(sample[None], ball, n, n)
    return bool(radius[0, 0] <= grids[0].floor(eps, 1))


def covering_profiles(
    samples: Floats, ball: Ball, n_min: int, n_max: int, *, resolution: float = 0.05, error_norm: float = math.inf
) -> tuple[Floats, Floats]:
    grids, radius, _ = _profiles(samples, ball, n_min, n_max)
    q = np.array([grid.q for grid in grids])
    values = np.ldexp(radius.astype(np.float64), -q[:, None] - 1)
    return values, values.copy()


def covering_profile(
    sample: Floats, ball: Ball, n_min: int, n_max: int, *, resolution: float = 0.05, error_norm: float = math.inf
) -> CoveringProfile:
    lower, upper = covering_profiles(sample[None], ball, n_min, n_max)
    return CoveringProfile(np.arange(n_min, n_max + 1), lower[0], upper[0])


def hitting_times(samples: Floats, ball: Ball, eps: Floats, *, error_norm: float = math.inf) -> Ints:
    grids, radius, _ = _profiles(samples, ball, 0, samples.shape[1])
    limits = np.array([[grid.floor(float(e), 1) for e in eps] for grid in grids])
    reached = radius[:, :, None] <= limits[:, None, :]
    return np.where(reached.any(axis=1), reached.argmax(axis=1), -1)


def hitting_time(sample: Floats, ball: Ball, eps: Floats, *, error_norm: float = math.inf) -> Ints:
    return hitting_times(sample[None], ball, eps)[0]
