"""What a message advises when a network cannot be read is a test: followed, it leads to the same function."""

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F
from torch.nn.utils import parametrizations, spectral_norm, weight_norm
from torch.nn.utils import prune as torch_prune

from rssp.errors import ArgumentError
from rssp.tickets import THEOREM, Activation, normalised, prune, read_target


@pytest.fixture(autouse=True)
def _seeded():
    torch.manual_seed(0)


def same(module, network, scale=1.0):
    x = torch.randn(30, *network.shape, dtype=torch.float64)
    with torch.no_grad():
        expected = module.eval().double()(x).flatten(1).numpy()
    np.testing.assert_allclose(scale * network(x), expected, atol=1e-9 * (1 + np.abs(expected).max()))


def refused(remedy, *arguments, **keywords):
    with pytest.raises(ArgumentError) as raised:
        read_target(*arguments, **keywords)
    assert remedy in str(raised.value)


def net(first):
    return nn.Sequential(first, nn.ReLU(), nn.Linear(4, 2))


# modules


class OwnNorm(nn.BatchNorm2d):
    """A subclass that changes nothing."""

    def extra_repr(self):
        return "mine"


class Centred(nn.BatchNorm2d):
    def forward(self, x):
        return super().forward(x - 1)


class OwnConv(nn.Conv2d):
    """forward is inherited, what it calls is not."""

    def _conv_forward(self, x, weight, bias):
        return super()._conv_forward(2 * x, weight, bias)


def test_subclasses_are_read_by_what_they_do():
    for conv, norm in ((nn.Conv2d, OwnNorm), (OwnConv, nn.BatchNorm2d)):
        module = nn.Sequential(conv(1, 2, 3), norm(2), nn.ReLU()).eval()
        with torch.no_grad():
            module[1].running_mean.normal_()
        same(module, read_target(module, (1, 5, 5)))
    refused("Write branches", nn.Sequential(nn.Conv2d(1, 2, 3), Centred(2)), (1, 5, 5))


def test_what_stands_around_an_unreadable_layer_is_read_alone():
    module = nn.Sequential(nn.Linear(4, 4), nn.ReLU(), nn.LayerNorm(4), nn.Linear(4, 2))
    refused("Read the parts before and after it, each alone", module)
    before, after = read_target(module[:2]), read_target(module[3:])
    x = torch.randn(10, 4, dtype=torch.float64)
    with torch.no_grad():
        middle = module.double()[2](torch.from_numpy(before(x)))
        np.testing.assert_allclose(after(middle), module(x), atol=1e-9)


def test_unknown_activations_are_given_with_their_numbers():
    module = nn.Sequential(nn.Linear(3, 4), nn.ELU(), nn.Linear(4, 2))
    refused("activations given by activations={module class or function: Activation(...)}", module)
    elu = Activation("elu", F.elu, 1.0, 1.0, 1.0, slopes=(0.0, 1.0))
    same(module, read_target(module, activations={nn.ELU: elu}))


class Compiled(nn.Module):
    """What torch.compile returns, as far as it can be seen; torch's own takes seconds to load."""

    def __init__(self, inner):
        super().__init__()
        self._orig_mod = inner


def test_wrapped_and_compiled_modules_are_read_by_what_they_wrap():
    module = net(nn.Linear(4, 4))
    refused("its .module", nn.DataParallel(module))
    same(module, read_target(nn.DataParallel(module).module))
    refused("its ._orig_mod", Compiled(module))
    same(module, read_target(Compiled(module)._orig_mod))


@pytest.mark.filterwarnings("ignore:.*torch.jit.(trace|script):DeprecationWarning")
def test_scripts_are_read_by_the_module_that_they_were_made_from():
    module = net(nn.Linear(4, 4))
    refused("Read the module that it was made from", torch.jit.trace(module, torch.zeros(1, 4)))
    refused("Read the module that it was made from", nn.Sequential(torch.jit.script(module)))


def test_hooks_for_all_modules_are_found_by_the_proof():
    module = net(nn.Linear(4, 4))
    hook = nn.modules.module.register_module_forward_hook(lambda m, i, o: 2 * o if isinstance(m, nn.Linear) else None)
    try:
        refused("Look for hooks", module)
    finally:
        hook.remove()
    same(module, read_target(module))


@pytest.mark.filterwarnings("ignore:Lazy modules are a new feature")
def test_modules_without_weights_are_read_once_they_have_them():
    lazy = nn.Sequential(nn.LazyLinear(4), nn.ReLU(), nn.Linear(4, 2))
    refused("Call the module on data first", lazy, (3,))
    lazy(torch.zeros(2, 3))
    same(lazy, read_target(lazy))
    with torch.device("meta"):
        empty = net(nn.Linear(4, 4))
    refused("Load the weights first", empty)
    module = net(nn.Linear(4, 4))
    same(module, read_target(module.state_dict(), architecture=empty))
    refused("Load the weights first", empty.state_dict(), architecture=module)
    refused("Call the module on data first", module.state_dict(), architecture=net(nn.LazyLinear(4)))


