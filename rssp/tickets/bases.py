"""Sharing by a basis of matrices, for groups whose action is no permutation of points.

A label pattern is the special case in which every entry of every basis element is 0 or 1 and no two elements overlap.
"""

from __future__ import annotations

from functools import cached_property

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray

from rssp._arguments import real_array, whole_array
from rssp._costs import require_feasible
from rssp.errors import ArgumentError
from rssp.tickets.norms import UNIT, spectral_norm_bound, up
from rssp.tickets.sharing import Sharing

__all__ = ["Basis", "basis_norm"]

LARGEST = 1e50
"""a choice: of coefficients and of basis elements, so that norms of layers, their squares among them, stay finite"""
_LARGEST_SIGNS = 16  # basis elements whose signs are enumerated: 2^15 matrices


class Basis(Sharing):
    """A sharing whose block between two channels is a combination of given matrices.

    Parameters
    ----------
    elements : float array (K, P, Q), K >= 1; e.g. of `rssp.tickets.equivariant.intertwiners`
    orbit : int array (P,), or None. With it an output channel has one bias for each orbit of points; without, layers
        have none, since a constant commutes with a group of matrices only where these leave it in place

    Examples
    --------
    >>> import numpy as np
    >>> from rssp.tickets.equivariant.groups import cyclic
    >>> from rssp.tickets.equivariant.intertwiners import intertwiners, planar_rotations
    >>> plane = planar_rotations(cyclic(5), [1])
    >>> turns = Basis(intertwiners(plane, plane))            # multiples of rotations of the plane
    >>> turns, turns.size, turns.biased
    (Basis(2 -> 2 points, 2 elements), 2, False)
    >>> half = turns.matrix(np.array([[[0.5, 0.5]]]))
    >>> bool(np.allclose(half.T @ half, half[0] @ half[0] * np.eye(2)))
    True
    """

    elements: NDArray[np.float64]

    def __init__(self, elements: ArrayLike, orbit: ArrayLike | None = None) -> None:
        found = np.array(real_array("elements", elements))
        if found.ndim != 3 or 0 in found.shape or not np.isfinite(found).all():
            raise ArgumentError("elements", f"an array of shape {found.shape}", "finite matrices (K, P, Q), K >= 1")
        sizes = np.abs(found).max(axis=(1, 2))
        odd = sizes[(sizes > 0) & ((sizes < 1 / LARGEST) | (sizes > LARGEST))]
        if odd.size:
            allowed = f"a largest entry from {1 / LARGEST:g} to {LARGEST:g}, or none"
            raise ArgumentError("elements", f"one whose largest entry is {odd[0]:.3g}", allowed)
        found.flags.writeable = False
        orbits = np.zeros(found.shape[1], np.int64) if orbit is None else whole_array("orbit", orbit)
        if orbits.shape != (found.shape[1],) or orbits.min() < 0:
            allowed = f"whole numbers >= 0, ({found.shape[1]},)"
            raise ArgumentError("orbit", f"an array of shape {orbits.shape}", allowed)
        orbits.flags.writeable = False
        object.__setattr__(self, "elements", found)
        object.__setattr__(self, "pattern", np.zeros((1, 1), np.int64))  # there are no labels
        object.__setattr__(self, "orbit", orbits)
        object.__setattr__(self, "_biased", orbit is not None)

    @property
    def labels(self) -> NDArray[np.int64]:
        raise AttributeError("a basis of matrices has no labels: see elements")

    @property
    def points(self) -> tuple[int, int]:
        return self.elements.shape[1], self.elements.shape[2]

    @cached_property
    def size(self) -> int:
        return len(self.elements)

    @property
    def biased(self) -> bool:
        return bool(self._biased)  # type: ignore[attr-defined]

    @cached_property
    def absolute(self) -> Sharing:
        if (self.elements >= 0).all():
            return self
        return Basis(np.abs(self.elements), self.orbit)

    @cached_property
    def repeats(self) -> tuple[float, float]:
        sizes = np.abs(self.elements)
        p, q = self.points
        return float(up(sizes.sum(axis=2).max(), q)), float(up(sizes.sum(axis=1).max(), p))

    @cached_property
    def products(self) -> int:
        return int((self.elements != 0).any(axis=0).sum(axis=1).max())

    @cached_property
    def row_norm(self) -> float:
        # a row is the coefficients times the elements' rows there, a matrix (K, Q)
        return spectral_norm_bound(np.ascontiguousarray(self.elements.swapaxes(0, 1)))

    @cached_property
    def largest(self) -> float:
        return float(up(self.combined.max(), self.size))

    @cached_property
    def squares(self) -> NDArray[np.float64]:
        # elements may overlap: the square of a sum of K matrices is at most K times the sum of their squares
        return np.asarray(up(self.size * (self.elements**2).sum(axis=(1, 2)), self.elements[0].size))

    @cached_property
    def combined(self) -> NDArray[np.float64]:
        return np.asarray(np.abs(self.elements).sum(axis=0))

    @cached_property
    def norm(self) -> tuple[float, float]:
        """Bounds on ||B||, see `rssp.tickets.basis_norm`."""
        return basis_norm(self.elements)

    def matrix(self, coefficients: NDArray[np.float64]) -> NDArray[np.float64]:
        out, channels, _ = coefficients.shape
        p, q = self.points
        require_feasible("a layer's matrix", memory_bytes=16.0 * out * p * channels * q, remedy="Use smaller features.")
        blocks = np.tensordot(coefficients, self.elements, 1)  # (out, in, P, Q)
        return np.ascontiguousarray(blocks.transpose(0, 2, 1, 3)).reshape(out * p, channels * q)

    def prepare(self, coefficients: NDArray[np.float64], groups: int) -> torch.Tensor:
        return torch.tensor(self.matrix(coefficients))

    def __repr__(self) -> str:
        p, q = self.points
        return f"Basis({q} -> {p} points, {self.size} elements)"


