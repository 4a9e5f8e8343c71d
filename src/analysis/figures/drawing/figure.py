"""Draw a `FigureSpec` with matplotlib: no state, no pyplot, the same bytes every time."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import matplotlib
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from src import files
from src.analysis.figures.drawing.layout import GAP, NARROW_GAP, lay_out
from src.analysis.figures.drawing.panels import draw_curves, draw_heat
from src.analysis.figures.spec import CurvePanel, FigureSpec, HeatPanel, Style

PIXELS_PER_INCH = 200
LETTERS = "abcdefghijklmnopqrstuvwxyz"
_WRITING: dict[str, dict[str, Any]] = {
    "pdf": {"metadata": dict.fromkeys(("CreationDate", "ModDate", "Producer", "Creator"))},
    "png": {"metadata": {"Software": None}},
    "svg": {"metadata": {"Date": None, "Creator": None}},
    "webp": {"pil_kwargs": {"lossless": True}},
}


def draw(spec: FigureSpec, style: Style) -> Figure:
    """One pair of axes per panel; the legend stands in a panel (paper) or above the rows (default).

    The default style says above the legend what the figure is of, and names the panels (a), (b), ...
    """
    if not style.clean:
        spec = _with_legends(spec.without_enlarged())
    places, (rows, columns) = spec.places, spec.shape
    seen = [_seen(panel) for panel in spec.panels]
    shared = style.clean and all(seen[i] == seen[i - 1] for i, (_, column) in enumerate(places) if column > 0)
    with _settings(style):
        figure = Figure(figsize=(style.panel_width * columns, style.height))
        FigureCanvasAgg(figure)
        axes = [figure.add_subplot(rows, columns, row * columns + column + 1) for row, column in places]
        for i, (panel, ax) in enumerate(zip(spec.panels, axes, strict=True)):
            if isinstance(panel, CurvePanel):
                draw_curves(panel, ax, style, _alike(panel, spec.panels))
            if style.clean and len(axes) > 1 and (isinstance(panel, CurvePanel) or panel.place[0] == 0):
                ax.set_title(f"({LETTERS[i]}) {panel.title}", fontsize=style.font, loc="left")
        lay_out(spec, figure, axes, style, NARROW_GAP if shared else GAP, rows, columns)
        for panel, ax in zip(spec.panels, axes, strict=True):
            if isinstance(panel, HeatPanel):
                draw_heat(panel, ax, style, places, bar=panel is spec.panels[-1])
        for ax, (_, column) in zip(axes, places, strict=True):
            if shared and column > 0 and not isinstance(spec.panels[0], HeatPanel):
                ax.set_ylabel("")
                ax.tick_params(axis="y", labelleft=False)
    return figure


def _with_legends(spec: FigureSpec) -> FigureSpec:
    """Where no panel has a legend, the first that shows a curve has one; of a single curve none."""
    curves = [panel for panel in spec.panels if isinstance(panel, CurvePanel)]
    if any(panel.legend for panel in curves) or len({c.label for panel in curves for c in panel.curves}) < 2:
        return spec
    panels: list[CurvePanel | HeatPanel] = []
    named: set[str] = set()
    for panel in spec.panels:
        if isinstance(panel, CurvePanel) and (new := {curve.label for curve in panel.curves} - named):
            named |= new
            panel = replace(panel, legend="best")
        panels.append(panel)
    return replace(spec, panels=tuple(panels))


def _alike(panel: CurvePanel, panels: Sequence[CurvePanel | HeatPanel]) -> list[CurvePanel]:
    """The panels that show the same quantity in the same range, this one included."""
    return [other for other in panels if isinstance(other, CurvePanel) and _seen(other) == _seen(panel)]


def _seen(panel: CurvePanel | HeatPanel) -> tuple[str, bool]:
    """What panels with the same axes have in common."""
    return (panel.quantity, panel.zoom) if isinstance(panel, CurvePanel) else ("heat", False)


def save(figure: Figure, stem: Path, style: Style, formats: Sequence[str]) -> list[Path]:
    """Write `<stem>.<format>` for each format, without dates, each file replaced as a whole; returns the paths."""
    tight: dict[str, Any] = {} if style.clean else {"bbox_inches": "tight", "pad_inches": 0.02}

    def write(part: Path, suffix: str) -> None:
        with _settings(style):
            figure.savefig(part, format=suffix, dpi=PIXELS_PER_INCH, **_WRITING[suffix], **tight)

    paths = {suffix: stem.with_name(f"{stem.name}.{suffix}") for suffix in formats}
    return [files.replace(path, partial(write, suffix=suffix)) for suffix, path in paths.items()]


@contextmanager
def _settings(style: Style) -> Iterator[None]:
    """matplotlib's own defaults and the style's, whatever the user's matplotlibrc says."""
    with matplotlib.rc_context():
        own = {key: value for key, value in matplotlib.rcParamsDefault.items() if not key.startswith("backend")}
        matplotlib.rcParams.update({**own, **style.rc})
        yield
