"""The samples that one random network after another really needs, beside what the covering law says."""

from __future__ import annotations

from typing import Any

import numpy as np

from rssp._arguments import positive
from rssp.errors import InfeasibleError
from rssp.tickets.certificate import weight_tolerance
from rssp.tickets.construction import THEOREM, Construction, plans_of
from rssp.tickets.enough import SEARCHED, enough_samples
from rssp.tickets.prune import prune
from rssp.tickets.read import read_target

__all__ = ["least_samples"]

_BELOW = 8  # samples fewer than predicted at which the search begins: nearly all weights are missed there


def least_samples(
    target: Any, eps: float, *, construction: Construction = THEOREM, rng: np.random.Generator
) -> tuple[int, int]:
    """The smallest n at which a random network of n samples a weight has the target within eps.

    Networks are drawn anew for each n, from 8 below what is predicted (fewer are taken for too few), until one reaches
    every weight within what certifies eps.

    Returns
    -------
    (found, predicted)
        the prediction is the covering law's for probability 1/2

    >>> from rssp.tickets.read import random_target
    >>> f = random_target((2, 2), -0.5, 0.5, rng=np.random.default_rng(0))
    >>> least_samples(f, 0.05, rng=np.random.default_rng(1))
    (9, 12)
    """
    network, eps = read_target(target), positive("eps", eps)
    tolerance = weight_tolerance(network, eps) if construction.error == "output" else eps
    ones = (1,) * network.depth
    predicted = max(enough_samples(plans_of(network, construction, ones, tolerance, 1.0), tolerance, 0.5))
    for n in range(max(1, predicted - _BELOW), SEARCHED + 1):
        ticket = prune(network, n, None, construction=construction, tolerance=tolerance, rng=rng, partial=True)
        if not ticket.unreached_count:
            return n, predicted
    raise InfeasibleError(
        f"the target within {eps:g}", "more samples a weight", f"n = {SEARCHED}", "Allow a larger eps."
    )
