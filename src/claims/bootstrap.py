"""Resampling seeds: how far a mean over seeds could have been another."""

import numpy as np

from src.figures.records.run import FloatArray

RESAMPLES = 2000
LEVEL = 0.95


def resampled_means(per_seed: FloatArray) -> FloatArray:
    """Means over seeds drawn with replacement: [n, ...] -> [RESAMPLES, ...]; the same draws every time."""
    count = len(per_seed)
    drawn = np.random.default_rng(0).multinomial(count, np.full(count, 1 / count), size=RESAMPLES) / count
    return np.tensordot(drawn, per_seed, axes=1)


def interval(per_seed: FloatArray) -> FloatArray:
    """Percentile bootstrap interval of the mean: [n, ...] -> [2, ...], lower and upper end at LEVEL.

    With three seeds it is their range. It takes seeds as exchangeable and is too short for few of them: read it as a
    check of whether seeds agree, not as a probability.
    """
    tail = (1 - LEVEL) / 2
    ends: FloatArray = np.quantile(resampled_means(per_seed), [tail, 1 - tail], axis=0)
    return ends


def leave_one_out(per_seed: FloatArray) -> FloatArray:
    """For each seed the mean of the others, [n, ...]; a single seed stands for itself."""
    count = len(per_seed)
    if count == 1:
        return per_seed
    others: FloatArray = (per_seed.sum(axis=0) - per_seed) / (count - 1)
    return others
