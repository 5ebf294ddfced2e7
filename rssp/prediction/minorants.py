"""What a law contains for certain: a positive lower bound of its density on a cube around 0."""

from __future__ import annotations

import math

import numpy as np
import scipy.stats
from scipy.special import expn, kv

from rssp.errors import ArgumentError
from rssp.laws import (
    ConvolutionBlocks,
    FromScipy,
    GatedProduct,
    IndependentNormalProduct,
    Law,
    Mixture,
    Normal,
    NormallyScaledNormal,
    NormallyScaledUniform,
    Product,
    Uniform,
)

__all__ = ["UNIMODAL", "density_floor", "refuse", "refuse_density", "uniform_share", "widths"]

_DOWN = 1 - 1e-9  # rounding of the special functions
UNIMODAL = (
    "norm", "uniform", "triang", "laplace", "logistic", "cauchy", "t", "gumbel_r", "gumbel_l", "cosine", "semicircular",
    "hypsecant", "expon", "rayleigh", "maxwell", "gennorm", "truncnorm", "skewnorm",
)  # fmt: skip
"""distributions of scipy.stats with one peak for all parameters: on an interval their density is least at an end"""


def density_floor(law: Law, reach: float, side: float = 1.0) -> float:
    """side^dim times a number that the density is at least everywhere on [-reach, reach]^dim; 0 where none is known.

    With the side of a cube it is a mass, which no power of a very small or large scale overflows.

    >>> density_floor(Uniform(), 0.5), density_floor(Uniform(), 2.0)
    (0.5, 0.0)
    >>> round(density_floor(Normal(dim=2), 1.0), 4)  # (2 pi e)^-1
    0.0585
    """
    if isinstance(law, Mixture):
        one, other = density_floor(law.law, reach, side), density_floor(law.other, reach, side)
        return (law.weight * one + (1 - law.weight) * other) * _DOWN
    if isinstance(law, ConvolutionBlocks):  # of its law, gated by a sign half of the time
        return density_floor(NormallyScaledNormal(law.dim), reach, side) / (1 if law.sign is None else 2)
    if isinstance(law, NormallyScaledNormal):
        r, order = reach * math.sqrt(law.dim), (law.dim - 1) / 2
        return float(2 * (2 * math.pi) ** (-(law.dim + 1) / 2) * r**-order * kv(order, r)) * side**law.dim * _DOWN
    if isinstance(law, NormallyScaledUniform):
        # 2 (2 pi)^(-1/2) 2^-d times the integral of z^-d exp(-z^2/2) from reach on; E_nu falls with nu
        d = law.dim
        integral = reach ** (1 - d) / 2 * float(expn(math.ceil((d + 1) / 2), reach**2 / 2))
        return 2.0 ** (1 - d) / math.sqrt(2 * math.pi) * integral * side**d * _DOWN
    return (side * _marginal_floor(law, reach)) ** law.dim


def _marginal_floor(law: Law, reach: float) -> float:
    """The same for one entry of a law with independent entries."""
    if isinstance(law, Uniform):
        return 1 / (law.high - law.low) if law.low <= -reach and reach <= law.high else 0.0
    if isinstance(law, Normal):
        far = (reach + abs(law.mean)) / law.std
        return math.exp(-(far**2) / 2) / (law.std * math.sqrt(2 * math.pi)) * _DOWN
    if isinstance(law, (Product, GatedProduct)):
        whole = math.log(1 / reach) / 2 * _DOWN if reach < 1 else 0.0
        return whole / 2 if isinstance(law, GatedProduct) else whole
    if isinstance(law, IndependentNormalProduct):
        return float(kv(0, reach)) / math.pi * _DOWN
    if isinstance(law, FromScipy) and _has_one_peak(law):
        return float(min(law.distribution.pdf(-reach), law.distribution.pdf(reach))) * _DOWN
    return 0.0


def _has_one_peak(law: FromScipy) -> bool:
    frozen = law.distribution
    if not isinstance(frozen.dist, scipy.stats.rv_continuous):
        return False
    name = frozen.dist.name
    if type(frozen.dist) is not type(getattr(scipy.stats, name, None)):
        return False  # a distribution of the user's, whatever it is called
    if name in UNIMODAL:
        return True
    if name == "beta":
        shapes = [*frozen.args[:2], *(frozen.kwds[name] for name in ("a", "b") if name in frozen.kwds)]
        return all(s >= 1 for s in shapes)
    return False


