"""A table that lacks a column is refused where it enters a function, with the near miss named."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from rssp.claims import claim
from rssp.claims.exponents import (
    bound_factor,
    claimed_exponent,
    compare_exponents,
    exponent_verdict,
    joint_exponents,
)
from rssp.errors import ArgumentError, ArgumentTypeError
from rssp.inference import fit_scaling, points_covariance
from rssp.inference.growth import GROWTH, smallest_growth
from rssp.inference.tails import tail_crossing, tail_slopes
from rssp.prediction.model_error import fitted_model_errors
from rssp.report import new_figure, plot_estimates, plot_line
from rssp.report.scaling import draw_cover, plot_against_bits, plot_against_d, plot_factor
from rssp.schemas import require_columns

COUNTING = claim("counting-cube")
GRID = pd.DataFrame(
    {
        "d": np.repeat([1, 2, 3], 3), "eps": np.tile([0.25, 0.125, 0.0625], 3), "n": np.arange(9) + 3, "delta": 0.5,
        "low": np.arange(9) + 5.0, "best": np.arange(9) + 5.5, "high": np.arange(9) + 6.0, "experiment": "a",
        "relative_error": 0.1, "variable": "d", "from": 1.0, "to": 3.0, COUNTING.id: 1.0, "x": 0.0, "y": 0.0,
        "law": "uniform", "trials": 100, "confidence": 0.95, "predicted": 0.5, "predicted_error": 0.01, "v_low": 0.0,
        "v_high": 1.0, "quantity": "q", "evidence": "measured",
    }
)  # fmt: skip
ENDS = ("low", "best", "high")
DOORS = {
    claimed_exponent: (lambda t: claimed_exponent(COUNTING, t, "d"), ("d", "eps")),
    compare_exponents: (lambda t: compare_exponents(t, [COUNTING], "d", "eps"), ("d", "eps", *ENDS)),
    joint_exponents: (joint_exponents, ("d", "eps", *ENDS)),
    exponent_verdict: (
        lambda t: exponent_verdict(COUNTING, t, "n*"), (*ENDS, COUNTING.id, "variable", "from", "to"),
    ),
    bound_factor: (lambda t: bound_factor(COUNTING, t, {"d": 1, "eps": 0.25}), ("d", "eps", *ENDS)),
    fit_scaling: (lambda t: fit_scaling(t, "log"), ("eps", *ENDS)),
    tail_slopes: (tail_slopes, ("n", "relative_error", *ENDS)),
    tail_crossing: (lambda t: tail_crossing(t, 0.1), ("n", *ENDS)),
    points_covariance: (points_covariance, ("eps", "delta", "experiment")),
    smallest_growth: (smallest_growth, GROWTH.names),
    fitted_model_errors: (
        fitted_model_errors, ("law", "d", "n", "trials", *ENDS, "confidence", "predicted", "predicted_error"),
    ),
    plot_estimates: (lambda t: plot_estimates(t, "n", by="d", ax=_axes()), ("n", "d", *ENDS)),
    plot_line: (lambda t: plot_line(t, "n", "best", ax=_axes()), ("n", "best")),
    plot_against_d: (lambda t: plot_against_d(t, {}, ax=_axes()), ("d", "eps", *ENDS)),
    plot_against_bits: (lambda t: plot_against_bits(t, ax=_axes()), ("d", "eps", *ENDS)),
    plot_factor: (lambda t: plot_factor(t, ax=_axes()), ("d", "eps", *ENDS)),
    draw_cover: (lambda t: draw_cover(t, 0.1, None, ax=_axes(), norm=2), ("x", "y")),
}  # fmt: skip


def _axes():
    return np.ravel(new_figure()[1])[0]


@pytest.mark.parametrize(
    ("door", "column"),
    [pytest.param(door, c, id=f"{f.__name__}-{c}") for f, (door, columns) in DOORS.items() for c in columns],
)
def test_a_misspelt_column_is_named_at_the_door(door, column):
    wrong = column + "_"
    with pytest.raises(ArgumentError, match=rf"\b{column}\b") as told:
        door(GRID.rename(columns={column: wrong}))
    assert f"{column!r} is missing: is {wrong!r} it?" in str(told.value)


def test_other_columns_are_let_through_and_what_is_no_table_is_not():
    require_columns(GRID, ["d", "d"])
    with pytest.raises(ArgumentTypeError, match="points"):
        require_columns([1, 2], ["d"], "points")  # type: ignore[arg-type]
    with pytest.raises(ArgumentError, match=r"'velocity' is missing\."):
        require_columns(GRID, ["velocity"])
    with pytest.raises(ArgumentError, match="no columns"):
        require_columns(pd.DataFrame(), ["d"])


@pytest.mark.parametrize(("variable", "by", "named"), [("k", "eps", "variable"), ("d", "k", "by")])
def test_exponents_are_of_d_or_of_eps(variable, by, named):
    with pytest.raises(ArgumentError, match=named):
        compare_exponents(GRID, [COUNTING], variable, by)
