"""Dense tickets: what they compute, and their certificates."""

import itertools
import math
import re

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from rssp.balls import Ball
from rssp.errors import ArgumentError, ArgumentTypeError, InfeasibleError
from rssp.laws import Product, Uniform
from rssp.prediction.guarantees import guaranteed_samples
from rssp.tickets import (
    PLAIN,
    SHALLOW,
    THEOREM,
    UnreachedError,
    certified_error,
    prune,
    random_target,
    read_target,
    source_parameters,
    spectral_norm_bound,
    weight_tolerance,
    widths,
)
from rssp.tickets.adversary import worst_input
from rssp.tickets.construction import plans_of
from rssp.tickets.prune import draw_layer
from rssp.tickets.widths import guaranteed_counts, guaranteed_width


def rng(seed=0):
    return np.random.default_rng(seed)


def biased(widths=(5, 4, 3), seed=0, dtype="float32"):
    generator = torch.Generator().manual_seed(seed)
    state = {}
    for i, (a, b) in enumerate(itertools.pairwise(widths)):
        state[f"{2 * i}.weight"] = (torch.rand(b, a, generator=generator) - 0.5).to(getattr(torch, dtype))
        state[f"{2 * i}.bias"] = (torch.rand(b, generator=generator) - 0.5).to(getattr(torch, dtype))
    return read_target(state, activation="relu")


def stack(*matrices):
    return read_target([np.array(m) for m in matrices], activation="relu")


WIDE = PLAIN.but(law=Uniform())


@pytest.fixture(scope="module")
def tickets():
    free, with_bias = random_target((6, 5, 4, 3), -0.5, 0.5, rng=rng(1)), biased()
    return {
        "row": prune(free, 14, 0.02, construction=PLAIN, rng=rng(2)),
        "weight": prune(with_bias, 14, 0.02, construction=PLAIN.but(samples="weight"), rng=rng(3)),
        "smallest": prune(free, 14, 0.02, construction=PLAIN, rng=rng(4), search="smallest"),
        "within": prune(biased(dtype="float64"), 14, 0.02, construction=PLAIN, rng=rng(4), search="within"),
        "theorem": prune(free, 30, 0.05, rng=rng(5)),
        "theorem with biases": prune(with_bias, (28, 30), 0.05, rng=rng(6), search="smallest"),
        "partial": prune(free, 6, 0.05, rng=rng(7), search="nearest", partial=True),
        "shallow": prune(with_bias, 24, 0.3, construction=SHALLOW, rng=rng(8), redraw=3),
    }


NAMES = ("row", "weight", "smallest", "within", "theorem", "theorem with biases", "partial", "shallow")


