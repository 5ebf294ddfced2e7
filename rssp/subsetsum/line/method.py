"""Exact covering in one dimension: what the distance from a target to the nearest subset sum can be at most.

All lengths are int64 multiples of 2^(-q-1) (half a unit of the fixed point), so that the middle of a gap between two
sums is a whole number and every result is exact; a float64 is made of it once, at the end. `covering` checks arguments.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from rssp._costs import SECONDS, memory_limit, require_feasible
from rssp.balls import Ball
from rssp.subsetsum.fixedpoint import FixedPoint
from rssp.subsetsum.line.covered import fractions_of_trials, hits_of_trials
from rssp.subsetsum.line.merge import profiles_by_merging
from rssp.subsetsum.line.passes import covers_by_bitmap, hits_by_bitmap, profiles_by_bitmap, radius_by_bitmap
from rssp.subsetsum.results import CoveringProfile, CoveringRadius

__all__ = [
    "COVERED",
    "OPEN",
    "UNCOVERED",
    "covered_fractions",
    "covering_profile",
    "covering_profiles",
    "covering_radius",
    "covers",
    "decide",
    "hitting_time",
    "hitting_times",
]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_MERGED = 15  # up to this n merging sorted lists is faster than a bitmap
_MAX_CELLS = np.int64(2 << 30)  # of the bitmap: 270 MB
_MOST_BITMAP = 46  # numbers in a decision by bitmap that is made without asking: 9 s
_SLOW = 1e-3  # seconds of a decision, from which on it pays to try with fewer numbers first

UNCOVERED, COVERED, OPEN = 0, 1, 2


@dataclass(frozen=True)
class _Trials:
    """Samples in units 2^-q, each of its own grid, and the ends of the ball (trials,).

    Numbers that are 0 change nothing and are left out: units (trials, m) holds the `counts` others in the order given,
    then zeros. The first k of them are among the first place[:, k] numbers given; seen[:, n] are among the first n.
    """

    units: Ints
    counts: Ints
    place: Ints
    seen: Ints
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
        seen = np.zeros((len(units), samples.shape[1] + 1), np.int64)
        np.cumsum(units != 0, axis=1, out=seen[:, 1:])
        order = np.argsort(units == 0, axis=1, kind="stable")
        place = np.concatenate((np.zeros((len(units), 1), np.int64), order + 1), axis=1)
        counts = seen[:, -1].copy()
        units = np.take_along_axis(units, order, axis=1)[:, : max(counts.max(initial=0), 1)]
        return cls(np.ascontiguousarray(units), counts, place, seen, ends[0], ends[1], q)

    def __getitem__(self, chosen: NDArray[np.bool_] | NDArray[np.intp]) -> _Trials:
        return _Trials(*(getattr(self, field.name)[chosen] for field in fields(self)))

    def in_units(self, eps: Sequence[float], halves: int = 0) -> Ints:
        """Each eps in the (half) units of each trial, rounded down: (trials, len(eps))."""
        result = np.empty((len(self.q), len(eps)), np.int64)
        for exponent in np.unique(self.q):
            result[self.q == exponent] = [FixedPoint(int(exponent)).floor(e, halves) for e in eps]
        return result

    def to_float(self, radius: Ints) -> Floats:
        """Half units (trials, m) as float64, rounded once."""
        return np.ldexp(radius.astype(np.float64), -self.q[:, None] - 1)

    def require_feasible(self, n: int) -> None:
        """Raise InfeasibleError if the radii of the first n numbers cost too much."""
        a = self.units[:, :n].astype(np.float64)
        spread = np.maximum(np.sqrt((a**2).sum(axis=1)) / 2, 1.0)
        mean = a.sum(axis=1) / 2
        inside = ndtr((self.high - mean) / spread) - ndtr((self.low - mean) / spread)
        per_sum = 0.5e-9 * 2.0 ** (max(n - 32, 0) / 3)  # the bitmap is made window by window past n = 34
        sums = 2.0 ** np.minimum(self.counts, n)
        require_feasible(
            f"the covering radius of n = {n} numbers",
            memory_bytes=24 * 2.0 ** ((n + 1) // 2) + min(float(_MAX_CELLS) / 8, 2.0**n),
            seconds=float((inside * sums * per_sum + 5e-9 * np.sqrt(sums)).sum()),
            remedy="Use fewer numbers, a smaller ball, or `covers` at one eps.",
        )

    def merged(self, n_min: int, n_max: int) -> tuple[Ints, Ints]:
        """(radius, witness), each (trials, n_max - n_min + 1), in half units, of the first n_min, ... units."""
        both = np.empty((2, len(self.q), n_max - n_min + 1), np.int64)
        if both.size:
            profiles_by_merging(self.units, self.low, self.high, n_min, *both)
        return both[0], both[1]

    def radii(self, n_min: int, n_max: int) -> tuple[Ints, Ints]:
        """(radius, witness), each (trials, n_max - n_min + 1), in half units, of the first n numbers given."""
        low, high, columns = self.units_seen(n_min, n_max)
        self.require_feasible(high)
        split = min(max(low, _MERGED + 1), high + 1)
        mapped = np.empty((2, len(self.q), high + 1 - split), np.int64)
        if mapped.size:
            profiles_by_bitmap(self.units, self.low, self.high, split, _MAX_CELLS, *mapped)
        radius, witness = (
            np.take_along_axis(np.concatenate(parts, axis=1), columns, axis=1)
            for parts in zip(self.merged(low, split - 1), mapped, strict=True)
        )
        return radius, witness

    def units_seen(self, n_min: int, n_max: int) -> tuple[int, int, Ints]:
        """(low, high, columns): the first n numbers hold low + columns[:, n - n_min] of the units, high at most."""
        seen = self.seen[:, n_min : n_max + 1]
        low, high = int(seen.min(initial=n_max)), int(seen.max(initial=0))
        return min(low, high), high, seen - low

    def interval_cost(self, limits: Ints) -> tuple[Floats, Floats]:
        """(seconds, bytes) of the union of the intervals of these lengths, each (trials, m) as limits."""
        spread = np.maximum(np.sqrt((self.units.astype(np.float64) ** 2).sum(axis=1)) / 2, 1.0)
        most = 2.0 ** np.minimum(self.counts, 60)
        intervals = np.minimum(most[:, None], 6 * spread[:, None] / np.maximum(limits, 0.5))
        return 2e-8 * intervals + 1e-6, 16 * intervals

    def hits(self, limits: Ints) -> Ints:
        """How many numbers given leave no target farther than limits (trials, m), descending; -1: not all of them."""
        small = min(self.units.shape[1], _MERGED)
        reached = self.merged(0, small)[0][:, :, None] <= limits[:, None, :]
        first = np.where(reached.any(axis=1), reached.argmax(axis=1), -1)
        going = np.flatnonzero((first < 0).any(axis=1) & (self.counts > small))
        if going.size:
            first[going] = self[going]._large_hits(limits[going], small + 1, first[going])
        return np.where(first < 0, -1, np.take_along_axis(self.place, np.maximum(first, 0), axis=1))

    def _large_hits(self, limits: Ints, n: int, first: Ints) -> Ints:
        """`first`, -1 where there are none among n - 1 of the units, filled in.

        One decision by bitmap after the other, as long as they are cheap; then by intervals, in one go for all n.
        """
        seconds, memory = self.interval_cost(limits)
        steps = np.log2(seconds / 8e-9)
        stop = np.floor(np.minimum(np.minimum(steps + 14, 2 * (steps - 4)), _MOST_BITMAP)).astype(np.int64)
        hits_by_bitmap(self.units, self.counts, self.low, self.high, limits, stop, n, _MAX_CELLS, first)
        fits = (memory < memory_limit() / 2) & (seconds < SECONDS)
        for e in range(first.shape[1]):
            left = np.flatnonzero((first[:, e] == -2) & fits[:, e])
            if left.size:
                first[left, e] = self[left].hits_by_intervals(limits[left, e])
        left = np.flatnonzero((first == -2).any(axis=1))
        if left.size:  # too many intervals
            last = self.counts[left]
            require_feasible(
                f"covering by up to {last.max()} numbers",
                seconds=float(_bitmap_seconds(last).sum()),
                remedy="Use a larger eps or fewer numbers.",
            )
            rest, part = self[left], np.where(first[left] == -2, -1, first[left])
            stop = np.repeat(last[:, None], first.shape[1], axis=1)
            hits_by_bitmap(rest.units, last, rest.low, rest.high, limits[left], stop, n, _MAX_CELLS, part)
            first[left] = part
        return first

    def hits_by_intervals(self, limit: Ints) -> Ints:
        """How many of the units leave no target farther than limit (trials,); -1: not all; -2: too much memory."""
        times = np.empty(len(self.q), np.int64)
        most = np.int64(memory_limit() / 64)
        hits_of_trials(self.units, self.counts, self.low, self.high, limit, most, times)
        return times

    def decide(self, limit: Ints) -> Ints:
        """COVERED or UNCOVERED for each trial, no target farther than limit (trials,) or not; OPEN: costs too much."""
        result = np.full(len(self.q), OPEN, np.int64)
        positive, negative = np.maximum(self.units, 0).sum(axis=1), np.minimum(self.units, 0).sum(axis=1)
        beyond = (2 * self.high > 2 * positive + limit) | (2 * self.low < 2 * negative - limit)
        too_few = (self.high - self.low) >> np.minimum(self.counts, 62) > limit  # 2^n times 2 eps are too short in all
        result[beyond | too_few] = UNCOVERED
        by_bitmap = _bitmap_seconds(self.counts) + 2e-9 * (self.high - self.low) / np.maximum(limit, 1)
        by_intervals, memory = (cost[:, 0] for cost in self.interval_cost(limit[:, None]))
        by_intervals = np.where(memory > memory_limit() / 2, np.inf, by_intervals)
        for t in np.flatnonzero((result == OPEN) & (np.minimum(by_bitmap, by_intervals) > _SLOW)):
            low, high = self.low[t], self.high[t]
            few = _without_the_needless(self.units[t, : self.counts[t]], int(low), int(high), int(limit[t]))
            cheaper = _bitmap_seconds(np.array(len(few))) < min(by_bitmap[t], by_intervals[t], SECONDS)
            if cheaper and radius_by_bitmap(few, low, high, limit[t], limit[t], _MAX_CELLS)[0] <= limit[t]:
                result[t] = COVERED
        chosen = np.flatnonzero((result == OPEN) & (by_intervals < np.minimum(by_bitmap, SECONDS)))
        if chosen.size:
            rest = self[chosen]
            order = np.argsort(-np.abs(rest.units), axis=1)  # the largest first: later ones move less into the ball
            times = replace(rest, units=np.take_along_axis(rest.units, order, axis=1)).hits_by_intervals(limit[chosen])
            result[chosen] = np.where(times == -2, OPEN, times >= 0)
        for t in np.flatnonzero((result == OPEN) & (by_bitmap < SECONDS)):
            x, low, high = self.units[t, : self.counts[t]], self.low[t], self.high[t]
            result[t] = covers_by_bitmap(x, low, high, limit[t], _MAX_CELLS)
        return result


def _bitmap_seconds(n: Ints) -> Floats:
    """The time of one decision by bitmap, but for what the length of the bitmap adds."""
    return 2e-9 * 2.0 ** np.maximum(n - 14.0, n / 2 + 4)


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


def covering_radius(
    sample: Floats, ball: Ball, *, resolution: float = 0.05, error_norm: float = math.inf
) -> CoveringRadius:
    """Exact; see `rssp.subsetsum.covering_radius`."""
    trials = _Trials.of(sample[None], ball)
    radius, witness = trials.radii(len(sample), len(sample))
    value = float(trials.to_float(radius)[0, 0])
    return CoveringRadius(value, value, trials.to_float(witness)[0])


def decide(samples: Floats, ball: Ball, eps: float) -> Ints:
    """COVERED, UNCOVERED or OPEN (too much memory or time) for each of the samples (trials, n, 1); exact."""
    trials = _Trials.of(samples, ball)
    return trials.decide(trials.in_units([eps], 1)[:, 0])


def covers(sample: Floats, ball: Ball, eps: float, *, error_norm: float = math.inf) -> bool:
    """Exact; see `rssp.subsetsum.covers`."""
    decision = int(decide(sample[None], ball, eps)[0])
    if decision == OPEN:
        n = len(sample)
        require_feasible(
            f"covering by n = {n} numbers at eps = {eps:g}",
            seconds=max(float(_bitmap_seconds(np.array([n]))[0]), 1.01 * SECONDS),
            remedy="Use fewer numbers or a larger eps.",
        )
    return decision == COVERED


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
    descending = np.argsort(-eps, kind="stable")
    times = np.empty((len(samples), len(eps)), np.int64)
    times[:, descending] = trials.hits(trials.in_units(eps[descending].tolist(), 1))
    return times


def hitting_time(sample: Floats, ball: Ball, eps: Floats, *, error_norm: float = math.inf) -> Ints:
    """Exact; see `rssp.subsetsum.hitting_time`."""
    return hitting_times(sample[None], ball, eps)[0]


def covered_fractions(samples: Floats, ball: Ball, eps: float, n_min: int, n_max: int) -> Floats:
    """Exact; see `rssp.subsetsum.covered_fractions`."""
    trials = _Trials.of(samples, ball)
    units = trials.in_units([eps])[:, 0]
    low, high, columns = trials.units_seen(n_min, n_max)
    reach = np.abs(trials.units[:, :high]).sum(axis=1, dtype=np.float64)
    most = float((reach / (2 * np.maximum(units, 0.5))).max(initial=0.0)) + 3
    room = min(most, 2.0 ** min(n_max, 62) + 1)
    require_feasible(
        f"the covered fraction at eps = {eps:g} of n = {n_max} numbers",
        memory_bytes=32 * room,
        seconds=4e-9 * room * min(n_max, 2 + abs(n_max - math.log2(room))) * len(samples),
        remedy="Use a larger eps.",
    )
    fraction = np.empty((len(samples), high - low + 1))
    fractions_of_trials(trials.units, trials.low, trials.high, units, low, np.int64(room) + 2, fraction)
    return np.take_along_axis(fraction, columns, axis=1)
