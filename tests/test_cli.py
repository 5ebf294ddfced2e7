"""Every command through the real entry point."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from rssp.claims import registry
from rssp.cli import main
from rssp.study import find_study, finding, study_questions

ROOT = Path(__file__).parents[1]
OWN_STUDY = """
from dataclasses import dataclass

import pandas as pd
import rssp
from rssp.montecarlo import Coverage, Experiment
from rssp.schemas import INTERVAL, Schema
from rssp.study import option
from rssp.study.columns import EPS

@dataclass(frozen=True)
class Options:
    eps: float = option(0.1, "the error allowed", least=0)

def plan(context):
    experiment = Experiment(rssp.Uniform(), rssp.Ball(), Coverage(8, context.options.eps), context.seed)
    return [rssp.Task("all", experiment, 64)]

def analyse(runs, context):
    seen = runs["all"].table["covered"].astype(float)
    row = {"quantity": "share", "eps": context.options.eps, "low": 0.0, "best": seen.mean(), "high": 1.0}
    return {"share": pd.DataFrame([row | {"confidence": 0.95, "evidence": "measured"}])}

STUDY = rssp.Study(name="own", question="Does a study of one's own run?", plan=plan, analyse=analyse,
                   tables={"share": Schema(EPS) + INTERVAL}, options=Options, show=("share",))

if __name__ == "__main__":
    STUDY.main()
