"""Which rows of a study's tables judge a claim: said once, as data, and checked when the study is made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from rssp._arguments import did_you_mean
from rssp.claims import Claim, Verdict, check, not_measured
from rssp.claims.exponents import exponent_verdict
from rssp.claims.selection import THRESHOLDS, known_columns, speaks_of
from rssp.errors import ArgumentError
from rssp.estimates import Evidence
from rssp.schemas import Schema

__all__ = ["Exponents", "Rows", "exactly"]

Wanted = Any
"""A value, a tuple of values, or a function of the column that says for each entry whether it is wanted."""
_ENDS = ("low", "best", "high")
_COUNTS = ("trials", "successes")


def exactly(column: str) -> dict[str, str]:
    """For `Rows.named`: a column of exact values is its own estimate.

    >>> exactly("n")
    {'low': 'n', 'best': 'n', 'high': 'n'}
    """
    return dict.fromkeys(_ENDS, column)


def _schema(tables: Mapping[str, Schema], name: str, what: str) -> Schema:
    if name not in tables:
        raise ArgumentError(what, f"table {name!r}", ", ".join(tables) or "none", did_you_mean(name, tables))
    return tables[name]


def _chosen(table: pd.DataFrame, where: Mapping[str, Wanted]) -> pd.DataFrame:
    keep = np.ones(len(table), dtype=np.bool_)
    for name, wanted in where.items():
        column = table[name]
        if callable(wanted):
            keep &= np.asarray(wanted(column), dtype=np.bool_)
        else:
            keep &= column.isin(wanted if isinstance(wanted, tuple) else (wanted,)).to_numpy()
    return table.loc[keep]


@dataclass(frozen=True)
class Rows:
    """The rows of one table that a claim is held against.

    Parameters
    ----------
    table : str
    where : the values wanted, by column: a value, a tuple of values, or a function (column) -> bool for each entry
    named : columns that the claim knows by another name: the claim's name, then the table's (see `exactly`)
    add : values that are the same in every row, by the name of a variable, of a column of the claim's scope, or of
        `evidence` and `quantity`; never by that of a column of the table, which it
        would hide. `quantity` is an exception where `where` chooses one quantity or `named` gives another best
    constants : values for constants of the claim
    constant : the constant to fit, where the claim leaves one open
    deltas : the failure probabilities at which a claim on n* is judged on counts of P(cover); None for the usual ones
    measured : what was measured, for the verdict
    otherwise : what the verdict says where no row is left

    Examples
    --------
    >>> needed = pd.DataFrame({"width": [8, 16, 16], "eps": [0.1, 0.1, 0.01], "n": [9, 11, 14]})
    >>> rows = Rows("needed", where={"eps": 0.1}, named={"d_in": "width", **exactly("n")}, add={"delta": 0.5})
    >>> rows.select({"needed": needed})
       width  eps   n  d_in  low  best  high  delta
    0      8  0.1   9     8    9     9     9    0.5
    1     16  0.1  11    16   11    11    11    0.5
    """

    table: str
    where: Mapping[str, Wanted] = field(default_factory=dict)
    named: Mapping[str, str] = field(default_factory=dict)
    add: Mapping[str, Any] = field(default_factory=dict)
    constants: Mapping[str, float] = field(default_factory=dict)
    constant: str = "C"
    deltas: tuple[float, ...] | None = None
    measured: str = ""
    otherwise: str = ""

    def require(self, claim: Claim, tables: Mapping[str, Schema], what: str) -> None:
        """ArgumentError unless the tables declare all that the claim and these rows need."""
        schema = _schema(tables, self.table, what)
        schema.require([*self.where, *self.named.values()], f"{what}, table {self.table}")
        self._require_known(claim, schema, what)
        given = {*self.named, *self.add}
        if set(_COUNTS) <= {*schema.names}:  # an n* is looked up in them at each delta
            given |= {*_ENDS, *(("delta",) if claim.quantity in THRESHOLDS else ())}
        scope = () if claim.scope is None else claim.scope.columns
        needed = dict.fromkeys((*claim.variables, *scope, *_ENDS, "evidence"))
        schema.require([n for n in needed if n not in given], f"{what}, table {self.table}")
        fitted = [name for name in claim.unknown if name not in self.constants]
        strange = sorted({*self.constants, *fitted} - {*claim.constants} | ({*fitted} - {self.constant}))
        if strange:
            raise ArgumentError(
                f"{what}, constants", ", ".join(strange), f"{', '.join(claim.constants)}; one of them fitted"
            )

    def _require_known(self, claim: Claim, schema: Schema, what: str) -> None:
        """ArgumentError for a name that the claim does not know, and for a value that would hide a column."""
        known = known_columns(claim)
        for how, names in (("named", self.named), ("add", self.add)):
            for name in names:
                if name not in known:
                    raise ArgumentError(f"{what}, {how}", repr(name), ", ".join(known), did_you_mean(name, known))
        if "best" in self.named:  # another estimate of the same row: its labels are not those of the table
            labels = {"quantity", "evidence", "confidence"}
        else:  # a quantity that was chosen by name may bear the claim's name for it
            labels = {"quantity"} if isinstance(self.where.get("quantity"), str) else set()
        for name in self.add:
            if name in self.named or (name in schema and name not in labels):
                here = "a key of named too" if name in self.named else f"a column of the table {self.table}"
                remedy = f"Choose rows by it instead: where={{{name!r}: ...}}."
                raise ArgumentError(f"{what}, add", f"{name!r}, {here}", "names that nothing else gives", remedy)
        for name, allowed in (("quantity", speaks_of(claim)), ("evidence", tuple(map(str, Evidence)))):
            value = self.add.get(name, allowed[0])
            if str(value) not in allowed:
                near = did_you_mean(str(value), allowed)
                raise ArgumentError(f"{what}, add, {name}", repr(value), ", ".join(allowed), near)

    def select(self, tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
        """The rows, with the columns that the claim needs."""
        rows = _chosen(tables[self.table], self.where)
        return rows.assign(**{name: rows[column] for name, column in self.named.items()}, **self.add)

    def verdicts(self, claim: Claim, tables: Mapping[str, pd.DataFrame]) -> list[Verdict]:
        """The verdict on these rows, in a list; "not measured yet" where no row has a value."""
        rows = self.select(tables)
        if rows.empty or ("best" in rows.columns and not rows["best"].notna().any()):
            return [not_measured(claim, why=self.otherwise or f"the table {self.table} has no row for it")]
        given: dict[str, Any] = dict(self.constants)
        verdict = check(claim, rows, constant=self.constant, deltas=self.deltas, measured=self.measured, **given)
        return [verdict]


@dataclass(frozen=True)
class Exponents:
    """The rows of `rssp.claims.exponents.compare_exponents` that a claim's exponent is held against.

    Parameters
    ----------
    table : str, with a column of the claim's id
    where : as in `Rows`
    measured : what was measured, for the verdict
    """

    table: str
    where: Mapping[str, Wanted] = field(default_factory=dict)
    measured: str = ""

    def require(self, claim: Claim, tables: Mapping[str, Schema], what: str) -> None:
        """ArgumentError unless the table declares the claim's exponent and the measured one."""
        needed = [*self.where, claim.id, "variable", "from", "to", *_ENDS]
        _schema(tables, self.table, what).require(needed, f"{what}, table {self.table}")

    def select(self, tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
        """The rows."""
        return _chosen(tables[self.table], self.where)

    def verdicts(self, claim: Claim, tables: Mapping[str, pd.DataFrame]) -> list[Verdict]:
        """One verdict on all rows; none where too few points were reached for an exponent."""
        rows = self.select(tables)
        return [exponent_verdict(claim, rows, self.measured)] if len(rows) else []
