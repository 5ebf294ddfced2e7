"""The store against a model of it: a dict from part files to the numbers of the batches that they hold."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
import warnings
from pathlib import Path

import numpy as np
import pytest
from cheap_measurements import cheap
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from rssp.errors import StoreError, StoreWarning
from rssp.montecarlo import run
from rssp.montecarlo.execution import Batch, compute_batch
from rssp.montecarlo.merging import merge, status
from rssp.montecarlo.store import Store, read_part

EXPERIMENT = cheap()
NUMBERS = st.sets(st.integers(0, 7), min_size=1, max_size=4)


@pytest.fixture(autouse=True, scope="module")
def fast_disk():
    """What is on the disk after a power cut is not the question here, and asking the disk takes most of the time."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda descriptor: None)
        yield


def content(number: int) -> Batch:
    """Batch `number`, always the same; 3 and 6 have trials that failed, 5 has nothing else."""
    rows = 0 if number == 5 else 1 + number % 3
    rng = np.random.default_rng(number)
    columns = {"trial": np.arange(rows), "total": rng.normal(size=rows), "positive": rng.random(rows) < 0.5}
    errors = {9: f"ValueError: no {number}"} if number % 3 == 0 and number else {}
    if number == 5:
        return Batch(number, {}, dict.fromkeys(range(10), "ValueError: none"), 0.5)
    return Batch(number, columns, errors, 0.25)


def same(one: Batch, other: Batch) -> bool:
    return (one.number, one.seconds, one.digest()) == (other.number, other.seconds, other.digest())


class TwoWriters(RuleBasedStateMachine):
    """Two processes on one directory, of which each may be killed; parts get damaged, and deleted; reading goes on."""

    @initialize()
    def begin(self):
        self.root = Path(tempfile.mkdtemp())
        self.stores = [Store(self.root, EXPERIMENT.json) for _ in range(2)]
        self.path = self.stores[0].path
        self.parts: dict[str, set[int]] = {}  # the model
        self.damaged: set[str] = set()
        self.left: dict[str, bool] = {}  # what killed writers left, and whether a day ago

    def teardown(self):
        shutil.rmtree(self.root, ignore_errors=True)

    def part_names(self) -> set[str]:
        return {path.name for path in self.path.glob("part-*")}

    def held(self) -> set[int]:
        return set().union(*(numbers for name, numbers in self.parts.items() if name not in self.damaged))

    def load(self, below: int, store: int) -> dict[int, Batch]:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            batches = self.stores[store].load(below)
        named = {name for name in self.parts for w in caught if name in str(w.message)}
        assert named == self.damaged
        assert {w.category for w in caught} <= {StoreWarning}
        return batches

    @rule(numbers=NUMBERS, writer=st.integers(0, 1))
    def write(self, numbers, writer):
        before = self.part_names()
        self.stores[writer].write([content(number) for number in sorted(numbers, reverse=True)])
        new = self.part_names() - before
        if new:
            self.parts[new.pop()] = numbers
        else:  # equal parts have equal names: it was there, or is whole again
            (name,) = (name for name, had in self.parts.items() if had == numbers)
            self.damaged.discard(name)
        assert not new

    @rule(below=st.integers(0, 9), store=st.integers(0, 1))
    def read_back(self, below, store):
        batches = self.load(below, store)
        assert set(batches) == {number for number in self.held() if number < below}
        assert all(same(batch, content(number)) for number, batch in batches.items())

    @precondition(lambda self: set(self.parts) - self.damaged)
    @rule(data=st.data(), how=st.sampled_from(["cut", "flip", "empty", "longer"]))
    def damage(self, data, how):
        name = data.draw(st.sampled_from(sorted(set(self.parts) - self.damaged)))
        content_ = bytearray((self.path / name).read_bytes())
        place = data.draw(st.integers(0, len(content_) - 1))
        if how == "flip":
            content_[place] ^= 1 << place % 8
        changed = {"cut": content_[:place], "flip": content_, "empty": b"", "longer": content_ + b"\0"}[how]
        (self.path / name).write_bytes(bytes(changed))
        self.damaged.add(name)

    @precondition(lambda self: self.damaged)
    @rule()
    def delete_what_is_damaged(self):
        for name in self.damaged:
            (self.path / name).unlink()
            del self.parts[name]
        self.damaged.clear()

    @rule(numbers=NUMBERS, place=st.floats(0, 1), long_ago=st.booleans())
    def kill_a_writer(self, numbers, place, long_ago):
        other = self.root / "elsewhere"
        Store(other, EXPERIMENT.json).write([content(number) for number in numbers])
        (whole,) = (other / EXPERIMENT.key).glob("part-*")
        left = self.path / f".writing-1-{len(self.left)}"
        left.write_bytes(whole.read_bytes()[: int(place * whole.stat().st_size)])
        shutil.rmtree(other)
        if long_ago:
            os.utime(left, (time.time() - 25 * 3600,) * 2)
        self.left[left.name] = long_ago

    @rule(writer=st.integers(0, 1))
    def begin_again(self, writer):
        self.stores[writer] = Store(self.root, EXPERIMENT.json)
        self.left = {name: False for name, long_ago in self.left.items() if not long_ago}

    @rule(number=st.integers(0, 7), writer=st.integers(0, 1))
    def contradict(self, number, writer):
        """A batch with other content: refused if it is held already, and gone with the part that brought it."""
        assume(number in self.held() and number != 5)
        wrong = content(number)
        wrong.columns["total"][0] = np.nextafter(wrong.columns["total"][0], np.inf)
        before = self.part_names()
        self.stores[writer].write([wrong])
        (new,) = self.part_names() - before
        with pytest.raises(StoreError, match=f"batch {number} has different content") as why:
            self.load(0, writer)
        assert new in str(why.value)
        (self.path / new).unlink()

    @invariant()
    def the_directory_holds_what_the_model_says(self):
        names = {path.name for path in self.path.iterdir()}
        assert names == {"experiment.json", *self.parts, *self.left}
        assert {name for name in self.parts if read_part(self.path / name) is None} == self.damaged
        (row,) = status(self.root).to_dict("records")
        assert row["batches"] == len(self.held())
        assert row["trials"] == 10 * len(self.held())
        assert row["failed"] == sum(len(content(number).errors) for number in self.held())
        assert set(filter(None, row["damaged"].split(", "))) == self.damaged


