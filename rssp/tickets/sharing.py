"""Weight sharing: which coefficient links which input point to which output point.

A linear layer is coefficients on a sharing pattern. ``labels[p, q]`` names the coefficient between input point q and
output point p, -1 where there is none: a dense layer has one point and one label, a convolution the shifts of its
kernel, a layer equivariant under a permutation group the orbits of pairs of points, a layer after flattening one label
a point.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import product

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch.nn import functional as F

from rssp._arguments import integer, whole_array
from rssp._costs import require_feasible
from rssp.errors import ArgumentError

__all__ = ["DENSE", "Convolution", "Sharing", "all_points", "as_labels"]


@dataclass(frozen=True, eq=False, repr=False)
class Sharing:
    """A label pattern between points.

    Attributes
    ----------
    pattern : int array (P, Q), labels from 0 to size - 1, or -1 for no link
    orbit : int array (P,), the orbit of each output point: points of one orbit share a bias; one orbit by default

    Examples
    --------
    >>> DENSE.size, DENSE.points
    (1, (1, 1))
    >>> ring = Sharing(np.array([[0, 1, 1], [1, 0, 1], [1, 1, 0]]))    # functions on 3 points that permutations commute
    >>> ring.size, ring.matrix(np.array([[[2.0, 0.5]]])).tolist()
    (2, [[2.0, 0.5, 0.5], [0.5, 2.0, 0.5], [0.5, 0.5, 2.0]])
    """

    pattern: NDArray[np.int64]
    orbit: NDArray[np.int64] | None = None

    def __post_init__(self) -> None:
        labels = whole_array("pattern", self.pattern)
        if labels.ndim != 2 or labels.size == 0 or labels.min() < -1:
            raise ArgumentError("pattern", f"an array of shape {labels.shape}", "whole numbers >= -1, (P, Q)")
        used = np.unique(labels[labels >= 0])
        if not used.size:
            raise ArgumentError("pattern", "no link at all", "at least one link, labelled 0")
        missing = np.flatnonzero(used != np.arange(len(used)))
        if missing.size:
            raise ArgumentError("pattern", f"no link labelled {missing[0]}", "all labels from 0 to the largest")
        labels.flags.writeable = False
        orbit = np.zeros(len(labels), np.int64) if self.orbit is None else whole_array("orbit", self.orbit)
        if orbit.shape != (len(labels),) or orbit.min() < 0:
            raise ArgumentError("orbit", f"an array of shape {orbit.shape}", f"whole numbers >= 0, ({len(labels)},)")
        orbit.flags.writeable = False
        object.__setattr__(self, "pattern", labels)
        object.__setattr__(self, "orbit", orbit)

    @property
    def labels(self) -> NDArray[np.int64]:
        """The label of each link, int array (P, Q), -1 for none."""
        return self.pattern

    @property
    def orbits(self) -> NDArray[np.int64]:
        """The orbit of each output point, int array (P,)."""
        assert self.orbit is not None
        return self.orbit

    @property
    def points(self) -> tuple[int, int]:
        """The numbers (P, Q) of output and input points."""
        return self.pattern.shape[0], self.pattern.shape[1]

    @cached_property
    def size(self) -> int:
        """The number of labels: coefficients for each pair of channels."""
        return int(self.labels.max()) + 1

    @cached_property
    def orbit_count(self) -> int:
        """The number of biases an output channel has."""
        return int(self.orbits.max()) + 1

    # what a certificate wants to know of the pattern; a layer's block is a sum over labels of coefficient times element

    @property
    def biased(self) -> bool:
        """Whether a layer may have biases."""
        return True

    @property
    def absolute(self) -> Sharing:
        """The sharing with the absolute values of its elements: what bounds on absolute values are applied to."""
        return self

    @cached_property
    def repeats(self) -> tuple[float, float]:
        """The largest sum of absolute values in a row and a column of one element: how often a label stands there."""
        counts = [(self.labels == label) for label in range(self.size)]
        rows, columns = (max(int(c.sum(axis=axis).max()) for c in counts) for axis in (1, 0))
        return float(rows), float(columns)

    @cached_property
    def products(self) -> int:
        """How many products the sum of one output point has for each input channel, at most."""
        return int((self.labels >= 0).sum(axis=1).max())

    @property
    def row_norm(self) -> float:
        """The 2-norm of a row is at most this times the 2-norm of the coefficients in it."""
        return float(np.sqrt(self.repeats[0])) * (1 + 1e-15)

    @property
    def largest(self) -> float:
        """The largest entry of `combined`."""
        return 1.0

    @cached_property
    def squares(self) -> NDArray[np.float64]:
        """Numbers (size,): a block's squared Frobenius norm is at most the sum of squared coefficients times them."""
        return np.bincount(self.labels[self.labels >= 0], minlength=self.size).astype(np.float64)

    @property
    def combined(self) -> NDArray[np.float64]:
        """The sum of the absolute values of all elements, float64 (P, Q): 1 for each link."""
        return (self.labels >= 0).astype(np.float64)

    def matrix(self, coefficients: NDArray[np.float64]) -> NDArray[np.float64]:
        """The coefficients (out, in, size) as one matrix (out * P, in * Q), channel by channel, point by point.

        Raises InfeasibleError where it does not fit the memory.
        """
        out, channels, _ = coefficients.shape
        p, q = self.points
        require_feasible("a layer's matrix", memory_bytes=16.0 * out * p * channels * q, remedy="Use smaller images.")
        if p == 1 and np.array_equal(self.labels[0], np.arange(q)):
            return coefficients.reshape(out, channels * q)
        padded = np.concatenate([coefficients, np.zeros((out, channels, 1))], axis=2)  # label -1 is the last one
        return np.ascontiguousarray(padded[:, :, self.labels].transpose(0, 2, 1, 3)).reshape(out * p, channels * q)

    def prepare(self, coefficients: NDArray[np.float64], groups: int) -> torch.Tensor:
        """What `apply` needs of the coefficients, as a float64 tensor; worth keeping between calls."""
        return torch.tensor(self.matrix(coefficients))

    def apply(self, x: torch.Tensor, prepared: torch.Tensor, groups: int) -> torch.Tensor:
        """The layer's outputs (m, out, P), without biases, for float64 inputs (m, in, Q)."""
        return (x.flatten(1) @ prepared.T).unflatten(1, (-1, self.points[0]))

    def __repr__(self) -> str:
        p, q = self.points
        return f"Sharing({q} -> {p} points, {self.size} labels)"


