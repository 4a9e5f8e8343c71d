"""Figures as the data that the page's script draws."""

import math
from collections.abc import Iterable
from typing import Any

import numpy as np

from src.analysis.figures.spec import Curve, CurvePanel, FigureSpec, HeatPanel
from src.analysis.report.look import css_name
from src.records.csv_table import FloatArray
from src.records.method import plain

DIGITS = 5
"""Significant digits that the page keeps."""


def figure_data(spec: FigureSpec) -> dict[str, Any]:
    """One reading of a figure: panels, and what is said about it."""
    return {
        "heading": spec.heading,
        "caption": spec.caption,
        "command": spec.command,
        "notes": [plain(note) for note in spec.notes],
        "panels": [_heat(panel) if isinstance(panel, HeatPanel) else _curves(panel) for panel in spec.panels],
    }


def numbers(values: Iterable[float] | FloatArray) -> list[float | None]:
    """Rounded to DIGITS; None where there is no number.

    >>> numbers([1.0, 0.123456789, float("nan")])
    [1, 0.12346, None]
    """
    return [_rounded(float(value)) for value in values]


def _rounded(value: float) -> float | None:
    if not math.isfinite(value):
        return None
    rounded = float(f"{value:.{DIGITS}g}")
    return int(rounded) if rounded.is_integer() else rounded


def _curves(panel: CurvePanel) -> dict[str, Any]:
    along = panel.quantity == "tradeoff"
    data: dict[str, Any] = {
        "xl": panel.x_label,
        "yl": panel.y_label,
        "log": panel.spread,
        "curves": [_curve(curve, along) for curve in panel.curves],
    }
    optional = {
        "title": panel.title,
        "limits": list(panel.y_limits) if panel.y_limits else None,
        "published": [_curve(curve.above_zero(panel.spread), along) for curve in panel.published],
        "bars": panel.bar_scale if panel.bar_scale != 1 else None,
        "x2d": along,
    }
    return data | {key: value for key, value in optional.items() if value}


def _curve(curve: Curve, along: bool) -> dict[str, Any]:
    """`t` is left out where it is 0, 1, 2, ..., `x` where it is t, `e` where all errors are 0."""
    data: dict[str, Any] = {"l": plain(curve.label), "s": css_name(curve.slot), "y": numbers(curve.y)}
    if not np.array_equal(curve.t, np.arange(len(curve.t))):
        data["t"] = numbers(curve.t)
    if along:
        data["x"] = numbers(curve.x)
    if np.any(curve.error > 0):
        data["e"] = [error or 0 for error in numbers(curve.error)]
    return data


def _heat(panel: HeatPanel) -> dict[str, Any]:
    values = [numbers(row) for row in panel.values]
    return {"title": panel.title, "values": values, "p": numbers(panel.p), "q": numbers(panel.q),
            "limits": list(panel.limits)}  # fmt: skip
