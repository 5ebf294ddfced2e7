"""Mixed-integer solvers: on small instances their subset is the nearest one, and limits and misses are named."""

from __future__ import annotations

import numpy as np
import pytest

from rssp.errors import ArgumentError, InfeasibleError
from rssp.subsetsum.nearest import nearest_subset, solvers
from rssp.subsetsum.nearest.solvers import Ended, gurobi_subset, highs_subset

SOLVERS = [highs_subset, gurobi_subset]


@pytest.mark.parametrize("solve", SOLVERS)
@pytest.mark.parametrize("seed", range(4))
def test_small_instances_are_solved_to_the_nearest_subset(solve, seed):
    rng = np.random.default_rng(seed)
    x, z = rng.uniform(-1, 1, 9), rng.uniform(-1, 1)
    best = nearest_subset(x, [z])
    found = solve(x, z)
    assert found.ended is Ended.OPTIMAL
    assert np.abs(found.variables - found.mask).max() < 1e-4
    assert abs(x @ found.mask - z) == pytest.approx(best.error[0], abs=1e-6)
    assert found.stated == pytest.approx(best.error[0], abs=1e-6)


@pytest.mark.parametrize("solve", SOLVERS)
def test_any_subset_within_eps_or_none(solve):
    rng = np.random.default_rng(5)
    x, z = rng.uniform(-1, 1, 12), 0.4
    found = solve(x, z, eps=0.05)
    assert found.ended is Ended.OPTIMAL
    assert abs(x @ found.mask - z) <= 0.05 + 1e-6
    assert np.isnan(found.stated)
    outside = solve(x, 50.0, eps=0.05)
    assert outside.ended is Ended.NOTHING
    assert not outside.mask.any()
    assert np.isnan(outside.variables).all()


def test_limits_end_the_search():
    rng = np.random.default_rng(0)
    x, z = rng.uniform(-1, 1, 30), rng.uniform(-1, 1)
    found = highs_subset(x, z, nodes=1)
    assert found.ended is not Ended.OPTIMAL
    assert nearest_subset(x, [z]).error[0] <= abs(x @ found.mask - z)


@pytest.mark.parametrize(
    ("options", "named"),
    [({"eps": 0.0}, "eps"), ({"nodes": 0}, "nodes"), ({"seconds": -1}, "seconds"), ({"target": np.inf}, "target")],
)
@pytest.mark.parametrize("solve", [highs_subset, gurobi_subset])
def test_arguments_out_of_range_are_named(solve, options, named):
    with pytest.raises(ArgumentError, match=named):
        solve(**{"sample": [0.5, 0.25], "target": 0.3, **options})
    with pytest.raises(ArgumentError, match="sample"):
        solve(np.ones((3, 2)), 0.3)


def test_what_the_licence_of_gurobi_does_not_allow_is_named():
    """The licence that comes with gurobipy is for 2,000 variables."""
    with pytest.raises(InfeasibleError, match=r"Gurobi.*licen[cs]e.*highs_subset"):
        gurobi_subset(np.random.default_rng(0).uniform(-1, 1, 2500), 0.3)


def test_gurobi_that_is_absent_is_named_with_the_remedy(monkeypatch):
    monkeypatch.setattr(solvers, "gurobi_installed", lambda: False)
    with pytest.raises(InfeasibleError, match=r"gurobipy.*highs_subset"):
        gurobi_subset([0.5, 0.25], 0.3)
