"""The four panels of a row: retrained models, and pruned models before retraining (PROTOCOL 6.1, 6.2)."""

from collections.abc import Sequence

from src.figures.kinds.lines import GINI, ITERATION, PQI, REMAINING, Line, accuracy_label
from src.figures.quantities import accuracy, bar_scale, difference, pqi
from src.figures.readings import Reading
from src.figures.spec import Curve, CurvePanel


def retrained_panels(lines: Sequence[Line], scope: str, reading: Reading) -> tuple[CurvePanel, ...]:
    """Accuracy, percent remaining, PQ Index and Gini index of the retrained models, t = 0..T."""
    accuracies = [line.curve(line.mean(lambda run: accuracy(run, "retrained", reading), reading)) for line in lines]
    left = [line.curve(line.mean(lambda run: run.table["percent_remaining"], reading)) for line in lines]
    indices = [line.curve(line.mean(lambda run: pqi(run, "retrained", reading), reading)) for line in lines]
    ginis = [line.curve(line.mean(lambda run: run.table["retrained_gini"], reading)) for line in lines]
    return (
        _panel(accuracies, accuracy_label(reading), "retrained_accuracy", scope),
        _panel(left, REMAINING, "retrained_percent_remaining", scope, bar_scale(reading)),
        _panel(indices, PQI, "retrained_pqi", scope),
        _panel(ginis, GINI, "retrained_gini", scope),
    )


def pruned_panels(lines: Sequence[Line], scope: str, reading: Reading) -> tuple[CurvePanel, ...]:
    """Accuracy and PQ Index of the pruned models before retraining, and what pruning took away, t = 0..T-1."""
    accuracies = [line.curve(line.mean(lambda run: accuracy(run, "pruned", reading), reading)) for line in lines]
    drops = [line.curve(difference(line.runs, "accuracy", reading)) for line in lines]
    indices = [line.curve(line.mean(lambda run: pqi(run, "pruned", reading), reading)) for line in lines]
    index_drops = [line.curve(difference(line.runs, "pqi", reading)) for line in lines]
    return (
        _panel(accuracies, accuracy_label(reading), "pruned_accuracy", scope),
        _panel(drops, "Accuracy drop (points)", "pruned_accuracy_difference", scope),
        _panel(indices, PQI, "pruned_pqi", scope),
        _panel(index_drops, f"{PQI} drop", "pruned_pqi_difference", scope),
    )


def _panel(curves: Sequence[Curve], y_label: str, quantity: str, scope: str, bars: float = 1.0) -> CurvePanel:
    first = quantity in ("retrained_accuracy", "pruned_accuracy")
    return CurvePanel(
        tuple(curves), ITERATION, y_label, quantity, scope, legend="lower left" if first else None,
        spread="y" if quantity == "retrained_percent_remaining" else "", bar_scale=bars,
    )  # fmt: skip
