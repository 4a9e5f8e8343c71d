"""Draw a `FigureSpec` with matplotlib: no state, no pyplot, the same bytes every time.

matplotlib is imported here first, without what the environment says of backends: notebooks set `MPLBACKEND` to one
that other processes do not have, and matplotlib refuses to be imported then.
"""

import math
import os
import textwrap
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Literal

import numpy as np

from src import files
from src.analysis.figures.spec import FEW_WEIGHTS, Curve, CurvePanel, FigureSpec, HeatPanel, Spread, Style, ends
from src.records.schema import plain

__all__ = ["draw", "matplotlib", "save"]
_backend = os.environ.pop("MPLBACKEND", None)
try:
    import matplotlib
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.colors import PowerNorm
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D
    from matplotlib.mathtext import MathTextParser
    from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter
finally:
    if _backend is not None:
        os.environ["MPLBACKEND"] = _backend

PIXELS_PER_INCH = 200
LEFT, RIGHT, BOTTOM, TOP, GAP, NARROW_GAP = 0.60, 0.12, 0.48, 0.10, 0.74, 0.28
TITLE, COLOUR_BAR, BAR_WIDTH, BAR_GAP, HEADING = 0.24, 0.62, 0.10, 0.10, 0.26
"""Inches round and between the panels at a font of 10 points, and what each extra needs."""
HEAT_HEIGHT = 0.72
"""Height of a heat map among several rows of them, as a share of a panel's."""
LETTERS = "abcdefghijklmnopqrstuvwxyz"
CHARACTER, LETTER, SMALL_LETTER, LINE = 0.62, 0.64, 0.54, 0.19
"""Width of a digit, of a bold letter and of one below, in units of the font's size; a line's height in inches."""
PUBLISHED_ALPHA, SINGLE_ALPHA, FEW_COLOUR = 0.4, 0.6, "#e6e6e6"
MARKERS = 10
"""About as many of a curve's points are marked, of each curve others: lines and what lies under them are seen."""
LEAST_SPAN = 3.0
"""Points of accuracy that an axis shows at the least: less is hardly more than what seeds differ by."""
MARGIN = 0.04
"""Share of the range, of the decades on a log axis, left free beyond the outermost points."""
FEW_DECADES, MANY_DECADES = 2.1, 4.5
"""Below the first, 2 and 5 are labelled as well; above the second, every other power of ten."""
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
        spec = spec.without_enlarged()
    places, (rows, columns) = spec.places, spec.shape
    seen = [_seen(panel) for panel in spec.panels]
    shared = style.clean and all(seen[i] == seen[i - 1] for i, (_, column) in enumerate(places) if column > 0)
    with _settings(style):
        figure = Figure(figsize=(style.panel_width * columns, style.height))
        FigureCanvasAgg(figure)
        axes = [figure.add_subplot(rows, columns, row * columns + column + 1) for row, column in places]
        for i, (panel, ax) in enumerate(zip(spec.panels, axes, strict=True)):
            if isinstance(panel, CurvePanel):
                _draw_curves(panel, ax, style, _alike(panel, spec.panels))
            if style.clean and len(axes) > 1 and (isinstance(panel, CurvePanel) or panel.place[0] == 0):
                ax.set_title(f"({LETTERS[i]}) {panel.title}", fontsize=style.font, loc="left")
        _lay_out(spec, figure, axes, style, NARROW_GAP if shared else GAP, rows, columns)
        for panel, ax in zip(spec.panels, axes, strict=True):
            if isinstance(panel, HeatPanel):
                _draw_heat(panel, ax, style, places, bar=panel is spec.panels[-1])
        for ax, (_, column) in zip(axes, places, strict=True):
            if shared and column > 0 and not isinstance(spec.panels[0], HeatPanel):
                ax.set_ylabel("")
                ax.tick_params(axis="y", labelleft=False)
    return figure


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


def _draw_curves(panel: CurvePanel, ax: Axes, style: Style, alike: Sequence[CurvePanel]) -> None:
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


