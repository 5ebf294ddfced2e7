"""The catalogue: each number in it by another route."""

from __future__ import annotations

import itertools
import math
from fractions import Fraction

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import hypergeom, poisson

from rssp.balls import Ball
from rssp.claims import claim
from rssp.claims.catalog.formulas import entropy, self_consistent_n
from rssp.errors import ArgumentError

# ---- counting


@pytest.mark.parametrize(("id", "norm"), [("counting-cube", math.inf), ("counting-1-norm", 1), ("counting-2-norm", 2)])
@pytest.mark.parametrize("d", [1, 2, 5, 9])
def test_counting_is_the_volume_of_the_ball(id, norm, d):
    eps, radius = 1e-3, 0.75
    volume = Ball(d, radius, norm).log_volume / math.log(2)
    n = float(claim(id).bound(d=d, eps=eps, radius=radius))
    assert n + d * math.log2(2 * eps) == pytest.approx(volume)


def test_counting_in_one_dimension():
    assert claim("counting-1d").variables == ("eps",)
    np.testing.assert_allclose(claim("counting-1d").bound(eps=[0.25, 0.01]), [2, math.log2(100)])
    assert claim("counting-1d").bound(eps=0.25, radius=0.5) == 1  # log2(1/(2 eps)) for [-1/2, 1/2]
    assert claim("counting-1d").bound(eps=2.0) == 0
    assert claim("counting-cnn").bound(kernel=3, c=16, eps=0.01) == pytest.approx(144 * math.log2(100))


# ---- papers


def test_lueker_and_esa():
    assert claim("lueker-1998").bound(eps=2.0**-10, delta=0.5, C=3) == pytest.approx(30)
    assert claim("lueker-1998").bound(eps=0.5, delta=2.0**-10, C=3) == pytest.approx(30)
    tail = claim("esa-2023-tail").bound(n=[5, 10, 40], eps=2.0**-10, C=1.0, kappa=1.0)
    np.testing.assert_allclose(tail, [1.0, 1.0, 2 * math.exp(-900 / 40)])
    assert claim("esa-2023-growth").bound(v=0.5) == 1 / 16
    assert claim("growth-samples").bound(eps=0.5) == pytest.approx(5.5, abs=0.05)
    assert claim("growth-samples").bound(eps=0.5, c=0.5) == pytest.approx(2.7, abs=0.02)


def test_pensia_bounds_and_experiment():
    assert claim("pensia-2020-lower").bound(width=64, eps=0.01) == pytest.approx(64**2 * math.log2(50) - 1)
    assert claim("pensia-2020-lower-width").bound(width=64, eps=0.01) == pytest.approx(
        (64**2 * math.log2(50) - 1) / 128
    )
    assert claim("pensia-2020-experiment-n").bound(eps=0.01) == 21
    weights = 784 * 500 + 500 * 10
    assert weights * 21 == 8_337_000
    assert claim("pensia-2020-experiment-kept").bound() == pytest.approx(9.385, abs=5e-4)
    assert claim("pensia-2020-parameters").bound(d_in=3, d_out=5, n=7) == 2 * 9 * 7 + 2 * 15 * 7


@pytest.mark.parametrize(
    ("shape", "wide"), [((784, 500, 10), 2508), ((784, 500, 500, 500, 10), 1314), ((400, 120, 84, 10), 378)]
)
def test_pensia_wide_networks(shape, wide):
    layers = itertools.pairwise(shape)
    m = sum(float(claim("pensia-2020-redundant").bound(d_in=a, d_out=b)) for a, b in layers)
    w = float(
        claim("pensia-2020-wide").bound(parameters=m, d_in=shape[0], d_out=shape[-1], hidden_layers=len(shape) - 2)
    )
    assert round(w) == wide
    assert (len(shape) - 3) * w**2 + (shape[0] + shape[-1]) * w == pytest.approx(m)


