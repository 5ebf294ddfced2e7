"""Every covering engine runs the same property tests: radii, decisions at eps, ties, zeros, order.

An engine is anything that says how far the farthest target of an interval is from all subset sums. Samples are small
multiples of 2**-10, so that each engine's grid holds them exactly and all of them can be held to the last bit. An
engine names the functions of the package that it runs; one that no engine names fails a test.
"""

from __future__ import annotations

import inspect
import itertools
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import rssp.subsetsum
import rssp.subsetsum.line.method as line_method
import rssp.subsetsum.space.method as space_method
from rssp.balls import Ball
from rssp.subsetsum.line.covered import coverings_by_intervals, fractions_by_intervals
from rssp.subsetsum.line.merge import profiles_by_merging
from rssp.subsetsum.line.method import Line
from rssp.subsetsum.line.passes import coverings_by_bitmap, covers_by_bitmap, profiles_by_bitmap, radius_by_bitmap
from rssp.subsetsum.results import NEVER, Method
from rssp.subsetsum.space.method import Space
from rssp.subsetsum.space.search import brackets, first_coverings

UNIT = 2.0**-10


class Engine(NamedTuple):
    """radius(sample, low, high), or None if the engine only decides; first(sample, low, high, twice_eps).

    All in units: the sample is a list of whole numbers, the radius is twice the largest distance of a target.
    """

    radius: Callable[[list[int], int, int], int] | None
    first: Callable[[list[int], int, int, int], int]
    """the least n whose sums come within eps of every target, at twice eps; NEVER"""
    runs: tuple[Callable, ...] = ()
    """the functions and methods of the package that do it"""


def _array(sample: list[int]) -> np.ndarray:
    return np.array(sample or [0], np.int64)


def _by_radius(radius: Callable[[list[int], int, int], int]) -> Callable[[list[int], int, int, int], int]:
    def first(sample: list[int], low: int, high: int, twice_eps: int) -> int:
        reached = (n for n in range(len(sample) + 1) if radius(sample[:n], low, high) <= twice_eps)
        return next(reached, NEVER)

    return first


def brute_radius(sample: list[int], low: int, high: int) -> int:
    every = {0}
    for x in sample:
        every |= {s + x for s in every}
    sums = sorted(every)
    middles = [a + b for a, b in itertools.pairwise(sums)]
    targets = [2 * low, 2 * high, *(m for m in middles if 2 * low <= m <= 2 * high)]
    return max(min(abs(z - 2 * s) for s in sums) for z in targets)


def merged_radius(sample: list[int], low: int, high: int) -> int:
    radius, witness = np.empty((2, 1, 1), np.int64)
    ends = np.array([low]), np.array([high])
    profiles_by_merging(_array(sample)[None], *ends, len(_array(sample)), radius, witness)
    return int(radius[0, 0])


def bitmap_radius(sample: list[int], low: int, high: int) -> int:
    whole = np.int64(low), np.int64(high), np.int64(-1), np.int64(2**62)
    return int(radius_by_bitmap(_array(sample), *whole, np.int64(2**20))[0])


def profile_radius(sample: list[int], low: int, high: int) -> int:
    n = len(_array(sample))
    radius, witness = np.empty((2, 1, n + 1), np.int64)
    profiles_by_bitmap(_array(sample)[None], np.array([low]), np.array([high]), 0, np.int64(2**20), radius, witness)
    assert (np.diff(radius) <= 0).all()
    return int(radius[0, -1])


def decided_first(sample: list[int], low: int, high: int, twice_eps: int) -> int:
    ends = np.int64(low), np.int64(high)
    reached = (
        n
        for n in range(len(sample) + 1)
        if covers_by_bitmap(np.array(sample[:n], np.int64), *ends, np.int64(twice_eps), np.int64(2**20))
    )
    return next(reached, NEVER)


