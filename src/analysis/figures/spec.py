"""What a figure shows, as plain data: made from records, drawn by `drawing`, compared with the published curves.

And how it is to look: the styles in `styles/`, `default`, safe for colour-blind readers, and `paper`, the authors'
(PROTOCOL 6.0).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from itertools import compress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from src.errors import UserError
from src.files import read_yaml

if TYPE_CHECKING:
    from src.records.run import FloatArray
    from src.records.study import Setting

Spread = Literal["", "x", "y"]
LegendPlace = Literal["best", "lower left", "lower right", "upper right"]
ITERATION = "Iteration"
FEW_SEEDS, FEW_WEIGHTS = 5, 100
"""The most seeds that are drawn one by one; a network with fewer weights is hardly one any more."""
LABELS = {
    "accuracy": "Accuracy (%)", "percent_remaining": "Remaining weights (%)", "pqi": "PQ Index", "gini": "Gini index",
    "accuracy_difference": "Accuracy drop (points)", "pqi_difference": "PQ Index drop",
    "running_mean": "Mean accuracy 0..T (%)", "bars": "Std. deviation (points)",
}  # fmt: skip
"""What axes are called, by what they show."""
NAMES = {
    "fashion_mnist": "Fashion-MNIST", "mnist": "MNIST", "cifar10": "CIFAR-10", "cifar100": "CIFAR-100", "svhn": "SVHN",
    "tiny_imagenet": "Tiny ImageNet", "linear": "linear network", "mlp": "MLP", "cnn": "CNN", "resnet18": "ResNet-18",
    "resnet50": "ResNet-50", "wresnet28x8": "WRN-28-8",
}  # fmt: skip
"""Data sets and models as they are written; others by their short names."""


@dataclass(frozen=True)
class Curve:
    """Mean and error of y over `seeds` against x at iterations t, all [n].

    A published curve has reading errors and no seeds.
    `key` is the method's short name or the layer's place; `slot` names colour, line and marker in a style.
    each: y of every seed, [seeds, n]; few_from: the iteration from which the network has fewer than FEW_WEIGHTS;
    cut: readings end with the last point, as the published axes do.
    """

    label: str
    slot: str
    key: str
    t: FloatArray
    x: FloatArray
    y: FloatArray
    error: FloatArray
    seeds: tuple[int, ...] = ()
    x_error: float = 0.0
    each: FloatArray | None = None
    few_from: float = math.inf
    cut: bool = False

    @property
    def singles(self) -> FloatArray | None:
        """The seeds' own y, where there are several and few enough to be drawn."""
        return self.each if self.each is not None and 1 < len(self.each) <= FEW_SEEDS else None

    def above_zero(self, axis: Spread) -> Curve:
        """The points that a log axis can show; of published ones those that can be told from zero."""
        if not axis:
            return self
        published_error = self.x_error if axis == "x" else self.error * (not self.seeds)
        kept = getattr(self, axis) > published_error
        return replace(self, **{name: getattr(self, name)[kept] for name in ("t", "x", "y", "error")})


def ends(curves: Sequence[Curve]) -> tuple[float, float]:
    """Least and largest y that curves are drawn at: with their errors, and those of single seeds; 0 and 1 of none."""
    parts = [part for c in curves for part in (c.y - c.error, c.y + c.error, c.singles) if part is not None]
    y = np.concatenate([np.ravel(part) for part in parts])
    y = y[np.isfinite(y)]
    return (float(y.min()), float(y.max())) if y.size else (0.0, 1.0)


@dataclass(frozen=True)
class CurvePanel:
    """One pair of axes; `spread` asks for an axis that shows several orders of magnitude.

    `zoom`: an enlarged part of another panel of the figure, in the clean style alone.

    `bar_scale` is what errors are multiplied with when they are drawn.
    `quantity`, `scope` and, for panels of layers, `method` say what is shown, in the terms of the published curves.
    """

    curves: tuple[Curve, ...]
    x_label: str
    y_label: str
    quantity: str
    scope: str
    method: str = ""
    title: str = ""
    legend: LegendPlace | None = None
    y_limits: tuple[float, float] | None = None
    spread: Spread = ""
    bar_scale: float = 1.0
    published: tuple[Curve, ...] = ()
    zoom: bool = False
    x_limits: tuple[float, float] | None = None

    @property
    def against_weights(self) -> bool:
        """Whether x is what is left instead of the iteration."""
        return self.x_label != ITERATION

    @property
    def in_points(self) -> bool:
        """Whether y is an accuracy, or a difference of two."""
        return "accuracy" in self.quantity or self.quantity == "tradeoff"


