"""What a user installs is what is tested: the wheel alone in a fresh environment, and the sdist with its tests."""

import json
import os
import subprocess
import sys
import tarfile
import venv
import zipfile
from pathlib import Path

import pytest

from rssp.study import list_studies

ROOT = Path(__file__).parents[1]
TABLES = {p.name for ending in ("csv", "json") for p in (ROOT / "figures").glob(f"*.{ending}")}
MEGABYTE = 2**20


def execute(*command, cwd, **variables):
    """A finished process, with nothing of the tests' own search path in its environment."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "PYTEST"))} | variables
    command = [str(c) for c in command]
    return subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, check=False)


def succeed(*command, cwd, **variables):
    """Standard output of a process that must succeed."""
    seen = execute(*command, cwd=cwd, **variables)
    assert seen.returncode == 0, seen.stdout + seen.stderr
    return seen.stdout


def build(kind, source, folder):
    """The file that the build backend makes of a source tree."""
    succeed(sys.executable, "-m", "hatchling", "build", "-t", kind, "-d", folder, cwd=source)
    (file,) = folder.iterdir()
    return file


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    return build("wheel", ROOT, tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory):
    """The source tree that the sdist unpacks to."""
    folder = tmp_path_factory.mktemp("unpacked")
    with tarfile.open(build("sdist", ROOT, tmp_path_factory.mktemp("sdist"))) as archive:
        archive.extractall(folder, filter="data")
    (tree,) = folder.iterdir()
    return tree


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory):
    """The scripts' folder of a fresh environment: the wheel, beside the dependencies that the tests run with."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, with_pip=True)
    scripts = folder / "bin"
    succeed(scripts / "python", "-m", "pip", "install", "-q", "--no-index", "--no-deps", wheel, cwd=folder)
    code = "import sysconfig; print(sysconfig.get_path('purelib'))"
    packages = Path(succeed(scripts / "python", "-c", code, cwd=folder).strip())
    borrowed = [p for p in sys.path if Path(p).name in ("site-packages", "dist-packages")]
    (packages / "borrowed.pth").write_text("\n".join(borrowed) + "\n")  # later in the path than the wheel's own files
    home = succeed(scripts / "python", "-c", "import rssp; print(rssp.__file__)", cwd=folder).strip()
    assert Path(home) == packages / "rssp" / "__init__.py"
    return scripts


@pytest.fixture
def empty(tmp_path):
    """A working directory that cannot be written; the superuser can, so that it must be empty in the end as well."""
    folder = tmp_path / "empty"
    folder.mkdir(mode=0o555)
    yield folder
    assert not list(folder.iterdir())


def contents(file):
    """Name and checksum of every file of a wheel."""
    with zipfile.ZipFile(file) as archive:
        return {i.filename: i.CRC for i in archive.infolist()}


def test_the_wheel_holds_the_package_alone_with_studies_and_tables(wheel):
    names = {Path(n) for n in contents(wheel)}
    assert {n.parts[0].partition("-")[0] for n in names} == {"rssp"}
    assert TABLES
    assert {n.name for n in names if n.parent == Path("rssp/_tables")} == TABLES
    studies = {n.stem for n in names if n.parent == Path("rssp/_studies") and not n.name.startswith("_")}
    assert studies == set(list_studies())
    assert wheel.stat().st_size < 10 * MEGABYTE


def test_the_sdist_builds_the_same_wheel(wheel, unpacked, tmp_path):
    assert contents(build("wheel", unpacked, tmp_path)) == contents(wheel)


def test_the_sdist_has_all_tests_but_those_of_pictures(unpacked):
    here, there = ({p.relative_to(root) for p in (root / "tests").rglob("*.py")} for root in (ROOT, unpacked))
    pictures = {Path("tests/report/test_stored_figures.py")} if any((ROOT / "figures").glob("*.svg")) else set()
    assert here - there == pictures
    assert not there - here


def test_the_tests_run_from_the_sdist(unpacked):
    """Names, documents, and one that needs the tables; the whole suite runs there too, but takes as long as here."""
    tests = [
        "tests/test_public_names.py",
        "tests/study/test_findings.py",
        "tests/study/test_tables.py::test_shipped_tables_are_of_the_scale_that_they_name",
    ]
    options = ["-q", "-p", "no:cacheprovider", "-p", "no:xdist"]
    report = succeed(sys.executable, "-m", "pytest", *options, *tests, cwd=unpacked, PYTHONPATH=str(unpacked))
    assert " passed" in report
    assert "skipped" not in report


def test_list_check_and_figures_outside_a_checkout(installed, empty, tmp_path):
    rssp = installed / "rssp"
    rows = json.loads(succeed(rssp, "list", "--json", cwd=empty))["rows"]
    assert {row["study"] for row in rows} == set(list_studies())
    found = json.loads(succeed(rssp, "check", "--json", cwd=empty))
    assert set(found["sources"]) == set(list_studies())
    assert all(source.startswith(str(installed.parent)) for source in found["sources"].values())
    assert {"lueker-1998", "becchetti-2022"} <= {row["claim"] for row in found["rows"]}
    refused = execute(rssp, "figures", cwd=empty)
    assert refused.returncode == 2
    assert "rssp: --out: got none" in refused.stderr
    drawn = succeed(rssp, "figures", "lueker_1998", "--out", tmp_path / "drawn", cwd=empty).split()
    assert drawn
    assert all(Path(file).stat().st_size for file in drawn)


def test_run_outside_a_checkout(installed, empty, tmp_path):
    rssp, out = installed / "rssp", tmp_path / "out"
    told = json.loads(succeed(rssp, "run", "lueker_1998", "--trials", 2, "--out", out, "--json", cwd=empty))
    assert all(Path(file).is_relative_to(out) for file in told["files"])
    for prefer, folder in (("best", installed.parent), ("results", out)):  # a quick run is not the largest scale
        words = ("check", "lueker_1998", "--out", out, "--prefer", prefer, "--json")
        assert json.loads(succeed(rssp, *words, cwd=empty))["sources"]["lueker_1998"].startswith(str(folder))


def test_a_planted_study_is_not_run(installed, tmp_path):
    (tmp_path / "studies").mkdir()
    (tmp_path / "studies" / "lueker_1998.py").write_text("open('planted', 'w').close()\nSTUDY = None\n")
    for command in (["list"], ["check", "lueker_1998"], ["run", "lueker_1998", "--trials", "2"]):
        succeed(installed / "rssp", *command, cwd=tmp_path)
        assert not (tmp_path / "planted").exists()
