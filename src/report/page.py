"""Put the page together: one file with style, script and data inside."""

import json
from pathlib import Path
from string import Template

from src.report.book import Book
from src.report.content import Content
from src.report.look import heat_colours, markers, style_sheet
from src.report.sections import body

PARTS = Path(__file__).parent / "page"
SCRIPTS = ("scale.js", "panel.js", "page.js")


def page(content: Content) -> str:
    """The whole HTML document; the same content gives the same text."""
    book = Book()
    written = body(content, book)
    data = json.dumps({"figures": book.figures, "colours": heat_colours()}, ensure_ascii=False, separators=(",", ":"))
    return Template(_part("page.html")).substitute(
        style=f"{_part('style.css')}\n{style_sheet()}",
        body=written,
        markers=markers(),
        data=data.replace("</", "<\\/"),  # nothing in the data may end the script element
        script="\n".join(_part(name) for name in SCRIPTS),
    )


def _part(name: str) -> str:
    return (PARTS / name).read_text(encoding="utf-8")
