"""Log density of a random subset's sum, given the sample: the saddlepoint approximation and its Gaussian limit.

A random subset takes each vector with probability 1/2. Its sum has the cumulant function
``K(t) = sum_i log((1 + exp(<t, x_i>)) / 2)``; with the tilt t that solves ``K'(t) = z`` its density at z is

    f(z) = exp(K(t) - <t, z> + c) / sqrt((2 pi)^d det K''(t)),                                            (S1)
    c = rho4 / 8 - rho13 / 8 - rho23 / 12                                                                 (S2)

(McCullagh, Tensor Methods in Statistics, 1987, section 6.3; here with the correction in the exponent, so that f > 0).
With p_i the tilted probability of vector i, v = p (1 - p), y_i = K''^(-1/2) x_i and the vector's own third and fourth
cumulants k3 = v (1 - 2 p), k4 = v (1 - 6 v),

    rho4 = sum_i k4_i |y_i|^4,   rho13 = |sum_i k3_i |y_i|^2 y_i|^2,   rho23 = |sum_i k3_i y_i (x) y_i (x) y_i|^2.

c is of the order -d^2 / (4 n): without it the density is some 0.5 / n too high in one dimension.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import scipy.linalg
from numpy.typing import NDArray
from scipy.special import expit

from rssp._jit import kernel

__all__ = ["SMALL_DIM", "gaussian_log_density", "large_log_density", "small_log_density"]

SMALL_DIM = 6
"""Up to this dimension targets are solved one by one in a compiled loop; above it, with matrix products."""

_FEWER_THAN_ONE = -5.0  # log of the Chernoff bound on the number of sums beyond the target: below 0 there is none
_STEPS = 100  # Newton steps at most; about five are taken, and where the tilt runs off to infinity some twenty
_HALVINGS = 60  # of a step: 2^-60 of it is below the last bit of the tilt
_PROBES = 100  # random directions for a sum over triples; its error is stated where they are drawn


class _Scratch(NamedTuple):
    """The arrays that one Newton solution works in; `tilt` and `factor` are what it leaves behind."""

    target: NDArray[np.float64]
    """(d,), less the sum of the heavy vectors that are taken"""
    tilt: NDArray[np.float64]
    trial: NDArray[np.float64]
    """(d,), the tilt after a step"""
    step: NDArray[np.float64]
    gradient: NDArray[np.float64]
    """(d,), of K(t) - <t, target>"""
    factor: NDArray[np.float64]
    """(d, d): the lower triangle of K''(tilt), then of its Cholesky factor"""
    whitened: NDArray[np.float64]
    """(d,), y_i of (S2)"""
    first: NDArray[np.float64]
    """(d,), the vector whose square is rho13"""
    third: NDArray[np.float64]
    """(d, d, d), the tensor whose square is rho23"""


@kernel(hot=True)
def _dot(t, sample, i):
    u = 0.0
    for a in range(t.size):
        u += t[a] * sample[i, a]
    return u


@kernel(hot=True)
def _less_inner_product(value, t, z):
    """value - <t, z>, term by term: stored tables know the last bit, which the order of the terms decides."""
    for a in range(t.size):
        value -= t[a] * z[a]
    return value


@kernel(hot=True)
def _plus_cumulants(value, sample, t):
    """value + K(t), term by term."""
    log2 = math.log(2.0)
    for i in range(sample.shape[0]):
        u = _dot(t, sample, i)
        value += max(u, 0.0) + math.log1p(math.exp(-abs(u))) - log2
    return value


@kernel(hot=True)
def _tilted_probability(u):
    return 1.0 / (1.0 + math.exp(-u)) if u > -700.0 else 0.0


@kernel(hot=True)
def _differentiate(sample, s):
    """The gradient of K(t) - <t, z> and the lower triangle of its matrix of second derivatives, at the tilt."""
    target, tilt, gradient, factor = s.target, s.tilt, s.gradient, s.factor
    d = tilt.size
    gradient[:] = -target
    factor[:] = 0.0
    for i in range(sample.shape[0]):
        p = _tilted_probability(_dot(tilt, sample, i))
        v = p * (1.0 - p)
        for a in range(d):
            gradient[a] += p * sample[i, a]
            w = v * sample[i, a]
            for b in range(a + 1):
                factor[a, b] += w * sample[i, b]


@kernel(hot=True)
def _factorise(matrix):
    """The lower Cholesky factor in place; False where a pivot vanishes: the tilt runs off to infinity."""
    for a in range(matrix.shape[0]):
        for b in range(a + 1):
            w = matrix[a, b]
            for c in range(b):
                w -= matrix[a, c] * matrix[b, c]
            if a == b:
                if not w > 1e-280:
                    return False
                matrix[a, a] = math.sqrt(w)
            else:
                matrix[a, b] = w / matrix[b, b]
    return True


@kernel(hot=True)
def _decrement(s):
    """The squared Newton decrement, factor^-1 gradient left in `step`."""
    step, gradient, factor = s.step, s.gradient, s.factor
    decrement = 0.0
    for a in range(step.size):
        w = gradient[a]
        for b in range(a):
            w -= factor[a, b] * step[b]
        step[a] = w / factor[a, a]
        decrement += step[a] * step[a]
    return decrement


@kernel(hot=True)
def _finish_step(s):
    """step = (factor factor^T)^-1 gradient, from what `_decrement` left."""
    step, factor = s.step, s.factor
    d = step.size
    for a in range(d - 1, -1, -1):
        w = step[a]
        for b in range(a + 1, d):
            w -= factor[b, a] * step[b]
        step[a] = w / factor[a, a]


@kernel(hot=True)
def _search_line(sample, s, value, decrement):
    """Halve the step until the exponent falls by a quarter of what it promises; moves the tilt, returns the value."""
    target, tilt, trial, step = s.target, s.tilt, s.trial, s.step
    size, new_value = 1.0, value
    for _ in range(_HALVINGS):
        for a in range(tilt.size):
            trial[a] = tilt[a] - size * step[a]
        new_value = _plus_cumulants(_less_inner_product(0.0, trial, target), sample, trial)
        if new_value <= value - 0.25 * size * decrement + 1e-13 * abs(value):
            break
        size *= 0.5
    tilt[:] = trial
    return new_value


@kernel(inner=True)
def _solve(sample, s):
    """(whether the target lies inside the sums' hull, K(t) - <t, z>), with the tilt t of K'(t) = z and the factor."""
    value = _less_inner_product(_plus_cumulants(0.0, sample, s.tilt), s.tilt, s.target)
    for _ in range(_STEPS):
        _differentiate(sample, s)
        if not _factorise(s.factor):
            return False, value
        decrement = _decrement(s)
        if decrement < 1e-18:
            break
        _finish_step(s)
        value = _search_line(sample, s, value, decrement)
        if value + sample.shape[0] * math.log(2.0) < _FEWER_THAN_ONE:
            return False, value
    return True, value


@kernel(hot=True)
def _second_order(sample, s):
    """(the root's logarithm in (S1), c of (S2)) at the solved tilt."""
    tilt, factor, y, first, third = s.tilt, s.factor, s.whitened, s.first, s.third
    d = tilt.size
    third[:] = 0.0
    first[:] = 0.0
    rho4 = 0.0
    for i in range(sample.shape[0]):
        p = _tilted_probability(_dot(tilt, sample, i))
        v = p * (1.0 - p)
        k3 = v * (1.0 - 2.0 * p)
        square = 0.0
        for a in range(d):
            w = sample[i, a]
            for b in range(a):
                w -= factor[a, b] * y[b]
            y[a] = w / factor[a, a]
            square += y[a] * y[a]
        rho4 += v * (1.0 - 6.0 * v) * square * square
        for a in range(d):
            first[a] += k3 * square * y[a]
            for b in range(d):
                w = k3 * y[a] * y[b]
                for c in range(d):
                    third[a, b, c] += w * y[c]
    correction = rho4 / 8.0
    log_root = 0.5 * d * math.log(2.0 * math.pi)
    for a in range(d):
        log_root += math.log(factor[a, a])
        correction -= first[a] * first[a] / 8.0
        for b in range(d):
            for c in range(d):
                correction -= third[a, b, c] * third[a, b, c] / 12.0
    return log_root, correction


@kernel(hot=True)
def _add_density(total, part, tilt, mean_tilt):
    """log(e^total + e^part); mean_tilt (d,), weighted by the densities, takes in `tilt`."""
    if part > total:
        ratio = math.exp(total - part) if total > -np.inf else 0.0
        for a in range(tilt.size):
            mean_tilt[a] = (mean_tilt[a] * ratio + tilt[a]) / (1.0 + ratio)
        return part + math.log1p(ratio)
    ratio = math.exp(part - total)
    for a in range(tilt.size):
        mean_tilt[a] = (mean_tilt[a] + tilt[a] * ratio) / (1.0 + ratio)
    return total + math.log1p(ratio)


@kernel(inner=True)
def _take_heavy(heavy, subset, target, rest):
    """rest = the target less the sum of the heavy vectors in the subset (bit j: vector j)."""
    for a in range(target.size):
        taken = 0.0
        for j in range(heavy.shape[0]):
            if (subset >> j) & 1:
                taken += heavy[j, a]
        rest[a] = target[a] - taken


@kernel
def small_log_density(sample, heavy, targets, log_density, tilts):
    """Fill log_density (m,) and tilts (m, d) at targets (m, d), by (S1) and (S2); -inf outside the support.

    The vectors `heavy` (h, d) are taken exactly: the density is the mean of 2^h saddlepoint densities of the sum of
    `sample` (n, d) alone, one for each subset of the heavy ones. The tilt returned is minus the gradient of the
    exponent. Time O(m 2^h n d^2) a Newton step, about five of them; memory O(n d + d^3).
    """
    d, h = sample.shape[1], heavy.shape[0]
    s = _Scratch(
        np.zeros(d), np.zeros(d), np.zeros(d), np.zeros(d), np.zeros(d), np.zeros((d, d)),
        np.zeros(d), np.zeros(d), np.zeros((d, d, d)),
    )  # fmt: skip
    for m in range(targets.shape[0]):
        total = -np.inf
        tilts[m] = 0.0
        s.tilt[:] = 0.0
        for subset in range(1 << h):  # each begins at the tilt of the one before
            _take_heavy(heavy, subset, targets[m], s.target)
            inside, value = _solve(sample, s)
            if not inside:
                s.tilt[:] = 0.0
                continue
            log_root, correction = _second_order(sample, s)
            # near the ends of the support the series diverges; there at most half a unit of it is believed
            part = value - log_root + max(correction, -0.5) - h * math.log(2.0)
            total = _add_density(total, part, s.tilt, tilts[m])
        log_density[m] = total


def gaussian_log_density(
    sample: NDArray[np.float64], targets: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """log N(z; sum x_i / 2, sum x_i x_i^T / 4) at targets (m, d), and minus its gradient (m, d); -inf if singular."""
    d = sample.shape[1]
    offset = targets - sample.sum(axis=0) / 2
    try:
        factor = scipy.linalg.cho_factor(sample.T @ sample / 4, lower=True)
    except scipy.linalg.LinAlgError:
        return np.full(len(targets), -np.inf), np.zeros_like(targets)
    tilts = scipy.linalg.cho_solve(factor, offset.T).T
    log_root = 0.5 * d * math.log(2 * math.pi) + float(np.log(np.diag(factor[0])).sum())
    return -0.5 * (tilts * offset).sum(axis=1) - log_root, tilts


def large_log_density(
    sample: NDArray[np.float64], target: NDArray[np.float64], start: NDArray[np.float64] | None = None
) -> tuple[float, NDArray[np.float64], tuple[NDArray[np.float64], bool]]:
    """(S1) and (S2) at one target (d,): log density, tilt, and the Cholesky factor of K''(tilt).

    Newton steps with a factor kept while it contracts: one product of cost n d^2 and a few of cost n d. Memory
    O(n d + d^2). The log density is -inf where the target is outside the sums' convex hull.
    """
    n, d = sample.shape
    t = np.zeros(d) if start is None else start.copy()
    log2 = math.log(2)

    def factor_at(p: NDArray[np.float64]) -> tuple[NDArray[np.float64], bool]:
        weighted = sample * np.sqrt(p * (1 - p))[:, None]
        return scipy.linalg.cho_factor(weighted.T @ weighted, lower=True)

    def value_at(u: NDArray[np.float64], t: NDArray[np.float64]) -> float:
        return float(np.logaddexp(0.0, u).sum() - n * log2 - t @ target)

    failure = -math.inf, np.zeros(d), (np.eye(d), True)
    u = sample @ t
    p = expit(u)
    value, last = value_at(u, t), math.inf
    try:
        factor = factor_at(p)
    except scipy.linalg.LinAlgError:
        return failure
    for _ in range(_STEPS):
        gradient = sample.T @ p - target
        step = scipy.linalg.cho_solve(factor, gradient)
        decrement = float(gradient @ step)
        if decrement < 1e-14:
            break
        size = 1.0
        while size > 1e-12:
            new_u = u - size * (sample @ step)
            new_value = value_at(new_u, t - size * step)
            if new_value <= value - 0.25 * size * decrement + 1e-12 * abs(value):
                break
            size /= 2
        t, u, value = t - size * step, new_u, new_value
        p = expit(u)
        if value + n * log2 < _FEWER_THAN_ONE:
            return failure
        if size < 1 or decrement > 0.05 * last:
            try:
                factor = factor_at(p)
            except scipy.linalg.LinAlgError:
                return failure
            last = math.inf
        else:
            last = decrement
    try:
        factor = factor_at(p)
    except scipy.linalg.LinAlgError:
        return failure
    v = p * (1 - p)
    y = scipy.linalg.solve_triangular(factor[0], sample.T, lower=True).T
    square = (y * y).sum(axis=1)
    k3 = v * (1 - 2 * p)
    correction = float((v * (1 - 6 * v)) @ square**2) / 8 - float((((k3 * square) @ y) ** 2).sum()) / 8
    # |T|^2 for the tensor T = sum_i k3_i y_i (x) y_i (x) y_i: the mean square of T(g, g', g'') over normal g, g', g'',
    # here of 100 of them (relative error sqrt(8 / 100) at most, of a term that is itself small)
    probes = y @ np.random.default_rng(0).standard_normal((d, 3 * _PROBES))
    triple = probes[:, :_PROBES] * probes[:, _PROBES : 2 * _PROBES] * probes[:, 2 * _PROBES :]
    correction -= float(((k3 @ triple) ** 2).mean()) / 12
    log_root = 0.5 * d * math.log(2 * math.pi) + float(np.log(np.diag(factor[0])).sum())
    return value - log_root + correction, t, factor
