"""Scalar laws: shapes, reproducibility, descriptions, moments and refusals."""

import math

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

from rssp import (
    ArgumentError,
    ArgumentTypeError,
    FromScipy,
    GatedProduct,
    Mixture,
    Normal,
    OneSidedTilt,
    Product,
    Uniform,
)
from rssp._identity import canonical_json, describe, rebuild, sha256_key
from rssp.laws.parse import law_names, law_text, parse_law

LAWS = [
    Uniform(),
    Uniform(-0.5, 2, dim=3),
    Normal(1, 0.5, dim=2),
    Product(),
    GatedProduct(dim=2),
    Mixture(Uniform(), 0.25, Normal()),
    FromScipy(scipy.stats.beta(2, b=3)),
    FromScipy(scipy.stats.randint(-3, 4), dim=2),
]


@pytest.mark.parametrize("law", LAWS, ids=repr)
def test_draws_and_description(law):
    first = law.draw(7, np.random.default_rng(3))
    assert first.shape == (7, law.dim)
    assert first.dtype == np.float64
    assert np.array_equal(first, law.draw(7, np.random.default_rng(3)))
    assert law.draw_many(4, 5, np.random.default_rng(0)).shape == (4, 5, law.dim)
    again = rebuild(describe(law))
    assert again == law
    assert hash(again) == hash(law)
    assert canonical_json(again) == canonical_json(law)
    namespace = {"scipy": scipy, "np": np, **{type(v).__name__: type(v) for v in LAWS}}
    assert eval(repr(law), namespace) == law


def test_defaults_are_left_out_of_the_description():
    assert describe(Uniform()) == {"type": "Uniform"}
    assert describe(Uniform(-1, 1, 1)) == {"type": "Uniform"}
    assert sha256_key(Uniform()) != sha256_key(Uniform(dim=2))


# false alarm: each frequency test is at 6 standard errors, about 2e-9
@pytest.mark.statistical
@pytest.mark.parametrize(
    ("law", "mean", "variance"),
    [
        (Uniform(), 0, 1 / 3),
        (Uniform(0, 2), 1, 1 / 3),
        (Normal(2, 3), 2, 9),
        (Product(), 0, 1 / 9),
        (GatedProduct(), 0, 1 / 18),
        (Mixture(Uniform(), 0.5, Normal()), 0, (1 / 3 + 1) / 2),
    ],
)
def test_moments(law, mean, variance):
    n = 40_000
    draws = law.draw(n, np.random.default_rng(11))[:, 0]
    fourth = np.mean((draws - mean) ** 4)
    assert abs(draws.mean() - mean) < 6 * math.sqrt(variance / n)
    assert abs(draws.var() - variance) < 6 * math.sqrt(fourth / n)


@pytest.mark.statistical
def test_gated_product_is_zero_half_the_time_and_has_the_product_density():
    n = 40_000
    draws = GatedProduct().draw(n, np.random.default_rng(5))[:, 0]
    assert abs((draws == 0).mean() - 0.5) < 6 * 0.5 / math.sqrt(n)
    # |U U'| has distribution function t (1 - log t)
    statistic = scipy.stats.kstest(np.abs(draws[draws != 0]), lambda t: t * (1 - np.log(t)))
    assert statistic.pvalue > 1e-9


@pytest.mark.parametrize(
    ("make", "error"),
    [
        (lambda: Uniform(1, 1), ArgumentError),
        (lambda: Uniform(math.nan), ArgumentError),
        (lambda: Uniform(dim=0), ArgumentError),
        (lambda: Uniform("a"), ArgumentTypeError),
        (lambda: Normal(std=0), ArgumentError),
        (lambda: Mixture(Uniform(), 1.5, Normal()), ArgumentError),
        (lambda: Mixture(Uniform(), 0.5, Normal(dim=2)), ArgumentError),
        (lambda: Mixture(Uniform(), 0.5, 3), ArgumentTypeError),
        (lambda: FromScipy(scipy.stats.norm), ArgumentTypeError),
        (lambda: FromScipy(scipy.stats.norm([0, 1])), ArgumentError),
    ],
)
def test_bad_laws(make, error):
    with pytest.raises(error):
        make()


def test_a_description_cannot_name_what_was_not_registered():
    with pytest.raises(ArgumentError, match="registered class"):
        rebuild({"type": "os:system"})
    with pytest.raises(ArgumentError, match="distribution"):
        rebuild({"type": "FromScipy", "name": "gaussian_kde"})


@pytest.mark.parametrize("name", law_names())
def test_every_named_law_can_be_made(name):
    assert parse_law(name).dim >= 1


@pytest.mark.parametrize(
    "text", ["unifrm", "uniform(a)", "uniform(1", "scipy:foo", "uniform(1,2,3,4)", "scipy:beta(1)"]
)
def test_bad_names_are_explained(text):
    with pytest.raises(ArgumentError, match="law"):
        parse_law(text)


finite = st.floats(-1e6, 1e6)


@given(finite, st.floats(1e-6, 1e6), st.integers(1, 3))
def test_the_text_of_a_law_is_read_back(low, width, dim):
    for law in (
        Uniform(low, low + max(width, 1e-6 * abs(low)), dim),
        Normal(low, width, dim),
        FromScipy(scipy.stats.norm(low, scale=width), dim),
        GatedProduct(dim),
    ):
        text = law_text(law)
        assert " " not in text
        assert parse_law(text, law.dim) == law


@pytest.mark.parametrize("name", law_names())
def test_a_law_without_parameters_is_its_name(name):
    assert law_text(parse_law(name)) == name


def test_a_law_that_has_no_text_is_shown_in_full():
    law = OneSidedTilt(Uniform(), (1.0,), (0.5,))
    assert law_text(law) == repr(law)
