"""Laws of vectors: marginals and dependence, each test with its false-alarm rate."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.stats

from rssp._identity import describe, rebuild
from rssp.errors import ArgumentError, ArgumentTypeError
from rssp.laws import (
    ConvolutionBlocks,
    GroupScaledNormal,
    IndependentNormalProduct,
    NormallyScaledNormal,
    NormallyScaledUniform,
)
from rssp.laws.convolution import blocked_mask, filter_contributions

FALSE_ALARM = 1e-9
M = 40_000
LAWS = [
    NormallyScaledNormal(dim=3),
    IndependentNormalProduct(dim=3),
    GroupScaledNormal(dim=3, group=4),
    NormallyScaledUniform(dim=3),
    ConvolutionBlocks(2, 3, 1),
    ConvolutionBlocks(1, 2, 3, sign=-1),
]


def normal_product_cdf(x):
    """P(Z Z' <= x): the density is K_0(|x|) / pi."""
    grid = np.concatenate([[0.0], np.geomspace(1e-12, 60.0, 20_001)])
    middle = np.sqrt(np.maximum(grid[1:] * grid[:-1], 1e-26))
    mass = np.concatenate([[0.0], np.cumsum(scipy.special.k0(middle) / np.pi * np.diff(grid))])
    mass *= 0.5 / mass[-1]
    return 0.5 + np.sign(x) * np.interp(np.abs(x), grid, mass)


def same_marginal(values) -> bool:
    return scipy.stats.kstest(values, normal_product_cdf).pvalue > FALSE_ALARM


def normal_score(values):
    """Ranks turned into normal scores: correlations of these are N(0, 1/m) under independence, whatever the tails."""
    return scipy.stats.norm.ppf((scipy.stats.rankdata(values) - 0.5) / len(values))


def dependent(x, y) -> bool:
    """Whether |x| and |y| are correlated in rank; false alarm 1e-9 at 6.2 sigma, detects 0.03 at this sample size."""
    return bool(np.corrcoef(normal_score(np.abs(x)), normal_score(np.abs(y)))[0, 1] > 6.2 / np.sqrt(len(x)))


@pytest.mark.parametrize("law", LAWS, ids=repr)
def test_shapes_identity_and_reproducibility(law):
    assert law.draw(5, np.random.default_rng(1)).shape == (5, law.dim)
    assert law.draw(0, np.random.default_rng(1)).shape == (0, law.dim)
    many = law.draw_many(3, 5, np.random.default_rng(1))
    assert many.shape == (3, 5, law.dim)
    assert many.dtype == np.float64
    np.testing.assert_array_equal(many, law.draw_many(3, 5, np.random.default_rng(1)))
    assert rebuild(describe(law)) == law


@pytest.mark.parametrize("law", [*LAWS[:3], ConvolutionBlocks(1, 3, 3)], ids=repr)
def test_marginals_are_products_of_two_normals(law):
    sample = law.draw_many(M // 4, 4, np.random.default_rng(2))[:, 0]  # one of a group: independent values
    assert all(same_marginal(sample[:, j]) for j in range(3))


def test_the_marginal_test_detects_another_law():
    assert not same_marginal(NormallyScaledUniform(dim=1).draw(M // 4, np.random.default_rng(3))[:, 0])


def test_a_common_factor_makes_entries_dependent_and_uncorrelated():
    rng = np.random.default_rng(4)
    for law in (NormallyScaledNormal(3), NormallyScaledUniform(3), ConvolutionBlocks(1, 1, 3)):
        x = law.draw(M, rng)
        assert dependent(x[:, 0], x[:, 1])
        signs = np.mean(np.sign(x[:, 0] * x[:, 1]))
        assert abs(signs) < 6.2 / np.sqrt(M)
    x = IndependentNormalProduct(3).draw(M, rng)
    assert not dependent(x[:, 0], x[:, 1])


def test_squares_of_normally_scaled_entries_have_correlation_one_quarter():
    # (E[Z^4] - 1) / (E[Z^4]^2 - 1) = 2/8. The squares' tails are heavy; the logarithms' are light and carry the same
    # fact: log|Y_1| and log|Y_2| share log|Z|, hence correlation exactly 1/2 (6.2 sigma are below 0.04)
    x = NormallyScaledNormal(2).draw(M, np.random.default_rng(5))
    correlation = np.corrcoef(np.log(np.abs(x)).T)[0, 1]
    assert abs(correlation - 0.5) < 0.04
    g = GroupScaledNormal(1, 2).draw_many(M, 2, np.random.default_rng(6))[:, :, 0]
    assert abs(np.corrcoef(np.log(np.abs(g)).T)[0, 1] - 0.5) < 0.04


def test_groups_share_their_factor_and_no_others():
    x = GroupScaledNormal(2, group=2).draw_many(M, 5, np.random.default_rng(7))
    assert dependent(x[:, 0, 0], x[:, 1, 1])
    assert dependent(x[:, 2, 0], x[:, 3, 0])
    assert not dependent(x[:, 1, 0], x[:, 2, 0])
    assert not dependent(x[:, 3, 0], x[:, 4, 0])
    assert not GroupScaledNormal.independent


def test_convolution_vectors_are_independent_across_filters_and_input_channels():
    x = ConvolutionBlocks(1, 2, 2).draw_many(20_000, 4, np.random.default_rng(8))
    for i, j in ((0, 1), (1, 2), (0, 2)):  # same input channel, different channels
        assert not dependent(x[:, i, 0], x[:, j, 0])
    assert dependent(x[:, 0, 0], x[:, 0, 1])


def test_without_the_mask_the_slices_are_shared_between_input_channels():
    law, rng = ConvolutionBlocks(1, 2, 1), np.random.default_rng(9)
    pairs = np.empty((20_000, 2))
    for row in pairs:
        pointwise, kernel = law.draw_weights(1, rng)
        row[:] = filter_contributions(pointwise, kernel)[:, 0, 0]
    assert dependent(pairs[:, 0], pairs[:, 1])


@pytest.mark.parametrize("sign", [None, 1, -1])
def test_draw_is_what_the_masked_layers_contribute(sign):
    law = ConvolutionBlocks(2, 3, 2, sign=sign)
    drawn = law.draw(11, np.random.default_rng(10))
    pointwise, kernel = law.draw_weights(4, np.random.default_rng(10))
    whole = filter_contributions(law.gate(pointwise) * blocked_mask(3, 4), kernel)
    for t in range(11):
        np.testing.assert_array_equal(drawn[t], whole[t // 4, t])
        assert not whole[[k for k in range(3) if k != t // 4], t].any()


@pytest.mark.parametrize("sign", [1, -1])
def test_gated_vectors_are_zero_half_of_the_time_and_normally_scaled_otherwise(sign):
    law = ConvolutionBlocks(1, 1, 2, sign=sign)
    x = law.draw(M, np.random.default_rng(11))
    kept = np.any(x != 0, axis=1)
    assert scipy.stats.binomtest(int(kept.sum()), M, 0.5).pvalue > FALSE_ALARM
    assert same_marginal(x[kept, 0])
    assert abs(np.corrcoef(np.log(np.abs(x[kept])).T)[0, 1] - 0.5) < 0.06
    # the two gates share the network: together they are the ungated contribution
    other = ConvolutionBlocks(1, 1, 2, sign=-sign).draw(M, np.random.default_rng(11))
    np.testing.assert_array_equal(x + other, ConvolutionBlocks(1, 1, 2).draw(M, np.random.default_rng(11)))


def test_the_composed_layers_compute_the_sum_of_the_contributions():
    # on a one-pixel image with 1 x 1 kernels: L relu(V x) for x >= 0 is (sum of gated contributions) x
    law = ConvolutionBlocks(1, 2, 3, sign=1)
    rng = np.random.default_rng(12)
    pointwise, kernel = law.draw_weights(4, rng)
    masked = pointwise * blocked_mask(2, 4)
    x = rng.uniform(0, 1, 2)
    network = np.maximum(x @ masked, 0) @ kernel[0, 0]
    contributions = filter_contributions(law.gate(masked), kernel).sum(axis=1)
    np.testing.assert_allclose(network, x @ contributions, rtol=1e-12)


def test_bad_arguments():
    with pytest.raises(ArgumentError, match="dim"):
        NormallyScaledNormal(0)
    with pytest.raises(ArgumentTypeError, match="group"):
        GroupScaledNormal(2, 1.5)
    with pytest.raises(ArgumentError, match="sign"):
        ConvolutionBlocks(sign=2)
    with pytest.raises(ArgumentError, match="kernel_size"):
        ConvolutionBlocks(kernel_size=0)
