"""The claims on proved sample sizes against what is computed, and the constants that they state."""

import math
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import rssp
from rssp.claims import all_claims, check, claim
from rssp.laws.parse import identity_columns
from rssp.prediction.guarantees import guaranteed_samples
from rssp.prediction.restricted import closed_form_failure, one_sided_failure

PRODUCT = {"p": math.log(2) / 4, "w": 0.5}


@pytest.mark.parametrize("bits", [2, 5, 10, 20])
@pytest.mark.parametrize("delta", [0.5, 1e-3])
def test_the_closed_form_keeps_its_word(bits, delta):
    """Its two terms, put back into the exact bounds, fail with probability delta/2 at most each."""
    eps = 2.0**-bits
    whole = int(claim("own-guarantee").bound(eps=eps, delta=delta))
    grow = int(claim("own-guarantee").bound(eps=eps, delta=delta, radius=0.5))
    assert closed_form_failure(eps, eps / 2, 0.5, grow) <= delta / 2
    assert 2 * one_sided_failure(whole - grow, 0.5) <= delta / 2
    assert guaranteed_samples(rssp.Uniform(), eps, delta).high <= whole if bits < 12 else True


def test_constants_of_the_closed_form():
    """n at the next smaller power of two over log2(1/eps): what the constants 9.9, 67 and 5.4 stand for."""
    bits = np.arange(18, 200)
    after = 2.0 ** -(bits + 1.0)
    closed = claim("own-guarantee")
    assert (closed.bound(eps=after, delta=after) / bits).max() <= 9.9
    assert (closed.bound(eps=after, delta=after, **PRODUCT)[1:] / bits[1:]).max() <= 67
    small = np.arange(3, 18)
    before = 2.0 ** -(small + 1.0)
    assert (closed.bound(eps=before, delta=before, **PRODUCT) / small).max() <= 113
    assert (np.ceil(np.log(2 / (after**2 * 0.5)) / math.log(4 / 3)) / bits)[1:].max() <= 5.4


@pytest.mark.parametrize("bits", [3, 4, 5])
def test_constants_of_what_is_computed(bits):
    """The same below 18 bits, where the constants stand on computed guarantees (the study has the larger ones)."""
    after = 2.0 ** -(bits + 1)
    assert guaranteed_samples(rssp.Uniform(), after, after).high / bits <= 9.9
    assert guaranteed_samples(rssp.Uniform(), after, 0.5, rssp.Ball(1, 0.5)).high / bits <= 5.4


def test_what_is_proved_stands_beside_a_fitted_constant():
    seen = pd.DataFrame(
        {"eps": 2.0 ** -np.array([4.0, 6.0, 8.0]), "delta": 0.01, "low": [15.0, 18.0, 20.0]}
        | {"best": [16.0, 18.0, 20.0], "high": [17.0, 19.0, 21.0], "quantity": "n*", "evidence": "measured"}
        | identity_columns(rssp.Uniform(), rssp.Ball(1))
        | {"confidence": 0.95}
    )
    verdict = check(claim("lueker-1998"), seen)
    assert "at least" in verdict.text
    assert "proved here: C <= 9.9" in verdict.text
    assert verdict.constant.high < 9.9


def test_the_derivation_names_its_claims_and_steps():
    theory = (Path(__file__).parents[2] / "docs" / "theory" / "guarantees.md").read_text(encoding="utf-8")
    own = [c for c in all_claims().values() if c.paper.endswith("guarantees.md")]
    assert len(own) == 3
    for c in own:
        assert f"`{c.id}`" in theory
        for step in re.findall(r"\b[GML]\d\b", c.number):
            assert f"**{step}" in theory
