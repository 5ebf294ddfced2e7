"""Exponents: what claims say of them, what points give, and that points of the same trials share their errors."""

import numpy as np
import pandas as pd
import pytest

import rssp
from rssp.claims import claim
from rssp.claims.exponents import claimed_exponent, compare_exponents, joint_exponents
from rssp.errors import ArgumentError
from rssp.inference import points_covariance, required_n
from rssp.montecarlo import Experiment, HittingTimes

BITS = np.arange(1, 6)
SIGMA = 0.02
"""standard error of each point, relative to it"""


def grid(experiments=None):
    """n* = 2 d log2(1/eps) at d = 1, 2, 3, each point a little off."""
    d, bits = (a.ravel() for a in np.meshgrid(np.arange(1, 4), BITS, indexing="ij"))
    best = 2.0 * d * bits * (1 + 0.005 * np.sin(7 * d + 3 * bits))
    table = pd.DataFrame({"d": d, "eps": 2.0**-bits, "delta": 0.5, "trials": 10_000, "confidence": 0.95})
    half = 1.959964 * SIGMA * best
    table = table.assign(low=best - half, best=best, high=best + half, evidence="measured")
    return table if experiments is None else table.assign(experiment=experiments(table))


def by_dimension(table):
    return "trials of d = " + table["d"].astype(str)


def shared(table, correlation=0.9):
    """Points of one dimension come from the same trials: their errors are correlated."""
    same = table["d"].to_numpy()[:, None] == table["d"].to_numpy()
    errors = SIGMA * table["best"].to_numpy()
    return np.outer(errors, errors) * np.where(same, correlation + (1 - correlation) * np.eye(len(table)), 0.0)


def width(rows, name="alpha"):
    row = rows[(rows["fit"] == "joint") & (rows["parameter"] == name)].iloc[0]
    return row["high"] - row["low"]


def test_claimed_exponents_count_logarithms():
    d = pd.DataFrame({"d": [1, 2, 4, 8], "eps": 2.0**-4})
    assert claimed_exponent(claim("counting-cube"), d, "d") == pytest.approx(1)
    assert claimed_exponent(claim("becchetti-2022"), d, "d") > 3
    eps = pd.DataFrame({"d": 2, "eps": 2.0**-BITS})
    assert claimed_exponent(claim("counting-cube"), eps, "eps") == pytest.approx(1)
    assert np.isnan(claimed_exponent(claim("counting-cube"), eps.iloc[:1], "eps"))


def test_points_of_the_same_trials_need_their_covariance():
    """Whoever leaves it out is told so; points at one eps are of different trials, and need none."""
    table = grid(by_dimension)
    with pytest.raises(ArgumentError, match="covariance: got None for 5 points of the same trials"):
        compare_exponents(table, [], "eps", "d")
    with pytest.raises(ArgumentError, match="covariance"):
        joint_exponents(table)
    alone = compare_exponents(table, [], "d", "eps")
    pd.testing.assert_frame_equal(alone, compare_exponents(table, [], "d", "eps", covariance=shared(table)))
    pd.testing.assert_frame_equal(alone, compare_exponents(grid(), [], "d", "eps"))


@pytest.mark.parametrize("order", [slice(None), slice(None, None, -1)])
def test_shared_errors_widen_the_joint_exponent_of_d(order):
    """Five points that rise and fall together say of d what one says: the interval is some sqrt(5) times as wide."""
    table = grid(by_dimension).iloc[order]
    independent = joint_exponents(table, shared(table, 0.0))
    together = joint_exponents(table, shared(table, 0.9))
    assert width(independent) == pytest.approx(width(joint_exponents(grid())), rel=0.05)
    assert 1.7 < width(together) / width(independent) < 2.4
    for rows in (independent, together):
        row = rows[(rows["fit"] == "joint") & (rows["parameter"] == "alpha")].iloc[0]
        assert row["low"] < 1 < row["high"]


def test_the_covariance_follows_its_rows():
    """Rows that are not reached, or lie in another order, take their part of the covariance with them."""
    table, covariance = grid(by_dimension), shared(grid())
    covariance[2, :] = covariance[:, 2] = np.nan
    table.loc[2, ["low", "best", "high"]] = [9.0, np.inf, np.inf]
    kept = np.delete(np.arange(len(table)), 2)
    found = compare_exponents(table, [], "eps", "d", covariance=covariance)
    without = compare_exponents(table.iloc[kept], [], "eps", "d", covariance=covariance[np.ix_(kept, kept)])
    pd.testing.assert_frame_equal(found, without)
    assert found["points"].to_list() == [4, 5, 5]
    mixed = np.random.default_rng(1).permutation(len(table))
    shuffled = joint_exponents(table.iloc[mixed], covariance[np.ix_(mixed, mixed)])
    expected = joint_exponents(table, covariance)
    numbers = ["low", "best", "high", "chi2", "p_value"]
    np.testing.assert_allclose(shuffled[numbers].to_numpy(), expected[numbers].to_numpy(), rtol=1e-4, atol=1e-5)


def test_few_trials_give_no_exponent_where_points_share_them():
    table = grid(by_dimension).assign(trials=10)
    assert compare_exponents(table, [], "eps", "d", covariance=shared(table)).empty
    assert joint_exponents(table, shared(table)).empty
    assert len(compare_exponents(table, [], "d", "eps")) == len(BITS)


def test_of_real_trials():
    """Samples that are late at one eps are late at the next: their covariance is that of the trials themselves."""
    eps = tuple(2.0**-b for b in (1, 2, 3, 4))
    runs = [
        rssp.run(Experiment(rssp.Normal(dim=d), rssp.Ball(d), HittingTimes(eps[: 5 - d], 22)), 64, progress=False)
        for d in (1, 2)
    ]
    table = pd.concat([required_n(trials, delta=0.5, interpolated=True) for trials in runs], ignore_index=True)
    covariance = points_covariance(table, *runs)
    assert (covariance[:4, 4:] == 0).all()
    assert (covariance[0, 1:4] > 0).all()
    found = compare_exponents(table, [claim("counting-cube")], "eps", "d", covariance=covariance)
    assert found["points"].to_list() == [4, 3]
    assert (found["low"] < found["high"]).all()
