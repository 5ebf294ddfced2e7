"""Does the covering law predict the measurement, without enumerating a single sum?

The law: given a sample, its 2^n subset sums look like a Poisson process whose intensity is 2^n times the density of a
random subset's sum; every target is then covered at eps with probability exp(-mu), mu the expected number of clumps of
uncovered targets, and averaging over samples gives P(cover) (`rssp.prediction.covering_law`, with its derivation).

Held against the exact measurement: P(cover at n, eps) for dimensions 1 to 4 and uniform, normal and normally-scaled
vectors, at the measured quantiles of the covering radius; n*(eps) with the predicted curve through it, which is not
fitted; the covering radius of single samples, predicted against measured, with their rank correlation; and one target's
failure against the closed forms of the Poisson heuristic.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy.stats import spearmanr

import rssp
from rssp.inference import clopper_pearson, interpolated_crossing, required_n
from rssp.laws.parse import identity_columns
from rssp.montecarlo import CoveringProfiles, Experiment, rebuild_trial
from rssp.prediction.covering_law import predicted_coverage, predicted_radius, predicted_target_failure
from rssp.report import COLOURS, legend_outside, new_figure, plot_estimates
from rssp.schemas import IDENTITY, INTERVAL, Column, Schema
from rssp.study import Context, Rows, Study, Tables, Task, option
from rssp.study.columns import DELTA, EPS, REQUIRED, TRIALS, D, N, Z
from rssp.subsetsum.nearest.verbs import hits

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from rssp.trials import Trials

LEVELS = (0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.98)
LAWS = {
    "uniform": lambda d: rssp.Uniform(dim=d),
    "normal": lambda d: rssp.Normal(dim=d),
    "normally-scaled-normal": rssp.NormallyScaledNormal,
}
"""by the texts that tables have in their column law"""
LABELS = {"uniform": "uniform", "normal": "normal", "normally-scaled-normal": "normally-scaled"}
PREDICTED = {"confidence": 0.95, "evidence": "predicted"}
BITS = tuple(range(3, 14))
"""eps = 2 to the minus these, for the curve of n* in one dimension"""
TARGET, TARGET_EPS = 0.37, 0.01
# (dimension, n): trials, predicted samples
GRIDS = {
    "quick": {(1, 14): (1000, 300), (1, 18): (500, 300), (2, 16): (100, 60), (3, 18): (40, 40)},
    "standard": {
        (1, 12): (8000, 1000),
        (1, 14): (8000, 1000),
        (1, 16): (8000, 1000),
        (1, 18): (8000, 1000),
        (1, 20): (4000, 1000),
        (2, 16): (600, 200),
        (2, 20): (300, 200),
        (3, 18): (300, 100),
        (3, 20): (150, 100),
        (4, 20): (80, 60),
    },
}
GRIDS["full"] = {key: (5 * a, 2 * b) for key, (a, b) in GRIDS["standard"].items()} | {(4, 22): (200, 200)}
CURVE = "curve"
"""the task of the curve n*(eps)"""
MEASURED = {"confidence": 0.95, "evidence": "measured"}
DRAWN = {"quick": 1000, "standard": 10_000, "full": 100_000}
"""samples for one target's failure"""
RADII = {"quick": 60, "standard": 100, "full": 1000}


@dataclass(frozen=True)
class Options:
    largest: int | None = option(None, "largest dimension", least=1)
    samples: int | None = option(None, "samples that a prediction averages over", least=1)
    radii: int | None = option(None, "samples whose radius is predicted", least=2)


def _grid(context: Context) -> dict[tuple[int, int], tuple[int, int]]:
    """Trials and predicted samples by dimension and n."""
    options = context.options
    return {
        (d, n): (trials, options.samples or samples)
        for (d, n), (trials, samples) in GRIDS[context.scale].items()
        if d <= (options.largest or d)
    }


