"""What the studies of curves n*(d, eps, delta) share: from hitting times to tables."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pandas as pd

from rssp.claims import Claim
from rssp.inference import coverage, required_n
from rssp.report import legend_outside, new_figure, plot_against_bits, plot_against_d, plot_factor
from rssp.trials import Trials

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SMOOTH = "n* interpolated"
DELTAS = (0.5, 0.1)


def curve_tables(trials: Mapping[str, Trials], keys: Mapping[str, Mapping[str, Any]]) -> dict[str, pd.DataFrame]:
    """P(n, eps) and n*(eps, delta), whole and interpolated, of each task; `keys` are columns to tell them apart."""
    probabilities, required = [], []
    for name, seen in trials.items():
        probabilities.append(coverage(seen).assign(**keys[name]))
        for interpolated in (False, True):
            required.append(required_n(seen, delta=DELTAS, interpolated=interpolated).assign(**keys[name]))
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


Tables = Mapping[str, pd.DataFrame]


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