@pytest.mark.parametrize("name", NAMES)
def test_network_computes_what_the_effective_layers_say(tickets, name):
    ticket = tickets[name]
    x = rng(8).normal(size=(50, ticket.target.inputs))
    np.testing.assert_allclose(ticket(x), ticket.effective(x), rtol=0, atol=1e-11)
    np.testing.assert_allclose(ticket.reference(x), ticket.target(x), rtol=0, atol=1e-11)
    low = ticket.network(torch.tensor(x, dtype=getattr(torch, ticket.target.dtype))).numpy()
    np.testing.assert_allclose(low, ticket(x), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("name", NAMES)
def test_random_weights_are_untouched_and_masks_are_prune_masks(tickets, name):
    ticket = tickets[name]
    for layer, module in zip(ticket.layers, ticket.network.layers.values(), strict=True):
        assert nn.utils.prune.is_pruned(module)
        assert not module.weight_orig.requires_grad
        kept = module.weight_mask.sum() + (module.bias_weight_mask.sum() if module.has_bias else 0)
        assert int(kept) == layer.mask.sum()
        assert np.unique(layer.weights).size > 0.999 * layer.weights.size  # drawn, not fitted
    again = np.random.Generator(getattr(np.random, ticket.states[0]["bit_generator"])())
    again.bit_generator.state = dict(ticket.states[0])
    if not ticket.redrawn:
        for layer in ticket.layers:
            links, weights = draw_layer(layer.plan, ticket.construction.samples, again, ticket.target.dtype)
            np.testing.assert_array_equal(weights, layer.weights)
            np.testing.assert_array_equal(links, layer.links)
    assert 0 < ticket.density < 1
    assert ticket.kept_ratio == pytest.approx(ticket.density * ticket.over_parameterization)


@pytest.mark.parametrize("name", NAMES)
def test_measured_errors_stay_below_the_certificate(tickets, name):
    ticket = tickets[name]
    data = rng(9).uniform(0, 0.1, (20, ticket.target.inputs))
    found = ticket.output_error(data, draws=200, restarts=8, rng=rng(10))
    assert np.linalg.norm(found.witness) <= 1 + 1e-12
    bound = ticket.certified_error * (1 + 1e-9) + 1e-12
    assert max(found.random, found.adversarial, found.data) <= bound
    assert found.adversarial >= found.random * (1 - 1e-12)
    assert np.linalg.norm(ticket.target(found.witness[None]) - ticket(found.witness[None])) == pytest.approx(
        found.adversarial, rel=1e-9, abs=1e-12
    )
    if ticket.construction.error == "output" and name != "partial":
        assert ticket.certified_error <= ticket.eps


def test_each_plain_weight_is_its_nearest_subset_sum():
    f = stack([[0.3, -0.2, 0.05], [0.1, 0.4, -0.45]])
    for samples in ("row", "weight"):
        ticket = prune(f, 8, 1.0, construction=PLAIN.but(samples=samples), rng=rng(11))
        drawn = ticket.layers[0].weights
        subsets = np.array(list(itertools.product((0, 1), repeat=8)))
        best = np.abs(drawn @ subsets.T - f.layers[0].coefficients).min(axis=2)
        np.testing.assert_allclose(ticket.weight_errors[0], best, atol=1e-12)
        assert drawn.shape == (2, 1 if samples == "row" else 3, 8)
        assert drawn.min() >= -0.45
        assert drawn.max() <= 0.4


def test_each_theorem_weight_is_a_subset_sum_of_products():
    f = stack([[0.3, -0.2], [0.1, 0.4]])
    n = 6
    ticket = prune(f, n, 10.0, rng=rng(12), search="nearest", partial=True)
    layer, effective = ticket.layers[0], ticket.effective.layers[0]
    for j, k in itertools.product(range(2), repeat=2):
        both = ((1, effective.coefficients, slice(None, n)), (-1, effective.negative, slice(-n, None)))
        for sign, found, pick in both:
            right = np.flatnonzero(sign * layer.links[k] > 0)[pick]
            products = layer.weights[j, k, right] * layer.links[k, right]
            subsets = np.array(list(itertools.product((0, 1), repeat=len(right))))
            best = np.abs(subsets @ products - f.layers[0].coefficients[j, k, 0]).min()
            assert abs(found[j, k, 0] - f.layers[0].coefficients[j, k, 0]) == pytest.approx(best, abs=1e-12)
    assert ticket.source_parameters == source_parameters(f, n) == 2 * 2 * n * 2 + 2 * 2 * n * 2
    whole, mask = ticket.first_layer(0)
    assert whole.shape == mask.shape == (2 * 2 * n, 2)
    assert mask.sum() == layer.used.sum()
    assert (whole != 0).all()
    np.testing.assert_array_equal(whole.reshape(2, 2 * n, 2)[[0, 1], :, [0, 1]], layer.links)


def test_units_of_a_leaky_activation_share_each_sign_exactly():
    """P = r A + l B and N = l A + r B, with A the sum over rising and B over falling units: both are the weight."""
    net = nn.Sequential(nn.Linear(3, 4), nn.LeakyReLU(0.4), nn.Linear(4, 2))
    ticket = prune(net, 28, 0.1, rng=rng(3))
    first = ticket.effective.layers[0]
    np.testing.assert_allclose(first.coefficients, first.negative, atol=2 * ticket.tolerance)
    x = rng(1).normal(size=(30, 3))
    np.testing.assert_allclose(ticket(x), ticket.effective(x), atol=1e-12)
    tanh = prune(nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2)), 28, 0.1, rng=rng(3))
    assert tanh.layers[0].plan.units == 28  # one slope at zero: no sign to split
    assert tanh.effective.layers[0].negative is None
    remainder = tanh.effective.layers[0].remainder
    assert 0 < remainder.max() < tanh.tolerance


def test_zero_weights_cost_nothing():
    weight = np.random.default_rng(0).uniform(-0.5, 0.5, (6, 8)) * (np.random.default_rng(1).random((6, 8)) < 0.3)
    f = stack(weight)
    for construction in (PLAIN, THEOREM, SHALLOW):
        layer = prune(f, 20, None, tolerance=0.01, construction=construction, rng=rng(2)).layers[0]
        assert not layer.mask[weight == 0].any()
        assert (layer.effective.coefficients[:, :, 0][weight == 0] == 0).all()
        assert layer.mask[weight != 0].any(axis=1).all()


