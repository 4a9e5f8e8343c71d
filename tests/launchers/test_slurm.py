"""`hydra/launcher=slurm` on a real Slurm, started here on loopback: `./reproduce.sh test-slurm`."""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.launchers import cluster
from tests.launchers.records import assert_same_records
from tests.support import ROOT

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(600),
    pytest.mark.skipif(cluster.why_not() is not None, reason=str(cluster.why_not())),
]

RUN = ["dataset=digits", "model=mlp", "tracking=none", "device=cpu", "threads=1", "trainer.batch_size=20"]
SLURM = [
    "hydra/launcher=slurm",
    "hydra.launcher.cpus_per_task=1",
    "hydra.launcher.mem_gb=1",
    "hydra.launcher.timeout_min=5",
]


@pytest.fixture(scope="module")
def slurm(tmp_path_factory) -> Iterator[dict[str, str]]:
    with cluster.cluster(tmp_path_factory.mktemp("slurm")) as env:
        yield env


def main(output_dir: Path, *words: str, **options) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "src.main", *RUN, *words, f"output_dir={output_dir}"],
        cwd=ROOT,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        **options,
    )


def ask(env: dict[str, str], *command: str) -> str:
    return subprocess.run(command, env=env, capture_output=True, text=True, check=True).stdout


def tasks(env: dict[str, str], name: str = "sap") -> dict[str, str]:
    """State of the tasks in the queue, under their ids."""
    lines = ask(env, "squeue", "-h", "-r", "-n", name, "-o", "%i %T").splitlines()
    return {line.split()[0]: line.split()[1] for line in lines}


def wait(until: Callable[[], bool], seconds: float = 120) -> None:
    deadline = time.monotonic() + seconds
    while not until():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.2)


def test_an_array_makes_the_records_of_a_serial_sweep(slurm, tmp_path):
    sweep = ["-m", "prune.iterations=1", "trainer.epochs=2", "prune=sap,lottery_ticket,one_shot", "trainer.lr=0.1,1e30"]
    serial = main(tmp_path / "serial", *sweep)
    array = main(tmp_path / "slurm", *sweep, *SLURM, env=slurm)
    said = array.communicate()[0]
    serial.communicate()
    assert (serial.returncode, array.returncode) == (1, 1)
    assert "Slurm job" in said
    assert "3 of 6 runs failed" in said
    assert "the training loss became" in said
    assert_same_records(tmp_path / "serial", tmp_path / "slurm", count=3)


def test_tasks_that_are_told_to_stop_or_requeued_go_on_where_they_were(slurm, tmp_path):
    sweep = ["-m", "prune.iterations=2", "trainer.epochs=200", "seed=0,1", "prune=sap"]
    array = main(tmp_path / "slurm", *sweep, *SLURM, env=slurm)
    runs = tmp_path / "slurm" / "runs"
    wait(lambda: len(list(runs.glob("*/iterations.csv"))) == 2)
    told, cancelled = sorted(tasks(slurm))
    ask(slurm, "scancel", "--signal=USR2", told)  # as before the time limit: submitit puts it back
    ask(slurm, "scontrol", "requeue", cancelled)  # as on preemption: Slurm puts it back
    wait(lambda: set(tasks(slurm).values()) == {"PENDING"})
    assert [path.name for path in runs.glob("*/run.json")] == ["run.json"] * 2
    assert not any('"finished"' in path.read_text() for path in runs.glob("*/run.json"))
    for task in (told, cancelled):  # which Slurm would hold for two minutes
        ask(slurm, "scontrol", "update", f"JobId={task}", "StartTime=now")
    said = array.communicate()[0]
    assert array.returncode == 0, said
    logs = [path.read_text() for path in (tmp_path / "slurm" / "multirun" / "slurm").glob("*/*_log.out")]
    assert sum("goes on with iteration" in log for log in logs) == 2, logs
    serial = main(tmp_path / "serial", *sweep)
    serial.communicate()
    assert_same_records(tmp_path / "serial", tmp_path / "slurm", count=2)


def test_a_task_that_is_killed_does_not_hide_the_others(slurm, tmp_path):
    sweep = ["-m", "prune.iterations=1", "trainer.epochs=300", "seed=0,1", "prune=sap"]
    array = main(tmp_path, *sweep, *SLURM, env=slurm)
    wait(lambda: len(list((tmp_path / "runs").glob("*/run.json"))) == 2)
    killed = min(tasks(slurm))
    ask(slurm, "scancel", "--signal=KILL", killed)
    said = array.communicate()[0]
    assert array.returncode == 1
    assert "1 of 2 runs failed" in said
    assert "Slurm ended the task" in said
    states = sorted('"finished"' in path.read_text() for path in (tmp_path / "runs").glob("*/run.json"))
    assert states == [False, True]
    again = main(tmp_path, *sweep)
    said = again.communicate()[0]
    assert again.returncode == 0
    assert "2 runs" in said
    assert "1 finished, 1 to do" in said
