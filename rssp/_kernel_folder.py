"""Where compiled kernels are kept, by whom they must have been written, and how long they stay.

numba's results are pickles, and whoever writes a pickle runs code in the process that reads it. So they are read only
where nobody but this user or the superuser can have written: no folder depends on the working directory, and the folder
and the file belong to one of the two and are closed to others' writing. Folders are ``__pycache__`` of the package, or
where that cannot be written the user's cache folder; NUMBA_CACHE_DIR, an absolute path, goes before both.

What was not used for thirty days is removed, whatever it was left by: a kernel that is no more, another version of
Python, an installation that is gone.
"""

from __future__ import annotations

import functools
import hashlib
import os
import stat
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

import numba
from numba.misc.appdirs import AppDirs

from rssp._files import clear_abandoned

__all__ = ["PACKAGE", "folders", "message", "read_private", "writable"]

PACKAGE = Path(os.path.abspath(__file__)).parent
_NAME = f"rssp-kernels-{sys.implementation.cache_tag}"
_DAY = 24 * 3600.0
_UNUSED_AFTER = 30 * _DAY


def _user() -> int:
    return os.geteuid() if os.name == "posix" else 0


def _user_cache() -> Path:
    if sys.platform in ("win32", "darwin"):
        return Path(AppDirs(appname="rssp", appauthor=False).user_cache_dir)
    given = os.environ.get("XDG_CACHE_HOME", "")  # ignored unless absolute, as its specification says
    return Path(given if os.path.isabs(given) else os.path.expanduser("~/.cache")) / "rssp"


@functools.cache
def folders() -> list[Path]:
    """Where compiled kernels may lie, the best place first."""
    # in a place that several share each has a folder of his own, and reads the superuser's; installations do not share
    names = [
        f"{_NAME}-{hashlib.sha256(os.fsencode(PACKAGE) + f' {owner}'.encode()).hexdigest()[:12]}"
        for owner in dict.fromkeys((_user(), 0))
    ]
    chosen = Path(numba.config.CACHE_DIR or "")
    if chosen.is_absolute():
        return [chosen / name for name in names]
    found = [PACKAGE / "__pycache__" / _NAME, *(_user_cache() / name for name in names)]
    return [folder for folder in found if folder.is_absolute()]  # without a home there is none


@functools.cache
def writable() -> Path | None:
    """The first folder that can be written and trusted, made if need be and swept; None if there is none."""
    for folder in folders():
        with suppress(OSError):
            folder.parent.mkdir(parents=True, exist_ok=True)
            folder.mkdir(mode=0o755, exist_ok=True)
            if _is_private(folder.stat()):
                tempfile.TemporaryFile(dir=folder).close()
                _sweep(folder)
                return folder
    return None


def read_private(path: Path) -> bytes | None:
    """The bytes of a regular file that nobody but this user and the superuser can have written; None otherwise.

    A file that is read is marked as used.
    """
    # a pipe would keep us waiting, a link may lead out of the folder
    flags = os.O_RDONLY | sum(getattr(os, name, 0) for name in ("O_NONBLOCK", "O_NOFOLLOW", "O_BINARY"))
    try:
        if not _is_private(path.parent.stat()):
            return None
        descriptor = os.open(path, flags)
    except OSError:
        return None
    try:
        status = os.fstat(descriptor)
        if not (stat.S_ISREG(status.st_mode) and _is_private(status)):
            return None
        with open(descriptor, "rb", closefd=False) as file:
            data = file.read()
    except OSError:
        return None
    finally:
        os.close(descriptor)
    if time.time() - status.st_mtime > _DAY:
        with suppress(OSError):
            os.utime(path)
    return data


def _is_private(status: os.stat_result) -> bool:
    return os.name != "posix" or (status.st_uid in (_user(), 0) and not status.st_mode & 0o022)


def _sweep(folder: Path) -> None:
    """Remove what killed writers left, what nobody used, and what numba's own cache left before there was this."""
    clear_abandoned(folder)
    for place in folder.parent.glob("rssp-kernels-*"):
        for path in place.glob("*"):
            with suppress(OSError):
                if time.time() - path.lstat().st_mtime > _UNUSED_AFTER:
                    path.unlink()
        if place != folder:
            with suppress(OSError):
                place.rmdir()  # if it is empty
    for path in PACKAGE.rglob("__pycache__/*.nb[ic]"):
        with suppress(OSError):
            path.unlink()


def message() -> str:
    """What is said to a person who waits."""
    folder = writable()
    if folder is not None:
        return f"rssp: compiling for this computer, once; the result is kept in {folder}"
    places = " or ".join(str(folder.parent) for folder in dict.fromkeys(folders()))
    return (
        "rssp: compiling, in every process anew, since there is no folder that this user alone can write in "
        f"{places}. Remedy: set NUMBA_CACHE_DIR to the absolute path of a folder of your own."
    )
