"""The small linear algebra of fits against NumPy's, and where it refuses."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rssp.inference._algebra import cholesky, inverse, inverse_of_lower, product, solve_lower, straight_line


def _positive(seed, size):
    a = np.random.default_rng(seed).standard_normal((size, size + 3))
    return a @ a.T * np.outer(s := np.logspace(-3, 3, size), s)


@given(st.integers(0, 10**6), st.integers(1, 20))
def test_it_is_what_numpy_computes(seed, size):
    matrix = _positive(seed, size)
    lower = cholesky(matrix)
    np.testing.assert_allclose(lower, np.linalg.cholesky(matrix), rtol=1e-7, atol=1e-9 * lower.max())
    scale = np.sqrt(np.diag(matrix))
    np.testing.assert_allclose((inverse(matrix) @ matrix) * (scale[:, None] / scale), np.eye(size), atol=1e-6)
    right = np.random.default_rng(seed).standard_normal((size, 2))
    np.testing.assert_allclose(product(lower, solve_lower(lower, right)), right, atol=1e-9)
    np.testing.assert_array_equal(inverse_of_lower(lower), solve_lower(lower, np.eye(size)))
    np.testing.assert_allclose(product(matrix, right[:, 0]), matrix @ right[:, 0])


@pytest.mark.parametrize("matrix", [[[1.0, 1.0], [1.0, 1.0]], [[1.0, 2.0], [2.0, 1.0]], [[0.0, 0.0], [0.0, 1.0]]])
def test_what_is_not_positive_definite_is_refused(matrix):
    for function in (cholesky, inverse):
        with pytest.raises(np.linalg.LinAlgError):
            function(np.array(matrix))


@given(st.integers(0, 10**6))
def test_the_line_is_that_of_least_weighted_squares(seed):
    rng = np.random.default_rng(seed)
    x, y, error = rng.uniform(10, 20, 6), rng.standard_normal(6), rng.uniform(0.1, 2, 6)
    slope, height, of_slope, of_height = straight_line(x, y, error**-2)
    middle = np.average(x, weights=error**-2)
    expected, covariance = np.polyfit(x - middle, y, 1, w=1 / error, cov="unscaled")
    np.testing.assert_allclose([slope, height], expected, rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose([of_slope, of_height], np.diag(covariance), rtol=1e-6)
