"""Laws of vectors whose entries share a random factor, and the controls that isolate what the sharing costs.

A filter that is kept or removed as a whole contributes one scalar times a vector of independent normals to the target
kernel: the normally-scaled normal law of da Cunha, d'Amore and Natale (2023). Every law here has entries of mean 0 and
uncorrelated entries; they differ in what is dependent on what beyond that.

| law                         | marginal of an entry | entries of a vector | vectors of a sample       |
| --------------------------- | -------------------- | ------------------- | ------------------------- |
| NormallyScaledNormal        | Z Z'                 | share Z             | independent               |
| IndependentNormalProduct    | Z Z'                 | independent         | independent               |
| GroupScaledNormal           | Z Z'                 | share Z             | a group's vectors share Z |
| NormallyScaledUniform       | Z U                  | share Z             | independent               |
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rssp._arguments import integer
from rssp._identity import register
from rssp.laws.base import Law

__all__ = ["GroupScaledNormal", "IndependentNormalProduct", "NormallyScaledNormal", "NormallyScaledUniform"]


class _OfDimension(Law):
    """A law whose field `dim` is checked."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "dim", integer("dim", self.dim, 1))


@register
@dataclass(frozen=True)
class NormallyScaledNormal(_OfDimension):
    """Y_j = Z Z_j with Z, Z_1, ..., Z_dim independent N(0, 1): da Cunha, d'Amore and Natale (NeurIPS 2023).

    The entries are uncorrelated but not independent: the squares of two of them have correlation 1/4.

    >>> NormallyScaledNormal(dim=9).draw(4, np.random.default_rng(0)).shape
    (4, 9)
    """

    dim: int = 1

    def draw(self, n: int, rng: np.random.Generator) -> NDArray[np.float64]:
        return rng.standard_normal((n, 1)) * rng.standard_normal((n, self.dim))


@register
@dataclass(frozen=True)
class IndependentNormalProduct(_OfDimension):
    """Y_j = Z_j Z'_j, all factors independent N(0, 1): the marginals of NormallyScaledNormal without its dependence.

    >>> IndependentNormalProduct(dim=2).draw(4, np.random.default_rng(0)).shape
    (4, 2)
    """

    dim: int = 1

    def draw(self, n: int, rng: np.random.Generator) -> NDArray[np.float64]:
        return rng.standard_normal((n, self.dim)) * rng.standard_normal((n, self.dim))


@register
@dataclass(frozen=True)
class NormallyScaledUniform(_OfDimension):
    """Y_j = Z U_j with Z from N(0, 1) and U_j independent, uniform on [-1, 1].

    >>> NormallyScaledUniform(dim=2).draw(4, np.random.default_rng(0)).shape
    (4, 2)
    """

    dim: int = 1

    def draw(self, n: int, rng: np.random.Generator) -> NDArray[np.float64]:
        return rng.standard_normal((n, 1)) * rng.uniform(-1.0, 1.0, (n, self.dim))


@register
@dataclass(frozen=True)
class GroupScaledNormal(Law):
    """Y_ij = Z_g(i) Z_ij, with one factor Z_g for each run of `group` consecutive vectors.

    ``group=1`` has the law of NormallyScaledNormal; a larger group makes vectors of the same run dependent (their
    squared entries have correlation 1/4), those of different runs are independent. The last run of a sample may be
    shorter.

    >>> GroupScaledNormal(dim=3, group=2).draw(5, np.random.default_rng(0)).shape
    (5, 3)
    """

    dim: int = 1
    group: int = 2

    independent = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "dim", integer("dim", self.dim, 1))
        object.__setattr__(self, "group", integer("group", self.group, 1))

    def draw(self, n: int, rng: np.random.Generator) -> NDArray[np.float64]:
        return self.draw_many(1, n, rng)[0]

    def draw_many(self, trials: int, n: int, rng: np.random.Generator) -> NDArray[np.float64]:
        groups = -(-n // self.group)
        factor = np.repeat(rng.standard_normal((trials, groups)), self.group, axis=1)[:, :n, None]
        return factor * rng.standard_normal((trials, n, self.dim))
