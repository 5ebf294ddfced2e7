"""The one way to compile a kernel, and where the compiled ones are kept.

numba's own cache looks at one file, while a kernel's calls go through several: a change in one of them left the callers
in the others as they were, and wrong. Here everything compiled lies in a folder whose name is a digest of all
kernel sources, those of the package that import this module. A change in any of them means another folder, and the
old one is removed. Within the folder each compiled signature is a file of its own, named by what numba itself asks of
an entry (signature, CPU, byte code); it is written whole and renamed, so that processes that fill one folder at once
cannot mix their entries up. What is torn, foreign or unreadable is compiled again; where nothing can be written,
every process compiles.

The folder is ``__pycache__`` of the package, or, where that cannot be written, the user's cache folder; the environment
variable NUMBA_CACHE_DIR goes before both. Kernels that a user writes outside the package are compiled alike but not
kept: the digest knows nothing of their sources.
"""

from __future__ import annotations

import functools
import hashlib
import os
import pickle
import shutil
import sys
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numba
from numba.core.caching import FunctionCache
from numba.core.compiler import CompileResult
from numba.core.event import Listener, register
from numba.core.serialize import dumps
from numba.misc.appdirs import AppDirs

from rssp._compiling import clock

__all__ = ["kernel"]

_PACKAGE = Path(__file__).parent
_NAME = f"kernels-{sys.implementation.cache_tag}-"  # of another Python version the folder is left alone


def kernel(function: Callable[..., Any] | None = None, *, inner: bool = False, hot: bool = False) -> Any:
    """Compile a function on arrays when it is first called, without the GIL, and keep what was compiled.

    Parameters
    ----------
    function : the function; None to give options
    inner : called by other kernels only: no entry point from Python is made, which saves time when compiling
    hot : an inner one whose call would cost as much as its work: its code is put where it is called

    >>> @kernel
    ... def double(x):
    ...     return 2 * x
    >>> double(21)
    42
    """
    if function is None:
        return functools.partial(kernel, inner=inner or hot, hot=hot)
    compiled = numba.njit(nogil=True, no_cpython_wrapper=inner, no_cfunc_wrapper=inner, forceinline=hot)(function)
    if compiled is not function and _sources.hold(function):  # numba gives it back under NUMBA_DISABLE_JIT
        compiled._cache = _KernelCache(function)
    return compiled


def _fingerprints() -> dict[str, str]:
    """Each file of the package that holds kernels, with the hash of what is in it."""
    found = {}
    for path in sorted(_PACKAGE.rglob("*.py")):
        text = path.read_bytes()
        if b"rssp._jit" in text:
            found[str(path)] = hashlib.sha256(text).hexdigest()
    return found


class _Sources:
    """The kernel sources as they were when this process began, and the folders for what is compiled from them."""

    def __init__(self) -> None:
        self._files = _fingerprints()
        versions = [numba.__version__, getattr(sys, "abiflags", "")]
        names = [(os.path.relpath(path, _PACKAGE), text) for path, text in self._files.items()]
        self.digest = hashlib.sha256(repr((versions, names)).encode()).hexdigest()[:20]
        self._known: set[str] = set()
        self._changed = False  # a file was changed before it was imported: what this process runs is a mixture

    def hold(self, function: Callable[..., Any]) -> bool:
        """Whether the digest speaks of this function: its file is in it, and still as it was."""
        path = function.__code__.co_filename
        if path in self._files and path not in self._known:
            self._known.add(path)
            self._changed |= hashlib.sha256(Path(path).read_bytes()).hexdigest() != self._files[path]
        return path in self._files

    @functools.cached_property
    def roots(self) -> list[Path]:
        """Where the folder may lie, the best place first."""
        place = f"rssp-{hashlib.sha256(str(_PACKAGE).encode()).hexdigest()[:12]}"  # installations do not share
        if numba.config.CACHE_DIR:
            return [Path(numba.config.CACHE_DIR) / place]
        user = Path(AppDirs(appname="rssp", appauthor=False).user_cache_dir)
        return [_PACKAGE / "__pycache__", user / place]

    def readable(self) -> list[Path]:
        """The folders in which something may lie: also those that cannot be written."""
        return [] if self._changed else [root / (_NAME + self.digest) for root in self.roots]

    @property
    def writable(self) -> Path | None:
        """The folder to write to; None if there is none, or if the sources changed while this process ran."""
        return None if self._changed else self._folder

    @functools.cached_property
    def _folder(self) -> Path | None:
        """The first folder that can be written, made if need be."""
        self._changed |= _fingerprints() != self._files
        for folder in self.readable():
            try:
                old = folder.is_dir()
                folder.mkdir(parents=True, exist_ok=True)
                tempfile.TemporaryFile(dir=folder).close()
            except OSError:
                continue
            if not old:
                _remove_others(folder)
            return folder
        return None

    def message(self) -> str:
        """What is said to a person who waits."""
        if self.writable is not None:
            return f"rssp: compiling for this computer, once; the result is kept in {self.writable}"
        if self._changed:
            return "rssp: compiling; the result is not kept, since the sources changed while this process ran"
        places = " or ".join(map(str, self.roots))
        return (
            f"rssp: compiling, in every process anew, since nothing can be written to {places}. "
            "Remedy: set NUMBA_CACHE_DIR to a folder that can be written."
        )


