"""How far certificates of tickets lie above the best attack, class by class of architecture.

    python benchmarks/certificates.py [CLASS ...] [--count N] [--box] [--json]

For each of N random networks of a class a random network is pruned (PLAIN, every weight its nearest sum of ten), its
error certified over the unit ball or the box [0, 1], and attacked twice: by the library, and by plain projected
gradient ascent from 50 starts, written here on its own. The table has the ratio of the certificate to the better of the
two, and how much of plain ascent the library finds.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from itertools import pairwise
from time import process_time
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import nn

from rssp.laws import Uniform
from rssp.report import as_json, print_table
from rssp.tickets import PLAIN, Inputs, Network, normalised, prune, read_target, worst_error
from rssp.tickets.network import one_thread

WIDE = PLAIN.but(law=Uniform())
STARTS, STEPS = 50, 200


class Block(nn.Module):
    """A basic block of a residual network; batch normalisation is folded where it is read."""

    def __init__(self, inputs: int, outputs: int, stride: int = 1):
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU(),
            nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False), nn.BatchNorm2d(outputs),
        )  # fmt: skip
        same = stride == 1 and inputs == outputs
        self.shortcut = nn.Sequential() if same else nn.Sequential(
            nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs)
        )  # fmt: skip

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.relu(self.body(x) + self.shortcut(x))


def resnet(width: int, blocks: int, classes: int = 10) -> nn.Sequential:
    """Three groups of blocks: 6 blocks + 2 layers, ResNet-20 for width 16 and 3 blocks."""
    layers: list[nn.Module] = [nn.Conv2d(3, width, 3, 1, 1, bias=False), nn.BatchNorm2d(width), nn.ReLU()]
    inputs = width
    for group in range(3):
        for place in range(blocks):
            outputs = width * 2**group
            layers.append(Block(inputs, outputs, 2 if group and not place else 1))
            inputs = outputs
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(inputs, classes))


def _dense(layers: int) -> Callable[[np.random.Generator], tuple[nn.Module, tuple[int, ...]]]:
    def make(rng: np.random.Generator) -> tuple[nn.Module, tuple[int, ...]]:
        widths = [int(w) for w in rng.integers(8, 33, layers + 1)]
        parts = [part for a, b in pairwise(widths) for part in (nn.Linear(a, b), nn.ReLU())]
        return nn.Sequential(*parts[:-1]), (widths[0],)

    return make


def _conv(layers: int, pool: bool = False) -> Callable[[np.random.Generator], tuple[nn.Module, tuple[int, ...]]]:
    def make(rng: np.random.Generator) -> tuple[nn.Module, tuple[int, ...]]:
        channels, parts = int(rng.integers(1, 4)), []
        shape = (channels, 8, 8)
        for place in range(layers - 1):
            out = int(rng.integers(3, 7))
            stride = 1 if pool else int(rng.integers(1, 3)) if place else 2
            parts += [nn.Conv2d(channels, out, 3, stride, 1), nn.ReLU()]
            parts += [nn.MaxPool2d(2)] if pool else []
            channels = out
        size = nn.Sequential(*parts, nn.Flatten())(torch.zeros(1, *shape)).shape[1]
        return nn.Sequential(*parts, nn.Flatten(), nn.Linear(size, 10)), shape

    return make


def _residual(rng: np.random.Generator) -> tuple[nn.Module, tuple[int, ...]]:
    blocks = [Block(4, 4), nn.AvgPool2d(2), Block(4, 6, 2)]
    return nn.Sequential(nn.Conv2d(1, 4, 3, 2, 1), nn.ReLU(), *blocks, nn.Flatten(), nn.Linear(6, 10)), (1, 8, 8)


def _lenet(rng: np.random.Generator) -> tuple[nn.Module, tuple[int, ...]]:
    return nn.Sequential(
        nn.Conv2d(1, 6, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
        nn.Linear(400, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, 10),
    ), (1, 32, 32)  # fmt: skip


CLASSES: dict[str, Callable[[np.random.Generator], tuple[nn.Module, tuple[int, ...]]]] = {
    "dense, 2 layers": _dense(2),
    "dense, 3 layers": _dense(3),
    "dense, 4 layers": _dense(4),
    "dense, 6 layers": _dense(6),
    "convolutional, 2 layers": _conv(2),
    "convolutional, 3 layers": _conv(3),
    "convolutional, 4 layers": _conv(4),
    "convolutional with max pooling": _conv(3, pool=True),
    "residual": _residual,
    "LeNet5": _lenet,
    "ResNet-20": lambda rng: (resnet(16, 3), (3, 32, 32)),
}


def plain_ascent(f: Network, g: Network, inputs: Inputs, rng: np.random.Generator) -> float:
    """The largest difference that projected gradient ascent finds: 50 starts, steps that shrink."""
    x = torch.from_numpy(inputs.draw(STARTS, f.inputs, rng))
    low, high = map(torch.from_numpy, inputs.bounds(f.inputs))
    best = 0.0
    with one_thread():
        for step in range(STEPS):
            x = x.detach().requires_grad_(True)
            value = (f.forward(x) - g.forward(x)).norm(dim=1)
            best = max(best, float(value.detach().max()))
            (gradient,) = torch.autograd.grad(value.sum(), x)
            size = 0.5 * 0.01 ** (step / STEPS)
            with torch.no_grad():
                if inputs.radius is None:
                    x = (x + size * (high - low) * gradient.sign()).clamp(low, high)
                else:
                    x = x + size * inputs.radius * gradient / gradient.norm(dim=1, keepdim=True).clamp(min=1e-300)
                    x = x * (inputs.radius / x.norm(dim=1, keepdim=True).clamp(min=inputs.radius))
    return best


def row(name: str, seed: int, inputs: Inputs) -> dict[str, Any]:
    """One network: its certificates and attacks."""
    rng = np.random.default_rng([seed, list(CLASSES).index(name)])
    torch.manual_seed(seed)
    module, shape = CLASSES[name](rng)
    target, _ = normalised(read_target(module.eval(), shape))
    ticket = prune(target, 10, None, tolerance=1e-2, construction=WIDE, rng=rng, partial=True)
    f, g = ticket.reference, ticket.effective
    clock = [process_time()]
    simple = ticket.certify(inputs, effort=0)
    clock.append(process_time())
    bound = ticket.certify(inputs)
    clock.append(process_time())
    few = 8 if name == "ResNet-20" else STARTS
    found = worst_error(f, g, inputs, restarts=few, rng=rng)
    clock.append(process_time())
    plain = 0.0 if name == "ResNet-20" else plain_ascent(f, g, inputs, rng)
    return {
        "class": name, "certificate": bound, "norms and intervals": simple, "attack": found, "plain ascent": plain,
        "seconds": clock[2] - clock[1], "attack seconds": clock[3] - clock[2],
    }  # fmt: skip


def summary(table: pd.DataFrame) -> pd.DataFrame:
    """A row a class: the median and the worst ratio."""
    best = table[["attack", "plain ascent"]].max(axis=1)
    ratios = table.assign(
        ratio=table["certificate"] / best,
        before=table["norms and intervals"] / best,
        found=table["attack"] / table["plain ascent"].where(table["plain ascent"] > 0),
    )
    groups = ratios.groupby("class", sort=False)
    return groups.agg(
        networks=("ratio", "size"), median=("ratio", "median"), worst=("ratio", "max"),
        norms_and_intervals=("before", "median"), attack_over_plain=("found", "min"), seconds=("seconds", "median"),
    ).reset_index()  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "classes", nargs="*", help="which classes, by a part of their name; all but ResNet-20 by default"
    )
    parser.add_argument("--count", type=int, default=10, help="networks a class")
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--box", action="store_true", help="inputs in [0, 1] instead of the unit ball")
    parser.add_argument("--json", action="store_true", help="print JSON, a row a network")
    arguments = parser.parse_args()
    inputs = Inputs.box(0, 1) if arguments.box else Inputs.ball()
    asked = [n for n in CLASSES if any(part in n for part in arguments.classes)]
    chosen = asked if arguments.classes else [n for n in CLASSES if n != "ResNet-20"]
    seeds = range(arguments.first, arguments.first + arguments.count)
    table = pd.DataFrame([row(name, seed, inputs) for name in chosen for seed in seeds])
    print(as_json(table)) if arguments.json else print_table(summary(table), f"certificate over attack, {inputs}")


if __name__ == "__main__":
    main()
