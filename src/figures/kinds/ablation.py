"""`p`, `q`, `eta`, `gamma`: one parameter of SAP varied (PROTOCOL 6.3; Figs. 4, 5)."""

from functools import partial

from src.figures.kinds.lines import lines_of, seeds_of
from src.figures.kinds.rows import retrained_panels
from src.figures.plan import Filter, Plan, has_any, wants
from src.figures.readings import Reading
from src.figures.records import Study
from src.figures.series import ABLATIONS, Series
from src.figures.spec import FigureSpec


def plans(kind: str, study: Study, chosen: Filter) -> list[Plan]:
    """One figure per scope that has runs of the sweep itself, not only of the setting it shares with others."""
    sweep = ABLATIONS[kind]
    series = tuple(s for s in sweep.series if chosen.methods is None or s.method.key in chosen.methods)
    return [
        Plan(kind, study, wants([scope], [s.method for s in series]), partial(_build, kind, study, scope, series))
        for scope in chosen.scopes
        if has_any(study, wants([scope], sweep.own))
    ]


def _build(kind: str, study: Study, scope: str, series: tuple[Series, ...], reading: Reading) -> FigureSpec:
    lines, sweep = lines_of(study, scope, series), ABLATIONS[kind]
    return FigureSpec(
        kind,
        f"{kind}_{study.name}_{scope}",
        f"{study.setting.text}, {scope} pruning",
        f"Sparsity-informed Adaptive Pruning with {sweep.letter} varied ({sweep.fixed}); the PQ Index drawn is that at "
        "p=0.5, q=1.0 whatever the run pruned by.",
        retrained_panels(lines, scope, reading),
        seeds_of(lines),
    )
