"""What no referee would sign: rows without an error, constants that always fit, equalities that nothing was near to."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from rssp.claims import Claim, Kind, Scope, Status, check
from rssp.claims.judging import judge
from rssp.errors import ArgumentError

SCOPE = Scope(laws=("uniform",), d=1, targets="all")
LOG = {"formula": lambda eps, C: -C * np.log2(eps), "constants": {"C": None}}
JOINT = {"formula": lambda eps, delta, C: -C * np.log2(np.minimum(eps, delta)), "constants": {"C": None}}


def a_claim(kind=Kind.SUFFICIENT, quantity="n*", **more):
    words = {"paper": "A. Student, 2026", "number": "1", "statement": "It is so.", "latex": "x"}
    return Claim(id="mine", kind=kind, quantity=quantity, scope=SCOPE, **words, **more)


def rows(best, half=0.0, bits=range(2, 12), **columns):
    best = np.asarray(best, dtype=float)
    table = pd.DataFrame({"eps": 2.0 ** -np.array(bits, dtype=float)[: len(best)], "best": best})
    table = table.assign(low=best - half, high=best + half, evidence="measured", law="uniform", d=1, targets="all")
    return table.assign(**columns)


def curves(n_star, trials=4000, bits=(4, 6, 8), fails=(1.0, 0.9, 0.7, 0.4, 0.1, 0.02, 0.0)):
    """Counts of P(cover): P(fail) passes 1/2 between n* - 1 and n*, the fourth of `fails`."""
    parts = []
    for b, star in zip(bits, n_star, strict=True):
        n = star - 3 + np.arange(len(fails))
        successes = np.round(trials * (1 - np.array(fails))).astype(int)
        parts.append(pd.DataFrame({"n": n, "eps": 2.0**-b, "successes": successes}))
    table = pd.concat(parts, ignore_index=True).assign(trials=trials, undecided=0, quantity="P(cover)")
    return table.assign(law="uniform", d=1, norm=math.inf, radius=1.0, targets="all", evidence="measured")


@pytest.mark.parametrize("slope", [1.0, 2.0])
def test_rows_without_an_error_decide_nothing(slope):
    """A median of a few networks, given as a number: neither a constant nor a violation stands on it."""
    bare = rows(2.0 * np.arange(2, 12))
    for claim in (a_claim(**LOG), a_claim(formula=lambda eps: -slope * np.log2(eps) - 0.5)):
        verdict = check(claim, bare)
        assert verdict.status is Status.OPEN
        assert verdict.text.startswith("rows carry no error")
    equal = a_claim(Kind.EQUALITY, "E[dv]", formula=lambda eps: -2 * np.log2(eps))
    assert check(equal, bare).text.startswith("rows carry no error")
    assert check(equal, bare.assign(evidence="computed")).status is Status.HOLDS


def test_among_others_they_are_counted_and_left_alone():
    claim = a_claim(quantity="E[dv]", formula=lambda eps: 10 + 0 * eps)
    half = np.array([0.1, 0.1, 0.0])
    verdict = check(claim, rows([5, 6, 99], half))
    assert (verdict.status, verdict.text.split("; ")[1]) == (Status.OPEN, "1 rows carry no error")
    fitted = check(a_claim(**LOG), rows([4, 6, 99], half, quantity="n* interpolated"))
    assert fitted.constant.high < 3


def test_order_statistics_that_agree_are_an_interval():
    """n* = 6 with the interval [6, 6] of 4,000 trials carries an error: less than one."""
    exact = rows([6.0, 8.0], quantity="n*", confidence=0.95, trials=4000, delta=0.5)
    assert check(a_claim(formula=lambda eps: 9 + 0 * eps), exact).status is Status.HOLDS
    assert check(a_claim(formula=lambda eps: 9 + 0 * eps), exact.drop(columns="confidence")).status is Status.OPEN


@pytest.mark.parametrize("n_star", [[8, 12, 16], [8, 9, 9], [30, 31, 32]])
def test_a_bound_from_below_with_an_open_constant_cannot_be_tested(n_star):
    verdict = check(a_claim(Kind.NECESSARY, **LOG), curves(n_star), deltas=[0.5])
    assert verdict.status is Status.OPEN
    assert verdict.text.startswith("cannot be tested here: any small C fits; C at most")


def test_an_equality_holds_only_where_the_data_could_have_said_otherwise():
    equal = a_claim(Kind.EQUALITY, formula=lambda eps: -2 * np.log2(eps))
    near = check(equal, curves([8, 12, 16]), deltas=[0.5])
    assert (near.status, near.text) == (Status.HOLDS, "at all 3 points, exactly")
    early = curves([16], bits=(8,)).query("n < 15")  # nothing measured from n* on: larger n* fit as well
    far = check(equal, early, deltas=[0.5])
    assert (far.status, far.text) == (Status.OPEN, "nothing was measured near it")
    few = check(equal, curves([8, 12, 16], trials=4), deltas=[0.5])
    assert few.status is Status.OPEN
    coarse = a_claim(Kind.EQUALITY, "E[dv]", formula=lambda eps: 1 + 0 * eps)
    assert check(coarse, rows([1.1], 0.2)).status is Status.HOLDS
    assert check(coarse, rows([1.1], 0.9)).status is Status.OPEN


def test_a_real_threshold_is_held_against_its_ceiling():
    """n* = 12 is what a threshold of 11.4 means."""
    for shift, status in ((0.6, Status.HOLDS), (-0.4, Status.VIOLATED), (1.0, Status.VIOLATED)):
        equal = a_claim(Kind.EQUALITY, formula=lambda eps, s=shift: -2 * np.log2(eps) - s)
        assert check(equal, curves([8, 12, 16]), deltas=[0.5]).status is status


def test_the_constant_is_that_of_the_whole_n():
    """ceil(C g) numbers are promised: every C that passes the exact test is allowed, and no other."""
    claim, table = a_claim(**LOG), curves([8, 12, 17])
    c = check(claim, table, deltas=[0.5]).constant
    assert c.best == pytest.approx((17 - 1) / 8)
    for value in np.linspace(1.5, 2.5, 41):
        passes = check(a_claim(formula=lambda eps, v=value: -v * np.log2(eps)), table, deltas=[0.5])
        assert (passes.status is Status.HOLDS) == (value > c.best), value
    smooth = rows([7.9, 11.9, 16.9], 0.05, bits=(4, 6, 8), quantity="n* interpolated", confidence=0.95)
    assert check(claim, smooth).constant.best == pytest.approx((17 - 1) / 8)
    lower = check(a_claim(Kind.NECESSARY, **LOG), table, deltas=[0.5]).constant
    assert lower.best == pytest.approx(8 / 4)


def test_a_table_of_counts_only():
    bare = curves([8, 12, 16])[["n", "eps", "trials", "successes", "law", "d", "targets", "evidence"]]
    assert check(a_claim(formula=lambda eps: -2 * np.log2(eps)), bare, deltas=[0.5]).status is Status.HOLDS
    assert check(a_claim(**LOG), bare, deltas=[0.5]).constant.best == pytest.approx(15 / 8)
    flat = a_claim(quantity="P(cover)", formula=lambda n, eps: 1.2 + 0 * n)
    assert check(flat, bare).status is Status.HOLDS
    missed = a_claim(quantity="P(fail)", formula=lambda n, eps: 1.01 - (n > 16) * (eps < 0.01))
    assert check(missed, bare).points == len(bare)
    open_tail = a_claim(quantity="P(fail)", formula=lambda n, C: C + 0 * n, constants={"C": None})
    assert check(open_tail, bare).constant.best == pytest.approx(1)
    with pytest.raises(ArgumentError, match=r"it is of E.dv."):
        check(a_claim(quantity="E[dv]", formula=lambda eps: eps), bare)
    with pytest.raises(ArgumentError, match="also n, trials, successes"):
        check(a_claim(formula=lambda eps: eps), bare.drop(columns="n"))


def drifting(growth, deltas=tuple(2.0**-b for b in range(1, 8))):
    """n* with the C of a claim in min(eps, delta) growing by a factor for each halving of delta, below eps = 1/4."""
    bits = -np.log2(np.minimum(0.25, deltas))
    n = 3 * bits * (1 + growth) ** (bits - 2)
    table = rows(n, 0.02, bits=(2,) * len(deltas), delta=deltas, quantity="n* interpolated")
    return table.assign(confidence=0.95)


def test_a_constant_may_not_grow_along_any_variable_that_goes_to_a_limit():
    claim = a_claim(**JOINT)
    assert check(claim, drifting(0.0)).status is Status.CONSISTENT
    grown = check(claim, drifting(0.03))
    assert grown.status is Status.NO_FORM
    assert "% per halving of delta" in grown.text


def test_where_the_bound_stands_still_its_constant_counts_once():
    """n* grows with delta where min(eps, delta) = eps: that is the C of the worst delta, not a drift."""
    flat = drifting(0.0, deltas=(0.5, 0.3, 0.25)).assign(
        best=[4.0, 5.0, 6.0], low=[3.9, 4.9, 5.9], high=[4.1, 5.1, 6.1]
    )
    verdict = check(a_claim(**JOINT), flat)
    assert verdict.status is Status.OPEN  # one value of the bound: nothing was followed towards delta = 0
    assert "any large C fits" in verdict.text
    constant = a_claim(quantity="E[dv]", formula=lambda d, C: C + 0 * d, constants={"C": None})
    growing = pd.concat([rows([5.0 + d], 0.1).assign(d=d) for d in (1, 2, 4, 8)])
    unscoped = Claim(**{**vars(constant), "scope": None, "sense": None})
    assert check(unscoped, growing).status is Status.NO_FORM


def test_variables_that_move_together_are_one():
    both = a_claim(quantity="E[dv]", formula=lambda d_in, d_out, C: C * (d_in + d_out), constants={"C": None})
    table = pd.concat([rows([2 * w**1.5], 0.1).assign(d_in=w, d_out=w) for w in (4.0, 8.0, 16.0, 32.0)])
    verdict = check(both, table)
    assert verdict.status is Status.NO_FORM
    assert "per doubling of d_in" in verdict.text


def test_nothing_decides_where_no_error_is_known():
    judged = judge(a_claim(formula=lambda eps: 1 + 0 * eps), rows([99.0, 0.5]).assign(quantity="n*"), "n*", {})
    assert judged.against.tolist() == [1, 1]
    assert judged.support.tolist() == [1, 1]
