"""Fields removed as a whole from equivariant layers."""

import itertools

import numpy as np
import pytest

from rssp.errors import ArgumentError, ArgumentTypeError
from rssp.laws import Normal
from rssp.tickets import DENSE, Linear, Network
from rssp.tickets.equivariant import (
    PlanarGroup,
    cyclic,
    equivariance_error,
    orbitals,
    remove_fields,
    require_equivariant,
    symmetric,
    tuples,
)


def layers():
    ring, node = cyclic(2).regular, symmetric(4).natural
    planar = PlanarGroup(3, turns=1)
    yield Linear(np.array([[[0.5, -0.3], [0.2, 0.7]]]), orbitals(ring, ring), np.array([[0.1]]), "C_2"), ring, ring
    pairs = orbitals(node, tuples(node, 2))
    yield Linear(np.array([[[0.1, -0.2, 0.3, 0.05, -0.1]]]), pairs, None, "pairs to nodes"), node, tuples(node, 2)
    field = planar.trivial
    shifts = planar.layer(field, field, kernel=1)
    yield Linear(np.array([[[0.6]], [[-0.9]]]), shifts, None, "1 x 1"), field.action, field.action
    yield Linear(np.array([[[0.4], [-0.6]]]), DENSE, None, "dense"), symmetric(1).natural, symmetric(1).natural


@pytest.mark.parametrize(("layer", "out", "inputs"), list(layers()), ids=lambda x: getattr(x, "name", ""))
def test_what_is_left_is_near_and_commutes(layer, out, inputs):
    found = remove_fields(layer, 22, rng=np.random.default_rng(0))
    assert found.fields == 44 * layer.channels[1]
    assert len(found.network.layers[0].coefficients) == found.kept.sum()
    # about 2^-n/d of the range: 2^-4.4 for the five coefficients of pairs, far less for the others
    assert found.errors.max() < 0.1
    first, second = found.network.layers
    links = first.coefficients[..., 0]
    for a, wanted in enumerate(layer.coefficients.swapaxes(0, 1)):
        for half, sign in enumerate((1, -1)):
            mine = sign * links[:, a] > 0
            total = np.einsum("c,ock->ok", np.abs(links[mine, a]), second.coefficients[:, mine])
            assert np.abs(total - sign * wanted).max() == pytest.approx(found.errors[a, half], abs=1e-12)
    x = np.random.default_rng(1).standard_normal((50, found.network.inputs))
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    target = Network((layer,), found.network.shape, "float64")
    assert equivariance_error(found.network, out, inputs, x) < 1e-12
    require_equivariant(found.network, [inputs, inputs, out])
    errors = np.linalg.norm(found.network(x) - target(x), axis=1)
    assert errors.max() > 0
    # an input channel's entries have both signs, and each coefficient errs by at most the larger of both errors
    largest = np.abs(layer.sharing.matrix(np.broadcast_to(found.errors.max(), layer.coefficients.shape)))
    assert errors.max() <= np.linalg.norm(largest, 2) * (1 + 1e-12)


def test_the_subset_is_the_nearest_of_all():
    layer = Linear(np.array([[[0.3, -0.4]]]), orbitals(cyclic(2).regular, cyclic(2).regular))
    found = remove_fields(layer, 8, rng=np.random.default_rng(3), law=Normal())
    rng = np.random.default_rng(3)
    links = np.abs(Normal().draw(16, rng).reshape(2, 8))
    weights = Normal().draw(32, rng).reshape(2, 8, 2)
    for half, sign in enumerate((1, -1)):
        masks = np.array(list(itertools.product((0, 1), repeat=8)))
        sums = masks @ (links[half, :, None] * weights[half])
        best = np.abs(sums - sign * layer.coefficients[0, 0]).max(axis=1).min()
        assert found.errors[0, half] == pytest.approx(best, abs=1e-12)


def test_bad_layers_are_refused():
    layer = Linear(np.zeros((2, 2, 1)), DENSE, groups=2)
    with pytest.raises(ArgumentError, match="one of 2 groups"):
        remove_fields(layer, 4, rng=np.random.default_rng(0))
    with pytest.raises(ArgumentTypeError, match="a Linear layer"):
        remove_fields(np.eye(2), 4, rng=np.random.default_rng(0))
    with pytest.raises(ArgumentError, match="n: got 0"):
        remove_fields(Linear(np.ones((1, 1, 1)), DENSE), 0, rng=np.random.default_rng(0))
