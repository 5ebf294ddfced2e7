"""Verdicts and claims as tables and texts."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence

import pandas as pd

from rssp.claims import Claim, Kind, Status, Verdict, Wording, all_claims, claim
from rssp.report.tables import number_text

__all__ = [
    "claim_table",
    "claim_text",
    "false_alarms",
    "legend",
    "verdict_lines",
    "verdict_paper_table",
    "verdict_table",
    "verdict_text",
    "verdict_view",
]

_MARKS = {
    Kind.HEURISTIC: "~", Kind.CONJECTURE: "?", Kind.PUBLISHED: "#",
    Wording.RESTATED: "r", Wording.ABSTRACT: "a", Wording.AS_QUOTED: "q",
}  # fmt: skip
_LEGEND = (
    "after a claim: ~ heuristic, ? conjecture, # published figure; its wording was read in the abstract only (a), as "
    "restated elsewhere (r), or is quoted from memory (q). consistent: one constant, fitted to these very points, does "
    "at all of them, which is no independent test; its interval has no width where whole n* leave it none"
)
_DRIFT = (
    "a statement on the range measured: that the constant stays bounded in the limit no finite range can exclude, and "
    "a theorem with a proof is not refuted by it"
)


def verdict_table(verdicts: Sequence[Verdict]) -> pd.DataFrame:
    """One row a verdict, all plain values."""
    return pd.DataFrame([v.row() for v in verdicts])


def false_alarms(verdicts: Sequence[Verdict]) -> str:
    """How many true claims are to be expected among those found wanting, in one sentence."""
    tested = [v for v in verdicts if v.false_alarm > 0]
    expected = sum(v.false_alarm for v in tested)
    found = sum(v.status in (Status.VIOLATED, Status.NO_FORM) for v in tested)
    return (
        f"{found} of {len(tested)} tested lines are violated or of a form that is not supported; if all were true, "
        f"at most {expected:.2g} would be expected."
    )


def verdict_lines(verdicts: Sequence[Verdict], width: int = 80) -> list[tuple[str, str, str]]:
    """Claim, verdict and one line why, cut at a word to fit a width; the claim carries marks for kind and wording."""
    names = [_marked(v.claim) for v in verdicts]
    first = max(map(len, names), default=0)
    return [
        (f"{name:<{first}}", v.status.value, textwrap.shorten(v.text, width - 4, placeholder=" ..."))
        for name, v in zip(names, verdicts, strict=True)
    ]


def _marked(c: Claim) -> str:
    marks = _MARKS.get(c.kind, "") + _MARKS.get(c.wording, "")
    return f"{c.id} {marks}" if marks else c.id


def legend(width: int = 80) -> str:
    """What the marks of `verdict_lines` mean."""
    return textwrap.fill(_LEGEND, width)


def verdict_text(verdict: Verdict, width: int = 80) -> str:
    """One verdict in full: kind, wording, why, on what, what was left out and what predictions say."""
    c = verdict.claim
    entries = {
        "kind": f"{c.kind.value}, wording {c.wording.value}",
        "why": verdict.text,
        "measured": verdict.measured,
        "scope": c.scope.text if c.scope else "",
        "left out": verdict.left_out,
        "predicted": verdict.prediction,
        "proved": verdict.proved_and_measured,
        "note": c.valid,
        "drift": _DRIFT if verdict.status is Status.NO_FORM else "",
        "error": f"a true claim gets this verdict with probability at most {verdict.false_alarm:g}"
        if verdict.status in (Status.VIOLATED, Status.NO_FORM)
        else "",
    }
    lines = [f"{c.id}: {verdict.status.value}"]
    for name, text in entries.items():
        body = textwrap.wrap(text, width - 12, break_long_words=False)
        lines += [f"  {name if i == 0 else '':<9} {line}" for i, line in enumerate(body)]
    return "\n".join(lines)


def verdict_view(verdicts: Sequence[Verdict]) -> pd.DataFrame:
    """The table for a paper: claim, its paper, kind and wording, what was measured, verdict and why."""
    rows = []
    for v in verdicts:
        c = v.constant
        rows.append(
            {
                "claim": v.claim.id,
                "paper": f"{v.claim.paper}, {v.claim.number}".rstrip(", "),
                "kind": v.claim.kind.value,
                "wording": v.claim.wording.value,
                "measured": v.measured,
                "verdict": v.status.value,
                "constant": "" if c is None else f"{c.best:.3g} [{c.low:.3g}, {c.high:.3g}]",
                "detail": v.text,
            }
        )
    return pd.DataFrame(rows)


def verdict_paper_table(verdicts: Sequence[Verdict]) -> pd.DataFrame:
    """The same in six columns, as many as a line of print can hold: kind and wording in one, the constant in why."""
    rows = verdict_view(verdicts)
    return pd.DataFrame(
        {
            "claim": rows["claim"],
            "paper": rows["paper"],
            "kind, wording": rows["kind"] + ", " + rows["wording"],
            "measured": rows["measured"],
            "verdict": rows["verdict"],
            "why": rows["detail"],
        }
    )


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
        "scope": c.scope.text if c.scope else "",
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
        "scope": (c.scope.text if c.scope else "") or "as stated",
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
