"""Kumar, Natale (2025): quantized weights, where a ticket can be exact."""

from __future__ import annotations

import numpy as np

from rssp.claims.catalog.formulas import bits
from rssp.claims.scope import Scope
from rssp.claims.statement import Claim, Kind, Wording

__all__ = ["CLAIMS"]

_PAPER = "A. Kumar, E. Natale, Quantization vs Pruning: Insights from the SLTH, 2025, arXiv 2508.11020"
_INTEGERS = "integer subset sums and quantized tickets are not drawn by any study here"


def _parameters(width, step, delta):
    size = np.asarray(width, dtype=np.float64) ** 2
    return size * np.log2(2 / np.asarray(step, dtype=np.float64) + 1) + np.log2(1 - np.asarray(delta, dtype=np.float64))


CLAIMS = (
    Claim(
        id="kumar-2025-samples",
        paper=_PAPER,
        number="Lemma 4",
        statement="n > log2(M) numbers uniform on the integers -M, ..., M without 0 have, with a probability that "
        "tends to 1 polynomially in n, a subset whose sum is exactly a target of order M.",
        latex=r"n > \log_2 M",
        kind=Kind.SUFFICIENT,
        quantity="n* (one target)",
        formula=lambda M: np.log2(np.asarray(M, dtype=np.float64)),
        scope=Scope(
            targets="one", note="integers uniform on -M, ..., M without 0; n to infinity with log2(M)/n < 1 fixed"
        ),
        valid="n to infinity with log2(M)/n < 1 fixed; exact hits",
        wording=Wording.RESTATED,
        unreachable=_INTEGERS,
    ),
    Claim(
        id="kumar-2025-width",
        paper=_PAPER,
        number="Theorem 1",
        statement="A random network of twice the depth and of width C width log2(1/step), its weights multiples of a "
        "step no larger than this, can be pruned to equal exactly every target of that width whose weights are "
        "multiples of some step_t >= step^2.",
        latex=r"C d \log_2 \frac{1}{\delta}",
        kind=Kind.SUFFICIENT,
        quantity="width",
        formula=lambda width, step, C: C * np.asarray(width, dtype=np.float64) * bits(step),
        constants={"C": None},
        scope=Scope(ranges={"step": (0.0, 1.0)}),
        valid="uniform random weights, activations reset to the coarser precision in between; delta in the formula is "
        "the step",
        wording=Wording.RESTATED,
        unreachable=_INTEGERS,
    ),
    Claim(
        id="kumar-2025-width-shallow",
        paper=_PAPER,
        number="Theorem 2",
        statement="With one layer more than the target's depth in place of twice the depth: one more factor "
        "log2(1/step).",
        latex=r"C d \log_2^2 \frac{1}{\delta}",
        kind=Kind.SUFFICIENT,
        quantity="width",
        formula=lambda width, step, C: C * np.asarray(width, dtype=np.float64) * bits(step) ** 2,
        constants={"C": None},
        scope=Scope(ranges={"step": (0.0, 1.0)}),
        valid="as Theorem 1",
        wording=Wording.RESTATED,
        unreachable=_INTEGERS,
    ),
    Claim(
        id="kumar-2025-lower",
        paper=_PAPER,
        number="Theorem 3",
        statement="A random network that equals with probability 1 - delta any one linear map on R^width with weights "
        "in -1, -1 + step, ..., 1 needs at least width^2 log2(2/step + 1) + log2(1 - delta) parameters: there are "
        "(2/step + 1)^(width^2) such maps and 2^m pruned networks. Its width is then of order width log(1/step).",
        latex=r"m \geq d^2 \log_2 \left(\frac{2}{\delta} + 1\right) + \log_2 p",
        kind=Kind.NECESSARY,
        quantity="parameters",
        formula=_parameters,
        scope=Scope(ranges={"step": (0.0, 1.0), "delta": (0.0, 1.0)}, note="two layers"),
        valid="two layers, 0 < step <= 1; in the formula delta is the step and p the probability",
        wording=Wording.RESTATED,
        unreachable=_INTEGERS,
    ),
)
