"""The catalogue: its form, and each number in it by another route."""

from __future__ import annotations

import itertools
import math
import re
from fractions import Fraction

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import hypergeom, poisson

from rssp.balls import Ball
from rssp.errors import ArgumentError
from rssp.theory import Kind, catalog, claim
from rssp.theory.catalog import CATALOGUE
from rssp.theory.catalog._formulas import entropy, self_consistent_n

STUDIES = {
    "lueker_1998",
    "becchetti_2022",
    "da_cunha_2023",
    "pensia_2020",
    "burkholz_statistics",
    "da_cunha_2022",
    "covering_law",
    "failure_tail",
    "second_moments",
    "growth_lemma",
    "layers",
}
# values inside the range of every claim that uses the name, in rising order
GRID = {
    "M": [15, 255, 4095],
    "activation": [1.0, 2.0, 4.0],
    "alpha": [0.5, 1.0, 2.0],
    "basis": [2, 4, 8],
    "basis_norm": [1.0, 4.0, 16.0],
    "budget": [0.0, 0.5, 1.0],
    "c": [1, 3, 16],
    "c_in": [1, 3, 16],
    "c_out": [4, 8, 64],
    "d": [1, 2, 4],
    "d_in": [4, 16, 784],
    "d_out": [2, 10, 500],
    "delta": [0.001, 0.01, 0.1],
    "density": [0.05, 0.2, 0.45],
    "eps": [0.001, 0.01, 0.05],
    "gap": [0, 1, 7],
    "heads": [1, 4, 8],
    "hidden_layers": [1, 2, 3],
    "k": [2, 4, 6],
    "kernel": [1, 3, 5],
    "l": [3, 4, 8],
    "lam": [-1.0, 0.0, 1.0],
    "layer": [1, 2, 3],
    "lipschitz": [1.0, 1.5, 2.0],
    "m_t": [100, 1000, 10000],
    "n": [20, 25, 30],
    "norm": [1.0, 1.5, 2.0],
    "parameters": [1e5, 1e6, 1e7],
    "rho": [1.0, 10.0, 100.0],
    "size": [0, 1, 2],
    "sparsity": [0.1, 0.5, 0.9],
    "step": [0.01, 0.1, 0.25],
    "v": [0.1, 0.5, 0.9],
    "width": [2, 16, 64],
    "z": [0.1, 0.5, 0.9],
}
# how a quantity moves with a variable, where it is not "more of everything, and more for a smaller error"
FALLING = {"eps", "delta", "step", "gap", "budget"}
EXCEPTIONS = {
    ("P(fail)", "n"): -1,
    ("P(fail)", "M"): 1,
    ("P(miss one target)", "n"): -1,
    ("P(miss one target)", "z"): 1,
    ("P(cover)", "eps"): 1,
    ("P(perfect)", "lam"): -1,
    ("E[error] (one target)", "n"): -1,
    ("E[Y^2]/E[Y]^2", "n"): -1,
    ("discrepancy", "n"): -1,
    ("density of a sum of k", "k"): -1,
    ("density", "eps"): 1,
    ("density", "m_t"): -1,
    ("error", "eps"): 1,
    ("error", "n"): -1,
    ("error", "l"): -1,
    ("parameter error", "eps"): 1,
    **{("parameter error", name): -1 for name in ("l", "width", "activation", "lipschitz", "norm")},
    ("log2 P(fail) per sample", "n"): -1,
    ("log2 P(fail) per sample", "eps"): -1,
    ("median error", "n"): -1,
    ("n* (one target)", "density"): 0,  # falls as there are more subsets, rises with the targets' interval
    ("width", "d_in"): 0,  # a wide net of the same number of parameters is narrower for a wider input
    ("width", "d_out"): 0,
    ("width", "hidden_layers"): -1,
    ("subset size", "d"): 0,  # of all n it is a falling share; with n free it grows
    ("E[Y^2]/E[Y]^2", "k"): 0,  # more pairs overlap, but the mean grows
    ("E[dv]", "v"): 0,  # logistic
    ("fraction", "size"): 0,  # a histogram
}
ONES = {"C": 1.5, "kappa": 2.0, "gamma": 0.1, "A": 1.0, "c": 0.5}
ALL = list(CATALOGUE.values())
BY_ID = pytest.mark.parametrize("this", ALL, ids=[c.id for c in ALL])


def _unknown(this):
    return {name: ONES[name] for name in this.unknown}


def test_ids_are_plain_and_complete():
    assert all(id == c.id and re.fullmatch(r"[a-z0-9-]+", id) for id, c in CATALOGUE.items())
    own = [i for i, c in enumerate(ALL) if c.paper == "rssp, theory notes"]
    assert len(ALL) > 80
    assert len(own) >= 15


