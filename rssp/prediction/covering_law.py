"""The covering law: P(every target of a ball is within eps of a subset sum), for any n, dimension and law.

Nothing is enumerated. Given a sample X, three steps lead to P(cover at eps | X); their average over samples drawn from
the law is P(cover):

1. the intensity lambda(z) = 2^n f(z) of the subset sums, f by the saddlepoint with its second-order term (S1, S2);
2. P = exp(-mu), mu the expected number of clumps of uncovered targets of a Poisson process of that intensity, with the
   ball's faces (C1) and the mirror symmetry of the sums (C2);
3. the near-coincidences among X's own sums (R1, R2), which multiply the exponent b = lambda (2 eps)^d by exp(-rho).

In dimension 1 mu is followed exactly along the interval; up to dimension 6 (C1) is a quasi-random sum; above, the
closed form (W1). The formulas stand in the modules `saddlepoint`, `clumps`, `relations` and `wide`.

Range of validity: eps small against the spread of the sums (the ball lies inside their convex hull by more than eps),
and the variance of b rho, about b^3 (3/4)^n (sqrt(3)/2)^d / 2, not large against b^2. Largest difference of predicted
and measured P(cover), P from 0.05 to 0.98, as the study `covering_law` finds it: uniform numbers 0.03 from n = 14 on,
normal 0.04, normally-scaled 0.10 at n = 14 and 0.03 at n = 20; in two dimensions at n = 20 0.09, 0.08 and 0.12 (the
comparison's own error is 0.04). Where eps is a good part of the ball (two dimensions at n = 16, three at n = 18, four
at n = 20) targets outside the hull of the sums are covered from within it and the prediction is too low, at the upper
end far too low.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.stats import qmc

from rssp._arguments import array_of_eps, choice, integer, positive, probability, sample_array, target_array
from rssp.balls import Ball
from rssp.errors import ArgumentError
from rssp.estimates import Estimate, Evidence
from rssp.laws import Law
from rssp.laws.parse import identity_columns, law_text
from rssp.prediction.clumps import conditional_coverage, log_intensity
from rssp.prediction.model_error import cover_interval, miss_interval
from rssp.prediction.relations import relation_excess
from rssp.prediction.saddlepoint import SMALL_DIM

__all__ = [
    "coverage_given_sample",
    "predicted_coverage",
    "predicted_radius",
    "predicted_required_samples",
    "predicted_target_failure",
]

_POINTS = 512  # quasi-random, in 2 to 6 dimensions: their error of one sample is averaged over the samples
_NODES = 9  # Gauss-Hermite, of the skewed normal part of rho
_LIMIT = 3.0  # |rho| beyond it is not believed: exp(-rho) is a first-order factor


def _averaged(values: NDArray[np.float64], n: int, eps: NDArray[np.float64]) -> pd.DataFrame:
    """Averages over samples with their standard errors, from values (samples, len(eps))."""
    best, error = values.mean(axis=0), values.std(axis=0, ddof=1) / math.sqrt(len(values))
    return pd.DataFrame({"n": n, "eps": eps, "samples": len(values), "error": error, "best": best})


def _predicted(
    table: pd.DataFrame, ends: tuple[NDArray[np.float64], NDArray[np.float64]], quantity: str, confidence: float
) -> pd.DataFrame:
    """The averages with their interval, in the form of a table of estimates."""
    table = table.assign(low=ends[0], high=ends[1])[["n", "eps", "samples", "error", "low", "best", "high"]]
    return table.assign(quantity=quantity, confidence=confidence, evidence=str(Evidence.PREDICTED))


def _conditional(
    sample: NDArray[np.float64], ball: Ball, density: str, heavy: int, seed: int
) -> Callable[[NDArray[np.float64]], NDArray[np.float64]]:
    # one quasi-random set for all, shifted at random for each sample: errors of single samples average out
    base = (
        qmc.Sobol(ball.dim + 1, scramble=False).random(_POINTS)
        if 1 < ball.dim <= SMALL_DIM
        else np.zeros((1, ball.dim + 1))
    )
    shift = np.random.default_rng([seed, 1]).random(ball.dim + 1)
    coverage, tilt = conditional_coverage(sample, ball, density, heavy, (base + shift) % 1.0)
    nodes, weights = np.polynomial.hermite_e.hermegauss(_NODES)

    def averaged(eps: NDArray[np.float64]) -> NDArray[np.float64]:
        excess, spread, skew = relation_excess(sample, tilt, eps, np.random.default_rng([seed, 2]))
        excess = np.clip(excess, -_LIMIT, _LIMIT)
        if not spread.any():
            return coverage(eps, np.exp(-excess))
        # a skewed normal by its first Cornish-Fisher term
        rest = spread * (nodes[:, None] + np.minimum(skew, 1.0) * (nodes[:, None] ** 2 - 1) / 6)
        thinning = np.exp(np.clip(-excess - rest, -_LIMIT, _LIMIT))
        values = coverage(np.tile(eps, len(nodes)), thinning.ravel()).reshape(len(nodes), len(eps))
        return weights / weights.sum() @ values

    return averaged


def _samples(samples: int | None, dim: int) -> int:
    """How many samples are averaged over: in high dimension they differ little."""
    if samples is not None:
        return integer("samples", samples, 2)
    return 1000 if dim == 1 else 200 if dim <= SMALL_DIM else 16 if dim <= 150 else 6


def _vectors(law: Law, n: int, seed: int, index: int) -> NDArray[np.float64]:
    """Sample `index` of n vectors; a larger n adds vectors and keeps these, if the law draws them independently."""
    if not law.independent:
        return law.draw(n, np.random.default_rng([seed, index]))
    parts, size, have = [], 16, 0
    while have < n:
        parts.append(law.draw(size, np.random.default_rng([seed, index, size]))[: n - have])
        have += size
        size *= 2
    return np.concatenate(parts)


def _check_law(law: Law, ball: Ball) -> None:
    if law.dim != ball.dim:
        raise ArgumentError("law", f"dimension {law.dim}", f"the ball's dimension, {ball.dim}")


def coverage_given_sample(
    sample: ArrayLike, ball: Ball, eps: ArrayLike, *, density: str = "saddlepoint", heavy: int = 0
) -> NDArray[np.float64]:
    """Predicted P(cover at eps | sample).

    Parameters
    ----------
    sample : array (n, dim), or (n,) in one dimension
    ball : Ball
    eps : one or more errors > 0
    density : "saddlepoint", or "gaussian" for the normal density of the same mean and covariance
    heavy : int from 0 to 12, in dimension <= 6: the longest vectors whose subsets are taken exactly (cost 2**heavy)

    Returns
    -------
    array (len(eps),). Only the normal average over relations of many vectors (R2) is random in it.

    Examples
    --------
    >>> from rssp.laws import Uniform
    >>> sample = Uniform().draw(16, np.random.default_rng(0))
    >>> coverage_given_sample(sample, Ball(1), [1e-5, 0.1]).round(2).tolist()
    [0.0, 1.0]
    """
    array, eps = sample_array(sample, ball.dim), array_of_eps(eps)
    choice("density", density, ("saddlepoint", "gaussian"))
    return _conditional(array, ball, density, integer("heavy", heavy, 0, 12), 0)(eps)


def _level_eps(coverage: Callable[[NDArray[np.float64]], NDArray[np.float64]], level: float, high: float) -> float:
    """The eps at which `coverage` passes `level`, to a relative 1e-4 or so."""
    log_eps = np.linspace(math.log(high) - 60.0, math.log(high), 121)
    for _ in range(4):
        above = coverage(np.exp(log_eps)) >= level
        first = int(np.argmax(above)) if above.any() else len(log_eps) - 1
        log_eps = np.linspace(log_eps[max(first - 1, 0)], log_eps[first], 9)
    return math.exp(log_eps[-1])


def predicted_radius(
    samples: ArrayLike, ball: Ball, level: float = 0.5, *, density: str = "saddlepoint", heavy: int = 0
) -> NDArray[np.float64]:
    """The predicted covering radius of each sample: the eps at which P(cover at eps | sample) is `level`.

    Parameters
    ----------
    samples : array (trials, n, dim)
    level : which quantile of the radius's predicted law, strictly between 0 and 1; 0.5 is its median

    Returns
    -------
    array (trials,), to a relative 1e-4. `density` and `heavy` as in `coverage_given_sample`.
    """
    level = probability("level", level)
    result = []
    for i, sample in enumerate(np.asarray(samples, dtype=np.float64)):
        coverage = _conditional(sample_array(sample, ball.dim), ball, density, heavy, i)
        result.append(_level_eps(coverage, level, 2 * ball.radius + float(np.abs(sample).sum())))
    return np.array(result)


def predicted_coverage(
    law: Law,
    n: int,
    eps: ArrayLike,
    ball: Ball,
    *,
    samples: int | None = None,
    seed: int = 0,
    density: str = "saddlepoint",
    heavy: int = 0,
    confidence: float = 0.95,
) -> pd.DataFrame:
    """Predicted P(every target of the ball is within eps of a subset sum) for n vectors drawn from `law`.

    Parameters
    ----------
    law, ball : of one dimension
    n : int >= 1
    eps : one or more errors > 0
    samples : how many samples to average over; by default 1000 in dimension 1, 200 up to 6, 16 up to 150, 6 above
    seed : samples are the same for every n and eps (a larger n adds vectors), so that differences are smooth
    density, heavy : as in `coverage_given_sample`
    confidence : of the interval, which holds the error of the average over samples (by Student's law) and the
        law's own, as measured: see `rssp.prediction.model_error` for where that is known and where extrapolated

    Returns
    -------
    DataFrame with columns n, eps, samples, error (standard error of the average alone), low, best, high, quantity
    ("P(cover)"), confidence, evidence ("predicted"), law, d, norm, radius, targets, one row an eps: the form of what
    `rssp.coverage` says of a measurement

    Examples
    --------
    >>> from rssp.laws import Uniform
    >>> predicted = predicted_coverage(Uniform(), 20, [2.0**-12], Ball(1), samples=50)
    >>> bool(0.5 < predicted.best[0] < 1)
    True
    """
    _check_law(law, ball)
    eps, n, confidence = array_of_eps(eps), integer("n", n, 1), probability("confidence", confidence)
    values = []
    for i in range(_samples(samples, law.dim)):
        sample = _vectors(law, n, seed, i)
        values.append(_conditional(sample, ball, density, heavy, i)(eps))
    table = _averaged(np.array(values), n, eps)
    best, error = (table[c].to_numpy() for c in ("best", "error"))
    ends = cover_interval(best, error, len(values), confidence, law_text(law), law.dim)
    return _predicted(table, ends, "P(cover)", confidence).assign(**identity_columns(law, ball))


def predicted_target_failure(
    law: Law,
    n: int,
    eps: ArrayLike,
    target: ArrayLike,
    *,
    samples: int | None = None,
    seed: int = 0,
    density: str = "saddlepoint",
    heavy: int = 0,
    confidence: float = 0.95,
) -> pd.DataFrame:
    """Predicted P(no subset sum within eps of one target, in max norm) = E exp(-(2 eps)^d lambda(target)).

    `target` is (dim,), or a number in one dimension; the other arguments as in `predicted_coverage`.
    The table has the columns of that function's; quantity is "P(miss one target)", and the ball's norm and radius are
    left out.
    """
    target = target_array(np.atleast_2d(np.asarray(target, dtype=np.float64)), law.dim, "target")
    eps, n, confidence = array_of_eps(eps), integer("n", n, 1), probability("confidence", confidence)
    values = []
    for i in range(_samples(samples, law.dim)):
        sample = _vectors(law, n, seed, i)
        log_lambda, _ = log_intensity(sample, target, density, heavy)
        values.append(np.exp(-np.exp(np.minimum(log_lambda[0] + law.dim * np.log(2 * eps), 700.0))))
    table = _averaged(np.array(values), n, eps)
    best, error = (table[c].to_numpy() for c in ("best", "error"))
    ends = miss_interval(best, error, len(values), confidence, law_text(law), law.dim)
    table = _predicted(table, ends, "P(miss one target)", confidence)
    return table.assign(law=law_text(law), d=law.dim, targets="one")


def predicted_required_samples(
    law: Law,
    eps: float,
    delta: float,
    ball: Ball,
    *,
    samples: int | None = None,
    seed: int = 0,
    density: str = "saddlepoint",
    heavy: int = 0,
    n_max: int = 50_000,
    confidence: float = 0.95,
) -> Estimate:
    """The smallest n with predicted P(cover at eps) >= 1 - delta, by bisection on n over the same samples.

    Arguments as in `predicted_coverage`; `n_max` ends the search. Raises ArgumentError where n_max is not enough.
    Time: about 25 predictions, O(samples n dim^2) each in high dimension.

    Returns
    -------
    Estimate of n*, evidence "predicted". `best` is the smallest n whose predicted P(cover), averaged over samples, is
    at least 1 - delta; `low` and `high` are the same for the upper and the lower end of its interval, model error
    included.

    >>> from rssp.laws import Uniform
    >>> predicted_required_samples(Uniform(), 0.01, 0.5, Ball(1), samples=50).best
    11.0
    """
    _check_law(law, ball)
    eps, delta, confidence = positive("eps", eps), probability("delta", delta), probability("confidence", confidence)
    samples = _samples(samples, ball.dim)

    def covers(n: int, count: int, density: str) -> pd.Series[Any]:
        rows = predicted_coverage(
            law, n, eps, ball, samples=count, seed=seed, density=density, heavy=heavy, confidence=confidence
        )
        return rows.iloc[0]

    known: dict[int, pd.Series[Any]] = {}

    def reaches(n: int, end: str) -> bool:
        if n not in known:
            known[n] = covers(n, samples, density)
        return bool(known[n][end] >= 1 - delta)

    # two samples in the normal approximation tell where to look
    pilot = _first(lambda n: covers(n, 2, "gaussian")["best"] >= 1 - delta, ball.dim + 2, n_max)
    best = _first(lambda n: reaches(n, "best"), pilot, n_max)
    low = _first(lambda n: reaches(n, "high"), best, n_max)
    high = _first(lambda n: reaches(n, "low"), best, n_max)
    return Estimate(low, best, high, confidence, Evidence.PREDICTED, "n*", {"samples": samples})


def _first(reached: Callable[[int], bool], start: int, n_max: int) -> int:
    """The n with reached(n) and not reached(n - 1), by steps that double away from `start` and then halve."""
    step, low, high = 1, start, start
    if reached(start):
        while low > 1 and reached(low):
            high, low, step = low, max(low - step, 1), 2 * step
        if reached(low):
            return low
    else:
        while not reached(high):
            if high >= n_max:
                raise ArgumentError("n_max", n_max, "a number of vectors at which P(cover) is reached", "Raise it.")
            low, high, step = high, min(high + step, n_max), 2 * step
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if reached(middle) else (middle, high)
    return high
