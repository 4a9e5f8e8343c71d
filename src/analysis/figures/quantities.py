"""What is drawn of a run: one array over pruning iterations per seed, in a given reading; and means over seeds."""

import warnings
from collections.abc import Sequence

import numpy as np

from src.analysis.figures.readings import Reading
from src.records.run import FloatArray, Run, Side

OVERFLOW_COUNT = 10_000
"""Above about this many alive weights the authors' float32 norm overflowed at p = 0.1 (PROTOCOL 1.3)."""

MeanStd = tuple[FloatArray, FloatArray]


def accuracy(run: Run, side: Side, reading: Reading) -> FloatArray:
    """Accuracy in percent: retrained [T+1], pruned [T]."""
    values = run.table[f"{side}_accuracy"]
    if side == "retrained" and reading.final_accuracy == "best":
        values = _with_best_final(run, values)
    values = values if side == "retrained" else values[:-1]
    return running_mean(values) if reading.accuracy == "running_mean" else values


def _with_best_final(run: Run, values: FloatArray) -> FloatArray:
    """A4 where it was kept: `best_accuracy` is a test accuracy only where the test set chose the epoch."""
    kept = run.config["protocol"].get("decision", {}).get("checkpoint", "best_test") == "best_test"
    if not kept or "best_accuracy" not in run.table or np.isnan(run.table["best_accuracy"][-1]):
        return values
    return np.append(values[:-1], run.table["best_accuracy"][-1])


def pqi(run: Run, side: Side, reading: Reading) -> FloatArray:
    """PQ Index of the whole network, at (0.5, 1.0) unless each SAP run's own (p, q) is asked for."""
    own = run.method.settings
    if reading.curve_pq == "own" and isinstance(own.get("p"), float) and isinstance(own.get("q"), float):
        p, q = run.grid_axes
        row, column = int(np.abs(p - own["p"]).argmin()), int(np.abs(q - own["q"]).argmin())
        count = run.iterations + (side == "retrained")
        return np.array([run.grid(side, t)[row, column] for t in range(count)])
    values = run.table[f"{side}_pqi"]
    return values if side == "retrained" else values[:-1]


def overflowed(grid: FloatArray, p: FloatArray, remaining: FloatArray, reading: Reading) -> FloatArray:
    """B4: a grid [..., 10, 11] with p = 0.1 set to 0 where `remaining` [...] exceeds OVERFLOW_COUNT."""
    if not reading.legacy_overflow:
        return grid
    lost = np.isclose(p, 0.1)[:, None] & (remaining > OVERFLOW_COUNT)[..., None, None]
    return np.where(lost, 0.0, grid)


def difference(runs: Sequence[Run], name: str, reading: Reading) -> MeanStd:
    """Mean and error over seeds of the accuracy or PQI difference, [T] (PROTOCOL 4.5)."""
    pairs = [_difference_pair(run, name, reading) for run in runs]
    before, after = np.stack([pair[0] for pair in pairs]), np.stack([pair[1] for pair in pairs])
    mean, error = mean_std(before - after, reading.ddof)
    if reading.diff_std == "independent":
        error = np.hypot(mean_std(before, reading.ddof)[1], mean_std(after, reading.ddof)[1])
    return mean, error


def _difference_pair(run: Run, name: str, reading: Reading) -> tuple[FloatArray, FloatArray]:
    """Retrained and pruned; for one-shot the model before the latest pruning step and the one after it."""
    value = accuracy if name == "accuracy" else pqi
    retrained, pruned = value(run, "retrained", reading)[: run.iterations], value(run, "pruned", reading)
    if run.method.kind == "one_shot" and reading.one_shot_difference == "successive":
        return np.concatenate([retrained[:1], pruned[:-1]]), pruned
    return retrained, pruned


def bar_scale(reading: Reading) -> float:
    """What the published error bars of percent remaining were multiplied with: they were not in percent (B5)."""
    return 0.01 if reading.pr_std == "legacy" else 1.0


def running_mean(values: FloatArray) -> FloatArray:
    """M_t = (1/(t+1)) sum_{k=0..t} a_k along the last dimension (PROTOCOL 4.3).

    >>> running_mean(np.array([90.0, 80.0, 10.0]))
    array([90., 85., 60.])
    """
    return np.cumsum(values, axis=-1) / np.arange(1, values.shape[-1] + 1)


def mean_std(values: FloatArray, ddof: int = 0) -> MeanStd:
    """Mean and standard deviation over the first dimension (seeds), leaving out NaN; ddof 0 as in the paper."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        return np.nanmean(values, axis=0), np.nanstd(values, axis=0, ddof=ddof)
