"""Figures across scopes: accuracy against the weights left (PROTOCOL 6.4; Fig. 3a), and layers (6.5, 6.6; 3b, 3c)."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial

import numpy as np

from src.analysis.figures.plan import (
    METHOD_SERIES,
    TITLES,
    Filter,
    Line,
    Plan,
    Series,
    accuracy_label,
    captions,
    figure,
    has_any,
    lines_of,
    panel,
)  # fmt: skip
from src.analysis.figures.readings import EXCHANGED, Reading, accuracy, overflowed
from src.analysis.figures.spec import PQI, REMAINING, Curve, CurvePanel, FigureSpec
from src.records.method import Method
from src.records.run import FloatArray, Run
from src.records.schema import SCOPES
from src.records.study import Study

MARGIN = 0.05
"""matplotlib's share of the data range left free beyond the outermost points."""
EXCHANGE_NOTE = "As published: the x axes of the neuron-wise and the global panel are exchanged."
MIXED_NOTE = "As published: first, middle and last layer are drawn at different (p, q): "
SAP_SERIES = tuple(s for s in METHOD_SERIES if s.method.kind == "sap")
GRID_SHAPE = (10, 11)


def tradeoffs(kind: str, study: Study, chosen: Filter) -> list[Plan]:
    """`ratio`: one figure where the study compares scopes on a network of several layers."""
    series = chosen.series(METHOD_SERIES, study)
    build = partial(_tradeoff, kind, study, series)
    return [Plan(kind, study, SCOPES, series, build)] if compares_scopes(study, series) else []


def compares_scopes(study: Study, series: Sequence[Series]) -> bool:
    """Whether there are runs in at least two scopes, of a network where scopes differ (more than one layer)."""
    return sum(has_any(study, [scope], series) for scope in SCOPES) > 1 and has_layers(study)


def has_layers(study: Study) -> bool:
    """Whether there is a finished run, of a network with more than one layer."""
    return bool(study.runs) and len(study.runs[0].layers.names) > 1


def _tradeoff(kind: str, study: Study, series: tuple[Series, ...], reading: Reading) -> FigureSpec:
    lines = {scope: lines_of(study, scope, series) for scope in SCOPES}
    panels = [ratio_panel(scope, lines, reading) for scope in SCOPES if lines[scope]]
    limits = _shared_limits([panel.curves for panel in panels], reading)
    panels = [replace(p, y_limits=limits, legend=None if i else "lower right") for i, p in enumerate(panels)]
    notes = [EXCHANGE_NOTE] * (reading.ratio_axes == "published")
    return figure(kind, study, panels, captions()[kind], notes=notes)


def ratio_panel(scope: str, lines: Mapping[str, Sequence[Line]], reading: Reading) -> CurvePanel:
    """Accuracy against percent remaining; `lines` by scope, as the published axes take x from another one."""
    x_scope = EXCHANGED[scope] if reading.ratio_axes == "published" else scope
    along = {line.key: line.mean(lambda run: run.table["percent_remaining"], reading)[0] for line in lines[x_scope]}
    curves = [
        line.curve(line.mean(lambda run: accuracy(run, "retrained", reading), reading), along[line.key])
        for line in lines[scope]
        if line.key in along
    ]
    return CurvePanel(
        tuple(curves), REMAINING, accuracy_label(reading), "tradeoff", scope, title=TITLES[scope],
        spread="x" if reading.ratio_x == "log" else "",
    )  # fmt: skip


def _shared_limits(panels: Sequence[Sequence[Curve]], reading: Reading) -> tuple[float, float]:
    """The paper's y limits, the largest lower and the largest upper one of the panels; all of y on a log x axis."""
    limits = []
    for curves in filter(None, panels):
        low = min(float(np.nanmin(curve.y - curve.error)) for curve in curves)
        high = max(float(np.nanmax(curve.y + curve.error)) for curve in curves)
        limits.append((low - MARGIN * (high - low), high + MARGIN * (high - low)))
    lowest = min if reading.ratio_x == "log" else max
    return lowest(low for low, _ in limits), max(high for _, high in limits)


def plans(kind: str, study: Study, chosen: Filter) -> list[Plan]:
    """`layer` and `si_layer`: one figure per method (SAP, unless others are asked for) run in several scopes."""
    series = [s for s in chosen.series(SAP_SERIES, study) if compares_scopes(study, [s])]
    return [Plan(kind, study, SCOPES, (s,), partial(_layers, kind, study, s.method)) for s in series]


def _layers(kind: str, study: Study, method: Method, reading: Reading) -> FigureSpec:
    runs = {scope: found for scope in SCOPES if (found := study.series(scope, method))}
    panels = [layer_panel(kind, found, scope, method, reading) for scope, found in runs.items()]
    panels[1:] = [replace(panel, legend=None) for panel in panels[1:]]
    notes = _mixed_note(next(iter(runs.values()))[0]) if kind == "si_layer" and reading.si_layer_pq != "fixed" else ()
    return figure(kind, study, panels, captions()[kind], method=method, notes=notes)


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


def _mixed_note(run: Run) -> tuple[str]:
    p, q = run.grid_axes
    count = len(run.layers.names)
    entries = [published_entry(place, count) for place in places(count)]
    return (MIXED_NOTE + ", ".join(f"({p[row]:g}, {q[column]:g})" for _, row, column in entries) + ".",)


def layer_panel(kind: str, runs: tuple[Run, ...], scope: str, method: Method, reading: Reading) -> CurvePanel:
    """First, middle and last layer of one scope."""

    def values(run: Run, place: str, index: int) -> FloatArray:
        if kind == "si_layer" and reading.si_layer_pq == "published":
            layer, row, column = published_entry(place, len(run.layers.names))
            grids, remaining = run.layer_grids("retrained")[:, layer], run.layers["remaining"][:, layer]
            return overflowed(grids, run.grid_axes[0], remaining, reading)[:, row, column]
        return run.layers["percent_remaining" if kind == "layer" else "retrained_pqi"][:, index]

    curves = []
    for place, index in places(len(runs[0].layers.names)).items():
        line = Line(place, f"{place.capitalize()} layer", place, runs)
        curves.append(line.curve(line.mean(partial(values, place=place, index=index), reading)))
    label, name, legend = (
        (REMAINING, "percent_remaining", "upper right") if kind == "layer" else (PQI, "pqi", "lower left")
    )
    return panel(
        curves, label, f"layer_{name}", scope, reading, method=method.short, title=TITLES[scope], legend=legend
    )
