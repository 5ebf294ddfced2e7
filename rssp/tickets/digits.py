"""Targets trained on handwritten digits: scikit-learn's 8x8 digits, in its wheel, and MNIST, fetched once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from rssp._arguments import integer, positive
from rssp.errors import ArgumentError, RsspError
from rssp.tickets.network import Network
from rssp.tickets.read import whole_numbers
from rssp.tickets.ticket import Ticket
from rssp.tickets.training import fit

__all__ = ["DataError", "DigitData", "accuracy", "digit_images", "digits_data", "mnist_data", "train_network"]

_MNIST = 554  # the data set "mnist_784" of openml.org
_SPLIT_SEED = 0


class DataError(RsspError, ValueError):
    """A data set could not be fetched, or is not what it should be."""


@dataclass(frozen=True, eq=False)
class DigitData:
    """Images of digits, one a row, with pixels in [0, 1], and the digits they show.

    Attributes
    ----------
    x_train, x_test : float32 arrays (m, pixels), or (m, 1, side, side) from `digit_images`
    y_train, y_test : int64 arrays (m,), 0 to 9
    name : str
    """

    x_train: NDArray[np.float32]
    y_train: NDArray[np.int64]
    x_test: NDArray[np.float32]
    y_test: NDArray[np.int64]
    name: str


def digits_data() -> DigitData:
    """The 1,797 digits of 8x8 pixels that come with scikit-learn: 1,437 to train on, 360 to test, always the same.

    >>> digits_data().x_train.shape
    (1437, 64)
    """
    from sklearn.datasets import load_digits

    images, digits = load_digits(return_X_y=True)
    order = np.random.default_rng(_SPLIT_SEED).permutation(len(images))
    x, y = (images[order] / 16).astype(np.float32), digits[order].astype(np.int64)
    return DigitData(x[:1437], y[:1437], x[1437:], y[1437:], "digits")


def digit_images(data: DigitData, side: int) -> DigitData:
    """The same digits as images (m, 1, side, side), scaled by bilinear interpolation: what convolutions take.

    >>> digit_images(digits_data(), 32).x_test.shape
    (360, 1, 32, 32)
    """
    side = integer("side", side, 1)

    def images(x: NDArray[np.float32]) -> NDArray[np.float32]:
        old = round(x[0].size ** 0.5)
        square = torch.from_numpy(x).reshape(-1, 1, old, old)
        if old == side:
            return np.asarray(square.numpy())
        return np.asarray(nn.functional.interpolate(square, (side, side), mode="bilinear").numpy())

    return replace(data, x_train=images(data.x_train), x_test=images(data.x_test))


def mnist_data(data_home: str | Path | None = None) -> DigitData:
    """MNIST from openml.org: 60,000 digits of 28x28 pixels to train on, the last 10,000 to test.

    Parameters
    ----------
    data_home : folder to keep the download in (about 15 MB; later calls need no network); scikit-learn's by default

    Raises
    ------
    DataError
        if it can neither be fetched nor found, or is not of 784 pixels and 10 digits

    Cost: about 1 GB of memory and half a minute for reading (the download is kept, not what was read).
    """
    from sklearn.datasets import fetch_openml

    try:
        bunch = fetch_openml(
            data_id=_MNIST,
            as_frame=False,
            parser="liac-arff",
            data_home=None if data_home is None else str(data_home),
            n_retries=1,
        )
    except Exception as cause:  # network, server, checksum and parser each raise their own
        raise DataError(
            f"MNIST could not be fetched from openml.org ({type(cause).__name__}: {cause}). Check the connection, or "
            "use digits_data(), which needs none."
        ) from cause
    pixels = np.asarray(bunch.data)
    digits = np.asarray(bunch.target).astype(np.int64)
    if pixels.ndim != 2 or pixels.shape[1] != 784 or pixels.min() < 0 or pixels.max() > 255:
        raise DataError(
            f"mnist_784: images of shape {pixels.shape} in [{pixels.min()}, {pixels.max()}], not 784 bytes."
        )
    if digits.min() < 0 or digits.max() > 9:
        raise DataError("mnist_784: its labels are not the digits 0 to 9.")
    x = (pixels / 255).astype(np.float32)
    cut = len(x) * 6 // 7
    return DigitData(x[:cut], digits[:cut], x[cut:], digits[cut:], "mnist")


def train_network(
    data: DigitData,
    hidden: Sequence[int] = (32,),
    *,
    bias: bool = False,
    epochs: int = 30,
    learning_rate: float = 3e-3,
    batch_size: int = 64,
    seed: int = 0,
) -> nn.Sequential:
    """Train Linear and ReLU layers by Adam on the cross entropy; the same arguments give the same network.

    Parameters
    ----------
    data : from digits_data() or mnist_data()
    hidden : widths of the hidden layers
    bias : whether layers have biases
    epochs, learning_rate, batch_size, seed : as usual; torch's own random state is left alone

    Returns
    -------
    torch.nn.Sequential, float32, frozen (no gradients). Costs three multiplications a weight, image and epoch: one of
    the output, two of the gradients.

    >>> network = train_network(digits_data(), hidden=(8,), epochs=1)
    >>> [layer.weight.shape for layer in network if isinstance(layer, nn.Linear)]
    [torch.Size([8, 64]), torch.Size([10, 8])]
    """
    widths = [data.x_train.shape[1], *whole_numbers("hidden", hidden), 10]
    epochs, batch_size = integer("epochs", epochs, 0), integer("batch_size", batch_size, 1)
    rng = np.random.default_rng(integer("seed", seed, 0))
    modules: list[nn.Module] = []
    for inputs, outputs in pairwise(widths):
        layer = nn.utils.skip_init(nn.Linear, inputs, outputs, bias=bias)
        with torch.no_grad():
            for parameter in layer.parameters():
                shape = tuple(parameter.shape)
                parameter.copy_(torch.from_numpy(rng.uniform(-1.0, 1.0, shape) / np.sqrt(inputs)))
        modules += [layer, nn.ReLU()]
    network = nn.Sequential(*modules[:-1])
    x, y = torch.from_numpy(data.x_train), torch.from_numpy(data.y_train)
    adam = torch.optim.Adam(network.parameters(), lr=positive("learning_rate", learning_rate))
    fit(network, x, y, adam, rng, epochs, batch_size)
    return network.requires_grad_(False)


def accuracy(model: nn.Module | Ticket | Network, x: NDArray[np.float32], y: NDArray[np.int64]) -> float:
    """The fraction of inputs x (m, ...) whose largest output is the class y (m,).

    A module and a ticket's module are evaluated in their own type, a Network in float64.

    >>> data = digits_data()
    >>> accuracy(train_network(data), data.x_test, data.y_test) > 0.95
    True
    """
    if np.ndim(x) < 2 or len(x) == 0 or np.shape(y) != (len(x),):
        raise ArgumentError("x", f"shape {np.shape(x)} and labels of shape {np.shape(y)}", "shapes (m, ...) and (m,)")
    if isinstance(model, Network):
        return float((model(x).argmax(axis=1) == y).mean())
    network = model.network if isinstance(model, Ticket) else model
    numbers = [*network.parameters(), *network.buffers()]
    dtype = next((v.dtype for v in numbers if v.dtype.is_floating_point), torch.float32)
    hits = 0
    with torch.no_grad():
        for i in range(0, len(x), 256):
            outputs = network(torch.tensor(np.asarray(x[i : i + 256]), dtype=dtype))
            hits += int((outputs.flatten(1).argmax(dim=1).numpy() == y[i : i + 256]).sum())
    return hits / len(x)
