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

from rssp.tickets.activations import GELU, RELU, RELU6, SIGMOID, SILU, TANH, Activation, leaky_relu
from rssp.tickets.adversary import worst_error
from rssp.tickets.certificate import certified_error, spectral_norm_bound, weight_tolerance
from rssp.tickets.construction import PLAIN, SHALLOW, THEOREM, Construction, published_samples
from rssp.tickets.digits import (
    DataError,
    DigitData,
    accuracy,
    digit_images,
    digits_data,
    mnist_data,
    train_network,
)
from rssp.tickets.files import PLAIN_PYTORCH, load_ticket, save_ticket, stored_summary
from rssp.tickets.inputs import Inputs
from rssp.tickets.models import conv_net, lenet5, resnet
from rssp.tickets.network import Linear, MaxPool, Network, Residual
from rssp.tickets.prune import prune, source_parameters
from rssp.tickets.read import random_target, read_target
from rssp.tickets.scaling import normalised
from rssp.tickets.sharing import DENSE, Convolution, Sharing, all_points
from rssp.tickets.ticket import OutputError, Ticket, UnreachedError, UnreachedWeight
from rssp.tickets.training import train_module
from rssp.tickets.widths import LayerGuarantee, guaranteed_width

__all__ = [
    "DENSE",
    "GELU",
    "PLAIN",
    "PLAIN_PYTORCH",
    "RELU",
    "RELU6",
    "SHALLOW",
    "SIGMOID",
    "SILU",
    "TANH",
    "THEOREM",
    "Activation",
    "Construction",
    "Convolution",
    "DataError",
    "DigitData",
    "Inputs",
    "LayerGuarantee",
    "Linear",
    "MaxPool",
    "Network",
    "OutputError",
    "Residual",
    "Sharing",
    "Ticket",
    "UnreachedError",
    "UnreachedWeight",
    "accuracy",
    "all_points",
    "certified_error",
    "conv_net",
    "digit_images",
    "digits_data",
    "guaranteed_width",
    "leaky_relu",
    "lenet5",
    "load_ticket",
    "mnist_data",
    "normalised",
    "prune",
    "published_samples",
    "random_target",
    "read_target",
    "resnet",
    "save_ticket",
    "source_parameters",
    "spectral_norm_bound",
    "stored_summary",
    "train_module",
    "train_network",
    "weight_tolerance",
    "worst_error",
]
