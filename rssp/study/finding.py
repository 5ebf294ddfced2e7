"""Which studies there are, and which of them measures a claim."""

from __future__ import annotations

import ast
import dataclasses
import importlib.util
import os
import sys
from contextlib import suppress
from functools import cache
from pathlib import Path

from rssp._shipped import studies_folder
from rssp.errors import ArgumentError
from rssp.study.definition import Study
from rssp.study.neighbours import STUDY_MODULE, beside, foreign_code

__all__ = ["find_study", "list_studies", "measured_by", "study_questions"]


def list_studies() -> dict[str, Path]:
    """The file of every study that is known by its name: those that come with rssp, and no others."""
    return {path.stem: path for path in sorted(studies_folder().glob("*.py")) if _question(path) is not None}


def study_questions() -> dict[str, str]:
    """The question of every study in `list_studies`, read from its file without running it."""
    return {name: _question(path) or "" for name, path in list_studies().items()}


@cache
def _question(path: Path) -> str | None:
    """The literal ``question=`` of the file's ``STUDY = Study(...)``; None where there is no STUDY.

    A remark in brackets where it is no literal or the file cannot be read: an author's half-written study must not hide
    the others.
    """
    if path.name.startswith(".") or not os.path.isfile(path):  # what editors leave
        return None
    try:
        statements = ast.parse(path.read_bytes(), str(path)).body
    except (OSError, SyntaxError, ValueError, RecursionError, MemoryError) as cause:
        return f"(cannot be read: {cause})"
    for statement in statements:
        match statement:
            case (
                ast.Assign(targets=[ast.Name(id="STUDY")], value=value)
                | ast.AnnAssign(target=ast.Name(id="STUDY"), value=value)
            ):
                return _literal_question(value)
    return None


def _literal_question(value: ast.expr | None) -> str:
    given = [k.value for k in value.keywords if k.arg == "question"] if isinstance(value, ast.Call) else []
    with suppress(ValueError):
        found = ast.literal_eval(given[0]) if given else None
        if isinstance(found, str):
            return found
    return "(not written as a literal)"


def find_study(name: str) -> Study:
    """A study that comes with rssp by its name, or one of your own by the path of its file, which is run.

    ArgumentError where there is none, or where its file cannot be run. The working directory is not searched: what lies
    there is run only if its path is given.
    """
    path = Path(name) if name.endswith(".py") else list_studies().get(name)
    if path is None or not os.path.isfile(path):
        known = ", ".join(list_studies())
        raise ArgumentError("study", repr(name), f"the path of a study file that ends in .py, or one of {known}")
    _refuse_twice(path)
    spec = importlib.util.spec_from_file_location(f"{STUDY_MODULE}{path.stem}", path)
    if spec is None or spec.loader is None:
        raise ArgumentError("study", repr(name), "a Python file")
    module = importlib.util.module_from_spec(spec)
    before = sys.modules.get(spec.name)
    sys.modules[spec.name] = module
    try:
        with beside(path.parent), foreign_code("study", path):
            spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[spec.name]
        if before is not None:
            sys.modules[spec.name] = before
        raise
    study = getattr(module, "STUDY", None)
    if not isinstance(study, Study):
        raise ArgumentError("study", str(path), "a file that defines STUDY = rssp.Study(...)")
    return dataclasses.replace(study, file=path.resolve())


def _refuse_twice(path: Path) -> None:
    """ArgumentError for a ``{...}`` in which one name stands twice, such as two tables or two figures of a study.

    Python keeps the last and drops the others without a word, so that only the text of the file can tell.
    """
    try:
        tree = ast.parse(path.read_bytes(), str(path))
    except (OSError, SyntaxError, ValueError, RecursionError, MemoryError):
        return  # running the file says what is wrong with it
    for display in (node for node in ast.walk(tree) if isinstance(node, ast.Dict)):
        keys = [k for k in display.keys if isinstance(k, ast.Constant) and isinstance(k.value, str)]
        for place, key in enumerate(keys):
            if key.value in [other.value for other in keys[:place]]:
                received = f"{key.value!r} twice in one {{...}}, again in line {key.lineno}"
                remedy = "The first would be dropped without a word: rename one of the two."
                raise ArgumentError(f"study {path.stem}", received, "each name once", remedy)


def measured_by() -> dict[str, tuple[str, ...]]:
    """The studies that measure a claim, by the claim's id: what the studies that come with rssp say of themselves."""
    found: dict[str, tuple[str, ...]] = {}
    for name in list_studies():
        for id in find_study(name).claims:
            found[id] = (*found.get(id, ()), name)
    return found
