"""Figures from tables: functions that take a table and axes, draw what they are given and return the artists."""

from rssp.plots.curves import eps_label, plot_estimates, plot_line
from rssp.plots.scaling import draw_cover, plot_against_bits, plot_against_d, plot_factor
from rssp.plots.style import COLOURS, legend_outside, new_figure, save, style

__all__ = [
    "COLOURS",
    "draw_cover",
    "eps_label",
    "legend_outside",
    "new_figure",
    "plot_against_bits",
    "plot_against_d",
    "plot_estimates",
    "plot_factor",
    "plot_line",
    "save",
    "style",
]
