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

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from _curves import curve_figures, curve_tables, smooth, summary, whole

import rssp
from rssp.claims import check, claim
from rssp.claims.exponents import bound_factor, compare_exponents, exponent_verdicts, joint_exponents
from rssp.montecarlo import Experiment, HittingTimes
from rssp.report import COLOURS, eps_label, legend_outside, new_figure, plot_estimates
from rssp.study import Context, Study, Task
from rssp.trials import Trials

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from rssp.claims import Verdict

NSN = "normally-scaled"
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
        "convolution, gated": rssp.ConvolutionBlocks(size, channels_in=2, channels_out=channels, sign=1),
        "independent entries": rssp.IndependentNormalProduct(d),
        "shared by four vectors": rssp.GroupScaledNormal(d, 4),
        "uniform entries": rssp.NormallyScaledUniform(d),
    }


def plan(scale: str, seed: int) -> Sequence[Task]:
    tasks = []
    for d, (bits, n_max, trials) in GRIDS[scale].items():
        eps = tuple(2.0**-b for b in range(2, bits + 1))
        for name, law in laws(d).items():
            # half of the gated vectors are zero
            measurement = HittingTimes(eps, n_max if "gated" not in name else int(1.7 * n_max))
            tasks.append(Task(f"{name}, d = {d}", Experiment(law, rssp.Ball(d, norm=1), measurement, seed), trials))
    return tasks


def analyse(trials: Mapping[str, Trials], context: Context) -> dict[str, pd.DataFrame]:
    keys = {name: {"law": name.rpartition(", d = ")[0], "d": seen.ball.dim} for name, seen in trials.items()}
    tables = curve_tables(trials, keys)
    points = smooth(tables["required"])
    main = points[points["law"] == NSN]
    claims = [claim(name) for name in CLAIMS]
    names = list(laws(1))
    tables["exponent_of_d"] = _by_law(points, names, lambda p: compare_exponents(p, claims, "d", "eps"))
    tables["exponent_of_bits"] = _by_law(points, names, lambda p: compare_exponents(p, claims, "eps", "d"))
    tables["joint"] = _by_law(points, names, joint_exponents)
    tables["factor"] = bound_factor(claim(CLAIMS[0]), main, CORNER)
    tables["cost"] = _cost(points)
    return {"summary": summary(tables["required"], ("law", "d", "eps"), claim("counting-1-norm")), **tables}


def _by_law(points: pd.DataFrame, names: Sequence[str], analysis) -> pd.DataFrame:  # type: ignore[no-untyped-def]
    parts = [(name, analysis(points[points["law"] == name])) for name in names]
    return pd.concat([part.assign(law=name) for name, part in parts if len(part)] or [pd.DataFrame()])


def _cost(points: pd.DataFrame) -> pd.DataFrame:
    """n* of each law less that of independent entries, for the same d and eps: what the dependence costs."""
    base = points.loc[points["law"] == "independent entries", ["d", "eps", "low", "best", "high"]]
    rows = points.merge(base, on=["d", "eps"], how="left", suffixes=("", "_base"))
    error = np.hypot((rows["high"] - rows["low"]) / 2, (rows["high_base"] - rows["low_base"]) / 2)
    best = rows["best"] - rows["best_base"]
    cost = rows.assign(best=best, low=best - error, high=best + error)[["law", "d", "eps", "low", "best", "high"]]
    return cost[np.isfinite(cost["best"]) & np.isfinite(cost["high"])]


def judge(tables: Mapping[str, pd.DataFrame]) -> list[Verdict]:
    required = whole(tables["required"])
    main = required[required["law"] == NSN]
    exponents = tables["exponent_of_d"]
    exponents = exponents[exponents["law"] == NSN]
    return [
        check(claim("da-cunha-2023-all-targets"), main, measured="n*, normally-scaled, 1-norm ball"),
        check(claim("counting-1-norm"), required, measured="n*, all laws, 1-norm ball"),
        *(v for name in CLAIMS for v in exponent_verdicts(claim(name), exponents, "n*, normally-scaled, 1-norm ball")),
    ]


def _main(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    points = smooth(tables["required"])
    return points[points["law"] == NSN]


def draw_laws(tables: Mapping[str, pd.DataFrame]) -> Figure:
    """n* of each law against d, at the two coarsest eps that all dimensions have in common."""
    points = smooth(tables["required"])
    dimensions = points.groupby("eps")["d"].nunique()
    shown = sorted(dimensions.index[dimensions > 1].to_list(), reverse=True)[:2]
    figure, axes = new_figure(1, len(shown), width=4.4 * len(shown) + 2.2, height=4.2)
    shift = np.linspace(-0.12, 0.12, points["law"].nunique())
    for ax, eps in zip(axes, shown, strict=True):
        for i, law in enumerate(points["law"].unique()):
            rows = points[(points["law"] == law) & (points["eps"] == eps)]
            moved = rows.assign(d=rows["d"] + shift[i])
            plot_estimates(moved, "d", ax=ax, line=True, colours=[COLOURS[i]], lw=0.9)
        ax.set(title=rf"$\varepsilon$ = {eps_label(eps)}, $\delta$ = 1/2", xlabel="$d$", ylabel="$n^*$", ylim=(0, None))
        ax.set_xticks(sorted(points["d"].unique()))
    from matplotlib.lines import Line2D

    names = points["law"].unique()
    handles = [Line2D([], [], color=COLOURS[i], marker="o", label=name) for i, name in enumerate(names)]
    legend_outside(axes[-1], handles=handles)
    return figure


CURVES = curve_figures(
    _main,
    {"as quoted: $d^6$": 6.0, "counting: $d$": 1.0},
    r"normally-scaled vectors, 1-norm ball, $\delta = 1/2$",
    r"theorem (as quoted) over measured; $C$ fitted at $d = 1$, $\varepsilon = 1/4$",
)

STUDY = Study(
    name="da_cunha_2023",
    question="What does the dependence of random convolutional kernels cost in the number of samples?",
    plan=plan,
    analyse=analyse,
    judge=judge,
    figures={**CURVES, "laws": draw_laws},
    show=("summary", "exponent_of_d"),
)

if __name__ == "__main__":
    STUDY.main()
