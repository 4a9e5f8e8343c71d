"""What the report shows: findings, tables, figures in both readings, distances, and what is missing."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, replace
from itertools import count

from src.analysis.claims.catalogue import examine
from src.analysis.claims.finding import Finding
from src.analysis.figures.command import build, plan_figures
from src.analysis.figures.plan import Plan
from src.analysis.figures.readings import READINGS
from src.analysis.figures.spec import FigureSpec
from src.analysis.published.distance import distance_table
from src.analysis.settings import FigureSettings, RecordSettings, choose
from src.analysis.tables.results import tables
from src.analysis.tables.table import Table
from src.config.commands import command
from src.errors import UserError
from src.records.library import missing_runs
from src.records.run import Run
from src.records.study import Study


@dataclass(frozen=True)
class PageFigure:
    """A figure in each reading, and its number on the page; one that compares them itself has `corrected` only."""

    number: int
    readings: dict[str, FigureSpec]

    @property
    def spec(self) -> FigureSpec:
        return self.readings["corrected"]


@dataclass(frozen=True)
class StudyPart:
    """Tables and figures of one study."""

    study: Study
    tables: tuple[Table, ...]
    figures: tuple[PageFigure, ...]


@dataclass(frozen=True)
class Content:
    """Everything on the page. `messages` name missing runs and damaged folders, `commands` make page and tables."""

    runs: tuple[Run, ...]
    findings: tuple[Finding, ...]
    errors: tuple[PageFigure, ...]
    overlays: tuple[PageFigure, ...]
    distances: dict[str, Table]
    parts: tuple[StudyPart, ...]
    messages: tuple[str, ...]
    commands: tuple[str, ...]

    @property
    def figures(self) -> list[PageFigure]:
        """All, in the order of their numbers."""
        return [*self.errors, *self.overlays, *(figure for part in self.parts for figure in part.figures)]


def gather(settings: RecordSettings) -> Content:
    """Read the records and work everything out. Raises UserError where no run is finished."""
    chosen = choose(settings)
    given = {field.name: getattr(settings, field.name) for field in fields(settings) if field.name != "destination"}
    builder = _Builder(FigureSettings(**given))
    plans = [plan for plan in plan_figures(builder.settings, chosen.studies, chosen.library) if plan.drawable]
    compared = [plan for plan in plans if plan.compares_readings]
    plain = [plan for plan in plans if not plan.compares_readings]
    errors = tuple(builder.figures(compared, ["corrected"]))
    overlays = tuple(builder.figures(plain, overlay=True))
    parts = tuple(
        StudyPart(study, tuple(tables([study])), tuple(builder.figures([p for p in plain if p.study is study])))
        for study in chosen.studies
    )
    words = settings.words()
    return Content(
        tuple(run for study in chosen.studies for run in study.runs),
        tuple(examine(chosen.studies)),
        errors,
        overlays,
        {reading: distance_table(figure.readings[reading] for figure in overlays) for reading in READINGS},
        parts,
        (*chosen.messages, *builder.damaged),
        (command("src.report", words), command("src.tables", words)),
    )


class _Builder:
    """Builds and numbers figures; `damaged` says which could not be read."""

    def __init__(self, settings: FigureSettings) -> None:
        self.settings = settings
        self.damaged: dict[str, None] = {}
        self._numbers = count()

    def figures(
        self, plans: Sequence[Plan], readings: Sequence[str] = tuple(READINGS), overlay: bool = False
    ) -> Iterator[PageFigure]:
        """Those that can be built; with `overlay` those that have a published curve behind them."""
        for plan in plans:
            missing = missing_runs(plan.study, plan.conditions)
            settings = replace(self.settings, incomplete="draw" if missing else "error", overlay=overlay)
            missing = () if plan.compares_readings else missing
            try:
                specs = {name: build(plan, replace(settings, reading=name), missing) for name in readings}
            except UserError as error:
                self.damaged[f"left out: {plan.kind} of {plan.study.setting.text}: {error}"] = None
                continue
            if specs["corrected"].has_published or not overlay:
                yield PageFigure(next(self._numbers), specs)
