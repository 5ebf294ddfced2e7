"""Reading arrays, state dicts and files: what they hold is read to the bit, or refused by name."""

import shutil

import numpy as np
import pytest
import torch
from modules import ResNet, agrees
from safetensors.torch import save_file
from torch import nn

from rssp.errors import ArgumentError
from rssp.tickets import (
    read_target,
)


@pytest.fixture(autouse=True)
def _seeded():
    torch.manual_seed(0)


def test_stacks_of_matrices_are_read_with_the_activation_that_is_named():
    a, b = np.random.default_rng(0).normal(size=(3, 4)), np.random.default_rng(1).normal(size=(2, 3))
    x = np.random.default_rng(2).normal(size=(5, 4))
    np.testing.assert_allclose(read_target([a, b], activation="relu")(x), np.maximum(x @ a.T, 0) @ b.T, atol=1e-12)
    np.testing.assert_allclose(read_target([a, b], activation="tanh")(x), np.tanh(x @ a.T) @ b.T, atol=1e-12)
    with pytest.raises(ArgumentError, match="activation: got 'softmax'"):
        read_target([a, b], activation="softmax")
    root = {"weight": torch.tensor(a), "bias": torch.ones(3, dtype=torch.float64), "fc.weight": torch.tensor(b)}
    expected = np.maximum(x @ a.T + 1, 0) @ b.T
    np.testing.assert_allclose(read_target(root, activation="relu")(x), expected, atol=1e-12)


def masks(name, shape):
    return {f"{name}_mask": (torch.rand(shape) > 0.4).float()}


def test_masks_beside_weights_are_multiplied_in(tmp_path):
    module = nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU(), nn.Flatten(), nn.Linear(8, 3))
    state = dict(module.state_dict())
    separate = state | masks("0.weight", (2, 1, 3, 3)) | masks("3.weight", (3, 8)) | masks("3.bias", (3,))
    original = {k.replace("weight", "weight_orig"): v for k, v in state.items()} | masks("0.weight", (2, 1, 3, 3))
    original |= masks("3.weight", (3, 8))
    for case in (separate, original):
        expected = nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU(), nn.Flatten(), nn.Linear(8, 3))
        masked = {k: v * case.get(f"{k}_mask", torch.ones(1)) for k, v in state.items()}
        expected.load_state_dict(masked)
        agrees(expected, read_target(case, (1, 4, 4), architecture=module))
        for suffix, write in ((".safetensors", save_file), (".pt", torch.save), (".pth", torch.save)):
            path = tmp_path / f"net{suffix}"
            write(case, path)
            network = read_target(path, (1, 4, 4), architecture=module)
            agrees(expected, network)
            zeros = sum(int((layer.coefficients == 0).sum()) for layer in network.layers)
            assert zeros == sum(int((v == 0).sum()) for k, v in masked.items() if "weight" in k)
    dense = {"0.weight": torch.ones(2, 3), **masks("0.weight", (2, 3))}
    assert (read_target(dense, activation="relu").layers[0].coefficients == 0).any()


def test_state_dicts_are_found_under_a_key_with_prefixes_and_counters(tmp_path):
    module = ResNet()
    expected = read_target(module, (3, 8, 8))
    x = np.random.default_rng(0).normal(size=(4, 3 * 64))
    state = module.state_dict()
    without = {k: v for k, v in state.items() if "num_batches_tracked" not in k}
    for case in (
        state,
        without,
        {"epoch": 3, "state_dict": state, "optimizer": {"lr": 0.1}},
        {"model": {f"module.{k}": v for k, v in without.items()}},
    ):
        np.testing.assert_array_equal(read_target(case, (3, 8, 8), architecture=ResNet())(x), expected(x))
    torch.save({"epoch": 3, "state_dict": state}, tmp_path / "net.pth")
    np.testing.assert_array_equal(read_target(tmp_path / "net.pth", (3, 8, 8), architecture=ResNet())(x), expected(x))
    with pytest.raises(ArgumentError, match="state dicts under 'a', 'b'"):
        read_target({"a": state, "b": state}, (3, 8, 8), architecture=ResNet())
    wrong = {k: v for k, v in state.items() if k != "fc.bias"} | {"extra": torch.ones(1)}
    with pytest.raises(ArgumentError, match=r"without 'fc\.bias' and with 'extra'"):
        read_target(wrong, (3, 8, 8), architecture=ResNet())
    with pytest.raises(ArgumentError, match=r"fc\.weight of shape"):
        read_target(state | {"fc.weight": torch.ones(5, 9)}, (3, 8, 8), architecture=ResNet())