def plan(context: Context) -> Sequence[Task]:
    grid, seed = _grid(context), context.seed
    tasks = []
    for (d, n), (trials, samples) in grid.items():
        for name, make in LAWS.items():
            measurement = CoveringProfiles(n_max=n, n_min=n, resolution=0.02)
            experiment = Experiment(make(d), rssp.Ball(d), measurement, seed)
            tasks.append(Task(f"{LABELS[name]}, d = {d}, n = {n}", experiment, trials, {"samples": samples}))
    trials = max(a for a, _ in grid.values())
    curve = CoveringProfiles(n_max=20, n_min=3)
    tasks.append(Task(CURVE, Experiment(rssp.Uniform(), rssp.Ball(), curve, seed), min(trials, 4000)))
    return tasks


def analyse(runs: Mapping[str, Trials], context: Context) -> dict[str, pd.DataFrame]:
    agreement, radii = [], []
    for name, trials in runs.items():
        if name == CURVE:
            continue
        task, table = context.tasks[name], trials.table
        keys: dict[str, Any] = {"n": trials.n_max, **identity_columns(trials.law, trials.ball)}
        agreement.append(_agreement(table, task.experiment, task.keys["samples"]).assign(**keys))
        radii.append(_radii(table, task.experiment, context.options.radii or RADII[context.scale]).assign(**keys))
    joined, both = pd.concat(agreement, ignore_index=True), pd.concat(radii, ignore_index=True)
    samples = _grid(context)[1, 14][1]
    curve = _curve(runs[CURVE], min(samples, 500))
    return {
        "summary": _summary(joined, both),
        "agreement": joined,
        "radii": both,
        "curve": curve,
        "difference": _difference(curve),
        "target": _target(samples, DRAWN[context.scale], context.seed),
        "threshold": _threshold(samples, DRAWN[context.scale], context.seed),
    }


def _agreement(table: pd.DataFrame, experiment: Experiment, samples: int) -> pd.DataFrame:
    """Measured and predicted P(cover) at the measured quantiles of the radius."""
    radius = (table["lower"] + table["upper"]).to_numpy() / 2
    eps = np.unique(np.quantile(radius, LEVELS, method="inverted_cdf"))
    hits = (radius[:, None] <= eps).sum(axis=0)
    low, high = clopper_pearson(hits, len(radius))
    n = experiment.measurement.sample_size
    seen = predicted_coverage(experiment.law, n, eps, experiment.ball, samples=samples, seed=experiment.seed)
    measured = {"eps": eps, "low": low, "best": hits / len(radius), "high": high, "trials": len(radius)}
    both = pd.DataFrame(measured | {"predicted": seen["best"], "predicted_error": seen["error"]})
    return both.assign(quantity="P(cover)", confidence=0.95, evidence="measured")


def _radii(table: pd.DataFrame, experiment: Experiment, count: int) -> pd.DataFrame:
    """Predicted (median) and measured radius of the same samples."""
    rows = table.head(count)
    pairs = zip(rows["batch"], rows["trial"], strict=True)
    samples = np.stack([rebuild_trial(experiment, int(b), int(t)) for b, t in pairs])
    predicted = predicted_radius(samples, experiment.ball)
    return pd.DataFrame({"measured": ((rows["lower"] + rows["upper"]) / 2).to_numpy(), "predicted": predicted})


def _summary(agreement: pd.DataFrame, radii: pd.DataFrame) -> pd.DataFrame:
    """What a run prints: the largest difference of P, the standard error of such a difference, the rank correlation."""
    rows = []
    for (law, d, n), part in agreement.groupby(["law", "d", "n"], sort=False):
        gap = (part["predicted"] - part["best"]).to_numpy()
        inside = part["best"].between(0.05, 0.98).to_numpy()
        worst = int(np.abs(np.where(inside, gap, 0)).argmax())
        noise = np.sqrt(part["best"] * (1 - part["best"]) / part["trials"] + part["predicted_error"] ** 2)
        pair = radii[(radii["law"] == law) & (radii["d"] == d) & (radii["n"] == n)]
        correlation = spearmanr(pair["measured"], pair["predicted"]).statistic
        row = {"law": law, "d": d, "n": n, "trials": part["trials"].iloc[0], "largest difference": gap[worst]}
        rows.append(
            row
            | {
                "at P": part["best"].iloc[worst],
                "its error": float(np.asarray(noise)[worst]),
                "rank corr.": correlation,
            }
        )
    return pd.DataFrame(rows)


