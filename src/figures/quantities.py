"""What is drawn of a run: one array over pruning iterations per seed, in a given reading."""

from collections.abc import Sequence

import numpy as np

from src.figures.readings import Accuracy, CurvePq, DifferenceStd, FinalAccuracy, OneShotDifference, Reading
from src.figures.records.run import FloatArray, Run, Side
from src.figures.spec import Curve
from src.figures.statistics import mean_std, running_mean

PERCENT = 100.0


def accuracy(run: Run, side: Side, reading: Reading) -> FloatArray:
    """Accuracy in percent: retrained [T+1], pruned [T]."""
    values = run.table[f"{side}_accuracy"]
    if side == "retrained" and reading.final_accuracy == FinalAccuracy.best:
        values = _with_best_final(run, values)
    values = values if side == "retrained" else values[:-1]
    return running_mean(values) if reading.accuracy == Accuracy.running_mean else values


def _with_best_final(run: Run, values: FloatArray) -> FloatArray:
    """A4 where it was kept: `best_accuracy` is a test accuracy only where the test set chose the epoch."""
    kept = run.config["protocol"].get("decision", {}).get("checkpoint", "best_test") == "best_test"
    if not kept or "best_accuracy" not in run.table or np.isnan(run.table["best_accuracy"][-1]):
        return values
    return np.append(values[:-1], run.table["best_accuracy"][-1])


def pqi(run: Run, side: Side, reading: Reading) -> FloatArray:
    """PQ Index of the whole network, at (0.5, 1.0) unless each SAP run's own (p, q) is asked for."""
    if reading.curve_pq == CurvePq.own and run.method.name == "sap":
        p, q = run.grid_axes
        row, column = int(np.abs(p - run.method.p).argmin()), int(np.abs(q - run.method.q).argmin())
        count = run.iterations + (side == "retrained")
        return np.array([run.grid(side, t)[row, column] for t in range(count)])
    values = run.table[f"{side}_pqi"]
    return values if side == "retrained" else values[:-1]


def difference_pair(run: Run, name: str, reading: Reading) -> tuple[FloatArray, FloatArray]:
    """Minuend and subtrahend [T] of the accuracy or PQI difference (PROTOCOL 4.5).

    Retrained minus pruned; for one-shot the model before the latest pruning step minus the one after it, both
    without retraining.
    """
    value = accuracy if name == "accuracy" else pqi
    retrained, pruned = value(run, "retrained", reading)[: run.iterations], value(run, "pruned", reading)
    if run.method.name == "one_shot" and reading.one_shot_difference == OneShotDifference.successive:
        return np.concatenate([retrained[:1], pruned[:-1]]), pruned
    return retrained, pruned


def difference_curve(runs: Sequence[Run], name: str, reading: Reading, slot: str, label: str) -> Curve:
    """Mean over seeds of the accuracy or PQI difference."""
    pairs = [difference_pair(run, name, reading) for run in runs]
    before, after = np.stack([pair[0] for pair in pairs]), np.stack([pair[1] for pair in pairs])
    mean, error = mean_std(before - after, reading.ddof)
    if reading.diff_std == DifferenceStd.independent:
        error = np.hypot(mean_std(before, reading.ddof)[1], mean_std(after, reading.ddof)[1])
    return Curve(label, slot, np.arange(len(mean), dtype=np.float64), mean, error)


def mean_curve(values: Sequence[FloatArray], reading: Reading, slot: str, label: str) -> Curve:
    """Mean over seeds of one array per seed, against the iteration."""
    mean, error = mean_std(np.stack(values), reading.ddof)
    return Curve(label, slot, np.arange(len(mean), dtype=np.float64), mean, error)


def remaining_curve(values: Sequence[FloatArray], reading: Reading, slot: str, label: str) -> Curve:
    """As `mean_curve` for percentages of remaining weights, whose published error bars were not in percent."""
    curve = mean_curve(values, reading, slot, label)
    scale = 1 / PERCENT if reading.pr_std == "legacy" else 1.0
    return Curve(label, slot, curve.x, curve.y, curve.error * scale)
