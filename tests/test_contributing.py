"""The examples of CONTRIBUTING.md run as they stand there."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

TEXT = (Path(__file__).parents[1] / "CONTRIBUTING.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"^### ([^\n]+)\n.*?^```python\n(.*?)^```", TEXT, flags=re.MULTILINE | re.DOTALL)


def test_every_kind_of_addition_has_an_example() -> None:
    kinds = [name for name, _ in EXAMPLES]
    assert kinds == ["A law", "A measurement", "A kernel", "A scaling form", "A study"]


@pytest.mark.parametrize(("name", "code"), EXAMPLES, ids=[name for name, _ in EXAMPLES])
def test_examples_run(name: str, code: str, tmp_path: Path) -> None:
    file = tmp_path / "example.py"
    file.write_text(code, encoding="utf-8")
    command = [sys.executable, "-W", "error", str(file)]
    if name == "A study":
        command += ["--out", "results"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    if name == "A study":
        assert (tmp_path / "results" / "how_many" / "quick" / "how_many-required.csv").is_file()
