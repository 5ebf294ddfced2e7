"""Checks shared by everything that is fitted to a table of estimates with columns low, best, high."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtri

from rssp._arguments import probability
from rssp.errors import ArgumentError, ArgumentTypeError

__all__ = ["checked_covariance", "estimate_columns", "float_column", "probabilities", "side_errors", "z_value"]

_Floats = NDArray[np.float64]


def z_value(confidence: float) -> float:
    """Half the width of an interval of this confidence in standard errors: 1.96 for 0.95."""
    return float(ndtri((1 + probability("confidence", confidence)) / 2))


def float_column(table: pd.DataFrame, name: str) -> _Floats:
    """A column as float64; nan is let through."""
    try:
        return np.asarray(table[name].to_numpy(dtype=np.float64))
    except (TypeError, ValueError) as cause:
        raise ArgumentError("table", f"column {name} with values that are not numbers", "real numbers") from cause


def probabilities(name: str, value: ArrayLike) -> list[float]:
    """One number strictly between 0 and 1, or several."""
    values = np.atleast_1d(np.asarray(value)).ravel().tolist()
    if not values:
        raise ArgumentError(name, "nothing", "one number strictly between 0 and 1, or a list of them")
    return [probability(name, v) for v in values]


def estimate_columns(table: pd.DataFrame, columns: tuple[str, ...] = ()) -> tuple[_Floats, _Floats, _Floats]:
    """The columns low, best, high of a table as float64 arrays; refuses a table that lacks them or those named."""
    if not isinstance(table, pd.DataFrame):
        raise ArgumentTypeError("table", table, "a DataFrame of estimates, such as required_n(...) returns")
    missing = [c for c in ("low", "best", "high", *columns) if c not in table.columns]
    if missing:
        known = ", ".join(map(str, table.columns))
        raise ArgumentError(
            "table", f"columns {known}", f"also {', '.join(missing)}", "Add the columns that are missing."
        )
    low, best, high = (float_column(table, c) for c in ("low", "best", "high"))
    with np.errstate(invalid="ignore"):
        bad = ~((low <= best) & (best <= high)) & ~np.isnan(best)
    if bad.any():
        i = int(bad.argmax())
        raise ArgumentError("table", f"a row with {low[i]:g}, {best[i]:g}, {high[i]:g}", "low <= best <= high")
    return low, best, high


def side_errors(low: _Floats, best: _Floats, high: _Floats, confidence: float) -> tuple[_Floats, _Floats]:
    """Standard errors downwards and upwards from an interval; an open side takes the other's."""
    z = z_value(confidence)
    down, up = (best - low) / z, (high - best) / z
    return np.where(np.isfinite(down), down, up), np.where(np.isfinite(up), up, down)


def checked_covariance(covariance: ArrayLike, keep: NDArray[np.bool_]) -> _Floats:
    """The covariance of the rows kept, symmetric and positive definite."""
    full = np.asarray(covariance, dtype=np.float64)
    size = len(keep)
    if full.shape != (size, size):
        raise ArgumentError("covariance", f"shape {full.shape}", f"({size}, {size}), a row and column for each point")
    part = full[np.ix_(keep, keep)]
    if not np.isfinite(part).all() or not np.allclose(part, part.T, rtol=1e-6):
        raise ArgumentError("covariance", "entries that are not finite, or not symmetric", "a covariance matrix")
    try:
        np.linalg.cholesky(part)
    except np.linalg.LinAlgError as cause:
        raise ArgumentError(
            "covariance",
            "a matrix that is not positive definite",
            "a positive definite one",
            "Use fewer points, further apart, or more trials; points without any scatter cannot be weighted.",
        ) from cause
    return part
