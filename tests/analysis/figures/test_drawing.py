"""Drawn figures: equal files for equal records, nothing overlaps, nothing is cut off."""

import os
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from matplotlib.figure import Figure

from src.analysis.figures.catalogue import KINDS, build, plan_figures
from src.analysis.figures.drawing.figure import draw
from src.analysis.figures.drawing.panels import FEW_COLOUR
from src.analysis.figures.of_paper import OF_PAPER
from src.analysis.figures.spec import OTHERS, Curve, CurvePanel, FigureSpec, style_named
from src.analysis.settings import FigureSettings
from src.config.command_line import read_settings
from src.records.library import load_library
from src.records.study import studies
from tests.analysis.synthetic import ABLATIONS, FOUR, Spec, base_specs, write_run, write_runs
from tests.support import ROOT

CLEAN, PAPER = style_named("default"), style_named("paper")


@pytest.fixture(scope="module")
def everything(tmp_path_factory):
    """Records for every kind: CIFAR10 x CNN, one seed."""
    folder = tmp_path_factory.mktemp("everything")
    scopes = base_specs("cifar10", "cnn", [0], ("neuron", "layer", "global"))
    write_runs(folder, [*scopes, *(Spec(method) for method in (*ABLATIONS, {**FOUR[0], "measure": "gini"}))])
    return folder


def specs_of(output_dir, *arguments: str) -> dict[str, FigureSpec]:
    settings = read_settings(FigureSettings, [f"output_dir={output_dir}", *arguments])
    library = load_library(output_dir)
    plans = plan_figures(settings, studies(library.runs), library)
    specs = [build(plan, settings) for plan in plans]
    return {spec.name: spec for spec in specs}


def one_of(output_dir, kind: str, *arguments: str) -> FigureSpec:
    """The first figure of a kind."""
    return next(iter(specs_of(output_dir, f"figure={kind}", *arguments).values()))


def boxes(figure: Figure) -> dict[str, tuple[float, float, float, float]]:
    """Extents in pixels of what must not overlap: axes' frames, labels, titles, tick labels, the legend."""
    figure.draw_without_rendering()
    found = {}
    for i, ax in enumerate(figure.axes):
        found[f"frame {i}"] = ax.get_window_extent().extents
        for name, text in (("x label", ax.xaxis.label), ("y label", ax.yaxis.label), ("title", ax.title)):
            if text.get_text():
                found[f"{name} {i}"] = text.get_window_extent().extents
        for axis in (ax.xaxis, ax.yaxis):
            for text in axis.get_ticklabels():
                visible = text.get_visible() and text.get_text() and _within(text, ax, axis)
                if visible:
                    found[f"tick {axis.axis_name} {i} {text.get_text()}"] = text.get_window_extent().extents
    for i, text in enumerate(figure.texts):
        found[f"text {i}"] = text.get_window_extent().extents
    for legend in figure.legends:
        found["legend"] = legend.get_window_extent().extents
    return found


def _within(text, ax, axis) -> bool:
    low, high = sorted(ax.get_xlim() if axis.axis_name == "x" else ax.get_ylim())
    at = text.get_position()[0 if axis.axis_name == "x" else 1]
    return low <= at <= high


def overlaps(found: dict[str, tuple[float, float, float, float]]) -> list[str]:
    names = list(found)
    return [
        f"{a} / {b}"
        for i, a in enumerate(names)
        for b in names[i + 1 :]
        if min(found[a][2], found[b][2]) - max(found[a][0], found[b][0]) > 0.5
        and min(found[a][3], found[b][3]) - max(found[a][1], found[b][1]) > 0.5
    ]


@pytest.mark.parametrize("overlay", ["false", "true"])
def test_nothing_overlaps_and_nothing_is_cut_off(everything, overlay):
    specs = specs_of(everything, f"overlay={overlay}")
    kept = {(spec.kind, len(spec.panels), spec.has_published): spec for spec in specs.values()}
    assert {kind for kind, _, _ in kept} == set(KINDS)
    for spec in kept.values():
        check_layout(draw(spec, CLEAN), spec.name)


def check_layout(figure: Figure, name: str) -> None:
    found = boxes(figure)
    assert overlaps(found) == [], name
    for part, (left, bottom, right, top) in found.items():
        assert min(left, bottom) >= 0, (name, part)
        assert right <= figure.bbox.width, (name, part)
        assert top <= figure.bbox.height, (name, part)


