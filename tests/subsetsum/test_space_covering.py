"""Certified covering in d dimensions, held against brute force: all sums, and targets on a fine grid."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.spatial import cKDTree

from rssp.balls import Ball
from rssp.errors import ArgumentError, InfeasibleError
from rssp.subsetsum import covering as space
from rssp.subsetsum.line.method import Line
from rssp.subsetsum.space.method import Space

INF = math.inf


@pytest.fixture(autouse=True)
def _the_general_method_in_one_dimension_too(monkeypatch):
    monkeypatch.setattr("rssp.subsetsum.covering._method", Space)


def all_sums(sample):
    n = len(sample)
    masks = (np.arange(2**n)[:, None] >> np.arange(n)) & 1
    return masks @ sample


def distances(sample, targets, norm=INF):
    difference = targets[:, None, :] - all_sums(sample)[None, :, :]
    return np.linalg.norm(difference, ord=norm, axis=2).min(axis=1)


def brute_bracket(sample, ball, norm=INF, per_axis=None):
    """The covering radius from a fine grid, with the grid's own error: the distance is 1-Lipschitz in the target.

    Every target of a convex ball is within one step (max norm) of a grid point of the ball in the cube's case; in the
    other balls, of the shrunk image of a grid point, which costs a second step.
    """
    d = ball.dim
    per_axis = per_axis or {1: 1001, 2: 61, 3: 17, 4: 9}[d]
    cube = Ball(d, ball.radius, INF, ball.centre).grid(per_axis)
    away = np.linalg.norm(cube - ball.centre_vector, ord=ball.norm, axis=1)
    shrink = np.minimum(1.0, ball.radius / np.maximum(away, 1e-300))[:, None]
    targets = ball.centre_vector + (cube - ball.centre_vector) * shrink
    lower = distances(sample, targets, norm).max()
    step = ball.radius / (per_axis - 1)  # half the grid's spacing, in the max norm
    error = step * (d ** (0.5 if norm == 2 else 0.0)) * (1 if ball.norm == INF else 1 + d)
    return lower, lower + error


def random_case(rng, d):
    n = int(rng.integers(1, 9 if d < 4 else 7))
    kind = rng.integers(4)
    if kind == 0:
        sample = rng.uniform(-1, 1, (n, d))
    elif kind == 1:
        sample = rng.standard_normal((n, 1)) * rng.standard_normal((n, d))
    elif kind == 2:
        sample = rng.integers(-3, 4, (n, d)) / 4.0
    else:
        sample = np.abs(rng.normal(0, 0.5, (n, d)))
    norm = (1, 2, INF)[rng.integers(3)]
    centre = tuple(rng.normal(0, 0.3, d)) if rng.integers(2) else 0.0
    return sample, Ball(d, float(rng.uniform(0.3, 1.5)), norm, centre)


@pytest.mark.parametrize("d", [1, 2, 3, 4])
@pytest.mark.parametrize("error_norm", [INF, 2])
def test_brackets_contain_brute_force(d, error_norm):
    rng = np.random.default_rng(100 * d + (error_norm == 2))
    for _ in range(50 if d < 3 else (6 if d == 4 and error_norm == 2 else 30)):
        sample, ball = random_case(rng, d)
        got = space.covering_radius(sample, ball, error_norm=error_norm)
        low, high = brute_bracket(sample, ball, error_norm)
        assert got.lower <= got.upper <= got.lower * (1.05 + 1e-9)
        assert got.upper >= low * (1 - 1e-9)
        assert got.lower <= high * (1 + 1e-9)
        # the witness is a target of the ball and attains `lower`
        assert ball.distance_from_centre(got.witness[None])[0] <= ball.radius * (1 + 1e-12)
        assert distances(sample, got.witness[None], error_norm)[0] == pytest.approx(got.lower, rel=1e-9, abs=1e-12)


@pytest.mark.parametrize(("d", "n", "norm"), [(2, 17, 2), (3, 17, INF), (4, 17, INF), (5, 15, 1), (6, 15, 1)])
def test_brackets_of_larger_samples(d, n, norm):
    rng = np.random.default_rng(50 + d)
    sample, ball = rng.uniform(-1, 1, (n, d)), Ball(d, 1.0, norm)
    tree = cKDTree(all_sums(sample))
    got = space.covering_radius(sample, ball)
    assert got.upper <= got.lower * (1.05 + 1e-9)
    assert tree.query(got.witness, p=INF)[0] == pytest.approx(got.lower, rel=1e-9)
    targets = rng.uniform(-1, 1, (4000, d))
    targets /= np.maximum(1.0, np.linalg.norm(targets, ord=norm, axis=1))[:, None]
    assert tree.query(targets, p=INF)[0].max() <= got.upper
    assert space.covers(sample, ball, got.upper)
    assert not space.covers(sample, ball, got.lower * (1 - 1e-9))


@pytest.mark.parametrize("d", [1, 2, 3])
def test_covers_agrees_with_the_bracket_and_with_itself(d):
    rng = np.random.default_rng(7 + d)
    for _ in range(25):
        sample, ball = random_case(rng, d)
        got = space.covering_radius(sample, ball, resolution=1e-6)
        assert space.covers(sample, ball, got.upper * (1 + 1e-9))
        assert not space.covers(sample, ball, got.lower * (1 - 1e-9))


def test_one_dimension_through_the_general_code_is_the_exact_radius():
    rng = np.random.default_rng(3)
    for _ in range(60):
        n = int(rng.integers(1, 13))
        sample = rng.integers(-(2**20), 2**20, (n, 1)) / 2.0**20  # on the grid: no rounding on the way in
        ball = Ball(1, float(rng.choice([0.25, 0.5, 1.0, 4.0])), INF, float(rng.integers(-4, 5)) / 8)
        exact = float(Line.of(sample[None], ball).radii([n]).upper[0, 0])
        got = space.covering_radius(sample, ball, resolution=1e-7)
        assert got.lower * (1 - 1e-12) <= exact <= got.upper * (1 + 1e-12)
        assert space.covers(sample, ball, exact)
        assert not space.covers(sample, ball, math.nextafter(exact, 0))


def test_ties_are_decided_on_the_grid():
    # sums (0, 0), (1, 0), (0, 1), (1, 1): the unit cube's middle is exactly 1/2 away, and nothing is farther
    corners, ball = np.eye(2), Ball(2, 0.5, INF, 0.5)
    assert space.covers(corners, ball, 0.5)
    assert not space.covers(corners, ball, math.nextafter(0.5, 0))
    radius = space.covering_radius(corners, ball)
    assert radius.lower <= 0.5 <= radius.upper
    # the 1-norm ball about 0 and no vector but 0: its ends are exactly 1 away, in either error norm
    for norm in (INF, 2):
        assert space.covers(np.zeros((1, 3)), Ball(3, norm=1), 1.0, error_norm=norm)
        assert not space.covers(np.zeros((1, 3)), Ball(3, norm=1), 0.999999, error_norm=norm)
    assert space.covers(np.zeros((1, 2)), Ball(2, norm=2), 1.0)
    assert not space.covers(np.zeros((1, 2)), Ball(2, norm=2), math.nextafter(1.0, 0))


@pytest.mark.parametrize("d", [1, 2, 3])
def test_profile_and_hitting_time_are_those_of_each_prefix(d):
    rng = np.random.default_rng(20 + d)
    for _ in range(8):
        sample = rng.uniform(-1, 1, (9, d))
        ball = Ball(d, 0.7, (1, 2, INF)[rng.integers(3)])
        profile = space.covering_profile(sample, ball)
        assert profile.n.tolist() == list(range(1, 10))
        assert (np.diff(profile.lower) <= 0).all()
        assert (np.diff(profile.upper) <= 0).all()
        assert (profile.upper <= profile.lower * (1.05 + 1e-9)).all()
        for n, low, high in zip(profile.n, profile.lower, profile.upper, strict=True):
            alone = space.covering_radius(sample[:n], ball)
            assert low <= alone.upper
            assert alone.lower <= high
        eps = np.array([0.3, 0.9, 0.05, 0.5])
        got = space.hitting_time(sample, ball, eps)
        for e, first in zip(eps, got, strict=True):
            covered = [0] if ball.radius <= e and ball.norm == INF else []
            covered += [n for n in range(1, 10) if space.covers(sample[:n], ball, e)]
            expected = min(covered) if covered else -1
            assert first == expected or (first == 0 and ball.radius <= e)


def test_hitting_time_zero_and_never():
    sample = np.full((3, 2), 0.5)
    assert space.hitting_time(sample, Ball(2), np.array([1.0, 0.01])).tolist() == [0, -1]


def test_degenerate_samples():
    ball = Ball(2)
    zeros = space.covering_radius(np.zeros((5, 2)), ball)
    assert zeros.lower <= 1.0 <= zeros.upper
    # equal vectors: multiples of one vector, however many there are
    equal = space.covering_radius(np.tile([[0.3, 0.2]], (24, 1)), ball)
    assert equal.lower <= 1.0 + 1e-12
    assert equal.upper >= 1.0 - 1e-12
    one_sided = space.covering_radius(np.random.default_rng(1).uniform(0, 0.1, (12, 2)), ball)
    assert one_sided.lower <= 1.0 <= one_sided.upper
    single = space.covering_radius(np.array([[0.25, 0.5]]), ball)
    low, high = brute_bracket(np.array([[0.25, 0.5]]), ball)
    assert single.lower <= high
    assert single.upper >= low
    # a cluster of nearly equal sums
    cluster = space.covering_radius(np.random.default_rng(2).uniform(-1e-9, 1e-9, (18, 2)), ball)
    assert cluster.lower <= 1.0 <= cluster.upper


def test_a_ball_out_of_reach_gets_an_answer():
    sample = np.random.default_rng(4).uniform(-1, 1, (18, 3))
    far = Ball(3, 1.0, 2, (100.0, -50.0, 0.0))
    got = space.covering_radius(sample, far)
    assert 90 < got.lower <= got.upper <= got.lower * 1.05 * (1 + 1e-12)
    assert not space.covers(sample, far, 50.0)
    assert space.hitting_time(sample, far, np.array([102.0, 1.0])).tolist()[1] == -1


def test_a_tiny_ball():
    sample = np.random.default_rng(5).uniform(-1, 1, (10, 2))
    ball = Ball(2, 1e-6, INF, (0.3, 0.1))
    got = space.covering_radius(sample, ball)
    low = distances(sample, ball.centre_vector[None])[0]
    assert got.lower <= low + 2e-6
    assert got.upper >= low - 2e-6


def test_what_is_refused():
    sample = np.random.default_rng(6).uniform(-1, 1, (4, 2))
    for resolution in (0.0, 1.0, -0.5, math.nan):
        with pytest.raises(ArgumentError, match="resolution"):
            space.covering_radius(sample, Ball(2), resolution=resolution)
    with pytest.raises(InfeasibleError, match=r"n = 60.*dimension 2"):
        space.covering_radius(np.ones((60, 2)), Ball(2))
    for verb in (space.covering_radius, space.covering_profile):
        with pytest.raises(InfeasibleError, match=r"n = 14.*dimension 24.*memory"):
            verb(np.ones((14, 24)), Ball(24, norm=1))
    with pytest.raises(InfeasibleError, match=r"n = 40.*dimension 2 needs about .* s;"):
        space.covers(np.ones((40, 2)), Ball(2), 0.1)
    with pytest.raises(InfeasibleError, match="cells"):
        space.covers(np.random.default_rng(6).standard_normal((34, 2)), Ball(2), 1e-5)
