"""Ticket files: what they hold, how small they are, and what is refused."""

import json
import subprocess
import sys

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import nn

from rssp.errors import ArgumentError
from rssp.laws import Uniform
from rssp.tickets import (
    PLAIN,
    PLAIN_PYTORCH,
    SHALLOW,
    THEOREM,
    Activation,
    load_ticket,
    prune,
    read_target,
    save_ticket,
    standalone,
    stored_summary,
)


def lenet(seed=0):
    torch.manual_seed(seed)
    return nn.Sequential(
        nn.Conv2d(1, 3, 3, bias=False), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(27, 4)
    ).eval()  # fmt: skip


@pytest.fixture(scope="module")
def tickets():
    f = read_target(lenet(), (1, 8, 8))
    rng = np.random.default_rng(0)
    common = {"tolerance": 0.01, "rng": rng, "partial": True}
    return {
        "row": prune(f, 14, None, construction=PLAIN, **common),
        "weight": prune(f, 14, None, construction=PLAIN.but(samples="weight"), redraw=2, **common),
        "theorem": prune(f, 20, None, construction=THEOREM, **common),
        "shallow": prune(f, 12, None, construction=SHALLOW, **common),
    }


def test_networks_load_in_plain_pytorch_without_rssp(tickets, tmp_path):
    cases = {}
    x = torch.rand(5, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    for name, ticket in tickets.items():
        path = tmp_path / f"{name}.safetensors"
        save_ticket(ticket, path)
        cases[str(path)] = ticket.network(x).tolist()
    (tmp_path / "cases.json").write_text(json.dumps([x.tolist(), cases]))
    (tmp_path / "standalone.py").write_text(PLAIN_PYTORCH)
    script = (
        "import json, sys, torch\n"
        "sys.modules['rssp'] = None\n"  # importing rssp now fails
        "import standalone\n"
        "x, cases = json.load(open(sys.argv[1]))\n"
        "for path, expected in cases.items():\n"
        "    network = standalone.load(path)\n"
        "    assert torch.equal(network(torch.tensor(x)), torch.tensor(expected)), path\n"
        "    assert sorted(network.layers) == ['0', '4']\n"
        "print('equal')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path / "cases.json")], capture_output=True, text=True, cwd=tmp_path
    )
    assert done.stdout.strip() == "equal", done.stderr


@pytest.mark.parametrize("construction", [THEOREM, PLAIN.but(law=Uniform())])
def test_a_file_takes_at_most_16_bytes_a_weight(construction, tmp_path):
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(60, 80), nn.ReLU(), nn.Linear(80, 60), nn.ReLU(), nn.Linear(60, 10))
    ticket = prune(net, 30, None, tolerance=1e-4, construction=construction, rng=np.random.default_rng(0))
    save_ticket(ticket, tmp_path / "t.safetensors")
    size = (tmp_path / "t.safetensors").stat().st_size
    assert size <= 16 * ticket.target.parameters
    assert len(PLAIN_PYTORCH) < 20_000


def test_numpys_old_generator_is_stored_too(tmp_path):
    bits = np.random.MT19937(0)
    ticket = prune([[[0.3, -0.2]]], 12, 0.1, construction=PLAIN, rng=np.random.Generator(bits))
    save_ticket(ticket, tmp_path / "t.safetensors")
    np.testing.assert_array_equal(load_ticket(tmp_path / "t.safetensors").layers[0].weights, ticket.layers[0].weights)


