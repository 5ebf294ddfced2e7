"""What is proved of each law that ships, in one and two dimensions, against samples of it.

False alarm 1e-9 for each test here, below 1e-7 for all of them: a program that keeps its word fails that often.
"""

import math

import numpy as np
import pytest
import scipy.stats
from statistical_helpers import assert_at_least

import rssp
import rssp.laws
from rssp.errors import ArgumentError
from rssp.montecarlo import CoveredFractions, Experiment, HittingTimes, run
from rssp.prediction.guarantees import guaranteed_failure, guaranteed_miss, guaranteed_samples

EPS, TRIALS, MOST = 0.3, 400, 24
TRIANGLE = scipy.stats.triang(0.5, loc=-1, scale=2)
LAWS = (
    rssp.Uniform(),
    rssp.Uniform(-1, 0.75),
    rssp.Normal(),
    rssp.Normal(0.2, 0.7),
    rssp.Product(),
    rssp.GatedProduct(),
    rssp.Mixture(rssp.Uniform(), 0.25, rssp.Normal()),
    rssp.FromScipy(TRIANGLE),
    rssp.NormallyScaledNormal(),
    rssp.NormallyScaledUniform(),
    rssp.IndependentNormalProduct(),
    rssp.ConvolutionBlocks(1, 2, 1),
    rssp.ConvolutionBlocks(1, 1, 1, sign=-1),
)
PLANE = (
    rssp.Uniform(dim=2),
    rssp.Normal(dim=2),
    rssp.Product(2),
    rssp.GatedProduct(2),
    rssp.Mixture(rssp.Uniform(dim=2), 0.25, rssp.Normal(dim=2)),
    rssp.FromScipy(TRIANGLE, 2),
    rssp.NormallyScaledNormal(2),
    rssp.NormallyScaledUniform(2),
    rssp.IndependentNormalProduct(2),
    rssp.ConvolutionBlocks(1, 2, 2),
    rssp.ConvolutionBlocks(1, 1, 2, sign=1),
)
REFUSED = {rssp.GroupScaledNormal(): "independent", rssp.GroupScaledNormal(2): "independent"}
"""laws of which nothing is proved, with a word of the reason that is given"""
BIASED = (
    rssp.Normal(0.3, 1.0, 2),
    rssp.Uniform(-1.5, 1.0, 2),
    rssp.NormallyScaledNormal(3),
)


@pytest.mark.parametrize("name", [name for name in rssp.laws.__all__ if name != "Law"])
def test_every_law_is_held_to_its_guarantee_or_refused(name):
    """A new law fails here until it stands in both lists above, or in REFUSED with its reason."""
    law = getattr(rssp.laws, name)
    refused = [own for own in REFUSED if type(own) is law]
    for own in refused:
        with pytest.raises(ArgumentError, match=REFUSED[own]):
            guaranteed_samples(own, 0.1, 0.1)
    for dimension, held in ((1, LAWS), (2, PLANE)):
        assert refused or any(type(own) is law and own.dim == dimension for own in held)


@pytest.mark.parametrize("law", LAWS, ids=repr)
def test_samples_fail_no_more_often_than_proved(law):
    """One-sided: a probability to cover that is 0.3 lower would be noticed.

    The n proved may be beyond what can be searched: then fewer numbers are drawn, which cover less often.
    """
    n = int(guaranteed_samples(law, EPS, 0.5).high)
    bound = guaranteed_failure(law, n, EPS).high
    assert bound <= 0.55
    seen = run(Experiment(law, rssp.Ball(1), HittingTimes((EPS,), n_max=min(n, MOST)), seed=11), TRIALS, progress=False)
    covered = int((seen.table["n"] > 0).sum())
    assert_at_least(covered, TRIALS, 1 - bound, detectable=0.3)


