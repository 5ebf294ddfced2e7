"""What each module, function and method of torch means, as steps: one reader for each."""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import fx, nn
from torch.nn import functional as F

from rssp.tickets.activations import GELU, GELU_TANH, RELU, RELU6, SIGMOID, SILU, TANH, Activation, leaky_relu
from rssp.tickets.network import Linear, MaxPool
from rssp.tickets.sharing import Convolution
from rssp.tickets.values import Node, Value, Values, array_of, axes_of, window_of

__all__ = ["FUNCTIONS", "METHODS", "MODULES", "is_number"]


def is_number(value: Any) -> bool:
    """Whether a constant is one number."""
    return isinstance(value, (int, float)) or (isinstance(value, torch.Tensor) and value.numel() == 1)


def _average(
    self: Values, node: fx.Node, x: Value, kernel: Any, stride: Any = None, padding: Any = 0,
    ceil_mode: bool = False, count_include_pad: bool = True, divisor_override: Any = None,
) -> Value | None:  # fmt: skip
    if x.flat or not x.node.image:
        return None
    source = self.plain(x)
    axes = len(source.image)
    size = axes_of(kernel, axes)
    window = window_of(size, size if stride is None or stride == [] else stride, padding, 1)
    simple = not ceil_mode and (count_include_pad or not np.any(axes_of(padding, axes))) and divisor_override is None
    if simple:
        shifts = Convolution(source.image, size, stride=window.stride, padding=window.padding)
        w = np.eye(source.channels)[:, :, None] * np.full(shifts.size, 1 / shifts.size)
        step = Linear(w, shifts, name="average pooling", fixed=True, groups=source.channels)
        return Value(Node(source, step, source.channels, shifts.output))
    pool: Any = F.avg_pool1d if axes == 1 else F.avg_pool2d
    extra = {} if axes == 1 else {"divisor_override": divisor_override}
    ones = torch.eye(source.points, dtype=torch.float64).reshape(source.points, 1, *source.image)
    y = pool(ones, size, window.stride, axes_of(padding, axes), ceil_mode, count_include_pad, **extra)
    matrix = y.reshape(source.points, -1).T.numpy()
    return Value(self.pooled(source, matrix, tuple(y.shape[2:]), "average pooling"))


def _adaptive(self: Values, node: fx.Node, x: Value, output_size: Any) -> Value | None:
    if x.flat or not x.node.image:
        return None
    source = self.plain(x)
    axes = len(source.image)
    sizes = tuple(output_size) if isinstance(output_size, Sequence) else (output_size,) * axes
    size = tuple(i if s is None else int(s) for s, i in zip(sizes, source.image, strict=True))
    if all(s == 1 for s in size):
        return _average(self, node, x, source.image)
    pool: Any = F.adaptive_avg_pool1d if axes == 1 else F.adaptive_avg_pool2d
    ones = torch.eye(source.points, dtype=torch.float64).reshape(source.points, 1, *source.image)
    matrix = pool(ones, size).reshape(source.points, -1).T.numpy()
    return Value(self.pooled(source, matrix, size, "average pooling"))


def _mean(self: Values, node: fx.Node, x: Value, dim: Any = None, keepdim: bool = False, **other: Any) -> Value | None:
    axes = len(x.node.image)
    dims = sorted(d % (axes + 2) for d in (dim if isinstance(dim, Sequence) else [dim])) if dim is not None else []
    if x.flat or axes == 0 or dims != list(range(2, axes + 2)) or other:
        return None
    y = _average(self, node, x, self.plain(x).image)
    if y is None or keepdim:
        return y
    return Value(replace(y.node, image=()), False)


def _maximum(
    self: Values, node: fx.Node, x: Value, kernel: Any, stride: Any = None, padding: Any = 0, dilation: Any = 1,
    ceil_mode: bool = False, return_indices: bool = False,
) -> Value | None:  # fmt: skip
    if x.flat or not x.node.image or return_indices:
        return None
    image = self.plain(x).image
    axes = len(image)
    size = axes_of(kernel, axes)
    steps = size if stride is None or stride == [] else axes_of(stride, axes)
    pool = MaxPool(image, size, steps, axes_of(padding, axes), axes_of(dilation, axes), bool(ceil_mode))
    return self.then(x, pool, pool.output)


