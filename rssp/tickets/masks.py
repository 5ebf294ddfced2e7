"""Random linear layers pruned by ``torch.nn.utils.prune`` masks; the random weights stay as they were drawn."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn.utils import prune

from rssp._costs import require_feasible
from rssp.errors import ArgumentError

__all__ = ["check_memory", "masked_linear", "masks_of", "weights_of"]


def check_memory(parameters: int, dtype: str) -> None:
    """Refuse a random network that is too large, before anything of it is allocated.

    Random weights, mask and masked weights are three tensors of the network's type; solving holds about 40 bytes
    a random weight more (samples as float64 and on the fixed point, masks, one layer's work).
    """
    require_feasible(
        f"a random network of {parameters:,} weights",
        memory_bytes=parameters * (3 * np.dtype(dtype).itemsize + 40),
        remedy="Use fewer samples n, or a smaller target.",
    )


def masked_linear(weight: NDArray[np.float64], mask: NDArray[np.bool_], dtype: str = "float32") -> nn.Linear:
    """An nn.Linear without bias whose weights (out, in) are frozen and pruned by `mask` (True = kept).

    The result has the parameter ``weight_orig`` and the buffer ``weight_mask`` of torch.nn.utils.prune.
    Cost: three tensors of the weight's size.

    Examples
    --------
    >>> layer = masked_linear(np.ones((2, 3)), np.array([[True, False, True], [False, False, True]]))
    >>> layer(torch.ones(1, 3))
    tensor([[2., 1.]])
    """
    if mask.shape != weight.shape:
        raise ArgumentError("mask", f"shape {mask.shape}", f"shape {weight.shape}, that of the weights")
    # skip_init: neither time nor numbers of torch's global generator are spent on weights that are replaced at once
    layer = nn.utils.skip_init(nn.Linear, weight.shape[1], weight.shape[0], bias=False, dtype=getattr(torch, dtype))
    layer.weight = nn.Parameter(torch.from_numpy(weight.astype(dtype)), requires_grad=False)
    prune.custom_from_mask(layer, "weight", torch.from_numpy(np.array(mask, dtype=bool)))
    return layer


def _linear_layers(network: nn.Module) -> list[nn.Linear]:
    return [layer for layer in network.modules() if isinstance(layer, nn.Linear)]


def masks_of(network: nn.Module) -> tuple[NDArray[np.bool_], ...]:
    """The masks (out, in) of all pruned linear layers, first to last, True = kept."""
    return tuple(layer.weight_mask.numpy() != 0 for layer in _linear_layers(network))


def weights_of(network: nn.Module) -> tuple[NDArray[np.float64], ...]:
    """The random weights (out, in), unmasked, of all pruned linear layers, first to last, as float64."""
    return tuple(layer.weight_orig.detach().numpy().astype(np.float64) for layer in _linear_layers(network))