def bitmap_first(sample: list[int], low: int, high: int, twice_eps: int) -> int:
    n, times = np.array([len(sample)]), np.full((1, 1), NEVER)
    limit, stop, ends = np.array([[twice_eps]]), np.full((1, 1), 99), (np.array([low]), np.array([high]))
    coverings_by_bitmap(_array(sample)[None], n, ends, limit, stop, 0, np.int64(2**20), times)
    return int(times[0, 0])


def interval_first(sample: list[int], low: int, high: int, twice_eps: int) -> int:
    times, ends = np.empty(1, np.int64), (np.array([low]), np.array([high]))
    samples, counts = _array(sample)[None], np.array([len(sample)])
    coverings_by_intervals(samples, counts, ends, np.array([twice_eps]), np.int64(2**20), times)
    return int(times[0])


def fraction_first(sample: list[int], low: int, high: int, twice_eps: int) -> int:
    """In units of one half, of which twice eps is a whole number; a hole is one unit at least, so none is 0 wide."""
    x, ends = 2 * np.array(sample, np.int64), (np.array([2 * low]), np.array([2 * high]))
    fraction = np.empty((1, len(x) + 1))
    fractions_by_intervals(x[None], ends, np.array([twice_eps]), 0, np.int64(2 ** len(x) + 2), fraction)
    return next((n for n in range(len(x) + 1) if fraction[0, n] == 1.0), NEVER)


def _of(method: type[Line] | type[Space], sample: list[int], low: int, high: int) -> Method:
    ball = Ball(1, (high - low) / 2 * UNIT, centre=(low + high) / 2 * UNIT)
    samples = _array(sample)[None, :, None] * UNIT
    return Line.of(samples, ball) if method is Line else Space(samples, ball)


def line_radius(sample: list[int], low: int, high: int) -> int:
    found = _of(Line, sample, low, high).radii([len(_array(sample))], 0.0)
    assert found.lower[0, 0] == found.upper[0, 0]
    return int(found.upper[0, 0] / (UNIT / 2))


def line_first(sample: list[int], low: int, high: int, twice_eps: int) -> int:
    return int(_of(Line, sample, low, high).coverings(np.array([twice_eps * UNIT / 2]), 0).n[0, 0])


def space_radius(sample: list[int], low: int, high: int) -> int:
    found = _of(Space, sample, low, high).radii([len(_array(sample))], 1e-7)
    half = UNIT / 2
    radius = round(found.upper[0, 0] / half)  # a bracket this narrow holds one half unit at most
    assert found.lower[0, 0] <= radius * half * (1 + 1e-12)
    assert radius * half <= found.upper[0, 0] * (1 + 1e-12)
    return radius


def space_first(sample: list[int], low: int, high: int, twice_eps: int) -> int:
    return int(_of(Space, sample, low, high).coverings(np.array([twice_eps * UNIT / 2]), 0).n[0, 0])


ENGINES = {
    "brute force": Engine(brute_radius, _by_radius(brute_radius)),
    "merge": Engine(merged_radius, _by_radius(merged_radius), (profiles_by_merging,)),
    "bitmap": Engine(bitmap_radius, bitmap_first, (radius_by_bitmap, coverings_by_bitmap)),
    "bitmap, n after n": Engine(profile_radius, decided_first, (profiles_by_bitmap, covers_by_bitmap)),
    "intervals": Engine(None, interval_first, (coverings_by_intervals,)),
    "covered fractions": Engine(None, fraction_first, (fractions_by_intervals,)),
    "line": Engine(line_radius, line_first, (Line.radii, Line.coverings)),
    "space": Engine(space_radius, space_first, (Space.radii, Space.coverings, brackets, first_coverings)),
}


def ways_of(method: type, module: object) -> set[Callable]:
    """What a method covers with: its two verbs, and the functions that its file takes from its own folder."""
    folder = method.__module__.rpartition(".")[0]
    doors = {f for f in vars(module).values() if callable(f) and not inspect.isclass(f)}
    return {f for f in doors if (getattr(f, "__module__", None) or "").startswith(f"{folder}.")} | {
        method.radii,
        method.coverings,
    }


