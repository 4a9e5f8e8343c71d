"""A table as data, and as CSV, Markdown and LaTeX."""

import csv
import io
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

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
        """Whether a column holds numbers."""
        return all(not isinstance(row[index], str) for row in self.rows)


def shown(cell: Cell, form: str) -> str:
    """A cell as text: `mean ± std`, or an en dash where there is nothing.

    >>> shown(Spread(90.123, 0.04), ".2f"), shown(None, ".2f"), shown(7, ".2f")
    ('90.12 ± 0.04', '–', '7')
    """
    if isinstance(cell, Spread):
        return " ± ".join(spread_texts(cell, form))
    return "–" if cell is None else f"{cell:{form}}" if isinstance(cell, float) else str(cell)


def spread_texts(cell: Spread, form: str) -> list[str]:
    """Mean, and standard deviation where there is one, with as many decimals.

    >>> spread_texts(Spread(0.9234, 0.0638), ".3g"), spread_texts(Spread(110.4), ".3g")
    (['0.923', '0.064'], ['110'])
    """
    mean = f"{cell.mean:{form}}"
    decimals = len(mean.partition(".")[2])
    return [mean] if cell.std is None else [mean, f"{cell.std:,.{decimals}f}"]


def as_csv(table: Table) -> str:
    """Numbers in full, mean and standard deviation in columns of their own; empty where not defined."""
    spread = [any(isinstance(row[i], Spread) for row in table.rows) for i in range(len(table.columns))]
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(head for column, wide in zip(table.columns, spread, strict=True) for head in _heads(column, wide))
    for row in table.rows:
        writer.writerow(field for cell, wide in zip(row, spread, strict=True) for field in _fields(cell, wide))
    return text.getvalue()


def as_markdown(table: Table) -> str:
    """Title, note and a table whose numbers stand right."""
    rule = ["---:" if table.numeric(i) else "---" for i in range(len(table.columns))]
    body = [[_cell(cell, column).replace("|", "\\|") for cell, column in _pairs(row, table)] for row in table.rows]
    lines = [f"| {' | '.join(cells)} |" for cells in [[column.label for column in table.columns], rule, *body]]
    return "\n".join([f"# {table.title}", "", table.note, "", *lines, ""])


def as_latex(table: Table) -> str:
    """A `tabular` that needs no package, below its title and note as comments."""
    places = ["p{6cm}" if c.long else "r" if table.numeric(i) else "l" for i, c in enumerate(table.columns)]
    head = " & ".join(escaped(column.label) for column in table.columns)
    body = [" & ".join(escaped(_cell(cell, column)) for cell, column in _pairs(row, table)) for row in table.rows]
    lines = [f"% {table.title}", *(f"% {line}" for line in table.note.splitlines())]
    lines += [f"\\begin{{tabular}}{{{''.join(places)}}}", "\\hline", f"{head} \\\\", "\\hline"]
    return "\n".join([*lines, *(f"{row} \\\\" for row in body), "\\hline", "\\end{tabular}", ""])


def escaped(text: str) -> str:
    """Text for LaTeX.

    >>> print(escaped("η_r: 5 %"))
    $\\eta$\\_r: 5 \\%
    """
    return "".join(_LATEX.get(letter, letter) for letter in text)


FORMATS: dict[str, Callable[[Table], str]] = {"csv": as_csv, "md": as_markdown, "tex": as_latex}


def _pairs(row: tuple[Cell, ...], table: Table) -> Iterable[tuple[Cell, Column]]:
    return zip(row, table.columns, strict=True)


def _cell(cell: Cell, column: Column) -> str:
    return shown(cell, column.form)


def _heads(column: Column, spread: bool) -> list[str]:
    return [f"{column.key}_mean", f"{column.key}_std"] if spread else [column.key]


def _fields(cell: Cell, spread: bool) -> list[str | int | float]:
    values = [cell.mean, cell.std] if isinstance(cell, Spread) else [cell] * (1 + spread)
    return ["" if value is None else value for value in values]