def basis_norm(basis: ArrayLike) -> tuple[float, float]:
    """Bounds on ||B|| = max over |beta_k| <= 1 of the operator norm of ``sum_k beta_k B_k``.

    Returns
    -------
    (low, high)
        Equal but for rounding where all signs can be tried (16 basis elements or fewer): a convex function is largest
        at a corner. Else the best corner found by an ascent, and the smaller of two bounds: the norm of the sum of the
        entries' absolute values, and ``sum_k ||B_k||``. The rounding of their own computation is in the high ones.

    Examples
    --------
    >>> low, high = basis_norm([[[1.0, 0.0], [0.0, 1.0]], [[0.0, 1.0], [1.0, 0.0]]])
    >>> round(low, 9), round(high, 9)
    (2.0, 2.0)
    """
    parts = real_array("basis", basis)
    if parts.ndim != 3 or len(parts) == 0 or not np.isfinite(parts).all():
        raise ArgumentError("basis", f"an array of shape {parts.shape}", "finite matrices, (K, p, q), K at least 1")
    count = len(parts)
    absolute = np.abs(parts).sum(axis=0)
    high = min(spectral_norm_bound(absolute), sum(map(spectral_norm_bound, parts)))
    low = 0.0
    if count <= _LARGEST_SIGNS:
        signs = 1.0 - 2.0 * ((np.arange(2 ** (count - 1))[:, None] >> np.arange(count)) & 1)
        proved = 0.0
        for some in np.array_split(signs, max(1, len(signs) // 256)):
            sums = np.tensordot(some, parts, 1)
            low = max(low, float(np.linalg.norm(sums, 2, axis=(1, 2)).max()))
            proved = max(proved, spectral_norm_bound(sums))
        high = min(high, proved + 2 * (count + 2) * UNIT * high)
        return low, float(up(high, 2))
    for start in [np.ones(count), *np.sign(np.random.default_rng(0).standard_normal((7, count)))]:
        signs = start
        while True:  # each turn of the singular vectors fixes the best signs: the norm never falls
            u, s, vt = np.linalg.svd(np.tensordot(signs, parts, 1))
            if s[0] <= low * (1 + 1e-12):
                break
            low = float(s[0])
            signs = np.where(np.einsum("i,kij,j->k", u[:, 0], parts, vt[0]) < 0, -1.0, 1.0)
    return low, float(up(high, count + absolute.size))
