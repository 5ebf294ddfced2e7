"""What a law is: a frozen description of the distribution of one random vector."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

__all__ = ["Law"]


class Law(ABC):
    """The distribution of one random vector in R^dim.

    A law of one's own is a frozen dataclass with these two members; its fields enter the experiment's key::

        @rssp.register
        @dataclass(frozen=True)
        class Triangular(rssp.Law):
            dim: int = 1

            def draw(self, n, rng):
                return rng.triangular(-1, 0, 1, (n, self.dim))
    """

    dim: int
    independent: ClassVar[bool] = True
    """Whether the n vectors of one draw are independent; where they are not, a sample is one draw of n."""

    @abstractmethod
    def draw(self, n: int, rng: np.random.Generator) -> NDArray[np.float64]:
        """n vectors as a float64 array (n, dim); everything random comes from `rng`."""

    def draw_many(self, trials: int, n: int, rng: np.random.Generator) -> NDArray[np.float64]:
        """`trials` independent samples of n vectors, as an array (trials, n, dim)."""
        if self.independent:
            return self.draw(trials * n, rng).reshape(trials, n, self.dim)
        return np.stack([self.draw(n, rng) for _ in range(trials)])
