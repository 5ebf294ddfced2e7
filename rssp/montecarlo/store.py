"""Results on disk: ``directory/<key>/part-<first batch>-<hash>.parquet``, with ``experiment.json`` beside.

A part is written to a temporary name, synced and renamed, so it is there whole or not at all. Its name carries the
SHA-256 of its bytes: a part that is truncated or altered is known as such, equal parts have equal names, and two
processes never write over each other. Each part's metadata holds the package version, the experiment's JSON and, for
each of its batches, rows, seconds, errors and a digest of the data.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from rssp._files import clear_abandoned, unwritable, write_atomically
from rssp._identity import differences
from rssp._version import __version__
from rssp.errors import StoreError, StoreWarning
from rssp.montecarlo.execution import Batch

__all__ = [
    "Part",
    "Store",
    "check_duplicates",
    "experiment_directories",
    "part_paths",
    "read_part",
    "sound_parts",
    "stored_experiment",
]

_METADATA = b"rssp"
_PART = re.compile(r"part-(\d{8,})-([0-9a-f]{24})\.parquet")
_KEY = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Part:
    """One part file that was read and found sound. `entries`: number, rows, seconds, errors, digest of each batch."""

    path: Path
    experiment_json: str
    version: str
    entries: tuple[dict[str, Any], ...]
    data: bytes

    def batches(self) -> Iterator[Batch]:
        table = pq.read_table(pa.BufferReader(self.data))
        columns = {c: table[c].to_numpy() for c in table.column_names if c != "batch"}
        start = 0
        for entry in self.entries:
            stop = start + entry["rows"]
            rows = {c: v[start:stop] for c, v in columns.items()} if stop > start else {}
            start = stop
            errors = {int(k): v for k, v in entry["errors"].items()}
            yield Batch(entry["batch"], rows, errors, entry["seconds"])


def read_part(path: Path) -> Part | None:
    """The part, or None if its bytes are not those that were written."""
    match = _PART.fullmatch(path.name)
    try:
        data = path.read_bytes()
        if match is None or hashlib.sha256(data).hexdigest()[:24] != match[2]:
            return None
        meta = json.loads(pq.read_metadata(pa.BufferReader(data)).metadata[_METADATA])
        return Part(path, meta["experiment"], meta["version"], tuple(meta["batches"]), data)
    except (OSError, KeyError, TypeError, ValueError, pa.ArrowException):
        return None


def experiment_directories(directory: str | os.PathLike[str]) -> list[Path]:
    """The directories of the experiments in a results directory, sorted by key.

    Raises StoreError if `directory` is not a directory, or holds something but no results of rssp.
    """
    path = Path(directory)
    try:
        entries = sorted(path.iterdir())
    except FileNotFoundError:
        raise StoreError(f"{path} does not exist. Check the path.") from None
    except OSError as cause:
        raise StoreError(f"cannot read {path} ({cause.strerror}). Choose a results directory.") from cause
    found = [e for e in entries if _KEY.fullmatch(e.name) and e.is_dir()]
    if entries and not found:
        raise StoreError(
            f"{path} is not empty and holds no results of rssp (it holds {entries[0].name}). "
            "Choose a new or empty directory, or one that rssp wrote."
        )
    return found


def sound_parts(path: Path, experiment_json: str) -> Iterator[Part]:
    """The parts in an experiment's directory, sorted by name; damaged ones are named in a StoreWarning and skipped.

    StoreError for a part of another experiment, or a batch that is stored twice with different content.
    """
    seen: dict[int, tuple[str, Path]] = {}
    for file in part_paths(path):
        part = read_part(file)
        if part is None:
            warnings.warn(
                f"{file} is truncated or damaged: it is skipped, and its batches are computed again by the next run. "
                "The file can be deleted.",
                StoreWarning,
                stacklevel=5,
            )
            continue
        if part.experiment_json != experiment_json:
            lines = differences(part.experiment_json, experiment_json)
            raise StoreError(
                f"{file} belongs to another experiment ({'; '.join(lines)}). Move it out of its directory."
            )
        check_duplicates(part, seen)
        yield part


def stored_experiment(path: Path) -> str:
    """The JSON of the experiment in this directory, from experiment.json or else from a sound part."""
    try:
        texts = [(path / "experiment.json").read_text(encoding="utf-8").strip()]
    except (OSError, ValueError):
        texts = []
    if not texts or key_of(texts[0]) != path.name:
        texts += [part.experiment_json for part in map(read_part, part_paths(path)) if part is not None]
    for text in texts:
        if key_of(text) == path.name:
            return text
    raise StoreError(
        f"{path} does not say what experiment it holds. Delete it or move it out of the results directory."
    )


def key_of(experiment_json: str) -> str:
    """The key of the experiment with this canonical JSON."""
    return hashlib.sha256(experiment_json.encode()).hexdigest()


class Store:
    """The results of one experiment in a results directory, which is made if need be."""

    def __init__(self, directory: str | os.PathLike[str], experiment_json: str):
        self.experiment_json = experiment_json
        self.root = Path(directory)
        self.path = self.root / key_of(experiment_json)
        try:
            exists = self.root.exists()
        except OSError as cause:
            raise unwritable(self.root, cause) from cause
        if exists:
            experiment_directories(self.root)
        try:
            self.path.mkdir(parents=True, exist_ok=True)
        except OSError as cause:
            raise unwritable(self.path, cause) from cause
        self._claim()

    def _claim(self) -> None:
        """Write experiment.json, which also finds out whether one can write here; clear away what a kill left."""
        path = self.path / "experiment.json"
        if path.exists() and key_of(path.read_bytes().decode("utf-8", "replace").strip()) != self.path.name:
            warnings.warn(f"{path} was damaged or replaced; it is written again.", StoreWarning, stacklevel=4)
        write_atomically(path, (self.experiment_json + "\n").encode())
        clear_abandoned(self.path)

    def load(self, below: int) -> dict[int, Batch]:
        """The stored batches with numbers under `below`; one that is stored twice is taken once."""
        batches: dict[int, Batch] = {}
        for part in sound_parts(self.path, self.experiment_json):
            if any(e["batch"] < below and e["batch"] not in batches for e in part.entries):
                batches |= {b.number: b for b in part.batches() if b.number < below and b.number not in batches}
        return batches

    def write(self, batches: Iterable[Batch]) -> None:
        """Store some batches as one part."""
        ordered = sorted(batches, key=lambda b: b.number)
        if not ordered:
            return
        data = _encode(ordered, self.experiment_json)
        digest = hashlib.sha256(data).hexdigest()[:24]
        write_atomically(self.path / f"part-{ordered[0].number:08d}-{digest}.parquet", data)

    def write_summary(self, summary: dict[str, Any]) -> None:
        """Store how the last run ended, as run.json."""
        text = json.dumps(summary | {"version": __version__}, sort_keys=True, indent=1)
        write_atomically(self.path / "run.json", (text + "\n").encode())


def part_paths(path: Path) -> list[Path]:
    """The part files in an experiment's directory, sorted by name."""
    return sorted(path.glob("part-*.parquet"))


