"""How many vectors does the second moment method need, and how far is it from the truth?

All theorems on random subset sums in d dimensions and on subsets of a fixed size rest on one inequality: if Y counts
the k-subsets with a sum within eps of a target, P(Y > 0) >= E[Y]^2 / E[Y^2]. The papers bound the two moments, and
arrive at n of order d^3 (Becchetti et al., 2022: normal vectors) and d^6 (da Cunha et al., 2023: normally-scaled normal
vectors), with open constants; for numbers, at n H2(k/n) >= C log2(k/eps) (Natale et al., 2024).

Here the moments are computed, not bounded: the smallest n with E[Y^2] <= 2 E[Y]^2 for some k, so that one target is hit
with probability 1/2, for d = 1 to 32, beside d log2(1/eps), which counting demands. And measured: how often subsets of
k of n uniform numbers do hit a target, beside the second moment's lower bound, and whether n H2(k/n) - log2(k/eps)
alone decides; and the moments themselves for small samples.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

import rssp
from rssp.claims import claim
from rssp.inference import clopper_pearson, moment_ratio
from rssp.laws.parse import identity_columns
from rssp.montecarlo import Experiment, FixedSizeHits
from rssp.prediction.moments import minimal_n, subset_moments
from rssp.report import COLOURS, eps_label, legend_outside, new_figure, plot_estimates
from rssp.schemas import IDENTITY, INTERVAL, Column, Schema
from rssp.study import Context, Rows, Study, Tables, Task, exactly, option
from rssp.study.columns import EPS, RESTS, TRIALS, K, N, Z

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from rssp.trials import Trials

ERROR = 0.01
NORMAL, SCALED = "normal", "normally-scaled-normal"
LAWS = {NORMAL: rssp.Normal, SCALED: rssp.NormallyScaledNormal}
"""by the texts that tables have in their column law"""
LABELS = {NORMAL: "normal", SCALED: "normally-scaled"}
DIMS: dict[str, dict[str, tuple[int, ...]]] = {
    "quick": {NORMAL: (1, 2, 3, 4, 6, 8, 12, 16), SCALED: (1, 2, 3, 4)},
    "standard": dict.fromkeys(LAWS, (1, 2, 3, 4, 6, 8, 12, 16, 24, 32)),
    "full": dict.fromkeys(LAWS, (1, 2, 3, 4, 6, 8, 12, 16, 24, 32)),
}
SAMPLES = {"quick": 400, "standard": 4000, "full": 40_000}
MEASURED: dict[str, Any] = {"confidence": 0.95, "evidence": "measured"}
COMPUTED: dict[str, Any] = {"confidence": 0.95, "evidence": "computed"}
THREE_SIGMA = 0.9973
SCALAR_EPS = (2.0**-6, 2.0**-10)
SHARES = {"1/2": (1, 2, range(6, 25, 2)), "1/4": (1, 4, range(8, 29, 4)), "1/8": (1, 8, range(16, 41, 8))}
"""k/n, and the n that are tried"""
RATIOS = ((1, 14, 5, 0.05), (2, 14, 4, 0.1), (3, 14, 5, 0.2))
"""d, n, k, eps of normal vectors whose moments are measured"""


@dataclass(frozen=True)
class Options:
    largest: int | None = option(None, "largest dimension of a guarantee", least=1)


def _target(k: int) -> float:
    """Inside the interval [-sqrt(k), sqrt(k)] of the theorem, at a quarter of its length from the end."""
    return round(math.sqrt(k) / 2, 6)


def plan(context: Context) -> Sequence[Task]:
    scale, seed = context.scale, context.seed
    tasks = []
    for name, (part, whole, numbers) in SHARES.items():
        for n in numbers:
            for eps in SCALAR_EPS:
                k = n * part // whole
                experiment = Experiment(rssp.Uniform(), rssp.Ball(1), FixedSizeHits(n, k, eps, _target(k)), seed=seed)
                task = Task(f"k/n = {name}, n {n}, eps {eps:g}", experiment, _few(scale, n), {"k/n": name})
                tasks.append(task)
    for d, n, k, eps in RATIOS:
        experiment = Experiment(rssp.Normal(dim=d), rssp.Ball(d), FixedSizeHits(n, k, eps), seed=seed)
        tasks.append(Task(f"normal, d {d}", experiment, SAMPLES[scale] * 4 // d**2))
    return tasks


def _few(scale: str, n: int) -> int:
    """A trial costs 2^(n/2) additions: fewer for n above 24."""
    return max(SAMPLES[scale] // 20, SAMPLES[scale] >> max(0, (n - 24) // 2))


def analyse(runs: Mapping[str, Trials], context: Context) -> dict[str, pd.DataFrame]:
    largest = context.options.largest or max(max(dims) for dims in DIMS[context.scale].values())
    dims = {law: [d for d in of_law if d <= largest] for law, of_law in DIMS[context.scale].items()}
    shares = {name: context.tasks[name].keys.get("k/n", "") for name in runs}
    hits = pd.DataFrame([_hit_row(trials, shares[name]) for name, trials in runs.items() if shares[name]])
    thresholds = pd.concat([_threshold(rows) for _, rows in hits.groupby(["k/n", "eps"], sort=False)])
    return {
        "guarantees": pd.concat([_guarantees(law, of_law) for law, of_law in dims.items()]),
        "hits": hits,
        "ratios": pd.DataFrame([_ratio_row(trials) for name, trials in runs.items() if not shares[name]]),
        "thresholds": thresholds,
        "choices": _choices(thresholds),
        "sizes": _sizes(),
        "limit": _limit(),
    }


def _guarantees(law: str, dims: Sequence[int]) -> pd.DataFrame:
    """The smallest n whose k-subsets hit one target with probability 1/2 by the second moment, beside the theorems."""
    rows = []
    for d in dims:
        found = minimal_n(LAWS[law](dim=d), ERROR)
        counting = d * math.log2(1 / ERROR)
        rows.append((ERROR, found.n, found.k, found.k / found.n, found.ratio, counting, found.n / counting))
    names = ["eps", "n", "k", "k/n", "E[Y^2]/E[Y]^2", "d log2(1/eps)", "n over it"]
    table = pd.DataFrame(rows, columns=names).assign(evidence="computed")
    known = pd.DataFrame([identity_columns(LAWS[law](dim=d), rssp.Ball(d), "one") for d in dims])
    table = pd.concat([known, table], axis=1)
    return table.assign(
        theorem=_theorem(law, table["d"]) * table["n"].iloc[0] / _theorem(law, table["d"].iloc[:1]).iloc[0]
    )


def _theorem(law: str, d: pd.Series) -> pd.Series:
    """The theorem's polynomial with C = 1."""
    name = {NORMAL: "becchetti-2022", SCALED: "da-cunha-2023-one-target"}[law]
    return pd.Series(claim(name).bound(d=d.to_numpy(dtype=float), eps=ERROR, C=1.0))


