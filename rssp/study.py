"""A study: one question, the experiments that answer it, the claims it is held against, and its figures.

A study file defines ``STUDY = Study(...)`` and ends with ``STUDY.main()`` under ``if __name__ == "__main__"``; it then
runs as a script and as ``rssp run FILE``. What it computes passes through small tables, which are stored beside the
figures: figures and verdicts are made from these tables alone, so that they can be made again without computing.
"""

from __future__ import annotations

import ast
import importlib.util
import json
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from rssp._shipped import studies_folder, tables_folder
from rssp._version import __version__
from rssp.errors import ArgumentError, RsspError, StoreError
from rssp.trials import Trials

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from rssp.claims import Verdict
    from rssp.montecarlo import Experiment

__all__ = [
    "SCALES",
    "Outcome",
    "Study",
    "Task",
    "find_study",
    "list_studies",
    "read_tables",
    "run_study",
    "stored_tables",
    "study_questions",
]

SCALES = ("quick", "standard", "full")
"""up to a minute, up to ten, paper grade"""

Tables = Mapping[str, pd.DataFrame]


@dataclass(frozen=True)
class Task:
    """One Monte Carlo run of a study: its name, the experiment and the number of trials."""

    name: str
    experiment: Experiment
    trials: int


@dataclass(frozen=True)
class Context:
    """What a study's `analyse` may use beside the trials."""

    scale: str
    seed: int
    workers: int | None = None
    options: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Study:
    """One question and how it is answered.

    Parameters
    ----------
    name : str, that of its file
    question : str, one sentence
    analyse : function (trials by task name, Context) -> tables by name; where a study has no tasks it computes here
    plan : function (scale, seed) -> tasks
    judge : function (tables) -> verdicts
    figures : function (tables) -> Figure, by the figure's name
    show : the tables that a run prints, by name
    options : the study's own options with their defaults, as ``--set name=value`` gives them
    """

    name: str
    question: str
    analyse: Callable[[Mapping[str, Trials], Context], dict[str, pd.DataFrame]]
    plan: Callable[[str, int], Sequence[Task]] = lambda scale, seed: ()
    judge: Callable[[Tables], list[Verdict]] = lambda tables: []
    figures: Mapping[str, Callable[[Tables], Figure]] = field(default_factory=dict)
    show: Sequence[str] = ()
    options: Mapping[str, str] = field(default_factory=dict)

    def main(self) -> None:
        """Run this study from the command line, as a script."""
        from rssp.cli import main

        main(["run", sys.modules["__main__"].__file__ or self.name, *sys.argv[1:]])


@dataclass(frozen=True)
class Outcome:
    """What a run of a study left: its tables, verdicts and the files written."""

    study: Study
    tables: Tables
    verdicts: Sequence[Verdict]
    files: Sequence[Path]


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


def run_study(
    study: Study,
    *,
    scale: str = "quick",
    seed: int = 0,
    workers: int | None = None,
    out: Path | str = "results",
    trials: int | None = None,
    figures: Path | None = None,
    progress: bool = True,
    options: Mapping[str, str] | None = None,
) -> Outcome:
    """Run (or resume) a study: trials into ``out/store``, tables and figures into ``out/NAME/SCALE`` or `figures`.

    With `trials` every task has that many trials. The same arguments give the same files, byte for byte, whatever
    the number of workers.
    """
    from rssp.montecarlo import run

    if scale not in SCALES:
        raise ArgumentError("scale", repr(scale), ", ".join(SCALES))
    unknown = sorted(set(options or {}) - set(study.options))
    if unknown:
        raise ArgumentError("options", ", ".join(unknown), ", ".join(study.options) or f"none: {study.name} has none")
    tasks = list(study.plan(scale, seed))
    runs: dict[str, Trials] = {}
    for task in tasks:
        total = task.trials if trials is None else trials
        done = run(task.experiment, total, out=Path(out) / "store", workers=workers, progress=progress, label=task.name)
        runs[task.name] = done
    context = Context(scale, seed, workers, {**study.options, **(options or {})})
    tables = study.analyse(runs, context)
    folder = Path(figures) if figures is not None else Path(out) / study.name / scale
    provenance = {
        "study": study.name,
        "scale": scale,
        "seed": seed,
        "rssp": __version__,
        "options": dict(context.options),
        "tasks": {t.name: {"key": t.experiment.key, "trials": t.trials if trials is None else trials} for t in tasks},
    }
    files = _write_tables(study, tables, provenance, folder)
    tables = read_tables(study, folder)  # what is drawn and judged is what was stored
    files += draw(study, tables, folder)
    return Outcome(study, tables, study.judge(tables), files)


def draw(study: Study, tables: Tables, folder: Path) -> list[Path]:
    """The figures of a study from its tables, as SVG and PNG; the same tables give the same bytes."""
    from rssp.report import save, style

    files: list[Path] = []
    for name, function in study.figures.items():
        with style():
            files += save(function(tables), folder / f"{study.name}-{name}")
    return files


def _write_tables(study: Study, tables: Tables, provenance: Mapping[str, Any], folder: Path) -> list[Path]:
    files = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, table in tables.items():
            files.append(folder / f"{study.name}-{name}.csv")
            table.to_csv(files[-1], index=False, lineterminator="\n")
        files.append(folder / f"{study.name}.json")
        files[-1].write_text(json.dumps(provenance, indent=1) + "\n", encoding="utf-8")
    except OSError as cause:
        raise StoreError(f"out: cannot write {folder}: {cause}. Choose another directory with --out.") from cause
    return files


def read_tables(study: Study, folder: Path) -> dict[str, pd.DataFrame]:
    """The stored tables of a study; StoreError where there are none or one cannot be read."""
    pattern = re.compile(rf"{re.escape(study.name)}-(.+)\.csv")
    tables = {}
    for path in sorted(folder.glob(f"{study.name}-*.csv")):
        match = pattern.fullmatch(path.name)
        try:
            tables[match[1] if match else path.stem] = pd.read_csv(path, engine="pyarrow")
        except (OSError, ValueError) as cause:
            raise StoreError(f"{path} cannot be read: {cause}. Run the study again: rssp run {study.name}") from cause
    if not tables:
        raise StoreError(f"{folder} holds no tables of {study.name}. Run it first: rssp run {study.name}")
    return tables


def stored_tables(study: Study, out: Path | str = "results", figures: Path | None = None) -> tuple[Path, Tables]:
    """The best stored tables of a study, and where they lie.

    The largest scale run under `out`, else those in `figures`, by default the tables that come with rssp.
    """
    last = tables_folder() if figures is None else figures
    folders = [*(Path(out) / study.name / scale for scale in reversed(SCALES)), last]
    for folder in folders:
        try:
            return folder, read_tables(study, folder)
        except StoreError:
            if any(folder.glob(f"{study.name}-*.csv")):
                raise
    raise StoreError(f"no stored results of {study.name} in {out} or {last}. Run it first: rssp run {study.name}")


def provenance(study: Study, folder: Path) -> str:
    """Scale and seed of stored tables in one line, "" where it is not recorded."""
    try:
        data = json.loads((folder / f"{study.name}.json").read_text(encoding="utf-8"))
        return f"scale {data['scale']}, seed {data['seed']}"
    except (OSError, ValueError, KeyError, RsspError):
        return ""
