"""How many random numbers before every target of an interval is within eps of a subset sum?

The claim (Lueker 1998, in the field's form): there is a constant C such that n >= C log2(1/min(eps, delta)) numbers
uniform on [-1, 1] are enough for all targets of [-1, 1] at once, with probability at least 1 - delta. C is not given.
Counting says that n >= log2(1/eps) is necessary: 2^n sums reach at most a length of 2^n 2 eps.

Measured here: for each random sample the exact hitting time N(eps), the first n at which the largest distance from a
target to its nearest subset sum is at most eps. Its quantiles are n*(eps, delta), the smallest n with
P(every target covered) >= 1 - delta. Laws: uniform, normal, and the gated product of Pensia et al. (2020). Intervals:
[-1, 1] and [-1/2, 1/2].
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import pandas as pd

import rssp
from rssp.claims import claim
from rssp.inference import (
    Unfit,
    attempt_comparison,
    attempt_scaling,
    coverage,
    required_n,
    smallest_constant,
    threshold_covariance,
)
from rssp.montecarlo import Experiment, HittingTimes
from rssp.report import COLOURS, legend_outside, new_figure, plot_estimates, plot_line
from rssp.schemas import IDENTITY, INTERVAL, Column, Schema
from rssp.study import Context, Rows, Study, Tables, Task, option
from rssp.study.columns import COVERAGE, DELTA, EPS, REQUIRED, N

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from rssp.trials import Trials

T = TypeVar("T")

LAWS = {"uniform": rssp.Uniform(), "normal": rssp.Normal(), "gated-product": rssp.GatedProduct()}
"""by the texts that tables have in their column law"""
INTERVALS = {1.0: "[-1, 1]", 0.5: "[-1/2, 1/2]"}
"""the targets, by the ball's radius"""
DELTAS = (0.5, 0.1, 0.01)
SCALES = {"quick": (14, 1000), "standard": (20, 4000), "full": (26, 10_000)}
"""eps goes down to 2 to the minus this; trials"""
N_MAX = {"uniform": (1.4, 10), "normal": (1.4, 10), "gated-product": (2.6, 32)}
"""samples are followed to a + b log2(1/eps) numbers, here (b, a); half of a gated product's numbers are zero"""
SMOOTH = "n* interpolated"


@dataclass(frozen=True)
class Options:
    bits: int | None = option(None, "eps goes down to 2 to the minus this", least=4)


def plan(context: Context) -> Sequence[Task]:
    bits, trials = SCALES[context.scale]
    bits = context.options.bits or bits
    eps = tuple(2.0**-b for b in range(4, bits + 1))
    tasks = []
    for name, law in LAWS.items():
        for radius, interval in INTERVALS.items():
            slope, offset = N_MAX[name]
            measurement = HittingTimes(eps, n_max=int(slope * bits) + offset)
            experiment = Experiment(law, rssp.Ball.interval(-radius, radius), measurement, context.seed)
            tasks.append(Task(f"{name}, {interval}", experiment, trials))
    return tasks


def analyse(runs: Mapping[str, Trials], context: Context) -> dict[str, pd.DataFrame]:
    parts: dict[str, list[pd.DataFrame]] = {"coverage": [], "required": [], "scaling": [], "lines": []}
    for trials in runs.values():
        parts["coverage"].append(coverage(trials))
        whole = required_n(trials, delta=DELTAS)
        smooth = required_n(trials, delta=DELTAS, interpolated=True)
        parts["required"] += [whole, smooth]
        identity: dict[str, Any] = {name: whole[name].iloc[0] for name in IDENTITY.names}
        for delta in DELTAS:
            points = smooth[smooth["delta"] == delta]
            covariance = threshold_covariance(trials, delta=delta)
            scaling = attempt_comparison(points, covariance=covariance)
            if not isinstance(scaling, Unfit):  # not too few points
                parts["scaling"].append(
                    scaling.drop(columns="rival_p").rename(columns={"form": "scaling"}).assign(delta=delta, **identity)
                )
            parts["lines"].append(_lines(points, whole[whole["delta"] == delta], covariance).assign(**identity))
    if not parts["scaling"]:  # no law could be fitted: too few trials
        parts["scaling"].append(pd.DataFrame(columns=list(SCALING.names)))
    tables = {name: pd.concat(part, ignore_index=True) for name, part in parts.items()}
    tables["failures"] = _failures(tables["coverage"])
    return {"summary": _summary(tables["required"]), "fits": _fits(tables["scaling"]), **tables}


