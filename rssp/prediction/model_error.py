"""How far the covering law itself is off, from measurements: what its intervals hold beside the error of the average.

In mu = -ln P(cover), the expected number of clumps of uncovered targets, two things are seen where the law was held
against exact measurements (the study `covering_law`, P from 0.05 to 0.98, targets [-1, 1]^d):

* a relative error, of either sign: `relative`, the root mean square of ln(measured mu / predicted mu), taken where the
  measured P is at most 1/2;
* at the upper end a prediction that is too low, since targets outside the hull of the sums are covered from within it:
  `excess`, the root mean square of predicted less measured mu, as far as it is positive, where the measured P is above.

Both net of the errors of measurement and of averaging. Each is that of the n where it is largest, since the error of
one n has one sign, and never smaller than in a lower dimension, where there were more trials. They were fitted at n =
12, 14, ... 20; measurements at n between those are held against the intervals in `benchmarks/calibration.py`. They are
given for each law and dimension that was measured, to dimension 4. A law that was not measured gets the largest of
those that were. Above dimension 4 the values of dimension 4 stand: they are extrapolated, and
nothing above has been measured. Of P(no sum within eps of one target) the error is relative.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rssp.intervals import student_reach, z_value
from rssp.schemas import require_columns

__all__ = [
    "MEASURED",
    "ONE_TARGET",
    "ModelError",
    "cover_interval",
    "fitted_model_errors",
    "miss_interval",
    "model_error",
]

_Floats = NDArray[np.float64]


class ModelError(NamedTuple):
    """Standard errors of the law in mu = -ln P: relative, and downwards alone."""

    relative: float
    excess: float


MEASURED = {
    ("normal", 1): ModelError(0.070, 0.021),
    ("normal", 2): ModelError(0.185, 0.021),
    ("normal", 3): ModelError(0.207, 0.021),
    ("normal", 4): ModelError(0.207, 0.021),
    ("normally-scaled-normal", 1): ModelError(0.162, 0.088),
    ("normally-scaled-normal", 2): ModelError(0.359, 0.128),
    ("normally-scaled-normal", 3): ModelError(0.359, 0.227),
    ("normally-scaled-normal", 4): ModelError(0.359, 0.479),
    ("uniform", 1): ModelError(0.061, 0.020),
    ("uniform", 2): ModelError(0.142, 0.086),
    ("uniform", 3): ModelError(0.177, 0.266),
    ("uniform", 4): ModelError(0.212, 0.483),
}
"""by law and dimension, from the table covering_law-agreement at standard scale by `fitted_model_errors`"""

ONE_TARGET = {("uniform", 1): 0.12, ("normal", 2): 0.38}
"""standard error of ln P(no sum within eps of one target)"""


def model_error(law: str, dim: int) -> ModelError:
    """The error of the covering law for a law, by the text that tables have, and a dimension.

    >>> model_error("uniform", 1)
    ModelError(relative=0.061, excess=0.02)
    >>> model_error("triangular", 1) == model_error("normally-scaled-normal", 1)
    True
    """
    largest = max(d for _, d in MEASURED)
    dim = min(dim, largest)
    if (law, dim) in MEASURED:
        return MEASURED[law, dim]
    same = [error for (_, d), error in MEASURED.items() if d == dim]
    return ModelError(max(e.relative for e in same), max(e.excess for e in same))


def _one_target(law: str, dim: int) -> float:
    return ONE_TARGET.get((law, dim), max(ONE_TARGET.values()))


def cover_interval(
    best: _Floats, error: _Floats, samples: int, confidence: float, law: str, dim: int
) -> tuple[_Floats, _Floats]:
    """The ends of an interval for P(cover): the average's error by Student's law, and the model's, in quadrature.

    >>> low, high = cover_interval(np.array([0.5]), np.array([0.0]), 100, 0.95, "uniform", 1)
    >>> low.round(3).tolist(), high.round(3).tolist()
    ([0.458], [0.562])
    """
    z, (relative, excess) = z_value(confidence), model_error(law, dim)
    mu = -np.log(np.clip(best, 1e-300, 1.0))
    worst = np.exp(-mu * np.exp(z * relative))
    kindest = np.exp(-np.maximum(mu * np.exp(-z * relative) - z * excess, 0.0))
    return _joined(best, worst, kindest, error, samples, confidence)


def miss_interval(
    best: _Floats, error: _Floats, samples: int, confidence: float, law: str, dim: int
) -> tuple[_Floats, _Floats]:
    """The same for P(no sum within eps of one target)."""
    factor = np.exp(z_value(confidence) * _one_target(law, dim))
    return _joined(best, best / factor, np.minimum(best * factor, 1.0), error, samples, confidence)


def _joined(
    best: _Floats, down: _Floats, up: _Floats, error: _Floats, samples: int, confidence: float
) -> tuple[_Floats, _Floats]:
    half = student_reach(confidence, samples - 1) * error
    low, high = best - np.hypot(best - down, half), best + np.hypot(up - best, half)
    return np.clip(low, 0.0, 1.0), np.clip(high, 0.0, 1.0)


def fitted_model_errors(agreement: pd.DataFrame) -> pd.DataFrame:
    """The errors of the law from a table of measured and predicted P(cover).

    Parameters
    ----------
    agreement : DataFrame with columns law, d, trials, low, best, high, confidence (of what was measured), predicted,
        predicted_error, n

    Returns
    -------
    DataFrame with columns law, d, relative, excess, one row a law and dimension, made increasing in d.
    """
    measured = ("law", "d", "n", "trials", "low", "best", "high", "confidence")
    require_columns(agreement, (*measured, "predicted", "predicted_error"), "agreement")
    p, q = (agreement[c].clip(1e-6, 1 - 1e-6) for c in ("best", "predicted"))
    mu, predicted = -np.log(p), -np.log(q)
    reach = agreement["confidence"].map(z_value)
    clipped = agreement[["low", "high"]].clip(1e-6, 1 - 1e-6)
    own = np.log(np.log(clipped["low"]) / np.log(clipped["high"])) / 2 / reach
    noise = np.hypot(own, agreement["predicted_error"] / (q * predicted))
    ratio = np.log(mu / predicted) ** 2 - noise**2
    drop = np.maximum(predicted - mu, 0.0)
    blur = np.hypot(np.sqrt((1 - p) / p / agreement["trials"]), agreement["predicted_error"] / q)
    drop = drop**2 - np.where(drop > 0, blur**2, 0.0)
    rows = agreement[["law", "d", "n"]].assign(relative=ratio.where(p <= 0.5), excess=drop.where(p > 0.5))
    means = rows.groupby(["law", "d", "n"], sort=True).mean().clip(lower=0.0) ** 0.5
    # the error of one n has one sign: averaged over n it would be too small for the worst of them
    largest = means.groupby(["law", "d"], sort=True).max()
    return largest.groupby("law").cummax().reset_index()
