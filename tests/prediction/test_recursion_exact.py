"""The recursion on the grid that is used, 160 steps a bit, again in whole numbers rounded outwards: never below it.

Another program on purpose: no hull and no cancellation to care for, but the line through a set's highest points.
"""

import numpy as np
import pytest

from rssp.prediction.restricted import envelope_step, growth_grid

UNIT = 1 << 1100
"""of v and h: every float that occurs here is a whole number of these"""


def _whole(x):
    numerator, denominator = float(x).as_integer_ratio()
    assert UNIT % denominator == 0
    return numerator * (UNIT // denominator)


def _envelope(points, mean):
    """The concave envelope at the mean of points (v, h), rounded upwards.

    The line through the ends is turned about the point that is highest above it until there is none.
    """
    left, right = points[0], points[-1]
    while True:
        rise, run = right[1] - left[1], right[0] - left[0]
        above = max(points, key=lambda q: (q[1] - left[1]) * run - (q[0] - left[0]) * rise)
        if (above[1] - left[1]) * run <= (above[0] - left[0]) * rise:
            return left[1] - (mean - left[0]) * -rise // run
        if above[0] <= mean:
            left = above
        else:
            right = above


def _value(v, h, j, sixteenths):
    """The next value of the step from v[j] to v[j + 1]: window of its right end, mean of its left one rounded down."""
    mean = v[j] + sixteenths * v[j] * (UNIT - v[j]) // (16 * UNIT)
    limit, i, points = min(2 * v[j + 1], UNIT), j, [(v[j], h[j])]
    while i < len(v) and v[i] <= limit:
        points.append((min(v[i + 1], limit) if i + 1 < len(v) else limit, h[i]))
        i += 1
    return _envelope(points, mean)


def _grid(start, goal):
    v, u = growth_grid(start, goal)
    return v, u, [_whole(x) if x <= 0.5 else UNIT - _whole(y) for x, y in zip(v, u, strict=True)]


def test_a_whole_curve_on_the_grid_that_is_used():
    v, u, whole = _grid(0.5, 0.25)
    h, exact = np.ones(len(v)), [UNIT] * len(v)
    h[-1], exact[-1] = 0.0, 0
    assert len(v) > 160
    for _ in range(4):
        after = np.empty(len(v))
        envelope_step(v, u, h, 0.5, False, after)
        new = [exact[-1]]
        for j in range(len(v) - 2, -1, -1):
            new.append(min(max(_value(whole, exact, j, 8), new[-1]), exact[j]))
        h, exact = after, new[::-1]
        assert all(_whole(ours) >= theirs for ours, theirs in zip(h, exact, strict=True))
        np.testing.assert_allclose(h, [theirs / UNIT for theirs in exact], rtol=1e-11)


TEN = [
    (2.0**-4, 2.0**-5, 0.5, 12), (2.0**-6, 2.0**-7, 0.5, 20), (2.0**-10, 2.0**-11, 0.5, 40),
    (2.0**-10, 2.0**-10, 0.5, 54), (2.0**-16, 2.0**-16, 0.5, 70), (2.0**-20, 2.0**-21, 0.5, 90),
    (0.3, 2.0**-8, 0.25, 60),
    (2.0**-8, 0.1, 1.0, 9), (2.0**-5, 2.0**-12, 0.75, 30), (0.01, 0.003, 0.125, 120),
]  # fmt: skip


@pytest.mark.parametrize(("start", "goal", "c", "k"), TEN)
def test_a_step_at_ten_points_of_the_grid_that_is_used(start, goal, c, k):
    """After k steps one more, at five places of the grid: step by step, no rounding ever lowers the bound."""
    v, u, whole = _grid(start, goal)
    h, after = np.ones(len(v)), np.empty(len(v))
    h[-1] = 0.0
    for _ in range(k):
        envelope_step(v, u, h, c, False, after)
        h, after = after, h
    envelope_step(v, u, h, c, False, after)
    assert 0 < after[0] < 1
    values = [_whole(x) for x in h]
    for j in np.linspace(0, len(v) - 2, 5).astype(int):
        exact = min(_value(whole, values, j, int(16 * c)), values[j])
        assert _whole(after[j]) >= exact
        assert after[j] <= max(exact / UNIT, after[j + 1]) * (1 + 1e-11)
