"""The same numbers whatever computed them; failures recorded; bad arguments named."""

from __future__ import annotations

import importlib.util
import pickle

import joblib
import numpy as np
import pandas as pd
import pytest
from cheap_measurements import Answers, Fragile, Large, Refuses, Sums, Undrawable, cheap
from pandas.testing import assert_frame_equal

from rssp._compiling import Clock
from rssp.balls import Ball
from rssp.errors import ArgumentError, ArgumentTypeError
from rssp.laws import GatedProduct, Uniform
from rssp.montecarlo import Coverage, CoveringProfiles, Experiment, HittingTimes, rebuild_trial, run
from rssp.montecarlo.execution import compute_batch, compute_batches


def quiet(experiment, trials, **options):
    return run(experiment, trials, progress=False, **options)


EXPERIMENTS = [
    cheap(),
    Experiment(Uniform(), Ball(), CoveringProfiles(n_max=6), batch_size=7),
    Experiment(GatedProduct(), Ball.interval(-0.5, 0.5), HittingTimes(eps=(0.3, 0.1), n_max=8), batch_size=7),
    Experiment(Uniform(), Ball(), Coverage(n=5, eps=0.2), batch_size=7),
]


@pytest.mark.parametrize("experiment", EXPERIMENTS, ids=lambda e: type(e.measurement).__name__)
def test_any_number_of_workers_gives_the_same_bits(experiment):
    one = quiet(experiment, 60, workers=1)
    for workers in (2, 3, None):
        assert_frame_equal(one.table, quiet(experiment, 60, workers=workers).table, check_exact=True)


@pytest.mark.parametrize("experiment", EXPERIMENTS, ids=lambda e: type(e.measurement).__name__)
def test_any_order_of_batches_gives_the_same_bits(experiment):
    order = np.random.default_rng(0).permutation(9)
    digests = {b.number: b.digest() for b in compute_batches(experiment, order.tolist(), 2)}
    assert digests == {b.number: b.digest() for b in compute_batches(experiment, range(9), 1)}


def test_what_goes_to_a_worker_process_and_back_survives():
    experiment, error = pickle.loads(pickle.dumps((EXPERIMENTS[3], ArgumentError("n", 99, "at most 3"))))
    assert experiment == EXPERIMENTS[3]
    assert experiment.key == EXPERIMENTS[3].key
    assert str(error) == "n: got 99; allowed: at most 3."
    batch = compute_batch(experiment, 4)
    assert pickle.loads(pickle.dumps(batch)).digest() == batch.digest()


def test_worker_processes_give_the_same_bits():
    expected = quiet(cheap(), 60, workers=1).table
    with joblib.parallel_config(backend="loky", n_jobs=2):
        assert_frame_equal(quiet(cheap(), 60).table, expected, check_exact=True)


if importlib.util.find_spec("distributed") is not None:  # the extra `cluster`

    @pytest.mark.filterwarnings("ignore")  # of the cluster's own
    def test_a_cluster_gives_the_same_bits():
        import distributed

        expected = quiet(cheap(), 60, workers=1).table
        client = distributed.Client(processes=False, n_workers=2, threads_per_worker=1, dashboard_address=None)
        with client, joblib.parallel_config(backend="dask"):
            assert_frame_equal(quiet(cheap(), 60).table, expected, check_exact=True)


def test_a_shorter_run_is_a_prefix():
    long = quiet(cheap(), 60).table
    short = quiet(cheap(), 34).table
    assert len(short) == 34
    assert_frame_equal(long.iloc[:34], short, check_exact=True)


def test_seeds_and_batches_differ():
    table = quiet(cheap(), 1000).table
    assert table["total"].nunique() == 1000
    assert not set(table["total"]) & set(quiet(cheap(seed=1), 1000).table["total"])


def test_a_trial_is_rebuilt():
    table = quiet(cheap(), 35).table
    for row in table.sample(5, random_state=0).itertuples():
        sample = rebuild_trial(cheap(), row.batch, row.trial)
        assert sample.shape == (3, 1)
        assert sample.sum() == row.total
    with pytest.raises(ArgumentError, match="index: got 10"):
        rebuild_trial(cheap(), 0, 10)


