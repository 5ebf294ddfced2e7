"""How many samples a layer needs so that all of its weights are reached: by the covering law, for each weight.

A sample of n numbers has 2^n sums; near z they are as dense as the normal law with the sample's own mean and variance
says, and lie there like a Poisson process (see `rssp.prediction.covering_law`). So a weight z is missed with
probability ``E exp(-2^n 2 tol density(z))``, the mean over samples, and for certain beyond the sum of all numbers of
its sign. It falls geometrically in n; where it is too rare
to be seen in the samples drawn here, it is continued at the rate last seen.

`guaranteed_counts` proves its n instead (docs/theory/guarantees.md): no model and no extrapolation, and a larger n.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binom

from rssp.balls import Ball
from rssp.errors import ArgumentError, InfeasibleError
from rssp.laws import Product, Uniform
from rssp.prediction.guarantees import guaranteed_samples
from rssp.tickets.construction import Construction, Plan

__all__ = ["enough_samples", "guaranteed_counts"]

_SAMPLES, _SEED, _MOST = 4000, 0, 56
_SEEN = 20 / _SAMPLES  # a probability of which about 20 samples tell
_KEPT = 1 / 64  # the part of the tolerance that is kept for the rounding of samples to the network's type


def enough_samples(plans: Sequence[Plan], tolerance: float, delta: float) -> tuple[int, ...]:
    """The smallest n of each layer with predicted P(some weight is missed) <= delta / layers.

    Raises InfeasibleError where more than 56 samples would be needed, the most that an exact search takes.

    >>> from rssp.tickets.construction import PLAIN, plans_of
    >>> from rssp.tickets.read import random_target
    >>> f = random_target((784, 500, 10), -0.46, 0.54, rng=np.random.default_rng(0))
    >>> enough_samples(plans_of(f, PLAIN, (1, 1), 0.01, 1.0), 0.01, 0.01)
    (38, 27)
    """
    return tuple(_enough(plan, tolerance, delta / len(plans)) for plan in plans)


def _enough(plan: Plan, tolerance: float, delta: float) -> int:
    values = plan.values()
    values = values[values != 0]
    if values.size == 0:
        return 1
    rng = np.random.default_rng(_SEED)
    sums = values.size * plan.rows * (2 if plan.split and plan.signed else 1)
    z = rng.choice(values, _SAMPLES)
    missed: list[float] = []
    for n in range(1, _MOST + 1):
        missed.append(_missed(plan, n, z, tolerance, rng))
        if missed[-1] * sums <= delta:
            if missed[-1] > 0 or len(missed) < 2:
                return n
            break
        if missed[-1] < _SEEN:
            break
    last = len(missed)
    while last > 2 and missed[last - 1] < _SEEN:
        last -= 1
    # the rate over the last three steps that are seen
    back = max(1, last - 3)
    rate = math.log(missed[last - 1] / missed[back - 1]) / max(1, last - back) if last > back else -0.5
    n = last + math.ceil(math.log(delta / (sums * missed[last - 1])) / min(rate, -0.05))
    if n > _MOST:
        raise InfeasibleError(
            f"reaching {values.size * plan.rows:,} weights of {plan.layer.name!r} within {tolerance:.3g}",
            f"about n = {n} samples",
            f"n = {_MOST}",
            "Allow a larger eps or delta, or redraw=, or give n.",
        )
    return n


def _missed(plan: Plan, n: int, z: NDArray[np.float64], tolerance: float, rng: np.random.Generator) -> float:
    """The predicted probability that one weight is missed."""
    shape = (len(z), 2 * n if plan.split else n)
    x = plan.law.draw(math.prod(shape), rng).reshape(shape)
    count = np.full(len(z), n)
    if plan.links:
        links = plan.law.draw(math.prod(shape), rng).reshape(shape)
        if plan.split:  # at most n units of the right sign
            right = links > 0
            right &= np.cumsum(right, axis=1) <= n
            count = right.sum(axis=1)
            links = np.where(right, links, 0.0)
        x = x * links
    mean, variance = x.sum(axis=1) / 2, (x**2).sum(axis=1) / 4
    with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
        log_density = -((z - mean) ** 2) / (2 * variance) - 0.5 * np.log(2 * math.pi * variance)
        expected = np.exp(np.minimum(count * math.log(2) + math.log(2 * tolerance) + log_density, 700))
    # beyond the sum of all numbers of its sign a target is missed for certain: rare one-sided samples do that
    reach = np.where(z > 0, np.maximum(x, 0).sum(axis=1), -np.minimum(x, 0).sum(axis=1))
    expected = np.where(np.abs(z) > reach + tolerance, 0.0, np.nan_to_num(expected, nan=0.0))
    return float(np.exp(-expected).mean())


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
    if construction.depth == "l+1" or any(p.links and (p.activation.curvature or p.law != Uniform()) for p in plans):
        raise ArgumentError(
            "n", "'guaranteed'", "constructions of depth 'l', or '2l' with Uniform() weights and half-linear units",
            "Without n the covering law chooses.",
        )  # fmt: skip
    share = delta / max(1, sum(_sets(plan, construction.samples) for plan in plans))
    counts = tuple(_guaranteed(plan, tolerance * (1 - _KEPT), share) for plan in plans)
    unit = 2.0 ** (-22 if dtype == "float32" else -50)  # of two rounded factors, and more
    if max(counts) * unit > _KEPT * tolerance:
        raise ArgumentError(
            "eps", f"a tolerance of {tolerance:.3g} in {dtype}", f"{max(counts) * unit / _KEPT:.3g} or more",
            "Read the network in float64.",
        )  # fmt: skip
    for plan, n in zip(plans, counts, strict=True):
        if n > _MOST:
            raise InfeasibleError(
                f"a guarantee for layer {plan.layer.name!r} within {tolerance:.3g}",
                f"n = {n} samples",
                f"n = {_MOST}, the most that are searched",
                "Allow a larger eps or delta, or let the covering law choose n.",
            )
    return counts


def _sets(plan: Plan, samples: str) -> int:
    """The independent sets of samples of a layer."""
    if samples == "row":
        return plan.layer.channels[0] * plan.rows
    return int((plan.values() != 0).sum()) * plan.rows * (2 if plan.split and plan.signed else 1)


def _guaranteed(plan: Plan, eps: float, delta: float) -> int:
    radius = float(np.abs(plan.values()).max(initial=0.0))
    if eps >= radius:
        return 1  # the empty sum does
    law = Product() if plan.links else plan.law
    if not plan.split:
        return int(guaranteed_samples(law, eps, delta, Ball(1, radius)).high)
    needed = int(guaranteed_samples(law, eps, delta / 2, Ball(1, radius)).high)
    n = needed
    while binom.cdf(needed - 1, 2 * n, 0.5) > delta / 2:
        n += 1
    return n
