"""Modules that several test files read, and whether what was read computes the same."""

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F


def agrees(module, network, images=None):
    """Whether the network computes what the module does in eval mode, to the rounding of float64."""
    x = torch.randn(40, *network.shape, dtype=torch.float64) * 3
    with torch.no_grad():
        expected = module.eval().double()(x).flatten(1).numpy()
    np.testing.assert_allclose(network(x), expected, atol=1e-9 * (1 + np.abs(expected).max()))


class ResidualSequential(nn.Sequential):
    def forward(self, x):
        return x + super().forward(x)


class Block(nn.Module):
    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.shortcut = nn.Sequential()
        if stride != 1 or inputs != outputs:
            self.shortcut = nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))
        for norm in (self.bn1, self.bn2):
            norm.running_mean.normal_()
            norm.running_var.uniform_(0.5, 2)

    def forward(self, x):
        y = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        y += self.shortcut(x)
        return F.relu(y, inplace=True)


class ResNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3, 1, 1)
        self.blocks = nn.Sequential(Block(4, 4, 1), Block(4, 8, 2))
        self.fc = nn.Linear(8, 5)

    def forward(self, x):
        y = self.blocks(F.relu(self.conv(x)))
        return self.fc(F.avg_pool2d(y, y.size()[3]).view(y.size(0), -1))
