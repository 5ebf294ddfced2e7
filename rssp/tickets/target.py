"""The network to be replaced: linear layers with ReLU between them, read from wherever they are."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import nn

from rssp._arguments import integer, number
from rssp.errors import ArgumentError, ArgumentTypeError
from rssp.tickets._safetensors import read_tensors

__all__ = ["Target", "random_target", "read_target"]

_KINDS = "nn.Linear with nn.ReLU between; nn.Flatten first and nn.Identity or nn.Dropout anywhere are passed over"
_PASSED_OVER = (nn.Identity, nn.Dropout)


@dataclass(frozen=True, eq=False)
class Target:
    """A target network ``f(x) = W_l relu(W_{l-1} ... relu(W_1 x + b_1) ...) + b_l``.

    Attributes
    ----------
    weights : tuple of float64 arrays (out, in), one a layer; ``in`` is the ``out`` of the layer before
    biases : tuple of float64 arrays (out,), or None where a layer has no bias
    names : tuple of str, what each layer is called in error messages and reports
    dtype : "float32" or "float64", the type the weights came in (a ticket is built in the same)

    Examples
    --------
    >>> f = read_target(nn.Sequential(nn.Linear(4, 3), nn.ReLU(), nn.Linear(3, 2, bias=False)))
    >>> f.widths, f.parameters
    ((4, 3, 2), 21)
    """

    weights: tuple[NDArray[np.float64], ...]
    biases: tuple[NDArray[np.float64] | None, ...]
    names: tuple[str, ...]
    dtype: str = "float32"

    @property
    def depth(self) -> int:
        """The number of layers l."""
        return len(self.weights)

    @property
    def widths(self) -> tuple[int, ...]:
        """(d_0, d_1, ..., d_l): inputs, hidden units, outputs."""
        return (self.weights[0].shape[1], *(w.shape[0] for w in self.weights))

    @property
    def parameters(self) -> int:
        """The number of weights and biases."""
        return sum(w.size for w in self.weights) + sum(b.size for b in self.biases if b is not None)

    @property
    def range(self) -> tuple[float, float]:
        """The smallest and the largest weight or bias."""
        values = [*self.weights, *(b for b in self.biases if b is not None)]
        return min(float(v.min()) for v in values), max(float(v.max()) for v in values)

    def augmented(self, layer: int) -> NDArray[np.float64]:
        """Weights of one layer with its bias, if any, as one more column: the weight of a constant input 1."""
        bias = self.biases[layer]
        return self.weights[layer] if bias is None else np.column_stack([self.weights[layer], bias])

    def weight_name(self, layer: int, row: int, column: int) -> str:
        """What a weight (or, in the column after the last, a bias) is called in reports."""
        if column == self.weights[layer].shape[1]:
            return f"{self.names[layer]}.bias[{row}]"
        return f"{self.names[layer]}.weight[{row}, {column}]"

    def __call__(self, x: ArrayLike) -> NDArray[np.float64]:
        """f of inputs (m, d_0), in float64, as an array (m, d_l)."""
        h = np.asarray(x, dtype=np.float64)
        for i, (weight, bias) in enumerate(zip(self.weights, self.biases, strict=True)):
            h = h @ weight.T if i == 0 else np.maximum(h, 0.0) @ weight.T
            if bias is not None:
                h = h + bias
        return h

    def network(self) -> nn.Sequential:
        """The same as a torch.nn.Sequential of Linear and ReLU, in this target's type."""
        modules: list[nn.Module] = []
        for weight, bias in zip(self.weights, self.biases, strict=True):
            layer = nn.utils.skip_init(
                nn.Linear, weight.shape[1], weight.shape[0], bias=bias is not None, dtype=getattr(torch, self.dtype)
            )
            with torch.no_grad():
                layer.weight.copy_(torch.tensor(weight))
                if bias is not None:
                    layer.bias.copy_(torch.tensor(bias))
            modules += [layer, nn.ReLU()]
        return nn.Sequential(*modules[:-1])


