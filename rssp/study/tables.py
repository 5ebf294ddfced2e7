"""The small tables that a study leaves: written, read back with their types, and found again."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from rssp._arguments import choice
from rssp._files import write_atomically
from rssp._shipped import tables_folder
from rssp.errors import ArgumentError, StoreError
from rssp.study.definition import SCALES, Study, Tables

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
    """
    choice("prefer", prefer, ("best", "results"))
    last = tables_folder() if figures is None else figures
    own = [Path(out) / study.name / scale for scale in reversed(SCALES)]
    folders = [folder for folder in (*own, last) if any(folder.glob(f"{study.name}-*.csv"))]
    if not folders:
        raise StoreError(f"no stored results of {study.name} in {out} or {last}. Run it first: {study.command}")
    best = folders[0] if prefer == "results" else max(folders, key=lambda folder: _rank(study, folder))
    return best, read_tables(study, best)


def _rank(study: Study, folder: Path) -> int:
    """The place of the folder's scale in SCALES; -1 where it is not recorded."""
    scale = provenance(study, folder).removeprefix("scale ").split(",")[0]
    return SCALES.index(scale) if scale in SCALES else -1


def provenance(study: Study, folder: Path) -> str:
    """Scale and seed of stored tables in one line, "" where it is not recorded."""
    try:
        data = json.loads((folder / f"{study.name}.json").read_text(encoding="utf-8"))
        return f"scale {data['scale']}, seed {data['seed']}"
    except (OSError, ValueError, LookupError, TypeError):  # lost, torn, or JSON of another make
        return ""
