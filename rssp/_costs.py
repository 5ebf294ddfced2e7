"""The limits on memory and time, checked before anything is allocated."""

from __future__ import annotations

import time
from functools import lru_cache

from rssp._memory import available_memory
from rssp.errors import InfeasibleError

__all__ = ["SECONDS", "memory_limit", "refusal", "require_feasible"]

_MEMORY_FRACTION = 0.6  # a choice, not measured: other processes run too
SECONDS = 3600.0  # a choice: what is expected to take longer is refused


def memory_limit() -> float:
    """The bytes that one call may use: a fixed part of what this process could still take a moment ago."""
    return _MEMORY_FRACTION * _available(int(10 * time.monotonic()))


@lru_cache(maxsize=1)
def _available(tenth: int) -> int:
    """What is available, asked once in a tenth of a second: asking takes longer than covering by ten numbers."""
    return available_memory()


def refusal(what: str, memory_bytes: float = 0.0, seconds: float = 0.0, remedy: str = "") -> InfeasibleError | None:
    """The error, naming the cost and the limit, if `what` needs more memory or time than is allowed; None if not.

    >>> refusal("a small thing", memory_bytes=1e3, seconds=1e-3) is None
    True
    """
    limit = memory_limit()
    if memory_bytes > limit:
        return InfeasibleError(what, f"about {memory_bytes / 1e9:.3g} GB of memory", f"{limit / 1e9:.3g} GB", remedy)
    if seconds > SECONDS:
        return InfeasibleError(what, f"about {seconds:.3g} s", f"{SECONDS:.0f} s", remedy)
    return None


def require_feasible(what: str, memory_bytes: float = 0.0, seconds: float = 0.0, remedy: str = "") -> None:
    """Raise InfeasibleError, naming the cost and the limit, if `what` needs more memory or time than is allowed.

    >>> require_feasible("a small thing", memory_bytes=1e3, seconds=1e-3)
    >>> require_feasible("enumerating 2^70 sums", seconds=1e12, remedy="Use n <= 44.")
    Traceback (most recent call last):
    rssp.errors.InfeasibleError: enumerating 2^70 sums needs about 1e+12 s; the limit is 3600 s. Use n <= 44.
    """
    refused = refusal(what, memory_bytes, seconds, remedy)
    if refused is not None:
        raise refused
