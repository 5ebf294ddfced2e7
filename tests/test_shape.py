"""The shape of all code: the longest file and function, the most branches and parameters; printed, and held.

Code lines are those of a function less its docstring, blank lines and comments. A branch is an if, a loop, a handler, a
case, a comprehension, or one more operand of `and` and `or`. Parameters do not include `self` and `cls`; of public
functions keyword-only options do not count: they are named where they are given, and each has a default.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[1]
FOLDERS = ("rssp", "studies", "benchmarks", "tests")
LIMITS = {"code lines": 80, "branches": 25, "parameters": 8}
LONGEST_FILE = 500
EXCEPTIONS = {  # (file, function): the limit that does not hold, and why
    ("rssp/cli/run.py", "run"): ("parameters", "typer makes an option of the command line of each parameter"),
    ("rssp/cli/estimate.py", "estimate"): ("parameters", "typer makes an option of the command line of each parameter"),
    ("rssp/cli/check.py", "check"): ("parameters", "typer makes an option of the command line of each parameter"),
    ("rssp/cli/ticket.py", "ticket"): ("parameters", "typer makes an option of the command line of each parameter"),
    ("rssp/tickets/nodes.py", "_batch_norm"): (
        "parameters",
        "those of torch.nn.functional.batch_norm, by which it is called",
    ),
    ("rssp/claims/catalog/burkholz22.py", "_statistic"): (
        "parameters",
        "the fields of one line of the published statistics",
    ),
}
BRANCHES = (ast.If, ast.IfExp, ast.For, ast.While, ast.ExceptHandler, ast.match_case, ast.comprehension)


class Measured(NamedTuple):
    file: str
    function: str
    what: str
    value: int


def code_lines(node: ast.FunctionDef, lines: list[str]) -> int:
    prose: set[int] = set()
    for part in ast.walk(node):
        if isinstance(part, (ast.FunctionDef, ast.ClassDef)) and ast.get_docstring(part) is not None:
            prose.update(range(part.body[0].lineno, (part.body[0].end_lineno or 0) + 1))
    numbers = range(node.lineno, (node.end_lineno or 0) + 1)
    return sum(i not in prose and lines[i - 1].strip()[:1] not in ("", "#") for i in numbers)


def branches(node: ast.FunctionDef) -> int:
    parts = list(ast.walk(node))
    return sum(isinstance(p, BRANCHES) for p in parts) + sum(
        len(p.values) - 1 for p in parts if isinstance(p, ast.BoolOp)
    )


def parameters(node: ast.FunctionDef) -> int:
    given = [*node.args.posonlyargs, *node.args.args]
    options = len(node.args.kwonlyargs) if node.name.startswith("_") else 0
    return len(given) - (bool(given) and given[0].arg in ("self", "cls")) + options


def measured(path: Path) -> Iterator[Measured]:
    text = path.read_text(encoding="utf-8")
    lines, name = text.splitlines(), path.relative_to(ROOT).as_posix()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef):
            yield Measured(name, node.name, "code lines", code_lines(node, lines))
            yield Measured(name, node.name, "branches", branches(node))
            yield Measured(name, node.name, "parameters", parameters(node))


FILES = sorted(path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py"))
ALL = [m for path in FILES for m in measured(path)]


@pytest.mark.parametrize("what", LIMITS)
def test_functions_are_small(what: str, capsys: pytest.CaptureFixture[str]) -> None:
    found = sorted((m for m in ALL if m.what == what), key=lambda m: -m.value)
    with capsys.disabled():
        print(f"\nmost {what} of {len(found)} functions:", *(f"{m.value} {m.file} {m.function}" for m in found[:3]))
    excused = {place for place, (limit, _) in EXCEPTIONS.items() if limit == what}
    assert not [m for m in found if m.value > LIMITS[what] and (m.file, m.function) not in excused]


def test_files_hold_one_idea(capsys: pytest.CaptureFixture[str]) -> None:
    lengths = {path.relative_to(ROOT).as_posix(): len(path.read_text("utf-8").splitlines()) for path in FILES}
    longest = sorted(lengths, key=lambda name: -lengths[name])
    package = [length for name, length in lengths.items() if name.startswith("rssp/")]
    with capsys.disabled():
        print(f"\nlongest of {len(FILES)} files:", *(f"{lengths[name]} {name}" for name in longest[:3]))
        print(f"rssp: {len(package)} files, {sum(package):,} lines")
    assert lengths[longest[0]] <= LONGEST_FILE


def test_a_study_and_a_file_of_the_catalogue_never_share_a_name() -> None:
    studies, papers = (
        {path.stem for path in (ROOT / folder).glob("*.py")} for folder in ("studies", "rssp/claims/catalog")
    )
    assert studies
    assert papers
    assert not studies & papers


def test_exceptions_are_still_needed() -> None:
    beyond = {(m.file, m.function) for m in ALL if m.value > LIMITS[m.what]}
    assert set(EXCEPTIONS) <= beyond


def test_the_measure_sees_what_it_should() -> None:
    source = 'def f(self, a, *, b=1):\n    """Two\n    lines."""\n    # why\n    if a and b or a:\n        return 1\n'
    node = ast.parse(source).body[0]
    assert isinstance(node, ast.FunctionDef)
    assert (code_lines(node, source.splitlines()), branches(node), parameters(node)) == (3, 3, 1)
    node.name = "_f"
    assert parameters(node) == 2
