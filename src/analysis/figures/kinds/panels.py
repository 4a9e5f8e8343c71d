"""Lines with the runs a study has of them, and the four panels of a row (PROTOCOL 6.1, 6.2)."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from src.analysis.figures.plan import Series
from src.analysis.figures.quantities import MeanStd, accuracy, bar_scale, difference, mean_std, pqi
from src.analysis.figures.readings import Reading
from src.analysis.figures.spec import ACCURACY, GINI, ITERATION, PQI, REMAINING, Curve, CurvePanel
from src.records.run import FloatArray, Run
from src.records.study import Study

TITLES = {"neuron": "Neuron-wise Pruning", "layer": "Layer-wise Pruning", "global": "Global Pruning"}


@dataclass(frozen=True)
class Line:
    """Slot in the style, name in the legend, key, one run per seed."""

    slot: str
    label: str
    key: str
    runs: tuple[Run, ...]

    def curve(self, values: MeanStd, x: FloatArray | None = None) -> Curve:
        """The line's curve with mean and error [n], against the iteration where no x is given."""
        t = np.arange(len(values[0]), dtype=np.float64)
        seeds = tuple(run.seed for run in self.runs)
        return Curve(self.label, self.slot, self.key, t, t if x is None else x, *values, seeds)

    def mean(self, value: Callable[[Run], FloatArray], reading: Reading) -> MeanStd:
        """Mean and standard deviation over seeds of one array per run."""
        return mean_std(np.stack([value(run) for run in self.runs]), reading.ddof)


def lines_of(study: Study, scope: str, series: Iterable[Series]) -> tuple[Line, ...]:
    """One line for each series that the study has runs of."""
    lines = (Line(s.slot, s.label, s.method.short, study.series(scope, s.method)) for s in series)
    return tuple(line for line in lines if line.runs)


def accuracy_label(reading: Reading) -> str:
    """Says whether the accuracy itself or its running mean is drawn."""
    return "Mean accuracy 0..T (%)" if reading.accuracy == "running_mean" else ACCURACY


def retrained_panels(lines: Sequence[Line], scope: str, reading: Reading) -> tuple[CurvePanel, ...]:
    """Accuracy, percent remaining, PQ Index and Gini index of the retrained models, t = 0..T."""

    def panel(quantity: str, label: str, value: Callable[[Run], FloatArray], bars: float = 1.0) -> CurvePanel:
        return _panel([line.curve(line.mean(value, reading)) for line in lines], label, quantity, scope, bars)

    return (
        panel("retrained_accuracy", accuracy_label(reading), lambda run: accuracy(run, "retrained", reading)),
        panel("retrained_percent_remaining", REMAINING, lambda run: run.table["percent_remaining"], bar_scale(reading)),
        panel("retrained_pqi", PQI, lambda run: pqi(run, "retrained", reading)),
        panel("retrained_gini", GINI, lambda run: run.table["retrained_gini"]),
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
