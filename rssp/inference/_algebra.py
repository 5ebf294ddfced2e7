"""Linear algebra of a few rows, in an order of operations that is ours.

BLAS chooses its kernels by the CPU, and with them the order of its sums: the last digits of a fit would depend on the
machine. Here every sum is NumPy's over a fixed axis, the same anywhere. For up to some hundred rows: O(rows^3).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["cholesky", "inverse", "inverse_of_lower", "product", "solve_lower", "straight_line"]

_Floats = NDArray[np.float64]
_SINGULAR = 1e-13
"""of a row's own variance: what is left of it after the rows before, below which it is rounding"""


def product(a: _Floats, b: _Floats) -> _Floats:
    """The matrix product of (i, j) and (j, k), or (j,).

    >>> product(np.array([[1.0, 2.0]]), np.array([3.0, 4.0])).tolist()
    [11.0]
    """
    if b.ndim == 1:
        return np.asarray((a * b).sum(axis=1))
    return np.asarray((a[:, :, None] * b[None, :, :]).sum(axis=1))


def cholesky(matrix: _Floats) -> _Floats:
    """The lower triangle whose product with its transpose is the matrix; LinAlgError where it is not positive definite.

    >>> cholesky(np.array([[4.0, 2.0], [2.0, 5.0]])).tolist()
    [[2.0, 0.0], [1.0, 2.0]]
    """
    size = len(matrix)
    lower = np.zeros((size, size))
    for j in range(size):
        pivot = matrix[j, j] - float((lower[j, :j] ** 2).sum())
        if not pivot > _SINGULAR * matrix[j, j]:
            raise np.linalg.LinAlgError("matrix is not positive definite")
        lower[j, j] = np.sqrt(pivot)
        lower[j + 1 :, j] = (matrix[j + 1 :, j] - (lower[j + 1 :, :j] * lower[j, :j]).sum(axis=1)) / lower[j, j]
    return lower


def solve_lower(lower: _Floats, right: _Floats) -> _Floats:
    """x with lower x = right, for one column or several.

    >>> solve_lower(np.array([[2.0, 0.0], [1.0, 2.0]]), np.array([2.0, 5.0])).tolist()
    [1.0, 2.0]
    """
    columns = right.reshape(len(right), -1)
    x = np.zeros(columns.shape)
    for i in range(len(lower)):
        x[i] = (columns[i] - (lower[i, :i, None] * x[:i]).sum(axis=0)) / lower[i, i]
    return x.reshape(right.shape)


def inverse_of_lower(lower: _Floats) -> _Floats:
    """The inverse of a lower triangle."""
    return solve_lower(lower, np.eye(len(lower)))


def inverse(matrix: _Floats) -> _Floats:
    """The inverse of a symmetric positive definite matrix; LinAlgError where it is not.

    >>> inverse(np.array([[4.0, 0.0], [0.0, 16.0]])).tolist()
    [[0.25, 0.0], [0.0, 0.0625]]
    """
    scale = np.sqrt(np.diag(matrix))
    if not (scale > 0).all():
        raise np.linalg.LinAlgError("matrix is not positive definite")
    root = inverse_of_lower(cholesky(matrix / np.outer(scale, scale)))
    return product(root.T, root) / np.outer(scale, scale)


def straight_line(x: _Floats, y: _Floats, weight: _Floats) -> tuple[float, float, float, float]:
    """Slope and height at the weighted mean of x of the line of least weighted squares, and their variances.

    Parameters
    ----------
    weight : array, 1 over the variance of each y

    >>> straight_line(np.array([0.0, 1.0, 2.0]), np.array([1.0, 3.0, 5.0]), np.ones(3))[:2]
    (2.0, 3.0)
    """
    total = float(weight.sum())
    away = x - float((weight * x).sum()) / total
    spread = float((weight * away**2).sum())
    slope, height = float((weight * away * y).sum()) / spread, float((weight * y).sum()) / total
    return slope, height, 1 / spread, 1 / total
