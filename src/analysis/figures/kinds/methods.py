"""Rows of panels of one scope: the four methods (PROTOCOL 6.1, 6.2; Fig. 2), or a parameter of SAP varied (6.3)."""

from functools import partial

from src.analysis.figures.kinds.panels import lines_of, pruned_panels, retrained_panels
from src.analysis.figures.plan import METHOD_SERIES, Filter, Plan, Series, has_any
from src.analysis.figures.readings import Reading
from src.analysis.figures.spec import FigureSpec
from src.pruning.method import decimal
from src.records.method import ABLATIONS, Ablation
from src.records.study import Study

CAPTIONS = {
    "prune": "Retrained models after each pruning iteration: accuracy, percent of remaining weights, PQ Index "
    "(p=0.5, q=1.0, over all weights) and Gini index.",
    "pruned": "Pruned models before they are retrained: accuracy and PQ Index (p=0.5, q=1.0, over all weights), and "
    "what the pruning step took away. For One Shot the difference is that between successive pruned models.",
}


def plans(kind: str, study: Study, chosen: Filter) -> list[Plan]:
    """One figure per scope that has a run of any of the methods."""
    series = chosen.series(METHOD_SERIES, study)
    return [
        Plan(kind, study, (scope,), series, partial(_build, kind, study, scope, series, CAPTIONS[kind]))
        for scope in chosen.scopes
        if has_any(study, [scope], [s.method for s in series])
    ]


def ablations(kind: str, study: Study, chosen: Filter) -> list[Plan]:
    """One figure per scope that has runs of the sweep itself, not only of the setting it shares with others."""
    sweep = ABLATIONS[kind]
    series = chosen.of(ablation_series(sweep))
    caption = (
        f"Sparsity-informed Adaptive Pruning with {sweep.letter} varied ({sweep.fixed}); the PQ Index drawn is that at "
        "p=0.5, q=1.0 whatever the run pruned by."
    )
    return [
        Plan(kind, study, (scope,), series, partial(_build, kind, study, scope, series, caption))
        for scope in chosen.scopes
        if has_any(study, [scope], sweep.own)
    ]


def ablation_series(sweep: Ablation) -> tuple[Series, ...]:
    """A curve for each value of the parameter."""
    return tuple(
        Series(method, f"SAP ({sweep.symbol}={decimal(value)})", f"rank-{rank}")
        for rank, (method, value) in enumerate(zip(sweep.methods, sweep.values, strict=True))
    )


def _build(
    kind: str, study: Study, scope: str, series: tuple[Series, ...], caption: str, reading: Reading
) -> FigureSpec:
    lines = lines_of(study, scope, series)
    panels = pruned_panels if kind == "pruned" else retrained_panels
    return FigureSpec(
        kind, f"{kind}_{study.name}_{scope}", f"{study.setting.text}, {scope} pruning", caption,
        panels(lines, scope, reading),
    )  # fmt: skip
