"""The second moment method, computed: how many k-subsets hit a target, in the mean and in the square.

Y counts the k-subsets S of n vectors with ``|sum_S - z|_inf <= eps``. With I the overlap of two random k-subsets,
hypergeometric, and p_i the probability that two subsets with i vectors in common both hit,

    E Y = C(n, k) p,     E Y^2 = C(n, k)^2 sum_i P(I = i) p_i,     P(some k-subset hits) >= (E Y)^2 / E Y^2.   (M1)

Nothing is bounded: p and p_i are computed by quadrature, for vectors with standard normal entries (Becchetti et al.
2022), normally-scaled normal vectors (da Cunha et al. 2023) and numbers uniform on [-1, 1] (Natale et al. 2024).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import gammaln, logsumexp

from rssp._arguments import integer, number, positive
from rssp.errors import ArgumentError
from rssp.laws import Law, Normal, NormallyScaledNormal, Uniform
from rssp.prediction.pairs import normal_pairs, scaled_normal_pairs, uniform_pairs

__all__ = [
    "MinimalSamples",
    "SubsetMoments",
    "joint_hitting",
    "minimal_n",
    "overlap_log_probabilities",
    "subset_moments",
]


@dataclass(frozen=True)
class SubsetMoments:
    """The moments (M1) of the number Y of k-subsets of n vectors that hit, as natural logarithms."""

    n: int
    k: int
    log_mean: float
    log_second: float

    @property
    def ratio(self) -> float:
        """E[Y^2] / E[Y]^2 >= 1."""
        return math.exp(min(self.log_second - 2 * self.log_mean, 700.0))

    @property
    def hit_probability(self) -> float:
        """The lower bound E[Y]^2 / E[Y^2] of the probability that some k-subset hits."""
        return math.exp(2 * self.log_mean - self.log_second)


@dataclass(frozen=True)
class MinimalSamples:
    """The smallest n, and its k, for which E[Y^2] / E[Y]^2 is at most what was asked for."""

    n: int
    k: int
    ratio: float


def overlap_log_probabilities(n: int, k: int) -> NDArray[np.float64]:
    """log P(I = i), i = 0..k, for the overlap of two independent uniform k-subsets of n.

    >>> np.exp(overlap_log_probabilities(4, 2)).round(6).tolist()
    [0.166667, 0.666667, 0.166667]
    """
    n = integer("n", n, 1)
    k = integer("k", k, 1, n)
    i = np.arange(k + 1)
    ways = np.full(k + 1, -math.inf)
    able = k - i <= n - k
    ways[able] = log_choose(k, i[able]) + log_choose(n - k, k - i[able])
    return ways - log_choose(n, np.array(k))


def log_choose(n: int, k: NDArray[np.int64]) -> NDArray[np.float64]:
    """The logarithm of n over k, 0 <= k <= n."""
    return gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1)


def joint_hitting(law: Law, k: int, eps: float, target: ArrayLike = 0.0) -> tuple[float, NDArray[np.float64]]:
    """log p and log p_i for i = 0..k: one k-subset hits, and two with i vectors in common both hit.

    Parameters
    ----------
    law : Normal of mean 0, NormallyScaledNormal, or Uniform(-a, a) in one dimension
    k : int >= 1
    eps : float > 0
    target : a number, taken for every coordinate, or dim of them

    Examples
    --------
    >>> log_p, log_joint = joint_hitting(Normal(dim=2), 4, 0.01)
    >>> bool(abs(log_joint[0] - 2 * log_p) < 1e-12)
    True
    """
    k, eps = integer("k", k, 1), positive("eps", eps)
    z = np.asarray(target, dtype=np.float64)
    if z.ndim > 1 or (z.ndim == 1 and z.size not in (1, law.dim)) or not np.isfinite(z).all():
        raise ArgumentError("target", target, f"one finite number, or dim = {law.dim} of them")
    return _pairs(law, k, eps, tuple(np.broadcast_to(z, (law.dim,)).tolist()))


@lru_cache(maxsize=1024)
def _pairs(law: Law, k: int, eps: float, target: tuple[float, ...]) -> tuple[float, NDArray[np.float64]]:
    z = np.array(target)
    if isinstance(law, Normal) and law.mean == 0:
        return normal_pairs(k, eps / law.std, z / law.std)
    if isinstance(law, NormallyScaledNormal):
        return scaled_normal_pairs(k, eps, z)
    if isinstance(law, Uniform) and law.dim == 1 and law.low == -law.high:
        return uniform_pairs(k, eps / law.high, float(z[0]) / law.high)
    raise ArgumentError("law", law, "Normal with mean 0, NormallyScaledNormal, or Uniform(-a, a) in one dimension")


def subset_moments(law: Law, n: int, k: int, eps: float, target: ArrayLike = 0.0) -> SubsetMoments:
    """E[Y] and E[Y^2] for the k-subsets of n vectors from `law`, by (M1).

    >>> moments = subset_moments(Normal(), 11, 5, 0.01)
    >>> round(math.exp(moments.log_mean), 3)
    1.649
    """
    n = integer("n", n, 1)
    k = integer("k", k, 1, n)
    log_p, joint = joint_hitting(law, k, eps, target)
    log_count = float(log_choose(n, np.array(k)))
    return SubsetMoments(
        n, k, log_count + log_p, 2 * log_count + float(logsumexp(overlap_log_probabilities(n, k) + joint))
    )


def minimal_n(
    law: Law, eps: float, ratio: float = 2.0, target: ArrayLike = 0.0, *, n_max: int = 100_000
) -> MinimalSamples:
    """The smallest n for which some k has E[Y^2] / E[Y]^2 <= ratio: P(a k-subset hits) >= 1 / ratio.

    Exact in n for each k tried; k is searched outwards from where n is smallest, which takes n(k) to fall and then
    rise, up to steps of a few n. Time is that of the p_i, once for each k tried: a mean over three variables each for
    normally-scaled vectors.

    >>> minimal_n(Normal(), 0.01).n
    11
    """
    ratio = number("ratio", ratio, 1.0)
    if ratio == 1:
        raise ArgumentError("ratio", ratio, "a number > 1")
    found: dict[int, MinimalSamples | None] = {}

    def at(k: int) -> float:
        if k not in found:
            found[k] = _minimal_at(law, k, eps, ratio, target, n_max)
        best = found[k]
        return math.inf if best is None else best.n + min(best.ratio / ratio, 1.0) / 2

    step = max(1, law.dim // 4)
    k = max(2, 2 * law.dim)
    while at(k) == math.inf:
        k += step
        if k > n_max:
            raise ArgumentError("n_max", n_max, "a number of vectors at which the ratio is reached", "Raise it.")
    while True:
        near = [j for m in (1, 2, 3) for j in (k - m * step, k + m * step) if j >= 1]
        best = min(near, key=at)
        if at(best) < at(k):
            k = best
        elif step == 1:
            break
        else:
            step = max(1, step // 2)
    result = found[k]
    if result is None:  # not reachable: at(k) is finite
        raise ArgumentError("ratio", ratio, "a ratio that is reached")
    return result


def _minimal_at(law: Law, k: int, eps: float, ratio: float, target: ArrayLike, n_max: int) -> MinimalSamples | None:
    """The smallest n at this k; the ratio falls with n, as overlaps do."""

    def value(n: int) -> float:
        return subset_moments(law, n, k, eps, target).ratio

    low, high = k, 2 * k
    while value(high) > ratio:
        if high >= n_max:
            return None
        low, high = high, min(2 * high, n_max)
    if value(low) <= ratio:
        return MinimalSamples(low, k, value(low))
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if value(middle) > ratio else (low, middle)
    return MinimalSamples(high, k, value(high))
