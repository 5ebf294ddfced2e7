"""``rssp check``: the claims against what is stored."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rssp.cli.common import ClaimsFile, Figures, Json, Out, Prefer, Workers, print_verdicts

if TYPE_CHECKING:
    from rssp.claims import Verdict

__all__ = ["check"]


def check(
    study: Annotated[
        str | None,
        typer.Argument(help="One study, or one claim's id; all studies and the whole catalogue by default."),
    ] = None,
    scale: Annotated[
        str | None,
        typer.Option(
            help="Compute at this scale what is not stored: quick, standard, full. With --claims only what these need."
        ),
    ] = None,
    out: Out = Path("results"),
    figures: Figures = None,
    prefer: Prefer = "best",
    claims_file: ClaimsFile = None,
    workers: Workers = None,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="All there is to say of each verdict.")] = False,
    json: Json = False,
    latex: Annotated[bool, typer.Option("--latex", help="Print a LaTeX table (booktabs).")] = False,
    markdown: Annotated[bool, typer.Option("--markdown", help="Print a Markdown table.")] = False,
) -> None:
    """Hold the theorems against stored results: holds, violated, or the constant that the data imply."""
    from rssp.claims import Status
    from rssp.report import as_json, as_latex, as_markdown
    from rssp.report.verdicts import false_alarms, verdict_paper_table, verdict_table, verdict_view
    from rssp.study.checking import added_verdicts, load_claims

    if claims_file is not None:
        load_claims(claims_file)
    options: dict[str, Any] = {"scale": scale, "out": out, "figures": figures, "workers": workers, "prefer": prefer}
    if claims_file is not None and study is None:
        verdicts, sources = added_verdicts(progress=not json, **options)
        one = True
    else:
        verdicts, sources, one = _verdicts(study, progress=not json, **options)
    if json:
        print(as_json(verdict_table(verdicts), sources=sources, false_alarms=false_alarms(verdicts)))
    elif latex:
        print(as_latex(verdict_paper_table(verdicts), "Claims against measurements", "tab:verdicts"))
    elif markdown:
        print(as_markdown(verdict_view(verdicts)))
    else:
        print_verdicts(verdicts, verbose or one)
        for name, source in sources.items():
            print(f"{name}: {source}")
    if any(v.status is Status.ERROR for v in verdicts):
        raise typer.Exit(1)


def _verdicts(name: str | None, **options: Any) -> tuple[list[Verdict], dict[str, str], bool]:
    """The verdicts of a study, of a claim, or of all; and whether it is one claim's."""
    from rssp.claims import all_claims
    from rssp.study import list_studies, measured_by
    from rssp.study.checking import all_verdicts

    if name is None or name in list_studies() or name not in all_claims():
        return *all_verdicts(name, **options), False
    found: list[Verdict] = []
    sources: dict[str, str] = {}
    for study in measured_by().get(name, ()) or (None,):
        more, where = all_verdicts(study, **options)
        found += [v for v in more if v.claim.id == name]
        sources |= where if study else {}
    return found, sources, True
