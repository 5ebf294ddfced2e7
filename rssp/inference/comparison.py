"""Several scaling laws against the same points: which describe them, and which predicts what it has not seen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.special import chdtrc

from rssp._arguments import integer
from rssp.errors import ArgumentError
from rssp.inference._leastsquares import Problem, minimum
from rssp.inference.points import estimate_columns, float_column
from rssp.inference.scaling import Unfit, attempt_scaling, not_finite, scaling_problem
from rssp.inference.scaling_laws import ScalingLaw, scaling_law

__all__ = ["attempt_comparison", "compare_scaling"]

_LAWS = ("log", "log+loglog", "log-power", "power")
_ACCEPTED = 0.01


def compare_scaling(
    table: pd.DataFrame,
    laws: str | ScalingLaw | Sequence[str | ScalingLaw] = _LAWS,
    *,
    covariance: ArrayLike | None = None,
    systematic: float = 0.0,
    held_out: int | None = None,
) -> pd.DataFrame:
    """Hold several scaling laws against the same points.

    Parameters
    ----------
    table, covariance, systematic : as in `fit_scaling`
    laws : names or ScalingLaws, one or several
    held_out : how many points are kept back to be predicted: those of smallest eps (of largest n* where eps does not
        vary); a quarter of the points, at least one, unless given

    Returns
    -------
    DataFrame, one row a law, best first (by AICc), with columns law, parameters (their number), chi2, dof, p_value,
    aicc, delta_aicc, weight (Akaike), held_out, held_out_chi2, held_out_p_value, held_out_rms, accepted, selected, fit
    (in words). `held_out_chi2` is by how much chi2 grows when the points kept back are fitted too: chi2-distributed
    with `held_out` degrees of freedom if the law is true, correlations included. `held_out_rms` is the error of the
    prediction in units of n. A law is `accepted` if its p_value is at least 0.01; `selected` is the accepted one of
    least AICc, or none. nan where there are too few points.

    Examples
    --------
    >>> x = np.array([4.0, 6, 8, 10, 12, 14])
    >>> seen = pd.DataFrame({"eps": 2**-x, "best": 3 + 1.25 * x}).assign(
    ...     low=lambda t: t.best - 0.1, high=lambda t: t.best + 0.1)
    >>> compare_scaling(seen)[["law", "dof", "accepted", "selected"]]
              law  dof  accepted  selected
    0         log    4      True      True
    1  log+loglog    3      True     False
    2   log-power    4     False     False
    3       power    4     False     False
    """
    found = attempt_comparison(table, laws, covariance=covariance, systematic=systematic, held_out=held_out)
    if isinstance(found, Unfit):
        raise found.error()
    return found


def attempt_comparison(
    table: pd.DataFrame,
    laws: str | ScalingLaw | Sequence[str | ScalingLaw] = _LAWS,
    *,
    covariance: ArrayLike | None = None,
    systematic: float = 0.0,
    held_out: int | None = None,
) -> pd.DataFrame | Unfit:
    """`compare_scaling`, or why it is not possible: why one of the laws that has enough points cannot be fitted.

    Parameters are those of `compare_scaling`.
    """
    chosen = [scaling_law(law) for law in ([laws] if isinstance(laws, (str, ScalingLaw)) else laws)]
    if not chosen:
        raise ArgumentError("laws", "none", "at least one law")
    finite = int(np.isfinite(estimate_columns(table)[1]).sum())
    fits = [law for law in chosen if len(law.parameters) <= finite] or chosen[
        :1
    ]  # its own outcome says what is missing
    rows: list[dict[str, Any]] = []
    for law in fits:
        row = _compare_one(table, law, covariance, systematic, held_out)
        if isinstance(row, Unfit):
            return row
        rows.append(row)
    rows += [
        {"law": law.name, "parameters": len(law.parameters), "accepted": False, "fit": f"not fitted: {finite} points"}
        for law in chosen
        if law not in fits
    ]
    frame = pd.DataFrame(rows).sort_values("aicc", kind="stable", ignore_index=True)
    delta = frame["aicc"] - frame["aicc"].min()
    weight = np.exp(-delta / 2).fillna(0.0)
    frame.insert(6, "delta_aicc", delta)
    frame.insert(7, "weight", weight / weight.sum() if weight.sum() > 0 else np.nan)
    accepted = frame.pop("accepted")
    words = frame.pop("fit")
    frame["accepted"] = accepted
    frame["selected"] = False
    if accepted.any():
        frame.loc[int(accepted.to_numpy().argmax()), "selected"] = True
    frame["fit"] = words
    return frame


def _compare_one(
    table: pd.DataFrame,
    law: ScalingLaw,
    covariance: ArrayLike | None,
    systematic: float,
    held_out: int | None,
) -> dict[str, Any] | Unfit:
    fit = attempt_scaling(table, law, covariance=covariance, systematic=systematic)
    if isinstance(fit, Unfit):
        return fit
    count = len(fit.points)
    kept_back = max(1, count // 4) if held_out is None else integer("held_out", held_out, 1, count - 1)
    row: dict[str, Any] = {
        "law": law.name,
        "parameters": len(law.parameters),
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
    if count - kept_back >= len(law.parameters):
        reached = np.flatnonzero(np.isfinite(float_column(table, "best")))
        varies = "eps" in fit.points.columns and fit.points["eps"].nunique() > 1
        key = -fit.points["eps"].to_numpy() if varies else fit.points["best"].to_numpy()
        order = np.argsort(key, kind="stable")
        train, test = np.sort(reached[order[:-kept_back]]), reached[order[-kept_back:]]
        part = None if covariance is None else np.asarray(covariance)[np.ix_(train, train)]
        setting = scaling_problem(table.iloc[train], law, part, systematic, fit.confidence)
        if isinstance(setting, Unfit):
            return setting
        problem, _, starts = setting
        found = minimum(problem, [*starts, tuple(e.best for e in fit.parameters.values())])
        if found is None:
            return not_finite(law)
        theta, least = found
        arguments = tuple(float_column(table, v)[test] for v in law.variables)
        predicted = Problem(law, arguments, np.zeros(len(test)), lambda gap: gap).model(theta)
        gap = float_column(table, "best")[test] - predicted
        row["held_out_chi2"] = max(0.0, fit.chi2 - least)
        row["held_out_p_value"] = float(chdtrc(kept_back, row["held_out_chi2"]))
        row["held_out_rms"] = float(np.sqrt((gap**2).mean()))
    return row
