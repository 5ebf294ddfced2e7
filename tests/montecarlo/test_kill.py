"""Killed at any moment, and two processes in one directory: nothing lost, nothing twice, the same bits."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from killed_runs import EXPERIMENT, TRIALS
from pandas.testing import assert_frame_equal

from rssp.montecarlo import run, status

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")


@pytest.fixture(scope="module")
def killed_runs(tmp_path_factory):
    """The directory of each scenario and the exit codes of its processes."""
    root = tmp_path_factory.mktemp("killed")
    script = Path(__file__).with_name("killed_runs.py")
    done = subprocess.run([sys.executable, str(script), str(root)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return root, json.loads(done.stdout)


@pytest.fixture(scope="module")
def expected():
    return run(EXPERIMENT, TRIALS, workers=30, progress=False).table


def resumed(directory):
    return run(EXPERIMENT, TRIALS, out=directory, workers=30, progress=False).table


def test_killed_ten_times(killed_runs, expected):
    root, codes = killed_runs
    assert codes["kill"] == [-signal.SIGKILL] * 10
    before = status(root / "kill")
    assert 0 < before.loc[0, "trials"] < TRIALS
    assert before["damaged"].tolist() == [""]
    assert_frame_equal(resumed(root / "kill"), expected, check_exact=True)


def test_ctrl_c_keeps_what_was_computed(killed_runs, expected):
    root, codes = killed_runs
    assert codes["interrupt"] == [3]
    before = status(root / "interrupt")
    assert 0 < before.loc[0, "trials"] < TRIALS
    assert before["reason"].tolist() == ["interrupted"]
    assert_frame_equal(resumed(root / "interrupt"), expected, check_exact=True)


def test_two_processes_in_one_directory(killed_runs, expected):
    root, codes = killed_runs
    assert codes["two"] == [0, 0]
    after = status(root / "two")
    assert after["trials"].tolist() == [TRIALS]
    assert_frame_equal(resumed(root / "two"), expected, check_exact=True)
