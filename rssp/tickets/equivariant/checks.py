"""Whether a network commutes with a group: proved layer by layer, and measured on its outputs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rssp._arguments import items, of_kind, real_array
from rssp.errors import ArgumentError, ArgumentTypeError
from rssp.tickets.activations import Activation
from rssp.tickets.bases import Basis
from rssp.tickets.equivariant.groups import Action
from rssp.tickets.equivariant.intertwiners import Representation, permuting
from rssp.tickets.network import Linear, Network, Residual, Step, WindowMax
from rssp.tickets.sharing import Sharing

__all__ = ["equivariance_error", "require_equivariant"]

_TOLERANCE = 1e-9  # of constraints, relative to the largest entry of an element

Space = Action | Representation
"""How a group acts on the points of a feature: by permutations, or by matrices."""


def equivariance_error(f: Callable[[ArrayLike], NDArray[np.float64]], out: Space, inputs: Space, x: ArrayLike) -> float:
    """The largest ``||f(g x) - g f(x)||_2`` over the inputs and over the generators of a group.

    Parameters
    ----------
    f : Network, Ticket, or a function of float64 inputs (m, channels * Q) to outputs (m, channels' * P)
    out, inputs : Action or Representation of one group, on the P points of the outputs and the Q points of the inputs
    x : float array (m, channels * Q) or (m, channels, Q)

    Examples
    --------
    >>> from rssp.tickets import Convolution, Linear
    >>> from rssp.tickets.equivariant.groups import cyclic, orbitals
    >>> ring, x = cyclic(4).natural, [[1.0, 2.0, 3.0, 6.0]]
    >>> turns = Network((Linear(np.ones((1, 1, 4)), orbitals(ring, ring)),), (1, 4))
    >>> equivariance_error(turns, ring, ring, x)
    0.0
    >>> padded = Convolution((4,), (3,), padding=((1, 1),))       # zeros beyond the ends: no ring
    >>> equivariance_error(Network((Linear(np.ones((1, 1, 3)), padded),), (1, 4)), ring, ring, x) > 1
    True
    """
    if not callable(f):
        raise ArgumentTypeError("f", f, "a Network, a Ticket, or a function of arrays")
    rows = real_array("x", x)
    if rows.ndim < 2 or len(rows) == 0 or not np.isfinite(rows).all():
        raise ArgumentError("x", f"an array of shape {rows.shape}", "finite inputs (m, channels * Q), m >= 1")
    rows = rows.reshape(len(rows), -1)
    _paired(out, inputs)
    before, worst = _outputs(f, rows), 0.0
    for left, right in zip(_moves(out), _moves(inputs), strict=True):
        with np.errstate(invalid="ignore"):
            difference = _outputs(f, _moved(rows, right, "x")) - _moved(before, left, "f(x)")
        if not np.isfinite(difference).all():
            raise ArgumentError("f", "outputs that are not finite", "finite outputs", "Use smaller inputs or weights.")
        worst = max(worst, float(np.linalg.norm(difference, axis=1).max()))
    return worst


def _outputs(f: Callable[[ArrayLike], Any], rows: NDArray[np.float64]) -> NDArray[np.float64]:
    outputs = real_array("f(x)", f(rows))
    if outputs.ndim != 2 or len(outputs) != len(rows):
        raise ArgumentError(
            "f(x)", f"an array of shape {outputs.shape}", f"({len(rows)}, channels * P), a row an input"
        )
    return outputs


def require_equivariant(network: Network, spaces: Space | Sequence[Space]) -> None:
    """Raise ArgumentError, naming the step, unless every layer of a network commutes with a group.

    Parameters
    ----------
    network : Network of Linear, Activation, WindowMax and Residual steps
    spaces : how the group acts on the points of the input and of each layer's output, in order; or one for all

    Activations act on each point by itself: they commute with permutations, and with no other matrices. The norm
    nonlinearity, which does, has no place in a network of subset sums: it is refused as any other.

    Examples
    --------
    >>> from rssp.tickets import RELU, Linear
    >>> from rssp.tickets.equivariant.groups import cyclic
    >>> from rssp.tickets.equivariant.intertwiners import intertwiners, planar_rotations
    >>> plane = planar_rotations(cyclic(5), [1])
    >>> turns = Linear(np.full((1, 1, 2), 0.5), Basis(intertwiners(plane, plane)), name="turns")
    >>> require_equivariant(Network((turns,), (1, 2)), plane)
    >>> require_equivariant(Network((turns, RELU), (1, 2)), plane)   # doctest: +IGNORE_EXCEPTION_DETAIL
    Traceback (most recent call last):
    rssp.errors.ArgumentError: activation relu is a pointwise function after a Representation ...
    """
    of_kind("network", network, Network, "a Network")
    if isinstance(spaces, (Action, Representation)):
        _walk(network.steps, spaces, None)
        return
    given = items("spaces", spaces, "Actions or Representations, or one for all")
    if len(given) != len(_all_linear(network.steps)) + 1:
        raise ArgumentError("spaces", f"{len(given)} of them", f"{len(_all_linear(network.steps)) + 1}, or one for all")
    _walk(network.steps, given[0], iter(given[1:]))


def _walk(steps: Sequence[Step], space: Space, after: Iterator[Space] | None) -> Space:
    for step in steps:
        if isinstance(step, Linear):
            following = space if after is None else next(after)
            _paired(following, space)
            _require_commuting(step, following, space)
            space = following
        elif isinstance(step, Activation):
            if not isinstance(space, Action) and step.name != "identity":
                raise ArgumentError(
                    f"activation {step.name}", f"a pointwise function after {space}", "a group that permutes points",
                    "Give the hidden features of a finite group as functions on its elements, `Group.regular`.",
                )  # fmt: skip
        elif isinstance(step, Residual):
            ends = [_walk(part, space, after) for part in (step.steps, step.shortcut)]
            if not _same(*ends):
                allowed = "branches that end in one action: their outputs are added point by point"
                raise ArgumentError("spaces", f"{ends[0]} and {ends[1]} after a Residual", allowed)
            space = ends[0]
        elif isinstance(step, WindowMax) and isinstance(space, Action):
            _require_windows(step, space)
        else:
            raise ArgumentTypeError("network", step, "steps that can be checked: no pooling of images")
    return space


def _all_linear(steps: Sequence[Step]) -> list[Linear]:
    found: list[Linear] = []
    for step in steps:
        if isinstance(step, Linear):
            found.append(step)
        elif isinstance(step, Residual):
            found += _all_linear(step.steps) + _all_linear(step.shortcut)
    return found


def _same(first: Space, second: Space) -> bool:
    return len(_moves(first)) == len(_moves(second)) and all(map(np.array_equal, _moves(first), _moves(second)))


def _paired(out: Space, inputs: Space) -> None:
    same = len(_moves(out)) == len(_moves(inputs))
    if same and out.group is not None and inputs.group is not None:
        same = np.array_equal(out.group.generators, inputs.group.generators)
    if not same:
        raise ArgumentError("inputs", f"{inputs}", f"an action of the group of the outputs, {out}")


def _moves(space: Space) -> list[NDArray[np.float64] | NDArray[np.int64]]:
    """Generators as permutations or matrices; those of a Lie algebra by the rotation by half a radian."""
    if isinstance(space, Action):
        return list(space.images)
    if not isinstance(space, Representation):
        raise ArgumentTypeError("space", space, "an Action or a Representation")
    from scipy.linalg import expm

    assert space.algebra is not None
    return [*space.generators, *(expm(a / 2) for a in space.algebra)]


def _moved(rows: NDArray[np.float64], move: NDArray[np.float64] | NDArray[np.int64], name: str) -> NDArray[np.float64]:
    points = move.shape[-1]
    if rows.shape[1] % points:
        raise ArgumentError(name, f"{rows.shape[1]} numbers a row", f"a multiple of the {points} points that are moved")
    values = rows.reshape(len(rows), -1, points)
    if move.ndim == 1:
        moved = np.empty_like(values)
        moved[:, :, move] = values
        return moved.reshape(len(rows), -1)
    return np.ascontiguousarray(values @ np.asarray(move).T).reshape(len(rows), -1)


def _require_commuting(layer: Linear, out: Space, inputs: Space) -> None:
    sharing = layer.sharing
    sizes = [s.points if isinstance(s, Action) else s.dimension for s in (out, inputs)]
    if sharing.points != (sizes[0], sizes[1]):
        raise ArgumentError(f"sharing of {layer.name!r}", f"{sharing}", f"one between {out} and {inputs}")
    if not isinstance(sharing, Basis) and isinstance(out, Action) and isinstance(inputs, Action):
        labels = sharing.labels
        for left, right in zip(out.images, inputs.images, strict=True):
            if not np.array_equal(labels[left][:, right], labels):
                raise _broken(layer, out)
    else:
        _require_matrices(layer, out, inputs)
    if layer.bias is not None:
        orbits = sharing.orbits
        if not isinstance(out, Action) or any(not np.array_equal(orbits[image], orbits) for image in out.images):
            raise ArgumentError(f"bias of {layer.name!r}", "other constants on points of one orbit", "one an orbit")


def _require_matrices(layer: Linear, out: Space, inputs: Space) -> None:
    left, right = (s if isinstance(s, Representation) else permuting(s) for s in (out, inputs))
    elements = _elements(layer.sharing)
    scale = _TOLERANCE * np.abs(elements).max(axis=(1, 2), initial=0.0)  # of each element by itself
    assert left.algebra is not None
    assert right.algebra is not None
    pairs = [*zip(left.generators, right.generators, strict=True), *zip(left.algebra, right.algebra, strict=True)]
    for a, b in pairs:
        apart = np.abs(a @ elements - elements @ b).max(axis=(1, 2), initial=0.0)
        if (apart > scale * max(1.0, float(np.abs(a).max())) * len(b)).any():
            raise _broken(layer, out)


def _elements(sharing: Sharing) -> NDArray[np.float64]:
    if isinstance(sharing, Basis):
        return sharing.elements
    return (sharing.labels == np.arange(sharing.size)[:, None, None]).astype(np.float64)


def _broken(layer: Linear, out: Space) -> ArgumentError:
    return ArgumentError(
        f"sharing of {layer.name!r}",
        f"{layer.sharing}, which some generator does not commute with",
        f"a sharing that commutes with the group of {out}",
        "See `orbitals` and `intertwiners`.",
    )


def _require_windows(step: WindowMax, space: Action) -> None:
    sets = [frozenset(map(int, row[row >= 0])) for row in step.windows]
    for image in space.images:
        for p, found in enumerate(sets):
            if (
                len(sets) != len(image)
                or max(found) >= len(image)
                or frozenset(int(image[q]) for q in found) != sets[int(image[p])]
            ):
                raise ArgumentError("windows", f"{step}", f"windows that {space.group.name} carries into windows")
