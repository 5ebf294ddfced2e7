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
from rssp.claims import check, claim
from rssp.inference import required_n
from rssp.inference.growth import covered_growth
from rssp.montecarlo import CoveredFractions, Experiment
from rssp.report import COLOURS, eps_label, legend_outside, new_figure, plot_estimates, plot_line
from rssp.study import Context, Study, Task
from rssp.trials import Trials

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from rssp.claims import Verdict

BALLS = {"[-1, 1]": rssp.Ball.interval(-1, 1), "[-1/2, 1/2]": rssp.Ball.interval(-0.5, 0.5)}
PROVED = {"[-1, 1]": ("esa-2023-growth", 0.25), "[-1/2, 1/2]": ("growth-half", 0.5)}
SCALES = {"quick": ((4, 8, 12), 2000), "standard": ((4, 8, 12, 14), 20_000), "full": ((4, 8, 12, 16), 100_000)}
"""eps = 2 to the minus these; trials at the coarsest"""
EDGES = (0, 0.001, 0.01, 0.03, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.97, 0.99, 0.999, 1)
"""bins of v, narrow at both ends"""
DELTAS = (0.5, 0.1)


def plan(scale: str, seed: int) -> Sequence[Task]:
    tasks = []
    for interval, bits in _pairs(scale):
        experiment = Experiment(rssp.Uniform(), BALLS[interval], CoveredFractions(2.0**-bits, _n_max(bits)), seed=seed)
        tasks.append(Task(f"{interval}, eps 2^-{bits}", experiment, SCALES[scale][1] * 4 // bits))
    return tasks


def _pairs(scale: str) -> list[tuple[str, int]]:
    return [(interval, bits) for interval in BALLS for bits in SCALES[scale][0]]


def _n_max(bits: int) -> int:
    return int(1.3 * bits) + 14


def analyse(trials: Mapping[str, Trials], context: Context) -> dict[str, pd.DataFrame]:
    parts: dict[str, list[pd.DataFrame]] = {"growth": [], "paths": [], "samples": []}
    for interval, bits in _pairs(context.scale):
        table = trials[f"{interval}, eps 2^-{bits}"].table
        v = table["v"].to_numpy().reshape(-1, _n_max(bits))
        keys: dict[str, Any] = {"targets": interval, "eps": 2.0**-bits}
        parts["growth"].append(_growth(v).assign(**keys))
        parts["paths"].append(_path(v, PROVED[interval][1]).assign(**keys))
        parts["samples"].append(_samples(v, 2.0**-bits).assign(targets=interval))
    tables = {name: pd.concat(part, ignore_index=True) for name, part in parts.items()}
    return {**tables, "constants": _constants(tables["growth"])}


def _growth(v: np.ndarray) -> pd.DataFrame:
    """The constant in each bin of v, and E[dv] = constant v (1 - v) at the bin's middle in log(v / (1 - v))."""
    seen = covered_growth(v, bins=EDGES)
    inner = seen["v_low"].to_numpy()[1:]
    odds = inner / (1 - inner)
    odds = np.concatenate([odds[:1] / 9, odds, odds[-1:] * 9])
    middle = 1 / (1 + 1 / np.sqrt(odds[:-1] * odds[1:]))
    table = pd.DataFrame({"v": middle, "c_low": seen.low, "c": seen.best, "c_high": seen.high, "trials": seen.trials})
    for name, column in (("low", "c_low"), ("best", "c"), ("high", "c_high")):
        table[name] = table[column] * middle * (1 - middle)
    return table


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
    return required_n(Trials.of(times, n_max=v.shape[1]), delta=DELTAS)


def _well_filled(growth: pd.DataFrame) -> pd.DataFrame:
    """The bins with 100 trials or more (or half of the run's, if these are fewer): their intervals are normal ones."""
    return growth[growth["trials"] >= min(100, growth["trials"].max() / 2)]


def _constants(growth: pd.DataFrame) -> pd.DataFrame:
    """The smallest constant over the bins: the true one of the lemma, with what is proved."""
    rows = _well_filled(growth)
    smallest = rows.loc[rows.groupby(["targets", "eps"], sort=False)["c"].idxmin()]
    shown = smallest[["targets", "eps", "v", "c_low", "c", "c_high", "trials"]].rename(columns={"v": "at v"})
    return shown.assign(proved=[PROVED[name][1] for name in shown["targets"]]).reset_index(drop=True)


def judge(tables: Mapping[str, pd.DataFrame]) -> list[Verdict]:
    growth, samples = _well_filled(tables["growth"]), tables["samples"]
    verdicts = []
    for targets, (name, constant) in PROVED.items():
        at = growth[growth["targets"] == targets]
        verdicts.append(check(claim(name), at, measured=f"E[dv] in bins of v, targets {targets}"))
        half = samples[(samples["targets"] == targets) & (samples["delta"] == 0.5)]
        label = f"median n with 1 - v <= eps, targets {targets}"
        verdicts.append(check(claim("growth-samples"), half, measured=label, c=constant))
    return verdicts


def draw_growth(tables: Mapping[str, pd.DataFrame]) -> Figure:
    figure, axes = new_figure(1, 2, width=10.5, height=4.2)
    growth = _well_filled(tables["growth"])
    for ax, (targets, (_, proved)) in zip(axes, PROVED.items(), strict=True):
        at = growth[growth["targets"] == targets]
        rows = at.assign(low=at["c_low"], best=at["c"], high=at["c_high"], bits=-np.log2(at["eps"]))
        beside = 0.09 * (rows["bits"].rank(method="dense") - 2)  # points of equal v side by side
        rows["v"] = 1 / (1 + (1 / rows["v"] - 1) * np.exp(-beside))
        plot_estimates(rows, "v", by="bits", ax=ax, label=lambda b: eps_label(2.0**-b), ms=4)
        ax.axhline(proved, color="black", ls="--", lw=1.2)
        ax.text(2e-4, proved + 0.02, f"proved: {proved:g}")
        ax.set(title=f"targets {targets}", xlabel="covered fraction $v$", ylim=(0, 1.1), xscale="logit")
        ticks = {0.001: "0.001", 0.01: "0.01", 0.1: "0.1", 0.5: "0.5", 0.9: "0.9", 0.99: "0.99", 0.999: "0.999"}
        ax.set_xticks(list(ticks), list(ticks.values()))
        ax.minorticks_off()
        ax.set_ylabel(r"$\mathbf{E}[v_{t+1} - v_t \mid v_t] \;/\; v_t (1 - v_t)$")
    legend_outside(axes[1], title=r"$\varepsilon$")
    return figure


def draw_paths(tables: Mapping[str, pd.DataFrame]) -> Figure:
    figure, axes = new_figure(1, 2, width=10.5, height=4.2)
    paths = tables["paths"]
    for ax, (targets, (_, proved)) in zip(axes, PROVED.items(), strict=True):
        groups = paths[paths["targets"] == targets].groupby("eps", sort=False)
        for colour, (_, rows) in zip(COLOURS, groups, strict=False):
            ax.fill_between(rows["n"], rows["low"], rows["high"], color=colour, alpha=0.2, lw=0)
            plot_line(rows, "n", "mean", ax=ax, color=colour, label=eps_label(rows["eps"].iloc[0]))
            plot_line(rows, "n", "promised", ax=ax, color=colour, ls="--", lw=1.1)
        ax.plot([], [], color="gray", ls="--", lw=1.1, label="$v_{t+1} = v_t + c\\, v_t (1 - v_t)$,\nproved $c$")
        ax.fill_between([], [], [], color="gray", alpha=0.3, label="half of the samples")
        ax.set(title=f"targets {targets}, $c = {proved:g}$", xlabel="$t$", ylabel="covered fraction $v_t$, mean")
    legend_outside(axes[1], title=r"$\varepsilon$")
    return figure


STUDY = Study(
    name="growth_lemma",
    question="How fast does the covered part of the targets grow with every further random number?",
    plan=plan,
    analyse=analyse,
    judge=judge,
    figures={"growth": draw_growth, "paths": draw_paths},
    show=("constants", "samples"),
)

if __name__ == "__main__":
    STUDY.main()
