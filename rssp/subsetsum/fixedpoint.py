"""Fixed point: a sample as int64 multiples of 2**-q, so that adding is exact and order does not matter.

q is the largest exponent for which every subset sum, and every target, stays below 2**61 in absolute value; the
difference of a sum and a target then stays inside int64. Numbers that are multiples of 2**-q already are converted
without error, others with an error of at most 2**(-q-1) each. For n numbers of size about 1, q is about 61 - log2(n):
a float64 of absolute value 2**-3 or more is then on the grid already (its last bit is 2**-56 or coarser for n <= 32).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rssp.errors import ArgumentError

__all__ = ["FixedPoint"]

_BITS = 61  # of a sum in whole units: twice that, in half units, still fits in int64
_Q_RANGE = 1000  # float64 exponents beyond this are of no use and would overflow ldexp


@dataclass(frozen=True)
class FixedPoint:
    """The grid of multiples of 2**-q.

    Examples
    --------
    >>> sample = np.array([[0.5], [-0.75], [1.0]])
    >>> grid = FixedPoint.for_sample(sample, reach=1.0)
    >>> grid.q
    59
    >>> bool((grid.to_float(grid.to_int(sample)) == sample).all())
    True
    """

    q: int

    @classmethod
    def for_sample(cls, sample: NDArray[np.float64], reach: float = 0.0) -> FixedPoint:
        """The finest grid on which all subset sums of `sample` (..., n, dim) and targets up to `reach` fit.

        `reach` is the largest absolute coordinate of any target. With more axes than two, one grid serves all samples.
        """
        return cls(int(cls.exponents(np.asarray(sample)[None], reach)[0]))

    @staticmethod
    def exponents(samples: NDArray[np.float64], reach: float = 0.0) -> NDArray[np.int64]:
        """The q of each of many samples (trials, ..., n, dim), as an array (trials,); `reach` as in `for_sample`."""
        with np.errstate(over="ignore"):  # an infinite sum is reported below
            sums = np.abs(samples).sum(axis=-2)
        largest = np.maximum(sums.max(axis=tuple(range(1, sums.ndim)), initial=0.0), float(reach))
        worst = float(largest.max(initial=0.0))
        if not math.isfinite(worst) or worst > 2.0**_Q_RANGE:
            raise ArgumentError("sample", f"sums up to {worst:g}", "sums below 2**1000", "Rescale sample and ball.")
        # n roundings of half a unit and the rounding of the float sum itself are far below the last factor of 2
        exponent = np.frexp(largest * (1 + 2.0**-40))[1]
        return np.minimum(_BITS - exponent, _Q_RANGE).astype(np.int64)

    def to_int(self, values: NDArray[np.float64]) -> NDArray[np.int64]:
        """The nearest multiples of 2**-q (ties to even), counted in units of 2**-q. The one way in."""
        return np.rint(np.ldexp(np.asarray(values, dtype=np.float64), self.q)).astype(np.int64)

    def to_float(self, units: NDArray[np.int64] | int, halves: int = 0) -> NDArray[np.float64]:
        """Units of 2**(-q-halves) as float64, rounded once to nearest. The one way out."""
        return np.ldexp(np.asarray(units, dtype=np.int64).astype(np.float64), -self.q - halves)

    def floor(self, value: float, halves: int = 0) -> int:
        """The largest whole number of units of 2**(-q-halves) that is <= value, exactly, capped to 62 bits."""
        mantissa, exponent = math.frexp(value)
        whole = int(math.ldexp(mantissa, 53))
        shift = exponent - 53 + self.q + halves
        if shift >= 64:  # beyond the cap whatever the mantissa
            return -(2**62) if whole < 0 else (2**62 if whole else 0)
        units = whole << shift if shift >= 0 else whole >> -shift
        return max(-(2**62), min(2**62, units))
