"""Search for the input of the unit ball on which target and ticket differ most."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from rssp.balls import Ball
from rssp.tickets.effective import EffectiveLayer, differences_and_gradients, evaluate, jacobian
from rssp.tickets.target import Target

__all__ = ["worst_error", "worst_input"]

_FEW = 6
_FIRST_STEPS = 20


def _as_layers(target: Target) -> list[EffectiveLayer]:
    return [
        EffectiveLayer(w, w, b, np.zeros_like(w), np.zeros_like(w), None if b is None else np.zeros_like(b))
        for w, b in zip(target.weights, target.biases, strict=True)
    ]


def _into_ball(x: NDArray[np.float64]) -> NDArray[np.float64]:
    return x / np.maximum(np.linalg.norm(x, axis=1, keepdims=True), 1.0)


def worst_input(
    target: Target, effective: Sequence[EffectiveLayer], *, restarts: int, rng: np.random.Generator, steps: int = 200
) -> NDArray[np.float64]:
    """Inputs (m, d_0) with ``||x||_2 <= 1`` at which ``||f(x) - g(x)||_2`` is locally largest.

    f - g is affine wherever no ReLU switches, and there its norm is convex: the step from x straight to the unit
    vector of the gradient (a step of the power method on the local Jacobian) never decreases it. Where a switch makes
    it decrease, shorter steps towards that vector are tried. It starts from `restarts` random unit vectors and from
    both ends of vectors that the first layer's error stretches most; the best few are followed to the end, and so are
    the leading singular vectors of the Jacobian at the best point. The answer is a lower bound on the true maximum.

    Cost: about 500 passes through two networks of the target's size with `restarts` inputs each, mostly fewer.
    """
    f, dim = _as_layers(target), target.widths[0]
    first = effective[0]
    starts = [Ball(dim, norm=2).draw(restarts, rng)]
    for part in {id(first.positive): first.positive, id(first.negative): first.negative}.values():
        stretched = _stretched_most(target.weights[0] - part, starts[0][:_FEW])
        starts += [stretched, -stretched]
    x, value = _ascend(f, effective, _unit(np.concatenate(starts)), _FIRST_STEPS)
    x, value = _ascend(f, effective, x[np.argsort(-value)[:_FEW]], steps)
    best = x[value.argmax()]
    difference = jacobian(f, best) - jacobian(effective, best)
    leading = np.linalg.svd(difference, full_matrices=False)[2][:_FEW]
    again, _ = _ascend(f, effective, np.concatenate([leading, -leading]), steps)
    return np.concatenate([x, again])


def worst_error(
    target: Target, effective: Sequence[EffectiveLayer], *, restarts: int = 32, rng: np.random.Generator
) -> float:
    """The largest ``||f(x) - g(x)||_2`` in the unit ball that `worst_input` finds, by the effective layers."""
    x = worst_input(target, effective, restarts=restarts, rng=rng)
    return float(np.linalg.norm(target(x) - evaluate(effective, x), axis=1).max())


def _unit(x: NDArray[np.float64]) -> NDArray[np.float64]:
    return x / np.maximum(np.linalg.norm(x, axis=1, keepdims=True), 1e-300)


def _stretched_most(matrix: NDArray[np.float64], x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Vectors (m, in) after a few steps of the power method on matrix^T matrix, from the vectors x."""
    for _ in range(10):
        x = _unit(x @ matrix.T @ matrix)
    return x


def _ascend(
    f: Sequence[EffectiveLayer], g: Sequence[EffectiveLayer], x: NDArray[np.float64], steps: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    value, gradient = differences_and_gradients(f, g, x)
    before = value
    length = np.ones(len(x))
    for step in range(steps):
        towards = _unit(gradient)
        moved = _into_ball(x + length[:, None] * (towards - x))
        # on the sphere as well: a segment to the sphere runs inside the ball, where a homogeneous f - g is smaller
        outer = _unit(moved)
        both = np.concatenate([moved, outer])
        values, gradients = differences_and_gradients(f, g, both)
        pick = np.where(values[len(x) :] > values[: len(x)], 1, 0) * len(x) + np.arange(len(x))
        better = values[pick] > value
        x = np.where(better[:, None], both[pick], x)
        gradient = np.where(better[:, None], gradients[pick], gradient)
        value = np.where(better, values[pick], value)
        length = np.where(better, np.minimum(1.0, 4 * length), length / 4)
        if step % 10 == 9:
            if np.all(value <= before * (1 + 1e-6)):
                break
            before = value
    return _into_ball(x), value
