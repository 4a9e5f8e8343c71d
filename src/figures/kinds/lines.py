"""Curves to be: a series of the paper with the runs a study has of it."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from src.figures.quantities import MeanStd
from src.figures.readings import Accuracy, Reading
from src.figures.records import Run, Study
from src.figures.records.run import FloatArray
from src.figures.series import Series
from src.figures.spec import Curve
from src.figures.statistics import mean_std

ITERATION = "Iteration"
REMAINING, PQI, GINI = "Remaining weights (%)", "PQ Index", "Gini index"
TITLES = {"neuron": "Neuron-wise Pruning", "layer": "Layer-wise Pruning", "global": "Global Pruning"}


@dataclass(frozen=True)
class Line:
    """Slot in the style, name in the legend, key, one run per seed."""

    slot: str
    label: str
    key: str
    runs: tuple[Run, ...]

    @property
    def seeds(self) -> tuple[int, ...]:
        return tuple(run.seed for run in self.runs)

    def curve(self, values: MeanStd, x: FloatArray | None = None) -> Curve:
        """The line's curve with mean and error [n], against the iteration where no x is given."""
        t = np.arange(len(values[0]), dtype=np.float64)
        return Curve(self.label, self.slot, self.key, t, t if x is None else x, *values, self.seeds)

    def mean(self, value: Callable[[Run], FloatArray], reading: Reading) -> MeanStd:
        """Mean and standard deviation over seeds of one array per run."""
        return mean_std(np.stack([value(run) for run in self.runs]), reading.ddof)


def lines_of(study: Study, scope: str, series: Iterable[Series]) -> tuple[Line, ...]:
    """One line for each series that the study has runs of."""
    lines = (Line(s.slot, s.label, s.method.key, study.series(scope, s.method)) for s in series)
    return tuple(line for line in lines if line.runs)


def seeds_of(lines: Sequence[Line]) -> tuple[int, ...]:
    """All seeds of the lines, ordered."""
    return tuple(sorted({seed for line in lines for seed in line.seeds}))


def accuracy_label(reading: Reading) -> str:
    """Says whether the accuracy itself or its running mean is drawn."""
    return "Mean accuracy 0..T (%)" if reading.accuracy == Accuracy.running_mean else "Accuracy (%)"