def _remove_others(folder: Path) -> None:
    """Remove what was kept of other sources, and what numba's own cache left in the package before there was this."""
    for path in folder.parent.glob(_NAME + "*"):
        if path != folder:
            shutil.rmtree(path, ignore_errors=True)
    for path in _PACKAGE.rglob("__pycache__/*.nb[ic]"):
        with suppress(OSError):
            path.unlink()


class _KernelCache(FunctionCache):
    """What numba asks where its own cache would be: one file for each signature, no index that two could write."""

    def __init__(self, function: Callable[..., Any]):
        self._py_func = function  # that of numba's class, which makes the keys from it
        self._stem = f"{function.__module__.removeprefix('rssp.')}.{function.__qualname__}".replace("<locals>", "")
        self.enable()

    @property
    def cache_path(self) -> str:
        return str(_sources.writable or "")

    def _entry(self, sig: Any, codegen: Any) -> tuple[Any, str]:
        key = self._index_key(sig, codegen)
        return key, f"{self._stem}-{hashlib.sha256(repr(key).encode()).hexdigest()[:20]}.nbc"

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        if not self._enabled:
            return None
        target_context.refresh()
        key, name = self._entry(sig, target_context.codegen())
        for folder in _sources.readable():
            # whatever another process, a full disk or a stranger left there must not stop this one
            with suppress(Exception):
                data = (folder / name).read_bytes()
                checksum, data = data[:32], data[32:]
                if hashlib.sha256(data).digest() == checksum:
                    stored_key, content = pickle.loads(data)
                    if stored_key == key:
                        return CompileResult._rebuild(target_context, *content)
        return None

    def save_overload(self, sig: Any, data: Any) -> None:
        folder = _sources.writable
        if not self._enabled or folder is None or data.library.has_dynamic_globals or any(data.lifted):
            return
        key, name = self._entry(sig, data.codegen)
        content = dumps((key, data._reduce()))
        with suppress(OSError):  # a disk that is full, a folder that a newer version removed
            descriptor, temporary = tempfile.mkstemp(suffix=".tmp", dir=folder)
            try:
                with os.fdopen(descriptor, "wb") as file:
                    file.write(hashlib.sha256(content).digest() + content)
                os.replace(temporary, folder / name)
            except BaseException:
                os.unlink(temporary)
                raise

    def flush(self) -> None:
        for folder in _sources.readable():
            for path in folder.glob(f"{self._stem}-*.nbc"):
                with suppress(OSError):
                    path.unlink()


class _Watch(Listener):
    """Tells the clock when a kernel of the package is compiled; other people's functions are none of our business."""

    def on_start(self, event: Any) -> None:
        if isinstance(event.data["dispatcher"]._cache, _KernelCache):
            clock.begin(_sources.message)

    def on_end(self, event: Any) -> None:
        if isinstance(event.data["dispatcher"]._cache, _KernelCache):
            clock.end()


_sources = _Sources()
register("numba:compile", _Watch())
