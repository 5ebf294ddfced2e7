"""Bases of equivariant maps between representations by matrices: groups whose action is no permutation of points.

A linear map B commutes with a group if ``out(g) B = B in(g)`` for the matrices of each generator g, and with a
connected group if that holds for the matrices of a basis of its Lie algebra. The solutions are the null space of these
constraints, and its orthonormal basis stands in the place of a label pattern.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy.linalg
import scipy.sparse
from numpy.typing import NDArray
from scipy.sparse.linalg import lsmr

from rssp._arguments import integer, items, of_kind, real_array
from rssp._costs import require_feasible
from rssp.errors import ArgumentError, ArgumentTypeError
from rssp.tickets.equivariant.groups import Action, Group

__all__ = [
    "Representation",
    "averaged_rank",
    "count_intertwiners",
    "direct_sum",
    "intertwiners",
    "orthogonal",
    "permuting",
    "planar_rotations",
    "special_orthogonal",
    "tensor_product",
]

_TOLERANCE = 1e-9  # of relations and of the null space, relative; products of a few thousand floats keep 1e-12
_ROUNDING = 1e-13  # of the difference of two entries of at most 1
_DENSE = 2000  # entries of a map up to which all constraints are one matrix of 32 MB


@dataclass(frozen=True, eq=False, repr=False)
class Representation:
    """Matrices by which the generators of a group act on vectors.

    Attributes
    ----------
    name : str
    generators : float64 array (g, d, d), of the finite part, in the order of the group's generators
    algebra : float64 array (a, d, d), of a basis of the Lie algebra; empty for a finite group
    group : Group, or None for a connected group: with it all relations are checked

    Examples
    --------
    >>> turn = np.array([[0.0, -1.0], [1.0, 0.0]])
    >>> from rssp.tickets.equivariant.groups import cyclic
    >>> Representation("plane", turn[None], group=cyclic(4))
    Representation('plane', dimension 2)
    """

    name: str
    generators: NDArray[np.float64]
    algebra: NDArray[np.float64] | None = None
    group: Group | None = None

    def __post_init__(self) -> None:
        for field, given in (("generators", self.generators), ("algebra", self.algebra)):
            if given is None and field == "algebra":
                continue
            made = np.array(real_array(field, given))
            if made.ndim != 3 or made.shape[1] != made.shape[2] or not made.shape[1] or not np.isfinite(made).all():
                raise ArgumentError(field, f"an array of shape {made.shape}", "finite square matrices, (count, d, d)")
            made.flags.writeable = False
            object.__setattr__(self, field, made)
        if self.algebra is None:
            object.__setattr__(self, "algebra", np.zeros((0, self.dimension, self.dimension)))
        if self.algebra is not None and self.algebra.shape[1:] != self.generators.shape[1:]:
            allowed = f"matrices of the generators' dimension, {self.dimension}"
            raise ArgumentError("algebra", f"matrices {self.algebra.shape[1:]}", allowed)
        if self.group is not None:
            of_kind("group", self.group, Group, "a Group, or None")
            self._require_relations(self.group)

    def _require_relations(self, group: Group) -> None:
        count = len(group.generators)
        if len(self.generators) != count:
            raise ArgumentError(
                "generators", f"{len(self.generators)} matrices", f"{count}, one a generator of {group.name}"
            )
        with np.errstate(all="ignore"):  # products beyond floats are no representation
            moved, table = self.elements(), group.table
        for g, matrix in enumerate(self.generators):
            with np.errstate(all="ignore"):
                apart = np.abs(moved @ matrix - moved[table[:, g]]).max(axis=(1, 2))
                wrong = np.flatnonzero(~(apart <= _TOLERANCE * max(1.0, np.abs(moved).max())))
            if wrong.size:
                left = f"{group.word(int(wrong[0]))} {group.letters[g]}".removeprefix("1 ")
                right = group.word(int(table[wrong[0], g]))
                raise ArgumentError(
                    "generators",
                    f"matrices for which {left} = {right} fails by {apart[wrong[0]]:.2g}",
                    f"matrices for which every relation of {group.name} holds",
                )

    @property
    def dimension(self) -> int:
        """The dimension d of the vectors."""
        return self.generators.shape[1]

    def elements(self) -> NDArray[np.float64]:
        """The matrices of all elements of a finite group, float64 array (order, d, d)."""
        if self.group is None:
            raise ArgumentTypeError("group", None, "a finite group: a connected one has no list of elements")
        parents, steps = self.group.paths
        d = self.dimension
        require_feasible("the matrices of all elements", memory_bytes=8.0 * len(parents) * d * d, remedy="")
        moved = np.empty((len(parents), d, d))
        moved[0] = np.eye(d)
        for at in range(1, len(parents)):
            moved[at] = moved[parents[at]] @ self.generators[steps[at]]
        return moved

    def __repr__(self) -> str:
        return f"Representation({self.name!r}, dimension {self.dimension})"


def permuting(action: Action) -> Representation:
    """The functions on points that a group permutes, as a representation."""
    of_kind("action", action, Action, "an Action, such as `cyclic(6).natural`")
    return Representation(f"functions on {action.points} points", action.matrices(), group=action.group)


def planar_rotations(group: Group, frequencies: Sequence[int]) -> Representation:
    """Rotations by 2 pi f / n for each frequency f, of a cyclic group C_n; frequency 0 is one dimension.

    >>> from rssp.tickets.equivariant.groups import cyclic
    >>> planar_rotations(cyclic(8), [0, 1, 2])
    Representation('frequencies 0, 1, 2', dimension 5)
    """
    of_kind("group", group, Group, "a cyclic Group")
    if len(group.generators) != 1:
        raise ArgumentError("group", f"{group}", "a cyclic group, by its one generator")
    frequencies, blocks = items("frequencies", frequencies, "whole numbers, e.g. [0, 1]"), []
    if not frequencies:
        raise ArgumentError("frequencies", "none", "one whole number or more")
    for f in frequencies:
        angle = 2 * np.pi * integer("frequencies", f, 0) / group.order
        turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        blocks.append(turn if f else np.ones((1, 1)))
    name = "frequencies " + ", ".join(map(str, frequencies))
    return Representation(name, scipy.linalg.block_diag(*blocks)[None], group=group)


def special_orthogonal(d: int) -> Representation:
    """The vectors of SO(d), by the d (d - 1) / 2 generators of its Lie algebra.

    >>> special_orthogonal(3).algebra.shape
    (3, 3, 3)
    """
    d = integer("d", d, 2)
    require_feasible("an algebra's matrices", memory_bytes=4.0 * float(d) ** 4, remedy="Use a smaller dimension.")
    pairs = [(i, j) for i in range(d) for j in range(i)]
    algebra = np.zeros((len(pairs), d, d))
    for matrix, (i, j) in zip(algebra, pairs, strict=True):
        matrix[i, j], matrix[j, i] = 1.0, -1.0
    return Representation(f"vectors of SO({d})", np.zeros((0, d, d)), algebra)


def orthogonal(d: int) -> Representation:
    """The vectors of O(d): SO(d) and one reflection."""
    connected = special_orthogonal(d)
    mirror = np.eye(d)
    mirror[0, 0] = -1.0
    return Representation(f"vectors of O({d})", mirror[None], connected.algebra)


def _algebras(first: Representation, second: Representation) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    for part in (first, second):
        of_kind("representations", part, Representation, "a Representation, such as `special_orthogonal(3)`")
    a, b = first.algebra, second.algebra
    assert a is not None
    assert b is not None
    same = first.group is second.group or (
        first.group is not None
        and second.group is not None
        and np.array_equal(first.group.generators, second.group.generators)
    )
    if not same or len(a) != len(b) or len(first.generators) != len(second.generators):
        raise ArgumentError("representations", f"{first} and {second}", "two of one group, with the same generators")
    return a, b


def direct_sum(first: Representation, second: Representation) -> Representation:
    """Both vectors side by side."""
    a, b = _algebras(first, second)

    def stacked(x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
        d, e = first.dimension, second.dimension
        made = np.zeros((len(x), d + e, d + e))
        made[:, :d, :d], made[:, d:, d:] = x, y
        return made

    name = f"{first.name} + {second.name}"
    return Representation(name, stacked(first.generators, second.generators), stacked(a, b), first.group)


def tensor_product(first: Representation, second: Representation) -> Representation:
    """Products of the entries of two vectors, in row-major order.

    >>> v = special_orthogonal(3)
    >>> len(intertwiners(tensor_product(v, v), tensor_product(v, v)))     # isotropic tensors of order 4
    3
    """
    a, b = _algebras(first, second)
    d, e = first.dimension, second.dimension
    products = [np.kron(x, y) for x, y in zip(first.generators, second.generators, strict=True)]
    sums = [np.kron(x, np.eye(e)) + np.kron(np.eye(d), y) for x, y in zip(a, b, strict=True)]
    shape = (-1, d * e, d * e)
    name = f"{first.name} x {second.name}"
    return Representation(name, np.reshape(products, shape), np.reshape(sums, shape), first.group)


def intertwiners(out: Representation, inputs: Representation, *, dense: bool | None = None) -> NDArray[np.float64]:
    """An orthonormal basis of the linear maps that commute with a group.

    Parameters
    ----------
    out, inputs : Representation, of one group, of dimensions p and q
    dense : whether eigenvectors of a matrix (p q, p q) are computed, or random maps are projected by sparse least
        squares until none is new; by default the first up to p q = 2,000

    Returns
    -------
    float64 array (K, p, q)
        Orthonormal as vectors of p q entries. Each meets all constraints to 1e-9, which is checked.

    Notes
    -----
    Dense: the null space of the Gram matrix of the constraints, added up a generator at a time; eigenvalues of it are
    squares of singular values, so a gap is asked for between what counts as zero and what does not. Sparse: a map less
    its least-squares solution of the constraints (LSMR, Fong and Saunders 2011) is the nearest one that meets them;
    with probability one, random maps give new directions until the null space is full.

    Examples
    --------
    >>> v = special_orthogonal(3)
    >>> len(intertwiners(tensor_product(v, v), tensor_product(v, v)))     # isotropic tensors of order 4
    3
    """
    a, b = _algebras(out, inputs)
    p, q = out.dimension, inputs.dimension
    pairs = _scaled([*zip(out.generators, inputs.generators, strict=True), *zip(a, b, strict=True)])
    if dense if dense is not None else p * q <= _DENSE:
        require_feasible("a basis of equivariant maps", memory_bytes=24.0 * (p * q) ** 2, remedy="Use dense=False.")
        basis = _null_space(pairs, p, q)
        if _residual(pairs, basis) > _TOLERANCE:  # eigenvalues, squares as they are, do not tell small from zero
            basis = _projected(pairs, p, q)
    else:
        basis = _projected(pairs, p, q)
    residual = _residual(pairs, basis)
    count = len(basis) if out.group is None else count_intertwiners(out, inputs)
    if residual > _TOLERANCE or len(basis) != count:
        found = f"{len(basis)} maps, solved to {residual:.2g}" + (
            f", where characters count {count}" if out.group else ""
        )
        allowed = "representations whose equivariant maps stand out from the rest"
        raise ArgumentError(
            "representations", f"{out} and {inputs}: {found}", allowed, "Choose orthogonal coordinates."
        )
    return basis


def _residual(pairs: _Pairs, basis: NDArray[np.float64]) -> float:
    return max((float(np.abs(a @ basis - basis @ b).max(initial=0.0)) for a, b in pairs), default=0.0)


_Pairs = list[tuple[NDArray[np.float64], NDArray[np.float64]]]


def _scaled(pairs: _Pairs) -> _Pairs:
    """The constraints with entries of at most 1: they hold or fail whatever the size of an algebra's matrices."""
    sizes = [max(float(np.abs(m).max(initial=0.0)) for m in pair) for pair in pairs]
    return [(left / size, right / size) for (left, right), size in zip(pairs, sizes, strict=True) if size > 0]


