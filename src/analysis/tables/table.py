"""A table as data, and as CSV, Markdown and LaTeX."""

import csv
import io
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import yaml  # type: ignore[import-untyped]

from src.records.run import FloatArray

_LATEX = {
    "\\": "\\textbackslash{}", "&": "\\&", "%": "\\%", "$": "\\$", "#": "\\#", "_": "\\_", "{": "\\{", "}": "\\}",
    "~": "\\textasciitilde{}", "^": "\\textasciicircum{}", "±": "$\\pm$", "–": "--", "×": "$\\times$", "≤": "$\\le$",
    "<": "$<$", ">": "$>$", "η": "$\\eta$", "γ": "$\\gamma$", "β": "$\\beta$", "→": "$\\to$",
}  # fmt: skip


@dataclass(frozen=True)
class Spread:
    """Mean and standard deviation over seeds (ddof 0, as in the paper); a single seed has none."""

    mean: float
    std: float | None = None

    @classmethod
    def of(cls, per_seed: Sequence[float] | FloatArray) -> "Spread | None":
        """None where a seed has no value: a mean over fewer seeds would not be the row's."""
        values = np.asarray(per_seed, np.float64)
        if not len(values) or not np.isfinite(values).all():
            return None
        return cls(float(values.mean()), float(values.std()) if len(values) > 1 else None)


Cell = str | int | float | Spread | None
"""None: not defined, or not reached."""


@dataclass(frozen=True)
class Column:
    """`key` heads the column in CSV files, `label` elsewhere; numbers are shown in `form`, a format specification.

    long: text that wants a paragraph.
    """

    key: str
    label: str
    form: str = ".2f"
    long: bool = False


@dataclass(frozen=True)
class Table:
    """`name` is the file's; `note` says what a reader must know."""

    name: str
    title: str
    note: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]

    def numeric(self, index: int) -> bool:
        return all(not isinstance(row[index], str) for row in self.rows)

    def texts(self) -> list[list[str]]:
        """The cells as text: `mean ± std`, or an en dash where there is nothing."""
        return [
            [" ± ".join(shown(cell, column.form)) for cell, column in zip(row, self.columns, strict=True)]
            for row in self.rows
        ]


def made_table(name: str, columns: Sequence[Column], rows: Iterable[tuple[Cell, ...]], **numbers: object) -> Table:
    """A table with the title and the note that `tables.yaml` has for its name, `numbers` put into them."""
    texts = yaml.safe_load((Path(__file__).parent / "tables.yaml").read_text(encoding="utf-8"))[name]
    title, note = (texts[key].format(**numbers) for key in ("title", "note"))
    return Table(name, title, note, tuple(columns), tuple(rows))


def shown(cell: Cell, form: str) -> list[str]:
    """A cell as text, with the standard deviation, where it has one, in as many decimals.

    >>> shown(Spread(0.9234, 0.0638), ".3g"), shown(Spread(110.4), ".3g"), shown(None, ".2f"), shown(7, ".2f")
    (['0.923', '0.064'], ['110'], ['–'], ['7'])
    """
    if not isinstance(cell, Spread):
        return ["–" if cell is None else f"{cell:{form}}" if isinstance(cell, float) else str(cell)]
    mean = f"{cell.mean:{form}}"
    decimals = len(mean.partition(".")[2])
    return [mean] if cell.std is None else [mean, f"{cell.std:,.{decimals}f}"]


def as_csv(table: Table) -> str:
    """Numbers in full, mean and standard deviation in columns of their own; empty where not defined."""
    heads: list[str] = []
    columns: list[list[Cell]] = []
    for i, column in enumerate(table.columns):
        cells = [row[i] for row in table.rows]
        if any(isinstance(cell, Spread) for cell in cells):
            heads += [f"{column.key}_mean", f"{column.key}_std"]
            columns += [[cell and getattr(cell, name) for cell in cells] for name in ("mean", "std")]
        else:
            heads.append(column.key)
            columns.append(cells)
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([heads, *zip(*columns, strict=True)])
    return text.getvalue()


def as_markdown(table: Table) -> str:
    rule = ["---:" if table.numeric(i) else "---" for i in range(len(table.columns))]
    body = [[text.replace("|", "\\|") for text in row] for row in table.texts()]
    lines = [f"| {' | '.join(cells)} |" for cells in [[column.label for column in table.columns], rule, *body]]
    return "\n".join([f"# {table.title}", "", table.note, "", *lines, ""])


def as_latex(table: Table) -> str:
    """A `tabular` that needs no package, below its title and note as comments."""
    places = ["p{6cm}" if c.long else "r" if table.numeric(i) else "l" for i, c in enumerate(table.columns)]
    head, *body = (
        " & ".join(map(escaped, row)) + " \\\\" for row in [[column.label for column in table.columns], *table.texts()]
    )
    comments = [f"% {line}" for line in (table.title, *table.note.splitlines())]
    begin = [f"\\begin{{tabular}}{{{''.join(places)}}}", "\\hline", head, "\\hline"]
    return "\n".join([*comments, *begin, *body, "\\hline", "\\end{tabular}", ""])


def escaped(text: str) -> str:
    """Text for LaTeX.

    >>> print(escaped("η_r: 5 %"))
    $\\eta$\\_r: 5 \\%
    """
    return "".join(_LATEX.get(letter, letter) for letter in text)


FORMATS: dict[str, Callable[[Table], str]] = {"csv": as_csv, "md": as_markdown, "tex": as_latex}
