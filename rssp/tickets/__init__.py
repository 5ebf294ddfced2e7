"""Strong lottery tickets: random networks, pruned by masks alone, that compute what a target network computes.

Needs PyTorch, safetensors and scikit-learn: ``pip install "rssp[nets]"``.
"""

try:
    import safetensors as _safetensors  # noqa: F401
    import torch as _torch  # noqa: F401
except ImportError as cause:
    raise ImportError(
        f'rssp.tickets needs PyTorch and safetensors ({cause}). Install them with: pip install "rssp[nets]"'
    ) from cause

from rssp.tickets.adversary import worst_error
from rssp.tickets.certificate import certified_error, spectral_norm_bound, weight_tolerance
from rssp.tickets.digits import DataError, DigitData, accuracy, digits_data, mnist_data, train_network
from rssp.tickets.files import PLAIN_PYTORCH, load_ticket, save_ticket
from rssp.tickets.masks import masked_linear, masks_of, weights_of
from rssp.tickets.plain import plain_ticket, published_samples
from rssp.tickets.target import Target, random_target, read_target
from rssp.tickets.theorem import normalised, theorem_layers, theorem_parameters, theorem_ticket
from rssp.tickets.ticket import OutputError, Ticket, UnreachedError, UnreachedWeight

__all__ = [
    "PLAIN_PYTORCH",
    "DataError",
    "DigitData",
    "OutputError",
    "Target",
    "Ticket",
    "UnreachedError",
    "UnreachedWeight",
    "accuracy",
    "certified_error",
    "digits_data",
    "load_ticket",
    "masked_linear",
    "masks_of",
    "mnist_data",
    "normalised",
    "plain_ticket",
    "published_samples",
    "random_target",
    "read_target",
    "save_ticket",
    "spectral_norm_bound",
    "theorem_layers",
    "theorem_parameters",
    "theorem_ticket",
    "train_network",
    "weight_tolerance",
    "weights_of",
    "worst_error",
]
