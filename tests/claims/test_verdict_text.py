"""What a verdict says, word for word: each number in it is the one it names."""

import math

import numpy as np
import pytest
from test_verdict import a_claim, estimates

from rssp.claims import Kind, Status, check
from rssp.claims.verdict import Verdict, _percent, out_of_reach
from rssp.errors import ArgumentError
from rssp.estimates import Estimate


def test_a_row_and_the_text_hold_the_constant_and_what_is_proved_of_it():
    found = Verdict(
        a_claim(lambda eps: eps), Status.CONSISTENT, "so", constant=Estimate(1.25, 1.5, 2.5, 0.95), proved="C <= 9"
    )
    row = found.row()
    assert (row["constant_low"], row["constant"], row["constant_high"]) == (1.25, 1.5, 2.5)
    assert row["proved"] == found.proved_and_measured == "C <= 9; measured: C >= 1.25"
    assert str(found).endswith("\n  proved: C <= 9; measured: C >= 1.25")
    bare = Verdict(a_claim(lambda eps: eps), Status.HOLDS, "so", proved="C <= 9")
    assert bare.row()["constant_high"] is None
    assert bare.proved_and_measured == "C <= 9"
    assert bare.false_alarm == 0


def test_out_of_reach_has_the_reason_that_is_given_else_the_claim_s():
    own = a_claim(lambda eps: eps, unreachable="too large")
    assert out_of_reach(own).text == "too large"
    assert out_of_reach(own, "no disk").text == "no disk"
    assert out_of_reach(a_claim(lambda eps: eps)).text == "no experiment here speaks of it"


@pytest.mark.parametrize(
    ("share", "text"), [(0.0341, "0.034 %"), (12.34, "12 %"), (99.4, "99 %"), (99.6, "1e+02 %"), (123.4, "123 %")]
)
def test_percentages_have_two_digits(share, text):
    assert _percent(share) == text


def test_one_violated_point_is_named_without_a_count():
    verdict = check(a_claim(lambda eps: 9 + 0 * eps, Kind.NECESSARY), estimates([2.0]))
    assert verdict.text.startswith("at eps = 0.25")
    both = check(a_claim(lambda eps: 9 + 0 * eps, Kind.NECESSARY), estimates([2.0, 1.0]))
    assert both.text.startswith("at 2 of 2, most at eps = 0.125")


@pytest.mark.parametrize(
    ("value", "best", "half", "worst"),
    [
        ((20, 10), (15, 3), (0.002, 0.002), 1),  # the larger gap, not the larger numbers
        ((20, 10), (10, 5), (0.9, 0.002), 1),  # in units of the interval
        ((10, 20), (5, 10), (0.002, 0.9), 0),
    ],
)
def test_of_points_without_any_chance_the_one_farthest_off_is_named(value, best, half, worst):
    claimed = dict(zip((0.25, 0.125), value, strict=True))
    table = estimates(best)
    table = table.assign(low=table["best"] - np.array(half), high=table["best"] + np.array(half))
    found = check(a_claim(lambda eps: np.array([claimed[e] for e in np.ravel(eps)]), Kind.NECESSARY), table)
    assert found.status is Status.VIOLATED
    assert f"most at eps = {(0.25, 0.125)[worst]:g}" in found.text


def test_an_equality_says_how_far_off_it_may_be():
    fraction = a_claim(lambda eps: 0.5 + 0 * eps, Kind.EQUALITY, "fraction")
    one = check(fraction, estimates([0.5], 0.01, quantity="fraction"))
    two = check(fraction, estimates([0.5, 0.5], [0.01, 0.02], quantity="fraction"))
    assert one.status is two.status is Status.HOLDS
    assert "(median" not in one.text
    # half a width of 0.01 is 2 % of the value; with Holm's error for two points it is wider
    share = float(one.text.split("off by at most ")[1].split(" %")[0])
    most, middle = (float(part.split(" %")[0]) for part in two.text.split("off by at most ")[1].split(" (median "))
    assert 2 < share < 5
    assert most > middle > share * 0.9
    heuristic = a_claim(lambda eps: 0.5 + 0 * eps, Kind.HEURISTIC, "fraction", error=0.05)
    said = check(heuristic, estimates([0.5], 0.001, quantity="fraction")).text
    assert said.endswith("; it allows itself 10 %")


def test_points_that_are_not_reached_have_no_share_in_the_slack():
    table = estimates([4.0, 8.0, math.inf])
    table.loc[2, ["low", "high"]] = 9.0, math.inf
    assert check(a_claim(lambda eps: 12 + 0 * eps), table).slack == pytest.approx((3 + 1.5) / 2)
    zero = estimates([4.0, 0.0], [0.1, 0.0])
    assert check(a_claim(lambda eps: 12 + 0 * eps), zero).slack == pytest.approx(3)


def test_constants_that_are_open_are_named():
    two = a_claim(lambda eps, A, c: A * np.exp(c / eps), constants={"A": None, "c": None})
    with pytest.raises(ArgumentError, match=r"^A, c: got nothing.*Pass A, c=\.\.\."):
        check(two, estimates([4.0, 5.0]))
    with pytest.raises(ArgumentError, match=r"^c: got nothing"):
        check(two, estimates([4.0, 5.0]), constant="A")
    with pytest.raises(ArgumentError, match=r"^A: got nothing"):
        check(two, estimates([4.0, 5.0]), constant="c")
    one = a_claim(lambda eps, A: A / eps, constants={"A": None})
    with pytest.raises(ArgumentError, match=r"^A: got nothing"):
        check(one, estimates([4.0, 5.0]))


def test_rows_without_an_error_take_their_covariance_with_them():
    """The first row is silent; the covariance of the others decides whether C grows."""
    rising = estimates([1.0, 8.0, 20.0, 36.0, 56.0], 0.2)
    rising = rising.assign(low=rising["best"] - 0.2, high=rising["best"] + 0.2)
    rising.loc[0, ["low", "high"]] = rising.loc[0, "best"]
    rising.loc[0, "evidence"] = "measured"
    form = a_claim(lambda eps, C: C * np.log2(1 / eps), constants={"C": None})
    sharp = check(form, rising, covariance=np.diag([1e6, 0.01, 0.01, 0.01, 0.01]))
    wide = check(form, rising, covariance=np.diag([0.01, 1e6, 1e6, 1e6, 1e6]))
    assert sharp.status is Status.NO_FORM
    assert wide.status is not Status.NO_FORM
