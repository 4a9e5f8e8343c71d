"""`errors`: what each of the paper's four reporting errors does, records as measured beside the same as published.

PROTOCOL 7.B: B1 running means of accuracies, B2 exchanged axes, B3 mixed (p, q), B5 error bars a hundred times short.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from src.analysis.figures.kinds.layers import SAP_SERIES, layer_panel
from src.analysis.figures.kinds.panels import TITLES, lines_of, pruned_panels, retrained_panels
from src.analysis.figures.kinds.ratio import compares_scopes, has_layers, ratio_panel
from src.analysis.figures.plan import METHOD_SERIES, Filter, Plan, Series, has_any
from src.analysis.figures.readings import CORRECTED, EXCHANGED, Reading
from src.analysis.figures.spec import Curve, CurvePanel, FigureSpec
from src.analysis.published.curves import visible_bars
from src.records.schema import SCOPES
from src.records.study import Study

BARS = "Std. deviation (points)"
MEASURED, PUBLISHED = "measured", "as published"
COMPARED = tuple(scope for scope in SCOPES if EXCHANGED[scope] != scope)
"""The scopes whose axes were exchanged."""

Panels = Callable[[Study, str, tuple[Series, ...], Reading], list[CurvePanel]]


@dataclass(frozen=True)
class ReportingError:
    """One error: the reading that makes it and nothing else, and how to say what its panels show of a curve.

    across_scopes, layers, seeds: whether it takes several scopes, several layers, and how many seeds, to be seen.
    evidence: what the pictures of the paper say of it.
    """

    name: str
    reading: Reading
    caption: str
    panels: Panels
    says: Callable[[Curve, Curve], str]
    across_scopes: bool = False
    layers: bool = False
    seeds: int = 1
    evidence: Callable[[], str] = str
    series: tuple[Series, ...] = METHOD_SERIES


def plans(kind: str, study: Study, chosen: Filter) -> list[Plan]:
    """One figure per error, of global pruning where there is a choice; two need several scopes."""
    found = []
    for error in ERRORS:
        series = chosen.of(error.series)
        methods = [s.method for s in series]
        present = [s for s in reversed(SCOPES) if s in chosen.scopes and has_any(study, [s], methods)]
        if error.across_scopes and not (set(COMPARED) <= set(present) and compares_scopes(study, series)):
            continue
        if len(study.seeds) < error.seeds or (error.layers and not has_layers(study)):
            continue
        for scope in present[:1]:
            scopes = COMPARED if error.across_scopes else (scope,)
            build = partial(_build, kind, study, error, scope, series)
            found.append(Plan(kind, study, scopes, series, build, compares_readings=True))
    return found


def _build(
    kind: str, study: Study, error: ReportingError, scope: str, series: tuple[Series, ...], _: Reading
) -> FigureSpec:
    scopes = COMPARED if error.across_scopes else (scope,)
    measured = [panel for where in scopes for panel in error.panels(study, where, series, AS_MEASURED)]
    published = [panel for where in scopes for panel in error.panels(study, where, series, error.reading)]
    pairs = list(zip(measured, published, strict=True))
    named = "" if error.across_scopes else f", {scope} pruning"
    return FigureSpec(
        kind,
        f"{kind}_{error.name}_{study.name}" + ("" if error.across_scopes else f"_{scope}"),
        f"{study.setting.text}{named}",
        error.caption,
        tuple(panel for pair in pairs for panel in _titled(*pair)),
        notes=(*(note for pair in pairs for note in _notes(error, *pair)), *filter(None, [error.evidence()])),
        error=error.name,
    )


def _titled(measured: CurvePanel, published: CurvePanel) -> tuple[CurvePanel, CurvePanel]:
    subject = f"{measured.title}, " if measured.title else ""
    return (
        replace(measured, title=f"{subject}{MEASURED}", y_limits=None),
        replace(published, title=f"{subject}{PUBLISHED}", y_limits=None),
    )


def _notes(error: ReportingError, measured: CurvePanel, published: CurvePanel) -> list[str]:
    theirs = {curve.key: curve for curve in published.curves}
    return [
        f"{measured.title or TITLES[measured.scope]}, {ours.label}: {error.says(ours, theirs[ours.key])}"
        for ours in measured.curves
        if ours.key in theirs
    ]


def _accuracies(study: Study, scope: str, series: tuple[Series, ...], reading: Reading) -> list[CurvePanel]:
    lines = lines_of(study, scope, series)
    retrained, pruned = retrained_panels(lines, scope, reading)[0], pruned_panels(lines, scope, reading)[0]
    return [replace(retrained, title="Retrained"), replace(pruned, title="Pruned")]


def _tradeoff(study: Study, scope: str, series: tuple[Series, ...], reading: Reading) -> list[CurvePanel]:
    lines = {where: lines_of(study, where, series) for where in COMPARED}
    return [replace(ratio_panel(scope, lines, reading), title=scope.capitalize())]


def _layers(study: Study, scope: str, series: tuple[Series, ...], reading: Reading) -> list[CurvePanel]:
    found = [(study.series(scope, s.method), s.method) for s in series]
    panels = [layer_panel("si_layer", runs, scope, method, reading) for runs, method in found if runs]
    return [replace(panel, title=scope.capitalize()) for panel in panels]


def _bars(study: Study, scope: str, series: tuple[Series, ...], reading: Reading) -> list[CurvePanel]:
    panel = retrained_panels(lines_of(study, scope, series), scope, reading)[1]
    bars = [replace(c, y=c.error * panel.bar_scale, error=np.zeros_like(c.error)) for c in panel.curves]
    return [replace(panel, curves=tuple(bars), y_label=BARS, title="Error bars", quantity="bars", spread="")]


def _last_y(ours: Curve, theirs: Curve) -> str:
    return f"{ours.y[-1]:.1f} % at T={ours.t[-1]:g}, drawn as {theirs.y[-1]:.1f} %"


def _last_x(ours: Curve, theirs: Curve) -> str:
    return f"{ours.x[-1]:.3g} % of the weights left at T={ours.t[-1]:g}, drawn at {theirs.x[-1]:.3g} %"


def _first_y(ours: Curve, theirs: Curve) -> str:
    return f"PQ Index {ours.y[0]:.3f} at T=0, drawn as {theirs.y[0]:.3f}"


def _largest_bar(ours: Curve, theirs: Curve) -> str:
    largest = int(np.nanargmax(ours.y))
    return f"standard deviation {ours.y[largest]:.2g} points at T={ours.t[largest]:g}, drawn as {theirs.y[largest]:.2g}"


def _bars_in_the_pictures() -> str:
    remaining, gini = visible_bars("retrained_percent_remaining"), visible_bars("retrained_gini")
    return (
        f"Published markers whose error bar can be seen: {remaining[0]} of {remaining[1]} of percent remaining, "
        f"{gini[0]} of {gini[1]} of the Gini index."
    )


AS_MEASURED = replace(CORRECTED, ratio_x="log")
ERRORS: Sequence[ReportingError] = (
    ReportingError(
        "running_mean", replace(AS_MEASURED, accuracy="running_mean"),
        "The paper's accuracies are means over iterations 0..T: a collapse looks like a slow decay, and late "
        "differences between methods are blurred.",
        _accuracies, _last_y,
    ),
    ReportingError(
        "exchanged_axes", replace(AS_MEASURED, ratio_axes="published"),
        "In the paper's Fig. 3a the x axes of neuron-wise and global pruning are exchanged: it flatters SAP "
        "neuron-wise and penalises it globally.",
        _tradeoff, _last_x, across_scopes=True,
    ),
    ReportingError(
        "mixed_pq", replace(AS_MEASURED, si_layer_pq="published"),
        "In the paper's Fig. 3c the layers are drawn at different (p, q), so that they cannot be compared.",
        _layers, _first_y, layers=True, series=SAP_SERIES[:1],
    ),
    ReportingError(
        "short_bars", replace(AS_MEASURED, pr_std="legacy"),
        "In the paper percent remaining is drawn with error bars, standard deviations over seeds, that are a hundred "
        "times too short.",
        _bars, _largest_bar, seeds=2, evidence=_bars_in_the_pictures,
    ),
)  # fmt: skip
