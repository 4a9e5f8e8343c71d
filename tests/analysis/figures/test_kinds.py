"""What each kind of figure shows, against the records it is made from."""

import shlex

import numpy as np
import pytest

from src.analysis.figures import compared
from src.analysis.figures.catalogue import KINDS, build
from src.analysis.figures.kinds import shown
from src.analysis.figures.plan import Filter, Plan
from src.analysis.figures.readings import CORRECTED, PUBLISHED, running_mean
from src.analysis.figures.spec import STYLES, style_named
from src.analysis.published.curves import with_published
from src.analysis.settings import FigureSettings
from src.config.command_line import read_settings
from src.figures import draw_figures
from src.records.library import load_library
from src.records.method import FOUR_METHODS, LOTTERY_TICKET, SAP
from src.records.study import Study, studies
from tests.analysis.synthetic import ABLATIONS, FOUR, Spec, base_specs, write_runs

SCOPES = ("neuron", "layer", "global")


@pytest.fixture(scope="module")
def study(tmp_path_factory) -> Study:
    folder = tmp_path_factory.mktemp("kinds")
    write_runs(folder, base_specs("cifar10", "cnn", (0, 1), SCOPES) + [Spec(method) for method in ABLATIONS])
    return studies(load_library(folder).runs)[0]


def plan_of(kind: str, study: Study, **chosen) -> Plan:
    return KINDS[kind](kind, study, Filter(**chosen))[0]


def values(study: Study, column: str, method=SAP, scope="global") -> np.ndarray:
    return np.stack([run.table[column] for run in study.series(scope, method)])


def test_prune_shows_means_and_population_deviations_over_seeds(study):
    accuracy, left, pqi, gini = plan_of("prune", study, scopes=("global",)).build(CORRECTED).panels
    columns = ("retrained_accuracy", "percent_remaining", "retrained_pqi", "retrained_gini")
    for panel, column in zip((accuracy, left, pqi, gini), columns, strict=True):
        assert [curve.key for curve in panel.curves] == [method.short for method in FOUR_METHODS]
        for curve, method in zip(panel.curves, FOUR_METHODS, strict=True):
            assert curve.y == pytest.approx(values(study, column, method).mean(0))
            assert curve.error == pytest.approx(values(study, column, method).std(0))
            assert curve.seeds == (0, 1)


def test_pruned_ends_one_iteration_earlier(study):
    spec = plan_of("pruned", study, scopes=("global",)).build(CORRECTED)
    assert {curve.t.tolist()[-1] for panel in spec.panels for curve in panel.curves} == {29}
    drop = spec.panels[1].curves[2]
    paired = values(study, "retrained_accuracy", LOTTERY_TICKET) - values(study, "pruned_accuracy", LOTTERY_TICKET)
    assert drop.y == pytest.approx(paired[:, :-1].mean(0))


@pytest.mark.parametrize(
    ("kind", "keys"),
    [
        ("p", ["sap-0.2-1-0-1", "sap-0.4-1-0-1", "sap-0.5-1-0-1", "sap-0.6-1-0-1", "sap-0.8-1-0-1"]),
        ("q", ["sap-1-1.2-0-1", "sap-1-1.4-0-1", "sap-1-1.6-0-1", "sap-1-1.8-0-1", "sap-1-2-0-1"]),
        ("eta", ["sap-0.5-1-0-1", "sap-0.5-1-0.001-1", "sap-0.5-1-0.01-1", "sap-0.5-1-0.1-1", "sap-0.5-1-1-1"]),
        ("gamma", ["sap-0.5-1-0-1", "sap-0.5-1-0-3", "sap-0.5-1-0-5", "sap-0.5-1-0-7", "sap-0.5-1-0-9"]),
    ],
)
def test_ablations_are_ordered_by_value_and_drawn_where_they_were_run(study, kind, keys):
    (plan,) = KINDS[kind](kind, study, Filter())
    assert [curve.key for curve in plan.build(CORRECTED).panels[0].curves] == keys


def test_the_trade_off_pairs_accuracy_with_its_own_scopes_weights(study):
    panels = plan_of("ratio", study).build(CORRECTED).panels
    assert [panel.scope for panel in panels] == list(SCOPES)
    for panel in panels:
        assert panel.curves[0].x == pytest.approx(values(study, "percent_remaining", SAP, panel.scope).mean(0))
        assert panel.curves[0].y == pytest.approx(values(study, "retrained_accuracy", SAP, panel.scope).mean(0))