def _curve(trials: Trials, samples: int) -> pd.DataFrame:
    """n*(eps, 1/2) of uniform numbers, interpolated alike from the measured and from the predicted P."""
    eps = np.array([2.0**-b for b in BITS])
    n = np.arange(3, 21)
    seen = [predicted_coverage(rssp.Uniform(), int(k), eps, rssp.Ball(), samples=samples, seed=1) for k in n]
    best, error = np.array([p["best"] for p in seen]), np.array([p["error"] for p in seen])
    curves = [np.maximum.accumulate(np.clip(best + z * error, 0, 1), axis=0) for z in (1.96, 0.0, -1.96)]
    rows = []
    for delta in (0.5, 0.1):
        table_rows = required_n(trials, eps, delta, interpolated=True)
        low, middle, high = (
            np.array([interpolated_crossing(n, p[:, i], 1 - delta) for i in range(len(eps))]) for p in curves
        )
        reached = np.isfinite(high)
        width = np.where(reached, high, 0.0) - np.where(reached, low, 0.0)
        rows.append(table_rows.assign(predicted=middle, predicted_error=np.where(reached, width / 2, np.nan)))
    return pd.concat(rows, ignore_index=True)


def _difference(curve: pd.DataFrame) -> pd.DataFrame:
    """Measured less predicted n*, where both are reached; the interval holds the error of the prediction as well."""
    rows = curve[np.isfinite(curve["predicted"] + curve["predicted_error"]) & np.isfinite(curve["best"])]
    middle, error = rows["predicted"], rows["predicted_error"]
    ends = {"low": rows["low"] - middle - error, "best": rows["best"] - middle, "high": rows["high"] - middle + error}
    return rows[list(DIFFERENCE.names)].assign(quantity="n* less its prediction", **ends)


def _target(samples: int, drawn: int, seed: int) -> pd.DataFrame:
    """P(no sum of a subset, the empty one aside, within eps of z): measured by counting hits, and predicted."""
    rows = []
    for name, d, z in (("uniform", 1, TARGET), ("normal", 2, 0.0)):
        law = LAWS[name](d)
        for n in (10, 12, 14, 16):
            eps = TARGET_EPS if d == 1 else 0.1
            key = {
                "quantity": "P(miss one target)",
                "n": n,
                "eps": eps,
                "z": z,
                **identity_columns(law, rssp.Ball(d), "one"),
            }
            missed = _missed(law, n, eps, z, drawn, seed)
            low, high = (float(end) for end in clopper_pearson(missed, drawn))
            rows.append(key | {"low": low, "best": missed / drawn, "high": high} | MEASURED)
            seen = predicted_target_failure(law, n, eps, np.full(d, z), samples=samples)
            ends = {end: float(seen[end].iloc[0]) for end in ("low", "best", "high")}
            rows.append(key | ends | PREDICTED)
    return pd.DataFrame(rows)


def _missed(law: rssp.Law, n: int, eps: float, z: float, drawn: int, seed: int) -> int:
    """How many of the samples drawn have no subset but the empty one with a sum within eps of z."""
    rng = np.random.default_rng([seed, n, law.dim, round(1 / eps)])
    least = 1 if abs(z) <= eps else 0  # the empty subset hits a target at 0
    missed = 0
    for start in range(0, drawn, 1000):
        x = np.stack([law.draw(n, rng) for _ in range(min(1000, drawn - start))])
        missed += int((hits(x, np.full((len(x), law.dim), z), eps) <= least).sum())
    return missed


