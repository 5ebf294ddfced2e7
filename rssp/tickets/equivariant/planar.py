"""The planar groups p4 and p4m on square grids of pixels: translations of the torus with quarter turns and reflections.

A field is what stands at each pixel: one number (trivial), one for each turn (regular), or one for each coset of a
subgroup of the turns (quotient). A layer between two fields links pixels within its kernel and shares its coefficients
on orbitals (Cohen and Welling, ICML 2016). The basis counted here is that of the pixel grid; steerable libraries count
a band-limited one, which is smaller.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rssp._arguments import integer, items, of_kind
from rssp._costs import require_feasible
from rssp.errors import ArgumentError
from rssp.tickets.equivariant.groups import Action, Group, cyclic, dihedral, group_product, orbitals
from rssp.tickets.sharing import Sharing

__all__ = ["Field", "PlanarGroup"]


@dataclass(frozen=True, eq=False, repr=False)
class Field:
    """An action of a planar group on points that lie at pixels: `size` points at each pixel, pixel by pixel.

    Attributes
    ----------
    action : Action
    side, size : int, pixels on an edge, points at a pixel
    """

    action: Action
    side: int
    size: int

    @property
    def points(self) -> int:
        """The number of points, side * side * size."""
        return self.action.points

    def __repr__(self) -> str:
        return f"Field({self.action.group.name}, {self.side}x{self.side} pixels, {self.size} points each)"


class PlanarGroup:
    """Translations of a square torus, turns by 90 degrees, and reflections if asked for.

    Parameters
    ----------
    side : int >= 3, pixels on an edge
    turns : 1, 2 or 4, how many rotations: p1, p2, p4
    reflections : bool: pm, pmm (as p2m), p4m

    Examples
    --------
    >>> p4 = PlanarGroup(5)
    >>> p4.layer(p4.regular, p4.trivial, kernel=3), p4.layer(p4.regular, p4.regular, kernel=3).size
    (Sharing(25 -> 100 points, 9 labels), 36)
    """

    def __init__(self, side: int, turns: int = 4, reflections: bool = False):
        self.side = integer("side", side, 3)
        require_feasible("a planar group", memory_bytes=400.0 * self.side**2, remedy="Use a smaller image.")
        of_kind("reflections", reflections, bool, "True or False")
        if turns not in (1, 2, 4):
            raise ArgumentError("turns", turns, "1, 2 or 4: the grid has no others")
        rows, columns = np.divmod(np.arange(side * side), side)
        moves, letters = [(rows + 1, columns), (rows, columns + 1)], ["y", "x"]
        if turns > 1:
            moves.append((-columns, rows) if turns == 4 else (-rows, -columns))
            letters.append("r")
        if reflections:
            moves.append((rows, -columns))
            letters.append("m")
        images = [(r % side) * side + c % side for r, c in moves]
        self.turns, self.reflections = turns, reflections
        self.group = Group(images, f"p{turns}{'m' if reflections else ''} of {side}x{side} pixels", letters)

    @property
    def trivial(self) -> Field:
        """One number at each pixel, which turns leave as it is: an image."""
        return self._field(self._turning)

    @property
    def regular(self) -> Field:
        """One number at each pixel for each turn and reflection."""
        return self._field(())

    def quotient(self, letters: Sequence[str]) -> Field:
        """One number at each pixel for each coset of the subgroup that these of the generators 'r' and 'm' generate.

        >>> PlanarGroup(3, reflections=True).quotient("m")
        Field(p4m of 3x3 pixels, 3x3 pixels, 4 points each)
        """
        known = self.group.letters[2:]
        letters = list(letters) if isinstance(letters, str) else items("letters", letters, "letters of generators")
        for letter in letters:
            if letter not in known:
                raise ArgumentError("letters", repr(letter), f"of {', '.join(map(repr, known)) or 'none'}")
        return self._field([self.group.generator_place(self.group.letters.index(letter)) for letter in letters])

    @property
    def _turning(self) -> list[int]:
        return [self.group.generator_place(i) for i in range(2, len(self.group.letters))]

    def _field(self, subgroup: Sequence[int]) -> Field:
        """The cosets of a subgroup of the turns about pixel 0, in the order of the pixels they lie at."""
        action = self.group.cosets(subgroup)
        first = np.unique(self.group.coset_of(subgroup), return_index=True)[1]
        order = np.argsort(self.group.elements[first, 0], kind="stable")  # where its elements send pixel 0
        place = np.argsort(order)
        images = place[action.images[:, order]]
        return Field(Action(self.group, images), self.side, action.points // self.side**2)

    def about_middle(self, field: Field) -> Action:
        """The turns and reflections about the middle of the image, without translations, on the points of a field.

        Examples
        --------
        >>> p4 = PlanarGroup(3)
        >>> p4.about_middle(p4.trivial).images.tolist()     # the first pixel goes down to the third row
        [[6, 3, 0, 7, 4, 1, 8, 5, 2]]
        """
        self._require_own("field", field)
        images = dict(zip(self.group.letters, field.action.images, strict=True))
        moves = []
        for letter, back in (("r", "y" if self.turns == 4 else "yx"), ("m", "x")):
            if letter not in images:
                continue
            move = images[letter]
            for shift in back:
                for _ in range(self.side - 1):
                    move = images[shift][move]
            moves.append(move)
        if not moves:
            return cyclic(1).action([np.arange(field.points)])
        if not self.reflections:
            return cyclic(self.turns).action(moves)
        groups = {1: cyclic(2), 2: group_product(cyclic(2), cyclic(2)), 4: dihedral(4)}
        return groups[self.turns].action(moves)

    def layer(self, out: Field, inputs: Field, kernel: int = 3) -> Sharing:
        """The sharing of the equivariant layers between two fields that link pixels within an odd square kernel.

        Raises ArgumentError for an even kernel, which no turn leaves in place, and one larger than the image.
        """
        self._require_own("out", out)
        self._require_own("inputs", inputs)
        if integer("kernel", kernel, 1) % 2 == 0 or kernel > self.side:
            raise ArgumentError("kernel", kernel, f"an odd number up to {self.side}")
        return orbitals(out.action, inputs.action, self._links(out, inputs, kernel))

    def _require_own(self, name: str, field: Field) -> None:
        of_kind(name, field, Field, "a Field of this group: trivial, regular or quotient(...)")
        if not np.array_equal(field.action.group.generators, self.group.generators):
            raise ArgumentError(name, f"{field}", f"a field of {self.group.name}")

    def _links(self, out: Field, inputs: Field, kernel: int) -> NDArray[np.bool_]:
        at = np.divmod(np.arange(self.side**2), self.side)
        half, side = kernel // 2, self.side
        near = [(np.subtract.outer(a, a) + half) % side < kernel for a in at]
        return np.repeat(np.repeat(near[0] & near[1], out.size, axis=0), inputs.size, axis=1)

    def __repr__(self) -> str:
        return f"PlanarGroup({self.side}, turns={self.turns}, reflections={self.reflections})"
