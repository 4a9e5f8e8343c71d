"""Reading, grouping and naming stored runs."""

import json
import re
import shlex
import shutil
from pathlib import Path

import pytest
import yaml

from src.errors import UserError
from src.records.integrity import stamps
from src.records.library import load_library, missing_runs, run_words
from src.records.method import FOUR_METHODS, LOTTERY_TICKET, ONE_SHOT, SAP, Method, paper_method
from src.records.run import load_run
from src.records.study import Selection, Study, but_for, studies
from tests.analysis.synthetic import FOUR, OWN, Spec, base_specs, write_run, write_runs


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
        (lambda folder: (folder / "run.json").write_text("{"), "run.json is damaged"),
        (lambda folder: (folder / "run.json").write_text("{}"), "run.json is damaged (TypeError: schema is 'None'"),
        (lambda folder: (folder / "run.json").write_text("[]"), "run.json is damaged (TypeError: it is [], not a"),
        (lambda folder: (folder / "run.json").write_text("[" * 10**5), "run.json is damaged"),
        (lambda folder: (folder / "run.json").write_bytes(b"\0" * 500), "run.json is damaged"),
        (lambda folder: (folder / "run.json").write_bytes(b'{"id": "\xff"}'), "run.json is damaged"),
        (lambda folder: set_in(folder, status="fnished"), "status is 'fnished', none of running, failed, finished"),
        (lambda folder: set_in(folder, scope="filter"), "scope is 'filter', none of neuron, layer, global"),
        (lambda folder: set_in(folder, seed="0"), "seed is '0', not of type int"),
        (lambda folder: set_in(folder, seed=True), "seed is 'True', not of type int"),
        (lambda folder: set_in(folder, method="sap"), "method is 'sap', not of type dict"),
        (lambda folder: set_in(folder, digests=["a"]), "run.json is damaged (ValueError"),
        (lambda folder: set_in(folder, method={}), "run.json is damaged (KeyError: 'kind')"),
        (lambda folder: set_in(folder, choices=None), "choices is 'None', not of type dict"),
        (lambda folder: set_in(folder, iterations_total=0), "iterations_total is below 1"),
        (lambda folder: set_in(folder, iterations_total=10**15), "one row for each iteration"),
        (lambda folder: set_in(folder, dataset="\ud800"), "run.json is damaged (UnicodeEncodeError"),
        (lambda folder: (folder / "config.yaml").write_text("seed: 0\n"), "config.yaml is damaged"),
        (lambda folder: (folder / "config.yaml").write_text("[1, 2]\n"), "config.yaml is damaged"),
        (lambda folder: (folder / "config.yaml").write_bytes(b"a: \xff\n"), "config.yaml is damaged"),
        (lambda folder: (folder / "config.yaml").write_bytes(b"\0" * 500), "config.yaml is damaged"),
        (lambda folder: edited(folder, "config.yaml", "prune:", "prune: a\nother:"), "config.yaml is damaged"),
        (lambda folder: edited(folder, "config.yaml", "  epochs:", "  1: 2\n  epochs:"), "config.yaml is damaged"),
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
    assert library.problems[0].endswith("remove the folder and run it again")
    assert "\n" not in library.problems[0]


def edited(folder: Path, name: str, old: str, new: str) -> None:
    text = (folder / name).read_text()
    assert old in text
    (folder / name).write_text(text.replace(old, new))


def set_in(folder: Path, **values: object) -> None:
    state = json.loads((folder / "run.json").read_text())
    (folder / "run.json").write_text(json.dumps(state | values))


