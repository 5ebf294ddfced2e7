"""da Cunha, d'Amore, Natale (NeurIPS 2023): structured tickets in convolutional networks."""

from __future__ import annotations

import math

import numpy as np

from rssp.claims.catalog.formulas import NOTES, bits, joint
from rssp.claims.scope import Scope
from rssp.claims.statement import Claim, Kind, Wording

__all__ = ["CLAIMS"]

_PAPER = (
    "A. da Cunha, F. d'Amore, E. Natale, Polynomially Over-Parameterized Convolutional Neural Networks Contain "
    "Structured Strong Winning Lottery Tickets, NeurIPS 2023, 36:25929-25957, arXiv 2311.09858"
)
_NSN = "normally-scaled normal vectors Y = Z (Z_1, ..., Z_d), all Z independent standard normal; 0 < eps <= 1/4"


def _log(d, eps):
    return np.log2(np.asarray(d, dtype=np.float64)) + bits(eps)


def _width(kernel, c, l, eps, C, exp_d, exp_c, exp_log):  # noqa: E741
    kernel, c = np.asarray(kernel, dtype=np.float64), np.asarray(c, dtype=np.float64)
    return C * kernel**exp_d * c**exp_c * (np.log2(kernel**2 * c * l) + bits(eps)) ** exp_log


CLAIMS = (
    Claim(
        id="da-cunha-2023-size",
        paper=_PAPER,
        number="multidimensional random subset sum, subset size",
        statement="Subsets of k >= C d^3 log(d/eps) vectors are enough for one target with constant probability, out "
        "of n >= C k^2. Read here as: from k = d^3 log2(d/eps) and n = k^2 on, the ratio E[Y^2]/E[Y]^2 is at most a "
        "constant, whatever d and eps.",
        latex=r"\frac{\mathbf{E}[Y^2]}{\mathbf{E}[Y]^2} \leq C \quad \mathrm{at} \quad k \geq d^3 \log_2 "
        r"\frac{d}{\varepsilon}, \ n \geq k^2",
        kind=Kind.SUFFICIENT,
        quantity="E[Y^2]/E[Y]^2",
        formula=lambda d, eps, C: C + 0 * np.asarray(d, dtype=np.float64) * eps,
        constants={"C": None},
        scope=Scope(
            laws=("normally-scaled-normal",),
            d=(1, math.inf),
            targets="one",
            ranges={"eps": (0.0, 0.25)},
            conditions=("k >= d ** 3", "n >= k ** 2"),
        ),
        valid=_NSN + "; targets ||z||_1 <= sqrt(k); the exponent 3 as quoted",
        wording=Wording.AS_QUOTED,
    ),
    Claim(
        id="da-cunha-2023-one-target",
        paper=_PAPER,
        number="multidimensional random subset sum, one target",
        statement="n >= C k^2 with k >= C d^3 log(d/eps) vectors have, with constant probability, a k-subset whose sum "
        "is within eps of a fixed target in the max norm. As one bound: n >= C (d^3 log(d/eps))^2.",
        latex=r"n \geq C \left(d^3 \log_2 \frac{d}{\varepsilon}\right)^2",
        kind=Kind.SUFFICIENT,
        quantity="n* (one target)",
        formula=lambda d, eps, C, exp_d: C * (np.asarray(d, dtype=np.float64) ** exp_d * _log(d, eps)) ** 2,
        constants={"C": None, "exp_d": 3.0},
        scope=Scope(
            laws=("normally-scaled-normal",),
            d=(1, math.inf),
            targets="one",
            ranges={"eps": (0.0, 0.25)},
            values={"delta": (0.5,)},
        ),
        valid=_NSN + "; target ||z||_1 <= sqrt(k)",
        wording=Wording.AS_QUOTED,
    ),
    Claim(
        id="da-cunha-2023-all-targets",
        paper=_PAPER,
        number="multidimensional random subset sum, every target",
        statement="Independent batches and a union bound over a net serve every target at once with probability "
        "1 - eps, at the price of one more logarithm: n >= C d^6 log^3(d/eps). The exponents follow from the bound for "
        "one target as quoted; counting the net's dimension too would give d^7.",
        latex=r"n \geq C d^6 \log_2^3 \frac{d}{\min(\varepsilon, \delta)}",
        kind=Kind.SUFFICIENT,
        quantity="n*",
        formula=lambda d, eps, delta, C, exp_d, exp_log: (
            C * np.asarray(d, dtype=np.float64) ** exp_d * _log(d, joint(eps, delta)) ** exp_log
        ),
        constants={"C": None, "exp_d": 6.0, "exp_log": 3.0},
        scope=Scope(
            laws=("normally-scaled-normal",),
            d=(1, math.inf),
            norm=1,
            targets="all",
            ranges={"eps": (0.0, 0.25), "delta": (0.0, 1.0)},
        ),
        valid=_NSN + "; targets in the ball of the 1-norm",
        wording=Wording.AS_QUOTED,
    ),
    Claim(
        id="da-cunha-2023",
        paper=_PAPER,
        number="main theorem",
        statement="A random convolutional network of twice the depth with n >= C kernel^13 c^6 log^3(kernel^2 c l / "
        "eps) channels for each channel and sign can, with probability 1 - eps, be pruned by blocked masks and the "
        "removal of whole filters to within eps of every target network whose kernels have 1-norm at most 1. Quoted "
        "with the exponents 13, 6 and 3; the bound on vectors of dimension kernel^2 c as quoted gives kernel^12 c^6 "
        "log^3, or kernel^14 c^7 log^3 after a union bound: unreconciled.",
        latex=r"n_i \geq C d^{13} c^6 \log_2^3 \frac{d^2 c \, \ell}{\varepsilon}",
        kind=Kind.SUFFICIENT,
        quantity="width factor",
        formula=_width,
        constants={"C": None, "exp_d": 13.0, "exp_c": 6.0, "exp_log": 3.0},
        scope=Scope(
            laws=("normally-scaled-normal",),
            norm=1,
            radius=1.0,
            targets="all",
            ranges={"eps": (0.0, 1.0)},
            conditions=("delta <= eps",),
        ),
        valid="standard normal weights, inputs in [-1, 1]; d in the formula is the largest side of a kernel, c the "
        "largest number of channels",
        wording=Wording.AS_QUOTED,
    ),
    Claim(
        id="da-cunha-2023-error",
        paper=NOTES,
        number="section 7: errors through the layers",
        statement="If every layer is approximated within e = eps/(2 l) in operator norm and the target's layers have "
        "norm at most 1, the output after i layers is off by at most (1 + e)^i - 1: activations grow by at most 1 + e "
        "a layer, E_i <= E_(i-1) + e (1 + e)^(i-1), and ReLU does not increase differences. At i = l that is at most "
        "exp(eps/2) - 1, below eps for eps <= 1.",
        latex=r"E_i \leq \left(1 + \frac{\varepsilon}{2\ell}\right)^i - 1",
        kind=Kind.SUFFICIENT,
        quantity="error",
        formula=lambda layer, l, eps: np.expm1(  # noqa: E741
            np.asarray(layer, dtype=np.float64) * np.log1p(np.asarray(eps, dtype=np.float64) / (2 * np.asarray(l)))
        ),
        scope=Scope(ranges={"eps": (0.0, 1.0), "layer": (1.0, math.inf)}, conditions=("layer <= l",)),
        valid="inputs of norm at most 1; layer = 1, ..., l; the same holds for dense networks in the spectral norm",
        wording=Wording.VERIFIED,
    ),
)
