"""How large is the smallest subset whose sum is within eps of a random target, and how often is there none?

Published with the code of Burkholz (ICML 2022): n = 15 numbers, one target uniform on [-1, 1], eps = 0.01, 100,000
runs, subsets tried by increasing size up to the first within eps. 404 targets were missed and the mean size was 2.29242
for numbers uniform on [-1, 1]; 3,552 and 2.37325 for products of two such numbers. The histograms count a missed target
with the size of its nearest subset.

Measured here: the same, by an exact search for the smallest subset; the same for other n and eps; beside it what the
covering law predicts without enumerating, and how often *some* target of [-1, 1] is missed, which is what the theorems
on all targets speak of.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

import rssp
from rssp.claims import claim
from rssp.inference import clopper_pearson, coverage
from rssp.laws import Law, Product
from rssp.laws.parse import identity_columns
from rssp.montecarlo import Coverage, Experiment, HittingTimes, SmallestSubsets
from rssp.prediction.covering_law import predicted_target_failure
from rssp.report import COLOURS, legend_outside, new_figure, plot_estimates, plot_line
from rssp.schemas import IDENTITY, INTERVAL, Column, Schema
from rssp.study import Context, Rows, Study, Tables, Task, option
from rssp.study.columns import EPS, TRIALS, N

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from rssp.trials import Trials

LAWS: dict[str, Law] = {"uniform": rssp.Uniform(), "product": Product()}
NUMBERS = {"uniform": "uniform numbers", "product": "products of two uniform numbers"}
BALL = rssp.Ball.interval(-1, 1)
N_PUBLISHED, EPS_PUBLISHED, RUNS = 15, 0.01, 100_000
"""of the published statistics"""
CURVE_N = (5, 7, 9, 11, 13, 15, 17, 19)
CURVE_EPS = (0.1, 0.03, 0.01, 0.003, 0.001)
COVERED_N = 24
SCALES = {"quick": (3_000, 20_000, 300), "standard": (20_000, 100_000, 1_000), "full": (100_000, 1_000_000, 4_000)}
"""trials of a point of the curves; of the covering at n = 15, eps = 0.01; samples of a prediction"""
PUBLISHED = {"uniform": "burkholz-2022", "product": "burkholz-2022-product"}
THREE_SIGMA = 0.9973
"""confidence of both histograms' intervals: many bins are compared at once"""
MEASURED: dict[str, Any] = {"confidence": 0.95, "evidence": "measured"}
FIRST_FOUND = 10_000
"""trials of the search that stops at the first subset within eps"""


@dataclass(frozen=True)
class Options:
    samples: int | None = option(None, "samples that the covering law averages over", least=1)


def plan(context: Context) -> Sequence[Task]:
    trials, covering, _ = SCALES[context.scale]
    seed = context.seed
    tasks = []
    for name, law in LAWS.items():
        for n in CURVE_N:
            for eps in CURVE_EPS:
                published = (n, eps) == (N_PUBLISHED, EPS_PUBLISHED)
                experiment = Experiment(law, BALL, SmallestSubsets(n, eps), seed)
                keys = {"part": "published" if published else "curves", "law": name}
                task = Task(f"{name}, n = {n}, eps = {eps:g}", experiment, max(RUNS * published, trials), keys)
                tasks.append(task)
        times = Experiment(law, BALL, HittingTimes(CURVE_EPS, n_max=COVERED_N), seed)
        tasks.append(Task(f"{name}, all targets", times, trials, {"part": "covering", "law": name}))
        every = Experiment(law, BALL, Coverage(N_PUBLISHED, EPS_PUBLISHED), seed)
        label = f"{name}, all targets, n = {N_PUBLISHED}"
        tasks.append(Task(label, every, covering, {"part": "every", "law": name}))
    return tasks


