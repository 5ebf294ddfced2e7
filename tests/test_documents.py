"""What the documents point at is there: files, links, and the functions of CONTRIBUTING's walk from law to verdict."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pandas as pd
import pytest

import rssp
from rssp.inference import coverage
from rssp.study import Rows
from rssp.study.columns import COVERAGE

ROOT = Path(__file__).parents[1]
DOCUMENTS = sorted(p for p in (*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "benchmarks").glob("*.md")))
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
WALK = CONTRIBUTING.split("## One sample, from its law to a verdict", 1)[1].split("\n## ", 1)[0]


def _defined(path: Path) -> set[str]:
    """The functions and classes of a file, and ``Class.method``."""
    names: set[str] = set()
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            names.add(node.name)
        if isinstance(node, ast.ClassDef):
            names |= {f"{node.name}.{part.name}" for part in node.body if isinstance(part, ast.FunctionDef)}
    return names


def _places() -> list[tuple[str, str]]:
    """The walk's stations, file and function; a file without a folder lies beside the one named before."""
    folder, found = "", []
    for file, name in re.findall(r"`([\w/]+\.py)`(?:,\s+`([\w.]+)`)?", WALK):
        folder = file.rsplit("/", 1)[0] if "/" in file else folder
        found.append((file if "/" in file else f"{folder}/{file}", name))
    return found


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda p: p.relative_to(ROOT).as_posix())
def test_links_lead_to_files(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    links = re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", text)
    local = [link for link in links if not link.startswith(("http:", "https:", "mailto:"))]
    assert [link for link in local if not (document.parent / link).exists()] == []


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md"])
def test_files_named_in_the_text_are_there(name: str) -> None:
    text = re.sub(r"^```.*?^```", "", (ROOT / name).read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    named = re.findall(r"`((?:python )?(?:rssp|studies|tests|benchmarks|docs|figures)/[\w./-]*)`", text)
    assert named
    assert [path for path in named if not (ROOT / path.removeprefix("python ")).exists()] == []


def test_the_walk_goes_through_every_floor() -> None:
    places = _places()
    assert len(places) >= 12
    wings = [file.split("/")[1] for file, _ in places if file.startswith("rssp/")]
    assert {"laws", "subsetsum", "montecarlo", "inference", "study", "claims"} <= set(wings)


@pytest.mark.parametrize(("file", "name"), _places())
def test_the_walk_names_what_is_there(file: str, name: str) -> None:
    path = ROOT / file
    assert path.is_file()
    assert not name or name in _defined(path)


def _plan(context: rssp.study.Context) -> Iterator[rssp.Task]:
    measurement = rssp.HittingTimes(eps=(0.25, 0.125), n_max=12)
    yield rssp.Task("uniform", rssp.Experiment(rssp.Uniform(), rssp.Ball(1), measurement, context.seed), trials=64)


def _analyse(runs: Mapping[str, rssp.Trials], context: rssp.study.Context) -> dict[str, pd.DataFrame]:
    return {"coverage": coverage(runs["uniform"])}


def test_the_walk_is_the_way_of_a_run(tmp_path: Path) -> None:
    """A study is run: the functions that the walk names are called, for the first time, in the order of the walk."""
    claims = {"counting-1d": Rows("coverage", measured="n*")}
    study = rssp.Study(
        name="walked", question="?", plan=_plan, analyse=_analyse, tables={"coverage": COVERAGE}, claims=claims
    )
    called: dict[tuple[str, str], int] = {}

    def note(frame, event: str, argument: object) -> None:
        if event == "call":
            called.setdefault((frame.f_code.co_filename, frame.f_code.co_qualname), len(called))

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        outcome = rssp.run_study(study, workers=1, out=tmp_path, progress=False)
    finally:
        sys.setprofile(before)
    assert outcome.failures == []
    assert len(outcome.verdicts) == 1
    walked = [(str(ROOT / file), name) for file, name in _places() if name and not file.startswith("studies/")]
    missing = [place for place in walked if place not in called]
    assert missing == []
    assert walked == sorted(walked, key=called.__getitem__)
