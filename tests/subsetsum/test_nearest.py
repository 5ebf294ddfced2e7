"""Nearest subsets against brute force: all subsets in the order of their masks, the first with the least error."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rssp.errors import ArgumentError, ArgumentTypeError, InfeasibleError
from rssp.subsetsum.nearest.verbs import hits, nearest_subset


def brute(x, z, size=None, tolerance=None, smallest=False, norm=np.inf):
    """(mask, error) in ten lines: x (n, d), z (d,)."""
    n = len(x)
    if tolerance is not None and not smallest:
        for m in [*range(max(8, size or 0), n, 3), n]:
            found = brute(x[:m], z, size, norm=norm)
            if found[1] <= tolerance:
                break
        return np.pad(found[0], (0, n - len(found[0]))), found[1]
    masks = (np.arange(2**n)[:, None] >> np.arange(n)) & 1
    error, sizes = np.linalg.norm(masks @ x - z, ord=norm, axis=1), masks.sum(axis=1)
    wanted = np.ones(2**n, bool) if size is None else sizes == size
    if smallest and (error <= tolerance).any():
        wanted = sizes == sizes[error <= tolerance].min()
    best = int(np.argmin(np.where(wanted, error, np.inf)))
    return masks[best] == 1, error[best]


@st.composite
def instances(draw):
    """Multiples of 2**-10 (float64 sums are then exact too); small numbers give ties, duplicates and zeros."""
    dim = draw(st.sampled_from([1, 1, 2, 3, 9]))
    groups, many, n = draw(st.integers(1, 2)), draw(st.integers(1, 4)), draw(st.integers(1, 11))
    scale = draw(st.sampled_from([1, 3, 30, 1024]))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    x = rng.integers(-scale, scale + 1, (groups, n, dim)) / 1024
    far = draw(st.sampled_from([1, 1, 1, 20]))
    z = far * rng.integers(-2 * scale - 1, 2 * scale + 2, (groups, many, dim)) / 1024
    options = {}
    kind = draw(st.sampled_from(["nearest", "size", "within", "size within", "smallest"]))
    if "size" in kind:
        options["size"] = draw(st.integers(0, n))
    if "within" in kind or kind == "smallest":
        options["tolerance"] = scale / 1024 * draw(st.sampled_from([1e-4, 0.1, 0.5]))
    if kind == "smallest":
        options["smallest"] = True
    return x, z, options


@settings(max_examples=150, deadline=None, derandomize=True)
@given(instances())
def test_equals_brute_force(instance):
    x, z, options = instance
    found = nearest_subset(x, z, **options)
    assert found.rounding == 0.0
    for g in range(z.shape[0]):
        for t in range(z.shape[1]):
            mask, error = brute(x[g], z[g, t], **options)
            assert found.mask[g, t].tolist() == mask.tolist()
            assert found.error[g, t] == error
            assert found.solved[g, t] == (error <= options.get("tolerance", np.inf))
            assert (found.sum[g, t] == x[g][mask].sum(axis=0)).all()


OPTIONS = [{}, {"size": 4}, {"tolerance": 0.1}, {"tolerance": 0.1, "size": 3}, {"tolerance": 0.1, "smallest": True}]


@pytest.mark.parametrize("dim", [1, 2, 3, 9])
@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_hundreds_of_samples_in_one_batch(dim, options):
    """Own samples, half of them of few values: ties, duplicates, zeros; a tenth of the targets out of reach."""
    rng = np.random.default_rng(dim)
    scale = np.where(np.arange(200) % 2, 4, 1024)[:, None, None]
    x = np.floor(rng.uniform(-1, 1, (200, 9, dim)) * scale) / scale
    z = np.floor(rng.uniform(-2, 2, (200, dim)) * scale[:, 0]) / scale[:, 0]
    z[::10] *= 30
    found = nearest_subset(x, z, **options)
    for i in range(200):
        mask, error = brute(x[i], z[i], **options)
        assert (found.mask[i] == mask).all()
        assert found.error[i] == error


@settings(max_examples=60, deadline=None, derandomize=True)
@given(instances())
def test_two_norm_equals_brute_force(instance):
    x, z, options = instance
    found = nearest_subset(x, z, error_norm=2, **options)
    for g in range(z.shape[0]):
        for t in range(z.shape[1]):
            _, error = brute(x[g], z[g, t], norm=2, **options)
            assert found.error[g, t] == pytest.approx(error, rel=1e-12, abs=1e-12)


@settings(max_examples=100, deadline=None, derandomize=True)
@given(instances(), st.sampled_from([1, 30, 400]), st.sampled_from([2, np.inf]))
def test_hits_equal_brute_force(instance, units, norm):
    x, z, options = instance
    eps = units / 1024 + 1e-9  # between two possible errors of the 2-norm too, whose rounding then does not matter
    size = options.get("size")
    found = hits(x, z, eps, size=size, error_norm=norm)
    masks = (np.arange(2 ** x.shape[1])[:, None] >> np.arange(x.shape[1])) & 1
    wanted = slice(None) if size is None else masks.sum(axis=1) == size
    for g in range(z.shape[0]):
        error = np.linalg.norm((masks[wanted] @ x[g])[:, None] - z[g], ord=norm, axis=2)
        assert found[g].tolist() == (error <= eps).sum(axis=0).tolist()


@pytest.mark.parametrize("half", [2, 3])
def test_halves_kept_short_leave_a_rest(monkeypatch, half):
    """The way beyond n = 48, at a size that brute force can follow."""
    monkeypatch.setattr("rssp.subsetsum.nearest.verbs.MAX_HALF", half)
    rng = np.random.default_rng(half)
    for options in OPTIONS:
        x = rng.integers(-20, 21, (40, 9, 1)) / 64
        z = rng.integers(-40, 41, (40, 2, 1)) / 64
        found = nearest_subset(x, z, **options)
        count = hits(x, z, 0.05, size=options.get("size"), workers=2)
        for g, t in np.ndindex(40, 2):
            mask, error = brute(x[g], z[g, t], **options)
            assert (found.mask[g, t] == mask).all()
            assert found.error[g, t] == error
            masks = (np.arange(2**9)[:, None] >> np.arange(9)) & 1
            near = np.abs(masks @ x[g, :, 0] - z[g, t]) <= 0.05
            wanted = masks.sum(axis=1) == options["size"] if "size" in options else True
            assert count[g, t] == (near & wanted).sum()


@pytest.mark.parametrize("n", [24, 25, 27])
def test_one_target_and_many_agree_at_larger_n(n):
    rng = np.random.default_rng(n)
    x, z = rng.uniform(-1, 1, n), rng.uniform(-1, 1, 5)
    shared = nearest_subset(x, z)
    own = nearest_subset(np.broadcast_to(x[:, None], (5, n, 1)), z, workers=2)
    assert (shared.mask == own.mask).all()
    assert (shared.error == own.error).all()
    assert shared.error.max() < 1e-5


@pytest.mark.parametrize("dim", [1, 2])
@pytest.mark.parametrize("workers", [1, 3])
def test_no_targets_give_empty_results(dim, workers):
    for sample, targets in ((np.ones((3, dim)), np.zeros((0, dim))), (np.ones((0, 3, dim)), np.zeros((0, dim)))):
        found = nearest_subset(sample, targets, workers=workers)
        assert found.mask.shape == (0, 3)
        assert found.sum.shape == (0, dim)
        assert found.size.shape == found.error.shape == found.solved.shape == (0,)
        assert hits(sample, targets, 0.1, workers=workers).shape == (0,)


@pytest.mark.parametrize("dim", [1, 3])
def test_results_do_not_depend_on_workers(dim):
    rng = np.random.default_rng(dim)
    x, z = rng.uniform(-1, 1, (30, 12, dim)), rng.uniform(-1, 1, (30, dim))
    for sample, options in ((x, {}), (x, {"tolerance": 0.1, "smallest": True}), (x[0], {}), (x[0], {"size": 5})):
        one, three = (nearest_subset(sample, z, workers=w, **options) for w in (1, 3))
        assert (one.mask == three.mask).all()
    assert (hits(x[0], z, 0.3) == hits(x[0], z, 0.3, workers=3)).all()


def test_a_tolerance_far_above_the_optimum_takes_few_samples():
    rng = np.random.default_rng(7)
    x, z = rng.uniform(-1, 1, 56), rng.uniform(-1, 1, 50)
    found = nearest_subset(x, z, tolerance=1e-3)
    assert found.solved.all()
    assert not found.mask[:, 23:].any()


def test_ties_at_many_samples_take_the_smallest_mask():
    x = np.tile([0.5, 0.25, -0.5, 0.125], 6)  # 24 numbers of three values: thousands of subsets reach each target
    found = nearest_subset(x, [0.875, 0.1, -0.3])
    for i in range(3):  # the same from the first 12, which are enough for the smallest mask
        assert (found.mask[i, :12] == brute(x[:12, None], [[0.875], [0.1], [-0.3]][i])[0]).all()
        assert not found.mask[i, 12:].any()


@pytest.mark.parametrize("embed", [[1.0, 0.0], [1.0, 1.0], [0.0, 1.0, -0.5]], ids=str)
@pytest.mark.parametrize("kind", ["plain", "lattice", "far", "one-sided"])
def test_a_line_in_space_gives_what_the_line_gives(embed, kind):
    """Also for what the grid leaves to the tree: targets far outside, and samples with many equal sums."""
    rng = np.random.default_rng(11)
    x, z = rng.uniform(-1, 1, 24), rng.uniform(-1, 1, 2)
    if kind == "lattice":
        x, z = np.floor(16 * x) / 16, np.floor(64 * z) / 64
    if kind == "far":
        z = 50 * z
    if kind == "one-sided":
        x = np.abs(x)
    line = nearest_subset(x, z)
    space = nearest_subset(x[:, None] * embed, z[:, None] * embed)
    assert space.error == pytest.approx(line.error, abs=1e-15)
    assert (space.mask == line.mask).all()


@pytest.mark.parametrize(
    ("sample", "targets", "options", "error", "word"),
    [
        ([], [0.0], {}, ArgumentError, "sample"),
        ([0.1, float("nan")], [0.0], {}, ArgumentError, "sample"),
        ([0.1], [float("inf")], {}, ArgumentError, "targets"),
        (["a"], [0.0], {}, ArgumentTypeError, "sample"),
        ([0.1], [[0.0, 1.0]], {}, ArgumentError, "targets"),
        (np.zeros((2, 3, 2)), np.zeros((3, 2)), {}, ArgumentError, "targets"),
        ([0.1], [0.0], {"size": 2}, ArgumentError, "size"),
        ([0.1], [0.0], {"size": 0.5}, ArgumentTypeError, "size"),
        ([0.1], [0.0], {"tolerance": 0.0}, ArgumentError, "tolerance"),
        ([0.1], [0.0], {"tolerance": -1}, ArgumentError, "tolerance"),
        ([0.1], [0.0], {"smallest": True}, ArgumentError, "smallest"),
        ([0.1], [0.0], {"smallest": True, "tolerance": 0.1, "size": 1}, ArgumentError, "smallest"),
        ([0.1], [0.0], {"error_norm": 3}, ArgumentError, "error_norm"),
        ([0.1], [0.0], {"workers": 0}, ArgumentError, "workers"),
        (np.ones(57), [0.0], {}, InfeasibleError, "n = 56"),
        (np.ones((45, 2)), np.zeros((1, 2)), {}, InfeasibleError, "n = 44"),
    ],
)
def test_bad_input_is_named(sample, targets, options, error, word):
    with pytest.raises(error, match=word):
        nearest_subset(sample, targets, **options)
