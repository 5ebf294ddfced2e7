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

import numpy as np

from rssp._jit import kernel

__all__ = ["settle_ends", "settle_on_cells"]

_NONE = np.int64(-(2**62)) - np.int64(2**61)  # below and above every sum and target: no neighbour on this side
_SLACK = 2.0**-10  # cells; covers the float64 roundings of up to 2^34 cells
_BLOCK = 512  # words taken at a time by the word loops: they stay in the first-level cache


@kernel
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


@kernel
def _sorted_sums(values, out):
    """out[: 2^len(values)] = all subset sums of values >= 0, ascending; each value doubles the list from its end."""
    out[0] = 0
    size = np.int64(1)
    for x in values:
        size = _double(out, size, x)
    return size


@kernel
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


@kernel
def _settle(left, right, z, lo, hi):
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


@kernel
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


@kernel
def _shift_or(bits, words, shift, copy):
    """bits[:words] |= bits[:words] << shift, in place from the end."""
    whole, part = shift >> 6, shift & 63
    up, down = np.uint64(part), np.uint64(64 - part)
    stop = words
    while stop > whole:
        start = max(stop - _BLOCK, whole)
        target = bits[start:stop]
        source = bits[start - whole : stop - whole]
        size = stop - start
        copy[0] = bits[start - whole - 1] if start > whole else np.uint64(0)
        # slices of equal length and one index: otherwise the loops are not turned into vector instructions
        same, below = copy[1 : size + 1], copy[:size]
        for k in range(size):
            same[k] = source[k]
        if part == 0:
            for k in range(size):
                target[k] |= same[k]
        else:
            for k in range(size):
                target[k] |= (same[k] << up) | (below[k] >> down)
        stop = start


@kernel
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


@kernel
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


