"""The smallest constant of a bound where every point ties: the maximum of many errors is no error of one point."""

from __future__ import annotations

from typing import Any

from calibration_parts.judging import frequency, generator
from calibration_parts.simulated import BITS, SHARED, hitting_trials, median_at
from rssp.inference import required_n, smallest_constant

__all__ = ["ROWS"]

C = 1.5


def tied(simulations: int, seed: int) -> list[dict[str, Any]]:
    """Lower and upper end of C, whose g is proportional to n* at every point."""
    rows, g = [], BITS + 3.0
    for what, shared in (("points of their own trials", 0.0), ("points of the same trials", SHARED)):
        name = f"smallest constant, {len(BITS)} points tied, {what}, 400 trials"
        rng, below, above = generator(seed, name), [], []
        for _ in range(simulations):
            points = required_n(hitting_trials(rng, median_at(C * g), 400, shared=shared), interpolated=True)
            estimate = smallest_constant(points, g).constant
            below.append(estimate.low <= C)
            above.append(estimate.high >= C)
        rows.append(frequency(name, "lower end is below C", 0.975, below, 0.95))
        rows.append(frequency(name, "upper end is above C", 0.975, above, 0.95))
    return rows


ROWS = (tied,)