@pytest.mark.parametrize("law", [*PLANE, *BIASED], ids=repr)
def test_vectors_fail_no_more_often_than_proved(law):
    """Two and three dimensions, 100 samples: a probability to cover of 0.1 in place of 0.5 would be noticed."""
    eps, ball, trials, most = 0.2, rssp.Ball(law.dim, 0.3), 100, MOST
    n = int(guaranteed_samples(law, eps, 0.5, ball).high)
    assert guaranteed_failure(law, n, eps, ball).high <= 0.55
    seen = run(Experiment(law, ball, HittingTimes((eps,), n_max=min(n, most)), seed=5), trials, progress=False)
    assert_at_least(int((seen.table["n"] > 0).sum()), trials, 0.45, detectable=0.4)


@pytest.mark.parametrize("n", [15, 19, 24])
def test_curve_of_failures_of_uniform_numbers(n):
    """eps = 2^-4, 1,000 samples: at most 6 standard errors above the bound, which says something from n = 18 on."""
    law, eps, trials = rssp.Uniform(), 2.0**-4, 1000
    bound = guaranteed_failure(law, n, eps).high
    seen = run(Experiment(law, rssp.Ball(1), HittingTimes((eps,), n_max=n), seed=2), trials, progress=False)
    failed = 1 - (seen.table["n"] > 0).mean()
    assert failed <= bound + 6 * math.sqrt(0.25 / trials)
    assert np.isfinite(bound)
    assert bound < 1 or n < 18


# ---------------------------------------------------------------- one target in place of all


def _reached(law, n, eps, radius, seed):
    """How many of TRIALS samples have a subset sum within eps of a target of their own, uniform in the cube."""
    rng = np.random.default_rng(seed)
    samples = law.draw_many(TRIALS, n, rng)
    targets = rng.uniform(-radius, radius, (TRIALS, law.dim))
    return int((rssp.nearest_subset(samples, targets).error <= eps).sum())


@pytest.mark.parametrize("law", LAWS, ids=repr)
def test_a_random_target_is_missed_no_more_often_than_proved(law):
    """One-sided, eps = 2^-5: 0.25 less than proved would be noticed. At most 24 numbers are searched."""
    eps, n = 2.0**-5, 8
    while (bound := guaranteed_miss(law, n, eps).high) > 0.3:
        n = round(1.3 * n)
    assert_at_least(_reached(law, min(n, MOST), eps, 1.0, 7), TRIALS, 1 - bound, detectable=0.25)


@pytest.mark.parametrize("law", [*PLANE, *BIASED], ids=repr)
def test_a_random_target_in_space_is_missed_no_more_often_than_proved(law):
    """A chance of 0.7 is proved, of more vectors than are drawn: 0.25 less would be noticed."""
    eps, ball, n = 0.1, rssp.Ball(law.dim, 0.3), 8
    while guaranteed_miss(law, n, eps, ball).high > 0.3:
        n = 2 * n
    assert_at_least(_reached(law, min(n, 20), eps, 0.3, 8), TRIALS, 0.7, detectable=0.25)


@pytest.mark.parametrize("radius", [0.25, 0.5, 1.0, 2.0])
def test_curve_of_misses_of_uniform_numbers(radius):
    """The mean of the uncovered part over 1,000 samples, n = 6 to 20: below the bound, up to 6 standard errors."""
    eps, trials = 2.0**-5, 1000
    seen = run(
        Experiment(rssp.Uniform(), rssp.Ball(1, radius), CoveredFractions(eps, 20), seed=4), trials, progress=False
    )
    missed = 1 - seen.table["v"].to_numpy().reshape(trials, 20)
    for n in (6, 10, 14, 17, 20):
        bound = guaranteed_miss(rssp.Uniform(), n, eps, rssp.Ball(1, radius)).high
        error = max(missed[:, n - 1].std(), 0.01) / math.sqrt(trials)
        assert missed[:, n - 1].mean() <= bound + 6 * error
    assert bound < 0.12  # and it says something