"""


def run(capsys, *arguments):
    """Standard output of a command that must succeed."""
    with pytest.raises(SystemExit) as end:
        main([str(a) for a in arguments])
    captured = capsys.readouterr()
    assert end.value.code in (0, None), captured.err
    return captured.out


def refused(capsys, *arguments):
    """The message of a command that must be refused."""
    with pytest.raises(SystemExit) as end:
        main([str(a) for a in arguments])
    captured = capsys.readouterr()
    assert end.value.code == 2
    assert "Traceback" not in captured.err
    return captured.err


@pytest.fixture
def own_study(tmp_path):
    path = tmp_path / "own.py"
    path.write_text(OWN_STUDY)
    return path


@pytest.mark.parametrize("command", ["run", "list", "estimate", "check", "claims", "figures", "merge", "status"])
def test_help(capsys, command):
    assert "Usage" in run(capsys, command, "--help")


def test_estimate(capsys):
    text = run(capsys, "estimate", "--n", 10, "--eps", 0.05, "--trials", 200)
    assert "P(cover at n = 10, eps = 0.05) = " in text
    data = json.loads(run(capsys, "estimate", "--delta", 0.5, "--eps", 0.05, "--trials", 200, "--json"))
    assert data["low"] <= data["best"] <= data["high"]
    assert data["law"] == "Uniform(low=-1.0, high=1.0, dim=1)"


def test_estimate_by_all_methods(capsys):
    text = run(capsys, "estimate", "--delta", 0.5, "--eps", 0.25, "--trials", 50, "--method", "all")
    assert [text.count(word) for word in ("measured", "covering law", "guarantee")] == [1, 1, 1]
    lines = run(capsys, "estimate", "--n", 16, "--eps", 0.25, "--trials", 50, "--method", "all", "--json").splitlines()
    seen, _, proved = (json.loads(line) for line in lines)
    assert proved["low"] <= seen["high"]
    assert proved["high"] == 1.0


@pytest.mark.parametrize(
    ("flags", "word"),
    [
        (("--n", 10, "--eps", -1), "eps"),
        (("--n", 10, "--eps", 0), "eps"),
        (("--eps", 0.1), "--n, --delta"),
        (("--n", 10, "--delta", 0.1, "--eps", 0.1), "--n, --delta"),
        (("--n", 10, "--eps", 0.1, "--law", "unifrm"), "Did you mean 'uniform'"),
        (("--n", 10, "--eps", 0.1, "--norm", 3), "norm"),
        (("--delta", 2, "--eps", 0.1), "delta"),
        (("--n", 0, "--eps", 0.1), "n: got 0"),
        (("--n", 10, "--eps", 0.1, "--method", "guess"), "covering law"),
        (("--n", 10, "--eps", 0.1, "--confidence", 1.5), "confidence"),
        (("--n", 10, "--eps", 1, "--method", "guarantee"), "the ball's radius"),
        (("--delta", 0.1, "--eps", 0.5, "--radius", 0.5, "--method", "guarantee"), "0 < eps < 0.5, the ball's radius"),
        (("--delta", 1e-120, "--eps", 0.1, "--method", "guarantee"), "[1e-100, 1)"),
        (("--n", 1_000_001, "--eps", 0.1, "--method", "guarantee"), "0 to 1000000"),
        (("--delta", 0.1, "--eps", 0.1, "--law", "scipy:poisson(3)", "--method", "guarantee"), "lattice_failure"),
        (("--delta", 0.1, "--eps", 0.1, "--law", "uniform(0.5,1)", "--method", "guarantee"), "0 on one side of 0"),
        (("--delta", 0.1, "--eps", 0.1, "--law", "scipy:arcsine(-1,2)", "--method", "guarantee"), "density=(w, rho)"),
        (("--delta", 0.1, "--eps", 0.1, "--law", "group-scaled-normal", "--method", "guarantee"), "independent"),
    ],
)
def test_estimate_refuses(capsys, flags, word):
    assert word in refused(capsys, "estimate", *flags)


def test_list_and_claims(capsys, tmp_path):
    assert "lueker_1998" in run(capsys, "list")
    studies = json.loads(run(capsys, "list", "--json"))["rows"]
    assert {"study", "question"} == set(studies[0])
    assert "lueker-1998" in run(capsys, "claims")
    assert "Corollary" in run(capsys, "claims", "lueker-1998")
    assert json.loads(run(capsys, "claims", "--json"))["rows"]
    assert "Did you mean" in refused(capsys, "claims", "lueker-1999")
    assert "study" in refused(capsys, "run", "no_such_study")


def test_list_reads_every_study_and_runs_none(capsys, tmp_path, monkeypatch):
    files = [p for p in (ROOT / "studies").glob("*.py") if "STUDY.main()" in p.read_text(encoding="utf-8")]
    assert study_questions() == {p.stem: find_study(p.stem).question for p in sorted(files)}

    text = "raise RuntimeError('run')\nSTUDY = Study(name='x', question='Is this ' 'read?')\n"
    (tmp_path / "x.py").write_text(text)
    (tmp_path / "_shared.py").write_text("raise RuntimeError('run')\n")
    monkeypatch.setattr(finding, "studies_folder", lambda: tmp_path)
    rows = json.loads(run(capsys, "list", "--json"))["rows"]
    assert rows == [{"study": "x", "question": "Is this read?"}]


def test_the_working_directory_is_not_searched(capsys, tmp_path, monkeypatch):
    """Files that lie where ours are called by name: none is run, and none of their tables is taken for ours."""
    for folder in (tmp_path, tmp_path / "studies"):
        folder.mkdir(exist_ok=True)
        for name in ("lueker_1998", "becchetti_2022", "_curves", "own"):
            (folder / f"{name}.py").write_text(f"open('planted', 'w').close()\n{OWN_STUDY}")
    (tmp_path / "figures").mkdir()
    (tmp_path / "figures" / "lueker_1998-summary.csv").write_text("quantity\nplanted\n")
    monkeypatch.chdir(tmp_path)
    assert "own" not in {row["study"] for row in json.loads(run(capsys, "list", "--json"))["rows"]}
    for name in ("lueker_1998", "becchetti_2022"):
        sources = json.loads(run(capsys, "check", name, "--json"))["sources"]
        assert sources[name].startswith(str(ROOT / "figures"))
    run(capsys, "figures", "becchetti_2022", "--out", tmp_path / "drawn")
    assert "study" in refused(capsys, "run", "own")
    assert not (tmp_path / "planted").exists()
    run(capsys, "run", Path("studies", "own.py"), "--trials", 8)
    assert (tmp_path / "planted").exists()


def test_own_study_runs_resumes_checks_and_merges(capsys, tmp_path, own_study):
    out = tmp_path / "out"
    text = run(capsys, "run", own_study, "--out", out)
    assert "Does a study of one's own run?" in text
    table = (out / "own" / "quick" / "own-share.csv").read_bytes()
    data = json.loads(run(capsys, "run", own_study, "--out", out, "--workers", 1, "--json"))
    assert data["tables"]["share"][0]["quantity"] == "share"
    assert (out / "own" / "quick" / "own-share.csv").read_bytes() == table
    rows = json.loads(run(capsys, "status", "--out", out, "--json"))["rows"]
    assert len(rows) == 1
    merged = tmp_path / "merged"
    run(capsys, "merge", out / "store", "--out", merged)
    assert len(json.loads(run(capsys, "status", "--out", merged, "--json"))["rows"]) == 1

    claims = tmp_path / "mine.py"
    claims.write_text(
        "import rssp\n"
        "rssp.add_claim(rssp.Claim(id='mine', paper='A. Student', number='Conjecture 1', kind=rssp.Kind.SUFFICIENT,\n"
        "    quantity='share', statement='the share is at most C', latex='C', formula=lambda eps, C: C * eps / eps,\n"
        "    constants={'C': None}, scope=rssp.Scope(ranges={'eps': (0, 1)})))\n"
    )
    verdicts = json.loads(run(capsys, "check", own_study, "--out", out, "--claims", claims, "--json"))["rows"]
    assert [v["claim"] for v in verdicts] == ["mine"]
    assert verdicts[0]["verdict"] == "undecided"  # one point: any C fits
    assert r"\toprule" in run(capsys, "check", own_study, "--out", out, "--latex")
    assert "| --- |" in run(capsys, "check", own_study, "--out", out, "--markdown")


def test_own_study_is_a_script(tmp_path, own_study):
    command = [sys.executable, str(own_study), "--scale", "quick", "--out", str(tmp_path / "out"), "--trials", "8"]
    seen = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "own-share.csv" in seen.stdout


def test_a_study_that_measures_no_claim_says_so(capsys, monkeypatch):
    monkeypatch.setattr(registry, "_CLAIMS", {})  # those of other tests
    said = run(capsys, "check", "mip_gap")
    assert said.startswith("no claim of the catalogue is measured here")
    assert "tested lines" not in said


def test_options_are_checked(capsys, tmp_path, own_study):
    assert "scale" in refused(capsys, "run", own_study, "--scale", "huge", "--out", tmp_path)
    assert "name=value" in refused(capsys, "run", own_study, "--set", "data", "--out", tmp_path)
    assert "options" in refused(capsys, "run", own_study, "--set", "data=mnist", "--out", tmp_path)
    assert "eps: got 'small'" in refused(capsys, "run", own_study, "--set", "eps=small", "--out", tmp_path)
    assert "eps: got '-1'" in refused(capsys, "run", own_study, "--eps", "-1", "--out", tmp_path)
    assert "data" in refused(capsys, "run", own_study, "--data", "mnist", "--out", tmp_path)
    blocked = tmp_path / "file"
    blocked.write_text("")
    assert "rssp:" in refused(capsys, "run", own_study, "--out", blocked)


def test_a_study_brings_its_own_options(capsys, tmp_path, own_study):
    text = " ".join(run(capsys, "run", "--out", tmp_path, own_study, "--help").split())
    for word in ("Options of own", "--eps", "NUMBER", "the error allowed", "[default: (0.1)]", "--scale"):
        assert word in text
    text = run(capsys, "run", "pensia_2020", "--help")
    assert "--data" in text
    assert "digits|mnist" in text
    for general in (run(capsys, "run", "--help"), run(capsys, "run", "lueker_1998", "--help")):
        assert "--data" not in general
    for given in (("--eps", 0.25), ("--set", "eps=0.25")):
        data = json.loads(run(capsys, "run", own_study, *given, "--trials", 8, "--out", tmp_path, "--json"))
        assert data["tables"]["share"][0]["eps"] == 0.25
    stored = json.loads((tmp_path / "own" / "quick" / "own.json").read_text())
    assert stored["options"] == {"eps": 0.25}


def test_a_misspelt_column_is_an_error_at_import(capsys, tmp_path):
    path = tmp_path / "own.py"
    rows = "options=Options, claims={'counting-1d': Rows('share', {'epz': 0.1})}"
    path.write_text(OWN_STUDY.replace("options=Options", rows).replace("import option", "import Rows, option"))
    message = refused(capsys, "run", path, "--out", tmp_path / "out")
    assert "study own, claim counting-1d" in message
    assert "Did you mean 'eps'?" in message
    assert not (tmp_path / "out").exists()


def test_claims_say_which_study_measures_them(capsys):
    text = run(capsys, "claims", "edge-samples")
    assert "measured by" in text
    assert "rssp run failure_tail, rssp run lueker_1998" in text
    assert "not measured here: all targets at once" in run(capsys, "claims", "natale-2024-all-targets")
    rows = {row["id"]: row["study"] for row in json.loads(run(capsys, "claims", "--json"))["rows"]}
    assert rows["counting-cube"] == "becchetti_2022"
    assert rows["da-cunha-2022"] == ""


def test_figures_are_drawn_from_tables(capsys, tmp_path):
    """What they look like is held against the shipped ones in tests/report/test_stored_figures.py."""
    text = run(capsys, "figures", "da_cunha_2022", "--tables", ROOT / "figures", "--out", tmp_path)
    written = [f"da_cunha_2022-medians.{ending}" for ending in ("png", "svg")]
    assert sorted(path.name for path in tmp_path.iterdir()) == written
    assert all(str(tmp_path / name) in text for name in written)


def test_figures_need_tables(capsys, tmp_path):
    assert "no tables" in refused(capsys, "figures", "lueker_1998", "--tables", tmp_path)
    assert "no stored results" in refused(capsys, "check", "lueker_1998", "--out", tmp_path, "--figures", tmp_path)
