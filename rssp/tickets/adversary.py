"""Search for the input of the unit ball on which target and ticket differ most."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from rssp.balls import Ball
from rssp.tickets.network import Network, one_thread

__all__ = ["worst_error", "worst_input"]

_FEW = 6  # starts that are followed to the end
_FIRST_STEPS = 10  # steps after which they are chosen
_GAIN = 1e-4  # relative gain in ten steps below which the search ends


def worst_input(
    f: Network,
    g: Network,
    *,
    restarts: int,
    rng: np.random.Generator,
    steps: int = 200,
    starts: NDArray[np.float64] | None = None,
) -> NDArray[np.float64]:
    """Inputs (m, inputs) with ``||x||_2 <= 1`` at which ``||f(x) - g(x)||_2`` is locally largest.

    Where no activation bends, f - g is affine and its norm convex: the step from x straight to the unit vector of the
    gradient (a step of the power method on the local Jacobian) never decreases it. Where a bend makes it decrease,
    shorter steps towards that vector are tried. It starts from `restarts` random points, and from
    `starts` (m, inputs) if given, and the best few are followed to the end. The answer is a lower bound
    on the true maximum.
    """
    start = torch.from_numpy(_unit(Ball(f.inputs, norm=2).draw(restarts, rng)))
    with one_thread():
        given = [] if starts is None else [torch.from_numpy(starts)]
        x, value = _ascend(f, g, torch.cat([start, -start, *given]), _FIRST_STEPS)
        x, _ = _ascend(f, g, x[value.argsort(descending=True)[:_FEW]], steps)
    return x.numpy()


def worst_error(f: Network, g: Network, *, restarts: int = 32, rng: np.random.Generator) -> float:
    """The largest ``||f(x) - g(x)||_2`` in the unit ball that `worst_input` finds.

    >>> from rssp.laws import Uniform
    >>> from rssp.tickets import PLAIN, prune
    >>> wide = PLAIN.but(law=Uniform())
    >>> ticket = prune([np.eye(3) / 2], 14, 0.01, construction=wide, rng=np.random.default_rng(0))
    >>> ratio = worst_error(ticket.target, ticket.effective, rng=np.random.default_rng(1)) / ticket.certified_error
    >>> round(ratio, 6)    # one layer: the certificate is the truth
    1.0
    """
    x = worst_input(f, g, restarts=restarts, rng=rng)
    return float(np.linalg.norm(f(x) - g(x), axis=1).max())


def _unit(x: NDArray[np.float64]) -> NDArray[np.float64]:
    return x / np.maximum(np.linalg.norm(x, axis=1, keepdims=True), 1e-300)


def _length(x: torch.Tensor) -> torch.Tensor:
    return x.norm(dim=1, keepdim=True)


def _difference(f: Network, g: Network, x: torch.Tensor) -> torch.Tensor:
    with torch.no_grad():
        return (f.forward(x) - g.forward(x)).norm(dim=1)


def _gradient(f: Network, g: Network, x: torch.Tensor) -> torch.Tensor:
    x = x.detach().requires_grad_(True)
    with torch.enable_grad():
        square = ((f.forward(x) - g.forward(x)) ** 2).sum()
        return torch.autograd.grad(square, x)[0]


def _ascend(f: Network, g: Network, x: torch.Tensor, steps: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Inputs (m, inputs) improved by at most `steps` steps each, and the values (m,) reached."""
    value = _difference(f, g, x)
    before, length = value.clone(), torch.ones(len(x), 1, dtype=torch.float64)
    for step in range(steps):
        gradient = _gradient(f, g, x)
        towards = gradient / _length(gradient).clamp(min=1e-300)
        moved = x + length * (towards - x)
        moved = moved / _length(moved).clamp(min=1.0)
        outer = moved / _length(moved).clamp(min=1e-300)
        inner_value, new_value = _difference(f, g, moved), _difference(f, g, outer)
        inside = inner_value > new_value
        outer = torch.where(inside[:, None], moved, outer)
        new_value = torch.where(inside, inner_value, new_value)
        better = new_value > value
        x = torch.where(better[:, None], outer, x)
        value = torch.where(better, new_value, value)
        length = torch.where(better[:, None], (4 * length).clamp(max=1.0), length / 4)
        if step % 10 == 9:
            if bool((value <= before * (1 + _GAIN)).all()):
                break
            before = value.clone()
    return x / _length(x).clamp(min=1.0), value
