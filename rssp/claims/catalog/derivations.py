"""What is derived here, line by line in the statements: growth, sums as a Poisson process, moments."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln, logsumexp, xlogy

from rssp.claims.catalog.formulas import NOTES, bits, log_choose, self_consistent_n
from rssp.claims.scope import Scope
from rssp.claims.statement import Claim, Kind, Sense, Wording

__all__ = ["CLAIMS"]

_UNIFORM = "X_i uniform on [-1, 1]"
_CHOSEN = 0.3
"""how far the heuristics for one target may be off: no derivation gives it, and their statements say so"""


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


def _log_density(n, z) -> NDArray[np.float64]:
    """log of 2^n times the density of the sums at z, a row of it over the standard normal G that places the sample."""
    n, z = (np.asarray(x, dtype=np.float64)[..., None] for x in (n, z))
    return n * math.log(2) + 0.5 * np.log(6 / (math.pi * n)) - (_G - z / np.sqrt(n / 12)) ** 2 / 2


def _miss_one(n, eps, z):
    eps = np.asarray(eps, dtype=np.float64)[..., None]
    return (np.exp(-2 * eps * np.exp(_log_density(n, z))) * _WEIGHTS).sum(axis=-1)


def _cover(n, eps, radius):
    eps = np.asarray(eps, dtype=np.float64)[..., None]
    density = np.exp(_log_density(n, 0.0))
    # fewer sums than windows cannot cover: the gaps are then no rare events, and the formula does not apply
    covered = np.where(2 * eps * density >= 1, np.exp(-2 * radius * density * np.exp(-2 * eps * density)), 0.0)
    return (covered * _WEIGHTS).sum(axis=-1)


def _chi_density(r: NDArray[np.float64], d: float) -> NDArray[np.float64]:
    """The density of the length of a standard normal vector in R^d."""
    return np.exp(xlogy(d - 1, r) - r**2 / 2 - (d / 2 - 1) * math.log(2) - gammaln(d / 2))


def _miss_one_normal(n, d, eps):
    def one(n: float, d: float, eps: float) -> float:
        r = np.linspace(0.0, math.sqrt(d) + 12, 4001)
        log_mean = d * math.log(2 * eps) + n * math.log(2) + d / 2 * math.log(2 / (math.pi * n))
        return float(np.trapezoid(np.exp(-np.exp(np.minimum(log_mean - r**2 / 2, 700.0))) * _chi_density(r, d), r))

    return np.vectorize(one, otypes=[np.float64])(n, d, eps)


def _growth_samples(eps, c):
    return bits(eps) * (1 / np.log2(1 + c) - 1 / np.log2(1 - c))


CLAIMS: tuple[Claim, ...] = (
    Claim(
        id="growth-half",
        paper=NOTES,
        number="section 2: the growth lemma on the smaller interval",
        statement="On the targets [-1/2, 1/2] the covered fraction v grows in the mean by at least v(1 - v)/2: a "
        "target z that is not yet covered becomes covered when z - X is, and X is uniform on [-1, 1], so that "
        "[z - 1, z + 1] contains the whole interval, half of whose fraction v is thus hit: "
        "E[dv] >= integral of (1 - f(z)) v/2.",
        latex=r"\mathbf{E}[v_{t+1} - v_t \mid v_t] \geq \frac{1}{2} v_t (1 - v_t)",
        kind=Kind.NECESSARY,
        quantity="E[dv]",
        formula=lambda v, c: c * np.asarray(v, dtype=np.float64) * (1 - np.asarray(v, dtype=np.float64)),
        constants={"c": 0.5},
        scope=Scope(laws=("uniform",), d=1, radius=(0.0, 0.5), targets="all", ranges={"v": (0.0, 1.0)}),
        valid=_UNIFORM + ", targets in [-1/2, 1/2]; a lower bound of the growth",
        wording=Wording.VERIFIED,
    ),
    Claim(
        id="growth-samples",
        paper=NOTES,
        number="section 2: samples from the growth lemma",
        statement="If v grew by exactly c v(1 - v) every time, it would take log2(1/eps)/log2(1 + c) samples from eps "
        "to a constant, and log2(1/eps)/log2(1/(1 - c)) more until 1 - v is eps: 5.5 log2(1/eps) for c = 1/4, 2.7 "
        "log2(1/eps) for c = 1/2. What is left then lies in gaps of at most 2 eps: every target is within 2 eps.",
        latex=r"n = \left(\frac{1}{\log_2 (1 + c)} + \frac{1}{\log_2 \frac{1}{1 - c}}\right) "
        r"\log_2 \frac{1}{\varepsilon}",
        kind=Kind.HEURISTIC,
        sense=Sense.AT_MOST,
        quantity="n with 1 - v <= eps",
        formula=_growth_samples,
        constants={"c": 0.25},
        scope=Scope(
            laws=("uniform",),
            d=1,
            radius=(0.0, 1.0),
            targets="all",
            ranges={"eps": (0.0, 1.0)},
            values={"delta": (0.5,)},
        ),
        valid="a mean-field count, not a proof: it leaves out the fluctuations of v, and says nothing of delta (read "
        "at 1/2); c = 1/4 for [-1, 1], 1/2 for [-1/2, 1/2]",
        wording=Wording.VERIFIED,
    ),
    Claim(
        id="poisson-one-target",
        paper=NOTES,
        number="section 3: one target, sums as a Poisson process",
        statement="Given the sample, a random subset's sum has mean half the sample's total, itself normal with "
        "variance n/12, and variance near n/12: 2^n times its normal density at z is the density of sums. If they fell "
        "independently, the target would be missed with probability exp(-2 eps density), averaged over the sample's "
        "place G. It falls like 2^-n/eps up to powers of n, since a one-sided sample spoils all subsets at once. "
        "Meant to "
        "within 30 %, an allowance that is chosen, not derived.",
        latex=r"P(\mathrm{miss}) = \mathbf{E}_G \exp\left(-2 \varepsilon \, 2^n \sqrt{\frac{6}{\pi n}} \, "
        r"e^{-(G - z \sqrt{12/n})^2 / 2}\right)",
        kind=Kind.HEURISTIC,
        quantity="P(miss one target)",
        formula=_miss_one,
        constants={"z": 0.0},
        scope=Scope(
            laws=("uniform",), d=1, targets="one", ranges={"eps": (0.0, 0.01), "n": (8, math.inf), "z": (0.1, 0.9)}
        ),
        valid=_UNIFORM
        + "; a heuristic with the normal density: too high at z = 0, which no one-sided sample misses (the "
        "empty subset not counted); the covering law replaces it",
        error=lambda value: _CHOSEN * value,
        wording=Wording.VERIFIED,
    ),
    Claim(
        id="poisson-cover",
        paper=NOTES,
        number="section 3: every target, sums as a Poisson process",
        statement="With the density of poisson-one-target, constant over [-radius, radius], 2 radius density sums each "
        "open a gap longer than 2 eps with probability exp(-2 eps density).",
        latex=r"P(\mathrm{cover}) = \mathbf{E}_G \exp\left(-2 r \lambda_G e^{-2 \varepsilon \lambda_G}\right), \quad "
        r"\lambda_G = 2^n \sqrt{\frac{6}{\pi n}} \, e^{-G^2/2}",
        kind=Kind.HEURISTIC,
        quantity="P(cover)",
        formula=_cover,
        constants={"radius": 1.0},
        scope=Scope(laws=("uniform",), d=1, radius=(0.0, 1.0), targets="all", ranges={"eps": (0.0, 1.0)}),
        valid=_UNIFORM + "; a heuristic: the median of n* comes out up to one sample low, the 0.9 and 0.99 quantiles "
        "lower; the covering law replaces it",
        wording=Wording.VERIFIED,
    ),
    Claim(
        id="poisson-threshold",
        paper=NOTES,
        number="section 3: where one sum falls within eps",
        statement="At the centre of a typical sample's sums one sum is expected within eps of the target where "
        "2 eps 2^n sqrt(6/(pi n)) = 1. There a target at 0 is missed with probability 0.514 by poisson-one-target. The "
        "first correction to the normal density is of relative size 1/n, which moves n by about 1/n.",
        latex=r"n = \log_2 \frac{1}{2 \varepsilon} + \frac{1}{2} \log_2 \frac{\pi n}{6}",
        kind=Kind.HEURISTIC,
        quantity="n* (one target)",
        formula=lambda eps: self_consistent_n(0.5, math.pi / (24 * np.asarray(eps, dtype=np.float64) ** 2)),
        scope=Scope(
            laws=("uniform",),
            d=1,
            targets="one",
            ranges={"eps": (0.0, 0.015625)},
            values={"z": (0.0,), "delta": (0.5,)},
        ),
        valid=_UNIFORM
        + ", a target near 0, the empty subset not counted, delta near 1/2; a threshold, not a whole number",
        error=lambda value: 1 / value,  # the first correction, docs/theory.md, section 3
        wording=Wording.VERIFIED,
    ),
    Claim(
        id="normal-one-target",
        paper=NOTES,
        number="section 4: one target in d dimensions",
        statement="The mean of a random subset's sum is N(0, n/4) in every coordinate, like its spread: the density of "
        "sums at 0 is 2^n (2/(pi n))^(d/2) exp(-Q/2), Q chi-square with d degrees of freedom, and the target is missed "
        "with probability exp(-(2 eps)^d density) in the mean over Q. Meant to within 30 %, an allowance that is "
        "chosen, not derived.",
        latex=r"P(\mathrm{miss}) = \mathbf{E}_{Q \sim \chi^2_d} \exp\left(-(2 \varepsilon)^d \, 2^n "
        r"\left(\frac{2}{\pi n}\right)^{d/2} e^{-Q/2}\right)",
        kind=Kind.HEURISTIC,
        quantity="P(miss one target)",
        formula=_miss_one_normal,
        scope=Scope(laws=("normal",), d=(1, math.inf), targets="one", ranges={"eps": (0.0, 1.0)}, values={"z": (0.0,)}),
        valid="X_i standard normal in R^d, target near 0, the empty subset not counted, error in the max norm; n well "
        "above d",
        error=lambda value: _CHOSEN * value,
        wording=Wording.VERIFIED,
    ),
    Claim(
        id="normal-threshold",
        paper=NOTES,
        number="section 4: the threshold in d dimensions",
        statement="normal-one-target's exponent is 1 for a typical Q = d where "
        "n = d (log2(1/(2 eps)) + log2(pi n/2)/2 + log2(e)/2): linear in d, where the theorem has d^3. That is where "
        "the target is missed "
        "with probability 0.350 (d = 1), 0.344 (d = 2). Corrections to the normal density move n by about d (d + "
        "2)/(2 n).",
        latex=r"n = d \left(\log_2 \frac{1}{2 \varepsilon} + \frac{1}{2} \log_2 \frac{\pi n}{2} + "
        r"\frac{1}{2} \log_2 e\right)",
        kind=Kind.HEURISTIC,
        quantity="n* (one target)",
        formula=lambda d, eps: self_consistent_n(
            np.asarray(d, dtype=np.float64) / 2, math.pi * math.e / (8 * np.asarray(eps, dtype=np.float64) ** 2)
        ),
        scope=Scope(
            laws=("normal",),
            d=(1, 2),
            targets="one",
            ranges={"eps": (0.0, 0.0625), "delta": (0.34, 0.36)},
            values={"z": (0.0,)},
        ),
        valid="X_i standard normal in R^d, target near 0, the empty subset not counted, delta as said; a threshold, "
        "not a whole number",
        error=lambda value: 4 / value,  # d (d + 2)/2 for d = 2, the first corrections, docs/theory.md, section 4
        wording=Wording.VERIFIED,
    ),
    Claim(
        id="covering-law",
        paper=NOTES,
        number="section 6: the covering law",
        statement="n* is where the predicted P(cover) crosses 1 - delta: the measured n* less that one is 0.",
        latex=r"P(\mathrm{cover}) = \mathbf{E}\, e^{-\mu(X)}",
        kind=Kind.HEURISTIC,
        quantity="n* less its prediction",
        formula=lambda difference: difference,
        constants={"difference": 0.0},
        scope=Scope(laws=("uniform",), d=1, targets="all"),
        valid=_UNIFORM + ", both interpolated alike; the interval holds the error of the prediction's average as well",
        wording=Wording.VERIFIED,
    ),
    Claim(
        id="second-moment-normal",
        paper=NOTES,
        number="section 5: overlapping k-subsets of normal vectors",
        statement="Two k-subsets that share i vectors have sums with correlation i/k in every coordinate. For small "
        "eps both hit z with (1 - (i/k)^2)^(-d/2) exp(|z|^2 i/(k(k + i))) times the product of their probabilities; i "
        "is hypergeometric, and i = k adds 1/E[Y], E[Y] = C(n, k) (2 eps)^d (2 pi k)^(-d/2) exp(-|z|^2/(2k)).",
        latex=r"\frac{\mathbf{E}[Y^2]}{\mathbf{E}[Y]^2} = \sum_{i=0}^{k-1} P(I = i) "
        r"\left(1 - \frac{i^2}{k^2}\right)^{-d/2} e^{\frac{|z|^2 i}{k (k + i)}} + \frac{1}{\mathbf{E}[Y]}",
        kind=Kind.EQUALITY,
        quantity="E[Y^2]/E[Y]^2",
        formula=lambda n, k, d, eps, z: _gaussian_ratio(n, k, d, eps, z),
        constants={"z": 0.0},
        scope=Scope(laws=("normal",), targets="one", conditions=("k < n", "d * eps ** 2 <= 0.03")),
        valid="X_i standard normal in R^d, target near 0, d eps^2 <= 0.03, where what small eps leaves out is less "
        "than 1 %; 1 <= k < n; z is the 2-norm of the target",
        error=lambda value: 0.01 * value,  # d eps^2/3, docs/theory.md, section 5
        wording=Wording.VERIFIED,
    ),
    Claim(
        id="second-moment-limit",
        paper=NOTES,
        number="section 5: the limit of the second-moment ratio",
        statement="For many subsets, k = a n, and a target at 0, the overlap is near k^2/n and the ratio near "
        "(1 - a^2)^(-d/2): bounded only for a of order 1/sqrt(d); half of the vectors would cost (4/3)^(d/2).",
        latex=r"\frac{\mathbf{E}[Y^2]}{\mathbf{E}[Y]^2} \to \left(1 - \frac{k^2}{n^2}\right)^{-d/2}",
        kind=Kind.EQUALITY,
        quantity="E[Y^2]/E[Y]^2",
        formula=lambda n, k, d: (1 - (np.asarray(k, dtype=np.float64) / n) ** 2) ** (-np.asarray(d) / 2),
        scope=Scope(
            laws=("normal",), d=(1, 16), targets="one", ranges={"n": (2000, math.inf)}, conditions=("k <= n / 10",)
        ),
        valid="X_i standard normal in R^d, n to infinity, E[Y] large; at n = 2000, d <= 16 and k <= n/10 the first "
        "correction is at most 0.4 %",
        wording=Wording.VERIFIED,
        error=lambda value: 0.004 * value,  # d (1 + (d + 1) a^2)/(2 n (1 + a)^2), docs/theory.md, section 5
    ),
)
