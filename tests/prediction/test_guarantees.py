"""Proved sample sizes of uniform numbers: recursion and moments against brute force and exact arithmetic, values."""

import itertools
import math
from fractions import Fraction

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import rssp
from rssp.prediction import conditioned, restricted
from rssp.prediction.conditioned import misses_of
from rssp.prediction.guarantees import guaranteed_failure, guaranteed_samples
from rssp.prediction.restricted import (
    closed_form_failure,
    envelope_step,
    failure_curve,
    growth_grid,
    lattice_failure,
    mean_uncovered,
)
from rssp.prediction.uniform_numbers import finishing_failures, uniform_failure

# ---------------------------------------------------------------- G1: drift and doubling, in fractions


def _union(intervals):
    merged = []
    for low, high in sorted(intervals):
        if merged and low <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], high))
        else:
            merged.append((low, high))
    return merged


def _length(intervals):
    return sum((high - low for low, high in intervals), Fraction(0))


HALF = Fraction(1, 2)


def _next(covered, x):
    """The covered part of [-1/2, 1/2] after the number x."""
    moved = [(max(low + x, -HALF), min(high + x, HALF)) for low, high in covered]
    return _union([*covered, *((low, high) for low, high in moved if low < high)])


def _mean_growth(covered):
    """E[dv] over x uniform on [-1, 1]: the new length is piecewise linear in x, so that the trapezium rule is exact."""
    ends = [end for piece in covered for end in piece] + [-HALF, HALF]
    knots = sorted({-Fraction(1), Fraction(1), *(b - a for a in ends for b in ends if abs(b - a) <= 1)})
    new = [_length(_next(covered, x)) - _length(covered) for x in knots]
    pairs = zip(itertools.pairwise(knots), itertools.pairwise(new), strict=True)
    return sum(((b - a) * (f + g) / 2 for (a, b), (f, g) in pairs), Fraction(0)) / 2


@pytest.mark.parametrize("seed", range(6))
def test_the_restricted_process_grows_by_half_v_times_u_and_at_most_doubles(seed):
    rng = np.random.default_rng(seed)
    covered = [(Fraction(-1, 40), Fraction(1, 40))]
    for _ in range(6):
        v = _length(covered)
        assert _mean_growth(covered) == v * (1 - v) / 2
        after = _next(covered, Fraction(int(rng.integers(-10_000, 10_001)), 10_000))
        assert v <= _length(after) <= min(2 * v, 1)
        covered = after


# ---------------------------------------------------------------- G3: groups by brute force


def _uncovered_by_chance(p, k):
    """P(j of p residues are no subset sum of k numbers), j = 0 ... p - 1, by going through all p^k samples."""
    counts = np.zeros(p)
    for sample in itertools.product(range(p), repeat=k):
        sums = {0}
        for x in sample:
            sums |= {(s + x) % p for s in sums}
        counts[p - len(sums)] += 1
    return counts / p**k


@pytest.mark.parametrize(("p", "most"), [(2, 6), (3, 6), (5, 5), (7, 4), (11, 3)])
def test_on_integers_modulo_p_the_bound_is_above_brute_force(p, most):
    for k in range(most + 1):
        truth = _uncovered_by_chance(p, k)
        for goal in range(1, p):
            assert truth[goal:].sum() <= lattice_failure(p, 1, goal, k) + 1e-12
    assert lattice_failure(p, 1, 1, 60) < 1e-4  # and it says something


@pytest.mark.parametrize("m", [1, 2, 3, 4])
def test_on_vectors_of_bits_the_bound_is_above_the_product_formula(m):
    for k in range(m, 4 * m):
        truth = 1 - math.prod(1 - 2.0 ** (i - k) for i in range(m))
        assert truth <= lattice_failure(2**m, 1, 1, k) + 1e-12


# ---------------------------------------------------------------- G3: the recursion in exact arithmetic


def _exact_step(v, h, c):
    """One envelope step on the same grid in fractions, by trying every chord: no rounding, no shortcut."""
    m, out = len(v), []
    for j in range(m):
        if j == m - 1:
            out.append(h[j])
            continue
        mean = v[j] + c * v[j] * (1 - v[j])
        limit = min(2 * v[j + 1], Fraction(1))
        points = [(v[j], h[j])]
        for i in range(j, m):
            if v[i] > limit:
                break
            points.append((min(v[i + 1] if i + 1 < m else Fraction(1), limit), h[i]))
        left = [q for q in points if q[0] <= mean]
        right = [q for q in points if q[0] >= mean]
        best = Fraction(0)
        for (a, f), (b, g) in itertools.product(left, right):
            value = max(f, g) if a == b else (f * (b - mean) + g * (mean - a)) / (b - a)
            best = max(best, value)
        out.append(best)
    for j in range(m - 2, -1, -1):
        out[j] = max(out[j], out[j + 1])
    return [min(new, old) for new, old in zip(out, h, strict=True)]


