"""The kinds of figures, records in, `FigureSpec` out.

Of one scope: the four methods (PROTOCOL 6.1, 6.2; Fig. 2), a parameter of SAP varied (6.3), PQ Index over (p, q) (6.7).
Across scopes: accuracy against the weights left (6.4; Fig. 3a), and layers (6.5, 6.6; Figs. 3b, 3c).
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial

import numpy as np

from src.analysis.figures import plan as planned
from src.analysis.figures.plan import CAPTIONS, METHOD_SERIES, Filter, Line, Plan, Series, figure, lines_of
from src.analysis.figures.readings import EXCHANGED, Reading, accuracy, overflowed
from src.analysis.figures.spec import LABELS, CurvePanel, FigureSpec, HeatPanel, Spread, ends
from src.pruning.method import decimal
from src.records.method import ABLATIONS, Method
from src.records.run import FloatArray, Run, Side
from src.records.schema import SCOPES
from src.records.study import Study

SHOWN = {30: (0, 10, 20, 30), 15: (0, 4, 8, 15)}
"""T -> the iterations of which the paper shows the PQ Index over (p, q)."""
ZOOM, SMALLEST_ZOOM = 0.12, 1.0
"""Share of the accuracies' range that the trade-off's enlarged panels show; in points, the least worth enlarging."""
MARGIN = 0.05
"""matplotlib's share of the data range left free beyond the outermost points."""
EXCHANGE_NOTE = "As published: the x axes of the neuron-wise and the global panel are exchanged."
MIXED_NOTE = "As published: first, middle and last layer are drawn at different (p, q): "
SAP_SERIES = tuple(s for s in METHOD_SERIES if s.method.kind == "sap")
GRID_SHAPE = (10, 11)


def plans(kind: str, study: Study, chosen: Filter) -> list[Plan]:
    """`prune` and `pruned`: one figure per scope that has a run of any of the methods."""
    series = chosen.series(METHOD_SERIES, study)
    return _per_scope(kind, study, chosen, series, [s.method for s in series], CAPTIONS[kind])


def ablations(kind: str, study: Study, chosen: Filter) -> list[Plan]:
    """`p`, `q`, `eta`, `gamma`: one per scope with runs of the sweep itself, not only of the setting it shares."""
    sweep = ABLATIONS[kind]
    series = chosen.of(
        Series(method, f"SAP ({sweep.symbol}={decimal(value)})", f"rank-{rank}")
        for rank, (method, value) in enumerate(zip(sweep.methods, sweep.values, strict=True))
    )
    caption = CAPTIONS["ablation"].format(letter=sweep.letter, fixed=sweep.fixed)
    return _per_scope(kind, study, chosen, series, sweep.own, caption)


def _per_scope(
    kind: str, study: Study, chosen: Filter, series: tuple[Series, ...], needed: Sequence[Method], caption: str
) -> list[Plan]:
    return [
        Plan(kind, study, (scope,), series, partial(_row, kind, study, scope, series, caption))
        for scope in scopes_of(study, chosen.scopes)
        if study.has_any([scope], needed)
    ]


def scopes_of(study: Study, scopes: Sequence[str] = SCOPES) -> tuple[str, ...]:
    """Those that differ in the study: of a network with one layer, layer-wise pruning is global."""
    return tuple(dict.fromkeys(map(study.scope, scopes)))


def _row(kind: str, study: Study, scope: str, series: tuple[Series, ...], caption: str, reading: Reading) -> FigureSpec:
    side: Side = "pruned" if kind == "pruned" else "retrained"
    panels = planned.row_of_panels(side, lines_of(study, scope, series), scope, reading)
    return figure(kind, study, panels, scope, caption=caption)


def heat_maps(kind: str, study: Study, chosen: Filter) -> list[Plan]:
    """`pq`: PQ Index of the whole network along pruning (PROTOCOL 6.7), one per scope, a row for each method."""
    all_series = chosen.series(METHOD_SERIES, study)
    return [
        Plan(kind, study, (scope,), series, partial(_heat_maps, kind, study, scope, series))
        for scope in scopes_of(study, chosen.scopes)
        if (series := tuple(s for s in all_series if study.has_any([scope], [s.method])))
    ]


