"""From a torch module to steps: what its ``forward`` does, followed node by node through torch.fx.

Every node of the graph is either a constant, which is evaluated, or a value that depends on the input (see
`rssp.tickets.values`); what a node means stands in `rssp.tickets.nodes`.
"""

from __future__ import annotations

import copy
import operator
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import fx, nn
from torch.nn.utils import prune
from torch.nn.utils.spectral_norm import SpectralNorm
from torch.nn.utils.weight_norm import WeightNorm

from rssp.errors import ArgumentError
from rssp.tickets.activations import Activation
from rssp.tickets.network import Network
from rssp.tickets.nodes import FUNCTIONS, METHODS, MODULES
from rssp.tickets.values import Node, Value, Values, chain, refuse

__all__ = ["checked_copy", "copied", "trace"]

_HOOKS = (SpectralNorm, WeightNorm, prune.BasePruningMethod)  # they set the weight that forward sees
_HARMLESS = {
    "__init__",
    "__repr__",
    "extra_repr",
    "reset_parameters",
    "__deepcopy__",
    "__getstate__",
}  # others may be their own


def copied(module: nn.Module) -> nn.Module:
    """A deep copy; weights that a hook computes, which do not copy with their history, are copied as numbers."""
    numbers = {
        id(value): value.detach().clone()
        for part in module.modules()
        for value in vars(part).values()
        if isinstance(value, torch.Tensor)
    }
    return copy.deepcopy(module, numbers)


def checked_copy(module: nn.Module) -> nn.Module:
    """A copy in eval mode and float64 whose parametrized weights are those that forward sees.

    Raises ArgumentError for what cannot be read faithfully: hooks, weights on the meta device, lazy, complex or integer
    ones, NaN.
    """
    for name, tensor in [*module.named_parameters(), *module.named_buffers()]:
        if nn.parameter.is_lazy(tensor):
            raise ArgumentError("target", f"the lazy parameter {name!r}", "weights", "Call the module on data first.")
        if tensor.is_meta:
            raise ArgumentError("target", f"{name!r} on the meta device", "weights", "Load the weights first.")
        if tensor.is_complex() or tensor.is_quantized or tensor.layout != torch.strided:
            raise ArgumentError("target", f"{name!r} of type {tensor.dtype}, {tensor.layout}", "dense real weights")
    for name, part in module.named_modules():
        kind = type(part).__name__
        if isinstance(part, torch.jit.ScriptModule):
            got, remedy = f"{name or 'a module'} of compiled code ({kind})", "Read the module that it was made from."
            raise ArgumentError("target", got, "a module of Python code", remedy)
        if isinstance(part, nn.DataParallel) or hasattr(part, "_orig_mod"):
            inner = "module" if isinstance(part, nn.DataParallel) else "_orig_mod"
            got, remedy = f"{name or 'a module'} that wraps another ({kind})", f"Read what it wraps, its .{inner}."
            raise ArgumentError("target", got, "the module itself", remedy)
    result = copied(module).cpu().eval().double()
    for name, part in result.named_modules():
        where = f"of {name or 'the module'} ({type(part).__name__})"
        if part._forward_hooks:
            raise ArgumentError("target", f"a forward hook {where}", "no hooks", "What it computes is part of forward.")
        for hook in part._forward_pre_hooks.values():
            if not isinstance(hook, _HOOKS):
                raise ArgumentError("target", f"a forward pre-hook {where}", "no hooks but those of pruning and norms")
            with torch.no_grad():
                hook(part, None)
    return result.requires_grad_(False)


class _Tracer(fx.Tracer):
    def __init__(self, activations: Mapping[Any, Activation]):
        functions = tuple(f for f in activations if not isinstance(f, type))
        super().__init__(autowrap_functions=functions)
        self.activations = activations

    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        if type(m) in self.activations:
            return True
        return "forward" not in vars(m) and (_inherited(m) or super().is_leaf_module(m, module_qualified_name))


def _inherited(module: nn.Module) -> bool:
    """Whether a module of a user's class does nothing but what the class that it is derived from does."""
    for kind in type(module).__mro__:
        if kind in MODULES:
            return True
        if any(callable(v) and name not in _HARMLESS for name, v in vars(kind).items()):
            return False
    return False


def trace(module: nn.Module, shape: tuple[int, ...], dtype: str, activations: Mapping[Any, Activation]) -> Network:
    """The network that a module from `checked_copy` computes on inputs of a shape."""
    with torch.no_grad():
        try:
            graph = _Tracer(activations).trace(module)
        except Exception as cause:  # forward is the user's code: it may raise anything
            raise ArgumentError(
                "target",
                f"a forward that torch.fx cannot follow ({type(cause).__name__}: {str(cause).splitlines()[0][:150]})",
                "a forward that does the same steps for every input",
                "Write branches on the input's values or shape out of it.",
            ) from cause
        return _Reader(module, graph, shape, activations).network(dtype)


