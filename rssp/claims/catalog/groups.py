"""Random subset sums in finite groups: how many elements until their sums are the whole group."""

from __future__ import annotations

import math

import numpy as np

from rssp.claims.scope import Scope
from rssp.claims.statement import Claim, Kind, Wording

__all__ = ["CLAIMS"]

_GROUPS = (
    "sums in finite groups are not drawn by any study here; integers modulo N would take a bitmap of N residues a "
    "sample"
)
_HALF = "f(N) is the least k for which k random elements cover a group of order N with probability at least 1/2. "


def _loglog(order):
    return np.log(np.maximum(np.log(np.asarray(order, dtype=np.float64)), 1.0))


CLAIMS = (
    Claim(
        id="erdos-1965",
        paper="P. Erdos, A. Renyi, Probabilistic methods in group theory, Journal d'Analyse Mathematique 14:127-138, "
        "1965",
        number="as restated by Ma and Tang (2026)",
        statement=_HALF + "In every finite abelian group f(N) <= log2 N + (1/ln 2 + o(1)) ln ln N.",
        latex=r"f(N) \leq \log_2 N + \frac{1 + o(1)}{\ln 2} \ln \ln N",
        kind=Kind.SUFFICIENT,
        quantity="k* (group)",
        formula=lambda order: np.log2(np.asarray(order, dtype=np.float64)) + _loglog(order) / math.log(2),
        scope=Scope(ranges={"order": (3, math.inf)}, note="N to infinity: the o(1) is left out"),
        valid="finite abelian groups of order N; the o(1) is left out, so that finite N decide nothing by one element",
        wording=Wording.RESTATED,
        unreachable=_GROUPS,
    ),
    Claim(
        id="ma-2026",
        paper="Ma, Tang, 2026, arXiv 2602.05768",
        number="abstract",
        statement=_HALF + "For primes p, f(p) >= log2 p + (1/(2 ln 2) + o(1)) ln ln p.",
        latex=r"f(p) \geq \log_2 p + \frac{1 + o(1)}{2 \ln 2} \ln \ln p",
        kind=Kind.NECESSARY,
        quantity="k* (group)",
        formula=lambda order: np.log2(np.asarray(order, dtype=np.float64)) + _loglog(order) / (2 * math.log(2)),
        scope=Scope(ranges={"order": (3, math.inf)}, note="primes to infinity: the o(1) is left out"),
        valid="cyclic groups of prime order; authors' initials and title not seen",
        wording=Wording.ABSTRACT,
        unreachable=_GROUPS,
    ),
)
