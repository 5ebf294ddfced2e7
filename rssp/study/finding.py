"""Which studies there are, and which of them measures a claim."""

from __future__ import annotations

import ast
import importlib.util
import sys
from functools import cache
from pathlib import Path

from rssp._shipped import studies_folder
from rssp.errors import ArgumentError
from rssp.study.definition import Study

__all__ = ["find_study", "list_studies", "measured_by", "study_questions"]


def list_studies() -> dict[str, Path]:
    """The file of every study that is known by its name: those that come with rssp, and no others."""
    return {path.stem: path for path in sorted(studies_folder().glob("*.py")) if _question(path) is not None}


def study_questions() -> dict[str, str]:
    """The question of every study in `list_studies`, read from its file without running it."""
    return {name: _question(path) or "" for name, path in list_studies().items()}


@cache
def _question(path: Path) -> str | None:
    """The literal ``question=`` of the file's ``STUDY = Study(...)``; None where there is none."""
    for statement in ast.parse(path.read_text(encoding="utf-8"), str(path)).body:
        match statement:
            case ast.Assign(targets=[ast.Name(id="STUDY")], value=ast.Call(keywords=keywords)):
                return next((ast.literal_eval(k.value) for k in keywords if k.arg == "question"), None)
    return None


def find_study(name: str) -> Study:
    """A study that comes with rssp by its name, or one of your own by the path of its file, which is run.

    ArgumentError where there is none. The working directory is not searched: what lies there is run only if its path
    is given.
    """
    path = Path(name) if name.endswith(".py") else list_studies().get(name)
    if path is None or not path.is_file():
        known = ", ".join(list_studies())
        raise ArgumentError("study", repr(name), f"the path of a study file that ends in .py, or one of {known}")
    spec = importlib.util.spec_from_file_location(f"rssp_study_{path.stem}", path)
    if spec is None or spec.loader is None:
        raise ArgumentError("study", repr(name), "a Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    sys.path.insert(0, str(path.resolve().parent))  # as for a script: studies may share a file beside them
    try:
        spec.loader.exec_module(module)
    finally:
        sys.path.pop(0)
    study = getattr(module, "STUDY", None)
    if not isinstance(study, Study):
        raise ArgumentError("study", str(path), "a file that defines STUDY = rssp.Study(...)")
    return study


def measured_by() -> dict[str, tuple[str, ...]]:
    """The studies that measure a claim, by the claim's id: what the studies that come with rssp say of themselves."""
    found: dict[str, tuple[str, ...]] = {}
    for name in list_studies():
        for id in find_study(name).claims:
            found[id] = (*found.get(id, ()), name)
    return found
