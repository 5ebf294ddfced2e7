"""The table of calibration at a tiny scale: every part gives rows, the same twice, and a broken promise is seen."""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path

import pytest

FILE = Path(__file__).parents[1] / "benchmarks" / "calibration.py"
CHEAP = ("counts", "fits", "constants", "averages")


@pytest.fixture(scope="module")
def calibration():
    spec = importlib.util.spec_from_file_location("calibration", FILE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    kept = list(sys.path)
    yield module
    sys.path[:] = kept


@pytest.mark.parametrize("part", CHEAP)
def test_each_part_gives_rows(calibration, part):
    table = calibration.rows(part, 3, 0)
    assert list(table.columns)[:3] == ["method", "event", "nominal"]
    assert set(table["kept"]) <= {"yes", "no", "within chance"}
    assert (table["simulations"] >= 1).all()
    assert not table.duplicated(["method", "event"]).any()


def test_the_rows_of_the_stated_table_are_there(calibration):
    methods = " ".join(text for part in CHEAP for text in calibration.rows(part, 2, 0)["method"])
    for wanted in (
        "the median 0.05 past n_max",
        "fit of log with covariance, delta = 0.01, 1000 trials",
        "fit of log+loglog with covariance, delta = 0.01",
        "fit without covariance",
        "points tied",
        "after stopping at an interval width",
    ):
        assert wanted in methods


def test_the_seed_decides_the_digits(calibration, capsys):
    printed = []
    for seed in (0, 0, 1):
        calibration.main(["averages", "--simulations", "5", "--json", "--seed", str(seed)])
        printed.append(json.loads(capsys.readouterr().out))
    assert printed[0] == printed[1] != printed[2]


def test_the_covering_law_is_held_against_new_measurements(calibration, monkeypatch):
    calibration.rows("averages", 2, 0)
    covering = importlib.import_module("calibration_parts.covering")
    monkeypatch.setattr(covering, "RUNS", {1: ((12, 2000, 300),)})
    table = calibration.rows("covering", 20, 0)
    assert len(table) == 3
    assert (table["simulations"] >= 6).all()


def test_a_broken_promise_is_seen(calibration):
    calibration.rows("averages", 2, 0)
    judging = importlib.import_module("calibration_parts.judging")

    def kept(hits, count, *promise):
        return judging.frequency("m", "e", 0.95, [True] * hits + [False] * (count - hits), *promise)["kept"]

    assert kept(380, 400, 0.94) == "yes"
    assert kept(370, 400, 0.94) == "within chance"
    assert kept(330, 400, 0.94) == "no"
    assert kept(50, 400, 0.03, 0.07) == "no"
    assert judging.unbiased("m", [0.01, 0.012, 0.011], 0.02)["kept"] == "no"
    assert judging.unbiased("m", [0.01, 0.03, 0.02], 0.02)["kept"] == "yes"


def test_simulations_are_checked(calibration, capsys):
    with pytest.raises(SystemExit):
        calibration.main(["--simulations", "0"])
    assert "allowed: a whole number >= 1" in capsys.readouterr().err
