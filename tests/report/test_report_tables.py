"""Tables for the terminal, for papers and for other programs: nothing is lost, and no text becomes markup."""

from __future__ import annotations

import json
import math
import re

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rssp.report import as_json, as_latex, as_markdown, print_table, records
from rssp.report.tables import number_text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""),
        (math.nan, ""),
        (3.0, "3"),
        (999_999.0, "999999"),
        (1e6, "1e+06"),
        (0.123456, "0.1235"),
        (12345.6, "1.235e+04"),
        (math.inf, "inf"),
        (12_345_678, "12345678"),
        (True, "True"),
        ("a b", "a b"),
        (np.float64(2.0), "2"),
    ],
)
def test_numbers_as_text(value, text):
    assert number_text(value) == text


entries = st.one_of(
    st.integers(-(2**62), 2**62), st.floats(), st.text(st.characters(codec="utf-8")), st.booleans(), st.none()
)
tables = st.lists(st.tuples(entries, st.floats(), st.text("ab|_\\\n<*$&", max_size=6)), min_size=1, max_size=4).map(
    lambda rows: pd.DataFrame(
        {"first": pd.Series([r[0] for r in rows], dtype=object), "x": [r[1] for r in rows], "b|c": [r[2] for r in rows]}
    )
)


def plain(value):
    """What is to be read back."""
    if isinstance(value, float) and not math.isfinite(value):
        return None if math.isnan(value) else str(value)
    return value


@settings(max_examples=40)
@given(tables)
def test_json_is_read_back(table):
    text = as_json(table, study="x", counts=[1, 2])
    data = json.loads(text, parse_constant=lambda word: pytest.fail(f"{word} is no JSON"))
    assert list(data) == ["study", "counts", "rows"]
    expected = [{name: plain(row[name]) for name in table.columns} for row in table.to_dict("records")]
    assert data["rows"] == expected
    assert records(table) == expected


def test_numpy_values_become_plain_ones():
    (row,) = records(pd.DataFrame({"a": [np.int64(3)], "b": [np.bool_(True)], "c": [np.float32(0.5)]}))
    assert [type(v) for v in row.values()] == [int, bool, float]


@settings(max_examples=40)
@given(tables)
def test_markdown_has_a_line_for_each_row_and_a_cell_for_each_column(table):
    lines = as_markdown(table).splitlines()
    assert len(lines) == 2 + len(table)
    assert lines[1] == "| --- | --- | --- |"
    for line in lines[2:]:
        assert len(re.findall(r"(?<!\\)(?:\\\\)*\|", line)) == 4
        assert not re.search(r"(?<!\\)(?:\\\\)*[*_`<>\[\]#~]", line)


def test_markdown():
    table = pd.DataFrame({"a": ["x|y", "two\nlines"], "b": [0.5, 2.0]})
    assert as_markdown(table) == "| a | b |\n| --- | --- |\n| x\\|y | 0.5 |\n| two lines | 2 |"


def test_latex():
    table = pd.DataFrame({"n_max": [3, 4], "text": ["50 % & {more}", r"a\b ~ c^2 < $1 > #"]})
    assert as_latex(table) == "\n".join(
        [
            r"\begin{tabular}{rl}",
            r"\toprule",
            r"n\_max & text \\",
            r"\midrule",
            r"3 & 50 \% \& \{more\} \\",
            r"4 & a\textbackslash{}b \textasciitilde{} c\textasciicircum{}2 $<$ \$1 $>$ \# \\",
            r"\bottomrule",
            r"\end{tabular}",
        ]
    )


def test_latex_with_a_caption_is_a_float_and_long_columns_share_the_line():
    table = pd.DataFrame({"a": ["x " * 10], "b": ["x " * 20], "c": ["x " * 80], "d": [1.0]})
    text = as_latex(table, "5 % of it", "tab:x")
    lines = text.splitlines()
    assert lines[:3] == [r"\begin{table}", r"\caption{5 \% of it}", r"\label{tab:x}"]
    assert lines[3] == r"\footnotesize"
    widths = [float(width) for width in re.findall(r"p\{([\d.]+)\\linewidth\}", lines[4])]
    assert lines[4].endswith("r}")
    assert len(widths) == 3
    assert widths[2] == pytest.approx(2 * widths[1], abs=0.03)  # as the roots of 80 and 20
    assert 0.7 < sum(widths) < 0.9  # four gaps and a number beside them
    assert lines[-1] == r"\end{table}"
    assert "label" not in as_latex(table, "5 % of it")
    assert "table}" not in as_latex(table, "", "tab:x")


def test_latex_sets_formulas_in_math_mode():
    table = pd.DataFrame({"eps": ["n* <= 2^-20, 9.537e-07 (delta = 1/2)"], "delta": ["log2(1/eps), own-delta, eps_l"]})
    assert as_latex(table).splitlines()[2:5] == [
        r"$\varepsilon$ & $\delta$ \\",
        r"\midrule",
        r"$n^*$ $\leq$ $2^{-20}$, $9.537 \times 10^{-7}$ ($\delta$ = 1/2) & "
        r"$\log_2$(1/$\varepsilon$), own-delta, eps\_l \\",
    ]


def test_latex_of_every_verdict_can_be_set():
    """What a compiler would stumble over, without one: braces, dollars, columns a row, the width of the line."""
    from rssp.claims import all_claims
    from rssp.claims.verdict import not_measured, out_of_reach
    from rssp.report.verdicts import verdict_paper_table

    verdicts = [make(c) for c in all_claims().values() for make in (not_measured, out_of_reach)]
    text = as_latex(verdict_paper_table(verdicts), "Claims", "tab:verdicts")
    bare = re.sub(r"\\[&%#_{}$]", "", text)
    assert bare.count("{") == bare.count("}")
    assert all(line.count("$") % 2 == 0 for line in bare.splitlines())
    assert all("$" in line or "^" not in line for line in bare.splitlines())
    assert len({line.count("&") for line in bare.splitlines() if line.endswith(r"\\")}) == 1
    assert sum(float(w) for w in re.findall(r"p\{([\d.]+)\\linewidth\}", text)) < 1


def test_the_terminal_gets_every_cell(capsys):
    table = pd.DataFrame({"name": ["one", "two [bold]"], "best": [0.25, np.nan], "n": [10, 20]})
    print_table(table, "a title", {"one": "red"})
    lines = [line.rstrip() for line in capsys.readouterr().out.splitlines()]
    assert lines[0] == "a title"
    assert lines[1].split() == ["name", "best", "n"]
    assert lines[2].split() == ["one", "0.25", "10"]
    assert lines[3].split() == ["two", "[bold]", "20"]
    best_ends = [lines[1].index("best") + 4, lines[2].index("0.25") + 4]
    assert best_ends[0] == best_ends[1]  # numbers stand to the right
    wide = pd.DataFrame({"name": ["x" * 100], "more": ["y" * 40]})
    print_table(wide)
    assert "x" * 100 + "  " + "y" * 40 in capsys.readouterr().out  # a pipe has no width: nothing is folded
