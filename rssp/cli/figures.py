"""``rssp figures``: drawn again from their stored tables."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rssp.cli.common import end_on

if TYPE_CHECKING:
    from rssp.study import Failure

__all__ = ["figures"]


def figures(
    studies: Annotated[
        list[str] | None, typer.Argument(help="The studies to draw; all with stored tables by default.")
    ] = None,
    tables: Annotated[
        Path | None, typer.Option(help="The folder that holds the tables; by default those that come with rssp.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Where to write; beside the tables unless these lie inside the package.")
    ] = None,
) -> None:
    """Draw the figures again from their stored tables, byte for byte, without computing anything."""
    from rssp._shipped import inside_package, tables_folder
    from rssp.errors import ArgumentError, StoreError
    from rssp.study import draw, find_study, list_studies, read_tables

    source = tables_folder() if tables is None else tables
    target = source if out is None else out
    if inside_package(target):
        raise ArgumentError(
            "--out", out or "none", "a folder outside the installed package", "For example: rssp figures --out figures"
        )
    names = studies or [n for n in list_studies() if any(source.glob(f"{n}-*.csv"))]
    if not names:
        raise StoreError(f"{source} holds no tables of any study. Run one first: rssp run lueker_1998")
    failures: list[Failure] = []
    for name in names:
        study = find_study(name)
        found = read_tables(study, source)
        for table in (t for t in found if found[t].empty):
            path = source / f"{study.name}-{table}.csv"
            print(f"rssp: {path} has no rows: what is drawn from it is empty", file=sys.stderr)
        files, failed = draw(study, found, target)
        for file in files:
            print(file)
        failures += failed
    end_on(failures)
