"""Equivariant maps by null spaces, against characters, averages, orbitals and known counts."""

import itertools

import numpy as np
import pytest

from rssp.errors import ArgumentError
from rssp.tickets.bases import basis_norm
from rssp.tickets.equivariant.groups import cyclic, dihedral, orbitals, symmetric, tuples
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


def hexagon():
    """The plane of D_6 by matrices, beside its permutations of the corners."""
    angle = 2 * np.pi / 6
    turn = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    return Representation("plane", np.array([turn, [[1.0, 0.0], [0.0, -1.0]]]), group=dihedral(6))


def finite_cases():
    plane, corners = hexagon(), permuting(dihedral(6).natural)
    yield from itertools.product([plane, corners, direct_sum(plane, corners), tensor_product(plane, plane)], repeat=2)
    waves = planar_rotations(cyclic(8), [0, 1, 2, 3])
    yield waves, waves
    yield permuting(cyclic(8).regular), waves
    v = symmetric(4).natural
    yield permuting(tuples(v, 2)), permuting(v)


@pytest.mark.parametrize(("out", "inputs"), list(finite_cases()), ids=lambda r: r.name)
def test_null_space_characters_and_averages_agree(out, inputs):
    basis = intertwiners(out, inputs)
    assert len(basis) == count_intertwiners(out, inputs) == averaged_rank(out, inputs, np.random.default_rng(0))
    flat = basis.reshape(len(basis), out.dimension * inputs.dimension)
    assert np.abs(flat @ flat.T - np.eye(len(basis))).max(initial=0) < 1e-12
    for left, right in zip(out.generators, inputs.generators, strict=True):
        assert np.abs(left @ basis - basis @ right).max(initial=0) < 1e-12


def test_a_permutation_group_has_its_orbitals_as_basis():
    v = symmetric(4).natural
    basis = intertwiners(permuting(tuples(v, 2)), permuting(v)).reshape(5, -1)
    labels = orbitals(tuples(v, 2), v).labels.ravel()
    patterns = np.array([labels == k for k in range(5)], float)
    patterns /= np.linalg.norm(patterns, axis=1, keepdims=True)
    assert np.abs(patterns @ basis.T @ basis - patterns).max() < 1e-12


@pytest.mark.parametrize(
    ("vectors", "counts"),
    [
        (special_orthogonal(2), {1: 2, 2: 6, 3: 20}),  # central binomial coefficients: tensors of weight 0
        (orthogonal(2), {1: 1, 2: 3, 3: 10}),
        (special_orthogonal(3), {1: 1, 2: 3, 3: 15}),  # Motzkin sums 1, 3, 15
        (orthogonal(3), {1: 1, 2: 3, 3: 15}),
    ],
    ids=lambda value: getattr(value, "name", ""),
)
def test_isotropic_tensors_of_connected_groups(vectors, counts):
    power = vectors
    for order, count in counts.items():
        assert len(intertwiners(power, power)) == count, order
        power = tensor_product(power, vectors)


@pytest.mark.parametrize(
    "vectors", [special_orthogonal(3), orthogonal(3), hexagon(), planar_rotations(cyclic(8), [1, 2])]
)
def test_random_maps_projected_span_the_null_space(vectors):
    square = tensor_product(vectors, vectors)
    for out, inputs in ((square, square), (vectors, square), (direct_sum(vectors, square), vectors)):
        dense, sparse = (intertwiners(out, inputs, dense=how) for how in (True, False))
        assert len(dense) == len(sparse)
        a, b = (m.reshape(len(m), out.dimension * inputs.dimension) for m in (dense, sparse))
        assert np.abs(b @ b.T - np.eye(len(b))).max(initial=0) < 1e-9
        assert np.abs(a - (a @ b.T) @ b).max(initial=0) < 1e-9


def test_maps_between_sums_are_those_of_their_parts():
    v, w = special_orthogonal(3), tensor_product(special_orthogonal(3), special_orthogonal(3))
    counts = [[len(intertwiners(a, b)) for b in (v, w)] for a in (v, w)]
    both = direct_sum(v, w)
    assert len(intertwiners(both, both)) == sum(map(sum, counts))


def test_the_cross_product_is_lost_by_a_reflection():
    for vectors, count in ((special_orthogonal(3), 1), (orthogonal(3), 0)):
        assert len(intertwiners(vectors, tensor_product(vectors, vectors))) == count


