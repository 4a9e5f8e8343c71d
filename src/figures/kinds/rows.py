"""The four panels of a row: retrained models, and pruned models before retraining (PROTOCOL 6.1, 6.2)."""

from collections.abc import Callable, Sequence

from src.figures.kinds.lines import Line
from src.figures.quantities import accuracy, difference_curve, mean_curve, pqi, remaining_curve
from src.figures.readings import Accuracy, Reading
from src.figures.records.run import FloatArray, Run
from src.figures.spec import CurvePanel

ITERATION = "Iteration (T)"
REMAINING, PQI, GINI = "Percent of Remaining Weights", "PQ Index", "Gini Index"


def accuracy_label(reading: Reading) -> str:
    """The paper's label where its running mean is drawn, with the unit where the accuracy itself is."""
    return "Accuracy" if reading.accuracy == Accuracy.running_mean else "Accuracy (%)"


def retrained_panels(lines: Sequence[Line], reading: Reading) -> tuple[CurvePanel, ...]:
    """Accuracy, percent remaining, PQ Index and Gini index of the retrained models, t = 0..T."""
    remaining = tuple(
        remaining_curve([run.table["percent_remaining"] for run in line.runs], reading, line.slot, line.label)
        for line in lines
    )
    label = accuracy_label(reading)
    return (
        _means(label, lines, lambda run: accuracy(run, "retrained", reading), reading, "lower left"),
        CurvePanel(remaining, ITERATION, REMAINING, spread="y"),
        _means(PQI, lines, lambda run: pqi(run, "retrained", reading), reading),
        _means(GINI, lines, lambda run: run.table["retrained_gini"], reading),
    )


def pruned_panels(lines: Sequence[Line], reading: Reading) -> tuple[CurvePanel, ...]:
    """Accuracy and PQ Index of the pruned models before retraining, and what pruning took away, t = 0..T-1."""
    label = accuracy_label(reading)
    return (
        _means(label, lines, lambda run: accuracy(run, "pruned", reading), reading, "lower left"),
        _differences("Accuracy Difference", lines, "accuracy", reading),
        _means(PQI, lines, lambda run: pqi(run, "pruned", reading), reading),
        _differences(f"{PQI} Difference", lines, "pqi", reading),
    )


def _means(
    y_label: str, lines: Sequence[Line], value: Callable[[Run], FloatArray], reading: Reading, legend: str = ""
) -> CurvePanel:
    curves = [mean_curve([value(run) for run in line.runs], reading, line.slot, line.label) for line in lines]
    return CurvePanel(tuple(curves), ITERATION, y_label, legend=legend)


def _differences(y_label: str, lines: Sequence[Line], name: str, reading: Reading) -> CurvePanel:
    curves = [difference_curve(line.runs, name, reading, line.slot, line.label) for line in lines]
    return CurvePanel(tuple(curves), ITERATION, y_label)
