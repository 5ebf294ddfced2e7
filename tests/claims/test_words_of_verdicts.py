"""What a verdict may not say: that a prediction was measured, a fit a test, a rough heuristic exact."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from rssp.claims import Kind, Status, check, claim
from rssp.inference.points import steady_errors

FIGURES = Path(__file__).parents[2] / "figures"
SEEN = pd.DataFrame({"n": [12], "eps": 0.01, "z": 0.3, "low": 0.013, "best": 0.014, "high": 0.015, "confidence": 0.95})
SEEN = SEEN.assign(law="uniform", d=1, norm=np.inf, radius=1.0, targets="one", quantity="P(miss one target)")


@pytest.mark.parametrize("evidence", ["predicted", "computed", "measured"])
def test_a_row_is_called_what_it_is(evidence):
    far = SEEN.assign(low=0.3, best=0.3, high=0.31, evidence=evidence)
    verdict = check(claim("poisson-one-target"), far)
    text = verdict.prediction if evidence == "predicted" else verdict.text
    assert f"{evidence} 0.3 [0.3, 0.31]" in text
    assert evidence == "measured" or "measured" not in text
    assert (verdict.status is Status.VIOLATED) == (evidence != "predicted")


def test_the_ratio_to_a_bound_is_called_what_it_is():
    c = replace(claim("poisson-one-target"), kind=Kind.SUFFICIENT, sense=None)
    assert "bound over computed" in check(c, SEEN.assign(evidence="computed")).text


def test_what_a_heuristic_allows_itself_is_said():
    near = SEEN.assign(evidence="measured")
    value = float(claim("poisson-one-target").bound(n=12, eps=0.01, z=0.3))
    near = near.assign(low=0.99 * value, best=value, high=1.01 * value)
    verdict = check(claim("poisson-one-target"), near)
    assert verdict.status is Status.HOLDS
    assert verdict.text.endswith("it allows itself 30 %")


def test_a_form_that_a_coarser_grid_had_refused_is_not_called_tested():
    stored = pd.read_csv(FIGURES / "lueker_1998-coverage.csv")
    stored = stored[(stored["law"] == "uniform") & (stored["radius"] == 1)]
    fine, coarse = (check(claim("lueker-1998"), stored, deltas=d) for d in (None, (0.5, 0.1, 0.01)))
    assert (fine.status, coarse.status) == (Status.CONSISTENT, Status.NO_FORM)
    assert "not an independent test" in fine.text
    assert coarse.text.split(";")[0] in fine.text


def test_errors_of_an_estimated_covariance_follow_a_power_of_n():
    n = np.array([8.0, 10.0, 12.0, 14.0, 16.0])
    error = 0.02 * n**0.5 * np.array([1.2, 0.8, 1.0, 0.9, 1.1])
    covariance = np.outer(error, error) * (0.8 + 0.2 * np.eye(5))
    points = pd.DataFrame({"best": n, "trials": 1000, "delta": 0.5})
    steady = steady_errors(covariance, points)
    slope = np.diff(np.log(np.sqrt(np.diag(steady)))) / np.diff(np.log(n))
    np.testing.assert_allclose(slope, slope[0])
    np.testing.assert_allclose(steady / np.outer(*2 * [np.sqrt(np.diag(steady))]), 0.8 + 0.2 * np.eye(5))
    for left_alone in (points.drop(columns="trials"), points.assign(delta=[0.5, 0.5, 0.1, 0.1, 0.1])):
        np.testing.assert_array_equal(steady_errors(covariance, left_alone), covariance)