def test_the_published_trade_off_exchanges_the_axes_and_cuts_the_low_end(study):
    spec = plan_of("ratio", study).build(PUBLISHED)
    for panel, other in zip(spec.panels, ("global", "layer", "neuron"), strict=True):
        assert panel.curves[0].x == pytest.approx(values(study, "percent_remaining", SAP, other).mean(0))
    lowest = [min(curve.y.min() for curve in panel.curves) for panel in spec.panels]
    assert min(lowest) < spec.panels[0].y_limits[0] < max(lowest)
    assert "exchanged" in spec.notes[0]


def test_layers_show_the_first_the_middle_and_the_last(study):
    spec = plan_of("layer", study).build(CORRECTED)
    runs = study.series("neuron", SAP)
    assert [curve.label for curve in spec.panels[0].curves] == ["First layer", "Middle layer", "Last layer"]
    for curve, index in zip(spec.panels[0].curves, (0, 2, 4), strict=True):
        assert curve.y == pytest.approx(np.mean([run.layers["percent_remaining"][:, index] for run in runs], axis=0))


def test_layer_wise_pqi_is_at_one_p_and_q_and_mixed_as_published(study):
    runs = study.series("neuron", SAP)
    plan = plan_of("si_layer", study)
    fixed, mixed = plan.build(CORRECTED), plan.build(PUBLISHED)
    assert fixed.panels[0].curves[2].y == pytest.approx(np.mean([run.layers["retrained_pqi"][:, 4] for run in runs], 0))
    grids = np.mean([run.layer_grids("retrained") for run in runs], axis=0)
    assert mixed.panels[0].curves[1].y == pytest.approx(grids[:, 2, 4, 10])
    assert mixed.panels[0].curves[2].y == pytest.approx(grids[:, 4, 9, 10])
    assert "(0.1, 1), (0.5, 2), (1, 2)" in mixed.notes[0]


def test_heat_maps_are_means_over_seeds_in_one_range(study):
    spec = plan_of("pq", study, scopes=("global",), methods=(SAP.short,)).build(CORRECTED)
    runs = study.series("global", SAP)
    assert [panel.title for panel in spec.panels] == ["T=0", "T=10", "T=20", "T=30"]
    assert spec.panels[1].values == pytest.approx(np.mean([run.grid("retrained", 10) for run in runs], axis=0))
    everything = np.stack([panel.values for panel in spec.panels])
    assert {panel.limits for panel in spec.panels} == {(everything.min(), everything.max())}
    assert plan_of("pq", study, scopes=("global",)).build(PUBLISHED).panels[0].values[0].tolist() == [0] * 11


def test_heat_maps_are_of_the_papers_iterations():
    assert (shown(30), shown(15)) == ((0, 10, 20, 30), (0, 4, 8, 15))
    assert (shown(6), shown(1), shown(0)) == ((0, 2, 4, 6), (0, 1), (0,))


def test_each_error_of_the_paper_stands_beside_what_was_measured(study):
    specs = {plan.build(CORRECTED).name.split("_cifar")[0]: plan for plan in KINDS["errors"]("errors", study, Filter())}
    names = ["running_mean", "exchanged_axes", "mixed_pq", "short_bars"]
    assert list(specs) == [f"errors_{name}" for name in names]
    measured, published = specs["errors_running_mean"].build(CORRECTED).panels[:2]
    assert published.curves[0].y == pytest.approx(running_mean(values(study, "retrained_accuracy")).mean(0))
    assert measured.curves[0].y == pytest.approx(values(study, "retrained_accuracy").mean(0))
    neuron, neuron_drawn, whole, whole_drawn = specs["errors_exchanged_axes"].build(PUBLISHED).panels
    assert neuron_drawn.curves[0].x.tolist() == whole.curves[0].x.tolist()
    assert whole_drawn.curves[0].x.tolist() == neuron.curves[0].x.tolist()
    assert [p.title for p in (neuron, neuron_drawn)] == ["Neuron, measured", "Neuron, as published"]
    assert [p.title for p in specs["errors_mixed_pq"].build(CORRECTED).panels] == [
        "Global, measured",
        "Global, as published",
    ]
    bars, bars_drawn = specs["errors_short_bars"].build(CORRECTED).panels
    assert bars_drawn.curves[0].y == pytest.approx(bars.curves[0].y / 100)
    assert bars.curves[0].each is None
    assert "0 of 808 of percent remaining" in specs["errors_short_bars"].build(CORRECTED).notes[-1]


