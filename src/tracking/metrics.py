"""What the records' columns are called in Weights & Biases, and what each is drawn against."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import product

from src.records.objective import sparsest_good, tradeoff

Value = float | int | None

OBJECTIVE = "accuracy_at"
"""What `wandb sweep conf/sweep.yaml` maximises; at which percent of the weights is a setting of the same name."""


@dataclass(frozen=True)
class Metric:
    """A column of a table of the records, its W&B name, and the metric on the x axis (None: it is an x axis)."""

    table: str
    column: str
    name: str
    x: str | None = "iteration"


METRICS: tuple[Metric, ...] = (
    Metric("iterations", "iteration", "iteration", None),
    Metric("iterations", "percent_remaining", "percent_remaining"),
    Metric("iterations", "remaining", "remaining"),
    Metric("iterations", "total", "total"),
    Metric("iterations", "retrained_accuracy", "retrained/accuracy"),
    Metric("iterations", "retrained_loss", "retrained/loss"),
    Metric("iterations", "retrained_pqi", "retrained/pqi"),
    Metric("iterations", "retrained_gini", "retrained/gini"),
    Metric("iterations", "retrained_train_accuracy", "retrained/train_accuracy"),
    Metric("iterations", "retrained_train_loss", "retrained/train_loss"),
    Metric("iterations", "pruned_accuracy", "pruned/accuracy"),
    Metric("iterations", "pruned_loss", "pruned/loss"),
    Metric("iterations", "pruned_pqi", "pruned/pqi"),
    Metric("iterations", "pruned_gini", "pruned/gini"),
    Metric("iterations", "best_epoch", "best_epoch/epoch"),
    Metric("iterations", "best_accuracy", "best_epoch/accuracy"),
    Metric("iterations", "retained_bound", "decision/retained_bound"),
    Metric("iterations", "pruned_count", "decision/pruned_count"),
    Metric("iterations", "empty_neurons", "empty/neurons"),
    Metric("iterations", "empty_layers", "empty/layers"),
    # W&B gives a metric one x axis, so what is drawn against the sparsity too has a second name.
    *(
        Metric("iterations", f"{side}_{measure}", f"by_percent_remaining/{side}/{measure}", "percent_remaining")
        for side, measure in product(("retrained", "pruned"), ("pqi", "gini", "accuracy"))
    ),
    Metric("layers", "retrained_pqi", "layer/{layer}/pqi"),
    Metric("layers", "retrained_gini", "layer/{layer}/gini"),
    Metric("layers", "percent_remaining", "layer/{layer}/percent_remaining"),
    # All epochs of the trajectory, counted on from iteration to iteration.
    Metric("epochs", "epochs_trained", "epoch", None),
    Metric("epochs", "learning_rate", "epoch/learning_rate", "epoch"),
    *(
        Metric("epochs", f"{images}_{measure}", f"epoch/{images}_{measure}", "epoch")
        for images, measure in product(("train", "test", "selection"), ("loss", "accuracy"))
    ),
)


def named(table: str, row: Mapping[str, Value], layer: str = "") -> dict[str, float | int]:
    """The row's values under their W&B names; what is not defined (None) is left out.

    >>> named("layers", {"retrained_pqi": 0.25, "retrained_gini": None}, layer="fc.weight")
    {'layer/fc.weight/pqi': 0.25}
    """
    metrics = [metric for metric in METRICS if metric.table == table]
    values = ((metric.name.format(layer=layer), row.get(metric.column)) for metric in metrics)
    return {name: value for name, value in values if value is not None}


def axes() -> dict[str, str | None]:
    """Metric (or, for the layers, a pattern of metrics) -> the metric on its x axis, axes first."""
    found = {metric.name.replace("{layer}", "*"): metric.x for metric in METRICS if metric.table != "layers"}
    found |= {metric.name.split("{")[0] + "*": metric.x for metric in METRICS if metric.table == "layers"}
    return dict(sorted(found.items(), key=lambda item: item[1] is not None))


def summarised(rows: Iterable[Mapping[str, Value]], percent: float) -> dict[str, float]:
    """What a table of runs is sorted by, of the rows of iterations.csv so far; what is not defined is left out.

    The dense, the best and the last network; the points of accuracy lost from the first to the last; the fewest weights
    (%) at no more than a point lost; the accuracy at `percent` of the weights.

    >>> rows = [{"iteration": t, "percent_remaining": 100 / 2**t, "retrained_accuracy": 90.0 - t * t} for t in range(3)]
    >>> found = summarised(rows, percent=50)
    >>> found["lost/accuracy"], found["within_a_point/percent_remaining"], found["accuracy_at"]
    (4.0, 50.0, 89.0)
    """
    curve = sorted(
        (row for row in rows if row.get("retrained_accuracy") is not None), key=lambda row: row["iteration"] or 0
    )
    if not curve:
        return {}
    accuracies = [float(row["retrained_accuracy"] or 0) for row in curve]
    left = [float(row["percent_remaining"] or 0) for row in curve]
    best = max(range(len(curve)), key=accuracies.__getitem__)
    found = {"dense/accuracy": accuracies[0], "lost/accuracy": accuracies[0] - accuracies[-1]}
    for name, t in (("best", best), ("last", len(curve) - 1), ("within_a_point", sparsest_good(accuracies))):
        found |= {f"{name}/accuracy": accuracies[t], f"{name}/percent_remaining": left[t], f"{name}/iteration": t}
    at = float(tradeoff(left, accuracies).at(percent))
    return found if math.isnan(at) else found | {OBJECTIVE: at}
