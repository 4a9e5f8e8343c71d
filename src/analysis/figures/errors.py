"""`errors`: what each of the paper's four reporting errors does, records as measured beside the same as published.

PROTOCOL 7.B: B1 running means of accuracies, B2 exchanged axes, B3 mixed (p, q), B5 error bars a hundred times short.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from src.analysis.figures.kinds import SAP_SERIES, compares_scopes, has_layers, layer_panel, ratio_panel, scopes_of
from src.analysis.figures.plan import (
    CAPTIONS,
    METHOD_SERIES,
    TITLES,
    Filter,
    Plan,
    Series,
    figure,
    lines_of,
    row_of_panels,
)
from src.analysis.figures.readings import CORRECTED, EXCHANGED, Reading
from src.analysis.figures.spec import LABELS, CurvePanel, FigureSpec
from src.analysis.published.curves import visible_bars
from src.records.run import Side
from src.records.schema import SCOPES
from src.records.study import Study

SIDES: tuple[Side, ...] = ("retrained", "pruned")
COMPARED = tuple(scope for scope in SCOPES if EXCHANGED[scope] != scope)
"""The scopes whose axes were exchanged."""
AS_MEASURED = replace(CORRECTED, ratio_x="log")


@dataclass(frozen=True)
class ReportingError:
    """One error, as `captions.yaml` has it."""

    name: str
    caption: str
    reading: Mapping[str, Any]
    at: str
    says: str
    across_scopes: bool = False
    layers: bool = False
    seeds: int = 1
    evidence: str = ""


ERRORS = tuple(ReportingError(name, **values) for name, values in CAPTIONS["errors"].items())


def plans(kind: str, study: Study, chosen: Filter) -> list[Plan]:
    """One figure per error, of global pruning where there is a choice; two need several scopes."""
    found = []
    scopes = scopes_of(study, chosen.scopes)
    for error in ERRORS:
        series = chosen.of(SAP_SERIES[:1] if error.layers else METHOD_SERIES)
        present = [s for s in reversed(SCOPES) if s in scopes and study.has_any([s], [each.method for each in series])]
        if error.across_scopes and not (set(COMPARED) <= set(present) and compares_scopes(study, series)):
            continue
        if not (present and study.setting.iterations) or len(study.seeds) < error.seeds:
            continue
        if error.layers and not has_layers(study):
            continue
        shown = COMPARED if error.across_scopes else (present[0],)
        build = partial(_build, kind, study, error, shown, series)
        found.append(Plan(kind, study, shown, series, build, compares_readings=True))
    return found


def _build(
    kind: str, study: Study, error: ReportingError, scopes: tuple[str, ...], series: tuple[Series, ...], _: Reading
) -> FigureSpec:
    readings = {"measured": AS_MEASURED, "as published": replace(AS_MEASURED, **dict(error.reading))}
    made = [[p for scope in scopes for p in _panels(error.name, study, scope, series, r)] for r in readings.values()]
    panels, notes = [], []
    for pair in zip(*made, strict=True):
        subject = f"{pair[0].title}, " if pair[0].title else ""
        panels += [replace(p, title=f"{subject}{how}", y_limits=None) for p, how in zip(pair, readings, strict=True)]
        theirs = {curve.key: curve for curve in pair[1].curves}
        where = pair[0].title or TITLES[pair[0].scope]
        for ours in (curve for curve in pair[0].curves if curve.key in theirs):
            i = int(np.nanargmax(ours.y)) if error.at == "largest" else {"first": 0, "last": -1}[error.at]
            drawn = {"drawn_y": round(theirs[ours.key].y[i], 8), "drawn_x": theirs[ours.key].x[i]}
            said = error.says.format(y=round(ours.y[i], 6), x=ours.x[i], t=ours.t[i], **drawn)
            notes.append(f"{where}, {ours.label}: {said}")
    if error.evidence:
        remaining, gini = visible_bars("retrained_percent_remaining"), visible_bars("retrained_gini")
        notes.append(error.evidence.format(remaining=remaining, gini=gini))
    scope = "" if error.across_scopes else scopes[0]
    return figure(kind, study, panels, scope, caption=error.caption, error=error.name, notes=notes)


def _panels(error: str, study: Study, scope: str, series: tuple[Series, ...], reading: Reading) -> list[CurvePanel]:
    """The panels of an error in one scope."""
    lines = {where: lines_of(study, where, series) for where in dict.fromkeys((scope, *COMPARED))}
    if error == "running_mean":
        firsts = (row_of_panels(side, lines[scope], scope, reading)[0] for side in SIDES)
        return [replace(panel, title=title) for panel, title in zip(firsts, ("Retrained", "Pruned"), strict=True)]
    if error == "exchanged_axes":
        return [replace(ratio_panel(scope, lines, reading), title=scope.capitalize())]
    if error == "mixed_pq":
        found = {s.method: runs for s in series if (runs := study.series(scope, s.method))}
        panels = [layer_panel("si_layer", runs, scope, method, reading) for method, runs in found.items()]
        return [replace(panel, title=scope.capitalize()) for panel in panels]
    panel = row_of_panels("retrained", lines[scope], scope, reading)[1]
    bars = tuple(replace(c, y=c.error * panel.bar_scale, error=0 * c.error, each=None) for c in panel.curves)
    return [replace(panel, curves=bars, y_label=LABELS["bars"], title="Error bars", quantity="bars", spread="")]
