"""Published curves: read, un-averaged, compared with records that were made from them."""

import csv
from dataclasses import replace
from itertools import zip_longest
from pathlib import Path

import numpy as np
import pytest

from src.analysis.figures.kinds import plans
from src.analysis.figures.plan import Filter
from src.analysis.figures.readings import CORRECTED, PUBLISHED, Reading, running_mean
from src.analysis.published.curves import Key, PublishedCurve, published_curves, visible_bars, with_published
from src.analysis.published.distance import distance_table, distances
from src.analysis.tables.table import as_csv, as_markdown
from src.records.library import load_library
from src.records.method import FOUR_METHODS
from src.records.study import studies
from tests.analysis.synthetic import FOUR, Spec, write_run

FIG2 = {"retrained_accuracy", "retrained_percent_remaining", "retrained_pqi", "retrained_gini", "pruned_accuracy",
        "pruned_pqi"}  # fmt: skip
PER_RUN = replace(PUBLISHED, final_accuracy="recorded")
"""The published reading without A4: the records here have no better epoch."""


def curve(quantity: str, method: str, scope: str = "global", model: str = "cnn", layer: str = "") -> PublishedCurve:
    return published_curves()[Key("cifar10", model, scope, quantity, method, layer)]


def write_published_run(output_dir: Path, method: dict[str, object], key: str) -> None:
    """A run whose records are the paper's Fig. 2, accuracies un-averaged."""
    folder = write_run(output_dir, Spec(method))
    with (folder / "iterations.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    for quantity in FIG2:
        found = curve(quantity, key)
        found = found.unaveraged() if quantity.endswith("accuracy") else found
        column = quantity.replace("retrained_percent", "percent")
        assert list(found.t) == list(range(31 if quantity.startswith("retrained") else 30))
        for row, value in zip_longest(rows, found.y.tolist(), fillvalue=""):
            row[column] = value
    with (folder / "iterations.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    folder = tmp_path_factory.mktemp("published")
    for method, key in zip(FOUR, (m.short for m in FOUR_METHODS), strict=True):
        write_published_run(folder, method, key)
    return studies(load_library(folder).runs)[0]


def test_readings_agree_with_values_read_by_eye():
    assert curve("retrained_accuracy", "sap-0.5-1-0-1").y[30] == pytest.approx(77.5, abs=0.1)
    assert curve("retrained_accuracy", "lt-0.2").y[30] == pytest.approx(82, abs=1)
    assert curve("retrained_percent_remaining", "sap-1-2-0-1").y[1:3] == pytest.approx([23, 8], abs=0.5)
    assert curve("retrained_pqi", "sap-0.5-1-0-1", model="resnet18").y[0] == pytest.approx(0.305, abs=0.005)
    first = curve("layer_percent_remaining", "sap-0.5-1-0-1", "neuron", layer="first")
    assert first.y[1] == pytest.approx(90.5, abs=0.7)


def test_a_collapsed_stretch_reads_as_chance_once_un_averaged():
    collapsed = curve("retrained_accuracy", "sap-1-2-0-1").unaveraged().y[15:]
    assert collapsed.mean() == pytest.approx(10, abs=0.3)


def test_un_averaging_undoes_the_running_mean_and_adds_reading_errors_in_squares():
    true = np.array([90.0, 80.0, 10.0])
    t = np.arange(3.0)
    found = PublishedCurve(t, t, running_mean(true), np.array([0.3, 0.4, 0.5])).unaveraged()
    assert found.y == pytest.approx(true)
    assert found.reading_error == pytest.approx([0.3, np.hypot(2 * 0.4, 0.3), np.hypot(3 * 0.5, 2 * 0.4)])


def test_a_gap_in_a_published_curve_leaves_out_what_needs_it():
    t = np.array([0.0, 1.0, 3.0, 4.0])
    assert PublishedCurve(t, t, t, t).unaveraged().t.tolist() == [0, 1, 4]


@pytest.mark.parametrize("reading", [CORRECTED, PER_RUN])
@pytest.mark.parametrize("kind", ["prune", "pruned"])
def test_records_made_from_the_published_curves_are_at_distance_zero(study, kind: str, reading: Reading):
    (plan,) = plans(kind, study, Filter())
    rows = distances(with_published(plan.build(reading), study.setting, reading))
    exact = [row for row in rows if row.quantity in FIG2]
    assert len(exact) == 4 * (4 if kind == "prune" else 2)
    assert all(row.largest == pytest.approx(0, abs=1e-9) for row in exact)
    assert {(row.within, row.seeds) for row in exact} == {(1.0, 1)}


@pytest.mark.parametrize(("reading", "points"), [(CORRECTED, 0.6), (PER_RUN, 0.03)])
def test_difference_panels_are_what_their_curves_differ_by(study, reading: Reading, points: float):
    """The paper's difference panels were read on their own: they check the definition, One Shot's included."""
    (plan,) = plans("pruned", study, Filter())
    rows = distances(with_published(plan.build(reading), study.setting, reading))
    means = {(row.quantity, row.curve): row.mean for row in rows if row.quantity.endswith("difference")}
    assert len(means) == 8
    assert all(mean < (points if "accuracy" in quantity else 0.001) for (quantity, _), mean in means.items()), means


def test_a_distance_is_the_mean_and_the_largest_of_the_differences(study):
    (plan,) = plans("prune", study, Filter())
    spec = with_published(plan.build(CORRECTED), study.setting, CORRECTED)
    panel = spec.panels[2]
    shift = np.zeros(31)
    shift[[4, 9]] = 0.1, -0.3
    moved = tuple(replace(c, y=c.y + shift, error=np.full(31, 0.001)) for c in panel.curves)
    rows = distances(replace(spec, panels=(replace(panel, curves=moved),)))
    assert [row.unit for row in rows] == ["PQ Index"] * 4
    assert rows[0].mean == pytest.approx(0.4 / 31)
    assert (rows[0].largest, rows[0].largest_iteration) == (pytest.approx(0.3), 9)
    assert rows[0].within == pytest.approx(29 / 31)


def test_percent_remaining_is_compared_on_a_log_scale_where_it_can_be_told_from_zero(study):
    (plan,) = plans("prune", study, Filter())
    spec = with_published(plan.build(CORRECTED), study.setting, CORRECTED)
    panel = spec.panels[1]
    doubled = tuple(replace(c, y=2 * c.y) for c in panel.curves)
    row = next(r for r in distances(replace(spec, panels=(replace(panel, curves=doubled),))) if "sap-1-2" in r.curve)
    assert (row.mean, row.largest) == (pytest.approx(np.log10(2)), pytest.approx(np.log10(2)))
    assert row.points + row.left_out == 31
    assert row.left_out > 15


def test_the_trade_offs_axes_are_exchanged_back_in_the_corrected_reading():
    drawn = {scope: curve("tradeoff", "sap-0.5-1-0-1", scope) for scope in ("neuron", "global")}
    global_counts = curve("retrained_percent_remaining", "sap-0.5-1-0-1")
    assert drawn["neuron"].x[:6] == pytest.approx(global_counts.y[:6], abs=0.3)

    from src.analysis.published.curves import published_in

    key = Key("cifar10", "cnn", "global", "tradeoff", "sap-0.5-1-0-1")
    assert published_in(key, CORRECTED).x[:6] == pytest.approx(global_counts.y[:6], abs=0.3)
    assert published_in(key, PUBLISHED).x.tolist() == drawn["global"].x.tolist()


def test_no_published_curve_is_put_behind_other_networks(four_methods):
    (other,) = studies(load_library(four_methods).runs)
    (plan,) = plans("prune", other, Filter())
    setting = replace(other.setting, model="mlp")
    assert not with_published(plan.build(CORRECTED), setting, CORRECTED).has_published
    assert with_published(plan.build(CORRECTED), other.setting, CORRECTED).has_published


def test_no_error_bar_of_percent_remaining_can_be_seen_in_the_pictures():
    assert visible_bars("retrained_percent_remaining") == (0, 4 * 31 + 20 * 31 + 4 * 16)
    assert visible_bars("retrained_gini") == (225, 808)


def test_tables_have_a_line_per_curve(study):
    (plan,) = plans("prune", study, Filter())
    spec = replace(plan.build(CORRECTED), setting=study.setting)
    table = distance_table([with_published(spec, study.setting, CORRECTED)])
    lines = as_csv(table).splitlines()
    assert len(lines) == 1 + 16
    assert lines[1].startswith("cifar10,cnn,prune,global,retrained_accuracy,sap-0.5-1-0-1,1,accuracy points,31,0,")
    assert as_markdown(table).count("\n| cifar10 | cnn | prune |") == 16


@pytest.mark.parametrize(("std", "within"), [(0.0, 0.0), (0.2, 0.0), (0.3, 1.0)])
def test_points_within_the_reading_error_and_two_deviations_count(study, std: float, within: float):
    (plan,) = plans("prune", study, Filter())
    spec = with_published(plan.build(CORRECTED), study.setting, CORRECTED)
    panel = spec.panels[2]
    pairs = zip(panel.curves, panel.published, strict=True)
    moved = tuple(replace(ours, y=ours.y + 1.5 * theirs.error, error=std * theirs.error) for ours, theirs in pairs)
    assert [row.within for row in distances(replace(spec, panels=(replace(panel, curves=moved),)))] == [within] * 4
