"""How n* grows: scaling forms fitted with known errors, compared, and the exponents they give.

The errors of the points are known (they come from counting trials), so chi2 tests whether a form describes the points
at all, and intervals are not stretched by the scatter. Points at different eps that come from the same trials share
their errors, and to take these for independent is wrong in both directions: a table whose column `experiment` says so
is refused without a `covariance` (`rssp.inference.points_covariance`). A table without that column is taken at its
word: its points are independent.

A covariance that was itself estimated is uncertain. It has v = 3 trials min(delta, 1 - delta) degrees of freedom, three
for each trial on the rarer side of the level (`covariance_dof`): 30 of 1000 trials for delta = 0.01. With p points and
k parameters the test of the form is then Hotelling's, and intervals are wider than the curvature says, by Rao's factors
for a growth curve fitted with an estimated covariance (Rao, Biometrika 46, 1959): Student's t with v - (p - k) degrees
of freedom, times the root of (1 + chi2 / v) v / (v - (p - k)). Its standard errors are smoothed over the points
(`rssp.inference.points.steady_errors`): a low n* brings a low error with it, and would be believed too much. Where the
trials on the rarer side are fewer than half of p - k + SPARE the fit is refused.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.special import chdtrc, fdtrc

from rssp._arguments import number, probability
from rssp.errors import ArgumentError
from rssp.estimates import Estimate, Evidence
from rssp.inference._algebra import product
from rssp.inference._leastsquares import (
    Problem,
    jacobian,
    minimum,
    profile,
    undetermined,
    wald_covariance,
    whitener,
)
from rssp.inference.points import (
    SINGULAR,
    checked_covariance,
    confidences,
    covariance_dof,
    estimate_columns,
    float_column,
    positive_definite,
    rarer_trials,
    refuse_shared_errors,
    side_errors,
    steady_errors,
    weakest_evidence,
)
from rssp.inference.scaling_forms import ScalingForm, power_form, scaling_form
from rssp.intervals import student_reach, z_value

__all__ = ["ScalingFit", "Unfit", "attempt_scaling", "exponent_of", "fit_scaling"]

_Floats = NDArray[np.float64]
SPARE = 20
"""by how much twice the trials on the rarer side exceed the fit's degrees of freedom; see benchmarks/calibration.py"""


@dataclass(frozen=True)
class ScalingFit:
    """A scaling form fitted to points.

    Attributes
    ----------
    form : ScalingForm
    parameters : Estimate of each parameter by name, with its profile-likelihood interval; ``fit["b"]`` for short
    chi2, dof : float, int; the sum of squared standard residuals, and points less parameters
    p_value : chance of a chi2 this large if the form is true; nan where dof = 0
    aicc : Akaike's criterion: chi2 (of an estimated covariance: v ln(1 + chi2 / v)) + 2 k
        + 2 k (k + 1) / (points - k - 1), for k parameters; inf where there are too few points for it
    points : DataFrame, the rows that were fitted, with `fitted` and `residual` (best - fitted, in units of n)
    excluded : rows left out because the trials do not reach their n*
    covariance : array (k, k), of the parameters, from the curvature at the minimum: for `predict`
    covariance_dof : float, the degrees of freedom v of the points' covariance; inf where it is known
    """

    form: ScalingForm
    parameters: Mapping[str, Estimate]
    chi2: float
    dof: int
    p_value: float
    aicc: float
    points: pd.DataFrame
    excluded: int
    covariance: _Floats
    confidence: float
    covariance_dof: float = math.inf

    def __getitem__(self, name: str) -> Estimate:
        if name not in self.parameters:
            raise ArgumentError("parameter", repr(name), "one of " + ", ".join(self.parameters))
        return self.parameters[name]

    def predict(self, **variables: ArrayLike) -> pd.DataFrame:
        """The fitted form at given values of its variables: a table of these with low, best, high.

        The band is that of the form's own uncertainty (from the parameters' covariance), not of a new measurement.
        """
        missing = sorted(set(self.form.variables) ^ set(variables))
        if missing:
            raise ArgumentError("predict", ", ".join(variables), "the variables " + ", ".join(self.form.variables))
        columns = [np.atleast_1d(np.asarray(variables[v], dtype=np.float64)) for v in self.form.variables]
        arguments = tuple(np.broadcast_arrays(*columns))
        here = Problem(self.form, arguments, np.zeros(arguments[0].shape), lambda gap: gap)
        theta = np.array([e.best for e in self.parameters.values()])
        slopes = jacobian(here, theta, here.model)
        half = math.sqrt(rise(self.confidence, self.chi2, self.dof, self.covariance_dof)) * np.sqrt(
            np.maximum((product(slopes, self.covariance) * slopes).sum(axis=1), 0)
        )
        best = here.model(theta)
        named = dict(zip(self.form.variables, arguments, strict=True))
        table = pd.DataFrame(named | {"low": best - half, "best": best, "high": best + half})
        return table.assign(quantity="n* fitted", confidence=self.confidence, evidence=str(Evidence.PREDICTED))

    def __str__(self) -> str:
        values = ", ".join(f"{name} = {value}" for name, value in self.parameters.items())
        return f"{self.form.name}: {values}; chi2/dof = {self.chi2:.3g}/{self.dof}, p = {self.p_value:.2g}"


