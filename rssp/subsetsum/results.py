"""What the covering verbs return, in one dimension and in more."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["CoveringProfile", "CoveringRadius"]


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