def test_gated_product_contains_the_uniform_law():
    density, _ = quad(lambda u: 1 / (2 * u) / 2 * 2, 0.5, 1)  # of U U' at 1/2: both signs of U, U' = t/u
    assert density == pytest.approx(math.log(2) / 2)
    assert claim("pensia-2020-mixture").bound() == pytest.approx(density / 2)


def test_borgs_window_by_poisson_counts():
    lam = np.linspace(-3, 3, 13)
    a = math.sqrt(3 / (2 * math.pi)) * 2.0**-lam
    expected = 0.5 * poisson.sf(0, a) + 0.5 * poisson.sf(0, 2 * a)
    np.testing.assert_allclose(claim("borgs-2001-perfect").bound(lam=lam), expected)
    assert claim("borgs-2001-window").bound(n=16) == 14


def test_becchetti_exponents():
    this = claim("becchetti-2022")
    L = math.log2(100)
    assert this.bound(d=4, eps=0.01, C=1) == pytest.approx(64 * L * (L + 2))
    # bounded second moment at that size: (1 - 1/(36 d))^(-d/2) stays below exp(1/70)
    d = np.array([1, 10, 100, 1000])
    k = 1e6 / (6 * np.sqrt(d))
    assert (claim("second-moment-limit").bound(n=1e6, k=k, d=d) < math.exp(1 / 70)).all()
    assert claim("second-moment-limit").bound(n=10, k=5, d=8) == pytest.approx((4 / 3) ** 4)


def test_da_cunha_2023_exponents_are_parameters():
    this = claim("da-cunha-2023")
    L = math.log2(9 * 16 * 5 / 0.01)
    assert this.bound(kernel=3, c=16, l=5, eps=0.01, C=1) == pytest.approx(3.0**13 * 16.0**6 * L**3)
    assert this.bound(kernel=3, c=16, l=5, eps=0.01, C=1, exp_d=12, exp_log=2) == pytest.approx(
        3.0**12 * 16.0**6 * L**2
    )
    growth = claim("da-cunha-2023-error")
    assert growth.bound(layer=7, l=7, eps=0.1) == pytest.approx((1 + 0.1 / 14) ** 7 - 1)
    assert growth.bound(layer=7, l=7, eps=1.0) < 1


def test_fixed_size_comparisons():
    m_t, eps = 1000, 0.01
    over = claim("malach-2020-overparameterization").bound(m_t=m_t, eps=eps, C=1)
    assert over == pytest.approx(1e10 * math.log2(1e5))
    assert claim("malach-2020-density").bound(m_t=m_t, eps=eps, C=1) == pytest.approx(1e-10)
    assert claim("natale-2024-density").bound(m_t=m_t, eps=eps, C=1) == pytest.approx(1e-5)
    n = claim("natale-2024-n").bound(density=0.1, eps=eps, C=2)
    assert n * entropy(0.1) == pytest.approx(claim("natale-2024-one-target").bound(k=0.1 * n, eps=eps, C=2))
    # the lower bound at half of the parameters is that of Pensia et al. up to the k under the logarithm
    assert claim("natale-2024-lower").bound(width=4, k=8, eps=eps) == pytest.approx(8 * math.log2(800))


def _density_of_sum(k: int, x: Fraction) -> float:
    total = sum((-1) ** j * math.comb(k, j) * max(x + k - 2 * j, Fraction(0)) ** (k - 1) for j in range(k + 1))
    return float(total / (math.factorial(k - 1) * 2**k))


def test_sum_bounded_constants_by_irwin_hall():
    above, below = claim("natale-2024-sum-bounded-above"), claim("natale-2024-sum-bounded-below")
    assert above.constants["c"] == pytest.approx(0.7071, abs=5e-5)
    assert below.constants["c"] == pytest.approx(0.154, abs=5e-4)
    lowest = [0.5]
    for k in range(2, 31):
        assert _density_of_sum(k, Fraction(0)) <= above.bound(k=k) * (1 + 1e-12)
        lowest.append(_density_of_sum(k, Fraction(math.sqrt(k))) * math.sqrt(k))
        assert lowest[-1] >= below.constants["c"]
    np.testing.assert_allclose(lowest[:4], [0.5, 0.207, 0.174, 0.167], atol=6e-4)
    assert all(a > b for a, b in itertools.pairwise(lowest))
    assert _density_of_sum(2, Fraction(0)) == above.bound(k=2) / 1 == 0.5


