"""Xiong, Liao, Kyrillidis (AISTATS 2023): subset sums of numbers that may first be moved a little."""

from __future__ import annotations

import math

import numpy as np

from rssp.claims.scope import Scope
from rssp.claims.statement import Claim, Kind, Wording

__all__ = ["CLAIMS"]

CLAIMS = (
    Claim(
        id="xiong-2023",
        paper="Z. Xiong, F. Liao, A. Kyrillidis, Strong Lottery Ticket Hypothesis with eps-perturbation, AISTATS 2023, "
        "PMLR 206:6879-6902, arXiv 2210.16589",
        number="abstract",
        statement="If each number may be moved by up to `budget` before it is added, the number of samples needed is "
        "smaller by a factor of order 1/(1 + budget).",
        latex=r"\frac{n^*(\mathrm{budget})}{n^*(0)} = \frac{C}{1 + \mathrm{budget}}",
        kind=Kind.SUFFICIENT,
        quantity="n* with budget over n* without",
        formula=lambda budget, C: C / (1 + np.asarray(budget, dtype=np.float64)),
        constants={"C": None},
        scope=Scope(ranges={"budget": (0.0, math.inf)}),
        valid="budget >= 0 (the paper calls it eps); uniform samples",
        wording=Wording.ABSTRACT,
        unreachable="subset sums of numbers that may be moved are another problem: no solver here moves them",
    ),
)
