"""Laws with independent entries, in one dimension or more: those of the scalar theorems."""

from __future__ import annotations

import numbers
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.stats
from numpy.typing import NDArray

from rssp._arguments import integer, number, positive
from rssp._identity import canonical_json, register
from rssp.errors import ArgumentError, ArgumentTypeError
from rssp.laws.base import Law

__all__ = ["FromScipy", "GatedProduct", "Mixture", "Normal", "Product", "Uniform"]


def _set(law: Law, **fields: object) -> None:
    for name, value in fields.items():
        object.__setattr__(law, name, value)


@register
@dataclass(frozen=True)
class Uniform(Law):
    """Independent entries, uniform on [low, high]: Lueker (1998), Pensia et al. (2020).

    >>> Uniform().draw(2, np.random.default_rng(0)).shape
    (2, 1)
    >>> Uniform(-0.5, 0.5, dim=3)
    Uniform(low=-0.5, high=0.5, dim=3)
    """

    low: float = -1.0
    high: float = 1.0
    dim: int = 1

    def __post_init__(self) -> None:
        _set(self, low=number("low", self.low), high=number("high", self.high), dim=integer("dim", self.dim, 1))
        if self.high <= self.low:
            raise ArgumentError("high", self.high, f"a number > low = {self.low}")

    def draw(self, n: int, rng: np.random.Generator) -> NDArray[np.float64]:
        return rng.uniform(self.low, self.high, (n, self.dim))


@register
@dataclass(frozen=True)
class Normal(Law):
    """Independent normal entries: N(mean, std^2 I), Becchetti et al. (2022).

    >>> Normal(dim=2).draw(5, np.random.default_rng(0)).shape
    (5, 2)
    """

    mean: float = 0.0
    std: float = 1.0
    dim: int = 1

    def __post_init__(self) -> None:
        _set(
            self,
            mean=number("mean", self.mean),
            std=positive("std", self.std),
            dim=integer("dim", self.dim, 1),
        )

    def draw(self, n: int, rng: np.random.Generator) -> NDArray[np.float64]:
        return rng.normal(self.mean, self.std, (n, self.dim))


@register
@dataclass(frozen=True)
class Product(Law):
    """Entries U U' with U, U' independent and uniform on [-1, 1]: a path of two random links.

    The density at t is ``log(1/|t|) / 2`` on [-1, 1] (Pensia et al. 2020, before gating).
    """

    dim: int = 1

    def __post_init__(self) -> None:
        _set(self, dim=integer("dim", self.dim, 1))

    def draw(self, n: int, rng: np.random.Generator) -> NDArray[np.float64]:
        factors = rng.uniform(-1.0, 1.0, (2, n, self.dim))
        return factors[0] * factors[1]


@register
@dataclass(frozen=True)
class GatedProduct(Law):
    """Pensia et al. (2020), Corollary 1: D = (delta_0 + law of U U') / 2.

    One factor's wrong-sign half is pruned away beforehand, which leaves 0 with probability 1/2 and a product of
    uniforms otherwise. D contains U[-1/2, 1/2] with mass (log 2)/4.
    """

    dim: int = 1

    def __post_init__(self) -> None:
        _set(self, dim=integer("dim", self.dim, 1))

    def draw(self, n: int, rng: np.random.Generator) -> NDArray[np.float64]:
        factors = rng.uniform(-1.0, 1.0, (2, n, self.dim))
        return np.maximum(factors[0], 0.0) * factors[1]


