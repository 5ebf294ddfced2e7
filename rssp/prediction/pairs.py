"""Probabilities that two k-subsets with i vectors in common both hit a target, for three laws; all in logarithms.

p = P(|sum_S - z|_inf <= eps), p_i = P(S and S' both hit), |S| = |S'| = k, |S n S'| = i; p_0 = p^2, p_k = p.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import BSpline
from scipy.special import log_ndtr, logsumexp

from rssp._jit import kernel

__all__ = ["normal_pairs", "scaled_normal_pairs", "uniform_pairs"]

Floats = NDArray[np.float64]
# of Gauss-Legendre an axis: normal pairs by 8 and by 16 agree with 64 within 5e-14 for k = 3 to 40, eps = 0.01 to 3,
# d = 1 and 4; measure again when an integrand changes
_NODES = 16
_NARROW = 1e-3  # (eps / the sums' least standard deviation)^2, below which the density's curvature is enough: the next
# term of the expansion is the square of this


def _log_interval(z: Floats, eps: float, std: Floats) -> Floats:
    """log P(|N(0, std^2) - z| <= eps), without cancellation in the tails."""
    z = np.abs(z)
    upper, lower = (z + eps) / std, (z - eps) / std
    # the mass between lower and upper, from the right where lower > 0
    far, near = log_ndtr(-np.where(lower > 0, lower, -upper)), log_ndtr(-np.where(lower > 0, upper, -lower))
    return far + np.log(-np.expm1(np.minimum(near - far, -1e-300)))


def normal_pairs(k: int, eps: float, z: Floats) -> tuple[float, Floats]:
    """log p and log p_i, i = 0..k, for N(0, I) vectors and the target z (d,).

    p_i is a product of bivariate normal rectangles with variances k and covariance i: Gauss-Legendre in both sums.
    """
    values, counts = np.unique(np.abs(z), return_counts=True)
    log_p = float(counts @ _log_interval(values, eps, np.array(math.sqrt(k))))
    x, w = np.polynomial.legendre.leggauss(_NODES + 8 * math.ceil(min(eps, 20.0)))
    log_w = np.log(w)[:, None] + np.log(w)[None, :]
    joint = np.empty(k + 1)
    joint[0], joint[k] = 2 * log_p, log_p
    for i in range(1, k):
        spread = float(k * k - i * i)
        total = 0.0
        for value, count in zip(values, counts, strict=True):
            a, b = value + eps * x[:, None], value + eps * x[None, :]
            exponent = -(k * (a * a + b * b) - 2 * i * a * b) / (2 * spread)
            total += count * (float(logsumexp(exponent + log_w)) + 2 * math.log(eps))
        joint[i] = total - len(z) * (math.log(2 * math.pi) + 0.5 * math.log(spread))
    return log_p, joint


def uniform_pairs(k: int, eps: float, z: float) -> tuple[float, Floats]:
    """log p and log p_i for numbers uniform on [-1, 1]: sums have B-splines as densities, piecewise polynomials.

    p_i = integral f_i(y) [F_(k-i)(z - y + eps) - F_(k-i)(z - y - eps)]^2 dy, by Gauss-Legendre between all knots.
    """

    def density(m: int) -> BSpline:
        return BSpline.basis_element(np.arange(-m, m + 1.0, 2.0), extrapolate=False)

    def between(m: int, centre: Floats) -> Floats:
        if m == 0:
            return (np.abs(centre) <= eps).astype(float)
        cumulative = density(m).antiderivative()
        low, high = np.clip(centre - eps, -m, m), np.clip(centre + eps, -m, m)
        # B_m integrates to 2 over its support, m intervals of length 2 and a total weight of 2 / m a basis element
        return (cumulative(high) - cumulative(low)) / (cumulative(float(m)) - cumulative(float(-m)))

    p = float(between(k, np.array([z]))[0])
    x, w = np.polynomial.legendre.leggauss(k + 1)
    joint = np.full(k + 1, -math.inf)
    with np.errstate(divide="ignore"):
        log_p = float(np.log(p))
        joint[0], joint[k] = 2 * log_p, log_p
        for i in range(1, k):
            ends = np.arange(-(k - i), k - i + 1.0, 2.0)
            cuts = np.unique(
                np.clip(np.concatenate([np.arange(-i, i + 1.0, 2.0), z - eps - ends, z + eps - ends]), -i, i)
            )
            half = np.diff(cuts)[:, None] / 2
            y = (cuts[:-1, None] + half + half * x).ravel()
            spline = density(i)
            scale = spline.antiderivative()
            mass = float(scale(float(i)) - scale(float(-i)))
            joint[i] = np.log(
                float((half * w).ravel() @ (np.nan_to_num(spline(y)) / mass * between(k - i, z - y) ** 2))
            )
    return log_p, joint


def scaled_normal_pairs(k: int, eps: float, z: Floats) -> tuple[float, Floats]:
    """log p and log p_i for normally-scaled normal vectors and the target z (d,).

    Given the scalars the sums are normal: p_i is the mean, over independent chi-square V_I with i degrees of freedom
    and V_A, V_B with k - i, of a product of bivariate normal rectangles with variances V_I + V_A, V_I + V_B and
    covariance V_I. The mean is taken by the trapezoidal rule on a grid in the three logarithms, where the integrand is
    a smooth bell and the rule converges exponentially. The heavy tail at small V moves the bell when d is large: the
    grid then reaches down to V ~ eps^2. Relative error: 1e-5, and up to 3e-3 for the few i next to k (by halving the
    step).
    """
    d = len(z)
    values, counts = np.unique(np.abs(z), return_counts=True)
    s = _grid(k, d, eps, 400)
    terms = _log_weight(s, k) + sum(
        c * _log_interval(v, eps, np.exp(s / 2)) for v, c in zip(values, counts, strict=True)
    )
    log_p = float(logsumexp(terms))
    window = _Window(values, counts.astype(np.float64), eps, *np.polynomial.legendre.leggauss(_NODES))
    joint = np.empty(k + 1)
    joint[0], joint[k] = 2 * log_p, log_p
    for i in range(1, k):
        own = _grid(k - i, d, eps, 40 if k - i > d + 4 else 72)
        joint[i] = _log_mean_rectangle(_squares(_grid(i, d, eps, 40), i), _squares(own, k - i), window)
    return log_p, joint


def _grid(dof: int, d: int, eps: float, size: int) -> Floats:
    """log V over the range that matters for a chi-square V weighted by up to V^(-d / 2), V >~ eps^2."""
    tilted = dof - d
    if tilted > 4:
        low = math.log(tilted) - 7 * math.sqrt(2 / tilted)
    else:
        low = min(2 * math.log(eps) - 5, math.log(dof) - 28 / dof)
    return np.linspace(low, math.log(dof) + 7 * math.sqrt(2 / (dof + 4)) + 1 / dof, size)


def _log_weight(s: Floats, dof: int) -> Floats:
    """log of the chi-square density of V = e^s in s, times the grid's step."""
    return dof / 2 * (s - math.log(2)) - np.exp(s) / 2 - math.lgamma(dof / 2) + math.log(s[1] - s[0])