def test_layer_lists_take_weights_by_their_order():
    state = {
        "fc1.weight": torch.rand(3, 4),
        "fc1.bias": torch.rand(3),
        "fc2.weight": torch.rand(2, 3),
        "fc2.bias": torch.rand(2),
    }
    layers = [nn.Linear(4, 3), nn.Tanh(), nn.Linear(3, 2)]
    network = read_target(state, architecture=layers)
    np.testing.assert_array_equal(network.layers[0].coefficients[:, :, 0], state["fc1.weight"].double().numpy())
    assert network.steps[1].name == "tanh"


def test_half_precision_is_read_exactly():
    half = nn.Linear(3, 2).bfloat16()
    network = read_target(half)
    assert network.dtype == "float32"
    np.testing.assert_array_equal(network.layers[0].coefficients[:, :, 0], half.weight.detach().double().numpy())
    assert read_target(nn.Linear(3, 2).double()).dtype == "float64"
    assert read_target({"a.weight": torch.ones(2, 3, dtype=torch.float16)}, activation="relu").dtype == "float32"


def test_safetensors_layers_are_read_in_natural_order(tmp_path):
    state = {f"fc{i}.weight": torch.eye(2) * i for i in (10, 2, 1)}
    save_file(state, tmp_path / "net.safetensors")
    network = read_target(tmp_path / "net.safetensors", activation="relu")
    assert [layer.name for layer in network.layers] == ["fc1", "fc2", "fc10"]


def test_pickle_truncated_and_foreign_files_are_refused(tmp_path):
    net = nn.Sequential(nn.Linear(6, 5), nn.ReLU(), nn.Linear(5, 2))
    torch.save(net, tmp_path / "module.pt")
    with pytest.raises(ArgumentError, match=r"module\.pt.*refuses.*save its state_dict"):
        read_target(tmp_path / "module.pt", architecture=net)
    torch.save([1, 2], tmp_path / "list.pt")
    with pytest.raises(ArgumentError, match="holds a list"):
        read_target(tmp_path / "list.pt", architecture=net)
    torch.save(net.state_dict(), tmp_path / "net.pt")
    agrees(net, read_target(tmp_path / "net.pt", architecture=net))
    net = net.float()
    shutil.copy(tmp_path / "net.pt", tmp_path / "renamed.safetensors")
    with pytest.raises(ArgumentError, match=r"pickle file .*\.pt or \.pth"):
        read_target(tmp_path / "renamed.safetensors", architecture=net)
    (tmp_path / "cut.pt").write_bytes((tmp_path / "net.pt").read_bytes()[:100])
    with pytest.raises(ArgumentError, match=r"cut\.pt"):
        read_target(tmp_path / "cut.pt", architecture=net)
    save_file(net.state_dict(), tmp_path / "net.safetensors")
    data = (tmp_path / "net.safetensors").read_bytes()
    for cut in (0, 7, 50, len(data) - 4):
        (tmp_path / "cut.safetensors").write_bytes(data[:cut])
        with pytest.raises(ArgumentError, match="truncated"):
            read_target(tmp_path / "cut.safetensors", architecture=net)
    for absent in (tmp_path / "absent.safetensors", tmp_path / "absent.pt", tmp_path):
        with pytest.raises(ArgumentError, match="not a file"):
            read_target(absent, architecture=net)
