"""Examples that a group moves: turned digits, small graphs, and nodes of a graph of which a few show their class."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rssp._arguments import integer, number, real_array
from rssp.errors import ArgumentError
from rssp.tickets.digits import digits_data

__all__ = [
    "Examples",
    "atlas_graphs",
    "karate_club",
    "planted_partition",
    "shown_nodes",
    "turned_digits",
    "turned_images",
]

_TEST = 5  # every fifth example is kept for the test


@dataclass(frozen=True, eq=False)
class Examples:
    """Inputs of norm at most 1, and their classes: one an input, or one at each node.

    Attributes
    ----------
    x_train, x_test : float32 arrays (m, channels * points)
    y_train, y_test : int64 arrays (m,), or (m, nodes)
    name : str
    """

    x_train: NDArray[np.float32]
    y_train: NDArray[np.int64]
    x_test: NDArray[np.float32]
    y_test: NDArray[np.int64]
    name: str


def _unit(x: NDArray[np.float64]) -> NDArray[np.float32]:
    """Divided by the largest norm of all rows, a little more than that: the domain of certificates."""
    largest = float(np.linalg.norm(x, axis=1).max())
    return (x / (largest * (1 + 1e-6))).astype(np.float32)


def turned_images(images: ArrayLike, degrees: ArrayLike) -> NDArray[np.float64]:
    """Images (..., side, side), each turned by its degrees; quarter turns exactly, others by interpolation.

    >>> turned_images([[1.0, 2.0], [3.0, 4.0]], [0, 90]).tolist()
    [[[1.0, 2.0], [3.0, 4.0]], [[2.0, 4.0], [1.0, 3.0]]]
    """
    from scipy.ndimage import rotate

    by = np.atleast_1d(real_array("degrees", degrees))
    given = real_array("images", images)
    if given.ndim not in (2, 3) or given.shape[-1] != given.shape[-2] or (given.ndim == 3 and len(given) != len(by)):
        allowed = f"a square image, or {len(by)} of them, one for each of the degrees"
        raise ArgumentError("images", f"an array of shape {given.shape}", allowed)
    turned = np.broadcast_to(given, (len(by), *given.shape[-2:])).copy()
    for degree in np.unique(by[by != 0]):
        some = by == degree
        if degree % 90 == 0:
            turned[some] = np.rot90(turned[some], int(degree // 90), axes=(1, 2))
        else:
            turned[some] = rotate(turned[some], degree, axes=(2, 1), reshape=False, order=1)
    return turned


def turned_digits(turns: int = 4, *, reflected: bool = False, seed: int = 0) -> Examples:
    """scikit-learn's digits of 8 x 8 pixels, each turned by a random multiple of 360 / turns degrees.

    Parameters
    ----------
    turns : of a full circle; quarter turns are exact, others interpolate (scipy.ndimage, order 1)
    reflected : whether half of them are mirrored first
    seed : of the random turns

    >>> turned_digits().x_train.shape
    (1437, 64)
    """
    turns, data = integer("turns", turns, 1), digits_data()
    images = np.concatenate([data.x_train, data.x_test]).astype(np.float64).reshape(-1, 8, 8)
    rng = np.random.default_rng([integer("seed", seed, 0), turns])
    mirrored = rng.integers(2, size=len(images)).astype(bool)
    if reflected:
        images[mirrored] = images[mirrored, :, ::-1]
    images = turned_images(images, 360 * rng.integers(turns, size=len(images)) / turns)
    x, cut = _unit(images.reshape(-1, 64)), len(data.x_train)
    name = f"digits in {turns} turns" + (", mirrored" if reflected else "")
    return Examples(x[:cut], data.y_train, x[cut:], data.y_test, name)


def atlas_graphs() -> Examples:
    """All 1,252 graphs of 1 to 7 nodes (networkx's atlas of Read and Wilson, 1998), and whether they are connected.

    A graph is a matrix of 7 x 7, ones for links and, on the diagonal, for nodes that are there; its nodes are numbered
    at random.

    >>> data = atlas_graphs()
    >>> data.x_train.shape, data.x_test.shape, int(data.y_train.sum() + data.y_test.sum())
    ((1001, 49), (251, 49), 996)
    """
    import networkx

    rng, rows, connected = np.random.default_rng(0), [], []
    for graph in networkx.graph_atlas_g()[1:]:
        order, matrix = rng.permutation(7), np.zeros((7, 7))
        size = graph.number_of_nodes()
        matrix[:size, :size] = networkx.to_numpy_array(graph) + np.eye(size)
        rows.append(matrix[np.ix_(order, order)].ravel())
        connected.append(networkx.is_connected(graph))
    return _split(np.array(rows), np.array(connected, dtype=np.int64), rng, "graph atlas")


def _split(x: NDArray[np.float64], y: NDArray[np.int64], rng: np.random.Generator, name: str) -> Examples:
    order = rng.permutation(len(x))
    inputs, answers, cut = _unit(x)[order], y[order], len(x) - -(-len(x) // _TEST)
    return Examples(inputs[:cut], answers[:cut], inputs[cut:], answers[cut:], name)


def karate_club() -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Zachary's karate club (1977): its links (34, 34) without weights, and the two factions.

    >>> links, faction = karate_club()
    >>> int(links.sum()) // 2, int(faction.sum())
    (78, 17)
    """
    import networkx

    graph = networkx.karate_club_graph()
    faction = [graph.nodes[node]["club"] != "Mr. Hi" for node in graph]
    return networkx.to_numpy_array(graph, weight=None), np.array(faction, dtype=np.int64)


def planted_partition(
    groups: int, size: int, inside: float, outside: float, seed: int = 0
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """A random graph of groups of nodes, linked with one probability within and another between groups.

    >>> links, group = planted_partition(2, 10, 0.8, 0.1)
    >>> links.shape, group.tolist() == [0] * 10 + [1] * 10
    ((20, 20), True)
    """
    import networkx

    graph = networkx.planted_partition_graph(
        integer("groups", groups, 1),
        integer("size", size, 1),
        number("inside", inside, 0, 1),
        number("outside", outside, 0, 1),
        seed=integer("seed", seed, 0),
    )
    return networkx.to_numpy_array(graph), np.repeat(np.arange(groups), size)


def shown_nodes(classes: ArrayLike, shown: int, count: int, *, seed: int = 0, name: str = "nodes") -> Examples:
    """Examples of one graph: the classes of a few random nodes as features, those of all nodes as answers.

    Parameters
    ----------
    classes : int array (P,), 0, 1, ...
    shown : how many nodes of each class show it
    count : examples, a fifth of them for the test

    Each node has one channel for each class, 1 where it shows it; everything else is 0.

    >>> shown_nodes([0, 0, 1, 1], 1, 10).x_train.shape
    (8, 8)
    """
    found = np.asarray(classes)
    if found.ndim != 1 or not found.size or found.dtype.kind not in "iu" or found.min() < 0:
        raise ArgumentError("classes", f"an array of shape {found.shape}", "whole numbers 0, 1, ..., one a node")
    shown, kinds = integer("shown", shown, 1), int(found.max()) + 1
    if shown > np.bincount(found).min():
        raise ArgumentError("shown", shown, f"at most {np.bincount(found).min()}, the nodes of the smallest class")
    rng = np.random.default_rng([integer("seed", seed, 0), shown])
    x = np.zeros((integer("count", count, 5), kinds, len(found)))
    for row in x:
        for kind in range(kinds):
            row[kind, rng.choice(np.flatnonzero(found == kind), shown, replace=False)] = 1.0
    y = np.tile(found, (count, 1))
    return _split(x.reshape(count, -1), y, rng, name)
