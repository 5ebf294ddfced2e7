"""One table, four faces: a terminal's, JSON, Markdown and LaTeX (booktabs)."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Mapping
from typing import Any

import pandas as pd

__all__ = ["as_json", "as_latex", "as_markdown", "number_text", "print_table", "records"]

_FILE_WIDTH = 160

_WIDE = 30  # letters: longer cells are set in paragraphs
_ESCAPES = {
    "&": r"\&",
    "%": r"\%",
    "#": r"\#",
    "_": r"\_",
    "{": r"\{",
    "}": r"\}",
    "~": r"\textasciitilde{}",
    "$": r"\$",
}
_ESCAPES |= {"^": r"\textasciicircum{}", "\\": r"\textbackslash{}", "<": r"$<$", ">": r"$>$"}


def number_text(value: Any) -> str:
    """A cell as text: whole numbers in full, others to four digits, nothing for a missing value."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    if isinstance(value, float):
        return f"{value:.0f}" if abs(value) < 1e6 and value == round(value) else f"{value:.4g}"
    return str(value)


def records(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Plain values: None for what is missing, text for what JSON has no number for."""
    rows = []
    for record in table.to_dict("records"):
        row: dict[str, Any] = {}
        for name, value in record.items():
            if hasattr(value, "item"):
                value = value.item()
            if isinstance(value, float) and not math.isfinite(value):
                value = None if math.isnan(value) else str(value)
            row[str(name)] = value
        rows.append(row)
    return rows


def as_json(table: pd.DataFrame, **extra: Any) -> str:
    """The rows as JSON, with other entries beside them."""
    return json.dumps({**extra, "rows": records(table)}, indent=1, ensure_ascii=False)


def as_markdown(table: pd.DataFrame) -> str:
    """The table in Markdown."""
    lines = ["| " + " | ".join(map(str, table.columns)) + " |", "|" + " --- |" * len(table.columns)]
    for row in table.itertuples(index=False):
        lines.append("| " + " | ".join(map(_markdown, row)) + " |")
    return "\n".join(lines)


def _markdown(value: Any) -> str:
    """A cell's text, with what Markdown would take for markup as it is."""
    text = " ".join(number_text(value).split())
    return "".join("\\" + c if c in "\\|*_`<>[]#~" else c for c in text)


def _latex(value: Any) -> str:
    return "".join(_ESCAPES.get(c, c) for c in number_text(value))


def as_latex(table: pd.DataFrame, caption: str = "", label: str = "") -> str:
    """The table as a LaTeX tabular with the rules of booktabs; with a caption in a float, with a label in it.

    Columns with long texts are paragraphs (``p{...}``) that share the width of the line.
    """
    texts = {c: [number_text(v) for v in table[c]] for c in table.columns}
    longest = {c: max([len(str(c)), *map(len, cells)]) for c, cells in texts.items()}
    wide = [c for c in table.columns if longest[c] > _WIDE]
    share = {c: 0.9 * longest[c] ** 0.5 / sum(longest[w] ** 0.5 for w in wide) for c in wide}
    columns = "".join(
        rf"p{{{share[c]:.2f}\linewidth}}" if c in share else "r" if pd.api.types.is_numeric_dtype(table[c]) else "l"
        for c in table.columns
    )
    lines = [
        rf"\begin{{tabular}}{{{columns}}}",
        r"\toprule",
        " & ".join(map(_latex, table.columns)) + r" \\",
        r"\midrule",
    ]
    lines += [" & ".join(_latex(v) for v in row) + r" \\" for row in table.itertuples(index=False)]
    lines += [r"\bottomrule", r"\end{tabular}"]
    if caption:
        named = [rf"\label{{{label}}}"] if label else []
        lines = [r"\begin{table}", rf"\caption{{{_latex(caption)}}}", *named, *lines, r"\end{table}"]
    return "\n".join(lines)


def print_table(table: pd.DataFrame, title: str = "", styles: Mapping[str, str] | None = None) -> None:
    """The table on the terminal; `styles` colours a cell by its text."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    view = Table(title=title or None, title_justify="left", title_style="bold", header_style="bold", box=None)
    for i, name in enumerate(table.columns):
        numeric = pd.api.types.is_numeric_dtype(table[name])
        view.add_column(str(name), justify="right" if numeric else "left", overflow="fold", no_wrap=i == 0)
    for row in table.itertuples(index=False):
        texts = [number_text(v) for v in row]
        view.add_row(*[Text(t, style=(styles or {}).get(t, "")) for t in texts])
    # a file or a pipe has no width of its own
    Console(width=None if sys.stdout.isatty() else _FILE_WIDTH).print(view)
