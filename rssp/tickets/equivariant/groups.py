"""Finite groups by generators, and how they act on points: the sharing patterns of equivariant layers.

A layer between functions on points commutes with a group that permutes the points if and only if its coefficient is the
same on all pairs of points that the group carries into each other. These orbits of pairs, the orbitals, are the labels
of the layer's sharing (Maron et al., ICLR 2019; Ferbach et al., ICLR 2023, call the layers they give equivariant).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from rssp._arguments import integer, items, of_kind
from rssp._costs import require_feasible
from rssp.errors import ArgumentError, ArgumentTypeError
from rssp.tickets.sharing import Sharing

__all__ = [
    "Action",
    "Group",
    "count_orbitals",
    "cyclic",
    "dihedral",
    "group_product",
    "orbitals",
    "symmetric",
    "together",
    "tuples",
]

_LARGEST_ORDER = 50_000  # elements that a group is closed to: of 2,000 points the images take 0.8 GB


class Group:
    """A finite group, given by permutations that generate it.

    Parameters
    ----------
    generators : int array (g, P): row i sends the point p to ``generators[i, p]``
    name : str, what it is called in messages
    letters : a name for each generator, by default a, b, c, ...

    All elements are found when they are first needed, at most 50,000.

    Examples
    --------
    >>> square = Group([[1, 2, 3, 0], [0, 3, 2, 1]], name="D_4", letters=["r", "s"])
    >>> square
    Group('D_4', 2 generators, order 8)
    >>> square.word(5)
    's r'
    """

    def __init__(self, generators: ArrayLike, name: str = "group", letters: Sequence[str] | None = None):
        self.name = name
        self.generators = _permutations("generators", generators)
        of_kind("name", name, str, "a text")
        count = len(self.generators)
        given = "abcdefghijklmnopqrstuvwxyz" * (1 + count // 26) if letters is None else letters
        self.letters = tuple(given)[:count] if letters is None else _letters(given, count)

    @cached_property
    def _closed(self) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
        """The elements (order, P), the one (order,) and the generator (order,) each was first reached from."""
        start = np.arange(self.generators.shape[1])
        found, places = [start], {start.tobytes(): 0}
        parents, steps = [0], [-1]
        for at, element in enumerate(found):  # grows while it is walked
            if len(found) & (len(found) - 1) == 0:  # an element is kept as an array and by its bytes
                require_feasible(
                    "closing a group", memory_bytes=32.0 * len(found) * len(start), remedy="Use fewer points."
                )
            for g, generator in enumerate(self.generators):
                reached = element[generator]
                if reached.tobytes() not in places:
                    places[reached.tobytes()] = len(found)
                    found.append(reached)
                    parents.append(at)
                    steps.append(g)
            if len(found) > _LARGEST_ORDER:
                raise ArgumentError(
                    f"generators of {self.name!r}",
                    f"{len(found)} elements so far",
                    f"at most {_LARGEST_ORDER} elements",
                    remedy="Orbitals need the generators alone: only counts by characters close the group.",
                )
        return np.array(found), np.array(parents), np.array(steps)

    @property
    def order(self) -> int:
        """The number of elements."""
        return len(self._closed[0])

    @property
    def paths(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """For each element one before it, and the generator that leads from there to it (-1: the identity)."""
        return self._closed[1], self._closed[2]

    @property
    def elements(self) -> NDArray[np.int64]:
        """All elements as permutations of the points, int array (order, P); the identity is the first."""
        return self._closed[0]

    @cached_property
    def _places(self) -> dict[bytes, int]:
        return {element.tobytes(): at for at, element in enumerate(self.elements)}

    @cached_property
    def table(self) -> NDArray[np.int64]:
        """The place of (element times generator), int array (order, g)."""
        return np.array([[self._places[e[g].tobytes()] for g in self.generators] for e in self.elements])

    def word(self, element: int) -> str:
        """An element, by its place among `elements`, as a product of generators; '1' for the identity."""
        letters, element = [], integer("element", element, 0, self.order - 1)
        while element:
            letters.append(self.letters[self._closed[2][element]])
            element = int(self._closed[1][element])
        return " ".join(reversed(letters)) or "1"

    @cached_property
    def natural(self) -> Action:
        """The action on the points that its generators permute."""
        return Action(self, self.generators)

    @cached_property
    def regular(self) -> Action:
        """The action on its own elements, from the left."""
        return self.cosets(())

    def cosets(self, subgroup: Sequence[int]) -> Action:
        """The action on the left cosets of the subgroup that the elements at these places generate.

        Cosets come in the order in which their first elements stand in `elements`.

        >>> dihedral(4).cosets([dihedral(4).generator_place(1)])     # the corners of the square: reflections fix one
        Action(D_4 on 4 points)
        """
        coset = self.coset_of(subgroup)
        first = np.unique(coset, return_index=True)[1]
        left = [np.array([self._places[g[e].tobytes()] for e in self.elements[first]]) for g in self.generators]
        return Action(self, np.array([coset[moved] for moved in left]))

    def coset_of(self, subgroup: Sequence[int]) -> NDArray[np.int64]:
        """The left coset that each element lies in, int array (order,); see `cosets`."""
        places = items("subgroup", subgroup, "places of elements, e.g. [1, 3]")
        places = [integer("subgroup", place, 0, self.order - 1) for place in places]
        if not places:
            return np.arange(self.order)
        right = [[self._places[e[self.elements[k]].tobytes()] for e in self.elements] for k in places]
        return _orbits(np.array(right))

    def generator_place(self, generator: int) -> int:
        """The place of a generator, by its number, among `elements`."""
        return int(self.table[0, integer("generator", generator, 0, len(self.generators) - 1)])

    def action(self, images: ArrayLike) -> Action:
        """The action in which generator i sends the point p to ``images[i, p]``; refused if it is none."""
        return Action(self, images, check=True)  # type: ignore[arg-type]  # what is no array is refused by name

    def __repr__(self) -> str:
        count = len(self.generators)
        try:
            order = f"order {self.order}"
        except ArgumentError:
            order = f"order above {_LARGEST_ORDER}"
        return f"Group({self.name!r}, {count} generator{'s' if count > 1 else ''}, {order})"


@dataclass(frozen=True, eq=False, repr=False)
class Action:
    """A group acting on points: where each generator sends each point. Made by `Group.action`, which checks it.

    Attributes
    ----------
    group : Group
    images : int array (g, P), permutations
    check : bool, whether all relations of the group are to be checked, which closes it (`Group.action` does)
    """

    group: Group
    images: NDArray[np.int64]
    check: bool = False

    def __post_init__(self) -> None:
        of_kind("group", self.group, Group, "a Group")
        object.__setattr__(self, "images", _permutations("images", self.images))
        count = len(self.group.generators)
        if len(self.images) != count:
            allowed = f"{count} permutations, one for each generator of {self.group.name}"
            raise ArgumentError("images", f"{len(self.images)} permutations", allowed)
        if self.check:
            self._require_relations()

    def _require_relations(self) -> None:
        moved, table, group = self.elements, self.group.table, self.group
        for g, image in enumerate(self.images):
            wrong = np.flatnonzero((moved[:, image] != moved[table[:, g]]).any(axis=1))
            if wrong.size:
                left = f"{group.word(int(wrong[0]))} {group.letters[g]}".removeprefix("1 ")
                right = group.word(int(table[wrong[0], g]))
                raise ArgumentError(
                    "images",
                    f"permutations for which {left} = {right} does not hold",
                    f"permutations for which every relation of {group.name} holds",
                )

    @property
    def points(self) -> int:
        """The number of points."""
        return self.images.shape[1]

    @cached_property
    def elements(self) -> NDArray[np.int64]:
        """Where each element of the group sends each point, int array (order, P)."""
        parents, steps = self.group.paths
        require_feasible("an action of every element", memory_bytes=8.0 * len(parents) * self.points, remedy="")
        moved = np.empty((len(parents), self.points), np.int64)
        moved[0] = np.arange(self.points)
        for at in range(1, len(parents)):
            moved[at] = moved[parents[at]][self.images[steps[at]]]
        return moved

    @cached_property
    def fixed_points(self) -> NDArray[np.int64]:
        """How many points each element leaves in place: its character, int array (order,)."""
        return (self.elements == np.arange(self.points)).sum(axis=1)

    @cached_property
    def orbits(self) -> NDArray[np.int64]:
        """The orbit of each point, int array (P,), numbered as they first appear."""
        return _orbits(self.images)

    def matrices(self) -> NDArray[np.float64]:
        """The generators as permutation matrices (g, P, P), acting on functions of the points."""
        made = np.zeros((len(self.images), self.points, self.points))
        for matrix, image in zip(made, self.images, strict=True):
            matrix[image, np.arange(self.points)] = 1.0
        return made

    def __repr__(self) -> str:
        return f"Action({self.group.name} on {self.points} points)"


def _letters(letters: Sequence[str], count: int) -> tuple[str, ...]:
    found = tuple(items("letters", letters, "a text or a list of texts") if not isinstance(letters, str) else letters)
    if len(found) != count or not all(isinstance(letter, str) for letter in found):
        raise ArgumentError("letters", found, f"{count} names, one a generator")
    return found


def _permutations(name: str, value: ArrayLike) -> NDArray[np.int64]:
    try:
        rows = np.array(value)
    except ValueError:  # rows of unequal length
        rows = np.zeros(0)
    if rows.ndim != 2 or rows.size == 0 or rows.dtype.kind not in "iu":
        raise ArgumentTypeError(name, value, "whole numbers, one row for each generator, e.g. [[1, 2, 0]]")
    wrong = np.flatnonzero((np.sort(rows, axis=1) != np.arange(rows.shape[1])).any(axis=1))
    if wrong.size:
        allowed = f"each of 0, ..., {rows.shape[1] - 1} once"
        raise ArgumentError(f"{name}[{wrong[0]}]", rows[wrong[0]].tolist(), allowed)
    rows = rows.astype(np.int64)
    rows.flags.writeable = False
    return rows


def _orbits(images: NDArray[np.int64]) -> NDArray[np.int64]:
    """The orbits of points under permutations (g, P), numbered as they first appear."""
    g, points = images.shape
    links = coo_array((np.ones(images.size, np.int8), (np.tile(np.arange(points), g), images.ravel())), (points,) * 2)
    found = connected_components(links, directed=False)[1]
    first, inverse = np.unique(found, return_index=True, return_inverse=True)[1:]
    return np.argsort(np.argsort(first))[inverse].astype(np.int64)


def _same_group(out: Action, inputs: Action) -> None:
    of_kind("out", out, Action, "an Action, such as `cyclic(6).natural`")
    of_kind("inputs", inputs, Action, "an Action, such as `cyclic(6).natural`")
    if not np.array_equal(out.group.generators, inputs.group.generators):
        raise ArgumentError(
            "inputs", f"an action of {inputs.group.name}", f"an action of the group of the outputs, {out.group.name}"
        )


def orbitals(out: Action, inputs: Action, links: ArrayLike | None = None) -> Sharing:
    """The sharing of all linear maps between functions on points that commute with a group.

    Parameters
    ----------
    out, inputs : Action, of one group, on P and Q points
    links : bool array (P, Q), or None for all: which points may be linked; the group must carry links into links

    Returns
    -------
    Sharing
        One label for each orbit of linked pairs, numbered as they first appear row by row; biases are shared on the
        orbits of the output points.

    Examples
    --------
    >>> s6 = symmetric(6)
    >>> orbitals(tuples(s6.natural, 2), tuples(s6.natural, 2))      # Maron et al.: Bell(4) = 15
    Sharing(36 -> 36 points, 15 labels)
    >>> orbitals(cyclic(6).natural, cyclic(6).natural).size
    6
    """
    _same_group(out, inputs)
    p, q = out.points, inputs.points
    generators = len(out.images)
    require_feasible("orbits of pairs of points", memory_bytes=48.0 * generators * p * q, remedy="Use fewer points.")
    moved = (out.images[:, :, None] * q + inputs.images[:, None, :]).reshape(generators, p * q)
    orbit = _orbits(moved)
    if links is not None:
        try:
            linked = np.asarray(links)
        except ValueError:  # rows of unequal length
            linked = np.zeros(0)
        if linked.shape != (p, q) or linked.dtype != np.bool_ or not linked.any():
            raise ArgumentError(
                "links", f"{linked.dtype}, shape {linked.shape}", f"bools ({p}, {q}), at least one True"
            )
        flat = linked.ravel()
        broken = np.flatnonzero(flat & ~flat[moved].all(axis=0))
        if broken.size:
            pair = divmod(int(broken[0]), q)
            raise ArgumentError(
                "links",
                f"a link {pair} that {out.group.name} carries to none",
                "links that the group carries into links",
            )
        labels = np.full(p * q, -1)
        first, inverse = np.unique(orbit[flat], return_index=True, return_inverse=True)[1:]
        labels[flat] = np.argsort(np.argsort(first))[inverse]
        orbit = labels
    return Sharing(orbit.reshape(p, q), out.orbits)


def count_orbitals(out: Action, inputs: Action) -> int:
    """The number of orbitals by characters (Burnside): the mean over the group of the products of fixed points.

    >>> count_orbitals(symmetric(3).natural, symmetric(3).natural)
    2
    """
    _same_group(out, inputs)
    return int((out.fixed_points * inputs.fixed_points).sum()) // out.group.order


def together(*actions: Action) -> Action:
    """The points of several actions of one group side by side: the direct sum of their functions."""
    if not actions:
        raise ArgumentError("actions", "none", "one action or more")
    for other in actions:
        _same_group(actions[0], other)
    starts = np.cumsum([0, *(a.points for a in actions)])
    return Action(actions[0].group, np.hstack([a.images + s for a, s in zip(actions, starts, strict=False)]))


def tuples(action: Action, order: int) -> Action:
    """The action on tuples of points, in row-major order: tensors of this order; one point for order 0.

    >>> tuples(symmetric(4).natural, 2)
    Action(S_4 on 16 points)
    """
    of_kind("action", action, Action, "an Action, such as `symmetric(4).natural`")
    order, p = integer("order", order, 0, 60), action.points
    require_feasible("an action on tuples", memory_bytes=8.0 * len(action.images) * float(p) ** order, remedy="")
    images = np.zeros((len(action.images), 1), np.int64)
    for _ in range(order):
        images = (images[:, :, None] * p + action.images[:, None, :]).reshape(len(images), -1)
    return Action(action.group, images)


def _point_count(n: int, least: int) -> int:
    n = integer("n", n, least, 2**53)
    require_feasible("a group of permutations", memory_bytes=100.0 * n, remedy="Use fewer points.")
    return n


def cyclic(n: int) -> Group:
    """The rotations C_n of n points.

    >>> cyclic(5)
    Group('C_5', 1 generator, order 5)
    """
    return Group([np.roll(np.arange(_point_count(n, 1)), -1)], f"C_{n}", "r")


def dihedral(n: int) -> Group:
    """The rotations and reflections D_n of a regular n-gon, 2n elements; n at least 3 (smaller ones are products).

    >>> dihedral(6).order
    12
    """
    points = np.arange(_point_count(n, 3))
    return Group([np.roll(points, -1), -points % n], f"D_{n}", "rs")


def symmetric(n: int) -> Group:
    """All permutations S_n of n points, generated by a transposition and a cycle.

    >>> symmetric(4).order
    24
    """
    points = np.arange(_point_count(n, 1))
    if n < 3:
        return Group([points[::-1]], f"S_{n}", "t")
    swap = points.copy()
    swap[:2] = 1, 0
    return Group([swap, np.roll(points, -1)], f"S_{n}", "tc")


def group_product(first: Group, second: Group) -> Group:
    """The direct product; its natural action is on the points of both, side by side.

    >>> group_product(cyclic(2), cyclic(3)).order
    6
    """
    for name, part in (("first", first), ("second", second)):
        of_kind(name, part, Group, "a Group")
    p, q = first.generators.shape[1], second.generators.shape[1]
    rows = [np.concatenate([g, p + np.arange(q)]) for g in first.generators]
    rows += [np.concatenate([np.arange(p), p + g]) for g in second.generators]
    letters = [f"{letter}{at}" for at, part in ((1, first), (2, second)) for letter in part.letters]
    return Group(rows, f"{first.name} x {second.name}", letters)
