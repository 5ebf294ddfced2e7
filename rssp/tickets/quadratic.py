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
from collections.abc import Sequence
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

    With `members` k, entry j of w is bounded by the 2-norm of the entries j k, ..., j k + k - 1 of z. With two blocks, w = |z| and w - scale omega = |z - scale zeta| exactly, so products of the two are known as well.
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
        total, live = 0.0, {self.result}
        for op in reversed(self.ops):
            outs = set(op.outs) if isinstance(op, Sector) else {op.out}
            ins = set(op.ins) if isinstance(op, Sector) else {b for b, _ in op.terms}
            if not outs & live:
                continue
            before = sum(self.sizes[b] for b in live | outs)
            live = (live - outs) | ins
            after = sum(self.sizes[b] for b in live)
            total += 2.0 * before * after * max(before, after)
        return total + float(self.sizes[0]) ** 3


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


def _substitution(form: _Form, op: Affine) -> tuple[list[int], NDArray[np.float64]]:
    """The blocks after an affine op is undone, and the matrix T with (old numbers) = T (new numbers)."""
    program = form.program
    kept = [b for b in form.blocks if b != op.out]
    blocks = kept + [b for b in dict.fromkeys(b for b, _ in op.terms) if b not in kept]
    old, new = form.places(form.blocks), form.places(blocks)
    t = np.zeros((_size(program, form.blocks), _size(program, blocks)))
    t[0, 0] = 1.0
    for b in kept:
        t[old[b], new[b]] = np.eye(program.sizes[b])
    for b, matrix in op.terms:
        t[old[op.out], new[b]] += np.diag(matrix) if matrix.ndim == 1 else matrix
    t[old[op.out], 0] += op.constant
    return blocks, t


class _Pass:
    """One way back through a program: multipliers are parameters, made at the first pass."""

    def __init__(self, program: Program):
        self.program = program
        self.parameters: dict[int, list[torch.Tensor]] = {}
        self.substitutions: dict[int, tuple[list[int], NDArray[np.float64], torch.Tensor]] = {}
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
        if form.blocks != [0]:
            return torch.tensor(0.0, dtype=torch.float64) if not form.blocks else torch.tensor(math.inf)
        return self._last(form.matrix, prove)

    def _undo(self, place: int, op: Affine, form: _Form, prove: bool) -> _Form:
        if place not in self.substitutions:
            blocks, t = _substitution(form, op)
            self.substitutions[place] = blocks, t, torch.from_numpy(t)
        blocks, t, tt = self.substitutions[place]
        matrix = tt.T @ form.matrix @ tt
        matrix = (matrix + matrix.T) / 2
        if prove:
            size, inner = np.abs(t), np.abs(form.matrix.numpy())
            error = (size.T @ (inner @ size)).sum(axis=1).max() * (4.0 * (len(inner) + 8) * UNIT)
            matrix = matrix + float(error) * torch.eye(len(matrix), dtype=torch.float64)
        return _Form(form.program, blocks, matrix)

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
            root = torch.diag(a.rsqrt())
            g = a[None, None]
        else:
            c = torch.exp(logs[1])
            most = torch.minimum((a * c).sqrt(), c / op.scale if op.scale else (a * c).sqrt())
            b = 0.999 * torch.tanh(cross[0]) * most
            g = torch.stack([torch.stack([a, b]), torch.stack([b, c])])
            # G = L L' with L = [[sqrt a, 0], [b / sqrt a, sqrt(c - b^2 / a)]]; root = L^-1
            inner_c = (c - b**2 / a).rsqrt()
            zero = torch.zeros_like(a)
            root = torch.cat(
                [
                    torch.cat([torch.diag(a.rsqrt()), torch.diag(zero)], dim=1),
                    torch.cat([torch.diag(-b / a * inner_c), torch.diag(inner_c)], dim=1),
                ]
            )
        least = torch.linalg.eigvalsh(root @ inner @ root.T)[-1].clamp(min=1e-12)
        return g * least * (1 + torch.exp(margin))

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
        k, n = g.shape[0], g.shape[2]
        whole = torch.cat([torch.cat([torch.diag(g[i, j]) for j in range(k)], dim=1) for i in range(k)])
        new = form.places(blocks)
        z = torch.cat([torch.arange(new[b].start, new[b].stop) for b in op.ins])
        upon = whole if op.members == 1 else torch.diag(g[0, 0].repeat_interleave(op.members))
        lifted = torch.zeros(len(outer), len(outer), dtype=torch.float64).index_put((z[:, None], z[None, :]), upon)
        pivot = whole - inner
        after = outer + lifted + side @ torch.linalg.solve(pivot, side.T)
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
            t = t + q[0, 1:] @ torch.linalg.solve(pivot, q[1:, 0])
        if not prove:
            return t
        fixed = np.zeros((1, 1)) + float(q[0, 0] + total)
        side, whole = q[:1, 1:].numpy(), torch.diag(d).numpy()
        found = _enlarged(np.array([[float(t)]]), fixed, side, pivot.numpy(), whole, q[1:, 1:].numpy())
        return float(found[0, 0] * (1 + 4 * (n + 4) * UNIT) + 4 * (n + 4) * UNIT * float(q[0, 0].abs() + total))


def _enlarged(
    after: NDArray[np.float64], outer: NDArray[np.float64], side: NDArray[np.float64], pivot: NDArray[np.float64],
    whole: NDArray[np.float64], inner: NDArray[np.float64],
) -> NDArray[np.float64]:  # fmt: skip
    """``after + e I`` with the least e tried for which ``[[after + e I - outer, -side], [-side', pivot]]`` is proved >= 0.

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
    first = way.value()
    assert isinstance(first, torch.Tensor)
    best = float(first.detach())
    if best == 0.0:
        return 0.0
    parameters = [p for group in way.parameters.values() for p in group] + way.final
    kept = [p.detach().clone() for p in parameters]
    if steps and parameters:
        optimiser = torch.optim.Adam(parameters, lr=rate, betas=(0.9, 0.95))
        for step in range(steps):
            for group in optimiser.param_groups:
                group["lr"] = rate * (1 - step / steps) + 0.01
            value = way.value()
            assert isinstance(value, torch.Tensor)
            if not bool(torch.isfinite(value)):
                break
            if float(value.detach()) < best:
                best, kept = float(value.detach()), [p.detach().clone() for p in parameters]
            optimiser.zero_grad()
            torch.log(value).backward()
            if any(p.grad is not None and not bool(torch.isfinite(p.grad).all()) for p in parameters):
                break
            optimiser.step()
        for p, value in zip(parameters, kept, strict=True):
            p.data.copy_(value)
    with torch.no_grad():
        proved = float(way.value(prove=True))
    return math.sqrt(proved) * (1 + 4 * UNIT) if math.isfinite(proved) and proved >= 0 else math.inf
