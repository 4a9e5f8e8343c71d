"""`ratio`: accuracy against percent of remaining weights, one panel per scope (PROTOCOL 6.4; Fig. 3a)."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial

import numpy as np

from src.analysis.figures.kinds.panels import TITLES, Line, accuracy_label, lines_of
from src.analysis.figures.plan import METHOD_SERIES, Filter, Plan, Series, has_any
from src.analysis.figures.quantities import accuracy
from src.analysis.figures.readings import EXCHANGED, Reading
from src.analysis.figures.spec import REMAINING, Curve, CurvePanel, FigureSpec
from src.records.schema import SCOPES
from src.records.study import Study

MARGIN = 0.05
"""matplotlib's share of the data range left free beyond the outermost points."""
CAPTION = "Accuracy of the retrained models against the weights left, for three scopes of pruning."
EXCHANGE_NOTE = "As published: the x axes of the neuron-wise and the global panel are exchanged."


def plans(kind: str, study: Study, chosen: Filter) -> list[Plan]:
    """One figure where the study compares scopes on a network of several layers."""
    series = chosen.series(METHOD_SERIES, study)
    if not compares_scopes(study, series):
        return []
    return [Plan(kind, study, SCOPES, series, partial(_build, kind, study, series))]


def compares_scopes(study: Study, series: Sequence[Series]) -> bool:
    """Whether there are runs in at least two scopes, of a network where scopes differ (more than one layer)."""
    methods = [s.method for s in series]
    return sum(has_any(study, [scope], methods) for scope in SCOPES) > 1 and has_layers(study)


def has_layers(study: Study) -> bool:
    """Whether there is a finished run, of a network with more than one layer."""
    return bool(study.runs) and len(study.runs[0].layers.names) > 1


def _build(kind: str, study: Study, series: tuple[Series, ...], reading: Reading) -> FigureSpec:
    lines = {scope: lines_of(study, scope, series) for scope in SCOPES}
    panels = [ratio_panel(scope, lines, reading) for scope in SCOPES if lines[scope]]
    limits = _shared_limits([panel.curves for panel in panels], reading)
    panels = [replace(panel, y_limits=limits) for panel in panels]
    return FigureSpec(
        kind,
        f"{kind}_{study.name}",
        study.setting.text,
        CAPTION,
        (replace(panels[0], legend="lower right"), *panels[1:]),
        notes=(EXCHANGE_NOTE,) if reading.ratio_axes == "published" else (),
    )


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
    limits = [_automatic_limits(curves) for curves in panels if curves]
    lowest = min if reading.ratio_x == "log" else max
    return lowest(low for low, _ in limits), max(high for _, high in limits)


def _automatic_limits(curves: Sequence[Curve]) -> tuple[float, float]:
    low = min(float(np.nanmin(curve.y - curve.error)) for curve in curves)
    high = max(float(np.nanmax(curve.y + curve.error)) for curve in curves)
    return low - MARGIN * (high - low), high + MARGIN * (high - low)