def test_activations_of_ones_own_are_given_again(tmp_path):
    softplus = Activation("soft", nn.functional.softplus, 0.5, 0.5, 0.25, slopes=(0.0, 1.0))
    net = nn.Sequential(nn.Linear(3, 4), nn.Softplus(), nn.Linear(4, 2))
    with pytest.raises(ArgumentError, match=r"Softplus.*activations="):
        read_target(net)
    f = read_target(net, activations={nn.Softplus: softplus})
    x = np.random.default_rng(0).normal(size=(5, 3))
    np.testing.assert_allclose(f(x), net.double()(torch.tensor(x)).detach(), atol=1e-12)
    ticket = prune(f, 20, None, tolerance=0.01, rng=np.random.default_rng(0), partial=True)
    assert np.linalg.norm(f(x / 5) - ticket(x / 5), axis=1).max() <= ticket.certified_error
    save_ticket(ticket, tmp_path / "t.safetensors")
    with pytest.raises(ArgumentError, match=r"none named 'soft'.*activations="):
        load_ticket(tmp_path / "t.safetensors")
    again = load_ticket(tmp_path / "t.safetensors", activations={"soft": softplus})
    np.testing.assert_array_equal(again(x), ticket(x))
    outside = standalone.load(tmp_path / "t.safetensors", torch.float64, {"soft": nn.functional.softplus})
    np.testing.assert_allclose(outside(torch.tensor(x)), ticket(x), atol=1e-9)


def test_broken_ticket_files_are_refused(tickets, tmp_path):
    good, bad = tmp_path / "good.safetensors", tmp_path / "bad.safetensors"
    save_ticket(tickets["theorem"], good)
    data = good.read_bytes()
    for cut in (0, 4, 200, len(data) // 2, len(data) - 1):
        bad.write_bytes(data[:cut])
        with pytest.raises(ArgumentError, match=r"bad\.safetensors"):
            load_ticket(bad)
    start = 8 + int.from_bytes(data[:8], "little")
    for place in range(start, len(data), 97):  # a bit of the tensors turned
        bad.write_bytes(data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :])
        with pytest.raises(ArgumentError, match="checksum"):
            load_ticket(bad)
        with pytest.raises(ValueError, match="checksum"):
            standalone.load(bad)
    with pytest.raises(ArgumentError, match="not a file"):
        load_ticket(tmp_path / "absent.safetensors")
    with pytest.raises(ArgumentError, match=r"ends in \.safetensors"):
        save_ticket(tickets["theorem"], tmp_path / "ticket.pt")
    with pytest.raises(ArgumentError, match="folder"):
        save_ticket(tickets["theorem"], tmp_path / "no" / "ticket.safetensors")

    with safe_open(good, "pt") as file:
        texts = file.metadata()
    tensors = load_file(good)

    def refused(match, *, drop=(), changed=(), about=(), sealed=True, **others):
        kept = {k: v for k, v in tensors.items() if k not in drop} | dict(changed)
        ticket = json.loads(texts["ticket"])
        ticket.update(about)
        written = texts | {"ticket": json.dumps(ticket)} | others
        if sealed:
            written["checksum"] = standalone.checksum(kept, written["ticket"])
        save_file(kept, bad, metadata=written)
        with pytest.raises(ArgumentError, match=match):
            load_ticket(bad)

    refused("format 'rssp ticket 1'.*earlier version", format="rssp ticket 1")
    refused("not a complete ticket", drop=["mask.0"])
    refused("not a complete ticket", changed={"mask.0": tensors["mask.1"][:-9].clone()})
    refused("not a complete ticket", about={"n": [20]})
    refused("not a complete ticket", about={"n": [20, 21]})
    refused("not a complete ticket", about={"construction": 3})
    refused("not a complete ticket", about={"network": {}})
    refused("checksum", about={"tolerance": 1.0}, sealed=False)
    state = json.loads(texts["ticket"])["network"]
    state["state"]["state"]["state"] += 1
    refused("other random numbers", about={"network": state})
    nan = tensors["target.layers.0.weight"] * float("nan")
    refused("not finite", changed={"target.layers.0.weight": nan})
    assert stored_summary(good) == tickets["theorem"].summary()
    save_file(tensors, bad, metadata={"format": "x"})
    with pytest.raises(ArgumentError, match="without figures"):
        stored_summary(bad)
