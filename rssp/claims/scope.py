"""Where a claim holds, as data: which rows of a table it speaks of, and why it does not speak of the others."""

from __future__ import annotations

import ast
import fnmatch
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rssp._arguments import near_names
from rssp.errors import ArgumentError

if TYPE_CHECKING:
    import pandas as pd

    from rssp.laws import Law

__all__ = ["Inside", "Scope"]

_Bools = NDArray[np.bool_]
Range = float | tuple[float, float] | None
_SHORTEST = 1e-9  # relative: eps = 2^-10 written with nine digits is still that eps


@dataclass(frozen=True)
class Inside:
    """The rows of a table that lie inside a scope, and how many were left out, by reason."""

    rows: pd.DataFrame
    left_out: Mapping[str, int]

    @property
    def text(self) -> str:
        """What was left out, in words; empty where nothing was."""
        return ", ".join(f"{count} with {reason}" for reason, count in self.left_out.items())


@dataclass(frozen=True)
class Scope:
    """Where a claim holds; what is not said is not restricted, and needs no column.

    Parameters
    ----------
    laws : texts as `rssp.laws.parse.law_text` writes them, or laws; ``*`` stands for anything: ``"mixture(*)"``
    d : the dimension of the vectors: a number, or (smallest, largest)
    norm : the norm of the ball of targets: 1, 2 or inf
    radius : of the ball: a number, or (smallest, largest)
    targets : "all" targets of the ball at once, "one" fixed target, "" where it does not matter
    ranges : (smallest, largest) of other columns, ends included: ``{"eps": (0, 0.25)}``
    values : the only values of other columns: ``{"n": (10, 15, 20)}``
    conditions : expressions that hold between columns: ``("k <= n / 2",)``
    note : what no column says, for the reader: "n to infinity"

    Raises
    ------
    ArgumentError
        For a range whose ends are out of order, a condition that is no expression, other targets than those named.

    Examples
    --------
    >>> import pandas as pd
    >>> scope = Scope(laws=("uniform",), d=1, targets="all", ranges={"eps": (0, 0.1)})
    >>> table = pd.DataFrame({"law": ["uniform", "normal", "uniform"], "d": [1, 1, 2], "targets": "all", "eps": 0.1})
    >>> inside = scope.inside(table)
    >>> len(inside.rows), inside.text
    (1, '1 with law = normal, 1 with d = 2')
    >>> scope.inside(table.drop(columns="law"))
    Traceback (most recent call last):
    rssp.errors.ArgumentError: table: got columns d, targets, eps; allowed: also law: the scope names it. \
Add the column, such as table.assign(law='uniform').
    """

    laws: tuple[str | Law, ...] = ()
    d: Range = None
    norm: float | None = None
    radius: Range = None
    targets: str = ""
    ranges: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    values: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    conditions: tuple[str, ...] = ()
    note: str = ""

    def __post_init__(self) -> None:
        given = (self.laws,) if isinstance(self.laws, str) or not isinstance(self.laws, (tuple, list)) else self.laws
        object.__setattr__(self, "laws", tuple(_law_text(law) for law in given))
        object.__setattr__(self, "ranges", MappingProxyType(dict(self.ranges)))
        object.__setattr__(self, "values", MappingProxyType(dict(self.values)))
        if self.targets not in ("", "all", "one"):
            raise ArgumentError("targets", repr(self.targets), "'all', 'one' or ''")
        for name, limits in {**self.ranges, "d": self.d, "radius": self.radius}.items():
            if isinstance(limits, tuple) and not (len(limits) == 2 and limits[0] <= limits[1]):
                raise ArgumentError(f"scope, {name}", limits, "(smallest, largest)")
        for condition in self.conditions:
            _names(condition)

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that a table needs so that a row can be told inside from outside."""
        said = {"law": self.laws, "d": self.d, "norm": self.norm, "radius": self.radius, "targets": self.targets}
        names = [name for name, value in said.items() if value not in ((), None, "")]
        names += [*self.ranges, *self.values, *(n for c in self.conditions for n in _names(c))]
        return tuple(dict.fromkeys(names))

    def _tests(self) -> list[tuple[str, Callable[[Any], _Bools]]]:
        tests: list[tuple[str, Callable[[Any], _Bools]]] = []
        if self.laws:
            patterns = [str(law) for law in self.laws]
            tests.append(("law", lambda column: _matches(column, patterns)))
        for name, limits in {"d": self.d, "radius": self.radius, "norm": self.norm, **self.ranges}.items():
            if limits is not None:
                low, high = limits if isinstance(limits, tuple) else (limits, limits)
                tests.append((name, lambda column, low=low, high=high: _between(column, low, high)))  # type: ignore[misc]
        if self.targets:
            tests.append(("targets", lambda column: np.asarray(column == self.targets, dtype=np.bool_)))
        for name, allowed in self.values.items():
            tests.append((name, lambda column, allowed=allowed: _among(column, allowed)))  # type: ignore[misc]
        return tests

    def inside(self, table: pd.DataFrame) -> Inside:
        """The rows inside, and how many were left out by which column; ArgumentError for a column that is missing."""
        for name in self.columns:
            if name not in table.columns:
                raise ArgumentError(
                    "table",
                    f"columns {', '.join(map(str, table.columns))}",
                    f"also {name}: the scope names it",
                    _remedy(name, table, self),
                )
        left_out: dict[str, int] = {}
        rows = table
        for name, test in self._tests():
            keep = test(rows[name])
            if name == "norm" and "d" in rows.columns:  # in one dimension all norms are one
                keep |= np.asarray(rows["d"] == 1, dtype=np.bool_)
            for value, count in rows.loc[~keep, name].value_counts(dropna=False, sort=False).items():
                reason = f"{name} = {value:.4g}" if isinstance(value, float) else f"{name} = {value}"
                left_out[reason] = left_out.get(reason, 0) + int(count)
            rows = rows.loc[keep]
        for condition in self.conditions:
            keep = _holds(condition, rows)
            if not keep.all():
                left_out[f"not {condition}"] = int((~keep).sum())
            rows = rows.loc[keep]
        return Inside(rows, MappingProxyType(_short(left_out)))

    @property
    def text(self) -> str:
        """The scope in one line."""
        parts = [" or ".join(map(str, self.laws))] if self.laws else []
        ranges: dict[str, Range] = {"d": self.d, "norm": self.norm, "radius": self.radius, **self.ranges}
        parts += [f"{name} {_range_text(limits)}" for name, limits in ranges.items() if limits is not None]
        parts += [f"{name} in {', '.join(f'{v:g}' for v in allowed)}" for name, allowed in self.values.items()]
        parts += [f"{self.targets} target{'s' if self.targets == 'all' else ''}"] if self.targets else []
        return "; ".join([*parts, *self.conditions, *([self.note] if self.note else [])])

    def command(self) -> str:
        """The `rssp estimate` that measures an n* inside the scope, or P(cover) at an n that it names; "" where none.

        >>> Scope(laws=("normal",), d=2, targets="all").command()
        'rssp estimate --eps 0.05 --delta 0.5 --law normal --dim 2'
        >>> Scope(laws=("uniform",), d=1, targets="all", values={"n": (15,)}).command()
        'rssp estimate --eps 0.05 --n 15 --law uniform --dim 1'
        """
        law = next((str(law) for law in self.laws if "*" not in str(law)), "" if self.laws else "uniform")
        if self.targets == "one" or not law or law != law.strip() or ("(" in law and "=" in law and ":" not in law):
            return ""
        d = 1 if self.d is None else self.d[0] if isinstance(self.d, tuple) else self.d
        eps, delta, n = (self._usual(name, value) for name, value in (("eps", 0.05), ("delta", 0.5), ("n", 15)))
        wanted = f"--n {n:g}" if "n" in {*self.ranges, *self.values} else f"--delta {delta:g}"
        quoted = f"'{law}'" if "(" in law else law
        parts = [f"rssp estimate --eps {eps:g} {wanted} --law {quoted} --dim {d:g}"]
        if self.radius is not None:
            radius = _near(1.0, self.radius if isinstance(self.radius, tuple) else (self.radius, self.radius))
            parts += [f"--radius {radius:g}"] if radius != 1 else []
        return " ".join([*parts, *([f"--norm {self.norm:g}"] if self.norm not in (None, math.inf) else [])])

    def _usual(self, name: str, value: float) -> float:
        """A value of eps, delta or n inside the scope: the usual one where it may be."""
        allowed = self.values.get(name)
        return _near(value, self.ranges.get(name)) if not allowed else value if value in allowed else allowed[0]


def _law_text(law: Any) -> str:
    if isinstance(law, str):
        return law.replace(" ", "")
    from rssp.laws.parse import law_text

    return law_text(law)


def _matches(column: Any, patterns: list[str]) -> _Bools:
    seen = {law: any(fnmatch.fnmatchcase(str(law).replace(" ", ""), p) for p in patterns) for law in set(column)}
    return np.array([seen[law] for law in column], dtype=np.bool_)


def _between(column: Any, low: float, high: float) -> _Bools:
    values = np.asarray(column, dtype=np.float64)
    slack = lambda end: _SHORTEST * abs(end) if math.isfinite(end) else 0.0  # noqa: E731
    return np.asarray((values >= low - slack(low)) & (values <= high + slack(high)), dtype=np.bool_)


def _among(column: Any, allowed: tuple[float, ...]) -> _Bools:
    values = np.asarray(column, dtype=np.float64)[:, None]
    return np.asarray(np.isclose(values, np.asarray(allowed, dtype=np.float64), rtol=_SHORTEST, atol=0).any(axis=1))


def _names(condition: str) -> tuple[str, ...]:
    try:
        tree = ast.parse(condition, mode="eval")
    except SyntaxError as cause:
        raise ArgumentError("conditions", repr(condition), "an expression in column names, such as 'k <= n / 2'") from (
            cause
        )
    allowed = (ast.Expression, ast.Compare, ast.BinOp, ast.UnaryOp, ast.Name, ast.Constant, ast.operator, ast.cmpop)
    strange = [n for n in ast.walk(tree) if not isinstance(n, (*allowed, ast.unaryop, ast.expr_context))]
    if strange or not isinstance(tree.body, ast.Compare) or len(tree.body.ops) != 1:
        raise ArgumentError("conditions", repr(condition), "one comparison of sums, products and powers of columns")
    return tuple(dict.fromkeys(node.id for node in ast.walk(tree) if isinstance(node, ast.Name)))


def _holds(condition: str, table: pd.DataFrame) -> _Bools:
    columns = {name: table[name].to_numpy(dtype=np.float64) for name in _names(condition)}
    # only comparisons and arithmetic pass `_names`
    answer = eval(compile(ast.parse(condition, mode="eval"), "<scope>", "eval"), {"__builtins__": {}}, columns)
    return np.broadcast_to(np.asarray(answer, dtype=np.bool_), (len(table),))


def _remedy(name: str, table: pd.DataFrame, scope: Scope) -> str:
    near = near_names(name, map(str, table.columns))
    if near:
        return f"Is {near[0]!r} it?"
    example: Any = {"law": str(scope.laws[0]) if scope.laws else "", "targets": scope.targets or "all"}.get(name)
    if example is None:
        value = {"d": scope.d, "norm": scope.norm, "radius": scope.radius}.get(name)
        example = value if isinstance(value, (int, float)) else "..."
    return f"Add the column, such as table.assign({name}={example!r})."


def _short(left_out: dict[str, int], most: int = 3) -> dict[str, int]:
    """Reasons of one column with many values in one entry."""
    by_column: dict[str, list[str]] = {}
    for reason in left_out:
        by_column.setdefault(reason.split(" = ")[0], []).append(reason)
    short: dict[str, int] = {}
    for column, reasons in by_column.items():
        if len(reasons) <= most:
            short |= {reason: left_out[reason] for reason in reasons}
        else:
            short[f"other {column} ({len(reasons)} values)"] = sum(left_out[reason] for reason in reasons)
    return short


def _range_text(limits: float | tuple[float, float]) -> str:
    if not isinstance(limits, tuple):
        return f"= {limits:g}"
    low, high = limits
    if math.isinf(high):
        return f">= {low:g}"
    return f"<= {high:g}" if math.isinf(low) else f"{low:g} to {high:g}"


def _near(value: float, limits: tuple[float, float] | None) -> float:
    return value if limits is None else min(max(value, limits[0]), limits[1])
