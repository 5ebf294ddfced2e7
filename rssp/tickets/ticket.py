"""A ticket: the target, the random network, its masks, and how far apart the two are, measured and certified."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import nn

from rssp._arguments import integer, target_array
from rssp.balls import Ball
from rssp.errors import RsspError
from rssp.tickets._solve import check_rng
from rssp.tickets.adversary import worst_input
from rssp.tickets.certificate import certified_error
from rssp.tickets.effective import EffectiveLayer
from rssp.tickets.masks import masks_of
from rssp.tickets.target import Target

__all__ = ["OutputError", "Ticket", "UnreachedError", "UnreachedWeight"]

_CHUNK = 2**22  # numbers in the widest activation of one evaluation


class UnreachedError(RsspError, ValueError):
    """Some weights of the target have no subset sum within the tolerance; the message names them."""


@dataclass(frozen=True)
class UnreachedWeight:
    """A weight of the target that no subset of its samples reaches within the tolerance."""

    name: str
    weight: float
    error: float


@dataclass(frozen=True, eq=False)
class OutputError:
    """Measured errors ``||f(x) - g(x)||_2``: lower bounds on the largest over the unit ball (`data` apart).

    Attributes
    ----------
    data : float, the largest on the data given, which need not lie in the unit ball; None without data
    random : float, the largest on random inputs of the unit ball
    adversarial : float, the largest that gradient ascent over the unit ball has found
    witness : float64 array (d_0,), the input that attains `adversarial`
    """

    data: float | None
    random: float
    adversarial: float
    witness: NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Ticket:
    """A pruned random network and the target that it replaces.

    Attributes
    ----------
    target : Target
    network : torch.nn.Sequential of standard layers; its random weights are frozen (``weight_orig``) and pruned by
        torch.nn.utils.prune masks (``weight_mask``)
    construction : "plain" or "theorem"
    n : tuple of int, one a layer: samples a weight (plain), or units a weight and sign (theorem)
    tolerance : float, the largest weight error allowed
    effective : tuple of EffectiveLayer, what the pruned network computes, layer by layer
    subset_sizes : tuple of int64 arrays, one a layer: how many samples each weight's sum has (both signs together)
    settings : what it was built with, e.g. the sharing of samples and the range they were drawn from
    seconds : time spent on drawing, solving and building

    Examples
    --------
    >>> from rssp.tickets import plain_ticket
    >>> ticket = plain_ticket([np.array([[0.3, -0.2]])], n=16, eps=0.01, rng=np.random.default_rng(0))
    >>> ticket.source_parameters, ticket.kept_parameters == ticket.masks[0].sum()
    (32, np.True_)
    >>> found = ticket.output_error(rng=np.random.default_rng(1))
    >>> found.random <= found.adversarial <= ticket.certified_error
    True
    """

    target: Target
    network: nn.Sequential
    construction: str
    n: tuple[int, ...]
    tolerance: float
    effective: tuple[EffectiveLayer, ...]
    subset_sizes: tuple[NDArray[np.int64], ...]
    settings: Mapping[str, str | float] = field(default_factory=lambda: MappingProxyType({}))
    seconds: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))

    @cached_property
    def masks(self) -> tuple[NDArray[np.bool_], ...]:
        """The masks (out, in) of the network's linear layers, True = kept."""
        return masks_of(self.network)

    @cached_property
    def source_parameters(self) -> int:
        """The number of weights of the random network before pruning."""
        return sum(mask.size for mask in self.masks)

    @cached_property
    def kept_parameters(self) -> int:
        """The number of weights that the masks keep."""
        return sum(int(np.count_nonzero(mask)) for mask in self.masks)

    @property
    def over_parameterization(self) -> float:
        """Weights of the random network a target parameter (21.00 in the experiment of Pensia et al. 2020)."""
        return self.source_parameters / self.target.parameters

    @property
    def density(self) -> float:
        """The fraction of the random weights that is kept."""
        return self.kept_parameters / self.source_parameters

    @property
    def kept_ratio(self) -> float:
        """Kept weights a target parameter (9.39 in the experiment of Pensia et al. 2020)."""
        return self.kept_parameters / self.target.parameters

    @property
    def mean_subset_size(self) -> float:
        """The mean size of the subsets that stand for the weights."""
        return sum(int(s.sum()) for s in self.subset_sizes) / sum(s.size for s in self.subset_sizes)

    @cached_property
    def weight_errors(self) -> tuple[NDArray[np.float64], ...]:
        """|w - subset sum| of every weight, a layer an array (out, in), with one more column where there are biases.

        Where a weight has a sum for each sign of its input, the larger of the two errors.
        """
        errors = []
        for i, layer in enumerate(self.effective):
            weight = self.target.weights[i]
            error = np.abs(weight - layer.positive)
            if layer.negative is not layer.positive:
                error = np.maximum(error, np.abs(weight - layer.negative))
            bias = self.target.biases[i]
            if bias is not None and layer.bias is not None:
                error = np.column_stack([error, np.abs(bias - layer.bias)])
            errors.append(error)
        return tuple(errors)

    @property
    def largest_weight_error(self) -> float:
        """The largest of all weight errors."""
        return max(float(e.max()) for e in self.weight_errors)

    @property
    def unreached_count(self) -> int:
        """The number of weights whose error exceeds the tolerance."""
        return sum(int(np.count_nonzero(e > self.tolerance)) for e in self.weight_errors)

    @cached_property
    def unreached(self) -> tuple[UnreachedWeight, ...]:
        """The weights whose error exceeds the tolerance, worst first; empty when the ticket is complete."""
        found = []
        for i, error in enumerate(self.weight_errors):
            values = self.target.augmented(i)
            for row, column in np.argwhere(error > self.tolerance):
                name = self.target.weight_name(i, int(row), int(column))
                found.append(UnreachedWeight(name, float(values[row, column]), float(error[row, column])))
        return tuple(sorted(found, key=lambda u: -u.error))

    @cached_property
    def certified_error(self) -> float:
        """A rigorous bound on ``||f(x) - g(x)||_2`` over all ``||x||_2 <= 1``, in real arithmetic."""
        return certified_error(self.target, self.effective)

    def __call__(self, x: ArrayLike) -> NDArray[np.float64]:
        """The pruned network's outputs (m, d_l) for inputs (m, d_0), evaluated by PyTorch in float64."""
        return self._evaluate(self._in_float64(), target_array(x, self.target.widths[0], "x"))

    def _in_float64(self) -> nn.Module:
        return copy.deepcopy(self.network).double()

    def _evaluate(self, network: nn.Module, inputs: NDArray[np.float64]) -> NDArray[np.float64]:
        widest = max(mask.shape[1] for mask in self.masks)
        rows = max(1, _CHUNK // widest)
        with torch.no_grad():
            parts = [network(torch.tensor(inputs[i : i + rows])) for i in range(0, len(inputs), rows)]
        return torch.cat(parts).numpy() if parts else np.empty((0, self.target.widths[-1]))

    def output_error(
        self, data: ArrayLike | None = None, *, draws: int = 1000, restarts: int = 32, rng: np.random.Generator
    ) -> OutputError:
        """Measure ``||f(x) - g(x)||_2`` of target f and pruned network g, both evaluated in float64.

        Parameters
        ----------
        data : array (m, d_0), inputs to measure on, as they are
        draws : number of inputs uniform in the unit ball
        restarts : starting points of the adversarial search (see rssp.tickets.adversary)
        rng : numpy Generator for the random inputs and starting points

        Every value, the adversarial one included, is that of the PyTorch module, and at most `certified_error` on the
        unit ball, up to the rounding of float64. Cost: about ``draws`` evaluations of the random network.
        """
        rng = check_rng(rng)
        draws, restarts = integer("draws", draws, 1), integer("restarts", restarts, 1)
        dim = self.target.widths[0]
        network = self._in_float64()

        def errors(x: NDArray[np.float64]) -> NDArray[np.float64]:
            return np.asarray(np.linalg.norm(self.target(x) - self._evaluate(network, x), axis=1))

        random = float(errors(Ball(dim, norm=2).draw(draws, rng)).max())
        candidates = worst_input(self.target, self.effective, restarts=restarts, rng=rng)
        found = errors(candidates)
        worst = int(found.argmax())
        on_data = None if data is None else float(errors(target_array(data, dim, "data")).max(initial=0.0))
        return OutputError(on_data, random, float(found[worst]), candidates[worst])

    def summary(self) -> dict[str, float | int | str]:
        """The ticket's numbers, by name."""
        return {
            "construction": self.construction,
            "widths": "-".join(map(str, self.target.widths)),
            "target parameters": self.target.parameters,
            "source parameters": self.source_parameters,
            "kept parameters": self.kept_parameters,
            "over-parameterization": self.over_parameterization,
            "kept ratio": self.kept_ratio,
            "density": self.density,
            "mean subset size": self.mean_subset_size,
            "weight tolerance": self.tolerance,
            "largest weight error": self.largest_weight_error,
            "unreached weights": self.unreached_count,
            "certified output error": self.certified_error,
        }


def checked(ticket: Ticket, *, partial: bool) -> Ticket:
    """The ticket, or UnreachedError naming its unreached weights unless `partial` allows them."""
    if partial or not ticket.unreached_count:
        return ticket
    missing = ticket.unreached
    shown = "; ".join(f"{u.name} = {u.weight:.6g} (nearest sum {u.error:.3g} away)" for u in missing[:5])
    more = f"; and {len(missing) - 5} more" if len(missing) > 5 else ""
    raise UnreachedError(
        f"{len(missing)} of {ticket.target.parameters} weights have no subset sum within {ticket.tolerance:.3g}: "
        f"{shown}{more}. Use more samples than n = {max(ticket.n)}, a larger eps, or samples from a wider range; "
        "partial=True returns the ticket as it is, with these weights in its `unreached`."
    )
