"""`benchmarks/gpu.sh`, rehearsed in small: what is carried is unpacked, and another machine goes on where one ended."""

import os
import pickle
import subprocess
import sys
import tarfile

import numpy as np
import pytest

from benchmarks import mosaic
from src.store.tensors import read_tensors
from tests.support import ROOT

pytestmark = pytest.mark.timeout(900)

SMALL = "dataset=digits model=linear trainer.batch_size=100 prune.iterations=1 seed=0"


def call(machine, *words, seconds, carried="none"):
    """A call on `machine`, a folder: what it keeps lies under `kept`, what comes back under `out`."""
    env = {
        "PY": sys.executable, "DEVICE": "cpu", "MODELS": "", "WORDS": " ".join((SMALL, *words)), "GRACE": "15",
        "LIMIT": "280", "TRAININGS": "prune.scope=global",
        "KEEP": str(machine / "kept"), "OUT": str(machine / "out"), "CARRIED": str(machine / carried),
    }  # fmt: skip
    done = subprocess.run(
        ["bash", ROOT / "benchmarks/gpu.sh", "run", str(seconds)],
        env=os.environ | env,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def carry(there, to):
    """What came back from one machine to another, which is new."""
    (to / "carried").mkdir(parents=True)
    for part in there.glob("out/store.??"):
        (to / "carried" / part.name).write_bytes(part.read_bytes())


def test_a_finished_sweep_is_known_on_the_next_machine(tmp_path):
    one, two = tmp_path / "one", tmp_path / "two"
    (one / "carried").mkdir(parents=True)
    (tmp_path / "mosaic").mkdir()
    (tmp_path / "mosaic/batches.meta").write_bytes(bytes(600))
    with tarfile.open(tmp_path / "data.tar", "w") as tar:
        tar.add(tmp_path / "mosaic", "mosaic")
    packed = (tmp_path / "data.tar").read_bytes()
    (one / "carried/data.00").write_bytes(packed[:500])
    (one / "carried/data.01").write_bytes(packed[500:])
    said = call(one, "trainer.epochs=1", seconds=290, carried="carried")
    assert "15 skipped" in said or "15 passed" in said
    assert said.count("status 0") == 2
    assert (one / "kept/data/cifar-10-batches-py/batches.meta").read_bytes() == bytes(600)
    assert {path.name for path in (one / "out").iterdir()} == {"tests.txt", "engines.txt", "fig2.txt", "store.00"}
    with tarfile.open(one / "out/store.00") as store:
        names = store.getnames()
    assert names[0].startswith("results/")
    assert sum(name.endswith("/run.json") for name in names) == 4
    carry(one, two)
    said = call(two, "trainer.epochs=1", seconds=290, carried="carried")
    assert "tests has been tried" in said
    assert "4 finished, 0 to do" in said


@pytest.mark.slow
def test_a_sweep_that_ran_out_of_time_goes_on_on_the_next_machine(tmp_path):
    one, two = tmp_path / "one", tmp_path / "two"
    carried, epochs = "none", []
    for machine in (one, two):
        (machine / "kept/results").mkdir(parents=True)
        (machine / "kept/results/tests.txt").write_text("status 0\n")
        said = call(machine, "trainer.epochs=1000000", seconds=150, carried=carried)
        assert "(out of time)" in said
        (checkpoint,) = machine.glob("kept/fig2/trainings/*/*.partial.safetensors")
        epochs.append(len(read_tensors(checkpoint)[1]["history"]))
        if machine == one:
            carry(one, two)
            carried = "carried"
    assert 0 < epochs[0] < epochs[1]


def test_a_mosaic_gives_back_every_byte(tmp_path, monkeypatch):
    monkeypatch.setattr(mosaic, "PICTURES", 70)
    monkeypatch.setattr(mosaic, "SIDE", 8)
    monkeypatch.setattr(mosaic, "BLOCKS", 2)
    pixels = np.random.default_rng(0).integers(0, 256, (70, 3 * 32 * 32), dtype=np.uint8)
    file = tmp_path / "data_batch_1"
    file.write_bytes(pickle.dumps({"labels": [1] * 70, "data": pixels, "filenames": ["a.png"] * 70}))
    (tmp_path / "packed").mkdir()
    (tmp_path / "back").mkdir()
    mosaic.pack(file, tmp_path / "packed")
    assert len(list((tmp_path / "packed").glob("*.webp"))) == 2
    mosaic.unpack(tmp_path / "packed/data_batch_1.before", tmp_path / "back")
    assert (tmp_path / "back/data_batch_1").read_bytes() == file.read_bytes()


def test_the_wheels_are_locked():
    """Each that is carried has one version for the machine's Python."""
    lines = (ROOT / "requirements.lock").read_text().splitlines()
    text = (ROOT / "benchmarks/gpu.sh").read_text()
    names = text.split("WHEELS=${WHEELS:-")[1].split("}")[0].replace("\\", "").split()
    assert {"hydra-core", "omegaconf", "pyyaml", "safetensors", "pytest"} <= set(names)
    for name in names:
        assert any(line.startswith(f"{name}==") for line in lines), name
