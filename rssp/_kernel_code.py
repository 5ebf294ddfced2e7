"""What a compiled kernel was made from, as one digest.

numba's own cache looks at one source file, while a kernel's calls go through several. Nor is a file what was compiled:
Python may have taken the code from byte code whose date and size happen to fit. So nothing is read from files here. The
digest is made of the code objects that are loaded, of the constants they find in their modules, and of the same for
every kernel that they call: of all that numba puts into the result.
"""

from __future__ import annotations

import builtins
import dis
import hashlib
import inspect
import sys
import types
from collections.abc import Iterator
from typing import Any

import llvmlite
import numba
import numpy as np
from numba.core.dispatcher import Dispatcher

__all__ = ["code_digest", "settings"]

_LIBRARIES = ("numpy", "math", "cmath", "operator", "builtins")
"""modules whose functions numba knows by name: their version, or numba's, says what they do"""
_PLAIN = (bool, int, float, complex, str, bytes, types.NoneType, types.EllipsisType)
_NO_MATTER = {"CACHE_DIR", "COLOR_SCHEME", "GDB_BINARY", "NUMBA_NUM_THREADS", "NUMBA_DEFAULT_NUM_THREADS"}
"""settings of numba that differ between processes and never reach a kernel"""
_VERSIONS = (
    numba.__version__,
    llvmlite.__version__,
    np.__version__,
    sys.implementation.cache_tag,
    getattr(sys, "abiflags", ""),
)


class _Unknown(Exception):
    """A kernel uses something of which no text says what it is."""


_seen: dict[Any, tuple[str, list[Any]]] = {}
"""each function's text when it was first asked for, and the kernels it calls: numba may have compiled it by then"""


def code_digest(kernel: Any) -> str | None:
    """A digest of the kernel's code and of all that it calls; None where there is no telling what was compiled.

    That is so where a constant is of a kind that has no faithful text, and where one was rebound while this process
    ran: kernels that were compiled before still have the old one in them.
    """
    order, texts = [kernel], []
    for one in order:  # grows
        try:
            text, called = _own_text(one)
        except _Unknown:
            return None
        if _seen.setdefault(one.py_func, (text, called)) != (text, called):
            return None
        order += [other for other in dict.fromkeys(called) if other not in order]
        texts.append((text, [order.index(other) for other in called]))
    return hashlib.sha256(repr((_VERSIONS, texts)).encode("utf-8", "surrogatepass")).hexdigest()


def settings() -> str:
    """Every setting of numba that may change what a kernel is compiled to, such as NUMBA_BOUNDSCHECK."""
    found = {
        name: repr(value)
        for name, value in vars(numba.config).items()
        if name.isupper() and isinstance(value, _PLAIN) and not name.startswith("CUDA") and name not in _NO_MATTER
    }
    return repr(sorted(found.items()))


def _own_text(kernel: Any) -> tuple[str, list[Any]]:
    """What there is to say of one kernel, and the kernels that it calls in the order in which it names them."""
    called: list[Any] = []
    function = kernel.py_func
    names = sorted(set(_global_names(function.__code__)))
    captured = [cell.cell_contents for cell in function.__closure__ or ()]
    parts = (
        f"{function.__module__}.{function.__qualname__}",
        repr(sorted(kernel.targetoptions.items())),
        _text(function.__code__, called),
        _text(function.__defaults__, called),
        [_text(value, called) for value in captured],
        [(name, _global_text(name, function.__globals__, called)) for name in names],
    )
    return repr(parts), called


def _global_names(code: types.CodeType) -> Iterator[str]:
    for step in dis.get_instructions(code):
        if step.opname in ("LOAD_GLOBAL", "LOAD_NAME"):
            yield step.argval
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _global_names(constant)


def _global_text(name: str, values: dict[str, Any], called: list[Any]) -> str:
    if name in values:
        return _text(values[name], called)
    return "builtin" if hasattr(builtins, name) else "undefined"


def _text(value: Any, called: list[Any]) -> str:
    """A text that is different for values which are compiled to different code; kernels are added to `called`."""
    kind = type(value)
    if isinstance(value, Dispatcher):
        called.append(value)
        return "kernel"
    if kind in _PLAIN:
        return f"{kind.__name__} {value!r}"
    if isinstance(value, types.CodeType):
        return _code_text(value, called)
    if isinstance(value, tuple):
        return f"{kind.__module__}.{kind.__qualname__} {[_text(entry, called) for entry in value]}"
    if isinstance(value, frozenset):
        return f"frozenset {sorted(_text(entry, called) for entry in value)}"
    if isinstance(value, (np.ndarray, np.generic)) and not value.dtype.hasobject:
        array = np.asarray(value)
        data = hashlib.sha256(array.tobytes()).hexdigest()
        return f"{kind.__name__} {value.dtype!r} {array.shape} {array.strides} {data}"
    if isinstance(value, type) and issubclass(value, tuple) and hasattr(value, "_fields"):  # numba sees its fields only
        fields = [(name, _text(getattr(value, "_field_defaults", {}).get(name), called)) for name in value._fields]
        return f"fields of {value.__module__}.{value.__qualname__} {fields}"
    return _library_text(value)


def _code_text(code: types.CodeType, called: list[Any]) -> str:
    # not the numbers of its lines: a remark above a kernel must not cost anybody a minute
    names = (code.co_names, code.co_varnames, code.co_freevars, code.co_cellvars)
    # of the flags those of *args, **kwargs and yield: numba sets all anew where a profiler looks on (sys.setprofile)
    flags = code.co_flags & (inspect.CO_VARARGS | inspect.CO_VARKEYWORDS | inspect.CO_GENERATOR)
    counts = (code.co_argcount, code.co_posonlyargcount, code.co_kwonlyargcount, flags)
    body = (code.co_code, code.co_exceptiontable, [_text(constant, called) for constant in code.co_consts])
    return f"code {(names, counts, body)!r}"


def _library_text(value: Any) -> str:
    """The name of a module, type or function of a library."""
    if isinstance(value, np.dtype):
        return f"dtype {value!r}"
    name = getattr(value, "__name__", None)
    module = name if isinstance(value, types.ModuleType) else getattr(value, "__module__", None)
    if isinstance(value, np.ufunc):
        module = "numpy"
    if not (isinstance(name, str) and isinstance(module, str) and module.partition(".")[0] in _LIBRARIES):
        raise _Unknown
    return f"library {module}.{getattr(value, '__qualname__', name)}"
