"""The covering law against enumeration, quadrature and its own limits."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from scipy.stats import qmc

from rssp.balls import Ball
from rssp.errors import ArgumentError
from rssp.laws import Normal, Uniform
from rssp.prediction.clumps import _clump_rate, _small
from rssp.prediction.covering_law import (
    coverage_given_sample,
    predicted_coverage,
    predicted_radius,
    predicted_required_samples,
    predicted_target_failure,
)
from rssp.prediction.relations import _sum_relations
from rssp.prediction.saddlepoint import gaussian_log_density, large_log_density, small_log_density
from rssp.prediction.wide import wide_coverage


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
    """800 samples measured, 200 predicted: standard errors 0.018 and 0.03, so 0.2 is 5 sigma off an error of 0.02."""
    rng, ball = np.random.default_rng(5), Ball(1)
    radii = []
    for _ in range(800):
        sums = np.sort(all_sums(rng.uniform(-1, 1, (14, 1)))[:, 0])
        ends = np.abs(sums[:, None] - [-1.0, 1.0]).min(axis=0).max()
        middles, gaps = (sums[1:] + sums[:-1]) / 2, np.diff(sums) / 2
        radii.append(max(ends, gaps[np.abs(middles) <= 1].max(initial=0.0)))
    levels = np.array([0.1, 0.25, 0.5, 0.75, 0.9])
    predicted = predicted_coverage(Uniform(), 14, np.quantile(radii, levels), ball, samples=200)
    np.testing.assert_allclose(predicted.best, levels, atol=0.2)


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


def test_relations_against_all_signed_sets():
    rng = np.random.default_rng(8)
    sample, root, widths = rng.uniform(-1, 1, (7, 2)), rng.random((2, 7)), np.array([0.5, 0.9])
    expected = np.zeros((4, 2))
    for signs in itertools.product((-1, 0, 1), repeat=7):
        used = np.flatnonzero(signs)
        if 2 <= len(used) <= 4 and signs[used[0]] == 1:
            delta = np.abs(np.array(signs) @ sample)
            for e, width in enumerate(widths):
                expected[len(used) - 1, e] += np.maximum(1 - delta / width, 0).prod() * root[e, used].prod()
    totals = np.zeros((4, 2))
    _sum_relations(sample, root, 4, widths, totals)
    np.testing.assert_allclose(totals, expected, rtol=1e-12)


def test_a_vector_of_no_length_is_worth_nothing():
    """Sums come in equal pairs: the prediction is that of the sample without it, but for which r (R2) takes over at."""
    sample = np.random.default_rng(9).uniform(-1, 1, (13, 1))
    eps = np.geomspace(1e-3, 1e-2, 5)
    doubled = coverage_given_sample(np.concatenate([sample, [[1e-9]]]), Ball(1), eps)
    np.testing.assert_allclose(doubled, coverage_given_sample(sample, Ball(1), eps), atol=0.1)


@pytest.mark.parametrize("norm", [math.inf, 2, 1])
def test_closed_form_against_quasi_random_sum(norm):
    """The eps of P = 1/2 by (W1) and by (C1) at 8,192 points, in five dimensions: within 6 per cent, 0.4 vectors."""
    sample, ball = np.random.default_rng(10).normal(size=(60, 5)), Ball(5, norm=norm)
    points = qmc.Sobol(6, seed=1).random(8192)
    eps = np.geomspace(5e-3, 3e-2, 200)
    halves = [
        np.interp(0.5, coverage(eps, np.ones(len(eps))), np.log(eps))
        for coverage, _ in (wide_coverage(sample, ball, "saddlepoint"), _small(sample, ball, "saddlepoint", 0, points))
    ]
    assert abs(halves[0] - halves[1]) < 0.06


def test_radius_is_where_coverage_is_half():
    sample = np.random.default_rng(11).uniform(-1, 1, (16, 1))
    radius = predicted_radius(sample[None], Ball(1))
    np.testing.assert_allclose(coverage_given_sample(sample, Ball(1), radius), 0.5, atol=0.01)


def test_required_samples_is_where_coverage_passes():
    law, ball = Normal(dim=24), Ball(24)
    found = predicted_required_samples(law, 0.05, 0.5, ball, samples=4)
    assert found.low <= found.best <= found.high
    at = [predicted_coverage(law, n, 0.05, ball, samples=4).best[0] for n in (int(found.best) - 1, int(found.best))]
    assert at[0] < 0.5 <= at[1]
    assert found.best > 24 * math.log2(1 / 0.05)  # counting


def test_rate_of_clumps_solves_its_equation():
    b = np.concatenate([np.linspace(0.05, 1.0, 20), np.geomspace(1.001, 300, 200)])
    theta = _clump_rate(b, b)
    np.testing.assert_allclose(theta * np.exp(-theta), b * np.exp(-b), rtol=1e-12)
    assert (theta[b > 1] < 1).all()  # the smaller of the two solutions
    np.testing.assert_array_equal(theta[b <= 1], b[b <= 1])


def test_rate_of_clumps_has_no_step_where_nothing_is_covered():
    exponent = np.full(4001, 1.5)
    b = np.linspace(0.9, 1.1, 4001) * math.exp(exponent[0] - 1)  # a rate of 1 / e in the middle
    theta = _clump_rate(b, exponent)
    assert np.isfinite(_clump_rate(np.array([1.0, math.exp(0.5)]), np.array([1.0, 1.5]))).all()
    assert (np.diff(theta) > 0).all()
    assert np.diff(theta).max() < 0.02  # a root: 0.4 % of the range next to it
