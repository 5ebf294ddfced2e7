"""Training modules on digits, and the publications' networks."""

import numpy as np
import pytest
import torch
from torch import nn

from rssp.errors import ArgumentError, ArgumentTypeError
from rssp.tickets import (
    Residual,
    accuracy,
    conv_net,
    digit_images,
    digits_data,
    lenet5,
    read_target,
    resnet,
    train_module,
)


def test_training_is_the_same_every_time_and_leaves_torchs_state_alone():
    data = digit_images(digits_data(), 8)
    torch.manual_seed(3)
    state = torch.get_rng_state()
    nets = [train_module(conv_net(8, 4), data, epochs=3, seed=5).state_dict() for _ in range(2)]
    other = train_module(conv_net(8, 4), data, epochs=3, seed=6).state_dict()
    assert all(torch.equal(nets[0][k], nets[1][k]) for k in nets[0])
    assert not torch.equal(nets[0]["0.weight"], other["0.weight"])
    torch.manual_seed(3)
    assert torch.equal(torch.get_rng_state(), state)


def test_a_small_convolutional_net_learns_digits():
    data = digit_images(digits_data(), 8)
    net = train_module(conv_net(8, 8, nn.Tanh), data, epochs=8)
    assert accuracy(net, data.x_test, data.y_test) > 0.9
    with pytest.raises(ArgumentTypeError, match="module"):
        train_module(conv_net, data)


def test_images_keep_their_digits():
    data = digits_data()
    same, large = digit_images(data, 8), digit_images(data, 32)
    np.testing.assert_array_equal(same.x_test.reshape(360, -1), data.x_test)
    assert large.x_train.shape == (1437, 1, 32, 32)
    assert large.x_test.min() >= 0
    assert large.x_test.max() <= 1
    # bilinear interpolation keeps the mean, up to what the border repeats
    np.testing.assert_allclose(large.x_test.mean(axis=(1, 2, 3)), data.x_test.mean(axis=1), atol=0.05)


@pytest.mark.parametrize(
    ("make", "shape", "parameters", "blocks"),
    [
        (lenet5, (1, 32, 32), 61_706, 0),
        (lambda: lenet5(28), (1, 28, 28), 61_706, 0),
        (lambda: resnet(8, 4), (1, 8, 8), None, 3),
    ],
)  # fmt: skip
def test_the_networks_are_read(make, shape, parameters, blocks):
    target = read_target(make().eval(), shape)
    assert target.outputs == 10
    assert parameters is None or target.parameters == parameters
    assert sum(isinstance(step, Residual) for step in target.steps) == blocks


def test_sizes_that_do_not_exist_are_refused():
    for make, wanted in ((lambda: lenet5(30), "28 or 32"), (lambda: resnet(19), "6 k"), (lambda: conv_net(4), "5")):
        with pytest.raises(ArgumentError, match=wanted):
            make()
