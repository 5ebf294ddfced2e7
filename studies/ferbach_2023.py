"""How many random parameters does an equivariant network need so that pruning makes it any network of its group?

The claim (Ferbach et al., ICLR 2023): for every group, C d_in log(d_in d_out max(|B|, ||B||) l / min(eps, delta))
copies of the features between two layers of d_in and d_out are enough, where B is the basis of equivariant maps; what
is pruned are its coefficients, so that the network stays equivariant. Of order d_in d_out |B| log(1/eps) are needed.

Measured here. (i) Networks of the kinds that the paper pruned, trained on data that every installation has: p4 and p4m
networks on turned digits, C_8-steerable ones, a 2-order graph network on the graph atlas (is a graph connected?),
message passing on the karate club and on a planted partition (of which class is a node?); and the dense and
convolutional networks of the corollaries. Each is pruned with every coefficient within eps, as the paper did, and with
its output within eps on the unit ball, which is certified: coefficients, accuracy and equivariance before and after.
(ii) Small networks of some kinds, pruned as they are and as if they were dense: the control. How wide the random
network must be is measured by the study `equivariant_width`.

Importing PyTorch is left to the functions that need it.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from rssp._arguments import choice
from rssp.inference import mean
from rssp.report import COLOURS, legend_outside, new_figure, plot_estimates
from rssp.schemas import INTERVAL, Column, Schema
from rssp.study import Context, Study, Tables, option
from rssp.study.columns import EPS, N

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from rssp.trials import Trials

EPS_TRAINED = 0.01
"""of the coefficients, and of the output"""
TRAINED = (
    "dense",
    "torus convolution",
    "p4",
    "p4m",
    "steerable C_8",
    "graphs of order 2",
    "karate club",
    "planted partition",
)
SCALES = {"quick": (2, 4, 1), "standard": (5, 16, 5), "full": (20, 32, 20)}
"""seeds, epochs of training, and seeds whose output is certified too"""


@dataclass(frozen=True)
class Options:
    networks: str | None = option(None, f"those of part (i), by names between commas: {', '.join(TRAINED)}")
    seeds: int | None = option(None, "seeds of part (i): each trains and prunes every network anew", least=2)
    epochs: int | None = option(None, "of the training on digits; graphs take three times as many", least=1)


def analyse(runs: Mapping[str, Trials], context: Context) -> dict[str, pd.DataFrame]:
    seeds, epochs, certified = SCALES[context.scale]
    seeds, epochs = context.options.seeds or seeds, context.options.epochs or epochs
    given = context.options.networks
    kinds = TRAINED if given is None else [choice("networks", name.strip(), TRAINED) for name in given.split(",")]
    tickets, control, turning, images = _trained(context, kinds, seeds, epochs, certified)
    return {
        "tickets": tickets,
        "lost": _lost(tickets),
        "control": control,
        "turning": turning,
        "images": images,
        "patterns": _patterns(),
    }


def _rng(context: Context, *place: int) -> np.random.Generator:
    return np.random.default_rng([context.seed, *place])


# trained networks


LONGER = {"graphs of order 2": 3, "karate club": 3, "planted partition": 3}
CONTROLLED = {
    "p4": "p4 small",
    "graphs of order 2": "graphs small",
    "karate club": "karate club",
}
"""whose dense control is built; as in part (i) it would take a million weights for p4"""


def _trained(
    context: Context, kinds: Sequence[str], seeds: int, epochs: int, certified: int
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    from rssp.tickets.equivariant import problem, trained

    rows: list[dict[str, Any]] = []
    controls: list[dict[str, Any]] = []
    turning, images = pd.DataFrame(), pd.DataFrame()
    for (place, kind), seed in context.follow(
        itertools.product([(TRAINED.index(k), k) for k in kinds], range(seeds)), "networks"
    ):
        network, data, action = problem(kind, seed, _rng(context, 1, place, seed))
        target = trained(network, data, epochs=epochs * LONGER.get(kind, 1), seed=seed)
        for how in ("each coefficient", "output") if seed < certified else ("each coefficient",):
            ticket, scale = _pruned(target, how, _rng(context, 2, place, seed), context)
            row = {"network": kind, "bounded": how, "seed": seed, "eps": EPS_TRAINED, "parameters": target.parameters}
            row |= _sizes(ticket, scale) | _errors(ticket, scale, _rng(context, 3, place, seed))
            rows.append(row | _before_and_after(ticket, data, action))
        if kind in CONTROLLED:
            found, seen = _control(context, kind, seed, epochs)
            controls.append(found)
            if seed == 0 and kind == "p4":
                turning, images = seen, _images(data)
    return pd.DataFrame(rows), pd.DataFrame(controls), turning, images


def _pruned(target: Any, how: str, rng: np.random.Generator, context: Context) -> tuple[Any, float]:
    """A ticket of the target divided by a power of two, and that power.

    Coefficients are searched as the paper does, each within eps among sums of uniform numbers; or with two random
    layers for each of the target, so that the target's own output is within eps on the unit ball.
    """
    from rssp.laws import Uniform
    from rssp.tickets import PLAIN, THEOREM, normalised, prune

    output = how == "output"
    near, scale = normalised(target, by="norm" if output else "range")
    ticket = prune(
        near, None, EPS_TRAINED / scale if output else EPS_TRAINED, delta=0.5, redraw=30, rng=rng, partial=True,
        construction=THEOREM if output else PLAIN.but(law=Uniform()),
        workers=context.workers or os.cpu_count() or 1,
    )  # fmt: skip
    return ticket, scale


def _sizes(ticket: Any, scale: float) -> dict[str, Any]:
    from rssp.tickets.equivariant import combination_bound
    from rssp.tickets.least import theorem_tolerance

    sharings = [layer.sharing for layer in ticket.target.layers]
    return {
        "basis": max(s.size for s in sharings),
        "basis norm": max(combination_bound(s) for s in sharings),
        "n": max(ticket.n),
        "random": ticket.source_parameters,
        "kept": ticket.kept_parameters,
        "tolerance": ticket.tolerance,
        "theorem tolerance": theorem_tolerance(ticket.target, EPS_TRAINED / scale),
        "missed": ticket.unreached_count,
        "largest error": ticket.largest_weight_error,
        "scale": scale,
    }


def _errors(ticket: Any, scale: float, rng: np.random.Generator) -> dict[str, float]:
    """Bounds from above and below on the error of the target's own output over the unit ball."""
    from rssp.tickets import worst_error

    found = worst_error(ticket.reference, ticket.effective, restarts=1, rng=rng)
    return {"attacked": scale * found, "certified": scale * ticket.certified_error}


