"""A figure to be made: what it needs, and how it is built from records once that is known to be there."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from src.figures.readings import Reading
from src.figures.records import Method, Study
from src.figures.records.completeness import Want
from src.figures.series import Series
from src.figures.spec import FigureSpec

OTHERS = 3
"""Slots in a style for methods that are not among the paper's four."""
SCOPES = ("neuron", "layer", "global")


@dataclass(frozen=True, eq=False)
class Plan:
    """`wants` are the scopes and methods that the figure shows; `build` needs at least one run among them.

    compares_readings: shows readings beside each other, whichever is asked for.
    """

    kind: str
    study: Study
    wants: tuple[Want, ...]
    build: Callable[[Reading], FigureSpec]
    compares_readings: bool = False

    @property
    def drawable(self) -> bool:
        """Whether a run that it shows is finished."""
        return any(self.study.series(*want) for want in self.wants)


@dataclass(frozen=True)
class Filter:
    """Scopes and keys of methods to be drawn; None takes all methods."""

    scopes: tuple[str, ...] = SCOPES
    methods: tuple[str, ...] | None = None

    def series(self, series: Sequence[Series], study: Study) -> tuple[Series, ...]:
        """Those whose method is to be drawn, and the study's other methods that were asked for by their keys."""
        if self.methods is None:
            return tuple(series)
        known = [s for s in series if s.method.key in self.methods]
        recorded = {run.method.key: run.method for run in (*study.runs, *study.unfinished)}
        others = [recorded[key] for key in self.methods if key in recorded.keys() - {s.method.key for s in series}]
        return (*known, *(Series(method, method.label, f"other-{i % OTHERS}") for i, method in enumerate(others)))


Planner = Callable[[Study, Filter], list[Plan]]
"""The figures of one kind that a study has runs for."""


def wants(scopes: Sequence[str], methods: Sequence[Method]) -> tuple[Want, ...]:
    """Every method in every scope."""
    return tuple((scope, method) for scope in scopes for method in methods)


def has_any(study: Study, wanted: Sequence[Want]) -> bool:
    """Whether there is a run, finished or not, of any of these."""
    keys = {(scope, method.key) for scope, method in wanted}
    return any((run.scope, run.method.key) in keys for run in (*study.runs, *study.unfinished))
