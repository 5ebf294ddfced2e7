"""The integral (C1) of `clumps` in high dimension, in closed form around the targets that dominate it.

There exp(-b) falls so fast away from the thinnest targets that log lambda is well described by its expansion, and the
integrand is nearly a product of exponentials. With b0, t at a reference target z0 and theta = (b0 - d) t,

    log mu = -b0 + log Z(theta) - <theta, z0 - c> - b0 / 2 sum_j (t_j^2 - (K''^-1)_jj) Var z_j,                     (W1)

Z the integral of (b0 / (2 eps))^|J| exp(<theta, z - c>) over the ball with its faces, and z0 the mean of z under it, so
that the error is of second order. c is the ball's centre. Z is a product for the cube, a Bessel function for the 2-norm
(its uniform expansion, relative error about 1 / (6 d)), and for the 1-norm the inverse Laplace transform of
prod_j 2 s / (s^2 - theta_j^2) / s, by its saddlepoint (a few per cent). The last two leave out the boundary's
terms, smaller by a factor 2 eps |t|.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import scipy.linalg
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import expit

from rssp.balls import Ball
from rssp.prediction.saddlepoint import large_log_density

__all__ = ["wide_coverage"]

Floats = NDArray[np.float64]
_ROUNDS = 12  # each leaves 0.3 of the way to the fixed point z0 = mean: 5e-7 of it after all
_MOST = 1e12  # sums in a window beyond which its emptiness is no more than 0


def wide_coverage(sample: Floats, ball: Ball, density: str) -> tuple[Callable[[Floats, Floats], Floats], Floats]:
    """P(cover | sample) as a function of eps and the factor on b, and the tilt at the ball's thinnest corner.

    Time O(n d^2 + d^3) once, then O(d^2) an eps; memory O(n d).
    """
    n, d = sample.shape
    middle, centre = sample.sum(axis=0) / 2, ball.centre_vector
    if ball.norm == math.inf:
        start = centre + ball.radius * np.where(middle >= centre, -1.0, 1.0)
    else:
        start = centre
    if density == "gaussian":
        factor = scipy.linalg.cho_factor(sample.T @ sample / 4, lower=True)
        tilt = scipy.linalg.cho_solve(factor, start - middle)
        log_density = -0.5 * float(tilt @ (start - middle)) - 0.5 * d * math.log(2 * math.pi)
        log_density -= float(np.log(np.diag(factor[0])).sum())
    else:
        log_density, tilt, factor = large_log_density(sample, start)
    log_start = log_density + n * math.log(2)
    inverse = scipy.linalg.cho_solve(factor, np.eye(d))
    curvature = np.diag(inverse)

    def log_b(z: Floats, log_side: float) -> tuple[float, Floats]:
        """log b and the tilt at z, by the expansion of log lambda to second order."""
        step = z - start
        bent = inverse @ step
        return log_start + d * log_side - float(tilt @ step) - 0.5 * float(step @ bent), tilt + bent

    def one(eps: float, thinning: float) -> float:
        log_side = math.log(2 * eps)
        z0, log_mu = start, 0.0
        if not math.isfinite(log_start):
            return 0.0
        thinnest, _ = log_b(start, log_side)
        value = thinnest
        for _ in range(_ROUNDS):
            value, t = log_b(z0, log_side)
            b = math.exp(min(value, math.log(_MOST))) * thinning
            theta = (b - d) * t if b > 2 * d else b / 2 * t
            log_z, mean, variance = _moments(theta, ball, value - log_side)
            log_mu = -b + log_z - float(theta @ (z0 - centre)) - b / 2 * float((t * t - curvature) @ variance)
            z0 = z0 + 0.7 * (centre + mean - z0)
        if bool(ball.contains((2 * middle - z0)[None])[0]):
            log_mu -= math.log(2)
        # where b is small, the thinnest target alone decides
        corner = -math.expm1(-math.exp(min(thinnest if ball.norm == math.inf else value, 700.0)))
        return corner * math.exp(-math.exp(min(log_mu, 700.0)))

    def probability(eps: Floats, thinning: Floats) -> Floats:
        return np.array([one(e, f) for e, f in zip(eps.tolist(), thinning.tolist(), strict=True)])

    return probability, tilt


def _moments(theta: Floats, ball: Ball, log_rate: float) -> tuple[float, Floats, Floats]:
    """log Z(theta), and mean and variance of each coordinate, about the centre; log_rate = log(b / (2 eps))."""
    d, r = ball.dim, ball.radius
    if ball.norm == 2:
        nu, x = d / 2, r * float(np.linalg.norm(theta))
        s = math.hypot(nu, x)
        log_z = nu * math.log(2 * math.pi * r * r) + s - nu * math.log(nu + s) - 0.5 * math.log(2 * math.pi * s)
        return d * log_rate + log_z, r * r * theta / (nu + s), np.full(d, r * r / (nu + s))
    if ball.norm == 1:
        return _cross_polytope(theta, r, log_rate)
    # x = distance from the thin face: weight 1 on the face itself, rate e^(-a x) on [0, side]
    side, a = 2 * r, np.maximum(np.abs(theta), 1e-7 / r)
    u = np.minimum(a * side, 700.0)
    log_inner = log_rate + np.log(-np.expm1(-u) / a)
    share = expit(log_inner)
    inner_mean = 1 / a - side / np.expm1(u)
    inner_square = inner_mean**2 + np.maximum(1 / a**2 - side**2 / (4 * np.sinh(u / 2) ** 2), 0.0)
    distance = share * inner_mean
    sign = np.where(theta >= 0, 1.0, -1.0)
    log_z = float(np.logaddexp(0.0, log_inner).sum() + np.abs(theta).sum() * r)
    return log_z, sign * (r - distance), share * inner_square - distance**2


def _cross_polytope(theta: Floats, r: float, log_rate: float) -> tuple[float, Floats, Floats]:
    """log of the integral of exp(<theta, z>) over |z|_1 <= r, times the rate to the power d, and the moments of z."""
    d, size = len(theta), np.abs(theta)
    top = float(size.max())

    def slope(excess: float) -> float:
        s = top + excess
        return r + (d - 1) / s - float((1 / (excess + (top - size)) + 1 / (s + size)).sum())

    excess = float(brentq(slope, 0.5 / r, 4 * (d + 1) / r, xtol=1e-10 / r, rtol=1e-10))
    s = top + excess
    gap = (excess + (top - size)) * (s + size)
    log_z = s * r + (d - 1) * math.log(s) + d * math.log(2) - float(np.log(gap).sum())
    second = (1 - d) / s**2 + float((2 * (s * s + theta**2) / gap**2).sum())
    log_z -= 0.5 * math.log(2 * math.pi * second)
    return d * log_rate + log_z, 2 * theta / gap, 2 * (s * s + theta**2) / gap**2
