"""The growth lemma at a tiny scale."""

import numpy as np
import pytest

from rssp import Ball, Uniform
from rssp.montecarlo import CoveredFractions, Experiment, run
from rssp.study import find_study, run_study


@pytest.fixture(scope="module")
def outcome(tmp_path_factory):
    return run_study(find_study("growth_lemma"), trials=128, out=tmp_path_factory.mktemp("growth"), progress=False)


def test_constants_lie_between_what_is_proved_and_doubling(outcome):
    constants = outcome.tables["constants"]
    assert (constants["ratio high"] > constants["proved"]).all()
    assert (constants["ratio low"] < 1).all()
    assert set(constants["interval"]) == {"[-1, 1]", "[-1/2, 1/2]"}


def test_fractions_rise_to_one(outcome):
    for _, rows in outcome.tables["paths"].groupby(["radius", "eps"]):
        assert (np.diff(rows["mean"]) >= 0).all()
        assert rows["mean"].iloc[-1] > 0.98
        assert (rows["promised"] <= rows["mean"] + 0.1).all()


def test_every_claim_of_the_study_has_a_verdict(outcome):
    assert {verdict.claim.id for verdict in outcome.verdicts} == set(outcome.study.claims)


def test_fraction_of_one_number():
    # {0, x}: [-eps, eps] and [x - eps, x + eps] within [-1, 1]
    experiment = Experiment(Uniform(0.5, 0.7), Ball(), CoveredFractions(0.125, 1))
    table = run(experiment, 16, progress=False).table
    np.testing.assert_allclose(table["v"], 0.25, rtol=1e-12)
