"""The smallest subset within eps, one random target a trial."""

from itertools import chain, combinations

import numpy as np
import pytest

from rssp.balls import Ball
from rssp.errors import ArgumentError
from rssp.laws import Uniform
from rssp.montecarlo import Experiment, SmallestSubsets, rebuild_trial, run


def brute(sample, target, eps):
    """Size, error, solved, by trying all subsets by increasing size."""
    n, best = len(sample), np.inf
    subsets = chain.from_iterable(combinations(range(n), k) for k in range(n + 1))
    by_size = {}
    for subset in subsets:
        error = np.abs(sample[list(subset)].sum(axis=0) - target).max()
        by_size[len(subset)] = min(by_size.get(len(subset), np.inf), error)
    for size, error in by_size.items():
        if error <= eps:
            return size, error, True
    best = min(by_size, key=by_size.get)
    return best, by_size[best], False


@pytest.mark.parametrize("dim", [1, 2])
def test_every_trial_equals_brute_force(dim):
    experiment = Experiment(Uniform(dim=dim), Ball(dim), SmallestSubsets(n=7, eps=0.1), seed=3)
    table = run(experiment, 40, progress=False).table[:40]
    names = ["target"] if dim == 1 else ["target_0", "target_1"]
    assert len(set(table["solved"])) == 2
    for row in table.itertuples():
        sample = rebuild_trial(experiment, row.batch, row.trial)
        target = np.array([getattr(row, name) for name in names])
        size, error, solved = brute(sample, target, 0.1)
        assert (row.size, row.solved) == (size, solved)
        assert row.distance == pytest.approx(error, abs=1e-12)


def test_a_target_near_zero_takes_the_empty_subset():
    table = run(Experiment(Uniform(), Ball(1, 0.01), SmallestSubsets(5, 0.01)), 20, progress=False).table
    assert (table["size"] == 0).all()
    assert table["solved"].all()


def test_bad_values_are_refused():
    with pytest.raises(ArgumentError, match="eps"):
        SmallestSubsets(n=5, eps=0.0)
    with pytest.raises(ArgumentError, match="n:"):
        SmallestSubsets(n=0, eps=0.1)
