"""Cheap measurements for the tests, and one that fails on chosen trials."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np

from rssp._identity import register
from rssp.balls import Ball
from rssp.errors import ArgumentError, InfeasibleError
from rssp.laws import Law, Uniform
from rssp.montecarlo import Experiment, Measurement


@register
@dataclass(frozen=True)
class Sums(Measurement):
    """The sum of each sample and a random number; `cost` seconds a batch, which change nothing."""

    n: int = 3
    cost: float = 0.0

    @property
    def sample_size(self) -> int:
        return self.n

    def measure(self, samples, ball, rng):
        time.sleep(self.cost)
        return {
            "trial": np.arange(len(samples)),
            "total": samples.sum(axis=(1, 2)),
            "noise": rng.integers(0, 1000, len(samples)),
            "positive": samples.sum(axis=(1, 2)) > 0,
        }

    def covered(self, columns, n, eps):
        return columns["positive"]


@register
@dataclass(frozen=True)
class Fragile(Measurement):
    """Fails on samples whose first entry is above `limit`."""

    limit: float

    @property
    def sample_size(self) -> int:
        return 2

    def measure(self, samples, ball, rng):
        first = samples[:, 0, 0]
        if (first > self.limit).any():
            raise ValueError("the first entry is too large")
        return {"trial": np.arange(len(samples)), "first": first, "count": np.arange(len(samples)), "good": first > 0}


@register
@dataclass(frozen=True)
class Refuses(Measurement):
    """Refuses every trial."""

    @property
    def sample_size(self) -> int:
        return 2

    def measure(self, samples, ball, rng):
        raise ArgumentError("n", 99, "at most 3")


@register
@dataclass(frozen=True)
class Answers(Measurement):
    """Gives an answer of a wrong form."""

    form: str

    @property
    def sample_size(self) -> int:
        return 1

    def measure(self, samples, ball, rng):
        trial = np.arange(len(samples))
        return {
            "no dict": 3,
            "no trial": {"x": trial},
            "lengths": {"trial": trial, "x": trial[1:]},
            "text": {"trial": trial, "x": np.array(["a"] * len(trial))},
            "range": {"trial": trial + 1},
            "reserved": {"trial": trial, "batch": trial},
        }[self.form]


def cheap(batch_size: int = 10, cost: float = 0.0, seed: int = 0) -> Experiment:
    return Experiment(Uniform(), Ball(), Sums(cost=cost), seed=seed, batch_size=batch_size)


@register
@dataclass(frozen=True)
class Large(Measurement):
    """Lacks memory for samples whose first entry is above 0.9, until there is enough."""

    enough_memory = False

    @property
    def sample_size(self) -> int:
        return 1

    def measure(self, samples, ball, rng):
        if not Large.enough_memory and (samples > 0.9).any():
            raise InfeasibleError("this sample", "8 GB of memory", "4 GB")
        return {"trial": np.arange(len(samples)), "first": samples[:, 0, 0]}


@register
@dataclass(frozen=True)
class Undrawable(Law):
    """Cannot be drawn."""

    dim: int = 1

    def draw(self, n, rng):
        raise RuntimeError("no numbers today")
