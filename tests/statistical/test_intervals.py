"""Coverage of intervals by simulation; each assertion's false-alarm rate is 1e-9."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm
from statistical_helpers import assert_at_least, assert_proportion, assert_same_law, trials_needed

from rssp.errors import ArgumentError
from rssp.inference import (
    clopper_pearson,
    confidence_sequence,
    fit_scaling,
    interpolated_crossing,
    required_n,
    threshold_covariance,
)
from rssp.trials import Trials

pytestmark = pytest.mark.statistical


def test_stopping_when_significant_breaks_the_naive_interval_only():
    """Stop at the first look whose interval leaves out 1/2, which is the truth."""
    runs, looks = 2500, np.arange(20, 1001, 20)
    successes = np.random.default_rng(1).binomial(20, 0.5, (runs, len(looks))).cumsum(axis=1)
    kept = {}
    for interval in (clopper_pearson, confidence_sequence):
        low, high = interval(successes, looks)
        kept[interval] = int(((low <= 0.5) & (high >= 0.5)).all(axis=1).sum())
    assert kept[clopper_pearson] / runs < 0.75
    assert_at_least(kept[confidence_sequence], runs, 0.95, detectable=0.05)


def _hits(rng, trials, offsets):
    """Hitting times of one latent normal a trial, shifted by the offsets: strongly dependent across eps."""
    latent = 2 * rng.standard_normal((trials, 1)) + 0.5 * rng.standard_normal((trials, len(offsets)))
    times = np.ceil(np.asarray(offsets) + latent).astype(np.int64)
    eps = 2.0 ** -np.arange(1, len(offsets) + 1)
    table = pd.DataFrame(
        {
            "trial": np.repeat(np.arange(trials), len(offsets)),
            "eps": np.tile(eps, trials),
            "n": np.where(times > 26, -1, times).ravel(),
        }
    )
    return Trials.of(table, n_max=26)


@pytest.mark.parametrize("delta", [0.5, 0.1])
@pytest.mark.parametrize("interpolated", [False, True])
def test_required_n_covers_the_truth(delta, interpolated):
    rng, offset = np.random.default_rng(7), 15.3
    n = np.arange(27)
    p = norm.cdf((n - offset) / np.sqrt(4.25))
    truth = interpolated_crossing(n, p, 1 - delta)
    truth = truth if interpolated else np.ceil(truth)
    runs, inside = 600, 0
    for _ in range(runs):
        row = required_n(_hits(rng, 120, [offset]), delta=delta, interpolated=interpolated)
        inside += bool(row.low[0] <= truth <= row.high[0])
    assert_at_least(inside, runs, 0.95, detectable=0.1)


def test_threshold_covariance_is_that_of_repeated_experiments():
    rng, offsets = np.random.default_rng(3), [12.4, 14.1, 15.6]
    seen = [_hits(rng, 400, offsets) for _ in range(300)]
    best = np.array([required_n(t, interpolated=True).best for t in seen])
    predicted = np.mean([threshold_covariance(t) for t in seen], axis=0)
    # 300 repetitions: a variance has 8 % error, so 1e-9 allows a factor of about 1.6
    assert np.all(np.abs(np.log(np.diag(predicted) / np.var(best, axis=0))) < np.log(1.65))
    scale = np.sqrt(np.diag(predicted))
    np.testing.assert_allclose((predicted / np.outer(scale, scale)), np.corrcoef(best.T), atol=0.15)
    assert predicted[0, 1] > 0.7 * predicted[0, 0]


def test_helpers_pass_what_is_right_and_fail_what_is_wrong():
    rng = np.random.default_rng(0)
    size = trials_needed(0.3, 0.02)
    assert_proportion(int(rng.binomial(size, 0.3)), size, 0.3, detectable=0.02)
    with pytest.raises(AssertionError, match=r"expected 0\.3"):
        assert_proportion(int(rng.binomial(size, 0.32)), size, 0.3, detectable=0.02)
    with pytest.raises(AssertionError, match="use"):
        assert_proportion(30, 100, 0.3, detectable=0.02)
    with pytest.raises(AssertionError, match="at least"):
        assert_at_least(8000, 10000, 0.9, detectable=0.05)
    sample = rng.standard_normal(20000)
    assert_same_law(sample, norm.cdf, detectable=0.05)
    with pytest.raises(AssertionError, match="distance"):
        assert_same_law(1.3 * sample, norm.cdf, detectable=0.05)
    with pytest.raises(AssertionError, match="use"):
        assert_same_law(sample[:100], norm.cdf, detectable=0.05)


def test_fits_to_points_of_the_same_trials_need_their_covariance():
    """The slope's interval and the p-value with the covariance are as stated; without it there is no fit."""
    rng, offsets = np.random.default_rng(11), 8.0 + 1.25 * np.arange(1, 8)
    runs, inside, p_values = 120, 0, []
    for _ in range(runs):
        trials = _hits(rng, 500, offsets)
        points = required_n(trials, interpolated=True)
        fit = fit_scaling(points, "log", covariance=threshold_covariance(trials), systematic=0.01)
        inside += fit["b"].contains(1.25)
        p_values.append(fit.p_value)
    assert_at_least(inside, runs, 0.95, detectable=0.3)
    # 1/2 of the p-values should be below 1/2
    assert_proportion(int((np.array(p_values) < 0.5).sum()), runs, 0.5, detectable=0.4)
    with pytest.raises(ArgumentError, match="same trials"):
        fit_scaling(points, "log")