def _adaptive_maximum(
    self: Values, node: fx.Node, x: Value, output_size: Any, return_indices: bool = False
) -> Value | None:
    """Global max pooling; windows of other sizes differ from each other."""
    if x.flat or not x.node.image or set(axes_of(output_size, len(x.node.image))) != {1}:
        return None
    return _maximum(self, node, x, self.plain(x).image, return_indices=return_indices)


def _flatten(self: Values, node: fx.Node, x: Value, start_dim: int = 0, end_dim: int = -1) -> Value | None:
    axes = 2 if x.flat else 2 + len(x.node.image)
    if start_dim % axes == end_dim % axes:
        return x
    return Value(self.plain(x), True) if (start_dim % axes, end_dim % axes) == (1, axes - 1) else None


def _reshape(self: Values, node: fx.Node, x: Value, *shape: Any, **other: Any) -> Value | None:
    if tuple(self.real[node].shape) == (2, x.node.channels * x.node.points):
        return Value(self.plain(x), True)
    same = tuple(self.real[node].shape) == (2, x.node.channels, *x.node.image)
    return x if same and not x.flat and not x.pad else None


def _squeeze(self: Values, node: fx.Node, x: Value, *dims: Any, **other: Any) -> Value | None:
    if x.flat or x.node.points != 1 or tuple(self.real[node].shape) != (2, x.node.channels):
        return None
    return Value(replace(x.node, image=()) if x.node.image else x.node)


def _pad(self: Values, node: fx.Node, x: Value, pad: Any, mode: str = "constant", value: Any = None) -> Value | None:
    axes = len(x.node.image)
    if x.flat or mode != "constant" or value not in (None, 0, 0.0) or len(pad) > 2 * axes or min(pad) < 0:
        return None
    pairs = [(int(a), int(b)) for a, b in zip(pad[::2], pad[1::2], strict=True)][::-1]
    pairs = [(0, 0)] * (axes - len(pairs)) + pairs
    held = x.pad or ((0, 0),) * axes
    return replace(x, pad=tuple((a + c, b + d) for (a, b), (c, d) in zip(held, pairs, strict=True)))


# layers


def _pass(self: Values, node: fx.Node, x: Any, *arguments: Any, **keywords: Any) -> Any:
    return x


def _dropout(self: Values, node: fx.Node, x: Any, p: float = 0.5, training: bool = True, *a: Any, **k: Any) -> Any:
    return None if training and p else x


def _pointwise(activation: Activation) -> Callable[..., Value]:
    return lambda self, node, x, *a, **k: self.then(x, activation)


def _leaky(self: Values, node: fx.Node, x: Value, negative_slope: float = 0.01, inplace: bool = False) -> Value:
    return self.then(x, leaky_relu(float(negative_slope)))


def _prelu(self: Values, node: fx.Node, x: Value, weight: torch.Tensor) -> Value | None:
    return self.then(x, leaky_relu(float(weight))) if is_number(weight) else None


def _gelu(self: Values, node: fx.Node, x: Value, approximate: str = "none") -> Value:
    return self.then(x, GELU if approximate == "none" else GELU_TANH)


def _clamp(self: Values, node: fx.Node, x: Value, min: Any = None, max: Any = None, **k: Any) -> Value | None:
    known: dict[tuple[float | None, float | None], Activation] = {(0.0, None): RELU, (0.0, 6.0): RELU6}
    found = known.get((None if min is None else float(min), None if max is None else float(max)))
    return None if found is None else self.then(x, found)


def _linear_function(self: Values, node: fx.Node, x: Value, weight: Any, bias: Any = None) -> Value | None:
    if isinstance(weight, Value) or isinstance(bias, Value):
        return None
    return self.linear(x, weight, bias, self.name_of(node, node.args[1] if len(node.args) > 1 else None))


def _conv_function(
    self: Values, node: fx.Node, x: Value, weight: Any, bias: Any = None, stride: Any = 1, padding: Any = 0,
    dilation: Any = 1, groups: int = 1,
) -> Value | None:  # fmt: skip
    if isinstance(weight, Value) or isinstance(bias, Value):
        return None
    window = window_of(weight.shape[2:], stride, padding, dilation)
    name = self.name_of(node, node.args[1] if len(node.args) > 1 else None)
    return self.convolution(x, weight, bias, name, window, groups)


