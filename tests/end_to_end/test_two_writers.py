"""Several processes on one sweep: nothing is trained twice, whoever dies."""

import random
import time
from collections import Counter
from pathlib import Path

import pytest

from src.files import read_rows
from tests.end_to_end.events import fork, left_over, records, status_of
from tests.support import command_line, started, wait_for

SWEEP = ["-m", "prune=sap,lottery_ticket,one_shot", "prune.scope=layer,global", "seed=0,1"]
RUN = ["dataset=digits", "model=mlp", "prune.iterations=4", "trainer.epochs=6", "trainer.batch_size=50", "threads=1"]
EPOCHS = 6


def trained_epochs(output_dir: Path) -> int:
    return sum(int(row["epochs"]) for run in output_dir.glob("runs/*") for row in read_rows(run / "timings.csv"))


@pytest.mark.timeout(1800)
def test_four_processes_two_killed(tmp_path):
    serial = command_line(*SWEEP, *RUN, f"output_dir={tmp_path / 'serial'}")
    assert serial.returncode == 0, serial.stderr

    together = tmp_path / "together"
    processes = [started(*SWEEP, *RUN, f"output_dir={together}") for _ in range(4)]
    wait_for(together, "runs/*/iterations.csv", processes[0])
    moments = random.Random(3)
    killed = moments.sample(processes, 2)
    for process in killed:
        time.sleep(moments.uniform(0.1, 0.5))
        assert process.poll() is None
        process.kill()
    try:
        assert [process.wait(timeout=1500) for process in processes if process not in killed] == [0, 0]
    finally:
        for process in processes:
            process.kill()

    expected = sorted((tmp_path / "serial" / "runs").iterdir())
    assert [run.name for run in expected] == sorted(run.name for run in (together / "runs").iterdir())
    for run in expected:
        for name in ("iterations.csv", "layers.csv", "epochs.csv", "masks.safetensors"):
            assert (together / "runs" / run.name / name).read_bytes() == (run / name).read_bytes()
    # Epochs that a killed process had trained and not recorded are not in its timings, those since the last checkpoint
    # were trained again: at most one training's per kill.
    assert abs(trained_epochs(together) - trained_epochs(tmp_path / "serial")) <= 2 * EPOCHS
    ids = Counter(path.name for path in (together / "trainings").rglob("*.safetensors"))
    assert sorted(ids) == sorted(path.name for path in (tmp_path / "serial" / "trainings").rglob("*.safetensors"))


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_sixteen_whole_sweeps_train_everything_once(tmp_path):
    words = [
        *SWEEP[:2],
        "seed=0,1",
        "model=linear",
        "dataset=digits",
        "trainer=smoke",
        "prune.iterations=2",
        "threads=1",
    ]
    alone, together = tmp_path / "alone", tmp_path / "together"
    assert command_line(*words, f"output_dir={alone}").returncode == 0
    sweeps = [fork([*words, f"output_dir={together}"]) for _ in range(16)]
    assert [status_of(sweep) for sweep in sweeps] == [0] * 16
    assert records(together) == records(alone)
    assert trained_epochs(together) == trained_epochs(alone)
    kept = [sorted(path.name for path in (folder / "trainings").rglob("*.safetensors")) for folder in (alone, together)]
    assert kept[0] == kept[1]
    assert left_over(together) == []
