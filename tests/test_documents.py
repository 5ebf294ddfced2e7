"""What the documents point at is there: files, links, and the functions of CONTRIBUTING's walk from law to verdict."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

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
    named = re.findall(r"`((?:python )?(?:rssp|studies|tests|benchmarks|docs|figures|\.ci)/[\w./-]*)`", text)
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
