"""What is proved here with every constant a number: enough numbers for every target of an interval."""

from __future__ import annotations

import numpy as np

from rssp.claims.catalog.formulas import bits, joint
from rssp.claims.scope import Scope
from rssp.claims.statement import Claim, Kind, Wording
from rssp.prediction.closed_form import closed_form_samples

__all__ = ["CLAIMS"]

_NOTES = "rssp, docs/theory/guarantees.md"


CLAIMS: tuple[Claim, ...] = (
    Claim(
        id="own-guarantee",
        paper=_NOTES,
        number="G1, G2, G4, G5 and L1",
        statement="A law that is uniform on [-w, w] with probability p covers [-radius, radius] within eps, but for "
        "probability delta, from that many numbers on. On [-w/2, w/2], u/v, the odds of a random target to be "
        "uncovered, falls by the factor 1 - p/4 a number in the mean: the first term. Numbers whose positive and whose "
        "negative part add up to radius - w/2 shift that interval over the other, in steps of at most w: the second, "
        "by an exponential moment. The recursion and the conditioned second moment, which rssp.guaranteed_samples "
        "takes, prove fewer.",
        latex=r"n \geq \frac{\ln \frac{4 w^2}{\varepsilon^2 \delta}}{-\ln(1 - \frac{p}{4})} + "
        r"\frac{\ln \frac{4}{\delta} + 4 (\frac{r}{w} - \frac{1}{2})}"
        r"{-\ln(1 - p + \frac{p}{2} (1 + \frac{1 - e^{-4}}{4}))}",
        kind=Kind.SUFFICIENT,
        quantity="n*",
        formula=closed_form_samples,
        constants={"p": 1.0, "w": 1.0, "radius": 1.0},
        scope=Scope(laws=("uniform",), d=1, radius=1.0, targets="all", ranges={"eps": (0.0, 1.0), "delta": (0.0, 1.0)}),
        valid="other laws have their p and w, other intervals their radius; independent numbers, 0 < eps < w, 0 < "
        "delta < 1; each term rounded up to a whole number; the second is 0 where radius <= w/2",
        wording=Wording.VERIFIED,
    ),
    Claim(
        id="own-restricted-growth",
        paper=_NOTES,
        number="G1",
        statement="In the process on [-1/2, 1/2] in which targets that leave the interval on the way are lost, one "
        "more number increases the covered fraction v by exactly v(1 - v)/2 in the mean: whatever z and y in the "
        "interval, z - X lies within dy of y with probability dy/2.",
        latex=r"\mathbf{E}[v_{t+1} - v_t \mid v_t] = \frac{1}{2} v_t (1 - v_t)",
        kind=Kind.EQUALITY,
        quantity="E[dv]",
        formula=lambda v, c: c * np.asarray(v, dtype=np.float64) * (1 - np.asarray(v, dtype=np.float64)),
        constants={"c": 0.5},
        scope=Scope(laws=("uniform",), d=1, radius=0.5, note="the restricted process"),
        valid="X uniform on [-1, 1], targets in [-1/2, 1/2]: what RestrictedFractions measures",
        wording=Wording.VERIFIED,
    ),
    Claim(
        id="own-guarantee-lueker",
        paper=_NOTES,
        number="Lueker's constant",
        statement="Lueker's C is at most 9.9: the closed form for min(eps, delta) below 2^-18, and from there to 1/8 "
        "what rssp.guaranteed_samples proves at every power of two, the next smaller one standing for all in between.",
        latex=r"n \geq 9.9 \log_2 \frac{1}{\min(\varepsilon, \delta)}",
        kind=Kind.SUFFICIENT,
        quantity="n*",
        formula=lambda eps, delta, C: C * bits(joint(eps, delta)),
        constants={"C": 9.9},
        scope=Scope(
            laws=("uniform",), d=1, radius=1.0, targets="all", ranges={"eps": (0.0, 1.0), "delta": (0.0, 0.125)}
        ),
        valid="X_i uniform on [-1, 1], targets in [-1, 1]; eps <= 1/8 is enough in place of delta <= 1/8",
        wording=Wording.VERIFIED,
    ),
)
