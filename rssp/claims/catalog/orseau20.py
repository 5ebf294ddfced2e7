"""Orseau, Hutter, Rivasplata (NeurIPS 2020): logarithmic pruning with hyperbolic weights."""

from __future__ import annotations

from rssp.claims.catalog.formulas import bits
from rssp.claims.scope import Scope
from rssp.claims.statement import Claim, Kind, Wording

__all__ = ["CLAIMS"]

CLAIMS = (
    Claim(
        id="orseau-2020",
        paper="L. Orseau, M. Hutter, O. Rivasplata, Logarithmic Pruning is All You Need, NeurIPS 2020, 33:2925-2934, "
        "arXiv 2006.12156",
        number="main theorem",
        statement="A number of random units per weight that is logarithmic in every variable but the depth is enough: "
        "of order 2 log(1/eps) where Malach et al. need 1/eps^2. The weights have the density 1/|w| on an "
        "interval and the target's weight is composed digit by digit.",
        latex=r"a \log_2 \frac{1}{\varepsilon}",
        kind=Kind.SUFFICIENT,
        quantity="units per weight",
        formula=lambda eps, a: a * bits(eps),
        constants={"a": 2.0},
        scope=Scope(ranges={"eps": (0.0, 1.0)}, note="weights of density proportional to 1/|w|"),
        valid="weights drawn with density proportional to 1/|w|; the factor 2 and the base of the logarithm come from "
        "a summary, not from the paper",
        wording=Wording.AS_QUOTED,
        unreachable="tickets composed digit by digit from hyperbolic weights are not built here",
    ),
)
