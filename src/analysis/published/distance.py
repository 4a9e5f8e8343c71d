"""How far our curves are from the published ones, and the table of that."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from src.analysis.figures.spec import Curve, CurvePanel, FigureSpec
from src.analysis.tables.table import Column, Table, as_csv, as_markdown, made_table
from src.files import write_text
from src.records.run import FloatArray

REMAINING = "log10 percent remaining"
UNITS = {"percent_remaining": REMAINING, "pqi": "PQ Index", "gini": "Gini index", "": "accuracy points"}
"""Unit of a quantity whose name holds a key, the first of them."""
COLUMNS = (
    Column("dataset", "Data set"), Column("model", "Model"), Column("kind", "Figure"), Column("scope", "Scope"),
    Column("quantity", "Quantity"), Column("curve", "Curve"), Column("seeds", "Seeds"), Column("unit", "Unit"),
    Column("points", "Points"), Column("left_out", "Left out"), Column("mean", "Mean", ".3g"),
    Column("largest", "Largest", ".3g"), Column("at", "at t"), Column("within", "Within error", ".0%"),
)  # fmt: skip


class Distance(NamedTuple):
    """One curve against its published counterpart: what it shows, of how many seeds, over `points` common iterations.

    mean and largest: absolute difference in `unit`, None where there is no point; within: share of the points whose
    difference is at most the reading error plus 2 standard deviations over our seeds (None for x); left_out: points
    without a logarithm, because the published reading cannot be told from zero.
    """

    dataset: str
    model: str
    kind: str
    scope: str
    quantity: str
    curve: str
    seeds: int
    unit: str = ""
    points: int = 0
    left_out: int = 0
    mean: float | None = None
    largest: float | None = None
    largest_iteration: int | None = None
    within: float | None = None


def distance_table(specs: Iterable[FigureSpec]) -> Table:
    """A row for each curve of any figure that has a published one, each once."""
    rows = dict.fromkeys(row for spec in specs for row in distances(spec))
    return made_table("distances", COLUMNS, rows)


def write_distances(specs: Iterable[FigureSpec], folder: Path, marks: Sequence[str] = ()) -> list[Path]:
    """`distances.csv` and `distances.md` in `folder`, `marks` added to the names; none where no curve is known."""
    table = distance_table(specs)
    stem = "-".join([table.name, *marks])
    contents = {"csv": as_csv(table), "md": as_markdown(table)} if table.rows else {}
    return [write_text(folder / f"{stem}.{suffix}", text) for suffix, text in contents.items()]


def distances(spec: FigureSpec) -> list[Distance]:
    """A row for each curve that has a published one behind it; trade-offs have a second one for their x."""
    panels = [panel for panel in spec.panels if isinstance(panel, CurvePanel) and not panel.zoom]
    return [row for panel in panels for theirs in panel.published for row in _rows(spec, panel, theirs)]


def _rows(spec: FigureSpec, panel: CurvePanel, theirs: Curve) -> Iterator[Distance]:
    ours = next(curve for curve in panel.curves if curve.key == theirs.key)
    t, i, j = np.intersect1d(ours.t, theirs.t, return_indices=True)
    runs = (spec.setting.dataset, spec.setting.model) if spec.setting else ("", "")
    curve = f"{panel.method}, {ours.key} layer" if panel.method else ours.key
    gap = np.abs(ours.y[i] - theirs.y[j])
    within = float(np.mean(gap <= theirs.error[j] + 2 * ours.error[i])) if t.size else None
    unit = next(unit for key, unit in UNITS.items() if key in panel.quantity)
    row = Distance(*runs, spec.kind, panel.scope, panel.quantity, curve, len(ours.seeds), unit)
    yield _measured(row._replace(within=within), t, ours.y[i], theirs.y[j], theirs.error[j])
    if panel.quantity == "tradeoff":
        row = row._replace(quantity="tradeoff, x", unit=REMAINING)
        yield _measured(row, t, ours.x[i], theirs.x[j], np.full(len(j), theirs.x_error))


def _measured(
    row: Distance, t: FloatArray, ours: FloatArray, theirs: FloatArray, reading_error: FloatArray
) -> Distance:
    known = np.isfinite(ours) & np.isfinite(theirs)
    if row.unit == REMAINING:
        known &= (theirs > reading_error) & (ours > 0)
    ours, theirs = ours[known], theirs[known]
    gap = np.abs(np.log10(ours) - np.log10(theirs)) if row.unit == REMAINING else np.abs(ours - theirs)
    row = row._replace(points=len(gap), left_out=len(t) - len(gap))
    if not gap.size:
        return row
    worst = int(gap.argmax())
    return row._replace(mean=float(gap.mean()), largest=float(gap[worst]), largest_iteration=int(t[known][worst]))
