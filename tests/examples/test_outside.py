"""A package of an outsider's, in a folder of its own: each part by itself, and runs of them by every launcher."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from src import figures, report, tables
from src.config.code import code_digest
from src.models.model import build_model, prunable_names
from tests.launchers.records import assert_same_records
from tests.support import ROOT, command_line, folder_of, started, wait_for

OUTSIDE = ROOT / "examples" / "outside"
THEIRS = ["prune=theirs", "model=theirs", "dataset=theirs", "trainer=smoke", "prune.iterations=2", "threads=1"]
LABELS = ["Tapered (P=0.4, power 0)", "Tapered (P=0.4, power 1)", "Tapered (P=0.4, power 2)"]


@pytest.fixture(scope="module")
def package(tmp_path_factory):
    """A copy of the package far from the repository, under a name of its own, where Python finds it."""
    copy = tmp_path_factory.mktemp("elsewhere")
    for path in OUTSIDE.rglob("*.*"):
        if path.suffix in (".py", ".yaml"):
            there = copy / str(path.relative_to(OUTSIDE)).replace("mine", "theirs")
            there.parent.mkdir(parents=True, exist_ok=True)
            there.write_text(path.read_text("utf-8").replace("mine", "theirs"))
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(copy))
        patch.setenv("PYTHONPATH", f"{ROOT}{os.pathsep}{copy}")
        yield copy


@pytest.fixture(scope="module")
def words(package):
    """A run of all three parts, on a command line."""
    return ["--config-dir", str(package / "conf"), *THEIRS]


@pytest.fixture(scope="module")
def swept(words, tmp_path_factory):
    """An output folder with a run, and then a sweep around it."""
    output_dir = tmp_path_factory.mktemp("swept")
    folder_of(command_line(*words, f"output_dir={output_dir}"))
    done = command_line(*words, "prune.power=0,1,2", f"output_dir={output_dir}", "-m")
    assert done.returncode == 0, done.stderr
    assert "1 finished, 2 to do" in done.stdout
    return output_dir


@pytest.mark.usefixtures("package")
@pytest.mark.parametrize(("power", "count"), [(0.0, [4, 2, 0]), (1.0, [4, 1, 0]), (2.0, [4, 0, 0])])
def test_the_ratio_shrinks_with_the_share_alive(power, count):
    from theirs.method import Tapered

    alive = torch.tensor([[True] * 10, [True] * 5 + [False] * 5, [False] * 10])
    assert Tapered(ratio=0.4, power=power).amount(torch.ones(3, 10), alive, 0, None).count.tolist() == count
    assert Tapered(power=power).label == f"Tapered (P=0.4, power {power:g})"


@pytest.mark.usefixtures("package")
def test_the_model_takes_images_of_any_size():
    from theirs.model import Strided

    network = build_model(Strided(width=4), (3, 5, 7), 10, seed=0)
    assert [network.get_parameter(name).numel() for name in prunable_names(network)] == [108, 288, 80]
    assert Strided(width=4).short == "strided-width4"


@pytest.mark.usefixtures("package")
def test_the_data_set_is_balanced_gray_and_always_the_same():
    from theirs.data import Stripes

    images, again = (Stripes().read(Path("nowhere"), download=False) for _ in range(2))
    assert images.fault() is None
    assert images.digest == again.digest
    assert (images.train_images.shape, len(images.test_labels)) == ((1200, 1, 12, 12), 300)
    assert images.train_labels.bincount(minlength=4).min() > 250
    assert Stripes(noise=0).read(Path("nowhere"), download=False).digest != images.digest


@pytest.mark.usefixtures("package")
def test_the_code_of_a_part_is_its_module():
    from theirs.method import Tapered
    from theirs.model import Strided

    assert code_digest(Tapered) != code_digest(Strided)


def test_runs_and_sweeps_over_its_settings(swept):
    runs = sorted((json.loads(path.read_text()) for path in swept.glob("runs/*/run.json")), key=lambda run: run["name"])
    assert {(run["status"], run["model"], run["dataset"]) for run in runs} == {("finished", "strided", "stripes")}
    assert sorted(run["method"]["label"] for run in runs) == LABELS
    assert {run["method"]["kind"] for run in runs} == {"tapered"}
    assert len({run["id"] for run in runs}) == 3


def test_a_stack_records_the_same(swept, words, tmp_path):
    stacked = command_line(*words, "prune.power=0,1,2", "hydra/launcher=stacked", f"output_dir={tmp_path}", "-m")
    assert stacked.returncode == 0, stacked.stderr
    assert_same_records(swept, tmp_path, count=3)


def test_its_method_is_stacked_with_others_on_networks_that_stack(words, tmp_path):
    sweep = ["model=linear", "prune=theirs,sap", "prune.iterations=1", "hydra/launcher=stacked", "-m"]
    done = command_line(*words, *sweep, f"output_dir={tmp_path}")
    assert done.returncode == 0, done.stderr
    runs = [json.loads(path.read_text()) for path in tmp_path.glob("runs/*/run.json")]
    assert sorted(run["method"]["kind"] for run in runs) == ["sap", "tapered"]


def test_has_its_own_curves_in_figures_tables_and_report(swept, capsys):
    assert figures.main([f"output_dir={swept}", "figure=prune", "incomplete=draw", "formats=svg", "workers=1"]) == 0
    assert tables.main([f"output_dir={swept}"]) == 0
    assert report.main([f"output_dir={swept}"]) == 0
    (figure,) = swept.glob("figures/prune/*.svg")
    for path in (figure, swept / "tables" / "accuracy.csv", swept / "report" / "index.html"):
        text = path.read_text("utf-8")
        assert [label for label in LABELS if label not in text] == [], path
    capsys.readouterr()


def test_goes_on_after_a_kill(words, tmp_path):
    """kill -9 while it trains; the same command ends with the records of a run that nobody killed."""
    long = [*words, "trainer.epochs=12"]
    run = started(*long, f"output_dir={tmp_path / 'killed'}")
    try:
        wait_for(tmp_path, "killed/trainings/*/*.safetensors", run)
        assert run.poll() is None
    finally:
        run.kill()
        run.wait()
    for name in ("killed", "whole"):
        folder_of(command_line(*long, f"output_dir={tmp_path / name}"))
    assert_same_records(tmp_path / "whole", tmp_path / "killed", count=1)


@pytest.mark.slow
def test_joblibs_processes_record_the_same(swept, words, tmp_path):
    launcher = ["hydra/launcher=processes", "hydra.launcher.n_jobs=2"]
    done = command_line(*words, "prune.power=0,1,2", *launcher, f"output_dir={tmp_path}", "-m")
    assert done.returncode == 0, done.stderr
    assert_same_records(swept, tmp_path, count=3)


@pytest.mark.slow
@pytest.mark.usefixtures("package")
def test_torchruns_processes_make_the_same_run(words, tmp_path):
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", "-m", "src.main"]
    done = subprocess.run(
        [*command, *words, "tracking=none", "device=cpu", f"output_dir={tmp_path / 'parallel'}"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    alone = folder_of(command_line(*words, f"output_dir={tmp_path / 'alone'}"))
    assert folder_of(done).name == alone.name
    remaining = [
        [line.split(",")[1] for line in (folder / "iterations.csv").read_text().splitlines()]
        for folder in (folder_of(done), alone)
    ]
    assert remaining[0] == remaining[1]
