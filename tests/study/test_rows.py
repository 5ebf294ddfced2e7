"""Which rows judge a claim: selected as declared, and refused at import where table or column is misspelt."""

import numpy as np
import pandas as pd
import pytest

from rssp.claims import Claim, Kind, Status, claim
from rssp.errors import ArgumentError
from rssp.schemas import Column, Schema
from rssp.study import Context, Exponents, Rows, Study, exactly

FLOATS = ("eps", "delta", "low", "best", "high", "width")
TEXTS = ("law", "evidence", "targets")
SCHEMA = Schema(
    *(Column(name, "text") for name in TEXTS), *(Column(name, "float") for name in (*FLOATS, "radius", "one"))
)
TABLE = pd.DataFrame(
    {
        "law": ["uniform", "uniform", "normal"],
        "eps": [0.25, 0.01, 0.01],
        "evidence": "measured",
        "targets": "all",
        "radius": 1.0,
        "one": 1.0,
        "delta": 0.5,
        "low": [4.0, 9.0, 1.0],
        "best": [4.0, 10.0, 1.0],
        "high": [5.0, 11.0, 2.0],
        "width": [8.0, 16.0, 32.0],
    }
)


def study(claims, **more):
    tables = {"needed": SCHEMA}
    return Study(name="mine", question="?", analyse=lambda runs, context: {}, tables=tables, claims=claims, **more)


def test_rows_are_those_asked_for():
    rows = Rows("needed", {"law": "uniform", "eps": (0.01, 0.5)}).select({"needed": TABLE})
    assert rows["best"].to_list() == [10.0]
    assert Rows("needed", {"eps": lambda e: e < 0.1}).select({"needed": TABLE})["law"].to_list() == [
        "uniform",
        "normal",
    ]
    named = Rows("needed", named={"d": "width", **exactly("eps")}, add={"z": 1.0}).select({"needed": TABLE})
    assert (named["d"] == TABLE["width"]).all()
    assert (named["z"] == 1.0).all()
    assert (named[["low", "best", "high"]].to_numpy() == TABLE[["eps"]].to_numpy()).all()


def test_a_bound_is_judged_on_its_rows_alone():
    """log2(1/0.01) = 6.6 numbers are necessary: the normal row says 1, the uniform ones more."""
    verdicts = study(
        {
            "counting-1d": (
                Rows("needed", {"law": "uniform"}, add={"d": 1}),
                Rows("needed", {"law": "normal"}, add={"d": 1}),
            )
        }
    )
    assert [v.status for v in verdicts.verdicts({"needed": TABLE})] == [Status.HOLDS, Status.VIOLATED]


@pytest.mark.parametrize("table", [TABLE.iloc[:0], TABLE.assign(best=np.nan)])
def test_without_rows_the_verdict_says_why(table):
    (verdict,) = Rows("needed", otherwise="nobody has looked").verdicts(claim("counting-1d"), {"needed": table})
    assert verdict.status is Status.NOT_MEASURED
    assert verdict.text == "nobody has looked"
    (verdict,) = Rows("needed").verdicts(claim("counting-1d"), {"needed": table})
    assert "needed" in verdict.text