def _failures(seen: pd.DataFrame) -> pd.DataFrame:
    """P(fail) of uniform numbers and the smaller interval, of which the tail bound speaks."""
    rows = seen.loc[(seen["law"] == "uniform") & (seen["radius"] == 0.5) & (seen["n"] > 0), list(FAILURES.names)]
    complement = {"low": 1 - rows["high"], "best": 1 - rows["best"], "high": 1 - rows["low"]}
    return rows.assign(quantity="P(fail)", **complement).reset_index(drop=True)


def _fits(scaling: pd.DataFrame) -> pd.DataFrame:
    """The scaling form that the data select, where they accept one."""
    return scaling.loc[scaling["selected"].astype(bool), list(FITS.names)]


def _summary(required: pd.DataFrame) -> pd.DataFrame:
    """What a run prints: n* with its interval, a row for each law, interval and every other eps."""
    rows = required[(required["quantity"] == "n*") & (np.log2(required["eps"]) % 2 == 0)]
    cell = [
        f"{best:.0f} [{low:.0f}, {high:.0f}]"
        for low, best, high in zip(rows["low"], rows["best"], rows["high"], strict=True)
    ]
    columns = [f"delta = {d:g}" for d in rows["delta"]]
    table = rows.assign(cell=cell, column=columns, **{"log2(eps)": np.log2(rows["eps"]).astype(int)})
    order = [f"delta = {d:g}" for d in DELTAS]
    wide = table.pivot(index=["law", "radius", "log2(eps)"], columns="column", values="cell")[order]
    counting = claim("counting-1d")
    wide = wide.reset_index().sort_values(["law", "radius", "log2(eps)"], ascending=False)
    wide = wide.assign(counting=counting.bound(eps=2.0 ** wide["log2(eps)"], radius=wide["radius"]))
    wide["radius"] = wide["radius"].map(INTERVALS)
    return wide.rename(columns={"radius": "interval"})


def _lines(points: pd.DataFrame, whole: pd.DataFrame, covariance: np.ndarray) -> pd.DataFrame:
    """What is drawn through the points: the fitted form, and Lueker's line at the C fitted for this delta."""
    delta = float(points["delta"].iloc[0])
    eps = points["eps"].to_numpy()
    fit = attempt_scaling(points, "log+loglog", covariance=covariance)
    bound = claim("lueker-1998").bound(eps=eps, delta=delta, C=1.0)
    reached = np.isfinite(whole["best"]).any()
    constant = smallest_constant(whole, bound).constant.best if reached else np.nan
    fitted = np.nan if isinstance(fit, Unfit) else fit.predict(eps=eps)["best"].to_numpy()
    return pd.DataFrame({"delta": delta, "eps": eps, "fitted": fitted, "C": constant, "lueker": constant * bound})


KAPPAS = (2.0, 4.0, 8.0)
"""values at which the other constant of the tail bound is fitted: the paper gives neither"""


def _panels(table: pd.DataFrame) -> list[tuple[str, float, pd.DataFrame]]:
    return [
        (law, radius, table[(table["law"] == law) & (table["radius"] == radius)])
        for radius in INTERVALS
        for law in LAWS
    ]


def _title(law: str, radius: float) -> str:
    return f"{law.replace('-', ' ')}, targets {INTERVALS[radius]}"


