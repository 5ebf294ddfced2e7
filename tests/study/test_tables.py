"""Stored tables come back as they were written: to the last bit, with their types, whatever a label looks like."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import rssp
from rssp.errors import StoreError
from rssp.montecarlo import Coverage, Experiment
from rssp.schemas import Column, Schema
from rssp.study import Study, Task, find_study, list_studies, option, read_tables, run_study, stored_tables
from rssp.study.tables import provenance, write_tables

FIGURES = Path(__file__).parents[2] / "figures"
SCHEMA = Schema(
    Column("label", "text"),
    Column("n", "int"),
    Column("k", "int", nullable=True),
    Column("p", "float"),
    Column("known", "bool"),
)
STUDY = Study(name="mine", question="?", analyse=lambda runs, context: {}, tables={"rows": SCHEMA})
LABELS = st.sampled_from(["1", "1.0", "nan", "1/2", "[-1, 1]", "True", "", "inf", "a,b", 'say "x"'])
ROWS = st.lists(
    st.tuples(
        LABELS,
        st.integers(-(2**62), 2**62),
        st.none() | st.integers(0, 2**31),
        st.floats(allow_nan=True),
        st.booleans(),
    ),
    min_size=1,
    max_size=6,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=ROWS)
def test_what_is_written_is_read(tmp_path, rows):
    table = SCHEMA.checked(pd.DataFrame(rows, columns=list(SCHEMA.names)).astype({"k": "Int64"}), "rows")
    write_tables(STUDY, {"rows": table}, {}, tmp_path)
    pd.testing.assert_frame_equal(read_tables(STUDY, tmp_path)["rows"], table, check_exact=True)


@pytest.mark.parametrize("name", list_studies())
def test_shipped_tables_are_those_their_study_declares(name):
    """Every table is read by its schema and comes out byte for byte when written again; there is no other table."""
    study = find_study(name)
    for table, rows in read_tables(study, FIGURES).items():
        text = (FIGURES / f"{name}-{table}.csv").read_text(encoding="utf-8")
        assert rows.to_csv(index=False, lineterminator="\n") == text
    assert {p.stem.partition("-")[2] for p in FIGURES.glob(f"{name}-*.csv")} == set(study.tables)


def test_unreadable_tables_are_named(tmp_path):
    path = tmp_path / "mine-rows.csv"
    for text, word in (("label,n\na,1\n", "'k' is missing"), ("label,n,k,p,known\na,x,1,1,True\n", "mine-rows.csv")):
        path.write_text(text)
        with pytest.raises(StoreError, match=word) as caught:
            read_tables(STUDY, tmp_path)
        assert "rssp.study.run_study" in str(caught.value)  # no file defines it
    path.unlink()
    with pytest.raises(StoreError, match="no tables"):
        read_tables(STUDY, tmp_path)
    with pytest.raises(StoreError, match="no stored results"):
        stored_tables(STUDY, tmp_path, tmp_path)


def test_the_largest_scale_is_taken(tmp_path):
    row = {"label": "a", "n": 1, "k": 1, "p": 0.5, "known": True}
    for scale in ("quick", "full", "standard"):
        table = SCHEMA.checked(pd.DataFrame([row | {"label": scale}]), "rows")
        folder = tmp_path / "mine" / scale
        write_tables(STUDY, {"rows": table}, {"scale": scale, "seed": 3}, folder)
        assert json.loads((folder / "mine.json").read_text())["scale"] == scale
    folder, tables = stored_tables(STUDY, tmp_path)
    assert folder.name == tables["rows"]["label"].iloc[0] == "full"
    assert provenance(STUDY, folder) == "scale full, seed 3"
    assert provenance(STUDY, tmp_path) == ""
    assert np.isfinite(tables["rows"]["p"]).all()


@dataclass(frozen=True)
class Options:
    size: int = option(4, "numbers a sample", least=1)


TRIALS = {"quick": 8, "standard": 16, "full": 64}


def _plan(context):
    experiment = Experiment(rssp.Uniform(), rssp.Ball(1), Coverage(context.options.size, 0.5), context.seed)
    return [Task("all", experiment, TRIALS[context.scale])]


DRAWN = Study(
    name="mine",
    question="?",
    plan=_plan,
    analyse=lambda runs, context: {"rows": pd.DataFrame({"n": [len(runs["all"].table)]})},
    tables={"rows": Schema(Column("n", "int"))},
    options=Options,
)


@pytest.mark.parametrize(
    ("runs", "best", "line"),
    [
        # a run that bears the name of a scale and has not its trials is not that scale
        ([("full", 5, None), ("quick", None, None)], "quick", "scale quick, seed 0"),
        ([("full", 5, None)], "full", "scale full, seed 0; 5 trials where the scale plans 64"),
        ([("full", 16, None), ("quick", None, None)], "full", "scale full, seed 0; 16 trials where the scale plans 64"),
        ([("full", 15, None), ("standard", None, None)], "standard", "scale standard, seed 0"),
        ([("standard", 1000, None), ("full", None, None)], "full", "scale full, seed 0"),
        # nor is one with options of its own
        ([("full", None, {"size": 6}), ("quick", None, None)], "quick", "scale quick, seed 0"),
        ([("full", None, {"size": "4"}), ("quick", None, None)], "full", "scale full, seed 0"),
        ([("full", None, {"size": 6})], "full", "scale full, seed 0; with size = 6"),
    ],
)
def test_a_scale_is_what_was_really_run(tmp_path, runs, best, line):
    for scale, trials, options in runs:
        run_study(DRAWN, scale=scale, trials=trials, options=options, out=tmp_path, progress=False)
    folder, tables = stored_tables(DRAWN, tmp_path, tmp_path / "none")
    assert folder.name == best
    assert provenance(DRAWN, folder) == line
    assert stored_tables(DRAWN, tmp_path, tmp_path / "none", "results")[0] == folder
    assert len(tables["rows"]) == 1


def test_results_of_ones_own_can_be_preferred(tmp_path):
    run_study(DRAWN, scale="quick", out=tmp_path, progress=False)
    run_study(DRAWN, scale="full", figures=tmp_path / "shipped", out=tmp_path / "elsewhere", progress=False)
    assert stored_tables(DRAWN, tmp_path, tmp_path / "shipped")[0].name == "shipped"
    assert stored_tables(DRAWN, tmp_path, tmp_path / "shipped", "results")[0].name == "quick"
    assert stored_tables(DRAWN, tmp_path / "empty", tmp_path / "shipped", "results")[0].name == "shipped"


def test_a_task_that_was_renamed_is_known_by_its_experiment(tmp_path):
    run_study(DRAWN, scale="standard", out=tmp_path, progress=False)
    path = tmp_path / "mine" / "standard" / "mine.json"
    path.write_text(path.read_text().replace('"all"', '"every one"'))
    run_study(DRAWN, scale="quick", out=tmp_path, progress=False)
    assert stored_tables(DRAWN, tmp_path, tmp_path)[0].name == "standard"
    path.write_text(path.read_text().replace('"key": "', '"key": "0'))
    assert stored_tables(DRAWN, tmp_path, tmp_path)[0].name == "quick"


def test_shipped_tables_are_of_the_scale_that_they_name():
    for name in list_studies():
        assert provenance(find_study(name), FIGURES) == "scale standard, seed 0"
