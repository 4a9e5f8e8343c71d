"""`python -m src.figures`: what is drawn, what is said, and the exit status."""

import json
import os
import re
import resource
import subprocess
import sys
from xml.etree import ElementTree

import pytest

from src.analysis.figures.catalogue import plan_figures
from src.analysis.figures.readings import CORRECTED
from src.analysis.figures.single_run import run_figure
from src.analysis.figures.spec import style_named
from src.analysis.settings import FigureSettings
from src.config.command_line import read_settings
from src.errors import UserError
from src.figures import draw_figures, main
from src.records.library import load_library
from src.records.study import studies
from tests.analysis.synthetic import FOUR, OWN, Spec, base_specs, sap, write_run, write_runs
from tests.support import ROOT


def settings(output_dir, *arguments: str) -> FigureSettings:
    return read_settings(FigureSettings, [f"output_dir={output_dir}", "formats=svg", "workers=1", *arguments])


def names_of(outcome) -> list[str]:
    return [f"{path.parent.name}/{path.stem}" for path in outcome.paths]


def test_two_kinds_of_four_methods(four_methods, tmp_path):
    outcome = draw_figures(settings(four_methods, "figure=prune,pruned", f"destination={tmp_path}"))
    study = "cifar10-cnn-T30-paper-reference"
    assert names_of(outcome) == [f"prune/prune_{study}_global", f"pruned/pruned_{study}_global"]
    assert outcome.complete
    assert outcome.messages == ()
    assert all(path.stat().st_size > 10_000 for path in outcome.paths)


def test_all_formats_are_written(four_methods, tmp_path):
    outcome = draw_figures(
        settings(four_methods, "figure=prune", "formats=pdf,svg,png,webp", f"destination={tmp_path}")
    )
    starts = {path.suffix: path.read_bytes()[:4] for path in outcome.paths}
    assert starts == {".pdf": b"%PDF", ".svg": b"<?xm", ".png": b"\x89PNG", ".webp": b"RIFF"}


def test_a_figure_of_the_paper_is_of_its_network_unless_told_otherwise(tmp_path):
    write_runs(tmp_path, base_specs("cifar10", "cnn", [0]) + base_specs("mnist", "mlp", [0]))
    assert (
        names_of(draw_figures(settings(tmp_path, "figure=fig2")))[0]
        == "prune/prune_cifar10-cnn-T30-paper-reference_global"
    )
    other = draw_figures(settings(tmp_path, "figure=fig2", "dataset=mnist", "model=mlp"))
    assert names_of(other)[0] == "prune/prune_mnist-mlp-T30-paper-reference_global"


def test_names_tell_readings_styles_and_overlays_apart(four_methods, tmp_path):
    to = f"destination={tmp_path}"
    ways = [(), ("reading=published",), ("style=paper",), ("overlay=true",), ("plot.ddof=1",)]
    drawn = [names_of(draw_figures(settings(four_methods, "figure=prune", to, *way)))[0] for way in ways]
    assert [name.split("_global")[1] for name in drawn] == ["", "-published", "-paper", "-overlay", "-ddof=1"]


def test_an_overlay_brings_the_table_of_distances(four_methods, tmp_path):
    outcome = draw_figures(settings(four_methods, "figure=prune", "overlay=true", f"destination={tmp_path}"))
    assert names_of(outcome)[1:] == [f"{tmp_path.name}/distances", f"{tmp_path.name}/distances"]
    assert (tmp_path / "distances.csv").read_text().count("\n") == 1 + 16


@pytest.fixture
def with_gaps(tmp_path):
    """One Shot has no seed 1, lottery ticket's seed 1 is half finished."""
    specs = [s for s in base_specs("cifar10", "cnn", (0, 1)) if (s.method["name"], s.seed) != ("one_shot", 1)]
    write_runs(tmp_path, [s for s in specs if (s.method["name"], s.seed) != ("lottery_ticket", 1)])
    write_run(tmp_path, Spec(FOUR[2], seed=1, status="running"))
    return tmp_path


def test_missing_runs_are_named_with_the_commands_that_make_them(with_gaps):
    outcome = draw_figures(settings(with_gaps, "figure=prune"))
    said = "\n".join(outcome.messages)
    assert outcome.paths == ()
    assert not outcome.complete
    assert "is not finished at 3 of 31 iterations" in said
    assert "One Shot (P=0.2), scope global, seed 1: no run; make with" in said
    assert said.count("python -m src.main dataset=cifar10 model=cnn") == 2


