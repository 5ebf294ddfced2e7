"""Certificates over sets of inputs hold against attacks, and their parts against brute force."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from rssp.errors import ArgumentError
from rssp.laws import Uniform
from rssp.tickets import (
    GELU,
    PLAIN,
    RELU,
    RELU6,
    SHALLOW,
    SIGMOID,
    SILU,
    TANH,
    THEOREM,
    Convolution,
    Inputs,
    Linear,
    Network,
    Sharing,
    certified_error,
    leaky_relu,
    normalised,
    prune,
    random_target,
    read_target,
    weight_tolerance,
    worst_error,
)
from rssp.tickets.adversary import worst_input
from rssp.tickets.layer_norms import _symbol_bound
from rssp.tickets.network import MaxPool, Residual
from rssp.tickets.norms import spectral_norm_bound
from rssp.tickets.propagation import Notes, all_linear, carry, difference, norms, uniform_difference
from rssp.tickets.quadratic import Program, quadratic_bound

WIDE = PLAIN.but(law=Uniform())
ACTIVATIONS = (RELU, RELU6, TANH, SIGMOID, GELU, SILU, leaky_relu(0.3), leaky_relu(-0.2))
DOMAINS = (Inputs.ball(), Inputs.ball(3.0), Inputs.box(0, 1), Inputs.box(-0.2, 0.7))


def rng(seed):
    return np.random.default_rng(seed)


def random_steps(seed):
    """A network over 1 to 6 layers with any activations, residual sums, poolings, paddings and strides."""
    draw = rng(seed)
    channels, image = int(draw.integers(1, 3)), tuple(int(v) for v in draw.integers(4, 7, size=2))
    shape, steps = (channels, *image), []

    def layer(inputs, out, image, kernel, stride, padding):
        sharing = Convolution(image, (kernel, kernel), stride=(stride, stride), padding=(padding, padding))
        bias = draw.uniform(-0.3, 0.3, (out, 1)) if draw.integers(2) else None
        return Linear(draw.uniform(-0.5, 0.5, (out, inputs, kernel**2)), sharing, bias)

    for _ in range(draw.integers(1, 7)):
        kind, out = draw.integers(5), int(draw.integers(1, 4))
        if kind == 0 and min(image) >= 2:
            pool = MaxPool(image, (2, 2), (1, 1), (0, 0), (1, 1))
            steps.append(pool)
            image = pool.output
        elif kind == 1:
            inner = layer(channels, channels, image, 3, 1, (1, 1))
            steps.append(Residual((inner, ACTIVATIONS[draw.integers(8)]), ()))
        else:
            kernel = int(draw.integers(1, min(3, *image) + 1))
            padding = (int(draw.integers(0, 2)), int(draw.integers(0, 2)))
            step = layer(channels, out, image, kernel, int(draw.integers(1, 3)), padding)
            steps.append(step)
            image, channels = step.sharing.output, out
        if draw.integers(3):
            steps.append(ACTIVATIONS[draw.integers(8)])
    steps.append(layer(channels, 2, image, 1, 1, (0, 0)))
    return Network(tuple(steps), shape)


def disturbed(network, size, draw):
    """The same steps with other weights, also others for negative inputs."""

    def change(layer):
        noise = [draw.normal(size=layer.coefficients.shape) * size for _ in range(2)]
        bias = None if layer.bias is None else layer.bias + draw.normal(size=layer.bias.shape) * size
        other = layer.coefficients + noise[1] if draw.integers(2) else None
        return Linear(layer.coefficients + noise[0], layer.sharing, bias, negative=other, groups=layer.groups)

    return network.mapped(change)


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=12, deadline=None)
def test_certificate_bounds_attack_bounds_random_for_any_steps(seed):
    draw = rng(seed)
    f = random_steps(seed)
    g = disturbed(f, 10.0 ** draw.uniform(-6, 0), draw)
    domain = DOMAINS[draw.integers(4)]
    bound = certified_error(f, g, domain, effort=0.1)
    simple = certified_error(f, g, domain, effort=0)
    x = np.concatenate([worst_input(f, g, domain, restarts=10, rng=draw), domain.draw(100, f.inputs, draw)])
    errors = np.linalg.norm(f(x) - g(x), axis=1)
    assert errors[-100:].max() <= errors[:-100].max() * (1 + 1e-9) + 1e-15
    assert errors.max() <= bound * (1 + 1e-9) + 1e-13
    assert bound <= simple


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=12, deadline=None)
def test_intervals_hold_entry_by_entry(seed):
    draw = rng(seed)
    f = random_steps(seed)
    g = disturbed(f, 0.1, draw)
    domain = DOMAINS[draw.integers(4)]
    pairs = zip(all_linear(f.steps), all_linear(g.steps), strict=True)
    end = carry(f, norms(f), [difference(a, b) for a, b in pairs], domain, Notes())
    x = domain.draw(200, f.inputs, draw)
    y, gap = f(x), f(x) - g(x)
    assert (end.low.ravel() <= y + 1e-12).all()
    assert (y <= end.high.ravel() + 1e-12).all()
    assert (end.less.ravel() <= gap + 1e-12).all()
    assert (gap <= end.more.ravel() + 1e-12).all()
    assert np.linalg.norm(y, axis=1).max() <= end.reach + 1e-12
    assert np.linalg.norm(y - end.centre.ravel(), axis=1).max() <= end.away + 1e-12
    middle = (domain.low + domain.high) / 2 * np.ones((1, f.inputs))
    np.testing.assert_allclose(f(middle)[0], end.centre.ravel(), atol=1e-12)


@given(st.sampled_from(ACTIVATIONS), st.floats(-8, 8), st.floats(0, 8))
@settings(max_examples=80, deadline=None)
def test_slopes_and_values_of_activations_over_an_interval(activation, low, width):
    ends = np.array([low]), np.array([low + width])
    m, most = activation.slopes_between(*ends)
    below, above = activation.values_between(*ends)
    at = torch.linspace(low, low + width, 301, dtype=torch.float64)
    values = activation(at).numpy()
    assert (below <= values + 1e-13).all()
    assert (values <= above + 1e-13).all()
    if width > 1e-3:
        slopes = np.diff(values) / np.diff(at.numpy())
        assert (m - 1e-9 <= slopes).all()
        assert (slopes <= most + 1e-9).all()


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=40, deadline=None)
def test_symbol_bounds_the_norm_of_any_convolution(seed):
    draw = rng(seed)
    axes = int(draw.integers(1, 3))
    groups = int(draw.integers(1, 3))
    sharing = Convolution(
        draw.integers(6, 10, axes).tolist(),
        draw.integers(1, 4, axes).tolist(),
        stride=draw.integers(1, 4, axes).tolist(),
        padding=draw.integers(0, 3, (axes, 2)).tolist(),
        dilation=draw.integers(1, 3, axes).tolist(),
    )
    out, inputs = groups * int(draw.integers(1, 4)), groups * int(draw.integers(1, 4))
    coefficients = draw.normal(size=(out, inputs, sharing.size))
    coefficients *= np.equal.outer(np.arange(out) * groups // out, np.arange(inputs) * groups // inputs)[:, :, None]
    exact = np.linalg.svd(sharing.matrix(coefficients), compute_uv=False)[0]
    bound = _symbol_bound(coefficients, sharing, groups)
    assert exact <= bound * (1 + 1e-13)


def test_symbol_is_tight_for_large_images():
    sharing = Convolution((300,), (5,), padding=((2, 2),))
    coefficients = rng(0).normal(size=(1, 2, 5))
    exact = np.linalg.svd(sharing.matrix(coefficients), compute_uv=False)[0]
    assert exact <= _symbol_bound(coefficients, sharing, 1) <= 1.04 * exact


def test_stack_of_matrices_has_the_largest_norm():
    stack = rng(1).normal(size=(5, 4, 7))
    exact = max(np.linalg.svd(a, compute_uv=False)[0] for a in stack)
    assert exact * (1 - 1e-14) <= spectral_norm_bound(stack) <= exact * (1 + 1e-9)


def test_forms_give_the_norm_of_a_linear_map_and_of_a_difference_of_relus():
    matrix = rng(2).normal(size=(5, 4))
    p = Program([4])
    p.result = p.affine([(0, matrix)], np.zeros(5))
    exact = np.linalg.norm(matrix, 2)
    assert exact <= quadratic_bound(p) <= exact * (1 + 1e-6)
    only_biases = Program([4])
    only_biases.result = only_biases.affine([], np.array([3.0, 4.0]))
    assert 5 <= quadratic_bound(only_biases) <= 5 * (1 + 1e-6)


@pytest.mark.parametrize("seed", range(4))
def test_attack_finds_what_plain_gradient_ascent_finds(seed):
    draw = rng(seed)
    f, _ = normalised(random_target((12, 14, 14, 4), -1, 1, rng=draw))
    g = disturbed(f, 1e-3, draw)

    def gap(x):
        return (f.forward(x) - g.forward(x)).norm(dim=1)

    x = torch.tensor(Inputs.ball().draw(50, 12, rng(100 + seed)))
    best = 0.0
    for step in range(200):
        x = x.detach().requires_grad_(True)
        value = gap(x)
        best = max(best, float(value.detach().max()))
        (gradient,) = torch.autograd.grad(value.sum(), x)
        x = x + 0.3 * 0.98**step * gradient / gradient.norm(dim=1, keepdim=True)
        x = x / x.norm(dim=1, keepdim=True).clamp(min=1)
    assert worst_error(f, g, restarts=50, rng=rng(200 + seed)) >= best * (1 - 1e-3)


def test_certificates_are_within_five_times_the_attack():
    """The goal is a median of 5 over networks of 2 to 4 layers; these are single ones, which were below 3."""
    for widths in ((10, 12, 5), (12, 12, 12, 4), (10, 12, 12, 12, 4)):
        f, _ = normalised(random_target(widths, -1, 1, rng=rng(3)))
        g = disturbed(f, 1e-4, rng(4))
        assert certified_error(f, g) <= 5 * worst_error(f, g, rng=rng(5))


@pytest.mark.parametrize("construction", [WIDE, THEOREM, SHALLOW], ids=lambda c: c.name)
def test_float32_certificate_holds_for_the_shipped_module(construction):
    torch.manual_seed(0)
    model = nn.Sequential(
        nn.Conv2d(1, 2, 3, padding=1), nn.ReLU(), nn.AvgPool2d(2), nn.Flatten(),
        nn.Linear(18, 4), nn.Tanh(), nn.Linear(4, 2),
    )  # fmt: skip
    target, _ = normalised(read_target(model.eval(), (1, 6, 6)))
    ticket = prune(
        target, 8 if construction is SHALLOW else 24, None, tolerance=1e-6, construction=construction, rng=rng(1),
        partial=True,
    )  # fmt: skip
    domain = Inputs.box(0, 1)
    bound = ticket.certify(domain, float32=True, effort=0.1)
    x = domain.draw(300, 36, rng(2)).astype(np.float32)
    with torch.no_grad():
        shipped = ticket.network(torch.from_numpy(x.reshape(-1, 1, 6, 6))).double().numpy()
    errors = np.linalg.norm(ticket.target(x.astype(np.float64)) - shipped, axis=1)
    assert errors.max() <= bound
    assert bound > ticket.certify(domain, effort=0.1)


def test_certificate_of_an_equivariant_network():
    ring = Sharing(np.array([[0, 1, 1], [1, 0, 1], [1, 1, 0]]))
    draw = rng(6)
    steps = (
        Linear(draw.uniform(-1, 1, (2, 1, 2)), ring, draw.uniform(-1, 1, (2, 1))), RELU,
        Linear(draw.uniform(-1, 1, (1, 2, 2)), ring),
    )  # fmt: skip
    f = Network(steps, (1, 3))
    g = disturbed(f, 0.01, draw)
    assert worst_error(f, g, rng=draw) <= certified_error(f, g) <= 3 * worst_error(f, g, rng=draw)


def test_sets_of_inputs():
    assert Inputs.read(None).radius == 1
    assert Inputs.read((0, 2)).bounds(3)[1].tolist() == [2, 2, 2]
    data = np.array([[0.0, 3.0], [1.0, -1.0]])
    assert Inputs.of_data(data).low.tolist() == [0, -1]
    for bad in ((1, 0), ([0, 0], [1, 1, 1]), (0, np.inf)):
        with pytest.raises(ArgumentError):
            Inputs.box(*bad)
    with pytest.raises(ArgumentError, match="3 numbers"):
        Inputs.box([0, 0, 0], 1).bounds(2)


def test_large_biases_do_not_count_as_reach():
    """What both networks do at the middle of the inputs is known; only what lies around it is bounded by norms."""
    draw = rng(8)
    ratios = []
    for size in (0.0, 10.0):
        steps = (
            Linear(draw.uniform(-0.2, 0.2, (40, 10, 1)), Sharing(np.zeros((1, 1), int)), np.full((40, 1), size)), RELU,
            Linear(draw.uniform(-0.1, 0.1, (5, 40, 1)), Sharing(np.zeros((1, 1), int))),
        )  # fmt: skip
        f = Network(steps, (10,))
        g = disturbed(f, 1e-4, draw)
        ratios.append(certified_error(f, g, effort=0) / worst_error(f, g, rng=rng(9)))
    assert ratios[1] < 1.5 < ratios[0]


def test_windows_of_max_pooling():
    pool = MaxPool((5,), (3,), (2,), (1,), (1,))
    assert pool.windows.tolist() == [[0, 1, -1], [1, 2, 3], [3, 4, -1]]


@pytest.mark.parametrize(("widths", "eps"), [((3, 4, 2), 0.3), ((6, 3), 0.01), ((2, 2, 2, 2), 1e-4), ((1, 1), 5.0)])
def test_the_tolerance_of_weights_is_the_largest_that_certifies_eps(widths, eps):
    """All weights wrong by the tolerance, in the worst signs, are certified within eps; by a hair more they are not."""
    target = random_target(widths, -0.5, 0.5, rng=np.random.default_rng(len(widths)))
    found = weight_tolerance(target, eps)

    def bound(delta):
        sizes, layers = norms(target), all_linear(target.steps)
        return carry(target, sizes, [uniform_difference(f, delta) for f in layers], Inputs.ball()).error

    assert bound(found) <= eps < bound(found * (1 + 1e-4))