@dataclass(frozen=True)
class Unfit:
    """Why a form cannot be fitted to points: an outcome, for an analysis that goes on without; false as a condition.

    Attributes
    ----------
    argument, received, allowed, remedy : str, the parts of the message of the ArgumentError that `fit_scaling` raises
    """

    argument: str
    received: str
    allowed: str
    remedy: str = ""

    def __bool__(self) -> bool:
        return False

    def __str__(self) -> str:
        return str(self.error())

    def error(self) -> ArgumentError:
        """The error for whoever needs the fit."""
        return ArgumentError(self.argument, self.received, self.allowed, self.remedy)


def fit_scaling(
    table: pd.DataFrame,
    form: str | ScalingForm = "log",
    *,
    covariance: ArrayLike | None = None,
    systematic: float = 0.0,
    confidence: float = 0.95,
) -> ScalingFit:
    """Fit a scaling form to n* with known errors.

    Parameters
    ----------
    table : DataFrame with columns low, best, high and the form's variables, such as
        ``required_n(trials, eps, delta, interpolated=True)``. Whole-number n* will not do: where the interval is a
        single number there is no error to weigh by
    form : ScalingForm or the name of one in `SCALING_FORMS`: log, log+loglog, log-power, log-power+offset, power (of
        1/eps), and with columns d and eps joint, joint+offset, joint-linear
    covariance : array (rows, rows), that of `best`; instead of the intervals. Needed where the table's column
        `experiment` says that points come from the same trials: `points_covariance`. A diagonal one declares the
        points independent. Where the table has columns trials and delta it is taken to be estimated from them
    systematic : standard error that each point has beside the statistical one, in units of n, independent of the
        others; for what interpolating between whole n may add (0.01 to 0.04 for medians of 4000 trials): it matters
        from some 1000 trials on, above all with a covariance, which resolves far smaller differences
    confidence : that of the results; and of the intervals in the table where it has no column `confidence`

    Returns
    -------
    ScalingFit. Each parameter's interval is where chi2, minimised over all other parameters, stays within the chi2
    quantile (one degree of freedom) of its minimum; ends are infinite where it always does. Intervals of the points
    with unequal sides weigh a form above the point by the upper side and one below it by the lower.

    Raises
    ------
    ArgumentError
        For missing columns, points that do not determine the parameters (too few, all at one eps, cut off), points
        without an error, points of the same trials without a covariance, or too few rare events behind it.

    Examples
    --------
    >>> x = np.array([4.0, 6, 8, 10, 12])
    >>> seen = pd.DataFrame({"eps": 2**-x, "best": 3 + 1.25 * x}).assign(
    ...     low=lambda t: t.best - 0.1, high=lambda t: t.best + 0.1)
    >>> print(fit_scaling(seen, "log"))
    log: a = 3.00 [2.87, 3.13], b = 1.250 [1.234, 1.266]; chi2/dof = .../3, p = 1
    """
    fit = attempt_scaling(table, form, covariance=covariance, systematic=systematic, confidence=confidence)
    if isinstance(fit, Unfit):
        raise fit.error()
    return fit


