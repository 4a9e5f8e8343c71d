"""Curves to be: a series of the paper with the runs a study has of it."""

from collections.abc import Iterable
from dataclasses import dataclass

from src.figures.records import Run, Study
from src.figures.series import Series


@dataclass(frozen=True)
class Line:
    """Slot in the style, name in the legend, one run per seed."""

    slot: str
    label: str
    runs: tuple[Run, ...]


def lines_of(study: Study, scope: str, series: Iterable[Series]) -> tuple[Line, ...]:
    """One line for each series that the study has runs of."""
    lines = (Line(s.slot, s.label, study.series(scope, s.method)) for s in series)
    return tuple(line for line in lines if line.runs)


def seeds_of(lines: Iterable[Line]) -> tuple[int, ...]:
    """All seeds of the lines, ordered."""
    return tuple(sorted({run.seed for line in lines for run in line.runs}))