def _before_and_after(ticket: Any, data: Any, action: Any) -> dict[str, float]:
    """The fraction of right answers, and the largest ||f(gx) - g f(x)|| over ||f||, on test examples."""
    from rssp.tickets.equivariant import equivariance_error, hit_rate, tuples

    x = data.x_test
    out = action if data.y_test.ndim > 1 else tuples(action, 0)
    found: dict[str, float] = {}
    for name, f in (("", ticket.target), (" after", ticket)):
        found[f"accuracy{name}"] = hit_rate(f, x, data.y_test)
        size = float(np.linalg.norm(f(x), axis=1).max())
        found[f"equivariance{name}"] = equivariance_error(f, out, action, x) / size
    return found


def _lost(tickets: pd.DataFrame) -> pd.DataFrame:
    """Accuracy of the target less that of its ticket, in percentage points: means over the seeds."""
    rows = []
    for (kind, how), group in tickets.groupby(["network", "bounded"], sort=False):
        lost = 100 * (group["accuracy"] - group["accuracy after"])
        rows.append({"network": kind, "bounded": how, "seeds": len(group)} | mean(lost, quantity="points lost").row())
    return pd.DataFrame(rows)


# the control


def _control(context: Context, kind: str, seed: int, epochs: int) -> tuple[dict[str, Any], pd.DataFrame]:
    """A small trained network, pruned as it is and as if it were dense, every coefficient within eps."""
    from rssp.tickets.equivariant import dense_network, problem, trained

    network, data, action = problem(CONTROLLED[kind], seed, _rng(context, 4, seed))
    target = trained(network, data, epochs=epochs * LONGER.get(kind, 1), seed=seed)
    row: dict[str, Any] = {"network": kind, "seed": seed, "eps": EPS_TRAINED}
    curves = []
    for name, f in (("", target), (" dense", dense_network(target))):
        ticket, scale = _pruned(f, "each coefficient", _rng(context, 5, seed), context)
        row[f"parameters{name}"], row[f"random{name}"] = f.parameters, ticket.source_parameters
        seen = _before_and_after(ticket, data, action)
        row |= {"accuracy": seen["accuracy"], f"accuracy after{name}": seen["accuracy after"]}
        row[f"equivariance after{name}"] = seen["equivariance after"]
        if kind == "p4" and seed == 0:
            curves += [_turned(f"ticket{name}", lambda x, t=ticket, s=scale: s * t(x), data)]
            curves += [_turned("target", target, data)] * (not name)
    row["times more"] = row["random dense"] / row["random"]
    return row, pd.concat(curves, ignore_index=True) if curves else pd.DataFrame()


