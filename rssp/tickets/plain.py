"""The plain construction: each weight of the target is a subset sum of n random weights.

This is the experiment of Pensia, Rajput, Nagle, Vishwakarma and Papailiopoulos (NeurIPS 2020): no ReLU lies between the
random weights and their sum, so the random network is the target with every input repeated n times.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from time import perf_counter
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import nn

from rssp._arguments import choice, integer, number, positive
from rssp.errors import ArgumentError
from rssp.tickets._solve import check_rng, check_search, check_time, samples_by_layer, solve, uniform
from rssp.tickets.effective import EffectiveLayer, plain_layer
from rssp.tickets.masks import check_memory, masked_linear
from rssp.tickets.target import Target, read_target
from rssp.tickets.ticket import Ticket, checked

__all__ = ["assemble_plain", "plain_ticket", "published_samples"]


def published_samples(eps: float, c: float = 3) -> int:
    """The number of samples of the published experiment, ``int(c * round(log2(1 / eps)))``.

    >>> published_samples(0.01)
    21
    """
    return max(1, int(positive("c", c) * round(math.log2(1 / positive("eps", eps)))))


def plain_ticket(
    target: Any,
    n: int | Sequence[int] | None = None,
    eps: float = 0.01,
    *,
    rng: np.random.Generator,
    sharing: str = "row",
    low: float | None = None,
    high: float | None = None,
    search: str = "nearest",
    partial: bool = False,
    workers: int = 1,
) -> Ticket:
    """Prune a random network to the target, each weight a subset sum of its own n random weights.

    Parameters
    ----------
    target : anything that `read_target` reads
    n : samples a weight, one number or one a layer; `published_samples(eps)` by default
    eps : the largest weight error allowed
    rng : numpy Generator
    sharing : "row" draws one sample a row of the weight matrix, for all weights of that row (the published code);
        "weight" draws one a weight (the published text)
    low, high : the samples are uniform in [low, high]; by default from the smallest to the largest weight of the target
    search : "nearest" (the optimum), "within" (any sum within eps) or "smallest" (the fewest samples within eps);
        the last two take the nearest sum where none is within eps
    partial : return a ticket some of whose weights are not reached within eps, instead of raising
    workers : threads that search; the result is the same for any number of them

    Returns
    -------
    Ticket
        Its network is a Sequential of standard layers: Upsample repeats every input n times, the Linear layer after
        it holds the random weights, pruned. A bias is the weight of an input 1 that ConstantPad1d appends.
        Inputs have shape (batch, d_0).

    Raises
    ------
    UnreachedError
        naming the weights that no subset reaches within eps
    ArgumentError, InfeasibleError
        for a target that cannot be read, eps <= 0, n beyond what nearest_subset takes, a network beyond memory

    Cost: that of `nearest_subset` for every weight (397,000 weights at n = 21 take seconds), and about
    ``n * parameters * 32`` bytes.

    Examples
    --------
    >>> f = [[[0.3, -0.2], [0.1, 0.4]], [[0.25, -0.3]]]
    >>> ticket = plain_ticket([np.array(w) for w in f], n=16, eps=0.01, rng=np.random.default_rng(0))
    >>> ticket.over_parameterization, ticket.largest_weight_error < 0.01, ticket.unreached
    (16.0, True, ())
    """
    target, rng = read_target(target), check_rng(rng)
    eps, search = positive("eps", eps), check_search(search)
    sharing = choice("sharing", sharing, ("row", "weight"))
    counts = samples_by_layer(published_samples(eps) if n is None else n, target.depth)
    smallest, largest = target.range
    low = smallest if low is None else number("low", low)
    high = largest if high is None else number("high", high)
    if not low < high:
        raise ArgumentError("high", high, f"a number > low = {low}", "Give low and high where all weights are equal.")
    check_memory(sum(count * target.augmented(i).size for i, count in enumerate(counts)), target.dtype)
    check_time(target, counts, search, integer("workers", workers, 1))

    seconds = {"draw": 0.0, "solve": 0.0}
    weights: list[NDArray[np.float64]] = []
    masks: list[NDArray[np.bool_]] = []
    for i, count in enumerate(counts):
        values = target.augmented(i)
        out, columns = values.shape
        start = perf_counter()
        samples = uniform(rng, low, high, (out, count) if sharing == "row" else (values.size, count), target.dtype)
        drawn = perf_counter()
        masks.append(solve(samples, values.reshape(len(samples), -1), eps, search, workers).reshape(out, -1))
        each = np.repeat(samples, columns, axis=0) if sharing == "row" else samples
        weights.append(each.reshape(out, -1))
        seconds["draw"] += drawn - start
        seconds["solve"] += perf_counter() - drawn
    start = perf_counter()
    settings = {"sharing": sharing, "low": low, "high": high, "search": search}
    ticket = assemble_plain(target, counts, weights, masks, eps, settings)
    checked(ticket, partial=partial)
    seconds["build"] = perf_counter() - start
    return replace(ticket, seconds=MappingProxyType(seconds))


def assemble_plain(
    target: Target,
    n: tuple[int, ...],
    weights: Sequence[NDArray[np.float64]],
    masks: Sequence[NDArray[np.bool_]],
    tolerance: float,
    settings: Mapping[str, str | float],
) -> Ticket:
    """The ticket of random weights and masks (out, columns * n), one of each a layer."""
    modules: list[nn.Module] = []
    effective: list[EffectiveLayer] = []
    sizes: list[NDArray[np.int64]] = []
    for i, (count, weight, mask) in enumerate(zip(n, weights, masks, strict=True)):
        bias = target.biases[i] is not None
        modules += _repeat_and_sum(weight, mask, count, bias=bias, dtype=target.dtype)
        effective.append(plain_layer(weight, mask, count, bias=bias))
        sizes.append(mask.reshape(len(mask), -1, count).sum(axis=2))
    network = nn.Sequential(*modules[:-1])
    return Ticket(
        target, network, "plain", n, tolerance, tuple(effective), tuple(sizes), MappingProxyType({**settings})
    )


def _repeat_and_sum(
    weight: NDArray[np.float64], mask: NDArray[np.bool_], n: int, *, bias: bool, dtype: str
) -> list[nn.Module]:
    """Standard layers: (append 1,) repeat every input n times, sum with masked weights (out, inputs * n), ReLU."""
    inputs = weight.shape[1] // n
    return [
        *([nn.ConstantPad1d((0, 1), 1.0)] if bias else []),
        nn.Unflatten(1, (inputs, 1)),
        nn.Upsample(size=n),  # the nearest of one number: n copies
        nn.Flatten(1),
        masked_linear(weight, mask, dtype),
        nn.ReLU(),
    ]
