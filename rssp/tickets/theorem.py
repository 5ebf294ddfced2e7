"""The theorem's construction: a random network of twice the depth, pruned by masks alone.

Theorem 1 of Pensia, Rajput, Nagle, Vishwakarma and Papailiopoulos, *Optimal Lottery Tickets via SubsetSum* (NeurIPS
2020): each layer ``W`` (d_i, d_{i-1}) of the target is found in ``M_2i relu(M_2i-1 x)``, M_2i-1 of shape
(2 d_{i-1} n, d_{i-1}) and M_2i of shape (d_i, 2 d_{i-1} n), all weights uniform in [-1, 1].

Input k owns a block of 2n intermediate units and is the only one to keep links to them (Lemma 2). Since
``w x = w relu(x) - w relu(-x)``, units with a positive link u serve relu(x) and units with a negative one serve
relu(-x) (Lemma 1): unit i contributes ``v_ji u_i`` to output j, and a subset of these products sums to w_jk. The links
u are the same for all outputs j of a column, the v are fresh (Lemma 3).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from time import perf_counter
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from torch import nn

from rssp._arguments import integer, positive
from rssp.errors import ArgumentError
from rssp.tickets._solve import check_rng, check_search, check_time, samples_by_layer, solve, uniform
from rssp.tickets.certificate import spectral_norm_bound, weight_tolerance
from rssp.tickets.effective import EffectiveLayer, theorem_layer
from rssp.tickets.masks import check_memory, masked_linear
from rssp.tickets.target import Target, read_target
from rssp.tickets.ticket import Ticket, checked

__all__ = ["assemble_theorem", "normalised", "theorem_layers", "theorem_parameters", "theorem_ticket"]


def theorem_parameters(target: Target, n: int | Sequence[int]) -> int:
    """The random network's number of weights, ``sum_i 2 d_{i-1}^2 n_i + 2 d_{i-1} d_i n_i``; a bias is an input more.

    >>> from rssp.tickets import read_target
    >>> theorem_parameters(read_target([np.ones((32, 64)), np.ones((10, 32))]), 25)
    374400
    """
    total = 0
    for i, count in enumerate(samples_by_layer(n, target.depth)):
        out, columns = target.augmented(i).shape
        total += 2 * columns * count * (columns + out)
    return total


def normalised(target: Any) -> tuple[Target, float]:
    """A target of the theorem's class, and the scale that leads back: ``f(x) = scale * result(x)``, exactly.

    Theorem 1 speaks of layers with spectral norm at most 1. Each layer is divided by the smallest power of two, at
    least 1, that brings it there, and each bias by the product of those up to its layer; no number is rounded (above
    2**-126 in float32), and ``argmax`` of the outputs stays as it is. An output error eps of the result is one of
    ``scale * eps`` of the target.

    Examples
    --------
    >>> from rssp.tickets import read_target
    >>> result, scale = normalised([np.array([[3.0, 0.0], [0.0, 1.0]]), np.array([[0.5, 0.5]])])
    >>> result.weights[0].max(), scale
    (np.float64(0.75), 4.0)
    """
    target = read_target(target)
    weights, biases, scale = [], [], 1.0
    for weight, bias in zip(target.weights, target.biases, strict=True):
        divisor = 2.0 ** max(0, math.ceil(math.log2(max(spectral_norm_bound(weight), 1.0))))
        scale *= divisor
        weights.append(weight / divisor)
        biases.append(None if bias is None else bias / scale)
    return replace(target, weights=tuple(weights), biases=tuple(biases)), scale


def theorem_ticket(
    target: Any,
    n: int | Sequence[int],
    eps: float,
    *,
    rng: np.random.Generator,
    search: str = "within",
    partial: bool = False,
    workers: int = 1,
) -> Ticket:
    """Prune a random network of twice the depth to the target, so that ``||f(x) - g(x)||_2 <= eps`` for ||x||_2 <= 1.

    Parameters
    ----------
    target : anything that `read_target` reads, weights and biases in [-1, 1]
    n : units a weight and sign, one number or one a layer: layer i has 2 n d_{i-1} intermediate units
    eps : the largest output error allowed on the unit ball. Every weight is searched within
        `weight_tolerance(target, eps)`, which certifies it if all are reached; a ticket is accepted if its
        `certified_error` is at most eps, and weights beyond the tolerance stay named in its `unreached`.
    rng : numpy Generator
    search : "within" (any subset within the tolerance), "smallest" (the fewest units) or "nearest" (the optimum)
    partial : return a ticket that is not certified within eps, instead of raising; its `certified_error` says what
        is certain
    workers : threads that search; the result is the same for any number of them

    Of a block's 2n units about n have the right sign for each half; at most n of them are offered to the search,
    those with positive links from the front of the block, those with negative ones from its back. These include the
    units that remain when the first n and the last n units are reserved for one sign each, as Lemma 1 does.
    After the first layer inputs are never negative, and the units for negative inputs are pruned.

    Returns
    -------
    Ticket
        Its network is a Sequential of Linear and ReLU (and of ConstantPad1d, which appends an input 1, where the
        target has biases) with torch.nn.utils.prune masks.

    Raises
    ------
    ArgumentError
        for a weight outside [-1, 1] (named), a target that cannot be read, eps <= 0
    UnreachedError
        if the output is not certified within eps, naming the weights that no subset reaches
    InfeasibleError
        for a network beyond memory or n beyond what nearest_subset takes

    Cost: that of `nearest_subset` for two sums a weight of the first layer and one a weight of the others, and about 32
    bytes for each of the `theorem_parameters`.

    Examples
    --------
    >>> f = [np.array([[0.5, -0.25], [0.75, 0.1]]), np.array([[-0.5, 0.6]])]
    >>> ticket = theorem_ticket(f, n=25, eps=0.05, rng=np.random.default_rng(0))
    >>> ticket.network[0].weight_orig.shape, bool(ticket.certified_error <= 0.05)
    (torch.Size([100, 2]), True)
    """
    target, rng = read_target(target), check_rng(rng)
    eps, search = positive("eps", eps), check_search(search)
    counts = samples_by_layer(n, target.depth)
    _check_range(target)
    check_memory(theorem_parameters(target, counts), target.dtype)
    check_time(target, counts, search, integer("workers", workers, 1))
    tolerance = weight_tolerance(target, eps)

    # links that lead to foreign inputs are drawn apart: they are pruned whatever they are
    foreign = rng.spawn(1)[0]
    seconds = {"draw": 0.0, "solve": 0.0}
    weights: list[NDArray[np.float64]] = []
    masks: list[NDArray[np.bool_]] = []
    for i, count in enumerate(counts):
        start = perf_counter()
        links, gather = _draw(target, i, count, rng)
        columns = len(links)
        spread = uniform(foreign, -1.0, 1.0, (2 * columns * count, columns), target.dtype)
        _own_links(spread, set_to=links)
        drawn = perf_counter()
        keep = _layer_masks(target, i, links, gather, _Search(tolerance, search, workers))
        keep_spread = np.zeros(spread.shape, dtype=bool)
        _own_links(keep_spread, set_to=np.asarray(keep.any(axis=0)))
        weights += [spread, gather]
        masks += [keep_spread, keep.reshape(len(keep), -1)]
        seconds["draw"] += drawn - start
        seconds["solve"] += perf_counter() - drawn
    start = perf_counter()
    ticket = assemble_theorem(target, counts, weights, masks, tolerance, {"eps": eps, "search": search})
    checked(ticket, partial=partial or ticket.certified_error <= eps)
    seconds["build"] = perf_counter() - start
    return replace(ticket, seconds=MappingProxyType(seconds))


def theorem_layers(
    target: Any, n: int | Sequence[int], *, rng: np.random.Generator, workers: int = 1
) -> tuple[EffectiveLayer, ...]:
    """What the pruned network of `theorem_ticket(..., search="nearest")` computes, without building the network.

    The effective matrices of the same ticket, weights drawn from the same `rng` included, for wide targets whose random
    network would fill the memory: the many links that are pruned in any case are never drawn. Give the result to
    `certified_error` or `worst_error`.

    Examples
    --------
    >>> f = [np.array([[0.5, -0.25], [0.75, 0.1]]), np.array([[-0.5, 0.6]])]
    >>> layers = theorem_layers(f, 25, rng=np.random.default_rng(0))
    >>> ticket = theorem_ticket(f, 25, 0.05, search="nearest", rng=np.random.default_rng(0))
    >>> bool((layers[0].positive == ticket.effective[0].positive).all())
    True
    """
    target, rng = read_target(target), check_rng(rng)
    counts = samples_by_layer(n, target.depth)
    _check_range(target)
    check_memory(max(2 * c * target.augmented(i).size for i, c in enumerate(counts)), target.dtype)
    check_time(target, counts, "nearest", integer("workers", workers, 1))
    effective = []
    for i, count in enumerate(counts):
        links, gather = _draw(target, i, count, rng)
        keep = _layer_masks(target, i, links, gather, _Search(0.0, "nearest", workers))
        used, bias = np.where(keep.any(axis=0), links, 0.0), target.biases[i] is not None
        effective.append(theorem_layer(used, gather, keep.reshape(len(keep), -1), bias=bias, first=i == 0))
    return tuple(effective)


def assemble_theorem(
    target: Target,
    n: tuple[int, ...],
    weights: Sequence[NDArray[np.float64]],
    masks: Sequence[NDArray[np.bool_]],
    tolerance: float,
    settings: Mapping[str, str | float],
) -> Ticket:
    """The ticket of random weights and masks, two of each a layer: (2 columns n, columns) and (out, 2 columns n)."""
    modules: list[nn.Module] = []
    effective: list[EffectiveLayer] = []
    sizes: list[NDArray[np.int64]] = []
    for i, count in enumerate(n):
        bias = target.biases[i] is not None
        (spread, gather), (keep_spread, keep_gather) = weights[2 * i : 2 * i + 2], masks[2 * i : 2 * i + 2]
        own = _own_links(keep_spread)
        if np.count_nonzero(own) != np.count_nonzero(keep_spread):
            raise ArgumentError(
                "masks", f"a unit of layer {2 * i} with a foreign input", "links to the block's own input"
            )
        modules += [
            *([nn.ConstantPad1d((0, 1), 1.0)] if bias else []),
            masked_linear(spread, keep_spread, target.dtype),
            nn.ReLU(),
            masked_linear(gather, keep_gather, target.dtype),
            nn.ReLU(),
        ]
        links = np.where(own, _own_links(spread), 0.0)
        effective.append(theorem_layer(links, gather, keep_gather, bias=bias, first=i == 0))
        sizes.append(keep_gather.reshape(len(gather), -1, 2 * count).sum(axis=2))
    network = nn.Sequential(*modules[:-1])
    frozen = MappingProxyType({**settings})
    return Ticket(target, network, "theorem", n, tolerance, tuple(effective), tuple(sizes), frozen)


def _own_links(spread: NDArray[Any], set_to: NDArray[Any] | None = None) -> NDArray[Any]:
    """The entries (columns, 2n) of a (2 columns n, columns) matrix that link each block of units to its own input."""
    columns = spread.shape[1]
    blocks, own = spread.reshape(columns, -1, columns), np.arange(columns)
    if set_to is not None:
        blocks[own, :, own] = set_to
    return blocks[own, :, own]


class _Search(NamedTuple):
    tolerance: float
    search: str
    workers: int


def _check_range(target: Target) -> None:
    for i in range(target.depth):
        values = target.augmented(i)
        row, column = np.unravel_index(int(np.abs(values).argmax()), values.shape)
        worst = values[row, column]
        if abs(worst) > 1:
            raise ArgumentError(
                "target",
                f"{target.weight_name(i, int(row), int(column))} = {worst:.6g}",
                "weights and biases in [-1, 1], as the theorem does",
                "Use normalised(target): it divides layers by powers of two, and the outputs by their product.",
            )


def _draw(
    target: Target, layer: int, n: int, rng: np.random.Generator
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Links (columns, 2n) of each block's units to their own input, and the weights (out, columns * 2n) after them."""
    out, columns = target.augmented(layer).shape
    links = uniform(rng, -1.0, 1.0, (columns, 2 * n), target.dtype)
    return links, uniform(rng, -1.0, 1.0, (out, columns * 2 * n), target.dtype)


