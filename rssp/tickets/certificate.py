"""A bound on the error of a whole network over the unit ball that holds for certain, not only where it was measured.

For ``||x||_2 <= 1`` the error is carried from layer to layer. With activations h of the target and h' of the ticket,
``||h|| <= R``, ``||h - h'|| <= E``, and D = W - W' the difference of the matrices, ReLU being 1-Lipschitz,

    ``E_next = ||W|| E + ||D|| (R + E) + ||b - b'||``,      ``R_next = ||W|| R + ||b||``,

in the spectral norm, and the same entry by entry with absolute values; at every layer the smaller of the two is kept.
All numbers are computed upper bounds: roundings, those of the eigenvectors included, are accounted for. The bound
speaks of the two networks as functions on real numbers; evaluating either in floating point adds its own rounding.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rssp._arguments import positive
from rssp.errors import ArgumentError
from rssp.tickets.effective import EffectiveLayer
from rssp.tickets.target import Target

__all__ = ["certified_error", "spectral_norm_bound", "weight_tolerance"]

_UNIT = 2.0**-53


def _up(value, terms: int):
    """An upper bound on a sum of `terms` non-negative products, or its root, from its float64 value.

    What is added covers squares that underflow, each below 1e-307.
    """
    return value * (1.0 + 2.0 * (terms + 8) * _UNIT) + 1e-145


def _frobenius(matrix: NDArray[np.float64]) -> float:
    return float(_up(np.linalg.norm(matrix), matrix.size))


def spectral_norm_bound(matrix: NDArray[np.float64]) -> float:
    """A certified upper bound on the largest singular value of a float64 matrix, tight to about 1e-10 relative.

    With any V, ``||A|| <= ||A V|| ||V^-1||``. V are the computed eigenvectors of A^T A, so A V has nearly orthogonal
    columns and V is nearly orthogonal; ``||A V||^2`` and ``||V^-1||^-2 >= 1 - ||I - V^T V||`` are bounded by row sums,
    to which the rounding errors of each product are added. The Frobenius norm and sqrt(||A||_1 ||A||_inf) are taken
    where smaller. Cost: eigenvectors of the smaller Gram matrix.

    >>> spectral_norm_bound(np.array([[3.0, 0.0], [0.0, 4.0]])) - 4.0 < 1e-9
    True
    """
    largest = float(np.abs(matrix).max(initial=0.0))
    if largest == 0.0:
        return 0.0
    exponent = math.frexp(largest)[1]
    a = np.ldexp(matrix, -exponent)  # exact but for entries 2**-1022 below the largest: added as `tiny`
    tiny = math.ldexp(1.0, -1000)
    if a.shape[0] < a.shape[1]:
        a = np.ascontiguousarray(a.T)
    m, n = a.shape
    absolute = np.abs(a)
    frobenius = _frobenius(a)
    best = min(frobenius, _up(math.sqrt(absolute.sum(axis=0).max() * absolute.sum(axis=1).max()), m + n))
    vectors = np.linalg.eigh(a.T @ a)[1]
    gamma_n, gamma_m = 1.01 * (n + 2) * _UNIT, 1.01 * (m + 2) * _UNIT
    defect = np.abs(np.eye(n) - vectors.T @ vectors) + gamma_n * (np.abs(vectors).T @ np.abs(vectors)) + 2 * _UNIT
    eta = float(_up(defect.sum(axis=1).max(), 2 * n))
    if eta < 0.5:
        b = a @ vectors
        gram = np.abs(b.T @ b) + gamma_m * (np.abs(b).T @ np.abs(b))
        product = math.sqrt(_up(float(gram.sum(axis=1).max()), 2 * n + m))
        product += _up(gamma_n * frobenius * _frobenius(vectors), n)
        best = min(best, _up(product / math.sqrt(1.0 - eta), 8))
    return math.ldexp(best + tiny, exponent)


@dataclass(frozen=True, eq=False)
class _Difference:
    """Bounds on W - W' and b - b' of one layer: spectral norm, entries, row norms; the bias entry by entry."""

    spectral: float
    entries: NDArray[np.float64]
    rows: NDArray[np.float64]
    bias: NDArray[np.float64]


def _difference(target: Target, layer: int, effective: EffectiveLayer) -> _Difference:
    weight, bias = target.weights[layer], target.biases[layer]
    parts = [weight - effective.positive]
    slacks = [effective.rounding_positive + np.abs(parts[0]) * _UNIT]
    if effective.negative is not effective.positive:
        parts.append(weight - effective.negative)
        slacks.append(effective.rounding_negative + np.abs(parts[1]) * _UNIT)
    # (relu(x), relu(-x)) has the 2-norm of x, and no two entries of the same input: both bounds hold
    entries = np.max([_up(np.abs(d) + s, 2) for d, s in zip(parts, slacks, strict=True)], axis=0)
    spectral = _up(spectral_norm_bound(np.hstack(parts)) + _frobenius(np.hstack(slacks)), 2)
    rows = _up(np.linalg.norm(entries, axis=1), entries.shape[1])
    if bias is None or effective.bias is None or effective.rounding_bias is None:
        off = np.zeros(weight.shape[0])
    else:
        gap = np.abs(bias - effective.bias)
        off = _up(gap + gap * _UNIT + effective.rounding_bias, 3)
    return _Difference(min(spectral, _frobenius(entries)), entries, rows, off)


def _uniform_difference(target: Target, layer: int, delta: float) -> _Difference:
    out, columns = target.weights[layer].shape
    entries = np.full((out, columns), delta)
    rows = np.full(out, _up(delta * math.sqrt(columns), 2))
    off = np.zeros(out) if target.biases[layer] is None else np.full(out, delta)
    return _Difference(_up(delta * math.sqrt(columns * out), 2), entries, rows, off)


def _carry(target: Target, norms: Sequence[float], differences: Sequence[_Difference]) -> float:
    """The recursion of the module's docstring, on norms and entry by entry at once."""
    reach, error = 1.0, 0.0
    reach_entries = np.ones(target.widths[0])
    error_entries = np.zeros(target.widths[0])
    for weight, bias, norm, d in zip(target.weights, target.biases, norms, differences, strict=True):
        terms = 2 * weight.shape[1] + 4
        absolute = np.abs(weight)
        rows = _up(np.linalg.norm(weight, axis=1), weight.shape[1])
        shift = np.zeros(len(weight)) if bias is None else np.abs(bias)
        new_error = norm * error + d.spectral * (reach + error) + _frobenius(d.bias)
        by_entries = np.minimum(
            absolute @ error_entries + d.entries @ (reach_entries + error_entries),
            rows * error + d.rows * (reach + error),
        )
        error_entries = _up(by_entries + d.bias, terms)
        error = min(_up(new_error, 8), _frobenius(error_entries))
        new_reach = norm * reach + _frobenius(shift)
        reach_entries = _up(np.minimum(absolute @ reach_entries, rows * reach) + shift, terms)
        reach = min(_up(new_reach, 8), _frobenius(reach_entries))
    return float(error)


