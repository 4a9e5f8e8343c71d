"""A table as data, and as CSV, Markdown and LaTeX."""

import csv
import io
import re
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, fields, replace
from functools import cache
from pathlib import Path

import numpy as np

from src.analysis.claims.finding import MIN_SEEDS, interval
from src.files import read_yaml
from src.records.run import FloatArray

_NAMES = {letter: unicodedata.name(letter) for letter in "αβγδεζηθικλμνξπρστυφχψωΓΔΘΛΞΠΣΦΨΩ"}
_GREEK = {letter: name.split()[-1].replace("LAMDA", "LAMBDA") for letter, name in _NAMES.items()}
_LATEX = {
    "\\": "\\textbackslash{}", "&": "\\&", "%": "\\%", "$": "\\$", "#": "\\#", "_": "\\_", "{": "\\{", "}": "\\}",
    "~": "\\textasciitilde{}", "^": "\\textasciicircum{}", "±": "$\\pm$", "–": "--", "×": "$\\times$", "≤": "$\\le$",
    "<": "$<$", ">": "$>$", "→": "$\\to$",
    **{letter: f"$\\{name.lower() if letter.islower() else name.title()}$" for letter, name in _GREEK.items()},
}  # fmt: skip
_MARKED = re.compile(r"([|*`<])")
"""What Markdown takes for its own."""


@dataclass(frozen=True)
class Spread:
    """Mean and standard deviation over seeds (ddof 0, as in the paper), or of reading; a single seed has none."""

    mean: float
    std: float | None = None

    @classmethod
    def of(cls, per_seed: Sequence[float] | FloatArray) -> "Spread | None":
        """None where a seed has no value."""
        values = _complete(per_seed)
        if values is None:
            return None
        return cls(float(values.mean()), float(values.std()) if len(values) > 1 else None)

    def spread(self, form: str) -> str:
        return "" if self.std is None else f"± {self.std:{form}}"


@dataclass(frozen=True)
class Difference:
    """Mean over seeds of each seed's own difference, and its 95 % interval; of fewer than MIN_SEEDS seeds none."""

    mean: float
    low: float | None = None
    high: float | None = None

    @classmethod
    def of(cls, per_seed: Sequence[float] | FloatArray) -> "Difference | None":
        """None where a seed has no value."""
        values = _complete(per_seed)
        if values is None:
            return None
        return cls(float(values.mean()), *(interval(values) if len(values) >= MIN_SEEDS else ()))

    def spread(self, form: str) -> str:
        return "" if self.low is None else f"[{self.low:{form}}, {self.high:{form}}]"


def _complete(per_seed: Sequence[float] | FloatArray) -> FloatArray | None:
    """The values, if there is one of every seed: a mean over fewer seeds would not be the row's."""
    values = np.asarray(per_seed, np.float64)
    return values if len(values) and np.isfinite(values).all() else None


Cell = str | int | float | Spread | Difference | None
"""None: not defined, or not reached."""


@dataclass(frozen=True)
class Column:
    """`key` heads the column in CSV files, `label` elsewhere; numbers are shown in `form`, a format specification.

    long: text that wants a paragraph; best: "max" or "min" where the rows of a group are compared by it.
    """

    key: str
    label: str
    form: str = ".2f"
    long: bool = False
    best: str = ""


WHERE = (Column("dataset", "Data set"), Column("model", "Model"), Column("study", "Study"), Column("scope", "Scope"))
METHOD, SEEDS = Column("method", "Method"), Column("seeds", "Seeds")
GROUPED = tuple(column.key for column in WHERE)
"""Columns that say which rows are compared."""


@dataclass(frozen=True)
class Table:
    """`name` is the file's; `note` says what a reader must know; `alone`: rows that are compared with no other."""

    name: str
    title: str
    note: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    alone: frozenset[int] = frozenset()

    def numeric(self, index: int) -> bool:
        return all(not isinstance(row[index], str) for row in self.rows)

    def texts(self, bold: str = "{}", escape: Callable[[str], str] = str) -> list[list[str]]:
        """The cells as text, an en dash where there is nothing; the best of a group in `bold`."""
        best = self.best
        return [
            [
                (bold if (i, j) in best else "{}").replace("{}", escape(" ".join(shown(cell, column.form))))
                for j, (cell, column) in enumerate(zip(row, self.columns, strict=True))
            ]
            for i, row in enumerate(self.rows)
        ]

    def group(self, row: int) -> tuple[Cell, ...]:
        """What the rows that are compared have in common: data set, model, study and scope."""
        return tuple(self.rows[row][i] for i, column in enumerate(self.columns) if column.key in GROUPED)

    @property
    def best(self) -> set[tuple[int, int]]:
        """Row and column of the best values of each group of rows, as they are shown; of a single value none."""
        found: set[tuple[int, int]] = set()
        groups: dict[tuple[Cell, ...], list[int]] = {}
        for i in sorted(set(range(len(self.rows))) - self.alone):
            groups.setdefault(self.group(i), []).append(i)
        for j, column in enumerate(self.columns):
            for members in groups.values() if column.best else ():
                cells = {i: self.rows[i][j] for i in members}
                values = {i: float(shown(cell, column.form.replace(",", ""))[0]) for i, cell in cells.items() if cell}
                chosen = (max if column.best == "max" else min)(values.values(), default=0.0)
                found |= {(i, j) for i, value in values.items() if value == chosen and len(set(values.values())) > 1}
        return found

    def without_the_obvious(self) -> tuple["Table", str]:
        """The table without columns of data set, model and study that say nothing, and what they say instead."""
        columns = {column.key: [row[i] for row in self.rows] for i, column in enumerate(self.columns)}
        said = {key: str(columns[key][0]) for key in GROUPED[:3] if key in columns and len(set(columns[key])) == 1}
        gone = set(said)
        networks = set(zip(columns.get("dataset", ()), columns.get("model", ()), strict=False))
        if networks and len(networks) == len(set(columns.get("study", ()))):
            gone.add("study")
        kept = [i for i, column in enumerate(self.columns) if column.key not in gone]
        rows = tuple(tuple(row[i] for i in kept) for row in self.rows)
        return replace(self, columns=tuple(self.columns[i] for i in kept), rows=rows), ", ".join(said.values())


