"""Equivariant networks: groups, the maps that commute with them, and checks that a network does.

A group brings a sharing, by labels (`orbitals`, `PlanarGroup.layer`, `message_passing`) or by a basis of matrices
(`Basis(intertwiners(...))`, `steerable_layer`); layers, pruning and certificates are those of any network.

A ticket has other coefficients on the same sharing, so it commutes with the group as exactly as its target, with one
exception: `THEOREM` puts an activation behind its random links, on the inputs of every layer. Inputs that a group moves
by matrices, not by permutations, go through it coordinate by coordinate, and such a ticket commutes to within its error
only. `PLAIN` has no links.
"""

from rssp.tickets.bases import Basis, basis_norm
from rssp.tickets.equivariant.checks import equivariance_error, require_equivariant
from rssp.tickets.equivariant.data import (
    Examples,
    atlas_graphs,
    karate_club,
    planted_partition,
    shown_nodes,
    turned_digits,
    turned_images,
)
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
from rssp.tickets.equivariant.learning import hit_rate, trained
from rssp.tickets.equivariant.models import (
    dense_network,
    graph_network,
    invariant_sums,
    message_network,
    planar_network,
    stacked_network,
    steerable_network,
)
from rssp.tickets.equivariant.planar import Field, PlanarGroup
from rssp.tickets.equivariant.problems import PROBLEMS, problem
from rssp.tickets.equivariant.removal import FieldRemoval, remove_fields
from rssp.tickets.equivariant.steerable import quarter_turns, steerable_kernels, steerable_layer
from rssp.tickets.layer_norms import combination_bound

__all__ = [
    "PROBLEMS",
    "Action",
    "Basis",
    "Examples",
    "Field",
    "FieldRemoval",
    "Group",
    "PlanarGroup",
    "Representation",
    "atlas_graphs",
    "automorphisms",
    "averaged_rank",
    "basis_norm",
    "combination_bound",
    "count_intertwiners",
    "count_orbitals",
    "cyclic",
    "dense_network",
    "dihedral",
    "direct_sum",
    "equivariance_error",
    "graph_network",
    "group_product",
    "hit_rate",
    "intertwiners",
    "invariant_sums",
    "karate_club",
    "message_network",
    "message_passing",
    "neighbour_max",
    "orbitals",
    "orthogonal",
    "permuting",
    "planar_network",
    "planar_rotations",
    "planted_partition",
    "problem",
    "quarter_turns",
    "remove_fields",
    "require_equivariant",
    "shown_nodes",
    "special_orthogonal",
    "stacked_network",
    "steerable_kernels",
    "steerable_layer",
    "steerable_network",
    "symmetric",
    "tensor_product",
    "together",
    "trained",
    "tuples",
    "turned_digits",
    "turned_images",
]