def attempt_scaling(
    table: pd.DataFrame,
    form: str | ScalingForm = "log",
    *,
    covariance: ArrayLike | None = None,
    systematic: float = 0.0,
    confidence: float = 0.95,
) -> ScalingFit | Unfit:
    """`fit_scaling`, or why there is no fit: too few points, points without errors, no clear minimum.

    Parameters are those of `fit_scaling`; what is wrong with the arguments themselves is still an ArgumentError.

    >>> one = pd.DataFrame({"eps": [0.1], "low": [3.0], "best": [4.0], "high": [5.0]})
    >>> fit = attempt_scaling(one, "log")
    >>> fit if fit else fit.received
    '1 points with a finite n* (0 cut off)'
    """
    chosen = scaling_form(form)
    confidence = probability("confidence", confidence)
    setting = scaling_problem(table, chosen, covariance, systematic, confidence)
    if isinstance(setting, Unfit):
        return setting
    problem, keep, starts = setting
    found = minimum(problem, starts)
    if found is None:
        return not_finite(chosen)
    theta, least = found
    count, k = len(problem.best), len(theta)
    known = math.inf if covariance is None else covariance_dof(table.loc[keep])
    free = undetermined(problem, theta, starts)
    if free:
        return _not_determined(chosen, free, count)
    for _ in range(5):
        scatter = wald_covariance(problem, theta)
        allowed = rise(confidence, least, count - k, known)
        intervals = []
        for index in range(k):
            ends = profile(problem, theta, least, index, float(np.sqrt(max(scatter[index, index], 0))), allowed)
            if isinstance(ends, np.ndarray):  # a deeper minimum was found on the way
                theta, least = minimum(problem, [tuple(ends)]) or (theta, least)
                break
            intervals.append(ends)
        else:
            break
    else:
        return Unfit(
            "form",
            chosen.name,
            "a form whose chi2 has one clear minimum",
            "Give it other starting values, or more points.",
        )
    evidence = weakest_evidence(table.loc[keep])
    parameters = {
        name: Estimate(min(low, value), value, max(high, value), confidence, evidence, name)
        for name, value, (low, high) in zip(chosen.parameters, theta, intervals, strict=True)
    }
    fitted = problem.model(theta)
    points = table.loc[keep].reset_index(drop=True).assign(fitted=fitted, residual=problem.best - fitted)
    return ScalingFit(
        chosen,
        MappingProxyType(parameters),
        least,
        count - k,
        tail(least, count - k, known),
        _aicc(least, count, k, known),
        points,
        int((~keep).sum()),
        scatter,
        confidence,
        known,
    )


def rise(confidence: float, least: float, dof: int, known: float) -> float:
    """By how much chi2 may rise above its least value inside an interval; `known` is the covariance's own v."""
    if math.isinf(known):
        return z_value(confidence) ** 2
    left = known - dof
    return student_reach(confidence, left) ** 2 * (1 + least / known) * known / left


def tail(chi2: float, dof: int, known: float) -> float:
    """The chance of a chi2 this large if the form is true; nan without degrees of freedom."""
    if not dof > 0:
        return float("nan")
    if math.isinf(known):
        return float(chdtrc(dof, chi2))
    left = known - dof + 1
    return float(fdtrc(dof, left, chi2 * left / (dof * known)))


def _not_determined(form: ScalingForm, free: list[str], count: int) -> Unfit:
    return Unfit(
        "table",
        f"{count} points that do not determine {', '.join(free)}",
        f"points that determine every parameter of the form {form.name}",
        f"Measure at more values of {', '.join(form.variables)}, or fit a form with fewer parameters.",
    )


def not_finite(form: ScalingForm) -> Unfit:
    """The outcome for a form that no starting values make finite at every point."""
    return Unfit(
        "form",
        form.name,
        "a form that is finite at every point from some start",
        "Leave out points where it is not (log log needs eps < 1/2), or give the form other starting values.",
    )


def _aicc(least: float, count: int, k: int, known: float) -> float:
    if count <= k + 1:
        return float("inf")
    deviance = least if math.isinf(known) else known * math.log1p(least / known)
    return deviance + 2 * k + 2 * k * (k + 1) / (count - k - 1)


