"""``rssp ticket``: a strong lottery ticket for a model, and the verification of one."""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import Annotated

import typer

from rssp.cli.common import Json, Seed, Workers
from rssp.errors import ArgumentError

__all__ = ["ticket"]


def ticket(
    model: Annotated[
        str | None, typer.Argument(help="A .safetensors, .pt or .pth file of weights, or FILE.py:NAME, a torch module.")
    ] = None,
    eps: Annotated[float, typer.Option(help="The error allowed: of the output, or of a weight (plain).")] = 0.01,
    delta: Annotated[float, typer.Option(help="The probability that a weight is missed, where n is chosen.")] = 0.01,
    n: Annotated[int | None, typer.Option(help="Samples a weight; without it the covering law chooses.", min=1)] = None,
    construction: Annotated[str, typer.Option(help="plain, theorem (depth 2l) or shallow (depth l+1).")] = "theorem",
    architecture: Annotated[
        str | None, typer.Option(help="FILE.py:NAME, the module that a file of weights belongs to.")
    ] = None,
    activation: Annotated[
        str | None, typer.Option(help="What stands between the matrices of a bare stack, e.g. relu.")
    ] = None,
    input_: Annotated[str | None, typer.Option("--input", help="The shape of one input, e.g. 1x28x28.")] = None,
    normalise: Annotated[
        bool, typer.Option("--normalise", help="Bring weights beyond [-1, 1] there by powers of two.")
    ] = False,
    redraw: Annotated[
        int, typer.Option(help="How often the weights of an output are drawn again where one is missed.", min=0)
    ] = 0,
    out: Annotated[Path, typer.Option(help="The ticket file to write.")] = Path("ticket.safetensors"),
    seed: Seed = 0,
    workers: Workers = None,
    verify: Annotated[
        Path | None,
        typer.Option(
            help="Compute every figure of a ticket file again, instead, and compare: numbers to 1e-6 of themselves."
        ),
    ] = None,
    json: Json = False,
) -> None:
    """Prune a random network, by masks alone, to one that computes what a model computes, and certify its error."""
    import pandas as pd

    from rssp.report import as_json, print_table
    from rssp.tickets import command

    if verify is not None:
        if model is not None:
            raise ArgumentError("model", repr(model), "none beside --verify FILE")
        rows = command.verify_ticket(verify)
        table = pd.DataFrame(rows)
        print(as_json(table)) if json else print_table(table, str(verify), {"yes": "green", "NO": "red"})
        command.check_rows(rows)
        return
    if model is None:
        raise ArgumentError("model", "none", "a file of weights or FILE.py:NAME, or --verify FILE")
    shape = command.parse_shape(input_)
    target = command.read_model(model, architecture=architecture, shape=shape, activation=activation)
    if not json:
        print(target)
        _show_progress()
    _, figures = command.make_ticket(
        target, out, eps=eps, delta=delta, n=n, construction=construction, redraw=redraw, seed=seed,
        workers=workers or os.cpu_count() or 1, normalise=normalise,
    )  # fmt: skip
    table = pd.DataFrame(command.ticket_rows(figures), columns=["figure", "value"]).astype({"value": object})
    print(as_json(table, file=str(out))) if json else print_table(table)
    if not json:
        print(f"\nwritten: {out}")


def _show_progress() -> None:
    """Each layer as it is solved, on standard error."""
    logger = logging.getLogger("rssp.tickets")
    if not logger.handlers:
        handler = logging.StreamHandler()
        handler.setFormatter(logging.Formatter("%(message)s"))
        logger.addHandler(handler)
    logger.setLevel(logging.INFO)