def shown(iterations: int) -> tuple[int, ...]:
    """The iterations drawn: those of the paper for T = 30 and 15, else at thirds."""
    return SHOWN.get(iterations, tuple(sorted({round(iterations * part / 3) for part in range(4)})))


def _heat_maps(kind: str, study: Study, scope: str, series: Sequence[Series], reading: Reading) -> FigureSpec:
    """A row of the iterations for each method; iteration 0, where it is the same of all, stands once, in the first."""
    rows = [(s, runs) for s in series if (runs := study.series(scope, s.method))]
    p, q = rows[0][1][0].grid_axes
    iterations = shown(study.setting.iterations)

    def mean(runs: Sequence[Run]) -> FloatArray:
        remaining = [run.table["remaining"][list(iterations)] for run in runs]
        grids = [
            overflowed(r.grids("retrained", iterations), p, n, reading) for r, n in zip(runs, remaining, strict=True)
        ]
        return np.asarray(np.mean(grids, axis=0))

    means = [mean(runs) for _, runs in rows]
    limits = (min(float(grids.min()) for grids in means), max(float(grids.max()) for grids in means))
    once = all(np.allclose(grids[0], means[0][0], atol=1e-6) for grids in means)
    titles = [f"T={t}" + ", all methods" * (t == 0 and once and len(rows) > 1) for t in iterations]
    panels = [
        HeatPanel(grids[i], p, q, titles[i], limits, s.method.text if len(rows) > 1 else "", (row, i))
        for row, ((s, _), grids) in enumerate(zip(rows, means, strict=True))
        for i, t in enumerate(iterations)
        if t > 0 or row == 0 or not once
    ]
    return figure(kind, study, panels, scope, rows[0][0].method if len(rows) == 1 else None)


def tradeoffs(kind: str, study: Study, chosen: Filter) -> list[Plan]:
    """`ratio`: one figure where the study compares scopes."""
    series = chosen.series(METHOD_SERIES, study)
    build = partial(_tradeoff, kind, study, series)
    return [Plan(kind, study, scopes_of(study), series, build)] if compares_scopes(study, series) else []


def compares_scopes(study: Study, series: Sequence[Series]) -> bool:
    """Whether there are runs in at least two scopes that differ, one of them finished."""
    differ = [scope for scope in scopes_of(study) if study.has_any([scope], [s.method for s in series])]
    return bool(study.runs) and len(differ) > 1


def has_layers(study: Study) -> bool:
    """Whether there is a finished run, of a network with more than one layer."""
    return bool(study.runs) and not study.one_layer


def _tradeoff(kind: str, study: Study, series: tuple[Series, ...], reading: Reading) -> FigureSpec:
    scopes = scopes_of(study)
    lines = {scope: lines_of(study, scope, series) for scope in SCOPES}
    panels = [ratio_panel(scope, lines, reading) for scope in scopes if lines[scope]]
    if study.one_layer:
        panels = [replace(p, title=planned.TITLES[p.scope].replace("Global", "Layer = Global")) for p in panels]
    limits = []
    for curves in (each.curves for each in panels if each.curves):
        low, high = ends(curves)
        limits.append((low - MARGIN * (high - low), high + MARGIN * (high - low)))
    # The paper's are the largest lower and the largest upper one of the panels; a log x axis shows all of y.
    lowest = (min if reading.ratio_x == "log" else max)(low for low, _ in limits)
    shared = lowest, max(high for _, high in limits)
    panels = [replace(p, y_limits=shared, legend=None if i else "lower right") for i, p in enumerate(panels)]
    shown = [*panels, *(zoomed(panels) if reading.ratio_x == "log" else [])]
    notes = [EXCHANGE_NOTE] * (reading.ratio_axes == "published")
    return replace(figure(kind, study, shown, notes=notes), columns=len(panels))


