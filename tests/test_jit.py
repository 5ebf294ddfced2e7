"""Compiled kernels are kept, and never outlive their sources.

Each test works on a copy of the package with two small kernels in two files, one of which calls the other, and looks
at it from fresh processes.
"""

from __future__ import annotations

import ast
import importlib
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

import rssp

PACKAGE = Path(rssp.__file__).parent
INNER = """
from rssp._jit import kernel

STEP = 1

@kernel(inner=True)
def step(x):
    return x + STEP
"""
OUTER = """
from rssp._jit import kernel
from rssp.planted.inner import step

@kernel
def outer(x):
    return 100 * step(x)
"""
ANSWER = """
from rssp.planted.outer import outer
print(outer(1), sum(outer.stats.cache_misses.values()))
"""


@dataclass(frozen=True)
class Copy:
    """A copy of the package, and processes that use it."""

    home: Path

    @property
    def package(self) -> Path:
        return self.home / "rssp"

    @property
    def inner(self) -> Path:
        return self.package / "planted" / "inner.py"

    def start(self, code: str, **environment: str) -> subprocess.Popen[str]:
        mine = {name: value for name, value in os.environ.items() if not name.startswith("NUMBA_")}
        # Python's own byte code is kept by date and size: it would miss an edit within a second, and so would we
        mine |= {
            "PYTHONPATH": str(self.home),
            "PYTHONDONTWRITEBYTECODE": "1",
            "XDG_CACHE_HOME": str(self.home / "user"),
        }
        command = [sys.executable, "-W", "error", "-c", code]
        return subprocess.Popen(
            command, cwd=self.home, env=mine | environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )

    def run(self, code: str = ANSWER, **environment: str) -> tuple[str, str]:
        """What a process printed, on both of its outputs."""
        return finished(self.start(code, **environment))

    def kept(self, root: Path | None = None) -> list[Path]:
        """The folders of compiled kernels."""
        return sorted((root or self.package).rglob("kernels-*"))


def finished(process: subprocess.Popen[str]) -> tuple[str, str]:
    out, err = process.communicate()
    assert process.returncode == 0, err
    return out.strip(), err.strip()


@pytest.fixture
def copy(tmp_path):
    # what kernels are compiled by, and nothing that would have to be imported with it
    made = Copy(tmp_path)
    (made.package / "planted").mkdir(parents=True)
    for name in ("__init__.py", "_jit.py", "_compiling.py", "_version.py", "errors.py"):
        shutil.copy(PACKAGE / name, made.package / name)
    for stub in PACKAGE.glob("__init__.pyi"):
        shutil.copy(stub, made.package)
    (made.package / "planted" / "__init__.py").write_text("")
    made.inner.write_text(INNER)
    (made.package / "planted" / "outer.py").write_text(OUTER)
    return made


def test_a_change_in_one_file_reaches_the_kernels_of_another(copy):
    left_by_numba = copy.package / "planted" / "__pycache__" / "outer.outer-4.py311.nbi"
    left_by_numba.parent.mkdir()
    left_by_numba.write_bytes(b"")
    assert copy.run()[0] == "200 1"
    assert copy.run()[0] == "200 0"  # kept
    first = copy.kept()
    assert len(first) == 1
    assert not left_by_numba.exists()

    copy.inner.write_text(INNER.replace("x + STEP", "x - STEP"))
    assert copy.run()[0] == "0 1"
    assert copy.run()[0] == "0 0"
    second = copy.kept()
    assert len(second) == 1  # the old folder is gone
    assert second != first

    copy.inner.write_text(INNER.replace("STEP = 1", "STEP = 4"))
    assert copy.run()[0] == "500 1"
    assert len(copy.kept()) == 1


def test_what_is_no_kernel_source_may_change(copy):
    assert copy.run()[0] == "200 1"
    (copy.package / "errors.py").write_text((copy.package / "errors.py").read_text() + "\n# a remark\n")
    assert copy.run()[0] == "200 0"


EDIT = """
import rssp._jit
BEFORE
from pathlib import Path
path = Path("rssp/planted/inner.py")
path.write_text(path.read_text().replace("STEP = 1", "STEP = 4"))
"""


def test_a_file_changed_before_it_is_imported_is_not_mixed_up(copy):
    assert copy.run()[0] == "200 1"
    assert copy.run(EDIT.replace("BEFORE", "") + ANSWER)[0] == "500 1"
    copy.inner.write_text(INNER)
    assert copy.run()[0] == "200 0"


def test_a_process_that_is_out_of_date_keeps_nothing(copy):
    assert copy.run(EDIT.replace("BEFORE", "import rssp.planted.outer") + ANSWER)[0] == "200 1"
    assert copy.kept() == []
    assert copy.run()[0] == "500 1"


