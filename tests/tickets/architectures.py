"""Random networks of all kinds that can be read."""

import numpy as np
import torch
from torch import nn

ACTIVATIONS = (
    nn.ReLU,
    lambda: nn.LeakyReLU(0.3),
    lambda: nn.LeakyReLU(-0.2),
    nn.Tanh,
    nn.Sigmoid,
    nn.GELU,
    lambda: nn.GELU("tanh"),
    nn.SiLU,
    nn.ReLU6,
    nn.PReLU,
)


class Sum(nn.Module):
    """Two branches, added."""

    def __init__(self, body, shortcut):
        super().__init__()
        self.body, self.shortcut = body, shortcut

    def forward(self, x):
        return self.body(x) + self.shortcut(x)


def random_network(seed):
    """A module in eval mode with weights in [-1/2, 1/2], and the shape of one input."""
    rng = np.random.default_rng(seed)
    act = ACTIVATIONS[rng.integers(len(ACTIVATIONS))]
    torch.manual_seed(seed)
    layers, shape = (_images if rng.integers(2) else _features)(rng, act)
    if rng.integers(4) == 0:
        layers.append(act())
    module = nn.Sequential(*layers)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.copy_(torch.rand_like(parameter) - 0.5)
        for part in module.modules():
            if isinstance(part, nn.BatchNorm2d):
                part.running_var.uniform_(0.8, 2)
                part.running_mean.normal_()
    return module.eval(), shape


def _features(rng, act):
    width = int(rng.integers(2, 6))
    layers, shape = [], (width,)
    for _ in range(rng.integers(0, 4)):
        out = int(rng.integers(2, 6))
        bias = bool(rng.integers(2))
        if rng.integers(3) == 0:
            body = nn.Sequential(nn.Linear(width, out), act(), nn.Linear(out, width, bias=bias))
            layers.append(Sum(body, nn.Identity()))
            out = width
        else:
            layers.append(nn.Linear(width, out, bias=bias))
        layers.append(act())
        width = out
    return [*layers, nn.Linear(width, int(rng.integers(1, 4)))], shape


def _images(rng, act):
    channels = int(rng.integers(1, 4))
    shape = (channels, int(rng.integers(6, 9)), int(rng.integers(6, 9)))
    layers = []
    for _ in range(rng.integers(1, 3)):
        layer, channels = _convolution(rng, act, channels)
        layers.append(layer)
        if rng.integers(2):
            layers.append(nn.BatchNorm2d(channels))
        layers.append(act())
        image = nn.Sequential(*layers).eval()(torch.zeros(1, *shape)).shape[2:]
        if min(image) >= 2 and rng.integers(3):
            pools = (nn.AvgPool2d(2), nn.MaxPool2d(2), nn.AvgPool2d(2, padding=1, count_include_pad=False))
            layers.append(pools[rng.integers(3)])
            image = nn.Sequential(*layers).eval()(torch.zeros(1, *shape)).shape[2:]
        if min(image) < 4:  # the next kernel would not fit, or meet a point twice around the border
            break
    layers.append(nn.Flatten())
    width = nn.Sequential(*layers).eval()(torch.zeros(1, *shape)).shape[1]
    return [*layers, nn.Linear(width, int(rng.integers(1, 4)))], shape


def _convolution(rng, act, channels):
    out = int(rng.integers(1, 4))
    kind = rng.integers(5)
    bias = bool(rng.integers(2))
    if kind == 0:
        options = {"stride": int(rng.integers(1, 3)), "padding": int(rng.integers(0, 2))}
        return nn.Conv2d(channels, out, int(rng.integers(1, 4)), bias=bias, **options), out
    if kind == 1:
        return nn.Conv2d(channels, 2 * channels, 3, padding="same", groups=channels, bias=bias), 2 * channels
    if kind == 2:
        return nn.Conv2d(channels, out, 3, padding=1, padding_mode="circular", bias=bias), out
    if kind == 3:
        body = nn.Sequential(nn.Conv2d(channels, channels, 3, padding=1), act(), nn.Conv2d(channels, channels, 1))
        return Sum(body, nn.Identity()), channels
    return Sum(
        nn.Sequential(nn.Conv2d(channels, out, 3, padding=2, dilation=2), act()), nn.Conv2d(channels, out, 1)
    ), out
