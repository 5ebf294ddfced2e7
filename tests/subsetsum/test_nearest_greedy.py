"""The heuristic: never below the optimum nor its lower bound, and as good as the exact search of its part."""

from __future__ import annotations

import numpy as np
import pytest

from rssp.errors import ArgumentError, ArgumentTypeError
from rssp.subsetsum.nearest.greedy import greedy_subset
from rssp.subsetsum.nearest.verbs import nearest_subset


@pytest.mark.parametrize("dim", [1, 2, 3])
@pytest.mark.parametrize("norm", [2, np.inf])
def test_between_the_lower_bound_and_the_empty_hope(dim, norm):
    rng = np.random.default_rng(dim)
    x, z = rng.uniform(-1, 1, (40, 12, dim)), 3 * rng.uniform(-2, 2, (40, dim))
    found = greedy_subset(x, z, exact=7, error_norm=norm)
    best = nearest_subset(x, z, error_norm=norm)
    assert (found.lower_bound <= best.error).all()
    assert (best.error <= found.error).all()
    sums = (found.mask[..., None] * x).sum(axis=1)
    assert sums == pytest.approx(found.sum, abs=1e-12)
    assert np.linalg.norm(z - sums, ord=norm, axis=1) == pytest.approx(found.error, abs=1e-12)


def test_large_samples_reach_the_error_of_the_exact_part():
    rng = np.random.default_rng(3)
    line = greedy_subset(rng.uniform(-1, 1, 500), rng.uniform(-1, 1, 4), exact=24, workers=2)
    assert line.mask.shape == (4, 500)
    assert line.error.max() < 1e-4  # 2**-24 times the spread of the sums is 2e-7
    space = greedy_subset(rng.uniform(-1, 1, (200, 3)), rng.uniform(-1, 1, (2, 3)))
    assert space.error.max() < 0.1


def test_with_all_samples_in_the_exact_part_it_is_exact():
    rng = np.random.default_rng(4)
    x, z = rng.uniform(-1, 1, (3, 10, 1)), rng.uniform(-1, 1, (3, 5, 1))
    assert (greedy_subset(x, z).mask == nearest_subset(x, z).mask).all()


@pytest.mark.parametrize(("exact", "error"), [(0, ArgumentError), (57, ArgumentError), (2.5, ArgumentTypeError)])
def test_bad_exact_is_named(exact, error):
    with pytest.raises(error, match="exact"):
        greedy_subset(np.ones(60), [0.0], exact=exact)
