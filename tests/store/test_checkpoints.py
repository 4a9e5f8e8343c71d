"""Checkpoints of the members of a stack: together in a file, each under its own name."""

import errno
import os

import pytest
import torch

from src.messages import Epoch, Performance
from src.store import trainings
from src.store.trainings import Origin, TrainingStore
from src.sweeps.report import size
from src.training.state import Snapshot, TrainingState


def state(value, epochs=1):
    """A training after some epochs, whose numbers are all `value`."""
    performance = Performance(0.5, 50.0)
    history = [Epoch(epoch, 0.1, performance, performance, performance) for epoch in range(epochs)]
    snapshots = [Snapshot(torch.full((4,), value + better), {"b": torch.full((2,), value)}) for better in (0.0, 0.5)]
    return TrainingState(snapshots[0], {"v": torch.full((4,), value)}, snapshots[1], 0, 1, history)


@pytest.mark.parametrize("has_links", [True, False])
def test_checkpoints_of_a_stack_lie_in_one_file_and_go_their_own_ways(tmp_path, monkeypatch, has_links):
    def refuse(*_):
        raise OSError(errno.EPERM, "no hard links here")

    if not has_links:
        monkeypatch.setattr(os, "link", refuse)
    store, origin = TrainingStore(tmp_path / "trainings", torch.device("cpu")), Origin("spec", 3)
    names = ["aa", "bb", "cc"]
    store.save_partials((name, state(float(n)), origin) for n, name in enumerate(names))
    paths = [tmp_path / "trainings" / name / f"{name}.partial.safetensors" for name in names]
    assert len({path.stat().st_ino for path in paths}) == (1 if has_links else 3)
    assert size(tmp_path) == pytest.approx(sum(path.stat().st_size for path in paths) / (3 if has_links else 1), abs=3)
    store.save_partials([("bb", state(7.0, epochs=2), origin)])
    store.discard_partial("cc")
    found = [store.load_partial(name) for name in names]
    assert [f and (f.current.parameters[0].item(), f.best.parameters[0].item(), len(f.history)) for f in found] == [
        (0.0, 0.5, 1),
        (7.0, 7.5, 2),
        None,
    ]
    assert found[0].optimizer["v"].tolist() == [0.0] * 4
    assert found[0].current.buffers["b"].tolist() == [0.0] * 2


def test_a_damaged_file_of_several_checkpoints_is_told_once(tmp_path, caplog):
    store = TrainingStore(tmp_path, torch.device("cpu"))
    store.save_partials((name, state(1.0), Origin("spec", 3)) for name in ("aa", "bb"))
    path = tmp_path / "aa" / "aa.partial.safetensors"
    content = bytearray(path.read_bytes())
    content[-3] ^= 16
    path.write_bytes(content)
    assert (store.load_partial("aa"), store.load_partial("bb")) == (None, None)
    assert "aa.partial.safetensors is damaged: its checksum is another; what it holds is trained again" in caplog.text


def test_large_checkpoints_have_files_of_their_own(tmp_path, monkeypatch):
    monkeypatch.setattr(trainings, "FILE_BYTES", 100)
    store = TrainingStore(tmp_path, torch.device("cpu"))
    store.save_partials((name, state(1.0), Origin("spec", 3)) for name in ("aa", "bb", "cc"))
    assert [path.stat().st_nlink for path in sorted(tmp_path.rglob("*.safetensors"))] == [2, 2, 1]