def analyse(runs: Mapping[str, Trials], context: Context) -> dict[str, pd.DataFrame]:
    tables: dict[str, list[pd.DataFrame]] = {name: [] for name in STUDY.tables}
    samples = context.options.samples or SCALES[context.scale][2]
    for name, law in LAWS.items():
        keys = {run: context.tasks[run].keys for run in runs}
        mine = [(keys[run]["part"], trials) for run, trials in runs.items() if keys[run]["law"] == name]
        (published,), (times,), (every,) = (
            [trials for part, trials in mine if part == wanted] for wanted in ("published", "covering", "every")
        )
        tables["curves"] += [_miss_and_size(trials) for part, trials in mine if part in ("curves", "published")]
        predicted = [_predicted(law, n, samples, context.seed) for n in CURVE_N]
        tables["predicted"] += predicted
        seen = coverage(times)
        tables["covering"].append(_failure(seen[seen["n"] > 0]))
        tables["histogram"].append(_histogram(name, published))
        rng = np.random.default_rng([context.seed, N_PUBLISHED])
        first = _first_found(law, N_PUBLISHED, EPS_PUBLISHED, min(FIRST_FOUND, published.trials), rng)
        tables["statistics"].append(_statistics(name, published, first))
        law_says = predicted[CURVE_N.index(N_PUBLISHED)]
        at = float(law_says.loc[law_says["eps"] == EPS_PUBLISHED, "best"].iloc[0])
        beside = _beside(every.table["covered"], at).assign(**identity_columns(law, BALL))
        tables["statistics"].append(beside.assign(targets=["one", "all"]))
    return {name: pd.concat(part, ignore_index=True) for name, part in tables.items()}


def _miss_and_size(trials: Trials) -> pd.DataFrame:
    """P(miss one target) with its exact 95 % interval, and the mean size of the subsets found."""
    table = trials.table
    missed, total = int((~table["solved"]).sum()), len(table)
    low, high = clopper_pearson(missed, total)
    sizes = table.loc[table["solved"], "size"]
    rows = [("P(miss one target)", float(low), missed / total, float(high), missed, total)]
    rows.append(("mean size", *_mean(sizes), len(sizes), total))
    seen = pd.DataFrame(rows, columns=["quantity", "low", "best", "high", "count", "trials"])
    m = trials.measurement
    return seen.assign(n=m.n, eps=m.eps, **MEASURED, **identity_columns(trials.law, BALL, "one"))


def _mean(values: pd.Series) -> tuple[float, float, float]:
    if len(values) < 2:
        return np.nan, float(values.mean()), np.nan
    mean, error = float(values.mean()), float(values.std()) / np.sqrt(len(values))
    return mean - 1.96 * error, mean, mean + 1.96 * error


def _failure(seen: pd.DataFrame) -> pd.DataFrame:
    fail = {"low": 1 - seen["high"], "best": 1 - seen["best"], "high": 1 - seen["low"]}
    return seen[list(COVERING.names)].assign(quantity="P(fail)", **fail)


def _predicted(law: Law, n: int, samples: int, seed: int) -> pd.DataFrame:
    """The covering law's P(miss one target), averaged over targets by quadrature on [0, 1]: both laws are even."""
    nodes, weights = np.polynomial.legendre.leggauss(6)
    parts = [
        predicted_target_failure(law, n, CURVE_EPS, (1 + node) / 2, samples=samples, seed=seed)["best"].to_numpy()
        for node in nodes
    ]
    best = weights / weights.sum() @ np.array(parts)
    table = pd.DataFrame({"n": n, "eps": CURVE_EPS, "quantity": "P(miss one target)", "best": best})
    return table.assign(evidence="predicted", **identity_columns(law, BALL, "one"))


def _histogram(law: str, trials: Trials) -> pd.DataFrame:
    """Fractions of runs by size, with the published ones; intervals of 99.73 %."""
    table, published = trials.table, claim(f"{PUBLISHED[law]}-sizes")
    size = np.arange(int(table["size"].max()) + 1 if len(table) else 1)
    size = np.arange(max(len(size), 13))
    known = size <= published.scope.ranges["size"][1]  # type: ignore[union-attr]  # of the catalogue
    claimed = np.full(len(size), np.nan)
    claimed[known] = published.bound(size=size[known])
    count = np.bincount(table["size"], minlength=len(size))
    low, high = clopper_pearson(count, len(table), confidence=THREE_SIGMA)
    columns = {"size": size, "count": count, "low": low, "best": count / len(table), "high": high}
    seen = pd.DataFrame({**columns, "published": claimed}).assign(quantity="fraction", confidence=THREE_SIGMA)
    return seen.assign(evidence="measured", **identity_columns(trials.law, BALL, "one"))


