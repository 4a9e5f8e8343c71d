"""`hydra/launcher=processes`: several runs at a time on this machine."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.launchers.records import assert_same_records, finished
from tests.support import ROOT, command_line

RUN = ["dataset=digits", "model=mlp", "trainer.batch_size=50"]
SWEEP = ["-m", "prune.iterations=1", "trainer.epochs=2", "prune=sap,mine", "prune.scope=layer,global"]
PROCESSES = ["hydra/launcher=processes", "hydra.launcher.n_jobs=2"]


def test_the_records_are_those_of_a_serial_sweep(tmp_path):
    mine = tmp_path / "conf" / "prune" / "mine.yaml"
    mine.parent.mkdir(parents=True)
    mine.write_text("_target_: src.pruning.methods.lottery_ticket.LotteryTicket\nratio: 0.4\n")
    sweep = ["--config-dir", str(tmp_path / "conf"), *RUN, *SWEEP, "threads=1"]
    serial = command_line(*sweep, f"output_dir={tmp_path / 'serial'}")
    parallel = command_line(*sweep, *PROCESSES, f"output_dir={tmp_path / 'parallel'}")
    assert serial.returncode == 0, serial.stderr
    assert parallel.returncode == 0, parallel.stderr
    assert_same_records(tmp_path / "serial", tmp_path / "parallel", count=4)


def test_each_process_has_its_share_of_the_cores_as_threads(tmp_path):
    """joblib's workers tell PyTorch; 2 busy processes of 2 threads each are 20 times slower on 2 cores."""
    share = max(1, (os.cpu_count() or 1) // 2)
    code = (
        "import torch; from joblib import Parallel, delayed\n"
        "def threads(_):\n    import torch\n    return torch.get_num_threads()\n"
        "print(Parallel(n_jobs=2, backend='loky')(delayed(threads)(i) for i in range(2)))\n"
    )
    script = tmp_path / "threads.py"
    script.write_text(code)
    env = {key: value for key, value in os.environ.items() if not key.endswith("_NUM_THREADS")}
    said = subprocess.run([sys.executable, str(script)], env=env, capture_output=True, text=True, check=True).stdout
    assert said.strip() == str([share, share])


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="finds the process to kill in /proc")
def test_a_killed_process_costs_no_run(tmp_path):
    words = [*RUN, "-m", "prune.iterations=1", "trainer.epochs=15", "seed=0,1,2", *PROCESSES, "tracking=none"]
    sweep = subprocess.Popen(
        [sys.executable, "-m", "src.main", *words, "device=cpu", "threads=1", f"output_dir={tmp_path}"],
        cwd=ROOT,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    worker = _wait_for_worker(sweep.pid, tmp_path)
    os.kill(worker, signal.SIGKILL)
    said = sweep.communicate()[0]
    assert sweep.returncode == 0, said
    assert len(finished(tmp_path)) == 3


def _wait_for_worker(parent: int, output_dir: Path) -> int:
    """A worker that holds the lock of a run's folder."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if list(output_dir.glob("runs/*/run.json")):
            for child in _descendants(parent):
                if _has_open(child, output_dir / "locks"):
                    return child
        time.sleep(0.05)
    raise TimeoutError("no worker at a run")


def _descendants(pid: int) -> list[int]:
    children = [int(c) for c in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return [*children, *(grandchild for child in children for grandchild in _descendants(child))]


def _has_open(pid: int, folder: Path) -> bool:
    try:
        return any(os.readlink(path).startswith(str(folder)) for path in Path(f"/proc/{pid}/fd").iterdir())
    except OSError:
        return False
