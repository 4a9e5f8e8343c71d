"""A figure to be made: what it needs, and how it is built from records once that is known to be there."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from src.figures.readings import Reading
from src.figures.records import Study
from src.figures.records.completeness import Want
from src.figures.spec import FigureSpec


@dataclass(frozen=True)
class Plan:
    """`wants` are the scopes and methods that the figure shows; `build` needs at least one run among them."""

    kind: str
    study: Study
    wants: tuple[Want, ...]
    build: Callable[[Reading], FigureSpec]


Planner = Callable[[Study, Sequence[str]], list[Plan]]
"""The figures of one kind that a study has runs for, in these scopes."""
