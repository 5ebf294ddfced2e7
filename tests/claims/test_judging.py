"""The pieces of a verdict, each against what it stands for; most of these lines were once changed unnoticed."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rssp.claims.counted import Curves
from rssp.claims.judging import Judged, _event, _points
from rssp.claims.significance import interval_tails, tails_of_sequence
from rssp.claims.statement import Claim, Kind
from rssp.claims.verdict import _resolution, check
from rssp.intervals import confidence_sequence


@given(
    trials=st.integers(1, 400), share=st.floats(0, 1), value=st.floats(0.001, 0.999), alpha=st.sampled_from([0.2, 0.05])
)
def test_anytime_tails_are_the_dual_of_the_confidence_sequence(trials, share, value, alpha):
    events = round(share * trials)
    low, high = confidence_sequence(events, trials, confidence=1 - alpha)
    tails = tails_of_sequence(events, trials, value)
    smaller = min(float(tails.at_most), float(tails.at_least))
    if low + 1e-9 < value < high - 1e-9:
        assert smaller > alpha
    if value < low - 1e-9 or value > high + 1e-9:
        assert smaller <= alpha
    assert (float(tails.at_most) < 1) <= (events > value * trials)
    assert (float(tails.at_least) < 1) <= (events < value * trials)


def test_the_first_n_with_few_enough_failures():
    rows = pd.DataFrame({"n": [4, 5, 6, 9, 10], "trials": 10, "successes": [2, 6, 9, 3, 4]})
    deltas = pd.DataFrame({"delta": [0.5, 0.1, 0.2]})
    three = Curves(rows, deltas, np.array([0, 0, 3]), np.array([3, 3, 5]))
    assert three.first_enough().tolist() == [5, 6, np.inf]
    one = Curves(rows, pd.DataFrame({"delta": [0.65]}), np.array([3]), np.array([5]))
    assert one.first_enough().tolist() == [10]


def test_the_complement_turns_the_interval_round():
    rows = pd.DataFrame({"low": [0.6], "best": [0.7], "high": [0.9], "evidence": "measured"})
    turned = _points(rows, np.array([0.2]), complement=True).iloc[0]
    assert turned[["low", "best", "high"]].to_numpy(dtype=float) == pytest.approx([0.1, 0.3, 0.4])
    assert turned["seen"] == "measured 0.3 [0.1, 0.4], claimed 0.2"


def test_the_event_is_read_from_the_share():
    counts = pd.DataFrame({"successes": [90, 80], "trials": 100})
    assert not _event(counts.assign(best=[0.9, 0.8]), complement=False)
    assert _event(counts.assign(best=[0.1, 0.2]), complement=False)
    assert not _event(counts.assign(successes=[40, 45], best=[0.40, 0.45]), complement=False)
    assert _event(counts, complement=True)


def test_an_equality_says_how_fine_it_is():
    nothing = np.zeros(3)
    points = pd.DataFrame({"value": [10.0, 100.0, 1.0]})
    judged = Judged(points, nothing, nothing, np.array([1.0, 6.0, 0.02]), nothing == 0, nothing > 0)
    assert _resolution(judged) == ", off by at most 10 % (median 6 %)"
    none = Judged(points, nothing, nothing, np.full(3, np.inf), nothing > 0, nothing > 0)
    assert _resolution(none) == ""
    zero = Judged(points.assign(value=0.0), nothing, nothing, np.array([0.5, 0.1, 0.1]), nothing == 0, nothing > 0)
    assert _resolution(zero) == ", off by at most 0.5 (median 0.1)"


@given(st.floats(0.1, 10), st.floats(0.1, 10), st.floats(-40, 40))
def test_each_side_of_an_interval_has_its_own_error(down, up, shift):
    tails = interval_tails(-down, 0.0, up, 0.95, shift)
    assert (float(tails.at_most) <= 0.0251) == (shift <= -down * 0.9999) or abs(shift + down) < 1e-3 * down
    assert (float(tails.at_least) <= 0.0251) == (shift >= up * 0.9999) or abs(shift - up) < 1e-3 * up


@pytest.mark.parametrize(("scale", "status"), [(1.0, "holds"), (1.2, "violated")])
def test_a_claim_on_failures_is_judged_on_rows_of_coverage(scale, status):
    seen = pd.DataFrame(
        {"n": [10, 11], "eps": 0.1, "quantity": "P(fail)", "trials": 100_000, "successes": [90_000, 95_000]}
    ).assign(best=lambda t: 1 - t["successes"] / t["trials"], undecided=0, confidence=0.95, evidence="measured")
    seen = seen.assign(low=seen["best"] - 0.002, high=seen["best"] + 0.002)
    claimed = Claim(
        id="halves",
        paper="none",
        number="1",
        statement="P(fail) is 0.1 at n = 10 and halves with each number",
        latex="p",
        kind=Kind.EQUALITY,
        quantity="P(fail)",
        formula=lambda n: scale * 0.1 * 0.5 ** (n - 10.0),
    )
    assert check(claimed, seen).status.value == status