@pytest.mark.parametrize("values", [[0.31051, 0.31102, 0.31149], [-5e-4, 2e-4, 9e-4], [12345.0, 54321.0, 99999.0]])
def test_long_tick_labels_have_room(values):
    t = np.arange(3.0)
    curve = Curve("", "first", "", t, t, np.array(values), np.zeros(3))
    panels = tuple(CurvePanel((curve,), "Iteration", "Accuracy drop (points)", f"q{i}", "global") for i in range(4))
    check_layout(draw(FigureSpec("k", "n", "h", "c", panels), CLEAN), str(values))


def test_every_kind_is_made_of_what_has_records_with_the_papers_panels(everything):
    specs = specs_of(everything).values()
    counts = {kind: sum(spec.kind == kind for spec in specs) for kind in KINDS}
    assert counts == {"prune": 3, "pruned": 3, "p": 1, "q": 1, "eta": 1, "gamma": 1, "ratio": 1, "layer": 2,
                      "si_layer": 2, "pq": 3, "controls": 1, "errors": 3}  # fmt: skip
    panels = {spec.kind: len(spec.panels) for spec in specs}
    assert {kind for kind, count in panels.items() if count == 3} == {"layer", "si_layer", "controls"}
    assert {panels[kind] for kind in ("prune", "pruned", "p", "q", "eta", "gamma")} == {4}
    assert (panels["ratio"], panels["pq"]) == (6, 13)


def test_the_papers_style_is_the_papers(everything):
    figure = draw(one_of(everything, "prune", "reading=published", "style=paper"), PAPER)
    assert figure.get_size_inches().tolist() == [20, 4]
    first, second = figure.axes[:2]
    assert first.get_ylabel() == "Accuracy"
    assert second.get_ylabel() == "Percent of Remaining Weights"
    assert first.get_xlabel() == "Iteration (T)"
    assert second.get_yscale() == "linear"
    assert [text.get_text() for text in first.get_legend().get_texts()] == [
        "SAP (p=0.5, q=1.0)", "SAP (p=1.0, q=2.0)", "Lottery Ticket (P=0.2)", "One Shot (P=0.2)"
    ]  # fmt: skip
    colours = [bars.lines[0].get_color() for bars in first.containers]
    assert colours == ["blue", "cyan", "red", "orange"]


def test_a_label_wider_than_the_figure_does_not_hide_the_legend(everything):
    spec = one_of(everything, "prune")
    curves = [replace(curve, label=f"{curve.label} {'long ' * 30}") for curve in spec.panels[0].curves]
    (legend,) = draw(replace(spec, panels=(replace(spec.panels[0], curves=tuple(curves)),)), CLEAN).legends
    assert len(legend.get_texts()) == 4


def test_percent_remaining_has_a_log_axis_in_the_clean_style(everything):
    specs = {kind: one_of(everything, kind) for kind in ("prune", "layer", "ratio")}
    assert draw(specs["prune"], CLEAN).axes[1].get_yscale() == "log"
    assert draw(specs["layer"], CLEAN).axes[0].get_yscale() == "log"
    assert draw(specs["ratio"], CLEAN).axes[0].get_xscale() == "log"
    assert draw(specs["prune"], CLEAN).axes[0].get_yscale() == "linear"


def test_panels_of_one_quantity_share_their_axes(everything):
    for kind in ("ratio", "layer", "si_layer"):
        axes = draw(one_of(everything, kind), CLEAN).axes
        assert len({(ax.get_ylim(), ax.get_xlim()) for ax in axes[:3]}) == 1, kind


def test_the_trade_off_is_enlarged_where_curves_lie_on_each_other(everything):
    spec = one_of(everything, "ratio")
    whole, enlarged = (draw(spec, CLEAN).axes[i] for i in (0, 3))
    dense = max(panel.curves[0].y[0] for panel in spec.panels)
    low, high = enlarged.get_ylim()
    assert 80 < low < dense < high
    assert whole.get_xlim()[0] < enlarged.get_xlim()[0] < 100
    assert len(draw(one_of(everything, "ratio", "style=paper"), PAPER).axes) == 3


def test_a_picture_says_what_it_is_of_and_names_its_panels(everything):
    figure = draw(one_of(everything, "prune", "scope=neuron"), CLEAN)
    assert figure.texts[0].get_text() == "CIFAR-10, CNN, neuron-wise pruning (200 epochs a training, 1 seed)"
    assert [ax.get_title("left")[:3] for ax in figure.axes] == ["(a)", "(b)", "(c)", "(d)"]
    assert draw(one_of(everything, "prune", "style=paper"), PAPER).texts == []


