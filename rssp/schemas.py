"""The columns of a table: names, types and units, checked where the table goes from one room to the next."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from rssp._arguments import choice, did_you_mean, near_names
from rssp.errors import ArgumentError, ArgumentTypeError

__all__ = ["COUNTS", "EXPERIMENT", "IDENTITY", "INTERVAL", "KINDS", "Column", "Schema", "require_columns"]

KINDS = {"int": "int64", "float": "float64", "text": "str", "bool": "bool"}
"""the kinds of columns and the dtype of each; a nullable int is Int64"""


@dataclass(frozen=True)
class Column:
    """One column of a table.

    Parameters
    ----------
    name : str
    kind : "int", "float" (nan allowed), "text" (missing is "") or "bool"
    unit, meaning : str, for the reader
    nullable : bool, whether an int may be missing

    >>> Column("eps", "float", meaning="the error allowed").dtype
    'float64'
    """

    name: str
    kind: str
    unit: str = ""
    meaning: str = ""
    nullable: bool = False

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not self.name:
            raise ArgumentTypeError("name", self.name, "a text, not empty")
        choice("kind", self.kind, tuple(KINDS))
        if self.nullable and self.kind != "int":
            raise ArgumentError(
                "nullable", True, "True only for kind 'int'", "A float may be nan, a text may be empty."
            )

    @property
    def dtype(self) -> str:
        """The dtype of the checked column, as pandas names it."""
        return "Int64" if self.nullable else KINDS[self.kind]


class Schema:
    """The columns that a table has, all of them and no others, in this order.

    Parameters
    ----------
    columns : Column, one or more, of different names

    Schemas are added to make longer ones.

    Examples
    --------
    >>> schema = Schema(Column("n", "int"), Column("eps", "float")) + Schema(Column("law", "text"))
    >>> schema.names
    ('n', 'eps', 'law')
    >>> table = pd.DataFrame({"law": ["uniform"], "eps": [1], "n": [10.0]})
    >>> schema.checked(table, "required")
        n  eps      law
    0  10  1.0  uniform
    >>> schema.checked(table.rename(columns={"eps": "esp"}), "required")
    Traceback (most recent call last):
    rssp.errors.ArgumentError: table required: got columns law, esp, n; allowed: n, eps, law. \
'eps' is missing: is 'esp' it?
    """

    def __init__(self, *columns: Column):
        for column in columns:
            if not isinstance(column, Column):
                raise ArgumentTypeError("columns", column, "Column(name, kind)")
        names = [c.name for c in columns]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ArgumentError("columns", f"{', '.join(twice)} twice", "columns of different names")
        self.columns = columns

    @property
    def names(self) -> tuple[str, ...]:
        """The columns' names, in order."""
        return tuple(c.name for c in self.columns)

    @property
    def dtypes(self) -> dict[str, str]:
        """The dtype of each column, such as ``pandas.read_csv`` takes it."""
        return {c.name: c.dtype for c in self.columns}

    def __iter__(self) -> Iterator[Column]:
        return iter(self.columns)

    def __contains__(self, name: object) -> bool:
        return name in self.names

    def __add__(self, other: Schema) -> Schema:
        return Schema(*self.columns, *other.columns)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Schema) and self.columns == other.columns

    def __hash__(self) -> int:
        return hash(self.columns)

    def __repr__(self) -> str:
        return f"Schema({', '.join(f'{c.name}: {c.kind}' for c in self.columns)})"

    def require(self, names: Iterator[str] | tuple[str, ...] | list[str], what: str) -> None:
        """ArgumentError unless every name is a column; `what` says who asks.

        >>> INTERVAL.require(["low", "hihg"], "Rows('required')")
        Traceback (most recent call last):
        rssp.errors.ArgumentError: Rows('required'): got column 'hihg'; \
allowed: quantity, low, best, high, confidence, evidence. Did you mean 'high'?
        """
        for name in names:
            if name not in self.names:
                hint = did_you_mean(name, self.names)
                raise ArgumentError(what, f"column {name!r}", ", ".join(self.names), hint)

    def checked(self, table: pd.DataFrame, what: str) -> pd.DataFrame:
        """The table with the schema's columns, in its order and with its types.

        Parameters
        ----------
        table : DataFrame
        what : str, the table's name, for messages

        Raises
        ------
        ArgumentTypeError
            Where `table` is not a DataFrame.
        ArgumentError
            Where a column is missing, or there and not declared (near misses are named), or a value is not of its kind.
        """
        if not isinstance(table, pd.DataFrame):
            raise ArgumentTypeError(f"table {what}", table, "a DataFrame")
        have = list(map(str, table.columns))
        missing, strange = [n for n in self.names if n not in have], [n for n in have if n not in self.names]
        twice = sorted({n for n in have if have.count(n) > 1})
        if missing or strange or twice:
            received = f"columns {', '.join(have)}" if have else "no columns"
            raise ArgumentError(f"table {what}", received, ", ".join(self.names), _differences(missing, strange, twice))
        return pd.DataFrame({c.name: _typed(table[c.name], c, what) for c in self.columns}).reset_index(drop=True)