TestTwoWriters = TwoWriters.TestCase
TestTwoWriters.settings = settings(max_examples=12, stateful_step_count=14, deadline=None)


numbers_of_any_kind = {
    "f": st.floats(allow_nan=True, allow_infinity=True),
    "i": st.integers(-(2**63), 2**63 - 1),
    "u": st.integers(0, 2**64 - 1),
    "b": st.booleans(),
}
KINDS = {"f": np.float64, "i": np.int64, "u": np.uint64, "b": np.bool_}


@st.composite
def some_batches(draw):
    """Batches as one run gives them: the same columns in each, some trials failed, some batches without rows."""
    kinds = draw(
        st.dictionaries(st.text(st.characters(codec="utf-8"), min_size=1, max_size=5), st.sampled_from("fiub"))
    )
    kinds = {name: kind for name, kind in kinds.items() if name not in ("trial", "batch", "error")}
    batches = []
    for number in draw(st.lists(st.integers(0, 10**6), unique=True, min_size=1, max_size=4)):
        rows = draw(st.integers(0, 3))
        columns = {"trial": np.arange(rows)} if rows else {}
        for name, kind in kinds.items() if rows else ():
            values = draw(st.lists(numbers_of_any_kind[kind], min_size=rows, max_size=rows))
            columns[name] = np.array(values, dtype=KINDS[kind])
        errors = draw(
            st.dictionaries(st.integers(0, 99), st.text(st.characters(codec="utf-8"), max_size=8), max_size=2)
        )
        batches.append(Batch(number, columns, errors, draw(st.floats(0, 1e6))))
    return batches


@settings(max_examples=40, deadline=None)
@given(some_batches())
def test_what_is_written_is_read_to_the_last_bit(batches):
    with tempfile.TemporaryDirectory() as directory:
        store = Store(directory, EXPERIMENT.json)
        store.write(batches)
        again = store.load(10**6 + 1)
    assert sorted(again) == sorted(batch.number for batch in batches)
    for batch in batches:
        read = again[batch.number]
        assert same(read, batch)
        assert read.errors == batch.errors
        assert {n: v.dtype for n, v in read.columns.items()} == {n: v.dtype for n, v in batch.columns.items()}
        for name, values in batch.columns.items():
            assert read.columns[name].tobytes() == values.tobytes()


@settings(max_examples=10, deadline=None)
@given(st.lists(NUMBERS, min_size=1, max_size=3), st.integers(1, 8))
def test_a_run_computes_what_is_missing_whatever_was_there(stored, batches):
    """Resumed from any parts, and merged from any directories, a run gives the same table as one that began anew."""
    expected = run(EXPERIMENT, 10 * batches, progress=False).table
    with tempfile.TemporaryDirectory() as directory:
        roots = [Path(directory) / str(index) for index in range(len(stored))]
        for root, numbers in zip(roots, stored, strict=True):
            Store(root, EXPERIMENT.json).write([compute_batch(EXPERIMENT, number) for number in numbers])
        out = merge(roots, Path(directory) / "all")
        assert set(Store(out, EXPERIMENT.json).load(9)) == set().union(*stored)
        resumed = run(EXPERIMENT, 10 * batches, out=out, progress=False)
        assert resumed.table.equals(expected)
        assert set(Store(out, EXPERIMENT.json).load(9)) == set().union(*stored, range(batches))
