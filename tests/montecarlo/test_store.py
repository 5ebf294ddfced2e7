"""What is stored is resumed, checked, and never lost."""

from __future__ import annotations

import json
import os

import pyarrow.parquet as pq
import pytest
from cheap_measurements import cheap
from pandas.testing import assert_frame_equal

import rssp
from rssp.errors import StoreError, StoreWarning
from rssp.montecarlo import run
from rssp.montecarlo.execution import compute_batch
from rssp.montecarlo.store import Store, experiment_directories, read_part, stored_experiment


def quiet(experiment, trials, **options):
    return run(experiment, trials, progress=False, **options)


def parts(directory):
    return sorted(directory.glob("*/part-*"))


def test_resume_computes_only_what_is_missing(tmp_path, monkeypatch):
    expected = quiet(cheap(), 75).table
    quiet(cheap(), 32, out=tmp_path)
    computed = []
    import rssp.montecarlo.execution as execution

    def counting(experiment, number):
        computed.append(number)
        return compute_batch(experiment, number)

    monkeypatch.setattr(execution, "compute_batch", counting)
    result = quiet(cheap(), 75, out=tmp_path)
    assert sorted(computed) == [4, 5, 6, 7]
    assert result.directory == tmp_path
    assert_frame_equal(result.table, expected, check_exact=True)
    computed.clear()
    assert_frame_equal(quiet(cheap(), 75, out=tmp_path).table, expected, check_exact=True)
    assert_frame_equal(quiet(cheap(), 8, out=tmp_path).table, expected[:8], check_exact=True)
    assert computed == []


def test_a_part_says_where_it_comes_from(tmp_path):
    quiet(cheap(), 32, out=tmp_path)
    (part,) = parts(tmp_path)
    meta = json.loads(pq.read_metadata(part).metadata[b"rssp"])
    assert meta["experiment"] == cheap().json
    assert meta["version"] == rssp.__version__
    assert [b["batch"] for b in meta["batches"]] == [0, 1, 2, 3]
    assert all(b["seconds"] > 0 for b in meta["batches"])
    assert (part.parent / "experiment.json").read_text().strip() == cheap().json
    summary = json.loads((part.parent / "run.json").read_text())
    assert summary["reason"] == "32 trials done"


