"""What a nearest subset costs here and elsewhere: NumPy, SciPy's k-d tree, HiGHS, CP-SAT, Gurobi and fpylll.

Every solver gets the same instances, one thread and a time limit; the mixed-integer solvers and fpylll run in processes
of their own (OR-Tools and HiGHS cannot share one: imports are left to the functions), those not installed are left out.
The mask is the result: errors are recomputed from it. A baseline that only ran into its limit is a lower bound, and its
row's note says so.

Run as a script, this file is the process of one solver: ``python nearest.py SOLVER < tasks.json > results.json``.
"""

from __future__ import annotations

import importlib.util
import json
import math
import subprocess
import sys
import time
from collections.abc import Callable
from statistics import median
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Solution = tuple[NDArray[np.bool_] | None, str]

SOLVERS = {"highs": "scipy", "cpsat": "ortools", "gurobi": "gurobipy", "fpylll": "fpylll"}
MIPS = ("highs", "cpsat", "gurobi")
LIMIT = 10.0  # seconds a solver may take on one instance


# --- one solver, one instance: (x, z, eps or None, limit) -> mask, status --------------------------------------------


def highs(x: Array, z: float, eps: float | None, limit: float) -> Solution:
    from rssp.subsetsum.nearest.solvers import highs_subset

    return _answer(highs_subset(x, z, eps=eps, seconds=limit))


def gurobi(x: Array, z: float, eps: float | None, limit: float) -> Solution:
    from rssp.subsetsum.nearest.solvers import gurobi_subset

    return _answer(gurobi_subset(x, z, eps=eps, seconds=limit))


def _answer(found: Any) -> Solution:
    """Mask and status of an `rssp.subsetsum.nearest.solvers.SolverSubset`."""
    return (None if found.ended == "nothing found" else found.mask), str(found.ended)


def cpsat(x: Array, z: float, eps: float | None, limit: float) -> Solution:
    """min e with |z - x @ b| <= e, b binary; with eps: any b with |z - x @ b| <= eps. In multiples of 2**-45."""
    from ortools.sat.python import cp_model

    unit = 2**45
    model = cp_model.CpModel()
    take = [model.new_bool_var(str(i)) for i in range(len(x))]
    away = sum(round(a * unit) * b for a, b in zip(x.tolist(), take, strict=True)) - round(z * unit)
    bound: Any = math.floor((eps or 0.0) * unit)
    if eps is None:
        bound = model.new_int_var(0, 2**60, "e")
        model.minimize(bound)
    model.add(away <= bound)
    model.add(away >= -bound)
    solver = cp_model.CpSolver()
    solver.parameters.num_workers = 1
    solver.parameters.max_time_in_seconds = limit
    status = solver.solve(model)
    if status not in (cp_model.OPTIMAL, cp_model.FEASIBLE):
        return None, "limit"
    return np.array([solver.value(b) for b in take]) == 1, "optimal" if status == cp_model.OPTIMAL else "limit"


def fpylll(x: Array, z: float, eps: float | None, limit: float) -> Solution:
    """The closest vector to (1, ..., 1, K z) in the lattice of rows (2 e_i, K x_i): binary where it is a subset."""
    from fpylll import CVP, LLL, IntegerMatrix

    n = len(x)
    weight = 2.0 ** (n - 1) if eps is None else 2 / eps
    basis = IntegerMatrix.from_matrix(
        [[2 * (i == j) for j in range(n)] + [round(weight * a)] for i, a in enumerate(x.tolist())]
    )
    reduced = LLL.reduction(IntegerMatrix(basis))
    vector = np.array(CVP.closest_vector(reduced, tuple([1] * n + [round(weight * z)])))[:n]
    return (vector == 2, "heuristic") if set(vector.tolist()) <= {0, 2} else (None, "not a subset")


# --- the processes ---------------------------------------------------------------------------------------------------


def _solve_tasks(name: str) -> None:
    """Read tasks, solve each (the first once more, to warm up), write seconds, mask and status."""
    tasks = json.load(sys.stdin)
    solver = globals()[name]
    results: list[Any] = []
    solver(np.array([0.5, 0.25, -0.3]), 0.2, None, 1.0)
    for task in tasks:
        start = time.perf_counter()
        mask, status = solver(np.array(task["x"]), task["z"], task["eps"], task["limit"])
        seconds = time.perf_counter() - start
        results.append({"seconds": seconds, "status": status, "mask": None if mask is None else mask.tolist()})
        print(json.dumps(results[-1]), flush=True)


