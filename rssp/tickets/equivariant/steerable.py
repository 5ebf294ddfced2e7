"""Steerable kernels on the pixel grid: rotations C_n about each pixel, by band-limited functions of the plane.

A kernel k from the plane to matrices commutes with a rotation g if ``k(g x) = out(g) k(x) in(g)^-1``. Here k is a
combination of circular harmonics on rings, sampled at pixels: its dimension is that of the harmonics taken, which is
below that of all kernels on the grid (C_4, regular to regular, 3 x 3 pixels: 24 against the 36 of `PlanarGroup`), and
it stands for any angle, of which the grid respects quarter turns alone. Weiler and Cesa (NeurIPS 2019) describe these
networks, Ferbach et al. (ICLR 2023) prune them.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import qr

from rssp._arguments import integer, items, of_kind
from rssp._costs import require_feasible
from rssp.errors import ArgumentError
from rssp.tickets.bases import Basis
from rssp.tickets.equivariant.groups import Action, Group, cyclic
from rssp.tickets.equivariant.intertwiners import Representation, intertwiners, planar_rotations, tensor_product

__all__ = ["quarter_turns", "steerable_kernels", "steerable_layer"]

_WIDTH = 0.6  # of a ring, in pixels: neighbouring rings overlap by half


def steerable_kernels(
    out: Representation, inputs: Representation, kernel: int = 3, frequencies: Sequence[int] | None = None
) -> NDArray[np.float64]:
    """A basis of the steerable kernels of a cyclic group.

    Parameters
    ----------
    out, inputs : Representation, of one cyclic group C_n, of dimensions p and q
    kernel : odd number of pixels on an edge
    frequencies : the largest frequency on the rings of radius 0, 1, ..., (kernel - 1) / 2; by default 0, 2, 2, ...

    Returns
    -------
    float64 array (K, p, q, kernel, kernel), independent: of combinations that the pixels do not tell apart some are
        left out, where frequencies near 4 r are asked for
        Entry [k, :, :, i, j] maps the features at offset (i - c, j - c) from a pixel, c = (kernel - 1) / 2, to those at
        the pixel; the generator turns by +360/n degrees from the first axis (down) to the second (right).

    Examples
    --------
    >>> from rssp.tickets.equivariant.groups import cyclic
    >>> from rssp.tickets.equivariant.intertwiners import permuting
    >>> regular = permuting(cyclic(4).regular)
    >>> len(steerable_kernels(regular, regular))
    24
    """
    if integer("kernel", kernel, 1) % 2 == 0:
        raise ArgumentError("kernel", kernel, "an odd number: an even kernel has no pixel in its middle")
    rings = (kernel + 1) // 2
    most = [0, *[2] * (rings - 1)]
    if frequencies is not None:
        most = [integer("frequencies", f, 0) for f in items("frequencies", frequencies, "whole numbers, one a ring")]
    if len(most) != rings or any(f > 4 * ring for ring, f in enumerate(most)):
        allowed = f"{rings} numbers, one a ring, at most 4 r each: a ring of 8 r pixels tells no more apart"
        raise ArgumentError("frequencies", tuple(most), allowed)
    for name, part in (("out", out), ("inputs", inputs)):
        of_kind(name, part, Representation, "a Representation, such as `permuting(cyclic(8).regular)`")
    group = out.group
    if not isinstance(group, Group) or len(group.generators) != 1:
        raise ArgumentError("out", f"{out}", "a representation of a cyclic group, by its one generator")
    pairs = [(ring, f) for ring, top in enumerate(most) for f in range(top + 1)]
    harmonics = planar_rotations(group, [f for _, f in pairs])
    maps = intertwiners(tensor_product(out, inputs), harmonics)  # (K, p q, harmonics)
    at = np.arange(kernel) - (kernel - 1) // 2
    down, right = np.meshgrid(at, at, indexing="ij")
    radius, angle = np.hypot(down, right), np.arctan2(right, down)
    values: list[NDArray[np.float64]] = []
    for ring, f in pairs:
        profile = np.exp(-((radius - ring) ** 2) / (2 * _WIDTH**2))
        profile = profile * (radius > 0 if f else 1.0)  # no angle is defined at the middle
        values += [profile * np.cos(f * angle), profile * np.sin(f * angle)] if f else [profile]
    kernels = np.tensordot(maps, np.array(values), 1)
    kernels = kernels[_independent(kernels.reshape(len(kernels), -1))]
    norms = np.linalg.norm(kernels.reshape(len(kernels), -1), axis=1)
    shape = (-1, out.dimension, inputs.dimension, kernel, kernel)
    return np.asarray((kernels / norms[:, None, None, None]).reshape(shape))


def _independent(rows: NDArray[np.float64]) -> NDArray[np.int64]:
    """The places of as many independent rows as there are, in order, by QR with pivots."""
    if not len(rows):
        return np.arange(0)
    _, triangle, order = qr(rows.T, mode="economic", pivoting=True)
    sizes = np.abs(np.diag(triangle))
    return np.sort(order[: len(sizes)][sizes > 1e-9 * sizes[0]])


def steerable_layer(
    out: Representation, inputs: Representation, side: int, kernel: int = 3, frequencies: Sequence[int] | None = None
) -> Basis:
    """The sharing of steerable layers on square images, padded by zeros; features pixel by pixel.

    Commutes exactly with quarter turns of the image about its middle if 4 divides n, and about with other angles.
    Biases are shared by all points where the outputs are permuted, else there are none. Cost: K p q side^4 numbers.

    Examples
    --------
    >>> from rssp.tickets.equivariant.groups import cyclic
    >>> from rssp.tickets.equivariant.intertwiners import permuting, planar_rotations
    >>> c8 = cyclic(8)
    >>> steerable_layer(permuting(c8.regular), planar_rotations(c8, [0]), 5)
    Basis(25 -> 200 points, 6 elements)
    """
    side = integer("side", side, 1)
    kernels = steerable_kernels(out, inputs, kernel, frequencies)
    count, p, q = kernels.shape[:3]
    size = side * side
    require_feasible("a steerable layer", memory_bytes=16.0 * count * p * q * size**2, remedy="Use smaller images.")
    elements = np.zeros((count, size, p, size, q))
    rows, columns = np.divmod(np.arange(size), side)
    middle = (kernel - 1) // 2
    for i in range(kernel):
        for j in range(kernel):
            r, c = rows + i - middle, columns + j - middle
            inside = np.flatnonzero((r >= 0) & (r < side) & (c >= 0) & (c < side))
            source = r[inside] * side + c[inside]
            elements[:, inside, :, source, :] += kernels[None, :, :, :, i, j]
    permuted = bool(((out.generators == 0) | (out.generators == 1)).all())
    orbit = np.zeros(size * p, np.int64) if permuted else None
    return Basis(elements.reshape(count, size * p, size * q), orbit)


def quarter_turns(side: int, orientations: int = 1) -> Action:
    """C_4 on square images, turned about their middle, with a number for each of some orientations at each pixel.

    Points are in the order of `steerable_layer`, whose layers of C_n commute with these turns if 4 divides n.

    >>> quarter_turns(2).images.tolist()     # the first pixel goes down, the second to its place
    [[2, 0, 3, 1]]
    """
    side, orientations = integer("side", side, 1), integer("orientations", orientations, 1)
    if orientations > 1 and orientations % 4:
        raise ArgumentError("orientations", orientations, "1, or a multiple of 4: a quarter turn permutes no others")
    grid = np.arange(side**2).reshape(side, side)
    pixel = np.argsort(np.rot90(grid).ravel())  # np.rot90 shows at p what stood at its p-th entry
    kind = (np.arange(orientations) + orientations // 4) % orientations
    return cyclic(4).action([(pixel[:, None] * orientations + kind).ravel()])