def _null_space(pairs: _Pairs, p: int, q: int) -> NDArray[np.float64]:
    gram = np.zeros((p * q, p * q))
    for left, right in pairs:
        constraint = np.kron(left, np.eye(q)) - np.kron(np.eye(p), right.T)
        gram += constraint.T @ constraint
    values, vectors = scipy.linalg.eigh(gram, overwrite_a=True)
    count = int((values < _TOLERANCE * max(1.0, float(values[-1]))).sum())
    return np.ascontiguousarray(vectors[:, :count].T).reshape(count, p, q)


def _projected(pairs: _Pairs, p: int, q: int) -> NDArray[np.float64]:
    if not pairs:
        return np.eye(p * q).reshape(-1, p, q)
    eyes = [scipy.sparse.eye_array(size, format="csr") for size in (p, q)]
    constraints = scipy.sparse.vstack(
        [
            scipy.sparse.kron(scipy.sparse.csr_array(left), eyes[1])
            - scipy.sparse.kron(eyes[0], scipy.sparse.csr_array(right.T))
            for left, right in pairs
        ],
        format="csr",
    )
    constraints.data[np.abs(constraints.data) < _ROUNDING] = 0.0  # of 1 - 1, say: least squares would obey it
    rng = np.random.default_rng(0)  # any maps will do: the span does not depend on them
    found, rounds = np.zeros((0, p * q)), 20 * (p + q) + 1000
    while len(found) < p * q:
        start = rng.standard_normal(p * q)
        start -= found.T @ (found @ start)
        size = float(np.linalg.norm(start))
        new = start
        for _ in range(3):  # each round projects what rounding and the tolerance of the one before have left
            new = new - lsmr(constraints, np.asarray(constraints @ new), atol=1e-14, btol=1e-14, maxiter=rounds)[0]
            new -= found.T @ (found @ new)
        length = float(np.linalg.norm(new))
        if length < 1e-7 * size:
            break
        found = np.vstack([found, new / length])
    return found.reshape(-1, p, q)


