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

import math

import numpy as np
from numba import njit

__all__ = ["hits_by_bitmap", "profiles_by_bitmap", "radius_by_bitmap"]

_NONE = np.int64(-(2**62)) - np.int64(2**61)  # below and above every sum and target: no neighbour on this side
_SLACK = 2.0**-10  # cells; covers the float64 roundings of up to 2^34 cells
_FARTHEST = np.int64(2**62)  # half units; the empty sum is nearer to every target
_WIDEST = np.int64(2**53)  # cell: the ends of the bitmap stay in int64
_BLOCK = 512  # words taken at a time by the word loops: they stay in the first-level cache


@njit(nogil=True, cache=True)
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


@njit(nogil=True, cache=True)
def _sorted_sums(values, out):
    """out[: 2^len(values)] = all subset sums of values >= 0, ascending; each value doubles the list from its end."""
    out[0] = 0
    size = 1
    for x in values:
        size = _double(out, size, x)
    return size


@njit(nogil=True, cache=True)
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


@njit(nogil=True, cache=True)
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


@njit(nogil=True, cache=True)
def _first_not_below(ascending, value):
    """The first index whose entry is >= value (np.searchsorted, which takes long to compile)."""
    low, high = 0, len(ascending)
    while low < high:
        middle = (low + high) >> 1
        if ascending[middle] < value:
            low = middle + 1
        else:
            high = middle
    return low


@njit(nogil=True, cache=True)
def _scatter(large, small, base, w, bits, cells, place):
    """Set the bits of all sums large[i] + small[k] in the cells from base on, half a megabyte of bits at a time."""
    inverse = 1.0 / w
    one, low_bits = np.uint64(1), np.int64(63)
    for i in range(len(large)):
        place[i] = _first_not_below(small, base - large[i])
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


@njit(nogil=True, cache=True)
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


@njit(nogil=True, cache=True)
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


@njit(nogil=True, cache=True)
def _tune(small, w, tries):
    """(width, E): the cell width in [w, 1.25 w] for which E = sum |x / w - round(x / w)| is least."""
    best, chosen = np.inf, w
    for t in range(tries):
        trial = w + (w * t) // (4 * tries)
        inverse = 1.0 / trial
        error = 0.0
        for x in small:
            cells = x * inverse
            error += abs(cells - np.rint(cells))
        if error < best:
            best, chosen = error, trial
    return chosen, best


@njit(nogil=True, cache=True)
def _how_many_to_shift(a, w, width, spread, max_cells):
    """j: how many of the smallest numbers go by shifts, balancing the time of scattering and of shifting."""
    n = len(a)
    best, chosen, halo = np.inf, 0, 0.0
    for j in range(min(n, 14) + 1):
        if j > 0:
            halo += a[j - 1]
        cells = (width + halo) / w
        windows = 1.0
        if cells > max_cells:
            room = max_cells - halo / w
            if room < 0.1 * max_cells:
                break
            windows = math.ceil(width / w / room)
        scatter = 1.5 * 2.0 ** (n - j) * min(1.0, (width / windows + halo) / spread) * windows
        cost = scatter + (j + 2) * 0.006 * (width / windows + halo) / w * windows
        if cost < best:
            best, chosen = cost, j
    return chosen


@njit(nogil=True, cache=True)
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


