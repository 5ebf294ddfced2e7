"""The public names are frozen: a change of this list is a decision, not an accident."""

import subprocess
import sys

import rssp


def test_every_public_name_loads():
    for name in rssp.__all__:
        assert getattr(rssp, name) is not None
    assert set(dir(rssp)) == set(rssp.__all__)


def test_importing_rssp_loads_nothing_heavy():
    heavy = ["numpy", "scipy", "pandas", "numba", "matplotlib", "torch", "typer", "rich", "joblib", "pyarrow"]
    code = f"import sys, rssp; print([m for m in {heavy!r} if m in sys.modules])"
    seen = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
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
    seen = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert seen.stdout.strip().splitlines()[-1] == "[]"
