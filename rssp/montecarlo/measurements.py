"""What is measured on each sample: columns of numbers, one or more rows a trial."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from rssp._arguments import array_of_eps, choice, integer, positive
from rssp._identity import register
from rssp.balls import Ball
from rssp.errors import ArgumentError

__all__ = ["Coverage", "CoveringProfiles", "HittingTimes", "Measurement"]

Columns = dict[str, NDArray[Any]]


class Measurement(ABC):
    """What is done with each sample of an experiment.

    A measurement of one's own is a registered frozen dataclass with these two members; its fields enter the
    experiment's key::

        @rssp.register
        @dataclass(frozen=True)
        class LargestEntry(rssp.Measurement):
            n: int

            @property
            def sample_size(self):
                return self.n

            def measure(self, samples, ball, rng):
                return {"trial": np.arange(len(samples)), "largest": abs(samples).max(axis=(1, 2))}
    """

    kind: ClassVar[str] = ""
    """What inference reads it as: "covering profiles", "hitting times" or "coverage"; empty for anything else."""
    targets: ClassVar[str] = "all"
    """Whether it speaks of all targets of the ball at once, or of "one"."""

    @property
    @abstractmethod
    def sample_size(self) -> int:
        """How many vectors one trial draws."""

    @abstractmethod
    def measure(self, samples: NDArray[np.float64], ball: Ball, rng: np.random.Generator) -> Columns:
        """Columns of numbers from samples (trials, n, dim).

        All columns are 1-d and of equal length; "trial" (0 to trials - 1) is among them. What one trial gives must
        not depend on the other trials. Anything random comes from `rng`.
        """

    def default_batch_size(self, ball: Ball) -> int:
        """Trials a batch when the experiment does not say: a power of two, as many as make a batch worth its overhead.

        It is written into the experiment and so into its key. Whole-number arithmetic only, so that it is the same on
        every machine.
        """
        return _batch_size(self.sample_size, ball.dim)

    def covered(self, columns: Columns, n: int | None, eps: float | None) -> NDArray[np.bool_]:
        """For each trial in `columns`, whether its first n vectors cover the ball at eps (for stopping rules)."""
        raise ArgumentError(
            "stop", type(self).__name__, "a measurement that tells coverage: Coverage, HittingTimes, CoveringProfiles"
        )


def _batch_size(n: int, dim: int) -> int:
    """A power of two: about 2**24 subset sums a batch in one dimension, fewer above.

    At most 128 trials: a run computes its last batch whole, and what a batch costs beside its trials is small against
    128 of any size.
    """
    top, most = (24, 7) if dim == 1 else (18, 5)
    return 1 << min(max(top - n, 0), most)


def _whole_log2(ratio: float) -> int:
    """The logarithm rounded up, 0 or more; exact, so that a key does not depend on the machine's last bit."""
    return max(0, math.frexp(ratio)[1])


def _error_norm(value: Any) -> float:
    if isinstance(value, bool):
        raise ArgumentError("error_norm", value, "2 or inf")
    return float(choice("error_norm", value, (2, math.inf)))


def _set(measurement: Measurement, **fields: object) -> None:
    for name, value in fields.items():
        object.__setattr__(measurement, name, value)


@register
@dataclass(frozen=True)
class CoveringProfiles(Measurement):
    """The covering radius of the first n vectors for n = n_min to n_max: columns trial, n, lower, upper.

    One row a trial and n. In one dimension lower equals upper; in more they are a certified bracket of relative width
    `resolution`. One trial tells coverage at every eps.

    >>> CoveringProfiles(n_max=12).sample_size
    12
    """

    kind = "covering profiles"

    n_max: int
    n_min: int = 1
    resolution: float = 0.05
    error_norm: float = math.inf

    def __post_init__(self) -> None:
        n_max = integer("n_max", self.n_max, 1)
        _set(self, n_max=n_max, n_min=integer("n_min", self.n_min, 1, n_max))
        _set(self, resolution=positive("resolution", self.resolution), error_norm=_error_norm(self.error_norm))

    @property
    def sample_size(self) -> int:
        return self.n_max

    def measure(self, samples: NDArray[np.float64], ball: Ball, rng: np.random.Generator) -> Columns:
        from rssp.subsetsum.covering import covering_profiles

        lower, upper = covering_profiles(
            samples, ball, self.n_min, self.n_max, resolution=self.resolution, error_norm=self.error_norm
        )
        n = np.arange(self.n_min, self.n_max + 1)
        trials = len(samples)
        return {
            "trial": np.repeat(np.arange(trials), n.size),
            "n": np.tile(n, trials),
            "lower": lower.reshape(-1),
            "upper": upper.reshape(-1),
        }

    def covered(self, columns: Columns, n: int | None, eps: float | None) -> NDArray[np.bool_]:
        n = integer("n", n, self.n_min, self.n_max)
        return columns["upper"][columns["n"] == n] <= positive("eps", eps)


