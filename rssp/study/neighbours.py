"""Running the code of a file that somebody else wrote: beside its neighbours, and with errors that name its line.

A study file may import the files beside it, as a script may: when it is read, and when its functions run. Two studies
of one process may have neighbours of one name, so these are known only while the code of their study runs.
"""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from rssp._shipped import inside_package, studies_folder
from rssp.errors import ArgumentError, RsspError

if TYPE_CHECKING:
    from rssp.study.definition import Study

__all__ = ["STUDY_MODULE", "at_home", "beside", "foreign_code", "in_one_line", "own_traceback"]

STUDY_MODULE = "rssp_study_"
"""how the names of the studies' own modules begin; they stay"""

_entered: list[str] = []
_put_aside: dict[str, dict[str, ModuleType]] = {}
"""by folder: the neighbours that were imported from it"""


@contextmanager
def beside(folder: Path | None) -> Iterator[None]:
    """Inside this context the files of a folder can be imported by their names; None for no folder."""
    home = "" if folder is None else os.path.realpath(folder)
    if not home or home in _entered:
        yield
        return
    known = home in map(os.path.realpath, sys.path)  # by the user's own doing: what is imported from there stays
    before = {name.partition(".")[0] for name in sys.modules}
    neighbours = _put_aside.setdefault(home, {})
    for name, module in neighbours.items():
        sys.modules.setdefault(name, module)
    sys.path.insert(0, home)
    _entered.append(home)
    try:
        yield
    finally:
        _entered.remove(home)
        with suppress(ValueError):  # the study may have taken it out
            sys.path.remove(home)
        new = [] if known else [name for name in sys.modules if name.partition(".")[0] not in before]
        for name in [name for name in new if _lies_in(home, name.partition(".")[0])]:
            neighbours[name] = sys.modules[name]
        for name in neighbours:
            if sys.modules.get(name) is neighbours[name]:
                del sys.modules[name]


def _lies_in(home: str, name: str) -> bool:
    """Whether a module or package is one of a folder's own files; an environment that lies in the folder is not."""
    module = sys.modules.get(name)
    if module is None or name.startswith(STUDY_MODULE):
        return False
    places = [module.__file__] if getattr(module, "__file__", None) else list(getattr(module, "__path__", []))
    for place in map(os.path.realpath, places):
        beginning, end = os.path.split(place)
        if home in (beginning, os.path.dirname(beginning) if end.startswith("__init__.") else beginning):
            return True
    return False


@contextmanager
def foreign_code(argument: str, path: Path) -> Iterator[None]:
    """Inside this context a file is run: whatever it raises, or that it ends the process, is an ArgumentError."""
    try:
        yield
    except RsspError:  # says itself what is wrong
        raise
    except (Exception, SystemExit) as cause:
        raise ArgumentError(argument, str(path), "a Python file that can be run", in_one_line(cause, path)) from cause


@contextmanager
def at_home(study: Study) -> Iterator[None]:
    """Inside this context functions of a study are called: beside its file, and without its ending the process."""
    with beside(study.folder):
        try:
            yield
        except SystemExit as cause:
            remedy = in_one_line(cause, study.folder)
            raise ArgumentError("study", study.name, "functions that return or raise an error", remedy) from cause


def own_traceback(cause: BaseException, place: Path | None) -> str:
    """The traceback of an error, of the files of a folder alone where these had a part in it."""
    frames = traceback.extract_tb(cause.__traceback__)
    own = [frame for frame in frames if _is_below(frame.filename, place)]
    lines = traceback.format_list(own or list(frames)) + traceback.format_exception_only(cause)
    return "Traceback (most recent call last):\n" + "".join(lines)


def _is_below(file: str, place: Path | None) -> bool:
    """Whether a file lies below a folder and is not one of rssp's own, whose environment may lie there too."""
    path = Path(file).resolve()
    ours = inside_package(path) and not path.is_relative_to(studies_folder())
    return place is not None and path.is_relative_to(place.resolve()) and not ours


def in_one_line(cause: BaseException, place: Path | None) -> str:
    """What was raised, and in which line of a file or of the files of a folder."""
    text = f"{type(cause).__name__}: {cause}".removesuffix(": ")
    if isinstance(cause, SyntaxError) and cause.filename:
        return f"{Path(cause.filename).name}, line {cause.lineno}: {type(cause).__name__}: {cause.msg}."
    for frame in reversed(traceback.extract_tb(cause.__traceback__)):
        if _is_below(frame.filename, place):
            return f"{Path(frame.filename).name}, line {frame.lineno}: {text}."
    return f"{text}."
