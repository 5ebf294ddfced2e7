"""``rssp status``: what a results folder holds."""

from __future__ import annotations

from pathlib import Path

from rssp.cli.common import Json, Out

__all__ = ["status"]


def status(out: Out = Path("results"), json: Json = False) -> None:
    """What a results folder holds: experiments, trials done, time spent, why a run stopped, damaged files."""
    from rssp import montecarlo
    from rssp.report import as_json, print_table

    store = out / "store" if (out / "store").is_dir() else out
    table = montecarlo.status(store)
    print(as_json(table)) if json else print_table(table)
