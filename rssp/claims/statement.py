"""Claims: what the literature says, as data that a measurement can be held against."""

from __future__ import annotations

import enum
import inspect
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rssp.claims.scope import Scope
from rssp.errors import ArgumentError

__all__ = ["Claim", "Kind", "Sense", "Wording"]

_Floats = NDArray[np.float64]


class Kind(enum.Enum):
    """What a claim is."""

    SUFFICIENT = "sufficient"
    """A theorem from above: that many are enough."""
    NECESSARY = "necessary"
    """A theorem from below: fewer are not enough."""
    EQUALITY = "equality"
    """A theorem or calculation: a formula for the value itself."""
    PUBLISHED = "published figure"
    """A number that an experiment reported."""
    HEURISTIC = "heuristic"
    """A calculation that leaves something out, and says what: not proved."""
    CONJECTURE = "conjecture"
    """Held to be true, by somebody who says so: not proved."""


class Sense(enum.Enum):
    """How the quantity stands to the formula."""

    AT_MOST = "at most"
    AT_LEAST = "at least"
    EQUAL = "equal to"


class Wording(enum.Enum):
    """How sure the wording of a claim is."""

    VERIFIED = "verified"
    """Read in the paper itself (in its data or code, for a published figure), or derived step by step in docs/theory.md
    """
    RESTATED = "restated elsewhere"
    """Read in a later paper, a review, or an edited or incomplete copy of the text; not in the paper itself."""
    ABSTRACT = "abstract only"
    """Read in the abstract: the form is sure, exponents and ranges as far as the abstract gives them."""
    AS_QUOTED = "as quoted"
    """Quoted from memory: exponents and constants may differ from the paper's."""


_SENSES = {Kind.SUFFICIENT: Sense.AT_MOST, Kind.NECESSARY: Sense.AT_LEAST}
_OPEN_NAMES = ("C", "A", "kappa", "gamma")
"""names that mean a constant in every claim of the catalogue: in a formula they must be declared"""
_SETTINGS = ("radius", "d", "norm", "z", "lam", "delta", "eps", "k", "n")
"""constants that describe where, not how much: a column of that name is used in place of the usual value"""


