"""What a run is worth, by which it is compared with others, and its networks that are kept. Imports no PyTorch."""

import math
from collections.abc import Iterable, Sequence
from itertools import pairwise
from pathlib import Path

from src.files import read_rows
from src.records.schema import ITERATIONS_FILE

LOST = 1.0
"""Points of accuracy that the sparsest good network may be behind that of iteration 0."""


def sparsest_good(accuracies: Sequence[float]) -> int:
    """Of iterations in their order the last whose accuracy (%) is no more than a point below that of iteration 0."""
    return max((t for t, accuracy in enumerate(accuracies) if accuracy >= accuracies[0] - LOST), default=0)


def kept_iterations(accuracies: Sequence[float]) -> set[int]:
    """Iterations whose networks a run keeps: the last, and the sparsest good one.

    >>> sorted(kept_iterations([90, 91, 89.5, 60, 89, 50, 10]))
    [4, 6]
    """
    return {sparsest_good(accuracies), len(accuracies) - 1}


def accuracy_at(folder: Path, percent: float) -> float:
    """The accuracy (%) of a run's networks at `percent` of the weights; NaN where it keeps more, or has no records."""
    try:
        rows = read_rows(folder / ITERATIONS_FILE)
        return interpolated(
            [(float(row["percent_remaining"]), float(row["retrained_accuracy"])) for row in rows], percent
        )
    except (OSError, KeyError, ValueError):
        return math.nan


def interpolated(curve: Iterable[tuple[float, float]], percent: float) -> float:
    """Accuracy at `percent` of a curve of (percent remaining, accuracy), linear in the logarithm of what remains.

    >>> interpolated([(100, 90), (10, 80), (1, 20)], 10), round(interpolated([(100, 90), (1, 20)], 10), 6)
    (80.0, 55.0)
    """
    points = [(math.log(left), accuracy) for left, accuracy in curve if left > 0]
    x = math.log(percent)
    for (a, above), (b, below) in pairwise([(math.inf, math.nan), *points]):
        if b == x:
            return float(below)
        if b < x < a:
            return above + (below - above) * (a - x) / (a - b)
    return math.nan
