"""Curves with their errors over seeds, and the published ones behind them."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from src.figures.drawing.scales import fit_axes, log_axis
from src.figures.spec import Curve, CurvePanel, FigureSpec
from src.figures.style import Style

PUBLISHED_ALPHA = 0.4
PUBLISHED_LABEL = "published (pale)"


def draw_curves(panel: CurvePanel, ax: Axes, style: Style, alike: Sequence[CurvePanel]) -> None:
    """One panel: curves, labels, grid, limits, and its own legend where the style wants it inside.

    `alike` are the panels of the row that show the same quantity, this one included.
    """
    for curve in panel.published:
        _draw_published(curve.above_zero(log_axis(panel, style)), ax, style)
    for curve in panel.curves:
        _draw_curve(replace(curve, error=curve.error * panel.bar_scale), ax, style)
    ax.set_xlabel(style.label(panel.x_label), fontsize=style.font)
    ax.set_ylabel(style.label(panel.y_label), fontsize=style.font)
    if panel.title:
        ax.set_title(panel.title, fontsize=style.font)
    ax.tick_params(labelsize=style.tick_font)
    ax.grid(True)
    fit_axes(panel, ax, style, alike)
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
