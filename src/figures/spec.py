"""What a figure shows, as plain data: made from records, drawn by `drawing`, shown on hover by the report."""

from dataclasses import dataclass, field
from typing import Literal

from src.figures.records.run import FloatArray


@dataclass(frozen=True)
class Curve:
    """Mean and error over seeds against x, all [n]; `slot` names its colour, line and marker in a style."""

    label: str
    slot: str
    x: FloatArray
    y: FloatArray
    error: FloatArray


@dataclass(frozen=True)
class CurvePanel:
    """One pair of axes. `spread` asks a style to show several orders of magnitude of x or y."""

    curves: tuple[Curve, ...]
    x_label: str
    y_label: str
    title: str = ""
    legend: str = ""
    y_limits: tuple[float, float] | None = None
    spread: Literal["", "x", "y"] = ""
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
    """A row of panels; `name` is the file's, `notes` are what a reader must know."""

    kind: str
    name: str
    heading: str
    caption: str
    panels: tuple[CurvePanel | HeatPanel, ...]
    seeds: tuple[int, ...] = ()
    notes: tuple[str, ...] = field(default=())
