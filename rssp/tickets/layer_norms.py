"""Upper bounds on the spectral norms of layers, and on those of combinations of a sharing's elements."""

from __future__ import annotations

import math
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from rssp._arguments import of_kind
from rssp.tickets.bases import Basis
from rssp.tickets.norms import UNIT, frobenius, largest_norm, spectral_norm_bound, up
from rssp.tickets.sharing import Convolution, Sharing

__all__ = ["combination_bound", "operator_bound"]

_COMBINED: WeakKeyDictionary[Sharing, float] = WeakKeyDictionary()
"""||B|| of sharings, which are compared by identity and do not change: a search for a tolerance asks 30 times"""
_WHOLE = 2**20  # entries of a layer's matrix up to which its norm is taken from the matrix
_GRID = 32  # frequencies an axis for the symbol of a convolution


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
    norm = largest_norm(symbol.reshape(-1, *kernel.shape[1:3]))
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
    if size == 1 and isinstance(sharing, Convolution) and max(sharing.stride) == 1:
        return spectral_norm_bound(coefficients[:, :, 0])
    rows, columns = sharing.repeats
    absolute = np.abs(coefficients)
    by_sums = rows * absolute.sum(axis=(1, 2)).max() * columns * absolute.sum(axis=(0, 2)).max()
    best = float(up(math.sqrt(by_sums), absolute.size))
    if out * p * channels * q <= _WHOLE:
        norm = spectral_norm_bound(sharing.matrix(coefficients))
        if not isinstance(sharing, Basis):
            return norm  # each entry of the matrix is a coefficient
        return float(up(norm + 2 * (size + 2) * UNIT * best, 2))
    if isinstance(sharing, Convolution):
        return min(best, _symbol_bound(coefficients, sharing, groups))
    by_label = sum(spectral_norm_bound(coefficients[:, :, label]) for label in range(size))
    return min(best, float(up(by_label * math.sqrt(rows * columns), 2 * size)))


def combination_bound(sharing: Sharing) -> float:
    """An upper bound on ||B||: the largest norm of a combination of a sharing's elements with coefficients in [-1, 1].

    It is the norm of the sum of absolute values, which a label pattern attains with all coefficients 1; see
    `rssp.tickets.basis_norm` for bases of matrices. Ferbach et al. (ICLR 2023) state their width with it.

    >>> from rssp.tickets.equivariant.groups import orbitals, symmetric
    >>> round(combination_bound(orbitals(symmetric(4).natural, symmetric(4).natural)), 6)
    4.0
    """
    of_kind("sharing", sharing, Sharing, "a Sharing")
    if sharing not in _COMBINED:
        _COMBINED[sharing] = _combination(sharing)
    return _COMBINED[sharing]


def _combination(sharing: Sharing) -> float:
    if isinstance(sharing, Convolution):
        return float(sharing.size)  # a sum of that many shifts
    if isinstance(sharing, Basis):
        return sharing.norm[1]
    combined = sharing.combined
    if combined.size <= _WHOLE:
        return spectral_norm_bound(combined)
    return float(up(math.sqrt(combined.sum(axis=0).max() * combined.sum(axis=1).max()), sum(combined.shape)))