def all_points(points: int) -> Sharing:
    """The sharing of a linear layer on flattened features: each input point has a label of its own.

    >>> all_points(4)
    Sharing(4 -> 1 points, 4 labels)
    """
    return Sharing(np.arange(integer("points", points, 1))[None])


DENSE = all_points(1)


class Convolution(Sharing):
    """The shifts of a kernel over a line or an image, padded by zeros.

    Parameters
    ----------
    image : (length,) or (height, width) of the inputs
    kernel, stride, dilation : a number for each axis
    padding : (before, after) for each axis

    Its labels are the positions of the kernel in row-major order, as torch orders them. They are made when asked for;
    torch's own convolution computes the layer.

    Examples
    --------
    >>> shifts = Convolution((5,), (3,), padding=((1, 1),), stride=(2,))
    >>> shifts.labels
    array([[ 1,  2, -1, -1, -1],
           [-1,  0,  1,  2, -1],
           [-1, -1, -1,  0,  1]])
    """

    image: tuple[int, ...]
    kernel: tuple[int, ...]
    stride: tuple[int, ...]
    padding: tuple[tuple[int, int], ...]
    dilation: tuple[int, ...]

    def __init__(
        self,
        image: Sequence[int],
        kernel: Sequence[int],
        *,
        stride: Sequence[int] | None = None,
        padding: Sequence[tuple[int, int]] | None = None,
        dilation: Sequence[int] | None = None,
    ) -> None:
        axes = len(image)
        if axes not in (1, 2) or len(kernel) != axes:
            raise ArgumentError("image", tuple(image), "one or two axes, as many as the kernel has")
        ones = (1,) * axes
        fields = {
            "image": tuple(integer("image", v, 1) for v in image),
            "kernel": tuple(integer("kernel", v, 1) for v in kernel),
            "stride": tuple(integer("stride", v, 1) for v in (stride or ones)),
            "padding": tuple(
                (integer("padding", a, 0), integer("padding", b, 0)) for a, b in (padding or ((0, 0),) * axes)
            ),
            "dilation": tuple(integer("dilation", v, 1) for v in (dilation or ones)),
        }
        for name, value in fields.items():
            if len(value) != axes:
                raise ArgumentError(name, value, f"{axes} entries, one an axis")
            object.__setattr__(self, name, value)
        if min(self.output) < 1:
            raise ArgumentError(
                "image",
                f"{'x'.join(map(str, self.image))}, smaller than the kernel {'x'.join(map(str, self.kernel))}",
                "an image that the kernel fits into",
            )
        empty = np.zeros((1, 1), np.int64)
        object.__setattr__(self, "pattern", empty)  # labels are made when asked for
        object.__setattr__(self, "orbit", None)

    @cached_property
    def output(self) -> tuple[int, ...]:
        """(length,) or (height, width) of the outputs."""
        return tuple(
            (i + sum(p) - d * (k - 1) - 1) // s + 1
            for i, k, s, p, d in zip(self.image, self.kernel, self.stride, self.padding, self.dilation, strict=True)
        )

    @cached_property
    def size(self) -> int:
        return int(np.prod(self.kernel))

    @property
    def points(self) -> tuple[int, int]:
        return int(np.prod(self.output)), int(np.prod(self.image))

    @property
    def orbits(self) -> NDArray[np.int64]:
        return np.zeros(self.points[0], np.int64)

    @cached_property
    def orbit_count(self) -> int:
        return 1

    @cached_property
    def repeats(self) -> tuple[float, float]:
        return 1.0, 1.0

    @cached_property
    def products(self) -> int:
        return self.size

    @cached_property
    def squares(self) -> NDArray[np.float64]:
        return np.full(self.size, float(self.points[0]))

    @cached_property
    def labels(self) -> NDArray[np.int64]:
        p, q = self.points
        require_feasible("a convolution's label pattern", memory_bytes=8.0 * p * q, remedy="Use smaller images.")
        labels = np.full((p, q), -1, np.int64)
        places = np.stack(np.meshgrid(*map(np.arange, self.output), indexing="ij"), axis=-1).reshape(p, -1)
        start = places * np.array(self.stride) - np.array([before for before, _ in self.padding])
        for label, shift in enumerate(product(*map(range, self.kernel))):
            at = start + np.array(shift) * np.array(self.dilation)
            inside = ((at >= 0) & (at < np.array(self.image))).all(axis=1)
            labels[inside, np.ravel_multi_index(tuple(at[inside].T), self.image)] = label
        return labels

    def prepare(self, coefficients: NDArray[np.float64], groups: int) -> torch.Tensor:
        out, channels, _ = coefficients.shape
        own = coefficients.reshape(groups, out // groups, groups, channels // groups, self.size)
        own = own[np.arange(groups), :, np.arange(groups)]  # each group's outputs on its own inputs
        return torch.tensor(np.ascontiguousarray(own).reshape(out, channels // groups, *self.kernel))

    def apply(self, x: torch.Tensor, prepared: torch.Tensor, groups: int) -> torch.Tensor:
        convolve = F.conv1d if len(self.image) == 1 else F.conv2d
        images = x.unflatten(2, self.image)
        inner = [a for a, _ in self.padding]
        if any(a != b for a, b in self.padding):
            images = F.pad(images, [side for pair in reversed(self.padding) for side in pair])
            inner = [0] * len(self.image)
        y = convolve(images, prepared, stride=self.stride, padding=inner, dilation=self.dilation, groups=groups)
        return torch.as_tensor(y.flatten(2))

    def __repr__(self) -> str:
        def short(values: Sequence[int]) -> str:
            return "x".join(map(str, values))

        extra = "".join(
            f", {name}={value}"
            for name, value in (("stride", self.stride), ("padding", self.padding), ("dilation", self.dilation))
            if np.any(np.array(value) != (0 if name == "padding" else 1))
        )
        return f"Convolution({short(self.image)} -> {short(self.output)}, kernel {short(self.kernel)}{extra})"


def as_labels(matrix: ArrayLike) -> tuple[Sharing, NDArray[np.float64]]:
    """A matrix (P, Q) between points as a sharing and one coefficient a label: equal entries share a label.

    >>> sharing, values = as_labels([[0.5, 0.5, 0.0], [0.0, 1.0, 0.0]])
    >>> sharing.labels.tolist(), values.tolist()
    ([[0, 0, -1], [-1, 1, -1]], [0.5, 1.0])
    """
    entries = np.asarray(matrix, dtype=np.float64)
    values, labels = np.unique(entries, return_inverse=True)
    labels = labels.reshape(entries.shape)
    zero = np.flatnonzero(values == 0)
    if zero.size:
        labels = np.where(labels == zero[0], -1, labels - (labels > zero[0]))
        values = np.delete(values, zero[0])
    if values.size == 0:
        return Sharing(np.zeros(entries.shape, np.int64)), np.zeros(1)
    return Sharing(labels), values