def test_burkholz_histograms():
    uniform, product = claim("burkholz-2022-sizes"), claim("burkholz-2022-product-sizes")
    assert uniform.bound(size=np.arange(11)).sum() == pytest.approx(1)
    assert product.bound(size=np.arange(13)).sum() == pytest.approx(1)
    with pytest.raises(ArgumentError, match="nan at size = 11"):
        uniform.bound(size=11)
    # without the failures, the mean is the published mean size up to the sizes that failures have
    sizes = np.arange(11)
    mean = (sizes * uniform.bound(size=sizes)).sum()
    assert mean == pytest.approx(claim("burkholz-2022-size").bound(), abs=0.01)
    assert claim("burkholz-2022-fail").bound() == 0.00404
    assert claim("burkholz-2022-product-fail").bound() == 0.03552


def test_small_formulas():
    assert claim("kumar-2025-lower").bound(width=3, step=0.25, delta=0.5) == pytest.approx(9 * math.log2(9) - 1)
    assert claim("otsuka-2025-experiment").bound(n=0) == 0.8
    assert claim("otsuka-2025-softmax").bound(d_in=16, alpha=2, eps=0.1) == pytest.approx(3.2)
    assert claim("burkholz-2022-error").bound(
        eps=0.1, l=2, width=10, layer=2, lipschitz=3, activation=1, norm=5
    ) == pytest.approx(0.1 / (10 * 2 * 2 * 1.05))
    n = claim("turner-2020-samples").bound(d=6, eps=1e-3)
    assert n == pytest.approx(6 * math.log2(math.sqrt(n) / 1e-3))


def test_self_consistent_n_solves_its_equation():
    factor, scale = np.array([0.5, 3.0, 40.0]), np.array([1e4, 50.0, 2.0])
    n = self_consistent_n(factor, scale)
    np.testing.assert_allclose(n, factor * np.log2(scale * n))
    np.testing.assert_allclose(self_consistent_n(1.0, 0.1), 0.0)


def test_self_consistent_n_where_the_solutions_meet():
    scale = np.array([np.nextafter(math.e, 0), math.e, np.nextafter(math.e, 3)])  # e itself is above math.e
    np.testing.assert_allclose(self_consistent_n(math.log(2), scale), [0, 0, 1], atol=1e-6)


# ---- derivations against simulation: intervals of six standard errors, a false alarm rate of 2e-9 each


def _agrees(hits: np.ndarray, p: float) -> bool:
    return abs(hits.mean() - p) < 6 * math.sqrt(p * (1 - p) / len(hits))


@pytest.mark.statistical
@pytest.mark.parametrize(("n", "eps", "radius"), [(1, 0.1, 1.0), (4, 0.05, 1.0), (4, 0.01, 0.5), (9, 0.25, 1.0)])
def test_one_sided_samples(n, eps, radius):
    x = np.random.default_rng(n).uniform(-1, 1, (400_000, n))
    up, down = np.maximum(x, 0).sum(axis=1), np.maximum(-x, 0).sum(axis=1)
    low = (up < radius - eps) | (down < radius - eps)
    p = float(claim("edge-fail").bound(n=n, eps=eps, radius=radius))
    assert p >= 1 - 1e-12 if low.all() else _agrees(low, p)
    assert claim("edge-one-target").bound(n=n, eps=eps, z=0.0) == 0
    assert _agrees(up < 0.6 - eps, float(claim("edge-one-target").bound(n=n, eps=eps, z=0.6)))


