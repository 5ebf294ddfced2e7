"""Study files that other people wrote: found beside their neighbours, and with errors that name the line."""

import os
import sys

import pandas as pd
import pytest

import rssp
from rssp.claims import registry
from rssp.cli import main
from rssp.errors import ArgumentError, ArgumentTypeError, StoreError
from rssp.montecarlo import Coverage, Experiment
from rssp.schemas import Column, Schema
from rssp.study import Study, Task, find_study, finding, list_studies, run_study, study_questions
from rssp.study.checking import load_claims
from rssp.study.tables import provenance, stored_tables

STUDY = """
import pandas as pd
import rssp
from rssp.schemas import Column, Schema
BEFORE

def analyse(runs, context):
    INSIDE
    return {"rows": pd.DataFrame({"n": [number]})}

def findings(tables):
    FINDINGS
    return [f"found {number}"]

STUDY = rssp.Study(name="own", question="?", analyse=analyse, tables={"rows": Schema(Column("n", "int"))},
                   findings=findings)
"""
LAZY = "from neighbour import number"


def written(folder, number=1, before="", inside=LAZY, findings=LAZY):
    folder.mkdir(exist_ok=True)
    (folder / "neighbour.py").write_text(f"import parts.number\nnumber = parts.number.value + {number} - 1\n")
    (folder / "parts").mkdir(exist_ok=True)  # a package without __init__.py
    (folder / "parts" / "number.py").write_text("value = 1\n")
    path = folder / "own.py"
    text = STUDY.replace("BEFORE", before).replace("INSIDE", inside).replace("FINDINGS", findings)
    path.write_text(text)
    return path


def ended(*arguments):
    with pytest.raises(SystemExit) as end:
        main([str(a) for a in arguments])
    return end.value.code


@pytest.mark.parametrize("before", ["", LAZY], ids=["late", "early"])
def test_each_study_finds_its_own_neighbours(tmp_path, before):
    path, modules = list(sys.path), set(sys.modules)
    studies = [find_study(str(written(tmp_path / name, n, before))) for name, n in (("a", 1), ("b", 2))]
    for _ in range(2):
        for number, study in enumerate(studies, 1):
            outcome = run_study(study, out=tmp_path / f"out{number}", progress=False)
            assert outcome.findings == [f"found {number}"]
    assert sys.path == path
    assert not {"neighbour", "parts", "parts.number"} & (set(sys.modules) - modules)


def test_the_command_line_finds_them_too(tmp_path, capsys):
    assert ended("run", written(tmp_path / "a"), "--out", tmp_path / "out") in (0, None)
    assert "found 1" in capsys.readouterr().out
    late = written(tmp_path / "b", before="from options import Options")
    (tmp_path / "b" / "options.py").write_text(
        "from __future__ import annotations\nfrom dataclasses import dataclass\nfrom rssp.study import option\n"
        "@dataclass(frozen=True)\nclass Options:\n    size: int = option(1, 'how large')\n"
    )
    late.write_text(late.read_text().replace("findings=findings", "findings=findings, options=Options"))
    assert ended("run", late, "--out", tmp_path / "out", "--size", "2") in (0, None)


BROKEN = {
    "def broken(:\n": "line 1: SyntaxError",
    "x = 1\nx = missing\n": "line 2: NameError",
    "\nraise SystemExit(0)\n": "line 2: SystemExit: 0",
    "import no_such_neighbour": "line 1: ModuleNotFoundError",
    "x = '\0'": "own.py",
    "x = '\xff'": "own.py",
}


@pytest.mark.parametrize("text", BROKEN)
def test_a_file_that_cannot_be_run_is_named_with_its_line(tmp_path, capsys, text):
    path = tmp_path / "own.py"
    path.write_bytes(text.encode("latin-1"))
    for arguments in (("run", path), ("check", path), ("check", "lueker_1998", "--claims", path)):
        assert ended(*arguments) == 2
        captured = capsys.readouterr()
        assert captured.out == ""
        assert captured.err.startswith("rssp: ")
        assert BROKEN[text] in captured.err
        assert str(path) in captured.err
    assert "rssp_study_own" not in sys.modules or sys.modules["rssp_study_own"].__file__ != str(path)
    with pytest.raises(ArgumentError):
        load_claims(path)


@pytest.mark.parametrize(("where", "code"), [("inside", 2), ("findings", 1)])
def test_a_study_does_not_end_the_process(tmp_path, capsys, where, code):
    path = written(tmp_path / "a", **{where: "raise SystemExit(0)"})
    assert ended("run", path, "--out", tmp_path / "out") == code
    error = capsys.readouterr().err
    assert "study: got own" in error
    assert "own.py, line " in error


