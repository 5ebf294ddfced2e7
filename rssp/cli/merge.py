"""``rssp merge``: several stores become one."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from rssp.cli.common import Json

__all__ = ["merge"]


def merge(
    directories: Annotated[list[Path], typer.Argument(help="Result stores to merge (the `store` folders).")],
    out: Annotated[Path, typer.Option(help="The store to write; may be one that exists.")],
    json: Json = False,
) -> None:
    """Merge result stores: what several machines computed becomes one run; a batch seen twice counts once."""
    from rssp import montecarlo
    from rssp.report import as_json, print_table

    montecarlo.merge(directories, out)
    table = montecarlo.status(out)
    print(as_json(table)) if json else print_table(table)