def ask(name: str, xs: Array, zs: Array, eps: float | None = None, limit: float = LIMIT) -> list[dict[str, Any]]:
    """What another solver makes of each instance; its process ends with the limit where it does not by itself."""
    if importlib.util.find_spec(SOLVERS[name]) is None:
        return []
    tasks = [{"x": x.tolist(), "z": float(z), "eps": eps, "limit": limit} for x, z in zip(xs, zs, strict=True)]
    command = [sys.executable, __file__, name]
    try:
        done = subprocess.run(
            command, input=json.dumps(tasks), capture_output=True, text=True, timeout=20 + 1.5 * limit * len(tasks)
        )
        if "ModuleNotFoundError" in done.stderr:  # installed without something it needs
            return []
        lines = done.stdout
    except subprocess.TimeoutExpired as late:
        lines = late.stdout.decode() if isinstance(late.stdout, bytes) else (late.stdout or "")
    results = [json.loads(line) for line in lines.splitlines() if line.startswith("{")]
    stopped = {"seconds": limit, "status": "stopped", "mask": None}
    return results + [stopped] * (len(tasks) - len(results))


# --- what NumPy and SciPy do ------------------------------------------------------------------------------------------


def _sums(x: Array) -> Array:
    sums = np.zeros((1, *x.shape[1:]))
    for vector in x:
        sums = np.concatenate([sums, sums + vector])
    return sums


def numpy_brute(x: Array, z: float) -> float:
    """All 2**n sums."""
    return float(np.abs(_sums(x) - z).min())


def numpy_halves(x: Array, z: float) -> float:
    """Two halves, one sorted, the other searched in it."""
    half = len(x) // 2
    a, b = np.sort(_sums(x[:half])), z - _sums(x[half:])
    at = np.searchsorted(a, b)
    low, high = a[np.maximum(at - 1, 0)], a[np.minimum(at, len(a) - 1)]
    return float(min(np.abs(low - b).min(), np.abs(high - b).min()))


def tree_halves(x: Array, z: Array) -> float:
    """A k-d tree of one half; the other asks it, a chunk at a time, within the best error so far."""
    from scipy.spatial import cKDTree

    half = len(x) // 2
    tree, b = cKDTree(_sums(x[:half])), z - _sums(x[half:])
    best = math.inf
    for start in range(0, len(b), 2048):
        near, _ = tree.query(b[start : start + 2048], p=np.inf, distance_upper_bound=best)
        best = min(best, float(np.min(near)))
    return best


# --- the rows ---------------------------------------------------------------------------------------------------------


