"""Tables are checked at the door: names, types, near misses."""

import io
import re

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rssp import ArgumentError, ArgumentTypeError
from rssp.estimates import Estimate
from rssp.schemas import COUNTS, IDENTITY, INTERVAL, Column, Schema

SCHEMA = Schema(
    Column("n", "int"),
    Column("size", "int", nullable=True),
    Column("eps", "float"),
    Column("law", "text"),
    Column("covered", "bool"),
)
TABLE = pd.DataFrame({"n": [1, 2], "size": [3, 4], "eps": [0.5, np.nan], "law": ["a", ""], "covered": [True, False]})


def test_order_and_types_are_the_declared_ones():
    seen = SCHEMA.checked(TABLE[["law", "covered", "eps", "size", "n"]].astype({"n": float}), "t")
    assert tuple(seen.columns) == SCHEMA.names
    assert {c: str(t) for c, t in seen.dtypes.items()} == SCHEMA.dtypes


rows = st.fixed_dictionaries(
    {
        "n": st.integers(-(2**62), 2**62),
        "size": st.integers(-1000, 1000) | st.just(pd.NA),
        "eps": st.floats(allow_infinity=True, allow_nan=True),
        "law": st.text("abcxyz(),-", max_size=5).filter(lambda t: t not in ("nan", "NA")),
        "covered": st.booleans(),
    }
)


@given(st.lists(rows, min_size=1, max_size=5))
def test_a_stored_table_comes_back_as_it_was(entries):
    table = SCHEMA.checked(pd.DataFrame(entries).astype({"size": "Int64"}), "t")
    text = table.to_csv(index=False)
    back = SCHEMA.checked(pd.read_csv(io.StringIO(text), dtype=SCHEMA.dtypes, engine="pyarrow"), "t")
    pd.testing.assert_frame_equal(back, table, check_exact=True)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t.rename(columns={"covered": "coverd"}), "'covered' is missing: is 'coverd' it?"),
        (lambda t: t.drop(columns="eps"), "'eps' is missing."),
        (lambda t: t.assign(extra=1), "'extra' is not declared."),
        (lambda t: pd.concat([t, t[["n"]]], axis=1), "'n' is there twice"),
        (lambda t: t.assign(n=[1.5, 2]), "column 'n' with np.float64(1.5) in row 0"),
        (lambda t: t.assign(n=[1, None]), "column 'n' with nothing in row 1"),
        (lambda t: t.assign(n=[np.inf, 2]), "column 'n' with np.float64(inf) in row 0"),
        (lambda t: t.assign(eps=["0.5", "0.1"]), "column 'eps' with '0.5' in row 0"),
        (lambda t: t.assign(eps=[True, False]), "column 'eps' with np.True_ in row 0"),
        # a bool among numbers makes the column one of objects, and bool is a kind of int
        (lambda t: t.assign(eps=pd.Series([0.5, True], dtype=object)), "column 'eps' with True in row 1"),
        (lambda t: t.assign(n=pd.Series([1, False], dtype=object)), "column 'n' with False in row 1"),
        (lambda t: t.assign(law=["a", 3]), "column 'law' with 3 in row 1"),
        (lambda t: t.assign(covered=[1, 0]), "column 'covered' with np.int64(1) in row 0"),
    ],
)
def test_what_does_not_fit_is_named(change, message):
    with pytest.raises(ArgumentError, match=re.escape(message)) as error:
        SCHEMA.checked(change(TABLE), "required")
    assert "table required" in str(error.value)


def test_missing_whole_numbers_only_where_declared():
    seen = SCHEMA.checked(TABLE.assign(size=[3, None]), "t")
    assert seen["size"].tolist() == [3, pd.NA]


def test_schemas_add_up():
    both = IDENTITY + COUNTS + INTERVAL
    assert both.names == IDENTITY.names + COUNTS.names + INTERVAL.names
    assert "low" in both
    assert Schema(*IDENTITY, *COUNTS) == IDENTITY + COUNTS
    with pytest.raises(ArgumentError, match="twice"):
        INTERVAL + INTERVAL


def test_an_estimate_is_a_row_of_the_interval_columns():
    row = INTERVAL.checked(pd.DataFrame([Estimate(1, 2, 3, 0.9, "computed", "n*").row()]), "t").iloc[0]
    assert row.tolist() == ["n*", 1.0, 2.0, 3.0, 0.9, "computed"]


def test_wrong_declarations_are_refused():
    with pytest.raises(ArgumentError, match="kind"):
        Column("n", "integer")
    with pytest.raises(ArgumentError, match="nullable"):
        Column("n", "float", nullable=True)
    with pytest.raises(ArgumentTypeError):
        Schema("n")
    with pytest.raises(ArgumentTypeError):
        SCHEMA.checked([1, 2], "t")


def test_columns_asked_for_must_exist():
    INTERVAL.require(("low", "high"), "Rows")
    with pytest.raises(ArgumentError, match=re.escape("Did you mean 'best'?")):
        INTERVAL.require(("bset",), "Rows")
