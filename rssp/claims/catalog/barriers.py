"""What exists and what is found: the optimum of number partitioning, differencing, and why nothing cheap does "
"better."""

from __future__ import annotations

import math

import numpy as np

from rssp.claims.scope import Scope
from rssp.claims.statement import Claim, Kind, Wording

__all__ = ["CLAIMS"]

_SIGNS = "no study minimises over signs; `nearest_subset` minimises over subsets, for one target"
_CHEAP = (
    "a statement about every polynomial algorithm cannot be measured; exact search and the greedy heuristic of "
    "rssp.subsetsum.nearest are two points on either side of it"
)


def _numbers(n):
    return np.asarray(n, dtype=np.float64)


CLAIMS = (
    Claim(
        id="karmarkar-1982",
        paper="N. Karmarkar, R. M. Karp, The differencing method of set partitioning, Berkeley report UCB/CSD 82/113, "
        "1982",
        number="differencing",
        statement="Differencing finds in polynomial time partitions of n uniform numbers with a difference of "
        "2^(-c log(n)^2).",
        latex=r"2^{-c \log_2^2 n}",
        kind=Kind.SUFFICIENT,
        quantity="discrepancy found in polynomial time",
        formula=lambda n, c: 2.0 ** (-c * np.log2(_numbers(n)) ** 2),
        constants={"c": None},
        scope=Scope(d=1, ranges={"n": (2, math.inf)}),
        valid="as restated by Vafa and Vaikuntanathan (2025): differencing reaches 2^(-O(log^2 m))",
        wording=Wording.RESTATED,
        unreachable=_SIGNS,
    ),
    Claim(
        id="karmarkar-1986",
        paper="N. Karmarkar, R. M. Karp, G. S. Lueker, A. M. Odlyzko, Probabilistic analysis of optimum partitioning, "
        "Journal of Applied Probability 23:626-645, 1986",
        number="main theorem",
        statement="The median of the smallest difference over all partitions of n independent numbers is of order "
        "sqrt(n) 2^-n; the expectation was left open.",
        latex=r"C \sqrt{n} \, 2^{-n}",
        kind=Kind.EQUALITY,
        quantity="discrepancy",
        formula=lambda n, C: C * np.sqrt(_numbers(n)) * 2.0 ** (-_numbers(n)),
        constants={"C": None},
        scope=Scope(d=1, ranges={"n": (2, math.inf)}, note="n to infinity; an order of magnitude"),
        valid="bounded densities; median, not mean",
        wording=Wording.AS_QUOTED,
        unreachable=_SIGNS,
    ),
    Claim(
        id="gamarnik-2021",
        paper="D. Gamarnik, E. C. Kizildag, Algorithmic obstructions in the random number partitioning problem, 2021, "
        "arXiv "
        "2103.01369",
        number="abstract",
        statement="Near the optimum 2^-n the partitions have the overlap gap property, which stable algorithms cannot "
        "pass: "
        "evidence that the gap between 2^-n and what differencing finds is one of computation.",
        latex=r"2^{-n} \ll 2^{-c \log_2^2 n}",
        kind=Kind.NECESSARY,
        quantity="discrepancy found in polynomial time",
        scope=Scope(d=1, note="stable algorithms; the abstract only"),
        valid="the abstract only: no formula to evaluate",
        wording=Wording.ABSTRACT,
        unreachable=_CHEAP,
    ),
    Claim(
        id="vafa-2025",
        paper="N. Vafa, V. Vaikuntanathan, Symmetric perceptrons, number partitioning and lattices, STOC 2025, arXiv "
        "2501.16517",
        number="abstract",
        statement="If lattice problems are as hard as believed, no polynomial algorithm reaches a difference of "
        "2^(-c log(n)^3), though one of order 2^-n exists.",
        latex=r"2^{-c \log_2^3 n}",
        kind=Kind.NECESSARY,
        quantity="discrepancy found in polynomial time",
        formula=lambda n, c: 2.0 ** (-c * np.log2(_numbers(n)) ** 3),
        constants={"c": None},
        scope=Scope(d=1, ranges={"n": (2, math.inf)}, note="under an assumption on lattices"),
        valid="under worst-case hardness of lattice problems; c not given",
        wording=Wording.ABSTRACT,
        unreachable=_CHEAP,
    ),
)
