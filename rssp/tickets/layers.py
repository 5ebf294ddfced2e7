"""One layer of the target as a pruned random layer: its random weights, its mask, and what the two compute.

Arrays are over rows (copies of an output are rows one after another), slots (the weights of a row: input channels and
labels, then biases) and units. Everything that a ticket reports is derived from them here.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from rssp.tickets.construction import Plan, centred
from rssp.tickets.network import Linear

__all__ = ["PrunedLayer"]

_UNIT = 2.0**-53  # unit roundoff of float64


@dataclass(frozen=True, eq=False, repr=False)
class PrunedLayer:
    """Random weights and masks in the place of one layer of the target.

    Attributes
    ----------
    plan : Plan
    links : float64 array (columns, units), the random link before each unit, or None
    weights : float64 array (rows, slots, units), or (rows, 1, units) where one sample serves a row
    mask : bool array (rows, slots, units), True = kept
    """

    plan: Plan
    links: NDArray[np.float64] | None
    weights: NDArray[np.float64]
    mask: NDArray[np.bool_]

    @cached_property
    def _kept(self) -> NDArray[np.float64]:
        """The kept weights times their links: (rows, slots, units)."""
        if self.links is None:
            return np.multiply(self.weights, self.mask)
        return np.where(self.mask, self.weights, 0.0) * self.by_slot(self.links)

    def by_slot(self, numbers: NDArray[np.float64]) -> NDArray[np.float64]:
        """Numbers (columns, units) of input channels as an array that broadcasts to (rows, slots, units)."""
        plan = self.plan
        size, groups = plan.size, plan.layer.groups
        channels = plan.layer.channels[1]
        inputs = np.repeat(numbers[:channels].reshape(groups, plan.inputs, -1), size, axis=1)
        orbits = plan.slots - plan.inputs * size
        constant = np.broadcast_to(numbers[channels:][None], (groups, orbits, numbers.shape[1])) if orbits else None
        slots = inputs if constant is None else np.concatenate([inputs, constant], axis=1)
        return np.repeat(slots, len(self.mask) // groups, axis=0) if groups > 1 else slots

    @cached_property
    def sums(self) -> tuple[NDArray[np.float64], NDArray[np.float64] | None, NDArray[np.float64]]:
        """What stands for each weight (rows, slots): for positive and for negative inputs, None where they are equal by
        construction; and how far float64 may be from the exact sums.
        """
        plan, kept = self.plan, self._kept
        if self.links is None:
            ones = np.ones(kept.shape[2])  # a product with ones is several times faster than a sum along a short axis
            sums = (kept.reshape(-1, kept.shape[2]) @ ones).reshape(kept.shape[:2])
            size = (np.abs(kept).reshape(-1, kept.shape[2]) @ ones).reshape(kept.shape[:2])
            return sums, None, size * (1.01 * kept.shape[2] * _UNIT)
        left, right = plan.activation.slope_left, plan.activation.slope_right
        if not plan.split:
            positive = right * kept.sum(axis=2)
            negative = None
        else:
            up = self.by_slot(self.links) > 0
            rising, falling = np.where(up, kept, 0.0).sum(axis=2), np.where(up, 0.0, kept).sum(axis=2)
            positive = right * rising + left * falling
            negative = left * rising + right * falling if plan.signed else None
        # one rounding a product and at most `units` a sum, and those of the slopes
        largest = max(abs(left), abs(right))
        rounding = largest * np.abs(kept).sum(axis=2) * (1.01 * (plan.units + 6) * _UNIT)
        if plan.layer.bias is not None:  # the constant 1 goes through the activation itself
            start = plan.inputs * plan.size
            at_one = centred(plan.activation, self.links[-1])
            biases = np.where(self.mask[:, start:], self.weights[:, start:], 0.0) * at_one
            positive[:, start:] = biases.sum(axis=2)
            rounding[:, start:] = np.abs(biases).sum(axis=2) * (1.01 * (plan.units + 16) * _UNIT)
            if negative is not None:
                negative[:, start:] = positive[:, start:]
        return positive, negative, rounding

    @cached_property
    def wanted(self) -> NDArray[np.float64]:
        """The target's weights (rows, slots)."""
        return np.repeat(self.plan.values(), self.plan.rows, axis=0) if self.plan.rows > 1 else self.plan.values()

    @cached_property
    def errors(self) -> NDArray[np.float64]:
        """|weight - sum| (rows, slots); where there is a sum for each sign, the larger of the two errors."""
        positive, negative, _ = self.sums
        error = np.abs(self.wanted - positive)
        return error if negative is None else np.maximum(error, np.abs(self.wanted - negative))

    @property
    def sizes(self) -> NDArray[np.int64]:
        """How many units each weight's sum has, both signs together: (rows, slots)."""
        return self.mask.sum(axis=2)

    @cached_property
    def used(self) -> NDArray[np.bool_]:
        """Which links are kept: those of units that some weight uses, (columns, units); empty without links."""
        plan = self.plan
        if self.links is None:
            return np.zeros((0, plan.units), bool)
        size, groups = plan.size, plan.layer.groups
        start = plan.inputs * size
        rows = self.mask[:, :start].reshape(groups, -1, plan.inputs, size, plan.units)
        used = rows.any(axis=(1, 3)).reshape(-1, plan.units)
        if plan.layer.bias is None:
            return used
        constant = np.asarray(self.mask[:, start:].any(axis=(0, 1)))
        return np.concatenate([used, constant[None]])

    @property
    def kept_parameters(self) -> int:
        """Random weights that the masks keep."""
        return int(np.count_nonzero(self.mask)) + int(np.count_nonzero(self.used))

    @cached_property
    def effective(self) -> Linear:
        """What the pruned layer computes, as a Linear of (rows) outputs and of (in * copies) inputs."""
        plan = self.plan
        positive, negative, rounding = self.sums
        if plan.copies > 1:
            layer = self._over_copies(self._kept)
            # the weights are exact; the shares of what is missing in `reference` are rounded
            loose = self._over_copies(np.broadcast_to(rounding[:, :, None], self.mask.shape))
            bias_slack = None if layer.bias is None else np.ascontiguousarray(rounding[:, plan.inputs * plan.size :])
            return replace(layer, slack=loose.coefficients, bias_slack=bias_slack)
        coefficients, bias = plan.spread(positive)
        slack, bias_slack = plan.spread(rounding)
        other = None if negative is None else plan.spread(negative)[0]
        remainder = None
        if self.links is not None and plan.activation.curvature:
            # |phi(v) - slope v| <= c v^2 / 2 with v = link * x, times the weight after it
            weight = np.abs(np.where(self.mask, self.weights, 0.0)) * self.by_slot(self.links) ** 2
            remainder = plan.spread(weight.sum(axis=2) * (plan.activation.curvature / 2) * (1 + 1e-12))[0]
        return replace(
            plan.layer, coefficients=coefficients, bias=bias, negative=other, slack=slack, bias_slack=bias_slack,
            remainder=remainder,
        )  # fmt: skip

    @property
    def magnitudes(self) -> tuple[NDArray[np.float64], NDArray[np.float64] | None]:
        """Sums of |weight * link| over what is kept, times the units' largest slope: as coefficients and biases."""
        plan, sizes = self.plan, np.abs(self._kept)
        if self.links is not None:
            sizes = sizes * plan.activation.lipschitz
        if plan.copies > 1:
            layer = self._over_copies(sizes)
            return layer.coefficients, layer.bias
        return plan.spread(sizes.sum(axis=2))

    def _over_copies(self, kept: NDArray[np.float64]) -> Linear:
        """Weights (rows, slots, units), one for each copy of an input; a bias is the sum of its own."""
        plan = self.plan
        rows, start = len(kept), plan.inputs * plan.size
        by_copy = np.zeros((rows, plan.inputs, plan.copies, plan.size))
        own = kept[:, :start].reshape(rows, plan.inputs, plan.size, -1)
        by_copy[:, :, : plan.units] = np.moveaxis(own, 3, 2)
        groups, channels = plan.layer.groups, plan.layer.channels[1] * plan.copies
        full = by_copy.reshape(rows, -1, plan.size)
        if groups > 1:
            wide = np.zeros((groups, rows // groups, groups, channels // groups, full.shape[2]))
            wide[np.arange(groups), :, np.arange(groups)] = full.reshape(groups, rows // groups, -1, full.shape[2])
            full = wide.reshape(rows, channels, -1)
        bias = None if plan.layer.bias is None else kept[:, start:].sum(axis=2)
        return replace(plan.layer, coefficients=full, bias=bias)

    @cached_property
    def reference(self) -> Linear:
        """The target's layer in the same shape: as many copies of each output, each input's weight shared among copies.

        It computes what the target computes, and its coefficients are as near to those of `effective` as can be.
        """
        plan = self.plan
        if plan.copies == 1:
            if plan.rows == 1:
                return plan.layer
            bias = None if plan.layer.bias is None else np.repeat(plan.layer.bias, plan.rows, axis=0)
            coefficients = np.repeat(plan.layer.coefficients, plan.rows, axis=0)
            return replace(plan.layer, coefficients=coefficients, bias=bias)
        missing = (self.wanted - self.sums[0]) / plan.units
        layer = self._over_copies(self._kept + missing[:, :, None])
        bias = None if plan.layer.bias is None else np.repeat(plan.layer.bias, plan.rows, axis=0)
        return replace(layer, bias=bias)
