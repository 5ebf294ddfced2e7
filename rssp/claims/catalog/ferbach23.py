"""Ferbach, Tsirigotis, Gidel, Bose (ICLR 2023): equivariant networks."""

from __future__ import annotations

import numpy as np

from rssp.claims.catalog.formulas import bits, joint
from rssp.claims.scope import Scope
from rssp.claims.statement import Claim, Kind, Wording

__all__ = ["CLAIMS"]

_PAPER = (
    "D. Ferbach, C. Tsirigotis, G. Gidel, A. J. Bose, A General Framework For Proving The Equivariant Strong Lottery "
    "Ticket Hypothesis, ICLR 2023, arXiv 2206.04270"
)


def _width(d_in, d_out, basis, basis_norm, l, eps, delta, C):  # noqa: E741
    d_in = np.asarray(d_in, dtype=np.float64)
    return C * d_in * (np.log2(d_in * d_out * np.maximum(basis, basis_norm) * l) + bits(joint(eps, delta)))


CLAIMS = (
    Claim(
        id="ferbach-2023",
        paper=_PAPER,
        number="Theorem 1",
        statement="With C d_in log(d_in d_out max(|B|, ||B||) l / min(eps, delta)) copies of the feature space between "
        "layers of d_in and d_out copies, a random equivariant network of twice the depth can with probability "
        "1 - delta be pruned, coefficient by coefficient of its equivariant basis B, to within eps of every target. "
        "Proved "
        "for E(2)-steerable, permutation-equivariant, dense and convolutional networks; message passing stands in the "
        "experiments only.",
        latex=r"\tilde{n}_i = C n_i \log_2 \frac{n_i n_{i+1} \max(|B|, \Vert B \Vert) \ell}{\min(\varepsilon, \delta)}",
        kind=Kind.SUFFICIENT,
        quantity="width",
        formula=_width,
        constants={"C": None},
        scope=Scope(
            ranges={"eps": (0.0, 1.0), "delta": (0.0, 1.0)},
            note="uniform weights, coefficients at most 1, operator norms at most 1",
        ),
        valid="coefficients at most 1, layers of operator norm at most 1, uniform weights; basis = |B|, basis_norm = "
        "the largest norm of a combination with coefficients in [-1, 1]",
        wording=Wording.AS_QUOTED,
    ),
    Claim(
        id="ferbach-2023-lower",
        paper=_PAPER,
        number="lower bound, a theorem of its own",
        statement="The random network needs of order d_in d_out |B| log(1/eps) equivariant parameters, by the packing "
        "argument of Pensia et al. for the coefficients.",
        latex=r"m \geq C n_i n_{i+1} |B| \log_2 \frac{1}{\varepsilon}",
        kind=Kind.NECESSARY,
        quantity="parameters",
        formula=lambda d_in, d_out, basis, eps, C: C * np.asarray(d_in, dtype=np.float64) * d_out * basis * bits(eps),
        constants={"C": None},
        scope=Scope(ranges={"eps": (0.0, 1.0)}, note="one layer"),
        valid="one layer",
        wording=Wording.AS_QUOTED,
    ),
)
