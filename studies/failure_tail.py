"""By which factor does the probability of failure fall with every further random number?

For n beyond the threshold, P(fail), the probability that some target of [-1, 1] is farther than eps from every subset
sum of n numbers uniform on [-1, 1], is far too small to be counted. The claims: da Cunha et al. (ESA 2023) bound it by
2 exp(-(n - C log2(1/eps))^2 / (kappa n)); Lueker (1998) makes it eps for n >= C log2(1/eps). Neither C is given. From
below it is bounded exactly, for a sample whose positive numbers add up to less than 1 - eps misses the target 1:
P(fail) >= 2^-n (2 L_n(-x) - x^n C(2n, n)/n!), x = 1 - eps, with the Laguerre polynomial L_n. For large n each further
number multiplies this bound by nearly 1/2: log2 falls by 1 - log2(e)/sqrt(n).

Measured here: P(fail) from 1/2 to below 1e-9, by importance sampling (one-sided samples, weighted), beside plain
counting where that reaches; its slope in n; the n at which P(fail) = eps, which is the C of Lueker's theorem for
delta = eps; one target alone; and the mean distance from a target to the nearest sum.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

import rssp
from rssp.claims import check, claim
from rssp.inference import clopper_pearson, tail_crossing, tail_slopes, weighted_failure
from rssp.montecarlo import CoveringProfiles, Experiment, HittingTimes, rare_failure_experiment
from rssp.report import COLOURS, legend_outside, new_figure, plot_estimates, plot_line
from rssp.study import Context, Study, Task
from rssp.trials import Trials

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from rssp.claims import Verdict

LAW = rssp.Uniform()
POINT = 1e-9
"""half the length of the interval that stands for one target: what lies within eps of all of it and of its middle
differs by this"""
TARGETS = {
    "[-1, 1]": rssp.Ball.interval(-1, 1),
    "[-1/2, 1/2]": rssp.Ball.interval(-0.5, 0.5),
    "1": rssp.Ball(1, POINT, centre=1.0),
    "1/2": rssp.Ball(1, POINT, centre=0.5),
}
Z = {"1": 1.0, "1/2": 0.5}
FINE = 1e-3
SERIES = (("[-1, 1]", 1e-2), ("[-1, 1]", FINE), ("[-1, 1]", 1e-4), ("[-1/2, 1/2]", FINE), ("1", FINE), ("1/2", FINE))
STEP = 5  # odd, so that the middle of two neighbouring n is the middle of n, n + 1
N = {1e-2: range(10, 56, STEP), FINE: range(15, 66, STEP), 1e-4: range(20, 71, STEP)}
TRIALS = {"quick": 3000, "standard": 40_000, "full": 200_000}
PLAIN = {"quick": 2000, "standard": 20_000, "full": 100_000}
BITS = {"quick": range(4, 13, 2), "standard": range(4, 21, 2), "full": range(4, 25)}
N_PLAIN, N_ERROR = 24, 18
KAPPAS = (1.5, 2.0, 4.0)
"""values at which the other constant of the tail bound is fitted: the paper gives neither. For large n the
logarithm of the bound falls by 1/kappa a number, that of P(fail) by ln 2: kappa cannot be below 1.44"""
RATES = (0.4, 0.5, 0.6)
"""values of c at which the A of Lueker's bound on the mean error is fitted"""