def _batch_norm(
    self: Values, node: fx.Node, x: Value, mean: Any, variance: Any, weight: Any = None, bias: Any = None,
    training: bool = False, momentum: Any = 0.1, eps: float = 1e-5,
) -> Value | None:  # fmt: skip
    if training or mean is None or variance is None:
        return None
    scale = 1 / torch.sqrt(variance + eps)
    scale = scale if weight is None else scale * weight
    shift = -mean * scale if bias is None else bias - mean * scale
    name = self.name_of(node) if node.op == "call_module" else "batch normalisation"
    return self.scaled(x, array_of(scale, f"{name}.weight"), array_of(shift, f"{name}.bias"), name)


def _add(self: Values, node: fx.Node, a: Any, b: Any, alpha: Any = 1) -> Value | None:
    if alpha != 1:
        return None
    if isinstance(a, Value) and isinstance(b, Value):
        return self.sum(a, b)
    x, other = (a, b) if isinstance(a, Value) else (b, a)
    if not is_number(other):
        return None
    if float(other) == 0:
        return x
    return self.scaled(x, np.ones(1), np.full(1, float(other)), "shift")


def _multiply(self: Values, node: fx.Node, a: Any, b: Any) -> Value | None:
    x, other = (a, b) if isinstance(a, Value) else (b, a)
    return self.scaled(x, np.full(1, float(other)), None, "scale") if is_number(other) else None


def _divide(self: Values, node: fx.Node, a: Any, b: Any) -> Value | None:
    if not isinstance(a, Value) or not is_number(b) or float(b) == 0:
        return None
    return self.scaled(a, np.full(1, 1 / float(b)), None, "scale")


def _conv_module(self: Values, node: fx.Node, x: Value, m: Any) -> Value | None:
    if m.padding_mode not in ("zeros", "circular"):
        return None
    window = window_of(m.kernel_size, m.stride, m.padding, m.dilation, m.padding_mode == "circular")
    return self.convolution(x, m.weight, m.bias, self.name_of(node), window, m.groups)


def _bn_module(self: Values, node: fx.Node, x: Value, m: Any) -> Value | None:
    return _batch_norm(self, node, x, m.running_mean, m.running_var, m.weight, m.bias, eps=m.eps)


def _average_module(self: Values, node: fx.Node, x: Value, m: Any) -> Value | None:
    divisor = getattr(m, "divisor_override", None)
    return _average(self, node, x, m.kernel_size, m.stride, m.padding, m.ceil_mode, m.count_include_pad, divisor)


def _max_module(self: Values, node: fx.Node, x: Value, m: Any) -> Value | None:
    return _maximum(
        self, node, x, m.kernel_size, m.stride, m.padding, m.dilation, m.ceil_mode, m.return_indices
    )  # fmt: skip


MODULES: dict[type, Callable[..., Any]] = {
    nn.Linear: lambda self, node, x, m: self.linear(x, m.weight, m.bias, self.name_of(node)),
    nn.Conv1d: _conv_module,
    nn.Conv2d: _conv_module,
    nn.BatchNorm1d: _bn_module,
    nn.BatchNorm2d: _bn_module,
    nn.AvgPool1d: _average_module,
    nn.AvgPool2d: _average_module,
    nn.AdaptiveAvgPool1d: lambda self, node, x, m: _adaptive(self, node, x, m.output_size),
    nn.AdaptiveAvgPool2d: lambda self, node, x, m: _adaptive(self, node, x, m.output_size),
    nn.AdaptiveMaxPool1d: lambda self, node, x, m: _adaptive_maximum(self, node, x, m.output_size, m.return_indices),
    nn.AdaptiveMaxPool2d: lambda self, node, x, m: _adaptive_maximum(self, node, x, m.output_size, m.return_indices),
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
FUNCTIONS: dict[Any, Callable[..., Any]] = {
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
    **dict.fromkeys((F.adaptive_max_pool1d, F.adaptive_max_pool2d), _adaptive_maximum),
    F.pad: _pad,
    torch.flatten: _flatten,
    torch.reshape: _reshape,
    torch.squeeze: _squeeze,
    F.dropout: _dropout,
    **dict.fromkeys((operator.add, operator.iadd, torch.add), _add),
    **dict.fromkeys((operator.mul, operator.imul, torch.mul), _multiply),
    **dict.fromkeys((operator.truediv, operator.itruediv, torch.div), _divide),
}
METHODS: dict[str, Callable[..., Any]] = {
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
