import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom, binomtest

from rssp.errors import ArgumentError, ArgumentTypeError
from rssp.inference import Estimate, clopper_pearson, confidence_sequence, proportion


@given(st.integers(1, 5000), st.data(), st.sampled_from([0.5, 0.9, 0.95, 0.999]))
def test_clopper_pearson_equals_scipy(trials, data, confidence):
    successes = data.draw(st.integers(0, trials))
    low, high = clopper_pearson(successes, trials, confidence=confidence)
    reference = binomtest(successes, trials).proportion_ci(confidence, "exact")
    assert float(low) == pytest.approx(reference.low, rel=1e-8, abs=1e-14)
    assert float(high) == pytest.approx(reference.high, rel=1e-8)


@pytest.mark.parametrize("trials", [1, 7, 40])
def test_exact_coverage_of_both_intervals_is_at_least_nominal(trials):
    successes = np.arange(trials + 1)
    for interval in (clopper_pearson, confidence_sequence):
        low, high = interval(successes, trials, confidence=0.9)
        for p in np.linspace(0.001, 0.999, 97):
            covered = binom.pmf(successes, trials, p)[(low <= p) & (p <= high)].sum()
            assert covered >= 0.9 - 1e-12


@given(st.integers(0, 50), st.integers(0, 50), st.integers(0, 50))
def test_undecided_trials_widen_to_hold_both_extremes(successes, undecided, failures):
    trials = successes + undecided + failures
    low, high = clopper_pearson(successes, trials, undecided)
    assert low == clopper_pearson(successes, trials)[0]
    assert high == clopper_pearson(successes + undecided, trials)[1]
    wide = confidence_sequence(successes, trials, undecided)
    assert wide[0] <= confidence_sequence(successes, trials)[0]
    assert wide[1] >= confidence_sequence(successes + undecided, trials)[1]


def test_tiny_probabilities_keep_their_digits():
    low, high = confidence_sequence(1, 10**9)
    assert 0 < low < 1e-9 < high < 1e-7
    assert clopper_pearson(0, 10**9)[1] == pytest.approx(3.689e-9, rel=1e-3)


def test_no_trials_say_nothing():
    assert [float(v) for v in clopper_pearson(0, 0)] == [0, 1]
    assert [float(v) for v in confidence_sequence(0, 0)] == [0, 1]
    assert np.isnan(proportion(0, 0).best)


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ((3, 2), ArgumentError),
        ((-1, 2), ArgumentError),
        ((1.5, 2), ArgumentError),
        ((2, 3, 2), ArgumentError),
        ((np.nan, 3), ArgumentError),
        (("x", 3), ArgumentTypeError),
        (([1, 2], [3, 4, 5]), ArgumentError),
    ],
)
def test_bad_counts_are_named(arguments, error):
    with pytest.raises(error, match=r"successes|trials|undecided"):
        clopper_pearson(*arguments)


@pytest.mark.parametrize("confidence", [0.0, 1.0, -1, 2])
def test_bad_confidence(confidence):
    with pytest.raises(ArgumentError, match="confidence"):
        confidence_sequence(1, 2, confidence=confidence)


@pytest.mark.parametrize(
    ("numbers", "text"),
    [
        ((11.83, 12.3, 12.77), "12.30 [11.83, 12.77]"),
        ((12, 12, 12), "12 [12, 12]"),
        ((11, 12, 13), "12 [11, 13]"),
        ((20, 22, np.inf), "22 [20, inf]"),
        ((24, np.inf, np.inf), "inf [24, inf]"),
        ((0.0011, 0.0013, 0.0016), "0.00130 [0.00110, 0.00160]"),
        ((95000, 100000, 105000), "100000 [95000, 105000]"),
    ],
)
def test_estimates_print_with_their_interval(numbers, text):
    assert str(Estimate(*numbers)) == text


def test_an_estimate_is_ordered():
    with pytest.raises(ArgumentError, match="low <= best <= high"):
        Estimate(2, 1, 3)
    assert (Estimate(2, 4, 6) / 2) == Estimate(1, 2, 3)
    assert Estimate(1, 2, 3).contains(3)
    assert not Estimate(1, 2, 3).contains(3.1)