def _first_found(law: Law, n: int, eps: float, trials: int, rng: np.random.Generator, largest: int = 6) -> np.ndarray:
    """Distances of the first subsets within eps when subsets are tried by increasing size, in lexicographic order."""
    x = law.draw_many(trials, n, rng)[..., 0]
    z = BALL.draw(trials, rng)[:, 0]
    distance = np.where(np.abs(z) <= eps, np.abs(z), np.nan)
    for size in range(1, largest + 1):
        subsets = np.array(list(combinations(range(n), size)))
        todo = np.flatnonzero(np.isnan(distance))
        for rows in np.array_split(todo, max(1, len(todo) * subsets.size // 2**22)):
            away = np.abs(x[rows][:, subsets].sum(axis=2) - z[rows, None])
            first = away[np.arange(len(rows)), (away <= eps).argmax(axis=1)]
            distance[rows] = np.where(first <= eps, first, np.nan)
    return distance[~np.isnan(distance)]


_STATISTIC_COLUMNS = ["quantity", "low", "best", "high", "published", "published error", "trials"]


def _statistics(law: str, trials: Trials, first: np.ndarray) -> pd.DataFrame:
    """The published numbers beside ours; `published error` is that of 100,000 runs at 95 %."""
    table, own = trials.table, _miss_and_size(trials).set_index("quantity")
    sizes = table.loc[table["solved"], "size"]
    p = claim(f"{PUBLISHED[law]}-fail").bound()
    errors = {"fail": np.sqrt(p * (1 - p) / RUNS), "size": sizes.std() / np.sqrt(RUNS)}
    rows = []
    for short, quantity in (("fail", "P(miss one target)"), ("size", "mean size")):
        value = float(claim(f"{PUBLISHED[law]}-{short}").bound())
        at = own.loc[quantity]
        rows.append((quantity, at["low"], at["best"], at["high"], value, 1.96 * errors[short], len(table)))
    if law == "uniform":
        value = float(claim("burkholz-2022-mean-error").bound())
        error = 1.96 * first.std() / np.sqrt(RUNS)
        rows.append(("mean error", *_mean(pd.Series(first)), value, error, len(first)))
    result = pd.DataFrame(rows, columns=_STATISTIC_COLUMNS)
    own_error = (result["high"] - result["low"]) / 2 / 1.96
    apart: pd.Series = (result["best"] - result["published"]) / np.hypot(own_error, result["published error"] / 1.96)
    result = result.assign(**MEASURED, **identity_columns(trials.law, BALL, "one"))
    return result.assign(**{"standard errors apart": apart})


def _beside(covered: pd.Series, predicted: float) -> pd.DataFrame:
    """What was not published: the covering law's answer, and P(some target is missed)."""
    missed, total = int((~covered).sum()), len(covered)
    low, high = clopper_pearson(missed, total)
    rows = [
        ("P(miss one target), covering law", np.nan, predicted, np.nan),
        ("P(miss some target of [-1, 1])", float(low), missed / total, float(high)),
    ]
    table = pd.DataFrame(rows, columns=_STATISTIC_COLUMNS[:4]).assign(confidence=0.95)
    nothing = dict.fromkeys(("published", "published error", "standard errors apart"), np.nan)
    return table.assign(**nothing, evidence=["predicted", "measured"], trials=pd.Series([np.nan, total]))


def draw_histograms(tables: Tables) -> Figure:
    figure, axes = new_figure(1, 2, width=10, height=3.8)
    for ax, law in zip(axes, LAWS, strict=True):
        rows = tables["histogram"][tables["histogram"]["law"] == law]
        ax.bar(rows["size"], rows["published"], color=COLOURS[5], label="published, 100,000 runs")
        seen = rows[rows["count"] > 0].assign(series="measured here, 99.73 %")
        plot_estimates(seen, "size", by="series", ax=ax, colours=[COLOURS[1]], ms=4)
        ax.set(
            title=f"{NUMBERS[law]}, $n = {N_PUBLISHED}$, $\\varepsilon = {EPS_PUBLISHED:g}$",
            xlabel="size of the smallest subset",
        )
        ax.set(ylabel="fraction of runs", yscale="log", xticks=rows["size"])
    legend_outside(axes[1])
    return figure


def draw_curves(tables: Tables) -> Figure:
    figure, axes = new_figure(2, 2, width=10, height=7)
    curves, predicted, covering = tables["curves"], tables["predicted"], tables["covering"]
    for column, law in enumerate(LAWS):
        miss, size = axes[column], axes[2 + column]
        for eps, colour in zip(CURVE_EPS, COLOURS, strict=False):
            at = [t[(t["law"] == law) & (t["eps"] == eps)] for t in (curves, predicted, covering)]
            missed = at[0][(at[0]["quantity"] == "P(miss one target)") & (at[0]["count"] > 0)]
            plot_estimates(
                missed, "n", by="eps", ax=miss, colours=[colour], label=lambda e: f"$\\varepsilon = {e:g}$", ms=4
            )
            plot_line(at[1], "n", "best", ax=miss, color=colour, ls="--", lw=1)
            if eps == EPS_PUBLISHED:
                plot_line(at[2][at[2]["best"] > 0], "n", "best", ax=miss, color="black", lw=1.3)
            sizes = at[0][at[0]["quantity"] == "mean size"]
            plot_estimates(sizes, "n", ax=size, colours=[colour], line=True, ms=4, lw=1)
        miss.set(title=NUMBERS[law], xlabel="$n$", ylabel="$P$(target missed)", yscale="log", ylim=(1e-4, 1.3))
        size.set(xlabel="$n$", xticks=CURVE_N, ylabel="mean size of the smallest subset")
    axes[1].plot([], [], color="gray", ls="--", lw=1, label="covering law")
    axes[1].plot([], [], color="black", lw=1.3, label=rf"some target of [-1, 1], $\varepsilon = {EPS_PUBLISHED:g}$")
    legend_outside(axes[1], title="one random target")
    return figure


COVERING = Schema(N, EPS) + INTERVAL + IDENTITY
PUBLISHED_VALUE = Column("published", "float", meaning="the published number")
STATISTICS = Schema(
    PUBLISHED_VALUE,
    Column("published error", "float", meaning="1.96 standard errors of the published runs"),
    Column("trials", "float", meaning="runs, nan where nothing was drawn"),
    Column("standard errors apart", "float"),
)
SIZE = Column("size", "int", meaning="of the smallest subset")
COUNT = Column("count", "int", meaning="runs")
PREDICTED = Schema(N, EPS, *(c for c in INTERVAL if c.name in ("quantity", "best", "evidence")))


POINT = {"n": N_PUBLISHED, "eps": EPS_PUBLISHED}


def _claimed(law: str) -> dict[str, Rows]:
    """The rows for the three published numbers of one law."""
    id, where = PUBLISHED[law], f"{law}, n = {N_PUBLISHED}, eps = {EPS_PUBLISHED:g}"
    bins = {"law": law, "published": pd.Series.notna}
    found = {
        f"{id}-{short}": Rows(
            "statistics", {"law": law, "quantity": quantity}, add=POINT, measured=f"{quantity}, {where}"
        )
        for short, quantity in (("fail", "P(miss one target)"), ("size", "mean size"))
    }
    sizes = Rows("histogram", bins, add=POINT, measured=f"fraction by size, {law}")
    return found | {f"{id}-sizes": sizes}


def findings(tables: Tables) -> list[str]:
    rows = tables["statistics"]
    return [
        f"{len(rows)} published numbers measured again with {rows['trials'].max():.0f} trials: at most "
        f"{rows['standard errors apart'].abs().max():.1f} standard errors apart."
    ]


STUDY = Study(
    name="burkholz_statistics",
    question="How large is the smallest subset with a sum within eps of a random target, and how often is there none?",
    guise="scalar",
    plan=plan,
    analyse=analyse,
    tables={
        "statistics": STATISTICS + INTERVAL + IDENTITY,
        "histogram": Schema(SIZE, COUNT, PUBLISHED_VALUE) + INTERVAL + IDENTITY,
        "curves": Schema(N, EPS, COUNT, TRIALS) + INTERVAL + IDENTITY,
        "predicted": PREDICTED + IDENTITY,
        "covering": COVERING,
    },
    claims={
        **_claimed("uniform"),
        **_claimed("product"),
        "edge-mean-target": Rows(
            "curves", {"law": "uniform", "quantity": "P(miss one target)"}, measured="P(miss one target), uniform"
        ),
        "burkholz-2022-mean-error": Rows(
            "statistics", {"quantity": "mean error"}, add=POINT, measured="first subset found within 0.01, uniform"
        ),
    },
    options=Options,
    figures={"histograms": draw_histograms, "curves": draw_curves},
    show=("statistics",),
    findings=findings,
)

if __name__ == "__main__":
    STUDY.main()
