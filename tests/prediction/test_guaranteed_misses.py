"""One random target in place of all: bounds against every sample of tiny groups, in fractions and in limits."""

import itertools
import math
from fractions import Fraction

import pytest
import scipy.stats

import rssp
from rssp.errors import ArgumentError, ArgumentTypeError
from rssp.prediction.guarantees import guaranteed_failure, guaranteed_miss
from rssp.prediction.restricted import closed_form_failure, lattice_failure, lattice_mean_uncovered, mean_uncovered

# ---------------------------------------------------------------- all samples of tiny groups


def _residues(p):
    return list(range(p)), lambda a, b: (a + b) % p


def _bits(m):
    return list(range(2**m)), lambda a, b: a ^ b


GROUPS = {
    "Z_2": (_residues(2), 7), "Z_3": (_residues(3), 6), "Z_5": (_residues(5), 5), "Z_7": (_residues(7), 4),
    "Z_11": (_residues(11), 4), "Z_13": (_residues(13), 3), "F_2": (_bits(1), 7), "F_2^2": (_bits(2), 6),
    "F_2^3": (_bits(3), 4), "F_2^4": (_bits(4), 3),
}  # fmt: skip


def _uncovered(elements, add, k, weights):
    """P(j elements are no subset sum of k), j = 0 ..., over all samples; weights[x] is the probability of x."""
    truth = [Fraction(0)] * len(elements)
    for sample in itertools.product(elements, repeat=k):
        sums = {0}
        for x in sample:
            sums |= {add(s, x) for s in sums}
        truth[len(elements) - len(sums)] += math.prod(weights[x] for x in sample)
    assert sum(truth) == 1
    return truth


def _hold(truth, size, k, c):
    for goal in range(1, size):
        assert sum(truth[goal:]) <= Fraction(lattice_failure(size, 1, goal, k, c)) + Fraction(1, 10**15)
    mean = sum((Fraction(j, size) * p for j, p in enumerate(truth)), Fraction(0))
    bound = lattice_mean_uncovered(size, 1, k, c)
    assert mean <= Fraction(bound) + Fraction(1, 10**15)
    return float(mean), bound


@pytest.mark.parametrize("name", GROUPS)
def test_over_all_samples_of_a_group_both_bounds_are_above_the_truth(name):
    (elements, add), most = GROUPS[name]
    uniform = [Fraction(1, len(elements))] * len(elements)
    for k in range(most + 1):
        mean, bound = _hold(_uncovered(elements, add, k, uniform), len(elements), k, 1.0)
        if k <= 1:
            assert bound == pytest.approx(mean)  # one number: no worse law of growth than the true one


@pytest.mark.parametrize("share", [Fraction(1, 4), Fraction(2, 3)])
@pytest.mark.parametrize(("name", "other"), [("Z_3", 1), ("Z_5", 2), ("Z_7", 0), ("F_2^2", 3), ("F_2^3", 0)])
def test_over_all_samples_of_a_law_that_is_uniform_in_part(name, other, share):
    """Uniform with probability `share`, else one element: growth c = share at least, and the rest is a gift or none."""
    (elements, add), most = GROUPS[name]
    weights = [share / len(elements)] * len(elements)
    weights[other] += 1 - share
    for k in range(most):
        _hold(_uncovered(elements, add, k, weights), len(elements), k, float(share))


def test_without_a_number_all_but_the_empty_sum_is_missed_and_with_many_nothing():
    assert lattice_mean_uncovered(7, 1, 0) == pytest.approx(6 / 7)
    assert lattice_mean_uncovered(7, 1, 80) < 1e-6
    assert lattice_mean_uncovered(7, 7, 0) == 0


# ---------------------------------------------------------------- the recursion and the public call


@pytest.mark.parametrize(("start", "c"), [(2.0**-4, 0.5), (2.0**-8, 1.0), (0.3, 0.1)])
def test_the_mean_lies_between_what_one_step_gives_and_the_closed_form(start, c):
    assert mean_uncovered(start, 0, c) == 1 - start
    exact = (1 - start) * (1 - c * start)  # the first step is linear in v
    assert exact <= mean_uncovered(start, 1, c) <= exact * 1.01
    values = [mean_uncovered(start, k, c) for k in range(0, 60, 4)]
    assert values == sorted(values, reverse=True)
    for k, value in zip(range(0, 60, 4), values, strict=True):
        assert value <= min(1.0, closed_form_failure(start, 0.5, c, k)) * 1.02 + 2e-12  # the least that is told
    assert mean_uncovered(1.0, 0, c) == 0


def test_very_many_steps_and_very_small_starts_are_served_by_the_closed_form():
    assert mean_uncovered(1e-310, 10, 0.5) == 1.0
    assert mean_uncovered(0.01, 5000, 1e-3) <= 99 * math.exp(-2.5) * 1.01
    assert mean_uncovered(0.01, 10**6, 0.5) < 1e-11


def test_one_target_is_missed_less_often_than_some_target():
    for law, n in ((rssp.Uniform(), 20), (rssp.Mixture(rssp.Uniform(), 0.25, rssp.Normal()), 70)):
        one, some = guaranteed_miss(law, n, 2.0**-5), guaranteed_failure(law, n, 2.0**-5)
        assert 0 < one.high < some.high < 1
        assert one.evidence == "computed"
        assert one.quantity == "P(miss)"


def test_counting_is_below_and_the_empty_sum_alone_is_exact():
    nothing = guaranteed_miss(rssp.Uniform(), 0, 0.25)
    assert nothing.low == pytest.approx(0.75)  # the empty sum serves [-1/4, 1/4]
    inside = guaranteed_miss(rssp.Uniform(), 0, 0.125, rssp.Ball(1, 0.5))
    assert inside.low == pytest.approx(0.75)
    assert inside.high == pytest.approx(0.75)
    assert guaranteed_miss(rssp.Uniform(), 40, 0.25).low == 0


def test_a_ball_that_is_no_cube_counts_all_that_its_cube_misses():
    law = rssp.Uniform(dim=2)
    cube = guaranteed_miss(law, 60, 0.1, rssp.Ball(2, 0.3)).high
    disc = guaranteed_miss(law, 60, 0.1, rssp.Ball(2, 0.3, 2.0)).high
    assert disc == pytest.approx(cube * 4 / math.pi, rel=1e-6)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        ({"n": -1}, "n: got -1"),
        ({"n": 10**6 + 1}, "0 to 1000000"),
        ({"eps": 1.0}, "the ball's radius"),
        ({"law": rssp.FromScipy(scipy.stats.poisson(3))}, "lattice_failure"),
        ({"law": rssp.Uniform(0.5, 1)}, "0 on one side of 0"),
        ({"law": rssp.GroupScaledNormal()}, "independent"),
        ({"law": rssp.Product(2)}, "smaller radius"),
    ],
)
def test_bad_input_is_named(call, words):
    with pytest.raises(ArgumentError, match=words):
        guaranteed_miss(**{"law": rssp.Uniform(), "n": 10, "eps": 0.1} | call)


def test_a_law_by_name_is_refused():
    with pytest.raises(ArgumentTypeError, match="law"):
        guaranteed_miss("uniform", 10, 0.1)