def plan(scale: str, seed: int) -> Sequence[Task]:
    tasks = []
    for targets, eps in SERIES:
        for n in N[eps]:
            experiment = rare_failure_experiment(LAW, n, eps, TARGETS[targets], seed=seed)
            tasks.append(Task(f"{targets}, eps {eps:g}, n {n}", experiment, _trials(scale, eps)))
    for eps in (1e-2, FINE):
        experiment = Experiment(LAW, TARGETS["[-1, 1]"], HittingTimes((eps,), N_PLAIN), seed=seed)
        tasks.append(Task(f"plain, eps {eps:g}", experiment, PLAIN[scale]))
    for bits in BITS[scale]:
        for n in _around(bits):
            experiment = rare_failure_experiment(LAW, n, 2.0**-bits, TARGETS["[-1, 1]"], seed=seed)
            tasks.append(Task(f"delta = eps = 2^-{bits}, n {n}", experiment, _trials(scale, 2.0**-bits) // 2))
    for targets in Z:
        experiment = Experiment(LAW, TARGETS[targets], CoveringProfiles(N_ERROR, n_min=4), seed=seed)
        tasks.append(Task(f"distance to {targets}", experiment, PLAIN[scale]))
    return tasks


def _trials(scale: str, eps: float) -> int:
    """The cost of a trial grows like 1/eps: a quarter of the trials at 1e-4."""
    return max(TRIALS[scale] // 50, int(TRIALS[scale] * min(1.0, (eps / FINE) ** 0.6)))


def _around(bits: int) -> list[int]:
    """Four n around the one where P(fail) = eps = 2^-bits: above the edge bound's by 0.6 a bit."""
    edge = int(claim("edge-samples").bound(eps=2.0**-bits, delta=2.0**-bits))
    middle = edge + round(0.6 * (bits - 3))
    return [middle - 3, middle - 1, middle + 1, middle + 3]


def analyse(trials: Mapping[str, Trials], context: Context) -> dict[str, pd.DataFrame]:
    failures = pd.concat([_series(trials, targets, eps) for targets, eps in SERIES], ignore_index=True)
    slopes = pd.concat([_slopes(rows) for _, rows in failures.groupby(["targets", "eps"], sort=False)])
    points, constants = _constants(trials, BITS[context.scale])
    plain = pd.concat([_plain(trials[f"plain, eps {eps:g}"].table, failures, eps) for eps in (1e-2, FINE)])
    error = pd.concat([_mean_error(trials[f"distance to {targets}"].table, targets) for targets in Z])
    tables = {
        "failures": failures,
        "slopes": slopes,
        "constant points": points,
        "constants": constants,
        "plain": plain,
        "error": error,
    }
    tables |= {"summary": _summary(failures, slopes), "agreement": plain[plain["weighted"].notna()]}
    return {name: table.reset_index(drop=True) for name, table in tables.items()}


def _estimate(trials: Trials) -> dict[str, Any]:
    seen = weighted_failure(trials)
    return {**seen.row(), **seen.details}


def _series(trials: Mapping[str, Trials], targets: str, eps: float) -> pd.DataFrame:
    rows = [{"n": n, **_estimate(trials[f"{targets}, eps {eps:g}, n {n}"])} for n in N[eps]]
    table = pd.DataFrame(rows)
    if targets in Z:
        table["edge"] = claim("edge-one-target").bound(n=table["n"], eps=eps, z=Z[targets])
    else:
        table["edge"] = claim("edge-fail").bound(n=table["n"], eps=eps, radius=TARGETS[targets].radius)
    return table.assign(targets=targets, eps=eps)[["targets", "eps", *table.columns]]


def _slopes(rows: pd.DataFrame) -> pd.DataFrame:
    """log2 P(fail) per number between neighbouring n, with its 95 % interval; n is where the bound's slope is read.

    `share` is the bound over P(fail) at the lower n: the part of the failures that is due to the sum of one side alone.
    """
    rows = rows[rows["best"] > 0]
    table = tail_slopes(rows).drop(columns="n_high")
    table = table.assign(n_low=table["n_low"] + STEP // 2).rename(columns={"n_low": "n"})
    share = (rows["edge"] / rows["best"]).to_numpy()[:-1]
    table = table.assign(p=rows["best"].to_numpy()[1:], share=share, edge=np.diff(np.log2(rows["edge"])) / STEP)
    table = table.assign(asymptote=-1 + math.log2(math.e) / np.sqrt(table["n"] + 0.5))
    return table.assign(targets=rows["targets"].iloc[0], eps=rows["eps"].iloc[0])


def _plain(table: pd.DataFrame, failures: pd.DataFrame, eps: float) -> pd.DataFrame:
    """Plain counting at every n, beside the weighted estimate and the standard errors between the two."""
    times, total = table["n"].to_numpy(), len(table)
    n = np.arange(8, N_PLAIN + 1)
    missed = np.array([np.count_nonzero((times < 0) | (times > m)) for m in n])
    low, high = clopper_pearson(missed, np.full(n.size, total))
    seen = pd.DataFrame({"eps": eps, "n": n, "low": low, "best": missed / total, "high": high, "trials": total})
    of_interval = failures[(failures["targets"] == "[-1, 1]") & (failures["eps"] == eps)]
    weighted = of_interval.set_index("n")[["best", "relative_error"]].reindex(n).to_numpy(dtype=float).T
    variance = weighted[0] * (1 - np.minimum(weighted[0], 1)) / total + (weighted[0] * weighted[1]) ** 2
    apart = (seen["best"] - weighted[0]) / np.sqrt(variance)
    return seen.assign(weighted=weighted[0], **{"standard errors apart": apart})


def _constants(trials: Mapping[str, Trials], bits: Sequence[int]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """n with P(fail) = eps, by a weighted straight line through log2 P(fail) at four n around it."""
    points, rows = [], []
    for b in bits:
        near = [{"eps": 2.0**-b, "n": n, **_estimate(trials[f"delta = eps = 2^-{b}, n {n}"])} for n in _around(b)]
        points += near
        seen, edge = tail_crossing(pd.DataFrame(near), 2.0**-b), _edge_crossing(b)
        constant = {"C low": seen.low / b, "C": seen.best / b, "C high": seen.high / b}
        rows.append({"eps": 2.0**-b, "delta": 2.0**-b, **seen.row(), **constant, "edge n": edge, "edge C": edge / b})
    return pd.DataFrame(points), pd.DataFrame(rows)


def _edge_crossing(bits: int) -> float:
    """The n, between whole ones, at which the bound of one-sided samples is eps = 2^-bits."""
    eps = 2.0**-bits
    after = float(claim("edge-samples").bound(eps=eps, delta=eps))
    high, low = np.log2(claim("edge-fail").bound(n=np.array([after - 1, after]), eps=eps))
    return after - 1 + (high + bits) / (high - low)


def _mean_error(table: pd.DataFrame, targets: str) -> pd.DataFrame:
    grouped = table.groupby("n")["lower"]
    mean = grouped.mean()
    error: pd.Series = grouped.std() / np.sqrt(grouped.size())
    rows = pd.DataFrame({"low": mean - 1.96 * error, "best": mean, "high": mean + 1.96 * error}).reset_index()
    return rows.assign(targets=targets, z=Z[targets])


def _ends(table: pd.DataFrame) -> list[pd.Series]:
    return [table[name] for name in ("low", "best", "high")]


def _summary(failures: pd.DataFrame, slopes: pd.DataFrame) -> pd.DataFrame:
    """What a run prints: P(fail) at eps = 1e-3 and its slope to the next n."""
    rows = failures[(failures["targets"] == "[-1, 1]") & (failures["eps"] == FINE)]
    steps = slopes[(slopes["targets"] == "[-1, 1]") & (slopes["eps"] == FINE)]
    columns = {
        "n": rows["n"],
        "P(fail)": [f"{p:.3g} [{a:.3g}, {b:.3g}]" for a, p, b in zip(*_ends(rows), strict=True)],
        "P(fail) over edge bound": (rows["best"] / rows["edge"]).round(2),
        "effective size": rows["effective_size"].round().astype(int),
    }
    slope = [f"{s:.3f} +- {(b - a) / 2:.3f}" for a, s, b in zip(*_ends(steps), strict=True)]
    following = pd.DataFrame({"slope to the next n": slope, "slope of the bound": [f"{s:.3f}" for s in steps["edge"]]})
    following.index = steps["n"] - STEP // 2
    return pd.DataFrame(columns).join(following, on="n").fillna("-")


def judge(tables: Mapping[str, pd.DataFrame]) -> list[Verdict]:
    failures, slopes, constants = tables["failures"], tables["slopes"], tables["constants"]
    whole_n = constants.assign(**{name: np.ceil(constants[name]) for name in ("low", "best", "high")})
    on = {name: failures[failures["targets"].astype(str) == name] for name in TARGETS}
    far = slopes[(slopes["targets"].astype(str) == "[-1, 1]") & (slopes["share"] >= 0.5)]
    half, whole = (on[name][on[name]["best"] < 1] for name in ("[-1/2, 1/2]", "[-1, 1]"))
    verdicts = [
        check(claim("edge-fail"), whole, measured="P(fail), all targets of [-1, 1]"),
        check(claim("edge-samples"), whole_n, measured="n* at delta = eps, [-1, 1]"),
        check(claim("lueker-1998"), constants, measured="n with P(fail) = eps, interpolated, delta = eps, [-1, 1]"),
    ]
    if len(far):
        label = "slope of log2 P(fail), [-1, 1], where one-sided samples are half of the failures or more"
        verdicts.append(check(claim("edge-slope"), far, measured=label))
    one = pd.concat([on[name].assign(z=z) for name, z in Z.items()])
    verdicts.append(check(claim("edge-one-target"), one, measured="P(miss), targets 1 and 1/2"))
    label = "P(fail), uniform, all targets of [-1/2, 1/2]"
    verdicts += [check(claim("esa-2023-tail"), half, measured=label, kappa=kappa) for kappa in KAPPAS]
    error = tables["error"]
    for rate in RATES:
        label = "mean distance from the targets 1 and 1/2 to the nearest sum"
        verdicts.append(check(claim("lueker-1998-mean"), error, constant="A", measured=label, c=rate))
    return verdicts


def _points(table: pd.DataFrame, x: str, label: str, ax: Axes, colour: str, **options: Any) -> None:
    plot_estimates(table.assign(series=label), x, by="series", ax=ax, colours=[colour], ms=4, **options)


def _interval(table: pd.DataFrame) -> pd.DataFrame:
    return table[table["targets"].astype(str) == "[-1, 1]"]


def draw_failures(tables: Mapping[str, pd.DataFrame]) -> Figure:
    figure, axes = new_figure(1, 2, width=11.5, height=4.6)
    rows = _interval(tables["failures"])
    for ax, other in zip(axes, (False, True), strict=True):
        if other:
            failures = tables["failures"]
            rows = failures[(failures["eps"] == FINE)].assign(targets=failures["targets"].astype(str))
        groups = rows.groupby("targets" if other else "eps", sort=False)
        for colour, (name, group) in zip(COLOURS, groups, strict=False):
            label = _target_label(str(name)) if other else rf"$\varepsilon = {name:g}$"
            _points(group, "n", label, ax, colour)
            plot_line(group, "n", "edge", ax=ax, color=colour, lw=1.1, ls="--")
        if not other:
            plain = tables["plain"][(tables["plain"]["best"] > 0) & (tables["plain"]["n"] % 2 == 0)]
            _points(plain, "n", "plain counting", ax, "black", marker="x", zorder=4)
        title = rf"$\varepsilon = {FINE:g}$" if other else "all targets of [-1, 1]"
        ax.set(title=title, xlabel="$n$", ylabel="$P$(fail)", yscale="log")
        ax.plot([], [], color="gray", ls="--", lw=1.1, label="one-sided samples\n(exact lower bound)")
        ax.legend(loc="lower left")
    return figure


def _target_label(name: str) -> str:
    return f"one target, {name}" if name in Z else f"all of {name}"


def draw_slopes(tables: Mapping[str, pd.DataFrame]) -> Figure:
    figure, (ax,) = new_figure(width=7.6, height=4.4)
    slopes = _interval(tables["slopes"])
    for i, (eps, rows) in enumerate(slopes.groupby("eps", sort=False)):
        beside = rows.assign(x=rows["n"] + 0.5 + 0.4 * (i - 1))  # points of equal n side by side
        _points(beside, "x", rf"measured, $\varepsilon = {eps:g}$", ax, COLOURS[i])
    fine = slopes[slopes["eps"] == FINE].assign(x=lambda t: t["n"] + 0.5)
    plot_line(fine, "x", "edge", ax=ax, color="black", ls="--", lw=1.2, label="one-sided samples, exact")
    limit = r"$-1 + \log_2(e)/\sqrt{n}$"
    plot_line(fine, "x", "asymptote", ax=ax, color="black", ls=":", lw=1.2, label=limit)
    ax.axhline(-1, color="gray", lw=0.8)
    ax.set(xlabel="$n$", ylabel=r"$\log_2 P$(fail) per further number", title="all targets of [-1, 1]")
    legend_outside(ax)
    return figure


def draw_constants(tables: Mapping[str, pd.DataFrame]) -> Figure:
    figure, (ax,) = new_figure(width=7.6, height=4.4)
    rows = tables["constants"]
    seen = pd.DataFrame(
        {"bits": -np.log2(rows["eps"]), "low": rows["C low"], "best": rows["C"], "high": rows["C high"]}
    )
    _points(seen, "bits", r"measured: $P$(fail) $= \varepsilon$", ax, COLOURS[0])
    bits = np.arange(4, 41)
    ax.plot(
        bits,
        [_edge_crossing(int(b)) / b for b in bits],
        color="black",
        ls="--",
        lw=1.2,
        label="at least (one-sided samples, exact)",
    )
    ax.axhline(1, color="gray", lw=1, label=r"limit of the bound for $\varepsilon \to 0$")
    ax.set(
        xlabel=r"$\log_2(1/\varepsilon)$",
        ylabel=r"$C = n^*(\varepsilon, \delta = \varepsilon) / \log_2(1/\varepsilon)$",
    )
    ax.set(title="Lueker's constant for all targets of [-1, 1]", ylim=(0.9, 3.2))
    legend_outside(ax)
    return figure


STUDY = Study(
    name="failure_tail",
    question="By which factor does the probability of failure fall with every further random number?",
    plan=plan,
    analyse=analyse,
    judge=judge,
    figures={"failures": draw_failures, "slopes": draw_slopes, "constants": draw_constants},
    show=("summary", "agreement", "constants"),
)

if __name__ == "__main__":
    STUDY.main()
