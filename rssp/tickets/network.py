"""Networks as steps: linear layers on sharing patterns, activations, exact max pooling, and residual sums.

An example is an array of channels and points, flattened to one row at both ends: an image (c, h, w) has c channels and
h w points, a feature vector d channels and one point. Everything is evaluated in float64 by one torch forward pass,
which autograd can follow; coefficients are NumPy arrays.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch.nn import functional as F

from rssp._arguments import integer, items, of_kind, real_array, target_array, whole_array
from rssp.errors import ArgumentError
from rssp.tickets.activations import Activation
from rssp.tickets.bases import LARGEST
from rssp.tickets.sharing import Sharing
from rssp.tickets.standalone import largest

__all__ = [
    "Activation",
    "Linear",
    "MaxPool",
    "Network",
    "Residual",
    "Step",
    "WindowMax",
    "activations_of",
    "in_chunks",
    "one_thread",
]

_CHUNK = 2**22  # numbers in the widest activation of one evaluation


@dataclass(frozen=True, eq=False, repr=False)
class Linear:
    """A linear layer: coefficients over a sharing, and biases.

    Attributes
    ----------
    coefficients : float64 array (out, in, size); zero between channels of different groups
    sharing : Sharing, size labels
    bias : float64 array (out, orbits), or None
    name : str, what the layer is called in messages
    fixed : bool, whether it is exact and outside the pruned part (pooling, scaling), no parameters of the target
    groups : int, output channel j reads input channels of its own group only (as in torch's convolutions)
    negative : None, or an array like `coefficients` for negative inputs: ``x -> P relu(x) - N relu(-x) + b``
    slack, bias_slack : None, or arrays of the shapes of coefficients and bias: what a pruned network computes in real
        numbers is within this of `coefficients`, `negative` and `bias`, entry by entry
    remainder : None, or an array like `coefficients`: what comes over a link from an input x differs from the linear
        function by at most ``remainder * x**2`` more (a smooth activation in its linear range)

    Examples
    --------
    >>> from rssp.tickets.sharing import DENSE
    >>> layer = Linear(np.array([[[1.0], [-2.0]]]), DENSE, np.array([[0.5]]), "fc")
    >>> layer
    Linear('fc', 2 -> 1, bias)
    """

    coefficients: NDArray[np.float64]
    sharing: Sharing
    bias: NDArray[np.float64] | None = None
    name: str = ""
    fixed: bool = False
    groups: int = 1
    negative: NDArray[np.float64] | None = None
    slack: NDArray[np.float64] | None = None
    bias_slack: NDArray[np.float64] | None = None
    remainder: NDArray[np.float64] | None = None

    def __post_init__(self) -> None:
        of_kind("sharing", self.sharing, Sharing, "a Sharing, such as DENSE")
        for part in ("coefficients", "bias"):
            if part == "coefficients" or self.bias is not None:
                values = real_array(f"{part} of {self.name!r}", getattr(self, part))
                bad = values[~(np.abs(values) <= LARGEST)]
                if bad.size:
                    allowed = f"numbers from {-LARGEST:g} to {LARGEST:g}"
                    raise ArgumentError(f"{part} of {self.name!r}", bad[0], allowed)
                object.__setattr__(self, part, values)
        shape = self.coefficients.shape
        if len(shape) != 3 or shape[2] != self.sharing.size or 0 in shape:
            raise ArgumentError(
                f"coefficients of {self.name!r}", f"shape {shape}", f"shape (out, in, {self.sharing.size})"
            )
        if integer(f"groups of {self.name!r}", self.groups, 1) < 1 or shape[0] % self.groups or shape[1] % self.groups:
            raise ArgumentError(f"groups of {self.name!r}", self.groups, "a divisor of the channels in and out")
        if self.bias is not None and not self.sharing.biased:
            allowed = "no bias: no constant commutes with the group; give the outputs an invariant feature instead"
            raise ArgumentError(f"bias of {self.name!r}", f"shape {self.bias.shape}", allowed)
        if self.bias is not None and self.bias.shape != (shape[0], self.sharing.orbit_count):
            allowed = f"shape {(shape[0], self.sharing.orbit_count)}"
            raise ArgumentError(f"bias of {self.name!r}", f"shape {self.bias.shape}", allowed)

    @property
    def channels(self) -> tuple[int, int]:
        """The numbers (out, in) of channels."""
        return self.coefficients.shape[0], self.coefficients.shape[1]

    @cached_property
    def links(self) -> NDArray[np.bool_]:
        """Which channels are linked, bool (out, in): those of one group."""
        out, inputs = self.channels
        return np.equal.outer(np.arange(out) * self.groups // out, np.arange(inputs) * self.groups // inputs)

    @cached_property
    def parameters(self) -> int:
        """The number of coefficients and biases; 0 for a fixed layer."""
        biases = 0 if self.bias is None else self.bias.size
        return 0 if self.fixed else self.coefficients.size // self.groups + biases

    @cached_property
    def _prepared(self) -> torch.Tensor:
        return self.sharing.prepare(self.coefficients, self.groups)

    @cached_property
    def _prepared_difference(self) -> torch.Tensor:
        assert self.negative is not None
        return self.sharing.prepare(self.coefficients - self.negative, self.groups)

    @cached_property
    def _bias_by_point(self) -> torch.Tensor | None:
        return None if self.bias is None else torch.from_numpy(self.bias[:, self.sharing.orbits])

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Outputs (m, out, P) for float64 inputs (m, in, Q)."""
        y = self.sharing.apply(x, self._prepared, self.groups)
        if self.negative is not None:
            y = y + self.sharing.apply(torch.relu(-x), self._prepared_difference, self.groups)
        return y if self._bias_by_point is None else y + self._bias_by_point

    def output_shape(self, shape: tuple[int, int]) -> tuple[int, int]:
        """(channels, points) after the step, for those before it."""
        if shape != (self.channels[1], self.sharing.points[1]):
            allowed = f"{self.channels[1]} channels of {self.sharing.points[1]} points"
            raise ArgumentError(f"inputs of {self.name!r}", f"{shape[0]} channels of {shape[1]} points", allowed)
        return self.channels[0], self.sharing.points[0]

    def __repr__(self) -> str:
        out, inputs = self.channels
        kind = "" if self.sharing.points == (1, 1) else f", {self.sharing}"
        groups = f", groups {self.groups}" if self.groups > 1 else ""
        extra = groups + (", bias" if self.bias is not None else "") + (", fixed" if self.fixed else "")
        return f"Linear({self.name!r}, {inputs} -> {out}{kind}{extra})"


@dataclass(frozen=True, repr=False)
class MaxPool:
    """The largest of each window of points, in each channel; arguments as in torch's max_pool1d and max_pool2d."""

    image: tuple[int, ...]
    kernel: tuple[int, ...]
    stride: tuple[int, ...]
    padding: tuple[int, ...]
    dilation: tuple[int, ...]
    ceil_mode: bool = False

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Outputs (m, channels, P) for inputs (m, channels, Q)."""
        return self._pooled(x).flatten(2)

    def _pooled(self, x: torch.Tensor) -> torch.Tensor:
        pool = F.max_pool1d if len(self.image) == 1 else F.max_pool2d
        images = x.unflatten(2, self.image)
        y = pool(images, self.kernel, self.stride, self.padding, self.dilation, self.ceil_mode)
        return torch.as_tensor(y)

    @cached_property
    def output(self) -> tuple[int, ...]:
        """The size of the output image."""
        points = int(np.prod(self.image))
        return tuple(self._pooled(torch.zeros(1, 1, points)).shape[2:])

    @property
    def overlap(self) -> float:
        """A Lipschitz constant in the 2-norm: the root of how many windows hold one point, at most."""
        return math.sqrt(math.prod(-(-k // s) for k, s in zip(self.kernel, self.stride, strict=True)))

    @cached_property
    def windows(self) -> NDArray[np.int64]:
        """The input points of each output point's window, int array (P, k), -1 where the window leaves the image."""
        points = int(np.prod(self.image))
        raised = torch.eye(points, dtype=torch.float64)[:, None] - 1.0  # one point of each row above the others
        reaches = self.forward(raised)[:, 0].numpy() == 0  # (Q, P): windows whose largest is that point
        found = [np.flatnonzero(column) for column in reaches.T]
        windows = np.full((len(found), max(map(len, found))), -1)
        for row, window in zip(windows, found, strict=True):
            row[: len(window)] = window
        return windows

    def output_shape(self, shape: tuple[int, int]) -> tuple[int, int]:
        """(channels, points) after the step, for those before it."""
        if shape[1] != int(np.prod(self.image)):
            raise ArgumentError("inputs of a max pooling", f"{shape[1]} points", f"{int(np.prod(self.image))}")
        return shape[0], int(np.prod(self.output))

    def described(self) -> dict[str, Any]:
        """The step as plain data."""
        fields = {k: list(getattr(self, k)) for k in ("image", "kernel", "stride", "padding", "dilation")}
        return {"kind": "max pooling", **fields, "ceil_mode": self.ceil_mode}

    def __repr__(self) -> str:
        return f"MaxPool({'x'.join(map(str, self.kernel))})"


class WindowMax(MaxPool):
    """The largest of each of some sets of points, in each channel: of the neighbours in a graph, for one.

    Parameters
    ----------
    windows : int array (P, k), the input points of each output point, -1 to fill up; each has at least one
    points : int, how many input points there are

    Examples
    --------
    >>> step = WindowMax(np.array([[0, 1], [2, -1]]), 3)
    >>> step, step.forward(torch.tensor([[[1.0, 5.0, 2.0]]])).tolist()
    (WindowMax(3 -> 2 points), [[[5.0, 2.0]]])
    """

    def __init__(self, windows: NDArray[np.int64], points: int) -> None:
        found = whole_array("windows", windows)
        fits = found.ndim == 2 and found.size > 0
        if not fits or found.min() < -1 or found.max() >= points or (found.max(axis=1) < 0).any():
            allowed = f"whole numbers from -1 to {points - 1}, (P, k), each row with at least one point"
            raise ArgumentError("windows", f"an array of shape {found.shape}", allowed)
        found.flags.writeable = False
        image = (integer("points", points, 1),)
        for name, value in {"image": image, "kernel": (), "stride": (), "padding": (), "dilation": ()}.items():
            object.__setattr__(self, name, value)
        object.__setattr__(self, "ceil_mode", False)
        object.__setattr__(self, "windows", found)  # in the place of what MaxPool finds out

    def _pooled(self, x: torch.Tensor) -> torch.Tensor:
        return largest(x, torch.from_numpy(np.array(self.windows)))

    @cached_property
    def output(self) -> tuple[int, ...]:
        return (len(self.windows),)

    @property
    def overlap(self) -> float:
        return math.sqrt(np.bincount(self.windows[self.windows >= 0]).max())

    def described(self) -> dict[str, Any]:
        return {"kind": "largest of windows", "windows": self.windows.tolist(), "points": self.image[0]}

    def __repr__(self) -> str:
        return f"WindowMax({self.image[0]} -> {len(self.windows)} points)"


@dataclass(frozen=True, eq=False, repr=False)
class Residual:
    """The sum of two branches on the same input: ``steps(x) + shortcut(x)``; an empty branch is the identity."""

    steps: tuple[Step, ...]
    shortcut: tuple[Step, ...] = ()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Outputs (m, out, P) for inputs (m, in, Q)."""
        return _run(self.steps, x) + _run(self.shortcut, x)

    def output_shape(self, shape: tuple[int, int]) -> tuple[int, int]:
        """(channels, points) after the step, for those before it."""
        a, b = _shape_after(self.steps, shape), _shape_after(self.shortcut, shape)
        if a != b:
            raise ArgumentError("a residual sum", f"branches of {a} and {b} channels and points", "equal ones")
        return a

    def __repr__(self) -> str:
        other = f" | {_line(self.shortcut)}" if self.shortcut else ""
        return f"Residual({_line(self.steps)}{other})"


Step = Linear | Activation | MaxPool | Residual


def _run(steps: Sequence[Step], x: torch.Tensor) -> torch.Tensor:
    for step in steps:
        x = step(x) if isinstance(step, Activation) else step.forward(x)
    return x


def _shape_after(steps: Sequence[Step], shape: tuple[int, int]) -> tuple[int, int]:
    for step in steps:
        if not isinstance(step, Activation):
            shape = step.output_shape(shape)
    return shape


def _linear(steps: Sequence[Step]) -> Iterator[Linear]:
    for step in steps:
        if isinstance(step, Linear):
            yield step
        elif isinstance(step, Residual):
            yield from _linear(step.steps)
            yield from _linear(step.shortcut)


def activations_of(steps: Sequence[Step]) -> Iterator[Activation]:
    """All activations, those of branches included."""
    for step in steps:
        if isinstance(step, Activation):
            yield step
        elif isinstance(step, Residual):
            yield from activations_of(step.steps)
            yield from activations_of(step.shortcut)


def _line(steps: Sequence[Step]) -> str:
    def short(step: Step) -> str:
        if isinstance(step, Linear):
            return f"{step.name or 'linear'} {step.channels[1]}-{step.channels[0]}"
        return step.name if isinstance(step, Activation) else repr(step)

    return ", ".join(map(short, steps))


@dataclass(frozen=True, eq=False, repr=False)
class Network:
    """A network: steps, and the shape of one input.

    Attributes
    ----------
    steps : tuple of Linear, Activation, MaxPool and Residual
    shape : tuple of int, of one input: (features,), (channels, length) or (channels, height, width)
    dtype : "float32" or "float64", the type of the module it was read from; tickets are built in it
    output : tuple of int, the shape of one output of that module; (outputs,) by default

    Examples
    --------
    >>> from rssp.tickets.sharing import DENSE
    >>> from rssp.tickets.activations import RELU
    >>> first = Linear(np.array([[[1.0], [-1.0]]]), DENSE, name="a")
    >>> f = Network((first, RELU, Linear(np.array([[[2.0]]]), DENSE, name="b")), (2,))
    >>> f([[3.0, 1.0], [1.0, 3.0]])
    array([[4.],
           [0.]])
    >>> f
    Network of 2 layers, 3 parameters: 2 -> 1
      a 2-1, relu, b 1-1
    """

    steps: tuple[Step, ...]
    shape: tuple[int, ...]
    dtype: str = "float32"
    output: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        kinds = "Linear, Activation, MaxPool and Residual steps"
        for step in items("steps", self.steps, kinds):
            of_kind("steps", step, (Linear, Activation, MaxPool, Residual), kinds)
        sizes = items("shape", self.shape, "whole numbers: (features,), (channels, length), (channels, height, width)")
        object.__setattr__(self, "shape", tuple(integer("shape", v, 1) for v in sizes))
        if self.dtype not in ("float32", "float64"):
            raise ArgumentError("dtype", repr(self.dtype), "'float32' or 'float64'")
        if not 1 <= len(self.shape) <= 3:
            raise ArgumentError("shape", self.shape, "(features,), (channels, length) or (channels, height, width)")
        after = _shape_after(self.steps, (self.shape[0], int(np.prod(self.shape[1:]))))  # raises where they do not fit
        object.__setattr__(self, "output", self.output or (after[0] * after[1],))

    @cached_property
    def layers(self) -> tuple[Linear, ...]:
        """The linear layers that hold parameters, in the order of the steps, a branch's before its shortcut's."""
        return tuple(layer for layer in _linear(self.steps) if not layer.fixed)

    @property
    def depth(self) -> int:
        """The number of layers that hold parameters."""
        return len(self.layers)

    @cached_property
    def inputs(self) -> int:
        """The number of inputs."""
        return int(np.prod(self.shape))

    @property
    def outputs(self) -> int:
        """The number of outputs."""
        return int(np.prod(self.output))

    @property
    def widths(self) -> tuple[int, ...]:
        """Channels: those of the input of the first layer, then those that each layer puts out."""
        first = self.layers[0]
        start = first.channels[1] * (first.sharing.size if first.sharing.points[0] == 1 else 1)
        return (start, *(layer.channels[0] for layer in self.layers))

    @property
    def parameters(self) -> int:
        """The number of coefficients and biases."""
        return sum(layer.parameters for layer in self.layers)

    @property
    def range(self) -> tuple[float, float]:
        """The smallest and the largest coefficient or bias."""
        values = [v for layer in self.layers for v in (layer.coefficients[layer.links], layer.bias) if v is not None]
        return min(float(v.min()) for v in values), max(float(v.max()) for v in values)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Outputs (m, outputs) for float64 inputs (m, inputs), all in one; autograd can follow."""
        y = _run(self.steps, x.reshape(len(x), self.shape[0], -1))
        return y.reshape(len(x), -1)

    def __call__(self, x: ArrayLike) -> NDArray[np.float64]:
        """The outputs, float64 (m, outputs), for inputs (m, inputs) or (m, *shape)."""
        return in_chunks(self.forward, self.rows(x), self.widest, self.outputs)

    def rows(self, x: ArrayLike | torch.Tensor, name: str = "x") -> NDArray[np.float64]:
        """Inputs as float64 rows (m, inputs): checked for shape and for numbers that are not finite."""
        array = x.detach().cpu().double().numpy() if isinstance(x, torch.Tensor) else np.asarray(x)
        if array.ndim == len(self.shape) + 1 and array.ndim > 2 and array.shape[1:] == self.shape:
            array = array.reshape(len(array), -1)
        if array.ndim != 2 or array.shape[1] != self.inputs:
            images = "" if len(self.shape) == 1 else f" or (m, {', '.join(map(str, self.shape))})"
            raise ArgumentError(name, f"an array of shape {array.shape}", f"shape (m, {self.inputs}){images}")
        return target_array(array, self.inputs, name)

    @cached_property
    def widest(self) -> int:
        """The numbers in the widest activation of one example."""
        return _widest(self.steps, (self.shape[0], self.inputs // self.shape[0]))

    def mapped(self, change: Any) -> Network:
        """The same network with ``change(layer)`` for each layer that holds parameters, in the order of `layers`."""
        return replace(self, steps=_mapped(self.steps, change))

    def __repr__(self) -> str:
        size = f"{'x'.join(map(str, self.shape))} -> {self.outputs}"
        line = _line(self.steps)
        line = line if len(line) <= 110 else line[:107] + "..."
        return f"Network of {self.depth} layers, {self.parameters:,} parameters: {size}\n  {line}"


@contextmanager
def one_thread() -> Iterator[None]:
    """Torch on one thread: sums do not depend on the machine, and small networks are not slowed by waiting threads."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def in_chunks(forward: Any, rows: NDArray[np.float64], widest: int, outputs: int) -> NDArray[np.float64]:
    """`forward` of float64 rows, so many at a time that they fit the memory, without gradients."""
    step = max(1, _CHUNK // widest)
    with torch.no_grad(), one_thread():
        parts = [forward(torch.from_numpy(rows[i : i + step])).numpy() for i in range(0, len(rows), step)]
    return np.concatenate(parts) if parts else np.empty((0, outputs))


def _widest(steps: Sequence[Step], shape: tuple[int, int]) -> int:
    most = shape[0] * shape[1]
    for step in steps:
        if isinstance(step, Residual):
            most = max(most, _widest(step.steps, shape), _widest(step.shortcut, shape))
        if not isinstance(step, Activation):
            shape = step.output_shape(shape)
        most = max(most, shape[0] * shape[1])
    return most


def _mapped(steps: Sequence[Step], change: Any) -> tuple[Step, ...]:
    found: list[Step] = []
    for step in steps:
        if isinstance(step, Linear) and not step.fixed:
            found.append(change(step))
        elif isinstance(step, Residual):
            found.append(Residual(_mapped(step.steps, change), _mapped(step.shortcut, change)))
        else:
            found.append(step)
    return tuple(found)
