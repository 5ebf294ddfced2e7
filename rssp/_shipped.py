"""Where the studies and the stored tables that come with rssp lie.

In a wheel they lie inside the package, where they shadow nobody's ``studies``; in a checkout they lie beside the
package's source, where their authors edit them.
"""

from __future__ import annotations

from pathlib import Path

from rssp.errors import RsspError

__all__ = ["inside_package", "studies_folder", "tables_folder"]

_PACKAGE = Path(__file__).resolve().parent


def _folder(inside: str, beside: str) -> Path:
    checkout = _PACKAGE.parent
    if (_PACKAGE / inside).is_dir():
        return _PACKAGE / inside
    # without the project file, a `studies` beside the package is somebody else's
    if (checkout / "pyproject.toml").is_file() and (checkout / beside).is_dir():
        return checkout / beside
    raise RsspError(f"{_PACKAGE / inside} is missing, which comes with rssp. Install rssp again.")


def studies_folder() -> Path:
    """The folder of the studies that are known by name; RsspError where the installation lacks it."""
    return _folder("_studies", "studies")


def tables_folder() -> Path:
    """The folder of the tables that the shipped figures are drawn from; RsspError where the installation lacks it."""
    return _folder("_tables", "figures")


def inside_package(folder: Path) -> bool:
    """Whether a folder lies inside the installed package, where results have no place."""
    return folder.resolve().is_relative_to(_PACKAGE)
