"""What does the dependence of random convolutional kernels cost in the number of samples?

A filter that is kept by structured pruning adds one vector to the target kernel: a common normal factor (its 1 x 1
weight) times a normal d x d slice. Such a normally-scaled normal vector has dependent entries. The claim (da Cunha,
d'Amore, Natale 2023, exponents as quoted): polynomially many, n >= C d^6 log^3(d/eps), serve every target of a 1-norm
ball. Counting says d log2(1/eps) - log2(d!).

Measured here, for every target of the unit ball of the 1-norm in dimension d with error eps in the max norm, decided
for all targets and not for sampled ones: n*(d, eps, delta) for

- normally-scaled normal vectors, as in the theorem;
- the vectors of an actual random convolution: a 1 x 1 layer and a kernel layer drawn, masked and flattened;
- the same behind the ReLU's gate, which passes half of them (sign = +1);
- controls: independent entries of the same marginal law (no dependence in a vector); four vectors that share one
  factor (dependence between vectors); uniform entries times a normal factor (another law with the dependence).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

import rssp
from rssp.claims import claim
from rssp.claims.exponents import bound_factor, compare_exponents, joint_exponents
from rssp.inference import points_covariance
from rssp.montecarlo import Experiment, HittingTimes
from rssp.report import COLOURS, eps_label, legend_outside, new_figure, plot_estimates
from rssp.schemas import INTERVAL, Column, Schema
from rssp.study import Context, Exponents, Rows, Study, Tables, Task, option
from rssp.study.columns import COVERAGE, DELTA, EPS, REQUIRED, D
from rssp.study.curves import (
    JOINT,
    curve_figures,
    curve_tables,
    exponent_finding,
    exponent_schema,
    factor_schema,
    smooth,
    summary,
    summary_schema,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from rssp.trials import Trials

NSN, GATED = "normally-scaled", "convolution, gated"
VECTORS = Column("vectors", "text", meaning="which of the laws compared, whatever the dimension")
COST = Schema(VECTORS, D, EPS) + INTERVAL
KERNELS = {1: (1, 1), 2: (1, 2), 3: (1, 3), 4: (2, 1), 5: (1, 5), 6: (1, 6)}
"""dimension = kernel size squared times output channels"""
CLAIMS = ("da-cunha-2023-all-targets", "counting-1-norm")
CORNER = {"d": 1, "eps": 0.25}
"""where the theorem's unknown C is fitted, for the factor between bound and measurement"""
# by dimension: eps = 1/4 down to 2 to the minus this, how far samples are followed, trials
GRIDS = {
    "quick": {1: (5, 24, 400), 2: (4, 24, 150), 3: (3, 24, 80), 4: (2, 24, 40)},
    "standard": {1: (8, 28, 4000), 2: (6, 26, 800), 3: (4, 26, 300), 4: (2, 25, 100)},
    "full": {
        1: (10, 32, 10_000),
        2: (7, 28, 4000),
        3: (5, 28, 2000),
        4: (4, 28, 1000),
        5: (3, 28, 500),
        6: (2, 28, 300),
    },
}


def laws(d: int) -> dict[str, rssp.Law]:
    size, channels = KERNELS[d]
    return {
        NSN: rssp.NormallyScaledNormal(d),
        "convolution": rssp.ConvolutionBlocks(size, channels_in=2, channels_out=channels),
        GATED: rssp.ConvolutionBlocks(size, channels_in=2, channels_out=channels, sign=1),
        "independent entries": rssp.IndependentNormalProduct(d),
        "shared by four vectors": rssp.GroupScaledNormal(d, 4),
        "uniform entries": rssp.NormallyScaledUniform(d),
    }


@dataclass(frozen=True)
class Options:
    bits: tuple[int, ...] | None = option(None, "eps goes down to 2 to the minus these, for d = 1, 2, ...", least=2)
    n_max: int | None = option(None, "how far samples are followed", least=1)


def plan(context: Context) -> Sequence[Task]:
    grid, options = GRIDS[context.scale], context.options
    if options.bits is not None:
        grid = {d: (bits, *grid[min(d, max(grid))][1:]) for d, bits in enumerate(options.bits, 1)}
    tasks = []
    for d, (bits, n_max, trials) in grid.items():
        eps, n_max = tuple(2.0**-b for b in range(2, bits + 1)), options.n_max or n_max
        for name, law in laws(d).items():
            # half of the gated vectors are zero
            measurement = HittingTimes(eps, n_max if name != GATED else int(1.7 * n_max))
            experiment = Experiment(law, rssp.Ball(d, norm=1), measurement, context.seed)
            tasks.append(Task(f"{name}, d = {d}", experiment, trials, keys={"vectors": name}))
    return tasks


def analyse(runs: Mapping[str, Trials], context: Context) -> dict[str, pd.DataFrame]:
    tables = curve_tables(runs, context)
    points = smooth(tables["required"])
    claims = [claim(name) for name in CLAIMS]

    def covariance(rows: pd.DataFrame) -> np.ndarray:
        """A sample that is late at one eps is late at the next."""
        return points_covariance(rows, *runs.values())

    def exponents(variable: str, by: str) -> pd.DataFrame:
        return _each(points, lambda rows: compare_exponents(rows, claims, variable, by, covariance=covariance(rows)))

    tables["exponent_of_d"] = exponents("d", "eps")
    tables["exponent_of_bits"] = exponents("eps", "d")
    tables["joint"] = _each(points, lambda rows: joint_exponents(rows, covariance(rows)))
    tables["factor"] = bound_factor(claim(CLAIMS[0]), points[points["vectors"] == NSN], CORNER)
    tables["cost"] = _cost(points)
    return {"summary": summary(tables["required"], ("vectors", "d", "eps"), claim("counting-1-norm")), **tables}


