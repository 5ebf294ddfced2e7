"""Exact covering in one dimension against brute force in Python integers."""

import itertools
import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rssp.balls import Ball
from rssp.subsetsum import (
    covered_fractions,
    covering_profile,
    covering_profiles,
    covering_radius,
    covers,
    covers_each,
    hitting_time,
    hitting_times,
)
from rssp.subsetsum.fixedpoint import FixedPoint
from rssp.subsetsum.line.covered import coverings_by_intervals
from rssp.subsetsum.line.merge import profiles_by_merging
from rssp.subsetsum.line.passes import coverings_by_bitmap, covers_by_bitmap, radius_by_bitmap


def brute_force(sample, ball):
    """The covering radius in half units, from all 2^n sums and exact fractions."""
    sample = np.asarray(sample, float)
    low, high = (float(end[0]) for end in ball.bounds)
    grid = FixedPoint.for_sample(sample[:, None], max(abs(low), abs(high)))
    units = [int(u) for u in grid.to_int(sample)]
    low, high = (int(grid.to_int(np.array(end))) for end in (low, high))
    sums = sorted({sum(itertools.compress(units, mask)) for mask in itertools.product((0, 1), repeat=len(units))})
    middles = (Fraction(a + b, 2) for a, b in itertools.pairwise(sums))
    worst = [low, high, *(m for m in middles if low <= m <= high)]
    return grid, max(2 * min(abs(z - s) for s in sums) for z in worst)


numbers = st.one_of(
    st.floats(-2, 2),
    st.sampled_from([0.0, 0.5, -0.5, 1.0, 0.1, -0.1, 1e-9, 1e9, -1e9, 1e-300, 3.0]),
)
balls = st.builds(
    lambda centre, radius: Ball(1, radius, centre=centre),
    st.one_of(st.floats(-3, 3), st.sampled_from([0.0, 50.0, -1e6])),
    st.one_of(st.floats(1e-3, 4), st.sampled_from([1.0, 1e-12, 100.0])),
)


@settings(max_examples=150, deadline=None, derandomize=True)
@given(st.lists(numbers, min_size=1, max_size=9), balls)
def test_radius_is_exact_to_the_last_bit(sample, ball):
    grid, rho = brute_force(sample, ball)
    result = covering_radius(sample, ball)
    assert result.exact
    assert result.lower == float(grid.to_float(int(rho), 1))
    slack = 2.0**-grid.q + 1e-15 * (abs(ball.centre) + ball.radius)  # the ends are rounded to the grid
    assert abs(result.witness[0] - ball.centre) <= ball.radius + slack
    eps = result.lower
    if eps > 0 and 2 * int(rho) < 2**53:
        assert covers(sample, ball, eps)
        assert not covers(sample, ball, eps * (1 - 2.0**-52))
    times = hitting_time(sample, ball, [max(eps, 1e-300) * 1.0000001])
    assert -1 < times[0] <= len(sample)


def test_the_witness_is_that_far_from_every_sum():
    rng = np.random.default_rng(5)
    for n in (1, 3, 8, 12):
        sample = rng.uniform(-1, 1, n)
        result = covering_radius(sample, Ball(1))
        sums = np.array(list(itertools.product((0, 1), repeat=n))) @ sample
        assert np.abs(sums - result.witness[0]).min() == pytest.approx(result.lower, rel=1e-9)


def test_profiles_and_hitting_times_agree_with_single_radii():
    samples = np.random.default_rng(7).uniform(-1, 1, (6, 15))
    ball = Ball.interval(-0.5, 0.75)
    lower, upper = covering_profiles(samples, ball, n_min=2)
    assert (lower == upper).all()
    assert (np.diff(lower) <= 0).all()
    eps = np.array([2.0, 0.3, 0.05, 0.01, 1e-6])
    times = hitting_times(samples, ball, eps)
    full, _ = covering_profiles(samples, ball)
    for t, sample in enumerate(samples):
        profile = covering_profile(sample, ball, n_min=2)
        assert (profile.lower == lower[t]).all()
        assert list(profile.n) == list(range(2, 16))
        for n in (2, 7, 15):
            assert covering_radius(sample[:n], ball).lower == pytest.approx(lower[t, n - 2], rel=1e-14)
        for e, time in zip(eps, times[t], strict=True):
            reached = ([0] if e >= 0.75 else []) + [n for n in range(1, 16) if full[t, n - 1] <= e]
            assert time == (reached[0] if reached else -1)


