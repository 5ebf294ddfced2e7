"""Tickets of networks that commute with a group, one test for all of them: only the sharings differ."""

import itertools

import networkx
import numpy as np
import pytest
from torch import nn

from rssp.laws import Uniform
from rssp.tickets import (
    DENSE,
    PLAIN,
    RELU,
    THEOREM,
    Linear,
    Network,
    load_ticket,
    prune,
    read_target,
    save_ticket,
    weight_tolerance,
    worst_error,
)
from rssp.tickets.equivariant import (
    Basis,
    PlanarGroup,
    Representation,
    automorphisms,
    cyclic,
    dihedral,
    equivariance_error,
    group_product,
    intertwiners,
    message_passing,
    neighbour_max,
    orbitals,
    permuting,
    planar_rotations,
    require_equivariant,
    steerable_layer,
    symmetric,
    tuples,
)
from rssp.tickets.least import theorem_tolerance

PETERSEN = networkx.to_numpy_array(networkx.petersen_graph())
STAR = networkx.to_numpy_array(networkx.star_graph(4))


def permuted(*actions):
    return list(actions), [orbitals(b, a) for a, b in itertools.pairwise(actions)]


def planar(side=3, **options):
    group = PlanarGroup(side, **options)
    fields = [group.trivial, group.regular, group.trivial]
    return [f.action for f in fields], [group.layer(b, a) for a, b in itertools.pairwise(fields)]


def torus():
    """A convolution as torch has it, under the translations of the torus."""
    shifts = group_product(cyclic(4), cyclic(4))
    points = np.arange(16)
    action = shifts.action([(points + 4) % 16, points - points % 4 + (points + 1) % 4])
    module = nn.Conv2d(1, 1, 3, padding=1, padding_mode="circular", bias=False)
    return [action] * 3, [read_target(nn.Sequential(module), (1, 4, 4)).layers[0].sharing] * 2


def hexagon():
    """Vectors of the plane, turned and mirrored as the hexagon, through functions on the group."""
    group, angle = dihedral(6), np.pi / 3
    turn = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    plane = Representation("plane", np.array([turn, [[1.0, 0.0], [0.0, -1.0]]]), group=group)
    hidden = permuting(group.regular)
    first = Basis(intertwiners(hidden, plane), np.zeros(12, np.int64))
    return [plane, group.regular, plane], [first, Basis(intertwiners(plane, hidden))]


def steerable():
    """Turns by 90 degrees of an image about its middle, a regular field of C_4 between."""
    group, side = cyclic(4), 3
    grid = np.arange(side**2).reshape(side, side)
    pixel = np.argsort(np.rot90(grid).ravel())  # np.rot90 shows at p what stood at its p-th entry

    def field(size):
        shift = (np.arange(size) + 1) % size
        return group.action([(pixel[:, None] * size + shift).ravel()])

    scalar, regular = planar_rotations(group, [0]), permuting(group.regular)
    layers = [steerable_layer(regular, scalar, side), steerable_layer(scalar, regular, side)]
    return [field(1), field(4), field(1)], layers


def passing(links, aggregation):
    action, layer = automorphisms(links).natural, message_passing(links, aggregation)
    return [action, action, action], [layer, layer]


S4 = symmetric(4).natural
CASES = {
    "MLP": lambda: ([symmetric(1).natural] * 3, [DENSE, DENSE]),
    "CNN on the torus": torus,
    "C_5": lambda: permuted(*[cyclic(5).natural] * 3),
    "p4": planar,
    "p4m": lambda: planar(reflections=True),
    "S_4, order 1": lambda: permuted(S4, S4, tuples(S4, 0)),
    "S_4, order 2": lambda: permuted(tuples(S4, 2), tuples(S4, 2), tuples(S4, 0)),
    "D_6 by matrices": hexagon,
    "C_4, steerable": steerable,
    "automorphisms of the Petersen graph": lambda: permuted(*[automorphisms(PETERSEN).natural] * 3),
    "message passing, sum": lambda: passing(PETERSEN, "sum"),
    "message passing, mean": lambda: passing(STAR, "mean"),
}
WIDE = PLAIN.but(law=Uniform())


def random_target(spaces, sharings, widths=(1, 2, 1), between=RELU):
    """A network of random coefficients, layers of operator norm below 1."""
    rng, steps = np.random.default_rng(0), []
    for at, ((a, b), sharing) in enumerate(zip(itertools.pairwise(widths), sharings, strict=True)):
        values = rng.uniform(-1, 1, (b, a, sharing.size))
        values *= 0.9 / max(0.9, np.linalg.norm(sharing.matrix(values), 2))
        bias = rng.uniform(-0.1, 0.1, (b, sharing.orbit_count)) if sharing.biased else None
        steps += [Linear(values, sharing, bias, name=f"layer {at}"), between]
    points = spaces[0].dimension if isinstance(spaces[0], Representation) else spaces[0].points
    return Network(tuple(steps[:-1]), (widths[0], points), dtype="float64")


def unit_inputs(count):
    x = np.random.default_rng(2).standard_normal((40, count))
    return x / np.linalg.norm(x, axis=1, keepdims=True)


