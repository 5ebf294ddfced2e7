"""What the plotting functions draw, read back from the artists; and that equal figures are equal files."""

from __future__ import annotations

import math

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from matplotlib.patches import Circle, Polygon

from rssp.errors import StoreError
from rssp.report import (
    COLOURS,
    draw_cover,
    eps_label,
    legend_outside,
    new_figure,
    plot_against_bits,
    plot_against_d,
    plot_estimates,
    plot_factor,
    plot_line,
    save,
    style,
)


@pytest.fixture
def ax():
    _, axes = new_figure()
    return axes[0]


def estimates(**columns):
    table = pd.DataFrame(
        {"d": [2.0, 1.0, 3.0], "best": [4.0, 2.0, 7.0], "low": [3.5, 1.0, 6.0], "high": [5.0, 2.5, 9.0]}
    )
    return table.assign(**{"eps": 0.25, **columns})


def ends(container):
    """Low and high end of each error bar of an errorbar container."""
    (_, _, (bars,)) = container
    return [[low, high] for (_, low), (_, high) in bars.get_segments()]


@pytest.mark.parametrize(
    ("eps", "text"), [(2.0**-6, "$2^{-6}$"), (0.5, "$2^{-1}$"), (1.0, "$2^{0}$"), (0.1, "0.1"), (0.3 / 1000, "0.0003")]
)
def test_eps_is_a_power_of_two_where_it_is_one(eps, text):
    assert eps_label(eps) == text


def test_points_in_order_with_their_intervals(ax):
    (container,) = plot_estimates(estimates(), "d", ax=ax)
    line, _, _ = container
    assert line.get_xydata().tolist() == [[1, 2], [2, 4], [3, 7]]
    assert ends(container) == [[1.0, 2.5], [3.5, 5.0], [6.0, 9.0]]
    assert (line.get_marker(), line.get_linestyle(), line.get_color()) == ("o", "None", COLOURS[0])
    assert container.get_label() is None or str(container.get_label()).startswith("_")


def test_a_colour_and_a_label_for_each_group(ax):
    table = pd.concat([estimates(eps=0.5), estimates(eps=0.25)])
    artists = plot_estimates(
        table, "d", ax=ax, by="eps", label=lambda e: f"at {e}", line=True, colours=("red", "blue"), marker="s"
    )
    assert [a.get_label() for a in artists] == ["at 0.25", "at 0.5"]
    assert [a[0].get_color() for a in artists] == ["red", "blue"]
    assert [(a[0].get_linestyle(), a[0].get_marker()) for a in artists] == [("-", "s")] * 2
    many = pd.concat([estimates(eps=float(e)) for e in range(1, 10)])
    colours = [a[0].get_color() for a in plot_estimates(many, "d", ax=ax, by="eps")]
    assert colours == [*COLOURS, COLOURS[0]]  # nine groups: the first colour again


def test_what_is_not_reached_is_left_out_and_what_is_open_has_an_arrow(ax):
    table = estimates(best=[4.0, 2.0, np.inf], high=[np.inf, 2.5, np.inf])
    container, arrow = plot_estimates(table, "d", ax=ax, line=True, capsize=3)
    assert container[0].get_xydata().tolist() == [[1, 2], [2, 4]]
    assert ends(container)[1] == [3.5, 4.0]
    assert arrow.get_xydata().tolist() == [[2, 4]]
    assert (arrow.get_marker(), arrow.get_linestyle(), arrow.get_color()) == ("^", "None", COLOURS[0])


def test_an_interval_beside_its_best_value_is_no_negative_error(ax):
    """Order statistics may lie on one side of an interpolated value."""
    (container,) = plot_estimates(estimates(low=[4.1, 1.0, 6.0], high=[5.0, 1.9, 9.0]), "d", ax=ax)
    assert ends(container) == [[1.0, 2.0], [4.0, 5.0], [6.0, 9.0]]


def test_a_line_is_sorted(ax):
    line = plot_line(estimates(), "d", "best", ax=ax, color="green", ls="--")
    assert line.get_xydata().tolist() == [[1, 2], [2, 4], [3, 7]]
    assert (line.get_color(), line.get_linestyle()) == ("green", "--")


def lines(ax):
    """The lines without points: claims and guides."""
    return [line for line in ax.get_lines() if line.get_marker() == "None"]


def test_n_against_d_has_the_claimed_slopes_through_its_first_point(ax):
    table = pd.concat([estimates(), estimates(eps=0.5, best=[3.0, 1.5, np.inf], low=1.0, high=[4.0, 2.0, np.inf])])
    plot_against_d(table, {"cube": 3.0, "linear": 1.0}, ax=ax)
    cube, linear = lines(ax)
    assert cube.get_xydata().tolist() == pytest.approx(np.array([[1, 1.5], [2, 12], [3, 40.5]]))
    assert linear.get_xydata().tolist() == pytest.approx(np.array([[1, 1.5], [2, 3], [3, 4.5]]))
    assert [line.get_label() for line in (cube, linear)] == ["cube", "linear"]
    assert [line.get_linestyle() for line in (cube, linear)] == ["--", ":"]
    assert (ax.get_xscale(), ax.get_yscale()) == ("log", "log")
    assert ax.get_ylim() == pytest.approx((1.0, 42.0))
    assert [t.get_text() for t in ax.get_xticklabels()] == ["1", "2", "3"]
    assert ax.get_yticks().tolist() == [2, 5, 10, 20]
    labels = [text.get_text() for text in ax.legend().get_texts()]
    assert labels == ["cube", "linear", r"$\varepsilon$ = $2^{-2}$", r"$\varepsilon$ = $2^{-1}$"]


