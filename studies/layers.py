"""How many filters do real layers need? Prediction, guarantee, counting bound and theorem side by side.

A k x k kernel with c output channels is a target of dimension k^2 c for every input channel: 144 for 3 x 3 x 16 and 576
for 3 x 3 x 64. No sum can be enumerated there. Four numbers of filters per input channel and sign, for all kernels with
entries in [-1, 1] and error eps in the max norm:

- the covering law's n*(eps, delta = 1/2) for normally-scaled normal vectors (`rssp.prediction.covering_law`);
- the second moment's guarantee for one target: the smallest n with E[Y^2] <= 2 E[Y]^2 for some subset size, so that
  P(hit) >= 1/2 (exact, where its quadrature is feasible);
- the counting bound k^2 c log2(1/eps), necessary for every law;
- the theorem of da Cunha, d'Amore and Natale (2023), C k^13 c^6 log^3(k^2 c l / eps), exponents as quoted, l = 1, its
  unknown C fitted so that it agrees with the covering law at the smallest layer, 1 x 1 x 1.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

import rssp
from rssp.claims import claim
from rssp.laws.parse import identity_columns
from rssp.prediction.covering_law import predicted_required_samples
from rssp.prediction.moments import minimal_n
from rssp.report import COLOURS, eps_label, legend_outside, new_figure, plot_estimates
from rssp.schemas import IDENTITY, INTERVAL, Column, Schema
from rssp.study import Context, Rows, Study, Tables, option
from rssp.study.columns import DELTA, EPS

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from rssp.trials import Trials

HALF = 0.5
# (kernel size, channels)
LAYERS = {
    "quick": ((1, 1), (1, 2), (2, 1), (3, 1), (3, 4)),
    "standard": ((1, 1), (1, 2), (2, 1), (3, 1), (2, 4), (3, 4), (3, 16), (3, 64)),
}
LAYERS["full"] = LAYERS["standard"]
ERRORS = {"quick": (1e-2,), "standard": (1e-2, 1e-3), "full": (1e-2, 1e-3)}
MOMENTS_TO = {"quick": 4, "standard": 16, "full": 32}
"""the dimension up to which the second moment is computed"""


@dataclass(frozen=True)
class Options:
    largest: int | None = option(None, "largest dimension kernel^2 c of a layer", least=1)
    moments_to: int | None = option(None, "the dimension up to which the second moment is computed", least=1)
    samples: int | None = option(None, "samples that the covering law averages over", least=1)


def _samples(dim: int) -> int:
    """Samples that the covering law averages over."""
    return 100 if dim <= 4 else 20 if dim <= 9 else 4 if dim <= 200 else 2


def analyse(runs: Mapping[str, Trials], context: Context) -> dict[str, pd.DataFrame]:
    options = context.options
    layers = [(kernel, c) for kernel, c in LAYERS[context.scale] if kernel**2 * c <= (options.largest or math.inf)]
    moments_to = options.moments_to or MOMENTS_TO[context.scale]
    rows = []
    for eps in ERRORS[context.scale]:
        for kernel, c in layers:
            dim = kernel**2 * c
            law, ball, samples = rssp.NormallyScaledNormal(dim), rssp.Ball(dim), options.samples or _samples(dim)
            seen = predicted_required_samples(law, eps, HALF, ball, samples=samples, seed=context.seed)
            guarantee = minimal_n(law, eps).n if dim <= moments_to else np.nan
            counting = float(claim("counting-cnn").bound(kernel=kernel, c=c, eps=eps))
            row = {"kernel": kernel, "c": c, "l": 1, "eps": eps, "delta": HALF, "counting": counting}
            rows.append(row | seen.row() | {"quantity": "n*", "second moment": guarantee} | identity_columns(law, ball))
    table = pd.DataFrame(rows)
    corner = table[(table["d"] == 1) & (table["eps"] == table["eps"].max())].iloc[0]
    theorem = claim("da-cunha-2023")
    at_one = theorem.bound(kernel=1, c=1, l=1, eps=corner["eps"], C=1.0)
    constant = float(corner["best"] / at_one)
    bound = theorem.bound(kernel=table["kernel"], c=table["c"], l=1, eps=table["eps"], C=constant)
    table = table.assign(theorem=bound, **{"fitted constant": constant})
    return {"summary": _summary(table), "layers": table}


def _summary(table: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "layer": [f"{k} x {k} x {c}" for k, c in zip(table["kernel"], table["c"], strict=True)],
            "dimension": table["d"],
            "eps": table["eps"],
            "counting": table["counting"].round().astype(int),
            "covering law": [
                f"{b:.0f} [{a:.0f}, {c:.0f}]"
                for a, b, c in zip(table["low"], table["best"], table["high"], strict=True)
            ],
            "second moment (one target)": table["second moment"],
            "theorem, C fitted at 1 x 1 x 1": [f"{x:.3g}" for x in table["theorem"]],
        }
    )


def draw_layers(tables: Tables) -> Figure:
    table = tables["layers"]
    groups = sorted(table["eps"].unique(), reverse=True)
    figure, axes = new_figure(1, len(groups), width=4.6 * len(groups) + 2.4, height=4.4)
    for ax, eps in zip(axes, groups, strict=True):
        rows = table[table["eps"] == eps].sort_values("d")
        plot_estimates(rows, "d", ax=ax, line=True, colours=[COLOURS[0]])
        ax.plot(rows["d"], rows["second moment"], "s-", color=COLOURS[2], ms=4)
        ax.plot(rows["d"], rows["counting"], color="black", ls="--", lw=1.1)
        ax.plot(rows["d"], rows["theorem"], "^:", color=COLOURS[1], ms=4)
        ax.set(xscale="log", yscale="log", xlabel="dimension $k^2 c$", ylabel="filters per input channel and sign, $n$")
        ax.set_title(rf"$\varepsilon$ = {eps_label(eps)}, $\delta$ = 1/2")
    from matplotlib.lines import Line2D

    handles = [
        Line2D(
            [],
            [],
            color=COLOURS[1],
            marker="^",
            ls=":",
            label="theorem as quoted,\n$C$ fitted at $1 \\times 1 \\times 1$",
        ),
        Line2D([], [], color=COLOURS[2], marker="s", label="second moment\n(one target)"),
        Line2D([], [], color=COLOURS[0], marker="o", label="covering law\n(every target)"),
        Line2D([], [], color="black", ls="--", label="counting bound"),
    ]
    legend_outside(axes[-1], handles=handles)
    return figure


LABEL = "n*, normally-scaled, predicted by the covering law"
LAYER_COLUMNS = Schema(
    Column("kernel", "int", meaning="side of the kernel"),
    Column("c", "int", meaning="output channels"),
    Column("l", "int", meaning="depth"),
    EPS,
    DELTA,
    Column("counting", "float", unit="n", meaning="necessary by counting"),
    Column("second moment", "float", unit="n", meaning="enough for one target, by the exact second moment"),
    Column("theorem", "float", unit="n", meaning="the theorem's bound"),
    Column("fitted constant", "float", meaning="the theorem's C, fitted at 1 x 1 x 1"),
)
SUMMARY = Schema(
    Column("layer", "text"),
    Column("dimension", "int"),
    EPS,
    Column("counting", "int"),
    Column("covering law", "text"),
    Column("second moment (one target)", "float"),
    Column("theorem, C fitted at 1 x 1 x 1", "text"),
)


def findings(tables: Tables) -> list[str]:
    rows = tables["layers"]
    ratio = rows["best"] / rows["counting"]
    return [
        f"{ratio.min():.2f} to {ratio.max():.2f} times the counting bound over {len(rows)} layers, as the covering law "
        "predicts; nothing is measured here."
    ]


STUDY = Study(
    name="layers",
    question="How many filters do real convolutional layers need: prediction, guarantee, counting bound and theorem?",
    guise="vector",
    analyse=analyse,
    tables={"summary": SUMMARY, "layers": LAYER_COLUMNS + INTERVAL + IDENTITY},
    # predictions: what they say of a theorem is printed apart
    claims={"counting-cnn": Rows("layers", measured=LABEL)},
    options=Options,
    figures={"layers": draw_layers},
    show=("summary",),
    findings=findings,
)

if __name__ == "__main__":
    STUDY.main()