SHOWN = 4
"""the digit that is turned: the first of the test"""


def _turned_digit(data: Any, degrees: Sequence[int]) -> np.ndarray:
    from rssp.tickets.equivariant import turned_images

    digit = int(np.flatnonzero(data.y_test == SHOWN)[0])
    return np.asarray(turned_images(data.x_test[digit].reshape(8, 8), degrees))


def _images(data: Any) -> pd.DataFrame:
    degrees = range(0, 360, 45)
    turned = _turned_digit(data, degrees)
    at, row, column = np.indices(turned.shape)
    places = {"degrees": np.asarray(degrees)[at.ravel()], "row": row.ravel(), "column": column.ravel()}
    return pd.DataFrame(places | {"value": turned.ravel().astype(np.float64)})


def _turned(name: str, f: Callable[..., Any], data: Any) -> pd.DataFrame:
    """Outputs for one test digit, turned by all multiples of 15 degrees: score of its class less the next best."""
    degrees = range(0, 360, 15)
    scores = np.asarray(f(_turned_digit(data, degrees).reshape(len(degrees), 64)))
    label = SHOWN
    rows = {"series": name, "degrees": degrees, "digit": label}
    return pd.DataFrame(rows | {"lead": scores[:, label] - np.delete(scores, label, axis=1).max(axis=1)})


def _patterns() -> pd.DataFrame:
    """Labels of two sharings, entry by entry: which entries of a layer's matrix are one coefficient."""
    from rssp.tickets.equivariant import PlanarGroup, orbitals, symmetric, tuples

    p4, pairs = PlanarGroup(5), tuples(symmetric(4).natural, 2)
    tables = []
    for name, sharing in (("p4", p4.layer(p4.regular, p4.trivial)), ("graphs of order 2", orbitals(pairs, pairs))):
        row, column = np.indices(sharing.labels.shape)
        entries = {"row": row.ravel(), "column": column.ravel(), "label": sharing.labels.ravel()}
        tables.append(pd.DataFrame({"network": name, **entries}))
    return pd.concat(tables, ignore_index=True)


# figures


def draw_basis(tables: Tables) -> Figure:
    """The nine basis elements of a first p4 layer: what each adds to the four orientations at the middle pixel."""
    labels = _labels(tables, "p4")
    middle = labels.reshape(25, 4, 25)[12]
    figure, axes = new_figure(4, 9, width=10.5, height=5)
    for (orientation, element), ax in zip(itertools.product(range(4), range(9)), axes, strict=True):
        ax.imshow((middle[orientation] == element).reshape(5, 5)[1:4, 1:4], cmap="Greys", vmin=0, vmax=1.3)
        _framed(ax)
        if orientation == 0:
            ax.set_title(f"$b_{{{element + 1}}}$")
        if element == 0:
            ax.set_ylabel(f"{90 * orientation}°" if orientation else "0°")
    figure.supylabel("orientation of the output")
    return figure


