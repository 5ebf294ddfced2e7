"""Files that are there whole or not at all."""

from __future__ import annotations

import os
import secrets
import time
from pathlib import Path

from rssp.errors import StoreError

__all__ = ["clear_abandoned", "unwritable", "write_atomically"]

_TEMPORARY = ".writing-"
_ABANDONED_AFTER = 24 * 3600.0


def write_atomically(path: Path, data: bytes, mode: int = 0o666) -> None:
    """Write a file that is there whole or not at all, also after a power cut; StoreError where it cannot be written.

    Its permissions are `mode` less what the umask withholds, as for any file that is opened to be written.
    """
    temporary = path.parent / f"{_TEMPORARY}{os.getpid()}-{secrets.token_hex(8)}"
    try:
        with open(temporary, "xb", opener=lambda name, flags: os.open(name, flags, mode)) as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
        _sync_directory(path.parent)
    except OSError as cause:
        temporary.unlink(missing_ok=True)
        raise unwritable(path.parent, cause) from cause


def _sync_directory(directory: Path) -> None:
    if os.name != "posix":  # elsewhere a directory cannot be opened; the rename itself is atomic
        return
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def unwritable(directory: Path, cause: OSError) -> StoreError:
    """The error that says why one cannot write in a directory."""
    reason = cause.strerror or str(cause)
    return StoreError(
        f"cannot write in {directory} ({reason}). What was stored before is intact. "
        "Free space or permissions there, or choose another directory."
    )


def clear_abandoned(directory: Path) -> None:
    """Remove what writers that were killed left in a directory a day ago or longer."""
    for left in directory.glob(f"{_TEMPORARY}*"):
        try:
            if time.time() - left.lstat().st_mtime > _ABANDONED_AFTER:
                left.unlink()
        except OSError:
            pass  # another process was faster
