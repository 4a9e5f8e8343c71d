"""Where a curve falls, rises and falls again."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from src.records.csv_table import FloatArray

TIE = 1e-6


class Turns(NamedTuple):
    """Iterations [...] of the trough, of the peak after it, and of the lowest point after the peak."""

    trough: npt.NDArray[np.intp]
    peak: npt.NDArray[np.intp]
    end: npt.NDArray[np.intp]


def turns(y: FloatArray) -> Turns:
    """The turns of curves y [..., T+1] that make the smallest of the three phases as large as possible.

    A curve without three phases gets the turns that make the smaller of fall and rise as large as possible.

    >>> [int(t) for t in turns(np.array([3.0, 1.0, 2.0, 5.0, 0.0]))]
    [1, 3, 4]
    """
    t = np.arange(y.shape[-1])
    fall = np.broadcast_to((y[..., :1] - y)[..., :, None], (*y.shape, len(t)))
    rise = y[..., None, :] - y[..., :, None]
    again = np.broadcast_to((y - _lowest_after(y))[..., None, :], fall.shape)
    in_order = t[:, None] < t[None, :]
    # Where one phase is the smallest for several turns, the others are to be as large as possible.
    two = np.where(in_order, np.minimum(fall, rise) + TIE * (fall + rise), -np.inf)
    three = np.minimum(two, again) + TIE * again
    has_three = three.max(axis=(-2, -1), keepdims=True) > 0
    best = np.where(has_three, three, two).reshape(*y.shape[:-1], -1).argmax(-1)
    trough, peak = np.divmod(best, len(t))
    after = np.where(t > peak[..., None], y, np.inf)
    return Turns(trough, peak, np.where(peak == t[-1], t[-1], after.argmin(-1)))


def phases(y: FloatArray, turning: Turns) -> FloatArray:
    """Sizes of the fall to the trough, the rise to the peak and the fall after it, positive as named: [..., 3]."""
    low, high, last = (np.take_along_axis(y, point[..., None], -1) for point in turning)
    return np.concatenate([y[..., :1] - low, high - low, high - last], axis=-1)


def _lowest_after(y: FloatArray) -> FloatArray:
    """Minimum of y over the iterations after each one; the last is its own."""
    backwards = np.minimum.accumulate(y[..., ::-1], axis=-1)[..., ::-1]
    return np.concatenate([backwards[..., 1:], y[..., -1:]], axis=-1)