def test_one_sided_samples_for_a_random_target():
    mean, _ = quad(lambda z: float(claim("edge-one-target").bound(n=15, eps=0.01, z=z)), 0.01, 1)
    assert claim("edge-mean-target").bound(n=15, eps=0.01) == pytest.approx(mean)
    assert claim("edge-mean-target").bound(n=15, eps=0.0) == pytest.approx(0.00188, abs=5e-6)


def test_one_sided_samples_bound_n_from_below():
    this = claim("edge-samples")
    eps = 2.0 ** -np.arange(2, 27, 4)
    n = this.bound(eps=eps, delta=eps)
    edge = claim("edge-fail")
    assert (edge.bound(n=n, eps=eps) <= eps).all()
    assert (edge.bound(n=n - 1, eps=eps) > eps).all()
    assert (n > claim("counting-1d").bound(eps=eps)).all()
    # medians and 0.9 quantiles of 4,000 samples at eps = 2^-4, 2^-6, ..., 2^-14
    known = 2.0 ** -np.arange(4, 15, 2)
    for delta, seen in ((0.5, [8, 11, 13, 15, 18, 20]), (0.1, [11, 14, 16, 18, 20, 23])):
        assert (this.bound(eps=known, delta=delta) <= seen).all()
    np.testing.assert_allclose((n / -np.log2(eps))[[3, 6]], [1.93, 1.62], atol=5e-3)
    with pytest.raises(ArgumentError, match=r"nan at .*delta = -1"):
        this.bound(eps=0.1, delta=-1.0)
    slope = claim("edge-slope").bound(n=[50, 100, 400], eps=1e-3)
    np.testing.assert_allclose(slope, -1 + math.log2(math.e) / np.sqrt([50, 100, 400]), atol=0.01)


def _all_sums(x: np.ndarray) -> np.ndarray:
    """(trials, n) -> (trials, 2^n)"""
    sums = np.zeros((len(x), 1))
    for i in range(x.shape[1]):
        sums = np.concatenate([sums, sums + x[:, i : i + 1]], axis=1)
    return sums


@pytest.mark.statistical
def test_poisson_law_of_one_target():
    """A heuristic: within a tenth, for a target away from the edges."""
    x = np.random.default_rng(5).uniform(-1, 1, (4000, 11))
    missed = np.abs(_all_sums(x) - 0.37).min(axis=1) > 0.01
    p = float(claim("poisson-one-target").bound(n=11, eps=0.01, z=0.37))
    assert abs(missed.mean() - p) < 0.1 * p + 6 * math.sqrt(p / 4000)


def test_poisson_laws_reach_their_thresholds():
    n = claim("poisson-threshold").bound(eps=1e-3)
    assert claim("poisson-one-target").bound(n=n, eps=1e-3) == pytest.approx(0.514, abs=1e-3)
    d = np.array([1, 4, 16])
    n = claim("normal-threshold").bound(d=d, eps=1e-2)
    np.testing.assert_allclose(claim("normal-one-target").bound(n=n, d=d, eps=1e-2), [0.350, 0.349, 0.394], atol=1e-3)


def test_poisson_law_of_every_target():
    n = np.arange(1, 30)
    exponents = range(4, 15, 2)
    for delta, expected in ((0.5, [7, 10, 12, 15, 17, 19]), (0.1, [9, 11, 14, 16, 19, 21])):
        first = [n[claim("poisson-cover").bound(n=n, eps=2.0**-e) >= 1 - delta][0] for e in exponents]
        assert first == expected


@pytest.mark.statistical
def test_second_moment_of_normal_vectors_by_enumeration():
    n, k, d, eps = 8, 3, 2, 0.1
    x = np.random.default_rng(3).standard_normal((60_000, n, d))
    count = np.zeros(len(x))
    for subset in itertools.combinations(range(n), k):
        count += np.abs(x[:, subset].sum(axis=1)).max(axis=1) <= eps
    ratio = (count**2).mean() / count.mean() ** 2
    expected = float(claim("second-moment-normal").bound(n=n, k=k, d=d, eps=eps))
    assert ratio == pytest.approx(expected, rel=0.05)  # one standard error is 0.6 %


