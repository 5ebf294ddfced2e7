"""Laws by name, as the command line takes them: ``uniform``, ``uniform(-0.5,0.5)``, ``scipy:beta(2,3)``."""

from __future__ import annotations

import ast
import dataclasses
import difflib
from typing import Any

import scipy.stats

import rssp.laws as laws
from rssp.errors import ArgumentError
from rssp.laws.base import Law
from rssp.laws.scalar import FromScipy

__all__ = ["law_names", "parse_law"]


def law_names() -> dict[str, type[Law]]:
    """The laws that can be named on the command line, by their name in kebab case."""
    names = {}
    for name in laws.__all__:
        cls = getattr(laws, name)
        fields = dataclasses.fields(cls) if dataclasses.is_dataclass(cls) else ()
        if fields and all(f.type in ("float", "int", "float | None", "int | None", "str") for f in fields):
            kebab = "".join("-" + c.lower() if c.isupper() else c for c in name).lstrip("-")
            names[kebab] = cls
    return names


def parse_law(text: str, dim: int | None = None) -> Law:
    """The law that a text names, in the dimension given.

    >>> parse_law("uniform(-0.5, 0.5)", dim=2)
    Uniform(low=-0.5, high=0.5, dim=2)
    >>> parse_law("scipy:beta(2, b=3)")
    FromScipy(scipy.stats.beta(2, b=3))
    """
    source = text.strip()
    is_scipy = source.startswith("scipy:")
    name, args, kwds = _call(source.removeprefix("scipy:"), text)
    if is_scipy:
        family = getattr(scipy.stats, name, None)
        if not isinstance(family, (scipy.stats.rv_continuous, scipy.stats.rv_discrete)):
            raise ArgumentError("law", repr(text), "scipy:NAME(...) with a distribution of scipy.stats")
        try:
            return FromScipy(family(*args, **kwds), **({} if dim is None else {"dim": dim}))
        except TypeError as cause:
            raise ArgumentError("law", repr(text), f"the parameters of scipy.stats.{name}: {family.shapes}") from cause
    known = law_names()
    cls = known.get(name.replace("_", "-").lower())
    if cls is None:
        near = difflib.get_close_matches(name, known, n=2)
        hint = f"Did you mean {' or '.join(near)}?" if near else ""
        raise ArgumentError("law", repr(text), "one of " + ", ".join(known) + ", scipy:NAME(...)", hint)
    fields = [f.name for f in dataclasses.fields(cls)]  # type: ignore[arg-type]
    if dim is not None and "dim" in fields:
        kwds.setdefault("dim", dim)
    try:
        law = cls(*args, **kwds)
    except TypeError as cause:
        raise ArgumentError("law", repr(text), f"{name}({', '.join(fields)})") from cause
    if dim is not None and law.dim != dim:
        raise ArgumentError("dim", dim, f"{law.dim}, the dimension of {law!r}")
    return law


def _call(source: str, text: str) -> tuple[str, list[Any], dict[str, Any]]:
    """``name`` or ``name(literals)``, read without running anything."""
    name, bracket, rest = source.partition("(")
    if not bracket:
        return name, [], {}
    try:
        node = ast.parse(f"f({rest}", mode="eval").body
        if not isinstance(node, ast.Call):
            raise ValueError(source)
        args = [ast.literal_eval(a) for a in node.args]
        kwds = {str(k.arg): ast.literal_eval(k.value) for k in node.keywords}
    except (SyntaxError, ValueError) as cause:
        raise ArgumentError("law", repr(text), "a name with numbers in brackets, such as uniform(-1,1)") from cause
    return name.strip(), args, kwds