@pytest.mark.parametrize("place", ["tables", "figures", "keys of a task"])
def test_a_name_that_stands_twice_is_refused(tmp_path, place):
    """Python keeps the last of two keys of one name, so that a table or figure would be lost without a word."""
    path = written(tmp_path / "a")
    text = path.read_text().replace('{"rows": Schema(Column("n", "int"))}', "TABLES, figures=FIGURES")
    names = {"tables": '{"rows": Schema(Column("n", "int"))}', "figures": "{}"}
    double = {
        "tables": '{"rows": Schema(), "rows": Schema(Column("n", "int"))}',
        "figures": '{"rows": print, "rows": print}',
    }
    if place in names:
        names[place] = double[place]
    else:
        text = text.replace("import rssp\n", 'import rssp\nkeys = {"rows": 1, **{}, "rows": 2}\n', 1)
    path.write_text(text.replace("TABLES", names["tables"]).replace("FIGURES", names["figures"]))
    with pytest.raises(ArgumentError, match=r"study own: got 'rows' twice in one \{\.\.\.\}.*rename"):
        find_study(str(path))


def test_names_that_are_one_file_are_refused():
    schemas = {"rows": SCHEMA, "Rows": SCHEMA}
    with pytest.raises(ArgumentError, match=r"study mine: tables: got 'rows' and 'Rows'.*rename"):
        Study(name="mine", question="?", analyse=lambda runs, context: {}, tables=schemas)
    with pytest.raises(ArgumentError, match=r"study mine: figures: got 'a' and 'A'.*rename"):
        Study(name="mine", question="?", analyse=lambda r, c: {}, tables={}, figures={"a": print, "A": print})
    with pytest.raises(ArgumentError, match=r"figures: got '\.\./a'"):
        Study(name="mine", question="?", analyse=lambda r, c: {}, tables={}, figures={"../a": print})


def test_two_tasks_of_one_name_are_refused(tmp_path):
    experiment = Experiment(rssp.Uniform(), rssp.Ball(1), Coverage(4, 0.5))

    def study(*tasks):
        return Study(name="mine", question="?", analyse=lambda runs, context: {}, tables={}, plan=lambda c: tasks)

    with pytest.raises(ArgumentError, match=r"study mine: plan: got two tasks 'all'.*sets it apart"):
        run_study(study(Task("all", experiment, 8), Task("all", experiment, 8)), out=tmp_path, progress=False)
    with pytest.raises(ArgumentTypeError, match=r"study mine: plan: got Experiment.*rssp\.Task"):
        run_study(study(experiment), out=tmp_path, progress=False)
    assert not (tmp_path / "store").exists()


BROKEN_PARTS = """
import rssp
from rssp.claims import Claim, Kind, add_claim
from rssp.schemas import INTERVAL, Schema
from rssp.study import Rows, Study
import pandas as pd

def figure(tables):
    return tables["missing"]

def findings(tables):
    return [1 / 0]

def wrong(low):
    return low > "a"

row = {"quantity": "x", "low": 1.0, "best": 2.0, "high": 3.0, "confidence": 0.95, "evidence": "measured"}
add_claim(Claim(id="two", paper="A. Student", number="1", statement="x = 2", latex="x = 2", kind=Kind.PUBLISHED,
                quantity="x", formula=lambda value: value, constants={"value": 2.0}))
add_claim(Claim(id="three", paper="A. Student", number="1", statement="x = 3", latex="x = 3", kind=Kind.PUBLISHED,
                quantity="x", formula=lambda value: value, constants={"value": 3.0}))
STUDY = Study(name="own", question="?", analyse=lambda runs, context: {"rows": pd.DataFrame([row])},
              tables={"rows": Schema() + INTERVAL}, claims={"two": Rows("rows"), "three": Rows("rows", {"low": wrong})},
              figures={"bad": figure}, findings=findings, show=("rows",))
"""


def test_what_fails_does_not_take_the_rest_with_it(tmp_path, capsys, monkeypatch):
    """Tables and other verdicts are kept; the errors come from the study's own lines, and the exit code is 1."""
    monkeypatch.setattr(registry, "_CLAIMS", {})
    path = tmp_path / "own.py"
    path.write_text(BROKEN_PARTS)
    assert ended("run", path, "--out", tmp_path / "out") == 1
    captured = capsys.readouterr()
    assert "own-rows.csv" in captured.out
    assert "two" in captured.out
    assert "holds" in captured.out
    for what, line in (
        ("figure bad", "own.py, line 9: KeyError: 'missing'"),
        ("findings", "own.py, line 12: ZeroDivisionError"),
        ("verdict on three", "own.py, line 15: TypeError"),
    ):
        assert f"rssp: {what} of own: {line}" in captured.err
    assert 'return tables["missing"]' in captured.err
    assert "rssp/study/running.py" not in captured.err
    outcome = run_study(find_study(str(path)), out=tmp_path / "out", progress=False)
    assert [v.claim.id for v in outcome.verdicts] == ["two"]
    assert [f.what for f in outcome.failures] == ["verdict on three", "findings", "figure bad"]
    assert isinstance(outcome.failures[1].error, ZeroDivisionError)
    assert ended("figures", path, "--tables", tmp_path / "out" / "own" / "quick") == 1
    assert "figure bad of own" in capsys.readouterr().err