def zoomed(panels: Sequence[CurvePanel]) -> list[CurvePanel]:
    """The panels where curves lie on each other: ZOOM of all of y below the dense network; none where that is most."""
    curves = [curve for panel in panels for curve in panel.curves]
    dense = max((float(curve.y[0]) for curve in curves), default=0.0)
    low = dense - ZOOM * (dense - min((float(np.nanmin(curve.y)) for curve in curves), default=dense))
    inside = [curve.x[(curve.y >= low) & (curve.x > 0)] for curve in curves]
    smallest = min((float(x.min()) for x in inside if x.size), default=100.0)
    if dense - low < SMALLEST_ZOOM or not smallest < 100:
        return []
    _, top = ends(curves)
    y_limits, x_limits = (low, top + MARGIN * (top - low)), (smallest, 100.0)
    return [replace(p, zoom=True, legend=None, title="enlarged", y_limits=y_limits, x_limits=x_limits) for p in panels]


def ratio_panel(scope: str, lines: Mapping[str, Sequence[Line]], reading: Reading) -> CurvePanel:
    """Accuracy against percent remaining; `lines` by scope, as the published axes take x from another one."""
    x_scope = EXCHANGED[scope] if reading.ratio_axes == "published" else scope
    along = {line.key: line.left for line in lines[x_scope]}
    curves = [
        line.curve(lambda run: accuracy(run, "retrained", reading), reading, along[line.key])
        for line in lines[scope]
        if line.key in along
    ]
    found = planned.panel(curves, "accuracy", "retrained", scope, reading, title=planned.TITLES[scope])
    spread: Spread = "x" if reading.ratio_x == "log" else ""
    return replace(found, x_label=LABELS["percent_remaining"], quantity="tradeoff", spread=spread)


def layers(kind: str, study: Study, chosen: Filter) -> list[Plan]:
    """`layer` and `si_layer`: one figure per method (SAP, unless others are asked for) run in several scopes."""
    series = [s for s in chosen.series(SAP_SERIES, study) if compares_scopes(study, [s]) and has_layers(study)]
    return [Plan(kind, study, SCOPES, (s,), partial(_layers, kind, study, s.method)) for s in series]


def _layers(kind: str, study: Study, method: Method, reading: Reading) -> FigureSpec:
    runs = {scope: found for scope in SCOPES if (found := study.series(scope, method))}
    panels = [layer_panel(kind, found, scope, method, reading) for scope, found in runs.items()]
    panels[1:] = [replace(each, legend=None) for each in panels[1:]]
    notes = []
    if kind == "si_layer" and reading.si_layer_pq == "published":
        run = next(iter(runs.values()))[0]
        (p, q), count = run.grid_axes, len(run.layers.names)
        entries = [published_entry(place, count) for place in places(count)]
        notes = [MIXED_NOTE + ", ".join(f"({p[row]:g}, {q[column]:g})" for _, row, column in entries) + "."]
    return figure(kind, study, panels, method=method, notes=notes)


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


def layer_panel(kind: str, runs: tuple[Run, ...], scope: str, method: Method, reading: Reading) -> CurvePanel:

    def values(run: Run, place: str, index: int) -> FloatArray:
        if kind == "si_layer" and reading.si_layer_pq == "published":
            layer, row, column = published_entry(place, len(run.layers.names))
            grids, remaining = run.layer_grids("retrained")[:, layer], run.layers["remaining"][:, layer]
            return overflowed(grids, run.grid_axes[0], remaining, reading)[:, row, column]
        return run.layers["percent_remaining" if kind == "layer" else "retrained_pqi"][:, index]

    curves = []
    for place, index in places(len(runs[0].layers.names)).items():
        line = Line(place, f"{place.capitalize()} layer", place, runs)
        curves.append(line.curve(partial(values, place=place, index=index), reading))
    name, legend = ("percent_remaining", "upper right") if kind == "layer" else ("pqi", "lower left")
    return planned.panel(
        curves, name, "layer", scope, reading, method=method.short, title=planned.TITLES[scope], legend=legend
    )
