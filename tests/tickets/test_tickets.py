"""Plain and theorem tickets: what they compute, their certificates, and their files."""

import itertools
import json
import subprocess
import sys

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from rssp.errors import ArgumentError, ArgumentTypeError, InfeasibleError
from rssp.tickets import (
    PLAIN_PYTORCH,
    UnreachedError,
    certified_error,
    load_ticket,
    plain_ticket,
    random_target,
    read_target,
    save_ticket,
    spectral_norm_bound,
    theorem_layers,
    theorem_parameters,
    theorem_ticket,
    weight_tolerance,
    weights_of,
    worst_error,
)
from rssp.tickets.adversary import worst_input
from rssp.tickets.effective import evaluate


def rng(seed=0):
    return np.random.default_rng(seed)


def biased(widths=(5, 4, 3), seed=0, dtype="float32"):
    generator = torch.Generator().manual_seed(seed)
    state = {}
    for i, (a, b) in enumerate(itertools.pairwise(widths)):
        state[f"{2 * i}.weight"] = (torch.rand(b, a, generator=generator) - 0.5).to(getattr(torch, dtype))
        state[f"{2 * i}.bias"] = (torch.rand(b, generator=generator) - 0.5).to(getattr(torch, dtype))
    return read_target(state)


@pytest.fixture(scope="module")
def tickets():
    free, with_bias = random_target((6, 5, 4, 3), -0.5, 0.5, rng=rng(1)), biased()
    return {
        "row": plain_ticket(free, 14, 0.02, rng=rng(2)),
        "weight": plain_ticket(with_bias, 14, 0.02, rng=rng(3), sharing="weight"),
        "smallest": plain_ticket(free, 14, 0.02, rng=rng(4), search="smallest"),
        "within": plain_ticket(biased(dtype="float64"), 14, 0.02, rng=rng(4), search="within"),
        "theorem": theorem_ticket(free, 30, 0.05, rng=rng(5)),
        "theorem with biases": theorem_ticket(with_bias, (28, 30), 0.05, rng=rng(6), search="smallest"),
        "partial": theorem_ticket(free, 6, 0.05, rng=rng(7), search="nearest", partial=True),
    }


NAMES = ("row", "weight", "smallest", "within", "theorem", "theorem with biases", "partial")


