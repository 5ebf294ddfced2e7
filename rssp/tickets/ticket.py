"""A ticket: the target, its random layers and masks, and how far apart the networks are, measured and certified."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import nn

from rssp._arguments import integer
from rssp.balls import Ball
from rssp.errors import ArgumentTypeError, RsspError
from rssp.tickets.activations import named_activation
from rssp.tickets.adversary import worst_input
from rssp.tickets.certificate import certified_error, rounding_error
from rssp.tickets.construction import Construction, assemble
from rssp.tickets.description import described
from rssp.tickets.layer_norms import operator_bound
from rssp.tickets.layers import PrunedLayer
from rssp.tickets.network import Network, activations_of, in_chunks
from rssp.tickets.propagation import beside
from rssp.tickets.rounding import in_float32
from rssp.tickets.standalone import build

__all__ = ["OutputError", "Ticket", "UnreachedError", "UnreachedWeight", "checked"]


_FROM_RANDOM = 4  # of the random inputs, those that the adversarial search also starts from


class UnreachedError(RsspError, ValueError):
    """Some weights have no subset sum within the tolerance, or the output is not certified within eps."""


@dataclass(frozen=True)
class UnreachedWeight:
    """A weight of the target that no subset of its samples reaches within the tolerance."""

    name: str
    weight: float
    error: float


@dataclass(frozen=True, eq=False, repr=False)
class OutputError:
    """Measured errors ``||f(x) - g(x)||_2``: lower bounds on the largest over the unit ball (`data` apart).

    Attributes
    ----------
    data : float, the largest on the data given, which need not lie in the unit ball; None without data
    random : float, the largest on random inputs of the unit ball
    adversarial : float, the largest that gradient ascent over the unit ball has found
    witness : float64 array (inputs,), the input that attains `adversarial`
    """

    data: float | None
    random: float
    adversarial: float
    witness: NDArray[np.float64]

    def __repr__(self) -> str:
        data = "" if self.data is None else f"data={self.data:.6g}, "
        return f"OutputError({data}random={self.random:.6g}, adversarial={self.adversarial:.6g})"


@dataclass(frozen=True, eq=False, repr=False)
class Ticket:
    """A pruned random network and the target that it replaces.

    Attributes
    ----------
    target : Network
    construction : Construction
    n : tuple of int, one a layer: samples a weight, or a weight and sign
    tolerance : float, the largest weight error allowed
    eps : float or None, the error that was asked for
    layers : tuple of PrunedLayer: random weights, masks and what follows from them, in the order of target.layers
    states : states of NumPy's bit generators from which all random weights are drawn again: (own, foreign links)
    settings : how it was found: "search", and the rows that were "redrawn", layer by layer and round by round
    seconds : time spent on drawing, solving and building

    Examples
    --------
    >>> from rssp.tickets import PLAIN, prune
    >>> ticket = prune([[[0.3, -0.2]]], 16, 0.01, construction=PLAIN, rng=np.random.default_rng(0))
    >>> ticket.source_parameters, ticket.kept_parameters == ticket.layers[0].mask.sum()
    (32, np.True_)
    >>> found = ticket.output_error(rng=np.random.default_rng(1))
    >>> found.random <= found.adversarial <= ticket.certified_error
    True
    """

    target: Network
    construction: Construction
    n: tuple[int, ...]
    tolerance: float
    eps: float | None
    layers: tuple[PrunedLayer, ...]
    states: tuple[Mapping[str, Any], Mapping[str, Any]]
    settings: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    seconds: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))

    # what the pruned network is

    @cached_property
    def effective(self) -> Network:
        """What the pruned network computes, with one linear layer in the place of each layer of the target."""
        return assemble(self.target, lambda i, *_: (self.layers[i].effective, self.layers[i].plan.rows))

    @cached_property
    def reference(self) -> Network:
        """The target in the steps and shapes of `effective`: the target itself, unless units are built in copies."""
        if all(layer.plan.rows == layer.plan.copies == 1 for layer in self.layers):
            return self.target
        return assemble(self.target, lambda i, *_: (self.layers[i].reference, self.layers[i].plan.rows))

    @cached_property
    def network(self) -> nn.Module:
        """The pruned random network as a plain PyTorch module that takes the place of the target's.

        Its random weights are frozen (``weight_orig``) and pruned by torch.nn.utils.prune masks (``weight_mask``); its
        layers have the target's names. Links that are pruned in any case are left out (see `first_layer`).
        """
        return build(*described(self), given=self._functions)

    @property
    def _functions(self) -> dict[str, Any]:
        """Activation functions that are not torch's own, by name."""
        found = [*activations_of(self.target.steps), *(layer.plan.activation for layer in self.layers)]
        return {a.name: a.function for a in found if named_activation(a.name) is None}

    def __call__(self, x: ArrayLike) -> NDArray[np.float64]:
        """The pruned network's outputs (m, outputs) for inputs (m, inputs) or (m, *shape), by PyTorch in float64."""
        rows = self.target.rows(x)
        network = build(*described(self), dtype=torch.float64, given=self._functions)
        widest = max(p.plan.columns * p.plan.units * p.plan.layer.sharing.points[1] for p in self.layers)
        shape = self.target.shape
        return in_chunks(
            lambda part: network(part.reshape(-1, *shape)).flatten(1), rows, max(widest, self.target.widest),
            self.target.outputs,
        )  # fmt: skip

    def first_layer(self, layer: int) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """The whole layer of random links before a layer of the target, and its mask: (units, columns) both.

        Every unit has a link to every input channel (of an ungrouped layer); all but those to its own are pruned.
        """
        links = self.layers[integer("layer", layer, 0, len(self.layers) - 1)].links
        if links is None:
            raise ArgumentTypeError("layer", layer, "a layer with random links before it")
        rng = np.random.Generator(getattr(np.random, self.states[1]["bit_generator"])())
        rng.bit_generator.state = dict(self.states[1])
        for place in range(layer + 1):
            plan = self.layers[place].plan
            if plan.links:
                drawn = plan.law.draw(plan.columns**2 * plan.units, rng).reshape(plan.columns, plan.units, plan.columns)
        plan = self.layers[layer].plan
        weights = (drawn * plan.inner).astype(self.target.dtype).astype(np.float64)
        mask, own = np.zeros(weights.shape, bool), np.arange(plan.columns)
        weights[own, :, own], mask[own, :, own] = links, self.layers[layer].used
        return weights.reshape(-1, plan.columns), mask.reshape(-1, plan.columns)

    # counts

    @cached_property
    def source_parameters(self) -> int:
        """The number of weights of the random network before pruning."""
        return sum(layer.plan.source_parameters for layer in self.layers)

    @cached_property
    def kept_parameters(self) -> int:
        """The number of weights that the masks keep."""
        return sum(layer.kept_parameters for layer in self.layers)

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
    def kept_ratio_error(self) -> float:
        """The standard error of `kept_ratio` between random networks: weights of one sample are one observation."""
        shared = self.construction.samples == "row"
        kept = np.concatenate([layer.mask.sum(axis=(1, 2) if shared else 2).ravel() for layer in self.layers])
        each = [(layer.mask.shape[0], layer.mask.shape[1]) for layer in self.layers]
        size = np.concatenate([np.full(a, b) if shared else np.ones(a * b) for a, b in each])
        return float(np.sqrt(((kept - kept.sum() / size.sum() * size) ** 2).sum()) / size.sum())

    @property
    def mean_subset_size(self) -> float:
        """The mean size of the subsets that stand for the weights."""
        return sum(int(p.sizes.sum()) for p in self.layers) / sum(p.sizes.size for p in self.layers)

    @property
    def redrawn(self) -> int:
        """How many outputs had their random weights drawn again."""
        return sum(len(rows) for rounds in self.settings.get("redrawn", ()) for rows in rounds)

    # errors

    @property
    def weight_errors(self) -> tuple[NDArray[np.float64], ...]:
        """|w - subset sum| of every weight, a layer an array (rows, slots).

        Rows are outputs, and copies of them one after another; slots are inputs and labels, then biases. Where a weight
        has a sum for each sign of its input, the larger of the two errors.
        """
        return tuple(layer.errors for layer in self.layers)

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
        for layer in self.layers:
            for row, slot in np.argwhere(layer.errors > self.tolerance):
                name = layer.plan.weight_name(int(row), int(slot))
                weight = float(layer.wanted[row, slot])
                found.append(UnreachedWeight(name, weight, float(layer.errors[row, slot])))
        return tuple(sorted(found, key=lambda u: -u.error))

    @property
    def layer_errors(self) -> tuple[float, ...]:
        """The spectral norm of W - W' (to its computed upper bound), a layer a float: what each layer is off by itself.

        W is the layer of the target, W' what the pruned network computes in its place; where that differs for positive
        and for negative inputs, the norm is of both differences side by side.

        >>> from rssp.tickets import prune, read_target
        >>> target = read_target([[[0.3, -0.2]], [[0.5]]], activation="relu")
        >>> ticket = prune(target, 16, 0.01, rng=np.random.default_rng(0))
        >>> first = [target.layers[0].coefficients - ticket.effective.layers[0].coefficients]
        >>> bool(ticket.layer_errors[0] >= np.linalg.norm(first)), len(ticket.layer_errors)
        (True, 2)
        """
        found = []
        for f, g in zip(self.reference.layers, self.effective.layers, strict=True):
            parts = [f.coefficients - part for part in (g.coefficients, g.negative) if part is not None]
            found.append(operator_bound(beside(parts, f.groups), f.sharing, f.groups))
        return tuple(found)

    @cached_property
    def certified_error(self) -> float:
        """A rigorous bound on ``||f(x) - g(x)||_2`` over all ``||x||_2 <= 1``, in real arithmetic."""
        return certified_error(self.reference, self.effective)

    def certify(self, inputs: Any = None, *, float32: bool = False, effort: float = 1.0) -> float:
        """A rigorous bound on ``||f(x) - g(x)||_2`` over a set of inputs.

        Parameters
        ----------
        inputs : None for ``||x||_2 <= 1``, a radius, a pair (low, high) for a box, or an `Inputs`, e.g. of data
        float32 : g is the pruned network as it is evaluated in float32, not in real numbers (see rssp.tickets.rounding)
        effort : how much work it may take, see rssp.tickets.certified_error

        Examples
        --------
        >>> from rssp.tickets import PLAIN, prune
        >>> ticket = prune([[[0.3, -0.2]]], 16, 0.01, construction=PLAIN, rng=np.random.default_rng(0))
        >>> ticket.certify(2.0) / ticket.certified_error
        2.0
        >>> ticket.certify((0, 1)) < ticket.certify((0, 1), float32=True)
        True
        """
        exact = certified_error(self.reference, self.effective, inputs, effort=effort)
        if not float32:
            return exact
        more = rounding_error(*in_float32(self.reference, self.effective, self.layers), inputs)
        return float((exact + more) * (1 + 1e-15))

    def output_error(
        self, data: ArrayLike | None = None, *, draws: int = 1000, restarts: int = 32, rng: np.random.Generator
    ) -> OutputError:
        """Measure ``||f(x) - g(x)||_2`` of target f and pruned network g, both evaluated in float64.

        Parameters
        ----------
        data : array (m, inputs) or (m, *shape), inputs to measure on, as they are
        draws : number of inputs uniform in the unit ball
        restarts : starting points of the adversarial search (see rssp.tickets.adversary)
        rng : numpy Generator for the random inputs and starting points

        Every value, the adversarial one included, is that of the PyTorch module, and at most `certified_error` on the
        unit ball, up to the rounding of float64. Cost: about ``draws`` evaluations of the random network.
        """
        if not isinstance(rng, np.random.Generator):
            raise ArgumentTypeError("rng", rng, "a numpy Generator, e.g. numpy.random.default_rng(0)")
        draws, restarts = integer("draws", draws, 1), integer("restarts", restarts, 1)

        def errors(x: NDArray[np.float64]) -> NDArray[np.float64]:
            return np.asarray(np.linalg.norm(self.target(x) - self(x), axis=1))

        inputs = Ball(self.target.inputs, norm=2).draw(draws, rng)
        at_random = errors(inputs)
        starts = inputs[np.argsort(-at_random)[:_FROM_RANDOM]]
        candidates = worst_input(self.reference, self.effective, restarts=restarts, rng=rng, starts=starts)
        candidates = np.concatenate([candidates, starts])
        found = errors(candidates)
        worst = int(found.argmax())
        on_data = None if data is None else float(errors(self.target.rows(data, "data")).max(initial=0.0))
        return OutputError(on_data, float(at_random.max()), float(found[worst]), candidates[worst])

    def summary(self) -> dict[str, float | int | str]:
        """The ticket's numbers, by name."""
        return {
            "construction": self.construction.name,
            "widths": "-".join(map(str, self.target.widths)),
            "n": ", ".join(map(str, self.n)) if len(set(self.n)) > 1 else self.n[0],
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
            "outputs redrawn": self.redrawn,
            "certified output error": self.certified_error,
        }

    def __repr__(self) -> str:
        widths = "-".join(map(str, self.target.widths))
        widths = widths if len(widths) <= 60 else f"{widths[:57]}..."
        n = str(self.n[0]) if len(set(self.n)) == 1 else f"{min(self.n)} to {max(self.n)}"
        return (
            f"Ticket of {widths}, {self.construction.name} construction, n = {n}\n"
            f"  {self.source_parameters:,} random weights for {self.target.parameters:,} "
            f"({self.over_parameterization:.4g} each), {self.kept_parameters:,} kept\n"
            f"  largest weight error {self.largest_weight_error:.3g} (tolerance {self.tolerance:.3g}), "
            f"{self.unreached_count} unreached"
        )