def _draw_heat(
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
    method = _legible(panel.row) if column == 1 else ""
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


def _lay_out(
    spec: FigureSpec, figure: Figure, axes: Sequence[Axes], style: Style, gap: float, rows: int, columns: int
) -> None:
    width, height = figure.get_size_inches()
    heat = isinstance(spec.panels[-1], HeatPanel)
    handles: list[Artist] = []
    if style.clean and not heat:  # one for each label of any panel, and one for the published curves
        found = [pair for ax in axes for pair in zip(*ax.get_legend_handles_labels(), strict=True)]
        handles = list({label: handle for handle, label in found}.values())
        if spec.has_published:
            pale: dict[str, Any] = {"color": "#888888", "alpha": PUBLISHED_ALPHA, "linewidth": 3.5}
            handles.append(Line2D([], [], label=spec.pale, **pale))
    scale = style.font / 10
    room = 72 * (width - 2 * RIGHT * scale)
    lines = _wrapped(spec.title, int(room / (LETTER * style.font))) if style.clean else []
    below = textwrap.wrap(_said(spec), int(room / (SMALL_LETTER * style.small_font))) if style.clean else []
    heading = (HEADING + LINE * (len(lines) - 1)) * scale if lines else 0.0
    legend = _legend(figure, handles, style) if len(handles) > 1 else 0.0
    titled = any(ax.get_title("left") or ax.get_title() for ax in axes) or heat
    top = (TOP + TITLE * titled) * scale + legend + heading
    bottom, between = (BOTTOM + LINE * len(below)) * scale, (BOTTOM + TOP + TITLE) * scale
    if style.clean:  # as high as a panel of the style below all that is written, whatever there is of it
        inner = (height - (TOP + BOTTOM) * scale) * (HEAT_HEIGHT if heat and rows > 1 else 1.0)
        between = TITLE * scale if heat else between
    else:
        inner = height - top - bottom if rows == 1 else height - (TOP + TITLE + BOTTOM) * scale
    height = top + bottom + rows * inner + (rows - 1) * between
    figure.set_size_inches(width, height)
    for placed in figure.legends:
        placed.set_bbox_to_anchor((0.5, 1 - heading / height), figure.transFigure)
    if lines:
        figure.text(RIGHT * scale / width, 1 - 0.55 * heading / height, "\n".join(lines), fontsize=style.font,
                    weight="bold", va="center", parse_math=False)  # fmt: skip
    if below:
        figure.text(RIGHT * scale / width, 0.3 * LINE * scale / height, "\n".join(below), fontsize=style.small_font,
                    color="#444444", va="bottom", parse_math=False)  # fmt: skip
    ticks = [(ax.yaxis.get_major_formatter(), ax.yaxis.get_majorticklocs()) for ax in axes]
    widest = max(len(text) for formatter, at in ticks for text in formatter.format_ticks(list(at)))
    more = max(0, widest - 4) * CHARACTER * style.tick_font / 72  # inches for labels of more than four characters
    left, right = LEFT * scale + more, (RIGHT + COLOUR_BAR * heat) * scale
    gap = gap * scale + more * (gap == GAP)
    panel = (width - left - right - gap * (columns - 1)) / columns
    figure.subplots_adjust(
        left=left / width, right=1 - right / width, bottom=bottom / height, top=1 - top / height, wspace=gap / panel,
        hspace=between / inner,
    )  # fmt: skip


def _said(spec: FigureSpec) -> str:
    """What stands below: the caption, and what thin lines, bands and grey are where there are any."""
    panels = [panel for panel in spec.panels if isinstance(panel, CurvePanel)]
    curves = [curve for panel in panels for curve in panel.curves]
    bands = [curve for curve in curves if curve.singles is None and np.any(curve.error > 0)]
    at = ", at the mean's percentages" * any(panel.against_weights for panel in panels)
    said = {
        f"Thin lines: single seeds{at}; others: their means.": any(curve.singles is not None for curve in curves),
        "Bands: standard deviation over seeds.": any(len(curve.seeds) > 1 for curve in bands),
        "Bands: error of reading.": any(len(curve.seeds) == 1 for curve in bands),
        f"Grey behind a curve: fewer than {FEW_WEIGHTS} weights left.": any(c.few_from < math.inf for c in curves),
    }
    return " ".join([plain(spec.caption), *(text for text, there in said.items() if there)])


def _wrapped(title: str, letters: int) -> list[str]:
    """The title in lines of so many letters; what is in its last brackets in a line of its own where it needs two."""
    if len(title) <= letters:
        return [title] * bool(title)
    what, how = title.rsplit(" (", 1) if " (" in title else (title, "")
    return [line for part in (what, f"({how}" if how else "") for line in textwrap.wrap(part, letters)]


def _legend(figure: Figure, handles: Sequence[Artist], style: Style) -> float:
    """A legend above the panels in as many rows as it needs; its height in inches."""
    labels = [str(handle.get_label()) for handle in handles]
    height = 0.0
    for rows in range(1, len(handles) + 1):
        legend = figure.legend(
            handles, labels, loc="upper center", ncols=math.ceil(len(handles) / rows), frameon=False,
            fontsize=style.small_font, borderaxespad=0.15, handlelength=3.4, handletextpad=0.6, columnspacing=1.6,
        )  # fmt: skip
        box = legend.get_window_extent()
        height = box.height / figure.dpi
        if box.width <= figure.bbox.width:
            break
        legend.remove()
    return height
