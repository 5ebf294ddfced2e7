import numpy as np
import pandas as pd
import pytest

from rssp.errors import ArgumentError, ArgumentTypeError
from rssp.inference import smallest_constant

X = np.arange(4.0, 15.0)


def points(n_star, half=0.2, **columns):
    best = np.asarray(n_star, dtype=float)
    return pd.DataFrame({"eps": 2.0**-X, "low": best - half, "best": best, "high": best + half, **columns})


def g(table):
    return np.log2(1 / table["eps"])


def test_a_constant_is_found_and_does_not_drift():
    rng = np.random.default_rng(0)
    fit = smallest_constant(points(1.7 * X + 0.1 * rng.standard_normal(11)), g)
    assert fit.constant.low <= 1.7 <= fit.constant.high
    assert fit.drift.contains(0)
    assert fit.p_value > 0.01
    assert "does not" in fit.drift_text
    assert fit.along == "eps"


def test_a_drift_is_seen_and_the_deciding_point_named():
    fit = smallest_constant(points(1.2 * X + 4), g)
    assert fit.constant.best == pytest.approx(1.2 + 4 / 4)
    assert fit.decided_at == 0
    assert fit.drift.high < 0
    assert fit.p_value < 1e-4
    largest = smallest_constant(points(1.2 * X + 4), g, lower_bound=True)
    assert largest.constant.best == pytest.approx(1.2 + 4 / 14)
    assert largest.decided_at == 10
    assert largest.constant.low <= largest.constant.best <= largest.constant.high


def test_supremum_is_covered_though_many_points_compete():
    """All points have the same C, so the largest of the measured is biased up; the interval still holds the truth."""
    rng, sigma, inside = np.random.default_rng(1), 0.1, 0
    for _ in range(400):
        table = points(2 * X + sigma * rng.standard_normal(11), half=1.96 * sigma)
        inside += smallest_constant(table, g).constant.contains(2.0)
    assert inside >= 360  # 0.95 nominal: fewer has probability below 1e-5


def test_groups_have_their_own_level():
    both = pd.concat([points(2 * X, d=1), points(6 * X, d=2).iloc[3:]])
    fit = smallest_constant(both, g)
    assert fit.constant.best == pytest.approx(6)
    assert abs(fit.drift.best) < 1e-9


@pytest.mark.parametrize("least", [0.0, -0.5])
def test_no_drift_is_fitted_where_a_measurement_has_no_logarithm(least):
    fit = smallest_constant(points(2 * X).assign(best=[*2 * X[:-1], least], low=-1.0), g)
    assert fit.constant.best == pytest.approx(2)
    assert fit.drift is None
    assert np.isnan(fit.p_value)


def test_correlated_errors_sharpen_the_drift():
    table = points(2 * X)
    shared = 0.01 * np.ones((11, 11)) + 0.0004 * np.eye(11)
    alone, together = (smallest_constant(table, g, covariance=c).drift for c in (None, shared))
    assert together.high - together.low < alone.high - alone.low


def test_censored_points_are_left_out_and_counted():
    table = points(2 * X)
    table.loc[9:, ["best", "high"]] = np.inf
    fit = smallest_constant(table, g)
    assert (fit.censored, len(fit.points)) == (2, 9)
    table.loc[8, "high"] = np.inf
    assert smallest_constant(table, g).constant.high == np.inf
    table["best"] = table["high"] = np.inf
    with pytest.raises(ArgumentError, match="cut off"):
        smallest_constant(table, g)


def test_whole_numbers_without_width_are_lowered_by_one_and_not_tested_for_drift():
    table = points(np.ceil(2 * X + 1), half=0.0)
    fit = smallest_constant(table, g)
    assert fit.constant.best == fit.constant.high
    assert fit.constant.low == pytest.approx((np.ceil(2 * X + 1) - 1).__truediv__(X).max())
    assert (fit.drift, fit.drift_text) == (None, "")
    assert "whole-number" in fit.untested
    enough = smallest_constant(table.assign(confidence=1 - 0.05 / len(X)), g)
    assert enough.constant.low == enough.constant.best
    largest = smallest_constant(table, g, lower_bound=True).constant
    assert largest.high == pytest.approx(((np.ceil(2 * X + 1) + 1) / X).min())
    few = smallest_constant(points(2 * X).iloc[:2], g)
    assert (few.drift, few.untested) == (None, "fewer than three values of eps, d or dim")


def test_points_of_the_same_trials_drift_only_with_their_covariance():
    table = points(2 * X).assign(experiment="0123456789ab")
    assert "points_covariance" in smallest_constant(table, g).untested
    assert smallest_constant(table, g, covariance=0.01 * np.eye(11)).drift is not None


def test_the_confidence_is_that_of_the_table_s_column():
    sure = points(2 * X + 0.1 * np.sin(X), half=0.2)
    loose = points(2 * X + 0.1 * np.sin(X), half=0.2 / 1.959963984540054).assign(confidence=0.6826894921370859)
    for lower_bound in (False, True):
        a, b = (smallest_constant(t, g, lower_bound=lower_bound) for t in (sure, loose))
        end = "high" if lower_bound else "low"
        assert getattr(a.constant, end) == pytest.approx(getattr(b.constant, end))
        assert a.drift.low == pytest.approx(b.drift.low)


def test_bad_input_is_named():
    table = points(2 * X)
    with pytest.raises(ArgumentTypeError, match="table"):
        smallest_constant(None, g)
    with pytest.raises(ArgumentError, match="low"):
        smallest_constant(table.drop(columns="low"), g)
    with pytest.raises(ArgumentError, match="g:"):
        smallest_constant(table, -1.0)
    with pytest.raises(ArgumentError, match="g:"):
        smallest_constant(table, np.ones(3))
    with pytest.raises(ArgumentError, match="along"):
        smallest_constant(table, g, along="nothing")
    with pytest.raises(ArgumentError, match="covariance"):
        smallest_constant(table, g, covariance=np.eye(3))
    with pytest.raises(ArgumentError, match="positive definite"):
        smallest_constant(table, g, covariance=np.ones((11, 11)))
    with pytest.raises(ArgumentError, match="low <= best"):
        smallest_constant(table.assign(low=100.0), g)
