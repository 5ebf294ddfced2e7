"""Frozen dataclasses as plain JSON data and back: the identity of an experiment is made of these.

Fields at their defaults are left out, so that a field added later with a default does not change old keys.
Only classes that were registered are ever rebuilt: a results file cannot make the reader import anything.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
from collections.abc import Iterator
from typing import Any, TypeVar

import numpy as np

from rssp.errors import ArgumentError, ArgumentTypeError

__all__ = ["canonical_json", "describe", "differences", "rebuild", "register", "sha256_key"]

_REGISTRY: dict[str, type] = {}
T = TypeVar("T", bound=type)


def register(cls: T) -> T:
    """Class decorator: let `describe` name this frozen dataclass and `rebuild` make it again."""
    known = _REGISTRY.get(cls.__name__)
    if known is not None and (known.__module__, known.__qualname__) != (cls.__module__, cls.__qualname__):
        raise ArgumentError("register", cls.__name__, f"a name not taken by {known.__module__}", "Rename the class.")
    _REGISTRY[cls.__name__] = cls
    return cls


def describe(value: Any) -> Any:
    """A value made of registered frozen dataclasses, numbers, strings and tuples, as JSON data."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        name = type(value).__name__
        result: dict[str, Any] = {"type": name if name in _REGISTRY else f"{type(value).__module__}:{name}"}
        custom = getattr(value, "_describe_fields", None)
        if custom is not None:
            return result | {k: describe(v) for k, v in custom().items()}
        for field in dataclasses.fields(value):
            entry = getattr(value, field.name)
            default = field.default
            if default is dataclasses.MISSING and field.default_factory is not dataclasses.MISSING:
                default = field.default_factory()
            if default is not dataclasses.MISSING and type(default) is type(entry) and default == entry:
                continue
            result[field.name] = describe(entry)
        return result
    if isinstance(value, (bool, str)) or value is None:
        return value
    if isinstance(value, (int, np.integer)):
        return int(value)
    if isinstance(value, (float, np.floating)):
        return float(value) if math.isfinite(value) else str(float(value))
    if isinstance(value, (tuple, list)):
        return [describe(v) for v in value]
    if isinstance(value, dict):
        return {str(k): describe(v) for k, v in value.items()}
    raise ArgumentTypeError("value", value, "frozen dataclasses, numbers, strings, tuples")


def rebuild(data: Any) -> Any:
    """What `describe` described; lists come back as tuples. Raises ArgumentError for a class not registered."""
    if isinstance(data, dict) and "type" in data:
        cls = _REGISTRY.get(data["type"])
        if cls is None:
            raise ArgumentError("type", repr(data["type"]), "a registered class: " + ", ".join(sorted(_REGISTRY)))
        fields = {k: rebuild(v) for k, v in data.items() if k != "type"}
        make = getattr(cls, "_rebuild", cls)
        return make(**fields)
    if isinstance(data, dict):
        return {k: rebuild(v) for k, v in data.items()}
    if isinstance(data, list):
        return tuple(rebuild(v) for v in data)
    if data in ("inf", "-inf", "nan"):
        return float(data)
    return data


def canonical_json(value: Any) -> str:
    """One text for one value: sorted keys, no spaces, floats by their shortest exact decimal."""
    return json.dumps(describe(value), sort_keys=True, separators=(",", ":"), allow_nan=False)


def sha256_key(value: Any) -> str:
    """The SHA-256 of the canonical JSON, in 64 hexadecimal digits."""
    return hashlib.sha256(canonical_json(value).encode()).hexdigest()


def differences(first: str, second: str) -> list[str]:
    """The fields in which two experiments' JSON texts differ, as lines "field: a != b"."""
    a, b = (dict(_leaves(json.loads(text))) for text in (first, second))
    missing = "(default)"
    return [f"{k}: {a.get(k, missing)} != {b.get(k, missing)}" for k in sorted(a | b) if a.get(k) != b.get(k)]


def _leaves(data: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(data, dict):
        for name, value in data.items():
            yield from _leaves(value, f"{path}.{name}" if path else name)
    else:
        yield path, data