def _threshold(samples: int, drawn: int, seed: int) -> pd.DataFrame:
    """The real n at which P(a sum within eps of 0) reaches 1 - delta: measured, and predicted."""
    rows = []
    # the density of the sums needs several vectors a dimension before it means anything
    for name, d, delta, bits in (("uniform", 1, 0.5, (6, 9, 12)), ("normal", 2, 0.344, (4, 5, 6))):
        law = LAWS[name](d)
        eps = np.array([2.0**-b for b in bits])
        n = np.arange(5 * d, 12 + 9 * d)
        seen = [predicted_target_failure(law, int(k), eps, np.zeros(d), samples=samples) for k in n]
        best, error = np.array([p["best"] for p in seen]), np.array([p["error"] for p in seen])
        hit = [np.maximum.accumulate(1 - best + z * error, axis=0).clip(0, 1) for z in (1.96, 0.0, -1.96)]
        for i, e in enumerate(eps):
            key = {"quantity": "n* (one target)", "eps": e, "z": 0.0, "delta": delta}
            key |= identity_columns(law, rssp.Ball(d), "one")
            around = n[np.abs(n - interpolated_crossing(n, hit[1][:, i], 1 - delta)) < 2.5]
            missed = np.array([_missed(law, int(k), float(e), 0.0, drawn, seed) for k in around])
            low, high = clopper_pearson(drawn - missed, drawn)
            measured = (np.maximum.accumulate(p) for p in (high, 1 - missed / drawn, low))
            for curves, grid, rest in ((measured, around, MEASURED), ((p[:, i] for p in hit), n, PREDICTED)):
                ends = [interpolated_crossing(grid, p, 1 - delta) for p in curves]
                rows.append(key | dict(zip(("low", "best", "high"), ends, strict=True)) | rest)
    return pd.DataFrame(rows)


def draw_agreement(tables: Tables) -> Figure:
    """Predicted against measured P, a panel a law."""
    figure, axes = new_figure(1, 3, width=11.0, height=4.0)
    table = tables["agreement"]
    groups = sorted({(int(d), int(n)) for d, n in zip(table["d"], table["n"], strict=True)})
    for ax, law in zip(axes, LAWS, strict=True):
        ax.plot([0, 1], [0, 1], color="black", lw=0.8)
        for i, (d, n) in enumerate(groups):
            rows = table[(table["law"] == law) & (table["d"] == d) & (table["n"] == n)]
            plot_estimates(rows, "predicted", ax=ax, colours=[COLOURS[i % 8]], marker="os^D"[d - 1], ms=4)
        ax.set(
            title=LABELS[law],
            xlabel="predicted $P$(cover)",
            ylabel="measured $P$(cover)",
            xlim=(-0.03, 1.03),
            ylim=(-0.03, 1.03),
        )
    _key(axes[-1], groups)
    return figure


def _key(ax: Axes, groups: Sequence[tuple[int, int]]) -> None:
    from matplotlib.lines import Line2D

    handles = [
        Line2D([], [], color=COLOURS[i % 8], marker="os^D"[int(d) - 1], ls="", label=f"$d = {d}$, $n = {n}$")
        for i, (d, n) in enumerate(groups)
    ]
    legend_outside(ax, handles=handles)


def draw_curve(tables: Tables) -> Figure:
    figure, (ax,) = new_figure(width=6.8, height=4.4)
    table = tables["curve"].assign(bits=lambda t: -np.log2(t["eps"]))
    for colour, (delta, rows) in zip(COLOURS, table.groupby("delta", sort=False), strict=False):
        plot_estimates(rows, "bits", ax=ax, colours=[colour])
        reached = rows[np.isfinite(rows["predicted"])]
        ax.plot(reached["bits"], reached["predicted"], color=colour, label=rf"covering law, $\delta = {delta:g}$")
    ax.set(xlabel=r"$\log_2(1/\varepsilon)$", ylabel=r"$n^*(\varepsilon, \delta)$")
    ax.set_title("uniform numbers, targets $[-1, 1]$: measured points, predicted lines")
    legend_outside(ax)
    return figure


