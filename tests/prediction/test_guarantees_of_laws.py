"""Guarantees for other laws, vectors and networks, and what is said of bad input."""

import itertools
import math
import re

import numpy as np
import pytest
import scipy.integrate
import scipy.stats

import rssp
from rssp.errors import ArgumentError, ArgumentTypeError, InfeasibleError
from rssp.prediction import vectors
from rssp.prediction.guarantees import guaranteed_failure, guaranteed_samples, guaranteed_width, how_proved
from rssp.prediction.minorants import density_floor
from rssp.prediction.restricted import (
    closed_form_failure,
)
from rssp.prediction.vectors import normal_miss, normal_samples, restricted_growth, restricted_samples


@pytest.mark.parametrize(("law", "reach", "truth"), [
    (rssp.Normal(0.5, 2.0), 1.0, scipy.stats.norm(0.5, 2.0).pdf(-1.0)),
    (rssp.Product(), 0.25, math.log(4) / 2),
    (rssp.GatedProduct(), 0.25, math.log(4) / 4),
    (rssp.Mixture(rssp.Uniform(), 0.25, rssp.Normal()), 0.5, 0.125 + 0.75 * scipy.stats.norm.pdf(0.5)),
    (rssp.FromScipy(scipy.stats.beta(2, 3, loc=-0.5)), 0.25, 0.5625),
    (rssp.FromScipy(scipy.stats.poisson(3)), 0.25, 0.0),
    (rssp.FromScipy(scipy.stats.arcsine(-1, 2)), 0.25, 0.0),
    (rssp.Normal(dim=3), 1.0, (scipy.stats.norm.pdf(1.0)) ** 3),
])  # fmt: skip
def test_density_floors(law, reach, truth):
    assert density_floor(law, reach) == pytest.approx(truth, rel=1e-6)


@pytest.mark.parametrize("law", [
    rssp.NormallyScaledNormal(), rssp.NormallyScaledNormal(2), rssp.NormallyScaledUniform(),
    rssp.NormallyScaledUniform(2),
    rssp.NormallyScaledUniform(3), rssp.IndependentNormalProduct(2),
])  # fmt: skip
def test_densities_of_products_by_quadrature(law):
    """The density at the corner of a cube, from that of the shared factor; the floor is at most that, and near it."""
    reach, d = 0.5, law.dim
    if isinstance(law, rssp.IndependentNormalProduct):
        one = scipy.integrate.quad(lambda z: scipy.stats.norm.pdf(z) * scipy.stats.norm.pdf(reach / z) / z, 0, np.inf)[
            0
        ]
        truth = (2 * one) ** d
    elif isinstance(law, rssp.NormallyScaledNormal):
        truth = (
            2
            * scipy.integrate.quad(
                lambda z: scipy.stats.norm.pdf(z) * (scipy.stats.norm.pdf(reach / z) / z) ** d, 0, np.inf
            )[0]
        )
    else:
        truth = 2 * scipy.integrate.quad(lambda z: scipy.stats.norm.pdf(z) / (2 * z) ** d, reach, np.inf)[0]
    floor = density_floor(law, reach)
    assert floor <= truth * (1 + 1e-7)
    assert floor >= (0.5 if isinstance(law, rssp.NormallyScaledUniform) and d == 2 else 0.999) * truth


def test_normal_vectors_miss_less_often_than_bounded():
    """1,000 samples of 12 vectors in two dimensions, 4-subsets: at most 6 standard errors above the bound."""
    rng, n, k, eps, trials = np.random.default_rng(1), 12, 4, 0.4, 1000
    members = np.array(list(itertools.combinations(range(n), k)))
    missed = 0
    for _ in range(trials):
        sums = rng.standard_normal((n, 2))[members].sum(axis=1)
        missed += not (np.abs(sums - 1.0) <= eps).all(axis=1).any()
    bound = normal_miss(n, k, 2, eps, 1.0)
    assert missed / trials <= bound + 6 * math.sqrt(0.25 / trials)
    assert bound < 0.7


def test_growth_in_space_and_polynomial_samples():
    assert restricted_growth(rssp.Uniform(dim=3), 0.5, 1) == pytest.approx(1 / 8)
    assert restricted_growth(rssp.Uniform(dim=2), 1.0, 1) == 0  # no density at [-2, 2]
    assert restricted_growth(rssp.Uniform(), 1.0, 2) == pytest.approx(0.0, abs=1e-9)
    assert restricted_growth(rssp.Uniform(), 1.0, 4) == pytest.approx(2 * 1 / 12, rel=1e-6)  # a cubic spline at 2
    n = [normal_samples(d, 0.1, 1.0, 0.1)[0] for d in (2, 4, 8)]
    assert n[1] < 4 * n[0]
    assert n[2] < 4 * n[1]


