"""The smallest subset within eps of one random target a trial."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rssp._arguments import integer, positive
from rssp._identity import register
from rssp.balls import Ball
from rssp.montecarlo.measurements import Columns, Measurement, _error_norm, _set

__all__ = ["SmallestSubsets"]


@register
@dataclass(frozen=True)
class SmallestSubsets(Measurement):
    """The smallest subset within eps of a target: columns trial, target, size, distance, solved. One row a trial.

    Each trial draws one target, uniform in the ball, beside its n vectors. Of the subsets of the smallest size that
    has one within eps, the nearest is taken; where no subset is within eps, the nearest of all (solved is False). The
    empty subset counts: a target within eps of 0 has size 0. In more than one dimension the targets stand in columns
    target_0, target_1, ...

    This is the search by increasing size of the statistics published with Burkholz (ICML 2022), except that it
    stopped at the first subset within eps and not at the nearest of that size.

    >>> SmallestSubsets(n=15, eps=0.01).sample_size
    15
    """

    targets = "one"

    n: int
    eps: float
    error_norm: float = math.inf

    def __post_init__(self) -> None:
        _set(self, n=integer("n", self.n, 1), eps=positive("eps", self.eps), error_norm=_error_norm(self.error_norm))

    @property
    def sample_size(self) -> int:
        return self.n

    def default_batch_size(self, ball: Ball) -> int:
        # the small sizes that answer nearly every trial cost little: at n = 15 sizes up to 5 have 4,944 subsets in all
        return 1024 if ball.dim == 1 and self.n <= 20 else super().default_batch_size(ball)

    def measure(self, samples: NDArray[np.float64], ball: Ball, rng: np.random.Generator) -> Columns:
        from rssp.subsetsum.nearest.verbs import nearest_subset

        targets = ball.draw(len(samples), rng)
        found = nearest_subset(samples, targets, tolerance=self.eps, smallest=True, error_norm=self.error_norm)
        names = ["target"] if ball.dim == 1 else [f"target_{i}" for i in range(ball.dim)]
        return {
            "trial": np.arange(len(samples)),
            **dict(zip(names, targets.T, strict=True)),
            "size": found.size,
            "distance": found.error,
            "solved": found.solved,
        }
