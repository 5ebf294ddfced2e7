"""Exponents, measured and claimed, on powers that are known."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm

from rssp.claims import Claim, Kind, Sense, Status
from rssp.claims.exponents import bound_factor, claimed_exponent, compare_exponents, exponent_verdict, joint_exponents
from rssp.errors import ArgumentError

D, BITS = np.array([1.0, 2.0, 3.0, 4.0, 6.0]), np.array([2.0, 4.0, 6.0, 8.0])


def a_claim(formula, kind=Kind.SUFFICIENT, id="mine", **more):
    words = {"paper": "A. Student, 2026", "number": "1", "statement": "It is so.", "latex": "x"}
    return Claim(id=id, kind=kind, quantity="n*", formula=formula, **words, **more)


CUBE = a_claim(lambda d, eps, C: C * d**3 * np.log2(1 / eps) ** 2, id="cube", constants={"C": None})
LINEAR = a_claim(lambda d, eps: d * np.log2(1 / eps), Kind.NECESSARY, id="linear")


def measured(alpha, beta, factor=2.0, half=0.02):
    """n* = factor d^alpha log2(1/eps)^beta, with intervals of some per cent."""
    d, bits = (axis.ravel() for axis in np.meshgrid(D, BITS))
    best = factor * d**alpha * bits**beta
    table = pd.DataFrame({"d": d, "eps": 2.0**-bits, "low": best * (1 - half), "best": best, "high": best * (1 + half)})
    return table.assign(confidence=0.95, evidence="measured")


def test_the_exponent_of_a_formula_is_its_slope():
    grid = measured(1, 1)
    one_d, one_eps = grid[grid["d"] == 2], grid[grid["eps"] == 2.0**-4]
    assert claimed_exponent(CUBE, one_eps, "d") == pytest.approx(3)
    assert claimed_exponent(CUBE, one_d, "eps") == pytest.approx(2)  # of log2(1/eps), not of eps
    assert claimed_exponent(CUBE, one_d, "eps", C=7.0) == pytest.approx(2)
    assert claimed_exponent(LINEAR, one_d, "eps") == pytest.approx(1)


def test_logarithms_and_offsets_of_a_formula_count_over_the_range():
    with_log = a_claim(lambda d: d**3 * np.log2(d))
    points = pd.DataFrame({"d": [2.0, 4.0]})
    assert claimed_exponent(with_log, points, "d") == pytest.approx(4)  # 8 to 128
    offset = a_claim(lambda d, c: d + c, constants={"c": None})
    assert claimed_exponent(offset, points, "d", c=2.0) == pytest.approx(math.log2(6 / 4))


@pytest.mark.parametrize("points", [{"d": [3.0, 3.0]}, {"d": [1.0, 2.0]}])
def test_no_slope_of_one_value_or_of_a_bound_that_is_not_positive(points):
    assert math.isnan(claimed_exponent(a_claim(lambda d: np.log2(d)), pd.DataFrame(points), "d"))


@pytest.mark.parametrize(
    ("variable", "by", "groups", "alpha", "cube", "linear"),
    [("d", "eps", np.sort(2.0**-BITS), 1.25, 3.0, 1.0), ("eps", "d", D, 0.5, 2.0, 1.0)],
)
def test_measured_exponents_beside_the_claimed_ones(variable, by, groups, alpha, cube, linear):
    exponents = compare_exponents(measured(1.25, 0.5), [CUBE, LINEAR], variable, by)
    assert exponents[by].tolist() == groups.tolist()
    assert set(exponents["variable"]) == {"d" if variable == "d" else "log2(1/eps)"}
    assert exponents["best"].tolist() == pytest.approx([alpha] * len(groups))
    assert (exponents["low"] < alpha).all()
    assert (exponents["high"] > alpha).all()
    assert exponents["p_value"].tolist() == pytest.approx([1.0] * len(groups))
    assert exponents["cube"].tolist() == pytest.approx([cube] * len(groups))
    assert exponents["linear"].tolist() == pytest.approx([linear] * len(groups))
    axis = D if variable == "d" else BITS
    assert set(exponents["points"]) == {len(axis)}
    assert exponents[["from", "to"]].drop_duplicates().to_numpy().tolist() == [[axis.min(), axis.max()]]
    assert set(exponents["confidence"]) == {0.95}
    assert set(exponents["evidence"]) == {"measured"}


def test_the_slope_of_noisy_points_is_that_of_a_weighted_line():
    """Small relative errors: the exponent is the slope of ln n* on ln d, and its interval 1.96 standard errors."""
    rng, half = np.random.default_rng(1), 0.002
    table = measured(1.25, 0.5, half=half).query("eps == 0.0625")
    table[["low", "best", "high"]] *= (1 + half / 1.96 * rng.standard_normal(len(table)))[:, None]
    (row,) = compare_exponents(table, [], "d", "eps").to_dict("records")
    slope, spread = np.polyfit(np.log(table["d"]), np.log(table["best"]), 1, cov="unscaled")
    assert row["best"] == pytest.approx(slope[0], abs=1e-5)
    assert (row["high"] - row["low"]) / 2 == pytest.approx(half * math.sqrt(spread[0, 0]), rel=0.01)


def test_constants_that_do_not_multiply_are_given_by_the_claims_id():
    offset = a_claim(lambda d, c: d + c, id="offset", constants={"c": None})
    table = measured(1, 1).query("eps == 0.25")
    for c in (0.0, 5.0):
        (found,) = compare_exponents(table, [offset], "d", "eps", constants={"offset": {"c": c}})["offset"]
        assert found == pytest.approx(np.polyfit(np.log(D), np.log(D + c), 1)[0])


def test_points_not_reached_are_left_out_and_three_are_needed():
    table = measured(1.25, 0.5)
    cut = table["d"] >= 4
    table.loc[cut, ["best", "high"]] = np.inf
    exponents = compare_exponents(table, [CUBE], "d", "eps")
    assert set(exponents["points"]) == {3}
    assert set(exponents["to"]) == {3.0}
    assert compare_exponents(table[table["d"] >= 3], [CUBE], "d", "eps").empty
    assert compare_exponents(table.assign(best=table["best"].where(table["d"] != 2, 0.0)), [CUBE], "d", "eps").empty
    assert compare_exponents(table.assign(low=table["best"], high=table["best"]), [CUBE], "d", "eps").empty
    mixed = table.assign(evidence=np.where(table["d"] == 1, "predicted", "measured"))
    assert set(compare_exponents(mixed, [], "d", "eps")["evidence"]) == {"predicted"}


def exponents(best, claimed, half=0.1, **columns):
    best = np.asarray(best, dtype=float)
    table = pd.DataFrame({"variable": "d", "eps": 2.0 ** -np.arange(2, 2 + len(best)), "from": 1.0, "to": 8.0})
    table = table.assign(low=best - half, best=best, high=best + half, confidence=0.95, mine=claimed)
    return table.assign(**columns)


@pytest.mark.parametrize(
    ("kind", "best", "status"),
    [
        (Kind.SUFFICIENT, [1.0, 1.2], Status.HOLDS),
        (Kind.SUFFICIENT, [1.0, 1.95], Status.OPEN),
        (Kind.SUFFICIENT, [1.0, 2.0], Status.OPEN),
        (Kind.SUFFICIENT, [1.0, 2.5], Status.NO_FORM),
        (Kind.NECESSARY, [3.0, 2.8], Status.HOLDS),
        (Kind.NECESSARY, [3.0, 2.05], Status.OPEN),
        (Kind.NECESSARY, [3.0, 1.5], Status.NO_FORM),
    ],
)
def test_a_form_is_held_against_every_row(kind, best, status):
    verdict = exponent_verdict(a_claim(lambda d: d**2, kind), exponents(best, 2.0), "n* of uniform numbers")
    assert verdict.status is status
    assert verdict.points == 2
    assert verdict.measured == "n* of uniform numbers; d = 1 to 8"
    assert f"exponent of d {best[1]:.2f} [{best[1] - 0.1:.2f}, {best[1] + 0.1:.2f}], claimed 2.00" in verdict.text
    assert "at eps = 0.125" in verdict.text
    start = {Status.NO_FORM: "at 1 of 2 values of eps: ", Status.HOLDS: "at all 2 values of eps; nearest: "}
    assert verdict.text.startswith(start.get(status, "holds at 1 of 2 values of eps; "))


def test_the_error_of_a_form_is_over_all_rows():
    """One row of z standard errors: refused at twice its normal tail, and beside a second row only at half of that."""
    z = 3.0
    p = norm.sf(z)
    off = exponents([2.0 + 0.1 * z / 1.959964], 2.0)
    two = exponents([1.0, 2.0 + 0.1 * z / 1.959964], 2.0)
    claim = a_claim(lambda d: d**2)
    for table, threshold in ((off, p), (two, 2 * p)):
        statuses = [exponent_verdict(claim, table, "", false_alarm=threshold * scale).status for scale in (0.98, 1.02)]
        assert statuses == [Status.OPEN, Status.NO_FORM]
    assert exponent_verdict(claim, off, "", false_alarm=0.01).false_alarm == 0.01
    assert exponent_verdict(claim, off.assign(confidence=0.6827), "").status is Status.OPEN
    assert exponent_verdict(claim, off.drop(columns="confidence"), "", false_alarm=1.02 * p).status is Status.NO_FORM


def test_the_rows_are_named_by_what_they_were_grouped_by():
    table = exponents([2.5], 2.0).drop(columns="eps").assign(d=5.0, variable="log2(1/eps)")
    verdict = exponent_verdict(a_claim(lambda eps: np.log2(1 / eps) ** 2), table, "seen")
    assert "exponent of log2(1/eps) 2.50" in verdict.text
    assert "at d = 5" in verdict.text
    assert verdict.measured == "seen; log2(1/eps) = 1 to 8"


def test_joint_exponents():
    table = joint_exponents(measured(1.25, 0.75)).set_index(["fit", "parameter"])
    assert table.loc[("joint", "alpha"), "best"] == pytest.approx(1.25)
    assert table.loc[("joint", "beta"), "best"] == pytest.approx(0.75)
    assert table.loc[("joint", "a"), "best"] == pytest.approx(2.0)
    assert table.loc[("joint", "alpha"), "low"] < 1.25 < table.loc[("joint", "alpha"), "high"]
    assert table.loc["joint", "dof"].tolist() == [len(D) * len(BITS) - 3] * 3
    assert table.loc["joint", "p_value"].tolist() == pytest.approx([1.0] * 3)
    assert table.loc[("joint+offset", "c"), "best"] == pytest.approx(0.0, abs=1e-3)
    assert table.loc["joint-linear", "p_value"].max() < 1e-6  # a plane through a power
    assert set(table["evidence"]) == {"measured"}
    few = joint_exponents(measured(1, 1).iloc[:2])
    assert few.empty
    assert list(few.columns) == list(table.reset_index().columns)


def test_bound_over_measurement_meets_it_at_the_corner():
    table = measured(1, 1, factor=5.0)
    table.loc[table["d"] == 6, ["best", "high"]] = np.inf
    factors = bound_factor(CUBE, table, {"d": 2, "eps": 2.0**-4})
    assert len(factors) == 4 * len(BITS)
    assert set(factors["claim"]) == {"cube"}
    corner = factors[(factors["d"] == 2) & (factors["eps"] == 2.0**-4)].iloc[0]
    assert corner["best"] == pytest.approx(1)
    assert factors["C"].unique().tolist() == pytest.approx([5 * 2 * 4 / (8 * 16)])
    far = factors[(factors["d"] == 4) & (factors["eps"] == 2.0**-8)].iloc[0]
    assert far["bound"] == pytest.approx(corner["C"] * 64 * 64)
    assert far["best"] == pytest.approx(8)  # d^2 and log2(1/eps) more than measured, from the corner on
    assert far["low"] == pytest.approx(8 / 1.02)
    assert far["high"] == pytest.approx(8 / 0.98)
    assert far[["confidence", "evidence"]].tolist() == [0.95, "measured"]


def test_a_bound_with_all_constants_needs_no_corner():
    assert LINEAR.sense is Sense.AT_LEAST
    factors = bound_factor(LINEAR, measured(1, 1, factor=5.0), {})
    assert factors["best"].tolist() == pytest.approx([0.2] * len(factors))
    assert factors["C"].isna().all()
    given = bound_factor(CUBE, measured(3, 2, factor=5.0), {"d": 99}, C=10.0)
    assert given["best"].tolist() == pytest.approx([2.0] * len(given))
    bare = bound_factor(LINEAR, measured(1, 1).drop(columns=["confidence", "evidence"]), {})
    assert "evidence" not in bare.columns


@pytest.mark.parametrize("corner", [{"d": 99}, {"d": 2}, {"d": 6, "eps": 2.0**-8}])
def test_a_corner_is_one_row_that_is_reached(corner):
    table = measured(1, 1)
    table.loc[table["d"] == 6, ["best", "high"]] = np.inf
    with pytest.raises(ArgumentError, match="corner"):
        bound_factor(CUBE, table, corner)
