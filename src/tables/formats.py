"""A table as CSV, Markdown and LaTeX."""

import csv
import io
from collections.abc import Callable, Iterable

from src.tables.table import Cell, Column, Spread, Table, shown

_LATEX = {
    "\\": "\\textbackslash{}", "&": "\\&", "%": "\\%", "$": "\\$", "#": "\\#", "_": "\\_", "{": "\\{", "}": "\\}",
    "~": "\\textasciitilde{}", "^": "\\textasciicircum{}", "±": "$\\pm$", "–": "--", "×": "$\\times$", "≤": "$\\le$",
    "<": "$<$", ">": "$>$", "η": "$\\eta$", "γ": "$\\gamma$", "β": "$\\beta$", "→": "$\\to$",
}  # fmt: skip


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
