"""Running a study: its tasks, its tables, its figures and its verdicts."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rssp._version import __version__
from rssp.errors import ArgumentError
from rssp.study.definition import SCALES, Context, Study, Tables
from rssp.study.neighbours import at_home
from rssp.study.options import make_options
from rssp.study.tables import read_tables, write_tables

if TYPE_CHECKING:
    from rssp.claims import Verdict

__all__ = ["Outcome", "draw", "run_study"]


@dataclass(frozen=True)
class Outcome:
    """What a run of a study left: its tables, verdicts, findings and the files written."""

    study: Study
    tables: Tables
    verdicts: Sequence[Verdict]
    findings: Sequence[str]
    files: Sequence[Path]


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
    """
    from rssp.montecarlo import run

    if scale not in SCALES:
        raise ArgumentError("scale", repr(scale), ", ".join(SCALES))
    with at_home(study):
        context = Context(scale, seed, workers, make_options(study.options, options))
        tasks = {task.name: task for task in study.plan(context)}
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
        files += draw(study, tables, folder)
        return Outcome(study, tables, study.verdicts(tables), study.findings(tables), files)


def draw(study: Study, tables: Tables, folder: Path) -> list[Path]:
    """The figures of a study from its tables, as SVG and PNG; the same tables give the same bytes."""
    from rssp.report import save, style

    files: list[Path] = []
    for name, function in study.figures.items():
        with style(), at_home(study):
            files += save(function(tables), folder / f"{study.name}-{name}")
    return files
