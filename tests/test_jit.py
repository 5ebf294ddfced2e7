"""Compiled kernels are kept, never outlive what they were compiled from, and are never in anybody's way."""

from __future__ import annotations

import importlib
import os
import shutil
import time
from collections import namedtuple
from pathlib import Path

import numba
import numpy as np
import pytest
from kernel_copy import ANSWER, INNER, OUTER, PACKAGE, Copy, Server

from rssp._compiling import Clock

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="processes are forked here")


@pytest.fixture(scope="module")
def server():
    server = Server()
    yield server
    server.close()


@pytest.fixture
def copy(tmp_path, server):
    return Copy.made(tmp_path, server)


def test_a_change_in_one_file_reaches_the_kernels_of_another(copy):
    left_by_numba = copy.package / "planted" / "__pycache__" / "outer.outer-4.py311.nbi"
    left_by_numba.parent.mkdir()
    left_by_numba.write_bytes(b"")
    assert copy.answer() == "200 1"
    assert copy.answer() == "200 0"  # kept
    first = copy.kept()
    assert len(first) == 2
    assert not left_by_numba.exists()
    (copy.package / "errors.py").write_text((copy.package / "errors.py").read_text() + "\n# a remark\n")
    copy.inner.write_text("# a remark\n" + INNER)
    assert copy.answer() == "200 0"

    copy.inner.write_text(INNER.replace("x + STEP", "x - STEP"))
    assert copy.answer() == "0 1"
    assert copy.answer() == "0 0"
    assert len(copy.kept()) == 2  # the old ones are gone
    assert not set(copy.kept()) & set(first)

    copy.inner.write_text(INNER.replace("STEP = 1", "STEP = 4"))
    assert copy.answer() == "500 1"
    assert len(copy.kept()) == 2


def test_what_python_itself_has_not_noticed_is_kept_as_what_it_is(copy):
    """Python knows byte code by date and size: files of an sdist all have one date."""

    def dated():
        for file in (copy.package / "planted").glob("*.py"):
            os.utime(file, (1_580_601_600, 1_580_601_600))

    dated()
    assert copy.answer(bytecode=True) == "200 1"
    copy.inner.write_text(INNER.replace("STEP = 1", "STEP = 4"))
    dated()
    assert copy.answer(bytecode=True) == "200 0"  # Python's doing
    shutil.rmtree(copy.package / "planted" / "__pycache__")
    assert copy.answer() == "500 1"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("from rssp._jit import kernel", "from .._jit import kernel"),  # found by no search of the text
        ("STEP = 1", "import numpy as np\nSTEP = np.int64(1)"),
        ("STEP = 1", "import numpy as np\nSTEPS = np.arange(2)\ndel np"),
        ("STEP = 1", "from rssp.planted.step import STEP"),
    ],
)
def test_a_constant_is_seen_wherever_it_comes_from(copy, before, after):
    constant = copy.package / "planted" / "step.py"
    constant.write_text("STEP = 1\n")
    text = INNER.replace(before, after)
    if "STEPS" in after:
        text = text.replace("x + STEP", "x + STEPS[1]")
    copy.inner.write_text(text)
    assert [copy.answer(), copy.answer()] == ["200 1", "200 0"]
    for old, new in (("STEP = 1", "STEP = 4"), ("int64(1)", "int64(4)"), ("arange(2)", "arange(3, 5)")):
        for file in (copy.inner, constant):
            file.write_text(file.read_text().replace(old, new))
    assert [copy.answer(), copy.answer()] == ["500 1", "500 0"]


EDIT = """
from pathlib import Path
path = Path("rssp/planted/inner.py")
path.write_text(path.read_text().replace("STEP = 1", "STEP = 4"))
"""


def test_files_that_change_while_a_process_runs(copy):
    assert copy.run("import rssp._jit" + EDIT + ANSWER)[0] == "500 1"
    copy.inner.write_text(INNER)
    assert copy.run("import rssp.planted.outer" + EDIT + ANSWER)[0] == "200 1"
    assert copy.answer() == "500 1"


def test_a_constant_that_is_rebound_is_not_kept(copy):
    """numba froze it in what was compiled before; under which value the rest was compiled cannot be told."""
    rebound = "import rssp.planted.inner as inner\nfrom rssp.planted.outer import outer\nouter(1)\ninner.STEP = 4\n"
    assert copy.run(rebound + "print(outer(1), outer(1.0))")[0] == "200 500.0"
    assert len(copy.kept()) == 2  # those of before
    code = "from rssp.planted.outer import outer\nprint(outer(1), outer(1.0))"
    assert copy.run(code)[0] == "200 200.0"