def count_intertwiners(out: Representation, inputs: Representation) -> int:
    """The dimension of the equivariant maps by characters: the mean over a finite group of the products of traces."""
    _algebras(out, inputs)
    traces = [np.trace(r.elements(), axis1=1, axis2=2) for r in (out, inputs)]
    return round(float((traces[0] * traces[1]).mean()))


def averaged_rank(out: Representation, inputs: Representation, rng: np.random.Generator) -> int:
    """The dimension of the equivariant maps by averaging random matrices over a finite group, until none is new.

    In coordinates in which the matrices are orthogonal: others may have entries far beyond what a mean leaves of them.
    """
    _algebras(out, inputs)
    of_kind("rng", rng, np.random.Generator, "a numpy Generator, e.g. numpy.random.default_rng(0)")
    left, right = (_orthogonal(part.elements()) for part in (out, inputs))
    p, q = out.dimension, inputs.dimension
    back = right.swapaxes(1, 2)
    found = np.zeros((0, p * q))
    while len(found) < p * q:
        mean = (left @ rng.standard_normal((p, q)) @ back).mean(axis=0).ravel()
        for _ in range(2):  # twice is enough (Parlett)
            mean = mean - found.T @ (found @ mean)
        size = float(np.linalg.norm(mean))
        if size < 1e-8:
            break
        found = np.vstack([found, mean / size])
    return len(found)


def _orthogonal(elements: NDArray[np.float64]) -> NDArray[np.float64]:
    """The matrices of a finite group in coordinates in which they are orthogonal: where the mean of g^T g is 1."""
    lower = np.linalg.cholesky((elements.swapaxes(1, 2) @ elements).mean(axis=0))
    return np.asarray(lower.T @ elements @ np.linalg.inv(lower.T))
