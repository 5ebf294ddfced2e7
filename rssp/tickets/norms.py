"""Proved upper bounds on spectral norms of matrices: the rounding of their own computation is accounted for."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

__all__ = ["UNIT", "frobenius", "largest_norm", "spectral_norm_bound", "up"]

UNIT = 2.0**-53


def up(value, terms: int):
    """An upper bound on a sum of `terms` non-negative products, or its root, from its float64 value.

    What is added covers squares that underflow, each below 1e-307.
    """
    return value * (1.0 + 2.0 * (terms + 8) * UNIT) + 1e-145


def frobenius(matrix: NDArray[np.float64]) -> float:
    """The square root of the sum of squares, rounded up."""
    return float(up(np.linalg.norm(matrix), matrix.size))


def spectral_norm_bound(matrix: NDArray[np.float64]) -> float:
    """A certified upper bound on the largest singular value of a float64 matrix, tight to about 1e-10 relative.

    With any V, ``||A|| <= ||A V|| ||V^-1||``. V are the computed eigenvectors of A^T A, so A V has nearly orthogonal
    columns and V is nearly orthogonal; ``||A V||^2`` and ``||V^-1||^-2 >= 1 - ||I - V^T V||`` are bounded by row sums,
    to which the rounding errors of each product are added. The Frobenius norm and sqrt(||A||_1 ||A||_inf) are taken
    where smaller. Of a stack of matrices (..., m, n) it is the largest. Cost: eigenvectors of the smaller Gram matrix.

    >>> spectral_norm_bound(np.array([[3.0, 0.0], [0.0, 4.0]])) - 4.0 < 1e-9
    True
    """
    largest = float(np.abs(matrix).max(initial=0.0))
    if largest == 0.0:
        return 0.0
    exponent = math.frexp(largest)[1]
    a = np.ldexp(matrix, -exponent)  # exact but for entries 2**-1022 below the largest: added as `tiny`
    tiny = math.ldexp(1.0, -1000)
    if a.shape[-2] < a.shape[-1]:
        a = np.ascontiguousarray(a.swapaxes(-1, -2))
    m, n = a.shape[-2:]
    absolute = np.abs(a)
    total = up(np.sqrt((a**2).sum(axis=(-1, -2))), m * n)
    by_sums = up(np.sqrt(absolute.sum(axis=-2).max(axis=-1) * absolute.sum(axis=-1).max(axis=-1)), m + n)
    best = np.minimum(total, by_sums)
    vectors = np.linalg.eigh(a.swapaxes(-1, -2) @ a)[1]
    turned, sizes = vectors.swapaxes(-1, -2), np.abs(vectors)
    gamma_n, gamma_m = 1.01 * (n + 2) * UNIT, 1.01 * (m + 2) * UNIT
    defect = np.abs(np.eye(n) - turned @ vectors) + gamma_n * (sizes.swapaxes(-1, -2) @ sizes) + 2 * UNIT
    eta = up(defect.sum(axis=-1).max(axis=-1), 2 * n)
    b = a @ vectors
    gram = np.abs(b.swapaxes(-1, -2) @ b) + gamma_m * (np.abs(b).swapaxes(-1, -2) @ np.abs(b))
    product = np.sqrt(up(gram.sum(axis=-1).max(axis=-1), 2 * n + m))
    product += up(gamma_n * total * up(np.sqrt((vectors**2).sum(axis=(-1, -2))), n * n), n)
    with np.errstate(invalid="ignore", divide="ignore"):
        turned_back = np.where(eta < 0.5, up(product / np.sqrt(1.0 - np.minimum(eta, 0.5)), 8), np.inf)
    return math.ldexp(float(np.minimum(best, turned_back).max()) + tiny, exponent)


def _power_bounds(stack: NDArray[np.complex128]) -> NDArray[np.float64]:
    """Upper bounds on the norms of matrices (b, m, n) from powers of their Gram matrices, a few percent above them.

    ``||A||^2 = ||G||``, ``||G^2|| = ||G||^2``, and the Frobenius norm bounds that of the last power (Gram iteration,
    Delattre, Barthelemy, Araujo and Allauzen, ICML 2023). The error of each computed product is added on the way back.
    """
    a = stack if stack.shape[1] >= stack.shape[2] else stack.conj().swapaxes(1, 2)
    gamma = 8 * (max(a.shape[1:]) + 4) * UNIT  # of a complex product, against the squares of Frobenius norms
    sizes = []
    for k in range(7):
        size = np.maximum(np.asarray(up(np.sqrt((np.abs(a) ** 2).sum(axis=(1, 2))), a[0].size)), 1e-100)
        sizes.append(size)
        a = a / size[:, None, None]
        if k < 6:
            a = (a.conj().swapaxes(1, 2) if k == 0 else a) @ a
    bound = np.ones(len(a))
    for size in reversed(sizes[1:]):
        bound = np.sqrt(up(bound * size + gamma, 4))
    return np.asarray(up(bound * sizes[0], 4))


def largest_norm(stack: NDArray[np.complex128]) -> float:
    """An upper bound on the largest norm of complex matrices (b, m, n): exact for the few that may attain it."""
    rough = _power_bounds(stack)
    order = np.argsort(-rough)
    best = 0.0
    for start in range(0, min(len(order), 24), 4):
        chosen = stack[order[start : start + 4]]
        left = np.concatenate([chosen.real, chosen.imag], axis=1)
        real = np.concatenate([left, np.concatenate([-chosen.imag, chosen.real], axis=1)], axis=2)
        best = max(best, min(spectral_norm_bound(real), float(rough[order[start]])))
        if start + 4 >= len(order) or rough[order[start + 4]] <= best:
            return best
    return max(best, float(rough[order[24]]))
