"""What a pruned random network computes: one matrix a target layer for positive inputs and one for negative ones.

Layer by layer a ticket is ``x -> P relu(x) - N relu(-x) + b``: in the plain construction P = N is the matrix of the
subset sums; in the theorem's construction P comes from the units with positive links and N from those with negative
ones. After the first layer inputs are never negative and N plays no part.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Difference", "EffectiveLayer", "evaluate", "jacobian", "plain_layer", "theorem_layer"]

_UNIT = 2.0**-53  # unit roundoff of float64


@dataclass(frozen=True, eq=False)
class EffectiveLayer:
    """One layer as a function ``x -> P relu(x) - N relu(-x) + b``.

    Attributes
    ----------
    positive, negative : float64 arrays (out, in), P and N; the same object where they are equal by construction
    bias : float64 array (out,), or None
    rounding_positive, rounding_negative, rounding_bias : arrays of the same shapes; P, N and b are computed in
        float64, and the exact subset sums differ from them by no more than this, entry by entry
    """

    positive: NDArray[np.float64]
    negative: NDArray[np.float64]
    bias: NDArray[np.float64] | None
    rounding_positive: NDArray[np.float64]
    rounding_negative: NDArray[np.float64]
    rounding_bias: NDArray[np.float64] | None

    def __call__(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """The layer's outputs (m, out) for inputs (m, in)."""
        z = x @ self.positive.T
        if self.negative is not self.positive:
            z += np.maximum(-x, 0.0) @ (self.positive - self.negative).T
        return z if self.bias is None else z + self.bias

    def backward(self, x: NDArray[np.float64], dz: NDArray[np.float64]) -> NDArray[np.float64]:
        """The gradient (m, in) with respect to the inputs x, from the one (m, out) with respect to the outputs."""
        dx = dz @ self.positive
        if self.negative is not self.positive:
            dx += np.where(x < 0, dz @ (self.negative - self.positive), 0.0)
        return dx


def plain_layer(weight: NDArray[np.float64], mask: NDArray[np.bool_], n: int, *, bias: bool) -> EffectiveLayer:
    """The effective layer of random weights (out, columns * n), n samples a target weight, the last column a bias."""
    out = weight.shape[0]
    kept = np.multiply(weight, mask).reshape(-1, n)
    ones = np.ones(n)  # a product with ones is several times faster than a sum along a short axis
    sums = (kept @ ones).reshape(out, -1)
    rounding = (np.abs(kept, out=kept) @ ones).reshape(out, -1) * (1.01 * n * _UNIT)
    if not bias:
        return EffectiveLayer(sums, sums, None, rounding, rounding, None)
    matrix, slack = np.ascontiguousarray(sums[:, :-1]), rounding[:, :-1]
    return EffectiveLayer(matrix, matrix, sums[:, -1], slack, slack, rounding[:, -1])


def theorem_layer(
    links: NDArray[np.float64], weight: NDArray[np.float64], mask: NDArray[np.bool_], *, bias: bool, first: bool
) -> EffectiveLayer:
    """The effective layer of two masked random ones.

    ``links`` (columns, 2n) holds the one link u of each intermediate unit that its block's input goes through, 0 where
    pruned; ``weight`` and ``mask`` (out, columns * 2n) are the second random layer and its mask.
    """
    columns, units = links.shape
    products = np.where(mask, weight, 0.0).reshape(-1, columns, units) * links
    up = links > 0
    positive = np.where(up, products, 0.0).sum(axis=2)
    negative = np.where(up, 0.0, products).sum(axis=2)
    # one rounding a product and at most 2n - 1 a sum
    rounding = np.abs(products).sum(axis=2) * (1.01 * (units + 1) * _UNIT)
    if not first:
        negative = positive
    if not bias:
        return EffectiveLayer(positive, negative, None, rounding, rounding, None)
    matrix = np.ascontiguousarray(positive[:, :-1])
    other = np.ascontiguousarray(negative[:, :-1]) if first else matrix
    slack = rounding[:, :-1]
    return EffectiveLayer(matrix, other, positive[:, -1], slack, slack, rounding[:, -1])


def evaluate(layers: Sequence[EffectiveLayer], x: NDArray[np.float64]) -> NDArray[np.float64]:
    """The outputs (m, d_l) of the whole network for inputs (m, d_0)."""
    for i, layer in enumerate(layers):
        x = layer(x if i == 0 else np.maximum(x, 0.0))
    return x


def _forward(layers: Sequence[EffectiveLayer], x: NDArray[np.float64]) -> list[NDArray[np.float64]]:
    values = [x]
    for i, layer in enumerate(layers):
        values.append(layer(x if i == 0 else np.maximum(x, 0.0)))
        x = values[-1]
    return values


def _gradient(
    layers: Sequence[EffectiveLayer], values: list[NDArray[np.float64]], dz: NDArray[np.float64]
) -> NDArray[np.float64]:
    for i in range(len(layers) - 1, -1, -1):
        dz = layers[i].backward(values[i], dz)
        if i:
            dz = np.where(values[i] > 0, dz, 0.0)
    return dz


def jacobian(layers: Sequence[EffectiveLayer], x: NDArray[np.float64]) -> NDArray[np.float64]:
    """The matrix (d_l, d_0) of the network's affine piece at one input x (d_0,)."""
    values = _forward(layers, np.repeat(x[None], layers[-1].positive.shape[0], axis=0))
    return _gradient(layers, values, np.eye(len(values[0])))


_State = tuple[list[NDArray[np.float64]], list[NDArray[np.float64]]]


class Difference:
    """The function ``f - g`` of two networks and half the gradient of its squared 2-norm, many inputs at a time."""

    def __init__(self, f: Sequence[EffectiveLayer], g: Sequence[EffectiveLayer]):
        self.f, self.g = f, g

    def forward(self, x: NDArray[np.float64]) -> tuple[NDArray[np.float64], _State]:
        """``||f(x) - g(x)||_2`` (m,) for inputs (m, d_0), and all activations."""
        of_f, of_g = _forward(self.f, x), _forward(self.g, x)
        return np.linalg.norm(of_f[-1] - of_g[-1], axis=1), (of_f, of_g)

    def backward(self, state: _State) -> NDArray[np.float64]:
        """The gradients (m, d_0) at the inputs whose activations `forward` returned."""
        of_f, of_g = state
        difference = of_f[-1] - of_g[-1]
        return _gradient(self.f, of_f, difference) - _gradient(self.g, of_g, difference)

    @staticmethod
    def choose(first: NDArray[np.bool_], a: _State, b: _State) -> _State:
        """The activations of a where `first` (m,), else those of b."""
        pick = first[:, None]
        f, g = ([np.where(pick, u, v) for u, v in zip(p, q, strict=True)] for p, q in zip(a, b, strict=True))
        return f, g
