"""Sets of inputs that a certificate speaks of and an attack searches: a ball, a box, the range of data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rssp._arguments import positive
from rssp.balls import Ball
from rssp.errors import ArgumentError, ArgumentTypeError

__all__ = ["Inputs"]


@dataclass(frozen=True, eq=False, repr=False)
class Inputs:
    """A set of inputs: the 2-norm ball of a radius around zero, or a box.

    Attributes
    ----------
    radius : float or None, of the ball; None for a box
    low, high : float64 arrays (inputs,), or numbers for all inputs: the box, or the cube around the ball

    Examples
    --------
    >>> Inputs.ball(4.8), Inputs.box(0, 1)
    (Inputs(||x||_2 <= 4.8), Inputs(box from 0 to 1))
    >>> Inputs.of_data([[0.0, 2.0], [1.0, -1.0]]).high.tolist()
    [1.0, 2.0]
    """

    radius: float | None
    low: NDArray[np.float64]
    high: NDArray[np.float64]

    @classmethod
    def ball(cls, radius: float = 1.0) -> Inputs:
        """``||x||_2 <= radius``."""
        radius = positive("radius", radius)
        return cls(radius, np.array([-radius]), np.array([radius]))

    @classmethod
    def box(cls, low: ArrayLike, high: ArrayLike) -> Inputs:
        """``low <= x <= high``, numbers or one an input."""
        a, b = np.atleast_1d(np.asarray(low, np.float64)).ravel(), np.atleast_1d(np.asarray(high, np.float64)).ravel()
        if not (np.isfinite(a).all() and np.isfinite(b).all()) or len({len(a), len(b)} - {1}) > 1:
            raise ArgumentError("low", low, "finite numbers, as many as high has")
        if (b < a).any():
            raise ArgumentError("high", high, "numbers >= low")
        return cls(None, a, b)

    @classmethod
    def of_data(cls, data: ArrayLike) -> Inputs:
        """The smallest box that holds all examples (m, ...)."""
        rows = np.asarray(data, np.float64)
        if rows.ndim < 2 or not len(rows):
            raise ArgumentError("data", f"an array of shape {rows.shape}", "examples (m, ...), at least one")
        rows = rows.reshape(len(rows), -1)
        return cls.box(rows.min(axis=0), rows.max(axis=0))

    @classmethod
    def read(cls, inputs: Any) -> Inputs:
        """An Inputs as it is, None as the unit ball, a number as a radius, a pair as a box."""
        if inputs is None:
            return cls.ball()
        if isinstance(inputs, cls):
            return inputs
        if isinstance(inputs, (int, float, np.number)) and not isinstance(inputs, bool):
            return cls.ball(float(inputs))
        if isinstance(inputs, tuple) and len(inputs) == 2:
            return cls.box(*inputs)
        raise ArgumentTypeError(
            "inputs", inputs, "a radius, a pair (low, high), Inputs.ball, Inputs.box or Inputs.of_data"
        )

    def bounds(self, inputs: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """The corners of the box, or of the cube around the ball: (inputs,) each."""
        if len(self.low) not in (1, inputs) or len(self.high) not in (1, inputs):
            raise ArgumentError("inputs", f"a box of {max(len(self.low), len(self.high))} numbers", f"{inputs} of them")
        return np.broadcast_to(self.low, inputs).copy(), np.broadcast_to(self.high, inputs).copy()

    def largest_norm(self, inputs: int) -> float:
        """An upper bound on ``||x||_2``."""
        if self.radius is not None:
            return self.radius
        most = np.maximum(*map(np.abs, self.bounds(inputs)))
        return float(np.linalg.norm(most) * (1 + (inputs + 8) * 2.0**-52))

    def draw(self, count: int, inputs: int, rng: np.random.Generator) -> NDArray[np.float64]:
        """Inputs (count, inputs), uniform in the set."""
        if self.radius is not None:
            return Ball(inputs, self.radius, norm=2).draw(count, rng)
        low, high = self.bounds(inputs)
        return rng.uniform(low, high, (count, inputs))

    def __repr__(self) -> str:
        if self.radius is not None:
            return f"Inputs(||x||_2 <= {self.radius:g})"
        low, high = self.low.min(), self.high.max()
        each = "" if len(self.low) == len(self.high) == 1 else f", {max(len(self.low), len(self.high))} sides"
        return f"Inputs(box from {low:g} to {high:g}{each})"
