"""Small pieces of HTML."""

from collections.abc import Iterable, Sequence
from html import escape

from src.claims import Verdict
from src.tables.table import Cell, Spread, Table, spread_texts

CHIP = {Verdict.holds: "holds", Verdict.fails: "fails", Verdict.not_enough_data: "open"}


def element(tag: str, content: str, **attributes: str) -> str:
    """An element whose content is HTML already; `class_` and `data_figure` stand for class and data-figure.

    >>> element("p", "a &amp; b", class_="soft")
    '<p class="soft">a &amp; b</p>'
    """
    names = {name.rstrip("_").replace("_", "-"): value for name, value in attributes.items()}
    given = "".join(f' {name}="{escape(value)}"' for name, value in names.items())
    return f"<{tag}{given}>{content}</{tag}>"


def chip(verdict: Verdict, count: int | None = None) -> str:
    """A verdict in its colour, with how often it was found."""
    return element("span", f"{verdict.value}{'' if count is None else f' {count}'}", class_=f"chip {CHIP[verdict]}")


def command_line(command: str) -> str:
    """A command with a button that copies it."""
    return element("div", f'<code>{escape(command)}</code><button class="copy">Copy</button>', class_="command")


def rows_table(
    heads: Sequence[str], rows: Iterable[Sequence[str]], numeric: Sequence[bool], stacks: bool = False
) -> str:
    """A table of cells that are HTML already; on a phone it scrolls, or `stacks` its cells."""
    kinds = [' class="number"' if number else "" for number in numeric]
    head = "".join(f"<th{kind}>{escape(text)}</th>" for text, kind in zip(heads, kinds, strict=True))
    body = "".join(
        f"<tr>{''.join(f'<td{kind}>{cell}</td>' for cell, kind in zip(row, kinds, strict=True))}</tr>" for row in rows
    )
    table = f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    return element("div", table, class_="scroll stack" if stacks else "scroll", tabindex="0")


def results_table(table: Table, leave_out: Sequence[str]) -> str:
    """A table of results without the columns that a heading says already."""
    kept = [i for i, column in enumerate(table.columns) if column.key not in leave_out]
    rows = [[cell_html(row[i], table.columns[i].form) for i in kept] for row in table.rows]
    return rows_table([table.columns[i].label for i in kept], rows, [table.numeric(i) for i in kept])


def cell_html(cell: Cell, form: str) -> str:
    """A cell, the standard deviation set back."""
    if isinstance(cell, Spread):
        mean, *std = spread_texts(cell, form)
        return mean + "".join(f" <span>± {text}</span>" for text in std)
    return "–" if cell is None else escape(str(cell))
