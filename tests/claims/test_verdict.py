"""Verdicts: what is judged, on which rows, and what is said of errors in the claim or the table."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from rssp.claims import Claim, Kind, Scope, Sense, Status, check
from rssp.claims.verdict import not_measured
from rssp.errors import ArgumentError

SCOPE = Scope(laws=("uniform",), d=1, targets="all")


def a_claim(formula, kind=Kind.SUFFICIENT, quantity="n*", scope=SCOPE, **more):
    words = {"paper": "A. Student, 2026", "number": "1", "statement": "It is so.", "latex": "x"}
    return Claim(id="mine", kind=kind, quantity=quantity, formula=formula, scope=scope, **words, **more)


def estimates(best, half=0.1, quantity="n* interpolated", **columns):
    best = np.asarray(best, dtype=float)
    eps = 2.0 ** -np.arange(2, 2 + len(best))
    table = pd.DataFrame({"eps": eps, "delta": 0.5, "low": best - half, "best": best, "high": best + half})
    table = table.assign(confidence=0.95, evidence="measured", quantity=quantity)
    return table.assign(law="uniform", d=1, norm=math.inf, radius=1.0, targets="all").assign(**columns)


def counts(successes, trials=1000, **columns):
    n = np.arange(len(successes))
    table = pd.DataFrame({"n": n, "eps": 0.1, "trials": trials, "successes": successes, "undecided": 0, "failed": 0})
    table = table.assign(quantity="P(cover)", evidence="measured")
    return table.assign(law="uniform", d=1, norm=math.inf, radius=1.0, targets="all").assign(**columns)


GROWING = [0, 0, 100, 460, 520, 900, 990, 1000]


@pytest.mark.parametrize(
    ("bound", "kind", "status"),
    [
        (3.0, Kind.SUFFICIENT, Status.VIOLATED),  # P(fail at 3) = 0.54, but exactly 1/2 is allowed
        (3.2, Kind.SUFFICIENT, Status.OPEN),  # 4 numbers: 0.48, too near to 1/2
        (4.2, Kind.SUFFICIENT, Status.HOLDS),  # 5 numbers
        (4.0, Kind.NECESSARY, Status.OPEN),  # 3 numbers fail in 0.54: too near for 1e-3
        (3.0, Kind.NECESSARY, Status.HOLDS),  # 2 numbers fail in 0.9
        (2.3, Kind.NECESSARY, Status.HOLDS),
        (6.0, Kind.NECESSARY, Status.VIOLATED),  # 5 numbers fail in 0.1 only
        (4.0, Kind.EQUALITY, Status.HOLDS),
        (6.0, Kind.EQUALITY, Status.VIOLATED),
    ],
)
def test_bounds_on_n_are_judged_at_whole_n_by_their_counts(bound, kind, status):
    table = counts(GROWING)
    false_alarm = 1e-3 if bound != 3.0 or kind is not Kind.SUFFICIENT else 0.01
    assert check(a_claim(lambda: bound, kind), table, deltas=[0.5], false_alarm=false_alarm).status is status


def test_undecided_trials_speak_for_neither_side():
    table = counts(GROWING, undecided=[0, 0, 300, 100, 400, 50, 0, 0])
    assert check(a_claim(lambda: 3), table, deltas=[0.5]).status is Status.OPEN
    assert check(a_claim(lambda: 3), counts(GROWING), deltas=[0.5], false_alarm=0.01).status is Status.VIOLATED


def test_n_that_was_not_measured_is_judged_by_its_neighbours():
    """P(fail) falls with n: a smaller n that is enough says so for a larger one, and the other way round."""
    table = counts(GROWING)
    assert check(a_claim(lambda: 40), table, deltas=[0.5]).status is Status.HOLDS
    assert check(a_claim(lambda: 1), table.loc[table["n"] >= 2], deltas=[0.5]).status is Status.VIOLATED
    assert check(a_claim(lambda: 1), table.loc[table["n"] >= 5], deltas=[0.5]).status is Status.OPEN


def test_a_bound_between_whole_numbers_is_not_violated_by_the_next_one():
    """n* = 6 and a bound of 5.3: six numbers are promised, and enough."""
    assert check(a_claim(lambda: 5.3), estimates([5.7])).status is Status.HOLDS
    assert check(a_claim(lambda: 5.3), estimates([6.0], 0.0, quantity="n*")).status is not Status.VIOLATED
    assert check(a_claim(lambda: 4.3), estimates([5.7])).status is Status.VIOLATED
    assert check(a_claim(lambda: 5.3, Kind.NECESSARY), estimates([5.7])).status is Status.HOLDS


def test_rows_outside_the_scope_are_left_out_and_counted():
    table = pd.concat([estimates([5, 6, 7]), estimates([9, 9, 9], law="normal"), estimates([30, 30, 30], d=2)])
    verdict = check(a_claim(lambda eps: 8 + 0 * eps), table)
    assert verdict.status is Status.HOLDS
    assert verdict.points == 3
    assert verdict.left_out == "3 with law = normal, 3 with d = 2"
    nothing = check(a_claim(lambda eps: 8 + 0 * eps), table[table["law"] == "normal"])
    assert nothing.status is Status.NOT_MEASURED
    assert "rssp estimate" in nothing.text


def test_predictions_are_printed_apart():
    table = pd.concat([estimates([5, 6, 7]), estimates([50, 60, 70], evidence="predicted")])
    verdict = check(a_claim(lambda eps: 8 + 0 * eps), table)
    assert verdict.status is Status.HOLDS
    assert verdict.prediction.startswith("violated")
    only = check(a_claim(lambda eps: 8 + 0 * eps), table[table["evidence"] == "predicted"])
    assert only.status is Status.NOT_MEASURED
    assert "only predictions" in only.text


def test_the_text_of_a_verdict_has_a_line_for_each_thing_that_is_there():
    table = pd.concat([estimates([5, 6, 7]), estimates([50, 60, 70], evidence="predicted")])
    outside = estimates([5], law="normal")
    lines = str(check(a_claim(lambda eps: 8 + 0 * eps), pd.concat([table, outside]), measured="n*")).splitlines()
    assert [line.split(":")[0] for line in lines] == ["mine", "  n*; eps = 0.0625 to 0.25", "  left out", "  predicted"]
    bare = check(a_claim(lambda eps: 8 + 0 * eps), table[table["evidence"] == "measured"])
    assert [line.split(":")[0] for line in str(bare).splitlines()] == ["mine", "  n*; eps = 0.0625 to 0.25"]
    assert str(not_measured(a_claim(lambda eps: eps), why="too dear")).splitlines() == [
        "mine: not measured yet: too dear"
    ]


def test_a_command_is_named_for_n_star_alone():
    for quantity in ("E[dv]", "radius"):  # before and after n* in the alphabet
        assert "rssp" not in not_measured(a_claim(lambda eps: eps, quantity=quantity)).text
    assert "measure it: rssp estimate" in not_measured(a_claim(lambda eps: eps)).text
    assert not_measured(a_claim(lambda eps: eps), "make it").text == "measure it: make it"


def test_what_is_computed_has_no_chance_in_it():
    table = estimates([5.0, 6.0], 0.0, quantity="E[dv]", evidence="computed")
    same = a_claim(lambda eps: 4 - np.log2(eps) - 1, Kind.EQUALITY, "E[dv]")
    assert check(same, table).status is Status.HOLDS
    assert check(a_claim(lambda eps: 5.0, Kind.EQUALITY, "E[dv]"), table).status is Status.VIOLATED
    assert check(a_claim(lambda eps: 6.0, Kind.SUFFICIENT, "E[dv]"), table).status is Status.HOLDS


def test_settings_are_taken_from_their_columns():
    """A constant with a usual value is that of the row where the table says so."""
    table = estimates([3.0, 4.0], 0.01, quantity="E[dv]", radius=2.0)
    by_default = a_claim(lambda eps, radius=1.0: radius * 0 - np.log2(eps) + radius - 1, Kind.EQUALITY, "E[dv]", SCOPE)
    assert by_default.variables == ("eps",)
    assert check(by_default, table).status is Status.HOLDS
    declared = a_claim(
        lambda eps, radius: -np.log2(eps) + radius - 1, Kind.EQUALITY, "E[dv]", constants={"radius": 1.0}
    )
    assert check(declared, table).status is Status.HOLDS
    assert check(declared, table.drop(columns="radius")).status is Status.VIOLATED
    with pytest.raises(ArgumentError, match="one of the two"):
        check(declared, table, radius=1.0)


def test_another_column_never_is_the_constant():
    table = estimates([5, 6, 7], C=[1.0, 2.0, 3.0])
    with pytest.raises(ArgumentError, match="name of a constant"):
        check(a_claim(lambda eps, C: -C * np.log2(eps), constants={"C": None}), table)
    with pytest.raises(ArgumentError, match=r"mine.*constants=.'C': None."):
        a_claim(lambda eps, C: -C * np.log2(eps))


@pytest.mark.parametrize("name", ["evidence", "law", "eps", "low"])
def test_a_missing_column_is_named(name):
    with pytest.raises(ArgumentError, match=name):
        check(a_claim(lambda eps: 8 + 0 * eps), estimates([5, 6]).drop(columns=name))


def test_near_misses_are_named():
    with pytest.raises(ArgumentError, match="Did you mean 'eps'"):
        check(a_claim(lambda epsilon: 1 / epsilon), estimates([5, 6]))
    with pytest.raises(ArgumentError, match=r"Did you mean 'n\* interpolated'"):
        check(a_claim(lambda eps: 1 / eps, quantity="n* interpolatd"), estimates([5, 6]))


@pytest.mark.parametrize(
    ("formula", "message"),
    [
        (lambda eps: None, "None"),
        (lambda eps: np.full(np.shape(eps), np.nan), "nan at eps = 0.25"),
        (lambda eps: np.ones((2, 2)), r"shape \(2, 2\)"),
        (lambda eps: [1, 2, 3, 4, 5], r"shape \(5,\)"),
        (lambda eps: "many", "ValueError"),
        (lambda eps: 1 / 0, "ZeroDivisionError"),
    ],
)
def test_a_formula_that_fails_is_an_error_of_the_claim(formula, message):
    with pytest.raises(ArgumentError, match=f"claim mine: formula.*{message}"):
        check(a_claim(formula), estimates([5, 6, 7]))


@pytest.mark.parametrize(
    "formula",
    [
        lambda eps: 8 if eps < 1 else 9,
        lambda eps: max(-math.log2(eps), 8),
        lambda eps: 4 + 2 * math.log2(1 / eps),
        lambda eps: 9,
    ],
)
@pytest.mark.parametrize("rows", [1, 3])
def test_formulas_that_take_numbers_only_are_applied_row_by_row(formula, rows):
    assert check(a_claim(formula), estimates([5.0, 6.0, 7.0][:rows])).status is Status.HOLDS


def test_a_constant_is_found_and_a_form_can_fail():
    bits = np.arange(2, 12)
    claim = a_claim(lambda eps, C: -C * np.log2(eps), constants={"C": None})
    line = check(claim, estimates(1.5 * bits + 2, 0.05))
    assert line.status is Status.CONSISTENT
    assert line.constant.contains(2.5)
    square = check(claim, estimates(0.3 * bits**2 + 2, 0.05))
    assert square.status is Status.NO_FORM
    assert "grows by" in square.text
    assert "per halving of eps" in square.text
    assert " at" not in square.text.partition(";")[0]  # there is nothing but eps to say where
    both = pd.concat([estimates(1.5 * bits, 0.05), estimates(0.3 * bits**2 + 4, 0.05, d=2)])
    places = a_claim(lambda eps, d, C: -C * d * np.log2(eps), constants={"C": None}, scope=Scope(laws=("uniform",)))
    assert " at d = 2; C at least " in check(places, both).text
    one = check(claim, estimates([5.0], 0.05))
    assert one.status is Status.OPEN
    assert "any large C fits" in one.text


def test_covariance_sharpens_the_form():
    """An error that all points share does not hide a growth of C."""
    bits = np.arange(2, 12)
    claim = a_claim(lambda eps, C: -C * np.log2(eps), constants={"C": None})
    best, sigma = 2.0 * bits + 0.02 * bits**2, 0.01
    table = estimates(best, 1.96 * sigma * best)
    alone = check(claim, table)
    common = 0.999 * np.ones((10, 10)) + 0.001 * np.eye(10)
    shared = check(claim, table, covariance=sigma**2 * common * np.outer(best, best))
    assert alone.status is Status.CONSISTENT
    assert shared.status is Status.NO_FORM


def test_published_figures_are_held_against_their_own_error():
    table = estimates([0.5], 0.01, quantity="fraction")
    exact = a_claim(lambda eps: 0.48, Kind.PUBLISHED, "fraction")
    digits = a_claim(lambda eps: 0.48, Kind.PUBLISHED, "fraction", error=0.03)
    sample = a_claim(lambda eps: 0.48, Kind.PUBLISHED, "fraction", standard_error=0.02)
    assert [check(c, table).status for c in (exact, digits, sample)] == [
        Status.VIOLATED, Status.HOLDS, Status.HOLDS,
    ]  # fmt: skip
    far = a_claim(lambda eps: 0.38, Kind.PUBLISHED, "fraction", standard_error=0.02)
    assert check(far, table).status is Status.VIOLATED


def test_heuristics_say_on_which_side_they_are():
    assert a_claim(lambda: 1, Kind.HEURISTIC).sense is Sense.EQUAL
    above = a_claim(lambda eps: 8 + 0 * eps, Kind.HEURISTIC, sense=Sense.AT_MOST)
    assert check(above, estimates([5, 6, 7])).status is Status.HOLDS


def test_optional_stopping_is_seen_by_the_interval():
    """Rows whose interval is that of a confidence sequence get its p-values, which are larger."""
    from rssp.intervals import clopper_pearson, confidence_sequence

    table = counts(GROWING, confidence=0.95)
    statuses = []
    for interval in (clopper_pearson, confidence_sequence):
        low, high = interval(table["successes"], 1000)
        rows = table.assign(low=low, best=table["successes"] / 1000, high=high)
        statuses.append(check(a_claim(lambda: 3), rows, deltas=[0.5], false_alarm=0.01).status)
    assert statuses == [Status.VIOLATED, Status.OPEN]
