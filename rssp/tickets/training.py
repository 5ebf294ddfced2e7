"""Training any module on digits, the same way every time: its own random numbers, Adam, one thread."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, TypeVar

import numpy as np
import torch
from torch import nn

from rssp._arguments import integer, positive
from rssp.errors import ArgumentTypeError
from rssp.tickets.network import one_thread

if TYPE_CHECKING:
    from rssp.tickets.digits import DigitData

__all__ = ["fit", "initialise", "train_module"]

_Module = TypeVar("_Module", bound=nn.Module)


def train_module(
    module: _Module,
    data: DigitData,
    *,
    epochs: int = 10,
    learning_rate: float = 3e-3,
    batch_size: int = 64,
    seed: int = 0,
) -> _Module:
    """Train a module from new weights by Adam on the cross entropy; the same arguments give the same weights.

    Parameters
    ----------
    module : takes ``data.x_train`` (m, ...) and returns (m, 10). Its parameters are drawn again (`initialise`); those
        that need no gradient keep the values drawn
    data : from digits_data(), digit_images() or mnist_data()
    epochs, learning_rate, batch_size, seed : as usual; the learning rate falls to zero along a cosine

    Returns
    -------
    the module itself, in eval mode and frozen. torch's own random state is left alone.

    >>> from rssp.tickets.digits import digits_data
    >>> network = train_module(nn.Sequential(nn.Linear(64, 8), nn.Tanh(), nn.Linear(8, 10)), digits_data(), epochs=1)
    >>> network.training, any(p.requires_grad for p in network.parameters())
    (False, False)
    """
    if not isinstance(module, nn.Module):
        raise ArgumentTypeError("module", module, "a torch.nn.Module")
    rng = np.random.default_rng(integer("seed", seed, 0))
    initialise(module, rng)
    x, y = torch.from_numpy(data.x_train), torch.from_numpy(data.y_train)
    learned = [p for p in module.parameters() if p.requires_grad]
    epochs, batch_size = integer("epochs", epochs, 0), integer("batch_size", batch_size, 1)
    adam = torch.optim.Adam(learned, lr=positive("learning_rate", learning_rate))
    steps = max(1, epochs * -(-len(x) // batch_size))
    fit(module, x, y, adam, rng, epochs, batch_size, torch.optim.lr_scheduler.CosineAnnealingLR(adam, steps))
    return module.eval().requires_grad_(False)


def initialise(module: nn.Module, rng: np.random.Generator) -> None:
    """Draw all matrices and kernels normal with variance 2 / fan-in (He et al. 2015), biases 0; norms keep theirs."""
    with torch.no_grad():
        for part in module.modules():
            if not isinstance(part, (nn.Linear, nn.Conv1d, nn.Conv2d)):
                continue
            shape = tuple(part.weight.shape)
            scale = math.sqrt(2 / math.prod(shape[1:]))
            part.weight.copy_(torch.from_numpy(rng.normal(0.0, scale, shape)))
            if part.bias is not None:
                part.bias.zero_()


def fit(
    module: nn.Module,
    x: torch.Tensor,
    y: torch.Tensor,
    optimizer: torch.optim.Optimizer,
    rng: np.random.Generator,
    epochs: int,
    batch_size: int,
    schedule: torch.optim.lr_scheduler.LRScheduler | None = None,
) -> None:
    """Minimise the cross entropy of inputs x (m, ...) and classes y (m,); the order of examples comes from `rng`."""
    module.train()
    with one_thread():
        for _ in range(epochs):
            order = torch.from_numpy(rng.permutation(len(x)))
            for batch in order.split(batch_size):
                optimizer.zero_grad()
                nn.functional.cross_entropy(module(x[batch]), y[batch]).backward()
                optimizer.step()
                if schedule is not None:
                    schedule.step()
