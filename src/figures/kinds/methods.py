"""`prune` and `pruned`: the four methods in one scope (PROTOCOL 6.1, 6.2; Fig. 2)."""

from functools import partial

from src.figures.kinds.lines import lines_of, seeds_of
from src.figures.kinds.rows import pruned_panels, retrained_panels
from src.figures.plan import Filter, Plan, has_any, wants
from src.figures.readings import Reading
from src.figures.records import Study
from src.figures.series import METHOD_SERIES, Series
from src.figures.spec import FigureSpec

CAPTIONS = {
    "prune": "Retrained models after each pruning iteration: accuracy, percent of remaining weights, PQ Index "
    "(p=0.5, q=1.0, over all weights) and Gini index.",
    "pruned": "Pruned models before they are retrained: accuracy and PQ Index (p=0.5, q=1.0, over all weights), and "
    "what the pruning step took away. For One Shot the difference is that between successive pruned models.",
}
PANELS = {"prune": retrained_panels, "pruned": pruned_panels}


def plans(kind: str, study: Study, chosen: Filter) -> list[Plan]:
    """One figure per scope that has a run of any of the four methods."""
    series = chosen.series(METHOD_SERIES, study)
    wanted = {scope: wants([scope], [s.method for s in series]) for scope in chosen.scopes}
    return [
        Plan(kind, study, wanted[scope], partial(_build, kind, study, scope, series))
        for scope in chosen.scopes
        if has_any(study, wanted[scope])
    ]


def _build(kind: str, study: Study, scope: str, series: tuple[Series, ...], reading: Reading) -> FigureSpec:
    lines = lines_of(study, scope, series)
    return FigureSpec(
        kind,
        f"{kind}_{study.name}_{scope}",
        f"{study.setting.text}, {scope} pruning",
        CAPTIONS[kind],
        PANELS[kind](lines, scope, reading),
        seeds_of(lines),
    )
