"""Which rows of a table judge a claim, and what was left out: evidence, quantity, scope and variables are checked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from rssp._arguments import did_you_mean
from rssp.claims.statement import Claim
from rssp.errors import ArgumentError, ArgumentTypeError
from rssp.estimates import Evidence
from rssp.intervals import clopper_pearson
from rssp.schemas import COUNTS, IDENTITY, INTERVAL

__all__ = [
    "COVER",
    "NUMBERS",
    "SMOOTH",
    "THRESHOLDS",
    "USUAL_DELTAS",
    "WHOLE",
    "Selection",
    "known_columns",
    "select",
    "speaks_of",
]

COVER, SMOOTH, WHOLE = "P(cover)", "n* interpolated", "n*"
THRESHOLDS = ("n*", "n* (one target)")
"""quantities of claims that can be judged on counts of P(cover), on interpolated and on whole n*"""
NUMBERS = (*THRESHOLDS, "width factor")
"""quantities that are whole numbers of samples: a bound on them promises the next whole number"""
_COMPLEMENTS = ("P(fail)", "P(miss one target)")
USUAL_DELTAS = (0.5, 0.1, 0.01)
_FAILURES = 30
"""expected among the trials at the smallest delta at which they are asked"""
_COUNTS = ("trials", "successes")
_ENDS = ("low", "best", "high")


@dataclass(frozen=True)
class Selection:
    """The rows a claim is judged on.

    Attributes
    ----------
    rows : measured or computed, of one quantity, inside the claim's scope
    predicted : the same of what was predicted
    quantity : that of the rows
    left_out : how many rows of the table were not used, by reason
    """

    rows: pd.DataFrame
    predicted: pd.DataFrame
    quantity: str
    left_out: Mapping[str, int]


def speaks_of(claim: Claim) -> tuple[str, ...]:
    """The quantities of rows that can judge a claim, the best first.

    An n* is tested on counts of P(cover), where the test is exact; else on interpolated n*, which move smoothly.
    """
    if claim.quantity in THRESHOLDS:
        return tuple(dict.fromkeys((COVER, SMOOTH, f"{claim.quantity} interpolated", claim.quantity, WHOLE)))
    if claim.quantity in _COMPLEMENTS:
        return (claim.quantity, COVER)
    return (claim.quantity,)


def known_columns(claim: Claim) -> tuple[str, ...]:
    """The columns of a table that mean something to a claim: its own, those of every estimate, and n, eps, delta.

    >>> from rssp.claims import claim
    >>> known_columns(claim("counting-1d"))[:4]
    ('eps', 'radius', 'd', 'targets')
    """
    own = (*claim.variables, *claim.settings, *(() if claim.scope is None else claim.scope.columns))
    every = (*IDENTITY.names, *INTERVAL.names, *COUNTS.names, "n", "eps", "delta")
    return tuple(dict.fromkeys((*own, *every)))


def _checked(claim: Claim, table: Any) -> pd.DataFrame:
    if not isinstance(table, pd.DataFrame):
        raise ArgumentTypeError(
            "table", table, "a DataFrame of estimates, such as coverage(...) and required_n(...) give"
        )
    if table.empty:
        raise ArgumentError(f"claim {claim.id}: table", "no row", "at least one row", "Run more trials.")
    columns = list(map(str, table.columns))
    have = f"columns {', '.join(columns)}"
    missing = [c for c in _ENDS if c not in columns]
    if missing and not set(_COUNTS) <= set(columns):
        raise ArgumentError(f"claim {claim.id}: table", have, f"also {', '.join(missing)}, or the counts")
    if missing and not (claim.quantity.startswith("P(") or claim.quantity in THRESHOLDS):
        counts = f"counts without {', '.join(missing)}"
        raise ArgumentError(f"claim {claim.id}: table", counts, f"also {', '.join(missing)}: it is of {claim.quantity}")
    if "evidence" not in columns:
        raise ArgumentError(
            f"claim {claim.id}: table",
            have,
            "also evidence: 'measured', 'computed' or 'predicted' in every row",
            "Say it, such as table.assign(evidence='measured').",
        )
    strange = sorted({str(e) for e in table["evidence"]} - {str(e) for e in Evidence})
    if strange:
        raise ArgumentError(f"claim {claim.id}: evidence", ", ".join(strange), ", ".join(map(str, Evidence)))
    clash = [n for n in claim.constants if n in columns and n not in claim.settings]
    if clash:
        raise ArgumentError(
            f"claim {claim.id}: table",
            f"a column {clash[0]!r}, the name of a constant of the claim",
            "columns of variables and estimates",
            f"Pass {clash[0]}=... to check(), or rename the column.",
        )
    return _with_ends(table.reset_index(drop=True)) if missing else table.reset_index(drop=True)


def _with_ends(table: pd.DataFrame) -> pd.DataFrame:
    """Counts with the share that they are and its exact interval."""
    undecided = table["undecided"] if "undecided" in table.columns else 0
    low, high = clopper_pearson(table["successes"], table["trials"], undecided)
    return table.assign(low=low, best=table["successes"] / table["trials"], high=high, confidence=0.95)


def _of_quantity(
    claim: Claim, table: pd.DataFrame, counted: bool, left_out: dict[str, int]
) -> tuple[pd.DataFrame, str]:
    if "quantity" not in table.columns:
        # low, best, high are of the claim's own quantity; counts alone are of P(cover)
        return table, COVER if counted and claim.quantity in (*THRESHOLDS, *_COMPLEMENTS) else claim.quantity
    wanted, seen = speaks_of(claim), table["quantity"]
    chosen = next((q for q in wanted if (seen == q).any()), None)
    if chosen is None:
        known = list(dict.fromkeys(seen))
        raise ArgumentError(
            f"claim {claim.id}: table",
            f"rows of {', '.join(map(str, known))}",
            f"rows of {' or '.join(wanted)}",
            did_you_mean(claim.quantity, known),
        )
    for quantity, count in seen[seen != chosen].value_counts(sort=False).items():
        left_out[f"quantity = {quantity}"] = int(count)
    return table.loc[seen == chosen], chosen


def _with_variables(
    claim: Claim, table: pd.DataFrame, given: Mapping[str, Any], left_out: dict[str, int]
) -> pd.DataFrame:
    columns = list(map(str, table.columns))
    for name in claim.variables:
        if name not in columns:
            raise ArgumentError(
                f"claim {claim.id}: variable {name}",
                f"a table with the columns {', '.join(columns)}",
                f"a table with a column {name}",
                did_you_mean(name, columns),
            )
    for name in claim.settings:
        if name in columns and name in given and not np.allclose(table[name].astype(float), float(given[name])):
            raise ArgumentError(
                f"claim {claim.id}: {name}",
                f"{given[name]} as an argument and other values in the table's column",
                "one of the two",
                "Leave the argument out, or choose the rows.",
            )
    needed = [*claim.variables, *(n for n in claim.settings if n in columns and n not in given)]
    stated = table[needed].notna().all(axis=1).to_numpy(dtype=bool) if needed else np.ones(len(table), dtype=bool)
    if (~stated).any():
        left_out[f"no value of {' or '.join(needed)}"] = int((~stated).sum())
    return table.loc[stated]


def _deltas(claim: Claim, rows: pd.DataFrame) -> tuple[float, ...]:
    """Where n* is looked up in counts: as is usual; for an open constant at powers of two as far as the trials go.

    A bound in min(eps, delta) turns at delta = eps, and eps are powers of two where they are ours: C is largest there.
    """
    if not claim.unknown:
        return USUAL_DELTAS
    most = float(rows["trials"].max())
    fine = [2.0**-b for b in range(1, 40) if 2.0**-b * most >= _FAILURES]
    return tuple(sorted({*fine, *(d for d in USUAL_DELTAS if d * most >= _FAILURES)}, reverse=True)) or USUAL_DELTAS


def select(claim: Claim, table: pd.DataFrame, deltas: Sequence[float] | None, given: Mapping[str, Any]) -> Selection:
    """The rows of a table inside the claim's scope.

    Parameters
    ----------
    deltas : the failure probabilities at which an n* is looked up in counts of P(cover) without a column delta; None
        for 1/2, 0.1 and 0.01, and where a constant is open for powers of 1/2 as well, as far as the trials go
    given : values of constants that were passed

    Raises
    ------
    ArgumentError
        For a table without the claim's quantity or a variable (the near miss is named), without a column of its scope
        or of the evidence, or with a column that bears the name of one of its constants.
    """
    left_out: dict[str, int] = {}
    checked = _checked(claim, table)
    rows, quantity = _of_quantity(claim, checked, not set(_ENDS) <= {*table.columns}, left_out)
    if quantity == COVER and claim.quantity in THRESHOLDS:
        if not {"n", *_COUNTS} <= set(rows.columns):
            have = f"columns {', '.join(map(str, rows.columns))}"
            raise ArgumentError(f"claim {claim.id}: table", have, f"also n, {', '.join(_COUNTS)}: rows of P(cover)")
        if "delta" not in rows.columns:
            wanted = _deltas(claim, rows) if deltas is None else deltas
            rows = rows.merge(pd.DataFrame({"delta": list(wanted)}), how="cross")
            if deltas is None and claim.unknown:
                # where the trials are few, the largest delta is all that they can say anything of
                rows = rows.loc[(rows["delta"] * rows["trials"] >= _FAILURES) | (rows["delta"] == max(wanted))]
    rows = _with_variables(claim, rows, given, left_out)
    if claim.scope is not None:
        inside = claim.scope.inside(rows)
        rows, more = inside.rows, inside.left_out
        left_out |= more
    empty = rows["best"].isna() if "best" in rows.columns else pd.Series(False, index=rows.index)
    if empty.any():
        left_out["no value"] = int(empty.sum())
        rows = rows.loc[~empty]
    predicted = rows["evidence"].astype(str) == str(Evidence.PREDICTED)
    if predicted.any():
        left_out["evidence = predicted"] = int(predicted.sum())
    return Selection(rows.loc[~predicted], rows.loc[predicted], quantity, left_out)
