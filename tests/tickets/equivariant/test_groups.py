"""Groups, their actions, orbitals against characters, and tickets of networks that commute with a group."""

import itertools

import numpy as np
import pytest

from rssp.errors import ArgumentError, ArgumentTypeError
from rssp.tickets.equivariant.groups import (
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
from rssp.tickets.equivariant.planar import PlanarGroup


def tensor_pairs(group):
    actions = [tuples(group.natural, 0), group.natural, tuples(group.natural, 2), group.regular]
    return itertools.product([*actions, together(*actions[:3])], repeat=2)


FINITE = [cyclic(1), cyclic(6), dihedral(3), dihedral(6), symmetric(2), symmetric(4)]
FINITE += [group_product(cyclic(2), dihedral(3))]


@pytest.mark.parametrize("group", FINITE, ids=lambda g: g.name)
def test_labels_are_as_many_as_characters_count_and_commute(group):
    for out, inputs in tensor_pairs(group):
        sharing = orbitals(out, inputs)
        assert sharing.size == count_orbitals(out, inputs)
        for left, right in zip(out.images, inputs.images, strict=True):
            assert np.array_equal(sharing.labels[left][:, right], sharing.labels)
            assert np.array_equal(sharing.orbits[left], sharing.orbits)


def test_known_dimensions():
    z6, s6 = cyclic(6).natural, symmetric(6).natural
    assert orbitals(z6, z6).size == 6
    v, pairs = s6, tuples(s6, 2)
    assert [orbitals(pairs, v).size, orbitals(pairs, pairs).size, orbitals(v, together(v, pairs)).size] == [5, 15, 7]
    assert orbitals(v, v).size == 2
    for n in (4, 6):
        group = {4: cyclic(4), 6: dihedral(4)}[n]
        assert orbitals(group.regular, group.regular).size == group.order


def test_bell_numbers_hold_from_n_points_on_only():
    bell = {0: 1, 1: 1, 2: 2, 3: 5, 4: 15}
    for n in (1, 2, 3, 4, 5):
        v = symmetric(n).natural
        for out, inputs in itertools.product((0, 1, 2), repeat=2):
            size = orbitals(tuples(v, out), tuples(v, inputs)).size
            assert size == count_orbitals(tuples(v, out), tuples(v, inputs))
            assert (size == bell[out + inputs]) == (n >= out + inputs)


@pytest.mark.parametrize(("turns", "reflections"), [(1, False), (2, False), (4, False), (2, True), (4, True)])
def test_planar_layers_on_the_pixel_grid(turns, reflections):
    planar = PlanarGroup(5, turns, reflections)
    stabiliser = turns * (2 if reflections else 1)
    assert planar.group.order == 25 * stabiliser
    assert planar.regular.size == stabiliser
    assert planar.layer(planar.regular, planar.trivial).size == 9
    assert planar.layer(planar.regular, planar.regular).size == 9 * stabiliser
    out, inputs = planar.regular.action, planar.trivial.action
    assert planar.layer(planar.regular, planar.trivial, 5).size == count_orbitals(out, inputs)
    assert planar.layer(planar.trivial, planar.trivial, 1).size == 1


@pytest.mark.parametrize(("turns", "reflections"), [(2, False), (4, False), (1, True), (2, True), (4, True)])
def test_layers_between_any_two_planar_fields_are_counted_by_characters(turns, reflections):
    planar = PlanarGroup(3, turns, reflections)
    letters = planar.group.letters[2:]
    fields = [planar.trivial, planar.regular, *(planar.quotient(letter) for letter in letters)]
    for out, inputs in itertools.product(fields, repeat=2):
        sharing = planar.layer(out, inputs)  # a kernel of 3 x 3 links all pixels of this torus
        assert sharing.size == count_orbitals(out.action, inputs.action)
        for left, right in zip(out.action.images, inputs.action.images, strict=True):
            assert np.array_equal(sharing.labels[left][:, right], sharing.labels)


def test_planar_points_lie_at_their_pixels():
    planar = PlanarGroup(5, 4, reflections=True)
    for field in (planar.trivial, planar.quotient("m"), planar.regular):
        pixels = np.arange(field.points) // field.size
        natural = planar.group.natural.images
        for image, moved in zip(field.action.images, natural, strict=True):
            assert np.array_equal(pixels[image], moved[pixels])
    links = planar.layer(planar.regular, planar.trivial).labels >= 0
    assert (links.sum(axis=1) == 9).all()


@pytest.mark.parametrize(("turns", "reflections"), list(itertools.product((1, 2, 4), (False, True))))
def test_turns_about_the_middle_are_an_action(turns, reflections):
    planar = PlanarGroup(3, turns, reflections)
    about = planar.about_middle(planar.regular)
    assert about.group.order == turns * (2 if reflections else 1)
    sharing = planar.layer(planar.regular, planar.regular)
    for image in about.images:
        assert np.array_equal(sharing.labels[image][:, image], sharing.labels)


def test_translations_alone_share_as_a_convolution_does():
    planar = PlanarGroup(4, turns=1)
    labels = planar.layer(planar.trivial, planar.trivial).labels
    kernel, image = np.arange(1.0, 10.0), np.random.default_rng(0).standard_normal((4, 4))
    shifts = {label: np.divmod(np.flatnonzero(labels[5] == label)[0], 4) for label in range(9)}
    expected = sum(kernel[k] * np.roll(image, (1 - r, 1 - c), (0, 1)) for k, (r, c) in shifts.items())
    got = np.append(kernel, 0)[labels] @ image.ravel()
    assert np.allclose(got, expected.ravel(), atol=1e-12)


def test_what_is_no_group_or_action_is_refused():
    with pytest.raises(ArgumentError, match=r"generators\[1\].*each of 0, ..., 2 once"):
        Group([[0, 1, 2], [0, 0, 1]])
    with pytest.raises(ArgumentTypeError, match="one row for each generator"):
        Group([[0.5, 1.0]])
    with pytest.raises(ArgumentError, match="r r r r = 1 does not hold"):
        cyclic(4).action([[1, 2, 0]])
    assert cyclic(4).action([[1, 0]]).points == 2
    with pytest.raises(ArgumentError, match="2 permutations, one for each generator of D_4"):
        dihedral(4).action([[1, 2, 3, 0]])
    with pytest.raises(ArgumentError, match="an action of the group of the outputs, C_4"):
        orbitals(cyclic(4).natural, dihedral(4).natural)
    with pytest.raises(ArgumentError, match="at most 50000 elements"):
        _ = symmetric(9).order
    ring = np.zeros((4, 4), bool)
    ring[0, 1] = True
    with pytest.raises(ArgumentError, match="carries to none"):
        orbitals(cyclic(4).natural, cyclic(4).natural, ring)
    with pytest.raises(ArgumentError, match="an odd number up to 5"):
        PlanarGroup(5).layer(PlanarGroup(5).trivial, PlanarGroup(5).trivial, 4)


def test_a_large_group_needs_no_closing():
    v = symmetric(30).natural
    assert orbitals(v, v).size == 2
