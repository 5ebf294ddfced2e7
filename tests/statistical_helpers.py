"""Statistical assertions that state their false-alarm rate and refuse to pass where they could not fail.

After TensorFlow Probability's `statistical_testing`: each assertion takes the discrepancy that it must be able to
detect; where the sample is too small to notice that one, nearly always, the assertion itself fails and names the size
needed.
"""

from __future__ import annotations

import numpy as np
from scipy.special import kolmogi
from scipy.stats import binom, kstest

POWER = 0.99
FALSE_ALARM = 1e-9


def _acceptance(trials: int, expected: float, false_alarm: float) -> tuple[int, int]:
    """The counts low..high outside of which fall at most false_alarm of all samples."""
    tail = false_alarm / 2
    return int(binom.ppf(tail, trials, expected)), int(binom.isf(tail, trials, expected))


def _power(trials: int, expected: float, detectable: float, false_alarm: float) -> float:
    """The chance to reject when the truth is expected - detectable or expected + detectable, whichever is harder."""
    low, high = _acceptance(trials, expected, false_alarm)
    powers = [
        binom.cdf(low - 1, trials, p) + binom.sf(high, trials, p)
        for p in (expected - detectable, expected + detectable)
        if 0 <= p <= 1
    ]
    return min(powers, default=0.0)


def trials_needed(expected: float, detectable: float, false_alarm: float = FALSE_ALARM) -> int:
    """A number of trials with which `assert_proportion` detects the discrepancy with probability 0.99."""
    trials = 16
    while _power(trials, expected, detectable, false_alarm) < POWER:
        trials = int(trials * 1.1) + 1
        if trials > 10**10:
            raise ValueError(f"no sample tells {expected} from {expected} +- {detectable}")
    return trials


def assert_proportion(
    successes: int, trials: int, expected: float, *, detectable: float, false_alarm: float = FALSE_ALARM
) -> None:
    """Fail if successes out of trials contradict the expected probability.

    A correct program fails with probability at most `false_alarm`; one whose probability is off by `detectable` (an
    absolute difference) fails with probability at least 0.99. Fails, too, where `trials` are too few for that.
    """
    power = _power(trials, expected, detectable, false_alarm)
    if power < POWER:
        needed = trials_needed(expected, detectable, false_alarm)
        raise AssertionError(
            f"{trials} trials detect {expected} +- {detectable} with probability {power:.3g} < {POWER}: use {needed}"
        )
    low, high = _acceptance(trials, expected, false_alarm)
    if not low <= successes <= high:
        raise AssertionError(
            f"{successes} of {trials} = {successes / trials:.6g}; expected {expected:.6g}, that is {low} to {high}"
        )


def assert_at_least(
    successes: int, trials: int, least: float, *, detectable: float, false_alarm: float = FALSE_ALARM
) -> None:
    """Fail if the probability of success is below `least`: one-sided, for the coverage of intervals."""
    low = int(binom.ppf(false_alarm, trials, least))
    power = binom.cdf(low - 1, trials, least - detectable)
    if power < POWER:
        raise AssertionError(f"{trials} trials detect {least} - {detectable} with probability {power:.3g} < {POWER}")
    if successes < low:
        raise AssertionError(
            f"{successes} of {trials} = {successes / trials:.6g}; expected at least {least} (>= {low})"
        )


def assert_same_law(sample, cdf, *, detectable: float, false_alarm: float = FALSE_ALARM) -> None:
    """Fail if a sample does not follow the continuous law of distribution function `cdf` (Kolmogorov and Smirnov).

    A law whose distribution function is `detectable` away somewhere is noticed with probability at least 0.99; fails,
    too, where the sample is too small for that.
    """
    values = np.sort(np.asarray(sample, dtype=float).ravel())
    size = len(values)
    # noticed when the empirical function at the worst place stays above the critical distance (both asymptotic; 2.33
    # standard errors of at most 1 / (2 sqrt(size)) are left for the scatter there)
    critical = kolmogi(false_alarm) / np.sqrt(size)
    if critical + 2.33 * 0.5 / np.sqrt(size) > detectable:
        needed = int(np.ceil(((kolmogi(false_alarm) + 1.165) / detectable) ** 2))
        raise AssertionError(f"a sample of {size} does not detect a distance of {detectable}: use {needed}")
    result = kstest(values, cdf)
    if result.pvalue < false_alarm:
        raise AssertionError(
            f"distance {result.statistic:.4g} at {result.statistic_location:.4g} (p = {result.pvalue:.2g})"
        )
