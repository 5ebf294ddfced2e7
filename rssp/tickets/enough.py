"""How many samples a layer needs so that all of its weights are reached: by the covering law, for each weight.

A sample of n numbers has 2^n sums; near z they are as dense as the normal law with the sample's own mean and variance
says, and lie there like a Poisson process (see `rssp.prediction.covering_law`). So a weight z is missed with
probability ``E exp(-2^n 2 tol density(z))``, the mean over samples, and for certain beyond the sum of all numbers of
its sign. It falls geometrically in n; where it is too rare
to be seen in the samples drawn here, it is continued at the rate last seen.

`rssp.tickets.widths` proves its n instead (docs/theory/guarantees.md): no model and no extrapolation, and a larger n.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from rssp.errors import InfeasibleError
from rssp.tickets.construction import Plan

__all__ = ["SEARCHED", "enough_samples"]

SEARCHED = 56
"""the most samples that an exact search takes"""
_SAMPLES, _SEED = 4000, 0
_SEEN = 20 / _SAMPLES  # a probability of which about 20 samples tell


def enough_samples(plans: Sequence[Plan], tolerance: float, delta: float, most: int = SEARCHED) -> tuple[int, ...]:
    """The smallest n of each layer with predicted P(some weight is missed) <= delta / layers.

    Raises InfeasibleError where more than `most` samples would be needed, by default what an exact search takes.

    >>> from rssp.tickets.construction import PLAIN, plans_of
    >>> from rssp.tickets.read import random_target
    >>> f = random_target((784, 500, 10), -0.46, 0.54, rng=np.random.default_rng(0))
    >>> enough_samples(plans_of(f, PLAIN, (1, 1), 0.01, 1.0), 0.01, 0.01)
    (38, 27)
    """
    return tuple(_enough(plan, tolerance, delta / len(plans), most) for plan in plans)


def _enough(plan: Plan, tolerance: float, delta: float, most: int) -> int:
    values = plan.values()
    values = values[values != 0]
    if values.size == 0:
        return 1
    rng = np.random.default_rng(_SEED)
    sums = values.size * plan.rows * (2 if plan.split and plan.signed else 1)
    z = rng.choice(values, _SAMPLES)
    missed: list[float] = []
    for n in range(1, most + 1):
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
    if n > most:
        raise InfeasibleError(
            f"reaching {values.size * plan.rows:,} weights of {plan.layer.name!r} within {tolerance:.3g}",
            f"about n = {n} samples",
            f"n = {most}",
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
