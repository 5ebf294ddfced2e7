import itertools
import re
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom, quantile_test

from rssp import Ball, Coverage, Experiment, GatedProduct, HittingTimes, Measurement, Uniform, register
from rssp.errors import ArgumentError, ArgumentTypeError
from rssp.inference import (
    clopper_pearson,
    confidence_sequence,
    coverage,
    interpolated_crossing,
    points_covariance,
    required_n,
    threshold_covariance,
)
from rssp.inference.stopped import stopped_proportion
from rssp.inference.thresholds import _binomial_quantile
from rssp.montecarlo import IntervalWidth, run
from rssp.schemas import IDENTITY
from rssp.trials import Trials


def profile_table(seed, trials=40, n_max=9, width=0.0, n_min=1):
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


def profiles(seed, trials=40, **options):
    return Trials.of(profile_table(seed, trials, **options))


def hit_table(times, eps=0.1):
    times = np.asarray(times)
    return pd.DataFrame({"batch": 0, "trial": np.arange(len(times)), "eps": eps, "n": times})


def hits(times, eps=0.1, n_max=None):
    return Trials.of(hit_table(times, eps), n_max=n_max)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from([0.0, 0.3]), st.integers(1, 3))
def test_coverage_equals_counting_row_by_row(seed, width, n_min):
    table, eps = profile_table(seed, width=width, n_min=n_min), [0.02, 0.3, 0.07]
    result = coverage(Trials.of(table), eps)
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
    table = profile_table(seed, n_max=7)
    trials, eps = Trials.of(table), 0.03
    inside = table[table.upper <= eps].groupby(["batch", "trial"]).n.min()
    times = inside.reindex(pd.MultiIndex.from_product([range(5), range(8)]), fill_value=-1).to_numpy()
    other = hits(times, eps, n_max=7)
    for interpolated in (False, True):
        a = required_n(trials, eps, delta, interpolated=interpolated)
        b = required_n(other, eps, delta, interpolated=interpolated)
        assert a["experiment"][0] != b["experiment"][0]
        pd.testing.assert_frame_equal(a.drop(columns="experiment"), b.drop(columns="experiment"))
    c, d = coverage(trials, eps), coverage(other, n=np.arange(1, 8))
    pd.testing.assert_frame_equal(c, d)
    np.testing.assert_allclose(threshold_covariance(trials, eps, delta), threshold_covariance(other, eps, delta))


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
    times = [5] * 60 + [6] * 30 + [-1] * 10
    seen = hits(times)
    half, tenth, rare = (required_n(seen, delta=d).iloc[0] for d in (0.5, 0.1, 0.01))
    assert (half.low, half.best, half.high) == (5, 5, 6)
    assert (tenth.best, tenth.high) == (6, np.inf)
    assert (rare.low, rare.best, rare.high) == (7, np.inf, np.inf)
    assert required_n(hits(times, n_max=30), delta=0.01).iloc[0].low == 31
    real = required_n(seen, delta=0.01, interpolated=True).iloc[0]
    assert (real.low, real.best, real.high) == (6, np.inf, np.inf)  # n* may lie just past n_max


def test_what_starts_above_the_threshold_is_open_below():
    row = required_n(profiles(3, n_min=6), 0.5, 0.5).iloc[0]
    assert (row.low, row.best) == (0, 6)


def test_brackets_widen_the_threshold():
    sharp, wide = (required_n(profiles(1, 400, width=w), 0.05, 0.5).iloc[0] for w in (0.0, 0.5))
    assert wide.low < sharp.low <= sharp.high <= wide.high
    sharp, wide = (required_n(profiles(1, 400, width=w), 0.05, 0.5, interpolated=True).iloc[0] for w in (0.0, 0.5))
    assert wide.low < sharp.low < sharp.best < sharp.high < wide.high


def test_interpolation_rounds_up_to_the_whole_number():
    trials = profiles(5, 500)
    eps = np.geomspace(0.01, 0.3, 9)
    for delta in (0.5, 0.1):
        whole, real = (required_n(trials, eps, delta, interpolated=i) for i in (False, True))
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
    table = profile_table(2, 16).reset_index(drop=True)
    table["error"] = None
    lost = (table.batch == 0) & (table.trial == 3)
    table.loc[lost, "error"] = "out of memory"
    table.loc[lost, ["lower", "upper"]] = np.nan
    seen = Trials.of(table)
    result = coverage(seen, 0.1)
    assert (result.trials == 15).all()
    assert (result.failed == 1).all()
    assert required_n(seen, 0.1).failed[0] == 1
    with pytest.raises(ArgumentError, match="1 that all failed"):
        coverage(Trials.of(table.loc[lost]), 0.1)


def test_sequential_intervals_are_wider():
    table = profile_table(4, 300)
    fixed, stopped = (Trials.of(table, optional_stopping=s) for s in (False, True))
    exact, sequential = (coverage(t, 0.05) for t in (fixed, stopped))
    assert (sequential.low <= exact.low).all()
    assert (sequential.high >= exact.high).all()
    a, b = (required_n(t, 0.05).iloc[0] for t in (fixed, stopped))
    assert b.low <= a.low <= a.best == b.best <= a.high <= b.high


