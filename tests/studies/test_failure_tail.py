"""The failure tail at a tiny scale: what is known exactly, and estimates that stand where they must."""

import numpy as np
import pytest
from scipy.special import eval_laguerre, gammaln

from rssp.study import find_study, run_study


@pytest.fixture(scope="module")
def outcome(tmp_path_factory):
    return run_study(find_study("failure_tail"), trials=64, out=tmp_path_factory.mktemp("tail"), progress=False)


def test_edge_bound_is_laguerre(outcome):
    rows = outcome.tables["failures"]
    rows = rows[(rows["goal"] == "[-1, 1]") & (rows["eps"] == 1e-3)]
    n, x = rows["n"].to_numpy(), 1 - 1e-3
    both = np.exp(n * np.log(x) + gammaln(2 * n + 1) - 3 * gammaln(n + 1))
    np.testing.assert_allclose(rows["edge"], 2.0**-n * (2 * eval_laguerre(n, -x) - both), rtol=1e-9)


def test_estimates_lie_above_the_bound_and_fall(outcome):
    rows = outcome.tables["failures"]
    assert rows["undecided"].sum() == 0
    assert (rows["low"] <= rows["best"]).all()
    # 64 trials tell a factor of about 2
    assert (rows["best"] > 0.25 * rows["edge"]).all()
    fine = rows[(rows["goal"] == "[-1, 1]") & (rows["eps"] == 1e-3)]
    assert (np.diff(fine["best"]) < 0).all()
    assert fine["best"].iloc[-1] < 1e-12


def test_constants_lie_above_the_bound_of_one_sided_samples(outcome):
    constants = outcome.tables["constants"]
    assert (constants["high"] > constants["edge n"]).all()
    assert constants["constant"].between(1.5, 4).all()
    required = outcome.tables["required"].set_index(["quantity", "eps"])["best"]
    assert (required["n*"] == np.ceil(required["n* interpolated"])).all()


def test_plain_counting_is_beside_the_weighted_estimate(outcome):
    table = outcome.tables["agreement"]
    assert set(table["n"]) == {10, 15, 20}
    assert (table["standard errors apart"].abs() < 6).all()


def test_every_claim_of_the_study_has_a_verdict(outcome):
    assert {verdict.claim.id for verdict in outcome.verdicts} == set(outcome.study.claims)
    assert {path.suffix for path in outcome.files} == {".csv", ".json", ".svg", ".png"}
