"""``rssp run``: a study, with the options that this study declares."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rssp.cli.common import Json, Out, Scale, Seed, Workers, end_on, print_verdicts
from rssp.errors import ArgumentError, RsspError

if TYPE_CHECKING:
    from rssp.study import Outcome, Study

__all__ = ["command", "named_study"]

_FLAGS = ("--json", "--help")
"""options that take no value"""


def named_study(arguments: Sequence[str]) -> Study | None:
    """The study that ``run ...`` names, so that its options are known before the arguments are read.

    None for another command, and where there is no such study: the command itself says so then.
    """
    if not arguments or arguments[0] != "run":
        return None
    from rssp.study import find_study, list_studies

    known, value_follows = list_studies(), False
    for argument in arguments[1:]:
        is_name = not value_follows and (argument in known or argument.endswith(".py"))
        if is_name:
            try:
                return find_study(argument)
            except RsspError:
                return None
        value_follows = argument.startswith("--") and "=" not in argument and argument not in _FLAGS
    return None


def command(found: Study | None, as_script: bool = False) -> Callable[..., None]:
    """The command for one study: its own options come after those of every study.

    With `as_script` the study is said already, and is no argument.
    """

    def run(
        study: Annotated[
            str, typer.Argument(help="A study's name (see `rssp list`) or the path of your own study file.")
        ] = "",
        scale: Scale = "quick",
        trials: Annotated[
            int | None, typer.Option(help="Trials for every experiment, instead of the scale's.", min=1)
        ] = None,
        seed: Seed = 0,
        workers: Workers = None,
        out: Out = Path("results"),
        figures: Annotated[
            Path | None, typer.Option(help="Write tables and figures here instead of under --out.")
        ] = None,
        set_: Annotated[list[str] | None, typer.Option("--set", help="An option of the study, as name=value.")] = None,
        json: Json = False,
        **own: str | None,
    ) -> None:
        """Run a study: its experiments, its table, its verdicts and its figures. Stopped runs resume.

        A study's own options are shown by `rssp run NAME --help`.
        """
        from rssp.study import find_study, run_study

        options = _settings(set_ or []) | {name: text for name, text in own.items() if text is not None}
        the_study = found or find_study(study)
        outcome = run_study(
            the_study, scale=scale, seed=seed, workers=workers, out=out, trials=trials, figures=figures,
            progress=not json, options=options,
        )  # fmt: skip
        if json:
            _print_json(outcome, scale)
        else:
            _print(outcome)
        end_on(outcome.failures)

    if as_script:
        run.__doc__ = "Run this study: its experiments, its tables, its verdicts and its figures. Stopped runs resume."
    return _with_options(run, found, as_script)


def _with_options(run: Callable[..., None], study: Study | None, as_script: bool) -> Callable[..., None]:
    """The function with a keyword for each option of the study in place of ``**own``: typer reads the signature."""
    signature = inspect.signature(run, eval_str=True)
    name, *parameters = (p for p in signature.parameters.values() if p.kind is not inspect.Parameter.VAR_KEYWORD)
    if not as_script:
        parameters.insert(0, name.replace(default=inspect.Parameter.empty))
    if study is not None:
        from rssp.study.neighbours import beside
        from rssp.study.options import option_texts

        panel = f"Options of {study.name}"
        with beside(study.folder):  # where the types of its options may be
            texts = option_texts(study.options)
        for o in texts:
            # a text here, None where it is not given: the study's options read and check it
            shown = typer.Option(o.flag, help=o.help, metavar=o.metavar, show_default=o.default, rich_help_panel=panel)
            kind = Annotated[str | None, shown]
            parameters.append(inspect.Parameter(o.name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=kind))
    run.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]
    run.__annotations__ = {p.name: p.annotation for p in parameters}
    return run


def _settings(values: Sequence[str]) -> dict[str, str]:
    pairs = [v.partition("=") for v in values]
    for name, equals, _ in pairs:
        if not equals:
            raise ArgumentError("--set", repr(name), "name=value")
    return {name.replace("-", "_"): value for name, _, value in pairs}


def _shown(outcome: Outcome) -> dict[str, Any]:
    return {name: outcome.tables[name] for name in outcome.study.show}


def _print_json(outcome: Outcome, scale: str) -> None:
    from rssp.report import as_json, records
    from rssp.report.verdicts import verdict_table

    tables = {name: records(table) for name, table in _shown(outcome).items()}
    files = [str(f) for f in outcome.files]
    extra = {"tables": tables, "findings": list(outcome.findings), "files": files}
    extra |= {"failures": [str(f) for f in outcome.failures]}
    print(as_json(verdict_table(outcome.verdicts), study=outcome.study.name, scale=scale, **extra))


def _print(outcome: Outcome) -> None:
    from rssp.report import print_table

    print(outcome.study.question)
    for name, table in _shown(outcome).items():
        print()
        print_table(table, name)
    if outcome.verdicts:
        print()
        print("verdicts")
        print_verdicts(outcome.verdicts)
    if outcome.findings:
        print()
    for finding in outcome.findings:
        print(finding)
    print("\nwritten:")
    for file in outcome.files:
        print(f"  {file}")