def _integers(rng, n):
    """Integer samples of many kinds: generic, equal, on a lattice, nearly on one, of all magnitudes, one-sided."""
    return [
        rng.integers(-10, 11, n),
        rng.integers(-(2**50), 2**50, n),
        np.full(n, rng.integers(1, 1000)),
        rng.integers(0, 2**50, n),
        rng.integers(-50, 50, n) * 10**12 + rng.integers(-3, 4, n),
        rng.integers(-(2**50), 2**50, n) >> rng.integers(0, 50, n),
        rng.integers(-30, 30, n) * 12345,
        rng.integers(-(2**61) // n, 2**61 // n, n),
        rng.integers(-3, 4, n) * (2**61 // (4 * n)),
        np.concatenate([rng.integers(-(2**56), 2**56, 1), rng.integers(-(2**20), 2**20, n - 1)]),
    ][rng.integers(10)].astype(np.int64)


def test_the_bitmap_equals_merging_on_every_kind_of_sample():
    rng = np.random.default_rng(11)
    for trial in range(1500):
        n = int(rng.integers(1, 15))
        x = _integers(rng, n)
        total = int(np.abs(x).sum()) + 2
        centre = int(rng.integers(-total, total + 1)) if trial % 2 else 0
        half = int(2 ** rng.uniform(0, np.log2(total) + 1)) + 1
        centre, half = (centre, half) if abs(centre) + half < 2**61 else (0, 2**61 - 1)
        low, high = np.int64(centre - half), np.int64(centre + half)
        radius, witness = np.empty((2, 1, 1), np.int64)
        profiles_by_merging(x[None], np.array([low]), np.array([high]), n, radius, witness)
        max_cells = np.int64(2**31 if trial % 3 else 2**12)  # also window by window
        found, target = radius_by_bitmap(x, low, high, np.int64(-1), np.int64(2**62), max_cells)
        assert found == radius[0, 0]
        assert 2 * low <= target <= 2 * high
        for eps in (found, found - 1):  # `covers`: whether there is a target farther than eps
            if eps >= 0:
                beyond, _ = radius_by_bitmap(x, low, high, np.int64(eps), np.int64(eps), max_cells)
                assert (beyond > eps) == (found > eps)
                assert covers_by_bitmap(x, low, high, np.int64(eps), max_cells) == (found <= eps)


def test_intervals_equal_the_bitmap_on_every_kind_of_sample():
    rng = np.random.default_rng(13)
    cells = np.int64(2**20)
    for trial in range(600):
        n = int(rng.integers(1, 16))
        x = _integers(rng, n)[None]
        count = np.array([n - (trial % 3 == 0)])  # the last number does not count
        total = int(np.abs(x).sum()) // 2 + 1
        half = int(2 ** rng.uniform(0, np.log2(total))) + 1
        centre = int(rng.integers(-total, total + 1)) if trial % 2 else int(x.sum()) // 2
        low, high = np.array([[centre - half], [centre + half]])
        limits = np.sort((2.0 ** rng.uniform(0, 1 + np.log2(total), (1, 5))).astype(np.int64))[:, ::-1].copy()
        expected = np.full((1, 5), -1)
        coverings_by_bitmap(x, count, (low, high), limits, np.full((1, 5), 99), 0, cells, expected)
        for limit, time in zip(limits[0], expected[0], strict=True):
            found = np.empty(1, np.int64)
            coverings_by_intervals(x, count, (low, high), np.array([limit]), np.int64(2**20), found)
            assert found == time
            coverings_by_intervals(x, count, (low, high), np.array([limit]), np.int64(4), found)
            assert found in (time, -2)


def _by_definition(samples, ball, eps):
    """Hitting times from the exact radius of each n in turn."""
    times = np.full((len(samples), len(eps)), -1)
    for t, sample in enumerate(samples):
        for n in range(samples.shape[1], 0, -1):
            times[t, covering_radius(sample[:n], ball).lower <= eps] = n
        times[t, abs(ball.centre) + ball.radius <= eps] = 0
    return times


def test_zeros_change_nothing():
    rng = np.random.default_rng(17)
    samples = rng.uniform(-1, 1, (12, 60)) * (rng.random((12, 60)) < 0.35)
    samples[0] = 0
    samples[1, :40] = 0
    ball = Ball.interval(-0.5, 0.25)
    eps = np.array([2.0**-3, 0.6, 2.0**-9, 2.0**-6])
    few = samples[:, :30]
    assert (hitting_times(few, ball, eps) == _by_definition(few, ball, eps)).all()
    times = hitting_times(samples, ball, eps)
    for t, sample in enumerate(samples):
        place = np.flatnonzero(sample)
        if place.size:
            alone = hitting_time(sample[place], ball, eps)
            assert (times[t] == np.where(alone > 0, place[alone - 1] + 1, alone)).all()
        lower = covering_profile(few[t], ball).lower
        assert [covering_radius(few[t, :n], ball).lower for n in (1, 7, 30)] == list(lower[[0, 6, 29]])
    for e, at in zip(eps, times.T, strict=True):
        assert (covers_each(samples[:, :, None], ball, e) == (at >= 0)).all()
    fractions = covered_fractions(samples, ball, 2.0**-6, n_min=5)
    first = np.where((fractions == 1).any(axis=1), (fractions == 1).argmax(axis=1) + 5, -1)
    assert (first == times[:, 3]).all()


def test_a_straggler_among_many_numbers_is_followed_to_the_end():
    rng = np.random.default_rng(19)
    sample = np.abs(rng.uniform(-1, 1, (1, 64)))  # nothing below 0 until the last numbers
    sample[0, 59:] *= -1
    eps = 2.0 ** -np.arange(3, 19)
    times = hitting_times(sample, Ball(1), eps)[0]
    assert set(times) <= {60, 61, 62, 63, 64}
    for e, n in zip(eps, times, strict=True):
        assert [covers(sample[0, :k], Ball(1), e) for k in (n - 1, n)] == [False, True]


@pytest.mark.parametrize("memory", [1e3, 1e5, 4e6])
def test_want_of_memory_for_intervals_changes_no_answer(memory, monkeypatch):
    samples = np.random.default_rng(29).uniform(-0.9, 1, (6, 27))
    ball, eps = Ball(1, 0.9), 2.0 ** -np.arange(4, 15)
    times = hitting_times(samples, ball, eps)
    decided = covers_each(samples[:, :, None], ball, 2.0**-13)
    monkeypatch.setattr("rssp.subsetsum.line.method.memory_limit", lambda: memory)
    assert (hitting_times(samples, ball, eps) == times).all()
    assert (covers_each(samples[:, :, None], ball, 2.0**-13) == decided).all()


def test_many_samples_of_all_magnitudes_are_as_one_by_one():
    rng = np.random.default_rng(23)
    samples = rng.uniform(-1, 1, (40, 16)) * 10.0 ** rng.integers(-12, 13, (40, 1))
    samples[::4] *= 10.0 ** rng.integers(-9, 10, (10, 16))
    ball = Ball(1, 0.7, centre=0.1)
    eps = np.array([0.5, 0.1, 0.03, 1e-3])
    lower, _ = covering_profiles(samples, ball)
    times = hitting_times(samples, ball, eps)
    decided = covers_each(samples[:, :, None], ball, 0.03)
    for t, sample in enumerate(samples):
        assert (covering_profile(sample, ball).lower == lower[t]).all()
        assert (hitting_time(sample, ball, eps) == times[t]).all()
        assert covers(sample, ball, 0.03) == decided[t] == (lower[t, -1] <= 0.03)


def test_sparse_lattices_and_tails_of_many_numbers():
    assert covering_radius(np.full(24, 0.1), Ball(1)).lower == pytest.approx(1.0)  # no sum below 0
    assert covering_radius(np.full(24, 0.1), Ball.interval(0.2, 1.9)).lower == pytest.approx(0.05)
    assert covering_radius(np.zeros(30), Ball(1)).lower == 1.0
    powers = 2.0 ** -np.arange(26)
    assert covering_radius(powers, Ball.interval(0.0, 2.0)).lower == 2.0**-25  # the right end; gaps are 2^-25
    assert covering_radius(powers, Ball.interval(0.0, 1.0)).lower == 2.0**-26
    assert covering_radius(powers, Ball(1, 1.0, centre=1e6)).lower == 1e6 + 1 - powers.sum()


@settings(max_examples=100, deadline=None, derandomize=True)
@given(st.lists(numbers, min_size=1, max_size=8), st.integers(-3, 3), st.sampled_from([0.001, 0.03, 0.25, 2.0]))
def test_covered_fraction_is_the_measure_of_the_union(sample, centre, eps):
    sample = [round(x * 1024) / 1024 for x in sample]  # on the grid, so that fractions are those of the real numbers
    result = covered_fractions([sample], Ball(1, 1.5, centre=float(centre)), eps)[0]
    low, high = Fraction(centre) - Fraction(3, 2), Fraction(centre) + Fraction(3, 2)
    exact = [Fraction(x) for x in sample]
    for n in range(1, len(sample) + 1):
        sums = sorted({sum(itertools.compress(exact[:n], mask)) for mask in itertools.product((0, 1), repeat=n)})
        covered, upto = Fraction(0), low
        for s in sums:
            end = min(s + Fraction(eps), high)
            covered += max(0, end - max(s - Fraction(eps), upto))
            upto = max(upto, end)
        slack = 1e-6 if max(map(abs, sample)) > 1e6 else 1e-12
        assert result[n - 1] == pytest.approx(float(covered / (high - low)), abs=slack)


@pytest.mark.parametrize(
    ("call", "argument"),
    [
        (lambda: covering_radius([0.5, math.nan], Ball(1)), "sample"),
        (lambda: covering_radius([], Ball(1)), "sample"),
        (lambda: covering_radius(np.zeros((3, 2)), Ball(1)), "sample"),
        (lambda: covering_radius("text", Ball(1)), "sample"),
        (lambda: covering_radius([0.5], 1.0), "ball"),
        (lambda: covers([0.5], Ball(1), 0.0), "eps"),
        (lambda: covers([0.5], Ball(1), -0.1), "eps"),
        (lambda: covers([0.5], Ball(1), math.nan), "eps"),
        (lambda: hitting_time([0.5], Ball(1), [0.1, -1.0]), "eps"),
        (lambda: covering_profile([0.5], Ball(1), n_max=2), "n_max"),
        (lambda: covering_profile([0.5, 1.0], Ball(1), n_min=0), "n_min"),
        (lambda: covering_profiles(np.zeros((2, 3, 2)), Ball(1)), "samples"),
        (lambda: covering_profiles([[0.1, math.inf]], Ball(1)), "samples"),
        (lambda: covered_fractions(np.ones((2, 3, 2)), Ball(2), 0.1), "ball"),
        (lambda: covered_fractions(np.ones((2, 60)), Ball(1), 1e-14), "covered fraction"),
        (lambda: covers(np.linspace(1, 2, 60), Ball.interval(40, 50), 1e-15), "covering by"),
        (lambda: hitting_time(np.linspace(1, 2, 60), Ball.interval(0.5, 50), [1e-15]), "covering by"),
        (lambda: covering_radius(np.ones(80), Ball(1)), "covering radius"),
        (lambda: covering_radius([1e308, 1e308], Ball(1)), "sample"),
    ],
)
def test_bad_input_is_named(call, argument):
    with pytest.raises((ValueError, TypeError), match=argument):
        call()
