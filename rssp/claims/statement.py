"""Claims: what the literature says, as data that a measurement can be held against."""

from __future__ import annotations

import enum
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rssp.errors import ArgumentError

__all__ = ["Claim", "Kind", "Wording"]


class Kind(enum.Enum):
    """What a claim says of its quantity."""

    SUFFICIENT = "sufficient"
    """An upper bound: that many are enough."""
    NECESSARY = "necessary"
    """A lower bound: fewer are not enough."""
    EQUALITY = "equality"
    """A formula for the value itself."""
    PUBLISHED = "published figure"
    """A number that an experiment reported."""


class Wording(enum.Enum):
    """How sure the wording of a claim is."""

    VERIFIED = "verified"
    """Read in the paper, or in a paper or code that restates it; or derived here, step by step."""
    AS_QUOTED = "as quoted"
    """Quoted from memory: exponents and constants may differ from the paper's."""


@dataclass(frozen=True)
class Claim:
    """A theorem, lemma, formula or published figure.

    Parameters
    ----------
    id : str, the name it is called by, such as ``"lueker-1998"``
    paper, number : str, where it stands
    statement, latex : str, in words and as a formula
    kind : Kind
    quantity : str, the measured quantity it speaks of: a column of estimates is labelled with the same word
    formula : function of the claim's variables and constants, by keyword, vectorised over the variables
    constants : the constants by name, None where the paper does not give a value: then a value is an argument or is
        fitted, never assumed
    valid : str, where the claim holds
    wording : Wording
    error : how far off a value itself may be, from its digits or its sample size: a number in the unit of the
        quantity, or a function of the value
    unreachable : str, why no experiment here reaches it, "" where one does

    Examples
    --------
    >>> mine = Claim(
    ...     id="mine", paper="A. Student, 2026", number="Conjecture 1", kind=Kind.SUFFICIENT, quantity="n*",
    ...     statement="n >= C log2(1/eps) samples are enough", latex=r"n \\ge C \\log_2(1/\\varepsilon)",
    ...     formula=lambda eps, C: C * np.log2(1 / eps), constants={"C": None})
    >>> float(mine.bound(eps=0.25, C=1.5))
    3.0
    >>> mine.unknown
    ('C',)
    """

    id: str
    paper: str
    number: str
    statement: str
    latex: str
    kind: Kind
    quantity: str
    formula: Callable[..., Any] | None = None
    constants: Mapping[str, float | None] = field(default_factory=dict)
    valid: str = ""
    wording: Wording = Wording.AS_QUOTED
    error: float | Callable[[NDArray[np.float64]], Any] = 0.0
    unreachable: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "constants", MappingProxyType(dict(self.constants)))
        missing = [name for name in self.constants if self.formula and name not in self._parameters]
        if missing:
            raise ArgumentError("constants", ", ".join(missing), f"parameters of the formula: {self._parameters}")

    @property
    def _parameters(self) -> tuple[str, ...]:
        return () if self.formula is None else tuple(inspect.signature(self.formula).parameters)

    @property
    def variables(self) -> tuple[str, ...]:
        """The names the formula needs beside its constants: eps, delta, d, ..."""
        return tuple(name for name in self._parameters if name not in self.constants)

    @property
    def unknown(self) -> tuple[str, ...]:
        """The constants that the paper leaves open."""
        return tuple(name for name, value in self.constants.items() if value is None)

    def bound(self, **values: Any) -> NDArray[np.float64]:
        """The formula's value. Variables may be arrays; an unknown constant must be given.

        Raises ArgumentError where a variable or an unknown constant is missing, or a name does not belong.
        """
        if self.formula is None:
            raise ArgumentError("claim", self.id, "a claim with a formula", self.unreachable)
        known = {name: value for name, value in self.constants.items() if value is not None}
        arguments = known | values
        strange = sorted(set(arguments) - set(self._parameters))
        if strange:
            raise ArgumentError("bound", ", ".join(strange), "the names " + ", ".join(self._parameters))
        for name in self._parameters:
            if name not in arguments:
                kind = "a constant the paper leaves open" if name in self.constants else "a variable of the claim"
                raise ArgumentError(
                    name, "nothing", f"a value: it is {kind}", f"Pass {name}=... or fit it with check()."
                )
        return np.asarray(self.formula(**arguments), dtype=np.float64)
