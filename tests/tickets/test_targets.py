"""Targets: random, normalised, trained on digits; what data they learn from."""

import gzip
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from modules import ResidualSequential
from torch import nn

from rssp.errors import ArgumentError, ArgumentTypeError
from rssp.tickets import (
    PLAIN,
    DataError,
    accuracy,
    digits_data,
    mnist_data,
    normalised,
    prune,
    random_target,
    read_target,
    train_network,
)

SAMPLE = Path(__file__).parent / "mnist_sample"


@pytest.fixture(autouse=True)
def _seeded():
    torch.manual_seed(0)


def test_random_targets_have_the_range_asked_for():
    f = random_target((40, 30, 10), -0.25, 0.5, rng=np.random.default_rng(0))
    low, high = f.range
    assert -0.25 <= low < -0.24
    assert 0.49 < high <= 0.5
    with pytest.raises(ArgumentError, match="high"):
        random_target((2, 2), 1, 1, rng=np.random.default_rng(0))
    with pytest.raises(ArgumentTypeError, match="widths"):
        random_target(5, 0, 1, rng=np.random.default_rng(0))
    with pytest.raises(ArgumentTypeError, match="hidden"):
        train_network(digits_data(), 32)
    with pytest.raises(ArgumentError, match="widths"):
        random_target((2,), 0, 1, rng=np.random.default_rng(0))


@pytest.mark.parametrize("activation", [nn.ReLU, nn.Tanh, lambda: nn.LeakyReLU(0.2)])
def test_normalised_targets_are_the_same_function_up_to_scale(activation):
    """Folded weights above 17: scaled, and exactly undone, through residual sums and before smooth activations."""
    net = nn.Sequential(
        nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), activation(), nn.MaxPool2d(2),
        ResidualSequential(nn.Conv2d(2, 2, 3, padding=1), activation(), nn.Conv2d(2, 2, 1)),
        nn.Flatten(), nn.Linear(18, 2),
    ).eval()  # fmt: skip
    with torch.no_grad():
        net[1].running_var.fill_(1e-4)
        for parameter in net[4].parameters():
            parameter.mul_(5)
    f = read_target(net, (1, 8, 8))
    assert max(map(abs, f.range)) > 17
    g, scale = normalised(f)
    x = np.random.default_rng(0).normal(size=(20, 64))
    np.testing.assert_allclose(scale * g(x), f(x), rtol=1e-12, atol=1e-12)
    assert max(map(abs, g.range)) <= 1
    for a, b in zip(f.layers, g.layers, strict=True):
        ratio = a.coefficients / b.coefficients
        assert np.ptp(ratio) == 0
        assert np.log2(ratio.flat[0]) == round(np.log2(ratio.flat[0]))
    assert normalised(g)[1] == 1
    h, scale = normalised(f, by="range")
    np.testing.assert_allclose(scale * h(x), f(x), rtol=1e-12, atol=1e-12)
    for layer in h.layers:
        biases = 0 if layer.bias is None else np.abs(layer.bias).max()
        assert 0.5 < max(np.abs(layer.coefficients).max(), biases) <= 1
    assert normalised(h, by="range")[1] == 1
    with pytest.raises(ArgumentError, match="'norm', 'range'"):
        normalised(f, by="size")


def test_digits_target_is_replaced_without_loss_and_within_eps():
    data = digits_data()
    net = train_network(data, (32,))
    before = accuracy(net, data.x_test, data.y_test)
    assert before > 0.95
    rng = np.random.default_rng(0)
    ticket = prune(net, 40, 0.01, rng=rng)
    found = ticket.output_error(data.x_test, draws=300, restarts=8, rng=rng)
    assert max(found.random, found.adversarial) <= ticket.certified_error <= 0.01
    assert abs(accuracy(ticket, data.x_test, data.y_test) - before) <= 1 / 360
    for sharing in ("row", "weight"):
        plain = prune(net, 30, construction=PLAIN.but(samples=sharing), rng=rng, search="within")
        assert plain.largest_weight_error <= 0.01
        assert abs(accuracy(plain, data.x_test, data.y_test) - before) <= 2 / 360
    assert accuracy(ticket.target, data.x_test, data.y_test) == before
    with pytest.raises(ArgumentError, match="x: got shape"):
        accuracy(net, data.x_test, data.y_test[:3])


def test_training_is_repeatable_and_leaves_torch_alone():
    data = digits_data()
    state = torch.random.get_rng_state()
    first, second = (train_network(data, (8,), epochs=2, bias=True).state_dict() for _ in range(2))
    assert all(torch.equal(first[k], second[k]) for k in first)
    assert torch.equal(torch.random.get_rng_state(), state)
    assert not any(
        torch.equal(first[k], v) for k, v in train_network(data, (8,), epochs=1, bias=True).state_dict().items()
    )


def test_mnist_is_read_from_the_format_of_openml(tmp_path):
    home = tmp_path / "data"
    shutil.copytree(SAMPLE, home)
    data = mnist_data(home)
    assert data.x_train.shape == (18, 784)
    assert data.x_test.shape == (3, 784)
    assert data.y_train.tolist() == [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1, 2, 3, 4, 5, 6, 7]
    assert data.y_test.tolist() == [8, 9, 0]
    assert (data.x_train.min(), data.x_train.max()) == (0, 1)
    net = train_network(data, (16,), epochs=60, learning_rate=1e-2)
    assert accuracy(net, data.x_train, data.y_train) > 0.9


def test_mnist_that_is_broken_or_out_of_reach_is_explained(tmp_path):
    home = tmp_path / "data"
    shutil.copytree(SAMPLE, home)
    features = home / "openml/openml.org/api/v1/json/data/features/554.gz"
    features.write_bytes(gzip.compress(b"{}"))
    with pytest.raises(DataError, match="digits_data"):
        mnist_data(home)
