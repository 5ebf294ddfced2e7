"""Derived here: one-sided samples. What they miss bounds every failure probability from below, exactly."""

from __future__ import annotations

import math

import numpy as np
from scipy.special import eval_genlaguerre, gammaln, xlogy

from rssp.claims.catalog.formulas import NOTES
from rssp.claims.scope import Scope
from rssp.claims.statement import Claim, Kind, Wording

__all__ = ["CLAIMS"]

_UNIFORM = "X_i uniform on [-1, 1]"


def _laguerre(n, x, order=0):
    """2^-n L_n^(order)(-x), elementwise; L_n(-x) = sum_j C(n, j) x^j / j!, x up to about 10."""
    # whole n: scipy's recurrence is good to 1e-13 at n = 1000, its series for n as a float to 1e-11. 2^-n by ldexp,
    # since 2^-1100 is 0 where the product is not; from n = 2000 on all is 0 and the polynomial would overflow in time
    n = np.minimum(np.rint(n), 10_000).astype(np.int64)
    return np.ldexp(eval_genlaguerre(n, order, -np.maximum(x, 0.0)), -n)


def _edge(n, eps, radius):
    n, x = np.broadcast_arrays(np.asarray(n, dtype=np.float64), radius - np.asarray(eps, dtype=np.float64))
    both = np.exp(xlogy(n, np.maximum(x, 0.0)) - n * math.log(2) + gammaln(2 * n + 1) - 3 * gammaln(n + 1))
    return np.where(x > 0, 2 * _laguerre(n, x) - both, 0.0)


def _edge_samples(eps, delta, radius):
    def one(eps: float, delta: float) -> float:
        if not 0 < delta < 1:
            return math.nan
        n = 1
        while _edge(n, eps, radius) > delta:
            n += 1
        return float(n)

    return np.vectorize(one, otypes=[np.float64])(eps, delta)


def _edge_slope(n, eps, radius):
    n = np.asarray(n, dtype=np.float64)
    return np.log2(_edge(n + 1, eps, radius)) - np.log2(_edge(n, eps, radius))


def _edge_mean_target(n, eps):
    n, x = np.asarray(n, dtype=np.float64), 1 - np.asarray(eps, dtype=np.float64)
    return x / (n + 1) * _laguerre(n, x, order=1)  # the integral of L_n(-z) from 0 to x