class _Reader(Values):
    """Follows one graph; `env` holds for each node its value or constant, `real` a small batch of actual tensors."""

    def __init__(
        self, module: nn.Module, graph: fx.Graph, shape: tuple[int, ...], activations: Mapping[Any, Activation]
    ):
        super().__init__()
        self.module, self.graph, self.activations = module, graph, activations
        self.modules = dict(module.named_modules())
        self.shape = shape
        self.env: dict[fx.Node, Any] = {}

    def network(self, dtype: str) -> Network:
        root = Node(None, None, self.shape[0], self.shape[1:])
        seen_input = False
        for node in self.graph.nodes:
            if node.op == "placeholder":
                if seen_input and node.args:
                    self.env[node] = self.real[node] = node.args[0]
                elif seen_input:
                    raise ArgumentError("target", f"a second input {node.target!r}", "a module of one input")
                else:
                    self.env[node], self.real[node] = Value(root), torch.zeros(2, *self.shape, dtype=torch.float64)
                    seen_input = True
            elif node.op == "output":
                value = self._lookup(node.args[0])
                if not isinstance(value, Value):
                    kind = type(value).__name__
                    raise ArgumentError("target", f"an output of type {kind}", "one tensor that depends on the input")
                last = self.plain(value)
                output = tuple(self.real[node.args[0]].shape[1:])
                return Network(chain(last, root), self.shape, dtype, output)
            else:
                self._step(node)
        raise ArgumentError("target", "a module without output", "a module that returns a tensor")

    def _lookup(self, argument: Any) -> Any:
        return fx.node.map_arg(argument, lambda n: self.env[n])

    def _step(self, node: fx.Node) -> None:
        arguments, keywords = self._lookup(node.args), self._lookup(node.kwargs)
        free = not any(isinstance(self.env[n], Value) for n in node.all_input_nodes)
        real_args = fx.node.map_arg(node.args, lambda n: self.real[n])
        real_keywords = fx.node.map_arg(node.kwargs, lambda n: self.real[n])
        try:
            self.real[node] = self._actual(node, real_args, real_keywords)
        except Exception as cause:
            reason = str(cause).splitlines()[0][:150] if str(cause) else type(cause).__name__
            shape = "x".join(map(str, self.shape))
            raise ArgumentError(
                "example",
                f"inputs of shape {shape}, on which node {node.name!r} fails ({reason})",
                "inputs that the module takes",
                "Give example=, a batch of inputs of the right shape.",
            ) from cause
        if free and node.op != "call_module":
            self.env[node] = self.real[node]
            return
        if isinstance(self.real[node], (torch.Size, int, torch.dtype, torch.device, tuple)):
            self.env[node] = self.real[node]  # sizes: the batch's is checked when 64 inputs are compared
            return
        reader, called = self._reader(node)
        if reader is None:
            raise refuse(f"node {node.name!r}, {called}")
        try:
            value = reader(node, *arguments, **keywords)
        except TypeError as cause:
            raise refuse(f"node {node.name!r}, {called} with these arguments ({cause})") from cause
        if value is None:
            raise refuse(f"node {node.name!r}, {called} as it is used here")
        if isinstance(value, Value):
            self._check_shape(node, value)
            if self._in_place(node):
                old = arguments[0]
                for other, held in self.env.items():
                    if held is old:
                        self.env[other] = value
        self.env[node] = value

    def _actual(self, node: fx.Node, arguments: Any, keywords: Any) -> Any:
        if node.op == "get_attr":
            value: Any = self.module
            for part in str(node.target).split("."):
                value = getattr(value, part)
            return value
        if node.op == "call_module":
            return self.modules[str(node.target)](*arguments, **keywords)
        if node.op == "call_method":
            return getattr(arguments[0], str(node.target))(*arguments[1:], **keywords)
        assert callable(node.target)
        return node.target(*arguments, **keywords)

    def _in_place(self, node: fx.Node) -> bool:
        if node.op == "call_module":
            return bool(getattr(self.modules[str(node.target)], "inplace", False))
        name = str(node.target) if node.op == "call_method" else getattr(node.target, "__name__", "")
        if name.endswith("_") and not name.endswith("__"):
            return True
        return node.target in (operator.iadd, operator.imul, operator.itruediv) or bool(node.kwargs.get("inplace"))

    def _check_shape(self, node: fx.Node, value: Value) -> None:
        real = self.real[node]
        image = tuple(i + a + b for i, (a, b) in zip(value.node.image, value.pad, strict=True)) if value.pad else ()
        spatial = image or value.node.image
        expected = (value.node.channels * value.node.points,) if value.flat else (value.node.channels, *spatial)
        if tuple(real.shape[1:]) != expected:
            raise refuse(f"node {node.name!r}, whose output of shape {tuple(real.shape)} is not followed")

    # which reader

    def _reader(self, node: fx.Node) -> tuple[Callable[..., Any] | None, str]:
        if node.op == "call_module":
            part = self.modules[str(node.target)]
            kind = type(part)
            if kind in self.activations:
                return self._given(self.activations[kind]), f"a {kind.__name__}"
            found = next((MODULES[k] for k in kind.__mro__ if k in MODULES), None) if _inherited(part) else None
            reader = None if found is None else (lambda n, x: found(self, n, x, part))
            return reader, f"a {kind.__name__} ({str(node.target)!r})"
        if node.op == "call_method":
            return self._bound(METHODS.get(str(node.target))), f"the method {node.target}"
        target: Any = node.target
        if target in self.activations:
            return self._given(self.activations[target]), "an activation"
        return self._bound(FUNCTIONS.get(target)), f"the function {getattr(target, '__name__', target)}"

    def _bound(self, reader: Callable[..., Any] | None) -> Callable[..., Any] | None:
        return None if reader is None else (lambda node, *a, **k: reader(self, node, *a, **k))

    def _given(self, activation: Activation) -> Callable[..., Any]:
        return lambda node, x, *a, **k: self.then(x, activation)
