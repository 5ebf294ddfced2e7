"""Thresholds and probabilities from counts: their intervals, and what stopping does to the estimate."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd

from calibration_parts.judging import frequency, generator, unbiased
from calibration_parts.simulated import hitting_trials, median_at
from rssp.inference import clopper_pearson, confidence_sequence, coverage, required_n
from rssp.montecarlo import IntervalWidth
from rssp.trials import Trials

__all__ = ["ROWS"]

_Rows = list[dict[str, Any]]


_AT_ONCE = 100


def _held(name: str, simulations: int, seed: int, truth: float, **options: Any) -> list[bool]:
    """Whether the interval of n* holds the truth; simulations of 200 trials, a hundred in one table as its eps."""
    rng = generator(seed, name)
    held: list[bool] = []
    delta, n_max = options.get("delta", 0.5), options.pop("n_max", 60)
    while len(held) < simulations:
        many = [truth] * min(_AT_ONCE, simulations - len(held))
        rows = required_n(hitting_trials(rng, median_at(many, delta), 200, n_max=n_max, shared=0.0), **options)
        wanted = truth if options["interpolated"] else math.ceil(truth)
        held += list((rows["low"] <= wanted) & (rows["high"] >= wanted))
    return held


def past_n_max(simulations: int, seed: int) -> _Rows:
    """n* a little past the last n that was looked at: all that can be known is that it is larger than that n."""
    rows = []
    for past in (0.05, 0.3):
        name = f"interpolated n*, the median {past:g} past n_max, 200 trials"
        held = _held(name, simulations, seed, 12 + past, n_max=12, interpolated=True)
        rows.append(frequency(name, "interval holds n*", 0.95, held, 0.94))
    return rows


def thresholds(simulations: int, seed: int) -> _Rows:
    """n* well inside the range, whole and interpolated."""
    rows = []
    for delta in (0.5, 0.1):
        for interpolated in (True, False):
            name = f"{'interpolated' if interpolated else 'whole'} n*, delta = {delta:g}, 200 trials"
            held = _held(name, simulations, seed, 12.37, delta=delta, interpolated=interpolated)
            rows.append(frequency(name, "interval holds n*", 0.95, held, 0.94))
    return rows


def levels(simulations: int, seed: int) -> _Rows:
    """A confidence asked for is the one that is kept."""
    rows = []
    for confidence in (0.5, 0.68, 0.995):
        name = f"interpolated n* at confidence {confidence:g}, 200 trials"
        held = _held(name, simulations, seed, 12.37, confidence=confidence, interpolated=True)
        rows.append(frequency(name, "interval holds n*", confidence, held, confidence - 0.01))
    return rows


def proportions(simulations: int, seed: int) -> _Rows:
    """A probability from a fixed number of trials, and from one that was chosen by looking."""
    rows = []
    for p in (0.02, 0.5):
        name = f"Clopper-Pearson, P = {p:g}, 200 trials"
        low, high = clopper_pearson(generator(seed, name).binomial(200, p, simulations), 200)
        rows.append(frequency(name, "interval holds P", 0.95, np.asarray((low <= p) & (p <= high)).tolist(), 0.95))
    name, looks = "confidence sequence, stopped when it leaves out 1/2", np.arange(20, 1001, 20)
    seen = generator(seed, name).binomial(20, 0.5, (simulations, len(looks))).cumsum(axis=1)
    low, high = confidence_sequence(seen, looks)
    kept = ((low <= 0.5) & (high >= 0.5)).all(axis=1)
    return [*rows, frequency(name, "interval holds P", 0.95, kept, 0.95)]


def stopped(simulations: int, seed: int) -> _Rows:
    """The estimate of a run that ended when its interval was narrow enough."""
    truth, size, batches, rule = 0.02, 16, 60, IntervalWidth(0.05, n=8, eps=0.1)
    name = f"P after stopping at an interval width of {rule.width:g}, P = {truth:g}"
    rng, plain, corrected, inside, marked = generator(seed, name), [], [], [], []
    for _ in range(simulations):
        hits = rng.random((batches, size)) < truth
        totals = hits.sum(axis=1).cumsum()
        ends = [bool(rule.stops(np.array(s), size * (i + 1))) for i, s in enumerate(totals)]
        used = ends.index(True) + 1 if True in ends else batches
        plain.append(totals[used - 1] / (size * used))
        row = coverage(_stopped_trials(hits[:used], rule)).query("n == 8 and eps == 0.1").iloc[0]
        corrected.append(float(row["best"]))
        inside.append(row["low"] <= truth <= row["high"])
        marked.append(not row["biased"])
    return [
        unbiased(f"{name}: plain proportion", plain, truth, promised=False),
        unbiased(f"{name}: best", corrected, truth),
        frequency(f"{name}: best", "said to be without bias", "", marked, 1.0),
        frequency(f"{name}: interval", "interval holds P", 0.95, inside, 0.95),
    ]


def _stopped_trials(hits: np.ndarray, rule: IntervalWidth) -> Trials:
    """Batches of hitting times of which those that hit cover with 8 vectors at eps = 0.1."""
    batch, trial = (index.ravel() for index in np.indices(hits.shape))
    table = pd.DataFrame({"batch": batch, "trial": trial, "eps": 0.1, "n": np.where(hits.ravel(), 8, 9)})
    return Trials(table, None, hits.size, True, "stopped", stop=rule, _n_max=9)


ROWS = (past_n_max, thresholds, levels, proportions, stopped)
