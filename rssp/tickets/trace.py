"""From a torch module to steps: what its ``forward`` does, followed node by node through torch.fx.

Every node of the graph is either a constant, which is evaluated, or a value that depends on the input. A value knows
the value it was made from and the step between them, so that the values form a tree; a sum of two becomes a Residual
from their latest common ancestor.
"""

from __future__ import annotations

import copy
import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import fx, nn
from torch.nn import functional as F
from torch.nn.utils import parametrize, prune
from torch.nn.utils.spectral_norm import SpectralNorm
from torch.nn.utils.weight_norm import WeightNorm

from rssp.errors import ArgumentError
from rssp.tickets.activations import GELU, GELU_TANH, RELU, RELU6, SIGMOID, SILU, TANH, Activation, leaky_relu
from rssp.tickets.network import Linear, MaxPool, Network, Residual, Step
from rssp.tickets.sharing import DENSE, Convolution, Sharing, all_points, as_labels

__all__ = ["READABLE", "checked_copy", "trace"]

READABLE = (
    "Linear, Conv1d, Conv2d, BatchNorm, ReLU, ReLU6, LeakyReLU, PReLU with one slope, Tanh, Sigmoid, GELU, SiLU, "
    "average and max pooling, Flatten, zero padding, Dropout, Identity, sums of two branches, multiplication by a "
    "number, their functional forms, and activations given by activations={module class or function: Activation(...)}"
)
_HOOKS = (SpectralNorm, WeightNorm, prune.BasePruningMethod)  # they set the weight that forward sees


@dataclass(frozen=True, eq=False)
class _Node:
    """A value in the tree: made from its parent by a step; `channels` of points on an `image` (one point if empty)."""

    parent: _Node | None
    step: Step | None
    channels: int
    image: tuple[int, ...]

    @property
    def points(self) -> int:
        return int(np.prod(self.image))

    def ancestors(self) -> list[_Node]:
        found, node = [self], self.parent
        while node is not None:
            found.append(node)
            node = node.parent
        return found


@dataclass(frozen=True, eq=False)
class _Value:
    """A node as torch holds it: flattened to (m, channels * points) or not, and zero padding still to be applied."""

    node: _Node
    flat: bool = False
    pad: tuple[tuple[int, int], ...] = ()


def _refuse(what: str, remedy: str = "") -> ArgumentError:
    return ArgumentError("target", what, READABLE, remedy or "Read the parts before and after it, each alone.")


def checked_copy(module: nn.Module) -> nn.Module:
    """A copy in eval mode and float64 whose parametrized weights are those that forward sees.

    Raises ArgumentError for what cannot be read faithfully: hooks, weights on the meta device, lazy, complex or integer
    ones, NaN.
    """
    for name, tensor in [*module.named_parameters(), *module.named_buffers()]:
        if isinstance(tensor, nn.parameter.UninitializedTensorMixin):
            raise ArgumentError("target", f"the lazy parameter {name!r}", "weights", "Call the module on data first.")
        if tensor.is_meta:
            raise ArgumentError("target", f"{name!r} on the meta device", "weights", "Load the weights first.")
        if tensor.is_complex() or tensor.is_quantized or tensor.layout != torch.strided:
            raise ArgumentError("target", f"{name!r} of type {tensor.dtype}, {tensor.layout}", "dense real weights")
    stale = {
        id(value): value.detach().clone()  # weights that a hook computes do not copy with their history
        for part in module.modules()
        for value in vars(part).values()
        if isinstance(value, torch.Tensor)
    }
    result = copy.deepcopy(module, stale).cpu().eval().double()
    for name, part in result.named_modules():
        where = f"of {name or 'the module'} ({type(part).__name__})"
        if part._forward_hooks:
            raise ArgumentError("target", f"a forward hook {where}", "no hooks", "What it computes is part of forward.")
        for hook in part._forward_pre_hooks.values():
            if not isinstance(hook, _HOOKS):
                raise ArgumentError("target", f"a forward pre-hook {where}", "no hooks but those of pruning and norms")
            with torch.no_grad():
                hook(part, None)  # type: ignore[arg-type]
    return result.requires_grad_(False)


