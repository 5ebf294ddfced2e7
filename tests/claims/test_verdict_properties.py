"""What is true of every verdict: on tables that hypothesis makes, not on chosen ones.

The claims have no formula to speak of: each row carries the number that is claimed, in a column of its own.
"""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from rssp.claims import Claim, Kind, Scope, Sense, Status, check

SCOPE = Scope(laws=("uniform",), d=1, targets="all")
RANK = {Status.VIOLATED: 0, Status.OPEN: 1, Status.HOLDS: 2}
BOUNDS = [Sense.AT_MOST, Sense.AT_LEAST]
few = settings(max_examples=15, deadline=None)


def a_claim(sense=Sense.AT_MOST, quantity="E[dv]", formula=lambda claimed: claimed, **more):
    words = {"paper": "A. Student, 2026", "number": "1", "statement": "It is so.", "latex": "x"}
    kind = {Sense.AT_MOST: Kind.SUFFICIENT, Sense.AT_LEAST: Kind.NECESSARY}.get(sense, Kind.EQUALITY)
    return Claim(id="mine", kind=kind, quantity=quantity, formula=formula, scope=SCOPE, **words, **more)


def identified(table, quantity="E[dv]", **columns):
    where = {"law": "uniform", "d": 1, "norm": math.inf, "radius": 1.0, "targets": "all", "evidence": "measured"}
    return table.assign(**where, quantity=quantity).assign(**columns)


def numbers(low, high):
    """Numbers with six digits: no property hangs on the last bit."""
    return st.floats(low, high).map(lambda x: float(f"{x:.6g}"))


@st.composite
def estimates(draw, claimed=True):
    """One to five intervals around numbers of either sign; and for each a claimed number, up to 8 intervals away."""
    rows = draw(st.lists(st.tuples(numbers(-50, 50), numbers(0.1, 5), numbers(0.1, 5)), min_size=1, max_size=5))
    table = pd.DataFrame(rows, columns=["best", "down", "up"])
    table = table.assign(low=table["best"] - table["down"], high=table["best"] + table["up"], confidence=0.95)
    away = draw(st.lists(numbers(-8, 8), min_size=len(rows), max_size=len(rows))) if claimed else 0.0
    table = table.assign(
        claimed=table["best"] + np.asarray(away) * np.where(np.asarray(away) > 0, table.up, table.down)
    )
    return identified(table, point=np.arange(len(rows)))


@st.composite
def counts(draw):
    """Successes that grow with n, at consecutive n, for one eps; a few trials may be undecided."""
    trials = draw(st.sampled_from([20, 200, 2000]))
    shares = sorted(draw(st.lists(st.floats(0, 1), min_size=2, max_size=7)))
    successes = [round(share * trials) for share in shares]
    start = draw(st.integers(1, 4))
    table = pd.DataFrame({"n": np.arange(start, start + len(shares)), "successes": successes})
    return identified(table, "P(cover)", trials=trials, undecided=0, failed=0, eps=0.1, delta=0.5)


@few
@given(estimates(), st.sampled_from(list(Sense)), st.randoms(use_true_random=False))
def test_the_order_of_the_rows_does_not_matter(table, sense, random):
    order = random.sample(range(len(table)), len(table))
    one, other = check(a_claim(sense), table), check(a_claim(sense), table.iloc[order])
    assert one.status is other.status
    assert one.points == other.points == len(table)
    assert one.measured == other.measured
    assert one.slack == pytest.approx(other.slack, nan_ok=True)


@few
@given(estimates(claimed=False), st.sampled_from(BOUNDS), numbers(1e-6, 0.1))
def test_a_bound_beyond_every_interval_is_never_violated_and_far_beyond_holds(table, sense, false_alarm):
    sign = 1 if sense is Sense.AT_MOST else -1
    end, width = table["high" if sign > 0 else "low"], table["up"] + table["down"]
    for claimed in (table["best"], end):
        assert check(a_claim(sense), table.assign(claimed=claimed), false_alarm=false_alarm).status is not (
            Status.VIOLATED
        )
    far = table.assign(claimed=end + sign * 9 * width)
    assert check(a_claim(sense), far, false_alarm=false_alarm).status is Status.HOLDS
    wrong = table.assign(claimed=table["best"] - sign * 9 * width)
    assert check(a_claim(sense), wrong, false_alarm=false_alarm).status is Status.VIOLATED