def made_table(
    name: str, columns: Sequence[Column], rows: Iterable[tuple[Cell, ...]], alone: Iterable[int] = (), **numbers: object
) -> Table:
    """A table with the title and the note that `tables.yaml` has for its name, `numbers` put into them."""
    texts = _texts()[name]
    title, note = (texts[key].format(**numbers) for key in ("title", "note"))
    return Table(name, title, note, tuple(columns), tuple(rows), frozenset(alone))


@cache
def _texts() -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = read_yaml(Path(__file__).with_name("tables.yaml"))
    return found


def shown(cell: Cell, form: str) -> list[str]:
    """A cell as text, with the spread, where it has one, in as many decimals.

    >>> shown(Spread(0.9234, 0.0638), ".3g"), shown(Spread(110.4), "#.3g"), shown(None, ".2f"), shown(7, ".2f")
    (['0.923', '± 0.064'], ['110'], ['–'], ['7'])
    >>> shown(Spread(23.0, 0.5), "#.3g"), shown(Difference(-1.5, -2.0, -0.996), "+.2f")
    (['23.0', '± 0.5'], ['-1.50', '[-2.00, -1.00]'])
    """
    if not isinstance(cell, Spread | Difference):
        return ["–" if cell is None else f"{cell:{form}}" if isinstance(cell, float) else str(cell)]
    mean = f"{cell.mean:{form}}".removesuffix(".")
    if "e+" in mean:
        mean = f"{cell.mean:.0f}"
    spread = cell.spread(f",.{len(mean.partition('.')[2])}f")
    return [mean, spread] if spread else [mean]


def as_csv(table: Table) -> str:
    """Numbers in full, mean, and standard deviation or interval, in columns of their own; empty where not defined."""
    heads: list[str] = []
    columns: list[list[Cell]] = []
    for i, column in enumerate(table.columns):
        cells = [row[i] for row in table.rows]
        if spread := next((cell for cell in cells if isinstance(cell, Spread | Difference)), None):
            names = [field.name for field in fields(spread)]
            heads += [f"{column.key}_{name}" for name in names]
            columns += [[cell and getattr(cell, name) for cell in cells] for name in names]
        else:
            heads.append(column.key)
            columns.append(cells)
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([heads, *zip(*columns, strict=True)])
    return text.getvalue()


def as_markdown(table: Table) -> str:
    """The best of each group in bold."""
    rule = ["---:" if table.numeric(i) else "---" for i in range(len(table.columns))]
    body = table.texts("**{}**", lambda text: _MARKED.sub(r"\\\1", text))
    lines = [f"| {' | '.join(cells)} |" for cells in [[column.label for column in table.columns], rule, *body]]
    return "\n".join([f"# {table.title}", "", table.note, "", *lines, ""])


def as_latex(table: Table) -> str:
    """A `tabular` with the rules of booktabs, below its title and note as comments.

    Groups of rows are apart, the best of each is in bold; of several long columns, which no page holds, the first.
    """
    table, common = table.without_the_obvious()
    long = [i for i, column in enumerate(table.columns) if column.long][1:]
    columns = [i for i in range(len(table.columns)) if i not in long]
    places = ["p{6cm}" if table.columns[i].long else "r" if table.numeric(i) else "l" for i in columns]
    texts = table.texts("\\textbf{{}}", escaped)
    head, *body = (
        " & ".join(row[i] for i in columns) + " \\\\"
        for row in [[escaped(column.label) for column in table.columns], *texts]
    )
    apart = ["\\addlinespace\n" * (i > 0 and table.group(i) != table.group(i - 1)) for i in range(len(body))]
    left_out = [f"Not here but in the CSV: {', '.join(table.columns[i].label for i in long)}."] * bool(long)
    said = [table.title, *[common] * bool(common), *table.note.splitlines(), *left_out]
    comments = [f"% {line}" for line in (*said, "In the preamble: \\usepackage{booktabs}")]
    begin = [f"\\begin{{tabular}}{{@{{}}{''.join(places)}@{{}}}}", "\\toprule", head, "\\midrule"]
    rows = [space + row for space, row in zip(apart, body, strict=True)]
    return "\n".join([*comments, *begin, *rows, "\\bottomrule", "\\end{tabular}", ""])


def escaped(text: str) -> str:
    """Text for LaTeX.

    >>> print(escaped("η_r: 5 %, -2 ± 1"))
    $\\eta$\\_r: 5 \\%, $-$2 $\\pm$ 1
    """
    text = "".join(_LATEX.get(letter, letter) for letter in text)
    return re.sub(r"(?<![\w.)-])-(?=\d)", "$-$", text)


FORMATS: dict[str, Callable[[Table], str]] = {"csv": as_csv, "md": as_markdown, "tex": as_latex}
