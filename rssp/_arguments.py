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
    "items",
    "near_names",
    "number",
    "of_kind",
    "positive",
    "probability",
    "real_array",
    "sample_array",
    "target_array",
    "whole_array",
]


def number(name: str, value: Any, low: float = -math.inf, high: float = math.inf) -> float:
    """A finite float in [low, high]."""
    if isinstance(value, bool) or not isinstance(value, (numbers.Real, np.floating, np.integer)):
        raise ArgumentTypeError(name, value, "a real number")
    try:
        result = float(value)
    except OverflowError:  # an int or a Fraction
        result = math.inf
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


_NO_NUMBERS = (str, bytes, bool, np.bool_, type(None))


def of_kind(name: str, value: Any, kind: type | tuple[type, ...], allowed: str) -> None:
    """ArgumentTypeError unless a value is an instance of a class."""
    if not isinstance(value, kind):
        raise ArgumentTypeError(name, value, allowed)


def items(name: str, value: Any, allowed: str) -> list[Any]:
    """The items of a sequence as a list; a text is none."""
    if isinstance(value, (str, bytes)):
        raise ArgumentTypeError(name, value, allowed)
    try:
        return list(value)
    except TypeError as cause:
        raise ArgumentTypeError(name, value, allowed) from cause


def real_array(name: str, value: Any) -> NDArray[np.float64]:
    """A float64 array of real numbers, each exactly what was given or its nearest float64; whole numbers exactly.

    Refused are texts, booleans, complex numbers, entries that are masked, and whole numbers that float64 does not hold.

    >>> real_array("x", [1, 2.5])
    array([1. , 2.5])
    """
    if type(value) is np.ndarray and value.dtype == np.float64:
        return value
    if isinstance(value, np.ma.MaskedArray) and np.ma.getmaskarray(value).any():
        raise ArgumentTypeError(name, value, "an array without masked entries", "Fill them or leave them out.")
    try:
        given = np.asarray(value)
        if given.dtype.kind not in "iufO" and given.size:
            raise TypeError(f"dtype {given.dtype}")
        if given.dtype.kind == "O" and any(isinstance(x, _NO_NUMBERS) for x in given.flat):
            raise TypeError("texts, booleans or None")
        array = given.astype(np.float64)
    except OverflowError as cause:  # an int or a Fraction beyond 1.8e308
        raise ArgumentError(name, "a number beyond 1.8e308", "numbers that float64 holds") from cause
    except (TypeError, ValueError) as cause:
        raise ArgumentTypeError(name, value, "an array of real numbers") from cause
    if np.abs(array).max(initial=0.0) >= 2.0**53 and not (isinstance(value, np.ndarray) and given.dtype.kind == "f"):
        given = np.asarray(value, dtype=object)  # a list of whole numbers and others was rounded by NumPy
        for got, wanted in zip(array.flat, given.flat, strict=True):
            if isinstance(wanted, (int, np.integer)) and int(got) != int(wanted):
                raise ArgumentError(
                    name, int(wanted), "whole numbers that float64 holds exactly, as all up to 2^53",
                    "Divide all numbers by a power of two, or round them yourself.",
                )  # fmt: skip
    return array


def whole_array(name: str, value: Any) -> NDArray[np.int64]:
    """An int64 array of its own, of whole numbers that fit; floats and booleans are none."""
    try:
        given = np.array(value)
    except ValueError as cause:  # rows of unequal length
        raise ArgumentTypeError(name, value, "an array of whole numbers") from cause
    if given.size and (given.dtype.kind not in "iu" or given.max() > np.iinfo(np.int64).max):
        raise ArgumentTypeError(name, value, "an array of whole numbers")
    return given.astype(np.int64)


def _finite(name: str, array: NDArray[np.float64]) -> None:
    bad = ~np.isfinite(array)
    if bad.any():
        place = tuple(int(i) for i in np.argwhere(bad)[0])
        raise ArgumentError(
            name, f"{array[place]} at index {place}", "finite numbers", "Remove or replace such entries."
        )


def _vectors(name: str, value: ArrayLike, dim: int | None) -> NDArray[np.float64]:
    array = real_array(name, value)
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
    array = np.atleast_1d(real_array(name, eps))
    if array.ndim != 1 or array.size == 0:
        raise ArgumentError(name, f"an array of shape {array.shape}", "one number > 0 or a list of them")
    bad = ~(np.isfinite(array) & (array > 0))
    if bad.any():
        raise ArgumentError(name, array[bad][0], "finite numbers > 0")
    return array
