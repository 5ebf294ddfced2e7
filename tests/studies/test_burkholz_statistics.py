"""The study of smallest subsets: small runs, known numbers."""

import numpy as np
import pytest

from rssp.claims import Status, claim
from rssp.study import find_study, run_study


@pytest.fixture(scope="module")
def outcome(tmp_path_factory):
    study = find_study("burkholz_statistics")
    out = tmp_path_factory.mktemp("burkholz")
    return run_study(study, trials=200, out=out, options={"samples": "3"}, progress=False)


def test_published_numbers_are_met(outcome):
    statistics = outcome.tables["statistics"].set_index(["law", "quantity"])
    # 200 trials and 24 numbers: five standard errors or an exact interval
    assert abs(statistics.loc[("uniform", "mean size"), "standard errors apart"]) < 5
    assert abs(statistics.loc[("product", "mean size"), "standard errors apart"]) < 5
    assert statistics.loc[("product", "P(miss one target)"), "high"] > 3552 / 100_000
    assert statistics.loc[("uniform", "P(miss one target)"), "low"] < 404 / 100_000
    assert {v.claim.id for v in outcome.verdicts} == set(outcome.study.claims)
    assert Status.OUT_OF_REACH not in {v.status for v in outcome.verdicts}


def test_histograms_count_every_run(outcome):
    for law, rows in outcome.tables["histogram"].groupby("law"):
        assert rows["count"].sum() == 200
        assert rows["published"].sum() == pytest.approx(1, abs=1e-4)
        assert rows["published"].iloc[2] == claim(f"burkholz-2022-{'product-' * (law == 'product')}sizes").bound(size=2)


def test_more_numbers_miss_fewer_targets_than_all_targets_at_once(outcome):
    curves, covering = outcome.tables["curves"], outcome.tables["covering"]
    one = curves[(curves["quantity"] == "P(miss one target)") & (curves["eps"] == 0.01) & (curves["law"] == "uniform")]
    every = covering[(covering["eps"] == 0.01) & (covering["law"] == "uniform")].set_index("n")["best"]
    assert (np.diff(one.sort_values("n")["best"]) < 0.1).all()
    assert (one["low"].to_numpy() <= every.loc[one["n"]].to_numpy()).all()
    assert len(outcome.files) == 10
