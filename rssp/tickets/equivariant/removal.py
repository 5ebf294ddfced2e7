"""Structured tickets of an equivariant layer: whole fields are removed, with every coefficient that reads them.

A hidden field on which a group acts by permutations may be removed as one: what is left commutes with the group. Then
one mask decides over all coefficients between a field and the outputs, so that a target is a sum of random vectors in
dimension d_out |B|, not of numbers: the structured pruning of da Cunha, d'Amore and Natale (NeurIPS 2023) with an
equivariant layer in the place of a convolution. It takes about d_out |B| log2(1/eps) fields for each input and sign.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rssp._arguments import integer, of_kind
from rssp.errors import ArgumentError, ArgumentTypeError
from rssp.laws import Law, Uniform
from rssp.subsetsum.nearest.verbs import nearest_subset
from rssp.tickets.activations import RELU
from rssp.tickets.network import Linear, Network
from rssp.tickets.sharing import DENSE, Convolution

__all__ = ["FieldRemoval", "remove_fields"]


@dataclass(frozen=True, eq=False)
class FieldRemoval:
    """A random two-layer network from which fields were removed until it is near a layer.

    Attributes
    ----------
    network : Network, of the fields that are kept; its biases are the target's
    kept : bool array (inputs, 2, n): the fields of each input channel, those that serve positive inputs first
    errors : float array (inputs, 2): the largest error of a coefficient, for positive and for negative inputs
    fields : int, how many the random network had
    """

    network: Network
    kept: NDArray[np.bool_]
    errors: NDArray[np.float64]

    @property
    def fields(self) -> int:
        return self.kept.size

    def __repr__(self) -> str:
        return (
            f"FieldRemoval({int(self.kept.sum())} of {self.fields} fields kept, largest error {self.errors.max():.2g})"
        )


def remove_fields(
    layer: Linear, n: int, *, rng: np.random.Generator, law: Law | None = None, workers: int = 1
) -> FieldRemoval:
    """Approximate an equivariant layer by removing fields, each as a whole, from a random network twice as deep.

    Parameters
    ----------
    layer : Linear, without groups; its inputs are fields that the group permutes, or all activations beside them break
        the symmetry (`require_equivariant` tells)
    n : fields for each input channel and sign, at most 44 (56 where one coefficient reads a field)
    rng : numpy Generator
    law : of all random weights, by default uniform on [-1, 1]
    workers : threads of the search

    Returns
    -------
    FieldRemoval, whose subsets are the nearest in the max norm (`rssp.nearest_subset`)

    Notes
    -----
    Each input channel a has n fields relu(u x) with u > 0 and n with u < 0, linked by the identity. Field i is read by
    random coefficients v_i, (out, |B|) of them; those kept add up to ``sum |u_i| v_i``, near w_a for u > 0 and near
    -w_a for u < 0, where ``relu(u x) = -|u| x`` for negative x.

    Examples
    --------
    >>> from rssp.tickets.equivariant import cyclic, orbitals, require_equivariant
    >>> ring = cyclic(3).natural
    >>> target = Linear(np.array([[[0.5, -0.3, 0.1]]]), orbitals(ring, ring))
    >>> found = remove_fields(target, 20, rng=np.random.default_rng(0))
    >>> bool(found.errors.max() < 0.02), found.fields
    (True, 40)
    >>> require_equivariant(found.network, ring)
    """
    if not isinstance(layer, Linear):
        raise ArgumentTypeError("layer", layer, "a Linear layer")
    if layer.groups != 1:
        raise ArgumentError("layer", f"one of {layer.groups} groups", "a layer without groups")
    of_kind("rng", rng, np.random.Generator, "a numpy Generator, e.g. numpy.random.default_rng(0)")
    n, law = integer("n", n, 1), Uniform() if law is None else law
    of_kind("law", law, Law, "a Law, or None")
    out, inputs, size = layer.coefficients.shape
    links = np.abs(law.draw(inputs * 2 * n, rng).reshape(inputs, 2, n))
    weights = law.draw(inputs * 2 * n * out * size, rng).reshape(inputs, 2, n, out * size)
    wanted = np.ascontiguousarray(layer.coefficients.swapaxes(0, 1)).reshape(inputs, 1, out * size)
    sign = np.array([1.0, -1.0])[:, None]
    products = links[..., None] * weights
    found = nearest_subset(
        products.reshape(inputs * 2, n, out * size), (wanted * sign).reshape(inputs * 2, out * size), workers=workers
    )
    kept = found.mask.reshape(inputs, 2, n)
    channel, half, place = np.nonzero(kept)
    points = layer.sharing.points[1]
    first = np.zeros((max(1, len(channel)), inputs, 1))
    first[np.arange(len(channel)), channel, 0] = links[channel, half, place] * sign[half, 0]
    second = np.zeros((out, len(first), size))
    second[:, : len(channel)] = weights[channel, half, place].reshape(-1, out, size).swapaxes(0, 1)
    pointwise = DENSE if points == 1 else Convolution((points,), (1,))
    steps = (Linear(first, pointwise, name="links"), RELU, Linear(second, layer.sharing, layer.bias, layer.name))
    return FieldRemoval(Network(steps, (inputs, points), "float64"), kept, found.error.reshape(inputs, 2))