@dataclass(frozen=True)
class Claim:
    """A theorem, lemma, formula, published figure, heuristic or conjecture.

    Parameters
    ----------
    id : str, the name it is called by, such as ``"lueker-1998"``
    paper, number : str, where it stands
    statement, latex : str, in words and as a formula
    kind : Kind
    quantity : str, the measured quantity it speaks of: a column of estimates is labelled with the same word
    formula : function of the claim's variables and constants, by keyword. Arrays are passed to it; where it does not
        take them it is called row by row. A parameter with a default is a setting, not a variable: it keeps the
        default unless the table has a column of its name
    constants : the constants by name, None where the paper does not give a value: then a value is an argument or is
        fitted, never assumed
    scope : Scope, where the claim holds: data by which `check` chooses the rows; None where it is not said
    valid : str, what else a reader should know of where it holds
    wording : Wording
    sense : Sense, how the quantity stands to the formula; follows from the kind for theorems, EQUAL otherwise
    error : how far the formula itself may be off, by its digits or by the accuracy that the claim states: a number in
        the unit of the quantity, or a function of the value
    standard_error : that of a published figure, from its sample size: a number, or a function of the value
    unreachable : str, why no experiment here reaches it and what it would take, "" where one could
    unmeasured : str, what would measure it where no study does yet, "" where one does

    Raises
    ------
    ArgumentError
        For a constant that is no parameter of the formula, or a C that is neither declared nor has a value.

    Examples
    --------
    >>> mine = Claim(
    ...     id="mine", paper="A. Student, 2026", number="Conjecture 1", kind=Kind.SUFFICIENT, quantity="n*",
    ...     statement="n >= C log2(1/eps) samples are enough", latex=r"n \\ge C \\log_2(1/\\varepsilon)",
    ...     formula=lambda eps, C: C * np.log2(1 / eps), constants={"C": None},
    ...     scope=Scope(laws=("uniform",), d=1, targets="all"))
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
    scope: Scope | None = None
    valid: str = ""
    wording: Wording = Wording.AS_QUOTED
    sense: Sense | None = None
    error: float | Callable[[_Floats], Any] = 0.0
    standard_error: float | Callable[[_Floats], Any] = 0.0
    unreachable: str = ""
    unmeasured: str = ""

    def __post_init__(self) -> None:
        constants = dict(self.constants)
        missing = [name for name in constants if self.formula and name not in self._parameters]
        if missing:
            raise ArgumentError(
                f"claim {self.id}: constants", ", ".join(missing), f"parameters of the formula: {self._parameters}"
            )
        constants = {**self._defaults, **constants}
        undeclared = [name for name in self._parameters if name in _OPEN_NAMES and name not in constants]
        if undeclared:
            name = undeclared[0]
            raise ArgumentError(
                f"claim {self.id}: formula",
                f"the parameter {name}, which is not declared",
                "a constant's name that is declared",
                f"Pass constants={{{name!r}: None}} where it is open, or its value.",
            )
        object.__setattr__(self, "constants", MappingProxyType(constants))
        object.__setattr__(self, "sense", Sense(self.sense or _SENSES.get(self.kind, Sense.EQUAL)))

    @property
    def _parameters(self) -> tuple[str, ...]:
        return () if self.formula is None else tuple(inspect.signature(self.formula).parameters)

    @property
    def _defaults(self) -> dict[str, Any]:
        if self.formula is None:
            return {}
        parameters = inspect.signature(self.formula).parameters.values()
        return {p.name: p.default for p in parameters if p.default is not inspect.Parameter.empty}

    @property
    def variables(self) -> tuple[str, ...]:
        """The names the formula needs beside its constants: eps, delta, d, ..."""
        return tuple(name for name in self._parameters if name not in self.constants)

    @property
    def settings(self) -> tuple[str, ...]:
        """The constants with a usual value that a table may state otherwise, row by row: the ball's radius, ..."""
        usual = {name for name, value in self.constants.items() if value is not None and name in _SETTINGS}
        return tuple(name for name in self.constants if name in usual | set(self._defaults))

    @property
    def unknown(self) -> tuple[str, ...]:
        """The constants that the paper leaves open."""
        return tuple(name for name, value in self.constants.items() if value is None)

    def bound(self, **values: Any) -> _Floats:
        """The formula's value. Variables may be arrays of one length; an unknown constant must be given.

        Raises
        ------
        ArgumentError
            Where a variable or an unknown constant is missing or a name does not belong; and, with the claim's id,
            where the formula fails, or gives nan, nothing, or an array of another shape.
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
        return self._evaluated(arguments)

    def _evaluated(self, arguments: Mapping[str, Any]) -> _Floats:
        shape = np.broadcast_shapes(*(np.shape(value) for value in arguments.values()))
        try:
            with warnings.catch_warnings(), np.errstate(all="ignore"):
                warnings.simplefilter("error", DeprecationWarning)  # an array of one number taken for a number
                raw = self.formula(**arguments)  # type: ignore[misc]
                value = np.asarray(raw, dtype=np.float64)
        except Exception as cause:  # whatever a formula of the user's may raise
            if not shape:
                raise self._wrong(f"{type(cause).__name__}: {cause}") from cause
            value = self._row_by_row(arguments, shape)
        else:
            if raw is None:
                raise self._wrong("None")
        if np.shape(value) not in ((), shape):
            raise self._wrong(f"an array of shape {np.shape(value)}", f"one number, or an array of shape {shape}")
        if np.isnan(value).any():
            where = int(np.argmax(np.isnan(np.broadcast_to(value, shape).ravel()))) if shape else 0
            at = ", ".join(
                f"{name} = {np.broadcast_to(v, shape).ravel()[where] if shape else v:.4g}"
                for name, v in arguments.items()
            )
            raise self._wrong(f"nan{f' at {at}' if at else ''}", "a number wherever the claim's scope allows a row")
        return value

    def _row_by_row(self, arguments: Mapping[str, Any], shape: tuple[int, ...]) -> _Floats:
        columns = {name: np.broadcast_to(value, shape).ravel() for name, value in arguments.items()}
        rows = [
            dict(zip(columns, row, strict=True)) for row in zip(*(c.tolist() for c in columns.values()), strict=True)
        ]
        values = []
        for row in rows:
            try:
                values.append(float(self.formula(**row)))  # type: ignore[misc]
            except Exception as cause:  # whatever a formula of the user's may raise
                at = ", ".join(f"{name} = {value:.4g}" for name, value in row.items())
                raise self._wrong(f"{type(cause).__name__}: {cause} at {at}") from cause
        return np.array(values, dtype=np.float64).reshape(shape)

    def _wrong(self, got: str, allowed: str = "a number for every row") -> ArgumentError:
        return ArgumentError(f"claim {self.id}: formula", got, allowed, "Mend the claim's formula, or its scope.")

    def allowance(self, value: _Floats) -> tuple[_Floats, _Floats]:
        """How far the formula may be off, and its standard error, at these values."""
        both = (self.error, self.standard_error)
        error, sigma = (np.asarray(e(value) if callable(e) else e, dtype=np.float64) for e in both)
        return np.broadcast_to(error, value.shape), np.broadcast_to(sigma, value.shape)
