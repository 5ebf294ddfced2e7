"""Exact moments against enumeration, quadrature of another kind, and closed forms at small eps."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
import scipy.stats
from scipy.special import gammaln

from rssp.errors import ArgumentError
from rssp.laws import GatedProduct, Normal, NormallyScaledNormal, Uniform
from rssp.prediction import pairs
from rssp.prediction.moments import joint_hitting, minimal_n, overlap_log_probabilities, subset_moments


@pytest.mark.parametrize(
    ("law", "eps", "target", "n", "k"),
    [
        (Normal(dim=2), 0.3, 0.2, 8, 3),
        (Normal(std=2.0), 0.7, 0.9, 8, 4),
        (NormallyScaledNormal(dim=2), 0.3, 0.2, 8, 3),
        (NormallyScaledNormal(dim=3), 0.5, 0.0, 7, 4),
        (Uniform(), 0.1, 0.4, 8, 3),
        (Uniform(-2, 2), 0.2, -0.7, 8, 5),
    ],
)
def test_moments_against_enumeration(law, eps, target, n, k):
    """Monte Carlo over 20,000 samples, six standard errors: a false alarm once in 1e8 tests."""
    rng, trials = np.random.default_rng(1), 20_000
    subsets = np.array(list(itertools.combinations(range(n), k)))
    y = np.concatenate(
        [
            (np.abs(law.draw_many(2000, n, rng)[:, subsets].sum(axis=2) - target).max(axis=-1) <= eps).sum(axis=1)
            for _ in range(trials // 2000)
        ]
    ).astype(float)
    exact = subset_moments(law, n, k, eps, target)
    assert abs(math.exp(exact.log_mean) - y.mean()) < 6 * y.std() / math.sqrt(trials)
    assert abs(math.exp(exact.log_second) - (y**2).mean()) < 6 * (y**2).std() / math.sqrt(trials)
    assert exact.hit_probability <= (y > 0).mean() + 6 * 0.5 / math.sqrt(trials)


def test_normal_rectangle_against_scipy():
    k, i, eps, z = 5, 3, 0.4, 0.8
    both = scipy.stats.multivariate_normal([0, 0], [[k, i], [i, k]])
    low, high = z - eps, z + eps
    expected = both.cdf([high, high]) - 2 * both.cdf([low, high]) + both.cdf([low, low])
    assert math.exp(joint_hitting(Normal(), k, eps, z)[1][i]) == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("target", [0.0, 0.3])
def test_normal_vectors_at_small_eps(target):
    """p_i / p^2 -> (1 - (i/k)^2)^(-d/2) exp(|z|^2 i / (k (k + i)))."""
    k, d = 12, 3
    log_p, joint = joint_hitting(Normal(dim=d), k, 1e-4, target)
    i = np.arange(k)
    expected = -d / 2 * np.log(1 - (i / k) ** 2) + d * target**2 * i / (k * (k + i))
    np.testing.assert_allclose(joint[:-1] - 2 * log_p, expected, atol=1e-6)


def test_scaled_normal_vectors_at_small_eps():
    """p -> (2 eps)^d (2 pi)^(-d/2) 2^(-d/2) Gamma((k - d)/2) / Gamma(k/2) at z = 0, for k > d."""
    k, d, eps = 14, 3, 1e-4
    log_p, joint = joint_hitting(NormallyScaledNormal(dim=d), k, eps)
    expected = d * math.log(2 * eps) - d / 2 * math.log(4 * math.pi) + gammaln((k - d) / 2) - gammaln(k / 2)
    assert log_p == pytest.approx(expected, abs=1e-5)
    # and E[D^(-d/2)] by plain Monte Carlo, six standard errors
    rng, i = np.random.default_rng(2), 5
    common, a, b = (rng.chisquare(dof, 400_000) for dof in (i, k - i, k - i))
    values = (a * b + common * (a + b)) ** (-d / 2)
    measured = 2 * d * math.log(2 * eps) - d * math.log(2 * math.pi) + math.log(values.mean())
    assert abs(joint[i] - measured) < 6 * values.std() / values.mean() / math.sqrt(values.size)


def test_narrow_windows_and_quadrature_agree():
    """Where both apply: halving eps into the narrow form's range moves p_i by the area and no more."""
    z = np.array([0.4, 0.0])
    wide = pairs.scaled_normal_pairs(12, 0.05, z)[1][1:8] - 4 * math.log(0.05)
    narrow = pairs.scaled_normal_pairs(12, 0.005, z)[1][1:8] - 4 * math.log(0.005)
    np.testing.assert_allclose(wide, narrow, atol=5e-3)


def test_uniform_sums_density():
    """P(|U1 + U2| <= eps) = eps - eps^2 / 4 for two numbers uniform on [-1, 1]."""
    assert math.exp(joint_hitting(Uniform(), 2, 0.1)[0]) == pytest.approx(0.1 - 0.01 / 4)


def test_two_subsets_hit_less_often_than_one():
    for law in (Normal(dim=2), NormallyScaledNormal(dim=2), Uniform()):
        log_p, joint = joint_hitting(law, 6, 0.05, 0.2)
        assert (joint <= log_p + 1e-9).all()
        assert (np.diff(joint) > 0).all()


def test_overlaps_sum_to_one():
    assert np.exp(overlap_log_probabilities(60, 25)).sum() == pytest.approx(1)
    assert np.isneginf(overlap_log_probabilities(5, 4)[:3]).all()


@pytest.mark.parametrize(("dim", "n", "k"), [(1, 11, 5), (2, 21, 9), (3, 31, 13), (4, 42, 17)])
def test_minimal_n_of_normal_vectors(dim, n, k):
    found = minimal_n(Normal(dim=dim), 0.01)
    assert (found.n, found.k) == (n, k)
    others = [subset_moments(Normal(dim=dim), n - 1, j, 0.01).ratio for j in range(1, n)]
    assert min(others) > 2


def test_minimal_n_of_scaled_normal_vectors():
    law = NormallyScaledNormal(dim=2)
    found = minimal_n(law, 0.05)
    assert found.ratio <= 2
    assert min(subset_moments(law, found.n - 1, k, 0.05).ratio for k in range(1, found.n)) > 2


def test_bad_arguments():
    with pytest.raises(ArgumentError, match="law"):
        joint_hitting(GatedProduct(), 3, 0.1)
    with pytest.raises(ArgumentError, match="target"):
        joint_hitting(Normal(dim=2), 3, 0.1, [1.0, 2.0, 3.0])
    with pytest.raises(ArgumentError, match="k"):
        subset_moments(Normal(), 5, 6, 0.1)
    with pytest.raises(ArgumentError, match="ratio"):
        minimal_n(Normal(), 0.1, 1.0)