def test_every_way_to_cover_is_an_engine_here():
    """A new kernel that a method calls fails here until an engine runs it; a folder of a new method as well."""
    ways = ways_of(Line, line_method) | ways_of(Space, space_method)
    private = {f for f in ways if f.__name__.startswith("_")}
    assert ways - private == {way for engine in ENGINES.values() for way in engine.runs}
    here = {line_method.__name__, space_method.__name__}
    found = {f"rssp.subsetsum.{p.parent.name}.method" for p in Path(rssp.subsetsum.__path__[0]).glob("*/method.py")}
    assert found == here


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest) -> Engine:
    return ENGINES[request.param]


whole = st.one_of(st.integers(-40, 40), st.integers(-3, 3), st.sampled_from([0, 64, -64, 1000]))


@st.composite
def cases(draw):
    """(sample, (low, high)): most often an interval within the sums, so that gaps and not ends decide."""
    sample = draw(st.lists(whole, min_size=1, max_size=8))
    below, above = sum(x for x in sample if x < 0), sum(x for x in sample if x > 0)
    low = draw(st.integers(below - 2, max(above, below)))
    return sample, (low, low + draw(st.integers(1, max(above - low, 4))))


def held(test: Callable) -> Callable:
    """300 samples, the same in every run; the fixture holds no state between them."""
    return settings(
        max_examples=300, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
    )(test)


@held
@given(cases())
def test_the_radius_is_that_of_brute_force(engine, case):
    sample, interval = case
    if engine.radius is not None:  # the intervals only decide
        assert engine.radius(sample, *interval) == brute_radius(sample, *interval)


@held
@given(cases(), st.sampled_from([-1, 0, 1, 7]))
def test_decided_at_the_radius_and_beside_it(engine, case, off):
    sample, interval = case
    twice_eps = max(1, brute_radius(sample, *interval) + off)
    expected = ENGINES["brute force"].first(sample, *interval, twice_eps)
    assert (expected == NEVER) == (off < 0 and twice_eps < brute_radius(sample, *interval))
    assert engine.first(sample, *interval, twice_eps) == expected


@held
@given(cases(), st.integers(1, 60))
def test_zeros_only_move_the_first_n(engine, case, twice_eps):
    sample, interval = case
    padded = [y for x in sample for y in (0, x)]
    n = engine.first(sample, *interval, twice_eps)
    nonzero = [2 * i + 2 for i, x in enumerate(sample) if x]
    first = engine.first(padded, *interval, twice_eps)
    assert first == (n if n <= 0 else nonzero[sum(x != 0 for x in sample[:n]) - 1])


@held
@given(cases(), st.integers(1, 60), st.randoms(use_true_random=False))
def test_whether_all_cover_does_not_depend_on_their_order(engine, case, twice_eps, random):
    sample, interval = case
    mixed = random.sample(sample, len(sample))
    assert (engine.first(sample, *interval, twice_eps) == NEVER) == (engine.first(mixed, *interval, twice_eps) == NEVER)


@held
@given(cases(), st.integers(1, 60))
def test_mirrored_samples_cover_mirrored_targets(engine, case, twice_eps):
    sample, interval = case
    low, high = interval
    assert engine.first(sample, low, high, twice_eps) == engine.first([-x for x in sample], -high, -low, twice_eps)


@held
@given(cases(), st.integers(1, 60))
def test_a_larger_eps_is_never_reached_later(engine, case, twice_eps):
    sample, interval = case
    near, far = (engine.first(sample, *interval, e) for e in (twice_eps, twice_eps + 5))
    assert near == NEVER or NEVER < far <= near


@pytest.mark.parametrize("count", [1, 3, 6])
def test_sums_that_just_suffice(engine, count):
    """2^n intervals of length 2 eps side by side fill the ball without overlap: not one number less would do."""
    sample, high = [2 << k for k in range(count)], (2 << count) - 1
    assert engine.first(sample, -1, high, 2) == count
    assert engine.first(sample, -1, high, 1) == NEVER