def without_last_row(folder: Path) -> None:
    lines = (folder / "iterations.csv").read_text().splitlines()
    (folder / "iterations.csv").write_text("\n".join(lines[:-1]) + "\n")


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (without_last_row, r"one row for each iteration 0\.\.30"),
        (lambda f: edited(f, "iterations.csv", ",", ";"), r"iterations.csv, row 1: .* semicolons: save it with commas"),
        (
            lambda f: edited(f, "iterations.csv", "\n3,", "\n3,a lot of "),
            r"iterations.csv, row 5, remaining: 'a lot of .*' is not a number; correct it",
        ),
        (lambda f: edited(f, "layers.csv", "\n7,conv1.weight,", "\n7,"), r"layers.csv, row 37: 9 cells for 10 columns"),
        (lambda f: (f / "iterations.csv").write_bytes(b""), r"iterations.csv: it is empty"),
        (lambda f: (f / "iterations.csv").write_bytes(b"\xff\xfe"), r"iterations.csv: .*decode"),
        (lambda f: (f / "iterations.csv").write_bytes(b"\0" * 4096), r"iterations.csv, row 1: bytes of zero; correct"),
        (lambda f: edited(f, "layers.csv", "\n7,conv1", "\n\0\0\0conv1"), r"layers.csv, row 37: bytes of zero"),
        (
            lambda f: (f / "layers.csv").write_text((f / "layers.csv").read_text().split("\n")[0]),
            r"layers.csv has not a row",
        ),
        (lambda f: edited(f, "layers.csv", "\n7,conv1", "\n7,conv2"), r"layers.csv has not a row for each of 5 layers"),
        (lambda f: edited(f, "layers.csv", "\n7,conv1", "\n8,conv1"), r"layers.csv has not a row for each of 5 layers"),
        (lambda f: edited(f, "iterations.csv", "\n3,", "\n3,1e999"), r"iterations.csv, row 5, remaining: '1e999"),
        (
            lambda f: edited(f, "iterations.csv", "\n3,", "\n4,"),
            r"iterations.csv should have one row .* it has 0, 1, 2, 4",
        ),
        (lambda f: (f / "layers.csv").unlink(), r"layers.csv: .*No such file"),
    ],
)
def test_a_damaged_table_is_one_line_and_the_other_runs_are_read(tmp_path, damage, says):
    write_run(tmp_path, Spec(FOUR[0]))
    folder = write_run(tmp_path, Spec(FOUR[1]))
    damage(folder)
    library = load_library(tmp_path)
    assert [run.method.short for run in library.runs] == ["sap-0.5-1-0-1"]
    (problem,) = library.problems
    assert re.search(says, problem)
    assert folder.name in problem
    assert "\n" not in problem


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


def with_trainer(folder: Path, **changed: object) -> None:
    """Settings of the trainer in a run's config.yaml."""
    config = yaml.safe_load((folder / "config.yaml").read_text())
    config["trainer"] |= changed
    (folder / "config.yaml").write_text(yaml.safe_dump(config))


def test_names_of_studies_are_short_and_their_own(tmp_path):
    """Files are named after them: all settings of two optimizers would be more than a disk takes."""
    sgd = {"_target_": "src.training.optimizers.Sgd", "momentum": 0.9, "weight_decay": 0.0005, "nesterov": True}
    adam = {"_target_": "src.training.optimizers.Adam", "beta1": 0.9, "beta2": 0.999, "eps": 1e-8, "momentum": None}
    long = {"_target_": "mine.Other", **{f"a_setting_with_a_long_name_{i}": i for i in range(30)}}
    for seed, optimizer in enumerate((sgd, adam, long)):
        with_trainer(write_run(tmp_path, Spec(FOUR[0], seed)), optimizer=optimizer)
    for seed, name in enumerate(("w/x", "w x"), 3):
        with_trainer(write_run(tmp_path, Spec(FOUR[0], seed)), name=name)
    names = {study.seeds: study.name for study in studies(load_library(tmp_path).runs)}
    assert len(set(names.values())) == 5
    assert max(map(len, names.values())) <= 130
    assert "optimizer=Adam" in names[(1,)]
    assert "None" not in names[(1,)]


def test_studies_of_other_data_or_code_differ_in_more_than_their_epochs(tmp_path):
    digests = {3: "a" * 32, 20: "b" * 32, 200: None}
    specs = [Spec(FOUR[0], epochs=e, digests=(("data", d),) if d else ()) for e, d in digests.items()]
    write_runs(tmp_path, specs)
    found = studies(load_library(tmp_path).runs)

    def groups(taken: list[Study]) -> list[list[int | None]]:
        return [[s.setting.epochs for s in group] for group in but_for(taken, "trainer", ("epochs", "name"))]

    assert groups([*found]) == [[3], [20], [200]]
    assert groups([study for study in found if study.setting.epochs != 20]) == [[3, 200]]


def test_a_selection_takes_what_it_names(tmp_path):
    write_runs(tmp_path, [Spec(FOUR[0], seed) for seed in (0, 1)])
    runs = load_library(tmp_path).runs
    (study,) = studies(runs, Selection(seed=("1",)))
    assert study.seeds == (1,)
    assert studies(runs, Selection(dataset=("mnist",))) == ()


def test_a_copied_folder_is_named_and_the_original_read(tmp_path):
    folder = write_run(tmp_path, Spec(FOUR[0]))
    shutil.copytree(folder, folder.with_name("a copy"))
    library = load_library(tmp_path)
    assert [run.folder for run in library.runs] == [folder]
    assert library.problems == (
        f"a copy is of the same method, scope and seed as {folder.name}; remove one of the folders, or move it away",
    )


