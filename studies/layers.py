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

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

import rssp
from rssp.claims import check, claim
from rssp.prediction.covering_law import predicted_required_samples
from rssp.prediction.moments import minimal_n
from rssp.report import COLOURS, eps_label, legend_outside, new_figure, plot_estimates
from rssp.study import Context, Study
from rssp.trials import Trials

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from rssp.claims import Verdict

DELTA = 0.5
# (kernel size, channels)
LAYERS = {
    "quick": ((1, 1), (1, 2), (2, 1), (3, 1), (3, 4)),
    "standard": ((1, 1), (1, 2), (2, 1), (3, 1), (2, 4), (3, 4), (3, 16), (3, 64)),
}
LAYERS["full"] = LAYERS["standard"]
EPS = {"quick": (1e-2,), "standard": (1e-2, 1e-3), "full": (1e-2, 1e-3)}
MOMENTS_TO = {"quick": 4, "standard": 16, "full": 32}
"""the dimension up to which the second moment is computed"""


def _samples(dim: int) -> int:
    """Samples that the covering law averages over."""
    return 100 if dim <= 4 else 20 if dim <= 9 else 4 if dim <= 200 else 2


def analyse(trials: Mapping[str, Trials], context: Context) -> dict[str, pd.DataFrame]:
    rows = []
    for eps in EPS[context.scale]:
        for kernel, c in LAYERS[context.scale]:
            dim = kernel**2 * c
            law = rssp.NormallyScaledNormal(dim)
            seen = predicted_required_samples(law, eps, DELTA, rssp.Ball(dim), samples=_samples(dim), seed=context.seed)
            guarantee = minimal_n(law, eps).n if dim <= MOMENTS_TO[context.scale] else np.nan
            counting = float(claim("counting-cnn").bound(kernel=kernel, c=c, eps=eps))
            row: dict[str, Any] = {
                "kernel": kernel,
                "c": c,
                "dim": dim,
                "l": 1,
                "eps": eps,
                "delta": DELTA,
                "counting": counting,
            }
            row |= seen.row() | {end: int(getattr(seen, end)) for end in ("low", "best", "high")}
            rows.append(row | {"second moment": guarantee})
    table = pd.DataFrame(rows)
    corner = table[(table["dim"] == 1) & (table["eps"] == table["eps"].max())].iloc[0]
    theorem = claim("da-cunha-2023")
    at_one = theorem.bound(kernel=1, c=1, l=1, eps=corner["eps"], C=1.0)
    constant = float(corner["best"] / at_one)
    bound = theorem.bound(kernel=table["kernel"], c=table["c"], l=1, eps=table["eps"], C=constant)
    table = table.assign(theorem=bound, C=constant)
    return {"summary": _summary(table), "layers": table}


def _summary(table: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "layer": [f"{k} x {k} x {c}" for k, c in zip(table["kernel"], table["c"], strict=True)],
            "dimension": table["dim"],
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


def judge(tables: Mapping[str, pd.DataFrame]) -> list[Verdict]:
    table = tables["layers"]
    label = "n*, normally-scaled, predicted by the covering law"
    return [
        check(claim("counting-cnn"), table, measured=label),
        check(claim("da-cunha-2023"), table, measured=label),
    ]


def draw_layers(tables: Mapping[str, pd.DataFrame]) -> Figure:
    table = tables["layers"]
    groups = sorted(table["eps"].unique(), reverse=True)
    figure, axes = new_figure(1, len(groups), width=4.6 * len(groups) + 2.4, height=4.4)
    for ax, eps in zip(axes, groups, strict=True):
        rows = table[table["eps"] == eps].sort_values("dim")
        plot_estimates(rows, "dim", ax=ax, line=True, colours=[COLOURS[0]])
        ax.plot(rows["dim"], rows["second moment"], "s-", color=COLOURS[2], ms=4)
        ax.plot(rows["dim"], rows["counting"], color="black", ls="--", lw=1.1)
        ax.plot(rows["dim"], rows["theorem"], "^:", color=COLOURS[1], ms=4)
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


STUDY = Study(
    name="layers",
    question="How many filters do real convolutional layers need: prediction, guarantee, counting bound and theorem?",
    analyse=analyse,
    judge=judge,
    figures={"layers": draw_layers},
    show=("summary",),
)

if __name__ == "__main__":
    STUDY.main()