@pytest.mark.parametrize("workers", [1, 2])
def test_failed_trials_are_recorded(workers, tmp_path):
    experiment = Experiment(Uniform(), Ball(), Fragile(limit=0.9), batch_size=16)
    result = quiet(experiment, 200, workers=workers, out=tmp_path)
    table, failures = result.table, result.failures
    first = np.concatenate([[rebuild_trial(experiment, b, i)[0, 0] for i in range(16)] for b in range(13)])[:200]
    assert result.trials == len(table) == 200
    assert (table["batch"] * 16 + table["trial"]).tolist() == list(range(200))
    np.testing.assert_array_equal(table["error"].notna(), first > 0.9)
    assert set(failures["error"]) == {"ValueError: the first entry is too large"}
    good = table[table["error"].isna()]
    np.testing.assert_array_equal(good["first"], first[first <= 0.9])
    np.testing.assert_array_equal(good["good"].astype(bool), first[first <= 0.9] > 0)
    assert table["good"].isna().sum() == len(failures)
    assert_frame_equal(quiet(experiment, 200, out=tmp_path).table, table)


def test_all_trials_failed(tmp_path):
    result = quiet(Experiment(Uniform(), Ball(), Fragile(limit=-2), batch_size=4), 10, out=tmp_path)
    assert len(result.failures) == len(result.table) == 10
    assert_frame_equal(quiet(result.experiment, 10, out=tmp_path).table, result.table)


def test_what_refuses_every_trial_ends_the_run():
    with pytest.raises(ArgumentError, match="n: got 99"):
        quiet(Experiment(Uniform(), Ball(), Refuses()), 10**6)


@pytest.mark.parametrize("form", ["no dict", "no trial", "lengths", "text", "range", "reserved"])
def test_a_broken_measurement_is_named(form):
    with pytest.raises(ArgumentError, match=r"Answers\.measure"):
        quiet(Experiment(Uniform(), Ball(), Answers(form)), 10)


def test_bad_arguments():
    for arguments, error in (
        ((cheap(), 0), ArgumentError),
        ((cheap(), 2.5), ArgumentTypeError),
        (("experiment", 1), ArgumentTypeError),
    ):
        with pytest.raises(error):
            quiet(*arguments)
    with pytest.raises(ArgumentError, match="workers"):
        quiet(cheap(), 10, workers=0)
    with pytest.raises(ArgumentTypeError, match="stop"):
        quiet(cheap(), 10, stop=5)


def test_the_final_line(capsys):
    run(cheap(), 25)
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1
    assert "25 trials done" in captured.err


def test_columns():
    profiles = quiet(EXPERIMENTS[1], 10).table
    assert profiles.columns.tolist() == ["batch", "trial", "n", "lower", "upper", "error"]
    assert profiles["n"].dtype == np.int64
    assert profiles["error"].isna().all()
    times = quiet(EXPERIMENTS[2], 10).table
    assert times.columns.tolist() == ["batch", "trial", "eps", "n", "error"]
    assert pd.api.types.is_integer_dtype(times["n"])
    covered = quiet(EXPERIMENTS[3], 10).table
    assert covered.columns.tolist() == ["batch", "trial", "covered", "error"]
    assert covered["covered"].dtype == np.bool_


def test_coverage_in_many_calls_equals_one_call():
    law, ball = Uniform(), Ball()
    experiment = Experiment(law, ball, Coverage(n=6, eps=0.3), batch_size=40)
    from rssp.subsetsum import covers

    expected = [covers(rebuild_trial(experiment, 0, i), ball, 0.3) for i in range(40)]
    assert quiet(experiment, 40).table["covered"].tolist() == expected


def test_want_of_memory_is_recorded_and_tried_again(tmp_path, monkeypatch):
    experiment = Experiment(Uniform(), Ball(), Large(), batch_size=8)
    failures = quiet(experiment, 100, out=tmp_path).failures
    assert 0 < len(failures) < 20
    assert failures["error"].str.startswith("InfeasibleError: this sample needs 8 GB").all()
    monkeypatch.setattr(Large, "enough_memory", True)
    again = quiet(experiment, 100, out=tmp_path)
    assert again.failures.empty
    assert_frame_equal(again.table, quiet(experiment, 100).table, check_exact=True)


def test_a_law_that_cannot_be_drawn_ends_the_run(tmp_path):
    with pytest.raises(RuntimeError, match="no numbers today"):
        quiet(Experiment(Undrawable(), Ball(), Large()), 100, out=tmp_path)
    assert not list(tmp_path.glob("*/part-*"))


def test_progress_says_that_kernels_are_compiled(capsys, monkeypatch):
    clock = Clock(patience=0.0)
    monkeypatch.setattr("rssp.montecarlo.runner.clock", clock)
    measure = Sums.measure

    def compiling(self, samples, ball, rng):
        clock.begin(lambda: "compiling")
        clock.end()
        return measure(self, samples, ball, rng)

    monkeypatch.setattr(Sums, "measure", compiling)
    with clock.told_to(lambda text: pytest.fail("said beside the progress, not in it")):
        run(cheap(), 30, workers=1, label="all")
    said = capsys.readouterr().err.splitlines()
    assert said[0] == "compiling"
    assert said[1].startswith("all: 30 trials done")
