import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom, quantile_test

from rssp.errors import ArgumentError, ArgumentTypeError
from rssp.inference import clopper_pearson, coverage, interpolated_crossing, required_n, threshold_covariance
from rssp.inference.thresholds import _binomial_quantile


def profiles(seed, trials=40, n_max=9, width=0.0, n_min=1):
    """Decreasing radii, as brackets of a relative width."""
    rng = np.random.default_rng(seed)
    n = np.arange(n_min, n_max + 1)
    radius = np.minimum.accumulate(2.0**-n * rng.lognormal(0, 1, (trials, len(n))), axis=1)
    table = pd.DataFrame(
        {
            "batch": np.repeat(np.arange(trials) // 8, len(n)),
            "trial": np.repeat(np.arange(trials) % 8, len(n)),
            "n": np.tile(n, trials),
            "lower": (radius * (1 - width)).ravel(),
            "upper": (radius * (1 + width)).ravel(),
        }
    )
    return table.sample(frac=1, random_state=seed)


def hits(times, eps=0.1):
    times = np.asarray(times)
    return pd.DataFrame({"batch": 0, "trial": np.arange(len(times)), "eps": eps, "n": times})


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from([0.0, 0.3]), st.integers(1, 3))
def test_coverage_equals_counting_row_by_row(seed, width, n_min):
    table, eps = profiles(seed, width=width, n_min=n_min), [0.02, 0.3, 0.07]
    result = coverage(table, eps)
    for row in result.itertuples():
        part = table[table.n == row.n]
        certain = int((part.upper <= row.eps).sum())
        undecided = int(((part.lower <= row.eps) & (part.upper > row.eps)).sum())
        assert (row.successes, row.undecided, row.trials) == (certain, undecided, 40)
        low, high = clopper_pearson(certain, 40, undecided)
        assert (row.low, row.high) == (low, high)
        assert row.best == pytest.approx(((part.lower + part.upper) / 2 <= row.eps).mean())
    assert list(result.eps.unique()) == eps


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from([0.5, 0.25, 0.1]))
def test_profiles_and_hitting_times_agree(seed, delta):
    table = profiles(seed, n_max=7)
    eps = 0.03
    inside = table[table.upper <= eps].groupby(["batch", "trial"]).n.min()
    times = inside.reindex(pd.MultiIndex.from_product([range(5), range(8)]), fill_value=-1).to_numpy()
    other = hits(times, eps)
    for interpolated in (False, True):
        a = required_n(table, eps, delta, interpolated=interpolated)
        b = required_n(other, eps, delta, n_max=7, interpolated=interpolated)
        pd.testing.assert_frame_equal(a, b)
    c, d = coverage(table, eps), coverage(other, n=np.arange(1, 8), n_max=7)
    pd.testing.assert_frame_equal(c, d)
    np.testing.assert_allclose(threshold_covariance(table, eps, delta), threshold_covariance(other, eps, delta))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 12), min_size=3, max_size=200), st.sampled_from([0.5, 0.1, 0.03]))
def test_order_statistics_equal_scipy(times, delta):
    row = required_n(hits(times), delta=delta).iloc[0]
    reference = quantile_test(times, q=0, p=1 - delta).confidence_interval(0.95)
    assert row.low == (0 if np.isnan(reference.low) else min(reference.low, row.best))
    assert row.high == (np.inf if np.isnan(reference.high) else max(reference.high, row.best))
    smallest = min(n for n in range(13) if np.mean(np.array(times) <= n) >= 1 - delta - 1e-12)
    assert row.best == smallest


@pytest.mark.parametrize("trials", [1, 5, 1000, 10**6])
@pytest.mark.parametrize("p", [0.5, 0.9, 0.9999, 0.0001])
def test_ranks_equal_scipy_s_binomial_quantiles(trials, p):
    for tail in (0.025, 0.0005, 0.3):
        assert _binomial_quantile(tail, trials, p) == binom.ppf(tail, trials, p)
        assert trials - _binomial_quantile(tail, trials, 1 - p) == binom.isf(tail, trials, p)


def test_censored_trials_open_the_interval():
    table = hits([5] * 60 + [6] * 30 + [-1] * 10)
    half, tenth, rare = (required_n(table, delta=d).iloc[0] for d in (0.5, 0.1, 0.01))
    assert (half.low, half.best, half.high) == (5, 5, 6)
    assert (tenth.best, tenth.high) == (6, np.inf)
    assert (rare.low, rare.best, rare.high) == (7, np.inf, np.inf)
    assert required_n(table, delta=0.01, n_max=30).iloc[0].low == 31
    real = required_n(table, delta=0.01, interpolated=True).iloc[0]
    assert (real.low, real.best, real.high) == (7, np.inf, np.inf)


def test_what_starts_above_the_threshold_is_open_below():
    table = profiles(3, n_min=6)
    row = required_n(table, 0.5, 0.5).iloc[0]
    assert (row.low, row.best) == (0, 6)


