"""The smallest constant of a bound where every point ties: the maximum of many errors is no error of one point."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from calibration_parts.judging import frequency, generator
from calibration_parts.simulated import BITS, hitting_trials, median_at

from rssp.inference import required_n, smallest_constant

__all__ = ["ROWS"]

C = 1.5


def tied(simulations: int, seed: int) -> list[dict[str, Any]]:
    """Lower and upper end of C, whose g is proportional to n* at every point."""
    rows = []
    for what, shared in (("points of their own trials", False), ("points of the same trials", True)):
        name = f"smallest constant, {len(BITS)} points tied, {what}, 400 trials"
        rng, below, above = generator(seed, name), [], []
        for _ in range(min(simulations, 2000)):
            estimate = smallest_constant(_points(rng, shared), C_G).constant
            below.append(estimate.low <= C)
            above.append(estimate.high >= C)
        rows.append(frequency(name, "lower end is below C", 0.975, below, 0.95))
        rows.append(frequency(name, "upper end is above C", 0.975, above, 0.95))
    return rows


C_G = BITS + 3.0


def _points(rng: np.random.Generator, shared: bool) -> pd.DataFrame:
    locations = median_at(C * C_G)
    if shared:
        return required_n(hitting_trials(rng, locations, 400), interpolated=True)
    parts = [
        required_n(hitting_trials(rng, [m], 400, bits=[b]), interpolated=True)
        for m, b in zip(locations, BITS, strict=True)
    ]
    return pd.concat(parts, ignore_index=True)


ROWS = (tied,)
