"""da Cunha, Natale, Viennot (ICLR 2022): convolutional networks."""

from __future__ import annotations

import math

import numpy as np

from rssp.claims.catalog.formulas import bits, joint, lookup
from rssp.claims.scope import Scope
from rssp.claims.statement import Claim, Kind, Wording

__all__ = ["CLAIMS"]

_PAPER = (
    "A. da Cunha, E. Natale, L. Viennot, Proving the (Strong) Lottery Ticket Hypothesis for Convolutional Neural "
    "Networks, ICLR 2022"
)
_MEDIANS = {10.0: 1.14e-3, 15.0: 4.4e-5, 20.0: 3e-8, 25.0: 0.0, 30.0: 0.0}


def _digits(median):
    """Half a unit of the last digit printed."""
    return np.select([median > 1e-3, median > 1e-6, median > 0], [5e-6, 5e-7, 5e-9], 0.0)


def _sampling(median):
    """The standard error of the median of 2,572 distances of exponential law, which gaps between many sums have."""
    return median / (math.log(2) * math.sqrt(2572))


def _width_factor(kernel, c_in, c_out, l, eps, delta, C):  # noqa: E741
    weights = np.asarray(kernel, dtype=np.float64) ** 2 * c_in * c_out
    return C * (np.log2(weights * l) + bits(joint(eps, delta)))


CLAIMS = (
    Claim(
        id="da-cunha-2022",
        paper=_PAPER,
        number="main theorem",
        statement="A random convolutional network of twice the depth, alternating 1 x 1 layers of 2 n c_in channels "
        "and layers of the target's kernel size, n = C log(c_in c_out kernel^2 l / min(eps, delta)), can with "
        "probability 1 - delta be pruned to within eps of every target of depth l whose kernels have 1-norm at most 1.",
        latex=r"n_i \geq C \log_2 \frac{c_{i-1} c_i d_i^2 \ell}{\min(\varepsilon, \delta)}",
        kind=Kind.SUFFICIENT,
        quantity="width factor",
        formula=_width_factor,
        constants={"C": None},
        scope=Scope(
            ranges={"eps": (0.0, 1.0), "delta": (0.0, 1.0)}, note="kernels of 1-norm at most 1, inputs in [-1, 1]"
        ),
        valid="uniform weights on [-1, 1], max norm over inputs in [-1, 1]; d in the formula is the side of the kernel",
        wording=Wording.AS_QUOTED,
        unreachable="networks of this construction are not built here; da_cunha_2022 measures the subset sums of one "
        "layer, pensia_2020 whole networks without convolutions",
    ),
    Claim(
        id="da-cunha-2022-experiment-factor",
        paper=_PAPER,
        number="experiments",
        statement="The convolutions of a LeNet5 (98.99 % on MNIST, 89.12 % on Fashion-MNIST) are approximated with a "
        "relative error of 1e-3 by masking a random network roughly 30 times larger, in a few hours.",
        latex="30",
        kind=Kind.PUBLISHED,
        quantity="over-parameterization",
        formula=lambda value: value,
        constants={"value": 30.0},
        scope=Scope(note="the convolutions of a LeNet5"),
        valid="convolution layers only, some hypotheses of the theorem ignored",
        wording=Wording.RESTATED,
        unreachable="the published network is not at hand; da_cunha_2022 measures the relative error of one layer "
        "against n",
    ),
    Claim(
        id="da-cunha-2022-experiment-median",
        paper=_PAPER,
        number="experiments, released results",
        statement="Median error of the 2,572 convolution weights of a LeNet5 with n samples each: 1.14e-3, 4.4e-5, "
        "3e-8, 0, 0 for n = 10, 15, 20, 25, 30. No subset reaches the last three: the optimum's medians are 1.7e-6, "
        "5.5e-8 and 1.9e-9, and unrounded variables of a solver were added up.",
        latex=r"1.14 \cdot 10^{-3},\ 4.4 \cdot 10^{-5},\ 3 \cdot 10^{-8},\ 0,\ 0",
        kind=Kind.PUBLISHED,
        quantity="median error",
        formula=lambda n: lookup(_MEDIANS)(n),
        scope=Scope(values={"n": (10, 15, 20, 25, 30)}),
        valid="n = 10, 15, 20, 25, 30; fresh uniform samples for each weight; figures as quoted, not seen in the text",
        wording=Wording.AS_QUOTED,
        error=_digits,
        standard_error=_sampling,
    ),
)
