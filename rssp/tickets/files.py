"""Tickets as safetensors files: random weights, masks and target as tensors, the rest as JSON in the header.

A file holds no code and is read without rssp by `PLAIN_PYTORCH`, a few lines of PyTorch that also stand in its header.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from rssp._arguments import integer
from rssp.errors import ArgumentError, RsspError
from rssp.tickets._safetensors import read_tensors, write_tensors
from rssp.tickets.masks import check_memory
from rssp.tickets.plain import assemble_plain
from rssp.tickets.target import Target, read_target
from rssp.tickets.theorem import assemble_theorem, theorem_parameters
from rssp.tickets.ticket import Ticket

__all__ = ["PLAIN_PYTORCH", "load_ticket", "save_ticket"]

_FORMAT = "rssp ticket 1"

PLAIN_PYTORCH = """\
import json
from safetensors import safe_open
from torch import nn
from torch.nn.utils import prune

with safe_open(path, "pt") as file:
    layers = json.loads(file.metadata()["layers"])
    network = nn.Sequential(*[getattr(nn, kind)(**options) for kind, options in layers])
    for name, layer in network.named_children():
        if isinstance(layer, nn.Linear):
            layer.weight = nn.Parameter(file.get_tensor(f"{name}.weight_orig"), requires_grad=False)
            prune.custom_from_mask(layer, "weight", file.get_tensor(f"{name}.weight_mask"))
