"""Tables of the published curves alone: they need no records."""

from collections.abc import Callable, Iterator

import numpy as np

from src.analysis.published.curves import Key, published_curves
from src.analysis.published.prediction import Prediction, predictions
from src.analysis.published.reread import corrected_tradeoffs, gains, published_phases
from src.analysis.tables.table import Cell, Column, Spread, Table, made_table
from src.records.method import FOUR_METHODS
from src.records.objective import PERCENTAGES

NETWORK = (Column("dataset", "Data set"), Column("model", "Model"), Column("method", "Method"))
PREDICTED = (
    *NETWORK, Column("points", "Points"), Column("largest", "Largest difference (points)", ".2g"),
    Column("within", "Within error", ".0%"), Column("pqi_gap", "PQI implied - drawn", "+.4f"),
    Column("pqi_error", "its error", ".4f"), Column("late_within", "Within error, PQI of t", ".0%"),
)  # fmt: skip
ACCURACY = (
    *NETWORK, Column("side", "Network"), Column("iteration", "T"), Column("drawn", "Drawn (%)", ".1f"),
    Column("own", "Its own (%)", ".1f"), Column("error", "Reading error", ".1f"),
)  # fmt: skip
REREADING = (
    Column("scope", "Scope"), Column("sap", "SAP"), Column("other", "Against"),
    Column("drawn", "As drawn (points)", "+.2f"), Column("drawn_low", "from (%)", ".2g"),
    Column("corrected", "Corrected (points)", "+.2f"), Column("error", "± reading", ".2f"),
    Column("low", "from (%) ", ".2g"),
    Column("drawn_alike", "Both from the larger: drawn", "+.2f"), Column("corrected_alike", "corrected", "+.2f"),
)  # fmt: skip
SCOPES_COMPARED = (
    Column("scope", "Scope"), Column("method", "Method"),
    *(Column(f"at_{x:g}", f"at {x:g} %", ".1f") for x in PERCENTAGES),
)  # fmt: skip
PHASES = (
    *NETWORK, Column("index", "Index"), Column("trough", "Trough at T"), Column("peak", "Peak at T"),
    Column("end", "End at T"), Column("falls", "Falls by", ".3f"), Column("rises", "Rises by", ".3f"),
    Column("falls_again", "Falls again by", ".3f"), Column("error", "Reading error", ".4f"),
    Column("limit", "No more than a point lost up to T"), Column("collapse", "Half of the accuracy kept up to T"),
    Column("given_back_1", "Given back, first pruning (%)", ".0f"), Column("given_back_10", "first ten (%)", ".0f"),
    Column("alike", "Rank correlation with the PQ Index", ".2f"),
)  # fmt: skip


def prediction_table() -> Table:
    """A row for each published curve of percent remaining that Algorithm 1, or the baselines' ratio, predicts."""
    return made_table("published_predicted", PREDICTED, map(_row, predictions()))


def _row(p: Prediction) -> tuple[Cell, ...]:
    gap = np.abs(p.predicted - p.published)[p.tested]
    known = p.tested & np.isfinite(p.implied)
    weights = np.where(known, 1 / np.where(known, p.implied_error, 1) ** 2, 0)
    implied: tuple[Cell, Cell] = (None, None)
    if known.any():
        implied = float(np.nansum(weights * (p.implied - p.drawn)) / weights.sum()), float(weights.sum() ** -0.5)
    late = p.within(p.late) if np.isfinite(p.late).any() else None
    return (p.dataset, p.model, p.method.text, int(gap.size), float(gap.max()), p.within(p.predicted), *implied, late)


def accuracy_table() -> Table:
    """Published accuracies as drawn and un-averaged, every five iterations."""
    return made_table("published_accuracy", ACCURACY, _accuracies())


def _accuracies() -> Iterator[tuple[Cell, ...]]:
    for dataset, model in (("cifar10", "cnn"), ("cifar10", "resnet18")):
        for method in FOUR_METHODS:
            for side in ("retrained", "pruned"):
                drawn = published_curves()[Key(dataset, model, "global", f"{side}_accuracy", method.short)]
                own = drawn.unaveraged()
                for t in sorted({*range(0, int(own.t[-1]) + 1, 5), int(own.t[-1])}):
                    i, j = (int(np.flatnonzero(curve.t == t)[0]) for curve in (drawn, own))
                    numbers = float(drawn.y[i]), float(own.y[j]), float(own.reading_error[j])
                    yield (dataset, model, method.text, side, t, *numbers)


def rereading_table() -> Table:
    """SAP against the baselines in the paper's own trade-offs, as drawn and corrected."""
    rows: list[tuple[Cell, ...]] = [
        (g.scope, g.sap.text, g.other.text, g.drawn, g.drawn_low, g.corrected, g.error, g.low, *g.alike)
        for g in gains()
    ]
    return made_table("published_rereading", REREADING, rows)


def scopes_table() -> Table:
    """The paper's own trade-offs, corrected, at equal percentages left: by scope and method."""
    rows: list[tuple[Cell, ...]] = []
    for scope, method, accuracies, errors in corrected_tradeoffs(PERCENTAGES):
        pairs = zip(accuracies.tolist(), errors.tolist(), strict=True)
        cells = (Spread(value, error) if np.isfinite(value) else None for value, error in pairs)
        rows.append((scope, method.text, *cells))
    return made_table("published_scopes", SCOPES_COMPARED, rows)


def phases_table() -> Table:
    """The three phases in the published curves."""
    rows: list[tuple[Cell, ...]] = []
    for p in published_phases():
        found = *map(int, p.turns), *map(float, p.sizes), p.error, *p.bounds, *p.given_back, p.alike
        rows.append((p.dataset, p.model, p.method.text, p.measure, *found))
    return made_table("published_phases", PHASES, rows)


TABLES: dict[str, tuple[Callable[[], Table], ...]] = {
    "predicted": (prediction_table,),
    "unaveraged": (accuracy_table,),
    "rereading": (rereading_table, scopes_table, phases_table),
}
"""By the figure that they belong to."""