def read_target(source: Any) -> Target:
    """Read a target network.

    Parameters
    ----------
    source : one of

        - a torch.nn.Sequential (or a single nn.Linear): Linear layers with ReLU between them, biases or none;
        - a state dict: ``name.weight`` (out, in) and perhaps ``name.bias`` (out,) for each layer, in order, a ReLU
          being understood between them;
        - the path of a .safetensors file with such tensors; names are taken in natural order ("2" before "10");
        - a sequence of weight matrices (out, in): layers without biases;
        - a Target, returned as it is.

    Raises
    ------
    ArgumentError
        for layers that are not linear or a missing ReLU (named), shapes that do not follow one another, weights that
        are NaN or infinite, a pickle file (with the way to convert it), a truncated or foreign file
    ArgumentTypeError
        for anything else

    Examples
    --------
    >>> read_target([np.eye(3), [[0.5, -0.25, 0.0]]]).widths
    (3, 3, 1)
    >>> read_target(nn.Sequential(nn.Conv2d(1, 6, 5), nn.ReLU()))
    Traceback (most recent call last):
    rssp.errors.ArgumentError: target: got layer 0, a Conv2d; allowed: nn.Linear with nn.ReLU between; ...
    """
    if isinstance(source, Target):
        return source
    if isinstance(source, nn.Module):
        return _from_module(source)
    if isinstance(source, (str, Path)):
        tensors, _ = read_tensors(source)
        return _from_state({name: tensors[name] for name in sorted(tensors, key=_natural)})
    if isinstance(source, Mapping):
        return _from_state(source)
    if isinstance(source, Sequence):
        return _from_arrays(source)
    raise ArgumentTypeError(
        "target", source, "a torch.nn.Sequential, a state dict, a path of a .safetensors file, or weight matrices"
    )


def random_target(
    widths: Sequence[int], low: float, high: float, *, rng: np.random.Generator, dtype: str = "float32"
) -> Target:
    """A bias-free target with independent weights, uniform in [low, high].

    Examples
    --------
    >>> f = random_target((784, 500, 10), -0.46423, 0.54070, rng=np.random.default_rng(0))
    >>> f.parameters
    397000
    """
    shape = whole_numbers("widths", widths)
    if len(shape) < 2:
        raise ArgumentError("widths", tuple(widths), "at least two numbers: inputs and outputs")
    low, high = number("low", low), number("high", high)
    if high <= low:
        raise ArgumentError("high", high, f"a number > low = {low}")
    weights = [rng.uniform(low, high, (b, a)).astype(dtype).astype(np.float64) for a, b in pairwise(shape)]
    return _checked(weights, [None] * len(weights), [f"layer{i + 1}" for i in range(len(weights))], dtype)


def whole_numbers(name: str, values: Sequence[int]) -> list[int]:
    """A sequence of whole numbers >= 1."""
    if isinstance(values, str) or not isinstance(values, (Sequence, np.ndarray)):
        raise ArgumentTypeError(name, values, "a sequence of whole numbers, e.g. (64, 32, 10)")
    return [integer(name, value, 1) for value in values]


def _natural(name: str) -> list[tuple[bool, int, str]]:
    return [(part.isdigit(), int(part) if part.isdigit() else 0, part) for part in re.split(r"(\d+)", name) if part]


def _flattened(prefix: str, module: nn.Module) -> list[tuple[str, nn.Module]]:
    """The layers of a Sequential, those of a Sequential inside it in their place."""
    found: list[tuple[str, nn.Module]] = []
    for name, layer in module.named_children():
        inner = isinstance(layer, nn.Sequential)
        found += _flattened(f"{prefix}{name}.", layer) if inner else [(prefix + name, layer)]
    return found


def _from_module(module: nn.Module) -> Target:
    layers = _flattened("", module) if isinstance(module, nn.Sequential) else [("0", module)]
    linear: list[tuple[str, nn.Linear]] = []
    relu_since_linear = True
    for position, (name, layer) in enumerate(layers):
        if isinstance(layer, nn.Linear):
            if not relu_since_linear:
                raise ArgumentError(
                    "target", f"no ReLU before layer {name}", _KINDS, "Multiply the two linear layers into one."
                )
            linear.append((name, layer))
            relu_since_linear = False
        elif isinstance(layer, nn.ReLU) and linear and not relu_since_linear:
            relu_since_linear = True
        elif not (isinstance(layer, _PASSED_OVER) or (isinstance(layer, nn.Flatten) and position == 0)):
            what = f"layer {name}, a {type(layer).__name__}"
            raise ArgumentError("target", what, _KINDS, "Of a module of your own, read module.state_dict().")
    if not linear:
        raise ArgumentError("target", "a network without linear layers", _KINDS)
    if relu_since_linear:
        raise ArgumentError("target", "a ReLU after the last linear layer", _KINDS, "Leave the last ReLU out.")
    state = {f"{name}.{kind}": value for name, layer in linear for kind, value in layer.state_dict().items()}
    return _from_state(state)