@dataclass(frozen=True)
class HeatPanel:
    """PQ Index over the grid, [10, 11], in the colour range `limits`; `row` names the row of the figure it is in."""

    values: FloatArray
    p: FloatArray
    q: FloatArray
    title: str
    limits: tuple[float, float]
    row: str = ""
    place: tuple[int, int] = (0, 0)


@dataclass(frozen=True)
class FigureSpec:
    """Panels in a row, or in several; `name` is the file's, `notes` are what a reader must know, `command` draws it.

    title: data set, model, scope, epochs and seeds, for the picture; error: of a figure of the kind `errors`, the name
    of the paper's reporting error. columns: panels in a row, all where it is 0; pale: what the published curves are.
    """

    kind: str
    name: str
    heading: str
    caption: str
    panels: tuple[CurvePanel | HeatPanel, ...]
    notes: tuple[str, ...] = ()
    setting: Setting | None = None
    command: str = ""
    error: str = ""
    title: str = ""
    columns: int = 0
    pale: str = "published (pale)"

    @property
    def places(self) -> list[tuple[int, int]]:
        """Row and column of each panel: heat maps where they say, others one after the other."""
        columns = self.columns or len(self.panels)
        return [p.place if isinstance(p, HeatPanel) else divmod(i, columns) for i, p in enumerate(self.panels)]

    @property
    def shape(self) -> tuple[int, int]:
        """How many rows and columns of panels."""
        rows, columns = zip(*self.places, strict=True)
        return 1 + max(rows), 1 + max(columns)

    def without_enlarged(self) -> FigureSpec:
        """As the paper's style has it."""
        wide = [not getattr(panel, "zoom", False) for panel in self.panels]
        return replace(self, panels=tuple(compress(self.panels, wide)), columns=sum(wide[: self.columns]))

    @property
    def has_published(self) -> bool:
        return any(isinstance(panel, CurvePanel) and panel.published for panel in self.panels)


@dataclass(frozen=True)
class Stroke:
    """Colour, line style and marker of a curve.

    A hollow marker lets one that lies under it be seen, a broad line is seen under others.
    """

    colour: str
    line: Any
    marker: str
    hollow: bool = False
    broad: bool = False


@dataclass(frozen=True)
class Style:
    """Sizes in inches and points; `labels` renames what a panel calls its axes.

    clean: few seeds as thin lines and errors as bands instead of bars, percent remaining on log axes, one legend above
    the row instead of one in the first panel, the same axes for panels that show the same quantity, the caption below.
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
        return self.labels.get(text, text)


STYLES = ("default", "paper")
OTHER_FORMS = (("-", "v"), ("--", "P"), ("-.", "X"))
"""Lines and markers of methods outside the paper."""
OTHERS = 18
"""Slots of a style for these."""
RC = {"svg.hashsalt": "figures", "pdf.fonttype": 42, "path.simplify": False, "font.family": "DejaVu Sans",
      "axes.titley": 1.0}  # fmt: skip
"""matplotlib's settings for all styles."""


@cache
def style_named(name: str) -> Style:
    if name not in STYLES:
        raise UserError(f"style={name} is not known; choose one of {', '.join(STYLES)}")
    settings = read_yaml(Path(__file__).parent / "styles" / f"{name}.yaml")
    strokes = {}
    for slot, (colour, line, marker, *more) in settings.pop("strokes").items():  # dashes are [offset, [lengths]]
        dashes = line if isinstance(line, str) else (line[0], tuple(line[1]))
        strokes[slot] = Stroke(colour, dashes, marker, "hollow" in more, "broad" in more)
    others = settings.pop("others")
    for i in range(OTHERS):  # each of three colours with each line and its marker, then with hollow ones
        strokes[f"other-{i}"] = Stroke(others[i % 3], *OTHER_FORMS[(i % 3 + i // 3) % 3], hollow=i >= OTHERS // 2)
    return Style(name, strokes, rc=RC | settings.pop("rc"), **settings)
