"""Activations: functions of one number, with what a construction and a certificate must know of them.

Near zero an activation is two half-lines: a slope for positive inputs, one for negative ones, and a remainder of at
most ``curvature x**2 / 2`` (Burkholz, NeurIPS 2022, asks no more). ReLU and leaky ReLU are such half-lines exactly.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional as F

from rssp._arguments import number
from rssp.errors import ArgumentError, ArgumentTypeError

__all__ = [
    "GELU",
    "GELU_TANH",
    "IDENTITY",
    "RELU",
    "RELU6",
    "SIGMOID",
    "SILU",
    "TANH",
    "Activation",
    "leaky_relu",
    "named_activation",
]


@dataclass(frozen=True, repr=False)
class Activation:
    """A pointwise function between layers.

    Attributes
    ----------
    name : str
    function : callable on float64 tensors, entry by entry, that torch's autograd can follow
    slope_left, slope_right : float, the derivatives at zero from the left and from the right
    curvature : float, a c with ``|phi(x) - phi(0) - slope x| <= c x**2 / 2`` on either side
    slopes : (lowest, highest) derivative anywhere; a certificate needs it. For half-lines (curvature 0) it follows.
    values : (infimum, supremum) of the function
    centred : callable, ``phi(x) - phi(0)`` without cancellation; needed only where phi(0) is not 0
    straight : the function is its half-lines and phi(0) exactly for inputs up to this (infinity for curvature 0)
    bend : None, or a bound on the |second derivative| everywhere: certificates use slopes over the range at hand

    Examples
    --------
    >>> TANH.slope_right, TANH.slopes, TANH.lipschitz
    (1.0, (0.0, 1.0), 1.0)
    >>> Activation("square root", lambda x: (1 + x).sqrt() - 1, 0.5, 0.5, 0.25).slopes is None
    True
    """

    name: str
    function: Callable[[torch.Tensor], torch.Tensor] = field(compare=False)
    slope_left: float
    slope_right: float
    curvature: float
    slopes: tuple[float, float] | None = None
    values: tuple[float, float] = (-math.inf, math.inf)
    centred: Callable[[torch.Tensor], torch.Tensor] | None = field(default=None, compare=False)
    bend: float | None = None
    straight: float = 0.0

    def __post_init__(self) -> None:
        if not callable(self.function):
            raise ArgumentTypeError("function", self.function, "a callable on tensors")
        for name in ("slope_left", "slope_right"):
            object.__setattr__(self, name, number(name, getattr(self, name)))
        object.__setattr__(self, "curvature", number("curvature", self.curvature, 0.0))
        if self.slopes is None and self.curvature == 0:
            pair = (min(self.slope_left, self.slope_right), max(self.slope_left, self.slope_right))
            object.__setattr__(self, "slopes", pair)
        if self.slopes is not None and not self.slopes[0] <= self.slopes[1]:
            raise ArgumentError("slopes", self.slopes, "(lowest, highest)")

    @property
    def lipschitz(self) -> float:
        """The largest absolute slope; ArgumentError where `slopes` was not given."""
        if self.slopes is None:
            raise ArgumentError(
                "slopes",
                f"None for the activation {self.name!r}",
                "(lowest, highest) derivative of the function",
                "A certificate needs them: Activation(..., slopes=(low, high)).",
            )
        return max(abs(self.slopes[0]), abs(self.slopes[1]))

    @property
    def homogeneous(self) -> bool:
        """Whether ``phi(a x) = a phi(x)`` for all a > 0: two half-lines through zero."""
        return self.curvature == 0 and self.at_zero == 0

    @property
    def at_zero(self) -> float:
        """phi(0)."""
        return float(self(torch.zeros(1, dtype=torch.float64))[0])

    def half_lines(self, high: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Where the function is two half-lines up to `high`."""
        if self.curvature == 0:
            return np.full(high.shape, True)
        return (high <= self.straight) & (self.straight > 0)

    def slopes_between(
        self, low: NDArray[np.float64], high: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Bounds on the slopes of secants between points of the intervals, entry by entry.

        Half-lines have one slope on either side of zero; else, with a `bend`, a slope is that of the middle of a part
        within the bend times half its length, over 16 parts.

        >>> [s.tolist() for s in RELU.slopes_between(np.array([-1.0, 1.0]), np.array([2.0, 2.0]))]
        [[0.0, 1.0], [1.0, 1.0]]
        """
        lowest, highest = self.slopes if self.slopes is not None else (-self.lipschitz, self.lipschitz)
        m, most = np.full(low.shape, lowest), np.full(low.shape, highest)
        straight = self.half_lines(high)
        if straight.any():
            sides = (self.slope_left, self.slope_right)
            m[straight], most[straight] = min(sides), max(sides)
            for one_side, slope in ((straight & (low >= 0), sides[1]), (straight & (high <= 0), sides[0])):
                m[one_side] = most[one_side] = slope
        elif self.bend is not None:
            parts = 16
            width = (high - low) / parts
            at = torch.from_numpy(low + width * (np.arange(parts).reshape(-1, *(1,) * low.ndim) + 0.5))
            at = at.clamp(-1e8, 1e8).requires_grad_(True)
            with torch.enable_grad():
                slopes = torch.autograd.grad(self(at).sum(), at)[0].numpy()
            off = self.bend * width / 2 * (1 + 1e-12) + 1e-12  # 1e-12 is far above the rounding of a derivative
            m, most = np.maximum(m, slopes.min(axis=0) - off), np.minimum(most, slopes.max(axis=0) + off)
        return m, most

    def values_between(
        self, low: NDArray[np.float64], high: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Bounds on the values over the intervals, entry by entry: by the ends, and slopes where it is not monotone."""
        ends = self(torch.from_numpy(np.stack([low, high]))).numpy()
        low_slope, high_slope = self.slopes_between(low, high)
        a, b = np.minimum(*ends), np.maximum(*ends)
        if self.curvature == 0 or (self.slope_left == 0 and self.straight):
            inside = (low < 0) & (high > 0)
            a, b = np.where(inside, np.minimum(a, self.at_zero), a), np.where(inside, np.maximum(b, self.at_zero), b)
        else:
            turns = (low_slope < 0) & (high_slope > 0)
            most = np.maximum(-low_slope, high_slope) * (high - low) / 2 * (1 + 1e-12)
            middle = self(torch.from_numpy((low + high) / 2)).numpy()
            a, b = np.where(turns, np.minimum(a, middle - most), a), np.where(turns, np.maximum(b, middle + most), b)
        off = 1e-14 * np.maximum(np.abs(a), np.abs(b)) + 1e-15  # some units in the last place of the function
        return np.maximum(a - off, self.values[0]), np.minimum(b + off, self.values[1])

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        return self.function(x)

    def around_zero(self, x: torch.Tensor) -> torch.Tensor:
        """``phi(x) - phi(0)``."""
        if self.centred is not None:
            return self.centred(x)
        return self(x) if self.at_zero == 0 else self(x) - self.at_zero

    def __repr__(self) -> str:
        return f"Activation({self.name})"


# The largest |second derivative|, a bound for the remainder by Taylor: tanh 4 / (3 sqrt 3), sigmoid sqrt(3) / 18,
# GELU |phi(x) (2 - x^2)| <= 2 phi(0), SiLU at most 1/2. ReLU6: (x - 6) <= x^2 / 24. Slopes of GELU lie in
# [-0.12905, 1.12905] (at x = -+sqrt 2), those of SiLU in [-0.09984, 1.09984] (at x = -+2.3994): rounded outwards.
RELU = Activation("relu", torch.relu, 0.0, 1.0, 0.0, values=(0.0, math.inf))
RELU6 = Activation("relu6", F.relu6, 0.0, 1.0, 1 / 12, slopes=(0.0, 1.0), values=(0.0, 6.0), straight=6.0)
TANH = Activation("tanh", torch.tanh, 1.0, 1.0, 0.7699, slopes=(0.0, 1.0), values=(-1.0, 1.0), bend=0.7699)
SIGMOID = Activation(
    "sigmoid",
    torch.sigmoid,
    0.25,
    0.25,
    0.09623,
    slopes=(0.0, 0.25),
    values=(0.0, 1.0),
    centred=lambda x: torch.tanh(x / 2) / 2,
    bend=0.09623,
)
GELU = Activation("gelu", F.gelu, 0.5, 0.5, 0.7979, slopes=(-0.12905, 1.12905), values=(-0.17, math.inf), bend=0.7979)
# torch's approximation of GELU: the same numbers widened by what the approximation changes, seen on a grid of 1e-4
GELU_TANH = Activation(
    "gelu_tanh",
    lambda x: F.gelu(x, approximate="tanh"),
    0.5,
    0.5,
    0.798,
    slopes=(-0.1295, 1.1295),
    values=(-0.1702, math.inf),
    bend=0.798,
)
SILU = Activation("silu", F.silu, 0.5, 0.5, 0.5, slopes=(-0.0999, 1.0999), values=(-0.2785, math.inf), bend=0.5)
IDENTITY = Activation("identity", lambda x: x, 1.0, 1.0, 0.0)
_NAMED = {a.name: a for a in (RELU, RELU6, TANH, SIGMOID, GELU, GELU_TANH, SILU, IDENTITY)}


def leaky_relu(slope: float = 0.01) -> Activation:
    """Leaky ReLU with the given slope for negative inputs.

    >>> leaky_relu(0.3).name
    'leaky_relu(0.3)'
    """
    slope = number("slope", slope)
    low = 0.0 if slope <= 0 else -math.inf
    return Activation(
        f"leaky_relu({slope!r})", lambda x: F.leaky_relu(x, slope), slope, 1.0, 0.0, values=(low, math.inf)
    )


def named_activation(name: str) -> Activation | None:
    """The activation of a name that this module gave, or None.

    >>> named_activation("leaky_relu(0.3)") == leaky_relu(0.3), named_activation("mine") is None
    (True, True)
    """
    if name.startswith("leaky_relu(") and name.endswith(")"):
        try:
            return leaky_relu(float(name[11:-1]))
        except ValueError:
            return None
    return _NAMED.get(name)
