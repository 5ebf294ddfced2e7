"""Kumar, Natale (2026): quantized and continuous tickets in one frame."""

from __future__ import annotations

import math

import numpy as np

from rssp.claims.scope import Scope
from rssp.claims.statement import Claim, Kind, Wording

__all__ = ["CLAIMS"]

_PAPER = (
    "A. Kumar, E. Natale, A Unified Framework for Quantized and Continuous Strong Lottery Tickets, 2026, arXiv "
    "2607.03860"
)
_INTEGERS = (
    "integer subset sums are not drawn by any study here; the continuous twin of this tail, esa-2023-tail, is measured"
)


def _ratio(M, gap):
    return np.log2(np.maximum((np.asarray(M, dtype=np.float64) + 1) / (np.asarray(gap, dtype=np.float64) + 1), 1))


def _tail(n, M, gap, C, kappa):
    n = np.asarray(n, dtype=np.float64)
    excess = n - C * _ratio(M, gap)
    return np.where(excess > 0, np.minimum(1.0, 2 * np.exp(-(excess**2) / (kappa * n))), 1.0)


CLAIMS = (
    Claim(
        id="kumar-2026-tail",
        paper=_PAPER,
        number="Theorem 2",
        statement="With probability at least 1 - 2 exp(-(n - C log((M + 1)/(gap + 1)))^2/(kappa n)) every integer "
        "target is within gap of a subset sum of n numbers uniform on the integers -M, ..., M.",
        latex=r"P(\mathrm{fail}) \leq 2 \exp\left(-\frac{1}{\kappa n} "
        r"\left(n - C \log_2 \frac{M + 1}{\Delta + 1}\right)^2\right)",
        kind=Kind.SUFFICIENT,
        quantity="P(fail)",
        formula=_tail,
        constants={"C": None, "kappa": None},
        scope=Scope(targets="all", ranges={"gap": (0.0, math.inf)}, note="integers uniform on -M, ..., M"),
        valid="n above C log((M + 1)/(gap + 1)), gap >= 0 (Delta in the formula)",
        wording=Wording.RESTATED,
        unreachable=_INTEGERS,
    ),
    Claim(
        id="kumar-2026",
        paper=_PAPER,
        number="Theorem 2, samples",
        statement="n >= C log((1/step + 1)/(gap + 1)) samples with weights in multiples of step are enough. In the "
        "limit of small steps that is the continuous theorem; gap = 0 asks for exact hits.",
        latex=r"n \geq C \log_2 \frac{1/\delta + 1}{\Delta + 1}",
        kind=Kind.SUFFICIENT,
        quantity="n*",
        formula=lambda step, gap, C: C * _ratio(1 / np.asarray(step, dtype=np.float64), gap),
        constants={"C": None},
        scope=Scope(targets="all", ranges={"gap": (0.0, math.inf), "step": (0.0, 1.0)}),
        valid="weights in -1, -1 + step, ..., 1 (delta in the formula), gap in multiples of step",
        wording=Wording.RESTATED,
        unreachable=_INTEGERS,
    ),
)
