"""A bound on ``max ||f(x) - g(x)||`` by quadratic forms that are carried back through both networks at once.

All that the two networks do is affine but for numbers w with ``|w| <= |z|``: with slopes in [m, M], ``phi(z) - phi(c)``
is ``(m + M) / 2 (z - c) + (M - m) / 2 w`` with ``|w| <= |z - c|`` (ReLU: w = |z|), the difference of an activation at z
and at z - s is the same in s, a maximum is the mean and such a number. A bound by a form Q in (w, rest) becomes one
without w: for diagonal multipliers G > Q_ww

    ``max over |w| <= |z| of Q(w, rest) <= Q'(z, rest)``,   ``Q' = Q_rr + Q_rw (G - Q_ww)^-1 Q_wr + z' G z``.

That is the S-procedure, as in LipSDP (Fazlyab et al., NeurIPS 2019), solved layer by layer. The multipliers are
improved by gradient steps; whatever they are, the bound holds: each Q' is proved by a Cholesky factorisation that
allows for its own rounding (Rump 2006) and is enlarged until it succeeds.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray

from rssp.tickets.norms import UNIT

__all__ = ["Affine", "Program", "Sector", "quadratic_bound"]

_ONE = -1  # the block of the constant 1


@dataclass(frozen=True, eq=False)
class Affine:
    """``out = sum of matrix @ block + constant``; matrices (size, size of the block) or vectors for diagonal ones."""

    out: int
    terms: tuple[tuple[int, NDArray[np.float64]], ...]
    constant: NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Sector:
    """``|w| <= |z|`` entry by entry, for one block or, with one multiplier matrix an entry, for the pair (w, omega).

    With `members` k, entry j of w is bounded by the 2-norm of the entries j k, ..., j k + k - 1 of z. With two blocks,
    w = |z| and w - scale omega = |z - scale zeta| exactly, so products of the two are known as well.
    """

    outs: tuple[int, ...]
    ins: tuple[int, ...]
    scale: float = 0.0
    members: int = 1


@dataclass(eq=False)
class Program:
    """What two networks do, in order: `sizes` of the blocks; block 0 is the input in [-1, 1] or in the unit ball."""

    sizes: list[int]
    ops: list[Affine | Sector] = field(default_factory=list)
    result: int = 0
    ball: bool = True

    def block(self, size: int) -> int:
        """A new block of numbers."""
        self.sizes.append(size)
        return len(self.sizes) - 1

    def affine(self, terms: Sequence[tuple[int, NDArray[np.float64]]], constant: NDArray[np.float64]) -> int:
        """A new block, affine in others."""
        out = self.block(len(constant))
        self.ops.append(Affine(out, tuple(terms), constant))
        return out

    def sector(self, ins: Sequence[int], scale: float = 0.0, members: int = 1) -> tuple[int, ...]:
        """New blocks that are bounded by others."""
        outs = tuple(self.block(self.sizes[i] // members) for i in ins)
        self.ops.append(Sector(outs, tuple(ins), scale, members))
        return outs

    def cost(self) -> float:
        """About how many multiplications one pass back takes."""
        total, live = float(self.sizes[0]) ** 3, {self.result}
        for op in reversed(self.ops):
            outs = set(op.outs) if isinstance(op, Sector) else {op.out}
            ins = set(op.ins) if isinstance(op, Sector) else {b for b, _ in op.terms}
            if isinstance(op, Affine) and not outs & live:
                continue
            live |= outs
            before, out = (float(sum(self.sizes[b] for b in blocks)) for blocks in (live, outs))
            live = (live - outs) | ins
            total += (
                out**3 + out * before**2 if isinstance(op, Sector) else out * before * sum(self.sizes[b] for b in ins)
            )
        return total


class _Form:
    """A symmetric form over the constant 1 and some blocks."""

    def __init__(self, program: Program, blocks: list[int], matrix: torch.Tensor):
        self.program, self.blocks, self.matrix = program, blocks, matrix

    def places(self, blocks: Sequence[int]) -> dict[int, slice]:
        found, at = {}, 1
        for b in blocks:
            found[b] = slice(at, at + self.program.sizes[b])
            at += self.program.sizes[b]
        return found


def _size(program: Program, blocks: Sequence[int]) -> int:
    return 1 + sum(program.sizes[b] for b in blocks)


@dataclass(frozen=True, eq=False)
class _Map:
    """An affine op among the blocks of a form: the numbers written are ``matrix @ (new numbers)[columns]``."""

    blocks: list[int]
    out: torch.Tensor
    kept: torch.Tensor
    columns: torch.Tensor
    matrix: torch.Tensor

    @classmethod
    def of(cls, form: _Form, op: Affine) -> _Map:
        program, old = form.program, form.places(form.blocks)
        left = [b for b in form.blocks if b != op.out]
        ins = list(dict.fromkeys(b for b, _ in op.terms))
        blocks = left + [b for b in ins if b not in left]
        new = form.places(blocks)
        matrix = {b: np.zeros((program.sizes[op.out], program.sizes[b])) for b in ins}
        for b, m in op.terms:
            matrix[b] += np.diag(m) if m.ndim == 1 else m
        places = np.arange(_size(program, form.blocks))
        out = places[old[op.out]]
        columns = np.concatenate([[0], *(np.arange(new[b].start, new[b].stop) for b in ins)])
        whole = np.concatenate([op.constant[:, None], *matrix.values()], axis=1)
        kept = np.delete(places, out)
        return cls(blocks, *map(torch.from_numpy, (out, kept, columns, whole)))

    def undo(self, q: torch.Tensor, size: int) -> torch.Tensor:
        """The form in the new numbers, `size` of them."""
        image = q[:, self.out] @ self.matrix
        rows = torch.nn.functional.pad(image[self.kept], (0, 0, 0, size - len(self.kept)))
        rows = rows.index_add(0, self.columns, self.matrix.T @ image[self.out] / 2)
        half = torch.zeros(size, size, dtype=torch.float64).index_add(1, self.columns, rows)
        q = torch.nn.functional.pad(q[self.kept][:, self.kept], (0, size - len(self.kept)) * 2)
        return q + half + half.T

    def rounding(self, q: torch.Tensor, size: int) -> float:
        """A bound on the norm of what rounding changes: row sums of |T|' |Q| |T| for the map T of all numbers."""
        absolute, ones = self.matrix.abs(), torch.ones(len(q), dtype=torch.float64)
        ones[self.out] = absolute.sum(dim=1)
        image = q.abs() @ ones
        sums = torch.zeros(size, dtype=torch.float64)
        sums[: len(self.kept)] = image[self.kept]
        sums = sums.index_add(0, self.columns, absolute.T @ image[self.out])
        return float(sums.max()) * 4.0 * (len(q) + 8) * UNIT