@njit(nogil=True, cache=True)
def _shortest_run(known, w, possible, exact, shortest):
    """The least number of empty cells that can be a gap longer than `known`."""
    if exact:
        return max(known // w, 1)
    return max(np.int64(known / w - possible - 1e-3) + 1, shortest)


@njit(nogil=True, cache=True)
def _run_is_closed(bits, word, bit, words):
    """Whether the run of empty cells that reaches this bit ends here, within the window."""
    return bit < 63 or (word + 1 < words and bits[word + 1] & np.uint64(1) != 0)


@njit(nogil=True, cache=True)
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


@njit(nogil=True, cache=True)
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


@njit(nogil=True, cache=True)
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


@njit(nogil=True, cache=True)
def _cells_a_gap(n):
    """Cells a mean gap where sums are sparsest: fewer make the bitmap cheaper, more leave fewer runs to settle."""
    return min(max(2.0 - (n - 26) / 6, 1.0), 2.0)


@njit(nogil=True, cache=True)
def _pass(a, left, right, lo, hi, w, j, exact, best, witness, enough, max_cells):
    """One pass with cells of width w: (done, best, witness); not done where the cells turned out too coarse.

    a : ascending, > 0; left, right : sorted sums of its two halves; best : a radius known to be attained, or up to
    which gaps do not interest; the first gap beyond `enough` ends the pass.
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
    count, known, last = 0, best, np.int64(-1)
    guess = 0.75 * _cells_a_gap(n) * math.log(region)
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


@njit(nogil=True, cache=True)
def _flip(x):
    """The absolute values > 0, ascending; the sum of the negative numbers; the greatest common divisor (or 0)."""
    a = np.empty(len(x), np.int64)
    n, moved, divisor = 0, np.int64(0), np.int64(0)
    for value in x:
        if value < 0:
            moved += value
            value = -value
        if value > 0:
            k = n
            while k > 0 and a[k - 1] > value:
                a[k] = a[k - 1]
                k -= 1
            a[k] = value
            n += 1
            while value > 0 and divisor != 1:
                divisor, value = value, divisor % value
    return a[:n], moved, divisor


@njit(nogil=True, cache=True)
def _mean_gap(n, far, spread):
    """The mean distance of neighbours among 2^n sums, `far` from their mean, their law taken to be normal."""
    return 2.51 * spread * math.exp(min(far * far / (2 * spread * spread), 600.0) - n * 0.6931471805599453)


@njit(nogil=True, cache=True)
def _cell_width(n, best, width, far, spread, at_one_eps):
    """A width that makes the gaps beyond `best` runs of enough cells; a guess, on which only the cost depends.

    far : the distance of the ball's farther end from the mean of the sums, whose density is taken to be normal there.
    """
    mean_gap = _mean_gap(n, far, spread)
    runs = 16.0
    if at_one_eps:  # cells may be coarser where so many sums are expected that hardly a run stays open
        crowding = (math.log(max(width / mean_gap, 1.0)) + 2) * mean_gap / best
        runs = min(max(2.8 / max(1 - crowding, 0.1), 4.5), 16.0)
    w = max(min(mean_gap / _cells_a_gap(n), width / 16), best / runs)
    return min(np.int64(w), _WIDEST)


@njit(nogil=True, cache=True)
def radius_by_bitmap(x, lo, hi, known, enough, max_cells):
    """(radius, witness) in half units of the targets in [lo, hi], for the sums of x.

    Targets no farther than `known` do not interest: if there are no others, the witness is 2 * lo - 1. The first
    target farther than `enough` is returned, if any. max_cells : the size of the bitmap in cells.
    """
    a, moved, divisor = _flip(x)
    n = len(a)
    lo, hi = lo - moved, hi - moved
    left = np.empty(1 << (n // 2), np.int64)
    right = np.empty(1 << (n - n // 2), np.int64)
    _sorted_sums(a[: n // 2], left)
    _sorted_sums(a[n // 2 :], right)
    total, squares = np.int64(0), 0.0
    for value in a:
        total += value
        squares += float(value) * float(value)
    best, witness = known, 2 * lo - 1
    at_one_eps = known > 0
    for k, z in enumerate((lo, hi, lo + divisor)):
        if k == 2 and (z > hi or divisor <= best):  # where all sums are multiples, two in a row leave no empty cell
            break
        radius, target = _settle(left, right, z, lo, hi)
        if radius > best:
            best, witness = radius, target
    # a gap between two sums inside the ball is no longer than the ball
    if n > 0 and best <= enough and best < hi - lo and hi > 0 and lo < total:
        spread = math.sqrt(squares) / 2
        w = _cell_width(n, best, float(hi - lo), max(abs(lo - total * 0.5), abs(hi - total * 0.5)), spread, at_one_eps)
        done = False
        while not done:
            w = max(w, 1)
            exact = w <= divisor <= _WIDEST
            w = divisor if exact else w
            j = _how_many_to_shift(a, w, float(hi - lo), 5 * spread, max_cells)
            if not exact:
                w, error = _tune(a[:j], w, min(max((1 << min(n, 40)) >> 12, 1), 4096))
                if at_one_eps and w > 1 and best < (2.1 + 2 * error) * w:
                    w = 3 * w // 5  # this pass would not be sure
                    continue
            done, best, witness = _pass(a, left, right, lo, hi, w, j, exact, best, witness, enough, max_cells)
            w = w // 3
    return best, witness + 2 * moved


@njit(nogil=True, cache=True)
def profiles_by_bitmap(samples, lo, hi, n_min, max_cells, radius, witness):
    """Fill radius, witness (trials, columns), in half units, for the first n_min, n_min + 1, ... numbers of samples."""
    for t in range(radius.shape[0]):
        for c in range(radius.shape[1]):
            radius[t, c], witness[t, c] = radius_by_bitmap(
                samples[t, : n_min + c], lo[t], hi[t], np.int64(-1), _FARTHEST, max_cells
            )


@njit(nogil=True, cache=True)
def hits_by_bitmap(samples, counts, lo, hi, limits, stop, first, max_cells, times):
    """Replace -1 in times (trials, m) by the least n >= first whose sums leave no target farther than the limit.

    limits (trials, m) : half units, descending, so that times ascend; -1 stays where no n <= counts[t] does; -2: none
    up to stop (trials, m), where there are more numbers.
    """
    for t in range(times.shape[0]):
        n = first
        for e in range(times.shape[1]):
            if times[t, e] >= 0:
                continue
            limit = limits[t, e]
            while n <= counts[t] and times[t, e] == -1:
                if n > stop[t, e]:
                    times[t, e] = -2
                elif (hi[t] - lo[t]) >> min(n, 62) > limit:  # 2^n times 2 eps are too short in all
                    n += 1
                elif radius_by_bitmap(samples[t, :n], lo[t], hi[t], limit, limit, max_cells)[0] <= limit:
                    times[t, e] = n
                else:
                    n += 1
