"""Stored tables come back as they were written: to the last bit, with their types, whatever a label looks like."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rssp.errors import StoreError
from rssp.schemas import Column, Schema
from rssp.study import Study, find_study, list_studies, read_tables, stored_tables
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