@pytest.mark.parametrize("count", [1, 3, 6, 16, 20])
def test_the_norm_of_a_basis_is_bracketed(count):
    rng = np.random.default_rng(count)
    basis = rng.standard_normal((count, 4, 3))
    low, high = basis_norm(basis)
    signs = rng.choice([-1.0, 1.0], (3000, count))
    seen = np.linalg.norm(np.tensordot(signs, basis, 1), 2, axis=(1, 2)).max()
    assert seen <= high * (1 + 1e-12)
    assert low <= high * (1 + 1e-12)
    if count <= 6:
        assert high <= low * (1 + 1e-9)  # all signs were tried: only the rounding lies between
        assert abs(seen - low) < 1e-12  # 3000 draws of 32 corners miss one with probability below 1e-40
    else:
        assert low >= seen * 0.999


def test_orbitals_have_the_norm_of_their_sum():
    labels = orbitals(tuples(symmetric(4).natural, 2), symmetric(4).natural).labels
    patterns = np.array([labels == k for k in range(5)], float)
    assert np.allclose(basis_norm(patterns), np.linalg.norm(np.ones_like(labels), 2), rtol=1e-12)


def test_matrices_that_are_no_representation_are_refused():
    turn = np.array([[0.0, -1.0], [1.0, 0.0]])
    with pytest.raises(ArgumentError, match=r"r r r = 1 fails by 1"):
        Representation("plane", turn[None], group=cyclic(3))
    with pytest.raises(ArgumentError, match="finite square matrices"):
        Representation("plane", np.full((1, 2, 2), np.nan))
    with pytest.raises(ArgumentError, match="two of one group"):
        intertwiners(special_orthogonal(3), orthogonal(3))
    with pytest.raises(ArgumentError, match="K at least 1"):
        basis_norm(np.zeros((0, 2, 2)))


@pytest.mark.parametrize("size", [1e-200, 1e-10, 1.0, 1e10, 1e150])
@pytest.mark.parametrize("dense", [True, False])
def test_the_size_of_an_algebra_does_not_matter(size, dense):
    vectors = special_orthogonal(3)
    scaled = Representation("scaled", np.zeros((0, 3, 3)), size * vectors.algebra)
    square = tensor_product(scaled, scaled)
    assert len(intertwiners(square, square, dense=dense)) == 3


@pytest.mark.parametrize("seed", range(6))
def test_representations_with_large_whole_numbers_have_their_maps(seed):
    """A permutation group in coordinates far from orthogonal: entries of some tens, exact in floats."""
    rng, action = np.random.default_rng(seed), symmetric(3).natural
    lower, upper = (np.eye(3) + np.tril(rng.integers(-3, 4, (3, 3)), -1) for _ in range(2))
    change = lower @ upper.T  # of determinant 1: its inverse is whole too
    back = np.rint(np.linalg.inv(upper.T)) @ np.rint(np.linalg.inv(lower))
    odd = Representation("odd", change @ action.matrices() @ back, group=symmetric(3))
    for pair, count in (((odd, odd), 2), ((odd, permuting(action)), 2), ((permuting(action), odd), 2)):
        assert len(intertwiners(*pair)) == count_intertwiners(*pair) == count
        assert averaged_rank(*pair, rng) == count


def test_matrices_too_far_from_orthogonal_are_refused_and_not_miscounted():
    rng, action, refused = np.random.default_rng(0), symmetric(3).natural, 0
    for _ in range(30):
        lower, upper = (np.eye(3) + np.tril(rng.integers(-30, 31, (3, 3)), -1) for _ in range(2))
        change = lower @ upper.T
        back = np.rint(np.linalg.inv(upper.T)) @ np.rint(np.linalg.inv(lower))
        odd = Representation("odd", change @ action.matrices() @ back, group=symmetric(3))
        try:
            found = len(intertwiners(odd, permuting(action)))
        except ArgumentError:
            found, refused = 2, refused + 1
        assert found == 2
    assert refused


def test_rounding_is_no_constraint():
    mixed = np.array([[3.1, 0.7], [-0.4, 2.9]])
    alone = Representation("mixed", (mixed @ np.eye(2) @ np.linalg.inv(mixed))[None], group=cyclic(1))
    scalars = Representation("scalars", np.zeros((0, 2, 2)), np.zeros((3, 2, 2)))
    for dense in (True, False):
        assert len(intertwiners(alone, alone, dense=dense)) == 4
        assert len(intertwiners(scalars, scalars, dense=dense)) == 4