def draw_patterns(tables: Tables) -> Figure:
    labels = _labels(tables, "graphs of order 2")
    figure, axes = new_figure(3, 5, width=8.5, height=5.6)
    for label, ax in enumerate(axes):
        ax.imshow(labels == label, cmap="Greys", vmin=0, vmax=1.3)
        for line in (3.5, 7.5, 11.5):
            ax.axhline(line, color=COLOURS[1], lw=0.5)
            ax.axvline(line, color=COLOURS[1], lw=0.5)
        _framed(ax)
        ax.set_title(f"$b_{{{label + 1}}}$")
    figure.supxlabel("input entry $(k, l)$, four nodes")
    figure.supylabel("output entry $(i, j)$")
    return figure


def _framed(ax: Any) -> None:
    ax.set(xticks=[], yticks=[])
    for spine in ax.spines.values():
        spine.set(visible=True, linewidth=0.6)


def _labels(tables: Tables, name: str) -> np.ndarray:
    rows = tables["patterns"][tables["patterns"]["network"] == name]
    return rows.pivot_table(index="row", columns="column", values="label").to_numpy()


def draw_turning(tables: Tables) -> Figure:
    figure, (ax,) = new_figure(width=8, height=3.8)
    pixels = tables["images"]
    for degrees, image in pixels.groupby("degrees"):
        middle = float(str(degrees))
        picture = ax.inset_axes((middle - 14, 1.02, 28, 0.16), transform=ax.get_xaxis_transform())
        shown = image.pivot_table(index="row", columns="column", values="value").to_numpy()
        picture.imshow(shown, cmap="Greys", vmin=0, vmax=pixels["value"].max())
        _framed(picture)
    rows = tables["turning"]
    styles = {"target": ("-", 4.0, 0.35), "ticket": ("-", 1.2, 1.0), "ticket dense": ("--", 1.2, 1.0)}
    for (name, (line, width, alpha)), colour in zip(styles.items(), COLOURS, strict=False):
        at = rows[rows["series"] == name]
        label = {"ticket": "equivariant ticket", "ticket dense": "dense ticket"}.get(name, name)
        ax.plot(at["degrees"], at["lead"], ls=line, lw=width, alpha=alpha, color=colour, label=label)
    for quarter in range(0, 360, 90):
        ax.axvline(quarter, color="gray", lw=0.5, ls=":")
    ax.axhline(0, color="black", lw=0.5)
    ax.set(xlabel="turned by degrees", ylabel="output of the digit's class less the next", xticks=range(0, 360, 45))
    legend_outside(ax)
    return figure


def draw_equivariance(tables: Tables) -> Figure:
    """Accuracy lost and equivariance kept, ticket by ticket."""
    figure, (left, right) = new_figure(1, 2, width=11, height=4)
    lost, control = tables["lost"], tables["control"]
    names = list(dict.fromkeys(lost["network"]))
    for how, shift, colour in (("each coefficient", -0.12, COLOURS[0]), ("output", 0.12, COLOURS[1])):
        at = lost[lost["bounded"] == how].assign(series=how)
        at = at.assign(place=[names.index(k) + shift for k in at["network"]])
        plot_estimates(at, "place", by="series", ax=left, colours=[colour], ms=4, label=lambda h: f"{h} within 0.01")
    left.axhspan(-0.5, 0.5, color="gray", alpha=0.15, lw=0)
    left.set(ylabel="accuracy lost, points", xticks=range(len(names)))
    left.set_xticklabels(names, rotation=35, ha="right", fontsize=8)
    left.legend(fontsize=8)
    kinds = list(dict.fromkeys(control["network"]))
    places = [kinds.index(kind) for kind in control["network"]]
    for name, label, colour in (("", "equivariant ticket", COLOURS[0]), (" dense", "dense ticket", COLOURS[6])):
        right.plot(places, control[f"equivariance after{name}"], "o", ms=4, color=colour, label=label)
    right.set(yscale="log", ylabel="largest $\\|f(gx) - g f(x)\\|$ over $\\|f\\|$", xticks=range(len(kinds)))
    right.set_xticklabels(kinds, rotation=35, ha="right", fontsize=8)
    right.set(xlim=(-0.5, len(kinds) - 0.5))
    right.legend(fontsize=8)
    return figure


NETWORK = Column("network", "text", meaning="what kind")
SEED = Column("seed", "int", meaning="of data, training and random network")
BOUNDED = Column("bounded", "text", meaning="what is within eps: each coefficient, or the output on the unit ball")
BASIS = Column("basis", "int", meaning="|B|, equivariant maps between two channels; of layers the largest")


