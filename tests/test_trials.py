"""Trials carry what they know: experiment, n_max, how they were stopped; two can be added, strangers are refused."""

import re

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rssp import ArgumentError, ArgumentTypeError, Ball, Coverage, CoveringProfiles, Experiment, HittingTimes, Uniform
from rssp.montecarlo import Seconds, run
from rssp.trials import Trials, as_trials


def _run(trials, seed=0, measurement=None, **options):
    experiment = Experiment(Uniform(), Ball(), measurement or HittingTimes((0.2, 0.1), 14), seed, batch_size=8)
    return run(experiment, trials, progress=False, workers=1, **options)


def test_n_max_is_that_of_the_measurement():
    assert _run(3).n_max == 14
    assert _run(3, measurement=CoveringProfiles(9)).n_max == 9
    assert _run(3, measurement=Coverage(7, 0.2)).n_max == 7
    table = pd.DataFrame({"trial": [0, 1], "eps": 0.1, "n": [3, -1]})
    assert Trials.of(table).n_max is None
    assert Trials.of(table, n_max=11).n_max == 11
    assert Trials.of(table, measurement=HittingTimes((0.1,), 12)).n_max == 12


def test_a_run_knows_its_law_and_how_it_was_stopped():
    seen = _run(20, stop=Seconds(1e-9))
    assert seen.optional_stopping
    assert seen.trials == 8
    assert (seen.law, seen.ball) == (Uniform(), Ball())
    assert seen.failures.empty


@settings(max_examples=25)
@given(st.integers(1, 40), st.integers(1, 40))
def test_sums_are_what_one_run_gives(first, second):
    """Runs of one experiment begin with the same batches: their sum is the longer one."""
    a, b, both = _run(first), _run(second), _run(max(first, second))
    total = a + b
    pd.testing.assert_frame_equal(total.table, both.table)
    assert total.trials == both.trials


def test_disjoint_batches_add_up():
    whole = _run(24)
    parts = [
        Trials(rows.reset_index(drop=True), whole.experiment, 8, reason="8 trials done", seconds=1.0)
        for _, rows in whole.table.groupby("batch")
    ]
    total = parts[2] + parts[0] + parts[1]
    pd.testing.assert_frame_equal(total.table, whole.table)
    assert (total.trials, total.seconds, total.reason) == (24, 3.0, "8 trials done")


def test_optional_stopping_is_inherited():
    a, b = _run(20, stop=Seconds(1e-9)), _run(20)
    assert (a + b).optional_stopping
    assert (b + a).optional_stopping
    assert not (b + b).optional_stopping


def test_strangers_are_refused():
    with pytest.raises(ArgumentError, match=re.escape("seed: (default) != 1")):
        _run(3) + _run(3, seed=1)
    with pytest.raises(ArgumentError, match="n_max"):
        _run(3) + _run(3, measurement=HittingTimes((0.2, 0.1), 15))
    by_hand = Trials.of(_run(3).table)
    with pytest.raises(ArgumentError, match=re.escape("Trials.of")):
        by_hand + _run(3)
    with pytest.raises(TypeError):
        _run(3) + 1


def test_contradictions_are_refused():
    a, b = _run(8), _run(8)
    b.table.loc[3, "n"] += 1
    with pytest.raises(ArgumentError, match="different results"):
        a + b


def test_failed_trials_are_kept_in_sums():
    whole = _run(16)
    table = whole.table.astype({"eps": float, "n": float})
    table.loc[table["batch"] == 1, ["eps", "n"]] = np.nan
    table = table.drop_duplicates(subset=["batch", "trial", "eps"])
    table.loc[table["batch"] == 1, "error"] = "RuntimeError: too warm"
    first = Trials(whole.table[whole.table["batch"] == 0], whole.experiment, 8)
    second = Trials(table[table["batch"] == 1], whole.experiment, 8)
    total = first + second
    assert total.trials == 16
    assert len(total.failures) == 8
    assert len(total.succeeded) == 16
    with pytest.raises(ArgumentError, match="too warm"):
        _ = second.succeeded


def test_repr_has_at_most_three_lines():
    for seen in (
        _run(3),
        Trials.of(_run(3).table),
        _run(3, measurement=HittingTimes(tuple(2.0**-b for b in range(9)), 9)),
    ):
        lines = repr(seen).splitlines()
        assert len(lines) <= 3
        assert max(map(len, lines)) <= 120


def test_a_bare_table_is_told_what_to_do():
    table = _run(3).table
    with pytest.raises(ArgumentTypeError, match=re.escape("Trials.of(table, n_max=...)")) as error:
        as_trials(table)
    assert "\n" not in str(error.value)
    with pytest.raises(ArgumentTypeError):
        as_trials(3)
    with pytest.raises(ArgumentTypeError):
        Trials.of([1, 2])
    with pytest.raises(ArgumentError, match="trial"):
        Trials.of(table[["n"]])
