"""Intervals whose ends can be told."""

import numpy as np

from src.analysis.claims.finding import interval, leave_one_out, resampled_means


def test_seeds_that_agree_leave_no_uncertainty():
    assert interval(np.full(4, 2.5)).tolist() == [2.5, 2.5]


def test_three_seeds_have_their_range():
    assert np.allclose(interval(np.array([1.0, 5.0, 2.0])), [1.0, 5.0])


def test_many_seeds_have_the_normal_interval():
    values = np.random.default_rng(1).standard_normal(400)
    half = 1.96 * values.std() / 20
    assert np.allclose(interval(values), [values.mean() - half, values.mean() + half], atol=0.01)


def test_curves_are_resampled_as_wholes():
    curves = np.stack([np.arange(3.0), np.arange(3.0) + 10])
    drawn = resampled_means(curves)
    assert np.allclose(drawn - drawn[:, :1], np.arange(3.0))


def test_leave_one_out_is_the_mean_of_the_others():
    assert leave_one_out(np.array([1.0, 2.0, 6.0])).tolist() == [4.0, 3.5, 1.5]
    assert leave_one_out(np.array([3.0])).tolist() == [3.0]
