"""How close do the subset sums of n random numbers come to the weights of a convolutional network?

Published with the code of da Cunha, Natale and Viennot (ICLR 2022): the 2,572 convolution weights of a LeNet5 (6
filters of 5 x 5 over one channel, 16 of 5 x 5 over six, and 22 biases), each with its own n numbers uniform on [-1, 1];
median errors 1.14e-3, 4.4e-5, 3e-8, 0 and 0 at n = 10, 15, 20, 25 and 30.

Measured here: the same medians by exact search, for weights drawn in the usual range of such a network. No subset comes
as close as the last three figures say: they are about 2^n times smaller than what 2^n sums allow, and appear when the
unrounded 0-1 variables of a mixed-integer solver are added up in place of the subset they stand for.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

import rssp
from rssp import nearest_subset
from rssp.claims import claim
from rssp.inference import median
from rssp.report import COLOURS, legend_outside, new_figure, plot_estimates
from rssp.schemas import INTERVAL, Column, Schema
from rssp.study import Context, Rows, Study, Tables, option
from rssp.study.columns import N

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from rssp.trials import Trials

LAYERS = {"conv1": (6, 1, 5), "conv2": (16, 6, 5)}
"""filters, channels and side of the kernels of a LeNet5"""
PUBLISHED_N = (10, 15, 20, 25, 30)
SCALES = {"quick": (1, 1), "standard": (1, 10), "full": (1, 100)}
"""step between the n's; networks drawn"""
QUANTILES = (0.05, 0.5, 0.95)


@dataclass(frozen=True)
class Options:
    n_max: int = option(30, "largest number of samples a weight", least=5)


def weights(rng: np.random.Generator) -> np.ndarray:
    """All 2,572 weights and biases, uniform in [-b, b], b = 1/sqrt(channels side^2): PyTorch's initial range."""
    parts = []
    for filters, channels, side in LAYERS.values():
        bound = 1 / math.sqrt(channels * side**2)
        parts.append(rng.uniform(-bound, bound, filters * (channels * side**2 + 1)))
    return np.concatenate(parts)


def analyse(runs: Mapping[str, Trials], context: Context) -> dict[str, pd.DataFrame]:
    step, networks = SCALES[context.scale]
    rows, relative = [], []
    for n in range(5, context.options.n_max + 1, step):
        errors, targets = [], []
        for network in range(networks):
            rng = np.random.default_rng([context.seed, n, network])
            targets.append(weights(rng))
            sample = rssp.Uniform().draw_many(len(targets[-1]), n, rng)
            found = nearest_subset(sample, targets[-1][:, None], workers=context.workers or 1)
            errors.append(found.error)
        error, target = np.concatenate(errors), np.concatenate(targets)
        typical = median(error, quantity="median error")
        rows.append({"n": n, "weights": len(error)} | typical.row() | _spread(error))
        # the kernels as a whole: 1-norm of the errors over that of the weights
        relative.append({"n": n, "relative error": error.sum() / np.abs(target).sum(), "factor": 2 * n})
    table = pd.DataFrame(rows)
    known = table["n"].isin(PUBLISHED_N)
    published = np.full(len(table), np.nan)
    published[known] = claim("da-cunha-2022-experiment-median").bound(n=table.loc[known, "n"])
    table = table.assign(published=published, **{"times too small": _ratio(table["best"], published)})
    return {"medians": table, "relative": pd.DataFrame(relative)}


def _spread(error: np.ndarray) -> dict[str, float]:
    low, _, high = np.quantile(error, QUANTILES)
    return {"5 %": float(low), "95 %": float(high), "largest": float(error.max())}


def _ratio(measured: pd.Series, published: np.ndarray) -> np.ndarray:
    """Measured over published median; nan where nothing was published, infinite where 0 was."""
    with np.errstate(divide="ignore"):
        return np.asarray(measured, dtype=np.float64) / published


def draw_medians(tables: Tables) -> Figure:
    figure, (ax,) = new_figure(width=8.2, height=4.4)
    table = tables["medians"]
    ax.fill_between(table["n"], table["5 %"], table["95 %"], color=COLOURS[0], alpha=0.15, lw=0, label="5 to 95 %")
    rows = table.assign(series="nearest subset, median")
    plot_estimates(rows, "n", by="series", ax=ax, colours=[COLOURS[0]], line=True, ms=3.5, lw=1)
    claimed = table[table["published"].notna()]
    above = claimed[claimed["published"] > 0]
    ax.plot(above["n"], above["published"], marker="D", ls="", color=COLOURS[1], label="published median")
    floor = 1e-11
    zero = claimed[claimed["published"] == 0]
    ax.plot(zero["n"], np.full(len(zero), 2 * floor), marker="v", ls="", ms=9, mfc="none", color=COLOURS[1])
    if len(zero):
        ax.plot([], [], marker="v", ls="", ms=9, mfc="none", color=COLOURS[1], label="published median: 0")
    ax.set(xlabel="$n$ numbers a weight", ylabel="error of a weight", yscale="log", ylim=(floor, 1))
    legend_outside(ax)
    return figure


MEDIANS = Schema(
    N,
    Column("weights", "int", meaning="weights and biases, of all networks drawn"),
    *(Column(name, "float", meaning="of the errors of all weights") for name in ("5 %", "95 %", "largest")),
    Column("published", "float", meaning="the median that was published"),
    Column("times too small", "float", meaning="measured over published median"),
)
RELATIVE = Schema(
    N,
    Column("relative error", "float", meaning="1-norm of the errors over that of the weights"),
    Column("factor", "int", meaning="random numbers a weight, with a sign each"),
)


def findings(tables: Tables) -> list[str]:
    rows = tables["medians"]
    both = rows[rows["published"].notna()]
    said = [f"{row.best:.2g} for {row.published:.2g} at n = {row.n}" for row in both.itertuples()]
    return [f"Median error of nearest subsets, for that published: {', '.join(said)}."]


STUDY = Study(
    name="da_cunha_2022",
    question="How close do subset sums of n random numbers come to the weights of a convolutional network?",
    guise="scalar",
    analyse=analyse,
    tables={"medians": MEDIANS + INTERVAL, "relative": RELATIVE},
    claims={
        "da-cunha-2022-experiment-median": Rows("medians", {"n": PUBLISHED_N}, measured="median error, exact search"),
    },
    options=Options,
    figures={"medians": draw_medians},
    show=("medians",),
    findings=findings,
)

if __name__ == "__main__":
    STUDY.main()
