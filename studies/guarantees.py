"""How many random numbers are enough, for certain?

Lueker's theorem and the strong-lottery theorems that stand on it say that there is a C. Here it is a number: what
`rssp.guaranteed_samples` proves, beside what is measured, what the covering law predicts and what counting demands.

Uniform numbers and the targets [-1, 1]; other laws; vectors, where one proof grows geometrically with d and the other
like a power of d; delta = eps, where Lueker's constant is defined; the constants of the theorems on scalar sums. Whole
networks are in `widths`. Measured besides:
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
from rssp.prediction.closed_form import proved_tail
from rssp.prediction.covering_law import predicted_required_samples
from rssp.prediction.guarantees import how_proved
from rssp.prediction.proved_constants import proved_constant
from rssp.prediction.uniform_numbers import restricted_fewest
from rssp.prediction.vectors import normal_samples, restricted_samples
from rssp.report import COLOURS, legend_outside, new_figure, plot_estimates, plot_line
from rssp.schemas import IDENTITY, INTERVAL, Column, Schema
from rssp.study import Context, Rows, Study, Tables, Task
from rssp.study.columns import DELTA, EPS, PROVED, REQUIRED, TRIALS, D

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
STOPS = {"quick": ((), ()), "standard": ((4, 5, 6, 8, 10, 13, 16, 20), (4, 4.5, 5, 6, 8, 10))}
"""bits at which constants rest on what is computed, for uniform numbers and for other laws; then on the closed form"""
_NETWORK = "of the construction in docs/theory/guarantees.md, N"

RATIO = ("ratio low", "ratio", "ratio high")
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
    *(
        Column(name, "float", meaning="guaranteed over measured, over its upper end, over its lower end")
        for name in RATIO
    ),
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
    Column("restricted uniform", "float", unit="n", meaning="uniform vectors, targets [-0.4, 0.4]^d"),
    Column("restricted scaled", "float", unit="n", meaning="normally-scaled vectors, by the restricted process"),
    *(
        Column(f"theorem {law}", "float", unit="n", meaning="for C = 1, exponents as quoted")
        for law in ("normal", "scaled")
    ),
)
EQUALS = Schema(EPS, GUARANTEED, Column("C", "float", meaning="guaranteed over log2(1/eps)"), HOW)
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
        "growth": _growth(runs["restricted"]),
        "constants": _constants(scale),
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
        "ratio low": guaranteed / row["high"],
        "ratio": guaranteed / measured,
        "ratio high": guaranteed / row["low"],
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
        restricted_samples(rssp.NormallyScaledNormal(d), eps, 1.0, delta) if d > 1 else None,
    )
    moments, normal, uniform, scaled = (float(n[0]) if n is not None else math.nan for n in found)
    return {
        "d": d,
        "eps": eps,
        "delta": delta,
        "counting": d * math.log2(1 / eps),
        "moments": moments,
        "restricted normal": normal,
        "restricted uniform": uniform,
        "restricted scaled": scaled,
        "theorem normal": float(claim("becchetti-2022").bound(d=d, eps=eps, C=1.0)),
        "theorem scaled": float(claim("da-cunha-2023-all-targets").bound(d=d, eps=eps, delta=delta, C=1.0)),
    }


def _constants(scale: str) -> pd.DataFrame:
    """What is proved of the constants that theorems on scalar subset sums leave open, each over its claim's range."""
    numbers, others = STOPS.get(scale, STOPS["standard"])
    small = "min(eps, delta) <= 1/8"
    uniform = proved_constant(rssp.Uniform(), stops=numbers)
    half = proved_constant(rssp.Uniform(), stops=others, density=(1.0, 0.25))
    esa = proved_constant(rssp.Uniform(), radius=0.5, delta=0.5, stops=numbers)
    weight = proved_constant(rssp.GatedProduct(), added=1, stops=others)
    network = proved_constant(rssp.GatedProduct(), finer=1, stops=others)
    tail = dict(zip(("C", "kappa"), proved_tail(), strict=True))
    shared = f"{small.replace('eps, delta', 'eps_l, delta/rho')}, of the subset sums alone, rho their number"
    entries = [
        ("lueker-1998", uniform.value, small, uniform.where),
        ("lueker-1998-mixture", half.value, f"p >= 1/2, {small}", half.where),
        ("esa-2023", esa.value, "delta = 1/2, eps <= 1/8, X uniform on [-1, 1]", esa.where),
        ("pensia-2020-weight", weight.value, small, weight.where),
        ("pensia-2020", network.value, f"d_in d_out l / min(eps, delta) >= 8, {_NETWORK}1", network.where),
        ("da-cunha-2022", network.value, f"c_in c_out kernel^2 l / min(eps, delta) >= 8, {_NETWORK}2", network.where),
        (
            "ferbach-2023",
            2 * network.value,
            f"d_in d_out max(|B|, ||B||) l / min(eps, delta) >= 8, ReLU entry by entry and the identity in B, "
            f"{_NETWORK}3",
            network.where,
        ),
        ("burkholz-2022-width", uniform.value, shared, uniform.where),
        ("burkholz-2022-convolutional", uniform.value, shared, uniform.where),
    ]
    rows = [(id, "C", *rest) for id, *rest in entries]
    rows += [("esa-2023-tail", name, v, "eps < 1, both at once", "the closed form") for name, v in tail.items()]
    table = pd.DataFrame(rows, columns=["claim", "constant", "value", "where", "how"])
    return table.assign(evidence="computed")


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
        shown = rows.assign(low=rows["ratio low"], best=rows["ratio"], high=rows["ratio high"], series=delta)
        plot_estimates(
            shown, "bits", by="series", label=r"$\delta = {:g}$".format, ax=left, line=True, colours=[colour], ms=4
        )
    left.set(title="targets $[-1, 1]$", xlabel=r"$\log_2(1/\varepsilon)$", ylabel="guaranteed $n$ / measured $n^*$")
    left.set_ylim(1, None)
    left.legend()
    equal = tables["equal"].assign(bits=-np.log2(tables["equal"]["eps"]))
    plot_line(equal, "bits", "C", ax=right, color=COLOURS[1])  # proved numbers: no points, for nothing is measured
    constant = float(claim("own-guarantee-lueker").constants["C"] or math.nan)
    right.axhline(constant, color="black", ls="--", lw=1.2)
    right.text(equal["bits"].min(), constant - 0.8, rf"proved for all $\varepsilon \leq 1/8$: {constant:g}")
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
    figure, (ax, right) = new_figure(1, 2, width=13, height=4.6)
    rows = tables["vectors"]
    names = {
        "moments": ("second moment,\nnormal vectors, $[-1, 1]^d$", "o"),
        "restricted normal": ("restricted process,\nnormal vectors, $[-1, 1]^d$", "s"),
        "restricted uniform": ("restricted process,\n" r"uniform vectors, $[-0.4, 0.4]^d$", "^"),
        "restricted scaled": ("restricted process,\n" r"normally-scaled vectors, $[-1, 1]^d$", "v"),
    }
    for colour, (column, (label, marker)) in zip(COLOURS, names.items(), strict=False):
        known = rows[rows[column].notna()]
        plot_line(known, "d", column, ax=ax, color=colour, marker=marker, ms=4, label=label)
    plot_line(
        rows, "d", "counting", ax=ax, color="black", ls="--", lw=1.2, label=r"counting: $d \log_2(1/\varepsilon)$"
    )
    ax.set(ylabel="guaranteed $n$", title=rf"$\varepsilon = {VECTOR_EPS:g}$, $\delta = {VECTOR_DELTA:g}$")
    ax.legend(fontsize="small")
    theorems = {
        (
            "restricted normal",
            "theorem normal",
        ): "Becchetti et al. 2022 against the\nrestricted process, normal vectors",
        ("moments", "theorem normal"): "the same against the second moment",
        (
            "restricted scaled",
            "theorem scaled",
        ): "da Cunha et al. 2023 against the\nrestricted process, normally-scaled",
    }
    for colour, ((proved, asked), label) in zip((COLOURS[1], COLOURS[0], COLOURS[3]), theorems.items(), strict=True):
        known = rows[rows[proved].notna()]
        plot_line(
            known.assign(C=known[proved] / known[asked]), "d", "C", ax=right, color=colour, marker=".", label=label
        )
    right.axhline(1, color="black", ls=":", lw=1)
    right.set(ylabel="$C$ at which theorem and guarantee agree")
    right.set_title("the theorem asks for fewer where its $C$ is below the curve", fontsize="medium")
    right.legend(fontsize="small")
    ticks = [int(d) for d in rows["d"]]
    for axes in (ax, right):
        axes.set(xlabel="dimension $d$", xscale="log", yscale="log")
        axes.set_xticks(ticks, [str(t) for t in ticks])
        axes.minorticks_off()
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
        "growth": GROWTH + INTERVAL + IDENTITY,
        "constants": PROVED,
    },
    claims={
        "own-guarantee": Rows("required", measured="n*, uniform, all targets of [-1, 1]"),
        "own-guarantee-lueker": Rows("required", measured="n*, uniform, all targets of [-1, 1]"),
        "own-restricted-growth": Rows("growth", measured="E[dv] in bins of v, restricted process on [-1/2, 1/2]"),
    },
    findings=findings,
    figures={"required": draw_required, "ratio": draw_ratio, "growth": draw_growth, "dimension": draw_dimension},
    show=("compared", "laws", "equal", "vectors", "constants"),
    proves="constants",
)

if __name__ == "__main__":
    STUDY.main()
