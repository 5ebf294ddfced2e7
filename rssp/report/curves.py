"""Curves of estimates with intervals, and claims as lines through them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from rssp.report.style import COLOURS
from rssp.schemas import require_columns

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["eps_label", "plot_estimates", "plot_line"]


def eps_label(eps: float) -> str:
    """eps as a power of two where it is one: ``$2^{-6}$``, else as a decimal."""
    power = np.log2(eps)
    return f"$2^{{{round(power)}}}$" if abs(power - round(power)) < 1e-9 else f"{eps:g}"


def plot_estimates(
    table: pd.DataFrame,
    x: str,
    *,
    ax: Axes,
    by: str | None = None,
    label: Callable[[Any], str] = str,
    line: bool = False,
    colours: Sequence[str] = COLOURS,
    marker: str = "o",
    **options: Any,
) -> list[Any]:
    """Points with intervals: `best` with [`low`, `high`] against the column `x`, one colour a value of `by`.

    An open end (`high` infinite) is drawn as an arrow to the top of the axes' range; rows without `best` are left out.
    Returns the artists.
    """
    require_columns(table, (x, "low", "best", "high", *(() if by is None else (by,))))
    artists: list[Any] = []
    groups = [(None, table)] if by is None else list(table.groupby(by, sort=True))
    for i, (value, rows) in enumerate(groups):
        rows = rows[np.isfinite(rows["best"])].sort_values(x)
        best, low, high = (rows[c].to_numpy(dtype=float) for c in ("best", "low", "high"))
        closed = np.isfinite(high)
        error = np.stack([np.maximum(best - low, 0), np.where(closed, np.maximum(high - best, 0), 0)])
        colour = colours[i % len(colours)]
        name = None if value is None else label(value)
        settings: dict[str, Any] = {"fmt": f"{marker}-" if line else marker, "color": colour, "label": name} | options
        artists.append(ax.errorbar(rows[x], best, yerr=error, **settings))
        if (~closed).any():
            artists.append(
                ax.plot(rows[x][~closed], best[~closed], marker="^", ls="", color=colour, ms=8, mfc="none")[0]
            )
    return artists


def plot_line(table: pd.DataFrame, x: str, y: str, *, ax: Axes, **options: Any) -> Any:
    """A claim or a fit: the column `y` against `x` as a line without points."""
    require_columns(table, (x, y))
    rows = table.sort_values(x)
    return ax.plot(rows[x], rows[y], **options)[0]
