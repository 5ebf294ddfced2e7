"""How many subsets of a fixed size come within eps of a target: the random variable of the second moment method."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rssp._arguments import integer, number, positive
from rssp._identity import register
from rssp.balls import Ball
from rssp.montecarlo.measurements import Columns, Measurement, _set

__all__ = ["FixedSizeHits"]


@register
@dataclass(frozen=True)
class FixedSizeHits(Measurement):
    """The number of subsets of `size` of n vectors with a sum within eps (max norm) of a target: columns trial, hits.

    One row a trial. Every coordinate of the target is `target`; the ball only says the dimension. See
    `rssp.subsetsum.hits` for the cost: 2^(n/2) in one dimension.

    >>> FixedSizeHits(n=12, size=4, eps=0.01).sample_size
    12
    """

    targets = "one"

    n: int
    size: int
    eps: float
    target: float = 0.0

    def __post_init__(self) -> None:
        n = integer("n", self.n, 1)
        _set(self, n=n, size=integer("size", self.size, 1, n), eps=positive("eps", self.eps))
        _set(self, target=number("target", self.target))

    @property
    def sample_size(self) -> int:
        return self.n

    def default_batch_size(self, ball: Ball) -> int:
        return 1 << min(max(20 - self.n * ball.dim // 2, 0), 7)

    def measure(self, samples: NDArray[np.float64], ball: Ball, rng: np.random.Generator) -> Columns:
        from rssp.subsetsum.nearest.verbs import hits

        targets = np.full((len(samples), ball.dim), self.target)
        return {"trial": np.arange(len(samples)), "hits": hits(samples, targets, self.eps, size=self.size)}
