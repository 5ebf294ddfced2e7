"""Decisions at one eps, for many samples, against the exact radius in whole numbers."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rssp import ArgumentError, Ball, InfeasibleError
from rssp.subsetsum.covering import OPEN, UNCOVERED, covering_radius, covers_each, decide_each
from rssp.subsetsum.line.method import Line


def twice_radius(sample: list[int], low: int, high: int) -> int:
    """Twice the covering radius of [low, high], by listing all sums."""
    sums = {0}
    for x in sample:
        sums |= {s + x for s in sums}
    points = sorted(2 * s for s in sums)
    middles = [(a + b) // 2 for a, b in pairwise(points)]
    targets = [2 * low, 2 * high, *(m for m in middles if 2 * low <= m <= 2 * high)]
    return max(min(abs(t - p) for p in points) for t in targets)


@settings(deadline=None, derandomize=True)
@given(
    st.lists(st.integers(-1000, 1000), min_size=1, max_size=9),
    st.integers(-1500, 1500),
    st.integers(1, 2000),
    st.sampled_from([-1, 0, 1, 10]),
    st.sampled_from([0, 60]),
)
def test_decided_at_the_radius_and_beside_it(sample, low, length, off, more):
    twice_eps = max(1, twice_radius(sample, low, low + length) + off)
    sample = np.array(sample + more * [0] if more else sample, dtype=float)
    ball = Ball.interval(low, low + length)
    covered = covers_each(sample[None, :, None], ball, twice_eps / 2)[0]
    assert covered == (twice_eps >= twice_radius([int(x) for x in sample if x], low, low + length))


@settings(deadline=None, derandomize=True)
@given(st.integers(0, 2**32), st.integers(1, 12), st.floats(0.005, 0.6))
def test_agrees_with_the_radius(seed, n, eps):
    rng = np.random.default_rng(seed)
    samples, ball = rng.uniform(-1, 1, (4, n, 1)), Ball(1, 0.8, centre=0.1)
    expected = [covering_radius(s, ball).upper <= eps for s in samples]
    assert covers_each(samples, ball, eps).tolist() == expected


@pytest.mark.parametrize("eps", [2.0**-4, 2.0**-9, 2.0**-13])
def test_both_ways_agree(eps):
    samples = np.random.default_rng(3).uniform(-1, 1, (40, 22, 1))
    line = Line.of(samples, Ball())
    limit = line.in_units([eps], 1)[:, 0]
    radius, _ = line.half_unit_radii([22])
    assert ((line.coverings_by_intervals(limit) >= 0) == (radius[:, 0] <= limit)).all()
    assert (covers_each(samples, Ball(), eps) == (radius[:, 0] <= limit)).all()


def test_what_costs_too_much_stays_open():
    samples = np.random.default_rng(3).uniform(-1, 1, (2, 70, 1))
    samples[1] = np.abs(samples[1])  # nothing below 0
    assert decide_each(samples, Ball(), 1e-15).tolist() == [OPEN, UNCOVERED]
    with pytest.raises(InfeasibleError, match="covering by n = 70"):
        covers_each(samples, Ball(), 1e-15)


def test_eps_equal_to_the_radius_covers():
    samples = np.array([[[0.5], [1.0]]])
    assert covers_each(samples, Ball.interval(0, 1.5), 0.25).all()
    assert not covers_each(samples, Ball.interval(0, 1.5), np.nextafter(0.25, 0)).any()


def test_bad_samples():
    with pytest.raises(ArgumentError, match="shape"):
        covers_each(np.zeros(3), Ball(), 0.1)
    with pytest.raises(ArgumentError, match="finite"):
        covers_each(np.full((1, 2, 1), np.nan), Ball(), 0.1)
