"""The two questions in one call each: how probable is covering, and how many samples does it take?"""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pandas as pd

from rssp._arguments import choice, integer, positive, probability
from rssp.balls import Ball
from rssp.errors import ArgumentError
from rssp.estimates import Estimate
from rssp.inference import coverage, required_n
from rssp.laws import Law
from rssp.montecarlo.experiment import Experiment
from rssp.montecarlo.measurements import Coverage, HittingTimes
from rssp.montecarlo.runner import run

__all__ = ["METHODS", "covering_probability", "required_samples"]

METHODS = ("measured", "covering law", "guarantee")
_TRIALS = 1000  # a choice: a probability of 1/2 to 0.03 at 95 %
_DETAILS = ("trials", "successes", "undecided", "failed", "samples", "error")


def covering_probability(
    law: Law,
    n: int,
    eps: float,
    ball: Ball | None = None,
    *,
    trials: int | None = None,
    seed: int = 0,
    confidence: float = 0.95,
    workers: int | None = None,
    out: Path | str | None = None,
    error_norm: float = math.inf,
    progress: bool = False,
    method: str = "measured",
) -> Estimate:
    """P(every target of the ball is within eps of a subset sum of n vectors drawn from the law).

    Parameters
    ----------
    law : Law; its `dim` is that of the ball
    n : int >= 1, vectors a sample
    eps : float > 0, the error allowed
    ball : Ball, the unit ball of the max norm by default
    trials : int >= 1, samples drawn, 1000 unless given; each is decided exactly, for all targets at once
    seed : int >= 0
    confidence : float in (0, 1), of the interval: exact (Clopper-Pearson) where measured
    workers : int or None (all cores); the result does not depend on it
    out : directory or None; a store that a stopped run resumes from
    error_norm : inf or 2, the norm of the error
    method : "measured", or "covering law": the prediction of `rssp.prediction.covering_law`, without enumerating
        sums; the interval then holds the error of the average over `trials` samples (by default as many as the
        dimension allows in seconds) and the law's own error as measured. Or "guarantee": what
        `rssp.guaranteed_failure` proves; nothing is drawn then

    Raises
    ------
    ArgumentError, ArgumentTypeError, InfeasibleError
        The last names the memory and time that n would take, before anything is allocated.

    Examples
    --------
    >>> import rssp
    >>> rssp.covering_probability(rssp.Uniform(), n=12, eps=0.02, trials=200)
    Estimate(low=0.7..., best=0.8..., high=0.8..., confidence=0.95, evidence='measured',
             quantity='P(cover)')
    """
    choice("method", method, METHODS)
    n, eps = integer("n", n, 1), positive("eps", eps)
    trials = None if trials is None else integer("trials", trials, 1)
    confidence = probability("confidence", confidence)
    ball = Ball(law.dim) if ball is None else ball
    if method == "covering law":
        from rssp.prediction.covering_law import predicted_coverage

        _max_norm_only(error_norm, method)
        return _first_row(predicted_coverage(law, n, eps, ball, samples=trials, seed=seed, confidence=confidence))
    if method == "guarantee":
        from rssp.prediction.guarantees import guaranteed_failure

        _max_norm_only(error_norm, method)
        failure = guaranteed_failure(law, n, eps, ball)
        ends = 1 - failure.high, 1 - failure.best, 1 - failure.low
        return Estimate(*ends, failure.confidence, failure.evidence, "P(cover)")
    experiment = Experiment(law, ball, Coverage(n=n, eps=eps, error_norm=error_norm), seed=seed)
    seen = run(experiment, trials or _TRIALS, out=out, workers=workers, progress=progress)
    return _first_row(coverage(seen, confidence=confidence))


def required_samples(
    law: Law,
    eps: float,
    delta: float,
    ball: Ball | None = None,
    *,
    trials: int | None = None,
    seed: int = 0,
    confidence: float = 0.95,
    n_max: int | None = None,
    workers: int | None = None,
    out: Path | str | None = None,
    error_norm: float = math.inf,
    progress: bool = False,
    method: str = "measured",
) -> Estimate:
    """n*(eps, delta): the smallest n with P(every target of the ball is within eps of a subset sum) >= 1 - delta.

    Parameters are those of `covering_probability`, and

    delta : float in (0, 1), the failure probability allowed
    n_max : int or None; samples are followed up to here, and an estimate beyond it is infinite. By default 1.5 times
        the counting bound and 6 + 2 log2(1/delta) more, at most 34 in one dimension and 28 in more

    Examples
    --------
    >>> import rssp
    >>> rssp.required_samples(rssp.Uniform(), eps=0.02, delta=0.5, trials=200)
    Estimate(low=10.0, best=10.0, high=11.0, confidence=0.95, evidence='measured',
             quantity='n*')
    """
    choice("method", method, METHODS)
    eps, delta, confidence = positive("eps", eps), probability("delta", delta), probability("confidence", confidence)
    trials = None if trials is None else integer("trials", trials, 1)
    ball = Ball(law.dim) if ball is None else ball
    if method == "covering law":
        from rssp.prediction.covering_law import predicted_required_samples

        _max_norm_only(error_norm, method)
        return predicted_required_samples(law, eps, delta, ball, samples=trials, seed=seed, confidence=confidence)
    if method == "guarantee":
        from rssp.prediction.guarantees import guaranteed_samples

        _max_norm_only(error_norm, method)
        return guaranteed_samples(law, eps, delta, ball)
    top = _default_n_max(ball, eps, delta) if n_max is None else integer("n_max", n_max, 1)
    experiment = Experiment(law, ball, HittingTimes(eps=(eps,), n_max=top, error_norm=error_norm), seed=seed)
    seen = run(experiment, trials or _TRIALS, out=out, workers=workers, progress=progress)
    return _first_row(required_n(seen, eps, delta, confidence=confidence))


def _default_n_max(ball: Ball, eps: float, delta: float) -> int:
    """Room above the measured growth of n*, about 1.2 to 1.5 times the counting bound and 2 more a halving of delta."""
    counting = (ball.log_volume - ball.dim * math.log(2 * eps)) / math.log(2)
    most = 34 if ball.dim == 1 else 28
    return int(np.clip(math.ceil(1.5 * max(counting, 0.0) + 6 + 2 * math.log2(1 / delta)), 8, most))


def _first_row(table: pd.DataFrame) -> Estimate:
    row = table.iloc[0]
    details = {name: row[name].item() for name in _DETAILS if name in table.columns}
    return Estimate(row["low"], row["best"], row["high"], row["confidence"], row["evidence"], row["quantity"], details)


def _max_norm_only(error_norm: float, method: str) -> None:
    if error_norm != math.inf:
        raise ArgumentError("error_norm", error_norm, f"inf with method={method!r}")
