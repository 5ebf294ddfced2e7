"""Graphs: message passing as a sharing of links, and the automorphisms of a graph as a group on its nodes.

Message passing commutes with every automorphism of the graph: a node's new features are a function of its own and of
those of its neighbours, the same function at each node.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rssp._arguments import choice
from rssp.errors import ArgumentError
from rssp.tickets.bases import Basis
from rssp.tickets.equivariant.groups import Group
from rssp.tickets.network import WindowMax
from rssp.tickets.sharing import Sharing

__all__ = ["automorphisms", "message_passing", "neighbour_max"]

_LARGEST_SEARCH = 200_000  # colourings refined before a graph is given up, each P^2 operations a round


def message_passing(adjacency: ArrayLike, aggregation: str = "sum", *, own: bool = True) -> Sharing:
    """The sharing of message passing on a graph: one coefficient matrix for the neighbours, one for the node itself.

    Parameters
    ----------
    adjacency : bool or 0/1 array (P, P), symmetric, zeros on the diagonal
    aggregation : "sum" over the neighbours, or "mean" (a node without neighbours gets 0). For "max" see `neighbour_max`
    own : whether the node's own features have coefficients, label 0; the neighbours' are the last label

    Returns
    -------
    Sharing
        Label patterns for sums, a Basis for means; both with one bias a channel.

    Examples
    --------
    >>> path = [[0, 1, 0], [1, 0, 1], [0, 1, 0]]
    >>> message_passing(path).labels.tolist()
    [[0, 1, -1], [1, 0, 1], [-1, 1, 0]]
    >>> message_passing(path, "mean").matrix(np.array([[[0.0, 1.0]]]))[1].tolist()
    [0.5, 0.0, 0.5]
    """
    links = _graph(adjacency)
    choice("aggregation", aggregation, ("sum", "mean"))
    nodes = len(links)
    if not links.any() and not own:
        raise ArgumentError("adjacency", "no link at all", "at least one link, or own=True")
    if aggregation == "sum":
        first = 1 if own and links.any() else 0
        labels = np.where(links, first, -1)
        if own:
            np.fill_diagonal(labels, 0)
        return Sharing(labels)
    mean = links / np.maximum(links.sum(axis=1), 1)[:, None]
    return Basis(np.stack([np.eye(nodes), mean] if own else [mean]), np.zeros(nodes, np.int64))


def neighbour_max(adjacency: ArrayLike) -> WindowMax:
    """The largest of the neighbours' features in each channel; a node without neighbours takes its own.

    >>> neighbour_max([[0, 1, 0], [1, 0, 1], [0, 1, 0]]).windows.tolist()
    [[1, -1], [0, 2], [1, -1]]
    """
    links = _graph(adjacency)
    sets = [np.flatnonzero(row) if row.any() else np.array([p]) for p, row in enumerate(links)]
    windows = np.full((len(sets), max(map(len, sets))), -1)
    for row, found in zip(windows, sets, strict=True):
        row[: len(found)] = found
    return WindowMax(windows, len(links))


def automorphisms(adjacency: ArrayLike, name: str = "automorphisms") -> Group:
    """The permutations of a graph's nodes that carry links into links, by strong generators.

    Parameters
    ----------
    adjacency : bool or 0/1 array (P, P), symmetric, zeros on the diagonal

    Returns
    -------
    Group
        With the identity as its only generator where there is no other. `Group.order` closes it (at most 50,000).

    Notes
    -----
    Nodes are fixed one after another until colour refinement tells all apart. For each of them, from the last on, an
    automorphism is sought, by refinement and backtracking, that moves it to each node of its colour which those found
    so far do not reach (the scheme of McKay's nauty, without its canonical forms).

    Examples
    --------
    >>> square = [[0, 1, 0, 1], [1, 0, 1, 0], [0, 1, 0, 1], [1, 0, 1, 0]]
    >>> automorphisms(square).order
    8
    """
    links = _graph(adjacency)
    nodes = len(links)
    search = _Search(links)
    colours = [search.refined(np.zeros(nodes, np.int64))]
    fixed: list[int] = []
    while colours[-1].max() < nodes - 1:
        counts = np.bincount(colours[-1])
        fixed.append(int(np.flatnonzero(counts[colours[-1]] > 1)[0]))
        colours.append(search.refined(_single(colours[-1], fixed[-1])))
    found: list[NDArray[np.int64]] = []
    for level in range(len(fixed) - 1, -1, -1):
        here, node = colours[level], fixed[level]
        reached = _reached(found, node)
        for other in np.flatnonzero(here == here[node]):
            if other in reached:
                continue
            image = search.swapped(node, int(other))
            if image is None:
                image = search.carried(_single(here, node), _single(here, int(other)))
            if image is not None:
                found.append(image)
                reached = _reached(found, node)
    return Group(np.array(found) if found else np.arange(nodes)[None], name)


def _graph(adjacency: ArrayLike) -> NDArray[np.bool_]:
    try:
        array = np.asarray(adjacency)
    except ValueError:  # rows of unequal length
        array = np.zeros(0)
    if array.ndim != 2 or array.shape[0] != array.shape[1] or array.size == 0:
        raise ArgumentError("adjacency", f"an array of shape {array.shape}", "a square array (P, P)")
    if array.dtype.kind not in "biuf" or not np.isin(array, (0, 1)).all():
        raise ArgumentError("adjacency", "entries other than 0 and 1", "0 or 1, False or True")
    links = array.astype(bool)
    if links.diagonal().any():
        at = int(np.flatnonzero(links.diagonal())[0])
        raise ArgumentError(
            "adjacency", f"a loop at node {at}", "a graph without loops", "own=True links a node to itself."
        )
    if not np.array_equal(links, links.T):
        a, b = map(int, np.argwhere(links != links.T)[0])
        raise ArgumentError("adjacency", f"a link from {a} to {b} and none back", "a symmetric array")
    return links


def _single(colours: NDArray[np.int64], node: int) -> NDArray[np.int64]:
    """A colouring in which one node has a colour of its own, before the others of its colour."""
    split = 2 * colours + 1
    split[node] -= 1
    return np.unique(split, return_inverse=True)[1].astype(np.int64)


def _reached(images: list[NDArray[np.int64]], node: int) -> set[int]:
    """The orbit of a node."""
    reached, new = {node}, [node]
    while new:
        at = new.pop()
        for image in images:
            if int(image[at]) not in reached:
                reached.add(int(image[at]))
                new.append(int(image[at]))
    return reached


class _Search:
    """Refinement and backtracking on one graph."""

    def __init__(self, links: NDArray[np.bool_]):
        self.links, self.numbers, self.tried = links, links.astype(np.float64), 0

    def refined(self, colours: NDArray[np.int64]) -> NDArray[np.int64]:
        """The coarsest colouring, finer than the one given, in which nodes of a colour see the same colours.

        Colours are numbered by what their nodes see, so that colourings of isomorphic graphs correspond.
        """
        self.tried += 1
        if self.tried > _LARGEST_SEARCH:
            raise ArgumentError(
                "adjacency", f"a graph whose automorphisms were not found in {_LARGEST_SEARCH} refinements",
                "a graph that colour refinement tells apart sooner", "Give the group by generators: Group(...).",
            )  # fmt: skip
        while True:
            seen = self.numbers @ np.eye(int(colours.max()) + 1)[colours]  # counts: exact
            finer = np.unique(np.column_stack([colours, seen]), axis=0, return_inverse=True)[1].reshape(-1)
            if finer.max() == colours.max():
                return np.asarray(finer, dtype=np.int64)
            colours = np.asarray(finer, dtype=np.int64)

    def swapped(self, first: int, second: int) -> NDArray[np.int64] | None:
        """The permutation of two nodes alone, if it is an automorphism: twins, of which dense graphs may have many."""
        others = np.ones(len(self.links), np.bool_)
        others[[first, second]] = False
        if not np.array_equal(self.links[first, others], self.links[second, others]):
            return None
        image = np.arange(len(self.links))
        image[[first, second]] = second, first
        return image

    def carried(self, first: NDArray[np.int64], second: NDArray[np.int64]) -> NDArray[np.int64] | None:
        """A permutation that carries the graph with the first colouring to that with the second, or None."""
        first, second = self.refined(first), self.refined(second)
        counts = np.bincount(first)
        if not np.array_equal(counts, np.bincount(second, minlength=len(counts))):
            return None
        if counts.max() == 1:
            image = np.argsort(second)[first]
            return image if np.array_equal(self.links[np.ix_(image, image)], self.links) else None
        node = int(np.flatnonzero(counts[first] > 1)[0])
        for other in self._images(second, first[node]):
            found = self.carried(_single(first, node), _single(second, other))
            if found is not None:
                return found
        return None

    @staticmethod
    def _images(colours: NDArray[np.int64], colour: np.int64) -> Iterator[int]:
        yield from map(int, np.flatnonzero(colours == colour))
