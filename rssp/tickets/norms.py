"""Upper bounds on spectral norms of layers that are proved: the rounding of their own computation is accounted for."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from rssp.tickets.sharing import Convolution, Sharing

__all__ = ["UNIT", "frobenius", "operator_bound", "repeats", "spectral_norm_bound", "up"]

UNIT = 2.0**-53
_WHOLE = 2**20  # entries of a layer's matrix up to which its norm is taken from the matrix
_GRID = 32  # frequencies an axis for the symbol of a convolution


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


def repeats(sharing: Sharing) -> tuple[float, float]:
    """How often one label stands in a row and in a column of the pattern, at most; once for a convolution."""
    if type(sharing) is not Sharing:
        return 1.0, 1.0
    counts = [(sharing.labels == label) for label in range(sharing.size)]
    rows, columns = (max(int(c.sum(axis=axis).max()) for c in counts) for axis in (1, 0))
    return float(rows), float(columns)


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


def _largest_norm(stack: NDArray[np.complex128]) -> float:
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


def _symbol_bound(coefficients: NDArray[np.float64], sharing: Convolution, groups: int) -> float:
    """The norm of a convolution with padding by zeros, from the norms of its symbol on a grid of frequencies.

    The layer is a part (some rows and columns) of the convolution on the infinite lattice, whose norm is the maximum
    over frequencies w of ``||K(w)||``, ``K(w) = sum_j K_j exp(i j w)``. On each axis |u* K(w) v| has, up to a phase, at
    most the degree (k - 1) / 2, and a trigonometric polynomial of degree m lies above ``cos(m s)`` times its maximum at
    a distance s <= pi / (2m) from it (M. Riesz): a grid of N frequencies misses the maximum by a factor of at most
    ``1 / cos((k - 1) pi / (2 N))``. A stride s takes each s-th row: input points that differ by multiples of s form
    channels of their own, on which the convolution has stride 1; a dilation without stride only permutes frequencies.
    """
    axes = len(sharing.kernel)
    out, channels, _ = coefficients.shape
    own = coefficients.reshape(groups, out // groups, groups, channels // groups, *sharing.kernel)
    kernel = np.ascontiguousarray(own[np.arange(groups), :, np.arange(groups)])  # (groups, out, in, *kernel)
    for axis, (stride, dilation) in enumerate(zip(sharing.stride, sharing.dilation, strict=True)):
        at = 3 + axis
        k = kernel.shape[at]
        offsets = np.arange(k) * (dilation if stride > 1 else 1)
        steps, phases = offsets // stride, offsets % stride
        spread = np.zeros((*kernel.shape[:at], int(steps.max()) + 1, *kernel.shape[at + 1 :], stride))
        for j in range(k):
            spread[(*(slice(None),) * at, steps[j], ..., phases[j])] = np.take(kernel, j, axis=at)
        kernel = np.moveaxis(spread, -1, 3).reshape(
            *kernel.shape[:2], -1, *spread.shape[3:-1]
        )  # the phases join the input channels
    sides = kernel.shape[3:]
    least = _GRID if out * channels <= 2**12 else _GRID // 2
    grid = [max(least, 6 * k) if k > 1 else 1 for k in sides]
    waves = [np.exp(2j * np.pi * np.outer(np.arange(n), np.arange(k)) / n) for n, k in zip(grid, sides, strict=True)]
    half = grid[0] // 2 + 1  # a real kernel: the other half is conjugate
    waves[0] = waves[0][:half]
    symbol = np.einsum("goiy,wy->wgoi", kernel, waves[0]) if axes == 1 else np.einsum(
        "goiyx,wy,vx->wvgoi", kernel, waves[0], waves[1], optimize=True
    )  # fmt: skip
    norm = _largest_norm(symbol.reshape(-1, *kernel.shape[1:3]))
    # a wave is within 16 units of its value for each axis (argument, exponential, product)
    terms = int(np.prod(sides))
    rounding = (
        2
        * (terms + 20 * axes)
        * UNIT
        * max(frobenius(part) for part in np.abs(kernel).sum(axis=tuple(range(3, 3 + axes))))
    )
    factor = math.prod(1 / math.cos((k - 1) * math.pi / (2 * n)) for n, k in zip(grid, sides, strict=True))
    return float(up((norm + rounding) * factor, 8))


def operator_bound(coefficients: NDArray[np.float64], sharing: Sharing, groups: int = 1) -> float:
    """An upper bound on the spectral norm of a layer: of its matrix where that is small, else by its symbol or labels.

    >>> from rssp.tickets.sharing import Convolution
    >>> shifts = Convolution((2000,), (3,), padding=((1, 1),))
    >>> round(operator_bound(np.array([[[1.0, 2.0, 1.0]]]), shifts), 1)
    4.0
    """
    out, channels, size = coefficients.shape
    p, q = sharing.points
    if size == 1 and (p == q == 1 or (isinstance(sharing, Convolution) and max(sharing.stride) == 1)):
        return spectral_norm_bound(coefficients[:, :, 0])
    if out * p * channels * q <= _WHOLE:
        return spectral_norm_bound(sharing.matrix(coefficients))
    rows, columns = repeats(sharing)
    absolute = np.abs(coefficients)
    by_sums = rows * absolute.sum(axis=(1, 2)).max() * columns * absolute.sum(axis=(0, 2)).max()
    best = float(up(math.sqrt(by_sums), absolute.size))
    if isinstance(sharing, Convolution):
        return min(best, _symbol_bound(coefficients, sharing, groups))
    by_label = sum(spectral_norm_bound(coefficients[:, :, label]) for label in range(size))
    return min(best, float(up(by_label * math.sqrt(rows * columns), 2 * size)))
