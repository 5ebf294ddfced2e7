"""Reading targets: what forward does is read, or refused with the reason; training them, and their errors."""

import gzip
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import nn
from torch.nn import functional as F
from torch.nn.utils import parametrizations, spectral_norm
from torch.nn.utils import prune as torch_prune

from rssp.errors import ArgumentError, ArgumentTypeError
from rssp.tickets import (
    PLAIN,
    DataError,
    Linear,
    MaxPool,
    Residual,
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


def agrees(module, network, images=None):
    """Whether the network computes what the module does in eval mode, to the rounding of float64."""
    x = torch.randn(40, *network.shape, dtype=torch.float64) * 3
    with torch.no_grad():
        expected = module.eval().double()(x).flatten(1).numpy()
    np.testing.assert_allclose(network(x), expected, atol=1e-9 * (1 + np.abs(expected).max()))


# what forward does


class Twice(nn.Module):
    """One layer used twice, by functional forms too."""

    def __init__(self):
        super().__init__()
        self.layer, self.last = nn.Linear(4, 4), nn.Linear(4, 2)

    def forward(self, x):
        return self.last(F.relu(F.linear(torch.relu(self.layer(x)), self.layer.weight, self.layer.bias)))


class ResidualSequential(nn.Sequential):
    def forward(self, x):
        return x + super().forward(x)


class Scaled(nn.Linear):
    def forward(self, x):
        return F.linear(x, self.weight / self.in_features**0.5, self.bias)


class Masked(nn.Linear):
    def __init__(self, *sizes):
        super().__init__(*sizes)
        self.mask = torch.rand_like(self.weight) > 0.5

    def forward(self, x):
        return F.linear(x, self.weight * self.mask, self.bias)


class InPlace(nn.Module):
    """The ReLU changes h itself before h is added."""

    def __init__(self):
        super().__init__()
        self.layer, self.relu = nn.Linear(4, 4), nn.ReLU(inplace=True)

    def forward(self, x):
        h = self.layer(x)
        y = self.layer(self.relu(h))
        y += h
        return y


class Block(nn.Module):
    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.shortcut = nn.Sequential()
        if stride != 1 or inputs != outputs:
            self.shortcut = nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))
        for norm in (self.bn1, self.bn2):
            norm.running_mean.normal_()
            norm.running_var.uniform_(0.5, 2)

    def forward(self, x):
        y = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        y += self.shortcut(x)
        return F.relu(y, inplace=True)


class ResNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3, 1, 1)
        self.blocks = nn.Sequential(Block(4, 4, 1), Block(4, 8, 2))
        self.fc = nn.Linear(8, 5)

    def forward(self, x):
        y = self.blocks(F.relu(self.conv(x)))
        return self.fc(F.avg_pool2d(y, y.size()[3]).view(y.size(0), -1))


