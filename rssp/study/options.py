"""A study's own options: a frozen dataclass whose fields have a type, a default and a line of help.

From it come the flags of ``rssp run NAME``, the meaning of ``--set name=value``, and what `analyse` finds in
``context.options``.
"""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from rssp.errors import ArgumentError, ArgumentTypeError

__all__ = ["NoOptions", "OptionText", "check_options", "make_options", "option", "option_texts"]

_KINDS: dict[type, tuple[str, str]] = {
    int: ("INTEGER", "a whole number"),
    float: ("NUMBER", "a number"),
    str: ("TEXT", "a text"),
}
_RESERVED = ("scale", "trials", "seed", "workers", "out", "figures", "set", "set_", "json", "help", "study")


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
    """ArgumentError unless `options` is a frozen dataclass of fields that the command line can offer.

    Names, types and defaults are looked at: what a default is refused for would else be found in the middle of a run.
    """
    if not dataclasses.is_dataclass(options) or not options.__dataclass_params__.frozen:  # type: ignore[attr-defined]
        raise ArgumentTypeError("options", options, "a class decorated with @dataclass(frozen=True)")
    for f in dataclasses.fields(options):
        if f.default is dataclasses.MISSING or not f.metadata.get("help"):
            raise ArgumentError("options", f.name, "a field made with option(default, help)")
        if f.name in _RESERVED:
            raise ArgumentError("options", f.name, "a name other than " + ", ".join(_RESERVED), "Rename the field.")
        if f.name.strip("_") != f.name:
            raise ArgumentError("options", f.name, "a name that neither begins nor ends with _", "Rename the field.")
        kind = _type_of(options, f.name)
        _kind(kind, f.name)
        least = f.metadata.get("least")
        if least is not None and _entry(kind) not in (int, float):
            raise ArgumentError("options", f"least={least!r} for {f.name}", "least for numbers alone", "Leave it out.")
        _check_default(options, f.name, f.default, least)


def _check_default(options: type, name: str, default: Any, least: float | None) -> None:
    """ArgumentError unless a default is a value of its field's type, as `analyse` will find it."""
    kind = _type_of(options, name)
    if default is None:
        if kind is typing.get_type_hints(options)[name]:
            raise ArgumentError(f"options, default of {name}", "None", _words(kind, name), "Or say X | None.")
        return
    is_tuple, is_literal = (typing.get_origin(kind) is origin for origin in (tuple, typing.Literal))
    as_text = isinstance(default, str) and kind is not str and not is_literal
    single = is_tuple and not isinstance(default, tuple)
    if as_text or single or (is_literal and default not in typing.get_args(kind)):
        # a text is what the command line would give; this value reaches `analyse` as it is
        value = (default,) if single and not as_text else default
        remedy = ""
        with suppress(ArgumentError):
            remedy = f"Write {_read(name, value, kind)!r}."
        raise ArgumentError(f"options, default of {name}", repr(default), _annotation(kind), remedy)
    if _checked_value(f"options, default of {name}", default, kind, least) != default:
        raise ArgumentError(f"options, default of {name}", repr(default), _annotation(kind))


def make_options(options: type, given: Mapping[str, Any] | None = None) -> Any:
    """An instance of an options dataclass; texts are read, and every value is checked."""
    given = dict(given or {})
    known = {f.name: f for f in dataclasses.fields(options)}
    strange = [name for name in given if name not in known]
    if strange:
        raise ArgumentError("options", ", ".join(strange), ", ".join(known) or "none: this study has no options")
    kinds = {name: _type_of(options, name) for name in given}
    read = {
        name: _checked_value(name, value, kinds[name], known[name].metadata.get("least"))
        for name, value in given.items()
    }
    return options(**read)


def _checked_value(name: str, value: Any, kind: Any, least: float | None) -> Any:
    """A value of a field, read where it is a text; ArgumentError where it is not of the kind or below the least."""
    found = _read(name, value, kind)
    entries = found if isinstance(found, tuple) else () if found is None else (found,)
    if least is not None and (found == () or any(entry < least for entry in entries)):
        raise ArgumentError(name, repr(value), f"{_words(kind, name)} >= {least:g}")
    return found


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
    if typing.get_origin(kind) is typing.Literal and all(type(a) in (str, int) for a in arguments):
        texts = [str(a) for a in arguments]
        if len(set(texts)) == len(texts):  # "1" and 1 are one word on the command line
            return "|".join(texts), " or ".join(texts)
    if typing.get_origin(kind) is tuple and len(arguments) == 2 and arguments[0] in _KINDS and arguments[1] is ...:
        metavar, words = _KINDS[arguments[0]]
        return f"{metavar},...", f"{words.removeprefix('a ')}s with commas between them"
    raise ArgumentError(
        "options",
        f"{name} of type {kind}",
        "int, float, str, Literal[...] of texts or whole numbers, or tuple[int, ...]",
    )


def _entry(kind: Any) -> Any:
    """The type of the entries of a tuple; else the type itself."""
    return typing.get_args(kind)[0] if typing.get_origin(kind) is tuple else kind


def _annotation(kind: Any) -> str:
    """A type in Python's words: what a default in a file has to be."""
    return kind.__name__ if kind in _KINDS else str(kind).removeprefix("typing.")


def _words(kind: Any, name: str) -> str:
    return _kind(kind, name)[1]


def _read(name: str, value: Any, kind: Any) -> Any:
    bad = ArgumentError(name, repr(value), _words(kind, name))
    if value is None:
        return None
    if typing.get_origin(kind) is typing.Literal:
        for allowed in typing.get_args(kind):
            if value in (allowed, str(allowed)) and not isinstance(value, (bool, float)):
                return allowed
        raise bad
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
        number = kind(value)
    except (ValueError, OverflowError):
        raise bad from None
    if number != number:  # nan is below nothing, so that `least` would let it pass
        raise bad
    return number
