"""The samples that random networks really need, beside what the covering law and a theorem say."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from rssp._arguments import positive, probability
from rssp.errors import ArgumentError, InfeasibleError
from rssp.estimates import Estimate
from rssp.intervals import clopper_pearson
from rssp.tickets.certificate import weight_tolerance
from rssp.tickets.construction import THEOREM, Construction, plans_of
from rssp.tickets.enough import SEARCHED, enough_samples
from rssp.tickets.layer_norms import combination_bound
from rssp.tickets.network import Network
from rssp.tickets.prune import prune
from rssp.tickets.read import read_target

__all__ = ["least_samples", "theorem_tolerance"]

_BELOW, _HALF = 8, 0.5


def least_samples(
    targets: Sequence[Any],
    eps: float,
    *,
    construction: Construction = THEOREM,
    confidence: float = 0.95,
    rng: np.random.Generator,
) -> Estimate:
    """The smallest n at which half of all random networks of n samples a weight have their target within eps.

    Parameters
    ----------
    targets : networks of one kind, two or more; for each n a random network is drawn for each of them
    eps : the error of the output that is certified, or of each weight (construction PLAIN)
    construction, rng : see `prune`
    confidence : of Clopper and Pearson's interval at each n

    Returns
    -------
    Estimate
        best: the first n at which half of the networks are enough. low: the first at which the probability may be 1/2;
        high: from there on it is at least 1/2. Its details hold what the covering law predicts, the median over the
        targets. The search begins 8 below it: nearly all weights are missed there.

    Raises InfeasibleError where up to 56 samples are not enough.

    Examples
    --------
    >>> from rssp.tickets.read import random_target
    >>> f = [random_target((2, 2), -0.5, 0.5, rng=np.random.default_rng(seed)) for seed in range(6)]
    >>> found = least_samples(f, 0.05, rng=np.random.default_rng(1))
    >>> found.low, found.best, found.high, found.details["predicted"]
    (9.0, 10.0, 18.0, 11.5)
    """
    networks, eps = [read_target(target) for target in targets], positive("eps", eps)
    confidence = probability("confidence", confidence)
    if len(networks) < 2:
        raise ArgumentError("targets", f"{len(networks)} of them", "two or more")
    tolerances = [weight_tolerance(f, eps) if construction.error == "output" else eps for f in networks]
    predicted = float(np.median([_predicted(f, t, construction) for f, t in zip(networks, tolerances, strict=True)]))
    low = best = None
    for n in range(max(1, int(predicted) - _BELOW), SEARCHED + 1):
        reached = 0
        for f, tolerance in zip(networks, tolerances, strict=True):
            ticket = prune(f, n, None, construction=construction, tolerance=tolerance, rng=rng, partial=True)
            reached += not ticket.unreached_count
        least, most = clopper_pearson(reached, len(networks), confidence=confidence)
        low = n if low is None and most >= _HALF else low
        best = n if best is None and 2 * reached >= len(networks) else best
        if best is not None and low is not None and least >= _HALF:
            details = {"predicted": predicted, "networks": len(networks)}
            return Estimate(float(low), float(best), float(n), confidence, quantity="n*", details=details)
    what, limit = f"half of the networks within {eps:g}", f"n = {SEARCHED}"
    raise InfeasibleError(what, "more samples a weight", limit, "Allow a larger eps.")


def _predicted(network: Network, tolerance: float, construction: Construction) -> int:
    ones = (1,) * network.depth
    return max(enough_samples(plans_of(network, construction, ones, tolerance, 1.0), tolerance, 0.5))


def theorem_tolerance(target: Any, eps: float) -> float:
    """The error of a coefficient that Theorem 1 of Ferbach et al. (ICLR 2023) asks for, but for its constant.

    ``eps / (d_in d_out max(|B|, ||B||) l)``, the least over the layers: what stands in the logarithm of the theorem,
    as quoted. `weight_tolerance` gives what certifies eps for this very network; its ratio to this is what the
    certificate saves.

    >>> from rssp.tickets.equivariant import cyclic, orbitals, stacked_network
    >>> ring = orbitals(cyclic(6).natural, cyclic(6).natural)
    >>> f = stacked_network([ring, ring], [1, 4, 2], np.random.default_rng(0))
    >>> float(round(theorem_tolerance(f, 0.01) * (4 * 2 * 6 * 2), 9))     # 4 -> 2 channels, |B| = ||B|| = 6, l = 2
    0.01
    """
    network, eps = read_target(target), positive("eps", eps)
    sizes = []
    for layer in network.layers:
        d_out, d_in = layer.channels
        sizes.append(d_in * d_out * max(layer.sharing.size, combination_bound(layer.sharing)))
    return eps / (max(sizes) * network.depth)
