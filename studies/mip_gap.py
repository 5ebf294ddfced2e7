"""How far is a mixed-integer solver's "optimal" subset from the nearest one?

Tickets have been published whose weights were subset sums chosen by such a solver: minimize e with |z - sum of x_i b_i|
<= e and every b_i 0 or 1. A solver takes a number within about 1e-5 of 0 or 1 for whole and a constraint within about
1e-6 for kept, and it stops when bound and solution agree to a tolerance of that size. All this is harmless until the
error itself is that small, from n = 20 or so: then "optimal" is not the optimum, and the error that the solver states,
or that of its unrounded variables, is smaller than any subset's.

Measured here: for random instances, uniform on [-1, 1], the error that the solver states, that of its unrounded
variables, that of the subset they stand for, and the optimum by exact search. Solvers: HiGHS through
scipy.optimize.milp and, where it is installed, Gurobi, both with default tolerances and a limit on nodes, not on time.
CP-SAT computes in integers and is not in question.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from rssp import nearest_subset
from rssp.report import COLOURS, legend_outside, new_figure
from rssp.schemas import Column, Schema
from rssp.study import Context, Study, Tables, option
from rssp.study.columns import ENDS, N
from rssp.subsetsum.nearest.solvers import Ended, SolverSubset, gurobi_installed, gurobi_subset, highs_subset

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from rssp.trials import Trials

NODES = {"HiGHS": 20_000, "Gurobi": 100_000}
SCALES = {"quick": 5, "standard": 20, "full": 50}
"""instances for each n"""
NUMBERS = {"HiGHS": (8, 10, 12, 14, 16, 18), "Gurobi": (8, 12, 16, 20, 24, 28, 32)}

STATUS = {Ended.OPTIMAL: "optimal", Ended.LIMIT: "node limit", Ended.NOTHING: "nothing found"}

FLOOR = 5e-11
"""where errors of 0 are drawn"""


@dataclass(frozen=True)
class Options:
    n_max: int = option(32, "largest number of samples", least=8)
    solvers: Literal["all", "HiGHS"] = option("all", "those that are installed, or HiGHS alone")


def _solvers(asked: str) -> dict[str, Callable[..., SolverSubset]]:
    found: dict[str, Callable[..., SolverSubset]] = {"HiGHS": highs_subset}
    if asked != "HiGHS" and gurobi_installed():
        found["Gurobi"] = gurobi_subset
    return found


def analyse(runs: Mapping[str, Trials], context: Context) -> dict[str, pd.DataFrame]:
    rows: list[dict[str, Any]] = []
    for solver, solve in _solvers(context.options.solvers).items():
        for n in [n for n in NUMBERS[solver] if n <= context.options.n_max]:
            for instance in range(SCALES[context.scale]):
                rng = np.random.default_rng([context.seed, n, instance])
                x, z = rng.uniform(-1, 1, n), rng.uniform(-1, 1)
                found = solve(x, z, nodes=NODES[solver])
                row = {"solver": solver, "n": n, "instance": instance, "status": STATUS[found.ended]}
                row |= {"stated": found.stated, "unrounded": abs(x @ found.variables - z)}
                row |= {"subset": abs(x @ found.mask - z), "optimum": float(nearest_subset(x, [z]).error[0])}
                rows.append(row)
    instances = pd.DataFrame(rows)
    return {"instances": instances, "summary": _summary(instances)}


def _summary(instances: pd.DataFrame) -> pd.DataFrame:
    """Where the solver says "optimal": medians of the errors, and the ratio of its subset's error to the optimum."""
    optimal = instances[instances["status"] == "optimal"]
    optimal = optimal.assign(ratio=optimal["subset"] / optimal["optimum"])
    kinds = optimal.groupby(["solver", "n"])
    table = kinds[["stated", "unrounded", "subset", "optimum"]].median()
    ratio = kinds["ratio"].agg(low="min", best="median", high="max")
    asked = instances.groupby(["solver", "n"]).size().rename("instances")
    table = table.join(ratio).join(kinds.size().rename("said optimal")).join(asked)
    return table.reset_index().sort_values(["solver", "n"], ascending=[False, True])


def draw_gap(tables: Tables) -> Figure:
    import seaborn as sns

    figure, (left, right) = new_figure(1, 2, width=10.5, height=4)
    summary, instances = tables["summary"], tables["instances"]
    ratio = instances.assign(ratio=instances["subset"] / instances["optimum"])
    said = ratio[(ratio["status"] == "optimal") & np.isfinite(ratio["ratio"])]
    palette = dict(zip(summary.groupby("solver").groups, COLOURS, strict=False))
    # boxes from quartile to quartile, whiskers to the smallest and the largest of the instances
    look = {"hue_order": palette, "palette": palette, "whis": (0, 100), "linewidth": 1}
    with warnings.catch_warnings():  # seaborn 0.13 calls Matplotlib by a keyword that 3.11 deprecates
        warnings.filterwarnings("ignore", message="vert: bool was deprecated")
        sns.boxplot(said, x="n", y="ratio", hue="solver", ax=left, **look)
    for (solver, rows), marker in zip(summary.groupby("solver"), "os", strict=False):
        for column, style in (("subset", "-"), ("stated", ":"), ("unrounded", "--")):
            shown = rows.assign(**{column: rows[column].clip(lower=FLOOR)})
            label = f"{solver}, {NAMES[column]}"
            right.plot(
                shown["n"], shown[column], color=palette[solver], ls=style, marker=marker, ms=3, lw=1, label=label
            )
    exact = summary.groupby("n", as_index=False)["optimum"].median()
    right.plot(exact["n"], exact["optimum"], color="black", lw=1.4, label="optimum")
    left.set(xlabel="$n$", ylabel="error of its subset over the optimum", yscale="log", title='where it says "optimal"')
    left.legend(title="quartiles, smallest, largest", loc="upper left")
    right.set(xlabel="$n$", ylabel="error, median", yscale="log", title="what is called the error")
    legend_outside(right)
    return figure


NAMES = {"subset": "the subset's", "stated": "as stated (bottom: 0)", "unrounded": "variables unrounded"}

ERRORS = Schema(
    Column("stated", "float", meaning="the error that the solver states"),
    Column("unrounded", "float", meaning="error of the sum with its unrounded variables"),
    Column("subset", "float", meaning="error of the subset that they stand for"),
    Column("optimum", "float", meaning="error of the nearest subset"),
)
SOLVER = Column("solver", "text")
INSTANCES = Schema(SOLVER, N, Column("instance", "int"), Column("status", "text", meaning="what the solver says"))
COUNTED = Schema(
    Column("said optimal", "int", meaning="instances on which the solver says so"),
    Column("instances", "int", meaning="instances tried"),
)


def findings(tables: Tables) -> list[str]:
    rows = tables["summary"]
    last = rows.sort_values("n").groupby("solver", sort=False).tail(1)
    said = [f"{row.best:,.0f} times the optimum at n = {row.n} ({row.solver})" for row in last.itertuples()]
    return [f'The median "optimal" subset: {", ".join(said)}.']


STUDY = Study(
    name="mip_gap",
    question='How far is a mixed-integer solver\'s "optimal" subset from the nearest one?',
    guise="scalar",
    analyse=analyse,
    # medians of the errors; low, best and high are the smallest, median and largest of subset over optimum
    tables={"instances": INSTANCES + ERRORS, "summary": Schema(SOLVER, N) + ERRORS + ENDS + COUNTED},
    options=Options,
    figures={"gap": draw_gap},
    show=("summary",),
    findings=findings,
)

if __name__ == "__main__":
    STUDY.main()