"""


def _layers(network: nn.Sequential) -> list[tuple[str, dict[str, Any]]]:
    described: list[tuple[str, dict[str, Any]]] = []
    for layer in network:
        options: dict[str, Any] = {}
        if isinstance(layer, nn.Linear):
            options = {"in_features": layer.in_features, "out_features": layer.out_features, "bias": False}
        elif isinstance(layer, nn.ConstantPad1d):
            options = {"padding": list(layer.padding), "value": layer.value}
        elif isinstance(layer, nn.Unflatten):
            options = {"dim": layer.dim, "unflattened_size": list(layer.unflattened_size)}  # type: ignore[arg-type]
        elif isinstance(layer, nn.Upsample):
            options = {"size": layer.size}
        elif isinstance(layer, nn.Flatten):
            options = {"start_dim": layer.start_dim}
        described.append((type(layer).__name__, options))
    return described


def save_ticket(ticket: Ticket, path: str | Path) -> None:
    """Write a ticket to a .safetensors file.

    Tensors: ``<layer>.weight_orig`` and ``<layer>.weight_mask`` (bool) of each linear layer of the network, as in its
    state dict; ``target.<i>.weight`` and ``target.<i>.bias``. Header: ``layers`` (JSON list of [torch.nn class, its
    arguments]), ``ticket`` (JSON), ``format``, and ``load without rssp``, the lines of `PLAIN_PYTORCH`.

    Raises ArgumentError for a name that does not end in .safetensors or a folder that cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> from rssp.tickets import plain_ticket
    >>> ticket = plain_ticket([np.array([[0.3, -0.2]])], n=16, eps=0.01, rng=np.random.default_rng(0))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save_ticket(ticket, Path(folder) / "ticket.safetensors")
    ...     load_ticket(Path(folder) / "ticket.safetensors").summary() == ticket.summary()
    True
    """
    dtype = getattr(torch, ticket.target.dtype)
    tensors: dict[str, torch.Tensor] = {}
    for name, layer in ticket.network.named_children():
        if isinstance(layer, nn.Linear):
            tensors[f"{name}.weight_orig"] = layer.weight_orig
            tensors[f"{name}.weight_mask"] = layer.weight_mask.bool()
    for i, (weight, bias) in enumerate(zip(ticket.target.weights, ticket.target.biases, strict=True)):
        tensors[f"target.{i}.weight"] = torch.tensor(weight, dtype=dtype)
        if bias is not None:
            tensors[f"target.{i}.bias"] = torch.tensor(bias, dtype=dtype)
    about = {
        "construction": ticket.construction,
        "n": ticket.n,
        "tolerance": ticket.tolerance,
        "names": ticket.target.names,
        "settings": dict(ticket.settings),
    }
    texts = {
        "format": _FORMAT,
        "layers": json.dumps(_layers(ticket.network)),
        "ticket": json.dumps(about),
        "load without rssp": PLAIN_PYTORCH,
    }
    write_tensors(path, tensors, texts)


def load_ticket(path: str | Path) -> Ticket:
    """Read a ticket from a file of `save_ticket`; everything but `seconds` is as it was.

    Nothing in the file is executed: the network is built anew from the target's shape and n, and the file's layers
    and tensors are held against it.

    Raises ArgumentError for a file that is missing, truncated, a pickle, not a ticket, or of other layers or shapes.
    """
    tensors, texts = read_tensors(path)
    name = Path(path).name
    if texts.get("format") != _FORMAT:
        raise ArgumentError("path", f"{name!r} with format {texts.get('format')!r}", f"a file of format {_FORMAT!r}")
    try:
        about, layers = json.loads(texts["ticket"]), json.loads(texts["layers"])
        target = _target(tensors, about["names"])
        n = tuple(integer("n", value, 1) for value in about["n"])
        construction, tolerance, settings = about["construction"], float(about["tolerance"]), dict(about["settings"])
        shapes = _shapes(target, construction, n)
        weights, masks = _linear(tensors, layers, shapes, target.dtype)
        assemble = assemble_plain if construction == "plain" else assemble_theorem
        ticket = assemble(target, n, weights, masks, tolerance, settings)
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as cause:
        reason = str(cause) if isinstance(cause, RsspError) else f"{type(cause).__name__}: {cause}"
        raise ArgumentError("path", f"{name!r}, not a complete ticket ({reason})", "a file of save_ticket") from cause
    if json.loads(json.dumps(_layers(ticket.network))) != layers:
        raise ArgumentError(
            "path", f"{name!r}, whose layers are not those of its target and n", "a file of save_ticket"
        )
    return ticket


def _target(tensors: dict[str, torch.Tensor], names: list[str]) -> Target:
    state: dict[str, torch.Tensor] = {}
    for i, name in enumerate(names):
        state[f"{name}.weight"] = tensors[f"target.{i}.weight"]
        if f"target.{i}.bias" in tensors:
            state[f"{name}.bias"] = tensors[f"target.{i}.bias"]
    return read_target(state)


def _shapes(target: Target, construction: str, n: tuple[int, ...]) -> list[tuple[int, int]]:
    if len(n) != target.depth:
        raise ArgumentError("n", n, f"{target.depth} numbers")
    shapes: list[tuple[int, int]] = []
    for i, count in enumerate(n):
        out, columns = target.augmented(i).shape
        if construction == "plain":
            shapes.append((out, columns * count))
        elif construction == "theorem":
            shapes += [(2 * columns * count, columns), (out, 2 * columns * count)]
        else:
            raise ArgumentError("construction", repr(construction), "'plain' or 'theorem'")
    total = theorem_parameters(target, n) if construction == "theorem" else sum(a * b for a, b in shapes)
    check_memory(total, target.dtype)
    return shapes


def _linear(
    tensors: dict[str, torch.Tensor], layers: list[list[Any]], shapes: list[tuple[int, int]], dtype: str
) -> tuple[list[NDArray[np.float64]], list[NDArray[np.bool_]]]:
    places = [place for place, (kind, _) in enumerate(layers) if kind == "Linear"]
    if len(places) != len(shapes):
        raise ArgumentError("layers", f"{len(places)} linear layers", f"{len(shapes)}")
    weights, masks = [], []
    for place, shape in zip(places, shapes, strict=True):
        weight, mask = tensors[f"{place}.weight_orig"], tensors[f"{place}.weight_mask"]
        if tuple(weight.shape) != shape or tuple(mask.shape) != shape:
            got = f"{tuple(weight.shape)} and mask {tuple(mask.shape)}"
            raise ArgumentError(f"{place}.weight_orig", f"shape {got}", f"shape {shape}")
        if weight.dtype != getattr(torch, dtype) or mask.dtype != torch.bool or not bool(torch.isfinite(weight).all()):
            raise ArgumentError(f"{place}.weight_orig", f"{weight.dtype}, mask {mask.dtype}", f"finite {dtype}, bool")
        weights.append(weight.numpy().astype(np.float64))
        masks.append(mask.numpy())
    return weights, masks
