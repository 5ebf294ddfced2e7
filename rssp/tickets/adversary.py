"""Search for the input of the unit ball on which target and ticket differ most."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from rssp.balls import Ball
from rssp.tickets.effective import EffectiveLayer, differences_and_gradients, jacobian
from rssp.tickets.target import Target

__all__ = ["worst_input"]


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
    it decrease, shorter steps towards that vector are tried. It starts from `restarts` random unit vectors, both ends
    of the leading singular vectors of the first layer's error, and, at the end, from the leading singular vectors of
    the Jacobian at the best point. The answer is a lower bound on the true maximum, not the maximum.

    Cost: about ``2 * steps`` evaluations of two networks of the target's size for every start.
    """
    f, dim = _as_layers(target), target.widths[0]
    first = effective[0]
    starts = [Ball(dim, norm=2).draw(restarts, rng)]
    for part in {id(first.positive): first.positive, id(first.negative): first.negative}.values():
        leading = np.linalg.svd(target.weights[0] - part, full_matrices=False)[2][:4]
        starts += [leading, -leading]
    x = np.concatenate(starts)
    x /= np.maximum(np.linalg.norm(x, axis=1, keepdims=True), 1e-300)
    x, value = _ascend(f, effective, x, steps)
    best = x[value.argmax()]
    leading = _leading_singular_vectors(f, effective, best)
    again, _ = _ascend(f, effective, np.concatenate([leading, -leading, best[None]]), steps)
    return np.concatenate([x, again])


def _ascend(
    f: Sequence[EffectiveLayer], g: Sequence[EffectiveLayer], x: NDArray[np.float64], steps: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    value, gradient = differences_and_gradients(f, g, x)
    length = np.ones(len(x))
    for _ in range(steps):
        towards = gradient / np.maximum(np.linalg.norm(gradient, axis=1, keepdims=True), 1e-300)
        moved = _into_ball(x + length[:, None] * (towards - x))
        # on the sphere as well: a segment to the sphere runs inside the ball, where a homogeneous f - g is smaller
        outer = moved / np.maximum(np.linalg.norm(moved, axis=1, keepdims=True), 1e-300)
        both = np.concatenate([moved, outer])
        values, gradients = differences_and_gradients(f, g, both)
        pick = np.where(values[len(x) :] > values[: len(x)], 1, 0) * len(x) + np.arange(len(x))
        better = values[pick] > value
        gain = np.where(better, values[pick] - value, 0.0)
        x = np.where(better[:, None], both[pick], x)
        gradient = np.where(better[:, None], gradients[pick], gradient)
        value = np.where(better, values[pick], value)
        length = np.where(better, np.minimum(1.0, 4 * length), length / 4)
        if np.all((gain <= 1e-12 * value) & (length < 1e-6)):
            break
    return _into_ball(x), value


def _leading_singular_vectors(
    f: Sequence[EffectiveLayer], g: Sequence[EffectiveLayer], x: NDArray[np.float64], count: int = 4
) -> NDArray[np.float64]:
    """Right singular vectors (at most count, d_0) of the Jacobian of f - g at x: a row of it an output."""
    difference = jacobian(f, x) - jacobian(g, x)
    return np.linalg.svd(difference, full_matrices=False)[2][:count]
