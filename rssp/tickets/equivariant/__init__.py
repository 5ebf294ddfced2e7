"""Equivariant networks: groups, the maps that commute with them, and checks that a network does.

A group brings a sharing, by labels (`orbitals`, `PlanarGroup.layer`, `message_passing`) or by a basis of matrices
(`Basis(intertwiners(...))`, `steerable_layer`); layers, pruning and certificates are those of any network.
"""

from rssp.tickets.bases import Basis, basis_norm
from rssp.tickets.equivariant.checks import equivariance_error, require_equivariant
from rssp.tickets.equivariant.graphs import automorphisms, message_passing, neighbour_max
from rssp.tickets.equivariant.groups import (
    Action,
    Group,
    count_orbitals,
    cyclic,
    dihedral,
    group_product,
    orbitals,
    symmetric,
    together,
    tuples,
)
from rssp.tickets.equivariant.intertwiners import (
    Representation,
    averaged_rank,
    count_intertwiners,
    direct_sum,
    intertwiners,
    orthogonal,
    permuting,
    planar_rotations,
    special_orthogonal,
    tensor_product,
)
from rssp.tickets.equivariant.planar import Field, PlanarGroup
from rssp.tickets.equivariant.steerable import steerable_kernels, steerable_layer

__all__ = [
    "Action",
    "Basis",
    "Field",
    "Group",
    "PlanarGroup",
    "Representation",
    "automorphisms",
    "averaged_rank",
    "basis_norm",
    "count_intertwiners",
    "count_orbitals",
    "cyclic",
    "dihedral",
    "direct_sum",
    "equivariance_error",
    "group_product",
    "intertwiners",
    "message_passing",
    "neighbour_max",
    "orbitals",
    "orthogonal",
    "permuting",
    "planar_rotations",
    "require_equivariant",
    "special_orthogonal",
    "steerable_kernels",
    "steerable_layer",
    "symmetric",
    "tensor_product",
    "together",
    "tuples",
]