def test_errors_say_what_they_do_in_numbers(study):
    plan = KINDS["errors"]("errors", study, Filter())[0]
    spec = plan.build(CORRECTED)
    final = values(study, "retrained_accuracy")[:, -1].mean()
    drawn = running_mean(values(study, "retrained_accuracy"))[:, -1].mean()
    assert spec.notes[0] == f"Retrained, SAP (p=0.5, q=1.0): {final:.1f} % at T=30, drawn as {drawn:.1f} %"


def test_errors_are_the_same_in_every_reading(study):
    settings = read_settings(FigureSettings, ["reading=published", "overlay=true"])
    spec = build(KINDS["errors"]("errors", study, Filter())[0], settings)
    assert not spec.has_published
    assert spec.name == "errors_running_mean_cifar10-cnn-T30-paper-reference_global"


def test_of_a_network_with_one_layer_layer_wise_and_global_are_the_same(tmp_path):
    write_runs(tmp_path, base_specs("cifar10", "linear", (0,), SCOPES))
    (linear,) = studies(load_library(tmp_path).runs)
    assert linear.scopes == ("neuron", "global")
    assert linear.series("layer", SAP) == linear.series("global", SAP)
    (ratio,) = KINDS["ratio"]("ratio", linear, Filter())
    assert [panel.title for panel in ratio.build(CORRECTED).panels] == ["Neuron-wise Pruning", "Layer = Global Pruning"]
    assert KINDS["layer"]("layer", linear, Filter()) == []
    assert [plan.scopes for plan in KINDS["prune"]("prune", linear, Filter())] == [("neuron",), ("global",)]


def test_published_layer_curves_are_put_behind_in_the_published_reading_only(study):
    plan = plan_of("si_layer", study)
    corrected = with_published(plan.build(CORRECTED), study.setting, CORRECTED)
    assert not corrected.has_published
    assert "can be compared in the published reading only" in corrected.notes[-1]
    assert with_published(plan.build(PUBLISHED), study.setting, PUBLISHED).has_published


def test_a_figure_tells_the_command_that_draws_it(study):
    settings = read_settings(FigureSettings, ["reading=published", "overlay=true", "plot.ddof=1", "style=paper"])
    spec = build(plan_of("prune", study, scopes=("global",)), settings)
    assert spec.command == (
        "python -m src.figures figure=prune dataset=cifar10 model=cnn scope=global trainer=paper reading=published "
        "style=paper overlay=true plot.ddof=1"
    )


def test_the_command_of_a_figure_draws_that_figure_alone(study, tmp_path):
    settings = read_settings(FigureSettings, [f"output_dir={study.runs[0].output_dir}"])
    for kind in ("layer", "ratio", "pq"):
        spec = build(KINDS[kind](kind, study, Filter())[-1], settings)
        words = [*shlex.split(spec.command)[3:], f"destination={tmp_path / kind}", "formats=svg"]
        drawn = draw_figures(read_settings(FigureSettings, words))
        assert [path.stem for path in drawn.paths] == [spec.name]


def test_length_compares_studies_that_differ_in_their_epochs_alone(tmp_path):
    three = [Spec(dict(spec.method), epochs=3) for spec in base_specs("cifar10", "cnn", (0,), ("global",))]
    write_runs(tmp_path, base_specs("cifar10", "cnn", (0, 1), ("global",)) + three)
    found = studies(load_library(tmp_path).runs)
    (plan,) = compared.lengths(found, Filter(scopes=("global",)))
    panels = plan.build(CORRECTED).panels
    assert len(panels) == len(FOUR_METHODS)
    assert [curve.label for curve in panels[0].curves] == ["E=3, 1 seed", "E=200, 2 seeds"]
    assert not compared.lengths(found[:1], Filter())


