"""Every claim against every stored result: one table of verdicts."""

from __future__ import annotations

import math
import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from rssp._arguments import did_you_mean
from rssp.claims import Claim, Scope, Status, Verdict, add_claim, all_claims, check, not_measured, out_of_reach
from rssp.claims.selection import COVER, THRESHOLDS, known_columns, speaks_of
from rssp.claims.verdict import in_error
from rssp.errors import ArgumentError, StoreError
from rssp.study.definition import Tables
from rssp.study.finding import find_study, list_studies, measured_by
from rssp.study.neighbours import at_home, beside, foreign_code
from rssp.study.running import run_study
from rssp.study.tables import provenance, stored_tables

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["added_verdicts", "all_verdicts", "load_claims", "measure_claim"]

_TRIALS = {"quick": 200, "standard": 4000, "full": 40_000}
_BITS = {1: range(2, 13), 2: range(1, 5), 3: range(1, 3)}
"""eps = 2 to the minus these, by dimension: what covering can be enumerated for"""
_N_MAX = {1: 26, 2: 22, 3: 22}


def load_claims(path: Path) -> None:
    """Run a file of one's own that calls ``add_claim``; ArgumentError where it adds none or cannot be run."""
    import runpy

    if not os.path.isfile(path):
        raise ArgumentError("claims", str(path), "a Python file that calls rssp.add_claim(...)")
    before = set(all_claims())
    with beside(path.parent), foreign_code("claims", path):
        runpy.run_path(str(path), init_globals={"add_claim": add_claim})
    if set(all_claims()) == before:
        raise ArgumentError(
            "claims", str(path), "a file that adds at least one claim", "Call rssp.add_claim(Claim(...))."
        )


def _usable(claim: Claim, table: pd.DataFrame) -> tuple[pd.DataFrame, str, bool]:
    """The rows of a stored table that speak of a claim, or the reason why none do; and whether any is in its scope.

    Quantities are ranked among the rows inside the scope. Only columns that the claim knows are kept: a column of
    another study may bear any name.
    """
    if not {"quantity", "evidence"} <= set(table.columns):
        return table.iloc[:0], "", False
    counted = {"trials", "successes"} <= set(table.columns)
    known, scope = {*known_columns(claim)}, claim.scope or Scope()
    columns = [c for c in table.columns if c in known and (c not in claim.constants or c in claim.settings)]
    first: tuple[pd.DataFrame, str] = table.iloc[:0], ""
    for quantity in speaks_of(claim):
        rows = table.loc[table["quantity"] == quantity]
        if rows.empty or (quantity == COVER and not counted):
            continue
        # n* is looked up in counts at every delta
        free = {"delta"} if quantity == COVER and claim.quantity in THRESHOLDS else set()
        absent = [n for n in dict.fromkeys((*claim.variables, *scope.columns)) if n not in {*table.columns, *free}]
        if absent:
            reason = f"no column {absent[0]}. {did_you_mean(absent[0], list(table.columns))}".strip()
            first = first if len(first[0]) or first[1] else (rows.iloc[:0], reason)
            continue
        rows = rows[columns]
        seen = rows.loc[rows["evidence"] != "predicted"]
        if free - {*rows.columns} & {*scope.columns}:
            seen = seen.assign(delta=_some_delta(scope))
        if len(scope.inside(seen).rows):
            return rows, "", True
        first = first if len(first[0]) else (rows, "")
    return *first, False


def _some_delta(scope: Scope) -> float:
    """A delta inside the scope, as far as it says: any will do to see whether the rest of a row is inside."""
    if "delta" in scope.values:
        return scope.values["delta"][0]
    low, high = scope.ranges.get("delta", (0.0, 1.0))
    return min(max(0.1, low), high)


