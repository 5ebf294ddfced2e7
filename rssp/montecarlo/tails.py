"""Rare failures: P(some target is not covered) far below 1 / trials, by importance sampling.

For n well above the threshold, coverage fails because a sample is one-sided: its positive (or negative) numbers are so
few and small that they hardly reach the end of the interval. Most samples are therefore drawn one-sided
(`rssp.laws.OneSidedTilt`) and each failure counts with its likelihood ratio. At least one sample in twenty is drawn
from the law itself, so no ratio exceeds 20, and a failure of another kind is found as often as plain counting would
find it, up to that factor.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import ndtri

from rssp._arguments import integer, positive, probability
from rssp._identity import register
from rssp.balls import Ball
from rssp.errors import ArgumentError, ArgumentTypeError
from rssp.laws.scalar import Normal, Uniform
from rssp.laws.tilted import OneSidedTilt
from rssp.montecarlo.experiment import Experiment
from rssp.montecarlo.measurements import Columns, Measurement, _whole_log2
from rssp.montecarlo.runner import run

__all__ = ["RareFailure", "WeightedFailures", "rare_failure", "rare_failure_experiment", "weighted_failure"]

_LAW_SHARE, _STEP, _DECAY, _MOST_SUMS, _WIDEST = 0.05, 1.5, 0.85, 12.0, 0.25


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


@dataclass(frozen=True)
class RareFailure:
    """A small probability with its error.

    Attributes
    ----------
    low, best, high : float, an interval by the central limit theorem, on the scale of the logarithm; undecided samples
        count as covered in low, as failed in high and half in best
    relative_error : float, standard error over the estimate
    effective_size : float, the number of equally weighted failures that would tell as much; below 100 the interval is
        not to be trusted
    trials, failures, undecided : int, samples drawn, those that failed, and those left undecided
    """

    low: float
    best: float
    high: float
    relative_error: float
    effective_size: float
    trials: int
    failures: int
    undecided: int = 0


def weighted_failure(table: pd.DataFrame, confidence: float = 0.95) -> RareFailure:
    """P(fail) from the trials of `WeightedFailures`."""
    confidence = probability("confidence", confidence)
    rows = table[table["error"].isna()] if "error" in table.columns else table
    if len(rows) < len(table):
        raise ArgumentError("table", f"{len(table) - len(rows)} failed trials", "none: they would bias the estimate")
    weight = np.exp(rows["log_weight"].to_numpy(dtype=float))
    failed, undecided = (rows[c].to_numpy(dtype=bool) for c in ("failed", "undecided"))
    trials, counts = len(weight), (int(failed.sum()), int(undecided.sum()))
    share = failed + 0.5 * undecided
    value = weight * share
    total = float(value.sum())
    if total == 0.0:
        return RareFailure(0.0, 0.0, math.nan, math.nan, 0.0, trials, *counts)
    best = total / trials
    relative = float(value.std(ddof=1)) / math.sqrt(trials) / best
    reach = math.exp(float(ndtri((1 + confidence) / 2)) * relative)
    half_open = float((weight * undecided).sum()) / trials / 2
    effective = total**2 / float((value**2).sum())
    low, high = (best - half_open) / reach, (best + half_open) * reach
    low, best, high = (min(end, 1.0) for end in (low, best, high))  # weights may add up to more
    return RareFailure(low, best, high, relative, effective, trials, *counts)


def rare_failure_experiment(
    law: Uniform | Normal, n: int, eps: float, ball: Ball | None = None, *, seed: int = 0
) -> Experiment:
    """The experiment behind `rare_failure`: mostly one-sided samples, up to those of which hardly any fails.

    If a side's numbers add up to r + u, r the far end of the ball, the sums near r are that total less subsets that
    add up to u. Of n numbers with sizes of density m = 2 p(0) there are L_n(-m u) such subsets in the mean
    (Laguerre), and failures get rare where these grow by a dozen within 2 eps. The levels rise from r in steps that
    multiply the probability by 1.5; their weights are equal up to that total and fall by 15 % a level beyond it,
    which is slower than failures get rare.
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
) -> RareFailure:
    """P(some target of the ball has no subset sum within eps), down to 1e-12 and below, in one dimension.

    Parameters
    ----------
    law : Uniform(-a, a) or Normal(0, s)
    n : int, vectors a sample; 2^n is not enumerated (see `rssp.subsetsum.covers_each`)
    eps : float > 0
    ball : Ball of dimension 1, [-1, 1] by default
    trials, seed, confidence, workers, out, progress : as in `rssp.covering_probability`

    Examples
    --------
    >>> from rssp.laws import Uniform
    >>> seen = rare_failure(Uniform(), n=30, eps=0.01, trials=512)
    >>> 1e-5 < seen.low < seen.best < seen.high < 1e-4, seen.effective_size > 10
    (True, True)
    """
    experiment = rare_failure_experiment(law, n, eps, ball, seed=seed)
    table = run(experiment, trials, out=out, workers=workers, progress=progress).table
    return weighted_failure(table, confidence)
