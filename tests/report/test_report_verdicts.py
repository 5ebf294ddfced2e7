"""Verdicts and claims as a reader sees them."""

from __future__ import annotations

import pandas as pd
import pytest

from rssp.claims import Claim, Kind, Scope, Status, Verdict, Wording, all_claims
from rssp.estimates import Estimate, Evidence
from rssp.report.verdicts import (
    claim_table,
    claim_text,
    false_alarms,
    legend,
    verdict_lines,
    verdict_table,
    verdict_text,
    verdict_view,
)


def a_claim(id="mine", kind=Kind.SUFFICIENT, wording=Wording.VERIFIED, **more):
    words = {"paper": "A. Student, 2026", "number": "Theorem 1", "statement": "It is so.", "latex": "x"}
    return Claim(id=id, kind=kind, wording=wording, quantity="n*", formula=lambda eps: 1 / eps, **words, **more)


def a_verdict(status=Status.HOLDS, text="at all 3 points", claim=None, **more):
    return Verdict(claim or a_claim(), status, text, "n* of uniform; eps = 0.1", **more)


def test_false_alarms_are_counted_among_what_was_tested():
    verdicts = [
        a_verdict(Status.VIOLATED, false_alarm=0.001),
        a_verdict(Status.NO_FORM, false_alarm=0.001),
        a_verdict(Status.HOLDS, false_alarm=0.05),
        a_verdict(Status.OPEN, false_alarm=0.001),
        a_verdict(Status.NOT_MEASURED),
        a_verdict(Status.OUT_OF_REACH),
    ]
    assert false_alarms(verdicts) == (
        "2 of 4 tested lines are violated or of a form that is not supported; if all were true, "
        "at most 0.053 would be expected."
    )
    assert false_alarms([]).startswith("0 of 0 tested lines")


@pytest.mark.parametrize(
    ("kind", "wording", "marks"),
    [
        (Kind.SUFFICIENT, Wording.VERIFIED, ""),
        (Kind.NECESSARY, Wording.RESTATED, " r"),
        (Kind.EQUALITY, Wording.ABSTRACT, " a"),
        (Kind.HEURISTIC, Wording.AS_QUOTED, " ~q"),
        (Kind.CONJECTURE, Wording.VERIFIED, " ?"),
        (Kind.PUBLISHED, Wording.VERIFIED, " #"),
    ],
)
def test_marks_for_kind_and_wording_are_in_the_legend(kind, wording, marks):
    ((name, status, text),) = verdict_lines([a_verdict(claim=a_claim(kind=kind, wording=wording))])
    assert (name, status, text) == (f"mine{marks}", "holds", "at all 3 points")
    assert all(f"{m} " in legend(1000) or f"({m})" in legend(1000) for m in marks.strip())


def test_lines_fit_their_width():
    long = "word " * 40
    lines = verdict_lines([a_verdict(text=long), a_verdict(claim=a_claim(id="longer-than-mine"))], width=60)
    assert [len(name) for name, _, _ in lines] == [len("longer-than-mine")] * 2
    assert all(len(text) <= 56 for _, _, text in lines)
    assert lines[0][2].endswith(" ...")
    assert len(lines[0][2]) > 48
    assert max(map(len, legend(60).splitlines())) <= 60


def test_a_verdict_in_full():
    claim = a_claim(scope=Scope(laws=("uniform",), d=1), valid="for large n", wording=Wording.AS_QUOTED)
    verdict = a_verdict(
        Status.VIOLATED, "at 1 of 3", claim, false_alarm=0.001, left_out="2 with d = 2", prediction="holds: at all"
    )
    assert verdict_text(verdict).splitlines() == [
        "mine: violated",
        "  kind      sufficient, wording as quoted",
        "  why       at 1 of 3",
        "  measured  n* of uniform; eps = 0.1",
        "  scope     uniform; d = 1",
        "  left out  2 with d = 2",
        "  predicted holds: at all",
        "  note      for large n",
        "  error     a true claim gets this verdict with probability at most 0.001",
    ]
    assert "probability at most 0.05" in verdict_text(a_verdict(Status.NO_FORM, false_alarm=0.05))
    short = verdict_text(a_verdict(false_alarm=0.001))
    for word in ("error", "left out", "predicted", "note", "scope"):
        assert word not in short
    wrapped = verdict_text(a_verdict(text="word " * 40), width=50).splitlines()
    assert max(map(len, wrapped)) <= 50
    assert wrapped[3].startswith(" " * 12 + "word")


def test_tables_of_verdicts():
    constant = Estimate(1.0, 1.25, 2.0, 0.95, Evidence.MEASURED, "C")
    verdicts = [a_verdict(constant=constant, points=3, false_alarm=0.001), a_verdict(Status.OPEN, "too close")]
    table = verdict_table(verdicts)
    assert table["verdict"].tolist() == ["holds", "undecided"]
    first = table.iloc[0]
    assert first[["constant_low", "constant", "constant_high"]].tolist() == [1.0, 1.25, 2.0]
    assert first[["claim", "paper", "number", "kind", "wording", "detail", "points", "false_alarm"]].tolist() == [
        "mine", "A. Student, 2026", "Theorem 1", "sufficient", "verified", "at all 3 points", 3, 0.001,
    ]  # fmt: skip
    assert pd.isna(table["constant"].iloc[1])
    view = verdict_view(verdicts)
    assert view["constant"].tolist() == ["1.25 [1, 2]", ""]
    assert view["paper"].tolist() == ["A. Student, 2026, Theorem 1"] * 2
    assert view["verdict"].tolist() == ["holds", "undecided"]
    assert view["measured"].tolist() == ["n* of uniform; eps = 0.1"] * 2


def test_tables_of_claims():
    table = claim_table(studies={"lueker-1998": ["one", "two"]}).set_index("id")
    assert set(table.index) == set(all_claims())
    assert table.loc["lueker-1998", "study"] == "one, two"
    assert (table.drop("lueker-1998")["study"] == "").all()
    row = claim_table("lueker-1998").iloc[0]
    claim = all_claims()["lueker-1998"]
    assert row[["id", "statement", "latex", "kind"]].tolist() == [
        claim.id, claim.statement, claim.latex, claim.kind.value,
    ]  # fmt: skip
    assert row["scope"] == claim.scope.text
    assert "C = unknown" in row["constants"]


def test_a_claim_in_full():
    text = claim_text("lueker-1998", ["lueker_1998", "failure_tail"])
    claim = all_claims()["lueker-1998"]
    lines = text.splitlines()
    assert lines[0] == "lueker-1998"
    assert any(line == "measured by  rssp run lueker_1998, rssp run failure_tail" for line in lines)
    assert any(line.split()[:3] == ["constants", "C", "="] for line in lines)
    assert max(map(len, lines)) <= 96
    assert " ".join(claim.statement.split()) in " ".join(text.split())
    far = next(c for c in all_claims().values() if c.unreachable)
    assert f"not measured here: {far.unreachable}"[:40] in " ".join(claim_text(far.id).split())
