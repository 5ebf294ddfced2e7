"""Ticket files: the seed and the packed masks in the place of the random weights, the target, and a checksum.

A file holds no code that is executed: `load_ticket` draws the random weights again and holds everything against the
checksums. The text of `rssp.tickets.standalone` stands in its header: with it the network loads in PyTorch and NumPy.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import replace
from importlib import resources
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray

from rssp._identity import describe, rebuild
from rssp.errors import ArgumentError, RsspError
from rssp.laws import Normal, Uniform
from rssp.tickets import standalone
from rssp.tickets._safetensors import read_tensors, write_tensors
from rssp.tickets.activations import Activation, named_activation
from rssp.tickets.bases import Basis
from rssp.tickets.construction import Construction, plans_of
from rssp.tickets.description import compact, describe_sharing, describe_steps, described, spread_out
from rssp.tickets.layers import PrunedLayer
from rssp.tickets.network import Linear, MaxPool, Network, Residual, Step, WindowMax
from rssp.tickets.prune import check_memory
from rssp.tickets.sharing import DENSE, Convolution, Sharing, all_points
from rssp.tickets.ticket import Ticket

__all__ = ["PLAIN_PYTORCH", "load_ticket", "save_ticket", "stored_summary", "stored_witness"]

_FORMAT = "rssp ticket 2"

PLAIN_PYTORCH = resources.files("rssp.tickets").joinpath("standalone.py").read_text(encoding="utf-8")
"""The text of a Python file whose ``load(path)`` gives the network of a ticket file, without rssp."""

_Tensors = dict[str, torch.Tensor]


def save_ticket(
    ticket: Ticket, path: str | Path, *, figures: Mapping[str, Any] | None = None, witness: ArrayLike | None = None
) -> None:
    """Write a ticket to a .safetensors file.

    Tensors: ``mask.<i>`` (bits of the units that were offered to the search, zlib), ``target.<i>.weight`` and ``.bias``
    (of its type, where that is exact), those of fixed layers, and label patterns. Header: ``ticket`` (JSON: seed, law,
    construction, steps), ``summary``, ``checksum``, ``format``, and ``load without rssp``, the text of `PLAIN_PYTORCH`.
    For n = 30 that is at most 16 bytes a weight of the target, and some 20,000 for the header.

    `figures` are kept as the summary in place of ``ticket.summary()``, and `witness`, the input (inputs,) at which an
    attack has found its largest error, as a tensor.

    Raises ArgumentError for a name that does not end in .safetensors, a folder that cannot be written, and a law that
    cannot be drawn without rssp (other than Uniform and Normal).

    Examples
    --------
    >>> import tempfile
    >>> from rssp.tickets import PLAIN, prune
    >>> ticket = prune([[[0.3, -0.2]]], 16, 0.01, construction=PLAIN, rng=np.random.default_rng(0))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save_ticket(ticket, Path(folder) / "ticket.safetensors")
    ...     load_ticket(Path(folder) / "ticket.safetensors").summary() == ticket.summary()
    True
    """
    law = ticket.layers[0].plan.law
    if not isinstance(law, (Uniform, Normal)):
        raise ArgumentError("ticket", f"random weights of the law {law!r}", "Uniform or Normal, drawn without rssp")
    about, arrays, fixed = described(ticket)
    tensors: _Tensors = {}
    drawn = 0
    for place, (layer, held) in enumerate(zip(about["layers"], arrays, strict=True)):
        tensors[f"mask.{place}"] = _packed(layer, held)
        for values in (held["links"], held["weights"]):
            drawn = drawn if values is None else zlib.crc32(np.ascontiguousarray(values).tobytes(), drawn)
    for place, (weight, bias) in enumerate(fixed):
        tensors[f"fixed.{place}.weight"] = torch.tensor(weight)
        if bias is not None:
            tensors[f"fixed.{place}.bias"] = torch.tensor(bias)
    for kind in ("layers", "fixed"):
        _patterns_apart(about[kind], kind, tensors)
    if witness is not None:
        tensors["witness"] = torch.from_numpy(ticket.target.rows(np.asarray(witness)[None], "witness")[0])
    about |= {"state": _plain(ticket.states[0]), "drawn": drawn}
    text = json.dumps(
        {
            "network": about,
            "target": _described_target(ticket.target, tensors),
            "foreign": _plain(ticket.states[1]),
            "construction": _fields(ticket.construction),
            "n": list(ticket.n),
            "tolerance": ticket.tolerance,
            "eps": ticket.eps,
            "search": ticket.settings["search"],
        }
    )
    texts = {
        "format": _FORMAT,
        "ticket": text,
        "summary": json.dumps(ticket.summary() if figures is None else dict(figures)),
        "checksum": standalone.checksum(tensors, text),
        "load without rssp": PLAIN_PYTORCH,
    }
    write_tensors(path, tensors, texts)


def _packed(layer: Mapping[str, Any], held: Mapping[str, Any]) -> torch.Tensor:
    places = standalone.by_slot(layer, standalone.offered(layer, held["links"]))
    padded = np.concatenate([held["mask"], np.zeros((*held["mask"].shape[:2], 1), bool)], axis=2)
    bits = np.take_along_axis(padded, places, axis=2)
    return torch.tensor(np.frombuffer(zlib.compress(np.packbits(bits).tobytes(), 9), np.uint8).copy())


def _patterns_apart(entries: list[dict[str, Any]], kind: str, tensors: _Tensors) -> None:
    """Label patterns and bases become tensors of their own; their places in the description stay, empty."""
    for place, entry in enumerate(entries):
        for name in {"labels", "basis"} & set(entry["sharing"]):
            pattern = entry["sharing"][name]
            tensors[f"{kind}.{name}.{place}"] = pattern.to(torch.int32) if name == "labels" else pattern
            entry["sharing"] = {name: None}


def _plain(value: Any) -> Any:
    """A bit generator's state as JSON data."""
    if isinstance(value, Mapping):
        return {k: _plain(v) for k, v in value.items()}
    if isinstance(value, np.ndarray):
        return [int(v) for v in value]
    return int(value) if isinstance(value, (int, np.integer)) else value


