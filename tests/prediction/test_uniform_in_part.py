"""Laws that are uniform in part: a second program, in fractions and without any of the package's, beside it."""

import math
from fractions import Fraction
from itertools import pairwise

import pytest
import scipy.stats

import rssp
from rssp.prediction.guarantees import guaranteed_failure
from rssp.prediction.uniform_numbers import uniform_failure

F = Fraction
STEPS = 24


def _curve(eps, most):
    """Bounds on P(some target of [-1/2, 1/2] is missed by N uniform numbers), N = 0 ... most: G1 to G3, coarsely.

    eps_1 = eps_2 = eps/2; equal steps in v; each value is the largest chord over the window, rounded up to 1e-9.
    """
    start, end = eps, 1 - eps / 2
    v = [start + (end - start) * i / STEPS for i in range(STEPS + 1)]
    h, found = [F(1)] * STEPS + [F(0)], [F(1)]
    for _ in range(most):
        new = [F(0)] * (STEPS + 1)
        for j in range(STEPS - 1, -1, -1):
            mean, limit = v[j] + v[j] * (1 - v[j]) / 2, min(2 * v[j + 1], F(1))
            points = [(v[j], h[j])]
            points += [(min(b, limit), value) for (a, b), value in zip(pairwise([*v, F(1)]), h, strict=True)
                       if v[j] <= a <= limit]  # fmt: skip
            left, right = ([p for p in points if p[0] <= mean], [p for p in points if p[0] >= mean])
            best = max(
                max(f, g) if a == b else (f * (b - mean) + g * (mean - a)) / (b - a) for a, f in left for b, g in right
            )
            new[j] = max(new[j + 1], F(math.ceil(min(best, h[j]) * 10**9), 10**9))
        h = new
        found.append(h[0])
    return found


def _thinned(n, share, curve):
    return sum(math.comb(n, k) * share**k * (1 - share) ** (n - k) * curve[k] for k in range(n + 1))


EPS = F(1, 4)
CURVE = _curve(EPS, 40)
CASES = [
    (rssp.Uniform(), None, F(1)),
    (rssp.Uniform(), (1.0, 0.25), F(1, 2)),
    (rssp.Mixture(rssp.Uniform(), 0.25, rssp.Uniform(-2, 2)), (1.0, 0.3125), F(5, 8)),
    (rssp.Mixture(rssp.Uniform(), 0.75, rssp.FromScipy(scipy.stats.poisson(3))), None, F(3, 4)),
    (rssp.FromScipy(scipy.stats.triang(0.5, loc=-2, scale=4)), (1.0, 0.25), F(1, 2)),
    (rssp.FromScipy(scipy.stats.arcsine(-1, 2)), (1.0, 0.3125), F(5, 8)),
]


@pytest.mark.parametrize(("law", "density", "share"), CASES, ids=repr)
def test_a_law_uniform_in_part_is_bounded_by_the_binomial_sum_in_fractions(law, density, share):
    """Five steps in N are above the sum over all N, and at most twice it where it says much; so is a coarse program."""
    ours = [F(uniform_failure(k, 0.25, 0.5).failure) for k in range(len(CURVE))]
    assert all(own <= other for own, other in zip(ours, CURVE, strict=True))
    for n in (4, 8, 14, 24, 40):
        bound = guaranteed_failure(law, n, 0.25, rssp.Ball(1, 0.5), density=density).high
        exact = float(_thinned(n, share, ours))
        assert exact * (1 - 1e-9) <= bound <= 2 * exact
        assert exact <= float(_thinned(n, share, CURVE))
    assert bound < 0.05
