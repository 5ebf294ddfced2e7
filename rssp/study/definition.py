"""A study: one question, the experiments that answer it, the claims it is held against, and its figures.

A study file defines ``STUDY = Study(...)`` and ends with ``STUDY.main()`` under ``if __name__ == "__main__"``; it then
runs as a script and as ``rssp run FILE``. What it computes passes through small tables of declared columns, which are
stored beside the figures: figures and verdicts are made from these tables alone, so that they can be made again without
computing.
"""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypeVar

import pandas as pd

from rssp._progress import followed
from rssp._shipped import studies_folder
from rssp.claims import Verdict, claim
from rssp.errors import ArgumentError
from rssp.schemas import Schema
from rssp.study.options import NoOptions, check_options
from rssp.study.rows import Exponents, Rows

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from rssp.montecarlo import Experiment
    from rssp.trials import Trials

__all__ = ["GUISES", "SCALES", "Context", "Study", "Tables", "Task"]

SCALES = ("quick", "standard", "full")
"""up to a minute, up to ten, paper grade"""
GUISES = ("scalar", "vector", "fixed-size", "discrete")
"""the four of the field's one problem"""

Tables = Mapping[str, pd.DataFrame]


@dataclass(frozen=True)
class Task:
    """One Monte Carlo run of a study.

    Parameters
    ----------
    name : str, for people; nothing is read out of it
    experiment : Experiment
    trials : int
    keys : what `analyse` needs to know of the task beside what its Trials say, such as the series it belongs to
    """

    name: str
    experiment: Experiment
    trials: int
    keys: Mapping[str, Any] = field(default_factory=dict)


_Item = TypeVar("_Item")


@dataclass(frozen=True)
class Context:
    """What `plan` and `analyse` are told: one of SCALES, the seed, the threads, the options, and the tasks planned.

    `options` is an instance of the study's options dataclass; `tasks` holds the tasks by name, none while `plan` runs.
    """

    scale: str = "quick"
    seed: int = 0
    workers: int | None = None
    options: Any = NoOptions()  # noqa: RUF009  (frozen, without fields)
    tasks: Mapping[str, Task] = field(default_factory=dict)
    progress: bool = False

    def follow(self, items: Iterable[_Item], unit: str) -> Iterator[_Item]:
        """The items one after another, with the time left on the terminal if `progress` is asked for.

        For what `analyse` computes itself: experiments show their own.

        >>> list(Context().follow([1, 2], "networks"))
        [1, 2]
        """
        return followed(list(items), "analysis", unit, self.progress)


def _nothing_to_run(context: Context) -> Sequence[Task]:
    return ()


def _no_findings(tables: Tables) -> Sequence[str]:
    return ()