def scaling_problem(
    table: pd.DataFrame, form: ScalingForm, covariance: ArrayLike | None, systematic: float, confidence: float
) -> tuple[Problem, NDArray[np.bool_], list[tuple[float, ...]]] | Unfit:
    """The least squares to be solved, the rows that enter, and where to start; or why there is nothing to solve."""
    low, best, high = estimate_columns(table, form.variables)
    systematic = number("systematic", systematic, 0.0)
    keep = np.isfinite(best)
    levels = confidences(table, confidence)[keep]
    if keep.sum() < len(form.parameters):
        return Unfit(
            "table",
            f"{int(keep.sum())} points with a finite n* ({int((~keep).sum())} cut off)",
            f"at least {len(form.parameters)}, one for each parameter of the form {form.name}",
            "Measure at more eps, use larger n_max, or a form with fewer parameters.",
        )
    arguments = tuple(float_column(table, v)[keep] for v in form.variables)
    for name, values in zip(form.variables, arguments, strict=True):
        if not np.isfinite(values).all():
            raise ArgumentError("table", f"column {name} with values that are not finite", "finite numbers")
    refuse_shared_errors(table.loc[keep], covariance)
    if covariance is not None:
        needed = int(keep.sum()) - len(form.parameters) + SPARE
        if 2 * rarer_trials(table.loc[keep]) < needed:
            return Unfit(
                "table",
                f"{int(keep.sum())} points with {rarer_trials(table.loc[keep]):.4g} trials on the rarer side of "
                "1 - delta, where a trial still decides",
                f"at least {math.ceil(needed / 2)} of them to estimate a covariance from",
                "Use more trials, a delta nearer to 1/2, or fewer points.",
            )
        if not positive_definite(covariance, table):
            return Unfit(*SINGULAR)
        part = steady_errors(checked_covariance(covariance, keep), table.loc[keep])
        part = part + systematic**2 * np.eye(len(part))
        whiten = whitener(best[keep], best[keep], part)
    else:
        down, up = (np.hypot(side, systematic) for side in side_errors(low[keep], best[keep], high[keep], levels))
        # an interval that ends at its best value has an error on one side only: the other side's is the best guess
        down, up = np.where(down > 0, down, up), np.where(up > 0, up, down)
        bad = ~(np.isfinite(down) & (down > 0))
        if bad.any():
            return Unfit(
                "table",
                f"{int(bad.sum())} points without an error (low = best = high, or open on both sides)",
                "points with intervals of positive, finite width",
                "Use required_n(..., interpolated=True), more trials, or leave these points out.",
            )
        whiten = whitener(down, up, None)
    return Problem(form, arguments, best[keep], whiten), keep, form.starts


def exponent_of(
    table: pd.DataFrame,
    variable: str,
    *,
    covariance: ArrayLike | None = None,
    systematic: float = 0.0,
    confidence: float = 0.95,
) -> ScalingFit:
    """The measured exponent of one variable, all others fixed: n* = factor * variable^exponent.

    Parameters
    ----------
    table : DataFrame with columns low, best, high and the variable
    variable : a column, such as "d", or "log2(1/eps)" for the exponent of the logarithm
    covariance, systematic, confidence : as in `fit_scaling`

    Returns
    -------
    ScalingFit with parameters factor and exponent: ``exponent_of(table, "d")["exponent"]`` is the Estimate. Look at its
    `p_value` too: where a pure power is rejected, the exponent is that of the range measured and nothing more.

    Examples
    --------
    >>> seen = pd.DataFrame({"d": [1, 2, 3, 4], "best": [8.0, 16, 24, 32], "low": [7.8, 15.7, 23.5, 31],
    ...                      "high": [8.2, 16.3, 24.5, 33]})
    >>> print(exponent_of(seen, "d")["exponent"])
    1.000 [0.975, 1.025]
    """
    form = power_form(variable)
    column = form.variables[0]
    estimate_columns(table, form.variables)
    others = [c for c in ("eps", "delta", "d", "dim", "k") if c != column and c in table.columns]
    moving = [c for c in others if table[c].nunique() > 1]
    if moving:
        raise ArgumentError(
            "table",
            f"several values of {', '.join(moving)}",
            f"one value of every variable but {column}",
            "Select the rows of one value, or fit both at once: fit_scaling(table, 'joint').",
        )
    return fit_scaling(table, form, covariance=covariance, systematic=systematic, confidence=confidence)