def test_a_setting_of_numba_that_changes_the_code_is_another_entry(copy):
    copy.inner.write_text(INNER.replace("x + STEP", "x + np.zeros(1)[x - 1]").replace("STEP = 1", "import numpy as np"))
    assert (
        copy.run("from rssp.planted.outer import outer\nouter(1)\ntry:\n  outer(2)\nexcept IndexError: print(1)")[0]
        == ""
    )
    checked = "from rssp.planted.outer import outer\nouter(1)\ntry:\n  outer(2)\nexcept IndexError: print('found')"
    assert copy.run(checked, NUMBA_BOUNDSCHECK="1")[0] == "found"
    assert copy.run(checked)[0] == ""
    assert len(copy.kept()) == 4
    assert copy.answer(NUMBA_NUM_THREADS="1") == "100.0 0"


def test_two_processes_fill_one_cache(copy):
    # each waits with its result until the other has compiled too, so that both store at the same time
    code = """
import time
from collections import namedtuple
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
    mine, other = "(np.int8, np.int16, np.int32, np.int64)", "(np.float32, np.float64, np.uint8, np.uint16)"
    first = copy.start(code.replace("MINE", "a").replace("OTHER", "b").replace("TYPES", mine))
    second = copy.start(code.replace("MINE", "b").replace("OTHER", "a").replace("TYPES", other))
    assert first.finished()[0] == "200 200 200 200"
    assert second.finished()[0] == "200.0 200.0 200 200"
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


def test_torn_entries_are_compiled_again(copy):
    assert copy.answer() == "200 1"
    for how in (lambda data: b"", lambda data: data[:50], flipped):
        for file in copy.kept():
            file.write_bytes(how(file.read_bytes()))
        assert copy.answer() == "200 1"
    first, second = copy.kept()
    second.write_bytes(first.read_bytes())  # the checksum is right, the entry is another kernel's
    assert copy.answer() in ("200 0", "200 1")
    assert copy.answer() == "200 0"


def test_what_is_no_file_is_not_read(copy):
    """A pipe would keep the process waiting, for ever."""
    assert copy.answer() == "200 1"
    for make in (os.mkfifo, os.mkdir, lambda file: file.symlink_to("/dev/zero")):
        for file in copy.kept():
            file.unlink() if not file.is_dir() else file.rmdir()
            make(file)
        assert copy.answer() == "200 1"


EVIL = """
import hashlib, pickle
from pathlib import Path
from rssp import _jit
class Evil:
    def __reduce__(self):
        return exec, ("open('planted', 'w').close(); raise SystemExit(3)",)
evil = pickle.dumps(Evil())
entry = _jit._KernelCache._entry
def told(self, *about):
    name, key = entry(self, *about)
    for file in Path(PLACE).rglob(name):
        file.write_bytes(hashlib.sha256(key + evil).digest() + evil)
    return None
