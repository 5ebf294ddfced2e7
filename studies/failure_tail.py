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
from rssp.claims import claim
from rssp.inference import clopper_pearson, tail_crossing, tail_slopes, weighted_failure
from rssp.laws.parse import identity_columns
from rssp.montecarlo import CoveringProfiles, Experiment, HittingTimes, rare_failure_experiment
from rssp.report import COLOURS, legend_outside, new_figure, plot_estimates, plot_line
from rssp.schemas import IDENTITY, INTERVAL, Column, Schema
from rssp.study import Context, Rows, Study, Tables, Task
from rssp.study.columns import DELTA, EPS, TRIALS, N, Z

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from rssp.trials import Trials

LAW = rssp.Uniform()
POINT = 1e-9
"""half the length of the interval that stands for one target: what lies within eps of all of it and of its middle
differs by this"""
WHOLE, HALF = "[-1, 1]", "[-1/2, 1/2]"
GOALS = {
    WHOLE: rssp.Ball.interval(-1, 1),
    HALF: rssp.Ball.interval(-0.5, 0.5),
    "1": rssp.Ball(1, POINT, centre=1.0),
    "1/2": rssp.Ball(1, POINT, centre=0.5),
}
"""what must be within eps, in the column goal: all of an interval, or one number"""
ONE = {"1": 1.0, "1/2": 0.5}
FINE = 1e-3
SERIES = ((WHOLE, 1e-2), (WHOLE, FINE), (WHOLE, 1e-4), (HALF, FINE), ("1", FINE), ("1/2", FINE))
STEP = 5  # odd, so that the middle of two neighbouring n is the middle of n, n + 1
N_TRIED = {1e-2: range(10, 56, STEP), FINE: range(15, 66, STEP), 1e-4: range(20, 71, STEP)}
SAMPLES = {"quick": 3000, "standard": 40_000, "full": 200_000}
PLAIN = {"quick": 2000, "standard": 20_000, "full": 100_000}
BITS = {"quick": range(4, 13, 2), "standard": range(4, 21, 2), "full": range(4, 25)}
N_PLAIN, N_ERROR = 24, 18
CONSTANT = {"low": "constant low", "best": "constant", "high": "constant high"}
MEASURED: dict[str, Any] = {"confidence": 0.95, "evidence": "measured"}
KAPPAS = (1.5, 2.0, 4.0)
"""values at which the other constant of the tail bound is fitted: the paper gives neither. For large n the
logarithm of the bound falls by 1/kappa a number, that of P(fail) by ln 2: kappa cannot be below 1.44"""
RATES = (0.4, 0.5, 0.6)
"""values of c at which the A of Lueker's bound on the mean error is fitted"""


def plan(context: Context) -> Sequence[Task]:
    scale, seed = context.scale, context.seed
    tasks = []
    for goal, eps in SERIES:
        for n in N_TRIED[eps]:
            experiment = rare_failure_experiment(LAW, n, eps, GOALS[goal], seed=seed)
            keys = {"part": "series", "goal": goal}
            tasks.append(Task(f"{goal}, eps {eps:g}, n {n}", experiment, _trials(scale, eps), keys))
    for eps in (1e-2, FINE):
        experiment = Experiment(LAW, GOALS[WHOLE], HittingTimes((eps,), N_PLAIN), seed=seed)
        tasks.append(Task(f"plain, eps {eps:g}", experiment, PLAIN[scale], {"part": "plain"}))
    for bits in BITS[scale]:
        for n in _around(bits):
            experiment = rare_failure_experiment(LAW, n, 2.0**-bits, GOALS[WHOLE], seed=seed)
            trials = _trials(scale, 2.0**-bits) // 2
            tasks.append(Task(f"delta = eps = 2^-{bits}, n {n}", experiment, trials, {"part": "constants"}))
    for goal in ONE:
        experiment = Experiment(LAW, GOALS[goal], CoveringProfiles(N_ERROR, n_min=4), seed=seed)
        tasks.append(Task(f"distance to {goal}", experiment, PLAIN[scale], {"part": "distance", "goal": goal}))
    return tasks


