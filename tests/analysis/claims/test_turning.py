"""Turning points of curves drawn by hand."""

import numpy as np
import pytest

from src.analysis.claims.phases import phases, turns


@pytest.mark.parametrize(
    ("curve", "expected"),
    [
        ([3, 1, 2, 5, 0], (1, 3, 4)),
        ([3, 2, 1, 2, 3, 2, 1, 0], (2, 4, 7)),
        ([3, 1, 6, 0, 2, 2], (1, 2, 3)),  # a wiggle after the collapse is not the rise
        ([3, 2, 4, 7, 5, 0], (1, 3, 5)),
        ([3, 1, 2, 5], (1, 3, 3)),  # no second fall: the peak is the end
        ([3, 2, 1, 4, 5, 4.5, 4.6], (2, 4, 5)),
        ([3, 1, 1.5, 1.3, 2, 2.5], (1, 5, 5)),  # a dip on the way up is no second fall
        ([3, 2.9, 2.905, 2.9, 1, 0.5], (5, 5, 5)),  # all of it is the first fall: nothing rises that counts
        ([3.0, 3.0, 3.0, 3.0, 1.0], (4, 4, 4)),
        ([3, 2, 1, 1.005, 1.002], (2, 3, 4)),
        ([3, 1], (1, 1, 1)),
        ([3], (0, 0, 0)),
    ],
)
def test_turns(curve, expected):
    assert tuple(int(point) for point in turns(np.array(curve, float))) == expected


def test_phases_are_measured_at_the_given_turns():
    curve = np.array([3.0, 1.0, 2.0, 5.0, 0.5])
    assert phases(curve, turns(curve)).tolist() == [2.0, 4.0, 4.5]


def test_a_falling_curve_does_not_rise_and_a_rising_one_does_not_fall():
    falling, rising = np.arange(5.0)[::-1], np.arange(5.0)
    assert phases(falling, turns(falling)).tolist() == [4, 0, 0]
    assert phases(rising, turns(rising))[0] <= 0


def test_curves_are_independent_of_each_other():
    curves = np.random.default_rng(0).random((6, 12))
    together, alone = np.stack(turns(curves)), [np.stack(turns(curve)) for curve in curves]
    assert np.array_equal(together, np.stack(alone, axis=1))
