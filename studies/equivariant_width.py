"""How many samples does each coefficient of an equivariant layer need, against eps and the number of basis elements?

The claim (Ferbach et al., ICLR 2023): C d_in log(d_in d_out max(|B|, ||B||) l / min(eps, delta)) copies of the features
between layers of d_in and d_out are enough for every group, where B is the basis of equivariant maps; and of order
d_in d_out |B| log(1/eps) parameters are needed.

Measured here: for random layers of norm 1 of groups of many kinds, the first n at which half of the random networks of
twice the depth, pruned coefficient by coefficient, have the layer within eps on the unit ball, certified; and what the
covering law predicts from the coefficients alone. For cyclic groups of growing order, whose regular layers have |B| =
||B||, n against |B|.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from rssp.report import COLOURS, legend_outside, new_figure, plot_estimates
from rssp.schemas import INTERVAL, Column, Schema
from rssp.study import Context, Rows, Study, Tables, option
from rssp.study.columns import DELTA, EPS

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from rssp.trials import Trials

NEEDED_EPS = (0.3, 0.1, 0.03, 0.01, 0.003)
CYCLIC_EPS = 0.01
CHANNELS = 2
"""of the layers of all kinds"""
CYCLIC = (2, 4, 8, 16, 32)
"""orders of cyclic groups: |B| of their regular representation"""


@dataclass(frozen=True)
class Options:
    networks: int | None = option(None, "random layers of each kind", least=6)


NETWORKS = {"quick": 6, "standard": 20, "full": 100}
"""random layers of a kind"""


def analyse(runs: Mapping[str, Trials], context: Context) -> dict[str, pd.DataFrame]:
    return {"needed": _needed(context, context.options.networks or NETWORKS[context.scale])}


def _rng(context: Context, *place: int) -> np.random.Generator:
    return np.random.default_rng([context.seed, *place])


def _layers() -> Iterator[tuple[str, Any, tuple[float, ...]]]:
    """Name and sharing of one layer of each kind, and the eps at which it is measured."""
    import networkx

    from rssp.tickets import DENSE
    from rssp.tickets.equivariant import (
        PlanarGroup,
        cyclic,
        message_passing,
        orbitals,
        permuting,
        steerable_layer,
        symmetric,
        tuples,
    )

    torus, p4, c8, pairs = (
        PlanarGroup(5, turns=1),
        PlanarGroup(5),
        permuting(cyclic(8).regular),
        tuples(symmetric(5).natural, 2),
    )
    yield "dense", DENSE, NEEDED_EPS
    yield "message passing", message_passing(networkx.to_numpy_array(networkx.petersen_graph())), NEEDED_EPS
    yield "torus convolution", torus.layer(torus.trivial, torus.trivial), NEEDED_EPS
    yield "graphs of order 2", orbitals(pairs, pairs), NEEDED_EPS
    yield "p4", p4.layer(p4.regular, p4.regular), NEEDED_EPS
    yield "steerable C_8", steerable_layer(c8, c8, 3), NEEDED_EPS
    for order in CYCLIC:
        regular = cyclic(order).regular
        yield f"C_{order}", orbitals(regular, regular), (CYCLIC_EPS,)


def _needed(context: Context, networks: int) -> pd.DataFrame:
    """Width and parameters of the random network with which half of random layers of norm 1 are reached."""
    from rssp.tickets.equivariant import combination_bound
    from rssp.tickets.least import least_samples

    rows = []
    for place, (name, sharing, errors) in context.follow(enumerate(_layers()), "groups"):
        targets = [_unit_layer(sharing, _rng(context, 6, place, repeat)) for repeat in range(networks)]
        about = {"network": name, "basis": sharing.size, "basis_norm": combination_bound(sharing)}
        about |= {"d_in": CHANNELS, "d_out": CHANNELS, "l": 1, "delta": 0.5}
        for at, eps in enumerate(errors):
            found = least_samples(targets, eps, rng=_rng(context, 7, place, at))
            for quantity, per_unit in (("width", 1), ("parameters", CHANNELS * sharing.size + 1)):
                factor = 2 * CHANNELS * per_unit
                ends = {end: factor * getattr(found, end) for end in ("low", "best", "high")}
                said = {"eps": eps, "predicted": factor * found.details["predicted"]}
                rows.append(about | said | found.row() | ends | {"quantity": quantity})
    return pd.DataFrame(rows)


def _unit_layer(sharing: Any, rng: np.random.Generator) -> Any:
    from rssp.tickets import Linear, Network

    values = rng.uniform(-1, 1, (CHANNELS, CHANNELS, sharing.size))
    values /= np.linalg.norm(sharing.matrix(values), 2) * (1 + 1e-9)
    return Network((Linear(values, sharing, name="layer"),), (CHANNELS, sharing.points[1]), "float64")


def draw_needed(tables: Tables) -> Figure:
    figure, (left, right) = new_figure(1, 2, width=11, height=4)
    rows = tables["needed"]
    rows = rows[rows["quantity"] == "width"]
    rows = rows.assign(bits=np.log2(1 / rows["eps"]))
    ends = ["low", "best", "high", "predicted"]
    rows[ends] = rows[ends].div(2 * rows["d_in"], axis=0)  # two units, one a sign, for each sample
    cyclic = rows["network"].isin([f"C_{order}" for order in CYCLIC])
    names = list(dict.fromkeys(rows.loc[~cyclic, "network"]))
    for place, (name, colour) in enumerate(zip(names, COLOURS, strict=False)):
        at = rows[rows["network"] == name]
        basis = at["basis"].iloc[0]
        at = at.assign(bits=at["bits"] + 0.05 * (place - len(names) / 2))  # side by side: no interval hides another
        at = at.assign(series=f"{name}, $|B| = {basis}$")
        plot_estimates(at, "bits", by="series", ax=left, colours=[colour], ms=4)
        left.plot(at["bits"], at["predicted"], color=colour, lw=1, ls="--")
    left.plot([], [], color="gray", lw=1, ls="--", label="covering law")
    left.set(xlabel=r"$\log_2(1/\varepsilon)$", ylabel="$n$, samples a coefficient and sign")
    at = rows[cyclic].assign(series="measured", doubled=np.log2(rows.loc[cyclic, "basis"]))
    plot_estimates(at, "doubled", by="series", ax=right, colours=[COLOURS[0]], ms=4)
    right.plot(at["doubled"], at["predicted"], color=COLOURS[0], lw=1, ls="--", label="covering law")
    right.set(xlabel="$\\log_2 |B|$, regular layers of $C_{|B|}$", ylabel="$n$, samples a coefficient and sign")
    right.set(title=rf"$\varepsilon = {CYCLIC_EPS:g}$")
    right.legend(fontsize=8)
    legend_outside(left)
    return figure


NETWORK = Column("network", "text", meaning="the layer's group")
BASIS = Column("basis", "int", meaning="|B|, equivariant maps between two channels")
NEEDED = (
    Schema(
        NETWORK,
        BASIS,
        Column("basis_norm", "float", meaning="||B||"),
        *(Column(name, "int", meaning="channels") for name in ("d_in", "d_out")),
        Column("l", "int", meaning="layers"),
        EPS,
        DELTA,
        Column("predicted", "float", meaning="by the covering law"),
    )
    + INTERVAL
)


def findings(tables: Tables) -> list[str]:
    rows = tables["needed"]
    rows = rows[(rows["quantity"] == "width") & (rows["eps"] == CYCLIC_EPS)]
    apart = (rows["best"] - rows["predicted"]).div(2 * rows["d_in"]).abs().max()
    n = rows["best"].div(2 * rows["d_in"])
    return [
        f"One layer of norm 1 of any of {len(rows)} groups needs {n.min():.0f} to {n.max():.0f} samples a coefficient "
        f"and sign for eps = {CYCLIC_EPS:g}; the covering law is within {apart:.0f} of each."
    ]


STUDY = Study(
    name="equivariant_width",
    question="How many samples does each coefficient of an equivariant layer need?",
    guise="scalar",
    analyse=analyse,
    tables={"needed": NEEDED},
    claims={
        "ferbach-2023": Rows(
            "needed",
            {"quantity": "width"},
            measured="copies of the features, one layer of norm 1, random coefficients",
        ),
        "ferbach-2023-lower": Rows(
            "needed",
            {"quantity": "parameters"},
            measured="parameters of the theorem's random network for the same layers",
        ),
    },
    options=Options,
    figures={"needed": draw_needed},
    show=("needed",),
    findings=findings,
)

if __name__ == "__main__":
    STUDY.main()