def _trials(scale: str, eps: float) -> int:
    """The cost of a trial grows like 1/eps: a quarter of the trials at 1e-4."""
    return max(SAMPLES[scale] // 50, int(SAMPLES[scale] * min(1.0, (eps / FINE) ** 0.6)))


def _around(bits: int) -> list[int]:
    """Four n around the one where P(fail) = eps = 2^-bits: above the edge bound's by 0.6 a bit."""
    edge = int(claim("edge-samples").bound(eps=2.0**-bits, delta=2.0**-bits))
    middle = edge + round(0.6 * (bits - 3))
    return [middle - 3, middle - 1, middle + 1, middle + 3]


def analyse(runs: Mapping[str, Trials], context: Context) -> dict[str, pd.DataFrame]:
    def part(name: str) -> list[tuple[Mapping[str, Any], Trials]]:
        keys = {run: context.tasks[run].keys for run in runs}
        return [(keys[run], trials) for run, trials in runs.items() if keys[run]["part"] == name]

    failures = pd.DataFrame([_failure(trials, keys["goal"]) for keys, trials in part("series")])
    slopes = pd.concat([_slopes(rows) for _, rows in failures.groupby(["goal", "eps"], sort=False)])
    points, constants = _constants([trials for _, trials in part("constants")])
    plain = pd.concat([_plain(trials, failures) for _, trials in part("plain")])
    tables = {
        "failures": failures,
        "slopes": slopes,
        "constant_points": points,
        "constants": constants,
        "required": _required(constants),
        "plain": plain,
        "error": pd.concat([_mean_error(trials, keys["goal"]) for keys, trials in part("distance")]),
    }
    return tables | {"summary": _summary(failures, slopes), "agreement": plain[plain["weighted"].notna()]}


def _estimate(trials: Trials) -> dict[str, Any]:
    seen = weighted_failure(trials)
    m = trials.measurement
    return {"n": m.n, "eps": m.eps, **seen.row(), **seen.details}


def _failure(trials: Trials, goal: str) -> dict[str, Any]:
    """P(fail) of one run, beside the bound by one-sided samples."""
    row = {"goal": goal, **_estimate(trials), **identity_columns(LAW, trials.ball, "one" if goal in ONE else "all")}
    if goal in ONE:
        edge = claim("edge-one-target").bound(n=row["n"], eps=row["eps"], z=ONE[goal])
        row |= {"quantity": "P(miss one target)", "z": ONE[goal]}
    else:
        edge = claim("edge-fail").bound(n=row["n"], eps=row["eps"], radius=trials.ball.radius)
        row |= {"quantity": "P(fail)", "z": math.nan}
    return row | {"edge": float(edge)}


def _slopes(rows: pd.DataFrame) -> pd.DataFrame:
    """log2 P(fail) per number between neighbouring n, with its 95 % interval; n is where the bound's slope is read.

    `share` is the bound over P(fail) at the lower n: the part of the failures that is due to the sum of one side alone.
    """
    rows = rows[rows["best"] > 0]
    steps = tail_slopes(rows)
    table = steps.assign(n=steps["n_low"] + STEP // 2).drop(columns=["n_low", "n_high"])
    share = (rows["edge"] / rows["best"]).to_numpy()[:-1]
    table = table.assign(p=rows["best"].to_numpy()[1:], share=share, edge=np.diff(np.log2(rows["edge"])) / STEP)
    table = table.assign(asymptote=-1 + math.log2(math.e) / np.sqrt(table["n"] + 0.5))
    keys = {name: rows[name].iloc[0] for name in ("goal", "eps", *IDENTITY.names)}
    return table.assign(quantity="log2 P(fail) per sample", **keys)


def _plain(trials: Trials, failures: pd.DataFrame) -> pd.DataFrame:
    """Plain counting at every n, beside the weighted estimate and the standard errors between the two."""
    times, total, (eps,) = trials.table["n"].to_numpy(), trials.trials, trials.measurement.eps
    n = np.arange(8, N_PLAIN + 1)
    missed = np.array([np.count_nonzero((times < 0) | (times > m)) for m in n])
    low, high = clopper_pearson(missed, np.full(n.size, total))
    seen = pd.DataFrame({"eps": eps, "n": n, "low": low, "best": missed / total, "high": high, "trials": total})
    of_interval = failures[(failures["goal"] == WHOLE) & (failures["eps"] == eps)]
    weighted = of_interval.set_index("n")[["best", "relative_error"]].reindex(n).to_numpy(dtype=float).T
    variance = weighted[0] * (1 - np.minimum(weighted[0], 1)) / total + (weighted[0] * weighted[1]) ** 2
    apart = (seen["best"] - weighted[0]) / np.sqrt(variance)
    seen = seen.assign(quantity="P(fail)", **MEASURED, **identity_columns(LAW, trials.ball))
    return seen.assign(weighted=weighted[0], **{"standard errors apart": apart})


def _constants(runs: Sequence[Trials]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """n with P(fail) = eps, by a weighted straight line through log2 P(fail) at four n around it."""
    whole = identity_columns(LAW, GOALS[WHOLE])
    points = pd.DataFrame([_estimate(trials) for trials in runs]).assign(quantity="P(fail)", **whole)
    rows = []
    for eps, near in points.groupby("eps", sort=False):
        bits = round(-math.log2(float(eps)))  # type: ignore[arg-type]
        seen, edge = tail_crossing(near, float(eps)), _edge_crossing(bits)  # type: ignore[arg-type]
        ratio = (seen / bits).row()
        constant = {name: ratio[end] for end, name in CONSTANT.items()}
        rows.append({"eps": eps, "delta": eps, **seen.row(), **constant, "edge n": edge, "edge C": edge / bits})
    constants = pd.DataFrame(rows)
    return points, constants.assign(**whole)


def _required(constants: pd.DataFrame) -> pd.DataFrame:
    """n* at delta = eps: between whole numbers, and as the whole number above."""
    smooth = constants[list(REQUIRED.names)]
    whole = smooth.assign(quantity="n*", **{name: np.ceil(smooth[name]) for name in ("low", "best", "high")})
    return pd.concat([whole, smooth], ignore_index=True)


def _edge_crossing(bits: int) -> float:
    """The n, between whole ones, at which the bound of one-sided samples is eps = 2^-bits."""
    eps = 2.0**-bits
    after = float(claim("edge-samples").bound(eps=eps, delta=eps))
    high, low = np.log2(claim("edge-fail").bound(n=np.array([after - 1, after]), eps=eps))
    return after - 1 + (high + bits) / (high - low)


def _mean_error(trials: Trials, goal: str) -> pd.DataFrame:
    grouped = trials.table.groupby("n")["lower"]
    mean = grouped.mean()
    error: pd.Series = grouped.std() / np.sqrt(grouped.size())
    rows = pd.DataFrame({"low": mean - 1.96 * error, "best": mean, "high": mean + 1.96 * error}).reset_index()
    rows = rows.assign(quantity="E[error] (one target)", **MEASURED, **identity_columns(LAW, trials.ball, "one"))
    return rows.assign(goal=goal, z=ONE[goal])


def _ends(table: pd.DataFrame) -> list[pd.Series]:
    return [table[name] for name in ("low", "best", "high")]


def _summary(failures: pd.DataFrame, slopes: pd.DataFrame) -> pd.DataFrame:
    """What a run prints: P(fail) at eps = 1e-3 and its slope to the next n."""
    rows = failures[(failures["goal"] == WHOLE) & (failures["eps"] == FINE)]
    steps = slopes[(slopes["goal"] == WHOLE) & (slopes["eps"] == FINE)]
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


def _points(table: pd.DataFrame, x: str, label: str, ax: Axes, colour: str, **options: Any) -> None:
    plot_estimates(table.assign(series=label), x, by="series", ax=ax, colours=[colour], ms=4, **options)


def _interval(table: pd.DataFrame) -> pd.DataFrame:
    return table[table["goal"] == WHOLE]


def draw_failures(tables: Tables) -> Figure:
    figure, axes = new_figure(1, 2, width=11.5, height=4.6)
    rows = _interval(tables["failures"])
    for ax, other in zip(axes, (False, True), strict=True):
        if other:
            rows = tables["failures"][tables["failures"]["eps"] == FINE]
        groups = rows.groupby("goal" if other else "eps", sort=False)
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
    return f"one target, {name}" if name in ONE else f"all of {name}"


def draw_slopes(tables: Tables) -> Figure:
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


def draw_constants(tables: Tables) -> Figure:
    figure, (ax,) = new_figure(width=7.6, height=4.4)
    rows = tables["constants"]
    seen = pd.DataFrame({"bits": -np.log2(rows["eps"])} | {end: rows[name] for end, name in CONSTANT.items()})
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


GOAL = Column("goal", "text", meaning="what must be within eps: all of an interval, or one number")
EDGE = Column("edge", "float", meaning="the bound by one-sided samples, exact")
WEIGHTED = Schema(
    Column("relative_error", "float", meaning="standard error over the estimate"),
    Column("effective_size", "float", meaning="equally weighted failures that would tell as much"),
    TRIALS,
    Column("failures", "int", meaning="samples that failed, without their weights"),
    Column("undecided", "int", meaning="samples left undecided"),
)
POINTS = Schema(EPS, N) + INTERVAL + WEIGHTED + IDENTITY
SLOPES = Schema(
    N,
    Column("p", "float", meaning="P(fail) at the upper n"),
    Column("share", "float", meaning="bound over P(fail) at the lower n"),
    EDGE,
    Column("asymptote", "float", meaning="slope of the bound for large n"),
    GOAL,
    EPS,
)
CONSTANTS = Schema(
    EPS,
    DELTA,
    Column("constant low", "float"),
    Column("constant", "float", meaning="n over log2(1/eps)"),
    Column("constant high", "float"),
    Column("edge n", "float", meaning="where the bound by one-sided samples is eps"),
    Column("edge C", "float", meaning="edge n over log2(1/eps)"),
)
REQUIRED = Schema(EPS, DELTA) + INTERVAL + IDENTITY
PLAIN_COUNTS = Schema(
    EPS,
    N,
    TRIALS,
    Column("weighted", "float", meaning="the weighted estimate at the same n"),
    Column("standard errors apart", "float"),
)
SUMMARY = Schema(
    N,
    Column("P(fail)", "text"),
    Column("P(fail) over edge bound", "float"),
    Column("effective size", "int"),
    Column("slope to the next n", "text"),
    Column("slope of the bound", "text"),
)


def _fails(p: pd.Series) -> pd.Series:
    return p < 1


def _one_sided(share: pd.Series) -> pd.Series:
    return share >= 0.5


def findings(tables: Tables) -> list[str]:
    slopes = _interval(tables["slopes"])
    factor = 2.0 ** slopes["best"]
    rarest = _interval(tables["failures"])["best"].min()
    constants = tables["constants"]["constant"].dropna()
    return [
        f"By a factor {factor.min():.2f} to {factor.max():.2f} a number, down to P(fail) = {rarest:.1g}; the C of "
        f"Lueker's theorem at delta = eps falls from {constants.iloc[0]:.1f} to {constants.iloc[-1]:.1f}."
    ]


STUDY = Study(
    name="failure_tail",
    question="By which factor does the probability of failure fall with every further random number?",
    guise="scalar",
    plan=plan,
    analyse=analyse,
    tables={
        "summary": SUMMARY,
        "failures": Schema(GOAL, Z, EDGE) + POINTS,
        "slopes": SLOPES + INTERVAL + IDENTITY,
        "constant_points": POINTS,
        "constants": CONSTANTS + INTERVAL + IDENTITY,
        "required": REQUIRED,
        "plain": PLAIN_COUNTS + INTERVAL + IDENTITY,
        "agreement": PLAIN_COUNTS + INTERVAL + IDENTITY,
        "error": Schema(GOAL, Z, N) + INTERVAL + IDENTITY,
    },
    claims={
        "edge-fail": Rows("failures", {"goal": WHOLE, "best": _fails}, measured="P(fail), all targets of [-1, 1]"),
        "edge-samples": Rows("required", {"quantity": "n* interpolated"}, measured="n* at delta = eps, [-1, 1]"),
        "lueker-1998": Rows(
            "required",
            {"quantity": "n* interpolated"},
            measured="n with P(fail) = eps, interpolated, delta = eps, [-1, 1]",
        ),
        "edge-slope": Rows(
            "slopes",
            {"goal": WHOLE, "share": _one_sided},
            measured="slope of log2 P(fail), [-1, 1], where one-sided samples are half of the failures or more",
            otherwise="at no n measured are one-sided samples half of the failures",
        ),
        "edge-one-target": Rows("failures", {"goal": tuple(ONE)}, measured="P(miss), targets 1 and 1/2"),
        "esa-2023-tail": tuple(
            Rows(
                "failures",
                {"goal": HALF, "best": _fails},
                constants={"kappa": kappa},
                measured="P(fail), uniform, all targets of [-1/2, 1/2]",
            )
            for kappa in KAPPAS
        ),
        "lueker-1998-mean": tuple(
            Rows(
                "error",
                constants={"c": rate},
                constant="A",
                measured="mean distance from the targets 1 and 1/2 to the nearest sum",
            )
            for rate in RATES
        ),
    },
    figures={"failures": draw_failures, "slopes": draw_slopes, "constants": draw_constants},
    show=("summary", "agreement", "constants"),
    findings=findings,
)

if __name__ == "__main__":
    STUDY.main()