def test_heat_maps_have_one_scale_and_iteration_0_once(everything):
    spec = one_of(everything, "pq", "scope=global")
    assert [panel.place for panel in spec.panels] == [(0, 0), *((row, t) for row in range(4) for t in (1, 2, 3))]
    axes = draw(spec, CLEAN).axes
    assert len(axes) == 13 + 1
    limits = {(ax.images[0].norm.vmin, ax.images[0].norm.vmax) for ax in axes[:-1]}
    assert limits == {spec.panels[0].limits}
    darkest = min(sum(ax.images[0].cmap(value)[:3]) for ax in axes[:-1] for value in (0.0, 1.0))
    assert darkest > 0.4


def test_a_published_point_that_may_be_zero_is_not_drawn_on_a_log_axis():
    t = np.arange(3.0)
    published = Curve("", "", "", t, t, np.array([100.0, 1.0, 0.05]), np.array([0.1, 0.1, 0.1]))
    assert published.above_zero("y").y.tolist() == [100, 1]
    ours = Curve("", "", "", t, t, np.array([100.0, 1.0, 0.05]), np.array([0.1, 0.1, 0.1]), seeds=(0,))
    assert ours.above_zero("y").y.tolist() == [100, 1, 0.05]
    assert published.above_zero("").y.size == 3


def test_errors_are_drawn_as_they_are_and_a_hundred_times_shorter_where_asked():
    t = np.arange(3.0)
    curve = Curve("", "first", "", t, t, np.full(3, 50.0), np.full(3, 10.0), seeds=(0, 1))
    for scale, expected in ((1.0, [40, 60]), (0.01, [49.9, 50.1])):
        panel = CurvePanel((curve,), "Iteration", "y", "q", "global", bar_scale=scale)
        ax = draw(FigureSpec("k", "n", "h", "c", (panel,)), CLEAN).axes[0]
        band = ax.collections[0].get_paths()[0].vertices[:, 1]
        assert sorted({round(float(y), 6) for y in band}) == expected


def drawn(curve: Curve, quantity: str = "q"):
    """The axes of a panel of one curve, and what stands below it."""
    panel = CurvePanel((curve,), "Iteration", "y", quantity, "global")
    figure = draw(FigureSpec("k", "n", "h", "A caption.", (panel,)), CLEAN)
    return figure.axes[0], figure.texts[-1].get_text().replace("\n", " ")


def test_few_seeds_are_thin_lines_and_many_are_a_band():
    t = np.arange(3.0)
    for seeds, lines, said in ((2, 3, "Thin lines: single seeds"), (6, 1, "Bands: standard deviation over seeds.")):
        each = 50.0 + np.arange(seeds)[:, None] + t
        curve = Curve("", "first", "", t, t, each.mean(0), each.std(0), tuple(range(seeds)), each=each)
        ax, below = drawn(curve)
        assert len(ax.lines) == lines
        assert len(ax.collections) == (lines == 1)
        assert below.startswith(f"A caption. {said}")


def test_an_axis_of_accuracies_spans_three_points_at_least():
    t = np.arange(3.0)
    curve = Curve("", "first", "", t, t, np.array([84.0, 84.1, 84.2]), np.zeros(3), (0,))
    for quantity, wide in (("retrained_accuracy", True), ("retrained_pqi", False)):
        low, high = drawn(curve, quantity)[0].get_ylim()
        assert (high - low > 3) == wide
        assert (low + high) / 2 == pytest.approx(84.1)


def test_a_curve_is_grey_behind_where_few_weights_are_left():
    t = np.arange(4.0)
    curve = Curve("", "first", "", t, t, 10 * t, np.zeros(4), (0,))
    for few_from, behind in ((2.0, [15, 20, 30]), (0.0, [0, 0, 10, 20, 30]), (np.inf, None)):
        ax, below = drawn(replace(curve, few_from=few_from))
        grey = [line.get_ydata().tolist() for line in ax.lines if line.get_color() == FEW_COLOUR]
        assert grey == ([] if behind is None else [behind])
        assert ("Grey behind a curve: fewer than 100 weights left." in below) == (behind is not None)


