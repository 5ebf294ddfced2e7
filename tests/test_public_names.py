"""The public names are frozen: a change of this list is a decision, not an accident."""

import ast
import importlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

import rssp

PACKAGE = Path(rssp.__file__).parent
STUBS = sorted(PACKAGE.rglob("__init__.pyi"))
# fmt: off
PUBLIC = [
    "ArgumentError", "ArgumentTypeError", "Ball", "Claim", "ConvolutionBlocks", "Coverage", "CoveringProfile",
    "CoveringProfiles", "CoveringRadius", "Estimate", "Experiment", "FromScipy", "GatedProduct",
    "GroupScaledNormal", "HittingTimes", "IndependentNormalProduct", "InfeasibleError", "Kind", "Law",
    "Measurement", "Mixture", "Normal", "NormallyScaledNormal", "NormallyScaledUniform", "OneSidedTilt", "Product",
    "RsspError", "ScalingForm", "Scope", "StoreError", "StoreWarning", "Study", "Task", "Trials", "Uniform", "Verdict",
    "Wording", "__version__", "add_claim", "all_claims", "check", "claim", "compare_scaling", "coverage",
    "covering_probability", "covering_profile", "covering_profiles", "covering_radius", "covers", "covers_each",
    "fit_scaling", "guaranteed_failure", "guaranteed_miss", "guaranteed_samples", "hits",
    "hitting_time", "hitting_times", "nearest_subset", "rare_failure", "register", "required_n", "required_samples",
    "run", "run_study", "smallest_constant",
]
# fmt: on
WINGS = ["claims", "inference", "laws", "montecarlo", "report", "study", "subsetsum", "tickets"]


def _run(*arguments, **options):
    return subprocess.run([sys.executable, *map(str, arguments)], capture_output=True, text=True, **options)


def test_public_names_are_these():
    assert sorted(rssp.__all__) == sorted(PUBLIC + WINGS)
    assert sorted(dir(rssp)) == sorted(PUBLIC + WINGS)


def test_a_wing_is_there_without_an_import_of_its_own():
    code = "import sys, rssp; assert 'rssp.montecarlo' not in sys.modules; print(rssp.montecarlo.run is rssp.run)"
    assert _run("-c", code, check=True).stdout.strip() == "True"


@pytest.mark.parametrize("stub", STUBS, ids=lambda s: str(s.parent.relative_to(PACKAGE.parent)))
def test_a_stub_says_what_is_there(stub):
    """Every line of a stub names an object of the package, under the name that it has where it is defined."""
    name = ".".join(stub.parent.relative_to(PACKAGE.parent).parts)
    package, listed = importlib.import_module(name), []
    for node in ast.parse(stub.read_text(encoding="utf-8")).body:
        assert isinstance(node, ast.ImportFrom)
        assert node.level == 1
        home = None if node.module is None else importlib.import_module(f"{name}.{node.module}")
        for alias in node.names:
            assert alias.asname == alias.name, "type checkers take only `X as X` for public"
            found = importlib.import_module(f"{name}.{alias.name}") if home is None else getattr(home, alias.name)
            assert getattr(package, alias.name) is found
            listed.append(alias.name)
    assert sorted(listed) == sorted(package.__all__)


def test_type_checkers_know_the_public_names(tmp_path, pytestconfig):
    """A user's own script, checked without our configuration. The cache makes all runs but the first quick."""
    first = "import rssp\nsample = [0.1, -0.4, 0.7]\n"
    (tmp_path / "right.py").write_text(first + "bound: float = rssp.covering_radius(sample, rssp.Ball(1)).upper\n")
    (tmp_path / "wrong.py").write_text(first + "rssp.covering_radius(sample, 1)\n")
    (tmp_path / "misspelt.py").write_text(first + "rssp.covering_radios(sample, rssp.Ball(1))\n")
    known = getattr(pytestconfig, "cache", None)  # absent under `-p no:cacheprovider`
    cache = tmp_path / "cache" if known is None else known.mkdir("mypy")
    options = ["--config-file", os.devnull, "--cache-dir", cache, "--no-color-output", "--no-error-summary"]
    seen = _run("-m", "mypy", *options, "right.py", "wrong.py", "misspelt.py", cwd=tmp_path)
    lines = seen.stdout.splitlines()
    assert len(lines) == 2, seen.stdout + seen.stderr
    wrong, misspelt = sorted(lines, reverse=True)
    assert wrong.startswith('wrong.py:3: error: Argument 2 to "covering_radius" has incompatible type "int"')
    assert misspelt.startswith('misspelt.py:3: error: Module has no attribute "covering_radios"')


@pytest.mark.parametrize("start", [["-m", "rssp"], ["-c", "from rssp.cli import main; main()"]])
def test_version(start):
    seen = _run(*start, "--version", check=True)
    assert seen.stdout == f"rssp {rssp.__version__}\n"


def test_python_m_rssp_is_the_command():
    seen = _run("-m", "rssp", "claims", "lueker-1998", check=True)
    assert "Lueker" in seen.stdout
    wrong = _run("-m", "rssp", "claims", "no-such-claim")
    assert wrong.returncode == 2
    assert wrong.stderr.startswith("rssp: ")


def test_importing_rssp_loads_nothing_heavy():
    heavy = ["numpy", "scipy", "pandas", "numba", "matplotlib", "torch", "typer", "rich", "joblib", "pyarrow"]
    code = f"import sys, rssp; print([m for m in {heavy!r} if m in sys.modules])"
    seen = _run("-c", code, check=True)
    assert seen.stdout.strip() == "[]"


def test_help_loads_nothing_heavy():
    heavy = ["numpy", "scipy", "pandas", "numba", "matplotlib", "torch", "joblib", "pyarrow"]
    code = f"""
import sys
from rssp.cli import main
try:
    main(["--help"])
except SystemExit:
    pass
print([m for m in {heavy!r} if m in sys.modules])
"""
    seen = _run("-c", code, check=True)
    assert seen.stdout.strip().splitlines()[-1] == "[]"
