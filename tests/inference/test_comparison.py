"""What a comparison of forms takes for chance: covariances as they are estimated, and how much chi2 may grow."""

from types import SimpleNamespace

import numpy as np
import pytest
from scipy.stats import chi2, kstest

from rssp.inference.comparison import _as_estimated, _growth_tail

ROOT = np.array([[1.0, 0.0, 0.0], [0.5, 2.0, 0.0], [-1.0, 0.3, 0.7]])
KNOWN = 9.0


def test_drawn_covariances_have_the_mean_and_the_spread_of_estimated_ones():
    """4,000 draws; each entry within 6 standard errors (chance of a false alarm below 1e-7)."""
    rng = np.random.default_rng(0)
    drawn = np.array([_as_estimated(ROOT, KNOWN, rng) for _ in range(4000)])
    true = ROOT @ ROOT.T
    variance = (true**2 + np.outer(np.diag(true), np.diag(true))) / KNOWN  # Wishart
    assert (np.abs(drawn.mean(axis=0) - true) < 6 * np.sqrt(variance / len(drawn))).all()
    np.testing.assert_allclose(drawn.var(axis=0), variance, rtol=0.15)


@pytest.mark.parametrize("added", [1, 2])
def test_the_growth_of_chi2_has_the_chances_it_says(added):
    """Points that a form without parameters predicts truly: 2,000 p-values are uniform (Kolmogorov, 1e-4)."""
    rng, size = np.random.default_rng(1), len(ROOT)
    fit = SimpleNamespace(covariance_dof=KNOWN, dof=size)
    seen = []
    for _ in range(2000):
        y, estimated = ROOT @ rng.standard_normal(size), _as_estimated(ROOT, KNOWN, rng)
        before, after = (float(y[:m] @ np.linalg.solve(estimated[:m, :m], y[:m])) for m in (size - added, size))
        seen.append(_growth_tail(after - before, added, before, fit))
    assert kstest(seen, "uniform").pvalue > 1e-4


def test_with_a_known_covariance_growth_is_a_chi2():
    fit = SimpleNamespace(covariance_dof=np.inf, dof=5)
    assert _growth_tail(3.0, 2, 1.0, fit) == pytest.approx(chi2.sf(3.0, 2))