@register
@dataclass(frozen=True)
class HittingTimes(Measurement):
    """The first n at which the ball is covered at eps, for each eps: columns trial, eps, n (-1: not by n_max).

    One row a trial and eps. Cheaper than profiles where n_max lies well above the typical hitting time.

    >>> HittingTimes(eps=(0.5, 0.1), n_max=20)
    HittingTimes(eps=(0.5, 0.1), n_max=20, error_norm=inf)
    """

    kind = "hitting times"

    eps: tuple[float, ...]
    n_max: int
    error_norm: float = math.inf

    def __post_init__(self) -> None:
        eps = tuple(map(float, array_of_eps(self.eps)))
        if len(set(eps)) != len(eps):
            raise ArgumentError("eps", eps, "different numbers > 0")
        _set(self, eps=eps, n_max=integer("n_max", self.n_max, 1), error_norm=_error_norm(self.error_norm))

    @property
    def sample_size(self) -> int:
        return self.n_max

    def default_batch_size(self, ball: Ball) -> int:
        # in one dimension nine trials of ten end by 1.2 log2(radius/eps) + 7; who sets n_max much higher expects later
        typical = ball.dim * (_whole_log2(ball.radius / min(self.eps)) * 6 // 5 + 7)
        return _batch_size(max(self.n_max - 12, min(self.n_max, typical)), ball.dim)

    def measure(self, samples: NDArray[np.float64], ball: Ball, rng: np.random.Generator) -> Columns:
        from rssp.subsetsum.covering import hitting_times

        eps = np.asarray(self.eps)
        times = hitting_times(samples, ball, eps, error_norm=self.error_norm)
        trials = len(samples)
        return {
            "trial": np.repeat(np.arange(trials), eps.size),
            "eps": np.tile(eps, trials),
            "n": times.reshape(-1),
        }

    def covered(self, columns: Columns, n: int | None, eps: float | None) -> NDArray[np.bool_]:
        n = integer("n", n, 0, self.n_max)
        if eps not in self.eps:
            raise ArgumentError("eps", eps, "one of " + ", ".join(map(str, self.eps)))
        times = columns["n"][columns["eps"] == eps]
        return (times >= 0) & (times <= n)


@register
@dataclass(frozen=True)
class Coverage(Measurement):
    """Whether n vectors cover the ball at eps: columns trial, covered. One row a trial; the cheapest measurement.

    >>> Coverage(n=12, eps=0.1).sample_size
    12
    """

    kind = "coverage"

    n: int
    eps: float
    error_norm: float = math.inf

    def __post_init__(self) -> None:
        _set(self, n=integer("n", self.n, 1), eps=positive("eps", self.eps), error_norm=_error_norm(self.error_norm))

    @property
    def sample_size(self) -> int:
        return self.n

    def default_batch_size(self, ball: Ball) -> int:
        if ball.dim > 1:
            return super().default_batch_size(ball)
        # the cost is that of the intervals of length 2 eps about the sums, or of all sums where these are fewer
        return _batch_size(min(self.n, _whole_log2(ball.radius / self.eps) + 5), 1)

    def measure(self, samples: NDArray[np.float64], ball: Ball, rng: np.random.Generator) -> Columns:
        from rssp.subsetsum.covering import covers_each

        covered = covers_each(samples, ball, self.eps, error_norm=self.error_norm)
        return {"trial": np.arange(len(samples)), "covered": covered}

    def covered(self, columns: Columns, n: int | None, eps: float | None) -> NDArray[np.bool_]:
        for name, value, own in (("n", n, self.n), ("eps", eps, self.eps)):
            if value is not None and value != own:
                raise ArgumentError(name, value, f"{own}, that of the measurement (or None)")
        return columns["covered"]
