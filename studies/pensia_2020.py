"""A random network, pruned by masks alone, that computes what a trained network computes: how large must it be?

The claim (Pensia et al., NeurIPS 2020): between two layers of widths d_in and d_out of a target of depth l, 2 d_in n
random units with n = C log2(d_in d_out l / min(eps, delta)) are enough; Malach et al. (2020) needed a factor of order
d^4 l^2. No random network with fewer than d^2 log2(1/(2 eps)) - 1 weights will do.

Measured here, in four parts. (i) The published experiment at its own size: every weight of a 784-500-10 network as a
subset sum of 21 random numbers, with one sample for each row of the weight matrix (the published code) and with one for
each weight (the published text); and of a network trained on digits (`--data mnist` for the published data), with its
accuracy before and after. (ii) The error of whole networks in the theorem's construction against n. (iii) How the n
that it takes grows with the width, against Malach et al. (iv) How many random weights there are and how many are kept,
against the lower bound.

The table `timing` is the only one that differs from run to run; no figure is drawn from it. Importing PyTorch is left
to the functions that need it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from rssp.claims import check, claim
from rssp.intervals import z_value
from rssp.montecarlo.one_weight import units_for_one_weight
from rssp.report import COLOURS, legend_outside, new_figure, plot_estimates, plot_line
from rssp.schemas import INTERVAL, Column, Schema
from rssp.study import Context, Rows, Study, Tables, exactly, option
from rssp.study.columns import ENDS, EPS, N

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from rssp.estimates import Estimate
    from rssp.trials import Trials

ERROR, NUMBER = 0.01, 21
"""of the published experiment"""
RANGE = (-0.46423155069351196, 0.5407021641731262)
"""smallest and largest weight of the published network"""
PUBLISHED_SECONDS = 77_266
WIDTHS = (16, 32, 64, 128, 256, 512)
NUMBERS = tuple(range(8, 30, 4))
SCALES = {"quick": (0.4, 2), "standard": (4.0, 3), "full": (120.0, 20)}
"""seconds that one network of part (ii) may be expected to take; networks of each kind, fewer where they take long"""
NEEDED_EPS = (0.1, 0.01)
KEPT_WIDTHS = {"quick": (8, 16, 32), "standard": (8, 16, 32, 64), "full": (8, 16, 32, 64, 128)}


@dataclass(frozen=True)
class Options:
    data: Literal["digits", "mnist"] = option("digits", "what the trained target has learned; mnist is downloaded")
    shape: tuple[int, ...] = option((784, 500, 10), "widths of the target with weights of the published range", least=1)
    widths: tuple[int, ...] = option(WIDTHS, "widths of the networks of part (ii)", least=1)
    depths: tuple[int, ...] = option((1, 2, 3, 4), "their depths", least=1)
    seconds: float | None = option(None, "that one network of part (ii) may be expected to take", least=0)


def analyse(runs: Mapping[str, Trials], context: Context) -> dict[str, pd.DataFrame]:
    experiment, timing = _experiment(context)
    network = _network(context)
    return {
        "experiment": experiment,
        "kept_ratio": _kept_ratio(experiment),
        "timing": timing,
        "network": network,
        "typical": _typical(network),
        "needed": _needed(network),
        "units": units_for_one_weight(context.seed),
        "kept": _kept(context),
    }


def _rng(context: Context, *place: int) -> np.random.Generator:
    return np.random.default_rng([context.seed, *place])


def _workers(context: Context) -> int:
    return context.workers or os.cpu_count() or 1


# (i) the published experiment


def _experiment(context: Context) -> tuple[pd.DataFrame, pd.DataFrame]:
    from rssp.tickets import PLAIN, prune

    rows, times = [], []
    for place, (name, target, data) in enumerate(_targets(context)):
        for sharing, search in (("row", "nearest"), ("weight", "nearest"), ("row", "within"), ("row", "smallest")):
            ticket = prune(
                target, NUMBER, ERROR, construction=PLAIN.but(samples=sharing), rng=_rng(context, 1, place),
                search=search, partial=True, workers=_workers(context),
            )  # fmt: skip
            label = {"target": name, "one sample a": sharing, "subset": search}
            rows.append({**label, **_experiment_row(ticket, data)})
            solve = ticket.seconds["solve"]
            times.append({**label, "weights": target.parameters, **ticket.seconds, "published": PUBLISHED_SECONDS})
            times[-1]["times faster a weight"] = PUBLISHED_SECONDS / solve * target.parameters / 397_000
            del ticket
    return pd.DataFrame(rows), pd.DataFrame(times)


def _targets(context: Context) -> Iterator[tuple[str, Any, Any]]:
    """Name, target and data: the trained network, and one of the published shape with weights of its range."""
    from rssp.tickets import digits_data, mnist_data, random_target, read_target, train_network

    name, shape = context.options.data, context.options.shape
    data = digits_data() if name == "digits" else mnist_data()
    hidden, epochs = ((32,), 30) if name == "digits" else ((500,), 10)
    trained = read_target(train_network(data, hidden=hidden, epochs=epochs, learning_rate=1e-3, seed=context.seed))
    yield f"{name} {'-'.join(map(str, trained.widths))}", trained, data
    yield f"uniform {'-'.join(map(str, shape))}", random_target(shape, *RANGE, rng=_rng(context, 2)), None


def _experiment_row(ticket: Any, data: Any) -> dict[str, Any]:
    from rssp.tickets import accuracy

    errors = np.concatenate([e.ravel() for e in ticket.weight_errors])
    row = {
        "n": NUMBER,
        "eps": ERROR,
        "over-parameterization": ticket.over_parameterization,
        "kept ratio": ticket.kept_ratio,
        "standard error": ticket.kept_ratio_error,
    }
    row |= {"missed": ticket.unreached_count, "largest error": errors.max(), "median error": np.median(errors)}
    if data is None:
        return row | {"accuracy": np.nan, "accuracy after": np.nan}
    before = accuracy(ticket.target, data.x_test, data.y_test)
    return row | {"accuracy": before, "accuracy after": accuracy(ticket, data.x_test, data.y_test)}


def _kept_ratio(experiment: pd.DataFrame) -> pd.DataFrame:
    """Kept a weight of the network of the published range, by nearest subsets, one sample a row as published."""
    at = (experiment["subset"] == "nearest") & experiment["accuracy"].isna() & (experiment["one sample a"] == "row")
    best, half = experiment.loc[at, "kept ratio"].iloc[0], z_value(0.95) * experiment.loc[at, "standard error"].iloc[0]
    return pd.DataFrame([{"quantity": "kept ratio", "low": best - half, "best": best, "high": best + half}])


# (ii) whole networks in the theorem's construction


def _network(context: Context) -> pd.DataFrame:
    """Errors of pruned networks: `adversarial` is found on the unit ball, `certified` is a bound over all of it.

    `layer error` is the largest of the layers' own, in spectral norm.
    """
    from rssp.tickets import prune, worst_error

    seconds, most = SCALES[context.scale]
    if context.options.seconds is not None:
        seconds = context.options.seconds
    rows = []
    for width in context.options.widths:
        for depth in context.options.depths:
            target = _unit_target(width, depth, _rng(context, 3, width, depth))
            for n in NUMBERS:
                # a rough law of the search's time, on one core: it decides what is computed, never how
                expected = width**2 * (depth + 1) * (2e-6 + 1.2e-8 * 2 ** (n / 2))
                for repeat in range(0 if expected > seconds else int(np.clip(seconds / 2 / expected, 1, most))):
                    rng = _rng(context, 4, width, depth, n, repeat)
                    ticket = prune(
                        target, n, ERROR, rng=rng, search="nearest", partial=True, workers=_workers(context)
                    )  # fmt: skip
                    errors = {
                        "adversarial": worst_error(target, ticket.effective, restarts=8, rng=rng),
                        "certified": ticket.certified_error,
                        "layer error": max(ticket.layer_errors),
                    }
                    rows.append({"width": width, "depth": depth, "n": n, "repeat": repeat, **errors})
    network = pd.DataFrame(rows)
    # every layer within eps/(2 l): what the n of both theorems is for
    return network.assign(eps=2 * network["depth"] * network["layer error"])


def _unit_target(width: int, depth: int, rng: np.random.Generator) -> Any:
    """Square layers of normal entries, scaled to spectral norm 1: the border of the theorem's class."""
    from rssp.tickets import read_target

    layers = [rng.normal(size=(width, width)) for _ in range(depth)]
    return read_target([w / (np.linalg.norm(w, 2) * (1 + 1e-9)) for w in layers], activation="relu")