def test_methods_that_share_a_short_name_are_told(tmp_path):
    write_runs(tmp_path, [Spec(FOUR[2], 0), Spec(FOUR[2], 1)])
    odd = write_run(tmp_path, Spec({**FOUR[2], "note": "stem"}, 2))
    library = load_library(tmp_path)
    assert [run.seed for run in library.runs] == [0, 1]
    (problem,) = library.problems
    assert problem.startswith(f"{odd.name} and ")
    assert "both called lt-0.2 and differ in prune.note" in problem


def with_digest(seed: int, **digests: str) -> Spec:
    return Spec(FOUR[0], seed, digests=tuple(digests.items()))


def seeds_by_label(folder: Path) -> dict[str, tuple[int, ...]]:
    """The seeds of each row that a table has of the one study there."""
    (study,) = studies(load_library(folder).runs)
    return {m.label: tuple(run.seed for run in study.series("global", m)) for m in study.methods("global")}


@pytest.mark.parametrize("name", ["data", "model", "trainer"])
def test_what_was_made_of_other_data_or_code_is_another_study(tmp_path, name):
    write_runs(tmp_path, [with_digest(seed, **{name: "a" * 32}) for seed in (0, 1)])
    write_runs(tmp_path, [with_digest(seed, **{name: "b" * 32}) for seed in (1, 2)])
    library = load_library(tmp_path)
    assert library.problems == ()
    assert {
        study.name.removeprefix("cifar10-cnn-T30-paper-reference-"): study.seeds for study in studies(library.runs)
    } == {
        f"{name}=aaaaaaaa": (0, 1),
        f"{name}=bbbbbbbb": (1, 2),
    }


def test_what_was_made_before_the_code_of_a_method_was_edited_is_another_row(tmp_path):
    write_runs(tmp_path, [with_digest(seed, method="a" * 32) for seed in (0, 1, 2)])
    write_runs(tmp_path, [with_digest(seed, method="b" * 32) for seed in (0, 3)])
    assert load_library(tmp_path).problems == ()
    assert seeds_by_label(tmp_path) == {"SAP (p=0.5, q=1.0)": (0, 1, 2), "SAP (p=0.5, q=1.0) [sap bbbbbbbb]": (0, 3)}


def test_a_method_of_ones_own_with_the_names_of_the_papers_is_another_row(tmp_path):
    write_run(tmp_path, Spec(FOUR[0], 1))
    for seed in (0, 2):
        folder = write_run(tmp_path, Spec(FOUR[0], seed))
        state = json.loads((folder / "run.json").read_text())
        set_in(folder, method={**state["method"], "kind": "my_sap"})
    assert seeds_by_label(tmp_path) == {"SAP (p=0.5, q=1.0)": (1,), "SAP (p=0.5, q=1.0) [my_sap]": (0, 2)}


def test_a_run_of_which_no_digests_are_known_is_with_the_others_where_these_are_alike(tmp_path):
    write_runs(tmp_path, [with_digest(0), with_digest(1, data="a" * 32, method="c" * 32)])
    assert seeds_by_label(tmp_path) == {"SAP (p=0.5, q=1.0)": (0, 1)}
    write_run(tmp_path, with_digest(2, data="b" * 32))
    assert [(study.seeds, study.name.rpartition("-")[2]) for study in studies(load_library(tmp_path).runs)] == [
        ((1,), "data=aaaaaaaa"),
        ((2,), "data=bbbbbbbb"),
        ((0,), "data=unknown"),
    ]


def test_method_keys_are_those_of_the_protocol():
    assert [method.short for method in FOUR_METHODS] == ["sap-0.5-1-0-1", "sap-1-2-0-1", "lt-0.2", "os-0.2"]
    varied = paper_method("sap", p=0.5, q=1.0, eta_r=0.001, gamma=3.0)
    assert varied.text == "SAP (p=0.5, q=1.0, η_r=0.001, γ=3.0)"
    assert paper_method("dense").short == "dense"


def test_a_method_that_nobody_here_knows_is_read_as_its_records_name_it(tmp_path):
    run = load_run(write_run(tmp_path, Spec(OWN)))
    assert run.method == Method("my_pruner", "my_pruner-depth3", "whatever it is called")
    assert run.method.text == "Mine (γ=3)"
    assert run.method.settings == {"depth": 3}


def test_missing_names_half_finished_runs_and_missing_seeds(tmp_path, monkeypatch):
    specs = base_specs("cifar10", "cnn", seeds=(0, 1))
    specs = [s for s in specs if s.method["name"] != "one_shot" or s.seed == 0]
    write_runs(tmp_path, [s for s in specs if (s.method["name"], s.seed) != ("lottery_ticket", 1)])
    monkeypatch.setattr("src.records.library.default_output_dir", lambda: tmp_path)
    half = write_run(tmp_path, Spec(FOUR[2], seed=1, status="running"))
    (study,) = studies(load_library(tmp_path).runs)
    found = missing_runs(study, [("global", method) for method in FOUR_METHODS])
    assert [(m.method, m.seeds) for m in found] == [(LOTTERY_TICKET, (1,)), (ONE_SHOT, (1,))]
    assert found[0].state == f"{half.name} is not finished at 3 of 31 iterations"
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


