"""Which point a verdict names, and that covariance and failure probabilities go with the rows they belong to."""

import numpy as np
import pandas as pd

from rssp.claims import Status, check, claim
from rssp.study import Rows

POINT = {"d": 1, "radius": 1.0, "targets": "all", "law": "uniform", "evidence": "measured", "delta": 0.5}


def thresholds(bits, best, half):
    table = pd.DataFrame({"eps": 2.0 ** -np.array(bits, dtype=float), "best": best}).assign(**POINT)
    return table.assign(quantity="n* interpolated", low=table["best"] - half, high=table["best"] + half)


def test_the_point_that_speaks_most_against_a_bound_is_named():
    """log2(1/eps) numbers are necessary: the points say 7, 15 and 6 standard errors less."""
    verdict = check(claim("counting-1d"), thresholds([10, 20, 15], [3.0, 5.0, 9.0], 1.96))
    assert verdict.status is Status.VIOLATED
    assert "at 3 of 3, most at eps = 9.537e-07" in verdict.text
    again = check(claim("counting-1d"), thresholds([20, 10, 15], [30.0, 3.0, 14.9], 1.96))
    assert "at 1 of 3, most at eps = 0.0009766" in again.text  # not the point above the bound


def test_the_covariance_is_that_of_the_rows_inside_the_scope():
    """C grows by far more than the errors of the rows inside; those outside have errors that would hide it."""
    inside = thresholds([4, 8, 12, 16], [8.0, 20.0, 36.0, 56.0], 0.2)
    outside = inside.assign(law="mixture(other)", targets="one")
    both = pd.concat([outside, inside], ignore_index=True)
    covariance = np.diag([1e4] * len(outside) + [0.01] * len(inside))
    alone = check(claim("lueker-1998"), inside, covariance=covariance[4:, 4:])
    found = check(claim("lueker-1998"), both, covariance=covariance)
    assert found.status is alone.status is Status.NO_FORM
    assert found.text == alone.text
    wide = check(claim("lueker-1998"), inside, covariance=covariance[:4, :4])
    assert wide.status is not Status.NO_FORM


def test_an_n_star_is_judged_on_counts_at_the_deltas_that_the_rows_name():
    counts = pd.DataFrame({"n": range(3, 9), "trials": 1000, "successes": [0, 2, 150, 600, 900, 990], "eps": 2.0**-4})
    counts = counts.assign(**POINT).drop(columns="delta").assign(quantity="P(cover)")
    for deltas in ((0.5,), (0.5, 0.1)):
        (verdict,) = Rows("counts", deltas=deltas).verdicts(claim("counting-1d"), {"counts": counts})
        assert verdict.points == len(deltas)
