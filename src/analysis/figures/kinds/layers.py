"""`layer` and `si_layer`: first, middle and last layer in the three scopes (PROTOCOL 6.5, 6.6; Figs. 3b, 3c)."""

from functools import partial

import numpy as np

from src.analysis.figures.kinds.panels import TITLES, Line
from src.analysis.figures.kinds.ratio import compares_scopes
from src.analysis.figures.plan import METHOD_SERIES, Filter, Plan, Series
from src.analysis.figures.quantities import MeanStd, bar_scale, overflowed
from src.analysis.figures.readings import Reading
from src.analysis.figures.spec import ITERATION, PQI, REMAINING, CurvePanel, FigureSpec
from src.records.method import Method
from src.records.run import FloatArray, Run
from src.records.schema import SCOPES
from src.records.study import Study

SAP_SERIES = tuple(s for s in METHOD_SERIES if s.method.kind == "sap")
GRID_SHAPE = (10, 11)
CAPTIONS = {
    "layer": "Weights left in the first, middle and last layer of the network.",
    "si_layer": "PQ Index of the first, middle and last layer.",
}
MIXED_NOTE = "As published: first, middle and last layer are drawn at different (p, q): "


def plans(kind: str, study: Study, chosen: Filter) -> list[Plan]:
    """One figure per method (SAP, unless others are asked for) that was run in several scopes."""
    series = [s for s in chosen.series(SAP_SERIES, study) if compares_scopes(study, [s])]
    return [Plan(kind, study, SCOPES, (s,), partial(_build, kind, study, s)) for s in series]


def places(layers: int) -> dict[str, int]:
    """Indices of the first, middle (round half to even of (L-1)/2) and last of L layers.

    >>> places(5), places(2)
    ({'first': 0, 'middle': 2, 'last': 4}, {'first': 0, 'last': 1})
    """
    found = {"first": 0, "middle": round((layers - 1) / 2), "last": layers - 1}
    return {place: i for place, i in found.items() if place != "middle" or 0 < i < layers - 1}


def published_entry(place: str, layers: int) -> tuple[int, int, int]:
    """Layer, row and column of the grid that the paper's script took: it indexed all (layer, p, q) curves.

    >>> published_entry("middle", 5)
    (2, 4, 10)
    """
    count = layers * GRID_SHAPE[0] * GRID_SHAPE[1]
    index = {"first": 0, "middle": round((count - 1) / 2), "last": count - 1}[place]
    layer, row, column = np.unravel_index(index, (layers, *GRID_SHAPE))
    return int(layer), int(row), int(column)


def _build(kind: str, study: Study, series: Series, reading: Reading) -> FigureSpec:
    method = series.method
    present = [scope for scope in SCOPES if study.series(scope, method)]
    panels = [
        layer_panel(kind, study.series(scope, method), scope, method, reading, scope == present[0]) for scope in present
    ]
    return FigureSpec(
        kind,
        f"{kind}_{study.name}_{method.short}",
        f"{study.setting.text}, {method.text}",
        CAPTIONS[kind],
        tuple(panels),
        notes=_notes(kind, study.series(present[0], method)[0], reading),
    )


def _notes(kind: str, run: Run, reading: Reading) -> tuple[str, ...]:
    if kind == "layer" or reading.si_layer_pq == "fixed":
        return ()
    p, q = run.grid_axes
    entries = [published_entry(place, len(run.layers.names)) for place in places(len(run.layers.names))]
    return (MIXED_NOTE + ", ".join(f"({p[row]:g}, {q[column]:g})" for _, row, column in entries) + ".",)


def layer_panel(
    kind: str, runs: tuple[Run, ...], scope: str, method: Method, reading: Reading, first: bool = True
) -> CurvePanel:
    """First, middle and last layer of one scope; the first panel of a row has the legend."""
    curves = []
    for place, index in places(len(runs[0].layers.names)).items():
        line = Line(place, f"{place.capitalize()} layer", place, runs)
        curves.append(line.curve(_values(kind, line, place, index, reading)))
    share = kind == "layer"
    return CurvePanel(
        tuple(curves), ITERATION, REMAINING if share else PQI, "layer_percent_remaining" if share else "layer_pqi",
        scope, method.short, TITLES[scope], ("upper right" if share else "lower left") if first else None,
        spread="y" if share else "", bar_scale=bar_scale(reading) if share else 1.0,
    )  # fmt: skip


def _values(kind: str, line: Line, place: str, index: int, reading: Reading) -> MeanStd:
    if kind == "layer":
        return line.mean(lambda run: run.layers["percent_remaining"][:, index], reading)
    if reading.si_layer_pq == "fixed":
        return line.mean(lambda run: run.layers["retrained_pqi"][:, index], reading)
    return line.mean(lambda run: _mixed(run, place, reading), reading)


def _mixed(run: Run, place: str, reading: Reading) -> FloatArray:
    layer, row, column = published_entry(place, len(run.layers.names))
    grids = run.layer_grids("retrained")[:, layer]
    return overflowed(grids, run.grid_axes[0], run.layers["remaining"][:, layer], reading)[:, row, column]
