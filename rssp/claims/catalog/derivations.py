"""What is derived here, line by line in the statements: growth, sums as a Poisson process, moments, own tables."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln, logsumexp, xlogy

from rssp.claims.catalog.formulas import NOTES, bits, log_choose, lookup, self_consistent_n
from rssp.claims.statement import Claim, Kind, Wording

__all__ = ["CLAIMS"]

_UNIFORM = "X_i uniform on [-1, 1]"
_SECOND_MOMENT_NORMAL = {
    1: 11.0,
    2: 21.0,
    3: 31.0,
    4: 42.0,
    6: 65.0,
    8: 89.0,
    12: 147.0,
    16: 204.0,
    24: 381.0,
    32: 519.0,
}
_SECOND_MOMENT_NSN = {1: 11.0, 2: 21.0, 3: 33.0, 4: 44.0, 6: 68.0, 8: 108.0, 12: 191.0, 16: 259.0}
_MEDIANS = {4.0: 8.0, 6.0: 11.0, 8.0: 13.0, 10.0: 15.0, 12.0: 18.0, 14.0: 20.0}
_NINETIES = {4.0: 11.0, 6.0: 13.0, 8.0: 16.0, 10.0: 18.0, 12.0: 20.0, 14.0: 23.0}


@np.vectorize(otypes=[np.float64])
def _gaussian_ratio(n: float, k: float, d: float, eps: float, z: float) -> float:
    i = np.arange(round(k))
    log_share = log_choose(k, i) + log_choose(n - k, k - i) - log_choose(n, k)
    log_share[k - i > n - k] = -np.inf
    log_pair = -d / 2 * np.log1p(-((i / k) ** 2)) + z**2 * i / (k * (k + i))
    log_mean = log_choose(n, k) + d * math.log(2 * eps) - d / 2 * math.log(2 * math.pi * k) - z**2 / (2 * k)
    return float(np.exp(logsumexp(np.append(log_share + log_pair, -log_mean))))


_G = np.linspace(-12.0, 12.0, 2401)  # the trapezium rule in steps of 0.01 is exact to 1e-12 for smooth integrands
_WEIGHTS = np.exp(-(_G**2) / 2) / math.sqrt(2 * math.pi) * 0.01


def _log_density(n, z) -> NDArray[np.float64]:  # type: ignore[no-untyped-def]
    """log of 2^n times the density of the sums at z, a row of it over the standard normal G that places the sample."""
    n, z = (np.asarray(x, dtype=np.float64)[..., None] for x in (n, z))
    return n * math.log(2) + 0.5 * np.log(6 / (math.pi * n)) - (_G - z / np.sqrt(n / 12)) ** 2 / 2


def _miss_one(n, eps, z):  # type: ignore[no-untyped-def]
    eps = np.asarray(eps, dtype=np.float64)[..., None]
    return (np.exp(-2 * eps * np.exp(_log_density(n, z))) * _WEIGHTS).sum(axis=-1)


def _cover(n, eps, radius):  # type: ignore[no-untyped-def]
    eps = np.asarray(eps, dtype=np.float64)[..., None]
    density = np.exp(_log_density(n, 0.0))
    # fewer sums than windows cannot cover: the gaps are then no rare events, and the formula does not apply
    covered = np.where(2 * eps * density >= 1, np.exp(-2 * radius * density * np.exp(-2 * eps * density)), 0.0)
    return (covered * _WEIGHTS).sum(axis=-1)


def _chi_density(r: NDArray[np.float64], d: float) -> NDArray[np.float64]:
    """The density of the length of a standard normal vector in R^d."""
    return np.exp(xlogy(d - 1, r) - r**2 / 2 - (d / 2 - 1) * math.log(2) - gammaln(d / 2))


def _miss_one_normal(n, d, eps):  # type: ignore[no-untyped-def]
    def one(n: float, d: float, eps: float) -> float:
        r = np.linspace(0.0, math.sqrt(d) + 12, 4001)
        log_mean = d * math.log(2 * eps) + n * math.log(2) + d / 2 * math.log(2 / (math.pi * n))
        return float(np.trapezoid(np.exp(-np.exp(np.minimum(log_mean - r**2 / 2, 700.0))) * _chi_density(r, d), r))

    return np.vectorize(one, otypes=[np.float64])(n, d, eps)


def _growth_samples(eps, c):  # type: ignore[no-untyped-def]
    return bits(eps) * (1 / np.log2(1 + c) - 1 / np.log2(1 - c))


def _own_quantiles(eps, delta):  # type: ignore[no-untyped-def]
    e, delta = np.round(bits(eps), 9), np.asarray(delta, dtype=np.float64)
    return np.where(delta == 0.5, lookup(_MEDIANS)(e), np.where(delta == 0.1, lookup(_NINETIES)(e), math.nan))


CLAIMS: tuple[Claim, ...] = (
    Claim(
        id="growth-half",
        paper=NOTES,
        number="derivation: growth lemma on the smaller interval",
        statement="On the targets [-1/2, 1/2] the covered fraction v grows in the mean by at least v(1 - v)/2: a "
        "target z that is not yet covered becomes covered when z - X is, and X is uniform on [-1, 1], so that "
        "[z - 1, z + 1] contains the whole interval, half of whose fraction v is thus hit: "
        "E[dv] >= integral of (1 - f(z)) v/2.",
        latex=r"\mathbf{E}[v_{t+1} - v_t \mid v_t] \geq \frac{1}{2} v_t (1 - v_t)",
        kind=Kind.NECESSARY,
        quantity="E[dv]",
        formula=lambda v, c: c * np.asarray(v, dtype=np.float64) * (1 - np.asarray(v, dtype=np.float64)),
        constants={"c": 0.5},
        valid=_UNIFORM + ", targets in [-1/2, 1/2]; a lower bound of the growth",
        wording=Wording.VERIFIED,
    ),
    Claim(
        id="growth-samples",
        paper=NOTES,
        number="derivation: samples from the growth lemma",
        statement="If v grew by exactly c v(1 - v) every time, it would take log2(1/eps)/log2(1 + c) samples from eps "
        "to a constant, and log2(1/eps)/log2(1/(1 - c)) more until 1 - v is eps: 5.5 log2(1/eps) for c = 1/4, 2.7 "
        "log2(1/eps) for c = 1/2.",
        latex=r"n = \left(\frac{1}{\log_2 (1 + c)} + \frac{1}{\log_2 \frac{1}{1 - c}}\right) "
        r"\log_2 \frac{1}{\varepsilon}",
        kind=Kind.SUFFICIENT,
        quantity="n*",
        formula=_growth_samples,
        constants={"c": 0.25},
        valid="a mean-field count, not a proof: it leaves out the fluctuations of v",
        wording=Wording.VERIFIED,
    ),
    Claim(
        id="poisson-one-target",
        paper=NOTES,
        number="derivation: one target, sums as a Poisson process",
        statement="Given the sample, a random subset's sum has mean half the sample's total, itself normal with "
        "variance n/12, and variance near n/12: 2^n times its normal density at z is the density of sums. If they fell "
        "independently, the target would be missed with probability exp(-2 eps density), averaged over the sample's "
        "place G. It falls like 2^-n/eps up to powers of n, since a one-sided sample spoils all subsets at once.",
        latex=r"P(\mathrm{miss}) = \mathbf{E}_G \exp\left(-2 \varepsilon \, 2^n \sqrt{\frac{6}{\pi n}} \, "
        r"e^{-(G - z \sqrt{12/n})^2 / 2}\right)",
        kind=Kind.EQUALITY,
        quantity="P(miss one target)",
        formula=_miss_one,
        constants={"z": 0.0},
        valid=_UNIFORM + "; a heuristic with the normal density: within a tenth of simulations for n = 8 to 14 at "
        "z = 0.37, up to 30 % too low at z = 0.9, too high at z = 0, which no one-sided sample misses (the empty "
        "subset not counted); the covering law replaces it",
        wording=Wording.VERIFIED,
    ),
    Claim(
        id="poisson-cover",
        paper=NOTES,
        number="derivation: every target, sums as a Poisson process",
        statement="With the density of poisson-one-target, constant over [-radius, radius], 2 radius density sums each "
        "open a gap longer than 2 eps with probability exp(-2 eps density).",
        latex=r"P(\mathrm{cover}) = \mathbf{E}_G \exp\left(-2 r \lambda_G e^{-2 \varepsilon \lambda_G}\right), \quad "
        r"\lambda_G = 2^n \sqrt{\frac{6}{\pi n}} \, e^{-G^2/2}",
        kind=Kind.EQUALITY,
        quantity="P(cover)",
        formula=_cover,
        constants={"radius": 1.0},
        valid=_UNIFORM + "; a heuristic: the median of n* comes out up to one sample low, the 0.9 and 0.99 quantiles "
        "lower; the covering law replaces it",
        wording=Wording.VERIFIED,
    ),
    Claim(
        id="poisson-threshold",
        paper=NOTES,
        number="derivation: where one sum falls within eps",
        statement="At the centre of a typical sample's sums one sum is expected within eps of the target where "
        "2 eps 2^n sqrt(6/(pi n)) = 1. There a target at 0 is missed with probability 0.514 by poisson-one-target.",
        latex=r"n = \log_2 \frac{1}{2 \varepsilon} + \frac{1}{2} \log_2 \frac{\pi n}{6}",
        kind=Kind.EQUALITY,
        quantity="n* (one target)",
        formula=lambda eps: self_consistent_n(0.5, math.pi / (24 * np.asarray(eps, dtype=np.float64) ** 2)),
        valid=_UNIFORM
        + ", a target near 0, the empty subset not counted, delta near 1/2; a threshold, not a whole number",
        wording=Wording.VERIFIED,
    ),
    Claim(
        id="normal-one-target",
        paper=NOTES,
        number="derivation: one target in d dimensions, normal vectors",
        statement="The mean of a random subset's sum is N(0, n/4) in every coordinate, like its spread: the density of "
        "sums at 0 is 2^n (2/(pi n))^(d/2) exp(-Q/2), Q chi-square with d degrees of freedom, and the target is missed "
        "with probability exp(-(2 eps)^d density) in the mean over Q.",
        latex=r"P(\mathrm{miss}) = \mathbf{E}_{Q \sim \chi^2_d} \exp\left(-(2 \varepsilon)^d \, 2^n "
        r"\left(\frac{2}{\pi n}\right)^{d/2} e^{-Q/2}\right)",
        kind=Kind.EQUALITY,
        quantity="P(miss one target)",
        formula=_miss_one_normal,
        valid="X_i standard normal in R^d, target near 0, the empty subset not counted, error in the max norm; n well "
        "above d",
        wording=Wording.VERIFIED,
    ),
    Claim(
        id="normal-threshold",
        paper=NOTES,
        number="derivation: threshold in d dimensions, normal vectors",
        statement="normal-one-target's exponent is 1 for a typical Q = d where "
        "n = d (log2(1/(2 eps)) + log2(pi n/2)/2 + log2(e)/2): linear in d, where the theorem has d^3.",
        latex=r"n = d \left(\log_2 \frac{1}{2 \varepsilon} + \frac{1}{2} \log_2 \frac{\pi n}{2} + "
        r"\frac{1}{2} \log_2 e\right)",
        kind=Kind.EQUALITY,
        quantity="n* (one target)",
        formula=lambda d, eps: self_consistent_n(
            np.asarray(d, dtype=np.float64) / 2, math.pi * math.e / (8 * np.asarray(eps, dtype=np.float64) ** 2)
        ),
        valid="X_i standard normal in R^d, target near 0, the empty subset not counted, delta about 0.35 to 0.4 by "
        "normal-one-target; a threshold, not a whole number",
        wording=Wording.VERIFIED,
    ),
    Claim(
        id="covering-law",
        paper=NOTES,
        number="covering law",
        statement="n* is where the predicted P(cover) crosses 1 - delta: the measured n* less that one is 0.",
        latex=r"P(\mathrm{cover}) = \mathbf{E}\, e^{-\mu(X)}",
        kind=Kind.EQUALITY,
        quantity="n* less its prediction",
        formula=lambda difference: difference,
        constants={"difference": 0.0},
        valid=_UNIFORM + ", both interpolated alike; the interval holds the error of the prediction's average as well",
        wording=Wording.VERIFIED,
    ),
    Claim(
        id="second-moment-normal",
        paper=NOTES,
        number="derivation: overlapping k-subsets of normal vectors",
        statement="Two k-subsets that share i vectors have sums with correlation i/k in every coordinate. For small "
        "eps both hit z with (1 - (i/k)^2)^(-d/2) exp(|z|^2 i/(k(k + i))) times the product of their probabilities; i "
        "is hypergeometric, and i = k adds 1/E[Y], E[Y] = C(n, k) (2 eps)^d (2 pi k)^(-d/2) exp(-|z|^2/(2k)).",
        latex=r"\frac{\mathbf{E}[Y^2]}{\mathbf{E}[Y]^2} = \sum_{i=0}^{k-1} P(I = i) "
        r"\left(1 - \frac{i^2}{k^2}\right)^{-d/2} e^{\frac{|z|^2 i}{k (k + i)}} + \frac{1}{\mathbf{E}[Y]}",
        kind=Kind.EQUALITY,
        quantity="E[Y^2]/E[Y]^2",
        formula=lambda n, k, d, eps, z: _gaussian_ratio(n, k, d, eps, z),
        constants={"z": 0.0},
        valid="X_i standard normal in R^d, eps small against 1, 1 <= k < n; z is the 2-norm of the target",
        wording=Wording.VERIFIED,
    ),
    Claim(
        id="second-moment-limit",
        paper=NOTES,
        number="derivation: limit of the second-moment ratio",
        statement="For many subsets, k = a n, and a target at 0, the overlap is near k^2/n and the ratio near "
        "(1 - a^2)^(-d/2): bounded only for a of order 1/sqrt(d); half of the vectors would cost (4/3)^(d/2).",
        latex=r"\frac{\mathbf{E}[Y^2]}{\mathbf{E}[Y]^2} \to \left(1 - \frac{k^2}{n^2}\right)^{-d/2}",
        kind=Kind.EQUALITY,
        quantity="E[Y^2]/E[Y]^2",
        formula=lambda n, k, d: (1 - (np.asarray(k, dtype=np.float64) / n) ** 2) ** (-np.asarray(d) / 2),
        valid="X_i standard normal in R^d, n to infinity, E[Y] large",
        wording=Wording.VERIFIED,
        error=lambda value: 0.02 * value,  # of the limit at n = 2000
    ),
    Claim(
        id="own-second-moment-normal",
        paper=NOTES,
        number="table: second-moment guarantee, normal vectors",
        statement="The smallest n for which some k makes second-moment-normal's ratio at most 2, so that a target at 0 "
        "is hit with probability 1/2: 11, 21, 31, 42, 65, 89, 147, 204, 381, 519 for d = 1, 2, 3, 4, 6, 8, 12, 16, 24, "
        "32, at 1.6 to 2.4 times d log2(1/eps).",
        latex=r"n(d = 16) = 204",
        kind=Kind.PUBLISHED,
        quantity="n with E[Y^2]/E[Y]^2 <= 2",
        formula=lambda d: lookup(_SECOND_MOMENT_NORMAL)(d),
        valid="eps = 0.01, z = 0, d in the table; n was tried in steps of 6 to 8 %, so the smallest n may be lower by "
        "as much",
        wording=Wording.VERIFIED,
        error=lambda value: 0.08 * value,
    ),
    Claim(
        id="own-second-moment-nsn",
        paper=NOTES,
        number="table: second-moment guarantee, normally-scaled vectors",
        statement="The same for normally-scaled vectors with k >= 2 d: 11, 21, 33, 44, 68, 108, 191, 259 for d = 1, 2, "
        "3, 4, 6, 8, 12, 16.",
        latex=r"n(d = 16) = 259",
        kind=Kind.PUBLISHED,
        quantity="n with E[Y^2]/E[Y]^2 <= 2",
        formula=lambda d: lookup(_SECOND_MOMENT_NSN)(d),
        valid="eps = 0.01, z = 0, d in the table (beyond 16 the simulation's tails were too heavy to trust); n in "
        "steps of 6 to 8 %",
        wording=Wording.VERIFIED,
        error=lambda value: 0.08 * value,
    ),
    Claim(
        id="own-quantiles",
        paper=NOTES,
        number="table: 400 samples, every target of [-1, 1]",
        statement="The first n with every target within eps: medians 8, 11, 13, 15, 18, 20 and 0.9 quantiles 11, 13, "
        "16, 18, 20, 23 at eps = 2^-4, 2^-6, ..., 2^-14.",
        latex=r"n^*(2^{-10}, 1/2) = 15",
        kind=Kind.PUBLISHED,
        quantity="n*",
        formula=_own_quantiles,
        valid="eps = 2^-4, 2^-6, ..., 2^-14 and delta = 1/2 or 0.1; from 400 samples: up to one sample uncertain",
        wording=Wording.VERIFIED,
        error=1.0,
    ),
    Claim(
        id="exact-kept",
        paper=NOTES,
        number="derivation: Pensia et al. (2020), Experiment 1, by exact search",
        statement="The nearest of all 2^21 sums for each of the 397,000 published weights keeps 9.860 samples a weight "
        "(mean error 1.6e-6, largest 7.9e-4), where the solver kept 9.385.",
        latex=r"\bar{k} = 9.860",
        kind=Kind.PUBLISHED,
        quantity="kept ratio",
        formula=lambda value: value,
        constants={"value": 9.860},
        valid="n = 21, one sample a row, uniform on [-0.46423155, 0.54070216], the published network",
        wording=Wording.VERIFIED,
        error=0.1,  # other weights, and 510 other samples
    ),
    Claim(
        id="exact-median",
        paper=NOTES,
        number="derivation: da Cunha et al. (2022), experiments, by exact search",
        statement="Median distance of the 2,572 convolution weights of a LeNet5 to the nearest sum of n fresh samples: "
        "1.26e-3, 4.5e-5, 1.7e-6, 5.5e-8, 1.9e-9 for n = 10, 15, 20, 25, 30.",
        latex=r"1.26 \cdot 10^{-3},\ 4.5 \cdot 10^{-5},\ 1.7 \cdot 10^{-6},\ 5.5 \cdot 10^{-8},\ 1.9 \cdot 10^{-9}",
        kind=Kind.PUBLISHED,
        quantity="median error",
        formula=lambda n: lookup({10.0: 1.26e-3, 15.0: 4.5e-5, 20.0: 1.7e-6, 25.0: 5.5e-8, 30.0: 1.9e-9})(n),
        valid="n = 10, 15, 20, 25, 30; two figures",
        wording=Wording.VERIFIED,
        error=lambda value: 0.15 * value,  # other weights, other samples
    ),
)
