"""All commands together, and the entry point."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Sequence
from typing import Annotated

import typer

from rssp.cli import check, claims, estimate, figures, list_, merge, run, status, ticket
from rssp.errors import RsspError

__all__ = ["main"]

_ABOUT = (
    "Random subset sums and strong lottery tickets, verified by experiment.\n\n"
    "Start with `rssp run lueker_1998`: how many uniform numbers does it take before every target in [-1, 1] is "
    "within eps of a subset sum? `rssp list` names the other questions."
)


def _print_version(wanted: bool) -> None:
    if wanted:
        from rssp._version import __version__

        print(f"rssp {__version__}")
        raise typer.Exit


def _common(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and stop.")
    ] = False,
) -> None:
    pass


def _application(arguments: Sequence[str]) -> typer.Typer:
    """The commands; `run` has the options of the study that the arguments name."""
    app = typer.Typer(
        name="rssp", no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help=_ABOUT
    )
    app.callback()(_common)
    app.command("run")(run.command(run.named_study(arguments)))
    app.command("list")(list_.list_)
    app.command("estimate")(estimate.estimate)
    app.command("check")(check.check)
    app.command("claims")(claims.claims)
    app.command("figures")(figures.figures)
    app.command("merge")(merge.merge)
    app.command("status")(status.status)
    app.command("ticket")(ticket.ticket)
    return app


def _script(file: str) -> typer.Typer:
    """The one command of a study file that is run as a script."""
    from rssp.study import find_study

    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    app.command()(run.command(find_study(file), as_script=True))
    return app


def main(arguments: list[str] | None = None, script: str | None = None) -> None:
    """Entry point: errors that rssp raises on purpose become one line and exit code 2.

    With `script`, the path of a study file, the arguments are those of this study.
    """
    arguments = sys.argv[1:] if arguments is None else arguments
    try:
        if script is None:
            _application(arguments)(arguments, standalone_mode=True)
        else:
            _script(script)(arguments, standalone_mode=True, prog_name=f"python {shlex.quote(sys.argv[0])}")
    except RsspError as error:
        print(f"rssp: {error}", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        print("rssp: stopped; what was computed is kept, the same command resumes", file=sys.stderr)
        sys.exit(130)
