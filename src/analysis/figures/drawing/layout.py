"""Where the panels of a figure stand, and what is written round them: title, legend, caption."""

import math
import textwrap
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from src.analysis.figures.drawing.panels import PUBLISHED_ALPHA, row_label
from src.analysis.figures.spec import FEW_WEIGHTS, CurvePanel, FigureSpec, HeatPanel, Style
from src.records.schema import plain

LEFT, RIGHT, BOTTOM, TOP, GAP, NARROW_GAP = 0.60, 0.12, 0.48, 0.10, 0.74, 0.28
TITLE, COLOUR_BAR, HEADING = 0.24, 0.62, 0.26
"""Inches round and between the panels at a font of 10 points, and what each extra needs."""
HEAT_HEIGHT = 0.72
"""Height of a heat map among several rows of them, as a share of a panel's."""
CHARACTER, LETTER, SMALL_LETTER, LINE = 0.62, 0.64, 0.54, 0.19
"""Width of a digit, of a bold letter and of one below, in units of the font's size; a line's height in inches."""
SAMPLE = 9
"""Letters that a legend's line sample takes the room of."""


def lay_out(
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
    row_labels = [row_label(panel) for panel in spec.panels if isinstance(panel, HeatPanel)]
    besides = max((label.count("\n") for label in row_labels), default=0)
    gap = (gap + LINE * besides) * scale + more * (gap == GAP)
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
    letters = int(figure.bbox.width / figure.dpi * 72 / (SMALL_LETTER * style.small_font)) - SAMPLE
    labels = [textwrap.fill(str(handle.get_label()), letters, break_long_words=False) for handle in handles]
    height = 0.0
    for rows in range(1, len(handles) + 1):
        legend = figure.legend(
            handles, labels, loc="upper center", ncols=math.ceil(len(handles) / rows), frameon=False,
            fontsize=style.small_font, borderaxespad=0.15, handlelength=3.4, handletextpad=0.6, columnspacing=1.6,
        )  # fmt: skip
        box = legend.get_window_extent()
        height = box.height / figure.dpi
        if box.width <= figure.bbox.width or rows == len(handles):
            break
        legend.remove()
    return height
