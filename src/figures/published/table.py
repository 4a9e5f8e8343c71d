"""The table of distances to the published curves, as CSV and Markdown."""

import csv
import io
import math
from collections.abc import Iterable, Sequence
from dataclasses import astuple, fields
from pathlib import Path

from src.figures.published.distance import Distance, distances
from src.figures.spec import FigureSpec
from src.store.atomic import write_text

INTRODUCTION = """Distance of our curves from the published ones, over the pruning iterations that both have.

`mean` and `largest` are absolute differences in the row's unit, the largest at iteration `at`; `within` is the share of
points that differ by at most the error of reading the published figure plus 2 standard deviations over our seeds.
`left_out` are points without a logarithm, as their published reading cannot be told from zero.
"""


def distance_rows(specs: Iterable[FigureSpec]) -> list[Distance]:
    """The distances of all figures, each curve once."""
    return list(dict.fromkeys(row for spec in specs for row in distances(spec)))


def write_distances(specs: Iterable[FigureSpec], folder: Path, marks: Sequence[str] = ()) -> list[Path]:
    """`distances.csv` and `distances.md` in `folder`, `marks` added to the names; none where no curve is known."""
    rows = distance_rows(specs)
    stem = "-".join(["distances", *marks])
    contents = {"csv": as_csv(rows), "md": as_markdown(rows)} if rows else {}
    return [write_text(folder / f"{stem}.{suffix}", text) for suffix, text in contents.items()]


def as_csv(rows: Iterable[Distance]) -> str:
    """One line per curve, numbers in full, empty where not defined."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([field.name for field in fields(Distance)])
    writer.writerows([_plain(value) for value in astuple(row)] for row in rows)
    return text.getvalue()


def as_markdown(rows: Iterable[Distance]) -> str:
    """A readable table with three significant digits."""
    names = [field.name for field in fields(Distance)]
    lines = [f"| {' | '.join(names)} |", f"|{'|'.join('---' for _ in names)}|"]
    lines += [f"| {' | '.join(_short(value) for value in astuple(row))} |" for row in rows]
    return "\n".join([INTRODUCTION, *lines, ""])


def _plain(value: object) -> object:
    return "" if value is None or (isinstance(value, float) and math.isnan(value)) else value


def _short(value: object) -> str:
    value = _plain(value)
    return f"{value:.3g}" if isinstance(value, float) else str(value)
