"""Accuracy against the weights that are left, on a log axis: values at equal sparsity, and the area under the curve."""

from typing import NamedTuple

import numpy as np

from src.records.run import FloatArray, Run


class Tradeoff(NamedTuple):
    """log10 of percent remaining, rising, and accuracy in percent, both [n]."""

    log_percent: FloatArray
    accuracy: FloatArray

    @property
    def sparsest(self) -> float:
        """log10 of the smallest percentage reached."""
        return float(self.log_percent[0])


def tradeoff(percent: FloatArray, accuracy: FloatArray) -> Tradeoff:
    """From values per iteration [T+1]; iterations with equally many weights count as one, with their mean accuracy.

    >>> tradeoff(np.array([100.0, 10.0, 10.0]), np.array([90.0, 80.0, 70.0]))
    Tradeoff(log_percent=array([1., 2.]), accuracy=array([75., 90.]))
    """
    known = np.isfinite(accuracy) & (percent > 0)
    log_percent, place = np.unique(np.log10(percent[known]), return_inverse=True)
    return Tradeoff(log_percent, np.bincount(place, accuracy[known]) / np.bincount(place))


def of_run(run: Run) -> Tradeoff:
    """The retrained networks of a run."""
    return tradeoff(run.table["percent_remaining"], run.table["retrained_accuracy"])


def accuracy_at(curve: Tradeoff, percent: FloatArray) -> FloatArray:
    """Accuracy at these percentages, linear in their logarithm between iterations; NaN where the run did not get to."""
    wanted = np.log10(percent)
    return np.interp(wanted, curve.log_percent, curve.accuracy, left=np.nan, right=np.nan)


def mean_over(curve: Tradeoff, low: float, high: float = 2.0) -> float:
    """Area under the curve from log10 percent `low` to `high`, divided by its width: a mean accuracy in percent.

    >>> mean_over(tradeoff(np.array([100.0, 1.0]), np.array([90.0, 10.0])), low=0.0)
    50.0
    """
    inner = curve.log_percent[(curve.log_percent > low) & (curve.log_percent < high)]
    x = np.concatenate([[low], inner, [high]])
    y = np.interp(x, *curve)
    return float((np.diff(x) * (y[1:] + y[:-1]) / 2.0).sum() / (high - low))
