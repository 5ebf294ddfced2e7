"""A ticket in plain PyTorch: this file needs nothing of rssp, and its text stands in every ticket file.

``load(path)`` draws the random weights again from the seed in the file, applies the masks, and returns a module that
takes the place of the network that the ticket was pruned for.
"""

import hashlib
import json
import zlib

import numpy as np
import torch
from safetensors import safe_open
from torch import nn
from torch.nn import functional as F
from torch.nn.utils import prune

ACTIVATIONS = {
    "relu": torch.relu,
    "relu6": F.relu6,
    "tanh": torch.tanh,
    "sigmoid": torch.sigmoid,
    "gelu": F.gelu,
    "gelu_tanh": lambda x: F.gelu(x, approximate="tanh"),
    "silu": F.silu,
    "identity": lambda x: x,
}


def activation(name, given=None):
    """The function of a name; `given` holds functions of one's own."""
    if given and name in given:
        return given[name]
    if name.startswith("leaky_relu("):
        slope = float(name[11:-1])
        return lambda x: F.leaky_relu(x, slope)
    return ACTIVATIONS[name]


def centred(name, given=None):
    """The activation less its value at zero, which stands between two random layers."""
    if name == "sigmoid":
        return lambda x: torch.tanh(x / 2) / 2
    phi = activation(name, given)
    zero = phi(torch.zeros(1, dtype=torch.float64)).item()
    return phi if zero == 0 else lambda x: phi(x) - zero


