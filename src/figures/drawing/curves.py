"""Curves with their errors over seeds, and the published ones behind them."""

from collections.abc import Sequence

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.container import ErrorbarContainer
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter

from src.figures.spec import Curve, CurvePanel, FigureSpec
from src.figures.style import Stroke, Style

PUBLISHED_ALPHA = 0.4
PUBLISHED_LABEL = "published (pale)"


def draw_curves(panel: CurvePanel, ax: Axes, style: Style) -> None:
    """One panel: curves, labels, grid, limits, and its own legend where the style wants it inside."""
    for curve in panel.published:
        _draw_published(curve, ax, style)
    for curve in panel.curves:
        _draw_curve(curve, ax, style)
    ax.set_xlabel(panel.x_label, fontsize=style.font)
    ax.set_ylabel(panel.y_label, fontsize=style.font)
    if panel.title:
        ax.set_title(panel.title, fontsize=style.font)
    ax.tick_params(labelsize=style.small_font if style.legend_above else style.font)
    ax.grid(True)
    _scale(panel, ax, style)
    if panel.y_limits:
        ax.set_ylim(*panel.y_limits)
    if panel.legend and not style.legend_above:
        ax.legend(loc=panel.legend, fontsize=style.small_font)


def legend_handles(spec: FigureSpec, axes: Sequence[Axes]) -> list[Artist]:
    """One handle per label of the first panel, and one for the published curves where there are any."""
    handles = list(axes[0].get_legend_handles_labels()[0])
    if any(isinstance(panel, CurvePanel) and panel.published for panel in spec.panels):
        handles.append(Line2D([], [], color="#888888", alpha=PUBLISHED_ALPHA, linewidth=5, label=PUBLISHED_LABEL))
    return handles if len(handles) > 1 or spec.kind == "run" else []


def _draw_curve(curve: Curve, ax: Axes, style: Style) -> None:
    stroke = _stroke(curve, style)
    if not style.bands:
        bars: ErrorbarContainer = ax.errorbar(
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
        markersize=style.marker_size, linewidth=style.line_width, markeredgewidth=0,
    )  # fmt: skip


def _draw_published(curve: Curve, ax: Axes, style: Style) -> None:
    ax.errorbar(
        curve.x, curve.y, yerr=curve.error, color=_stroke(curve, style).colour, alpha=PUBLISHED_ALPHA,
        linewidth=3.4 * style.line_width, elinewidth=0.9, solid_capstyle="butt", zorder=1.5,
    )  # fmt: skip


def _stroke(curve: Curve, style: Style) -> Stroke:
    return style.strokes.get(curve.slot, style.strokes[""])


def _scale(panel: CurvePanel, ax: Axes, style: Style) -> None:
    if panel.spread == "y" and style.spread:
        _log_percent(ax, "y", (*panel.curves, *panel.published))
    if panel.spread == "x":
        _log_percent(ax, "x", (*panel.curves, *panel.published))
    elif panel.x_label.startswith("Iteration"):
        ax.xaxis.set_major_locator(MaxNLocator(6, integer=True))


def _log_percent(ax: Axes, which: str, curves: Sequence[Curve]) -> None:
    """A log axis from just below the smallest positive percentage to 100, with plain numbers."""
    values = np.concatenate([getattr(curve, which) for curve in curves])
    smallest = float(values[values > 0].min(initial=100.0))
    axis = ax.yaxis if which == "y" else ax.xaxis
    (ax.set_yscale if which == "y" else ax.set_xscale)("log", nonpositive="clip")
    (ax.set_ylim if which == "y" else ax.set_xlim)(min(smallest / 1.6, 40.0), 135.0)
    axis.set_major_locator(LogLocator(base=10, numticks=12))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axis.set_minor_formatter(NullFormatter())