@dataclass(frozen=True, kw_only=True)
class Study:
    """One question and how it is answered.

    Parameters
    ----------
    name : str, that of its file
    question : str, one sentence, a literal: it is read from the file without running it
    guise : str, one of GUISES, "" where the question belongs to none
    plan : function (Context) -> tasks; none for a study that computes without drawing samples
    analyse : function (Trials by task name, Context) -> tables by name, exactly those of `tables`
    tables : the schema of each table; names are identifiers. A table is checked before it is written and typed when it
        is read
    claims : which rows judge a claim, by the claim's id
    options : a frozen dataclass whose fields are made with `option`: the study's own options, with default and help
    figures : function (tables) -> Figure, by the figure's name
    findings : function (tables) -> what the tables say, one sentence each
    show : the tables that a run prints, by name
    proves : the table of constants that it proves (columns.PROVED), which stand beside those that any study fits
    file : where it is defined, beside which lie the files that its functions may import; `find_study` fills it in

    Raises
    ------
    ArgumentError
        For a name that is no identifier, or two that differ in capitals alone; a claim that is not known; rows of a
        table or column that is not declared (the near miss is named); an option whose default is not of its type. The
        file that defines the study cannot be imported then.

    Examples
    --------
    >>> from rssp.schemas import Column
    >>> schema = Schema(*(Column(name, "float") for name in ("eps", "d", "low", "best", "high")),
    ...                 *(Column(name, "text") for name in ("targets", "evidence")))
    >>> def analyse(runs, context):
    ...     row = {"eps": [0.1], "d": 1, "low": 6.0, "best": 7.0, "high": 8.0, "targets": "all", "evidence": "measured"}
    ...     return {"needed": pd.DataFrame(row)}
    >>> study = Study(name="mine", question="How many?", analyse=analyse, tables={"needed": schema},
    ...               claims={"counting-1d": Rows("needed", measured="n*")})
    >>> [verdict.status.value for verdict in study.verdicts(analyse({}, Context()))]
    ['holds']
    >>> Study(name="mine", question="How many?", analyse=analyse, tables={"needed": schema},
    ...       claims={"counting-1d": Rows("neded")})
    Traceback (most recent call last):
    rssp.errors.ArgumentError: study mine, claim counting-1d: got table 'neded'; allowed: needed. \
Did you mean 'needed'?
    """

    name: str
    question: str
    analyse: Callable[[Mapping[str, Trials], Context], Mapping[str, pd.DataFrame]]
    tables: Mapping[str, Schema]
    guise: str = ""
    plan: Callable[[Context], Sequence[Task]] = _nothing_to_run
    claims: Mapping[str, Rows | Exponents | Sequence[Rows | Exponents]] = field(default_factory=dict)
    options: type = NoOptions
    figures: Mapping[str, Callable[[Tables], Figure]] = field(default_factory=dict)
    findings: Callable[[Tables], Sequence[str]] = _no_findings
    show: Sequence[str] = ()
    proves: str = ""
    file: Path | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "tables", MappingProxyType(dict(self.tables)))
        object.__setattr__(self, "claims", MappingProxyType(dict(self.claims)))
        for name in (self.name, *self.tables):
            if not name.isidentifier():
                raise ArgumentError("name", repr(name), "an identifier: letters, digits and _", "It names files.")
        for name in self.figures:
            if not name.replace("-", "_").isidentifier():
                raise ArgumentError("figures", repr(name), "letters, digits, - and _", "It names files.")
        for what, names in (("tables", self.tables), ("figures", self.figures)):
            self._require_different(what, names)
        if self.guise and self.guise not in GUISES:
            raise ArgumentError("guise", repr(self.guise), ", ".join(GUISES))
        for what, shown in (("show", self.show), ("proves", (self.proves,) if self.proves else ())):
            strange = [name for name in shown if name not in self.tables]
            if strange:
                raise ArgumentError(what, ", ".join(strange), ", ".join(self.tables))
        check_options(self.options)
        for id in self.claims:
            the_claim = claim(id)
            for selector in self._selectors(id):
                selector.require(the_claim, self.tables, f"study {self.name}, claim {id}")

    def _require_different(self, what: str, names: Iterable[str]) -> None:
        """ArgumentError for two names that are one file where capitals do not count."""
        seen: dict[str, str] = {}
        for name in names:
            other = seen.setdefault(name.casefold(), name)
            if other != name:
                received, allowed = f"{other!r} and {name!r}", "names that differ in more than capitals"
                raise ArgumentError(f"study {self.name}: {what}", received, allowed, "They name files: rename one.")

    @property
    def folder(self) -> Path | None:
        """Where its file lies; None for a study that no file defines."""
        return None if self.file is None else self.file.parent

    @property
    def command(self) -> str:
        """What runs it: by its name where it comes with rssp, else by the path of its file."""
        if self.file is None:
            return "rssp.study.run_study(...)"
        if self.file.parent == studies_folder().resolve():
            return f"rssp run {self.file.stem}"
        here = Path.cwd()
        shown = self.file.relative_to(here) if self.file.is_relative_to(here) else self.file
        return f"rssp run {shlex.quote(str(shown))}"

    def _selectors(self, id: str) -> tuple[Rows | Exponents, ...]:
        selectors = self.claims[id]
        return (selectors,) if isinstance(selectors, (Rows, Exponents)) else tuple(selectors)

    def verdicts(self, tables: Tables) -> list[Verdict]:
        """What the tables say of each claim of the study, in the order in which it names them."""
        return [verdict for id in self.claims for verdict in self.verdicts_on(id, tables)]

    def verdicts_on(self, id: str, tables: Tables) -> list[Verdict]:
        """What the tables say of one claim of the study: a verdict for each of its selectors that has rows."""
        return [verdict for selector in self._selectors(id) for verdict in selector.verdicts(claim(id), tables)]

    def checked(self, tables: Tables) -> dict[str, pd.DataFrame]:
        """The tables with the declared columns and types; ArgumentError names what is missing or not declared."""
        missing, strange = sorted(set(self.tables) - set(tables)), sorted(set(tables) - set(self.tables))
        if missing or strange:
            raise ArgumentError(
                f"study {self.name}: tables", ", ".join(tables) or "none", ", ".join(self.tables), "All and no others."
            )
        found = {}
        for name, schema in self.tables.items():
            empty = not len(tables[name]) and not len(tables[name].columns)
            table = pd.DataFrame(columns=list(schema.names)) if empty else tables[name]
            found[name] = schema.checked(table, f"{name} of {self.name}")
        return found

    def main(self) -> None:
        """Run this study from the command line, as a script."""
        from rssp.cli import main

        main(sys.argv[1:], script=sys.modules["__main__"].__file__)
