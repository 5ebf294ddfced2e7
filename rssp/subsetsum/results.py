"""What the covering verbs return, and what they ask of a method: the same in one dimension and in more."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from rssp.errors import InfeasibleError

__all__ = ["NEVER", "OPEN", "CoveringProfile", "CoveringRadius", "Coverings", "Method", "Radii"]

# kernels use these two; rssp._jit puts their values into the key under which it keeps what it compiled
NEVER, OPEN = -1, -2  # in place of an n: not with all the vectors given; to decide costs too much memory or time


@dataclass(frozen=True)
class CoveringRadius:
    """A certified bracket ``lower <= rho <= upper`` of the covering radius.

    Attributes
    ----------
    lower, upper : float, in the units of the sample; equal in one dimension
    witness : array (dim,), a target of the ball whose nearest subset sum is `lower` away (up to float64 rounding)
    """

    lower: float
    upper: float
    witness: NDArray[np.float64]

    @property
    def exact(self) -> bool:
        """Whether the bracket is one number."""
        return self.lower == self.upper


@dataclass(frozen=True)
class CoveringProfile:
    """The covering radius of the first n vectors of a sample, for each n in turn.

    Attributes
    ----------
    n : int64 array (m,), n_min to n_max
    lower, upper : float64 arrays (m,), non-increasing in n; equal in one dimension
    """

    n: NDArray[np.int64]
    lower: NDArray[np.float64]
    upper: NDArray[np.float64]


class Radii(NamedTuple):
    """Covering radii along a schedule of n, of many samples.

    Attributes
    ----------
    lower, upper : float64 arrays (trials, steps), non-increasing in n; equal where the method is exact
    witness : float64 array (trials, steps, dim), a target `lower` away from every sum
    """

    lower: NDArray[np.float64]
    upper: NDArray[np.float64]
    witness: NDArray[np.float64]


class Coverings(NamedTuple):
    """From which n on the first n vectors cover the ball, for many samples and eps.

    Attributes
    ----------
    n : int64 array (trials, len(eps)); NEVER or OPEN in place of an n
    refusal : what the first OPEN entry would cost, None if there is none
    """

    n: NDArray[np.int64]
    refusal: InfeasibleError | None


class Method(Protocol):
    """A way to cover: samples and a ball, prepared; the verbs of `covering` need no more of it than this."""

    run_up: ClassVar[tuple[int, ...]]
    """How many vectors fewer a search for the radius of one n best begins with."""

    def radii(self, schedule: Sequence[int], resolution: float) -> Radii:
        """The covering radius of the first n vectors, for each n of an ascending schedule.

        Raises InfeasibleError where that costs too much memory or time.
        """

    def coverings(self, eps: NDArray[np.float64], n_min: int) -> Coverings:
        """The least n >= n_min whose first n vectors cover at each eps (descending); a decision, never an estimate."""
