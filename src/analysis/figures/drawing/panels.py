"""What is drawn within one pair of axes: curves, with their limits and ticks, or a heat map over (p, q)."""

import math
import textwrap
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import PowerNorm
from matplotlib.figure import Figure
from matplotlib.mathtext import MathTextParser
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter

from src.analysis.figures.spec import Curve, CurvePanel, HeatPanel, Spread, Style, ends

BAR_WIDTH, BAR_GAP = 0.10, 0.10
"""Inches of a heat map's colour bar, and between the two."""
PUBLISHED_ALPHA, SINGLE_ALPHA, FEW_COLOUR = 0.4, 0.6, "#e6e6e6"
ROW_LETTERS = 20
"""As many letters of the small font as a row of heat maps is high."""
MARKERS = 10
"""About as many of a curve's points are marked, of each curve others: lines and what lies under them are seen."""
LEAST_SPAN = 3.0
"""Points of accuracy that an axis shows at the least: less is hardly more than what seeds differ by."""
MARGIN = 0.04
"""Share of the range, of the decades on a log axis, left free beyond the outermost points."""
FEW_DECADES, MANY_DECADES = 2.1, 4.5
"""Below the first, 2 and 5 are labelled as well; above the second, every other power of ten."""


def draw_curves(panel: CurvePanel, ax: Axes, style: Style, alike: Sequence[CurvePanel]) -> None:
    """One panel: curves, labels, grid, limits, and its own legend where the style wants it inside.

    `alike` are the panels of the row that show the same quantity, this one included.
    """
    spread = panel.spread if style.clean or panel.spread == "x" else ""
    for curve in (curve.above_zero(spread) for curve in panel.published):
        ax.errorbar(
            curve.x, curve.y, yerr=curve.error, color=style.stroke(curve.slot).colour, alpha=PUBLISHED_ALPHA,
            linewidth=3.4 * style.line_width, elinewidth=0.6 * style.line_width, solid_capstyle="butt", zorder=1.5,
        )  # fmt: skip
    for rank, curve in enumerate(panel.curves):
        singles = curve.y + panel.bar_scale * (curve.each - curve.y) if curve.each is not None else None
        _draw_curve(replace(curve, error=curve.error * panel.bar_scale, each=singles), ax, style, rank)
    ax.set_xlabel(style.label(panel.x_label), fontsize=style.font)
    ax.set_ylabel(style.label(panel.y_label), fontsize=style.font)
    if panel.title and not style.clean:
        ax.set_title(panel.title, fontsize=style.font)
    ax.tick_params(labelsize=style.tick_font)
    ax.grid(True)
    _fit_axes(panel, ax, style, alike, spread)
    if panel.legend and not style.clean:
        ax.legend(loc=panel.legend, fontsize=style.small_font)


def _draw_curve(curve: Curve, ax: Axes, style: Style, rank: int) -> None:
    stroke = style.stroke(curve.slot)
    look: dict[str, Any] = {
        "color": stroke.colour, "linestyle": stroke.line, "marker": stroke.marker, "label": _legible(curve.label),
    }  # fmt: skip
    if not style.clean:
        ax.errorbar(curve.x, curve.y, yerr=curve.error, **look).lines[0].set_zorder(2.5)
        return
    width = style.line_width
    if curve.singles is not None:
        for y in curve.singles:
            ax.plot(curve.x, y, color=stroke.colour, alpha=SINGLE_ALPHA, linewidth=0.4 * width, zorder=1.8)
    elif np.any(curve.error > 0):
        low, high = curve.y - curve.error, curve.y + curve.error
        ax.fill_between(curve.x, low, high, color=stroke.colour, alpha=0.2, linewidth=0)
    if curve.few_from < math.inf:
        first = int(np.argmax(curve.t >= curve.few_from))
        x, y = ([values[max(first - 1, 0) : first + 1].mean(), *values[first:]] for values in (curve.x, curve.y))
        ax.plot(x, y, color=FEW_COLOUR, linewidth=6 * width, solid_capstyle="butt", zorder=0.4)
    step = math.ceil(len(curve.x) / MARKERS) or 1
    size = style.marker_size * (1.35 if stroke.hollow else 1.0)
    ax.plot(
        curve.x, curve.y, **look, markevery=(rank % step, step),
        linewidth=width * (2.6 if stroke.broad else 1.0), markersize=size,
        markerfacecolor="none" if stroke.hollow else stroke.colour, markeredgewidth=0.6 * stroke.hollow,
    )  # fmt: skip
    if curve.cut:
        ax.plot(curve.x[-1:], curve.y[-1:], "x", color="black", markersize=2 * style.marker_size, zorder=3)


