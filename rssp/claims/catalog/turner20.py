"""Turner, Meka, Rigollet (COLT 2020): the discrepancy of Gaussian matrices, one target's truth."""

from __future__ import annotations

import math

import numpy as np

from rssp.claims.catalog.formulas import self_consistent_n
from rssp.claims.scope import Scope
from rssp.claims.statement import Claim, Kind, Wording

__all__ = ["CLAIMS"]

_PAPER = "P. Turner, R. Meka, P. Rigollet, Balancing Gaussian vectors in high dimension, COLT 2020, arXiv 1910.13972"
_SIGNS = "no study minimises over signs; for subsets and one target see the claims on n* (one target)"

CLAIMS = (
    Claim(
        id="turner-2020",
        paper=_PAPER,
        number="main theorem",
        statement="The smallest max norm of a signed sum of n standard normal vectors in R^d is of order "
        "sqrt(n) 2^(-n/d).",
        latex=r"\min_{\sigma \in \{\pm 1\}^n} \left\Vert \sum_i \sigma_i X_i \right\Vert_\infty = C \sqrt{n} \, "
        r"2^{-n/d}",
        kind=Kind.EQUALITY,
        quantity="discrepancy",
        formula=lambda n, d, C: C * np.sqrt(np.asarray(n, dtype=np.float64)) * 2.0 ** (-np.asarray(n) / np.asarray(d)),
        constants={"C": None},
        scope=Scope(laws=("normal",), d=(1, math.inf), note="d and n/d to infinity; an order of magnitude"),
        valid="d to infinity with n/d to infinity; an order of magnitude, second-moment method",
        wording=Wording.ABSTRACT,
        unreachable=_SIGNS,
    ),
    Claim(
        id="turner-2020-samples",
        paper=_PAPER,
        number="main theorem, solved for n",
        statement="For one target within eps that means n = d log2(sqrt(n)/eps): linear in d.",
        latex=r"n = d \log_2 \frac{\sqrt{n}}{\varepsilon}",
        kind=Kind.EQUALITY,
        quantity="n* (one target)",
        formula=lambda d, eps: self_consistent_n(
            np.asarray(d, dtype=np.float64) / 2, 1 / np.asarray(eps, dtype=np.float64) ** 2
        ),
        scope=Scope(laws=("normal",), d=(1, math.inf), targets="one", note="constants inside the logarithm left out"),
        valid="standard normal vectors, constants inside the logarithm left out; signs in place of subsets",
        wording=Wording.ABSTRACT,
        unreachable="an order of magnitude, not a value to test; normal-threshold says the same with its constants",
    ),
    Claim(
        id="turner-2020-polynomial",
        paper=_PAPER,
        number="algorithm",
        statement="What is found in polynomial time is exp(-c log(n)^2/d), far above what exists.",
        latex=r"e^{-c \ln^2 n / d}",
        kind=Kind.SUFFICIENT,
        quantity="discrepancy",
        formula=lambda n, d, c: np.exp(-c * np.log(np.asarray(n, dtype=np.float64)) ** 2 / d),
        constants={"c": None},
        scope=Scope(laws=("normal",), d=(1, math.inf)),
        valid="Gaussian vectors",
        wording=Wording.ABSTRACT,
        unreachable=_SIGNS,
    ),
)
