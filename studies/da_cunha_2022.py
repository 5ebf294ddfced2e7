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
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

import rssp
from rssp.claims import Verdict, check, claim, out_of_reach
from rssp.errors import ArgumentError
from rssp.inference import median
from rssp.report import COLOURS, legend_outside, new_figure, plot_estimates
from rssp.study import Context, Study
from rssp.subsetsum.nearest.verbs import nearest_subset
from rssp.trials import Trials

if TYPE_CHECKING:
    from matplotlib.figure import Figure

LAYERS = {"conv1": (6, 1, 5), "conv2": (16, 6, 5)}
"""filters, channels and side of the kernels of a LeNet5"""
PUBLISHED_N = (10, 15, 20, 25, 30)
SCALES = {"quick": (1, 1), "standard": (1, 10), "full": (1, 100)}
"""step between the n's; networks drawn"""
QUANTILES = (0.05, 0.5, 0.95)
RELATIVE = 1e-3
"""the relative error that the paper reports for its random network, some 30 times larger than the target"""


def weights(rng: np.random.Generator) -> np.ndarray:
    """All 2,572 weights and biases, uniform in [-b, b], b = 1/sqrt(channels side^2): PyTorch's initial range."""
    parts = []
    for filters, channels, side in LAYERS.values():
        bound = 1 / math.sqrt(channels * side**2)
        parts.append(rng.uniform(-bound, bound, filters * (channels * side**2 + 1)))
    return np.concatenate(parts)


def analyse(trials: Mapping[str, Trials], context: Context) -> dict[str, pd.DataFrame]:
    step, networks = SCALES[context.scale]
    try:
        n_max = int(context.options["n_max"])
    except ValueError:
        raise ArgumentError("n_max", repr(context.options["n_max"]), "a whole number") from None
    rows, relative = [], []
    for n in range(5, n_max + 1, step):
        errors, targets = [], []
        for network in range(networks):
            rng = np.random.default_rng([context.seed, n, network])
            targets.append(weights(rng))
            sample = rssp.Uniform().draw_many(len(targets[-1]), n, rng)
            found = nearest_subset(sample, targets[-1][:, None], workers=context.workers or 1)
            errors.append(found.error)
        error, target = np.concatenate(errors), np.concatenate(targets)
        rows.append({"n": n, "weights": len(error)} | median(error).row() | _spread(error))
        # the kernels as a whole: 1-norm of the errors over that of the weights
        relative.append({"n": n, "relative error": error.sum() / np.abs(target).sum(), "factor": 2 * n})
    table = pd.DataFrame(rows)
    published = claim("da-cunha-2022-experiment-median").bound(n=table["n"])
    table = table.assign(published=published, **{"times too small": _ratio(table["best"], published)})
    return {"medians": table, "relative": pd.DataFrame(relative)}


def _spread(error: np.ndarray) -> dict[str, float]:
    low, _, high = np.quantile(error, QUANTILES)
    return {"5 %": float(low), "95 %": float(high), "largest": float(error.max())}


def _ratio(measured: pd.Series, published: np.ndarray) -> np.ndarray:
    """Measured over published median; nan where nothing was published, infinite where 0 was."""
    with np.errstate(divide="ignore"):
        return np.asarray(measured, dtype=np.float64) / published


def judge(tables: Mapping[str, pd.DataFrame]) -> list[Verdict]:
    medians, relative = tables["medians"], tables["relative"]
    seen = medians[medians["n"].isin(PUBLISHED_N)]
    # 15 % for the weights of the other network and its median's own uncertainty, where the figure is one of subsets
    within = seen.assign(claimed_error=0.15 * seen["best"].where(seen["published"] > 1e-6, 0.0))
    again = seen.assign(claimed_error=0.15 * seen["best"])
    enough = relative[relative["relative error"] <= RELATIVE]
    theorem = "one layer's subset sums are measured here, not networks of twice the depth; see pensia_2020 for those"
    factor, first = claim("da-cunha-2022-experiment-factor"), enough["n"].min()
    if len(enough):
        text = f"a relative error of {RELATIVE:g} takes n = {first} numbers a weight, {2 * first} with a sign each"
    else:
        text = f"no n here reaches a relative error of {RELATIVE:g}"
    return [
        check(claim("da-cunha-2022-experiment-median"), within, measured="median error, exact search"),
        check(claim("exact-median"), again, measured="the same; other weights, other samples"),
        out_of_reach(factor, f"{text}; the published network is not at hand"),
        out_of_reach(claim("da-cunha-2022"), theorem),
    ]


def draw_medians(tables: Mapping[str, pd.DataFrame]) -> Figure:
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


STUDY = Study(
    name="da_cunha_2022",
    question="How close do subset sums of n random numbers come to the weights of a convolutional network?",
    analyse=analyse,
    judge=judge,
    figures={"medians": draw_medians},
    show=("medians",),
    options={"n_max": "30"},
)

if __name__ == "__main__":
    STUDY.main()