class _Pass:
    """One way back through a program: multipliers are parameters, made at the first pass."""

    def __init__(self, program: Program):
        self.program = program
        self.parameters: dict[int, list[torch.Tensor]] = {}
        self.maps: dict[int, _Map] = {}
        self.vectors: dict[int, torch.Tensor] = {}
        self.final: list[torch.Tensor] = []

    def value(self, prove: bool = False) -> torch.Tensor | float:
        """The bound on the square, differentiable; or proved."""
        program = self.program
        size = program.sizes[program.result]
        start = torch.zeros(size + 1, size + 1, dtype=torch.float64)
        start[1:, 1:] = torch.eye(size, dtype=torch.float64)
        form = _Form(program, [program.result], start)
        for place in range(len(program.ops) - 1, -1, -1):
            op = program.ops[place]
            if isinstance(op, Affine):
                if op.out in form.blocks:
                    form = self._undo(place, op, form, prove)
            elif set(op.outs) & set(form.blocks):
                form = self._eliminate(place, op, form, prove)
                if not bool(torch.isfinite(form.matrix).all()):
                    return torch.tensor(math.inf, dtype=torch.float64)
        if form.blocks != [0]:
            return form.matrix[0, 0]  # nothing depends on the input
        return self._last(form.matrix, prove)

    def _undo(self, place: int, op: Affine, form: _Form, prove: bool) -> _Form:
        if place not in self.maps:
            self.maps[place] = _Map.of(form, op)
        way = self.maps[place]
        size = _size(form.program, way.blocks)
        matrix = way.undo(form.matrix, size)
        matrix = (matrix + matrix.T) / 2
        if prove:
            matrix = matrix + way.rounding(form.matrix, size) * torch.eye(size, dtype=torch.float64)
        return _Form(form.program, way.blocks, matrix)

    def _multipliers(self, place: int, op: Sector, inner: torch.Tensor) -> torch.Tensor:
        """G as (k, k) blocks of diagonals, k = 1 or 2: a tensor (k, k, size), above the inner form."""
        k, n = len(op.outs), self.program.sizes[op.outs[0]]
        if place not in self.parameters:
            rows = inner.detach().abs().sum(dim=1)
            start = torch.log(rows + 1e-6 * rows.max() + 1e-30).reshape(k, n)
            self.parameters[place] = [start.clone(), torch.zeros(1, dtype=torch.float64)]
            if k == 2:
                self.parameters[place].append(torch.zeros(n, dtype=torch.float64))
            for p in self.parameters[place]:
                p.requires_grad_(True)
        logs, margin, *cross = self.parameters[place]
        a = torch.exp(logs[0])
        if k == 1:
            g = a[None, None]
            roots: tuple[torch.Tensor, ...] = (a.rsqrt(),)
        else:
            c = torch.exp(logs[1])
            most = torch.minimum((a * c).sqrt(), c / op.scale if op.scale else (a * c).sqrt())
            b = 0.999 * torch.tanh(cross[0]) * most
            g = torch.stack([torch.stack([a, b]), torch.stack([b, c])])
            # G = L L' with L = [[sqrt a, 0], [b / sqrt a, sqrt(c - b^2 / a)]]; roots are the entries of L^-1
            inner_c = (c - b**2 / a).rsqrt()
            roots = (a.rsqrt(), -b / a * inner_c, inner_c)
        least = self._largest(place, k * n, lambda v: _lower(roots, inner @ _upper(roots, v))).clamp(min=1e-12)
        return g * least * (1.02 + torch.exp(margin))

    def _largest(self, place: int, size: int, image: Callable[[torch.Tensor], torch.Tensor]) -> torch.Tensor:
        """The largest eigenvalue from below, by power steps from where the pass before ended; differentiable."""
        with torch.no_grad():
            known = place in self.vectors
            v = self.vectors[place] if known else torch.cos(torch.arange(size, dtype=torch.float64) ** 2)
            for _ in range(4 if known else 40):
                v = image(v)
                v = v / v.norm().clamp(min=1e-300)
            self.vectors[place] = v
        return v @ image(v)

    def _eliminate(self, place: int, op: Sector, form: _Form, prove: bool) -> _Form:
        program, at = form.program, form.places(form.blocks)
        # a block that nothing depends on: the form is extended by zeros
        for b in op.outs:
            if b not in at:
                form = _Form(
                    program, [*form.blocks, b], torch.nn.functional.pad(form.matrix, (0, program.sizes[b]) * 2)
                )
                at = form.places(form.blocks)
        out = torch.cat([torch.arange(at[b].start, at[b].stop) for b in op.outs])
        mask = torch.ones(len(form.matrix), dtype=torch.bool)
        mask[out] = False
        rest = torch.arange(len(form.matrix))[mask]
        kept = [b for b in form.blocks if b not in op.outs]
        blocks = kept + [b for b in op.ins if b not in kept]
        extra = _size(program, blocks) - len(rest)
        inner = form.matrix[out][:, out]
        side = torch.nn.functional.pad(form.matrix[rest][:, out], (0, 0, 0, extra))
        outer = torch.nn.functional.pad(form.matrix[rest][:, rest], (0, extra, 0, extra))
        g = self._multipliers(place, op, inner)
        k = len(g)
        whole = torch.cat([torch.cat([torch.diag(g[i, j]) for j in range(k)], dim=1) for i in range(k)])
        new = form.places(blocks)
        z = torch.cat([torch.arange(new[b].start, new[b].stop) for b in op.ins])
        upon = whole if op.members == 1 else torch.diag(g[0, 0].repeat_interleave(op.members))
        lifted = torch.zeros(len(outer), len(outer), dtype=torch.float64).index_put((z[:, None], z[None, :]), upon)
        pivot = whole - inner
        after = outer + lifted + _over(side, pivot)
        after = (after + after.T) / 2
        if prove:
            after = torch.from_numpy(
                _enlarged(
                    after.numpy(), (outer + lifted).numpy(), side.numpy(), pivot.numpy(), whole.numpy(), inner.numpy()
                )
            )
        return _Form(program, blocks, after)

    def _last(self, q: torch.Tensor, prove: bool) -> torch.Tensor | float:
        """The maximum over the input: ``t >= Q(1, x)`` by one multiplier (ball) or one a coordinate (box)."""
        n = len(q) - 1
        if not self.final:
            rows = q[1:, 1:].detach().abs().sum(dim=1)
            logs = (
                torch.zeros(1, dtype=torch.float64)
                if self.program.ball
                else torch.log(rows + 1e-6 * rows.max() + 1e-30)
            )
            self.final = [logs, torch.full((1,), -2.0, dtype=torch.float64)]
            for p in self.final:
                p.requires_grad_(True)
        d = torch.exp(self.final[0]).expand(n)
        root = d.rsqrt()
        affine = bool((q[0, 1:] != 0).any())
        least = torch.linalg.eigvalsh(root[:, None] * q[1:, 1:] * root)[-1].clamp(min=1e-30)
        d = d * least * (1 + (torch.exp(self.final[1]) if affine else 1e-9))
        total = d[0] if self.program.ball else d.sum()
        pivot = torch.diag(d) - q[1:, 1:]
        t = q[0, 0] + total
        if affine:
            t = t + _over(q[:1, 1:], pivot)[0, 0]
        if not prove:
            return t
        fixed = np.zeros((1, 1)) + float(q[0, 0] + total)
        side, whole = q[:1, 1:].numpy(), torch.diag(d).numpy()
        found = _enlarged(np.array([[float(t)]]), fixed, side, pivot.numpy(), whole, q[1:, 1:].numpy())
        return float(found[0, 0] * (1 + 4 * (n + 4) * UNIT) + 4 * (n + 4) * UNIT * float(q[0, 0].abs() + total))