def test_incomplete_figures_are_drawn_on_request_and_say_so(with_gaps):
    outcome = draw_figures(settings(with_gaps, "figure=prune", "incomplete=draw"))
    assert len(outcome.paths) == 1
    assert outcome.complete
    assert "One Shot (P=0.2), scope global, seed 1" in "\n".join(outcome.messages)


def test_figures_that_lack_nothing_are_drawn_all_the_same(with_gaps):
    write_run(with_gaps, Spec(FOUR[0], scope="layer"))
    outcome = draw_figures(settings(with_gaps, "figure=pq"))
    assert [name.split("_")[-2:] for name in names_of(outcome)] == [["layer", "sap-0.5-1-0-1"]]
    assert not outcome.complete


def test_damaged_records_are_named_and_the_other_figures_drawn(tmp_path):
    folders = write_runs(tmp_path, [Spec(method) for method in FOUR])
    (folders[0] / "measures.safetensors").write_bytes(b"not a tensor")
    outcome = draw_figures(settings(tmp_path, "figure=prune,pq"))
    assert len(outcome.paths) == 1
    assert not outcome.complete
    assert f"{folders[0].name}/measures.safetensors" in "\n".join(outcome.messages)


def test_a_kind_without_records_names_its_command_and_what_there_is(four_methods):
    with pytest.raises(UserError) as told:
        draw_figures(settings(four_methods, "figure=fig4"))
    assert "dataset=cifar10 model=cnn prune=sap prune.p=0.2,0.4,0.5,0.6,0.8" in str(told.value)
    shorts = "lt-0.2, os-0.2, sap-0.5-1-0-1, sap-1-2-0-1"
    assert f"cifar10, cnn, T=30, E=200, paper, reference, global: {shorts}" in str(told.value)


def test_methods_outside_the_paper_are_named_and_drawn_on_request(tmp_path):
    specs = [*FOUR, sap(p=0.3)]
    write_runs(tmp_path, [Spec(method) for method in specs])
    outcome = draw_figures(settings(tmp_path))
    assert outcome.messages[-1].endswith("not in the paper's figures: sap-0.3-1-0-1; draw with method=sap-0.3-1-0-1")
    assert outcome.complete
    asked = draw_figures(settings(tmp_path, "figure=prune", "method=sap-0.3-1-0-1,lt-0.2"))
    text = asked.paths[0].read_text()
    assert "SAP (p=0.3, q=1.0)" in text
    assert "Lottery Ticket" in text
    assert "One Shot" not in text


def test_a_dense_network_and_a_single_iteration_can_be_drawn(tmp_path):
    write_run(tmp_path, Spec({"name": "dense"}, iterations=0))
    outcome = draw_figures(settings(tmp_path, "figure=prune,pruned,pq", "method=dense"))
    assert len(outcome.paths) == 3


@pytest.mark.parametrize(
    ("argument", "says"),
    [
        ("figure=fig7", "choose from all, prune"),
        ("scope=filter", "choose from neuron, layer, global"),
        ("style=nice", "choose one of default, paper"),
        ("reading=nice", "choose one of corrected, published"),
        ("formats=gif", "choose from pdf, svg, png, webp"),
        ("incomplete=yes", "choose error or draw"),
        ("dataset=imagenet", "no records for figure=.* with dataset=imagenet"),
    ],
)
def test_bad_input_is_told_before_anything_is_written(four_methods, tmp_path, argument, says):
    with pytest.raises(UserError, match=says):
        draw_figures(settings(four_methods, argument, f"destination={tmp_path / 'new'}"))
    assert not (tmp_path / "new").exists()


def test_the_exit_status_tells_whether_all_is_there(four_methods, with_gaps, tmp_path, capsys):
    to = f"destination={tmp_path}"
    assert main([f"output_dir={four_methods}", "figure=prune", "formats=svg", to]) == 0
    assert capsys.readouterr().out.endswith("_global.svg\n")
    assert main([f"output_dir={with_gaps}", "figure=prune", "formats=svg", to]) == 1
    assert "missing runs" in capsys.readouterr().err
    assert main([f"output_dir={tmp_path / 'none'}"]) == 1
    assert "no records" in capsys.readouterr().err
    assert main(["--help"]) == 0
    assert "figure=NAME" in capsys.readouterr().out


