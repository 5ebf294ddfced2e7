"""A number for the C of "n >= C log2(1/min(eps, delta)) is enough", over a whole range of eps and delta.

Two sources, both proved (docs/theory/guarantees.md, "Lueker's constant"). From some number of bits on, the closed form
of G5, a straight line in the bits. Before that, what `guaranteed_samples` proves at a few stops: an n that is enough
at 2^-after is enough for all bits in between, so that the segment from `before` to `after` asks for n / before.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from rssp._arguments import positive, probability
from rssp.balls import Ball
from rssp.laws import Law
from rssp.prediction.closed_form import TILT, UP, tilted_mean
from rssp.prediction.guarantees import guaranteed_samples
from rssp.prediction.minorants import refuse, uniform_share, widths

__all__ = ["STOPS", "ProvedConstant", "proved_constant"]

STOPS = (4, 5, 6, 8, 10, 13, 16, 20)


def _line(p: float, w: float, radius: float, delta: float | None) -> tuple[float, float]:
    """Slope and start of a straight line in the bits of 1/eps that is above the closed form; delta = eps where None."""
    grow = math.log(2) / -math.log1p(-p / 4)
    slope, start = 2 * grow, (2 + 2 * math.log2(w)) * grow + 1
    each = grow
    reach = radius / w - 0.5
    if reach > 0:
        shift = math.log(2) / -math.log(float(tilted_mean(p)))
        start += (2 + TILT * reach / math.log(2)) * shift + 1
        each += shift
    return (slope + each, start) if delta is None else (slope, start + each * math.log2(1 / delta))


@dataclass(frozen=True)
class ProvedConstant:
    """C, and where the largest need is, for the reader."""

    value: float
    where: str


def proved_constant(
    law: Law,
    *,
    radius: float = 1.0,
    delta: float | None = None,
    added: float = 0.0,
    finer: float = 0.0,
    least_bits: float = 3.0,
    stops: Sequence[float] = STOPS,
    density: tuple[float, float] | None = None,
) -> ProvedConstant:
    """A C for which ``n >= C (b + added)`` numbers reach all of [-radius, radius], for every b >= least_bits.

    Here b = log2(1/min(eps, delta)), or log2(1/eps) where `delta` is fixed, and the numbers serve the error (and the
    failure probability) 2^-(b + finer).

    Parameters
    ----------
    law : Law of one number, with a known positive lower bound of its density around 0
    radius : float > 0
    delta : float in (0, 1), or None where it falls with eps
    added : float, what the formula adds to the bits
    finer : float >= 0, how many bits finer the numbers must do than the formula's eps says
    least_bits : float > 0
    stops : numbers, the bits at which `guaranteed_samples` is asked; from the last one on, or everywhere where there
        are none, the closed form serves
    density : as in `guaranteed_samples`

    Raises
    ------
    ArgumentError
        Where the law is not covered by the proof.

    Examples
    --------
    >>> import rssp
    >>> found = proved_constant(rssp.Uniform(), stops=(4, 6))
    >>> round(found.value, 2), found.where
    (11.02, 'the closed form from 2^-6 on')
    """
    radius, least = positive("radius", radius), positive("least_bits", least_bits)
    delta = None if delta is None else probability("delta", delta)
    points = [least + finer, *(float(s) for s in sorted(stops) if s > least + finer)]
    ball = Ball(1, radius)
    needs = []
    for before, after in pairwise(points):
        eps = 2.0**-after
        n = guaranteed_samples(law, eps, eps if delta is None else delta, ball, density=density).high
        needs.append((n / (before - finer + added), f"{n:.0f} at 2^-{after:g}"))
    slope, start = min(
        (_line(p, w, radius, delta) for p, w in _parts(law, radius, points[-1], density)),
        key=lambda line: line[0] * points[-1] + line[1],
    )
    # (slope (b + finer) + start) / (b + added) falls, or rises towards the slope
    tail = max(slope, (slope * points[-1] + start) / (points[-1] - finer + added))
    needs.append((tail, f"the closed form from 2^-{points[-1]:g} on"))
    value, where = max(needs)
    return ProvedConstant(value * UP, where)


def _parts(law: Law, radius: float, bits: float, density: tuple[float, float] | None) -> list[tuple[float, float]]:
    """(p, w): the law is uniform on [-w, w] with probability p, w larger than the error."""
    found = [(uniform_share(law, w, density), w) for w in widths(law, radius, density) if w > 2.0**-bits]
    found = [(p, w) for p, w in found if p > 0]
    if not found:
        raise refuse(law)
    return found
