"""Exact covering in one dimension: the method behind the verbs of `covering`, which check the arguments.

All lengths are int64 multiples of 2^(-q-1) (half a unit of the fixed point), so that the middle of a gap between two
sums is a whole number and every result is exact; a float64 is made of it once, at the end.

Three ways are taken, each where it is cheapest: all sums in one sorted list (`merge`), a bitmap of cells (`bitmap`,
`passes`), and, at one eps, the union of the intervals of length 2 eps about the sums (`covered`).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from rssp._costs import SECONDS, memory_limit, refusal, require_feasible
from rssp.balls import Ball
from rssp.errors import InfeasibleError
from rssp.subsetsum.fixedpoint import FixedPoint
from rssp.subsetsum.line.covered import coverings_by_intervals, fractions_by_intervals
from rssp.subsetsum.line.merge import profiles_by_merging
from rssp.subsetsum.line.passes import coverings_by_bitmap, covers_by_bitmap, profiles_by_bitmap, radius_by_bitmap
from rssp.subsetsum.results import NEVER, OPEN, Coverings, Radii

__all__ = ["Line"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

# Tuned with the part `line` of benchmarks/speed.py; measure again when a kernel or the kind of processor changes.
_MERGED = 15  # at this n merging and the bitmap take the same time; below it merging is faster
_MAX_CELLS = np.int64(2 << 30)  # of the bitmap: 270 MB, read window by window beyond, which costs a third more an n
_MOST_BITMAP = 46  # numbers in a decision by bitmap that is made without asking the limit: 2^32 word operations
_SLOW = 1e-3  # seconds of a decision from which on it pays to try with fewer numbers first
# what the model of cost counts with, in seconds: only the choice of a way, and what is refused, depend on them
_SECONDS_A_CELL = 2e-9  # of one decision by bitmap; also what one pair of sums costs to place
_SECONDS_AN_INTERVAL = 2e-8  # in the union of all intervals, over all n
_SECONDS_A_SUM = 0.5e-9  # of the radius by bitmap; doubling every three n beyond n = 32

_UNCOVERED, _COVERED, _UNDECIDED = 0, 1, 2


@dataclass(frozen=True)
class Line:
    """Samples of numbers in whole units 2^-q, each sample on its own grid, and a ball. A `Method`.

    Numbers that are 0 change no sum and are left out of `units`: those of the sample (0, 5, 0, 7) are (5, 7, 0, 0). To
    say how many numbers of the sample the first k units stand for, and the other way round, there are `place` and
    `seen`.

    Attributes
    ----------
    units : int64 (trials, m), the numbers that are not 0 in the order given, then zeros
    counts : int64 (trials,), how many of the units are not 0
    place : int64 (trials, n + 1), the first k units are among the first place[:, k] numbers given: 0, 2, 4, ... above
    seen : int64 (trials, n + 1), how many units are among the first n numbers given: 0, 0, 1, 1, 2 above
    low, high : int64 (trials,), the ends of the ball
    q : int64 (trials,)
    """

    units: Ints
    counts: Ints
    place: Ints
    seen: Ints
    low: Ints
    high: Ints
    q: Ints

    run_up: ClassVar[tuple[int, ...]] = ()

    @classmethod
    def of(cls, samples: Floats, ball: Ball) -> Line:
        """Samples (trials, n, 1) and a ball of dimension 1."""
        low, high = (float(end[0]) for end in ball.bounds)
        q = FixedPoint.exponents(samples, max(abs(low), abs(high)))
        units = np.empty(samples.shape[:2], np.int64)
        ends = np.empty((2, len(samples)), np.int64)
        for exponent in sorted(set(q.tolist())):
            grid, chosen = FixedPoint(exponent), q == exponent
            units[chosen] = grid.to_int(samples[chosen, :, 0])
            ends[:, chosen] = grid.to_int(np.array([[low], [high]]))
        seen = np.zeros((len(units), samples.shape[1] + 1), np.int64)
        np.cumsum(units != 0, axis=1, out=seen[:, 1:])
        order = np.argsort(units == 0, axis=1, kind="stable")
        place = np.concatenate((np.zeros((len(units), 1), np.int64), order + 1), axis=1)
        counts = seen[:, -1].copy()
        units = np.take_along_axis(units, order, axis=1)[:, : max(counts.max(initial=0), 1)]
        return cls(np.ascontiguousarray(units), counts, place, seen, ends[0], ends[1], q)

    def __getitem__(self, chosen: NDArray[np.bool_] | NDArray[np.intp]) -> Line:
        return Line(*(getattr(self, field.name)[chosen] for field in fields(self)))

    def in_units(self, eps: Sequence[float], halves: int = 0) -> Ints:
        """Each eps in the (half) units of each trial, rounded down: (trials, len(eps))."""
        result = np.empty((len(self.q), len(eps)), np.int64)
        for exponent in sorted(set(self.q.tolist())):
            result[self.q == exponent] = [FixedPoint(exponent).floor(e, halves) for e in eps]
        return result

    def to_float(self, radius: Ints) -> Floats:
        """Half units (trials, m) as float64, rounded once."""
        return np.ldexp(radius.astype(np.float64), -self.q[:, None] - 1)

    def _require_feasible(self, n: int) -> None:
        """Raise InfeasibleError if the radii of the first n numbers cost too much."""
        a = self.units[:, :n].astype(np.float64)
        spread = np.maximum(np.sqrt((a**2).sum(axis=1)) / 2, 1.0)
        mean = a.sum(axis=1) / 2
        inside = ndtr((self.high - mean) / spread) - ndtr((self.low - mean) / spread)
        per_sum = _SECONDS_A_SUM * 2.0 ** (max(n - 32, 0) / 3)
        sums = 2.0 ** np.minimum(self.counts, n)
        require_feasible(
            f"the covering radius of n = {n} numbers",
            memory_bytes=24 * 2.0 ** ((n + 1) // 2) + min(float(_MAX_CELLS) / 8, 2.0**n),
            seconds=float((inside * sums * per_sum + 5e-9 * np.sqrt(sums)).sum()),
            remedy="Use fewer numbers, a smaller ball, or `covers` at one eps.",
        )

    def _merged(self, n_min: int, n_max: int) -> tuple[Ints, Ints]:
        """(radius, witness), each (trials, n_max - n_min + 1), in half units, of the first n_min, ... units."""
        both = np.empty((2, len(self.q), n_max - n_min + 1), np.int64)
        if both.size:
            profiles_by_merging(self.units, self.low, self.high, n_min, *both)
        return both[0], both[1]

    def radii(self, schedule: Sequence[int], resolution: float = 0.0) -> Radii:
        """Exact, so (lower, upper) are equal whatever the resolution. The n between those of the schedule cost too."""
        radius, witness = self.half_unit_radii(schedule)
        value = self.to_float(radius)
        return Radii(value, value.copy(), self.to_float(witness)[:, :, None])

    def half_unit_radii(self, schedule: Sequence[int]) -> tuple[Ints, Ints]:
        """(radius, witness), each (trials, len(schedule)), in half units, of the first n numbers given."""
        low, high, columns = self._units_seen(schedule)
        self._require_feasible(high)
        split = min(max(low, _MERGED + 1), high + 1)
        mapped = np.empty((2, len(self.q), high + 1 - split), np.int64)
        if mapped.size:
            profiles_by_bitmap(self.units, self.low, self.high, split, _MAX_CELLS, *mapped)
        radius, witness = (
            np.take_along_axis(np.concatenate(parts, axis=1), columns, axis=1)
            for parts in zip(self._merged(low, split - 1), mapped, strict=True)
        )
        return radius, witness

    def _units_seen(self, schedule: Sequence[int]) -> tuple[int, int, Ints]:
        """(low, high, columns): how many units there are among the first n numbers given, for each n of the schedule.

        They are low + columns (trials, len(schedule)): at least low, at most high. In a sample (0, 5, 0, 7) the first
        2, 3 and 4 numbers hold 1, 1 and 2 units: low = 1, high = 2, columns = (0, 0, 1).
        """
        seen = self.seen[:, list(schedule)]
        low, high = int(seen.min(initial=max(schedule))), int(seen.max(initial=0))
        return min(low, high), high, seen - low

    def _interval_cost(self, limits: Ints) -> tuple[Floats, Floats]:
        """(seconds, bytes) of the union of the intervals within limits (trials, m) of the sums, each (trials, m)."""
        spread = np.maximum(np.sqrt((self.units.astype(np.float64) ** 2).sum(axis=1)) / 2, 1.0)
        most = 2.0 ** np.minimum(self.counts, 60)
        intervals = np.minimum(most[:, None], 6 * spread[:, None] / np.maximum(limits, 0.5))
        return _SECONDS_AN_INTERVAL * intervals + 1e-6, 16 * intervals

    def coverings(self, eps: Floats, n_min: int) -> Coverings:
        """The least n >= n_min that covers at each eps (descending); see `Method`."""
        limits = self.in_units(eps.tolist(), 1)
        given = self.seen.shape[1] - 1
        if n_min < given:
            n, refused = self._first_coverings(limits)
            return Coverings(np.where(n >= 0, np.maximum(n, n_min), n), refused)
        decisions = np.stack([self._decide(limit) for limit in limits.T], axis=1)
        n = np.choose(decisions, (NEVER, given, OPEN))
        if not (n == OPEN).any():
            return Coverings(n, None)
        what = f"covering by n = {given} numbers at eps = {eps[int(np.argwhere(n == OPEN)[0, 1])]:g}"
        seconds = max(float(_bitmap_seconds(np.array([given]))[0]), 1.01 * SECONDS)
        return Coverings(n, refusal(what, seconds=seconds, remedy="Use fewer numbers or a larger eps."))

    def _first_coverings(self, limits: Ints) -> tuple[Ints, InfeasibleError | None]:
        """How many numbers given leave no target farther than limits (trials, m), descending; NEVER or OPEN."""
        small = min(self.units.shape[1], _MERGED)
        reached = self._merged(0, small)[0][:, :, None] <= limits[:, None, :]
        first = np.where(reached.any(axis=1), reached.argmax(axis=1), NEVER)
        going = np.flatnonzero((first < 0).any(axis=1) & (self.counts > small))
        refused = None
        if going.size:
            first[going], refused = self[going]._later_coverings(limits[going], small + 1, first[going])
        return np.where(first < 0, first, np.take_along_axis(self.place, np.maximum(first, 0), axis=1)), refused

    def _later_coverings(self, limits: Ints, n: int, first: Ints) -> tuple[Ints, InfeasibleError | None]:
        """`first` (trials, m), counted in units, with its NEVER replaced where n units or more do cover.

        One decision by bitmap after the other, n after n, as long as they are cheap; then by intervals, which give the
        answer for all n at once; where they do not fit into memory, by bitmap to the end.
        """
        seconds, memory = self._interval_cost(limits)
        # the last n at which a decision by bitmap, see `_bitmap_seconds`, is a quarter of the intervals' time
        steps = np.log2(seconds / (4 * _SECONDS_A_CELL))
        stop = np.floor(np.minimum(np.minimum(steps + 14, 2 * (steps - 4)), _MOST_BITMAP)).astype(np.int64)
        coverings_by_bitmap(self.units, self.counts, (self.low, self.high), limits, stop, n, _MAX_CELLS, first)
        fits = (memory < memory_limit() / 2) & (seconds < SECONDS)
        for e in range(first.shape[1]):
            left = np.flatnonzero((first[:, e] == OPEN) & fits[:, e])
            if left.size:
                first[left, e] = self[left].coverings_by_intervals(limits[left, e])
        left = np.flatnonzero((first == OPEN).any(axis=1))
        if not left.size:
            return first, None
        last = self.counts[left]
        refused = refusal(
            f"covering by up to {last.max()} numbers",
            seconds=float(_bitmap_seconds(last).sum()),
            remedy="Use a larger eps or fewer numbers.",
        )
        if refused is None:
            rest, part = self[left], np.where(first[left] == OPEN, NEVER, first[left])
            stop = np.repeat(last[:, None], first.shape[1], axis=1)
            coverings_by_bitmap(rest.units, last, (rest.low, rest.high), limits[left], stop, n, _MAX_CELLS, part)
            first[left] = part
        return first, refused

    def coverings_by_intervals(self, limit: Ints) -> Ints:
        """How many of the units leave no target farther than limit (trials,); NEVER; OPEN: too much memory."""
        times = np.empty(len(self.q), np.int64)
        most = np.int64(memory_limit() / 64)
        coverings_by_intervals(self.units, self.counts, (self.low, self.high), limit, most, times)
        return times

    def _decide(self, limit: Ints) -> Ints:
        """_COVERED or _UNCOVERED for each trial, no target farther than limit (trials,) or not, or _UNDECIDED."""
        result = np.full(len(self.q), _UNDECIDED, np.int64)
        positive, negative = np.maximum(self.units, 0).sum(axis=1), np.minimum(self.units, 0).sum(axis=1)
        beyond = (2 * self.high > 2 * positive + limit) | (2 * self.low < 2 * negative - limit)
        too_few = (self.high - self.low) >> np.minimum(self.counts, 62) > limit  # 2^n times 2 eps are too short in all
        result[beyond | too_few] = _UNCOVERED
        by_bitmap = _bitmap_seconds(self.counts) + _SECONDS_A_CELL * (self.high - self.low) / np.maximum(limit, 1)
        by_intervals, memory = (cost[:, 0] for cost in self._interval_cost(limit[:, None]))
        by_intervals = np.where(memory > memory_limit() / 2, np.inf, by_intervals)
        for t in np.flatnonzero((result == _UNDECIDED) & (np.minimum(by_bitmap, by_intervals) > _SLOW)):
            low, high = self.low[t], self.high[t]
            few = _without_the_needless(self.units[t, : self.counts[t]], int(low), int(high), int(limit[t]))
            cheaper = _bitmap_seconds(np.array(len(few))) < min(by_bitmap[t], by_intervals[t], SECONDS)
            if cheaper and radius_by_bitmap(few, low, high, limit[t], limit[t], _MAX_CELLS)[0] <= limit[t]:
                result[t] = _COVERED
        chosen = np.flatnonzero((result == _UNDECIDED) & (by_intervals < np.minimum(by_bitmap, SECONDS)))
        if chosen.size:
            rest = self[chosen]
            order = np.argsort(-np.abs(rest.units), axis=1)  # the largest first: later ones move less into the ball
            rest = replace(rest, units=np.take_along_axis(rest.units, order, axis=1))
            times = rest.coverings_by_intervals(limit[chosen])
            result[chosen] = np.where(times == OPEN, _UNDECIDED, times >= 0)
        for t in np.flatnonzero((result == _UNDECIDED) & (by_bitmap < SECONDS)):
            x, low, high = self.units[t, : self.counts[t]], self.low[t], self.high[t]
            result[t] = covers_by_bitmap(x, low, high, limit[t], _MAX_CELLS)
        return result

    def covered_fractions(self, eps: float, n_min: int, n_max: int) -> Floats:
        """How much of the ball the first n_min, ..., n_max numbers cover at eps: (trials, n_max - n_min + 1)."""
        units = self.in_units([eps])[:, 0]
        low, high, columns = self._units_seen(range(n_min, n_max + 1))
        reach = np.abs(self.units[:, :high]).sum(axis=1, dtype=np.float64)
        most = float((reach / (2 * np.maximum(units, 0.5))).max(initial=0.0)) + 3
        intervals = min(most, 2.0 ** min(n_max, 62) + 1)
        require_feasible(
            f"the covered fraction at eps = {eps:g} of n = {n_max} numbers",
            memory_bytes=32 * intervals,
            seconds=4e-9 * intervals * min(n_max, 2 + abs(n_max - math.log2(intervals))) * len(units),
            remedy="Use a larger eps.",
        )
        fraction = np.empty((len(units), high - low + 1))
        fractions_by_intervals(self.units, (self.low, self.high), units, low, np.int64(intervals) + 2, fraction)
        return np.take_along_axis(fraction, columns, axis=1)


def _bitmap_seconds(n: Ints) -> Floats:
    """The time of one decision by bitmap, but for what the length of the bitmap adds."""
    return _SECONDS_A_CELL * 2.0 ** np.maximum(n - 14.0, n / 2 + 4)


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
