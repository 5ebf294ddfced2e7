"""Becchetti, da Cunha, Clementi, d'Amore, Lesfari, Natale, Trevisan (2022): random subset sums in d dimensions."""

from __future__ import annotations

import math

import numpy as np

from rssp.claims.catalog.formulas import bits
from rssp.claims.scope import Scope
from rssp.claims.statement import Claim, Kind, Wording

__all__ = ["CLAIMS"]

_PAPER = (
    "L. Becchetti, A. da Cunha, A. Clementi, F. d'Amore, H. Lesfari, E. Natale, L. Trevisan, On the Multidimensional "
    "Random Subset Sum Problem, 2022, arXiv 2207.13944"
)


def _samples(d, eps, C, exp_d):
    d = np.asarray(d, dtype=np.float64)
    return C * d**exp_d * bits(eps) * (bits(eps) + np.log2(d))


CLAIMS = (
    Claim(
        id="becchetti-2022",
        paper=_PAPER,
        number="main theorem",
        statement="n >= C d^3 log(1/eps) (log(1/eps) + log d) independent standard normal vectors in R^d approximate, "
        "with high probability, every target in [-1, 1]^d within 2 eps in the max norm.",
        latex=r"n \geq C d^3 \log_2 \frac{1}{\varepsilon} \left(\log_2 \frac{1}{\varepsilon} + \log_2 d\right)",
        kind=Kind.SUFFICIENT,
        quantity="n*",
        formula=_samples,
        constants={"C": None, "exp_d": 3.0},
        scope=Scope(
            laws=("normal",),
            d=(1, math.inf),
            norm=math.inf,
            radius=1.0,
            targets="all",
            ranges={"eps": (0.0, 1.0)},
            values={"delta": (0.5,)},
        ),
        valid="X_i standard normal in R^d, targets in [-1, 1]^d, 0 < eps < 1; the theorem's error of 2 eps changes C "
        "only; no failure probability is quoted: fix delta",
        wording=Wording.ABSTRACT,
    ),
    Claim(
        id="becchetti-2022-size",
        paper=_PAPER,
        number="main theorem, subset size",
        statement="Subsets of n/(6 sqrt(d)) vectors are enough for it. With k = a n the second moment of their number "
        "costs a factor (1 - a^2)^(-d/2): bounded only for a of order 1/sqrt(d). Read here as: at that k the ratio "
        "E[Y^2]/E[Y]^2 is at most 2, so that one target is hit with probability 1/2.",
        latex=r"\frac{\mathbf{E}[Y^2]}{\mathbf{E}[Y]^2} \leq 2 \quad \mathrm{at} \quad k = \frac{n}{6 \sqrt{d}}",
        kind=Kind.SUFFICIENT,
        quantity="E[Y^2]/E[Y]^2",
        formula=lambda limit: limit,
        constants={"limit": 2.0},
        scope=Scope(
            laws=("normal",),
            d=(1, math.inf),
            targets="one",
            conditions=("k >= n / (6 * d ** 0.5) - 0.5", "k <= n / (6 * d ** 0.5) + 0.5"),
        ),
        valid="as the main theorem, at its n; k is the nearest whole number",
        wording=Wording.AS_QUOTED,
    ),
    Claim(
        id="becchetti-2022-lower",
        paper=_PAPER,
        number="remark, by counting",
        statement="At least of order d log(1/eps) vectors are necessary.",
        latex=r"n \geq C d \log_2 \frac{1}{\varepsilon}",
        kind=Kind.NECESSARY,
        quantity="n*",
        formula=lambda d, eps, C: C * np.asarray(d, dtype=np.float64) * bits(eps),
        constants={"C": None},
        scope=Scope(d=(1, math.inf), norm=math.inf, radius=1.0, targets="all", ranges={"eps": (0.0, 1.0)}),
        valid="every sample; with its constant: counting-cube",
        wording=Wording.AS_QUOTED,
    ),
)