def _fields(construction: Construction) -> dict[str, Any]:
    names = ("name", "depth", "samples", "unit", "error", "search")
    law = None if construction.law is None else describe(construction.law)
    return {**{name: getattr(construction, name) for name in names}, "law": law}


def _described_target(target: Network, tensors: _Tensors) -> dict[str, Any]:
    fixed: list[Linear] = []
    steps = describe_steps(target.steps, [layer.name for layer in target.layers], iter(range(target.depth)), fixed)
    entries = {"layers": list(target.layers), "fixed": fixed}
    about: dict[str, Any] = {
        "steps": steps,
        "shape": list(target.shape),
        "output": list(target.output),
        "dtype": target.dtype,
    }
    for kind, layers in entries.items():
        about[kind] = []
        for place, layer in enumerate(layers):
            tensors[f"target.{kind}.{place}.weight"] = _exact(compact(layer))
            if layer.bias is not None:
                tensors[f"target.{kind}.{place}.bias"] = _exact(layer.bias)
            several = layer.sharing.orbit_count > 1 or (isinstance(layer.sharing, Basis) and layer.sharing.biased)
            orbits = layer.sharing.orbits.tolist() if several else None
            sharing = describe_sharing(layer.sharing)
            if "labels" in sharing and orbits is None and _all_points(layer.sharing):
                sharing = {"all points": layer.sharing.points[1]}
            about[kind].append({"name": layer.name, "groups": layer.groups, "sharing": sharing, "orbits": orbits})
        _patterns_apart(about[kind], f"target.{kind}", tensors)
    return about


