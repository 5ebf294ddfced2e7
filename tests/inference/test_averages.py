"""Means, medians and moment ratios: their intervals against simulation and plain formulas."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom
from statistical_helpers import assert_at_least, assert_proportion

from rssp.errors import ArgumentError, ArgumentTypeError
from rssp.inference import mean, median, moment_ratio


@pytest.mark.statistical
@pytest.mark.parametrize(
    ("function", "truth"), [(mean, 1.0), (median, math.log(2)), (moment_ratio, 2.0)], ids=["mean", "median", "ratio"]
)
def test_intervals_hold_the_truth_as_often_as_they_say(function, truth):
    """Exponential numbers, 8,000 a sample; the normal law is good to a percent there."""
    rng, runs = np.random.default_rng(1), 2400
    inside = sum(function(rng.exponential(size=8000)).contains(truth) for _ in range(runs))
    assert_at_least(inside, runs, 0.94, detectable=0.05)
    inside = sum(function(rng.exponential(size=8000), confidence=0.5).contains(truth) for _ in range(runs))
    assert inside < 0.65 * runs


def test_the_error_of_a_ratio_is_that_of_the_jackknife():
    y = np.random.default_rng(4).exponential(5.0, 800)
    left_out = [moment_ratio(np.delete(y, i)).best for i in range(len(y))]
    spread = float(np.sqrt((len(y) - 1) * np.var(left_out)))
    assert moment_ratio(y).details["standard_error"] == pytest.approx(spread, rel=0.05)


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=60))
def test_the_median_lies_between_two_of_the_numbers(values):
    seen = median(values)
    assert {seen.low, seen.high} <= (set(values) if len(values) >= 6 else {-math.inf, math.inf})
    assert seen.best == np.median(values)


@pytest.mark.parametrize("confidence", [0.5, 0.9, 0.95, 0.999])
@pytest.mark.parametrize("size", [1, 2, 5, 6, 7, 30, 101, 1000])
def test_the_median_s_order_statistics_are_the_narrowest_exact_ones(size, confidence):
    """Held with the probability that between r and size - r of the values lie below: the most r that suffices."""
    seen, tail = median(np.arange(1.0, size + 1), confidence=confidence), (1 - confidence) / 2
    if math.isinf(seen.low):
        assert binom.cdf(0, size, 0.5) > tail
        return
    rank = int(seen.low)
    assert seen.high == size + 1 - rank
    assert binom.cdf(rank - 1, size, 0.5) <= tail < binom.cdf(rank, size, 0.5)


@pytest.mark.statistical
@pytest.mark.parametrize("size", [2, 3, 5])
def test_the_mean_of_few_normal_values_is_held_as_often_as_it_says(size):
    """Student's interval is exact there; the normal one held 0.71, 0.83 and 0.88 at 95 %."""
    rng, runs = np.random.default_rng(size), 3000
    inside = sum(mean(rng.standard_normal(size)).contains(0.0) for _ in range(runs))
    assert_proportion(inside, runs, 0.95, detectable=0.05)


def test_few_numbers_say_little():
    assert (mean([3.0]).best, mean([3.0]).high) == (3.0, math.inf)
    assert math.isnan(mean([]).best)
    assert math.isnan(median([]).best)
    assert math.isnan(moment_ratio([0, 0, 0]).best)


def test_bad_values_are_named():
    for function in (mean, median, moment_ratio):
        with pytest.raises(ArgumentError, match="nan"):
            function([1.0, math.nan])
        with pytest.raises(ArgumentError, match="axis"):
            function([[1.0]])
        with pytest.raises(ArgumentTypeError):
            function("a")
        with pytest.raises(ArgumentError, match="confidence"):
            function([1.0, 2.0], confidence=1.5)
    with pytest.raises(ArgumentError, match=">= 0"):
        moment_ratio([-1.0, 1.0])