def _over(side: torch.Tensor, pivot: torch.Tensor) -> torch.Tensor:
    """``side pivot^-1 side'``, not a number where the pivot is not positive."""
    factor, failed = torch.linalg.cholesky_ex(pivot)
    if int(failed):
        return torch.full((len(side), len(side)), math.nan, dtype=torch.float64)
    part = torch.linalg.solve_triangular(factor, side.T, upper=False)
    return part.T @ part


def _upper(roots: Sequence[torch.Tensor], v: torch.Tensor) -> torch.Tensor:
    """``L^-T v`` of diagonal blocks."""
    if len(roots) == 1:
        return roots[0] * v
    x, y = v.chunk(2)
    return torch.cat([roots[0] * x + roots[1] * y, roots[2] * y])


def _lower(roots: Sequence[torch.Tensor], v: torch.Tensor) -> torch.Tensor:
    """``L^-1 v`` of diagonal blocks."""
    if len(roots) == 1:
        return roots[0] * v
    x, y = v.chunk(2)
    return torch.cat([roots[0] * x, roots[1] * x + roots[2] * y])


def _enlarged(
    after: NDArray[np.float64], outer: NDArray[np.float64], side: NDArray[np.float64], pivot: NDArray[np.float64],
    whole: NDArray[np.float64], inner: NDArray[np.float64],
) -> NDArray[np.float64]:  # fmt: skip
    """``after + e I`` for the least e tried that proves ``[[after + e I - outer, -side], [-side', pivot]] >= 0``.

    If a Cholesky factorisation of A - s I runs through, A >= 0 for s >= gamma_(n+1) trace(A) and the rounding of the
    entries of A.
    """
    n, m = len(after), len(pivot)
    block = np.empty((n + m, n + m))
    block[:n, n:], block[n:, :n], block[n:, n:] = -side, -side.T, pivot
    entries = max(
        float((np.abs(after) + 2 * np.abs(outer)).sum(axis=1).max()),
        float((np.abs(whole) + np.abs(inner)).sum(axis=1).max()),
    )
    # scaled to one size: the pivots may be far above what is kept
    scale = np.ones(n + m)
    scale[n:] = np.exp2(-np.round(np.log2(np.maximum(np.diag(pivot), 1e-300)) / 2))
    scale[:n] = np.exp2(-np.round(np.log2(max(float(np.abs(after).max()), 1e-300)) / 2))
    size = max(float(np.abs(after).max()), 1e-300)
    for power in range(-13, 0):
        e = size * 10.0**power
        block[:n, :n] = after - outer
        block[np.arange(n), np.arange(n)] += e
        scaled = block * scale[:, None] * scale
        slack = 16 * UNIT * entries * scale**2
        trace = float(np.abs(np.diag(scaled)).sum())
        shift = 2.0 * (n + m + 4) * UNIT * trace
        scaled[np.arange(n + m), np.arange(n + m)] -= shift + slack
        try:
            np.linalg.cholesky(scaled)
        except np.linalg.LinAlgError:
            continue
        grown = after.copy()
        grown[np.arange(n), np.arange(n)] += e * (1 + 4 * UNIT) + 4 * UNIT * size
        return grown
    return np.full_like(after, np.inf)


