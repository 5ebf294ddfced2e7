"""The figures that are shipped are what the shipped tables draw, byte for byte.

Compared are the SVG files, whose coordinates have six digits. Another version of matplotlib or seaborn draws others:
the comparison needs those of constraints.txt, which the README's test command and CI install.
"""

from __future__ import annotations

import re
from importlib.metadata import version
from pathlib import Path

import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from rssp.study import draw, find_study, list_studies, read_tables

ROOT = Path(__file__).parents[2]
STORED = ROOT / "figures"
STUDIES = [name for name in list_studies() if any(STORED.glob(f"{name}-*.csv"))]


def pinned(package: str) -> bool:
    wanted = re.search(rf"^{package}==(\S+)$", (ROOT / "constraints.txt").read_text(encoding="utf-8"), re.MULTILINE)
    return wanted is not None and wanted[1] == version(package)


same_versions = pytest.mark.skipif(
    not all(map(pinned, ("matplotlib", "seaborn"))), reason="matplotlib or seaborn is not the one of constraints.txt"
)


@pytest.fixture(autouse=True)
def no_png(monkeypatch):
    """A PNG shows what the SVG says, and takes longer to draw."""
    savefig = Figure.savefig

    def only_svg(figure, path, **options):
        if Path(path).suffix == ".svg":
            savefig(figure, path, **options)

    monkeypatch.setattr(Figure, "savefig", only_svg)


def different(name: str, folder: Path, change=lambda tables: tables) -> list[str]:
    """Which figures of a study come out otherwise than they are stored, drawn from its stored tables."""
    study = find_study(name)
    _, failures = draw(study, change(read_tables(study, STORED)), folder)
    assert not failures
    drawn = sorted(path.name for path in folder.glob("*.svg"))
    assert drawn == sorted(path.name for path in STORED.glob(f"{name}-*.svg"))
    return [file for file in drawn if (folder / file).read_bytes() != (STORED / file).read_bytes()]


def test_every_study_ships_its_figures():
    assert {path.name.split("-")[0] for path in STORED.glob("*.svg")} == set(STUDIES)


@same_versions
@pytest.mark.parametrize("name", STUDIES)
def test_stored_tables_draw_the_stored_figures(name, tmp_path):
    assert different(name, tmp_path) == []


@same_versions
def test_another_label_and_another_number_are_seen(monkeypatch, tmp_path):
    def two_per_cent_more(tables):
        medians = tables["medians"].copy()
        medians.loc[medians.index[0], ["low", "best", "high"]] *= 1.02
        return {**tables, "medians": medians}

    assert different("da_cunha_2022", tmp_path / "number", two_per_cent_more) == ["da_cunha_2022-medians.svg"]
    set_label = Axes.set_ylabel
    monkeypatch.setattr(Axes, "set_ylabel", lambda ax, text, **more: set_label(ax, f"{text}.", **more))
    assert different("da_cunha_2022", tmp_path / "label") == ["da_cunha_2022-medians.svg"]