def _typical(network: pd.DataFrame) -> pd.DataFrame:
    """Medians over the networks of a kind, with the smallest and the largest."""
    kinds = network.groupby(["width", "depth", "n"], as_index=False)
    return kinds.agg(
        adversarial=("adversarial", "median"), certified=("certified", "median"), least=("adversarial", "min"),
        most=("adversarial", "max"),
    )  # fmt: skip


def _needed(network: pd.DataFrame) -> pd.DataFrame:
    """The n at which the median certified error passes eps, interpolated; rows only where it does."""
    rows = []
    for (width, depth), kind in _typical(network).groupby(["width", "depth"]):
        error = np.log(np.minimum.accumulate(kind["certified"].to_numpy()))
        for eps in NEEDED_EPS:
            if error[-1] <= np.log(eps) < error[0]:
                n = float(np.interp(-np.log(eps), -error, kind["n"]))
                rows.append({"width": width, "depth": depth, "eps": eps, "n": n})
    return pd.DataFrame(rows, columns=["width", "depth", "eps", "n"])


# (iv) weights kept


def _kept(context: Context) -> pd.DataFrame:
    """One linear map of norm 1: the smallest n with every weight within the certified tolerance, and what is kept."""
    from rssp.tickets import prune

    rows: list[dict[str, Any]] = []
    for width in [w for w in KEPT_WIDTHS[context.scale] if w <= max(context.options.widths)]:
        target = _unit_target(width, 1, _rng(context, 6, width))
        for search in ("nearest", "within", "smallest"):
            n = rows[-1]["n"] if search != "nearest" else 12
            while True:
                rng = _rng(context, 7, width, n)
                ticket = prune(target, n, ERROR, rng=rng, search=search, partial=True, workers=_workers(context))
                if not ticket.unreached_count:
                    break
                n += 2
            row = {"width": width, "eps": ERROR, "n": n, "subset": search, "parameters": ticket.source_parameters}
            row |= {"kept": ticket.kept_parameters, "hidden units": 2 * width * n, "certified": ticket.certified_error}
            rows.append(row | {"lower bound": float(claim("pensia-2020-lower").bound(width=width, eps=ERROR))})
    return pd.DataFrame(rows)