def test_lengths_look_different_and_say_whose_they_are(tmp_path):
    specs = [Spec(FOUR[0], epochs=epochs) for epochs in (1, 2, 5, 10, 20, 50, 100)]
    write_runs(tmp_path, [*specs, Spec(FOUR[0], epochs=20, trainer="quick")])
    (plan,) = compared.lengths(studies(load_library(tmp_path).runs), Filter(scopes=("global",)))
    (panel,) = plan.build(CORRECTED).panels
    assert len({curve.slot for curve in panel.curves}) == 8
    twenty = [curve.label for curve in panel.curves if curve.label.startswith("E=20")]
    assert sorted(twenty) == ["E=20, paper, 1 seed", "E=20, quick, 1 seed"]


def test_controls_stand_beside_the_method_that_they_change(tmp_path):
    specs = [Spec(method, seed) for method in (*FOUR, {**FOUR[0], "measure": "gini"}) for seed in (0, 1)]
    write_runs(tmp_path, specs)
    (study,) = studies(load_library(tmp_path).runs)
    (plan,) = compared.controls("controls", study, Filter())
    assert [(s.method.short, s.guest) for s in plan.series] == [("sap-0.5-1-0-1", False), ("sap-0.5-1-0-1-gini", True)]
    accuracies, enlarged, indices = plan.build(CORRECTED).panels
    assert [curve.label for curve in accuracies.curves] == ["as in the paper", "SAP by Gini (p=0.5, q=1.0)"]
    assert accuracies.x_label == indices.x_label == "Remaining weights (%)"
    control = study.series("global", plan.series[1].method)
    expected = np.mean([run.table["retrained_pqi"] for run in control], axis=0)
    np.testing.assert_allclose(indices.curves[1].y, expected)
    assert (accuracies.zoom, enlarged.zoom, indices.zoom) == (False, True, False)


def test_controls_of_each_method_stand_in_a_row(tmp_path):
    write_runs(tmp_path, [Spec(method) for each in FOUR[:2] for method in (each, {**each, "measure": "gini"})])
    (study,) = studies(load_library(tmp_path).runs)
    spec = plan_of("controls", study).build(CORRECTED)
    assert (len(spec.panels), spec.shape) == (6, (2, 3))
    assert (len(spec.without_enlarged().panels), spec.without_enlarged().shape) == (4, (2, 2))


def test_where_seeds_differ_the_legend_says_how_many_each_curve_has(tmp_path):
    write_runs(tmp_path, [Spec(FOUR[0], 0), Spec(FOUR[0], 1), Spec(FOUR[2], 0)])
    (found,) = studies(load_library(tmp_path).runs)
    curves = plan_of("prune", found).build(CORRECTED).panels[0].curves
    assert [c.label for c in curves] == ["SAP (p=0.5, q=1.0), 2 seeds", "Lottery Ticket (P=0.2), 1 seed"]


def test_curves_keep_their_seeds_and_know_when_few_weights_are_left(tmp_path):
    write_runs(tmp_path, [Spec(FOUR[3], seed, model="linear") for seed in (0, 1)])
    (found,) = studies(load_library(tmp_path).runs)
    retrained, pruned = (plan_of(kind, found) for kind in ("prune", "pruned"))
    curve = retrained.build(CORRECTED).panels[0].curves[0]
    method = found.runs[0].method
    assert curve.each == pytest.approx(values(found, "retrained_accuracy", method))
    left, first = values(found, "remaining", method).mean(0), int(curve.few_from)
    assert left[first] < 100 <= left[first - 1]
    assert pruned.build(CORRECTED).panels[0].curves[0].few_from == first - 1
    assert pruned.build(CORRECTED).panels[1].curves[0].each is not None
    assert pruned.build(PUBLISHED).panels[1].curves[0].each is None  # errors that are not the seeds' own


@pytest.mark.parametrize("name", STYLES)
def test_no_two_controls_look_alike(name):
    style = style_named(name)
    strokes = [style.stroke(slot) for slot in ("base", *compared.OF_CONTROLS)]
    assert len({(stroke.colour, stroke.line, stroke.marker) for stroke in strokes}) == len(strokes)
    assert len({stroke.colour for stroke in strokes}) == len(strokes) - 1  # the seventh is the fifth with another line
