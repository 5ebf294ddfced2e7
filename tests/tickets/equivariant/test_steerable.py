"""Steerable kernels: counted by characters, independent, exact under quarter turns and near under others."""

import numpy as np
import pytest
from scipy.ndimage import rotate

from rssp.errors import ArgumentError
from rssp.tickets.equivariant import (
    count_intertwiners,
    cyclic,
    dihedral,
    permuting,
    planar_rotations,
    quarter_turns,
    steerable_kernels,
    steerable_layer,
    tensor_product,
)


def fields(n):
    group = cyclic(n)
    return {
        "trivial": planar_rotations(group, [0]),
        "regular": permuting(group.regular),
        "waves": planar_rotations(group, [1, 2] if n > 4 else [1]),
    }


@pytest.mark.parametrize("n", [1, 2, 4, 8])
@pytest.mark.parametrize("inputs", ["trivial", "regular"])
@pytest.mark.parametrize("out", ["trivial", "regular", "waves"])
def test_kernels_are_as_many_as_characters_count_and_independent(n, out, inputs):
    left, right = fields(n)[out], fields(n)[inputs]
    kernels = steerable_kernels(left, right)
    expected = count_intertwiners(tensor_product(left, right), planar_rotations(cyclic(n), [0, 0, 1, 2]))
    assert len(kernels) == expected
    flat = kernels.reshape(len(kernels), -1)
    assert np.linalg.matrix_rank(flat) == min(len(kernels), flat.shape[1])
    assert np.allclose(np.linalg.norm(flat, axis=1), 1, rtol=0, atol=1e-12)


@pytest.mark.parametrize(("n", "kernel", "side"), [(4, 3, 5), (8, 3, 6), (4, 5, 7), (12, 3, 4)])
def test_layers_commute_with_quarter_turns(n, kernel, side):
    left, right = fields(n)["regular"], fields(n)["trivial"]
    layer = steerable_layer(left, right, side, kernel)
    out, inputs = quarter_turns(side, n).images[0], quarter_turns(side).images[0]
    assert np.abs(layer.elements[:, out][:, :, inputs] - layer.elements).max() < 1e-12


def test_a_layer_commutes_about_with_half_a_quarter_turn():
    """On a smooth image; a kernel that turns the other way is far off."""
    c8, side = cyclic(8), 33
    kernels = steerable_kernels(permuting(c8.regular), planar_rotations(c8, [0]), 5)
    at = np.arange(side) - side // 2
    image = np.exp(-((at[:, None] - 3) ** 2 / 60 + at[None, :] ** 2 / 25))

    def features(x):
        from scipy.signal import correlate2d

        return np.array([[correlate2d(x, k, "same") for k in kernel[:, 0]] for kernel in kernels])

    def turned(x, angle):
        return rotate(x, angle, axes=(-1, -2), reshape=False, order=3)

    inside = slice(8, -8)
    for angle, shift, near in ((45, 1, True), (45, -1, False)):
        # the features of a turned image are the turned features, one orientation on
        for sign in (1, -1):
            got = features(turned(image, sign * angle))
            expected = np.roll(turned(features(image), sign * angle), sign * shift, axis=1)
            apart = np.abs(got - expected)[..., inside, inside].max() / np.abs(got).max()
            assert (apart < 0.15) if near else (apart > 0.3), (angle, shift, sign, apart)


def test_frequencies_of_each_ring_are_those_asked_for():
    left, right = fields(4)["regular"], fields(4)["trivial"]
    for frequencies, harmonics in (([0, 0], [0, 0]), ([0, 3], [0, 0, 1, 2, 3]), ([0, 2], [0, 0, 1, 2])):
        kernels = steerable_kernels(left, right, 3, frequencies)
        expected = count_intertwiners(tensor_product(left, right), planar_rotations(cyclic(4), harmonics))
        assert len(kernels) == expected
    for frequencies in ([0, 4], [0, 4, 8]):  # of the highest the pixels see the cosine alone
        for n in (2, 4, 8):
            kernels = steerable_kernels(
                fields(n)["regular"], fields(n)["trivial"], 2 * len(frequencies) - 1, frequencies
            )
            assert np.linalg.matrix_rank(kernels.reshape(len(kernels), -1)) == len(kernels)


def test_what_pixels_see_of_a_frequency_alone_is_a_basis():
    """sin(4 angle) is 0 at the eight neighbours: its rounding is no kernel."""
    scalar, image = fields(4)["trivial"], quarter_turns(5).images[0]
    for frequencies in ([0, 4], [0, 3]):
        layer = steerable_layer(scalar, scalar, 5, 3, frequencies)
        assert np.abs(layer.elements[:, image][:, :, image] - layer.elements).max() < 1e-12


def test_biases_are_shared_where_outputs_are_permuted():
    c4 = cyclic(4)
    waves = planar_rotations(c4, [1])
    layer = steerable_layer(permuting(c4.regular), waves, 4)
    assert layer.biased
    assert (layer.orbits == 0).all()
    assert not steerable_layer(waves, permuting(c4.regular), 4).biased


def test_quarter_turns_are_those_of_the_image():
    image = np.arange(9.0).reshape(3, 3)
    moved = np.empty(9)
    moved[quarter_turns(3).images[0]] = image.ravel()
    assert np.array_equal(moved.reshape(3, 3), np.rot90(image)) or np.array_equal(
        moved.reshape(3, 3), np.rot90(image, -1)
    )


def test_bad_input_is_named():
    c4 = cyclic(4)
    regular, trivial = permuting(c4.regular), planar_rotations(c4, [0])
    with pytest.raises(ArgumentError, match="an odd number: an even kernel"):
        steerable_kernels(regular, trivial, 4)
    with pytest.raises(ArgumentError, match="2 numbers, one a ring, at most 4 r each"):
        steerable_kernels(regular, trivial, 3, [1, 2])
    with pytest.raises(ArgumentError, match="a representation of a cyclic group"):
        steerable_kernels(permuting(dihedral(4).regular), permuting(dihedral(4).regular))
    with pytest.raises(ArgumentError, match="two of one group"):
        steerable_kernels(regular, planar_rotations(cyclic(8), [0]))
    with pytest.raises(ArgumentError, match="a multiple of 4"):
        quarter_turns(3, 6)
