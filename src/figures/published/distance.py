"""How far our curves are from the published ones."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from src.figures.records.run import FloatArray
from src.figures.spec import Curve, CurvePanel, FigureSpec

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

    mean and largest: absolute difference in `unit`, the largest at iteration `at`; within: share of the points whose
    difference is at most the reading error plus 2 standard deviations over our seeds (None for x); left_out: points
    without a logarithm, because the published reading cannot be told from zero.
    """

    unit: str
    points: int
    left_out: int
    mean: float
    largest: float
    at: int | None
    within: float | None


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
    at = int(t[known][int(gap.argmax())]) if gap.size else None
    mean, largest = (float(gap.mean()), float(gap.max())) if gap.size else (math.nan, math.nan)
    return Distance(
        **vars(name), unit=unit, points=len(gap), left_out=len(t) - len(gap), mean=mean, largest=largest, at=at,
        within=within,
    )  # fmt: skip
