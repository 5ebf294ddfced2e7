"""Reading targets, training them, and the errors of both."""

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

from rssp.errors import ArgumentError, ArgumentTypeError
from rssp.tickets import (
    DataError,
    accuracy,
    digits_data,
    mnist_data,
    normalised,
    plain_ticket,
    random_target,
    read_target,
    theorem_ticket,
    train_network,
)

SAMPLE = Path(__file__).parent / "mnist_sample"


def network(bias=True):
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Flatten(),
        nn.Linear(6, 5, bias=bias),
        nn.ReLU(),
        nn.Dropout(0.5),
        nn.Linear(5, 4),
        nn.ReLU(),
        nn.Linear(4, 2),
    )


def test_all_sources_give_the_same_target(tmp_path):
    net = network()
    path = tmp_path / "net.safetensors"
    save_file(net.state_dict(), path)
    x = torch.randn(9, 6, dtype=torch.float64)
    expected = net.double().eval()(x).detach().numpy()
    net = net.float()
    for source in (net, net.state_dict(), path, str(path), read_target(net)):
        f = read_target(source)
        np.testing.assert_allclose(f(x.numpy()), expected, atol=1e-12)
        assert (f.widths, f.depth, f.dtype, f.names) == ((6, 5, 4, 2), 3, "float32", ("1", "4", "6"))
        assert f.parameters == sum(p.numel() for p in net.parameters())
    assert f.weight_name(0, 2, 6) == "1.bias[2]"


def test_safetensors_layers_are_read_in_natural_order(tmp_path):
    state = {f"fc{i}.weight": torch.eye(2) * i for i in (10, 2, 1)}
    save_file(state, tmp_path / "net.safetensors")
    assert read_target(tmp_path / "net.safetensors").names == ("fc1", "fc2", "fc10")


def test_nested_networks_are_read_in_order():
    inner = nn.Sequential(nn.ReLU(), nn.Linear(3, 2))
    assert read_target(nn.Sequential(nn.Sequential(nn.Linear(4, 3)), inner)).names == ("0.0", "1.1")


def test_half_precision_and_single_layers_are_read():
    assert read_target(nn.Linear(3, 2).bfloat16()).dtype == "float32"
    assert read_target(nn.Linear(3, 2).double()).dtype == "float64"
    assert read_target([np.ones((2, 3))]).dtype == "float64"


@pytest.mark.parametrize(
    ("source", "error", "match"),
    [
        (nn.Sequential(nn.Linear(3, 2), nn.Tanh()), ArgumentError, "layer 1, a Tanh"),
        (nn.Sequential(nn.Conv2d(1, 1, 3), nn.ReLU()), ArgumentError, "layer 0, a Conv2d"),
        (nn.Sequential(nn.ReLU(), nn.Linear(3, 2)), ArgumentError, "layer 0, a ReLU"),
        (nn.Sequential(nn.Linear(3, 2), nn.Linear(2, 1)), ArgumentError, "no ReLU before layer 1"),
        (nn.Sequential(nn.Linear(3, 2), nn.ReLU()), ArgumentError, "ReLU after the last"),
        (nn.Sequential(nn.Linear(3, 2), nn.ReLU(), nn.Flatten(), nn.Linear(2, 1)), ArgumentError, "layer 2, a Flatten"),
        (nn.Sequential(), ArgumentError, "without linear layers"),
        (nn.LSTM(3, 2), ArgumentError, "layer 0, a LSTM.*state_dict"),
        (nn.Sequential(nn.Linear(3, 2), nn.Sequential(nn.ReLU(), nn.GELU())), ArgumentError, r"layer 1\.1, a GELU"),
        ({}, ArgumentError, "no weights"),
        ([], ArgumentError, "no weights"),
        ({"a.weight": torch.ones(2, 3), "b.weight": torch.ones(2, 3)}, ArgumentError, r"b\.weight of shape \(2, 3\)"),
        ({"a.weight": torch.ones(2, 3), "a.bias": torch.ones(3)}, ArgumentError, r"a\.bias of shape \(3,\)"),
        ({"a.bias": torch.ones(3)}, ArgumentError, r"a\.bias' without a weight"),
        ({"a.weight": torch.ones(6, 1, 5, 5)}, ArgumentError, r"a\.weight of shape \(6, 1, 5, 5\)"),
        ({"a.weight": torch.ones(2, 3, dtype=torch.int64)}, ArgumentError, "int64"),
        ({"a.weight": torch.ones(2, 3), "a.running_mean": torch.ones(2)}, ArgumentError, "a.running_mean"),
        ({"a.weight": torch.tensor([[1.0, float("nan")]])}, ArgumentError, r"nan in a\.weight at \(0, 1\)"),
        ([np.array([[np.inf]])], ArgumentError, "inf in layer1"),
        ([["a"]], ArgumentTypeError, "real numbers"),
        (3, ArgumentTypeError, "safetensors"),
    ],
)
def test_targets_that_cannot_be_read_are_explained(source, error, match):
    with pytest.raises(error, match=match):
        read_target(source)


def test_pruned_networks_have_to_be_made_permanent_first():
    layer = nn.Linear(3, 2)
    nn.utils.prune.random_unstructured(layer, "weight", 0.5)
    with pytest.raises(ArgumentError, match=r"prune\.remove"):
        read_target(layer)


def test_pickle_truncated_and_foreign_files_are_refused(tmp_path):
    net = network()
    torch.save(net.state_dict(), tmp_path / "net.pt")
    shutil.copy(tmp_path / "net.pt", tmp_path / "renamed.safetensors")
    for name in ("net.pt", "renamed.safetensors"):
        with pytest.raises(
            ArgumentError, match=r"pickle file .*save_file\(torch\.load\('[a-z]+\.[a-z]+', weights_only"
        ):
            read_target(tmp_path / name)
    save_file(net.state_dict(), tmp_path / "net.safetensors")
    data = (tmp_path / "net.safetensors").read_bytes()
    for cut in (0, 7, 50, len(data) - 4):
        (tmp_path / "cut.safetensors").write_bytes(data[:cut])
        with pytest.raises(ArgumentError, match="truncated"):
            read_target(tmp_path / "cut.safetensors")
    with pytest.raises(ArgumentError, match="not a file"):
        read_target(tmp_path / "absent.safetensors")
    with pytest.raises(ArgumentError, match="not a file"):
        read_target(tmp_path)


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


def test_normalised_targets_are_the_same_function_up_to_scale():
    with torch.no_grad():
        net = network()
        for parameter in net.parameters():
            parameter.mul_(3)
    f = read_target(net)
    g, scale = normalised(f)
    x = np.random.default_rng(0).normal(size=(20, 6))
    np.testing.assert_allclose(scale * g(x), f(x), rtol=1e-12)
    assert scale > 1
    assert all(0.5 < np.linalg.svd(w, compute_uv=False)[0] <= 1 for w in g.weights)
    assert normalised(g)[1] == 1


def test_digits_target_is_replaced_without_loss_and_within_eps():
    data = digits_data()
    net = train_network(data, (32,))
    before = accuracy(net, data.x_test, data.y_test)
    assert before > 0.95
    rng = np.random.default_rng(0)
    ticket = theorem_ticket(net, 40, 0.01, rng=rng)
    found = ticket.output_error(data.x_test, draws=300, restarts=8, rng=rng)
    assert max(found.random, found.adversarial) <= ticket.certified_error <= 0.01
    assert abs(accuracy(ticket, data.x_test, data.y_test) - before) <= 1 / 360
    for sharing in ("row", "weight"):
        plain = plain_ticket(net, 30, rng=rng, sharing=sharing, search="within")
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
