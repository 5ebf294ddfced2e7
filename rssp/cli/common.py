"""Options that several commands have, and how they show verdicts."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["VERDICT_STYLES", "ClaimsFile", "Figures", "Json", "Out", "Scale", "Seed", "Workers", "short"]

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

VERDICT_STYLES = {"holds": "green", "violated": "red", "consistent": "cyan", "undecided by these data": "yellow"}
VERDICT_STYLES |= {"out of reach here": "dim"}


def short(table: pd.DataFrame) -> pd.DataFrame:
    """What a person reads first of a table of verdicts; the rest is in --json."""
    return table[["claim", "measured", "verdict", "detail"]]
