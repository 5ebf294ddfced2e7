"""Rare failures: P(some target is not covered) far below 1 / trials, by importance sampling.

For n well above the threshold, coverage fails because a sample is one-sided: its positive (or negative) numbers are so
few and small that they hardly reach the end of the interval. Most samples are therefore drawn one-sided
(`OneSidedTilt`) and each failure counts with its likelihood ratio. At least one sample in twenty is drawn
from the law itself, so no ratio exceeds 20, and a failure of another kind is found as often as plain counting would
find it, up to that factor.

What the weights say is worked out in `rssp.inference.tails`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln, logsumexp

from rssp._arguments import integer, number, positive, probability
from rssp._identity import register
from rssp.balls import Ball
from rssp.errors import ArgumentError, ArgumentTypeError
from rssp.estimates import Estimate
from rssp.inference.tails import weighted_failure
from rssp.laws.base import Law
from rssp.laws.scalar import Normal, Uniform
from rssp.montecarlo.experiment import Experiment
from rssp.montecarlo.measurements import Columns, Measurement, _whole_log2
from rssp.montecarlo.runner import run

__all__ = ["OneSidedTilt", "WeightedFailures", "rare_failure", "rare_failure_experiment"]

_LAW_SHARE, _STEP, _DECAY, _MOST_SUMS, _WIDEST = 0.05, 1.5, 0.85, 12.0, 0.25


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


@register
@dataclass(frozen=True)
class WeightedFailures(Measurement):
    """Whether each sample fails to cover at eps, with the weight of its draw.

    Columns trial, failed, undecided, log_weight. `undecided` marks the samples whose radius is too close to eps for
    the work allowed; failed is then False. Only for experiments whose law is the same `tilt`.

    Parameters
    ----------
    tilt : OneSidedTilt, the law that the samples are drawn from
    n : int >= 1
    eps : float > 0
    """

    tilt: OneSidedTilt
    n: int
    eps: float

    def __post_init__(self) -> None:
        if not isinstance(self.tilt, OneSidedTilt):
            raise ArgumentTypeError("tilt", self.tilt, "a OneSidedTilt")
        object.__setattr__(self, "n", integer("n", self.n, 1))
        object.__setattr__(self, "eps", positive("eps", self.eps))

    @property
    def sample_size(self) -> int:
        return self.n

    def default_batch_size(self, ball: Ball) -> int:
        # the cost is that of a bitmap with a dozen cells an eps
        return 1 << min(max(20 - _whole_log2(ball.radius / self.eps), 4), 7)

    def measure(self, samples: NDArray[np.float64], ball: Ball, rng: np.random.Generator) -> Columns:
        from rssp.subsetsum.covering import COVERED, UNCOVERED, decide_each

        log_weight = self.tilt.log_ratio(samples)
        possible = np.isfinite(log_weight)  # the others count nothing
        decision = np.full(len(samples), COVERED, dtype=np.int64)
        decision[possible] = decide_each(samples[possible], ball, self.eps)
        return {
            "trial": np.arange(len(samples)),
            "failed": decision == UNCOVERED,
            "undecided": (decision != UNCOVERED) & (decision != COVERED),
            "log_weight": log_weight,
        }


def rare_failure_experiment(
    law: Uniform | Normal, n: int, eps: float, ball: Ball | None = None, *, seed: int = 0
) -> Experiment:
    """The experiment behind `rare_failure`: mostly one-sided samples, up to those of which hardly any fails.

    The ball ends at r. Let the numbers of one side add up to r + u: the sums near r are that total less the subsets
    that add up to u. If the sizes have density m = 2 p(0), n of them have L_n(-m u) subsets that add up to at most u
    (Laguerre), on average, and failures get rare where these grow by a dozen within 2 eps. The levels rise from r in
    steps that multiply the probability by 1.5; their weights are equal up to that total and fall by 15 % a level beyond
    it, which is slower than failures get rare.
    """
    n = integer("n", n, 1)
    eps = positive("eps", eps)
    ball = Ball(1) if ball is None else ball
    if ball.dim != 1:
        raise ArgumentError("ball", f"dimension {ball.dim}", "dimension 1")
    reach = float(np.abs(np.concatenate(ball.bounds)).max())

    def log_mass(levels: NDArray[np.float64]) -> NDArray[np.float64]:
        return OneSidedTilt(law, tuple(levels), (0.5 / levels.size,) * levels.size).log_mass(n)

    above = reach * np.geomspace(1e-3, 1e3, 500)
    log_sums = log_mass(above) + n * math.log(2)
    crowded = np.gradient(log_sums, above) * np.exp(np.minimum(log_sums, 700.0)) * 2 * eps >= _MOST_SUMS
    rare = reach + above[int(np.argmax(crowded))] if crowded.any() else math.inf
    totals = reach * np.geomspace(1.0, 1e3, 1000)
    mass = np.exp(log_mass(totals))
    last = int(np.searchsorted(mass, _WIDEST))
    chosen = [0]
    while (following := int(np.searchsorted(mass, _STEP * mass[chosen[-1]]))) < last:
        chosen.append(max(following, chosen[-1] + 1))
    levels = totals[chosen]
    shares = np.maximum(np.cumprod(np.where(levels > rare, _DECAY, 1.0)), 1e-3)
    # where failures are common, the law finds them as well as anything
    law_share = min(max(_LAW_SHARE, 2 * float(np.interp(rare, totals, mass))), 0.8)
    weights = (1 - law_share) * shares / shares.sum()
    tilt = OneSidedTilt(law, tuple(levels.round(6).tolist()), tuple(weights.round(9).tolist()))
    return Experiment(tilt, ball, WeightedFailures(tilt, n, eps), seed=seed)


def rare_failure(
    law: Uniform | Normal,
    n: int,
    eps: float,
    ball: Ball | None = None,
    *,
    trials: int = 20_000,
    seed: int = 0,
    confidence: float = 0.95,
    workers: int | None = None,
    out: Path | str | None = None,
    progress: bool = False,
) -> Estimate:
    """P(some target of the ball has no subset sum within eps), down to 1e-12 and below, in one dimension.

    Parameters
    ----------
    law : Uniform(-a, a) or Normal(0, s)
    n : int, vectors a sample; 2^n is not enumerated (see `rssp.subsetsum.covers_each`)
    eps : float > 0
    ball : Ball of dimension 1, [-1, 1] by default
    trials, seed, confidence, workers, out, progress : as in `rssp.covering_probability`

    Returns
    -------
    Estimate, as `rssp.inference.tails.weighted_failure` makes it: below an effective size of 100 (in its details) the
    interval is not to be trusted.

    Examples
    --------
    >>> from rssp.laws import Uniform
    >>> seen = rare_failure(Uniform(), n=30, eps=0.01, trials=512)
    >>> 1e-5 < seen.low < seen.best < seen.high < 1e-4, seen.details["effective_size"] > 10
    (True, True)
    """
    confidence = probability("confidence", confidence)
    experiment = rare_failure_experiment(law, n, eps, ball, seed=seed)
    seen = run(experiment, trials, out=out, workers=workers, progress=progress)
    return weighted_failure(seen, confidence=confidence)
