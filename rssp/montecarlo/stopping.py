"""When a run ends before its number of trials.

A rule looks at the ordered prefix of batches: batch 0, batches 0 and 1, and so on, whatever the order of computation.
It stops at the first batch after which it is content, so its answer is the same for any number of workers. Batches
computed past that point stay in the store, and are not part of the run.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import defaultdict
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from rssp._arguments import positive, probability
from rssp.intervals import clopper_pearson
from rssp.montecarlo.execution import Batch
from rssp.montecarlo.experiment import Experiment
from rssp.montecarlo.measurements import Columns

__all__ = ["IntervalWidth", "Seconds", "StoppingRule", "interval_width"]


class StoppingRule(ABC):
    """Numbers that add up over batches, and when their sum is enough."""

    optional_stopping: ClassVar[bool] = True
    """Whether the number of trials may depend on what was measured: intervals must then stay valid under stopping."""

    @abstractmethod
    def observe(self, experiment: Experiment, batch: Batch) -> tuple[float, ...]:
        """What one batch adds."""

    @abstractmethod
    def reason(self, total: tuple[float, ...]) -> str | None:
        """Why to stop now, given the sum over the prefix; None to go on."""

    def check(self, experiment: Experiment) -> None:  # noqa: B027 - most rules fit every experiment
        """Raise ArgumentError if the rule does not fit the experiment."""


@dataclass(frozen=True)
class Seconds(StoppingRule):
    """Stop when the batches of the prefix have taken this many seconds of computation, added up over all workers.

    The time of a stored batch is the one it took when it was computed, so resuming gives the same answer; a new run
    elsewhere may end at another batch. Slow trials may differ from fast ones, so this counts as optional stopping.

    >>> Seconds(2.0).reason((2.5,))
    '2.5 s of computation reached the 2 s allowed'
    """

    seconds: float

    def __post_init__(self) -> None:
        object.__setattr__(self, "seconds", positive("seconds", self.seconds))

    def observe(self, experiment: Experiment, batch: Batch) -> tuple[float, ...]:
        return (batch.seconds,)

    def reason(self, total: tuple[float, ...]) -> str | None:
        if total[0] < self.seconds:
            return None
        return f"{total[0]:.3g} s of computation reached the {self.seconds:g} s allowed"


@dataclass(frozen=True)
class IntervalWidth(StoppingRule):
    """Stop when the Clopper-Pearson interval for P(cover at n, eps) is at most this wide.

    Parameters
    ----------
    width : float in (0, 1), upper minus lower end
    n, eps : the event; both needed except where the measurement has only one (Coverage)
    confidence : float in (0, 1)

    The interval seen when stopping is not a valid interval any more, because the answer decided when to stop, and the
    proportion is biased. `rssp.coverage` gives such a run intervals that are valid at any time, and for this event the
    estimate without the bias.

    >>> IntervalWidth(0.1, n=10, eps=0.1).reason((50.0, 1000.0))
    '50 of 1000 trials cover: the 95 % interval is 0.0281 wide, at most 0.1 was asked for'
    """

    width: float
    n: int | None = None
    eps: float | None = None
    confidence: float = 0.95

    def __post_init__(self) -> None:
        object.__setattr__(self, "width", probability("width", self.width))
        object.__setattr__(self, "confidence", probability("confidence", self.confidence))

    def observe(self, experiment: Experiment, batch: Batch) -> tuple[float, ...]:
        if not batch.rows:
            return (0.0, 0.0)
        covered = experiment.measurement.covered(batch.columns, self.n, self.eps)
        return (float(covered.sum()), float(covered.size))

    def reason(self, total: tuple[float, ...]) -> str | None:
        successes, trials = total
        width = interval_width(successes, trials, self.confidence)
        if width > self.width:
            return None
        return (
            f"{successes:.0f} of {trials:.0f} trials cover: the {self.confidence * 100:g} % interval is {width:.3g} "
            f"wide, at most {self.width:g} was asked for"
        )

    def stops(self, successes: NDArray[np.float64], trials: float) -> NDArray[np.bool_]:
        """Where it would stop, for an array of successes among so many trials."""
        low, high = clopper_pearson(successes, trials, confidence=self.confidence)
        return np.asarray(high - low <= self.width)

    def judges(self, n: int, eps: float, only: bool) -> bool:
        """Whether its event is that of this n and eps; `only` says that the measurement has no other."""
        return (self.n == n or (self.n is None and only)) and (self.eps == eps or (self.eps is None and only))

    def check(self, experiment: Experiment) -> None:
        nothing: Columns = defaultdict(lambda: np.empty(0))  # stands for the columns of no trials, whatever they are
        experiment.measurement.covered(nothing, self.n, self.eps)


def interval_width(successes: float, trials: float, confidence: float) -> float:
    """The width of the exact (Clopper-Pearson) interval of a proportion; 1 without trials.

    >>> round(interval_width(0, 100, 0.95), 4)
    0.0362
    """
    low, high = clopper_pearson(successes, trials, confidence=confidence)
    return float(high - low)
