"""``rssp check``: the claims against what is stored."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from rssp.cli.common import VERDICT_STYLES, ClaimsFile, Figures, Json, Out, Workers, short

__all__ = ["check"]


def check(
    study: Annotated[
        str | None, typer.Argument(help="One study; all of them, with the whole catalogue, by default.")
    ] = None,
    scale: Annotated[
        str | None, typer.Option(help="Compute at this scale what is not stored: quick, standard, full.")
    ] = None,
    out: Out = Path("results"),
    figures: Figures = None,
    claims_file: ClaimsFile = None,
    workers: Workers = None,
    json: Json = False,
    latex: Annotated[bool, typer.Option("--latex", help="Print a LaTeX table (booktabs).")] = False,
    markdown: Annotated[bool, typer.Option("--markdown", help="Print a Markdown table.")] = False,
) -> None:
    """Hold the theorems against stored results: holds, violated, or the constant that the data imply."""
    from rssp.report import as_json, as_latex, as_markdown, print_table
    from rssp.report.verdicts import verdict_table, verdict_view
    from rssp.study.checking import all_verdicts, load_claims

    if claims_file is not None:
        load_claims(claims_file)
    verdicts, sources = all_verdicts(study, scale=scale, out=out, figures=figures, workers=workers, progress=not json)
    table = verdict_table(verdicts)
    if json:
        print(as_json(table, sources=sources))
    elif latex:
        print(as_latex(verdict_view(verdicts)))
    elif markdown:
        print(as_markdown(verdict_view(verdicts)))
    else:
        print_table(short(table), "", VERDICT_STYLES)
        for name, source in sources.items():
            print(f"{name}: {source}")