def check_duplicates(part: Part, seen: dict[int, tuple[str, Path]]) -> None:
    """Note the part's batches in `seen` (digest and file of each batch); StoreError where one is there and differs."""
    for entry in part.entries:
        digest, other = seen.setdefault(entry["batch"], (entry["digest"], part.path))
        if digest != entry["digest"]:
            raise StoreError(
                f"batch {entry['batch']} has different content in {other} and in {part.path} (version {part.version}), "
                "although both say that they come from the same experiment. Delete the part that you do not trust; "
                "its batches will be computed again."
            )


def _encode(batches: list[Batch], experiment_json: str) -> bytes:
    full = [b for b in batches if b.rows]
    rows = [b.rows for b in full]
    columns: dict[str, Any] = {"batch": np.repeat(np.array([b.number for b in full], dtype=np.int64), rows)}
    for name in full[0].columns if full else ("trial",):
        columns[name] = np.concatenate([b.columns[name] for b in full]) if full else np.empty(0, dtype=np.int64)
    entries = [
        {
            "batch": b.number,
            "rows": b.rows,
            "seconds": b.seconds,
            "errors": {str(k): v for k, v in b.errors.items()},
            "digest": b.digest(),
        }
        for b in batches
    ]
    meta = json.dumps({"version": __version__, "experiment": experiment_json, "batches": entries})
    table = pa.table(columns).replace_schema_metadata({_METADATA: meta.encode()})
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, compression="zstd")
    return sink.getvalue().to_pybytes()