@few
@given(estimates(), st.sampled_from(list(Sense)), st.integers(1, 4))
def test_points_far_inside_take_nothing_away(table, sense, more):
    """They never make "violated" of anything else, nor anything else of "holds"."""
    before = check(a_claim(sense), table)
    last = table.iloc[[-1] * more]
    away = {Sense.AT_MOST: 1e3, Sense.AT_LEAST: -1e3, Sense.EQUAL: 0.0}[sense]
    after = check(a_claim(sense), pd.concat([table, last.assign(claimed=last["best"] + away)], ignore_index=True))
    assert after.points == before.points + more
    assert RANK[after.status] >= RANK[before.status]
    if before.status is Status.HOLDS:
        assert after.status is Status.HOLDS


@few
@given(estimates(), st.sampled_from(BOUNDS), st.integers(1, 4), numbers(2, 50))
def test_one_point_far_outside_is_enough(table, sense, times, widths):
    """A broken bound is reported, however many other points hold."""
    sign = 1 if sense is Sense.AT_MOST else -1
    inside = pd.concat([table.assign(claimed=table["best"] + 1e3 * sign)] * times, ignore_index=True)
    broken = table.iloc[[0]].assign(claimed=table["best"].iloc[0] - sign * (10 + widths) * 10)
    verdict = check(a_claim(sense), pd.concat([inside, broken], ignore_index=True))
    assert verdict.status is Status.VIOLATED
    assert verdict.text.startswith(f"at 1 of {len(inside) + 1}, most at claimed = ")
    assert f"claimed {broken['claimed'].iloc[0]:.4g}" in verdict.text


@few
@given(estimates(), st.sampled_from(BOUNDS), st.lists(numbers(0, 20), min_size=2, max_size=2))
def test_a_looser_bound_never_fares_worse(table, sense, shifts):
    sign = 1 if sense is Sense.AT_MOST else -1
    ranks = [
        RANK[check(a_claim(sense), table.assign(claimed=table["claimed"] + sign * s)).status] for s in sorted(shifts)
    ]
    assert ranks == sorted(ranks)


@few
@given(estimates(), st.sampled_from(list(Sense)))
def test_the_mirror_image_has_the_mirrored_verdict(table, sense):
    mirrored = table.assign(low=-table["high"], best=-table["best"], high=-table["low"], claimed=-table["claimed"])
    other = {Sense.AT_MOST: Sense.AT_LEAST, Sense.AT_LEAST: Sense.AT_MOST}.get(sense, sense)
    assert check(a_claim(sense), table).status is check(a_claim(other), mirrored).status


@few
@given(estimates(), st.sampled_from(list(Sense)), st.integers(-20, 20))
def test_the_unit_does_not_matter(table, sense, power):
    columns = ["low", "best", "high", "claimed"]
    scaled = table.assign(**{c: table[c] * 2.0**power for c in columns})
    one, other = check(a_claim(sense), table), check(a_claim(sense), scaled)
    assert one.status is other.status
    assert one.slack == pytest.approx(other.slack, nan_ok=True)


@few
@given(estimates(), st.sampled_from(list(Sense)), st.lists(numbers(1e-6, 0.5), min_size=2, max_size=2))
def test_what_is_said_at_a_small_error_is_said_at_a_larger_one(table, sense, errors):
    small, large = (check(a_claim(sense), table, false_alarm=error) for error in sorted(errors))
    assert small.false_alarm == min(errors)
    if small.status is Status.VIOLATED:
        assert large.status is Status.VIOLATED
    if large.status is Status.OPEN:
        assert small.status is Status.OPEN


@few
@given(estimates(), st.sampled_from(list(Sense)))
def test_rows_outside_the_scope_and_predictions_decide_nothing(table, sense):
    alone = check(a_claim(sense), table)
    strangers = [table.assign(law="normal", claimed=1e6), table.assign(d=2, claimed=-1e6)]
    predicted = table.assign(evidence="predicted", claimed=table["claimed"] - 1e4)
    verdict = check(a_claim(sense), pd.concat([*strangers, table, predicted], ignore_index=True))
    assert (verdict.status, verdict.text, verdict.points) == (alone.status, alone.text, alone.points)
    rows = len(table)
    assert verdict.left_out == f"{rows} with law = normal, {rows} with d = 2, {rows} with evidence = predicted"
    assert verdict.prediction.split(":")[0] == {Sense.AT_LEAST: "holds"}.get(sense, "violated")
    assert not alone.left_out
    assert not alone.prediction


@few
@given(estimates(), st.sampled_from(BOUNDS), numbers(0, 5))
def test_the_error_of_a_formula_moves_its_bound(table, sense, error):
    sign = 1 if sense is Sense.AT_MOST else -1
    moved = table.assign(claimed=table["claimed"] + sign * error)
    assert check(a_claim(sense, error=error), table).status is check(a_claim(sense), moved).status


