"""The memory that this process may still take: what the machine can spare, and what its control groups leave of that.

On a cluster, in a container or under a service manager, a process is ended once its control group exceeds the group's
limit, whatever the machine has left. Groups are nested, and each of them may have a limit; the tightest counts.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import psutil

__all__ = ["available_memory", "group_memory"]

_UNLIMITED = 2**60  # version 1 says "no limit" by the largest multiple of a page


@dataclass(frozen=True)
class _Files:
    """How one version of control groups calls its files; `cache` is a key in memory.stat."""

    limits: tuple[str, ...]
    used: str
    cache: str


_FIRST = _Files(("memory.limit_in_bytes",), "memory.usage_in_bytes", "total_inactive_file")
# beyond "high" a group is not ended but slowed down until it is of no use
_SECOND = _Files(("memory.max", "memory.high"), "memory.current", "inactive_file")


def available_memory() -> int:
    """Bytes that can be had without swapping and without exceeding a control group's limit.

    Files that the system merely keeps in memory count as available: it gives them up when asked.

    >>> 0 <= available_memory() <= psutil.virtual_memory().total
    True
    """
    return int(min([psutil.virtual_memory().available, *group_memory()]))


def group_memory(root: Path = Path("/")) -> list[int]:
    """What the limit of each control group around this process leaves, in bytes; empty where there is none.

    `root` is where ``proc`` and the groups' file systems are found.
    """
    rooms = []
    for folder, files in _folders(root):
        limit = min(_number(folder / name) for name in files.limits)
        if limit < _UNLIMITED:
            used = _number(folder / files.used, 0) - _cache(folder / "memory.stat", files.cache)
            rooms.append(max(limit - max(used, 0), 0))
    return rooms


def _folders(root: Path) -> Iterator[tuple[Path, _Files]]:
    """The folder of each memory group around this process, from its own to the outermost that can be seen."""
    groups = {}
    for line in _text(root / "proc/self/cgroup").splitlines():
        controllers, _, path = line.partition(":")[2].partition(":")  # after the hierarchy's number
        if not controllers:  # version 2
            groups[_SECOND] = path
        elif "memory" in controllers.split(","):
            groups[_FIRST] = path
    for mounted, top, files in _mounts(root):
        if files in groups:
            inside = PurePosixPath(groups[files])
            # a container may see its own group as the top, under the name that it has outside or under none
            below = inside.relative_to(top) if inside.is_relative_to(top) and ".." not in inside.parts else "."
            folder = mounted / below
            while True:
                yield folder, files
                if folder == mounted:
                    break
                folder = folder.parent


def _mounts(root: Path) -> Iterator[tuple[Path, str, _Files]]:
    """Where the groups' files are, and which group is the topmost there."""
    for line in _text(root / "proc/self/mountinfo").splitlines():
        # id parent device top folder options [optional ...] - type source options
        before, _, after = (part.split() for part in line.partition(" - "))
        if len(before) < 5 or len(after) < 3:
            continue
        top, folder = (re.sub(r"\\([0-7]{3})", lambda code: chr(int(code[1], 8)), field) for field in before[3:5])
        if after[0] == "cgroup2":
            yield root / folder.lstrip("/"), top, _SECOND
        elif after[0] == "cgroup" and "memory" in after[2].split(","):
            yield root / folder.lstrip("/"), top, _FIRST


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8", errors="replace")
    except OSError:  # another system, or not for us to read
        return ""


def _number(file: Path, otherwise: int = _UNLIMITED) -> int:
    text = _text(file).strip()
    return int(text) if text.isdecimal() else otherwise  # "max" is no limit


def _cache(file: Path, key: str) -> int:
    for line in _text(file).splitlines():
        name, _, value = line.partition(" ")
        if name == key and value.isdecimal():
            return int(value)
    return 0
