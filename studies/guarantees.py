"""How many random numbers are enough, for certain?

Lueker's theorem and the strong-lottery theorems that stand on it say that there is a C. Here it is a number: what
`rssp.guaranteed_samples` proves, beside what is measured, what the covering law predicts and what counting demands.

Uniform numbers and the targets [-1, 1]; other laws; vectors, where one proof grows geometrically with d and the other
like a power of d; delta = eps, where Lueker's constant is defined; whole networks, weight by weight. Measured besides:
the growth of the covered part in the process that the proofs follow, which they say is v (1 - v) / 2 exactly.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import scipy.stats

import rssp
from rssp.claims import claim
from rssp.inference import required_n
from rssp.inference.growth import covered_growth
from rssp.laws.parse import identity_columns
from rssp.montecarlo import Experiment, HittingTimes, RestrictedFractions
from rssp.prediction.covering_law import predicted_required_samples
from rssp.prediction.guarantees import how_proved
from rssp.prediction.uniform_numbers import restricted_fewest
from rssp.prediction.vectors import normal_samples, restricted_samples
from rssp.report import COLOURS, legend_outside, new_figure, plot_estimates, plot_line
from rssp.schemas import IDENTITY, INTERVAL, Column, Schema
from rssp.study import Context, Rows, Study, Tables, Task
from rssp.study.columns import DELTA, EPS, REQUIRED, TRIALS, D

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from rssp.trials import Trials

DELTAS = (0.5, 0.1, 0.01)
BITS = {"quick": (4, 8), "standard": tuple(range(4, 21, 2)), "full": tuple(range(4, 23))}
TRIALS_OF = {"quick": 400, "standard": 4000, "full": 20_000}
PREDICTED = {"quick": 150, "standard": 400, "full": 20_000}
"""samples that the covering law is averaged over"""
PROCESSES = {"quick": 300, "standard": 4000, "full": 40_000}
EQUAL = {"quick": (4, 8), "standard": (4, 6, 8, 10, 12, 14, 16, 18, 20), "full": tuple(range(4, 23))}
"""delta = eps = 2 to the minus these"""
DIMS = {"quick": (1, 2, 3, 4), "standard": (1, 2, 3, 4, 6, 8, 12, 16, 24), "full": (1, 2, 3, 4, 6, 8, 12, 16, 24, 32)}
VECTOR_EPS, VECTOR_DELTA = 0.1, 0.1
EDGES = (0, 0.06, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.97, 1)
LAWS: Mapping[str, tuple[rssp.Law, ...]] = {
    "quick": (rssp.Uniform(), rssp.Normal(), rssp.Mixture(rssp.Uniform(), 0.25, rssp.Normal())),
    "standard": (
        rssp.Uniform(),
        rssp.Normal(),
        rssp.Mixture(rssp.Uniform(), 0.25, rssp.Normal()),
        rssp.FromScipy(scipy.stats.triang(0.5, loc=-1, scale=2)),
        rssp.NormallyScaledNormal(),
        rssp.Product(),
        rssp.GatedProduct(),
    ),
}
NETWORKS = {"784-500-10": (397_000, 2 * 1284), "LeNet5": (61_470, 2 * 641), "ResNet-20": (270_896, 2 * 6339)}
"""weights, and the sets of samples that they share by input and sign; a convolution has an input for each input channel
and position of its kernel"""
WEIGHT_EPS, NETWORK_DELTA, PUBLISHED_N = 0.01, 0.01, 21

EVIDENCE = Schema(*(c for c in INTERVAL if c.name == "evidence"))
HOW = Column("how", "text", meaning="the route of the proof")
GUARANTEED = Column("guaranteed", "float", unit="n", meaning="proved to be enough")
COUNTING = Column("counting", "float", unit="n", meaning="necessary, as 2^n windows must cover")
COMPARED = Schema(
    EPS,
    DELTA,
    COUNTING,
    Column("measured", "float", unit="n", meaning="n*, nan where censored"),
    Column("predicted", "float", unit="n", meaning="by the covering law"),
    GUARANTEED,
    Column("restricted", "float", unit="n", meaning="proved by the restricted process alone"),
    Column("ratio", "float", meaning="guaranteed over measured"),
    HOW,
)
OTHERS = Schema(EPS, DELTA, GUARANTEED, HOW) + IDENTITY
VECTORS = Schema(
    D,
    EPS,
    DELTA,
    COUNTING,
    Column("moments", "float", unit="n", meaning="normal vectors, by the second moment"),
    Column("restricted normal", "float", unit="n", meaning="normal vectors, by the restricted process"),
    Column("restricted uniform", "float", unit="n", meaning="uniform vectors, targets [-1/2, 1/2]^d"),
)
EQUALS = Schema(EPS, GUARANTEED, Column("C", "float", meaning="guaranteed over log2(1/eps)"), HOW)
WIDTHS = Schema(
    Column("network", "text"),
    Column("weights", "int"),
    Column("sets", "int", meaning="independent sets of samples"),
    EPS,
    Column("delta of a set", "float"),
    Column(
        "formula over C", "float", unit="n", meaning="log2(2 / min(eps, delta of a set)): the theorem's n for C = 1"
    ),
    Column("counting", "float", unit="n"),
    Column("guaranteed uniform", "float", unit="n", meaning="samples uniform on [-1, 1]"),
    Column("guaranteed product", "float", unit="n", meaning="products of two random links, one sign pruned"),
    Column("published", "float", unit="n", meaning="used in Pensia et al.'s experiment, nan elsewhere"),
)
RATIO = ("ratio low", "ratio", "ratio high")
GROWTH = Schema(
    Column("v", "float", meaning="middle of the bin"),
    *(Column(name, "float", meaning="E[dv] over v (1 - v)") for name in RATIO),
    TRIALS,
    EPS,
)


def plan(context: Context) -> Sequence[Task]:
    bits = BITS[context.scale]
    interval = rssp.Ball.interval(-1, 1)
    times = HittingTimes(tuple(2.0**-b for b in bits), n_max=int(1.15 * bits[-1]) + 14)
    restricted = RestrictedFractions(2.0**-6, n_max=24)
    return (
        Task("n*", Experiment(rssp.Uniform(), interval, times, context.seed), TRIALS_OF[context.scale]),
        Task(
            "restricted",
            Experiment(rssp.Uniform(), rssp.Ball.interval(-0.5, 0.5), restricted, context.seed),
            PROCESSES[context.scale],
        ),
    )


def analyse(runs: Mapping[str, Trials], context: Context) -> dict[str, pd.DataFrame]:
    required = required_n(runs["n*"], delta=DELTAS)
    scale = context.scale
    return {
        "required": required,
        "compared": pd.DataFrame(
            [_compared({str(k): v for k, v in row.items()}, context) for row in required.to_dict("records")]
        ),
        "laws": pd.DataFrame([_of_law(law) for law in LAWS.get(scale, LAWS["standard"])]),
        "equal": pd.DataFrame([_equal(2.0**-b) for b in EQUAL[scale]]),
        "vectors": pd.DataFrame([_vectors(d) for d in DIMS[scale]]),
        "widths": pd.DataFrame([_width(name) for name in list(NETWORKS)[: 1 if scale == "quick" else None]]),
        "growth": _growth(runs["restricted"]),
    }


def _compared(row: Mapping[str, Any], context: Context) -> dict[str, Any]:
    eps, delta = row["eps"], row["delta"]
    guaranteed = rssp.guaranteed_samples(rssp.Uniform(), eps, delta).high
    measured = row["best"] if math.isfinite(row["best"]) else math.nan
    predicted = predicted_required_samples(
        rssp.Uniform(), eps, delta, rssp.Ball(1), samples=PREDICTED[context.scale], seed=context.seed
    )
    return {
        "eps": eps,
        "delta": delta,
        "counting": float(claim("counting-1d").bound(eps=eps)),
        "measured": measured,
        "predicted": predicted.best,
        "guaranteed": guaranteed,
        "restricted": float(restricted_fewest(eps, 1.0, delta)[0]),
        "ratio": guaranteed / measured,
        "how": how_proved(rssp.Uniform(), eps, delta),
    }


def _of_law(law: rssp.Law) -> dict[str, Any]:
    eps, delta = 2.0**-6, 0.1
    guaranteed = rssp.guaranteed_samples(law, eps, delta).high
    known = identity_columns(law, rssp.Ball(1))
    return {"eps": eps, "delta": delta, "guaranteed": guaranteed, "how": how_proved(law, eps, delta), **known}


def _equal(eps: float) -> dict[str, Any]:
    guaranteed = rssp.guaranteed_samples(rssp.Uniform(), eps, eps).high
    how = how_proved(rssp.Uniform(), eps, eps)
    return {"eps": eps, "guaranteed": guaranteed, "C": guaranteed / math.log2(1 / eps), "how": how}


def _vectors(d: int) -> dict[str, Any]:
    eps, delta = VECTOR_EPS, VECTOR_DELTA
    found = (
        normal_samples(d, eps, 1.0, delta),
        restricted_samples(rssp.Normal(dim=d), eps, 1.0, delta) if d > 1 else None,
        restricted_samples(rssp.Uniform(dim=d), eps, 0.4, delta) if d > 1 else None,
    )
    moments, normal, uniform = (float(n[0]) if n is not None else math.nan for n in found)
    return {
        "d": d,
        "eps": eps,
        "delta": delta,
        "counting": d * math.log2(1 / eps),
        "moments": moments,
        "restricted normal": normal,
        "restricted uniform": uniform,
    }


def _width(name: str) -> dict[str, Any]:
    weights, sets = NETWORKS[name]
    uniform, product = (
        rssp.guaranteed_width([weights], WEIGHT_EPS, NETWORK_DELTA, sets=[sets], law=law)[0]
        for law in (rssp.Uniform(), rssp.GatedProduct())
    )
    return {
        "network": name,
        "weights": weights,
        "sets": sets,
        "eps": WEIGHT_EPS,
        "delta of a set": uniform.delta,
        "formula over C": 1 - math.log2(min(WEIGHT_EPS, uniform.delta)),
        "counting": float(claim("counting-1d").bound(eps=WEIGHT_EPS)),
        "guaranteed uniform": float(uniform.n),
        "guaranteed product": float(product.n),
        "published": float(PUBLISHED_N) if name == "784-500-10" else math.nan,
    }


def _growth(trials: Trials) -> pd.DataFrame:
    """E[dv] over v (1 - v) in bins of v, in the restricted process: 1/2 by the proof."""
    v = trials.table["v"].to_numpy().reshape(trials.trials, -1)
    seen = covered_growth(v, bins=EDGES, confidence=0.9999)
    middle = (seen["v_low"] + seen["v_high"]) / 2
    table = seen.rename(columns={"low": "ratio low", "best": "ratio", "high": "ratio high"})
    for name, column in zip(("low", "best", "high"), RATIO, strict=True):
        table[name] = table[column] * middle * (1 - middle)
    table = table.assign(v=middle, eps=trials.measurement.eps, quantity="E[dv]")
    table = table[(table["trials"] >= 30)].drop(columns=["v_low", "v_high"])
    return table.assign(**identity_columns(trials.law, trials.ball)).reset_index(drop=True)


def findings(tables: Tables) -> list[str]:
    compared, equal, drift = tables["compared"], tables["equal"], tables["growth"]
    eps = compared["eps"].min()
    numbers = ", ".join(f"{n:.0f}" for n in compared.loc[compared["eps"] == eps, "guaranteed"])
    measured = ", ".join(f"{n:.0f}" for n in compared.loc[compared["eps"] == eps, "measured"])
    deltas = ", ".join(f"{d:g}" for d in compared.loc[compared["eps"] == eps, "delta"])
    ratio = compared["ratio"].dropna()
    within = int(((drift["ratio low"] <= 0.5) & (drift["ratio high"] >= 0.5)).sum())
    return [
        f"{numbers} uniform numbers are proved to be, at eps = 2^{math.log2(eps):.0f} and delta = {deltas} ({measured} "
        f"measured): {ratio.min():.1f} to {ratio.max():.1f} times the truth over all eps. At delta = eps, "
        f"{equal['C'].max():.1f} log2(1/eps) numbers are, where Lueker has an open C. The proof's growth, v(1 - v)/2 "
        f"exactly, is measured in {within} of {len(drift)} bins."
    ]


def draw_required(tables: Tables) -> Figure:
    figure, axes = new_figure(1, 3, width=13, height=4.4)
    compared = tables["compared"].assign(bits=-np.log2(tables["compared"]["eps"]))
    measured = tables["required"].assign(bits=-np.log2(tables["required"]["eps"]))
    for ax, (delta, rows) in zip(axes, compared.groupby("delta", sort=False), strict=True):
        plot_line(rows, "bits", "counting", ax=ax, color="black", ls="--", lw=1.2, label="counting: necessary")
        points = measured[measured["delta"] == delta].assign(series="measured $n^*$")
        plot_estimates(points, "bits", by="series", ax=ax, colours=COLOURS[:1], ms=4)
        plot_line(rows, "bits", "predicted", ax=ax, color=COLOURS[0], lw=1, label="covering law: predicted")
        plot_line(rows, "bits", "guaranteed", ax=ax, color=COLOURS[1], marker="s", ms=4, label="guaranteed: proved")
        plot_line(
            rows, "bits", "restricted", ax=ax, color=COLOURS[2], ls=":", label="proved by the\nrestricted process alone"
        )
        ax.set(title=rf"$\delta = {delta:g}$", xlabel=r"$\log_2(1/\varepsilon)$", ylabel="$n$", ylim=(0, None))
    legend_outside(axes[2])
    return figure


def draw_ratio(tables: Tables) -> Figure:
    figure, (left, right) = new_figure(1, 2, width=10.5, height=4.2)
    compared = tables["compared"].assign(bits=-np.log2(tables["compared"]["eps"]))
    for colour, (delta, rows) in zip(COLOURS, compared.groupby("delta", sort=False), strict=False):
        plot_line(rows, "bits", "ratio", ax=left, color=colour, marker="o", ms=4, label=rf"$\delta = {delta:g}$")
    left.set(title="targets $[-1, 1]$", xlabel=r"$\log_2(1/\varepsilon)$", ylabel="guaranteed $n$ / measured $n^*$")
    left.set_ylim(1, None)
    left.legend()
    equal = tables["equal"].assign(bits=-np.log2(tables["equal"]["eps"]))
    plot_line(equal, "bits", "C", ax=right, color=COLOURS[1], marker="s", ms=4)
    right.axhline(9.9, color="black", ls="--", lw=1.2)
    right.text(equal["bits"].min(), 9.1, r"proved for all $\varepsilon \leq 1/8$: 9.9")
    right.set(title=r"$\delta = \varepsilon$", xlabel=r"$\log_2(1/\varepsilon)$", ylim=(0, 11))
    right.set_ylabel(r"guaranteed $n$ / $\log_2(1/\varepsilon)$")
    return figure


def draw_growth(tables: Tables) -> Figure:
    figure, (ax,) = new_figure(width=6.5, height=4.2)
    rows = tables["growth"]
    shown = rows.assign(low=rows["ratio low"], best=rows["ratio"], high=rows["ratio high"], series="measured, 99.99 %")
    plot_estimates(shown, "v", by="series", ax=ax, ms=4)
    ax.axhline(0.5, color="black", lw=1.2, label="exact: 1/2")
    ax.axhline(0.25, color="black", ls=":", lw=1.2, label="ESA 2023, as quoted: 1/4")
    ax.set(xlabel="covered fraction $v$", ylim=(0, 0.7), title=r"restricted process on $[-1/2, 1/2]$")
    ax.set_ylabel(r"$\mathbf{E}[v_{t+1} - v_t \mid v_t] \;/\; v_t (1 - v_t)$")
    ax.legend(loc="lower right")
    return figure


def draw_dimension(tables: Tables) -> Figure:
    figure, (ax,) = new_figure(width=7.5, height=4.4)
    rows = tables["vectors"]
    names = {
        "moments": ("second moment, normal vectors, $[-1, 1]^d$", "o"),
        "restricted normal": ("restricted process, normal vectors, $[-1, 1]^d$", "s"),
        "restricted uniform": (r"restricted process, uniform vectors, $[-0.4, 0.4]^d$", "^"),
    }
    for colour, (column, (label, marker)) in zip(COLOURS, names.items(), strict=False):
        known = rows[rows[column].notna()]
        plot_line(known, "d", column, ax=ax, color=colour, marker=marker, ms=4, label=label)
    plot_line(
        rows, "d", "counting", ax=ax, color="black", ls="--", lw=1.2, label=r"counting: $d \log_2(1/\varepsilon)$"
    )
    ticks = [int(d) for d in rows["d"]]
    ax.set(xlabel="dimension $d$", ylabel="guaranteed $n$", xscale="log", yscale="log")
    ax.set_xticks(ticks, [str(t) for t in ticks])
    ax.minorticks_off()
    ax.set_title(rf"$\varepsilon = {VECTOR_EPS:g}$, $\delta = {VECTOR_DELTA:g}$")
    legend_outside(ax)
    return figure


STUDY = Study(
    name="guarantees",
    question="How many random numbers are enough, for certain?",
    guise="scalar",
    plan=plan,
    analyse=analyse,
    tables={
        "required": REQUIRED,
        "compared": COMPARED,
        "laws": OTHERS,
        "equal": EQUALS,
        "vectors": VECTORS,
        "widths": WIDTHS,
        "growth": GROWTH + INTERVAL + IDENTITY,
    },
    claims={
        "own-guarantee": Rows("required", measured="n*, uniform, all targets of [-1, 1]"),
        "own-guarantee-lueker": Rows("required", measured="n*, uniform, all targets of [-1, 1]"),
        "own-restricted-growth": Rows("growth", measured="E[dv] in bins of v, restricted process on [-1/2, 1/2]"),
    },
    findings=findings,
    figures={"required": draw_required, "ratio": draw_ratio, "growth": draw_growth, "dimension": draw_dimension},
    show=("compared", "laws", "equal", "vectors", "widths"),
)

if __name__ == "__main__":
    STUDY.main()