@few
@given(estimates())
def test_the_slack_is_the_median_of_bound_over_measured(table):
    table = table.assign(best=table["best"].abs() + 1, claimed=table["claimed"].abs() + 1)
    table = table.assign(low=table["best"] - table["down"], high=table["best"] + table["up"])
    ratios = sorted(table["claimed"] / table["best"])
    middle = len(ratios) // 2
    median = ratios[middle] if len(ratios) % 2 else (ratios[middle - 1] + ratios[middle]) / 2
    assert check(a_claim(), table).slack == pytest.approx(median)
    inverse = sorted(1 / r for r in ratios)
    median = inverse[middle] if len(ratios) % 2 else (inverse[middle - 1] + inverse[middle]) / 2
    assert check(a_claim(Sense.AT_LEAST), table).slack == pytest.approx(median)
    assert math.isnan(check(a_claim(Sense.EQUAL), table).slack)


@few
@given(estimates(claimed=False), st.sampled_from(list(Sense)), numbers(0.1, 9))
def test_the_constant_that_is_fitted_is_the_one_that_just_does(table, sense, scale):
    """The smallest C with C g >= measured everywhere; for bounds from below the largest with C g <= measured."""
    best = table["best"].abs() + 6
    g = np.linspace(1, 2, len(table))
    table = table.assign(best=best * scale, low=(best - table["down"]) * scale, high=(best + table["up"]) * scale, g=g)
    fit = check(a_claim(sense, formula=lambda g, C: C * g, constants={"C": None}), table).constant
    needed = table["best"] / g
    expected = {Sense.AT_MOST: max(needed), Sense.AT_LEAST: min(needed), Sense.EQUAL: float(needed.median())}[sense]
    assert fit.best == pytest.approx(expected)
    assert fit.low <= fit.best <= fit.high
    assert fit.low >= (table["low"] / g).min() - 1e-9
    assert fit.high <= (table["high"] / g).max() + 1e-9
    just = check(a_claim(sense), table.assign(claimed=fit.best * g))
    if sense is not Sense.EQUAL:
        assert just.status is not Status.VIOLATED


def on_counts(sense, table, bound, **options):
    return check(a_claim(sense, "n*", formula=lambda: bound), table, **options)


@few
@given(counts(), st.sampled_from(BOUNDS), st.lists(numbers(0.5, 12), min_size=2, max_size=2))
def test_on_counts_a_looser_bound_never_fares_worse(table, sense, bounds):
    ordered = sorted(bounds, reverse=sense is Sense.AT_LEAST)
    ranks = [RANK[on_counts(sense, table, bound).status] for bound in ordered]
    assert ranks == sorted(ranks)


@few
@given(counts(), st.integers(1, 12), st.sampled_from([0.5, 0.1]))
def test_on_counts_what_was_seen_to_be_enough_is_enough(table, bound, delta):
    """The n of the bound failed in a share of at most delta: not violated. The n before it in more: nor from below."""
    share = 1 - table["successes"] / table["trials"]
    at, before = table["n"] == bound, table["n"] == bound - 1
    table = table.assign(delta=delta)
    assume(at.any())
    if share[at].iloc[0] <= delta:
        assert on_counts(Sense.AT_MOST, table, bound).status is not Status.VIOLATED
    else:
        assert on_counts(Sense.AT_MOST, table, bound).status is not Status.HOLDS
    if before.any():
        from_below = on_counts(Sense.AT_LEAST, table, bound).status
        assert from_below is not (Status.VIOLATED if share[before].iloc[0] > delta else Status.HOLDS)


@few
@given(counts(), st.sampled_from(BOUNDS), numbers(1, 9), st.lists(st.floats(0, 1), min_size=7, max_size=7))
def test_on_counts_undecided_trials_decide_nothing(table, sense, bound, parts):
    """With some outcomes unknown a verdict is what it was, or open."""
    hidden = np.floor(np.asarray(parts[: len(table)]) * table["successes"])
    unknown = table.assign(successes=table["successes"] - hidden, undecided=hidden)
    assert on_counts(sense, unknown, bound).status in (on_counts(sense, table, bound).status, Status.OPEN)


@few
@given(counts(), numbers(1, 9), st.randoms(use_true_random=False))
def test_on_counts_order_and_settings_elsewhere_do_not_matter(table, bound, random):
    order = random.sample(range(len(table)), len(table))
    other = table.assign(radius=2.0, successes=table["trials"] * (table["n"] > 1))
    for sense in Sense:
        one, shuffled = on_counts(sense, table, bound), on_counts(sense, table.iloc[order], bound)
        assert (one.status, one.text, one.points) == (shuffled.status, shuffled.text, 1)
        both = on_counts(sense, pd.concat([other, table]).sort_values("n"), bound)
        assert both.points == 2
