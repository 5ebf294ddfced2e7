"""From the intensity of subset sums to P(cover | sample): the expected number of uncovered clumps.

Given the sample, the sums near a target look like a Poisson process of intensity lambda(z) = 2^n f(z). Let
b(z) = lambda(z) (2 eps)^d, the expected number of sums within eps of z in max norm. A target set D is not covered iff
the set of uncovered targets in D has a point that is extreme in a fixed direction u. Such a point has some coordinates,
J, each held by the face of another sum's cube, and is extreme in its slice of D in the others. There is one slice for
each position z_J in the projection D_J of D, hence the expected number of extreme points is

    mu = sum over J of  integral over D_J of  (b(z) / (2 eps))^|J| exp(-b(z)) dz_J,                          (C1)

z = z(z_J) extreme in its slice. J = all coordinates gives lambda b^(d-1) e^(-b), J = none the corner's e^(-b); for a
constant b and a cube of side 2 r, (C1) is e^(-b) (1 + r b / eps)^d. For a Poisson process P(cover) >= 1 - mu holds for
every u, and P(cover) -> exp(-mu) as b grows in fixed dimension. u points to where the intensity is lowest.

The fold: a subset and its complement have sums that add up to T = sum x_i, so uncovered targets come in pairs z,
T - z. A pair inside D is one event: interior points whose mirror image lies in D count 1/2 (C2). Points held by the
boundary lie on the side away from T/2, their mirror images outside D, and count once.

A given sample's sums are not quite Poisson: `relations` says by which factor the b in exp(-b) is to be multiplied.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln, lambertw, logsumexp, ndtri

from rssp.balls import Ball
from rssp.prediction.saddlepoint import (
    SMALL_DIM,
    gaussian_log_density,
    large_log_density,
    small_log_density,
)
from rssp.prediction.wide import wide_coverage

__all__ = ["Conditional", "Density", "conditional_coverage", "log_intensity"]

Density = str
Conditional = Callable[[NDArray[np.float64], NDArray[np.float64]], NDArray[np.float64]]
"""P(cover at eps | sample) as a function of eps and of the factor 1 - rho on b, arrays of one shape (m,)."""

_LINE_NODES = 128  # of the trapezoidal rule from the ball's end to the sums' middle
_MOST = 1e6  # sums in a window beyond which its emptiness is no more than 0
_BRANCH = math.nextafter(math.exp(-1), 0.0)  # the largest float up to 1 / e: scipy's W is nan at minus the next one
_FACE = 0.2  # share of the quadrature points put on either boundary choice of a coordinate


def log_intensity(
    sample: NDArray[np.float64], targets: NDArray[np.float64], density: Density, heavy: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """log(2^n f(z)) at targets (m, d) and minus its gradient (m, d); the `heavy` longest vectors are taken exactly."""
    n, d = sample.shape
    log_total = n * math.log(2)
    if density == "gaussian":
        values, tilts = gaussian_log_density(sample, targets)
        return values + log_total, tilts
    if d > SMALL_DIM:
        solved = [large_log_density(sample, z) for z in targets]
        return np.array([s[0] for s in solved]) + log_total, np.array([s[1] for s in solved])
    h = min(heavy, max(n - d - 1, 0))
    order = np.argsort(-np.linalg.norm(sample, axis=1), kind="stable")
    values, tilts = np.empty(len(targets)), np.empty(targets.shape)
    small_log_density(sample[np.sort(order[h:])], sample[order[:h]], np.ascontiguousarray(targets), values, tilts)
    return values + log_total, tilts


def conditional_coverage(
    sample: NDArray[np.float64], ball: Ball, density: Density, heavy: int, points: NDArray[np.float64]
) -> tuple[Conditional, NDArray[np.float64]]:
    """P(cover at eps | sample) for one sample (n, d), and the tilt (d,) at the target where the intensity is lowest.

    `points` (q, d + 1) are the quadrature points in [0, 1) used.
    """
    if ball.dim == 1:
        return _line(sample, ball, density, heavy)
    if ball.dim <= SMALL_DIM:
        return _small(sample, ball, density, heavy, points)
    return wide_coverage(sample, ball, density)


def _line(
    sample: NDArray[np.float64], ball: Ball, density: Density, heavy: int
) -> tuple[Conditional, NDArray[np.float64]]:
    """One dimension, where the clumps of a Poisson process can be followed exactly from one end to the other.

    Let S(x) = P(no uncovered target before x). A clump begins at x iff a sum lies at x - eps, none in the 2 eps after
    it, and all before x - 2 eps is covered: -S'(x) = lambda e^(-b) S(x - 2 eps), S(start) = 1 - e^(-b). For a slowly
    varying b this decays at the rate theta = -W(-b e^(-b)) / (2 eps), W Lambert's function: (C1)'s lambda e^(-b) at
    large b. Where the middle T/2 of all sums lies inside, the targets run from the end farther from it to T/2, and the
    last sum before T/2 must be within eps of it: a factor lambda e^(theta eps) (1 - e^(-(lambda - theta) eps)) /
    (lambda - theta).
    """
    middle = float(sample.sum()) / 2
    centre = float(ball.centre_vector[0])
    away = -1.0 if middle >= centre else 1.0
    start = centre + away * ball.radius
    folded = abs(middle - centre) < ball.radius
    end = middle if folded else centre - away * ball.radius
    grid = np.linspace(start, end, _LINE_NODES + 1)
    log_lambda, tilts = log_intensity(sample, grid[:, None], density, heavy)
    intensity = np.exp(np.minimum(log_lambda, 700.0))
    slope = np.abs(tilts[:, 0])
    weights = np.full(len(grid), abs(end - start) / _LINE_NODES)
    weights[[0, -1]] /= 2

    def probability(eps: NDArray[np.float64], thinning: NDArray[np.float64]) -> NDArray[np.float64]:
        fill, edge = _window(slope * eps[:, None])
        b = np.minimum(2 * eps[:, None] * intensity * fill, _MOST)
        theta = _clump_rate(b * edge, b * thinning[:, None]) / (2 * eps[:, None])
        b = b * thinning[:, None]
        log_p = np.log(-np.expm1(-np.maximum(b[:, 0], 1e-300))) - theta @ weights
        if folded:
            last = b[:, -1] / (2 * eps)
            rate = np.maximum(last - theta[:, -1], 1e-300)
            with np.errstate(divide="ignore"):
                log_p += np.log(last * -np.expm1(-rate * eps) / rate) + theta[:, -1] * eps
        return np.exp(np.minimum(log_p, 0.0))

    return probability, tilts[0]


def _window(u: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(mean, thin): what an intensity proportional to exp(t z) is over a window [z - eps, z + eps], for u = |t| eps.

    mean : its mean over the window, sinh(u) / u times its value in the middle; thin : its value at the end of the
    window where it is lowest, e^(-u) times the middle, as a part of that mean. For u = 1: 1.175 and 0.313.
    """
    u = np.clip(u, 1e-8, 50.0)
    fill = np.sinh(u) / u
    return fill, np.exp(-u) / fill


