"""A ticket as plain data: what `rssp.tickets.standalone`, and so every ticket file, is built from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray

from rssp._identity import describe
from rssp.tickets.activations import Activation
from rssp.tickets.bases import Basis
from rssp.tickets.construction import assemble
from rssp.tickets.network import Linear, Residual, Step
from rssp.tickets.sharing import Convolution, Sharing

if TYPE_CHECKING:
    from rssp.tickets.ticket import Ticket

__all__ = ["compact", "describe_sharing", "describe_steps", "described", "spread_out"]

Fixed = tuple[NDArray[np.float64], NDArray[np.float64] | None]


def described(ticket: Ticket) -> tuple[dict[str, Any], list[dict[str, Any]], list[Fixed]]:
    """What `standalone.build` takes: description, arrays of each pruned layer, weights and biases of the fixed ones."""
    effective = assemble(ticket.target, lambda i, *_: (_Place(ticket, i).step, ticket.layers[i].plan.rows))
    fixed: list[Linear] = []
    names = _names([layer.plan.layer.name for layer in ticket.layers])
    order = iter(range(len(ticket.layers)))
    steps = describe_steps(effective.steps, names, order, fixed)
    about = {
        "shape": list(ticket.target.shape),
        "output": list(ticket.target.output),
        "dtype": ticket.target.dtype,
        "steps": steps,
        "layers": [_layer(ticket, place, name) for place, name in enumerate(names)],
        "fixed": [_shared(layer) for layer in fixed],
    }
    arrays = [
        {
            "links": layer.links,
            "used": layer.used,
            "weights": layer.weights,
            "mask": layer.mask,
            "size": layer.plan.size,
        }
        for layer in ticket.layers
    ]
    return about, arrays, [(compact(layer), layer.bias) for layer in fixed]


class _Place:
    """A layer of the right shape without numbers: only the steps around it matter here."""

    def __init__(self, ticket: Ticket, index: int):
        plan = ticket.layers[index].plan
        out, channels, size = plan.layer.coefficients.shape
        shape = np.broadcast_to(np.zeros(1), (out * plan.rows, channels * plan.copies, size))
        self.step = Linear(shape, plan.layer.sharing, None, plan.layer.name, groups=plan.layer.groups)


def _names(names: Sequence[str]) -> list[str]:
    """Names that a torch module may have, no two alike."""
    found: list[str] = []
    for place, name in enumerate(names):
        name = name.replace(".", "_") or f"layer{place + 1}"
        found.append(name if name not in found else f"{name}_{place}")
    return found


def describe_steps(
    steps: Sequence[Step], names: Sequence[str], order: Iterator[int], fixed: list[Linear]
) -> list[dict[str, Any]]:
    """Steps as plain data; fixed layers are added to `fixed`, and pruned ones named in order."""
    found: list[dict[str, Any]] = []
    for step in steps:
        if isinstance(step, Activation):
            found.append({"kind": "activation", "name": step.name})
        elif isinstance(step, Linear) and step.fixed:
            found.append({"kind": "fixed", "place": len(fixed), "name": step.name})
            fixed.append(step)
        elif isinstance(step, Linear):
            found.append({"kind": "pruned", "name": names[next(order)]})
        elif isinstance(step, Residual):
            branches = [describe_steps(part, names, order, fixed) for part in (step.steps, step.shortcut)]
            found.append({"kind": "residual", "steps": branches[0], "shortcut": branches[1]})
        else:
            found.append(step.described())
    return found


def _layer(ticket: Ticket, place: int, name: str) -> dict[str, Any]:
    plan = ticket.layers[place].plan
    redrawn = ticket.settings.get("redrawn") or ((),) * len(ticket.layers)
    return {
        "name": name,
        "law": describe(plan.law),
        "samples": ticket.construction.samples,
        "n": plan.n,
        "rows": plan.layer.channels[0] * plan.rows,
        "slots": plan.slots,
        "columns": plan.columns,
        "channels": plan.layer.channels[1],
        "size": plan.size,
        "inner": plan.inner,
        "outer": plan.outer,
        "split": plan.split,
        "signed": plan.signed,
        "redrawn": [list(rows) for rows in redrawn[place]],
        "units": plan.units,
        "copies": plan.copies,
        "inputs": plan.inputs,
        "activation": plan.activation.name if plan.links else None,
        **_shared(plan.layer),
    }


def _shared(layer: Linear) -> dict[str, Any]:
    return {
        "groups": layer.groups,
        "sharing": describe_sharing(layer.sharing),
        "orbits": None if layer.bias is None else layer.sharing.orbits.tolist(),
    }


def describe_sharing(sharing: Sharing) -> dict[str, Any]:
    """A convolution by its numbers, a basis by its elements (a tensor), any other sharing by its labels (a tensor)."""
    if isinstance(sharing, Basis):
        return {"basis": torch.tensor(sharing.elements.copy())}
    if isinstance(sharing, Convolution):
        fields = {name: list(getattr(sharing, name)) for name in ("image", "kernel", "stride", "dilation")}
        return {**fields, "padding": [list(pair) for pair in sharing.padding]}
    return {"labels": torch.tensor(sharing.labels.copy())}


def spread_out(weight: NDArray[np.float64], groups: int) -> NDArray[np.float64]:
    """Coefficients (out, in / groups, size), as torch holds them, as (out, in, size): zero between groups."""
    out, inputs, size = weight.shape
    full = np.zeros((groups, out // groups, groups, inputs, size))
    full[np.arange(groups), :, np.arange(groups)] = weight.reshape(groups, out // groups, inputs, size)
    return full.reshape(out, inputs * groups, size)


def compact(layer: Linear) -> NDArray[np.float64]:
    """Coefficients (out, in / groups, size): each output's own group only, as torch holds them."""
    out, channels, size = layer.coefficients.shape
    groups = layer.groups
    own = layer.coefficients.reshape(groups, out // groups, groups, channels // groups, size)
    return np.ascontiguousarray(own[np.arange(groups), :, np.arange(groups)]).reshape(out, channels // groups, size)