def test_no_example_is_remedied_by_a_shape():
    module = nn.Sequential(nn.Conv2d(1, 2, 3), nn.AdaptiveMaxPool2d(1), nn.Flatten(), nn.Linear(2, 2))
    refused("example=(1, 28, 28)", module)
    same(module, read_target(module, example=(1, 28, 28)))
    refused("Use a larger image", nn.Sequential(nn.Conv2d(1, 1, 3, padding=1, padding_mode="circular")), (1, 2, 2))
    circular = nn.Sequential(nn.Conv2d(1, 1, 3, padding=1, padding_mode="circular"))
    same(circular, read_target(circular, (1, 3, 3)))


def test_weights_out_of_range_are_remedied_by_normalised():
    class Block(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv, self.norm = nn.Conv2d(2, 2, 3, padding=1), nn.BatchNorm2d(2)
            self.norm.running_var.fill_(1e-3)

        def forward(self, x):
            return torch.relu(x + self.norm(self.conv(x)))

    module = nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU(), Block(), nn.Flatten(), nn.Linear(18, 2)).eval()
    target = read_target(module, (1, 5, 5))
    with pytest.raises(ArgumentError, match=r"Use normalised\(target\)"):
        prune(target, 8, 0.1, rng=np.random.default_rng(0))
    small, scale = normalised(target)
    same(module, small, scale)
    ticket = prune(small, 20, None, tolerance=0.05, rng=np.random.default_rng(0), partial=True)
    assert ticket.construction is THEOREM


# files and state dicts


PARAMETRIZED = {
    "spectral norm": lambda: net(parametrizations.spectral_norm(nn.Linear(4, 4))),
    "weight norm": lambda: net(parametrizations.weight_norm(nn.Linear(4, 4))),
    "old spectral norm": lambda: net(spectral_norm(nn.Linear(4, 4))),
    "old weight norm": lambda: net(weight_norm(nn.Linear(4, 4))),
    "pruned": lambda: net(torch_prune.random_unstructured(nn.Linear(4, 4), "weight", 0.5)),
}


@pytest.mark.filterwarnings("ignore:.*weight_norm:FutureWarning")
@pytest.mark.parametrize("name", PARAMETRIZED)
def test_parametrized_states_are_read_with_the_architecture_that_was_saved(name):
    saved, architecture = PARAMETRIZED[name](), PARAMETRIZED[name]()
    same(saved, read_target(saved.float().state_dict(), architecture=architecture))
    plain = net(nn.Linear(4, 4))
    if name == "pruned":  # masks beside weights need no parametrized architecture
        same(saved, read_target(saved.float().state_dict(), architecture=plain))
    else:
        refused("Give the architecture that was saved", saved.float().state_dict(), architecture=plain)
        refused("Give an architecture with the same parametrization", saved.state_dict(), activation="relu")
    refused("Give the architecture that was saved", plain.state_dict(), architecture=architecture)


def test_files_saved_on_another_device_are_read(tmp_path, monkeypatch):
    module = net(nn.Linear(4, 4))
    with monkeypatch.context() as saving:
        saving.setattr(torch.serialization, "location_tag", lambda storage: "cuda:0")
        torch.save(module.state_dict(), tmp_path / "net.pt")
    if not torch.cuda.is_available():
        with pytest.raises(RuntimeError, match="CUDA"):
            torch.load(tmp_path / "net.pt", weights_only=True)
    same(module, read_target(tmp_path / "net.pt", architecture=net(nn.Linear(4, 4))))


def test_pickled_modules_are_refused_and_their_state_dicts_read(tmp_path):
    module = net(nn.Linear(4, 4))
    torch.save(module, tmp_path / "module.pt")
    refused("save its state_dict() instead", tmp_path / "module.pt", architecture=module)
    torch.save(module.state_dict(), tmp_path / "state.pt")
    same(module, read_target(tmp_path / "state.pt", architecture=net(nn.Linear(4, 4))))


def test_states_of_wrapped_modules_are_read():
    module = net(nn.Linear(4, 4))
    for prefix in ("module.", "_orig_mod.", "module._orig_mod."):
        state = {prefix + k: v for k, v in module.float().state_dict().items()}
        same(module, read_target(state, architecture=net(nn.Linear(4, 4))))


def test_numbers_that_are_not_weights_are_refused():
    layer = nn.Linear(3, 2)
    state = {"weight": torch.ones(2, 3), "bias": torch.ones(2)}
    refused("multiply them by their scales", state | {"weight": torch.ones(2, 3, dtype=torch.int8)}, architecture=layer)
    refused("complex64", state | {"weight": torch.ones(2, 3, dtype=torch.complex64)}, architecture=layer)
    refused("nan in", state | {"bias": torch.tensor([0.0, float("nan")])}, architecture=layer)
    scaled = {"weight": 0.5 * torch.ones(2, 3, dtype=torch.int8).float(), "bias": np.ones(2)}
    assert (read_target(scaled, architecture=layer).layers[0].coefficients == 0.5).all()
