"""Simulated claims, true and false, of every kind: how often a verdict errs, and what it can see.

The simulated claims are as tight as they can be: at every point P(fail) is exactly what is allowed, so that any error
of the test shows. Trials are those of the standard scale. False-alarm rates of these tests themselves: a family-wise
error is accepted up to 4 standard errors (1e-4 one-sided) above what is promised; seeds are fixed.
"""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from rssp.claims import Claim, Kind, Scope, Status, check
from rssp.claims.judging import judge
from rssp.claims.significance import holm

TRIALS, REPLICATES = 4000, 1500
FAILS = {-1: 0.6, 0: 0.5, 1: 0.3, 2: 0.1, 3: 0.03, 4: 0.01, 5: 0.003}
"""P(fail) at n* (delta = 1/2) plus the key"""
LATER = {0.5: 0, 0.1: 2, 0.01: 4}
EPS = (2.0**-4, 2.0**-8, 2.0**-12)
SCOPE = Scope(laws=("uniform",), d=1, targets="all")


def n_star(eps, delta):
    later = np.select([delta == 0.5, delta == 0.1], [LATER[0.5], LATER[0.1]], LATER[0.01])
    return 5 - np.round(1.25 * np.log2(eps)) + later


def a_claim(formula, kind, quantity="n*", **more):
    words = {"paper": "a simulation", "number": "1", "statement": "It is so.", "latex": "x"}
    return Claim(id="simulated", kind=kind, quantity=quantity, formula=formula, scope=SCOPE, **words, **more)


def simulated_counts(rng, replicates=REPLICATES, deltas=(0.5, 0.1, 0.01)):
    """Counts of P(cover) of independent runs, told apart by the column radius."""
    shares = -np.diff([1.0, *FAILS.values(), 0.0])
    parts = []
    for e in EPS:
        covered = np.cumsum(rng.multinomial(TRIALS, shares, size=replicates)[:, : len(FAILS)], axis=1)
        n = n_star(np.array(e), np.array(0.5)) + np.array(list(FAILS))
        parts.append(
            pd.DataFrame(
                {
                    "radius": np.repeat(np.arange(replicates) + 1.0, len(FAILS)),
                    "n": np.tile(n, replicates),
                    "eps": e,
                    "successes": covered.ravel(),
                }
            )
        )
    table = pd.concat(parts, ignore_index=True).assign(trials=TRIALS, undecided=0, failed=0)
    table = table.assign(law="uniform", d=1, norm=math.inf, targets="all", evidence="measured", quantity="P(cover)")
    return table.merge(pd.DataFrame({"delta": deltas}), how="cross")


def family_wise(claim, table, quantity="P(cover)"):
    """Holm's smallest p-value of each replicate: what `check` compares with its false-alarm rate."""
    judged = judge(claim, table, quantity, {})
    return judged.points.assign(p=judged.against).groupby("radius")["p"].agg(lambda p: holm(p).min())


def at_most(promised, count):
    return promised + 4 * math.sqrt(promised * (1 - promised) / count)


TRUE = {
    "sufficient": a_claim(lambda eps, delta: n_star(eps, delta) - 0.3, Kind.SUFFICIENT),
    # n* >= first: P(fail at first - 1) must exceed delta, and is delta itself
    "necessary": a_claim(lambda eps, delta: n_star(eps, delta) + 0.7, Kind.NECESSARY),
    "equality": a_claim(n_star, Kind.EQUALITY),
    "published": a_claim(n_star, Kind.PUBLISHED),
    "heuristic": a_claim(n_star, Kind.HEURISTIC),
}


@pytest.mark.parametrize("kind", TRUE)
@pytest.mark.parametrize("promised", [0.05, 1e-3])
def test_true_claims_on_counts_keep_the_family_wise_error(kind, promised):
    smallest = family_wise(TRUE[kind], simulated_counts(np.random.default_rng(len(kind))))
    assert (smallest <= promised).mean() <= at_most(promised, REPLICATES)


def test_check_says_what_holm_says():
    table = simulated_counts(np.random.default_rng(8), 40, deltas=(0.5,))
    smallest = family_wise(TRUE["sufficient"], table)
    for radius, rows in table.groupby("radius"):
        verdict = check(TRUE["sufficient"], rows, false_alarm=0.3)
        assert (verdict.status is Status.VIOLATED) == (smallest[radius] <= 0.3)


FALSE = {
    "sufficient": a_claim(lambda eps, delta: n_star(eps, delta) - (eps == EPS[1]), Kind.SUFFICIENT),
    "necessary": a_claim(lambda eps, delta: n_star(eps, delta) + 2 * (eps == EPS[1]), Kind.NECESSARY),
    "equality": a_claim(lambda eps, delta: n_star(eps, delta) - (eps == EPS[1]), Kind.EQUALITY),
}


@pytest.mark.parametrize("kind", FALSE)
def test_a_bound_that_is_off_by_one_number_at_one_point_is_found(kind):
    """Power at a false-alarm rate of 1e-3, delta = 1/2: at least 0.9 is promised."""
    smallest = family_wise(FALSE[kind], simulated_counts(np.random.default_rng(3), 300, deltas=(0.5,)))
    assert (smallest <= 1e-3).mean() >= 0.9


