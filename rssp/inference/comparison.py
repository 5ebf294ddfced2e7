"""Several scaling forms against the same points: which describe them, and which of those can be told apart.

A form that the points do not reject (p >= 0.01) is accepted. Of several accepted ones the least AICc is chosen only
where simulation says that such data can tell: data are drawn from each rival as fitted, with the errors of the points,
and the rival is ruled out where fewer than 5 % of them favour the chosen form over the rival as clearly as the real
data do (Cox's test of separate families, by simulation as Williams proposed). A rival that fits no worse is never ruled
out: log+loglog can rule out log, but not the other way round.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.special import chdtrc, fdtrc

from rssp._arguments import integer
from rssp.errors import ArgumentError
from rssp.inference._algebra import cholesky, product
from rssp.inference._leastsquares import Problem, minimum, whitener
from rssp.inference.points import confidences, estimate_columns, float_column, side_errors
from rssp.inference.scaling import ScalingFit, Unfit, attempt_scaling, not_finite, scaling_problem
from rssp.inference.scaling_forms import ScalingForm, scaling_form

__all__ = ["attempt_comparison", "compare_scaling", "scaling_answer"]

_FORMS = ("log", "log+loglog", "log-power", "power")
_ACCEPTED = 0.01  # the least p-value of a form that may be the true one
_RULED_OUT = 0.05  # the largest p-value against another form at which that one is ruled out
_SIMULATIONS = 199  # tables a comparison: with the one seen 200, so that p-values are multiples of 1/200
_Floats = NDArray[np.float64]


def compare_scaling(
    table: pd.DataFrame,
    forms: str | ScalingForm | Sequence[str | ScalingForm] = _FORMS,
    *,
    covariance: ArrayLike | None = None,
    systematic: float = 0.0,
    held_out: int | None = None,
    confidence: float = 0.95,
) -> pd.DataFrame:
    """Hold several scaling forms against the same points.

    Parameters
    ----------
    table, covariance, systematic, confidence : as in `fit_scaling`
    forms : names or ScalingForms, one or several
    held_out : how many points are kept back to be predicted: those of smallest eps (of largest n* where eps does not
        vary); a quarter of the points, at least one, unless given

    Returns
    -------
    DataFrame, one row a form, best first (by AICc), with columns form, parameters (their number), chi2, dof, p_value,
    aicc, delta_aicc, weight (Akaike), held_out, held_out_chi2, held_out_p_value, held_out_rms, accepted, rival_p,
    selected, fit (in words). `held_out_chi2` is by how much chi2 grows when the points kept back are fitted too, and
    `held_out_p_value` the chance of as much if the form is true, correlations included. `held_out_rms` is the error of
    the prediction in units of n. A form is `accepted` if its p_value is at least 0.01. `rival_p` of an accepted form is
    how often data drawn from it would favour the accepted form of least AICc as clearly as these do (199 simulations,
    always the same), nan of that form itself; this one is `selected` if every rival_p is below 0.05, else none is:
    `scaling_answer` says so. nan where there are too few points.

    Examples
    --------
    >>> x = np.array([4.0, 6, 8, 10, 12, 14])
    >>> seen = pd.DataFrame({"eps": 2**-x, "best": 3 + 1.25 * x}).assign(
    ...     low=lambda t: t.best - 0.1, high=lambda t: t.best + 0.1)
    >>> compare_scaling(seen, ["log", "log-power", "power"])[["form", "dof", "accepted", "selected"]]
            form  dof  accepted  selected
    0        log    4      True      True
    1  log-power    4     False     False
    2      power    4     False     False
    >>> scaling_answer(compare_scaling(seen))
    'cannot be told apart: log, log+loglog'
    """
    found = attempt_comparison(
        table, forms, covariance=covariance, systematic=systematic, held_out=held_out, confidence=confidence
    )
    if isinstance(found, Unfit):
        raise found.error()
    return found


def attempt_comparison(
    table: pd.DataFrame,
    forms: str | ScalingForm | Sequence[str | ScalingForm] = _FORMS,
    *,
    covariance: ArrayLike | None = None,
    systematic: float = 0.0,
    held_out: int | None = None,
    confidence: float = 0.95,
) -> pd.DataFrame | Unfit:
    """`compare_scaling`, or why it is not possible: why one of the forms that has enough points cannot be fitted.

    Parameters are those of `compare_scaling`.
    """
    chosen = [scaling_form(form) for form in ([forms] if isinstance(forms, (str, ScalingForm)) else forms)]
    if not chosen:
        raise ArgumentError("forms", "none", "at least one form")
    finite = int(np.isfinite(estimate_columns(table)[1]).sum())
    # a form with too many parameters for the points is named; if all have, the first one's outcome says what is missing
    fitting = [form for form in chosen if len(form.parameters) <= finite] or chosen[:1]
    data = _Data(table, covariance, systematic, confidence)
    rows: list[dict[str, Any]] = []
    fits: dict[str, ScalingFit] = {}
    for form in fitting:
        fit = attempt_scaling(table, form, covariance=covariance, systematic=systematic, confidence=confidence)
        if isinstance(fit, Unfit):
            return fit
        row = _compare_one(data, fit, held_out)
        if isinstance(row, Unfit):
            return row
        rows.append(row)
        fits[form.name] = fit
    rows += [
        {
            "form": form.name,
            "parameters": len(form.parameters),
            "accepted": False,
            "fit": f"not fitted: {finite} points",
        }
        for form in chosen
        if form not in fitting
    ]
    frame = pd.DataFrame(rows).sort_values("aicc", kind="stable", ignore_index=True)
    delta = frame["aicc"] - frame["aicc"].min()
    weight = np.exp(-delta / 2).fillna(0.0)
    frame.insert(6, "delta_aicc", delta)
    frame.insert(7, "weight", weight / weight.sum() if weight.sum() > 0 else np.nan)
    accepted, words = frame.pop("accepted"), frame.pop("fit")
    rivals = _rival_chances(data, [fits[name] for name in frame["form"][accepted.astype(bool)]])
    rival_p = frame["form"].map(rivals).astype(float)
    alone = bool(accepted.any()) and all(p < _RULED_OUT for p in rivals.values())
    best = frame.index == (int(accepted.to_numpy().argmax()) if accepted.any() else -1)
    return frame.assign(accepted=accepted, rival_p=rival_p, selected=best & alone, fit=words)


def scaling_answer(comparison: pd.DataFrame) -> str:
    """What `compare_scaling` found, in words: the form selected as fitted, the candidates, or that none is accepted."""
    chosen = comparison.loc[comparison["selected"].astype(bool), "fit"]
    if len(chosen):
        return str(chosen.iloc[0])
    candidates = comparison.loc[comparison["accepted"].astype(bool)]
    if candidates.empty:
        return f"no form is accepted: {', '.join(comparison['form'])}"
    # one that simulation rules out is no candidate any more
    left = candidates.loc[~(candidates["rival_p"] < _RULED_OUT), "form"]
    return f"cannot be told apart: {', '.join(left)}"


@dataclass(frozen=True)
class _Data:
    """The points, and how their errors are known."""

    table: pd.DataFrame
    covariance: ArrayLike | None
    systematic: float
    confidence: float

    def problem(self, rows: NDArray[np.int64], form: ScalingForm) -> tuple[Problem, list[tuple[float, ...]]] | Unfit:
        part = None if self.covariance is None else np.asarray(self.covariance)[np.ix_(rows, rows)]
        setting = scaling_problem(self.table.iloc[rows], form, part, self.systematic, self.confidence)
        return setting if isinstance(setting, Unfit) else (setting[0], setting[2])

    def errors(self) -> _Floats:
        """The covariance of the points that are reached."""
        low, best, high = estimate_columns(self.table)
        keep = np.isfinite(best)
        extra = self.systematic**2 * np.eye(int(keep.sum()))
        if self.covariance is not None:
            return np.asarray(self.covariance, dtype=np.float64)[np.ix_(keep, keep)] + extra
        levels = confidences(self.table, self.confidence)[keep]
        down, up = side_errors(low[keep], best[keep], high[keep], levels)
        return np.diag(((down + up) / 2) ** 2) + extra


def _rival_chances(data: _Data, accepted: list[ScalingFit]) -> dict[str, float]:
    """How often each rival's own data favour the first fit as clearly as the real ones, by the rival's name."""
    if len(accepted) < 2:
        return {}
    first, errors = accepted[0], data.errors()
    root, known = cholesky(errors), first.covariance_dof
    rng = np.random.default_rng(0)
    chances = {}
    for rival in accepted[1:]:
        if rival.chi2 <= first.chi2 + 1e-6:  # a larger form fits no worse, whatever the data
            chances[rival.form.name] = 1.0
            continue
        more = 1
        for _ in range(_SIMULATIONS):
            drawn = rival.points["fitted"].to_numpy() + product(root, rng.standard_normal(len(errors)))
            seen = errors if np.isinf(known) else _as_estimated(root, known, rng)
            gap = [_refitted(fit, drawn, seen) for fit in (rival, first)]
            more += gap[0] - gap[1] >= rival.chi2 - first.chi2
        chances[rival.form.name] = more / (_SIMULATIONS + 1)
    return chances


def _as_estimated(root: _Floats, known: float, rng: np.random.Generator) -> _Floats:
    """A covariance as it is estimated with so many degrees of freedom (Wishart, by Bartlett's triangle)."""
    size = len(root)
    triangle = np.tril(rng.standard_normal((size, size)), -1)
    triangle[np.diag_indices(size)] = np.sqrt(rng.chisquare(known - np.arange(size)))
    half = product(root, triangle)
    return product(half, half.T) / known


def _refitted(fit: ScalingFit, drawn: _Floats, errors: _Floats) -> float:
    """The least chi2 of a form for other values at the same points, from the parameters that it has."""
    arguments = tuple(float_column(fit.points, v) for v in fit.form.variables)
    problem = Problem(fit.form, arguments, drawn, whitener(drawn, drawn, errors))
    found = minimum(problem, [tuple(e.best for e in fit.parameters.values())])
    return np.inf if found is None else found[1]


def _compare_one(data: _Data, fit: ScalingFit, held_out: int | None) -> dict[str, Any] | Unfit:
    count, table, form = len(fit.points), data.table, fit.form
    kept_back = max(1, count // 4) if held_out is None else integer("held_out", held_out, 1, count - 1)
    row: dict[str, Any] = {
        "form": form.name,
        "parameters": len(form.parameters),
        "chi2": fit.chi2,
        "dof": fit.dof,
        "p_value": fit.p_value,
        "aicc": fit.aicc,
        "held_out": kept_back,
        "held_out_chi2": np.nan,
        "held_out_p_value": np.nan,
        "held_out_rms": np.nan,
        "accepted": bool(fit.p_value >= _ACCEPTED),
        "fit": str(fit),
    }
    if count - kept_back >= len(form.parameters):
        reached = np.flatnonzero(np.isfinite(float_column(table, "best")))
        varies = "eps" in fit.points.columns and fit.points["eps"].nunique() > 1
        key = -fit.points["eps"].to_numpy() if varies else fit.points["best"].to_numpy()
        order = np.argsort(key, kind="stable")
        train, test = np.sort(reached[order[:-kept_back]]), reached[order[-kept_back:]]
        setting = data.problem(train, form)
        if isinstance(setting, Unfit):
            return setting
        problem, starts = setting
        found = minimum(problem, [*starts, tuple(e.best for e in fit.parameters.values())])
        if found is None:
            return not_finite(form)
        theta, least = found
        arguments = tuple(float_column(table, v)[test] for v in form.variables)
        predicted = Problem(form, arguments, np.zeros(len(test)), lambda gap: gap).model(theta)
        gap = float_column(table, "best")[test] - predicted
        row["held_out_chi2"] = max(0.0, fit.chi2 - least)
        row["held_out_p_value"] = _growth_tail(row["held_out_chi2"], kept_back, least, fit)
        row["held_out_rms"] = float(np.sqrt((gap**2).mean()))
    return row


def _growth_tail(growth: float, added: int, before: float, fit: ScalingFit) -> float:
    """The chance that chi2 grows as much with `added` more points, if the form is true."""
    known = fit.covariance_dof
    if np.isinf(known):
        return float(chdtrc(added, growth))
    left = known - fit.dof + 1
    return float(fdtrc(added, left, left / added * growth / (known + before)))
