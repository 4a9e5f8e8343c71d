"""Tables of records made in memory."""

import numpy as np
import pytest

from src.analysis.tables.results import tables, within_loss
from src.analysis.tables.table import Spread
from src.records.library import load_library
from src.records.method import LOTTERY_TICKET
from src.records.objective import kept_iterations
from src.records.study import studies
from tests.analysis.in_memory import run, study
from tests.analysis.synthetic import FOUR, Spec, write_runs


def cells(records, name):
    table = next(table for table in tables([records]) if table.name == name)
    return [dict(zip([c.key for c in table.columns], row, strict=True)) for row in table.rows]


def two_seeds():
    return study(
        run(seed, retrained_accuracy=[90 + seed, 91, 80], retrained_pqi=[0.3, 0.2, 0.1 + seed],
            percent_remaining=[100, 50, 10])
        for seed in range(2)
    )  # fmt: skip


@pytest.fixture(autouse=True)
def _no_network(monkeypatch):
    monkeypatch.setattr("src.analysis.tables.results._network", lambda *_: None)


def test_accuracy():
    (row,) = cells(two_seeds(), "accuracy")
    assert (row["dataset"], row["scope"], row["method"], row["seeds"]) == ("cifar10", "global", "SAP (p=0.5, q=1.0)", 2)
    assert row["dense_accuracy"] == Spread(90.5, 0.5)
    assert row["final_accuracy"] == Spread(80.0, 0.0)
    assert row["best_accuracy"] == Spread(91.0, 0.0)
    assert row["percent_remaining"] == Spread(10.0, 0.0)
    assert row["pqi"] == Spread(pytest.approx(0.6), 0.5)


def test_compression_is_the_sparsest_within_a_point_even_after_a_dip():
    dips = run(0, percent_remaining=[100, 50, 25, 10], retrained_accuracy=[90, 88, 89, 88.9])
    assert within_loss(dips) == 2
    (row,) = cells(study([dips]), "compression")
    assert (row["percent_remaining"], row["compression"]) == (Spread(25.0), Spread(4.0))


def test_what_training_gives_back_of_what_a_pruning_took():
    seeds = [run(s, retrained_pqi=[0.3, 0.2 + 0.05 * s, 0.2], pruned_pqi=[0.1, 0.1, np.nan]) for s in range(2)]
    (row,) = cells(study(seeds), "given_back")
    assert [row[key].mean for key in ("dense", "pruned", "retrained")] == pytest.approx([0.3, 0.1, 0.225])
    assert row["given_back_1"].mean == pytest.approx((50 + 75) / 2)
    assert row["given_back_10"].mean == pytest.approx((100 * 0.2 / 0.3 + 100 * 0.25 / 0.35) / 2)
    dense, by_chance = run(0, percent_remaining=[100]), run(0, retrained_pqi=[0.3, 0.4], pruned_pqi=[0.299, np.nan])
    assert [cells(study([each]), "given_back")[0]["given_back_1"] for each in (dense, by_chance)] == [None, None]


def test_of_iterations_with_as_many_weights_the_last_counts_whose_network_is_kept():
    stuck = run(0, percent_remaining=[100, 50, 50, 50], retrained_accuracy=[90, 91, 89, 88])
    assert within_loss(stuck) == 2
    assert 2 in kept_iterations([90, 91, 89, 88])


def test_accuracy_at_equal_sparsity_is_empty_where_a_seed_does_not_get():
    reaches = run(0, percent_remaining=[100, 1], retrained_accuracy=[90, 70])
    stops = run(1, percent_remaining=[100, 10], retrained_accuracy=[90, 80])
    (row,) = cells(study([reaches, stops]), "equal_sparsity")
    assert row["accuracy_at_10"] == Spread(80.0, 0.0)
    assert row["accuracy_at_5"] is None
    assert row["area_100_to_10"] == Spread(85.0, 0.0)
    assert row["area_100_to_1"] is None


def test_a_row_for_each_scope_and_method():
    runs = [run(0, m, s, retrained_pqi=np.ones(3)) for m in (LOTTERY_TICKET,) for s in ("layer", "global")]
    assert [row["scope"] for row in cells(study(runs), "accuracy")] == ["layer", "global"]


def test_a_method_that_leaves_layers_out_is_compared_with_none_by_percentages(tmp_path):
    partial = FOUR[2] | {"exclude": ["conv1.weight"]}
    write_runs(tmp_path, [Spec(method, seed) for method in (*FOUR[:3], partial) for seed in range(2)])
    found = studies(load_library(tmp_path).runs)
    for table in (table for table in tables(found) if table.name in ("compression", "equal_sparsity")):
        names = [str(row[4]) for row in table.rows]
        bold = {names[i] for i, _ in table.best}
        (of_partial,) = (name for name in names if "without" in name)
        assert bold
        assert of_partial not in bold


def test_of_no_weights_there_is_no_compression():
    gone = run(0, percent_remaining=[100, 50, 0], retrained_accuracy=[10, 10, 10])
    (row,) = cells(study([gone]), "compression")
    assert (row["percent_remaining"], row["compression"]) == (Spread(0.0), None)
