"""A copy of the package with two small kernels, one of which calls the other, and processes that use it.

Each process is forked from one that has loaded numba and nothing of rssp: a fresh interpreter takes seconds to do that.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

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
SERVER = """
import gc, json, os, sys, traceback
import lazy_loader, numba, numpy, numba.core.caching, numba.core.event, numba.misc.appdirs
numba.njit(lambda x: x)(1)  # what the first compilation of a process prepares

def child(job):
    for number, name in ((1, "out"), (2, "err")):
        os.dup2(os.open(job[name], os.O_WRONLY | os.O_CREAT | os.O_TRUNC), number)
    os.chdir(job["cwd"])
    os.umask(job["umask"])
    os.environ.clear()
    os.environ.update(job["environment"])
    numba.config.reload_config()
    sys.dont_write_bytecode = not job["bytecode"]
    sys.path.insert(0, job["path"])
    status = 1
    try:
        exec(compile(job["code"], "<code>", "exec"), {"__name__": "__main__"})
        status = 0
    except BaseException:
        traceback.print_exc()
    for stream in (sys.stdout, sys.stderr):
        if stream is not None and not stream.closed:
            stream.flush()
    os._exit(status)

gc.freeze()  # what is not touched need not be copied
for line in sys.stdin:
    job = json.loads(line)
    if "wait" in job:
        answer = os.waitstatus_to_exitcode(os.waitpid(job["wait"], 0)[1])
    else:
        answer = os.fork()
        if not answer:
            child(job)
    print(answer, flush=True)
"""


class Server:
    """The process that the others are forked from."""

    def __init__(self) -> None:
        # a process of several threads is warned when it forks
        environment = {name: value for name, value in os.environ.items() if not name.startswith("NUMBA_")}
        environment["OPENBLAS_NUM_THREADS"] = "1"
        self._process = subprocess.Popen(
            [sys.executable, "-W", "error", "-c", SERVER],
            env=environment, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )  # fmt: skip

    def ask(self, **job: Any) -> int:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(json.dumps(job), file=self._process.stdin, flush=True)
        return int(self._process.stdout.readline())

    def close(self) -> None:
        self._process.communicate()


@dataclass
class Running:
    """One process."""

    server: Server
    pid: int
    out: Path
    err: Path

    def finished(self) -> tuple[str, str]:
        """What it printed, on both of its outputs."""
        status = self.server.ask(wait=self.pid)
        out, err = self.out.read_text().strip(), self.err.read_text().strip()
        assert status == 0, err
        return out, err


@dataclass
class Copy:
    """A copy of the package, and processes that use it."""

    home: Path
    server: Server
    started: int = 0

    @classmethod
    def made(cls, home: Path, server: Server) -> Copy:
        """What kernels are compiled by, and nothing that would have to be imported with it."""
        copy = cls(home, server)
        (copy.package / "planted").mkdir(parents=True)
        for file in (*PACKAGE.glob("_*.py"), *PACKAGE.glob("__init__.pyi"), PACKAGE / "errors.py"):
            shutil.copy(file, copy.package)
        (copy.package / "planted" / "__init__.py").write_text("")
        copy.inner.write_text(INNER)
        (copy.package / "planted" / "outer.py").write_text(OUTER)
        return copy

    @property
    def package(self) -> Path:
        return self.home / "rssp"

    @property
    def inner(self) -> Path:
        return self.package / "planted" / "inner.py"

    def start(
        self,
        code: str = ANSWER,
        *,
        cwd: Path | None = None,
        path: str = "",
        umask: int = 0o022,
        bytecode: bool = False,
        **environment: str,
    ) -> Running:
        """Python's own byte code is not kept by default: it would miss an edit within a second."""
        self.started += 1
        streams = {name: str(self.home / f"{name}-{self.started}") for name in ("out", "err")}
        mine = {name: value for name, value in os.environ.items() if not name.startswith(("NUMBA_", "XDG_"))}
        pid = self.server.ask(
            code=code, cwd=str(cwd or self.home), path=path or str(self.home), umask=umask, bytecode=bytecode,
            environment=mine | {"XDG_CACHE_HOME": str(self.home / "user")} | environment, **streams,
        )  # fmt: skip
        return Running(self.server, pid, Path(streams["out"]), Path(streams["err"]))

    def run(self, code: str = ANSWER, **options: Any) -> tuple[str, str]:
        """What a process printed, on both of its outputs."""
        return self.start(code, **options).finished()

    def answer(self, **options: Any) -> str:
        """What the outer kernel says of 1, and how often it had to be compiled."""
        return self.run(**options)[0]

    def kept(self, root: Path | None = None) -> list[Path]:
        """The files of compiled kernels."""
        return sorted((root or self.package).rglob("*.nbc"))

    def block_package(self) -> None:
        """Make it impossible, for the superuser too, to keep anything in the package."""
        shutil.rmtree(self.package / "__pycache__", ignore_errors=True)
        (self.package / "__pycache__").write_text("no folder")
