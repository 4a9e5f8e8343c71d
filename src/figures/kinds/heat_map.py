"""`pq`: PQ Index of the whole network over (p, q) along pruning (PROTOCOL 6.7)."""

from functools import partial

import numpy as np

from src.figures.plan import Filter, Plan, has_any, wants
from src.figures.quantities import overflowed
from src.figures.readings import Reading
from src.figures.records import Method, Study
from src.figures.records.run import FloatArray, Run
from src.figures.series import METHOD_SERIES
from src.figures.spec import FigureSpec, HeatPanel

SHOWN = {30: (0, 10, 20, 30), 15: (0, 4, 8, 15)}
CAPTION = "PQ Index of the retrained network's weights over p and q, mean over seeds, at four pruning iterations."


def plans(kind: str, study: Study, chosen: Filter) -> list[Plan]:
    """One figure per scope and method that has runs."""
    methods = [s.method for s in chosen.series(METHOD_SERIES, study)]
    return [
        Plan(kind, study, wants([scope], [method]), partial(_build, kind, study, scope, method))
        for scope in chosen.scopes
        for method in methods
        if has_any(study, wants([scope], [method]))
    ]


def shown(iterations: int) -> tuple[int, ...]:
    """The iterations drawn: those of the paper for T = 30 and 15, else at thirds."""
    thirds = tuple(sorted({round(iterations * part / 3) for part in range(4)}))
    return SHOWN.get(iterations, thirds)


def _build(kind: str, study: Study, scope: str, method: Method, reading: Reading) -> FigureSpec:
    runs = study.series(scope, method)
    p, q = runs[0].grid_axes
    grids = {t: np.mean([_grid(run, t, reading) for run in runs], axis=0) for t in shown(study.setting.iterations)}
    limits = (min(float(g.min()) for g in grids.values()), max(float(g.max()) for g in grids.values()))
    return FigureSpec(
        kind,
        f"{kind}_{study.name}_{scope}_{method.key}",
        f"{study.setting.text}, {scope} pruning, {method.text}",
        CAPTION,
        tuple(HeatPanel(grid, p, q, f"T={t}", limits) for t, grid in grids.items()),
        tuple(run.seed for run in runs),
    )


def _grid(run: Run, t: int, reading: Reading) -> FloatArray:
    return overflowed(run.grid("retrained", t), run.grid_axes[0], run.table["remaining"][t], reading)