@pytest.mark.parametrize("c", [0.05, 1e-4, 1e-9, 1e-15])
def test_small_growth_is_served_by_the_closed_form(c):
    start, goal, delta = 2.0**-20, 2.0**-18, 0.1
    steps = vectors._steps(start, goal, c, delta)
    assert closed_form_failure(start, goal, c, steps) <= delta * (1 + 1e-9)
    assert closed_form_failure(start, goal, c, round(0.999 * steps)) > delta


def test_the_restricted_process_has_an_end_in_any_dimension():
    n = [restricted_samples(rssp.Uniform(dim=d), 0.1, 0.4, 0.1)[0] for d in (2, 8, 24)]
    assert n[0] < 100
    assert n[2] > 1e9  # geometric: no one will draw them


def test_width_of_a_network():
    few, many = guaranteed_width([4, 1000], 0.1, 0.1, law=rssp.Uniform(), sets=[2, 20])
    assert few.sets == 2
    assert few.delta == pytest.approx(0.1 / 22)
    assert few.n == many.n
    assert few.n >= guaranteed_samples(rssp.Uniform(), 0.1, 0.1).high


# ---------------------------------------------------------------- bad input


@pytest.mark.parametrize(("arguments", "words"), [
    ({"eps": 1.0}, "the ball's radius"),
    ({"eps": -0.1}, "> 0"),
    ({"delta": 1e-120}, "1e-100"),
    ({"delta": 0.0}, "between 0 and 1"),
    ({"law": rssp.FromScipy(scipy.stats.poisson(3))}, "lattice_failure"),
    ({"law": rssp.FromScipy(scipy.stats.arcsine(-1, 2))}, "density=(w, rho)"),
    ({"law": rssp.Uniform(0.5, 1)}, "0 on one side of 0"),
    ({"law": rssp.FromScipy(scipy.stats.expon())}, "0 on one side of 0"),
    ({"law": rssp.Mixture(rssp.Uniform(0, 1), 0.5, rssp.Uniform(0.5, 2))}, "0 on one side of 0"),
    ({"law": rssp.Mixture(rssp.FromScipy(scipy.stats.poisson(1)), 0.5,
                          rssp.FromScipy(scipy.stats.poisson(2)))}, "lattice_failure"),
    ({"law": rssp.GroupScaledNormal()}, "independent"),
    ({"ball": rssp.Ball(2)}, "dimension 1"),
    ({"density": (1.0, 0.6)}, "more mass than 1"),
    ({"law": rssp.Product(2)}, "smaller radius"),
])  # fmt: skip
def test_bad_input_is_named(arguments, words):
    call = {"law": rssp.Uniform(), "eps": 0.25, "delta": 0.5} | arguments
    with pytest.raises(ArgumentError, match=re.escape(words)):
        guaranteed_samples(**call)


def test_other_bad_input():
    with pytest.raises(ArgumentTypeError, match="law"):
        guaranteed_samples("uniform", 0.1, 0.1)
    with pytest.raises(ArgumentTypeError, match="density"):
        guaranteed_samples(rssp.Uniform(), 0.1, 0.1, density=0.5)
    with pytest.raises(ArgumentError, match="n"):
        guaranteed_failure(rssp.Uniform(), 10**6 + 1, 0.1)
    with pytest.raises(InfeasibleError, match="1e6"):
        guaranteed_samples(rssp.NormallyScaledNormal(dim=6), 0.1, 0.1)
    with pytest.raises(ArgumentError, match="one a layer"):
        guaranteed_width([1, 2], [0.1], 0.1)


def test_a_users_word_on_the_density_is_taken():
    law = rssp.FromScipy(scipy.stats.arcsine(-1, 2))  # density at least 1/pi
    found = guaranteed_samples(law, 0.25, 0.5, density=(1.0, 0.318))
    assert found.high > guaranteed_samples(rssp.Uniform(), 0.25, 0.5).high
    assert "with probability 0.636" in how_proved(law, 0.25, 0.5, density=(1.0, 0.318))