def draw_coverage(tables: Tables) -> Figure:
    import seaborn as sns

    figure, axes = new_figure(2, 3, width=11, height=6.6)
    for i, (ax, (law, radius, rows)) in enumerate(zip(axes, _panels(tables["coverage"]), strict=True)):
        cells = rows.assign(bits=-np.log2(rows["eps"]).round().astype(int)).pivot(
            index="bits", columns="n", values="best"
        )
        # from the first n that ever covers to the first that always does
        moving = cells.columns[(cells.max() > 0) & (cells.min().shift(fill_value=0) < 1)]
        last = i % 3 == 2
        bar = {"label": r"$P$(every target covered)"} if last else None
        look = {"vmin": 0, "vmax": 1, "cmap": "cividis", "cbar": last, "cbar_kws": bar}
        step = 4 if moving.size < 40 else 12
        sns.heatmap(cells[moving].iloc[::-1], ax=ax, xticklabels=step, yticklabels=2, **look)
        ax.grid(visible=False)
        ax.tick_params(rotation=0)
        ax.set(title=_title(law, radius), xlabel="$n$", ylabel=r"$\log_2(1/\varepsilon)$")
    return figure


def draw_required(tables: Tables) -> Figure:
    figure, axes = new_figure(2, 3, width=10.5, height=6.4)
    required = tables["required"].assign(bits=lambda t: -np.log2(t["eps"]))
    lines = tables["lines"].assign(bits=lambda t: -np.log2(t["eps"]))
    points = _panels(required[required["quantity"] == SMOOTH])
    for ax, (law, radius, rows), (_, _, line) in zip(axes, points, _panels(lines), strict=True):
        for colour, delta in zip(COLOURS, DELTAS, strict=False):
            at = line[line["delta"] == delta]
            plot_estimates(rows[rows["delta"] == delta], "bits", ax=ax, colours=[colour])
            plot_line(at, "bits", "fitted", ax=ax, color=colour, lw=1.1)
            plot_line(at, "bits", "lueker", ax=ax, color=colour, lw=1.1, ls=":")
        bound = line[line["delta"] == DELTAS[0]]
        counting = claim("counting-1d").bound(eps=bound["eps"].to_numpy(), radius=radius)
        ax.plot(bound["bits"], counting, color="black", ls="--", lw=1.1)
        ax.set(title=_title(law, radius), xlabel=r"$\log_2(1/\varepsilon)$", ylabel=r"$n^*(\varepsilon, \delta)$")
        ax.set_ylim(bottom=0)
    _required_key(axes[2])
    return figure


def _required_key(ax: Axes) -> None:
    from matplotlib.lines import Line2D

    handles = [
        Line2D([], [], color=c, marker="o", ls="", label=rf"$\delta = {d:g}$")
        for c, d in zip(COLOURS, DELTAS, strict=False)
    ]
    handles += [
        Line2D([], [], color="gray", ls="-", label=r"fit $a + b x + c\,\log_2 x$"),
        Line2D([], [], color="gray", ls=":", label="Lueker, smallest $C$\nabove every whole $n^*$"),
        Line2D([], [], color="black", ls="--", label="counting bound"),
    ]
    legend_outside(ax, handles=handles)