@kernel
def _shortest_run(known, w, possible, exact, shortest):
    """The least number of empty cells that can be a gap longer than `known`."""
    if exact:
        return max(known // w, 1)
    return max(np.int64(known / w - possible - 1e-3) + 1, shortest)


@kernel
def _run_is_closed(bits, word, bit, words):
    """Whether the run of empty cells that reaches this bit ends here, within the window."""
    return bit < 63 or (word + 1 < words and bits[word + 1] & np.uint64(1) != 0)


@kernel
def _find_runs(bits, first, words, shift, last, inside, run, known, w, sure, possible, exact, shortest, found, count):
    """Append to `found` a window's runs of empty cells (p, q: the full cells around) that can be gaps beyond `known`.

    run : the shortest run looked for; it grows with `known`; shift : what turns a position in bits into a cell; last :
    the last full cell before the window, or -1; inside : the cells whose gaps lie in the ball without doubt.
    """
    upper = np.empty(_BLOCK, np.uint64)
    lower = np.empty(_BLOCK, np.uint64)
    one = np.uint64(1)
    for block in range(first, words, _BLOCK):
        stop = min(block + _BLOCK, words)
        before = bits[block - 1] if block > first else np.uint64(0)
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
                if here == 0 or not _run_is_closed(bits, word, bit, words):
                    continue
                position = (word << 6) + bit
                p = _last_bit(bits, position, first)
                p = p + shift if p >= 0 else last
                q = position + 1 + shift
                if p < 0 or q - p - 1 < run:
                    continue
                if 2 * count == len(found):
                    more = np.empty(4 * count, np.int64)
                    for c in range(2 * count):
                        more[c] = found[c]
                    found = more
                found[2 * count] = p
                found[2 * count + 1] = q
                count += 1
                if inside[0] <= p and q <= inside[1]:
                    known = max(known, np.int64((q - p - 1 + sure) * w))
                run = max(run, _shortest_run(known, w, possible, exact, shortest))
    return found, count, known


@kernel
def _search(bits, first, words, shift, last, inside, known, w, sure, possible, exact, shortest, guess, found, count):
    """`_find_runs`, first for runs at least `guess` long: they tell which others are to be looked for."""
    needed = _shortest_run(known, w, possible, exact, shortest)
    run = max(needed, np.int64(guess))
    while True:
        found, more, known = _find_runs(
            bits, first, words, shift, last, inside, run, known, w, sure, possible, exact, shortest, found, count
        )
        needed = _shortest_run(known, w, possible, exact, shortest)
        if needed >= run:
            return found, more, known
        run = max(needed, 2 * run // 3)


@kernel
def _settle_runs(found, count, left, right, lo, hi, origin, w, lean, possible, best, witness, enough):
    """(best, witness) once the runs that can be gaps beyond `best` are settled; the longest rules out most others.

    lean : how far, in cells, the sure part of a gap lies to the right of the middle of its run, twice.
    """
    longest = 0
    for c in range(count):
        if found[2 * c + 1] - found[2 * c] > found[2 * longest + 1] - found[2 * longest]:
            longest = c
    for turn in range(count + 1 if count else 0):
        c = turn - 1 if turn else longest
        p, q = found[2 * c], found[2 * c + 1]
        if np.int64((q - p - 1 + possible) * w) + 1 <= best:
            continue
        radius, target = _settle(left, right, origin + np.int64((p + q + 1 + lean) * 0.5 * w), lo, hi)
        if radius > best:
            best, witness = radius, target
            if best > enough:
                break
    return best, witness


@kernel
def settle_on_cells(a, left, right, lo, hi, w, j, exact, guess, best, witness, enough, max_cells):
    """One pass with cells of width w: (done, best, witness); not done where the cells turned out too coarse.

    a : ascending, > 0; left, right : sorted sums of its two halves; best : a radius known to be attained, or up to
    which gaps do not interest; the first gap beyond `enough` ends the pass. guess : how long the longest run may be.
    """
    n = len(a)
    shifts = np.empty(j, np.int64)
    above, below = _SLACK, _SLACK
    halo = np.int64(2)
    for i in range(j):
        cells = a[i] / w
        shifts[i] = np.int64(cells + 0.5)
        halo += shifts[i]
        above += max(cells - shifts[i], 0.0)
        below += max(shifts[i] - cells, 0.0)
    error = above + below
    sure, possible = -error, 2 + error  # a run of len cells is a gap of (len + sure) w to (len + possible) w
    shortest = np.int64(error) + 1  # shorter runs may lie beside their gap
    if exact:
        sure, possible, shortest = 1.0, 1.0, np.int64(1)
    split = j + (n - j) // 2
    small = np.empty(1 << (split - j), np.int64)
    large = np.empty(1 << (n - split), np.int64)
    _sorted_sums(a[j:split], small)
    _sorted_sums(a[split:], large)
    place = np.empty(len(large), np.int64)

    pad = 3 + np.int64(error)
    origin = lo - pad * w
    if exact:
        origin -= origin % w + w // 2  # sums lie in the middle of their cells
    end = (hi - origin) // w
    inside = (2 * pad, end - pad)
    region = ((end + pad + 2) | 63) + 1
    halo = (halo | 63) + 1
    window = min(region, max(((max_cells - halo) >> 6) << 6, 1 << 16))
    bits = np.empty(((halo + window) >> 6) + 1, np.uint64)
    copy = np.empty(_BLOCK + 1, np.uint64)
    found = np.empty(512, np.int64)
    count, known, last = np.int64(0), best, np.int64(-1)  # a literal 0 would compile twice what it is handed to
    for start in range(0, region, window):
        cells = min(window, region - start) + halo
        words = cells >> 6
        for k in range(words + 1):
            bits[k] = 0
        _scatter(large, small, origin + (start - halo) * w, w, bits, cells, place)
        for i in range(j - 1, -1, -1):
            _shift_or(bits, words, shifts[i], copy)
        first, shift = halo >> 6, start - halo
        found, count, known = _search(
            bits, first, words, shift, last, inside, known, w, sure, possible, exact, shortest, guess, found, count
        )
        guess = 0.0
        position = _last_bit(bits, (words << 6) - 1, first)
        if position >= 0:
            last = position + shift

    best, witness = _settle_runs(
        found, count, left, right, lo, hi, origin, w, above - below, possible, best, witness, enough
    )
    if best > enough:
        return True, best, witness
    return exact or best >= (2 + 2 * error + 0.05) * w, best, witness


@kernel
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
        radius, target = _settle(left, right, z, lo, hi)
        if radius > best:
            best, witness = radius, target
    return best, witness, left, right
