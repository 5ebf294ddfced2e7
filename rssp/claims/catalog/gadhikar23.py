"""Gadhikar, Mukherjee, Burkholz (ICML 2023): tickets in networks that start sparse."""

from __future__ import annotations

import numpy as np

from rssp.claims.scope import Scope
from rssp.claims.statement import Claim, Kind, Wording

__all__ = ["CLAIMS"]

CLAIMS = (
    Claim(
        id="gadhikar-2023",
        paper="A. Gadhikar, S. Mukherjee, R. Burkholz, Why Random Pruning Is All We Need to Start Sparse, ICML 2023, "
        "arXiv 2210.02412",
        number="abstract",
        statement="A random network that has already lost a fraction `sparsity` of its weights at random contains the "
        "same tickets if it is wider by a factor of order 1/log(1/sparsity).",
        latex=r"\frac{C}{\log_2 (1 / \mathrm{sparsity})}",
        kind=Kind.SUFFICIENT,
        quantity="width factor",
        formula=lambda sparsity, C: -C / np.log2(np.asarray(sparsity, dtype=np.float64)),
        constants={"C": None},
        scope=Scope(ranges={"sparsity": (0.0, 1.0)}),
        valid="0 < sparsity < 1, independent removal of weights; necessary as well for networks of three layers",
        wording=Wording.ABSTRACT,
        unreachable="networks that start sparse are not built here",
    ),
)
