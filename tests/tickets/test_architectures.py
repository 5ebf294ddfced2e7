"""Random architectures: the module, the network read, the effective network and the file's network agree."""

import numpy as np
import pytest
import torch
from architectures import random_network
from hypothesis import given, settings
from hypothesis import strategies as st

from rssp.laws import Uniform
from rssp.tickets import (
    PLAIN,
    PLAIN_PYTORCH,
    SHALLOW,
    THEOREM,
    load_ticket,
    normalised,
    prune,
    read_target,
    save_ticket,
    worst_error,
)

CONSTRUCTIONS = {"plain": PLAIN.but(law=Uniform()), "theorem": THEOREM, "shallow": SHALLOW}


@pytest.fixture(scope="module")
def standalone():
    space = {}
    exec(compile(PLAIN_PYTORCH, "standalone.py", "exec"), space)
    return space["load"]


def largest(a, b):
    return np.abs(np.asarray(a) - np.asarray(b)).max(initial=0.0)


@pytest.mark.parametrize("name", CONSTRUCTIONS)
@given(seed=st.integers(0, 2**32 - 1))
@settings(max_examples=6, deadline=None)
def test_all_forms_of_a_ticket_agree_and_the_certificate_holds(name, seed, standalone, tmp_path_factory):
    module, shape = random_network(seed)
    rng = np.random.default_rng(seed)
    original = read_target(module, shape)
    target, scale = normalised(original)
    n = 4 if name == "shallow" else 10
    ticket = prune(
        target, n, None, tolerance=1e-2, construction=CONSTRUCTIONS[name], rng=rng, partial=True, redraw=seed % 3
    )
    x = rng.normal(size=(20, target.inputs))
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    images = torch.tensor(x.reshape(-1, *shape), dtype=torch.float32)

    truth = module.double()(images.double()).detach()
    assert largest(original(images), truth.flatten(1)) < 1e-9 * (1 + float(truth.abs().max()))
    assert largest(scale * target(x), original(x)) < 1e-9 * (1 + largest(original(x), 0))
    assert largest(ticket.reference(x), target(x)) < 1e-9
    smooth = any(layer.plan.links and layer.plan.activation.curvature for layer in ticket.layers)
    if not smooth:
        assert largest(ticket.effective(x), ticket(x)) < 1e-9 * (1 + largest(ticket(x), 0))

    errors = np.linalg.norm(target(x) - ticket(x), axis=1)
    bound = ticket.certified_error * (1 + 1e-9) + 1e-11
    assert errors.max() <= bound
    assert worst_error(ticket.reference, ticket.effective, restarts=4, rng=rng) <= bound

    path = tmp_path_factory.mktemp("ticket") / "ticket.safetensors"
    save_ticket(ticket, path)
    again = load_ticket(path)
    assert again.summary() == ticket.summary()
    np.testing.assert_array_equal(again(x), ticket(x))
    outside = standalone(path)
    assert torch.equal(outside(images), ticket.network(images))
    assert outside(images).shape == truth.shape
    assert largest(outside(images).flatten(1), ticket(x)) < 1e-3 * (1 + largest(ticket(x), 0))


@pytest.mark.parametrize("name", CONSTRUCTIONS)
@given(seed=st.integers(0, 2**32 - 1))
@settings(max_examples=6, deadline=None)
def test_every_weight_is_the_sum_of_what_its_mask_keeps(name, seed):
    """The kept random weights, added up by hand for one weight of each layer."""
    module, shape = random_network(seed)
    target, _ = normalised(read_target(module, shape))
    rng = np.random.default_rng(seed)
    ticket = prune(target, 5, None, tolerance=0.1, construction=CONSTRUCTIONS[name], rng=rng, partial=True)
    for layer in ticket.layers:
        plan = layer.plan
        row, slot = rng.integers(layer.mask.shape[0]), rng.integers(plan.inputs * plan.size)
        group = row * plan.layer.groups // layer.mask.shape[0]
        channel = group * plan.inputs + slot // plan.size
        output, label = row // plan.rows, slot % plan.size
        assert layer.wanted[row, slot] == plan.layer.coefficients[output, channel, label]
        kept = np.flatnonzero(layer.mask[row, slot])
        weights = layer.weights[row, 0 if layer.weights.shape[1] == 1 else slot, kept]
        if plan.links:
            link = layer.links[channel, kept]
            left, right = plan.activation.slope_left, plan.activation.slope_right
            positive = sum(w * u * (right if u > 0 else left) for w, u in zip(weights, link, strict=True))
        else:
            positive = weights.sum()
        assert layer.sums[0][row, slot] == pytest.approx(positive, abs=1e-12)
        if plan.copies == 1:
            assert layer.effective.coefficients[row, channel, label] == layer.sums[0][row, slot]
