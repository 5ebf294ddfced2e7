"""The command line: run, estimate, check and draw. Every command's work is a function elsewhere."""

from __future__ import annotations

import math
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

app = typer.Typer(
    name="rssp",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Random subset sums and strong lottery tickets, verified by experiment.\n\n"
    "Start with `rssp run lueker_1998`: how many uniform numbers does it take before every target in [-1, 1] is "
    "within eps of a subset sum? `rssp list` names the other questions.",
)

Scale = Annotated[str, typer.Option(help="How much work: quick (a minute), standard (ten), full (paper grade).")]
Out = Annotated[Path, typer.Option(help="Where results are kept; a run that was stopped resumes from here.")]
Workers = Annotated[int | None, typer.Option(help="Threads; all cores by default. Results do not depend on it.")]
Seed = Annotated[int, typer.Option(help="The same seed gives the same results, bit for bit.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]
Figures = Annotated[
    Path | None, typer.Option(help="Folder of stored tables to fall back to; by default those that come with rssp.")
]

ClaimsFile = Annotated[
    Path | None, typer.Option("--claims", help="A Python file of yours that adds claims with rssp.add_claim(...).")
]

_VERDICT_STYLES = {"holds": "green", "violated": "red", "consistent": "cyan", "undecided by these data": "yellow"}
_VERDICT_STYLES |= {"out of reach here": "dim"}


def _print_version(wanted: bool) -> None:
    if wanted:
        from rssp._version import __version__

        print(f"rssp {__version__}")
        raise typer.Exit


@app.callback()
def _common(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and stop.")
    ] = False,
) -> None:
    pass


def _settings(values: list[str]) -> dict[str, str]:
    from rssp.errors import ArgumentError

    pairs = [v.partition("=") for v in values]
    for name, equals, _ in pairs:
        if not equals:
            raise ArgumentError("--set", repr(name), "name=value")
    return {name: value for name, _, value in pairs}


@app.command()
def run(
    study: Annotated[str, typer.Argument(help="A study's name (see `rssp list`) or the path of your own study file.")],
    scale: Scale = "quick",
    trials: Annotated[
        int | None, typer.Option(help="Trials for every experiment, instead of the scale's.", min=1)
    ] = None,
    seed: Seed = 0,
    workers: Workers = None,
    out: Out = Path("results"),
    figures: Annotated[Path | None, typer.Option(help="Write tables and figures here instead of under --out.")] = None,
    set_: Annotated[list[str], typer.Option("--set", help="An option of the study, as name=value.")] = [],  # noqa: B006
    data: Annotated[
        str | None, typer.Option(help="Data of a study that trains a target: digits or mnist; the same as --set data=.")
    ] = None,
    json: Json = False,
) -> None:
    """Run a study: its experiments, its table, its verdicts and its figures. Stopped runs resume."""
    from rssp.report import as_json, print_table, records
    from rssp.report.verdicts import verdict_table
    from rssp.study import find_study, run_study

    found = find_study(study)
    options = _settings(set_) | ({} if data is None else {"data": data})
    outcome = run_study(
        found, scale=scale, seed=seed, workers=workers, out=out, trials=trials, figures=figures,
        progress=not json, options=options,
    )  # fmt: skip
    shown = {name: outcome.tables[name] for name in found.show if name in outcome.tables}
    verdicts = verdict_table(outcome.verdicts)
    if json:
        tables = {name: records(table) for name, table in shown.items()}
        print(as_json(verdicts, study=found.name, scale=scale, tables=tables, files=[str(f) for f in outcome.files]))
        return
    print(found.question)
    for name, table in shown.items():
        print()
        print_table(table, name)
    if outcome.verdicts:
        print()
        print_table(_short(verdicts), "verdicts", _VERDICT_STYLES)
    print("\nwritten:")
    for file in outcome.files:
        print(f"  {file}")


def _short(table: Any) -> Any:
    """What a person reads first; the rest is in --json."""
    return table[["claim", "measured", "verdict", "detail"]]


@app.command("list")
def list_(json: Json = False) -> None:
    """The studies that can be run by name, with the question each answers."""
    import pandas as pd

    from rssp.report import as_json, print_table
    from rssp.study import study_questions

    table = pd.DataFrame(list(study_questions().items()), columns=["study", "question"])
    print(as_json(table)) if json else print_table(table)


@app.command()
def estimate(
    eps: Annotated[float, typer.Option(help="The error allowed, in the max norm.")],
    n: Annotated[int | None, typer.Option(help="Sample size; give this for a probability.")] = None,
    delta: Annotated[float | None, typer.Option(help="Failure probability; give this for the n it takes.")] = None,
    law: Annotated[
        str, typer.Option(help="uniform, uniform(-0.5,0.5), normal, gated-product, scipy:beta(2,3), ...")
    ] = "uniform",
    dim: Annotated[int, typer.Option(help="Dimension of the vectors.", min=1)] = 1,
    radius: Annotated[float, typer.Option(help="Radius of the ball of targets.")] = 1.0,
    norm: Annotated[float, typer.Option(help="Norm of the ball: 1, 2 or inf.")] = float("inf"),
    centre: Annotated[float, typer.Option(help="Centre of the ball, the same in every coordinate.")] = 0.0,
    trials: Annotated[int | None, typer.Option(help="Random samples to draw; 1000 unless given.", min=1)] = None,
    confidence: Annotated[float, typer.Option(help="Confidence of the interval.")] = 0.95,
    method: Annotated[str, typer.Option(help="measured, or covering law: predicted without enumerating.")] = "measured",
    seed: Seed = 0,
    workers: Workers = None,
    json: Json = False,
) -> None:
    """P(every target of the ball is within eps of a subset sum) for --n, or the n that 1 - delta takes for --delta."""
    from rssp.balls import Ball
    from rssp.errors import ArgumentError
    from rssp.laws.parse import parse_law
    from rssp.montecarlo.questions import covering_probability, required_samples

    if (n is None) == (delta is None):
        raise ArgumentError("--n, --delta", "both" if n is not None else "neither", "exactly one of the two")
    the_law, ball = parse_law(law, dim), Ball(dim, radius, norm, centre)
    common: dict[str, Any] = {
        "trials": trials, "seed": seed, "confidence": confidence, "workers": workers, "method": method,
    }  # fmt: skip
    if n is not None:
        result = covering_probability(the_law, n, eps, ball, progress=not json, **common)
        name = f"P(cover at n = {n}, eps = {eps:g})"
    else:
        assert delta is not None
        result = required_samples(the_law, eps, delta, ball, progress=not json, **common)
        name = f"n*(eps = {eps:g}, delta = {delta:g})"
    if json:
        import json as json_module

        ends = {"low": result.low, "best": result.best, "high": result.high}
        values = {k: (v if math.isfinite(v) else str(v)) for k, v in ends.items()}
        settings = {"law": repr(the_law), "ball": repr(ball), "n": n, "eps": eps, "delta": delta}
        settings |= {"trials": trials, "method": method}
        print(json_module.dumps({"quantity": name, **values, "confidence": confidence, **settings}))
    else:
        print(f"{name} = {result.best:.6g}  [{result.low:.6g}, {result.high:.6g}]  at {confidence:.0%} confidence")
        print(f"{the_law!r}, {ball!r}, {method}")


@app.command()
def check(
    study: Annotated[
        str | None, typer.Argument(help="One study; all of them, with the whole catalogue, by default.")
    ] = None,
    scale: Annotated[
        str | None, typer.Option(help="Compute at this scale what is not stored: quick, standard, full.")
    ] = None,
    out: Out = Path("results"),
    figures: Figures = None,
    claims_file: ClaimsFile = None,
    workers: Workers = None,
    json: Json = False,
    latex: Annotated[bool, typer.Option("--latex", help="Print a LaTeX table (booktabs).")] = False,
    markdown: Annotated[bool, typer.Option("--markdown", help="Print a Markdown table.")] = False,
) -> None:
    """Hold the theorems against stored results: holds, violated, or the constant that the data imply."""
    from rssp.checking import all_verdicts, load_claims
    from rssp.report import as_json, as_latex, as_markdown, print_table
    from rssp.report.verdicts import verdict_table, verdict_view

    if claims_file is not None:
        load_claims(claims_file)
    verdicts, sources = all_verdicts(study, scale=scale, out=out, figures=figures, workers=workers, progress=not json)
    table = verdict_table(verdicts)
    if json:
        print(as_json(table, sources=sources))
    elif latex:
        print(as_latex(verdict_view(verdicts)))
    elif markdown:
        print(as_markdown(verdict_view(verdicts)))
    else:
        print_table(_short(table), "", _VERDICT_STYLES)
        for name, source in sources.items():
            print(f"{name}: {source}")


@app.command()
def claims(
    id: Annotated[str | None, typer.Argument(help="One claim; all of them by default.")] = None,
    claims_file: ClaimsFile = None,
    json: Json = False,
) -> None:
    """The theorems, lemmas, formulas and published figures that rssp knows, or one of them in full."""
    from rssp.checking import load_claims
    from rssp.report import as_json, print_table
    from rssp.report.verdicts import claim_table, claim_text

    if claims_file is not None:
        load_claims(claims_file)
    if id is not None and not json:
        print(claim_text(id))
        return
    table = claim_table(id)
    print(as_json(table)) if json else print_table(table[["id", "number", "kind", "quantity", "wording", "study"]])


@app.command("figures")
def figures_(
    studies: Annotated[
        list[str] | None, typer.Argument(help="The studies to draw; all with stored tables by default.")
    ] = None,
    tables: Annotated[
        Path | None, typer.Option(help="The folder that holds the tables; by default those that come with rssp.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Where to write; beside the tables unless these lie inside the package.")
    ] = None,
) -> None:
    """Draw the figures again from their stored tables, byte for byte, without computing anything."""
    from rssp._shipped import inside_package, tables_folder
    from rssp.errors import ArgumentError, StoreError
    from rssp.study import draw, find_study, list_studies, read_tables

    source = tables_folder() if tables is None else tables
    target = source if out is None else out
    if inside_package(target):
        raise ArgumentError(
            "--out", out or "none", "a folder outside the installed package", "For example: rssp figures --out figures"
        )
    names = studies or [n for n in list_studies() if any(source.glob(f"{n}-*.csv"))]
    if not names:
        raise StoreError(f"{source} holds no tables of any study. Run one first: rssp run lueker_1998")
    for name in names:
        study = find_study(name)
        for file in draw(study, read_tables(study, source), target):
            print(file)


@app.command()
def merge(
    directories: Annotated[list[Path], typer.Argument(help="Result stores to merge (the `store` folders).")],
    out: Annotated[Path, typer.Option(help="The store to write; may be one that exists.")],
    json: Json = False,
) -> None:
    """Merge result stores: what several machines computed becomes one run; a batch seen twice counts once."""
    from rssp import montecarlo
    from rssp.report import as_json, print_table

    montecarlo.merge(directories, out)
    table = montecarlo.status(out)
    print(as_json(table)) if json else print_table(table)


@app.command()
def status(out: Out = Path("results"), json: Json = False) -> None:
    """What a results folder holds: experiments, trials done, time spent, why a run stopped, damaged files."""
    from rssp import montecarlo
    from rssp.report import as_json, print_table

    store = out / "store" if (out / "store").is_dir() else out
    table = montecarlo.status(store)
    print(as_json(table)) if json else print_table(table)


def main(arguments: list[str] | None = None) -> None:
    """Entry point: errors that rssp raises on purpose become one line and exit code 2."""
    from rssp.errors import RsspError

    try:
        app(arguments, standalone_mode=True)
    except RsspError as error:
        print(f"rssp: {error}", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        print("rssp: stopped; what was computed is kept, the same command resumes", file=sys.stderr)
        sys.exit(130)


if __name__ == "__main__":
    main()
