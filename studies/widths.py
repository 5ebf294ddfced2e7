"""How many random weights a weight do three networks need: formula, guarantee, prediction, and a built ticket.

A fully connected 784-500-10 network, LeNet5 and ResNet-20, without biases, weight by weight: every weight is to be
within 0.01, all of them with probability 0.99. Two constructions: every weight a sum of numbers uniform on [-1, 1], one
sample for all weights of an output (the published code); or of products of two such numbers, behind random links, a
sample for each weight and sign of its input (the theorems). Beside each other:

- the theorems' formula log2(d_in d_out l / min(eps, delta)), for C = 1: C itself is open;
- counting: fewer do not reach every number of the range;
- built: the smallest n at which a number of tickets, each with random weights of its own, reach every weight;
- predicted by the covering law, for the weights at hand; probabilities that 4,000 samples do not show are continued
  geometrically, so that an n of 50 is good to a third;
- guaranteed: proved (docs/theory/guarantees.md), for whatever weights the range holds.

The networks' weights are random, uniform on the range that a published network had: what is asked of the random
weights depends on the range and on how many there are, not on what has been learned.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

import rssp
from rssp._arguments import choice
from rssp.claims import claim
from rssp.report import COLOURS, legend_outside, new_figure
from rssp.schemas import Column, Schema
from rssp.study import Context, Study, Tables, option
from rssp.study.columns import DELTA, EPS

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from rssp.tickets import Construction, Network
    from rssp.trials import Trials

ERROR, FAILURE = 0.01, 0.01
RANGE = (-0.46423155069351196, 0.5407021641731262)
"""smallest and largest weight of the published 784-500-10 network"""
PUBLISHED = {("784-500-10", "numbers"): 21}
"""samples a weight in the experiment of Pensia et al. (2020), whose numbers are uniform on the range alone"""
NETWORKS = {"quick": ("LeNet5",), "standard": ("784-500-10", "LeNet5", "ResNet-20")}
TICKETS = {"quick": 2, "standard": 10, "full": 30}
SAMPLES = {"numbers": "row", "products": "weight"}
MOST = 200
"""the largest n that is predicted"""

WIDTHS = Schema(
    Column("network", "text"),
    Column("construction", "text", meaning="numbers: sums of uniform numbers; products: behind random links"),
    Column("weights", "int"),
    Column("sets", "int", meaning="independent sets of samples"),
    EPS,
    DELTA,
    Column("delta of a set", "float"),
    Column("formula over C", "float", unit="n", meaning="the theorem's n for C = 1, in the layer that needs most"),
    Column("counting", "float", unit="n", meaning="necessary for every number of the range"),
    Column("tickets", "int", meaning="built at each n"),
    Column("built", "float", unit="n", meaning="smallest n at which all tickets reach every weight, nan beyond 56"),
    Column(
        "predicted", "float", unit="n", meaning="by the covering law, for these weights, in the layer that needs most"
    ),
    Column(
        "guaranteed", "float", unit="n", meaning="proved, for all weights of the range, in the layer that needs most"
    ),
    Column("published", "float", unit="n", meaning="used in the experiment of Pensia et al., nan elsewhere"),
)


@dataclass(frozen=True)
class Options:
    networks: str | None = option(None, f"by names between commas: {', '.join(NETWORKS['standard'])}")
    tickets: int | None = option(None, "that are built at each n", least=1)


def analyse(runs: Mapping[str, Trials], context: Context) -> dict[str, pd.DataFrame]:
    given, known = context.options.networks, NETWORKS["standard"]
    names = NETWORKS.get(context.scale, known)
    names = names if given is None else tuple(choice("networks", name.strip(), known) for name in given.split(","))
    asked = context.follow([(name, kind) for name in names for kind in SAMPLES], "networks")
    rows = [_row(name, _network(name, context.seed), kind, context) for name, kind in asked]
    return {"widths": pd.DataFrame(rows)}


def _row(name: str, target: Network, kind: str, context: Context) -> dict[str, Any]:
    from rssp.tickets import guaranteed_width

    construction = _construction(kind)
    proved = guaranteed_width(target, None, FAILURE, construction, tolerance=ERROR)
    radius = max(map(abs, RANGE))
    return {
        "network": name,
        "construction": kind,
        "weights": target.parameters,
        "sets": sum(layer.sets for layer in proved),
        "eps": ERROR,
        "delta": FAILURE,
        "delta of a set": proved[0].delta,
        "formula over C": max(_formula(layer.coefficients.shape, target.depth) for layer in target.layers),
        "counting": math.log2(radius / ERROR),
        "tickets": _tickets(context),
        "built": _built(target, construction, context),
        "predicted": _predicted(target, construction),
        "guaranteed": float(max(layer.n for layer in proved)),
        "published": float(PUBLISHED.get((name, kind), math.nan)),
    }


def _tickets(context: Context) -> int:
    return context.options.tickets or TICKETS[context.scale]


def _construction(kind: str) -> Construction:
    from rssp.tickets import PLAIN, THEOREM

    return PLAIN.but(law=rssp.Uniform(), search="within") if kind == "numbers" else THEOREM


def _formula(shape: tuple[int, ...], depth: int) -> float:
    """Theorem 1 of Pensia et al. (2020), and that of da Cunha et al. (2022) for a kernel; they agree for 1 x 1."""
    d_out, d_in, size = shape
    asked = {"l": depth, "eps": ERROR, "delta": FAILURE, "C": 1.0}
    if size == 1:
        return float(claim("pensia-2020").bound(d_in=d_in, d_out=d_out, **asked))
    return float(claim("da-cunha-2022").bound(kernel=math.sqrt(size), c_in=d_in, c_out=d_out, **asked))


def _predicted(target: Network, construction: Construction) -> float:
    from rssp.tickets.construction import plans_of
    from rssp.tickets.enough import enough_samples
    from rssp.tickets.widths import USUAL

    plans = plans_of(target, construction, (USUAL,) * target.depth, ERROR, 1.0)
    return float(max(enough_samples(plans, ERROR, FAILURE, MOST)))


def _built(target: Network, construction: Construction, context: Context) -> float:
    """The smallest n at which all tickets reach every weight, by steps of 4 upwards and then of 1 downwards."""
    from rssp.tickets.enough import SEARCHED

    least = math.ceil(math.log2(max(map(abs, RANGE)) / ERROR))
    n = next((n for n in range(least, SEARCHED + 1, 4) if _all_reach(target, construction, n, context)), None)
    if n is None:
        return math.nan
    while n > least and _all_reach(target, construction, n - 1, context):
        n -= 1
    return float(n)


def _all_reach(target: Network, construction: Construction, n: int, context: Context) -> bool:
    from rssp.tickets import prune

    for ticket in range(_tickets(context)):
        rng = np.random.default_rng([context.seed, 2, ticket, n])
        settings: dict[str, Any] = {
            "construction": construction,
            "rng": rng,
            "partial": True,
            "workers": context.workers or 2,
        }
        if prune(target, n, None, tolerance=ERROR, **settings).unreached_count:
            return False
    return True


# the networks


def _network(name: str, seed: int) -> Network:
    import torch

    from rssp.tickets import random_target, read_target

    if name == "784-500-10":
        return random_target((784, 500, 10), *RANGE, rng=np.random.default_rng([seed, 1]))
    module, shape = _lenet5() if name == "LeNet5" else _resnet20()
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.uniform_(*RANGE, generator=generator)
    return read_target(module.double().eval(), example=torch.zeros(1, *shape, dtype=torch.float64))


def _lenet5() -> tuple[Any, tuple[int, ...]]:
    from torch import nn

    layers = [nn.Conv2d(1, 6, 5, padding=2, bias=False), nn.ReLU(), nn.AvgPool2d(2)]
    layers += [nn.Conv2d(6, 16, 5, bias=False), nn.ReLU(), nn.AvgPool2d(2), nn.Flatten()]
    for d_in, d_out in ((400, 120), (120, 84)):
        layers += [nn.Linear(d_in, d_out, bias=False), nn.ReLU()]
    return nn.Sequential(*layers, nn.Linear(84, 10, bias=False)), (1, 28, 28)


def _resnet20() -> tuple[Any, tuple[int, ...]]:
    """Three stages of three blocks; the two shortcuts that change the width are 1 x 1 convolutions."""
    import torch
    from torch import nn

    class Block(nn.Module):
        def __init__(self, c_in: int, c_out: int, stride: int) -> None:
            super().__init__()
            self.first = nn.Conv2d(c_in, c_out, 3, stride, 1, bias=False)
            self.second = nn.Conv2d(c_out, c_out, 3, 1, 1, bias=False)
            same = c_in == c_out
            self.shortcut = nn.Identity() if same else nn.Conv2d(c_in, c_out, 1, stride, bias=False)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return torch.relu(self.second(torch.relu(self.first(x))) + self.shortcut(x))

    layers, c_in = [nn.Conv2d(3, 16, 3, 1, 1, bias=False), nn.ReLU()], 16
    for c_out in (16, 32, 64):
        for block in range(3):
            layers.append(Block(c_in, c_out, 2 if block == 0 and c_out > 16 else 1))
            c_in = c_out
    layers += [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 10, bias=False)]
    return nn.Sequential(*layers), (3, 32, 32)


# what they say


def findings(tables: Tables) -> list[str]:
    rows = tables["widths"]
    parts = []
    for kind, words in (("numbers", "uniform numbers"), ("products", "products behind random links")):
        own = rows[rows["construction"] == kind]
        built, predicted, proved = (
            " / ".join(f"{n:.0f}" for n in own[column]) for column in ("built", "predicted", "guaranteed")
        )
        parts.append(f"{words}: {built} in built tickets, {predicted} predicted, {proved} guaranteed")
    names = ", ".join(dict.fromkeys(rows["network"]))
    return [f"Samples a weight for {names}, every weight within 0.01 with probability 0.99. {'; '.join(parts)}."]


def draw_widths(tables: Tables) -> Figure:
    figure, (ax,) = new_figure(width=8.2, height=4.2)
    rows = tables["widths"].reset_index(drop=True)
    place = np.arange(len(rows))[::-1]
    shown = {
        "counting": ("counting: necessary", "|", "black"),
        "built": ("built tickets reach all", "o", COLOURS[0]),
        "predicted": ("covering law: predicted", "D", COLOURS[2]),
        "guaranteed": ("guaranteed: proved", "s", COLOURS[1]),
        "published": ("published experiment", "x", "black"),
    }
    for column, (label, marker, colour) in shown.items():
        if rows[column].notna().any():
            ax.plot(rows[column], place, marker, color=colour, ms=7, label=label)
    names = [f"{network}\n{kind}" for network, kind in zip(rows["network"], rows["construction"], strict=True)]
    ax.set_yticks(place, names)
    ax.set(xscale="log", xlabel="samples a weight, $n$", ylim=(-0.6, len(rows) - 0.4))
    ticks = [n for n in (5, 10, 20, 50, 100, 200, 500, 1000) if n < 1.5 * rows["guaranteed"].max()]
    ax.set_xticks(ticks, [str(n) for n in ticks])
    ax.minorticks_off()
    ax.set_title(rf"every weight within $\varepsilon = {ERROR:g}$, $\delta = {FAILURE:g}$")
    legend_outside(ax)
    return figure


STUDY = Study(
    name="widths",
    question="How many random weights does one of a real network take: formula, guarantee, prediction, ticket?",
    guise="scalar",
    analyse=analyse,
    tables={"widths": WIDTHS},
    options=Options,
    findings=findings,
    figures={"widths": draw_widths},
    show=("widths",),
)

if __name__ == "__main__":
    STUDY.main()