def test_drawing_needs_neither_torch_nor_hydra_nor_pandas_and_the_commands_not_even_matplotlib():
    heavy = "{'matplotlib', 'pandas', 'scipy', 'torch', 'hydra', 'jinja2'}"
    code = f"""
import sys
import src.figures, src.tables
assert not {heavy} & set(sys.modules), {heavy} & set(sys.modules)
import src.analysis.figures.single_run
found = ({heavy} - {{'matplotlib'}} | {{'matplotlib.pyplot'}}) & set(sys.modules)
assert not found, found
"""
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)


def test_the_picture_of_a_run_loads_few_modules():
    code = """
import sys
import src.files, src.errors, src.config.part, src.records.schema  # which a training has loaded
before = set(sys.modules)
import src.analysis.figures.single_run
print(*sorted(name for name in set(sys.modules) - before if name.split(".")[0] == "src"))
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True, text=True)
    assert len(done.stdout.split()) <= 8, done.stdout


def test_methods_of_ones_own_are_curves_beside_the_papers(tmp_path):
    mine = [{**OWN, "depth": depth} for depth in (3, 4)]
    write_runs(tmp_path, [Spec(method, seed) for method in (*FOUR, *mine) for seed in (0, 1)])
    write_run(tmp_path, Spec({**OWN, "depth": 5}, status="failed"))
    asked = settings(tmp_path, "figure=prune")
    outcome = draw_figures(asked)
    assert outcome.complete
    library = load_library(tmp_path)
    (plan,) = plan_figures(asked, studies(library.runs), library)
    curves = plan.build(CORRECTED).panels[0].curves
    assert [curve.label for curve in curves[4:]] == ["Mine ($\\gamma$=3)", "Mine ($\\gamma$=4)"]
    strokes = {(s.colour, str(s.line), s.marker) for s in map(style_named("default").stroke, [c.slot for c in curves])}
    assert len(strokes) == 6
    (heat,) = plan_figures(settings(tmp_path, "figure=pq"), studies(library.runs), library)
    assert heat.build(CORRECTED).shape == (6, 4)


def test_a_notebooks_backend_and_a_users_matplotlibrc_change_nothing(four_methods, tmp_path):
    (tmp_path / "matplotlibrc").write_text("lines.linewidth: 30\nfont.size: 30\nbackend: svg\n")
    files = []
    for name, env in (("plain", {}), ("odd", {"MPLBACKEND": "module://not.here", "MATPLOTLIBRC": str(tmp_path)})):
        command = [sys.executable, "-m", "src.figures", f"output_dir={four_methods}", f"destination={tmp_path / name}"]
        words = ["figure=prune", "formats=svg"]
        subprocess.run([*command, *words], cwd=ROOT, env={**os.environ, **env}, check=True, capture_output=True)
        files.append(next((tmp_path / name).rglob("*.svg")).read_bytes())
    assert files[0] == files[1]


def test_all_draws_what_there_is_and_names_methods_that_were_never_run(tmp_path):
    write_runs(tmp_path, [Spec(FOUR[0], seed) for seed in (0, 1)])
    outcome = draw_figures(settings(tmp_path))
    assert [name.split("_cifar")[0] for name in names_of(outcome)] == [
        "prune/prune", "pruned/pruned", "pq/pq", "errors/errors_running_mean", "errors/errors_mixed_pq",
        "errors/errors_short_bars"
    ]  # fmt: skip
    assert outcome.complete
    assert outcome.messages[0] == "drawn without these, of which there is no run:"
    assert "One Shot (P=0.2), scope global, seeds 0, 1: no run" in "\n".join(outcome.messages)


def test_a_title_counts_the_seeds_that_are_drawn(tmp_path):
    write_runs(tmp_path, base_specs("digits", "mlp", [0, 1])[:-1])
    outcome = draw_figures(settings(tmp_path, "figure=prune", "incomplete=draw"))
    assert "(200 epochs a training, 1 to 2 seeds)" in outcome.paths[0].read_text()


def test_all_still_leaves_out_figures_with_a_missing_seed(with_gaps):
    outcome = draw_figures(settings(with_gaps))
    assert {name.split("/")[0] for name in names_of(outcome)} == {"errors"}
    assert not outcome.complete
    assert "incomplete=draw" in outcome.messages[-1]


def test_errors_are_drawn_of_the_papers_networks_or_where_asked_for(tmp_path):
    write_runs(tmp_path, base_specs("digits", "mlp", [0, 1]))
    kinds = {name.split("/")[0] for name in names_of(draw_figures(settings(tmp_path)))}
    assert kinds == {"prune", "pruned", "pq"}
    asked = names_of(draw_figures(settings(tmp_path, "figure=errors")))
    assert "errors/errors_running_mean_digits-mlp-T30-paper-reference_global" in asked


def test_a_network_with_one_layer_is_drawn_once_layer_wise_and_globally(tmp_path):
    write_runs(tmp_path, base_specs("digits", "linear", [0, 1], ("neuron", "layer", "global")))
    names = names_of(draw_figures(settings(tmp_path)))
    assert [name.rsplit("_", 1)[1] for name in names if name.startswith("prune/")] == ["neuron", "global"]
    outcome = draw_figures(settings(tmp_path, "figure=prune", "scope=layer"))
    assert outcome.complete
    assert "layer-wise = global pruning (200 epochs a training, 2 seeds)" in outcome.paths[0].read_text()


@pytest.mark.parametrize("label", ["$x_{$", "a $ b", "$\\frac$", "</svg><script>", "50 %$", "line\nbreak"])
def test_any_label_can_be_drawn_and_its_name_stays_in_the_folder(tmp_path, label):
    folder = write_run(tmp_path, Spec(OWN))
    write_run(tmp_path, Spec(FOUR[0]))
    state = json.loads((folder / "run.json").read_text())
    state["method"] |= {"label": label, "short": "../../../out"}
    state["name"] = "../../out"
    (folder / "run.json").write_text(json.dumps(state))
    outcome = draw_figures(settings(tmp_path, "figure=prune,pq", "incomplete=draw"))
    assert len(outcome.paths) == 2
    assert {path.resolve().parents[1] for path in outcome.paths} == {tmp_path / "figures"}
    assert run_figure(folder, tmp_path / "pictures").resolve().parent == tmp_path / "pictures"
    for path in outcome.paths:
        assert ElementTree.parse(path).getroot().tag.endswith("svg")


@pytest.mark.parametrize("module", ["figures", "tables", "report"])
def test_a_full_disk_and_a_folder_that_cannot_be_made_are_one_message(four_methods, tmp_path, module):
    def small_files() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))

    (tmp_path / "file").write_text("")
    for destination, limit in ((tmp_path / "file" / "below", None), (tmp_path / "full", small_files)):
        words = [f"output_dir={four_methods}", f"destination={destination}"]
        words += ["figure=prune", "formats=svg"] * (module == "figures")
        done = subprocess.run([sys.executable, "-m", f"src.{module}", *words], cwd=ROOT, capture_output=True, text=True,
                              preexec_fn=limit, check=False)  # fmt: skip
        assert done.returncode == 1
        assert re.fullmatch(r"error: .*; destination=PATH writes elsewhere\n", done.stderr), done.stderr
    assert [path for path in (tmp_path / "full").rglob("*") if path.is_file()] == []


def test_figures_of_records_and_of_the_paper_are_drawn_together(four_methods, tmp_path):
    outcome = draw_figures(settings(four_methods, "figure=predicted,prune", f"destination={tmp_path}"))
    assert {path.parent.name for path in outcome.paths} == {"predicted", "prune"}
    assert outcome.complete


def test_nothing_drawn_is_no_success(tmp_path):
    write_run(tmp_path, Spec(FOUR[0], status="running"))
    outcome = draw_figures(settings(tmp_path, "figure=prune", "incomplete=draw"))
    assert (outcome.paths, outcome.complete) == ((), False)


@pytest.mark.parametrize("word", ["workers=-1", "workers=0", "figure=", "formats="])
def test_settings_that_draw_nothing_are_refused(four_methods, word):
    with pytest.raises(UserError, match=word.split("=")[0]):
        draw_figures(settings(four_methods, word))
