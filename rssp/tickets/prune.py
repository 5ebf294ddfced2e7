"""Pruning: every weight of the target as a subset sum of random weights, layer by layer, for any construction.

A layer's random weights are a label pattern of samples (see `PrunedLayer`); its masks come from calls of
`nearest_subset`, one for all samples of a size. Nothing here depends on what kind of layer it is.
"""

from __future__ import annotations

import copy
import logging
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from time import perf_counter
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rssp._arguments import choice, integer, probability
from rssp._costs import require_feasible
from rssp.errors import ArgumentError, ArgumentTypeError
from rssp.laws import Law, Uniform
from rssp.subsetsum.nearest.verbs import nearest_subset
from rssp.tickets.construction import THEOREM, Construction, Plan, centred, plans_of
from rssp.tickets.enough import enough_samples
from rssp.tickets.layers import PrunedLayer
from rssp.tickets.network import Network
from rssp.tickets.read import read_target
from rssp.tickets.ticket import Ticket, checked
from rssp.tickets.widths import USUAL, allowed_errors, guaranteed_counts, require_unit_range

__all__ = ["check_memory", "draw_layer", "prune", "source_parameters"]

_SEARCHES = ("nearest", "within", "smallest")
_LOG = logging.getLogger("rssp.tickets")


@dataclass(frozen=True)
class _Search:
    tolerance: float
    search: str
    workers: int

    def masks(self, samples: NDArray[np.float64], wanted: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Masks (g, t, n) of subsets of the samples (g, n) that stand for the numbers wanted (g, t).

        nearest: the sum closest to the number. within: any sum within the tolerance, else the closest. smallest: the
        fewest samples whose sum is within the tolerance, else the closest.
        """
        asked: dict[str, Any] = {}
        if self.search != "nearest":
            asked = {"tolerance": self.tolerance, "smallest": self.search == "smallest"}
        return nearest_subset(samples[..., None], wanted[..., None], workers=self.workers, **asked).mask


def prune(
    target: Any,
    n: int | Sequence[int] | str | None = None,
    eps: float | None = 0.01,
    *,
    delta: float = 0.01,
    construction: Construction = THEOREM,
    rng: np.random.Generator,
    tolerance: float | None = None,
    search: str | None = None,
    redraw: int = 0,
    partial: bool = False,
    workers: int = 1,
) -> Ticket:
    """Prune a random network, by masks alone, to one that computes what the target computes.

    Parameters
    ----------
    target : Network, or anything that `read_target` reads without further arguments
    n : samples a weight (and, where signs are split, a sign), one number or one a layer. Without it the covering law
        chooses it layer by layer, so that all weights are reached with probability 1 - delta. With "guaranteed" that
        is proved (docs/theory/guarantees.md) and n is larger: beyond the 56 that are searched, unless eps is large.
    eps : the largest error allowed: of the output over the unit ball (THEOREM, SHALLOW; certified), or of each weight
        (PLAIN). None with a tolerance: whatever output error follows.
    delta : the probability that some weight is missed, for the choice of n
    construction : PLAIN, THEOREM, SHALLOW, or one of your own
    rng : numpy Generator; its state is stored in the ticket, in place of the random weights
    tolerance : the error of each weight to search for; by default what certifies eps (`weight_tolerance`)
    search : "nearest" (the optimum), "within" (any subset within the tolerance) or "smallest" (the fewest samples
        within it); the last two take the nearest where none is within. The construction's own by default.
    redraw : how often the random weights of an output may be drawn again where one of its weights is missed
    partial : return a ticket that misses weights or eps, instead of raising
    workers : threads that search; the result is the same for any number of them

    Returns
    -------
    Ticket

    Raises
    ------
    UnreachedError
        naming the weights that no subset reaches within the tolerance, or the certified error that exceeds eps
    ArgumentError, InfeasibleError
        for a target that cannot be read, weights beyond [-1, 1] before random links (the remedy is `normalised`),
        samples beyond what nearest_subset takes, networks beyond memory; before anything is drawn

    Notes
    -----
    Where random links stand before a layer, each input channel owns 2n units (n where the activation has one slope at
    zero). About n of them have the right sign for each half; at most n of them are offered to the search, those with
    positive links from the front, those with negative ones from the back (Lemma 1 of Pensia et al. 2020). The links
    are the same for all outputs and labels of a channel, the weights after them are fresh (Lemma 3). Units for negative
    inputs are pruned where inputs are never negative. A weight 0 is the empty sum: it costs nothing.

    Examples
    --------
    >>> f = read_target([[[0.5, -0.25], [0.75, 0.1]], [[-0.5, 0.6]]], activation="relu")
    >>> ticket = prune(f, n=25, eps=0.05, rng=np.random.default_rng(0))
    >>> bool(ticket.certified_error <= 0.05), ticket.layers[0].weights.shape
    (True, (2, 2, 50))
    """
    target, rng = read_target(target), _check_rng(rng)
    workers, redraw = integer("workers", workers, 1), integer("redraw", redraw, 0)
    if not isinstance(construction, Construction):
        raise ArgumentTypeError("construction", construction, "a Construction: PLAIN, THEOREM, SHALLOW")
    search = choice("search", construction.search if search is None else search, _SEARCHES)
    eps, tolerance = allowed_errors(target, construction, eps, tolerance)
    if construction.depth != "l":
        require_unit_range(target)
    if not partial:
        _check_precision(target, tolerance)
    counts = _counts(target, n, construction, tolerance, delta)
    check_memory(target, construction, counts)
    plans = plans_of(target, construction, counts, tolerance, 1.0)
    how = _Search(tolerance, search, workers)
    _check_time(plans, how)

    foreign = rng.spawn(1)[0]  # links that lead to foreign inputs are drawn apart: they are pruned whatever they are
    states = (copy.deepcopy(rng.bit_generator.state), foreign.bit_generator.state)
    seconds = {"draw": 0.0, "solve": 0.0}
    layers: list[PrunedLayer] = []
    redrawn: list[tuple[tuple[int, ...], ...]] = []
    for plan in plans:
        start = perf_counter()
        links, weights = draw_layer(plan, construction.samples, rng, target.dtype)
        drawn = perf_counter()
        layer, again = _solved(plan, links, weights, how, rng, target.dtype, redraw)
        layers.append(layer)
        redrawn.append(again)
        seconds["draw"] += drawn - start
        seconds["solve"] += perf_counter() - drawn
        _LOG.info(
            "layer %d of %d, %s: %s weights, n = %d, %.1f s", len(layers), len(plans), plan.layer.name or "linear",
            f"{layer.mask.shape[0] * layer.mask.shape[1]:,}", plan.n, perf_counter() - start,
        )  # fmt: skip
    start = perf_counter()
    settings = MappingProxyType({"search": search, "redrawn": tuple(redrawn)})
    ticket = Ticket(target, construction, counts, tolerance, eps, tuple(layers), states, settings)
    checked(ticket, partial=partial)
    seconds["build"] = perf_counter() - start
    return replace(ticket, seconds=MappingProxyType(seconds))


def draw_layer(
    plan: Plan, samples: str, rng: np.random.Generator, dtype: str
) -> tuple[NDArray[np.float64] | None, NDArray[np.float64]]:
    """Links (columns, units) or None, and weights (rows, slots or 1, units), rounded to the network's type."""
    rows = plan.layer.channels[0] * plan.rows
    links = drawn(plan.law, (plan.columns, plan.units), rng, dtype, plan.inner) if plan.links else None
    slots = 1 if samples == "row" else plan.slots
    return links, drawn(plan.law, (rows, slots, plan.units), rng, dtype, plan.outer)


def drawn(law: Law, shape: tuple[int, ...], rng: np.random.Generator, dtype: str, scale: float) -> NDArray[np.float64]:
    """Random numbers, rounded to the network's type before they are used: sums are those of the stored weights."""
    draws = law.draw(math.prod(shape), rng).reshape(shape)
    if scale != 1:
        draws *= scale
    return draws if dtype == "float64" else draws.astype(dtype).astype(np.float64)


def _solved(
    plan: Plan,
    links: NDArray[np.float64] | None,
    weights: NDArray[np.float64],
    how: _Search,
    rng: np.random.Generator,
    dtype: str,
    rounds: int,
) -> tuple[PrunedLayer, tuple[tuple[int, ...], ...]]:
    """The layer with its masks, and the rows that were drawn again, round by round."""
    layer = PrunedLayer(plan, links, weights, _masks(plan, links, weights, how, np.arange(len(weights))))
    redrawn: list[tuple[int, ...]] = []
    for _ in range(rounds):
        rows = np.flatnonzero((layer.errors > how.tolerance).any(axis=1))
        if not rows.size:
            break
        weights, mask = layer.weights.copy(), layer.mask.copy()
        weights[rows] = drawn(plan.law, (len(rows), *weights.shape[1:]), rng, dtype, plan.outer)
        mask[rows] = _masks(plan, links, weights[rows], how, rows)
        layer = PrunedLayer(plan, links, weights, mask)
        redrawn.append(tuple(map(int, rows)))
    return layer, tuple(redrawn)


def candidates(plan: Plan, links: NDArray[np.float64], channel: int) -> list[NDArray[np.intp]]:
    """The units of a channel that are offered to the search, one array for each sum that is needed."""
    if not plan.split:
        return [np.arange(plan.units)]
    chosen = [np.flatnonzero(links[channel] > 0)[: plan.n]]
    if plan.signed and channel < plan.layer.channels[1]:  # the constant 1 is never negative
        chosen.append(np.flatnonzero(links[channel] < 0)[-plan.n :])
    return chosen


def _masks(
    plan: Plan, links: NDArray[np.float64] | None, weights: NDArray[np.float64], how: _Search, rows: NDArray[np.intp]
) -> NDArray[np.bool_]:
    """Masks (rows, slots, units) for the weights of some rows."""
    wanted = plan.values()[rows // plan.rows]
    if links is None:
        if weights.shape[1] == 1:
            return how.masks(weights[:, 0], wanted)
        some = wanted != 0
        if some.all():
            return how.masks(weights.reshape(-1, plan.units), wanted.reshape(-1, 1))[:, 0].reshape(weights.shape)
        keep = np.zeros(weights.shape, bool)
        if some.any():
            keep[some] = how.masks(weights[some], wanted[some][:, None])[:, 0]
        return keep
    keep = np.zeros(weights.shape, bool)
    at_one = centred(plan.activation, links[-1])
    group = rows // plan.rows * plan.layer.groups // plan.layer.channels[0]
    by_count: dict[int, list[tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.intp], NDArray[np.float64]]]] = {}
    for channel in range(plan.columns):
        constant = channel == plan.layer.channels[1]
        if constant:
            here, slots = np.arange(len(rows)), np.arange(plan.inputs * plan.size, plan.slots)
        else:
            here = np.flatnonzero(group == channel // plan.inputs)
            first = channel % plan.inputs * plan.size
            slots = np.arange(first, first + plan.size)
        place, slot = (a.ravel() for a in np.meshgrid(here, slots, indexing="ij"))
        some = wanted[place, slot] != 0
        place, slot = place[some], slot[some]
        if not place.size:
            continue
        for chosen in candidates(plan, links, channel):
            factor = at_one[chosen] if constant else links[channel, chosen]
            if plan.gain != 1 and not constant:
                factor = factor * plan.gain
            by_count.setdefault(len(chosen), []).append((place, slot, chosen, factor))
    # sums over the same number of units are searched in one call
    for count, members in sorted(by_count.items()):
        if count == 0:
            continue
        products = np.concatenate([weights[p[:, None], s[:, None], c] * f for p, s, c, f in members])
        goals = np.concatenate([wanted[p, s] for p, s, _, _ in members])
        masks = how.masks(products, goals[:, None])[:, 0]
        start = 0
        for place, slot, chosen, _ in members:
            keep[place[:, None], slot[:, None], chosen] = masks[start : start + len(place)]
            start += len(place)
    return keep


# what is checked before anything is drawn


def _counts(
    target: Network, n: int | Sequence[int] | str | None, construction: Construction, tolerance: float, delta: float
) -> tuple[int, ...]:
    """The samples of each layer: given, chosen by the covering law, or proved to be enough."""
    if n is not None and not isinstance(n, str):
        return _by_layer(n, target.depth)
    if n is not None:
        choice("n", n, ("guaranteed",))
    delta = probability("delta", delta)
    trial = plans_of(target, construction, (USUAL,) * target.depth, tolerance, 1.0)
    if n is None:
        return enough_samples(trial, tolerance, delta)
    return guaranteed_counts(trial, construction, tolerance, delta, target.dtype)


def _by_layer(n: int | Sequence[int], depth: int) -> tuple[int, ...]:
    if isinstance(n, (Sequence, np.ndarray)) and not isinstance(n, str):
        if len(n) != depth:
            raise ArgumentError("n", tuple(n), f"one whole number, or {depth} of them, one a layer")
        return tuple(integer("n", value, 1) for value in n)
    return (integer("n", n, 1),) * depth


def _check_precision(target: Network, tolerance: float) -> None:
    """Refuse errors of the weights below what the last digit of the largest one is in single precision."""
    largest = max(map(abs, target.range))
    if target.dtype == "float32" and tolerance < largest * 2.0**-24:
        raise ArgumentError(
            "eps",
            f"an error that asks for weights within {tolerance:.3g}, where the largest is {largest:.3g} in float32",
            f"one that asks for {largest * 2.0**-24:.3g} or more",
            "Read the network in float64, module.double(), or allow a larger eps.",
        )


def source_parameters(target: Any, n: int | Sequence[int], construction: Construction = THEOREM) -> int:
    """The number of random weights that a ticket would have; for THEOREM ``sum_i 2 d_{i-1} n_i (d_{i-1} + d_i)``.

    >>> f = read_target([np.ones((32, 64)), np.ones((10, 32))], activation="relu")
    >>> source_parameters(f, 25)
    374400
    """
    target = read_target(target)
    law = construction if construction.law is not None else construction.but(law=Uniform())
    return sum(p.source_parameters for p in plans_of(target, law, _by_layer(n, target.depth), 1.0, 1.0))


def check_memory(target: Network, construction: Construction, counts: Sequence[int]) -> None:
    """Refuse networks beyond memory: random weights and masks, and about 40 bytes a weight while one is solved."""
    total = source_parameters(target, counts, construction)
    require_feasible(
        f"a random network of {total:,} weights", memory_bytes=total * 52.0, remedy="Use fewer samples n, or a smaller "
        "target.",
    )  # fmt: skip


def _check_time(plans: Sequence[Plan], how: _Search) -> None:
    """Refuse optima that take too long, at 8 ns for each of the 2^(n/2) sums of a half."""
    if how.search != "nearest":
        return
    weights = [p.layer.channels[0] * p.rows * p.slots for p in plans]
    seconds = sum(8e-9 * 2.0 ** min(p.n / 2, 500) * w for p, w in zip(plans, weights, strict=True)) / how.workers
    require_feasible(
        f"the optimum for {sum(weights):,} weights with n = {max(p.n for p in plans)}",
        seconds=seconds,
        remedy="Use fewer samples n, or search='within'.",
    )


def _check_rng(rng: Any) -> np.random.Generator:
    if not isinstance(rng, np.random.Generator) or rng.bit_generator.seed_seq is None:
        raise ArgumentTypeError("rng", rng, "a numpy Generator, e.g. numpy.random.default_rng(0)")
    return rng
