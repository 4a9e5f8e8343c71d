"""The two looks: `default`, clean and safe for colour-blind readers, and `paper`, the authors' (PROTOCOL 6.0)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from src.errors import UserError


@dataclass(frozen=True)
class Stroke:
    """Colour, line style and marker of a curve; a hollow marker lets one that lies under it be seen."""

    colour: str
    line: Any
    marker: str
    hollow: bool = False


@dataclass(frozen=True)
class Style:
    """Sizes in inches and points; `labels` renames what a panel calls its axes.

    clean: errors as bands instead of bars, percent remaining on log axes, one legend above the row instead of one in
    the first panel, and the same axes for panels that show the same quantity.
    """

    name: str
    strokes: Mapping[str, Stroke]
    panel_width: float
    height: float
    font: float
    small_font: float
    marker_size: float
    line_width: float
    clean: bool
    rc: dict[Any, Any]
    colour_map: str = "viridis"
    labels: Mapping[str, str] = field(default_factory=dict)

    @property
    def tick_font(self) -> float:
        """Size of tick labels: in the paper that of the axes' labels."""
        return self.small_font if self.clean else self.font

    def stroke(self, slot: str) -> Stroke:
        """That of a slot; a single run of a method outside the paper has the first colour."""
        return self.strokes.get(slot, self.strokes["rank-0"])

    def label(self, text: str) -> str:
        """An axis label in this style's words."""
        return self.labels.get(text, text)


_BLUE, _SKY, _VERMILION, _ORANGE = "#0072B2", "#56B4E9", "#D55E00", "#E69F00"
_GREEN, _PURPLE, _BLACK = "#009E73", "#CC79A7", "#222222"
"""Okabe and Ito's palette."""


def _others(*colours: str) -> dict[str, Stroke]:
    """Nine strokes for methods outside the paper: three colours, each with three lines and markers."""
    forms = (("-", "v"), ("--", "P"), ("-.", "X"))
    pairs = ((i, (i % 3 + i // 3) % 3) for i in range(9))
    return {f"other-{i}": Stroke(colours[i % 3], *forms[form]) for i, form in pairs}


_DEFAULT_STROKES = {
    "sap-0.5-1-0-1": Stroke(_BLUE, "-", "o"),
    "sap-1-2-0-1": Stroke(_SKY, "--", "s"),
    "lt-0.2": Stroke(_VERMILION, "-.", "o", hollow=True),
    "os-0.2": Stroke(_ORANGE, ":", "D"),
    "rank-0": Stroke(_BLUE, "-", "o"),
    "rank-1": Stroke(_ORANGE, "--", "s"),
    "rank-2": Stroke(_GREEN, "-.", "^"),
    "rank-3": Stroke(_VERMILION, ":", "D"),
    "rank-4": Stroke(_BLACK, (0, (5, 1, 1, 1, 1, 1)), "v"),
    **_others(_GREEN, _PURPLE, _BLACK),
    "first": Stroke(_BLUE, "-", "o"),
    "middle": Stroke(_ORANGE, "--", "s"),
    "last": Stroke(_VERMILION, "-.", "^"),
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
    "rank-4": Stroke("black", (0, (1, 10)), "H"),
    **_others("green", "magenta", "black"),
    "first": Stroke("blue", "-", "o"),
    "middle": Stroke("cyan", "--", "s"),
    "last": Stroke("red", "-.", "p"),
}
_PAPER_LABELS = {
    "Iteration": "Iteration (T)",
    "Remaining weights (%)": "Percent of Remaining Weights",
    "Accuracy (%)": "Accuracy",
    "Mean accuracy 0..T (%)": "Accuracy",
    "Accuracy drop (points)": "Accuracy Difference",
    "PQ Index drop": "PQ Index Difference",
    "Gini index": "Gini Index",
}

_SHARED = {"svg.hashsalt": "figures", "pdf.fonttype": 42, "path.simplify": False, "font.family": "DejaVu Sans",
           "axes.titley": 1.0}  # fmt: skip
_CLEAN = {
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": "#444444",
    "axes.linewidth": 0.6,
    "axes.labelpad": 2.5,
    "xtick.color": "#444444",
    "ytick.color": "#444444",
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "xtick.minor.width": 0.4,
    "ytick.minor.width": 0.4,
    "xtick.major.size": 2.5,
    "ytick.major.size": 2.5,
    "xtick.minor.size": 1.5,
    "ytick.minor.size": 1.5,
    "xtick.major.pad": 2.5,
    "ytick.major.pad": 2.5,
    "grid.color": "#e2e2e2",
    "grid.linewidth": 0.5,
    "axes.axisbelow": True,
}
_PAPER = {"grid.linestyle": "--", "grid.linewidth": 0.5}

STYLES = {
    "default": Style(
        "default", _DEFAULT_STROKES, panel_width=1.85, height=1.85, font=7.5, small_font=7, marker_size=2.4,
        line_width=1.0, clean=True, rc=_SHARED | _CLEAN,
    ),
    "paper": Style(
        "paper", _PAPER_STROKES, panel_width=5.0, height=4.0, font=16, small_font=12, marker_size=6,
        line_width=1.5, clean=False, rc=_SHARED | _PAPER, labels=_PAPER_LABELS,
    ),
}  # fmt: skip


def style_named(name: str) -> Style:
    """The style `default` or `paper`."""
    if name not in STYLES:
        raise UserError(f"style={name} is not known; choose one of {', '.join(STYLES)}")
    return STYLES[name]
