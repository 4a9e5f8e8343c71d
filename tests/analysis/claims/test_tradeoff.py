"""Accuracy at equal sparsity and areas, by hand."""

import numpy as np
import pytest

from src.analysis.claims.tradeoff import mean_over
from src.records.objective import tradeoff

STRAIGHT = tradeoff(np.array([100.0, 10.0, 1.0]), np.array([90.0, 80.0, 70.0]))


def test_accuracy_between_iterations_is_linear_in_the_logarithm():
    assert STRAIGHT.at(np.array([100.0, 10**1.5, 1.0])) == pytest.approx([90, 85, 70])


def test_what_was_not_reached_is_not_a_number():
    assert np.isnan(STRAIGHT.at(np.array([0.9])))


def test_the_area_does_not_depend_on_where_the_iterations_lie():
    dense = tradeoff(np.logspace(2, 0, 50), np.linspace(90, 70, 50))
    assert mean_over(STRAIGHT, 0.3, 1.9) == pytest.approx(mean_over(dense, 0.3, 1.9))
    assert mean_over(STRAIGHT, 0.0, 1.0) == pytest.approx(75)


def test_undefined_points_are_left_out():
    assert tradeoff(np.array([100.0, 0.0, 10.0]), np.array([90.0, 5.0, np.nan])).accuracy.tolist() == [90.0]
