"""Many results directories into one, and what a directory holds."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from rssp._files import write_atomically
from rssp._identity import differences
from rssp.errors import ArgumentError, StoreError
from rssp.montecarlo.store import (
    Store,
    check_duplicates,
    experiment_directories,
    part_paths,
    read_part,
    sound_parts,
    stored_experiment,
)

__all__ = ["merge", "status"]

_PathLike = str | os.PathLike[str]


def merge(directories: Sequence[_PathLike], out: _PathLike, *, different: bool = False) -> Path:
    """Merge results directories into `out`; a batch found twice counts once.

    Parts are copied as they are, after everything was read and checked: an error leaves `out` as it was. Damaged parts
    are named in a StoreWarning and left out. Reads each part once; memory for one part at a time.

    Parameters
    ----------
    directories : results directories, one or more
    out : results directory to write, new or one that exists (its content then counts too)
    different : also merge directories that have no experiment in common

    Returns
    -------
    Path of `out`

    Raises
    ------
    StoreError
        If a directory has no experiment in common with the others (the fields that differ are named), holds no results,
        or two parts give different content for one batch; if `out` cannot be written.
    """
    if isinstance(directories, (str, os.PathLike)) or not directories:
        raise ArgumentError("directories", repr(directories), "a list of one or more results directories")
    target = Path(out)
    sources = [Path(d) for d in directories]
    if target.is_dir() and any(target.iterdir()):
        sources.insert(0, target)
    found = {source: {d.name: d for d in experiment_directories(source)} for source in sources}
    texts = {key: stored_experiment(d) for known in found.values() for key, d in known.items()}
    if not different:
        _require_common(found, texts)
    plan = {
        key: _new_parts([known[key] for known in found.values() if key in known], target / key, texts[key])
        for key in texts
    }
    for key, files in plan.items():
        store = Store(target, texts[key])
        for file in files:
            write_atomically(store.path / file.name, file.read_bytes())
    return target


def _require_common(found: dict[Path, dict[str, Path]], texts: dict[str, str]) -> None:
    """Each directory shares an experiment with one before it."""
    known: set[str] = set()
    for source, mine in found.items():
        if known and mine and not known & set(mine):
            lines = min((differences(texts[a], texts[b]) for a in sorted(known) for b in sorted(mine)), key=len)
            raise StoreError(
                f"{source} has no experiment in common with the directories before it; the closest two differ in "
                f"{'; '.join(lines)}. Trials of different experiments cannot be added up; to keep them side by side in "
                "one directory, merge with different=True."
            )
        known |= set(mine)


def _new_parts(directories: list[Path], target: Path, text: str) -> list[Path]:
    """The parts of one experiment that bring a batch which the target and the parts before them lack."""
    seen: dict[int, tuple[str, Path]] = {}
    files = []
    for directory in directories:
        for part in sound_parts(directory, text):
            new = any(entry["batch"] not in seen for entry in part.entries)
            check_duplicates(part, seen)
            if new and directory != target:
                files.append(part.path)
    return files


def status(directory: _PathLike) -> pd.DataFrame:
    """What a results directory holds, one row an experiment.

    Columns: experiment (the first 12 digits of its key), law, ball, measurement, seed, batch_size, trials (stored, in
    whole batches), failed, batches, seconds (of computation, all workers), bytes, versions, reason (why the last run
    ended; "not finished" if it was killed), damaged (names of part files that cannot be read).

    Raises StoreError if `directory` is missing or holds something else.
    """
    columns = ["experiment", "law", "ball", "measurement", "seed", "batch_size", "trials", "failed", "batches"]
    columns += ["seconds", "bytes", "versions", "reason", "damaged"]
    return pd.DataFrame([_row(path) for path in experiment_directories(directory)], columns=columns)


def _row(path: Path) -> dict[str, Any]:
    data = json.loads(stored_experiment(path))
    entries: dict[int, dict[str, Any]] = {}
    versions, damaged, size = set(), [], 0
    for file in part_paths(path):
        size += file.stat().st_size
        part = read_part(file)
        if part is None:
            damaged.append(file.name)
            continue
        versions.add(part.version)
        for entry in part.entries:
            entries.setdefault(entry["batch"], entry)
    return {
        "experiment": path.name[:12],
        **{name: _short(data[name]) for name in ("law", "ball", "measurement")},
        "seed": data.get("seed", 0),
        "batch_size": data["batch_size"],
        "trials": len(entries) * data["batch_size"],
        "failed": sum(len(e["errors"]) for e in entries.values()),
        "batches": len(entries),
        "seconds": float(sum(e["seconds"] for e in entries.values())),
        "bytes": size,
        "versions": ", ".join(sorted(versions)),
        "reason": _reason(path),
        "damaged": ", ".join(damaged),
    }


def _reason(path: Path) -> str:
    try:
        return str(json.loads((path / "run.json").read_text(encoding="utf-8"))["reason"])
    except (OSError, ValueError, KeyError, TypeError):
        return "not finished"


def _short(data: Any) -> str:
    """JSON data as one would write it in Python."""
    if isinstance(data, dict):
        inner = ", ".join(f"{k}={_short(v)}" for k, v in data.items() if k != "type")
        return f"{data.get('type', '')}({inner})"
    if isinstance(data, list):
        return "(" + ", ".join(map(_short, data)) + ")"
    return f"{data:g}" if isinstance(data, float) else str(data)
