"""Reading a target network from a module, a state dict with its architecture, or a file; and the proof of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from rssp._arguments import integer, number
from rssp.errors import ArgumentError, ArgumentTypeError
from rssp.tickets._safetensors import read_tensors
from rssp.tickets.activations import Activation, named_activation
from rssp.tickets.network import Linear, Network, Step
from rssp.tickets.sharing import DENSE
from rssp.tickets.states import stack_of, state_from
from rssp.tickets.trace import checked_copy, trace

__all__ = ["random_target", "read_target", "whole_numbers"]

_PROOF_INPUTS = 64
_PROOF_SEED = 0
_SUFFIXES = (".pt", ".pth")


def read_target(
    source: Any,
    example: Any = None,
    *,
    architecture: nn.Module | Sequence[nn.Module] | None = None,
    activation: str | Activation | None = None,
    activations: Mapping[Any, Activation] | None = None,
) -> Network:
    """Read a target network, and prove on 64 random inputs that what was read computes the same.

    Parameters
    ----------
    source : one of

        - a torch.nn.Module, or a list of layers: what its `forward` does is traced by torch.fx, in eval mode. Read are
          Linear, Conv1d and Conv2d (stride, zero or circular padding, dilation, groups), batch normalisation (folded
          into the layer before it), activations, average pooling (a fixed linear layer), max pooling, Flatten, Dropout
          and Identity (passed over), sums of branches, and the functional forms of all these;
        - a state dict, or the path of a .safetensors, .pt or .pth file with one, together with `architecture`, or with
          `activation` where it is a bare stack of matrices. Pruning masks (``weight_mask`` beside ``weight`` or
          ``weight_orig``) are multiplied in;
        - a sequence of matrices (out, in), layers without biases, with `activation` between them;
        - a Network, returned as it is.

    example : a batch of inputs (m, ...), or the shape of one input as a tuple; needed unless the first layer is Linear
    architecture : a module, or a list of layers, whose weights the state dict holds
    activation : "relu", "tanh", ... or an Activation, between the matrices of a bare stack
    activations : further activations by the module class or function that stands for them, e.g.
        ``{nn.Softplus: Activation("softplus", nn.functional.softplus, 0.5, 0.5, 0.25, slopes=(0, 1))}``

    Raises
    ------
    ArgumentError
        naming the node that cannot be read and what may stand there; for hooks, weights that are not there (lazy, on
        the meta device) or not finite; where the network read and the module differ
    ArgumentTypeError
        for a source of another kind

    Examples
    --------
    >>> read_target([np.eye(3), [[0.5, -0.25, 0.0]]], activation="relu").widths
    (3, 3, 1)
    >>> lenet = nn.Sequential(nn.Conv2d(1, 6, 5), nn.ReLU(), nn.AvgPool2d(2), nn.Flatten(), nn.Linear(864, 10))
    >>> read_target(lenet, example=(1, 28, 28))
    Network of 2 layers, 8,806 parameters: 1x28x28 -> 10
      0 1-6, relu, average pooling 6-6, 4 6-10
    """
    if isinstance(source, Network):
        return source
    if isinstance(source, (str, Path)):
        return read_target(_from_file(source), example, architecture=architecture, activation=activation,
                           activations=activations)  # fmt: skip
    if isinstance(source, Mapping):
        if architecture is None and activation is None:
            raise ArgumentError(
                "architecture",
                "None for a state dict",
                "a module or a list of layers that these weights belong to",
                'Weights do not tell what stands between them. A bare stack of matrices: say activation="relu".',
            )
        if architecture is None:
            return _from_stack(stack_of(source), activation)
        return read_target(state_from(source, _module(architecture)), example, activations=activations)
    if isinstance(source, Sequence) and not isinstance(source, (nn.Sequential, nn.ModuleList)):
        if any(isinstance(part, nn.Module) for part in source):
            return read_target(_module(source), example, activations=activations)
        stack = [(f"layer{i + 1}", value, None) for i, value in enumerate(source)]
        if len(stack) > 1 and activation is None:
            remedy = 'Say activation="relu", or whichever stands there.'
            raise ArgumentError("activation", "None", "the activation between the matrices", remedy)
        return _from_stack(stack, activation)
    if isinstance(source, nn.Module):
        return _from_module(source, example, activations or {})
    raise ArgumentTypeError(
        "target", source, "a torch.nn.Module, a state dict or file with its architecture, or weight matrices"
    )


def _module(architecture: nn.Module | Sequence[nn.Module]) -> nn.Module:
    if isinstance(architecture, nn.Module):
        return architecture
    if not isinstance(architecture, Sequence) or not all(isinstance(part, nn.Module) for part in architecture):
        raise ArgumentTypeError("architecture", architecture, "a torch.nn.Module or a list of them")
    return nn.Sequential(*architecture)


def _from_file(path: str | Path) -> Mapping[str, Any]:
    name = Path(path)
    if name.suffix.lower() not in _SUFFIXES:
        return read_tensors(name)[0]
    if not name.is_file():
        raise ArgumentError("path", f"{str(name)!r}, which is not a file", "an existing file")
    try:
        content = torch.load(name, weights_only=True, map_location="cpu")
    except Exception as cause:  # whatever a damaged or foreign file makes torch raise
        reason = str(cause).splitlines()[0][:120] if str(cause) else type(cause).__name__
        raise ArgumentError(
            "path",
            f"{name.name!r}, which torch.load(weights_only=True) refuses ({reason})",
            "a file of tensors, as torch.save(module.state_dict(), path) writes",
            "A pickled module can run any code when it is read: save its state_dict() instead.",
        ) from cause
    if not isinstance(content, Mapping):
        raise ArgumentError("path", f"{name.name!r}, which holds a {type(content).__name__}", "a state dict")
    return content


# modules


def _from_module(module: nn.Module, example: Any, activations: Mapping[Any, Activation]) -> Network:
    for place, activation in activations.items():
        if not isinstance(activation, Activation):
            raise ArgumentTypeError(f"activations[{place}]", activation, "an Activation")
    types = {p.dtype for p in module.parameters() if p.dtype.is_floating_point}
    frozen = checked_copy(module)
    dtype = "float64" if torch.float64 in types else "float32"
    network = trace(frozen, _shape(frozen, example), dtype, activations)
    if not network.layers:
        raise ArgumentError("target", "a network without linear layers", "at least one, to be pruned for")
    _prove(frozen, network)
    return network


def _shape(module: nn.Module, example: Any) -> tuple[int, ...]:
    if example is None:
        first = next((m for m in module.modules() if getattr(m, "weight", None) is not None and not _is_norm(m)), None)
        if not isinstance(first, nn.Linear):
            raise ArgumentError(
                "example",
                "None",
                "a batch of inputs (m, channels, height, width), or the shape of one input",
                "e.g. example=(1, 28, 28).",
            )
        return (first.in_features,)
    if isinstance(example, tuple) and all(isinstance(v, (int, np.integer)) for v in example):
        return tuple(integer("example", v, 1) for v in example)
    shape = tuple(np.shape(example.detach().cpu() if isinstance(example, torch.Tensor) else example))
    if len(shape) < 2 or 0 in shape[1:]:
        raise ArgumentError(
            "example", f"an array of shape {shape}", "a batch of inputs (m, ...), or a shape as a tuple"
        )
    return shape[1:]


def _is_norm(module: nn.Module) -> bool:
    return isinstance(module, (nn.BatchNorm1d, nn.BatchNorm2d, nn.LayerNorm, nn.GroupNorm))


def _prove(module: nn.Module, network: Network) -> None:
    """ArgumentError where the network and the module differ by more than rounding on random inputs of many sizes."""
    rng = np.random.default_rng(_PROOF_SEED)
    x = rng.normal(size=(_PROOF_INPUTS, network.inputs)) * 2.0 ** rng.uniform(-3, 4, (_PROOF_INPUTS, 1))
    with torch.no_grad():
        inputs = torch.from_numpy(x)
        try:
            expected = module(inputs.reshape(-1, *network.shape))
        except Exception as cause:
            raise ArgumentError(
                "target", f"a forward that fails on float64 inputs ({cause})", "a module that .double() converts"
            ) from cause
        if not isinstance(expected, torch.Tensor) or expected.shape[:1] != (_PROOF_INPUTS,):
            raise ArgumentError("target", "outputs without the batch as first axis", "one tensor (m, ...)")
        read = network.forward(inputs)
    expected = expected.reshape(_PROOF_INPUTS, -1)
    gap = float((read - expected).abs().max()) if read.shape == expected.shape else np.inf
    scale = 1.0 + float(expected.abs().max())
    if not gap <= 1e-9 * scale:
        raise ArgumentError(
            "target",
            f"a module whose forward differs from its traced steps by {gap:.3g} on {_PROOF_INPUTS} random inputs",
            "a forward that does the same for every input, in eval mode",
            "Look for hooks, in-place changes of tensors that are used again, randomness, or branches on the batch.",
        )


# stacks of matrices


def _from_stack(stack: Sequence[tuple[str, Any, Any]], activation: str | Activation | None) -> Network:
    if not stack:
        raise ArgumentError("target", "no weights", "at least one linear layer")
    between = activation
    if isinstance(activation, str):
        between = named_activation(activation)
        if between is None:
            raise ArgumentError("activation", repr(activation), "relu, relu6, tanh, sigmoid, gelu, silu, leaky_relu(a)")
    if len(stack) > 1 and not isinstance(between, Activation):
        raise ArgumentTypeError("activation", activation, "a name or an Activation")
    steps: list[Step] = []
    types = []
    for name, weight, bias in stack:
        w, dtype = _array(f"{name}.weight".lstrip("."), weight, 2)
        types.append(dtype)
        b = None if bias is None else _array(f"{name}.bias".lstrip("."), bias, 1)[0]
        if b is not None and b.shape != w.shape[:1]:
            raise ArgumentError("target", f"{name}.bias of shape {b.shape}", f"shape {w.shape[:1]}")
        if steps:
            before = next(s for s in reversed(steps) if isinstance(s, Linear))
            if before.channels[0] != w.shape[1]:
                raise ArgumentError(
                    "target",
                    f"{name}.weight of shape {w.shape} after {before.name}.weight of shape {before.channels}",
                    f"{before.channels[0]} inputs, as many as the layer before has outputs",
                    "Name or order the layers as they are applied.",
                )
            assert isinstance(between, Activation)
            steps.append(between)
        steps.append(Linear(w[:, :, None], DENSE, None if b is None else b[:, None], name))
    first = steps[0]
    assert isinstance(first, Linear)
    return Network(tuple(steps), (first.channels[1],), "float32" if set(types) == {"float32"} else "float64")


def _array(name: str, value: Any, axes: int) -> tuple[NDArray[np.float64], str]:
    if isinstance(value, torch.Tensor):
        if not value.dtype.is_floating_point or value.layout != torch.strided or value.is_meta:
            raise ArgumentError("target", f"{name} of type {value.dtype}", "dense floating-point weights")
        dtype = "float64" if value.dtype == torch.float64 else "float32"
        array = value.detach().to("cpu", torch.float64).numpy().copy()
    else:
        try:
            raw = np.asarray(value)
            if isinstance(value, np.ma.MaskedArray) or raw.dtype.kind not in "fiu":
                raise TypeError(f"entries of type {raw.dtype}")
            dtype = "float32" if raw.dtype in (np.float16, np.float32) else "float64"
            array = raw.astype(np.float64)
        except (TypeError, ValueError) as cause:
            raise ArgumentTypeError(f"target ({name})", value, "an array of real numbers") from cause
    if array.ndim != axes or array.size == 0:
        shape = "(out, in), a linear layer's" if axes == 2 else "(out,)"
        raise ArgumentError("target", f"{name} of shape {array.shape}", f"shape {shape}", "Give an architecture.")
    bad = ~np.isfinite(array)
    if bad.any():
        place = tuple(int(i) for i in np.argwhere(bad)[0])
        raise ArgumentError("target", f"{array[place]} in {name} at {place}", "finite weights")
    return array, dtype


def random_target(
    widths: Sequence[int], low: float, high: float, *, rng: np.random.Generator, dtype: str = "float32"
) -> Network:
    """A dense ReLU network without biases and with independent weights, uniform in [low, high].

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
    if dtype not in ("float32", "float64"):
        raise ArgumentError("dtype", repr(dtype), "'float32' or 'float64'")
    weights = [rng.uniform(low, high, (b, a)).astype(dtype) for a, b in pairwise(shape)]
    return _from_stack([(f"layer{i + 1}", w, None) for i, w in enumerate(weights)], "relu")


def whole_numbers(name: str, values: Sequence[int]) -> list[int]:
    """A sequence of whole numbers >= 1."""
    if isinstance(values, str) or not isinstance(values, (Sequence, np.ndarray)):
        raise ArgumentTypeError(name, values, "a sequence of whole numbers, e.g. (64, 32, 10)")
    return [integer(name, value, 1) for value in values]
