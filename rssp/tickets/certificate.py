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
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from rssp._arguments import positive
from rssp.errors import ArgumentError
from rssp.tickets.activations import Activation
from rssp.tickets.network import Linear, MaxPool, Network, Residual, Step
from rssp.tickets.sharing import Sharing

__all__ = ["certified_error", "operator_bound", "spectral_norm_bound", "weight_tolerance"]

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
    """Bounds on T - G of one layer: spectral norm, coefficients, norms of rows, biases, remainders."""

    spectral: float
    entries: NDArray[np.float64]
    rows: NDArray[np.float64]
    bias: NDArray[np.float64] | None
    remainder: NDArray[np.float64] | None


def _repeats(sharing: Sharing) -> tuple[float, float]:
    """How often one label stands in a row and in a column of the pattern, at most; once for a convolution."""
    if type(sharing) is not Sharing:
        return 1.0, 1.0
    counts = [(sharing.labels == label) for label in range(sharing.size)]
    rows, columns = (max(int(c.sum(axis=axis).max()) for c in counts) for axis in (1, 0))
    return float(rows), float(columns)


def operator_bound(coefficients: NDArray[np.float64], sharing: Sharing) -> float:
    """An upper bound on the spectral norm of a layer: exactly where its matrix is small, else label by label."""
    out, channels, size = coefficients.shape
    p, q = sharing.points
    if size == 1 and p == q == 1:
        return spectral_norm_bound(coefficients[:, :, 0])
    if out * p * channels * q <= 2**20:
        return spectral_norm_bound(sharing.matrix(coefficients))
    rows, columns = _repeats(sharing)
    by_label = sum(spectral_norm_bound(coefficients[:, :, label]) for label in range(size))
    absolute = np.abs(coefficients)
    by_sums = rows * absolute.sum(axis=(1, 2)).max() * columns * absolute.sum(axis=(0, 2)).max()
    return min(
        float(_up(by_label * math.sqrt(rows * columns), 2 * size)), float(_up(math.sqrt(by_sums), absolute.size))
    )


def _row_norms(coefficients: NDArray[np.float64], sharing: Sharing) -> NDArray[np.float64]:
    """The 2-norm of an output channel's row, at most, for each channel: (out, 1)."""
    most = math.sqrt(_repeats(sharing)[0])
    return np.asarray(
        _up(np.linalg.norm(coefficients.reshape(len(coefficients), -1), axis=1) * most, coefficients[0].size)
    )[:, None]