def _hit_row(trials: Trials, name: str) -> dict[str, object]:
    table, m = trials.table, trials.measurement
    n, k, eps = m.n, m.size, m.eps
    hit, total = int((table["hits"] > 0).sum()), len(table)
    low, high = (float(end) for end in clopper_pearson(hit, total))
    entropy = _bits_of_choice(n, k)
    moments = subset_moments(rssp.Uniform(), n, k, eps, _target(k))
    return {
        "k/n": name,
        "eps": eps,
        "n": n,
        "k": k,
        "target": _target(k),
        "low": low,
        "best": hit / total,
        "high": high,
        "second moment": moments.hit_probability,
        "E[Y^2]/E[Y]^2": moments.ratio,
        "n H2(k/n)": entropy,
        "n H2(k/n) - log2(k/eps)": entropy - math.log2(k / eps),
        "trials": total,
        "quantity": "P(hit)",
        **MEASURED,
        **identity_columns(trials.law, trials.ball, "one"),
    }


def _bits_of_choice(n: int, k: int) -> float:
    if not 0 < k < n:
        return 0.0
    share = k / n
    return -n * (share * math.log2(share) + (1 - share) * math.log2(1 - share))


def _threshold(rows: pd.DataFrame) -> pd.DataFrame:
    """The first n of those tried with P(hit) >= 1/2, from the last that is surely too few to the first surely enough.

    The n tried have gaps, since k/n is kept: the n* of a share lies above the last n that is too few.
    """
    first = {}
    for end, column in (("best", "best"), ("high", "low")):
        reached = rows[rows[column] >= 0.5]
        first[end] = float(reached["n"].iloc[0]) if len(reached) else math.inf
    enough = (rows["high"] >= 0.5).to_numpy()
    few = rows["n"].to_numpy()[: int(enough.argmax()) if enough.any() else len(rows)]
    first["low"] = float(few[-1]) if len(few) else 0.0
    if not math.isfinite(first["best"]):
        first["best"] = math.nan
    at = rows[rows["n"] == first["best"]]
    k = float(at["k"].iloc[0]) if len(at) else math.nan
    share = rows["k"].iloc[0] / rows["n"].iloc[0]
    keys = {name: rows[name].iloc[0] for name in ("k/n", "eps", "confidence", "evidence", *IDENTITY.names)}
    return pd.DataFrame([{**keys, "quantity": "n* (one target)", "density": share, "k": k, **first}])


