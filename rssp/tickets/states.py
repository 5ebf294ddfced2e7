"""State dicts as files hold them: under a key, with pruning masks beside the weights, with prefixes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import torch
from torch import nn

from rssp.errors import ArgumentError, ArgumentTypeError
from rssp.tickets.trace import copied

__all__ = ["stack_of", "state_from"]

_PREFIXES = ("module.", "_orig_mod.")  # of DataParallel, and of torch.compile


def state_from(state: Mapping[str, Any], architecture: nn.Module) -> nn.Module:
    """A copy of the architecture with the weights of the state dict, masks multiplied in.

    Names are matched exactly, up to a common ``module.`` or ``_orig_mod.`` in front and one key around it all; the
    layers of an
    nn.Sequential also by their order, where the names are others and all shapes fit.
    """
    tensors = _real(_tensors(state))
    for name, tensor in [*architecture.named_parameters(), *architecture.named_buffers()]:
        if nn.parameter.is_lazy(tensor):
            raise ArgumentError(
                "architecture", f"the lazy parameter {name!r}", "weights", "Call the module on data first."
            )
    module = copied(architecture)
    wanted = module.state_dict()
    types = {v.dtype for v in tensors.values() if v.dtype.is_floating_point}
    if torch.float64 in types:
        module = module.double()
    named: dict[str, torch.Tensor] = {}
    for candidate in _readings(tensors):
        named = {k: v for k, v in candidate.items() if k in wanted or not k.endswith("num_batches_tracked")}
        for key in wanted.keys() - named.keys():
            if key.endswith("num_batches_tracked"):
                named[key] = torch.zeros_like(wanted[key])
        if named.keys() != wanted.keys() and isinstance(module, nn.Sequential) and len(named) == len(wanted):
            named = dict(zip(wanted, named.values(), strict=True))
        if named.keys() == wanted.keys():
            _check_entries(named, wanted)
            with torch.no_grad():
                module.load_state_dict(named, assign=any(v.is_meta for v in wanted.values()))
            return module
    missing, extra = sorted(wanted.keys() - named.keys()), sorted(named.keys() - wanted.keys())
    lists = [f"{what} {', '.join(map(repr, k[:4]))}" for what, k in (("without", missing), ("with", extra)) if k]
    raise ArgumentError(
        "target", "a state dict " + " and ".join(lists), f"the {len(wanted)} entries of the architecture",
        "Give the architecture that was saved, with its parametrizations; masks may stand beside plain weights.",
    )  # fmt: skip


def _readings(tensors: dict[str, torch.Tensor]) -> Iterator[Mapping[str, torch.Tensor]]:
    """The entries as they are, and with masks multiplied in."""
    yield tensors
    if any(k.endswith("_mask") for k in tensors):
        yield _masked(tensors)


def _real(entries: Mapping[str, Any]) -> dict[str, torch.Tensor]:
    """The entries as tensors with numbers in them."""
    result = {}
    for key, value in entries.items():
        try:
            tensor = torch.as_tensor(value)
        except (TypeError, ValueError, RuntimeError) as cause:
            raise ArgumentTypeError(f"target ({key!r})", value, "an array of real numbers") from cause
        if tensor.is_meta or nn.parameter.is_lazy(tensor):
            remedy = "Load the weights first: they are on the meta device, or of a lazy module."
            raise ArgumentError("target", f"{key!r} without numbers", "weights", remedy)
        if tensor.is_complex() or tensor.is_quantized or tensor.layout != torch.strided:
            raise ArgumentError("target", f"{key!r} of type {tensor.dtype}, {tensor.layout}", "dense real weights")
        result[key] = tensor
    return result


def stack_of(state: Mapping[str, Any]) -> list[tuple[str, Any, Any]]:
    """(name, weight, bias or None) of each layer of a bare stack: entries named ``name.weight`` and ``name.bias``.

    A safetensors file does not keep an order: names are taken in natural order ("2" before "10") if they are sorted.
    """
    tensors = _masked(_tensors(state))
    if list(tensors) == sorted(tensors):
        tensors = {name: tensors[name] for name in sorted(tensors, key=_natural)}
    layers: dict[str, dict[str, Any]] = {}
    for key, value in tensors.items():
        name, _, kind = key.rpartition(".")
        if kind not in ("weight", "bias"):
            remedy = "Give the architecture that it belongs to: architecture=module."
            raise ArgumentError("target", f"the entry {key!r}", "entries named '<layer>.weight' and '.bias'", remedy)
        layers.setdefault(name, {})[kind] = value
    for name, parts in layers.items():
        if "weight" not in parts:
            raise ArgumentError("target", f"{f'{name}.bias'.lstrip('.')!r} without a weight", "a weight for every bias")
    return [(name, parts["weight"], parts.get("bias")) for name, parts in layers.items()]


def _tensors(state: Mapping[str, Any]) -> dict[str, Any]:
    """The entries of a state dict, found under a key where there is just one, without a common prefix."""
    if not state:
        raise ArgumentError("target", "no weights", "a state dict with at least one linear layer")
    inner = {k: v for k, v in state.items() if isinstance(v, Mapping) and _holds_weights(v)}
    if inner and not any(isinstance(v, torch.Tensor) for v in state.values()):
        if len(inner) > 1:
            preferred = [k for k in ("state_dict", "model_state_dict", "model") if k in inner]
            if len(preferred) != 1:
                names = ", ".join(map(repr, inner))
                raise ArgumentError(
                    "target", f"state dicts under {names}", "one of them", "Pass the one that is meant."
                )
            inner = {preferred[0]: inner[preferred[0]]}
        state = next(iter(inner.values()))
    result = {}
    for key, value in state.items():
        if isinstance(value, nn.Parameter):
            value = value.detach()
        if not hasattr(value, "shape") and not isinstance(value, (list, tuple)):
            raise ArgumentTypeError(f"target ({key!r})", value, "a tensor")
        result[str(key)] = value
    for prefix in _PREFIXES:
        if all(key.startswith(prefix) for key in result):
            result = {key.removeprefix(prefix): value for key, value in result.items()}
    return result


def _holds_weights(state: Mapping[str, Any]) -> bool:
    return any(isinstance(v, torch.Tensor) and v.dtype.is_floating_point for v in state.values())


def _masked(tensors: Mapping[str, Any]) -> dict[str, Any]:
    """Masks multiplied into the weights that they belong to, whether these are called ``weight_orig`` or ``weight``."""
    result = dict(tensors)
    for key in [k for k in tensors if k.endswith("_mask")]:
        base, mask = key.removesuffix("_mask"), torch.as_tensor(result.pop(key))
        held = f"{base}_orig" if f"{base}_orig" in result else base
        if held not in result:
            raise ArgumentError("target", f"the mask {key!r} without {base!r}", "a weight for every mask")
        weight = torch.as_tensor(result.pop(held))
        if weight.shape != mask.shape:
            got = f"{key} of shape {tuple(mask.shape)}"
            raise ArgumentError("target", got, f"shape {tuple(weight.shape)}, that of {held}")
        if not bool(((mask == 0) | (mask == 1)).all()):
            raise ArgumentError("target", f"{key} with other entries than 0 and 1", "a mask of zeros and ones")
        result[base] = weight * mask.to(weight.dtype)
    left = [k for k in result if k.endswith(("_orig", "_v", "_g")) or ".parametrizations." in f".{k}"]
    if left:
        raise ArgumentError(
            "target",
            f"the entry {left[0]!r} of a parametrized weight",
            "plain or pruned weights",
            "Give an architecture with the same parametrization (spectral or weight norm): architecture=module.",
        )
    # a dict that was changed keeps the order of its layers
    order = {k.removesuffix("_mask").removesuffix("_orig"): i for i, k in reversed(list(enumerate(tensors)))}
    return {k: result[k] for k in sorted(result, key=lambda k: order[k])}


def _check_entries(named: Mapping[str, torch.Tensor], wanted: Mapping[str, torch.Tensor]) -> None:
    for key, value in named.items():
        if tuple(value.shape) != tuple(wanted[key].shape):
            got = f"{key} of shape {tuple(value.shape)}"
            raise ArgumentError("target", got, f"shape {tuple(wanted[key].shape)}, that of the architecture")
        if wanted[key].dtype.is_floating_point and not value.dtype.is_floating_point:
            remedy = "Numbers of a quantized file are not its weights: multiply them by their scales."
            raise ArgumentError("target", f"{key} of type {value.dtype}", "floating-point weights", remedy)


def _natural(name: str) -> list[tuple[bool, int, str]]:
    return [(part.isdigit(), int(part) if part.isdigit() else 0, part) for part in re.split(r"(\d+)", name) if part]