class _Tracer(fx.Tracer):
    def __init__(self, activations: Mapping[Any, Activation]):
        functions = tuple(f for f in activations if not isinstance(f, type))
        super().__init__(autowrap_functions=functions)
        self.activations = activations

    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        if type(m) in self.activations:
            return True
        return "forward" not in vars(m) and super().is_leaf_module(m, module_qualified_name)


def trace(module: nn.Module, shape: tuple[int, ...], dtype: str, activations: Mapping[Any, Activation]) -> Network:
    """The network that a module from `checked_copy` computes on inputs of a shape."""
    with torch.no_grad():
        try:
            graph = _Tracer(activations).trace(module)
        except Exception as cause:  # forward is the user's code: it may raise anything
            raise ArgumentError(
                "target",
                f"a forward that torch.fx cannot follow ({type(cause).__name__}: {str(cause).splitlines()[0][:150]})",
                "a forward that does the same steps for every input",
                "Write branches on the input's values or shape out of it.",
            ) from cause
        return _Reader(module, graph, shape, activations).network(dtype)


def _number(value: Any) -> bool:
    return isinstance(value, (int, float)) or (isinstance(value, torch.Tensor) and value.numel() == 1)


class _Reader:
    """Follows one graph; `env` holds for each node its value or constant, `real` a small batch of actual tensors."""

    def __init__(
        self, module: nn.Module, graph: fx.Graph, shape: tuple[int, ...], activations: Mapping[Any, Activation]
    ):
        self.module, self.graph, self.activations = module, graph, activations
        self.modules = dict(module.named_modules())
        self.shape = shape
        self.used: dict[str, int] = {}
        self.env: dict[fx.Node, Any] = {}
        self.real: dict[fx.Node, Any] = {}

    def network(self, dtype: str) -> Network:
        root = _Node(None, None, self.shape[0], self.shape[1:])
        seen_input = False
        for node in self.graph.nodes:
            if node.op == "placeholder":
                if seen_input and node.args:
                    self.env[node] = self.real[node] = node.args[0]
                elif seen_input:
                    raise ArgumentError("target", f"a second input {node.target!r}", "a module of one input")
                else:
                    self.env[node], self.real[node] = _Value(root), torch.zeros(2, *self.shape, dtype=torch.float64)
                    seen_input = True
            elif node.op == "output":
                value = self._lookup(node.args[0])
                if not isinstance(value, _Value):
                    kind = type(value).__name__
                    raise ArgumentError("target", f"an output of type {kind}", "one tensor that depends on the input")
                last = self._plain(value)
                output = tuple(self.real[node.args[0]].shape[1:])
                return Network(_chain(last, root), self.shape, dtype, output)
            else:
                self._step(node)
        raise ArgumentError("target", "a module without output", "a module that returns a tensor")

    def _lookup(self, argument: Any) -> Any:
        return fx.node.map_arg(argument, lambda n: self.env[n])

    def _step(self, node: fx.Node) -> None:
        arguments, keywords = self._lookup(node.args), self._lookup(node.kwargs)
        free = not any(isinstance(self.env[n], _Value) for n in node.all_input_nodes)
        real_args = fx.node.map_arg(node.args, lambda n: self.real[n])
        real_keywords = fx.node.map_arg(node.kwargs, lambda n: self.real[n])
        try:
            self.real[node] = self._actual(node, real_args, real_keywords)
        except Exception as cause:
            reason = str(cause).splitlines()[0][:150] if str(cause) else type(cause).__name__
            shape = "x".join(map(str, self.shape))
            raise ArgumentError(
                "example",
                f"inputs of shape {shape}, on which node {node.name!r} fails ({reason})",
                "inputs that the module takes",
                "Give example=, a batch of inputs of the right shape.",
            ) from cause
        if free and node.op != "call_module":
            self.env[node] = self.real[node]
            return
        if isinstance(self.real[node], (torch.Size, int, torch.dtype, torch.device, tuple)):
            self.env[node] = self.real[node]  # sizes: the batch's is checked when 64 inputs are compared
            return
        reader, called = self._reader(node)
        if reader is None:
            raise _refuse(f"node {node.name!r}, {called}")
        try:
            value = reader(node, *arguments, **keywords)
        except TypeError as cause:
            raise _refuse(f"node {node.name!r}, {called} with these arguments ({cause})") from cause
        if value is None:
            raise _refuse(f"node {node.name!r}, {called} as it is used here")
        if isinstance(value, _Value):
            self._check_shape(node, value)
            if self._in_place(node):
                old = arguments[0]
                for other, held in self.env.items():
                    if held is old:
                        self.env[other] = value
        self.env[node] = value

    def _actual(self, node: fx.Node, arguments: Any, keywords: Any) -> Any:
        if node.op == "get_attr":
            value: Any = self.module
            for part in str(node.target).split("."):
                value = getattr(value, part)
            return value
        if node.op == "call_module":
            return self.modules[str(node.target)](*arguments, **keywords)
        if node.op == "call_method":
            return getattr(arguments[0], str(node.target))(*arguments[1:], **keywords)
        assert callable(node.target)
        return node.target(*arguments, **keywords)

    def _in_place(self, node: fx.Node) -> bool:
        if node.op == "call_module":
            return bool(getattr(self.modules[str(node.target)], "inplace", False))
        name = str(node.target) if node.op == "call_method" else getattr(node.target, "__name__", "")
        if name.endswith("_") and not name.endswith("__"):
            return True
        return node.target in (operator.iadd, operator.imul, operator.itruediv) or bool(node.kwargs.get("inplace"))

    def _check_shape(self, node: fx.Node, value: _Value) -> None:
        real = self.real[node]
        image = tuple(i + a + b for i, (a, b) in zip(value.node.image, value.pad, strict=True)) if value.pad else ()
        spatial = image or value.node.image
        expected = (value.node.channels * value.node.points,) if value.flat else (value.node.channels, *spatial)
        if tuple(real.shape[1:]) != expected:
            raise _refuse(f"node {node.name!r}, whose output of shape {tuple(real.shape)} is not followed")

    # which reader

    def _reader(self, node: fx.Node) -> tuple[Callable[..., Any] | None, str]:
        if node.op == "call_module":
            part = self.modules[str(node.target)]
            kind = type(part)
            if kind in self.activations:
                return self._given(self.activations[kind]), f"a {kind.__name__}"
            if parametrize.is_parametrized(part):
                kind = parametrize.type_before_parametrizations(part)
            found = _MODULES.get(kind)
            reader = None if found is None else (lambda n, x: found(self, n, x, part))
            return reader, f"a {kind.__name__} ({str(node.target)!r})"
        if node.op == "call_method":
            return self._bound(_METHODS.get(str(node.target))), f"the method {node.target}"
        target: Any = node.target
        if target in self.activations:
            return self._given(self.activations[target]), "an activation"
        return self._bound(_FUNCTIONS.get(target)), f"the function {getattr(target, '__name__', target)}"

    def _bound(self, reader: Callable[..., Any] | None) -> Callable[..., Any] | None:
        return None if reader is None else (lambda node, *a, **k: reader(self, node, *a, **k))

    def _given(self, activation: Activation) -> Callable[..., Any]:
        return lambda node, x, *a, **k: self.then(x, activation)

    # values

    def name_of(self, node: fx.Node, argument: Any = None) -> str:
        """A layer's name: of its module, or of the parameter that it uses; uses after the first are numbered."""
        if node.op == "call_module":
            name = str(node.target)
        else:
            name = node.name
            if isinstance(argument, fx.Node) and argument.op == "get_attr":
                held = str(argument.target)
                name = held.removesuffix(".weight") if held != "weight" else name
        self.used[name] = self.used.get(name, 0) + 1
        return name if self.used[name] == 1 else f"{name} (use {self.used[name]})"

    def _plain(self, x: _Value) -> _Node:
        """The node of a value, its padding applied."""
        if not x.pad:
            return x.node
        image = x.node.image
        padded = tuple(i + a + b for i, (a, b) in zip(image, x.pad, strict=True))
        inside = np.zeros(padded, dtype=bool)
        inside[tuple(slice(a, a + i) for i, (a, _) in zip(image, x.pad, strict=True))] = True
        matrix = np.zeros((inside.size, x.node.points))
        matrix[np.flatnonzero(inside), np.arange(x.node.points)] = 1.0
        return self._pooled(x.node, matrix, padded, "padding")

    def then(self, x: _Value, step: Step, image: tuple[int, ...] | None = None) -> _Value:
        node = self._plain(x)
        channels = step.channels[0] if isinstance(step, Linear) else node.channels
        return _Value(_Node(node, step, channels, node.image if image is None else image), x.flat)

    @staticmethod
    def _pooled(node: _Node, matrix: NDArray[np.float64], image: tuple[int, ...], name: str) -> _Node:
        sharing, values = as_labels(matrix)
        coefficients = np.eye(node.channels)[:, :, None] * values
        step = Linear(coefficients, sharing, name=name, fixed=True, groups=node.channels)
        return _Node(node, step, node.channels, image)

    def linear(self, x: _Value, weight: torch.Tensor, bias: torch.Tensor | None, name: str) -> _Value | None:
        node = self._plain(x)
        if node.image and not x.flat:
            return None  # torch's Linear would act on the last axis of an image
        w = _array(weight, f"{name}.weight").reshape(len(weight), node.channels, node.points)
        b = None if bias is None else _array(bias, f"{name}.bias")[:, None]
        sharing = all_points(node.points) if node.points > 1 else DENSE
        return _Value(_Node(node, Linear(w, sharing, b, name), len(w), ()))

    def convolution(
        self, x: _Value, weight: torch.Tensor, bias: torch.Tensor | None, name: str, options: _Window, groups: int
    ) -> _Value | None:
        image = x.node.image
        if x.flat or len(image) != weight.ndim - 2:
            return None
        padding = options.padding
        if x.pad:
            padding = tuple((a + c, b + d) for (a, b), (c, d) in zip(padding, x.pad, strict=True))
        shifts = Convolution(
            image, tuple(weight.shape[2:]), stride=options.stride, padding=padding, dilation=options.dilation
        )
        compact = _array(weight, f"{name}.weight").reshape(len(weight), weight.shape[1], -1)
        out, inputs, size = len(compact), x.node.channels, compact.shape[2]
        w = np.zeros((groups, out // groups, groups, inputs // groups, size))
        w[np.arange(groups), :, np.arange(groups)] = compact.reshape(groups, out // groups, inputs // groups, size)
        b = None if bias is None else _array(bias, f"{name}.bias")[:, None]
        sharing: Sharing = _circular(shifts) if options.circular else shifts
        layer = Linear(w.reshape(out, inputs, size), sharing, b, name, groups=groups)
        return _Value(_Node(x.node, layer, out, shifts.output))

    def scaled(self, x: _Value, scale: NDArray[np.float64], shift: NDArray[np.float64] | None, name: str) -> _Value:
        """``scale * x + shift``, a number a channel, or a number a feature of a flattened value."""
        node = self._plain(x)
        flat = x.flat and node.points > 1 and scale.size > 1
        last = node.step
        if isinstance(last, Linear) and not last.fixed and not flat:
            assert node.parent is not None
            bias = None if last.bias is None else last.bias * scale.reshape(-1, 1)
            if shift is not None:
                bias = (0.0 if bias is None else bias) + np.broadcast_to(shift.reshape(-1, 1), (node.channels, 1))
            folded = replace(last, coefficients=last.coefficients * scale.reshape(-1, 1, 1), bias=bias)
            return _Value(replace(node, step=folded), x.flat)
        count = node.points if flat else 1
        values = np.broadcast_to(scale.reshape(-1, count), (node.channels, count))
        sharing: Sharing = DENSE
        if flat:
            pattern = np.where(np.eye(node.points, dtype=bool), np.arange(node.points), -1)
            sharing = Sharing(pattern, np.arange(node.points))
        elif node.points > 1 or node.image:
            sharing = Convolution(node.image, (1,) * len(node.image))
        b = None if shift is None else np.broadcast_to(shift.reshape(-1, count), (node.channels, count)).copy()
        step = Linear(np.eye(node.channels)[:, :, None] * values[:, None, :], sharing, b, name, True, node.channels)
        return _Value(_Node(node, step, node.channels, node.image), x.flat)

    def sum(self, a: _Value, b: _Value) -> _Value | None:
        first, second = self._plain(a), self._plain(b)
        same = a.flat == b.flat and (first.channels, first.image) == (second.channels, second.image)
        if not same and (first.points * second.points != 1 or first.channels != second.channels):
            return None  # shapes that broadcast
        above = {id(n) for n in first.ancestors()}
        common = next(n for n in second.ancestors() if id(n) in above)
        step = Residual(_chain(first, common), _chain(second, common))
        return _Value(_Node(common, step, first.channels, first.image), a.flat)


def _chain(node: _Node, ancestor: _Node) -> tuple[Step, ...]:
    steps: list[Step] = []
    while node is not ancestor:
        assert node.step is not None
        assert node.parent is not None
        steps.append(node.step)
        node = node.parent
    return tuple(reversed(steps))


def _array(value: torch.Tensor, name: str) -> NDArray[np.float64]:
    array = np.array(value.detach().to("cpu", torch.float64).numpy())
    bad = ~np.isfinite(array)
    if bad.any():
        place = tuple(int(i) for i in np.argwhere(bad)[0])
        raise ArgumentError("target", f"{array[place]} in {name} at {place}", "finite weights")
    return array


# windows: convolutions and pooling


@dataclass(frozen=True)
class _Window:
    stride: tuple[int, ...]
    padding: tuple[tuple[int, int], ...]
    dilation: tuple[int, ...]
    circular: bool = False


def _axes(value: Any, axes: int) -> tuple[int, ...]:
    values = tuple(value) if isinstance(value, Sequence) else (value,) * axes
    return tuple(int(v) for v in (values * axes if len(values) == 1 else values))


def _window(kernel: Sequence[int], stride: Any, padding: Any, dilation: Any, circular: bool = False) -> _Window:
    axes = len(kernel)
    steps = _axes(dilation, axes)
    if padding == "valid":
        padding = 0
    if padding == "same":
        total = [d * (k - 1) for d, k in zip(steps, kernel, strict=True)]
        pairs = tuple((t // 2, t - t // 2) for t in total)
    else:
        pairs = tuple((p, p) for p in _axes(padding, axes))
    return _Window(_axes(stride, axes), pairs, steps, circular)


def _circular(shifts: Convolution) -> Sharing:
    """The labels of a convolution whose image is continued around its borders."""
    p, q = shifts.points
    labels = np.full((p, q), -1, np.int64)
    places = np.stack(np.meshgrid(*map(np.arange, shifts.output), indexing="ij"), axis=-1).reshape(p, -1)
    for label, shift in enumerate(np.ndindex(*shifts.kernel)):
        before = np.array([a for a, _ in shifts.padding])
        at = (places * np.array(shifts.stride) - before + np.array(shift) * np.array(shifts.dilation)) % np.array(
            shifts.image
        )
        column = np.ravel_multi_index(tuple(at.T), shifts.image)
        if (labels[np.arange(p), column] >= 0).any():
            raise _refuse("a circular convolution whose kernel meets a point twice", "Use a larger image.")
        labels[np.arange(p), column] = label
    return Sharing(labels)


def _average(
    self: _Reader, node: fx.Node, x: _Value, kernel: Any, stride: Any = None, padding: Any = 0,
    ceil_mode: bool = False, count_include_pad: bool = True, divisor_override: Any = None,
) -> _Value | None:  # fmt: skip
    if x.flat or not x.node.image:
        return None
    source = self._plain(x)
    axes = len(source.image)
    size = _axes(kernel, axes)
    window = _window(size, size if stride is None or stride == [] else stride, padding, 1)
    simple = not ceil_mode and (count_include_pad or not np.any(_axes(padding, axes))) and divisor_override is None
    if simple:
        shifts = Convolution(source.image, size, stride=window.stride, padding=window.padding)
        w = np.eye(source.channels)[:, :, None] * np.full(shifts.size, 1 / shifts.size)
        step = Linear(w, shifts, name="average pooling", fixed=True, groups=source.channels)
        return _Value(_Node(source, step, source.channels, shifts.output))
    pool: Any = F.avg_pool1d if axes == 1 else F.avg_pool2d
    extra = {} if axes == 1 else {"divisor_override": divisor_override}
    ones = torch.eye(source.points, dtype=torch.float64).reshape(source.points, 1, *source.image)
    y = pool(ones, size, window.stride, _axes(padding, axes), ceil_mode, count_include_pad, **extra)
    matrix = y.reshape(source.points, -1).T.numpy()
    return _Value(self._pooled(source, matrix, tuple(y.shape[2:]), "average pooling"))


def _adaptive(self: _Reader, node: fx.Node, x: _Value, output_size: Any) -> _Value | None:
    if x.flat or not x.node.image:
        return None
    source = self._plain(x)
    axes = len(source.image)
    sizes = tuple(output_size) if isinstance(output_size, Sequence) else (output_size,) * axes
    size = tuple(i if s is None else int(s) for s, i in zip(sizes, source.image, strict=True))
    if all(s == 1 for s in size):
        return _average(self, node, x, source.image)
    pool: Any = F.adaptive_avg_pool1d if axes == 1 else F.adaptive_avg_pool2d
    ones = torch.eye(source.points, dtype=torch.float64).reshape(source.points, 1, *source.image)
    matrix = pool(ones, size).reshape(source.points, -1).T.numpy()
    return _Value(self._pooled(source, matrix, size, "average pooling"))


def _mean(
    self: _Reader, node: fx.Node, x: _Value, dim: Any = None, keepdim: bool = False, **other: Any
) -> _Value | None:
    axes = len(x.node.image)
    dims = sorted(d % (axes + 2) for d in (dim if isinstance(dim, Sequence) else [dim])) if dim is not None else []
    if x.flat or axes == 0 or dims != list(range(2, axes + 2)) or other:
        return None
    y = _average(self, node, x, self._plain(x).image)
    if y is None or keepdim:
        return y
    return _Value(replace(y.node, image=()), False)


def _maximum(
    self: _Reader, node: fx.Node, x: _Value, kernel: Any, stride: Any = None, padding: Any = 0, dilation: Any = 1,
    ceil_mode: bool = False, return_indices: bool = False,
) -> _Value | None:  # fmt: skip
    if x.flat or not x.node.image or return_indices:
        return None
    image = self._plain(x).image
    axes = len(image)
    size = _axes(kernel, axes)
    steps = size if stride is None or stride == [] else _axes(stride, axes)
    pool = MaxPool(image, size, steps, _axes(padding, axes), _axes(dilation, axes), bool(ceil_mode))
    return self.then(x, pool, pool.output)


def _flatten(self: _Reader, node: fx.Node, x: _Value, start_dim: int = 0, end_dim: int = -1) -> _Value | None:
    axes = 2 if x.flat else 2 + len(x.node.image)
    if start_dim % axes == end_dim % axes:
        return x
    return _Value(self._plain(x), True) if (start_dim % axes, end_dim % axes) == (1, axes - 1) else None


def _reshape(self: _Reader, node: fx.Node, x: _Value, *shape: Any, **other: Any) -> _Value | None:
    if tuple(self.real[node].shape) == (2, x.node.channels * x.node.points):
        return _Value(self._plain(x), True)
    same = tuple(self.real[node].shape) == (2, x.node.channels, *x.node.image)
    return x if same and not x.flat and not x.pad else None


def _squeeze(self: _Reader, node: fx.Node, x: _Value, *dims: Any, **other: Any) -> _Value | None:
    if x.flat or x.node.points != 1 or tuple(self.real[node].shape) != (2, x.node.channels):
        return None
    return _Value(replace(x.node, image=()) if x.node.image else x.node)


def _pad(self: _Reader, node: fx.Node, x: _Value, pad: Any, mode: str = "constant", value: Any = None) -> _Value | None:
    axes = len(x.node.image)
    if x.flat or mode != "constant" or value not in (None, 0, 0.0) or len(pad) > 2 * axes or min(pad) < 0:
        return None
    pairs = [(int(a), int(b)) for a, b in zip(pad[::2], pad[1::2], strict=True)][::-1]
    pairs = [(0, 0)] * (axes - len(pairs)) + pairs
    held = x.pad or ((0, 0),) * axes
    return replace(x, pad=tuple((a + c, b + d) for (a, b), (c, d) in zip(held, pairs, strict=True)))


# layers


def _pass(self: _Reader, node: fx.Node, x: Any, *arguments: Any, **keywords: Any) -> Any:
    return x


def _dropout(self: _Reader, node: fx.Node, x: Any, p: float = 0.5, training: bool = True, *a: Any, **k: Any) -> Any:
    return None if training and p else x


def _pointwise(activation: Activation) -> Callable[..., _Value]:
    return lambda self, node, x, *a, **k: self.then(x, activation)


def _leaky(self: _Reader, node: fx.Node, x: _Value, negative_slope: float = 0.01, inplace: bool = False) -> _Value:
    return self.then(x, leaky_relu(float(negative_slope)))


def _prelu(self: _Reader, node: fx.Node, x: _Value, weight: torch.Tensor) -> _Value | None:
    return self.then(x, leaky_relu(float(weight))) if _number(weight) else None


def _gelu(self: _Reader, node: fx.Node, x: _Value, approximate: str = "none") -> _Value:
    return self.then(x, GELU if approximate == "none" else GELU_TANH)


def _clamp(self: _Reader, node: fx.Node, x: _Value, min: Any = None, max: Any = None, **k: Any) -> _Value | None:
    known: dict[tuple[float | None, float | None], Activation] = {(0.0, None): RELU, (0.0, 6.0): RELU6}
    found = known.get((None if min is None else float(min), None if max is None else float(max)))
    return None if found is None else self.then(x, found)


def _linear_function(self: _Reader, node: fx.Node, x: _Value, weight: Any, bias: Any = None) -> _Value | None:
    if isinstance(weight, _Value) or isinstance(bias, _Value):
        return None
    return self.linear(x, weight, bias, self.name_of(node, node.args[1] if len(node.args) > 1 else None))


def _conv_function(
    self: _Reader, node: fx.Node, x: _Value, weight: Any, bias: Any = None, stride: Any = 1, padding: Any = 0,
    dilation: Any = 1, groups: int = 1,
) -> _Value | None:  # fmt: skip
    if isinstance(weight, _Value) or isinstance(bias, _Value):
        return None
    window = _window(weight.shape[2:], stride, padding, dilation)
    name = self.name_of(node, node.args[1] if len(node.args) > 1 else None)
    return self.convolution(x, weight, bias, name, window, groups)


def _batch_norm(
    self: _Reader, node: fx.Node, x: _Value, mean: Any, variance: Any, weight: Any = None, bias: Any = None,
    training: bool = False, momentum: Any = 0.1, eps: float = 1e-5,
) -> _Value | None:  # fmt: skip
    if training or mean is None or variance is None:
        return None
    scale = 1 / torch.sqrt(variance + eps)
    scale = scale if weight is None else scale * weight
    shift = -mean * scale if bias is None else bias - mean * scale
    name = self.name_of(node) if node.op == "call_module" else "batch normalisation"
    return self.scaled(x, _array(scale, f"{name}.weight"), _array(shift, f"{name}.bias"), name)


def _add(self: _Reader, node: fx.Node, a: Any, b: Any, alpha: Any = 1) -> _Value | None:
    if alpha != 1:
        return None
    if isinstance(a, _Value) and isinstance(b, _Value):
        return self.sum(a, b)
    x, other = (a, b) if isinstance(a, _Value) else (b, a)
    if not _number(other):
        return None
    if float(other) == 0:
        return x
    return self.scaled(x, np.ones(1), np.full(1, float(other)), "shift")


def _multiply(self: _Reader, node: fx.Node, a: Any, b: Any) -> _Value | None:
    x, other = (a, b) if isinstance(a, _Value) else (b, a)
    return self.scaled(x, np.full(1, float(other)), None, "scale") if _number(other) else None


def _divide(self: _Reader, node: fx.Node, a: Any, b: Any) -> _Value | None:
    if not isinstance(a, _Value) or not _number(b) or float(b) == 0:
        return None
    return self.scaled(a, np.full(1, 1 / float(b)), None, "scale")


def _conv_module(self: _Reader, node: fx.Node, x: _Value, m: Any) -> _Value | None:
    if m.padding_mode not in ("zeros", "circular"):
        return None
    window = _window(m.kernel_size, m.stride, m.padding, m.dilation, m.padding_mode == "circular")
    return self.convolution(x, m.weight, m.bias, self.name_of(node), window, m.groups)


def _bn_module(self: _Reader, node: fx.Node, x: _Value, m: Any) -> _Value | None:
    return _batch_norm(self, node, x, m.running_mean, m.running_var, m.weight, m.bias, eps=m.eps)


def _average_module(self: _Reader, node: fx.Node, x: _Value, m: Any) -> _Value | None:
    divisor = getattr(m, "divisor_override", None)
    return _average(self, node, x, m.kernel_size, m.stride, m.padding, m.ceil_mode, m.count_include_pad, divisor)


def _max_module(self: _Reader, node: fx.Node, x: _Value, m: Any) -> _Value | None:
    return _maximum(
        self, node, x, m.kernel_size, m.stride, m.padding, m.dilation, m.ceil_mode, m.return_indices
    )  # fmt: skip


_MODULES: dict[type, Callable[..., Any]] = {
    nn.Linear: lambda self, node, x, m: self.linear(x, m.weight, m.bias, self.name_of(node)),
    nn.Conv1d: _conv_module,
    nn.Conv2d: _conv_module,
    nn.BatchNorm1d: _bn_module,
    nn.BatchNorm2d: _bn_module,
    nn.AvgPool1d: _average_module,
    nn.AvgPool2d: _average_module,
    nn.AdaptiveAvgPool1d: lambda self, node, x, m: _adaptive(self, node, x, m.output_size),
    nn.AdaptiveAvgPool2d: lambda self, node, x, m: _adaptive(self, node, x, m.output_size),
    nn.MaxPool1d: _max_module,
    nn.MaxPool2d: _max_module,
    nn.ZeroPad1d: lambda self, node, x, m: _pad(self, node, x, m.padding),
    nn.ZeroPad2d: lambda self, node, x, m: _pad(self, node, x, m.padding),
    nn.Flatten: lambda self, node, x, m: _flatten(self, node, x, m.start_dim, m.end_dim),
    nn.LeakyReLU: lambda self, node, x, m: _leaky(self, node, x, m.negative_slope),
    nn.PReLU: lambda self, node, x, m: _prelu(self, node, x, m.weight),
    nn.GELU: lambda self, node, x, m: _gelu(self, node, x, m.approximate),
    **{kind: lambda self, node, x, m: x for kind in (nn.Identity, nn.Dropout, nn.Dropout1d, nn.Dropout2d)},
    **{
        kind: (lambda self, node, x, m, a=activation: self.then(x, a))
        for kind, activation in (
            (nn.ReLU, RELU),
            (nn.ReLU6, RELU6),
            (nn.Tanh, TANH),
            (nn.Sigmoid, SIGMOID),
            (nn.SiLU, SILU),
        )
    },
}

_POINTWISE = {
    RELU: (torch.relu, torch.relu_, F.relu, F.relu_),
    RELU6: (F.relu6,),
    TANH: (torch.tanh, torch.tanh_, F.tanh),
    SIGMOID: (torch.sigmoid, torch.sigmoid_, F.sigmoid),
    SILU: (F.silu,),
}
_FUNCTIONS: dict[Any, Callable[..., Any]] = {
    **{function: _pointwise(activation) for activation, functions in _POINTWISE.items() for function in functions},
    F.leaky_relu: _leaky,
    F.leaky_relu_: _leaky,
    F.prelu: _prelu,
    F.gelu: _gelu,
    torch.clamp: _clamp,
    F.linear: _linear_function,
    F.conv1d: _conv_function,
    F.conv2d: _conv_function,
    F.batch_norm: _batch_norm,
    F.avg_pool1d: _average,
    F.avg_pool2d: _average,
    F.adaptive_avg_pool1d: _adaptive,
    F.adaptive_avg_pool2d: _adaptive,
    torch.adaptive_avg_pool1d: _adaptive,
    torch.avg_pool1d: _average,
    torch.mean: _mean,
    **dict.fromkeys((F.max_pool1d, F.max_pool2d, torch.max_pool1d, torch.max_pool2d), _maximum),
    F.pad: _pad,
    torch.flatten: _flatten,
    torch.reshape: _reshape,
    torch.squeeze: _squeeze,
    F.dropout: _dropout,
    **dict.fromkeys((operator.add, operator.iadd, torch.add), _add),
    **dict.fromkeys((operator.mul, operator.imul, torch.mul), _multiply),
    **dict.fromkeys((operator.truediv, operator.itruediv, torch.div), _divide),
}
_METHODS: dict[str, Callable[..., Any]] = {
    **{name: _pointwise(a) for a in _POINTWISE for name in (a.name, f"{a.name}_") if a is not RELU6 and a is not SILU},
    "clamp": _clamp,
    "clamp_": _clamp,
    "mean": _mean,
    "flatten": _flatten,
    "view": _reshape,
    "reshape": _reshape,
    "squeeze": _squeeze,
    "contiguous": _pass,
    "add": _add,
    "add_": _add,
    "mul": _multiply,
    "mul_": _multiply,
    "div": _divide,
}
