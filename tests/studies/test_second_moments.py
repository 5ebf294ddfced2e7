"""The second moment method at a tiny scale: the exact numbers, and the counted ones beside them."""

import math

import numpy as np
import pytest

from rssp import ArgumentError, Ball, Uniform
from rssp.montecarlo import Experiment, FixedSizeHits, run
from rssp.study import find_study, run_study


@pytest.fixture(scope="module")
def outcome(tmp_path_factory):
    """Two dimensions stand for the many, which take their time."""
    out, options = tmp_path_factory.mktemp("moments"), {"largest": 2}
    return run_study(find_study("second_moments"), out=out, trials=32, options=options, progress=False)


@pytest.fixture(scope="module")
def tables(outcome):
    return outcome.tables


def test_known_smallest_n(tables):
    assert tables["guarantees"].set_index(["law", "d"])["n"].to_dict() == {
        ("normal", 1): 11,
        ("normal", 2): 21,
        ("normally-scaled-normal", 1): 11,
        ("normally-scaled-normal", 2): 21,
    }


def test_counted_means_are_near_the_exact_ones(tables):
    rows = tables["ratios"]
    # the mean of 32 counts, six standard errors
    error = np.sqrt(rows["best"] - 1) * rows["mean"] / math.sqrt(32)
    assert (abs(rows["mean"] - rows["exact mean"]) < 6 * error).all()


def test_second_moment_is_a_lower_bound(tables):
    rows = tables["hits"]
    # 32 trials a row, 54 rows: intervals at 95 % may fail at a few
    assert (rows["high"] < rows["second moment"]).sum() <= 8


def test_every_claim_of_the_study_has_a_verdict(outcome):
    assert {verdict.claim.id for verdict in outcome.verdicts} == set(outcome.study.claims)


def test_fixed_size_hits_against_listing_all_subsets():
    from itertools import combinations

    experiment = Experiment(Uniform(), Ball(), FixedSizeHits(8, 3, 0.1, 0.25), seed=3)
    table = run(experiment, 8, progress=False).table
    from rssp.montecarlo import rebuild_trial

    for trial, hits in zip(table["trial"], table["hits"], strict=True):
        x = rebuild_trial(experiment, 0, int(trial))[:, 0]
        assert hits == sum(abs(sum(c) - 0.25) <= 0.1 for c in combinations(x, 3))


def test_bad_size():
    with pytest.raises(ArgumentError, match="size"):
        FixedSizeHits(8, 9, 0.1)