TEN = [
    (2**-3, 2**-3, 0.5, 5), (2**-5, 2**-4, 0.5, 4), (2**-2, 2**-6, 0.5, 5), (0.3, 0.01, 0.25, 4), (0.1, 0.2, 1.0, 4),
    (0.6, 2**-7, 0.5, 5), (0.05, 0.4, 0.5, 4), (2**-4, 2**-5, 0.75, 4), (0.2, 0.05, 0.1, 4), (0.45, 0.03, 1.0, 4),
]  # fmt: skip


@pytest.mark.parametrize(("start", "goal", "c", "k"), TEN)
def test_the_recursion_is_not_below_the_same_in_fractions(monkeypatch, start, goal, c, k):
    monkeypatch.setattr(restricted, "_PER_BIT", 3)
    v, u = growth_grid(start, goal)
    h, exact = np.ones(len(v)), [Fraction(1)] * len(v)
    h[-1], exact[-1] = 0.0, Fraction(0)
    grid = [Fraction(x) if x <= 0.5 else 1 - Fraction(y) for x, y in zip(v, u, strict=True)]
    for _ in range(k):
        after = np.empty(len(v))
        envelope_step(v, u, h, c, False, after)
        h, exact = after, _exact_step(grid, exact, Fraction(c))
        assert all(Fraction(float(a)) >= b for a, b in zip(h, exact, strict=True))
        np.testing.assert_allclose(h, np.array([float(b) for b in exact]), rtol=1e-10)


def test_a_finer_grid_gives_a_smaller_bound(monkeypatch):
    curves = []
    for per_bit in (10, 40, 160):
        monkeypatch.setattr(restricted, "_PER_BIT", per_bit)
        restricted.failure_curve.cache_clear()
        curves.append(failure_curve(2.0**-6, 2.0**-7, 0.5, 1e-9)[:40])
    restricted.failure_curve.cache_clear()
    size = min(map(len, curves))
    assert (curves[0][:size] >= curves[1][:size]).all()
    assert (curves[1][:size] >= curves[2][:size]).all()


def test_the_closed_form_is_above_the_recursion():
    curve = failure_curve(2.0**-8, 2.0**-8, 0.5, 1e-6)
    for k in range(len(curve)):
        assert curve[k] <= min(1.0, closed_form_failure(2.0**-8, 2.0**-8, 0.5, k))


def test_the_sketch_of_the_derivation_is_reached():
    """36, 45, 54, 63 numbers were proved on [-1/2, 1/2] before, by halves of eps."""
    curve = failure_curve(2.0**-10, 2.0**-11, 0.5, 2.0**-10)
    assert [int(np.argmax(curve <= d)) for d in (0.5, 0.1, 0.01, 2.0**-10)] <= [36, 45, 54, 63]


def test_the_mean_uncovered_part_is_above_a_simulation():
    """4,000 restricted processes on a grid of 2^12 targets; the bound is 6 standard errors above at least."""
    rng, size, k, eps = np.random.default_rng(5), 2**12, 10, 2.0**-4
    left = []
    for _ in range(400):
        covered = np.zeros(size, dtype=bool)
        covered[int(size * (0.5 - eps)) : int(size * (0.5 + eps))] = True
        for x in rng.uniform(-1, 1, k):
            shift = round(x * size)
            moved = np.zeros(size, dtype=bool)
            if shift >= 0:
                moved[shift:] = covered[: size - shift]
            else:
                moved[:shift] = covered[-shift:]
            covered |= moved
        left.append(1 - covered.mean())
    bound = mean_uncovered(2 * eps, k, 0.5)
    assert np.mean(left) < bound < 1
    assert bound < closed_form_failure(2 * eps, 0.5, 0.5, k) + 1  # and it is no empty number


# ---------------------------------------------------------------- M1 to M4: densities, pairs, and the bound itself


def _irwin_hall_cdf(m, x):
    x = Fraction(x)
    if x <= 0:
        return Fraction(0)
    if x >= m:
        return Fraction(1)
    terms = ((-1) ** i * math.comb(m, i) * (x - i) ** m for i in range(math.floor(x) + 1))
    return sum(terms, Fraction(0)) / math.factorial(m)


