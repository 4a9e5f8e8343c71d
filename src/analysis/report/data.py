"""Figures as the data that the page's script draws, and their style as its style sheet needs it."""

import colorsys
import math
from collections.abc import Iterable
from typing import Any

import numpy as np

from src.analysis.figures.spec import Curve, CurvePanel, FigureSpec, HeatPanel, style_named
from src.records.run import FloatArray
from src.records.schema import plain

DIGITS = 5
"""Significant digits that the page keeps."""
DARKNESS_KEPT = 0.55
"""On a dark page a colour keeps this share of what it lacks to white, so that colours stay in order."""
_DASHES = {"-": "none", "--": "7 3", "-.": "7 2.5 1.5 2.5", ":": "1.5 2.5"}
_SHAPES = {
    "o": "M-2.4 0A2.4 2.4 0 1 1 2.4 0A2.4 2.4 0 1 1-2.4 0Z",
    "s": "M-2.1-2.1H2.1V2.1H-2.1Z",
    "D": "M0-2.8L2.8 0L0 2.8L-2.8 0Z",
    "^": "M0-2.8L2.7 2H-2.7Z",
    "v": "M0 2.8L2.7-2H-2.7Z",
    "P": "M-1-2.8H1V-1H2.8V1H1V2.8H-1V1H-2.8V-1H-1Z",
    "X": "M-2.4-2.4L0-.8L2.4-2.4L.8 0L2.4 2.4L0 .8L-2.4 2.4L-.8 0Z",
}


def figure_data(spec: FigureSpec) -> dict[str, Any]:
    """One reading of a figure: panels, and what is said about it."""
    return {
        "heading": spec.heading,
        "caption": spec.caption,
        "command": spec.command,
        "notes": [plain(note) for note in spec.notes],
        "columns": spec.shape[1],
        "panels": [_panel(panel) | _place(spec, i) | _shared(spec, i) for i, panel in enumerate(spec.panels)],
    }


def _place(spec: FigureSpec, index: int) -> dict[str, Any]:
    """Row and column of a heat map among several rows of them."""
    is_heat = isinstance(spec.panels[index], HeatPanel)
    return {"place": list(spec.places[index])} if is_heat and spec.shape[0] > 1 else {}


def _shared(spec: FigureSpec, index: int) -> dict[str, Any]:
    """The limits of y that panels of one quantity share, where none are given."""
    own = spec.panels[index]
    if isinstance(own, HeatPanel) or own.y_limits or own.spread == "y":
        return {}
    alike = [p for p in spec.panels if isinstance(p, CurvePanel) and p.quantity == own.quantity]
    curves = [curve for panel in alike for curve in (*panel.curves, *panel.published)]
    if len(alike) == 1 or not curves:
        return {}
    low = min(float(np.nanmin(curve.y - curve.error)) for curve in curves)
    high = max(float(np.nanmax(curve.y + curve.error)) for curve in curves)
    room = 0.05 * (high - low or 1.0)
    return {"limits": [low - room, high + room]}


def numbers(values: Iterable[float] | FloatArray) -> list[float | None]:
    """Rounded to DIGITS; None where there is no number.

    >>> numbers([1.0, 0.123456789, float("nan")])
    [1, 0.12346, None]
    """
    rounded = [float(f"{value:.{DIGITS}g}") for value in values]
    return [None if not math.isfinite(v) else int(v) if v.is_integer() else v for v in rounded]


def _panel(panel: CurvePanel | HeatPanel) -> dict[str, Any]:
    if isinstance(panel, HeatPanel):
        limits = list(panel.limits) if np.isfinite(panel.limits).all() else [0, 1]
        values = [numbers(row) for row in panel.values]
        title = f"{panel.row}, {panel.title}" if panel.row and panel.place != (0, 0) else panel.title
        return {"title": title, "values": values, "p": numbers(panel.p), "q": numbers(panel.q), "limits": limits}
    along = panel.against_weights
    data: dict[str, Any] = {
        "xl": panel.x_label, "yl": panel.y_label, "log": panel.spread,
        "curves": [_curve(curve, along) for curve in panel.curves],
    }  # fmt: skip
    optional = {
        "title": panel.title,
        "limits": list(panel.y_limits) if panel.y_limits and np.isfinite(panel.y_limits).all() else None,
        "published": [_curve(curve.above_zero(panel.spread), along) for curve in panel.published],
        "bars": panel.bar_scale if panel.bar_scale != 1 else None,
        "x2d": along,
        "xlim": list(panel.x_limits) if panel.x_limits else None,
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


def slot_looks() -> list[dict[str, Any]]:
    """A class of the style sheet for every slot of the default style; `dash` is CSS, `shape` an SVG path."""
    return [
        {
            "name": css_name(slot), "light": s.colour, "dark": on_dark(s.colour), "hollow": s.hollow,
            "shape": _SHAPES[s.marker],
            "dash": _DASHES[s.line] if isinstance(s.line, str) else " ".join(f"{1.6 * part:g}" for part in s.line[1]),
        }
        for slot, s in style_named("default").strokes.items()
    ]  # fmt: skip


def css_name(slot: str) -> str:
    """A slot of the style as the name of a class.

    >>> css_name("sap-0.5-1-0-1")
    'sap-0_5-1-0-1'
    """
    return slot.replace(".", "_")


def on_dark(colour: str) -> str:
    """The colour, made light enough for a dark page.

    >>> on_dark("#222222"), on_dark("#ffffff")
    ('#858585', '#ffffff')
    """
    hue, lightness, saturation = colorsys.rgb_to_hls(*(int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)))
    return _hexadecimal(colorsys.hls_to_rgb(hue, 1 - DARKNESS_KEPT * (1 - lightness), saturation))


def _hexadecimal(rgb: Iterable[float]) -> str:
    return "#" + "".join(f"{round(255 * float(part)):02x}" for part in rgb)
