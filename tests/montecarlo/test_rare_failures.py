"""Rare failures against exact terms and plain counting."""

import math

import numpy as np
import pytest
from scipy.special import eval_laguerre

from rssp import ArgumentError, ArgumentTypeError, Ball, Normal, Uniform
from rssp.inference import weighted_failure
from rssp.montecarlo import Coverage, Experiment, OneSidedTilt, rare_failure, rare_failure_experiment, run

# every statistical test here asks for six standard errors: false alarm 2e-9


@pytest.mark.statistical
@pytest.mark.parametrize("law", [Uniform(), Uniform(-2, 2), Normal(std=0.5)])
def test_weights_average_to_one_and_give_the_law_back(law):
    tilt = OneSidedTilt(law, (0.5, 1.0, 2.5), (0.3, 0.3, 0.2))
    samples = tilt.draw_many(20_000, 6, np.random.default_rng(2))
    weight = np.exp(tilt.log_ratio(samples))
    assert weight.max() <= 5 + 1e-12
    assert abs(weight.mean() - 1) < 6 * weight.std() / math.sqrt(len(weight))
    second = weight * (samples[:, :, 0] ** 2).mean(axis=1)
    exact = law.high**2 / 3 if isinstance(law, Uniform) else law.std**2
    assert abs(second.mean() - exact) < 6 * second.std() / math.sqrt(len(weight))


@pytest.mark.statistical
@pytest.mark.parametrize("n", [5, 20, 60])
def test_edge_term_is_laguerre(n):
    # P(sum of the positive numbers < 1) = 2^-n L_n(-1): k of n positive and in the simplex of volume 1/k!
    tilt = OneSidedTilt(Uniform(), (0.8, 1.2), (0.4, 0.4))
    samples = tilt.draw_many(20_000, n, np.random.default_rng(4))
    hit = np.exp(tilt.log_ratio(samples)) * (np.maximum(samples, 0).sum(axis=(1, 2)) < 1)
    exact = 2.0**-n * eval_laguerre(n, -1.0)
    assert abs(hit.mean() - exact) < 6 * hit.std() / math.sqrt(len(hit))
    assert hit.std() / math.sqrt(len(hit)) < 0.05 * exact


@pytest.mark.statistical
@pytest.mark.parametrize(("law", "ball"), [(Uniform(), Ball()), (Normal(), Ball(1, 0.5, centre=0.25))])
def test_agrees_with_plain_counting(law, ball):
    n, eps, trials = 10, 0.05, 4096
    weighted = rare_failure(law, n, eps, ball, trials=trials, seed=1)
    plain = 1 - run(Experiment(law, ball, Coverage(n, eps), seed=2), trials, progress=False).table["covered"].mean()
    error = math.hypot(weighted.best * weighted.details["relative_error"], math.sqrt(plain * (1 - plain) / trials))
    assert abs(weighted.best - plain) < 6 * error
    assert weighted.details["effective_size"] > 200


def test_far_tail_lies_above_the_edge_term():
    n = 36
    seen = rare_failure(Uniform(), n, 0.01, trials=1024)
    edge = 2 * 2.0**-n * eval_laguerre(n, -(1 - 0.01))
    assert edge < seen.high
    assert seen.best < 1e-5
    assert seen.low < seen.best < seen.high


def test_mass_of_a_level_is_laguerre():
    tilt = OneSidedTilt(Uniform(), (0.5, 1.0), (0.1, 0.1))
    np.testing.assert_allclose(np.exp(tilt.log_mass(30)), 2.0**-30 * eval_laguerre(30, [-0.5, -1.0]))


def test_no_failure_is_not_certainty():
    trials = run(rare_failure_experiment(Uniform(), 8, 0.9), 8, progress=False)
    trials.table["failed"] = False
    seen = weighted_failure(trials)
    assert (seen.low, seen.best, seen.high) == (0, 0, 1)
    assert math.isnan(seen.details["relative_error"])


def test_undecided_samples_widen_the_interval():
    trials = run(rare_failure_experiment(Uniform(), 12, 0.1), 256, progress=False)
    table, decided = trials.table, weighted_failure(trials)
    table.loc[table.index[table["failed"]][0], ["failed", "undecided"]] = [False, True]
    seen = weighted_failure(trials)
    assert seen.details["undecided"] == 1
    assert seen.low < decided.low
    assert seen.high > seen.best


def test_bad_input():
    with pytest.raises(ArgumentTypeError, match="law"):
        OneSidedTilt(3, (1.0,), (0.5,))
    with pytest.raises(ArgumentError, match="symmetric"):
        OneSidedTilt(Uniform(0, 1), (1.0,), (0.5,))
    with pytest.raises(ArgumentError, match="levels"):
        OneSidedTilt(Uniform(), (1.0, 1.0), (0.5, 0.1))
    with pytest.raises(ArgumentError, match="weights"):
        OneSidedTilt(Uniform(), (1.0, 2.0), (0.5, 0.5))
    with pytest.raises(ArgumentError, match="dimension"):
        rare_failure(Uniform(), 10, 0.1, Ball(2), trials=4)
    with pytest.raises(ArgumentError, match="eps"):
        rare_failure(Uniform(), 10, -0.1, trials=4)
