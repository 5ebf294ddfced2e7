"""The scaling forms that n* is held against, and how a user states another one."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from rssp._arguments import choice
from rssp.errors import ArgumentError, ArgumentTypeError

__all__ = ["SCALING_FORMS", "ScalingForm", "power_form", "scaling_form"]

_MOST_STARTS = 256  # a choice: each is a whole descent


@dataclass(frozen=True)
class ScalingForm:
    """A formula for n* with parameters to be fitted.

    Parameters
    ----------
    name : str
    formula : function of arrays of the variables, then of the parameters, in the order in which they are named below
    parameters : names of the parameters
    latex : the formula for figures
    variables : the columns of the table that the formula takes
    start : for each parameter one value or several from which the search starts (all combinations are tried); 1 for
        each unless given. A form that is linear in its parameters needs none

    Examples
    --------
    >>> square = ScalingForm("log squared", lambda eps, a, b: a + b * np.log2(1 / eps) ** 2, ("a", "b"),
    ...                     r"a + b \\log_2^2(1/\\varepsilon)")
    >>> square.starts
    [(1.0, 1.0)]
    """

    name: str
    formula: Callable[..., Any]
    parameters: tuple[str, ...]
    latex: str = ""
    variables: tuple[str, ...] = ("eps",)
    start: tuple[float | tuple[float, ...], ...] = ()

    def __post_init__(self) -> None:
        if not callable(self.formula):
            raise ArgumentTypeError("formula", self.formula, "a function of the variables and the parameters")
        for field in ("parameters", "variables"):
            names = getattr(self, field)
            if isinstance(names, str) or not names or not all(isinstance(n, str) for n in names):
                raise ArgumentError(field, repr(names), "a tuple of names, at least one")
            object.__setattr__(self, field, tuple(names))
        if len(set(self.parameters)) != len(self.parameters):
            raise ArgumentError("parameters", self.parameters, "names that differ")
        if self.start and len(self.start) != len(self.parameters):
            raise ArgumentError("start", f"{len(self.start)} entries", f"one for each of {', '.join(self.parameters)}")
        if len(self.starts) > _MOST_STARTS:
            raise ArgumentError("start", f"{len(self.starts)} combinations", f"at most {_MOST_STARTS}")

    @property
    def starts(self) -> list[tuple[float, ...]]:
        """Every combination of the starting values."""
        values = self.start or (1.0,) * len(self.parameters)
        sides = [v if isinstance(v, tuple) else (v,) for v in values]
        return [tuple(map(float, point)) for point in itertools.product(*sides)]


def _x(eps: Any) -> Any:
    return np.log2(1 / np.asarray(eps, dtype=np.float64))


_EXPONENTS = (0.5, 1.0, 2.0)

SCALING_FORMS: dict[str, ScalingForm] = {
    form.name: form
    for form in (
        ScalingForm("log", lambda eps, a, b: a + b * _x(eps), ("a", "b"), r"a + b \log_2(1/\varepsilon)"),
        ScalingForm(
            "log+loglog",
            lambda eps, a, b, c: a + b * _x(eps) + c * np.log2(_x(eps)),
            ("a", "b", "c"),
            r"a + b \log_2(1/\varepsilon) + c \log_2\log_2(1/\varepsilon)",
        ),
        ScalingForm(
            "log-power",
            lambda eps, b, c: b * _x(eps) ** c,
            ("b", "c"),
            r"b \log_2^{c}(1/\varepsilon)",
            start=(1.0, _EXPONENTS),
        ),
        ScalingForm(
            "log-power+offset",
            lambda eps, a, b, c: a + b * _x(eps) ** c,
            ("a", "b", "c"),
            r"a + b \log_2^{c}(1/\varepsilon)",
            start=(1.0, 1.0, _EXPONENTS),
        ),
        ScalingForm(
            "power",
            lambda eps, a, b: a * np.asarray(eps) ** -b,
            ("a", "b"),
            r"a \varepsilon^{-b}",
            start=(1.0, (0.03, 0.1, 0.3, 1.0)),
        ),
        ScalingForm(
            "joint",
            lambda d, eps, a, alpha, beta: a * d**alpha * _x(eps) ** beta,
            ("a", "alpha", "beta"),
            r"a\, d^{\alpha} \log_2^{\beta}(1/\varepsilon)",
            ("d", "eps"),
            (1.0, _EXPONENTS, _EXPONENTS),
        ),
        ScalingForm(
            "joint+offset",
            lambda d, eps, a, alpha, beta, c: c + a * d**alpha * _x(eps) ** beta,
            ("a", "alpha", "beta", "c"),
            r"a\, d^{\alpha} \log_2^{\beta}(1/\varepsilon) + c",
            ("d", "eps"),
            (1.0, _EXPONENTS, _EXPONENTS, 0.0),
        ),
        ScalingForm(
            "joint-linear",
            lambda d, eps, a, b, c: a * d * _x(eps) + b * d + c,
            ("a", "b", "c"),
            r"a\, d \log_2(1/\varepsilon) + b\, d + c",
            ("d", "eps"),
        ),
    )
}


def scaling_form(form: str | ScalingForm) -> ScalingForm:
    """The form of this name among `SCALING_FORMS`, or the form itself."""
    if isinstance(form, ScalingForm):
        return form
    if not isinstance(form, str):
        raise ArgumentTypeError("form", form, "a ScalingForm, or the name of one: " + ", ".join(SCALING_FORMS))
    return SCALING_FORMS[choice("form", form, tuple(SCALING_FORMS))]


def power_form(variable: str) -> ScalingForm:
    """factor * variable^exponent; the variable is a column of the table, or "log2(1/eps)" for powers of the logarithm.

    >>> power_form("d").parameters
    ('factor', 'exponent')
    """
    parameters, start = ("factor", "exponent"), (1.0, (-1.0, *_EXPONENTS, 4.0))
    if variable == "log2(1/eps)":
        latex = r"a \log_2^{b}(1/\varepsilon)"
        return ScalingForm(
            "power of log2(1/eps)", lambda eps, a, b: a * _x(eps) ** b, parameters, latex, ("eps",), start
        )
    return ScalingForm(
        f"power of {variable}",
        lambda v, a, b: a * np.asarray(v, dtype=np.float64) ** b,
        parameters,
        rf"a\, \mathrm{{{variable}}}^{{b}}",
        (variable,),
        start,
    )
