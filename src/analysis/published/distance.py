"""How far our curves are from the published ones, and the table of that."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import NamedTuple

import numpy as np

from src.analysis.figures.spec import Curve, CurvePanel, FigureSpec
from src.analysis.tables.table import Column, Table, as_csv, as_markdown
from src.records.csv_table import FloatArray
from src.store.files import write_text

ACCURACY, REMAINING, PQI, GINI = "accuracy points", "log10 percent remaining", "PQ Index", "Gini index"
UNITS = {
    "retrained_accuracy": ACCURACY,
    "pruned_accuracy": ACCURACY,
    "pruned_accuracy_difference": ACCURACY,
    "tradeoff": ACCURACY,
    "retrained_percent_remaining": REMAINING,
    "layer_percent_remaining": REMAINING,
    "retrained_pqi": PQI,
    "pruned_pqi": PQI,
    "pruned_pqi_difference": PQI,
    "layer_pqi": PQI,
    "retrained_gini": GINI,
}
NOTE = """Over the pruning iterations that both have. Mean and largest are absolute differences in the row's unit, the \
largest at iteration t; within: the share of points that differ by at most the error of reading the published figure \
plus 2 standard deviations over our seeds; left out: points without a logarithm, as their published reading cannot be \
told from zero."""
COLUMNS = (
    Column("dataset", "Data set"),
    Column("model", "Model"),
    Column("kind", "Figure"),
    Column("scope", "Scope"),
    Column("quantity", "Quantity"),
    Column("curve", "Curve"),
    Column("seeds", "Seeds"),
    Column("unit", "Unit"),
    Column("points", "Points"),
    Column("left_out", "Left out"),
    Column("mean", "Mean", ".3g"),
    Column("largest", "Largest", ".3g"),
    Column("at", "at t"),
    Column("within", "Within error", ".0%"),
)


@dataclass(frozen=True)
class CurveName:
    """Which curve: of what runs, in which kind of figure and panel; `seeds` is their number."""

    dataset: str
    model: str
    kind: str
    scope: str
    quantity: str
    curve: str
    seeds: int


@dataclass(frozen=True)
class Distance(CurveName):
    """One curve against its published counterpart, over `points` common iterations.

    mean and largest: absolute difference in `unit`, None where there is no point; within: share of the points whose
    difference is at most the reading error plus 2 standard deviations over our seeds (None for x); left_out: points
    without a logarithm, because the published reading cannot be told from zero.
    """

    unit: str
    points: int
    left_out: int
    mean: float | None
    largest: float | None
    largest_iteration: int | None
    within: float | None


def distance_table(specs: Iterable[FigureSpec]) -> Table:
    """A row for each curve of any figure that has a published one, each once."""
    rows = dict.fromkeys(row for spec in specs for row in distances(spec))
    cells = tuple(tuple(getattr(row, field.name) for field in fields(Distance)) for row in rows)
    return Table("distances", "Distance of our curves from the published ones", NOTE, COLUMNS, cells)


def write_distances(specs: Iterable[FigureSpec], folder: Path, marks: Sequence[str] = ()) -> list[Path]:
    """`distances.csv` and `distances.md` in `folder`, `marks` added to the names; none where no curve is known."""
    table = distance_table(specs)
    stem = "-".join([table.name, *marks])
    contents = {"csv": as_csv(table), "md": as_markdown(table)} if table.rows else {}
    return [write_text(folder / f"{stem}.{suffix}", text) for suffix, text in contents.items()]


def distances(spec: FigureSpec) -> list[Distance]:
    """A row for each curve that has a published one behind it; trade-offs have a second one for their x."""
    panels = [panel for panel in spec.panels if isinstance(panel, CurvePanel)]
    return [row for panel in panels for theirs in panel.published for row in _rows(spec, panel, theirs)]


def _rows(spec: FigureSpec, panel: CurvePanel, theirs: Curve) -> Iterator[Distance]:
    ours = next(curve for curve in panel.curves if curve.key == theirs.key)
    _, i, j = np.intersect1d(ours.t, theirs.t, return_indices=True)
    runs = (spec.setting.dataset, spec.setting.model) if spec.setting else ("", "")
    curve = f"{panel.method}, {ours.key} layer" if panel.method else ours.key
    name = CurveName(*runs, spec.kind, panel.scope, panel.quantity, curve, len(ours.seeds))
    y = Pair(ours.t[i], ours.y[i], theirs.y[j], theirs.error[j])
    yield _compare(name, UNITS[panel.quantity], y, y.reading_error + 2 * ours.error[i])
    if panel.quantity == "tradeoff":
        x = Pair(ours.t[i], ours.x[i], theirs.x[j], np.full(len(j), theirs.x_error))
        yield _compare(replace(name, quantity="tradeoff, x"), REMAINING, x, None)


class Pair(NamedTuple):
    """Our and the published values at iterations t, all [n]."""

    t: FloatArray
    ours: FloatArray
    theirs: FloatArray
    reading_error: FloatArray


def _compare(name: CurveName, unit: str, pair: Pair, allowed: FloatArray | None) -> Distance:
    t, ours, theirs, reading_error = pair
    within = None if allowed is None or not t.size else float(np.mean(np.abs(ours - theirs) <= allowed))
    known = np.isfinite(ours) & np.isfinite(theirs)
    if unit == REMAINING:
        known &= (theirs > reading_error) & (ours > 0)
        gap = np.abs(np.log10(ours[known]) - np.log10(theirs[known]))
    else:
        gap = np.abs(ours[known] - theirs[known])
    mean, largest = (float(gap.mean()), float(gap.max())) if gap.size else (None, None)
    iteration = int(t[known][int(gap.argmax())]) if gap.size else None
    return Distance(**vars(name), unit=unit, points=len(gap), left_out=len(t) - len(gap), mean=mean, largest=largest,
                    largest_iteration=iteration, within=within)  # fmt: skip
