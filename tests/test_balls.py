"""Balls: membership, volume, draws, refusals."""

import math

import numpy as np
import pytest

from rssp import ArgumentError, Ball

BALLS = [Ball(), Ball.interval(-0.25, 1.5), Ball(2, 0.5, 1, (1.0, 2.0)), Ball(3, 2.0, 2), Ball(4, 1.5, math.inf, -1.0)]


@pytest.mark.parametrize("ball", BALLS, ids=repr)
def test_draws_and_grid_lie_inside(ball):
    draws = ball.draw(500, np.random.default_rng(0))
    assert draws.shape == (500, ball.dim)
    assert ball.contains(draws).all()
    grid = ball.grid(5)
    low, high = ball.bounds
    assert ((grid >= low) & (grid <= high)).all()
    assert len(grid) >= 1


@pytest.mark.statistical
@pytest.mark.parametrize("norm", [1, 2, math.inf])
def test_volume_is_the_share_of_the_cube(norm):
    # false alarm 2e-9: six standard errors of a share
    ball, n = Ball(3, 1.0, norm), 40_000
    cube = np.random.default_rng(7).uniform(-1, 1, (n, 3))
    share = ball.volume / 8
    assert abs(ball.contains(cube).mean() - share) <= 6 * math.sqrt(share * (1 - share) / n)
    assert math.isclose(math.log(ball.volume), ball.log_volume)


@pytest.mark.statistical
@pytest.mark.parametrize("norm", [1, 2, math.inf])
def test_draws_are_uniform(norm):
    # a ball of half the radius holds 2^-dim of the draws; false alarm 2e-9
    n = 40_000
    draws = Ball(3, 1.0, norm).draw(n, np.random.default_rng(9))
    inside = Ball(3, 0.5, norm).contains(draws).mean()
    assert abs(inside - 1 / 8) < 6 * math.sqrt(7 / 64 / n)
    assert np.abs(draws.mean(axis=0)).max() < 6 / math.sqrt(n)


def test_one_name_for_one_ball():
    assert Ball(1, norm=1) == Ball(1, norm=2) == Ball(1)
    assert Ball(2, centre=(0.5, 0.5)) == Ball(2, centre=0.5)


def test_volumes_stay_finite_in_logarithms():
    assert math.isclose(Ball(2, norm=2).volume, math.pi)
    assert math.isfinite(Ball(600, norm=1).log_volume)


@pytest.mark.parametrize(
    "options",
    [
        {"dim": 0},
        {"radius": 0},
        {"radius": -1},
        {"radius": math.inf},
        {"norm": 3},
        {"norm": True},
        {"centre": (0.0, 1.0)},
    ],
)
def test_bad_balls(options):
    with pytest.raises(ArgumentError):
        Ball(**options)


def test_wrong_dimension_is_named():
    with pytest.raises(ArgumentError, match="dimension 2"):
        Ball(3).contains(np.zeros((4, 2)))
    with pytest.raises(ArgumentError, match="high"):
        Ball.interval(1, 1)