def _legible(label: str) -> str:
    """The label, its dollar signs as they stand where what is between them is no mathematics."""
    try:
        MathTextParser("path").parse(label)
    except ValueError:
        return label.replace("$", r"\$")
    return label


def _fit_axes(panel: CurvePanel, ax: Axes, style: Style, alike: Sequence[CurvePanel], spread: Spread) -> None:
    """Log axes for wide ranges of percentages, whole iterations, and the clean style's limits shared by `alike`."""
    shared = [curve for other in alike for curve in (*other.curves, *other.published)]
    if not panel.against_weights:
        ax.xaxis.set_major_locator(MaxNLocator(7, steps=[1, 2, 5, 10], integer=True))
    ax.yaxis.set_major_locator(MaxNLocator(7, steps=[1, 2, 5, 10]))
    if spread:
        _log_percent(ax, spread, shared, panel.x_limits)
    if panel.y_limits:
        ax.set_ylim(*panel.y_limits)
    elif style.clean and (len(alike) > 1 or panel.in_points) and spread != "y":
        bottom, top = ends(shared)
        more = max(0.0, LEAST_SPAN - (top - bottom)) / 2 if panel.in_points else 0.0
        margin = MARGIN * (top - bottom or 1.0) + more
        ax.set_ylim(bottom - margin, top + margin)


def _log_percent(
    ax: Axes, which: Literal["x", "y"], curves: Sequence[Curve], limits: tuple[float, float] | None
) -> None:
    """A log axis of `limits`, or from the smallest positive percentage, or 50, to 100, labelled with plain numbers."""
    values = np.concatenate([limits or (), *(getattr(c.above_zero(which), which) for c in curves if not limits)])
    smallest, largest = min(float(values.min(initial=100.0)), 50.0), max(limits or (100.0,))
    decades = float(np.log10(largest / smallest))
    room = 10 ** (MARGIN * decades)
    axis = ax.yaxis if which == "y" else ax.xaxis
    (ax.set_yscale if which == "y" else ax.set_xscale)("log", nonpositive="clip")
    (ax.set_ylim if which == "y" else ax.set_xlim)(smallest / room, largest * room)
    few, many = decades < FEW_DECADES, decades > MANY_DECADES
    axis.set_major_locator(LogLocator(base=10, subs=[1.0, 2.0, 5.0] if few else [1.0], numticks=5 if many else 12))
    axis.set_minor_locator(LogLocator(base=10, subs=[1.0] if many else range(2, 10), numticks=100))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axis.set_minor_formatter(NullFormatter())


def row_label(panel: HeatPanel) -> str:
    """What stands beside a row of heat maps, in lines that are no longer than the row is high."""
    return textwrap.fill(_legible(panel.row), ROW_LETTERS, break_long_words=False, break_on_hyphens=False)


def draw_heat(
    panel: HeatPanel, ax: Axes, style: Style, places: Sequence[tuple[int, int]], bar: bool
) -> None:  # fmt: skip
    """Rows p from 0.1 at the top, columns q from 1.0; `bar` puts the colour bar beside the panels.

    The clean style's colours follow the root of the index, so that small values differ as well.
    """
    norm = PowerNorm(0.5 if style.clean else 1.0, *panel.limits)
    image = ax.imshow(panel.values, cmap=style.colour_map, norm=norm, aspect="auto", interpolation="nearest")
    row, column = panel.place
    if not style.clean and row == 0:
        ax.set_title(panel.title, fontsize=style.font)
    ax.set_xticks(range(0, len(panel.q), 2), [f"{q:.1f}" for q in panel.q[::2]])
    ax.set_yticks(range(0, len(panel.p), 3), [f"{p:.1f}" for p in panel.p[::3]])
    ax.tick_params(labelsize=style.small_font)
    lowest = max(r for r, c in places if c == column) == row
    ax.set_xlabel("q" if lowest else "", fontsize=style.font)
    leftmost = min(c for r, c in places if r == row) == column
    method = row_label(panel) if column == 1 else ""
    label = "\n".join(filter(None, [method, "p" if leftmost else ""]))
    ax.set_ylabel(label, fontsize=style.small_font if method else style.font)
    ax.tick_params(labelbottom=lowest, labelleft=leftmost)
    if bar and isinstance(ax.figure, Figure):
        boxes, inches = [other.get_position() for other in ax.figure.axes], ax.figure.get_size_inches()[0]
        low, high = min(box.y0 for box in boxes), max(box.y1 for box in boxes)
        beside = ax.figure.add_axes((ax.get_position().x1 + BAR_GAP / inches, low, BAR_WIDTH / inches, high - low))
        colours = ax.figure.colorbar(image, cax=beside)
        colours.ax.tick_params(labelsize=style.small_font)
        colours.ax.set_title("PQ Index", fontsize=style.small_font)
