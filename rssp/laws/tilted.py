"""One-sided draws: the law tilted towards samples with few or small numbers of one sign.

A sample whose positive numbers add up to less than 1 cannot reach the target 1, whatever n is; for large n this is how
coverage fails. Such samples are rare under the law and common under its exponential tilt, so failures are drawn from
the tilt and counted by their likelihood ratio.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_ndtr, logsumexp, ndtri_exp

from rssp._checks import number
from rssp._describe import register
from rssp.errors import ArgumentError, ArgumentTypeError
from rssp.laws.base import Law
from rssp.laws.scalar import Normal, Uniform

__all__ = ["OneSidedTilt"]


@register
@dataclass(frozen=True)
class OneSidedTilt(Law):
    """Whole samples drawn from a mixture of exponential tilts of a law, in one dimension.

    With T+ = sum of the positive and T- = sum of the absolute values of the negative numbers of a sample, and
    M(theta) = E exp(-theta max(X, 0)), each sample is drawn from one of the densities

        p(x_1) ... p(x_n) exp(-theta T+-) / M(theta)^n,

    the tilt (theta, side) chosen uniformly for each sample anew. ``log_ratio`` is the logarithm of the law's density
    over the mixture's: its values are bounded by the number of tilts where 0 is among the thetas.

    Parameters
    ----------
    law : Uniform(-a, a) or Normal(0, s), dim 1: symmetric, so that both sides have the same M
    theta : floats >= 0

    Examples
    --------
    >>> tilt = OneSidedTilt(Uniform(), (0.0, 4.0))
    >>> samples = tilt.draw_many(3, 20, np.random.default_rng(0))
    >>> samples.shape, tilt.log_ratio(samples).shape
    ((3, 20, 1), (3,))
    """

    law: Uniform | Normal
    theta: tuple[float, ...]

    independent = False

    def __post_init__(self) -> None:
        if not isinstance(self.law, (Uniform, Normal)):
            raise ArgumentTypeError("law", self.law, "Uniform(-a, a) or Normal(0, s)")
        centre = (self.law.low + self.law.high) / 2 if isinstance(self.law, Uniform) else self.law.mean
        if centre != 0 or self.law.dim != 1:
            raise ArgumentError("law", repr(self.law), "a symmetric law of dimension 1")
        theta = tuple(number("theta", t, 0.0) for t in self.theta)
        if not theta or len(set(theta)) != len(theta):
            raise ArgumentError("theta", self.theta, "one or more different numbers >= 0")
        object.__setattr__(self, "theta", theta)

    @property
    def dim(self) -> int:  # type: ignore[override]
        return 1

    def _log_positive_mass(self, theta: NDArray[np.float64]) -> NDArray[np.float64]:
        """log E[exp(-theta X); X > 0]."""
        theta = np.asarray(theta, dtype=np.float64)
        if isinstance(self.law, Uniform):
            x = theta * self.law.high
            with np.errstate(divide="ignore", invalid="ignore"):
                mean = np.where(x > 1e-8, -np.expm1(-x) / x, 1 - x / 2)
            return np.log(mean / 2)
        x = theta * self.law.std
        return x**2 / 2 + log_ndtr(-x)

    def log_normalizer(self, theta: NDArray[np.float64]) -> NDArray[np.float64]:
        """log M(theta), elementwise."""
        return np.logaddexp(self._log_positive_mass(theta), np.log(0.5))

    def _positive(self, theta: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
        """Numbers with density proportional to p(x) exp(-theta x) on x > 0, by the inverse distribution function."""
        u = rng.random(theta.shape)
        if isinstance(self.law, Uniform):
            x = theta * self.law.high
            with np.errstate(divide="ignore", invalid="ignore"):
                tilted = -np.log1p(u * np.expm1(-x)) / theta
            return np.where(x > 1e-8, tilted, u * self.law.high)
        x = theta * self.law.std
        # the upper tail beyond x of a normal, moved back by x: log P(> x + y) = log P(> x) + log u
        return self.law.std * np.maximum(-ndtri_exp(log_ndtr(-x) + np.log1p(-u)) - x, 0.0)

    def draw(self, n: int, rng: np.random.Generator) -> NDArray[np.float64]:
        return self.draw_many(1, n, rng)[0]

    def draw_many(self, trials: int, n: int, rng: np.random.Generator) -> NDArray[np.float64]:
        theta = np.asarray(self.theta)[rng.integers(len(self.theta), size=trials)]
        side = rng.choice((-1.0, 1.0), trials)
        full = np.repeat(theta[:, None], n, axis=1)
        share = np.exp(self._log_positive_mass(theta) - self.log_normalizer(theta))
        tilted = rng.random((trials, n)) < share[:, None]
        size = np.where(tilted, self._positive(full, rng), -self._positive(np.zeros_like(full), rng))
        return (side[:, None] * size)[:, :, None]

    def log_ratio(self, samples: NDArray[np.float64]) -> NDArray[np.float64]:
        """log of (law's density / mixture's density) of each sample; (trials, n, 1) to (trials,)."""
        theta = np.asarray(self.theta)
        x = samples[:, :, 0]
        sums = np.stack([np.maximum(x, 0).sum(axis=1), np.maximum(-x, 0).sum(axis=1)], axis=1)
        exponent = -theta * sums[:, :, None] - x.shape[1] * self.log_normalizer(theta)
        return np.log(2 * len(theta)) - logsumexp(exponent, axis=(1, 2))
