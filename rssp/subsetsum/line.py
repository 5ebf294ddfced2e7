"""Exact covering in one dimension: what the distance from a target to the nearest subset sum can be at most.

All lengths are int64 multiples of 2^(-q-1) (half a unit of the fixed point), so that the middle of a gap between two
sums is a whole number and every result is exact; a float64 is made of it once, at the end. `covering` checks arguments.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from rssp.balls import Ball
from rssp.subsetsum._line_bitmap import profiles_by_bitmap, radius_by_bitmap
from rssp.subsetsum._line_measure import fractions_of_trials
from rssp.subsetsum._line_merge import profiles_by_merging
from rssp.subsetsum.budget import require_feasible
from rssp.subsetsum.fixedpoint import FixedPoint
from rssp.subsetsum.results import CoveringProfile, CoveringRadius

__all__ = [
    "covered_fractions",
    "covering_profile",
    "covering_profiles",
    "covering_radius",
    "covers",
    "hitting_time",
    "hitting_times",
]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_MERGED = 13  # up to this n merging sorted lists is faster than a bitmap
_MAX_CELLS = 2 << 30  # of the bitmap: 270 MB
_ANY = np.int64(2**62)  # farther than any target from the empty sum


@dataclass(frozen=True)
class _Trials:
    """Samples (trials, n) and the ends of the ball (trials,), each trial in units 2^-q of its own grid."""

    units: Ints
    low: Ints
    high: Ints
    q: Ints

    @classmethod
    def of(cls, samples: Floats, ball: Ball) -> _Trials:
        low, high = (float(end[0]) for end in ball.bounds)
        q = FixedPoint.exponents(samples, max(abs(low), abs(high)))
        units = np.empty(samples.shape[:2], np.int64)
        ends = np.empty((2, len(samples)), np.int64)
        for exponent in np.unique(q):
            grid, chosen = FixedPoint(int(exponent)), q == exponent
            units[chosen] = grid.to_int(samples[chosen, :, 0])
            ends[:, chosen] = grid.to_int(np.array([[low], [high]]))
        return cls(units, ends[0], ends[1], q)

    def __getitem__(self, chosen: NDArray[np.bool_]) -> _Trials:
        return _Trials(self.units[chosen], self.low[chosen], self.high[chosen], self.q[chosen])

    def require_feasible(self, n: int) -> None:
        """Raise InfeasibleError if the radii of the first n numbers cost too much."""
        a = self.units[:, :n].astype(np.float64)
        spread = np.maximum(np.sqrt((a**2).sum(axis=1)) / 2, 1.0)
        mean = a.sum(axis=1) / 2
        inside = ndtr((self.high - mean) / spread) - ndtr((self.low - mean) / spread)
        per_sum = 0.5e-9 * 2.0 ** (max(n - 32, 0) / 3)  # the bitmap is made window by window past n = 34
        require_feasible(
            f"the covering radius of n = {n} numbers",
            memory_bytes=24 * 2.0 ** ((n + 1) // 2) + min(_MAX_CELLS / 8, 2.0**n),
            seconds=float((inside * 2.0**n * per_sum + 5e-9 * 2.0 ** (n / 2)).sum()),
            remedy="Use fewer numbers, a smaller ball, or `covers` at one eps.",
        )

    def radii(self, n_min: int, n_max: int) -> tuple[Ints, Ints]:
        """(radius, witness), each (trials, n_max - n_min + 1), in half units."""
        self.require_feasible(n_max)
        split = min(max(n_min, _MERGED + 1), n_max + 1)
        merged = np.empty((2, len(self.q), split - n_min), np.int64)
        mapped = np.empty((2, len(self.q), n_max + 1 - split), np.int64)
        if merged.size:
            profiles_by_merging(self.units, self.low, self.high, n_min, *merged)
        if mapped.size:
            profiles_by_bitmap(self.units, self.low, self.high, split, np.int64(_MAX_CELLS), *mapped)
        radius, witness = np.concatenate((merged, mapped), axis=2)
        return radius, witness

    def in_units(self, eps: float, halves: int = 0) -> Ints:
        """eps in the (half) units of each trial, rounded down."""
        result = np.empty(len(self.q), np.int64)
        for exponent in np.unique(self.q):
            result[self.q == exponent] = FixedPoint(int(exponent)).floor(eps, halves)
        return result

    def to_float(self, radius: Ints) -> Floats:
        """Half units (trials, m) as float64, rounded once."""
        return np.ldexp(radius.astype(np.float64), -self.q[:, None] - 1)


def covering_radius(
    sample: Floats, ball: Ball, *, resolution: float = 0.05, error_norm: float = math.inf
) -> CoveringRadius:
    """Exact; see `rssp.subsetsum.covering_radius`."""
    trials = _Trials.of(sample[None], ball)
    radius, witness = trials.radii(len(sample), len(sample))
    value = float(trials.to_float(radius)[0, 0])
    return CoveringRadius(value, value, trials.to_float(witness)[0])


def _mean_gap(x: Ints, low: int, high: int) -> float:
    """The mean distance of neighbouring sums of x at the worse end of the ball, their law taken to be normal."""
    spread = max(math.sqrt(float((x.astype(np.float64) ** 2).sum())) / 2, 1.0)
    far = abs((low + high - float(x.sum())) / 2) + (high - low) / 2
    log_gap = math.log(spread) + 0.92 + (far / spread) ** 2 / 2 - len(x) * math.log(2)
    return math.exp(min(log_gap, 700.0))


def _without_the_needless(x: Ints, low: int, high: int, limit: int) -> Ints:
    """As few of the numbers as will most likely do to come within limit / 2 of every target, centred on the ball."""
    while len(x) > 2:
        gap = _mean_gap(x, low, high)
        if limit < 16 * gap * (math.log(max((high - low) / gap, 1.0)) + 3):
            break
        rest = x.sum() - x
        x = np.delete(x, np.abs(rest.astype(np.float64) - float(low + high)).argmin())
    return x


def covers(sample: Floats, ball: Ball, eps: float, *, error_norm: float = math.inf) -> bool:
    """Exact; see `rssp.subsetsum.covers`."""
    trials = _Trials.of(sample[None], ball)
    x, low, high = trials.units[0], trials.low[0], trials.high[0]
    limit = trials.in_units(eps, 1)[0]
    if int(limit) << min(len(x), 70) < int(high) - int(low):  # 2^n intervals of length 2 eps are too short in all
        return False
    few = _without_the_needless(x, int(low), int(high), int(limit))
    for numbers in (few, x) if len(few) < len(x) else (x,):
        n = len(numbers)
        seconds = 2e-9 * 2.0 ** max(n - 14, n / 2 + 3) + 2e-9 * float(high - low) / max(int(limit), 1)
        require_feasible(
            f"covering by n = {n} numbers at eps = {eps:g}",
            memory_bytes=8 * 2.0 ** ((n + 3) // 2) + min(_MAX_CELLS / 8, 2.0**n),
            seconds=seconds,
            remedy="Use fewer numbers or a larger eps.",
        )
        if radius_by_bitmap(numbers, low, high, limit, limit, np.int64(_MAX_CELLS))[0] <= limit:
            return True
    return False


def covering_profiles(
    samples: Floats, ball: Ball, n_min: int, n_max: int, *, resolution: float = 0.05, error_norm: float = math.inf
) -> tuple[Floats, Floats]:
    """Exact, so (lower, upper) are equal; see `rssp.subsetsum.covering_profiles`."""
    trials = _Trials.of(samples, ball)
    values = trials.to_float(trials.radii(n_min, n_max)[0])
    return values, values.copy()


def covering_profile(
    sample: Floats, ball: Ball, n_min: int, n_max: int, *, resolution: float = 0.05, error_norm: float = math.inf
) -> CoveringProfile:
    """Exact; see `rssp.subsetsum.covering_profile`."""
    lower, upper = covering_profiles(sample[None], ball, n_min, n_max)
    return CoveringProfile(np.arange(n_min, n_max + 1), lower[0], upper[0])


def hitting_times(samples: Floats, ball: Ball, eps: Floats, *, error_norm: float = math.inf) -> Ints:
    """Exact; see `rssp.subsetsum.hitting_times`. A trial stops at the first n that reaches its smallest eps."""
    trials = _Trials.of(samples, ball)
    limits = np.stack([trials.in_units(float(e), 1) for e in eps], axis=1)
    times = np.full(limits.shape, -1, np.int64)
    n, last = 0, samples.shape[1]
    going: NDArray[np.bool_] = np.ones(len(samples), np.bool_)
    while n <= last and going.any():
        stop = max(n, min(last, _MERGED))  # merging gives all small n in one go
        radius, _ = trials[going].radii(n, stop)
        reached = radius[:, :, None] <= limits[going, None, :]
        first = np.where(reached.any(axis=1), n + reached.argmax(axis=1), -1)
        times[going] = np.where(times[going] < 0, first, times[going])
        going = np.asarray((times < 0).any(axis=1))
        n = stop + 1
    return times


def hitting_time(sample: Floats, ball: Ball, eps: Floats, *, error_norm: float = math.inf) -> Ints:
    """Exact; see `rssp.subsetsum.hitting_time`."""
    return hitting_times(sample[None], ball, eps)[0]


def covered_fractions(samples: Floats, ball: Ball, eps: float, n_min: int, n_max: int) -> Floats:
    """Exact; see `rssp.subsetsum.covered_fractions`."""
    trials = _Trials.of(samples, ball)
    units = trials.in_units(eps)
    reach = np.abs(trials.units[:, :n_max]).sum(axis=1, dtype=np.float64)
    most = float((reach / (2 * np.maximum(units, 0.5))).max(initial=0.0)) + 3
    room = min(most, 2.0 ** min(n_max, 62) + 1)
    require_feasible(
        f"the covered fraction at eps = {eps:g} of n = {n_max} numbers",
        memory_bytes=32 * room,
        seconds=4e-9 * room * min(n_max, 2 + abs(n_max - math.log2(room))) * len(samples),
        remedy="Use a larger eps.",
    )
    fraction = np.empty((len(samples), n_max - n_min + 1))
    fractions_of_trials(trials.units, trials.low, trials.high, units, n_min, np.int64(room) + 2, fraction)
    return fraction
