"""The README says of a study what its shipped tables say, and each study says it without being run."""

import re
from pathlib import Path

import pytest

from rssp._shipped import tables_folder
from rssp.study import find_study, list_studies
from rssp.study.tables import read_tables

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
ROWS = dict(re.findall(r"^\| [^|]+ \| `(\w+)` \| (.+) \|$", README, flags=re.MULTILINE))


def test_every_study_has_a_row() -> None:
    assert set(ROWS) == set(list_studies())


@pytest.mark.parametrize("name", ROWS)
def test_the_readme_says_what_the_tables_say(name: str) -> None:
    study = find_study(name)
    assert [ROWS[name]] == list(study.findings(read_tables(study, tables_folder())))
