"""A row of panels on one figure, and where everything stands on it."""

from collections.abc import Sequence

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from src.figures.drawing.curves import draw_curves, legend_handles
from src.figures.drawing.heat import draw_heat
from src.figures.spec import CurvePanel, FigureSpec, HeatPanel
from src.figures.style import Style

LEFT, RIGHT, BOTTOM, TOP, GAP = 0.62, 0.12, 0.50, 0.12, 0.68
LEGEND, TITLE, COLOUR_BAR = 0.30, 0.26, 0.62
"""Inches round and between the panels of the default style, and what each extra needs."""


def draw(spec: FigureSpec, style: Style) -> Figure:
    """One pair of axes per panel; the legend stands in a panel (paper) or above the row (default)."""
    with mpl.rc_context(dict(style.rc)):
        figure = Figure(figsize=(style.panel_width * len(spec.panels), style.height))
        FigureCanvasAgg(figure)
        axes = [figure.add_subplot(1, len(spec.panels), i + 1) for i in range(len(spec.panels))]
        for panel, ax in zip(spec.panels, axes, strict=True):
            if isinstance(panel, CurvePanel):
                draw_curves(panel, ax, style)
        _lay_out(spec, figure, axes, style)
        heats = [(panel, ax) for panel, ax in zip(spec.panels, axes, strict=True) if isinstance(panel, HeatPanel)]
        for panel, ax in heats:
            draw_heat(panel, ax, style, bar=panel is spec.panels[-1])
    return figure


def _lay_out(spec: FigureSpec, figure: Figure, axes: Sequence[Axes], style: Style) -> None:
    width, height = figure.get_size_inches()
    heat = isinstance(spec.panels[-1], HeatPanel)
    titled = any(panel.title for panel in spec.panels)
    handles = [] if heat or not style.legend_above else legend_handles(spec, axes)
    scale = style.font / 10
    top = TOP + TITLE * titled + LEGEND * bool(handles)
    left, right = LEFT, RIGHT + COLOUR_BAR * heat
    panel = (width - (left + right + GAP * (len(axes) - 1)) * scale) / len(axes)
    figure.subplots_adjust(
        left=left * scale / width,
        right=1 - right * scale / width,
        bottom=BOTTOM * scale / height,
        top=1 - top * scale / height,
        wspace=GAP * scale / panel,
    )
    if handles:
        labels = [str(handle.get_label()) for handle in handles]
        figure.legend(
            handles, labels, loc="upper center", ncols=len(handles), frameon=False, fontsize=style.small_font,
            borderaxespad=0.15, handlelength=2.6, columnspacing=2.0,
        )  # fmt: skip
