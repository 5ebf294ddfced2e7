"""The targets: a ball of the 1-, 2- or max-norm, with any centre and radius."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import gammaln

from rssp._arguments import integer, number, positive, target_array
from rssp._identity import register
from rssp.errors import ArgumentError

__all__ = ["Ball"]

_NORMS = (1.0, 2.0, math.inf)


@register
@dataclass(frozen=True)
class Ball:
    """All targets z in R^dim with ``||z - centre||_norm <= radius``.

    Parameters
    ----------
    dim : int >= 1
    radius : float > 0
    norm : 1, 2 or inf
    centre : float or tuple of dim floats; a single number is taken for every coordinate

    Examples
    --------
    >>> Ball(1).bounds                      # the interval [-1, 1]
    (array([-1.]), array([1.]))
    >>> Ball.interval(-0.5, 0.5)
    Ball(dim=1, radius=0.5, norm=inf, centre=0.0)
    >>> Ball(3, norm=1).volume              # 2^d / d!
    1.3333333333333333
    """

    dim: int = 1
    radius: float = 1.0
    norm: float = math.inf
    centre: float | tuple[float, ...] = 0.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "dim", integer("dim", self.dim, 1))
        object.__setattr__(self, "radius", positive("radius", self.radius))
        if isinstance(self.norm, bool) or self.norm not in _NORMS:
            raise ArgumentError("norm", self.norm, "1, 2 or inf")
        # one name for one set: in one dimension all three norms are the same interval
        object.__setattr__(self, "norm", math.inf if self.dim == 1 else float(self.norm))
        object.__setattr__(self, "centre", self._centre_field())

    def _centre_field(self) -> float | tuple[float, ...]:
        if isinstance(self.centre, (tuple, list, np.ndarray)):
            values = tuple(number("centre", v) for v in self.centre)
            if len(values) != self.dim:
                raise ArgumentError("centre", f"{len(values)} numbers", f"one number, or dim = {self.dim} of them")
            return values[0] if len(set(values)) == 1 else values
        return number("centre", self.centre)

    @classmethod
    def interval(cls, low: float, high: float) -> Ball:
        """The one-dimensional ball [low, high]."""
        low, high = number("low", low), number("high", high)
        if high <= low:
            raise ArgumentError("high", high, f"a number > low = {low}")
        return cls(1, (high - low) / 2, math.inf, (high + low) / 2)

    @property
    def centre_vector(self) -> NDArray[np.float64]:
        """The centre as an array (dim,)."""
        return np.full(self.dim, self.centre, dtype=np.float64)

    @property
    def bounds(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """The lower and the upper corner of the bounding cube, each (dim,)."""
        centre = self.centre_vector
        return centre - self.radius, centre + self.radius

    @property
    def log_volume(self) -> float:
        """Natural logarithm of the volume; finite in any dimension."""
        d, log_r = self.dim, math.log(self.radius)
        unit: float
        if self.norm == 1:
            unit = d * math.log(2) - float(gammaln(d + 1))
        elif self.norm == 2:
            unit = d / 2 * math.log(math.pi) - float(gammaln(d / 2 + 1))
        else:
            unit = d * math.log(2)
        return unit + d * log_r

    @property
    def volume(self) -> float:
        """The volume (0 or inf where float64 cannot hold it: see log_volume)."""
        d, r = self.dim, self.radius
        try:
            if self.norm == 1:
                return float((2 * r) ** d / math.factorial(d))
            if self.norm == math.inf:
                return float((2 * r) ** d)
            return math.exp(self.log_volume)
        except OverflowError:
            return math.exp(min(self.log_volume, 709.0)) if self.log_volume < 709 else math.inf

    def distance_from_centre(self, points: ArrayLike) -> NDArray[np.float64]:
        """``||z - centre||_norm`` of points (m, dim), as an array (m,)."""
        z = target_array(points, self.dim, "points") - self.centre_vector
        return np.asarray(np.linalg.norm(z, ord=self.norm, axis=1))

    def contains(self, points: ArrayLike) -> NDArray[np.bool_]:
        """Which of the points (m, dim) lie in the ball (boundary included), as an array (m,)."""
        return self.distance_from_centre(points) <= self.radius

    def draw(self, n: int, rng: np.random.Generator) -> NDArray[np.float64]:
        """n independent targets, uniform in the ball, as an array (n, dim)."""
        n, d = integer("n", n, 0), self.dim
        if self.norm == math.inf:
            unit = rng.uniform(-1.0, 1.0, (n, d))
        elif self.norm == 2:
            normal = rng.standard_normal((n, d))
            length = np.linalg.norm(normal, axis=1, keepdims=True)
            unit = normal / np.maximum(length, np.finfo(float).tiny) * rng.random((n, 1)) ** (1 / d)
        else:
            # d exponentials over the sum of d + 1 of them are uniform in the simplex
            exponential = rng.exponential(size=(n, d + 1))
            simplex = exponential[:, :d] / exponential.sum(axis=1, keepdims=True)
            unit = simplex * rng.choice((-1.0, 1.0), (n, d))
        return self.centre_vector + self.radius * unit

    def grid(self, per_axis: int) -> NDArray[np.float64]:
        """The points of a regular grid with `per_axis` values an axis that lie in the ball, as (m, dim)."""
        per_axis = integer("per_axis", per_axis, 2)
        low, high = self.bounds
        axes = [np.linspace(a, b, per_axis) for a, b in zip(low, high, strict=True)]
        points = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, self.dim)
        slack = self.radius * (1 + 4 * np.finfo(float).eps * self.dim)
        return points[self.distance_from_centre(points) <= slack]
