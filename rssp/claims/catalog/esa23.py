"""da Cunha, d'Amore, Giroire, Lesfari, Natale, Viennot (ESA 2023): Lueker's theorem by elementary means."""

from __future__ import annotations

import numpy as np

from rssp.claims.catalog.formulas import bits
from rssp.claims.scope import Scope
from rssp.claims.statement import Claim, Kind, Wording

__all__ = ["CLAIMS"]

_PAPER = (
    "A. da Cunha, F. d'Amore, F. Giroire, H. Lesfari, E. Natale, L. Viennot, Revisiting the Random Subset Sum Problem, "
    "ESA 2023, LIPIcs 274, 37:1-37:11, arXiv 2204.13929"
)


def _tail(n, eps, C, kappa):
    n = np.asarray(n, dtype=np.float64)
    excess = n - C * bits(eps)
    return np.where(excess > 0, np.minimum(1.0, 2 * np.exp(-(excess**2) / (kappa * n))), 1.0)


CLAIMS = (
    Claim(
        id="esa-2023",
        paper=_PAPER,
        number="main theorem",
        statement="n = O(log(1/eps)) independent uniform numbers in [-1, 1] approximate every target in [-1/2, 1/2] "
        "within eps, with high probability. The first arXiv version says [-1, 1].",
        latex=r"n \geq C \log_2 \frac{1}{\varepsilon}",
        kind=Kind.SUFFICIENT,
        quantity="n*",
        formula=lambda eps, C: C * bits(eps),
        constants={"C": None},
        scope=Scope(
            laws=("uniform",), d=1, radius=0.5, targets="all", ranges={"eps": (0.0, 1.0)}, values={"delta": (0.5,)}
        ),
        valid="mild assumptions on the law, uniform on [-1, 1] among them; targets in [-1/2, 1/2]; the quoted form "
        "names no failure probability: fix delta",
        wording=Wording.ABSTRACT,
    ),
    Claim(
        id="esa-2023-tail",
        paper=_PAPER,
        number="main theorem, quantitative form",
        statement="The probability that some target is not within eps of a subset sum is at most "
        "2 exp(-(n - C log(1/eps))^2 / (kappa n)) once n exceeds C log(1/eps).",
        latex=r"P(\mathrm{fail}) \leq 2 \exp\left(-\frac{(n - C \log_2 (1/\varepsilon))^2}{\kappa n}\right)",
        kind=Kind.SUFFICIENT,
        quantity="P(fail)",
        formula=_tail,
        constants={"C": None, "kappa": None},
        scope=Scope(laws=("uniform",), d=1, radius=0.5, targets="all", ranges={"eps": (0.0, 1.0)}),
        valid="n > C log(1/eps); below that, and where it exceeds 1, the bound is 1",
        wording=Wording.AS_QUOTED,
    ),
    Claim(
        id="esa-2023-growth",
        paper=_PAPER,
        number="key lemma",
        statement="One more sample increases the fraction v of the targets that are already within eps by at least "
        "v(1 - v)/4 in the mean.",
        latex=r"\mathbf{E}[v_{t+1} - v_t \mid v_t] \geq \frac{1}{4} v_t (1 - v_t)",
        kind=Kind.NECESSARY,
        quantity="E[dv]",
        formula=lambda v, c: c * np.asarray(v, dtype=np.float64) * (1 - np.asarray(v, dtype=np.float64)),
        constants={"c": 0.25},
        scope=Scope(laws=("uniform",), d=1, radius=(0.0, 1.0), targets="all", ranges={"v": (0.0, 1.0)}),
        valid="X uniform on [-1, 1], 0 <= v <= 1; a lower bound of the growth",
        wording=Wording.AS_QUOTED,
    ),
)
