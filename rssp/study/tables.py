"""The small tables that a study leaves: written, read back with their types, and found again."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from rssp._arguments import choice
from rssp._files import write_atomically
from rssp._shipped import tables_folder
from rssp.errors import ArgumentError, StoreError
from rssp.study.definition import SCALES, Context, Study, Tables, Task
from rssp.study.neighbours import at_home
from rssp.study.options import make_options

__all__ = ["provenance", "read_tables", "stored_tables", "write_tables"]


def write_tables(study: Study, tables: Tables, provenance: Mapping[str, Any], folder: Path) -> list[Path]:
    """One CSV a table, and where they come from as JSON, each file whole or not at all; StoreError where that fails."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as cause:
        raise StoreError(f"out: cannot write {folder}: {cause}. Choose another directory with --out.") from cause
    texts = {name: table.to_csv(index=False, lineterminator="\n") for name, table in tables.items()}
    contents = {folder / f"{study.name}-{name}.csv": text for name, text in texts.items()}
    contents[folder / f"{study.name}.json"] = json.dumps(provenance, indent=1) + "\n"
    for path, text in contents.items():
        write_atomically(path, text.encode())
    return list(contents)


def read_tables(study: Study, folder: Path) -> dict[str, pd.DataFrame]:
    """The stored tables of a study, typed by their schemas; StoreError where there are none or one cannot be read."""
    if study.tables and not any((folder / f"{study.name}-{name}.csv").is_file() for name in study.tables):
        raise StoreError(f"{folder} holds no tables of {study.name}. Run it first: {study.command}")
    tables = {}
    for name, schema in study.tables.items():
        path = folder / f"{study.name}-{name}.csv"
        try:
            # as texts: "1" may be a label, and a number must come back to its last bit
            texts = pd.read_csv(path, dtype=str, keep_default_na=False)
            kinds = {column.name: column.kind for column in schema}
            read = {column: _read(texts[column], kinds.get(str(column), "text")) for column in texts}
            tables[name] = schema.checked(pd.DataFrame(read, columns=texts.columns), f"{name} of {study.name}")
        except (OSError, ValueError, OverflowError, ArgumentError) as cause:
            raise StoreError(f"{path} cannot be read: {cause} Run the study again: {study.command}") from cause
    return tables


def _read(texts: pd.Series, kind: str) -> pd.Series:
    """A column of texts as what it was before it was written."""
    if kind == "text":
        return texts
    if kind == "bool":
        return texts.map({"True": True, "False": False})
    numbers = pd.Series([float(text or "nan") for text in texts], dtype="float64")
    whole = kind == "int" and not numbers.isna().any()
    return pd.Series([int(text) for text in texts], dtype="int64") if whole else numbers


def stored_tables(
    study: Study, out: Path | str = "results", figures: Path | None = None, prefer: str = "best"
) -> tuple[Path, Tables]:
    """The best stored tables of a study, and where they lie.

    Parameters
    ----------
    out : the folder of one's own runs
    figures : the folder to fall back to, by default the tables that come with rssp
    prefer : "best", the largest scale of all, one's own before those shipped; or "results", the largest under `out` if
        there are any there

    A run counts as the largest scale, up to the one asked for, whose planned trials it has in every task. One with
    options of its own answers another question than the study's, and counts as none: it serves where nothing else is.
    """
    choice("prefer", prefer, ("best", "results"))
    last = tables_folder() if figures is None else figures
    own = [Path(out) / study.name / scale for scale in reversed(SCALES)]
    folders = [folder for folder in (*own, last) if any(folder.glob(f"{study.name}-*.csv"))]
    if prefer == "results" and folders[:1] != [last]:
        folders = [folder for folder in folders if folder in own]
    if not folders:
        raise StoreError(f"no stored results of {study.name} in {out} or {last}. Run it first: {study.command}")
    best = max(folders, key=lambda folder: _rank(study, folder))  # of equal ones the first
    return best, read_tables(study, best)


@dataclass(frozen=True)
class _Record:
    """What is written beside tables: how they were asked for, and how many trials each task really had.

    `trials` are by the name of the task, and by the key of its experiment, which stays where a task is renamed.
    """

    scale: str
    seed: int
    options: Mapping[str, Any]
    trials: Mapping[str, int]

    def lacking(self, planned: Mapping[str, Task]) -> list[str]:
        """The planned tasks that had fewer trials, or that were not run at all, in words."""
        had = [(self.trials.get(t.experiment.key, self.trials.get(name, 0)), t.trials) for name, t in planned.items()]
        return [f"{trials} trials where the scale plans {enough}" for trials, enough in had if trials < enough]


def _record(study: Study, folder: Path) -> _Record | None:
    try:
        data = json.loads((folder / f"{study.name}.json").read_text(encoding="utf-8"))
        tasks = data.get("tasks", {})
        trials = {name: int(task["trials"]) for name, task in tasks.items()}
        trials |= {task["key"]: int(task["trials"]) for task in tasks.values()}
        return _Record(str(data["scale"]), int(data["seed"]), dict(data.get("options", {})), trials)
    except (OSError, ValueError, LookupError, TypeError, AttributeError):  # lost, torn, or JSON of another make
        return None


def _changed(study: Study, record: _Record) -> dict[str, Any]:
    """The options that were not the study's defaults."""
    usual = dataclasses.asdict(make_options(study.options))
    changed = {}
    for name, value in record.options.items():
        try:
            same = getattr(make_options(study.options, {name: value}), name) == usual[name]
        except ArgumentError:  # an option that the study has no more, or a value that it does not take
            same = False
        if not same:
            changed[name] = value
    return changed


def _planned(study: Study, scale: str, seed: int) -> dict[str, Task] | None:
    """The tasks of a scale; None where there is no such scale or the study cannot plan it."""
    if scale not in SCALES:
        return None
    try:
        with at_home(study):
            context = Context(scale, seed, None, make_options(study.options))
            return {task.name: task for task in study.plan(context)}
    except Exception:  # whatever the code of a study may raise: then nothing is known of the scale
        return None


def _rank(study: Study, folder: Path) -> int:
    """The place in SCALES of the largest scale that the tables are as good as; -1 for none."""
    record = _record(study, folder)
    if record is None or record.scale not in SCALES or _changed(study, record):
        return -1
    for place in range(SCALES.index(record.scale), -1, -1):
        planned = _planned(study, SCALES[place], record.seed)
        if planned is not None and not record.lacking(planned):
            return place
    return -1


def provenance(study: Study, folder: Path) -> str:
    """Scale and seed of stored tables in one line, and what was not as the scale plans; "" where it is not recorded."""
    record = _record(study, folder)
    if record is None:
        return ""
    changed = ", ".join(f"{name} = {value}" for name, value in _changed(study, record).items())
    # with other options the plan is another
    lacking = [] if changed else record.lacking(_planned(study, record.scale, record.seed) or {})
    notes = [f"with {changed}"] if changed else lacking[:1]
    return "; ".join([f"scale {record.scale}, seed {record.seed}", *notes])