def _choices(thresholds: pd.DataFrame) -> pd.DataFrame:
    """The bits of choice at the thresholds, where the upper end is reached: n H2(k/n), and log2 C(n, k)."""
    rows = thresholds[thresholds["best"].notna() & np.isfinite(thresholds["high"])]
    quantities = {"n H2(k/n)": _bits_of_choice, "log2 C(n, k)": _log2_choose}
    parts = []
    for quantity, bits in quantities.items():
        ends = {
            end: [bits(int(n), round(n * share)) for n, share in zip(rows[end], rows["density"], strict=True)]
            for end in ("low", "best", "high")
        }
        parts.append(rows.assign(quantity=quantity, **ends))
    return pd.concat(parts, ignore_index=True)


def _log2_choose(n: int, k: int) -> float:
    return math.log2(math.comb(n, k))


def _ratio_row(trials: Trials) -> dict[str, object]:
    """Mean and second-moment ratio of the hits as counted, with three standard errors, beside the exact ones."""
    table, m = trials.table, trials.measurement
    n, k, eps = m.n, m.size, m.eps
    seen = moment_ratio(table["hits"], confidence=THREE_SIGMA)
    exact = subset_moments(trials.law, n, k, eps)
    shown = {
        "n": n,
        "k": k,
        "eps": eps,
        "z": 0.0,
        "mean": seen.details.get("mean", 0.0),
        "exact mean": math.exp(exact.log_mean),
    }
    return shown | {
        **seen.row(),
        "exact": exact.ratio,
        "trials": len(table),
        **identity_columns(trials.law, trials.ball, "one"),
    }


def _sizes() -> pd.DataFrame:
    """The exact ratio E[Y^2]/E[Y]^2 at the sizes that theorems name, with every open constant 1.

    Becchetti et al.: k = n / (6 sqrt d) at their n. Da Cunha et al.: k = d^3 log2(d/eps), n = k^2.
    """
    rows = []
    for d in (1, 2, 3, 4, 6):
        n = math.ceil(float(claim("becchetti-2022").bound(d=float(d), eps=ERROR, C=1.0)))
        rows.append(_size_row(rssp.Normal(dim=d), n, round(n / (6 * math.sqrt(d)))))
    for d in (1, 2, 3):
        k = math.ceil(d**3 * math.log2(d / ERROR))
        rows.append(_size_row(rssp.NormallyScaledNormal(d), k**2, k))
    return pd.DataFrame(rows)


def _size_row(law: rssp.Law, n: int, k: int) -> dict[str, Any]:
    ratio = subset_moments(law, n, k, ERROR).ratio
    row = {"eps": ERROR, "n": n, "k": k, "quantity": RATIO, "low": ratio, "best": ratio, "high": ratio}
    return row | COMPUTED | identity_columns(law, rssp.Ball(law.dim), "one")


