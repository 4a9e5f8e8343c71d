"""A figure to be made: what it shows, and how it is built from records once these are known to be there."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from src.analysis.figures.readings import Reading
from src.analysis.figures.spec import FigureSpec
from src.records.library import Condition
from src.records.method import CLASSES, FOUR_METHODS, Method
from src.records.schema import SCOPES
from src.records.study import Study

OTHERS = 9
"""Slots in a style for methods that are not among the paper's four."""


@dataclass(frozen=True)
class Series:
    """One curve: its method, its name in the legend, and its slot in the style.

    guest: of a kind of method that the paper has not, shown beside the paper's where it was run, never needed.
    """

    method: Method
    label: str
    slot: str
    guest: bool = False


METHOD_SERIES = tuple(Series(method, method.label, method.short) for method in FOUR_METHODS)


@dataclass(frozen=True, eq=False)
class Plan:
    """`build` needs at least one finished run of the series in the scopes.

    compares_readings: shows readings beside each other, whichever is asked for.
    """

    kind: str
    study: Study
    scopes: tuple[str, ...]
    series: tuple[Series, ...]
    build: Callable[[Reading], FigureSpec]
    compares_readings: bool = False

    @property
    def conditions(self) -> list[Condition]:
        """What it needs."""
        return _conditions(self.scopes, [s for s in self.series if not s.guest])

    @property
    def guests(self) -> list[Condition]:
        """What it shows as well, as far as it was run."""
        shown = _conditions(self.scopes, [s for s in self.series if s.guest])
        return [condition for condition in shown if self.study.series(*condition)]

    @property
    def drawable(self) -> bool:
        """Whether a run that it shows is finished."""
        return any(self.study.series(*condition) for condition in (*self.conditions, *self.guests))


@dataclass(frozen=True)
class Filter:
    """Scopes and short names of methods to be drawn; None takes the paper's methods and those of other kinds."""

    scopes: tuple[str, ...] = SCOPES
    methods: tuple[str, ...] | None = None

    def of(self, series: Iterable[Series]) -> tuple[Series, ...]:
        """Those whose method is to be drawn."""
        return tuple(s for s in series if self.methods is None or s.method.short in self.methods)

    def series(self, series: Sequence[Series], study: Study) -> tuple[Series, ...]:
        """Those whose method is to be drawn, and the study's other methods: asked for, or of kinds of their own."""
        recorded = {run.method.short: run.method for run in study.all_runs}
        guests = sorted(short for short, method in recorded.items() if method.kind not in CLASSES)
        names = dict.fromkeys(guests if self.methods is None else self.methods)
        others = [recorded[name] for name in names if name in recorded.keys() - {s.method.short for s in series}]
        made = [Series(m, m.label, f"other-{i % OTHERS}", self.methods is None) for i, m in enumerate(others)]
        return _told_apart([*self.of(series), *made])


Planner: TypeAlias = Callable[[str, Study, Filter], list[Plan]]
"""The figures of one kind that a study has runs for."""


def has_any(study: Study, scopes: Sequence[str], methods: Iterable[Method]) -> bool:
    """Whether there is a run, finished or not, of any of the methods in any of the scopes."""
    names = {method.short for method in methods}
    return any(run.scope in scopes and run.method.short in names for run in study.all_runs)


def _conditions(scopes: Sequence[str], series: Sequence[Series]) -> list[Condition]:
    return [(scope, s.method) for scope in scopes for s in series]


def _told_apart(series: Sequence[Series]) -> tuple[Series, ...]:
    """Where classes give two methods the same label, the later one's short name is added to it."""
    labels: set[str] = set()
    made = []
    for s in series:
        made.append(replace(s, label=f"{s.label} [{s.method.short}]") if s.label in labels else s)
        labels.add(s.label)
    return tuple(made)
