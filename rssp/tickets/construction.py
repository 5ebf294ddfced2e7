"""Constructions: how a random network is laid out around a target, as values.

A construction says what the random network looks like; nothing in it speaks of an architecture. Between the layers of
the target it places units, each an input channel (or the constant 1) behind one random link or none, and every weight
of the target becomes a subset sum over the units of its own input channel.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from rssp._arguments import choice, positive
from rssp.errors import ArgumentError, ArgumentTypeError
from rssp.laws import Law, Uniform
from rssp.tickets.activations import RELU, Activation
from rssp.tickets.network import Linear, MaxPool, Network, Residual, Step
from rssp.tickets.sharing import DENSE, Convolution, Sharing

__all__ = ["PLAIN", "SHALLOW", "THEOREM", "Construction", "Plan", "assemble", "plans_of", "published_samples"]


@dataclass(frozen=True)
class Construction:
    """How the random network is laid out.

    Attributes
    ----------
    name : str
    depth : "l": the target's own layers, every input repeated n times; "2l": a layer of random links before each of
        them; "l+1": one such layer before the first, every unit of the others built so often that the copies serve
    law : of all random weights; None: uniform between the smallest and the largest weight of the target
    samples : "row": one sample for all weights of an output and its inputs, "weight": one for each (depth l only)
    unit : what a mask keeps or removes as one: "weight"
    error : what eps bounds by default: the error of a "weight", or of the "output"
    search : the search that is used by default

    Examples
    --------
    >>> PLAIN.depth, THEOREM.depth, SHALLOW.depth
    ('l', '2l', 'l+1')
    >>> PLAIN.but(samples="weight", law=Uniform(-0.5, 0.5)).samples
    'weight'
    """

    name: str
    depth: str
    law: Law | None
    samples: str
    unit: str
    error: str
    search: str

    def __post_init__(self) -> None:
        choice("depth", self.depth, ("l", "2l", "l+1"))
        choice("samples", self.samples, ("row", "weight"))
        choice("unit", self.unit, ("weight",))
        choice("error", self.error, ("weight", "output"))
        choice("search", self.search, ("nearest", "within", "smallest"))
        if self.samples == "row" and self.depth != "l":
            raise ArgumentError("samples", "'row'", "'weight' where random links stand before a layer")
        if self.law is not None and (not isinstance(self.law, Law) or self.law.dim != 1):
            raise ArgumentTypeError("law", self.law, "a law of numbers, e.g. Uniform()")

    def but(self, **changes: Any) -> Construction:
        """The same construction with other fields."""
        return replace(self, **changes)


PLAIN = Construction("plain", "l", None, "row", "weight", "weight", "nearest")
"""Experiment 1 of Pensia et al. (NeurIPS 2020): each weight a sum of n random weights, no activation between."""

THEOREM = Construction("theorem", "2l", Uniform(), "weight", "weight", "output", "within")
"""Theorem 1 of Pensia et al. (NeurIPS 2020) and da Cunha, Natale and Viennot (ICLR 2022): twice the depth."""

SHALLOW = Construction("shallow", "l+1", Uniform(), "weight", "weight", "output", "smallest")
"""Burkholz (ICML and NeurIPS 2022): one layer more than the target, every unit built in copies, smallest subsets."""


def published_samples(eps: float, c: float = 3) -> int:
    """The number of samples of the published experiment, ``int(c * round(log2(1 / eps)))``.

    >>> published_samples(0.01)
    21
    """
    return max(1, int(positive("c", c) * round(math.log2(1 / positive("eps", eps)))))


@dataclass(frozen=True, eq=False)
class Plan:
    """What a construction places before one layer of the target.

    Attributes
    ----------
    layer : Linear, the target's
    n : int, samples a weight (and sign)
    rows : int, how many copies of each output are built
    copies : int, how many copies of each input there are (1: the input itself)
    links : bool, whether a random link stands before each unit; else the units are the copies, or the input repeated
    activation : of the units, if they have links
    signed : bool, whether inputs may be negative
    inner, outer : scales of the random weights before and after the units
    law : of the random weights
    """

    layer: Linear
    n: int
    rows: int
    copies: int
    links: bool
    activation: Activation
    signed: bool
    inner: float
    outer: float
    law: Law

    @property
    def split(self) -> bool:
        """Whether units of positive and of negative links serve different signs of the input."""
        return self.links and self.activation.slope_left != self.activation.slope_right

    @property
    def units(self) -> int:
        """Units of each input channel."""
        return 2 * self.n if self.split else self.n

    @property
    def gain(self) -> float:
        """What a unit's product of weights is multiplied by in the sum that is to be the target's weight."""
        if not self.links:
            return 1.0
        left, right = self.activation.slope_left, self.activation.slope_right
        return left + right if self.split and self.signed else right

    @property
    def columns(self) -> int:
        """Input channels, and one for the constant 1 where there is a bias."""
        return self.layer.channels[1] + (self.layer.bias is not None)

    @property
    def size(self) -> int:
        """Labels of the layer's sharing."""
        return self.layer.sharing.size

    @property
    def inputs(self) -> int:
        """Input channels that an output reads: those of its group."""
        return self.layer.channels[1] // self.layer.groups

    @property
    def slots(self) -> int:
        """Weights of the target for each output: those of its inputs, and a bias for each orbit."""
        biases = 0 if self.layer.bias is None else self.layer.sharing.orbit_count
        return self.inputs * self.size + biases

    def values(self) -> NDArray[np.float64]:
        """The target's weights (out, slots): inputs and labels in order, then the biases."""
        out, channels, size = self.layer.coefficients.shape
        groups = self.layer.groups
        own = self.layer.coefficients.reshape(groups, out // groups, groups, channels // groups, size)
        values = own[np.arange(groups), :, np.arange(groups)].reshape(out, -1)
        return values if self.layer.bias is None else np.column_stack([values, self.layer.bias])

    def spread(self, slots: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any] | None]:
        """Numbers (rows, slots) as coefficients (rows, in, size) and biases (rows, orbits)."""
        channels, size, groups = self.layer.channels[1], self.layer.sharing.size, self.layer.groups
        rows, weights = len(slots), self.inputs * size
        bias = None if self.layer.bias is None else np.ascontiguousarray(slots[:, weights:])
        if groups == 1:
            return np.ascontiguousarray(slots[:, :weights]).reshape(rows, channels, size), bias
        full = np.zeros((groups, rows // groups, groups, self.inputs, size), slots.dtype)
        full[np.arange(groups), :, np.arange(groups)] = slots[:, :weights].reshape(groups, -1, self.inputs, size)
        return full.reshape(rows, channels, size), bias

    def weight_name(self, row: int, slot: int) -> str:
        """What a weight of the target is called in messages."""
        name, size = self.layer.name, self.layer.sharing.size
        output = row // self.rows
        if slot >= self.inputs * size:
            orbit = f", {slot - self.inputs * size}" if self.layer.sharing.orbit_count > 1 else ""
            return f"{name}.bias[{output}{orbit}]".lstrip(".")
        channel, label = divmod(slot, size)
        return f"{name}.weight[{output}, {channel}{f', {label}' if size > 1 else ''}]".lstrip(".")

    @property
    def source_parameters(self) -> int:
        """Random weights before pruning: those of the layer, and of the layer of links before it."""
        total = self.layer.channels[0] * self.rows * self.slots * self.units
        if self.links:
            bias = self.columns - self.layer.channels[1]
            seen = self.layer.channels[1] * (self.inputs + bias) + bias * self.columns
            total += self.units * seen
        return total


# the walk: what stands where, for any steps


@dataclass(frozen=True)
class _State:
    """What is known of the values between two steps: how many copies of each there are, and their range."""

    copies: int = 1
    low: float = -math.inf
    bound: float = 1.0


_Make = Callable[[int, Linear, _State, bool], tuple[Step, int]]


def _pointwise(points: int) -> Sharing:
    return DENSE if points == 1 else Convolution((points,), (1,))


def _repeat(channels: int, points: int, copies: int) -> Linear:
    """Every channel in copies, one after another."""
    values = np.repeat(np.eye(channels), copies, axis=0)[:, :, None]
    return Linear(values, _pointwise(points), name="copies", fixed=True, groups=channels)


def _first_copy(channels: int, points: int, copies: int) -> Linear:
    values = np.zeros((channels, channels, copies))
    values[np.arange(channels), np.arange(channels), 0] = 1.0
    flat = values.reshape(channels, -1)[:, :, None]
    return Linear(flat, _pointwise(points), name="first copy", fixed=True, groups=channels)


def _in_copies(layer: Linear, copies: int) -> Linear:
    """A fixed layer, applied to each copy by itself."""
    out, channels, size = layer.coefficients.shape
    eye = np.eye(copies)[None, :, None, :, None]
    values = (layer.coefficients[:, None, :, None, :] * eye).reshape(out * copies, channels * copies, size)
    bias = None if layer.bias is None else np.repeat(layer.bias, copies, axis=0)
    groups = layer.groups * copies if layer.groups == channels == out else layer.groups
    return replace(layer, coefficients=values, bias=bias, groups=groups)


def _largest_output(layer: Linear, bound: float) -> float:
    """A bound on the outputs of a layer for inputs within `bound`; a label may stand in a row more than once."""
    sums = np.abs(layer.coefficients).sum(axis=(1, 2)).max() * layer.sharing.repeats[0] * bound
    return float(sums + (0.0 if layer.bias is None else np.abs(layer.bias).max()))


class _Walk:
    """Goes through steps once, replacing each layer by what `make` says and keeping track of copies and ranges."""

    def __init__(self, make: _Make):
        self.make, self.index = make, 0

    def steps(
        self, steps: Sequence[Step], state: _State, shape: tuple[int, int], last: int | None = None
    ) -> tuple[list[Step], _State, tuple[int, int]]:
        found: list[Step] = []
        for place, step in enumerate(steps):
            if isinstance(step, Activation):
                low, high = step.values
                reach = max(abs(low), abs(high))
                slope = max(map(abs, step.slopes)) if step.slopes else 1.0
                bound = min(reach, slope * state.bound + abs(step.at_zero))
                state = replace(state, low=low, bound=bound)
                found.append(step)
                continue
            if isinstance(step, Linear) and not step.fixed:
                made, copies = self.make(self.index, step, state, place == last)
                self.index += 1
                state = _State(copies, -math.inf, _largest_output(step, state.bound))
                found.append(made)
            elif isinstance(step, Linear):
                found.append(_in_copies(step, state.copies) if state.copies > 1 else step)
                shift = step.bias if step.bias is not None else np.zeros(1)
                positive = min(step.coefficients.min(), shift.min()) >= 0 and step.sharing.absolute is step.sharing
                low = 0.0 if state.low >= 0 and positive else -math.inf
                state = _State(state.copies, low, _largest_output(step, state.bound))
            elif isinstance(step, Residual):
                state = self.residual(step, state, shape, found)
            else:
                assert isinstance(step, MaxPool)
                found.append(step)
            shape = step.output_shape(shape)
        return found, state, shape

    def residual(self, step: Residual, state: _State, shape: tuple[int, int], found: list[Step]) -> _State:
        after = step.output_shape(shape)
        branches = [self.steps(part, state, shape)[:2] for part in (step.steps, step.shortcut)]
        copies = max(s.copies for _, s in branches)
        made = [
            tuple(steps) if s.copies == copies else (*steps, _repeat(*after, copies))
            for steps, s in branches  # a branch that exists once is repeated as often as the other was built
        ]
        found.append(Residual(*made))
        ends = [s for _, s in branches]
        return _State(copies, ends[0].low + ends[1].low, ends[0].bound + ends[1].bound)


def assemble(target: Network, make: _Make) -> Network:
    """The target's steps with ``make(index, layer, state, last)`` in the place of each layer that holds parameters."""
    holding = [
        p for p, s in enumerate(target.steps) if isinstance(s, Residual) or (isinstance(s, Linear) and not s.fixed)
    ]
    last = holding[-1] if holding and isinstance(target.steps[holding[-1]], Linear) else None
    shape = (target.shape[0], target.inputs // target.shape[0])
    steps, state, after = _Walk(make).steps(target.steps, _State(), shape, last)
    if state.copies > 1:
        steps.append(_first_copy(*after, state.copies))
    return replace(target, steps=tuple(steps))


def _activations(steps: Sequence[Step]) -> list[Activation | Linear]:
    """Layers that hold parameters and activations, in order."""
    found: list[Activation | Linear] = []
    for step in steps:
        if isinstance(step, Activation) or (isinstance(step, Linear) and not step.fixed):
            found.append(step)
        elif isinstance(step, Residual):
            found += _activations(step.steps) + _activations(step.shortcut)
    return found


def _unit_activations(target: Network) -> list[Activation]:
    """For each layer the activation of its units: the next one, else the one before, else ReLU.

    One whose slopes at zero cannot stand for a linear function of either sign, as that of |x|, is not taken.
    """
    order = _activations(target.steps)
    usable = [
        isinstance(a, Activation) and a.slope_right != 0 and a.slope_left + a.slope_right != 0 for a in order
    ]  # fmt: skip
    result: list[Activation] = []
    for place, step in enumerate(order):
        if isinstance(step, Linear):
            near = [*range(place + 1, len(order)), *range(place - 1, -1, -1)]
            found = next((order[p] for p in near if usable[p]), RELU)
            assert isinstance(found, Activation)
            result.append(found)
    return result


def plans_of(
    target: Network, construction: Construction, n: Sequence[int], tolerance: float, radius: float
) -> list[Plan]:
    """The plan of each layer; `tolerance` and the inputs' `radius` set the scale of smooth units."""
    units = _unit_activations(target)
    low, high = target.range
    law = construction.law
    if law is None:
        if not low < high:
            raise ArgumentError(
                "construction", "a law of the target's range", "another law where all weights are equal",
                "construction=PLAIN.but(law=Uniform(-1, 1)).",
            )  # fmt: skip
        law = Uniform(low, high)
    plans: list[Plan] = []
    most = max(n)

    def make(index: int, layer: Linear, state: _State, last: bool) -> tuple[Step, int]:
        links = construction.depth == "2l" or (construction.depth == "l+1" and state.copies == 1)
        rows = most if construction.depth == "l+1" and not last else 1
        phi, signed = units[index], state.low < 0
        inner = outer = 1.0
        if links:
            if phi.curvature:
                # the remainders of a weight's n units, each at most c s x^2 / 2, stay below an eighth of the tolerance
                reach = max(state.bound * radius, 1e-9)
                inner = 2.0 ** min(0, math.floor(math.log2(tolerance / (4 * phi.curvature * n[index] * reach**2))))
            outer = 1 / inner
            gain = phi.slope_right + (phi.slope_left if phi.slope_left != phi.slope_right and signed else 0.0)
            outer /= gain
        plans.append(Plan(layer, n[index], rows, state.copies, links, phi, signed, inner, outer, law))
        out, channels, size = layer.coefficients.shape
        shape = (out * rows, channels * state.copies, size)
        bias = None if layer.bias is None else np.zeros((out * rows, layer.sharing.orbit_count))
        return Linear(np.zeros(shape), layer.sharing, bias, layer.name, groups=layer.groups), rows

    assemble(target, make)
    return plans


def centred(activation: Activation, values: NDArray[np.float64]) -> NDArray[np.float64]:
    """``phi(v) - phi(0)`` of an array."""
    return activation.around_zero(torch.from_numpy(np.ascontiguousarray(values))).numpy()
