"""The claims on proved sample sizes against what is computed, and the constants that they state."""

import math
import re
from pathlib import Path

import numpy as np
import pytest

import rssp
from rssp.claims import all_claims, claim
from rssp.prediction.guarantees import guaranteed_samples
from rssp.prediction.proved_constants import proved_constant
from rssp.prediction.restricted import closed_form_failure
from rssp.prediction.shifts import one_sided_failures
from rssp.report.verdicts import verdict_text
from rssp.study import find_study
from rssp.study.checking import all_verdicts
from rssp.study.tables import stored_tables

PRODUCT = {"p": math.log(2) / 4, "w": 0.5}


@pytest.mark.parametrize("bits", [2, 5, 10, 20])
@pytest.mark.parametrize("delta", [0.5, 1e-3])
def test_the_closed_form_keeps_its_word(bits, delta):
    """Its two terms, put back into the exact bounds, fail with probability delta/2 at most each."""
    eps = 2.0**-bits
    whole = int(claim("own-guarantee").bound(eps=eps, delta=delta))
    grow = int(claim("own-guarantee").bound(eps=eps, delta=delta, radius=0.5))
    assert closed_form_failure(eps, eps / 2, 0.5, grow) <= delta / 2
    assert 2 * one_sided_failures(whole - grow, 0.5)[-1] <= delta / 2
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
    """From the shipped tables: for each scalar theorem with an open C, rounded upwards, with its range."""
    verdicts, _ = all_verdicts("lueker_1998")
    texts = {v.claim.id: v for v in verdicts}
    lueker = texts["lueker-1998"]
    assert re.match(r"C <= \d+\.\d+ where min\(eps, delta\) <= 1/8; measured: C >= \d", lueker.proved_and_measured)
    assert float(lueker.proved.split()[2]) > lueker.constant.high
    assert "proved" in str(lueker)
    assert "proved" in verdict_text(lueker)
    assert lueker.row()["proved"] == lueker.proved_and_measured
    assert texts["counting-1d"].proved == ""
    assert "delta = 1/2" in texts["esa-2023"].proved
    assert "measured" in texts["pensia-2020-weight"].proved_and_measured


def test_every_scalar_theorem_with_an_open_constant_has_a_proved_one():
    stored = stored_tables(find_study("guarantees"))[1]["constants"]
    named = {(row["claim"], row["constant"]) for row in stored.to_dict("records")}
    for id, constant in named:
        assert constant in claim(id).unknown
    papers = ("lueker-1998", "esa-2023", "pensia-2020", "da-cunha-2022", "burkholz-2022-width", "ferbach-2023")
    assert {(id, "C") for id in papers} <= named
    assert (stored["evidence"] == "computed").all()
    assert stored_value(stored, "esa-2023-tail", "C") == pytest.approx(2 * math.log(2) / math.log(4 / 3), rel=1e-9)
    assert stored_value(stored, "ferbach-2023") == 2 * stored_value(stored, "pensia-2020")


def stored_value(table, id, constant="C"):
    return table.loc[(table["claim"] == id) & (table["constant"] == constant), "value"].item()


def test_stored_constants_are_not_above_the_closed_form_nor_below_what_one_point_needs():
    stored = stored_tables(find_study("guarantees"))[1]["constants"]
    uniform, gated = rssp.Uniform(), rssp.GatedProduct()
    cases = [
        ("lueker-1998", uniform, {}),
        ("lueker-1998-mixture", uniform, {"density": (1.0, 0.25)}),
        ("esa-2023", uniform, {"radius": 0.5, "delta": 0.5}),
        ("pensia-2020-weight", gated, {"added": 1}),
        ("pensia-2020", gated, {"finer": 1}),
    ]
    for id, law, given in cases:
        assert 1 < stored_value(stored, id) <= proved_constant(law, stops=(), **given).value
    assert stored_value(stored, "lueker-1998") >= guaranteed_samples(uniform, 2.0**-4, 2.0**-4).high / 4


def test_the_derivation_names_its_claims_and_steps():
    theory = (Path(__file__).parents[2] / "docs" / "theory" / "guarantees.md").read_text(encoding="utf-8")
    own = [c for c in all_claims().values() if c.paper.endswith("guarantees.md")]
    assert len(own) == 3
    for c in own:
        assert f"`{c.id}`" in theory
        for step in re.findall(r"\b[GML]\d\b", c.number):
            assert f"**{step}" in theory