def _all_points(sharing: Sharing) -> bool:
    return np.array_equal(sharing.labels, np.arange(sharing.points[1])[None])


def _exact(values: NDArray[np.float64]) -> torch.Tensor:
    """In single precision where nothing is lost."""
    single = values.astype(np.float32)
    return torch.tensor(single if np.array_equal(single, values) else values)


# reading


def load_ticket(path: str | Path, *, activations: Mapping[str, Activation] | None = None) -> Ticket:
    """Read a ticket from a file of `save_ticket`; everything but `seconds` is as it was.

    `activations` gives those of one's own by name. Nothing in the file is executed.

    Raises ArgumentError for a file that is missing, truncated, changed, a pickle, not a ticket, or of another version.
    """
    tensors, texts = read_tensors(path)
    name = Path(path).name
    if texts.get("format") != _FORMAT:
        raise ArgumentError(
            "path",
            f"{name!r} with format {texts.get('format')!r}",
            f"a file of format {_FORMAT!r}",
            "Tickets of an earlier version are pruned again, from the same seed.",
        )
    try:
        if standalone.checksum(tensors, texts["ticket"]) != texts["checksum"]:
            raise ArgumentError("checksum", "another one than that of the content", "a file as it was written")
        about = json.loads(texts["ticket"])
        target = _read_target(about["target"], tensors, activations or {})
        ticket = _read_ticket(about, target, tensors)
    except (KeyError, TypeError, ValueError, AttributeError, IndexError, zlib.error) as cause:
        reason = str(cause) if isinstance(cause, RsspError) else f"{type(cause).__name__}: {cause}"
        raise ArgumentError("path", f"{name!r}, not a complete ticket ({reason})", "a file of save_ticket") from cause
    return ticket


def stored_summary(path: str | Path) -> dict[str, Any]:
    """The figures that stand in a ticket file, as they were when it was written."""
    _, texts = read_tensors(path)
    try:
        summary = json.loads(texts["summary"])
    except (KeyError, ValueError) as cause:
        raise ArgumentError("path", f"{Path(path).name!r} without figures", "a file of save_ticket") from cause
    if not isinstance(summary, dict):
        raise ArgumentError("path", f"{Path(path).name!r} without figures", "a file of save_ticket")
    return summary


def stored_witness(path: str | Path) -> NDArray[np.float64] | None:
    """The input at which an attack has found the error that stands in the file, (inputs,); None where there is none."""
    held = read_tensors(path)[0].get("witness")
    return None if held is None else held.double().numpy()


def _read_ticket(about: Mapping[str, Any], target: Network, tensors: _Tensors) -> Ticket:
    fields = dict(about["construction"])
    law = None if fields["law"] is None else rebuild(fields["law"])
    construction = Construction(**(fields | {"law": law}))
    n, tolerance = tuple(int(v) for v in about["n"]), float(about["tolerance"])
    if len(n) != target.depth:
        raise ArgumentError("n", n, f"{target.depth} numbers")
    check_memory(target, construction, n)
    plans = plans_of(target, construction, n, tolerance, 1.0)
    network = about["network"]
    arrays, drawn = standalone.random_layers(network, tensors)
    if drawn != network["drawn"]:
        raise ArgumentError("seed", "other random numbers than those it was pruned with", "NumPy's of that time")
    layers = []
    for plan, held in zip(plans, arrays, strict=True):
        shape = (plan.layer.channels[0] * plan.rows, plan.slots, plan.units)
        if held["mask"].shape != shape or (held["links"] is None) == plan.links:
            raise ArgumentError("masks", f"shape {held['mask'].shape}", f"shape {shape}")
        layers.append(PrunedLayer(plan, held["links"], held["weights"], held["mask"]))
    redrawn = tuple(tuple(tuple(rows) for rows in layer["redrawn"]) for layer in network["layers"])
    settings = MappingProxyType({"search": str(about["search"]), "redrawn": redrawn})
    eps = None if about["eps"] is None else float(about["eps"])
    states = (network["state"], about["foreign"])
    ticket = Ticket(target, construction, n, tolerance, eps, tuple(layers), states, settings)
    again = described(ticket)[0]
    for kind in ("layers", "fixed"):
        _patterns_apart(again[kind], kind, {})
    again |= {"state": network["state"], "drawn": drawn}
    if json.loads(json.dumps(again)) != network:
        raise ArgumentError("network", "steps that are not those of its target and construction", "those")
    return ticket


