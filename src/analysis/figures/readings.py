"""How records are reported: corrected, or as the paper did (PROTOCOL 7.B), and what is drawn of a run in a reading.

The records are the same. Values are one array over pruning iterations per seed, and means over seeds.
"""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from src.errors import UserError
from src.records.run import FloatArray, Run, Side

EXCHANGED = {"neuron": "global", "layer": "layer", "global": "neuron"}
"""Scope whose x axis the paper's trade-off of a scope has (B2)."""
OVERFLOW_COUNT = 10_000
"""Above about this many alive weights the authors' float32 norm overflowed at p = 0.1 (PROTOCOL 1.3)."""
MeanStd = tuple[FloatArray, FloatArray]


@dataclass(frozen=True)
class Reading:
    """Every reporting choice; the defaults are the corrected reading."""

    accuracy: Literal["per_iteration", "running_mean"] = "per_iteration"
    """B1: the accuracy of each iteration, or its running mean over iterations 0..t."""
    ratio_axes: Literal["own_scope", "published"] = "own_scope"
    """B2: percent remaining of the panel's own scope, or neuron and global exchanged."""
    si_layer_pq: Literal["fixed", "published"] = "fixed"
    """B3: (0.5, 1.0) for every layer, or (0.1, 1.0), (0.5, 2.0), (1.0, 2.0) for first, middle, last."""
    legacy_overflow: bool = False
    """B4: the PQ Index at p = 0.1 of a large network as it overflowed in float32."""
    pr_std: Literal["percent", "legacy"] = "percent"
    """B5: the standard deviation of percent remaining in percent, or a hundred times too short."""
    curve_pq: Literal["fixed", "own"] = "fixed"
    """B6: the (p, q) of the PQ Index curves: (0.5, 1.0) for all, or each SAP run's own."""
    diff_std: Literal["paired", "independent"] = "paired"
    """B7: standard deviation of the per-seed differences, or of the two as if they were independent."""
    ddof: int = 0
    """B8: 0 as in the paper, or 1."""
    one_shot_difference: Literal["successive", "retrained"] = "successive"
    """B9: the drop by the latest pruning step alone, or retrained minus pruned as for the other methods."""
    ratio_x: Literal["linear", "log"] = "linear"
    """B10: a linear x axis and the paper's y limits, which cut off the low end, or a log axis and all of y."""
    final_accuracy: Literal["recorded", "best"] = "recorded"
    """A4: the accuracy of iteration T at its last epoch, or at its best one as when the paper's figures were made."""


CORRECTED = Reading()
PUBLISHED = replace(
    CORRECTED, accuracy="running_mean", ratio_axes="published", si_layer_pq="published", legacy_overflow=True,
    pr_std="legacy", diff_std="independent", final_accuracy="best",
)  # fmt: skip
READINGS = {"corrected": CORRECTED, "published": PUBLISHED}


def accuracy(run: Run, side: Side, reading: Reading) -> FloatArray:
    """Accuracy in percent: retrained [T+1], pruned [T]."""
    values = run.table[f"{side}_accuracy"]
    if side == "pruned":
        values = values[:-1]
    elif reading.final_accuracy == "best" and "best_accuracy" in run.table:
        # A4 where it was kept: `best_accuracy` is a test accuracy only where the test set chose the epoch.
        kept = run.config["protocol"].get("decision", {}).get("checkpoint", "best_test") == "best_test"
        best = run.table["best_accuracy"][-1]
        values = np.append(values[:-1], best) if kept and not np.isnan(best) else values
    return running_mean(values) if reading.accuracy == "running_mean" else values


def pqi(run: Run, side: Side, reading: Reading) -> FloatArray:
    """PQ Index of the whole network, at (0.5, 1.0) unless each SAP run's own (p, q) is asked for.

    Raises UserError where that is not on the grid of the records.
    """
    own = run.method.settings
    if reading.curve_pq == "own" and isinstance(own.get("p"), float) and isinstance(own.get("q"), float):
        p, q = run.grid_axes
        rows, columns = np.isclose(p, own["p"]), np.isclose(q, own["q"])
        if not (rows.any() and columns.any()):
            grid = ", ".join(f"{name}={'|'.join(f'{x:g}' for x in axis)}" for name, axis in (("p", p), ("q", q)))
            raise UserError(
                f"plot.curve_pq=own is not possible for {run.name}: its p={own['p']:g}, q={own['q']:g} is not on the "
                f"grid that is recorded, {grid}; take plot.curve_pq=fixed, or leave the method out with method=..."
            )
        count = run.iterations + (side == "retrained")
        return run.grids(side, range(count))[:, rows.argmax(), columns.argmax()]
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
    before, after = (np.stack(values) for values in zip(*pairs, strict=True))
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