def _apart(value: float, other: float) -> str:
    """A number with so many digits that it does not read as the other one."""
    for digits in range(3, 17):
        if f"{value:.{digits}g}" != f"{other:.{digits}g}":
            break
    return f"{value:.{digits}g}"


def checked(ticket: Ticket, *, partial: bool) -> Ticket:
    """The ticket, or UnreachedError naming what was missed unless `partial` allows it.

    Where eps bounds the output, a ticket is accepted by its certificate, whatever weights were missed.
    """
    if partial:
        return ticket
    by_output = ticket.eps is not None and ticket.construction.error == "output"
    # the bounds by norms and intervals are quick, and often enough
    if by_output and (ticket.certify(effort=0) <= ticket.eps or ticket.certified_error <= ticket.eps):  # type: ignore[operator]
        return ticket
    missing = ticket.unreached
    if not missing and not by_output:
        return ticket
    remedy = (
        f"Use more samples than n = {max(ticket.n)}, a larger eps, or samples from a wider range; partial=True returns "
        "the ticket as it is."
    )
    if not missing:
        assert ticket.eps is not None
        raise UnreachedError(
            f"The output is certified within {_apart(ticket.certified_error, ticket.eps)} only, not within "
            f"eps = {ticket.eps:g}, although all weights are within {ticket.tolerance:.3g}. Use search='nearest', a "
            f"smaller tolerance=, or a larger eps; partial=True returns the ticket as it is."
        )
    shown = "; ".join(
        f"{u.name} = {u.weight:.6g} (nearest sum {_apart(u.error, ticket.tolerance)} away)" for u in missing[:5]
    )
    more = f"; and {len(missing) - 5} more" if len(missing) > 5 else ""
    total = sum(layer.errors.size for layer in ticket.layers)
    raise UnreachedError(
        f"{len(missing)} of {total} weights have no subset sum within {ticket.tolerance:.3g}: {shown}{more}. {remedy}"
    )
