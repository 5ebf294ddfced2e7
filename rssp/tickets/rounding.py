"""What float32 adds: each step of a pruned network with a bound on the rounding of its evaluation.

Inner products are sums of products in any order, each product and each sum rounded once (Higham 2002, section 3.1);
values of an activation other than a half-line are taken to be within 8 units in the last place, which no standard
promises. Numbers below 2**-126 may be lost.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from rssp.tickets.activations import Activation
from rssp.tickets.layers import PrunedLayer
from rssp.tickets.network import Linear, Network, Residual, Step
from rssp.tickets.sharing import DENSE, Convolution

__all__ = ["in_float32"]

_UNIT = 2.0**-24
_TINY = 2.0**-120  # above what all underflows of one sum add up to
_VALUE = 8  # units in the last place of a function's value, and of all else that happens to one number


def _gamma(terms: int) -> float:
    """The relative error of a sum of so many products, with what happens to each factor before."""
    count = (terms + 2 * _VALUE) * _UNIT
    return count / (1 - count)


def _rounded_layer(layer: PrunedLayer) -> Linear:
    plan, effective = layer.plan, layer.effective
    terms = int(layer.mask.sum(axis=(1, 2)).max()) + plan.slots
    sizes, biases = layer.magnitudes
    slack = sizes * _gamma(terms) + (0.0 if effective.slack is None else effective.slack)
    more = np.zeros((len(sizes), plan.layer.sharing.orbit_count)) + _TINY * terms
    if plan.links:  # the value at zero is taken away, with the rounding of both
        weights = np.abs(np.where(layer.mask, layer.weights, 0.0)).sum(axis=(1, 2))
        more += weights[:, None] * (abs(plan.activation.at_zero) * _gamma(terms) + _TINY)
    if biases is not None:
        more += biases * _gamma(terms) + (0.0 if effective.bias_slack is None else effective.bias_slack)
    return replace(effective, slack=slack, bias_slack=more)


def _rounded_fixed(layer: Linear) -> Linear:
    terms = layer.coefficients.shape[1] * layer.coefficients.shape[2]
    more = np.full((len(layer.coefficients), layer.sharing.orbit_count), _TINY * terms)
    if layer.bias is not None:
        more += np.abs(layer.bias) * _gamma(terms)
    return replace(layer, slack=np.abs(layer.coefficients) * _gamma(terms), bias_slack=more)


def _same(channels: int, points: int) -> Linear:
    """The identity, as a layer that rounds."""
    sharing = DENSE if points == 1 else Convolution((points,), (1,))
    return Linear(np.eye(channels)[:, :, None], sharing, name="rounding", fixed=True, groups=channels)


def _pair(
    first: Sequence[Step], second: Sequence[Step], layers: Iterator[PrunedLayer], shape: tuple[int, int]
) -> tuple[list[Step], list[Step], tuple[int, int]]:
    f: list[Step] = []
    g: list[Step] = []
    for a, b in zip(first, second, strict=True):
        if isinstance(b, Linear):
            f.append(a)
            g.append(_rounded_fixed(b) if b.fixed else _rounded_layer(next(layers)))
        elif isinstance(b, Residual):
            assert isinstance(a, Residual)
            body = _pair(a.steps, b.steps, layers, shape)
            shortcut = _pair(a.shortcut, b.shortcut, layers, shape)
            f.append(Residual(tuple(body[0]), tuple(shortcut[0])))
            g.append(Residual(tuple(body[1]), tuple(shortcut[1])))
        else:
            f.append(a)
            g.append(b)
        if not isinstance(a, Activation):
            shape = a.output_shape(shape)
        if isinstance(a, (Activation, Residual)):
            same = _same(*shape)
            f.append(same)
            g.append(_rounded_fixed(same))
    return f, g, shape


def in_float32(reference: Network, effective: Network, layers: Sequence[PrunedLayer]) -> tuple[Network, Network]:
    """Both networks of a certificate, with the rounding of float32 as `slack` of the steps of the second."""
    shape: tuple[int, int] = (reference.shape[0], reference.inputs // reference.shape[0])
    f, g, _ = _pair(reference.steps, effective.steps, iter(layers), shape)
    return replace(reference, steps=tuple(f)), replace(effective, steps=tuple(g))
