"""A probability from a run that ended when its interval was narrow enough: the estimate without the bias of stopping.

Where few successes make the interval narrow sooner, runs with few successes end sooner, and the plain proportion is too
small on average: 0.0146 for a true 0.02 in one case. Batches are exchangeable, so the proportion in the first one alone
is unbiased; averaged over all orders of the trials that would not have ended the run earlier it is unbiased still and
far more precise (Girshick, Mosteller and Savage, Ann. Math. Stat. 17, 1946: the ratio of two numbers of paths).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln, xlog1py, xlogy

__all__ = ["stopped_proportion"]

_Floats = NDArray[np.float64]
_NEGLIGIBLE = 1e-40  # a path of less probability is dropped


def stopped_proportion(
    successes: int, sizes: Sequence[int], stops: Callable[[_Floats, float], NDArray[np.bool_]]
) -> float:
    """The unbiased estimate of a probability from batches of trials that a rule ended.

    Parameters
    ----------
    successes : int, in all batches together
    sizes : ints > 0, trials of each batch, in order; the run looked at its total after each and went on
    stops : function of an array of totals of successes and the number of trials so far: where the rule would have ended
        the run. It is not asked after the last batch

    Returns
    -------
    float from 0 to 1: (paths to this end that begin with a success) / (paths to this end). Time: a convolution of the
    totals a batch.

    Examples
    --------
    A run that goes on until the first success, with batches of one: the number of trials says no more than that there
    was one success; only the first trial counts.

    >>> stopped_proportion(1, [1, 1, 1], lambda s, m: s >= 1)
    0.0
    >>> stopped_proportion(1, [1], lambda s, m: s >= 1)
    1.0
    >>> stopped_proportion(3, [5, 5], lambda s, m: s < 0)
    0.3
    """
    total = int(sum(sizes))
    p = min(max(successes / total, 0.5 / total), 1 - 0.5 / total)  # any p gives the same ratio; this one no underflow
    first = _binomial(int(sizes[0]), p)
    paths, begun = first, first * np.arange(len(first)) / sizes[0]
    seen = int(sizes[0])
    for size in sizes[1:]:
        going = ~stops(np.arange(len(paths), dtype=np.float64), float(seen))
        step = _binomial(int(size), p)
        paths, begun = (np.convolve(np.where(going, weight, 0.0), step) for weight in (paths, begun))
        paths, begun = (np.where(weight > _NEGLIGIBLE, weight, 0.0) for weight in (paths, begun))
        seen += int(size)
    return float(begun[successes] / paths[successes]) if paths[successes] > 0 else successes / total


def _binomial(size: int, p: float) -> _Floats:
    k = np.arange(size + 1, dtype=np.float64)
    ways = gammaln(size + 1) - gammaln(k + 1) - gammaln(size - k + 1)
    return np.asarray(np.exp(ways + xlogy(k, p) + xlog1py(size - k, -p)))
