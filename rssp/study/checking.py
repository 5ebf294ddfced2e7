"""Every claim against every stored result: one table of verdicts."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from rssp.claims import Claim, Verdict, add_claim, all_claims, check, out_of_reach
from rssp.errors import ArgumentError, StoreError
from rssp.study.definition import Tables
from rssp.study.finding import find_study, list_studies, measured_by
from rssp.study.running import run_study
from rssp.study.tables import provenance, stored_tables

__all__ = ["all_verdicts", "estimates_of", "load_claims"]


def load_claims(path: Path) -> None:
    """Run a file of one's own that calls ``add_claim``; ArgumentError where it adds none."""
    import runpy

    if not path.is_file():
        raise ArgumentError("claims", str(path), "a Python file that calls rssp.add_claim(...)")
    before = set(all_claims())
    runpy.run_path(str(path), init_globals={"add_claim": add_claim})
    if set(all_claims()) == before:
        raise ArgumentError(
            "claims", str(path), "a file that adds at least one claim", "Call rssp.add_claim(Claim(...))."
        )


def estimates_of(tables: Tables, quantity: str) -> pd.DataFrame:
    """All rows of a study's tables that are labelled with a quantity and carry low, best, high."""
    needed = {"quantity", "low", "best", "high"}
    parts = [t[t["quantity"] == quantity] for t in tables.values() if needed <= set(t.columns)]
    parts = [p.dropna(axis="columns", how="all") for p in parts if len(p)]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()


def _own_claims(tables: Tables, done: set[str], own: list[Claim]) -> list[Verdict]:
    """Claims added by hand, each against whatever estimates of its quantity there are."""
    verdicts = []
    for c in own:
        estimates = estimates_of(tables, c.quantity)
        if c.id in done or c.formula is None or not set(c.variables) <= set(estimates.columns):
            continue
        estimates = estimates.dropna(subset=list(c.variables))
        if estimates.empty or len(c.unknown) > 1:
            continue
        verdicts.append(check(c, estimates, constant=(*c.unknown, "C")[0]))
    return verdicts


def all_verdicts(
    study: str | None = None,
    *,
    scale: str | None = None,
    out: Path | str = "results",
    figures: Path | None = None,
    workers: int | None = None,
    progress: bool = True,
) -> tuple[list[Verdict], dict[str, str]]:
    """The verdicts of one study or of all, and where each study's tables came from.

    With `scale`, studies are run (or resumed) at that scale; else the best of `stored_tables` serve. Without `study`,
    claims that no table speaks of are listed too, with the reason.
    """
    from rssp.claims.catalog import CATALOGUE

    own = [c for c in all_claims().values() if c.id not in CATALOGUE]
    names = [study] if study is not None else list(list_studies())
    verdicts: list[Verdict] = []
    sources: dict[str, str] = {}
    for name in names:
        found = find_study(name)
        if scale is not None:
            outcome = run_study(found, scale=scale, out=out, workers=workers, progress=progress)
            tables, sources[found.name] = outcome.tables, f"run at scale {scale}"
        else:
            try:
                folder, tables = stored_tables(found, out, figures)
            except StoreError as missing:
                if study is not None:
                    raise
                sources[found.name] = str(missing)
                continue
            sources[found.name] = f"{folder} ({provenance(found, folder) or 'scale unknown'})"
        new = found.verdicts(tables)
        verdicts += new + _own_claims(tables, {v.claim.id for v in new}, own)
    if study is None:
        spoken, studies = {v.claim.id for v in verdicts}, measured_by()
        for c in all_claims().values():
            if c.id not in spoken:
                waiting = f"no stored results: rssp run {studies[c.id][0]}" if c.id in studies else ""
                verdicts.append(out_of_reach(c, waiting))
    return verdicts, sources
