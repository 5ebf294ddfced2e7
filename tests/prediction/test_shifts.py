"""Numbers that shift an interval: floats rounded upwards, against the same in fractions and against Laguerre."""

import math
from fractions import Fraction

import numpy as np
import pytest
from scipy.special import eval_laguerre

import rssp
from rssp.prediction.guarantees import guaranteed_failure, guaranteed_samples
from rssp.prediction.shifts import MOST_SHIFTS, one_sided_failures
from rssp.prediction.uniform_numbers import restricted_fewest


def _exact(m, reach):
    """P(the positive ones among m numbers add up to less than `reach`) in fractions, by the alternating sums."""
    y, total = Fraction(reach), Fraction(1)
    for j in range(1, m + 1):
        terms = ((-1) ** i * math.comb(j, i) * (y - i) ** j for i in range(min(math.floor(y), j) + 1))
        total += math.comb(m, j) * sum(terms, Fraction(0)) / math.factorial(j)
    return total / 2**m


@pytest.mark.parametrize("reach", [2.0**-30, 0.3, 0.5, 1.0, 1.7, 3.0, 7.123, 20.3, 39.999])
def test_failures_are_not_below_those_in_fractions_and_near_them(reach):
    failures = one_sided_failures(60, reach)
    for m in range(0, 61, 5):
        exact = _exact(m, reach)
        assert Fraction(float(failures[m])) >= exact
        assert float(failures[m]) == pytest.approx(float(exact), rel=1e-12)


@pytest.mark.parametrize("m", [150, 400])
def test_many_numbers_far_away_in_fractions(m):
    """Where alternating sums in floats would have no right digit."""
    reach, exact = 32.875, _exact(m, 32.875)
    found = float(one_sided_failures(m, reach)[m])
    assert exact <= Fraction(found) <= exact * (1 + Fraction(1, 10**10))


def test_failures_near_zero_are_laguerre():
    for reach in (0.25, 0.5, 1.0):
        laguerre = [2.0**-m * eval_laguerre(m, -reach) for m in range(15)]
        np.testing.assert_allclose(one_sided_failures(14, reach), laguerre, rtol=1e-12)
    assert (one_sided_failures(3, 3.0) == 1).all()  # three numbers reach 3 with probability 0
    assert one_sided_failures(2, 1.5)[2] == pytest.approx((1 + 2 + 0.875) / 4)
    assert (one_sided_failures(5, 0.0) == 0).all()


def test_failures_fall_and_stay_positive_to_the_last_number():
    failures = one_sided_failures(MOST_SHIFTS, 33.3)
    assert (np.diff(failures) <= 0).all()
    assert failures[-1] > 0
    assert failures[:34].min() == 1  # nor do 33 numbers get beyond 33


@pytest.mark.parametrize(
    ("call", "least", "most"),
    [
        (lambda: guaranteed_failure(rssp.Uniform(), 400, 2.0**-6).high, 0, 1e-15),
        (lambda: guaranteed_failure(rssp.Uniform(), 10**6, 2.0**-6).high, 0, 1e-15),
        (lambda: guaranteed_samples(rssp.Normal(0, 0.03), 2.0**-6, 0.1).high, 200, 3000),
        (lambda: restricted_fewest(0.1, 30.0, 0.1)[0], 120, 400),
    ],
)
def test_many_numbers_and_far_balls_are_served(call, least, most):
    assert least <= call() <= most
