"""A network of this package as a torch module whose coefficients can be trained: sharings of any kind."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import nn

from rssp.errors import ArgumentTypeError
from rssp.tickets.description import compact, describe_sharing, spread_out
from rssp.tickets.network import Linear, MaxPool, Network, Residual, Step
from rssp.tickets.sharing import Sharing
from rssp.tickets.standalone import shared

__all__ = ["TrainableNetwork"]


class TrainableNetwork(nn.Module):
    """Coefficients and biases of a network as parameters; sharings, fixed layers and activations stay as they are.

    Parameters
    ----------
    network : Network, with the values to start from

    Whatever the parameters become, a layer stays a combination of its sharing's elements: an equivariant network is
    trained among equivariant ones.

    Examples
    --------
    >>> import numpy as np
    >>> from rssp.tickets import RELU, Linear, Network
    >>> from rssp.tickets.equivariant.groups import cyclic, orbitals
    >>> turns = orbitals(cyclic(4).natural, cyclic(4).natural)
    >>> start = Network((Linear(np.full((1, 1, 4), 0.25), turns, name="mean"), RELU), (1, 4))
    >>> module = TrainableNetwork(start)
    >>> module(torch.tensor([[1.0, 2.0, 3.0, 6.0]])).tolist()
    [[3.0, 3.0, 3.0, 3.0]]
    >>> module.network().layers[0].coefficients.shape
    (1, 1, 4)
    """

    def __init__(self, network: Network) -> None:
        super().__init__()
        if not isinstance(network, Network):
            raise ArgumentTypeError("network", network, "a Network; other targets are read by read_target first")
        self._start = network
        self._sharings: dict[int, dict[str, Any]] = {}
        self.weights, self.biases = nn.ParameterDict(), nn.ParameterDict()
        for place, layer in enumerate(network.layers):
            self.weights[str(place)] = nn.Parameter(torch.tensor(compact(layer), dtype=torch.float32))
            if layer.bias is not None:
                self.biases[str(place)] = nn.Parameter(torch.tensor(layer.bias, dtype=torch.float32))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Outputs (m, outputs), float32, for inputs (m, inputs) or (m, *shape)."""
        shape = self._start.shape
        y = self._run(self._start.steps, x.float().reshape(len(x), shape[0], -1), iter(range(self._start.depth)))
        return y.reshape(len(x), -1)

    def _run(self, steps: tuple[Step, ...], x: torch.Tensor, places: Any) -> torch.Tensor:
        for step in steps:
            if isinstance(step, Linear):
                x = self._linear(step, x, None if step.fixed else next(places))
            elif isinstance(step, Residual):
                x = self._run(step.steps, x, places) + self._run(step.shortcut, x, places)
            else:
                x = step.forward(x) if isinstance(step, MaxPool) else step(x)
        return x

    def _linear(self, layer: Linear, x: torch.Tensor, place: int | None) -> torch.Tensor:
        if place is None:
            return layer.forward(x.double()).float()
        y = shared(x, self.weights[str(place)], self._pattern(layer.sharing), layer.groups)
        if layer.bias is None:
            return torch.as_tensor(y)
        return torch.as_tensor(y + self.biases[str(place)][:, torch.from_numpy(np.array(layer.sharing.orbits))])

    def _pattern(self, sharing: Sharing) -> dict[str, Any]:
        if id(sharing) not in self._sharings:
            self._sharings[id(sharing)] = describe_sharing(sharing)
        return self._sharings[id(sharing)]

    def network(self) -> Network:
        """The network with the parameters as they are now."""
        places = iter(range(self._start.depth))

        def learned(layer: Linear) -> Linear:
            if layer.fixed:
                return layer
            place = str(next(places))
            weight = self.weights[place].detach().double().numpy()
            bias = None if layer.bias is None else self.biases[place].detach().double().numpy()
            return replace(layer, coefficients=spread_out(weight, layer.groups), bias=bias)

        return self._start.mapped(learned)
