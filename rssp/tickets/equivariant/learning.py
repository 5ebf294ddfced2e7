"""Training of equivariant networks, among equivariant ones."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import nn

from rssp._arguments import integer, of_kind, positive
from rssp.errors import ArgumentError
from rssp.tickets.equivariant.data import Examples
from rssp.tickets.network import Linear, Network
from rssp.tickets.trainable import TrainableNetwork
from rssp.tickets.training import fit

__all__ = ["hit_rate", "trained"]

_LOUDNESS = 0.5  # root mean square of the inputs while training: their norm is at most 1, which is slow to learn from


class _Classes(nn.Module):
    """Outputs as `cross_entropy` takes them: (m, classes), or (m, classes, nodes)."""

    def __init__(self, module: TrainableNetwork, nodes: tuple[int, ...]) -> None:
        super().__init__()
        self.module, self.nodes = module, nodes

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = self.module(x)
        return torch.as_tensor(y.reshape(len(x), -1, *self.nodes))


def trained(
    network: Network,
    data: Examples,
    *,
    epochs: int = 15,
    learning_rate: float = 5e-3,
    batch_size: int = 64,
    seed: int = 0,
) -> Network:
    """A network with coefficients and biases trained by Adam on the cross entropy; float32.

    Parameters
    ----------
    network : to start from; its sharings, and with them its symmetry, stay
    data : Examples
    epochs, learning_rate, batch_size : as usual; the learning rate falls to zero along a cosine
    seed : of the order of the examples; the same arguments give the same network

    Examples
    --------
    >>> from rssp.tickets.equivariant import PlanarGroup, planar_network, turned_digits
    >>> start = planar_network(PlanarGroup(8), [1], 10, np.random.default_rng(0))
    >>> data = turned_digits()
    >>> better = trained(start, data, epochs=1)
    >>> hit_rate(better, data.x_test, data.y_test) > hit_rate(start, data.x_test, data.y_test)
    True
    """
    of_kind("network", network, Network, "a Network")
    of_kind("data", data, Examples, "Examples")
    louder = _LOUDNESS / float(np.sqrt((data.x_train.astype(np.float64) ** 2).mean()))
    module = TrainableNetwork(network)
    x, y = torch.from_numpy(data.x_train * np.float32(louder)), torch.from_numpy(data.y_train)
    adam = torch.optim.Adam(module.parameters(), lr=positive("learning_rate", learning_rate))
    epochs, batch_size = integer("epochs", epochs, 1), integer("batch_size", batch_size, 1)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(adam, epochs * -(-len(x) // batch_size))
    rng = np.random.default_rng(integer("seed", seed, 0))
    fit(_Classes(module, tuple(y.shape[1:])), x, y, adam, rng, epochs, batch_size, schedule)
    first = True

    def quieter(layer: Linear) -> Linear:
        nonlocal first
        factor, first = (np.float32(louder) if first else np.float32(1)), False
        return replace(layer, coefficients=(layer.coefficients.astype(np.float32) * factor).astype(np.float64))

    return module.network().mapped(quieter)


def hit_rate(f: Callable[[ArrayLike], NDArray[np.float64]], x: NDArray[np.float32], y: NDArray[np.int64]) -> float:
    """The fraction of inputs (m, ...), or of their nodes, whose largest output is the class y (m,) or (m, nodes)."""
    x, y = np.asarray(x), np.asarray(y)
    if x.ndim < 2 or not len(x) or not y.ndim or len(x) != len(y):
        raise ArgumentError("y", f"an array of shape {y.shape} for x {x.shape}", "a class (m,) or (m, nodes) an input")
    outputs = np.asarray(f(x)).reshape(len(x), -1, *y.shape[1:])
    return float((outputs.argmax(axis=1) == y).mean())