_jit._KernelCache._entry = told
"""


def test_entries_are_read_only_where_nobody_else_can_have_written(copy):
    forge = EVIL.replace("PLACE", repr(str(copy.package))) + ANSWER
    planted = copy.home / "planted"

    def answer_to_forged():
        shutil.rmtree(copy.home / "user", ignore_errors=True)
        copy.run(forge)
        answer = copy.answer()
        ran = planted.exists()
        planted.unlink(missing_ok=True)
        return answer, ran

    assert copy.answer() == "200 1"
    assert answer_to_forged() == ("200 1", True)  # the forgery is a good one, and its SystemExit stops nobody
    folder = copy.kept()[0].parent
    for targets in ([folder], copy.kept()):
        changes = [lambda target: target.chmod(0o777)]
        if os.getuid() == 0:
            changes += [lambda target: os.chown(target, 54321, 54321)]
        for change in changes:
            list(map(change, targets))
            assert answer_to_forged() == ("200 1", False)
            shutil.rmtree(folder)
            shutil.rmtree(copy.home / "user", ignore_errors=True)
            assert copy.answer() == "200 1"


def test_no_folder_depends_on_the_working_directory(copy):
    cwd = copy.home / "elsewhere"
    cwd.mkdir()
    copy.block_package()
    for options in (
        {"XDG_CACHE_HOME": "", "HOME": str(copy.home)},
        {"XDG_CACHE_HOME": "relative", "HOME": str(copy.home)},
        {"NUMBA_CACHE_DIR": "relative"},
        {"NUMBA_CACHE_DIR": ".", "XDG_CACHE_HOME": ".", "HOME": "."},
    ):
        assert copy.answer(cwd=cwd, **options).startswith("200 ")
        assert list(cwd.iterdir()) == []
    assert copy.kept(copy.home / ".cache")
    homeless = "import os, pwd\ndel os.environ['HOME']\npwd.getpwuid = {}.__getitem__\n"  # unknown to the system
    assert copy.run(homeless + ANSWER, cwd=cwd, XDG_CACHE_HOME="")[0] == "200 1"
    assert list(cwd.iterdir()) == []


def test_the_umask_says_who_may_read(copy):
    for umask, mode in ((0o022, 0o644), (0o077, 0o600), (0o002, 0o644), (0, 0o644)):
        assert [copy.answer(umask=umask), copy.answer(umask=umask)] == ["200 1", "200 0"]
        assert {file.stat().st_mode & 0o777 for file in copy.kept()} == {mode}
        assert copy.kept()[0].parent.stat().st_mode & 0o777 == mode | (mode & 0o444) >> 2
        shutil.rmtree(copy.package / "__pycache__")


def test_nothing_heaps_up(copy):
    copy.block_package()
    assert copy.answer() == "200 1"
    mine = copy.kept(copy.home / "user")
    gone = mine[0].parent.with_name("rssp-kernels-cpython-311-of-an-installation-that-is-gone")
    shutil.copytree(mine[0].parent, gone)
    torn = mine[0].with_name(".writing-1-abc")
    torn.write_bytes(b"")
    long_ago = time.time() - 40 * 24 * 3600
    for file in (torn, mine[1], *gone.iterdir()):
        os.utime(file, (long_ago, long_ago))
    assert copy.answer() == "200 0"  # marks what it uses
    assert mine[1].stat().st_mtime > long_ago + 3600 or mine[0].stat().st_mtime > long_ago + 3600
    assert copy.run("from rssp.planted.outer import outer\nprint(outer(1.0))")[0] == "200.0"  # writes, and tidies up
    assert not torn.exists()
    assert not gone.exists()
    assert len(copy.kept(copy.home / "user")) in (3, 4)
    assert copy.answer() == "200 0"


IMPATIENT = "from rssp._compiling import clock\nclock.patience = PATIENCE\n" + ANSWER
NEVER, AT_ONCE = (IMPATIENT.replace("PATIENCE", patience) for patience in ("float('inf')", "0.0"))


def test_what_cannot_be_written_costs_time_only(copy):
    copy.block_package()
    assert [copy.answer(), copy.answer()] == ["200 1", "200 0"]
    assert len(copy.kept(copy.home / "user")) == 2  # the user's cache folder

    shutil.rmtree(copy.home / "user")
    (copy.home / "user").write_text("no folder")
    for _ in range(2):
        answer, said = copy.run(AT_ONCE)
        assert answer == "200 1"
        assert "NUMBA_CACHE_DIR" in said
    mine = copy.home / "mine"
    assert [copy.answer(NUMBA_CACHE_DIR=str(mine)), copy.answer(NUMBA_CACHE_DIR=str(mine))] == ["200 1", "200 0"]
    assert len(copy.kept(mine)) == 2
    assert copy.answer(NUMBA_CACHE_DIR=str(copy.inner)) == "200 1"
    assert copy.run(NUMBA_DISABLE_JIT="1", code="from rssp.planted.outer import outer\nprint(outer(1))")[0] == "200"


def test_files_beside_the_sources_are_no_business_of_the_import(copy):
    """An editor's lock, a folder, a file that cannot be read or is no text."""
    (copy.package / "planted" / ".#inner.py").symlink_to("user@host.1234:1")
    (copy.package / "planted" / "folder.py").mkdir()
    (copy.package / "planted" / "bytes.py").write_bytes(b"rssp._jit \xff\0")
    os.mkfifo(copy.package / "planted" / "pipe.py")
    assert [copy.answer(), copy.answer()] == ["200 1", "200 0"]


def test_a_path_that_is_written_oddly_is_the_same(copy):
    odd = f"{copy.home.parent}//{copy.home.name}"
    assert [copy.answer(path=odd), copy.answer(path=odd), copy.answer()] == ["200 1", "200 0", "200 0"]


