"""Counting bounds: 2^n sums cannot be near more than 2^n small cubes' worth of targets. They hold for every sample."""

from __future__ import annotations

import math

import numpy as np

from rssp.claims.catalog.formulas import NOTES, bits, log2_ball
from rssp.claims.scope import Scope
from rssp.claims.statement import Claim, Kind, Wording

__all__ = ["CLAIMS"]


def _needed(d, eps, radius, norm):
    d = np.asarray(d, dtype=np.float64)
    return np.maximum(log2_ball(d, radius, norm) - d * (1 + np.log2(eps)), 0.0)


_CUBES = (
    "Each of the 2^n subset sums serves the targets of one cube of side 2 eps, of volume (2 eps)^d; together they must "
    "fill the ball's volume: 2^n (2 eps)^d >= vol. "
)

CLAIMS = (
    Claim(
        id="counting-1d",
        paper=NOTES,
        number="section 1: counting, one dimension",
        statement="Each of the 2^n subset sums serves an interval of length 2 eps; together they must fill the "
        "interval [-r, r] of length 2 r: 2^n >= r/eps. For r = 1 that is log2(1/eps), for [-1/2, 1/2] log2(1/(2 eps)), "
        "the form that papers quote after a packing argument.",
        latex=r"n \geq \log_2 \frac{r}{\varepsilon}",
        kind=Kind.NECESSARY,
        quantity="n*",
        formula=lambda eps, radius: np.maximum(np.log2(radius) + bits(eps), 0.0),
        constants={"radius": 1.0},
        scope=Scope(d=1, targets="all"),
        valid="every sample of n numbers, every law, every delta < 1",
        wording=Wording.VERIFIED,
    ),
    Claim(
        id="counting-cube",
        paper=NOTES,
        number="section 1: counting, cube",
        statement=_CUBES + "The cube [-r, r]^d has (2 r)^d: n >= d log2(r/eps). Papers quote d log2(1/eps), or its "
        "order. For the cube [-1/2, 1/2]^d it is d log2(1/(2 eps)).",
        latex=r"n \geq d \log_2 \frac{r}{\varepsilon}",
        kind=Kind.NECESSARY,
        quantity="n*",
        formula=lambda d, eps, radius: _needed(d, eps, radius, math.inf),
        constants={"radius": 1.0},
        scope=Scope(d=(1, math.inf), norm=math.inf, targets="all"),
        valid="every sample of n vectors in R^d, targets [-r, r]^d, error in the max norm",
        wording=Wording.VERIFIED,
    ),
    Claim(
        id="counting-1-norm",
        paper=NOTES,
        number="section 1: counting, 1-norm ball",
        statement=_CUBES + "The ball ||z||_1 <= r has (2 r)^d / d!: n >= d log2(r/eps) - log2(d!).",
        latex=r"n \geq d \log_2 \frac{r}{\varepsilon} - \log_2 d!",
        kind=Kind.NECESSARY,
        quantity="n*",
        formula=lambda d, eps, radius: _needed(d, eps, radius, 1),
        constants={"radius": 1.0},
        scope=Scope(d=(1, math.inf), norm=1, targets="all"),
        valid="every sample of n vectors in R^d, targets ||z||_1 <= r, max-norm error; empty where eps is coarse",
        wording=Wording.VERIFIED,
    ),
    Claim(
        id="counting-2-norm",
        paper=NOTES,
        number="section 1: counting, Euclidean ball",
        statement=_CUBES + "The ball ||z||_2 <= r has pi^(d/2) r^d / Gamma(d/2 + 1).",
        latex=r"n \geq d \log_2 \frac{\sqrt{\pi}\, r}{2 \varepsilon} - \log_2 \Gamma\left(\frac{d}{2} + 1\right)",
        kind=Kind.NECESSARY,
        quantity="n*",
        formula=lambda d, eps, radius: _needed(d, eps, radius, 2),
        constants={"radius": 1.0},
        scope=Scope(d=(1, math.inf), norm=2, targets="all"),
        valid="every sample of n vectors in R^d, targets ||z||_2 <= r, error in the max norm",
        wording=Wording.VERIFIED,
        unmeasured="no study has a Euclidean ball: rssp estimate --eps 0.25 --delta 0.5 --law normal --dim 2 --norm 2",
    ),
    Claim(
        id="counting-cnn",
        paper=NOTES,
        number="section 1: counting, structured pruning of a convolution",
        statement="A kept filter of the random network contributes one vector of dimension kernel^2 c, so that "
        "approximating every kernel with entries in [-1, 1] for one input channel needs the cube's bound in that "
        "dimension.",
        latex=r"n \geq d^2 c \, \log_2 \frac{1}{\varepsilon}",
        kind=Kind.NECESSARY,
        quantity="n*",
        formula=lambda kernel, c, eps: np.asarray(kernel, dtype=np.float64) ** 2 * c * np.maximum(bits(eps), 0.0),
        scope=Scope(norm=math.inf, radius=1.0, targets="all"),
        valid="n kept-or-removed filters per input channel; targets [-1, 1]^(d^2 c), error in the max norm; "
        "d in the formula is the side of the kernel",
        wording=Wording.VERIFIED,
    ),
    Claim(
        id="counting-fixed-size",
        paper=NOTES,
        number="section 1: counting, k-subsets",
        statement="The C(n, k) sums of k-subsets must fill [-r, r] with intervals of length 2 eps.",
        latex=r"\log_2 \binom{n}{k} \geq \log_2 \frac{r}{\varepsilon}",
        kind=Kind.NECESSARY,
        quantity="log2 C(n, k)",
        formula=lambda eps, radius: np.maximum(np.log2(radius) + bits(eps), 0.0),
        constants={"radius": 1.0},
        scope=Scope(d=1, targets="all"),
        valid="every sample of n numbers",
        wording=Wording.VERIFIED,
        unreachable="all targets at once are not enumerated for subsets of a fixed size: it takes a covering engine "
        "for k-subsets",
    ),
)
