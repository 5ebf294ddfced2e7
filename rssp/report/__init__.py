"""What a reader sees: figures from tables, and tables for the terminal, for papers and for other programs."""

from rssp.report.curves import eps_label, plot_estimates, plot_line
from rssp.report.scaling import draw_cover, plot_against_bits, plot_against_d, plot_factor
from rssp.report.style import COLOURS, legend_outside, new_figure, save, style
from rssp.report.tables import as_json, as_latex, as_markdown, print_table, records

__all__ = [
    "COLOURS",
    "as_json",
    "as_latex",
    "as_markdown",
    "draw_cover",
    "eps_label",
    "legend_outside",
    "new_figure",
    "plot_against_bits",
    "plot_against_d",
    "plot_estimates",
    "plot_factor",
    "plot_line",
    "print_table",
    "records",
    "save",
    "style",
]
