"""Covering processes: arcs on a circle, balls in space. What the covering law of this project builds on."""

from __future__ import annotations

import math

import numpy as np
from scipy.special import gammaln

from rssp.claims.catalog.formulas import NOTES
from rssp.claims.scope import Scope
from rssp.claims.statement import Claim, Kind, Wording

__all__ = ["CLAIMS"]

_ARCS = "arcs and balls at independent uniform places are not drawn by any study: sums of subsets are what is covered "
"with"


@np.vectorize(otypes=[np.float64])
def _circle(n: float, arc: float) -> float:
    """Stevens' alternating sum, its terms exact enough up to a few hundred arcs that are not too short."""
    k = np.arange(min(round(n), math.floor(1 / arc)) + 1)
    logs = gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1) + (n - 1) * np.log(np.maximum(1 - k * arc, 1e-300))
    return float(np.clip(math.fsum((-1.0) ** k * np.exp(logs)), 0.0, 1.0))


@np.vectorize(otypes=[np.float64])
def _span(k: float, m: float) -> float:
    return float(np.prod(np.maximum(1 - 2.0 ** (np.arange(round(m)) - k), 0.0)))


def _cubes(intensity, d, side):
    mean = np.asarray(intensity, dtype=np.float64) * np.asarray(side, dtype=np.float64) ** np.asarray(d)
    return np.exp(-intensity * mean ** (np.asarray(d, dtype=np.float64) - 1) * np.exp(-mean))


CLAIMS = (
    Claim(
        id="stevens-1939",
        paper="W. L. Stevens, Solution to a geometrical problem in probability, Annals of Eugenics 9:315-320, 1939",
        number="main formula",
        statement="n arcs of length `arc` at independent uniform places cover a circle of length 1 with probability "
        "sum_k (-1)^k C(n, k) (1 - k arc)^(n - 1), the sum over k with k arc <= 1.",
        latex=r"P = \sum_{k=0}^{\lfloor 1/a \rfloor} (-1)^k \binom{n}{k} (1 - k a)^{n-1}",
        kind=Kind.EQUALITY,
        quantity="P(circle covered)",
        formula=lambda n, arc: _circle(n, arc),
        scope=Scope(ranges={"arc": (0.0, 1.0), "n": (1, math.inf)}),
        valid="every n and length",
        wording=Wording.RESTATED,
        unreachable=_ARCS,
    ),
    Claim(
        id="hall-1985",
        paper="P. Hall, On the coverage of k-dimensional space by k-dimensional spheres, Annals of Probability "
        "13:991-1002, "
        "1985; S. Janson, Random coverings in several dimensions, Acta Mathematica 156:83-118, 1986",
        number="limit law, for cubes",
        statement="A Poisson process of axis-parallel cubes of side s, of intensity lambda a unit of volume, covers a "
        "region "
        "of volume 1 with probability near exp(-lambda b^(d - 1) exp(-b)), b = lambda s^d: vacant corners are rare and "
        "nearly independent. The constant for cubes is the mean number of vacant corners (docs/theory.md, section 6).",
        latex=r"P \to \exp\left(-\lambda b^{d-1} e^{-b}\right), \quad b = \lambda s^d",
        kind=Kind.EQUALITY,
        quantity="P(region covered)",
        formula=_cubes,
        scope=Scope(d=(1, math.inf), note="intensity to infinity, no boundary"),
        valid="the limit is theirs; the constant for cubes is derived here",
        wording=Wording.AS_QUOTED,
        unreachable=_ARCS,
    ),
    Claim(
        id="penrose-2021",
        paper="M. D. Penrose, Random Euclidean coverage from within, 2021, arXiv 2101.06306; M. D. Penrose, X. Yang, "
        "2024, "
        "arXiv 2405.16461",
        number="abstracts",
        statement="The coverage threshold of balls with centres inside a region has a limit law in which the region's "
        "boundary takes part; the second paper gives the rate of convergence in the interior.",
        latex=r"P(R_n \leq r_n(\beta)) \to e^{-e^{-\beta}}",
        kind=Kind.EQUALITY,
        quantity="P(region covered)",
        scope=Scope(d=(1, math.inf), note="the abstracts only"),
        valid="the abstracts only: no formula to evaluate",
        wording=Wording.ABSTRACT,
        unreachable=_ARCS,
    ),
    Claim(
        id="group-cover",
        paper=NOTES,
        number="section 10: sums in a vector space over two elements",
        statement="k uniform vectors of F_2^m have subset sums that are all of F_2^m with probability "
        "prod_{i < m} (1 - 2^(i - k)): the sums are the span, and each of m independent rows of the transpose must "
        "avoid "
        "the span of those before it.",
        latex=r"P = \prod_{i=0}^{m-1} \left(1 - 2^{i-k}\right)",
        kind=Kind.EQUALITY,
        quantity="P(group covered)",
        formula=lambda k, m: _span(k, m),
        scope=Scope(ranges={"m": (1, math.inf), "k": (1, math.inf)}),
        valid="every k and m; 0 for k < m",
        wording=Wording.VERIFIED,
        unreachable="random subset sums in finite groups are not drawn by any study here; the tests enumerate small "
        "ones",
    ),
)
