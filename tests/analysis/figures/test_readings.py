"""The corrected and the published reading of the same records (PROTOCOL 7.B), on numbers worked out by hand."""

from dataclasses import replace

import numpy as np
import pytest

from src.analysis.figures.kinds import places, published_entry
from src.analysis.figures.readings import (
    CORRECTED,
    PUBLISHED,
    accuracy,
    difference,
    mean_std,
    overflowed,
    pqi,
    running_mean,
)
from src.analysis.settings import FigureSettings
from src.config.command_line import read_settings
from src.errors import UserError
from src.records.library import load_library
from src.records.method import paper_method
from src.records.run import load_run
from tests.analysis.synthetic import FOUR, P, Q, Spec, sap, write_run


class HandMade:
    """The parts of a run that quantities read: T = 2."""

    iterations = 2

    def __init__(self, method, retrained, pruned):
        self.method = paper_method(method["name"], **{k: v for k, v in method.items() if k != "name"})
        self.config = {"protocol": {"decision": {"checkpoint": "best_test"}}}
        self.table = {
            "retrained_accuracy": np.array(retrained),
            "pruned_accuracy": np.array([*pruned, np.nan]),
            "retrained_pqi": np.array([0.3, 0.2, 0.4]),
            "pruned_pqi": np.array([0.25, 0.1, np.nan]),
            "best_accuracy": np.array([91.0, 81.0, 31.0]),
        }


SAP_RUN = HandMade(FOUR[0], [90.0, 80.0, 10.0], [70.0, 20.0])
ONE_SHOT_RUN = HandMade(FOUR[3], [90.0, 80.0, 10.0], [70.0, 20.0])


def test_the_published_accuracies_are_running_means():
    published = replace(PUBLISHED, final_accuracy="recorded")
    assert accuracy(SAP_RUN, "retrained", CORRECTED).tolist() == [90, 80, 10]
    assert accuracy(SAP_RUN, "retrained", published).tolist() == [90, 85, 60]
    assert accuracy(SAP_RUN, "pruned", CORRECTED).tolist() == [70, 20]
    assert accuracy(SAP_RUN, "pruned", PUBLISHED).tolist() == [70, 45]


def test_the_last_published_accuracy_is_that_of_the_best_epoch_where_the_test_set_chose_it():
    assert accuracy(SAP_RUN, "retrained", PUBLISHED)[-1] == (90 + 80 + 31) / 3
    chosen_otherwise = HandMade(FOUR[0], [90.0, 80.0, 10.0], [70.0, 20.0])
    chosen_otherwise.config = {"protocol": {"decision": {"checkpoint": "best_val"}}}
    assert accuracy(chosen_otherwise, "retrained", PUBLISHED)[-1] == 60


def test_differences_are_paired_by_seed():
    other = HandMade(FOUR[0], [92.0, 84.0, 10.0], [72.0, 24.0])
    mean, error = difference([SAP_RUN, other], "accuracy", CORRECTED)
    assert (mean.tolist(), error.tolist()) == ([20, 60], [0, 0])
    _, independent = difference([SAP_RUN, other], "accuracy", replace(CORRECTED, diff_std="independent"))
    assert independent == pytest.approx([np.hypot(1, 1), np.hypot(2, 2)])


def test_one_shots_difference_is_that_of_the_latest_step():
    assert difference([ONE_SHOT_RUN], "accuracy", CORRECTED)[0].tolist() == [90 - 70, 70 - 20]
    assert difference([ONE_SHOT_RUN], "pqi", CORRECTED)[0] == pytest.approx([0.05, 0.15])
    retrained = replace(CORRECTED, one_shot_difference="retrained")
    assert difference([ONE_SHOT_RUN], "accuracy", retrained)[0].tolist() == [20, 60]


