"""Random units that serve one weight: one that is right by itself, or a subset sum of products."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rssp.laws import GatedProduct
from rssp.subsetsum.nearest.verbs import nearest_subset

__all__ = ["units_for_one_weight"]

UNIT_EPS = (0.1, 0.03, 0.01, 0.003, 0.001)
UNIT_TRIALS = 400  # a choice: the interval of a median is the 40 errors in the middle


def units_for_one_weight(seed: int) -> pd.DataFrame:
    """How many random units it takes for one weight from [-1, 1]: until a single one is right, and by subset sums.

    Returns
    -------
    DataFrame with columns how ("one unit" or "subset sum"), eps, quantity, low, best, high (the median over 400 weights
    with its interval of 95 % by order statistics), confidence, evidence. The numbers until one unit is right are drawn
    from their exact geometric law; those by subset sums are interpolated between even n, in the logarithm of the error.

    Examples
    --------
    >>> units = units_for_one_weight(seed=0).set_index(["how", "eps"])["best"]
    >>> bool(units["subset sum", 0.01] < 20 < 100 < units["one unit", 0.01])
    True
    """
    rng = np.random.default_rng([seed, 5])
    weight = rng.uniform(-1, 1, UNIT_TRIALS)
    middle = slice(UNIT_TRIALS // 2 - round(UNIT_TRIALS**0.5), UNIT_TRIALS // 2 + round(UNIT_TRIALS**0.5))
    rows = []
    for eps in UNIT_EPS:
        one = np.sort(rng.geometric(_product_cdf(weight + eps) - _product_cdf(weight - eps)))
        low, high = one[middle][[0, -1]]
        rows.append({"how": "one unit", "eps": eps, "low": low, "best": np.median(one), "high": high})
    numbers = np.arange(2, 27, 2)
    errors = []
    for n in numbers:
        sample = GatedProduct().draw_many(UNIT_TRIALS, int(n), rng)
        errors.append(np.sort(nearest_subset(sample, weight[:, None]).error)[middle][[-1, len(weight[middle]) // 2, 0]])
    log = -np.log(np.minimum.accumulate(errors).T)
    for eps in UNIT_EPS:
        high, best, low = (float(np.interp(-np.log(eps), column, numbers)) for column in log)
        rows.append({"how": "subset sum", "eps": eps, "low": low, "best": best, "high": high})
    return pd.DataFrame(rows).assign(quantity="units per weight", confidence=0.95, evidence="measured")


def _product_cdf(t: NDArray[np.float64]) -> NDArray[np.float64]:
    """P(U U' <= t) for U, U' uniform on [-1, 1]."""
    t = np.clip(t, -1, 1)
    return 0.5 + t / 2 * (1 - np.log(np.maximum(np.abs(t), 1e-300)))
