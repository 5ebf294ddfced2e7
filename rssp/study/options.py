"""A study's own options: a frozen dataclass whose fields have a type, a default and a line of help.

From it come the flags of ``rssp run NAME``, the meaning of ``--set name=value``, and what `analyse` finds in
``context.options``.
"""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rssp.errors import ArgumentError, ArgumentTypeError

__all__ = ["NoOptions", "OptionText", "check_options", "make_options", "option", "option_texts"]

_KINDS: dict[type, tuple[str, str]] = {
    int: ("INTEGER", "a whole number"),
    float: ("NUMBER", "a number"),
    str: ("TEXT", "a text"),
}
_RESERVED = ("scale", "trials", "seed", "workers", "out", "figures", "set", "json", "help", "study")


@dataclass(frozen=True)
class NoOptions:
    """The options of a study that has none."""


@dataclass(frozen=True)
class OptionText:
    """One option as the command line shows it: ``--n-max INTEGER``, the default and the help in words."""

    name: str
    flag: str
    metavar: str
    default: str
    help: str


def option(default: Any, help: str, *, least: float | None = None) -> Any:
    """A field of an options dataclass.

    Parameters
    ----------
    default : of the field's type; None where the scale decides, for fields of type ``X | None``
    help : one line
    least : the smallest number allowed

    Examples
    --------
    >>> @dataclass(frozen=True)
    ... class Options:
    ...     widths: tuple[int, ...] = option((16, 32), "widths of the layers", least=1)
    ...     data: typing.Literal["digits", "mnist"] = option("digits", "what is learned")
    ...     seconds: float | None = option(None, "time for one network")
    >>> make_options(Options, {"widths": "8,16", "seconds": "0.5"})
    Options(widths=(8, 16), data='digits', seconds=0.5)
    >>> make_options(Options, {"data": "letters"})
    Traceback (most recent call last):
    rssp.errors.ArgumentError: data: got 'letters'; allowed: digits or mnist.
    >>> [f"{o.flag} {o.metavar} [{o.default}]" for o in option_texts(Options)]
    ['--widths INTEGER,... [16,32]', '--data digits|mnist [digits]', "--seconds NUMBER [the scale's]"]
    """
    return dataclasses.field(default=default, metadata={"help": help, "least": least})


def check_options(options: type) -> None:
    """ArgumentError unless `options` is a frozen dataclass of fields that the command line can offer."""
    if not dataclasses.is_dataclass(options) or not options.__dataclass_params__.frozen:  # type: ignore[attr-defined]
        raise ArgumentTypeError("options", options, "a class decorated with @dataclass(frozen=True)")
    for f in dataclasses.fields(options):
        if f.default is dataclasses.MISSING or not f.metadata.get("help"):
            raise ArgumentError("options", f.name, "a field made with option(default, help)")
        if f.name in _RESERVED:
            raise ArgumentError("options", f.name, "a name other than " + ", ".join(_RESERVED), "Rename the field.")
        _kind(_type_of(options, f.name), f.name)


def make_options(options: type, given: Mapping[str, Any] | None = None) -> Any:
    """An instance of an options dataclass; texts are read, and every value is checked."""
    given = dict(given or {})
    known = {f.name: f for f in dataclasses.fields(options)}
    strange = [name for name in given if name not in known]
    if strange:
        raise ArgumentError("options", ", ".join(strange), ", ".join(known) or "none: this study has no options")
    read = {name: _read(name, value, _type_of(options, name)) for name, value in given.items()}
    for name, value in read.items():
        least = known[name].metadata["least"]
        entries = value if isinstance(value, tuple) else () if value is None else (value,)
        if least is not None and (value == () or any(entry < least for entry in entries)):
            raise ArgumentError(name, repr(given[name]), f"{_words(_type_of(options, name), name)} >= {least:g}")
    return options(**read)


def option_texts(options: type) -> list[OptionText]:
    """The options in the order of the dataclass."""
    texts = []
    for f in dataclasses.fields(options):
        metavar = _kind(_type_of(options, f.name), f.name)[0]
        default = f.default
        if default is None:
            text = "the scale's"
        else:
            text = ",".join(map(str, default)) if isinstance(default, tuple) else str(default)
        texts.append(OptionText(f.name, "--" + f.name.replace("_", "-"), metavar, text, f.metadata["help"]))
    return texts


def _type_of(options: type, name: str) -> Any:
    """The type of a field, without its None."""
    found = typing.get_type_hints(options)[name]
    if typing.get_origin(found) in (typing.Union, types.UnionType):
        inner = [a for a in typing.get_args(found) if a is not types.NoneType]
        return inner[0] if len(inner) == 1 else found
    return found


def _kind(kind: Any, name: str) -> tuple[str, str]:
    """How the command line shows a type, and the values allowed in words."""
    if kind in _KINDS:
        return _KINDS[kind]
    arguments = typing.get_args(kind)
    if typing.get_origin(kind) is typing.Literal:
        return "|".join(arguments), " or ".join(arguments)
    if typing.get_origin(kind) is tuple and len(arguments) == 2 and arguments[0] in _KINDS and arguments[1] is ...:
        metavar, words = _KINDS[arguments[0]]
        return f"{metavar},...", f"{words.removeprefix('a ')}s with commas between them"
    raise ArgumentError("options", f"{name} of type {kind}", "int, float, str, Literal[...] or tuple[int, ...]")


def _words(kind: Any, name: str) -> str:
    return _kind(kind, name)[1]


def _read(name: str, value: Any, kind: Any) -> Any:
    bad = ArgumentError(name, repr(value), _words(kind, name))
    if value is None:
        return None
    if typing.get_origin(kind) is typing.Literal:
        if value not in typing.get_args(kind):
            raise bad
        return value
    if typing.get_origin(kind) is tuple:
        parts = value.split(",") if isinstance(value, str) else value
        if not isinstance(parts, (list, tuple)):
            raise bad
        return tuple(_number(part, typing.get_args(kind)[0], bad) for part in parts)
    return _number(value, kind, bad)


def _number(value: Any, kind: type, bad: ArgumentError) -> Any:
    """One value of a simple type, from a text or checked."""
    if kind is str:
        if not isinstance(value, str):
            raise bad
        return value
    kinds = (str, int) if kind is int else (str, int, float)
    if isinstance(value, bool) or not isinstance(value, kinds):
        raise bad
    try:
        return kind(value)
    except ValueError:
        raise bad from None
