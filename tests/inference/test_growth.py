"""The growth constant of the covered fraction, recovered where it is known."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from rssp.errors import ArgumentError
from rssp.inference.growth import covered_growth, smallest_growth


def paths(constant: float, trials: int, rng: np.random.Generator) -> np.ndarray:
    v = np.full((trials, 30), 0.02)
    for t in range(29):
        v[:, t + 1] = v[:, t] + 2 * rng.random(trials) * constant * v[:, t] * (1 - v[:, t])
    return v


def test_known_constant_within_its_interval():
    """Ten bins at 95 %: of 400 bins about 380 cover; fewer than 350 or all 400 has a chance below 1e-8."""
    rng, covered, count = np.random.default_rng(0), 0, 0
    for _ in range(40):
        growth = covered_growth(paths(0.4, 200, rng))
        covered += int(((growth.low <= 0.4) & (growth.high >= 0.4)).sum())
        count += int((growth.trials > 1).sum())
    assert count == 400
    assert 350 < covered < 400


def test_a_wrong_constant_is_detected():
    seen = smallest_growth(covered_growth(paths(0.4, 2000, np.random.default_rng(1))))
    assert 0.3 < seen.low < seen.high < 0.45
    assert seen.details["trials"] > 1


def test_covered_fraction_of_uniform_samples_beats_the_proved_quarter():
    rng, eps, grid = np.random.default_rng(2), 2.0**-6, np.linspace(-1, 1, 257)
    v = np.empty((60, 12))
    for trial in range(60):
        sums = np.zeros(1)
        for t in range(12):
            sums = np.sort(np.concatenate([sums, sums + rng.uniform(-1, 1)]))
            at = np.clip(np.searchsorted(sums, grid), 1, len(sums) - 1)
            v[trial, t] = (np.minimum(abs(grid - sums[at - 1]), abs(grid - sums[at])) <= eps).mean()
    assert smallest_growth(covered_growth(v, bins=4)).low > 0.5


def test_edges_given_are_the_same_bins():
    v = paths(0.4, 50, np.random.default_rng(3))
    equal, given_edges = covered_growth(v, bins=4), covered_growth(v, bins=[0, 0.25, 0.5, 0.75, 1])
    np.testing.assert_array_equal(equal.best, given_edges.best)
    with pytest.raises(ArgumentError, match="bins"):
        covered_growth(v, bins=[0.1, 1.0])


def test_intervals_have_the_confidence_asked_for():
    v = paths(0.4, 50, np.random.default_rng(3))
    usual, wide = covered_growth(v, bins=1).iloc[0], covered_growth(v, bins=1, confidence=0.99).iloc[0]
    student = stats.t.ppf([0.995, 0.975], usual.trials - 1)
    assert (wide.high - wide.low) / (usual.high - usual.low) == pytest.approx(student[0] / student[1], rel=1e-9)
    assert (wide.confidence, wide.evidence) == (0.99, "measured")


def test_bins_that_nothing_enters_have_no_constant():
    with pytest.raises(ArgumentError, match="two trials"):
        smallest_growth(covered_growth([[0.1, 0.2]], bins=2))


@pytest.mark.parametrize("bad", [[0.1, 0.2], [[0.1]], [[0.2, 0.1]], [[0.5, 1.5]], [[0.1, np.nan]]])
def test_bad_fractions(bad):
    with pytest.raises(ArgumentError, match="fractions"):
        covered_growth(bad)
