"""Borgs, Chayes, Pittel (2001): the phase transition of number partitioning."""

from __future__ import annotations

import math

import numpy as np

from rssp.claims.scope import Scope
from rssp.claims.statement import Claim, Kind, Wording

__all__ = ["CLAIMS"]

_PAPER = (
    "C. Borgs, J. Chayes, B. Pittel, Phase transition and finite-size scaling for the integer partitioning problem, "
    "Random Structures & Algorithms 19:247-288, 2001"
)
_INTEGERS = "sums of integers (number partitioning) are not drawn by any study here"


def _perfect(lam):
    a = math.sqrt(3 / (2 * math.pi)) * 2.0 ** -np.asarray(lam, dtype=np.float64)
    return 1 - np.exp(-a) * (1 + np.exp(-a)) / 2


CLAIMS = (
    Claim(
        id="borgs-2001-window",
        paper=_PAPER,
        number="window",
        statement="For n integers uniform on 1, ..., M a perfect partition goes from likely to unlikely where log2(M) "
        "is n - log2(n)/2, within a window of bounded width: lam = log2(M) - n + log2(n)/2 is the place in it.",
        latex=r"\log_2 M = n - \frac{1}{2} \log_2 n + \lambda",
        kind=Kind.EQUALITY,
        quantity="log2 M at the transition",
        formula=lambda n, lam: np.asarray(n, dtype=np.float64) - np.log2(n) / 2 + lam,
        constants={"lam": 0.0},
        scope=Scope(note="integers uniform on 1, ..., M; n to infinity, lam fixed"),
        valid="n to infinity, lam fixed",
        wording=Wording.ABSTRACT,
        unreachable=_INTEGERS,
    ),
    Claim(
        id="borgs-2001-perfect",
        paper=_PAPER,
        number="limit in the window",
        statement="P(some partition is perfect: difference 0 or 1) tends to 1 - exp(-a)(1 + exp(-a))/2 with "
        "a = sqrt(3/(2 pi)) 2^-lam. The difference has variance n M^2/3, so that near 0 the 2^(n-1) partitions hit 0 "
        "about a = 2^n sqrt(3/(2 pi n))/M times when the total is even, and 1 in absolute value 2 a times when it is "
        "odd; the counts are Poisson and both parities equally likely.",
        latex=r"p(\lambda) = 1 - \frac{1}{2} e^{-a} (1 + e^{-a}), \quad a = \sqrt{\frac{3}{2\pi}} \, 2^{-\lambda}",
        kind=Kind.EQUALITY,
        quantity="P(perfect)",
        formula=_perfect,
        scope=Scope(note="integers uniform on 1, ..., M; n to infinity, lam fixed"),
        valid="n to infinity, lam = log2(M) - n + log2(n)/2 fixed",
        wording=Wording.AS_QUOTED,
        unreachable=_INTEGERS,
    ),
    Claim(
        id="borgs-2001-counts",
        paper=_PAPER,
        number="Poisson counts in the window",
        statement="In the window the number of perfect partitions is asymptotically Poisson: of mean "
        "a = sqrt(3/(2 pi)) 2^-lam where the total is even, 2 a where it is odd. Counted over both parities the mean "
        "is "
        "3 a/2.",
        latex=r"\mathbf{E}[N] \to \frac{3}{2} \sqrt{\frac{3}{2 \pi}} \, 2^{-\lambda}",
        kind=Kind.EQUALITY,
        quantity="mean number of perfect partitions",
        formula=lambda lam: 1.5 * math.sqrt(3 / (2 * math.pi)) * 2.0 ** -np.asarray(lam, dtype=np.float64),
        scope=Scope(note="integers uniform on 1, ..., M; n to infinity, lam fixed"),
        valid="n to infinity, lam = log2(M) - n + log2(n)/2 fixed; partitions, not their mirror images, counted once",
        wording=Wording.AS_QUOTED,
        unreachable=_INTEGERS,
    ),
)