FIT_QUALITY = Schema(
    Column("scaling", "text", meaning="the form fitted"),
    Column("parameters", "int", meaning="of the form"),
    Column("chi2", "float", meaning="weighted sum of squared residuals"),
    Column("dof", "int", meaning="points less parameters"),
    Column("p_value", "float", meaning="of a chi2 as large, if the form is true"),
    Column("aicc", "float", meaning="Akaike's criterion, corrected"),
    Column("delta_aicc", "float", meaning="aicc less the smallest"),
    Column("weight", "float", meaning="Akaike's weight"),
    Column("held_out", "int", nullable=True, meaning="points left out and predicted"),
    Column("held_out_chi2", "float"),
    Column("held_out_p_value", "float"),
    Column("held_out_rms", "float", unit="n", meaning="root mean square error of the prediction"),
    Column("accepted", "bool", meaning="whether the data accept the form"),
    Column("selected", "bool", meaning="whether it is the simplest accepted"),
    Column("fit", "text", meaning="the form with its constants"),
)
SCALING = FIT_QUALITY + Schema(DELTA) + IDENTITY
LINES = Schema(
    DELTA,
    EPS,
    Column("fitted", "float", unit="n", meaning="the form log+loglog through the points"),
    Column(
        "C",
        "float",
        meaning="largest n*/g at this delta, n* whole and g Lueker's bound at C = 1; a verdict rounds C g up",
    ),
    Column("lueker", "float", unit="n", meaning="Lueker's bound with that C"),
)
FAILURES = Schema(N, EPS, Column("trials", "int")) + INTERVAL + IDENTITY
FITS = Schema(*(c for c in SCALING if c.name in ("law", "radius", "delta", "fit")))
SUMMARY = Schema(
    Column("law", "text"),
    Column("interval", "text", meaning="the targets"),
    Column("log2(eps)", "int"),
    *(Column(f"delta = {d:g}", "text", meaning="n* [low, high]") for d in DELTAS),
    Column("counting", "float", unit="n", meaning="necessary by counting"),
)


def findings(tables: Tables) -> list[str]:
    rows = tables["required"]
    at = (rows["quantity"] == "n*") & (rows["law"] == "uniform") & (rows["radius"] == 1) & (rows["delta"] == 0.5)
    bits, n = -np.log2(rows.loc[at, "eps"].to_numpy()), rows.loc[at, "best"].to_numpy()
    medians = [f"{n[i]:.0f} at 2^-{bits[i]:.0f}" for i in np.argsort(bits) if np.isfinite(n[i]) and bits[i] % 4 == 0]
    fits = tables["fits"]
    settings = tables["lines"].groupby(["law", "radius", "delta"]).ngroups
    return [
        f"Uniform numbers, all of [-1, 1] with probability 1/2: {', '.join(medians)}; a form of growth is accepted in "
        f"{len(fits)} of {settings} settings."
    ]


STUDY = Study(
    name="lueker_1998",
    question="How many random numbers before every target of an interval is within eps of a subset sum?",
    guise="scalar",
    plan=plan,
    analyse=analyse,
    tables={
        "summary": SUMMARY,
        "fits": FITS,
        "coverage": COVERAGE,
        "required": REQUIRED,
        "scaling": SCALING,
        "lines": LINES + IDENTITY,
        "failures": FAILURES,
    },
    claims={
        "lueker-1998": Rows("coverage", {"law": "uniform"}, measured="n*, uniform, all targets of [-1, 1]"),
        "counting-1d": Rows("coverage", measured="n*, three laws, [-1, 1] and [-1/2, 1/2]"),
        "pensia-2020-weight": Rows("coverage", {"law": "gated-product"}, measured="n*, gated product, [-1, 1]"),
        "esa-2023": Rows(
            "coverage",
            {"radius": 0.5, "law": "uniform"},
            measured="n*(delta = 1/2), uniform, [-1/2, 1/2]",
        ),
        "edge-samples": Rows("coverage", {"law": "uniform"}, measured="n*, uniform, [-1, 1] and [-1/2, 1/2]"),
        # where at least one trial failed and one did not: elsewhere there is only a limit
        "esa-2023-tail": tuple(
            Rows(
                "failures",
                {"best": lambda p: (p > 0) & (p < 1)},
                constants={"kappa": kappa},
                measured="P(fail), uniform, all targets of [-1/2, 1/2]",
            )
            for kappa in KAPPAS
        ),
    },
    options=Options,
    figures={"coverage": draw_coverage, "required": draw_required},
    show=("summary", "fits"),
    findings=findings,
)

if __name__ == "__main__":
    STUDY.main()
