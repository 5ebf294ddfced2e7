"""A bound on the error of a whole network over a set of inputs that holds for certain, not only where it was measured.

It is the least of three bounds, each of them proved: norms and intervals of the difference of the two networks, carried
from layer to layer (`propagation`), and quadratic forms, carried back through both (`quadratic`). All numbers are
computed upper bounds: roundings, those of the eigenvectors included, are accounted for. The bound speaks of the two
networks as functions on real numbers; `rounding_error` bounds what evaluating the ticket in float32 may add.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from rssp._arguments import positive
from rssp.errors import ArgumentError
from rssp.tickets.activations import Activation
from rssp.tickets.differential import program_of
from rssp.tickets.inputs import Inputs
from rssp.tickets.layer_norms import operator_bound
from rssp.tickets.network import Linear, MaxPool, Network, Step, one_thread
from rssp.tickets.norms import spectral_norm_bound
from rssp.tickets.propagation import Difference, Notes, all_linear, carry, difference, norms, uniform_difference
from rssp.tickets.quadratic import quadratic_bound

__all__ = ["certified_error", "operator_bound", "rounding_error", "spectral_norm_bound", "weight_tolerance"]

_WIDEST = 800  # numbers in an activation up to which quadratic forms are tried
_WORK = 5e9  # multiplications that they may take at an effort of 1
_FAR = 1e100  # errors beyond it, whose squares are no numbers, are not sharpened
_STEPS = 40  # gradient steps on the multipliers, fewer where the work allows fewer


def certified_error(reference: Network, effective: Network, inputs: Any = None, *, effort: float = 1.0) -> float:
    """An upper bound on ``max over x of ||f(x) - g(x)||_2`` for networks f and g of the same steps.

    Parameters
    ----------
    reference, effective : Network, f and g
    inputs : the set of all x: None for ``||x||_2 <= 1``, a radius, a pair (low, high) for a box, or an `Inputs`
    effort : how much work the quadratic forms may take, in units of 5e9 multiplications; 0 leaves them out

    Cost: eigenvectors of two Gram matrices a layer, O(m^3) where m is its shorter side; for networks of up to 800
    numbers a layer also up to 60 passes of factorisations of matrices of twice that size, as the effort allows; see
    benchmarks/certificates.py.

    Examples
    --------
    >>> import numpy as np
    >>> from rssp.laws import Uniform
    >>> from rssp.tickets import PLAIN, prune
    >>> wide = PLAIN.but(law=Uniform())
    >>> ticket = prune([np.eye(3) / 2], 14, 0.01, construction=wide, rng=np.random.default_rng(0))
    >>> bool(ticket.largest_weight_error <= certified_error(ticket.target, ticket.effective) <= 0.03)
    True
    """
    way = _Way.of(reference, effective, Inputs.read(inputs))
    if way.error == 0.0 or reference.widest > _WIDEST or effort <= 0:
        return way.error
    return min(way.error, _by_forms(way, effort))


def rounding_error(reference: Network, effective: Network, inputs: Any = None) -> float:
    """How far apart g in real numbers and g with its `slack` may be, by norms, for networks of the same steps."""
    return _Way.of(reference, effective, Inputs.read(inputs)).left_out()


@dataclass(frozen=True, eq=False)
class _Way:
    """Norms and intervals carried through two networks: the bound `error`, and what was found and noted on the way."""

    reference: Network
    ticket: list[Linear]
    inputs: Inputs
    sizes: list[float]
    found: list[Difference | None]
    notes: Notes
    error: float

    @classmethod
    def of(cls, reference: Network, effective: Network, inputs: Inputs) -> _Way:
        ticket, sizes, notes = all_linear(effective.steps), norms(reference), Notes()
        pairs = zip(all_linear(reference.steps), ticket, strict=True)
        found = [None if f.fixed and g.slack is None else difference(f, g) for f, g in pairs]
        error = carry(reference, sizes, found, inputs, notes).error
        return cls(reference, ticket, inputs, sizes, found, notes, error)

    def left_out(self) -> float:
        """How far the ticket may be from what its coefficients compute: `Notes.left`, carried on in norms."""
        parts = zip(self.sizes, self.found, self.notes.left, strict=True)
        layers = iter([(size + (d.spectral if d else 0.0), left) for size, d, left in parts])

        def run(steps: tuple[Step, ...], error: float) -> float:
            for step in steps:
                if isinstance(step, Linear):
                    norm, left = next(layers)
                    error = norm * error + left
                elif isinstance(step, Activation):
                    error *= step.lipschitz
                elif isinstance(step, MaxPool):
                    error *= step.overlap
                else:
                    error = run(step.steps, error) + run(step.shortcut, error)
            return error

        return run(self.reference.steps, 0.0) * (1 + 1e-12)


def _by_forms(way: _Way, effort: float) -> float:
    """The bound by quadratic forms on what the ticket's coefficients compute, and by norms on what they leave out."""
    if not way.error < _FAR:
        return way.error
    largest = max((d.spectral for d in way.found if d is not None), default=0.0)
    program, scale = program_of(way.reference, way.ticket, way.notes.before, way.inputs, largest)
    cost = program.cost()
    if cost > effort * _WORK:
        return way.error
    steps = int(min(_STEPS * min(effort, 1.0), effort * _WORK / (3 * cost)))
    with one_thread():
        exact = quadratic_bound(program, steps) * scale
    if exact >= way.error:
        return way.error
    # the program's matrices, slopes and values are rounded, each by at most 1e-14 relative (a function's value): over
    # fewer than 1,000 steps both networks stay within 1e-11 of the bounds that `propagation` has on them
    return float((exact + way.left_out() + 1e-11 * way.error) * (1 + 1e-15))


def weight_tolerance(target: Network, eps: float) -> float:
    """A weight error delta that suffices: if every weight is within delta, the output is certified within eps.

    The largest such delta by the certificate of this module (to 1e-5 relative), over ``||x||_2 <= 1``. It allows for
    the worst signs of all errors at once, so tickets that exceed it may still be certified within eps.

    Examples
    --------
    >>> import numpy as np
    >>> from rssp.tickets import read_target
    >>> round(weight_tolerance(read_target([np.full((4, 4), 0.5)]), 0.01), 6)    # sqrt(16) delta = eps
    0.0025
    """
    eps = positive("eps", eps)
    sizes, layers, ball = norms(target), all_linear(target.steps), Inputs.ball()

    def error(delta: float) -> float:
        differences = [None if f.fixed else uniform_difference(f, delta) for f in layers]
        return carry(target, sizes, differences, ball).error

    high = eps
    if error(high) == 0:
        return eps  # no weight can be wrong
    while error(high) <= eps:  # narrow layers with small weights: delta may exceed eps
        high *= 2
    low = high
    while error(low) > eps:
        low /= 2
        if low < 1e-300:
            raise ArgumentError("eps", eps, "an error above the rounding of float64")
    high = 2 * low
    for _ in range(20):
        middle = (low + high) / 2
        low, high = (middle, high) if error(middle) <= eps else (low, middle)
    return low * (1 - 1e-6)  # room for the roundings that a certificate adds