def test_overflow_sets_p_of_a_tenth_to_zero_in_large_networks():
    grids = np.ones((2, 10, 11))
    published = overflowed(grids, P, np.array([1e6, 5e3]), PUBLISHED)
    assert published[0, 0].tolist() == [0] * 11
    assert published.sum() == grids.sum() - 11
    assert np.array_equal(overflowed(grids, P, np.array([1e6, 5e3]), CORRECTED), grids)


def test_curves_can_show_the_runs_own_p_and_q(tmp_path):
    run = load_run(write_run(tmp_path, Spec(sap(p=1.0, q=1.6))))
    own = pqi(run, "retrained", replace(CORRECTED, curve_pq="own"))
    assert own[7] == run.grid("retrained", 7)[9, 6]
    assert pqi(run, "retrained", CORRECTED)[7] == pytest.approx(run.grid("retrained", 7)[4, 0])
    assert (P[9], Q[6]) == (1.0, 1.6)
    assert len(load_library(tmp_path).runs) == 1


@pytest.mark.parametrize(("p", "q"), [(0.33, 1.0), (0.5, 4.0)])
def test_a_p_or_q_that_is_not_on_the_grid_is_told(tmp_path, p, q):
    run = load_run(write_run(tmp_path, Spec(sap())))
    off = replace(run, method=replace(run.method, settings={**run.method.settings, "p": p, "q": q}))
    with pytest.raises(
        UserError, match=rf"its p={p:g}, q={q:g} is not on the grid .* p=0.1\|.*\|1, q=1\|1.1.*\|2; take"
    ):
        pqi(off, "retrained", replace(CORRECTED, curve_pq="own"))
    assert pqi(off, "retrained", CORRECTED)[0] > 0


@pytest.mark.parametrize(
    ("layers", "expected"),
    [
        (5, {"first": (0, 0, 0), "middle": (2, 4, 10), "last": (4, 9, 10)}),
        (21, {"first": (0, 0, 0), "middle": (10, 4, 10), "last": (20, 9, 10)}),
        (54, {"middle": (27, 0, 0)}),
    ],
)
def test_the_published_layer_curves_have_mixed_p_and_q(layers, expected):
    """PROTOCOL 6.6: (0.1, 1.0), (0.5, 2.0), (1.0, 2.0); the middle at (0.1, 1.0) for an even number of layers."""
    assert {place: published_entry(place, layers) for place in expected} == expected


def test_the_middle_layer_is_rounded_half_to_even():
    assert [places(n).get("middle") for n in (1, 2, 3, 5, 21, 22, 54)] == [None, None, 1, 2, 10, 10, 26]


def test_statistics_over_seeds():
    mean, std = mean_std(np.array([[1.0, np.nan], [3.0, 4.0]]))
    assert (mean.tolist(), std.tolist()) == ([2, 4], [1, 0])
    assert mean_std(np.array([[1.0], [3.0]]), ddof=1)[1] == pytest.approx([np.sqrt(2)])
    assert running_mean(np.array([[3.0, 5.0], [1.0, 1.0]])).tolist() == [[3, 4], [1, 1]]


def test_single_choices_change_a_preset():
    settings = read_settings(FigureSettings, ["reading=published", "plot.accuracy=per_iteration", "plot.ddof=1"])
    assert settings.resolved_reading() == replace(PUBLISHED, accuracy="per_iteration", ddof=1)
    assert settings.marks == ("published", "accuracy=per_iteration", "ddof=1")


@pytest.mark.parametrize(
    ("argument", "says"),
    [
        ("reeding=x", "did you mean reading"),
        ("published", "not key=value"),
        ("plot.accuracy=mean", "plot.accuracy.*per_iteration, running_mean"),
        ("plot.ddof=many", "plot.ddof"),
    ],
)
def test_bad_arguments_are_told(argument, says):
    with pytest.raises(UserError, match=says):
        read_settings(FigureSettings, [argument])


def test_an_unknown_reading_is_told():
    with pytest.raises(UserError, match="corrected, published"):
        read_settings(FigureSettings, ["reading=nice"]).check()
