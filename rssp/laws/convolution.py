"""The vectors that a structured ticket is made of, cut out of the weights of an actual random convolution.

The source network of da Cunha, d'Amore and Natale (NeurIPS 2023) replaces a layer with a target kernel of shape
(d, d, c_in, c_out) by a 1 x 1 convolution into m channels, a ReLU and a d x d convolution, all weights independent
N(0, 1). The n-channel-blocked mask lets each of the m channels read one input channel only: channel t reads input
channel k iff ``t // (m / c_in) == k``. Removing filter t of the 1 x 1 layer then drops, as a whole, what t adds to the
target's kernel: ``v_kt L_t``, a scalar times a slice of shape (d, d, c_out). A kept set of filters adds up, so that the
network approximates the target kernel at input channel k iff a subset of the vectors ``v_kt L_t`` of block k does.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rssp._arguments import integer
from rssp._identity import register
from rssp.errors import ArgumentError
from rssp.laws.base import Law

__all__ = ["ConvolutionBlocks", "blocked_mask", "filter_contributions"]


def blocked_mask(channels_in: int, filters_per_channel: int) -> NDArray[np.bool_]:
    """The n-channel-blocked mask of a 1 x 1 layer, as a bool array (channels_in, channels_in * filters_per_channel).

    >>> blocked_mask(2, 3).astype(int)
    array([[1, 1, 1, 0, 0, 0],
           [0, 0, 0, 1, 1, 1]])
    """
    return np.repeat(np.eye(channels_in, dtype=bool), filters_per_channel, axis=1)


def filter_contributions(pointwise: NDArray[np.float64], kernel: NDArray[np.float64]) -> NDArray[np.float64]:
    """What each filter adds to the target kernel at each input channel.

    Parameters
    ----------
    pointwise : array (c_in, m), the (masked, gated) weights of the 1 x 1 layer
    kernel : array (d, d, m, c_out), the weights of the d x d layer

    Returns
    -------
    array (c_in, m, d * d * c_out): ``pointwise[k, t] * kernel[:, :, t, :]``, flattened
    """
    size, _, filters, channels_out = kernel.shape
    slices = np.moveaxis(kernel, 2, 0).reshape(filters, size * size * channels_out)
    return pointwise[:, :, None] * slices[None, :, :]


@register
@dataclass(frozen=True)
class ConvolutionBlocks(Law):
    """What the filters of a random convolution contribute to the target kernel: vectors of kernel_size^2 channels_out.

    A draw of n vectors draws the weights of a 1 x 1 layer with ceil(n / channels_in) filters for each input channel and
    of the following d x d layer, applies the blocked mask, and flattens what each filter adds to the target kernel at
    the one input channel that it reads.

    The vectors are independent, also those of different input channels: the mask leaves each filter one scalar and one
    slice of its own. Without the mask, filter t would add ``v_kt L_t`` at every input channel k, with L_t shared. The
    entries of one vector share the scalar: its law is that of NormallyScaledNormal.

    Parameters
    ----------
    kernel_size : int >= 1, d of a d x d kernel
    channels_in, channels_out : int >= 1
    sign : None, 1 or -1
        The ReLU passes v x where v x > 0. On the positive part of the input (``sign=1``) filter t contributes
        max(v, 0) L_t, on the negative part (``sign=-1``) min(v, 0) L_t: half of the vectors are 0, the others are
        normally-scaled normal; both parts have to approximate the same kernel. None: v L_t, no gate.

    >>> ConvolutionBlocks(kernel_size=3, channels_in=2, channels_out=4).dim
    36
    >>> ConvolutionBlocks(kernel_size=1, channels_out=2, sign=1).draw(3, np.random.default_rng(0)).shape
    (3, 2)
    """

    kernel_size: int = 3
    channels_in: int = 1
    channels_out: int = 1
    sign: int | None = None

    def __post_init__(self) -> None:
        for name in ("kernel_size", "channels_in", "channels_out"):
            object.__setattr__(self, name, integer(name, getattr(self, name), 1))
        if self.sign is not None:
            sign = integer("sign", self.sign)
            if sign not in (-1, 1):
                raise ArgumentError("sign", sign, "1, -1 or None")
            object.__setattr__(self, "sign", sign)

    @property
    def dim(self) -> int:  # type: ignore[override]
        return self.kernel_size**2 * self.channels_out

    def draw_weights(
        self, filters_per_channel: int, rng: np.random.Generator
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """The unmasked weights: (channels_in, m) of the 1 x 1 layer and (d, d, m, channels_out) of the d x d layer.

        m = channels_in * filters_per_channel.
        """
        m = self.channels_in * filters_per_channel
        pointwise = rng.standard_normal((self.channels_in, m))
        kernel = rng.standard_normal((self.kernel_size, self.kernel_size, m, self.channels_out))
        return pointwise, kernel

    def gate(self, pointwise: NDArray[np.float64]) -> NDArray[np.float64]:
        """The 1 x 1 weights with those set to 0 that the ReLU silences on the input part `sign`."""
        if self.sign is None:
            return pointwise
        return np.maximum(pointwise, 0.0) if self.sign == 1 else np.minimum(pointwise, 0.0)

    def draw(self, n: int, rng: np.random.Generator) -> NDArray[np.float64]:
        per_channel = -(-n // self.channels_in)
        pointwise, kernel = self.draw_weights(per_channel, rng)
        # the mask leaves filter t one non-zero row of `pointwise`: only that row's product is formed
        own_channel = np.repeat(np.arange(self.channels_in), per_channel)
        scalars = self.gate(pointwise[own_channel, np.arange(own_channel.size)])
        return filter_contributions(scalars[None, :], kernel)[0, :n]