@pytest.mark.parametrize(
    ("claims", "words"),
    [
        ({"counting-1": Rows("needed")}, "Did you mean 'counting-1d'"),
        ({"counting-1d": Rows("neded")}, "Did you mean 'needed'?"),
        ({"counting-1d": Rows("needed", {"laww": "uniform"})}, "Did you mean 'law'?"),
        ({"counting-1d": Rows("needed", named={"best": "widht"})}, "Did you mean 'width'?"),
        ({"counting-cube": Rows("needed")}, "'d'"),
        ({"lueker-1998": Rows("needed", constant="D", add={"d": 1})}, "constants: got C"),
        ({"lueker-1998": Rows("needed", constants={"c": 2.0}, add={"d": 1})}, "constants: got c"),
        ({"esa-2023-tail": Rows("needed", add={"n": 1.0, "d": 1})}, "constants: got kappa"),
        ({"counting-1d": Exponents("needed")}, "'counting-1d'"),
        ({"counting-1d": Rows("needed")}, "'d'"),  # of the claim's scope
        ({"counting-1d": Rows("needed", named={"epss": "width"}, add={"d": 1})}, "named: got 'epss'"),
        ({"counting-1d": Rows("needed", named={"epss": "width"}, add={"d": 1})}, "Did you mean 'eps'?"),
        ({"counting-1d": Rows("needed", add={"d": 1, "radiu": 1.0})}, "Did you mean 'radius'?"),
        ({"counting-1d": Rows("needed", add={"d": 1, "high": 99.0})}, "add: got 'high', a column of the table needed"),
        ({"counting-1d": Rows("needed", add={"d": 1, "evidence": "computed"})}, "where={'evidence': ...}"),
        ({"counting-1d": Rows("needed", named={"d": "width"}, add={"d": 1})}, "'d', a key of named too"),
        ({"counting-1d": Rows("needed", named=exactly("eps"), add={"d": 1, "evidence": "measure"})}, "'measured'"),
        (
            {"counting-1d": Rows("needed", add={"d": 1, "quantity": "n* interpolatd"})},
            "Did you mean 'n* interpolated'?",
        ),
    ],
)
def test_misspelt_rows_are_refused_when_the_study_is_made(claims, words):
    with pytest.raises(ArgumentError) as caught:
        study(claims)
    assert words in str(caught.value)


def test_other_estimates_of_a_row_have_other_labels():
    """Where `named` gives another best, or one quantity is chosen by its name, `add` may say what it is called."""
    study({"counting-1d": Rows("needed", named=exactly("width"), add={"d": 1, "evidence": "computed"})})
    table = SCHEMA + Schema(Column("quantity", "text"))
    tables = {"needed": table}
    Rows("needed", {"quantity": "units"}, add={"d": 1, "quantity": "n*"}).require(claim("counting-1d"), tables, "here")
    for where in ({}, {"quantity": ("units", "n*")}):
        rows = Rows("needed", where, add={"d": 1, "quantity": "n*"})
        with pytest.raises(ArgumentError, match="'quantity', a column of the table needed"):
            rows.require(claim("counting-1d"), tables, "here")


def test_the_published_error_is_the_claims_own():
    tables = {"needed": TABLE.iloc[:1].assign(low=3.9, high=4.1)}
    for error, status in ((0.0, Status.VIOLATED), (2.0, Status.HOLDS), (lambda v: v / 3, Status.HOLDS)):
        figure = Claim(
            id="figure", paper="A. Student", number="Table 1", statement="It is 6.", latex="6", kind=Kind.PUBLISHED,
            quantity="mean size", formula=lambda value: value, constants={"value": 6.0}, error=error,
        )  # fmt: skip
        (verdict,) = Rows("needed").verdicts(figure, tables)
        assert verdict.status is status


def test_names_and_tables_of_a_study_are_checked():
    with pytest.raises(ArgumentError, match="identifier"):
        Study(name="mine", question="?", analyse=lambda runs, context: {}, tables={"two words": SCHEMA})
    with pytest.raises(ArgumentError, match="guise"):
        study({}, guise="scaler")
    with pytest.raises(ArgumentError, match="show"):
        study({}, show=("neded",))


def test_tables_are_checked_where_they_leave_the_study():
    the_study = study({})
    checked = the_study.checked(
        {"needed": TABLE.assign(low=[4, 9, 3])[["high", *(n for n in SCHEMA.names if n != "high")]]}
    )
    assert tuple(checked["needed"].columns) == SCHEMA.names
    assert checked["needed"]["low"].dtype == np.float64
    assert tuple(the_study.checked({"needed": pd.DataFrame()})["needed"].columns) == SCHEMA.names
    with pytest.raises(ArgumentError, match="needed of mine"):
        the_study.checked({"needed": TABLE.rename(columns={"eps": "epsilon"})})
    with pytest.raises(ArgumentError, match="tables: got other"):
        the_study.checked({"other": TABLE})
    assert Context().options is not None
