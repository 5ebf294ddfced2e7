"""Near-coincidences among subset sums: what makes a given sample's sums differ from a Poisson process.

Disjoint index sets A, B with r = |A| + |B| >= 1 and sum_A x - sum_B x = delta small make pairs of sums that lie delta
apart, all over the place; near z a sum belongs to such a pair with probability prod s_i q, where
s_i = sqrt(p_i (1 - p_i)) = sech(<t, x_i> / 2) / 2 at the tilt t of z (1/2 in the middle) and q = f_rest(z) / f(z)
compares the density of the other vectors' sums with that of all. Where delta is within 2 eps in every coordinate, the
pair fills a window of side 2 eps less well than two independent sums do. For one relation b falls by the factor
1 - rho, for many by about exp(-rho),

    rho = sum over relations of prod s_i q prod_j (1 - |delta_j| / (2 eps))^+  -  its mean over samples.         (R1)

A single vector shorter than the window (r = 1, overlap o) merges sums two by two whatever else merges: it enters as the
factor 1 - s_i o exactly, and the longer relations count it with s_i (1 - o), as those with it repeat those without.
The mean is part of the Poisson process already, whose points come in pairs too. Relations of many vectors are many and
weak: to rho they add a nearly normal term of mean 0, slightly skewed, and variance

    (4 eps / 3)^d / 2 sum over sets of prod 2 s_i^2 g(0) q^2,                                                    (R2)

g(0) the density at 0 of a random signed sum of the set. In the middle, with q and g normal of covariance in proportion
to r, the sum over all relations gives Var(b rho) = b^3 (3/4)^n (sqrt(3)/2)^d / 2: it vanishes exponentially in n, but
is of order 1 at n = 20 in one dimension and later in more. The same relations serve all targets: rho is one number a
sample. It widens the law of the covering radius: at eps where P(cover) is small it is the samples of small rho that
cover, and a Poisson process alone predicts too little there.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from rssp._jit import kernel

__all__ = ["relation_excess", "relation_limit"]

_RELATIONS = 40_000  # gone through one by one; each costs O(dim) additions
_SETS = 48  # random sets in (R2): its relative error is about 1 / sqrt(48), of a term that is itself a correction
_MANY = 150  # vectors from which (R2) is below 1e-6 at any b up to 1e4


def relation_limit(n: int) -> int:
    """The largest r for which all relations of up to r of n vectors are gone through one by one (0 for huge n)."""
    count, limit = 0, 0
    for r in range(1, n + 1):
        count += math.comb(n, r) * 2 ** (r - 1)
        if count > _RELATIONS:
            break
        limit = r
    return limit


@kernel
def _sum_relations(sample, root, limit, widths, totals):
    """Add prod root_i prod_j (1 - |delta_j| / width)^+ to totals (limit, m), for every relation of r >= 2 vectors.

    root (m, n) and widths (m,) belong together. Signed sets are gone through depth first, the first sign fixed. Time
    O(d) a relation and O(m (d + r)) for one short enough to count.
    """
    n, d = sample.shape
    widest = widths.max()
    index = np.zeros(limit, dtype=np.int64)
    sign = np.ones(limit, dtype=np.int64)
    partial = np.zeros((limit + 1, d))
    depth = 0
    while depth >= 0:
        i = index[depth]
        if i >= n:
            depth -= 1
        else:
            near = depth > 0
            for a in range(d):
                partial[depth + 1, a] = partial[depth, a] + sign[depth] * sample[i, a]
                near = near and abs(partial[depth + 1, a]) < widest
            if near:
                for e in range(widths.size):
                    overlap = 1.0
                    for a in range(d):
                        overlap *= max(0.0, 1.0 - abs(partial[depth + 1, a]) / widths[e])
                    if overlap > 0.0:
                        for j in range(depth + 1):
                            overlap *= root[e, index[j]]
                        totals[depth, e] += overlap
            if depth + 1 < limit:
                depth += 1
                index[depth] = i + 1
                sign[depth] = 1
                continue
        if depth < 0:
            break
        if sign[depth] == 1 and depth > 0 and index[depth] < n:
            sign[depth] = -1
        else:
            sign[depth] = 1
            index[depth] += 1


def _log_det(vectors: NDArray[np.float64]) -> float:
    return float(np.linalg.slogdet(vectors.T @ vectors)[1])


def relation_excess(
    sample: NDArray[np.float64], tilt: NDArray[np.float64], eps: NDArray[np.float64], rng: np.random.Generator
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """(R1) for relations of few vectors; standard deviation (R2) and skewness of the rest; at each eps, one tilt (d,).

    The mean in (R1) and the densities in (R2) are normal ones, (R2) from random sets of vectors of this sample. A set's
    third cumulant is its variance times prod s_i q (3 / 4)^d.
    """
    n, d = sample.shape
    if n > _MANY:
        return np.zeros(len(eps)), np.zeros(len(eps)), np.zeros(len(eps))
    limit = min(relation_limit(n), n - 1)
    width = 2 * eps
    log_width = np.log(width)
    root = 0.5 / np.cosh(np.minimum(np.abs(sample @ tilt) / 2, 300.0))
    log_unit = -0.5 * d * math.log(2 * math.pi)
    log_det_all = _log_det(sample * root[:, None])
    # a vector shorter than the window merges sums two by two, whatever else merges: 1 - 1/2, not e^(-1/2)
    overlap = np.maximum(1 - np.abs(sample)[None] / width[:, None, None], 0.0).prod(axis=2)
    excess = -np.log1p(-root * overlap).sum(axis=1)
    apart = root * (1 - overlap)
    if limit > 1:
        totals = np.zeros((limit, len(eps)))
        _sum_relations(sample, apart, limit, width, totals)
        r = np.arange(1, limit + 1)
        q = (n / (n - r)) ** (d / 2)
        elementary = np.zeros((limit + 1, len(eps)))  # e_r(2 s_1, ..., 2 s_n): twice the sets, one a sign pattern
        elementary[0] = 1.0
        single = 2 * root.sum()
        for value in 2 * apart.T:
            elementary[1:] += value * elementary[:-1]
        # sets with these weights have r times the weighted covariance
        log_g = [log_unit - 0.5 * _log_det(sample * np.sqrt(row / row.sum())[:, None]) for row in apart]
        mean = 0.5 * elementary[1:] * r[:, None] ** (-d / 2) * np.exp(np.minimum(log_g + d * log_width, 50.0))
        mean[0] *= single / elementary[1]
        excess += q @ (totals - mean)
    # a random set takes vector i with probability 2 s_i^2 / (1 + 2 s_i^2), in proportion to its weight in (R2)
    odds = 2 * root**2
    chosen = rng.random((_SETS, n)) < odds / (1 + odds)
    log_variance = np.full(_SETS, -math.inf)
    log_weight = chosen @ np.log(root) + d * math.log(0.75)
    for j, row in enumerate(chosen):
        if max(limit, d) < row.sum() < n - d:
            log_q2 = log_det_all - _log_det(sample[~row] * root[~row, None])
            log_variance[j] = -0.5 * _log_det(sample[row]) + log_q2
            log_weight[j] += 0.5 * log_q2
    log_apart = np.log(np.maximum(1 - overlap, 1e-100)) @ chosen.T
    log_scale = float(np.log1p(odds).sum()) + log_unit + d * (log_width + math.log(2 / 3)) - math.log(2)
    log_second = np.minimum(log_variance + 2 * log_apart + log_scale[:, None], 50.0)
    variance = np.exp(log_second).mean(axis=1)
    third = np.exp(np.minimum(log_second + log_weight + log_apart, 50.0)).mean(axis=1)
    return excess, np.sqrt(variance), third / np.maximum(variance, 1e-100) ** 1.5
