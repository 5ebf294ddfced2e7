"""The chance that the k-subsets of n uniform numbers miss a target, bounded from above for every target of an interval.

The numbers are X = h (j - q/2 + u), j one of q = 3 cells of width h = 2/q and u uniform on [0, 1]. Given how many fell
into each cell, the k-subsets fall into levels l = sum of j, and a subset of level l reaches the target z if the sum of
its k fractions u is within e = eps/h of zeta - l, zeta = z/h + k q/2. Let Y_l be the share of the subsets of level l
that reach z, over 2 e. For any weights w, P(none reaches z) <= 1 - E[Y_w]^2 / E[Y_w^2], Y_w = sum w_l Y_l (Cauchy and
Schwarz; M1 to M4 in docs/theory/guarantees.md). Without the condition a lopsided sample, which moves all sums at once,
spoils the second moment: at n = 24, eps = 2^-10 it leaves 0.08 uncovered, with the condition 0.011.

Two subsets of levels l, l' with i < k numbers in common contribute

    integral over c of f_i(c) g_m(zeta - l - c) g_m(zeta - l' - c),   m = k - i,

f_i the density of a sum of i uniform numbers on [0, 1] and g_m that of m smoothed by the window [-e, e]. On a cell of
targets that crosses no integer +- e all of this is a polynomial of degree at most 2 k in zeta: Gauss's rule integrates
it without error, and 2 k + 2 values hold it fast on the whole cell. What is left is rounding, for which SLACK stands.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from rssp._jit import kernel

__all__ = ["LARGEST_K", "Misses", "misses_of"]

Floats = NDArray[np.float64]

Q = 3
"""the cells that X is conditioned on"""
LARGEST_K = 16
"""numbers a subset; levels of sums are 2 k + 1, and pairs of them are counted"""
SLACK = 1e-9
"""stands for all rounding, relative to the sum of absolute terms: each is a product of positive numbers computed by
convex combinations, right to 1e-13, and fewer than 1e4 are added at a time"""
_RARE = 1e-6  # counts of the cells rarer than this are given up: every target missed
_FAINT = 1e-3  # levels that reach the targets less often than this, relative to the best, are left out
_FAMILIES = 3  # kinds of subsets used at a level
_TINY = 2.0**-36  # windows e below: the gaps of 2 e around the knots are given up


@dataclass(frozen=True, eq=False)
class Misses:
    """Upper bounds on P(a target is missed), one for every cell [low, high] of targets z >= 0 (the same for -z)."""

    low: Floats
    high: Floats
    miss: Floats

    def uncovered(self, others: tuple[Misses, ...], reach: float) -> float:
        """A bound on E[length of the targets of [-reach, reach] that this and all other groups of numbers miss]."""
        length = np.clip(np.minimum(self.high, reach) - self.low, 0.0, None)
        product = self.miss.copy()
        for other in others:
            product = product * other.miss
        return float(2 * (length @ product) * (1 + SLACK))


@kernel
def _irwin_hall(m: int, t: float, out: Floats) -> None:
    """out[j] = the density at j + t of a sum of m >= 1 uniform numbers on [0, 1], 0 <= t <= 1, j < m.

    Convex combinations of positive numbers: nothing cancels.
    """
    out[0] = 1.0
    for r in range(2, m + 1):
        out[r - 1] = (1.0 - t) * out[r - 2] / (r - 1)
        for j in range(r - 2, 0, -1):
            out[j] = ((j + t) * out[j] + (r - j - t) * out[j - 1]) / (r - 1)
        out[0] = t * out[0] / (r - 1)


@kernel
def _windowed(m: int, x: float, e: float, nodes: Floats, weights: Floats, scratch: Floats, out: Floats) -> int:
    """out[r - base] = the mean of f_m over [r + x - e, r + x + e], r - base < m + 2; returns base.

    The window is cut at integers; nodes and weights are Gauss's on [0, 1], exact for degree m - 1.
    """
    low, high = x - e, x + e
    first = math.floor(low)
    out[: m + 2] = 0.0
    piece, start = first, low
    while start < high:
        end = min(high, piece + 1.0)
        for a in range(len(nodes)):
            t = start + (end - start) * nodes[a] - piece
            _irwin_hall(m, min(max(t, 0.0), 1.0), scratch)
            weight = weights[a] * (end - start) / (high - low)
            for j in range(m):
                out[j - piece + first + 1] += weight * scratch[j]
        start = end
        piece += 1
    return -first - 1


@kernel
def _joint_densities(
    k: int,
    e: float,
    zetas: Floats,
    bottom: int,
    gauss: tuple[Floats, Floats, Floats, Floats],
    mean: Floats,
    pair: Floats,
) -> None:
    """mean[a, level] = g_k(zeta_a - level), pair[a, i, level, level'] = the module's integral; levels from `bottom`.

    mean is (points, levels), pair (points, k, levels, levels), zero on entry. Time about k^4 levels a point.
    """
    nodes, weights, inner, inner_weights = gauss
    levels = mean.shape[1]
    scratch, f, g, cuts = np.empty(k + 3), np.empty(k + 3), np.empty(k + 4), np.empty(4)
    for a in range(len(zetas)):
        whole = math.floor(zetas[a])
        part = zetas[a] - whole
        base = _windowed(k, part, e, inner, inner_weights, scratch, g)
        for level in range(levels):
            r = whole - level - bottom - base
            if 0 <= r < k + 2:
                mean[a, level] = g[r]
        for level in range(levels):
            for other in range(levels):
                pair[a, 0, level, other] = mean[a, level] * mean[a, other]
        one, two = (part - e) % 1.0, (part + e) % 1.0
        cuts[0], cuts[1], cuts[2], cuts[3] = 0.0, min(one, two), max(one, two), 1.0
        for i in range(1, k):
            for s in range(3):
                width = cuts[s + 1] - cuts[s]
                for b in range(len(nodes)):
                    t = cuts[s] + width * nodes[b]
                    _irwin_hall(i, t, f)
                    base = _windowed(k - i, part - t, e, inner, inner_weights, scratch, g)
                    for j in range(i):
                        _add_products(weights[b] * width * f[j], g, k - i + 2, whole - j - bottom - base, pair[a, i])


@kernel
def _add_products(weight: float, g: Floats, size: int, top: int, out: Floats) -> None:
    """out[level, other] += weight g[top - level] g[top - other], where both lie inside."""
    start, end = max(0, top - size + 1), min(len(out), top + 1)
    for level in range(start, end):
        left = weight * g[top - level]
        for other in range(start, end):
            out[level, other] += left * g[top - other]


@kernel
def _overlaps(n: int, a: int, b: int, i: int, choose: Floats) -> float:
    """How many b-subsets of n share i with a given a-subset."""
    if b - i > n - a or i > a or i > b:
        return 0.0
    return choose[a, i] * choose[n - a, b - i]


@kernel
def _count_pairs(n: NDArray[np.int64], kinds: NDArray[np.int64], sizes: Floats, choose: Floats, out: Floats) -> None:
    """out[i, l, l'] += the number of pairs of subsets of levels l, l' with i numbers in common.

    kinds (m, 4) says how many of each cell a kind of subset takes, and its level; sizes (m,) how many subsets it has.
    """
    for a in range(len(kinds)):
        la = kinds[a, 3]
        for b in range(a + 1):
            lb = kinds[b, 3]
            for x in range(min(kinds[a, 0], kinds[b, 0]) + 1):
                px = sizes[a] * _overlaps(n[0], kinds[a, 0], kinds[b, 0], x, choose)
                if px == 0:
                    continue
                for y in range(min(kinds[a, 1], kinds[b, 1]) + 1):
                    py = px * _overlaps(n[1], kinds[a, 1], kinds[b, 1], y, choose)
                    if py == 0:
                        continue
                    for z in range(min(kinds[a, 2], kinds[b, 2]) + 1):
                        p = py * _overlaps(n[2], kinds[a, 2], kinds[b, 2], z, choose)
                        out[x + y + z, la, lb] += p
                        if a != b:
                            out[x + y + z, lb, la] += p


@kernel
def _moments(weights: Floats, mean: Floats, pair: Floats, share: Floats, single: Floats, out: Floats) -> None:
    """out = E[Y_w], E[Y_w^2] and the sums of their absolute terms, each (points, ways); weights (ways, levels)."""
    points, k, levels = pair.shape[0], pair.shape[1], pair.shape[2]
    scaled = np.empty((k, levels, levels))
    for way in range(len(weights)):
        w = weights[way]
        for i in range(k):
            for level in range(levels):
                for other in range(level + 1):  # symmetric: below the diagonal twice
                    scaled[i, level, other] = (
                        share[way, i, level, other] * w[level] * w[other] * (1.0 if other == level else 2.0)
                    )
        for a in range(points):
            first, second, first_size, second_size = 0.0, 0.0, 0.0, 0.0
            for level in range(levels):
                first += w[level] * mean[a, level]
                first_size += abs(w[level]) * mean[a, level]
                second += w[level] ** 2 * single[way, level] * mean[a, level]
            second_size = second
            for i in range(k):
                for level in range(levels):
                    for other in range(level + 1):
                        term = scaled[i, level, other] * pair[a, i, level, other]
                        second += term
                        second_size += abs(term)
            out[0, a, way], out[1, a, way] = first, second
            out[2, a, way], out[3, a, way] = first_size, second_size


@dataclass(frozen=True, eq=False)
class _Cell:
    """Targets zeta in [low, high], with the densities at the Chebyshev points of that interval."""

    low: float
    high: float
    bottom: int
    mean: Floats
    pair: Floats


def _gauss(points: int) -> tuple[Floats, Floats]:
    x, w = np.polynomial.legendre.leggauss(points)
    return (x + 1) / 2, w / 2


def _cell_bounds(k: int, e: float, reach: float) -> list[tuple[float, float]]:
    """[k q/2, k q/2 + reach] cut at integers +- e and again into pieces of at most half a unit."""
    low, high = k * Q / 2, k * Q / 2 + reach
    knots = {j + s * e for j in range(math.floor(low) - 1, math.ceil(high) + 2) for s in (-1.0, 1.0)}
    cuts = [low, *sorted(x for x in knots if low < x < high), high]
    pieces: list[tuple[float, float]] = []
    for a, b in pairwise(cuts):
        if e < _TINY and b - a <= 2.5 * e:
            continue
        parts = max(1, math.ceil(2 * (b - a)))
        pieces += [(a + (b - a) * i / parts, a + (b - a) * (i + 1) / parts) for i in range(parts)]
    return pieces


@lru_cache(maxsize=8)
def _cells(k: int, e: float, reach: float) -> tuple[_Cell, ...]:
    gauss = (*_gauss(k + 1), *_gauss((k + 1) // 2 + 1))
    points = np.cos((np.arange(2 * k + 2) + 0.5) * math.pi / (2 * k + 2))
    cells = []
    for low, high in _cell_bounds(k, e, reach):
        bottom = math.floor(low) - k - 1
        levels = k + 4
        mean, pair = np.zeros((len(points), levels)), np.zeros((len(points), k, levels, levels))
        _joint_densities(k, e, low + (high - low) * (points + 1) / 2, bottom, gauss, mean, pair)
        cells.append(_Cell(low, high, bottom, mean, pair))
    return tuple(cells)


def _kinds(counts: tuple[int, int, int], k: int) -> tuple[NDArray[np.int64], Floats]:
    """Kinds of k-subsets, (how many of each cell, level) a row, and their sizes: the most frequent of each level."""
    by_level: dict[int, list[tuple[float, tuple[int, int, int, int]]]] = {}
    for one in range(min(k, counts[1]) + 1):
        for two in range(min(k - one, counts[2]) + 1):
            zero = k - one - two
            if zero <= counts[0]:
                size = float(math.comb(counts[0], zero) * math.comb(counts[1], one) * math.comb(counts[2], two))
                by_level.setdefault(one + 2 * two, []).append((size, (zero, one, two, one + 2 * two)))
    kept = [kind for level in by_level.values() for kind in sorted(level, reverse=True)[:_FAMILIES]]
    return np.array([kind for _, kind in kept], dtype=np.int64).reshape(-1, 4), np.array([size for size, _ in kept])


def _counts(n: int) -> list[tuple[float, tuple[int, int, int]]]:
    """The ways that n numbers fall into the cells, with their probabilities; those rarer than _RARE are left out."""
    ways = []
    for one in range(n + 1):
        for two in range(n - one + 1):
            chance = math.comb(n, one) * math.comb(n - one, two) / Q**n
            if chance >= _RARE:
                ways.append((chance, (n - one - two, one, two)))
    return ways


def _best_weights(matrix: Floats, mean: Floats) -> Floats:
    """Weights near matrix^-1 mean: any are allowed, the best make the bound small."""
    size = np.sqrt(np.maximum(np.diagonal(matrix, axis1=1, axis2=2), 1e-300))
    scaled = matrix / (size[:, :, None] * size[:, None, :]) + 1e-11 * np.eye(matrix.shape[1])
    return np.linalg.solve(scaled, (mean / size)[..., None])[..., 0] / size


def _worst_ratio(first: Floats, second: Floats, first_size: Floats, second_size: Floats) -> Floats:
    """Bounds on the maximum of second / first^2 over a cell, both given at its Chebyshev points (points, ways).

    With rho the largest quotient at the points, R = second - rho first^2 is at most its Chebyshev coefficients' sum
    r_0 + |r_1| + ..., and first at least c_0 - |c_1| - ...; the sizes are the sums of absolute terms, for rounding.
    """
    points = len(first)
    angles = (np.arange(points) + 0.5) * math.pi / points
    transform = 2 / points * np.cos(np.arange(points)[:, None] * angles[None, :])
    transform[0] /= 2
    square = first**2
    with np.errstate(divide="ignore", invalid="ignore"):
        rho = np.max(second / square, axis=0)
        rest = transform @ (second - rho * square)
        least = transform @ first
        rounding = SLACK * (second_size + rho * first_size**2).max(axis=0)
        above = np.maximum(rest[0] + np.abs(rest[1:]).sum(axis=0) + rounding, 0.0)
        below = least[0] - np.abs(least[1:]).sum(axis=0) - SLACK * first_size.max(axis=0)
        return np.where((below > 0) & np.isfinite(rho), rho + above / below**2, np.inf)


@lru_cache(maxsize=512)
def misses_of(n: int, k: int, eps: float, reach: float) -> Misses:
    """Bounds on P(no subset sum of n numbers uniform on [-1, 1] is within eps of z), for the z of [-reach, reach].

    Only the sums of k numbers are used, 2 <= k <= LARGEST_K; 0 < eps < 1/3.
    """
    h = 2 / Q
    cells = _cells(k, eps / h, reach / h)
    ways = _counts(n)
    choose = np.array([[float(math.comb(a, b)) for b in range(n + 1)] for a in range(n + 1)])
    levels = 2 * k + 1
    shares = np.zeros((len(ways), k + 1, levels, levels))
    totals = np.zeros((len(ways), levels))
    for row, (_, counts) in enumerate(ways):
        kinds, sizes = _kinds(counts, k)
        if len(kinds):
            _count_pairs(np.array(counts), kinds, sizes, choose, shares[row])
            np.add.at(totals[row], kinds[:, 3], sizes)
    chance = np.array([p for p, _ in ways])
    per_level = np.where(totals > 0, totals, 1.0)
    shares /= per_level[:, None, :, None] * per_level[:, None, None, :]
    miss = np.array([_cell_miss(cell, shares, totals, chance, eps / h) for cell in cells])
    centre = k * Q / 2
    low = h * (np.array([cell.low for cell in cells]) - centre)
    high = h * (np.array([cell.high for cell in cells]) - centre)
    return _with_gaps(low, high, np.minimum(miss, 1.0), reach)


def _with_gaps(low: Floats, high: Floats, miss: Floats, reach: float) -> Misses:
    """The cells with the gaps between them, which count as missed."""
    starts, ends = np.concatenate([[0.0], high]), np.concatenate([low, [reach]])
    gap = ends > starts
    order = np.argsort(np.concatenate([low, starts[gap]]), kind="stable")
    return Misses(
        np.concatenate([low, starts[gap]])[order],
        np.concatenate([high, ends[gap]])[order],
        np.concatenate([miss, np.ones(int(gap.sum()))])[order],
    )


def _cell_miss(cell: _Cell, shares: Floats, totals: Floats, chance: Floats, e: float) -> float:
    """The mean over the ways to fall into the cells of 1 - 1 / max(E[Y^2] / E[Y]^2), and what was left out."""
    k, band = cell.pair.shape[1], len(cell.mean[0])
    level = np.arange(band) + cell.bottom
    density = cell.mean[len(cell.mean) // 2]
    inside = (level >= 0) & (level < totals.shape[1]) & (density >= _FAINT * density.max())
    if not inside.any():
        return 1.0
    level = level[inside]
    mean = np.ascontiguousarray(cell.mean[:, inside])
    pair = np.ascontiguousarray(cell.pair[:, :, inside][:, :, :, inside])
    share = np.ascontiguousarray(shares[:, :k, level[0] : level[-1] + 1, level[0] : level[-1] + 1])
    total = totals[:, level]
    used = (total > 0).astype(np.float64)
    single = used / np.where(total > 0, total, 1.0) / (2 * e)
    middle = len(mean) // 2
    matrix = np.einsum("eilm,ilm->elm", share, pair[middle])
    at = np.arange(len(level))
    matrix[:, at, at] += single * mean[middle] + (1 - used) + 1e-300
    weight = _best_weights(matrix, used * mean[middle]) * used
    weight /= np.maximum(np.abs(weight).max(axis=1, keepdims=True), 1e-300)

    points, ways = len(mean), len(weight)
    sums = np.zeros((4, points, ways))
    _moments(weight, mean, pair, share, single, sums)
    worst = _worst_ratio(*sums)
    missed = np.where(np.isfinite(worst), 1 - 1 / np.maximum(worst, 1.0), 1.0)
    return float(chance @ missed + max(0.0, 1 - chance.sum())) * (1 + SLACK) + SLACK
