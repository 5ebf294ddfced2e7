"""The covering verbs: one sample, or many, against every target of a ball, in any dimension.

The covering radius of a sample X_1, ..., X_n is ``rho = max over z in the ball of min over S of ||z - sum_S X||``,
where S runs through all 2^n subsets, the empty one included. The sample covers the ball at eps if and only if ``rho <=
eps``. In one dimension every answer is exact; in more, it is certified from both sides.

All verbs are written once, over the two things that a `Method` can do: radii along a schedule of n, and the least n
that covers at eps. `line` does them in one dimension, `space` in any.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rssp._arguments import array_of_eps, choice, integer, positive, probability, sample_array
from rssp.balls import Ball
from rssp.errors import ArgumentError, ArgumentTypeError
from rssp.subsetsum.results import NEVER, OPEN, CoveringProfile, CoveringRadius, Coverings, Method, Radii

__all__ = [
    "COVERED",
    "OPEN",
    "UNCOVERED",
    "covered_fractions",
    "covering_profile",
    "covering_profiles",
    "covering_radius",
    "covers",
    "covers_each",
    "decide_each",
    "hitting_time",
    "hitting_times",
]

_NORMS = (2.0, math.inf)
UNCOVERED, COVERED = 0, 1


def _method(samples: NDArray[np.float64], ball: Ball, error_norm: float) -> Method:
    """How samples (trials, n, dim) of this dimension are covered; loaded when used."""
    error_norm = choice("error_norm", error_norm, _NORMS)
    if ball.dim == 1:  # where the norms of the error are the same
        from rssp.subsetsum.line.method import Line

        return Line.of(samples, ball)
    from rssp.subsetsum.space.method import Space

    return Space(samples, ball, error_norm)


def _of_sample(sample: ArrayLike, ball: Ball, error_norm: float) -> tuple[Method, int]:
    """The method for one sample, and its n."""
    x = sample_array(sample, _ball(ball).dim)
    return _method(x[None], ball, error_norm), len(x)


def _of_samples(samples: ArrayLike, ball: Ball, error_norm: float) -> tuple[Method, int]:
    """The method for many samples, and their n."""
    x = _samples_array(samples, _ball(ball).dim)
    return _method(x, ball, error_norm), x.shape[1]


def _decided(found: Coverings) -> NDArray[np.int64]:
    """The n found; raises the refusal where it is open."""
    if found.refusal is not None:
        raise found.refusal
    return found.n


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
    Cost in one dimension: up to n = 15 the sums are merged, 2^n steps for each n. Beyond, there is a bit for a cell of
    half to one mean gap between sums, and the 5 to 8 smallest numbers double the bitmap word by word: only one sum in
    2^5 to 2^8 is ever formed, and a sum in the ball costs about 0.3 word operations and 0.25 bytes of traffic. The
    bitmap takes at most 270 MB; where more cells are wanted it is made window by window. Numbers that are 0 cost
    nothing.

    Cost in more: passes over the sums of two halves that lie in the window of the ball, two to eight of them, and what
    is left between them is small unless d >= 7, where a cell has 3^d cells about it. In the ball of the 1-norm it
    depends on the sample. Memory: the two halves, 4 bytes a cell of side rho in the ball's bounding cube (at most 2^28
    cells), at most 2^22 sums. What both cost on a machine: benchmarks/speed.py.

    Examples
    --------
    >>> covering_radius([0.5, -0.75, 1.0], Ball(1))
    CoveringRadius(lower=0.25, upper=0.25, witness=array([-0.5]))
    """
    method, n = _of_sample(sample, ball, error_norm)
    schedule = [*(n - fewer for fewer in method.run_up if fewer < n), n]
    radii = method.radii(schedule, _resolution(resolution))
    return CoveringRadius(float(radii.lower[0, -1]), float(radii.upper[0, -1]), radii.witness[0, -1])


def covers(sample: ArrayLike, ball: Ball, eps: float, *, error_norm: float = math.inf) -> bool:
    """Whether every target of the ball is within eps (> 0) of some subset sum. Decided, never estimated.

    Parameters and errors as for `covering_radius`. In one dimension a first look goes to the ends of the ball, then to
    the eighth of it where sums are sparsest; a target found there that is not covered ends the work. A sample with more
    numbers than needed is tried with fewer first. The cost then is the lesser of two: a bitmap with some cells an eps,
    2^(n - 14) pairs of sums to place and radius / eps cells, or the union of the intervals of length 2 eps about the
    sums, of which at most radius / eps are disjoint: each number of the sample goes through them once, whatever 2^n is.
    In more dimensions it is one pass over the sums where some target is far from all of them, two where none is, with
    cells of side eps; the answer is exact for the sample on its grid of fixed point (in the 2-norm error: up to 2^-32
    of eps).

    Examples
    --------
    >>> covers([0.5, -0.75, 1.0], Ball(1), 0.25), covers([0.5, -0.75, 1.0], Ball(1), 0.2)
    (True, False)
    """
    method, n = _of_sample(sample, ball, error_norm)
    return bool(_decided(method.coverings(np.array([positive("eps", eps)]), n))[0, 0] != NEVER)


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
    method, n = _of_sample(sample, ball, error_norm)
    schedule, radii = _profiles(method, n, n_min, n_max, resolution)
    return CoveringProfile(np.array(schedule, np.int64), radii.lower[0], radii.upper[0])


