"""Which small mistakes the tests would not see: a random sample of mutants, of cosmic-ray's kinds, of one room.

    python tests/mutants.py ROOM [--sample 80] [--seed 0] [--seconds 500] [--only FILE:LINE]

ROOM is one of ROOMS below, which says what is mutated and which tests look on. A mutant is the room with one operator,
number, condition or loop changed. Prints each one that all these tests pass, to be read by a person: either a test is
missing, or the change makes no difference that anybody could see. The files on disk stay as they are: each mutant runs
in a process of its own, which gets the changed source when it imports the module. Mutants of annotations are left out.
"""

from __future__ import annotations

import argparse
import ast
import difflib
import importlib.util
import itertools
import math
import os
import random
import signal
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import CodeType

ROOT = Path(__file__).parents[1]
SLOWER = 4  # a mutant is seen where its tests take so many times as long as those of the room as it is
ROOMS = {  # modules, and the tests that look on, quick ones first
    "verdict": (
        ["rssp/claims/verdict.py"],
        [
            "test_verdict",
            "test_verdict_text",
            "test_verdict_rows",
            "test_judging",
            "test_rules",
            "test_verdict_properties",
        ],
        "claims",
    ),
    "inference": (
        ["rssp/inference/*.py"],
        [
            "test_algebra",
            "test_averages",
            "test_comparison",
            "test_tails",
            "test_growth",
            "test_constants",
            "test_thresholds",
            "test_scaling",
        ],
        "inference",
    ),
    "certificate": (
        ["rssp/tickets/certificate.py"],
        ["test_certificate"],
        "tickets",
    ),
    "equivariant": (
        [
            f"rssp/tickets/equivariant/{name}.py"
            for name in ("groups", "graphs", "checks", "planar", "steerable", "removal")
        ],
        ["test_groups", "test_graphs", "test_checks", "test_steerable", "test_removal", "test_bad_input"],
        "tickets/equivariant",
    ),
    "store": (["rssp/montecarlo/store.py"], ["test_store", "test_merging", "test_store_properties"], "montecarlo"),
}


@dataclass(frozen=True)
class Mutant:
    path: Path
    operator: str
    line: int
    source: str

    def __str__(self) -> str:
        before, after = self.path.read_text(encoding="utf-8").splitlines(), self.source.splitlines()
        changed = [d for d in difflib.unified_diff(before, after, n=0, lineterm="") if d[:2] not in ("--", "++", "@@")]
        place = f"{self.path.relative_to(ROOT).as_posix()}:{self.line} {self.operator.removeprefix('core/')}"
        return "\n".join([place, *(f"    {line}" for line in changed)])


def meaning(source: str) -> str:
    """The source as a tree without annotations, which nothing reads when the program runs."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        for field in ("annotation", "returns"):
            if getattr(node, field, None) is not None:
                setattr(node, field, ast.Constant(None))
    return ast.dump(tree)


def mutants(paths: list[Path], seed: int) -> Iterator[Mutant]:
    """All of some files in random order, but for those that change only annotations."""
    from cosmic_ray.commands.init import _all_work_items
    from cosmic_ray.mutating import mutate_code
    from cosmic_ray.plugins import get_operator

    specs = [item.mutations[0] for item in _all_work_items(paths, {})]
    random.Random(seed).shuffle(specs)
    for spec in specs:
        source = Path(spec.module_path).read_text(encoding="utf-8")
        try:
            changed = mutate_code(source, get_operator(spec.operator_name)(), spec.occurrence)
            same = changed is None or meaning(changed) == meaning(source)
        except (
            AttributeError,
            SyntaxError,
        ):  # cosmic-ray cannot replace an exception whose name has a dot, nor all of |
            continue
        if not same:
            yield Mutant(Path(spec.module_path), spec.operator_name, spec.start_pos[0], changed)


class Changed(SourceFileLoader):
    """Loads one module from a text that is not that of its file."""

    def __init__(self, name: str, path: str, source: str):
        super().__init__(name, path)
        self.source = source

    def get_code(self, fullname: str) -> CodeType:
        return compile(self.source, self.path, "exec")


def import_changed(mutant: Mutant) -> None:
    """From now on the mutant's module is imported as the mutant says."""
    relative = mutant.path.relative_to(ROOT).with_suffix("")
    name = ".".join(relative.parts).removesuffix(".__init__")

    class Finder:
        @staticmethod
        def find_spec(wanted, path=None, target=None):
            if wanted != name:
                return None
            loader = Changed(name, str(mutant.path), mutant.source)
            return importlib.util.spec_from_file_location(name, mutant.path, loader=loader)

    sys.meta_path.insert(0, Finder)


def seen(mutant: Mutant | None, tests: list[str], seconds: float) -> bool:
    """Whether some test fails on the mutant (None: on the room as it is), or the tests do not end in time."""
    child = os.fork()
    if child == 0:
        quiet = os.open(os.devnull, os.O_WRONLY)
        os.dup2(quiet, 1)
        os.dup2(quiet, 2)
        os.setsid()
        if mutant is not None:
            import_changed(mutant)
        code = 1
        try:
            import pytest

            code = int(pytest.main(["-x", "-q", "-n0", "-p", "no:cacheprovider", f"--rootdir={ROOT}", *tests]))
        finally:
            os._exit(code)
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status) != 0
        time.sleep(0.02)
    os.killpg(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return True


def main() -> int:
    reads = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    reads.add_argument("room", choices=ROOMS)
    reads.add_argument("--sample", type=int, default=80)
    reads.add_argument("--seed", type=int, default=0)
    reads.add_argument("--seconds", type=float, default=500)
    reads.add_argument("--only", default="", help="FILE:LINE, all mutants there and no sample")
    given = reads.parse_args()
    patterns, names, folder = ROOMS[given.room]
    tests = [str(ROOT / "tests" / folder / f"{name}.py") for name in names]
    every = mutants([path for pattern in patterns for path in sorted(ROOT.glob(pattern))], given.seed)
    if given.only:
        chosen = (m for m in every if f"{m.path.name}:{m.line}" == given.only)
    else:
        chosen = itertools.islice(every, given.sample)
    os.chdir(ROOT)
    sys.path.insert(0, str(ROOT))
    sys.dont_write_bytecode = True
    # what all children need, read once; nothing of rssp
    import numba, pandas, pyarrow.parquet, pytest, scipy.optimize, scipy.stats  # noqa: E401, F401, I001

    if given.room == "certificate":
        import torch  # noqa: F401
    begun = time.monotonic()
    if seen(None, tests, math.inf):
        print(f"the tests of {given.room} fail as it is")
        return 1
    longest = 10 + SLOWER * (time.monotonic() - begun)
    begun, tried, survived = time.monotonic(), 0, 0
    for mutant in chosen:
        if time.monotonic() - begun > given.seconds:
            break
        tried += 1
        if not seen(mutant, tests, longest):
            survived += 1
            print(mutant, flush=True)
    print(f"{given.room}: {survived} of {tried} mutants survived, seed {given.seed}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
