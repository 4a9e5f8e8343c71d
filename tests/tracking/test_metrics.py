"""The table that maps columns of the records to W&B metrics."""

from src.tracking.metrics import METRICS, axes, named
from tests.tracking.examples import ROWS


def test_pqi_is_drawn_against_both_axes():
    drawn = {(metric.name, metric.x) for metric in METRICS if metric.column == "retrained_pqi"}
    assert ("retrained/pqi", "iteration") in drawn
    assert ("by_percent_remaining/retrained/pqi", "percent_remaining") in drawn


def test_every_metric_has_one_name_and_an_x_axis_that_exists():
    names = [metric.name for metric in METRICS]
    assert len(set(names)) == len(names)
    assert {metric.x for metric in METRICS} - {None} <= set(names)


def test_named_leaves_out_what_is_not_defined():
    assert named("iterations", {"iteration": 2, "pruned_pqi": None, "retrained_loss": 0.0, "unknown": 1}) == {
        "iteration": 2,
        "retrained/loss": 0.0,
    }


def test_every_column_of_a_row_reaches_wandb():
    assert len(named("iterations", ROWS[0])) == len(ROWS[0]) + 5


def test_layers_are_defined_by_a_pattern_and_axes_come_first():
    assert axes()["layer/*"] == "iteration"
    assert list(axes().items())[:2] == [("iteration", None), ("epoch", None)]
