"""Reading modules: what forward does is read, or refused with the reason."""

import subprocess
import sys

import numpy as np
import pytest
import torch
from modules import ResidualSequential, ResNet, agrees
from torch import nn
from torch.nn import functional as F
from torch.nn.utils import parametrizations, spectral_norm
from torch.nn.utils import prune as torch_prune

from rssp.errors import ArgumentError, ArgumentTypeError
from rssp.tickets import (
    Linear,
    MaxPool,
    Residual,
    read_target,
)


@pytest.fixture(autouse=True)
def _seeded():
    torch.manual_seed(0)


# what forward does


class Twice(nn.Module):
    """One layer used twice, by functional forms too."""

    def __init__(self):
        super().__init__()
        self.layer, self.last = nn.Linear(4, 4), nn.Linear(4, 2)

    def forward(self, x):
        return self.last(F.relu(F.linear(torch.relu(self.layer(x)), self.layer.weight, self.layer.bias)))


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


# how it is used


def test_inputs_that_need_gradients_and_images_are_taken():
    network = read_target(nn.Sequential(nn.Conv2d(1, 2, 3), nn.Flatten(), nn.Linear(8, 2)), (1, 4, 4))
    images = torch.rand(3, 1, 4, 4, requires_grad=True)
    np.testing.assert_array_equal(network(images), network(images.detach().numpy().reshape(3, 16)))
    for wrong in (np.zeros((3, 15)), np.zeros((3, 1, 4, 5)), np.zeros(16), np.full((1, 16), np.nan)):
        with pytest.raises(ArgumentError, match="x: got"):
            network(wrong)


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