@pytest.mark.parametrize("damage", ["truncated", "altered", "empty", "renamed"])
def test_a_damaged_part_is_named_and_computed_again(tmp_path, damage):
    expected = quiet(cheap(), 40, out=tmp_path).table
    (part,) = parts(tmp_path)
    data = bytearray(part.read_bytes())
    if damage == "truncated":
        data = data[: len(data) // 2]
    elif damage == "altered":
        data[len(data) // 3] ^= 1
    elif damage == "empty":
        data = bytearray()
    else:
        part.rename(part.with_name("part-copy.parquet"))
        (part,) = parts(tmp_path)
    part.write_bytes(data)
    with pytest.warns(StoreWarning, match=part.name):
        result = quiet(cheap(), 40, out=tmp_path)
    assert_frame_equal(result.table, expected, check_exact=True)
    part.unlink()
    assert_frame_equal(quiet(cheap(), 40, out=tmp_path).table, expected, check_exact=True)


def test_no_altered_byte_passes(tmp_path):
    quiet(cheap(), 16, out=tmp_path)
    (part,) = parts(tmp_path)
    data = part.read_bytes()
    for place in range(0, len(data), max(1, len(data) // 40)):  # 40 digests, some below and some above that in the name
        part.write_bytes(data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :])
        assert read_part(part) is None
    part.write_bytes(data)
    assert read_part(part) is not None


def test_a_part_is_named_by_its_first_batch(tmp_path):
    store = Store(tmp_path, cheap().json)
    store.write([compute_batch(cheap(), number) for number in (5, 2, 3)])
    (part,) = parts(tmp_path)
    assert part.name.startswith("part-00000002-")


def test_the_experiment_is_found_in_the_parts_whatever_its_file_says(tmp_path):
    quiet(cheap(), 16, out=tmp_path)
    (folder,) = experiment_directories(tmp_path)
    for text in map(str, range(20)):  # 20 keys, some below and some above the folder's name
        (folder / "experiment.json").write_text(text)
        assert stored_experiment(folder) == cheap().json


def test_duplicates_are_counted_once_and_must_agree(tmp_path):
    expected = quiet(cheap(), 30, out=tmp_path).table
    store = Store(tmp_path, cheap().json)
    store.write([compute_batch(cheap(), number) for number in (1, 4)])
    assert_frame_equal(quiet(cheap(), 30, out=tmp_path).table, expected, check_exact=True)
    wrong = compute_batch(cheap(), 2)
    wrong.columns["total"][3] += 1e-16 + 1e-15
    store.write([wrong])
    with pytest.raises(StoreError, match="batch 2 has different content"):
        quiet(cheap(), 30, out=tmp_path)


def test_foreign_directories(tmp_path):
    (tmp_path / "thesis.tex").write_text("mine")
    with pytest.raises(StoreError, match=r"holds no results of rssp.*new or empty directory"):
        quiet(cheap(), 10, out=tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ["thesis.tex"]
    with pytest.raises(StoreError, match=r"cannot read .*thesis\.tex"):
        quiet(cheap(), 10, out=tmp_path / "thesis.tex")
    with pytest.raises(StoreError, match="cannot write"):
        quiet(cheap(), 10, out=tmp_path / "thesis.tex" / "below")


def test_a_part_of_another_experiment(tmp_path):
    quiet(cheap(), 10, out=tmp_path / "a")
    quiet(cheap(seed=3), 10, out=tmp_path / "b")
    (part,) = parts(tmp_path / "b")
    target = tmp_path / "a" / cheap().key / part.name
    target.write_bytes(part.read_bytes())
    with pytest.raises(StoreError, match=r"another experiment.*seed: 3 != \(default\)"):
        quiet(cheap(), 10, out=tmp_path / "a")
    target.unlink()
    keys = [cheap(seed=seed).key > cheap().key for seed in (3, 5)]
    assert set(keys) == {True, False}  # whatever the order of the keys
    for seed in (3, 5):
        (tmp_path / "a" / cheap().key / "experiment.json").write_text(cheap(seed=seed).json)
        with pytest.warns(StoreWarning, match="experiment.json was damaged or replaced"):
            quiet(cheap(), 10, out=tmp_path / "a")
        quiet(cheap(), 10, out=tmp_path / "a")


def test_a_full_disk_loses_nothing(tmp_path, monkeypatch):
    quiet(cheap(), 20, out=tmp_path)
    import rssp.montecarlo.store as module

    def full(descriptor):
        raise OSError(28, "No space left on device")

    store = Store(tmp_path, cheap().json)
    monkeypatch.setattr(module.os, "fsync", full)
    with pytest.raises(StoreError, match=r"No space left.*stored before is intact"):
        store.write([compute_batch(cheap(), 7)])
    monkeypatch.undo()
    assert not list(tmp_path.glob("*/.writing-*"))
    assert len(store.load(100)) == 2


def test_an_interrupted_run_keeps_what_was_computed(tmp_path, monkeypatch):
    import rssp.montecarlo.execution as execution

    def interrupting(experiment, number):
        if number == 4:
            raise KeyboardInterrupt
        return compute_batch(experiment, number)

    monkeypatch.setattr(execution, "compute_batch", interrupting)
    with pytest.raises(KeyboardInterrupt):
        quiet(cheap(), 100, out=tmp_path, workers=1)
    monkeypatch.undo()
    assert sorted(Store(tmp_path, cheap().json).load(100)) == [0, 1, 2, 3]
    (summary,) = tmp_path.glob("*/run.json")
    assert json.loads(summary.read_text())["reason"] == "interrupted"
    assert_frame_equal(quiet(cheap(), 100, out=tmp_path).table, quiet(cheap(), 100).table, check_exact=True)


@pytest.mark.skipif(os.name != "posix", reason="there is no umask")
@pytest.mark.parametrize(("umask", "mode"), [(0o022, 0o644), (0o002, 0o664), (0o077, 0o600)])
def test_the_umask_says_who_may_read_results(tmp_path, umask, mode):
    before = os.umask(umask)
    try:
        run(cheap(), 8, out=tmp_path / "out", progress=False)
    finally:
        os.umask(before)
    files = [path for path in (tmp_path / "out").rglob("*") if path.is_file()]
    assert len(files) == 3
    assert {path.stat().st_mode & 0o777 for path in files} == {mode}