def _clump_rate(b: NDArray[np.float64], exponent: NDArray[np.float64]) -> NDArray[np.float64]:
    """How many clumps of uncovered targets begin in a window of length 2 eps, arrays of one shape.

    b sums are expected in the window, and none of them with probability exp(-exponent): to leading order there are b
    exp(-exponent) clumps. As no clump begins within 2 eps of another, theta solves theta = b exp(theta - exponent),
    that is theta = -W(-b exp(-exponent)) with Lambert's function W. Where exponent <= 1 hardly a target is covered and
    theta is b. Example: b = exponent = 3 gives 0.179, and 3 e^-3 = 0.149 to leading order.
    """
    rate = b * np.exp(-exponent)
    # a rate above 1 / e covers nothing: from there on in proportion to it, which joins without a step
    theta = -lambertw(-np.minimum(rate, _BRANCH), 0).real * np.maximum(rate / _BRANCH, 1.0)
    return np.where(exponent > 1, theta, b)


def _small(
    sample: NDArray[np.float64], ball: Ball, density: Density, heavy: int, points: NDArray[np.float64]
) -> tuple[Conditional, NDArray[np.float64]]:
    """(C1) with the fold (C2) by quasi-random points, each on one J; the intensity is solved at each of them."""
    d, centre, radius = ball.dim, ball.centre_vector, ball.radius
    middle = sample.sum(axis=0) / 2
    away = np.where(middle >= centre, -1.0, 1.0)
    if ball.norm != math.inf:
        _, tilt = log_intensity(sample, centre[None], density, heavy)
        away = np.where(tilt[0] == 0, away, tilt[0])
    free = points[:, :d] >= _FACE
    unit = np.where(free, (points[:, :d] - _FACE) / (1 - _FACE), 0.5)
    z, log_size = _slice_points(ball.norm, free, unit, points[:, d], away)
    corner = np.zeros((1, d), dtype=bool)
    corner_z, _ = _slice_points(ball.norm, corner, np.full((1, d), 0.5), np.array([0.5]), away)
    targets = centre + radius * np.concatenate([corner_z, z])
    log_lambda, tilts = log_intensity(sample, targets, density, heavy)
    k = free.sum(axis=1)
    inside = (k == d) & ball.contains(2 * middle - targets[1:])
    log_weight = log_size + k * math.log(radius) - np.where(inside, math.log(2), 0.0)
    log_weight -= k * math.log(1 - _FACE) + (d - k) * math.log(_FACE) + math.log(len(points))
    log_weight[k == 0] = -math.inf  # the corner is added exactly

    def probability(eps: NDArray[np.float64], thinning: NDArray[np.float64]) -> NDArray[np.float64]:
        log_side = np.log(2 * eps)[:, None]
        fill, edge = _window(np.abs(tilts) * eps[:, None, None])
        log_b = np.minimum(log_lambda + d * log_side + np.log(fill).sum(axis=2), math.log(_MOST))
        b = np.exp(log_b) * thinning[:, None]
        held = np.where(free, np.log(edge[:, 1:]), 0.0).sum(axis=2)
        with np.errstate(invalid="ignore"):
            terms = log_weight + np.where(k == 0, 0.0, k * (log_b[:, 1:] - log_side) + held) - b[:, 1:]
        mu = np.exp(np.minimum(logsumexp(terms, axis=1), 700.0))
        return -np.expm1(-np.maximum(b[:, 0], 1e-300)) * np.exp(-mu)

    return probability, tilts[0]


