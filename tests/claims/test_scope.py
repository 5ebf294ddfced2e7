"""Scopes: which rows are inside, and what is said of the others."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import rssp
from rssp.claims.scope import Scope
from rssp.errors import ArgumentError

TABLE = pd.DataFrame(
    {
        "law": [
            "uniform",
            "uniform",
            "normal",
            "uniform",
            "Mixture(law=Uniform(low=-1.0, high=1.0, dim=1), weight=0.5)",
        ],
        "d": [1, 2, 1, 1, 1],
        "norm": [math.inf, math.inf, 1.0, 1.0, math.inf],
        "radius": [1.0, 1.0, 1.0, 0.5, 1.0],
        "targets": ["all", "all", "one", "all", "all"],
        "eps": [0.1, 0.1, 0.1, 0.01, 2.0**-4],
        "n": [10, 20, 30, 40, 50],
        "k": [5, 12, 3, 4, 10],
    }
)


def inside(**scope):
    return Scope(**scope).inside(TABLE).rows.index.tolist()


def test_each_restriction_by_itself():
    assert inside() == [0, 1, 2, 3, 4]
    assert inside(laws=("uniform",)) == [0, 1, 3]
    assert inside(laws=rssp.Uniform()) == [0, 1, 3]
    assert inside(laws=("Mixture(law=Uniform(low=-1.0, high=1.0*",)) == [4]
    assert inside(d=(2, math.inf)) == [1]
    assert inside(radius=(0.0, 0.5)) == [3]
    assert inside(targets="one") == [2]
    assert inside(ranges={"eps": (0.05, 1)}) == [0, 1, 2, 4]
    assert inside(values={"eps": (2.0**-4, 0.01)}) == [3, 4]
    assert inside(conditions=("k <= n / 2",)) == [0, 2, 3, 4]


def test_in_one_dimension_all_norms_are_one():
    assert inside(norm=1) == [0, 2, 3, 4]


def test_what_is_left_out_is_counted_and_named():
    found = Scope(laws=("uniform",), d=1, conditions=("k < n / 2",)).inside(TABLE)
    assert found.rows.index.tolist() == [3]
    assert sum(found.left_out.values()) == 4
    assert "1 with law = normal" in found.text
    assert "1 with d = 2" in found.text
    assert "1 with not k < n / 2" in found.text
    many = pd.DataFrame({"eps": np.linspace(0.1, 0.9, 9)})
    assert Scope(ranges={"eps": (0, 0.15)}).inside(many).text == "8 with other eps (8 values)"


@pytest.mark.parametrize("column", ["law", "d", "norm", "radius", "targets", "eps", "k"])
def test_a_table_without_a_column_of_the_scope_is_refused(column):
    scope = Scope(("uniform",), 1, math.inf, 1.0, "all", {"eps": (0, 1)}, conditions=("k < 2 * n",))
    with pytest.raises(ArgumentError, match=f"also {column}: the scope names it"):
        scope.inside(TABLE.drop(columns=column))


def test_the_near_miss_is_named():
    with pytest.raises(ArgumentError, match="Is 'radius_' it"):
        Scope(radius=1.0).inside(TABLE.rename(columns={"radius": "radius_"}))


@pytest.mark.parametrize(
    "wrong",
    [
        {"targets": "some"},
        {"ranges": {"eps": (1, 0)}},
        {"conditions": ("k <=",)},
        {"conditions": ("__import__('os')",)},
        {"conditions": ("k.real < n",)},
        {"conditions": ("1 < k < n",)},
    ],
)
def test_scopes_that_say_nothing_are_refused(wrong):
    with pytest.raises(ArgumentError):
        Scope(**wrong)


def test_the_command_runs_what_it_says():
    from rssp.laws.parse import parse_law

    assert Scope(laws=("normal",), d=(2, 4), norm=1, radius=0.5).command() == (
        "rssp estimate --eps 0.05 --delta 0.5 --law normal --dim 2 --radius 0.5 --norm 1"
    )
    triangle = rssp.FromScipy(__import__("scipy.stats").stats.triang(0.5, loc=-1, scale=2))
    text = Scope(laws=triangle, d=1).command()
    assert parse_law(text.split("'")[1]) == triangle or repr(parse_law(text.split("'")[1])) == repr(triangle)
    assert Scope(targets="one").command() == ""
    assert Scope(laws=("Mixture(*",)).command() == ""


@given(st.lists(st.tuples(st.floats(0, 2), st.floats(0, 2)), min_size=1, max_size=20), st.floats(0, 1), st.floats(1, 2))
def test_ranges_and_conditions_against_plain_python(pairs, low, high):
    table = pd.DataFrame(pairs, columns=["a", "b"])
    rows = Scope(ranges={"a": (low, high)}, conditions=("a <= 2 * b - 0.5",)).inside(table).rows
    slack = 1e-9
    plain = [i for i, (a, b) in enumerate(pairs) if low * (1 - slack) <= a <= high * (1 + slack) and a <= 2 * b - 0.5]
    assert rows.index.tolist() == plain
