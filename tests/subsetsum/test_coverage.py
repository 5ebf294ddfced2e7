"""Coverage decided on a bitmap, against the exact radius in whole numbers."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rssp import ArgumentError, Ball
from rssp.subsetsum._line_bitset import COVERED, OPEN, UNCOVERED, decide
from rssp.subsetsum.coverage import covers_each
from rssp.subsetsum.covering import covering_radius

decide(np.array([[1]]), 0, 1, 1, 2, 1, 10, 1)  # compiled before hypothesis looks at the clock


def twice_radius(sample: list[int], low: int, high: int) -> int:
    """Twice the covering radius of [low, high], by listing all sums."""
    sums = {0}
    for x in sample:
        sums |= {s + x for s in sums}
    points = sorted(2 * s for s in sums)
    middles = [(a + b) // 2 for a, b in pairwise(points)]
    targets = [2 * low, 2 * high, *(m for m in middles if 2 * low <= m <= 2 * high)]
    return max(min(abs(t - p) for p in points) for t in targets)


@given(
    st.lists(st.integers(-1000, 1000), min_size=1, max_size=9),
    st.integers(-1500, 1500),
    st.integers(1, 2000),
    st.integers(1, 700),
    st.sampled_from([1, 4, 32, 1000]),
)
def test_decisions_are_never_wrong(sample, low, length, eps, fineness):
    decision = decide(np.array([sample], dtype=np.int64), low, low + length, eps, 2 * eps, fineness, 10**7, 0)[0]
    exact = twice_radius(sample, low, low + length)
    if decision == COVERED:
        assert exact <= 2 * eps
    if decision == UNCOVERED:
        assert exact > 2 * eps


@given(
    st.lists(st.integers(-1000, 1000), min_size=1, max_size=9),
    st.integers(-1500, 1500),
    st.integers(1, 2000),
    st.integers(-1, 1),
    st.sampled_from([2, 8, 1000]),
)
def test_exact_sums_decide_what_cells_leave_open(sample, low, length, off, fineness):
    twice_eps = max(2, twice_radius(sample, low, low + length) + off)  # at the radius or half a unit beside it
    units = np.array([sample], dtype=np.int64)
    decision = decide(units, low, low + length, twice_eps // 2, twice_eps, fineness, 10**7, 2**20)[0]
    assert decision in (COVERED, UNCOVERED, OPEN)
    if decision != OPEN:
        assert (decision == COVERED) == (twice_radius(sample, low, low + length) <= twice_eps)
    elif fineness == 1000:
        raise AssertionError("cells of one unit and exact sums leave nothing open")


@given(st.integers(0, 2**32), st.integers(1, 12), st.floats(0.005, 0.6))
def test_agrees_with_the_radius(seed, n, eps):
    rng = np.random.default_rng(seed)
    samples, ball = rng.uniform(-1, 1, (4, n, 1)), Ball(1, 0.8, centre=0.1)
    expected = [covering_radius(s, ball).upper <= eps for s in samples]
    assert covers_each(samples, ball, eps).tolist() == expected


def test_eps_equal_to_the_radius_covers():
    samples = np.array([[[0.5], [1.0]]])
    assert covers_each(samples, Ball.interval(0, 1.5), 0.25).all()
    assert not covers_each(samples, Ball.interval(0, 1.5), np.nextafter(0.25, 0)).any()


def test_bad_samples():
    with pytest.raises(ArgumentError, match="shape"):
        covers_each(np.zeros((3, 2)), Ball(), 0.1)
    with pytest.raises(ArgumentError, match="finite"):
        covers_each(np.full((1, 2, 1), np.nan), Ball(), 0.1)