def _own_verdicts(claim: Claim, stored: Mapping[str, Tables]) -> list[Verdict]:
    """A claim added by hand against the stored rows inside its scope: one verdict a study that has any."""
    if claim.scope is None:
        why = (
            "it states no scope: Claim(..., scope=rssp.Scope(laws=..., d=..., targets=...)) says which rows it is about"
        )
        return [not_measured(claim, why=why)]
    if claim.formula is None or len(claim.unknown) > 1:
        why = "it has no formula" if claim.formula is None else f"{', '.join(claim.unknown)} are all open"
        return [not_measured(claim, why=f"{why}: hold it against a table with rssp.check(claim, table, ...)")]
    verdicts: list[Verdict] = []
    outside: list[Verdict] = []
    reasons: list[str] = []
    quantities = {
        str(q) for tables in stored.values() for t in tables.values() if "quantity" in t for q in t["quantity"]
    }
    for study, tables in stored.items():
        usable = {name: _usable(claim, table) for name, table in tables.items()}
        reasons += [f"{study}, {name}: {reason}" for name, (_, reason, _) in usable.items() if reason]
        found = {name: rows for name, (rows, _, _) in usable.items() if len(rows)}
        if found:  # several tables say the same of the same trials: inside the scope, the best quantity judges
            ranks = {t: (not usable[t][2], speaks_of(claim).index(found[t]["quantity"].iloc[0])) for t in found}
            name = min(found, key=lambda table: ranks[table])
            verdict = check(claim, found[name], constant=(*claim.unknown, "C")[0], measured=f"{study}, {name}")
            (outside if verdict.status is Status.NOT_MEASURED else verdicts).append(verdict)
    if verdicts:
        return verdicts
    if not outside and not reasons:
        hint = did_you_mean(claim.quantity, sorted(quantities))
        return [not_measured(claim, why=f"no stored table has rows of {claim.quantity!r}. {hint}".strip())]
    if not outside:
        return [not_measured(claim, why=reasons[0])]
    return [replace(not_measured(claim), left_out="; ".join(v.left_out for v in outside if v.left_out))]


def measure_claim(claim: Claim, scale: str, workers: int | None = None, progress: bool = True) -> Verdict:
    """Measure n* inside a claim's scope and hold the claim against it; "not measured yet" where that cannot be done.

    Parameters
    ----------
    claim : Claim on ``n*`` for all targets, with a scope whose first law can be named
    scale : "quick", "standard" or "full": 200, 4,000 or 40,000 samples
    """
    from rssp import Ball, Experiment, HittingTimes, coverage, run
    from rssp.laws.parse import parse_law

    scope = claim.scope
    if claim.quantity != "n*" or scope is None or not scope.command():
        return not_measured(claim)
    d = 1 if scope.d is None else int(scope.d[0] if isinstance(scope.d, tuple) else scope.d)
    if d not in _BITS:
        return not_measured(claim, why=f"coverings are enumerated here for d = 1 to 3, not for {d}")
    law = parse_law(str(next((name for name in scope.laws if "*" not in str(name)), "uniform")), d)
    radius = 1.0 if scope.radius is None else scope.radius[0] if isinstance(scope.radius, tuple) else scope.radius
    low, high = scope.ranges.get("eps", (0.0, 1.0))
    eps = sorted(scope.values.get("eps", [2.0**-b for b in _BITS[d] if low <= 2.0**-b <= high]), reverse=True)
    if not eps or eps[-1] < 2.0 ** -_BITS[d][-1]:
        return not_measured(claim, why=f"eps {low:g} to {high:g} is finer than what is enumerated in d = {d}")
    n_max = int(max(scope.values.get("n", (min(scope.ranges.get("n", (0, _N_MAX[d]))[1], _N_MAX[d]),))))
    if n_max > _N_MAX[d]:
        return not_measured(claim, why=f"n = {n_max} is more than what is enumerated in d = {d}: {_N_MAX[d]}")
    ball = Ball(d, radius or 1.0, *(() if scope.norm is None else (scope.norm,)))
    experiment = Experiment(law, ball, HittingTimes(tuple(eps), n_max=n_max))
    trials = run(experiment, trials=_TRIALS[scale], workers=workers, progress=progress)
    deltas = scope.values.get("delta")
    label, constant = f"measured at scale {scale}", (*claim.unknown, "C")[0]
    return check(claim, coverage(trials), constant=constant, deltas=deltas, measured=label)


