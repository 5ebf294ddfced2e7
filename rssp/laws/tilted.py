"""One-sided draws: the law tilted towards samples with few or small numbers of one sign.

A sample whose positive numbers add up to less than 1 cannot reach the target 1, whatever n is; for large n this is how
coverage fails. Such samples are rare under the law; here they are drawn on purpose and carry their likelihood ratio.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln, logsumexp

from rssp._arguments import number
from rssp._identity import register
from rssp.errors import ArgumentError, ArgumentTypeError
from rssp.laws.base import Law
from rssp.laws.scalar import Normal, Uniform

__all__ = ["OneSidedTilt"]


@register
@dataclass(frozen=True)
class OneSidedTilt(Law):
    """Whole samples drawn from a mixture of one-sided ones and the law itself, in one dimension.

    T+ is the sum of the positive numbers of a sample, T- that of the absolute values of the negative ones. For each
    sample anew, with probability ``weights[i]`` its numbers of one side (either with probability 1/2) are drawn with
    T <= ``levels[i]``, and with the probability that is left the sample is drawn from the law. With the law's density
    p, the one-sided density is

        q_c(x) = p(0)^k prod over the others of p(x_j) / Z(c)    where T <= c, k the numbers on that side,
        Z(c) = 2^-n sum_j C(n, j) (2 p(0) c)^j / j!              (2^-n L_n(-2 p(0) c), Laguerre),

    the sizes being uniform in the simplex: for a uniform law with c below its end this is the law given T <= c, and for
    a normal one nearly so. ``log_ratio`` is the logarithm of the law's density over the mixture's; the ratio is at
    most 1 / (1 - sum of the weights).

    Parameters
    ----------
    law : Uniform(-a, a) or Normal(0, s), dim 1: symmetric and largest at 0
    levels : floats > 0, ascending
    weights : floats > 0, one a level, with a sum below 1

    Examples
    --------
    >>> tilt = OneSidedTilt(Uniform(), (1.0, 1.5), (0.5, 0.4))
    >>> samples = tilt.draw_many(3, 20, np.random.default_rng(0))
    >>> samples.shape, tilt.log_ratio(samples).shape
    ((3, 20, 1), (3,))
    """

    law: Uniform | Normal
    levels: tuple[float, ...]
    weights: tuple[float, ...]

    independent = False

    def __post_init__(self) -> None:
        if not isinstance(self.law, (Uniform, Normal)):
            raise ArgumentTypeError("law", self.law, "Uniform(-a, a) or Normal(0, s)")
        centre = (self.law.low + self.law.high) / 2 if isinstance(self.law, Uniform) else self.law.mean
        if centre != 0 or self.law.dim != 1:
            raise ArgumentError("law", repr(self.law), "a symmetric law of dimension 1")
        levels = tuple(number("levels", c, 0.0) for c in self.levels)
        if not levels or levels[0] == 0 or any(a >= b for a, b in pairwise(levels)):
            raise ArgumentError("levels", self.levels, "one or more ascending numbers > 0")
        weights = tuple(number("weights", w, 0.0) for w in self.weights)
        if len(weights) != len(levels) or min(weights) == 0 or sum(weights) >= 1:
            raise ArgumentError("weights", self.weights, "a number > 0 for each level, together below 1")
        object.__setattr__(self, "levels", levels)
        object.__setattr__(self, "weights", weights)

    @property
    def dim(self) -> int:  # type: ignore[override]
        return 1

    @property
    def peak(self) -> float:
        """p(0)."""
        return 0.5 / self.law.high if isinstance(self.law, Uniform) else 1 / (self.law.std * math.sqrt(2 * math.pi))

    def _log_terms(self, n: int) -> NDArray[np.float64]:
        """log of the terms of Z, (levels, n + 1)."""
        j = np.arange(n + 1)
        choose = gammaln(n + 1) - gammaln(j + 1) - gammaln(n - j + 1) - n * math.log(2)
        return choose - gammaln(j + 1) + j * np.log(2 * self.peak * np.array(self.levels))[:, None]

    def log_mass(self, n: int) -> NDArray[np.float64]:
        """log Z(c) of each level: at least the probability that the law has T+ <= c."""
        return np.asarray(logsumexp(self._log_terms(n), axis=1))

    def draw(self, n: int, rng: np.random.Generator) -> NDArray[np.float64]:
        return self.draw_many(1, n, rng)[0]

    def draw_many(self, trials: int, n: int, rng: np.random.Generator) -> NDArray[np.float64]:
        level = np.searchsorted(np.cumsum(self.weights), rng.random(trials), side="right")
        plain = level == len(self.levels)
        level[plain] = 0
        terms = np.cumsum(np.exp(self._log_terms(n) - self.log_mass(n)[:, None]), axis=1)
        few = np.minimum((rng.random(trials)[:, None] > terms[level]).sum(axis=1), n)
        # k sizes with sum <= c: k of the k + 1 spacings of c, by normalised exponentials
        spacings = rng.exponential(size=(trials, n + 1))
        tilted = np.arange(n) < few[:, None]
        total = np.where(tilted, spacings[:, 1:], 0.0).sum(axis=1) + spacings[:, 0]
        sizes = spacings[:, 1:] * (np.array(self.levels)[level] / total)[:, None]
        others = self.law.draw(trials * n, rng).reshape(trials, n)
        one_sided = rng.permuted(np.where(tilted, sizes, -np.abs(others)), axis=1)
        side = rng.choice((-1.0, 1.0), trials)
        return np.where(plain[:, None], others, side[:, None] * one_sided)[:, :, None]

    def log_ratio(self, samples: NDArray[np.float64]) -> NDArray[np.float64]:
        """log of (law's density / mixture's density) of each sample, (trials, n, 1) to (trials,); -inf outside it."""
        x = samples[:, :, 0]
        log_share = np.log(np.array(self.weights) / 2) - self.log_mass(x.shape[1])
        exponents = [np.full(len(x), math.log(1 - sum(self.weights)))]
        outside = np.zeros(len(x), dtype=bool)
        for side in (x, -x):
            within = np.maximum(side, 0).sum(axis=1)[:, None] <= np.array(self.levels)
            if isinstance(self.law, Uniform):  # p = p(0) wherever p > 0
                excess = np.zeros(len(x))
                outside |= (side > self.law.high).any(axis=1)
            else:
                excess = (np.maximum(side, 0) ** 2).sum(axis=1) / (2 * self.law.std**2)
            exponents += list(np.where(within, excess[:, None] + log_share, -np.inf).T)
        return np.where(outside, -np.inf, -logsumexp(np.stack(exponents), axis=0))
