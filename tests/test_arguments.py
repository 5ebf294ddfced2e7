"""How arrays and numbers are read: exactly, or refused with the argument's name."""

from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
import scipy.stats

import rssp
from rssp._arguments import did_you_mean, near_names, number, real_array
from rssp.errors import ArgumentError, ArgumentTypeError


@pytest.mark.parametrize(
    "value",
    [
        [1, 2],
        (0.5,),
        np.float32([0.1]),
        [Fraction(1, 2), 1],
        [Decimal("0.5")],
        np.int64([2**53, -(2**60)]),
        [2**54],
        3,
        [],
    ],
)
def test_real_numbers_are_read_as_they_are(value):
    got = real_array("x", value)
    assert got.dtype == np.float64
    assert all(float(a) == b for a, b in zip(got.flat, np.asarray(value).flat, strict=True))


@pytest.mark.parametrize(
    "value",
    [
        ["1"], "ab", [None], [True], np.array([1j]), [1 + 2j], {1: 2}, [[1], [1, 2]], [object()],
        np.ma.array([1.0, 2.0], mask=[0, 1]), np.array(["2020-01-01"], "M8[D]"), [Fraction(1, 2), True],
    ],
)  # fmt: skip
def test_what_is_no_array_of_real_numbers_is_refused(value):
    with pytest.raises(ArgumentTypeError, match="x: got"):
        real_array("x", value)


@pytest.mark.parametrize("value", [[2**53 + 1], np.uint64([2**64 - 1]), [2**53 + 1, 0.5], [-(2**60) - 1], [10**400]])
def test_whole_numbers_that_float64_does_not_hold_are_refused(value):
    with pytest.raises(ArgumentError, match="x: got"):
        real_array("x", value)


def test_masks_without_a_masked_entry_are_arrays():
    assert real_array("x", np.ma.array([1.0, 2.0], mask=[0, 0])).tolist() == [1.0, 2.0]


@pytest.mark.parametrize(
    "call",
    [
        lambda bad: rssp.covers(bad, rssp.Ball(1), 0.1),
        lambda bad: rssp.nearest_subset(bad, [0.5]),
        lambda bad: rssp.nearest_subset([0.5, 0.25], bad),
        lambda bad: rssp.hits(bad, [0.5], 0.1),
        lambda bad: rssp.covering_radius(bad, rssp.Ball(1)),
    ],
)
@pytest.mark.parametrize(
    "bad", [np.ma.array([1.0, 2.0], mask=[0, 1]), np.array([1 + 1j, 2]), [2**53, 2**53 + 1], [True, False]]
)
def test_every_door_reads_alike(call, bad):
    with pytest.raises((ArgumentError, ArgumentTypeError), match=r"sample|targets"):
        call(bad)


def test_numbers_beyond_floats_are_refused():
    with pytest.raises(ArgumentError, match="eps: got"):
        number("eps", 10**400)
    with pytest.raises(ArgumentError, match="real parameters"):
        rssp.FromScipy(scipy.stats.norm(1 + 2j))


def test_near_names():
    assert near_names("EPS", ["eps", "delta"]) == ["eps"]
    assert near_names("eps", ["eps"]) == []
    assert near_names("rad", ["radius", "law"]) == ["radius"]
    assert near_names("abcd", ["abcx", "abcy", "abcz"], 2) in (["abcz", "abcy"], ["abcx", "abcy"], ["abcy", "abcx"])
    assert did_you_mean("unifrm", ["uniform", "normal"]) == "Did you mean 'uniform'?"
    assert did_you_mean("q", ["uniform", "normal"]) == ""
