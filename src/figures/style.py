"""The two looks: `default`, clean and safe for colour-blind readers, and `paper`, the authors' (PROTOCOL 6.0)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from src.errors import UserError


@dataclass(frozen=True)
class Stroke:
    """Colour, line style and marker of a curve."""

    colour: str
    line: Any
    marker: str


@dataclass(frozen=True)
class Style:
    """Sizes in inches and points. `bands` draws errors as shaded bands, `spread` shows wide ranges on a log axis."""

    name: str
    strokes: Mapping[str, Stroke]
    panel_width: float
    height: float
    font: float
    small_font: float
    marker_size: float
    line_width: float
    bands: bool
    spread: bool
    legend_above: bool
    colour_map: str
    rc: Mapping[str, Any]


LOOSELY_DOTTED = (0, (1, 10))
_BLUE, _VERMILION, _GREEN, _ORANGE = "#0072B2", "#D55E00", "#009E73", "#E69F00"
_PURPLE, _SKY, _BLACK = "#CC79A7", "#56B4E9", "#222222"

_DEFAULT_STROKES = {
    "sap-0.5-1-0-1": Stroke(_BLUE, "-", "o"),
    "sap-1-2-0-1": Stroke(_SKY, "--", "s"),
    "lt-0.2": Stroke(_VERMILION, "-.", "^"),
    "os-0.2": Stroke(_ORANGE, ":", "D"),
    "rank-0": Stroke(_BLUE, "-", "o"),
    "rank-1": Stroke(_ORANGE, "--", "s"),
    "rank-2": Stroke(_GREEN, "-.", "^"),
    "rank-3": Stroke(_VERMILION, ":", "D"),
    "rank-4": Stroke(_BLACK, (0, (5, 1, 1, 1, 1, 1)), "v"),
    "first": Stroke(_BLUE, "-", "o"),
    "middle": Stroke(_ORANGE, "--", "s"),
    "last": Stroke(_VERMILION, "-.", "^"),
    "": Stroke(_BLUE, "-", "o"),
}
_PAPER_STROKES = {
    "sap-0.5-1-0-1": Stroke("blue", "-", "o"),
    "sap-1-2-0-1": Stroke("cyan", "--", "s"),
    "lt-0.2": Stroke("red", "-.", "p"),
    "os-0.2": Stroke("orange", ":", "D"),
    "rank-0": Stroke("red", "-", "o"),
    "rank-1": Stroke("orange", "--", "s"),
    "rank-2": Stroke("blue", "-.", "p"),
    "rank-3": Stroke("cyan", ":", "D"),
    "rank-4": Stroke("black", LOOSELY_DOTTED, "H"),
    "first": Stroke("blue", "-", "o"),
    "middle": Stroke("cyan", "--", "s"),
    "last": Stroke("red", "-.", "p"),
    "": Stroke("blue", "-", "o"),
}

_DETERMINISTIC = {"svg.hashsalt": "figures", "pdf.fonttype": 42, "svg.fonttype": "none", "path.simplify": False}
_CLEAN = {
    "font.family": "DejaVu Sans",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": "#444444",
    "axes.linewidth": 0.8,
    "xtick.color": "#444444",
    "ytick.color": "#444444",
    "grid.color": "#dddddd",
    "grid.linewidth": 0.6,
    "axes.axisbelow": True,
}
_PAPER = {"font.family": "DejaVu Sans", "grid.linestyle": "--", "grid.linewidth": 0.5}

STYLES = {
    "default": Style(
        "default", _DEFAULT_STROKES, panel_width=3.1, height=3.0, font=10, small_font=9, marker_size=3.2,
        line_width=1.4, bands=True, spread=True, legend_above=True, colour_map="viridis",
        rc=_DETERMINISTIC | _CLEAN,
    ),
    "paper": Style(
        "paper", _PAPER_STROKES, panel_width=5.0, height=4.0, font=16, small_font=12, marker_size=6,
        line_width=1.5, bands=False, spread=False, legend_above=False, colour_map="viridis",
        rc=_DETERMINISTIC | _PAPER,
    ),
}  # fmt: skip


def style_named(name: str) -> Style:
    """The style `default` or `paper`."""
    if name not in STYLES:
        raise UserError(f"style={name} is not known; choose one of {', '.join(STYLES)}")
    return STYLES[name]
