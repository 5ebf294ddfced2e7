"""The floors of the architecture: a file imports only from its own floor or from the floors below it."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1] / "rssp"
FLOORS = [  # the first that matches, by the beginning of the dotted name
    (
        0,
        (
            "errors",
            "_arguments",
            "_compiling",
            "_identity",
            "_jit",
            "_shipped",
            "_version",
            "_costs",
            "_memory",
            "_files",
            "estimates",
            "intervals",
            "schemas",
            "trials",
        ),
    ),
    (1, ("laws", "balls")),
    (2, ("subsetsum",)),
    (3, ("inference", "prediction", "montecarlo")),
    (4, ("claims",)),
    (5, ("tickets",)),
    (6, ("report",)),
    (7, ("study", "cli", "__main__")),
]
FORBIDDEN = {  # what a floor must not know although it lies below
    "claims": ("montecarlo",),
    "inference": ("montecarlo", "prediction", "subsetsum"),
    "prediction": ("montecarlo", "inference"),
    "report": ("montecarlo", "subsetsum", "tickets"),
}


def _floor(name: str) -> int:
    first = name.split(".")[0]
    return next(floor for floor, names in FLOORS if first in names)


def _imports(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("rssp."):
            found.add(node.module.removeprefix("rssp."))
        elif isinstance(node, ast.ImportFrom) and node.module == "rssp":
            found |= {alias.name for alias in node.names if (ROOT / alias.name).exists()}
        elif isinstance(node, ast.Import):
            found |= {a.name.removeprefix("rssp.") for a in node.names if a.name.startswith("rssp.")}
    return found


FILES = sorted(p for p in ROOT.rglob("*.py") if p != ROOT / "__init__.py")


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_imports_go_down(path: Path) -> None:
    name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
    for other in _imports(path):
        assert _floor(other) <= _floor(name), f"{name} imports {other}, which lies above it"
        assert not other.startswith(FORBIDDEN.get(name.split(".")[0], ())), f"{name} must not know {other}"


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_files_hold_one_idea(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 400
