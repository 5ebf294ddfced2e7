"""How fast does the covered part of the targets grow with every further random number?

v_t is the fraction of the targets that lie within eps of a subset sum of the first t numbers uniform on [-1, 1]. The
elementary proof of Lueker's theorem (da Cunha et al., ESA 2023) rests on one lemma: E[v_{t+1} - v_t | v_t] is at least
v_t (1 - v_t) / 4. For the targets [-1/2, 1/2] a short argument gives 1/2 in place of 1/4 (claim growth-half). The
larger the constant, the fewer numbers the proof needs.

Measured here: the constant itself, E[v_{t+1} - v_t] / (v_t (1 - v_t)) in bins of v_t, for the targets [-1, 1] and
[-1/2, 1/2] and several eps, from exact values of v_t; how v_t grows, beside the growth that the constants promise; and
how many numbers it takes until 1 - v_t <= eps.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

import rssp
from rssp.inference import required_n
from rssp.inference.growth import covered_growth
from rssp.laws.parse import identity_columns
from rssp.montecarlo import CoveredFractions, Experiment
from rssp.report import COLOURS, eps_label, legend_outside, new_figure, plot_estimates, plot_line
from rssp.schemas import IDENTITY, INTERVAL, Column, Schema
from rssp.study import Context, Rows, Study, Tables, Task
from rssp.study.columns import ENDS, EPS, REQUIRED, TRIALS, N
from rssp.trials import Trials

if TYPE_CHECKING:
    from matplotlib.figure import Figure

INTERVALS = {1.0: "[-1, 1]", 0.5: "[-1/2, 1/2]"}
"""the targets, by the ball's radius"""
PROVED = {1.0: 0.25, 0.5: 0.5}
"""the constants of esa-2023-growth and growth-half"""
SCALES = {"quick": ((4, 8, 12), 2000), "standard": ((4, 8, 12, 14), 20_000), "full": ((4, 8, 12, 16), 100_000)}
"""eps = 2 to the minus these; trials at the coarsest"""
EDGES = (0, 0.001, 0.01, 0.03, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.97, 0.99, 0.999, 1)
"""bins of v, narrow at both ends"""
DELTAS = (0.5, 0.1)
RATIO = ("ratio low", "ratio", "ratio high")
RATIOS = Schema(*(Column(name, "float", meaning="E[dv] over v (1 - v)") for name in RATIO))
GROWTH = Schema(Column("v", "float", meaning="middle of the bin"), Column("filled", "bool", meaning="enough trials"))
CONSTANTS = Schema(
    Column("interval", "text", meaning="the targets"), EPS, Column("at v", "float"), *RATIOS, TRIALS,
    Column("proved", "float"),
)  # fmt: skip
PATHS = Schema(
    N,
    Column("mean", "float", meaning="of v"),
    Column("promised", "float", meaning="v by the proved growth, from the first mean"),
)


