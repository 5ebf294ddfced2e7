"""Norms and intervals, carried through the target and through its difference from the ticket.

With activations h of the target and h' of the ticket, ``||h|| <= R``, ``||h - h'|| <= E``, and D = W - W' the
difference of the matrices, activations having slopes of at most s,

    ``E_next = s (||W|| E + ||D|| (R + E) + ||b - b'||)``,

in the spectral norm. Where biases are large R is too: the values c of the target at the middle of the inputs are
carried as well, with ``||h - c|| <= A``, and ``||D c|| + ||D|| (A + E)`` takes the place of ``||D|| (R + E)``, as D c
is known. Beside it, every entry of h and of h - h' has an interval that is carried through the same
recursion (differential verification: Paulsen, Wang and Wang, ReluDiff, ICSE 2020), with slopes of the activation over
the interval at hand; at every step the smaller of the two bounds is kept. Intervals are rounded outwards.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray

from rssp.tickets.activations import Activation
from rssp.tickets.inputs import Inputs
from rssp.tickets.layer_norms import combination_bound, operator_bound
from rssp.tickets.network import Linear, MaxPool, Network, Residual, Step
from rssp.tickets.norms import UNIT, frobenius, up
from rssp.tickets.sharing import Sharing

__all__ = ["Bounds", "Difference", "all_linear", "carry", "difference", "norms", "uniform_difference"]

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Difference:
    """Bounds on T - G of one layer: spectral norm, coefficients, norms of rows, biases, remainders.

    `signed` are the differences themselves for positive and for negative inputs, with what they may be off by, which
    has a spectral norm of at most `loose`; `shift` is the difference of the biases.
    """

    spectral: float
    entries: Array
    rows: Array
    bias: Array | None
    remainder: Array | None
    signed: tuple[Array, Array, Array] | None = None
    shift: Array | None = None
    loose: float = 0.0


def _row_norms(coefficients: Array, sharing: Sharing) -> Array:
    """The 2-norm of an output channel's row, at most, for each channel: (out, 1)."""
    most = sharing.row_norm
    return np.asarray(
        up(np.linalg.norm(coefficients.reshape(len(coefficients), -1), axis=1) * most, coefficients[0].size)
    )[:, None]


def _applied(coefficients: Array, layer: Linear, x: Array) -> Array:
    """Non-negative coefficients on entries (in, Q): (out, P), rounded up."""
    sharing = layer.sharing.absolute
    prepared = sharing.prepare(coefficients, layer.groups)
    y = sharing.apply(torch.from_numpy(x[None]), prepared, layer.groups)[0].numpy()
    return np.asarray(up(y, _terms(layer, coefficients)))


def _terms(layer: Linear, coefficients: Array) -> int:
    """How many roundings the sum of one output has, twice over: products of inputs, and sums that made the matrix."""
    return 2 * (coefficients.shape[1] * layer.sharing.products + coefficients.shape[2]) + 8


