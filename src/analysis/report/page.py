"""The report: what it shows, put together to one file with style, script and data inside."""

import json
from collections.abc import Callable, Sequence
from dataclasses import fields, replace
from importlib.resources import files
from typing import NamedTuple

from jinja2 import Environment, FunctionLoader, StrictUndefined
from markupsafe import Markup

from src.analysis.claims import CLAIMS, examine
from src.analysis.claims.finding import Verdict
from src.analysis.figures.catalogue import build, plan_figures
from src.analysis.figures.of_paper import OF_PAPER
from src.analysis.figures.plan import CAPTIONS, WISE, Plan, title_of
from src.analysis.figures.readings import READINGS
from src.analysis.figures.spec import FigureSpec
from src.analysis.published.distance import distance_table
from src.analysis.report.data import figure_data, slot_looks
from src.analysis.settings import FigureSettings, RecordSettings, choose
from src.analysis.tables.compared import compared
from src.analysis.tables.results import tables
from src.analysis.tables.table import shown
from src.config.command_line import command
from src.errors import UserError
from src.records.library import missing_runs

SCRIPTS = ("scale.js", "panel.js", "page.js")
COLOURS = "colours.txt"
"""The default style's colour map from its lowest to its highest, written down: importing matplotlib costs more."""
SAID_BY_HEADINGS = {"results": ("dataset", "model", "study"), "distances": ("dataset", "model", "left_out")}
"""Columns that tables leave out."""


Cut = Callable[[FigureSpec], FigureSpec]
"""What of a figure the page shows."""


class PageFigure(NamedTuple):
    """A figure in each reading, and its number on the page; one that compares them itself has `corrected` only."""

    number: int
    readings: dict[str, FigureSpec]

    @property
    def spec(self) -> FigureSpec:
        return self.readings["corrected"]


class Drawn:
    """All figures of the page, each with its number; what could not be drawn is told in `messages`."""

    def __init__(self, wanted: FigureSettings, messages: list[str]) -> None:
        self._wanted, self._messages = wanted, messages
        self.all: list[PageFigure] = []

    def add(self, plans: Sequence[Plan], overlay: bool = False, shown: Cut = lambda spec: spec) -> list[PageFigure]:
        """Those that can be built, as `shown`; with `overlay` those that have a published curve behind them."""
        return [self.number(readings) for plan in plans if (readings := self._readings(plan, overlay, shown))]

    def number(self, readings: dict[str, FigureSpec]) -> PageFigure:
        """The page's next figure."""
        self.all.append(PageFigure(len(self.all), readings))
        return self.all[-1]

    def _readings(self, plan: Plan, overlay: bool, shown: Cut) -> dict[str, FigureSpec] | None:
        missing = missing_runs(plan.study, plan.conditions)
        asked = replace(self._wanted, incomplete="draw" if missing else "error", overlay=overlay)
        noted = () if plan.compares_readings else missing
        names = ["corrected"] if plan.compares_readings else list(READINGS)
        try:
            specs = {name: build(plan, replace(asked, reading=name), noted) for name in names}
        except UserError as error:
            line = f"left out: {plan.kind} of {plan.study.setting.text}: {error}"
            self._messages.extend([line] * (line not in self._messages))
            return None
        if overlay and not specs["corrected"].has_published:
            return None
        return {name: shown(spec) for name, spec in specs.items()}


def page(settings: RecordSettings) -> tuple[dict[str, str], list[str]]:
    """`index.html`, the same for the same records, and a message for each missing run or damaged folder.

    Raises UserError where no run is finished.
    """
    chosen, library, messages = choose(settings)
    given = {field.name: getattr(settings, field.name) for field in fields(settings) if field.name != "destination"}
    wanted = FigureSettings(**given)
    plans = [plan for plan in plan_figures(wanted, chosen, library) if plan.drawable]
    plain = [plan for plan in plans if not plan.compares_readings]

    drawn = Drawn(wanted, messages)
    phenomenon = drawn.add(_first(plain), shown=_seen)
    errors = drawn.add([plan for plan in plans if plan.compares_readings], shown=_short)
    overlays = sorted(drawn.add(plain, overlay=True), key=lambda each: each.spec.kind != "prune")
    alone = {name: drawn.number({"corrected": _of_paper(name)}) for name in OF_PAPER}
    findings = examine(chosen)
    parts = [
        {
            "study": study, "title": title_of(study), "tables": tables([study]),
            "figures": drawn.add([plan for plan in plain if plan.study is study]),
        }
        for study in chosen
    ]  # fmt: skip
    opened = phenomenon[0].spec.setting if phenomenon else chosen[0].setting
    data = [{name: figure_data(spec) for name, spec in figure.readings.items()} for figure in drawn.all]
    # No text can end, or open, an element of the page.
    shown_as = {"figures": data, "colours": _part(COLOURS).split()}
    embedded = json.dumps(shown_as, ensure_ascii=False, separators=(",", ":"))
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, loader=FunctionLoader(_part), trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["parts"] = lambda cell, column: shown(cell, column.form)
    text = environment.get_template("page.html").render(
        runs=[run for study in chosen for run in study.runs],
        networks=list(dict.fromkeys(title_of(study) for study in chosen)),
        findings=findings,
        phenomenon=phenomenon,
        titles=CAPTIONS["titles"],
        wise={scope: text.capitalize() for scope, text in {**WISE, "global": "global"}.items()},
        claims={claim: [f for f in findings if f.claim == claim.name] for claim in CLAIMS},
        verdicts=list(Verdict),
        drawn_errors=errors,
        overlays=overlays,
        alone=alone,
        distances={name: distance_table(figure.readings[name] for figure in overlays) for name in READINGS},
        parts=parts,
        opened=opened,
        compared=[table.without_the_obvious()[0] for table in [compared(chosen)] if table],
        study_titles={study.name: title_of(study) for study in chosen},
        commands=[command(module, settings.words()) for module in ("src.report", "src.tables")],
        messages=messages,
        left_out=SAID_BY_HEADINGS,
        slots=slot_looks(),
        data=Markup(embedded.replace("<", "\\u003c")),
        script=Markup("\n".join(map(_part, SCRIPTS))),
        style=Markup(_part("style.css")),
    )  # fmt: skip
    return {"index.html": text}, messages


def _first(plans: Sequence[Plan]) -> list[Plan]:
    """The figure of what the paper is about, whatever came out: trained longest, of several layers, of most seeds."""

    def rank(plan: Plan) -> tuple[int, bool, int, int, bool]:
        study, (scope,) = plan.study, plan.scopes
        return study.setting.epochs or 0, not study.one_layer, len(study.seeds), len(study.runs), scope == "global"

    found = [plan for plan in plans if plan.kind == "prune"]
    return [max(found, key=rank)] if found else []


def _seen(spec: FigureSpec) -> FigureSpec:
    """Of a figure of the retrained networks what the paper is about: accuracy and PQ Index along pruning."""
    return replace(spec, panels=spec.panels[::2])


def _of_paper(name: str) -> FigureSpec:
    return replace(OF_PAPER[name](), command=command("src.figures", [f"figure={name}"]))


def _short(spec: FigureSpec) -> FigureSpec:
    """Of an error that is seen in several panels the first two, where these are not scopes that are exchanged."""
    return spec if spec.error == "exchanged_axes" else replace(spec, panels=spec.panels[:2])


def _part(name: str) -> str:
    return (files(__package__) / "templates" / name).read_text(encoding="utf-8")
