"""Aggregation over seeds, and the running mean of the published accuracies."""

import warnings

import numpy as np

from src.figures.records.run import FloatArray


def running_mean(values: FloatArray) -> FloatArray:
    """M_t = (1/(t+1)) sum_{k=0..t} a_k along the last dimension (PROTOCOL 4.3).

    >>> running_mean(np.array([90.0, 80.0, 10.0]))
    array([90., 85., 60.])
    """
    return np.cumsum(values, axis=-1) / np.arange(1, values.shape[-1] + 1)


def mean_std(values: FloatArray, ddof: int = 0) -> tuple[FloatArray, FloatArray]:
    """Mean and standard deviation over the first dimension (seeds), leaving out NaN; ddof 0 as in the paper."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        return np.nanmean(values, axis=0), np.nanstd(values, axis=0, ddof=ddof)