def _from_state(state: Mapping[str, Any]) -> Target:
    weights: list[NDArray[np.float64]] = []
    biases: list[NDArray[np.float64] | None] = []
    names: list[str] = []
    types = set()
    pruned = [key for key in state if str(key).endswith(("_orig", "_mask"))]
    if pruned:
        remedy = "Call torch.nn.utils.prune.remove first."
        raise ArgumentError("target", f"the pruned entry {pruned[0]!r}", "plain weights", remedy)
    for key, value in state.items():
        name, _, kind = str(key).rpartition(".")
        if kind not in ("weight", "bias"):
            raise ArgumentError("target", f"the entry {key!r}", "entries named '<layer>.weight' and '<layer>.bias'")
        if kind == "weight":
            array, dtype = _array(key, value, 2)
            weights.append(array)
            biases.append(None)
            names.append(name or f"layer{len(names) + 1}")
        else:
            array, dtype = _array(key, value, 1)
        types.add(dtype)
        if kind == "bias" and f"{name}.weight".lstrip(".") not in state:
            raise ArgumentError("target", f"{key!r} without a weight", "a weight for every bias")
    for key, value in state.items():
        name, _, kind = str(key).rpartition(".")
        if kind == "bias":
            biases[names.index(name) if name else 0] = _array(key, value, 1)[0]
    return _checked(weights, biases, names, "float64" if "float64" in types else "float32")


def _from_arrays(arrays: Sequence[Any]) -> Target:
    names = [f"layer{i + 1}" for i in range(len(arrays))]
    read = [_array(f"{name}.weight", value, 2) for name, value in zip(names, arrays, strict=True)]
    dtype = "float32" if read and all(d == "float32" for _, d in read) else "float64"
    return _checked([a for a, _ in read], [None] * len(read), names, dtype)


def _array(name: str, value: Any, axes: int) -> tuple[NDArray[np.float64], str]:
    if isinstance(value, torch.Tensor):
        if not value.dtype.is_floating_point or value.layout != torch.strided:
            raise ArgumentError("target", f"{name} of type {value.dtype}", "dense floating-point weights")
        dtype = "float64" if value.dtype == torch.float64 else "float32"
        array = value.detach().to("cpu", torch.float64).numpy().copy()
    else:
        try:
            raw = np.asarray(value)
            dtype = "float32" if raw.dtype in (np.float16, np.float32) else "float64"
            array = raw.astype(np.float64)
        except (TypeError, ValueError) as cause:
            raise ArgumentTypeError(f"target ({name})", value, "an array of real numbers") from cause
    if array.ndim != axes or array.size == 0:
        shape = "(out, in), a linear layer's" if axes == 2 else "(out,)"
        remedy = "Only linear layers can be replaced: read that part of the network alone." if axes == 2 else ""
        raise ArgumentError("target", f"{name} of shape {array.shape}", f"shape {shape}", remedy)
    bad = ~np.isfinite(array)
    if bad.any():
        place = tuple(int(i) for i in np.argwhere(bad)[0])
        raise ArgumentError("target", f"{array[place]} in {name} at {place}", "finite weights")
    return array, dtype


def _checked(
    weights: list[NDArray[np.float64]], biases: list[NDArray[np.float64] | None], names: list[str], dtype: str
) -> Target:
    if not weights:
        raise ArgumentError("target", "no weights", "at least one linear layer")
    if dtype not in ("float32", "float64"):
        raise ArgumentError("dtype", repr(dtype), "'float32' or 'float64'")
    for i, (weight, bias) in enumerate(zip(weights, biases, strict=True)):
        if i and weight.shape[1] != weights[i - 1].shape[0]:
            raise ArgumentError(
                "target",
                f"{names[i]}.weight of shape {weight.shape} after {names[i - 1]}.weight of shape "
                f"{weights[i - 1].shape}",
                f"{weights[i - 1].shape[0]} inputs, as many as the layer before has outputs",
                "Name or order the layers as they are applied.",
            )
        if bias is not None and bias.shape != weight.shape[:1]:
            raise ArgumentError("target", f"{names[i]}.bias of shape {bias.shape}", f"shape {weight.shape[:1]}")
        weight.flags.writeable = False
        if bias is not None:
            bias.flags.writeable = False
    return Target(tuple(weights), tuple(biases), tuple(names), dtype)