def draw_radii(tables: Tables) -> Figure:
    """Measured against predicted radius of single samples, at the largest n of each dimension."""
    table = tables["radii"]
    largest = table.groupby("d")["n"].max()
    figure, axes = new_figure(1, len(largest), width=3.4 * len(largest) + 1.6, height=3.8)
    for ax, (d, n) in zip(axes, largest.items(), strict=True):
        for i, law in enumerate(LAWS):
            rows = table[(table["law"] == law) & (table["d"] == d) & (table["n"] == n)]
            ax.plot(rows["predicted"], rows["measured"], ".", color=COLOURS[i], ms=3, label=LABELS[law])
        ends = table.loc[(table["d"] == d) & (table["n"] == n), ["measured", "predicted"]]
        span = [float(ends.min().min()), float(ends.max().max())]
        ax.plot(span, span, color="black", lw=0.8)
        ax.set(
            xscale="log",
            yscale="log",
            xlabel="predicted radius",
            ylabel="measured radius",
            title=f"$d = {d}$, $n = {n}$",
        )
    legend_outside(axes[-1])
    return figure


SUMMARY = Schema(
    Column("law", "text"),
    D,
    N,
    TRIALS,
    Column("largest difference", "float", meaning="predicted less measured P(cover), P from 0.05 to 0.98"),
    Column("at P", "float", meaning="the measured one there"),
    Column("its error", "float", meaning="standard error of the difference"),
    Column("rank corr.", "float", meaning="of predicted and measured radii"),
)
PREDICTION = Schema(
    Column("predicted", "float", meaning="the covering law's value of the same quantity"),
    Column("predicted_error", "float", meaning="of the prediction's average over samples"),
)
RADIUS = Schema(
    Column("measured", "float", meaning="covering radius of a sample"),
    Column("predicted", "float", meaning="its median by the covering law"),
    N,
)
DIFFERENCE = Schema(EPS, DELTA) + INTERVAL + IDENTITY


def _one_target(law: str) -> dict[str, Rows]:
    """The rows for what the heuristic with the normal density says of one target."""
    id = {"uniform": "poisson", "normal": "normal"}[law]
    return {
        f"{id}-one-target": Rows("target", {"law": law}, measured="P(miss one target)"),
        f"{id}-threshold": Rows("threshold", {"law": law}, measured=f"n* (one target), {law}"),
    }


def findings(tables: Tables) -> list[str]:
    rows = tables["agreement"]
    apart = (rows["predicted"] - rows["best"]).abs().groupby([rows["d"], rows["law"]]).max()
    largest = [f"{apart[d].min():.2f} to {apart[d].max():.2f} for d = {d}" for d in rows["d"].unique()]
    return [f"Largest differences between predicted and measured probability, over the laws: {'; '.join(largest)}."]


STUDY = Study(
    name="covering_law",
    question="Does the covering law predict the measurement, without enumerating a single sum?",
    guise="vector",
    plan=plan,
    analyse=analyse,
    tables={
        "summary": SUMMARY,
        "agreement": Schema(EPS, N, TRIALS) + PREDICTION + INTERVAL + IDENTITY,
        "radii": RADIUS + IDENTITY,
        "curve": REQUIRED + PREDICTION,
        "difference": DIFFERENCE,
        "target": Schema(N, EPS, Z) + INTERVAL + IDENTITY,
        "threshold": Schema(EPS, DELTA, Z) + INTERVAL + IDENTITY,
    },
    claims={
        "poisson-cover": Rows("agreement", {"law": "uniform", "d": 1}, measured="P(cover), uniform, [-1, 1]"),
        "covering-law": Rows("difference", measured="n* interpolated, uniform, [-1, 1]"),
        **_one_target("uniform"),
        **_one_target("normal"),
    },
    options=Options,
    figures={"agreement": draw_agreement, "curve": draw_curve, "radii": draw_radii},
    show=("summary",),
    findings=findings,
)

if __name__ == "__main__":
    STUDY.main()
