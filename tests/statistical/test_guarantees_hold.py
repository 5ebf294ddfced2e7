"""What is proved of each law that ships, against samples of it."""

import math

import numpy as np
import pytest
import scipy.stats
from statistical_helpers import assert_at_least

import rssp
from rssp.montecarlo import Experiment, HittingTimes, run
from rssp.prediction.guarantees import guaranteed_failure, guaranteed_samples

EPS, TRIALS, MOST = 0.3, 400, 24
LAWS = (
    rssp.Uniform(),
    rssp.Uniform(-1, 0.75),
    rssp.Normal(),
    rssp.Normal(0.2, 0.7),
    rssp.Product(),
    rssp.GatedProduct(),
    rssp.Mixture(rssp.Uniform(), 0.25, rssp.Normal()),
    rssp.FromScipy(scipy.stats.triang(0.5, loc=-1, scale=2)),
    rssp.NormallyScaledNormal(),
    rssp.NormallyScaledUniform(),
    rssp.IndependentNormalProduct(),
)


@pytest.mark.parametrize("law", LAWS, ids=repr)
def test_samples_fail_no_more_often_than_proved(law):
    """One-sided, false alarm 1e-9 each: a probability to cover that is 0.3 lower would be noticed.

    The n proved may be beyond what can be searched: then fewer numbers are drawn, which cover less often.
    """
    n = int(guaranteed_samples(law, EPS, 0.5).high)
    bound = guaranteed_failure(law, n, EPS).high
    assert bound <= 0.55
    seen = run(Experiment(law, rssp.Ball(1), HittingTimes((EPS,), n_max=min(n, MOST)), seed=11), TRIALS, progress=False)
    covered = int((seen.table["n"] > 0).sum())
    assert_at_least(covered, TRIALS, 1 - bound, detectable=0.3)


@pytest.mark.parametrize(
    "law", [rssp.Normal(dim=2), rssp.NormallyScaledNormal(dim=2), rssp.NormallyScaledUniform(dim=2)], ids=repr
)
def test_vectors_fail_no_more_often_than_proved(law):
    """Two dimensions, 100 samples: a probability to cover of 0.1 in place of 0.5 would be noticed."""
    eps, ball, trials = 0.5, rssp.Ball(2, 0.6), 100
    assert guaranteed_samples(law, eps, 0.5, ball).high > 8
    seen = run(Experiment(law, ball, HittingTimes((eps,), n_max=8), seed=5), trials, progress=False)
    assert_at_least(int((seen.table["n"] > 0).sum()), trials, 0.5, detectable=0.4)


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
