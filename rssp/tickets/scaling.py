"""Targets brought into the theorem's class by powers of two, which are undone exactly."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from rssp._arguments import choice
from rssp.tickets.activations import Activation
from rssp.tickets.layer_norms import operator_bound
from rssp.tickets.network import Linear, MaxPool, Network, Residual, Step
from rssp.tickets.read import read_target
from rssp.tickets.sharing import DENSE, Convolution

__all__ = ["normalised"]


def normalised(target: Any, by: str = "norm") -> tuple[Network, float]:
    """A target of the theorem's class, and the scale that leads back: ``f(x) = scale * result(x)``, exactly.

    Theorem 1 of Pensia et al. speaks of layers with spectral norm at most 1. Each layer is divided by the smallest
    power of two, at least 1, that brings its norm (by a proven bound) and its coefficients there; no number is
    rounded (above 2**-126 in float32). Where only half-lines follow (ReLU, leaky ReLU, max pooling, sums), the
    powers are carried to the end and biases divided by those up to their layer: an output error eps of the result
    is one of ``scale * eps`` of the target. Before any other activation they are undone by a fixed layer.

    With ``by="range"`` the power of two brings the largest weight or bias of a layer into (1/2, 1] instead, upwards
    too: as large as the random weights are. That is what depth l + 1 needs (Burkholz 2022 scales the random layers):
    there a small weight is a difference of random weights over copies of a unit, which err each by themselves.

    Examples
    --------
    >>> result, scale = normalised(read_target([[[3.0, 0.0], [0.0, 1.0]], [[0.5, 0.5]]], activation="relu"))
    >>> result.layers[0].coefficients.max(), scale
    (np.float64(0.75), 4.0)
    >>> [layer.coefficients.max() for layer in normalised(result, by="range")[0].layers]
    [np.float64(0.75), np.float64(1.0)]
    """
    network = read_target(target)
    by = choice("by", by, ("norm", "range"))
    shape = (network.shape[0], network.inputs // network.shape[0])
    steps, scale, _ = _scaled(network.steps, 1.0, shape, _norm if by == "norm" else _largest)
    return replace(network, steps=steps), scale


def _norm(layer: Linear) -> float:
    # combinations of small matrices have coefficients beyond their norm
    return max(operator_bound(layer.coefficients, layer.sharing), _largest(layer), 1.0)


def _largest(layer: Linear) -> float:
    return float(np.abs(layer.coefficients).max())


def _times(factor: float, channels: int, points: int) -> Linear:
    sharing = DENSE if points == 1 else Convolution((points,), (1,))
    return Linear(np.eye(channels)[:, :, None] * factor, sharing, name="scale", fixed=True, groups=channels)


def _scaled(
    steps: Sequence[Step], scale: float, shape: tuple[int, int], size: Callable[[Linear], float]
) -> tuple[tuple[Step, ...], float, tuple[int, int]]:
    """Steps on values divided by `scale`, what their results are divided by, and the shape after them."""
    found: list[Step] = []
    for step in steps:
        if isinstance(step, Linear):
            divisor = 1.0
            if not step.fixed:
                largest = 0.0 if step.bias is None else float(np.abs(step.bias).max()) / scale
                divisor = 2.0 ** math.ceil(math.log2(max(size(step), largest) or 1.0))
            scale *= divisor
            bias = None if step.bias is None else step.bias / scale
            found.append(replace(step, coefficients=step.coefficients / divisor, bias=bias))
        elif isinstance(step, Activation):
            if scale != 1 and not step.homogeneous:
                found.append(_times(scale, *shape))
                scale = 1.0
            found.append(step)
        elif isinstance(step, MaxPool):
            found.append(step)
        else:
            parts = [_scaled(part, scale, shape, size) for part in (step.steps, step.shortcut)]
            after = step.output_shape(shape)
            scale = max(s for _, s, _ in parts)
            branches = [p if s == scale else (*p, _times(s / scale, *after)) for p, s, _ in parts]
            found.append(Residual(*branches))
        if not isinstance(step, Activation):
            shape = step.output_shape(shape)
    return tuple(found), scale, shape
