"""A row of the table: how often a method did what it should, and whether that is what is promised."""

from __future__ import annotations

import math
import zlib
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from rssp.intervals import clopper_pearson, z_value

__all__ = ["frequency", "generator", "unbiased"]

_LEVEL = 0.95


def generator(seed: int, name: str) -> np.random.Generator:
    """The random numbers of one row, the same whatever other rows are asked for."""
    return np.random.default_rng([seed, zlib.crc32(name.encode())])


def frequency(
    method: str, event: str, nominal: float | str, outcomes: ArrayLike, least: float = 0.0, most: float = 1.0
) -> dict[str, Any]:
    """The row of a method whose event should have a probability from `least` to `most`."""
    seen = np.asarray(outcomes, dtype=bool)
    hits, count = int(seen.sum()), seen.size
    low, high = (float(end) for end in clopper_pearson(hits, count, confidence=_LEVEL))
    actual = hits / count if count else math.nan
    promise = f">= {least:g}" if most == 1 else f"<= {most:g}" if least == 0 else f"{least:g} to {most:g}"
    promise = "always" if least == 1 else "never" if most == 0 else promise
    kept = "yes" if least <= actual <= most else "within chance" if low <= most and high >= least else "no"
    return _row(method, event, nominal, actual, f"[{low:.3f}, {high:.3f}]", count, promise, kept)


def unbiased(method: str, values: list[float], truth: float, *, promised: bool = True) -> dict[str, Any]:
    """The row of an estimate whose mean over the simulations should be the truth."""
    array = np.asarray(values)
    mean, half = float(array.mean()), z_value(_LEVEL) * float(array.std(ddof=1)) / math.sqrt(len(array))
    promise = f"{truth:g} within its error" if promised else "marked as biased"
    kept = "yes" if not promised or abs(mean - truth) <= half else "no"
    interval = f"[{mean - half:.5f}, {mean + half:.5f}]"
    return _row(method, "mean of the estimate", f"{truth:g}", mean, interval, len(array), promise, kept)


def _row(
    method: str, event: str, nominal: float | str, actual: float, interval: str, count: int, promise: str, kept: str
) -> dict[str, Any]:
    return {
        "method": method,
        "event": event,
        "nominal": str(nominal),
        "actual": round(actual, 5),
        "its interval": interval,
        "simulations": count,
        "promised": promise,
        "kept": kept,
    }