def uniform_share(law: Law, width: float, density: tuple[float, float] | None) -> float:
    """p such that the law, in one dimension, is uniform on [-width, width] with probability p, and something else else.

    `density` = (w, rho) is the user's word that the density is at least rho on [-w, w].

    >>> uniform_share(Uniform(), 1.0, None), uniform_share(Uniform(), 1.0, (0.25, 0.5))
    (1.0, 0.0)
    """
    if density is not None:
        return min(1.0, 2 * width * density[1]) if width <= density[0] else 0.0
    return min(1.0, 2 * width * density_floor(law, width))


def widths(law: Law, reach: float, density: tuple[float, float] | None) -> list[float]:
    """The w worth trying: all prove something, and which proves most depends on eps.

    >>> widths(Uniform(-1, 0.75), 1.0, None)
    [0.75]
    """
    if density is not None:
        return [density[0]]
    if isinstance(law, Uniform):
        return [min(-law.low, law.high)]
    if isinstance(law, Normal) and law.std < 2.0**-10 * reach:
        return [law.std]
    narrow = np.geomspace(2.0**-10, 2.0**-5, 80, endpoint=False)  # for laws far narrower than the ball
    return [float(w) for w in reach * np.concatenate([narrow, np.geomspace(1 / 32, 32, 161)])] + _edges(law)


def _edges(law: Law) -> list[float]:
    """Where a law's density may end: a w one rounding below is worth less, or needs shifts for no other reason."""
    if isinstance(law, Mixture):
        return _edges(law.law) + _edges(law.other)
    low, high = _support(law)
    return [min(-low, high)] if 0 < min(-low, high) < math.inf else []


def refuse(law: Law) -> ArgumentError:
    """Why nothing is proved of this law: the condition that fails, and what to do."""
    if _is_discrete(law):
        return ArgumentError(
            "law",
            repr(law),
            "a law with a density, which a discrete one has not",
            "Of a uniform law on the integers modulo p, rssp.prediction.restricted.lattice_failure proves a bound.",
        )
    if not law.independent:
        return ArgumentError("law", repr(law), "a law with independent vectors", "Its vectors depend on each other.")
    low, high = _support(law)
    if low >= 0 or high <= 0:
        return ArgumentError(
            "law",
            f"{law!r}, whose density is 0 on one side of 0",
            "a law whose density is at least some rho > 0 on some [-w, w]",
            "Numbers of one sign have sums of one sign only: no target of the other is ever reached.",
        )
    return ArgumentError(
        "law",
        repr(law),
        "a law whose density has a proved positive lower bound on some cube around 0",
        "If you know one, pass density=(w, rho): at least rho on [-w, w]^dim.",
    )


def refuse_density(law: Law, density: tuple[float, float]) -> None:
    """Raise where what is known of a law contradicts the word that its density is at least rho on [-w, w]^dim."""
    low, high = _support(law)
    if _is_discrete(law) or low >= 0 or high <= 0:
        raise refuse(law)
    width, floor = density
    inside = math.inf
    if isinstance(law, Uniform):
        inside = max(0.0, min(width, high) - max(-width, low)) / (high - low)
    elif isinstance(law, FromScipy):
        inside = float(law.distribution.cdf(width) - law.distribution.cdf(-width))
    if not min(-low, high) >= width or 2 * width * floor ** (1 / law.dim) > inside * (1 + 1e-9):
        raise ArgumentError(
            "density",
            density,
            f"a lower bound (w, rho) that {law!r} meets",
            "The law has not that much mass on [-w, w].",
        )


def _is_discrete(law: Law) -> bool:
    if isinstance(law, Mixture):
        return _is_discrete(law.law) and _is_discrete(law.other)
    return isinstance(law, FromScipy) and isinstance(law.distribution.dist, scipy.stats.rv_discrete)


def _support(law: Law) -> tuple[float, float]:
    """An interval outside of which the law has no mass, as far as it is known."""
    if isinstance(law, Uniform):
        return law.low, law.high
    if isinstance(law, FromScipy):
        low, high = law.distribution.support()
        return float(low), float(high)
    if isinstance(law, Mixture):
        (a, b), (c, d) = _support(law.law), _support(law.other)
        return min(a, c), max(b, d)
    return -math.inf, math.inf
