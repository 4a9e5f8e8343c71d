"""The report: what it shows, put together to one file with style, script and data inside."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, replace
from functools import cache
from importlib.resources import files
from itertools import count, groupby

from jinja2 import Environment, FunctionLoader, StrictUndefined
from markupsafe import Markup

from src.analysis.claims.catalogue import CLAIMS, examine
from src.analysis.claims.finding import Finding, Verdict
from src.analysis.figures.catalogue import build, plan_figures
from src.analysis.figures.plan import Plan
from src.analysis.figures.readings import READINGS
from src.analysis.figures.spec import FigureSpec
from src.analysis.published.distance import distance_table
from src.analysis.report.data import figure_data, heat_colours, slot_looks
from src.analysis.settings import FigureSettings, RecordSettings, choose
from src.analysis.tables.results import tables
from src.analysis.tables.table import Table, shown
from src.config.commands import command
from src.errors import UserError
from src.records.library import missing_runs
from src.records.run import Run
from src.records.study import Study

SCRIPTS = ("scale.js", "panel.js", "page.js")
SAID_BY_HEADINGS = {"results": ("dataset", "model", "study"), "distances": ("dataset", "model", "left_out")}
"""Columns that tables leave out."""


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
    wanted = FigureSettings(**given)
    plans = [plan for plan in plan_figures(wanted, chosen.studies, chosen.library) if plan.drawable]
    numbers = count()
    damaged: dict[str, None] = {}

    def figures(plans: Sequence[Plan], overlay: bool = False) -> Iterator[PageFigure]:
        """Those that can be built; with `overlay` those that have a published curve behind them."""
        for plan in plans:
            missing = missing_runs(plan.study, plan.conditions)
            asked = replace(wanted, incomplete="draw" if missing else "error", overlay=overlay)
            readings = ["corrected"] if plan.compares_readings else list(READINGS)
            noted = () if plan.compares_readings else missing
            try:
                specs = {name: build(plan, replace(asked, reading=name), noted) for name in readings}
            except UserError as error:
                damaged[f"left out: {plan.kind} of {plan.study.setting.text}: {error}"] = None
                continue
            if specs["corrected"].has_published or not overlay:
                yield PageFigure(next(numbers), specs)

    plain = [plan for plan in plans if not plan.compares_readings]
    errors = tuple(figures([plan for plan in plans if plan.compares_readings]))
    overlays = tuple(figures(plain, overlay=True))
    parts = tuple(
        StudyPart(study, tuple(tables([study])), tuple(figures([plan for plan in plain if plan.study is study])))
        for study in chosen.studies
    )
    distances = {name: distance_table(figure.readings[name] for figure in overlays) for name in READINGS}
    runs = tuple(run for study in chosen.studies for run in study.runs)
    commands = tuple(command(module, settings.words()) for module in ("src.report", "src.tables"))
    findings, messages = tuple(examine(chosen.studies)), (*chosen.messages, *damaged)
    return Content(runs, findings, errors, overlays, distances, parts, messages, commands)


def page(content: Content) -> str:
    """The whole HTML document; the same content gives the same text."""
    decided = [finding.verdict for finding in content.findings if finding.verdict.decided]
    figures = [{name: figure_data(spec) for name, spec in figure.readings.items()} for figure in content.figures]
    return _environment().get_template("page.html").render(
        content=content,
        claims={claim: [f for f in content.findings if f.claim == claim.name] for claim in CLAIMS},
        verdicts=list(Verdict),
        share=f"{decided.count(Verdict.holds)} of {len(decided)} decided" if decided else "none decided",
        left_out=SAID_BY_HEADINGS,
        slots=slot_looks(),
        data=_json({"figures": figures, "colours": heat_colours()}),
        script=Markup("\n".join(map(_part, SCRIPTS))),
        style=Markup(_part("style.css")),
    )  # fmt: skip


@cache
def _environment() -> Environment:
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, loader=FunctionLoader(_part), trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {"by_kind": _by_kind, "parts": lambda cell, column: shown(cell, column.form)}
    return environment


def _by_kind(figures: tuple[PageFigure, ...]) -> list[tuple[str, list[PageFigure]]]:
    return [(kind, list(found)) for kind, found in groupby(figures, key=lambda figure: figure.spec.kind)]


def _json(value: object) -> Markup:
    """JSON in which no text can end, or open, an element of the page."""
    return Markup(json.dumps(value, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c"))


def _part(name: str) -> str:
    return (files(__package__) / "templates" / name).read_text(encoding="utf-8")
