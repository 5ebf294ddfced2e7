"""What is no group, action, representation, field, graph or network is refused by the argument's name."""

import numpy as np
import pytest

from rssp.errors import ArgumentError, ArgumentTypeError, InfeasibleError
from rssp.tickets import DENSE, RELU, Linear, Network, Sharing
from rssp.tickets import equivariant as e
from rssp.tickets.equivariant import Action, Group, Representation, cyclic, dihedral, permuting, planar_rotations
from rssp.tickets.network import WindowMax

C4 = cyclic(4)
NATURAL = C4.natural
P4 = e.PlanarGroup(3)
RNG = np.random.default_rng(0)

CALLS = {
    "rows of unequal length": ("generators", lambda: Group([[0, 1], [0, 1, 2]])),
    "no generator": ("generators", lambda: Group([])),
    "a generator of bools": ("generators", lambda: Group([[True, False]])),
    "a generator beyond int64": ("generators", lambda: Group([[2**70, 0]])),
    "a name that is none": ("name", lambda: Group([[0]], name=3)),
    "letters that are none": ("letters", lambda: Group([[0]], letters=5)),
    "an action of a text": ("group", lambda: Action("x", np.array([[0]]))),
    "images that are no permutation": ("images", lambda: Action(C4, np.array([[0, 0, 1, 2]]))),
    "images of floats": ("images", lambda: Action(C4, np.array([[0.5, 0]]))),
    "points beyond memory": ("permutations needs", lambda: cyclic(10**13)),
    "points beyond int64": ("n", lambda: cyclic(10**30)),
    "tuples of a text": ("action", lambda: e.tuples("a", 1)),
    "tuples of many": ("tuples needs", lambda: e.tuples(NATURAL, 50)),
    "no actions together": ("actions", e.together),
    "actions of two groups": ("inputs", lambda: e.together(NATURAL, cyclic(5).natural)),
    "orbitals of a text": ("out", lambda: e.orbitals("a", NATURAL)),
    "links of numbers": ("links", lambda: e.orbitals(NATURAL, NATURAL, np.ones((4, 4), int))),
    "a coset of no element": ("subgroup", lambda: C4.cosets([9])),
    "a coset of a negative place": ("subgroup", lambda: C4.cosets([-1])),
    "a coset of a number": ("subgroup", lambda: C4.cosets(1)),
    "a word of no element": ("element", lambda: C4.word(-1)),
    "a generator that is not there": ("generator", lambda: C4.generator_place(5)),
    "a product with a text": ("second", lambda: e.group_product(C4, "x")),
    "an image beyond memory": ("planar group needs", lambda: e.PlanarGroup(10**6)),
    "letters of a quotient": ("letters", lambda: P4.quotient(3)),
    "an action for a field": ("out", lambda: P4.layer(NATURAL, NATURAL)),
    "a field of another side": ("inputs", lambda: P4.layer(P4.trivial, e.PlanarGroup(5).trivial)),
    "a field of another group": ("field", lambda: P4.about_middle(e.PlanarGroup(3, reflections=True).trivial)),
    "matrices of texts": ("generators", lambda: Representation("r", [[["a"]]])),
    "complex matrices": ("generators", lambda: Representation("r", np.array([[[1j]]]))),
    "matrices of no entries": ("generators", lambda: Representation("r", np.zeros((1, 0, 0)))),
    "an algebra of another dimension": (
        "algebra",
        lambda: Representation("r", np.zeros((0, 2, 2)), np.zeros((1, 3, 3))),
    ),
    "a group that is a text": ("group", lambda: Representation("r", np.eye(2)[None], group="x")),
    "frequencies of D_4": ("group", lambda: planar_rotations(dihedral(4), [1])),
    "no frequencies": ("frequencies", lambda: planar_rotations(C4, [])),
    "one frequency without a list": ("frequencies", lambda: planar_rotations(C4, 1)),
    "SO of a huge dimension": ("algebra's matrices needs", lambda: e.special_orthogonal(10**5)),
    "a sum of numbers": ("representations", lambda: e.direct_sum(1, 2)),
    "a finite and a connected group": (
        "representations",
        lambda: e.tensor_product(permuting(NATURAL), e.special_orthogonal(2)),
    ),
    "maps between texts": ("representations", lambda: e.intertwiners("a", "b")),
    "a basis of no maps": (
        "elements",
        lambda: e.Basis(e.intertwiners(planar_rotations(C4, [0]), planar_rotations(C4, [1]))),
    ),
    "characters of a connected group": ("group", lambda: e.count_intertwiners(*[e.special_orthogonal(2)] * 2)),
    "averages without a generator": ("rng", lambda: e.averaged_rank(permuting(NATURAL), permuting(NATURAL), 3)),
    "steerable kernels of texts": ("out", lambda: e.steerable_kernels("a", "b")),
    "frequencies beyond the pixels": ("frequencies", lambda: e.steerable_kernels(*[permuting(NATURAL)] * 2, 3, [0, 9])),
    "a steerable layer beyond memory": (
        "steerable layer needs",
        lambda: e.steerable_layer(*[permuting(NATURAL)] * 2, 2000),
    ),
    "a graph that is a text": ("adjacency", lambda: e.message_passing("ab")),
    "a graph with rows of unequal length": ("adjacency", lambda: e.neighbour_max([[0], [0, 1]])),
    "a network that is a number": ("network", lambda: e.require_equivariant(3, NATURAL)),
    "a function that is a number": ("f", lambda: e.equivariance_error(3, NATURAL, NATURAL, np.zeros((1, 4)))),
    "inputs that are a text": ("x", lambda: e.equivariance_error(lambda x: x, NATURAL, NATURAL, "abcd")),
    "classes of another number": ("y", lambda: e.hit_rate(lambda x: x, np.zeros((2, 2)), np.zeros(3))),
    "an image that is no square": ("images", lambda: e.turned_images(np.zeros((2, 3)), [10])),
    "a probability beyond 1": ("inside", lambda: e.planted_partition(2, 3, 1.5, 0.1)),
    "no sharings": ("widths", lambda: e.stacked_network([], [1], RNG)),
    "one width without a list": ("widths", lambda: e.message_network([[0, 1], [1, 0]], 4, 2, 2, RNG)),
    "a seed for a generator": ("rng", lambda: e.problem("p4", 0, 3)),
    "a dense number": ("network", lambda: e.dense_network(3)),
    "the norm of a number": ("sharing", lambda: e.combination_bound(3)),
    "the norm of a text": ("basis", lambda: e.basis_norm("x")),
    "coefficients that are nan": ("coefficients of 'a'", lambda: Linear([[[np.nan]]], DENSE, name="a")),
    "biases beyond reason": ("bias of 'a'.*1e.50", lambda: Linear([[[1.0]]], DENSE, [[1e300]], name="a")),
    "coefficients on a text": ("sharing", lambda: Linear([[[1.0]]], "dense")),
    "labels that are none": ("pattern", lambda: Sharing([["a"]])),
    "labels of rows of unequal length": ("pattern", lambda: Sharing([[0], [0, 1]])),
    "labels far apart": ("pattern", lambda: Sharing([[0, 2**40]])),
    "labels beyond int64": ("pattern", lambda: Sharing(np.array([[2**63]], np.uint64))),
    "no link": ("pattern", lambda: Sharing([[-1]])),
    "orbits of floats": ("orbit", lambda: Sharing([[0], [0]], [0.0, 0.7])),
    "orbits of unequal length": ("orbit", lambda: Sharing([[0], [0]], [[0], [0, 1]])),
    "links of unequal length": ("links", lambda: e.orbitals(NATURAL, NATURAL, [[True], [True, False]])),
    "images of unequal length": ("images", lambda: C4.action([[0, 1], [0]])),
    "no matrices": ("generators", lambda: Representation("r", None)),
    "matrices beyond floats": ("generators", lambda: Representation("r", np.full((1, 2, 2), 1e300), group=C4)),
    "characters of numbers": ("representations", lambda: e.count_intertwiners(1, 2)),
    "averages of numbers": ("representations", lambda: e.averaged_rank(1, 2, RNG)),
    "a basis with orbits of unequal length": ("orbit", lambda: e.Basis(np.ones((1, 2, 2)), [[0], [0, 1]])),
    "a function without outputs": (
        "f.x.",
        lambda: e.equivariance_error(lambda x: None, NATURAL, NATURAL, np.ones((1, 4))),
    ),
    "actions of C_4 and C_8": (
        "inputs",
        lambda: e.equivariance_error(lambda x: x, cyclic(8).action([[1, 2, 3, 0]]), NATURAL, np.ones((1, 4))),
    ),
    "spaces that are none": ("spaces", lambda: e.require_equivariant(Network((RELU,), (1, 4)), None)),
    "a law that is a text": ("law", lambda: e.remove_fields(Linear([[[1.0]]], DENSE), 4, rng=RNG, law="uniform")),
    "windows of unequal length": ("windows", lambda: WindowMax([[0], [0, 1]], 2)),
    "windows beyond the points": (
        "windows",
        lambda: e.require_equivariant(Network((WindowMax([[7]], 8),), (1, 8)), NATURAL),
    ),
    "no coefficients": ("coefficients", lambda: Linear(None, DENSE)),
    "groups that are a text": ("groups", lambda: Linear([[[1.0]]], DENSE, groups="a")),
    "steps that are none": ("steps", lambda: Network((3,), (1,))),
    "steps without a list": ("steps", lambda: Network(RELU, (1,))),
    "a shape without a list": ("shape", lambda: Network((RELU,), 4)),
    "classes without a list": ("y", lambda: e.hit_rate(lambda x: x, np.zeros((2, 2)), 3)),
    "reflections that are a text": ("reflections", lambda: e.PlanarGroup(3, reflections="abc")),
    "elements beyond reason": ("elements", lambda: e.Basis(np.full((1, 2, 2), 1e150))),
    "elements below reason": ("elements", lambda: e.Basis(np.full((1, 2, 2), 5e-324))),
    "training of a number": ("network", lambda: e.trained(3, 4)),
    "removal from a number": ("layer", lambda: e.remove_fields(3, 4, rng=RNG)),
}


@pytest.mark.parametrize("name", CALLS)
def test_the_argument_is_named(name):
    argument, call = CALLS[name]
    with pytest.raises((ArgumentError, ArgumentTypeError, InfeasibleError), match=argument):
        call()


def test_graphs_of_many_twins_are_searched_at_once():
    """Refinement alone would fix all nodes again for each pair of twins."""
    for links in (np.zeros((100, 100)), 1 - np.eye(100)):
        assert len(e.automorphisms(links).generators) == 99


def test_a_group_too_large_to_close_has_a_name():
    assert repr(e.symmetric(30)) == "Group('S_30', 2 generators, order above 50000)"
