"""One type for everything with a low, a best and a high, and what stands behind the number."""

from __future__ import annotations

import enum
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from rssp._arguments import probability
from rssp.errors import ArgumentError, ArgumentTypeError

__all__ = ["Estimate", "Evidence"]


class Evidence(enum.StrEnum):
    """What an estimate rests on; as text it is the entry of the column ``evidence``."""

    MEASURED = "measured"
    """Monte Carlo on real samples"""
    COMPUTED = "computed"
    """exact, proved, or by quadrature whose error is inside the interval"""
    PREDICTED = "predicted"
    """by the covering law or another approximation: never a proof"""


class _Numbers(Mapping[str, float]):
    """Named numbers that nobody can change; unlike a mapping proxy it can be copied and sent to a worker."""

    def __init__(self, numbers: Mapping[str, float]):
        self._numbers = dict(numbers)

    def __getitem__(self, name: str) -> float:
        return self._numbers[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._numbers)

    def __len__(self) -> int:
        return len(self._numbers)

    def __repr__(self) -> str:
        return repr(self._numbers)


@dataclass(frozen=True, repr=False)
class Estimate:
    """A number with its interval, ``low <= best <= high``, and what it rests on.

    Ends may be infinite: an open end says that the data do not bound the number on that side. `best` is nan where
    there were no data at all.

    Parameters
    ----------
    low, best, high : float, in the same unit
    confidence : float in (0, 1), that of the interval
    evidence : Evidence or its text: "measured", "computed" or "predicted"
    quantity : str, what is estimated: "P(cover)", "n*", ...; may be empty
    details : mapping of names to numbers that say more, none of them in the estimate's unit: relative_error, trials,
        effective_size, ... Read-only; neither shown nor compared

    Raises
    ------
    ArgumentError, ArgumentTypeError
        Where the ends are out of order, or a value is not of its kind.

    Examples
    --------
    >>> print(Estimate(11.83, 12.3, 12.77))
    12.30 [11.83, 12.77]
    >>> print(Estimate(11.9, 12.3, 13.5))
    12.3 [11.9, 13.5]
    >>> print(Estimate(20, 22, float("inf"), evidence="predicted"))
    22 [20, inf] predicted
    >>> print(Estimate(11.7, 12.3, 12.9, confidence=0.995))
    12.30 [11.70, 12.90] at 99.5 %
    >>> Estimate(0.1, 0.2, 0.4, quantity="P(fail)", details={"trials": 100})
    Estimate(low=0.1, best=0.2, high=0.4, confidence=0.95, evidence='measured', quantity='P(fail)')
    """

    low: float
    best: float
    high: float
    confidence: float = 0.95
    evidence: Evidence = Evidence.MEASURED
    quantity: str = ""
    details: Mapping[str, float] = field(default_factory=dict, compare=False)

    def __post_init__(self) -> None:
        for name in ("low", "best", "high"):
            object.__setattr__(self, name, float(getattr(self, name)))
        object.__setattr__(self, "confidence", probability("confidence", self.confidence))
        if self.evidence not in tuple(Evidence):
            raise ArgumentError("evidence", repr(self.evidence), ", ".join(repr(str(e)) for e in Evidence))
        object.__setattr__(self, "evidence", Evidence(self.evidence))
        if not isinstance(self.quantity, str):
            raise ArgumentTypeError("quantity", self.quantity, "a text such as 'n*'")
        if not isinstance(self.details, Mapping):
            raise ArgumentTypeError("details", self.details, "a mapping of names to numbers")
        object.__setattr__(self, "details", _Numbers(self.details))
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
        return replace(self, low=self.low / divisor, best=self.best / divisor, high=self.high / divisor)

    def row(self) -> dict[str, Any]:
        """The entries of a table's columns `rssp.schemas.INTERVAL`.

        >>> Estimate(9, 10, 12, quantity="n*").row()
        {'quantity': 'n*', 'low': 9.0, 'best': 10.0, 'high': 12.0, 'confidence': 0.95, 'evidence': 'measured'}
        """
        return {
            "quantity": self.quantity,
            "low": self.low,
            "best": self.best,
            "high": self.high,
            "confidence": self.confidence,
            "evidence": str(self.evidence),
        }

    def __repr__(self) -> str:
        text = f"Estimate(low={self.low!r}, best={self.best!r}, high={self.high!r}, confidence={self.confidence!r}"
        text += f", evidence={str(self.evidence)!r}"
        return text + (f", quantity={self.quantity!r})" if self.quantity else ")")

    def __str__(self) -> str:
        """The estimate with its interval in brackets; its confidence unless 95 %, its evidence unless measured."""
        level = "" if self.confidence == 0.95 else f" at {100 * self.confidence:.10g} %"
        return self.digits + level + ("" if self.evidence is Evidence.MEASURED else f" {self.evidence}")

    @property
    def digits(self) -> str:
        """The estimate with its interval in brackets, to two digits of the interval's shorter side.

        Not 12.30(24): that form is read as a standard error, which not every interval comes from.
        """
        if not math.isfinite(self.best):
            return f"{self.best:g} [{self.low:.4g}, {self.high:.4g}]"
        sides = [side for side in (self.best - self.low, self.high - self.best) if math.isfinite(side) and side > 0]
        if not sides:
            return f"{self.best:.6g} [{self.low:.6g}, {self.high:.6g}]"
        decimals = max(0, 1 - math.floor(math.log10(min(sides))))
        if decimals > 1 and max(sides) * 10**decimals >= 100:
            decimals -= 1
        if all(end == int(end) for end in (self.low, self.best, self.high) if math.isfinite(end)):
            decimals = 0
        return f"{self.best:.{decimals}f} [{self.low:.{decimals}f}, {self.high:.{decimals}f}]"