class _Squares(NamedTuple):
    """A chi-square variable on a grid: its values (m,), and the logarithms of their probabilities."""

    value: Floats
    log_weight: Floats


def _squares(s: Floats, dof: int) -> _Squares:
    return _Squares(np.exp(s), _log_weight(s, dof))


class _Window(NamedTuple):
    """The cube about the target: |z_j| without repetition and how often each occurs, eps, Gauss-Legendre nodes."""

    distance: Floats
    often: Floats
    eps: float
    node: Floats
    weight: Floats


@kernel(hot=True)
def _normal_mass(lower, upper):
    """Twice the mass of N(0, 1/2) between lower and upper, from the side without cancellation."""
    if lower > 0.0:
        return math.erfc(lower) - math.erfc(upper)
    if upper < 0.0:
        return math.erfc(-upper) - math.erfc(-lower)
    return math.erf(upper) - math.erf(lower)


@kernel(hot=True)
def _rectangle(z, first, slope, width, window):
    """P(both sums within eps of z): the first, of variance `first`, by its nodes, the second by its conditional law.

    Given the first sum y, the second is normal of mean slope y and standard deviation width / sqrt(2).
    """
    eps = window.eps
    low, high = max(z - eps, -8.0 * math.sqrt(first)), min(z + eps, 8.0 * math.sqrt(first))
    if low >= high:
        low, high = z - eps, z - eps + min(eps, 8.0 * math.sqrt(first))
    half = 0.5 * (high - low)
    part = 0.0
    for q in range(window.node.size):
        y = low + half * (1.0 + window.node[q])
        mean = slope * y
        mass = _normal_mass((z - eps - mean) / width, (z + eps - mean) / width)
        part += window.weight[q] * math.exp(-0.5 * y * y / first) * 0.5 * mass
    return part * (half / math.sqrt(2.0 * math.pi * first))


@kernel(hot=True)
def _plus_log_rectangles(value, va, vb, vi, det, log_area, window):
    """value + the log probability that both sums are in the window, given the three chi-square variables."""
    eps = window.eps
    first = vi + va
    slope = vi / first
    width = math.sqrt(det / first) * math.sqrt(2.0)
    # P = inverse covariance: a window narrow against it sees the density at z and its curvature
    trace = (first + vb + vi) / det
    narrow = eps * eps * trace < _NARROW
    for m in range(window.distance.size):
        z = window.distance[m]
        if narrow:
            pull = (va * va + vb * vb) * z * z / (det * det)
            shape = (pull - trace) * eps * eps / 6.0
            centre = -0.5 * z * z * (va + vb) / det
            value += window.often[m] * (log_area - 0.5 * math.log(det) + centre + math.log1p(shape))
        else:
            part = _rectangle(z, first, slope, width, window)
            value += window.often[m] * math.log(part) if part > 0.0 else -1e300
    return value


@kernel
def _log_mean_rectangle(common, own, window):
    """log of the mean over (V_I, V_A, V_B) of the product over coordinates of the rectangle's probability.

    Time O(|common| |own|^2 |distance| |node|), less the terms whose bound by the density's maximum is e^-40 of the
    largest.
    """
    d = window.often.sum()
    log_area = math.log(2.0 * window.eps * window.eps / math.pi)
    best = -np.inf
    total = 0.0
    for ai in range(own.value.size):
        for bi in range(ai + 1):
            double = math.log(2.0) if bi < ai else 0.0
            for ci in range(common.value.size):
                log_w = common.log_weight[ci] + own.log_weight[ai] + own.log_weight[bi] + double
                va, vb, vi = own.value[ai], own.value[bi], common.value[ci]
                det = va * vb + vi * (va + vb)
                if log_w + d * min(0.0, log_area - 0.5 * math.log(det)) < best - 40.0:
                    continue
                value = _plus_log_rectangles(log_w, va, vb, vi, det, log_area, window)
                if value > best:
                    total = total * math.exp(best - value) + 1.0
                    best = value
                else:
                    total += math.exp(value - best)
    return best + math.log(total)
