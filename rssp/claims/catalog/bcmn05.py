"""Borgs, Chayes, Mertens, Nair: sums near a point look independent (the local REM conjecture)."""

from __future__ import annotations

import numpy as np

from rssp.claims.scope import Scope
from rssp.claims.statement import Claim, Kind, Wording

__all__ = ["CLAIMS"]

_PAPER = "C. Borgs, J. Chayes, S. Mertens, C. Nair, Proof of the local REM conjecture for number partitioning"

CLAIMS = (
    Claim(
        id="bcmn-2005-poisson",
        paper=f"{_PAPER} I: constant energy scales, 2005",
        number="main theorem",
        statement="Around a fixed point the differences of the partitions, rescaled by their density, tend to a "
        "Poisson process: counts in a window have a variance equal to their mean.",
        latex=r"\mathrm{Var}(N) / \mathbf{E}[N] \to 1",
        kind=Kind.EQUALITY,
        quantity="variance over mean of window counts",
        formula=lambda value: value,
        constants={"value": 1.0},
        scope=Scope(targets="one", note="n to infinity"),
        valid="n to infinity, window at a fixed place, given the sample's own density",
        wording=Wording.ABSTRACT,
        unreachable="no study counts sums in windows; the covering law, which follows from this, is measured instead",
    ),
    Claim(
        id="bcmn-2005-scale",
        paper=f"{_PAPER} II: growing energy scales, arXiv cond-mat/0508600, 2005",
        number="main theorem",
        statement="The same holds on energy scales that grow more slowly than n^(1/4), and fails on the scale "
        "kappa n^(1/4).",
        latex=r"\alpha_n = o(n^{1/4})",
        kind=Kind.EQUALITY,
        quantity="energy scale at which sums stop looking independent",
        formula=lambda n, kappa: kappa * np.asarray(n, dtype=np.float64) ** 0.25,
        constants={"kappa": None},
        scope=Scope(targets="one", note="n to infinity; an order of magnitude"),
        valid="n to infinity; an order of magnitude",
        wording=Wording.ABSTRACT,
        unreachable="no study counts sums in windows far from the centre: the targets stay in a ball of fixed radius",
    ),
)
