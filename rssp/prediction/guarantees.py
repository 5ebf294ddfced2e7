"""How many are enough, for certain: sample sizes and failure probabilities that are proved, every constant a number.

Lueker's theorem and those that stand on it say that there is a C. Here the proof is carried through in numbers: the
derivation is docs/theory/guarantees.md, its steps G1 to G5 (the restricted process), M1 to M6 (the conditioned second
moment), L1 and L2 (other laws) and V1, V2 (vectors). The results are upper bounds, rounded outwards; they are no
estimates of the truth, from which they are a factor 1.4 to 2.4 away for uniform numbers.

A law in one dimension is taken as uniform on [-w, w] with probability p = 2 w times the minimum of its density there,
and as nothing otherwise (Lueker 1998, Corollary 3.3): of n numbers, Binomial(n, p) are of use.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
from scipy.stats import binom

from rssp._arguments import integer, positive, probability
from rssp.balls import Ball
from rssp.errors import ArgumentError, ArgumentTypeError, InfeasibleError
from rssp.estimates import Estimate, Evidence
from rssp.laws import Law, Normal
from rssp.prediction.minorants import density_floor, refuse, refuse_density, uniform_share, widths
from rssp.prediction.uniform_numbers import Route, uniform_failure, uniform_miss, uniform_samples
from rssp.prediction.vectors import normal_samples, restricted_samples, vectors_miss

__all__ = [
    "SMALLEST_DELTA",
    "guaranteed_failure",
    "guaranteed_miss",
    "guaranteed_samples",
    "how_proved",
]

SMALLEST_DELTA = 1e-100
_MOST = 1_000_000  # numbers; no sample is as large
_UP = 1 + 1e-9  # rounding of the special functions
_SURE = 0.999999  # the confidence that is written on what is certain


def guaranteed_samples(
    law: Law,
    eps: float,
    delta: float,
    ball: Ball | None = None,
    *,
    density: tuple[float, float] | None = None,
) -> Estimate:
    """An n that is proved to be enough: P(every target of the ball is within eps of a subset sum) >= 1 - delta.

    Parameters
    ----------
    law : Law with independent vectors and a density with a known positive lower bound on a cube around 0
    eps : float, 0 < eps < the ball's radius, the error in the max norm
    delta : float in [1e-100, 1), the failure probability allowed
    ball : Ball, the unit ball of the max norm by default; for another norm, or off the centre, it is the smallest cube
        around 0 that contains it
    density : (w, rho), your own word that the law's density is at least rho on [-w, w]^dim, in place of what is known

    Returns
    -------
    Estimate of n*, evidence "computed": `best` and `high` are the n proved, `low` is the counting bound, which fewer do
    not reach. ``how_proved`` says by which route.

    Raises
    ------
    ArgumentError
        Where eps is too large to mean anything, delta too small, or the law is not covered by the proof.
    InfeasibleError
        Where the n proved is beyond a million.

    Examples
    --------
    >>> import rssp
    >>> guaranteed_samples(rssp.Uniform(), eps=2.0**-6, delta=0.5).high  # measured: 11
    21.0
    """
    eps, delta, ball, density = _checked(law, eps, delta, ball, density)
    n, _ = _proved(law, eps, delta, ball, density)
    if n > _MOST:
        raise InfeasibleError(
            f"a guarantee for {law!r} at eps = {eps:g}, delta = {delta:g}",
            f"n = {n:.3g}",
            "n = 1e6",
            "Take a larger eps.",
        )
    counting = (ball.log_volume - ball.dim * math.log(2 * eps)) / math.log(2)
    low = float(min(n, max(0, math.ceil(counting - 1e-9))))
    return Estimate(low, n, n, _SURE, evidence=Evidence.COMPUTED, quantity="n*")


def how_proved(
    law: Law, eps: float, delta: float, ball: Ball | None = None, *, density: tuple[float, float] | None = None
) -> str:
    """The route by which `guaranteed_samples` proves its n, in words.

    >>> import rssp
    >>> how_proved(rssp.Uniform(), 2.0**-6, 0.5)
    'the conditioned second moment (17 numbers) and 4 numbers that finish'
    """
    eps, delta, ball, density = _checked(law, eps, delta, ball, density)
    return _proved(law, eps, delta, ball, density)[1].how


def guaranteed_failure(
    law: Law, n: int, eps: float, ball: Ball | None = None, *, density: tuple[float, float] | None = None
) -> Estimate:
    """A proved bound on P(some target of the ball is not within eps of a subset sum of n vectors drawn from the law).

    Parameters are those of `guaranteed_samples`; n is an int from 0 to 1e6.

    Returns
    -------
    Estimate of P(fail), evidence "computed": `best` and `high` are the bound, `low` is 0, or 1 where n is below the
    counting bound

    >>> import rssp
    >>> bound = guaranteed_failure(rssp.Uniform(), 24, 2.0**-6)
    >>> bound.low, 0.05 < bound.high < 0.2
    (0.0, True)
    """
    n = integer("n", n, 0, _MOST)
    eps, _, ball, density = _checked(law, eps, 0.5, ball, density)
    counting = (ball.log_volume - ball.dim * math.log(2 * eps)) / math.log(2)
    if n < counting - 1e-9:
        return Estimate(1.0, 1.0, 1.0, _SURE, evidence=Evidence.COMPUTED, quantity="P(fail)")
    if law.dim == 1:
        bound = _line(law, n, eps, _reach(ball), density, lambda *asked: uniform_failure(*asked).failure)
    else:
        bound = _failure_space(law, n, eps, ball, density)
    bound = min(1.0, bound)
    return Estimate(0.0, bound, bound, _SURE, evidence=Evidence.COMPUTED, quantity="P(fail)")


def guaranteed_miss(
    law: Law, n: int, eps: float, ball: Ball | None = None, *, density: tuple[float, float] | None = None
) -> Estimate:
    """A proved bound on P(one random target of the ball is not within eps of a subset sum of n vectors).

    One target in place of all: the mean of the part of the ball that is not covered. The target is uniform in the ball
    and independent of the vectors. Parameters are those of `guaranteed_failure`; for a ball that is no cube around 0,
    all that is missed in the smallest cube around it counts.

    Returns
    -------
    Estimate of P(miss), evidence "computed": `best` and `high` are the bound; `low` is what counting demands: 2^n
    windows cover a part 2^n (2 eps)^dim / volume of the ball at most

    >>> import rssp
    >>> one = guaranteed_miss(rssp.Uniform(), 20, 2.0**-6)
    >>> 0.01 < one.high < 0.02 < guaranteed_failure(rssp.Uniform(), 20, 2.0**-6).high
    True
    """
    n = integer("n", n, 0, _MOST)
    eps, _, ball, density = _checked(law, eps, 0.5, ball, density)
    reach = _reach(ball)
    if law.dim == 1:
        miss = _line(law, n, eps, reach, density, uniform_miss)
    else:
        found = vectors_miss(law, n, eps, reach, density)
        if found is None:
            raise refuse(law) if _unknown(law, density) else _too_far(law, reach)
        miss = found
    log_part = ball.log_volume - law.dim * math.log(2 * reach)
    high = min(1.0, miss * math.exp(-log_part) * _UP)
    log_covered = n * math.log(2) + law.dim * math.log(2 * eps) - ball.log_volume
    low = min(high, max(0.0, -math.expm1(log_covered) - 1e-12) if log_covered < 0 else 0.0)
    return Estimate(low, high, high, _SURE, evidence=Evidence.COMPUTED, quantity="P(miss)")


def _checked(
    law: Law, eps: float, delta: float, ball: Ball | None, density: tuple[float, float] | None
) -> tuple[float, float, Ball, tuple[float, float] | None]:
    if not isinstance(law, Law):
        raise ArgumentTypeError("law", law, "a Law")
    eps, delta = positive("eps", eps), probability("delta", delta)
    ball = Ball(law.dim) if ball is None else ball
    if not isinstance(ball, Ball):
        raise ArgumentTypeError("ball", ball, "a Ball")
    if ball.dim != law.dim:
        raise ArgumentError("ball", f"dimension {ball.dim}", f"dimension {law.dim}, that of the law")
    if eps >= _reach(ball):
        far = "the largest distance of a target from 0" if np.any(ball.centre_vector) else "the ball's radius"
        raise ArgumentError("eps", eps, f"0 < eps < {_reach(ball):g}, {far}", "The empty sum covers the ball: n = 0.")
    if delta < SMALLEST_DELTA:
        raise ArgumentError(
            "delta", delta, f"a number in [{SMALLEST_DELTA:g}, 1)", "Rounding of the recursion allows no smaller one."
        )
    if not law.independent:
        raise refuse(law)
    if density is not None:
        if not isinstance(density, Sequence) or len(density) != 2:
            raise ArgumentTypeError("density", density, "a pair (w, rho)")
        density = positive("density", density[0]), positive("density", density[1])
        if (2 * density[0]) ** law.dim * density[1] > 1 + 1e-12:
            raise ArgumentError("density", density, "(2 w)^dim rho <= 1", "No law has more mass than 1.")
        refuse_density(law, density)
    return eps, delta, ball, density


def _reach(ball: Ball) -> float:
    """Half the side of the smallest cube around 0 that contains the ball."""
    return float(np.abs(ball.centre_vector).max() + ball.radius)


def _proved(law: Law, eps: float, delta: float, ball: Ball, density: tuple[float, float] | None) -> tuple[int, Route]:
    reach = _reach(ball)
    if law.dim == 1:
        width, share = _widest(law, eps, reach, density)
        found = (
            uniform_samples(eps / width, reach / width, delta)
            if share >= 1
            else _thinned(share, width, eps, reach, delta)
        )
    else:
        routes = [restricted_samples(law, eps, reach, delta, density)]
        if _standard(law):
            assert isinstance(law, Normal)
            routes.append(normal_samples(law.dim, eps / law.std, reach / law.std, delta))
        known = [route for route in routes if route is not None]
        if not known:
            raise refuse(law) if _unknown(law, density) else _too_far(law, reach)
        found = min(known, key=lambda route: route[0])
    return found


def _standard(law: Law) -> bool:
    return isinstance(law, Normal) and law.mean == 0


def _unknown(law: Law, density: tuple[float, float] | None) -> bool:
    return density is None and density_floor(law, 1e-6) <= 0


def _too_far(law: Law, reach: float) -> ArgumentError:
    return ArgumentError(
        "ball",
        f"reach {reach:g} in dimension {law.dim}",
        "a cube [-a, a]^dim on whose differences, [-2 a, 2 a]^dim, the law has a known density",
        "Take a smaller radius.",
    )


def _widest(law: Law, eps: float, reach: float, density: tuple[float, float] | None) -> tuple[float, float]:
    """w and p: the law is uniform on [-w, w] with probability p, w such that the fewest numbers should be needed.

    The choice is by a rough count of numbers, log2(w/eps) and a few for each step of w to the ball's end, over p; what
    is proved afterwards holds for any w.
    """
    best, chosen = math.inf, (0.0, 0.0)
    for width in widths(law, reach, density):
        share = uniform_share(law, width, density) if width > 0 else 0.0
        if share > 0:
            cost = (max(0.0, math.log2(width / eps)) + 8 + 6 * reach / width) / share
            if cost < best:
                best, chosen = cost, (width, share)
    if chosen[1] <= 0:
        raise refuse(law)
    return chosen


def _thinned(share: float, width: float, eps: float, reach: float, delta: float) -> tuple[int, Route]:
    """The smallest n with sum over N of P(Binomial(n, share) = N) F(N) <= delta, F bounded by a few of its values."""
    parts = sorted({min(0.95, delta * f) for f in (6.0, 2.0, 0.7, 0.2)}, reverse=True)
    ladder = [(uniform_samples(eps / width, reach / width, part), part) for part in parts]
    steps = [(n, route.failure) for (n, route), _ in ladder]
    if steps[-1][0] > 4 * _MOST * share:  # refused by the caller; the law's functions would not take it
        return math.ceil(steps[-1][0] / max(share, 1e-200)), ladder[-1][0][1]
    low, high = steps[0][0], max(16, 2 * math.ceil(steps[-1][0] / share))
    while _mixed(high, share, steps) > delta:
        low, high = high, 2 * high
        if high > 4 * _MOST:
            break
    while high - low > 1:
        middle = (low + high) // 2
        if _mixed(middle, share, steps) > delta:
            low = middle
        else:
            high = middle
    route = ladder[-1][0][1]
    how = f"uniform on [-{width:.4g}, {width:.4g}] with probability {share:.4g}; of these {route.how}"
    return high, Route(_mixed(high, share, steps), how)


def _mixed(n: int, share: float, steps: Sequence[tuple[int, float]]) -> float:
    """sum over N of P(Binomial(n, share) = N) F(N), where F(N) <= failure for N >= size, for each (size, failure)."""
    total, reached, below = 0.0, 1.0, 0.0
    for size, failure in sorted(steps):
        at_most = float(binom.cdf(size - 1, n, share))
        total += reached * max(0.0, at_most - below)
        reached, below = min(reached, failure), at_most
    return (total + reached * (1 - below)) * _UP


def _line(
    law: Law,
    n: int,
    eps: float,
    reach: float,
    density: tuple[float, float] | None,
    of_uniform: Callable[[int, float, float], float],
) -> float:
    """A bound for n numbers of the law, from one for uniform numbers that does not increase with their number."""
    width, share = _widest(law, eps, reach, density)
    if share >= 1:
        return of_uniform(n, eps / width, reach / width)
    spread = math.sqrt(n * share * (1 - share))
    sizes = sorted({max(0, math.floor(n * share - s * spread)) for s in (5.0, 3.0, 1.8, 0.8, 0.0)})
    return _mixed(n, share, [(size, of_uniform(size, eps / width, reach / width)) for size in sizes])


def _failure_space(law: Law, n: int, eps: float, ball: Ball, density: tuple[float, float] | None) -> float:
    """The smallest delta, to a factor 1.05, at which n is enough."""
    low, high = math.log(SMALLEST_DELTA), math.log(0.999)
    if _proved(law, eps, math.exp(high), ball, density)[0] > n:
        return 1.0
    while high - low > 0.05:
        middle = (low + high) / 2
        if _proved(law, eps, math.exp(middle), ball, density)[0] <= n:
            high = middle
        else:
            low = middle
    return math.exp(high)
