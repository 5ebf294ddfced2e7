"""Claims of one's own: held against what is stored inside their scope, measured where nothing is, errors one by one."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

import rssp
from rssp.claims import Claim, Kind, Scope, Status
from rssp.cli import main
from rssp.study import checking

HEAD = "import numpy as np\nimport rssp\nfrom scipy import stats\n"
CLAIM = (
    "rssp.add_claim(rssp.Claim(id={id!r}, paper='A. Student', number='1', kind=rssp.Kind.SUFFICIENT, quantity='n*',\n"
    "    statement='That many are enough.', latex='n', formula=lambda eps: {formula},\n"
    "    scope=rssp.Scope(laws={laws!r}, d=1, radius=1.0, targets='all', values={values!r})))\n"
)


def a_claim(**scope):
    words = {"paper": "A. Student", "number": "1", "statement": "It is so.", "latex": "x"}
    scope = {"laws": "uniform", "d": 1, "radius": 1.0, "targets": "all", **scope}
    return Claim(
        "own", kind=Kind.SUFFICIENT, quantity="n*", formula=lambda eps: 20 + 0 * eps, scope=Scope(**scope), **words
    )


@pytest.fixture(autouse=True)
def forgotten(monkeypatch):
    from rssp.claims import registry

    monkeypatch.setattr(registry, "_CLAIMS", {})


@pytest.fixture
def no_study_runs(monkeypatch):
    def refuse(*arguments, **options):
        raise AssertionError("a study was run")

    monkeypatch.setattr(checking, "run_study", refuse)


def ended(capsys, *arguments):
    with pytest.raises(SystemExit) as end:
        main([str(a) for a in arguments])
    return end.value.code, capsys.readouterr().out


def seen(quantity, law, best):
    table = pd.DataFrame({"eps": [0.25, 0.125], "delta": 0.5, "quantity": quantity, "low": best, "best": best})
    table = table.assign(high=best, confidence=0.95, evidence="measured", law=law, d=1, norm=np.inf, radius=1.0)
    return table.assign(targets="all", trials=1000)


def test_tables_are_ranked_inside_the_scope():
    """The table with the better quantity has no row of the claim's law; the other one judges."""
    counts = seen("P(cover)", "normal", 0.5).assign(successes=500, undecided=0, failed=0, n=5).drop(columns="delta")
    tables = {"coverage": counts, "required": seen("n*", "uniform", 8.0)}
    [verdict] = checking._own_verdicts(a_claim(), {"mine": tables})
    assert verdict.status is Status.HOLDS
    assert verdict.measured.startswith("mine, required")
    mixed = pd.concat([seen("n* interpolated", "normal", 8.5), seen("n*", "uniform", 8.0)])
    [verdict] = checking._own_verdicts(a_claim(), {"mine": {"required": mixed}})
    assert verdict.status is Status.HOLDS


def test_scale_measures_what_is_missing_and_runs_no_study(capsys, tmp_path, no_study_runs):
    """One claim that is stored, one that is not: the second is measured, at the eps and delta of its scope."""
    stored = CLAIM.format(id="stored", formula="20 - np.log2(eps)", laws="uniform", values={"delta": (0.5,)})
    missing = CLAIM.format(
        id="missing", formula="9 + 0 * eps", laws="laplace", values={"eps": (0.3,), "delta": (0.25,)}
    )
    missing = missing.replace("'laplace'", "rssp.FromScipy(stats.uniform(loc=-1, scale=1.9))")
    (tmp_path / "mine.py").write_text(HEAD + stored + missing)
    code, text = ended(capsys, "check", "--claims", tmp_path / "mine.py", "--scale", "quick", "--json")
    rows = json.loads(text)["rows"]
    assert code == 0
    assert {r["claim"] for r in rows} == {"stored", "missing"}
    [measured] = [r for r in rows if r["claim"] == "missing"]
    assert measured["measured"] == "measured at scale quick; eps = 0.3"
    assert measured["points"] == 1
    assert measured["verdict"] in ("holds", "undecided")
    assert not any(r["measured"].startswith("measured at") for r in rows if r["claim"] == "stored")


def test_the_n_of_a_scope_is_the_n_measured():
    verdict = checking.measure_claim(a_claim(values={"n": (6, 12), "eps": (0.3,), "delta": (0.5,)}), "quick", 1, False)
    assert verdict.status is not Status.NOT_MEASURED
    assert "other n" in verdict.left_out
    far = checking.measure_claim(a_claim(values={"n": (60,)}), "quick", 1, False)
    assert far.status is Status.NOT_MEASURED
    assert "60" in far.text


def test_a_formula_that_fails_is_the_error_of_its_claim_alone(capsys, tmp_path):
    bad = CLAIM.format(id="bad", formula="1 / 0", laws="uniform", values={"delta": (0.5,)})
    good = CLAIM.format(id="good", formula="20 - np.log2(eps)", laws="uniform", values={"delta": (0.5,)})
    (tmp_path / "mine.py").write_text(HEAD + bad + good)
    code, text = ended(capsys, "check", "--claims", tmp_path / "mine.py", "--json")
    verdicts = {r["claim"]: r["verdict"] for r in json.loads(text)["rows"]}
    assert code == 1
    assert verdicts == {"bad": "error", "good": "holds"}


def test_a_claim_of_a_study_that_fails_stops_no_other(monkeypatch, capsys):
    from dataclasses import replace

    from rssp.claims import registry

    broken = replace(registry.CATALOGUE["counting-1d"], formula=lambda eps, radius: None)
    monkeypatch.setitem(registry.CATALOGUE, "counting-1d", broken)
    code, text = ended(capsys, "check", "lueker_1998", "--json")
    verdicts = {r["claim"]: r["verdict"] for r in json.loads(text)["rows"]}
    assert code == 1
    assert verdicts["counting-1d"] == "error"
    assert verdicts["esa-2023"] == "consistent"
    assert rssp.claim("counting-1d") is broken
