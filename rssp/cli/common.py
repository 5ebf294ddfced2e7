"""Options that several commands have, and how they show verdicts."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rssp.claims import Verdict
    from rssp.study import Failure

__all__ = [
    "VERDICT_STYLES",
    "ClaimsFile",
    "Figures",
    "Json",
    "Out",
    "Prefer",
    "Scale",
    "Seed",
    "Workers",
    "end_on",
    "print_verdicts",
]

Scale = Annotated[str, typer.Option(help="How much work: quick (a minute), standard (ten), full (paper grade).")]
Out = Annotated[Path, typer.Option(help="Where results are kept; a run that was stopped resumes from here.")]
Workers = Annotated[int | None, typer.Option(help="Threads; all cores by default. Results do not depend on it.")]
Seed = Annotated[int, typer.Option(help="The same seed gives the same results, bit for bit.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]
Figures = Annotated[
    Path | None, typer.Option(help="Folder of stored tables to fall back to; by default those that come with rssp.")
]
ClaimsFile = Annotated[
    Path | None, typer.Option("--claims", help="A Python file of yours that adds claims with rssp.add_claim(...).")
]

VERDICT_STYLES = {
    "holds": "green",
    "violated": "red",
    "form not supported": "red",
    "error": "red",
    "consistent": "cyan",
    "undecided": "yellow",
    "not measured yet": "dim",
    "out of reach": "dim",
}
Prefer = Annotated[
    str, typer.Option(help="Which stored tables win: best (the largest scale of all), or results (those under --out).")
]


def print_verdicts(verdicts: Sequence[Verdict], verbose: bool = False) -> None:
    """Verdicts for reading: one line each, or all there is to say."""
    import shutil
    import sys

    from rich.console import Console
    from rich.text import Text

    from rssp.report.verdicts import false_alarms, legend, verdict_lines, verdict_text

    if not verdicts:
        print("no claim of the catalogue is measured here; `rssp claims` lists them, `rssp list` the studies")
        return
    width = shutil.get_terminal_size((80, 24)).columns if sys.stdout.isatty() else 80
    console = Console(width=max(width, 80), soft_wrap=True, highlight=False)
    if verbose:
        console.print(Text("\n\n".join(verdict_text(v, width) for v in verdicts)))
    else:
        for name, status, why in verdict_lines(verdicts, width):
            console.print(Text.assemble(name, "  ", (status, VERDICT_STYLES.get(status, "")), "\n    ", why))
        console.print(Text("\n" + legend(width)))
    console.print(Text("\n".join(textwrap.wrap(false_alarms(verdicts), width))))


def end_on(failures: Sequence[Failure]) -> None:
    """Say what failed, with the traceback of the study's own files, and end with exit code 1; nothing for none."""
    import sys

    for failure in failures:
        print(f"\nrssp: {failure}\n{failure.traceback}", file=sys.stderr, end="")
    if failures:
        print("\nrssp: everything else was kept", file=sys.stderr)
        raise typer.Exit(1)