@register
@dataclass(frozen=True)
class Mixture(Law):
    """Each vector from `law` with probability `weight`, else from `other`.

    Lueker (1998), Corollary 3.3, speaks of every law that contains a uniform one with constant mass.

    >>> law = Mixture(Uniform(), 0.25, Normal())
    >>> law.dim
    1
    """

    law: Law
    weight: float
    other: Law

    def __post_init__(self) -> None:
        for name in ("law", "other"):
            if not isinstance(getattr(self, name), Law):
                raise ArgumentTypeError(name, getattr(self, name), "a Law")
            if not getattr(self, name).independent:
                raise ArgumentError(name, getattr(self, name), "a law with independent vectors")
        _set(self, weight=number("weight", self.weight, 0.0, 1.0))
        if self.law.dim != self.other.dim:
            raise ArgumentError("other", f"dimension {self.other.dim}", f"the dimension of law, {self.law.dim}")

    @property
    def dim(self) -> int:  # type: ignore[override]
        return self.law.dim

    def draw(self, n: int, rng: np.random.Generator) -> NDArray[np.float64]:
        first = rng.random((n, 1)) < self.weight
        return np.where(first, self.law.draw(n, rng), self.other.draw(n, rng))


@register
@dataclass(frozen=True, eq=False)
class FromScipy(Law):
    """Independent entries from a frozen distribution of scipy.stats, continuous or discrete.

    >>> import scipy.stats
    >>> FromScipy(scipy.stats.beta(2, 3))
    FromScipy(scipy.stats.beta(2, 3))
    """

    distribution: Any
    dim: int = 1

    def __post_init__(self) -> None:
        d = self.distribution
        if not all(hasattr(d, name) for name in ("rvs", "dist", "args", "kwds")):
            raise ArgumentTypeError(
                "distribution", d, "a frozen scipy.stats distribution such as scipy.stats.beta(2, 3)"
            )
        if not hasattr(scipy.stats, d.dist.name):
            raise ArgumentError("distribution", d.dist.name, "a distribution that scipy.stats has by this name")
        values = [*d.args, *d.kwds.values()]
        if any(np.ndim(v) != 0 for v in values):
            raise ArgumentError("distribution", "array parameters", "scalar parameters")
        for value in values:
            if not isinstance(value, (numbers.Real, np.number)) or isinstance(value, np.complexfloating):
                raise ArgumentError("distribution", f"the parameter {value!r}", "real parameters")
        if np.isnan(
            d.support()
        ).any():  # what SciPy says where its parameters are out of range; else it raises on draws
            inner = ", ".join([*map(str, d.args), *(f"{k}={v}" for k, v in d.kwds.items())])
            raise ArgumentError("distribution", f"{d.dist.name}({inner})", "parameters in the range that SciPy allows")
        _set(self, dim=integer("dim", self.dim, 1))

    @classmethod
    def _rebuild(
        cls, name: str, args: tuple[float, ...] = (), kwds: dict[str, float] | None = None, dim: int = 1
    ) -> FromScipy:
        family = getattr(scipy.stats, name, None)
        if not isinstance(family, (scipy.stats.rv_continuous, scipy.stats.rv_discrete)):
            raise ArgumentError("name", repr(name), "a distribution of scipy.stats")
        return cls(family(*args, **(kwds or {})), dim)

    def _describe_fields(self) -> dict[str, Any]:
        d = self.distribution
        fields: dict[str, Any] = {"name": d.dist.name}
        if d.args:
            fields["args"] = tuple(map(float, d.args))
        if d.kwds:
            fields["kwds"] = {k: float(v) for k, v in sorted(d.kwds.items())}
        if self.dim != 1:
            fields["dim"] = self.dim
        return fields

    def __repr__(self) -> str:
        d = self.distribution
        inner = ", ".join([*(repr(a) for a in d.args), *(f"{k}={v!r}" for k, v in sorted(d.kwds.items()))])
        tail = f", dim={self.dim}" if self.dim != 1 else ""
        return f"FromScipy(scipy.stats.{d.dist.name}({inner}){tail})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, FromScipy) and canonical_json(self) == canonical_json(other)

    def __hash__(self) -> int:
        return hash(canonical_json(self))

    def draw(self, n: int, rng: np.random.Generator) -> NDArray[np.float64]:
        return np.asarray(self.distribution.rvs(size=(n, self.dim), random_state=rng), dtype=np.float64)