def beside(parts: Sequence[Array], groups: int) -> Array:
    """Coefficients for positive and for negative inputs as one array, the inputs of a group side by side."""
    out, channels, size = parts[0].shape
    return np.stack([p.reshape(out, groups, channels // groups, size) for p in parts], axis=2).reshape(out, -1, size)


def difference(target: Linear, effective: Linear) -> Difference:
    weight, bias = target.coefficients, target.bias
    parts = [weight - effective.coefficients]
    slack = np.zeros_like(weight) if effective.slack is None else effective.slack
    slacks = [slack + np.abs(parts[0]) * UNIT]
    if effective.negative is not None:
        parts.append(weight - effective.negative)
        slacks.append(slack + np.abs(parts[1]) * UNIT)
    # (relu(x), relu(-x)) has the 2-norm of x, and no two entries of the same input: both bounds hold
    entries = np.max([up(np.abs(d) + s, 2) for d, s in zip(parts, slacks, strict=True)], axis=0)
    sharing, absolute = target.sharing, target.sharing.absolute
    both, loose = beside(parts, target.groups), beside(slacks, target.groups)
    loose_norm = operator_bound(loose, absolute, target.groups)
    spectral = up(operator_bound(both, sharing, target.groups) + loose_norm, 2)
    off = None
    if bias is not None:
        assert effective.bias is not None
        gap = np.abs(bias - effective.bias)
        loose_bias = 0.0 if effective.bias_slack is None else effective.bias_slack
        off = np.asarray(up(gap + gap * UNIT + loose_bias, 3))
    elif effective.bias_slack is not None:
        off = effective.bias_slack
    spectral = min(float(spectral), operator_bound(entries, absolute, target.groups))
    signed = (parts[0], parts[-1], np.maximum(slacks[0], slacks[-1]))
    shift = None if bias is None else bias - effective.bias  # type: ignore[operator]
    return Difference(
        spectral, entries, _row_norms(entries, sharing), off, effective.remainder, signed, shift, loose_norm
    )


def uniform_difference(target: Linear, delta: float) -> Difference:
    """Bounds on T - G where every coefficient of G is within delta of that of T, and 0 where that is 0.

    The norm is the smallest of: row and column sums; the Frobenius norm; and ``delta ||B||`` times the root of the
    number of linked pairs of channels, each of whose blocks is a combination of the basis.
    """
    nonzero = target.coefficients != 0  # a weight 0 is met exactly
    entries = np.where(nonzero, delta, 0.0)
    rows, columns = target.sharing.repeats
    sums = rows * nonzero.sum(axis=(1, 2)).max() * columns * nonzero.sum(axis=(0, 2)).max()
    blocks = combination_bound(target.sharing) ** 2 * nonzero.any(axis=2).sum()
    whole = (nonzero.sum(axis=(0, 1)) * target.sharing.squares).sum()
    spectral = delta * math.sqrt(min(float(v) for v in (sums, blocks, whole)))
    off = None if target.bias is None else np.full(target.bias.shape, delta)
    return Difference(float(up(spectral, 8)), entries, _row_norms(entries, target.sharing), off, None)


@dataclass(frozen=True, eq=False)
class Bounds:
    """Between two steps: ``||h|| <= reach``, ``||h - h'|| <= error``, intervals of h and h - h', (channels, points).

    Attributes
    ----------
    reach, error, away : float; ``||h - centre|| <= away``
    centre : about the values of h at the middle of the inputs
    low, high : of the entries of h
    less, more : of the entries of h - h'
    """

    reach: float
    error: float
    away: float
    centre: Array
    low: Array
    high: Array
    less: Array
    more: Array

    def tight(self) -> Bounds:
        """Norms by entries where those are smaller, and entries by norms."""
        c = self.centre
        near = _out(c - self.away, c + self.away, 1)
        low = np.maximum(np.maximum(self.low, -self.reach), near[0])
        high = np.minimum(np.minimum(self.high, self.reach), near[1])
        less, more = np.maximum(self.less, -self.error), np.minimum(self.more, self.error)
        reach = min(
            self.reach, frobenius(np.maximum(np.abs(low), np.abs(high))), float(up(frobenius(c) + self.away, 1))
        )
        error = min(self.error, frobenius(np.maximum(np.abs(less), np.abs(more))))
        away = min(self.away, frobenius(_farthest(c, low, high)))
        return Bounds(reach, error, away, c, low, high, less, more)

    @property
    def ticket(self) -> tuple[Array, Array]:
        """The intervals of h'."""
        return _out(self.low - self.more, self.high - self.less, 1)


@dataclass
class Notes:
    """What a certificate wants to know of the way, in order.

    Attributes
    ----------
    before : for each activation the bounds before it
    left : for each layer a bound on the 2-norm of what the ticket adds to what its coefficients compute
    """

    before: list[Bounds] = field(default_factory=list)
    left: list[float] = field(default_factory=list)


_Layer = tuple[float, Difference | None]


def _out(low: Array, high: Array, terms: int, size: Array | float | None = None) -> tuple[Array, Array]:
    """Intervals widened by the rounding of sums of `terms` products whose absolute values add up to `size`."""
    if size is None:
        size = np.maximum(np.abs(low), np.abs(high))
    more = 2.0 * (terms + 8) * UNIT * size + 1e-145
    return low - more, high + more


def _farthest(c: Array, low: Array, high: Array) -> Array:
    """How far the entries of an interval may be from c."""
    less, more = _out(low - c, high - c, 1, np.abs(low) + np.abs(high) + np.abs(c))
    return np.maximum(-less, more)


def _image(layer: Linear, coefficients: Array, low: Array, high: Array) -> tuple[Array, Array]:
    """The intervals of the linear map of intervals."""
    middle, half = (low + high) / 2, (high - low) / 2
    prepared = layer.sharing.prepare(coefficients, layer.groups)
    centre = layer.sharing.apply(torch.from_numpy(middle[None]), prepared, layer.groups)[0].numpy()
    terms = _terms(layer, coefficients)
    absolute = np.abs(coefficients)
    size = _applied(absolute, layer, np.abs(middle) + half)
    spread = _applied(absolute, layer, half)
    return _out(centre - spread, centre + spread, terms, size)


def _image_of(layer: Linear, c: Array) -> tuple[Array, Array]:
    """The linear map at one place, and how far rounding may have led from it."""
    prepared = layer.sharing.prepare(layer.coefficients, layer.groups)
    value = layer.sharing.apply(torch.from_numpy(c[None]), prepared, layer.groups)[0].numpy()
    terms = _terms(layer, layer.coefficients)
    return value, _applied(np.abs(layer.coefficients), layer, np.abs(c)) * (2.0 * terms * UNIT)


def local_slopes(step: Activation, b: Bounds) -> tuple[Array, Array]:
    """The lowest and highest slope of secants between values of z and z', entry by entry."""
    other = b.ticket
    return step.slopes_between(np.minimum(b.low, other[0]), np.maximum(b.high, other[1]))


def _activated(step: Activation, b: Bounds) -> Bounds:
    m, M = local_slopes(step, b)
    low, high = step.values_between(b.low, b.high)
    ticket_low, ticket_high = step.values_between(*b.ticket)
    ends = np.stack([m * b.less, m * b.more, M * b.less, M * b.more])
    less, more = _out(ends.min(axis=0), ends.max(axis=0), 2)
    apart = _out(low - ticket_high, high - ticket_low, 2)
    slope = float(np.maximum(np.abs(m), np.abs(M)).max())
    zero = abs(step.at_zero)
    reach = float(up(step.lipschitz * b.reach, 1)) if zero == 0 else math.inf
    error = float(up(slope * b.error, 1))
    centre = step(torch.from_numpy(b.centre)).numpy()
    steepest = np.abs(step.slopes_between(np.minimum(b.low, b.centre), np.maximum(b.high, b.centre))).max()
    off = 1e-14 * np.abs(centre) + (1e-15 if step.curvature else 0.0)  # some units in the last place of a function
    away = float(up(steepest * b.away + frobenius(off), 2))
    less, more = np.maximum(less, apart[0]), np.minimum(more, apart[1])
    return Bounds(reach, error, away, centre, low, high, less, more).tight()


def _pooled(step: MaxPool, b: Bounds) -> Bounds:
    overlap = step.overlap

    def pool(values: Array) -> Array:
        return step.forward(torch.from_numpy(np.ascontiguousarray(values)[None]))[0].numpy()

    low, high, more, less = pool(b.low), pool(b.high), pool(b.more), -pool(-b.less)
    other_low, other_high = map(pool, b.ticket)
    less, more = (
        np.maximum(less, _out(low - other_high, high, 1)[0]),
        np.minimum(more, _out(low, high - other_low, 1)[1]),
    )
    reach, error, away = (float(up(overlap * v, 2)) for v in (b.reach, b.error, b.away))
    return Bounds(reach, error, away, pool(b.centre), low, high, less, more).tight()


def _through(step: Step, b: Bounds, layers: Iterator[_Layer], notes: Notes | None) -> Bounds:
    if isinstance(step, Linear):
        return _linear(step, b, *next(layers), notes)
    if isinstance(step, Activation):
        if notes is not None:
            notes.before.append(b)
        return _activated(step, b)
    if isinstance(step, MaxPool):
        return _pooled(step, b)
    first, second = (_run(part, b, layers, notes) for part in (step.steps, step.shortcut))
    low, high = _out(first.low + second.low, first.high + second.high, 1)
    less, more = _out(first.less + second.less, first.more + second.more, 1)
    centre = first.centre + second.centre
    reach, error = (float(up(x + y, 1)) for x, y in ((first.reach, second.reach), (first.error, second.error)))
    away = float(up(first.away + second.away + frobenius(centre) * 2 * UNIT, 2))
    return Bounds(reach, error, away, centre, low, high, less, more).tight()


def _met(layer: Linear, d: Difference, b: Bounds) -> tuple[Array, Array, float, float]:
    """What the difference of the coefficients adds: intervals, a norm, and the norm of what is in no coefficient."""
    low, high = b.ticket
    far = np.maximum(np.abs(low), np.abs(high))
    reach = up(b.reach + b.error, 1)
    most = np.minimum(_applied(d.entries, layer, far), d.rows * reach)
    norm, left = min(d.spectral * reach, _met_at(layer, d, b.centre) + d.spectral * up(b.away + b.error, 1)), 0.0
    less, more = -most, most
    if d.signed is not None:
        positive, negative, slack = d.signed
        if positive is negative:
            first = _image(layer, positive, low, high)
        else:
            parts = [_image(layer, positive, np.maximum(low, 0), np.maximum(high, 0))]
            parts.append(_image(layer, negative, np.minimum(low, 0), np.minimum(high, 0)))
            first = _out(parts[0][0] + parts[1][0], parts[0][1] + parts[1][1], 1)
        loose = _applied(slack, layer, far)
        less, more = np.maximum(less, first[0] - loose), np.minimum(more, first[1] + loose)
        left += min(frobenius(loose), d.loose * reach)
    if d.remainder is not None:
        largest = d.remainder.max(axis=(1, 2))[:, None] * layer.sharing.largest * reach**2
        extra = np.minimum(_applied(d.remainder, layer, up(far**2, 3)), up(largest, 3))
        less, more = less - extra, more + extra
        norm += frobenius(extra)
        left += frobenius(extra)
    shape = less.shape
    if d.shift is not None and d.bias is not None:
        off = d.shift[:, layer.sharing.orbits]
        loose = np.maximum(d.bias - np.abs(d.shift), 0)[:, layer.sharing.orbits] + np.abs(off) * 4 * UNIT
        less, more = less + off - loose, more + off + loose
        left += frobenius(loose)
        norm += frobenius(d.bias[:, layer.sharing.orbits])
    elif d.bias is not None:
        off = np.broadcast_to(d.bias[:, layer.sharing.orbits], shape)
        less, more = less - off, more + off
        norm += frobenius(off)
        left += frobenius(off)
    return *_out(less, more, 6), norm, float(up(left, 8))


def _met_at(layer: Linear, d: Difference, c: Array) -> float:
    """The norm of the difference of the coefficients at one place."""
    size = _applied(d.entries, layer, np.abs(c))
    if d.signed is None:
        return frobenius(size)
    positive, negative, slack = d.signed
    parts = [(positive, c)] if positive is negative else [(positive, np.maximum(c, 0)), (negative, np.minimum(c, 0))]
    value = np.zeros_like(size)
    for coefficients, x in parts:
        prepared = layer.sharing.prepare(coefficients, layer.groups)
        value += layer.sharing.apply(torch.from_numpy(x[None]), prepared, layer.groups)[0].numpy()
    terms = _terms(layer, d.entries)
    return float(up(frobenius(value) + frobenius(_applied(slack, layer, np.abs(c)) + size * 2 * terms * UNIT), 2))


def _linear(layer: Linear, b: Bounds, norm: float, d: Difference | None, notes: Notes | None) -> Bounds:
    """The recursion of the module's docstring, on norms and entry by entry at once."""
    rows = _row_norms(layer.coefficients, layer.sharing)
    points = layer.sharing.points[0]
    shift = np.zeros((len(rows), points)) if layer.bias is None else layer.bias[:, layer.sharing.orbits]
    low, high = _image(layer, layer.coefficients, b.low, b.high)
    less, more = _image(layer, layer.coefficients, b.less, b.more)
    low, high = np.maximum(low, -rows * b.reach), np.minimum(high, rows * b.reach)
    less, more = np.maximum(less, -rows * b.error), np.minimum(more, rows * b.error)
    centre, rounding = _image_of(layer, b.centre)
    beyond = up(rows * b.away + rounding, 2)
    low, high = np.maximum(low, centre - beyond), np.minimum(high, centre + beyond)
    low, high = _out(low + shift, high + shift, 4, np.maximum(np.abs(low), np.abs(high)) + np.abs(shift))
    error, left = norm * b.error, 0.0
    if d is not None:
        first, last, met, left = _met(layer, d, b)
        less, more = _out(
            less + first,
            more + last,
            4,
            np.maximum(np.abs(less), np.abs(more)) + np.maximum(np.abs(first), np.abs(last)),
        )
        error += met
    if notes is not None:
        notes.left.append(left)
    reach = norm * b.reach + frobenius(shift)
    centre = centre + shift
    away = norm * b.away + frobenius(rounding + 2 * UNIT * np.abs(centre))
    reach, error, away = (float(up(v, 8)) for v in (reach, error, away))
    return Bounds(reach, error, away, centre, low, high, less, more).tight()


def _run(steps: Sequence[Step], b: Bounds, layers: Iterator[_Layer], notes: Notes | None) -> Bounds:
    for step in steps:
        b = _through(step, b, layers, notes)
    return b


def all_linear(steps: Sequence[Step]) -> list[Linear]:
    """All layers, fixed ones too, in the order in which `carry` meets them."""
    found: list[Linear] = []
    for step in steps:
        if isinstance(step, Linear):
            found.append(step)
        elif isinstance(step, Residual):
            found += all_linear(step.steps) + all_linear(step.shortcut)
    return found


def norms(target: Network) -> list[float]:
    """A bound on the spectral norm of each layer."""
    return [operator_bound(f.coefficients, f.sharing, f.groups) for f in all_linear(target.steps)]


def carry(
    target: Network, sizes: Sequence[float], differences: Sequence[Difference | None], inputs: Inputs,
    notes: Notes | None = None,
) -> Bounds:  # fmt: skip
    """The bounds at the output."""
    shape = (target.shape[0], target.inputs // target.shape[0])
    low, high = (v.reshape(shape) for v in inputs.bounds(target.inputs))
    middle = (low + high) / 2
    away = inputs.radius or frobenius(_farthest(middle, low, high))
    reach, zero = inputs.largest_norm(target.inputs), np.zeros(shape)
    start = Bounds(reach, 0.0, away, middle, low, high, zero, zero)
    return _run(target.steps, start, iter(zip(sizes, differences, strict=True)), notes)
