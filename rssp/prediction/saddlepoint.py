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

import numpy as np
import scipy.linalg
from numpy.typing import NDArray
from scipy.special import expit

from rssp._jit import kernel

__all__ = ["SMALL_DIM", "gaussian_log_density", "large_log_density", "small_log_density"]

SMALL_DIM = 6
"""Up to this dimension targets are solved one by one in a compiled loop; above it, with matrix products."""

_FEWER_THAN_ONE = -5.0  # log of the Chernoff bound on the number of sums beyond the target: below 0 there is none
_STEPS = 100
_PROBES = 100


@kernel
def small_log_density(sample, heavy, targets, log_density, tilts):  # type: ignore[no-untyped-def]
    """Fill log_density (m,) and tilts (m, d) at targets (m, d), by (S1) and (S2); -inf outside the support.

    The vectors `heavy` (h, d) are taken exactly: the density is the mean of 2^h saddlepoint densities of the sum of
    `sample` (n, d) alone, one for each subset of the heavy ones. The tilt returned is minus the gradient of the
    exponent. Time O(m 2^h n d^2) a Newton step, about five of them; memory O(n d + d^3).
    """
    n, d = sample.shape
    h = heavy.shape[0]
    t = np.zeros(d)
    new_t = np.zeros(d)
    step = np.zeros(d)
    gradient = np.zeros(d)
    hessian = np.zeros((d, d))
    y = np.zeros(d)
    third = np.zeros((d, d, d))
    first = np.zeros(d)
    shift = np.zeros(d)
    z = np.zeros(d)
    log2 = math.log(2.0)
    for m in range(targets.shape[0]):
        total = -np.inf
        for a in range(d):
            tilts[m, a] = 0.0
        t[:] = 0.0
        for s in range(1 << h):
            shift[:] = 0.0
            for j in range(h):
                if (s >> j) & 1:
                    for a in range(d):
                        shift[a] += heavy[j, a]
            for a in range(d):
                z[a] = targets[m, a] - shift[a]
            outside = False
            value = 0.0
            for i in range(n):
                u = 0.0
                for a in range(d):
                    u += t[a] * sample[i, a]
                value += max(u, 0.0) + math.log1p(math.exp(-abs(u))) - log2
            for a in range(d):
                value -= t[a] * z[a]
            for _ in range(_STEPS):
                gradient[:] = -z
                hessian[:] = 0.0
                for i in range(n):
                    u = 0.0
                    for a in range(d):
                        u += t[a] * sample[i, a]
                    p = 1.0 / (1.0 + math.exp(-u)) if u > -700.0 else 0.0
                    v = p * (1.0 - p)
                    for a in range(d):
                        gradient[a] += p * sample[i, a]
                        w = v * sample[i, a]
                        for b in range(a + 1):
                            hessian[a, b] += w * sample[i, b]
                # lower Cholesky factor in place; a pivot that vanishes means the tilt runs off to infinity
                for a in range(d):
                    for b in range(a + 1):
                        w = hessian[a, b]
                        for c in range(b):
                            w -= hessian[a, c] * hessian[b, c]
                        if a == b:
                            if not w > 1e-280:
                                outside = True
                                w = 1.0
                            hessian[a, a] = math.sqrt(w)
                        else:
                            hessian[a, b] = w / hessian[b, b]
                if outside:
                    break
                decrement = 0.0
                for a in range(d):
                    w = gradient[a]
                    for b in range(a):
                        w -= hessian[a, b] * step[b]
                    step[a] = w / hessian[a, a]
                    decrement += step[a] * step[a]
                if decrement < 1e-18:
                    break
                for a in range(d - 1, -1, -1):
                    w = step[a]
                    for b in range(a + 1, d):
                        w -= hessian[b, a] * step[b]
                    step[a] = w / hessian[a, a]
                size = 1.0
                for _ in range(60):
                    new_value = 0.0
                    for a in range(d):
                        new_t[a] = t[a] - size * step[a]
                        new_value -= new_t[a] * z[a]
                    for i in range(n):
                        u = 0.0
                        for a in range(d):
                            u += new_t[a] * sample[i, a]
                        new_value += max(u, 0.0) + math.log1p(math.exp(-abs(u))) - log2
                    if new_value <= value - 0.25 * size * decrement + 1e-13 * abs(value):
                        break
                    size *= 0.5
                t[:] = new_t
                value = new_value
                if value + n * log2 < _FEWER_THAN_ONE:
                    outside = True
                    break
            if outside:
                t[:] = 0.0
                continue
            third[:] = 0.0
            first[:] = 0.0
            rho4 = 0.0
            for i in range(n):
                u = 0.0
                for a in range(d):
                    u += t[a] * sample[i, a]
                p = 1.0 / (1.0 + math.exp(-u)) if u > -700.0 else 0.0
                v = p * (1.0 - p)
                k3 = v * (1.0 - 2.0 * p)
                square = 0.0
                for a in range(d):
                    w = sample[i, a]
                    for b in range(a):
                        w -= hessian[a, b] * y[b]
                    y[a] = w / hessian[a, a]
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
                log_root += math.log(hessian[a, a])
                correction -= first[a] * first[a] / 8.0
                for b in range(d):
                    for c in range(d):
                        correction -= third[a, b, c] * third[a, b, c] / 12.0
            # near the ends of the support the series diverges; there at most half a unit of it is believed
            part = value - log_root + max(correction, -0.5) - h * log2
            if part > total:
                ratio = math.exp(total - part) if total > -np.inf else 0.0
                total = part + math.log1p(ratio)
                for a in range(d):
                    tilts[m, a] = (tilts[m, a] * ratio + t[a]) / (1.0 + ratio)
            else:
                ratio = math.exp(part - total)
                total += math.log1p(ratio)
                for a in range(d):
                    tilts[m, a] = (tilts[m, a] + t[a] * ratio) / (1.0 + ratio)
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
