"""Search for the input of a set on which target and ticket differ most."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from rssp.tickets.inputs import Inputs
from rssp.tickets.network import Network, one_thread

__all__ = ["worst_error", "worst_input"]

_FEW = 8  # starts that are followed to the end
_FIRST_STEPS = 10  # steps after which they are chosen
_PLAIN_STEPS = 60  # of projected gradient ascent
_GAIN = 1e-5  # relative gain in ten steps below which the search ends


def worst_input(
    f: Network,
    g: Network,
    inputs: Any = None,
    *,
    restarts: int,
    rng: np.random.Generator,
    steps: int = 200,
    starts: NDArray[np.float64] | None = None,
) -> NDArray[np.float64]:
    """Inputs (m, inputs) of a set at which ``||f(x) - g(x)||_2`` is locally largest.

    Two searches from the same `restarts` random points, and from `starts` (m, inputs) if given, each a batch. Where no
    activation bends, f - g is affine and its norm convex: the step from x straight to the point of the set that lies
    furthest along the gradient (a step of the power method on the local Jacobian) never decreases it; where a bend
    makes it decrease, shorter steps towards that point are tried. Plain projected gradient ascent crosses bends that
    stop it, with steps that shrink from half of the set to 1/200. The best points of both, and their mirror images, are
    refined by straight steps. The answer is a lower bound on the true maximum.
    """
    domain = _Domain(Inputs.read(inputs), f.inputs)
    start = torch.from_numpy(domain.set.draw(restarts, f.inputs, rng))
    if starts is not None:
        start = torch.cat([start, domain.project(torch.from_numpy(starts))])
    outer = domain.furthest(start - domain.centre)
    with one_thread():
        x, value = _ascend(f, g, torch.cat([outer, domain.mirrored(outer)]), _FIRST_STEPS, domain)
        plain, plain_value = _plain_ascent(f, g, torch.cat([start, outer]), domain)
        x, value = torch.cat([x, plain]), torch.cat([value, plain_value])
        best = x[value.argsort(descending=True)[:_FEW]]
        x, _ = _ascend(f, g, torch.cat([best, domain.mirrored(best)]), steps, domain)
    return x.numpy()


def worst_error(f: Network, g: Network, inputs: Any = None, *, restarts: int = 50, rng: np.random.Generator) -> float:
    """The largest ``||f(x) - g(x)||_2`` over a set of inputs (the unit ball by default) that `worst_input` finds.

    >>> from rssp.laws import Uniform
    >>> from rssp.tickets import PLAIN, prune
    >>> wide = PLAIN.but(law=Uniform())
    >>> ticket = prune([np.eye(3) / 2], 14, 0.01, construction=wide, rng=np.random.default_rng(0))
    >>> ratio = worst_error(ticket.target, ticket.effective, rng=np.random.default_rng(1)) / ticket.certified_error
    >>> round(ratio, 6)    # one layer: the certificate is the truth
    1.0
    """
    x = worst_input(f, g, inputs, restarts=restarts, rng=rng)
    return float(np.linalg.norm(f(x) - g(x), axis=1).max())


class _Domain:
    """A set of inputs with what a search needs of it, as tensors."""

    def __init__(self, inputs: Inputs, count: int):
        self.set, self.ball = inputs, inputs.radius is not None
        low, high = inputs.bounds(count)
        self.low, self.high = torch.from_numpy(low), torch.from_numpy(high)
        self.centre = torch.zeros(count, dtype=torch.float64) if self.ball else (self.low + self.high) / 2
        self.radius = float(inputs.radius or 0.0)

    def furthest(self, direction: torch.Tensor) -> torch.Tensor:
        """The points of the set that lie furthest along directions (m, inputs)."""
        if self.ball:
            return self.radius * direction / _length(direction).clamp(min=1e-300)
        return torch.where(direction > 0, self.high, torch.where(direction < 0, self.low, self.centre))

    def mirrored(self, x: torch.Tensor) -> torch.Tensor:
        """Points reflected in the centre."""
        return self.project(2 * self.centre - x)

    def project(self, x: torch.Tensor) -> torch.Tensor:
        """The nearest points of the set."""
        if self.ball:
            return x * (self.radius / _length(x).clamp(min=self.radius))
        return x.clamp(self.low, self.high)

    def onto_edge(self, x: torch.Tensor) -> torch.Tensor:
        """Points pushed out to the boundary of a ball; those of a box stay."""
        return self.furthest(x) if self.ball else x

    def step(self, gradient: torch.Tensor, size: float) -> torch.Tensor:
        """A step of steepest ascent: along the gradient in a ball, along its signs in a box."""
        if self.ball:
            return size * self.radius * gradient / _length(gradient).clamp(min=1e-300)
        return size * (self.high - self.low) * gradient.sign()


def _length(x: torch.Tensor) -> torch.Tensor:
    return x.norm(dim=1, keepdim=True)


def _difference(f: Network, g: Network, x: torch.Tensor) -> torch.Tensor:
    with torch.no_grad():
        return (f.forward(x) - g.forward(x)).norm(dim=1)


def _gradient(f: Network, g: Network, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """The gradient of the squared difference (m, inputs), and the difference (m,)."""
    x = x.detach().requires_grad_(True)
    with torch.enable_grad():
        squares = ((f.forward(x) - g.forward(x)) ** 2).sum(dim=1)
        return torch.autograd.grad(squares.sum(), x)[0], squares.detach().sqrt()


def _plain_ascent(f: Network, g: Network, x: torch.Tensor, domain: _Domain) -> tuple[torch.Tensor, torch.Tensor]:
    """Projected gradient ascent; the best point of each way (m, inputs) and its value (m,)."""
    best, most = x.clone(), _difference(f, g, x)
    for step in range(_PLAIN_STEPS):
        gradient, value = _gradient(f, g, x)
        better = value > most
        best, most = torch.where(better[:, None], x, best), torch.maximum(value, most)
        x = domain.project(x + domain.step(gradient, 0.5 * 0.01 ** (step / (_PLAIN_STEPS - 1))))
    value = _difference(f, g, x)
    better = value > most
    return torch.where(better[:, None], x, best), torch.maximum(value, most)


def _ascend(f: Network, g: Network, x: torch.Tensor, steps: int, domain: _Domain) -> tuple[torch.Tensor, torch.Tensor]:
    """Inputs (m, inputs) improved by at most `steps` straight steps each, and the values (m,) reached."""
    value = _difference(f, g, x)
    before, length = value.clone(), torch.ones(len(x), 1, dtype=torch.float64)
    for step in range(steps):
        gradient, _ = _gradient(f, g, x)
        moved = domain.project(x + length * (domain.furthest(gradient) - x))
        outer = domain.onto_edge(moved)
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
    return domain.project(x), value
