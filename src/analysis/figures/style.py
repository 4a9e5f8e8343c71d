"""The looks in `styles/`: `default`, safe for colour-blind readers, and `paper`, the authors' (PROTOCOL 6.0)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped]

from src.errors import UserError

NAMES = ("default", "paper")


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


OTHER_FORMS = (("-", "v"), ("--", "P"), ("-.", "X"))
"""Lines and markers of methods outside the paper."""
RC = {"svg.hashsalt": "figures", "pdf.fonttype": 42, "path.simplify": False, "font.family": "DejaVu Sans",
      "axes.titley": 1.0}  # fmt: skip
"""matplotlib's settings for all styles."""


@cache
def style_named(name: str) -> Style:
    """The style `default` or `paper`."""
    if name not in NAMES:
        raise UserError(f"style={name} is not known; choose one of {', '.join(NAMES)}")
    settings = yaml.safe_load((Path(__file__).parent / "styles" / f"{name}.yaml").read_text(encoding="utf-8"))
    strokes = {slot: _stroke(*values) for slot, values in settings.pop("strokes").items()}
    return Style(name, strokes | _others(settings.pop("others")), rc=RC | settings.pop("rc"), **settings)


def _stroke(colour: str, line: Any, marker: str, hollow: str = "") -> Stroke:
    """A line of dashes is given as [offset, [lengths]]."""
    return Stroke(colour, line if isinstance(line, str) else (line[0], tuple(line[1])), marker, bool(hollow))


def _others(colours: Sequence[str]) -> dict[str, Stroke]:
    """Nine strokes for methods outside the paper: each of three colours with each line and its marker."""
    pairs = ((i % 3, (i % 3 + i // 3) % 3) for i in range(9))
    return {f"other-{i}": Stroke(colours[c], *OTHER_FORMS[form]) for i, (c, form) in enumerate(pairs)}
