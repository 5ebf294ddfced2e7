"""How many normal vectors before every target of the cube [-1, 1]^d is within eps of a subset sum?

The claim (Becchetti et al. 2022): n >= C d^3 log(1/eps) (log(1/eps) + log d) standard normal vectors are enough, with
high probability. Counting says that d log2(1/eps) are necessary.

Measured here: for each random sample the exact first n at which every target of the cube is within eps in the max norm,
decided for all targets and not for sampled ones. n*(d, eps, delta) is the smallest n at which a share 1 - delta of the
samples cover. The exponents of d and of log2(1/eps) are then held against those of the theorem and of counting.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

import rssp
from rssp.claims import claim
from rssp.claims.exponents import bound_factor, compare_exponents, joint_exponents
from rssp.inference import points_covariance
from rssp.montecarlo import Experiment, HittingTimes
from rssp.report import draw_cover, new_figure
from rssp.schemas import Column, Schema
from rssp.study import Context, Exponents, Rows, Study, Tables, Task, option
from rssp.study.columns import COVERAGE, EPS, REQUIRED, D, N
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

CLAIMS = ("becchetti-2022", "counting-cube")
CORNER = {"d": 1, "eps": 0.5}
"""where the theorem's unknown C is fitted, for the factor between bound and measurement"""
# by dimension: eps down to 2 to the minus this, how far samples are followed, trials
GRIDS = {
    "quick": {1: (6, 24, 400), 2: (5, 24, 200), 3: (3, 24, 100), 4: (2, 24, 60), 5: (1, 23, 30)},
    "standard": {1: (8, 28, 4000), 2: (6, 26, 1000), 3: (4, 26, 400), 4: (2, 26, 200), 5: (1, 25, 100)},
    "full": {1: (10, 32, 10_000), 2: (6, 28, 5000), 3: (4, 28, 3000), 4: (3, 28, 2000), 5: (2, 28, 1000)},
}


@dataclass(frozen=True)
class Options:
    bits: tuple[int, ...] | None = option(None, "eps goes down to 2 to the minus these, for d = 1, 2, ...", least=1)
    n_max: int | None = option(None, "how far samples are followed", least=1)


def plan(context: Context) -> Sequence[Task]:
    grid, options = GRIDS[context.scale], context.options
    if options.bits is not None:
        grid = {d: (bits, *grid[min(d, max(grid))][1:]) for d, bits in enumerate(options.bits, 1)}
    tasks = []
    for d, (bits, n_max, trials) in grid.items():
        measurement = HittingTimes(tuple(2.0**-b for b in range(1, bits + 1)), options.n_max or n_max)
        experiment = Experiment(rssp.Normal(dim=d), rssp.Ball(d), measurement, context.seed)
        tasks.append(Task(f"d = {d}", experiment, trials))
    return tasks


def analyse(runs: Mapping[str, Trials], context: Context) -> dict[str, pd.DataFrame]:
    tables = curve_tables(runs, context)
    points = smooth(tables["required"])
    covariance = points_covariance(points, *runs.values())  # a sample that is late at one eps is late at the next
    claims = [claim(name) for name in CLAIMS]
    tables["exponent_of_d"] = compare_exponents(points, claims, "d", "eps", covariance=covariance)
    tables["exponent_of_bits"] = compare_exponents(points, claims, "eps", "d", covariance=covariance)
    tables["joint"] = joint_exponents(points, covariance)
    tables["factor"] = bound_factor(claim("becchetti-2022"), points, CORNER)
    tables["plane"] = _plane(context.seed)
    return {"summary": summary(tables["required"], ("d", "eps"), claim("counting-cube")), **tables}


def _plane(seed: int) -> pd.DataFrame:
    """The sums of one sample in the plane, just before it covers at eps and when it does, with the worst target."""
    eps, ball = 0.25, rssp.Ball(2)
    sample = rssp.Normal(dim=2).draw(24, np.random.default_rng([seed, 2022]))
    hit = int(rssp.hitting_time(sample, ball, [eps])[0])
    parts = []
    for n in (hit - 1, hit):
        sums = np.zeros((1, 2))
        for x in sample[:n]:
            sums = np.concatenate([sums, sums + x])
        sums = sums[(np.abs(sums) <= 1.35 + eps).all(axis=1)]
        radius = rssp.covering_radius(sample[:n], ball)
        rows = pd.DataFrame({"n": n, "eps": eps, "what": "sum", "x": sums[:, 0], "y": sums[:, 1]})
        witness = {"n": n, "eps": eps, "what": "witness", "x": radius.witness[0], "y": radius.witness[1]}
        parts += [rows, pd.DataFrame([witness | {"radius": radius.lower}])]
    return pd.concat(parts, ignore_index=True)


def draw_plane(tables: Tables) -> Figure:
    plane = tables["plane"]
    figure, axes = new_figure(1, 2, width=9.2, height=4.6)
    for ax, (n, rows) in zip(axes, plane.groupby("n"), strict=True):
        worst = rows[rows["what"] == "witness"].iloc[0]
        eps = float(worst["eps"])
        covered = worst["radius"] <= eps
        witness = None if covered else (float(worst["x"]), float(worst["y"]))
        draw_cover(rows[rows["what"] == "sum"], eps, witness, ax=ax, norm=np.inf)
        state = "every target covered" if covered else "a target (star) is left"
        ax.set_title(rf"$n = {n}$, $\varepsilon = {eps:g}$: {state}")
    return figure


CURVES = curve_figures(
    lambda tables: smooth(tables["required"]),
    {"theorem: $d^3$": 3.0, "counting: $d$": 1.0},
    r"normal vectors, targets $[-1, 1]^d$, $\delta = 1/2$",
    r"Becchetti et al. over measured; $C$ fitted at $d = 1$, $\varepsilon = 1/2$",
)

PLANE = Schema(
    N,
    EPS,
    Column("what", "text", meaning="sum, or witness: the target farthest from all sums"),
    Column("x", "float"),
    Column("y", "float"),
    Column("radius", "float", meaning="distance of the witness to the nearest sum"),
)
LABEL = "n*, normal vectors, all targets of [-1, 1]^d"
COUNTED = Rows("coverage", measured=LABEL)
EXPONENT = Exponents("exponent_of_d", measured=LABEL)


def findings(tables: Tables) -> list[str]:
    return exponent_finding(tables["exponent_of_d"], "becchetti-2022")


STUDY = Study(
    name="becchetti_2022",
    question="How many normal vectors before every target of the cube [-1, 1]^d is within eps of a subset sum?",
    guise="vector",
    plan=plan,
    analyse=analyse,
    tables={
        "summary": summary_schema(D, EPS),
        "coverage": COVERAGE,
        "required": REQUIRED,
        "exponent_of_d": exponent_schema(EPS, CLAIMS),
        "exponent_of_bits": exponent_schema(D, CLAIMS),
        "joint": JOINT,
        "factor": factor_schema(D, EPS),
        "plane": PLANE,
    },
    claims={
        "becchetti-2022": (COUNTED, EXPONENT),
        "becchetti-2022-lower": COUNTED,
        "counting-cube": (COUNTED, EXPONENT),
        # a filter of a 1 x 1 kernel with c channels is a vector of c entries
        "counting-cnn": Rows("coverage", named={"c": "d"}, add={"kernel": 1}, measured="filters of 1 x 1 kernels"),
    },
    options=Options,
    figures={**CURVES, "plane": draw_plane},
    show=("summary", "exponent_of_d", "exponent_of_bits"),
    findings=findings,
)

if __name__ == "__main__":
    STUDY.main()
