"""A study's options: read from texts, checked, and shown by the command line."""

import math
from dataclasses import dataclass, field
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rssp.errors import ArgumentError, ArgumentTypeError
from rssp.study import Study, option
from rssp.study.options import make_options, option_texts


@dataclass(frozen=True)
class Options:
    n_max: int = option(30, "largest n", least=1)
    seconds: float | None = option(None, "time for one network", least=0)
    data: Literal["digits", "mnist"] = option("digits", "what is learned")
    widths: tuple[int, ...] = option((16, 32), "widths", least=1)
    label: str = option("a", "a label")


def test_defaults_texts_and_values():
    assert make_options(Options) == Options(30, None, "digits", (16, 32), "a")
    read = make_options(Options, {"n_max": "7", "seconds": "0.5", "data": "mnist", "widths": "8,16", "label": "1"})
    assert read == Options(7, 0.5, "mnist", (8, 16), "1")
    assert make_options(Options, {"widths": [4], "seconds": 2}) == Options(widths=(4,), seconds=2.0)


@given(n=st.integers(1, 10**9), widths=st.lists(st.integers(1, 999), min_size=1), seconds=st.floats(0, 1e9))
def test_what_is_written_is_read(n, widths, seconds):
    texts = {"n_max": str(n), "widths": ",".join(map(str, widths)), "seconds": repr(seconds)}
    assert make_options(Options, texts) == Options(n_max=n, widths=tuple(widths), seconds=seconds)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"n_max": "many"}, "n_max: got 'many'; allowed: a whole number"),
        ({"n_max": "7.0"}, "a whole number"),
        ({"n_max": 7.5}, "a whole number"),
        ({"n_max": True}, "a whole number"),
        ({"n_max": "0"}, "a whole number >= 1"),
        ({"seconds": -1.0}, "a number >= 0"),
        ({"data": "letters"}, "digits or mnist"),
        ({"widths": "8;16"}, "whole numbers with commas"),
        ({"widths": ()}, "whole numbers with commas"),
        ({"widths": "8,0"}, ">= 1"),
        ({"label": 1}, "a text"),
        ({"n_mx": "3"}, "options: got n_mx; allowed: n_max"),
    ],
)
def test_bad_values_are_refused(given, words):
    with pytest.raises(ArgumentError) as caught:
        make_options(Options, given)
    assert words in str(caught.value)


def test_the_command_line_shows_type_default_and_help():
    texts = {o.name: o for o in option_texts(Options)}
    assert (texts["n_max"].flag, texts["n_max"].metavar, texts["n_max"].default) == ("--n-max", "INTEGER", "30")
    assert texts["seconds"].default == "the scale's"
    assert texts["data"].metavar == "digits|mnist"
    assert texts["widths"].default == "16,32"
    assert texts["label"].help == "a label"


def test_options_that_the_command_line_cannot_offer_are_refused():
    def study(options):
        return Study(name="mine", question="?", analyse=lambda runs, context: {}, tables={}, options=options)

    @dataclass
    class Changeable:
        n: int = option(1, "n")

    @dataclass(frozen=True)
    class Silent:
        n: int = 1

    @dataclass(frozen=True)
    class Taken:
        seed: int = option(0, "n")

    @dataclass(frozen=True)
    class Strange:
        n: dict = field(default=None, metadata={"help": "n", "least": None})

    for options in (Changeable, dict):
        with pytest.raises(ArgumentTypeError, match="frozen"):
            study(options)
    for options, word in ((Silent, "help"), (Taken, "Rename"), (Strange, "tuple")):
        with pytest.raises(ArgumentError, match=word):
            study(options)
    study(Options)


BAD_DEFAULTS = [
    (tuple[int, ...], "16,32", "Write (16, 32)."),
    (tuple[int, ...], 16, "Write (16,)."),
    (tuple[int, ...], (16, "32"), "got (16, '32')"),
    (tuple[int, ...], (16, 1.5), "whole numbers"),
    (tuple[str, ...], "a", "Write ('a',)."),
    (int, "3", "Write 3."),
    (int, 3.0, "a whole number"),
    (int, True, "a whole number"),
    (int, None, "X | None"),
    (float, math.nan, "a number"),
    (str, 1, "a text"),
    (Literal["a", "b"], "c", "Literal['a', 'b']"),
    (Literal[1, 2], "2", "Write 2."),
    (Literal[1, 2], 3, "Literal[1, 2]"),
    (Literal[1, "1"], 1, "Literal[...] of texts or whole numbers"),
    (Literal[True, False], True, "Literal[...] of texts or whole numbers"),
    (bool, True, "int, float, str"),
    (int | str, 1, "int, float, str"),
]


def options_class(kind, default, name="size", **more):
    return dataclass(frozen=True)(
        type("Options", (), {"__annotations__": {name: kind}, name: option(default, "help", **more)})
    )


def study_of(options):
    return Study(name="mine", question="?", analyse=lambda runs, context: {}, tables={}, options=options)


@pytest.mark.parametrize(("kind", "default", "words"), BAD_DEFAULTS)
def test_a_default_is_of_its_fields_type(kind, default, words):
    with pytest.raises(ArgumentError) as caught:
        study_of(options_class(kind, default))
    assert "options" in str(caught.value)
    assert "size" in str(caught.value)
    assert words in str(caught.value)


def test_least_and_names_are_checked_with_the_default():
    for options, words in (
        (options_class(int, 0, least=1), ">= 1"),
        (options_class(tuple[int, ...], (4, 0), least=1), ">= 1"),
        (options_class(str, "a", least=1), "numbers alone"),
        (options_class(int, 1, "set_"), "Rename"),
        (options_class(int, 1, "_size"), "Rename"),
    ):
        with pytest.raises(ArgumentError, match=words):
            study_of(options)


def test_literals_of_numbers_are_read_from_texts():
    options = options_class(Literal[1, 2], 1)
    study_of(options)
    assert make_options(options, {"size": "2"}) == options(2)
    assert option_texts(options)[0].metavar == "1|2"
    for wrong in ("3", 3, True, 1.0, "1.0"):
        with pytest.raises(ArgumentError, match="1 or 2"):
            make_options(options, {"size": wrong})
    with pytest.raises(ArgumentError, match="a number"):
        make_options(options_class(float, 1.0), {"size": "nan"})