def quadratic_bound(program: Program, steps: int = 60, rate: float = 0.15) -> float:
    """An upper bound on the 2-norm of the program's result; inf where no form could be proved.

    Examples
    --------
    >>> p = Program([2])
    >>> z = p.affine([(0, np.array([[3.0, 0.0], [0.0, 4.0]]))], np.zeros(2))
    >>> (w,) = p.sector([z])
    >>> p.result = p.affine([(z, np.full(2, 0.5)), (w, np.full(2, 0.5))], np.zeros(2))    # a ReLU
    >>> round(quadratic_bound(p), 4)
    4.0
    """
    way = _Pass(program)
    value = way.value()
    assert isinstance(value, torch.Tensor)
    if float(value.detach()) == 0.0:
        return 0.0
    if not way.final:  # nothing depends on the input
        return math.sqrt(float(way.value(prove=True))) * (1 + 4 * UNIT)
    margins = [group[1] for group in way.parameters.values()]
    parameters = [p for group in way.parameters.values() for p in group] + way.final
    best, kept, slower = math.inf, [p.detach().clone() for p in parameters], 1.0
    optimiser = torch.optim.Adam(parameters, lr=rate, betas=(0.9, 0.95))
    for step in range(steps + 1):
        value = way.value()
        assert isinstance(value, torch.Tensor)
        found = float(value.detach())
        if not math.isfinite(found):  # a pivot was not positive: back, and on with more room and shorter steps
            slower /= 2
            for p, good in zip(parameters, kept, strict=True):
                p.data.copy_(good)
            for p in margins:
                p.data.add_(0.3)
            kept = [p.detach().clone() for p in parameters]
            optimiser.state.clear()
            continue
        if found < best:
            best, kept = found, [p.detach().clone() for p in parameters]
        if step == steps or not value.requires_grad:
            break
        optimiser.zero_grad()
        torch.log(value).backward()
        if not all(p.grad is None or bool(torch.isfinite(p.grad).all()) for p in parameters):
            break
        for group in optimiser.param_groups:
            group["lr"] = slower * (rate * (1 - step / steps) + 0.01)
        optimiser.step()
    with torch.no_grad():
        for p, good in zip(parameters, kept, strict=True):
            p.copy_(good)
        proved = float(way.value(prove=True))
        for _ in range(3):
            if math.isfinite(proved):
                break
            for p in margins:
                p.add_(0.5)
            proved = float(way.value(prove=True))
    return math.sqrt(proved) * (1 + 4 * UNIT) if math.isfinite(proved) and proved >= 0 else math.inf
