"""What can go wrong, said so that the reader knows what to change.

Every message names the argument, the value received, what is allowed and, where there is one, the remedy.
"""

from __future__ import annotations

__all__ = [
    "ArgumentError",
    "ArgumentTypeError",
    "InfeasibleError",
    "RsspError",
    "StoreError",
    "StoreWarning",
]


_LONGEST = 120


class RsspError(Exception):
    """Base class of every error that rssp raises on purpose."""

    def __reduce__(self) -> tuple[object, ...]:
        # the default calls __init__ with the finished message only; an error must survive the way back from a worker
        return _restored, (type(self), self.args, self.__dict__)


def _restored(cls: type[RsspError], args: tuple[object, ...], state: dict[str, object]) -> RsspError:
    error = cls.__new__(cls, *args)
    error.__dict__.update(state)
    return error


def _message(argument: str, received: object, allowed: str, remedy: str) -> str:
    text = f"{argument}: got {received}; allowed: {allowed}."
    return f"{text} {remedy}" if remedy else text


class ArgumentError(RsspError, ValueError):
    """An argument has a value that is not allowed.

    >>> raise ArgumentError("eps", -0.1, "a finite number > 0", "Try eps=0.01.")
    Traceback (most recent call last):
    rssp.errors.ArgumentError: eps: got -0.1; allowed: a finite number > 0. Try eps=0.01.
    """

    def __init__(self, argument: str, received: object, allowed: str, remedy: str = ""):
        self.argument = argument
        super().__init__(_message(argument, received, allowed, remedy))


class ArgumentTypeError(RsspError, TypeError):
    """An argument has a type that is not allowed."""

    def __init__(self, argument: str, received: object, allowed: str, remedy: str = ""):
        self.argument = argument
        text = " ".join(repr(received).split())  # a table is shown by its beginning
        text = text if len(text) <= _LONGEST else text[: _LONGEST - 3] + "..."
        super().__init__(_message(argument, f"{type(received).__name__} {text}", allowed, remedy))


class InfeasibleError(RsspError, ValueError):
    """The work asked for needs more memory or time than is allowed; raised before anything is allocated."""

    def __init__(self, what: str, needs: str, limit: str, remedy: str = ""):
        text = f"{what} needs {needs}; the limit is {limit}."
        super().__init__(f"{text} {remedy}" if remedy else text)


class StoreError(RsspError, ValueError):
    """A results directory cannot be used: it is foreign, unwritable, or holds another experiment."""


class StoreWarning(UserWarning):
    """A stored part file could not be read; it is named, left alone and its batches are computed again."""