@pytest.mark.parametrize("construction", [THEOREM, WIDE], ids=lambda c: c.name)
@pytest.mark.parametrize("case", CASES)
def test_an_equivariant_target_has_an_equivariant_ticket(case, construction, tmp_path):
    spaces, sharings = CASES[case]()
    target = random_target(spaces, sharings)
    require_equivariant(target, spaces)
    ticket = prune(
        target, n=14, eps=None, tolerance=0.01, construction=construction, rng=np.random.default_rng(1), partial=True,
        redraw=20,
    )  # fmt: skip
    wanted = np.concatenate([layer.coefficients.ravel() for layer in target.layers])
    got = np.concatenate([layer.coefficients.ravel() for layer in ticket.effective.layers])
    assert np.abs(got - wanted).max() <= ticket.largest_weight_error <= 0.01

    x = unit_inputs(target.inputs)
    errors = np.linalg.norm(target(x) - ticket(x), axis=1)
    assert 0 < errors.max() <= ticket.certified_error
    attack = worst_error(ticket.reference, ticket.effective, restarts=4, rng=np.random.default_rng(3))
    rounding = 1e-14  # of outputs of at most 1, whose differences the errors are
    assert errors.max() <= attack + rounding
    assert attack <= ticket.certified_error * (1 + 1e-12)

    assert equivariance_error(target, spaces[-1], spaces[0], x) < 1e-12
    broken = equivariance_error(ticket, spaces[-1], spaces[0], x)
    if construction is THEOREM and isinstance(spaces[0], Representation):
        # the ReLU behind a random link acts on numbers that the group does not permute: equal halves are needed
        assert 1e-6 < broken <= 2 * ticket.certified_error
    else:
        assert broken < 1e-12
        require_equivariant(ticket.effective, spaces)

    # what the certificate asks for is of the theorem's size, which knows of no biases: 0.82 to 1.96 times it
    assert 0.5 <= weight_tolerance(target, 0.1) / theorem_tolerance(target, 0.1) <= 4

    path = tmp_path / "ticket.safetensors"
    save_ticket(ticket, path)
    np.testing.assert_array_equal(load_ticket(path)(x), ticket(x))


@pytest.mark.parametrize("case", CASES)
def test_the_same_target_pruned_as_a_dense_one_loses_its_symmetry(case):
    """The control: more parameters, and no more equivariance than the tolerance gives."""
    spaces, sharings = CASES[case]()
    target = random_target(spaces, sharings)
    ends = [target.shape[1], *(s.points[0] for s in sharings)]
    width = [1, 2, 1]
    steps = [
        part
        for at, layer in enumerate(target.layers)
        for part in (
            Linear(layer.sharing.matrix(layer.coefficients)[..., None], DENSE,
                   None if layer.bias is None else layer.bias[:, layer.sharing.orbits].reshape(-1, 1)),
            RELU,
        )
    ]  # fmt: skip
    dense = Network(tuple(steps[:-1]), (target.inputs, 1), dtype="float64")
    x = unit_inputs(target.inputs)
    assert np.abs(dense(x) - target(x)).max() < 1e-12
    how = {"n": 12, "eps": None, "tolerance": 0.02, "construction": WIDE, "partial": True}
    shared = prune(target, rng=np.random.default_rng(1), **how)
    control = prune(dense, rng=np.random.default_rng(1), **how)
    ratio = control.source_parameters / shared.source_parameters
    entries = sum(a * b * p * q for (a, p), (b, q) in itertools.pairwise(zip(width, ends, strict=True)))
    if case == "MLP":
        assert ratio == 1
    else:
        assert ratio > 1.5 or entries < 100
        assert equivariance_error(control, spaces[-1], spaces[0], x) > 1e-6


def test_the_largest_neighbour_is_carried_along():
    """Maxima over neighbours commute with automorphisms; their ticket is as near as any."""
    action, layer = automorphisms(PETERSEN).natural, message_passing(PETERSEN)
    target = random_target([action] * 3, [layer, layer])
    steps = (target.steps[0], RELU, neighbour_max(PETERSEN), target.steps[2])
    target = Network(steps, target.shape, dtype="float64")
    require_equivariant(target, action)
    ticket = prune(target, n=14, eps=None, tolerance=0.01, rng=np.random.default_rng(1), partial=True)
    x = unit_inputs(target.inputs)
    assert np.linalg.norm(target(x) - ticket(x), axis=1).max() <= ticket.certified_error
    assert equivariance_error(ticket, action, action, x) < 1e-12


def test_a_fixed_layer_of_elements_with_negative_entries_leaves_inputs_of_both_signs():
    """relu, then minus the identity as a basis element with coefficient 1: the next layer's inputs are negative."""
    rng = np.random.default_rng(0)
    minus = Linear(np.ones((1, 1, 1)), Basis(-np.eye(3)[None], np.zeros(3, np.int64)), name="minus", fixed=True)
    ring = orbitals(cyclic(3).natural, cyclic(3).natural)
    first, last = (Linear(rng.uniform(-0.3, 0.3, (1, 1, 3)), ring, name=name) for name in ("first", "last"))
    target = Network((first, RELU, minus, last), (1, 3), "float64")
    ticket = prune(target, 14, None, tolerance=1e-3, construction=THEOREM, rng=rng, partial=True, redraw=20)
    x = unit_inputs(3)
    assert 0 < np.linalg.norm(target(x) - ticket(x), axis=1).max() <= ticket.certified_error < 0.02
    certified = worst_error(ticket.reference, ticket.effective, restarts=4, rng=rng)
    assert certified <= ticket.certified_error
