"""Running a study: its tasks, its tables, its verdicts and its figures.

What took long comes first and is written at once. An error in what is made from the tables alone (a verdict, a figure,
the findings) is kept beside the rest, which does not depend on it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rssp._version import __version__
from rssp.errors import ArgumentError, ArgumentTypeError
from rssp.study.definition import SCALES, Context, Study, Tables, Task
from rssp.study.neighbours import at_home, in_one_line, own_traceback
from rssp.study.options import make_options
from rssp.study.tables import read_tables, write_tables

if TYPE_CHECKING:
    from rssp.claims import Verdict

__all__ = ["Failure", "Outcome", "draw", "run_study"]


@dataclass(frozen=True)
class Failure:
    """A part of a study that ended in an error: "figure required", "findings", "verdict on lueker-1998"."""

    study: Study
    what: str
    error: Exception

    def __str__(self) -> str:
        return f"{self.what} of {self.study.name}: {in_one_line(self.error, self.study.folder)}"

    @property
    def traceback(self) -> str:
        """Where the error came from, in the study's own files."""
        return own_traceback(self.error, self.study.folder)


@dataclass(frozen=True)
class Outcome:
    """What a run of a study left: its tables, verdicts, findings, the files written, and what failed."""

    study: Study
    tables: Tables
    verdicts: Sequence[Verdict]
    findings: Sequence[str]
    files: Sequence[Path]
    failures: Sequence[Failure] = ()


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
    options: Mapping[str, Any] | None = None,
) -> Outcome:
    """Run (or resume) a study: trials into ``out/store``, tables and figures into ``out/NAME/SCALE`` or `figures`.

    With `trials` every task has that many trials. `options` are values, or texts as on the command line, by the name
    of the study's option. The same arguments give the same files, byte for byte, whatever the number of workers.

    Raises
    ------
    ArgumentError
        For a scale or an option that is not there, two tasks of one name, and tables that are not those declared. What
        else the study's `plan` and `analyse` raise passes through; errors of figures, findings and verdicts are in
        `Outcome.failures`, and everything else is kept.
    """
    from rssp.montecarlo import run

    if scale not in SCALES:
        raise ArgumentError("scale", repr(scale), ", ".join(SCALES))
    with at_home(study):
        context = Context(scale, seed, workers, make_options(study.options, options), progress=progress)
        tasks = _planned(study, context)
        if trials is not None:
            tasks = {name: dataclasses.replace(task, trials=trials) for name, task in tasks.items()}
        store = Path(out) / "store"
        runs = {
            name: run(task.experiment, task.trials, out=store, workers=workers, progress=progress, label=name)
            for name, task in tasks.items()
        }
        tables = study.checked(study.analyse(runs, dataclasses.replace(context, tasks=tasks)))
        folder = Path(figures) if figures is not None else Path(out) / study.name / scale
        provenance = {
            "study": study.name,
            "scale": scale,
            "seed": seed,
            "rssp": __version__,
            "options": dataclasses.asdict(context.options),
            "tasks": {name: {"key": task.experiment.key, "trials": task.trials} for name, task in tasks.items()},
        }
        files = write_tables(study, tables, provenance, folder)
        tables = read_tables(study, folder)  # what is drawn and judged is what was stored
        failures: list[Failure] = []
        verdicts: list[Verdict] = []
        for id in study.claims:
            with _kept(study, f"verdict on {id}", failures):
                verdicts += study.verdicts_on(id, tables)
        drawn, undrawn = draw(study, tables, folder)
        findings: list[str] = []
        with _kept(study, "findings", failures):
            findings += _texts(study.findings(tables))
        return Outcome(study, tables, verdicts, findings, [*files, *drawn], [*failures, *undrawn])


def _planned(study: Study, context: Context) -> dict[str, Task]:
    """The tasks by name; ArgumentError for two of one name, of which only the last would be run."""
    tasks: dict[str, Task] = {}
    for task in study.plan(context):
        if not isinstance(task, Task):
            raise ArgumentTypeError(f"study {study.name}: plan", task, "tasks: rssp.Task(name, experiment, trials)")
        if task.name in tasks:
            remedy = "Name each task for what sets it apart from the others."
            raise ArgumentError(f"study {study.name}: plan", f"two tasks {task.name!r}", "each name once", remedy)
        tasks[task.name] = task
    return tasks


def _texts(findings: Any) -> list[str]:
    if isinstance(findings, str) or not all(isinstance(line, str) for line in findings):
        raise ArgumentTypeError("findings", findings, "a list of texts")
    return list(findings)


@contextmanager
def _kept(study: Study, what: str, failures: list[Failure]) -> Iterator[None]:
    """Inside this context code of a study is run; an error ends it and is added to the failures."""
    try:
        with at_home(study):
            yield
    except Exception as error:  # whatever the code of a study may raise
        failures.append(Failure(study, what, error))


def draw(study: Study, tables: Tables, folder: Path) -> tuple[list[Path], list[Failure]]:
    """The figures of a study from its tables, as SVG and PNG, and those that failed.

    The same tables give the same bytes.
    """
    from rssp.report import save, style

    files: list[Path] = []
    failures: list[Failure] = []
    for name, function in study.figures.items():
        with _kept(study, f"figure {name}", failures), style():
            files += save(function(tables), folder / f"{study.name}-{name}")
    return files, failures
