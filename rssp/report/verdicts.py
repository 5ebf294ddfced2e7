"""Verdicts and claims as tables and texts."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence

import pandas as pd

from rssp.claims import Claim, Verdict, all_claims, claim
from rssp.report.tables import number_text

__all__ = ["claim_table", "claim_text", "verdict_table", "verdict_view"]


def verdict_table(verdicts: Sequence[Verdict]) -> pd.DataFrame:
    """One row a verdict, all plain values."""
    return pd.DataFrame([v.row() for v in verdicts])


def verdict_view(verdicts: Sequence[Verdict]) -> pd.DataFrame:
    """The table for a paper: claim, paper, what was measured, verdict, implied constant as value(uncertainty)."""
    rows = []
    for v in verdicts:
        c = v.constant
        rows.append(
            {
                "claim": v.claim.id,
                "paper": f"{v.claim.paper}, {v.claim.number}".rstrip(", "),
                "measured": v.measured,
                "verdict": v.status.value,
                "constant": "" if c is None else str(c),
                "detail": v.text,
            }
        )
    return pd.DataFrame(rows)


def claim_table(id: str | None = None, studies: Mapping[str, Sequence[str]] | None = None) -> pd.DataFrame:
    """One row a claim: the catalogue's and those added; `studies` names those that measure it, by the claim's id."""
    chosen = all_claims().values() if id is None else [claim(id)]
    return pd.DataFrame([_claim_row(c, (studies or {}).get(c.id, ())) for c in chosen])


def _constants(c: Claim) -> dict[str, str]:
    return {name: "unknown" if value is None else number_text(value) for name, value in c.constants.items()}


def _claim_row(c: Claim, studies: Sequence[str]) -> dict[str, str]:
    return {
        "id": c.id,
        "paper": c.paper,
        "number": c.number,
        "kind": c.kind.value,
        "quantity": c.quantity,
        "statement": c.statement,
        "latex": c.latex,
        "constants": ", ".join(f"{k} = {v}" for k, v in _constants(c).items()),
        "valid": c.valid,
        "wording": c.wording.value,
        "study": ", ".join(studies),
        "unreachable": c.unreachable,
    }


def claim_text(id: str, studies: Sequence[str] = ()) -> str:
    """One claim in full, for reading, with the studies that measure it."""
    c = claim(id)
    unmeasured = f"not measured here: {c.unreachable or 'no study speaks of it'}"
    measured = ", ".join(f"rssp run {study}" for study in studies) or unmeasured
    entries = {
        "paper": f"{c.paper}, {c.number}".rstrip(", "),
        "says": c.statement,
        "LaTeX": c.latex,
        "kind": f"{c.kind.value}, of {c.quantity}",
        "variables": ", ".join(c.variables) or "none",
        "constants": ", ".join(f"{k} = {v}" for k, v in _constants(c).items()) or "none",
        "valid": c.valid or "as stated",
        "wording": c.wording.value,
        "measured by": measured,
    }
    width = max(map(len, entries)) + 2
    lines = [c.id]
    for name, text in entries.items():
        body = textwrap.wrap(text, 96 - width) or [""]
        lines += [f"{name:<{width}}{body[0]}"] + [" " * width + more for more in body[1:]]
    return "\n".join(lines)