def test_power_at_the_standard_scale_as_stored():
    """The same on the shipped P(cover) of uniform numbers taken for the truth, at each of its eps.

    Where P(fail at n* - 1) is itself within 0.04 of 1/2, 4,000 trials cannot tell: that is so at 2 of the 17 eps.
    """
    stored = pd.read_csv(Path(__file__).parents[2] / "figures" / "lueker_1998-coverage.csv")
    stored = stored[(stored["law"] == "uniform") & (stored["radius"] == 1)]
    rng, power = np.random.default_rng(4), []
    for _, rows in stored.groupby("eps"):
        fail = 1 - rows["successes"].to_numpy() / rows["trials"].to_numpy()
        before = fail[int((fail <= 0.5).argmax()) - 1]
        successes = TRIALS - rng.binomial(TRIALS, before, size=200)
        table = pd.DataFrame({"n": 1, "successes": successes, "radius": np.arange(200.0), "eps": 0.1})
        table = table.assign(trials=TRIALS, undecided=0, evidence="measured", delta=0.5)
        against = judge(a_claim(lambda: 1, Kind.SUFFICIENT), table, "P(cover)", {}).against
        power.append((before, (against * 17 <= 1e-3).mean()))  # Holm's first step over 17 points
    assert len(power) == 17
    assert all(p >= 0.9 for before, p in power if before >= 0.54)
    assert sum(p >= 0.9 for _, p in power) >= 15


def simulated_estimates(rng, truth, sigma, replicates=REPLICATES, **columns):
    """Interval estimates of a number, `truth` at each of the eps of EPS, with independent normal errors."""
    best = np.asarray(truth) + sigma * rng.standard_normal((replicates, len(EPS)))
    table = pd.DataFrame({"radius": np.repeat(np.arange(replicates) + 1.0, len(EPS)), "eps": np.tile(EPS, replicates)})
    table = table.assign(low=(best - 1.96 * sigma).ravel(), best=best.ravel(), high=(best + 1.96 * sigma).ravel())
    return table.assign(confidence=0.95, evidence="measured", law="uniform", d=1, targets="all", **columns)


@pytest.mark.parametrize("kind", [Kind.SUFFICIENT, Kind.NECESSARY, Kind.EQUALITY, Kind.PUBLISHED])
def test_true_claims_on_intervals_keep_the_family_wise_error(kind):
    claim = a_claim(lambda eps: -np.log2(eps), kind, "E[dv]")
    table = simulated_estimates(np.random.default_rng(5), [4.0, 8.0, 12.0], 0.1)
    smallest = family_wise(claim, table, "E[dv]")
    for promised in (0.05, 1e-3):
        assert (smallest <= promised).mean() <= at_most(promised, REPLICATES)
    wrong = a_claim(lambda eps: -np.log2(eps) + (0.6 if kind is Kind.NECESSARY else -0.6), kind, "E[dv]")
    assert (family_wise(wrong, table, "E[dv]") <= 1e-3).mean() >= 0.9


def test_a_published_sample_has_its_own_error():
    """A figure of the same sample size as ours differs from ours by the error of both."""
    rng, sigma = np.random.default_rng(6), 0.1
    published = 4 + sigma * rng.standard_normal(REPLICATES)
    table = simulated_estimates(rng, [4.0, 4.0, 4.0], sigma).query("eps == 0.0625")
    claim = a_claim(lambda d, figure: figure, Kind.PUBLISHED, "E[dv]", standard_error=sigma)
    smallest = family_wise(claim, table.assign(figure=published), "E[dv]")
    assert (smallest <= 0.05).mean() <= at_most(0.05, REPLICATES)
    assert (smallest <= 0.05).mean() >= 0.02


@pytest.mark.parametrize("shared", [0.0, 0.9])
def test_a_true_form_is_rarely_refused_and_a_false_one_found(shared):
    """C constant: "form not supported" in at most the promised share, whatever the points share; C growing: found."""
    rng = np.random.default_rng(7)
    bits, sigma = np.arange(4, 14, 2), 0.01
    claim = a_claim(lambda eps, C: -C * np.log2(eps), Kind.SUFFICIENT, constants={"C": None})
    refused, found, runs = 0, 0, 150
    for _ in range(runs):
        noise = math.sqrt(shared) * rng.standard_normal() + math.sqrt(1 - shared) * rng.standard_normal(len(bits))
        for growth in (0.0, 0.03):
            truth = 1.7 * bits * (1 + growth * (bits - 4))
            best = truth * (1 + sigma * noise)
            table = pd.DataFrame({"eps": 2.0**-bits, "best": best})
            table = table.assign(low=best - 1.96 * sigma * truth, high=best + 1.96 * sigma * truth, confidence=0.95)
            table = table.assign(evidence="measured", law="uniform", d=1, targets="all", quantity="n* interpolated")
            status = check(claim, table, false_alarm=0.05).status
            refused += growth == 0 and status is Status.NO_FORM
            found += growth > 0 and status is Status.NO_FORM
    assert refused / runs <= at_most(0.05, runs)
    assert found / runs >= 0.9