lin, relu = nn.Linear(4, 4), nn.ReLU()
TRACED = {
    "a layer used twice": (lambda: nn.Sequential(lin, relu, lin, relu, nn.Linear(4, 2)), None, 3),
    "a block used twice": (lambda: nn.Sequential(*[nn.Sequential(lin, relu)] * 2, nn.Linear(4, 2)), None, 3),
    "one ReLU": (lambda: nn.Sequential(nn.Linear(4, 4), relu, nn.Linear(4, 4), relu, nn.Linear(4, 2)), None, 3),
    "one Linear": (lambda: nn.Sequential(lin, nn.ReLU(), lin, nn.ReLU(), nn.Linear(4, 2)), None, 3),
    "functional forms": (Twice, None, 3),
    "a residual Sequential": (
        lambda: nn.Sequential(nn.Linear(4, 4), ResidualSequential(nn.Linear(4, 4), nn.ReLU(), nn.Linear(4, 4))),
        None,
        3,
    ),
    "a scaled Linear": (lambda: nn.Sequential(Scaled(4, 4), nn.ReLU(), Scaled(4, 2)), None, 2),
    "a masked Linear": (lambda: nn.Sequential(Masked(4, 4), nn.ReLU(), nn.Linear(4, 2)), None, 2),
    "changes in place": (InPlace, None, 2),
    "no activation": (lambda: nn.Sequential(nn.Linear(6, 8), nn.Linear(8, 3)), None, 2),
    "an activation at the end": (lambda: nn.Sequential(nn.Linear(3, 2), nn.Sigmoid()), None, 1),
    "a single layer": (lambda: nn.Linear(3, 2), None, 1),
    "spectral norm": (lambda: nn.Sequential(spectral_norm(nn.Linear(4, 4)), nn.ReLU(), nn.Linear(4, 2)), None, 2),
    "spectral norm, parametrized": (
        lambda: nn.Sequential(parametrizations.spectral_norm(nn.Linear(4, 4)), nn.ReLU(), nn.Linear(4, 2)),
        None,
        2,
    ),
    "weight norm": (
        lambda: nn.Sequential(parametrizations.weight_norm(nn.Conv1d(2, 3, 2)), nn.Flatten(), nn.Linear(12, 2)),
        (2, 5),
        2,
    ),
    "pruned": (
        lambda: nn.Sequential(torch_prune.random_unstructured(nn.Linear(4, 4), "weight", 0.5), nn.ReLU()),
        None,
        1,
    ),
    "ResNet": (ResNet, (3, 8, 8), 7),
    "pooling and padding": (
        lambda: nn.Sequential(
            nn.ZeroPad2d((1, 2, 0, 1)),
            nn.Conv2d(1, 2, 3, padding="same"),
            nn.ReLU6(),
            nn.ZeroPad2d(1),
            nn.MaxPool2d(3, 2, 1, ceil_mode=True),
            nn.AvgPool2d(2, padding=1, count_include_pad=False),
            nn.AdaptiveAvgPool2d(2),
            nn.Flatten(),
            nn.BatchNorm1d(8),
            nn.PReLU(),
            nn.Linear(8, 2),
        ),
        (1, 8, 8),
        2,
    ),
    "one dimension": (
        lambda: nn.Sequential(
            nn.Conv1d(2, 4, 3, stride=2, dilation=2, padding=3, groups=2), nn.BatchNorm1d(4), nn.SiLU(), nn.AvgPool1d(2)
        ),
        (2, 17),
        1,
    ),
}


@pytest.mark.parametrize("name", TRACED)
def test_what_forward_does_is_read(name):
    make, shape, depth = TRACED[name]
    module = make()
    with torch.no_grad():
        for part in module.modules():
            if isinstance(part, nn.BatchNorm1d):
                part.running_mean.normal_()
    before = {k: v.clone() for k, v in module.state_dict().items()}
    network = read_target(module, shape)
    assert network.depth == depth
    agrees(module, network)
    after = module.float().state_dict()
    assert all(torch.equal(before[k], after[k]) for k in before)


def test_dropout_and_batch_norm_are_read_in_eval_mode():
    module = nn.Sequential(nn.Linear(4, 4), nn.BatchNorm1d(4), nn.Dropout(0.5), nn.ReLU(), nn.Linear(4, 2)).train()
    network = read_target(module)
    assert module.training
    assert [type(s).__name__ for s in network.steps] == ["Linear", "Activation", "Linear"]
    agrees(module, network)


def test_layers_have_the_names_of_their_modules_and_uses_are_numbered():
    assert [layer.name for layer in read_target(ResNet(), torch.zeros(1, 3, 8, 8)).layers] == [
        "conv", "blocks.0.conv1", "blocks.0.conv2", "blocks.1.conv1", "blocks.1.conv2", "blocks.1.shortcut.0", "fc",
    ]  # fmt: skip
    assert [layer.name for layer in read_target(Twice()).layers] == ["layer", "layer (use 2)", "last"]


def test_residual_blocks_keep_their_skips():
    network = read_target(ResNet(), (3, 8, 8))
    skips = [s for s in network.steps if isinstance(s, Residual)]
    assert skips[0].shortcut == ()
    assert isinstance(skips[1].shortcut[0], Linear)


def test_pooling_is_fixed_and_no_parameter():
    module = nn.Sequential(nn.Conv2d(1, 2, 3), nn.MaxPool2d(2), nn.AvgPool2d(3), nn.Flatten(), nn.Linear(2, 3))
    network = read_target(module, (1, 8, 8))
    assert network.parameters == sum(p.numel() for p in module.parameters())
    assert isinstance(network.steps[1], MaxPool)
    assert network.steps[2].fixed


