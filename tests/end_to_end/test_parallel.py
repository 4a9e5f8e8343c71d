"""One run on two processes: the records of one."""

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest

from src.files import read_rows
from src.records.schema import read_status
from tests.end_to_end.events import free_s, worked_s
from tests.support import QUIET, ROOT, command_line, folder_of

RUN = ["dataset=digits", "model=mlp", "prune.iterations=2", "trainer.epochs=2", "trainer.batch_size=50", "threads=1"]
COMMAND = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", "-m", "src.main"]


def torchrun(*overrides: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *QUIET, *overrides],
        cwd=ROOT,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )


def rows(folder: Path) -> list[dict[str, str]]:
    return read_rows(folder / "iterations.csv")


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


ENDING_S, FREE_S, WORK_S = 90, 5, 8
"""From a signal to the end of all processes, of it while cores were free, and what they may work together: the
two that train each finish an epoch, in up to 2.5 s, and leave PyTorch, as the launcher does, in 0.8 s. All had ended
after 13 s where 13 processes wanted 2 cores."""


@pytest.mark.slow
@pytest.mark.parametrize("signalled", ["launcher", "first", "second"])
def test_a_signal_to_any_process_ends_all_with_a_checkpoint(tmp_path, signalled, capsys):
    run = [*RUN, "dataset.train_size=1400", "trainer.batch_size=350", "trainer.epochs=200", f"output_dir={tmp_path}"]
    launcher = subprocess.Popen(
        [*COMMAND, *QUIET, *run], cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        while not (tmp_path / "trainings").exists() or newest(tmp_path) is None:
            assert launcher.poll() is None
            time.sleep(0.05)
        children = Path(f"/proc/{launcher.pid}/task/{launcher.pid}/children").read_text().split()
        processes = dict(zip(("launcher", "first", "second"), (launcher.pid, *map(int, children)), strict=True))
        before, worked = newest(tmp_path), sum(map(worked_s, processes.values()))
        began, free = time.monotonic(), free_s()
        os.kill(processes[signalled], signal.SIGTERM)
        used = os.wait4(launcher.pid, 0)[2]  # of its children, too
    finally:
        launcher.kill()
    assert time.monotonic() - began < ENDING_S
    assert free_s() - free < FREE_S
    assert used.ru_utime + used.ru_stime - worked < WORK_S
    assert not any(Path(f"/proc/{child}").exists() for child in children)
    (folder,) = (tmp_path / "runs").iterdir()
    assert read_status(folder)["status"] == "running"
    after = newest(tmp_path)
    assert after > before if signalled != "second" else after >= before
    with capsys.disabled():
        print(f"\nsignal to the {signalled}: all ended after {time.monotonic() - began:.1f} s")


def newest(output_dir: Path) -> int | None:
    """When the newest checkpoint was written."""
    with suppress(FileNotFoundError):
        return max((path.stat().st_mtime_ns for path in output_dir.rglob("*.partial.safetensors")), default=None)
    return None