def certified_error(target: Target, effective: Sequence[EffectiveLayer]) -> float:
    """An upper bound on ``max over ||x||_2 <= 1 of ||f(x) - g(x)||_2`` for a ticket g of the target f.

    Cost: eigenvectors of two Gram matrices a layer; 784-500-10 takes about half a second.

    Examples
    --------
    >>> from rssp.tickets import plain_ticket
    >>> ticket = plain_ticket([np.eye(3) / 2], n=14, eps=0.01, rng=np.random.default_rng(0), low=-1, high=1)
    >>> bool(ticket.largest_weight_error <= certified_error(ticket.target, ticket.effective) <= 0.03)
    True
    """
    norms = [spectral_norm_bound(w) for w in target.weights]
    differences = [_difference(target, i, layer) for i, layer in enumerate(effective)]
    return _carry(target, norms, differences)


def weight_tolerance(target: Target, eps: float) -> float:
    """A weight error delta that suffices: if every weight is within delta, the output is certified within eps.

    The largest such delta by the certificate of this module (to 1e-5 relative), over ``||x||_2 <= 1``. It allows for
    the worst signs of all errors at once, so tickets that exceed it may still be certified within eps.

    Examples
    --------
    >>> from rssp.tickets import read_target
    >>> round(weight_tolerance(read_target([np.eye(4) / 2]), 0.01), 6)    # sqrt(16) delta = eps
    0.0025
    """
    eps = positive("eps", eps)
    norms = [spectral_norm_bound(w) for w in target.weights]

    def error(delta: float) -> float:
        return _carry(target, norms, [_uniform_difference(target, i, delta) for i in range(target.depth)])

    high = eps
    while error(high) <= eps:  # narrow layers with small weights: delta may exceed eps
        high *= 2
    low = high
    while error(low) > eps:
        low /= 2
        if low < 1e-300:
            raise ArgumentError("eps", eps, "an error above the rounding of float64")
    high = 2 * low
    for _ in range(20):
        middle = (low + high) / 2
        low, high = (middle, high) if error(middle) <= eps else (low, middle)
    return low * (1 - 1e-6)  # room for the roundings that a certificate adds
