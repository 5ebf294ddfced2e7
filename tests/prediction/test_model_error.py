"""What the covering law's intervals hold: its own error as measured, the average's by Student's law, the confidence."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from rssp._shipped import tables_folder
from rssp.balls import Ball
from rssp.errors import ArgumentError
from rssp.intervals import student_reach
from rssp.laws import Normal, Uniform
from rssp.montecarlo.questions import covering_probability, required_samples
from rssp.prediction.covering_law import predicted_coverage, predicted_required_samples, predicted_target_failure
from rssp.prediction.model_error import MEASURED, cover_interval, fitted_model_errors, model_error


@pytest.fixture(scope="module")
def agreement():
    return pd.read_csv(tables_folder() / "covering_law-agreement.csv")


def test_the_errors_are_those_of_the_stored_measurements(agreement):
    fitted = {(r.law, r.d): (r.relative, r.excess) for r in fitted_model_errors(agreement).itertuples()}
    assert set(fitted) == set(MEASURED)
    for key, error in MEASURED.items():
        assert error == pytest.approx(fitted[key], abs=6e-4)


def test_the_intervals_hold_the_measurements(agreement):
    inside = []
    for (law, d), rows in agreement.groupby(["law", "d"]):
        best, error = (rows[c].to_numpy() for c in ("predicted", "predicted_error"))
        low, high = cover_interval(best, error, 100, 0.95, law, d)
        inside += list((rows["low"] <= high) & (rows["high"] >= low))  # a measurement has an interval of its own
    assert np.mean(inside) >= 0.95
    off = (agreement["predicted"] < agreement["low"]) | (agreement["predicted"] > agreement["high"])
    assert off.mean() > 0.2  # without the law's own error a good part would lie outside


def test_a_law_or_dimension_that_was_not_measured_gets_the_largest_error():
    assert model_error("cauchy", 2) == model_error("normally-scaled-normal", 2)
    assert model_error("uniform", 50) == model_error("uniform", 4)
    assert model_error("uniform", 1).relative < model_error("cauchy", 1).relative


def test_two_samples_are_judged_by_student_s_law():
    best, error = np.array([0.5]), np.array([0.02])
    two, many = (cover_interval(best, error, m, 0.95, "uniform", 1) for m in (2, 10**6))
    assert student_reach(0.95, 1) == pytest.approx(12.706, abs=1e-3)
    of_the_law = cover_interval(best, np.zeros(1), 2, 0.95, "uniform", 1)[1] - best
    assert (two[1] - best)[0] == pytest.approx(np.hypot(12.706 * 0.02, of_the_law[0]), rel=1e-2)
    assert (many[1] - best)[0] == pytest.approx(np.hypot(1.96 * 0.02, of_the_law[0]), rel=1e-2)


def test_the_confidence_is_used_or_refused():
    ends = []
    for confidence in (0.5, 0.95, 0.999):
        seen = predicted_required_samples(Uniform(), 0.01, 0.1, Ball(1), samples=40, confidence=confidence)
        assert seen.confidence == confidence
        ends.append((seen.low, -seen.high))
    assert ends[0] >= ends[1] >= ends[2]
    assert ends[0] != ends[2]
    for bad in (7, 0.0, 1.0):
        for question in (covering_probability, required_samples):
            arguments = {"n": 10, "eps": 0.1} if question is covering_probability else {"eps": 0.1, "delta": 0.5}
            for method in ("covering law", "measured"):
                with pytest.raises(ArgumentError, match="confidence"):
                    question(Uniform(), **arguments, method=method, confidence=bad)
        with pytest.raises(ArgumentError, match="confidence"):
            predicted_coverage(Normal(), 10, 0.1, Ball(1), samples=2, confidence=bad)
        with pytest.raises(ArgumentError, match="confidence"):
            predicted_target_failure(Normal(), 10, 0.1, 0.0, samples=2, confidence=bad)
