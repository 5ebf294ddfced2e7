"""How many normal vectors before every target of the cube [-1, 1]^d is within eps of a subset sum?

The claim (Becchetti et al. 2022): n >= C d^3 log(1/eps) (log(1/eps) + log d) standard normal vectors are enough, with
high probability. Counting says that d log2(1/eps) are necessary.

Measured here: for each random sample the exact first n at which every target of the cube is within eps in the max norm,
decided for all targets and not for sampled ones. n*(d, eps, delta) is the smallest n at which a share 1 - delta of the
samples cover. The exponents of d and of log2(1/eps) are then held against those of the theorem and of counting.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from _curves import curve_figures, curve_tables, smooth, summary, whole

import rssp
from rssp.claims import check, claim
from rssp.claims.exponents import bound_factor, compare_exponents, exponent_verdicts, joint_exponents
from rssp.montecarlo import Experiment, HittingTimes
from rssp.report import draw_cover, new_figure
from rssp.study import Context, Study, Task
from rssp.trials import Trials

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from rssp.claims import Verdict

CLAIMS = ("becchetti-2022", "counting-cube")
CORNER = {"d": 1, "eps": 0.5}
"""where the theorem's unknown C is fitted, for the factor between bound and measurement"""
# by dimension: eps down to 2 to the minus this, how far samples are followed, trials
GRIDS = {
    "quick": {1: (6, 24, 400), 2: (5, 24, 200), 3: (3, 24, 100), 4: (2, 24, 60), 5: (1, 23, 30)},
    "standard": {1: (8, 28, 4000), 2: (6, 26, 1000), 3: (4, 26, 400), 4: (2, 26, 200), 5: (1, 25, 100)},
    "full": {1: (10, 32, 10_000), 2: (6, 28, 5000), 3: (4, 28, 3000), 4: (3, 28, 2000), 5: (2, 28, 1000)},
}


def plan(scale: str, seed: int) -> Sequence[Task]:
    tasks = []
    for d, (bits, n_max, trials) in GRIDS[scale].items():
        eps = tuple(2.0**-b for b in range(1, bits + 1))
        experiment = Experiment(rssp.Normal(dim=d), rssp.Ball(d), HittingTimes(eps, n_max), seed)
        tasks.append(Task(f"d = {d}", experiment, trials))
    return tasks


def analyse(trials: Mapping[str, Trials], context: Context) -> dict[str, pd.DataFrame]:
    grid = GRIDS[context.scale]
    tables = curve_tables(trials, {f"d = {d}": {"d": d} for d in grid})
    points = smooth(tables["required"])
    claims = [claim(name) for name in CLAIMS]
    tables["exponent_of_d"] = compare_exponents(points, claims, "d", "eps")
    tables["exponent_of_bits"] = compare_exponents(points, claims, "eps", "d")
    tables["joint"] = joint_exponents(points)
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


def judge(tables: Mapping[str, pd.DataFrame]) -> list[Verdict]:
    required = whole(tables["required"])
    label = "n*, normal vectors, all targets of [-1, 1]^d"
    return [
        check(claim("becchetti-2022"), required, measured=label),
        check(claim("becchetti-2022-lower"), required, measured=label),
        check(claim("counting-cube"), required, measured=label),
        *(v for name in CLAIMS for v in exponent_verdicts(claim(name), tables["exponent_of_d"], label)),
    ]


def draw_plane(tables: Mapping[str, pd.DataFrame]) -> Figure:
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

STUDY = Study(
    name="becchetti_2022",
    question="How many normal vectors before every target of the cube [-1, 1]^d is within eps of a subset sum?",
    plan=plan,
    analyse=analyse,
    judge=judge,
    figures={**CURVES, "plane": draw_plane},
    show=("summary", "exponent_of_d", "exponent_of_bits"),
)

if __name__ == "__main__":
    STUDY.main()