def _smoothed(m, x, e):
    return (_irwin_hall_cdf(m, Fraction(x) + Fraction(e)) - _irwin_hall_cdf(m, Fraction(x) - Fraction(e))) / (
        2 * Fraction(e)
    )


def _densities(k, e, zetas, bottom):
    levels = k + 4
    gauss = (*conditioned._gauss(k + 1), *conditioned._gauss((k + 1) // 2 + 1))
    mean, pair = np.zeros((len(zetas), levels)), np.zeros((len(zetas), k, levels, levels))
    conditioned._joint_densities(k, e, np.array(zetas), bottom, gauss, mean, pair)
    return mean, pair


@pytest.mark.parametrize(("k", "e", "zeta"), [(2, 0.25, 1.4), (3, 0.125, 2.8), (4, 2.0**-9, 3.0625), (5, 0.3, 4.9)])
def test_densities_are_those_of_exact_fractions(k, e, zeta):
    bottom = math.floor(zeta) - k - 1
    mean, _ = _densities(k, e, [zeta], bottom)
    for level in range(k + 4):
        assert mean[0, level] == pytest.approx(
            float(_smoothed(k, Fraction(zeta) - level - bottom, e)), rel=1e-11, abs=1e-14
        )


PAIRS = [
    (2, 1, 0.25, 1.4, 0, 0), (2, 1, 0.25, 1.4, 0, 1), (3, 1, 0.125, 2.8, 1, 1), (3, 2, 0.125, 2.8, 1, 2),
    (4, 2, 0.05, 3.3, 1, 2), (4, 3, 0.3, 3.9, 2, 2), (4, 1, 2.0**-9, 3.5, 1, 3), (5, 2, 0.2, 4.1, 2, 2),
    (5, 4, 0.1, 4.6, 2, 3), (5, 3, 2.0**-7, 4.25, 3, 1),
]  # fmt: skip


@pytest.mark.parametrize(("k", "i", "e", "zeta", "level", "other"), PAIRS)
def test_pairs_are_right_to_twelve_digits_at_ten_points(k, i, e, zeta, level, other):
    """The integral over c piece by piece, with mpmath in 40 digits; each piece is a polynomial."""
    bottom = math.floor(zeta) - k - 1
    _, pair = _densities(k, e, [zeta], bottom)
    m = k - i
    with mpmath.workdps(40):

        def big(x):
            return mpmath.mpf(x.numerator) / x.denominator

        def g(x):
            low, high = x - mpmath.mpf(e), x + mpmath.mpf(e)

            def cdf(y):
                y = min(max(y, mpmath.mpf(0)), mpmath.mpf(m))
                terms = ((-1) ** r * math.comb(m, r) * (y - r) ** m for r in range(int(mpmath.floor(y)) + 1))
                return sum(terms, mpmath.mpf(0)) / math.factorial(m)

            return (cdf(high) - cdf(low)) / (2 * mpmath.mpf(e))

        def f(c):
            terms = ((-1) ** r * math.comb(i, r) * (c - r) ** (i - 1) for r in range(int(mpmath.floor(c)) + 1))
            return sum(terms, mpmath.mpf(0)) / math.factorial(i - 1)

        z = Fraction(zeta)
        knots = {Fraction(j) for j in range(i + 1)}
        knots |= {z - q - r + s * Fraction(e) for q in (level, other) for r in range(-1, m + 2) for s in (-1, 1)}
        cuts = sorted(x for x in knots if 0 <= x <= i)
        exact = mpmath.mpf(0)
        for a, b in itertools.pairwise(cuts):
            if b > a:
                exact += mpmath.quad(lambda c: f(c) * g(big(z) - level - c) * g(big(z) - other - c), [big(a), big(b)])
        assert pair[0, i, level - bottom, other - bottom] == pytest.approx(float(exact), rel=1e-11, abs=1e-14)


def test_pairs_of_subsets_are_counted():
    counts, k = (2, 3, 2), 3
    cells = [j for j, number in enumerate(counts) for _ in range(number)]
    kinds, sizes = conditioned._kinds(counts, k)
    kept = {tuple(kind[:3]) for kind in kinds}
    subsets = []
    for s in itertools.combinations(range(7), k):
        if tuple(sum(cells[a] == j for a in s) for j in range(3)) in kept:
            subsets.append(s)
    assert sizes.sum() == len(subsets)
    expected = np.zeros((k + 1, 2 * k + 1, 2 * k + 1))
    for s, t in itertools.product(subsets, repeat=2):
        expected[len(set(s) & set(t)), sum(cells[a] for a in s), sum(cells[a] for a in t)] += 1
    choose = np.array([[float(math.comb(a, b)) for b in range(8)] for a in range(8)])
    got = np.zeros_like(expected)
    conditioned._count_pairs(np.array(counts), kinds, sizes, choose, got)
    np.testing.assert_array_equal(got, expected)


@settings(max_examples=40, deadline=None)
@given(st.integers(2, 7), st.integers(0, 2**32 - 1), st.floats(1.0, 1.5))
def test_the_worst_ratio_over_a_cell_is_found(k, seed, spread):
    """Random polynomials of degree k and 2 k on [-1, 1]: the bound is above the quotient on a fine grid."""
    rng = np.random.default_rng(seed)
    first = np.polynomial.Polynomial([2.0, *(rng.uniform(-1, 1, k) / k)])
    second = np.polynomial.Polynomial([4 * spread, *(rng.uniform(-1, 1, 2 * k) / k)]) + 4
    points = np.cos((np.arange(2 * k + 2) + 0.5) * math.pi / (2 * k + 2))
    at = [np.array(p(points))[:, None] for p in (first, second)]
    bound = conditioned._worst_ratio(*at, *(np.abs(a) for a in at))[0]
    fine = np.linspace(-1, 1, 2001)
    assert bound >= (second(fine) / first(fine) ** 2).max() - 1e-9


@pytest.mark.parametrize(("n", "k", "eps"), [(10, 4, 0.1), (14, 5, 0.02)])
def test_misses_are_above_those_counted(n, k, eps):
    """2,000 samples; a target may be missed 6 standard errors more often than bounded at most (false alarm < 1e-8)."""
    rng = np.random.default_rng(3)
    targets = np.linspace(-1.9, 1.9, 20)
    members = np.array(list(itertools.combinations(range(n), k)))
    missed = np.zeros(len(targets))
    trials = 2000
    for _ in range(trials):
        sums = np.sort(rng.uniform(-1, 1, n)[members].sum(axis=1))
        place = np.clip(np.searchsorted(sums, targets), 1, len(sums) - 1)
        near = np.minimum(np.abs(sums[place] - targets), np.abs(sums[place - 1] - targets))
        missed += near > eps
    bounds = misses_of(n, k, eps, 2.0)
    for z, count in zip(targets, missed, strict=True):
        cell = np.flatnonzero((bounds.low <= abs(z)) & (abs(z) <= bounds.high))[0]
        p = bounds.miss[cell]
        assert count / trials <= p + 6 * math.sqrt(max(p * (1 - p), 1 / trials) / trials)
    assert bounds.miss[0] < 0.75  # and they say something


# ---------------------------------------------------------------- values


@pytest.mark.parametrize(
    ("bits", "delta", "most"), [(4, 0.5, 20), (4, 0.1, 27), (7, 0.5, 30), (10, 0.5, 37), (10, 0.1, 45)]
)
def test_proved_is_within_a_factor_of_two_and_a_half_of_measured(bits, delta, most):
    found = guaranteed_samples(rssp.Uniform(), 2.0**-bits, delta)
    assert found.evidence == "computed"
    assert found.low <= found.best == found.high <= most


def test_failure_and_samples_agree():
    law, eps = rssp.Uniform(), 2.0**-5
    n = int(guaranteed_samples(law, eps, 0.2).high)
    assert guaranteed_failure(law, n, eps).high <= 0.2
    values = [guaranteed_failure(law, m, eps).high for m in (n - 8, n, n + 8)]
    assert values == sorted(values, reverse=True)
    assert guaranteed_failure(law, 3, eps).low == 1.0  # 8 windows of 1/16 do not cover [-1, 1]


def test_units_do_not_matter():
    one = guaranteed_samples(rssp.Uniform(), 2.0**-5, 0.3).high
    assert guaranteed_samples(rssp.Uniform(-4, 4), 2.0**-3, 0.3, rssp.Ball(1, 4.0)).high == one


@pytest.mark.parametrize("eps", [0.35, 0.5, 0.7, 0.95])
def test_large_errors_are_served(eps):
    assert 1 <= guaranteed_samples(rssp.Uniform(), eps, 0.1).high <= 20


def test_finishing_says_nothing_of_nothing():
    assert (finishing_failures(1.0, 1.0, 0.0, 0.1) == 1).all()
    assert (finishing_failures(0.0, 0.0, 0.0, 0.1) == 0).all()
    assert uniform_failure(4, 2.0**-8, 1.0).failure == 1.0
