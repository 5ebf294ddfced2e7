"""Search for the input of the unit ball on which target and ticket differ most."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from rssp.balls import Ball
from rssp.tickets.effective import Difference, EffectiveLayer, evaluate, jacobian
from rssp.tickets.target import Target

__all__ = ["worst_error", "worst_input"]

_FEW = 6  # starts that are followed to the end
_FIRST_STEPS = 10  # steps after which they are chosen
_GAIN = 1e-4  # relative gain in ten steps below which the search ends


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

    Cost: some 10 passes through two networks of the target's size with `restarts` inputs and some 100 with a few.
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
    """The largest ``||f(x) - g(x)||_2`` in the unit ball that `worst_input` finds, by the effective layers.

    >>> from rssp.tickets import plain_ticket
    >>> ticket = plain_ticket([np.eye(3) / 2], n=14, eps=0.01, rng=np.random.default_rng(0), low=-1, high=1)
    >>> ratio = worst_error(ticket.target, ticket.effective, rng=np.random.default_rng(1)) / ticket.certified_error
    >>> round(ratio, 6)    # one layer: the certificate is the truth
    1.0
    """
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
    """Inputs (m, d_0) improved by at most `steps` steps each, and the values (m,) reached."""
    pair = Difference(f, g)
    homogeneous = all(layer.bias is None for layer in f)
    value, state = pair.forward(x)
    before = value
    length = np.ones(len(x))
    for step in range(steps):
        towards = _unit(pair.backward(state))
        moved = _into_ball(x + length[:, None] * (towards - x))
        # the segment to the sphere runs inside the ball, where f - g is smaller if it has no biases
        outer = _unit(moved)
        new_value, new_state = pair.forward(outer)
        if not homogeneous:
            inner_value, inner_state = pair.forward(moved)
            inside = inner_value > new_value
            outer = np.where(inside[:, None], moved, outer)
            new_value = np.where(inside, inner_value, new_value)
            new_state = pair.choose(inside, inner_state, new_state)
        better = new_value > value
        x = np.where(better[:, None], outer, x)
        value = np.where(better, new_value, value)
        state = pair.choose(better, new_state, state)
        length = np.where(better, np.minimum(1.0, 4 * length), length / 4)
        if step % 10 == 9:
            if np.all(value <= before * (1 + _GAIN)):
                break
            before = value
    return _into_ball(x), value
