"""How much of the targets is covered after each number: the random variable of the growth lemma."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rssp._arguments import integer, positive
from rssp._identity import register
from rssp.balls import Ball
from rssp.montecarlo.measurements import Columns, Measurement

__all__ = ["CoveredFractions", "RestrictedFractions"]


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


@register
@dataclass(frozen=True)
class RestrictedFractions(CoveredFractions):
    """The same for the process that the proofs follow: targets that leave the ball on the way are lost.

    At first the targets within eps of 0 are covered. A further number X covers a target z if z was covered before, or
    if z - X lies in the ball and was covered before. All of that is covered in `CoveredFractions` too, and more.

    >>> experiment = RestrictedFractions(eps=0.125, n_max=1)
    >>> experiment.measure(np.array([[[0.5]]]), Ball.interval(-0.5, 0.5), np.random.default_rng(0))["v"]
    array([0.375])
    """

    def measure(self, samples: NDArray[np.float64], ball: Ball, rng: np.random.Generator) -> Columns:
        trials, n_max = samples.shape[:2]
        low, high = (float(end[0]) for end in ball.bounds)
        fractions = np.empty((trials, n_max))
        for trial, sample in enumerate(samples[:, :, 0]):
            starts, ends = np.array([max(-self.eps, low)]), np.array([min(self.eps, high)])
            starts, ends = starts[starts < ends], ends[starts < ends]
            for n, x in enumerate(sample):
                starts, ends = _with_shifted(starts, ends, float(x), low, high)
                fractions[trial, n] = (ends - starts).sum() / (high - low)
        numbers = np.tile(np.arange(1, n_max + 1), trials)
        return {"trial": np.repeat(np.arange(trials), n_max), "n": numbers, "v": np.minimum(fractions, 1.0).reshape(-1)}


def _with_shifted(
    starts: NDArray[np.float64], ends: NDArray[np.float64], x: float, low: float, high: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The union of disjoint intervals and of what of them, moved by x, lies in [low, high]."""
    moved_starts, moved_ends = np.maximum(starts + x, low), np.minimum(ends + x, high)
    kept = moved_starts < moved_ends
    starts, ends = np.concatenate([starts, moved_starts[kept]]), np.concatenate([ends, moved_ends[kept]])
    order = np.argsort(starts, kind="stable")
    starts, ends = starts[order], np.maximum.accumulate(ends[order])
    fresh = np.ones(len(starts), dtype=bool)
    fresh[1:] = starts[1:] > ends[:-1]
    return starts[fresh], ends[np.append(fresh[1:], True)] if len(starts) else ends
