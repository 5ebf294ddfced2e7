"""How figures look and how they are saved: the same table gives the same bytes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rssp.errors import StoreError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["COLOURS", "legend_outside", "new_figure", "save", "style"]

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#F0E442")
"""The palette of Okabe and Ito, told apart with any kind of colour vision."""

_STYLE = Path(__file__).with_name("rssp.mplstyle")


@contextmanager
def style() -> Iterator[None]:
    """The package's matplotlib style, for the time of a block."""
    import matplotlib as mpl
    import matplotlib.style

    with mpl.rc_context():
        mpl.rcdefaults()
        matplotlib.style.use(_STYLE)
        yield


def new_figure(rows: int = 1, columns: int = 1, width: float = 6.4, height: float = 4.2) -> tuple[Figure, list[Axes]]:
    """A figure that belongs to no global state, and its axes in reading order."""
    import matplotlib as mpl
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), dpi=mpl.rcParams["figure.dpi"], layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(rows, columns, squeeze=False)
    return figure, list(axes.ravel())


def legend_outside(ax: Axes, **options: Any) -> None:
    """The legend to the right of the axes, where it covers nothing."""
    ax.legend(loc="upper left", bbox_to_anchor=(1.01, 1.0), borderaxespad=0.0, **options)


def save(figure: Figure, stem: Path) -> list[Path]:
    """Write `stem`.svg and `stem`.png without dates or versions, so that equal figures are equal files."""
    paths = [stem.with_name(stem.name + ending) for ending in (".svg", ".png")]
    try:
        stem.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(paths[0], metadata={"Date": None, "Creator": None})
        figure.savefig(paths[1], metadata={"Software": None})
    except OSError as cause:
        raise StoreError(f"figures: cannot write {stem}: {cause}. Choose another directory with --out.") from cause
    return paths