def _measures(suffix: str, whose: str) -> list[Column]:
    return [
        Column(f"accuracy{suffix}", "float", meaning=f"{whose}, on test examples"),
        Column(f"equivariance{suffix}", "float", meaning=f"largest ||f(gx) - g f(x)|| over the largest ||f||, {whose}"),
    ]


TICKETS = Schema(
    NETWORK,
    BOUNDED,
    SEED,
    EPS,
    Column("parameters", "int", meaning="of the target"),
    BASIS,
    Column("basis norm", "float", meaning="||B||, the largest"),
    N,
    Column("random", "int", meaning="random parameters"),
    Column("kept", "int", meaning="of them"),
    Column("tolerance", "float", meaning="allowed error of a coefficient of the target over its scale"),
    Column("theorem tolerance", "float", meaning="eps / (scale d_in d_out max(|B|, ||B||) l), the least of layers"),
    Column("missed", "int", meaning="coefficients that no subset reaches within it"),
    Column("largest error", "float", meaning="of a coefficient over its scale"),
    Column("scale", "float", meaning="the power of two that the target was divided by"),
    Column("attacked", "float", meaning="largest output error found on the unit ball"),
    Column("certified", "float", meaning="a bound on it"),
    *_measures("", "of the target"),
    *_measures(" after", "of the ticket"),
)
LOST = Schema(NETWORK, BOUNDED, Column("seeds", "int")) + INTERVAL
CONTROL = Schema(
    NETWORK,
    SEED,
    EPS,
    *(
        Column(f"{name}{suffix}", "int", meaning=f"of the network{suffix}")
        for suffix in ("", " dense")
        for name in ("parameters", "random")
    ),
    Column("accuracy", "float", meaning="of the target"),
    *_measures(" after", "of the ticket"),
    *_measures(" after dense", "of the dense ticket"),
    Column("times more", "float", meaning="random parameters of the dense over the equivariant"),
)
TURNING = Schema(
    Column("series", "text"),
    Column("degrees", "int", unit="degrees"),
    Column("digit", "int", meaning="that the image shows"),
    Column("lead", "float", meaning="output of its class less the largest other"),
)
IMAGES = Schema(
    Column("degrees", "int", unit="degrees"),
    Column("row", "int"),
    Column("column", "int"),
    Column("value", "float", meaning="of the pixel"),
)
PATTERNS = Schema(NETWORK, *(Column(name, "int") for name in ("row", "column", "label")))


def findings(tables: Tables) -> list[str]:
    tickets, control = tables["tickets"], tables["control"]
    points = {how: 100 * (rows["accuracy"] - rows["accuracy after"]).max() for how, rows in tickets.groupby("bounded")}
    kept = tickets.loc[tickets["bounded"] == "each coefficient", "equivariance after"].max()
    said = (
        f"Tickets of {tickets['network'].nunique()} kinds of equivariant networks, outputs within {EPS_TRAINED:g}, "
        f"lose at most {points['output']:.2f} points of accuracy; with each coefficient within {EPS_TRAINED:g} at most "
        f"{points['each coefficient']:.2f}. They stay equivariant to {kept:.1g}."
    )
    if len(control):
        more, broken = control["times more"], control["equivariance after dense"].min()
        said += (
            f" Pruned as dense networks they need {more.min():.0f} to {more.max():.0f} times as many random "
            f"parameters, and are equivariant to {broken:.1g} at best."
        )
    return [said]


STUDY = Study(
    name="ferbach_2023",
    question="How many random parameters does an equivariant network need to become any of its group by pruning?",
    guise="scalar",
    analyse=analyse,
    tables={
        "tickets": TICKETS,
        "lost": LOST,
        "control": CONTROL,
        "turning": TURNING,
        "images": IMAGES,
        "patterns": PATTERNS,
    },
    options=Options,
    figures={
        "basis": draw_basis,
        "patterns": draw_patterns,
        "turning": draw_turning,
        "equivariance": draw_equivariance,
    },
    show=("lost", "control"),
    findings=findings,
)

if __name__ == "__main__":
    STUDY.main()
