"""Ferre', Giroire, Mallmann-Trenn, Natale (2026): removing neurons against removing weights."""

from __future__ import annotations

import numpy as np

from rssp.claims.catalog.formulas import bits
from rssp.claims.scope import Scope
from rssp.claims.statement import Claim, Kind, Wording

__all__ = ["CLAIMS"]

_PAPER = (
    "D. Ferre', F. Giroire, F. Mallmann-Trenn, E. Natale, Structured vs. Unstructured Pruning: An Exponential Gap, "
    "2026, arXiv 2603.02234"
)
_NEURONS = "pruning whole neurons for one ReLU target is not measured here"

CLAIMS = (
    Claim(
        id="ferre-2026-neurons",
        paper=_PAPER,
        number="abstract, third version",
        statement="To approximate one ReLU neuron without bias by removing whole neurons of a random network of two "
        "layers, of order 1/eps hidden neurons are necessary.",
        latex=r"\frac{C}{\varepsilon}",
        kind=Kind.NECESSARY,
        quantity="width",
        formula=lambda eps, C: C / np.asarray(eps, dtype=np.float64),
        constants={"C": None},
        scope=Scope(ranges={"eps": (0.0, 1.0)}, note="one ReLU neuron without bias, whole neurons removed"),
        valid="no biases; masks that remove weights one by one, or filters behind a blocked mask, are not meant",
        wording=Wording.ABSTRACT,
        unreachable=_NEURONS,
    ),
    Claim(
        id="ferre-2026-neurons-d",
        paper=_PAPER,
        number="abstract, first and second version",
        statement="The same in dimension d, as first announced: of order d/eps hidden neurons.",
        latex=r"\frac{C d}{\varepsilon}",
        kind=Kind.NECESSARY,
        quantity="width",
        formula=lambda d, eps, C: C * np.asarray(d, dtype=np.float64) / eps,
        constants={"C": None},
        scope=Scope(ranges={"eps": (0.0, 1.0)}, note="one ReLU neuron without bias, whole neurons removed"),
        valid="as ferre-2026-neurons, d the dimension of the input; not kept in the third version",
        wording=Wording.ABSTRACT,
        unreachable=_NEURONS,
    ),
    Claim(
        id="ferre-2026-weights",
        paper=_PAPER,
        number="abstract, first and second version",
        statement="Removing single weights, of order d log(1/eps) hidden neurons are enough.",
        latex=r"C d \log_2 \frac{1}{\varepsilon}",
        kind=Kind.SUFFICIENT,
        quantity="width",
        formula=lambda d, eps, C: C * np.asarray(d, dtype=np.float64) * bits(eps),
        constants={"C": None},
        scope=Scope(ranges={"eps": (0.0, 1.0)}, values={"outputs": (1,)}, note="one ReLU neuron without bias"),
        valid="one ReLU neuron, d the dimension of the input; the third version says log(1/eps)",
        wording=Wording.ABSTRACT,
    ),
)