def test_n_against_bits_has_the_counting_slope(ax):
    bits = np.array([4.0, 2.0, 3.0])
    table = pd.concat([estimates(d=d, eps=2.0**-bits, best=[9.0, 5.0, np.inf]) for d in (1, 2)])
    table = pd.concat([table, estimates(d=3, best=[6.0, np.inf, np.inf]).iloc[:1]])
    plot_against_bits(table, ax=ax)
    one, two = lines(ax)
    assert one.get_xydata().tolist() == [[2, 5], [4, 7]]
    assert two.get_xydata().tolist() == [[2, 5], [4, 9]]
    assert [one.get_color(), two.get_color()] == list(COLOURS[:2])
    assert ax.get_ylim()[0] == 0
    assert ax.get_xlabel() == r"$\log_2(1/\varepsilon)$"
    assert [text.get_text() for text in ax.legend().get_texts()] == ["$d$ = 1", "$d$ = 2", "$d$ = 3"]


def test_the_factor_has_its_line_at_one(ax):
    plot_factor(estimates(), ax=ax)
    (one,) = lines(ax)[-1:]
    assert list(one.get_ydata()) == [1, 1]
    assert ax.get_yscale() == "log"
    assert ax.get_xticks().tolist() == [1, 2, 3]


@pytest.mark.parametrize(
    ("norm", "corners"),
    [(1, [(1, 0), (0, 1), (-1, 0), (0, -1)]), (math.inf, [(1, 1), (-1, 1), (-1, -1), (1, -1)]), (2, None)],
)
def test_a_cover_shows_squares_ball_and_witness(ax, norm, corners):
    points = pd.DataFrame({"x": [0.0, 0.5], "y": [0.25, -1.0]})
    draw_cover(points, 0.1, (0.7, 0.6), ax=ax, norm=norm)
    (squares,) = ax.collections
    boxes = [path.get_extents().bounds for path in squares.get_paths()]
    assert boxes == [pytest.approx((-0.1, 0.15, 0.2, 0.2)), pytest.approx((0.4, -1.1, 0.2, 0.2))]
    (ball,) = ax.patches
    if corners is None:
        assert isinstance(ball, Circle)
        assert (ball.center, ball.radius) == ((0, 0), 1)
    else:
        assert isinstance(ball, Polygon)
        assert [tuple(map(float, xy)) for xy in ball.get_xy()[:-1]] == corners
    sums, star = ax.get_lines()
    assert sums.get_xydata().tolist() == points.to_numpy().tolist()
    assert star.get_xydata().tolist() == [[0.7, 0.6]]
    draw_cover(points, 0.1, None, ax=(bare := new_figure()[1][0]), norm=norm)
    assert len(bare.get_lines()) == 1


def test_axes_in_reading_order_and_legends_beside_them():
    figure, axes = new_figure(2, 3, width=9, height=5)
    assert len(axes) == 6
    assert [a.get_subplotspec().num1 for a in axes] == list(range(6))
    assert tuple(figure.get_size_inches()) == (9, 5)
    axes[0].plot([0, 1], label="one")
    legend_outside(axes[0], title="which")
    legend = axes[0].get_legend()
    assert legend.get_title().get_text() == "which"
    figure.canvas.draw()
    assert legend.get_window_extent().x0 >= axes[0].get_window_extent().x1


def test_the_style_is_that_of_a_block():
    with mpl.rc_context({"lines.linewidth": 77.0}):
        with style():
            inside = mpl.rcParams["lines.linewidth"]
        assert mpl.rcParams["lines.linewidth"] == 77.0
    assert inside != 77.0  # what the user has set does not show in our figures


def test_the_same_figure_is_the_same_file(tmp_path):
    def drawn(stem, shift=0.0):
        with style():
            figure, (ax,) = new_figure()
            plot_estimates(estimates().assign(best=lambda t: t["best"] + shift), "d", ax=ax)
            ax.set(xlabel="$d$", ylabel="$n^*$")
            return [path.read_bytes() for path in save(figure, tmp_path / "below" / stem)]

    one, again, other = drawn("one"), drawn("again"), drawn("other", 0.1)
    assert [path.name for path in sorted((tmp_path / "below").glob("one.*"))] == ["one.png", "one.svg"]
    assert one == again
    assert one[0] != other[0]
    assert one[1] != other[1]
    assert b"<dc:date>" not in one[0]
    assert one[0].startswith(b"<?xml")
    assert one[1].startswith(b"\x89PNG")
    with style():
        figure, _ = new_figure()
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match=r"cannot write .*Choose another directory"):
        save(figure, tmp_path / "file" / "stem")
