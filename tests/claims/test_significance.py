"""p-values against scipy and against enumeration."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom, norm

from rssp.claims.significance import holm, interval_tails, probability_tails, tails_of_sequence, whole_tails


@given(st.integers(1, 300), st.data())
def test_binomial_tails_are_those_of_scipy(trials, data):
    k = data.draw(st.integers(0, trials))
    u = data.draw(st.integers(0, trials - k))
    p = data.draw(st.floats(0.001, 0.999))
    tails = probability_tails(k, trials, p, u)
    assert float(tails.at_most) == pytest.approx(binom.sf(k - 1, trials, p), rel=1e-6, abs=1e-12)
    assert float(tails.at_least) == pytest.approx(binom.cdf(k + u, trials, p), rel=1e-6, abs=1e-12)


def test_probabilities_outside_the_unit_interval():
    tails = probability_tails([0, 5, 10], 10, [-0.1, 1.0, 1.2])
    assert tails.at_most.tolist() == [0, 1, 1]
    assert tails.at_least.tolist() == [1, pytest.approx(binom.cdf(5, 10, 1.0)), 0]


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12), st.floats(0.001, 0.5))
def test_holm_step_down(p, alpha):
    order, rejected = np.argsort(p, kind="stable"), set()
    for step, i in enumerate(order):
        if p[i] * (len(p) - step) > alpha:
            break
        rejected.add(int(i))
    adjusted = holm(p)
    assert {i for i in range(len(p)) if adjusted[i] <= alpha} == rejected


def test_normal_tails_and_open_ends():
    tails = interval_tails(8.04, 10.0, 11.96, 0.95, [9.0, 11.0])
    np.testing.assert_allclose(tails.at_most, [norm.sf(1.0), 1.0], rtol=1e-3)
    np.testing.assert_allclose(tails.at_least, [1.0, norm.sf(1.0)], rtol=1e-3)
    cut_off = interval_tails(21.0, np.inf, np.inf, 0.95, [20.0, 30.0])
    assert cut_off.at_most.tolist() == [pytest.approx(0.025), 1.0]
    assert cut_off.at_least.tolist() == [1.0, 1.0]


def test_whole_numbers_are_known_to_their_neighbours():
    tails = whole_tails(12, 12, 12, 0.95, first=[13, 14, 12], last=[11, 10, 12])
    np.testing.assert_allclose(tails.at_most[[0, 2]], [0.025, 1.0], rtol=1e-6)
    np.testing.assert_allclose(tails.at_least[[0, 2]], [0.025, 1.0], rtol=1e-6)
    assert tails.at_most[1] < 1e-4


def test_optional_stopping_costs_and_keeps_its_promise():
    """Stopping as soon as the fixed-n test would reject: the sequential p-value is below 0.05 in at most 5 %.

    400 runs, true p = 0.1: more than 36 below 0.05 has probability under 1e-3 if the promise holds at its limit.
    """
    rng, plain, sequential = np.random.default_rng(5), 0, 0
    for _ in range(400):
        events = np.cumsum(rng.random(1000) < 0.1)[9::10]
        trials = np.arange(10, 1001, 10)
        plain += (probability_tails(events, trials, 0.1).at_most < 0.05).any()
        sequential += (tails_of_sequence(events, trials, 0.1).at_most < 0.05).any()
    assert sequential <= 36
    assert plain > 60