def _limit() -> pd.DataFrame:
    """The exact ratio at n = 2000."""
    rows = []
    for d, share in ((2, 0.05), (4, 0.1), (8, 0.1), (16, 0.05)):
        n, k = 2000, int(2000 * share)
        ratio = subset_moments(rssp.Normal(dim=d), n, k, ERROR).ratio
        row = {"n": n, "k": k, "quantity": "E[Y^2]/E[Y]^2", "low": ratio, "best": ratio, "high": ratio}
        rows.append(row | COMPUTED | _normal(d))
    return pd.DataFrame(rows)


def _normal(d: int) -> dict[str, Any]:
    return identity_columns(rssp.Normal(dim=d), rssp.Ball(d), "one")


def _points(rows: pd.DataFrame, x: str, label: str, ax: Axes, colour: str, **options: Any) -> None:
    plot_estimates(rows.assign(series=label), x, by="series", ax=ax, colours=[colour], ms=5, **options)


def draw_guarantees(tables: Tables) -> Figure:
    figure, (left, right) = new_figure(1, 2, width=13, height=4.4)
    theorems = {NORMAL: "$d^3$ bound (Becchetti et al.)", SCALED: "$d^6$ bound (da Cunha et al.)"}
    for i, (colour, (law, rows)) in enumerate(
        zip(COLOURS, tables["guarantees"].groupby("law", sort=False), strict=False)
    ):
        left.plot(rows["d"], rows["n"], "os"[i], color=colour, label=f"{LABELS[str(law)]} vectors: $n$")
        left.plot(rows["d"], rows["theorem"], ":", color=colour, label=f"{theorems[str(law)]},\n$C$ fitted at $d = 1$")
        right.plot(rows["d"], rows["k/n"], "os"[i], color=colour, label=f"{LABELS[str(law)]} vectors, best $k$")
    d = np.array([1.0, 32.0])
    left.plot(d, d * math.log2(1 / ERROR), "k--", label=r"counting: $d \log_2(1/\varepsilon)$")
    fine = np.geomspace(1, 32)
    right.plot(fine, 1 / (6 * np.sqrt(fine)), "k:", label="$1/(6 \\sqrt{d})$ (Becchetti et al.)")
    ticks = [1, 2, 4, 8, 16, 32]
    left.set(
        title=rf"one target hit with $P \geq 1/2$, $\varepsilon = {ERROR:g}$", ylabel="$n$", yscale="log", ylim=(5, 3e4)
    )
    right.set(title="size of the subsets", ylabel="$k/n$", ylim=(0, None))
    for ax in (left, right):
        ax.set(xlabel="dimension $d$", xscale="log")
        ax.set_xticks(ticks, [str(t) for t in ticks])
        ax.minorticks_off()
    handles = [handle for ax in (left, right) for handle in ax.get_legend_handles_labels()[0]]
    legend_outside(right, handles=handles)
    return figure