CLAIMS: tuple[Claim, ...] = (
    Claim(
        id="edge-fail",
        paper=NOTES,
        number="section 9: one-sided samples",
        statement="The target r is missed when all positive numbers together are below x = r - eps, the target -r when "
        "the negative ones are above -x. Of n signs j are positive with probability C(n, j)/2^n, and j uniform numbers "
        "add up to less than x <= 1 with probability x^j/j!: each event has probability 2^-n L_n(-x) with the Laguerre "
        "polynomial L_n, and both at once 2^-n x^n C(2n, n)/n!.",
        latex=r"P(\mathrm{fail}) \geq 2^{-n} \left(2 L_n(-x) - \frac{x^n}{n!} \binom{2n}{n}\right), \quad "
        r"x = r - \varepsilon",
        kind=Kind.NECESSARY,
        quantity="P(fail)",
        formula=_edge,
        constants={"radius": 1.0},
        scope=Scope(laws=("uniform",), d=1, radius=(0.0, 1.0), targets="all", ranges={"n": (1, math.inf)}),
        valid=_UNIFORM + ", targets [-r, r] with r <= 1, every n >= 1; 0 for eps >= r",
        wording=Wording.VERIFIED,
    ),
    Claim(
        id="edge-samples",
        paper=NOTES,
        number="section 9: one-sided samples, solved for n",
        statement="P(fail) is above delta as long as edge-fail's bound is: n* is at least the first n where the bound "
        "is at most delta. With delta = eps this bounds the C of Lueker's theorem from below: at n = log2(1/eps) the "
        "bound is still eps times a factor that grows like exp(2 sqrt(n)), so that C > 1 at every eps; C is at least "
        "1.93 at eps = 2^-14 and 1.62 at 2^-26.",
        latex=r"n \geq \min\{n : 2^{-n} (2 L_n(-x) - x^n \binom{2n}{n} / n!) \leq \delta\}, \quad x = r - \varepsilon",
        kind=Kind.NECESSARY,
        quantity="n*",
        formula=_edge_samples,
        constants={"radius": 1.0},
        scope=Scope(
            laws=("uniform",), d=1, radius=(0.0, 1.0), targets="all", ranges={"eps": (0.0, 1.0), "delta": (0.0, 1.0)}
        ),
        valid=_UNIFORM + ", targets [-r, r] with r <= 1, eps > 0, 0 < delta < 1",
        wording=Wording.VERIFIED,
    ),
    Claim(
        id="edge-slope",
        paper=NOTES,
        number="section 9: one-sided samples, slope",
        statement="Where one-sided samples are the commonest cause of failure, log2 P(fail) falls by the slope of "
        "edge-fail's bound: -1 + log2(e)/sqrt(n) for large n, since L_n(-1) grows like exp(2 sqrt(n)). That they are "
        "is a conjecture that the measurement decides.",
        latex=r"\log_2 P_{n+1} - \log_2 P_n \approx -1 + \frac{\log_2 e}{\sqrt{n}}",
        kind=Kind.CONJECTURE,
        quantity="log2 P(fail) per sample",
        formula=_edge_slope,
        constants={"radius": 1.0},
        scope=Scope(laws=("uniform",), d=1, radius=(0.0, 1.0), targets="all", ranges={"n": (2, math.inf)}),
        valid=_UNIFORM + ", targets [-r, r] with r <= 1, eps < r, n well above n*",
        wording=Wording.VERIFIED,
    ),
    Claim(
        id="edge-one-target",
        paper=NOTES,
        number="section 9: one-sided samples, one target",
        statement="A target z > 0 is missed when the positive numbers add up to less than x = |z| - eps: probability "
        "2^-n L_n(-x).",
        latex=r"P(\mathrm{miss}) \geq 2^{-n} L_n(-x), \quad x = |z| - \varepsilon",
        kind=Kind.NECESSARY,
        quantity="P(miss one target)",
        formula=lambda n, eps, z: np.where(
            np.abs(z) > eps, _laguerre(n, np.abs(np.asarray(z, dtype=np.float64)) - np.asarray(eps)), 0.0
        ),
        scope=Scope(laws=("uniform",), d=1, targets="one", ranges={"z": (-1.0, 1.0)}),
        valid=_UNIFORM + ", |z| <= 1; 0 for |z| <= eps, where the empty subset hits",
        wording=Wording.VERIFIED,
    ),
    Claim(
        id="edge-mean-target",
        paper=NOTES,
        number="section 9: one-sided samples, a uniform target",
        statement="The mean of edge-one-target over z uniform on [-1, 1]: 2^-n sum_j C(n, j) (1 - eps)^(j+1)/(j+1)!. "
        "At n = 15 and eps = 0.01 that is 0.0018, nearly half of the published 0.00404.",
        latex=r"P(\mathrm{miss}) \geq 2^{-n} \sum_{j=0}^n \binom{n}{j} \frac{(1 - \varepsilon)^{j+1}}{(j+1)!}",
        kind=Kind.NECESSARY,
        quantity="P(miss one target)",
        formula=_edge_mean_target,
        scope=Scope(
            laws=("uniform",), d=1, targets="one", ranges={"eps": (0.0, 1.0)}, note="the target is uniform on [-1, 1]"
        ),
        valid=_UNIFORM + ", target uniform on [-1, 1], 0 <= eps < 1",
        wording=Wording.VERIFIED,
    ),
)