def test_numbers_of_the_published_experiment_follow_from_its_shape():
    f = random_target((7, 5, 2), -0.46423155069351196, 0.5407021641731262, rng=rng(0))
    ticket = prune(f, 21, construction=PLAIN, rng=rng(1), workers=2)
    assert ticket.over_parameterization == 21.0
    assert ticket.kept_ratio == ticket.mean_subset_size
    assert ticket.largest_weight_error < 0.01
    same = prune(f, 21, construction=PLAIN, rng=rng(1), workers=1)
    assert all((a.mask == b.mask).all() for a, b in zip(ticket.layers, same.layers, strict=True))
    assert ticket.summary()["widths"] == "7-5-2"
    assert set(ticket.seconds) == {"draw", "solve", "build"}


def test_published_samples_of_numpys_old_generator_can_be_used():
    """Row by row, as the published code draws them after numpy.random.seed(1)."""
    f = random_target((3, 4), -0.4, 0.5, rng=rng(0))
    bits = np.random.MT19937(0)
    bits.state = np.random.RandomState(1).get_state(legacy=False)
    ticket = prune(f, 21, construction=PLAIN, rng=np.random.Generator(bits), partial=True)
    low, high = f.range
    old = np.random.RandomState(1)
    rows = np.stack([old.uniform(low, high, 21) for _ in range(4)]).astype(np.float32)
    np.testing.assert_array_equal(ticket.layers[0].weights[:, 0], rows)


def test_smaller_searches_keep_fewer_weights_within_eps(tickets):
    free = tickets["row"].target
    nearest = prune(free, 14, 0.02, construction=PLAIN, rng=rng(4))
    assert tickets["smallest"].kept_parameters < nearest.kept_parameters
    assert tickets["smallest"].largest_weight_error <= 0.02
    assert nearest.largest_weight_error <= tickets["smallest"].largest_weight_error


def test_unreached_weights_are_named_and_never_accepted():
    f = stack([[0.1, 0.9], [0.2, 0.3]])
    narrow = PLAIN.but(law=Uniform(-0.1, 0.1))
    with pytest.raises(UnreachedError, match=r"layer1\.weight\[0, 1\] = 0\.9 .*partial=True"):
        prune(f, 3, 1e-3, construction=narrow, rng=rng(0))
    ticket = prune(f, 3, 1e-3, construction=narrow, rng=rng(0), partial=True)
    assert ticket.unreached[0].name == "layer1.weight[0, 1]"
    assert ticket.unreached[0].error >= 0.6
    assert ticket.summary()["unreached weights"] == len(ticket.unreached) > 0
    state = {"0.weight": np.full((2, 1), 0.01), "0.bias": np.array([0.0, 5.0])}
    with pytest.raises(UnreachedError, match=r"0\.bias\[1\]"):
        prune(read_target(state, activation="relu"), 4, 0.05, construction=WIDE, rng=rng(0))


def test_messages_do_not_round_away_their_point():
    f = stack([[0.5]])
    ticket = prune(f, 2, 0.01, construction=PLAIN.but(law=Uniform(0.2549, 0.2551)), rng=rng(0), partial=True)
    gap = ticket.largest_weight_error
    assert 0.0095 < gap < 0.0105
    with pytest.raises(UnreachedError) as raised:
        prune(f, 2, gap * (1 - 1e-6), construction=PLAIN.but(law=Uniform(0.2549, 0.2551)), rng=rng(0))
    within, away = re.search(r"within (\S+): .*nearest sum (\S+) away", str(raised.value)).groups()
    assert float(away) > float(within)


def test_redrawn_units_are_counted_and_reach_more():
    f = random_target((8, 6), -0.5, 0.5, rng=rng(0))
    before = prune(f, 7, 0.02, construction=PLAIN, rng=rng(1), partial=True)
    after = prune(f, 7, 0.02, construction=PLAIN, rng=rng(1), partial=True, redraw=20)
    missed = (before.weight_errors[0] > 0.02).any(axis=1)
    assert 0 < missed.sum() < 6
    assert after.unreached_count < before.unreached_count
    assert after.settings["redrawn"][0][0] == tuple(np.flatnonzero(missed))
    assert after.redrawn == after.summary()["outputs redrawn"] == sum(map(len, after.settings["redrawn"][0]))
    np.testing.assert_array_equal(before.layers[0].mask[~missed], after.layers[0].mask[~missed])


