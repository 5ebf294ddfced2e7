"""The covering verbs: one sample, or many, against every target of a ball, in any dimension.

The covering radius of a sample X_1, ..., X_n is ``rho = max over z in the ball of min over S of ||z - sum_S X||``,
where S runs through all 2^n subsets, the empty one included. The sample covers the ball at eps if and only if ``rho <=
eps``. In one dimension every answer is exact; in more, it is certified from both sides.
"""

from __future__ import annotations

import math
from types import ModuleType

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rssp._arguments import array_of_eps, choice, integer, positive, probability, sample_array
from rssp.balls import Ball
from rssp.errors import ArgumentError, ArgumentTypeError
from rssp.subsetsum.results import CoveringProfile, CoveringRadius

__all__ = [
    "covered_fractions",
    "covering_profile",
    "covering_profiles",
    "covering_radius",
    "covers",
    "hitting_time",
    "hitting_times",
]

_NORMS = (2.0, math.inf)


def _method(ball: Ball) -> ModuleType:
    """The module with the verbs for this dimension; loaded when used."""
    if ball.dim == 1:
        from rssp.subsetsum.line import method as line

        return line
    from rssp.subsetsum.space import method as space

    return space


def _ball(ball: Ball) -> Ball:
    if not isinstance(ball, Ball):
        raise ArgumentTypeError("ball", ball, "a Ball, such as Ball(dim=1)")
    return ball


def _resolution(value: float) -> float:
    return probability("resolution", value)


def _samples_array(samples: ArrayLike, dim: int) -> NDArray[np.float64]:
    """Many samples as float64 (trials, n, dim); (trials, n) is read as (trials, n, 1) in one dimension."""
    array = np.asarray(samples)
    if dim == 1 and array.ndim == 2:
        array = array[:, :, None]
    if array.ndim != 3 or array.shape[1] < 1:
        raise ArgumentError(
            "samples", f"an array of shape {array.shape}", f"shape (trials, n, {dim}) with n >= 1", "Reshape it."
        )
    trials, n, columns = array.shape
    if trials == 0:
        return np.empty((0, n, dim))
    return sample_array(array.reshape(trials * n, columns), dim, "samples").reshape(trials, n, dim)


def _range(n_min: int, n_max: int | None, n: int) -> tuple[int, int]:
    last = n if n_max is None else integer("n_max", n_max, 1, n)
    return integer("n_min", n_min, 1, last), last


def covering_radius(
    sample: ArrayLike, ball: Ball, *, resolution: float = 0.05, error_norm: float = math.inf
) -> CoveringRadius:
    """The covering radius of a sample, with a target that attains it.

    Parameters
    ----------
    sample : array (n, dim), or (n,) in one dimension
    ball : Ball
    resolution : relative width of the bracket in dim >= 2, strictly between 0 and 1; in one dimension it is exact
    error_norm : 2 or inf, the norm of the error; in one dimension they are the same

    Raises
    ------
    ArgumentError : wrong shape, NaN or infinite numbers
    InfeasibleError : n too large; the estimated memory and time are named

    Notes
    -----
    Cost in one dimension: every method that reads each sum needs at least one operation a sum, about 1 ns. This one
    keeps one bit for a cell of half to one mean gap between sums, and lets the 5 to 8 smallest numbers double the
    bitmap word by word: only one sum in 2^5 to 2^8 is ever formed, and a sum costs about 0.3 word operations and 0.25
    bytes of traffic. Measured on a loaded machine, one core: 0.2 to 0.35 ns per sum in the ball for n = 22 to 34, that
    is 5 ms at n = 26 and 0.8 s at n = 34, with at most 270 MB for the bitmap. Up to n = 15 the sums are merged: 80 us
    for all n to 15. Numbers that are 0 cost nothing.

    Examples
    --------
    >>> covering_radius([0.5, -0.75, 1.0], Ball(1))
    CoveringRadius(lower=0.25, upper=0.25, witness=array([-0.5]))
    """
    x = sample_array(sample, _ball(ball).dim)
    return _method(ball).covering_radius(
        x, ball, resolution=_resolution(resolution), error_norm=choice("error_norm", error_norm, _NORMS)
    )


def covers(sample: ArrayLike, ball: Ball, eps: float, *, error_norm: float = math.inf) -> bool:
    """Whether every target of the ball is within eps (> 0) of some subset sum. Decided, never estimated.

    Parameters and errors as for `covering_radius`. In one dimension a first look goes to the ends of the ball, then to
    the eighth of it where sums are sparsest; a target found there that is not covered ends the work. A sample with more
    numbers than needed is tried with fewer first. The cost then is that of a bitmap with some cells an eps, about
    2e-9 * 2^(n - 14) s and 3e-9 * radius / eps s (n = 34, eps = 1e-6: 8 ms; eps = 1e-8 takes under 1 s for n = 28 to
    40), or, where that is less, of the union of the intervals of length 2 eps about the sums: 2e-8 s for each that fits
    between the sums, whatever 2^n is (n = 60, eps = 1e-6: 0.1 s).

    Examples
    --------
    >>> covers([0.5, -0.75, 1.0], Ball(1), 0.25), covers([0.5, -0.75, 1.0], Ball(1), 0.2)
    (True, False)
    """
    x = sample_array(sample, _ball(ball).dim)
    return _method(ball).covers(x, ball, positive("eps", eps), error_norm=choice("error_norm", error_norm, _NORMS))


