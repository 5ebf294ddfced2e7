"""Tails of P(fail): weighted failures, slopes and crossings, against plain formulas."""

import math

import numpy as np
import pandas as pd
import pytest

from rssp.errors import ArgumentError, ArgumentTypeError
from rssp.inference import tail_crossing, tail_slopes, weighted_failure
from rssp.trials import Trials


def tail(n, best, error=0.1, **columns):
    best = np.asarray(best, dtype=float)
    return pd.DataFrame({"n": n, "best": best, "low": best, "high": best, "relative_error": error}).assign(**columns)


def test_weights_of_one_are_plain_counting():
    table = pd.DataFrame({"trial": range(100), "failed": np.arange(100) < 30, "undecided": False, "log_weight": 0.0})
    seen = weighted_failure(Trials.of(table))
    assert seen.best == pytest.approx(0.3)
    assert seen.details["relative_error"] == pytest.approx(math.sqrt(0.7 / 0.3 / 99))
    assert seen.details["effective_size"] == pytest.approx(30)
    assert (seen.quantity, seen.details["failures"]) == ("P(fail)", 30)
    wide = weighted_failure(Trials.of(table), confidence=0.99)
    assert math.log(wide.high / wide.best) / math.log(seen.high / seen.best) == pytest.approx(
        2.5758 / 1.95996, rel=1e-4
    )


def test_failed_measurements_and_other_trials_are_refused():
    table = pd.DataFrame({"trial": [0], "failed": True, "undecided": False, "log_weight": 0.0})
    with pytest.raises(ArgumentError, match="bias"):
        weighted_failure(Trials.of(table.assign(error="out of memory")))
    with pytest.raises(ArgumentError, match="log_weight"):
        weighted_failure(Trials.of(table.drop(columns="log_weight")))
    with pytest.raises(ArgumentTypeError, match="Trials"):
        weighted_failure(table)


def test_slopes_and_crossing_of_a_straight_tail():
    n = np.array([10, 14, 20])
    table = tail(n, 2.0 ** (3 - 0.75 * n), evidence="predicted")
    slopes = tail_slopes(table)
    np.testing.assert_allclose(slopes.best, -0.75)
    np.testing.assert_allclose(slopes.high - slopes.best, 1.96 * math.hypot(0.1, 0.1) / math.log(2) / np.diff(n))
    assert set(slopes.evidence) == {"predicted"}
    crossing = tail_crossing(table, 2.0**-8.25)
    assert crossing.best == pytest.approx(15)
    assert crossing.evidence == "predicted"


def test_the_crossing_s_error_is_that_of_the_weighted_line():
    """By the normal equations, for points of unequal errors."""
    rng, n = np.random.default_rng(0), np.array([10.0, 12, 15, 16])
    error = rng.uniform(0.02, 0.2, 4)
    table = tail(n, 2.0 ** (3 - 0.75 * n + rng.normal(0, 0.1, 4)), error)
    sigma = error / math.log(2)
    design = np.stack([np.ones(4), n], axis=1) / sigma[:, None]
    covariance = np.linalg.inv(design.T @ design)
    height, slope = covariance @ design.T @ (np.log2(table["best"].to_numpy()) / sigma)
    at = (-7 - height) / slope
    gradient = np.array([-1 / slope, -at / slope])
    seen = tail_crossing(table, 2.0**-7)
    assert seen.best == pytest.approx(at)
    assert seen.high - seen.best == pytest.approx(1.96 * math.sqrt(gradient @ covariance @ gradient))


def test_points_without_a_failure_are_left_out():
    table = tail([10, 12, 14, 16], [2**-4.0, 0.0, 2**-6.0, 2**-7.0], [0.1, np.nan, 0.1, 0.1])
    assert tail_slopes(table)[["n_low", "n_high"]].to_numpy().tolist() == [[10, 14], [14, 16]]
    unknown = tail_crossing(table.iloc[:2], 0.01)
    assert math.isnan(unknown.best)
    assert (unknown.low, unknown.high) == (-math.inf, math.inf)
    assert tail_slopes(table.iloc[1:2]).empty
    with pytest.raises(ArgumentError, match="relative_error"):
        tail_slopes(table.drop(columns="relative_error"))
    with pytest.raises(ArgumentError, match="level"):
        tail_crossing(table, 0.0)
