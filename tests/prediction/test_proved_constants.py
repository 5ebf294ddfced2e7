"""Constants over a range of eps and delta: against what they must be enough for, and the steps of networks."""

import math

import numpy as np
import pytest

import rssp
from rssp.errors import ArgumentError
from rssp.prediction.closed_form import closed_form_samples, proved_tail
from rssp.prediction.guarantees import guaranteed_samples
from rssp.prediction.proved_constants import _line, proved_constant
from rssp.prediction.restricted import closed_form_failure, failure_curve


@pytest.mark.parametrize(("p", "w", "radius"), [(1.0, 1.0, 1.0), (1.0, 1.0, 0.5), (0.17, 0.5, 1.0), (0.4, 3.0, 2.0)])
@pytest.mark.parametrize("delta", [None, 0.5, 1e-6])
def test_the_line_is_above_the_closed_form_and_near_it(p, w, radius, delta):
    bits = np.linspace(3, 60, 400)
    eps = 2.0**-bits
    slope, start = _line(p, w, radius, delta)
    rest = slope * bits + start - closed_form_samples(eps, eps if delta is None else delta, p, w, radius)
    assert rest.min() >= 0
    assert rest.max() <= 2


@pytest.mark.parametrize(
    ("law", "given"),
    [
        (rssp.Uniform(), {}),
        (rssp.Uniform(), {"radius": 0.5, "delta": 0.5}),
        (rssp.Uniform(), {"finer": 1.0}),
        (rssp.Uniform(), {"added": 1.0, "least_bits": 2.5}),
    ],
)
def test_a_constant_is_enough_everywhere(law, given):
    """At bits between the stops and beyond them, by what is proved at each."""
    least, finer, added = given.get("least_bits", 3.0), given.get("finer", 0.0), given.get("added", 0.0)
    ball, delta = rssp.Ball(1, given.get("radius", 1.0)), given.get("delta")
    found = proved_constant(law, stops=(4, 5.5), **given)
    assert found.value <= proved_constant(law, stops=(), **given).value
    for bits in (least, 3.3, 4.1, 5.4 - finer):
        eps = 2.0 ** -(bits + finer)
        assert guaranteed_samples(law, eps, delta or eps, ball).high <= found.value * (bits + added)
    for bits in np.linspace(5.5 - finer, 70, 200):
        eps = 2.0 ** -(bits + finer)
        assert closed_form_samples(eps, delta or eps, radius=ball.radius) <= found.value * (bits + added)


def test_a_gated_product_and_a_mixture_by_the_closed_form():
    for law, part, given in (
        (rssp.GatedProduct(), {"p": math.log(2) / 4, "w": 0.5}, {"added": 1.0}),
        (rssp.Uniform(), {"p": 0.5, "w": 1.0}, {"density": (1.0, 0.25)}),
    ):
        found = proved_constant(law, stops=(), **given)
        for bits in np.linspace(3, 70, 200):
            least = closed_form_samples(2.0**-bits, 2.0**-bits, **part)
            assert 0.5 * least <= found.value * (bits + given.get("added", 0.0))
    assert found.value > 2 * proved_constant(rssp.Uniform(), stops=()).value


def test_a_law_without_a_density_around_zero_has_no_constant():
    with pytest.raises(ArgumentError, match="one side of 0"):
        proved_constant(rssp.Uniform(0.5, 1.0), stops=())


@pytest.mark.parametrize("bits", [2, 6, 12])
def test_the_tail_of_the_quoted_form_is_above_what_is_proved(bits):
    """2 exp(-(n - C b)^2/(kappa n)), n > C b, against the closed form and the recursion on [-1/2, 1/2]."""
    eps = 2.0**-bits
    C, kappa = proved_tail()
    curve = failure_curve(eps, eps / 2, 0.5, 1e-9)
    for n in range(math.floor(C * bits) + 1, math.floor(C * bits) + 80):
        quoted = 2 * math.exp(-((n - C * bits) ** 2) / (kappa * n))
        assert closed_form_failure(eps, eps / 2, 0.5, n) <= quoted * (1 + 1e-9)
        assert n >= len(curve) or curve[n] <= quoted
    with pytest.raises(ArgumentError, match="p: got 0"):
        proved_tail(0.0)


@pytest.mark.parametrize("depth", [1, 2, 5])
def test_weight_errors_of_a_dense_network_add_up_to_less_than_eps(depth):
    """N1: layers of norm 1, both halves of each weight off by +- e, e = eps/(2 l sqrt(d d')): the worst of 50 tries."""
    rng, width, eps = np.random.default_rng(depth), 6, 0.5
    e = eps / (2 * depth * width)
    worst = 0.0
    for _ in range(50):
        x = rng.standard_normal(width)
        x /= np.linalg.norm(x)
        target = pruned = x
        for layer in range(depth):
            weights = rng.standard_normal((width, width))
            weights /= np.linalg.norm(weights, 2)
            halves = [weights + e * rng.choice([-1, 1], weights.shape) for _ in range(2)]
            target = weights @ target
            pruned = halves[0] @ np.maximum(pruned, 0) - halves[1] @ np.maximum(-pruned, 0)
            if layer < depth - 1:
                target, pruned = np.maximum(target, 0), np.maximum(pruned, 0)
        worst = max(worst, float(np.linalg.norm(target - pruned)))
    assert 0 < worst <= eps