def test_two_processes_fill_one_cache(copy):
    # each waits with its result until the other has compiled too, so that both store at the same time
    code = """
import time
from pathlib import Path
import numpy as np
from numba.core.event import Listener, register
from rssp.planted.outer import outer

class Together(Listener):
    count = 0
    def on_start(self, event):
        pass
    def on_end(self, event):
        if event.data["dispatcher"] is outer:
            Together.count += 1
            Path(f"MINE-{self.count}").touch()
            patience = time.monotonic() + 60
            while not Path(f"OTHER-{self.count}").exists():
                assert time.monotonic() < patience, "the other process has died"
                time.sleep(0.0001)

register("numba:compile", Together())
print(*(outer(t(1)) for t in TYPES))
"""
    mine = "(np.int8, np.int16, np.int32, np.int64)"
    other = "(np.float32, np.float64, np.uint8, np.uint16)"
    first = copy.start(code.replace("MINE", "a").replace("OTHER", "b").replace("TYPES", mine))
    second = copy.start(code.replace("MINE", "b").replace("OTHER", "a").replace("TYPES", other))
    assert finished(first)[0] == "200 200 200 200"
    assert finished(second)[0] == "200.0 200.0 200 200"
    code = f"""
import numpy as np
from rssp.planted.outer import outer
print(*(outer(t(1)) for t in {mine} + {other}), sum(outer.stats.cache_misses.values()))
"""
    assert copy.run(code)[0] == "200 200 200 200 200.0 200.0 200 200 0"


def flipped(data: bytes) -> bytes:
    """One bit changed, where neither pickle nor LLVM would notice: in the zeros between two parts."""
    place = data.rindex(bytes(16))
    return data[:place] + b"\1" + data[place + 1 :]


def test_torn_files_are_compiled_again(copy):
    assert copy.run()[0] == "200 1"
    files = list(copy.kept()[0].iterdir())
    assert len(files) == 2
    for how in (lambda data: b"", lambda data: data[:50], flipped):
        for file in files:
            file.write_bytes(how(file.read_bytes()))
        assert copy.run()[0] == "200 1"
    assert copy.run()[0] == "200 0"


IMPATIENT = "from rssp._compiling import clock\nclock.patience = PATIENCE\n" + ANSWER


def test_what_cannot_be_written_costs_time_only(copy):
    (copy.package / "__pycache__").write_text("no folder")  # for the superuser too
    assert copy.run()[0] == "200 1"
    assert copy.run()[0] == "200 0"
    assert len(copy.kept(copy.home / "user")) == 1  # the user's cache folder

    shutil.rmtree(copy.home / "user")
    (copy.home / "user").write_text("no folder")
    for _ in range(2):
        answer, said = copy.run(IMPATIENT.replace("PATIENCE", "0.0"))
        assert answer == "200 1"
        assert "NUMBA_CACHE_DIR" in said
    mine = copy.home / "mine"
    assert copy.run(NUMBA_CACHE_DIR=str(mine))[0] == "200 1"
    assert copy.run(NUMBA_CACHE_DIR=str(mine))[0] == "200 0"
    assert len(copy.kept(mine)) == 1
    assert copy.run(NUMBA_CACHE_DIR=str(copy.inner))[0] == "200 1"
    assert copy.run(NUMBA_DISABLE_JIT="1", code="from rssp.planted.outer import outer\nprint(outer(1))")[0] == "200"


def test_a_long_compilation_is_spoken_of_once(copy):
    assert copy.run(IMPATIENT.replace("PATIENCE", "float('inf')")) == ("200 1", "")
    shutil.rmtree(copy.kept()[0])
    twice = IMPATIENT.replace("PATIENCE", "0.0") + "outer(1.0)\n"
    answer, said = copy.run(twice)
    assert answer == "200 1"
    assert said.count("compiling") == 1
    assert str(copy.kept()[0]) in said
    assert copy.run(twice) == ("200 0", "")


def test_kernels_outside_the_package_are_compiled_but_not_kept(copy):
    (copy.home / "own.py").write_text(OUTER.replace("100", "1000"))
    code = "from own import outer\nprint(outer(1), outer.stats.cache_path)"
    assert copy.run(code)[0] == "2000 None"
    copy.inner.write_text(INNER.replace("STEP = 1", "STEP = 4"))
    assert copy.run(code)[0] == "5000 None"


def kernel_files() -> list[Path]:
    return [p for p in PACKAGE.rglob("*.py") if p.name != "_jit.py" and "rssp._jit" in p.read_text(encoding="utf-8")]


def test_every_kernel_is_kept_under_the_digest():
    from numba.core.dispatcher import Dispatcher

    from rssp._jit import _KernelCache

    seen = 0
    for path in kernel_files():
        name = ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts)
        module = importlib.import_module(name)
        for value in vars(module).values():
            if isinstance(value, Dispatcher) and value.__module__ == name:
                assert isinstance(value._cache, _KernelCache), f"{name}.{value.__name__}"
                seen += 1
    assert seen > 50
    others = [p for p in PACKAGE.rglob("*.py") if p.name != "_jit.py"]
    assert [p for p in others if "import numba" in (text := p.read_text("utf-8")) or "from numba" in text] == []


@pytest.mark.parametrize("path", kernel_files(), ids=lambda p: p.stem)
def test_kernels_use_only_what_the_digest_sees(path):
    """A constant that a kernel takes from a file without kernels could change without a change of the digest."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    imported = {
        alias.asname or alias.name: node.module
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("rssp")
        for alias in node.names
    }
    used = {
        node.id
        for function in tree.body
        if isinstance(function, ast.FunctionDef) and "kernel" in "".join(map(ast.unparse, function.decorator_list))
        for node in ast.walk(function)
        if isinstance(node, ast.Name)
    }
    known = {".".join(p.relative_to(PACKAGE.parent).with_suffix("").parts) for p in kernel_files()}
    assert {imported[name] for name in used & set(imported)} <= known | {"rssp._jit"}
