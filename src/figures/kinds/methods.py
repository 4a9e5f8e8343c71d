"""`prune` and `pruned`: the four methods in one scope (PROTOCOL 6.1, 6.2; Fig. 2)."""

from collections.abc import Callable, Sequence
from functools import partial

from src.figures.kinds.lines import Line, lines_of, seeds_of
from src.figures.kinds.rows import pruned_panels, retrained_panels
from src.figures.plan import Plan
from src.figures.readings import Reading
from src.figures.records import Study
from src.figures.series import FOUR_METHODS, METHOD_SERIES
from src.figures.spec import CurvePanel, FigureSpec

CAPTIONS = {
    "prune": "Retrained models: accuracy, percent of remaining weights, PQ Index (p=0.5, q=1.0, all weights) and "
    "Gini index after each pruning iteration.",
    "pruned": "Pruned models before retraining: accuracy and PQ Index (p=0.5, q=1.0, all weights), and what the "
    "pruning step took away. For One Shot the difference is that between successive pruned models.",
}
PANELS: dict[str, Callable[[Sequence[Line], Reading], tuple[CurvePanel, ...]]] = {
    "prune": retrained_panels,
    "pruned": pruned_panels,
}


def plans(kind: str, study: Study, scopes: Sequence[str]) -> list[Plan]:
    """One figure per scope that has a run of any of the four methods."""
    return [
        Plan(kind, study, tuple((scope, method) for method in FOUR_METHODS), partial(_build, kind, study, scope))
        for scope in scopes
        if any(study.series(scope, method) for method in FOUR_METHODS)
    ]


def _build(kind: str, study: Study, scope: str, reading: Reading) -> FigureSpec:
    lines = lines_of(study, scope, METHOD_SERIES)
    return FigureSpec(
        kind,
        f"{kind}_{study.name}_{scope}",
        f"{study.setting.text}, {scope} pruning",
        CAPTIONS[kind],
        PANELS[kind](lines, reading),
        seeds_of(lines),
    )
