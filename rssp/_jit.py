"""The one way to compile a kernel.

What is compiled is kept, one file for each signature. The file's name and checksum are made of all that the machine
code depends on: the loaded code of the kernel and of every kernel that it calls (`_kernel_code`), the signature, the
CPU, numba's settings and the versions. A change in any of them is another file; the one it replaces is removed. Files
are written whole and renamed, so that processes that write at once cannot mix them up. What is torn, foreign or
unreadable is compiled again; where nothing can be written (`_kernel_folder`), every process compiles. None of this is
an error.

Kernels that a user writes outside the package are compiled alike but not kept.
"""

from __future__ import annotations

import functools
import hashlib
import os
import pickle
import re
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import numba
from numba.core.caching import FunctionCache
from numba.core.compiler import CompileResult
from numba.core.event import Listener, register
from numba.core.serialize import dumps

from rssp import _kernel_folder
from rssp._compiling import clock
from rssp._files import write_atomically
from rssp._kernel_code import code_digest, settings

__all__ = ["kernel"]


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
    if compiled is not function and _is_ours(function):  # numba gives it back under NUMBA_DISABLE_JIT
        compiled._cache = _KernelCache(compiled)
    return compiled


def _is_ours(function: Callable[..., Any]) -> bool:
    path = os.path.abspath(function.__code__.co_filename)
    return path.startswith(os.path.join(_kernel_folder.PACKAGE, ""))


class _KernelCache(FunctionCache):
    """What numba asks where its own cache would be: one file for each signature, no index that two could write."""

    def __init__(self, compiled: Any):
        self._kernel = compiled
        function = compiled.py_func
        self._stem = re.sub(r"[^\w.]", "", f"{function.__module__.removeprefix('rssp.')}.{function.__qualname__}")[:100]
        self.enable()

    @property
    def cache_path(self) -> str:
        return str(_kernel_folder.writable() or "")

    def _entry(self, sig: Any, codegen: Any) -> tuple[str, bytes] | None:
        """The name of a signature's file, and the key that its checksum covers; None where it cannot be kept."""
        digest = code_digest(self._kernel)
        circumstances = repr((sig, codegen.magic_tuple(), settings()))
        if digest is None or " at 0x" in repr(sig):  # an address means nothing to another process
            return None
        slot = hashlib.sha256(circumstances.encode()).hexdigest()
        return f"{self._stem}-{slot[:16]}-{digest[:16]}.nbc", (slot + digest).encode()

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        if not self._enabled:
            return None
        target_context.refresh()
        entry = self._entry(sig, target_context.codegen())
        if entry is None:
            return None
        name, key = entry
        for folder in _kernel_folder.folders():
            data = _kernel_folder.read_private(folder / name)
            if data is None or hashlib.sha256(key + data[32:]).digest() != data[:32]:
                continue
            # whatever a version that is not quite this one left there must not stop this process
            with suppress(Exception, SystemExit):
                return CompileResult._rebuild(target_context, *pickle.loads(data[32:]))
        return None

    def save_overload(self, sig: Any, data: Any) -> None:
        folder = _kernel_folder.writable()
        if not self._enabled or folder is None or data.library.has_dynamic_globals or any(data.lifted):
            return
        entry = self._entry(sig, data.codegen)
        if entry is None:
            return
        name, key = entry
        with suppress(Exception):  # a disk that is full, a folder that was removed: it costs time only
            content = dumps(data._reduce())
            # not for others to write, or it would not be read
            write_atomically(folder / name, hashlib.sha256(key + content).digest() + content, mode=0o644)
            for path in folder.glob(name[: name.rindex("-")] + "-*.nbc"):
                if path.name != name:
                    path.unlink(missing_ok=True)

    def flush(self) -> None:
        for folder in _kernel_folder.folders():
            for path in folder.glob(f"{self._stem}-*.nbc"):
                with suppress(OSError):
                    path.unlink()


class _Watch(Listener):
    """Tells the clock when a kernel of the package is compiled; other people's functions are none of our business."""

    def on_start(self, event: Any) -> None:
        if _is_kept(event):
            clock.begin(_kernel_folder.message)

    def on_end(self, event: Any) -> None:
        if _is_kept(event):
            clock.end()


def _is_kept(event: Any) -> bool:
    return isinstance(getattr(event.data["dispatcher"], "_cache", None), _KernelCache)


register("numba:compile", _Watch())
