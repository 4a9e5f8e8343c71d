"""Killed at any moment, the same command ends with the same records, bit for bit."""

import filecmp
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from src.errors import Interrupted
from src.execution.interruption import Interruption
from tests.end_to_end.events import free_s, worked_s
from tests.support import ROOT, command_line, folder_of, started, wait_for
from tests.tracking.offline_log import offline_runs, read_log

RUN = ["dataset=digits", "model=mlp", "prune.iterations=3", "trainer.epochs=4", "trainer.batch_size=50", "threads=1"]
RECORDS = ["iterations.csv", "layers.csv", "epochs.csv", "measures.safetensors", "masks.safetensors"]


def children_s() -> float:
    """Processor time of all children that have ended."""
    return sum(os.times()[2:4])


def kill_after(seconds: float, output_dir: Path, *overrides: str) -> bool:
    """Start the run and kill -9 it; whether it was still alive."""
    process = started(f"output_dir={output_dir}", *RUN, *overrides)
    wait_for(output_dir, "trainings/*/*", process)
    time.sleep(seconds)
    alive = process.poll() is None
    if alive:
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    return alive


@pytest.mark.parametrize(
    "prune",
    [
        "prune=sap",
        "prune=one_shot prune.rewind.epoch=1 trainer/optimizer=adam trainer.lr=0.001",
    ],
)
def test_killed_runs_end_bit_identical(tmp_path, prune):
    words = prune.split()
    whole = command_line(*RUN, *words, f"output_dir={tmp_path / 'whole'}")
    moments = random.Random(prune)
    killed = [kill_after(moments.uniform(0, 0.4), tmp_path / "killed", *words) for _ in range(3)]
    assert any(killed)
    resumed = command_line(*RUN, *words, f"output_dir={tmp_path / 'killed'}")
    expected, found = folder_of(whole), folder_of(resumed)
    same, different, missing = filecmp.cmpfiles(expected, found, RECORDS, shallow=False)
    assert (sorted(same), different, missing) == (sorted(RECORDS), [], [])
    assert not list((tmp_path / "killed").rglob("*.partial.safetensors"))


@pytest.mark.parametrize(("number", "status"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_ends_the_run_at_once_with_a_checkpoint_and_all_of_it_in_the_mirror(tmp_path, number, status):
    # W&B begins to write after seconds: training takes several times as long
    words = ["tracking=offline", f"output_dir={tmp_path}", *RUN, "trainer.epochs=40", "trainer.batch_size=10"]
    command = [sys.executable, "-m", "src.main", "device=cpu", *words]
    env = {**os.environ, "WANDB_SERVICE": "3-1-unix-/nowhere"}  # one of another process, as a notebook leaves
    process = subprocess.Popen(command, cwd=ROOT, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    for there in ("iterations.csv", "wandb/offline-run-*/run-*.wandb"):
        wait_for(tmp_path, f"runs/*/{there}", process)
    assert process.poll() is None
    worked, before, began = worked_s(process.pid), children_s(), free_s()
    process.send_signal(number)
    _, err = process.communicate(timeout=60)
    assert free_s() - began < 5
    assert children_s() - before - worked < 5  # of processor time: other work on the machine does not count
    assert process.returncode == status
    assert "interrupted; the same command goes on" in err
    assert "Traceback" not in err
    folder = folder_of(command_line(*words))
    parts = [read_log(part) for part in offline_runs(folder)]
    assert len(parts) == 2
    assert [value for part in parts for value in part.column("iteration")] == [0, 1, 2, 3]
    assert [value for part in parts for value in part.column("epoch")] == list(range(1, 161))


def test_a_second_signal_is_deadly():
    code = (
        "import os, signal, time\n"
        "from src.execution.interruption import Interruption\n"
        "with Interruption():\n"
        "    for _ in range(2):\n"
        "        os.kill(os.getpid(), signal.SIGTERM)\n"
        "    time.sleep(60)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, timeout=30, check=False)
    assert done.returncode == -signal.SIGTERM


def test_an_epoch_that_takes_long_is_not_waited_for(monkeypatch):
    monkeypatch.setattr("src.execution.interruption.PATIENCE_S", 0.1)
    with Interruption(), pytest.raises(Interrupted) as ended:  # noqa: PT012
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(30)
    assert ended.value.status == 130
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_finished_run_says_so_and_does_nothing(tmp_path):
    folder = folder_of(command_line(*RUN, "prune.iterations=1", f"output_dir={tmp_path}"))
    before = {path: path.stat().st_mtime_ns for path in folder.iterdir()}
    second = command_line(*RUN, "prune.iterations=1", f"output_dir={tmp_path}")
    assert "is finished; nothing to do. To run it again, remove" in second.stdout
    assert folder_of(second) == folder
    assert {path: path.stat().st_mtime_ns for path in folder.iterdir()} == before
