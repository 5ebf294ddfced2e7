"""Checks of arguments, shared by every public function: one place, one wording."""

from __future__ import annotations

import difflib
import math
import numbers
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rssp.errors import ArgumentError, ArgumentTypeError

__all__ = [
    "array_of_eps",
    "choice",
    "did_you_mean",
    "integer",
    "near_names",
    "number",
    "positive",
    "probability",
    "sample_array",
    "target_array",
]


def number(name: str, value: Any, low: float = -math.inf, high: float = math.inf) -> float:
    """A finite float in [low, high]."""
    if isinstance(value, bool) or not isinstance(value, (numbers.Real, np.floating, np.integer)):
        raise ArgumentTypeError(name, value, "a real number")
    result = float(value)
    if not math.isfinite(result) or not low <= result <= high:
        allowed = "a finite number" if math.isinf(low) and math.isinf(high) else f"a number in [{low:g}, {high:g}]"
        raise ArgumentError(name, value, allowed)
    return result


def positive(name: str, value: Any) -> float:
    """A finite float > 0."""
    result = number(name, value)
    if result <= 0:
        raise ArgumentError(name, value, "a finite number > 0")
    return result


def probability(name: str, value: Any) -> float:
    """A float strictly between 0 and 1."""
    result = number(name, value)
    if not 0 < result < 1:
        raise ArgumentError(name, value, "a number strictly between 0 and 1")
    return result


def integer(name: str, value: Any, low: int | None = None, high: int | None = None) -> int:
    """An int in [low, high]; either end may be open."""
    if isinstance(value, bool) or not isinstance(value, (numbers.Integral, np.integer)):
        raise ArgumentTypeError(name, value, "a whole number")
    result = int(value)
    if (low is not None and result < low) or (high is not None and result > high):
        if high is None:
            allowed = f"a whole number >= {low}"
        elif low is None:
            allowed = f"a whole number <= {high}"
        else:
            allowed = f"a whole number from {low} to {high}"
        raise ArgumentError(name, value, allowed)
    return result


def choice(name: str, value: Any, allowed: Sequence[Any]) -> Any:
    """One of the values allowed."""
    if value not in allowed:
        hint = did_you_mean(str(value), map(str, allowed))
        raise ArgumentError(name, repr(value), "one of " + ", ".join(map(repr, allowed)), hint)
    return value


def near_names(name: str, names: Iterable[str], most: int = 1) -> list[str]:
    """Those of some names that a misspelt one may have meant, the nearest first; case does not count.

    >>> near_names("Widht", ["width", "depth", "law"]), near_names("radius (of the ball)", ["radius"])
    (['width'], ['radius'])
    """
    known = {other.lower(): other for other in names}
    low = name.lower()
    close = [known[other] for other in difflib.get_close_matches(low, known, n=most)]
    starts = [other for key, other in known.items() if len(key) >= 2 and (key.startswith(low) or low.startswith(key))]
    return [other for other in dict.fromkeys(close + starts) if other != name][:most]


def did_you_mean(name: str, names: Iterable[str], most: int = 1) -> str:
    """The remedy that names what was perhaps meant; "" where nothing resembles it.

    >>> did_you_mean("eps_", ["eps", "delta"]), did_you_mean("n", ["eps", "delta"])
    ("Did you mean 'eps'?", '')
    """
    near = near_names(name, names, most)
    return f"Did you mean {' or '.join(map(repr, near))}?" if near else ""


def _float_array(name: str, value: ArrayLike) -> NDArray[np.float64]:
    try:
        return np.asarray(value, dtype=np.float64)
    except (TypeError, ValueError) as cause:
        raise ArgumentTypeError(name, value, "an array of real numbers") from cause


def _finite(name: str, array: NDArray[np.float64]) -> None:
    bad = ~np.isfinite(array)
    if bad.any():
        place = tuple(int(i) for i in np.argwhere(bad)[0])
        raise ArgumentError(
            name, f"{array[place]} at index {place}", "finite numbers", "Remove or replace such entries."
        )


def _vectors(name: str, value: ArrayLike, dim: int | None) -> NDArray[np.float64]:
    array = _float_array(name, value)
    if array.ndim == 1 and dim in (None, 1):
        array = array[:, None]
    if array.ndim != 2 or array.shape[1] < 1:
        raise ArgumentError(
            name,
            f"an array of shape {array.shape}",
            "shape (n, dim), or (n,) in one dimension",
            "Reshape it.",
        )
    if dim is not None and array.shape[1] != dim:
        raise ArgumentError(
            name,
            f"vectors of dimension {array.shape[1]}",
            f"dimension {dim}, that of the ball",
            f"Use Ball(dim={array.shape[1]}, ...) or vectors of dimension {dim}.",
        )
    _finite(name, array)
    return np.ascontiguousarray(array)


def sample_array(sample: ArrayLike, dim: int | None = None, name: str = "sample") -> NDArray[np.float64]:
    """A sample as a C-contiguous float64 array (n, dim), n >= 1, all finite; (n,) is read as (n, 1)."""
    array = _vectors(name, sample, dim)
    if array.shape[0] < 1:
        raise ArgumentError(name, f"an array of shape {array.shape}", "at least one vector")
    return array


def target_array(targets: ArrayLike, dim: int, name: str = "targets") -> NDArray[np.float64]:
    """Targets as a float64 array (m, dim), all finite; (m,) is read as (m, 1) in one dimension."""
    return _vectors(name, targets, dim)


def array_of_eps(eps: ArrayLike, name: str = "eps") -> NDArray[np.float64]:
    """One or more errors as a 1-d float64 array, all finite and > 0."""
    array = np.atleast_1d(_float_array(name, eps))
    if array.ndim != 1 or array.size == 0:
        raise ArgumentError(name, f"an array of shape {array.shape}", "one number > 0 or a list of them")
    bad = ~(np.isfinite(array) & (array > 0))
    if bad.any():
        raise ArgumentError(name, array[bad][0], "finite numbers > 0")
    return array