def _profiles(method: Method, n: int, n_min: int, n_max: int | None, resolution: float) -> tuple[range, Radii]:
    n_min, n_max = _range(n_min, n_max, n)
    schedule = range(n_min, n_max + 1)
    return schedule, method.radii(schedule, _resolution(resolution))


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

    In one dimension lower equals upper. The work does not hold Python's global lock.

    Examples
    --------
    >>> lower, upper = covering_profiles([[0.5, -0.75, 1.0], [1.0, 1.0, -1.0]], Ball(1))
    >>> lower
    array([[1.  , 0.5 , 0.25],
           [1.  , 1.  , 0.5 ]])
    """
    method, n = _of_samples(samples, ball, error_norm)
    _, radii = _profiles(method, n, n_min, n_max, resolution)
    return radii.lower, radii.upper


def hitting_time(sample: ArrayLike, ball: Ball, eps: ArrayLike, *, error_norm: float = math.inf) -> NDArray[np.int64]:
    """The smallest n whose first n vectors cover the ball, for each eps: int64 (len(eps),).

    0 if the empty sum covers already; -1 if all the vectors given do not. Work stops at the smallest eps. In one
    dimension no radius is computed past n = 15: coverage is decided as by `covers`, each eps in turn, and the unions of
    intervals give one eps for all n at once. In more dimensions there is a decision as in `covers` for each n that
    volume allows; mostly it fails at the witness of the one before, by a look-up. Vectors that are zero cost nothing.

    Examples
    --------
    >>> hitting_time([0.5, -0.75, 1.0], Ball(1), [1.0, 0.5, 0.25, 0.1])
    array([ 0,  2,  3, -1])
    """
    method, _ = _of_sample(sample, ball, error_norm)
    return _hitting_times(method, eps)[0]


def _hitting_times(method: Method, eps: ArrayLike) -> NDArray[np.int64]:
    grid = array_of_eps(eps)
    descending = np.argsort(-grid, kind="stable")
    found = _decided(method.coverings(grid[descending], 0))
    times = np.empty_like(found)
    times[:, descending] = found
    return times


def hitting_times(samples: ArrayLike, ball: Ball, eps: ArrayLike, *, error_norm: float = math.inf) -> NDArray[np.int64]:
    """`hitting_time` of many samples (trials, n, dim): int64 (trials, len(eps)), -1 where not reached.

    Examples
    --------
    >>> hitting_times([[0.5, -0.75, 1.0], [1.0, 1.0, -1.0]], Ball(1), [0.5, 0.25])
    array([[ 2,  3],
           [ 3, -1]])
    """
    return _hitting_times(_of_samples(samples, ball, error_norm)[0], eps)


def covers_each(samples: ArrayLike, ball: Ball, eps: float, *, error_norm: float = math.inf) -> NDArray[np.bool_]:
    """`covers` of many samples (trials, n, dim): bool (trials,). The question of an estimated probability.

    Parameters and errors as for `covers`; in one dimension many samples cost little more than their decisions.

    Examples
    --------
    >>> covers_each([[0.5, 1.0], [0.5, 0.5]], Ball.interval(0, 1.5), 0.25)
    array([ True, False])
    """
    method, n = _of_samples(samples, ball, error_norm)
    return _decided(method.coverings(np.array([positive("eps", eps)]), n))[:, 0] != NEVER


def decide_each(samples: ArrayLike, ball: Ball, eps: float, *, error_norm: float = math.inf) -> NDArray[np.int64]:
    """COVERED, UNCOVERED or OPEN for each sample (trials, n, dim); as `covers_each`, but never infeasible.

    OPEN (rare) are the samples whose decision costs too much memory or time.

    Examples
    --------
    >>> decide_each([[0.5, 1.0], [0.5, 0.5]], Ball.interval(0, 1.5), 0.25).tolist() == [COVERED, UNCOVERED]
    True
    """
    method, n = _of_samples(samples, ball, error_norm)
    found = method.coverings(np.array([positive("eps", eps)]), n).n[:, 0]
    return np.where(found == OPEN, OPEN, np.where(found == NEVER, UNCOVERED, COVERED))


def covered_fractions(
    samples: ArrayLike, ball: Ball, eps: float, n_min: int = 1, n_max: int | None = None
) -> NDArray[np.float64]:
    """How much of a one-dimensional ball the first n numbers cover at eps: float64 (trials, n_max - n_min + 1).

    The length of all targets within eps (> 0) of some subset sum, the empty one included, as a part of the ball's
    length: the random variable v_n of the growth lemma of da Cunha, d'Amore, Giroire, Lesfari, Natale and Viennot (ESA
    2023). Exact, but for the conversion of eps and of the sample to fixed point and one float64 division. Costs n
    unions of at most ``reach / (2 eps)`` intervals a trial, whatever 2^n is.

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
    from rssp.subsetsum.line.method import Line

    x = _samples_array(samples, 1)
    n_min, n_max = _range(n_min, n_max, x.shape[1])
    return Line.of(x, ball).covered_fractions(positive("eps", eps), n_min, n_max)