def _layer_masks(
    target: Target, layer: int, links: NDArray[np.float64], weights: NDArray[np.float64], how: _Search
) -> NDArray[np.bool_]:
    """Masks (out, columns, 2n) of the second random layer, for what `_draw` drew."""
    values, first, bias = target.augmented(layer), layer == 0, target.biases[layer] is not None
    gather = weights.reshape(len(values), *links.shape)
    columns, units = links.shape
    keep = np.zeros(gather.shape, dtype=bool)
    by_count: dict[int, list[tuple[int, NDArray[np.intp]]]] = {}
    for k in range(columns):
        gadgets = [np.flatnonzero(links[k] > 0)[: units // 2]]
        if first and not (bias and k == columns - 1):  # only a network's own inputs can be negative
            gadgets.append(np.flatnonzero(links[k] < 0)[-(units // 2) :])
        for chosen in gadgets:
            by_count.setdefault(len(chosen), []).append((k, chosen))
    # gadgets of one size are solved in one call
    for count, members in sorted(by_count.items()):
        if count == 0:
            continue
        products = np.concatenate([gather[:, k, chosen] * links[k, chosen] for k, chosen in members])
        wanted = np.concatenate([values[:, k] for k, _ in members])
        masks = solve(products, wanted[:, None], *how)[:, 0]
        for (k, chosen), mask in zip(members, np.split(masks, len(members)), strict=True):
            keep[:, k, chosen] = mask
    return keep