@pytest.mark.parametrize("construction", [WIDE, THEOREM, SHALLOW])
def test_the_covering_law_chooses_n(construction):
    """Without n all weights are reached with probability 1 - delta = 0.8.

    Of 40 tickets fewer than 24 complete ones have probability 1e-3 at 0.8 (binomial, 6e-4 to be exact per case).
    """
    f = random_target((5, 4, 3), -0.5, 0.5, rng=rng(0))
    complete = 0
    for seed in range(40):
        ticket = prune(f, None, 0.1, tolerance=0.003, delta=0.2, construction=construction, rng=rng(seed), partial=True)
        complete += ticket.unreached_count == 0
    assert complete >= 24


def test_theorem_refuses_weights_beyond_one_by_name():
    with pytest.raises(
        ArgumentError, match=r"layer2\.weight\[0, 1\] = -1\.5; allowed: weights and biases in \[-1, 1\]"
    ):
        prune(stack(np.eye(2), [[0.1, -1.5]]), 5, 0.1, rng=rng(0))


def test_tickets_and_their_parts_print_in_three_lines(tickets):
    for ticket in tickets.values():
        found = ticket.output_error(draws=5, restarts=2, rng=rng(0))
        parts = [ticket, found, ticket.target, ticket.effective, ticket.construction, *ticket.target.layers]
        for part in parts:
            assert len(repr(part).splitlines()) <= 3
            assert len(repr(part)) < 400


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
        ({"construction": "plain"}, ArgumentTypeError, "a Construction"),
        ({"redraw": -1}, ArgumentError, "redraw"),
        ({"tolerance": 0.0}, ArgumentError, "tolerance"),
        ({"n": None, "delta": 0.0}, ArgumentError, "delta"),
        ({"search": "best"}, ArgumentError, "search"),
        ({"n": None, "eps": 1e-15}, InfeasibleError, "reaching 2 weights"),
        ({"eps": None}, ArgumentError, "tolerance"),
        ({"rng": 3}, ArgumentTypeError, "rng"),
    ],
)
def test_bad_arguments_are_explained(arguments, error, match):
    f = stack([[0.1, 0.2]])
    with pytest.raises(error, match=match):
        prune(f, **{"rng": rng(0), "n": 21, "construction": PLAIN} | arguments)
    if "construction" not in arguments:
        with pytest.raises(error):
            prune(f, **{"rng": rng(0), "n": 5, "eps": 0.1} | arguments)


def test_errors_that_single_precision_cannot_carry_are_refused():
    f = random_target((3, 2), -0.5, 0.5, rng=rng(0))
    with pytest.raises(ArgumentError, match=r"eps: got .* in float32.*module\.double\(\)"):
        prune(f, 40, 1e-9, construction=PLAIN, rng=rng(0))
    double = random_target((3, 2), -0.5, 0.5, rng=rng(0), dtype="float64")
    assert prune(double, 44, 1e-9, construction=PLAIN, rng=rng(0)).largest_weight_error <= 1e-9


def test_wrong_choices_of_a_construction_are_explained():
    for changes, match in (
        ({"samples": "column"}, "samples"),
        ({"depth": "3l"}, "depth"),
        ({"law": Uniform(dim=2)}, "law"),
    ):
        with pytest.raises((ArgumentError, ArgumentTypeError), match=match):
            PLAIN.but(**changes)
    with pytest.raises(ArgumentError, match="samples"):
        THEOREM.but(samples="row")
    with pytest.raises(ArgumentError, match="all weights are equal"):
        prune(stack(np.full((2, 2), 0.5)), 8, 0.1, construction=PLAIN, rng=rng(0))


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
    ticket = prune(f, 3, 0.1, rng=draw, search="nearest", partial=True)
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
    ticket = prune(f, 24, delta, construction=WIDE, rng=rng(1), search="within")
    assert ticket.largest_weight_error <= delta
    assert ticket.certified_error <= 0.02
    assert 0.001 < delta * np.sqrt(48) / 0.02 < 1


def test_theorem_tickets_are_accepted_by_their_certificate():
    f = random_target((6, 5, 3), -0.5, 0.5, rng=rng(1))
    outcomes = set()
    for seed in range(12):
        try:
            ticket = prune(f, 15, 0.05, rng=rng(seed))
        except UnreachedError as error:
            assert "have no subset sum within" in str(error)  # noqa: PT017
            ticket = prune(f, 15, 0.05, rng=rng(seed), partial=True)
            assert ticket.unreached
            assert ticket.certified_error > 0.05
            outcomes.add("refused")
        else:
            assert ticket.certified_error <= 0.05
            outcomes.add("accepted, some named" if ticket.unreached else "accepted")
    assert {"refused", "accepted"} <= outcomes


