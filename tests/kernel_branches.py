"""Which branches of the kernels the tests take: the kernels run as plain Python, and coverage.py looks on.

    python tests/kernel_branches.py [FILE_OF_TESTS ...]

Compiled kernels are invisible to coverage.py. With NUMBA_DISABLE_JIT=1 they are Python functions, some hundred times
slower, so that tests of large samples are left out here. Prints, for each file with kernels, the part of its branches
taken, and the lines not reached. Takes some minutes.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
TESTS = {  # tests, and words in the names of those that would take minutes in Python
    "tests/subsetsum/test_engines.py": "",
    "tests/subsetsum/test_line.py": "straggler or want_of_memory or many_samples or tails_of_many",
    "tests/subsetsum/test_decisions.py": "both_ways or too_much",
    "tests/subsetsum/test_nearest.py": "larger_n or few_samples or ties_at_many or a_line_in_space or hundreds",
    "tests/subsetsum/test_nearest_greedy.py": "large_samples",
    "tests/subsetsum/test_space_covering.py": "larger_samples or out_of_reach or brute or agrees or through",
    "tests/prediction/test_covering_law.py": "one_dimension or one_target or many_vectors or quasi_random",
    "tests/prediction/test_moments.py": "scaled_normal_vectors or minimal_n or against_enumeration",
}


def run(test: str, but: str, data: Path) -> bool:
    """Whether the tests of one file pass, their coverage added to the data."""
    command = [sys.executable, "-m", "coverage", "run", "--append", "--branch", f"--data-file={data}"]
    command += ["--source=rssp/subsetsum,rssp/prediction", "-m", "pytest", "-q", "-n", "0", "-p", "no:cacheprovider"]
    # NumPy's whole numbers warn where compiled ones wrap around, as hashes should
    command += ["-W", "ignore:overflow encountered:RuntimeWarning", test, *(["-k", f"not ({but})"] if but else [])]
    return subprocess.run(command, cwd=ROOT, env={**os.environ, "NUMBA_DISABLE_JIT": "1"}, check=False).returncode == 0


def report(data: Path) -> list[str]:
    """A line for each file with kernels."""
    table = data.with_suffix(".json")
    command = [sys.executable, "-m", "coverage", "json", "-q", f"--data-file={data}", "-o", str(table)]
    subprocess.run(command, cwd=ROOT, check=True)
    files = json.loads(table.read_text(encoding="utf-8"))["files"]
    lines = []
    for name, found in sorted(files.items()):
        if "rssp._jit import kernel" in (ROOT / name).read_text(encoding="utf-8"):
            taken, all_ = found["summary"]["covered_branches"], found["summary"]["num_branches"]
            missing = ", ".join(map(str, found["missing_lines"])) or "none"
            lines.append(f"{name:40s} {taken:4d} of {all_:4d} branches; lines not reached: {missing}")
    return lines


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "coverage"
        passed = [run(test, TESTS.get(test, ""), data) for test in sys.argv[1:] or TESTS]
        print(*report(data), sep="\n")
    return 0 if all(passed) else 1


if __name__ == "__main__":
    raise SystemExit(main())
