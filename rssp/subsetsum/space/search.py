"""Brackets of the covering radius, and the least n that covers: which t the passes of `certify` are made at."""

from __future__ import annotations

import numpy as np

from rssp._jit import kernel
from rssp.subsetsum.results import NEVER
from rssp.subsetsum.space.certify import CELLS, COVERED, LIST, Problem, Work, certify, copy
from rssp.subsetsum.space.pieces import MAX_NORM, Region
from rssp.subsetsum.space.sums import halves, middle, nearest

__all__ = ["FINISHED", "TOO_MANY_CELLS", "brackets", "first_coverings"]

FINISHED, TOO_MANY_CELLS = 0, 1
_ONE = np.int64(1)


@kernel(inner=True)
def _new_work(witness):
    d = len(witness)
    return Work(
        np.empty((LIST + 1, d), np.int64), np.empty((128, d), np.int64), witness,
        np.empty(d, np.int64), np.empty(d, np.int64), np.empty(d, np.int64), np.empty(2 * d, np.int64),
    )  # fmt: skip


@kernel(hot=True)
def _with_witness(work, witness):
    return Work(work.points, work.few, witness, work.z, work.v, work.x, work.piece)


@kernel(inner=True)
def _far_target(centre_of_sums, ball, z):
    """The target farthest from the middle of the sums: a corner of a cube, of the other balls the end of an axis."""
    centre, r, norm = ball
    axis = 0
    for j in range(len(z)):
        z[j] = centre[j]
        if abs(centre[j] - centre_of_sums[j]) > abs(centre[axis] - centre_of_sums[axis]):
            axis = j
    for j in range(len(z)):
        if norm == MAX_NORM or j == axis:
            z[j] += r if centre[j] >= centre_of_sums[j] else -r


@kernel(inner=True)
def _problem(x, n, ball, euclid, deciding, resolution):
    return Problem(halves(x, n), middle(x, n), ball, euclid, deciding, resolution)


@kernel(inner=True)
def _take_witness(problem, target, low, guess, work):
    """The distance of the target to all sums if it is more than `low`: the target is the witness then. Else `low`."""
    distance = nearest(problem.sums, target, guess, problem.euclid, work.few, work.x)
    if distance <= low:
        return low
    copy(target, work.witness)
    return distance


@kernel(inner=True)
def _bracket(problem, t, least, low, high, work):
    """(low, high) of the covering radius, high <= (1 + resolution) low up to one unit; the state that ended it.

    t : where to begin; least : no radius is below it.
    """
    while True:
        wanted = max(low + 1, np.int64(np.ceil(float(low) * (1.0 + problem.resolution))))
        if high <= wanted:
            return low, high, FINISHED
        t = min(max(t, wanted, least), high - 1)
        progress, left = certify(problem, t, low, work)
        t, low = progress.t, progress.low
        if progress.state == CELLS:
            return low, high, TOO_MANY_CELLS
        if progress.state == COVERED:
            high = min(high, t)
            # the lower bound found is near the radius if there were empty cells; else the radius is far below
            t = np.int64(float(high) * (0.6 if left == 0 else 0.7))


@kernel
def brackets(task, resolution, schedule, lower, upper, witness):
    """Brackets of the covering radius of the first schedule[k] vectors, k = 0, 1, ...; returns FINISHED or not.

    task : (x, ball, euclid, log_cells). Lengths in units; `witness` (len(schedule), d) attains `lower`. `log_cells` is
    the logarithm of the number of error balls of radius one unit in the ball's volume: 2^n of radius rho have at least
    that volume. The bracket for one n starts the search for the next: the radius does not increase, and the last
    witness is often still far from any sum.
    """
    x, (centre, radius, norm), euclid, log_cells = task
    ball = Region(centre, radius, norm)
    d = x.shape[1]
    bound, before, far, work = np.int64(0), 0, np.empty(d, np.int64), _new_work(witness[0])
    for j in range(d):
        reach = abs(centre[j]) + radius  # the empty sum's distance to a corner of the bounding cube
        bound = bound + reach + 1 if euclid else max(bound, reach)
    for k in range(len(schedule)):
        n = schedule[k]
        problem, work = _problem(x, n, ball, euclid, False, resolution), _with_witness(work, witness[k])
        counting = (log_cells - np.log(len(problem.sums.a)) - np.log(len(problem.sums.b))) / d
        least = max(_ONE, np.int64(np.exp(min(counting, 41.0)) * (1 - 1e-9)))
        guess = max(least, bound // 8)
        _far_target(problem.middle, ball, far)
        low = _take_witness(problem, far, np.int64(-1), guess, work)
        if k > 0:
            low = _take_witness(problem, witness[k - 1], low, guess, work)
        t = np.int64(float(bound) * 2.0 ** (-(n - before) / d))
        low, bound, state = _bracket(problem, t, least, low, bound, work)
        if state != FINISHED:
            return state
        lower[k], upper[k], before = low, bound, n
    return FINISHED


@kernel
def first_coverings(task, n_first, n_last, errors, out):
    """The first n from n_first to n_last whose vectors cover at errors[k], non-increasing, into out[k], else NEVER.

    task : (x, ball, euclid, log_cells), as in `brackets`. Returns FINISHED or not.
    """
    x, (centre, radius, norm), euclid, log_cells = task
    ball = Region(centre, radius, norm)
    d = x.shape[1]
    witness = np.empty(d, np.int64)
    work = _new_work(witness)
    n, built, known = n_first, n_first, False
    problem = _problem(x, n, ball, euclid, True, 0.0)
    for k in range(len(errors)):
        out[k] = NEVER
    for k in range(len(errors)):
        t = errors[k]
        if t < 1:
            return FINISHED
        while n <= n_last:
            if n * np.log(2.0) + d * np.log(float(t)) < log_cells - 1e-6:
                n += 1  # too few sums, by volume
                continue
            if built != n:
                problem, built = _problem(x, n, ball, euclid, True, 0.0), n
            if not known or nearest(problem.sums, witness, t, euclid, work.few, work.x) <= t:
                progress, _ = certify(problem, t, np.int64(-1), work)
                if progress.state == CELLS:
                    return TOO_MANY_CELLS
                if progress.state == COVERED:
                    out[k] = n
                    break
                known = True
            n += 1
        if n > n_last:
            break
    return FINISHED
