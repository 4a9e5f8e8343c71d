"""What the report shows: findings, tables, figures in both readings, distances, and what is missing."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from src.claims import Finding, examine
from src.figures.command import build, plan_figures
from src.figures.plan import Plan
from src.figures.published.distance import Distance
from src.figures.published.table import distance_rows
from src.figures.readings import READINGS
from src.figures.records import Run, Study, missing
from src.figures.settings import FigureSettings
from src.figures.spec import FigureSpec
from src.tables.results import tables
from src.tables.settings import RecordSettings, choose
from src.tables.table import Table

Readings = dict[str, FigureSpec]
"""A figure in each reading; one that compares them itself is there as `corrected` only."""


@dataclass(frozen=True)
class StudyPart:
    """Tables and figures of one study."""

    study: Study
    tables: tuple[Table, ...]
    figures: tuple[Readings, ...]


@dataclass(frozen=True)
class Content:
    """Everything on the page. `messages` name missing runs and damaged folders, `command` makes the page."""

    runs: tuple[Run, ...]
    findings: tuple[Finding, ...]
    errors: tuple[Readings, ...]
    overlays: tuple[Readings, ...]
    distances: dict[str, tuple[Distance, ...]]
    parts: tuple[StudyPart, ...]
    messages: tuple[str, ...]
    command: str


def gather(settings: RecordSettings) -> Content:
    """Read the records and work everything out. Raises UserError where no run is finished."""
    chosen = choose(settings)
    base = FigureSettings(**{key: value for key, value in vars(settings).items() if key != "destination"})
    plans = [plan for plan in plan_figures(base, chosen.studies, chosen.library) if plan.drawable]
    compared = [plan for plan in plans if plan.compares_readings]
    plain = [plan for plan in plans if not plan.compares_readings]
    overlays = [both for both in _built(plain, replace(base, overlay=True)) if both["corrected"].has_published]
    return Content(
        tuple(run for study in chosen.studies for run in study.runs),
        tuple(examine(chosen.studies)),
        tuple({"corrected": build(plan, base)} for plan in compared),
        tuple(overlays),
        {reading: tuple(distance_rows(both[reading] for both in overlays)) for reading in READINGS},
        tuple(
            StudyPart(study, tuple(tables([study])), tuple(_built([p for p in plain if p.study is study], base)))
            for study in chosen.studies
        ),
        chosen.messages,
        command(settings),
    )


def command(settings: RecordSettings) -> str:
    """The command that makes the page again."""
    given = {key: value for key, value in vars(settings).items() if value != getattr(RecordSettings, key)}
    return " ".join(["python -m src.report", *(f"{key}={value}" for key, value in given.items())])


def _built(plans: Sequence[Plan], base: FigureSettings) -> list[Readings]:
    made = []
    for plan in plans:
        lacking = missing(plan.study, plan.wants)
        settings = replace(base, incomplete="draw" if lacking else "error")
        made.append({name: build(plan, replace(settings, reading=name), lacking) for name in READINGS})
    return made