def shared(x, weight, sharing, groups):
    """A linear layer (m, in, Q) -> (m, out, P) with weights (out, in / groups, labels) on a sharing pattern."""
    if "kernel" in sharing:
        image = x.unflatten(2, sharing["image"])
        pads = sharing["padding"]
        if any(a != b for a, b in pads):
            image, pads = F.pad(image, [side for pair in reversed(pads) for side in pair]), [[0, 0]] * len(pads)
        convolve = F.conv1d if len(sharing["kernel"]) == 1 else F.conv2d
        weight = weight.unflatten(2, sharing["kernel"])
        padding = [a for a, _ in pads]
        return convolve(image, weight, None, sharing["stride"], padding, sharing["dilation"], groups).flatten(2)
    out, inputs = weight.shape[:2]
    if "basis" in sharing:  # a block is a combination of matrices
        blocks = torch.einsum("oik,kpq->oipq", weight, sharing["basis"].to(weight.dtype))
    else:
        blocks = F.pad(weight, (0, 1))[:, :, sharing["labels"]]  # the label -1 is the zero at the end
    p, q = blocks.shape[2:]
    matrix = blocks.transpose(1, 2).reshape(groups, out // groups * p, inputs * q)
    y = torch.einsum("mgi,goi->mgo", x.reshape(len(x), groups, -1), matrix)
    return y.reshape(len(x), out, p)


def largest(x, windows):
    """The largest of some points (m, in, Q) -> (m, in, P): rows of `windows` are points, -1 for none."""
    return F.pad(x, (0, 1), value=-torch.inf)[:, :, windows].amax(3)


class PrunedLayer(nn.Module):
    """Random weights and masks in the place of one linear layer."""

    def __init__(self, about, arrays, dtype, given):
        super().__init__()
        self.about, self.units = about, about["units"]
        self.phi = None if arrays["links"] is None else centred(about["activation"], given)
        rows, slots, units = arrays["mask"].shape
        inputs, size = about["inputs"], arrays["size"]
        self._add("links", arrays["links"], arrays["used"], dtype)
        start = inputs * size

        def ordered(values):  # (rows, slots, units) -> (rows, inputs * units, labels)
            full = np.broadcast_to(values, (rows, values.shape[1] if values.shape[1] > 1 else slots, units))
            own = full[:, :start].reshape(rows, inputs, size, units)
            return np.ascontiguousarray(own.transpose(0, 1, 3, 2)).reshape(rows, inputs * units, size)

        self._add("weight", ordered(arrays["weights"]), ordered(arrays["mask"]), dtype)
        self.has_bias = slots > start
        if self.has_bias:
            own = np.broadcast_to(arrays["weights"], arrays["mask"].shape)[:, start:]
            self._add("bias_weight", np.ascontiguousarray(own), arrays["mask"][:, start:], dtype)
            self.register_buffer("orbits", torch.as_tensor(np.asarray(about["orbits"])))

    def _add(self, name, values, mask, dtype):
        if values is None:
            return
        self.register_parameter(name, nn.Parameter(torch.tensor(values).to(dtype), requires_grad=False))
        prune.custom_from_mask(self, name, torch.tensor(np.ascontiguousarray(mask)))

    def forward(self, x):
        about, one = self.about, None
        m, channels, points = x.shape
        if self.phi is not None:  # each unit is one input behind one random link
            links = self.links[:channels, :, None]
            one = self.phi(self.links[-1]) if self.has_bias else None
            x = self.phi(x[:, :, None] * links).reshape(m, -1, points)
        elif about["copies"] > 1:  # the copies that the layer before has built
            x = x.reshape(m, -1, about["copies"], points)[:, :, : self.units].reshape(m, -1, points)
        else:  # the input, repeated
            x = x.repeat_interleave(self.units, dim=1)
        y = shared(x, self.weight, about["sharing"], about["groups"])
        if not self.has_bias:
            return y
        bias = self.bias_weight.sum(2) if one is None else self.bias_weight @ one
        return y + bias[:, self.orbits]


class FixedLayer(nn.Module):
    """A linear layer that is exact and not pruned: pooling, padding, scaling, copies."""

    def __init__(self, about, weight, bias, dtype):
        super().__init__()
        self.about = about
        self.register_buffer("weight", torch.tensor(weight).to(dtype))
        if bias is not None:
            self.register_buffer("bias", torch.tensor(bias).to(dtype))
            self.register_buffer("orbits", torch.as_tensor(np.asarray(about["orbits"])))

    def forward(self, x):
        y = shared(x, self.weight, self.about["sharing"], self.about["groups"])
        return y + self.bias[:, self.orbits] if hasattr(self, "bias") else y


class TicketModule(nn.Module):
    """The pruned random network: takes and returns what the network that it replaces takes and returns."""

    def __init__(self, about, layers, fixed, dtype, given=None):
        super().__init__()
        self.about, self.given = about, given
        self.layers = nn.ModuleDict(layers)
        self.fixed = nn.ModuleList(fixed)
        self.dtype = dtype

    def forward(self, x):
        x = torch.as_tensor(x).to(self.dtype)
        x = x.reshape(len(x), self.about["shape"][0], -1)
        return self.run(self.about["steps"], x).reshape(len(x), *self.about["output"])

    def run(self, steps, x):
        for step in steps:
            kind = step["kind"]
            if kind == "pruned":
                x = self.layers[step["name"]](x)
            elif kind == "fixed":
                x = self.fixed[step["place"]](x)
            elif kind == "activation":
                x = activation(step["name"], self.given)(x)
            elif kind == "max pooling":
                pool = F.max_pool1d if len(step["image"]) == 1 else F.max_pool2d
                options = (step["kernel"], step["stride"], step["padding"], step["dilation"], step["ceil_mode"])
                x = pool(x.unflatten(2, step["image"]), *options).flatten(2)
            elif kind == "largest of windows":
                x = largest(x, torch.as_tensor(step["windows"]))
            else:
                x = self.run(step["steps"], x) + self.run(step["shortcut"], x)
        return x


def build(about, arrays, fixed, dtype=None, given=None):
    """The module of a description and its arrays; `dtype` instead of that of the network that it replaces."""
    dtype = getattr(torch, about["dtype"]) if dtype is None else dtype
    layers = {a["name"]: PrunedLayer(a, b, dtype, given) for a, b in zip(about["layers"], arrays, strict=True)}
    exact = [FixedLayer(a, w, b, dtype) for a, (w, b) in zip(about["fixed"], fixed, strict=True)]
    return TicketModule(about, layers, exact, dtype, given).eval()


def generator(state):
    """NumPy's generator in a stored state."""
    bits = getattr(np.random, state["bit_generator"])()
    bits.state = json.loads(json.dumps(state), object_hook=lambda d: {k: _numbers(v) for k, v in d.items()})
    return np.random.Generator(bits)


def _numbers(value):
    return np.array(value, dtype=np.uint64) if isinstance(value, list) else value


def draw(law, shape, rng, dtype, scale):
    """Random weights of a law, scaled and rounded to the network's type."""
    if law["type"] == "Uniform":
        values = rng.uniform(law.get("low", -1.0), law.get("high", 1.0), shape)
    else:
        values = rng.normal(law.get("mean", 0.0), law.get("std", 1.0), shape)
    return (values * scale if scale != 1 else values).astype(dtype).astype(np.float64)


def draw_layer(layer, rng, dtype):
    """Links (columns, units) or None, and weights (rows, slots or 1, units), those drawn again included."""
    rows, slots, units = layer["rows"], 1 if layer["samples"] == "row" else layer["slots"], layer["units"]
    links = None
    if layer["activation"] is not None:
        links = draw(layer["law"], (layer["columns"], units), rng, dtype, layer["inner"])
    weights = draw(layer["law"], (rows, slots, units), rng, dtype, layer["outer"])
    for again in layer["redrawn"]:
        weights[again] = draw(layer["law"], (len(again), slots, units), rng, dtype, layer["outer"])
    return links, weights


def offered(layer, links):
    """Which units of each input channel a mask may keep: (columns, bits), the number of units where there is none."""
    units, n = layer["units"], layer["n"]
    if links is None or not layer["split"]:
        return np.tile(np.arange(units), (layer["columns"], 1))
    found = np.full((layer["columns"], 2 * n if layer["signed"] else n), units)
    for channel, own in enumerate(links):
        up, down = np.flatnonzero(own > 0)[:n], np.flatnonzero(own < 0)[-n:]
        found[channel, : len(up)] = up
        if layer["signed"] and channel < layer["channels"]:
            found[channel, n : n + len(down)] = down
    return found


def by_slot(layer, numbers):
    """Numbers (columns, k) of input channels for each row and slot: (rows, slots, k)."""
    groups, inputs, size = layer["groups"], layer["inputs"], layer["size"]
    own = np.repeat(numbers[: layer["channels"]].reshape(groups, inputs, -1), size, axis=1)
    constant = np.broadcast_to(numbers[layer["channels"] :], (groups, layer["slots"] - inputs * size, own.shape[2]))
    return np.repeat(np.concatenate([own, constant], axis=1), layer["rows"] // groups, axis=0)


def unpack(layer, links, packed):
    """The mask (rows, slots, units) of a layer from its packed bits."""
    places = by_slot(layer, offered(layer, links))
    bits = np.unpackbits(np.frombuffer(zlib.decompress(packed.tobytes()), np.uint8), count=places.size)
    mask = np.zeros((*places.shape[:2], layer["units"] + 1), bool)
    np.put_along_axis(mask, places, bits.reshape(places.shape).astype(bool), axis=2)
    return mask[:, :, :-1]


def checksum(tensors, text):
    """SHA-256 of a ticket's description and tensors."""
    total = hashlib.sha256(text.encode())
    for name in sorted(tensors):
        total.update(name.encode())
        total.update(tensors[name].numpy().tobytes())
    return total.hexdigest()


def random_layers(about, tensors):
    """The arrays of each pruned layer, drawn and unpacked, and a checksum of the numbers drawn."""
    rng, arrays, drawn = generator(about["state"]), [], 0
    for place, layer in enumerate(about["layers"]):
        links, weights = draw_layer(layer, rng, about["dtype"])
        mask = unpack(layer, links, tensors[f"mask.{place}"].numpy())
        used = np.zeros((0, layer["units"]), bool)
        if links is not None:
            start = layer["inputs"] * layer["size"]
            shape = (layer["groups"], -1, layer["inputs"], layer["size"], layer["units"])
            used = mask[:, :start].reshape(shape).any(axis=(1, 3)).reshape(-1, layer["units"])
            if layer["columns"] > layer["channels"]:
                used = np.concatenate([used, mask[:, start:].any(axis=(0, 1))[None]])
        arrays.append({"links": links, "used": used, "weights": weights, "mask": mask, "size": layer["size"]})
        for values in (links, weights):
            drawn = drawn if values is None else zlib.crc32(np.ascontiguousarray(values).tobytes(), drawn)
    return arrays, drawn


def load(path, dtype=None, given=None):
    """The module of a ticket file; `given` holds activation functions of one's own by name."""
    with safe_open(path, "pt") as file:
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        texts = file.metadata()
    if checksum(tensors, texts["ticket"]) != texts["checksum"]:
        raise ValueError(f"{path}: the checksum is not that of its content: the file was changed or damaged")
    about = json.loads(texts["ticket"])["network"]
    arrays, drawn = random_layers(about, tensors)
    if drawn != about["drawn"]:
        raise ValueError(f"{path}: this version of NumPy draws other numbers from the seed")
    for kind in ("layers", "fixed"):
        for place, layer in enumerate(about[kind]):
            for name in {"labels", "basis"} & set(layer["sharing"]):
                pattern = tensors[f"{kind}.{name}.{place}"]
                layer["sharing"][name] = pattern.long() if name == "labels" else pattern
    fixed = [
        (tensors[f"fixed.{i}.weight"].numpy(), tensors[f"fixed.{i}.bias"].numpy() if f["orbits"] is not None else None)
        for i, f in enumerate(about["fixed"])
    ]
    return build(about, arrays, fixed, dtype, given)