def test_wrong_trials_are_refused():
    table = profile_table(0)
    trials = Trials.of(table)
    with pytest.raises(ArgumentTypeError, match="trials"):
        coverage([1, 2], 0.1)
    with pytest.raises(ArgumentTypeError, match=re.escape("Trials.of(table, n_max=...)")):
        coverage(table, 0.1)
    with pytest.raises(ArgumentError, match="CoveringProfiles"):
        coverage(Trials.of(table.drop(columns="upper")), 0.1)
    with pytest.raises(ArgumentError, match="one experiment"):
        coverage(Trials.of(pd.concat([table, table])), 0.1)
    with pytest.raises(ArgumentError, match="one experiment"):
        coverage(Trials.of(table.iloc[1:]), 0.1)
    with pytest.raises(ArgumentError, match="without rows"):
        coverage(Trials.of(table.iloc[:0]), 0.1)
    with pytest.raises(ArgumentError, match="eps"):
        coverage(trials)
    with pytest.raises(ArgumentError, match="eps"):
        coverage(trials, -0.1)
    with pytest.raises(ArgumentError, match="n: got 99"):
        coverage(trials, 0.1, n=99)
    with pytest.raises(ArgumentError, match=r"those in the table: 0\.1"):
        coverage(hits([3, 4]), 0.2)
    with pytest.raises(ArgumentError, match="n_max"):
        required_n(hits([3, 4], n_max=3))
    with pytest.raises(ArgumentError, match="delta"):
        required_n(trials, 0.1, [0.5, 1.0])


def test_a_run_gives_its_n_max_its_kind_and_its_identity():
    experiment = Experiment(GatedProduct(2), Ball(2, 0.5, norm=1), HittingTimes((0.9,), 5))
    seen = run(experiment, 40, progress=False)
    row = required_n(seen, delta=0.01).iloc[0]
    assert row[list(IDENTITY.names)].tolist() == ["gated-product", 2, 1.0, 0.5, "all"]
    assert row[["quantity", "confidence", "evidence"]].tolist() == ["n*", 0.95, "measured"]
    assert coverage(seen)["n"].max() == 5  # n_max, though no trial is seen to need as many
    assert seen.table["n"].max() < 5
    assert required_n(seen, interpolated=True).quantity[0] == "n* interpolated"


def test_trials_of_one_n_are_coverage_too():
    experiment = Experiment(Uniform(), Ball(), Coverage(8, 0.1), batch_size=16)
    fixed = run(experiment, 64, progress=False)
    table = coverage(fixed)
    hit = int(fixed.table["covered"].sum())
    assert table[["n", "eps", "successes", "trials"]].iloc[0].tolist() == [8, 0.1, hit, 64]
    low, high = clopper_pearson(hit, 64)
    assert (table.low[0], table.high[0]) == (low, high)
    assert coverage(fixed, 0.1, 8).equals(table)
    with pytest.raises(ArgumentError, match="that of the measurement"):
        coverage(fixed, 0.2)
    with pytest.raises(ArgumentError, match="CoveringProfiles or HittingTimes"):
        threshold_covariance(fixed)


def test_a_run_that_was_stopped_by_what_it_saw_gets_the_wider_intervals():
    experiment = Experiment(Uniform(), Ball(), Coverage(8, 0.1), batch_size=16)
    stopped = run(experiment, 640, stop=IntervalWidth(0.3), progress=False)
    assert stopped.trials < 640
    hit = int(stopped.table["covered"].sum())
    low, high = confidence_sequence(hit, stopped.trials)
    seen = coverage(stopped).iloc[0]
    assert [seen.low, seen.high] == [low, high]
    assert not seen.biased
    assert seen.best != hit / stopped.trials


def test_other_events_of_a_stopped_run_are_marked_as_biased():
    experiment = Experiment(Uniform(), Ball(), HittingTimes((0.2, 0.1), 12), batch_size=16)
    stopped = run(experiment, 640, stop=IntervalWidth(0.3, n=8, eps=0.1), progress=False)
    seen = coverage(stopped)
    assert seen.loc[~seen.biased, ["n", "eps"]].to_numpy().tolist() == [[8, 0.1]]
    assert "biased" not in coverage(run(experiment, 32, progress=False))
    by_hand = Trials.of(stopped.table, n_max=12, optional_stopping=True)
    assert coverage(by_hand).biased.all()


def test_the_paths_of_a_stopped_run_are_counted_as_brute_force_does():
    sizes, stops = (2, 1, 2), lambda s, m: np.abs(s - m / 2) >= 1
    for total in range(6):
        paths = begun = 0
        for trials in itertools.product((0, 1), repeat=5):
            ends = [sum(trials[:m]) for m in (2, 3)]
            if sum(trials) == total and not any(stops(e, m) for e, m in zip(ends, (2, 3), strict=True)):
                paths, begun = paths + 1, begun + trials[0]
        if paths:
            assert stopped_proportion(total, sizes, stops) == pytest.approx(begun / paths)