def test_the_command_of_a_missing_run_carries_all_that_its_study_was_made_with(tmp_path):
    folder = tmp_path / "my runs #2"
    words = ("dataset=cifar10", "prune.iterations=30", "+trainer.epochs=7", "prune.score.seed=1", "init_from=a.npz")
    write_run(folder, Spec(FOUR[0], overrides=words))
    path = next((folder / "runs").iterdir()) / "run.json"
    state = json.loads(path.read_text())
    choices = {**state["choices"], "trainer/optimizer": "adam", "prune/score": "random", "experiment": "fig2"}
    path.write_text(json.dumps({**state, "choices": choices, "config_dir": "my conf"}))
    (study,) = studies(load_library(folder).runs)
    shared = ["prune.iterations=30", "+trainer.epochs=7", "init_from=a.npz"]
    end = [f"output_dir='{folder}'"]
    assert run_words(study, "layer", ONE_SHOT, [1]) == [
        "--config-dir", "my conf", "dataset=cifar10", "model=cnn", "prune=one_shot", "trainer=paper",
        "protocol=reference", "trainer/optimizer=adam", "prune.ratio=0.2", "prune.scope=layer", *shared, "seed=1", *end,
    ]  # fmt: skip
    own = run_words(study, "layer", SAP, [1, 2])
    assert own[4] == "prune=sap"
    assert "prune/score=random" in own
    assert {"prune.p=0.5", "prune.score.seed=1", "prune.scope=layer", "seed=1,2"} <= set(own)
    assert own[-1] == "-m"
    (missing,) = missing_runs(study, [("global", SAP), ("global", ONE_SHOT)])
    assert shlex.split(missing.command)[3:5] == ["--config-dir", "my conf"]
    assert shlex.split(missing.command)[-1] == f"output_dir='{folder}'"


def test_what_was_run_from_folders_with_spaces_is_made_again_by_a_command_that_a_shell_takes(tmp_path):
    output_dir = tmp_path / "my runs; #2"
    folder = write_run(output_dir, Spec(FOUR[0], status="failed"))
    set_in(folder, config_dir="/home/me/my conf", choices={"dataset": "my data", "prune": "sap", "model": "cnn"})
    (study,) = studies(load_library(output_dir).runs)
    (missing,) = missing_runs(study, [("global", SAP)])
    words = shlex.split(missing.command)
    assert words[3:5] == ["--config-dir", "/home/me/my conf"]
    assert "dataset='my data'" in words
    assert f"output_dir='{output_dir}'" in words


@pytest.mark.parametrize("name", ["iterations.csv", "layers.csv", "measures.safetensors"])
def test_a_digit_that_was_changed_by_hand_is_told_and_the_other_runs_are_read(tmp_path, name):
    write_run(tmp_path, Spec(FOUR[0]))
    folder = write_run(tmp_path, Spec(FOUR[1]))
    set_in(folder, files=stamps(folder, ["iterations.csv", "layers.csv", "measures.safetensors"]))
    assert len(load_library(tmp_path).runs) == 2
    content = bytearray((folder / name).read_bytes())
    content[-10] ^= 1
    (folder / name).write_bytes(content)
    told = f"{folder.name}: {name} was changed after it was recorded; remove it and run the same command again"
    library = load_library(tmp_path)
    if name == "measures.safetensors":
        (run,) = [run for run in library.runs if run.folder == folder]
        with pytest.raises(UserError, match=re.escape(told)):
            run.grid("retrained", 0)
    else:
        assert [run.method.short for run in library.runs] == ["sap-0.5-1-0-1"]
        assert library.problems[0].startswith(told)


def test_where_an_initial_state_lies_does_not_matter_where_its_content_is_known(tmp_path):
    specs = [Spec(method, init_from=f"/home/{i}/a.npz", digests=(("model", "1"),)) for i, method in enumerate(FOUR[:2])]
    write_runs(tmp_path, [*specs, Spec(FOUR[0], 1, digests=(("model", "2"),))])
    names = {study.name: len(study.runs) for study in studies(load_library(tmp_path).runs)}
    assert sorted(names.values()) == [1, 2]
    assert not any("home" in name for name in names)
    assert any("init_from=file" in name for name in names)
