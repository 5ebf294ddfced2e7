"""Every weight as a subset sum: how tickets ask `nearest_subset`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rssp._arguments import choice, integer
from rssp._costs import require_feasible
from rssp.errors import ArgumentError, ArgumentTypeError
from rssp.subsetsum.nearest.verbs import nearest_subset
from rssp.tickets.target import Target

__all__ = ["SEARCHES", "check_rng", "check_search", "check_time", "samples_by_layer", "solve", "uniform"]

SEARCHES = ("nearest", "within", "smallest")


def solve(
    samples: NDArray[np.float64], weights: NDArray[np.float64], tolerance: float, search: str, workers: int
) -> NDArray[np.bool_]:
    """The masks (g, t, n) of subsets of the samples (g, n) that stand for the weights (g, t), t for each sample.

    nearest: the sum closest to the weight. within: any sum within the tolerance, else the closest.
    smallest: the fewest samples whose sum is within the tolerance, else the closest.
    """
    asked: dict[str, Any] = {} if search == "nearest" else {"tolerance": tolerance, "smallest": search == "smallest"}
    return nearest_subset(samples[..., None], weights[..., None], workers=workers, **asked).mask


def check_time(target: Target, n: Sequence[int], search: str, workers: int) -> None:
    """Refuse optima that take too long, at 8 ns for each of the 2^(n/2) sums of a half, before drawing anything."""
    if search != "nearest":
        return
    seconds = sum(8e-9 * 2.0 ** min(count / 2, 500) * target.augmented(i).size for i, count in enumerate(n)) / workers
    require_feasible(
        f"the optimum for {target.parameters:,} weights with n = {max(n)}",
        seconds=seconds,
        remedy="Use fewer samples n, or search='within'.",
    )


def uniform(
    rng: np.random.Generator, low: float, high: float, shape: tuple[int, ...], dtype: str
) -> NDArray[np.float64]:
    """Uniform samples, rounded to the network's type before they are used: the sums are those of the stored weights."""
    draws = rng.uniform(low, high, shape)
    return draws if dtype == "float64" else draws.astype(dtype).astype(np.float64)


def samples_by_layer(n: int | Sequence[int], depth: int) -> tuple[int, ...]:
    """n as one number a layer."""
    if isinstance(n, (Sequence, np.ndarray)) and not isinstance(n, str):
        if len(n) != depth:
            raise ArgumentError("n", tuple(n), f"one whole number, or {depth} of them, one a layer")
        return tuple(integer("n", value, 1) for value in n)
    return (integer("n", n, 1),) * depth


def check_rng(rng: Any) -> np.random.Generator:
    if not isinstance(rng, np.random.Generator) or rng.bit_generator.seed_seq is None:
        raise ArgumentTypeError("rng", rng, "a numpy Generator, e.g. numpy.random.default_rng(0)")
    return rng


def check_search(search: str) -> str:
    return choice("search", search, SEARCHES)