def test_brackets_widen_the_threshold():
    sharp, wide = (required_n(profiles(1, 400, width=w), 0.05, 0.5).iloc[0] for w in (0.0, 0.5))
    assert wide.low < sharp.low <= sharp.high <= wide.high
    sharp, wide = (required_n(profiles(1, 400, width=w), 0.05, 0.5, interpolated=True).iloc[0] for w in (0.0, 0.5))
    assert wide.low < sharp.low < sharp.best < sharp.high < wide.high


def test_interpolation_rounds_up_to_the_whole_number():
    table = profiles(5, 500)
    eps = np.geomspace(0.01, 0.3, 9)
    for delta in (0.5, 0.1):
        whole, real = (required_n(table, eps, delta, interpolated=i) for i in (False, True))
        np.testing.assert_array_equal(np.ceil(real.best), whole.best)
        assert (real.low <= real.best).all()
        assert (real.best <= real.high).all()


def test_interpolation_is_exact_on_a_gumbel_curve():
    n = np.arange(4, 12)
    p = np.exp(-np.log(2) * np.exp(-(n - 7.37) * 1.3))
    assert interpolated_crossing(n, p, 0.5) == pytest.approx(7.37)
    assert interpolated_crossing(n, p, 1e-40) == 4
    assert interpolated_crossing(n, p, 0.999) == np.inf


def test_failed_trials_are_counted_and_left_out():
    table = profiles(2, 16).reset_index(drop=True)
    table["error"] = None
    lost = (table.batch == 0) & (table.trial == 3)
    table.loc[lost, "error"] = "out of memory"
    table.loc[lost, ["lower", "upper"]] = np.nan
    result = coverage(table, 0.1)
    assert (result.trials == 15).all()
    assert (result.failed == 1).all()
    assert required_n(table, 0.1).failed[0] == 1
    with pytest.raises(ArgumentError, match="1 trials that all failed"):
        coverage(table.loc[lost, ["batch", "trial", "error"]], 0.1)


def test_sequential_intervals_are_wider():
    table = profiles(4, 300)
    exact, sequential = (coverage(table, 0.05, method=m) for m in ("exact", "sequential"))
    assert (sequential.low <= exact.low).all()
    assert (sequential.high >= exact.high).all()
    a, b = (required_n(table, 0.05, method=m).iloc[0] for m in ("exact", "sequential"))
    assert b.low <= a.low <= a.best == b.best <= a.high <= b.high


def test_wrong_tables_are_refused():
    table = profiles(0)
    with pytest.raises(ArgumentTypeError, match="table"):
        coverage([1, 2], 0.1)
    with pytest.raises(ArgumentError, match="CoveringProfiles"):
        coverage(table.drop(columns="upper"), 0.1)
    with pytest.raises(ArgumentError, match="one experiment"):
        coverage(pd.concat([table, table]), 0.1)
    with pytest.raises(ArgumentError, match="one experiment"):
        coverage(table.iloc[1:], 0.1)
    with pytest.raises(ArgumentError, match="no trials"):
        coverage(table.iloc[:0], 0.1)
    with pytest.raises(ArgumentError, match="tells the trials apart"):
        coverage(table.drop(columns=["batch", "trial"]), 0.1)
    with pytest.raises(ArgumentError, match="eps"):
        coverage(table)
    with pytest.raises(ArgumentError, match="eps"):
        coverage(table, -0.1)
    with pytest.raises(ArgumentError, match="n: got 99"):
        coverage(table, 0.1, n=99)
    with pytest.raises(ArgumentError, match=r"those in the table: 0\.1"):
        coverage(hits([3, 4]), 0.2)
    with pytest.raises(ArgumentError, match="n_max"):
        required_n(hits([3, 4]), n_max=3)
    with pytest.raises(ArgumentError, match="delta"):
        required_n(table, 0.1, [0.5, 1.0])
    with pytest.raises(ArgumentError, match="method"):
        required_n(table, 0.1, method="wald")


@pytest.mark.parametrize(
    ("call", "match"),
    [
        (lambda t: coverage(t.assign(n=t.n + 0.5)), "not whole"),
        (lambda t: coverage(t.assign(n="a")), "not numbers"),
        (lambda t: coverage(t.assign(n=-3)), "n = -3"),
        (lambda t: coverage(t.assign(eps=np.nan)), "column eps"),
        (lambda t: coverage(t.assign(eps="a")), "not numbers"),
        (lambda t: coverage(t, n=[1.5]), "whole number"),
        (lambda t: required_n(t, delta=[]), "delta"),
        (lambda t: required_n(t, delta="x"), "delta"),
        (lambda t: required_n(t, confidence=2), "confidence"),
        (lambda t: threshold_covariance(t, delta=0), "delta"),
    ],
)
def test_bad_values_are_named(call, match):
    with pytest.raises((ArgumentError, ArgumentTypeError), match=match):
        call(hits([3, 4, 5]))


def test_trials_that_never_or_always_cover():
    never, at_once = required_n(hits([-1] * 50)).iloc[0], required_n(hits([0] * 50)).iloc[0]
    assert (never.low, never.best, never.high) == (1, np.inf, np.inf)
    assert (at_once.low, at_once.best, at_once.high) == (0, 0, 0)
    assert np.isnan(threshold_covariance(hits([-1] * 50))).all()
    assert coverage(hits([3, 4]), n=[]).empty
