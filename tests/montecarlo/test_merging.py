"""Merging counts once, refuses what does not belong together, and leaves the target as it was when it refuses."""

from __future__ import annotations

import pytest
from cheap_measurements import cheap
from pandas.testing import assert_frame_equal

from rssp.errors import ArgumentError, StoreError, StoreWarning
from rssp.montecarlo import merge, run, status
from rssp.montecarlo.execution import compute_batch
from rssp.montecarlo.store import Store


def quiet(experiment, trials, **options):
    return run(experiment, trials, progress=False, **options)


def fill(directory, numbers, experiment=None):
    experiment = experiment or cheap()
    Store(directory, experiment.json).write([compute_batch(experiment, n) for n in numbers])


def test_merging_counts_once(tmp_path):
    fill(tmp_path / "a", [0, 1, 5])
    fill(tmp_path / "b", [1, 2])
    fill(tmp_path / "c", [3, 4])
    fill(tmp_path / "c", [1])
    out = merge([tmp_path / "a", tmp_path / "b", tmp_path / "c"], tmp_path / "out")
    table = status(out)
    assert table.loc[0, ["trials", "batches", "failed", "damaged"]].tolist() == [60, 6, 0, ""]
    assert len(list(out.glob("*/part-*"))) == 3
    assert sorted(Store(out, cheap().json).load(9)) == [0, 1, 2, 3, 4, 5]
    assert_frame_equal(quiet(cheap(), 60, out=out).table, quiet(cheap(), 60).table, check_exact=True)
    before = sorted(p.name for p in out.glob("*/*"))
    merge([tmp_path / "b", tmp_path / "a"], out)
    assert sorted(p.name for p in out.glob("*/*")) == before


def test_different_experiments_are_refused_with_what_differs(tmp_path):
    fill(tmp_path / "a", [0])
    fill(tmp_path / "b", [0], cheap(seed=5))
    with pytest.raises(StoreError, match=r"seed: \(default\) != 5.*different=True"):
        merge([tmp_path / "a", tmp_path / "b"], tmp_path / "out")
    assert not (tmp_path / "out").exists()
    with pytest.raises(StoreError, match="seed"):
        merge([tmp_path / "b"], tmp_path / "a")
    merge([tmp_path / "a", tmp_path / "b"], tmp_path / "out", different=True)
    assert sorted(status(tmp_path / "out")["seed"]) == [0, 5]


def test_directories_with_several_experiments(tmp_path):
    for directory, seeds in (("a", (0, 1)), ("b", (1, 2))):
        for seed in seeds:
            fill(tmp_path / directory, [seed], cheap(seed=seed))
    assert len(status(merge([tmp_path / "a", tmp_path / "b"], tmp_path / "out"))) == 3


def test_a_contradiction_is_named_and_nothing_is_written(tmp_path):
    fill(tmp_path / "a", [0, 1])
    wrong = compute_batch(cheap(), 1)
    wrong.columns["noise"][0] += 1
    Store(tmp_path / "b", cheap().json).write([wrong])
    with pytest.raises(StoreError, match="batch 1 has different content"):
        merge([tmp_path / "a", tmp_path / "b"], tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_damaged_parts_are_left_out(tmp_path):
    fill(tmp_path / "a", [0])
    fill(tmp_path / "a", [1])
    part = sorted(tmp_path.glob("a/*/part-00000001-*"))[0]
    part.write_bytes(part.read_bytes()[:-9])
    (tmp_path / "a" / cheap().key / "experiment.json").write_text("{")
    assert status(tmp_path / "a").loc[0, ["batches", "damaged"]].tolist() == [1, part.name]
    with pytest.warns(StoreWarning, match=part.name):
        out = merge([tmp_path / "a"], tmp_path / "out")
    assert status(out)["batches"].tolist() == [1]


def test_status(tmp_path):
    quiet(cheap(), 25, out=tmp_path)
    fill(tmp_path, [0], cheap(seed=3))
    table = status(tmp_path).set_index("seed")
    assert table["trials"].to_dict() == {0: 30, 3: 10}
    assert table["reason"].to_dict() == {0: "25 trials done", 3: "not finished"}
    assert table["measurement"].tolist() == ["Sums()", "Sums()"]
    assert (table["bytes"] > 0).all()
    assert (table["seconds"] > 0).all()


def test_bad_directories(tmp_path):
    with pytest.raises(StoreError, match="does not exist"):
        status(tmp_path / "none")
    with pytest.raises(StoreError, match="does not exist"):
        merge([tmp_path / "none"], tmp_path / "out")
    for directories in ([], str(tmp_path)):
        with pytest.raises(ArgumentError, match="directories"):
            merge(directories, tmp_path / "out")
    assert status(tmp_path).empty
    (tmp_path / ("a" * 64)).mkdir()
    with pytest.raises(StoreError, match="does not say what experiment"):
        status(tmp_path)
