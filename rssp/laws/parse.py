"""Laws by name, as the command line takes them: ``uniform``, ``uniform(-0.5,0.5)``, ``scipy:beta(2,3)``."""

from __future__ import annotations

import ast
import dataclasses
from typing import Any

import scipy.stats

import rssp.laws as laws
from rssp._arguments import did_you_mean
from rssp.balls import Ball
from rssp.errors import ArgumentError
from rssp.laws.base import Law
from rssp.laws.scalar import FromScipy

__all__ = ["identity_columns", "law_names", "law_text", "parse_law"]


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
        allowed = "one of " + ", ".join(known) + ", scipy:NAME(...)"
        raise ArgumentError("law", repr(text), allowed, did_you_mean(name, known, 2))
    # the dimension comes last, as `law_text` leaves it out: group-scaled-normal(4) has groups of 4
    fields = sorted((f.name for f in dataclasses.fields(cls)), key=lambda field: field == "dim")  # type: ignore[arg-type]
    given = dict(zip(fields, args, strict=False))
    if dim is not None and "dim" in fields and "dim" not in given:
        kwds.setdefault("dim", dim)
    try:
        law = cls(**given, **kwds) if len(args) <= len(fields) else cls(*args)
    except TypeError as cause:
        raise ArgumentError("law", repr(text), f"{name}({', '.join(fields)})") from cause
    if dim is not None and law.dim != dim:
        raise ArgumentError("dim", dim, f"{law.dim}, the dimension of {law!r}")
    return law


def law_text(law: Law) -> str:
    """The short text that `parse_law` reads back in the same dimension; the law's `repr` where there is none.

    >>> from rssp.laws import GatedProduct, Normal, Uniform
    >>> [law_text(law) for law in (GatedProduct(dim=3), Uniform(-0.5, 0.5), Uniform(high=2), Normal(std=0.1))]
    ['gated-product', 'uniform(-0.5,0.5)', 'uniform(high=2)', 'normal(std=0.1)']
    >>> law_text(FromScipy(scipy.stats.beta(2, b=3)))
    'scipy:beta(2,b=3)'
    """
    if isinstance(law, FromScipy):
        d = law.distribution
        return _written(f"scipy:{d.dist.name}", list(d.args), dict(sorted(d.kwds.items())))
    name = next((name for name, cls in law_names().items() if type(law) is cls), None)
    if name is None:
        return repr(law)
    given = [(f.name, getattr(law, f.name), f.default) for f in dataclasses.fields(law) if f.name != "dim"]  # type: ignore[arg-type]
    leading = 0  # fields at their defaults are left out; those before the first such one need no name
    while leading < len(given) and given[leading][1] != given[leading][2]:
        leading += 1
    return _written(name, [v for _, v, _ in given[:leading]], {n: v for n, v, d in given[leading:] if v != d})


def identity_columns(law: Law, ball: Ball, targets: str = "all") -> dict[str, Any]:
    """The entries of a table's columns `rssp.schemas.IDENTITY`: whose sums, and which targets.

    >>> from rssp.laws import Uniform
    >>> identity_columns(Uniform(dim=2), Ball(2, radius=0.5))
    {'law': 'uniform', 'd': 2, 'norm': inf, 'radius': 0.5, 'targets': 'all'}
    """
    return {"law": law_text(law), "d": ball.dim, "norm": ball.norm, "radius": ball.radius, "targets": targets}


def _written(name: str, args: list[Any], kwds: dict[str, Any]) -> str:
    inner = [*map(_number_text, args), *(f"{n}={_number_text(v)}" for n, v in kwds.items())]
    return f"{name}({','.join(inner)})" if inner else name


def _number_text(value: Any) -> str:
    text = repr(value.item() if hasattr(value, "item") else value)
    return text if text == "-0.0" else text.removesuffix(".0")


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
    except (SyntaxError, ValueError, MemoryError, RecursionError) as cause:  # the last two: too many brackets or signs
        raise ArgumentError("law", repr(text), "a name with numbers in brackets, such as uniform(-1,1)") from cause
    return name.strip(), args, kwds
