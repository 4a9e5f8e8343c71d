"""What compares runs: their group, tags and costs in Weights & Biases, and the number that a sweeper maximises."""

import csv
import math
from pathlib import Path

import pytest
import yaml
from hydra.core.plugins import Plugins
from hydra.plugins.launcher import Launcher

from src.config import CONF
from src.records.objective import accuracy_at, tradeoff
from src.sweeps.compose import Composer, hydra_with
from src.tracking.metrics import OBJECTIVE
from tests import support
from tests.support import command_line
from tests.tracking.offline_log import Logged, offline_runs, read_log

SMALL = ("model=linear", "dataset=digits", "trainer=smoke", "prune.iterations=2", "record.picture=false")


@pytest.fixture
def logs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Logged]:
    """Of a plain sweep over two methods."""
    for name in ("WANDB_MODE", "WANDB_RUN_GROUP"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(support, "QUIET", ("device=cpu",))
    words = ["prune=sap,one_shot", "tracking=offline", "tracking.artifact=always", f"output_dir={tmp_path}", "-m"]
    done = command_line(*SMALL, *words)
    assert done.returncode == 0, done.stderr
    return [read_log(offline_runs(run)[0]) for run in sorted((tmp_path / "runs").iterdir())]


def test_a_plain_sweep(logs: list[Logged]):
    assert {log.run.run_group for log in logs} == {" ".join([*SMALL, "prune=sap,one_shot"])}
    for log in logs:
        assert {"smoke", "reference", "global", "linear"} <= set(log.run.tags)
        assert log.config["network"] == {
            "image_shape": [1, 8, 8],
            "classes": 10,
            "parameters": 650,
            "multiply_adds": 640,
        }
        assert log.config["provenance"]["commit"]
        assert log.summary["last/percent_remaining"] < 100
        assert log.summary["best/accuracy"] == max(log.column("retrained/accuracy"))
        (files,) = [files for name, files in log.artifacts.items() if name.startswith("network-")]
        assert set(files) == {"networks.safetensors", "masks.safetensors", "config.yaml", "run.json", "iterations.csv"}


def test_accuracy_between_two_iterations():
    curve = tradeoff([100, 10, 1, 0], [90, 80, 20, 10])
    assert curve.at(10) == 80
    assert curve.at(10**0.5) == pytest.approx(50)
    assert math.isnan(curve.at(0.5))
    assert math.isnan(tradeoff([], []).at(10))


def test_a_sweeper_of_hydras_is_given_the_accuracy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    returned = []
    (basic,) = [found for found in Plugins.instance().discover(Launcher) if found.__name__ == "BasicLauncher"]
    launched = basic.launch

    def launch(self, *jobs, **places):
        found = launched(self, *jobs, **places)
        returned.extend(result.return_value for result in found)
        return found

    monkeypatch.setattr(basic, "launch", launch)
    words = ["hydra/sweeper=basic", "prune.gamma=1,9", "accuracy_at=90", f"output_dir={tmp_path}", "-m"]
    done = command_line(*SMALL, *words)
    folders = [Path(line) for line in done.stdout.splitlines() if line.startswith(str(tmp_path))]
    assert returned == [accuracy_at(folder, 90) for folder in folders]
    for folder, value in zip(folders, returned, strict=True):
        accuracies = [float(row["retrained_accuracy"]) for row in csv.DictReader((folder / "iterations.csv").open())]
        assert min(accuracies) <= value <= max(accuracies)
    assert len(folders) == 2


def test_the_sweep_for_wandb_maximises_what_is_logged_over_keys_that_there_are():
    sweep = yaml.safe_load((CONF / "sweep.yaml").read_text())
    assert sweep["metric"] == {"name": OBJECTIVE, "goal": "maximize"}
    assert sweep["command"][:4] == ["${env}", "python", "-m", "src.main"]
    assert sweep["command"][-1] == "${args_no_hyphens}"
    words = sweep["command"][4:-1]
    with hydra_with(None):
        composer = Composer()
        for place in range(3):
            chosen = [f"{key}={about['values'][place]}" for key, about in sweep["parameters"].items()]
            assert composer.settings((*words, *chosen)).accuracy_at == 10
