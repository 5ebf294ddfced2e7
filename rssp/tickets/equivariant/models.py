"""Equivariant networks of the kinds that Ferbach et al. (ICLR 2023) pruned, with random coefficients to train from."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from rssp._arguments import integer, items, of_kind
from rssp.errors import ArgumentError, ArgumentTypeError
from rssp.tickets.activations import RELU
from rssp.tickets.bases import Basis
from rssp.tickets.equivariant.graphs import message_passing
from rssp.tickets.equivariant.groups import Action, cyclic, orbitals, symmetric, tuples
from rssp.tickets.equivariant.intertwiners import permuting, planar_rotations
from rssp.tickets.equivariant.planar import PlanarGroup
from rssp.tickets.equivariant.steerable import quarter_turns, steerable_layer
from rssp.tickets.network import Linear, MaxPool, Network, Residual, Step
from rssp.tickets.sharing import DENSE, Sharing

__all__ = [
    "dense_network",
    "graph_network",
    "invariant_sums",
    "message_network",
    "planar_network",
    "stacked_network",
    "steerable_network",
]


def stacked_network(sharings: Sequence[Sharing], widths: Sequence[int], rng: np.random.Generator) -> Network:
    """Layers on given sharings with a ReLU between any two; float32, biases 0 where the group leaves any.

    Parameters
    ----------
    sharings : Sharing of each layer
    widths : int, channels before the first layer and after each; one more than there are sharings
    rng : numpy Generator, for coefficients with which an input of ones has outputs of mean square 2, on average

    Examples
    --------
    >>> from rssp.tickets.equivariant.groups import cyclic, orbitals
    >>> ring = orbitals(cyclic(6).natural, cyclic(6).natural)
    >>> stacked_network([ring, invariant_sums(cyclic(6).natural)], [1, 4, 2], np.random.default_rng(0)).parameters
    38
    """
    sharings = items("sharings", sharings, "a list of Sharing, one a layer")
    for sharing in sharings:
        of_kind("sharings", sharing, Sharing, "a list of Sharing, one a layer")
    of_kind("rng", rng, np.random.Generator, "a numpy Generator, e.g. numpy.random.default_rng(0)")
    widths = _widths(widths)
    if len(widths) != len(sharings) + 1 or not sharings:
        raise ArgumentError(
            "widths", tuple(widths), f"{len(sharings) + 1} numbers, one before and one after each layer"
        )
    steps: list[Step] = []
    for place, (sharing, (inputs, out)) in enumerate(zip(sharings, itertools.pairwise(widths), strict=True)):
        scale = math.sqrt(2 / (inputs * _square(sharing)))
        values = rng.normal(0.0, scale, (out, inputs, sharing.size)).astype(np.float32).astype(np.float64)
        bias = np.zeros((out, sharing.orbit_count)) if sharing.biased else None
        steps += [Linear(values, sharing, bias, name=f"layer{place + 1}"), RELU]
    return Network(tuple(steps[:-1]), (widths[0], sharings[0].points[1]))


def _widths(widths: Sequence[int]) -> list[int]:
    return [integer("widths", width, 1) for width in items("widths", widths, "whole numbers, e.g. [4, 2]")]


def _square(sharing: Sharing) -> float:
    """The mean square of an output for one channel of ones, per variance of the coefficients."""
    if isinstance(sharing, Basis):
        return float((sharing.elements.sum(axis=2) ** 2).sum(axis=0).mean()) or 1.0
    counts = [np.bincount(row[row >= 0]) for row in sharing.labels]
    return float(np.mean([(count.astype(np.float64) ** 2).sum() for count in counts])) or 1.0


def invariant_sums(action: Action) -> Sharing:
    """The sharing onto one point that a group leaves alone: a coefficient for each orbit of the points.

    >>> invariant_sums(cyclic(4).natural).labels.tolist()
    [[0, 0, 0, 0]]
    """
    return orbitals(tuples(action, 0), action)


def planar_network(
    group: PlanarGroup, widths: Sequence[int], classes: int, rng: np.random.Generator, kernel: int = 3
) -> Network:
    """Images to classes: regular fields of a planar group, then sums that turns about the image's middle leave alone.

    >>> planar_network(PlanarGroup(4), [2, 2], 10, np.random.default_rng(0))
    Network of 3 layers, 496 parameters: 1x16 -> 10
      layer1 1-2, relu, layer2 2-2, relu, layer3 2-10
    """
    of_kind("group", group, PlanarGroup, "a PlanarGroup")
    widths = _widths(widths)
    first = group.layer(group.regular, group.trivial, kernel)
    rest = [group.layer(group.regular, group.regular, kernel)] * (len(widths) - 1)
    last = invariant_sums(group.about_middle(group.regular))
    return stacked_network([first, *rest, last], [1, *widths, classes], rng)


def steerable_network(
    turns: int, side: int, widths: Sequence[int], classes: int, rng: np.random.Generator, kernel: int = 3
) -> Network:
    """Images to classes by steerable kernels of C_n on zero-padded pixels, then sums that quarter turns leave alone.

    >>> steerable_network(8, 4, [2], 10, np.random.default_rng(0))
    Network of 2 layers, 664 parameters: 1x16 -> 10
      layer1 1-2, relu, layer2 2-10
    """
    widths, group = _widths(widths), cyclic(turns)
    regular, scalar = permuting(group.regular), planar_rotations(group, [0])
    first = steerable_layer(regular, scalar, side, kernel)
    rest = [steerable_layer(regular, regular, side, kernel)] if len(widths) > 1 else []
    last = invariant_sums(quarter_turns(side, turns))
    return stacked_network([first, *rest * (len(widths) - 1), last], [1, *widths, classes], rng)


def graph_network(
    nodes: int, widths: Sequence[int], outputs: int, rng: np.random.Generator, inputs: int = 1, order: int = 2
) -> Network:
    """Graphs, as tensors of an order over their nodes, to numbers that no renumbering of the nodes changes.

    Its layers are those of Maron et al. (ICLR 2019): 15 coefficients and 2 biases a pair of channels for order 2.

    >>> graph_network(5, [4], 2, np.random.default_rng(0)).layers[0]
    Linear('layer1', 1 -> 4, Sharing(25 -> 25 points, 15 labels), bias)
    """
    widths, node = _widths(widths), symmetric(integer("nodes", nodes, 2)).natural
    space = tuples(node, integer("order", order, 1))
    hidden = orbitals(space, space)
    # means over diagonal and off-diagonal entries: sums of n^2 numbers would need coefficients of 1/n^2
    sums = orbitals(tuples(node, 0), space).labels
    parts = np.array([sums == label for label in range(int(sums.max()) + 1)], dtype=np.float64)
    means = Basis(parts / parts.sum(axis=2, keepdims=True), np.zeros(1, np.int64))
    return stacked_network([*[hidden] * len(widths), means], [inputs, *widths, outputs], rng)


def message_network(
    adjacency: ArrayLike, widths: Sequence[int], inputs: int, outputs: int, rng: np.random.Generator
) -> Network:
    """Features of a graph's nodes to outputs at each node, by the means over neighbours and own features.

    >>> message_network([[0, 1], [1, 0]], [4], 2, 3, np.random.default_rng(0))
    Network of 2 layers, 47 parameters: 2x2 -> 6
      layer1 2-4, relu, layer2 4-3
    """
    widths, layer = _widths(widths), message_passing(adjacency, "mean")
    return stacked_network([layer] * (len(widths) + 1), [inputs, *widths, outputs], rng)


def dense_network(network: Network) -> Network:
    """The same function with every layer as a dense matrix on all channels and points: what a group saves.

    >>> from rssp.tickets.equivariant.groups import cyclic
    >>> ring = orbitals(cyclic(6).natural, cyclic(6).natural)
    >>> few = stacked_network([ring, ring], [1, 2, 1], np.random.default_rng(0))
    >>> few.parameters, dense_network(few).parameters
    (27, 162)
    """
    of_kind("network", network, Network, "a Network")
    steps: list[Step] = []
    for step in network.steps:
        if isinstance(step, (MaxPool, Residual)):
            raise ArgumentTypeError("network", step, "linear layers and activations only")
        if not isinstance(step, Linear):
            steps.append(step)
            continue
        matrix = step.sharing.matrix(step.coefficients)[..., None]
        bias = None if step.bias is None else step.bias[:, step.sharing.orbits].reshape(-1, 1)
        steps.append(Linear(matrix, DENSE, bias, step.name))
    return Network(tuple(steps), (network.inputs,), network.dtype)