def _applied(coefficients: NDArray[np.float64], layer: Linear, x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Non-negative coefficients on entries (in, Q): (out, P), rounded up."""
    prepared = layer.sharing.prepare(coefficients, layer.groups)
    y = layer.sharing.apply(torch.from_numpy(x[None]), prepared, layer.groups)[0].numpy()
    return np.asarray(_up(y, 2 * coefficients.shape[1] * coefficients.shape[2] + 4))


def _difference(target: Linear, effective: Linear) -> _Difference:
    weight, bias = target.coefficients, target.bias
    parts = [weight - effective.coefficients]
    slack = np.zeros_like(weight) if effective.slack is None else effective.slack
    slacks = [slack + np.abs(parts[0]) * _UNIT]
    if effective.negative is not None:
        parts.append(weight - effective.negative)
        slacks.append(slack + np.abs(parts[1]) * _UNIT)
    # (relu(x), relu(-x)) has the 2-norm of x, and no two entries of the same input: both bounds hold
    entries = np.max([_up(np.abs(d) + s, 2) for d, s in zip(parts, slacks, strict=True)], axis=0)
    sharing = target.sharing
    both, loose = np.concatenate(parts, axis=1), np.concatenate(slacks, axis=1)
    spectral = _up(operator_bound(both, sharing) + operator_bound(loose, sharing), 2)
    off = None
    if bias is not None:
        assert effective.bias is not None
        gap = np.abs(bias - effective.bias)
        loose_bias = 0.0 if effective.bias_slack is None else effective.bias_slack
        off = np.asarray(_up(gap + gap * _UNIT + loose_bias, 3))
    spectral = min(float(spectral), operator_bound(entries, sharing))
    return _Difference(spectral, entries, _row_norms(entries, sharing), off, effective.remainder)


def _uniform_difference(target: Linear, delta: float) -> _Difference:
    entries = np.where(target.coefficients != 0, delta, 0.0)  # a weight 0 is met exactly
    rows, columns = _repeats(target.sharing)
    p, q = target.sharing.points
    nonzero = entries != 0
    sums = rows * nonzero.sum(axis=(1, 2)).max() * columns * nonzero.sum(axis=(0, 2)).max() if p * q > 1 else np.inf
    spectral = delta * math.sqrt(min(float(sums), float(p * columns * nonzero.sum() if p * q > 1 else nonzero.sum())))
    off = None if target.bias is None else np.full(target.bias.shape, delta)
    return _Difference(float(_up(spectral, 2)), entries, _row_norms(entries, target.sharing), off, None)


@dataclass(frozen=True, eq=False)
class _Bounds:
    """Between two steps: ||h|| <= reach, ||h - h'|| <= error, and the same entry by entry, (channels, points)."""

    reach: float
    error: float
    reach_entries: NDArray[np.float64]
    error_entries: NDArray[np.float64]

    @classmethod
    def of(
        cls, reach: float, error: float, reach_entries: NDArray[np.float64], error_entries: NDArray[np.float64]
    ) -> _Bounds:
        reach = min(float(reach), _frobenius(reach_entries))
        return cls(reach, min(float(error), _frobenius(error_entries)), reach_entries, error_entries)


_Layer = tuple[float, _Difference | None]


def _through(step: Step, b: _Bounds, layers: Iterator[_Layer]) -> _Bounds:
    if isinstance(step, Linear):
        return _linear(step, b, *next(layers))
    if isinstance(step, Activation):
        slope, zero = step.lipschitz, abs(step.at_zero)
        most = max(map(abs, step.values))
        entries = np.minimum(_up(slope * b.reach_entries + zero, 2), most)
        reach = float(_up(slope * b.reach, 1)) if zero == 0 else math.inf
        return _Bounds.of(reach, float(_up(slope * b.error, 1)), entries, np.asarray(_up(slope * b.error_entries, 1)))
    if isinstance(step, MaxPool):
        pairs = zip(step.kernel, step.stride, strict=True)
        overlap = math.sqrt(math.prod(-(-k // s) for k, s in pairs))
        entries, errors = (
            step.forward(torch.from_numpy(v[None]))[0].numpy() for v in (b.reach_entries, b.error_entries)
        )
        return _Bounds.of(float(_up(overlap * b.reach, 2)), float(_up(overlap * b.error, 2)), entries, errors)
    first, second = (_run(part, b, layers) for part in (step.steps, step.shortcut))
    return _Bounds.of(
        float(_up(first.reach + second.reach, 1)),
        float(_up(first.error + second.error, 1)),
        np.asarray(_up(first.reach_entries + second.reach_entries, 1)),
        np.asarray(_up(first.error_entries + second.error_entries, 1)),
    )


def _linear(layer: Linear, b: _Bounds, norm: float, d: _Difference | None) -> _Bounds:
    """The recursion of the module's docstring, on norms and entry by entry at once."""
    absolute = np.abs(layer.coefficients)
    rows = _row_norms(layer.coefficients, layer.sharing)
    orbits = layer.sharing.orbits
    points = layer.sharing.points[0]
    shift = np.zeros((len(absolute), points)) if layer.bias is None else np.abs(layer.bias)[:, orbits]
    error = norm * b.error
    by_entries = np.minimum(_applied(absolute, layer, b.error_entries), rows * b.error)
    if d is not None:
        off = np.zeros((len(absolute), points)) if d.bias is None else d.bias[:, orbits]
        error += d.spectral * (b.reach + b.error) + _frobenius(off)
        met = np.minimum(_applied(d.entries, layer, b.reach_entries + b.error_entries), d.rows * (b.reach + b.error))
        by_entries = by_entries + met + off
        if d.remainder is not None:
            more = _applied(d.remainder, layer, _up((b.reach_entries + b.error_entries) ** 2, 3))
            by_entries = by_entries + more
            error += _frobenius(more)
    reach = norm * b.reach + _frobenius(shift)
    reach_entries = np.minimum(_applied(absolute, layer, b.reach_entries), rows * b.reach) + shift
    return _Bounds.of(float(_up(reach, 8)), float(_up(error, 8)), _up(reach_entries, 8), _up(by_entries, 8))


def _run(steps: Sequence[Step], b: _Bounds, layers: Iterator[_Layer]) -> _Bounds:
    for step in steps:
        b = _through(step, b, layers)
    return b


def _all_linear(steps: Sequence[Step]) -> list[Linear]:
    found: list[Linear] = []
    for step in steps:
        if isinstance(step, Linear):
            found.append(step)
        elif isinstance(step, Residual):
            found += _all_linear(step.steps) + _all_linear(step.shortcut)
    return found


def _carry(target: Network, norms: Sequence[float], differences: Sequence[_Difference | None]) -> float:
    shape = (target.shape[0], target.inputs // target.shape[0])
    start = _Bounds(1.0, 0.0, np.ones(shape), np.zeros(shape))
    return _run(target.steps, start, iter(zip(norms, differences, strict=True))).error


def _norms(target: Network) -> list[float]:
    return [operator_bound(layer.coefficients, layer.sharing) for layer in _all_linear(target.steps)]


def certified_error(reference: Network, effective: Network) -> float:
    """An upper bound on ``max over ||x||_2 <= 1 of ||f(x) - g(x)||_2`` for networks f and g of the same steps.

    Cost: eigenvectors of two Gram matrices a layer; 784-500-10 takes about half a second.

    Examples
    --------
    >>> from rssp.laws import Uniform
    >>> from rssp.tickets import PLAIN, prune
    >>> wide = PLAIN.but(law=Uniform())
    >>> ticket = prune([np.eye(3) / 2], 14, 0.01, construction=wide, rng=np.random.default_rng(0))
    >>> bool(ticket.largest_weight_error <= certified_error(ticket.target, ticket.effective) <= 0.03)
    True
    """
    pairs = zip(_all_linear(reference.steps), _all_linear(effective.steps), strict=True)
    differences = [None if f.fixed else _difference(f, g) for f, g in pairs]
    return _carry(reference, _norms(reference), differences)


def weight_tolerance(target: Network, eps: float) -> float:
    """A weight error delta that suffices: if every weight is within delta, the output is certified within eps.

    The largest such delta by the certificate of this module (to 1e-5 relative), over ``||x||_2 <= 1``. It allows for
    the worst signs of all errors at once, so tickets that exceed it may still be certified within eps.

    Examples
    --------
    >>> from rssp.tickets import read_target
    >>> round(weight_tolerance(read_target([np.full((4, 4), 0.5)]), 0.01), 6)    # sqrt(16) delta = eps
    0.0025
    """
    eps = positive("eps", eps)
    norms, layers = _norms(target), _all_linear(target.steps)

    def error(delta: float) -> float:
        return _carry(target, norms, [None if f.fixed else _uniform_difference(f, delta) for f in layers])

    high = eps
    if error(high) == 0:
        return eps  # no weight can be wrong
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
