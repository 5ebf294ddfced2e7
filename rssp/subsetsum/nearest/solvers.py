"""Subsets by mixed-integer solvers: what others use, so that `nearest_subset` can be held against it.

The programme: minimize e with ``|z - sum of x_i b_i| <= e`` and every b_i 0 or 1. A solver takes a number within about
1e-5 of 0 or 1 for whole and a constraint within about 1e-6 for kept, and it stops when its bound and its solution agree
to a tolerance of that size. So "optimal" is the solver's word, not a certificate: with errors near 1e-6, from some
twenty numbers of size 1 on, `nearest_subset` finds better ones (`studies/mip_gap.py` measures by how much).
"""

from __future__ import annotations

import importlib.util
import math
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rssp._arguments import integer, number, positive, sample_array
from rssp.errors import InfeasibleError

__all__ = ["Ended", "SolverSubset", "gurobi_installed", "gurobi_subset", "highs_subset"]


class Ended(StrEnum):
    """How a solver ended."""

    OPTIMAL = "optimal"
    LIMIT = "limit"
    """a limit on nodes or seconds came first; there is a subset"""
    NOTHING = "nothing found"
    """no subset: none is within eps, or a limit came before the first"""


@dataclass(frozen=True)
class SolverSubset:
    """What a solver makes of one sample and one target.

    Attributes
    ----------
    variables : float64 array (n,), as the solver leaves them: near 0 and 1, not equal; NaN where nothing was found
    stated : float, the error as the solver states it; NaN where nothing was found, and where eps was given
    ended : Ended
    """

    variables: NDArray[np.float64]
    stated: float
    ended: Ended

    @property
    def mask(self) -> NDArray[np.bool_]:
        """The subset that the variables stand for, bool (n,): those above 1/2; all False where nothing was found."""
        return self.variables > 0.5


def highs_subset(
    sample: ArrayLike,
    target: float,
    *,
    eps: float | None = None,
    nodes: int | None = None,
    seconds: float | None = None,
) -> SolverSubset:
    """A subset near one target by HiGHS (scipy.optimize.milp), with its default tolerances.

    Parameters
    ----------
    sample : array (n,), numbers
    target : float
    eps : float > 0: any subset within eps will do; by default the nearest is asked for
    nodes : int >= 1, the most nodes of the search tree; by default as many as it takes
    seconds : float > 0, the most time; by default as long as it takes. The result then depends on the machine.

    Raises
    ------
    ArgumentError, ArgumentTypeError : a sample of vectors, numbers that are not finite, options out of range

    Examples
    --------
    >>> found = highs_subset([0.5, -0.25, 0.3], 0.1)
    >>> found.mask.tolist(), round(found.stated, 6), found.ended.value
    ([False, True, True], 0.05, 'optimal')
    """
    from scipy.optimize import Bounds, LinearConstraint, milp

    x, z = _instance(sample, target, eps)
    n = len(x)
    options: Any = {}  # as scipy spells them
    if nodes is not None:
        options["node_limit"] = integer("nodes", nodes, 1)
    if seconds is not None:
        options["time_limit"] = positive("seconds", seconds)
    if eps is None:
        found = milp(
            np.append(np.zeros(n), 1.0),
            constraints=LinearConstraint(np.vstack([np.append(x, -1.0), np.append(x, 1.0)]), [-np.inf, z], [z, np.inf]),
            integrality=np.append(np.ones(n, np.int64), 0),
            bounds=Bounds(0, np.append(np.ones(n), np.inf)),
            options=options,
        )
    else:
        within = LinearConstraint(x[None], z - eps, z + eps)
        found = milp(
            np.zeros(n), constraints=within, integrality=np.ones(n, np.int64), bounds=Bounds(0, 1), options=options
        )
    if found.x is None:
        return _nothing(n)
    stated = float(found.fun) if eps is None else math.nan
    return SolverSubset(found.x[:n], stated, Ended.OPTIMAL if found.status == 0 else Ended.LIMIT)


def gurobi_subset(
    sample: ArrayLike,
    target: float,
    *,
    eps: float | None = None,
    nodes: int | None = None,
    seconds: float | None = None,
) -> SolverSubset:
    """A subset near one target by Gurobi, with its default tolerances and one thread; arguments as in `highs_subset`.

    Raises
    ------
    ArgumentError, ArgumentTypeError : as `highs_subset`
    InfeasibleError : gurobipy is not installed (`pip install 'rssp[mip]'`), or its licence does not allow the model

    >>> found = gurobi_subset([0.5, -0.25, 0.3], 0.1)
    >>> found.mask.tolist()
    [False, True, True]
    """
    x, z = _instance(sample, target, eps)
    limits = {} if nodes is None else {"NodeLimit": float(integer("nodes", nodes, 1))}
    if seconds is not None:
        limits["TimeLimit"] = positive("seconds", seconds)
    if not gurobi_installed():
        raise InfeasibleError("Gurobi", "gurobipy", "not installed", "pip install 'rssp[mip]', or use highs_subset.")
    import gurobipy as gp

    try:
        with (
            gp.Env(params={"OutputFlag": 0, "Threads": 1, **limits}) as environment,
            gp.Model(env=environment) as model,
        ):
            taken = model.addMVar(len(x), vtype=gp.GRB.BINARY)
            error = model.addVar(obj=1.0) if eps is None else eps
            model.addConstr(x @ taken - z <= error)
            model.addConstr(z - x @ taken <= error)
            model.optimize()
            if model.SolCount == 0:
                return _nothing(len(x))
            stated = float(model.ObjVal) if eps is None else math.nan
            return SolverSubset(taken.X, stated, Ended.OPTIMAL if model.Status == gp.GRB.OPTIMAL else Ended.LIMIT)
    except gp.GurobiError as cause:  # no licence, one that has expired, or one for smaller models
        raise InfeasibleError("Gurobi", str(cause), "what its licence allows", "Use highs_subset.") from cause


def gurobi_installed() -> bool:
    """Whether `gurobi_subset` can be called: gurobipy is not among what rssp requires."""
    return importlib.util.find_spec("gurobipy") is not None


def _instance(sample: ArrayLike, target: float, eps: float | None) -> tuple[NDArray[np.float64], float]:
    if eps is not None:
        positive("eps", eps)
    return sample_array(sample, 1)[:, 0], number("target", target)


def _nothing(n: int) -> SolverSubset:
    return SolverSubset(np.full(n, np.nan), math.nan, Ended.NOTHING)
