"""What a run is worth, by which it is compared with others, and its networks that are kept. Imports no PyTorch."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from src.files import read_rows
from src.records.schema import ITERATIONS_FILE

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from src.records.run import FloatArray

LOST = 1.0
"""Points of accuracy that the sparsest good network may be behind that of iteration 0."""
PERCENTAGES = (50.0, 20.0, 10.0, 5.0, 2.0, 1.0, 0.5)
"""Of the weights left, at which tables compare accuracies."""


def sparsest_good(accuracies: Sequence[float], lost: float = LOST) -> int:
    """Of iterations in their order the last whose accuracy (%) is no more than `lost` points below iteration 0's."""
    return max((t for t, accuracy in enumerate(accuracies) if accuracy >= accuracies[0] - lost), default=0)


def kept_iterations(accuracies: Sequence[float]) -> set[int]:
    """Iterations whose networks a run keeps: the last, and the sparsest good one.

    >>> sorted(kept_iterations([90, 91, 89.5, 60, 89, 50, 10]))
    [4, 6]
    """
    return {sparsest_good(accuracies), len(accuracies) - 1}


class Tradeoff(NamedTuple):
    """log10 of percent remaining, rising, and accuracy in percent, both [n]."""

    log_percent: FloatArray
    accuracy: FloatArray

    @property
    def sparsest(self) -> float:
        """log10 of the smallest percentage reached; infinite where no accuracy is known."""
        return float(self.log_percent.min(initial=math.inf))

    def at(self, percent: ArrayLike) -> FloatArray:
        """Accuracy at these percentages, linear in their logarithm; NaN where the run did not get to.

        >>> tradeoff([100, 10, 1], [90, 80, 20]).at(10), round(float(tradeoff([100, 1], [90, 20]).at(10)), 6)
        (array(80.), 55.0)
        """
        import numpy as np

        known = self if len(self.accuracy) else Tradeoff(np.array([math.inf]), np.array([math.nan]))
        return np.asarray(np.interp(np.log10(percent), *known, left=math.nan, right=math.nan))


def tradeoff(percent: ArrayLike, accuracy: ArrayLike) -> Tradeoff:
    """From values per iteration [T+1]; iterations with equally many weights count as one, with their mean accuracy.

    >>> tradeoff([100.0, 10.0, 10.0], [90.0, 80.0, 70.0])
    Tradeoff(log_percent=array([1., 2.]), accuracy=array([75., 90.]))
    """
    import numpy as np

    left, accuracies = np.asarray(percent, np.float64), np.asarray(accuracy, np.float64)
    known = np.isfinite(accuracies) & (left > 0)
    log_percent, place = np.unique(np.log10(left[known]), return_inverse=True)
    return Tradeoff(log_percent, np.bincount(place, accuracies[known]) / np.bincount(place))


def accuracy_at(folder: Path, percent: float) -> float:
    """The accuracy (%) of a run's networks at `percent` of the weights; NaN where it keeps more, or has no records."""
    try:
        rows = read_rows(folder / ITERATIONS_FILE)
        columns = ([float(row[name]) for row in rows] for name in ("percent_remaining", "retrained_accuracy"))
        return float(tradeoff(*columns).at(percent))
    except (OSError, KeyError, ValueError):
        return math.nan
