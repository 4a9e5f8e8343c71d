"""A sweep as one stack: as if every run had run alone."""

import time
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from src.files import read_rows
from tests.support import command_line, started, wait_for

RUN = ["dataset=digits", "trainer.epochs=3", "trainer.batch_size=50", "prune.iterations=2", "threads=1"]
SWEEP = ["-m", "prune=sap,lottery_ticket,one_shot", "prune.scope=neuron,layer,global", "seed=0,1"]
STACKED = "hydra/launcher=stacked"


def runs(output_dir: Path) -> dict[str, Path]:
    return {path.name: path for path in (output_dir / "runs").iterdir()}


def rows(folder: Path) -> list[dict[str, str]]:
    return read_rows(folder / "iterations.csv")


def is_stacked(folder: Path) -> bool:
    return "stacked" in (folder / "timings.csv").read_text()


@pytest.mark.parametrize("model", ["linear", "mlp"])
def test_stacked_equals_solo(tmp_path, model):
    solo = command_line(*SWEEP, *RUN, f"model={model}", f"output_dir={tmp_path / 'solo'}")
    stacked = command_line(STACKED, *SWEEP, *RUN, f"model={model}", f"output_dir={tmp_path / 'stacked'}")
    assert (solo.returncode, stacked.returncode) == (0, 0), stacked.stderr
    alone, together = runs(tmp_path / "solo"), runs(tmp_path / "stacked")
    assert sorted(alone) == sorted(together)
    assert len(alone) == 18
    assert any(is_stacked(folder) for folder in together.values())
    for name, folder in alone.items():
        for ours, theirs in zip(rows(together[name]), rows(folder), strict=True):
            assert abs(int(ours["remaining"]) - int(theirs["remaining"])) <= 2
            assert float(ours["retrained_accuracy"]) == pytest.approx(float(theirs["retrained_accuracy"]), abs=0.5)
        masks = [load_file(path / "masks.safetensors") for path in (folder, together[name])]
        equal = [(masks[0][key] == masks[1][key]).float().mean() for key in masks[0]]
        assert torch.stack(equal).min() >= 0.999


@pytest.mark.parametrize("launcher", ["basic", "stacked"])
def test_dense_in_a_sweep_is_one_training_and_ends_no_other(tmp_path, launcher):
    sweep = [f"hydra/launcher={launcher}", "-m", "prune=sap,lottery_ticket,dense"]
    done = command_line(*sweep, *RUN, "model=linear", f"output_dir={tmp_path}")
    assert done.returncode == 0, done.stderr
    assert sorted(len(rows(folder)) for folder in runs(tmp_path).values()) == [1, 3, 3]


def test_a_job_that_cannot_be_composed_stops_no_other(tmp_path):
    done = command_line(STACKED, "-m", *RUN, "model=linear", "prune.p=0.5,1.5,0.2", f"output_dir={tmp_path}")
    assert done.returncode != 0
    assert "prune.p=1.5" in done.stderr
    assert "Traceback" not in done.stderr
    assert len(runs(tmp_path)) == 2


def test_data_and_models_are_grouped_not_refused(tmp_path):
    done = command_line(STACKED, "-m", *RUN, "model=linear,mlp", "trainer.lr=0.1,0.05", f"output_dir={tmp_path}")
    assert done.returncode == 0, done.stderr
    assert len(runs(tmp_path)) == 4


def test_a_killed_stack_goes_on(tmp_path):
    sweep = [STACKED, *SWEEP, *RUN, "model=linear", "prune.iterations=8"]
    process = started(*sweep, f"output_dir={tmp_path / 'killed'}")
    wait_for(tmp_path, "killed/runs/*/iterations.csv", process)
    time.sleep(0.3)
    assert process.poll() is None
    process.kill()
    process.wait()
    resumed = command_line(*sweep, f"output_dir={tmp_path / 'killed'}")
    whole = command_line(*sweep, f"output_dir={tmp_path / 'whole'}")
    assert (resumed.returncode, whole.returncode) == (0, 0), resumed.stderr
    again = command_line(*sweep, f"output_dir={tmp_path / 'killed'}")
    assert "0 to do" in again.stdout
    for name, folder in runs(tmp_path / "whole").items():
        found = rows(runs(tmp_path / "killed")[name])
        for ours, theirs in zip(found, rows(folder), strict=True):
            assert abs(int(ours["remaining"]) - int(theirs["remaining"])) <= 2
