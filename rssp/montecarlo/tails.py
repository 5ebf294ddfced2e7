"""Rare failures: P(some target is not covered) far below 1 / trials, by importance sampling.

For n well above the threshold, coverage fails because a sample is one-sided: its positive (or negative) numbers are so
few and small that they hardly reach the end of the interval. Samples are therefore drawn from tilts towards one-sided
ones (`rssp.laws.OneSidedTilt`) and each failure counts with its likelihood ratio. The mixture of tilts holds the law
itself, so no ratio exceeds twice the number of tilts, and a failure of another kind is found as often as plain
counting would find it, up to that factor.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import ndtri

from rssp._checks import integer, positive, probability
from rssp._describe import register
from rssp.balls import Ball
from rssp.errors import ArgumentError, ArgumentTypeError
from rssp.laws.scalar import Normal, Uniform
from rssp.laws.tilted import OneSidedTilt
from rssp.montecarlo.experiment import Experiment
from rssp.montecarlo.measurements import Columns, Measurement
from rssp.montecarlo.runner import run

__all__ = ["RareFailure", "WeightedFailures", "rare_failure", "rare_failure_experiment", "weighted_failure"]

_SPREAD = (0.0, 0.3, 0.5, 0.7, 1.0)


@register
@dataclass(frozen=True)
class WeightedFailures(Measurement):
    """Whether each sample fails to cover at eps, with the weight of its draw: columns trial, failed, log_weight.

    Only for experiments whose law is the same `tilt`.

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
        return 512

    def measure(self, samples: NDArray[np.float64], ball: Ball, rng: np.random.Generator) -> Columns:
        from rssp.subsetsum.coverage import covers_each

        return {
            "trial": np.arange(len(samples)),
            "failed": ~covers_each(samples, ball, self.eps),
            "log_weight": self.tilt.log_ratio(samples),
        }


@dataclass(frozen=True)
class RareFailure:
    """A small probability with its error.

    Attributes
    ----------
    low, best, high : float, an interval by the central limit theorem, on the scale of the logarithm
    relative_error : float, standard error over the estimate
    effective_size : float, the number of equally weighted failures that would tell as much; below 100 the interval is
        not to be trusted
    trials, failures : int, samples drawn and those that failed
    """

    low: float
    best: float
    high: float
    relative_error: float
    effective_size: float
    trials: int
    failures: int


def weighted_failure(table: pd.DataFrame, confidence: float = 0.95) -> RareFailure:
    """P(fail) from the trials of `WeightedFailures`."""
    confidence = probability("confidence", confidence)
    rows = table[table["error"].isna()] if "error" in table.columns else table
    if len(rows) < len(table):
        raise ArgumentError("table", f"{len(table) - len(rows)} failed trials", "none: they would bias the estimate")
    failed = rows["failed"].to_numpy(dtype=bool)
    value = np.where(failed, np.exp(rows["log_weight"].to_numpy(dtype=float)), 0.0)
    trials, total = len(value), float(value.sum())
    if total == 0.0:
        return RareFailure(0.0, 0.0, math.nan, math.nan, 0.0, trials, 0)
    best = total / trials
    relative = float(value.std(ddof=1)) / math.sqrt(trials) / best
    reach = math.exp(float(ndtri((1 + confidence) / 2)) * relative)
    effective = total**2 / float((value**2).sum())
    return RareFailure(best / reach, best, best * reach, relative, effective, trials, int(failed.sum()))


def rare_failure_experiment(
    law: Uniform | Normal, n: int, eps: float, ball: Ball | None = None, *, seed: int = 0
) -> Experiment:
    """The experiment behind `rare_failure`: tilts up to the one under which a side's numbers add up to the radius.

    Under the tilt theta about n / (2 theta) numbers of mean 1/theta are left on the tilted side for U[-1, 1], so they
    add up to the ball's radius where theta is sqrt(n / 2 / radius) or a little more; failures spread below that.
    """
    n = integer("n", n, 1)
    ball = Ball(1) if ball is None else ball
    if ball.dim != 1:
        raise ArgumentError("ball", f"dimension {ball.dim}", "dimension 1")
    scale = law.high if isinstance(law, Uniform) else law.std
    top = math.sqrt(n * scale / ball.radius) / scale
    tilt = OneSidedTilt(law, tuple(round(f * top, 6) for f in _SPREAD))
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
