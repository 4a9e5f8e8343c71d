"""The figures of a page, numbered as they come."""

from dataclasses import dataclass, field
from html import escape
from typing import Any

from src.report.content import Readings
from src.report.data import figure_data
from src.report.html import command_line


@dataclass
class Book:
    """What the page's script draws: a figure's number is its place in `figures`."""

    figures: list[dict[str, Any]] = field(default_factory=list)

    def figure(self, both: Readings, within_study: bool = False, caption: bool = True) -> str:
        """Enter a figure in all its readings; the HTML that it is drawn into.

        within_study: the heading need not name the study; caption: say the caption.
        """
        self.figures.append({reading: figure_data(spec) for reading, spec in both.items()})
        spec = both["corrected"]
        heading = spec.heading
        if within_study and spec.setting is not None:
            heading = heading.removeprefix(spec.setting.text).removeprefix(", ")
            heading = heading[:1].upper() + heading[1:]
        top = f'<div class="heading"><h4>{escape(heading)}</h4></div>' if heading else ""
        top += f"<figcaption>{escape(spec.caption)}</figcaption>" if caption else ""
        notes = '<ul class="notes"></ul>'
        how = f"<details><summary>Command and notes</summary>{command_line(spec.command)}{notes}</details>"
        drawn = '<ul class="legend"></ul><div class="panels"></div>'
        return f'<figure data-figure="{len(self.figures) - 1}">{top}{drawn}{how}</figure>'
