"""Networks that the publications on tickets use, with untrained weights: LeNet5, a small convolutional net, ResNets."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import nn

from rssp._arguments import integer
from rssp.errors import ArgumentError

__all__ = ["conv_net", "lenet5", "resnet"]


def lenet5(side: int = 32) -> nn.Sequential:
    """LeNet5 for images (1, side, side): convolutions 1-6-16 of 5 x 5, max pooling, dense 400-120-84-10.

    `side` is 32, or 28 with a padding of 2 before the first convolution, as for MNIST.

    >>> sum(p.numel() for p in lenet5().parameters())
    61706
    """
    if side not in (28, 32):
        raise ArgumentError("side", side, "28 or 32")
    return nn.Sequential(
        nn.Conv2d(1, 6, 5, padding=(32 - side) // 2), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
        nn.Linear(400, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, 10),
    )  # fmt: skip


def conv_net(side: int, channels: int = 32, activation: Callable[[], nn.Module] = nn.ReLU) -> nn.Sequential:
    """Two 3 x 3 convolutions and a linear layer for images (1, side, side): the network of Burkholz (ICML 2022).

    >>> conv_net(8, 4)[5]
    Linear(in_features=64, out_features=10, bias=True)
    """
    side, channels = integer("side", side, 5), integer("channels", channels, 1)
    return nn.Sequential(
        nn.Conv2d(1, channels, 3), activation(), nn.Conv2d(channels, channels, 3), activation(), nn.Flatten(),
        nn.Linear(channels * (side - 4) ** 2, 10),
    )  # fmt: skip


class _Block(nn.Module):
    """Two 3 x 3 convolutions with batch normalisation beside the identity, or a 1 x 1 projection where sizes change."""

    def __init__(self, inputs: int, outputs: int, stride: int):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False), nn.BatchNorm2d(outputs)
        self.conv2, self.bn2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False), nn.BatchNorm2d(outputs)
        self.shortcut = nn.Sequential()
        if stride != 1 or inputs != outputs:
            self.shortcut = nn.Sequential(
                nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs)
            )  # fmt: skip

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = torch.relu(self.bn1(self.conv1(x)))
        return torch.relu(self.bn2(self.conv2(y)) + self.shortcut(x))


def resnet(depth: int = 20, width: int = 16) -> nn.Sequential:
    """A ResNet for small images of one channel (He et al. 2016): three stages of (depth - 2) / 6 blocks each.

    Parameters
    ----------
    depth : 6 k + 2 for k blocks a stage: 20 is the ResNet-20 of Burkholz (ICML 2022)
    width : channels of the first stage; the second has twice, the third four times as many, at half the size each

    >>> sum(p.numel() for p in resnet().parameters())
    272186
    """
    depth, width = integer("depth", depth, 8), integer("width", width, 1)
    if depth % 6 != 2:
        raise ArgumentError("depth", depth, "8, 14, 20, ...: 6 k + 2")
    layers: list[nn.Module] = [nn.Conv2d(1, width, 3, 1, 1, bias=False), nn.BatchNorm2d(width), nn.ReLU()]
    inputs = width
    for stage in range(3):
        for place in range((depth - 2) // 6):
            outputs = width * 2**stage
            layers.append(_Block(inputs, outputs, 2 if stage > 0 and place == 0 else 1))
            inputs = outputs
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(inputs, 10))
