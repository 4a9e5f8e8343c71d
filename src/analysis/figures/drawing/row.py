"""A row of panels on one figure, where everything stands on it, and its files."""

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from src.analysis.figures.drawing.curves import draw_curves, legend_handles
from src.analysis.figures.spec import CurvePanel, FigureSpec, HeatPanel
from src.analysis.figures.style import Style
from src.store.files import replace

PNG_DPI = 300
LEFT, RIGHT, BOTTOM, TOP, GAP, NARROW_GAP = 0.60, 0.12, 0.48, 0.10, 0.74, 0.20
TITLE, COLOUR_BAR, BAR_WIDTH, BAR_GAP = 0.24, 0.62, 0.10, 0.10
"""Inches round and between the panels at a font of 10 points, and what each extra needs."""
CHARACTER = 0.62
"""Width of a digit, in units of the font's size."""
_METADATA: dict[str, dict[str, Any]] = {
    "pdf": {"CreationDate": None, "ModDate": None, "Producer": None, "Creator": None},
    "svg": {"Date": None, "Creator": None},
    "png": {"Software": None},
}


def draw(spec: FigureSpec, style: Style) -> Figure:
    """One pair of axes per panel; the legend stands in a panel (paper) or above the row (default)."""
    with _settings(style):
        figure = Figure(figsize=(style.panel_width * len(spec.panels), style.height))
        FigureCanvasAgg(figure)
        axes = [figure.add_subplot(1, len(spec.panels), i + 1) for i in range(len(spec.panels))]
        for panel, ax in zip(spec.panels, axes, strict=True):
            if isinstance(panel, CurvePanel):
                draw_curves(panel, ax, style, _alike(panel, spec))
        shared = style.clean and _same_quantity(spec)
        _lay_out(spec, figure, axes, style, NARROW_GAP if shared else GAP)
        for panel, ax in zip(spec.panels, axes, strict=True):
            if isinstance(panel, HeatPanel):
                _draw_heat(panel, ax, style, bar=panel is spec.panels[-1])
        for ax in axes[1:] if shared else []:
            ax.set_ylabel("")
            ax.tick_params(axis="y", labelleft=False)
    return figure


def save(figure: Figure, stem: Path, style: Style, formats: Sequence[str]) -> list[Path]:
    """Write `<stem>.<format>` for each format, without dates, each file replaced as a whole; returns the paths."""
    tight: dict[str, Any] = {} if style.clean else {"bbox_inches": "tight", "pad_inches": 0.02}

    def write(part: Path, suffix: str) -> None:
        with _settings(style):
            figure.savefig(part, format=suffix, dpi=PNG_DPI, metadata=_METADATA[suffix], **tight)

    paths = {suffix: stem.with_name(f"{stem.name}.{suffix}") for suffix in formats}
    return [replace(path, partial(write, suffix=suffix)) for suffix, path in paths.items()]


@contextmanager
def _settings(style: Style) -> Iterator[None]:
    """matplotlib's own defaults and the style's, whatever the user's matplotlibrc says."""
    with mpl.rc_context():
        own = {key: value for key, value in mpl.rcParamsDefault.items() if not key.startswith("backend")}
        mpl.rcParams.update({**own, **style.rc})
        yield


def _draw_heat(panel: HeatPanel, ax: Axes, style: Style, bar: bool) -> None:
    """Rows p from 0.1 at the top, columns q from 1.0; `bar` puts the colour bar beside the panel."""
    image = ax.imshow(
        panel.values, cmap=style.colour_map, vmin=panel.limits[0], vmax=panel.limits[1], aspect="auto",
        interpolation="nearest",
    )  # fmt: skip
    ax.set_title(panel.title, fontsize=style.font)
    ax.set_xticks(range(0, len(panel.q), 2), [f"{q:.1f}" for q in panel.q[::2]])
    ax.set_yticks(range(0, len(panel.p), 3), [f"{p:.1f}" for p in panel.p[::3]])
    ax.tick_params(labelsize=style.small_font)
    ax.set_xlabel("q", fontsize=style.font)
    ax.set_ylabel("p", fontsize=style.font)
    if bar and isinstance(ax.figure, Figure):
        box, inches = ax.get_position(), ax.figure.get_size_inches()[0]
        beside = ax.figure.add_axes((box.x1 + BAR_GAP / inches, box.y0, BAR_WIDTH / inches, box.height))
        ax.figure.colorbar(image, cax=beside).ax.tick_params(labelsize=style.small_font)


def _alike(panel: CurvePanel, spec: FigureSpec) -> list[CurvePanel]:
    return [other for other in spec.panels if isinstance(other, CurvePanel) and other.quantity == panel.quantity]


def _same_quantity(spec: FigureSpec) -> bool:
    """Whether all panels can share their axes."""
    return len({panel.quantity if isinstance(panel, CurvePanel) else "heat" for panel in spec.panels}) == 1


def _lay_out(spec: FigureSpec, figure: Figure, axes: Sequence[Axes], style: Style, gap: float) -> None:
    width, height = figure.get_size_inches()
    heat = isinstance(spec.panels[-1], HeatPanel)
    handles = [] if heat or not style.clean else legend_handles(spec, axes)
    scale = style.font / 10
    one_row, legend = _legend(figure, handles, style) if handles else (0.0, 0.0)
    height += legend - one_row
    figure.set_size_inches(width, height)
    top = (TOP + TITLE * any(panel.title for panel in spec.panels)) * scale + legend
    more = _room_for_long_tick_labels(axes, style.tick_font)
    left, right = LEFT * scale + more, (RIGHT + COLOUR_BAR * heat) * scale
    gap = gap * scale + more * (gap == GAP)
    panel = (width - left - right - gap * (len(axes) - 1)) / len(axes)
    figure.subplots_adjust(
        left=left / width,
        right=1 - right / width,
        bottom=BOTTOM * scale / height,
        top=1 - top / height,
        wspace=gap / panel,
    )


def _room_for_long_tick_labels(axes: Sequence[Axes], size: float) -> float:
    """Inches that the widest y tick label, of this size in points, needs beyond one of four characters."""
    ticks = [(ax.yaxis.get_major_formatter(), ax.yaxis.get_majorticklocs()) for ax in axes]
    widest = max(len(text) for formatter, at in ticks for text in formatter.format_ticks(list(at)))
    return max(0, widest - 4) * CHARACTER * size / 72


def _legend(figure: Figure, handles: Sequence[Artist], style: Style) -> tuple[float, float]:
    """A legend above the panels in as many rows as it needs; the height of one row, and of all, in inches."""
    labels = [str(handle.get_label()) for handle in handles]
    heights = []
    for rows in range(1, len(handles) + 1):
        legend = figure.legend(
            handles, labels, loc="upper center", ncols=math.ceil(len(handles) / rows), frameon=False,
            fontsize=style.small_font, borderaxespad=0.15, handlelength=2.4, handletextpad=0.6, columnspacing=1.6,
        )  # fmt: skip
        box = legend.get_window_extent()
        heights.append(box.height / figure.dpi)
        if box.width <= figure.bbox.width:
            break
        legend.remove()
    return heights[0], heights[-1]
