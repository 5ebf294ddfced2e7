"""One type for every estimated number: a value with its interval."""

from __future__ import annotations

import math
from dataclasses import dataclass

from rssp._arguments import probability
from rssp.errors import ArgumentError

__all__ = ["Estimate"]


@dataclass(frozen=True)
class Estimate:
    """A number with its confidence interval, ``low <= best <= high``.

    Ends may be infinite: an open end says that the data do not bound the number on that side. `best` is nan where
    there were no data at all.

    Parameters
    ----------
    low, best, high : float, in the same unit
    confidence : float in (0, 1), that of the interval

    Examples
    --------
    >>> print(Estimate(11.83, 12.3, 12.77))
    12.30(47)
    >>> print(Estimate(11.9, 12.3, 13.5))
    12.3(+12/-4)
    >>> print(Estimate(20, 22, float("inf")))
    22(+inf/-2)
    """

    low: float
    best: float
    high: float
    confidence: float = 0.95

    def __post_init__(self) -> None:
        for name in ("low", "best", "high"):
            object.__setattr__(self, name, float(getattr(self, name)))
        object.__setattr__(self, "confidence", probability("confidence", self.confidence))
        ordered = self.low <= self.high if math.isnan(self.best) else self.low <= self.best <= self.high
        if not ordered:
            raise ArgumentError("low, best, high", (self.low, self.best, self.high), "low <= best <= high")

    def contains(self, value: float) -> bool:
        """Whether the value lies in the interval, ends included."""
        return self.low <= value <= self.high

    def __truediv__(self, divisor: float) -> Estimate:
        """The estimate in another unit: every number divided by a positive one."""
        if not divisor > 0:
            raise ArgumentError("divisor", divisor, "a number > 0")
        return Estimate(self.low / divisor, self.best / divisor, self.high / divisor, self.confidence)

    def __str__(self) -> str:
        if not math.isfinite(self.best):
            return f"{self.best:g} [{self.low:.4g}, {self.high:.4g}]"
        down, up = self.best - self.low, self.high - self.best
        finite = [side for side in (down, up) if math.isfinite(side) and side > 0]
        if not finite:
            sides = "" if up == down == 0 else f"(+{up:g}/-{down:g})"
            return f"{self.best:.6g}{sides}"
        # two digits of the smaller side, in units of the last digit shown; one digit where the value is whole
        decimals = max(0, 1 - math.floor(math.log10(min(finite))))
        if decimals > 1 and math.isfinite(max(down, up)) and max(down, up) * 10**decimals >= 100:
            decimals -= 1
        if all(side == int(side) for side in (*finite, self.best)):
            decimals = 0

        def digits(side: float) -> str:
            return f"{round(side * 10**decimals)}" if math.isfinite(side) else "inf"

        if digits(down) == digits(up):
            return f"{self.best:.{decimals}f}({digits(up)})"
        return f"{self.best:.{decimals}f}(+{digits(up)}/-{digits(down)})"
