"""What no guarantee may say: too few vectors, densities known by name or by a false word, limits of scale."""

import math

import numpy as np
import pytest
import scipy.stats
from scipy.special import gammaln, logsumexp

from rssp.balls import Ball
from rssp.errors import ArgumentError, InfeasibleError
from rssp.laws import FromScipy, Normal, Uniform
from rssp.prediction import conditioned
from rssp.prediction.guarantees import guaranteed_samples
from rssp.prediction.restricted import failure_curve, growth_grid
from rssp.prediction.vectors import normal_samples


@pytest.mark.parametrize("dim", [24, 56, 100])
def test_no_fewer_normal_vectors_are_proved_than_the_first_moment_allows(dim):
    """P(target (0.9, ..., 0.9) is covered) is at most the mean number of subsets near it: it must reach 1 - delta."""
    eps, delta = 0.1, 0.1
    found = normal_samples(dim, eps, 1.0, delta)
    if found is None:
        return
    n, k = found[0], np.arange(1, found[0] + 1)
    log_hit = np.minimum(0, dim * (np.log(2 * eps / np.sqrt(2 * np.pi * k)) - 0.8**2 / (2 * k)))
    log_mean = logsumexp(gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1) + log_hit)
    assert log_mean >= np.log(1 - delta)


def test_a_distribution_is_not_known_by_its_name():
    class Two(scipy.stats.rv_continuous):
        def _pdf(self, x):
            return 0.5 * (scipy.stats.norm.pdf(x, 2, 0.01) + scipy.stats.norm.pdf(x, -2, 0.01))

    law = FromScipy(Two(name="norm")())
    with pytest.raises(ArgumentError, match="proved positive lower bound"):
        guaranteed_samples(law, 0.3, 0.1, Ball(1, 2.0))


def test_a_ball_beside_zero_is_not_covered_by_the_empty_sum():
    assert 1 < guaranteed_samples(Uniform(), 0.2, 0.1, Ball(1, 0.1, centre=1.0)).high < math.inf
    assert 1 < guaranteed_samples(Uniform(), 0.6, 0.5, Ball(1, 0.5, centre=0.4)).high < math.inf
    with pytest.raises(ArgumentError, match=r"0 < eps < 0.9, the largest distance of a target from 0"):
        guaranteed_samples(Uniform(), 0.9, 0.5, Ball(1, 0.5, centre=0.4))


@pytest.mark.parametrize(
    ("law", "density", "message"),
    [
        (FromScipy(scipy.stats.poisson(3)), (0.5, 0.5), "a law with a density"),
        (Uniform(0.5, 1), (0.5, 0.9), "on one side of 0"),
        (Uniform(), (0.5, 0.9), "has not that much mass"),
        (Uniform(-0.25, 1), (0.5, 0.5), "has not that much mass"),
        (FromScipy(scipy.stats.norm(0, 5)), (0.5, 0.5), "has not that much mass"),
    ],
)
def test_a_word_about_the_density_that_cannot_be_true_is_refused(law, density, message):
    with pytest.raises(ArgumentError, match=message):
        guaranteed_samples(law, 0.1, 0.1, density=density)


def test_a_true_word_about_the_density_is_taken():
    assert guaranteed_samples(FromScipy(scipy.stats.norm(0, 1)), 0.1, 0.1, density=(1.0, 0.24)).high < math.inf


def test_vectors_of_any_scale_have_the_same_guarantee():
    one = guaranteed_samples(Normal(dim=3), 0.1, 0.1, Ball(3)).high
    for scale in (1e-200, 1e200):
        assert guaranteed_samples(Normal(dim=3, std=scale), 0.1 * scale, 0.1, Ball(3, scale)).high == one


def test_a_fraction_that_underflows_is_no_error():
    with pytest.raises(InfeasibleError, match=r"needs n = 1\.14e\+82"):
        guaranteed_samples(Uniform(dim=200), 0.01, 0.1, Ball(200, 0.4))


def test_a_start_at_the_goal_has_failed_until_a_number_comes():
    curve = failure_curve(0.5, 0.5, 0.5, 0.1)
    assert curve[0] == 1
    assert curve[-1] <= 0.1


@pytest.mark.parametrize("power", [20, 26, 30, 36, 40])
def test_windows_of_any_width_hold_the_whole_mass(power):
    nodes, weights = conditioned._gauss(8)
    out = np.zeros(18)
    conditioned._windowed(14, 0.7, 1.3 * 2.0**-power, nodes, weights, np.empty(17), out)
    assert abs(out.sum() - 1) < 1e-12


def test_a_law_far_narrower_than_the_ball_is_served_or_refused_by_its_number():
    """Its density at a thirtieth of the ball underflows to nearly 0: a narrower part of it is what helps."""
    found = guaranteed_samples(Normal(0, 0.001), 2.0**-8, 0.1).high
    assert found > 1 / (0.001 * math.sqrt(2 / math.pi))  # else the positive ones do not add up to 1
    assert found < 10**5
    with pytest.raises(InfeasibleError, match="needs n = "):
        guaranteed_samples(Normal(0, 1e-7), 2.0**-8, 0.1)
    with pytest.raises(InfeasibleError, match="needs n = "):
        guaranteed_samples(Uniform(), 2.0**-8, 0.1, density=(0.5, 1e-250))


def test_errors_of_many_bits_keep_the_grid_s_size_and_those_below_products_are_refused():
    few, many = (len(growth_grid(10.0**-digits, 10.0**-digits)[0]) for digits in (25, 200))
    assert 0.9 * few < many < 2 * few
    with pytest.raises(ArgumentError, match="at least 1e-250"):
        guaranteed_samples(Uniform(), 1e-300, 0.1)