# what is refused


class Branch(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(4, 4)

    def forward(self, x):
        return self.layer(x) if x.sum() > 0 else x


class TwoHeads(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(4, 4)

    def forward(self, x):
        return self.layer(x), x


class Attention(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(4, 4)

    def forward(self, x):
        return self.layer(x) * x


class Sneaky(nn.Module):
    """Traced as one thing, run as another."""

    def __init__(self):
        super().__init__()
        self.layer, self.calls = nn.Linear(4, 4), 0

    def forward(self, x):
        self.calls += 1
        return self.layer(x) * (2.0 if self.calls > 1 else 1.0)


class Squared(nn.ReLU):
    def forward(self, x):
        return super().forward(x) ** 2


def hooked():
    module = nn.Sequential(nn.Linear(4, 4), nn.ReLU(), nn.Linear(4, 4))
    module[0].register_forward_hook(lambda m, i, o: 2 * o)
    return module


def prehooked():
    module = nn.Sequential(nn.Linear(4, 4), nn.ReLU(), nn.Linear(4, 4))
    module[2].register_forward_pre_hook(lambda m, i: (2 * i[0],))
    return module


def patched():
    module = nn.Sequential(nn.Linear(4, 4), nn.ReLU())
    module[1].forward = lambda x: torch.exp(x)
    return module


def not_a_number():
    module = nn.Linear(3, 2)
    with torch.no_grad():
        module.weight[1, 2] = float("nan")
    return module


REFUSED = {
    "hook": (hooked, None, r"a forward hook of 0 \(Linear\)"),
    "pre-hook": (prehooked, None, r"a forward pre-hook of 2 \(Linear\)"),
    "patched forward": (patched, None, r"node 'exp'"),
    "squared ReLU": (lambda: nn.Sequential(nn.Linear(4, 4), Squared()), None, r"node 'pow_1', the function pow"),
    "branch": (Branch, None, "a forward that torch.fx cannot follow"),
    "two heads": (TwoHeads, None, "an output of type tuple"),
    "product of values": (Attention, None, "node 'mul'"),
    "a forward that changes": (Sneaky, None, "differs from its traced steps by"),
    "LayerNorm": (lambda: nn.Sequential(nn.Linear(4, 4), nn.LayerNorm(4)), None, r"node '_1', a LayerNorm \('1'\)"),
    "Softmax": (lambda: nn.Sequential(nn.Linear(4, 4), nn.Softmax(1)), None, "a Softmax"),
    "PReLU of many slopes": (lambda: nn.Sequential(nn.Linear(4, 4), nn.PReLU(4)), None, "a PReLU"),
    "batch statistics": (
        lambda: nn.Sequential(nn.Linear(4, 4), nn.BatchNorm1d(4, track_running_stats=False)),
        None,
        "a BatchNorm1d",
    ),
    "LSTM": (lambda: nn.LSTM(3, 2), (5, 3), "cannot follow|a LSTM"),
    "reflected padding": (
        lambda: nn.Sequential(nn.Conv2d(1, 1, 3, padding=1, padding_mode="reflect")),
        (1, 8, 8),
        "Conv2d",
    ),
    "Linear on images": (lambda: nn.Sequential(nn.Linear(4, 4)), (2, 4), "a Linear"),
    "meta": (lambda: nn.Linear(4, 2, device="meta"), None, "'weight' on the meta device"),
    "lazy": (lambda: nn.Sequential(nn.LazyLinear(2)), None, "the lazy parameter '0.weight'"),
    "complex": (lambda: nn.Linear(3, 2, dtype=torch.complex64), None, "complex64"),
    "not a number": (not_a_number, None, r"nan in .*weight at \(1, 2\)"),
    "no example": (lambda: nn.Sequential(nn.Conv2d(1, 1, 3)), None, r"example: got None.*example=\(1, 28, 28\)"),
    "wrong channels": (lambda: nn.Sequential(nn.Conv2d(1, 1, 3)), (3, 8, 8), "example: got inputs of shape 3x8x8"),
    "small image": (lambda: nn.Sequential(nn.Conv2d(1, 1, 5)), (1, 3, 3), "example: got inputs of shape 1x3x3"),
    "no layers": (lambda: nn.Sequential(nn.ReLU()), (3,), "without linear layers"),
}


@pytest.mark.filterwarnings("ignore:Lazy modules are a new feature")
@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_read_is_refused_by_name(name):
    make, shape, match = REFUSED[name]
    with pytest.raises(ArgumentError, match=match) as raised:
        read_target(make(), shape)
    assert "state_dict" not in str(raised.value)  # never advice that changes the function


@pytest.mark.parametrize(
    ("source", "error", "match"),
    [
        ([], ArgumentError, "no weights"),
        ({}, ArgumentError, "architecture"),
        ([np.ones((2, 3)), np.ones((2, 2))], ArgumentError, 'activation: got None.*activation="relu"'),
        (nn.Linear(3, 2).state_dict(), ArgumentError, 'architecture: got None.*activation="relu"'),
        ([np.array([[np.inf]])], ArgumentError, "inf in layer1"),
        ([np.array([[1j]])], ArgumentTypeError, "real numbers"),
        ([np.ma.masked_array([[1.0, 2.0]], mask=[[True, False]])], ArgumentTypeError, "real numbers"),
        ([["a"]], ArgumentTypeError, "real numbers"),
        (3, ArgumentTypeError, "a state dict or file with its architecture"),
    ],
)
def test_sources_that_do_not_tell_a_network_are_refused(source, error, match):
    with pytest.raises(error, match=match):
        read_target(source)


@pytest.mark.parametrize(
    ("state", "match"),
    [
        ({"a.weight": torch.ones(2, 3), "b.weight": torch.ones(2, 3)}, r"b\.weight of shape \(2, 3\)"),
        ({"a.weight": torch.ones(2, 3), "a.bias": torch.ones(3)}, r"a\.bias of shape \(3,\)"),
        ({"a.bias": torch.ones(3)}, r"a\.bias' without a weight"),
        ({"a.weight": torch.ones(6, 1, 5, 5)}, r"a\.weight of shape \(6, 1, 5, 5\).*architecture"),
        ({"a.weight": torch.ones(2, 3, dtype=torch.int64)}, "int64"),
        ({"a.weight": torch.ones(2, 3), "a.running_mean": torch.ones(2)}, "a.running_mean.*architecture"),
        ({"a.weight": torch.tensor([[1.0, float("nan")]])}, r"nan in a\.weight at \(0, 1\)"),
        ({"a.weight_orig": torch.ones(2, 3), "a.weight_u": torch.ones(2)}, "a.weight_orig.*architecture"),
        ({"a.weight": torch.ones(2, 3), "a.weight_mask": torch.ones(3, 2)}, "weight_mask of shape"),
        ({"a.weight": torch.ones(2, 3), "a.weight_mask": torch.full((2, 3), 0.5)}, "other entries than 0 and 1"),
        ({"a.weight_mask": torch.ones(2, 3)}, "without 'a.weight'"),
    ],
)
def test_bare_stacks_that_are_not_dense_are_refused(state, match):
    with pytest.raises(ArgumentError, match=match):
        read_target(state, activation="relu")


# what real files hold


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


def test_inputs_that_need_gradients_and_images_are_taken():
    network = read_target(nn.Sequential(nn.Conv2d(1, 2, 3), nn.Flatten(), nn.Linear(8, 2)), (1, 4, 4))
    images = torch.rand(3, 1, 4, 4, requires_grad=True)
    np.testing.assert_array_equal(network(images), network(images.detach().numpy().reshape(3, 16)))
    for wrong in (np.zeros((3, 15)), np.zeros((3, 1, 4, 5)), np.zeros(16), np.full((1, 16), np.nan)):
        with pytest.raises(ArgumentError, match="x: got"):
            network(wrong)


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


def test_missing_torch_is_explained():
    script = (
        "import sys\n"
        "sys.modules['torch'] = None\n"
        "import rssp\n"
        "try:\n    import rssp.tickets\n"
        "except ImportError as error:\n    print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert 'pip install "rssp[nets]"' in done.stdout, done.stderr