def test_findings_are_texts(tmp_path):
    study = Study(name="mine", question="?", analyse=lambda r, c: {}, tables={}, findings=lambda tables: "one text")
    (failure,) = run_study(study, out=tmp_path, progress=False).failures
    assert "a list of texts" in str(failure)


def test_remedies_name_what_runs(tmp_path, capsys, monkeypatch):
    path = written(tmp_path / "my studies", inside="number = 1", findings="number = 1")
    assert find_study(str(path)).command == f"rssp run '{path}'"
    assert find_study("lueker_1998").command == "rssp run lueker_1998"
    monkeypatch.chdir(path.parent)
    assert ended("check", "own.py", "--out", tmp_path / "out", "--figures", tmp_path) == 2
    remedy = capsys.readouterr().err.partition("Run it first: rssp ")[2].split()
    assert remedy == ["run", "own.py"]
    assert ended(*remedy, "--out", tmp_path / "out") in (0, None)


@pytest.mark.parametrize("arguments", [["--help"], ["--out", "out", "--scale", "quick"], ["--nothing"]])
def test_a_script_shows_the_usage_that_works(tmp_path, capsys, monkeypatch, arguments):
    path = written(tmp_path / "a", inside="number = 1", findings="number = 1")
    monkeypatch.chdir(path.parent)
    monkeypatch.setattr(sys, "argv", ["own.py", *arguments])
    with pytest.raises(SystemExit) as end:
        main(arguments, script="own.py")
    captured = capsys.readouterr()
    if "--out" in arguments:
        assert end.value.code in (0, None)
        assert "own-rows.csv" in captured.out
    else:
        usage = captured.out + captured.err
        assert "Usage: python own.py [OPTIONS]" in usage
        assert "run [OPTIONS]" not in usage
        assert "Arguments" not in usage  # the study is said already


def test_list_reads_what_it_can(tmp_path, monkeypatch, capsys):
    texts = {
        "good": "STUDY = Study(question='Is it?')",
        "typed": "STUDY: Study = Study(question='Is it?')",
        "computed": "STUDY = Study(question=text)",
        "number": "STUDY = Study(question=3)",
        "broken": "STUDY = (",
        "helper": "x = 1",
    }
    for name, text in texts.items():
        (tmp_path / f"{name}.py").write_text(text)
    (tmp_path / ".#good.py").symlink_to("user@host.1234:1")
    (tmp_path / ".hidden.py").write_text(texts["good"])
    (tmp_path / "folder.py").mkdir()
    (tmp_path / "bytes.py").write_bytes(b"\xff\0")
    os.mkfifo(tmp_path / "pipe.py")
    monkeypatch.setattr(finding, "studies_folder", lambda: tmp_path)
    questions = study_questions()
    assert sorted(questions) == sorted(list_studies()) == ["broken", "bytes", "computed", "good", "number", "typed"]
    assert questions["good"] == questions["typed"] == "Is it?"
    assert questions["computed"] == questions["number"] == "(not written as a literal)"
    assert questions["broken"].startswith("(cannot be read")
    assert ended("list") in (0, None)
    assert "Is it?" in capsys.readouterr().out


SCHEMA = Schema(Column("n", "int"), Column("p", "float"))


def test_tables_that_were_tampered_with_are_named(tmp_path, capsys):
    study = Study(name="mine", question="?", analyse=lambda runs, context: {}, tables={"a": SCHEMA, "b": SCHEMA})
    a, b = tmp_path / "mine-a.csv", tmp_path / "mine-b.csv"
    good = pd.DataFrame({"n": [1], "p": [0.5]}).to_csv(index=False)
    for text in (None, "", "n\n1\n", "n,p\nx,1\n", "n,p\n1,x\n", "n,p\n" + "9" * 400 + ",1\n", "n,p\n,1\n", '"', "\0"):
        a.write_text(good)
        b.unlink(missing_ok=True)
        if text is not None:
            b.write_text(text)
        with pytest.raises(StoreError, match=r"mine-b\.csv cannot be read"):
            stored_tables(study, tmp_path / "out", tmp_path)
    b.write_text(good)
    stored_tables(study, tmp_path / "out", tmp_path)
    for text in ("[]", "3", "null", '"scale"', '{"scale": 1}', "{", ""):
        (tmp_path / "mine.json").write_text(text)
        assert provenance(study, tmp_path) == ""


def test_figures_of_an_empty_table_are_spoken_of(tmp_path, capsys):
    path = written(tmp_path / "a", inside="number = 1", findings="number = 1")
    (tmp_path / "own-rows.csv").write_text("n\n")
    assert ended("figures", path, "--tables", tmp_path) in (0, None)
    assert "own-rows.csv has no rows" in capsys.readouterr().err
    (tmp_path / "own-rows.csv").write_text("n\n1\n")
    assert ended("figures", path, "--tables", tmp_path) in (0, None)
    assert capsys.readouterr().err == ""
