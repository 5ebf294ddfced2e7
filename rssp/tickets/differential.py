"""Both networks of a certificate as one program of affine maps and sectors (see `quadratic`)."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from rssp.tickets.activations import Activation
from rssp.tickets.inputs import Inputs
from rssp.tickets.network import Linear, MaxPool, Network, Residual, Step
from rssp.tickets.propagation import Bounds, local_slopes
from rssp.tickets.quadratic import Program

__all__ = ["program_of"]

Array = NDArray[np.float64]


@dataclass(frozen=True)
class _State:
    """Blocks of h and of (h - h') / scale (None: no difference yet), and whether h' is known to be >= 0."""

    h: int
    delta: int | None
    shape: tuple[int, int]

    @property
    def size(self) -> int:
        return self.shape[0] * self.shape[1]


class _Builder:
    def __init__(
        self, target: Network, inputs: Inputs, scale: float, layers: Iterator[Linear], before: Iterator[Bounds]
    ):
        self.scale, self.layers, self.before = scale, layers, before
        low, high = inputs.bounds(target.inputs)
        ball = inputs.radius is not None
        self.program = Program([target.inputs], ball=ball)
        self.start = np.zeros(target.inputs) if ball else (low + high) / 2
        half = (high - low) / 2 if not ball else np.full(target.inputs, inputs.radius)
        # a box is widened by the rounding of its middle
        half = half * (1 + 4e-16) + (0.0 if ball else 4e-16 * np.maximum(np.abs(low), np.abs(high)))
        first = self.program.affine([(0, half)], self.start)
        shape = (target.shape[0], target.inputs // target.shape[0])
        state = self.steps(target.steps, _State(first, None, shape))
        if state.delta is not None:
            self.program.result = state.delta

    def steps(self, steps: Sequence[Step], state: _State) -> _State:
        for step in steps:
            if isinstance(step, Linear):
                state = self.linear(step, next(self.layers), state)
            elif isinstance(step, Activation):
                state = self.activation(step, next(self.before), state)
            elif isinstance(step, MaxPool):
                state = self.pool(step, state)
            else:
                state = self.residual(step, state)
        return state

    def linear(self, target: Linear, ticket: Linear, state: _State) -> _State:
        p = self.program
        points = target.sharing.points[0]
        matrix = target.sharing.matrix(target.coefficients)
        shift = np.zeros((len(target.coefficients), points))
        bias = shift if target.bias is None else target.bias[:, target.sharing.orbits]
        h = p.affine([(state.h, matrix)], bias.ravel())
        shape = (len(target.coefficients), points)
        if target.fixed:
            delta = None if state.delta is None else p.affine([(state.delta, matrix)], shift.ravel())
            return _State(h, delta, shape)
        own = target.coefficients - ticket.coefficients
        other = own if ticket.negative is None else target.coefficients - ticket.negative
        off = shift if target.bias is None else (target.bias - ticket.bias)[:, target.sharing.orbits]  # type: ignore[operator]
        # (P + N) / 2 times h' and (P - N) / 2 times |h'|, for h' = h - scale delta
        mean = target.sharing.matrix((own + other) / (2 * self.scale))
        terms = [(state.h, mean)]
        if state.delta is not None:
            terms.append((state.delta, matrix - self.scale * mean))
        if other is not own and np.any(own != other):
            ticket_h = state.h
            if state.delta is not None:
                one = np.ones(state.size)
                ticket_h = p.affine([(state.h, one), (state.delta, -self.scale * one)], np.zeros(state.size))
            (size,) = p.sector([ticket_h])
            terms.append((size, target.sharing.matrix((own - other) / (2 * self.scale))))
        return _State(h, p.affine(terms, off.ravel() / self.scale), shape)

    def activation(self, step: Activation, before: Bounds, state: _State) -> _State:
        p = self.program
        m, most = (v.ravel() for v in local_slopes(step, before))
        active = np.flatnonzero(most > m)
        middle, half = (m + most) / 2, (most - m) / 2 * (1 + 4e-16)
        exact = bool(step.half_lines(np.maximum(before.high, before.ticket[1])).all())
        # half-lines bend at zero; any other function is compared with its value in the middle of the interval
        centre = np.zeros(state.size) if exact else ((before.low + before.high) / 2).ravel()
        value = _values(step, centre)
        h_terms = [(state.h, middle)]
        if not len(active):
            delta = None if state.delta is None else p.affine([(state.delta, middle)], np.zeros(state.size))
            return _State(p.affine(h_terms, value - middle * centre), delta, state.shape)
        everything = len(active) == state.size
        pick, spread = np.ones(state.size), half
        if not everything:
            pick = np.eye(state.size)[active]
            spread = pick.T * half[active]
        z = state.h if everything and exact else p.affine([(state.h, pick)], -centre[active])
        if state.delta is None:
            (w,) = p.sector([z])
            h = p.affine([*h_terms, (w, spread)], value - middle * centre)
            return _State(h, None, state.shape)
        zeta = state.delta if everything else p.affine([(state.delta, pick)], np.zeros(len(active)))
        if exact and step.at_zero == 0:
            w, omega = p.sector([z, zeta], self.scale)
        else:
            (w,), (omega,) = p.sector([z]), p.sector([zeta])
        h = p.affine([*h_terms, (w, spread)], value - middle * centre)
        delta = p.affine([(state.delta, middle), (omega, spread)], np.zeros(state.size))
        return _State(h, delta, state.shape)

    def pool(self, step: MaxPool, state: _State) -> _State:
        """``max = mean + w`` of k numbers, ``w^2 <= (k - 1) / k`` times their sum of squares about the mean."""
        windows, (channels, points) = step.windows, state.shape
        counts = (windows >= 0).sum(axis=1)
        k = int(counts.max())
        mean: Array = np.zeros((len(windows), points))
        rows = np.repeat(np.arange(len(windows)), counts)
        mean[rows, windows[windows >= 0]] = 1.0 / counts[rows]
        result: list[int | None] = []
        for block in (state.h, state.delta):
            if block is None:
                result.append(None)
                continue
            whole: Array = np.kron(np.eye(channels), mean).astype(np.float64)
            size = len(whole)
            terms = [(block, whole)]
            if k > 1:
                # a sector a member of the window would lose the square root of k: all members bound one number w
                away = np.zeros((len(windows), k, points))
                for row, window in enumerate(windows):
                    for place, q in enumerate(window[window >= 0]):
                        away[row, place] = -mean[row]
                        away[row, place, q] += 1.0
                factor = np.sqrt((counts - 1) / counts) * (1 + 4e-16)
                away *= factor[:, None, None]
                full: Array = np.kron(np.eye(channels), away.reshape(-1, points)).astype(np.float64)
                z = self.program.affine([(block, full)], np.zeros(len(full)))
                (w,) = self.program.sector([z], members=k)
                terms.append((w, np.ones(size)))
            result.append(self.program.affine(terms, np.zeros(size)))
        h, delta = result
        assert h is not None
        return _State(h, delta, (channels, len(windows)))

    def residual(self, step: Residual, state: _State) -> _State:
        p = self.program
        a, b = self.steps(step.steps, state), self.steps(step.shortcut, state)
        one, zero = np.ones(a.size), np.zeros(a.size)
        deltas = [(d, one) for d in (a.delta, b.delta) if d is not None]
        # the same block twice is one term of twice the size
        h = p.affine([(a.h, one), (b.h, one)], zero)
        return _State(h, p.affine(deltas, zero) if deltas else None, a.shape)


def _values(step: Activation, at: Array) -> Array:
    return step(torch.from_numpy(at)).numpy()


def program_of(
    target: Network, ticket: Sequence[Linear], before: Sequence[Bounds], inputs: Inputs, largest: float
) -> tuple[Program, float]:
    """The program whose result is ``(f(x) - g(x)) / scale``, and the scale, a power of two about `largest`."""
    scale = 2.0 ** math.floor(math.log2(largest)) if largest > 0 else 1.0
    return _Builder(target, inputs, scale, iter(ticket), iter(before)).program, scale