@pytest.mark.parametrize(
    ("d", "n", "k"),
    [
        (1, 11, 5),
        (2, 21, 9),
        (3, 31, 13),
        (4, 42, 18),
        (6, 65, 26),
        (8, 89, 28),
        (12, 147, 42),
        (16, 204, 56),
        (24, 381, 67),
        (32, 519, 84),
    ],
)
def test_second_moment_guarantees_one_target(d, n, k):
    """n on a grid of 6 to 8 %: enough there, not enough 15 % below for any k."""
    this = claim("second-moment-normal")
    assert this.bound(n=n, k=k, d=d, eps=0.01) <= 2
    fewer = math.floor(0.85 * n)
    sizes = np.unique(np.linspace(1, fewer // 2, 40).astype(int))
    assert this.bound(n=fewer, k=sizes, d=d, eps=0.01).min() > 2


def test_second_moment_by_the_definition():
    n, k, d, eps, z = 12, 4, 3, 0.02, 0.7
    mean = math.comb(n, k) * (2 * eps) ** d * (2 * math.pi * k) ** (-d / 2) * math.exp(-(z**2) / (2 * k))
    i = np.arange(k)
    pairs = (1 - (i / k) ** 2) ** (-d / 2) * np.exp(z**2 * i / (k * (k + i)))
    expected = (hypergeom.pmf(i, n, k, k) * pairs).sum() + 1 / mean
    assert claim("second-moment-normal").bound(n=n, k=k, d=d, eps=eps, z=z) == pytest.approx(expected)


# ---- covering processes and groups


def test_stevens_on_small_circles():
    """Two arcs of length a cover with probability 2 a - 1; one covers only as the whole circle."""
    np.testing.assert_allclose(claim("stevens-1939").bound(n=2, arc=[0.5, 0.75, 1.0]), [0.0, 0.5, 1.0], atol=1e-12)
    rng = np.random.default_rng(0)
    places = np.sort(rng.random((40_000, 12)), axis=1)
    gaps = np.diff(places, axis=1, append=places[:, :1] + 1)
    seen = (gaps.max(axis=1) <= 0.3).mean()
    assert seen == pytest.approx(float(claim("stevens-1939").bound(n=12, arc=0.3)), abs=0.013)  # 5 standard errors


@pytest.mark.parametrize(("k", "m"), [(1, 1), (2, 1), (2, 2), (3, 2), (4, 3)])
def test_span_over_two_elements_by_enumeration(k, m):
    covered = 0
    for vectors in itertools.product(range(2**m), repeat=k):
        sums = {0}
        for v in vectors:
            sums |= {s ^ v for s in sums}
        covered += len(sums) == 2**m
    assert claim("group-cover").bound(k=k, m=m) == pytest.approx(covered / 2 ** (m * k))


def test_mean_number_of_perfect_partitions_by_simulation():
    """n = 14 integers up to M = 2^14: the mean over 2,000 samples, four standard errors."""
    n, largest = 14, 2**14
    lam = math.log2(largest) - n + math.log2(n) / 2
    rng, counts = np.random.default_rng(1), []
    for _ in range(2000):
        x = rng.integers(1, largest + 1, n)
        sums = np.zeros(1, dtype=np.int64)
        for v in x[1:]:
            sums = np.concatenate([sums + v, sums - v])
        counts.append((np.abs(sums + x[0]) <= 1).sum())
    error = np.std(counts) / math.sqrt(len(counts))
    limit = float(claim("borgs-2001-counts").bound(lam=lam))
    assert abs(np.mean(counts) - limit) <= 4 * error + 0.1 * limit  # and the first correction in 1/n