def test_equal_records_give_equal_files(tmp_path):
    write_run(tmp_path, Spec(FOUR[0]))
    command = [sys.executable, "-m", "src.figures", f"output_dir={tmp_path}", "figure=prune,pq", "method=sap-0.5-1-0-1"]
    for run, seed in (("a", "1"), ("b", "2")):
        env = {**os.environ, "PYTHONHASHSEED": seed, "SOURCE_DATE_EPOCH": "0" if run == "a" else "99999999"}
        subprocess.run([*command, f"destination={tmp_path / run}"], cwd=ROOT, env=env, check=True, capture_output=True)
    files = sorted(path.relative_to(tmp_path / "a") for path in (tmp_path / "a").rglob("*.*"))
    assert len(files) == 4
    for path in files:
        assert (tmp_path / "a" / path).read_bytes() == (tmp_path / "b" / path).read_bytes(), path


def test_rows_of_heat_maps_with_long_names_do_not_overlap(tmp_path):
    partial = [{**method, "exclude": ["conv1.weight", "conv2.weight"]} for method in FOUR[:3]]
    write_runs(tmp_path, [Spec(method) for method in (*FOUR[:1], *partial)])
    methods = ",".join(sorted({run.method.short for run in load_library(tmp_path).runs}))
    spec = one_of(tmp_path, "pq", f"method={methods}")
    assert max(len(panel.row) for panel in spec.panels) > 40
    check_layout(draw(spec, CLEAN), "pq")
    assert "of its other layers only" in spec.caption


def test_the_dense_network_is_drawn_once_only_where_it_is_the_same(tmp_path):
    write_runs(tmp_path, [Spec(FOUR[0], 0), Spec(FOUR[2], 1)])
    assert [panel.title for panel in one_of(tmp_path, "pq").panels].count("T=0") == 2


@pytest.mark.parametrize("kind", ["length", "errors", "predicted", "unaveraged", "rereading", "prune"])
def test_every_figure_of_the_papers_style_says_what_its_curves_are(tmp_path, kind):
    if kind in OF_PAPER:
        specs = [OF_PAPER[kind]()]
    else:
        scopes = ("neuron", "global")
        write_runs(
            tmp_path, [replace(s, epochs=e) for e in (20, 200) for s in base_specs("cifar10", "cnn", [0, 1], scopes)]
        )
        specs = list(specs_of(tmp_path, f"figure={kind}", "style=paper").values())
    for spec in specs:
        axes = draw(spec, PAPER).axes
        named = {text.get_text() for ax in axes if ax.get_legend() for text in ax.get_legend().get_texts()}
        drawn = {label for ax in axes for label in ax.get_legend_handles_labels()[1]}
        assert named == drawn, spec.name


def test_a_figure_of_one_method_says_which(tmp_path):
    write_runs(tmp_path, [Spec(FOUR[3])])
    title = draw(one_of(tmp_path, "prune"), CLEAN).texts[0].get_text()
    assert title == "CIFAR-10, CNN, global pruning, One Shot (P=0.2) (200 epochs a training, 1 seed)"


def test_many_other_methods_look_different():
    looks = [str(CLEAN.stroke(f"other-{i}")) for i in range(OTHERS)]
    assert len(set(looks)) == OTHERS == 18


def test_a_legend_entry_that_is_wider_than_the_figure_is_seen_whole():
    t = np.arange(3.0)
    curves = [Curve(name, "first", "", t, t, t, np.zeros(3)) for name in ("short", " ".join(["long words"] * 16))]
    panels = (CurvePanel(tuple(curves), "Iteration", "PQ Index", "q", "global"),)
    figure = draw(FigureSpec("k", "n", "h", "c", panels * 2), CLEAN)
    figure.draw_without_rendering()
    (legend,) = figure.legends
    box = legend.get_window_extent()
    assert box.x0 >= 0
    assert box.x1 <= figure.bbox.width


def test_a_long_name_is_cut_and_stays_apart(tmp_path):
    layers = [f"layer{i}.{'x' * 40}" for i in range(6)]
    methods = [{**FOUR[0], "exclude": layers[n:]} for n in range(2)]
    write_runs(tmp_path, [Spec(m, dataset="d" * 90, scope=s) for m in methods for s in ("neuron", "global")])
    asked = {run.method.short for run in load_library(tmp_path).runs}
    names = list(specs_of(tmp_path, "figure=layer", f"method={','.join(asked)}"))
    assert len(names) == len(asked) == 2
    assert max(map(len, names)) == 200