def test_a_long_compilation_is_spoken_of_once(copy):
    assert copy.run(NEVER) == ("200 1", "")
    shutil.rmtree(copy.kept()[0].parent)
    answer, said = copy.run(AT_ONCE + "outer(1.0)\n")
    assert answer == "200 1"
    assert said.count("compiling") == 1
    assert str(copy.kept()[0].parent) in said
    assert copy.run(AT_ONCE + "outer(1.0)\n") == ("200 0", "")


def test_a_courtesy_stops_nobody_and_stays_out_of_the_output(copy, monkeypatch, capsys):
    shut = "import sys\nsys.stderr = SHUT\n"
    for how in ("None", "open('/dev/full', 'w', buffering=1)", "open('shut', 'w')\nsys.stderr.close()"):
        if "full" in how and not Path("/dev/full").exists():
            continue
        assert copy.run(shut.replace("SHUT", how) + AT_ONCE + "sys.stderr = None")[0] == "200 1"
        shutil.rmtree(copy.package / "__pycache__")

    def asked_in_vain():
        raise RuntimeError("no folder")

    clock = Clock(patience=0.0)
    clock.begin(asked_in_vain)
    clock.end()


def test_kernels_outside_the_package_are_compiled_but_not_kept(copy):
    (copy.home / "own.py").write_text(OUTER.replace("100", "1000"))
    code = "from own import outer\nprint(outer(1), outer.stats.cache_path)"
    assert copy.run(code)[0] == "2000 None"
    copy.inner.write_text(INNER.replace("STEP = 1", "STEP = 4"))
    assert copy.run(code)[0] == "5000 None"


@pytest.mark.skipif(bool(numba.config.DISABLE_JIT), reason="nothing is compiled")
def test_every_kernel_is_kept():
    from numba.core.dispatcher import Dispatcher

    from rssp._jit import _KernelCache
    from rssp._kernel_code import code_digest

    seen = {}
    for path in PACKAGE.rglob("*.py"):
        if "_jit import" not in path.read_text(encoding="utf-8") or path.name == "_jit.py":
            continue
        name = ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts)
        module = importlib.import_module(name)
        for value in vars(module).values():
            if isinstance(value, Dispatcher) and value.__module__ == name:
                assert isinstance(value._cache, _KernelCache), f"{name}.{value.__name__}"
                seen[name, value.__name__] = code_digest(value)
    assert len(seen) > 50
    assert [name for name, digest in seen.items() if digest is None] == []
    assert len(set(seen.values())) == len(seen)
    others = [p for p in PACKAGE.rglob("*.py") if not p.name.startswith(("_jit", "_kernel_"))]
    assert [p for p in others if "import numba" in (text := p.read_text("utf-8")) or "from numba" in text] == []


@pytest.mark.skipif(bool(numba.config.DISABLE_JIT), reason="nothing is compiled")
def test_values_that_compile_differently_have_different_digests():
    from rssp._kernel_code import code_digest

    def digest(value, body="lambda x: (x, CONSTANT)"):
        return code_digest(numba.njit(eval(body, {"CONSTANT": value, "__name__": "planted"})))

    values = [
        0, 0.0, -0.0, False, None, "0", b"0", float("nan"), 1, True, 1.0, 1 + 0j, (1,), (1.0,), ((1,),), (1, 1),
        np.int64(1), np.int32(1), np.float32(1), np.ones(1), np.ones(1, "i8"), np.ones((1, 1)), np.ones((1, 1)).T,
        np.ones(2)[::2], namedtuple("T", "a b"), namedtuple("T", "b a"), namedtuple("T", "a b", defaults=(1,)),
        np.float64, np.int64, int, np.add, np.subtract, np.sum, np, np.dtype("i8"), len,
        numba.njit(lambda x: 1), numba.njit(lambda x: 2), numba.njit(inline="always")(lambda x: 2),
        numba.njit(lambda x=1: 2), numba.njit(lambda x=2: 2),
    ]  # fmt: skip
    digests = [digest(value) for value in values]
    assert None not in digests
    # C-contiguous and Fortran-contiguous arrays of one element are one array
    assert len(set(digests)) >= len(digests) - 2
    assert digest(1) == digest(1)
    for strange in (object(), [1], {1: 1}, np.array([None]), pytest, (1, [1])):
        assert digest(strange) is None
    bodies = [
        "lambda x: x + 1",
        "lambda x: x + 2",
        "lambda x: x - 1",
        "lambda y: y + 1",
        "lambda x: [x + 1 for _ in (1,)]",
    ]
    assert len({digest(0, body) for body in bodies}) == len(bodies)
