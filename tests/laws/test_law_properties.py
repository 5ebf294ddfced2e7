"""What is true of every law, whatever its parameters; and of every text that somebody may take for a law."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st

import rssp.laws
from rssp import ArgumentError, ArgumentTypeError
from rssp._identity import describe, rebuild, sha256_key
from rssp.laws import (
    ConvolutionBlocks,
    FromScipy,
    GatedProduct,
    GroupScaledNormal,
    IndependentNormalProduct,
    Law,
    Mixture,
    Normal,
    NormallyScaledNormal,
    NormallyScaledUniform,
    Product,
    Uniform,
)
from rssp.laws.parse import law_names, law_text, parse_law

numbers, positive = st.floats(-1e6, 1e6), st.floats(1e-3, 1e6)
small, dims = st.integers(1, 3), st.integers(1, 4)


def uniform(dim):
    return st.builds(lambda low, width: Uniform(low, low + width, dim), numbers, positive)


def from_scipy(dim):
    beta = st.builds(lambda a, b: FromScipy(scipy.stats.beta(a, b=b), dim), st.floats(0.1, 9), st.floats(0.1, 9))
    return beta | st.builds(lambda top: FromScipy(scipy.stats.randint(-3, top), dim), st.integers(-2, 9))


PLAIN = {  # every law of independent vectors, in a dimension
    Uniform: uniform,
    Normal: lambda dim: st.builds(Normal, numbers, positive, st.just(dim)),
    Product: lambda dim: st.just(Product(dim)),
    GatedProduct: lambda dim: st.just(GatedProduct(dim)),
    NormallyScaledNormal: lambda dim: st.just(NormallyScaledNormal(dim)),
    NormallyScaledUniform: lambda dim: st.just(NormallyScaledUniform(dim)),
    IndependentNormalProduct: lambda dim: st.just(IndependentNormalProduct(dim)),
    FromScipy: from_scipy,
}
plain = dims.flatmap(lambda dim: st.one_of([make(dim) for make in PLAIN.values()]))
LAWS = {
    **{cls: dims.flatmap(make) for cls, make in PLAIN.items()},
    Mixture: dims.flatmap(
        lambda dim: st.builds(
            Mixture, *(st.one_of([m(dim) for m in PLAIN.values()]) if i != 1 else st.floats(0, 1) for i in range(3))
        )
    ),
    GroupScaledNormal: st.builds(GroupScaledNormal, dims, small),
    ConvolutionBlocks: st.builds(ConvolutionBlocks, small, small, small, st.sampled_from([None, 1, -1])),
}
a_law = st.one_of(list(LAWS.values()))


def test_every_law_is_made_here():
    assert set(LAWS) == {getattr(rssp.laws, name) for name in rssp.laws.__all__} - {Law}


@given(a_law, st.integers(0, 5), st.integers(1, 3), st.integers(0, 2**32))
def test_draws_are_finite_and_follow_from_the_seed(law, n, trials, seed):
    drawn = law.draw(n, np.random.default_rng(seed))
    assert (drawn.shape, drawn.dtype) == ((n, law.dim), np.float64)
    many = law.draw_many(trials, n, np.random.default_rng(seed))
    assert (many.shape, many.dtype) == ((trials, n, law.dim), np.float64)
    assert np.isfinite(many).all()
    assert many.tobytes() == law.draw_many(trials, n, np.random.default_rng(seed)).tobytes()
    assert drawn.tobytes() == law.draw(n, np.random.default_rng(seed)).tobytes()
    if law.independent:  # one stream of vectors, cut in pieces
        assert many.tobytes() == law.draw(trials * n, np.random.default_rng(seed)).tobytes()


@given(plain, plain)
def test_a_law_is_what_its_description_says(one, other):
    assert rebuild(describe(one)) == one
    assert (one == other) == (sha256_key(one) == sha256_key(other)) == (describe(one) == describe(other))
    if one == other:
        assert hash(one) == hash(other)


@given(a_law)
def test_the_text_of_any_law_is_read_back(law):
    text = law_text(law)
    named = type(law) in (*law_names().values(), FromScipy)
    assert named == (text != repr(law))
    if named:
        assert parse_law(text, law.dim) == law
        assert law_text(parse_law(text, law.dim)) == text
    names = {"scipy": scipy, **{cls.__name__: cls for cls in LAWS}}
    assert eval(repr(law), names) == law


@given(numbers, numbers, st.integers(0, 2**32))
def test_numbers_stay_in_the_support(low, high, seed):
    if low >= high:
        with pytest.raises(ArgumentError, match="a number > low"):
            Uniform(low, high)
        return
    drawn = Uniform(low, high).draw(50, np.random.default_rng(seed))
    assert ((low <= drawn) & (drawn <= high)).all()


WORDS = "scipy: norm beta dim low std ( ) , = 1 -1 0.5 1e999 nan None 'a' [1] **{'a':1} *[1] __class__ . 1j # lambda:1"
pieces = st.sampled_from([*law_names(), *WORDS.split(), "9" * 400, " ", "\n"])
anything = st.text(max_size=12) | st.lists(pieces, max_size=8).map("".join)
SHOWN = [
    "",
    "(" * 400,
    "uniform(",
    "uniform(\0)",
    "uniform(0x1for)",
    "uniform('\\d')",
    "normal(std=1e999)",
    "scipy:norm(0,-1)",
    "scipy:beta(nan,1)",
    pytest.param("uniform(" + "(" * 400 + ")" * 401, id="brackets"),
    pytest.param("uniform(" + "-" * 5000 + "1)", id="signs"),
]


@settings(max_examples=400)
@given(anything, st.none() | dims)
def test_any_text_is_a_law_or_is_refused(text, dim):
    read(text, dim)


@pytest.mark.parametrize("text", SHOWN)
def test_strange_texts_are_refused(text):
    assert read(text, None) is None


def read(text, dim):
    """The law, which can be drawn, or None; another error than the package's own is one of the parser."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            law = parse_law(text, dim)
        except (ArgumentError, ArgumentTypeError):
            return None
    assert dim in (None, law.dim)
    assert law.draw(3, np.random.default_rng(0)).shape == (3, law.dim)
    return law