def draw_fixed_size(tables: Tables) -> Figure:
    figure, (left, right) = new_figure(1, 2, width=11.5, height=4.4)
    groups = tables["hits"].groupby(["k/n", "eps"], sort=False)
    x = "n H2(k/n) - log2(k/eps)"
    for i, ((share, _), rows) in enumerate(groups):
        label = f"$k/n = {share}$, $\\varepsilon = $ {eps_label(rows['eps'].iloc[0])}"
        colour, marker = COLOURS[i // 2], "os"[i % 2]
        _points(rows, "n", label, left, colour, marker=marker)
        _points(rows, x, label, right, colour, marker=marker)
        for ax, column in ((left, "n"), (right, x)):
            ax.plot(rows[column], rows["second moment"], color=colour, ls=("-", "--")[i % 2], lw=1)
    left.set(title="uniform numbers, one target", xlabel="$n$", ylabel="$P$(some $k$-subset hits)")
    right.set(
        title="the same points", xlabel=r"$n H_2(k/n) - \log_2(k/\varepsilon)$", ylabel="$P$(some $k$-subset hits)"
    )
    right.plot([], [], color="gray", lw=1, label="second moment, at least")
    legend_outside(right)
    return figure


RATIO = "E[Y^2]/E[Y]^2"
EVIDENCE = Schema(*(c for c in RESTS if c.name == "evidence"))
SHARE = Column("k/n", "text", meaning="share of the numbers in a subset")
GUARANTEES = Schema(
    EPS,
    N,
    K,
    Column("k/n", "float"),
    Column(RATIO, "float", meaning="at that n and k"),
    Column("d log2(1/eps)", "float", unit="n", meaning="necessary by counting"),
    Column("n over it", "float"),
    Column("theorem", "float", unit="n", meaning="the theorem's n, its C fitted at d = 1"),
)
EXCESS = "n H2(k/n) - log2(k/eps)"
HITS = Schema(
    SHARE,
    EPS,
    N,
    K,
    Column("target", "float"),
    Column("second moment", "float", meaning="lower bound of P(hit)"),
    Column(RATIO, "float", meaning="exact"),
    Column("n H2(k/n)", "float", unit="bits"),
    Column(EXCESS, "float", unit="bits"),
    TRIALS,
)
RATIO_COLUMNS = Schema(
    N, K, EPS, Z, Column("mean", "float", meaning="of Y, counted"), Column("exact mean", "float"),
    Column("exact", "float", meaning="second-moment ratio, exact"), TRIALS,
)  # fmt: skip
THRESHOLDS = Schema(SHARE, Column("density", "float", meaning="k/n"), EPS, Column("k", "float")) + INTERVAL + IDENTITY
LABEL = "first n with P(k-subset hits one target) >= 1/2"
NO_THRESHOLD = "at no n tried is one target hit with probability 1/2"
ENTROPY = {"quantity": "n H2(k/n)"}


def _enough(bits: pd.Series) -> pd.Series:
    return bits >= 2


def findings(tables: Tables) -> list[str]:
    rows = tables["guarantees"]
    over = rows["n"] / rows["d log2(1/eps)"]
    return [
        f"{over.min():.1f} to {over.max():.1f} times d log2(1/eps) vectors for one target with probability 1/2, to "
        f"dimension {rows['d'].max()}."
    ]


STUDY = Study(
    name="second_moments",
    question="How many vectors does the second moment method need, and how far is it from the truth?",
    guise="fixed-size",
    plan=plan,
    analyse=analyse,
    tables={
        "guarantees": IDENTITY + GUARANTEES + EVIDENCE,
        "hits": HITS + INTERVAL + IDENTITY,
        "ratios": RATIO_COLUMNS + INTERVAL + IDENTITY,
        "thresholds": THRESHOLDS,
        "choices": THRESHOLDS,
        "sizes": Schema(EPS, N, K) + INTERVAL + IDENTITY,
        "limit": Schema(N, K) + INTERVAL + IDENTITY,
    },
    claims={
        "becchetti-2022-size": Rows("sizes", {"law": NORMAL}, measured="exact ratio at the theorem's n and k, C = 1"),
        "da-cunha-2023-size": Rows("sizes", {"law": SCALED}, measured="exact ratio at n = k^2, k = d^3 log2(d/eps)"),
        "da-cunha-2023-one-target": Rows(
            "guarantees",
            {"law": SCALED},
            # enough, not the least: the second moment bounds n* from above, counting from below
            {"low": "d log2(1/eps)", "best": "n", "high": "n"},
            {"delta": 0.5, "quantity": "n* (one target)"},
            measured="n by the exact second moment",
        ),
        "second-moment-normal": Rows("ratios", measured="ratio of the counted k-subsets, three standard errors"),
        "second-moment-limit": Rows("limit", measured="exact ratio at n = 2000"),
        "natale-2024-one-target": Rows(
            "choices", ENTROPY, measured=f"n H2(k/n) at the {LABEL}", otherwise=NO_THRESHOLD
        ),
        "natale-2024-n": Rows("thresholds", {"high": np.isfinite}, measured=LABEL, otherwise=NO_THRESHOLD),
        "natale-2024-second-moment": Rows(
            "hits",
            {EXCESS: _enough},
            exactly(RATIO),
            {"quantity": RATIO, "evidence": "computed"},
            measured="exact ratio where n H2(k/n) >= log2(k/eps) + 2",
        ),
    },
    options=Options,
    figures={"guarantees": draw_guarantees, "fixed-size": draw_fixed_size},
    show=("guarantees", "ratios", "thresholds"),
    findings=findings,
)

if __name__ == "__main__":
    STUDY.main()
