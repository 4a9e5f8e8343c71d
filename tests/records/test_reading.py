"""Reading, grouping and naming stored runs."""

import json
import shutil

import pytest

from src.errors import UserError
from src.records.experiment import networks
from src.records.library import load_library
from src.records.method import Method
from src.records.missing import missing_runs
from src.records.paper import FOUR_METHODS, LOTTERY_TICKET, ONE_SHOT, SAP
from src.records.study import Selection, studies
from tests.analysis.synthetic import FOUR, Spec, base_specs, sap, write_run, write_runs


def test_no_records_name_the_command_that_makes_some(tmp_path):
    with pytest.raises(UserError, match=r"no records in .*runs; make some with\n.*python -m src.main"):
        load_library(tmp_path)


def test_records_of_another_schema_are_named_and_left_out(tmp_path):
    write_run(tmp_path, Spec(FOUR[0]))
    other = write_run(tmp_path, Spec(FOUR[1], schema=99))
    library = load_library(tmp_path)
    assert [run.method.short for run in library.runs] == ["sap-0.5-1-0-1"]
    assert library.problems == (
        f"{other.name}: records of schema 99, this version reads 2; "
        "use the version that made them, or run them again into another output_dir",
    )


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (lambda folder: (folder / "config.yaml").unlink(), "config.yaml is missing"),
        (lambda folder: (folder / "run.json").write_text("{"), "damaged"),
        (lambda folder: (folder / "config.yaml").write_text("seed: 0\n"), "damaged"),
    ],
)
def test_damaged_folders_are_named_and_do_not_hide_the_others(tmp_path, damage, says):
    write_run(tmp_path, Spec(FOUR[0]))
    folder = write_run(tmp_path, Spec(FOUR[1]))
    damage(folder)
    library = load_library(tmp_path)
    assert len(library.runs) == 1
    assert len(library.problems) == 1
    assert folder.name in library.problems[0]
    assert says in library.problems[0]


def test_a_table_with_missing_iterations_is_refused(tmp_path):
    folder = write_run(tmp_path, Spec(FOUR[0]))
    lines = (folder / "iterations.csv").read_text().splitlines()
    (folder / "iterations.csv").write_text("\n".join(lines[:-1]) + "\n")
    (run,) = load_library(tmp_path).runs
    with pytest.raises(UserError, match=r"one row for each iteration 0\.\.30"):
        _ = run.table


@pytest.mark.parametrize("content", [b"", b"a,b\n1,2,3\n4,5,6,7\n", b"\xff\xfe"])
def test_a_damaged_table_is_named(tmp_path, content):
    folder = write_run(tmp_path, Spec(FOUR[0]))
    (folder / "iterations.csv").write_bytes(content)
    (run,) = load_library(tmp_path).runs
    with pytest.raises(UserError, match=rf"{folder.name}.*iterations.csv"):
        _ = run.table


@pytest.mark.parametrize("content", [None, b"", b"\x08" + b"\0" * 40])
def test_damaged_or_missing_grids_are_named(tmp_path, content):
    folder = write_run(tmp_path, Spec(FOUR[0]))
    (folder / "measures.safetensors").unlink() if content is None else (folder / "measures.safetensors").write_bytes(
        content
    )
    (run,) = load_library(tmp_path).runs
    with pytest.raises(UserError, match=rf"{folder.name}.*measures.safetensors"):
        run.grid("retrained", 0)


def test_studies_keep_apart_what_must_not_share_a_figure(tmp_path):
    specs = [Spec(FOUR[0], dataset=d, model=m) for d in ("cifar10", "mnist") for m in ("mlp", "cnn")]
    specs += [Spec(FOUR[0], epochs=100), Spec(FOUR[0], protocol="clean"), Spec(FOUR[0], seed=1)]
    write_runs(tmp_path, specs)
    found = studies(load_library(tmp_path).runs)
    assert len(found) == 6
    assert len({study.name for study in found}) == 6
    by_name = {study.name: study for study in found}
    assert by_name["cifar10-cnn-T30-paper-reference-epochs=200"].seeds == (0, 1)
    assert by_name["cifar10-cnn-T30-paper-reference-epochs=100"].seeds == (0,)


def test_a_selection_takes_what_it_names(four_methods):
    (study,) = studies(load_library(four_methods).runs, Selection(seed=("1",)))
    assert study.seeds == (1,)
    assert studies(load_library(four_methods).runs, Selection(dataset=("mnist",))) == ()


def test_the_same_run_twice_is_refused(tmp_path):
    folder = write_run(tmp_path, Spec(FOUR[0]))
    shutil.copytree(folder, folder.with_name("copy"))
    state = json.loads((folder / "run.json").read_text())
    (folder.with_name("copy") / "run.json").write_text(json.dumps(state | {"name": "copy"}))
    (study,) = studies(load_library(tmp_path).runs)
    with pytest.raises(UserError, match="same method, scope and seed"):
        study.series("global", SAP)


def test_method_keys_are_those_of_the_protocol():
    assert [method.short for method in FOUR_METHODS] == ["sap-0.5-1-0-1", "sap-1-2-0-1", "lt-0.2", "os-0.2"]
    assert Method.from_config(sap(eta_r=0.001, gamma=3.0)).text == "SAP (p=0.5, q=1.0, η_r=0.001, γ=3.0)"
    assert Method.from_config({"name": "dense"}).key == "dense"


def test_missing_names_half_finished_runs_and_missing_seeds(tmp_path):
    specs = base_specs("cifar10", "cnn", seeds=(0, 1))
    specs = [s for s in specs if s.method["name"] != "one_shot" or s.seed == 0]
    write_runs(tmp_path, [s for s in specs if (s.method["name"], s.seed) != ("lottery_ticket", 1)])
    half = write_run(tmp_path, Spec(FOUR[2], seed=1, status="running"))
    (study,) = studies(load_library(tmp_path).runs)
    found = missing_runs(study, [("global", method) for method in FOUR_METHODS])
    assert [(m.method, m.seeds) for m in found] == [(LOTTERY_TICKET, (1,)), (ONE_SHOT, (1,))]
    assert found[0].state == f"{half.name} is running at 3 of 31 iterations"
    assert found[1].command == (
        "python -m src.main dataset=cifar10 model=cnn prune=one_shot trainer=paper protocol=reference prune.ratio=0.2 "
        "prune.scope=global seed=1"
    )


def test_an_experiment_takes_the_study_of_its_runs_with_what_others_made_there(tmp_path):
    write_runs(tmp_path, [Spec(FOUR[0], experiment="a"), Spec(FOUR[1], experiment="b"), Spec(FOUR[0], model="mlp")])
    runs = load_library(tmp_path).runs
    (study,) = studies(runs, Selection(experiment=("b",)))
    assert [run.method.short for run in study.runs] == ["sap-0.5-1-0-1", "sap-1-2-0-1"]
    assert studies(runs, Selection(experiment=("c",))) == ()


def test_an_experiment_whose_runs_all_carry_other_names_takes_its_networks(tmp_path):
    write_runs(tmp_path, [Spec(FOUR[0], dataset="fashion_mnist", model=m, experiment="x") for m in ("mlp", "cnn")])
    found = studies(load_library(tmp_path).runs, Selection(experiment=("quickstart",)))
    assert [study.setting.model for study in found] == ["mlp"]


def test_the_networks_of_an_experiment_are_those_it_sweeps():
    assert networks("quickstart") == {("fashion_mnist", "mlp"), ("fashion_mnist", "linear")}
    assert networks("no_such_experiment") == frozenset()
