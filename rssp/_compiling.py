"""Says that kernels are being compiled, once a process, where that takes so long that one begins to wonder."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

__all__ = ["Clock", "clock"]


def _to_stderr(text: str) -> None:
    if sys.stderr is not None:  # print would take the standard output instead
        print(text, file=sys.stderr, flush=True)


class Clock:
    """Adds up the seconds spent on compiling and says so, once, when they pass `patience`: while it still goes on.

    `begin` and `end` are called in pairs that may be nested, by one thread at a time (numba compiles under a lock).

    >>> clock = Clock(patience=0.0)
    >>> with clock.told_to(print):
    ...     clock.begin(lambda: "compiling"), clock.end()
    ...     clock.begin(lambda: "compiling"), clock.end()
    compiling
    (None, None)
    (None, None)
    """

    def __init__(self, patience: float = 3.0):
        self.patience = patience
        self._listeners: list[Callable[[str], None]] = [_to_stderr]
        self._depth = 0
        self._spent = self._since = 0.0
        self._timer: threading.Timer | None = None
        self._said = False

    def begin(self, message: Callable[[], str]) -> None:
        """A compilation begins; `message` is asked for what to say, if it comes to that."""
        self._depth += 1
        if self._depth > 1 or self._said:
            return
        self._since = time.monotonic()
        left = self.patience - self._spent
        if left <= 0:
            self._say(message)
        elif left < threading.TIMEOUT_MAX:
            self._timer = threading.Timer(left, self._say, [message])
            self._timer.daemon = True
            self._timer.start()

    def end(self) -> None:
        self._depth -= 1
        if self._depth == 0:
            self._spent += time.monotonic() - self._since
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None

    def _say(self, message: Callable[[], str]) -> None:
        self._said = True
        with suppress(Exception):  # a full disk, a closed stream: a courtesy must not stop the work
            self._listeners[-1](message())

    @contextmanager
    def told_to(self, listener: Callable[[str], None]) -> Iterator[None]:
        """Inside this context the listener is told, instead of the standard error output."""
        self._listeners.append(listener)
        try:
            yield
        finally:
            self._listeners.remove(listener)


clock = Clock()
"""That of this process."""
