"""What exact covering in one dimension costs, against NumPy enumeration and sort; uniform numbers, [-1, 1]."""

from __future__ import annotations

import math
import resource
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rssp.balls import Ball
from rssp.subsetsum import covering_profiles, covering_radius, covers, hitting_times

Row = dict[str, Any]
BALL = Ball(1)


def sample(n: int) -> NDArray[np.float64]:
    return np.random.default_rng(n).uniform(-1, 1, n)


def by_numpy(x: NDArray[np.float64]) -> float:
    """The covering radius of [-1, 1] as one would write it: all sums, sorted."""
    sums = np.zeros(1)
    for value in x:
        sums = np.concatenate((sums, sums + value))
    sums.sort()
    inside = sums[np.searchsorted(sums, -1) : np.searchsorted(sums, 1, side="right")]
    return max(np.diff(inside).max() / 2, inside[0] + 1, 1 - inside[-1])


def seconds(work: Callable[[], object], repeats: int) -> float:
    """The least processor time of several runs."""
    times = []
    for _ in range(repeats):
        start = time.process_time()
        work()
        times.append(time.process_time() - start)
    return min(times)


def peak_megabytes(call: str) -> float:
    """The peak memory of a process that makes this call, beyond that of one that makes it for two numbers."""
    code = f"import sys; sys.path.insert(0, {sys.path[0]!r}); import speed_parts.line as s; {call}; print(s.peak())"
    peaks = [
        float(subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=True).stdout)
        for text in (code, code.replace(call, "s.covering_radius(s.sample(16), s.BALL)"))
    ]
    return max(peaks[0] - peaks[1], 0.0)


def peak() -> float:
    """The peak memory of this process in MB; on Linux from /proc, as ru_maxrss there begins at the parent's."""
    status = Path("/proc/self/status")
    if status.exists():
        return (
            next(float(line.split()[1]) for line in status.read_text().splitlines() if line.startswith("VmHWM")) / 1024
        )
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def sums_in_ball(x: NDArray[np.float64]) -> float:
    """How many of the 2^n sums lie in [-1, 1], their law taken to be normal."""
    mean, spread = x.sum() / 2, math.sqrt((x**2).sum()) / 2
    cdf = [0.5 * math.erfc((mean - z) / spread / math.sqrt(2)) for z in (-1, 1)]
    return 2.0 ** len(x) * (cdf[1] - cdf[0])


def many_profiles(trials: int, n: int) -> float:
    """Wall seconds of that many profiles on two threads."""
    batches = np.array_split(np.random.default_rng(0).uniform(-1, 1, (trials, n)), 20)

    def work(which: int) -> None:
        for batch in batches[which::2]:
            covering_profiles(batch, BALL)

    threads = [threading.Thread(target=work, args=(which,)) for which in (0, 1)]
    start = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return time.perf_counter() - start


def row(what: str, ours: float, baseline: float, unit: str, note: str) -> Row:
    return {"what": what, "ours": ours, "baseline": baseline, "ratio": baseline / ours, "unit": unit, "note": note}


def line_rows() -> list[Row]:
    """Time and memory of `covering_radius`, `covers` and `covering_profiles`."""
    covering_profiles(np.ones((2, 15)), BALL)  # compiles
    rows = []
    for n in (20, 24, 26):
        x = sample(n)
        note = "baseline: NumPy, all sums and sort"
        ours = seconds(lambda x=x: covering_radius(x, BALL), 5)  # type: ignore[misc]
        theirs = seconds(lambda x=x: by_numpy(x), 3 if n < 26 else 1)  # type: ignore[misc]
        rows.append(row(f"covering radius, n = {n}", 1e3 * ours, 1e3 * theirs, "ms", note))
        mine = peak_megabytes(f"s.covering_radius(s.sample({n}), s.BALL)")
        other = peak_megabytes(f"s.by_numpy(s.sample({n}))")
        rows.append(row(f"peak memory, n = {n}", max(mine, 0.1), other, "MB", note))
    for n, target in ((28, math.nan), (30, 0.8), (32, 1.5), (34, 1.5)):
        x = sample(n)
        each = seconds(lambda x=x: covering_radius(x, BALL), 3 if n < 32 else 1) / sums_in_ball(x)  # type: ignore[misc]
        rows.append(row(f"a sum in the ball, n = {n}", 1e9 * each, target, "ns", "baseline: cost to reach"))
    for n in (34, 36, 40):
        x = sample(n)
        answer = covers(x, BALL, 1e-8)
        spent = seconds(lambda x=x: covers(x, BALL, 1e-8), 1)  # type: ignore[misc]
        rows.append(row(f"covers at 1e-8, n = {n}: {answer}", spent, 1.0, "s", "baseline: cost to reach"))
    many, eps = np.random.default_rng(0).uniform(-1, 1, (8, 60)), 2.0 ** -np.arange(4, 21)
    spent = seconds(lambda: hitting_times(many, BALL, eps), 2) / len(many)
    rows.append(row("hitting times, eps 2^-4 to 2^-20, n to 60", 1e3 * spent, math.nan, "ms", "a sample"))
    note = "baseline: cost to reach; wall time on two threads"
    rows.append(row("100,000 profiles to n = 15", many_profiles(100_000, 15), 5.0, "s", note))
    return rows
