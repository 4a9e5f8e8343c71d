"""One run on two processes: the records of one."""

import csv
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support import ROOT, command_line, folder_of

RUN = ["dataset=digits", "model=mlp", "prune.iterations=2", "trainer.epochs=2", "trainer.batch_size=50", "threads=1"]


def torchrun(*overrides: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", "-m", "src.main"]
    return subprocess.run(
        [*command, "tracking=none", "device=cpu", *overrides],
        cwd=ROOT,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )


def rows(folder: Path) -> list[dict[str, str]]:
    with (folder / "iterations.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def test_two_processes_record_what_one_does(tmp_path):
    run = [*RUN, "dataset.train_size=1400"]
    alone = command_line(*run, f"output_dir={tmp_path / 'alone'}")
    together = torchrun(*run, f"output_dir={tmp_path / 'together'}")
    assert together.stdout.count(f"{tmp_path / 'together'}/runs/") == 1  # one process speaks
    folders = [folder_of(done) for done in (alone, together)]
    assert folders[0].name == folders[1].name
    for ours, theirs in zip(rows(folders[1]), rows(folders[0]), strict=True):
        assert abs(int(ours["remaining"]) - int(theirs["remaining"])) <= 2
        assert float(ours["retrained_loss"]) == pytest.approx(float(theirs["retrained_loss"]), rel=1e-3)
        assert float(ours["retrained_accuracy"]) == pytest.approx(float(theirs["retrained_accuracy"]), abs=0.5)


def test_a_batch_that_cannot_be_split_is_named(tmp_path):
    done = torchrun(*RUN, "dataset.train_size=1401", f"output_dir={tmp_path}")
    assert done.returncode != 0
    assert "1 images cannot be split evenly over 2 processes" in done.stderr
    assert not (tmp_path / "runs").exists()
