"""Figures of one scope: the four methods (PROTOCOL 6.1, 6.2), a parameter of SAP varied (6.3), PQ Index over (p, q)."""

from functools import partial

import numpy as np

from src.analysis.figures.plan import (
    METHOD_SERIES,
    Filter,
    Plan,
    Series,
    captions,
    figure,
    has_any,
    lines_of,
    row_of_panels,
)  # fmt: skip
from src.analysis.figures.readings import Reading, overflowed
from src.analysis.figures.spec import FigureSpec, HeatPanel
from src.pruning.method import decimal
from src.records.method import ABLATIONS
from src.records.study import Study

SHOWN = {30: (0, 10, 20, 30), 15: (0, 4, 8, 15)}
"""T -> the iterations of which the paper shows the PQ Index over (p, q)."""


def plans(kind: str, study: Study, chosen: Filter) -> list[Plan]:
    """`prune` and `pruned`: one figure per scope that has a run of any of the methods."""
    series = chosen.series(METHOD_SERIES, study)
    return [
        Plan(kind, study, (scope,), series, partial(_row, kind, study, scope, series, captions()[kind]))
        for scope in chosen.scopes
        if has_any(study, [scope], series)
    ]


def ablations(kind: str, study: Study, chosen: Filter) -> list[Plan]:
    """`p`, `q`, `eta`, `gamma`: one per scope with runs of the sweep itself, not only of the setting it shares."""
    sweep = ABLATIONS[kind]
    every = [
        Series(method, f"SAP ({sweep.symbol}={decimal(value)})", f"rank-{rank}")
        for rank, (method, value) in enumerate(zip(sweep.methods, sweep.values, strict=True))
    ]
    series, own = chosen.of(every), [s for s in every if s.method in sweep.own]
    caption = captions()["ablation"].format(letter=sweep.letter, fixed=sweep.fixed)
    return [
        Plan(kind, study, (scope,), series, partial(_row, kind, study, scope, series, caption))
        for scope in chosen.scopes
        if has_any(study, [scope], own)
    ]


def _row(kind: str, study: Study, scope: str, series: tuple[Series, ...], caption: str, reading: Reading) -> FigureSpec:
    side = "pruned" if kind == "pruned" else "retrained"
    panels = row_of_panels(side, lines_of(study, scope, series), scope, reading)
    return figure(kind, study, panels, caption, scope)


def heat_maps(kind: str, study: Study, chosen: Filter) -> list[Plan]:
    """`pq`: PQ Index of the whole network along pruning (PROTOCOL 6.7), per scope and method that has runs."""
    return [
        Plan(kind, study, (scope,), (s,), partial(_heat_map, kind, study, scope, s))
        for scope in chosen.scopes
        for s in chosen.series(METHOD_SERIES, study)
        if has_any(study, [scope], [s])
    ]


def shown(iterations: int) -> tuple[int, ...]:
    """The iterations drawn: those of the paper for T = 30 and 15, else at thirds."""
    return SHOWN.get(iterations, tuple(sorted({round(iterations * part / 3) for part in range(4)})))


def _heat_map(kind: str, study: Study, scope: str, series: Series, reading: Reading) -> FigureSpec:
    runs = study.series(scope, series.method)
    p, q = runs[0].grid_axes
    grids = {
        t: np.mean([overflowed(r.grid("retrained", t), p, r.table["remaining"][t], reading) for r in runs], axis=0)
        for t in shown(study.setting.iterations)
    }
    limits = (min(float(g.min()) for g in grids.values()), max(float(g.max()) for g in grids.values()))
    panels = [HeatPanel(grid, p, q, f"T={t}", limits) for t, grid in grids.items()]
    return figure(kind, study, panels, captions()[kind], scope, series.method)
