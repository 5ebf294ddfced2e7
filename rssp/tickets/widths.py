"""How many random weights a network needs so that a target is a ticket in it: proved, layer by layer.

The theorems say C log2(...) with an open C; here the failure probability is spread over the sets of samples that the
construction draws, the errors allowed to the weights come from the certificate, and `rssp.guaranteed_samples` proves
how many samples each set needs (docs/theory/guarantees.md).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.stats import binom

from rssp._arguments import positive, probability
from rssp.balls import Ball
from rssp.errors import ArgumentError, ArgumentTypeError, InfeasibleError
from rssp.laws import Product, Uniform
from rssp.prediction.guarantees import guaranteed_samples
from rssp.tickets.activations import RELU
from rssp.tickets.certificate import weight_tolerance
from rssp.tickets.construction import THEOREM, Construction, Plan, plans_of
from rssp.tickets.enough import SEARCHED
from rssp.tickets.network import Network
from rssp.tickets.read import read_target

__all__ = [
    "USUAL",
    "LayerGuarantee",
    "allowed_errors",
    "guaranteed_counts",
    "guaranteed_width",
    "require_unit_range",
]

USUAL = 30
"""copies of a unit while their number is not chosen yet"""
_KEPT = 1 / 64  # the part of the tolerance that is kept for the rounding of samples to the network's type


@dataclass(frozen=True)
class LayerGuarantee:
    """The samples that one layer needs for each of its weights.

    Attributes
    ----------
    name : str, the layer's
    weights : int, how many weights other than 0 it has
    sets : int, the independent sets of samples that serve them
    eps, delta : float, the error allowed of a weight and the failure probability allowed of a set
    n : int, the samples that each set needs, proved
    """

    name: str
    weights: int
    sets: int
    eps: float
    delta: float
    n: int


def guaranteed_width(
    target: Any,
    eps: float | None = 0.01,
    delta: float = 0.01,
    construction: Construction = THEOREM,
    *,
    tolerance: float | None = None,
) -> tuple[LayerGuarantee, ...]:
    """How many samples a weight are proved to be enough for a whole network, but for probability delta.

    Every set of samples must reach every number of [-r, r], r the layer's largest weight: then it serves whatever
    weights share it. The failure probability is spread evenly over all sets of all layers, as the construction shares
    them: with samples="row" one set an output, else one a weight and sign. `prune` with ``n="guaranteed"`` takes these
    n, where they can be searched.

    Parameters
    ----------
    target : Network, or anything that `read_target` reads without further arguments
    eps : the largest error allowed: of the output over the unit ball (THEOREM), or of each weight (PLAIN). None with a
        tolerance
    delta : float in (0, 1), the failure probability of the whole network
    construction : one of depth "l", or "2l" with weights uniform on [-1, 1] and units of two half-lines (ReLU)
    tolerance : the error allowed to each weight; by default what certifies eps (`weight_tolerance`)

    Returns
    -------
    one LayerGuarantee a layer; a layer of width d has 2 n d units before it in the theorem's construction

    Raises
    ------
    ArgumentError
        Where the proof does not hold of the construction, or weights are beyond [-1, 1] behind random links.
    InfeasibleError
        Where an n beyond a million would be needed.

    Examples
    --------
    >>> from rssp.tickets.construction import PLAIN
    >>> f = read_target([[[0.5, -0.25], [0.75, 0.1]], [[-0.5, 0.6]]], activation="relu")
    >>> for layer in guaranteed_width(f, 0.25, 0.1, PLAIN.but(law=Uniform())):
    ...     print(layer.weights, layer.sets, layer.n)
    4 2 25
    2 1 24
    """
    target = read_target(target)
    if not isinstance(construction, Construction):
        raise ArgumentTypeError("construction", construction, "a Construction: PLAIN, THEOREM")
    delta = probability("delta", delta)
    _, tolerance = allowed_errors(target, construction, eps, tolerance)
    if construction.depth != "l":
        require_unit_range(target)
    plans = plans_of(target, construction, (USUAL,) * target.depth, tolerance, 1.0)
    return _layers(plans, construction, tolerance, delta, target.dtype)


def guaranteed_counts(
    plans: Sequence[Plan], construction: Construction, tolerance: float, delta: float, dtype: str
) -> tuple[int, ...]:
    """The n of each layer with which every weight is reached but for probability delta, proved.

    Each set of samples (one a row for samples="row", else one a weight and sign) must reach all of [-r, r], r the
    layer's largest weight; delta is spread evenly over the sets of all layers. Behind random links a sample is the
    product of two uniform numbers; of 2 n units about n have the right sign, and at most n of these are offered: a
    sample of fewer than m has probability P(Binomial(2 n, 1/2) < m), which takes half of the set's delta.

    Raises ArgumentError where the proof does not hold of the construction, InfeasibleError beyond 56 samples.

    >>> from rssp.tickets.construction import PLAIN, plans_of
    >>> from rssp.tickets.read import read_target
    >>> construction = PLAIN.but(law=Uniform())
    >>> plans = plans_of(read_target([[[0.5, -0.25]]]), construction, (1,), 0.1, 1.0)
    >>> guaranteed_counts(plans, construction, 0.1, 0.1, "float64")
    (20,)
    """
    counts = tuple(layer.n for layer in _layers(plans, construction, tolerance, delta, dtype))
    for plan, n in zip(plans, counts, strict=True):
        if n > SEARCHED:
            raise InfeasibleError(
                f"a guarantee for layer {plan.layer.name!r} within {tolerance:.3g}",
                f"n = {n} samples",
                f"n = {SEARCHED}, the most that are searched",
                "Allow a larger eps or delta, or let the covering law choose n.",
            )
    return counts


def _layers(
    plans: Sequence[Plan], construction: Construction, tolerance: float, delta: float, dtype: str
) -> tuple[LayerGuarantee, ...]:
    if construction.depth == "l+1" or any(p.links and (p.activation.curvature or p.law != Uniform()) for p in plans):
        raise ArgumentError(
            "n", "'guaranteed'", "constructions of depth 'l', or '2l' with Uniform() weights and half-linear units",
            "Without n the covering law chooses.",
        )  # fmt: skip
    share = delta / max(1, sum(_sets(plan, construction.samples) for plan in plans))
    layers = tuple(
        LayerGuarantee(
            plan.layer.name,
            int(np.count_nonzero(plan.values())),
            _sets(plan, construction.samples),
            tolerance,
            share,
            _guaranteed(plan, tolerance * (1 - _KEPT), share),
        )
        for plan in plans
    )
    unit = 2.0 ** (-22 if dtype == "float32" else -50)  # of two rounded factors, and more
    most = max(layer.n for layer in layers)
    if most * unit > _KEPT * tolerance:
        raise ArgumentError(
            "eps", f"a tolerance of {tolerance:.3g} in {dtype}", f"{most * unit / _KEPT:.3g} or more",
            "Read the network in float64.",
        )  # fmt: skip
    return layers


def _sets(plan: Plan, samples: str) -> int:
    """The independent sets of samples of a layer."""
    if samples == "row":
        return plan.layer.channels[0] * plan.rows
    return int((plan.values() != 0).sum()) * plan.rows * (2 if plan.split and plan.signed else 1)


def _guaranteed(plan: Plan, eps: float, delta: float) -> int:
    radius = float(np.abs(plan.values()).max(initial=0.0))
    if eps >= radius:
        return 1  # the empty sum does
    # to four binary digits: layers of nearly the same range ask the same question
    digit = 2.0 ** (math.floor(math.log2(radius)) - 3)
    radius = math.ceil(radius / digit) * digit
    law = Product() if plan.links else plan.law
    if not plan.split:
        return int(guaranteed_samples(law, eps, delta, Ball(1, radius)).high)
    needed = int(guaranteed_samples(law, eps, delta / 2, Ball(1, radius)).high)
    n = needed
    while binom.cdf(needed - 1, 2 * n, 0.5) > delta / 2:
        n += 1
    return n


def allowed_errors(
    target: Network, construction: Construction, eps: float | None, tolerance: float | None
) -> tuple[float | None, float]:
    """eps, and the error allowed to each weight: given, eps itself where it bounds weights, or what certifies eps."""
    if eps is None and tolerance is None:
        raise ArgumentError("eps", "None without a tolerance", "an error > 0, or a tolerance of the weights")
    eps = None if eps is None else positive("eps", eps)
    if tolerance is not None:
        return eps, positive("tolerance", tolerance)
    assert eps is not None
    if construction.error == "weight":
        return eps, eps
    # copies of a unit err each by themselves, and a sum over them by up to sum |v|, about twice the weight's size
    return eps, weight_tolerance(target, eps) / (2 if construction.depth == "l+1" else 1)


def require_unit_range(target: Network) -> None:
    """ArgumentError unless all weights are in [-1, 1]: behind random links those are reached."""
    for layer in target.layers:
        plan = Plan(layer, 1, 1, 1, False, RELU, True, 1.0, 1.0, Uniform())
        values = np.abs(plan.values())
        row, slot = np.unravel_index(int(values.argmax()), values.shape)
        if values[row, slot] > 1:
            raise ArgumentError(
                "target",
                f"{plan.weight_name(int(row), int(slot))} = {plan.values()[row, slot]:.6g}",
                "weights and biases in [-1, 1], as the theorem does",
                "Use normalised(target): it divides layers by powers of two, and undoes it exactly.",
            )
