"""What `rssp ticket` does: prune for a model named on the command line, and verify a ticket file."""

from __future__ import annotations

import importlib.util
import logging
import math
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
from torch import nn

from rssp.errors import ArgumentError, RsspError
from rssp.tickets.construction import PLAIN, SHALLOW, THEOREM, Construction
from rssp.tickets.files import load_ticket, save_ticket, stored_summary, stored_witness
from rssp.tickets.network import Network
from rssp.tickets.prune import prune
from rssp.tickets.read import read_target
from rssp.tickets.scaling import normalised
from rssp.tickets.ticket import Ticket

__all__ = ["CONSTRUCTIONS", "make_ticket", "named_module", "parse_shape", "read_model", "ticket_rows", "verify_ticket"]

CONSTRUCTIONS: Mapping[str, Construction] = {c.name: c for c in (PLAIN, THEOREM, SHALLOW)}
_ATTACK_SEED = 0
_ATTACKED = "attacked output error"
_SAME = 1e-6  # of a figure: between instruction sets certificates were seen to differ by 2e-11
_LOG = logging.getLogger("rssp.tickets")


@contextmanager
def _beside(folder: Path) -> Iterator[None]:
    """As for a script: the file may import what lies beside it."""
    sys.path.insert(0, str(folder))
    try:
        yield
    finally:
        sys.path.remove(str(folder))


def named_module(place: str) -> nn.Module:
    """The module that ``FILE.py:NAME`` names: an nn.Module, or a class or function that makes one without arguments.

    The file is executed, as `python FILE.py` would.
    """
    file, colon, name = place.rpartition(":")
    path = Path(file)
    if not colon or path.suffix != ".py" or not name.isidentifier():
        raise ArgumentError("model", repr(place), "a .safetensors, .pt or .pth file, or FILE.py:NAME")
    if not path.is_file():
        raise ArgumentError("model", f"{file!r}, which is not a file", "an existing Python file")
    spec = importlib.util.spec_from_file_location(f"rssp_model_{path.stem}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    try:
        with _beside(path.resolve().parent):
            spec.loader.exec_module(module)
            found = getattr(module, name, None)
            if callable(found) and not isinstance(found, nn.Module):
                found = found()
    except Exception as cause:  # the file is the user's: it may raise anything
        raise ArgumentError(
            "model", f"{place!r}, which raises {type(cause).__name__}: {cause}", "a file that runs"
        ) from cause
    if not isinstance(found, nn.Module):
        known = [k for k, v in vars(module).items() if isinstance(v, nn.Module)]
        there = f"; modules there: {', '.join(known)}" if known else ""
        raise ArgumentError("model", f"{place!r}, a {type(found).__name__}", f"the name of a torch.nn.Module{there}")
    return found


def parse_shape(text: str | None) -> tuple[int, ...] | None:
    """ "1x28x28" or "1,28,28" as the shape of one input.

    >>> parse_shape("1x28x28"), parse_shape(None)
    ((1, 28, 28), None)
    """
    if text is None:
        return None
    try:
        return tuple(int(part) for part in text.replace(",", "x").split("x"))
    except ValueError:
        raise ArgumentError("input", repr(text), "the shape of one input, e.g. 1x28x28") from None


def read_model(
    model: str, *, architecture: str | None = None, shape: tuple[int, ...] | None = None, activation: str | None = None
) -> Network:
    """The target of a command line: a file of weights with its architecture or activation, or FILE.py:NAME."""
    if Path(model).suffix.lower() in (".safetensors", ".pt", ".pth"):
        beside = None if architecture is None else named_module(architecture)
        return read_target(model, shape, architecture=beside, activation=activation)
    if architecture is not None:
        raise ArgumentError("architecture", architecture, "none, where the model is a module itself")
    return read_target(named_module(model), shape)


def make_ticket(
    target: Network,
    out: Path,
    *,
    eps: float,
    delta: float = 0.01,
    n: int | None = None,
    construction: str = "theorem",
    redraw: int = 0,
    seed: int = 0,
    workers: int = 1,
    normalise: bool = False,
) -> tuple[Ticket, dict[str, Any]]:
    """Prune a random network to the target, attack what was found, and save it; the ticket and its figures.

    The input that the attack found is kept in the file, so that `verify_ticket` can evaluate it again.
    """
    if construction not in CONSTRUCTIONS:
        raise ArgumentError("construction", repr(construction), "one of " + ", ".join(CONSTRUCTIONS))
    if out.suffix != ".safetensors":
        raise ArgumentError("out", repr(str(out)), "a name that ends in .safetensors")
    if out.exists() and not out.is_file():
        raise ArgumentError("out", repr(str(out)), "a file, not a folder")
    start = perf_counter()
    scale = 1.0
    if normalise:
        target, scale = normalised(target)
    ticket = prune(
        target,
        n,
        eps / scale,
        delta=delta,
        construction=CONSTRUCTIONS[construction],
        rng=np.random.default_rng(seed),
        redraw=redraw,
        workers=workers,
    )
    _LOG.info("attack on the output")
    found = ticket.output_error(draws=200, restarts=16, rng=np.random.default_rng(_ATTACK_SEED))
    _LOG.info("certificate of the output")
    figures = ticket.summary() | {_ATTACKED: found.adversarial}
    save_ticket(ticket, out, figures=figures, witness=found.witness)
    rows = figures | {
        "seconds": perf_counter() - start,
        "bytes a target weight": out.stat().st_size / target.parameters,
    }
    if scale != 1:
        rows["outputs are those of the model divided by"] = scale
    return ticket, rows


def ticket_rows(figures: Mapping[str, Any]) -> list[dict[str, Any]]:
    """One row a figure, for a table."""
    return [{"figure": name, "value": value} for name, value in figures.items()]


def verify_ticket(path: Path) -> list[dict[str, Any]]:
    """Every figure in a ticket file beside the one computed from its seed and masks; `equal` for each.

    Whole numbers and texts are equal where they are the same, other numbers to 1e-6 of themselves: sums and
    factorisations round differently on other machines. An attack is not searched for again; the input that it found
    stands in the file, and both networks are evaluated there.
    """
    stored, witness = stored_summary(path), stored_witness(path)
    ticket = load_ticket(path)
    found: dict[str, Any] = ticket.summary()
    if witness is not None:
        inside = float(np.linalg.norm(witness)) <= 1 + 1e-12
        gap = float(np.linalg.norm(ticket.target(witness[None]) - ticket(witness[None])))
        found[_ATTACKED] = gap if inside else "an input beyond the unit ball"
    rows = []
    for name in {**stored, **found}:
        a, b = stored.get(name), found.get(name)
        same = (
            math.isclose(a, b, rel_tol=_SAME, abs_tol=1e-12)
            if isinstance(a, float) and isinstance(b, float)
            else a == b
        )
        rows.append({"figure": name, "in the file": a, "computed": b, "equal": "yes" if same else "NO"})
    return rows


class VerificationError(RsspError, ValueError):
    """A ticket file's figures are not those of its content."""


def check_rows(rows: list[dict[str, Any]]) -> None:
    """VerificationError naming the figures that differ."""
    wrong = [row for row in rows if row["equal"] != "yes"]
    if wrong:
        shown = "; ".join(f"{r['figure']}: {r['in the file']} in the file, {r['computed']} computed" for r in wrong)
        raise VerificationError(f"{len(wrong)} figures of the file are not those of its content: {shown}")
