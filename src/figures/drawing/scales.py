"""Scales, limits and ticks of a panel's axes."""

from collections.abc import Sequence
from typing import Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter

from src.figures.spec import Curve, CurvePanel
from src.figures.style import Style

MARGIN = 0.04
"""Share of the range, of the decades on a log axis, left free beyond the outermost points."""
FEW_DECADES, MANY_DECADES = 1.7, 4.5
"""Below the first, 2 and 5 are labelled as well; above the second, every other power of ten."""


def fit_axes(panel: CurvePanel, ax: Axes, style: Style, alike: Sequence[CurvePanel]) -> None:
    """Log axes for wide ranges of percentages, whole iterations, and the clean style's limits shared by `alike`."""
    shared = [curve for other in alike for curve in (*other.curves, *other.published)]
    spread = log_axis(panel, style)
    if panel.quantity != "tradeoff":
        ax.xaxis.set_major_locator(MaxNLocator(7, steps=[1, 2, 5, 10], integer=True))
    ax.yaxis.set_major_locator(MaxNLocator(7, steps=[1, 2, 5, 10]))
    if spread:
        _log_percent(ax, spread, shared)
    if panel.y_limits:
        ax.set_ylim(*panel.y_limits)
    elif style.clean and len(alike) > 1 and spread != "y":
        ax.set_ylim(*_padded([c.y - c.error for c in shared], [c.y + c.error for c in shared]))


def log_axis(panel: CurvePanel, style: Style) -> Literal["", "x", "y"]:
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
