"""Intervals whose ends can be told."""

import numpy as np
import pytest

from src.analysis.claims.finding import interval, leave_one_out


def test_seeds_that_agree_leave_no_uncertainty():
    assert interval(np.full(4, 2.5)) == (2.5, 2.5)


def test_three_seeds_have_students_interval():
    low, high = interval(np.array([1.0, 5.0, 3.0]))
    assert (low, high) == pytest.approx((3 - 4.3027 * 2 / np.sqrt(3), 3 + 4.3027 * 2 / np.sqrt(3)), abs=1e-3)


@pytest.mark.parametrize("seeds", [3, 4])
def test_it_holds_the_mean_as_often_as_it_says(seeds):
    draws = np.random.default_rng(2).standard_normal((2000, seeds))
    held = [low <= 0 <= high for low, high in map(interval, draws)]
    assert 0.93 < np.mean(held) < 0.97


def test_many_seeds_have_the_normal_interval():
    values = np.random.default_rng(1).standard_normal(400)
    half = 1.96 * values.std() / 20
    assert np.allclose(interval(values), [values.mean() - half, values.mean() + half], atol=0.01)


def test_leave_one_out_is_the_mean_of_the_others():
    assert leave_one_out(np.array([1.0, 2.0, 6.0])).tolist() == [4.0, 3.5, 1.5]
    assert leave_one_out(np.array([3.0])).tolist() == [3.0]