def added_verdicts(
    *,
    scale: str | None = None,
    out: Path | str = "results",
    figures: Path | None = None,
    workers: int | None = None,
    progress: bool = True,
    prefer: str = "best",
) -> tuple[list[Verdict], dict[str, str]]:
    """The verdicts of the claims added by hand, on what is stored; no study is run.

    With `scale` a claim that no stored row lies in the scope of is measured, and only that.
    """
    from rssp.claims.catalog import CATALOGUE

    stored: dict[str, Tables] = {}
    sources: dict[str, str] = {}
    for name in list_studies():
        found = find_study(name)
        try:
            folder, stored[found.name] = stored_tables(found, out, figures, prefer)
        except StoreError:
            continue
        sources[found.name] = f"{folder} ({provenance(found, folder) or 'scale unknown'})"
    verdicts: list[Verdict] = []
    for c in all_claims().values():
        if c.id not in CATALOGUE:
            verdicts += _added(c, stored, scale, workers, progress)
    used = {v.measured.split(",")[0] for v in verdicts}
    return verdicts, {name: source for name, source in sources.items() if name in used}


def _added(
    c: Claim, stored: Mapping[str, Tables], scale: str | None, workers: int | None, progress: bool
) -> list[Verdict]:
    """A claim added by hand: on what is stored, else measured; an error of its own formula is its verdict."""
    try:
        own = _own_verdicts(c, stored)
        if scale is not None and own[0].status is Status.NOT_MEASURED:
            own = [measure_claim(c, scale, workers, progress)]
    except ArgumentError as error:
        own = [in_error(c, str(error))]
    return own


def all_verdicts(
    study: str | None = None,
    *,
    scale: str | None = None,
    out: Path | str = "results",
    figures: Path | None = None,
    workers: int | None = None,
    progress: bool = True,
    prefer: str = "best",
) -> tuple[list[Verdict], dict[str, str]]:
    """The verdicts of one study or of all, and where each study's tables came from.

    With `scale`, studies are run (or resumed) at that scale; else the best of
    `stored_tables` serve, or those under `out` with ``prefer="results"``. Claims added by
    hand are held against the rows inside their scope; where there are none, `scale` measures them. Without `study`,
    claims that no table speaks of are listed too, with the reason.
    """
    from rssp.claims.catalog import CATALOGUE

    names = [study] if study is not None else list(list_studies())
    verdicts: list[Verdict] = []
    sources: dict[str, str] = {}
    stored: dict[str, Tables] = {}
    for name in names:
        found = find_study(name)
        if scale is not None:
            outcome = run_study(found, scale=scale, out=out, workers=workers, progress=progress)
            tables = outcome.tables
            sources[found.name] = "; ".join([f"run at scale {scale}", *map(str, outcome.failures)])
        else:
            try:
                folder, tables = stored_tables(found, out, figures, prefer)
            except StoreError as missing:
                if study is not None:
                    raise
                sources[found.name] = str(missing)
                continue
            sources[found.name] = f"{folder} ({provenance(found, folder) or 'scale unknown'})"
        with at_home(found):
            for id in found.claims:
                try:
                    verdicts += found.verdicts_on(id, tables)
                except ArgumentError as error:  # one claim's: the others are judged all the same
                    verdicts.append(in_error(all_claims()[id], str(error)))
        stored[found.name] = tables
    spoken = {v.claim.id for v in verdicts}
    for c in all_claims().values():
        if c.id in CATALOGUE or c.id in spoken:
            continue
        verdicts += _added(c, stored, scale, workers, progress)
        spoken.add(c.id)
    proved = _proved(out, figures, prefer)
    if study is None:
        studies = measured_by()
        for c in all_claims().values():
            if c.id in spoken:
                continue
            if c.id in studies:
                verdicts.append(not_measured(c, f"rssp run {studies[c.id][0]}"))
            else:
                verdicts.append(out_of_reach(c) if c.unreachable else not_measured(c))
    return [replace(v, proved=proved.get(v.claim.id, "")) for v in verdicts], sources


def _proved(out: Path | str, figures: Path | None, prefer: str) -> dict[str, str]:
    """What the stored tables of proved constants say, by the claim's id: rounded upwards, with where it holds."""
    found: dict[str, list[str]] = {}
    for name in list_studies():
        study = find_study(name)
        if study.proves:
            try:
                _, tables = stored_tables(study, out, figures, prefer)
            except StoreError:
                continue
            for row in tables[study.proves].to_dict("records"):
                digits = 2 - math.floor(math.log10(row["value"]))
                value = math.ceil(row["value"] * 10**digits) / 10**digits
                text = f"{row['constant']} <= {value:.3g} where {row['where']}"
                found.setdefault(row["claim"], []).append(text)
    return {id: "; ".join(texts) for id, texts in found.items()}
