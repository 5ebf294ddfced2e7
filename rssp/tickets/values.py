"""Values in a traced network: what was made from what, and the steps that make them.

A value knows the value it was made from and the step between them, so that the values of a network form a tree; a sum
of two becomes a Residual from their latest common ancestor.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import fx

from rssp.errors import ArgumentError
from rssp.tickets.network import Linear, Residual, Step
from rssp.tickets.sharing import DENSE, Convolution, Sharing, all_points, as_labels

__all__ = ["READABLE", "Node", "Value", "Values", "Window", "array_of", "axes_of", "chain", "refuse", "window_of"]

READABLE = (
    "Linear, Conv1d, Conv2d, BatchNorm, ReLU, ReLU6, LeakyReLU, PReLU with one slope, Tanh, Sigmoid, GELU, SiLU, "
    "average and max pooling, Flatten, zero padding, Dropout, Identity, sums of two branches, multiplication by a "
    "number, their functional forms, and activations given by activations={module class or function: Activation(...)}"
)


@dataclass(frozen=True, eq=False)
class Node:
    """A value in the tree: made from its parent by a step; `channels` of points on an `image` (one point if empty)."""

    parent: Node | None
    step: Step | None
    channels: int
    image: tuple[int, ...]

    @property
    def points(self) -> int:
        return int(np.prod(self.image))

    def ancestors(self) -> list[Node]:
        found, node = [self], self.parent
        while node is not None:
            found.append(node)
            node = node.parent
        return found


@dataclass(frozen=True, eq=False)
class Value:
    """A node as torch holds it: flattened to (m, channels * points) or not, and zero padding still to be applied."""

    node: Node
    flat: bool = False
    pad: tuple[tuple[int, int], ...] = ()


def refuse(what: str, remedy: str = "") -> ArgumentError:
    return ArgumentError("target", what, READABLE, remedy or "Read the parts before and after it, each alone.")


class Values:
    """Makes values from values; `real` holds for each node of the graph what a small batch gives there."""

    def __init__(self) -> None:
        self.used: dict[str, int] = {}
        self.real: dict[fx.Node, Any] = {}

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

    def plain(self, x: Value) -> Node:
        """The node of a value, its padding applied."""
        if not x.pad:
            return x.node
        image = x.node.image
        padded = tuple(i + a + b for i, (a, b) in zip(image, x.pad, strict=True))
        inside = np.zeros(padded, dtype=bool)
        inside[tuple(slice(a, a + i) for i, (a, _) in zip(image, x.pad, strict=True))] = True
        matrix = np.zeros((inside.size, x.node.points))
        matrix[np.flatnonzero(inside), np.arange(x.node.points)] = 1.0
        return self.pooled(x.node, matrix, padded, "padding")

    def then(self, x: Value, step: Step, image: tuple[int, ...] | None = None) -> Value:
        node = self.plain(x)
        channels = step.channels[0] if isinstance(step, Linear) else node.channels
        return Value(Node(node, step, channels, node.image if image is None else image), x.flat)

    @staticmethod
    def pooled(node: Node, matrix: NDArray[np.float64], image: tuple[int, ...], name: str) -> Node:
        sharing, values = as_labels(matrix)
        coefficients = np.eye(node.channels)[:, :, None] * values
        step = Linear(coefficients, sharing, name=name, fixed=True, groups=node.channels)
        return Node(node, step, node.channels, image)

    def linear(self, x: Value, weight: torch.Tensor, bias: torch.Tensor | None, name: str) -> Value | None:
        node = self.plain(x)
        if node.image and not x.flat:
            return None  # torch's Linear would act on the last axis of an image
        w = array_of(weight, f"{name}.weight").reshape(len(weight), node.channels, node.points)
        b = None if bias is None else array_of(bias, f"{name}.bias")[:, None]
        sharing = all_points(node.points) if node.points > 1 else DENSE
        return Value(Node(node, Linear(w, sharing, b, name), len(w), ()))

    def convolution(
        self, x: Value, weight: torch.Tensor, bias: torch.Tensor | None, name: str, options: Window, groups: int
    ) -> Value | None:
        image = x.node.image
        if x.flat or len(image) != weight.ndim - 2:
            return None
        padding = options.padding
        if x.pad:
            padding = tuple((a + c, b + d) for (a, b), (c, d) in zip(padding, x.pad, strict=True))
        shifts = Convolution(
            image, tuple(weight.shape[2:]), stride=options.stride, padding=padding, dilation=options.dilation
        )
        compact = array_of(weight, f"{name}.weight").reshape(len(weight), weight.shape[1], -1)
        out, inputs, size = len(compact), x.node.channels, compact.shape[2]
        w = np.zeros((groups, out // groups, groups, inputs // groups, size))
        w[np.arange(groups), :, np.arange(groups)] = compact.reshape(groups, out // groups, inputs // groups, size)
        b = None if bias is None else array_of(bias, f"{name}.bias")[:, None]
        sharing: Sharing = _circular(shifts) if options.circular else shifts
        layer = Linear(w.reshape(out, inputs, size), sharing, b, name, groups=groups)
        return Value(Node(x.node, layer, out, shifts.output))

    def scaled(self, x: Value, scale: NDArray[np.float64], shift: NDArray[np.float64] | None, name: str) -> Value:
        """``scale * x + shift``, a number a channel, or a number a feature of a flattened value."""
        node = self.plain(x)
        flat = x.flat and node.points > 1 and scale.size > 1
        last = node.step
        if isinstance(last, Linear) and not last.fixed and not flat:
            assert node.parent is not None
            bias = None if last.bias is None else last.bias * scale.reshape(-1, 1)
            if shift is not None:
                bias = (0.0 if bias is None else bias) + np.broadcast_to(shift.reshape(-1, 1), (node.channels, 1))
            folded = replace(last, coefficients=last.coefficients * scale.reshape(-1, 1, 1), bias=bias)
            return Value(replace(node, step=folded), x.flat)
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
        return Value(Node(node, step, node.channels, node.image), x.flat)

    def sum(self, a: Value, b: Value) -> Value | None:
        first, second = self.plain(a), self.plain(b)
        same = a.flat == b.flat and (first.channels, first.image) == (second.channels, second.image)
        if not same and (first.points * second.points != 1 or first.channels != second.channels):
            return None  # shapes that broadcast
        above = {id(n) for n in first.ancestors()}
        common = next(n for n in second.ancestors() if id(n) in above)
        step = Residual(chain(first, common), chain(second, common))
        return Value(Node(common, step, first.channels, first.image), a.flat)


def chain(node: Node, ancestor: Node) -> tuple[Step, ...]:
    steps: list[Step] = []
    while node is not ancestor:
        assert node.step is not None
        assert node.parent is not None
        steps.append(node.step)
        node = node.parent
    return tuple(reversed(steps))


def array_of(value: torch.Tensor, name: str) -> NDArray[np.float64]:
    array = np.array(value.detach().to("cpu", torch.float64).numpy())
    bad = ~np.isfinite(array)
    if bad.any():
        place = tuple(int(i) for i in np.argwhere(bad)[0])
        raise ArgumentError("target", f"{array[place]} in {name} at {place}", "finite weights")
    return array


# windows: convolutions and pooling


@dataclass(frozen=True)
class Window:
    stride: tuple[int, ...]
    padding: tuple[tuple[int, int], ...]
    dilation: tuple[int, ...]
    circular: bool = False


def axes_of(value: Any, axes: int) -> tuple[int, ...]:
    values = tuple(value) if isinstance(value, Sequence) else (value,) * axes
    return tuple(int(v) for v in (values * axes if len(values) == 1 else values))


def window_of(kernel: Sequence[int], stride: Any, padding: Any, dilation: Any, circular: bool = False) -> Window:
    axes = len(kernel)
    steps = axes_of(dilation, axes)
    if padding == "valid":
        padding = 0
    if padding == "same":
        total = [d * (k - 1) for d, k in zip(steps, kernel, strict=True)]
        pairs = tuple((t // 2, t - t // 2) for t in total)
    else:
        pairs = tuple((p, p) for p in axes_of(padding, axes))
    return Window(axes_of(stride, axes), pairs, steps, circular)


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
            raise refuse("a circular convolution whose kernel meets a point twice", "Use a larger image.")
        labels[np.arange(p), column] = label
    return Sharing(labels)