def _constant(tables: Tables) -> Estimate | None:
    """The C of the theorem, fitted; None where no network is within 1/2."""
    rows = THEOREM.select(tables)
    return check(claim("pensia-2020"), rows).constant if len(rows) else None


# figures


def draw_network(tables: Tables) -> Figure:
    kinds, constant = tables["typical"], _constant(tables)
    depths, widths = sorted(kinds["depth"].unique()), sorted(kinds["width"].unique())
    columns = min(2, len(depths))
    figure, axes = new_figure(-(-len(depths) // columns), columns, width=10, height=7)
    for ax, depth in zip(axes, depths, strict=False):
        for width, colour in zip(widths, COLOURS, strict=False):
            at = kinds[(kinds["depth"] == depth) & (kinds["width"] == width)]
            seen = at.rename(columns={"adversarial": "best", "least": "low", "most": "high"})
            plot_estimates(seen, "n", by="width", ax=ax, colours=[colour], label=lambda d: f"$d = {d:.0f}$", ms=4)
            plot_line(at, "n", "certified", ax=ax, color=colour, lw=1, ls="--")
            if constant is not None and width in (widths[0], widths[-1]):
                line = pd.DataFrame({"n": NUMBERS, "eps": width**2 * depth * 2 ** (-np.array(NUMBERS) / constant.best)})
                plot_line(line, "n", "eps", ax=ax, color=colour, lw=1, ls=":")
        ax.set(title=rf"depth $\ell = {depth}$", xlabel="$n$", ylabel="error on the unit ball", yscale="log")
        ax.set(ylim=(1e-5, 10), xticks=NUMBERS)
    ax = axes[columns - 1]
    ax.plot([], [], color="gray", ls="--", lw=1, label="certified")
    if constant is not None:
        text = rf"$d^2 \ell \, 2^{{-n/C}}$, $C = {constant.best:.2f}$"
        ax.plot([], [], color="gray", ls=":", lw=1, label=text)
    legend_outside(ax, title="adversarial error")
    return figure


def _depth_label(depth: float) -> str:
    return rf"$\ell = {depth:.0f}$"


def draw_gap(tables: Tables) -> Figure:
    figure, (left, right) = new_figure(1, 2, width=10.5, height=4)
    constant = _constant(tables)
    at = tables["needed"][tables["needed"]["eps"] == NEEDED_EPS[0]]
    for depth, colour in zip(sorted(at["depth"].unique()), COLOURS, strict=False):
        rows = at[at["depth"] == depth].assign(**dict.fromkeys(("low", "best", "high"), at["n"]))
        plot_estimates(rows, "width", by="depth", ax=left, colours=[colour], label=_depth_label, ms=4)
    width = 2.0 ** np.arange(4, 10)
    if constant is not None:
        line = constant.best * np.log2(width**2 / NEEDED_EPS[0])
        left.plot(width, line, color="gray", lw=1, ls=":", label=rf"Pensia et al., $C = {constant.best:.2f}$")
    if len(at):
        left.plot(width, at["n"].min() * (width / 16) ** 4, color="black", lw=1, ls="--", label="Malach et al., $d^4$")
    left.set(xscale="log", yscale="log", xlabel="width $d$", ylabel=r"random units over $2 d$", xticks=width)
    left.set(title=rf"whole network, $\varepsilon = {NEEDED_EPS[0]:g}$", xticklabels=[f"{w:.0f}" for w in width])
    left.minorticks_off()
    left.legend(fontsize=8)
    units = tables["units"].assign(inverse=1 / tables["units"]["eps"])
    plot_estimates(units, "inverse", by="how", ax=right, ms=4, label=lambda how: f"{how}, measured")
    inverse = np.sort(units["inverse"].unique())
    right.plot(inverse, inverse**2, color="black", lw=1, ls="--", label=r"Malach et al., $1/\varepsilon^2$")
    right.plot(inverse, np.log2(2 * inverse), color="gray", lw=1, ls=":", label=r"$\log_2 (2/\varepsilon)$")
    right.set(xscale="log", yscale="log", xlabel=r"$1/\varepsilon$", ylabel="random units, median", title="one weight")
    legend_outside(right)
    return figure


def draw_kept(tables: Tables) -> Figure:
    figure, (ax,) = new_figure(width=7.6, height=4)
    kept = tables["kept"]
    for column, how, label, colour, marker in (
        ("parameters", "nearest", "random weights", COLOURS[6], "s"),
        ("kept", "nearest", "kept, nearest subset", COLOURS[0], "o"),
        ("kept", "within", "kept, any subset within", COLOURS[2], "^"),
        ("kept", "smallest", "kept, smallest subset", COLOURS[1], "v"),
    ):
        rows = kept[kept["subset"] == how]
        ax.plot(rows["width"], rows[column] / rows["width"] ** 2, marker=marker, ms=5, lw=1, color=colour, label=label)
    rows = kept[kept["subset"] == "nearest"]
    bound = rows["lower bound"] / rows["width"] ** 2
    ax.plot(rows["width"], bound, color="black", ls="--", lw=1.2, label="lower bound on random weights")
    ax.set(xscale="log", yscale="log", xlabel="width $d$", ylabel="weights over $d^2$", xticks=rows["width"])
    ax.set(title=rf"one linear map, $\varepsilon = {ERROR:g}$", xticklabels=[str(w) for w in rows["width"]])
    ax.minorticks_off()
    legend_outside(ax)
    return figure


WIDTH, DEPTH = Column("width", "int", meaning="of square layers"), Column("depth", "int", meaning="of the target")
WAY = Schema(
    Column("target", "text"),
    Column("one sample a", "text", meaning="what shares one sample: row of the matrix, or weight"),
    Column("subset", "text", meaning="nearest, within (any within eps) or smallest"),
)
EXPERIMENT = Schema(
    N,
    EPS,
    Column("over-parameterization", "float", meaning="random weights over those of the target"),
    Column("kept ratio", "float", meaning="weights kept over those of the target"),
    Column("standard error", "float", meaning="of the kept ratio, between samples"),
    Column("missed", "int", meaning="weights without a subset within eps"),
    Column("largest error", "float", meaning="of a weight"),
    Column("median error", "float", meaning="of a weight"),
    Column("accuracy", "float", meaning="of the trained target, on test data"),
    Column("accuracy after", "float", meaning="of its ticket"),
)
TIMING = Schema(
    Column("weights", "int"),
    Column("draw", "float", unit="s"),
    Column("solve", "float", unit="s"),
    Column("build", "float", unit="s"),
    Column("published", "int", unit="s"),
    Column("times faster a weight", "float"),
)
NETWORK = Schema(
    WIDTH,
    DEPTH,
    N,
    Column("repeat", "int"),
    Column("adversarial", "float", meaning="largest error found on the unit ball"),
    Column("certified", "float", meaning="a bound on the error over all of it"),
    Column("layer error", "float", meaning="largest of the layers' own, in spectral norm"),
    EPS,
)
TYPICAL = Schema(
    WIDTH,
    DEPTH,
    N,
    Column("adversarial", "float", meaning="median over the networks of the kind"),
    Column("certified", "float", meaning="median"),
    Column("least", "float", meaning="smallest adversarial error"),
    Column("most", "float", meaning="largest adversarial error"),
)
KEPT = Schema(
    WIDTH,
    EPS,
    N,
    Column("subset", "text"),
    Column("parameters", "int", meaning="weights of the random network"),
    Column("kept", "int", meaning="weights kept"),
    Column("hidden units", "int"),
    Column("certified", "float", meaning="bound on the error over the unit ball"),
    Column("lower bound", "float", meaning="necessary number of parameters"),
)


def _within_half(error: pd.Series) -> pd.Series:
    return error <= 0.5


def _mnist(target: pd.Series) -> pd.Series:
    return target.str.startswith("mnist")


def _trained(target: pd.Series) -> pd.Series:
    return ~target.str.startswith("uniform")


NEAREST = {"subset": "nearest"}
D_IN_OUT = {"d_in": "width", "d_out": "width"}
THEOREM = Rows(
    "typical",
    {"certified": _within_half},  # half of the networks of n units are within the median error: an n*(eps, 1/2)
    {**D_IN_OUT, "l": "depth", "eps": "certified", **exactly("n")},
    {"delta": 0.5, "evidence": "measured"},
    measured="n, one random target, median over at most 3 networks (no interval), certified error",
    otherwise="no network is within 1/2",
)
LAYERWISE = "error of each network, between the largest found and the certificate, given its layers' eps/(2 l)"
# the largest error on the unit ball lies between the largest found and the certificate
BETWEEN = {"low": "adversarial", "best": "certified", "high": "certified"}


def findings(tables: Tables) -> list[str]:
    rows = tables["experiment"]
    nearest = rows[rows["subset"] == "nearest"]
    kept, missed = nearest["kept ratio"], int(rows.groupby("target")["missed"].max().sum())
    return [
        f"Over-parameterization {nearest['over-parameterization'].iloc[0]:.2f} as published; nearest "
        f"subsets keep {kept.min():.2f} to {kept.max():.2f} numbers a weight, and at most {missed} weights have no "
        "subset within 0.01."
    ]


STUDY = Study(
    name="pensia_2020",
    question="How large must a random network be before pruning alone turns it into a trained one?",
    guise="scalar",
    analyse=analyse,
    tables={
        "experiment": WAY + EXPERIMENT,
        "kept_ratio": Schema(*(c for c in INTERVAL if c.name == "quantity")) + ENDS,
        "timing": WAY + TIMING,
        "network": NETWORK,
        "typical": TYPICAL,
        "needed": Schema(WIDTH, DEPTH, EPS, Column("n", "float", meaning="interpolated")),
        "units": Schema(Column("how", "text", meaning="one unit, or subset sum"), EPS) + INTERVAL,
        "kept": KEPT,
    },
    claims={
        "pensia-2020-experiment-n": Rows(
            "experiment", NEAREST, exactly("over-parameterization"), {"evidence": "computed"}
        ),
        "pensia-2020-experiment-kept": Rows(
            "kept_ratio",
            add={"n": 21, "eps": 0.01, "confidence": 0.95, "evidence": "measured"},
            measured="nearest subsets, uniform weights, one sample a row",
        ),
        "pensia-2020-experiment-within": Rows(
            "experiment",
            {"subset": "nearest", "target": _trained},
            exactly("missed"),
            {"evidence": "computed"},
            measured="weights without a subset within 0.01, of a network trained on digits or MNIST",
        ),
        "pensia-2020-experiment-accuracy": Rows(
            "experiment",
            {**NEAREST, "target": _mnist},
            exactly("accuracy after"),
            {"evidence": "measured"},
            measured="MNIST",
            otherwise="the stored run has trained on other digits; for the published data: rssp run pensia_2020 "
            "--data mnist",
        ),
        "pensia-2020": THEOREM,
        "otsuka-2025-dense": Rows("network", {}, BETWEEN, {"alpha": 1.0, "evidence": "computed"}, measured=LAYERWISE),
        "da-cunha-2023-error": Rows(
            "network",
            named={"l": "depth", "layer": "depth", **BETWEEN},
            add={"evidence": "computed"},
            measured=LAYERWISE,
        ),
        "malach-2020": Rows(
            "needed",
            {"eps": NEEDED_EPS[0]},
            {"l": "depth", **exactly("n")},
            {"evidence": "measured"},
            measured="n at eps = 0.1, median over at most 3 networks (no interval)",
            otherwise="no width reached eps = 0.1",
        ),
        "malach-2020-per-weight": Rows(
            "units", {"how": "one unit"}, measured="units until one is right by itself, median"
        ),
        "pensia-2020-parameters": Rows(
            "kept", NEAREST, {**D_IN_OUT, **exactly("parameters")}, {"evidence": "computed"}
        ),
        "pensia-2020-lower": Rows(
            "kept", NEAREST, exactly("parameters"), {"evidence": "computed"}, measured="random weights, one linear map"
        ),
        "pensia-2020-lower-width": Rows(
            "kept", NEAREST, exactly("hidden units"), {"evidence": "computed"}, measured="hidden units"
        ),
        "ferre-2026-weights": Rows(
            "units",
            {"how": "subset sum", "quantity": "units per weight"},
            add={"d": 1, "outputs": 1, "quantity": "width"},
            measured="units for one weight: a neuron of one input",
        ),
    },
    options=Options,
    figures={"network": draw_network, "gap": draw_gap, "kept": draw_kept},
    show=("experiment", "timing", "needed", "kept"),
    findings=findings,
)

if __name__ == "__main__":
    STUDY.main()