def test_trials_of_another_measurement_are_refused():
    @register
    @dataclass(frozen=True)
    class Looks(Measurement):
        """Has the columns of hitting times, which does not make it one."""

        n: int = 2

        @property
        def sample_size(self):
            return self.n

        def measure(self, samples, ball, rng):
            return {"trial": np.arange(len(samples)), "eps": np.full(len(samples), 0.1), "n": np.full(len(samples), 1)}

    seen = run(Experiment(Uniform(), Ball(), Looks()), 4, progress=False)
    with pytest.raises(ArgumentError, match="HittingTimes"):
        coverage(seen)


@pytest.mark.parametrize(
    ("call", "match"),
    [
        (lambda t: coverage(Trials.of(t.assign(n=t.n + 0.5))), "not whole"),
        (lambda t: coverage(Trials.of(t.assign(n="a"))), "not numbers"),
        (lambda t: coverage(Trials.of(t.assign(n=-3))), "n = -3"),
        (lambda t: coverage(Trials.of(t.assign(eps=np.nan))), "column eps"),
        (lambda t: coverage(Trials.of(t.assign(eps="a"))), "not numbers"),
        (lambda t: coverage(Trials.of(t), n=[1.5]), "whole number"),
        (lambda t: required_n(Trials.of(t), delta=[]), "delta"),
        (lambda t: required_n(Trials.of(t), delta="x"), "delta"),
        (lambda t: required_n(Trials.of(t), confidence=2), "confidence"),
        (lambda t: threshold_covariance(Trials.of(t), delta=0), "delta"),
    ],
)
def test_bad_values_are_named(call, match):
    with pytest.raises((ArgumentError, ArgumentTypeError), match=match):
        call(hit_table([3, 4, 5]))


def test_trials_that_never_or_always_cover():
    never, at_once = required_n(hits([-1] * 50)).iloc[0], required_n(hits([0] * 50)).iloc[0]
    assert (never.low, never.best, never.high) == (1, np.inf, np.inf)
    assert (at_once.low, at_once.best, at_once.high) == (0, 0, 0)
    assert np.isnan(threshold_covariance(hits([-1] * 50))).all()
    assert coverage(hits([3, 4]), n=[]).empty


@pytest.mark.parametrize("delta", [0.5, 0.12])
def test_the_covariance_is_that_of_repeated_runs(delta):
    """Of 600 runs of 600 trials at two eps: entries within 25 %, four standard errors of a sample variance."""
    rng, eps, seen, said = np.random.default_rng(7), [0.2, 0.1], [], []
    for repeat in range(600):
        late = rng.gumbel(size=600)
        times = [np.maximum(1, np.ceil(5 + 1.3 * (late + rng.gumbel(size=600) / 2))), np.ceil(8 + 1.3 * late)]
        table = pd.concat([hit_table(t.clip(1, 40).astype(int), e) for t, e in zip(times, eps, strict=True)])
        trials = Trials.of(table.sort_values(["trial", "eps"], ascending=[True, False]), n_max=40)
        seen.append(required_n(trials, delta=delta, interpolated=True)["best"].to_numpy())
        if repeat < 60:
            said.append(threshold_covariance(trials, delta=delta))
    np.testing.assert_allclose(np.mean(said, axis=0), np.cov(np.array(seen).T), rtol=0.25)


def test_points_covariance_puts_each_experiment_in_its_block():
    rng = np.random.default_rng(2)
    one, other = (hits_at_two(rng.integers(4, 9, 300)) for _ in range(2))
    parts = [required_n(t, delta=[0.5, 0.1], interpolated=True) for t in (one, other)]
    both = pd.concat(parts, ignore_index=True)
    mixed = both.sample(frac=1, random_state=0)
    full = points_covariance(mixed, other, one)
    order = mixed.index.to_numpy()
    plain = points_covariance(both, one, other)
    np.testing.assert_allclose(full, plain[np.ix_(order, order)])
    assert not plain[:4, 4:].any()
    median = (parts[0]["delta"] == 0.5).to_numpy()
    np.testing.assert_allclose(plain[:4, :4][np.ix_(median, median)], threshold_covariance(one))
    with pytest.raises(ArgumentError, match="trials of every row"):
        points_covariance(both, one)
    with pytest.raises(ArgumentError, match=r"required_n.*'experiment' is missing"):
        points_covariance(both.drop(columns="experiment"), one)


def hits_at_two(times):
    """Hitting times at two eps of the same trials."""
    parts = [pd.DataFrame({"trial": range(len(times)), "eps": e, "n": times + i}) for i, e in enumerate((0.1, 0.05))]
    return Trials.of(pd.concat(parts), n_max=20)
