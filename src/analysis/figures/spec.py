"""What a figure shows, as plain data: made from records, drawn by `drawing`, compared with the published curves."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from src.records.run import FloatArray
    from src.records.study import Setting

LegendPlace = Literal["lower left", "lower right", "upper right"]
ITERATION = "Iteration"
ACCURACY, REMAINING, PQI, GINI = "Accuracy (%)", "Remaining weights (%)", "PQ Index", "Gini index"


@dataclass(frozen=True)
class Curve:
    """Mean and error of y over `seeds` against x at iterations t, all [n].

    A published curve has reading errors and no seeds.
    `key` is the method's short name or the layer's place; `slot` names colour, line and marker in a style.
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

    def above_zero(self, axis: Literal["", "x", "y"]) -> Curve:
        """The points that a log axis can show; of published ones those that can be told from zero."""
        if not axis:
            return self
        published_error = self.x_error if axis == "x" else self.error * (not self.seeds)
        kept = getattr(self, axis) > published_error
        return replace(self, **{name: getattr(self, name)[kept] for name in ("t", "x", "y", "error")})


@dataclass(frozen=True)
class CurvePanel:
    """One pair of axes; `spread` asks for an axis that shows several orders of magnitude.

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
    spread: Literal["", "x", "y"] = ""
    bar_scale: float = 1.0
    published: tuple[Curve, ...] = ()


@dataclass(frozen=True)
class HeatPanel:
    """PQ Index over the grid, [10, 11], in the colour range `limits`."""

    values: FloatArray
    p: FloatArray
    q: FloatArray
    title: str
    limits: tuple[float, float]


@dataclass(frozen=True)
class FigureSpec:
    """A row of panels; `name` is the file's, `notes` are what a reader must know, `command` draws it.

    error: of a figure of the kind `errors`, the name of the paper's reporting error.
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

    @property
    def has_published(self) -> bool:
        """Whether a published curve is behind one of ours."""
        return any(isinstance(panel, CurvePanel) and panel.published for panel in self.panels)
