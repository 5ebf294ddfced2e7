"""The study of proved sample sizes at a tiny scale."""

import numpy as np
import pytest

from rssp import Ball, Uniform
from rssp.montecarlo import CoveredFractions, Experiment, RestrictedFractions, run
from rssp.study import find_study, run_study


@pytest.fixture(scope="module")
def outcome(tmp_path_factory):
    study = find_study("guarantees")
    with pytest.MonkeyPatch.context() as patch:
        module = __import__("sys").modules[study.analyse.__module__]
        for name, value in {"BITS": (4,), "EQUAL": (4,), "DIMS": (1, 2)}.items():
            patch.setitem(getattr(module, name), "quick", value)
        patch.setitem(module.PREDICTED, "quick", 20)
        patch.setitem(module.LAWS, "quick", (Uniform(),))
        return run_study(study, trials=200, out=tmp_path_factory.mktemp("guarantees"), progress=False)


def test_guaranteed_lies_between_measured_and_three_times_that(outcome):
    compared = outcome.tables["compared"]
    assert (compared["guaranteed"] >= compared["measured"]).all()
    assert (compared["guaranteed"] <= compared["restricted"]).all()
    assert (compared["ratio"] < 3).all()


def test_every_claim_of_the_study_has_a_verdict(outcome):
    assert {verdict.claim.id for verdict in outcome.verdicts} == set(outcome.study.claims)
    assert all(verdict.status.value != "violated" for verdict in outcome.verdicts)


def test_the_restricted_process_is_a_part_of_the_whole():
    whole, part = (
        run(Experiment(Uniform(), Ball.interval(-0.5, 0.5), kind(2.0**-5, 12), seed=3), 40, progress=False).table
        for kind in (CoveredFractions, RestrictedFractions)
    )
    v, w = (table["v"].to_numpy().reshape(40, 12) for table in (whole, part))
    assert (np.diff(w, axis=1) >= 0).all()
    assert (w[:, 0] >= 2.0**-4 - 1e-12).all()
    if np.array_equal(whole["trial"], part["trial"]):  # other measurements are other samples: compare the means
        assert w.mean() < v.mean()
