"""Over-parameterization curves in d dimensions: n* against d, against log2(1/eps), and bounds over measurements."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from rssp.report.curves import eps_label, plot_estimates
from rssp.report.style import COLOURS
from rssp.schemas import require_columns

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["draw_cover", "plot_against_bits", "plot_against_d", "plot_factor"]


def plot_against_d(table: pd.DataFrame, slopes: Mapping[str, float], *, ax: Axes) -> None:
    """n* against d on logarithmic axes, one colour an eps, with claimed powers as slopes through the first point.

    Parameters
    ----------
    table : DataFrame with columns d, eps, low, best, high
    slopes : claimed exponents of d by their label
    """
    plot_estimates(table, "d", by="eps", ax=ax, line=True, label=lambda e: rf"$\varepsilon$ = {eps_label(e)}")
    d = np.sort(table["d"].unique()).astype(float)
    reached = table[np.isfinite(table["best"])]
    start = float(reached.loc[reached["d"] == d[0], "best"].min())
    for style, (name, slope) in zip(("--", ":", "-."), slopes.items(), strict=False):
        ax.plot(d, start * (d / d[0]) ** slope, color="0.35", ls=style, lw=1.1, label=name)
    ax.set(xscale="log", yscale="log", xlabel="$d$", ylabel=r"$n^*(d, \varepsilon, \delta)$")
    ax.set_xticks(d, [f"{x:g}" for x in d])
    ax.minorticks_off()
    top = float(reached["best"].max())
    ax.set_ylim(start / 1.5, top * 6)
    ticks = [t for t in (2, 5, 10, 20, 50, 100, 200, 500) if start / 1.5 <= t <= top * 6]
    ax.set_yticks(ticks, [str(t) for t in ticks])


def plot_against_bits(table: pd.DataFrame, *, ax: Axes) -> None:
    """n* against log2(1/eps), one colour a dimension, with the counting slope d as a dashed line through the first."""
    from matplotlib.ticker import MaxNLocator

    require_columns(table, ("d", "eps"))
    rows = table.assign(bits=-np.log2(table["eps"]))
    plot_estimates(rows, "bits", by="d", ax=ax, line=True, label=lambda d: f"$d$ = {d:g}")
    for i, (d, part) in enumerate(rows.groupby("d", sort=True)):
        part = part[np.isfinite(part["best"])].sort_values("bits")
        if len(part) > 1:
            first = part.iloc[0]
            line = first["best"] + float(d) * (part["bits"] - first["bits"])  # type: ignore[arg-type]
            ax.plot(part["bits"], line, color=COLOURS[i % len(COLOURS)], ls="--", lw=0.9)
    ax.set(xlabel=r"$\log_2(1/\varepsilon)$", ylabel=r"$n^*(d, \varepsilon, \delta)$")
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.set_ylim(bottom=0)


def plot_factor(table: pd.DataFrame, *, ax: Axes) -> None:
    """Bound over measurement against d on a logarithmic axis, one colour an eps; 1 is where they agree."""
    plot_estimates(table, "d", by="eps", ax=ax, line=True, label=lambda e: rf"$\varepsilon$ = {eps_label(e)}")
    ax.axhline(1, color="black", lw=0.8)
    ax.set(yscale="log", xlabel="$d$", ylabel="bound / measured $n^*$")
    ax.set_xticks(sorted(table["d"].unique()))


def draw_cover(points: pd.DataFrame, eps: float, witness: tuple[float, float] | None, *, ax: Axes, norm: float) -> None:
    """The sums of one sample in the plane, the squares that they cover at eps, the ball, and the worst target.

    Parameters
    ----------
    points : DataFrame with columns x, y: subset sums
    eps : half the side of a square
    witness : the target farthest from all sums, drawn where it is not covered
    norm : of the unit ball: 1, 2 or inf
    """
    require_columns(points, ("x", "y"), "points")
    from matplotlib.collections import PatchCollection
    from matplotlib.patches import Circle, Polygon, Rectangle

    squares = [Rectangle((x - eps, y - eps), 2 * eps, 2 * eps) for x, y in zip(points["x"], points["y"], strict=True)]
    ax.add_collection(PatchCollection(squares, facecolor="#cfe6f5", edgecolor="none"))
    ax.plot(points["x"], points["y"], ".", color=COLOURS[0], ms=2.2)
    edge: dict[str, Any] = {"facecolor": "none", "edgecolor": "black", "lw": 1.3}
    if norm == 2:
        ax.add_patch(Circle((0, 0), 1, **edge))
    else:
        corners = [(1, 0), (0, 1), (-1, 0), (0, -1)] if norm == 1 else [(1, 1), (-1, 1), (-1, -1), (1, -1)]
        ax.add_patch(Polygon(corners, **edge))
    if witness is not None:
        ax.plot(*witness, marker="*", ms=13, color=COLOURS[1], mec="black", mew=0.6, ls="")
    ax.set(xlim=(-1.35, 1.35), ylim=(-1.35, 1.35), aspect="equal", xlabel="$z_1$", ylabel="$z_2$")
    ax.grid(False)