def covering_profile(
    sample: ArrayLike,
    ball: Ball,
    n_min: int = 1,
    n_max: int | None = None,
    *,
    resolution: float = 0.05,
    error_norm: float = math.inf,
) -> CoveringProfile:
    """The covering radius of the first n vectors, for each n from n_min to n_max (default: all of them).

    Parameters and errors as for `covering_radius`. Costs at most about twice the covering radius of n_max vectors.

    Examples
    --------
    >>> covering_profile([0.5, -0.75, 1.0], Ball(1)).lower
    array([1.  , 0.5 , 0.25])
    """
    x = sample_array(sample, _ball(ball).dim)
    n_min, n_max = _range(n_min, n_max, len(x))
    return _method(ball).covering_profile(
        x, ball, n_min, n_max, resolution=_resolution(resolution), error_norm=choice("error_norm", error_norm, _NORMS)
    )


def covering_profiles(
    samples: ArrayLike,
    ball: Ball,
    n_min: int = 1,
    n_max: int | None = None,
    *,
    resolution: float = 0.05,
    error_norm: float = math.inf,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """`covering_profile` of many samples (trials, n, dim): (lower, upper), each (trials, n_max - n_min + 1).

    In one dimension lower equals upper, and the work is one call that does not hold Python's global lock.

    Examples
    --------
    >>> lower, upper = covering_profiles([[0.5, -0.75, 1.0], [1.0, 1.0, -1.0]], Ball(1))
    >>> lower
    array([[1.  , 0.5 , 0.25],
           [1.  , 1.  , 0.5 ]])
    """
    x = _samples_array(samples, _ball(ball).dim)
    n_min, n_max = _range(n_min, n_max, x.shape[1])
    options = {"resolution": _resolution(resolution), "error_norm": choice("error_norm", error_norm, _NORMS)}
    if ball.dim == 1:
        return _method(ball).covering_profiles(x, ball, n_min, n_max, **options)
    lower, upper = np.empty((2, len(x), n_max - n_min + 1))
    for t, sample in enumerate(x):
        profile = _method(ball).covering_profile(sample, ball, n_min, n_max, **options)
        lower[t], upper[t] = profile.lower, profile.upper
    return lower, upper


def hitting_time(sample: ArrayLike, ball: Ball, eps: ArrayLike, *, error_norm: float = math.inf) -> NDArray[np.int64]:
    """The smallest n whose first n vectors cover the ball, for each eps: int64 (len(eps),).

    0 if the empty sum covers already; -1 if all the vectors given do not. Work stops at the smallest eps. In one
    dimension no radius is computed past n = 15: coverage is decided as by `covers`, each eps in turn, and the unions of
    intervals give one eps for all n at once. A sample uniform on [-1, 1], targets [-1, 1] and eps to 2^-14 takes about
    1 ms, eps to 2^-20 about 20 ms, for any n.

    Examples
    --------
    >>> hitting_time([0.5, -0.75, 1.0], Ball(1), [1.0, 0.5, 0.25, 0.1])
    array([ 0,  2,  3, -1])
    """
    x = sample_array(sample, _ball(ball).dim)
    return _method(ball).hitting_time(x, ball, array_of_eps(eps), error_norm=choice("error_norm", error_norm, _NORMS))


def hitting_times(samples: ArrayLike, ball: Ball, eps: ArrayLike, *, error_norm: float = math.inf) -> NDArray[np.int64]:
    """`hitting_time` of many samples (trials, n, dim): int64 (trials, len(eps)), -1 where not reached.

    Examples
    --------
    >>> hitting_times([[0.5, -0.75, 1.0], [1.0, 1.0, -1.0]], Ball(1), [0.5, 0.25])
    array([[ 2,  3],
           [ 3, -1]])
    """
    x = _samples_array(samples, _ball(ball).dim)
    grid = array_of_eps(eps)
    norm = choice("error_norm", error_norm, _NORMS)
    if ball.dim == 1:
        return _method(ball).hitting_times(x, ball, grid, error_norm=norm)
    rows = [_method(ball).hitting_time(sample, ball, grid, error_norm=norm) for sample in x]
    return np.array(rows, np.int64).reshape(len(x), len(grid))


def covered_fractions(
    samples: ArrayLike, ball: Ball, eps: float, n_min: int = 1, n_max: int | None = None
) -> NDArray[np.float64]:
    """How much of a one-dimensional ball the first n numbers cover at eps: float64 (trials, n_max - n_min + 1).

    The length of all targets within eps (> 0) of some subset sum, the empty one included, as a part of the ball's
    length: the random variable v_n of the growth lemma of da Cunha, d'Amore, Giroire, Lesfari, Natale and Viennot (ESA
    2023). Exact, but for the conversion of eps and of the sample to fixed point and one float64 division. Costs n
    unions of at most ``reach / (2 eps)`` intervals a trial, about 4 ns an interval, whatever 2^n is.

    Raises
    ------
    ArgumentError : a ball of another dimension, eps <= 0, wrong shapes, NaN or infinite numbers
    InfeasibleError : eps so small that the intervals do not fit

    Examples
    --------
    >>> covered_fractions([[0.5, -0.75, 1.0]], Ball(1), 0.125)
    array([[0.25  , 0.5   , 0.8125]])
    """
    if _ball(ball).dim != 1:
        raise ArgumentError("ball", f"dimension {ball.dim}", "dimension 1", "Use `covers` in more dimensions.")
    x = _samples_array(samples, 1)
    n_min, n_max = _range(n_min, n_max, x.shape[1])
    return _method(ball).covered_fractions(x, ball, positive("eps", eps), n_min, n_max)