@pytest.mark.parametrize("name", NAMES)
def test_network_computes_what_the_effective_layers_say(tickets, name):
    ticket = tickets[name]
    x = rng(8).normal(size=(50, ticket.target.widths[0]))
    np.testing.assert_allclose(ticket(x), evaluate(ticket.effective, x), rtol=0, atol=1e-12)
    np.testing.assert_allclose(ticket.target.network().double()(torch.tensor(x)).detach(), ticket.target(x), atol=1e-12)
    low = ticket.network(torch.tensor(x, dtype=getattr(torch, ticket.target.dtype))).numpy()
    np.testing.assert_allclose(low, ticket(x), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("name", NAMES)
def test_random_weights_are_untouched_and_masks_are_prune_masks(tickets, name):
    ticket = tickets[name]
    linear = [layer for layer in ticket.network if isinstance(layer, nn.Linear)]
    assert sum(layer.weight_orig.numel() for layer in linear) == ticket.source_parameters
    for layer, mask, weight in zip(linear, ticket.masks, weights_of(ticket.network), strict=True):
        assert nn.utils.prune.is_pruned(layer)
        assert not layer.weight_orig.requires_grad
        np.testing.assert_array_equal(layer.weight.numpy(), weight.astype(ticket.target.dtype) * mask)
        assert np.unique(weight).size >= weight.size // ticket.target.parameters  # drawn, not fitted
    assert ticket.kept_parameters == sum(int(m.sum()) for m in ticket.masks)
    assert 0 < ticket.density < 1
    assert ticket.kept_ratio == pytest.approx(ticket.density * ticket.over_parameterization)


@pytest.mark.parametrize("name", NAMES)
def test_measured_errors_stay_below_the_certificate(tickets, name):
    ticket = tickets[name]
    data = rng(9).uniform(0, 0.1, (20, ticket.target.widths[0]))
    found = ticket.output_error(data, draws=200, restarts=8, rng=rng(10))
    assert np.linalg.norm(found.witness) <= 1 + 1e-12
    bound = ticket.certified_error * (1 + 1e-9) + 1e-12
    assert max(found.random, found.adversarial, found.data) <= bound
    assert found.adversarial >= 0.98 * found.random
    assert np.linalg.norm(ticket.target(found.witness[None]) - ticket(found.witness[None])) == pytest.approx(
        found.adversarial, rel=1e-9, abs=1e-12
    )
    if "eps" in ticket.settings and name != "partial":
        assert ticket.certified_error <= ticket.settings["eps"]


def test_each_plain_weight_is_its_nearest_subset_sum(tickets):
    f = read_target([np.array([[0.3, -0.2, 0.05], [0.1, 0.4, -0.45]])])
    for sharing in ("row", "weight"):
        ticket = plain_ticket(f, 8, 1.0, rng=rng(11), sharing=sharing)
        samples = weights_of(ticket.network)[0].reshape(2, 3, 8)
        subsets = np.array(list(itertools.product((0, 1), repeat=8)))
        best = np.abs(samples @ subsets.T - f.weights[0][..., None]).min(axis=2)
        np.testing.assert_allclose(ticket.weight_errors[0], best, atol=1e-12)
        assert (samples[:, :1] == samples).all() == (sharing == "row")
        assert samples.min() >= -0.45
        assert samples.max() <= 0.4


def test_each_theorem_weight_is_a_subset_sum_of_products(tickets):
    f = read_target([np.array([[0.3, -0.2], [0.1, 0.4]])])
    n = 6
    ticket = theorem_ticket(f, n, 10.0, rng=rng(12), search="nearest", partial=True)
    spread, gather = weights_of(ticket.network)
    layer = ticket.effective[0]
    for j, k in itertools.product(range(2), repeat=2):
        units = np.arange(2 * n * k, 2 * n * (k + 1))
        for sign, found, pick in ((1, layer.positive, slice(None, n)), (-1, layer.negative, slice(-n, None))):
            right = units[sign * spread[units, k] > 0][pick]
            products = gather[j, right] * spread[right, k]
            subsets = np.array(list(itertools.product((0, 1), repeat=len(right))))
            best = np.abs(subsets @ products - f.weights[0][j, k]).min()
            assert abs(found[j, k] - f.weights[0][j, k]) == pytest.approx(best, abs=1e-12)
    assert ticket.source_parameters == theorem_parameters(f, n) == 2 * 2 * n * 2 + 2 * 2 * n * 2


def test_numbers_of_the_published_experiment_follow_from_its_shape():
    f = random_target((7, 5, 2), -0.46423155069351196, 0.5407021641731262, rng=rng(0))
    ticket = plain_ticket(f, eps=0.01, rng=rng(1), workers=2)
    assert ticket.n == (21, 21)
    assert ticket.over_parameterization == 21.0
    assert ticket.kept_ratio == ticket.mean_subset_size
    assert ticket.largest_weight_error < 0.01
    same = plain_ticket(f, eps=0.01, rng=rng(1), workers=1)
    assert all((a == b).all() for a, b in zip(ticket.masks, same.masks, strict=True))
    assert ticket.summary()["widths"] == "7-5-2"
    assert set(ticket.seconds) == {"draw", "solve", "build"}


def test_smaller_searches_keep_fewer_weights_within_eps(tickets):
    free = tickets["row"].target
    nearest = plain_ticket(free, 14, 0.02, rng=rng(4))
    assert tickets["smallest"].kept_parameters < nearest.kept_parameters
    assert tickets["smallest"].largest_weight_error <= 0.02
    assert nearest.largest_weight_error <= tickets["smallest"].largest_weight_error


def test_unreached_weights_are_named_and_never_accepted():
    f = read_target([np.array([[0.1, 0.9], [0.2, 0.3]])])
    with pytest.raises(UnreachedError, match=r"layer1\.weight\[0, 1\] = 0\.9 .*partial=True"):
        plain_ticket(f, 3, 1e-3, rng=rng(0), low=-0.1, high=0.1)
    ticket = plain_ticket(f, 3, 1e-3, rng=rng(0), low=-0.1, high=0.1, partial=True)
    assert ticket.unreached[0].name == "layer1.weight[0, 1]"
    assert ticket.unreached[0].error >= 0.6
    assert ticket.summary()["unreached weights"] == len(ticket.unreached) > 0
    with pytest.raises(UnreachedError, match=r"0\.bias\[1\]"):
        plain_ticket(
            {"0.weight": np.full((2, 1), 0.01), "0.bias": np.array([0.0, 5.0])}, 4, 0.05, rng=rng(0), low=-1, high=1
        )


def test_theorem_refuses_weights_beyond_one_by_name():
    with pytest.raises(
        ArgumentError, match=r"layer2\.weight\[0, 1\] = -1\.5; allowed: weights and biases in \[-1, 1\]"
    ):
        theorem_ticket([np.eye(2), np.array([[0.1, -1.5]])], 5, 0.1, rng=rng(0))


@pytest.mark.parametrize(
    ("arguments", "error", "match"),
    [
        ({"eps": 0.0}, ArgumentError, "eps: got 0"),
        ({"n": 0}, ArgumentError, "n: got 0"),
        ({"n": (3, 4)}, ArgumentError, "one a layer"),
        ({"n": 60}, InfeasibleError, "fewer samples"),
        ({"n": 100}, InfeasibleError, "the optimum for 2 weights with n = 100 needs .* search='within'"),
        ({"n": 100, "search": "within"}, InfeasibleError, "fewer samples"),
        ({"workers": 0}, ArgumentError, "workers"),
        ({"n": 2**40}, InfeasibleError, "memory"),
        ({"sharing": "column"}, ArgumentError, "sharing"),
        ({"search": "best"}, ArgumentError, "search"),
        ({"low": 1.0, "high": 0.0}, ArgumentError, "high: got 0"),
        ({"low": np.nan}, ArgumentError, "low"),
        ({"rng": 3}, ArgumentTypeError, "rng"),
    ],
)
def test_bad_arguments_are_explained(arguments, error, match):
    with pytest.raises(error, match=match):
        plain_ticket([np.array([[0.1, 0.2]])], **{"rng": rng(0)} | arguments)
    if not {"sharing", "low", "high"} & set(arguments):
        with pytest.raises(error):
            theorem_ticket([np.array([[0.1, 0.2]])], **{"rng": rng(0), "n": 5, "eps": 0.1} | arguments)


@given(st.integers(1, 12), st.integers(1, 12), st.integers(0, 2**32 - 1), st.sampled_from([1e-150, 1e-9, 1.0, 1e9]))
@settings(max_examples=60, deadline=None)
def test_spectral_norm_bound_is_above_and_tight(rows, columns, seed, scale):
    matrix = rng(seed).normal(size=(rows, columns)) * scale
    if seed % 3 == 0:
        matrix[:, -1] = matrix[:, 0]
    exact = np.linalg.svd(matrix, compute_uv=False)[0]
    assert exact * (1 - 1e-14) <= spectral_norm_bound(matrix) <= exact * (1 + 1e-9)
    assert spectral_norm_bound(0 * matrix) == 0


@given(st.integers(0, 2**32 - 1), st.sampled_from([(3, 2), (4, 3, 2), (3, 5, 4, 2)]), st.booleans())
@settings(max_examples=30, deadline=None)
def test_certificate_holds_for_wrong_networks_and_search_comes_near_it(seed, widths, with_bias):
    draw = rng(seed)
    f = biased(widths, seed, "float64") if with_bias else random_target(widths, -0.6, 0.6, rng=draw, dtype="float64")
    n = 3
    ticket = theorem_ticket(f, n, 0.1, rng=draw, search="nearest", partial=True)
    x = worst_input(f, ticket.effective, restarts=8, rng=draw, steps=60)
    assert (np.linalg.norm(x, axis=1) <= 1 + 1e-12).all()
    errors = np.linalg.norm(f(x) - ticket(x), axis=1)
    bound = certified_error(f, ticket.effective)
    assert errors.max() <= bound * (1 + 1e-12)
    if len(widths) == 2 and not with_bias:  # one layer: the bound is exact up to the signs of the inputs
        assert errors.max() >= bound / 1.5


def test_weight_tolerance_certifies_the_worst_signs():
    f = biased((6, 8, 3), 5, "float64")
    delta = weight_tolerance(f, 0.02)
    ticket = plain_ticket(f, 24, delta, rng=rng(1), low=-1, high=1, search="within")
    assert ticket.largest_weight_error <= delta
    assert ticket.certified_error <= 0.02
    assert 0.001 < delta * np.sqrt(48) / 0.02 < 1


@pytest.mark.parametrize("name", NAMES)
def test_files_give_the_same_ticket(tickets, name, tmp_path):
    ticket = tickets[name]
    save_ticket(ticket, tmp_path / "ticket.safetensors")
    again = load_ticket(tmp_path / "ticket.safetensors")
    assert all((a == b).all() for a, b in zip(ticket.masks, again.masks, strict=True))
    for mine, its in zip(weights_of(ticket.network), weights_of(again.network), strict=True):
        np.testing.assert_array_equal(mine, its)
    assert again.summary() == ticket.summary()
    assert again.target.names == ticket.target.names
    assert dict(again.settings) == dict(ticket.settings)
    x = rng(0).normal(size=(5, ticket.target.widths[0]))
    np.testing.assert_array_equal(again(x), ticket(x))


def test_saved_networks_load_in_plain_pytorch_without_rssp(tickets, tmp_path):
    cases = {}
    for number, name in enumerate(("row", "weight", "theorem", "theorem with biases")):
        ticket = tickets[name]
        path = tmp_path / f"{number}.safetensors"
        save_ticket(ticket, path)
        x = rng(number).normal(size=(7, ticket.target.widths[0])).astype(np.float32)
        cases[str(path)] = (x.tolist(), ticket.network(torch.tensor(x)).tolist())
    (tmp_path / "cases.json").write_text(json.dumps(cases))
    script = (
        "import json, sys, torch\n"
        "sys.modules['rssp'] = None\n"  # importing rssp now fails
        f"recipe = {PLAIN_PYTORCH!r}\n"
        "for path, (x, expected) in json.load(open(sys.argv[1])).items():\n"
        "    space = {'path': path}\n"
        "    exec(recipe, space)\n"
        "    assert torch.equal(space['network'](torch.tensor(x)), torch.tensor(expected)), path\n"
        "print('equal')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path / "cases.json")], capture_output=True, text=True, cwd=tmp_path
    )
    assert done.stdout.strip() == "equal", done.stderr


def test_broken_ticket_files_are_refused(tickets, tmp_path):
    from safetensors.torch import load_file, save_file

    good = tmp_path / "good.safetensors"
    save_ticket(tickets["theorem"], good)
    data = good.read_bytes()
    bad = tmp_path / "bad.safetensors"
    for cut in (0, 4, 200, len(data) // 2, len(data) - 1):
        bad.write_bytes(data[:cut])
        with pytest.raises(ArgumentError, match=r"bad\.safetensors"):
            load_ticket(bad)
    with pytest.raises(ArgumentError, match="not a file"):
        load_ticket(tmp_path / "absent.safetensors")
    with pytest.raises(ArgumentError, match=r"ends in \.safetensors"):
        save_ticket(tickets["theorem"], tmp_path / "ticket.pt")
    with pytest.raises(ArgumentError, match="folder"):
        save_ticket(tickets["theorem"], tmp_path / "no" / "ticket.safetensors")

    from safetensors import safe_open

    with safe_open(good, "pt") as file:
        texts = file.metadata()
    tensors = load_file(good)

    def refused(match, *, drop=(), texts_change=(), **changed):
        kept = {k: v for k, v in tensors.items() if k not in drop} | {
            k.replace("__", "."): v for k, v in changed.items()
        }
        save_file(kept, bad, metadata=texts | dict(texts_change))
        with pytest.raises(ArgumentError, match=match):
            load_ticket(bad)

    refused("format 'x'", texts_change={"format": "x"})
    refused("not a complete ticket", drop=["0.weight_mask"])
    refused("shape", **{"0__weight_mask": torch.ones(3, 3, dtype=torch.bool)})
    refused("foreign input", **{"0__weight_mask": torch.ones_like(tensors["0.weight_mask"])})
    refused("bool", **{"0__weight_mask": tensors["0.weight_mask"].float()})
    refused("finite", **{"0__weight_orig": tensors["0.weight_orig"] * float("nan")})
    refused("not a complete ticket", texts_change={"ticket": "{"})
    refused("not a complete ticket", texts_change={"ticket": "[]"})
    layers = json.loads(texts["layers"])
    layers[1] = ["Tanh", {}]
    refused("layers are not those", texts_change={"layers": json.dumps(layers)})


def test_theorem_layers_are_those_of_the_ticket_without_its_network():
    for f in (biased((4, 3, 2)), random_target((4, 3, 2), -0.5, 0.5, rng=rng(3))):
        ticket = theorem_ticket(f, (9, 8), 0.05, rng=rng(4), search="nearest", partial=True)
        layers = theorem_layers(f, (9, 8), rng=rng(4))
        for mine, its in zip(layers, ticket.effective, strict=True):
            np.testing.assert_array_equal(mine.positive, its.positive)
            np.testing.assert_array_equal(mine.negative, its.negative)
        assert certified_error(f, layers) == ticket.certified_error
        assert 0 < worst_error(f, layers, restarts=4, rng=rng(5)) <= ticket.certified_error


def test_theorem_tickets_are_accepted_by_their_certificate():
    f = random_target((6, 5, 3), -0.5, 0.5, rng=rng(1))
    outcomes = set()
    for seed in range(12):
        try:
            ticket = theorem_ticket(f, 15, 0.05, rng=rng(seed))
        except UnreachedError as error:
            assert "have no subset sum within" in str(error)  # noqa: PT017
            ticket = theorem_ticket(f, 15, 0.05, rng=rng(seed), partial=True)
            assert ticket.unreached
            assert ticket.certified_error > 0.05
            outcomes.add("refused")
        else:
            assert ticket.certified_error <= 0.05
            outcomes.add("accepted, some named" if ticket.unreached else "accepted")
    assert {"refused", "accepted"} <= outcomes
