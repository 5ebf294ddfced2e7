"""Proved sample sizes in d dimensions: a cube of targets, the error in the max norm.

**Restricted** (V1): targets I = [-a, a]^d, vectors with density at least rho on [-2 a, 2 a]^d: the covered part grows
by c v (1 - v) in the mean, c = (2 a)^d rho, so that `restricted` applies. c falls geometrically with d. Sums of b
vectors are vectors of the same kind with a wider density: b may be chosen.

**Moments** (V2, normal vectors): r groups of n vectors, of which the k-subsets miss every target of a cube with
probability eta at most, leave eta^r of it in the mean; K further vectors finish. Polynomial in d.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy.special import logsumexp, ndtr

from rssp.laws import Law, Normal, Uniform
from rssp.prediction.minorants import density_floor
from rssp.prediction.moments import log_choose, overlap_log_probabilities
from rssp.prediction.restricted import failure_curve, mean_uncovered
from rssp.prediction.uniform_numbers import Route

__all__ = ["normal_miss", "normal_samples", "restricted_growth", "restricted_samples", "vectors_miss"]

_UP = 1 + 1e-9
_SMALL_GROWTH = 0.1  # below, the closed form: the recursion would take too many steps
_MOST_SUMMED = 12  # samples added to one step of the growth; each number up to it is tried, the best is proved as well
_GROUPS = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128)  # a choice, half a power of two apart: each is a proof
_FINISH = 200  # the most vectors K that finish


def restricted_growth(law: Law, reach: float, summed: int, density: tuple[float, float] | None = None) -> float:
    """c = (2 a)^d rho for the sums of `summed` vectors, a = `reach`; 0 where no density is known at 2 a."""
    width = 2 * reach
    if density is not None:
        mass = width**law.dim * density[1] if summed == 1 and width <= density[0] else 0.0
    elif summed == 1:
        mass = density_floor(law, width, width)
    elif isinstance(law, Normal):
        far = Normal(summed * law.mean, math.sqrt(summed) * law.std, law.dim)
        mass = density_floor(far, width, width)
    elif isinstance(law, Uniform) and law.low == -law.high:
        mass = (width / law.high * _sum_density(summed, width / law.high)) ** law.dim
    else:
        mass = 0.0
    return min(1.0, mass)


def _sum_density(count: int, y: float) -> float:
    """The density at y of a sum of `count` numbers uniform on [-1, 1], rounded downwards."""
    x = (y + count) / 2
    if not 0 < x < count:
        return 0.0
    terms = [(-1) ** i * math.comb(count, i) * (x - i) ** (count - 1) for i in range(math.floor(x) + 1)]
    size = sum(abs(t) for t in terms)
    return max(0.0, math.fsum(terms) - 1e-12 * size) / (2 * math.factorial(count - 1))


def restricted_samples(
    law: Law, eps: float, radius: float, delta: float, density: tuple[float, float] | None = None
) -> tuple[int, Route] | None:
    """The smallest n by the restricted process on the cube of the ball, or None where no density is known."""
    found = None
    for summed in range(1, _MOST_SUMMED + 1):
        for share in (0.5, 0.7):
            one, two = share * eps, (1 - share) * eps
            a = radius + two
            c = restricted_growth(law, a, summed, density)
            if c <= 0:
                continue
            steps = _steps(law.dim * math.log(one / a), law.dim * math.log(two / a), c, delta)
            n = steps * summed
            if found is None or n < found[0]:
                each = "" if summed == 1 else f", sums of {summed} at a time"
                found = n, Route(delta, f"the restricted process with c = {c:.3g}{each}")
    return found


def vectors_miss(
    law: Law, n: int, eps: float, radius: float, density: tuple[float, float] | None = None
) -> float | None:
    """A bound on P(a random target of [-radius, radius]^d is not within eps of a subset sum), None where none is known.

    The mean of the uncovered part of that cube in the restricted process (V1); for normal vectors also the second
    moment of r groups (V2), which holds for every target of the cube.
    """
    found = []
    for summed in range(1, _MOST_SUMMED + 1):
        c = restricted_growth(law, radius, summed, density)
        if c > 0:
            found.append(mean_uncovered(math.exp(law.dim * math.log(eps / radius)), n // summed, c))
    if isinstance(law, Normal) and law.mean == 0:
        for groups in (g for g in _GROUPS if n // g >= 6):
            found.append(_least_miss(n // groups, law.dim, eps / law.std, radius / law.std) ** groups)
    return min(1.0, min(found) * _UP) if found else None


def _steps(log_start: float, log_goal: float, c: float, delta: float) -> int:
    """Steps from the logarithms of the fractions that are covered first and may be missed: powers may underflow."""
    start, goal = math.exp(log_start), math.exp(log_goal)
    if c >= _SMALL_GROWTH and min(start, goal) > 1e-300:
        curve = failure_curve(start, goal, c, delta)
        if curve[-1] <= delta:  # else it was cut short
            return len(curve) - 1
    odds = math.log1p(-start) + math.log1p(-goal) - log_start - log_goal
    return max(0, math.ceil((odds - math.log(delta) + 1e-9) / -math.log1p(-c / 2)))  # 1e-9 for all rounding


@lru_cache(maxsize=4096)
def normal_miss(n: int, k: int, dim: int, eps: float, reach: float) -> float:
    """A bound on P(no sum of k of n standard normal vectors is within eps of z), for every z of [-reach, reach]^dim.

    1 - 1/(sum over i < k of P(I = i) q_i^d + 1 / (C(n, k) p^d)), I the overlap of two k-subsets, and in one coordinate
    q_i = (1 - (i/k)^2)^(-1/2) exp(z^2 i / (k (k + i)) + eps^2 / (3 k) + 2 (z eps / (k + i))^2 / 3),
    p = 2 eps (2 pi k)^(-1/2) exp(-z^2/(2 k) - eps^2/(6 k)), at |z| = reach (V2).
    """
    i = np.arange(k)
    log_share = overlap_log_probabilities(n, k)[:k]
    exponent = reach**2 * i / (k * (k + i)) + eps**2 / (3 * k) + 2 * (reach * eps / (k + i)) ** 2 / 3
    log_pair = dim * (exponent - 0.5 * np.log1p(-((i / k) ** 2)))
    log_hit = math.log(2 * eps) - 0.5 * math.log(2 * math.pi * k) - reach**2 / (2 * k) - eps**2 / (6 * k)
    log_single = -float(log_choose(n, np.array(k))) - dim * log_hit
    log_ratio = float(logsumexp(np.append(log_share + log_pair, log_single))) + 1e-9
    return -math.expm1(-max(log_ratio, 0.0))


@dataclass(frozen=True)
class _Finish:
    """How fast K further normal vectors finish: the mean factors for the whole cube and for its inner part."""

    whole: float
    inner: float
    log_peak: float

    @classmethod
    def of(cls, dim: int, outer: float, inner: float) -> _Finish:
        margin = outer - inner
        corner = (ndtr(2 * outer) - 0.5) ** dim / _UP
        outside = -math.expm1(dim * math.log1p(-(ndtr(-margin) + ndtr(-margin - 2 * inner)))) * _UP
        return cls(1 - corner, min(1.0, outside), math.log(_UP) - dim / 2 * math.log(2 * math.pi))

    def samples(self, log_total: float, log_inner: float, log_window: float, delta: float) -> int | None:
        """The smallest K with total / C + inner prod (factor + peak C kappa_j) / window <= delta, over a few C."""
        best = None
        for part in (0.25, 0.5, 0.9):
            log_level = log_total - math.log(part * delta)  # of C: cut off, it would cost more than part delta
            log_product, log_kappa = log_inner - log_window, 0.0
            for j in range(_FINISH):
                if log_product <= math.log((1 - part) * delta) - 1e-9:
                    best = j if best is None else min(best, j)
                    break
                extra = math.exp(min(self.log_peak + log_level + log_kappa, 1.0))  # above 1 the factors are 1
                log_product += math.log(min(1.0, self.inner + extra))
                log_kappa += math.log(min(1.0, self.whole + extra))
        return best


@lru_cache(maxsize=4096)
def normal_samples(dim: int, eps: float, radius: float, delta: float) -> tuple[int, Route] | None:
    """The smallest n that the second moment proves to be enough for standard normal vectors, over r, n, k and A."""
    best: tuple[int, Route] | None = None
    two = eps / 4
    one, inner = eps - two, radius + two
    log_window = dim * math.log(2 * two)
    for margin in (1.5, 2.0, 2.5, 3.0):
        outer = inner + margin
        finish = _Finish.of(dim, outer, inner)
        for groups in _GROUPS:

            def enough(size: int, groups: int = groups, outer: float = outer, finish: _Finish = finish) -> int | None:
                log_miss = groups * math.log(_least_miss(size, dim, one, outer))
                volumes = [dim * math.log(2 * reach) + log_miss for reach in (outer, inner)]
                return finish.samples(volumes[0], volumes[1], log_window, delta)

            size = _first(
                enough, max(6, math.ceil(dim * math.log2(1 / one))), 20_000 if best is None else best[0] // groups
            )
            for larger in (size, round(size * 1.05) + 1, round(size * 1.12) + 2) if size else ():
                k = enough(larger)
                if k is not None and (best is None or groups * larger + k < best[0]):
                    each = f"{groups} groups of {larger}" if groups > 1 else f"{larger}"
                    how = f"the second moment ({each} vectors) and {k} vectors that finish"
                    best = groups * larger + k, Route(delta, how)
    return best


def _first(enough: Callable[[int], int | None], low: int, high: int) -> int | None:
    """The smallest size from low to high that is enough, as if more never were too few; None where high is not."""
    if high < low or enough(high) is None:
        return None
    while low < high:
        middle = (low + high) // 2
        if enough(middle) is None:
            low = middle + 1
        else:
            high = middle
    return high


def _least_miss(n: int, dim: int, eps: float, reach: float) -> float:
    """The smallest bound over the subset size k, tried on a geometric grid."""
    sizes = sorted({max(2, min(n // 2, round(n / 2 * 0.8**j))) for j in range(14)})
    return min(normal_miss(n, k, dim, eps, reach) for k in sizes)
