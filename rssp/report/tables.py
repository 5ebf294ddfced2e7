"""One table, four faces: a terminal's, JSON, Markdown and LaTeX (booktabs)."""

from __future__ import annotations

import json
import math
import re
import sys
from collections.abc import Mapping
from typing import Any

import pandas as pd

__all__ = ["as_json", "as_latex", "as_markdown", "number_text", "print_table", "records"]

_FILE_WIDTH = 160

_WIDE = 30  # letters: longer cells are set in paragraphs
_LINE = 75  # letters that a line of print holds; wider tables are set in paragraphs of smaller letters
_SHORT = 12  # letters of columns that keep their own width there
_GAP, _LETTER = 0.035, 0.009  # of the line: what separates columns, and a small letter
_MATHS = re.compile(
    r"(?P<power>\b\d+\^-?\d+(?!\w))|(?P<scientific>(?<![\w.])\d+(?:\.\d+)?e[+-]\d+\b)|(?P<star>\bn\*)"
    r"|(?P<order>[<>]=|[<>])|(?P<greek>(?<![\w-])(?:eps|delta|kappa|alpha)(?![\w-]))|(?P<log>\blog2(?=[ (]))"
)
"""what is a formula in a plain text"""
_GREEK = {"eps": r"\varepsilon"}
_ORDER = {"<=": r"\leq", ">=": r"\geq"}
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
_ESCAPES |= {"^": r"\textasciicircum{}", "\\": r"\textbackslash{}"}


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
    """A cell's text: formulas in math mode, everything else as it is."""
    text, done, parts = number_text(value), 0, []
    for found in _MATHS.finditer(text):
        parts += [_escaped(text[done : found.start()]), f"${_math(str(found.lastgroup), found.group())}$"]
        done = found.end()
    return "".join([*parts, _escaped(text[done:])])


def _escaped(text: str) -> str:
    return "".join(_ESCAPES.get(c, c) for c in text)


def _math(kind: str, text: str) -> str:
    if kind == "power":
        base, exponent = text.split("^")
        return f"{base}^{{{exponent}}}"
    if kind == "scientific":
        digits, exponent = text.split("e")
        return rf"{digits} \times 10^{{{int(exponent)}}}"
    if kind == "greek":
        return _GREEK.get(text, rf"\{text}")
    return {"star": "n^*", "log": r"\log_2"}.get(kind, _ORDER.get(text, text))


def _columns(table: pd.DataFrame) -> tuple[list[str], bool]:
    """How each column is set, and whether the table is too wide for letters of the usual size."""
    longest = [max([len(str(c)), *(len(number_text(v)) for v in table[c])]) for c in table.columns]
    numeric = [pd.api.types.is_numeric_dtype(table[c]) for c in table.columns]
    wide = sum(longest) + 3 * len(longest) > _LINE
    least = _SHORT if wide and max(longest, default=0) > _WIDE else _WIDE
    paragraphs = [size > least and not number for size, number in zip(longest, numeric, strict=True)]
    kept = sum(size for size, p in zip(longest, paragraphs, strict=True) if not p)
    words = [_LETTER * max(map(len, re.split(r"[ -]", " ".join(map(number_text, table[c])))), default=0) for c in table]
    room = 1 - _GAP * len(longest) - _LETTER * kept - sum(w for w, p in zip(words, paragraphs, strict=True) if p)
    roots = sum(size**0.5 for size, p in zip(longest, paragraphs, strict=True) if p)
    shares = [word + max(room, 0.0) * size**0.5 / max(roots, 1.0) for word, size in zip(words, longest, strict=True)]
    settings = [
        rf"p{{{share:.2f}\linewidth}}" if p else "r" if number else "l"
        for share, p, number in zip(shares, paragraphs, numeric, strict=True)
    ]
    return settings, any(paragraphs)


def as_latex(table: pd.DataFrame, caption: str = "", label: str = "") -> str:
    """The table as a LaTeX tabular with the rules of booktabs; with a caption in a float, with a label in it.

    Columns with long texts are paragraphs (``p{...}``) that share what the others leave of the line. Formulas in a text
    (2^-4, 1e-7, n*, eps, <=) are set in math mode.
    """
    columns, small = _columns(table)
    lines = [
        rf"\begin{{tabular}}{{{''.join(columns)}}}",
        r"\toprule",
        " & ".join(map(_latex, table.columns)) + r" \\",
        r"\midrule",
    ]
    lines += [" & ".join(_latex(v) for v in row) + r" \\" for row in table.itertuples(index=False)]
    lines += [r"\bottomrule", r"\end{tabular}"]
    if caption:
        named = [rf"\label{{{label}}}"] if label else []
        size = [r"\footnotesize"] if small else []
        lines = [r"\begin{table}", rf"\caption{{{_latex(caption)}}}", *named, *size, *lines, r"\end{table}"]
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
