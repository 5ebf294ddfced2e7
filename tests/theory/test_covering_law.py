"""The covering law against enumeration, quadrature and its own limits."""

from __future__ import annotations

import numpy as np
import pytest

from rssp.balls import Ball
from rssp.errors import ArgumentError
from rssp.laws import Uniform
from rssp.theory._saddlepoint import gaussian_log_density, large_log_density, small_log_density
from rssp.theory.covering_law import coverage_given_sample, predicted_coverage, predicted_target_failure


def all_sums(sample: np.ndarray) -> np.ndarray:
    sums = np.zeros((1, sample.shape[1]))
    for x in sample:
        sums = np.concatenate([sums, sums + x])
    return sums


def small(sample: np.ndarray, targets: np.ndarray, heavy: np.ndarray | None = None) -> np.ndarray:
    d = sample.shape[1]
    values, tilts = np.empty(len(targets)), np.empty(targets.shape)
    small_log_density(sample, np.zeros((0, d)) if heavy is None else heavy, targets, values, tilts)
    return values


def test_saddlepoint_density_against_the_histogram_of_all_sums():
    sample = np.random.default_rng(0).uniform(-1, 1, (18, 1))
    sums = all_sums(sample)[:, 0]
    targets = np.linspace(sums.min() * 0.5, sums.max() * 0.5, 9)[:, None]
    half = 0.1
    measured = [(np.abs(sums - z) < half).mean() / (2 * half) for z in targets[:, 0]]
    fine = small(sample, (targets + np.linspace(-half, half, 21)[None]).reshape(-1, 1)).reshape(9, 21)
    np.testing.assert_allclose(np.exp(fine).mean(axis=1), measured, rtol=0.02)


def test_one_target_at_a_time_and_matrix_products_agree():
    sample = np.random.default_rng(1).normal(size=(25, 4))
    targets = np.random.default_rng(2).uniform(-1, 1, (5, 4))
    expected = [large_log_density(sample, z)[0] for z in targets]
    np.testing.assert_allclose(small(sample, targets), expected, atol=0.02)  # one term by random probes


def test_density_is_normal_for_many_vectors():
    sample = np.random.default_rng(3).normal(size=(4000, 2))
    middle = sample.sum(axis=0, keepdims=True) / 2
    np.testing.assert_allclose(small(sample, middle), gaussian_log_density(sample, middle)[0], atol=2e-3)


def test_no_density_outside_the_sums():
    sample = np.random.default_rng(4).uniform(-1, 1, (10, 2))
    assert np.isneginf(small(sample, np.array([[30.0, 0.0], [0.0, -30.0]]))).all()


def test_one_dimension_against_enumeration():
    """P(cover) of 1,500 samples, n = 14: both Monte Carlo errors are at most 0.013, so 0.09 is 5 sigma off 0.03."""
    rng, ball = np.random.default_rng(5), Ball(1)
    radii = []
    for _ in range(1500):
        sums = np.sort(all_sums(rng.uniform(-1, 1, (14, 1)))[:, 0])
        ends = np.abs(sums[:, None] - [-1.0, 1.0]).min(axis=0).max()
        middles, gaps = (sums[1:] + sums[:-1]) / 2, np.diff(sums) / 2
        radii.append(max(ends, gaps[np.abs(middles) <= 1].max(initial=0.0)))
    levels = np.array([0.1, 0.25, 0.5, 0.75, 0.9])
    predicted = predicted_coverage(Uniform(), 14, np.quantile(radii, levels), ball, samples=300)
    np.testing.assert_allclose(predicted.best, levels, atol=0.09)


def test_one_target_against_enumeration():
    rng = np.random.default_rng(6)
    misses = [np.abs(all_sums(rng.uniform(-1, 1, (10, 1))) - 0.37).min() > 1e-2 for _ in range(4000)]
    predicted = predicted_target_failure(Uniform(), 10, 1e-2, 0.37, samples=2000)
    assert abs(predicted.best[0] - np.mean(misses)) < 0.025


def test_coverage_rises_with_eps():
    sample = np.random.default_rng(7).uniform(-1, 1, (14, 2))
    values = coverage_given_sample(sample, Ball(2), np.geomspace(0.03, 1, 12))
    assert (np.diff(values) > -0.02).all()
    assert values[0] < 0.01


def test_law_and_ball_must_agree():
    with pytest.raises(ArgumentError, match="dimension"):
        predicted_coverage(Uniform(dim=2), 10, 0.1, Ball(1))