def _slice_points(
    norm: float,
    free: NDArray[np.bool_],
    unit: NDArray[np.float64],
    extra: NDArray[np.float64],
    away: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Points of the unit ball, uniform in its projection on their free coordinates and extreme along `away` in the
    others, with the log volumes of those projections."""
    k = free.sum(axis=1)
    if norm == math.inf:
        return np.where(free, 2 * unit - 1, np.sign(away)), k * math.log(2)
    if norm == 2:
        normal = np.where(free, ndtri(np.clip(unit, 1e-12, 1 - 1e-12)), 0.0)
        length = np.sqrt((normal**2).sum(axis=1))
        z = normal / np.maximum(length, 1e-300)[:, None] * (extra ** (1 / np.maximum(k, 1)))[:, None]
        rest = np.sqrt(np.maximum(1 - (z**2).sum(axis=1), 0.0))
        direction = np.where(free, 0.0, away)
        size = np.maximum(np.sqrt((direction**2).sum(axis=1)), 1e-300)
        return z + direction * (rest / size)[:, None], k / 2 * math.log(math.pi) - gammaln(k / 2 + 1)
    sign = np.where(unit < 0.5, -1.0, 1.0)
    exponential = np.where(free, -np.log(np.clip(np.abs(2 * unit - 1), 1e-15, 1.0)), 0.0)
    slack = -np.log(np.clip(1 - extra, 1e-15, 1.0))
    z = sign * exponential / (exponential.sum(axis=1) + slack)[:, None]
    rest = 1 - np.abs(z).sum(axis=1)
    best = np.argmax(np.where(free, -1.0, np.abs(away)), axis=1)
    rows = np.arange(len(z))
    held = k < free.shape[1]
    z[rows[held], best[held]] = (np.sign(away)[best] * rest)[held]
    return z, k * math.log(2) - gammaln(k + 1)