def plan(context: Context) -> Sequence[Task]:
    eps_bits, most = SCALES[context.scale]
    tasks = []
    for radius, interval in INTERVALS.items():
        for bits in eps_bits:
            measurement = CoveredFractions(2.0**-bits, int(1.3 * bits) + 14)
            experiment = Experiment(rssp.Uniform(), rssp.Ball.interval(-radius, radius), measurement, context.seed)
            tasks.append(Task(f"{interval}, eps 2^-{bits}", experiment, most * 4 // bits))
    return tasks


def analyse(runs: Mapping[str, Trials], context: Context) -> dict[str, pd.DataFrame]:
    parts: dict[str, list[pd.DataFrame]] = {"growth": [], "paths": [], "samples": []}
    for trials in runs.values():
        v = trials.table["v"].to_numpy().reshape(trials.trials, -1)
        keys: dict[str, Any] = {"eps": trials.measurement.eps, **identity_columns(trials.law, trials.ball)}
        parts["growth"].append(_growth(v).assign(**keys))
        parts["paths"].append(_path(v, PROVED[trials.ball.radius]).assign(**keys))
        parts["samples"].append(_samples(v, trials.measurement.eps).assign(**keys))
    tables = {name: pd.concat(part, ignore_index=True) for name, part in parts.items()}
    # normal intervals need 100 trials in a bin, or half of the run's where these are fewer
    most = tables["growth"]["trials"].max()
    tables["growth"]["filled"] = tables["growth"]["trials"] >= min(100, most / 2)
    return {**tables, "constants": _constants(tables["growth"])}


def _growth(v: np.ndarray) -> pd.DataFrame:
    """The constant in each bin of v, and E[dv] = constant v (1 - v) at the bin's middle in log(v / (1 - v))."""
    seen = covered_growth(v, bins=EDGES)
    inner = seen["v_low"].to_numpy()[1:]
    odds = inner / (1 - inner)
    odds = np.concatenate([odds[:1] / 9, odds, odds[-1:] * 9])
    middle = 1 / (1 + 1 / np.sqrt(odds[:-1] * odds[1:]))
    table = seen.rename(columns={"low": "ratio low", "best": "ratio", "high": "ratio high"}).assign(v=middle)
    for name, column in zip(("low", "best", "high"), RATIO, strict=True):
        table[name] = table[column] * middle * (1 - middle)
    return table.assign(quantity="E[dv]").drop(columns=["v_low", "v_high"])


def _path(v: np.ndarray, constant: float) -> pd.DataFrame:
    """Mean and quartiles of v_t, and what v_{t+1} = v_t + c v_t (1 - v_t) makes of the first mean."""
    promised = [float(v[:, 0].mean())]
    while len(promised) < v.shape[1]:
        promised.append(promised[-1] * (1 + constant * (1 - promised[-1])))
    low, middle, high = np.quantile(v, (0.25, 0.5, 0.75), axis=0)
    table = pd.DataFrame({"n": np.arange(1, v.shape[1] + 1), "low": low, "best": middle, "high": high})
    return table.assign(mean=v.mean(axis=0), promised=promised)


def _samples(v: np.ndarray, eps: float) -> pd.DataFrame:
    """The first n with 1 - v <= eps: its quantiles."""
    done = v >= 1 - eps
    first = np.where(done.any(axis=1), done.argmax(axis=1) + 1, -1)
    times = pd.DataFrame({"trial": np.arange(len(v)), "eps": eps, "n": first})
    seen = required_n(Trials.of(times, n_max=v.shape[1]), delta=DELTAS)
    return seen.assign(quantity="n with 1 - v <= eps")


def _constants(growth: pd.DataFrame) -> pd.DataFrame:
    """The smallest constant over the bins: the true one of the lemma, with what is proved."""
    rows = growth[growth["filled"]]
    smallest = rows.loc[rows.groupby(["radius", "eps"], sort=False)["ratio"].idxmin()]
    shown = smallest.assign(interval=smallest["radius"].map(INTERVALS), proved=smallest["radius"].map(PROVED))
    return shown.rename(columns={"v": "at v"})[list(CONSTANTS.names)].reset_index(drop=True)


def draw_growth(tables: Tables) -> Figure:
    figure, axes = new_figure(1, 2, width=10.5, height=4.2)
    growth = tables["growth"][tables["growth"]["filled"]]
    for ax, (radius, proved) in zip(axes, PROVED.items(), strict=True):
        at = growth[growth["radius"] == radius]
        rows = at.assign(low=at["ratio low"], best=at["ratio"], high=at["ratio high"], bits=-np.log2(at["eps"]))
        beside = 0.09 * (rows["bits"].rank(method="dense") - 2)  # points of equal v side by side
        rows["v"] = 1 / (1 + (1 / rows["v"] - 1) * np.exp(-beside))
        plot_estimates(rows, "v", by="bits", ax=ax, label=lambda b: eps_label(2.0**-b), ms=4)
        ax.axhline(proved, color="black", ls="--", lw=1.2)
        ax.text(2e-4, proved + 0.02, f"proved: {proved:g}")
        ax.set(title=f"targets {INTERVALS[radius]}", xlabel="covered fraction $v$", ylim=(0, 1.1), xscale="logit")
        ticks = {0.001: "0.001", 0.01: "0.01", 0.1: "0.1", 0.5: "0.5", 0.9: "0.9", 0.99: "0.99", 0.999: "0.999"}
        ax.set_xticks(list(ticks), list(ticks.values()))
        ax.minorticks_off()
        ax.set_ylabel(r"$\mathbf{E}[v_{t+1} - v_t \mid v_t] \;/\; v_t (1 - v_t)$")
    legend_outside(axes[1], title=r"$\varepsilon$")
    return figure


def draw_paths(tables: Tables) -> Figure:
    figure, axes = new_figure(1, 2, width=10.5, height=4.2)
    paths = tables["paths"]
    for ax, (radius, proved) in zip(axes, PROVED.items(), strict=True):
        groups = paths[paths["radius"] == radius].groupby("eps", sort=False)
        for colour, (_, rows) in zip(COLOURS, groups, strict=False):
            ax.fill_between(rows["n"], rows["low"], rows["high"], color=colour, alpha=0.2, lw=0)
            plot_line(rows, "n", "mean", ax=ax, color=colour, label=eps_label(rows["eps"].iloc[0]))
            plot_line(rows, "n", "promised", ax=ax, color=colour, ls="--", lw=1.1)
        ax.plot([], [], color="gray", ls="--", lw=1.1, label="$v_{t+1} = v_t + c\\, v_t (1 - v_t)$,\nproved $c$")
        ax.fill_between([], [], [], color="gray", alpha=0.3, label="half of the samples")
        title = f"targets {INTERVALS[radius]}, $c = {proved:g}$"
        ax.set(title=title, xlabel="$t$", ylabel="covered fraction $v_t$, mean")
    legend_outside(axes[1], title=r"$\varepsilon$")
    return figure


def _claimed(radius: float) -> tuple[Rows, Rows]:
    """The rows for a claim on the growth over one interval, and for the samples that follow from its constant."""
    interval = INTERVALS[radius]
    growth = Rows("growth", {"radius": radius, "filled": True}, measured=f"E[dv] in bins of v, targets {interval}")
    samples = Rows(
        "samples",
        {"radius": radius, "delta": 0.5},
        constants={"c": PROVED[radius]},
        measured=f"median n with 1 - v <= eps, targets {interval}",
    )
    return growth, samples


def findings(tables: Tables) -> list[str]:
    rows = tables["constants"]
    said = [
        f"{group['ratio'].min():.2f} to {group['ratio'].max():.2f} on {targets} ({group['proved'].iloc[0]:g} is proved)"
        for targets, group in rows.groupby("interval", sort=False)
    ]
    return [f"E[dv] is at least c v(1 - v) with c = {'; '.join(said)}."]


STUDY = Study(
    name="growth_lemma",
    question="How fast does the covered part of the targets grow with every further random number?",
    guise="scalar",
    plan=plan,
    analyse=analyse,
    tables={
        "constants": CONSTANTS,
        "growth": GROWTH + RATIOS + Schema(TRIALS, EPS) + INTERVAL + IDENTITY,
        # low, best and high are the quartiles of v
        "paths": PATHS + ENDS + Schema(EPS) + IDENTITY,
        "samples": REQUIRED,
    },
    claims={
        "esa-2023-growth": _claimed(1.0)[0],
        "growth-half": _claimed(0.5)[0],
        "growth-samples": tuple(_claimed(radius)[1] for radius in INTERVALS),
    },
    figures={"growth": draw_growth, "paths": draw_paths},
    show=("constants", "samples"),
    findings=findings,
)

if __name__ == "__main__":
    STUDY.main()