def _read_target(about: Mapping[str, Any], tensors: _Tensors, given: Mapping[str, Activation]) -> Network:
    layers = iter([_read_layer(about, "layers", i, tensors) for i in range(len(about["layers"]))])
    fixed = [_read_layer(about, "fixed", i, tensors) for i in range(len(about["fixed"]))]
    steps = _read_steps(about["steps"], layers, fixed, given)
    return Network(steps, tuple(about["shape"]), about["dtype"], tuple(about["output"]))


def _read_steps(
    entries: list[Any], layers: Iterator[Linear], fixed: list[Linear], given: Mapping[str, Activation]
) -> tuple[Step, ...]:
    steps: list[Step] = []
    for entry in entries:
        kind = entry["kind"]
        if kind == "pruned":
            steps.append(next(layers))
        elif kind == "fixed":
            steps.append(fixed[entry["place"]])
        elif kind == "activation":
            found = given.get(entry["name"]) or named_activation(entry["name"])
            if found is None:
                remedy = "Give it: load_ticket(path, activations={name: Activation(...)})."
                raise ArgumentError("activations", f"none named {entry['name']!r}", "that of the ticket", remedy)
            steps.append(found)
        elif kind == "max pooling":
            image, kernel, stride, padding, dilation = (
                tuple(map(int, entry[k])) for k in ("image", "kernel", "stride", "padding", "dilation")
            )
            steps.append(MaxPool(image, kernel, stride, padding, dilation, bool(entry["ceil_mode"])))
        elif kind == "largest of windows":
            steps.append(WindowMax(np.array(entry["windows"]), int(entry["points"])))
        else:
            parts = (_read_steps(entry[k], layers, fixed, given) for k in ("steps", "shortcut"))
            steps.append(Residual(*parts))
    return tuple(steps)


def _read_layer(about: Mapping[str, Any], kind: str, place: int, tensors: _Tensors) -> Linear:
    entry = about[kind][place]
    weight = tensors[f"target.{kind}.{place}.weight"].double().numpy()
    held = tensors.get(f"target.{kind}.{place}.bias")
    bias = None if held is None else held.double().numpy()
    if not np.isfinite(weight).all() or (bias is not None and not np.isfinite(bias).all()):
        raise ArgumentError(f"target.{kind}.{place}", "numbers that are not finite", "finite weights")
    how = entry["sharing"]
    sharing: Sharing
    if "all points" in how:
        sharing = DENSE if how["all points"] == 1 else all_points(how["all points"])
    elif "labels" in how:
        labels = tensors[f"target.{kind}.labels.{place}"].numpy().astype(np.int64)
        sharing = Sharing(labels, None if entry["orbits"] is None else np.array(entry["orbits"]))
    elif "basis" in how:
        elements = tensors[f"target.{kind}.basis.{place}"].double().numpy()
        sharing = Basis(elements, None if entry["orbits"] is None else np.array(entry["orbits"]))
    else:
        padding = [(a, b) for a, b in how["padding"]]
        sharing = Convolution(
            how["image"], how["kernel"], stride=how["stride"], padding=padding, dilation=how["dilation"]
        )
    groups = int(entry["groups"])
    return replace(
        Linear(spread_out(weight, groups), sharing, bias, entry["name"], groups=groups), fixed=kind == "fixed"
    )