def test_every_word_is_explained():
    text = " ".join((catalog.__doc__ or "").split())
    for c in ALL:
        assert f"``{c.quantity}``" in text or c.id.startswith(("borgs", "bcmn"))
        assert all(f"``{name}``" in text for name in c.variables), c.id


def test_papers_are_ordered_by_year():
    years = [int(c.id.split("-")[1]) for c in ALL if re.match(r"[a-z]+-(19|20)\d\d", c.id)]
    assert years == sorted(years)


@BY_ID
def test_every_claim_is_fully_described(this):
    assert this.paper
    assert this.number
    assert this.statement.endswith(".")
    assert this.valid
    assert this.quantity
    assert this.formula is not None or this.unreachable
    assert (this.study in STUDIES) != bool(this.unreachable), "a study, or the reason why there is none"


@BY_ID
def test_latex_can_be_drawn(this):
    from matplotlib.mathtext import MathTextParser

    bare = re.sub(r"\\[{}]", "", this.latex)
    depth = list(itertools.accumulate((ch == "{") - (ch == "}") for ch in bare))
    assert min(depth, default=0) >= 0
    assert depth[-1] == 0
    MathTextParser("path").parse(f"${this.latex}$")


@BY_ID
def test_unknown_constants_are_never_assumed(this):
    if this.formula is None:
        with pytest.raises(ArgumentError, match="with a formula"):
            this.bound()
        return
    values = {name: GRID[name][1] for name in this.variables}
    if this.unknown:
        with pytest.raises(ArgumentError, match="leaves open"):
            this.bound(**values)
    assert np.isfinite(this.bound(**values, **_unknown(this))).all() or this.id == "own-quantiles"


@BY_ID
def test_formula_takes_arrays(this):
    if not this.variables or this.id == "own-quantiles":
        return
    columns = {name: np.array(GRID[name]) for name in this.variables}
    together = this.bound(**columns, **_unknown(this))
    single = [this.bound(**{k: v[i] for k, v in columns.items()}, **_unknown(this)) for i in range(3)]
    assert together.shape == (3,)
    np.testing.assert_allclose(together, single, rtol=1e-12)


@BY_ID
def test_formula_moves_as_it_should(this):
    for name in this.variables:
        sign = EXCEPTIONS.get((this.quantity, name), -1 if name in FALLING else 1)
        if sign == 0 or "experiment" in this.id or this.id == "own-quantiles":
            continue
        others = {other: GRID[other][1] for other in this.variables if other != name}
        value = this.bound(**others, **_unknown(this), **{name: np.array(GRID[name])})
        steps = np.diff(np.broadcast_to(value, (3,)))
        assert (sign * steps >= -1e-12 * np.abs(value).max()).all(), (name, value)


@BY_ID
def test_upper_and_lower_bounds_are_not_negative(this):
    if this.formula and this.kind in (Kind.SUFFICIENT, Kind.NECESSARY):
        values = {name: np.array(GRID[name]) for name in this.variables}
        assert (this.bound(**values, **_unknown(this)) >= 0).all()


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
    assert claim("becchetti-2022-size").bound(n=600, d=4) == 50
    # bounded second moment at that size: (1 - 1/(36 d))^(-d/2) stays below exp(1/70)
    d = np.array([1, 10, 100, 1000])
    k = claim("becchetti-2022-size").bound(n=1e6, d=d)
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
    assert np.isnan(uniform.bound(size=11))
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
    known = 2.0 ** -np.arange(4, 15, 2)
    for delta in (0.5, 0.1):
        assert (this.bound(eps=known, delta=delta) <= claim("own-quantiles").bound(eps=known, delta=delta)).all()
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
    """A heuristic: within a fifth, for a target away from the edges."""
    x = np.random.default_rng(5).uniform(-1, 1, (4000, 11))
    missed = np.abs(_all_sums(x) - 0.37).min(axis=1) > 0.01
    p = float(claim("poisson-one-target").bound(n=11, eps=0.01, z=0.37))
    assert p == pytest.approx(missed.mean(), rel=0.2, abs=6 * math.sqrt(p / 4000) / 2)


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
    x = np.random.default_rng(3).standard_normal((200_000, n, d))
    count = np.zeros(len(x))
    for subset in itertools.combinations(range(n), k):
        count += np.abs(x[:, subset].sum(axis=1)).max(axis=1) <= eps
    ratio = (count**2).mean() / count.mean() ** 2
    expected = float(claim("second-moment-normal").bound(n=n, k=k, d=d, eps=eps))
    assert ratio == pytest.approx(expected, rel=0.05)  # 1.3 % is one standard error; eps^2 terms 1 %


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
