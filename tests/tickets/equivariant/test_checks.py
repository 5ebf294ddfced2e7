"""What breaks a group is found and named, step by step; what does not is let pass."""

import numpy as np
import pytest

from rssp.errors import ArgumentError, ArgumentTypeError
from rssp.tickets import RELU, Convolution, Linear, MaxPool, Network
from rssp.tickets.activations import IDENTITY
from rssp.tickets.equivariant import (
    Basis,
    cyclic,
    dihedral,
    equivariance_error,
    intertwiners,
    neighbour_max,
    orbitals,
    permuting,
    planar_rotations,
    require_equivariant,
    special_orthogonal,
)
from rssp.tickets.network import Residual

RING = np.roll(np.eye(5), 1, axis=1) + np.roll(np.eye(5), -1, axis=1)
C5 = cyclic(5).natural


def ring_layer(rng, name="ring", bias=None):
    sharing = orbitals(C5, C5)
    return Linear(rng.standard_normal((1, 1, sharing.size)), sharing, bias=bias, name=name)


def test_networks_that_commute_pass():
    rng = np.random.default_rng(0)
    layers = [ring_layer(rng, f"layer {i}") for i in range(3)]
    block = Residual((layers[1], RELU), ())
    network = Network((layers[0], RELU, block, neighbour_max(RING), layers[2]), (1, 5))
    require_equivariant(network, C5)
    require_equivariant(network, [C5] * 4)
    x = rng.standard_normal((20, 5))
    assert equivariance_error(network, C5, C5, x) < 1e-12


def test_a_layer_that_does_not_commute_is_named():
    rng = np.random.default_rng(1)
    padded = Linear(rng.standard_normal((1, 1, 3)), Convolution((5,), (3,), padding=((1, 1),)), name="padded")
    with pytest.raises(ArgumentError, match=r"sharing of 'padded'.*some generator does not commute"):
        require_equivariant(Network((ring_layer(rng), RELU, padded), (1, 5)), C5)
    with pytest.raises(ArgumentError, match="sharing of 'padded'"):
        require_equivariant(Network((padded,), (1, 5)), permuting(C5))


def test_a_window_that_the_group_does_not_carry_is_named():
    path = np.diag(np.ones(4), 1) + np.diag(np.ones(4), -1)
    with pytest.raises(ArgumentError, match="windows that C_5 carries into windows"):
        require_equivariant(Network((neighbour_max(path),), (1, 5)), C5)


def test_activations_act_on_points_only():
    c5 = cyclic(5)
    plane = planar_rotations(c5, [1])
    turn = Linear(np.full((1, 1, 2), 0.5), Basis(intertwiners(plane, plane)), name="turn")
    require_equivariant(Network((turn, IDENTITY), (1, 2)), plane)
    with pytest.raises(ArgumentError, match="activation relu: got a pointwise function after Representation"):
        require_equivariant(Network((turn, RELU), (1, 2)), plane)


def test_connected_groups_are_measured_by_turns():
    vectors = special_orthogonal(3)
    double = Linear(np.full((1, 1, 1), 2.0), Basis(intertwiners(vectors, vectors)), name="double")
    network = Network((double,), (1, 3))
    require_equivariant(network, vectors)
    x = np.random.default_rng(2).standard_normal((4, 3))
    assert equivariance_error(network, vectors, vectors, x) < 1e-12
    assert equivariance_error(np.abs, vectors, vectors, x) > 0.1


def test_the_error_is_the_largest_norm_over_inputs_and_generators():
    group = dihedral(3)
    x = np.array([[1.0, 0.0, 0.0], [0.0, 3.0, 4.0]])
    weights = np.array([1.0, 2.0, 3.0])
    worst = 0.0
    for image in group.generators:
        for row in x:
            moved, expected = np.empty(3), np.empty(3)
            moved[image], expected[image] = row, weights * row
            worst = max(worst, np.linalg.norm(weights * moved - expected))
    for given in (x, x[:, None]):
        found = equivariance_error(lambda rows: weights * rows, group.natural, group.natural, given)
        assert found == pytest.approx(worst)


def test_branches_of_a_residual_end_in_one_action():
    """The same points, moved in two ways: their sum commutes with neither."""
    group = cyclic(4)
    one, other = group.natural, group.action([[3, 0, 1, 2]])
    rng = np.random.default_rng(4)
    layers = [Linear(rng.standard_normal((1, 1, 4)), orbitals(space, one), name="n") for space in (one, other)]
    network = Network((Residual((layers[0],), (layers[1],)),), (1, 4))
    with pytest.raises(ArgumentError, match="after a Residual"):
        require_equivariant(network, [one, one, other])
    require_equivariant(Network((Residual((layers[0],), (layers[0],)),), (1, 4)), [one, one, one])


def test_an_element_is_judged_by_its_own_size():
    """A small element that commutes with nothing, and a large coefficient of it."""
    wrong = np.random.default_rng(5).standard_normal((4, 4))
    sharing = Basis(np.stack([np.eye(4), 1e-10 * wrong]))
    layer = Linear(np.array([[[1.0, 1e10]]]), sharing, name="mixed")
    with pytest.raises(ArgumentError, match="sharing of 'mixed'"):
        require_equivariant(Network((layer,), (1, 4)), cyclic(4).natural)


def test_outputs_that_are_no_numbers_are_no_equivariance():
    for value in (np.nan, np.inf):
        with pytest.raises(ArgumentError, match="outputs that are not finite"):
            equivariance_error(lambda x, v=value: np.full_like(x, v), C5, C5, np.ones((1, 5)))


def test_spaces_that_do_not_fit_are_named():
    rng = np.random.default_rng(3)
    network = Network((ring_layer(rng),), (1, 5))
    with pytest.raises(ArgumentError, match=r"3 of them.*2, or one for all"):
        require_equivariant(network, [C5] * 3)
    with pytest.raises(ArgumentError, match="one between"):
        require_equivariant(network, cyclic(4).natural)
    with pytest.raises(ArgumentError, match="an action of the group of the outputs"):
        equivariance_error(network, C5, dihedral(5).natural, np.zeros((1, 5)))
    with pytest.raises(ArgumentError, match="a multiple of the 5 points"):
        equivariance_error(lambda x: x, C5, C5, np.zeros((1, 4)))
    with pytest.raises(ArgumentError, match="finite inputs"):
        equivariance_error(network, C5, C5, np.full((1, 5), np.nan))
    with pytest.raises(ArgumentTypeError, match="an Action or a Representation"):
        equivariance_error(network, "C5", "C5", np.zeros((1, 5)))


def test_pooling_of_images_is_not_judged():
    with pytest.raises(ArgumentTypeError, match="no pooling of images"):
        require_equivariant(Network((MaxPool((4,), (2,), (2,), (0,), (1,)),), (1, 4)), cyclic(4).natural)
