"""What the studies of curves n*(d, eps, delta) share: from hitting times to tables, and from tables to figures."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

import pandas as pd

from rssp.claims import Claim
from rssp.inference import coverage, required_n
from rssp.report import legend_outside, new_figure, plot_against_bits, plot_against_d, plot_factor
from rssp.schemas import Column, Schema
from rssp.study.columns import ENDS, RESTS
from rssp.study.definition import Context, Tables

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from rssp.trials import Trials

__all__ = [
    "DELTAS",
    "JOINT",
    "SMOOTH",
    "curve_figures",
    "curve_tables",
    "exponent_finding",
    "exponent_schema",
    "factor_schema",
    "smooth",
    "summary",
    "summary_schema",
    "whole",
]

SMOOTH = "n* interpolated"
DELTAS = (0.5, 0.1)
_FIT = Schema(
    Column("chi2", "float", meaning="weighted sum of squared residuals"),
    Column("dof", "int", meaning="points less parameters"),
    Column("p_value", "float", meaning="of a chi2 as large, if the form is true"),
)
JOINT = Schema(Column("fit", "text", meaning="the scaling form"), Column("parameter", "text")) + ENDS + _FIT + RESTS
"""what `rssp.claims.exponents.joint_exponents` gives"""


def exponent_schema(by: Column, claims: Sequence[str]) -> Schema:
    """What `rssp.claims.exponents.compare_exponents` gives for each value of `by`."""
    head = Schema(
        Column("variable", "text", meaning="whose exponent"),
        by,
        Column("points", "int", meaning="points reached"),
        Column("from", "float", meaning="smallest value of the variable"),
        Column("to", "float", meaning="largest value of the variable"),
    )
    tail = [Column(id, "float", meaning="the claim's exponent over the same points") for id in claims]
    return head + ENDS + Schema(_FIT.columns[-1], *tail) + RESTS


def factor_schema(*variables: Column) -> Schema:
    """What `rssp.claims.exponents.bound_factor` gives for a claim of these variables."""
    middle = Schema(
        Column("claim", "text"),
        Column("C", "float", meaning="fitted at the corner"),
        Column("bound", "float", meaning="the claim's n"),
    )
    return Schema(*variables) + middle + ENDS + RESTS


def summary_schema(*keys: Column) -> Schema:
    """What `summary` gives."""
    cells = [Column(f"delta = {delta:g}", "text", meaning="n* [low, high]") for delta in DELTAS]
    trials, counting = Column("trials", "int"), Column("counting", "float", meaning="necessary by counting")
    return Schema(*keys, trials, *cells, counting)


def curve_tables(runs: Mapping[str, Trials], context: Context) -> dict[str, pd.DataFrame]:
    """P(n, eps) and n*(eps, delta), whole and interpolated, of each task, with the task's keys as columns."""
    probabilities, required = [], []
    for name, trials in runs.items():
        keys = context.tasks[name].keys
        probabilities.append(coverage(trials).assign(**keys))
        required += [
            required_n(trials, delta=DELTAS, interpolated=interpolated).assign(**keys) for interpolated in (False, True)
        ]
    return {
        "coverage": pd.concat(probabilities, ignore_index=True),
        "required": pd.concat(required, ignore_index=True),
    }


def whole(required: pd.DataFrame) -> pd.DataFrame:
    """The rows of the whole-number n*."""
    return required[required["quantity"] == "n*"]


def smooth(required: pd.DataFrame, delta: float = 0.5) -> pd.DataFrame:
    """The rows of the interpolated n* at one delta."""
    return required[(required["quantity"] == SMOOTH) & (required["delta"] == delta)]


def summary(required: pd.DataFrame, by: Sequence[str], counting: Claim) -> pd.DataFrame:
    """What a run prints: n* with its interval in a column for each delta, beside the trials and the counting bound."""
    rows = whole(required)
    cell = [f"{b:.0f} [{a:.0f}, {c:.0f}]" for a, b, c in zip(rows["low"], rows["best"], rows["high"], strict=True)]
    column = [f"delta = {delta:g}" for delta in rows["delta"]]
    index = [*by, "trials"]
    wide = rows.assign(cell=cell, column=column).pivot(index=index, columns="column", values="cell")
    wide = wide[[f"delta = {delta:g}" for delta in DELTAS]].reset_index()
    wide = wide.sort_values(list(by), ascending=[name != "eps" for name in by])
    return wide.assign(counting=counting.bound(d=wide["d"].to_numpy(), eps=wide["eps"].to_numpy()))


def curve_figures(
    points: Callable[[Tables], pd.DataFrame], slopes: Mapping[str, float], what: str, factor: str
) -> dict[str, Callable[[Tables], Figure]]:
    """The three figures of a curve: against d with claimed slopes, against log2(1/eps), and bound over measurement.

    `points` takes the rows to draw from a study's tables; `what` and `factor` are the titles.
    """

    def dimension(tables: Tables) -> Figure:
        figure, (ax,) = new_figure(width=6.8, height=4.4)
        plot_against_d(points(tables), slopes, ax=ax)
        ax.set_title(what)
        legend_outside(ax)
        return figure

    def bits(tables: Tables) -> Figure:
        figure, (ax,) = new_figure(width=6.8, height=4.4)
        plot_against_bits(points(tables), ax=ax)
        ax.set_title(f"{what}; dashed: slope $d$")
        legend_outside(ax)
        return figure

    def over(tables: Tables) -> Figure:
        figure, (ax,) = new_figure(width=6.8, height=4.4)
        plot_factor(tables["factor"], ax=ax)
        ax.set_title(factor)
        legend_outside(ax)
        return figure

    return {"dimension": dimension, "bits": bits, "factor": over}


def exponent_finding(exponents: pd.DataFrame, claim_id: str) -> list[str]:
    """What a table of exponents of d says, beside the exponent of the claim over the same points."""
    claimed = exponents[claim_id]
    return [
        f"The exponent of d is {exponents['best'].min():.2f} to {exponents['best'].max():.2f}, over d = "
        f"{exponents['from'].min():.0f} to {exponents['to'].max():.0f}; the theorem's is {claimed.min():.1f} to "
        f"{claimed.max():.1f} there."
    ]