# samples that are proved to be enough


def test_a_ticket_of_the_guaranteed_size_reaches_every_weight():
    target = read_target([np.array([[0.5, -0.25], [0.75, 0.1]])])
    wide = PLAIN.but(law=Uniform(), search="within")
    ticket = prune(target, "guaranteed", 0.2, delta=0.3, construction=wide, rng=np.random.default_rng(0))
    assert ticket.unreached_count == 0
    assert ticket.n == (int(guaranteed_samples(Uniform(), 0.2 * 63 / 64, 0.15, Ball(1, 0.75)).high),)


def test_guaranteed_sizes_of_links_hold_what_the_cap_takes(monkeypatch):
    """Products of two uniform numbers, of 2 n the first n with the right sign: both ways to fail, delta/2 each."""
    monkeypatch.setattr(widths, "SEARCHED", 1000)  # what is searched is fewer
    target = read_target([np.array([[0.5, -0.25]])], activation="relu")
    plans = plans_of(target, THEOREM, (30,), 0.45, 1.0)
    (n,) = guaranteed_counts(plans, THEOREM, 0.45, 0.9, "float64")
    share = 0.9 / (2 * 2 if plans[0].signed else 2)
    needed = int(guaranteed_samples(Product(), 0.45 * 63 / 64, share / 2, Ball(1, 0.5)).high)
    short = sum(math.comb(2 * n, j) for j in range(needed)) / 2 ** (2 * n)
    assert short <= share / 2 < sum(math.comb(2 * n - 2, j) for j in range(needed)) / 2 ** (2 * n - 2) or n == needed


@pytest.mark.parametrize(
    ("n", "eps", "construction", "words", "error"),
    [
        ("guarantee", 0.2, PLAIN.but(law=Uniform()), "guaranteed", ArgumentError),
        ("guaranteed", 0.2, SHALLOW, "depth 'l'", ArgumentError),
        ("guaranteed", 1e-4, THEOREM, "56", InfeasibleError),
    ],
)
def test_what_is_not_guaranteed_is_named(n, eps, construction, words, error):
    target = read_target([np.array([[0.5, -0.25]]), np.array([[0.5]])], activation="relu")
    with pytest.raises(error, match=words):
        prune(target, n, eps, construction=construction, rng=np.random.default_rng(0))


def test_width_of_a_network_spreads_the_failure_over_the_sets_of_its_construction():
    target = read_target([np.array([[0.5, -0.25, 0.0], [0.75, 0.1, -0.3]]), np.array([[-0.5, 0.6]])], activation="relu")
    rows = guaranteed_width(target, 0.2, 0.3, WIDE)
    assert [(x.weights, x.sets) for x in rows] == [(5, 2), (2, 1)]
    assert all(x.delta == pytest.approx(0.1) and x.eps == 0.2 for x in rows)
    assert rows[0].n == int(guaranteed_samples(Uniform(), 0.2 * 63 / 64, rows[0].delta, Ball(1, 0.75)).high)
    links = guaranteed_width(target, None, 0.3, tolerance=0.4)
    assert [x.sets for x in links] == [2 * 5, 2]  # inputs have both signs, hidden units one
    assert links[0].n > rows[0].n
    certified = guaranteed_width(target, 0.9, 0.3)
    assert certified[0].eps == weight_tolerance(target, 0.9) < 0.9


def test_nearly_the_same_range_asks_the_same_question():
    """0.5625 to four binary digits; never a smaller range."""
    n = [guaranteed_width(read_target([np.array([[w]])]), 0.3, 0.3, WIDE)[0].n for w in (0.51, 0.5625)]
    assert n[0] == n[1] == int(guaranteed_samples(Uniform(), 0.3 * 63 / 64, 0.3, Ball(1, 0.5625)).high)


def test_bad_input_of_a_width_is_named():
    target = read_target([np.array([[0.5, -0.25]])], activation="relu")
    for call, words in (
        ({"eps": None}, "None without a tolerance"),
        ({"delta": 0.0}, "between 0 and 1"),
        ({"eps": 0.0}, "> 0"),
        ({"construction": SHALLOW}, "depth 'l'"),
        ({"target": read_target([np.array([[2.0]])], activation="relu")}, "normalised"),
    ):
        with pytest.raises(ArgumentError, match=re.escape(words)):
            guaranteed_width(**{"target": target, "eps": 0.2, "delta": 0.1} | call)
    with pytest.raises(ArgumentTypeError, match="construction"):
        guaranteed_width(target, 0.2, 0.1, "plain")
