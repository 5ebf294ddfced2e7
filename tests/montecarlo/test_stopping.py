"""Stopping rules: the same end for any number of workers, stored with its reason."""

from __future__ import annotations

import json

import pytest
import scipy.stats
from cheap_measurements import Fragile, cheap
from pandas.testing import assert_frame_equal

from rssp.balls import Ball
from rssp.errors import ArgumentError
from rssp.laws import Uniform
from rssp.montecarlo import Coverage, CoveringProfiles, Experiment, HittingTimes, IntervalWidth, Seconds, run
from rssp.montecarlo.stopping import interval_width


def quiet(experiment, trials, **options):
    return run(experiment, trials, progress=False, **options)


@pytest.mark.parametrize(("successes", "trials"), [(0, 10), (10, 10), (3, 10), (500, 1000), (1, 10**6)])
def test_the_width_is_that_of_clopper_and_pearson(successes, trials):
    interval = scipy.stats.binomtest(successes, trials).proportion_ci(0.9, method="exact")
    assert interval_width(successes, trials, 0.9) == pytest.approx(interval.high - interval.low, rel=1e-9)


def test_the_interval_decides_the_same_for_any_number_of_workers(tmp_path):
    stop = IntervalWidth(0.1)
    first = quiet(cheap(), 10**4, stop=stop, workers=1, out=tmp_path)
    assert first.optional_stopping
    assert first.trials % 10 == 0
    assert 300 < first.trials < 500
    positive = first.table["positive"]
    assert interval_width(positive.sum(), len(positive), 0.95) <= 0.1
    assert interval_width(positive[:-10].sum(), len(positive) - 10, 0.95) > 0.1
    for workers in (1, 2, 3):
        other = quiet(cheap(), 10**4, stop=stop, workers=workers)
        assert other.reason == first.reason
        assert_frame_equal(other.table, first.table, check_exact=True)
    resumed = quiet(cheap(), 10**4, stop=stop, out=tmp_path)
    assert_frame_equal(resumed.table, first.table, check_exact=True)
    (summary,) = tmp_path.glob("*/run.json")
    stored = json.loads(summary.read_text())
    assert stored["reason"] == first.reason
    assert stored["trials"] == first.trials
    assert stored["optional_stopping"] is True
    assert stored["stop"] == repr(stop)


def test_the_number_of_trials_comes_first():
    result = quiet(cheap(), 45, stop=IntervalWidth(0.001))
    assert (result.trials, result.reason) == (45, "45 trials done")


def test_seconds_are_those_stored(tmp_path):
    quiet(cheap(cost=0.01), 100, out=tmp_path)
    stop = Seconds(0.045)
    first = quiet(cheap(cost=0.01), 10**9, stop=stop, out=tmp_path, workers=2)
    assert first.trials <= 50
    assert first.seconds >= 0.045
    assert "0.045 s allowed" in first.reason
    assert_frame_equal(quiet(cheap(cost=0.01), 10**9, stop=stop, out=tmp_path).table, first.table, check_exact=True)


def test_seconds_end_a_long_run():
    result = quiet(cheap(cost=0.005), 10**9, stop=Seconds(0.1), workers=2)
    assert 0.1 <= result.seconds < 10


@pytest.mark.parametrize(
    ("measurement", "n", "eps"),
    [
        (CoveringProfiles(n_max=6), 6, 0.3),
        (HittingTimes(eps=(0.5, 0.3), n_max=8), 6, 0.3),
        (Coverage(n=6, eps=0.3), None, None),
    ],
)
def test_the_event_is_the_same_in_every_measurement(measurement, n, eps):
    result = quiet(Experiment(Uniform(), Ball(), measurement, batch_size=50), 10**5, stop=IntervalWidth(0.2, n, eps))
    table = result.table
    if "upper" in table:
        covered = table["upper"][table["n"] == 6] <= 0.3
    elif "eps" in table:
        times = table["n"][table["eps"] == 0.3]
        covered = (times >= 0) & (times <= 6)
    else:
        covered = table["covered"]
    assert result.reason.startswith(f"{covered.sum()} of {len(covered)} trials cover")
    assert len(covered) == result.trials < 10**5


def test_failed_trials_do_not_count():
    with pytest.raises(ArgumentError, match="stop: got Fragile"):
        quiet(Experiment(Uniform(), Ball(), Fragile(0.5)), 10, stop=IntervalWidth(0.1))


@pytest.mark.parametrize(
    ("measurement", "rule", "name"),
    [
        (CoveringProfiles(n_max=6), IntervalWidth(0.1, n=7, eps=0.1), "n"),
        (CoveringProfiles(n_max=6), IntervalWidth(0.1, n=6, eps=-1), "eps"),
        (HittingTimes(eps=(0.5,), n_max=8), IntervalWidth(0.1, n=6, eps=0.4), "eps"),
        (Coverage(n=6, eps=0.3), IntervalWidth(0.1, n=5), "n"),
    ],
)
def test_an_event_that_is_not_measured_is_refused_before_anything_runs(measurement, rule, name):
    with pytest.raises(ArgumentError, match=f"^{name}: "):
        quiet(Experiment(Uniform(), Ball(), measurement), 10**9, stop=rule)


@pytest.mark.parametrize(
    "make", [lambda: Seconds(0), lambda: IntervalWidth(0), lambda: IntervalWidth(0.1, confidence=1)]
)
def test_bad_rules(make):
    with pytest.raises(ArgumentError):
        make()
