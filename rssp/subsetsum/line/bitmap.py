"""Kernels on a bitmap of cells: the exact covering radius of one sample at a small fraction of a nanosecond a sum.

How it works. Cells have width w. The sums of the n - j largest numbers are put into a bitmap, one bit a cell; each of
the j smallest numbers then doubles the set by ``B |= B << round(x / w)``: one word operation takes 64 cells, whatever
number of sums they hold. Each rounding has a known error e, so every sum lies within a known distance of its cell: at
most ``E = sum |e|`` cells in all. w is chosen among many so that E is small.

Why the result is exact. Between neighbouring sums a < b with b - a > (2 + E) w there is a run of empty cells. A run of
len cells shows a gap of at least (len - E) w and at most (len + 2 + E) w. Runs that can be the longest gap are settled
exactly: the two neighbours of a target inside the gap come from two sorted lists of 2^(n/2) sums. If the longest gap
is too short for its run to be sure (len <= E), everything is done again with finer cells.

Negative numbers are flipped: the sums of x are those of |x|, moved by the sum of the negative ones. Lengths are int64
units of 2^-q, radii and witnesses int64 halves of it. Float64 only places cells, with errors below 2^-18 of a cell,
which E includes.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rssp._jit import kernel

__all__ = ["Cut", "settle_ends", "settle_on_cells"]

_NONE = np.int64(-(2**62)) - np.int64(2**61)  # below and above every sum and target: no neighbour on this side
_SLACK = 2.0**-10  # cells; covers the float64 roundings of up to 2^34 cells
_BLOCK = 512  # words taken at a time by the word loops: three blocks of 4 kB stay in a first-level cache of 32 kB


class Cut(NamedTuple):
    """How a pass cuts the ball into cells."""

    width: np.int64
    shifted: np.int64
    """how many of the smallest numbers go by shifts"""
    exact: bool
    """every sum is a multiple of the width"""
    guess: float
    """cells in the longest run of empty ones, by what is expected"""


class Cells(NamedTuple):
    """Cells of one width, numbered from `origin` on, and what a run of empty ones says of a gap between sums."""

    width: np.int64
    origin: np.int64
    exact: bool
    """every sum is a multiple of the width, in the middle of its cell"""
    lean: float
    """how far, in cells, the sure part of a gap lies to the right of the middle of its run, twice"""
    sure: float
    """a run of len cells is a gap of (len + sure) widths or more, ..."""
    possible: float
    """... and of (len + possible) widths or less"""
    shortest: np.int64
    """cells; shorter runs may lie beside their gap"""


class Window(NamedTuple):
    """Some cells of the bitmap: those of the bits from word `first` to word `words`."""

    bits: NDArray[np.uint64]
    first: np.int64
    words: np.int64
    shift: np.int64
    """what turns a position in bits into the number of a cell"""
    last: np.int64
    """the last full cell before the window; -1 if there is none"""


class Runs(NamedTuple):
    """Runs of empty cells, each by the full cells to its left and right; `used` of the entries are in use."""

    left: NDArray[np.int64]
    right: NDArray[np.int64]
    used: np.int64


class Scratch(NamedTuple):
    """One block of words, twice, for the ladder of shifts."""

    upper: NDArray[np.uint64]
    lower: NDArray[np.uint64]


@kernel(inner=True)
def _double(sums, size, x):
    """sums[: 2 * size] = the sorted union of sums[:size] and sums[:size] + x, x >= 0, in place from the end."""
    i = size - 1
    j = size - 1
    k = 2 * size - 1
    while i >= 0:
        high = sums[i] + x
        low = sums[j]
        take = high >= low
        sums[k] = high if take else low
        i -= take
        j -= not take
        k -= 1
    return 2 * size


@kernel(inner=True)
def _sorted_sums(values, out):
    """out[: 2^len(values)] = all subset sums of values >= 0, ascending; each value doubles the list from its end."""
    out[0] = 0
    size = np.int64(1)
    for x in values:
        size = _double(out, size, x)
    return size


@kernel(inner=True)
def _neighbours(left, right, z):
    """The largest sum <= z and the smallest > z of left[i] + right[k], in one walk through both sorted lists."""
    below, above = _NONE, -_NONE
    i, k = 0, len(right) - 1
    size = len(left)
    while i < size and k >= 0:
        s = left[i] + right[k]
        if s <= z:
            below = max(below, s)
            i += 1
        else:
            above = min(above, s)
            k -= 1
    return below, above


@kernel(inner=True)
def _radius_about(left, right, z, lo, hi):
    """(radius, witness) in half units of the targets in [lo, hi] that lie in the same gap between sums as z."""
    a, b = _neighbours(left, right, z)
    if a == _NONE:
        return 2 * (b - lo), 2 * lo
    if b == -_NONE:
        return 2 * (hi - a), 2 * hi
    if a + b < 2 * lo:
        return 2 * (b - lo), 2 * lo
    if a + b > 2 * hi:
        return 2 * (hi - a), 2 * hi
    return b - a, a + b


@kernel(inner=True)
def _scatter(large, small, base, w, bits, cells, place):
    """Set the bits of all sums large[i] + small[k] in the cells from base on, half a megabyte of bits at a time."""
    inverse = 1.0 / w
    one, low_bits = np.uint64(1), np.int64(63)
    k = len(small)
    for i in range(len(large)):
        while k > 0 and small[k - 1] >= base - large[i]:
            k -= 1
        place[i] = k
    for start in range(0, cells, 1 << 22):
        limit = min(start + (1 << 22), cells) * w
        for i in range(len(large)):
            k = place[i]
            offset = large[i] - base
            while k < len(small):
                s = offset + small[k]
                if s >= limit:
                    break
                cell = np.int64(s * inverse)
                bits[cell >> 6] |= one << np.uint64(cell & low_bits)
                k += 1
            place[i] = k


@kernel(inner=True)
def _shift_or(bits, words, shift, copy):
    """bits[:words] |= bits[:words] << shift, in place from the end."""
    whole, part = shift >> 6, shift & 63
    up, down = np.uint64(part), np.uint64(64 - part)
    stop = words
    while stop > whole:
        start = max(stop - _BLOCK, whole)
        into = bits[start:stop]
        source = bits[start - whole : stop - whole]
        size = stop - start
        copy[0] = bits[start - whole - 1] if start > whole else np.uint64(0)
        # slices of equal length and one index: otherwise the loops are not turned into vector instructions
        same, below = copy[1 : size + 1], copy[:size]
        for k in range(size):
            same[k] = source[k]
        if part == 0:
            for k in range(size):
                into[k] |= same[k]
        else:
            for k in range(size):
                into[k] |= (same[k] << up) | (below[k] >> down)
        stop = start


@kernel(hot=True)
def _run_ends(bits, start, stop, before, run, upper, lower):
    """Mark in upper the cells of bits[start:stop] that end `run` <= 64 empty cells; True if there is any.

    A ladder of shifts by 1, 2, 4, ... on pairs of words: log2(run) word operations for 64 cells.
    """
    size = stop - start
    upper[0] = bits[start]
    lower[0] = before
    here, there, back, forth = upper[1:size], lower[1:size], bits[start : stop - 1], bits[start + 1 : stop]
    for k in range(size - 1):
        here[k] = forth[k]
        there[k] = back[k]
    done = 1
    while done < run:
        step = min(done, run - done)
        up, down = np.uint64(step), np.uint64(64 - step)
        for k in range(size):
            u, v = upper[k], lower[k]
            upper[k] = u | (u << up) | (v >> down)
            lower[k] = v | (v << up)
        done += step
    some = np.uint64(0)
    for k in range(size):
        upper[k] = ~upper[k]
        some |= upper[k]
    return some != 0


@kernel(hot=True)
def _last_bit(bits, position, first_word):
    """The last set bit at or before `position`, not before the word `first_word`; -1 if there is none."""
    word, bit = position >> 6, position & 63
    value = bits[word] << np.uint64(63 - bit)
    while value == 0:
        word, bit = word - 1, np.int64(63)
        if word < first_word:
            return np.int64(-1)
        value = bits[word]
    while not value >> np.uint64(63):
        value <<= np.uint64(1)
        bit -= 1
    return (word << 6) + bit


@kernel(hot=True)
def _shortest_run(known, cells):
    """The least number of empty cells that can be a gap longer than `known`."""
    if cells.exact:
        return max(known // cells.width, 1)
    return max(np.int64(known / cells.width - cells.possible - 1e-3) + 1, cells.shortest)


@kernel(hot=True)
def _run_is_closed(bits, word, bit, words):
    """Whether the run of empty cells that reaches this bit ends here, within the window."""
    return bit < 63 or (word + 1 < words and bits[word + 1] & np.uint64(1) != 0)


@kernel(inner=True)
def _with_run(runs, left, right):
    """The runs and one more; arrays that are full are copied into longer ones."""
    lefts, rights, count = runs
    if count == len(lefts):
        lefts, rights = np.empty(2 * count, np.int64), np.empty(2 * count, np.int64)
        lefts[:count], rights[:count] = runs.left, runs.right
    lefts[count], rights[count] = left, right
    return Runs(lefts, rights, count + 1)


@kernel(inner=True)
def _find_runs(window, scratch, inside, run, known, cells, runs):
    """(runs, known) with the window's runs of `run` empty cells or more, those that can be gaps longer than `known`.

    inside : the cells whose gaps lie in the ball without doubt. `known`, the longest gap that is sure, grows with the
    runs found, and `run` with it.
    """
    bits, upper, lower, one = window.bits, scratch.upper, scratch.lower, np.uint64(1)
    for block in range(window.first, window.words, _BLOCK):
        stop = min(block + _BLOCK, window.words)
        before = bits[block - 1] if block > window.first else np.uint64(0)
        if not _run_ends(bits, block, stop, before, min(run, 64), upper, lower):
            continue
        for word in range(block, stop):
            ends = upper[word - block]
            ends &= ~(ends >> one)
            bit = -1
            while ends != 0:
                bit += 1
                here = ends & one
                ends >>= one
                if here == 0 or not _run_is_closed(bits, word, bit, window.words):
                    continue
                position = (word << 6) + bit
                left = _last_bit(bits, position, window.first)
                left = left + window.shift if left >= 0 else window.last
                right = position + 1 + window.shift
                if left < 0 or right - left - 1 < run:
                    continue
                runs = _with_run(runs, left, right)
                if inside[0] <= left and right <= inside[1]:
                    known = max(known, np.int64((right - left - 1 + cells.sure) * cells.width))
                run = max(run, _shortest_run(known, cells))
    return runs, known


@kernel(inner=True)
def _find_longest_runs(window, scratch, inside, guess, known, cells, runs):
    """(runs, known) with all the window's runs that can be gaps longer than `known`, found with little work.

    A first look is for runs of `guess` cells or more. What it finds makes `known` longer, so that the looks after it,
    each for runs a third shorter, may be few: if a gap of 20 cells is sure, no run of 12 has to be looked at.
    """
    needed = _shortest_run(known, cells)
    run = max(needed, np.int64(guess))
    kept = runs
    while True:
        runs, known = _find_runs(window, scratch, inside, run, known, cells, kept)
        needed = _shortest_run(known, cells)
        if needed >= run:
            return runs, known
        run = max(needed, 2 * run // 3)
        kept = Runs(runs.left, runs.right, kept.used)


@kernel(inner=True)
def _settle_runs(runs, halves, ball, cells, best, witness, enough):
    """(best, witness) once the runs that can be gaps beyond `best` are settled; the longest rules out most others."""
    lefts, rights, used = runs
    longest = 0
    for c in range(used):
        if rights[c] - lefts[c] > rights[longest] - lefts[longest]:
            longest = c
    for turn in range(used + 1 if used else 0):
        c = turn - 1 if turn else longest
        p, q = lefts[c], rights[c]
        if np.int64((q - p - 1 + cells.possible) * cells.width) + 1 <= best:
            continue
        z = cells.origin + np.int64((p + q + 1 + cells.lean) * 0.5 * cells.width)
        radius, target = _radius_about(halves[0], halves[1], z, ball[0], ball[1])
        if radius > best:
            best, witness = radius, target
            if best > enough:
                break
    return best, witness


@kernel(inner=True)
def _round_to_cells(a, width, shifts):
    """Fill shifts with the numbers in whole cells: how far sums may lie above and below their cells, in cells."""
    above, below = _SLACK, _SLACK
    for i in range(len(shifts)):
        cells = a[i] / width
        shifts[i] = np.int64(cells + 0.5)
        above += max(cells - shifts[i], 0.0)
        below += max(shifts[i] - cells, 0.0)
    return above, below


@kernel(inner=True)
def _lay_cells(low, width, exact, above, below):
    """(cells, pad): cells that begin `pad` of them below the ball."""
    error = above + below
    pad = 3 + np.int64(error)
    origin = low - pad * width
    if exact:
        origin -= origin % width + width // 2
        return Cells(width, origin, exact, above - below, 1.0, 1.0, np.int64(1)), pad
    return Cells(width, origin, exact, above - below, -error, 2 + error, np.int64(error) + 1), pad


@kernel(inner=True)
def _gaps_on_cells(a, shifts, ball, cells, pad, guess, known, max_cells):
    """The runs of empty cells that can be gaps longer than `known`, in one pass through the ball, window by window."""
    n, j = len(a), len(shifts)
    split = j + (n - j) // 2
    small = np.empty(1 << (split - j), np.int64)
    large = np.empty(1 << (n - split), np.int64)
    _sorted_sums(a[j:split], small)
    _sorted_sums(a[split:], large)
    place = np.empty(len(large), np.int64)
    end = (ball[1] - cells.origin) // cells.width
    inside = (2 * pad, end - pad)
    region = ((end + pad + 2) | 63) + 1
    halo = ((2 + shifts.sum()) | 63) + 1
    size = min(region, max(((max_cells - halo) >> 6) << 6, 1 << 16))
    bits = np.empty(((halo + size) >> 6) + 1, np.uint64)
    copy = np.empty(_BLOCK + 1, np.uint64)
    scratch = Scratch(np.empty(_BLOCK, np.uint64), np.empty(_BLOCK, np.uint64))
    runs = Runs(np.empty(256, np.int64), np.empty(256, np.int64), np.int64(0))
    last, first = np.int64(-1), halo >> 6
    for start in range(0, region, size):
        seen = min(size, region - start) + halo
        words = seen >> 6
        for k in range(words + 1):
            bits[k] = 0
        _scatter(large, small, cells.origin + (start - halo) * cells.width, cells.width, bits, seen, place)
        for i in range(j - 1, -1, -1):
            _shift_or(bits, words, shifts[i], copy)
        window = Window(bits, first, words, start - halo, last)
        runs, known = _find_longest_runs(window, scratch, inside, guess, known, cells, runs)
        guess = 0.0
        position = _last_bit(bits, (words << 6) - 1, first)
        if position >= 0:
            last = position + window.shift
    return runs


@kernel(inner=True)
def settle_on_cells(a, halves, ball, cut, best, witness, enough, max_cells):
    """One pass with cells of one width: (done, best, witness); not done where the cells turned out too coarse.

    a : ascending, > 0; halves : (left, right), the sorted sums of its two halves; ball : (lo, hi); best : a radius
    known to be attained, or up to which gaps do not interest; the first gap beyond `enough` ends the pass.
    """
    shifts = np.empty(cut.shifted, np.int64)
    above, below = _round_to_cells(a, cut.width, shifts)
    cells, pad = _lay_cells(ball[0], cut.width, cut.exact, above, below)
    runs = _gaps_on_cells(a, shifts, ball, cells, pad, cut.guess, best, max_cells)
    best, witness = _settle_runs(runs, halves, ball, cells, best, witness, enough)
    if best > enough:
        return True, best, witness
    return cut.exact or best >= (2 + 2 * (above + below) + 0.05) * cut.width, best, witness


@kernel(inner=True)
def settle_ends(a, lo, hi, divisor, best):
    """(best, witness, left, right): the radius at the ends of [lo, hi] if beyond `best`, and the sums of both halves.

    The witness is 2 * lo - 1 if there is none beyond `best`.
    """
    n = len(a)
    left, right = np.empty(1 << (n // 2), np.int64), np.empty(1 << (n - n // 2), np.int64)
    _sorted_sums(a[: n // 2], left)
    _sorted_sums(a[n // 2 :], right)
    witness = 2 * lo - 1
    for k, z in enumerate((lo, hi, lo + divisor)):
        if k == 2 and (z > hi or divisor <= best):  # where all sums are multiples, two in a row leave no empty cell
            break
        radius, target = _radius_about(left, right, z, lo, hi)
        if radius > best:
            best, witness = radius, target
    return best, witness, left, right
