"""How much of the targets is covered after each number: the random variable of the growth lemma."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rssp._arguments import integer, positive
from rssp._identity import register
from rssp.balls import Ball
from rssp.montecarlo.measurements import Columns, Measurement

__all__ = ["CoveredFractions"]


@register
@dataclass(frozen=True)
class CoveredFractions(Measurement):
    """The fraction v of a one-dimensional ball within eps of the sums of the first n numbers: columns trial, n, v.

    One row a trial and n = 1 to n_max. See `rssp.subsetsum.covered_fractions`.

    >>> CoveredFractions(eps=0.1, n_max=12).sample_size
    12
    """

    eps: float
    n_max: int

    def __post_init__(self) -> None:
        object.__setattr__(self, "eps", positive("eps", self.eps))
        object.__setattr__(self, "n_max", integer("n_max", self.n_max, 1))

    @property
    def sample_size(self) -> int:
        return self.n_max

    def default_batch_size(self, ball: Ball) -> int:
        return 64

    def measure(self, samples: NDArray[np.float64], ball: Ball, rng: np.random.Generator) -> Columns:
        from rssp.subsetsum.covering import covered_fractions

        fractions = covered_fractions(samples, ball, self.eps)
        trials, n_max = fractions.shape
        return {
            "trial": np.repeat(np.arange(trials), n_max),
            "n": np.tile(np.arange(1, n_max + 1), trials),
            "v": fractions.reshape(-1),
        }
