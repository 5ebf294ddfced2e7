"""Borst, Dadush, Huiberts, Tiwari; Borst, Dadush, Mikulincer: random integer programs and linear discrepancy."""

from __future__ import annotations

import math

import numpy as np

from rssp.claims.scope import Scope
from rssp.claims.statement import Claim, Kind, Wording

__all__ = ["CLAIMS"]

CLAIMS = (
    Claim(
        id="borst-2020",
        paper="S. Borst, D. Dadush, S. Huiberts, S. Tiwari, On the integrality gap of binary integer programs with "
        "Gaussian "
        "data, IPCO 2021, arXiv 2012.08346",
        number="abstract",
        statement="The gap between a Gaussian binary program with m constraints and its linear relaxation is at most a "
        "polynomial of m times log(n)^2/n, with probability 1 - 2/n^7 - 2^-poly(m). Its proof holds the lemma on "
        "k-subsets "
        "of Gaussian columns that the multidimensional random subset sum builds on.",
        latex=r"C(m) \frac{\ln^2 n}{n}",
        kind=Kind.SUFFICIENT,
        quantity="integrality gap",
        formula=lambda n, C: C * np.log(np.asarray(n, dtype=np.float64)) ** 2 / np.asarray(n, dtype=np.float64),
        constants={"C": None},
        scope=Scope(ranges={"n": (3, math.inf)}, note="m fixed; standard normal data"),
        valid="C is a polynomial of m that is not given",
        wording=Wording.ABSTRACT,
        unreachable="integer programs are not solved by any study but mip_gap, which has one constraint and uniform "
        "numbers",
    ),
    Claim(
        id="borst-2022",
        paper="S. Borst, D. Dadush, D. Mikulincer, Integrality gaps for random integer programs via discrepancy, "
        "2022, arXiv "
        "2203.11863",
        number="abstract, linear discrepancy",
        statement="Sums of subsets of random columns, discrete or of log-concave density, hit a target with a "
        "probability "
        "exponentially close to 1: the tool that would sharpen the theorems in d dimensions.",
        latex=r"1 - e^{-\Omega(n)}",
        kind=Kind.SUFFICIENT,
        quantity="P(miss one target)",
        scope=Scope(d=(1, math.inf), targets="one", note="the abstract only"),
        valid="the abstract only: rates and ranges were not seen, so there is no formula to evaluate",
        wording=Wording.ABSTRACT,
        unreachable="no formula was seen; failure_tail measures P(miss one target) in one dimension",
    ),
)
