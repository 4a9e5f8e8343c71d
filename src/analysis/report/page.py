"""Put the page together: one file with style, script and data inside."""

import json
from functools import cache
from importlib.resources import files
from itertools import groupby

from jinja2 import Environment, FunctionLoader, StrictUndefined
from markupsafe import Markup

from src.analysis.claims.catalogue import CLAIMS
from src.analysis.claims.finding import Verdict
from src.analysis.report.content import Content, PageFigure
from src.analysis.report.data import figure_data, heat_colours, slot_looks
from src.analysis.tables.table import Cell, Column, Spread, spread_texts

SCRIPTS = ("scale.js", "panel.js", "page.js")
SAID_BY_HEADINGS = {"results": ("dataset", "model", "study"), "distances": ("dataset", "model", "left_out")}
"""Columns that tables leave out."""


def page(content: Content) -> str:
    """The whole HTML document; the same content gives the same text."""
    found = {claim: [f for f in content.findings if f.claim == claim.name] for claim in CLAIMS}
    decided = [finding.verdict for finding in content.findings if finding.verdict.decided]
    figures = [{name: figure_data(spec) for name, spec in figure.readings.items()} for figure in content.figures]
    return _environment().get_template("page.html").render(
        content=content,
        claims=found,
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
    environment.filters |= {"by_kind": _by_kind, "parts": _parts}
    return environment


def _by_kind(figures: tuple[PageFigure, ...]) -> list[tuple[str, list[PageFigure]]]:
    return [(kind, list(found)) for kind, found in groupby(figures, key=lambda figure: figure.spec.kind)]


def _parts(cell: Cell, column: Column) -> list[str]:
    """A cell's text, and the standard deviation where it has one."""
    if isinstance(cell, Spread):
        return spread_texts(cell, column.form)
    return ["–" if cell is None else f"{cell:{column.form}}" if isinstance(cell, float) else str(cell)]


def _json(value: object) -> Markup:
    """JSON in which no text can end, or open, an element of the page."""
    return Markup(json.dumps(value, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c"))


def _part(name: str) -> str:
    return (files(__package__) / "templates" / name).read_text(encoding="utf-8")
