"""Curves with their errors over seeds, the published ones behind them, and the axes that fit them."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter

from src.analysis.figures.spec import Curve, CurvePanel, FigureSpec
from src.analysis.figures.style import Style

PUBLISHED_ALPHA = 0.4
PUBLISHED_LABEL = "published (pale)"
MARGIN = 0.04
"""Share of the range, of the decades on a log axis, left free beyond the outermost points."""
FEW_DECADES, MANY_DECADES = 1.7, 4.5
"""Below the first, 2 and 5 are labelled as well; above the second, every other power of ten."""


def draw_curves(panel: CurvePanel, ax: Axes, style: Style, alike: Sequence[CurvePanel]) -> None:
    """One panel: curves, labels, grid, limits, and its own legend where the style wants it inside.

    `alike` are the panels of the row that show the same quantity, this one included.
    """
    for curve in panel.published:
        _draw_published(curve.above_zero(_log_axis(panel, style)), ax, style)
    for curve in panel.curves:
        _draw_curve(replace(curve, error=curve.error * panel.bar_scale), ax, style)
    ax.set_xlabel(style.label(panel.x_label), fontsize=style.font)
    ax.set_ylabel(style.label(panel.y_label), fontsize=style.font)
    if panel.title:
        ax.set_title(panel.title, fontsize=style.font)
    ax.tick_params(labelsize=style.tick_font)
    ax.grid(True)
    _fit_axes(panel, ax, style, alike)
    if panel.legend and not style.clean:
        ax.legend(loc=panel.legend, fontsize=style.small_font)


def legend_handles(spec: FigureSpec, axes: Sequence[Axes]) -> list[Artist]:
    """One handle per label of any panel, and one for the published curves where there are any."""
    found = [pair for ax in axes for pair in zip(*ax.get_legend_handles_labels(), strict=True)]
    handles = list({label: handle for handle, label in reversed(found)}.values())[::-1]
    if spec.has_published:
        handles.append(Line2D([], [], color="#888888", alpha=PUBLISHED_ALPHA, linewidth=3.5, label=PUBLISHED_LABEL))
    return handles if len(handles) > 1 or spec.kind == "run" else []


def _draw_curve(curve: Curve, ax: Axes, style: Style) -> None:
    stroke = style.stroke(curve.slot)
    if not style.clean:
        bars = ax.errorbar(
            curve.x, curve.y, yerr=curve.error, color=stroke.colour, linestyle=stroke.line, marker=stroke.marker,
            label=curve.label,
        )  # fmt: skip
        bars.lines[0].set_zorder(2.5)
        return
    if np.any(curve.error > 0):
        low, high = curve.y - curve.error, curve.y + curve.error
        ax.fill_between(curve.x, low, high, color=stroke.colour, alpha=0.2, linewidth=0)
    ax.plot(
        curve.x, curve.y, color=stroke.colour, linestyle=stroke.line, marker=stroke.marker, label=curve.label,
        linewidth=style.line_width, markersize=style.marker_size * (1.35 if stroke.hollow else 1.0),
        markerfacecolor="none" if stroke.hollow else stroke.colour, markeredgewidth=0.6 * stroke.hollow,
    )  # fmt: skip


def _draw_published(curve: Curve, ax: Axes, style: Style) -> None:
    ax.errorbar(
        curve.x, curve.y, yerr=curve.error, color=style.stroke(curve.slot).colour, alpha=PUBLISHED_ALPHA,
        linewidth=3.4 * style.line_width, elinewidth=0.6 * style.line_width, solid_capstyle="butt", zorder=1.5,
    )  # fmt: skip


def _fit_axes(panel: CurvePanel, ax: Axes, style: Style, alike: Sequence[CurvePanel]) -> None:
    """Log axes for wide ranges of percentages, whole iterations, and the clean style's limits shared by `alike`."""
    shared = [curve for other in alike for curve in (*other.curves, *other.published)]
    spread = _log_axis(panel, style)
    if panel.quantity != "tradeoff":
        ax.xaxis.set_major_locator(MaxNLocator(7, steps=[1, 2, 5, 10], integer=True))
    ax.yaxis.set_major_locator(MaxNLocator(7, steps=[1, 2, 5, 10]))
    if spread:
        _log_percent(ax, spread, shared)
    if panel.y_limits:
        ax.set_ylim(*panel.y_limits)
    elif style.clean and len(alike) > 1 and spread != "y":
        ax.set_ylim(*_padded([c.y - c.error for c in shared], [c.y + c.error for c in shared]))


def _log_axis(panel: CurvePanel, style: Style) -> Literal["", "x", "y"]:
    """The log axis: where the panel asks for one along x, and in the clean style along y."""
    return panel.spread if style.clean or panel.spread == "x" else ""


def _padded(low: Sequence[np.ndarray], high: Sequence[np.ndarray]) -> tuple[float, float]:
    bottom, top = float(np.nanmin(np.concatenate(low))), float(np.nanmax(np.concatenate(high)))
    margin = MARGIN * (top - bottom or 1.0)
    return bottom - margin, top + margin


def _log_percent(ax: Axes, which: Literal["x", "y"], curves: Sequence[Curve]) -> None:
    """A log axis from the smallest positive percentage, or 50, to 100, labelled with plain numbers."""
    values = np.concatenate([getattr(curve.above_zero(which), which) for curve in curves])
    smallest = min(float(values.min(initial=100.0)), 50.0)
    decades = float(np.log10(100 / smallest))
    room = 10 ** (MARGIN * decades)
    axis = ax.yaxis if which == "y" else ax.xaxis
    (ax.set_yscale if which == "y" else ax.set_xscale)("log", nonpositive="clip")
    (ax.set_ylim if which == "y" else ax.set_xlim)(smallest / room, 100 * room)
    few, many = decades < FEW_DECADES, decades > MANY_DECADES
    axis.set_major_locator(LogLocator(base=10, subs=[1.0, 2.0, 5.0] if few else [1.0], numticks=5 if many else 12))
    axis.set_minor_locator(LogLocator(base=10, subs=[1.0] if many else range(2, 10), numticks=100))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axis.set_minor_formatter(NullFormatter())
