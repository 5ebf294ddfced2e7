"""Named problems: an equivariant network to train, its examples, and the group that moves them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from rssp._arguments import choice, integer
from rssp.tickets.equivariant.data import (
    Examples,
    atlas_graphs,
    karate_club,
    planted_partition,
    shown_nodes,
    turned_digits,
)
from rssp.tickets.equivariant.graphs import automorphisms
from rssp.tickets.equivariant.groups import Action, symmetric, tuples
from rssp.tickets.equivariant.models import (
    graph_network,
    message_network,
    planar_network,
    stacked_network,
    steerable_network,
)
from rssp.tickets.equivariant.planar import PlanarGroup
from rssp.tickets.equivariant.steerable import quarter_turns
from rssp.tickets.network import Network
from rssp.tickets.sharing import DENSE

__all__ = ["PROBLEMS", "problem"]

Problem = tuple[Network, Examples, Action]
_Make = Callable[[np.random.Generator, int], Problem]


def _dense(rng: np.random.Generator, seed: int) -> Problem:
    return stacked_network([DENSE, DENSE], [64, 16, 10], rng), turned_digits(1, seed=seed), symmetric(1).natural


def _planar(turns: int, reflections: bool, widths: list[int]) -> _Make:
    def made(rng: np.random.Generator, seed: int) -> Problem:
        group = PlanarGroup(8, turns, reflections)
        data = turned_digits(turns, reflected=reflections, seed=seed)
        return planar_network(group, widths, 10, rng), data, group.about_middle(group.trivial)

    return made


def _steerable(rng: np.random.Generator, seed: int) -> Problem:
    return steerable_network(8, 8, [3], 10, rng), turned_digits(8, seed=seed), quarter_turns(8)


def _atlas(widths: list[int]) -> _Make:
    def made(rng: np.random.Generator, seed: int) -> Problem:
        return graph_network(7, widths, 2, rng), atlas_graphs(), tuples(symmetric(7).natural, 2)

    return made


def _karate(rng: np.random.Generator, seed: int) -> Problem:
    links, kind = karate_club()
    network = message_network(links, [8, 8], 2, 2, rng)
    return network, shown_nodes(kind, 2, 500, seed=seed), automorphisms(links).natural


def _planted(rng: np.random.Generator, seed: int) -> Problem:
    links, kind = planted_partition(2, 16, 0.4, 0.08, seed)
    network = message_network(links, [8, 8], 2, 2, rng)
    return network, shown_nodes(kind, 2, 500, seed=seed), automorphisms(links).natural


PROBLEMS: dict[str, _Make] = {
    "dense": _dense,
    "torus convolution": _planar(1, False, [4]),
    "p4": _planar(4, False, [3, 3]),
    "p4 small": _planar(4, False, [1]),
    "p4m": _planar(4, True, [2, 2]),
    "steerable C_8": _steerable,
    "graphs of order 2": _atlas([6, 6]),
    "graphs small": _atlas([3]),
    "karate club": _karate,
    "planted partition": _planted,
}
"""by name: digits for the first six (turned, and mirrored for p4m), small graphs, nodes of a graph"""


def problem(name: str, seed: int, rng: np.random.Generator) -> Problem:
    """A network with random coefficients, examples to train it on, and the action of the group on the inputs' points.

    Parameters
    ----------
    name : one of PROBLEMS
    seed : of the examples
    rng : numpy Generator, for the coefficients

    Examples
    --------
    >>> network, data, action = problem("graphs small", 0, np.random.default_rng(0))
    >>> network.shape, data.name, action
    ((1, 49), 'graph atlas', Action(S_7 on 49 points))
    """
    return PROBLEMS[choice("name", name, tuple(PROBLEMS))](rng, integer("seed", seed, 0))