def _each(points: pd.DataFrame, analysis: Callable[[pd.DataFrame], pd.DataFrame]) -> pd.DataFrame:
    """The analysis of each kind of vectors by itself."""
    parts = [(name, analysis(points[points["vectors"] == name])) for name in laws(1)]
    return pd.concat([part.assign(vectors=name) for name, part in parts if len(part)] or [pd.DataFrame()])


def _cost(points: pd.DataFrame) -> pd.DataFrame:
    """n* of each law less that of independent entries, for the same d and eps: what the dependence costs."""
    base = points.loc[points["vectors"] == "independent entries", ["d", "eps", "low", "best", "high"]]
    rows = points.merge(base, on=["d", "eps"], how="left", suffixes=("", "_base"))
    error = np.hypot((rows["high"] - rows["low"]) / 2, (rows["high_base"] - rows["low_base"]) / 2)
    best = rows["best"] - rows["best_base"]
    cost = rows.assign(quantity="n* less that of independent entries", best=best, low=best - error, high=best + error)
    cost = cost[list(COST.names)]
    return cost[np.isfinite(cost["best"]) & np.isfinite(cost["high"])]


def _main(tables: Tables) -> pd.DataFrame:
    points = smooth(tables["required"])
    return points[points["vectors"] == NSN]


def draw_laws(tables: Tables) -> Figure:
    """n* of each law against d, at the two coarsest eps that all dimensions have in common."""
    points = smooth(tables["required"])
    dimensions = points.groupby("eps")["d"].nunique()
    shown = sorted(dimensions.index[dimensions > 1].to_list(), reverse=True)[:2]
    figure, axes = new_figure(1, len(shown), width=4.4 * len(shown) + 2.2, height=4.2)
    shift = np.linspace(-0.12, 0.12, points["vectors"].nunique())
    for ax, eps in zip(axes, shown, strict=True):
        for i, law in enumerate(points["vectors"].unique()):
            rows = points[(points["vectors"] == law) & (points["eps"] == eps)]
            moved = rows.assign(d=rows["d"] + shift[i])
            plot_estimates(moved, "d", ax=ax, line=True, colours=[COLOURS[i]], lw=0.9)
        ax.set(title=rf"$\varepsilon$ = {eps_label(eps)}, $\delta$ = 1/2", xlabel="$d$", ylabel="$n^*$", ylim=(0, None))
        ax.set_xticks(sorted(points["d"].unique()))
    from matplotlib.lines import Line2D

    names = points["vectors"].unique()
    handles = [Line2D([], [], color=COLOURS[i], marker="o", label=name) for i, name in enumerate(names)]
    legend_outside(axes[-1], handles=handles)
    return figure


CURVES = curve_figures(
    _main,
    {"as quoted: $d^6$": 6.0, "counting: $d$": 1.0},
    r"normally-scaled vectors, 1-norm ball, $\delta = 1/2$",
    r"theorem (as quoted) over measured; $C$ fitted at $d = 1$, $\varepsilon = 1/4$",
)

LABEL = "n*, normally-scaled, 1-norm ball"
SMOOTH = {"quantity": "n* interpolated"}
EXPONENT = Exponents("exponent_of_d", {"vectors": NSN}, measured=LABEL)


def findings(tables: Tables) -> list[str]:
    rows = tables["exponent_of_d"]
    return exponent_finding(rows[rows["vectors"] == "normally-scaled"], "da-cunha-2023-all-targets")


STUDY = Study(
    name="da_cunha_2023",
    question="What does the dependence of random convolutional kernels cost in the number of samples?",
    guise="vector",
    plan=plan,
    analyse=analyse,
    tables={
        "summary": summary_schema(VECTORS, D, EPS),
        "coverage": COVERAGE + Schema(VECTORS),
        "required": REQUIRED + Schema(VECTORS),
        "exponent_of_d": exponent_schema(EPS, CLAIMS) + Schema(VECTORS),
        "exponent_of_bits": exponent_schema(D, CLAIMS) + Schema(VECTORS),
        "joint": JOINT + Schema(VECTORS),
        "factor": factor_schema(D, EPS, DELTA),
        "cost": COST,
    },
    claims={
        "da-cunha-2023-all-targets": (Rows("coverage", {"vectors": NSN}, measured=LABEL), EXPONENT),
        "counting-1-norm": (Rows("coverage", measured="n*, all laws, 1-norm ball"), EXPONENT),
        # one layer of 1 x 1 kernels: a vector for every channel and sign
        "da-cunha-2023": Rows(
            "required",
            {**SMOOTH, "vectors": NSN},
            {"c": "d"},
            {"kernel": 1, "l": 1, "quantity": "width factor"},
            measured="vectors for one layer of 1 x 1 kernels",
        ),
    },
    options=Options,
    figures={**CURVES, "laws": draw_laws},
    show=("summary", "exponent_of_d"),
    findings=findings,
)

if __name__ == "__main__":
    STUDY.main()