def _seconds(call: Callable[[], Any], repeats: int) -> float:
    """The least of some runs."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return min(times)


def _each(work: Callable[[Any, Any], Any], xs: Array, zs: Array, repeats: int = 3) -> float:
    """The median over instances of the least of some runs, in milliseconds."""
    return 1e3 * median(_seconds(lambda x=x, z=z: work(x, z), repeats) for x, z in zip(xs, zs, strict=True))  # type: ignore[misc]


def _row(what: str, ours: float, baseline: float, note: str, unit: str = "ms a target") -> dict[str, Any]:
    return {"what": what, "ours": ours, "baseline": baseline, "ratio": baseline / ours, "unit": unit, "note": note}


def _errors(results: list[dict[str, Any]], xs: Array, zs: Array) -> list[float]:
    masks = [r["mask"] for r in results]
    return [
        math.inf if mask is None else float(abs(x[np.array(mask)].sum() - z))
        for mask, x, z in zip(masks, xs, zs, strict=True)
    ]


def _other_rows(what: str, ours: float, xs: Array, zs: Array, eps: float | None, names: Any) -> list[dict[str, Any]]:
    rows = []
    for name in names:
        results = ask(name, xs, zs, eps)
        if not results:
            continue
        times = [min(r["seconds"], LIMIT) * 1e3 for r in results]
        status = sorted({str(r["status"]) for r in results})
        note = f"{name}: {', '.join(status)}; largest error {max(_errors(results, xs, zs)):.1e}"
        rows.append(_row(what, ours, median(times), note))
    return rows


def _line_rows() -> list[dict[str, Any]]:
    from rssp.subsetsum.nearest.verbs import nearest_subset

    rng = np.random.default_rng(2020)
    rows = []
    for n, batch, some in ((21, 2000, 3), (32, 20, 1), (40, 5, 1)):
        xs, zs = rng.uniform(-1, 1, (batch, n)), rng.uniform(-1, 1, batch)
        what = f"optimum, n = {n}"
        nearest_subset(xs[:2, :, None], zs[:2, None])
        ours = 1e3 * _seconds(lambda xs=xs, zs=zs: nearest_subset(xs[..., None], zs[:, None]), 5) / batch  # type: ignore[misc]
        single = _each(lambda x, z: nearest_subset(x, [z]), xs[:5], zs[:5], 20 if n == 21 else 3)
        halves = _each(numpy_halves, xs[:5], zs[:5])
        rows.append(_row(what, ours, halves, f"NumPy two halves; ours in a batch of {batch}"))
        rows.append(_row(what, single, halves, "NumPy two halves; ours in single calls"))
        if n == 21:
            rows.append(_row(what, ours, _each(numpy_brute, xs[:3], zs[:3]), "NumPy brute force"))
        rows += _other_rows(what, ours, xs[:some], zs[:some], None, SOLVERS)
        if n == 32:
            continue
        for eps in (1e-2, 1e-3):
            batch = 2000
            more, goals = rng.uniform(-1, 1, (batch, n)), rng.uniform(-1, 1, batch)
            what = f"within {eps:g}, n = {n}"
            ours = _seconds(lambda: nearest_subset(more[..., None], goals[:, None], tolerance=eps), 5) / batch * 1e3  # noqa: B023
            single = _each(lambda x, z: nearest_subset(x, [z], tolerance=eps), more[:5], goals[:5], 20)  # noqa: B023
            rows.append(
                _row(what, single, ours, "no other solver: ours in single calls, as baseline in a batch of 2000")
            )
            rows += _other_rows(what, ours, more[:5], goals[:5], eps, MIPS)
    return rows


def _space_rows() -> list[dict[str, Any]]:
    from rssp.subsetsum.nearest.verbs import nearest_subset

    rng = np.random.default_rng(2023)
    rows = []
    for dim in (2, 3, 9):
        for n, some in ((30, 5), (36, 3)):
            xs, zs = rng.uniform(-1, 1, (some, n, dim)), rng.uniform(-1, 1, (some, dim))
            nearest_subset(xs[:, :8], zs)
            ours = _each(lambda x, z: nearest_subset(x, z[None]), xs, zs)
            tree = _each(tree_halves, xs, zs, 1)
            rows.append(_row(f"optimum, dim = {dim}, n = {n}", ours, tree, "SciPy cKDTree, two halves"))
    return rows


def nearest_rows() -> list[dict[str, Any]]:
    """Milliseconds a target, ours and others', on the same instances in one run; `ratio` is theirs over ours."""
    return _line_rows() + _space_rows()


def mip_gap_rows() -> list[dict[str, Any]]:
    """How far what a mixed-integer solver calls optimal is from the optimum: the ratio of the errors of the masks."""
    from rssp.subsetsum.nearest.verbs import nearest_subset

    rng = np.random.default_rng(1)
    rows = []
    for n in (24, 32):
        xs, zs = rng.uniform(-1, 1, (3, n)), rng.uniform(-1, 1, 3)
        best = nearest_subset(xs[..., None], zs[:, None]).error
        for name in MIPS:
            results = ask(name, xs, zs)
            if not results:
                continue
            ratios = np.array(_errors(results, xs, zs)) / best
            middle = int(np.argsort(ratios)[1])
            status = ", ".join(str(r["status"]) for r in results)
            row = _row(f"error of the mask, n = {n}", float(best[middle]), float(best[middle] * ratios[middle]),
                       f"{name}: median of 3 ({status})", "error")  # fmt: skip
            rows.append(row)
    return rows


if __name__ == "__main__":
    _solve_tasks(sys.argv[1])