def require_columns(table: pd.DataFrame, names: Iterable[str], what: str = "table") -> None:
    """The door of a function that reads some columns of a table, whatever others there are.

    Parameters
    ----------
    table : DataFrame
    names : the columns that are read
    what : how messages call the table: the argument's name

    Raises
    ------
    ArgumentTypeError
        Where `table` is not a DataFrame.
    ArgumentError
        Where a column is missing; the one that resembles it is named.

    >>> require_columns(pd.DataFrame({"n": [3], "bset": [0.5]}), ("n", "best"))
    Traceback (most recent call last):
    rssp.errors.ArgumentError: table: got columns n, bset; allowed: also best. 'best' is missing: is 'bset' it?
    """
    if not isinstance(table, pd.DataFrame):
        raise ArgumentTypeError(what, table, "a DataFrame")
    have = list(map(str, table.columns))
    wanted = list(dict.fromkeys(names))
    missing = [name for name in wanted if name not in have]
    if missing:
        received = f"columns {', '.join(have)}" if have else "no columns"
        hint = _differences(missing, [name for name in have if name not in wanted], [], others=True)
        raise ArgumentError(what, received, f"also {', '.join(missing)}", hint)


def _differences(missing: list[str], strange: list[str], twice: list[str], others: bool = False) -> str:
    """What is wrong with the names, in words; a missing one beside the undeclared one that resembles it.

    With `others` there may be more columns than those that are asked for: only the missing ones are wrong.
    """
    left, parts = list(strange), [f"{name!r} is there twice" for name in twice]
    for name in missing:
        near = near_names(name, left)
        parts.append(f"{name!r} is missing: is {near[0]!r} it?" if near else f"{name!r} is missing")
        left = [other for other in left if other not in near]
    parts += [] if others else [f"{name!r} is not declared" for name in left]
    text = "; ".join(parts)
    return text if text.endswith("?") else text + "."


def _typed(values: pd.Series, column: Column, what: str) -> pd.Series:
    typed = {"int": _whole, "float": _real, "text": _text, "bool": _bool}[column.kind](values, column)
    if isinstance(typed, str):
        kind = {"int": "whole numbers", "float": "real numbers", "text": "texts", "bool": "True and False"}[column.kind]
        raise ArgumentError(f"table {what}", f"column {column.name!r} with {typed}", kind)
    return typed


def _first(values: pd.Series, bad: np.ndarray) -> str:
    return f"{values[bad].iloc[0]!r} in row {int(np.argmax(bad))}"


def _numbers(values: pd.Series) -> pd.Series | str:
    """As float64; the first entry that is no number, in words."""
    if pd.api.types.is_bool_dtype(values.dtype) and len(values):
        return f"{values.iloc[0]!r} in row 0"
    if not pd.api.types.is_numeric_dtype(values.dtype):
        numbers = (int, float, np.number)
        bad = np.array([not (v is None or v is pd.NA or isinstance(v, numbers)) for v in values], dtype=bool)
        bad |= np.array([isinstance(v, bool) for v in values], dtype=bool)
        if bad.any():
            return _first(values, bad)
    return values.astype("Float64").astype("float64") if values.dtype == object else values.astype("float64")


def _cast(values: pd.Series, dtype: Any) -> pd.Series:
    return values.astype(dtype)


def _real(values: pd.Series, column: Column) -> pd.Series | str:
    return _numbers(values)


def _whole(values: pd.Series, column: Column) -> pd.Series | str:
    if pd.api.types.is_integer_dtype(values.dtype) and not values.isna().any():
        return _cast(values, column.dtype)
    numbers = _numbers(values)
    if isinstance(numbers, str):
        return numbers
    absent = numbers.isna().to_numpy()
    if absent.any() and not column.nullable:
        return f"nothing in row {int(np.argmax(absent))}"
    with np.errstate(invalid="ignore"):
        bad = ~absent & ~(np.isfinite(numbers) & (numbers == np.floor(numbers))).to_numpy()
    if bad.any():
        return _first(numbers, bad)
    return _cast(numbers, column.dtype)


def _text(values: pd.Series, column: Column) -> pd.Series | str:
    absent = values.isna().to_numpy()
    bad = np.array([not isinstance(v, str) for v in values], dtype=bool) & ~absent
    if bad.any():
        return _first(values, bad)
    return values.astype(object).where(~absent, "").astype("str")


def _bool(values: pd.Series, column: Column) -> pd.Series | str:
    bad = np.array([not isinstance(v, (bool, np.bool_)) for v in values], dtype=bool)
    return _first(values, bad) if bad.any() else values.astype("bool")


IDENTITY = Schema(
    Column("law", "text", meaning="the law of one vector, as rssp.laws.parse.parse_law reads it"),
    Column("d", "int", meaning="dimension"),
    Column("norm", "float", meaning="norm of the ball of targets: 1, 2 or inf"),
    Column("radius", "float", meaning="radius of the ball of targets"),
    Column("targets", "text", meaning='"all" targets of the ball at once, or "one"'),
)
"""whose sums, and which targets"""

INTERVAL = Schema(
    Column("quantity", "text", meaning="what is estimated"),
    Column("low", "float", meaning="lower end of the interval"),
    Column("best", "float", meaning="the estimate"),
    Column("high", "float", meaning="upper end of the interval"),
    Column("confidence", "float", meaning="of the interval, between 0 and 1"),
    Column("evidence", "text", meaning="measured, computed or predicted"),
)
"""an estimate: what `Estimate.row` gives"""

COUNTS = Schema(
    Column("trials", "int", meaning="those that did not fail"),
    Column("successes", "int", meaning="trials that certainly did"),
    Column("undecided", "int", meaning="trials that may have or not"),
    Column("failed", "int", meaning="trials that ended in an error"),
)
"""what a probability was estimated from"""

EXPERIMENT = Column(
    "experiment", "text", meaning="the trials that a row comes from: rows that share it share their errors"
)
"""the label of the trials, see `Trials.label`; fits need a covariance where two rows have the same"""
