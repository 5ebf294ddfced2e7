"""A bar with the time left, on standard error where that is a terminal."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

__all__ = ["followed", "progress_bar"]

_Item = TypeVar("_Item")


@contextmanager
def progress_bar(
    name: str, count: int, unit: str, done: int = 0
) -> Iterator[tuple[Callable[[int], None], Callable[[str], None]]]:
    """Two functions: one is told how many of `count` are done, the other prints a line above the bar."""
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    console = Console(file=sys.stderr)
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn(unit),
        TimeElapsedColumn(),
        TextColumn("left:"),
        TimeRemainingColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    ) as bar:
        task = bar.add_task(name, total=count, completed=done)
        yield (
            lambda done: bar.update(task, completed=done),
            lambda text: console.print(text, markup=False, highlight=False, soft_wrap=True),
        )


def followed(items: Sequence[_Item], name: str, unit: str, wanted: bool = True) -> Iterator[_Item]:
    """The items one after another, with a bar that says how many are done."""
    if not wanted:
        yield from items
        return
    with progress_bar(name, len(items), unit) as (update, _):
        for place, item in enumerate(items):
            yield item
            update(place + 1)
