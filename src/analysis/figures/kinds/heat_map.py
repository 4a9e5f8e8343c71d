"""`pq`: PQ Index of the whole network over (p, q) along pruning (PROTOCOL 6.7)."""

from functools import partial

import numpy as np

from src.analysis.figures.plan import METHOD_SERIES, Filter, Plan, Series, has_any
from src.analysis.figures.quantities import overflowed
from src.analysis.figures.readings import Reading
from src.analysis.figures.spec import FigureSpec, HeatPanel
from src.records.run import FloatArray, Run
from src.records.study import Study

SHOWN = {30: (0, 10, 20, 30), 15: (0, 4, 8, 15)}
CAPTION = "PQ Index of the retrained network's weights over p and q, mean over seeds, at four pruning iterations."


def plans(kind: str, study: Study, chosen: Filter) -> list[Plan]:
    """One figure per scope and method that has runs."""
    series = chosen.series(METHOD_SERIES, study)
    return [
        Plan(kind, study, (scope,), (s,), partial(_build, kind, study, scope, s))
        for scope in chosen.scopes
        for s in series
        if has_any(study, [scope], [s.method])
    ]


def shown(iterations: int) -> tuple[int, ...]:
    """The iterations drawn: those of the paper for T = 30 and 15, else at thirds."""
    thirds = tuple(sorted({round(iterations * part / 3) for part in range(4)}))
    return SHOWN.get(iterations, thirds)


def _build(kind: str, study: Study, scope: str, series: Series, reading: Reading) -> FigureSpec:
    runs = study.series(scope, series.method)
    p, q = runs[0].grid_axes
    grids = {t: np.mean([_grid(run, t, reading) for run in runs], axis=0) for t in shown(study.setting.iterations)}
    limits = (min(float(g.min()) for g in grids.values()), max(float(g.max()) for g in grids.values()))
    return FigureSpec(
        kind,
        f"{kind}_{study.name}_{scope}_{series.method.short}",
        f"{study.setting.text}, {scope} pruning, {series.method.text}",
        CAPTION,
        tuple(HeatPanel(grid, p, q, f"T={t}", limits) for t, grid in grids.items()),
    )


def _grid(run: Run, t: int, reading: Reading) -> FloatArray:
    return overflowed(run.grid("retrained", t), run.grid_axes[0], run.table["remaining"][t], reading)
